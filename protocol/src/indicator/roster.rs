//! What of the charter matters to figures: members, seats, and when the federation began.

use std::collections::BTreeMap;

use crate::charter::{Charter, Class, Role, Standing};
use crate::identity::MemberNumber;

/// Members and seats at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    pub(super) members: BTreeMap<MemberNumber, Listed>,
    pub(super) seats: BTreeMap<&'static str, usize>,
    pub(super) founded_ms: u64,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) class: Class,
    pub(super) region: String,
    pub(super) is_active: bool,
}

impl Roster {
    /// What a charter says at a time.
    pub fn of(charter: &Charter, as_of_ms: u64) -> Self {
        let members = charter.members().values().map(|member| {
            let is_active = member.standing == Standing::Active;
            (member.number, Listed { class: member.class, region: member.region.clone(), is_active })
        });
        let mut seats = BTreeMap::new();
        for role in Role::ALL {
            let filled = |seat: &&crate::charter::Seat| {
                seat.grant.role == role && seat.grant.from_ms <= as_of_ms && seat.is_filled(as_of_ms)
            };
            seats.insert(role.name(), charter.seats().iter().filter(filled).count());
        }
        let founded_ms = charter.blocks().first().map_or(0, |block| block.block().time_ms);
        Self { members: members.collect(), seats, founded_ms }
    }

    /// Active members of these classes, of the counties only those whose codes begin so.
    pub(super) fn active(&self, classes: &[Class], region: &str) -> impl Iterator<Item = (MemberNumber, &Listed)> {
        let held = self
            .members
            .iter()
            .filter(move |(_, member)| member.is_active && classes.contains(&member.class) && member.is_of(region));
        held.map(|(number, member)| (*number, member))
    }
}

impl Listed {
    /// Whether it is a county whose code begins so; everybody is where nothing is asked.
    pub(super) fn is_of(&self, region: &str) -> bool {
        region.is_empty() || (self.class == Class::County && self.region.starts_with(region))
    }
}
