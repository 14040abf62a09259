//! The database as entries, blocks, proofs and heads: what it holds, how changes are written, how entries are read.
//!
//! Readers see what is on disk: a log ends for them where the last commit that was forced to disk left it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use protocol::charter::LogNumber;
use protocol::entry::VerifiedEntry;
use protocol::identity::{EntryId, PublicKey};
use protocol::replica::{Change, EntrySource};

use super::database::{Database, Pending, put};
use super::error::StoreError;
use super::layout::{
    Progress, StoredHead, block_key, checked, decode_entry, encode_entry, entry_key, head_key, place_of, progress_key,
    proof_key, rival_key,
};
use super::limits::{BATCH_BYTES, RANGE_ENTRIES_MAX};
use super::progress::Witness;

/// A log as the database holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) key: PublicKey,
    pub(super) length: u64,
    pub(super) last: EntryId,
}

pub(super) type Logs = BTreeMap<LogNumber, Held>;

/// What the one writer needs.
#[derive(Debug)]
struct Pen {
    progress: Progress,
    witness: Witness,
}

/// The database and what is known of it.
#[derive(Debug)]
pub(super) struct Shelf {
    database: Database,
    logs: RwLock<Logs>,
    pen: Mutex<Pen>,
    entries_written: AtomicU64,
    damaged: AtomicBool,
}

impl Shelf {
    pub(super) fn new(database: Database, logs: Logs, progress: Progress, witness: Witness) -> Self {
        Self {
            database,
            logs: RwLock::new(logs),
            pen: Mutex::new(Pen { progress, witness }),
            entries_written: AtomicU64::new(0),
            damaged: AtomicBool::new(false),
        }
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// Carries out changes, in order, and forces them to disk.
    ///
    /// Changes that fit one batch happen at once or not at all; longer ones in several, each a state that held.
    pub(super) fn write(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut pen = self.pen.lock();
        let mut draft = Draft::new(self, pen.progress);
        for change in changes {
            draft.add(change)?;
            // A truncation and the entry that takes the place belong together.
            if draft.bytes > BATCH_BYTES && !matches!(change, Change::Displace { .. }) {
                self.finish(&mut pen, draft)?;
                draft = Draft::new(self, pen.progress);
            }
        }
        self.finish(&mut pen, draft)
    }

    fn finish(&self, pen: &mut Pen, mut draft: Draft<'_>) -> Result<(), StoreError> {
        let pending = draft.close()?;
        // Entries that a truncation takes away must not look damaged to a reader meanwhile.
        let mut logs = draft.truncates.then(|| self.logs.write());
        self.database.write(pending)?;
        let logs = logs.get_or_insert_with(|| self.logs.write());
        for (log, held) in draft.changed {
            match held {
                Some(held) => logs.insert(log, held),
                None => logs.remove(&log),
            };
        }
        pen.progress = draft.progress;
        self.entries_written.fetch_add(draft.entries, Ordering::Relaxed);
        pen.witness.record(pen.progress.commits)
    }

    /// An entry; `None` where the log does not reach.
    pub(super) fn entry(&self, log: LogNumber, sequence: u64) -> Result<Option<Arc<VerifiedEntry>>, StoreError> {
        let logs = self.logs.read();
        let Some(held) = logs.get(&log).filter(|held| sequence < held.length) else { return Ok(None) };
        let value = self.noted(self.database.get(&entry_key(log, sequence)))?;
        let entry = value.and_then(|value| decode_entry(&held.key, sequence, &value));
        entry.map(|entry| Some(Arc::new(entry))).ok_or_else(|| self.damage(log, sequence))
    }

    /// Entries from `from` on, until one of the bounds is reached; at least one if there is one.
    pub(super) fn range(
        &self,
        log: LogNumber,
        from: u64,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<Arc<VerifiedEntry>>, StoreError> {
        let logs = self.logs.read();
        let Some(held) = logs.get(&log) else { return Ok(Vec::new()) };
        let entries_max = entries_max.min(RANGE_ENTRIES_MAX) as u64;
        let until = held.length.min(from.saturating_add(entries_max));
        let (mut found, mut bytes) = (Vec::new(), 0);
        let mut scan = self.database.scan(&entry_key(log, from), &entry_key(log, until.max(from)));
        for sequence in from..until {
            let next = self.noted(scan.next().transpose())?;
            let value = next.filter(|(key, _)| place_of(key) == Some((log, sequence))).map(|(_, value)| value);
            let entry = value.and_then(|value| decode_entry(&held.key, sequence, &value));
            let entry = entry.ok_or_else(|| self.damage(log, sequence))?;
            bytes += protocol::entry::BARE_ENTRY_BYTES + entry.body().map_or(0, |body| body.len());
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            found.push(Arc::new(entry));
        }
        Ok(found)
    }

    fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            self.damaged.store(true, Ordering::Relaxed);
        }
        result
    }

    fn damage(&self, log: LogNumber, sequence: u64) -> StoreError {
        self.damaged.store(true, Ordering::Relaxed);
        tracing::error!(log, sequence, "an entry is damaged on disk");
        StoreError::Damaged { log, sequence }
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    pub(super) fn entries_written(&self) -> u64 {
        self.entries_written.load(Ordering::Relaxed)
    }

    /// Entries held, over all logs.
    pub(super) fn entries(&self) -> u64 {
        self.logs.read().values().map(|held| held.length).sum()
    }
}

impl EntrySource for Shelf {
    fn entry(&self, log: LogNumber, sequence: u64) -> Option<Arc<VerifiedEntry>> {
        // A read that fails is noted for the health page; to the replica the entry is simply not here.
        Shelf::entry(self, log, sequence).ok().flatten()
    }

    fn displaced(&self, _id: &EntryId) -> Option<Arc<VerifiedEntry>> {
        None
    }
}

/// One batch while it is put together.
struct Draft<'a> {
    shelf: &'a Shelf,
    pending: Pending,
    bytes: usize,
    entries: u64,
    /// Logs as they will be; `None` for one that will be empty.
    changed: BTreeMap<LogNumber, Option<Held>>,
    truncates: bool,
    progress: Progress,
}

impl<'a> Draft<'a> {
    fn new(shelf: &'a Shelf, mut progress: Progress) -> Self {
        progress.commits += 1;
        let (pending, changed) = (Pending::new(), BTreeMap::new());
        Self { shelf, pending, bytes: 0, entries: 0, changed, truncates: false, progress }
    }

    fn add(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Block(block) => {
                let version = block.block().version;
                self.progress.blocks = self.progress.blocks.max(version);
                self.put_checked(&block_key(version), &block.encode())
            }
            Change::Proof(proof) => {
                let key = proof_key(&proof.key());
                if self.shelf.database.get(&key)?.is_none() && !self.pending.contains_key(key.as_slice()) {
                    self.progress.proofs += 1;
                }
                self.put_checked(&key, &proof.encode())
            }
            Change::Append { log, entry } => {
                let held = Held { key: entry.header().key, length: entry.header().sequence + 1, last: entry.id() };
                self.changed.insert(*log, Some(held));
                self.put_entry(*log, entry)
            }
            Change::Body { log, entry } => self.put_entry(*log, entry),
            Change::Displace { log, from } => self.truncate(*log, *from),
            Change::Erase { log, entry } => self.put_entry(*log, entry),
            Change::Rival(block) => self.put_checked(&rival_key(), &block.encode()),
        }
    }

    fn put_entry(&mut self, log: LogNumber, entry: &VerifiedEntry) -> Result<(), StoreError> {
        self.entries += 1;
        self.put(&entry_key(log, entry.header().sequence), &encode_entry(entry))
    }

    fn put_checked(&mut self, key: &[u8], content: &[u8]) -> Result<(), StoreError> {
        self.put(key, &checked(key, content))
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.bytes += key.len() + value.len();
        put(&mut self.pending, key, value)
    }

    fn truncate(&mut self, log: LogNumber, from: u64) -> Result<(), StoreError> {
        let bounds = (entry_key(log, from), entry_key(log, u64::MAX));
        for key in self.shelf.database.keys(&bounds.0, &bounds.1)? {
            self.pending.insert(key.to_vec(), None);
        }
        for (_, value) in self.pending.range_mut(bounds.0.to_vec()..bounds.1.to_vec()) {
            *value = None;
        }
        let kept = match (self.held(log), from.checked_sub(1)) {
            (Some(held), Some(last)) => Some(Held { length: from, last: self.id_of(log, &held.key, last)?, ..held }),
            _ => None,
        };
        self.changed.insert(log, kept);
        self.truncates = true;
        Ok(())
    }

    /// A log as it will be.
    fn held(&self, log: LogNumber) -> Option<Held> {
        self.changed.get(&log).copied().unwrap_or_else(|| self.shelf.logs.read().get(&log).copied())
    }

    /// The id of an entry, written already or about to be.
    fn id_of(&self, log: LogNumber, signer: &PublicKey, sequence: u64) -> Result<EntryId, StoreError> {
        let key = entry_key(log, sequence);
        let value = match self.pending.get(key.as_slice()) {
            Some(_) => joined(&self.pending, &key),
            None => self.shelf.database.get(&key)?,
        };
        let entry = value.and_then(|value| decode_entry(signer, sequence, &value));
        entry.map(|entry| entry.id()).ok_or_else(|| self.shelf.damage(log, sequence))
    }

    /// Adds heads and progress; the batch is then complete.
    fn close(&mut self) -> Result<Pending, StoreError> {
        for (log, held) in self.changed.clone() {
            let key = head_key(log);
            match held {
                Some(held) => self.put_checked(&key, &StoredHead { length: held.length, id: held.last }.encode())?,
                None => drop(self.pending.insert(key.to_vec(), None)),
            }
        }
        self.put_checked(&progress_key(), &self.progress.encode())?;
        Ok(std::mem::take(&mut self.pending))
    }
}

/// A pending value in one piece.
fn joined(pending: &Pending, key: &[u8]) -> Option<Vec<u8>> {
    let after = [key, &[u8::MAX]].concat();
    let mut value = Vec::new();
    for (index, piece) in pending.range(key.to_vec()..=after).map(|(_, piece)| piece).enumerate() {
        let piece = piece.as_ref()?;
        value.extend_from_slice(if index == 0 { piece.get(1..)? } else { piece });
    }
    Some(value)
}
