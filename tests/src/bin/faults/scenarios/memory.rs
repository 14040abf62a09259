//! A node has too little memory to catch up, and then enough.

use std::time::Duration;

use harness::node::{Node, wait};

use crate::federation::{Federation, REST, standing};
use crate::memory::{Limit, anonymous_bytes};
use crate::scenario::{Scenario, Skip};
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "memory",
    zh: "一个节点在补齐时因内存不足被内核终止，加大内存重新启动后补完",
    en: "a node is ended by the kernel for want of memory while it catches up; started again with more, it goes on",
    quick: false,
    play,
};

const SMALL: usize = 2;
const ROWS: usize = 20_000;
/// Of what the records take at another node, the small one gets a part.
const PART: u64 = 4;
/// How long the small node may take until it is ended.
const LIMIT: Duration = Duration::from_secs(180);

fn play(world: &mut World) -> Result<(), Skip> {
    let limit = Limit::new()?;
    let mut federation = Federation::prepare(world, 3)?;
    let node = std::mem::replace(&mut federation.nodes[SMALL], Node::at("nowhere"));
    let prefix = limit.prefix();
    federation.nodes[SMALL] = node.under(&prefix.iter().map(String::as_str).collect::<Vec<_>>());
    federation.start();
    federation.nodes[SMALL].stop();
    let process = federation.nodes[0].process_id();
    let empty = anonymous_bytes(process);
    world.say("导入，一个节点缺席", "an import while one is away");
    world.ledger.must_import(&federation.nodes[0], 0, ROWS);
    federation.wait_equal_among(&[0, 1], REST);
    let full = anonymous_bytes(process);
    let bytes = empty + full.saturating_sub(empty) / PART;
    let mib = |bytes: u64| bytes >> 20;
    world.say(
        &format!("限额 {} MiB（空 {}，满 {}）", mib(bytes), mib(empty), mib(full)),
        &format!(
            "a limit of {} MiB, with {} for an empty node and {} for a full one",
            mib(bytes),
            mib(empty),
            mib(full)
        ),
    );
    limit.set(Some(bytes));
    // It may be ended before it is ready.
    let started = federation.nodes[SMALL].try_start();
    if started.is_ok() {
        wait("the kernel ends it", LIMIT, || federation.nodes[SMALL].ended().is_some());
    }
    assert!(limit.ended() > 0, "it was ended, and not for want of memory: {started:?}");
    let far = standing(&federation.nodes[0]).1;
    limit.set(None);
    world.say("加大内存，重新启动", "started again with more");
    federation.nodes[SMALL].start();
    federation.nodes[SMALL].wait_ready_to_sign();
    world.ledger.must_publish(&federation.nodes[SMALL], 20);
    federation.settle(world, &[]);
    world.checked(format!(
        "限额 {0} MiB 时被内核终止，放开后补齐 {far} 条 · ended by the kernel at {0} MiB, then caught up with {far} entries",
        mib(bytes)
    ));
    Ok(())
}
