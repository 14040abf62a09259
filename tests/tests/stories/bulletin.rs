//! The secretariat publishes its figures, and any member computes them again: equal, altered, or short of a record; an
//! objection stands beside a figure until it is answered.

use std::collections::BTreeMap;
use std::fs;

use harness::node::{Line, Node, WAIT, wait, wait_equal};
use protocol::value::Date;
use serde_json::{Value, json};

const SECRETARIAT: usize = 0;
const COUNTY: usize = 1;
const OTHER: usize = 2;
/// Items of information: live resources, land, plant and demands.
const ITEMS: &str = "ZB008";
const COUNTIES: &str = "ZB002";

fn federation() -> Line {
    Line::found_as(&[("联盟秘书处", "secretariat", ""), ("夏邑县", "county", "411426"), ("奉节县", "county", "500236")])
}

fn all_equal(line: &Line) {
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
}

/// Publishes a resource and returns its label.
#[track_caller]
fn resource(node: &Node, name: &str) -> String {
    let name = format!("名称={name}");
    let published =
        node.run(&["publish", "--wait", "0", "--kind", "resource", "资源类别=厂房", "状态=可用", &name]).ok();
    published["labels"][0].as_str().expect("a label").to_owned()
}

/// The figure of an indicator in an answer.
#[track_caller]
fn figure<'a>(view: &'a Value, list: &str, code: &str) -> &'a Value {
    let figures = view[list].as_array().expect("figures");
    figures.iter().find(|figure| figure["code"] == code).unwrap_or_else(|| panic!("no {code} in {view}"))
}

/// The fields of a published bulletin but for its own number, as they can be published again.
fn fields_of(node: &Node, label: &str) -> BTreeMap<String, String> {
    let record = node.run(&["show", label]).ok();
    let fields = record["fields"].as_array().expect("fields").iter();
    let text = |field: &Value, key: &str| field[key].as_str().expect("a text").to_owned();
    let cells = fields.map(|field| (text(field, "name"), text(field, "value")));
    cells.filter(|(name, _)| name != "bulletin_number").collect()
}

/// What a dishonest secretariat does: it signs a bulletin of which it wrote the fields by hand.
#[track_caller]
fn forge(line: &Line, fields: &BTreeMap<String, String>) -> String {
    let file = line.folder().join("公报.json");
    fs::write(&file, json!({ "kind": "figure_bulletin", "fields": fields }).to_string()).expect("the file is written");
    let published = line.nodes[SECRETARIAT].run(&["publish", "--wait", "0", &file.to_string_lossy()]).ok();
    all_equal(line);
    published["labels"][0].as_str().expect("a label").to_owned()
}

/// What verification at a node finds: of each difference what, which indicator, which records.
#[track_caller]
fn differences(node: &Node, label: &str) -> Vec<(String, String, Vec<String>)> {
    assert_eq!(node.run(&["verify", "bulletin", label]).failed(10), "bulletin-differs");
    let view = node.get(&format!("/v1/bulletins/{label}/verification"));
    assert_eq!(view["verdict"], "differs");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = view["differences"].as_array().expect("differences").iter().map(|difference| {
        let records = difference["records"].as_array().into_iter().flatten().map(text).collect();
        (text(&difference["what"]), text(&difference["code"]), records)
    });
    found.collect()
}

#[test]
fn a_bulletin_is_computed_again_by_a_member_and_what_was_altered_or_left_out_is_named() {
    let line = federation();
    resource(&line.nodes[COUNTY], "一号厂房");
    let second = resource(&line.nodes[OTHER], "二号厂房");
    all_equal(&line);

    assert_eq!(line.nodes[COUNTY].run(&["bulletin", "publish"]).failed(7), "not-secretariat");
    let published = line.nodes[SECRETARIAT].run(&["bulletin", "publish", "--number", "2026Q4"]).ok();
    let label = published["label"].as_str().expect("a label").to_owned();
    let items = figure(&published, "figures", ITEMS);
    assert_eq!((&items["value"], &items["records"]), (&json!("2"), &json!(2)), "{items}");
    assert_eq!((&items["members_counted"], &items["members_due"]), (&json!(2), &json!(2)));
    assert_eq!(figure(&published, "figures", COUNTIES)["value"], "2");
    all_equal(&line);
    for node in &line.nodes {
        let verified = node.run(&["verify", "bulletin", &label]).ok();
        assert_eq!((&verified["verdict"], &verified["differences"]), (&json!("equal"), &json!([])), "{verified}");
        assert_eq!(verified["recomputed"], 75);
        // The secretariat's own number names it everywhere.
        assert_eq!(node.run(&["bulletin", "show", "2026Q4"]).ok()["label"], json!(label));
    }

    // Altered by one: the indicator is named, with what it should be.
    let honest = fields_of(&line.nodes[SECRETARIAT], &label);
    let mut altered = honest.clone();
    let figures = &honest["figures"];
    assert!(figures.contains("ZB008 2 confirmed"));
    altered.insert("figures".into(), figures.replacen("ZB008 2 confirmed", "ZB008 3 confirmed", 1));
    let label = forge(&line, &altered);
    assert_eq!(differences(&line.nodes[COUNTY], &label), [("value".to_owned(), ITEMS.to_owned(), vec![])]);
    let view = line.nodes[OTHER].get(&format!("/v1/bulletins/{label}/verification"));
    assert_eq!((&view["differences"][0]["stated"], &view["differences"][0]["found"]), (&json!("3"), &json!("2")));

    // A record that is left out of the figures, though the frontier has it, is named too.
    let fewer = fields_of(&line.nodes[SECRETARIAT], &label);
    let left_out = |text: &String| {
        let found = text.split(';').find(|figure| figure.starts_with(ITEMS));
        found.expect("the figure is there").to_owned()
    };
    let before = left_out(&fewer["figures"]);
    let third = resource(&line.nodes[COUNTY], "三号厂房");
    all_equal(&line);
    // A frontier that ends before a record that is dated earlier: what nobody shows that the secretariat had read when it
    // wrote is no fault of the bulletin.
    let now_ms = line.nodes[SECRETARIAT].get("/v1/indicators")["as_of_ms"].as_u64().expect("a time");
    let mut early = honest.clone();
    early.insert("as_of_ms".into(), now_ms.to_string());
    early.insert("as_of".into(), Date::of_ms(now_ms).expect("a day").to_string());
    let late = forge(&line, &early);
    for node in &line.nodes {
        let verified = node.run(&["verify", "bulletin", &late]).ok();
        assert_eq!((&verified["verdict"], &verified["differences"]), (&json!("late"), &json!([])), "{verified}");
        let item = figure(&verified, "late", ITEMS);
        assert_eq!((&item["records"], &verified["late_records"]), (&json!([third]), &json!(1)));
    }
    // Proofs that nobody holds, and a day that is not that of the time.
    let mut unproven = honest.clone();
    unproven.insert("proofs".into(), "ee".repeat(32));
    let label = forge(&line, &unproven);
    assert_eq!(line.nodes[COUNTY].run(&["verify", "bulletin", &label]).failed(7), "bulletin-cannot");
    let mut misdated = honest.clone();
    misdated.insert("as_of".into(), "2020-01-01".into());
    let label = forge(&line, &misdated);
    assert_eq!(differences(&line.nodes[COUNTY], &label)[0].0, "layout");

    let with_three = line.nodes[SECRETARIAT].run(&["bulletin", "publish"]).ok();
    let with_three = with_three["label"].as_str().expect("a label").to_owned();
    let mut short = fields_of(&line.nodes[SECRETARIAT], &with_three);
    let honest_line = left_out(&short["figures"]);
    let two = before.replacen("ZB008 3 confirmed", "ZB008 2 confirmed", 1);
    let figures = short["figures"].replacen(&honest_line, &two, 1);
    short.insert("figures".into(), figures);
    let label = forge(&line, &short);
    let found = differences(&line.nodes[OTHER], &label);
    assert!(found.contains(&("value".to_owned(), ITEMS.to_owned(), vec![third.clone()])), "{found:?}");
    assert!(found.contains(&("records".to_owned(), ITEMS.to_owned(), vec![third.clone()])), "{found:?}");

    // A frontier that lacks one record that was stated in time: indicator and record are named.
    let mut lacking = honest.clone();
    lacking.insert("as_of_ms".into(), fields_of(&line.nodes[SECRETARIAT], &with_three)["as_of_ms"].clone());
    let label = forge(&line, &lacking);
    let found = differences(&line.nodes[COUNTY], &label);
    assert_eq!(found, [("omitted".to_owned(), ITEMS.to_owned(), vec![third])]);
    assert_ne!(found[0].2, [second]);

    assert_eq!(line.nodes[OTHER].run(&["verify", "bulletin", "2-1"]).failed(6), "not-a-bulletin");
}

#[test]
fn an_objection_stands_beside_the_figure_until_it_is_answered() {
    let line = federation();
    let plant = resource(&line.nodes[COUNTY], "一号厂房");
    all_equal(&line);
    let published = line.nodes[SECRETARIAT].run(&["bulletin", "publish"]).ok();
    let bulletin = published["label"].as_str().expect("a label").to_owned();
    all_equal(&line);

    let objects = ["object", &bulletin, ITEMS, "本县的厂房没有计入", "--record"];
    assert_eq!(line.nodes[OTHER].run(&[&objects[..], &["9-9"]].concat()).failed(6), "not-found");
    let stated = line.nodes[OTHER].run(&[&objects[..], &[plant.as_str()]].concat()).ok();
    let objection = stated["labels"][0].as_str().expect("a label").to_owned();
    let said = line.nodes[OTHER].run(&["show", &objection]).ok();
    assert!(said["fields"].as_array().is_some_and(|fields| fields.iter().any(|field| field["name"] == "records")));
    all_equal(&line);
    for node in &line.nodes {
        wait("the objection stands beside the figure", WAIT, || {
            let view = node.run(&["indicators"]).ok();
            figure(&view, "indicators", ITEMS)["objections"][0]["label"] == json!(objection)
        });
        let view = node.run(&["bulletin", "show", &bulletin]).ok();
        let beside = &figure(&view, "figures", ITEMS)["objections"][0];
        assert_eq!((&beside["text"], &beside["by"]["name"]), (&json!("本县的厂房没有计入"), &json!("奉节县")));
        assert!(beside.get("answer").is_none() && view["objections_open"] == 1);
        assert!(figure(&view, "figures", COUNTIES).get("objections").is_none(), "it is about one figure");
    }

    // Only the secretariat answers.
    assert_eq!(line.nodes[COUNTY].run(&["answer", &objection, "不是"]).failed(7), "writer-class");
    line.nodes[SECRETARIAT].run(&["answer", &objection, "贵县尚未填报厂房", "--outcome", "不采纳"]).ok();
    all_equal(&line);
    for node in &line.nodes {
        wait("the answer stands beside the objection", WAIT, || {
            let view = node.run(&["bulletin", "show", &bulletin]).ok();
            figure(&view, "figures", ITEMS)["objections"][0]["answer"]["text"] == json!("贵县尚未填报厂房")
        });
        let view = node.run(&["bulletin", "list"]).ok();
        assert_eq!(view["bulletins"][0]["objections_open"], 0);
        let view = node.run(&["bulletin", "show", &bulletin]).ok();
        assert_eq!(figure(&view, "figures", ITEMS)["objections"][0]["answer"]["outcome"], json!("不采纳"));
    }

    // What is kept in step with the records and what is computed from the entries are the same.
    resource(&line.nodes[OTHER], "二号厂房");
    all_equal(&line);
    let node = &line.nodes[COUNTY];
    wait("the record is in the figures", WAIT, || {
        let view = node.run(&["indicators"]).ok();
        view["complete"] == true && figure(&view, "indicators", ITEMS)["value"] == "2"
    });
    let live = node.run(&["indicators", ITEMS]).ok();
    assert_eq!((&live["total"], &live["evidence"][0]["kind"]), (&json!(2), &json!("resource")));
    let now = live["as_of_ms"].as_u64().expect("a time");
    let past = node.get(&format!("/v1/indicators?as_of={now}"));
    assert_eq!(past["indicators"].as_array().map(Vec::len), Some(75));
}
