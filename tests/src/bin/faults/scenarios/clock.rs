//! The wall clock of a running node jumps.

use harness::node::{Node, wait};

use crate::federation::{Federation, SOON, findings, wait_found};
use crate::scenario::{Scenario, Skip};
use crate::shim::Shim;
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "clock",
    zh: "一个运行中的节点时钟向前跳一天，向后跳一天，再校正；诊断写明，什么也不丢",
    en: "the clock of a running node jumps a day ahead, then a day back, then is right; the doctor says so, and nothing \
         is lost",
    quick: true,
    play,
};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const WRONG: usize = 2;
/// How a command ends when the node may not sign.
const NOT_READY: i32 = 7;
/// What the doctor calls it.
const ID: &str = "clock-off";

fn play(world: &mut World) -> Result<(), Skip> {
    let mut federation = Federation::prepare(world, 4)?;
    let shim = Shim::build(&world.folder, &world.folder)?;
    let node = std::mem::replace(&mut federation.nodes[WRONG], Node::at("nowhere"));
    let prefix = shim.prefix();
    federation.nodes[WRONG] = node.under(&prefix.iter().map(String::as_str).collect::<Vec<_>>());
    federation.start();
    let process = federation.nodes[WRONG].process_id();
    for (off_ms, zh, en) in [(DAY_MS, "向前一天", "a day ahead"), (-DAY_MS, "向后一天", "a day back")] {
        federation.nodes.iter().for_each(|node| world.ledger.must_publish(node, 5));
        federation.wait_equal(SOON);
        shim.set_clock(off_ms);
        world.say(zh, en);
        for _ in 0..2 {
            // At once, and again when the peers' clocks have been compared. The charter is younger than a day, too.
            let refused = world.ledger.publish(&federation.nodes[WRONG], 5);
            let (code, words) = refused.expect_err("whoever is a day off publishes nothing");
            assert_eq!(code, NOT_READY, "{words}");
            wait_found(&federation.nodes[WRONG], &[ID]);
        }
        for other in (0..federation.nodes.len()).filter(|other| *other != WRONG) {
            assert!(!findings(&federation.nodes[other]).contains_key(ID), "the clock of node {other} is right");
            world.ledger.must_publish(&federation.nodes[other], 5);
        }
        federation.wait_equal(SOON);
        shim.set_clock(0);
        world.say("校正", "it is right again");
        wait("the doctor says nothing of the clock", SOON, || !findings(&federation.nodes[WRONG]).contains_key(ID));
        wait("the node publishes again", SOON, || world.ledger.publish(&federation.nodes[WRONG], 5).is_ok());
    }
    assert_eq!(federation.nodes[WRONG].process_id(), process, "nobody restarted it");
    assert_eq!(federation.nodes[WRONG].ended(), None, "it runs on");
    federation.settle(world, &[]);
    world.checked(format!("时钟不准由诊断 {ID} 写明，校正后自行恢复 · {ID} names the wrong clock, and goes by itself"));
    Ok(())
}
