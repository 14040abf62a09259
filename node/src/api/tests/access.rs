//! Who comes in.

use std::net::SocketAddr;

use super::{Answer, Desk, TOKEN};
use crate::api::types::{Health, Problem};
use crate::api::{ApiContext, ApiError, serve};
use crate::records::publish::Publisher;

impl Desk {
    async fn with_headers(&self, path: &str, headers: &str) -> Answer {
        self.raw(&format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"), b"").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_there_is_health_and_description_only() {
    let desk = Desk::new().await;
    let host = format!("Host: {}\r\n", desk.server.address());
    let health: Health = desk.with_headers("/healthz", &host).await.good();
    assert_eq!(health.state, "running");
    assert_eq!(desk.with_headers("/openapi.json", &host).await.status, 200);
    for headers in [
        String::new(),
        "Authorization: Bearer wrong\r\n".into(),
        format!("Authorization: Basic {TOKEN}\r\n"),
        format!("Authorization: Bearer {TOKEN}x\r\n"),
        format!("Authorization: {TOKEN}\r\n"),
        "Authorization: Bearer \r\n".into(),
    ] {
        for path in ["/v1/status", "/v1/records", "/v1/export", "/nowhere"] {
            let answer = desk.with_headers(path, &format!("{host}{headers}")).await;
            assert_eq!(answer.problem(), (401, "token".into()), "{path} {headers}");
        }
    }
    let right = format!("{host}authorization: bearer {TOKEN}\r\n");
    assert_eq!(desk.with_headers("/v1/status", &right).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_name_is_refused_even_with_the_token() {
    let desk = Desk::new().await;
    let port = desk.server.address().port();
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let evil = format!("Host: evil.example:{port}\r\n");
    let local = format!("Host: 127.0.0.1:{port}\r\n");
    for hosts in [&evil, &format!("{local}{evil}"), &format!("{evil}{local}"), "Host: 10.0.0.1\r\n"] {
        for path in ["/v1/status", "/healthz"] {
            let answer = desk.with_headers(path, &format!("{hosts}{token}")).await;
            assert_eq!(answer.problem(), (403, "host".into()), "{path} {hosts}");
        }
    }
    let absolute =
        desk.with_headers(&format!("http://evil.example:{port}/v1/status"), &format!("{local}{token}")).await;
    assert_eq!(absolute.problem(), (403, "host".into()));
    assert_eq!(desk.with_headers("/v1/status", &format!("Host: localhost:{port}\r\n{token}")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_a_problem_too() {
    let desk = Desk::new().await;
    assert_eq!(desk.get("/v1/nothing").await.problem(), (404, "path".into()));
    assert_eq!(desk.send("PUT", "/v1/status", b"").await.problem(), (405, "method".into()));
    assert_eq!(desk.send("POST", "/v1/records", b"{").await.problem(), (400, "malformed".into()));
    assert_eq!(desk.get("/v1/records?colour=red").await.problem(), (400, "malformed".into()));
    assert_eq!(desk.get("/v1/records?limit=0").await.problem(), (400, "malformed".into()));
    assert_eq!(desk.get("/v1/records?limit=1&limit=2").await.problem(), (400, "malformed".into()));
    assert_eq!(desk.get("/v1/records/%ff").await.problem(), (400, "malformed".into()));
    let long = vec![b' '; 5_000];
    assert_eq!(desk.send("POST", "/v1/invitations", &long).await.problem(), (413, "too-long".into()));
    let problem: Problem = desk.get("/v1/records/2-9").await.json();
    assert!(problem.zh.contains("2-9") && !problem.fix_zh.is_empty() && !problem.fix_en.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_listens_on_the_loopback_interface_and_says_when_the_port_is_taken() {
    let desk = Desk::new().await;
    let context = || {
        let network = desk.network.clone();
        ApiContext {
            core: desk.world.core.clone(),
            network,
            derived: desk.derived.clone(),
            directory: desk.directory.clone(),
            leads: desk.leads.clone(),
            health: desk.health.clone(),
            token: TOKEN.into(),
            started_ms: 0,
            state: "running",
            hooks: desk.hooks.clone(),
            operations: desk.operations.clone(),
            publisher: Publisher::default(),
        }
    };
    let everywhere: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    assert!(matches!(serve(context(), everywhere, None).await, Err(ApiError::Address(_))));
    let taken = desk.server.address();
    let second = serve(context(), taken, None).await;
    assert!(matches!(second, Err(ApiError::AddressInUse { address, .. }) if address == taken));
    let third = serve(context(), "127.0.0.1:0".parse().expect("an address"), None).await.expect("a free port");
    let address = third.address();
    third.shutdown().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
