//! Keys and values of the database. Everything lies in one tree, so that one batch changes all of it at once.
//!
//! | key | value |
//! |---|---|
//! | `b` version | charter block |
//! | `e` log sequence | entry |
//! | `h` log | head: length and last id |
//! | `p` signing key | fork proof |
//! | `r` | second block of a version |
//! | `m` | progress: commits, blocks and proofs |
//!
//! Numbers in keys are big-endian, so that keys sort as numbers do. An entry leaves out its key and sequence, which
//! its place implies, and the hash of a body that is there. It keeps the predecessor's id, so that one read is enough
//! to rebuild the header. Its check covers id and signature, and the id covers everything else; a second one covers the
//! body, to tell what was changed. The other values are
//! behind a check over key and content.

use std::sync::Arc;

use protocol::bytes::{LayoutError, Reader};
use protocol::charter::LogNumber;
use protocol::entry::{Entry, Header, VerifiedEntry};
use protocol::identity::{ContentHash, EntryId, PublicKey, Signature};

use super::dictionary::{self, Form};

/// Bytes of a check.
const CHECK_BYTES: usize = 8;

/// Set apart from the check of an entry: it tells a changed body from a changed header.
const BODY_CHECK: &[u8] = b"body";

/// First byte of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Space {
    Block = b'b',
    Entry = b'e',
    Head = b'h',
    Progress = b'm',
    Proof = b'p',
    Rival = b'r',
}

impl Space {
    /// The smallest key of the space, and the one after its largest.
    pub(super) fn bounds(self) -> ([u8; 1], [u8; 1]) {
        ([self as u8], [self as u8 + 1])
    }
}

/// Length of a key that is not a further piece of a value.
pub(super) fn key_length(first: u8) -> usize {
    match first {
        b'b' | b'h' => 5,
        b'e' => 13,
        b'p' => 33,
        _ => 1,
    }
}

pub(super) fn block_key(version: u32) -> [u8; 5] {
    number_key(Space::Block, version)
}

pub(super) fn head_key(log: LogNumber) -> [u8; 5] {
    number_key(Space::Head, log)
}

fn number_key(space: Space, number: u32) -> [u8; 5] {
    let mut key = [space as u8; 5];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

pub(super) fn entry_key(log: LogNumber, sequence: u64) -> [u8; 13] {
    let mut key = [Space::Entry as u8; 13];
    key[1..5].copy_from_slice(&log.to_be_bytes());
    key[5..].copy_from_slice(&sequence.to_be_bytes());
    key
}

pub(super) fn proof_key(key: &PublicKey) -> [u8; 33] {
    let mut out = [Space::Proof as u8; 33];
    out[1..].copy_from_slice(key.as_bytes());
    out
}

pub(super) fn rival_key() -> [u8; 1] {
    [Space::Rival as u8]
}

pub(super) fn progress_key() -> [u8; 1] {
    [Space::Progress as u8]
}

/// The number in a block's or head's key.
pub(super) fn number_of(key: &[u8]) -> Option<u32> {
    key.get(1..)?.try_into().ok().map(u32::from_be_bytes)
}

/// Log and sequence in an entry's key.
pub(super) fn place_of(key: &[u8]) -> Option<(LogNumber, u64)> {
    let log = key.get(1..5)?.try_into().ok().map(u32::from_be_bytes)?;
    let sequence = key.get(5..)?.try_into().ok().map(u64::from_be_bytes)?;
    Some((log, sequence))
}

/// Puts a check before `content`.
pub(super) fn checked(key: &[u8], content: &[u8]) -> Vec<u8> {
    [check(key, content).as_slice(), content].concat()
}

/// The content behind a check that fits.
pub(super) fn open_checked<'a>(key: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let (found, content) = value.split_first_chunk::<CHECK_BYTES>()?;
    (*found == check(key, content)).then_some(content)
}

fn check(first: &[u8], second: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(first);
    hasher.update(second);
    let mut out = [0; CHECK_BYTES];
    hasher.finalize_xof().fill(&mut out);
    out
}

/// What is known of the end of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredHead {
    pub(super) length: u64,
    pub(super) id: EntryId,
}

impl StoredHead {
    pub(super) fn encode(&self) -> Vec<u8> {
        [self.length.to_le_bytes().as_slice(), self.id.as_bytes()].concat()
    }

    pub(super) fn decode(content: &[u8]) -> Option<Self> {
        let (length, id) = content.split_first_chunk::<8>()?;
        Some(Self { length: u64::from_le_bytes(*length), id: EntryId(id.try_into().ok()?) })
    }
}

/// How far the database has come. It is written with every batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) commits: u64,
    pub(super) blocks: u32,
    pub(super) proofs: u32,
}

impl Progress {
    pub(super) fn encode(&self) -> Vec<u8> {
        let counts = [self.blocks.to_le_bytes(), self.proofs.to_le_bytes()].concat();
        [self.commits.to_le_bytes().as_slice(), &counts].concat()
    }

    pub(super) fn decode(content: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(content);
        let progress = Self {
            commits: reader.u64("commits").ok()?,
            blocks: reader.u32("blocks").ok()?,
            proofs: reader.u32("proofs").ok()?,
        };
        reader.finish().is_ok().then_some(progress)
    }
}

/// The stored form of an entry.
pub(super) fn encode_entry(entry: &VerifiedEntry) -> Vec<u8> {
    let header = entry.header();
    let packed = entry.body().map(|body| dictionary::pack(body));
    let form = packed.as_ref().map_or(Form::Absent, |(form, _)| *form);
    let tail = packed.as_ref().map_or(header.body_hash.as_bytes().as_slice(), |(_, bytes)| bytes);
    let mut out = Vec::with_capacity(128 + tail.len());
    out.push(form as u8);
    out.extend_from_slice(&check(entry.id().as_bytes(), entry.signature().as_bytes()));
    if packed.is_some() {
        out.extend_from_slice(&check(BODY_CHECK, header.body_hash.as_bytes()));
    }
    if header.sequence > 0 {
        out.extend_from_slice(header.previous.as_bytes());
    }
    out.extend_from_slice(entry.signature().as_bytes());
    out.extend_from_slice(&header.charter.to_le_bytes());
    out.extend_from_slice(&header.time_ms.to_le_bytes());
    out.extend_from_slice(&header.kind.to_le_bytes());
    out.extend_from_slice(&header.body_len.to_le_bytes());
    out.extend_from_slice(tail);
    out
}

/// Rebuilds an entry from its stored form; `None` when it is not what was written.
pub(super) fn decode_entry(key: &PublicKey, sequence: u64, value: &[u8]) -> Option<VerifiedEntry> {
    let stored = read_entry(key, sequence, value).ok()?;
    let entry = stored.entry.filter(|_| stored.body_fits)?;
    let expected = check(entry.id().as_bytes(), entry.signature().as_bytes());
    (stored.check == expected).then(|| VerifiedEntry::trust_stored(entry))
}

/// A stored entry as its bytes say, believed in nothing.
pub(super) struct StoredEntry {
    /// The entry, unless its header or body keeps no rule.
    pub(super) entry: Option<Entry>,
    check: [u8; CHECK_BYTES],
    /// Whether the body is absent, or the one that was written.
    pub(super) body_fits: bool,
}

/// Reads a stored entry. What cannot be read at all is an error.
pub(super) fn read_entry(key: &PublicKey, sequence: u64, value: &[u8]) -> Result<StoredEntry, LayoutError> {
    let mut reader = Reader::new(value);
    let form = Form::from_u8(reader.u8("form")?);
    let form = form.ok_or(LayoutError::Rule { field: "form", rule: "must be a defined form" })?;
    let found = reader.array("check")?;
    let body_check = if form == Form::Absent { None } else { Some(reader.array::<CHECK_BYTES>("body check")?) };
    let previous = if sequence > 0 { EntryId(reader.array("previous")?) } else { EntryId::ZERO };
    let signature = Signature(reader.array("signature")?);
    let mut header = Header {
        key: *key,
        sequence,
        previous,
        charter: reader.u32("charter")?,
        time_ms: reader.u64("time_ms")?,
        kind: reader.u16("kind")?,
        body_len: reader.u32("body_len")?,
        body_hash: ContentHash::ZERO,
    };
    let mut stored = StoredEntry { entry: None, check: found, body_fits: true };
    // Bounds `body_len` before anything is decompressed.
    if header.check().is_err() {
        return Ok(stored);
    }
    let Some(body_check) = body_check else {
        header.body_hash = ContentHash(reader.array("body_hash")?);
        reader.finish()?;
        stored.entry = Entry::new(header, signature, None).ok();
        return Ok(stored);
    };
    let packed = reader.bytes(reader.remaining(), "body")?;
    let body = dictionary::unpack(form, packed, header.body_len as usize);
    header.body_hash = body.as_ref().map_or(ContentHash::ZERO, |body| ContentHash::of(body));
    stored.body_fits = body_check == check(BODY_CHECK, header.body_hash.as_bytes());
    stored.entry = body.and_then(|body| Entry::new(header, signature, Some(Arc::from(body))).ok());
    Ok(stored)
}
