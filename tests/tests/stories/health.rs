//! Who is up, silent, never joined or unknown, as nodes see it; jitter that changes nothing; a node that is cut off.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use harness::node::{Node, WAIT, wait};
use harness::proxy::Proxy;
use harness::scene::Scene;
use protocol::charter::{Charter, Class};
use protocol::testing::Organisation;
use serde_json::Value;

/// Seconds between beacons, and of the grace, so that a story takes seconds and not half an hour.
const BEACON_SECONDS: u64 = 1;
const GRACE_SECONDS: u64 = 10;
/// Milliseconds between two looks at what deserves an alarm.
const ALARM_LOOK_MS: u64 = 1_000;
/// A log is judged by what was there two settling times ago.
const LONG: Duration = Duration::from_secs(150);
/// How `health` ends when the worst that it found is a warning, and when it is critical.
const WARNING: i32 = 13;
const CRITICAL: i32 = 14;

/// A federation of five around the secretariat, which the others reach over one line.
struct Five {
    scene: Scene,
    line: Proxy,
    /// Where the secretariat listens.
    port: u16,
}

fn founded() -> (Charter, Vec<Organisation>) {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let counties = [("奉节县", 2), ("夏邑县", 3), ("云阳县", 4), ("巫山县", 5)];
    let counties = counties.map(|(name, seed)| Organisation::new(name, Class::County, seed));
    counties.iter().for_each(|county| secretariat.admit(&mut charter, county));
    (charter, std::iter::once(secretariat).chain(counties).collect())
}

impl Five {
    /// Prepares all but the last, who never joins, and starts nobody.
    fn new() -> Self {
        let (charter, members) = founded();
        let scene = Scene::prepare(charter, &members[..4].iter().collect::<Vec<_>>());
        let configured = |node: &Node| std::fs::read_to_string(node.directory().join("config.toml")).expect("settings");
        let first = configured(&scene.nodes[0]);
        let listen = first.split("/ip4/127.0.0.1/tcp/").nth(1).and_then(|rest| rest.split('"').next());
        let port: u16 = listen.and_then(|port| port.parse().ok()).expect("the secretariat listens on a port");
        let line = Proxy::to(SocketAddr::from(([127, 0, 0, 1], port)));
        for (index, node) in scene.nodes.iter().enumerate() {
            let mut settings = configured(node)
                .replace("beacon_seconds = 600", &format!("beacon_seconds = {BEACON_SECONDS}"))
                .replace("grace_seconds = 60", &format!("grace_seconds = {GRACE_SECONDS}"))
                .replace("check_seconds = 30", "check_seconds = 1");
            assert!(settings.contains("check_seconds = 1\n"), "{settings}");
            assert!(settings.contains(&format!("grace_seconds = {GRACE_SECONDS}\n")), "{settings}");
            if index > 0 {
                settings = settings.replace(&format!("/ip4/127.0.0.1/tcp/{port}"), &line.address());
            }
            std::fs::write(node.directory().join("config.toml"), settings).expect("settings can be written");
        }
        Self { scene, line, port }
    }

    fn node(&self, index: usize) -> &Node {
        &self.scene.nodes[index]
    }
}

/// `up, silent, never_joined, unknown` as a node counts them.
fn counts(node: &Node) -> [u64; 4] {
    let health = node.run(&["health"]).json;
    ["up", "silent", "never_joined", "unknown"].map(|state| health["counts"][state].as_u64().unwrap_or(99))
}

fn member(node: &Node, number: u32) -> Value {
    node.get(&format!("/v1/health/{number}"))["health"].clone()
}

fn wait_counts(node: &Node, wanted: [u64; 4]) {
    let begun = Instant::now();
    while counts(node) != wanted {
        let seen = node.run(&["health"]).json;
        assert!(begun.elapsed() < WAIT, "not {wanted:?} but {:?}: {seen}\n{}", counts(node), node.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn three_run_one_stopped_one_never_joined_and_jitter_and_a_cut_line_are_told_apart() {
    let mut five = Five::new();
    five.scene.nodes.iter_mut().for_each(Node::start);
    five.scene.nodes.iter().for_each(Node::wait_ready_to_sign);
    wait_counts(five.node(0), [4, 0, 1, 0]);
    wait_counts(five.node(1), [4, 0, 1, 0]);
    assert_eq!(member(five.node(0), 2)["source"], "direct");
    assert_eq!(member(five.node(1), 3)["source"], "beacon", "a county knows the other by its beacon");
    assert_eq!(member(five.node(0), 5)["findings"][0]["id"], "never_joined", "it was admitted long ago");
    let report = member(five.node(1), 3)["report"].clone();
    assert_eq!((&report["version"], &report["peers"]), (&env!("CARGO_PKG_VERSION").into(), &1.into()), "{report}");

    five.scene.nodes[3].stop();
    for node in [0, 1, 2] {
        wait_counts(five.node(node), [3, 1, 1, 0]);
    }
    let silent = member(five.node(0), 4);
    assert_eq!((&silent["state"], &silent["findings"][0]["id"]), (&"silent".into(), &"silent".into()));
    assert!(silent["stale_since_ms"].as_u64().is_some_and(|since_ms| since_ms > 0), "{silent}");
    assert_eq!(member(five.node(0), 5)["state"], "never_joined");
    assert_eq!(five.node(0).run(&["health"]).code, WARNING);
    let silent_alarm = |node: &Node| {
        let alarms = node.run(&["alarms"]).ok()["alarms"].as_array().cloned().unwrap_or_default();
        alarms.into_iter().find(|alarm| alarm["id"] == "member-silent")
    };
    wait("there is an alarm", LONG, || silent_alarm(five.node(0)).is_some());
    let alarm = silent_alarm(five.node(0)).expect("it lasts");
    assert!(alarm["what_zh"].as_str().is_some_and(|what| what.starts_with("云阳县（4 号）：")), "{alarm}");

    // The line is away for a third of the grace.
    five.line.cut();
    std::thread::sleep(Duration::from_secs(GRACE_SECONDS / 3));
    assert_eq!(five.node(0).run(&["peers"]).ok().as_array().map(Vec::len), Some(0), "the line is cut");
    assert_eq!(counts(five.node(0)), [3, 1, 1, 0]);
    five.line.mend();
    let mended = Instant::now();
    while mended.elapsed() < Duration::from_secs(2 * GRACE_SECONDS) {
        assert_eq!(counts(five.node(0)), [3, 1, 1, 0], "jitter changes nothing");
        std::thread::sleep(Duration::from_millis(300));
    }
    assert_eq!(member(five.node(0), 2)["linked"], true, "the story needs the line to be mended");

    // It stays cut: the secretariat says so of itself, and calls nobody dead.
    five.line.cut();
    wait_counts(five.node(0), [1, 0, 0, 4]);
    let health = five.node(0).run(&["health"]);
    assert_eq!(health.code, CRITICAL);
    let own = &health.json["own"];
    assert!(own["cut_off_since_ms"].as_u64().is_some_and(|since_ms| since_ms > 0), "{own}");
    assert!(own["text_en"].as_str().is_some_and(|text| text.contains("I am cut off")), "{own}");
    assert_eq!(five.node(0).run(&["custody"]).json["cut_off_since_ms"], own["cut_off_since_ms"]);
    // The doctor says the same, with the port at which this node listens, and the alarm about the other goes on.
    let doctor = five.node(0).run(&["doctor"]);
    let found = doctor.json["findings"].as_array().expect("findings").clone();
    let alone = found.iter().find(|finding| finding["id"] == "no-members").expect("the doctor knows");
    assert_eq!((doctor.code, &alone["since_ms"]), (CRITICAL, &own["cut_off_since_ms"]), "{alone}");
    assert!(alone["fix_en"].as_str().is_some_and(|fix| fix.contains(&format!("port {}", five.port))), "{alone}");
    let looked_ms = || five.node(0).run(&["alarms"]).ok()["as_of_ms"].as_u64().unwrap_or_default();
    let cut_ms = looked_ms();
    // Two looks that miss an alarm clear it.
    wait("alarms are looked at three times", LONG, || looked_ms() > cut_ms + 2 * ALARM_LOOK_MS);
    assert!(silent_alarm(five.node(0)).is_some(), "who cannot tell clears nothing");
    five.line.mend();
    // Those who come back are known by it; the others only after they had time to be heard.
    wait_counts(five.node(0), [3, 1, 1, 0]);
}

#[test]
fn who_was_heard_before_a_restart_has_joined_and_a_start_judges_nobody() {
    let mut five = Five::new();
    five.scene.nodes[0].start();
    five.scene.nodes[1].start();
    five.scene.nodes[0].wait_ready_to_sign();
    wait_counts(five.node(0), [2, 0, 3, 0]);
    let memory = five.node(0).directory().join("health.json");
    wait("who was heard is written", WAIT, || memory.exists());
    five.scene.nodes[1].stop();
    five.scene.nodes[0].stop();
    five.scene.nodes[0].start();
    // It has just started.
    wait_counts(five.node(0), [1, 0, 0, 4]);
    // Alone it is cut off, and goes on saying so.
    wait("it says that it is cut off", WAIT, || {
        five.node(0).run(&["health"]).json["own"]["cut_off_since_ms"].as_u64().is_some()
    });
    five.scene.nodes[2].start();
    wait_counts(five.node(0), [2, 1, 2, 0]);
    assert_eq!(member(five.node(0), 2)["state"], "silent");
}

#[test]
fn when_a_member_was_last_heard_is_kept_when_the_node_stops() {
    let (charter, members) = founded();
    let mut scene = Scene::prepare(charter, &members[..2].iter().collect::<Vec<_>>());
    scene.nodes.iter_mut().for_each(Node::start);
    let heard_ms = |node: &Node| member(node, 2)["heard_ms"].as_u64().unwrap_or_default();
    let memory = scene.nodes[0].directory().join("health.json");
    let kept_ms = || {
        let bytes = std::fs::read(&memory).unwrap_or_default();
        let lines: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let lines = lines.as_array().cloned().unwrap_or_default();
        let line = lines.iter().find(|line| line["member"] == 2).cloned();
        line.and_then(|line| line["heard_ms"].as_u64()).unwrap_or_default()
    };
    wait("it is written that the county was heard", WAIT, || kept_ms() > 0);
    let first_ms = kept_ms();
    // The interval is ten minutes: nothing is written before the node stops.
    wait("the county is heard on", WAIT, || heard_ms(&scene.nodes[0]) > first_ms + 2_000);
    let last_ms = heard_ms(&scene.nodes[0]);
    scene.nodes[0].stop();
    assert!(kept_ms() >= last_ms, "{} after {last_ms}", kept_ms());
}

#[test]
fn a_log_that_too_few_hold_is_named_until_others_hold_it() {
    let mut five = Five::new();
    five.scene.nodes[..2].iter_mut().for_each(Node::start);
    five.scene.nodes[..2].iter().for_each(Node::wait_ready_to_sign);
    // Each states its addresses in its log.
    wait("the log is short", LONG, || five.node(0).run(&["custody"]).code == WARNING);
    let custody = five.node(0).run(&["custody"]).json;
    assert_eq!(custody["replicas_wanted"], 3);
    let log = custody["logs"].as_array().expect("logs").iter().find(|log| log["member"]["number"] == 2);
    let log = log.expect("the county's log holds something");
    assert_eq!((&log["held_by"], &log["missing"]), (&2.into(), &3.into()), "{log}");
    assert!(log["what_zh"].as_str().is_some_and(|text| text.contains("夏邑县")), "{log}");

    five.scene.nodes[2].start();
    wait("enough hold it", LONG, || five.node(0).run(&["custody"]).code == 0);
    let custody = five.node(0).run(&["custody"]).ok();
    assert_eq!(custody["short"], 0);
}
