//! Entries on their way between peers, without what the chain implies (DESIGN 3.3).
//!
//! A chunk is zstd over *sections*. A section is a run of one log: `log varint, from varint, count varint,
//! previous [32]`, then each entry as `flags u8 (1 = body present), signature [64], charter varint, time_ms varint,
//! kind varint, body length varint`, and the body or its hash. Key, sequence and predecessor follow from the section,
//! so the receiver rebuilds the one canonical form and verifies that.

use std::collections::BTreeSet;
use std::sync::Arc;

use thiserror::Error;

use crate::bytes::{LayoutError, Reader, put_varint, read_varint};
use crate::charter::LogNumber;
use crate::entry::{Entry, EntryError, Header, VerifiedEntry};
use crate::identity::{ContentHash, EntryId, PublicKey, Signature};
use crate::limits::{BODY_BYTES_MAX, BODY_NONCE_BYTES, CHUNK_BYTES, CHUNK_BYTES_MAX, ENTRIES_PER_REQUEST_MAX};

/// Speed matters more than the last percent: the signatures do not compress anyway.
const COMPRESSION_LEVEL: i32 = 1;
const FLAG_BODY: u8 = 1;

/// Why a chunk cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChunkError {
    /// It claims to be larger than a chunk can be, or does not decompress to what it claims.
    #[error("the chunk does not decompress to the {claimed} bytes that it claims")]
    Compression {
        /// What it claims.
        claimed: u32,
    },
    /// Its layout is broken.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// An entry in it breaks a rule of entries.
    #[error("entry {sequence} of log {log}: {error}")]
    Entry {
        /// The log.
        log: LogNumber,
        /// Its place.
        sequence: u64,
        /// The rule.
        error: EntryError,
    },
    /// It speaks of a log that the charter does not know.
    #[error("log {log} is not in the charter")]
    UnknownLog {
        /// The log.
        log: LogNumber,
    },
}

/// A compressed chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes before compression.
    pub bytes: u32,
    /// The compressed bytes.
    pub payload: Vec<u8>,
}

/// Collects entries into chunks.
#[derive(Debug, Default)]
pub struct ChunkBuilder {
    finished: Vec<u8>,
    section: Option<Section>,
}

#[derive(Debug)]
struct Section {
    log: LogNumber,
    from: u64,
    count: u64,
    previous: EntryId,
    entries: Vec<u8>,
}

impl Section {
    fn write(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.log));
        put_varint(out, self.from);
        put_varint(out, self.count);
        out.extend_from_slice(self.previous.as_bytes());
        out.extend_from_slice(&self.entries);
    }
}

impl ChunkBuilder {
    /// Adds an entry; entries that follow one another in a log share a section. Returns a chunk when one is full.
    pub fn push(&mut self, log: LogNumber, entry: &VerifiedEntry) -> Option<Chunk> {
        let header = entry.header();
        let continues = |section: &Section| section.log == log && section.from + section.count == header.sequence;
        if !self.section.as_ref().is_some_and(continues) {
            self.close_section();
        }
        let section = self.section.get_or_insert_with(|| Section {
            log,
            from: header.sequence,
            count: 0,
            previous: header.previous,
            entries: Vec::new(),
        });
        section.count += 1;
        let out = &mut section.entries;
        out.push(if entry.body().is_some() { FLAG_BODY } else { 0 });
        out.extend_from_slice(entry.signature().as_bytes());
        put_varint(out, u64::from(header.charter));
        put_varint(out, header.time_ms);
        put_varint(out, u64::from(header.kind));
        put_varint(out, u64::from(header.body_len));
        match entry.body() {
            Some(body) => out.extend_from_slice(body),
            None => out.extend_from_slice(header.body_hash.as_bytes()),
        }
        let bytes = self.finished.len() + section.entries.len();
        if bytes >= CHUNK_BYTES { self.finish() } else { None }
    }

    /// The last, partly filled chunk, if there is one.
    pub fn finish(&mut self) -> Option<Chunk> {
        self.close_section();
        let plain = std::mem::take(&mut self.finished);
        if plain.is_empty() {
            return None;
        }
        let payload = zstd::bulk::compress(&plain, COMPRESSION_LEVEL).expect("memory can always be compressed");
        Some(Chunk { bytes: plain.len() as u32, payload })
    }

    fn close_section(&mut self) {
        if let Some(section) = self.section.take() {
            section.write(&mut self.finished);
        }
    }
}

/// What is left of a chunk whose signatures were looked at.
#[derive(Debug, Default)]
pub struct Sifted {
    /// Entries that verify, in order. What follows a bad entry in its log is left out, for it cannot attach.
    pub good: Vec<Arc<VerifiedEntry>>,
    /// The place of the first entry whose signature does not verify.
    pub bad: Option<(LogNumber, u64)>,
    /// How many signatures do not verify.
    pub bad_count: u64,
}

/// Parts what verifies from what does not: each entry comes with its place and the verdict on its signature.
pub fn sift(verdicts: impl IntoIterator<Item = (LogNumber, u64, Result<Arc<VerifiedEntry>, EntryError>)>) -> Sifted {
    let mut sifted = Sifted::default();
    let mut bad_logs = BTreeSet::new();
    for (log, sequence, verdict) in verdicts {
        match verdict {
            Ok(entry) if !bad_logs.contains(&log) => sifted.good.push(entry),
            Ok(_) => {}
            Err(_) => {
                bad_logs.insert(log);
                sifted.bad_count += 1;
                sifted.bad.get_or_insert((log, sequence));
            }
        }
    }
    sifted
}

/// Reads a chunk and rebuilds the canonical entries. `key_of` names the signing key of a log.
///
/// Signatures are not verified here: the caller does that on every core it has.
pub fn decode(
    chunk: &Chunk,
    key_of: impl Fn(LogNumber) -> Option<PublicKey>,
) -> Result<Vec<(LogNumber, Entry)>, ChunkError> {
    let claimed = chunk.bytes;
    let compression = ChunkError::Compression { claimed };
    if claimed as usize > CHUNK_BYTES_MAX {
        return Err(compression);
    }
    let plain = zstd::bulk::decompress(&chunk.payload, claimed as usize).map_err(|_| compression.clone())?;
    if plain.len() != claimed as usize {
        return Err(compression);
    }
    let mut reader = Reader::new(&plain);
    let mut entries = Vec::new();
    while reader.remaining() > 0 {
        let log = read_varint(&mut reader, "log")?;
        let log = LogNumber::try_from(log).map_err(|_| LayoutError::Rule { field: "log", rule: "must fit 32 bits" })?;
        let key = key_of(log).ok_or(ChunkError::UnknownLog { log })?;
        read_section(&mut reader, log, key, &mut entries)?;
    }
    Ok(entries)
}

fn read_section(
    reader: &mut Reader<'_>,
    log: LogNumber,
    key: PublicKey,
    entries: &mut Vec<(LogNumber, Entry)>,
) -> Result<(), ChunkError> {
    let from = read_varint(reader, "from")?;
    let count = read_varint(reader, "count")?;
    if count > ENTRIES_PER_REQUEST_MAX {
        let bound = ENTRIES_PER_REQUEST_MAX;
        return Err(LayoutError::Bound { field: "count", found: count, bound }.into());
    }
    let mut previous = EntryId(reader.array("previous")?);
    for index in 0..count {
        let sequence = from.saturating_add(index);
        let entry =
            read_entry(reader, key, sequence, previous)?.map_err(|error| ChunkError::Entry { log, sequence, error })?;
        previous = entry.id();
        entries.push((log, entry));
    }
    Ok(())
}

fn read_entry(
    reader: &mut Reader<'_>,
    key: PublicKey,
    sequence: u64,
    previous: EntryId,
) -> Result<Result<Entry, EntryError>, LayoutError> {
    let flags = reader.u8("entry flags")?;
    if flags & !FLAG_BODY != 0 {
        return Err(LayoutError::Rule { field: "entry flags", rule: "must use defined bits only" });
    }
    let signature = Signature(reader.array("signature")?);
    let charter = narrow(read_varint(reader, "charter")?, "charter")?;
    let time_ms = read_varint(reader, "time_ms")?;
    let kind = narrow(read_varint(reader, "kind")?, "kind")?;
    let body_len: u32 = narrow(read_varint(reader, "body length")?, "body length")?;
    if !(BODY_NONCE_BYTES..=BODY_BYTES_MAX).contains(&(body_len as usize)) {
        return Ok(Err(EntryError::BodyLengthBound { found: body_len }));
    }
    let (body, body_hash) = if flags & FLAG_BODY != 0 {
        let body: Arc<[u8]> = Arc::from(reader.bytes(body_len as usize, "body")?);
        let hash = ContentHash::of(&body);
        (Some(body), hash)
    } else {
        (None, ContentHash(reader.array("body hash")?))
    };
    let header = Header { key, sequence, previous, charter, time_ms, kind, body_len, body_hash };
    Ok(Entry::new(header, signature, body))
}

fn narrow<T: TryFrom<u64>>(value: u64, field: &'static str) -> Result<T, LayoutError> {
    T::try_from(value).map_err(|_| LayoutError::Rule { field, rule: "must fit its field in the header" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::Class;
    use crate::identity::public_key;
    use crate::testing::Organisation;

    #[test]
    fn entries_of_several_logs_come_out_as_they_went_in() {
        let (mut charter, one) = Organisation::found("秘书处", 1);
        let other = Organisation::new("奉节县", Class::County, 2);
        one.admit(&mut charter, &other);
        let time = charter.tip_block().time_ms;
        let first = one.entry(&charter, None, time, 101, vec![3; 300]);
        let second = one.entry(&charter, Some(&first), time, 101, vec![4; 300]);
        let foreign = other.entry(&charter, None, time, 102, vec![5; 20]);
        let bare = Arc::new(second.without_body());
        let mut builder = ChunkBuilder::default();
        for (log, entry) in [(0, &first), (0, &bare), (1, &foreign)] {
            assert_eq!(builder.push(log, entry), None);
        }
        let chunk = builder.finish().expect("there are entries");
        let keys = [public_key(&one.signing), public_key(&other.signing)];
        let read = decode(&chunk, |log| keys.get(log as usize).copied()).expect("the chunk is well formed");
        let expected = [(0, &*first), (0, &*bare), (1, &*foreign)];
        assert_eq!(read.len(), 3);
        for ((log, entry), (expected_log, expected)) in read.into_iter().zip(expected) {
            assert_eq!(log, expected_log);
            assert_eq!(entry, **expected);
            assert!(entry.verify(&charter.federation()).is_ok());
        }
        assert!(matches!(decode(&chunk, |_| None), Err(ChunkError::UnknownLog { log: 0 })));
    }

    #[test]
    fn nothing_behind_a_bad_signature_in_its_log_is_kept() {
        let (charter, one) = Organisation::found("秘书处", 1);
        let first = one.entry(&charter, None, charter.tip_block().time_ms, 101, vec![3; 300]);
        let bad = || Err(EntryError::Signature);
        let sifted = sift([
            (0, 4, Ok(Arc::clone(&first))),
            (1, 0, bad()),
            (0, 5, bad()),
            (0, 6, Ok(Arc::clone(&first))),
            (2, 0, Ok(first)),
        ]);
        assert_eq!((sifted.good.len(), sifted.bad, sifted.bad_count), (2, Some((1, 0)), 2));
    }

    #[test]
    fn a_chunk_that_claims_another_size_is_refused_before_memory_is_taken() {
        let payload = zstd::bulk::compress(&vec![0; 1_000_000], 1).expect("memory can be compressed");
        let refused = |bytes| decode(&Chunk { bytes, payload: payload.clone() }, |_| None);
        for claimed in [10, u32::MAX] {
            assert_eq!(refused(claimed), Err(ChunkError::Compression { claimed }));
        }
    }
}
