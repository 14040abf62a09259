//! sled behind a guard: panics become errors, a flush reaches the disk, and no value is too large for a page.
//!
//! sled 0.34.7 panics on some damage, waits for ever after some errors of the disk, and its flush does not survive a
//! power cut. So every call is guarded, every write is bounded in time, its own timer is off, and its file is forced to
//! disk after each flush, and everything around it once at the start.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use sled::IVec;

use super::error::StoreError;
use super::layout::key_length;
use super::limits::{BATCH_BYTES, CLOSE_MS_MAX, PIECE_BYTES, PIECES_MAX, WRITE_MS_MAX};

/// Values to write, by key; `None` removes.
pub(super) type Pending = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The database.
#[derive(Debug)]
pub(super) struct Database {
    /// Present until it is dropped.
    tree: Option<sled::Db>,
    file: File,
    path: PathBuf,
    fsyncs: AtomicU64,
}

impl Database {
    /// Opens or creates the database in `path` and forces what opening wrote to disk.
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let config = sled::Config::new().path(path).cache_capacity(cache_bytes).flush_every_ms(None);
        let tree = catch_unwind(AssertUnwindSafe(|| config.open()))
            .map_err(|panic| StoreError::broke("open", panic.as_ref()))?
            .map_err(|source| StoreError::database("open", source))?;
        let name = path.join("db");
        let file = File::open(&name).map_err(|source| StoreError::file("open", &name, source))?;
        let database = Self { tree: Some(tree), file, path: path.to_owned(), fsyncs: AtomicU64::new(0) };
        database.bounded("flush", |tree| tree.flush().map(drop))?;
        database.sync()?;
        sync_tree(path)?;
        if let Some(parent) = path.parent() {
            sync_directory(parent)?;
        }
        Ok(database)
    }

    fn tree(&self) -> &sled::Db {
        self.tree.as_ref().expect("it is taken away only when the database is dropped")
    }

    fn guarded<T>(&self, what: &'static str, work: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, StoreError> {
        match catch_unwind(AssertUnwindSafe(|| work(self.tree()))) {
            Ok(result) => result.map_err(|source| StoreError::database(what, source)),
            Err(panic) => Err(StoreError::broke(what, panic.as_ref())),
        }
    }

    /// A whole value.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(first) = self.guarded("read", |tree| tree.get(key))? else { return Ok(None) };
        let (count, content) = split_count(&first);
        let mut value = content.to_vec();
        for index in 0..count {
            let piece = [key, &[index]].concat();
            match self.guarded("read", |tree| tree.get(piece))? {
                Some(bytes) => value.extend_from_slice(&bytes),
                // The value's own check finds that it is incomplete.
                None => break,
            }
        }
        Ok(Some(value))
    }

    /// Whole values with keys from `from` on and before `until`, in ascending order.
    pub(super) fn scan(&self, from: &[u8], until: &[u8]) -> Scan<'_> {
        Scan { database: self, iterator: self.tree().range(from.to_vec()..until.to_vec()), ahead: None }
    }

    /// Every key from `from` on and before `until`, further pieces included.
    pub(super) fn keys(&self, from: &[u8], until: &[u8]) -> Result<Vec<IVec>, StoreError> {
        let range = from.to_vec()..until.to_vec();
        self.guarded("read", |tree| tree.range(range).keys().collect())
    }

    /// Writes everything at once or nothing, and forces it to disk.
    pub(super) fn write(&self, pending: Pending) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in pending {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.bounded("write", move |tree| tree.apply_batch(batch).and_then(|()| tree.flush()).map(drop))?;
        self.sync()
    }

    /// Copies every whole value into an empty database, and reads it back there.
    pub(super) fn copy_to(&self, other: &Self) -> Result<u64, StoreError> {
        let (from, until) = ([0], [u8::MAX]);
        let (mut pending, mut bytes, mut copied) = (Pending::new(), 0, 0);
        for next in self.scan(&from, &until) {
            let (key, value) = next?;
            put(&mut pending, &key, &value)?;
            bytes += key.len() + value.len();
            copied += 1;
            if bytes > BATCH_BYTES {
                other.write(std::mem::take(&mut pending))?;
                bytes = 0;
            }
        }
        other.write(pending)?;
        let mut written = other.scan(&from, &until);
        for next in self.scan(&from, &until) {
            if written.next().transpose()? != Some(next?) {
                let message = "the copy does not read back as it was written".to_owned();
                return Err(StoreError::DatabaseBroke { what: "copy", message });
            }
        }
        Ok(copied)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.fsyncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data().map_err(|source| StoreError::file("force to disk", &self.path, source))
    }

    /// Writes in a thread of its own, because after an error of the disk sled can wait for ever.
    fn bounded(
        &self,
        what: &'static str,
        work: impl FnOnce(&sled::Db) -> sled::Result<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        let tree = self.tree().clone();
        let (sender, receiver) = sync_channel(1);
        let worker = move || {
            let result = catch_unwind(AssertUnwindSafe(|| work(&tree)));
            drop(tree);
            let _ = sender.send(result);
        };
        let spawned = thread::Builder::new().name("store-write".into()).spawn(worker);
        spawned.map_err(|source| StoreError::file("start a thread for", &self.path, source))?;
        match receiver.recv_timeout(Duration::from_millis(WRITE_MS_MAX)) {
            Ok(Ok(result)) => result.map_err(|source| StoreError::database(what, source)),
            Ok(Err(panic)) => Err(StoreError::broke(what, panic.as_ref())),
            Err(_) => Err(StoreError::Unresponsive { what, waited_ms: WRITE_MS_MAX }),
        }
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Times that the file was forced to disk.
    pub(super) fn fsyncs(&self) -> u64 {
        self.fsyncs.load(Ordering::Relaxed)
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        bytes_under(&self.path)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(tree) = self.tree.take() else { return };
        // Closing writes, and after an error of the disk it can wait for ever, as any write can.
        let closer = move || drop(catch_unwind(AssertUnwindSafe(|| drop(tree))));
        if let Err(error) = thread::Builder::new().name("store-close".into()).spawn(closer) {
            tracing::warn!(%error, "cannot close the database in a thread of its own");
        }
        // sled's threads hold its lock a little longer. Whoever renames or opens the directory next must not meet them.
        let end = Instant::now() + Duration::from_millis(CLOSE_MS_MAX);
        while self.file.try_lock().is_err() {
            if Instant::now() > end {
                tracing::warn!(path = %self.path.display(), "the database takes too long to close");
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Iterates over whole values.
pub(super) struct Scan<'a> {
    database: &'a Database,
    iterator: sled::Iter,
    /// A raw value that was read too far.
    ahead: Option<(IVec, IVec)>,
}

impl Scan<'_> {
    fn raw(&mut self) -> Option<Result<(IVec, IVec), StoreError>> {
        if let Some(ahead) = self.ahead.take() {
            return Some(Ok(ahead));
        }
        let iterator = &mut self.iterator;
        self.database.guarded("read", |_| iterator.next().transpose()).transpose()
    }

    fn collect(&mut self, key: &IVec, first: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (count, content) = split_count(first);
        let mut value = content.to_vec();
        for index in 0..count {
            match self.raw().transpose()? {
                Some((found, piece)) if *found == *[key, &[index][..]].concat() => value.extend_from_slice(&piece),
                // The value's own check finds that it is incomplete.
                other => {
                    self.ahead = other;
                    break;
                }
            }
        }
        Ok(value)
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<(IVec, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (key, first) = match self.raw()? {
                Ok(raw) => raw,
                Err(error) => return Some(Err(error)),
            };
            // A further piece whose first one is gone.
            if key.first().is_none_or(|first| key.len() != key_length(*first)) {
                continue;
            }
            return Some(self.collect(&key, &first).map(|value| (key, value)));
        }
    }
}

/// Adds a value to what is to be written, in pieces.
pub(super) fn put(pending: &mut Pending, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let (first, rest) = value.split_at(value.len().min(PIECE_BYTES));
    let count = rest.chunks(PIECE_BYTES).len();
    if count > PIECES_MAX {
        return Err(StoreError::ValueBytes { found: value.len() });
    }
    pending.insert(key.to_vec(), Some([&[count as u8], first].concat()));
    for (index, piece) in rest.chunks(PIECE_BYTES).enumerate() {
        pending.insert([key, &[index as u8]].concat(), Some(piece.to_vec()));
    }
    Ok(())
}

/// How many further pieces a value has, and its first one.
fn split_count(first: &[u8]) -> (u8, &[u8]) {
    first.split_first().map_or((0, &[]), |(count, content)| (*count, content))
}

/// Forces a directory itself to disk: the names in it.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|source| StoreError::file("force to disk", path, source))
}

/// Forces a directory and everything in it to disk.
fn sync_tree(path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::file("force to disk", path, source);
    for found in fs::read_dir(path).map_err(failed)? {
        let found = found.map_err(failed)?.path();
        if found.is_dir() { sync_tree(&found)? } else { sync_directory(&found)? }
    }
    sync_directory(path)
}

/// Bytes of all files under a directory. Files that vanish meanwhile count nothing.
pub(super) fn bytes_under(path: &Path) -> u64 {
    let Ok(found) = fs::read_dir(path) else { return 0 };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_under(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    found.flatten().map(size).sum()
}
