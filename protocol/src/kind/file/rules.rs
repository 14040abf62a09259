//! The rules of a kind file: conditions, checks, lifecycle and derived figures, with every name resolved.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::raw::{
    Bound, CheckFile, ConditionFile, DerivedFile, LifecycleFile, LinkedFile, LinkedSumFile, TransitionFile,
};
use super::{RawRules, is_identifier};
use crate::charter::{Class, Role};
use crate::kind::check::{Check, Level};
use crate::kind::condition::{Bounds, Condition, Linked};
use crate::kind::derived::{Derived, Formula};
use crate::kind::field::{Field, FieldType, Readers};
use crate::kind::filter::{Comparison, Filter};
use crate::kind::lifecycle::{Actor, Expiry, Lifecycle, State, Transition};
use crate::kind::{Kind, unit};

/// The word for the creation in `from`.
const CREATION: &str = "new";
/// Days after which an expiry or a condition counts no more.
const DAYS_MAX: u32 = 36_600;

/// Rules with every name resolved.
pub(super) struct Rules {
    pub(super) checks: Vec<Check>,
    pub(super) lifecycle: Option<Lifecycle>,
    pub(super) derived: Vec<Derived>,
    pub(super) links: BTreeMap<u16, u16>,
    pub(super) additive: BTreeMap<u16, Condition>,
    pub(super) examples: Vec<u16>,
}

/// What names are looked up in.
#[derive(Clone, Copy)]
struct Names<'a> {
    kind: &'a Kind,
    others: &'a BTreeMap<u16, Kind>,
    /// Link fields of every kind are known only here: field by field, of the kind whose file is read.
    links: &'a BTreeMap<u16, u16>,
}

pub(super) fn resolve(kind: &Kind, raw: RawRules, others: &BTreeMap<u16, Kind>) -> Result<Rules, String> {
    let mut links = BTreeMap::new();
    for (field, link) in &raw.links {
        if kind.fields[field].field_type != FieldType::Text {
            return Err(format!("`{}` links to a kind and must be a text", kind.fields[field].name));
        }
        links.insert(*field, named(others, link)?.number());
    }
    let names = Names { kind, others, links: &links };
    let mut lifecycle = raw.lifecycle.map(|raw| names.lifecycle(raw)).transpose()?;
    if let Some(lifecycle) = &mut lifecycle {
        lifecycle.transitions.sort_by_key(|transition| transition.to);
    }
    let additive = raw.additive.iter().map(|(field, condition)| Ok((*field, names.condition(condition)?)));
    let additive = additive.collect::<Result<_, String>>()?;
    let checks = raw.checks.into_iter().map(|check| names.check(check)).collect::<Result<_, String>>()?;
    let derived = raw.derived.into_iter().map(|derived| names.derived(derived)).collect::<Result<Vec<_>, String>>()?;
    let unique: BTreeSet<&str> = derived.iter().map(|derived| derived.name.as_str()).collect();
    if unique.len() != derived.len() {
        return Err("two derived figures have one name".into());
    }
    Ok(Rules { checks, lifecycle, derived, additive, examples: raw.examples, links })
}

/// Conditions about records of a kind that stand in another file than its own; of a set that was read before.
pub(super) fn conditions(
    kind: &Kind,
    others: &BTreeMap<u16, Kind>,
    raw: &[ConditionFile],
) -> Result<Vec<Condition>, String> {
    let links: BTreeMap<u16, u16> =
        kind.fields().filter_map(|field| Some((field.number, field.link_number()?))).collect();
    let conditions = Names { kind, others, links: &links }.conditions(raw)?;
    match conditions.iter().find_map(|condition| condition.unknown_state(kind, others)) {
        Some((about, state)) => Err(format!("`{state}` is no state of `{about}`")),
        None => Ok(conditions),
    }
}

fn named<'a>(others: &'a BTreeMap<u16, Kind>, name: &str) -> Result<&'a Kind, String> {
    others.values().find(|kind| kind.name() == name).ok_or_else(|| format!("`{name}` is no kind of the set"))
}

impl<'a> Names<'a> {
    /// The same for conditions on another kind.
    fn of(self, kind: &'a Kind) -> Self {
        Self { kind, ..self }
    }

    fn field(&self, name: &str) -> Result<&'a Field, String> {
        let found = self.kind.fields().find(|field| field.name == name);
        found.ok_or_else(|| format!("`{name}` is no field of `{}`", self.kind.name()))
    }

    fn number(&self, name: &str) -> Result<u16, String> {
        self.field(name).map(|field| field.number)
    }

    fn numbers(&self, names: &[String]) -> Result<Vec<u16>, String> {
        names.iter().map(|name| self.number(name)).collect()
    }

    fn date(&self, name: &str) -> Result<u16, String> {
        let field = self.field(name)?;
        match field.field_type == FieldType::Date && !field.list {
            true => Ok(field.number),
            false => Err(format!("`{name}` must be one date")),
        }
    }

    fn conditions(&self, raw: &[ConditionFile]) -> Result<Vec<Condition>, String> {
        raw.iter().map(|condition| self.condition(condition)).collect()
    }

    fn condition(&self, raw: &ConditionFile) -> Result<Condition, String> {
        check_keys(raw)?;
        if let Some(fields) = &raw.filled {
            return Ok(Condition::Filled(self.numbers(fields)?));
        }
        if let Some(fields) = &raw.empty {
            return Ok(Condition::Empty(self.numbers(fields)?));
        }
        if let Some(name) = &raw.field {
            return self.compared(name, raw);
        }
        if let Some(name) = &raw.count {
            let field = self.field(name)?;
            let bounds = bounds(raw, 0)?;
            return if field.list {
                Ok(Condition::Count(field.number, bounds))
            } else {
                Err(format!("`{name}` is no list"))
            };
        }
        if let Some(name) = &raw.sum {
            let (comparison, text) = self.comparison(raw)?;
            let wanted = Decimal::from_str_exact(&text).map_err(|_| format!("`{text}` is no exact number"))?;
            return Ok(Condition::Sum(self.number(name)?, comparison, wanted));
        }
        if let Some(fields) = &raw.aligned {
            return Ok(Condition::Aligned(self.numbers(fields)?));
        }
        if let Some([from, until]) = &raw.span {
            let at_most_days = raw.at_most_days.filter(|days| *days <= DAYS_MAX).ok_or("span needs at_most_days")?;
            return Ok(Condition::Span { from: self.date(from)?, until: self.date(until)?, at_most_days });
        }
        let days = raw.days.unwrap_or_default().min(DAYS_MAX);
        if let Some(name) = &raw.past {
            return Ok(Condition::Past { field: self.date(name)?, days });
        }
        if let Some(name) = &raw.not_past {
            return Ok(Condition::NotPast { field: self.date(name)?, days });
        }
        if let Some(name) = &raw.before_admission {
            return Ok(Condition::BeforeAdmission(self.date(name)?));
        }
        if let Some(states) = &raw.state {
            return Ok(Condition::State(states.clone()));
        }
        self.about_others(raw)
    }

    /// Conditions on other records.
    fn about_others(&self, raw: &ConditionFile) -> Result<Condition, String> {
        let conditions = raw.conditions.as_deref().unwrap_or_default();
        if let (Some(kind), Some(by)) = (&raw.linked, &raw.by) {
            let linked = self.linked(kind, by, conditions)?;
            let least = usize::from(raw.at_most.is_none());
            return Ok(Condition::Linked { linked, bounds: bounds(raw, least)?, own: raw.own.unwrap_or_default() });
        }
        if let Some(name) = &raw.target {
            let field = self.number(name)?;
            let target = self.links.get(&field).and_then(|kind| self.others.get(kind));
            let target = target.ok_or_else(|| format!("target `{name}` is no link field of this kind"))?;
            let conditions = not_nested(self.of(target).conditions(conditions)?)?;
            return Ok(Condition::Target { field, kind: target.number(), conditions });
        }
        if let Some(name) = &raw.first_among {
            return Ok(Condition::FirstAmong(self.link_field(name)?));
        }
        match &raw.any {
            Some(lists) => {
                let lists = lists.iter().map(|list| self.conditions(list)).collect::<Result<_, String>>()?;
                Ok(Condition::Any(lists))
            }
            None => Err("a condition must have one of the keys that `kinds/README.md` lists".into()),
        }
    }

    fn link_field(&self, name: &str) -> Result<u16, String> {
        let field = self.number(name)?;
        self.links.contains_key(&field).then_some(field).ok_or_else(|| format!("`{name}` is no link field"))
    }

    fn linked(&self, kind: &str, by: &str, conditions: &[ConditionFile]) -> Result<Linked, String> {
        let other = named(self.others, kind)?;
        let names = self.of(other);
        let by = names.field(by)?;
        if by.field_type != FieldType::Text || by.readers != Readers::All {
            return Err(format!("`{}` of `{kind}` must be a link that all members read", by.name));
        }
        let conditions = names.conditions(conditions)?;
        Ok(Linked { kind: other.number(), by: by.number, conditions: not_nested(conditions)? })
    }

    fn compared(&self, name: &str, raw: &ConditionFile) -> Result<Condition, String> {
        let field = self.field(name)?;
        let filters = |words: &[String]| {
            let filter = |word: &String| self.filter(field, Comparison::Equal, word);
            words.iter().map(filter).collect::<Result<Vec<_>, String>>()
        };
        if let Some(words) = &raw.is {
            return Ok(Condition::Is(field.number, filters(words)?));
        }
        if let Some(words) = &raw.is_not {
            return Ok(Condition::IsNot(field.number, filters(words)?));
        }
        let (comparison, operand) = self.comparison(raw)?;
        if is_identifier(&operand) {
            let other = self.field(&operand)?;
            if other.field_type.value_type() != field.field_type.value_type() || other.unit() != field.unit() {
                return Err(format!("`{name}` and `{operand}` cannot be compared"));
            }
            return Ok(Condition::ComparedWith(field.number, comparison, other.number));
        }
        Ok(Condition::Compared(Box::new(self.filter(field, comparison, &operand)?)))
    }

    fn filter(&self, field: &Field, comparison: Comparison, operand: &str) -> Result<Filter, String> {
        let filter = Filter::new(field, comparison, operand).map_err(|error| error.to_string())?;
        filter.ok_or_else(|| format!("`{}` is compared with nothing", field.name))
    }

    fn comparison(&self, raw: &ConditionFile) -> Result<(Comparison, String), String> {
        let text = |bound: &Option<Bound>| match bound {
            Some(Bound::Text(text)) => Some(text.clone()),
            Some(Bound::Count(count)) => Some(count.to_string()),
            None => None,
        };
        let given = [
            (Comparison::LessThan, raw.below.clone()),
            (Comparison::AtMost, text(&raw.at_most)),
            (Comparison::MoreThan, raw.above.clone()),
            (Comparison::AtLeast, text(&raw.at_least)),
            (Comparison::Equal, raw.equals.clone()),
        ];
        let mut given = given.into_iter().filter_map(|(comparison, text)| Some((comparison, text?)));
        match (given.next(), given.next()) {
            (Some(one), None) => Ok(one),
            _ => Err("needs one of is, is_not, below, at_most, above, at_least and equals".into()),
        }
    }

    fn check(&self, raw: CheckFile) -> Result<Check, String> {
        let (when, needs) = (self.conditions(&raw.when)?, self.conditions(&raw.needs)?);
        let level = match raw.level.as_str() {
            "refuse" => Level::Refuse,
            "flag" => Level::Flag,
            other => return Err(format!("`{other}` is no level of a check")),
        };
        if raw.zh.trim().is_empty() || raw.en.trim().is_empty() || needs.is_empty() {
            return Err("a check needs conditions and a text in both languages".into());
        }
        if level == Level::Refuse && when.iter().chain(&needs).any(Condition::is_outward) {
            return Err(format!("the check `{}` looks beyond the record: its level must be `flag`", raw.zh));
        }
        Ok(Check { level, when, needs, zh: raw.zh, en: raw.en })
    }

    fn lifecycle(&self, raw: LifecycleFile) -> Result<Lifecycle, String> {
        let field = self.field(&raw.field)?;
        if field.field_type != FieldType::Text || field.list || field.readers != Readers::All {
            return Err(format!("the state `{}` must be one text that all members read", raw.field));
        }
        let states: Vec<State> = raw
            .states
            .into_iter()
            .map(|state| State {
                name: state.name,
                zh: state.zh,
                en: state.en,
                words: state.words,
                is_final: state.is_final,
            })
            .collect();
        check_words(&states)?;
        let find = |name: &str| {
            let found = states.iter().position(|state| state.name == name);
            found.ok_or_else(|| format!("`{name}` is no state"))
        };
        let initial = raw.initial.as_deref().map(find).transpose()?;
        let mut expiries = Vec::new();
        for expiry in &raw.expiries {
            expiries.push(Expiry {
                from: expiry.from.iter().map(|name| find(name)).collect::<Result<_, _>>()?,
                field: self.date(&expiry.field)?,
                days: expiry.days.min(DAYS_MAX),
                to: find(&expiry.to)?,
            });
        }
        let transitions = raw.transitions.into_iter().map(|raw| self.transition(raw, &states, &find));
        let transitions = transitions.collect::<Result<Vec<_>, String>>()?;
        check_reachable(&states, &transitions, &expiries, initial)?;
        Ok(Lifecycle { transitions, expiries, ..Lifecycle::new(field.number, initial, raw.unmapped, states) })
    }

    fn transition(
        &self,
        raw: TransitionFile,
        states: &[State],
        find: &dyn Fn(&str) -> Result<usize, String>,
    ) -> Result<Transition, String> {
        let from = raw.from.iter().map(|name| if name == CREATION { Ok(None) } else { find(name).map(Some) });
        let from = from.collect::<Result<Vec<_>, String>>()?;
        if let Some(state) = from.iter().flatten().find(|state| states[**state].is_final) {
            return Err(format!("the state `{}` is final, and a transition leads on from it", states[*state].name));
        }
        let by = raw.by.iter().map(|text| actor(text)).collect::<Result<_, String>>()?;
        let (to, needs) = (find(&raw.to)?, self.conditions(&raw.needs)?);
        Ok(Transition { from, to, office_zh: raw.office_zh, office_en: raw.office_en, by, needs })
    }

    fn derived(&self, raw: DerivedFile) -> Result<Derived, String> {
        let unit = raw.unit.clone().unwrap_or_default();
        let known = |unit: &str| unit::find(unit).is_some();
        let formula = match (&raw.ratio, &raw.sum, &raw.count, &raw.rank, &raw.split, &raw.days) {
            (Some([above, below]), None, None, None, None, None) => {
                if !unit.split_once('/').is_some_and(|(over, under)| known(over) && known(under)) {
                    return Err(format!("the unit `{unit}` of the ratio `{}` is not known/known", raw.name));
                }
                Formula::Ratio(self.number(above)?, self.number(below)?)
            }
            (None, Some(sum), None, None, None, None) => self.sum(sum)?,
            (None, None, Some(count), None, None, None) => Formula::Count(self.count(count)?),
            (None, None, None, Some(field), None, None) => Formula::Rank(self.link_field(field)?),
            (None, None, None, None, Some(split), None) => Formula::Split {
                amount: self.number(&split.amount)?,
                parties: self.number(&split.parties)?,
                shares: self.number(&split.shares)?,
            },
            (None, None, None, None, None, Some([from, until])) => Formula::Days(self.date(from)?, self.date(until)?),
            _ => return Err(format!("`{}` needs one of ratio, sum, count, rank, split and days", raw.name)),
        };
        if !is_identifier(&raw.name) || raw.zh.trim().is_empty() || raw.en.trim().is_empty() {
            return Err("a derived figure needs a name of small letters, a Chinese and an English name".into());
        }
        let against = raw.against.as_deref().map(|name| self.number(name)).transpose()?;
        Ok(Derived { name: raw.name, zh: raw.zh, en: raw.en, unit, formula, against })
    }

    fn sum(&self, raw: &LinkedSumFile) -> Result<Formula, String> {
        let linked = self.linked(&raw.linked, &raw.by, &raw.conditions)?;
        let field = self.of(named(self.others, &raw.linked)?).number(&raw.field)?;
        Ok(Formula::Sum(linked, field))
    }

    fn count(&self, raw: &LinkedFile) -> Result<Linked, String> {
        self.linked(&raw.linked, &raw.by, &raw.conditions)
    }
}

/// What is asked of another record is answered by that record alone: a condition on further ones would be passed over.
fn not_nested(conditions: Vec<Condition>) -> Result<Vec<Condition>, String> {
    match conditions.iter().any(Condition::looks_at_records) {
        true => Err("what is asked of another record in `where` must not ask for further records".into()),
        false => Ok(conditions),
    }
}

fn actor(text: &str) -> Result<Actor, String> {
    let found = match text.split_once(':') {
        Some(("class", name)) => Class::from_name(name).map(Actor::Class),
        Some(("role", name)) => Role::from_name(name).map(Actor::Role),
        _ => None,
    };
    found.ok_or_else(|| format!("by `{text}` is none of class:NAME and role:NAME"))
}

fn bounds(raw: &ConditionFile, least: usize) -> Result<Bounds, String> {
    let count = |bound: &Option<Bound>| match bound {
        None => Ok(None),
        Some(Bound::Count(count)) => Ok(Some(*count)),
        Some(Bound::Text(text)) => text.parse().map(Some).map_err(|_| format!("`{text}` is no count")),
    };
    let (at_least, at_most) = (count(&raw.at_least)?.unwrap_or(least), count(&raw.at_most)?);
    match at_most.is_none_or(|most| most >= at_least) {
        true => Ok(Bounds { at_least, at_most }),
        false => Err("at_most is below at_least".into()),
    }
}

/// Exactly one of the keys that name a condition is given.
fn check_keys(raw: &ConditionFile) -> Result<(), String> {
    let heads = [
        raw.filled.is_some(),
        raw.empty.is_some(),
        raw.field.is_some(),
        raw.count.is_some(),
        raw.sum.is_some(),
        raw.aligned.is_some(),
        raw.span.is_some(),
        raw.past.is_some(),
        raw.not_past.is_some(),
        raw.before_admission.is_some(),
        raw.state.is_some(),
        raw.linked.is_some() && raw.by.is_some(),
        raw.target.is_some(),
        raw.first_among.is_some(),
        raw.any.is_some(),
    ];
    match heads.into_iter().filter(|given| *given).count() {
        1 => Ok(()),
        _ => Err("a condition must have exactly one of the keys that name conditions (`kinds/README.md`)".into()),
    }
}

fn check_words(states: &[State]) -> Result<(), String> {
    let mut words = BTreeSet::new();
    for state in states {
        if !is_identifier(&state.name) || state.name == CREATION || state.zh.trim().is_empty() {
            return Err(format!("the state `{}` needs a name of small letters and a Chinese name", state.name));
        }
        for word in [&state.name, &state.zh].into_iter().chain(&state.words) {
            if !words.insert(word.as_str()) {
                return Err(format!("the word `{word}` already means another state"));
            }
        }
    }
    Ok(())
}

/// A state that no record can reach is a mistake of the file.
fn check_reachable(
    states: &[State],
    transitions: &[Transition],
    expiries: &[Expiry],
    initial: Option<usize>,
) -> Result<(), String> {
    let mut reached: BTreeSet<Option<usize>> = BTreeSet::from([None]);
    reached.extend(initial.map(Some));
    loop {
        let before = reached.len();
        let by_act = transitions.iter().filter(|step| step.from.iter().any(|from| reached.contains(from)));
        let by_act: Vec<usize> = by_act.map(|step| step.to).collect();
        let by_time = expiries.iter().filter(|step| step.from.iter().any(|from| reached.contains(&Some(*from))));
        let by_time: Vec<usize> = by_time.map(|step| step.to).collect();
        reached.extend(by_act.into_iter().chain(by_time).map(Some));
        if reached.len() == before {
            break;
        }
    }
    match states.iter().enumerate().find(|(place, _)| !reached.contains(&Some(*place))) {
        Some((_, state)) => Err(format!("no record can reach the state `{}`", state.name)),
        None => Ok(()),
    }
}
