//! Erasure (清除): bodies that must go, and who has let go of them (DESIGN 3.10, requirement Q42).
//!
//! An erasure names entries by key, place and id, so that a node finds them without an index. It is an entry of the
//! member that owns them (system kind 4: `nonce [16], layout u8 = 1, reason (u16 length, UTF-8), targets`) or an
//! operation of the charter. It takes effect wherever it counts; then those bodies are absent from every view, deleted
//! and never served. Their headers stay, so every chain still verifies. An erasure cannot be erased.
//!
//! `creates` says whether the entry was a create: without its body nobody could tell, and the labels of all later
//! records of the member would shift.
//!
//! A node that has rid its disk of the bodies says so in its own log (system kind 5: `nonce [16], layout u8 = 1, count
//! u16, ids [32]` in strictly ascending order; an id is that of the erasing entry, or the hash of the charter block).

use std::collections::BTreeSet;

use crate::bytes::{LayoutError, Reader, put_count, put_text};
use crate::identity::{ContentHash, EntryId, PublicKey};
use crate::limits::{ACKNOWLEDGED_MAX, BODY_NONCE_BYTES, ERASURE_TARGETS_MAX, REASON_BYTES_MAX};

/// The kind of erasure entries.
pub const KIND_ERASURE: u16 = 4;
/// The kind of acknowledgement entries.
pub const KIND_ACKNOWLEDGEMENT: u16 = 5;
const LAYOUT: u8 = 1;

/// An entry whose body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The signing key of its log.
    pub key: PublicKey,
    /// Its place in the log.
    pub sequence: u64,
    /// Its id.
    pub id: EntryId,
    /// Whether it created a record.
    pub creates: bool,
}

/// Writes targets behind their count.
pub(crate) fn put_targets(out: &mut Vec<u8>, targets: &[Target]) {
    put_count(out, targets.len());
    for target in targets {
        out.extend_from_slice(target.key.as_bytes());
        out.extend_from_slice(&target.sequence.to_le_bytes());
        out.extend_from_slice(target.id.as_bytes());
        out.push(u8::from(target.creates));
    }
}

/// Reads targets, which stand in strictly ascending order of key and place.
pub(crate) fn read_targets(reader: &mut Reader<'_>) -> Result<Vec<Target>, LayoutError> {
    let mut targets: Vec<Target> = Vec::new();
    for _ in 0..reader.count(ERASURE_TARGETS_MAX, "erased entries")? {
        let target = Target {
            key: PublicKey(reader.array("erased key")?),
            sequence: reader.u64("erased sequence")?,
            id: EntryId(reader.array("erased id")?),
            creates: reader.boolean("erased create")?,
        };
        if targets.last().is_some_and(|last| (last.key, last.sequence) >= (target.key, target.sequence)) {
            return Err(LayoutError::Rule { field: "erased entries", rule: "must be in strictly ascending order" });
        }
        targets.push(target);
    }
    if targets.is_empty() {
        return Err(LayoutError::Rule { field: "erased entries", rule: "must name at least one" });
    }
    Ok(targets)
}

/// The body of an erasure entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Why, for readers.
    pub reason: String,
    /// What goes, in strictly ascending order of key and place.
    pub targets: Vec<Target>,
}

impl Erasure {
    /// The body, unless it breaks a bound.
    pub fn encode(&self, nonce: [u8; BODY_NONCE_BYTES]) -> Result<Vec<u8>, LayoutError> {
        let mut out = nonce.to_vec();
        out.push(LAYOUT);
        put_text(&mut out, &self.reason);
        put_targets(&mut out, &self.targets);
        Self::decode(&out)?;
        Ok(out)
    }

    /// Reads the body of an erasure entry.
    pub fn decode(body: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = open(body, "erasure layout")?;
        let reason = reader.text_or_empty(REASON_BYTES_MAX, "reason")?.to_owned();
        let targets = read_targets(&mut reader)?;
        reader.finish()?;
        Ok(Self { reason, targets })
    }
}

/// The body of an acknowledgement: erasures that a node has carried out on its disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Ids of erasing entries and hashes of erasing charter blocks.
    pub erasures: BTreeSet<ContentHash>,
}

impl Acknowledgement {
    /// The body; as many erasures as fit.
    pub fn encode(&self, nonce: [u8; BODY_NONCE_BYTES]) -> Vec<u8> {
        let mut out = nonce.to_vec();
        out.push(LAYOUT);
        let fitting = self.erasures.iter().take(ACKNOWLEDGED_MAX);
        put_count(&mut out, fitting.len());
        fitting.for_each(|id| out.extend_from_slice(id.as_bytes()));
        out
    }

    /// Reads the body of an acknowledgement entry.
    pub fn decode(body: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = open(body, "acknowledgement layout")?;
        let mut erasures = BTreeSet::new();
        for _ in 0..reader.count(ACKNOWLEDGED_MAX, "acknowledged erasures")? {
            let id = ContentHash(reader.array("acknowledged erasure")?);
            if erasures.last().is_some_and(|last| *last >= id) {
                let rule = "must be in strictly ascending order";
                return Err(LayoutError::Rule { field: "acknowledged erasures", rule });
            }
            erasures.insert(id);
        }
        reader.finish()?;
        Ok(Self { erasures })
    }
}

/// Skips nonce and layout.
fn open<'a>(body: &'a [u8], layout: &'static str) -> Result<Reader<'a>, LayoutError> {
    let mut reader = Reader::new(body);
    reader.array::<BODY_NONCE_BYTES>("nonce")?;
    if reader.u8(layout)? != LAYOUT {
        return Err(LayoutError::Rule { field: layout, rule: "must be 1" });
    }
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(sequence: u64) -> Target {
        Target { key: PublicKey([1; 32]), sequence, id: EntryId([2; 32]), creates: sequence == 0 }
    }

    #[test]
    fn erasures_survive_a_round_trip_and_keep_their_order() {
        let erasure = Erasure { reason: "含个人信息".into(), targets: vec![target(0), target(3)] };
        let body = erasure.encode([7; 16]).expect("it keeps every bound");
        assert_eq!(Erasure::decode(&body), Ok(erasure));
        for length in 0..body.len() {
            assert!(Erasure::decode(&body[..length]).is_err(), "cut at {length}");
        }
        assert!(Erasure { reason: String::new(), targets: vec![target(3), target(0)] }.encode([0; 16]).is_err());
        assert!(Erasure { reason: String::new(), targets: Vec::new() }.encode([0; 16]).is_err());
    }

    #[test]
    fn acknowledgements_survive_a_round_trip() {
        let acknowledgement = Acknowledgement { erasures: [ContentHash([3; 32]), ContentHash([4; 32])].into() };
        let body = acknowledgement.encode([0; 16]);
        assert_eq!(Acknowledgement::decode(&body), Ok(acknowledgement));
        assert!(Acknowledgement::decode(&body[..body.len() - 1]).is_err());
    }
}
