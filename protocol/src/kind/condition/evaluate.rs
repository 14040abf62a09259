//! Judging conditions.

use rust_decimal::Decimal;

use super::{Bounds, Condition, Linked, Related, Scope, Subject, Surroundings, Unmet};
use crate::kind::filter::{Answer, Comparison, compare_values};
use crate::kind::{Field, Position};
use crate::value::Value;

impl Subject<'_> {
    fn value(&self, field: u16) -> Option<&Value> {
        self.fields.get(&field)
    }

    fn elements(&self, field: u16) -> &[Value] {
        match self.value(field) {
            Some(Value::List { values, .. }) => values,
            Some(scalar) => std::slice::from_ref(scalar),
            None => &[],
        }
    }

    fn text(&self, field: u16) -> Option<String> {
        self.kind.field(field).zip(self.value(field)).map(|(field, value)| field.render(value))
    }

    /// Whether everybody but the parties must pass over what stands in a field.
    pub(super) fn hides(&self, field: u16) -> bool {
        self.scope == Scope::Everybody && self.kind.field(field).is_some_and(Field::is_confidential)
    }
}

/// What is missing of a list of conditions; nothing when all hold.
pub fn unmet(conditions: &[Condition], subject: &Subject<'_>, surroundings: &dyn Surroundings) -> Vec<Unmet> {
    let failing = conditions.iter().filter(|condition| !condition.holds(subject, surroundings));
    failing.map(|condition| condition.wording(subject.kind, surroundings)).collect()
}

impl Condition {
    /// Whether the condition holds for the subject.
    pub fn holds(&self, subject: &Subject<'_>, surroundings: &dyn Surroundings) -> bool {
        let followed = surroundings.follows_links() || matches!(self, Self::Any(_)) || !self.looks_at_records();
        if self.is_hidden(subject) || !followed {
            return true;
        }
        match self {
            Self::Filled(fields) => fields.iter().all(|field| subject.value(*field).is_some()),
            Self::Empty(fields) => fields.iter().all(|field| subject.value(*field).is_none()),
            Self::Is(_, filters) => filters.iter().any(|filter| filter.evaluate(subject.fields) == Answer::Match),
            Self::IsNot(_, filters) => filters.iter().all(|filter| filter.evaluate(subject.fields) == Answer::NoMatch),
            Self::Compared(filter) => filter.evaluate(subject.fields) == Answer::Match,
            Self::ComparedWith(left, comparison, right) => {
                let (left, right) = (subject.value(*left), subject.value(*right));
                left.zip(right).and_then(|(left, right)| compare_values(left, *comparison, right)) == Some(true)
            }
            Self::Count(field, bounds) => bounds.hold(subject.elements(*field).len()),
            Self::Sum(field, comparison, wanted) => {
                sum(subject.elements(*field)).is_some_and(|sum| ordered(sum, *comparison, *wanted))
            }
            Self::Aligned(fields) => fields.windows(2).all(|pair| match pair {
                [left, right] => subject.elements(*left).len() == subject.elements(*right).len(),
                _ => true,
            }),
            Self::Span { from, until, at_most_days } => span(subject, *from, *until, *at_most_days),
            Self::Past { field, days } => is_past(subject, *field, *days, surroundings) == Some(true),
            Self::NotPast { field, days } => is_past(subject, *field, *days, surroundings) != Some(true),
            Self::BeforeAdmission(field) => before_admission(subject, *field, surroundings),
            Self::State(names) => subject.is_in(names, surroundings.as_of_ms()),
            Self::Linked { linked, bounds, own } => {
                // One more than the bounds ask for is enough to know.
                let enough = bounds.at_most.unwrap_or(bounds.at_least.saturating_sub(1)).saturating_add(1);
                bounds.hold(linked.find(subject, surroundings, *own).take(enough).count())
            }
            Self::Target { field, kind, conditions } => {
                subject.elements(*field).iter().all(|element| {
                    let Value::Text(text) = element else { return false };
                    let found = surroundings.target(subject.owner, *kind, text);
                    found.is_some_and(|found| found.keeps(conditions, surroundings))
                }) && subject.value(*field).is_some()
            }
            Self::FirstAmong(field) => rank(subject, *field, surroundings) == Some(1),
            Self::Any(lists) => {
                lists.iter().any(|list| list.iter().all(|condition| condition.holds(subject, surroundings)))
            }
        }
    }
}

impl Linked {
    /// The records that name the subject and keep the conditions, in the order of their creation.
    pub fn find<'a>(
        &'a self,
        subject: &Subject<'a>,
        surroundings: &'a dyn Surroundings,
        own: bool,
    ) -> impl Iterator<Item = Related> + 'a {
        let owner = subject.owner;
        let found = surroundings.linked(subject, self.kind, self.by).into_iter();
        found.filter(move |related| (!own || related.owner == owner) && related.keeps(&self.conditions, surroundings))
    }
}

impl Related {
    /// Whether it keeps conditions, as far as every member can see. What those would ask of other records again is
    /// passed over: judgements never chase each other in a circle.
    pub fn keeps(&self, conditions: &[Condition], surroundings: &dyn Surroundings) -> bool {
        let Some(kind) = surroundings.kind(self.kind) else { return false };
        let (id, owner) = (Some(self.id), self.owner);
        let subject = Subject { kind, id, owner, fields: &self.fields, scope: Scope::Everybody };
        conditions
            .iter()
            .filter(|condition| !condition.looks_at_records())
            .all(|condition| condition.holds(&subject, surroundings))
    }
}

impl Subject<'_> {
    /// Whether it is in one of the states that go by these names, as time has left it.
    fn is_in(&self, names: &[String], as_of_ms: u64) -> bool {
        let Some(lifecycle) = self.kind.lifecycle() else { return false };
        match lifecycle.position_at(self.fields, as_of_ms) {
            Position::State(state) => names.contains(&lifecycle.states()[state].name),
            Position::Blank | Position::Unmapped(_) => false,
        }
    }
}

/// The place of the subject among the records of its kind that name the same one in `field`, from 1 in the order of
/// their creation; `None` when it names none. A record that is not published yet comes last.
pub(in crate::kind) fn rank(subject: &Subject<'_>, field: u16, surroundings: &dyn Surroundings) -> Option<usize> {
    let target_kind = subject.kind.field(field)?.link_number()?;
    let target = surroundings.target(subject.owner, target_kind, &subject.text(field)?)?;
    let kind = surroundings.kind(target.kind)?;
    let (id, owner, scope) = (Some(target.id), target.owner, Scope::Everybody);
    let about = Subject { kind, id, owner, fields: &target.fields, scope };
    let claims = surroundings.linked(&about, subject.kind.number(), field);
    let place = claims.iter().position(|claim| Some(claim.id) == subject.id).unwrap_or(claims.len());
    Some(place + 1)
}

/// The exact sum of numbers of one sort; `None` when there are none, or they do not add.
fn sum(values: &[Value]) -> Option<Decimal> {
    let amounts: Option<Vec<Decimal>> = values.iter().map(amount).collect();
    let amounts = amounts.filter(|amounts| !amounts.is_empty())?;
    amounts.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)
}

/// The exact number of a value, in its own unit.
pub(in crate::kind) fn amount(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(number) | Value::Quantity { number, .. } | Value::Money { number, .. } => Some(number.amount()),
        _ => None,
    }
}

fn ordered(left: Decimal, comparison: Comparison, right: Decimal) -> bool {
    comparison.accepts(left.cmp(&right))
}

fn span(subject: &Subject<'_>, from: u16, until: u16, at_most_days: u32) -> bool {
    let day = |field| match subject.value(field) {
        Some(Value::Date(date)) => Some(*date),
        _ => None,
    };
    let days = day(from).zip(day(until)).map(|(from, until)| from.last_day().days_until(until.last_day()));
    days.is_some_and(|days| (0..=i64::from(at_most_days)).contains(&days))
}

/// Whether the day in a field and so many days more are over; `None` without a date.
fn is_past(subject: &Subject<'_>, field: u16, days: u32, surroundings: &dyn Surroundings) -> Option<bool> {
    match subject.value(field)? {
        Value::Date(day) => Some(day.plus_days(i64::from(days))?.end_ms() <= surroundings.as_of_ms()),
        _ => None,
    }
}

fn before_admission(subject: &Subject<'_>, field: u16, surroundings: &dyn Surroundings) -> bool {
    let Some(Value::Date(day)) = subject.value(field) else { return false };
    let admitted = surroundings.admitted_ms(subject.owner);
    admitted.is_some_and(|admitted| day.end_ms() <= admitted)
}

impl Default for Bounds {
    fn default() -> Self {
        Self { at_least: 1, at_most: None }
    }
}
