//! Calls that fail one by one: a write with EIO, forcing to disk with EIO, and a write of which half is done when the
//! process is gone.

use std::time::Duration;

use harness::node::{Node, wait};

use crate::federation::{Federation, REST};
use crate::ledger::Writer;
use crate::scenario::{Scenario, Skip};
use crate::shim::{Fault, Shim};
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "torn-writes",
    zh: "第若干次写入报 EIO、第若干次落盘报 EIO、写到一半进程消失，各若干轮；已确认的一条不少",
    en: "the n-th write fails with EIO, the n-th fsync fails with EIO, the n-th write is torn and the process gone; \
         nothing acknowledged is missing",
    quick: true,
    play,
};

const VICTIM: usize = 1;
const ROUNDS: usize = 3;
const FAULTS: [Fault; 3] = [Fault::Torn, Fault::Sync, Fault::Write];
/// The fault falls into one of so many calls.
const CALLS_MAX: i64 = 60;
/// What the doctor may say afterwards: a store that was damaged is rebuilt, and the damaged one lies aside.
const AFTERWARDS: [&str; 3] = ["store-damaged", "store-rebuilt", "store-aside"];

fn play(world: &mut World) -> Result<(), Skip> {
    let mut federation = Federation::prepare(world, 3)?;
    let node = std::mem::replace(&mut federation.nodes[VICTIM], Node::at("nowhere"));
    let shim = Shim::build(&world.folder, node.directory())?;
    let prefix = shim.prefix();
    federation.nodes[VICTIM] = node.under(&prefix.iter().map(String::as_str).collect::<Vec<_>>());
    federation.start();
    let writer = Writer::begin(&world.ledger, &federation.nodes[VICTIM], 10, Duration::from_millis(5));
    for fault in (0..ROUNDS).flat_map(|_| FAULTS) {
        let before = writer.acknowledged();
        wait("a record is acknowledged", REST, || writer.acknowledged() > before);
        shim.fail(fault, world.random.i64(1..CALLS_MAX));
        wait("the node ends", REST, || federation.nodes[VICTIM].ended().is_some());
        assert!(shim.happened() > 0, "the fault never happened: {fault:?}");
        shim.mend();
        federation.nodes[VICTIM].start();
        federation.nodes[VICTIM].wait_ready_to_sign();
    }
    let written = writer.end();
    federation.settle(world, &AFTERWARDS);
    world.checked(format!(
        "{0} 次故障，其间确认 {1} 批 · {0} faults, {1} batches acknowledged meanwhile",
        ROUNDS * FAULTS.len(),
        written.acknowledged
    ));
    Ok(())
}
