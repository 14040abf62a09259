//! A link that carries one way only, and says so to nobody.

use std::time::Duration;

use harness::node::wait;

use crate::federation::{Federation, REST, SOON, is_linked, standing};
use crate::scenario::{Scenario, Skip};
use crate::shape::Shape;
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "half-open",
    zh: "一个节点只收得到、发不出，连接也不复位；其他节点看出来，然后复原",
    en: "a node hears and is not heard, and no connection is reset; the others notice, and it heals",
    quick: false,
    play,
};

/// Who is not heard.
const MUTE: usize = 2;
/// A while in which something could have arrived.
const WHILE: Duration = Duration::from_secs(8);

fn play(world: &mut World) -> Result<(), Skip> {
    let federation = Federation::found(world, 3)?;
    for other in 0..MUTE {
        wait("everybody is linked", SOON, || is_linked(&federation.nodes[other], MUTE + 1));
        world.router.one(federation.places[MUTE].port(), federation.places[other].port(), Shape::SHUT);
    }
    world.say("单向中断", "one direction carries nothing");
    world.ledger.must_publish(&federation.nodes[MUTE], 20);
    world.ledger.must_publish(&federation.nodes[0], 20);
    federation.wait_equal_among(&[0, 1], SOON);
    std::thread::sleep(WHILE);
    assert_ne!(standing(&federation.nodes[0]).0, standing(&federation.nodes[MUTE]).0, "nothing passes");
    for other in 0..MUTE {
        wait("the half-open connection is noticed", REST, || !is_linked(&federation.nodes[other], MUTE + 1));
    }
    world.say("其他节点已看出，复原", "the others have noticed; it heals");
    world.router.all(Shape::CLEAR);
    federation.settle(world, &[]);
    world.checked("半开的连接被看出并重建 · the half-open connections were noticed and made anew".to_owned());
    Ok(())
}
