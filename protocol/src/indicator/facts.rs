//! What one record contributes to figures, as far as that does not depend on the time of the question.
//!
//! Lifecycles move records by time alone; whoever keeps facts renews those of a record when time moved it.

use rust_decimal::Decimal;

use super::definition::{Amount, Confirmed, Definitions, Source};
use super::file::entered_kind;
use crate::identity::{EntryId, MemberNumber};
use crate::kind::condition::{Scope, Subject, Surroundings};
use crate::kind::derived::Addend;
use crate::kind::{Field, Kind, Period, convert};
use crate::value::{Date, Value};
use crate::view::RecordState;

/// What a record contributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whose it is.
    pub owner: MemberNumber,
    /// Its kind.
    pub kind: u16,
    /// When it was created, by its author's clock.
    pub created_ms: u64,
    pub(super) pieces: Vec<Piece>,
    pub(super) entered: Option<Box<Entered>>,
}

/// What it adds in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) slot: usize,
    pub(super) date: Option<Date>,
    pub(super) said: Said,
    pub(super) is_confirmed: bool,
    /// Records with the same are one thing.
    pub(super) once: Option<[u8; 16]>,
    pub(super) groups: Vec<String>,
    /// Counties by code with their shares in percent.
    pub(super) shares: Vec<(String, Decimal)>,
}

/// What it says of the figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing.
    Unknown,
    /// A figure that must not be added.
    LeftOut,
    /// This.
    Amount(Decimal),
}

/// A value that was entered for an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) code: String,
    /// `None` where the record states no value, or not where it comes from.
    pub(super) value: Option<Decimal>,
    pub(super) first: Option<Date>,
    pub(super) last: Option<Date>,
}

/// What facts need beside [`Surroundings`]: which record a text names.
pub trait Naming {
    /// The record of `kind` that a text in a link field of `owner` names.
    fn named(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<EntryId>;
}

impl<F: Fn(MemberNumber, u16, &str) -> Option<EntryId>> Naming for F {
    fn named(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<EntryId> {
        self(owner, kind, text)
    }
}

/// What a record that counts contributes; `None` when no figure looks at its kind.
pub fn facts(
    definitions: &Definitions,
    kind: &Kind,
    state: &RecordState,
    owner: MemberNumber,
    surroundings: &dyn Surroundings,
    naming: &dyn Naming,
) -> Option<Facts> {
    if !definitions.knows(kind.number()) {
        return None;
    }
    let subject = Subject { kind, id: Some(state.id), owner, fields: &state.fields, scope: Scope::Everybody };
    let looked = Looked { subject, surroundings, naming };
    let sources = definitions.by_kind.get(&kind.number()).into_iter().flatten();
    let entered = (kind.number() == entered_kind()).then(|| looked.entered()).flatten();
    Some(Facts {
        owner,
        kind: kind.number(),
        created_ms: state.created_ms,
        pieces: sources.filter_map(|source| looked.piece(source)).collect(),
        entered: entered.map(Box::new),
    })
}

/// The days from one date to another. Nothing ends before it begins: such a figure must not be added; where a date is no
/// day and may lie on either side of the other, nothing is known.
fn days(from: Date, until: Date) -> Said {
    let days = from.last_day().days_until(until.last_day());
    match days >= 0 {
        true => Said::Amount(Decimal::from(days)),
        false if from.first_day() <= until.last_day() => Said::Unknown,
        false => Said::LeftOut,
    }
}

struct Looked<'a> {
    subject: Subject<'a>,
    surroundings: &'a dyn Surroundings,
    naming: &'a dyn Naming,
}

impl Looked<'_> {
    fn piece(&self, source: &Source) -> Option<Piece> {
        let holds = |condition| crate::kind::condition::Condition::holds(condition, &self.subject, self.surroundings);
        if !source.conditions.iter().all(holds) {
            return None;
        }
        let is_known = source.needs.iter().all(|field| self.value(*field).is_some());
        if is_known && !source.further.iter().all(holds) {
            return None;
        }
        let date = source.date.and_then(|field| match self.value(field) {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        });
        let said = if is_known && (source.date.is_none() || date.is_some()) {
            self.said(&source.amount)
        } else {
            Said::Unknown
        };
        Some(Piece {
            slot: source.slot,
            date,
            said: if source.is_group { Said::Amount(Decimal::ZERO) } else { said },
            is_confirmed: self.is_confirmed(source.confirmed),
            once: self.once(&source.once),
            groups: self.groups(source),
            shares: source.shares.map(|(codes, shares)| self.shares(codes, shares)).unwrap_or_default(),
        })
    }

    fn value(&self, field: u16) -> Option<&Value> {
        self.subject.fields.get(&field)
    }

    fn elements(&self, field: u16) -> &[Value] {
        match self.value(field) {
            Some(Value::List { values, .. }) => values,
            Some(scalar) => std::slice::from_ref(scalar),
            None => &[],
        }
    }

    fn said(&self, amount: &Amount) -> Said {
        match amount {
            Amount::One => Said::Amount(Decimal::ONE),
            Amount::Elements(field) => Said::Amount(Decimal::from(self.elements(*field).len())),
            Amount::Days(from, until) => match (self.value(*from), self.value(*until)) {
                (Some(Value::Date(from)), Some(Value::Date(until))) => days(*from, *until),
                _ => Said::Unknown,
            },
            Amount::Field(number, unit) => {
                let Some(field) = self.subject.kind.field(*number) else { return Said::Unknown };
                let Subject { kind, owner, fields, .. } = self.subject;
                match kind.addend(field, owner, fields, self.surroundings) {
                    Addend::None => Said::Unknown,
                    Addend::LeftOut => Said::LeftOut,
                    Addend::Amount(amount) => {
                        let own = field.unit().unwrap_or_default();
                        let converted = if own == unit { Some(amount) } else { convert(amount, own, unit) };
                        converted.map_or(Said::LeftOut, Said::Amount)
                    }
                }
            }
        }
    }

    fn is_confirmed(&self, confirmed: Confirmed) -> bool {
        match confirmed {
            Confirmed::Never => false,
            Confirmed::Always => true,
            Confirmed::By(kind, by) => {
                let naming = self.surroundings.linked(&self.subject, kind, by);
                naming.iter().any(|related| related.owner != self.subject.owner)
            }
        }
    }

    /// What makes records one thing; `None` unless every field is given.
    fn once(&self, fields: &[u16]) -> Option<[u8; 16]> {
        if fields.is_empty() {
            return None;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.subject.kind.number().to_le_bytes());
        for number in fields {
            hasher.update(&number.to_le_bytes());
            let text = self.subject.kind.field(*number)?.render(self.value(*number)?);
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize().as_bytes().first_chunk().copied()
    }

    /// The groups that it belongs to: of a link the records that it names, of another field its texts.
    fn groups(&self, source: &Source) -> Vec<String> {
        if source.is_group {
            return self.subject.id.map(|id| id.to_string()).into_iter().collect();
        }
        let Some(field) = source.by.and_then(|number| self.subject.kind.field(number)) else { return Vec::new() };
        let named = |field: &Field, text: String| {
            let target = field.link_number()?;
            self.naming.named(self.subject.owner, target, &text).map(|id| id.to_string())
        };
        let texts = self.elements(field.number).iter().filter_map(|value| match value {
            Value::Text(text) | Value::Choice(text) => Some(text.clone()),
            _ => None,
        });
        match field.link_number() {
            Some(_) => texts.filter_map(|text| named(field, text)).collect(),
            None => texts.collect(),
        }
    }

    /// Codes and shares, where there are as many of the one as of the other.
    fn shares(&self, codes: u16, shares: u16) -> Vec<(String, Decimal)> {
        let (codes, shares) = (self.elements(codes), self.elements(shares));
        if codes.len() != shares.len() {
            return Vec::new();
        }
        let pairs = codes.iter().zip(shares).map(|pair| match pair {
            (Value::Code { code, .. }, Value::Quantity { number, .. }) => Some((code.clone(), number.amount())),
            _ => None,
        });
        pairs.collect::<Option<Vec<_>>>().unwrap_or_default()
    }

    fn entered(&self) -> Option<Entered> {
        let kind = self.subject.kind;
        let value =
            |name: &str| kind.fields().find(|field| field.name == name).and_then(|field| self.value(field.number));
        let text = |name: &str| match value(name) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let has_source = text("source").is_some() || value("computed_from").is_some();
        let amount = match value("value") {
            Some(Value::Decimal(number)) if has_source => Some(number.amount()),
            _ => None,
        };
        let period = text("value_period").and_then(Period::parse);
        Some(Entered {
            code: text("indicator_number")?.to_owned(),
            value: amount,
            first: period.and_then(|period| period.first_day()),
            last: period.and_then(|period| period.last_day()),
        })
    }
}
