//! One's own records of a kind by their own numbers, with the exact bytes of their fields: what a second import of a
//! sheet is compared with.
//!
//! [`Externals`] goes through all of them; [`look_up`] finds those of some numbers, so that nobody needs to hold them
//! all. A confidential record keeps its number in its sealed part, where the view does not know it: [`SealedNumbers`]
//! remembers these.

use std::collections::BTreeMap;

use protocol::identity::{EntryId, MemberNumber};
use protocol::value::Value;

use super::walk::{Walk, Whose};
use super::{FOLD_COST, LOCK_WORK_MAX};
use crate::api::types::ExternalRecord;
use crate::confidential::{Access, Seen};
use crate::core::{Core, State};
use crate::kinds::kinds;

/// Goes through one's own records of a kind, a piece at a time.
#[derive(Debug, Clone)]
pub struct Externals {
    member: MemberNumber,
    kind: u16,
    walk: Walk,
}

impl Externals {
    /// Begins. `None` while this node is no member.
    pub fn new(core: &Core, kind: u16) -> Option<Self> {
        let (member, _) = core.own()?;
        Some(Self { member, kind, walk: Walk::new(Whose::One(member)) })
    }

    /// The next records, perhaps none; `None` at the end. Blocks: it reads bodies from the disk.
    ///
    /// Records from the future are among them: their numbers are taken.
    ///
    /// A confidential record keeps its number in its sealed part, where this node, which sealed it, finds it.
    pub fn next_piece(&mut self, core: &Core) -> Option<Vec<ExternalRecord>> {
        let access = core.access();
        core.read(|state| {
            let (view, charter) = (state.view(), state.replica.charter());
            let (mut piece, mut work) = (Vec::new(), 0);
            while work < LOCK_WORK_MAX {
                let Some((_, id)) = self.walk.step(view, charter) else {
                    return if work == 0 { None } else { Some(piece) };
                };
                work += 1;
                if view.owner(&id) != Some((self.member, self.kind)) {
                    continue;
                }
                let overruled = |number| view.by_external(self.member, self.kind, number) != Some(id);
                if view.external(&id).is_some_and(overruled) {
                    continue;
                }
                work += FOLD_COST;
                piece.extend(external_record(state, core, &access, self.kind, id));
            }
            Some(piece)
        })
    }
}

/// A record with its own number, if it has one that this node can read.
fn external_record(state: &State, core: &Core, access: &Access, kind: u16, id: EntryId) -> Option<ExternalRecord> {
    let Seen { state: record, .. } = access.see(state.view().record(&id, u64::MAX, core)?);
    let number = || {
        let field = kinds().kind(kind)?.external_field();
        Some(field.render(record.fields.get(&field.number)?))
    };
    let external = record.external.clone().or_else(number)?;
    let bytes = |(number, value): (&u16, &Value)| (*number, value.value_type(), hex::encode(value.encode()));
    Some(ExternalRecord {
        external,
        record: id.to_string(),
        withdrawn: record.withdrawn.is_some(),
        fields: record.fields.iter().map(bytes).collect(),
    })
}

/// Own numbers of one's own records that do not state them in clear. Each record is opened once: what is new is added
/// when somebody asks. It holds a number and an id for each such record, so it is bounded by what this member has
/// published itself.
#[derive(Debug, Default)]
pub struct SealedNumbers {
    /// The charter under which they were read: another one may give or take keys and logs.
    charter: u32,
    kinds: BTreeMap<u16, Seal>,
}

#[derive(Debug, Default)]
struct Seal {
    /// The newest record that was looked at.
    newest: Option<(u64, EntryId)>,
    records: BTreeMap<String, EntryId>,
}

impl SealedNumbers {
    /// The record of a kind that has a number, as of the last [`SealedNumbers::follow`].
    pub(super) fn record(&self, kind: u16, number: &str) -> Option<EntryId> {
        self.kinds.get(&kind)?.records.get(number).copied()
    }

    /// Takes in what is new of a kind.
    pub(super) fn follow(&mut self, core: &Core, member: MemberNumber, kind: u16) -> &BTreeMap<String, EntryId> {
        let version = core.read(|state| state.replica.charter().version());
        if self.charter != version {
            *self = Self { charter: version, kinds: BTreeMap::new() };
        }
        let seal = self.kinds.entry(kind).or_default();
        seal.follow(core, member, kind);
        &seal.records
    }
}

impl Seal {
    fn follow(&mut self, core: &Core, member: MemberNumber, kind: u16) {
        let access = core.access();
        let mut walk = Walk::new(Whose::One(member));
        let (mut newest, mut found, mut ended, mut met) = (None, Vec::new(), false, false);
        while !ended {
            core.read(|state| {
                let (view, charter) = (state.view(), state.replica.charter());
                let mut work = 0;
                while work < LOCK_WORK_MAX && !ended {
                    let Some((label, id)) = walk.step(view, charter) else {
                        ended = true;
                        break;
                    };
                    work += 1;
                    newest = newest.or(Some((label.serial, id)));
                    met = self.newest == Some((label.serial, id));
                    ended = met;
                    if !ended && view.owner(&id) == Some((member, kind)) && view.external(&id).is_none() {
                        work += FOLD_COST;
                        found.extend(external_record(state, core, &access, kind, id).map(|one| (one.external, id)));
                    }
                }
            });
        }
        if !met {
            // Records moved, or this is the first time: everything was gone through.
            self.records.clear();
        }
        self.newest = newest;
        // The oldest of two with one number keeps it.
        for (number, id) in found.into_iter().rev() {
            self.records.entry(number).or_insert(id);
        }
    }
}

/// This member's records of a kind that have one of these numbers, in the order of the numbers. `None` while this node
/// is no member. Blocks: it reads bodies from the disk.
pub fn look_up(core: &Core, kind: u16, numbers: &[String], sealed: &mut SealedNumbers) -> Option<Vec<ExternalRecord>> {
    let (member, _) = core.own()?;
    let sealed = sealed.follow(core, member, kind);
    let access = core.access();
    let mut found = Vec::new();
    for piece in numbers.chunks(LOCK_WORK_MAX / FOLD_COST) {
        core.read(|state| {
            let records = piece.iter().filter_map(|number| {
                let id = state.view().by_external(member, kind, number).or_else(|| sealed.get(number).copied())?;
                external_record(state, core, &access, kind, id)
            });
            found.extend(records);
        });
    }
    Some(found)
}
