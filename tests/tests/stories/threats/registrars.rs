//! Registrars below their threshold, registrars that contradict themselves, the assembly above them, and a charter that
//! nobody renews.

use harness::hostile::{BLOCK, Hostile};
use harness::node::{Node, wait};
use harness::scene::{Scene, counter, now_ms, titles};
use protocol::charter::{BallotRule, Charter, Class, Operation, SeatGrant, SignedBlock};
use protocol::identity::{MemberNumber, public_key};
use protocol::testing::Organisation;

use super::{Cast, SOON, publish, signed, wait_version};

/// Makes two counties registrars beside the secretariat, and two of three necessary.
fn three_registrars(cast: &mut Cast) {
    let seat = |(index, county): (usize, &Organisation)| {
        let number = MemberNumber(3 + index as u32);
        Operation::GrantRole(SeatGrant::registrar(number, public_key(&county.governance)))
    };
    let mut operations: Vec<Operation> = cast.counties.iter().take(2).enumerate().map(seat).collect();
    operations.push(Operation::Rules { name: "测试联盟".into(), threshold: 2, ballots: BallotRule::MoreThanHalf });
    cast.secretariat.try_append(&mut cast.charter, operations).expect("the charter allows it");
}

fn admits(charter: &Charter, name: &str, seed: u32) -> Operation {
    let puppet = Organisation::new(name, Class::County, seed);
    Operation::Admit { member: charter.next_member(), application: puppet.application(&charter.federation()) }
}

#[test]
fn one_registrar_of_three_decides_nothing_anywhere() {
    let mut cast = Cast::new();
    three_registrars(&mut cast);
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0], &cast.counties[1]]);
    let version = scene.charter.version();
    let operations = vec![admits(&scene.charter, "傀儡县", 50)];
    let mut block = signed(&scene.charter, now_ms(), operations, &[&cast.secretariat]);
    for index in 0..3 {
        let refused = scene.feed(index, &[block.clone()], &[]);
        assert_ne!(refused.code, 0, "{}", refused.json);
    }
    // A member whose governance key is no registrar's adds nothing.
    block.sign(&cast.culprit.governance, &scene.charter.federation());
    let peer = Hostile::connect(&scene.charter, &cast.culprit.transport, &scene.nodes[0]);
    peer.wait_heard_by(&scene.nodes[0]);
    peer.gossip(BLOCK, &block.encode());
    wait("it is refused", SOON, || counter(&scene.nodes[0], "gossip-bad-block") > 0);
    for node in &scene.nodes {
        let status = node.status();
        assert_eq!((&status["charter_version"], &status["members"]), (&version.into(), &5.into()));
    }
    block.sign(&cast.counties[1].governance, &scene.charter.federation());
    peer.gossip(BLOCK, &block.encode());
    wait_version(&scene.nodes, version + 1);
    assert!(scene.nodes.iter().all(|node| node.status()["members"] == 6));
}

/// Two nodes, each told another valid block of one version while the other was away, and then together.
fn contradiction() -> (Scene, [SignedBlock; 2]) {
    let mut cast = Cast::new();
    three_registrars(&mut cast);
    let mut scene = Scene::prepare(cast.charter.clone(), &[&cast.secretariat, &cast.counties[2]]);
    let registrars = [&cast.secretariat, &cast.counties[0]];
    let block = |name: &str, seed: u32| -> SignedBlock {
        signed(&cast.charter, now_ms(), vec![admits(&cast.charter, name, seed)], &registrars)
    };
    let blocks = [block("甲傀儡县", 50), block("乙傀儡县", 51)];
    for (index, block) in blocks.iter().enumerate() {
        scene.nodes[index].start();
        scene.feed(index, std::slice::from_ref(block), &[]).ok();
        scene.nodes[index].stop();
    }
    scene.nodes.iter_mut().for_each(Node::start);
    (scene, blocks)
}

fn holds(node: &Node, block: &SignedBlock) -> bool {
    let charter = node.run(&["charter", "show"]).ok();
    charter["version"] == block.block().version && charter["tip"] == block.hash().to_string()
}

#[test]
fn registrars_that_contradict_themselves_are_found_out_and_every_node_stays_where_it_is() {
    let (scene, blocks) = contradiction();
    let has_proof = |node: &Node, other: &SignedBlock| {
        node.run(&["charter", "show"]).ok()["rival"]["hash"] == other.hash().to_string()
    };
    for (index, node) in scene.nodes.iter().enumerate() {
        wait("the proof is kept", SOON * 2, || has_proof(node, &blocks[1 - index]));
        let status = node.status();
        let warnings = status["warnings"].as_array().expect("a list");
        assert!(warnings.iter().any(|warning| warning["code"] == "charter-equivocation"), "{warnings:?}");
        assert!(holds(node, &blocks[index]), "it stays on its branch");
    }
    assert_ne!(scene.nodes[0].digest(), scene.nodes[1].digest());
}

#[test]
fn a_pin_moves_a_node_to_the_other_branch() {
    let (mut scene, blocks) = contradiction();
    let hash = blocks[0].hash().to_string();
    wait("the proof is kept", SOON * 2, || {
        scene.nodes[1].run(&["charter", "show"]).ok()["rival"]["hash"] == blocks[0].hash().to_string()
    });
    scene.nodes[1].run(&["charter", "pin", &hash, "--yes"]).ok();
    scene.nodes[1].stop();
    scene.nodes[1].start();
    wait("it follows the pin", SOON * 2, || holds(&scene.nodes[1], &blocks[0]));
    scene.wait_equal();
    assert!(holds(&scene.nodes[0], &blocks[0]));
}

#[test]
fn the_assembly_replaces_registrars_that_abuse_their_office() {
    let cast = Cast::new();
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    // Three of five members; the secretariat is the only registrar and does not agree.
    let operations = |charter: &Charter| {
        let new = SeatGrant::registrar(MemberNumber(3), public_key(&cast.counties[0].governance));
        let old = charter.seats().first().expect("the founder has a seat").number;
        vec![Operation::GrantRole(new), Operation::TakeRole { seat: old, reason: "滥用职权".into() }]
    };
    let [first, second, third] = &cast.counties;
    let two = signed(&scene.charter, now_ms(), operations(&scene.charter), &[first, second]);
    assert_ne!(scene.feed(1, &[two], &[]).code, 0, "two of five are no majority");
    let three = signed(&scene.charter, now_ms(), operations(&scene.charter), &[first, second, third]);
    scene.feed(1, std::slice::from_ref(&three), &[]).ok();
    let mut later = scene.charter.clone();
    later.append(three).expect("the nodes took it in");
    wait_version(&scene.nodes, later.version());
    let operation = || vec![admits(&later, "傀儡县", 50)];
    let by_the_old = signed(&later, now_ms(), operation(), &[&cast.secretariat]);
    assert!((0..2).all(|index| scene.feed(index, std::slice::from_ref(&by_the_old), &[]).code != 0));
    let by_the_new = signed(&later, now_ms(), operation(), &[first]);
    scene.feed(0, &[by_the_new], &[]).ok();
    wait_version(&scene.nodes, later.version() + 1);
}

#[test]
fn a_charter_that_nobody_renews_is_shown_and_stops_nothing() {
    let mut cast = Cast::new();
    // Whoever holds new blocks back cannot hide that the old ones have run out.
    let tip_ms = cast.charter.tip_block().time_ms;
    let warn = Operation::Warn { member: MemberNumber(2), reason: "逾期未报".into() };
    let mut block = SignedBlock::unsigned(cast.charter.next_block(tip_ms + 1_000, tip_ms + 86_400_000, vec![warn]))
        .expect("the block keeps its bounds");
    block.sign(&cast.secretariat.governance, &cast.charter.federation());
    cast.charter.append(block).expect("the charter allows it");
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    for node in &scene.nodes {
        let status = node.status();
        assert_eq!((&status["charter_expired"], &status["signing"]["ready"]), (&true.into(), &true.into()));
        let warnings = status["warnings"].as_array().expect("a list");
        assert!(warnings.iter().any(|warning| warning["code"] == "charter-expired"), "{warnings:?}");
    }
    publish(&scene.nodes[1], "照常发布");
    wait("it goes on", SOON, || titles(&scene.nodes[0]) == ["照常发布"]);
    let renewed = signed(&scene.charter, now_ms(), Vec::new(), &[&cast.secretariat]);
    scene.feed(0, &[renewed], &[]).ok();
    wait_version(&scene.nodes, scene.charter.version() + 1);
    assert!(scene.nodes.iter().all(|node| node.status()["charter_expired"] == false));
}
