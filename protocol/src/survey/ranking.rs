//! Records ranked by a figure: a field of theirs, a derived figure, or a sum of such (F053).
//!
//! Records of one figure share a place. A record that lacks a part of the figure comes last, unranked and counted, and
//! so does one whose figure is in a currency or unit that does not convert. Words such as 约 do not move a figure.
//!
//! This survey alone may be handed what its reader alone may see; its caller says so beside it.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use thiserror::Error;

use super::Source;
use crate::identity::{EntryId, MemberNumber};
use crate::kind::condition::Alone;
use crate::kind::condition::{Scope, Subject};
use crate::kind::derived::{Derived, Formula};
use crate::kind::{Field, FieldType, Kind, amount_in};
use crate::value::Value;
use crate::view::Label;

/// Parts of one figure.
pub const TERMS_MAX: usize = 12;

/// Why a figure cannot be ranked by.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MeasureError {
    /// There is no such field or figure.
    #[error("kind {kind_en} has no figure `{given}`; there are {known}")]
    Unknown {
        /// What was given.
        given: String,
        /// The kind, in Chinese.
        kind_zh: String,
        /// The kind, in English.
        kind_en: String,
        /// What there is.
        known: String,
    },
    /// The parts are in different units.
    #[error("{left} and {right} are not in one unit and cannot be added")]
    Units {
        /// One.
        left: String,
        /// Another.
        right: String,
    },
    /// There are too many parts, or none.
    #[error("a figure has 1 to {TERMS_MAX} parts")]
    Terms,
}

/// What records are ranked by.
#[derive(Debug, Clone)]
pub struct Measure {
    terms: Vec<Term>,
    /// The unit; empty of plain numbers.
    pub unit: String,
}

/// One part of a figure.
#[derive(Debug, Clone)]
enum Term {
    Field(Field),
    Derived(Derived),
}

/// A record with its figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// Its place, from 1; records of one figure share it.
    pub place: usize,
    /// The record.
    pub source: Source,
    /// The exact figure.
    pub amount: Decimal,
}

/// The first so many records by a figure, and how many have none.
#[derive(Debug, Clone)]
pub struct Ranking {
    ascending: bool,
    bound: usize,
    held: BTreeMap<(Decimal, Label), Source>,
    /// Records with a figure.
    pub known: usize,
    /// Records without it.
    pub unknown: usize,
}

impl Measure {
    /// A figure from its text: names of fields or derived figures of the kind, joined by `+`.
    pub fn parse(kind: &Kind, text: &str) -> Result<Self, MeasureError> {
        let names: Vec<&str> = text.split(['+', '＋']).map(str::trim).filter(|name| !name.is_empty()).collect();
        if !(1..=TERMS_MAX).contains(&names.len()) {
            return Err(MeasureError::Terms);
        }
        let terms: Vec<Term> = names.iter().map(|name| Term::parse(kind, name)).collect::<Result<_, _>>()?;
        let unit = terms.first().map(|term| term.unit().to_owned()).unwrap_or_default();
        if let Some(other) = terms.iter().find(|term| term.unit() != unit) {
            let left = terms.first().map(Term::zh).unwrap_or_default();
            return Err(MeasureError::Units { left: left.to_owned(), right: other.zh().to_owned() });
        }
        Ok(Self { terms, unit })
    }

    /// Its parts: identifier and Chinese name of each.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.terms.iter().map(|term| match term {
            Term::Field(field) => (field.name.as_str(), field.zh.as_str()),
            Term::Derived(derived) => (derived.name.as_str(), derived.zh.as_str()),
        })
    }

    /// Whether other records must be looked at for it.
    pub fn looks_at_records(&self) -> bool {
        self.terms.iter().any(|term| match term {
            Term::Field(_) => false,
            Term::Derived(derived) => {
                matches!(derived.formula, Formula::Sum(..) | Formula::Count(_) | Formula::Rank(_))
            }
        })
    }

    /// Whether a part of it is derived.
    pub fn is_derived(&self) -> bool {
        self.terms.iter().any(|term| matches!(term, Term::Derived(_)))
    }

    /// The figure of a record; `derived` gives its derived figures by identifier, exactly and in their units.
    pub fn of(&self, fields: &BTreeMap<u16, Value>, derived: &dyn Fn(&str) -> Option<Decimal>) -> Option<Decimal> {
        self.terms.iter().try_fold(Decimal::ZERO, |sum, term| {
            let amount = match term {
                Term::Field(field) => amount_of(field, fields.get(&field.number)?)?,
                Term::Derived(figure) => derived(&figure.name)?,
            };
            sum.checked_add(amount)
        })
    }

    /// The derived figures of a record that rest on nothing but its own fields.
    pub fn own_figures(kind: &Kind, fields: &BTreeMap<u16, Value>, as_of_ms: u64) -> BTreeMap<String, Decimal> {
        let owner = MemberNumber(0);
        let subject = Subject { kind, id: None, owner, fields, scope: Scope::Author };
        let figures = kind.figures(&subject, &Alone { kind, as_of_ms });
        figures.into_iter().filter_map(|figure| Some((figure.name, figure.amount?))).collect()
    }
}

impl Term {
    fn parse(kind: &Kind, name: &str) -> Result<Self, MeasureError> {
        if let Some(field) = kind.field_named(name).filter(|field| is_figure(field)) {
            return Ok(Self::Field(field.clone()));
        }
        let goes_by = |derived: &&Derived| derived.name == name || derived.zh == name || derived.en == name;
        let derived = kind.derived().iter().filter(|derived| is_one_figure(derived)).find(goes_by);
        derived.map(|derived| Self::Derived(derived.clone())).ok_or_else(|| {
            let fields = kind.fields().filter(|field| is_figure(field)).map(|field| field.zh.as_str());
            let derived =
                kind.derived().iter().filter(|derived| is_one_figure(derived)).map(|derived| derived.zh.as_str());
            MeasureError::Unknown {
                given: name.to_owned(),
                kind_zh: kind.zh().to_owned(),
                kind_en: kind.en().to_owned(),
                known: fields.chain(derived).collect::<Vec<_>>().join("、"),
            }
        })
    }

    fn unit(&self) -> &str {
        match self {
            Self::Field(field) => field.unit().unwrap_or_default(),
            Self::Derived(derived) => &derived.unit,
        }
    }

    fn zh(&self) -> &str {
        match self {
            Self::Field(field) => &field.zh,
            Self::Derived(derived) => &derived.zh,
        }
    }
}

impl MeasureError {
    /// What is wrong, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Unknown { given, kind_zh, known, .. } => {
                format!("“{kind_zh}”没有可排序的数字“{given}”；可用：{known}。")
            }
            Self::Units { left, right } => format!("“{left}”和“{right}”单位不同，不能相加。"),
            Self::Terms => format!("排序的数字写 1 至 {TERMS_MAX} 项，用 + 相连。"),
        }
    }
}

fn is_figure(field: &Field) -> bool {
    let number = matches!(field.field_type, FieldType::Decimal | FieldType::Quantity { .. } | FieldType::Money { .. });
    number && !field.list && !field.is_local()
}

fn is_one_figure(derived: &Derived) -> bool {
    !matches!(derived.formula, Formula::Split { .. })
}

/// The number of a value in the unit of its field.
fn amount_of(field: &Field, value: &Value) -> Option<Decimal> {
    amount_in(value, field.unit().unwrap_or_default())
}

impl Ranking {
    /// The first `bound` records, the greatest first unless `ascending`.
    pub fn new(bound: usize, ascending: bool) -> Self {
        Self { ascending, bound, held: BTreeMap::new(), known: 0, unknown: 0 }
    }

    /// Takes in a record.
    pub fn take(&mut self, amount: Option<Decimal>, source: impl FnOnce() -> Source) {
        let Some(amount) = amount else {
            self.unknown += 1;
            return;
        };
        self.known += 1;
        let signed = if self.ascending { amount } else { -amount };
        let last = self.held.last_key_value().map(|((last, _), _)| *last);
        if self.held.len() >= self.bound && last.is_none_or(|last| last < signed) {
            return;
        }
        let source = source();
        self.held.insert((signed, source.label), source);
        if self.held.len() > self.bound {
            self.held.pop_last();
        }
    }

    /// The ids of the records that are held now: others need not be kept.
    pub fn ids(&self) -> BTreeSet<EntryId> {
        self.held.values().map(|source| source.id).collect()
    }

    /// The records in order.
    pub fn finish(self) -> Vec<Ranked> {
        let (mut place, mut last) = (0, None);
        let ascending = self.ascending;
        let each = self.held.into_iter().enumerate().map(|(index, ((signed, _), source))| {
            if last != Some(signed) {
                (place, last) = (index + 1, Some(signed));
            }
            Ranked { place, source, amount: if ascending { signed } else { -signed } }
        });
        each.collect()
    }
}
