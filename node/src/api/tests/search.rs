//! Finding and watching.

use std::time::Duration;

use serde_json::json;

use super::super::types::{Published, SearchAnswer, SearchStatus, WatchEvent, WatchView};
use super::Desk;
use crate::records::tests::world::demand;

/// How long the index may take to have everything.
const WAIT: Duration = Duration::from_secs(60);

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

impl Desk {
    /// Waits until the index has everything.
    async fn indexed(&self) -> SearchStatus {
        let begun = std::time::Instant::now();
        loop {
            let status: SearchStatus = self.get("/v1/search/status").await.good();
            if status.lag.state == "following" && status.lag.records == 0 {
                return status;
            }
            assert!(begun.elapsed() < WAIT, "{status:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn find(&self, query: &str) -> SearchAnswer {
        self.get(&format!("/v1/search?{query}")).await.good()
    }
}

/// The data of the events of a stream that has ended.
fn events(text: &str) -> Vec<WatchEvent> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.map(|data| serde_json::from_str(data).expect("an event is JSON")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_found_page_by_page_with_conditions_and_counts() {
    let desk = Desk::new().await;
    let batch = [
        demand("XQ1", &[("名称", "脐橙冷链仓储"), ("金额", "100万元")]),
        demand("XQ2", &[("名称", "果蔬冷链运输"), ("金额", "1亿元"), ("期限", "2199-12-31")]),
        demand("XQ3", &[("名称", "电池配套企业")]),
    ];
    let _: Published = desk.post("/v1/records/batch", &batch).await.good();
    assert_eq!(desk.indexed().await.documents, 3);
    let words = format!("words={}", encoded("冷链"));
    let first = desk.find(&format!("{words}&limit=1&facet=kind&facet=state")).await;
    assert_eq!((first.total, first.records.len(), first.facets.len(), first.screened), (2, 1, 2, false));
    assert_eq!(first.facets[0].values[0].label, "需求");
    let cursor = first.next.expect("there is another one");
    let second = desk.find(&format!("{words}&limit=1&cursor={cursor}")).await;
    assert_eq!((second.records.len(), &second.next), (1, &None));
    assert_ne!(first.records[0].id, second.records[0].id);

    let amount = desk.find(&format!("{words}&min_amount={}", encoded("5000万元"))).await;
    assert_eq!(amount.records.iter().filter_map(|record| record.external.as_deref()).collect::<Vec<_>>(), ["XQ2"]);
    assert_eq!(amount.records[0].deadline.as_deref(), Some("2199-12-31"));
    let condition = format!("kind=demand&where={}", encoded("金额>=5000万元"));
    let screened = desk.find(&condition).await;
    assert!(screened.screened && screened.left_out == 1, "{screened:?}");
    let unknown = screened.records.iter().find(|record| record.external.as_deref() == Some("XQ3"));
    assert_eq!(unknown.expect("it does not say").unknown, ["amount"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_by_name() {
    let desk = Desk::new().await;
    desk.indexed().await;
    for (query, status, code) in [
        (format!("min_area={}", encoded("许多")), 422, "search-parameter"),
        (format!("region={}", encoded("某某县")), 422, "search-parameter"),
        ("industry=99999".to_owned(), 422, "search-parameter"),
        ("kind=colour".to_owned(), 422, "kind-unknown"),
        ("limit=0".to_owned(), 400, "malformed"),
        ("colour=red".to_owned(), 400, "malformed"),
        ("closed=perhaps".to_owned(), 400, "malformed"),
        ("cursor=zz".to_owned(), 400, "cursor"),
        ("facet=colour".to_owned(), 422, "search-parameter"),
        (format!("where={}", encoded("规模>=1")), 400, "filter-kind"),
    ] {
        let answer = desk.get(&format!("/v1/search?{query}")).await;
        assert_eq!(answer.problem(), (status, code.into()), "{query}");
    }
    let watch = json!({"name": "甲", "query": {"sort": "colour"}});
    assert_eq!(desk.post("/v1/watches", &watch).await.problem(), (422, "search-parameter".into()));
    assert_eq!(desk.post("/v1/watches", &json!({"name": " ", "query": {}})).await.problem().0, 422);
    assert_eq!(desk.get("/v1/watches/x/events").await.problem(), (404, "watch-unknown".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_tells_once_what_is_new_and_again_to_who_lost_the_connection() {
    let desk = Desk::new().await;
    let old = desk.world.create(demand("XQ1", &[("名称", "冷链老需求")])).await;
    desk.indexed().await;
    let made = desk.post("/v1/watches", &json!({"name": "冷链", "query": {"words": "冷链"}})).await;
    assert_eq!(made.status, 201);
    let path = format!("/v1/watches/{}", encoded("冷链"));
    let told = async |desk: &Desk, header: &str| {
        let address = desk.server.address();
        let head = format!(
            "GET {path}/events?once=true HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n{header}\
             Connection: close\r\n\r\n",
            super::TOKEN
        );
        let answer = desk.raw(&head, b"").await;
        assert!(answer.head.contains("text/event-stream"), "{}", answer.head);
        events(&answer.text())
    };
    assert_eq!(told(&desk, "").await, []);
    let new = desk.world.create(demand("XQ2", &[("名称", "冷链新需求")])).await;
    desk.world.create(demand("XQ3", &[("名称", "电池配套")])).await;
    desk.world.revise(old, &[("备注", "改了")], &[]).await.expect("it stands");
    desk.indexed().await;
    let mut first = told(&desk, "").await;
    first.sort_by_key(|event| event.is_new);
    let seen: Vec<(String, bool)> = first.iter().map(|event| (event.record.id.clone(), event.is_new)).collect();
    assert_eq!(seen, [(old.to_string(), false), (new.to_string(), true)]);
    assert_eq!(told(&desk, "").await, [], "it was seen");
    assert_eq!(told(&desk, "Last-Event-ID: 1\r\n").await.len(), 1, "the second one did not arrive");
    let listed: Vec<WatchView> = desk.get("/v1/watches").await.good();
    assert_eq!((listed.len(), listed[0].delivered, listed[0].listening), (1, 2, false));

    // It is kept over a restart of the node, with what was seen.
    let kinds = protocol::kind::KindSet::builtin();
    let again = crate::finding::watches::Watches::open(desk.directory.watches_path(), kinds);
    let kept = again.get("冷链").expect("it was kept").progress();
    assert_eq!((kept.last, kept.recent.len()), (2, 2));
    assert_eq!(desk.send("DELETE", &path, b"").await.status, 204);
    assert_eq!(desk.send("DELETE", &path, b"").await.problem(), (404, "watch-unknown".into()));
}
