//! The own-log journal: what this node signed, in plain append-only files outside the database (DESIGN 3.7).
//!
//! A segment is laid out as a bundle without an end. Entries of one's own stand in it in the order in which they were
//! signed, and each charter block before the first entry that may name it, so that the journal alone can rebuild
//! one's own log. An append is forced to disk before it returns.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::bundle::{FrameType, PREAMBLE_BYTES, preamble, put_frame, read_preamble};
use protocol::charter::SignedBlock;
use protocol::entry::VerifiedEntry;
use protocol::identity::{EntryId, FederationId, PublicKey};

use super::database::sync_directory;
use super::error::StoreError;

/// The directory of the journal in a data directory.
pub(super) const JOURNAL: &str = "journal";
const SUFFIX: &str = "journal";

/// How far the journal of one key reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) length: u64,
    pub(super) last: EntryId,
}

/// What the segments hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub(super) logs: BTreeMap<PublicKey, Reached>,
    /// Version of the last charter block.
    pub(super) blocks: u32,
}

impl Content {
    /// The sequence that comes next in the log of a key.
    pub(super) fn length(&self, key: &PublicKey) -> u64 {
        self.logs.get(key).map_or(0, |reached| reached.length)
    }

    /// Whether an entry comes next in its log.
    pub(super) fn is_next(&self, entry: &protocol::entry::Entry) -> bool {
        let header = entry.header();
        match self.logs.get(&header.key) {
            None => header.sequence == 0,
            Some(reached) => header.sequence == reached.length && header.previous == reached.last,
        }
    }

    pub(super) fn add(&mut self, entry: &protocol::entry::Entry) {
        let reached = Reached { length: entry.header().sequence + 1, last: entry.id() };
        self.logs.insert(entry.header().key, reached);
    }
}

/// The journal while it is written.
#[derive(Debug)]
pub(super) struct Journal {
    directory: PathBuf,
    federation: FederationId,
    segment_bytes_max: u64,
    content: Content,
    current: Option<Segment>,
    next_number: u32,
    fsyncs: u64,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Journal {
    /// Goes on where the segments end, which were read before.
    pub(super) fn resume(
        directory: &Path,
        federation: FederationId,
        segment_bytes_max: u64,
        content: Content,
    ) -> Result<Self, StoreError> {
        let segments = segments(directory)?;
        let next_number = segments.last().map_or(0, |(number, _)| number + 1);
        let current = match segments.last() {
            None => None,
            Some((_, path)) => {
                let file = OpenOptions::new().append(true).open(path);
                let file = file.map_err(|source| StoreError::file("open", path, source))?;
                let bytes = file.metadata().map_err(|source| StoreError::file("read", path, source))?.len();
                Some(Segment { path: path.clone(), file, bytes })
            }
        };
        let directory = directory.to_owned();
        Ok(Self { directory, federation, segment_bytes_max, content, current, next_number, fsyncs: 0 })
    }

    /// Appends charter blocks and entries of one's own and forces them to disk.
    pub(super) fn append(&mut self, blocks: &[&SignedBlock], own: &[Arc<VerifiedEntry>]) -> Result<(), StoreError> {
        let mut content = self.content.clone();
        let mut frames = Vec::new();
        for block in blocks.iter().filter(|block| block.block().version > self.content.blocks) {
            content.blocks = block.block().version;
            put_frame(&mut frames, FrameType::Block, &block.encode());
        }
        for entry in own {
            if !content.is_next(entry) {
                let (key, found) = (entry.header().key, entry.header().sequence);
                return Err(StoreError::JournalOrder { key, expected: content.length(&key), found });
            }
            content.add(entry);
            put_frame(&mut frames, FrameType::Entry, &entry.encode());
        }
        if !frames.is_empty() {
            self.write(&frames)?;
        }
        self.content = content;
        Ok(())
    }

    fn write(&mut self, frames: &[u8]) -> Result<(), StoreError> {
        let full = |segment: &Segment| segment.bytes + frames.len() as u64 > self.segment_bytes_max;
        let segment = match self.current.take() {
            Some(segment) if segment.bytes <= PREAMBLE_BYTES as u64 || !full(&segment) => self.current.insert(segment),
            _ => {
                let segment = self.begin()?;
                self.current.insert(segment)
            }
        };
        let written = segment.file.write_all(frames).and_then(|()| segment.file.sync_data());
        self.fsyncs += 1;
        if let Err(source) = written {
            // Nobody was told of it; half an append at the end would be cut off by the next start anyway.
            if let Err(error) = segment.file.set_len(segment.bytes) {
                tracing::warn!(%error, path = %segment.path.display(), "cannot cut off an unfinished append");
            }
            return Err(StoreError::file("append to", &segment.path, source));
        }
        segment.bytes += frames.len() as u64;
        Ok(())
    }

    fn begin(&mut self) -> Result<Segment, StoreError> {
        let path = self.directory.join(format!("{:06}.{SUFFIX}", self.next_number));
        let failed = |source| StoreError::file("begin", &path, source);
        let bytes = preamble(&self.federation);
        let mut file = OpenOptions::new().append(true).create_new(true).open(&path).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        sync_directory(&self.directory)?;
        self.next_number += 1;
        self.fsyncs += 2;
        Ok(Segment { path, file, bytes: bytes.len() as u64 })
    }

    /// What the journal holds.
    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    /// Times that a file was forced to disk.
    pub(super) fn fsyncs(&self) -> u64 {
        self.fsyncs
    }
}

/// Refuses a journal whose segments all name another federation. One alone may be damaged, which the replay finds.
pub(super) fn check_federation(directory: &Path, expected: FederationId) -> Result<(), StoreError> {
    let mut foreign = None;
    for (_, path) in segments(directory)? {
        let mut bytes = Vec::new();
        let opened = File::open(&path).and_then(|file| file.take(PREAMBLE_BYTES as u64).read_to_end(&mut bytes));
        opened.map_err(|source| StoreError::file("read", &path, source))?;
        match read_preamble(&bytes) {
            Ok(found) if found == expected => return Ok(()),
            Ok(found) => foreign = Some(StoreError::ForeignFederation { path, expected, found }),
            Err(_) => {}
        }
    }
    foreign.map_or(Ok(()), Err)
}

/// The segments of a journal, in order of their numbers.
pub(super) fn segments(directory: &Path) -> Result<Vec<(u32, PathBuf)>, StoreError> {
    let failed = |source| StoreError::file("list", directory, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_segment = path.extension().is_some_and(|extension| extension == SUFFIX);
        let stem = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let Some(number) = stem.filter(|_| is_segment) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}
