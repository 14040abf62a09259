//! Sync of one node: sessions over streams, as [`crate::sync::agenda`] decides, driven as a shell drives them.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_bytes::ByteBuf;

use super::air::{Air, Event, Parcel};
use super::fact::Fact;
use super::hostile;
use super::node::Node;
use super::scenario::Habit;
use crate::entry::VerifiedEntry;
use crate::identity::PublicKey;
use crate::replica::EntrySource;
use crate::sync::agenda::{Ended, PEERS_PER_ROUND};
use crate::sync::chunk::{self, Chunk, ChunkBuilder};
use crate::sync::fault::Fault;
use crate::sync::message::{Message, Span};
use crate::sync::session::{Ingested, Output, Session, SyncError};

/// How long a session may last; the next one goes on where it stopped.
const SESSION_LONGEST_MS: u64 = 15 * 60 * 1_000;
/// A session serves on once the line is free within this time.
const SERVE_AHEAD_MS: u64 = 200;

/// One side of a session.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) peer: usize,
    session: Session,
    /// Whether this side's next frame is the one that opens the stream.
    opens: bool,
    begun_ms: u64,
    finished: bool,
    sent_bytes: u64,
    serving: VecDeque<Serving>,
}

#[derive(Debug)]
struct Serving {
    id: u32,
    spans: VecDeque<Span>,
    builder: ChunkBuilder,
    served: u64,
}

/// Why a session ends early.
enum Early {
    Fault(Fault),
    /// The stream broke, or this node cannot go on.
    Broken,
}

impl<T: Into<Fault>> From<T> for Early {
    fn from(fault: T) -> Self {
        Self::Fault(fault.into())
    }
}

impl Node {
    /// Begins what is due, and ends what takes too long.
    pub(super) fn tick_sync(&mut self, air: &mut Air) {
        let Some(running) = self.running.as_deref_mut() else { return };
        if air.now_ms >= running.next_round_ms {
            running.next_round_ms = air.now_ms + air.scenario.round_ms;
            let random: [u64; PEERS_PER_ROUND] = std::array::from_fn(|_| air.random.u64(..));
            let connected = running.linked.iter().map(|peer| air.transports[*peer]).collect();
            running.agenda.round(connected, random, air.now_ms);
        }
        for peer in running.agenda.due(air.now_ms) {
            self.begin(peer, air);
        }
        let Some(running) = self.running.as_deref_mut() else { return };
        let mut late = Vec::new();
        for (id, side) in &mut running.sessions {
            if air.now_ms >= side.begun_ms + SESSION_LONGEST_MS {
                late.push((*id, SyncError::TooLong));
            } else if let Err(error) = side.session.handle_timeout(air.now_ms) {
                late.push((*id, error));
            }
        }
        late.into_iter().for_each(|(id, error)| self.end(id, Some(Early::from(error)), air));
    }

    fn begin(&mut self, transport: PublicKey, air: &mut Air) {
        let Some(peer) = air.indices.get(&transport).copied() else { return };
        if !self.may_begin(peer, false, air) {
            return;
        }
        air.sessions += 1;
        let id = air.sessions;
        if self.running.as_ref().is_some_and(|running| !running.linked.contains(&peer)) {
            // There is nobody to open a stream to.
            let Some(running) = self.running.as_deref_mut() else { return };
            let chance = air.random.u8(..);
            running.agenda.ended(transport, Ended::Failed, chance, air.now_ms);
            let (member, how) = (self.index, Ended::Failed);
            air.tell(Fact::Ended { member, peer, how, equal: false, sent_bytes: 0, received: 0, served: 0 });
            return;
        }
        self.open(id, peer, true, air);
    }

    fn may_begin(&mut self, peer: usize, inbound: bool, air: &mut Air) -> bool {
        let is_member = self.member_of(peer, air).is_some();
        let Some(running) = self.running.as_deref_mut() else { return false };
        let count = running.sessions.len();
        let begins = running.agenda.begin(air.transports[peer], inbound, is_member, count, air.now_ms);
        if begins {
            air.tell(Fact::Begun { member: self.index, peer, own: !inbound });
        }
        begins
    }

    fn open(&mut self, id: u64, peer: usize, opens: bool, air: &mut Air) {
        let Some(running) = self.running.as_deref_mut() else { return };
        let mut nonce = [0; 16];
        air.random.fill(&mut nonce);
        let mut session = Session::new(nonce, air.now_ms);
        let outputs = session.start(&running.replica);
        let serving = VecDeque::new();
        let side = Side { peer, session, opens, begun_ms: air.now_ms, finished: false, sent_bytes: 0, serving };
        running.sessions.insert(id, side);
        self.go_on(id, Ok(outputs), air);
    }

    /// A frame of a session arrives.
    pub(super) fn frame(&mut self, from: usize, id: u64, opens: bool, bytes: &[u8], air: &mut Air) {
        let Some(running) = self.running.as_deref_mut().filter(|running| running.linked.contains(&from)) else {
            return;
        };
        if !running.sessions.contains_key(&id) {
            if !opens {
                return;
            }
            if !self.may_begin(from, true, air) {
                air.send(self.index, from, Parcel::Closed { session: id });
                return;
            }
            self.open(id, from, false, air);
        }
        let Some(running) = self.running.as_deref_mut() else { return };
        let Some(side) = running.sessions.get_mut(&id) else { return };
        let outputs = match Message::decode(bytes) {
            Ok(message) => side.session.handle(message, &running.replica, air.now_ms).map_err(Early::from),
            Err(error) => Err(Early::from(error)),
        };
        self.go_on(id, outputs, air);
    }

    /// The stream of a session ended.
    pub(super) fn closed(&mut self, from: usize, id: u64, air: &mut Air) {
        let side = self.running.as_ref().and_then(|running| running.sessions.get(&id));
        if side.is_some_and(|side| side.peer == from) {
            self.end(id, Some(Early::Broken), air);
        }
    }

    /// The link to a peer broke, and with it every stream.
    pub(super) fn break_streams(&mut self, peer: usize, air: &mut Air) {
        let Some(running) = self.running.as_deref() else { return };
        let broken = running.sessions.iter().filter(|(_, side)| side.peer == peer).map(|(id, _)| *id);
        broken.collect::<Vec<u64>>().into_iter().for_each(|id| self.end(id, Some(Early::Broken), air));
    }

    fn go_on(&mut self, id: u64, outputs: Result<Vec<Output>, Early>, air: &mut Air) {
        let performed = outputs.and_then(|outputs| self.perform(id, outputs, air));
        match performed {
            Ok(()) => {
                let side = self.running.as_ref().and_then(|running| running.sessions.get(&id));
                if side.is_some_and(|side| side.finished) {
                    self.end(id, None, air);
                }
            }
            Err(early) => self.end(id, Some(early), air),
        }
    }

    fn perform(&mut self, id: u64, outputs: Vec<Output>, air: &mut Air) -> Result<(), Early> {
        let mut pending: VecDeque<Output> = outputs.into();
        while let Some(output) = pending.pop_front() {
            let ingested = match output {
                Output::Send(message) => {
                    self.send(id, message, air)?;
                    continue;
                }
                Output::Serve { id: request, spans } => {
                    let side = self.side(id)?;
                    let (spans, builder) = (spans.into(), ChunkBuilder::default());
                    side.serving.push_back(Serving { id: request, spans, builder, served: 0 });
                    if side.serving.len() == 1 {
                        pending.extend(self.pump(id, air)?);
                    }
                    continue;
                }
                Output::Finish => {
                    self.side(id)?.finished = true;
                    continue;
                }
                Output::IngestBlocks(blocks) => {
                    if let Err(error) = self.append_blocks(blocks, air).ok_or(Early::Broken)?
                        && let Some(fault) = Fault::of_blocks(error)
                    {
                        return Err(Early::Fault(fault));
                    }
                    Ingested::default()
                }
                Output::IngestProofs(proofs) => {
                    self.add_proofs(proofs, air).ok_or(Early::Broken)?;
                    Ingested::default()
                }
                Output::IngestChunk(chunk) => self.ingest_chunk(&chunk, air)?,
            };
            let running = self.running.as_deref_mut().ok_or(Early::Broken)?;
            let side = running.sessions.get_mut(&id).ok_or(Early::Broken)?;
            pending.extend(side.session.resume(ingested, &running.replica)?);
        }
        Ok(())
    }

    fn ingest_chunk(&mut self, chunk: &Chunk, air: &mut Air) -> Result<Ingested, Early> {
        let running = self.running.as_deref().ok_or(Early::Broken)?;
        let logs = running.replica.charter().logs();
        let key_of = |log: u32| logs.get(log as usize).map(|grant| grant.key);
        let decoded = chunk::decode(chunk, key_of).map_err(SyncError::from)?;
        let verdicts = decoded.into_iter().map(|(log, entry)| {
            let sequence = entry.header().sequence;
            (log, sequence, air.library.verify(entry, &air.federation))
        });
        let sifted = chunk::sift(verdicts.collect::<Vec<_>>());
        let report = self.ingest(&sifted.good, air).ok_or(Early::Broken)?;
        match sifted.bad {
            Some((log, sequence)) => Err(Early::Fault(Fault::Signature { log, sequence })),
            None => Ok(report.ingested()),
        }
    }

    fn side(&mut self, id: u64) -> Result<&mut Side, Early> {
        self.running.as_deref_mut().and_then(|running| running.sessions.get_mut(&id)).ok_or(Early::Broken)
    }

    fn send(&mut self, id: u64, message: Message, air: &mut Air) -> Result<(), Early> {
        let message = if self.has(Habit::LyingHeads) { hostile::lie(message, &mut air.random) } else { message };
        let (index, side) = (self.index, self.side(id)?);
        let opens = std::mem::take(&mut side.opens);
        side.sent_bytes += air.send(index, side.peer, Parcel::Frame { session: id, opens, bytes: message.encode() });
        Ok(())
    }

    /// A session serves on, now that the line is free.
    pub(super) fn serve(&mut self, id: u64, air: &mut Air) {
        if self.side(id).is_ok() {
            let outputs = self.pump(id, air);
            self.go_on(id, outputs, air);
        }
    }

    /// Sends chunks until the line is busy or everything is served. One request after the other: entries of one log must
    /// arrive in order.
    fn pump(&mut self, id: u64, air: &mut Air) -> Result<Vec<Output>, Early> {
        let mut outputs = Vec::new();
        while let Some(request) = self.side(id)?.serving.front().map(|serving| serving.id) {
            if air.network.busy_until_ms(self.index) > air.now_ms + SERVE_AHEAD_MS {
                let at_ms = air.network.busy_until_ms(self.index);
                air.at(at_ms, Event::Serve { member: self.index, boot: self.boots, session: id });
                return Ok(outputs);
            }
            if let Some(chunk) = self.next_chunk(id)? {
                let payload = ByteBuf::from(chunk.payload);
                self.send(id, Message::Chunk { id: request, bytes: chunk.bytes, payload }, air)?;
                continue;
            }
            self.send(id, Message::RangeEnd { id: request }, air)?;
            let running = self.running.as_deref_mut().ok_or(Early::Broken)?;
            let side = running.sessions.get_mut(&id).ok_or(Early::Broken)?;
            let served = side.serving.pop_front().map_or(0, |serving| serving.served);
            outputs.extend(side.session.served(served, &running.replica));
        }
        Ok(outputs)
    }

    fn next_chunk(&mut self, id: u64) -> Result<Option<Chunk>, Early> {
        let (withholds, corrupts) = (self.has(Habit::Withhold), self.has(Habit::BadSignature));
        let side =
            self.running.as_deref_mut().and_then(|running| running.sessions.get_mut(&id)).ok_or(Early::Broken)?;
        let Some(serving) = side.serving.front_mut().filter(|_| !withholds) else { return Ok(None) };
        while let Some(span) = serving.spans.front_mut() {
            let entry: Option<Arc<VerifiedEntry>> =
                if span.count == 0 { None } else { self.disk.entry(span.log, span.from) };
            let (Some(entry), log) = (entry, span.log) else {
                serving.spans.pop_front();
                continue;
            };
            (span.from, span.count) = (span.from + 1, span.count - 1);
            serving.served += 1;
            let entry = if corrupts { hostile::corrupt(&entry) } else { entry };
            if let Some(chunk) = serving.builder.push(log, &entry) {
                return Ok(Some(chunk));
            }
        }
        Ok(serving.builder.finish())
    }

    fn end(&mut self, id: u64, early: Option<Early>, air: &mut Air) {
        let Some(running) = self.running.as_deref_mut() else { return };
        let Some(side) = running.sessions.remove(&id) else { return };
        let (member, peer, summary) = (self.index, side.peer, side.session.summary());
        let how = match &early {
            None => Ended::of(&summary),
            Some(Early::Fault(fault)) => Ended::early(fault.is_offence()),
            Some(Early::Broken) => Ended::early(false),
        };
        let chance = air.random.u8(..);
        running.agenda.ended(air.transports[peer], how, chance, air.now_ms);
        let (equal, received, served) = (summary.equal_at_start, summary.entries_received, summary.entries_served);
        air.tell(Fact::Ended { member, peer, how, equal, sent_bytes: side.sent_bytes, received, served });
        if let Some(Early::Fault(fault)) = &early
            && fault.is_offence()
        {
            air.tell(Fact::Blamed { member, peer, why: fault.to_string() });
        }
        if early.is_some() {
            air.send(member, peer, Parcel::Closed { session: id });
        }
        if how == Ended::Well
            && let Some(number) = self.member_of(peer, air)
        {
            self.confirm(number);
        }
    }
}
