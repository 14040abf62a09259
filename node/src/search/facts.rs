//! What every record is, in one figure: a column of such figures is read once for all facets.

use protocol::identity::MemberNumber;

/// Stands for no place or industry.
pub(super) const NONE: u16 = 0;
/// Stands for several, which a column of their own lists. No table is that long.
pub(super) const SEVERAL: u16 = 0xfff;

/// Bits of the figure, from the lowest: two flags, class, kind, place, industry, owner. Owners come last, since the
/// column is as wide as its largest figure.
pub(super) const OPEN: u64 = 1;
pub(super) const SEALED: u64 = 2;
const CLASS: u32 = 2;
const KIND: u32 = 5;
const PLACE: u32 = 21;
const INDUSTRY: u32 = 33;
const OWNER: u32 = 45;
/// The greatest owner that there is room for; greater ones are not counted.
const OWNER_MAX: u64 = (1 << (u64::BITS - OWNER)) - 1;

/// What every record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// It counts and is not over.
    pub(super) is_open: bool,
    /// It has sealed fields.
    pub(super) is_sealed: bool,
    /// The class of its owner; less than eight.
    pub(super) class: u8,
    /// The number of its kind.
    pub(super) kind: u16,
    /// Its division, [`NONE`] or [`SEVERAL`].
    pub(super) place: u16,
    /// Its industry, [`NONE`] or [`SEVERAL`].
    pub(super) industry: u16,
    /// Its owner; nought when there is no room.
    pub(super) owner: MemberNumber,
}

impl Facts {
    pub(super) fn pack(self) -> u64 {
        let owner = Some(u64::from(self.owner.0)).filter(|owner| *owner <= OWNER_MAX).unwrap_or(0);
        let flags = if self.is_open { OPEN } else { 0 } | if self.is_sealed { SEALED } else { 0 };
        flags
            | u64::from(self.class & 7) << CLASS
            | u64::from(self.kind) << KIND
            | u64::from(self.place & SEVERAL) << PLACE
            | u64::from(self.industry & SEVERAL) << INDUSTRY
            | owner << OWNER
    }
}

/// The parts of a figure, as places in arrays.
pub(super) fn class(facts: u64) -> usize {
    (facts >> CLASS & 7) as usize
}

pub(super) fn kind(facts: u64) -> u16 {
    (facts >> KIND & 0xffff) as u16
}

pub(super) fn place(facts: u64) -> u16 {
    (facts >> PLACE) as u16 & SEVERAL
}

pub(super) fn industry(facts: u64) -> u16 {
    (facts >> INDUSTRY) as u16 & SEVERAL
}

pub(super) fn owner(facts: u64) -> u32 {
    (facts >> OWNER) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_comes_back() {
        let facts = Facts {
            is_open: true,
            is_sealed: true,
            class: 5,
            kind: u16::MAX,
            place: 3_214,
            industry: SEVERAL,
            owner: MemberNumber(2_843),
        };
        let packed = facts.pack();
        assert_eq!(packed & 3, OPEN | SEALED);
        assert_eq!((class(packed), kind(packed), place(packed)), (5, u16::MAX, 3_214));
        assert_eq!((industry(packed), owner(packed)), (SEVERAL, 2_843));
        let far = Facts { owner: MemberNumber(u32::MAX), is_open: false, place: NONE, ..facts }.pack();
        assert_eq!((owner(far), far & OPEN, place(far)), (0, 0, NONE));
    }
}
