//! Nodes go over from one build to another, one after the other, while records are written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use harness::node::{Node, wait};
use harness::program::{workspace, xianmeng};

use crate::federation::{Federation, SOON, linked};
use crate::ledger::Writer;
use crate::scenario::{Scenario, Skip};
use crate::site::run;
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "upgrade",
    zh: "节点一个接一个地从旧程序换成新程序，其间照常发布",
    en: "nodes go over from an older build to the tested one, one after the other, while records are written",
    quick: true,
    play,
};

/// The path of an older program.
const PREVIOUS: &str = "XIANMENG_PREVIOUS";
/// A commit or tag to build it from.
const PREVIOUS_COMMIT: &str = "XIANMENG_PREVIOUS_COMMIT";
const NODES: usize = 4;
const PAUSE: Duration = Duration::from_millis(200);

fn play(world: &mut World) -> Result<(), Skip> {
    let (previous, zh, en) = previous(world)?;
    let places = Federation::places(world, NODES)?;
    let mut federation = Federation::in_places(world, places, &BTreeMap::new(), Some(&previous));
    federation.start();
    let mut writers: Vec<Option<Writer>> =
        federation.nodes.iter().map(|node| Some(Writer::begin(&world.ledger, node, 5, PAUSE))).collect();
    let mut acknowledged = 0;
    for index in 0..NODES {
        // The other nodes are written to all the while; the command line is exchanged with the node.
        let stopped = writers[index].take().map(Writer::end).unwrap_or_default();
        acknowledged += stopped.acknowledged;
        let mut node = std::mem::replace(&mut federation.nodes[index], Node::at("nowhere"));
        node.stop();
        let mut node = node.by(xianmeng());
        node.start();
        node.wait_ready_to_sign();
        wait("it is linked again", SOON, || linked(&node) > 0);
        writers[index] = Some(Writer::begin(&world.ledger, &node, 5, PAUSE));
        federation.nodes[index] = node;
        let others: Vec<&Writer> = writers.iter().flatten().collect();
        let before: Vec<u64> = others.iter().map(|writer| writer.acknowledged()).collect();
        wait("everybody is written to", SOON, || {
            others.iter().zip(&before).all(|(writer, before)| writer.acknowledged() > *before)
        });
    }
    acknowledged += writers.into_iter().flatten().map(|writer| writer.end().acknowledged).sum::<u64>();
    federation.settle(world, &[]);
    world.checked(format!("{zh}，其间确认 {acknowledged} 批 · {en}, {acknowledged} batches acknowledged meanwhile"));
    Ok(())
}

/// The older program, and what is to be said of it.
fn previous(world: &World) -> Result<(PathBuf, String, String), Skip> {
    if let Some(path) = std::env::var_os(PREVIOUS).map(PathBuf::from) {
        if !path.exists() {
            return Err(Skip(format!("{PREVIOUS}：没有这个文件 · there is no {}", path.display())));
        }
        let version = run(&[&path.to_string_lossy(), "--version"])?.trim().to_owned();
        return Ok((
            path,
            format!("由给定的旧程序（{version}）升级"),
            format!("from the older program given ({version})"),
        ));
    }
    if let Ok(commit) = std::env::var(PREVIOUS_COMMIT) {
        let path = build(world, &commit)?;
        return Ok((path, format!("由提交 {commit} 升级"), format!("from commit {commit}")));
    }
    let copy = world.folder.join("xianmeng-previous");
    std::fs::copy(xianmeng(), &copy).map_err(|error| Skip(error.to_string()))?;
    Ok((
        copy,
        format!("升级到同一版本（可用 {PREVIOUS} 指定旧程序）"),
        format!("to the same build; {PREVIOUS} names an older one"),
    ))
}

/// Builds the program as of a commit, beside this workspace's own target.
fn build(world: &World, commit: &str) -> Result<PathBuf, Skip> {
    let (tree, target) = (world.folder.join("previous"), workspace().join("target").join("previous"));
    let (root, tree) = (workspace().to_string_lossy().into_owned(), tree.to_string_lossy().into_owned());
    world.say("构建旧程序", "the older program is built");
    run(&["git", "-C", &root, "worktree", "add", "--detach", &tree, commit])?;
    let manifest = format!("{tree}/Cargo.toml");
    let at = format!("CARGO_TARGET_DIR={}", target.display());
    let line = ["build", "--quiet", "--release", "--package", "xianmeng", "--manifest-path", &manifest];
    let built = run(&[&["env", &at, "cargo"], &line[..]].concat());
    let _ = run(&["git", "-C", &root, "worktree", "remove", "--force", &tree]);
    built?;
    Ok(target.join("release").join("xianmeng"))
}
