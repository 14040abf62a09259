//! Figures over records made for one case, and the worked values of the requirements.

mod bulletin;
mod definitions;
mod figures;
mod worked;

use std::collections::BTreeMap;

use super::facts::facts;
use super::roster::{Listed, Roster};
use super::{Definitions, DutyRate, Facts, Figure, evaluate};
use crate::charter::{Class, Role};
use crate::identity::{EntryId, MemberNumber};
use crate::kind::condition::{Related, Subject, Surroundings};
use crate::kind::{Kind, KindSet};
use crate::value::{Date, Value};
use crate::view::{Label, RecordState, texts};

/// Records that count, and members.
pub(super) struct World {
    pub(super) records: Vec<(RecordState, MemberNumber)>,
    pub(super) roster: Roster,
    pub(super) as_of_ms: u64,
}

pub(super) fn day(year: u16, month: u8, day: u8) -> Date {
    Date::new(year, month, day).expect("a day that exists")
}

fn kind(name: &str) -> &'static Kind {
    KindSet::builtin().kind_named(name).expect("the built-in set has the kind")
}

pub(super) fn fields(kind: &Kind, cells: &[(&str, &str)]) -> BTreeMap<u16, Value> {
    let read = |(name, text): &(&str, &str)| {
        let field = kind.fields().find(|field| field.name == *name);
        let field = field.unwrap_or_else(|| panic!("{} has no {name}", kind.name()));
        Some((field.number, field.parse(text).unwrap_or_else(|error| panic!("{name}={text}: {error}"))?))
    };
    cells.iter().filter_map(read).collect()
}

impl World {
    /// A secretariat (1), three counties (2, 3 of 夏邑, 4 of 衡阳), a fund (5), and nothing else, in the middle of 2026.
    pub(super) fn new() -> Self {
        let listed = |class: Class, region: &str| Listed { class, region: region.to_owned(), is_active: true };
        let members = [
            (1, listed(Class::Secretariat, "110101")),
            (2, listed(Class::County, "500236")),
            (3, listed(Class::County, "411426")),
            (4, listed(Class::County, "430421")),
            (5, listed(Class::Fund, "310101")),
        ];
        let members = members.into_iter().map(|(number, member)| (MemberNumber(number), member)).collect();
        let seats = Role::ALL.iter().map(|role| (role.name(), 3)).collect();
        let roster = Roster { members, seats, founded_ms: day(2024, 3, 1).start_ms() };
        Self { records: Vec::new(), roster, as_of_ms: day(2026, 6, 15).start_ms() }
    }

    /// Adds a record, in the words of people; what stands in the field of the own number goes by it.
    pub(super) fn add(&mut self, kind_name: &str, owner: u32, cells: &[(&str, &str)]) -> EntryId {
        let kind = kind(kind_name);
        let serial = self.records.len() as u64 + 1;
        let id = EntryId(*blake3::hash(&serial.to_le_bytes()).as_bytes());
        let fields = fields(kind, cells);
        let external = fields.get(&kind.external_field().number).map(|value| kind.external_field().render(value));
        let state = RecordState {
            id,
            label: Label { member: MemberNumber(owner), serial },
            kind: kind.number(),
            kind_set: 1,
            external,
            fields,
            created_ms: serial,
            changed_ms: serial,
            versions: 1,
            withdrawn: None,
            sealing: None,
        };
        self.records.push((state, MemberNumber(owner)));
        id
    }

    pub(super) fn facts(&self) -> BTreeMap<EntryId, Facts> {
        let naming = |owner: MemberNumber, kind: u16, text: &str| self.named(owner, kind, text).map(|found| found.0.id);
        let facts = self.records.iter().filter_map(|(state, owner)| {
            let kind = KindSet::builtin().kind(state.kind)?;
            Some((state.id, facts(Definitions::builtin(), kind, state, *owner, self, &naming)?))
        });
        facts.collect()
    }

    pub(super) fn figures(&self) -> Vec<Figure> {
        self.figures_with(&|_| None)
    }

    pub(super) fn figures_with(&self, duty: &dyn Fn(&str) -> Option<DutyRate>) -> Vec<Figure> {
        evaluate(Definitions::builtin(), &self.facts(), &self.roster, self.as_of_ms, duty)
    }

    pub(super) fn figure(&self, code: &str) -> Figure {
        let found = self.figures().into_iter().find(|figure| figure.code == code);
        found.unwrap_or_else(|| panic!("there is no {code}"))
    }

    pub(super) fn value(&self, code: &str) -> Option<String> {
        self.figure(code).value.and_then(|value| value.text())
    }

    fn named(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<&(RecordState, MemberNumber)> {
        self.records.iter().find(|(state, by)| {
            let own = *by == owner && state.external.as_deref() == Some(text);
            state.kind == kind && (own || state.label.to_string() == text)
        })
    }
}

impl Surroundings for World {
    fn as_of_ms(&self) -> u64 {
        self.as_of_ms
    }

    fn admitted_ms(&self, _: MemberNumber) -> Option<u64> {
        Some(0)
    }

    fn kind(&self, number: u16) -> Option<&Kind> {
        KindSet::builtin().kind(number)
    }

    fn linked(&self, subject: &Subject<'_>, kind: u16, by: u16) -> Vec<Related> {
        let of_kind = self.records.iter().filter(|(state, _)| state.kind == kind);
        let naming = of_kind.filter(|(state, owner)| {
            texts(state.fields.get(&by)).any(|text| {
                self.named(*owner, subject.kind.number(), text).map(|(found, _)| Some(found.id)) == Some(subject.id)
            })
        });
        naming.map(|(state, owner)| related(state, *owner)).collect()
    }

    fn target(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<Related> {
        self.named(owner, kind, text).map(|(state, owner)| related(state, *owner))
    }
}

fn related(state: &RecordState, owner: MemberNumber) -> Related {
    let (id, kind, fields) = (state.id, state.kind, state.fields.clone());
    Related { id, owner, kind, fields, created_ms: state.created_ms }
}
