//! Copies of a data directory: running beside the original, restored from a backup, or alone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::node::{Line, Node, WAIT, wait, wait_equal};

/// The exit code of a node that gave way to another process with its keys.
const KEYS_IN_USE: i32 = 11;
/// Longer than a node whose directory is the original waits for others before it signs by itself.
const ALONE: Duration = Duration::from_secs(8);

/// Copies a data directory as an administrator would.
fn copy(directory: &Path, name: &str) -> PathBuf {
    let target = directory.with_file_name(name);
    let status = Command::new("cp").arg("-a").arg(directory).arg(&target).status();
    // A running node changes its files; what was there when it began is copied.
    assert!(status.is_ok() && target.join("member.toml").exists());
    let _ = std::fs::remove_file(target.join("node.log"));
    target
}

fn publish(node: &Node, title: &str) {
    let title = format!("需求名称={title}");
    node.run(&["publish", "--kind", "demand", "--wait", "0", &title, "需求类别=招商"]).ok();
}

#[track_caller]
fn assert_no_fork(nodes: &[Node]) {
    for node in nodes {
        let status = node.status();
        let heads = status["heads"].as_array().expect("a list");
        assert!(heads.iter().all(|head| head["forked_at"].is_null()), "{heads:?}");
    }
}

fn warns(node: &Node, code: &str) -> bool {
    let status = node.status();
    status["warnings"].as_array().expect("a list").iter().any(|warning| warning["code"] == code)
}

/// Starts a copy, which must end by itself and say why.
#[track_caller]
fn gives_way(directory: PathBuf) {
    let mut copy = Node::at(directory);
    if copy.try_start().is_ok() {
        let mut code = None;
        wait("the copy stops", WAIT, || {
            code = copy.ended();
            code.is_some()
        });
        assert_eq!(code, Some(KEYS_IN_USE), "{}", copy.log());
    }
    let log = copy.log();
    assert!(
        log.contains("另一个进程正在用本节点的密钥") && log.contains("another process uses this node's keys"),
        "{log}"
    );
}

#[test]
fn of_a_running_node_and_its_copy_one_stops_and_says_why() {
    let line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    let original = &line.nodes[1];
    publish(original, "复制之前");
    // A third member knows both.
    gives_way(copy(original.directory(), "copy"));
    assert!(warns(original, "another-process-uses-the-keys"));
    publish(original, "复制之后");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    assert_no_fork(&line.nodes);
}

#[test]
fn a_copy_that_is_connected_with_other_members_stops_too() {
    let line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    let original = &line.nodes[2];
    publish(original, "复制之前");
    let directory = copy(original.directory(), "copy");
    let settings = directory.join("config.toml");
    let text = std::fs::read_to_string(&settings).expect("a node has settings");
    // The original knows the node in the middle only, the copy only the secretariat.
    let (middle, secretariat) = (line.nodes[1].address(), line.nodes[0].address());
    assert!(text.contains(&middle), "{text}");
    std::fs::write(&settings, text.replace(&middle, &secretariat)).expect("the settings can be written");
    gives_way(directory);
    publish(original, "复制之后");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    assert_no_fork(&line.nodes);
}

#[test]
fn a_restored_backup_recovers_its_tail_before_it_signs() {
    let mut line = Line::found(&["秘书处", "奉节县"]);
    let directory = line.nodes[1].directory().to_owned();
    publish(&line.nodes[1], "备份之前");
    line.nodes[1].stop();
    let backup = copy(&directory, "backup");
    line.nodes[1].start();
    line.nodes[1].wait_ready_to_sign();
    for number in 0..5 {
        publish(&line.nodes[1], &format!("备份之后{number}"));
    }
    wait_equal(&[&line.nodes[0], &line.nodes[1]], WAIT);
    let records = |node: &Node| node.status()["records"].as_u64().expect("a number");
    assert_eq!(records(&line.nodes[1]), 6);
    line.nodes[1].stop();
    std::fs::remove_dir_all(&directory).expect("the disk is lost");
    std::fs::rename(copy(&backup, "restored"), &directory).expect("the backup is restored");
    line.nodes[1].start();
    line.nodes[1].wait_ready_to_sign();
    assert_eq!(records(&line.nodes[1]), 6, "the tail came back before it may sign");
    publish(&line.nodes[1], "恢复之后");
    wait_equal(&[&line.nodes[0], &line.nodes[1]], WAIT);
    assert_eq!((records(&line.nodes[0]), records(&line.nodes[1])), (7, 7));
    assert_no_fork(&line.nodes);
    // It is the original now.
    line.nodes[1].stop();
    line.nodes[0].stop();
    line.nodes[1].start();
    line.nodes[1].wait_ready_to_sign();
}

#[test]
fn a_machine_that_was_cloned_whole_gives_way_to_the_one_that_started_first() {
    let line = Line::found(&["秘书处", "奉节县"]);
    let original = &line.nodes[1];
    let directory = copy(original.directory(), "copy");
    // Nothing on the disk tells a snapshot of a whole machine from the original.
    node::place::settle(&directory, true).expect("the copy can be written to");
    gives_way(directory);
    publish(original, "复制之后");
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    assert_no_fork(&line.nodes);
}

#[test]
fn a_node_that_was_killed_comes_back_at_once_and_is_nobodys_copy() {
    let mut line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    for number in 0..5 {
        publish(&line.nodes[1], &format!("第{number}次"));
        line.nodes[1].kill();
        // Its old connections and beacons are still about.
        line.nodes[1].start();
        line.nodes[1].wait_ready_to_sign();
    }
    publish(&line.nodes[1], "最后");
    assert!(line.nodes[1].status()["warnings"].as_array().is_some_and(Vec::is_empty), "nobody was met");
    wait_equal(&[&line.nodes[0], &line.nodes[1]], WAIT);
    assert_no_fork(&line.nodes);
}

#[test]
fn a_copy_that_reaches_nobody_does_not_sign_unless_the_operator_says_so() {
    let mut line = Line::found(&["秘书处", "奉节县"]);
    line.nodes.iter_mut().for_each(Node::stop);
    let mut copy = Node::at(copy(line.nodes[1].directory(), "copy"));
    copy.start();
    std::thread::sleep(ALONE);
    assert_eq!(copy.status()["signing"]["ready"], false);
    assert!(warns(&copy, "directory-is-a-copy"));
    copy.run(&["publish", "--kind", "demand", "--wait", "0", "需求名称=副本", "需求类别=招商"]).failed(7);
    assert_eq!(copy.run(&["key", "confirm-alone"]).failed(7), "confirmation-needed");
    copy.run(&["key", "confirm-alone", "--yes"]).ok();
    copy.wait_ready_to_sign();
    publish(&copy, "只剩这一份");
}

#[test]
fn a_founder_that_lost_everything_but_its_keys_does_not_begin_its_log_anew() {
    let mut line = Line::found(&["秘书处"]);
    let node = &mut line.nodes[0];
    node.wait_ready_to_sign();
    publish(node, "丢失之前");
    node.stop();
    for name in ["store", "journal"] {
        std::fs::remove_dir_all(node.directory().join(name)).expect("it is there");
    }
    node.start();
    std::thread::sleep(ALONE);
    assert_eq!(node.status()["signing"]["ready"], false);
    assert!(warns(node, "log-lost"));
}
