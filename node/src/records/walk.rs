//! Going through records by label, in pieces: the lock is let go between pieces, and what arrives meanwhile moves
//! nothing, because new creates come at the end of their member's serials.

use std::ops::Bound;

use protocol::charter::Charter;
use protocol::identity::{EntryId, MemberNumber};
use protocol::view::{Label, View};

/// Whose records are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Every member's, in the order of their numbers.
    All,
    /// One member's.
    One(MemberNumber),
}

/// A place on the way through all records: members ascending, the newest record of each first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walk {
    whose: Whose,
    /// The label to look at next; `None` before the first member, and serial 0 after the last record of one.
    next: Option<Label>,
    ended: bool,
}

impl Walk {
    /// Before the first record.
    pub(super) fn new(whose: Whose) -> Self {
        Self { whose, next: None, ended: false }
    }

    /// Behind the record of a label.
    pub(super) fn behind(whose: Whose, label: Label) -> Self {
        let next = Label { member: label.member, serial: label.serial.saturating_sub(1) };
        Self { whose, next: Some(next), ended: false }
    }

    /// The next record.
    pub(super) fn step(&mut self, view: &View, charter: &Charter) -> Option<(Label, EntryId)> {
        while !self.ended {
            if let Some(label) = self.next.filter(|label| label.serial > 0) {
                self.next = Some(Label { serial: label.serial - 1, ..label });
                // A label can be gone when entries of the member stopped counting meanwhile.
                if let Some(id) = view.by_label(label) {
                    return Some((label, id));
                }
            } else {
                self.enter_next_member(view, charter);
            }
        }
        None
    }

    fn enter_next_member(&mut self, view: &View, charter: &Charter) {
        let member = match (self.whose, self.next) {
            (Whose::One(member), None) => Some(member),
            (Whose::One(_), Some(_)) => None,
            (Whose::All, before) => {
                let from = before.map_or(Bound::Unbounded, |label| Bound::Excluded(label.member));
                charter.members().range((from, Bound::Unbounded)).next().map(|(member, _)| *member)
            }
        };
        match member {
            Some(member) => self.next = Some(Label { member, serial: creates(view, member) }),
            None => self.ended = true,
        }
    }
}

/// How many records a member has created, found in a few steps however many there are.
fn creates(view: &View, member: MemberNumber) -> u64 {
    let exists = |serial: u64| view.by_label(Label { member, serial }).is_some();
    let mut above = 1;
    while exists(above) {
        above *= 2;
    }
    // The record `below` exists (or there is none at all), `above` does not.
    let mut below = above / 2;
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if exists(middle) {
            below = middle;
        } else {
            above = middle;
        }
    }
    below
}
