//! The description of the API.

use std::collections::BTreeSet;

use protocol::kind::KindSet;
use serde_json::Value;

use super::Desk;
use crate::api::document::openapi;
use crate::api::routes::routes;

fn document() -> Value {
    openapi(KindSet::builtin())
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let document = document();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let paths = document["paths"].as_object().expect("there are paths");
    let methods = |(path, item): (&String, &Value)| {
        let methods: Vec<_> =
            item.as_object().expect("methods").keys().map(|method| (method.to_uppercase(), path.clone())).collect();
        methods
    };
    let described: BTreeSet<_> = paths.iter().flat_map(methods).collect();
    let served: BTreeSet<_> = routes().iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    assert_eq!(described, served);
}

#[test]
fn everything_is_described_in_both_languages() {
    let document = document();
    for (path, item) in document["paths"].as_object().expect("there are paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let text = operation["description"].as_str().unwrap_or_default();
            let chinese = text.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c));
            let english = text.chars().any(|c| c.is_ascii_alphabetic());
            assert!(chinese && english, "{method} {path}: {text}");
        }
    }
}

#[test]
fn every_kind_has_a_schema_with_its_fields() {
    let document = document();
    for kind in KindSet::builtin().kinds() {
        let schema = &document["components"]["schemas"][format!("Record_{}", kind.name())];
        assert_eq!(schema["x-kind"], kind.number());
        for field in kind.fields() {
            let property = &schema["properties"][&field.name];
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.contains(&field.zh) && description.contains(&field.en), "{description}");
            let required =
                schema["required"].as_array().is_some_and(|names| names.contains(&Value::from(&*field.name)));
            assert_eq!(required, field.obligatory, "{}", field.name);
            assert_eq!(property["x-unit"].as_str(), field.unit());
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("references stay within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            references.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| collect(value, references));
        }
        Value::Array(array) => array.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_served() {
    let desk = Desk::new().await;
    let served: Value = desk.get("/openapi.json").await.good();
    assert_eq!(served, document());
}
