//! Erasure: a text is gone from every disk, everybody says so, and a backup does not bring it back.

use std::fs;
use std::path::{Path, PathBuf};

use harness::node::{Line, Node, WAIT, wait, wait_equal};

/// What nobody else writes.
const TEXT: &str = "某某村某某某身份证五一二三零一九七六零四零五";

/// Files under a directory that hold the text.
fn holding(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("it is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path));
        } else if fs::read(&path).is_ok_and(|bytes| bytes.windows(TEXT.len()).any(|part| part == TEXT.as_bytes())) {
            found.push(path);
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it can be made");
    for entry in fs::read_dir(from).expect("it is there").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { drop(fs::copy(entry.path(), to)) }
    }
}

fn wait_acknowledged(node: &Node, members: usize) {
    wait("every member acknowledged", WAIT, || {
        let erasures = node.run(&["erasures"]).ok();
        erasures[0]["acknowledged"].as_array().is_some_and(|members_done| members_done.len() == members)
    });
}

#[test]
fn an_erased_text_is_gone_from_every_disk_and_a_backup_does_not_bring_it_back() {
    let mut line = Line::found(&["秘书处", "奉节县", "夏邑县"]);
    let title = format!("需求名称={TEXT}");
    let publish = ["publish", "--kind", "demand", "--wait", "0", &title, "需求类别=招商"];
    let label = line.nodes[1].run(&publish).ok()["labels"][0].as_str().expect("a label").to_owned();
    line.nodes[1].run(&["revise", &label, "--wait", "0", &format!("需求名称={TEXT}（续）")]).ok();
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let journal = line.nodes[1].directory().join("journal");
    assert!(!holding(&journal).is_empty(), "the journal holds it as it is: the story would find it");
    let bundle = line.folder().join("before.bundle").to_string_lossy().into_owned();
    line.nodes[0].run(&["export", "--out", &bundle]).ok();

    // An old backup of the third node, from before the erasure.
    line.nodes[2].stop();
    let backup = line.folder().join("backup");
    copy(line.nodes[2].directory(), &backup);
    line.nodes[2].start();

    let refused = line.nodes[1].run(&["erase", &label, "--reason", "含个人信息"]);
    assert_eq!(refused.failed(7), "not-confirmed");
    let foreign = line.nodes[0].run(&["erase", &label, "--reason", "含个人信息", "--yes"]);
    assert_eq!(foreign.failed(7), "not-owner");
    let erased = line.nodes[1].run(&["erase", &label, "--reason", "含个人信息", "--yes"]).ok();
    assert_eq!(erased["entries"], 2);
    line.nodes.iter().for_each(|node| wait_acknowledged(node, 3));
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    for node in &line.nodes {
        assert_eq!(holding(node.directory()), [] as [PathBuf; 0]);
        assert_eq!(node.run(&["show", &label]).failed(6), "erased");
        let history = node.run(&["history", &label]).ok();
        assert_eq!(history[0]["erased"]["member"]["name"], "奉节县");
        assert_eq!(history[0]["erased"]["reason"], "含个人信息");
        let listed = node.run(&["list", "--kind", "demand"]).ok();
        assert_eq!(listed["records"].as_array().map(Vec::len), Some(0));
        assert_eq!(node.run(&["erasures"]).ok()[0]["purged"], true);
    }
    assert_eq!(line.nodes[1].run(&["revise", &label, "--wait", "0", "需求名称=新"]).failed(6), "erased");

    // What is left verifies, and an old bundle brings nothing back.
    let after = line.folder().join("after.bundle").to_string_lossy().into_owned();
    line.nodes[0].run(&["export", "--out", &after]).ok();
    line.nodes[0].run(&["verify", &after]).ok();
    line.nodes[0].run(&["import-bundle", &bundle]).ok();
    assert_eq!(holding(line.nodes[0].directory()), [] as [PathBuf; 0]);

    // The backup is put back: the node learns of the erasure from its peers and erases again.
    line.nodes[2].stop();
    let directory = line.nodes[2].directory().to_owned();
    fs::remove_dir_all(&directory).expect("it was there");
    copy(&backup, &directory);
    line.nodes[2].start();
    wait("the backup is erased", WAIT, || {
        let own = line.nodes[2].run(&["erasures"]).ok();
        own[0]["purged"] == true && own[0]["held"] == 0
    });
    assert_eq!(holding(&directory), [] as [PathBuf; 0]);
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let own = line.nodes[2].run(&["erasures"]).ok();
    assert_eq!(own[0]["outstanding"].as_array().map(Vec::len), Some(0));
}
