//! A need as a record states it: of which pool, by whom, how much.

use std::collections::BTreeSet;

use super::figure::{Figure, is_unit};
use super::topic::{Topic, topics};
use super::{DEMAND, POOLED, Subject};
use crate::kind::condition::Alone;
use crate::kind::condition::Surroundings;
use crate::kind::derived::Addend;
use crate::kind::{Field, Kind, KindSet, are_alike};
use crate::survey::industry::group_of;
use crate::survey::{Counted, shown};
use crate::value::{Number, NumberFlags, Value};

/// States in which a need no longer stands, or not yet.
const NOT_OPEN: [&str; 4] = ["draft", "met", "expired", "withdrawn"];
/// Figures of a demand that carry their unit in the kind file.
const MEASURED: [&str; 3] = ["land", "floor_area", "amount"];
/// Figures of a pooled need that add up; costs and shares do not.
const POOLED_FIGURES: [&str; 4] = ["cold_storage_mass", "cold_storage_volume", "volume", MONEY];
/// Those that only needs of cold storage state.
const COLD: [&str; 2] = ["cold_storage_mass", "cold_storage_volume"];
/// The field of a pooled need that takes money.
const MONEY: &str = "funds_sought";

/// A need.
#[derive(Debug, Clone)]
pub(super) struct Need {
    /// The pools that it belongs to: one topic, or each group of industries that it names.
    pub(super) subjects: BTreeSet<Subject>,
    pub(super) figures: Vec<Figure>,
    /// What it is needed for, in words.
    pub(super) goods: Vec<String>,
}

/// What a record of a need comes to.
pub(super) enum Read {
    Need(Need),
    /// It is met, expired or not published yet.
    NotOpen,
    /// Neither a topic nor an industry is known.
    NoSubject,
}

pub(super) fn read(record: &Counted<'_>, kinds: &KindSet, as_of_ms: u64) -> Read {
    if record.state_at(as_of_ms).is_some_and(|state| NOT_OPEN.contains(&state)) {
        return Read::NotOpen;
    }
    let need = match record.kind.name() {
        DEMAND => demand(record, kinds, as_of_ms),
        POOLED => pooled(record, as_of_ms),
        _ => None,
    };
    need.map_or(Read::NoSubject, Read::Need)
}

fn demand(record: &Counted<'_>, kinds: &KindSet, as_of_ms: u64) -> Option<Need> {
    let category = record.texts("category").next()?;
    let texts = [category].into_iter().chain(record.texts("name")).chain(record.texts("industries"));
    let topic = topics().of_texts(texts).filter(|_| !topics().is_other(category));
    let groups =
        record.codes("industry_codes").map(|code| Subject::Industry(category.to_owned(), group_of(code).to_owned()));
    let subjects: BTreeSet<Subject> = match topic {
        Some(topic) => BTreeSet::from([Subject::Topic(topic.name.clone())]),
        None => groups.collect(),
    };
    if subjects.is_empty() {
        return None;
    }
    let goods: Vec<String> = record.texts("industries").map(str::to_owned).collect();
    let title = || record.texts("name").map(str::to_owned).collect();
    let taking = topic.and_then(|topic| kinds.kind_named(POOLED).map(|pooled| (topic, pooled)));
    let fields = |topic: &Topic, pooled: &Kind| -> Vec<Field> {
        let names = topic.fields.iter().map(String::as_str).chain([MONEY]);
        names.filter_map(|name| pooled.field_named(name)).cloned().collect()
    };
    let taking: Vec<Field> = taking.map(|(topic, pooled)| fields(topic, pooled)).unwrap_or_default();
    let counted = counted_figure(record).map(|figure| taken(figure, &taking));
    let measured = MEASURED.iter().filter_map(|name| figure(record, name, as_of_ms));
    let measured = measured.map(|figure| if figure.name == "amount" { taken(figure, &taking) } else { figure });
    Some(Need {
        subjects,
        figures: counted.into_iter().chain(measured).collect(),
        goods: if goods.is_empty() { title() } else { goods },
    })
}

fn pooled(record: &Counted<'_>, as_of_ms: u64) -> Option<Need> {
    let services: Vec<&str> = record.texts("services").collect();
    let is_cold = COLD.iter().any(|field| !record.values(field).is_empty());
    let fits = |topic: &&Topic| match is_cold {
        true => topic.fields.iter().any(|field| COLD.contains(&field.as_str())),
        false => services.contains(&topic.service.as_str()),
    };
    let topic = topics().topics.iter().find(fits)?;
    Some(Need {
        subjects: BTreeSet::from([Subject::Topic(topic.name.clone())]),
        figures: POOLED_FIGURES.iter().filter_map(|name| figure(record, name, as_of_ms)).collect(),
        goods: record.texts("goods").map(str::to_owned).collect(),
    })
}

/// The figure of a field, in the unit of the field.
fn figure(record: &Counted<'_>, name: &str, as_of_ms: u64) -> Option<Figure> {
    let field = record.field(name)?;
    let value = record.state.fields.get(&field.number)?;
    let alone = Alone { kind: record.kind, as_of_ms };
    let surroundings: &dyn Surroundings = &alone;
    let amount = match record.kind.addend(field, record.owner, &record.state.fields, surroundings) {
        Addend::Amount(amount) => Some(amount),
        Addend::LeftOut => None,
        Addend::None => return None,
    };
    Some(Figure {
        name: field.name.clone(),
        zh: field.zh.clone(),
        unit: field.unit().unwrap_or_default().to_owned(),
        amount,
        flags: number(value).map(|number| number.flags).unwrap_or_default(),
        text: shown(field, value),
    })
}

/// The figure of a demand whose unit is a text beside it; `None` without a unit, which says nothing that could be added.
fn counted_figure(record: &Counted<'_>) -> Option<Figure> {
    let field = record.field("quantity")?;
    let value = record.state.fields.get(&field.number)?;
    let number = number(value)?;
    let unit = record.texts("unit").next().filter(|unit| is_unit(unit))?.trim();
    Some(Figure {
        name: field.name.clone(),
        zh: field.zh.clone(),
        unit: unit.to_owned(),
        amount: (!number.flags.contains(NumberFlags::CUMULATIVE)).then(|| number.amount()),
        flags: number.flags,
        text: format!("{}{unit}", field.render(value)),
    })
}

/// The figure as one of the fields that take it, if its unit measures the same.
fn taken(figure: Figure, taking: &[Field]) -> Figure {
    let fits = |field: &&Field| field.unit().is_some_and(|unit| are_alike(unit, &figure.unit));
    match taking.iter().find(fits) {
        Some(field) => Figure { name: field.name.clone(), zh: field.zh.clone(), ..figure },
        None => figure,
    }
}

fn number(value: &Value) -> Option<&Number> {
    match value {
        Value::Decimal(number) | Value::Quantity { number, .. } | Value::Money { number, .. } => Some(number),
        _ => None,
    }
}
