//! Surveys: what the records of many members say together, and where something is missing.
//!
//! A survey looks at the records that count ([`crate::register`]) as of a time, and of them only at what every member
//! reads. So every node with the same charter, entries and kinds finds the same. Whoever goes through the records hands
//! them in one by one; a survey keeps counts and a bounded number of names, never the records.
//!
//! * [`competition`]: which counties of a prefecture state the same industry (F077).
//! * [`chain`]: which links of an industrial chain a place lacks, and where they are (F028).
//! * [`fund`]: which funds have made no investment for a year (F043).
//! * [`pool`]: needs of several counties that add up, and the draft of a joint one (F073).
//! * [`success`]: how many of the matches that were taken up led to an agreement (F074).
//! * [`ranking`]: records by a figure; the only one that may also look at what its reader alone may see (F053).
//!
//! [`place`] says in which county and prefecture a record is, [`industry`] what a code of an industry means. Unknown is
//! never a no: what cannot be told is counted beside, with some of the records in which it could be put right.

pub mod chain;
pub mod competition;
pub mod fund;
pub mod industry;
pub mod place;
pub mod pool;
pub mod ranking;
pub mod success;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::identity::{EntryId, MemberNumber};
use crate::kind::{Field, Kind, KindSet, Position};
use crate::limits::SURVEY_SHOWN_MAX;
use crate::register::Judged;
use crate::value::{Date, Value};
use crate::view::{BodySource, Label, RecordState, View};

/// A record that counts, as surveys look at it.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// Its kind.
    pub kind: &'a Kind,
    /// As everybody finds it.
    pub state: &'a RecordState,
    /// Whose it is.
    pub owner: MemberNumber,
    /// The division that the charter gives its owner, if that is a county; may be empty.
    pub region: &'a str,
}

/// What a survey asks beside the records that it is handed.
pub trait Surrounding {
    /// The record of a kind that a text in a link field of `owner` names.
    fn named(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<EntryId>;

    /// The fields of a record after each of its statements that count, the first one first.
    fn held(&self, record: &Counted<'_>) -> Vec<BTreeMap<u16, Value>>;
}

/// A record that a survey names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its id.
    pub id: EntryId,
    /// Its label.
    pub label: Label,
    /// Its kind.
    pub kind: u16,
    /// Whose it is.
    pub owner: MemberNumber,
    /// What it is called.
    pub title: String,
}

/// Records of one sort: how many, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// How many there are.
    pub records: usize,
    /// The first of them, at most [`SURVEY_SHOWN_MAX`].
    pub shown: Vec<Source>,
}

impl Sources {
    /// Takes in one more.
    fn add(&mut self, record: &Counted<'_>) {
        self.push(|| record.source());
    }

    fn push(&mut self, source: impl FnOnce() -> Source) {
        self.records += 1;
        if self.shown.len() < SURVEY_SHOWN_MAX {
            self.shown.push(source());
        }
    }
}

impl Counted<'_> {
    /// The record by its names.
    pub fn source(&self) -> Source {
        Source {
            id: self.state.id,
            label: self.state.label,
            kind: self.state.kind,
            owner: self.owner,
            title: self.kind.title(&self.state.fields),
        }
    }

    /// The field of that identifier, if the kind has it and every member reads it.
    fn field(&self, name: &str) -> Option<&Field> {
        self.kind.field_named(name).filter(|field| field.name == name && !field.is_local() && !field.is_confidential())
    }

    /// The value of a field; the elements of a list.
    pub fn values(&self, field: &str) -> &[Value] {
        match self.field(field).and_then(|field| self.state.fields.get(&field.number)) {
            Some(Value::List { values, .. }) => values,
            Some(scalar) => std::slice::from_ref(scalar),
            None => &[],
        }
    }

    /// The texts and choices of a field.
    pub fn texts(&self, field: &str) -> impl Iterator<Item = &str> {
        self.values(field).iter().filter_map(|value| match value {
            Value::Text(text) | Value::Choice(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The codes of a field.
    pub fn codes(&self, field: &str) -> impl Iterator<Item = &str> {
        self.values(field).iter().filter_map(|value| match value {
            Value::Code { code, .. } => Some(code.as_str()),
            _ => None,
        })
    }

    /// The date of a field.
    pub fn date(&self, field: &str) -> Option<Date> {
        match self.values(field).first()? {
            Value::Date(date) => Some(*date),
            _ => None,
        }
    }

    /// The state in which the record stands at a time, by its identifier; `None` where its word is no state, or it has
    /// none.
    pub fn state_at(&self, as_of_ms: u64) -> Option<&str> {
        let lifecycle = self.kind.lifecycle()?;
        match lifecycle.position_at(&self.state.fields, as_of_ms) {
            Position::State(state) => lifecycle.states().get(state).map(|state| state.name.as_str()),
            Position::Unmapped(_) | Position::Blank => None,
        }
    }

    /// The records that the texts of a link field name.
    fn linked<'s>(&'s self, field: &str, surrounding: &'s dyn Surrounding) -> impl Iterator<Item = EntryId> + 's {
        let target = self.field(field).and_then(Field::link_number);
        let texts: Vec<&str> = self.texts(field).collect();
        let named = move |text: &str| surrounding.named(self.owner, target?, text);
        texts.into_iter().filter_map(named)
    }
}

/// The fields of a record after each of its statements that count, the first one first.
pub fn held(view: &View, bodies: &dyn BodySource, judged: &Judged, as_of_ms: u64) -> Vec<BTreeMap<u16, Value>> {
    let id = judged.state.id;
    let versions = view.versions(&id, as_of_ms);
    let mut held = Vec::new();
    let mut counts = |step: &crate::view::Step<'_>| {
        let counted = !judged.uncounted.iter().any(|uncounted| uncounted.entry == step.version.entry);
        if counted {
            held.push(step.after());
        }
        counted
    };
    view.fold_counting(&id, &versions, bodies, &mut counts);
    held
}

/// The numbers of the kinds of these names, those that the set has.
pub fn numbers(kinds: &KindSet, names: &[&str]) -> Vec<u16> {
    names.iter().filter_map(|name| kinds.kind_named(name)).map(Kind::number).collect()
}

/// A value as its author wrote it, a number with its unit.
fn shown(field: &Field, value: &Value) -> String {
    let text = field.render(value);
    match text.ends_with(|last: char| last.is_ascii_digit()) {
        true => format!("{text}{}", field.unit().unwrap_or_default()),
        false => text,
    }
}
