//! Heads in compact form: log number, length, and eight bytes of the head's id keyed with both nonces.
//!
//! The key makes it useless to grind ids that share a prefix, and eleven bytes a log keep the exchange of 800 logs
//! under 11 KB (DESIGN 5.2). Layout: `count varint`, then for each log, ascending, `difference to the log before
//! varint, length varint, short id [8]`.

use std::collections::BTreeMap;

use crate::bytes::{LayoutError, Reader, put_varint, read_varint};
use crate::charter::LogNumber;
use crate::frontier::Head;
use crate::identity::EntryId;

/// Eight bytes that stand for an id within one session.
pub type ShortId = [u8; 8];

/// The key of short ids in a session, from the nonces of both sides in ascending order.
#[derive(Debug, Clone, Copy)]
pub struct ShortIdKey([u8; 32]);

impl ShortIdKey {
    /// The same key on both sides.
    pub fn new(one: &[u8; 16], other: &[u8; 16]) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"xianmeng/short-id/1").update(first).update(second);
        Self(*hasher.finalize().as_bytes())
    }

    /// The short form of an id.
    pub fn short(&self, id: &EntryId) -> ShortId {
        let hash = blake3::keyed_hash(&self.0, id.as_bytes());
        let mut short = [0; 8];
        short.copy_from_slice(&hash.as_bytes()[..8]);
        short
    }
}

/// A head as a peer states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactHead {
    /// Entries of the log that count for the peer; at least 1.
    pub length: u64,
    /// Short id of the last of them.
    pub short: ShortId,
}

/// Writes heads in compact form.
pub fn encode(heads: &BTreeMap<LogNumber, Head>, key: &ShortIdKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + heads.len() * 12);
    put_varint(&mut out, heads.len() as u64);
    let mut before = 0;
    for (log, head) in heads {
        put_varint(&mut out, u64::from(log - before));
        put_varint(&mut out, head.length);
        out.extend_from_slice(&key.short(&head.id));
        before = *log;
    }
    out
}

/// Reads heads in compact form. `logs` is how many logs the reader's charter knows; heads above are left out, because
/// the peer's charter may have grown since it said hello.
pub fn decode(bytes: &[u8], logs: usize) -> Result<BTreeMap<LogNumber, CompactHead>, LayoutError> {
    let mut reader = Reader::new(bytes);
    let count = read_varint(&mut reader, "heads")?;
    let mut heads = BTreeMap::new();
    let mut log = 0u64;
    for index in 0..count {
        let difference = read_varint(&mut reader, "log")?;
        if index > 0 && difference == 0 {
            return Err(LayoutError::Rule { field: "log", rule: "must be strictly ascending" });
        }
        log = log.saturating_add(difference);
        let length = read_varint(&mut reader, "length")?;
        if length == 0 {
            return Err(LayoutError::Rule { field: "length", rule: "must not be 0; leave the log out instead" });
        }
        let short = reader.array("short id")?;
        if log < logs as u64 {
            heads.insert(log as LogNumber, CompactHead { length, short });
        }
    }
    reader.finish()?;
    Ok(heads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_hundred_heads_fit_eleven_kilobytes_and_read_back() {
        let key = ShortIdKey::new(&[1; 16], &[2; 16]);
        let heads: BTreeMap<LogNumber, Head> =
            (0..800).map(|log| (log, Head { length: 125 + u64::from(log), id: EntryId([log as u8; 32]) })).collect();
        let bytes = encode(&heads, &key);
        assert!(bytes.len() < 11_000, "{}", bytes.len());
        let read = decode(&bytes, 800).expect("it is well formed");
        assert_eq!(read.len(), 800);
        assert!(
            read.iter().all(|(log, head)| head.length == heads[log].length && head.short == key.short(&heads[log].id))
        );
        assert_eq!(decode(&bytes, 799).map(|heads| heads.len()), Ok(799), "a log that is not known here is left out");
        assert!(decode(&bytes[..bytes.len() - 1], 800).is_err());
    }

    #[test]
    fn both_sides_have_the_same_key_and_another_session_has_another() {
        let id = EntryId([9; 32]);
        let one = ShortIdKey::new(&[1; 16], &[2; 16]).short(&id);
        assert_eq!(one, ShortIdKey::new(&[2; 16], &[1; 16]).short(&id));
        assert_ne!(one, ShortIdKey::new(&[1; 16], &[3; 16]).short(&id));
    }
}
