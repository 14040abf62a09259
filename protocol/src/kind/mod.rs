//! Kinds as data (DESIGN 6.3): what a record is, which fields it has and what each field may hold.
//!
//! One TOML file per kind under `kinds/` says everything; the validator, the importer, forms, lists, filters and the
//! command line are driven by it. Adding a kind is adding a file. Reading from the top:
//!
//! * [`KindSet`] holds the kinds and hashes them; [`KindSet::builtin`] is the set of this build.
//! * [`Kind`] and [`Field`] are one file, parsed and checked, so that nobody has to check it again.
//! * [`Field::parse`] and [`Field::render`] turn a cell into a value and back without losing anything.
//! * [`Kind::validate`] judges the fields of a record; [`Kind::withheld`] says what must not leave the node, and every
//!   publishing path asks it.
//! * [`sheet`] compares a sheet with what was published and plans the difference; [`filter`] screens records.
//! * [`document`] writes the page about a set of kinds.
//!
//! * [`condition`] is the small set of predicates; checks and [`lifecycle`]s are made of them, and [`derived`] figures
//!   stand beside them.
//!
//! `kinds/README.md` is the reference of the files. A parser refuses keys that it does not know, so that a build which
//! lacks them says "update needed" instead of guessing.
//!
//! Numbers of kinds and fields are never used again. `kinds/LOCK.toml` repeats them, and a test compares.

pub mod codes;
pub mod condition;
pub mod derived;
pub mod document;
pub mod filter;
pub mod lifecycle;
pub mod sheet;

mod cell;
mod check;
mod date;
mod field;
mod file;
mod notice;
mod number;
mod numeral;
mod period;
mod personal;
mod rule;
mod set;
mod text;
mod unit;
mod validate;
mod withhold;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use cell::display_unknown;
pub use check::{Check, Level, Mark};
pub use field::{Field, FieldRole, FieldType, Readers};
pub(crate) use file::ConditionFile;
pub use file::KindFileError;
pub use lifecycle::{Lifecycle, Position};
pub use period::Period;
pub use rule::{Notice, Rule, RuleBroken};
pub use set::{KIND_SET_VERSION, KindSet};
pub use text::normalise_header;
pub use unit::{amount_in, are_alike, convert, unit_symbol};
pub use withhold::{Withheld, WithholdRule};

use crate::charter::{Class, Role};
use crate::value::Value;
use derived::Derived;
use withhold::Withholding;

/// The classes of member that a kind file may name as writers.
pub const MEMBER_CLASSES: [&str; 5] = ["county", "fund", "agency", "secretariat", "observer"];
/// Numbers below this belong to the system (DESIGN 6.2).
pub const KIND_NUMBER_MIN: u16 = 100;

/// Who reads records of a kind unless their author says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KindReaders {
    /// Everybody in the federation.
    All,
    /// The author's node only: no record of the kind is ever published.
    Local,
    /// The author and the members that the author names.
    Parties,
    /// The members of a class.
    Class(Class),
    /// The members that hold a seat in a role.
    Role(Role),
}

/// One kind of record, as its file declares it. Only a checked file makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    number: u16,
    name: String,
    zh: String,
    en: String,
    writers: BTreeSet<String>,
    readers: KindReaders,
    title: u16,
    external: u16,
    member: Option<u16>,
    facets: Vec<u16>,
    fields: BTreeMap<u16, Field>,
    /// The numbers of the fields that every record has.
    obligatory: Vec<u16>,
    requirement: String,
    about_zh: String,
    about_en: String,
    sheet_names: Vec<String>,
    withhold: Withholding,
    checks: Vec<Check>,
    lifecycle: Option<Lifecycle>,
    derived: Vec<Derived>,
    /// Normalised names and headers, each with the field that it means.
    names: BTreeMap<String, u16>,
}

impl Kind {
    /// The number on the wire.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The identifier, for instance `resource`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Chinese name, for instance 资源.
    pub fn zh(&self) -> &str {
        &self.zh
    }

    /// The English name, for instance `Resource`.
    pub fn en(&self) -> &str {
        &self.en
    }

    /// The id in the requirements, for instance `R53`; empty when it has none.
    pub fn requirement(&self) -> &str {
        &self.requirement
    }

    /// What it is and who writes it, in Chinese.
    pub fn about_zh(&self) -> &str {
        &self.about_zh
    }

    /// What it is and who writes it, in English.
    pub fn about_en(&self) -> &str {
        &self.about_en
    }

    /// Other names under which a sheet of such records goes.
    pub fn sheet_names(&self) -> &[String] {
        &self.sheet_names
    }

    /// The checks beside the types of the fields.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Its lifecycle, if it has one.
    pub fn lifecycle(&self) -> Option<&Lifecycle> {
        self.lifecycle.as_ref()
    }

    /// The figures that every node computes.
    pub fn derived(&self) -> &[Derived] {
        &self.derived
    }

    /// Whether some fields are sealed for the parties while the others are for everybody.
    pub fn has_confidential_fields(&self) -> bool {
        self.fields().any(Field::is_confidential)
    }

    /// Whether a member of `class` (one of [`MEMBER_CLASSES`]) may write records of this kind.
    pub fn may_write(&self, class: &str) -> bool {
        self.writers.contains(class)
    }

    /// The classes that may write records of this kind.
    pub fn writers(&self) -> impl Iterator<Item = &str> {
        self.writers.iter().map(String::as_str)
    }

    /// Who reads records of this kind unless their author says otherwise.
    pub fn readers(&self) -> KindReaders {
        self.readers
    }

    /// Whether records of this kind stay on their author's node, whatever the author says.
    pub fn is_local(&self) -> bool {
        self.readers == KindReaders::Local
    }

    /// The fields in ascending order of their numbers.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.values()
    }

    /// The field of that number.
    pub fn field(&self, number: u16) -> Option<&Field> {
        self.fields.get(&number)
    }

    /// The field that goes by `name`: its identifier, its Chinese or English name, or a header of it.
    pub fn field_named(&self, name: &str) -> Option<&Field> {
        self.fields.get(self.names.get(&normalise_header(name))?)
    }

    /// The field that names a record for people.
    pub fn title_field(&self) -> &Field {
        &self.fields[&self.title]
    }

    /// The field that holds the author's own number.
    pub fn external_field(&self) -> &Field {
        &self.fields[&self.external]
    }

    /// The field that says in a sheet of many members whose row it is.
    pub fn member_field(&self) -> Option<&Field> {
        self.fields.get(&self.member?)
    }

    /// The fields that lists and filters show, in the order of the file.
    pub fn facets(&self) -> impl Iterator<Item = &Field> {
        self.facets.iter().filter_map(|number| self.fields.get(number))
    }

    /// What must not leave the node.
    pub fn withhold_rules(&self) -> &[WithholdRule] {
        self.withhold.rules()
    }

    /// The title of a record with these fields, empty when it has none.
    pub fn title(&self, fields: &BTreeMap<u16, Value>) -> String {
        fields.get(&self.title).map(|value| self.title_field().display(value)).unwrap_or_default()
    }
}
