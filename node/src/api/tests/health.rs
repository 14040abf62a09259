//! Health and custody of a node that is connected with nobody.

use super::Desk;
use crate::api::types::{CustodyView, HealthView, MemberHealthDetail};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_just_started_knows_itself_and_judges_nobody() {
    let desk = Desk::new().await;
    let health: HealthView = desk.get("/v1/health").await.good();
    let counts = &health.counts;
    assert_eq!((counts.members, counts.up, counts.up_direct, counts.unknown), (3, 1, 1, 2));
    assert_eq!((counts.silent, counts.never_joined, health.severity.as_str()), (0, 0, "ok"));
    assert_eq!(health.own.member.as_ref().map(|member| member.number), Some(2));
    assert!(health.own.settling_until_ms > Some(health.as_of_ms) && health.own.disk_free_bytes.is_some());
    assert_eq!(counts.findings.len(), 11, "every finding has its figure: {:?}", counts.findings);

    let own: MemberHealthDetail = desk.get("/v1/health/2").await.good();
    assert!(own.health.own && own.health.state == "up" && own.health.source == "own");
    assert_eq!(desk.get("/v1/health/9").await.problem(), (404, "member-unknown".into()));
    assert_eq!(desk.get("/v1/health/x").await.problem(), (404, "member-unknown".into()));

    let custody: CustodyView = desk.get("/v1/custody").await.good();
    assert_eq!((custody.replicas_wanted, custody.short, custody.severity.as_str()), (3, 0, "ok"));
    assert!(custody.settling_until_ms.is_some(), "nothing is judged right after the start");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_admitted_just_now_is_a_member_at_once() {
    let mut desk = Desk::new().await;
    for (name, seed) in [("云县", 21), ("巫山县", 22), ("城口县", 23)] {
        let number = desk.world.admit(name, seed).await.0;
        let shown: MemberHealthDetail = desk.get(&format!("/v1/health/{number}")).await.good();
        assert_eq!((shown.health.member.name.as_str(), shown.health.state.as_str()), (name, "unknown"));
        let health: HealthView = desk.get("/v1/health").await.good();
        assert_eq!(health.counts.members, number as usize);
    }
}
