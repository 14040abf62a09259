//! The state machine of one sync stream. See [`crate::sync`] for the course of a session.
//!
//! Call [`Session::start`], carry out what it returns, then feed it: [`Session::handle`] for each message,
//! [`Session::resume`] after each `Ingest*` output was carried out, [`Session::served`] after each `Serve`, and
//! [`Session::handle_timeout`] when [`Session::deadline_ms`] has passed. Time comes in as an argument and is only
//! used to end a session in which nothing moves.

mod outcome;
mod pieces;

use std::collections::{BTreeMap, VecDeque};

pub use outcome::{Ingested, Output, Summary, SyncError};
use pieces::{blocks_after, decode_blocks, decode_proofs, decode_rival, full_heads, ids_at};
use serde_bytes::ByteBuf;

use super::bisection::{Bisection, Step};
use super::chunk::Chunk;
use super::heads::{self, CompactHead, ShortIdKey};
use super::message::{BRANCH_PREFIX_BYTES, Hello, Message, Span};
use crate::bytes::LayoutError;
use crate::charter::{LogNumber, SignedBlock};
use crate::identity::{EntryId, FrontierDigest};
use crate::limits::{
    ENTRIES_PER_REQUEST_MAX, PROOFS_MESSAGES_MAX, PROOFS_PER_MESSAGE_MAX, REQUESTS_IN_FLIGHT_MAX, SESSION_MESSAGES_MAX,
    SPANS_PER_REQUEST_MAX,
};
use crate::replica::Replica;

/// A session in which nothing arrives for this long is ended.
pub const IDLE_MS_MAX: u64 = 60_000;
/// Steps of one bisection; a search among 2^64 entries needs 16.
const BISECTION_STEPS_MAX: u32 = 32;
/// Bisections that run at a time; the others follow.
const BISECTIONS_AT_A_TIME: usize = 16;

/// What a peer's message of heads holds.
#[derive(Debug)]
struct PeerHeads {
    heads: Vec<u8>,
    proofs: Vec<ByteBuf>,
    rival: ByteBuf,
}

/// One sync session, on one side.
#[derive(Debug)]
pub struct Session {
    nonce: [u8; 16],
    peer: Option<Hello>,
    key: Option<ShortIdKey>,
    /// What this side said of itself in its hello: both sides compare the same two states.
    said: Option<(FrontierDigest, bool)>,
    /// Heads and proofs that came before this side had the charter to understand them.
    heads_waiting: Option<PeerHeads>,
    peer_heads: Option<BTreeMap<LogNumber, CompactHead>>,
    heads_sent: bool,
    /// Whether an answer to a request for blocks is due.
    blocks_asked: bool,
    /// The version after which blocks were asked for last.
    blocks_after: Option<u32>,
    /// Whether this side said that the charters part, and the session only serves to exchange the proof.
    parting: bool,
    full_heads_asked: bool,
    /// Whether the answer to a request for full heads is due.
    full_heads_due: bool,
    proofs_messages: u32,
    proofs_sent: u32,
    /// The version after which the peer asked for blocks last: it may only go forward.
    peer_blocks_after: Option<u32>,
    full_heads_served: bool,
    /// `Ingest*` outputs that were not resumed yet.
    ingesting: u32,
    planned: bool,
    wants: VecDeque<Span>,
    in_flight: BTreeMap<u32, u64>,
    next_id: u32,
    bisections: BTreeMap<LogNumber, (Bisection, u32)>,
    bisections_waiting: VecDeque<LogNumber>,
    serving: u32,
    done_sent: bool,
    done_received: bool,
    finished: bool,
    messages: u64,
    heard_ms: u64,
    summary: Summary,
}

impl Session {
    /// A session that has not begun. `nonce` is random.
    pub fn new(nonce: [u8; 16], now_ms: u64) -> Self {
        Self {
            nonce,
            peer: None,
            key: None,
            said: None,
            heads_waiting: None,
            peer_heads: None,
            heads_sent: false,
            blocks_asked: false,
            blocks_after: None,
            parting: false,
            full_heads_asked: false,
            full_heads_due: false,
            proofs_messages: 0,
            proofs_sent: 0,
            peer_blocks_after: None,
            full_heads_served: false,
            ingesting: 0,
            planned: false,
            wants: VecDeque::new(),
            in_flight: BTreeMap::new(),
            next_id: 0,
            bisections: BTreeMap::new(),
            bisections_waiting: VecDeque::new(),
            serving: 0,
            done_sent: false,
            done_received: false,
            finished: false,
            messages: 0,
            heard_ms: now_ms,
            summary: Summary::default(),
        }
    }

    /// The first message. Both sides send it.
    pub fn start(&mut self, replica: &Replica) -> Vec<Output> {
        let frontier = replica.frontier();
        self.said = Some((frontier.digest(), replica.is_complete()));
        vec![Output::Send(Message::Hello(Hello {
            federation: frontier.federation,
            charter_version: frontier.charter_version,
            charter_tip: frontier.charter_tip,
            digest: frontier.digest(),
            proofs: FrontierDigest(frontier.proofs),
            complete: replica.is_complete(),
            nonce: self.nonce,
        }))]
    }

    /// What the session achieved so far.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// When [`Session::handle_timeout`] is due.
    pub fn deadline_ms(&self) -> u64 {
        self.heard_ms.saturating_add(IDLE_MS_MAX)
    }

    /// Ends a session in which nothing moves.
    pub fn handle_timeout(&mut self, now_ms: u64) -> Result<(), SyncError> {
        let working = self.ingesting > 0 || self.serving > 0;
        if working || now_ms < self.deadline_ms() { Ok(()) } else { Err(SyncError::Idle) }
    }

    /// Takes a message.
    pub fn handle(&mut self, message: Message, replica: &Replica, now_ms: u64) -> Result<Vec<Output>, SyncError> {
        self.heard_ms = now_ms;
        self.messages += 1;
        if self.messages > SESSION_MESSAGES_MAX {
            return Err(SyncError::TooLong);
        }
        let name = message.name();
        let out_of_turn = SyncError::OutOfTurn { message: name };
        match message {
            Message::Hello(hello) if self.peer.is_none() => self.handle_hello(hello, replica),
            _ if self.peer.is_none() || self.finished => Err(out_of_turn),
            Message::Branch { prefixes } => self.handle_branch(&prefixes, replica),
            Message::Rival { block } => self.handle_rival(&block, replica),
            // What was under way when the charters were found to part.
            _ if self.parting => Ok(Vec::new()),
            Message::BlocksRequest { after } => {
                if self.peer_blocks_after.is_some_and(|before| after <= before) {
                    return Err(SyncError::Greedy);
                }
                self.peer_blocks_after = Some(after);
                Ok(vec![Output::Send(blocks_after(after, replica))])
            }
            Message::Blocks { blocks } => self.handle_blocks(&blocks),
            Message::Heads { heads, proofs, rival } if self.peer_heads.is_none() && self.heads_waiting.is_none() => {
                self.handle_heads(PeerHeads { heads: heads.into_vec(), proofs, rival }, replica)
            }
            Message::FullHeadsRequest if !std::mem::replace(&mut self.full_heads_served, true) => {
                Ok(vec![full_heads(replica)])
            }
            Message::FullHeads { heads } if std::mem::take(&mut self.full_heads_due) => {
                self.handle_full_heads(&heads, replica)
            }
            Message::RangeRequest { id, spans } => self.handle_range_request(id, spans, replica),
            Message::Chunk { id, bytes, payload } => {
                let delivered = self.in_flight.get_mut(&id).ok_or(out_of_turn)?;
                *delivered += 1;
                self.ingesting += 1;
                Ok(vec![Output::IngestChunk(Chunk { bytes, payload: payload.into_vec() })])
            }
            Message::RangeEnd { id } => {
                let delivered = self.in_flight.remove(&id).ok_or(out_of_turn)?;
                self.summary.undelivered += u64::from(delivered == 0);
                Ok(self.advance(replica))
            }
            Message::IdsRequest { log, sequences } => ids_at(log, &sequences, replica).map(|sent| vec![sent]),
            Message::Ids { log, ids } => self.handle_ids(log, &ids, replica),
            Message::Proofs { proofs } => {
                self.proofs_messages += 1;
                if self.proofs_messages > PROOFS_MESSAGES_MAX {
                    return Err(SyncError::Greedy);
                }
                let proofs = decode_proofs(&proofs, replica)?;
                self.ingesting += 1;
                Ok(vec![Output::IngestProofs(proofs)])
            }
            Message::Done => {
                self.done_received = true;
                Ok(self.advance(replica))
            }
            Message::Hello(_) | Message::Heads { .. } | Message::FullHeads { .. } | Message::FullHeadsRequest => {
                Err(out_of_turn)
            }
        }
    }

    /// Goes on after an `Ingest*` output was carried out.
    pub fn resume(&mut self, ingested: Ingested, replica: &Replica) -> Result<Vec<Output>, SyncError> {
        self.ingesting = self.ingesting.saturating_sub(1);
        self.summary.entries_received += ingested.entries_new;
        if self.parting {
            return Err(SyncError::CharterBranch);
        }
        let mut outputs = Vec::new();
        for log in ingested.diverged {
            if !self.bisections.contains_key(&log) && !self.bisections_waiting.contains(&log) {
                self.bisections_waiting.push_back(log);
            }
        }
        self.summary.entries_left_out += ingested.entries_left_out;
        if !ingested.proofs.is_empty() && self.proofs_sent < PROOFS_MESSAGES_MAX {
            self.proofs_sent += 1;
            let proofs = ingested.proofs.iter().map(|proof| ByteBuf::from(proof.encode())).collect();
            outputs.push(Output::Send(Message::Proofs { proofs }));
        }
        if self.peer_heads.is_none() && !self.blocks_asked {
            outputs.extend(self.follow_charter(replica)?);
        }
        if self.ingesting == 0 && self.peer_heads.is_some() && !self.planned {
            self.plan(replica);
        }
        outputs.extend(self.advance(replica));
        Ok(outputs)
    }

    /// Goes on after a `Serve` output was carried out. `entries` is how many were sent.
    pub fn served(&mut self, entries: u64, replica: &Replica) -> Vec<Output> {
        self.serving = self.serving.saturating_sub(1);
        self.summary.entries_served += entries;
        self.advance(replica)
    }

    fn handle_hello(&mut self, hello: Hello, replica: &Replica) -> Result<Vec<Output>, SyncError> {
        let frontier = replica.frontier();
        if hello.federation != frontier.federation {
            return Err(SyncError::Foreign);
        }
        self.key = Some(ShortIdKey::new(&self.nonce, &hello.nonce));
        let equal = hello.complete && self.said == Some((hello.digest, true));
        self.peer = Some(hello);
        if equal {
            self.summary.equal_at_start = true;
            self.finished = true;
            return Ok(vec![Output::Finish]);
        }
        self.follow_charter(replica)
    }

    /// Asks for blocks while the peer has more; then sends heads, and looks at the peer's if they have come.
    fn follow_charter(&mut self, replica: &Replica) -> Result<Vec<Output>, SyncError> {
        let Some(peer) = &self.peer else { return Ok(Vec::new()) };
        let charter = replica.charter();
        if peer.charter_version > charter.version() {
            let after = charter.version();
            if self.blocks_after.replace(after) == Some(after) {
                if charter.pins().contains_key(&(after + 1)) {
                    return Ok(self.part(replica));
                }
                // The blocks that came did not bring this side any further.
                return Err(SyncError::CharterStuck);
            }
            self.blocks_asked = true;
            return Ok(vec![Output::Send(Message::BlocksRequest { after })]);
        }
        let held = charter.blocks().get(peer.charter_version.wrapping_sub(1) as usize);
        if held.is_none_or(|block| block.hash() != peer.charter_tip) {
            return Ok(self.part(replica));
        }
        let mut outputs = self.send_heads(replica);
        if let Some(heads) = self.heads_waiting.take() {
            outputs.extend(self.accept_heads(&heads, replica)?);
        }
        Ok(outputs)
    }

    /// Says that the charters part, once; what follows is only the exchange of the proof.
    fn part(&mut self, replica: &Replica) -> Vec<Output> {
        if std::mem::replace(&mut self.parting, true) {
            return Vec::new();
        }
        let prefixes = replica.charter().blocks().iter().flat_map(|block| {
            let hash = block.hash();
            hash.as_bytes()[..BRANCH_PREFIX_BYTES].to_vec()
        });
        vec![Output::Send(Message::Branch { prefixes: ByteBuf::from(prefixes.collect::<Vec<u8>>()) })]
    }

    /// Answers with this side's block of the first version in which the two charters differ.
    fn handle_branch(&mut self, prefixes: &[u8], replica: &Replica) -> Result<Vec<Output>, SyncError> {
        let mut outputs = self.part(replica);
        let theirs = prefixes.chunks(BRANCH_PREFIX_BYTES);
        let mut pairs = replica.charter().blocks().iter().zip(theirs);
        let parts = pairs.find(|(block, theirs)| block.hash().as_bytes()[..BRANCH_PREFIX_BYTES] != **theirs);
        // Without a place the peer only claims that the charters part, and waits for a block that does not exist.
        let Some((block, _)) = parts else { return Err(SyncError::CharterBranch) };
        outputs.push(Output::Send(Message::Rival { block: ByteBuf::from(block.encode()) }));
        Ok(outputs)
    }

    fn handle_rival(&mut self, block: &[u8], replica: &Replica) -> Result<Vec<Output>, SyncError> {
        if !self.parting {
            return Err(SyncError::OutOfTurn { message: "rival" });
        }
        match decode_rival(block, replica)? {
            None => Err(SyncError::CharterBranch),
            Some(rival) => {
                self.ingesting += 1;
                Ok(vec![Output::IngestBlocks(vec![rival])])
            }
        }
    }

    fn send_heads(&mut self, replica: &Replica) -> Vec<Output> {
        let (Some(key), Some(peer), false) = (&self.key, &self.peer, self.heads_sent) else { return Vec::new() };
        self.heads_sent = true;
        let heads = ByteBuf::from(heads::encode(&replica.frontier().heads, key));
        let proofs = if peer.proofs.0 == replica.proofs_hash() {
            Vec::new()
        } else {
            // Where there are more than fit, each session begins elsewhere, so that all of them get across in time.
            let skip = usize::from(self.nonce[0]) * PROOFS_PER_MESSAGE_MAX % replica.proofs().len().max(1);
            let proofs = replica.proofs().skip(skip).chain(replica.proofs().take(skip));
            proofs.take(PROOFS_PER_MESSAGE_MAX).map(|proof| ByteBuf::from(proof.encode())).collect()
        };
        let news = replica.charter().rival().filter(|_| peer.proofs.0 != replica.proofs_hash());
        let rival = ByteBuf::from(news.map(SignedBlock::encode).unwrap_or_default());
        vec![Output::Send(Message::Heads { heads, proofs, rival })]
    }

    fn handle_blocks(&mut self, blocks: &[ByteBuf]) -> Result<Vec<Output>, SyncError> {
        if !std::mem::take(&mut self.blocks_asked) {
            return Err(SyncError::OutOfTurn { message: "blocks" });
        }
        if self.heads_sent {
            // The blocks came by gossip in the meantime.
            return Ok(Vec::new());
        }
        let blocks = decode_blocks(blocks)?;
        self.summary.blocks_received += blocks.len() as u64;
        self.ingesting += 1;
        Ok(vec![Output::IngestBlocks(blocks)])
    }

    fn handle_heads(&mut self, heads: PeerHeads, replica: &Replica) -> Result<Vec<Output>, SyncError> {
        if heads.proofs.len() > PROOFS_PER_MESSAGE_MAX {
            return Err(SyncError::Greedy);
        }
        if !self.heads_sent && self.peer.as_ref().is_some_and(|peer| peer.charter_version > replica.charter().version())
        {
            self.heads_waiting = Some(heads);
            return Ok(Vec::new());
        }
        self.accept_heads(&heads, replica)
    }

    fn accept_heads(&mut self, heads: &PeerHeads, replica: &Replica) -> Result<Vec<Output>, SyncError> {
        let proofs = decode_proofs(&heads.proofs, replica)?;
        let rival = if heads.rival.is_empty() { None } else { decode_rival(&heads.rival, replica)? };
        let decoded = heads::decode(&heads.heads, replica.charter().logs().len());
        self.peer_heads = Some(decoded.map_err(|error| SyncError::Malformed { message: "heads", error })?);
        let mut outputs = self.send_heads(replica);
        if !proofs.is_empty() {
            self.ingesting += 1;
            outputs.push(Output::IngestProofs(proofs));
        }
        if let Some(rival) = rival {
            self.ingesting += 1;
            outputs.push(Output::IngestBlocks(vec![rival]));
        }
        if self.ingesting == 0 {
            self.plan(replica);
            outputs.extend(self.advance(replica));
        }
        Ok(outputs)
    }

    /// Compares heads and notes what to ask for and where to search.
    fn plan(&mut self, replica: &Replica) {
        self.planned = true;
        let (Some(key), Some(heads)) = (&self.key, &self.peer_heads) else { return };
        for (log, head) in heads {
            let own = replica.effective_length(*log);
            let fork = replica.charter().logs().get(*log as usize).and_then(|grant| replica.fork_of(&grant.key));
            let bound = match fork {
                Some(fork) if !replica.lacks_sealed_branch(*log) => fork.max(own),
                _ => u64::MAX,
            };
            let reach = head.length.min(bound);
            if reach > own {
                self.wants.push_back(Span { log: *log, from: own, count: reach - own });
            }
            let same = |id: EntryId| key.short(&id) == head.short;
            if head.length <= own && !replica.id(*log, head.length - 1).is_some_and(same) {
                self.bisections_waiting.push_back(*log);
            }
            let missing = replica.missing_bodies(*log).take_while(|sequence| *sequence < head.length);
            for sequence in missing {
                push_joined(&mut self.wants, *log, sequence);
            }
        }
    }

    /// Sends whatever is due: probes, requests, and `Done` when nothing is left to want.
    fn advance(&mut self, replica: &Replica) -> Vec<Output> {
        let mut outputs = Vec::new();
        if self.finished || !self.planned {
            return outputs;
        }
        while self.bisections.len() < BISECTIONS_AT_A_TIME {
            let Some(log) = self.bisections_waiting.pop_front() else { break };
            self.begin_bisection(log, replica, &mut outputs);
        }
        while self.in_flight.len() < REQUESTS_IN_FLIGHT_MAX {
            let Some(spans) = self.next_request() else { break };
            let id = self.next_id;
            self.next_id += 1;
            self.in_flight.insert(id, 0);
            outputs.push(Output::Send(Message::RangeRequest { id, spans }));
        }
        let asking = !self.in_flight.is_empty() || !self.bisections.is_empty() || self.full_heads_due;
        let idle = !asking && self.ingesting == 0;
        if idle && !self.done_sent {
            if self.heads_agree_but_digests_do_not(replica) {
                self.full_heads_asked = true;
                self.full_heads_due = true;
                outputs.push(Output::Send(Message::FullHeadsRequest));
                return outputs;
            }
            self.done_sent = true;
            outputs.push(Output::Send(Message::Done));
        }
        if idle && self.done_sent && self.done_received && self.serving == 0 {
            self.finished = true;
            outputs.push(Output::Finish);
        }
        outputs
    }

    /// A request of as many wanted entries as one may hold.
    fn next_request(&mut self) -> Option<Vec<Span>> {
        let mut spans = Vec::new();
        let mut room = ENTRIES_PER_REQUEST_MAX;
        while room > 0 && spans.len() < SPANS_PER_REQUEST_MAX {
            let Some(want) = self.wants.front_mut() else { break };
            let count = want.count.min(room);
            spans.push(Span { count, ..*want });
            room -= count;
            want.from += count;
            want.count -= count;
            if want.count == 0 {
                self.wants.pop_front();
            }
        }
        (!spans.is_empty()).then_some(spans)
    }

    fn begin_bisection(&mut self, log: LogNumber, replica: &Replica, outputs: &mut Vec<Output>) {
        let Some(head) = self.peer_heads.as_ref().and_then(|heads| heads.get(&log)) else { return };
        // Ranges of this log would not attach; what is needed is asked for once the place is known.
        self.wants.retain(|want| want.log != log);
        let length = head.length.min(replica.length(log));
        if length > 0 {
            self.bisections.insert(log, (Bisection::new(length), 0));
            self.step_bisection(log, replica, outputs);
        }
    }

    fn step_bisection(&mut self, log: LogNumber, replica: &Replica, outputs: &mut Vec<Output>) {
        let Some((bisection, steps)) = self.bisections.get_mut(&log) else { return };
        *steps += 1;
        match bisection.step() {
            Step::Probe(sequences) if *steps <= BISECTION_STEPS_MAX => {
                outputs.push(Output::Send(Message::IdsRequest { log, sequences }));
                return;
            }
            Step::Found(sequence) => {
                let reach = self.peer_heads.as_ref().and_then(|heads| heads.get(&log)).map_or(0, |head| head.length);
                // One entry proves the fork. Only a branch that a seal names is worth fetching whole.
                let count = if replica.lacks_sealed_branch(log) { reach.saturating_sub(sequence) } else { 1 };
                self.wants.push_back(Span { log, from: sequence, count });
            }
            Step::Probe(_) | Step::Nowhere => {}
        }
        self.bisections.remove(&log);
    }

    fn handle_ids(
        &mut self,
        log: LogNumber,
        ids: &[(u64, EntryId)],
        replica: &Replica,
    ) -> Result<Vec<Output>, SyncError> {
        let (bisection, _) = self.bisections.get_mut(&log).ok_or(SyncError::OutOfTurn { message: "ids" })?;
        bisection.learn(ids, |sequence| replica.id(log, sequence));
        let mut outputs = Vec::new();
        self.step_bisection(log, replica, &mut outputs);
        outputs.extend(self.advance(replica));
        Ok(outputs)
    }

    fn handle_range_request(&mut self, id: u32, spans: Vec<Span>, replica: &Replica) -> Result<Vec<Output>, SyncError> {
        let entries = spans.iter().fold(0u64, |sum, span| sum.saturating_add(span.count));
        let bounds = spans.len() <= SPANS_PER_REQUEST_MAX && entries <= ENTRIES_PER_REQUEST_MAX;
        if !bounds || self.serving as usize >= REQUESTS_IN_FLIGHT_MAX || self.done_received {
            return Err(SyncError::Greedy);
        }
        self.serving += 1;
        let within = |span: Span| {
            let end = span.from.saturating_add(span.count).min(replica.effective_length(span.log));
            Span { count: end.saturating_sub(span.from), ..span }
        };
        let spans = spans.into_iter().map(within).filter(|span| span.count > 0).collect();
        Ok(vec![Output::Serve { id, spans }])
    }

    /// Short ids can collide, once in 2^64 heads; then full ones tell.
    fn heads_agree_but_digests_do_not(&self, replica: &Replica) -> bool {
        let (Some(key), Some(peer), Some(theirs)) = (&self.key, &self.peer, &self.peer_heads) else { return false };
        let own = replica.frontier();
        if self.full_heads_asked || own.digest() == peer.digest || own.proofs != peer.proofs.0 {
            return false;
        }
        let short = |head: &crate::frontier::Head| CompactHead { length: head.length, short: key.short(&head.id) };
        own.charter_tip == peer.charter_tip
            && own.heads.len() == theirs.len()
            && own.heads.iter().all(|(log, head)| theirs.get(log) == Some(&short(head)))
    }

    fn handle_full_heads(
        &mut self,
        heads: &[(LogNumber, u64, EntryId)],
        replica: &Replica,
    ) -> Result<Vec<Output>, SyncError> {
        for (log, length, id) in heads {
            let Some(last) = length.checked_sub(1) else {
                let error = LayoutError::Rule { field: "length", rule: "must not be 0; leave the log out instead" };
                return Err(SyncError::Malformed { message: "full-heads", error });
            };
            if replica.id(*log, last).is_some_and(|own| own != *id) && !self.bisections_waiting.contains(log) {
                self.bisections_waiting.push_back(*log);
            }
        }
        Ok(self.advance(replica))
    }
}

/// Adds one entry to the wants, to the last span if it continues it.
fn push_joined(wants: &mut VecDeque<Span>, log: LogNumber, sequence: u64) {
    match wants.back_mut() {
        Some(last) if last.log == log && last.from + last.count == sequence => last.count += 1,
        _ => wants.push_back(Span { log, from: sequence, count: 1 }),
    }
}

#[cfg(test)]
mod tests;
