//! Every link is slow and loses packets.

use std::time::Duration;

use crate::federation::{Federation, REST};
use crate::scenario::{Scenario, Skip};
use crate::shape::Shape;
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "slow-links",
    zh: "每条线路延迟 80 毫秒、抖动 20 毫秒、丢包百分之一，一个节点导入数百条记录，所有节点都收到",
    en: "every link has 80 ms of delay, 20 ms of jitter and loses 1 %; an import of some hundred records arrives at all",
    quick: true,
    play,
};

/// Rows of the import.
const ROWS: usize = 400;

fn play(world: &mut World) -> Result<(), Skip> {
    let shape = Shape {
        delay: Duration::from_millis(80),
        jitter: Duration::from_millis(20),
        loss_permille: 10,
        duplicate_permille: 2,
        reorder_permille: 2,
        ..Shape::CLEAR
    };
    let federation = Federation::found(world, 4)?;
    world.router.all(shape);
    world.say("导入", "the import begins");
    world.ledger.must_import(&federation.nodes[3], 0, ROWS);
    federation.wait_equal(REST);
    let counts = world.router.counts();
    assert!(counts.lost > 0, "nothing was lost on the way: {counts:?}");
    federation.settle(world, &[]);
    let (carried, lost) = (counts.carried, counts.lost);
    world.checked(format!("送达 {carried} 个包，丢失 {lost} 个 · {carried} packets carried, {lost} lost"));
    Ok(())
}
