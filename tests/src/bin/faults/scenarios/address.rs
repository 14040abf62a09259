//! Nodes move to other addresses while they run, the secretariat among them.

use std::net::Ipv4Addr;

use harness::node::wait;

use crate::federation::{Federation, REST, address, dialled, is_linked};
use crate::scenario::{Scenario, Skip};
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "address",
    zh: "运行中的节点换了地址，先是一个县，再是秘书处；同伴重新找到它们，换址以后才启动的节点也找得到",
    en: "running nodes change their addresses, a county and then the secretariat; peers find them again, and so does one \
         that starts only then",
    quick: false,
    play,
};

const SECRETARIAT: usize = 0;
const MOVED: usize = 1;
const LATE: usize = 2;
/// How much the last number of an address grows by the move.
const FURTHER: u8 = 100;

fn play(world: &mut World) -> Result<(), Skip> {
    let mut federation = Federation::found(world, 4)?;
    world.ledger.must_publish(&federation.nodes[MOVED], 5);
    for (index, zh, en) in
        [(MOVED, "一个县换址", "a county moves"), (SECRETARIAT, "秘书处换址", "the secretariat moves")]
    {
        let [a, b, c, last] = address(index).octets();
        let new = Ipv4Addr::new(a, b, c, last + FURTHER);
        federation.places[index].readdress(new, &world.router)?;
        world.say(zh, en);
        federation.nodes.iter().for_each(|node| world.ledger.must_publish(node, 5));
        federation.wait_equal(REST);
        for other in (0..federation.nodes.len()).filter(|other| *other != index) {
            let known = || federation.nodes[other].get("/v1/network")["known"].to_string().contains(&dialled(new));
            wait(&format!("node {other} has the new address of {index} in its book"), REST, known);
        }
        world.checked(format!("{index} 号的新地址 {new} 已到各家地址簿 · the new address of {index} is in every book"));
    }
    // Its settings name the secretariat's old address only.
    world.say("只知旧地址的节点重新启动", "a node starts whose settings name the old address");
    federation.nodes[LATE].stop();
    federation.nodes[LATE].start();
    wait("it is linked with the secretariat", REST, || is_linked(&federation.nodes[LATE], SECRETARIAT + 1));
    world.ledger.must_publish(&federation.nodes[LATE], 5);
    // What its settings say is wrong now, and the doctor says so.
    federation.settle(world, &["peer-timeout", "peer-unreachable"]);
    Ok(())
}
