//! The own-log journal: what this node signed, in plain append-only files outside the database (DESIGN 3.7).
//!
//! A segment is laid out as a bundle without an end. Entries of one's own stand in it in the order in which they were
//! signed, and each charter block before the first entry that may name it, so that the journal alone can rebuild
//! one's own log. An append is forced to disk before it returns. A body that was erased is taken out of its frame: the
//! segment is written anew beside itself and then takes its own place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::bundle::{Frame, FrameType, Frames, PREAMBLE_BYTES, preamble, put_frame, read_preamble};
use protocol::charter::SignedBlock;
use protocol::entry::{BARE_ENTRY_BYTES, Entry, VerifiedEntry};
use protocol::erasure::KIND_ERASURE;
use protocol::identity::{EntryId, FederationId, PublicKey};

use super::database::sync_directory;
use super::error::StoreError;

/// The directory of the journal in a data directory.
pub(super) const JOURNAL: &str = "journal";
const SUFFIX: &str = "journal";
/// Ends the name of a segment that is being written anew, beside the one that it replaces.
const REWRITING: &str = "rewriting";

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

    /// Takes bodies out of the segments that hold them. How many they were, in how many segments.
    pub(super) fn purge(&mut self, erased: &BTreeSet<EntryId>) -> Result<(u64, u64), StoreError> {
        let (mut bodies, mut rewritten) = (0, 0);
        for (_, path) in segments(&self.directory)? {
            let bytes = fs::read(&path).map_err(|source| StoreError::file("read", &path, source))?;
            let found = count_bodies(&bytes, erased);
            if found == 0 {
                continue;
            }
            let bytes = without_bodies(&path, &bytes, erased)?;
            let beside = path.with_extension(REWRITING);
            let failed = |source| StoreError::file("write anew", &path, source);
            let written =
                File::create(&beside).and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()));
            written.and_then(|()| fs::rename(&beside, &path)).map_err(failed)?;
            sync_directory(&self.directory)?;
            self.fsyncs += 2;
            if let Some(current) = self.current.as_mut().filter(|current| current.path == path) {
                current.file = OpenOptions::new().append(true).open(&path).map_err(failed)?;
                current.bytes = bytes.len() as u64;
            }
            (bodies, rewritten) = (bodies + found, rewritten + 1);
        }
        Ok((bodies, rewritten))
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

/// How many of these bodies the segments hold.
pub(super) fn bodies_held(directory: &Path, erased: &BTreeSet<EntryId>) -> Result<u64, StoreError> {
    let mut found = 0;
    if !erased.is_empty() {
        for (_, path) in segments(directory)? {
            let bytes = fs::read(&path).map_err(|source| StoreError::file("read", &path, source))?;
            found += count_bodies(&bytes, erased);
        }
    }
    Ok(found)
}

/// The erased entry in a frame, if it comes with its body.
fn erased_entry(frame: &Frame<'_>, erased: &BTreeSet<EntryId>) -> Option<Entry> {
    let with_body = frame.frame_type == FrameType::Entry && frame.content.len() > BARE_ENTRY_BYTES;
    let entry = with_body.then(|| Entry::decode(frame.content).ok())??;
    (erased.contains(&entry.id()) && entry.header().kind != KIND_ERASURE).then_some(entry)
}

fn count_bodies(segment: &[u8], erased: &BTreeSet<EntryId>) -> u64 {
    let Ok((_, mut frames)) = Frames::open(segment) else { return 0 };
    let mut found = 0;
    while let Ok(Some(frame)) = frames.next_frame() {
        found += u64::from(erased_entry(&frame, erased).is_some());
    }
    found
}

/// A segment as it is without these bodies. One that cannot be read to its end is left for the operator to see to.
fn without_bodies(path: &Path, segment: &[u8], erased: &BTreeSet<EntryId>) -> Result<Vec<u8>, StoreError> {
    let (mut frame, mut offset) = (0, 0);
    let mut out = segment.get(..PREAMBLE_BYTES).unwrap_or_default().to_vec();
    let read = Frames::open(segment).and_then(|(_, mut frames)| {
        while let Some(found) = frames.next_frame()? {
            let content = erased_entry(&found, erased)
                .map_or_else(|| found.content.to_vec(), |_| found.content[..BARE_ENTRY_BYTES].to_vec());
            put_frame(&mut out, found.frame_type, &content);
            (frame, offset) = (frame + 1, frames.offset());
        }
        Ok(())
    });
    let damaged = |error: protocol::bundle::BundleError| StoreError::JournalDamaged {
        segment: path.to_owned(),
        frame,
        offset: offset as u64,
        what: error.to_string(),
    };
    read.map(|()| out).map_err(damaged)
}

/// Clears away a segment that was being written anew when a crash came: the one that it was to replace is whole.
pub(super) fn finish_interrupted(directory: &Path) -> Result<(), StoreError> {
    let listed = fs::read_dir(directory).map_err(|source| StoreError::file("list", directory, source))?;
    for path in listed.flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|extension| extension == REWRITING) {
            fs::remove_file(&path).map_err(|source| StoreError::file("remove", &path, source))?;
        }
    }
    sync_directory(directory)
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
