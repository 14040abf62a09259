//! The network falls into two halves.

use std::time::Duration;

use crate::federation::{Federation, SOON, standing};
use crate::scenario::{Scenario, Skip};
use crate::shape::Shape;
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "partition",
    zh: "网络断成两半，两边都继续发布，然后复原",
    en: "the network falls into two halves, both go on publishing, and it heals",
    quick: true,
    play,
};

/// How long the halves are apart after both have come to rest.
const APART: Duration = Duration::from_secs(10);
const HALVES: [[usize; 2]; 2] = [[0, 1], [2, 3]];

fn play(world: &mut World) -> Result<(), Skip> {
    let federation = Federation::found(world, 4)?;
    world.ledger.must_publish(&federation.nodes[1], 10);
    federation.wait_equal(SOON);
    world.say("断开", "the halves are apart");
    for (one, other) in HALVES[0].iter().flat_map(|one| HALVES[1].map(|other| (*one, other))) {
        world.router.both(federation.places[one].port(), federation.places[other].port(), Shape::SHUT);
    }
    for _ in 0..3 {
        federation.nodes.iter().for_each(|node| world.ledger.must_publish(node, 10));
    }
    for half in HALVES {
        federation.wait_equal_among(&half, SOON);
    }
    std::thread::sleep(APART);
    let [(one, ..), (other, ..)] = [standing(&federation.nodes[0]), standing(&federation.nodes[2])];
    assert_ne!(one, other, "nothing passes between the halves");
    world.say("复原", "the network heals");
    world.router.all(Shape::CLEAR);
    federation.settle(world, &[]);
    Ok(())
}
