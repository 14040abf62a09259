//! A peer without network or disk: a replica, its entries in memory, and a sync session run to its end.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::charter::{Charter, LogNumber, SignedBlock};
use crate::entry::VerifiedEntry;
use crate::fork::ForkProof;
use crate::kind::KindSet;
use crate::replica::{Change, EntrySource, Outcome, Replica};

use super::shelf::Shelf;
use crate::sync::chunk::{self, ChunkBuilder};
use crate::sync::message::{Message, Span};
use crate::sync::session::{Ingested, Output, Session, Summary, SyncError};
use crate::view::{Advanced, BodySource, Keeper, Moved, Place, Positions, Said, Touched, View};
use serde_bytes::ByteBuf;

/// A node in memory.
#[derive(Debug, Clone)]
pub struct Peer {
    /// What it holds.
    pub replica: Replica,
    shelf: Shelf,
    keeper: Keeper,
    touched: Touched,
}

impl BodySource for Peer {
    fn body(&self, place: Place) -> Option<Arc<[u8]>> {
        self.shelf.entry(place.log, place.sequence).and_then(|entry| entry.body().cloned())
    }
}

impl Peer {
    /// A peer that holds the charter's first `blocks` blocks and nothing else.
    pub fn new(charter: &Charter, blocks: usize) -> Self {
        let mut held = Charter::genesis(charter.blocks()[0].clone()).expect("the genesis block was valid before");
        for block in &charter.blocks()[1..blocks.max(1)] {
            held.append(block.clone()).expect("the block was valid before");
        }
        let replica = Replica::new(held);
        let keeper = Keeper::build(KindSet::builtin(), &replica, &Shelf::default());
        Self { replica, shelf: Shelf::default(), keeper, touched: Touched::default() }
    }

    /// The records that were touched since this was asked last.
    pub fn take_touched(&mut self) -> Touched {
        std::mem::take(&mut self.touched)
    }

    /// How far its view has come.
    pub fn positions(&self) -> Positions {
        self.keeper.positions(&self.replica)
    }

    /// A step of `entries_max` entries from older positions.
    ///
    /// # Errors
    /// [`Moved`] when they do not stand any more.
    pub fn advance(&self, older: &Positions, entries_max: usize) -> Result<Advanced, Moved> {
        self.keeper.advance(older, &self.replica, &self.shelf, entries_max)
    }

    /// Gives the peer an entry.
    pub fn insert(&mut self, entry: &Arc<VerifiedEntry>) -> Outcome {
        let mut changes = Vec::new();
        let outcome = self.replica.insert(entry, &self.shelf, &mut changes);
        self.carry_out(changes);
        outcome
    }

    /// Gives the peer a block; one that does not follow its tip is left alone.
    pub fn insert_block(&mut self, block: &SignedBlock) {
        let mut changes = Vec::new();
        let _ = self.replica.append_block(block.clone(), &self.shelf, &mut changes);
        self.carry_out(changes);
    }

    /// Gives the peer a fork proof.
    pub fn insert_proof(&mut self, proof: &ForkProof) {
        let mut changes = Vec::new();
        self.replica.add_proof(proof.clone(), &mut changes);
        self.carry_out(changes);
    }

    /// What was said between two positions, as far as `entries_max` entries tell.
    pub fn said(&self, from: &Positions, until: &Positions, entries_max: usize) -> Said {
        self.keeper.said(from, until, &self.replica, &self.shelf, entries_max)
    }

    /// What it stores.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// Its view, kept up to date entry by entry.
    pub fn view(&self) -> &View {
        self.keeper.view()
    }

    /// Its view, built from nothing.
    pub fn rebuilt_view(&self) -> View {
        Keeper::build(KindSet::builtin(), &self.replica, &self.shelf).view().clone()
    }

    /// What a restart makes of what it stores.
    pub fn restored(&self) -> Replica {
        let held = self.replica.charter();
        let mut charter = Charter::genesis(held.blocks()[0].clone()).expect("the genesis block was valid before");
        for block in &held.blocks()[1..] {
            charter.append(block.clone()).expect("the block was valid before");
        }
        let mut replica = Replica::new(charter);
        held.rival().into_iter().for_each(|rival| replica.restore_rival(rival.clone()));
        self.shelf.entries().for_each(|(log, entry)| assert!(replica.restore(log, entry), "an entry does not attach"));
        self.shelf.attic().for_each(|entry| replica.restore_displaced(entry));
        self.replica.proofs().for_each(|proof| replica.restore_proof(proof.clone()));
        replica
    }

    /// BLAKE3 over its view, kept up to date entry by entry.
    pub fn view_digest(&self, as_of_ms: u64) -> [u8; 32] {
        self.keeper.view().digest(as_of_ms, self)
    }

    /// BLAKE3 over a view built from nothing.
    pub fn rebuilt_view_digest(&self, as_of_ms: u64) -> [u8; 32] {
        Keeper::build(KindSet::builtin(), &self.replica, &self.shelf).view().digest(as_of_ms, self)
    }

    fn carry_out(&mut self, changes: Vec<Change>) {
        self.shelf.carry_out(&changes);
        self.touched.merge(self.keeper.follow(&self.replica, &changes, &self.shelf));
    }

    fn ingest(&mut self, output: Output) -> Ingested {
        let mut ingested = Ingested::default();
        match output {
            Output::IngestBlocks(blocks) => blocks.iter().for_each(|block| self.insert_block(block)),
            Output::IngestProofs(proofs) => proofs.iter().for_each(|proof| self.insert_proof(proof)),
            Output::IngestChunk(chunk) => {
                let logs = self.replica.charter().logs().to_vec();
                let key_of = |log: LogNumber| logs.get(log as usize).map(|grant| grant.key);
                let entries = chunk::decode(&chunk, key_of).expect("honest peers send well-formed chunks");
                for (log, entry) in entries {
                    let federation = self.replica.charter().federation();
                    let entry = Arc::new(entry.verify(&federation).expect("honest peers send what verifies"));
                    match self.insert(&entry) {
                        Outcome::Appended | Outcome::BodyArrived => ingested.entries_new += 1,
                        Outcome::Diverged => ingested.diverged.push(log),
                        Outcome::Forked => {
                            let key = entry.header().key;
                            ingested.proofs.extend(self.replica.proofs().find(|proof| proof.key() == key).cloned());
                        }
                        _ => {}
                    }
                }
            }
            Output::Send(_) | Output::Serve { .. } | Output::Finish => {}
        }
        ingested.diverged.dedup();
        ingested
    }

    fn serve(&self, id: u32, spans: &[Span], queue: &mut VecDeque<Message>) -> u64 {
        let mut builder = ChunkBuilder::default();
        let mut served = 0;
        let mut send = |chunk: chunk::Chunk| {
            queue.push_back(Message::Chunk { id, bytes: chunk.bytes, payload: ByteBuf::from(chunk.payload) });
        };
        for span in spans {
            for sequence in span.from..span.from + span.count {
                let Some(entry) = self.shelf.entry(span.log, sequence) else { break };
                served += 1;
                builder.push(span.log, &entry).into_iter().for_each(&mut send);
            }
        }
        builder.finish().into_iter().for_each(&mut send);
        queue.push_back(Message::RangeEnd { id });
        served
    }
}

struct Side<'a> {
    peer: &'a mut Peer,
    session: Session,
    finished: bool,
    sent_bytes: u64,
}

impl Side<'_> {
    fn perform(&mut self, outputs: Vec<Output>, queue: &mut VecDeque<Message>) -> Result<(), SyncError> {
        let mut pending: VecDeque<Output> = outputs.into();
        while let Some(output) = pending.pop_front() {
            match output {
                Output::Send(message) => queue.push_back(message),
                Output::Serve { id, spans } => {
                    let served = self.peer.serve(id, &spans, queue);
                    pending.extend(self.session.served(served, &self.peer.replica));
                }
                Output::Finish => self.finished = true,
                ingest => {
                    let ingested = self.peer.ingest(ingest);
                    pending.extend(self.session.resume(ingested, &self.peer.replica)?);
                }
            }
        }
        Ok(())
    }
}

/// Runs one session between two peers to its end. Returns both summaries and the bytes that each side sent.
pub fn sync(one: &mut Peer, other: &mut Peer, nonces: [u8; 2]) -> Result<[(Summary, u64); 2], SyncError> {
    let side = |peer, nonce| Side { peer, session: Session::new([nonce; 16], 0), finished: false, sent_bytes: 0 };
    let mut sides = [side(one, nonces[0]), side(other, nonces[1])];
    let mut queues = [VecDeque::new(), VecDeque::new()];
    for index in 0..2 {
        let outputs = sides[index].session.start(&sides[index].peer.replica);
        sides[index].perform(outputs, &mut queues[index])?;
    }
    while let Some(from) = (0..2).find(|index| !queues[*index].is_empty()) {
        let Some(message) = queues[from].pop_front() else { break };
        let bytes = message.encode();
        sides[from].sent_bytes += bytes.len() as u64 + 4;
        let message = Message::decode(&bytes).expect("what was encoded decodes");
        let to = 1 - from;
        let side = &mut sides[to];
        let outputs = side.session.handle(message, &side.peer.replica, 0)?;
        side.perform(outputs, &mut queues[to])?;
    }
    assert!(sides.iter().all(|side| side.finished), "the session stopped before it was finished");
    Ok(sides.map(|side| (side.session.summary(), side.sent_bytes)))
}
