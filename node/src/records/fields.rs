//! Fields as people write them, by name and as text, into values.

use std::collections::{BTreeMap, BTreeSet};

use protocol::kind::{Field, Kind};
use protocol::value::Value;

use super::error::RecordError;

/// Reads the fields of a new record. Blank texts are fields that are not there.
pub(crate) fn parse(kind: &Kind, texts: &BTreeMap<String, String>) -> Result<BTreeMap<u16, Value>, RecordError> {
    let (mut fields, mut broken) = (BTreeMap::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for (name, text) in texts {
        let field = named(kind, name)?;
        if !seen.insert(field.number) {
            return Err(twice(field));
        }
        match field.parse(text) {
            Ok(Some(value)) => drop(fields.insert(field.number, value)),
            Ok(None) => {}
            Err(error) => broken.push(error),
        }
    }
    if broken.is_empty() { Ok(fields) } else { Err(RecordError::Fields(broken)) }
}

/// Reads what a revision sets. A blank text is refused: taking a field away is said by its name under `clear`.
pub(super) fn parse_set(kind: &Kind, texts: &BTreeMap<String, String>) -> Result<BTreeMap<u16, Value>, RecordError> {
    let fields = parse(kind, texts)?;
    for name in texts.keys() {
        let field = named(kind, name)?;
        if !fields.contains_key(&field.number) {
            return Err(RecordError::FieldBlank { field_zh: field.zh.clone(), field_en: field.en.clone() });
        }
    }
    Ok(fields)
}

/// Reads what a revision clears.
pub(super) fn parse_clear(
    kind: &Kind,
    names: &[String],
    set: &BTreeMap<u16, Value>,
) -> Result<BTreeSet<u16>, RecordError> {
    let mut cleared = BTreeSet::new();
    for name in names {
        let field = named(kind, name)?;
        if set.contains_key(&field.number) || !cleared.insert(field.number) {
            return Err(twice(field));
        }
    }
    Ok(cleared)
}

fn named<'a>(kind: &'a Kind, name: &str) -> Result<&'a Field, RecordError> {
    kind.field_named(name).ok_or_else(|| {
        let known: Vec<&str> = kind.fields().filter(|field| !field.is_local()).map(|field| field.zh.as_str()).collect();
        RecordError::FieldUnknown {
            field: name.to_owned(),
            kind_zh: kind.zh().to_owned(),
            kind_en: kind.en().to_owned(),
            known: known.join("、"),
        }
    })
}

fn twice(field: &Field) -> RecordError {
    RecordError::FieldTwice { field_zh: field.zh.clone(), field_en: field.en.clone() }
}
