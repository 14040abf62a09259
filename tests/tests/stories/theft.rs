//! Keys over time: stolen, rotated, forked by accident. Nobody restarts a node, and nobody types anything twice.

use std::path::PathBuf;
use std::process::Command;

use harness::node::{Line, Node, WAIT, wait, wait_equal};
use serde_json::Value;

/// The member whose keys change: the last of the line.
const MEMBER: &str = "夏邑县";

/// Publishes a demand under a number of its own, and returns its entry.
fn publish(node: &Node, external: &str) -> String {
    let title = format!("需求名称={external}");
    let arguments = ["publish", "--kind", "demand", "--external", external, "--wait", "0", &title, "需求类别=招商"];
    node.run(&arguments).ok()["entries"][0].as_str().expect("an id").to_owned()
}

fn records(node: &Node) -> u64 {
    node.status()["records"].as_u64().expect("a number")
}

fn titles(node: &Node) -> Vec<String> {
    let listed = node.run(&["list", "--kind", "demand"]).ok();
    let records = listed["records"].as_array().expect("a list");
    let mut titles: Vec<String> = records.iter().map(|record| record["title"].as_str().unwrap_or("?").into()).collect();
    titles.sort();
    titles
}

/// A copy of a node's directory that knows no other node, as a thief has it, or a colleague with a backup.
fn secluded_copy(node: &Node, name: &str) -> Node {
    let directory = node.directory().with_file_name(name);
    let copied = Command::new("cp").arg("-a").arg(node.directory()).arg(&directory).status();
    assert!(copied.is_ok() && directory.join("member.toml").exists());
    seclude(&directory.join("config.toml"));
    let mut copy = Node::at(directory);
    copy.start();
    copy.run(&["key", "confirm-alone", "--yes"]).ok();
    copy.wait_ready_to_sign();
    copy
}

/// Takes the peers out of a node's settings; returns the settings as they were.
fn seclude(settings: &PathBuf) -> String {
    let text = std::fs::read_to_string(settings).expect("a node has settings");
    let lonely: String =
        text.lines().filter(|line| !line.starts_with("peers")).map(|line| format!("{line}\n")).collect();
    assert!(!lonely.contains("peers"), "{lonely}");
    std::fs::write(settings, lonely).expect("the settings can be written");
    text
}

/// Publishes while the node cannot reach anybody.
fn publish_secluded(node: &mut Node, externals: &[&str]) {
    let settings = node.directory().join("config.toml");
    node.stop();
    let connected = seclude(&settings);
    node.start();
    node.wait_ready_to_sign();
    for external in externals {
        publish(node, external);
    }
    node.stop();
    std::fs::write(settings, connected).expect("the settings can be written");
}

fn request(line: &Line, node: &Node, purpose: &str, reason: &str) -> String {
    let file = line.folder().join(format!("{purpose}.json")).to_string_lossy().into_owned();
    let made = node.run(&["key", "request", purpose, "--reason", reason, "--out", &file]).ok();
    // The same request is shown again, and the same digits.
    assert_eq!(made, node.run(&["key", "request", purpose, "--reason", reason, "--out", &file]).ok());
    file
}

fn keys(node: &Node) -> Vec<Value> {
    node.run(&["key", "list"]).ok().as_array().expect("a list").clone()
}

fn wait_promoted(node: &Node, purpose: &str) {
    let next = format!("{purpose}.next");
    wait("the new key is in use", WAIT, || {
        let keys = node.run(&["key", "list"]);
        let waits = |key: &Value| key["name"] == next.as_str();
        keys.code == 0 && !keys.json.as_array().is_some_and(|keys| keys.iter().any(waits))
    });
    wait("the node may sign", WAIT, || {
        let status = node.run(&["status"]);
        status.code == 0 && status.json["signing"]["ready"] == true
    });
}

#[test]
fn what_a_thief_published_is_gone_and_the_genuine_is_back_under_a_new_key() {
    let mut line = Line::found(&["秘书处", "奉节县", MEMBER]);
    for number in 1..=3 {
        publish(&line.nodes[2], &format!("真{number}"));
    }
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let mut thief = secluded_copy(&line.nodes[2], "thief");
    // The member is in the field, without a network, and goes on.
    publish_secluded(&mut line.nodes[2], &["真4", "真5"]);
    let forged: Vec<String> = (1..=10).map(|number| publish(&thief, &format!("假{number}"))).collect();
    let bundle = line.folder().join("forged.bundle").to_string_lossy().into_owned();
    thief.run(&["export", "--out", &bundle]).ok();
    thief.stop();
    line.nodes[0].run(&["import-bundle", &bundle]).ok();
    wait("the forged entries spread", WAIT, || records(&line.nodes[1]) == 13);

    // The member is back: two branches, so nothing above the fork counts, and everybody is told.
    line.nodes[2].start();
    let victim = &line.nodes[2];
    wait("the fork is proven everywhere", WAIT, || {
        line.nodes.iter().all(|node| {
            node.status()["heads"].as_array().expect("a list").iter().any(|head| head["forked_at"].is_number())
        })
    });
    assert_eq!(victim.run(&["publish", "--kind", "demand", "需求名称=不行", "需求类别=招商"]).failed(7), "forked");
    let status = victim.status();
    assert!(status["signing"]["zh"].as_str().is_some_and(|words| words.contains("分叉")), "{status}");

    let file = request(&line, victim, "signing", "stolen");
    line.nodes[0].run(&["charter", "replace-key", &file, "--yes", "--before", &forged[0]]).ok();
    wait_promoted(victim, "signing");
    let again = victim.run(&["republish", "--yes"]).ok();
    assert_eq!(again["entries"].as_array().map(Vec::len), Some(2), "{again}");
    let twice = victim.run(&["republish", "--yes"]).ok();
    assert_eq!(twice["entries"].as_array().map(Vec::len), Some(0), "{twice}");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    for node in &line.nodes {
        assert_eq!(records(node), 5);
        assert_eq!(titles(node), ["真1", "真2", "真3", "真4", "真5"]);
        let old = again["entries"][0][0].as_str().expect("an id");
        let history = node.run(&["history", old]).ok();
        assert_eq!(history[0]["origin"], old, "the old id finds the new record");
        let words = history[0]["key_change"]["words"]["zh"].as_str().unwrap_or_default().to_owned();
        assert!(words.contains("为止有效"), "{history}");
        assert_eq!(history[0]["key_change"]["signed"][0], "秘书处");
    }
    let logs = line.nodes[0].run(&["log", MEMBER]).ok();
    let above = |entry: &&Value| entry["why"] == "above-seal";
    let entries = logs["logs"][0]["entries"].as_array().expect("a list");
    assert!(entries.iter().filter(above).count() >= 10, "{logs}");
    publish(victim, "真6");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    assert_eq!(records(&line.nodes[0]), 6);
}

#[test]
fn every_key_is_rotated_and_nobody_restarts_anything() {
    let mut line = Line::found(&["秘书处", "奉节县", MEMBER]);
    let process = line.nodes[2].process_id();
    publish(&line.nodes[2], "旧");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let before = keys(&line.nodes[2]);
    for purpose in ["encryption", "governance", "signing", "transport"] {
        let file = request(&line, &line.nodes[2], purpose, "rotation");
        line.nodes[0].run(&["charter", "replace-key", &file, "--yes"]).ok();
        wait_promoted(&line.nodes[2], purpose);
        publish(&line.nodes[2], &format!("新{purpose}"));
        wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    }
    let node = &mut line.nodes[2];
    assert_eq!((node.ended(), node.process_id()), (None, process));
    let after = keys(node);
    for old in &before {
        assert!(after.iter().any(|key| key["public"] == old["public"] && key["in_charter"] == false), "{after:?}");
    }
    let transport = node.get("/v1/network")["transport"].clone();
    let peers = line.nodes[1].get("/v1/peers");
    let members: Vec<&Value> =
        peers.as_array().expect("a list").iter().filter(|peer| peer["member"]["number"] == 3).collect();
    assert!(members.len() == 1 && members[0]["transport"] == transport, "{peers}");
    assert_eq!(titles(&line.nodes[0]).len(), 5, "what the old keys signed stays");
    line.nodes[2].stop();
}

#[test]
fn a_log_that_was_forked_by_accident_goes_on_on_one_branch_and_the_other_is_restated() {
    let mut line = Line::found(&["秘书处", "奉节县", MEMBER]);
    publish(&line.nodes[2], "分叉之前");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let mut copy = secluded_copy(&line.nodes[2], "backup");
    let theirs = publish(&copy, "副本上的");
    let bundle = line.folder().join("copy.bundle").to_string_lossy().into_owned();
    copy.run(&["export", "--out", &bundle]).ok();
    copy.stop();
    publish_secluded(&mut line.nodes[2], &["本机上的"]);
    line.nodes[0].run(&["import-bundle", &bundle]).ok();
    wait("one branch is everywhere", WAIT, || records(&line.nodes[1]) == 2);
    line.nodes[2].start();
    let node = &line.nodes[2];
    wait("the fork is known", WAIT, || {
        node.status()["signing"]["en"].as_str().is_some_and(|words| words.contains("forked"))
    });
    let file = request(&line, node, "signing", "forked");
    line.nodes[0].run(&["charter", "replace-key", &file, "--yes", "--branch", &theirs]).ok();
    wait_promoted(node, "signing");
    let again = node.run(&["republish", "--yes"]).ok();
    assert_eq!(again["entries"].as_array().map(Vec::len), Some(1), "{again}");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    for node in &line.nodes {
        assert_eq!(titles(node), ["分叉之前", "副本上的", "本机上的"]);
    }
}

#[test]
fn a_key_that_was_sealed_says_what_to_do_and_a_lost_one_is_replaced_at_the_head() {
    let line = Line::found(&["秘书处", "奉节县", MEMBER]);
    let node = &line.nodes[2];
    publish(node, "封存之前");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    line.nodes[0].run(&["charter", "seal", MEMBER]).ok();
    wait("the seal arrives", WAIT, || node.status()["signing"]["ready"] == false);
    assert_eq!(node.run(&["publish", "--kind", "demand", "需求名称=不行", "需求类别=招商"]).failed(7), "key-sealed");
    let status = node.status();
    assert!(status["signing"]["en"].as_str().is_some_and(|words| words.contains("sealed")), "{status}");
    let file = request(&line, node, "signing", "lost");
    line.nodes[0].run(&["charter", "replace-key", &file, "--yes"]).ok();
    wait_promoted(node, "signing");
    let again = node.run(&["republish", "--yes"]).ok();
    assert_eq!(again.as_array().map(Vec::len), Some(0), "nothing stands above the seal: {again}");
    node.run(&["revise", "封存之前", "需求名称=换钥之后"]).ok();
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    assert_eq!(titles(&line.nodes[0]), ["换钥之后"]);
}
