//! Schemas of records for the description of the API: one for each kind in use, so that a new kind appears there.

use protocol::kind::{Field, FieldType, Kind, KindSet};
use serde_json::{Map, Value, json};

use super::view::field_view;

/// What stands before the name of a kind in the name of its schema.
const NAME_PREFIX: &str = "Record_";

/// `Record_<kind>` of every kind, and `RecordFields`, which is one of them.
pub fn schemas(kinds: &KindSet) -> Map<String, Value> {
    let mut schemas: Map<String, Value> =
        kinds.kinds().map(|kind| (format!("{NAME_PREFIX}{}", kind.name()), kind_schema(kinds, kind))).collect();
    let references = schemas.keys().map(|name| json!({"$ref": format!("#/components/schemas/{name}")}));
    let any = json!({
        "description": "一条记录的字段，按其类别。The fields of a record, as its kind has them.",
        "anyOf": references.collect::<Vec<_>>(),
    });
    schemas.insert("RecordFields".to_owned(), any);
    schemas
}

fn kind_schema(kinds: &KindSet, kind: &Kind) -> Value {
    let properties: Map<String, Value> =
        kind.fields().map(|field| (field.name.clone(), property(kinds, field))).collect();
    let required: Vec<&str> = kind.fields().filter(|field| field.obligatory).map(|field| field.name.as_str()).collect();
    json!({
        "type": "object",
        "title": kind.en(),
        "description": format!("{} {}", kind.zh(), kind.en()),
        "x-kind": kind.number(),
        "x-writers": kind.writers().collect::<Vec<_>>(),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Every value is a text; what the text must say is told beside it.
fn property(kinds: &KindSet, field: &Field) -> Value {
    let view = field_view(kinds, field);
    let mut property = Map::from_iter([
        ("type".to_owned(), json!("string")),
        ("description".to_owned(), json!(format!("{} {}", view.header, view.en))),
        ("x-type".to_owned(), json!(view.field_type)),
        ("x-number".to_owned(), json!(view.number)),
    ]);
    let mut add = |key: &str, value: Value| property.insert(key.to_owned(), value);
    if let Some(unit) = view.unit {
        add("x-unit", json!(unit));
    }
    if let Some(table) = view.table {
        add("x-table", json!(table));
    }
    if field.list {
        // A list is written in one text, so its elements cannot be said as an `enum` of the whole.
        add("x-list", json!(true));
        add("x-separators", json!(view.separators));
        if !view.choices.is_empty() {
            add("x-choices", json!(view.choices));
        }
    } else if !view.choices.is_empty() {
        add("enum", json!(view.choices));
    } else if field.field_type == FieldType::Boolean {
        add("examples", json!(["是", "否"]));
    }
    if let Some(link) = view.link {
        add("x-link", json!(link));
    }
    if !view.suggest.is_empty() {
        add("examples", json!(view.suggest));
    }
    if let Some(min) = view.min {
        add("x-min", json!(min));
    }
    if let Some(max) = view.max {
        add("x-max", json!(max));
    }
    if view.readers != "all" {
        add("x-readers", json!(view.readers));
    }
    Value::Object(property)
}
