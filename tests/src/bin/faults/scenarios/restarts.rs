//! A node starts again every few seconds, as under a supervisor that hides a fault.

use std::time::Duration;

use harness::node::wait;
use serde_json::Value;

use crate::federation::{Federation, SOON};
use crate::ledger::Writer;
use crate::scenario::{Scenario, Skip};
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "restarts",
    zh: "一个节点每隔几秒重新启动一次，其他节点照常发布；告警写明频繁重启，什么也不丢",
    en: "a node starts again every few seconds while others publish; alarms say that it restarts too often, and nothing \
         is lost",
    quick: true,
    play,
};

const VICTIM: usize = 2;
const STARTS: usize = 6;
const PAUSE: Duration = Duration::from_secs(4);
/// What the alarm is called.
const ALARM: &str = "member-restarting";

fn play(world: &mut World) -> Result<(), Skip> {
    let mut federation = Federation::found(world, 3)?;
    let writers =
        [0, 1].map(|index| Writer::begin(&world.ledger, &federation.nodes[index], 5, Duration::from_millis(300)));
    for round in 0..STARTS {
        std::thread::sleep(PAUSE);
        if round % 2 == 0 {
            federation.nodes[VICTIM].stop();
        } else {
            federation.nodes[VICTIM].kill();
        }
        federation.nodes[VICTIM].start();
    }
    world.say("等待告警", "waiting for the alarm");
    let alarm = || {
        let alarms = federation.nodes[0].run(&["alarms"]).json["alarms"].as_array().cloned().unwrap_or_default();
        alarms.into_iter().find(|alarm| alarm["id"] == ALARM)
    };
    wait("an alarm says that it restarts too often", SOON, || alarm().is_some());
    let fix = alarm().map_or(Value::Null, |alarm| alarm["fix_zh"].clone());
    assert!(fix.as_str().is_some_and(|fix| !fix.is_empty()), "the alarm says what to do");
    let acknowledged: u64 = writers.into_iter().map(|writer| writer.end().acknowledged).sum();
    federation.settle(world, &[]);
    world.checked(format!(
        "{STARTS} 次重启由告警 {ALARM} 写明，其间确认 {acknowledged} 批 · {ALARM} names {STARTS} restarts, {acknowledged} \
         batches acknowledged meanwhile"
    ));
    Ok(())
}
