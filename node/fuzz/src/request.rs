//! Requests to the API of a node that founded a federation of its own and holds some records.
//!
//! An input is a request: the method and the path in the first line, the body after it. The node stands in this process
//! and answers without connections; what it publishes meanwhile stays until the end, as with a node that runs.

use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Uri, header};
use axum::response::Response;
use node::config::Config;
use node::directory::{DataDirectory, Profile};
use node::node::Node;
use protocol::charter::{BallotRule, Block, Operation, SeatGrant, SignedBlock};
use protocol::identity::{BlockHash, FederationId, MemberNumber, public_key};
use protocol::kind::{KIND_SET_VERSION, KindSet};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How long an answer may take: a statement that nothing changed waits up to ten seconds for what was published before.
const PATIENCE: Duration = Duration::from_secs(15);
/// Records of each kind that the node holds to begin with.
const RECORDS_OF_KIND: usize = 3;

/// The node, and what it needs.
struct Desk {
    runtime: Runtime,
    router: Router,
    token: String,
    _node: Node,
    _folder: TempDir,
}

static DESK: LazyLock<Desk> = LazyLock::new(Desk::open);

/// A request, from its bytes to the end of its answer. A status of 500 is a fault, for it means that something happened
/// that nobody thought of.
pub fn ask(bytes: &[u8]) {
    let Some(request) = read(bytes) else { return };
    let shown = format!("{} {}", request.method(), request.uri());
    let desk = &*DESK;
    let answered = desk.runtime.block_on(async { tokio::time::timeout(PATIENCE, desk.answer(request)).await });
    match answered {
        Ok((status, text)) => assert!(status != 500, "{shown}: {text}"),
        Err(_) => panic!("{shown}: no answer within {PATIENCE:?}"),
    }
}

/// The answer to a request as text, for those who write requests.
pub fn text_of(path: &str) -> String {
    let request = read(format!("GET {path}\n").as_bytes()).expect("a path of this program");
    DESK.runtime.block_on(DESK.answer(request)).1
}

fn read(bytes: &[u8]) -> Option<Request<Body>> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, body) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let space = line.iter().position(|byte| *byte == b' ')?;
    let method = Method::from_bytes(&line[..space]).ok()?;
    let uri = Uri::try_from(&line[space + 1..]).ok()?;
    let request = Request::builder().method(method).uri(uri).header(header::HOST, "127.0.0.1");
    let request = request.header(header::CONTENT_TYPE, "application/json").header(header::CONTENT_LENGTH, body.len());
    request.body(Body::from(body.to_vec())).ok()
}

impl Desk {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("threads");
        let folder = tempfile::tempdir().expect("a temporary directory");
        let directory = found(&folder);
        let token = directory.token().expect("a token");
        let node = runtime.block_on(Node::start(directory)).expect("the node starts");
        let router = node.api_router();
        let desk = Self { runtime, router, token, _node: node, _folder: folder };
        desk.fill();
        desk
    }

    async fn answer(&self, mut request: Request<Body>) -> (u16, String) {
        let authorization = format!("Bearer {}", self.token).try_into().expect("a token is plain");
        request.headers_mut().insert(header::AUTHORIZATION, authorization);
        let Ok(response) = self.router.clone().oneshot(request).await;
        let status = response.status().as_u16();
        if is_endless(&response) {
            return (status, String::new());
        }
        let bytes = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.unwrap_or_default();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Publishes the examples of the kinds.
    fn fill(&self) {
        for kind in KindSet::builtin().kinds() {
            let fields: serde_json::Map<_, _> =
                kind.fields().filter_map(|field| Some((field.name.clone(), json!(field.example.as_ref()?)))).collect();
            for _ in 0..RECORDS_OF_KIND {
                let line = format!("POST /v1/records\n{}", json!({"kind": kind.name(), "fields": fields}));
                let request = read(line.as_bytes()).expect("a request of this program");
                // Kinds of the federation's own statements are refused.
                self.runtime.block_on(self.answer(request));
            }
        }
    }
}

/// Whether an answer goes on until somebody hangs up.
fn is_endless(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/event-stream")
}

/// A directory whose node founded a federation and is its registrar.
fn found(folder: &TempDir) -> DataDirectory {
    let mut config = Config::default();
    config.api.listen = "127.0.0.1:0".into();
    config.portal.listen = String::new();
    config.network.listen = vec!["/ip4/127.0.0.1/tcp/0".into()];
    config.network.discovery = false;
    let profile = Profile { name: "秘书处".into(), class: "secretariat".into(), region: String::new() };
    let directory = DataDirectory::create(&folder.path().join("node"), &profile, &config).expect("an empty directory");
    let governance = directory.governance_key().expect("a new key");
    let founder = MemberNumber(1);
    let operations = vec![
        Operation::Rules { name: "模糊测试".into(), threshold: 1, ballots: BallotRule::MoreThanHalf },
        Operation::KindSet { version: KIND_SET_VERSION, hash: KindSet::builtin().hash() },
        Operation::Admit {
            member: founder,
            application: directory.application(&FederationId::ZERO).expect("keys and a profile"),
        },
        Operation::GrantRole(SeatGrant::registrar(founder, public_key(&governance))),
    ];
    let time_ms = node::core::now_ms();
    let year_ms = 365 * 86_400_000;
    let block = Block { version: 1, previous: BlockHash::ZERO, time_ms, expires_ms: time_ms + year_ms, operations };
    let mut block = SignedBlock::unsigned(block).expect("a block within its bounds");
    block.sign(&governance, &FederationId::ZERO);
    directory.write_genesis(&block).expect("the first block");
    directory
}
