//! Doctor, alarms, readiness, metrics, and the log of logins and writes, over a real connection.

use std::time::Duration;

use serde_json::json;

use super::{Desk, TOKEN};
use crate::access_log::verify;
use crate::api::types::{AccessLogView, AlarmsView, DoctorView, Readiness};

/// The answer of the listener that wants no token.
async fn open(desk: &Desk, path: &str, host: &str) -> super::Answer {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = desk.server.metrics_address().expect("it was asked for");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("the server answers");
    super::Answer::read(&bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_want_the_token_or_their_own_listener() {
    let desk = Desk::new().await;
    let address = desk.server.address();
    let bare = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    assert_eq!(desk.raw(&bare, b"").await.problem(), (401, "token".into()));
    let answer = desk.get("/metrics").await;
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"), "{}", answer.head);
    assert!(answer.text().contains("\nxianmeng_members_active 3"), "{}", answer.text());
    let open_answer = open(&desk, "/metrics", "127.0.0.1").await;
    let text = open_answer.text();
    assert_eq!(open_answer.status, 200);
    let line = "xianmeng_requests_total{method=\"GET\",route=\"/metrics\",status=\"401\"} 1";
    assert!(text.lines().any(|found| found == line), "{text}");
    assert!(text.contains("\nxianmeng_clock_offset_seconds 1.5\n"), "{text}");
    assert!(!text.contains(TOKEN));
    assert_eq!(open(&desk, "/metrics", "evil.example").await.status, 403);
    assert_eq!(open(&desk, "/v1/status", "127.0.0.1").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_may_sign_is_ready() {
    let desk = Desk::new().await;
    let ready: Readiness = open(&desk, "/readyz", "localhost").await.good();
    assert!(ready.ready);
    let address = desk.server.address();
    let bare = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    assert_eq!(desk.raw(&bare, b"").await.status, 200, "no token is needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_it_checked_and_a_key_that_is_none_of_ours() {
    let desk = Desk::new().await;
    let view: DoctorView = desk.get("/v1/doctor").await.good();
    assert!(view.running && view.checked.contains(&"disk-full".to_owned()));
    // The directory was made with keys of its own, and the charter grants others.
    let wrong: Vec<_> = view.findings.iter().filter(|finding| finding.id == "key-wrong").collect();
    assert_eq!(wrong.iter().map(|finding| &*finding.subject).collect::<Vec<_>>(), ["encryption", "governance"]);
    assert!(wrong.iter().all(|finding| finding.since_ms > 0 && !finding.fix_zh.is_empty()));
    let again: DoctorView = desk.get("/v1/doctor").await.good();
    let since = |view: &DoctorView| view.findings.iter().map(|finding| finding.since_ms).collect::<Vec<_>>();
    assert_eq!(since(&again), since(&view), "what lasts is as old as it was");
    let alarms: AlarmsView = desk.get("/v1/alarms").await.good();
    assert_eq!(alarms.webhooks, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_that_fail_and_writes_are_written_down_and_reading_is_not() {
    let desk = Desk::new().await;
    let demand = json!({"kind": "demand", "fields": {"需求类别": "招商", "需求名称": "配套企业"}});
    let created = desk.post("/v1/records", &demand).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(desk.post("/v1/records/2-9/withdraw", &json!({})).await.status, 404);
    desk.get("/v1/status").await;
    let address = desk.server.address();
    let bare = format!("GET /v1/status HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    assert_eq!(desk.raw(&bare, b"").await.status, 401);
    let mut view: AccessLogView = desk.get("/v1/access-log").await.good();
    for _ in 0..500 {
        if view.length == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        view = desk.get("/v1/access-log").await.good();
    }
    let lines: Vec<(&str, &str, &str, &str, &str)> = view
        .entries
        .iter()
        .map(|line| (&*line.actor, &*line.action, &*line.route, &*line.subject, &*line.outcome))
        .collect();
    assert_eq!(
        lines,
        [
            ("unknown", "login", "/v1/status", "", "refused 401"),
            ("api", "write", "/v1/records/{reference}/withdraw", "2-9", "refused 404"),
            ("api", "write", "/v1/records", "2-1", "ok 201"),
        ]
    );
    assert_eq!(verify(&desk.directory.access_log_path()).breaks, []);
    assert_eq!(desk.get("/v1/access-log?limit=0").await.problem(), (400, "malformed".into()));
}
