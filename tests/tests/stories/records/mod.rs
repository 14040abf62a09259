//! What officials do with records: sheets in and out, templates, projects that are signed, land and toolkits.

mod finding;
mod projects;
mod samples;
mod sheets;

use std::collections::BTreeMap;
use std::path::Path;

use harness::node::{Line, Node};
use serde_json::Value;

/// Where the nodes of [`federation`] stand.
const SECRETARIAT: usize = 0;
const COUNTY: usize = 1;
const OTHER: usize = 2;
const FUND: usize = 3;

/// A secretariat, two counties and a fund.
#[track_caller]
fn federation() -> Line {
    Line::found_as(&[
        ("联盟秘书处", "secretariat", ""),
        ("奉节县", "county", "500236"),
        ("夏邑县", "county", "411426"),
        ("产业基金", "fund", ""),
    ])
}

/// Runs a command with a file in it.
fn with_file(node: &Node, before: &[&str], path: &Path, after: &[&str]) -> harness::node::Outcome {
    let path = path.to_string_lossy();
    node.run(&[before, &[&*path], after].concat())
}

fn import(node: &Node, path: &Path, more: &[&str]) -> harness::node::Outcome {
    with_file(node, &["import"], path, more)
}

/// The texts under a key of each item of a list, in order.
fn texts<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|item| item[key].as_str()).collect()
}

/// The fields of a record that a node shows: value by name.
fn fields(record: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = record["fields"].as_array().into_iter().flatten();
    fields.map(|field| (text(&field["name"]), text(&field["value"]))).collect()
}

/// The records of a kind and an owner as a node lists them, by their own number.
#[track_caller]
fn records(node: &Node, kind: &str, owner: u32) -> BTreeMap<String, BTreeMap<String, String>> {
    let listed = node.run(&["list", "--all", "--kind", kind, "--owner", &owner.to_string()]).ok();
    let records = listed["records"].as_array().expect("a list").iter();
    records.map(|record| (record["external"].as_str().unwrap_or_default().to_owned(), fields(record))).collect()
}

/// A record of another member by its own number.
#[track_caller]
fn shown(node: &Node, kind: &str, external: &str) -> Value {
    let listed = node.run(&["list", "--all", "--kind", kind]).ok();
    let records = listed["records"].as_array().expect("a list");
    let record = records.iter().find(|record| record["external"] == external).expect("it is listed");
    node.run(&["show", record["label"].as_str().expect("a label")]).ok()
}
