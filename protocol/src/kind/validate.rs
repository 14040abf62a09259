//! Judging the fields of a record by its kind.
//!
//! Conditions, in this order: every obligatory field is there (of a whole record); no field is set that stays on its
//! node; each value has the type of its field, and so has every element of a list; units, currencies and tables are
//! those of the field; a choice is one of the choices, a code is in its table and a period is in its canonical writing;
//! a number lies within its bounds, and as given it says what the exact number says; the state is a word of the
//! lifecycle, unless that keeps others; every check of the level `refuse` holds. A field number that the kind does not
//! have is no error: newer software wrote it.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::check::Level;
use super::condition::{Related, Scope, Subject, Surroundings};
use super::field::{Field, FieldType};
use super::rule::{Rule, RuleBroken};
use super::{Kind, Period, Position, codes, unit};
use crate::identity::MemberNumber;
use crate::value::{Number, NumberFlags, Value};

impl Kind {
    /// The rules that the fields of a whole record break, all of its fields being known; none when it is valid.
    pub fn validate(&self, fields: &BTreeMap<u16, Value>) -> Vec<RuleBroken> {
        self.validate_as(fields, Scope::Author)
    }

    /// The same, as `scope` can tell: whoever does not see confidential fields passes over them.
    pub fn validate_as(&self, fields: &BTreeMap<u16, Value>, scope: Scope) -> Vec<RuleBroken> {
        let mut broken = self.broken_fields(fields, scope);
        if broken.is_empty() {
            let owner = MemberNumber(0);
            broken.extend(self.refusals(&Subject { kind: self, id: None, owner, fields, scope }, &Alone));
        }
        broken
    }

    /// The rules that a record breaks after a change and did not break before, as `scope` can tell. What was broken
    /// long ago must not lock a record against every other change.
    pub fn newly_broken(
        &self,
        before: &BTreeMap<u16, Value>,
        after: &BTreeMap<u16, Value>,
        scope: Scope,
    ) -> Vec<RuleBroken> {
        let known = self.broken_fields(before, scope);
        let known = |new: &RuleBroken| {
            known.iter().any(|old| (old.rule, old.field, &old.value) == (new.rule, new.field, &new.value))
        };
        let mut broken = self.broken_fields(after, scope);
        broken.retain(|broken| !known(broken));
        if !broken.is_empty() {
            return broken;
        }
        let owner = MemberNumber(0);
        let subject = |fields| Subject { kind: self, id: None, owner, fields, scope };
        // What is missing may differ: a check that failed before is one that fails still.
        let failed = self.marks(Level::Refuse, &subject(before), &Alone);
        let mut marks = self.marks(Level::Refuse, &subject(after), &Alone);
        marks.retain(|mark| !failed.iter().any(|old| (&old.zh, &old.en) == (&mark.zh, &mark.en)));
        marks.iter().map(|mark| self.broken_check(mark)).collect()
    }

    /// The rules about single fields that a whole record breaks.
    fn broken_fields(&self, fields: &BTreeMap<u16, Value>, scope: Scope) -> Vec<RuleBroken> {
        let expected = |field: &&Field| scope == Scope::Author || !field.is_confidential();
        let absent = self.obligatory.iter().filter(|number| !fields.contains_key(number));
        let missing = absent.filter_map(|number| self.field(*number)).filter(expected);
        let mut broken: Vec<RuleBroken> = missing.map(missing_field).chain(self.validate_values(fields)).collect();
        broken.extend(self.unknown_state(fields));
        broken
    }

    /// A word that is no state, where the lifecycle keeps none.
    fn unknown_state(&self, fields: &BTreeMap<u16, Value>) -> Option<RuleBroken> {
        let lifecycle = self.lifecycle().filter(|lifecycle| !lifecycle.keeps_unmapped())?;
        let Position::Unmapped(word) = lifecycle.position(fields) else { return None };
        let words: Vec<&str> = lifecycle.states().iter().map(|state| state.zh.as_str()).collect();
        let zh = format!("不是这一类的状态；可用：{}", words.join("、"));
        let en = format!("is no state of this kind; one of {}", words.join(", "));
        Some(self.field(lifecycle.field())?.broken(Rule::StateUnknown, &word, &zh, &en))
    }

    /// The rules that a revision breaks by what it sets and clears. Whether the record as a whole is still valid is
    /// for [`Kind::validate`] on the fields that result.
    pub fn validate_revision(&self, set: &BTreeMap<u16, Value>, cleared: &BTreeSet<u16>) -> Vec<RuleBroken> {
        let missing = self.fields().filter(|field| field.obligatory && cleared.contains(&field.number));
        missing.map(missing_field).chain(self.validate_values(set)).collect()
    }

    /// The rules that the fields of a document break that stays on its node: fields that must not leave may be set.
    pub fn validate_local(&self, fields: &BTreeMap<u16, Value>) -> Vec<RuleBroken> {
        let missing = self.fields().filter(|field| field.obligatory && !fields.contains_key(&field.number));
        let values = self.known(fields).filter_map(|(field, value)| check_value(field, value).err());
        missing.map(missing_field).chain(values).chain(self.unknown_state(fields)).collect()
    }

    fn validate_values(&self, fields: &BTreeMap<u16, Value>) -> Vec<RuleBroken> {
        self.known(fields).filter_map(|(field, value)| check(field, value).err()).collect()
    }

    fn known<'a>(&'a self, fields: &'a BTreeMap<u16, Value>) -> impl Iterator<Item = (&'a Field, &'a Value)> {
        fields.iter().filter_map(|(number, value)| Some((self.field(*number)?, value)))
    }
}

fn missing_field(field: &Field) -> RuleBroken {
    field.broken(Rule::FieldMissing, "", "是必填项，请填写", "is obligatory; please fill it in")
}

fn check(field: &Field, value: &Value) -> Result<(), RuleBroken> {
    if field.is_local() {
        let en = "stays on this node and must not be published; please take it out";
        return Err(field.broken(Rule::FieldLocal, "", "只留在本节点，不得发布；请去掉", en));
    }
    check_value(field, value)
}

fn check_value(field: &Field, value: &Value) -> Result<(), RuleBroken> {
    let check = |value: &Value| check_scalar(field, value).and_then(|()| check_bounds(field, value));
    match value {
        Value::List { values, .. } if field.list => values.iter().try_for_each(check),
        scalar if !field.list => check(scalar),
        _ => Err(mismatch(field, value)),
    }
}

fn check_scalar(field: &Field, value: &Value) -> Result<(), RuleBroken> {
    match (&field.field_type, value) {
        (FieldType::Text, Value::Text(_))
        | (FieldType::Date, Value::Date(_))
        | (FieldType::Reference, Value::Reference(_))
        | (FieldType::File, Value::File { .. })
        | (FieldType::Boolean, Value::Boolean(_)) => Ok(()),
        (FieldType::Decimal, Value::Decimal(number)) => check_given(field, number, value),
        (FieldType::Quantity { unit }, Value::Quantity { number, unit: found }) if unit == found => {
            check_given(field, number, value)
        }
        (FieldType::Money { .. }, Value::Money { number, currency }) if unit::whole_unit(currency).is_some() => {
            check_given(field, number, value)
        }
        (FieldType::Period, Value::Text(text)) => match Period::parse(text) {
            Some(period) if period.to_string() == *text => Ok(()),
            _ => Err(field.no_period(text)),
        },
        (FieldType::Choice { choices }, Value::Choice(text)) => match choices.contains(text) {
            true => Ok(()),
            false => Err(field.no_choice(text, choices)),
        },
        (FieldType::Code { table }, Value::Code { table: found, code }) if table == found => {
            match codes::table(table) {
                Some(table) if table.contains(code) => Ok(()),
                Some(table) => Err(field.no_code(code, table, &table.fault(code))),
                None => Err(mismatch(field, value)),
            }
        }
        _ => Err(mismatch(field, value)),
    }
}

fn check_bounds(field: &Field, value: &Value) -> Result<(), RuleBroken> {
    if field.min.is_none() && field.max.is_none() {
        return Ok(());
    }
    // Below zero is below zero in any unit, and hardly any field has another bound.
    if field.max.is_none() && field.min.is_some_and(|least| least.is_zero()) && !is_below_zero(value) {
        return Ok(());
    }
    let unit = field.unit().unwrap_or_default();
    let Some(amount) = unit::amount_in(value, unit) else { return Ok(()) };
    let too_small = field.min.filter(|least| amount < *least).map(|least| ("不小于", "at least", least));
    let too_large = field.max.filter(|most| amount > *most).map(|most| ("不大于", "at most", most));
    match too_small.or(too_large) {
        None => Ok(()),
        Some((zh, en, bound)) => {
            let (zh, en) = (format!("超出范围；应{zh} {bound}{unit}"), format!("is out of range: {en} {bound} {unit}"));
            Err(field.broken(Rule::OutOfRange, &field.render(value), &zh, &en))
        }
    }
}

fn is_below_zero(value: &Value) -> bool {
    figure(value).is_some_and(|(_, amount, _)| amount < Decimal::ZERO)
}

/// Checks that refuse look at nothing but the record.
struct Alone;

impl Surroundings for Alone {
    fn as_of_ms(&self) -> u64 {
        0
    }

    fn admitted_ms(&self, _: MemberNumber) -> Option<u64> {
        None
    }

    fn kind(&self, _: u16) -> Option<&Kind> {
        None
    }

    fn linked(&self, _: &Subject<'_>, _: u16, _: u16) -> Vec<Related> {
        Vec::new()
    }

    fn target(&self, _: MemberNumber, _: u16, _: &str) -> Option<Related> {
        None
    }
}

/// A number as given that reads as another number would mislead. One that this build cannot read may be right: newer
/// software knows more words.
fn check_given(field: &Field, number: &Number, value: &Value) -> Result<(), RuleBroken> {
    if number.flags.is_empty() && (number.given.is_empty() || says_plainly(number, value)) {
        return Ok(());
    }
    let says_the_same = match field.parse_element(&number.given, field.unit()) {
        Ok(Some(read)) => figure(&read) == figure(value),
        Ok(None) => false,
        Err(_) => true,
    };
    if says_the_same {
        return Ok(());
    }
    let zh = format!("与所存的数 {} 不一致", number.amount());
    let en = format!("does not say what the stored number {} says", number.amount());
    Err(field.broken(Rule::GivenMismatch, &number.given, &zh, &en))
}

/// Whether a number as given is nothing but digits and a known unit, and says so what the exact number says: `1200万元`,
/// as most figures are written. Everything else is read as a cell is.
fn says_plainly(number: &Number, value: &Value) -> bool {
    let end = number.given.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.given.len());
    let (digits, name) = number.given.split_at(end);
    let stored = match value {
        Value::Money { currency, .. } => unit::whole_unit(currency),
        Value::Quantity { unit, .. } => unit::find(unit),
        _ => None,
    };
    let (Ok(amount), Some(written), Some(stored)) = (Decimal::from_str_exact(digits), unit::find(name), stored) else {
        return false;
    };
    written.convert(amount, stored) == Some(number.amount())
}

/// What a number says, without the form in which it says it.
fn figure(value: &Value) -> Option<(NumberFlags, Decimal, Option<[u8; 3]>)> {
    match value {
        Value::Decimal(number) | Value::Quantity { number, .. } => Some((number.flags, number.amount(), None)),
        Value::Money { number, currency } => Some((number.flags, number.amount(), Some(*currency))),
        _ => None,
    }
}

fn mismatch(field: &Field, value: &Value) -> RuleBroken {
    let unit = field.unit().map(|unit| format!("（{unit}）")).unwrap_or_default();
    let list = if field.list { "多项" } else { "" };
    let zh = format!("类型不对；应为{list}{}{unit}", field.field_type.zh());
    let en = format!("does not have the type of the field, {}", field.type_name());
    field.broken(Rule::TypeMismatch, &field.render(value), &zh, &en)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::KindSet;

    /// The rules that a project breaks whose investment is stored as so many yuan, or its land as so many 亩, and is
    /// given so.
    fn broken(field: &str, stored: i64, given: &str) -> Vec<Rule> {
        let kind = KindSet::builtin().kind_named("project").expect("a built-in kind");
        let field = kind.field_named(field).expect("a field of projects");
        let number = Number::new(NumberFlags::default(), Decimal::from(stored), given);
        let value = match field.unit() {
            Some("亩") => Value::Quantity { number, unit: "亩".into() },
            _ => Value::Money { number, currency: *b"CNY" },
        };
        let fields = BTreeMap::from([(field.number, value)]);
        kind.validate_revision(&fields, &BTreeSet::new()).iter().map(|broken| broken.rule).collect()
    }

    #[test]
    fn a_figure_as_given_says_what_is_stored() {
        for given in ["", "1200万元", "0.12亿元", "12000000元", "1.2千万元", "一千二百万元"] {
            assert_eq!(broken("investment", 12_000_000, given), [], "{given}");
        }
        for given in ["1200元", "1200.5万元", "12亿元", "1200万美元", "约1200万元"] {
            assert_eq!(broken("investment", 12_000_000, given), [Rule::GivenMismatch], "{given}");
        }
        assert_eq!(broken("land", 30, "2公顷"), []);
        assert_eq!(broken("land", 30, "3公顷"), [Rule::GivenMismatch]);
        assert_eq!(broken("land", -30, ""), [Rule::OutOfRange]);
    }
}
