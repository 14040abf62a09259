//! What the charter says of the two holders.

use super::oprf::{HolderPublic, Possession};
use crate::bytes::{LayoutError, Reader};
use crate::identity::{FederationId, MemberNumber};
use crate::limits::LEAD_EVALUATIONS_PER_DAY_MAX;

/// Which of the two holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum HolderSlot {
    /// The first.
    One = 1,
    /// The second.
    Two = 2,
}

impl HolderSlot {
    /// Both, in order.
    pub const BOTH: [Self; 2] = [Self::One, Self::Two];

    /// Its number, 1 or 2.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its place in a list of both.
    pub fn index(self) -> usize {
        self as usize - 1
    }

    /// The slot of that number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::BOTH.into_iter().find(|slot| slot.number() == number)
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let number = reader.u8("holder slot")?;
        Self::from_number(number).ok_or(LayoutError::Rule { field: "holder slot", rule: "must be 1 or 2" })
    }
}

/// A charter operation: names a holder, or says anew how much it evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderGrant {
    /// Which of the two.
    pub slot: HolderSlot,
    /// The member.
    pub member: MemberNumber,
    /// Its key for this.
    pub key: HolderPublic,
    /// That it has the key.
    pub possession: Possession,
    /// Evaluations for each member on one day in China.
    pub evaluations_per_day: u32,
}

impl HolderGrant {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.slot.number());
        out.extend_from_slice(&self.member.0.to_le_bytes());
        out.extend_from_slice(self.key.as_bytes());
        out.extend_from_slice(&self.possession.encode());
        out.extend_from_slice(&self.evaluations_per_day.to_le_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let grant = Self {
            slot: HolderSlot::read(reader)?,
            member: MemberNumber(reader.u32("member")?),
            key: HolderPublic(reader.array("holder key")?),
            possession: Possession::read(reader)?,
            evaluations_per_day: reader.u32("evaluations per day")?,
        };
        if grant.evaluations_per_day > LEAD_EVALUATIONS_PER_DAY_MAX {
            let (found, bound) = (u64::from(grant.evaluations_per_day), u64::from(LEAD_EVALUATIONS_PER_DAY_MAX));
            return Err(LayoutError::Bound { field: "evaluations per day", found, bound });
        }
        Ok(grant)
    }

    /// Whether the member has the key.
    pub fn is_proven(&self, federation: &FederationId) -> bool {
        self.possession.holds(federation, self.member, &self.key)
    }
}

/// A holder as the charter names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeadHolder {
    /// The member.
    pub member: MemberNumber,
    /// Its key for this.
    pub key: HolderPublic,
    /// Evaluations for each member on one day in China.
    pub evaluations_per_day: u32,
    /// Version of the block that named this member with this key.
    pub named: u32,
}

/// Both holders, and since when they are these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeadEpoch {
    /// Version of the block that named the last of them.
    pub epoch: u32,
    /// The holders, in the order of their slots.
    pub holders: [LeadHolder; 2],
}

impl LeadEpoch {
    /// The holder of a slot.
    pub fn holder(&self, slot: HolderSlot) -> &LeadHolder {
        &self.holders[slot.index()]
    }

    /// The slot that a member holds.
    pub fn slot_of(&self, member: MemberNumber) -> Option<HolderSlot> {
        HolderSlot::BOTH.into_iter().find(|slot| self.holder(*slot).member == member)
    }
}
