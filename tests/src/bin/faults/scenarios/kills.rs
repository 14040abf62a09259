//! A node is killed again and again while records are written to it.

use std::time::Duration;

use harness::node::wait;

use crate::federation::{Federation, SOON};
use crate::ledger::Writer;
use crate::scenario::{Scenario, Skip};
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "kills",
    zh: "一边导入一边被 kill -9 二十次，已确认的一条不少",
    en: "killed (kill -9) twenty times in the middle of imports; nothing acknowledged is missing",
    quick: true,
    play,
};

const VICTIM: usize = 1;
const KILLS: usize = 20;
/// Rows of the import that each blow falls into.
const ROWS: usize = 500;
/// The longest time between the first record that is acknowledged in a round and the blow.
const PAUSE_MS_MAX: u64 = 400;

fn play(world: &mut World) -> Result<(), Skip> {
    let mut federation = Federation::found(world, 3)?;
    let writer = Writer::begin(&world.ledger, &federation.nodes[VICTIM], 10, Duration::from_millis(5));
    for round in 0..KILLS {
        let before = writer.acknowledged();
        let mut import = world.ledger.begin_import(&federation.nodes[VICTIM], round * ROWS, ROWS);
        wait("a record is acknowledged", SOON, || writer.acknowledged() > before);
        std::thread::sleep(Duration::from_millis(world.random.u64(..PAUSE_MS_MAX)));
        federation.nodes[VICTIM].kill();
        let _ = import.kill();
        let _ = import.wait();
        federation.nodes[VICTIM].start();
        federation.nodes[VICTIM].wait_ready_to_sign();
    }
    let written = writer.end();
    world.say("最后一次启动", "the last start");
    // What was cut off is imported again: what had arrived is known by its number.
    let path = harness::sheet::demands(&world.folder, 0, KILLS * ROWS);
    let report = federation.nodes[VICTIM].run(&["import", &path.to_string_lossy()]).ok();
    let (published, unchanged) = (&report["published"], &report["unchanged"]);
    let all = published.as_u64().unwrap_or_default() + unchanged.as_u64().unwrap_or_default();
    assert_eq!(all, (KILLS * ROWS) as u64, "{report}");
    federation.settle(world, &[]);
    world.checked(format!(
        "{KILLS} 次强杀，其间确认 {0} 批 · {KILLS} kills, {0} batches acknowledged meanwhile",
        written.acknowledged
    ));
    Ok(())
}
