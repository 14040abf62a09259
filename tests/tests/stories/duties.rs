//! Duties on real nodes: who owes an update is told on the first of the month, who owes a post on Monday at midnight,
//! and every node says the same (F037, F091).

use std::collections::BTreeMap;
use std::sync::Arc;

use harness::node::{Node, WAIT, wait};
use harness::scene::Scene;
use protocol::charter::{Charter, Class, Operation};
use protocol::entry::VerifiedEntry;
use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::statement::Statement;
use protocol::testing::Organisation;
use protocol::value::Date;
use serde_json::{Value, json};

const SECRETARIAT: usize = 0;
const FUND: usize = 1;
const COUNTY: usize = 2;

fn day(year: u16, month: u8, day: u8) -> u64 {
    Date::new(year, month, day).expect("a day").start_ms()
}

/// A statement that a member without a node made at a time.
fn said(
    charter: &Charter,
    by: &Organisation,
    previous: Option<&VerifiedEntry>,
    time_ms: u64,
    kind: &str,
    cells: &[(&str, &str)],
) -> Arc<VerifiedEntry> {
    let kind = KindSet::builtin().kind_named(kind).expect("a kind");
    let fields = cells.iter().filter_map(|(name, text)| {
        let field = kind.field_named(name).expect("a field");
        Some((field.number, field.parse(text).expect("it can be read")?))
    });
    let fields: BTreeMap<_, _> = fields.collect();
    let statement = Statement::create([7; 16], KIND_SET_VERSION, None, fields);
    let body = statement.encode().expect("the statement keeps every rule");
    by.entry(charter, previous, time_ms, kind.number(), body)
}

/// The nodes of a secretariat, a fund and a county; beside them two counties and a fund without nodes of their own, of
/// which one county published a demand in January, the other said that nothing changed, and the fund posted one week.
fn scene() -> Scene {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let members: Vec<Organisation> = [
        ("联盟基金", Class::Fund),
        ("夏邑县", Class::County),
        ("奉节县", Class::County),
        ("云阳县", Class::County),
        ("县域基金", Class::Fund),
    ]
    .into_iter()
    .zip(2..)
    .map(|((name, class), seed)| Organisation::new(name, class, seed))
    .collect();
    let built_in = Operation::KindSet { version: KIND_SET_VERSION, hash: KindSet::builtin().hash() };
    secretariat.try_append(&mut charter, vec![built_in]).expect("the charter allows it");
    members.iter().for_each(|member| secretariat.admit(&mut charter, member));
    let scene = Scene::start(charter, &[&secretariat, &members[0], &members[1]]);
    let charter = &scene.charter;
    let demand = [("category", "冷链"), ("name", "果蔬冷库")];
    let unchanged =
        [("subject", "5"), ("obligation", "YW001"), ("period", "2026-01"), ("met", "是"), ("no_change", "是")];
    let post = [("week", "2026-W02"), ("headline", "本周发布"), ("new_directions", "低空经济")];
    let entries = [
        said(charter, &members[2], None, day(2026, 1, 15), "demand", &demand),
        said(charter, &members[3], None, day(2026, 1, 20), "duty_receipt", &unchanged),
        said(charter, &members[4], None, day(2026, 1, 7), "bulletin", &post),
    ];
    scene.feed(SECRETARIAT, &[], &entries).ok();
    scene.wait_equal();
    scene
}

/// The whole answer, once the node has looked at everything.
#[track_caller]
fn duties(node: &Node, arguments: &[&str]) -> Value {
    let ask = || node.run(&[&["duties"], arguments].concat()).ok();
    wait("every record was looked at", WAIT, || ask()["complete"] == true);
    ask()
}

/// What every node must answer alike, to the last byte.
#[track_caller]
fn agreed(scene: &Scene, arguments: &[&str]) -> Value {
    let answers: Vec<Value> = scene.nodes.iter().map(|node| duties(node, arguments)).collect();
    let texts: Vec<String> = answers.iter().map(Value::to_string).collect();
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:#?}");
    answers.into_iter().next().expect("there are nodes")
}

fn names(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().expect("items");
    items.iter().map(|item| item["member"]["name"].as_str().expect("a member")).collect()
}

#[test]
fn on_the_first_of_a_month_those_are_listed_that_owe_an_update_and_no_change_counts_apart() {
    let scene = scene();
    let first = agreed(&scene, &["--as-of", "2026-02-01", "--rule", "YW001"]);
    let counts = &first["counts"];
    let told = ["met", "met_no_change", "overdue", "exempt"].map(|state| counts[state].as_u64());
    assert_eq!(told, [Some(1), Some(1), Some(1), Some(0)], "{first}");
    let overdue = agreed(&scene, &["--as-of", "2026-02-01", "--rule", "YW001", "--overdue"]);
    assert_eq!(names(&overdue), ["夏邑县"]);
    assert_eq!(overdue["items"][0]["ended"]["period"], "2026-01");
    assert_eq!(overdue["items"][0]["next_due_ms"], day(2026, 3, 1));
    let apart = agreed(&scene, &["--as-of", "2026-02-01", "--rule", "YW001", "--state", "met_no_change"]);
    assert_eq!(names(&apart), ["云阳县"]);
    let evidence = &apart["items"][0]["ended"]["evidence"][0];
    assert_eq!((&evidence["label"], &evidence["no_change"]), (&json!("5-1"), &json!(true)));
    // A millisecond earlier the month ran, and in December nothing was owed yet.
    let before = (day(2026, 2, 1) - 1).to_string();
    let before = agreed(&scene, &["--as-of", &before, "--rule", "YW001"]);
    assert_eq!((&before["counts"]["overdue"], &before["counts"]["running_due"]), (&json!(0), &json!(1)));
    let december = agreed(&scene, &["--as-of", "2025-12-31", "--rule", "YW001"]);
    assert_eq!(december["counts"]["exempt"], 3);
    // Everything at once, organs among them, and what nobody can tell.
    let all = agreed(&scene, &["--as-of", "2026-02-01"]);
    assert_eq!(all["rules"].as_array().map(Vec::len), Some(47));
    assert!(all["items"].as_array().is_some_and(|items| items.iter().any(|item| item["member"].is_null())));
    assert_eq!(scene.nodes[SECRETARIAT].run(&["duties", "--rule", "YW099"]).failed(6), "duty-rule");
    assert_eq!(scene.nodes[SECRETARIAT].run(&["duties", "--state", "lazy"]).failed(5), "duty-state");
    assert_eq!(scene.nodes[SECRETARIAT].run(&["duties", "--as-of", "昨天"]).failed(2), "time");
    // A day means its end, and a month the end of its last day.
    let state = |as_of: &str| agreed(&scene, &["--as-of", as_of, "--rule", "YW001"])["as_of_ms"].clone();
    assert_eq!(state("2026-01-31"), json!(day(2026, 2, 1) - 1));
    assert_eq!(
        (state("2026-01"), state("2026-01-31T10:00")),
        (json!(day(2026, 2, 1) - 1), json!(day(2026, 1, 31) + 36_000_000))
    );
}

#[test]
fn a_fund_without_a_post_in_the_week_is_overdue_on_monday_at_midnight_in_china() {
    let scene = scene();
    let ask = |as_of_ms: u64| {
        let as_of = as_of_ms.to_string();
        let answer = agreed(&scene, &["--as-of", &as_of, "--rule", "YW002", "--member", "县域基金"]);
        answer["items"][0].clone()
    };
    let second_week = ask(day(2026, 1, 12));
    assert_eq!((&second_week["state"], &second_week["ended"]["period"]), (&json!("met"), &json!("2026-W02")));
    let monday = day(2026, 1, 19);
    let sunday = ask(monday - 1);
    assert_eq!((&sunday["state"], &sunday["running"]["state"]), (&json!("met"), &json!("due")));
    assert_eq!(sunday["next_due_ms"], monday);
    let monday = ask(monday);
    assert_eq!((&monday["state"], &monday["ended"]["period"]), (&json!("overdue"), &json!("2026-W03")));
    assert_eq!(ask(day(2026, 2, 9))["state"], "escalated", "after three further weeks");
}

#[test]
fn nothing_changed_is_said_once_by_one_command_and_counts_on_every_node() {
    let scene = scene();
    for (node, rule, kind) in [(FUND, "YW002", "bulletin"), (COUNTY, "YW001", "duty_receipt")] {
        let node = &scene.nodes[node];
        duties(node, &[]);
        let stated = node.run(&["unchanged"]).ok();
        assert_eq!(stated["stated"], 1, "{stated}");
        let duty = &stated["duties"][0];
        assert_eq!((&duty["rule"], &duty["outcome"]), (&json!(rule), &json!("stated")));
        let label = duty["label"].as_str().expect("it has a label");
        let shown = node.run(&["show", label]).ok();
        assert_eq!((&shown["kind"], &shown["marks"]), (&json!(kind), &json!([])), "{shown}");
        let again = node.run(&["unchanged"]).ok();
        assert_eq!((&again["stated"], &again["duties"][0]["outcome"]), (&json!(0), &json!("already_done")));
    }
    scene.wait_equal();
    for (rule, name) in [("YW002", "联盟基金"), ("YW001", "夏邑县")] {
        let answer = duties(&scene.nodes[SECRETARIAT], &["--rule", rule, "--member", name]);
        let running = &answer["items"][0]["running"];
        assert_eq!((&running["state"], &running["no_change"]), (&json!("met_no_change"), &json!(1)), "{answer}");
    }
    // That a record is still true is said of it, by its owner.
    let demand = ["publish", "--wait", "0", "--kind", "demand", "类别=冷链", "名称=果蔬冷库"];
    let label = scene.nodes[COUNTY].run(&demand).ok()["labels"][0].as_str().expect("a label").to_owned();
    scene.nodes[COUNTY].run(&["confirm", "--wait", "0", &label]).ok();
    scene.wait_equal();
    let answer = duties(&scene.nodes[SECRETARIAT], &["--rule", "YW001", "--member", "夏邑县"]);
    let running = &answer["items"][0]["running"];
    assert_eq!((&running["state"], &running["counted"], &running["no_change"]), (&json!("met"), &json!(1), &json!(2)));
    assert_eq!(scene.nodes[FUND].run(&["confirm", "--wait", "0", &label]).failed(7), "not-owner");
    // The secretariat owes what no statement performs, and is told so.
    let said = scene.nodes[SECRETARIAT].run(&["unchanged"]).ok();
    assert_eq!((&said["stated"], &said["duties"][0]["outcome"]), (&json!(0), &json!("not_by_statement")), "{said}");
}
