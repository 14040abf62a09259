//! The database as entries, blocks, proofs and heads: what it holds, how changes are written, how entries are read.
//!
//! Readers see what is on disk: a log ends for them where the last commit that was forced to disk left it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{MappedRwLockReadGuard, Mutex, RwLock, RwLockReadGuard};
use protocol::charter::LogNumber;
use protocol::entry::VerifiedEntry;
use protocol::identity::{EntryId, PublicKey};
use protocol::limits::DISPLACED_PER_LOG_MAX;
use protocol::replica::{Change, EntrySource};

use super::database::{Database, Pending, put};
use super::error::StoreError;
use super::layout::{
    Progress, StoredHead, attic_key, block_key, checked, decode_displaced, decode_entry, encode_displaced,
    encode_entry, entry_key, head_key, place_of, progress_key, proof_key, rival_key,
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

/// Displaced entries, with their logs. Few: only a seal that names another branch displaces any.
pub(super) type Attic = BTreeMap<EntryId, LogNumber>;

/// What the one writer needs.
#[derive(Debug)]
struct Pen {
    progress: Progress,
    witness: Witness,
}

/// The database and what is known of it.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Absent only while another one takes its place, and after that failed.
    database: RwLock<Option<Database>>,
    logs: RwLock<Logs>,
    attic: RwLock<Attic>,
    pen: Mutex<Pen>,
    entries_written: AtomicU64,
    damaged: AtomicBool,
    /// Of databases that this one replaced.
    earlier_fsyncs: AtomicU64,
}

impl Shelf {
    pub(super) fn new(database: Database, logs: Logs, attic: Attic, progress: Progress, witness: Witness) -> Self {
        Self {
            database: RwLock::new(Some(database)),
            logs: RwLock::new(logs),
            attic: RwLock::new(attic),
            pen: Mutex::new(Pen { progress, witness }),
            entries_written: AtomicU64::new(0),
            damaged: AtomicBool::new(false),
            earlier_fsyncs: AtomicU64::new(0),
        }
    }

    /// The database. Nobody asks for it again while it holds this.
    pub(super) fn database(&self) -> Result<MappedRwLockReadGuard<'_, Database>, StoreError> {
        let closed = |_| StoreError::Stopped { cause: "the database could not be exchanged".into() };
        RwLockReadGuard::try_map(self.database.read(), Option::as_ref).map_err(closed)
    }

    /// Closes the database, and opens the one that `swap` puts in its place. Readers wait meanwhile.
    pub(super) fn exchange(&self, swap: impl FnOnce() -> Result<Database, StoreError>) -> Result<(), StoreError> {
        let mut slot = self.database.write();
        if let Some(closing) = slot.take() {
            self.earlier_fsyncs.fetch_add(closing.fsyncs(), Ordering::Relaxed);
        }
        *slot = Some(swap()?);
        Ok(())
    }

    /// Bytes on disk, and times that they were forced there.
    pub(super) fn figures(&self) -> (u64, u64) {
        let earlier = self.earlier_fsyncs.load(Ordering::Relaxed);
        self.database().map_or((0, earlier), |database| (database.bytes(), earlier + database.fsyncs()))
    }

    /// Carries out changes, in order, and forces them to disk.
    ///
    /// Changes that fit one batch happen at once or not at all; longer ones in several, each a state that held.
    pub(super) fn write(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut pen = self.pen.lock();
        let mut draft = Draft::new(self, pen.progress);
        for change in changes {
            draft.add(change)?;
            // Displacing and the entry that takes the place belong together.
            if draft.bytes > BATCH_BYTES && !matches!(change, Change::Displace { .. }) {
                self.finish(&mut pen, draft)?;
                draft = Draft::new(self, pen.progress);
            }
        }
        self.finish(&mut pen, draft)
    }

    fn finish(&self, pen: &mut Pen, mut draft: Draft<'_>) -> Result<(), StoreError> {
        let pending = draft.close()?;
        // Entries that are displaced must not look damaged to a reader meanwhile.
        let mut logs = draft.displaces.then(|| self.logs.write());
        self.database()?.write(pending)?;
        let logs = logs.get_or_insert_with(|| self.logs.write());
        for (log, held) in draft.changed {
            match held {
                Some(held) => logs.insert(log, held),
                None => logs.remove(&log),
            };
        }
        let mut attic = self.attic.write();
        for (id, log) in draft.attic {
            match log {
                Some(log) => attic.insert(id, log),
                None => attic.remove(&id),
            };
        }
        drop(attic);
        pen.progress = draft.progress;
        self.entries_written.fetch_add(draft.entries, Ordering::Relaxed);
        pen.witness.record(pen.progress.commits)
    }

    /// An entry; `None` where the log does not reach.
    pub(super) fn entry(&self, log: LogNumber, sequence: u64) -> Result<Option<Arc<VerifiedEntry>>, StoreError> {
        let logs = self.logs.read();
        let Some(held) = logs.get(&log).filter(|held| sequence < held.length) else { return Ok(None) };
        let value = self.noted(self.database().and_then(|database| database.get(&entry_key(log, sequence))))?;
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
        let database = self.database()?;
        let mut scan = database.scan(&entry_key(log, from), &entry_key(log, until.max(from)));
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

    fn displaced(&self, id: &EntryId) -> Option<Arc<VerifiedEntry>> {
        if !self.attic.read().contains_key(id) {
            return None;
        }
        let key = attic_key(id);
        let value = self.noted(self.database().and_then(|database| database.get(&key))).ok().flatten();
        let entry = value.and_then(|value| decode_displaced(&key, &value));
        if entry.is_none() {
            self.damaged.store(true, Ordering::Relaxed);
            tracing::error!(id = id.short(), "a displaced entry is damaged on disk");
        }
        entry.map(Arc::new)
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
    /// Changes of the attic; `None` for an entry that leaves it.
    attic: BTreeMap<EntryId, Option<LogNumber>>,
    displaces: bool,
    progress: Progress,
}

impl<'a> Draft<'a> {
    fn new(shelf: &'a Shelf, mut progress: Progress) -> Self {
        progress.commits += 1;
        let (pending, changed, attic) = (Pending::new(), BTreeMap::new(), BTreeMap::new());
        Self { shelf, pending, bytes: 0, entries: 0, changed, attic, displaces: false, progress }
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
                if self.shelf.database()?.get(&key)?.is_none() && !self.pending.contains_key(key.as_slice()) {
                    self.progress.proofs += 1;
                }
                self.put_checked(&key, &proof.encode())
            }
            Change::Append { log, entry } => {
                let held = Held { key: entry.header().key, length: entry.header().sequence + 1, last: entry.id() };
                self.changed.insert(*log, Some(held));
                if self.is_displaced(&entry.id()) {
                    self.attic.insert(entry.id(), None);
                    self.remove(&attic_key(&entry.id()))?;
                }
                self.put_entry(*log, entry)
            }
            Change::Body { log, entry } => self.put_entry(*log, entry),
            Change::Displace { log, from } => self.displace(*log, *from),
            Change::Erase { log, entry } => self.erase(*log, entry),
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

    /// Takes a value away with all of its pieces.
    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        let last = [key, &[u8::MAX]].concat();
        let stored = self.shelf.database()?.keys(key, &last)?;
        self.pending.extend(stored.into_iter().map(|key| (key.to_vec(), None)));
        self.pending.range_mut(key.to_vec()..last).for_each(|(_, value)| *value = None);
        Ok(())
    }

    /// Moves the entries of a log from `from` on into the attic.
    fn displace(&mut self, log: LogNumber, from: u64) -> Result<(), StoreError> {
        let Some(held) = self.held(log) else { return Ok(()) };
        // The bound keeps the first: whoever has the key can sign as many branches as it likes.
        let mut kept = self.shelf.attic.read().values().filter(|of| **of == log).count();
        for sequence in from..held.length {
            // What is damaged already is not worth keeping; peers of the other branch may have it.
            let Some(entry) = self.stored(log, &held.key, sequence)?.filter(|_| kept < DISPLACED_PER_LOG_MAX) else {
                continue;
            };
            kept += 1;
            self.attic.insert(entry.id(), Some(log));
            self.put(&attic_key(&entry.id()), &encode_displaced(&entry))?;
        }
        let bounds = (entry_key(log, from), entry_key(log, u64::MAX));
        let stored = self.shelf.database()?.keys(&bounds.0, &bounds.1)?;
        self.pending.extend(stored.into_iter().map(|key| (key.to_vec(), None)));
        self.pending.range_mut(bounds.0.to_vec()..bounds.1.to_vec()).for_each(|(_, value)| *value = None);
        let rest = match from.checked_sub(1) {
            Some(last) => Some(Held { length: from, last: self.id_of(log, &held.key, last)?, ..held }),
            None => None,
        };
        self.changed.insert(log, rest);
        self.displaces = true;
        Ok(())
    }

    /// Puts the form without a body in the place of an entry, in its log and in the attic.
    fn erase(&mut self, log: LogNumber, entry: &VerifiedEntry) -> Result<(), StoreError> {
        let (id, sequence) = (entry.id(), entry.header().sequence);
        let displaced = self.is_displaced(&id);
        if displaced {
            self.remove(&attic_key(&id))?;
            self.put(&attic_key(&id), &encode_displaced(entry))?;
        }
        let reaches = self.held(log).is_some_and(|held| sequence < held.length);
        let stored = if reaches { self.stored(log, &entry.header().key, sequence)? } else { None };
        // One that cannot be read may be this one, unless this one is known to be elsewhere.
        if reaches && stored.map_or(!displaced, |stored| stored.id() == id) {
            self.remove(&entry_key(log, sequence))?;
            self.put_entry(log, entry)?;
        }
        Ok(())
    }

    /// Whether an entry is in the attic, or about to be.
    fn is_displaced(&self, id: &EntryId) -> bool {
        self.attic.get(id).map_or_else(|| self.shelf.attic.read().contains_key(id), Option::is_some)
    }

    /// A log as it will be.
    fn held(&self, log: LogNumber) -> Option<Held> {
        self.changed.get(&log).copied().unwrap_or_else(|| self.shelf.logs.read().get(&log).copied())
    }

    /// An entry, written already or about to be; `None` if it is damaged.
    fn stored(&self, log: LogNumber, signer: &PublicKey, sequence: u64) -> Result<Option<VerifiedEntry>, StoreError> {
        let key = entry_key(log, sequence);
        let value = match self.pending.get(key.as_slice()) {
            Some(_) => joined(&self.pending, &key),
            None => self.shelf.database()?.get(&key)?,
        };
        Ok(value.and_then(|value| decode_entry(signer, sequence, &value)))
    }

    fn id_of(&self, log: LogNumber, signer: &PublicKey, sequence: u64) -> Result<EntryId, StoreError> {
        let entry = self.stored(log, signer, sequence)?;
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
