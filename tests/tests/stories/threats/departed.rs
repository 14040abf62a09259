//! A member that was expelled, and conspirators to whom it gave its signing key.

use harness::hostile::{ENTRY, Hostile};
use harness::node::{Node, wait};
use harness::scene::{Scene, create, head, now_ms, titles};
use node::network::{Published, StreamKind};
use protocol::charter::Position;
use protocol::entry::VerifiedEntry;

use super::{CULPRITS_LOG, Cast, SOON, last_block, wait_version};

fn position(entry: &VerifiedEntry) -> Option<Position> {
    Some(Position { sequence: entry.header().sequence, id: entry.id() })
}

#[test]
fn a_conspirator_with_an_expelled_key_takes_nothing_away() {
    let cast = Cast::new();
    let operators = [&cast.secretariat, &cast.counties[0], &cast.counties[1]];
    let mut scene = Scene::prepare(cast.charter.clone(), &operators);
    scene.nodes[..2].iter_mut().for_each(Node::start);
    let (charter, culprit) = (scene.charter.clone(), &cast.culprit);
    let mut genuine = Vec::new();
    for number in 0..5 {
        genuine.push(create(culprit, &charter, genuine.last(), now_ms(), &format!("第{number}条")));
    }
    let expected: Vec<String> = (0..5).map(|number| format!("第{number}条")).collect();
    scene.feed(0, &[], &genuine).ok();
    let mut later = charter.clone();
    cast.secretariat.expel(&mut later, culprit, position(&genuine[4]));
    scene.feed(0, &[last_block(&later)], &[]).ok();
    wait_version(&scene.nodes[..2], later.version());
    let counts = |node: &Node| {
        let head = head(node, CULPRITS_LOG);
        head["length"] == 5 && head["head"] == genuine[4].id().to_string() && titles(node) == expected
    };
    wait("the second node has all", SOON, || counts(&scene.nodes[1]));

    // A second beginning with a log of its own, a second entry in the middle, and more at the end; the charter that
    // they name is the one under which the member still had its right.
    let beginning = create(culprit, &charter, None, now_ms(), "另一个开头");
    let after_it = create(culprit, &charter, Some(&beginning), now_ms(), "另一条日志");
    let middle = create(culprit, &charter, Some(&genuine[1]), now_ms(), "另一个中段");
    let end = create(culprit, &charter, Some(&genuine[4]), now_ms(), "封存之后");
    scene.feed(0, &[], &[beginning.clone(), after_it.clone(), end.clone()]).ok();
    let accomplice = Hostile::connect(&charter, &cast.counties[2].transport, &scene.nodes[1]);
    accomplice.wait_heard_by(&scene.nodes[1]);
    for entry in [&middle, &beginning, &end] {
        accomplice.gossip(ENTRY, &entry.encode());
    }
    for node in &scene.nodes[..2] {
        wait("the contradiction is known", SOON, || head(node, CULPRITS_LOG)["forked_at"] == 0);
        assert!(counts(node), "{}", head(node, CULPRITS_LOG));
    }

    // A node that heard the conspirator first, and knows of no expulsion, finds its way to the same state.
    scene.nodes[0].stop();
    scene.nodes[2].start();
    assert_eq!(scene.feed(2, &[], &[beginning, after_it]).ok()["entries_new"], 2);
    assert_eq!(titles(&scene.nodes[2]), ["另一个开头", "另一条日志"]);
    scene.nodes[0].start();
    wait("the third node has what counts", SOON * 2, || counts(&scene.nodes[2]));
    scene.wait_equal();
    assert!(scene.nodes.iter().all(counts));
}

#[test]
fn an_expelled_member_is_cut_off_and_what_it_said_before_stays() {
    let cast = Cast::new();
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let (charter, culprit) = (&scene.charter, &cast.culprit);
    let node = &scene.nodes[1];
    let peer = Hostile::connect(charter, &culprit.transport, node);
    peer.wait_heard_by(node);
    let before = create(culprit, charter, None, now_ms(), "除名之前");
    peer.gossip(ENTRY, &before.encode());
    wait("it counts", SOON, || titles(&scene.nodes[0]) == ["除名之前"]);

    let mut later = charter.clone();
    cast.secretariat.expel(&mut later, culprit, position(&before));
    // Nobody tells the node that it is connected with: the charter does.
    scene.feed(0, &[last_block(&later)], &[]).ok();
    wait("the connection is closed", SOON, || !peer.is_connected());
    drop(peer);
    let again = Hostile::connect(charter, &culprit.transport, node);
    assert!(!again.may_open(StreamKind::Sync));
    let after = create(culprit, charter, Some(&before), now_ms(), "除名之后");
    assert_eq!(again.gossip(ENTRY, &after.encode()), Published::NoPeers);
    for index in 0..2 {
        let report = scene.feed(index, &[], std::slice::from_ref(&after)).ok();
        assert_eq!((&report["entries_new"], &report["refused"]["above-seal"]), (&0.into(), &1.into()));
        assert_eq!(titles(&scene.nodes[index]), ["除名之前"]);
    }
    scene.wait_equal();
}
