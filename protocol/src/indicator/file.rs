//! The file of definitions, read and checked. What passes here is never checked again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::definition::{
    Aggregate, Amount, Basis, Comparator, Compute, Confirmed, Definitions, Due, Indicator, Source,
};
use super::span::Span;
use crate::charter::{Class, Role};
use crate::kind::{ConditionFile, FieldType, Kind, KindSet};
use crate::rules::{RulesError, content_hash};

/// Its name in errors.
const FILE_NAME: &str = "indicators/definitions.toml";

/// The kind whose records enter figures from outside.
const ENTERED_KIND: &str = "indicator";

/// Its number.
pub(super) fn entered_kind() -> u16 {
    static NUMBER: LazyLock<u16> =
        LazyLock::new(|| KindSet::builtin().kind_named(ENTERED_KIND).map_or(0, Kind::number));
    *NUMBER
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionsFile {
    version: u32,
    indicator: Vec<IndicatorFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndicatorFile {
    code: String,
    name_zh: String,
    name_en: String,
    subject: String,
    #[serde(default)]
    region: String,
    comparator: String,
    target: String,
    unit: String,
    period: String,
    due: Option<String>,
    nature: String,
    formula: String,
    #[serde(default)]
    doubts: String,
    source: String,
    basis: String,
    basis_zh: String,
    basis_en: String,
    span: String,
    #[serde(default)]
    members_due: Vec<String>,
    members: Option<Vec<String>>,
    distinct: Option<String>,
    seats: Option<String>,
    duty: Option<String>,
    #[serde(default)]
    growth: bool,
    aggregate: Option<String>,
    #[serde(default)]
    value: Vec<SourceFile>,
    #[serde(default)]
    above: Vec<SourceFile>,
    #[serde(default)]
    below: Vec<SourceFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceFile {
    kind: String,
    #[serde(default, rename = "where")]
    conditions: Vec<ConditionFile>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default, rename = "and")]
    further: Vec<ConditionFile>,
    date: Option<String>,
    sum: Option<String>,
    elements: Option<String>,
    days: Option<[String; 2]>,
    unit: Option<String>,
    #[serde(default)]
    once: Vec<String>,
    by: Option<String>,
    confirmed_by: Option<[String; 2]>,
    #[serde(default)]
    confirmed: bool,
    shares: Option<[String; 2]>,
    #[serde(default)]
    group: bool,
}

/// Reads definitions over a set of kinds.
pub(super) fn parse(content: &str, kinds: &KindSet) -> Result<Definitions, RulesError> {
    let file: DefinitionsFile = toml::from_str(content).map_err(RulesError::syntax(FILE_NAME))?;
    let hash = content_hash(content);
    let mut reader = Reader { kinds, places: Vec::new(), by_kind: BTreeMap::new() };
    let (mut codes, mut indicators) = (BTreeSet::new(), Vec::new());
    for raw in file.indicator {
        let code = raw.code.clone();
        let rule = |rule: String| RulesError::Rule { file: FILE_NAME, place: code.clone(), rule };
        if !codes.insert(raw.code.clone()) {
            return Err(rule("this code was given before".into()));
        }
        indicators.push(reader.indicator(raw).map_err(rule)?);
    }
    Ok(Definitions { version: file.version, hash, indicators, by_kind: reader.by_kind, places: reader.places })
}

struct Reader<'a> {
    kinds: &'a KindSet,
    places: Vec<(u16, usize)>,
    by_kind: BTreeMap<u16, Vec<Source>>,
}

impl Reader<'_> {
    fn indicator(&mut self, raw: IndicatorFile) -> Result<Indicator, String> {
        let comparator = Comparator::read(&raw.comparator).ok_or("no such comparator")?;
        let (target_figure, target_upper) = target(&raw.target, comparator);
        let basis = [Basis::Computed, Basis::Entered, Basis::NotComputable];
        let basis = basis.into_iter().find(|basis| basis.name() == raw.basis).ok_or("no such basis")?;
        if [&raw.basis_zh, &raw.basis_en, &raw.name_zh, &raw.name_en].iter().any(|text| text.trim().is_empty()) {
            return Err("name and basis must be said in both languages".into());
        }
        let due = raw.due.as_deref().map(|text| {
            Due::read(text)
                .ok_or_else(|| format!("`{text}` is neither a day, nor `year`, `founding+MONTHS` or `untold`"))
        });
        Ok(Indicator {
            comparator,
            target_figure,
            target_upper,
            basis,
            due: due.transpose()?,
            span: Span::read(&raw.span).ok_or("no such span")?,
            members_due: classes(&raw.members_due)?,
            compute: self.compute(&raw, basis)?,
            region: prefix(&raw.region).to_owned(),
            code: raw.code,
            name_zh: raw.name_zh,
            name_en: raw.name_en,
            subject: raw.subject,
            target: raw.target,
            unit: raw.unit,
            period: raw.period,
            nature: raw.nature,
            formula: raw.formula,
            doubts: raw.doubts,
            source: raw.source,
            basis_zh: raw.basis_zh,
            basis_en: raw.basis_en,
        })
    }

    fn compute(&mut self, raw: &IndicatorFile, basis: Basis) -> Result<Compute, String> {
        let sources = self.sources(&raw.value)?;
        let (above, below) = (self.sources(&raw.above)?, self.sources(&raw.below)?);
        let is_rate = !above.is_empty() && !below.is_empty();
        let given = [raw.members.is_some(), raw.seats.is_some(), raw.duty.is_some(), !sources.is_empty(), is_rate];
        let given = given.into_iter().filter(|given| *given).count();
        if basis == Basis::NotComputable {
            return if given == 0 { Ok(Compute::Nothing) } else { Err("it says that it is not computable".into()) };
        }
        if given == 0 && basis == Basis::Entered {
            return Ok(Compute::Entered);
        }
        if given != 1 || above.is_empty() != below.is_empty() {
            return Err("it needs one of members, seats, duty, value, and above with below".into());
        }
        if let Some(names) = &raw.members {
            let provinces = match raw.distinct.as_deref() {
                None => false,
                Some("province") => true,
                Some(_) => return Err("members are distinct by province or not at all".into()),
            };
            return Ok(Compute::Members { classes: classes(names)?, provinces });
        }
        if let Some(role) = &raw.seats {
            return Ok(Compute::Seats(Role::from_name(role).ok_or("no such role")?));
        }
        if let Some(duty) = &raw.duty {
            return Ok(Compute::Duty(duty.clone()));
        }
        if is_rate {
            return Ok(if raw.growth { Compute::Growth { above, below } } else { Compute::Rate { above, below } });
        }
        let aggregate = match raw.aggregate.as_deref() {
            None => Aggregate::Count,
            Some("sum") => Aggregate::Sum,
            Some("average") => Aggregate::Average,
            Some("least") => Aggregate::Least,
            Some("distinct") => Aggregate::Distinct,
            Some(_) => return Err("no such aggregate".into()),
        };
        Ok(Compute::One(aggregate, sources))
    }

    fn sources(&mut self, raw: &[SourceFile]) -> Result<Vec<usize>, String> {
        raw.iter().map(|raw| self.source(raw)).collect()
    }

    fn source(&mut self, raw: &SourceFile) -> Result<usize, String> {
        let kind = self.kinds.kinds().find(|kind| kind.name() == raw.kind);
        let kind = kind.ok_or_else(|| format!("`{}` is no kind", raw.kind))?;
        let field = |name: &String| clear_field(kind, name);
        let fields = |names: &[String]| names.iter().map(field).collect::<Result<Vec<u16>, String>>();
        let pair = |pair: &Option<[String; 2]>| {
            pair.as_ref().map(|[one, other]| Ok::<_, String>((field(one)?, field(other)?))).transpose()
        };
        let confirmed = match (&raw.confirmed_by, raw.confirmed) {
            (None, false) => Confirmed::Never,
            (None, true) => Confirmed::Always,
            (Some([other, by]), false) => {
                let other = self.kinds.kinds().find(|kind| kind.name() == other);
                let other = other.ok_or("what confirms is no kind")?;
                let by = other.fields().find(|field| field.name == *by && field.link_number() == Some(kind.number()));
                Confirmed::By(other.number(), by.ok_or("what confirms does not name the record")?.number)
            }
            (Some(_), true) => return Err("it is confirmed in two ways".into()),
        };
        let slot = self.places.len();
        let sources = self.by_kind.entry(kind.number()).or_default();
        self.places.push((kind.number(), sources.len()));
        sources.push(Source {
            slot,
            kind: kind.number(),
            conditions: self.kinds.conditions(kind, &raw.conditions)?,
            needs: fields(&raw.needs)?,
            further: self.kinds.conditions(kind, &raw.further)?,
            date: raw.date.as_ref().map(field).transpose()?,
            amount: amount(kind, raw)?,
            once: fields(&raw.once)?,
            by: raw.by.as_ref().map(field).transpose()?,
            confirmed,
            shares: pair(&raw.shares)?,
            is_group: raw.group,
        });
        Ok(slot)
    }
}

/// A field that every member reads: shared figures look at nothing else.
fn clear_field(kind: &Kind, name: &String) -> Result<u16, String> {
    let field = kind.fields().find(|field| field.name == *name);
    let field = field.ok_or_else(|| format!("`{name}` is no field of `{}`", kind.name()))?;
    match field.is_local() || field.is_confidential() {
        true => Err(format!("`{name}` of `{}` is not for every member", kind.name())),
        false => Ok(field.number),
    }
}

fn amount(kind: &Kind, raw: &SourceFile) -> Result<Amount, String> {
    if let Some(name) = &raw.sum {
        let number = clear_field(kind, name)?;
        let own = kind.field(number).and_then(|field| field.unit()).unwrap_or_default();
        let unit = raw.unit.as_deref().unwrap_or(own);
        return Ok(Amount::Field(number, unit.to_owned()));
    }
    if let Some(name) = &raw.elements {
        return Ok(Amount::Elements(clear_field(kind, name)?));
    }
    if let Some([from, until]) = &raw.days {
        let (from, until) = (clear_field(kind, from)?, clear_field(kind, until)?);
        let is_date = |number| kind.field(number).is_some_and(|field| field.field_type == FieldType::Date);
        return if is_date(from) && is_date(until) { Ok(Amount::Days(from, until)) } else { Err("no dates".into()) };
    }
    Ok(Amount::One)
}

fn classes(names: &[String]) -> Result<Vec<Class>, String> {
    names.iter().map(|name| Class::from_name(name).ok_or_else(|| format!("`{name}` is no class"))).collect()
}

/// The lower and the upper end of a target, where it is a number or two.
fn target(text: &str, comparator: Comparator) -> (Option<Decimal>, Option<Decimal>) {
    let number = |text: &str| Decimal::from_str_exact(text).ok();
    match text.split_once('-') {
        Some((lower, upper)) if comparator == Comparator::Within => (number(lower), number(upper)),
        _ => (number(text), None),
    }
}

/// The beginning that all codes below a division share: of a prefecture four digits, of a province two.
fn prefix(code: &str) -> &str {
    code.strip_suffix("0000").or_else(|| code.strip_suffix("00")).unwrap_or(code)
}
