//! The draft of a joint need: a record of the kind `pooled_need` that adds up the needs of a topic and names them all.
//!
//! Nothing publishes it: whoever leads the joint application looks at it, changes it and publishes it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::topic::Topic;
use super::{Filling, LABEL_SEPARATOR, MADE_OF, NeedSource, POOLED, Sum};
use crate::kind::{Kind, KindSet, convert};
use crate::limits::POOL_SOURCES_MAX;
use crate::survey::place;
use crate::value::Date;

/// Names of goods that a draft lists.
const GOODS_MAX: usize = 20;
/// Counties of one need that a draft names.
const COUNTIES_NAMED_MAX: usize = 3;

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its fields by identifier, as an importer reads them.
    pub fields: BTreeMap<String, String>,
    /// Whether it lacks its division, because the needs are of several provinces.
    pub without_division: bool,
    /// Sums for which the kind has no field, or not in a unit that converts: they stand in the note.
    pub only_in_note: usize,
}

/// The draft of a pool; `None` where the set lacks the kind, or more needs would be added up than it can name.
pub(super) fn draft(topic: &Topic, pool: &Filling, sums: &[Sum], kinds: &KindSet, as_of_ms: u64) -> Option<Draft> {
    let kind = kinds.kind_named(POOLED)?;
    if pool.needs > POOL_SOURCES_MAX {
        return None;
    }
    let mut fields = BTreeMap::new();
    let mut only_in_note = 0;
    for sum in sums.iter().filter(|sum| sum.added > 0) {
        // Of several sums for one field the first stays; their units do not convert into each other.
        match cell(kind, sum).filter(|_| !fields.contains_key(&sum.name)) {
            Some(cell) => drop(fields.insert(sum.name.clone(), cell)),
            None => only_in_note += 1,
        }
    }
    let division = place::common(&pool.counties);
    let day = Date::of_ms(as_of_ms).map(|day| day.to_string()).unwrap_or_default();
    let number = format!("HJ-{}-{}-{day}", topic.name, division.as_deref().unwrap_or("x"));
    let goods = pool.goods.iter().take(GOODS_MAX).map(String::as_str).collect::<Vec<_>>().join("、");
    let without_division = division.is_none();
    fields.extend(division.map(|division| ("division_code".to_owned(), division)));
    let labels: Vec<String> = pool.sources.iter().map(|need| need.source.label.to_string()).collect();
    let texts = [
        ("need_number", number),
        ("goods", if goods.is_empty() { topic.zh.clone() } else { goods }),
        ("services", topic.service.clone()),
        ("note", note(pool, sums, &day)),
        ("source", format!("{MADE_OF}{}", labels.join(LABEL_SEPARATOR))),
    ];
    fields.extend(texts.map(|(name, text)| (name.to_owned(), text)));
    Some(Draft { fields, without_division, only_in_note })
}

/// A sum as a cell of the field that takes it: in the unit of the field if that is exact, else as it is where the
/// importer converts it.
fn cell(kind: &Kind, sum: &Sum) -> Option<String> {
    let field = kind.field_named(&sum.name).filter(|field| field.name == sum.name)?;
    let unit = field.unit()?;
    let amount: Decimal = convert(sum.amount, &sum.unit, unit)?;
    let sum = Sum { amount, unit: unit.to_owned(), ..sum.clone() };
    let text = sum.text();
    field.parse(&text).ok().flatten().map(|_| text)
}

/// Who needs how much, and what was not added.
fn note(pool: &Filling, sums: &[Sum], day: &str) -> String {
    let totals: Vec<String> = sums.iter().filter(|sum| sum.added > 0).map(total).collect();
    let needs: Vec<String> = pool.sources.iter().map(need).collect();
    let left_out: usize = sums.iter().map(|sum| sum.left_out).sum();
    let mut note = format!("由 {} 个县（市、区）的 {} 项需求汇集，截至 {day}。", pool.counties.len(), pool.needs);
    if !totals.is_empty() {
        note.push_str(&format!("合计：{}。", totals.join("；")));
    }
    if pool.without_figure > 0 {
        note.push_str(&format!("{} 项没有写明数量和单位，未计入。", pool.without_figure));
    }
    if left_out > 0 {
        note.push_str(&format!("{left_out} 个数不可相加（累计、币种或单位不同），未计入。"));
    }
    note.push_str(&format!("明细：{}。", needs.join("；")));
    note
}

fn total(sum: &Sum) -> String {
    match sum.soft {
        0 => format!("{} {}", sum.zh, sum.text()),
        soft => format!("{} {}（其中 {soft} 个是约数或下限、上限）", sum.zh, sum.text()),
    }
}

fn need(need: &NeedSource) -> String {
    let named: Vec<&str> = need.counties.iter().take(COUNTIES_NAMED_MAX).map(|county| county.name.as_str()).collect();
    let more = if need.counties.len() > named.len() { "等" } else { "" };
    let figures = if need.figures.is_empty() { "未写明数量".to_owned() } else { need.figures.join("，") };
    format!("{} {}{more} {figures}", need.source.label, named.join("、"))
}
