//! The portal of real nodes: the way in, the same counts as on the command line, and no listening beyond this machine
//! without a password.

use std::io::Write;
use std::process::{Command, Stdio};

use harness::node::{Line, Node, WAIT, wait};
use harness::portal::Reader;
use harness::program::xianmeng;

/// The figure of the tile that leads to this address.
fn tile(reader: &Reader, href: &str) -> u64 {
    let page = reader.page("/");
    let (_, rest) = page.split_once(&format!("<a href=\"{href}\"><span class=\"tile-label\">")).expect("a tile");
    let (_, value) = rest.split_once("<strong class=\"tile-value\">").expect("its figure");
    value.split('<').next().and_then(|digits| digits.parse().ok()).expect("a number")
}

#[test]
fn the_board_shows_the_counts_of_the_command_line() {
    let mut line = Line::found(&["秘书处", "奉节县", "云县"]);
    line.nodes[2].stop();
    let first = &line.nodes[0];
    let reader = Reader::enter(first);
    for path in [
        "/",
        "/members",
        "/members/2",
        "/topology",
        "/custody",
        "/duties",
        "/indicators",
        "/bulletins",
        "/alarms",
        "/node",
    ] {
        let page = reader.page(path);
        assert!(page.contains("测试联盟") && page.contains("截至"), "{path}");
        assert!(!page.contains("本版本没有这项数据"), "{path} has no data");
    }
    wait("the board agrees with the command line", WAIT, || {
        let counts = first.run(&["health"]).json["counts"].clone();
        let same = |state: &str| counts[state] == tile(&reader, &format!("/members?state={state}"));
        ["up", "silent", "never_joined", "unknown"].into_iter().all(same)
    });
}

fn add_account(node: &Node, name: &str, password: &str) -> i32 {
    let mut command = Command::new(xianmeng());
    command.args(["portal", "user", "add", name, "--json", "--data"]).arg(node.directory());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    writeln!(child.stdin.take().expect("a pipe"), "{password}").expect("it reads");
    child.wait().expect("it ends").code().unwrap_or(-1)
}

#[test]
fn beyond_this_machine_the_portal_listens_only_with_a_password() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut node = Node::init(folder.path().join("node"), "秘书处", "secretariat", &[]);
    node.run(&["charter", "create", "--federation", "测试联盟"]).ok();
    let config = node.directory().join("config.toml");
    let text = std::fs::read_to_string(&config).expect("it was written");
    let (before, after) = text.split_once("[portal]\nlisten = \"127.0.0.1:0\"").expect("the portal's settings");
    std::fs::write(&config, format!("{before}[portal]\nlisten = \"0.0.0.0:0\"{after}")).expect("writable");
    node.start();
    let warned = |node: &Node| node.status()["warnings"].to_string().contains("portal-password");
    assert!(warned(&node), "the node runs and says why the portal does not");
    assert!(!node.directory().join("portal.address").exists());
    assert_eq!(node.run(&["portal", "open"]).failed(7), "portal");
    assert_eq!(add_account(&node, "王敏", "short"), 5, "a password has a least length");
    assert_eq!(add_account(&node, "王敏", "一句好记而且够长的话"), 0);
    node.stop();
    node.start();
    assert!(!warned(&node) && node.directory().join("portal.address").exists());
    assert_eq!(node.run(&["portal", "user", "list"]).ok()[0]["role"], "viewer");
    assert_eq!(node.run(&["portal", "user", "remove", "王敏"]).failed(7), "last-account");
}
