//! Conditions: the small set of named predicates of which checks and transitions are made (`kinds/README.md`).
//!
//! A condition is judged about a [`Subject`], a record as it is or would be, in [`Surroundings`] that know the time, the
//! charter and the other records. What it lacks comes back as [`Unmet`], in the reader's words, so that a refusal names
//! everything that is missing and not only the first thing.
//!
//! [`Scope`] says who judges. An author judges everything; everybody else looks only at what all members read, so that
//! two nodes never disagree about what counts.

mod evaluate;
mod wording;

pub use evaluate::unmet;
pub(super) use evaluate::{amount, rank};

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Kind;
use super::filter::{Comparison, Filter};
use crate::identity::{EntryId, MemberNumber};
use crate::value::Value;

/// One named predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Every field has a value.
    Filled(Vec<u16>),
    /// No field has a value.
    Empty(Vec<u16>),
    /// The field is one of these, or an element of it is.
    Is(u16, Vec<Filter>),
    /// The field has a value and is none of these.
    IsNot(u16, Vec<Filter>),
    /// A figure or date is compared with a constant.
    Compared(Box<Filter>),
    /// A figure or date is compared with another field of the record.
    ComparedWith(u16, Comparison, u16),
    /// A list has so many elements.
    Count(u16, Bounds),
    /// The elements of a list add up so.
    Sum(u16, Comparison, Decimal),
    /// Lists have equally many elements.
    Aligned(Vec<u16>),
    /// Two dates in order, and not further apart than so many days.
    Span {
        /// The first.
        from: u16,
        /// The second.
        until: u16,
        /// Days between them at most.
        at_most_days: u32,
    },
    /// A day, and so many days more, is over.
    Past {
        /// The date.
        field: u16,
        /// Days of grace.
        days: u32,
    },
    /// The same is not so; a record without the date holds.
    NotPast {
        /// The date.
        field: u16,
        /// Days of grace.
        days: u32,
    },
    /// A date lies before the owner's admission.
    BeforeAdmission(u16),
    /// The record is in one of these states, by their names.
    State(Vec<String>),
    /// Records of a kind that name this one.
    Linked {
        /// Which.
        linked: Linked,
        /// How many.
        bounds: Bounds,
        /// Whether only the owner's own count.
        own: bool,
    },
    /// The record that a link field names keeps these.
    Target {
        /// The link field.
        field: u16,
        /// Kind of the record that it names.
        kind: u16,
        /// What it must keep.
        conditions: Vec<Condition>,
    },
    /// Of all records of this kind that name the same one, this was created first.
    FirstAmong(u16),
    /// One of these lists holds.
    Any(Vec<Vec<Condition>>),
}

/// Records of a kind that name a record in a link field, and keep conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// Their kind.
    pub kind: u16,
    /// Their link field.
    pub by: u16,
    /// What they must keep.
    pub conditions: Vec<Condition>,
}

/// How many there must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// At least so many.
    pub at_least: usize,
    /// At most so many.
    pub at_most: Option<usize>,
}

impl Bounds {
    fn hold(self, count: usize) -> bool {
        count >= self.at_least && self.at_most.is_none_or(|most| count <= most)
    }
}

/// Who judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The author, who sees every field.
    Author,
    /// Every member: conditions on fields that only the parties read are passed over.
    Everybody,
}

/// The record that is judged, as it is or would be.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its kind.
    pub kind: &'a Kind,
    /// Its id; `None` before it is published.
    pub id: Option<EntryId>,
    /// Its owner.
    pub owner: MemberNumber,
    /// Its fields.
    pub fields: &'a BTreeMap<u16, Value>,
    /// Who judges.
    pub scope: Scope,
}

/// Another record, as conditions look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Its id.
    pub id: EntryId,
    /// Its owner.
    pub owner: MemberNumber,
    /// Its kind.
    pub kind: u16,
    /// The fields that every member reads.
    pub fields: BTreeMap<u16, Value>,
    /// When it was created, by its author's clock.
    pub created_ms: u64,
}

/// What a condition needs to know beside the record.
pub trait Surroundings {
    /// The time of the judgement, in milliseconds since 1970 (UTC).
    fn as_of_ms(&self) -> u64;

    /// When a member was admitted first; `None` when it never was.
    fn admitted_ms(&self, member: MemberNumber) -> Option<u64>;

    /// The kind of that number.
    fn kind(&self, number: u16) -> Option<&Kind>;

    /// Whether other records are looked at. Where they are not, conditions on them hold: judgements never chase each
    /// other in a circle.
    fn follows_links(&self) -> bool {
        true
    }

    /// Records of `kind` that stand and name the record `subject` in their field `by`, in the order of their creation.
    fn linked(&self, subject: &Subject<'_>, kind: u16, by: u16) -> Vec<Related>;

    /// The record of `kind` that a text of a link field of `owner` names, if it stands.
    fn target(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<Related>;
}

/// The surroundings of a figure that rests on nothing but its record.
#[derive(Debug, Clone, Copy)]
pub struct Alone<'a> {
    /// Its kind.
    pub kind: &'a Kind,
    /// The time of the judgement.
    pub as_of_ms: u64,
}

impl Surroundings for Alone<'_> {
    fn as_of_ms(&self) -> u64 {
        self.as_of_ms
    }

    fn admitted_ms(&self, _: MemberNumber) -> Option<u64> {
        None
    }

    fn kind(&self, number: u16) -> Option<&Kind> {
        (self.kind.number() == number).then_some(self.kind)
    }

    fn follows_links(&self) -> bool {
        false
    }

    fn linked(&self, _: &Subject<'_>, _: u16, _: u16) -> Vec<Related> {
        Vec::new()
    }

    fn target(&self, _: MemberNumber, _: u16, _: &str) -> Option<Related> {
        None
    }
}

/// What is missing, for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unmet {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Condition {
    /// Whether it looks at other records, at the charter or at the clock: such a condition changes without the
    /// author's act.
    pub fn is_outward(&self) -> bool {
        match self {
            Self::Past { .. }
            | Self::NotPast { .. }
            | Self::BeforeAdmission(_)
            | Self::Linked { .. }
            | Self::Target { .. }
            | Self::FirstAmong(_) => true,
            Self::Any(lists) => lists.iter().flatten().any(Self::is_outward),
            _ => false,
        }
    }

    /// Whether it looks at other records.
    pub fn looks_at_records(&self) -> bool {
        match self {
            Self::Linked { .. } | Self::Target { .. } | Self::FirstAmong(_) => true,
            Self::Any(lists) => lists.iter().flatten().any(Self::looks_at_records),
            _ => false,
        }
    }

    /// A state that it names and that the kind it speaks of does not have: the kind and the name.
    pub(super) fn unknown_state(&self, kind: &Kind, kinds: &BTreeMap<u16, Kind>) -> Option<(String, String)> {
        let among = |conditions: &[Self], kind: Option<&Kind>| {
            let kind = kind?;
            conditions.iter().find_map(|condition| condition.unknown_state(kind, kinds))
        };
        match self {
            Self::State(names) => {
                let known = |name: &&String| {
                    let states = kind.lifecycle().map(|lifecycle| lifecycle.states()).unwrap_or_default();
                    states.iter().any(|state| state.name == **name)
                };
                names.iter().find(|name| !known(name)).map(|name| (kind.name().to_owned(), name.clone()))
            }
            Self::Linked { linked, .. } => among(&linked.conditions, kinds.get(&linked.kind)),
            Self::Target { kind: target, conditions, .. } => among(conditions, kinds.get(target)),
            Self::Any(lists) => lists.iter().find_map(|list| among(list, Some(kind))),
            _ => None,
        }
    }

    /// Whether it looks at a field that the one who judges must pass over.
    pub(super) fn is_hidden(&self, subject: &Subject<'_>) -> bool {
        subject.scope == Scope::Everybody && self.own_fields().iter().any(|field| subject.hides(*field))
    }

    /// The same, of any of its alternatives too.
    pub(super) fn is_hidden_within(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Any(lists) => lists.iter().flatten().any(|condition| condition.is_hidden_within(subject)),
            _ => self.is_hidden(subject),
        }
    }

    /// The fields of the record itself that it looks at.
    fn own_fields(&self) -> Vec<u16> {
        match self {
            Self::Filled(fields) | Self::Empty(fields) | Self::Aligned(fields) => fields.clone(),
            Self::Is(field, _)
            | Self::IsNot(field, _)
            | Self::Count(field, _)
            | Self::Sum(field, ..)
            | Self::Past { field, .. }
            | Self::NotPast { field, .. }
            | Self::BeforeAdmission(field)
            | Self::Target { field, .. }
            | Self::FirstAmong(field) => vec![*field],
            Self::Compared(filter) => vec![filter.field().number],
            Self::ComparedWith(field, _, other) => vec![*field, *other],
            Self::Span { from, until, .. } => vec![*from, *until],
            Self::State(_) | Self::Linked { .. } | Self::Any(_) => Vec::new(),
        }
    }
}
