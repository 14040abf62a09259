//! Figures that every node computes from what records say, exactly, and rounds only for people.
//!
//! What must not be added is left out and counted: figures flagged as cumulative, and those whose basis says so
//! (REQUIREMENTS F051, F067).

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::condition::{Condition, Linked, Related, Scope, Subject, Surroundings, amount, rank};
use super::{Field, Kind, unit};
use crate::identity::MemberNumber;
use crate::value::{NumberFlags, Value};

/// Decimals that people are shown.
const DECIMALS_SHOWN: u32 = 2;

/// A figure of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// The identifier, for instance `investment_per_mu`.
    pub name: String,
    /// The Chinese name.
    pub zh: String,
    /// The English name.
    pub en: String,
    /// The unit; empty for counts and places.
    pub unit: String,
    /// How it is computed.
    pub formula: Formula,
    /// A field of the record that states the same figure.
    pub against: Option<u16>,
}

/// How a figure is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formula {
    /// One field divided by another.
    Ratio(u16, u16),
    /// A field of linked records, added up.
    Sum(Linked, u16),
    /// How many linked records there are.
    Count(Linked),
    /// The record's place among those of its kind that name the same one.
    Rank(u16),
    /// An amount, divided among parties by shares in percent.
    Split {
        /// The amount.
        amount: u16,
        /// The parties.
        parties: u16,
        /// Their shares.
        shares: u16,
    },
    /// Days from one date to another.
    Days(u16, u16),
}

/// A figure as it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The identifier.
    pub name: String,
    /// The Chinese name.
    pub zh: String,
    /// The English name.
    pub en: String,
    /// The figure for people, with its unit.
    pub text: String,
    /// The exact figure, in its unit; `None` where there are several.
    pub amount: Option<Decimal>,
    /// Records that it was computed from, where there are others.
    pub records: usize,
    /// Records that name this one and were left out, because their figures must not be added.
    pub left_out: usize,
    /// The stated figure less this one, in its unit, if the record states one.
    pub gap: Option<Decimal>,
}

impl Kind {
    /// The figures of a record, those that its fields and the other records allow.
    pub fn figures(&self, subject: &Subject<'_>, surroundings: &dyn Surroundings) -> Vec<Figure> {
        self.derived().iter().filter_map(|derived| derived.compute(subject, surroundings)).collect()
    }
}

impl Derived {
    fn compute(&self, subject: &Subject<'_>, surroundings: &dyn Surroundings) -> Option<Figure> {
        match &self.formula {
            Formula::Ratio(above, below) => {
                let (over, under) = self.unit.split_once('/')?;
                let (above, below) = (subject.fields.get(above)?, subject.fields.get(below)?);
                let (above, below) = (unit::amount_in(above, over)?, unit::amount_in(below, under)?);
                Some(self.figure(above.checked_div(below)?))
            }
            Formula::Sum(linked, field) => self.sum(linked, *field, subject, surroundings),
            Formula::Count(linked) => {
                let records = linked.find(subject, surroundings, false).count();
                Some(Figure { records, ..self.figure(Decimal::from(records)) })
            }
            Formula::Rank(field) => Some(self.figure(Decimal::from(rank(subject, *field, surroundings)?))),
            Formula::Split { amount: whole, parties, shares } => self.split(subject, *whole, *parties, *shares),
            Formula::Days(from, until) => match (subject.fields.get(from)?, subject.fields.get(until)?) {
                (Value::Date(from), Value::Date(until)) => {
                    Some(self.figure(Decimal::from(from.last_day().days_until(until.last_day()))))
                }
                _ => None,
            },
        }
    }

    fn figure(&self, amount: Decimal) -> Figure {
        Figure {
            name: self.name.clone(),
            zh: self.zh.clone(),
            en: self.en.clone(),
            text: format!("{}{}", rounded(amount), self.unit),
            amount: Some(amount),
            records: 0,
            left_out: 0,
            gap: None,
        }
    }

    fn sum(
        &self,
        linked: &Linked,
        field: u16,
        subject: &Subject<'_>,
        surroundings: &dyn Surroundings,
    ) -> Option<Figure> {
        let kind = surroundings.kind(linked.kind)?;
        let (mut total, mut records, mut left_out) = (Decimal::ZERO, 0, 0);
        for related in linked.find(subject, surroundings, false) {
            let Some(value) = related.fields.get(&field) else { continue };
            let amount =
                unit::amount_in(value, &self.unit).filter(|_| is_additive(kind, field, value, &related, surroundings));
            // One figure that does not add, say in another currency, must not take the whole sum away.
            match amount.and_then(|amount| total.checked_add(amount)) {
                Some(sum) => (total, records) = (sum, records + 1),
                None => left_out += 1,
            }
        }
        if records + left_out == 0 {
            return None;
        }
        let stated = self.against.and_then(|field| subject.fields.get(&field));
        let gap = stated.and_then(|value| unit::amount_in(value, &self.unit)?.checked_sub(total));
        Some(Figure { records, left_out, gap, ..self.figure(total) })
    }

    fn split(&self, subject: &Subject<'_>, whole: u16, parties: u16, shares: u16) -> Option<Figure> {
        let whole = unit::amount_in(subject.fields.get(&whole)?, &self.unit)?;
        let (parties, shares) = match (subject.fields.get(&parties)?, subject.fields.get(&shares)?) {
            (Value::List { values: parties, .. }, Value::List { values: shares, .. })
                if parties.len() == shares.len() =>
            {
                (parties, shares)
            }
            _ => return None,
        };
        let parts = parties.iter().zip(shares).map(|(party, share)| {
            let Value::Text(party) = party else { return None };
            let part = whole.checked_mul(amount(share)?)?.checked_div(Decimal::ONE_HUNDRED)?;
            Some(format!("{party} {}{}", rounded(part), self.unit))
        });
        let text = parts.collect::<Option<Vec<_>>>()?.join("；");
        Some(Figure { text, amount: None, ..self.figure(whole) })
    }
}

/// What a record adds to a sum over records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addend {
    /// It does not state the figure.
    None,
    /// Its figure, in the field's unit.
    Amount(Decimal),
    /// Its figure must not be added: it is cumulative, of another basis, or of another unit or currency.
    LeftOut,
}

impl Kind {
    /// What a record of `owner` with these fields adds to a sum of `field`.
    pub fn addend(
        &self,
        field: &Field,
        owner: MemberNumber,
        fields: &BTreeMap<u16, Value>,
        surroundings: &dyn Surroundings,
    ) -> Addend {
        let Some(value) = fields.get(&field.number) else { return Addend::None };
        let subject = Subject { kind: self, id: None, owner, fields, scope: Scope::Everybody };
        let by_basis = field.additive_when().is_none_or(|basis| basis.holds(&subject, surroundings));
        let amount = unit::amount_in(value, field.unit().unwrap_or_default());
        amount
            .filter(|_| by_basis && !flags(value).contains(NumberFlags::CUMULATIVE))
            .map_or(Addend::LeftOut, Addend::Amount)
    }
}

fn flags(value: &Value) -> NumberFlags {
    match value {
        Value::Decimal(number) | Value::Quantity { number, .. } | Value::Money { number, .. } => number.flags,
        _ => NumberFlags::default(),
    }
}

/// Whether a figure of a record may be added to those of others.
fn is_additive(kind: &Kind, field: u16, value: &Value, record: &Related, surroundings: &dyn Surroundings) -> bool {
    let basis: Option<&Condition> = kind.field(field).and_then(Field::additive_when);
    let by_basis = basis.is_none_or(|basis| record.keeps(std::slice::from_ref(basis), surroundings));
    by_basis && !flags(value).contains(NumberFlags::CUMULATIVE)
}

/// Half up, to the decimals that people are shown.
fn rounded(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(DECIMALS_SHOWN, RoundingStrategy::MidpointAwayFromZero).normalize()
}
