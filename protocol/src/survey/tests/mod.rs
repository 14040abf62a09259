//! Surveys over rows of the samples, read as an import reads them, and over rows made for one case.

mod chain;
mod competition;
mod fund;
mod pool;
mod ranking;
mod success;

use std::collections::BTreeMap;

use super::{Counted, Surrounding};
use crate::identity::{EntryId, MemberNumber};
use crate::kind::sheet::{Row, Table, plan};
use crate::kind::{Kind, KindSet};
use crate::value::{Date, Value};
use crate::view::{Label, RecordState};

pub(super) const COUNTIES: &str = include_str!("../../../../tests/samples/counties.csv");
pub(super) const PROJECTS: &str = include_str!("../../../../tests/samples/projects.csv");
pub(super) const RESOURCES: &str = include_str!("../../../../tests/samples/resources.csv");
pub(super) const DEMANDS: &str = include_str!("../../../../tests/samples/demands.csv");
pub(super) const FUNDS: &str = include_str!("../../../../tests/samples/funds.csv");

/// Records as they count, and what they were before.
#[derive(Default)]
pub(super) struct World {
    records: Vec<Held>,
}

pub(super) struct Held {
    kind: &'static Kind,
    pub(super) state: RecordState,
    pub(super) owner: MemberNumber,
    region: String,
    /// What it held, the first first; empty when it never changed.
    before: Vec<BTreeMap<u16, Value>>,
}

pub(super) fn kind(name: &str) -> &'static Kind {
    KindSet::builtin().kind_named(name).expect("the built-in set has the kind")
}

/// The last moment of a day in China.
pub(super) fn day(year: u16, month: u8, day: u8) -> u64 {
    Date::new(year, month, day).expect("a day that exists").end_ms() - 1
}

pub(super) fn fields(kind: &Kind, cells: &[(&str, &str)]) -> BTreeMap<u16, Value> {
    let read = |(name, text): &(&str, &str)| {
        let field = kind.field_named(name).unwrap_or_else(|| panic!("{} has no {name}", kind.name()));
        Some((field.number, field.parse(text).unwrap_or_else(|error| panic!("{name}={text}: {error}"))?))
    };
    cells.iter().filter_map(read).collect()
}

fn table(csv_text: &str) -> Table {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv_text.as_bytes());
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let headers = cells(reader.headers().expect("the text has a header"));
    let rows = reader.records().enumerate().map(|(index, record)| {
        let record = record.expect("the text is CSV");
        Row { line: index + 2, cells: cells(&record) }
    });
    Table { headers, rows: rows.collect() }
}

/// The divisions of the members of the samples, by their numbers there.
fn regions() -> BTreeMap<String, String> {
    let rows = table(COUNTIES).rows;
    rows.into_iter().map(|row| (row.cells[0].clone(), row.cells[1].clone())).collect()
}

impl World {
    /// Every row of a sheet, as its member publishes it.
    pub(super) fn import(&mut self, kind_name: &str, csv_text: &str) {
        let (kind, regions) = (kind(kind_name), regions());
        let plan = plan(kind, &table(csv_text), &[], &|_| None);
        assert_eq!(plan.errors, [], "{kind_name}");
        for create in plan.creates {
            let member = match kind.member_field().and_then(|field| create.fields.get(&field.number)) {
                Some(Value::Text(member)) => member.clone(),
                _ => String::new(),
            };
            let owner = member.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(99);
            let region = regions.get(&member).cloned().unwrap_or_default();
            self.push(kind, MemberNumber(owner), &region, Some(create.external), create.fields);
        }
    }

    /// One record in the words of people. Its own number is the first of the cells, if that is the kind's.
    pub(super) fn add(&mut self, kind_name: &str, owner: u32, cells: &[(&str, &str)]) -> usize {
        let kind = kind(kind_name);
        let own = cells.iter().find(|(name, _)| kind.field_named(name) == Some(kind.external_field()));
        let own = own.map(|(_, text)| (*text).to_owned());
        self.push(kind, MemberNumber(owner), "", own, fields(kind, cells))
    }

    fn push(
        &mut self,
        kind: &'static Kind,
        owner: MemberNumber,
        region: &str,
        external: Option<String>,
        fields: BTreeMap<u16, Value>,
    ) -> usize {
        let serial = self.records.iter().filter(|held| held.owner == owner).count() as u64 + 1;
        let label = Label { member: owner, serial };
        let id = EntryId(*blake3::hash(label.to_string().as_bytes()).as_bytes());
        let state = RecordState {
            id,
            label,
            kind: kind.number(),
            kind_set: 1,
            external,
            fields,
            created_ms: 0,
            changed_ms: 0,
            versions: 1,
            withdrawn: None,
            sealing: None,
        };
        self.records.push(Held { kind, state, owner, region: region.to_owned(), before: Vec::new() });
        self.records.len() - 1
    }

    /// A later statement about a record.
    pub(super) fn revise(&mut self, place: usize, cells: &[(&str, &str)]) {
        let held = &mut self.records[place];
        if held.before.is_empty() {
            held.before.push(held.state.fields.clone());
        }
        held.state.fields.extend(fields(held.kind, cells));
        held.before.push(held.state.fields.clone());
        held.state.versions += 1;
    }

    pub(super) fn label(&self, place: usize) -> String {
        self.records[place].state.label.to_string()
    }

    pub(super) fn each(&self) -> impl Iterator<Item = Counted<'_>> {
        self.records.iter().map(|held| Counted {
            kind: held.kind,
            state: &held.state,
            owner: held.owner,
            region: &held.region,
        })
    }
}

impl Surrounding for World {
    fn named(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<EntryId> {
        let own = |held: &&Held| held.owner == owner && held.state.external.as_deref() == Some(text);
        let by_label = |held: &&Held| held.state.label.to_string() == text;
        let of_kind = || self.records.iter().filter(|held| held.state.kind == kind);
        of_kind().find(own).or_else(|| of_kind().find(by_label)).map(|held| held.state.id)
    }

    fn held(&self, record: &Counted<'_>) -> Vec<BTreeMap<u16, Value>> {
        let found = self.records.iter().find(|held| held.state.id == record.state.id);
        found.map(|held| held.before.clone()).unwrap_or_default()
    }
}

/// The titles of some records.
pub(super) fn titles(sources: &super::Sources) -> Vec<&str> {
    sources.shown.iter().map(|source| source.title.as_str()).collect()
}
