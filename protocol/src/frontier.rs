//! The frontier (前沿): the name of one exact state (DESIGN 2 and 5.3).
//!
//! It covers effective logs only: contiguous verified headers below any fork and seal. Equal charter tip, entries
//! and proofs give equal digests, whatever the order in which they arrived.

use std::collections::BTreeMap;

use crate::charter::{LogNumber, Position};
use crate::identity::{BlockHash, EntryId, FederationId, FrontierDigest, PublicKey};

/// How far one log counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Entries that count.
    pub length: u64,
    /// Id of the last of them.
    pub id: EntryId,
}

impl Head {
    /// The place of the last entry that counts.
    pub fn position(&self) -> Position {
        Position { sequence: self.length - 1, id: self.id }
    }
}

/// The head of every effective log, the charter tip, and the hash of the proof set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    /// The federation.
    pub federation: FederationId,
    /// Version of the charter's tip.
    pub charter_version: u32,
    /// Hash of the charter's tip.
    pub charter_tip: BlockHash,
    /// Heads by log number; a log without an entry that counts is left out.
    pub heads: BTreeMap<LogNumber, Head>,
    /// Hash of the set of fork proofs.
    pub proofs: [u8; 32],
}

impl Frontier {
    /// BLAKE3 over the whole frontier.
    pub fn digest(&self) -> FrontierDigest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"xianmeng/frontier/1");
        hasher.update(self.federation.as_bytes());
        hasher.update(&self.charter_version.to_le_bytes());
        hasher.update(self.charter_tip.as_bytes());
        hasher.update(&(self.heads.len() as u32).to_le_bytes());
        for (log, head) in &self.heads {
            hasher.update(&log.to_le_bytes());
            hasher.update(&head.length.to_le_bytes());
            hasher.update(head.id.as_bytes());
        }
        hasher.update(&self.proofs);
        FrontierDigest(*hasher.finalize().as_bytes())
    }

    /// Entries that count, over all logs.
    pub fn entries(&self) -> u64 {
        self.heads.values().map(|head| head.length).sum()
    }
}

/// BLAKE3 over the proof set: the lowest forked sequence of each key, and the lowest version of the charter of which two
/// valid blocks are known (zero for none).
pub fn proofs_hash(proofs: impl ExactSizeIterator<Item = (PublicKey, u64)>, rival: Option<u32>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"xianmeng/proofs/1");
    hasher.update(&rival.unwrap_or(0).to_le_bytes());
    hasher.update(&(proofs.len() as u32).to_le_bytes());
    for (key, sequence) in proofs {
        hasher.update(key.as_bytes());
        hasher.update(&sequence.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}
