//! Two nodes behind two different translators of addresses.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use harness::node::wait;

use crate::federation::{Federation, SOON, address, is_linked};
use crate::place::Place;
use crate::scenario::{Scenario, Skip};
use crate::site::run;
use crate::world::World;

pub const SCENARIO: Scenario = Scenario {
    name: "nat",
    zh: "两个节点各在一个地址转换之后，内网地址还相同；秘书处在公网，记录照样互通",
    en: "two nodes behind two translators of addresses, with the same private address; the secretariat is public, and \
         records flow",
    quick: true,
    play,
};

/// The private address that both have: homes are numbered alike.
const INNER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 2);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);
/// What the translator does.
const RULES: [&str; 3] = [
    "add table ip nat",
    "add chain ip nat out { type nat hook postrouting priority 100 ; }",
    "add rule ip nat out oifname \"uplink\" masquerade",
];

fn play(world: &mut World) -> Result<(), Skip> {
    run(&["nft", "--version"]).map_err(|reason| Skip(format!("要有 nft（软件包 nftables） · {reason}")))?;
    let secretariat = Place::linked("n0", address(0), &world.router)?;
    let (mut gateways, mut places) = (Vec::new(), vec![secretariat]);
    for index in [1, 2] {
        let (gateway, home) = behind(world, index)?;
        gateways.push(gateway);
        places.push(home);
    }
    let mut federation = Federation::in_places(world, places, &BTreeMap::new(), None);
    federation.start();
    world.say("各在地址转换之后", "both are behind their translators");
    for node in &federation.nodes {
        world.ledger.must_publish(node, 20);
    }
    federation.wait_equal(SOON);
    wait("both reach the secretariat", SOON, || [2, 3].iter().all(|number| is_linked(&federation.nodes[0], *number)));
    let seen = federation.nodes[0].run(&["peers"]).json.to_string();
    for gateway in &gateways {
        assert!(seen.contains(&gateway.address().to_string()), "the secretariat sees the translators: {seen}");
    }
    assert!(!seen.contains(&INNER.to_string()), "the secretariat sees no private address: {seen}");
    federation.settle(world, &[]);
    world.checked(
        "秘书处只见到两个转换地址 · the secretariat sees the two translators and no private address".to_owned(),
    );
    Ok(())
}

/// A translator in the network, and a place behind it.
fn behind(world: &World, index: usize) -> Result<(Place, Place), Skip> {
    let gateway = Place::linked(&format!("gate{index}"), address(10 * index), &world.router)?;
    let home = Place::lonely(&format!("n{index}"), INNER)?;
    let own = std::process::id() % 100_000;
    let (near, far) = (format!("xv{index}a{own}"), format!("xv{index}b{own}"));
    let ends = (["type", "veth", "peer", "name", &far], ["netns", home.name()]);
    run(&[&["ip", "link", "add", &near, "netns", gateway.name()], &ends.0[..], &ends.1[..]].concat())?;
    gateway.ip(&["link", "set", &near, "up"])?;
    gateway.ip(&["addr", "add", &format!("{GATEWAY}/24"), "dev", &near])?;
    home.ip(&["link", "set", &far, "up", "mtu", "1400"])?;
    home.ip(&["addr", "add", &format!("{INNER}/24"), "dev", &far])?;
    home.ip(&["route", "add", "default", "via", &GATEWAY.to_string()])?;
    gateway.run(&["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])?;
    for rule in RULES {
        gateway.run(&["nft", rule]).map_err(|reason| Skip(format!("本机内核不能转换地址 · no NAT here: {reason}")))?;
    }
    Ok((gateway, home))
}
