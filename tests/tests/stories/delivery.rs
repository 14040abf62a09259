//! What one node publishes reaches the others: by gossip over a node between, by sync after an absence, and without
//! the secretariat.

use std::time::Duration;

use harness::node::{Line, wait, wait_equal};
use harness::sheet;

#[test]
fn a_record_reaches_a_node_that_has_no_link_to_its_author() {
    let line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    let (author, reader) = (&line.nodes[0], &line.nodes[2]);
    let transport = |index: usize| line.nodes[index].get("/v1/network")["transport"].clone();
    let (own, theirs) = (transport(0), transport(2));
    let linked = |index: usize, other: &serde_json::Value| {
        let peers = line.nodes[index].run(&["peers"]).ok();
        peers.as_array().expect("peers are a list").iter().any(|peer| peer["transport"] == *other)
    };
    assert!(!linked(0, &theirs) && !linked(2, &own), "the story needs two nodes without a link");

    let published =
        author.run(&["publish", "--kind", "demand", "--wait", "20", "需求名称=冷链物流企业", "需求类别=招商"]).ok();
    let label = published["labels"][0].as_str().expect("a label").to_owned();
    wait("the record is on the far node", Duration::from_secs(10), || reader.run(&["show", &label]).code == 0);
    assert!(!linked(0, &theirs) && !linked(2, &own), "a link came about, so the story proves nothing");
    let shown = reader.run(&["show", &label]).ok();
    assert_eq!(shown["title"], "冷链物流企业");
    assert_eq!(published["delivery"]["delivered"], 2, "{published}");
    assert_eq!(published["delivery"]["members"], 2);
    let status = author.run(&["status", &label]).ok();
    assert_eq!(status["delivered"], 2, "{status}");
}

#[test]
fn a_node_that_was_away_catches_up() {
    let mut line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    line.nodes[2].stop();
    let file = sheet::demands(line.folder(), 0, 1_000);
    let file = file.to_string_lossy().into_owned();
    let report = line.nodes[0].run(&["import", &file]).ok();
    assert_eq!(report["published"], 1_000);
    line.nodes[2].start();
    let nodes: Vec<_> = line.nodes.iter().collect();
    wait_equal(&nodes, Duration::from_secs(60));
    let again = line.nodes[0].run(&["import", &file]).ok();
    assert_eq!((&again["published"], &again["unchanged"]), (&0.into(), &1_000.into()));
    let records = |index: usize| line.nodes[index].status()["records"].clone();
    assert_eq!(records(0), records(2));
}

#[test]
fn members_go_on_without_the_secretariat_and_find_each_other_after_a_restart() {
    let mut line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    line.nodes[0].stop();
    let publish = ["publish", "--kind", "demand", "--wait", "0", "需求名称=新能源企业", "需求类别=招商"];
    let published = line.nodes[1].run(&publish).ok();
    let label = published["labels"][0].as_str().expect("a label").to_owned();
    wait("it arrives without the secretariat", Duration::from_secs(10), || {
        line.nodes[2].run(&["show", &label]).code == 0
    });
}

#[test]
fn a_correction_and_a_withdrawal_keep_their_history() {
    let line = Line::found(&["秘书处", "奉节县"]);
    let author = &line.nodes[1];
    let publish = ["publish", "--kind", "demand", "--external", "A1", "--wait", "0", "需求名称=旧名", "需求类别=招商"];
    let label = author.run(&publish).ok()["labels"][0].as_str().expect("a label").to_owned();
    author.run(&["revise", &label, "需求名称=新名"]).ok();
    assert_eq!(author.run(&["show", "A1"]).ok()["title"], "新名");
    author.run(&["withdraw", &label, "--reason", "已落地"]).ok();
    let history = author.run(&["history", &label]).ok();
    let operations: Vec<&str> =
        history.as_array().expect("a list").iter().filter_map(|item| item["operation"].as_str()).collect();
    assert_eq!(operations, ["create", "revise", "withdraw"]);
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), Duration::from_secs(30));
    let listed = line.nodes[0].run(&["list", "--kind", "demand"]).ok();
    assert_eq!(listed["records"].as_array().map(Vec::len), Some(0), "a withdrawn record is not listed: {listed}");
    assert_eq!(line.nodes[0].run(&["show", &label]).ok()["withdrawn"], true);
    assert_eq!(author.run(&["revise", &label, "需求名称=又来"]).failed(5), "withdrawn");
}
