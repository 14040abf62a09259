//! Injected faults: each gives its own id, with the node running or not, and looking changes nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use harness::hostile::{ENTRY, Hostile};
use harness::node::{Line, Node, WAIT, wait};
use harness::scene::Scene;
use harness::sheet;
use node::alarms::webhook::{SIGNATURE_HEADER, TIME_HEADER, key, signature};
use node::core::CLOCK_OFFSET;
use node::store::tampering::{Tampering, tamper};
use protocol::charter::Class;
use protocol::testing::Organisation;
use serde_json::Value;

/// What the doctor finds, by id. How full the disk of the machine is, is no story's affair.
fn findings(node: &Node) -> BTreeMap<String, Vec<Value>> {
    let outcome = node.run(&["doctor"]);
    assert!([0, 13, 14].contains(&outcome.code), "{}", outcome.errors);
    let list = outcome.json["findings"].as_array().unwrap_or_else(|| panic!("no findings: {}", outcome.json)).clone();
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for finding in list {
        let id = finding["id"].as_str().expect("a finding has an id").to_owned();
        let words = ["what_zh", "what_en", "cause_zh", "cause_en", "fix_zh", "fix_en"];
        assert!(words.iter().all(|word| finding[word].as_str().is_some_and(|text| !text.is_empty())), "{finding}");
        found.entry(id).or_default().push(finding);
    }
    let severities = found.values().flatten().map(|finding| finding["severity"].clone());
    let worst = severities.map(|severity| if severity == "critical" { 14 } else { 13 }).max().unwrap_or(0);
    assert_eq!(outcome.code, worst, "the exit code says how bad it is");
    found.retain(|id, _| id != "disk-full" && id != "disk-filling");
    found
}

fn ids(node: &Node) -> Vec<String> {
    findings(node).into_keys().collect()
}

#[track_caller]
fn wait_found(node: &Node, id: &str) {
    wait(id, WAIT, || findings(node).contains_key(id));
}

/// Changes a setting of a node that is stopped.
fn set(node: &Node, from: &str, to: &str) {
    let path = node.directory().join("config.toml");
    let text = std::fs::read_to_string(&path).expect("the settings are there");
    assert!(text.contains(from), "{from}: {text}");
    std::fs::write(&path, text.replacen(from, to, 1)).expect("the settings can be changed");
}

/// A port that nobody listens on.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// Everything in a directory, by path: length and hash.
fn content(path: &Path) -> BTreeMap<String, blake3::Hash> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(path).expect("it is a directory") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            let bytes = std::fs::read(&path).expect("it can be read");
            found.insert(path.to_string_lossy().into_owned(), blake3::hash(&bytes));
        }
    }
    found
}

#[test]
fn a_sound_node_has_nothing_to_tell_and_looking_changes_nothing() {
    let mut line = Line::found(&["秘书处", "奉节县"]);
    let node = &mut line.nodes[1];
    assert_eq!(ids(node), Vec::<String>::new());
    let view = node.get("/v1/doctor");
    assert_eq!(view["running"], true);
    node.stop();
    let before = content(node.directory());
    // Its peer's port was chosen by the system and still answers.
    assert_eq!(ids(node), ["node-stopped"]);
    assert_eq!(content(node.directory()), before);
    Node::at(line.folder().join("nowhere")).run(&["doctor"]).failed(4);
}

#[test]
fn a_wrong_clock_is_named_by_the_node_that_has_it_and_not_by_the_others() {
    let mut line = Line::found(&["秘书处", "奉节县", "云阳县"]);
    let mut late = line.nodes.pop().expect("there are three");
    late.stop();
    let mut late = late.under(&["env", &format!("{CLOCK_OFFSET}=600000")]);
    late.start();
    line.nodes[0].run(&["publish", "--kind", "demand", "--wait", "0", "需求名称=配套", "需求类别=招商"]).ok();
    line.nodes[1].run(&["publish", "--kind", "demand", "--wait", "0", "需求名称=物流", "需求类别=招商"]).ok();
    wait_found(&late, "clock-off");
    let found = findings(&late)["clock-off"][0].clone();
    assert_eq!(found["severity"], "critical", "{found}");
    assert!(found["what_en"].as_str().is_some_and(|text| text.contains("ahead")), "{found}");
    assert!(!findings(&line.nodes[0]).contains_key("clock-off"));
}

#[test]
fn an_expired_charter_is_named() {
    let mut line = Line::found(&["秘书处"]);
    let mut node = line.nodes.remove(0);
    node.stop();
    let years_ms: u64 = 40 * 365 * 24 * 60 * 60 * 1_000;
    let mut node = node.under(&["env", &format!("{CLOCK_OFFSET}={years_ms}")]);
    node.start();
    assert_eq!(ids(&node), ["charter-expired", "clock-shifted"]);
}

#[test]
fn a_full_disk_is_named() {
    let disk = match harness::power::Disk::new(64) {
        Ok(disk) => disk,
        Err(reason) => {
            eprintln!("skipped, it needs root and loop devices: {reason}");
            return;
        }
    };
    let mut node = Node::init(disk.path().join("node"), "秘书处", "secretariat", &[]);
    node.run(&["charter", "create", "--federation", "测试联盟"]).ok();
    node.start();
    node.wait_ready_to_sign();
    let severities = |node: &Node| {
        let findings = node.run(&["doctor"]).json["findings"].clone();
        let of_disk = |finding: &&Value| finding["id"].as_str().is_some_and(|id| id.starts_with("disk-"));
        let found = findings.as_array().expect("a list").iter().filter(of_disk).map(|finding| finding["id"].clone());
        found.collect::<Vec<_>>()
    };
    assert_eq!(severities(&node), Vec::<Value>::new());
    let ballast = disk.path().join("ballast");
    let _ = std::process::Command::new("dd")
        .args(["if=/dev/zero", "bs=64k"])
        .arg(format!("of={}", ballast.display()))
        .output();
    assert_eq!(severities(&node), ["disk-full"]);
    std::fs::remove_file(ballast).expect("the ballast is there");
    assert_eq!(severities(&node), Vec::<Value>::new());
}

#[test]
fn a_taken_port_and_one_that_cannot_be_reached_are_two_things() {
    let mut line = Line::found(&["秘书处"]);
    let node = &mut line.nodes[0];
    node.stop();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port();
    set(node, "/ip4/127.0.0.1/tcp/0", &format!("/ip4/127.0.0.1/tcp/{port}"));
    assert_eq!(ids(node), ["node-stopped", "port-taken"]);
    drop(taken);
    assert_eq!(ids(node), ["node-stopped"]);
    let blocked = format!("/ip4/127.0.0.1/tcp/{}", closed_port());
    set(node, "announce = []", &format!("announce = [\"{blocked}\"]"));
    node.start();
    let found = findings(node);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["port-blocked"]);
    assert_eq!(found["port-blocked"][0]["subject"], blocked.as_str());
    node.stop();
    set(node, "[network]", "[network]\nlisten_on = 1");
    assert!(ids(node).contains(&"config-wrong".to_owned()));
}

#[test]
fn keys_that_are_wrong_missing_or_unreadable_are_told_apart() {
    let mut line = Line::found(&["秘书处", "奉节县"]);
    let other = Node::init(line.folder().join("other"), "别的县", "county", &[]);
    let node = &mut line.nodes[1];
    node.stop();
    let path = |node: &Node| node.directory().join("keys").join("signing.key");
    let own = std::fs::read(path(node)).expect("the key is there");
    std::fs::copy(path(&other), path(node)).expect("the file can be replaced");
    let found = findings(node);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["key-wrong", "node-stopped"]);
    assert_eq!(found["key-wrong"][0]["subject"], "signing");
    node.start();
    assert!(findings(node).contains_key("key-wrong"), "the running node says so, too");
    node.stop();
    std::fs::write(path(node), "no key").expect("the file can be replaced");
    assert!(ids(node).contains(&"key-unreadable".to_owned()));
    std::fs::remove_file(path(node)).expect("it is there");
    assert!(ids(node).contains(&"key-missing".to_owned()));
    std::fs::write(path(node), own).expect("the file can be replaced");
    // It was written anew, and with the mode that the story's process gives.
    std::fs::set_permissions(node.directory(), std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let found = findings(node);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["directory-open", "node-stopped"]);
}

#[test]
fn what_keeps_a_configured_peer_away_is_said() {
    let mut line = Line::found(&["秘书处", "奉节县"]);
    let good = line.nodes[0].address();
    let node = &mut line.nodes[1];
    node.stop();
    let refused = format!("/ip4/127.0.0.1/tcp/{}", closed_port());
    let other = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let wrong = format!("{good}/p2p/{}", peer_id(&other.verifying_key().to_bytes()));
    // It takes connections and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mute = format!(
        "/ip4/127.0.0.1/tcp/{}",
        mute.local_addr().map(|address| (address.port(), Box::leak(Box::new(mute)))).expect("it is bound").0
    );
    set(node, &format!("\"{good}\""), &format!("\"{refused}\", \"{wrong}\", \"{mute}\", \"nonsense\""));
    let told = |node: &Node| {
        let of_peers = findings(node).into_iter().filter(|(id, _)| id.starts_with("peer-"));
        let pairs = of_peers.flat_map(|(id, found)| {
            found.into_iter().map(move |finding| (id.clone(), finding["subject"].as_str().expect("text").to_owned()))
        });
        pairs.collect::<BTreeMap<String, String>>()
    };
    let expected: BTreeMap<String, String> = [
        ("peer-refused", refused.as_str()),
        ("peer-wrong-id", wrong.as_str()),
        ("peer-timeout", mute.as_str()),
        ("peer-address", "nonsense"),
    ]
    .map(|(id, subject)| (id.to_owned(), subject.to_owned()))
    .into();
    assert_eq!(told(node), expected, "without the node");
    node.start();
    wait("the running node says the same", WAIT, || told(node) == expected);
}

/// A peer's id as addresses write it: an ed25519 key in base58.
fn peer_id(key: &[u8; 32]) -> String {
    const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let bytes = [&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20][..], key].concat();
    let mut digits: Vec<u8> = Vec::new();
    for byte in &bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            (*digit, carry) = ((carry % 58) as u8, carry / 58);
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).map(|_| '1');
    zeros.chain(digits.iter().rev().map(|digit| DIGITS[usize::from(*digit)] as char)).collect()
}

#[test]
fn a_missing_index_is_named_and_comes_back_by_itself() {
    let mut line = Line::found(&["秘书处"]);
    let file = sheet::demands(line.folder(), 0, 200);
    let node = &mut line.nodes[0];
    node.run(&["import", &file.to_string_lossy()]).ok();
    wait("the index is there", WAIT, || node.get("/v1/search/status")["documents"] == 200);
    node.stop();
    assert_eq!(ids(node), ["node-stopped"]);
    std::fs::remove_dir_all(node.directory().join("search")).expect("it is there");
    assert_eq!(ids(node), ["index-missing", "node-stopped"]);
    node.start();
    wait("the index is back", WAIT, || node.get("/v1/search/status")["documents"] == 200);
    assert_eq!(ids(node), Vec::<String>::new());
}

#[test]
fn a_damaged_store_is_named_before_and_after_it_was_rebuilt() {
    let mut line = Line::found(&["秘书处"]);
    let file = sheet::demands(line.folder(), 0, 50);
    let node = &mut line.nodes[0];
    node.run(&["import", &file.to_string_lossy()]).ok();
    node.stop();
    assert!(tamper(node.directory(), 0, 3, Tampering::Body).expect("the store opens"));
    let found = findings(node);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["node-stopped", "store-damaged"]);
    assert_eq!(found["store-damaged"][0]["severity"], "critical");
    node.start();
    let found = findings(node);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["store-aside", "store-damaged"]);
    assert_eq!(found["store-damaged"][0]["severity"], "warning", "it was put aside and mended from the journal");
}

/// What a receiver took: headers in small letters, and the body.
type Posted = (BTreeMap<String, String>, String);

/// A receiver that fails as often as it is told, and hands over what it takes: headers and body.
fn receiver(failures: usize) -> (String, Receiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/hook?token=geheim", listener.local_addr().expect("it is bound"));
    let (sender, taken) = sync_channel(64);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            // Every other failure says nothing at all.
            if number < failures && number % 2 == 1 {
                continue;
            }
            let Some(request) = read_request(&stream) else { continue };
            let status = if number < failures { "500 Internal Server Error" } else { "204 No Content" };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let answered = (&stream).write_all(answer.as_bytes());
            if number >= failures && answered.is_ok() && sender.send(request).is_err() {
                return;
            }
        }
    });
    (url, taken)
}

fn read_request(stream: &TcpStream) -> Option<Posted> {
    let mut reader = BufReader::new(stream);
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some((headers, String::from_utf8(body).ok()?))
}

#[test]
fn a_webhook_that_fails_at_first_is_told_in_the_end_and_knows_who_spoke() {
    let mut line = Line::found(&["秘书处"]);
    let (url, taken) = receiver(3);
    let node = &mut line.nodes[0];
    node.stop();
    set(node, "check_seconds = 30", "check_seconds = 1");
    set(node, "webhooks = []", &format!("webhooks = [\"{url}\"]"));
    let open =
        |mode| std::fs::set_permissions(node.directory(), std::fs::Permissions::from_mode(mode)).expect("it is ours");
    open(0o755);
    let mut runs = Node::at(node.directory());
    runs.start();
    let secret = std::fs::read_to_string(node.directory().join("alarms.secret")).expect("it was made");
    let next = |event: &str| loop {
        let (headers, body) = taken.recv_timeout(WAIT).expect("the receiver is told");
        let message: Value = serde_json::from_str(&body).expect("it is JSON");
        let time_ms = headers[&TIME_HEADER.to_lowercase()].parse().expect("a number");
        assert_eq!(headers[&SIGNATURE_HEADER.to_lowercase()], signature(&key(&secret, &url), time_ms, body.as_bytes()));
        assert!(!body.contains(runs.api().1.as_str()) && !body.contains(secret.trim()) && !body.contains("geheim"));
        if message["alarm"]["id"] == "directory-open" && message["event"] == event {
            return message;
        }
    };
    let raised = next("raised");
    assert_eq!((&raised["alarm"]["severity"], &raised["member"]["name"]), (&"warning".into(), &"秘书处".into()));
    let alarms = runs.run(&["alarms"]).ok();
    assert!(
        alarms["alarms"].as_array().is_some_and(|alarms| alarms.iter().any(|alarm| alarm["id"] == "directory-open"))
    );
    let webhook = &alarms["webhooks"][0];
    assert!(webhook["target"].as_str().is_some_and(|shown| !shown.contains("geheim")), "{webhook}");
    open(0o700);
    let cleared = next("cleared");
    assert_eq!(cleared["alarm"]["since_ms"], raised["alarm"]["since_ms"]);
    // That the webhook failed at first was an alarm as well, and may be gone later.
    let is_cleared = |view: &Value| {
        view["cleared"].as_array().is_some_and(|alarms| alarms.iter().any(|alarm| alarm["id"] == "directory-open"))
    };
    wait("it is cleared", WAIT, || is_cleared(&runs.run(&["alarms"]).ok()));
}

#[test]
fn writes_are_written_down_and_a_line_that_was_removed_is_noticed() {
    let mut line = Line::found(&["秘书处"]);
    let node = &mut line.nodes[0];
    node.run(&["publish", "--kind", "demand", "--wait", "0", "需求名称=配套", "需求类别=招商"]).ok();
    node.run(&["withdraw", "1-1"]).ok();
    let logged = || node.run(&["access-log"]).ok()["entries"].as_array().expect("a list").clone();
    wait("both are written down", WAIT, || logged().len() >= 2);
    let last = logged()[0].clone();
    assert_eq!((&last["subject"], &last["outcome"], &last["actor"]), (&"1-1".into(), &"ok 201".into(), &"api".into()));
    node.run(&["access-log", "--verify"]).ok();
    node.stop();
    let path = node.directory().join("access").join("current.jsonl");
    let text = std::fs::read_to_string(&path).expect("it was written");
    let kept: Vec<&str> = text.lines().skip(1).collect();
    std::fs::write(&path, format!("{}\n", kept.join("\n"))).expect("it can be written");
    assert_eq!(node.run(&["access-log", "--verify"]).failed(10), "access-log-altered");
    assert_eq!(ids(node), ["access-log-altered", "node-stopped"]);
    node.start();
    wait_found(node, "access-log-altered");
}

#[test]
fn a_peer_that_goes_beyond_its_bounds_is_named() {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let culprit = Organisation::new("恶意成员", Class::County, 2);
    let county = Organisation::new("奉节县", Class::County, 3);
    secretariat.admit(&mut charter, &culprit);
    secretariat.admit(&mut charter, &county);
    let scene = Scene::start(charter, &[&secretariat, &county]);
    let node = &scene.nodes[0];
    let peer = Hostile::connect(&scene.charter, &culprit.transport, node);
    peer.wait_heard_by(node);
    assert!(!findings(node).contains_key("peer-throttled"));
    (0..20u32).for_each(|number| {
        peer.gossip(ENTRY, &number.to_le_bytes());
    });
    wait_found(node, "peer-throttled");
    let found = findings(node)["peer-throttled"][0].clone();
    assert_eq!(found["subject"], "2");
    assert!(found["what_zh"].as_str().is_some_and(|text| text.contains("恶意成员")), "{found}");
}
