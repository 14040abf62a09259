//! The API over a real loopback connection, with a real store and network behind it.

mod access;
mod bundles;
mod document;
mod federation;
mod health;
mod operations;
mod records;
mod search;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::types::{PendingApplication, Problem, ProblemDetail};
use super::{ApiContext, ApiHooks, ApiServer, serve};
use crate::config::Config;
use crate::core::now_ms;
use crate::derive::Derived;
use crate::directory::{DataDirectory, Profile};
use crate::health::Health;
use crate::leads::Leads;
use crate::network::{Network, NetworkEvent, NetworkSettings};
use crate::operations::{Operations, Parts};
use crate::records::publish::Publisher;
use crate::records::tests::world::World;
use crate::store::{JournalState, OpenReport};

const TOKEN: &str = "a token for tests";

#[derive(Default)]
struct TestHooks {
    syncs: AtomicU64,
    invitations: Mutex<Vec<(String, u64)>>,
}

impl ApiHooks for TestHooks {
    fn portal_link(&self) -> Result<String, ProblemDetail> {
        Ok("http://127.0.0.1:1/open?token=1".to_owned())
    }

    fn sync_now(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }

    fn applications(&self) -> Vec<PendingApplication> {
        Vec::new()
    }

    fn remove_application(&self, id: &str) -> bool {
        id == "abcd"
    }

    fn add_invitation(&self, token: String, expires_ms: u64, _: bool) -> Result<(), String> {
        if expires_ms < now_ms() {
            return Err("it has expired".into());
        }
        self.invitations.lock().push((token, expires_ms));
        Ok(())
    }

    fn warnings(&self) -> Vec<ProblemDetail> {
        Vec::new()
    }
}

/// A node with its API.
struct Desk {
    operations: Operations,
    world: World,
    server: ApiServer,
    network: Network,
    derived: Derived,
    directory: DataDirectory,
    leads: Leads,
    health: Health,
    hooks: Arc<TestHooks>,
    _network_events: tokio::sync::mpsc::Receiver<NetworkEvent>,
}

/// An answer as it came over the wire.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
    /// Whether the body ended as it should.
    whole: bool,
}

impl Desk {
    async fn new() -> Self {
        Self::over(World::new().await).await
    }

    async fn over(world: World) -> Self {
        let settings = NetworkSettings {
            federation: world.core.federation(),
            transport_key: world.county.transport.to_bytes(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            members: Default::default(),
            limits: Default::default(),
        };
        let (network, network_events) = Network::start(settings).await.expect("the network starts");
        let profile = Profile { name: "奉节县".into(), class: "county".into(), region: String::new() };
        let path = world.folder.path().join("directory");
        let directory = DataDirectory::create(&path, &profile, &Config::default()).expect("an empty directory");
        let hooks = Arc::new(TestHooks::default());
        let leads = Leads::open(world.core.clone(), network.clone(), directory.clone(), Default::default(), false, &[]);
        let leads = leads.expect("an empty directory");
        let (derived, follower) = Derived::new(world.core.clone(), &directory.search_path());
        tokio::spawn(follower.run());
        let transport = protocol::identity::public_key(&world.county.transport);
        let health = Health::new(world.core.clone(), network.clone(), transport, &directory, &Config::default());
        tokio::spawn(health.clone().run());
        let operations = Operations::new(Parts {
            core: world.core.clone(),
            network: network.clone(),
            derived: derived.clone(),
            directory: directory.clone(),
            config: Config::default(),
            report: sound_report(),
            troubles: Default::default(),
            clock: Arc::new(|| Some(1_500)),
            cut_off: Arc::new(|| None),
            transport: protocol::identity::public_key(&world.county.transport),
            started_ms: now_ms(),
            hooks: Arc::clone(&hooks) as Arc<dyn ApiHooks>,
            sources: Vec::new(),
            members: None,
        });
        let operations = operations.expect("no webhook wants a secret");
        let context = ApiContext {
            core: world.core.clone(),
            network: network.clone(),
            derived: derived.clone(),
            directory: directory.clone(),
            leads: leads.clone(),
            health: health.clone(),
            token: TOKEN.into(),
            started_ms: now_ms(),
            state: "running",
            hooks: Arc::clone(&hooks) as Arc<dyn ApiHooks>,
            operations: operations.clone(),
            publisher: Publisher::default(),
        };
        let free = "127.0.0.1:0".parse().expect("an address");
        let server = serve(context, free, Some(free)).await.expect("a free port");
        Self {
            operations,
            world,
            server,
            network,
            derived,
            directory,
            leads,
            health,
            hooks,
            _network_events: network_events,
        }
    }

    /// Sends bytes as they are and reads to the end of the connection.
    async fn raw(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.server.address()).await.expect("the server listens");
        stream.write_all(head.as_bytes()).await.expect("the server reads");
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(body).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("the server answers");
        Answer::read(&bytes)
    }

    async fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let (address, length) = (self.server.address(), body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        self.raw(&head, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, b"").await
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.send("POST", path, &serde_json::to_vec(body).expect("it is JSON")).await
    }
}

/// What opening a sound store finds.
fn sound_report() -> OpenReport {
    OpenReport {
        created: true,
        damaged: Vec::new(),
        moved_aside: None,
        missing: Vec::new(),
        journal: JournalState::Empty,
        recovered: 0,
        refused: 0,
        erased: 0,
        torn_bytes: 0,
    }
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8(bytes[..split].to_vec()).expect("heads are text").to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
        let rest = &bytes[split + 4..];
        let chunked = head.contains("transfer-encoding: chunked");
        let (body, whole) = if chunked { join_chunks(rest) } else { (rest.to_vec(), true) };
        Self { status, head, body, whole }
    }

    fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// What a success says.
    fn good<T: DeserializeOwned>(&self) -> T {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text());
        self.json()
    }

    /// Status and code of a problem, which has every part that a problem has.
    fn problem(&self) -> (u16, String) {
        assert!(self.head.contains("content-type: application/problem+json"), "{} {}", self.head, self.text());
        let problem: Problem = self.json();
        let document: serde_json::Value = self.json();
        assert_eq!(document["status"], self.status);
        assert_eq!(document["type"], format!("urn:xianmeng:problem:{}", problem.code));
        assert!(!problem.zh.is_empty() && !problem.en.is_empty());
        (self.status, problem.code)
    }
}

fn join_chunks(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let length = std::str::from_utf8(&rest[..line]).expect("lengths are text");
        let length = usize::from_str_radix(length, 16).expect("lengths are hexadecimal");
        if length == 0 {
            return (body, true);
        }
        let Some(chunk) = rest.get(line + 2..line + 2 + length) else { break };
        body.extend_from_slice(chunk);
        rest = &rest[line + 4 + length..];
    }
    (body, false)
}
