//! The store: everything that this node keeps of its federation, in sled, and what it signed, in a journal beside it.
//! No other module names sled.
//!
//! ```text
//! <directory>/lock          one process at a time
//! <directory>/store/        sled: blocks, entries, heads and proofs in one tree
//! <directory>/journal/      000000.journal and so on: one's own entries as they were signed
//! <directory>/progress      how far the database had come
//! <directory>/store.damaged-1/  a database that was found damaged; deleted when bodies are erased
//! <directory>/store.new/    a database without erased bodies, before it takes the place of the other
//! <directory>/store.erased/ the other, before it is deleted
//! ```
//!
//! Three promises, each tested:
//!
//! 1. What [`Store::commit`] returned from survives a power cut. Own entries go to the journal first, then one batch
//!    changes the database, and each is forced to disk. A failed write stops the store, for memory may be ahead of it.
//! 2. A read gives the bytes that were written or an error that names the entry, never anything else.
//! 3. [`Store::open`] verifies everything. A damaged database is put aside and rebuilt from what is sound in it and from
//!    the journal; the report names the damage and what peers must send again.
//! 4. After [`Store::purge`] no file of the store holds a body that was erased.

mod audit;
mod database;
mod dictionary;
mod error;
mod examine;
mod journal;
mod layout;
pub mod limits;
mod open;
mod own;
mod progress;
mod purge;
mod replay;
mod report;
mod salvage;
mod shelf;
pub mod tampering;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::charter::{LogNumber, SignedBlock};
use protocol::entry::VerifiedEntry;
use protocol::identity::{BlockHash, EntryId, FederationId, PublicKey};
use protocol::replica::{Change, EntrySource, Replica};

pub use audit::{AuditReport, Fault, Finding, Subject, audit_directory, inspect};
pub use error::StoreError;
pub use open::lock as lock_directory;
pub use own::JournalledEntry;
pub use purge::PurgeReport;
pub use report::{Damage, DamagedEntry, Flaw, JournalState, Missing, OpenReport, Statistics};

use journal::{JOURNAL, Journal};
use shelf::Shelf;

/// What an operator can set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Charter blocks that the operator decided for, by version. A database of another branch is put aside.
    pub pins: BTreeMap<u32, BlockHash>,
    /// Memory that the database may use to cache pages, in bytes.
    pub cache_bytes: u64,
    /// A journal segment is closed before it would pass this many bytes.
    pub journal_segment_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let pins = BTreeMap::new();
        Self { pins, cache_bytes: limits::CACHE_BYTES, journal_segment_bytes: limits::JOURNAL_SEGMENT_BYTES }
    }
}

/// An open store, the replica that it held, and what opening found.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Charter, logs and proofs as they were held, without what did not verify.
    pub replica: Replica,
    /// What was found and done.
    pub report: OpenReport,
}

/// The store of one node. Many may read while one writes.
///
/// Calls in order: [`Store::open`]; then [`Store::append_journal`] if the report says that the journal is behind and
/// peers agreed; then [`Store::commit`] after every change of the replica, and reads at any time.
#[derive(Debug)]
pub struct Store {
    shelf: Shelf,
    writer: Mutex<Writer>,
    directory: PathBuf,
    federation: FederationId,
    cache_bytes: u64,
    // Last, so that the directory is free only after everything in it is closed.
    _lock: File,
}

#[derive(Debug)]
struct Writer {
    journal: Journal,
    /// Why the store takes no more writes.
    stopped: Option<String>,
    commits: u64,
}

impl Store {
    /// Opens or creates the store in `directory` for the federation that `genesis` founds.
    ///
    /// `own` is this node's signing key, with which the report compares the journal. Damage is no error: it is put
    /// aside, repaired as far as can be, and reported.
    pub fn open(
        directory: &Path,
        genesis: SignedBlock,
        own: Option<PublicKey>,
        settings: &Settings,
    ) -> Result<Opened, StoreError> {
        open::open(directory, genesis, own, settings)
    }

    /// Makes changes durable: first `own` entries in the journal, then all `changes` in the database.
    ///
    /// When it returns, everything survives a power cut; only then may anything be gossiped, served or acknowledged.
    /// After an error the store takes no more writes.
    pub fn commit(&self, own: &[Arc<VerifiedEntry>], changes: &[Change]) -> Result<(), StoreError> {
        self.write(|journal, shelf| {
            let blocks: Vec<&SignedBlock> = changes.iter().filter_map(block_of).collect();
            journal.append(&blocks, own)?;
            if changes.is_empty() { Ok(()) } else { shelf.write(changes) }
        })
    }

    /// Catches the journal up with own entries that peers or the database gave back, in order.
    pub fn append_journal(&self, entries: &[Arc<VerifiedEntry>]) -> Result<(), StoreError> {
        own::note_recovered(&self.directory.join(JOURNAL), entries)?;
        self.write(|journal, _| journal.append(&[], entries))
    }

    /// Rids the disk of bodies that were erased: the database is copied into a new one, journal segments that hold such
    /// a body are written anew, and databases that were put aside go. `erased` names the entries.
    ///
    /// Commits wait meanwhile: only the thread that commits should call it. A failure leaves what was there, and stops the store only if the databases
    /// could not be exchanged.
    pub fn purge(&self, erased: &BTreeSet<EntryId>) -> Result<PurgeReport, StoreError> {
        let mut writer = self.writer.lock();
        if let Some(cause) = &writer.stopped {
            return Err(StoreError::Stopped { cause: cause.clone() });
        }
        let result = purge::purge(&self.directory, &self.shelf, &mut writer.journal, erased, self.cache_bytes);
        if let Err(error) = &result
            && self.shelf.database().is_err()
        {
            writer.stopped = Some(error.chain());
        }
        result
    }

    /// Entries of one of the member's own signing keys in the journal, from `from` on. Reads the whole journal.
    pub fn journalled(&self, key: &PublicKey, from: u64) -> Result<Vec<JournalledEntry>, StoreError> {
        own::entries_of(&self.directory.join(JOURNAL), &self.federation, key, from)
    }

    fn write(&self, work: impl FnOnce(&mut Journal, &Shelf) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut writer = self.writer.lock();
        if let Some(cause) = &writer.stopped {
            return Err(StoreError::Stopped { cause: cause.clone() });
        }
        let result = work(&mut writer.journal, &self.shelf);
        match &result {
            Ok(()) => writer.commits += 1,
            Err(error) => {
                tracing::error!(error = error.chain(), "a write failed; the store takes no more");
                writer.stopped = Some(error.chain());
            }
        }
        result
    }

    /// The entry at `sequence` of `log`; `None` where the log does not reach.
    pub fn entry(&self, log: LogNumber, sequence: u64) -> Result<Option<Arc<VerifiedEntry>>, StoreError> {
        self.shelf.entry(log, sequence)
    }

    /// Entries of `log` from `from` on, in order, until one of the bounds is reached.
    ///
    /// Bytes are counted in canonical form. At least one entry is returned if there is one.
    pub fn range(
        &self,
        log: LogNumber,
        from: u64,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<Arc<VerifiedEntry>>, StoreError> {
        self.shelf.range(log, from, entries_max, bytes_max)
    }

    /// Entries of a signing key in the journal: the sequence that it may sign next as far as this disk knows.
    pub fn journal_length(&self, key: &PublicKey) -> u64 {
        self.writer.lock().journal.content().length(key)
    }

    /// Verifies everything that is held again, from its bytes; nothing is repaired. Takes its time.
    pub fn audit(&self, genesis: &SignedBlock) -> Result<AuditReport, StoreError> {
        audit::audit(&*self.shelf.database()?, &self.directory.join(JOURNAL), genesis)
    }

    /// Why the store takes no more writes, if it does not.
    pub fn stopped(&self) -> Option<String> {
        self.writer.lock().stopped.clone()
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Figures for health and metrics. Looks at the sizes of the files.
    pub fn statistics(&self) -> Statistics {
        let writer = self.writer.lock();
        let (journal_fsyncs, commits, stopped) = (writer.journal.fsyncs(), writer.commits, writer.stopped.is_some());
        drop(writer);
        let (store_bytes, store_fsyncs) = self.shelf.figures();
        Statistics {
            store_bytes,
            journal_bytes: database::bytes_under(&self.directory.join(JOURNAL)),
            entries: self.shelf.entries(),
            entries_written: self.shelf.entries_written(),
            commits,
            fsyncs: store_fsyncs + journal_fsyncs,
            damaged: stopped || self.shelf.is_damaged(),
        }
    }
}

impl EntrySource for Store {
    fn entry(&self, log: LogNumber, sequence: u64) -> Option<Arc<VerifiedEntry>> {
        EntrySource::entry(&self.shelf, log, sequence)
    }

    fn displaced(&self, id: &EntryId) -> Option<Arc<VerifiedEntry>> {
        self.shelf.displaced(id)
    }
}

fn block_of(change: &Change) -> Option<&SignedBlock> {
    match change {
        Change::Block(block) => Some(block),
        _ => None,
    }
}
