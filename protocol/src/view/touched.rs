//! Which records a change touched: those that it speaks of, and those whose judgement looks at them.
//!
//! What is derived from records and kept beside them, a search index for instance, is brought up to date by looking at
//! these again. More may be named than really changed, never less.

use std::collections::{BTreeMap, BTreeSet};

use super::{Number, Place, Record, Row, View};
use crate::charter::{Block, Operation};
use crate::identity::{EntryId, MemberNumber};
use crate::limits::TOUCHED_RECORDS_MAX;

/// Records that must be looked at again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// These; some may be gone, or not be created yet.
    pub records: BTreeSet<EntryId>,
    /// All of them: too many were touched, or something that all depend on.
    pub everything: bool,
}

impl Touched {
    /// All records.
    pub fn everything() -> Self {
        Self { records: BTreeSet::new(), everything: true }
    }

    /// Whether nothing was touched.
    pub fn is_empty(&self) -> bool {
        !self.everything && self.records.is_empty()
    }

    /// Adds a record; one too many, and everything is touched.
    pub fn add(&mut self, record: EntryId) {
        if self.everything {
            return;
        }
        self.records.insert(record);
        if self.records.len() > TOUCHED_RECORDS_MAX {
            *self = Self::everything();
        }
    }

    /// Adds what another change touched.
    pub fn merge(&mut self, other: Self) {
        if other.everything {
            *self = other;
            return;
        }
        other.records.into_iter().for_each(|record| self.add(record));
    }
}

/// What taking in one entry concerns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Concerned {
    /// The record that it speaks of.
    pub(super) record: Option<EntryId>,
    /// The record whose own number went over to that one.
    pub(super) former: Option<EntryId>,
    /// Creates of a member from a position on that have another label now.
    pub(super) shifted: Option<(MemberNumber, usize)>,
    /// The record that has a number which others were given too.
    pub(super) doubled: Option<EntryId>,
}

/// Gathers what several entries concern.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    records: Touched,
    shifted: BTreeMap<MemberNumber, usize>,
    doubled: BTreeSet<EntryId>,
}

impl Gathered {
    pub(super) fn note(&mut self, concerned: Concerned) {
        concerned.record.into_iter().chain(concerned.former).for_each(|record| self.records.add(record));
        if let Some((member, position)) = concerned.shifted {
            let first = self.shifted.entry(member).or_insert(position);
            *first = (*first).min(position);
        }
        self.doubled.extend(concerned.doubled);
    }

    /// All of it, with the records around.
    pub(super) fn spread(self, view: &View) -> Touched {
        let mut seeds = self.records;
        for (member, position) in self.shifted {
            let creates = view.creates.get(&member).map(|creates| &creates[position.min(creates.len())..]);
            creates.unwrap_or_default().iter().for_each(|row| seeds.add(view.records.at(*row).id));
        }
        for holder in self.doubled {
            let doubles = view.number(&holder).and_then(|number| view.doubles.get(&number));
            doubles.into_iter().flatten().for_each(|id| seeds.add(*id));
        }
        let mut touched = Touched { records: BTreeSet::new(), everything: seeds.everything };
        seeds.records.iter().for_each(|id| view.touch(id, &mut touched));
        touched
    }
}

impl View {
    /// Adds a record and those whose judgement may look at it: those that it names or once named, those that name it,
    /// and, where records of its kind have a place among those that name the same one, these.
    pub fn touch(&self, id: &EntryId, touched: &mut Touched) {
        touched.add(*id);
        self.naming_it(id).into_iter().for_each(|naming| touched.add(naming));
        let Some((owner, kind)) = self.owner(id) else { return };
        let is_ranked = self.links.fields.is_ranked(kind);
        for (target, text) in self.links.names_of(id) {
            let Some(named) = self.named(owner, target, text) else { continue };
            touched.add(named);
            if is_ranked {
                let of_kind = |id: &EntryId| self.owner(id).is_some_and(|(_, found)| found == kind);
                self.naming_it(&named).into_iter().filter(of_kind).for_each(|beside| touched.add(beside));
            }
        }
    }

    /// What a create that was taken in before concerns. `is_older` says of the place of another create of its author
    /// whether that one was known when this one was not.
    pub(super) fn concerned_by(&self, create: &EntryId, is_older: impl Fn(Place) -> bool) -> Concerned {
        let none = Concerned { record: Some(*create), ..Concerned::default() };
        let Some(held) = self.records.get(create) else { return none };
        let (place, author) = (held.place(), self.author(held.place().log));
        let creates = self.creates.get(&author).map(Vec::as_slice).unwrap_or_default();
        let place_of = |row: &Row| self.records.at(*row).place();
        // Those of one log stand together: the next one of this log and the first one of another tell of all.
        let next = creates.partition_point(|other| place_of(other) <= place);
        let other_log = creates.partition_point(|other| place_of(other).log <= place.log);
        let shifts = |position: &usize| creates.get(*position).is_some_and(|other| is_older(place_of(other)));
        let shifted = [next, other_log].into_iter().find(shifts).map(|position| (author, position));
        let number = self.number(create).filter(|number| self.doubles.contains_key(number));
        let doubled = number.and_then(|number| self.holder(&number));
        Concerned { shifted, doubled, ..none }
    }

    /// The own number that a record's create states, with whose it is and of which kind.
    fn number(&self, id: &EntryId) -> Option<Number> {
        let ((owner, kind), external) = self.owner(id).zip(self.external(id))?;
        Some((owner, kind, external.to_owned()))
    }

    /// The record that is found by an own number.
    fn holder(&self, (owner, kind, external): &Number) -> Option<EntryId> {
        self.by_external(*owner, *kind, external)
    }

    fn naming_it(&self, id: &EntryId) -> BTreeSet<EntryId> {
        self.naming(Some(*id), self.number(id))
    }

    /// Whether a record of this view stands in another one with the same owner, own number and statements.
    fn is_as_in(&self, other: &Self, record: &Record) -> bool {
        let id = &record.id;
        other.records.get(id).is_some_and(|held| held.erased == record.erased)
            && self.owner(id) == other.owner(id)
            && self.external(id) == other.external(id)
            && self.versions(id, u64::MAX) == other.versions(id, u64::MAX)
    }

    /// Where a member created what, in the order of its logs.
    fn creates_of(&self, member: MemberNumber) -> impl Iterator<Item = (Place, EntryId)> + Clone + '_ {
        let rows = self.creates.get(&member).into_iter().flatten().map(|row| self.records.at(*row));
        rows.map(|record| (record.place(), record.id))
    }

    /// The records that stand otherwise in `self` than in `before`, with those around them.
    pub(super) fn differences(&self, before: &Self) -> Touched {
        let mut changed = Touched::default();
        let kept = self.records.rows().filter(|record| !self.is_as_in(before, record));
        let gone = before.records.rows().filter(|record| self.records.get(&record.id).is_none());
        kept.chain(gone).for_each(|record| changed.add(record.id));
        let members: BTreeSet<_> = self.creates.keys().chain(before.creates.keys()).collect();
        for member in members {
            let (now, then) = (self.creates_of(*member), before.creates_of(*member));
            let same = now.clone().zip(then.clone()).take_while(|(one, other)| one == other).count();
            now.skip(same).chain(then.skip(same)).for_each(|(_, id)| changed.add(id));
        }
        let mut touched = Touched { records: BTreeSet::new(), everything: changed.everything };
        for id in &changed.records {
            for view in [self, before] {
                view.touch(id, &mut touched);
                // Where a record comes or goes, its number may go over from or to another one.
                let Some(number) = view.number(id) else { continue };
                let holders = [self, before].map(|view| view.holder(&number));
                holders.into_iter().flatten().for_each(|holder| view.touch(&holder, &mut touched));
            }
        }
        touched
    }

    /// Whether a block can change how records count or are shown that were taken in before it. What it does to logs shows
    /// in the logs.
    pub(super) fn depends_on(&self, block: &Block) -> bool {
        block.operations.iter().any(|operation| match operation {
            // Somebody who comes back may come as another.
            Operation::Admit { member, .. } => self.creates.contains_key(member),
            Operation::Rules { .. }
            | Operation::Warn { .. }
            | Operation::AddKey(_)
            | Operation::SealKey(_)
            | Operation::ReplaceKey { .. }
            | Operation::RoleRule(_)
            | Operation::Limits { .. }
            | Operation::DutyRules { .. }
            | Operation::Erase { .. }
            | Operation::LeadHolder(_) => false,
            Operation::KindSet { .. }
            | Operation::Suspend(_)
            | Operation::Reinstate { .. }
            | Operation::Leave(_)
            | Operation::Expel(_)
            | Operation::GrantRole(_)
            | Operation::TakeRole { .. }
            | Operation::Reassign { .. }
            | Operation::ClassKey(_) => true,
        })
    }
}
