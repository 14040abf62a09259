//! Keys that are protected, and a member that has nothing left but its recovery kit.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use harness::node::{Line, Node, WAIT, wait};
use harness::program::xianmeng;
use serde_json::Value;

const PASSPHRASE: &str = "一句好记的口令，要够长";

fn command(node: &Node, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(xianmeng());
    command.args(arguments).arg("--json").arg("--data").arg(node.directory()).stdin(Stdio::null());
    command.envs(environment.iter().copied());
    command
}

/// Runs a command with these variables; its exit code and its JSON.
fn run(node: &Node, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, Value) {
    let Output { status, stdout, .. } = command(node, arguments, environment).output().expect("the program was built");
    (status.code().unwrap_or(-1), serde_json::from_slice(&stdout).unwrap_or_default())
}

fn begin(node: &Node, environment: &[(&str, &str)]) -> Child {
    let mut command = command(node, &["run"], environment);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program was built")
}

fn invite(secretariat: &Node, folder: &Path, name: &str, more: &[&str]) -> Value {
    let file = folder.join(name).to_string_lossy().into_owned();
    secretariat.run(&[&["charter", "invite", "--out", &file], more].concat()).ok()
}

#[test]
fn a_protected_node_starts_unattended_and_not_without_its_passphrase() {
    let line = Line::found(&["秘书处", "奉节县"]);
    let mut node = Node::init(line.folder().join("protected"), "巫山县", "county", &[]);
    let (code, _) = run(&node, &["key", "protect"], &[("XIANMENG_NEW_PASSPHRASE", PASSPHRASE)]);
    assert_eq!(code, 0);
    assert!(node.run(&["key", "list"]).ok().as_array().expect("a list").iter().all(|key| key["protected"] == true));
    let text = invite(&line.nodes[0], line.folder(), "third.json", &[])["line"].as_str().expect("a line").to_owned();
    assert_eq!(node.run(&["join", &text]).failed(7), "key-locked");
    assert!(node.try_start().is_err());
    let wrong = run(&node, &["join", &text], &[("XIANMENG_PASSPHRASE", "not this one")]);
    assert_eq!((wrong.0, &wrong.1["error"]["code"]), (7, &"passphrase-wrong".into()));

    let secret = line.folder().join("secret");
    std::fs::write(&secret, format!("{PASSPHRASE}\n")).expect("a temporary directory can be written to");
    let environment = [("XIANMENG_PASSPHRASE_FILE", secret.to_str().expect("a plain path"))];
    assert_eq!(run(&node, &["join", &text], &environment).1["state"], "pending");
    let mut process = begin(&node, &environment);
    wait("it waits for its admission", WAIT, || run(&node, &["status"], &[]).1["running"] == true);
    // The directory is taken while it waits.
    assert_eq!(run(&node, &["run"], &environment).0, 4);
    line.nodes[0].run(&["charter", "admit", "--all", "--yes"]).ok();
    wait("it goes on by itself", WAIT, || run(&node, &["status"], &[]).1["state"] == "running");
    assert!(!node.directory().join("joining.json").exists());
    process.kill().expect("it runs");
    process.wait().expect("it ends");
}

#[test]
fn a_refused_applicant_is_told_and_an_invitation_for_one_serves_one() {
    let line = Line::found(&["秘书处", "奉节县"]);
    let secretariat = &line.nodes[0];
    let first = Node::init(line.folder().join("first"), "甲县", "county", &[]);
    let second = Node::init(line.folder().join("second"), "乙县", "county", &[]);
    let text =
        invite(secretariat, line.folder(), "one.json", &["--single"])["line"].as_str().expect("a line").to_owned();
    first.run(&["join", &text]).ok();
    assert_eq!(second.run(&["join", &text]).failed(7), "join-refused");
    let id = secretariat.run(&["charter", "applications"]).ok()[0]["id"].as_str().expect("an id").to_owned();
    secretariat.run(&["charter", "refuse", &id]).ok();
    assert_eq!(first.run(&["join", &text]).failed(7), "join-refused");
    let other = invite(secretariat, line.folder(), "other.json", &[])["line"].as_str().expect("a line").to_owned();
    assert_eq!(first.run(&["join", &other]).failed(7), "join-refused");
    assert_eq!(first.run(&["status"]).ok()["state"], "refused");
    assert_eq!(secretariat.run(&["charter", "applications"]).ok().as_array().map(Vec::len), Some(0));
}

#[test]
fn a_kit_brings_a_member_back_under_the_same_keys_and_its_log_goes_on() {
    let mut line = Line::found(&["秘书处", "奉节县"]);
    let made = line.folder().join("kit.txt").to_string_lossy().into_owned();
    let kit = line.nodes[1].run(&["key", "kit", "--out", &made]).ok();
    let passphrase = kit["kit"]["passphrase"].as_str().expect("it is shown once").to_owned();
    let publish = |node: &Node, title: &str| {
        let title = format!("需求名称={title}");
        node.run(&["publish", "--kind", "demand", "--wait", "20", &title, "需求类别=招商"]).ok()
    };
    publish(&line.nodes[1], "丢失之前");
    let address = line.nodes[0].address();
    line.nodes[1].stop();
    let mut node = Node::at(line.folder().join("again"));
    let mut arguments = vec!["recover", "--kit", &made, "--api", "127.0.0.1:0", "--no-discovery", "--peer", &address];
    arguments.extend(["--listen", "/ip4/127.0.0.1/tcp/0"]);
    let wrong = run(&node, &arguments, &[("XIANMENG_KIT_PASSPHRASE", "00000")]);
    assert_eq!((wrong.0, &wrong.1["error"]["code"]), (7, &"kit-passphrase".into()));
    assert!(!node.directory().exists());
    assert_eq!(run(&node, &arguments, &[("XIANMENG_KIT_PASSPHRASE", &passphrase)]).0, 0);
    assert_eq!(run(&node, &arguments, &[("XIANMENG_KIT_PASSPHRASE", &passphrase)]).0, 4, "never twice");

    let text = invite(&line.nodes[0], line.folder(), "back.json", &[])["line"].as_str().expect("a line").to_owned();
    assert_eq!(node.run(&["join", &text]).ok()["state"], "admitted");
    node.start();
    wait("its own log came back and it may sign", WAIT, || {
        let status = node.status();
        status["signing"]["ready"] == true && status["records"] == 1
    });
    wait("it is an ordinary node again", WAIT, || node.directory().join("place").exists());
    publish(&node, "恢复之后");
    wait("the secretariat has both", WAIT, || line.nodes[0].status()["records"] == 2);
}
