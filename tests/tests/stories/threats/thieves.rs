//! Whoever stole one thing: a transport key, a signing key, the token of the API, an invitation.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use harness::hostile::{ENTRY, Hostile};
use harness::node::{Node, wait};
use harness::scene::{Scene, counter, create, now_ms, titles};
use node::network::StreamKind;
use protocol::bundle::{FrameType, Frames};
use protocol::charter::{Operation, Position, Seal};
use protocol::entry::{Entry, VerifiedEntry};
use protocol::identity::{PublicKey, public_key};
use protocol::testing::Organisation;

use super::{Cast, SOON, publish, signed};

/// The exit code of a node that gave way to another process with its keys.
const KEYS_IN_USE: i32 = 11;

#[test]
fn a_stolen_transport_key_listens_and_publishes_nothing() {
    let cast = Cast::new();
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let node = &scene.nodes[0];
    let robbed = &cast.counties[1];
    let thief = Hostile::connect(&scene.charter, &robbed.transport, node);
    thief.wait_heard_by(node);
    assert!(thief.may_open(StreamKind::Sync), "it reads as the member would");
    // It has one key, and that one signs no entries.
    let with_one_key = Organisation { signing: robbed.transport.clone(), ..robbed.clone() };
    let forged = create(&with_one_key, &scene.charter, None, now_ms(), "假消息");
    thief.gossip(ENTRY, &forged.encode());
    wait("it is refused", SOON, || counter(node, "unknown-key") > 0);
    let report = scene.feed(1, &[], &[forged]).ok();
    assert_eq!((&report["entries_new"], &report["refused"]["unknown-key"]), (&0.into(), &1.into()));
    assert!(scene.nodes.iter().all(|node| titles(node).is_empty()));
}

/// Every entry of one key, as a node exports it.
fn exported(node: &Node, scene: &Scene, key: &PublicKey) -> Vec<Arc<VerifiedEntry>> {
    let path = scene.folder().join("export.bundle");
    node.run(&["export", "--out", &path.to_string_lossy()]).ok();
    let bytes = std::fs::read(&path).expect("it was written");
    let (_, mut frames) = Frames::open(&bytes).expect("it is a bundle");
    let mut entries = Vec::new();
    while let Some(frame) = frames.next_frame().expect("it is whole") {
        if frame.frame_type == FrameType::Entry {
            let entry = Entry::decode(frame.content).expect("an export holds entries");
            let entry = entry.verify(&scene.charter.federation()).expect("they verify");
            entries.extend((entry.header().key == *key).then(|| Arc::new(entry)));
        }
    }
    entries
}

#[test]
fn a_stolen_signing_key_stops_the_node_and_a_seal_takes_the_thiefs_entries_away() {
    let cast = Cast::new();
    let mut scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let robbed = &cast.counties[0];
    publish(&scene.nodes[1], "真消息");
    scene.wait_equal();
    let key = public_key(&robbed.signing);
    let genuine = exported(&scene.nodes[0], &scene, &key).pop().expect("it has published");
    let forged = create(robbed, &scene.charter, Some(&genuine), now_ms(), "假消息");
    scene.feed(0, &[], &[forged]).ok();
    // The node meets an entry of its own log that it did not sign: it signs no more, so that the log does not fork.
    let mut code = None;
    wait("the robbed node stops", SOON, || {
        code = code.or(scene.nodes[1].ended());
        code.is_some()
    });
    assert_eq!(code, Some(KEYS_IN_USE), "{}", scene.nodes[1].log());
    assert_eq!(titles(&scene.nodes[0]), ["假消息", "真消息"], "nobody can tell them apart yet");
    let last = Some(Position { sequence: genuine.header().sequence, id: genuine.id() });
    let seal = signed(&scene.charter, now_ms(), vec![Operation::SealKey(Seal { key, last })], &[&cast.secretariat]);
    scene.feed(0, &[seal], &[]).ok();
    wait("what the thief said is gone", SOON, || titles(&scene.nodes[0]) == ["真消息"]);
}

/// An address of this machine that is not loopback, if it has one. Nothing is sent.
fn outward_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|address| !address.is_loopback())
}

/// The status code of the answer to a request under this host name.
fn asks(api: &str, host: &str, token: &str) -> u16 {
    let mut stream = TcpStream::connect(api).expect("the API listens on loopback");
    let request = format!(
        "GET /v1/status HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an answer has a status")
}

#[test]
fn a_stolen_token_of_the_api_is_worth_nothing_on_another_machine() {
    let cast = Cast::new();
    let mut scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let (api, token) = scene.nodes[1].api();
    let address: SocketAddr = api.parse().expect("an address");
    assert!(address.ip().is_loopback());
    if let Some(outward) = outward_address() {
        let from_outside = SocketAddr::new(outward, address.port());
        assert!(TcpStream::connect_timeout(&from_outside, Duration::from_secs(2)).is_err());
    }
    assert_eq!(asks(&api, &api, &token), 200);
    assert_eq!(asks(&api, &api, "guessed"), 401);
    assert_eq!(asks(&api, "evil.example", &token), 403, "a page in a browser cannot rebind a name to it");
    // Not even the settings can open it.
    scene.nodes[1].stop();
    let settings = scene.nodes[1].directory().join("config.toml");
    let text = std::fs::read_to_string(&settings).expect("a node has settings");
    std::fs::write(&settings, text.replace("127.0.0.1:0\"", "0.0.0.0:0\"")).expect("they can be written");
    assert!(scene.nodes[1].try_start().is_err());
}

#[test]
fn a_stolen_invitation_admits_nobody_by_itself_and_a_used_one_serves_nobody_else() {
    let cast = Cast::new();
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let secretariat = &scene.nodes[0];
    let path = scene.folder().join("invitation.json").to_string_lossy().into_owned();
    secretariat.run(&["charter", "invite", "--single", "--out", &path]).ok();
    let thief = Node::init(scene.folder().join("thief"), "冒名县", "county", &[]);
    let invited = Node::init(scene.folder().join("invited"), "巫溪县", "county", &[]);
    assert_eq!(thief.run(&["join", &path]).ok()["state"], "pending");
    assert_eq!(invited.run(&["join", &path]).failed(7), "join-refused", "which is how the theft comes to light");
    assert!(!thief.directory().join("genesis.block").exists());
    assert_eq!(secretariat.status()["members"], 5);
    assert_eq!(secretariat.status()["charter_version"], scene.charter.version());
    // The name on the application is whatever it says; the digits on the telephone are not.
    let applications = secretariat.run(&["charter", "applications"]).ok();
    assert_eq!(applications[0]["name"], "冒名县");
    let id = applications[0]["id"].as_str().expect("an id").to_owned();
    secretariat.run(&["charter", "refuse", &id]).ok();
    assert_eq!(thief.run(&["join", &path]).failed(7), "join-refused");
}
