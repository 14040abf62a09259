//! Taking what is sound out of a damaged database into a new one, and putting the damaged one aside.
//!
//! The new database is complete and on disk before the names change, so a crash at any point leaves one that opens.
//! The damaged one is never deleted.

use std::fs;
use std::path::{Path, PathBuf};

use protocol::charter::LogNumber;
use protocol::identity::EntryId;
use protocol::replica::Replica;

use super::database::{Database, Pending, put, sync_directory};
use super::error::StoreError;
use super::layout::{Progress, StoredHead, block_key, checked, entry_key, head_key, place_of, progress_key, proof_key};
use super::limits::{BATCH_BYTES, KEPT_ASIDE_MAX};

/// The directory of the database in a data directory.
pub(super) const STORE: &str = "store";
const REBUILDING: &str = "store.rebuilding";
/// How the names of sled's snapshots begin.
const SNAPSHOT: &str = "snap.";

/// Ends a rebuilding that a crash interrupted: the new database is complete once the damaged one has its new name.
pub(super) fn finish_interrupted(directory: &Path) -> Result<(), StoreError> {
    let (store, rebuilding) = (directory.join(STORE), directory.join(REBUILDING));
    if !rebuilding.exists() {
        return Ok(());
    }
    if store.exists() {
        return fs::remove_dir_all(&rebuilding).map_err(|source| StoreError::file("remove", &rebuilding, source));
    }
    fs::rename(&rebuilding, &store).map_err(|source| StoreError::file("rename", &rebuilding, source))?;
    sync_directory(directory)
}

/// Writes a new database from what was sound. `damaged` is `None` when it does not open at all.
pub(super) fn rebuild(
    directory: &Path,
    cache_bytes: u64,
    damaged: Option<&Database>,
    sound: &Replica,
    commits: u64,
) -> Result<(), StoreError> {
    let path = directory.join(REBUILDING);
    if path.exists() {
        fs::remove_dir_all(&path).map_err(|source| StoreError::file("remove", &path, source))?;
    }
    let mut copy = Copy { to: Database::open(&path, cache_bytes)?, pending: Pending::new(), bytes: 0 };
    for block in sound.charter().blocks() {
        copy.put_checked(&block_key(block.block().version), &block.encode())?;
    }
    for proof in sound.proofs() {
        copy.put_checked(&proof_key(&proof.key()), &proof.encode())?;
    }
    for grant in sound.charter().logs() {
        let length = sound.length(grant.number);
        if let Some(from) = damaged.filter(|_| length > 0) {
            copy.log(from, sound, grant.number, length)?;
        }
    }
    let (blocks, proofs) = (sound.charter().version(), sound.proofs().len() as u32);
    copy.put_checked(&progress_key(), &Progress { commits, blocks, proofs }.encode())?;
    copy.flush()
}

/// Renames sled's snapshots, so that it does not find them.
pub(super) fn set_snapshots_aside(store: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::file("list", store, source);
    for entry in fs::read_dir(store).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(SNAPSHOT) {
            let aside = store.join(format!("damaged-{name}"));
            fs::rename(&path, aside).map_err(|source| StoreError::file("rename", &path, source))?;
        }
    }
    Ok(())
}

/// Gives the damaged database another name and the rebuilt one its place. Both must be closed.
pub(super) fn swap(directory: &Path) -> Result<PathBuf, StoreError> {
    let store = directory.join(STORE);
    let aside = (1..=KEPT_ASIDE_MAX).map(|number| directory.join(format!("store.damaged-{number}")));
    let full = || StoreError::KeptAside { directory: directory.to_owned() };
    let aside = aside.into_iter().find(|path| !path.exists()).ok_or_else(full)?;
    fs::rename(&store, &aside).map_err(|source| StoreError::file("rename", &store, source))?;
    sync_directory(directory)?;
    finish_interrupted(directory)?;
    Ok(aside)
}

struct Copy {
    to: Database,
    pending: Pending,
    bytes: usize,
}

impl Copy {
    /// Copies a log as far as it can be read again.
    fn log(&mut self, from: &Database, sound: &Replica, log: LogNumber, length: u64) -> Result<(), StoreError> {
        let mut copied = 0;
        for next in from.scan(&entry_key(log, 0), &entry_key(log, length)) {
            let Ok((key, value)) = next else { break };
            if place_of(&key) != Some((log, copied)) {
                break;
            }
            self.put(&key, &value)?;
            copied += 1;
        }
        let last: Option<EntryId> = copied.checked_sub(1).and_then(|sequence| sound.id(log, sequence));
        match last {
            Some(id) => self.put_checked(&head_key(log), &StoredHead { length: copied, id }.encode()),
            None => Ok(()),
        }
    }

    fn put_checked(&mut self, key: &[u8], content: &[u8]) -> Result<(), StoreError> {
        self.put(key, &checked(key, content))
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.bytes += value.len();
        put(&mut self.pending, key, value)?;
        if self.bytes > BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        self.to.write(std::mem::take(&mut self.pending))
    }
}
