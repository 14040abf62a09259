//! Where a right ends: positions in logs, and the seals that name them (DESIGN 4.3).

use crate::bytes::{LayoutError, Reader, put_count};
use crate::identity::{EntryId, PublicKey};
use crate::limits::KEYS_PER_MEMBER_MAX;

/// A place in a log: the entry up to which a sealed log counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Sequence of the last accepted entry.
    pub sequence: u64,
    /// Its id, which names the branch.
    pub id: EntryId,
}

/// The end of a key's right. For a signing key it names the last accepted entry, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// The sealed key.
    pub key: PublicKey,
    /// The last accepted entry of its log; `None` accepts nothing. Always `None` for keys without a log.
    pub last: Option<Position>,
}

impl Seal {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.key.as_bytes());
        let last = self.last.unwrap_or(Position { sequence: 0, id: EntryId::ZERO });
        out.push(u8::from(self.last.is_some()));
        out.extend_from_slice(&last.sequence.to_le_bytes());
        out.extend_from_slice(last.id.as_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let key = PublicKey(reader.array("sealed key")?);
        let accepts = reader.boolean("seal accepts")?;
        let last = Position { sequence: reader.u64("seal sequence")?, id: EntryId(reader.array("seal id")?) };
        if !accepts && (last.sequence != 0 || last.id != EntryId::ZERO) {
            return Err(LayoutError::Rule { field: "seal", rule: "must be zero when it accepts nothing" });
        }
        Ok(Self { key, last: accepts.then_some(last) })
    }
}

/// Writes seals behind their count.
pub(super) fn put_seals(out: &mut Vec<u8>, seals: &[Seal]) {
    put_count(out, seals.len());
    seals.iter().for_each(|seal| seal.encode(out));
}

/// Reads seals, which stand in strictly ascending order of key.
pub(super) fn read_seals(reader: &mut Reader<'_>) -> Result<Vec<Seal>, LayoutError> {
    let count = reader.count(KEYS_PER_MEMBER_MAX, "seals")?;
    let seals: Vec<Seal> = (0..count).map(|_| Seal::read(reader)).collect::<Result<_, _>>()?;
    if !seals.is_sorted_by(|first, second| first.key < second.key) {
        return Err(LayoutError::Rule { field: "seals", rule: "must be in strictly ascending order of key" });
    }
    Ok(seals)
}
