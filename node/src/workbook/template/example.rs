//! The example row of a template: every cell is one that its column takes.

use protocol::kind::codes::{self, CREDIT_CODES, DIVISIONS, INDUSTRIES};
use protocol::kind::{Field, FieldType, Kind};
use rust_decimal::Decimal;

use super::choices;

/// What the own number of an example begins with; importers pass over such rows.
pub const EXAMPLE_PREFIX: &str = "示例";

/// Figure of an example, where the field bounds it no otherwise.
const FIGURE: u32 = 10;
const PERIOD: &str = "2026";
/// A file by hash, length and name: that of no bytes at all.
const FILE: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262|0|示例.pdf";
const DATE: &str = "2026-12-31";
/// Codes of examples, by table.
const CODES: [(&str, &str); 3] = [(DIVISIONS, "500236"), (INDUSTRIES, "3841"), (CREDIT_CODES, "11999999000000019M")];

/// What the example row holds in the column of `field`; empty where nothing sensible can be said.
pub fn example(kind: &Kind, field: &Field) -> String {
    if field.number == kind.external_field().number {
        return field.example.as_ref().map_or_else(own_number, |example| format!("{EXAMPLE_PREFIX}{example}"));
    }
    if let Some(example) = &field.example {
        return example.clone();
    }
    match &field.field_type {
        FieldType::Text => text(kind, field),
        FieldType::Decimal | FieldType::Quantity { .. } | FieldType::Money { .. } => figure(field).to_string(),
        FieldType::Date => DATE.to_owned(),
        FieldType::Period => PERIOD.to_owned(),
        FieldType::Code { table } => code(table),
        FieldType::Choice { choices } => choices.first().cloned().unwrap_or_default(),
        FieldType::Boolean => "是".to_owned(),
        FieldType::File if field.obligatory => FILE.to_owned(),
        // Nobody types the id of a record or the hash of a file.
        FieldType::Reference | FieldType::File => String::new(),
    }
}

fn own_number() -> String {
    format!("{EXAMPLE_PREFIX}-1")
}

fn text(kind: &Kind, field: &Field) -> String {
    if field.number == kind.title_field().number {
        return format!("{EXAMPLE_PREFIX}{}", kind.zh());
    }
    let initial =
        choices::lifecycle(kind, field).and_then(|lifecycle| lifecycle.initial()).map(|state| state.zh.clone());
    let word = initial.or_else(|| choices::words(kind, field).into_iter().next());
    match (word, field.link_number()) {
        (Some(word), _) => word,
        // A record that is part of itself explains nothing.
        (None, Some(number)) if number == kind.number() && !field.obligatory => String::new(),
        // The example row of the other kind.
        (None, Some(_)) => own_number(),
        (None, None) => format!("{EXAMPLE_PREFIX}{}", field.zh),
    }
}

/// A figure within the bounds of the field.
fn figure(field: &Field) -> Decimal {
    let figure = Decimal::from(FIGURE);
    let figure = field.max.map_or(figure, |max| figure.min(max));
    field.min.map_or(figure, |min| figure.max(min))
}

fn code(table: &str) -> String {
    let known = CODES.iter().find(|(name, _)| *name == table).map(|(_, code)| (*code).to_owned());
    let first = || codes::table(table).and_then(|table| table.entries().next()).map(|(code, _)| code.to_owned());
    known.or_else(first).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use protocol::kind::KindSet;

    use super::*;

    #[test]
    fn every_example_of_every_kind_is_one_that_its_column_takes() {
        let mut faults = Vec::new();
        for kind in KindSet::builtin().kinds() {
            let mut fields = BTreeMap::new();
            for field in kind.fields() {
                let text = example(kind, field);
                let value =
                    field.parse(&text).unwrap_or_else(|broken| panic!("{} {}: {broken}", kind.name(), field.name));
                if let Some(value) = value.filter(|_| kind.is_local() || !field.is_local()) {
                    fields.insert(field.number, value);
                }
            }
            let broken = if kind.is_local() { kind.validate_local(&fields) } else { kind.validate(&fields) };
            faults.extend(broken.into_iter().map(|broken| format!("{}: {broken}", kind.name())));
            assert!(example(kind, kind.external_field()).starts_with(EXAMPLE_PREFIX));
        }
        assert_eq!(faults, Vec::<String>::new());
    }
}
