//! A member with a right to sign, and no scruples.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::hostile::{BLOCK, ENTRY, Hostile};
use harness::node::wait;
use harness::scene::{Scene, counter, create, demand, head, now_ms, say, titles};
use protocol::charter::{Class, Operation, Position, Seal};
use protocol::erasure::{Erasure, KIND_ERASURE, Target};
use protocol::identity::{EntryId, public_key};
use protocol::limits::CLOCK_TOLERANCE_MS;
use protocol::statement::Statement;
use protocol::testing::Organisation;

use super::{CULPRITS_LOG, Cast, SOON, last_block, publish, signed, wait_version};

#[test]
fn statements_about_anothers_record_are_set_aside_everywhere() {
    let cast = Cast::new();
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let victim = &cast.counties[0];
    let label = publish(&scene.nodes[1], "城西安置房");
    let history = scene.nodes[1].run(&["history", &label]).ok();
    let id: EntryId = history[0]["entry"].as_str().expect("an id").parse().expect("it is one");
    let sequence = history[0]["sequence"].as_u64().expect("a number");
    scene.wait_equal();

    let (charter, culprit) = (&scene.charter, &cast.culprit);
    let revision = Statement::revise([8; 16], 1, id, demand("废墟"), BTreeSet::new());
    let first = say(culprit, charter, None, now_ms(), &revision);
    let withdrawal = Statement::withdraw([9; 16], 1, id, Some("不存在".into()));
    let second = say(culprit, charter, Some(&first), now_ms(), &withdrawal);
    let target = Target { key: public_key(&victim.signing), sequence, id, creates: true };
    let erasure = Erasure { reason: "消失".into(), targets: vec![target] }.encode([7; 16]);
    let body = erasure.expect("it keeps its bounds");
    let third = culprit.entry(charter, Some(&second), now_ms(), KIND_ERASURE, body);
    assert_eq!(scene.feed(0, &[], &[first, second, third]).ok()["entries_new"], 3);
    scene.wait_equal();
    for node in &scene.nodes {
        assert_eq!(head(node, CULPRITS_LOG)["length"], 3, "they count, and say nothing");
        let record = node.run(&["show", &label]).ok();
        assert_eq!((&record["title"], &record["withdrawn"]), (&"城西安置房".into(), &false.into()));
        assert_eq!(node.run(&["history", &label]).ok().as_array().map(Vec::len), Some(1));
        assert_eq!(node.status()["complete"], true, "no body went");
    }
}

#[test]
fn entries_from_the_future_are_hidden_until_their_time() {
    let cast = Cast::new();
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let (charter, culprit) = (&scene.charter, &cast.culprit);
    let begun = now_ms();
    let today = create(culprit, charter, None, begun, "今天");
    let tomorrow = create(culprit, charter, Some(&today), begun + 86_400_000, "明天");
    // Views look a little ahead of the clock, because clocks differ.
    let seen_ms = begun + 20_000;
    let moment_ms = seen_ms + CLOCK_TOLERANCE_MS;
    let moment = create(culprit, charter, Some(&tomorrow), moment_ms, "片刻之后");
    assert_eq!(scene.feed(0, &[], &[today, tomorrow, moment]).ok()["entries_new"], 3);
    scene.wait_equal();
    for node in &scene.nodes {
        assert_eq!(head(node, CULPRITS_LOG)["length"], 3, "the frontier counts them all");
        let seen = titles(node);
        assert!(seen == ["今天"] || now_ms() >= seen_ms, "{seen:?}");
    }
    for node in &scene.nodes {
        wait("its time comes", Duration::from_secs(40), || titles(node) == ["今天", "片刻之后"]);
        assert!(now_ms() >= seen_ms);
    }
}

#[test]
fn an_entry_ahead_of_the_charter_is_ignored_and_nobody_is_blamed() {
    let cast = Cast::new();
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let node = &scene.nodes[0];
    let mut later = cast.charter.clone();
    cast.secretariat.admit(&mut later, &Organisation::new("巫溪县", Class::County, 8));
    let peer = Hostile::connect(&scene.charter, &cast.culprit.transport, node);
    peer.wait_heard_by(node);
    let ahead = create(&cast.culprit, &later, None, now_ms(), "按新章程");
    peer.gossip(ENTRY, &ahead.encode());
    wait("it is ignored", SOON, || counter(node, "charter-ahead") > 0);
    assert!(peer.is_connected());
    let peers = node.run(&["peers"]).ok();
    let blamed = peers.as_array().expect("a list").iter().any(|peer| peer["rejected_messages"] != 0);
    assert!(!blamed, "{peers}");
    assert_eq!(head(node, CULPRITS_LOG)["length"], 0);

    peer.gossip(BLOCK, &last_block(&later).encode());
    wait_version(&scene.nodes, later.version());
    scene.feed(0, &[], &[ahead]).ok();
    scene.wait_equal();
    assert_eq!(titles(&scene.nodes[1]), ["按新章程"]);
}

#[test]
fn a_fork_freezes_the_log_everywhere_until_a_seal_names_the_branch() {
    let cast = Cast::new();
    let scene = Scene::start(cast.charter.clone(), &[&cast.secretariat, &cast.counties[0]]);
    let (charter, culprit) = (&scene.charter, &cast.culprit);
    let first = create(culprit, charter, None, now_ms(), "起点");
    let [one, other] = ["甲说", "乙说"].map(|title| create(culprit, charter, Some(&first), now_ms(), title));
    let above = create(culprit, charter, Some(&other), now_ms(), "乙又说");
    // The branch that will be named comes first: a node keeps the branch that it met first, and one that came second
    // everywhere could be fetched from nobody.
    scene.feed(1, &[], &[first.clone(), other.clone(), above]).ok();
    scene.feed(0, &[], &[first, one]).ok();
    for node in &scene.nodes {
        wait("the fork is proven", SOON, || head(node, CULPRITS_LOG)["forked_at"] == 1);
    }
    scene.wait_equal();
    for node in &scene.nodes {
        assert_eq!(head(node, CULPRITS_LOG)["length"], 1);
        assert_eq!(titles(node), ["起点"]);
    }
    // The registrar names a branch: every node fetches it, and nothing above it counts.
    let last = Some(Position { sequence: 1, id: other.id() });
    let seal = Operation::SealKey(Seal { key: public_key(&culprit.signing), last });
    let block = signed(charter, now_ms(), vec![seal], &[&cast.secretariat]);
    scene.feed(0, &[block], &[]).ok();
    for node in &scene.nodes {
        wait("the branch is here", SOON, || titles(node) == ["乙说", "起点"]);
    }
    scene.wait_equal();
}
