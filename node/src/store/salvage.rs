//! Taking what is sound out of a damaged database into a new one, and putting the damaged one aside.
//!
//! The new database is complete and on disk before the names change, so a crash at any point leaves one that opens.
//! The damaged one is deleted only when bodies were erased meanwhile, which it may hold (see [`purge`](super::purge)).

use std::fs;
use std::path::{Path, PathBuf};

use protocol::charter::LogNumber;
use protocol::identity::EntryId;
use protocol::replica::Replica;

use super::database::{Database, Pending, put, sync_directory};
use super::error::StoreError;
use super::layout::{
    Progress, Space, StoredHead, block_key, checked, decode_displaced, entry_key, head_key, place_of, progress_key,
    proof_key, rival_key,
};
use super::limits::{BATCH_BYTES, KEPT_ASIDE_MAX};

/// The directory of the database in a data directory.
pub(super) const STORE: &str = "store";
const REBUILDING: &str = "store.rebuilding";
/// How the names of damaged databases begin.
const DAMAGED: &str = "store.damaged-";
/// How the names of sled's snapshots begin.
const SNAPSHOT: &str = "snap.";

/// Ends a rebuilding that a crash interrupted.
pub(super) fn finish_interrupted(directory: &Path) -> Result<(), StoreError> {
    take_place(directory, REBUILDING)
}

/// Gives a new database its place: it is complete once the one before it has another name, and of no use until then.
pub(super) fn take_place(directory: &Path, name: &str) -> Result<(), StoreError> {
    let (store, beside) = (directory.join(STORE), directory.join(name));
    if !beside.exists() {
        return Ok(());
    }
    if store.exists() {
        return remove_directory(&beside);
    }
    fs::rename(&beside, &store).map_err(|source| StoreError::file("rename", &beside, source))?;
    sync_directory(directory)
}

/// Removes a directory with everything in it, durably; one that is not there is as good.
pub(super) fn remove_directory(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync_directory),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(StoreError::file("remove", path, source)),
    }
}

/// Databases that were put aside, whose content nobody looks at.
pub(super) fn put_aside(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |source| StoreError::file("list", directory, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(DAMAGED)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
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
    remove_directory(&path)?;
    let mut copy = Copy { to: Database::open(&path, cache_bytes)?, pending: Pending::new(), bytes: 0 };
    for block in sound.charter().blocks() {
        copy.put_checked(&block_key(block.block().version), &block.encode())?;
    }
    if let Some(rival) = sound.charter().rival() {
        copy.put_checked(&rival_key(), &rival.encode())?;
    }
    if let Some(from) = damaged {
        copy.attic(from, sound)?;
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
    let aside = (1..=KEPT_ASIDE_MAX).map(|number| directory.join(format!("{DAMAGED}{number}")));
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

    /// Copies displaced entries that are sound.
    fn attic(&mut self, from: &Database, sound: &Replica) -> Result<(), StoreError> {
        let (first, until) = Space::Attic.bounds();
        for next in from.scan(&first, &until) {
            let Ok((key, value)) = next else { break };
            let entry = decode_displaced(&key, &value);
            if entry.is_some_and(|entry| sound.charter().log_of(&entry.header().key).is_some()) {
                self.put(&key, &value)?;
            }
        }
        Ok(())
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
