//! Files to carry elsewhere.

use protocol::beacon::{Beacon, Condition};
use protocol::bundle::{FRAME_HEAD_BYTES, FrameType, Frames, PREAMBLE_BYTES};
use protocol::completeness::Claim;
use protocol::identity::{FederationId, FrontierDigest, public_key};

use super::Desk;
use crate::api::types::{BundleImported, Problem, RecordList};
use crate::core::now_ms;
use crate::records::publish::Request;
use crate::records::tests::world::{World, demand};

async fn full() -> Desk {
    let desk = Desk::new().await;
    let records = (0..700).map(|index| Request::Create(demand(&format!("XQ{index}"), &[])));
    desk.world.publish(records.collect()).await.expect("all are in order");
    let said = protocol::statement::Statement::create([1; 16], 1, None, Default::default());
    desk.world.arrives(None, now_ms(), 102, &said).await;
    desk
}

/// A second node of the same federation that holds only its genesis block's successors it is told of.
async fn empty() -> Desk {
    Desk::over(World::bare().await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_here_is_the_same_there() {
    let (here, there) = (full().await, empty().await);
    let export = here.get("/v1/export").await;
    assert!(export.status == 200 && export.whole);
    assert_ne!(here.world.core.heads(), there.world.core.heads());
    let done: BundleImported = there.send("POST", "/v1/bundles", &export.body).await.good();
    assert_eq!((done.blocks_new, done.entries_new, done.entries_known), (3, 701, 0));
    assert!(done.refused.is_empty());
    assert_eq!(here.world.core.heads(), there.world.core.heads());
    let again: BundleImported = there.send("POST", "/v1/bundles", &export.body).await.good();
    assert_eq!((again.blocks_new, again.entries_new, again.entries_known), (0, 0, 701));
    let list: RecordList = there.get("/v1/records?limit=1000").await.good();
    assert_eq!(list.records.len(), 701);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_member_can_be_exported_alone() {
    let desk = full().await;
    let entries = |bytes: &[u8]| {
        let (_, mut frames) = Frames::open(bytes).expect("it is a bundle");
        let mut count = 0;
        while let Some(frame) = frames.next_frame().expect("it is whole") {
            count += usize::from(frame.frame_type == FrameType::Entry);
        }
        count
    };
    assert_eq!(entries(&desk.get("/v1/export?member=3").await.body), 1);
    assert_eq!(entries(&desk.get("/v1/export?member=1").await.body), 0);
    assert_eq!(desk.get("/v1/export?member=9").await.problem(), (404, "member-unknown".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_bundle_names_the_frontier_and_those_who_stand_there() {
    let desk = full().await;
    let federation = desk.world.core.federation();
    let (digest, heads) = desk.world.core.heads();
    let key = &desk.world.other.transport;
    let beacon = |digest, counter| Beacon {
        transport: public_key(key),
        boot_ms: 1,
        counter,
        expires_ms: 2,
        charter_version: desk.world.core.read(|state| state.replica.charter().version()),
        digest,
        entries: heads.values().sum(),
        interval_seconds: 600,
        condition: Condition::default(),
        heads: Default::default(),
    };
    let note = |beacon: Beacon| {
        let bytes = beacon.sign(key, &federation);
        desk.world.core.note_beacon(beacon, &bytes);
    };
    let attested = |bytes: &[u8]| {
        let (_, mut frames) = Frames::open(bytes).expect("it is a bundle");
        let (mut claim, mut attestations) = (None, 0);
        while let Some(frame) = frames.next_frame().expect("it is whole") {
            match frame.frame_type {
                FrameType::Claim => claim = Claim::decode(frame.content, &federation).ok(),
                FrameType::Attestation => attestations += 1,
                _ => {}
            }
        }
        (claim.map(|claim| (claim.member.0, claim.digest())), attestations)
    };
    note(beacon(FrontierDigest([1; 32]), 1));
    let alone = desk.get("/v1/export?member=2&audit=true").await;
    assert!(alone.status == 200 && alone.whole);
    assert_eq!(attested(&alone.body), (Some((2, digest)), 0));
    note(beacon(digest, 2));
    let bundle = desk.get("/v1/export?member=2&audit=true").await.body;
    assert_eq!(attested(&bundle), (Some((2, digest)), 1));
    assert_eq!(desk.get("/v1/export?audit=true").await.status, 400);
    // Another node takes from it what every bundle holds.
    let there = empty().await;
    let done: BundleImported = there.send("POST", "/v1/bundles", &bundle).await.good();
    assert_eq!((done.blocks_new, done.entries_new), (3, 700));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_bundle_names_the_frame_and_what_was_taken_in() {
    let (here, there) = (full().await, empty().await);
    let export = here.get("/v1/export").await.body;
    let (_, mut frames) = Frames::open(&export).expect("it is a bundle");
    let mut places = Vec::new();
    loop {
        let offset = frames.offset();
        let Some(frame) = frames.next_frame().expect("it is whole") else { break };
        places.push((offset, frame.frame_type));
    }
    let import = |bytes: Vec<u8>| {
        let there = &there;
        async move { there.send("POST", "/v1/bundles", &bytes).await }
    };
    // The tenth entry's signature: frames 0 to 3 are blocks.
    let mut damaged = export.clone();
    let (offset, _) = places[13];
    damaged[offset + FRAME_HEAD_BYTES + 130] ^= 1;
    let answer = import(damaged).await;
    assert_eq!(answer.problem(), (422, "bundle-entry".into()));
    let problem: Problem = answer.json();
    assert!(problem.en.contains("frame 13"), "{}", problem.en);
    assert!(problem.details[0].en.contains("3 blocks, 9 entries"), "{}", problem.details[0].en);
    assert_eq!(there.world.core.heads().1.get(&1), Some(&9));

    assert_eq!(import(b"PK\x03\x04".to_vec()).await.problem(), (422, "bundle-format".into()));
    assert_eq!(import([b"PK\x03\x04", &[0; 60][..]].concat()).await.problem(), (422, "bundle-format".into()));
    assert_eq!(import(export[..export.len() - 3].to_vec()).await.problem(), (422, "bundle-cut".into()));
    assert_eq!(import([&export[..], b"more"].concat()).await.problem(), (422, "bundle-format".into()));
    let mut foreign = export.clone();
    foreign[PREAMBLE_BYTES - 32..PREAMBLE_BYTES].copy_from_slice(FederationId([9; 32]).as_bytes());
    assert_eq!(import(foreign).await.problem(), (409, "other-federation".into()));
    let (last, _) = places[places.len() - 1];
    let mut forged = export.clone();
    forged[last + FRAME_HEAD_BYTES] ^= 1;
    assert_eq!(import(forged).await.problem(), (422, "bundle-format".into()));
}
