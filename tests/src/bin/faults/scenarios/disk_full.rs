//! The disk of a node fills up, and has room again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use harness::node::wait;
use harness::power::Disk;

use crate::federation::{Federation, SOON, wait_found};
use crate::ledger::Writer;
use crate::scenario::{Scenario, Skip};
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "disk-full",
    zh: "一个节点的磁盘写满，停止写入并写明，腾出空间后继续",
    en: "the disk of a node is full, it stops writing and says so, and goes on when there is room again",
    quick: true,
    play,
};

const FULL: usize = 2;
const DISK_MIB: u64 = 64;
static BLOCK: [u8; 64 * 1024] = [7; 64 * 1024];
/// The command's exit code for a store that takes nothing.
const STORE: i32 = 8;

fn play(world: &mut World) -> Result<(), Skip> {
    let disk = Disk::new(DISK_MIB)?;
    let elsewhere = BTreeMap::from([(FULL, disk.path().join("node"))]);
    let mut federation = Federation::prepare_at(world, 3, &elsewhere)?;
    federation.start();
    let writer = Writer::begin(&world.ledger, &federation.nodes[FULL], 20, Duration::from_millis(100));
    wait("some are acknowledged", SOON, || writer.acknowledged() >= 5);
    world.say("磁盘写满", "the disk is filled");
    let ballast = disk.path().join("ballast");
    fill(&ballast);
    let named = wait_found(&federation.nodes[FULL], &["disk-full"]);
    // What another process leaves over can still be written; the next block cannot.
    wait("the node stops", SOON, || {
        fill(&ballast);
        federation.nodes[FULL].ended().is_some()
    });
    let written = writer.end();
    let (code, words) = written.last_refusal.expect("a full disk takes nothing");
    assert!([STORE, 3].contains(&code), "exit code {code}: {words}");
    world.say("其他节点继续", "the others go on");
    world.ledger.must_publish(&federation.nodes[0], 20);
    federation.wait_equal_among(&[0, 1], SOON);
    std::fs::remove_file(&ballast).expect("the ballast can be taken away");
    world.say("有空间了，重新启动", "there is room again; it is started");
    federation.nodes[FULL].start();
    federation.nodes[FULL].wait_ready_to_sign();
    world.ledger.must_publish(&federation.nodes[FULL], 20);
    federation.settle(world, &[]);
    world.checked(format!("写满由诊断 {named} 写明 · {named} names the full disk"));
    Ok(())
}

/// Fills what is left.
fn fill(path: &Path) {
    let Ok(mut file) = File::options().create(true).append(true).open(path) else { return };
    while file.write_all(&BLOCK).is_ok() {}
    while file.write_all(&BLOCK[..512]).is_ok() {}
    let _ = file.sync_all();
}
