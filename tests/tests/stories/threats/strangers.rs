//! Whoever has no key in the charter.

use harness::hostile::{ENTRY, Hostile};
use harness::node::wait;
use harness::scene::{Scene, counter, create, now_ms, titles};
use node::network::{Published, StreamKind};
use protocol::charter::Class;
use protocol::testing::Organisation;

use super::{Cast, SOON, publish};

/// Applications that may wait at one node: the bound under test.
const APPLICATIONS_MAX: usize = 256;
const PENDING: u32 = 0;
const REFUSED: u32 = 2;

#[test]
fn a_stranger_may_open_a_join_stream_and_hears_and_says_nothing_else() {
    let cast = Cast::new();
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let stranger = Organisation::new("外人", Class::County, 99);
    let peer = Hostile::connect(&scene.charter, &stranger.transport, &scene.nodes[0]);
    assert!(!peer.may_open(StreamKind::Sync));
    assert!(!peer.may_open(StreamKind::Instance));
    assert!(peer.may_open(StreamKind::Join));
    let entry = create(&stranger, &scene.charter, None, now_ms(), "混进来");
    assert_eq!(peer.gossip(ENTRY, &entry.encode()), Published::NoPeers);
    publish(&scene.nodes[0], "内部消息");
    wait("a member has it", SOON, || titles(&scene.nodes[1]) == ["内部消息"]);
    assert_eq!(peer.heard(), 0);
    assert_eq!(counter(&scene.nodes[0], "unknown-key"), 0, "what it said did not even arrive");
    // The same as a file, from the operator's own hand.
    let report = scene.feed(0, &[], &[entry]).ok();
    assert_eq!((&report["entries_new"], &report["refused"]["unknown-key"]), (&0.into(), &1.into()));
}

/// A join request as it travels: token and application, each behind its length.
fn request(token: &str, application: &[u8]) -> Vec<u8> {
    let text = |bytes: &[u8]| [&(bytes.len() as u64).to_le_bytes(), bytes].concat();
    [text(token.as_bytes()), text(application)].concat()
}

#[test]
fn a_flood_of_applications_is_bounded_and_the_node_goes_on() {
    let cast = Cast::new();
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let secretariat = &scene.nodes[0];
    let path = scene.folder().join("invitation.json");
    secretariat.run(&["charter", "invite", "--out", &path.to_string_lossy()]).ok();
    let invitation = std::fs::read(&path).expect("the invitation was written");
    let invitation: serde_json::Value = serde_json::from_slice(&invitation).expect("it is JSON");
    let token = invitation["token"].as_str().expect("an invitation has a token");
    let stranger = Organisation::new("外人", Class::County, 99);
    let peer = Hostile::connect(&scene.charter, &stranger.transport, secretariat);
    let apply = |number: u32, token: &str| {
        let mut applicant = Organisation::new("冒名县", Class::County, 1_000 + number);
        applicant.transport = stranger.transport.clone();
        let application = applicant.application(&scene.charter.federation()).encode();
        let reply = peer.apply(&request(token, &application)).expect("the node answers");
        u32::from_le_bytes(*reply.first_chunk().expect("a reply has a type"))
    };
    // Without the token nothing is kept, however often it is said.
    (0..50).for_each(|number| assert_eq!(apply(number, "guessed"), REFUSED));
    let waiting = || secretariat.run(&["charter", "applications"]).ok().as_array().map(Vec::len).expect("a list");
    assert_eq!(waiting(), 0);
    // Whoever has the token fills the desk, and no more than that.
    let replies: Vec<u32> = (0..APPLICATIONS_MAX as u32 + 10).map(|number| apply(number, token)).collect();
    assert!(replies[..APPLICATIONS_MAX].iter().all(|reply| *reply == PENDING));
    assert!(replies[APPLICATIONS_MAX..].iter().all(|reply| *reply == REFUSED));
    assert_eq!(waiting(), APPLICATIONS_MAX);
    // Nobody was admitted, members go on, and a registrar makes room.
    publish(secretariat, "照常发布");
    wait("a member has it", SOON, || titles(&scene.nodes[1]) == ["照常发布"]);
    assert_eq!(secretariat.status()["members"], 5);
    let id = secretariat.run(&["charter", "applications"]).ok()[0]["id"].as_str().expect("an id").to_owned();
    secretariat.run(&["charter", "refuse", &id]).ok();
    assert_eq!(waiting(), APPLICATIONS_MAX - 1);
}
