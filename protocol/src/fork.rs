//! Fork proofs: two entries of one key at one place in its log (DESIGN 3.6).
//!
//! Two verified headers with the same key, sequence and predecessor, and different ids, cannot both be honest.
//! Anyone can check the pair without holding the log. The lowest sequence of each key counts, and only the pair
//! `(key, sequence)` enters the hash of the proof set, so two nodes that saw different pairs of one fork agree.

use thiserror::Error;

use crate::entry::{BARE_ENTRY_BYTES, Entry, EntryError, HEADER_BYTES, Header, VerifiedEntry};
use crate::identity::{EntryId, FederationId, PublicKey};

/// Bytes of a proof: two headers with their signatures.
pub const FORK_PROOF_BYTES: usize = 2 * BARE_ENTRY_BYTES;

/// Why two headers do not prove a fork.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForkError {
    /// The bytes are not two headers with signatures.
    #[error("a fork proof has {FORK_PROOF_BYTES} bytes, these are {found}")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// One of the two is no valid entry.
    #[error("one of the two headers: {0}")]
    Entry(#[from] EntryError),
    /// Key, sequence or predecessor differ: the two do not contradict each other.
    #[error("the two headers are not of one key, sequence and predecessor")]
    Unrelated,
    /// The ids are equal or not in ascending order.
    #[error("the two headers must have different ids, the lower one first")]
    Order,
}

/// Two verified entries, without bodies, that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkProof {
    /// The entry with the lower id, then the other; boxed, because proofs travel beside much smaller things.
    entries: Box<[VerifiedEntry; 2]>,
}

impl ForkProof {
    /// Makes a proof of two entries, whichever comes first.
    pub fn new(one: &VerifiedEntry, other: &VerifiedEntry) -> Result<Self, ForkError> {
        let (first, second) = (one.header(), other.header());
        let place = |header: &Header| (header.key, header.sequence, header.previous);
        if place(first) != place(second) {
            return Err(ForkError::Unrelated);
        }
        let (lower, higher) = if one.id() < other.id() { (one, other) } else { (other, one) };
        if lower.id() == higher.id() {
            return Err(ForkError::Order);
        }
        Ok(Self { entries: Box::new([lower.without_body(), higher.without_body()]) })
    }

    /// The canonical bytes: the entry with the lower id, then the other, both without bodies.
    pub fn encode(&self) -> Vec<u8> {
        self.entries.each_ref().map(|entry| entry.encode()).concat()
    }

    /// Reads the canonical bytes and verifies both signatures.
    pub fn decode(bytes: &[u8], federation: &FederationId) -> Result<Self, ForkError> {
        if bytes.len() != FORK_PROOF_BYTES {
            return Err(ForkError::Length { found: bytes.len() });
        }
        let (lower, higher) = bytes.split_at(BARE_ENTRY_BYTES);
        let lower = Entry::decode(lower)?.verify(federation)?;
        let higher = Entry::decode(higher)?.verify(federation)?;
        if lower.id() >= higher.id() {
            return Err(ForkError::Order);
        }
        Self::new(&lower, &higher)
    }

    /// Key and sequence that bytes claim to prove a fork of, without any check; `None` if they are too short.
    pub fn place(bytes: &[u8]) -> Option<(PublicKey, u64)> {
        let header = bytes.first_chunk::<HEADER_BYTES>()?;
        let header = Header::decode(header).ok()?;
        Some((header.key, header.sequence))
    }

    /// The key that signed both.
    pub fn key(&self) -> PublicKey {
        self.entries[0].header().key
    }

    /// The place in its log.
    pub fn sequence(&self) -> u64 {
        self.entries[0].header().sequence
    }

    /// The ids of the two entries.
    pub fn ids(&self) -> [EntryId; 2] {
        self.entries.each_ref().map(|entry| entry.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Organisation;

    #[test]
    fn only_a_real_contradiction_is_a_proof() {
        let (charter, author) = Organisation::found("秘书处", 1);
        let time = charter.tip_block().time_ms;
        let one = author.entry(&charter, None, time, 102, vec![1; 20]);
        let other = author.entry(&charter, None, time, 102, vec![2; 20]);
        let later = author.entry(&charter, Some(&one), time, 102, vec![2; 20]);
        let proof = ForkProof::new(&one, &other).expect("they contradict each other");
        assert_eq!(proof, ForkProof::new(&other, &one).expect("in either order"));
        assert_eq!(ForkProof::decode(&proof.encode(), &charter.federation()), Ok(proof.clone()));
        assert_eq!(ForkProof::new(&one, &one), Err(ForkError::Order));
        assert_eq!(ForkProof::new(&one, &later), Err(ForkError::Unrelated));
        let mut swapped = proof.encode();
        swapped.rotate_left(BARE_ENTRY_BYTES);
        assert_eq!(ForkProof::decode(&swapped, &charter.federation()), Err(ForkError::Order));
        let mut damaged = proof.encode();
        damaged[130] ^= 1;
        assert!(ForkProof::decode(&damaged, &charter.federation()).is_err());
    }
}
