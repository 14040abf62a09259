//! The power of a node's machine fails: what was not forced to disk is gone.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::node::wait;
use harness::power::Disk;

use crate::federation::{Federation, SOON};
use crate::ledger::Writer;
use crate::scenario::{Scenario, Skip};
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "power",
    zh: "一个节点断电八次，没有落盘的都丢掉；已确认的一条不少",
    en: "the power of a node fails eight times and takes with it what was not forced to disk; nothing acknowledged is \
         missing",
    quick: true,
    play,
};

const VICTIM: usize = 1;
const CUTS: usize = 8;
const DISK_MIB: u64 = 256;
/// The longest time between the first record that is acknowledged in a round and the cut.
const PAUSE_MS_MAX: u64 = 500;

fn play(world: &mut World) -> Result<(), Skip> {
    let mut disk = Disk::new(DISK_MIB)?;
    let elsewhere = BTreeMap::from([(VICTIM, disk.path().join("node"))]);
    let mut federation = Federation::prepare_at(world, 3, &elsewhere)?;
    federation.start();
    let writer = Writer::begin(&world.ledger, &federation.nodes[VICTIM], 10, Duration::from_millis(5));
    for _ in 0..CUTS {
        let before = writer.acknowledged();
        wait("a record is acknowledged", SOON, || writer.acknowledged() > before);
        std::thread::sleep(Duration::from_millis(world.random.u64(..PAUSE_MS_MAX)));
        disk.cut().expect("the power can be cut");
        federation.nodes[VICTIM].kill();
        // Commands of the writer have files of the disk open for a moment.
        wait("the disk comes back", SOON, || disk.restore().is_ok());
        federation.nodes[VICTIM].start();
        federation.nodes[VICTIM].wait_ready_to_sign();
    }
    let written = writer.end();
    federation.settle(world, &[]);
    world.checked(format!(
        "{CUTS} 次断电，其间确认 {0} 批 · {CUTS} power cuts, {0} batches acknowledged meanwhile",
        written.acknowledged
    ));
    Ok(())
}
