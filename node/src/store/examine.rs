//! Reading a whole database back, believing nothing: blocks, proofs, heads, and every entry along its chain.
//!
//! What does not verify ends its log or the charter there and is named; nothing that fails is passed on.

use std::collections::{BTreeMap, BTreeSet};

use protocol::charter::{Charter, CharterError, LogNumber, SignedBlock};
use protocol::entry::VerifiedEntry;
use protocol::fork::ForkProof;
use protocol::identity::{EntryId, FederationId, PublicKey};
use protocol::replica::Replica;
use rayon::prelude::*;

use super::database::Database;
use super::error::StoreError;
use super::layout::{
    Progress, Space, StoredHead, decode_displaced, decode_entry, entry_key, number_of, open_checked, place_of,
    progress_key,
};
use super::limits::{EXAMINE_CHUNK_BYTES, EXAMINE_CHUNK_ENTRIES};
use super::report::{Damage, Flaw};
use super::shelf::{Attic, Held, Logs};

/// What a database holds.
pub(super) struct Examined {
    pub(super) replica: Replica,
    pub(super) attic: Attic,
    pub(super) progress: Progress,
    /// Heads as they were recorded, whether the entries are there or not.
    pub(super) heads: BTreeMap<LogNumber, StoredHead>,
    pub(super) damage: Vec<Damage>,
    /// Whether nothing was ever written to it.
    pub(super) fresh: bool,
}

impl Examined {
    /// What there is when the database does not open.
    pub(super) fn unreadable(genesis: &Charter, error: &StoreError) -> Self {
        Self {
            replica: Replica::new(genesis.clone()),
            attic: Attic::new(),
            progress: Progress::default(),
            heads: BTreeMap::new(),
            damage: vec![unreadable(error)],
            fresh: false,
        }
    }
}

/// Reads a database back. An error is returned only for a federation that is not the one of `genesis`.
pub(super) fn examine(database: &Database, genesis: &Charter) -> Result<Examined, StoreError> {
    let mut damage = Vec::new();
    let progress = read_progress(database, &mut damage);
    let blocks = read_checked(database, Space::Block, &mut damage);
    let fresh = progress.is_none() && blocks.is_empty() && damage.is_empty();
    let progress = progress.unwrap_or_default();
    let charter = restore_charter(database, genesis, blocks, progress, &mut damage)?;
    let mut replica = Replica::new(charter);
    restore_rival(database, &mut replica, &mut damage);
    restore_proofs(database, &mut replica, progress, &mut damage);
    let attic = restore_attic(database, &mut replica, &mut damage);
    let heads = read_heads(database, &mut damage);
    let mut reading = Reading { replica, broken: BTreeSet::new(), damage };
    reading.entries(database);
    reading.compare(&heads);
    if progress == Progress::default() && !fresh {
        reading.damage.push(Damage::Database { what: "the record of its progress is lost".into() });
    }
    Ok(Examined { replica: reading.replica, attic, progress, heads, damage: reading.damage, fresh })
}

/// The logs that a replica holds, as the shelf keeps them.
pub(super) fn logs_of(replica: &Replica) -> Logs {
    let held = |number: LogNumber, key: PublicKey| {
        let length = replica.length(number);
        let last = replica.id(number, length.checked_sub(1)?)?;
        Some((number, Held { key, length, last }))
    };
    replica.charter().logs().iter().filter_map(|grant| held(grant.number, grant.key)).collect()
}

fn read_progress(database: &Database, damage: &mut Vec<Damage>) -> Option<Progress> {
    let key = progress_key();
    match database.get(&key) {
        Ok(value) => value.and_then(|value| Progress::decode(open_checked(&key, &value)?)),
        Err(error) => {
            damage.push(unreadable(&error));
            None
        }
    }
}

/// Keys and contents of a space; the content is `None` where the check does not fit.
type Checked = Vec<(Vec<u8>, Option<Vec<u8>>)>;

fn read_checked(database: &Database, space: Space, damage: &mut Vec<Damage>) -> Checked {
    let (from, until) = space.bounds();
    let mut found = Vec::new();
    for next in database.scan(&from, &until) {
        match next {
            Ok((key, value)) => found.push((key.to_vec(), open_checked(&key, &value).map(<[u8]>::to_vec))),
            Err(error) => {
                damage.push(unreadable(&error));
                break;
            }
        }
    }
    found
}

fn restore_charter(
    database: &Database,
    genesis: &Charter,
    blocks: Checked,
    progress: Progress,
    damage: &mut Vec<Damage>,
) -> Result<Charter, StoreError> {
    let mut charter = genesis.clone();
    for (key, content) in blocks {
        let version = number_of(&key).unwrap_or(0);
        let block = content.and_then(|content| SignedBlock::decode(&content).ok());
        if let Some(found) = block.as_ref().filter(|block| version == 1 && block.hash() != genesis.tip()) {
            let (expected, found) = (genesis.federation(), FederationId(found.hash().0));
            return Err(StoreError::ForeignFederation { path: database.path().to_owned(), expected, found });
        }
        let found = match block.map(|block| charter.append(block)) {
            None => Damage::Block { version, what: Flaw::Check },
            Some(Ok(_)) if charter.version() == version => continue,
            Some(Err(CharterError::Pinned { version })) => Damage::OtherBranch { version },
            Some(_) => Damage::Block { version, what: Flaw::Chain },
        };
        damage.push(found);
        break;
    }
    let named = damage.iter().any(|found| matches!(found, Damage::Block { .. } | Damage::OtherBranch { .. }));
    if charter.version() < progress.blocks && !named {
        damage.push(Damage::Block { version: charter.version() + 1, what: Flaw::Missing });
    }
    Ok(charter)
}

fn restore_rival(database: &Database, replica: &mut Replica, damage: &mut Vec<Damage>) {
    for (_, content) in read_checked(database, Space::Rival, damage) {
        match content.and_then(|content| SignedBlock::decode(&content).ok()) {
            Some(rival) => replica.restore_rival(rival),
            None => damage.push(Damage::Rival),
        }
    }
}

/// Gives the replica every displaced entry that is sound, and says which there are.
fn restore_attic(database: &Database, replica: &mut Replica, damage: &mut Vec<Damage>) -> Attic {
    let (from, until) = Space::Attic.bounds();
    let mut attic = Attic::new();
    for next in database.scan(&from, &until) {
        let (key, value) = match next {
            Ok(found) => found,
            Err(error) => {
                damage.push(unreadable(&error));
                break;
            }
        };
        let Some(entry) = decode_displaced(&key, &value) else {
            let id = key.get(1..).and_then(|id| id.try_into().ok()).map_or(EntryId::ZERO, EntryId);
            damage.push(Damage::Displaced { id });
            continue;
        };
        // Without the charter block that grants its log it is of no use; that the block is lost is said already.
        if let Some(grant) = replica.charter().log_of(&entry.header().key) {
            attic.insert(entry.id(), grant.number);
            replica.restore_displaced(&entry);
        }
    }
    attic
}

fn restore_proofs(database: &Database, replica: &mut Replica, progress: Progress, damage: &mut Vec<Damage>) {
    let federation = replica.charter().federation();
    let proofs = read_checked(database, Space::Proof, damage);
    let lost = (proofs.len() as u64) < u64::from(progress.proofs);
    for (_, content) in proofs {
        match content.and_then(|content| ForkProof::decode(&content, &federation).ok()) {
            Some(proof) => replica.restore_proof(proof),
            None => damage.push(Damage::Proof { what: Flaw::Check }),
        }
    }
    if lost {
        damage.push(Damage::Proof { what: Flaw::Missing });
    }
}

fn read_heads(database: &Database, damage: &mut Vec<Damage>) -> BTreeMap<LogNumber, StoredHead> {
    let mut heads = BTreeMap::new();
    for (key, content) in read_checked(database, Space::Head, damage) {
        let Some(log) = number_of(&key) else { continue };
        match content.and_then(|content| StoredHead::decode(&content)) {
            Some(head) => drop(heads.insert(log, head)),
            None => damage.push(Damage::Database { what: format!("the head of log {log} does not fit its check") }),
        }
    }
    heads
}

/// Damage that the database itself reports.
pub(super) fn unreadable(error: &StoreError) -> Damage {
    Damage::Database { what: error.chain() }
}

struct Stored {
    log: LogNumber,
    sequence: u64,
    key: PublicKey,
    value: Vec<u8>,
}

/// The state of reading entries log by log.
struct Reading {
    replica: Replica,
    /// Logs that ended early.
    broken: BTreeSet<LogNumber>,
    damage: Vec<Damage>,
}

impl Reading {
    fn entries(&mut self, database: &Database) {
        let keys: Vec<PublicKey> = self.replica.charter().logs().iter().map(|grant| grant.key).collect();
        let (_, until) = Space::Entry.bounds();
        let mut from = 0;
        let mut chunk = Chunk::default();
        // Each turn reads on after a log that could not be read to its end.
        while let Some(log) = self.read_from(database, from, &until, &keys, &mut chunk) {
            from = log + 1;
        }
        self.restore(&mut chunk);
    }

    /// Reads entries from a log on; the log at which reading failed, if it did.
    fn read_from(
        &mut self,
        database: &Database,
        from: LogNumber,
        until: &[u8],
        keys: &[PublicKey],
        chunk: &mut Chunk,
    ) -> Option<LogNumber> {
        let mut reached = from;
        for next in database.scan(&entry_key(from, 0), until) {
            let (key, value) = match next {
                Ok(found) => found,
                Err(error) => {
                    self.damage.push(unreadable(&error));
                    self.restore(chunk);
                    self.end(reached, Flaw::Unreadable);
                    return (reached < LogNumber::MAX && (reached as usize) < keys.len()).then_some(reached);
                }
            };
            let Some((log, sequence)) = place_of(&key) else { continue };
            reached = log;
            match keys.get(log as usize) {
                Some(signer) => chunk.push(Stored { log, sequence, key: *signer, value }),
                None => self.end(log, Flaw::CharterLost),
            }
            if chunk.is_full() {
                self.restore(chunk);
            }
        }
        None
    }

    /// Decodes a chunk on all cores and puts it back in order.
    fn restore(&mut self, chunk: &mut Chunk) {
        let stored = chunk.take();
        let decode = |stored: &Stored| decode_entry(&stored.key, stored.sequence, &stored.value);
        let entries: Vec<Option<VerifiedEntry>> = stored.par_iter().map(decode).collect();
        for (stored, entry) in stored.iter().zip(entries) {
            if let Err(what) = self.place(stored, entry.as_ref()) {
                self.end(stored.log, what);
            }
        }
    }

    fn place(&mut self, stored: &Stored, entry: Option<&VerifiedEntry>) -> Result<(), Flaw> {
        if self.broken.contains(&stored.log) {
            return Ok(());
        }
        if stored.sequence != self.replica.length(stored.log) {
            return Err(Flaw::Missing);
        }
        let entry = entry.ok_or(Flaw::Check)?;
        if entry.header().charter > self.replica.charter().version() {
            return Err(Flaw::CharterLost);
        }
        if self.replica.restore(stored.log, entry) { Ok(()) } else { Err(Flaw::Chain) }
    }

    /// Ends a log at what was restored of it.
    fn end(&mut self, log: LogNumber, what: Flaw) {
        if self.broken.insert(log) {
            self.damage.push(Damage::entry(log, self.replica.length(log), what));
        }
    }

    /// Compares what was restored with the heads that were recorded.
    fn compare(&mut self, heads: &BTreeMap<LogNumber, StoredHead>) {
        for (log, head) in heads {
            let length = self.replica.length(*log);
            if length < head.length {
                self.end(*log, Flaw::Missing);
            } else if length > head.length || self.replica.id(*log, length.saturating_sub(1)) != Some(head.id) {
                self.end(*log, Flaw::Chain);
            }
        }
        for log in 0..self.replica.charter().logs().len() as LogNumber {
            if self.replica.length(log) > 0 && !heads.contains_key(&log) && self.broken.insert(log) {
                self.damage.push(Damage::Database { what: format!("the head of log {log} is missing") });
            }
        }
    }
}

#[derive(Default)]
struct Chunk {
    stored: Vec<Stored>,
    bytes: usize,
}

impl Chunk {
    fn push(&mut self, stored: Stored) {
        self.bytes += stored.value.len();
        self.stored.push(stored);
    }

    fn is_full(&self) -> bool {
        self.stored.len() >= EXAMINE_CHUNK_ENTRIES || self.bytes >= EXAMINE_CHUNK_BYTES
    }

    fn take(&mut self) -> Vec<Stored> {
        self.bytes = 0;
        std::mem::take(&mut self.stored)
    }
}
