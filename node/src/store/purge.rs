//! Purging: no file of the store holds a body any more once it was erased (DESIGN 3.10).
//!
//! A body leaves its entry with the commit that learns of the erasure, but sled never overwrites an old page. So every
//! live value is copied into a new database, which then takes the place of the old one: complete and on disk before any
//! name changes, so that a crash at any point leaves one that opens. Of an unfinished purge only leftovers remain, which
//! the next start clears away; who asked for it asks again.
//!
//! The promise ends at the files: blocks that a file system has freed, and backups, are beyond a program's reach.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use protocol::identity::EntryId;

use super::database::{Database, sync_directory};
use super::error::StoreError;
use super::journal::Journal;
use super::salvage::{STORE, put_aside, remove_directory, take_place};
use super::shelf::Shelf;

const NEW: &str = "store.new";
const OLD: &str = "store.erased";

/// What a purge did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PurgeReport {
    /// Values that were copied into the new database.
    pub values: u64,
    /// Bodies that were taken out of the journal.
    pub journal_bodies: u64,
    /// Journal segments that were written anew.
    pub segments: u64,
    /// Databases that had been put aside and are gone now.
    pub removed: Vec<PathBuf>,
}

/// Ends a purge that a crash interrupted.
pub(super) fn finish_interrupted(directory: &Path) -> Result<(), StoreError> {
    take_place(directory, NEW)?;
    remove_directory(&directory.join(OLD))
}

pub(super) fn purge(
    directory: &Path,
    shelf: &Shelf,
    journal: &mut Journal,
    erased: &BTreeSet<EntryId>,
    cache_bytes: u64,
) -> Result<PurgeReport, StoreError> {
    let (journal_bodies, segments) = journal.purge(erased)?;
    let values = copy(directory, shelf, cache_bytes)?;
    shelf.exchange(|| {
        swap(directory)?;
        Database::open(&directory.join(STORE), cache_bytes)
    })?;
    finish_interrupted(directory)?;
    let removed = put_aside(directory)?;
    for path in &removed {
        tracing::warn!(path = %path.display(), "a database that was put aside is deleted: it may hold erased bodies");
        remove_directory(path)?;
    }
    Ok(PurgeReport { values, journal_bodies, segments, removed })
}

/// Writes the new database, and closes it.
fn copy(directory: &Path, shelf: &Shelf, cache_bytes: u64) -> Result<u64, StoreError> {
    let path = directory.join(NEW);
    remove_directory(&path)?;
    let fresh = Database::open(&path, cache_bytes)?;
    let database = shelf.database()?;
    database.copy_to(&fresh)
}

/// Gives the old database another name and the new one its place. Both are closed.
fn swap(directory: &Path) -> Result<(), StoreError> {
    let (store, old) = (directory.join(STORE), directory.join(OLD));
    remove_directory(&old)?;
    fs::rename(&store, &old).map_err(|source| StoreError::file("rename", &store, source))?;
    sync_directory(directory)?;
    take_place(directory, NEW)
}
