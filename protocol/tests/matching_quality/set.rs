//! The labelled set: the records of its sheets as the importer reads them, and the pairs with their grades.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;
use protocol::kind::sheet::{Row, Table, plan};
use protocol::matching::{Catalogue, Fresh, Profile, Rules, texts_of};
use protocol::value::Date;
use protocol::view::{Label, RecordState};

/// The sheets, the kinds of their rows, and where they lie.
const SHEETS: [(&str, &str, &str); 13] = [
    ("samples", "demands.csv", "demand"),
    ("samples", "resources.csv", "resource"),
    ("samples", "projects.csv", "project"),
    ("samples", "funds.csv", "fund"),
    ("matching", "demands.csv", "demand"),
    ("matching", "resources.csv", "resource"),
    ("matching", "land_parcels.csv", "land_parcel"),
    ("matching", "facilities.csv", "facility"),
    ("matching", "projects.csv", "project"),
    ("matching", "funds.csv", "fund"),
    ("matching", "funding_needs.csv", "funding_need"),
    ("matching", "intermediaries.csv", "intermediary"),
    ("matching", "exit_offers.csv", "exit_offer"),
];
/// The day of evaluation.
const TODAY: (u16, u8, u8) = (2025, 12, 1);
/// Records are taken to have been published one after the other, a minute apart, the last this long before.
const BEFORE_MS: u64 = 24 * 60 * 60 * 1_000;
const APART_MS: u64 = 60 * 1_000;

/// One labelled pair.
#[derive(Debug, Clone)]
pub struct Labelled {
    pub family: String,
    pub split: Split,
    pub subject: EntryId,
    pub candidate: EntryId,
    pub grade: u32,
    pub excluded: bool,
}

/// What a pair may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    Tuning,
    HeldOut,
}

/// Records and pairs.
pub struct LabelledSet {
    pub records: BTreeMap<EntryId, RecordState>,
    pub catalogue: Catalogue,
    pub pairs: Vec<Labelled>,
}

/// The time of the evaluation.
pub fn today_ms() -> u64 {
    let (year, month, day) = TODAY;
    Date::new(year, month, day).expect("a day").start_ms() + 1
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("tests").join(name)
}

fn read_csv(path: &Path) -> Table {
    let content = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(content.as_slice());
    let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect::<Vec<_>>());
    let mut rows = rows.collect::<Vec<_>>().into_iter();
    let headers = rows.next().expect("a header");
    Table { headers, rows: rows.enumerate().map(|(index, cells)| Row { line: index + 2, cells }).collect() }
}

impl LabelledSet {
    /// Reads everything.
    pub fn load() -> Self {
        let (rules, kinds) = (Rules::builtin(), KindSet::builtin());
        let (mut records, mut ids): (BTreeMap<EntryId, RecordState>, BTreeMap<String, EntryId>) = Default::default();
        for (place, sheet, kind) in SHEETS {
            let kind = kinds.kind_named(kind).expect("a built-in kind");
            let plan = plan(kind, &read_csv(&folder(place).join(sheet)), &[], &|_| None);
            assert!(plan.errors.is_empty(), "{place}/{sheet}: {:?}", plan.errors);
            for create in plan.creates {
                let id = EntryId(*blake3::hash(create.external.as_bytes()).as_bytes());
                let serial = records.len() as u64 + 1;
                ids.insert(create.external.clone(), id);
                let created_ms = today_ms() - BEFORE_MS + serial * APART_MS;
                let state = RecordState {
                    id,
                    label: Label { member: MemberNumber(1), serial },
                    kind: kind.number(),
                    kind_set: 1,
                    external: Some(create.external),
                    fields: create.fields,
                    created_ms,
                    changed_ms: created_ms,
                    versions: 1,
                    withdrawn: None,
                    sealing: None,
                };
                records.insert(id, state);
            }
        }
        let mut catalogue = Catalogue::default();
        for record in records.values() {
            Profile::of(rules, kinds, record, "").into_iter().for_each(|profile| catalogue.put(profile));
        }
        let pairs = read_pairs(&ids);
        Self { records, catalogue, pairs }
    }

    /// Records as a catalogue asks for them.
    pub fn read(&self, ids: &[EntryId]) -> Vec<Option<Fresh>> {
        let (rules, kinds) = (Rules::builtin(), KindSet::builtin());
        let read = |id| {
            let record = self.records.get(id)?;
            Some(Fresh::new(rules, Profile::of(rules, kinds, record, "")?, texts_of(rules, kinds, record)))
        };
        ids.iter().map(read).collect()
    }

    /// The pairs of a split, by their subject.
    pub fn by_subject(&self, split: Split) -> BTreeMap<EntryId, Vec<&Labelled>> {
        let mut subjects: BTreeMap<EntryId, Vec<&Labelled>> = BTreeMap::new();
        for pair in self.pairs.iter().filter(|pair| pair.split == split) {
            subjects.entry(pair.subject).or_default().push(pair);
        }
        subjects
    }
}

fn read_pairs(ids: &BTreeMap<String, EntryId>) -> Vec<Labelled> {
    let table = read_csv(&folder("matching").join("pairs.csv"));
    let column = |name: &str| table.headers.iter().position(|header| header == name).expect("a column");
    let [family, split, subject, candidate, grade, excluded] =
        ["family", "split", "subject", "candidate", "grade", "excluded"].map(column);
    let id = |number: &str| *ids.get(number).unwrap_or_else(|| panic!("{number} is in no sheet"));
    table
        .rows
        .iter()
        .map(|row| Labelled {
            family: row.cells[family].clone(),
            split: if row.cells[split] == "tuning" { Split::Tuning } else { Split::HeldOut },
            subject: id(&row.cells[subject]),
            candidate: id(&row.cells[candidate]),
            grade: row.cells[grade].parse().expect("a grade"),
            excluded: row.cells[excluded] == "是",
        })
        .collect()
}
