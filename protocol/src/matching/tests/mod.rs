//! Whole matches of real records, and properties that hold for any.

mod pairs;
mod properties;
mod reading;

use std::collections::BTreeMap;

use super::*;
use crate::identity::{EntryId, MemberNumber};
use crate::kind::{Kind, KindSet};
use crate::value::{Date, Value};
use crate::view::{Label, RecordState};

/// The day of the questions.
const TODAY: (u16, u8, u8) = (2026, 3, 5);

fn today_ms() -> u64 {
    let (year, month, day) = TODAY;
    Date::new(year, month, day).expect("a day").start_ms() + 1
}

fn kind(name: &str) -> &'static Kind {
    KindSet::builtin().kind_named(name).expect("a built-in kind")
}

/// A record of a kind with these cells, as a sheet would give them.
fn record(id: u8, kind_name: &str, cells: &[(&str, &str)]) -> RecordState {
    let kind = kind(kind_name);
    let mut fields: BTreeMap<u16, Value> = BTreeMap::new();
    for (name, text) in cells {
        let field = kind.field_named(name).unwrap_or_else(|| panic!("{kind_name} has no field {name}"));
        let value = field.parse(text).unwrap_or_else(|broken| panic!("{name}: {broken}"));
        fields.extend(value.map(|value| (field.number, value)));
    }
    RecordState {
        id: EntryId([id; 32]),
        label: Label { member: MemberNumber(1), serial: u64::from(id) },
        kind: kind.number(),
        kind_set: 1,
        external: None,
        fields,
        created_ms: today_ms(),
        changed_ms: today_ms(),
        versions: 1,
        withdrawn: None,
        sealing: None,
    }
}

/// Records in a catalogue, with their texts.
#[derive(Default)]
struct Shelf {
    catalogue: Catalogue,
    records: BTreeMap<EntryId, RecordState>,
}

impl Shelf {
    fn of(records: Vec<RecordState>) -> Self {
        let mut shelf = Self::default();
        records.into_iter().for_each(|record| shelf.put(record));
        shelf
    }

    fn put(&mut self, record: RecordState) {
        let profile = Profile::of(Rules::builtin(), KindSet::builtin(), &record, "");
        profile.into_iter().for_each(|profile| self.catalogue.put(profile));
        self.records.insert(record.id, record);
    }

    fn read(&self, ids: &[EntryId]) -> Vec<Option<Fresh>> {
        let (rules, kinds) = (Rules::builtin(), KindSet::builtin());
        let read = |id| {
            let record = self.records.get(id)?;
            Some(Fresh::new(rules, Profile::of(rules, kinds, record, "")?, texts_of(rules, kinds, record)))
        };
        ids.iter().map(read).collect()
    }

    fn matches(&self, subject: u8) -> Result<Matches, Unmatchable> {
        let subject = self.catalogue.get(&EntryId([subject; 32])).expect("the subject is in the catalogue");
        let question = Question { subject, kinds: &[], as_of_ms: today_ms(), limit: 100, list_excluded: true };
        self.catalogue.matches(Rules::builtin(), &question, &mut |ids| self.read(ids))
    }

    /// The first bytes of the ids that were found, in order.
    fn found(&self, subject: u8) -> Vec<u8> {
        let matches = self.matches(subject).expect("the subject can be matched");
        matches.found.iter().map(|found| found.id.as_bytes()[0]).collect()
    }

    /// Why a record was excluded.
    fn excluded(&self, subject: u8, other: u8) -> Vec<RuledOut> {
        let matches = self.matches(subject).expect("the subject can be matched");
        let excluded = matches.excluded.into_iter().find(|excluded| excluded.id == EntryId([other; 32]));
        excluded.map(|excluded| excluded.reasons).unwrap_or_default()
    }
}

fn part(found: &Match, dimension: Dimension) -> &Part {
    found.parts.iter().find(|part| part.dimension == dimension).expect("the dimension is looked at")
}
