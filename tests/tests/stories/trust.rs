//! Who gets what: strangers, applicants, members, expelled members.

use std::time::Duration;

use harness::node::{Line, Node, WAIT, wait_cut_off, wait_equal};

#[test]
fn a_stranger_gets_the_joining_protocol_and_nothing_else() {
    let line = Line::found(&["秘书处", "奉节县"]);
    let secretariat = &line.nodes[0];
    let invitation = line.folder().join("second.json");
    let invitation = invitation.to_string_lossy().into_owned();
    secretariat.run(&["charter", "invite", "--out", &invitation]).ok();
    let mut stranger = Node::init(line.folder().join("stranger"), "外人", "county", &[secretariat.address()]);
    // Without an invitation there is no federation to talk to.
    assert!(stranger.try_start().is_err());
    let pending = stranger.run(&["join", &invitation]).ok();
    let applications = secretariat.run(&["charter", "applications"]).ok();
    let listed = &applications.as_array().expect("a list")[0];
    assert_eq!(listed["name"], "外人");
    assert_eq!(listed["fingerprint"], pending["fingerprint"]);
    // It holds no block and no entry; there is not even a store.
    assert!(!stranger.directory().join("genesis.block").exists());
    assert!(!stranger.directory().join("store").exists());
    let peers = secretariat.run(&["peers"]).ok();
    let members = peers.as_array().expect("a list").iter().filter(|peer| !peer["member"].is_null()).count();
    assert_eq!(members, 1, "the stranger is no member to anybody: {peers}");
}

#[test]
fn an_expelled_member_is_cut_off_at_once_and_its_later_entries_count_nowhere() {
    let line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    let (secretariat, middle, expelled) = (&line.nodes[0], &line.nodes[1], &line.nodes[2]);
    let publish = |node: &Node, title: &str| {
        let title = format!("需求名称={title}");
        node.run(&["publish", "--kind", "demand", "--wait", "0", &title, "需求类别=招商"])
    };
    let before = publish(expelled, "除名之前").ok()["labels"][0].as_str().expect("a label").to_owned();
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    secretariat.run(&["charter", "expel", "夏邑县", "--reason", "不履行义务"]).ok();
    wait_cut_off(middle, "夏邑县", &line.nodes, Duration::from_secs(20));
    assert_eq!(middle.linked(), ["秘书处"]);
    // It may not have heard of its expulsion; whatever it says now is refused by the others.
    let late = publish(expelled, "除名之后");
    wait_equal(&[secretariat, middle], WAIT);
    for node in [secretariat, middle] {
        assert_eq!(node.run(&["show", &before]).ok()["title"], "除名之前", "earlier entries stay");
        let listed = node.run(&["list", "--kind", "demand"]).ok();
        let titles: Vec<&str> = listed["records"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|record| record["title"].as_str())
            .collect();
        assert!(!titles.contains(&"除名之后"), "{titles:?} ({})", late.code);
    }
    let charter = secretariat.run(&["charter", "show"]).ok();
    let standing = |number: usize| charter["members"][number]["standing"].clone();
    assert_eq!((standing(1), standing(2)), ("active".into(), "expelled".into()));
}

#[test]
fn only_a_registrar_admits() {
    let line = Line::found(&["秘书处", "奉节县"]);
    let refused = line.nodes[1].run(&["charter", "expel", "秘书处", "--reason", "夺权"]);
    assert_eq!(refused.code, 7, "{}", refused.errors);
    assert_eq!(line.nodes[0].status()["charter_version"], line.nodes[1].status()["charter_version"]);
}
