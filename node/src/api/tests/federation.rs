//! Charter, joining, network.

use std::sync::atomic::Ordering;

use protocol::charter::{Operation, SignedBlock};
use protocol::testing::EXPIRES_MS;
use serde_json::json;

use super::Desk;
use crate::api::types::{AppendBlock, CharterView, NetworkView, PeerView, PendingApplication};
use crate::core::now_ms;

#[tokio::test(flavor = "multi_thread")]
async fn the_charter_is_shown_and_grows_by_signed_blocks_only() {
    let desk = Desk::new().await;
    let shown: CharterView = desk.get("/v1/charter").await.good();
    assert_eq!((shown.version, shown.members.len(), shown.blocks.len(), shown.trial), (4, 3, 4, true));
    assert_eq!(shown.members[1].class_zh, "县域政府");
    let world = &desk.world;
    let block = |name: &str, skip: u32| {
        let rules =
            Operation::Rules { name: name.into(), threshold: 1, ballots: protocol::charter::BallotRule::MoreThanHalf };
        let mut block = world.charter.next_block(world.charter.tip_block().time_ms + 1, EXPIRES_MS, vec![rules]);
        block.version += skip;
        SignedBlock::unsigned(block).expect("the block keeps its bounds")
    };
    let signed = |mut block: SignedBlock| {
        block.sign(&world.secretariat.governance, &world.charter.federation());
        block
    };
    let submit = |block: SignedBlock| {
        let request = AppendBlock { block: hex::encode(block.encode()) };
        let desk = &desk;
        async move { desk.post("/v1/charter/blocks", &request).await }
    };
    assert_eq!(submit(block("新名", 0)).await.problem(), (422, "charter-threshold".into()));
    assert_eq!(submit(signed(block("新名", 1))).await.problem(), (409, "charter-gap".into()));
    let grown: CharterView = submit(signed(block("新名", 0))).await.good();
    assert_eq!((grown.version, grown.name.as_str()), (5, "新名"));
    assert_eq!(submit(signed(block("新名", 0))).await.good::<CharterView>().version, 5);
    assert_eq!(submit(signed(block("别名", 0))).await.problem(), (409, "charter-equivocation".into()));
    let answer = desk.post("/v1/charter/blocks", &json!({"block": "zz"})).await;
    assert_eq!(answer.problem(), (400, "malformed".into()));
    let answer = desk.post("/v1/charter/blocks", &json!({"block": "00"})).await;
    assert_eq!(answer.problem(), (400, "charter-layout".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_the_node_is_asked() {
    let desk = Desk::new().await;
    assert_eq!(desk.send("POST", "/v1/sync", b"").await.status, 202);
    assert_eq!(desk.hooks.syncs.load(Ordering::Relaxed), 1);
    let expires_ms = now_ms() + 1_000_000;
    let invitation = json!({"token": "secret", "expires_ms": expires_ms});
    assert_eq!(desk.post("/v1/invitations", &invitation).await.status, 204);
    assert_eq!(*desk.hooks.invitations.lock(), [("secret".to_owned(), expires_ms)]);
    let expired = json!({"token": "secret", "expires_ms": 1});
    assert_eq!(desk.post("/v1/invitations", &expired).await.problem(), (422, "invitation".into()));
    assert!(desk.get("/v1/applications").await.good::<Vec<PendingApplication>>().is_empty());
    assert_eq!(desk.send("DELETE", "/v1/applications/abcd", b"").await.status, 204);
    assert_eq!(desk.send("DELETE", "/v1/applications/none", b"").await.problem(), (404, "not-found".into()));
    let network: NetworkView = desk.get("/v1/network").await.good();
    assert_eq!(network.transport.len(), 64);
    assert!(network.listen[0].starts_with("/ip4/127.0.0.1/tcp/"));
    assert!(desk.get("/v1/peers").await.good::<Vec<PeerView>>().is_empty());
}
