//! A federation whose every key the story knows: real nodes, and beside them whatever a thief, a conspirator or a
//! registrar could sign with a key.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use node::config::{ApiConfig, Config, NetworkConfig, PortalConfig, TimingConfig};
use node::directory::keystore::KeyName;
use node::directory::{DataDirectory, Profile};
use protocol::bundle::{FrameType, Writer};
use protocol::charter::{Charter, Purpose, SignedBlock};
use protocol::entry::VerifiedEntry;
use protocol::identity::FederationId;
use protocol::statement::Statement;
use protocol::testing::Organisation;
use protocol::value::Value;
use serde_json::Value as Json;

use crate::node::{Node, Outcome, WAIT, wait_equal};

/// The kind of demands, with the numbers of the two fields that every demand states.
pub const DEMAND: u16 = 102;
const FIELD_CATEGORY: u16 = 5;
const FIELD_NAME: u16 = 6;
/// Seconds between two rounds of sync: a story does not wait for the usual half minute.
const SYNC_SECONDS: u64 = 2;

/// Real nodes of members whose keys the story has.
pub struct Scene {
    /// The charter that every node begins with.
    pub charter: Charter,
    /// The nodes, in the order of their operators. All but the first know the first.
    pub nodes: Vec<Node>,
    folder: tempfile::TempDir,
    files: AtomicU32,
}

impl Scene {
    /// Makes the data directories of these members and starts nothing.
    pub fn prepare(charter: Charter, operators: &[&Organisation]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let first = format!("/ip4/127.0.0.1/tcp/{}", free_port());
        let node = |(index, operator): (usize, &&Organisation)| {
            let path = folder.path().join(index.to_string());
            let (listen, peers) = match index {
                0 => (first.clone(), Vec::new()),
                _ => ("/ip4/127.0.0.1/tcp/0".to_owned(), vec![first.clone()]),
            };
            make_directory(&path, operator, &charter, &listen, peers);
            Node::at(path)
        };
        let nodes = operators.iter().enumerate().map(node).collect();
        Self { charter, nodes, folder, files: AtomicU32::new(0) }
    }

    /// Makes the nodes of these members, starts them all, and waits until they may sign and agree.
    #[track_caller]
    pub fn start(charter: Charter, operators: &[&Organisation]) -> Self {
        let mut scene = Self::prepare(charter, operators);
        scene.nodes.iter_mut().for_each(Node::start);
        scene.nodes.iter().for_each(Node::wait_ready_to_sign);
        scene.wait_equal();
        scene
    }

    /// A folder for the story's own files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until every node has the same digest.
    #[track_caller]
    pub fn wait_equal(&self) {
        wait_equal(&self.nodes.iter().collect::<Vec<_>>(), WAIT);
    }

    /// Writes blocks and entries to a file, whether they deserve it or not.
    pub fn bundle(&self, blocks: &[SignedBlock], entries: &[Arc<VerifiedEntry>]) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{number}.bundle"));
        write_bundle(&path, &self.charter.federation(), blocks, entries);
        path
    }

    /// Hands blocks and entries to a node as a file.
    pub fn feed(&self, node: usize, blocks: &[SignedBlock], entries: &[Arc<VerifiedEntry>]) -> Outcome {
        let path = self.bundle(blocks, entries);
        self.nodes[node].run(&["import-bundle", &path.to_string_lossy()])
    }
}

fn write_bundle(path: &Path, federation: &FederationId, blocks: &[SignedBlock], entries: &[Arc<VerifiedEntry>]) {
    let (mut writer, mut bundle) = Writer::new(federation);
    blocks.iter().for_each(|block| writer.frame(FrameType::Block, &block.encode(), &mut bundle));
    entries.iter().for_each(|entry| writer.frame(FrameType::Entry, &entry.encode(), &mut bundle));
    writer.finish(&mut bundle);
    std::fs::write(path, bundle).expect("a temporary directory can be written to");
}

/// Makes the data directory of a member: its keys, and the charter as it came with its admission.
fn make_directory(path: &Path, operator: &Organisation, charter: &Charter, listen: &str, peers: Vec<String>) {
    let profile = Profile { name: operator.name.clone(), class: operator.class.name().into(), region: String::new() };
    let config = Config {
        network: NetworkConfig { listen: vec![listen.to_owned()], peers, discovery: false, ..NetworkConfig::default() },
        api: ApiConfig { listen: "127.0.0.1:0".into() },
        portal: PortalConfig { listen: "127.0.0.1:0".into(), ..PortalConfig::default() },
        timing: TimingConfig { sync_seconds: SYNC_SECONDS, ..TimingConfig::default() },
        ..Config::default()
    };
    let keys: [(Purpose, &SigningKey); 4] = [
        (Purpose::Signing, &operator.signing),
        (Purpose::Transport, &operator.transport),
        (Purpose::Encryption, &operator.encryption),
        (Purpose::Governance, &operator.governance),
    ];
    let keys = keys.map(|(purpose, key)| (KeyName::current(purpose), key.clone()));
    let made = DataDirectory::create_with(path, &profile, &config, &keys, None);
    let directory = made.expect("a temporary directory can be written to");
    directory.write_genesis(&charter.blocks()[0]).expect("there is no genesis block yet");
    write_bundle(&directory.charter_path(), &charter.federation(), charter.blocks(), &[]);
}

/// A port that nobody listens on. A node that comes back must be found where it was.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

/// The time of this machine, in milliseconds since 1970 (UTC).
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right");
    since.as_millis() as u64
}

/// The fields of a demand of that title.
pub fn demand(title: &str) -> BTreeMap<u16, Value> {
    BTreeMap::from([(FIELD_CATEGORY, Value::Text("招商".into())), (FIELD_NAME, Value::Text(title.into()))])
}

/// A demand, created in the author's log after `previous`.
pub fn create(
    author: &Organisation,
    charter: &Charter,
    previous: Option<&Arc<VerifiedEntry>>,
    time_ms: u64,
    title: &str,
) -> Arc<VerifiedEntry> {
    say(author, charter, previous, time_ms, &Statement::create([7; 16], 1, None, demand(title)))
}

/// A statement about a demand, signed in the author's log after `previous`.
pub fn say(
    author: &Organisation,
    charter: &Charter,
    previous: Option<&Arc<VerifiedEntry>>,
    time_ms: u64,
    statement: &Statement,
) -> Arc<VerifiedEntry> {
    let body = statement.encode().expect("the statement keeps every rule");
    author.entry(charter, previous.map(|entry| &**entry), time_ms, DEMAND, body)
}

/// Titles of the demands that a node lists, in order.
#[track_caller]
pub fn titles(node: &Node) -> Vec<String> {
    let listed = node.run(&["list", "--kind", "demand"]).ok();
    let records = listed["records"].as_array().expect("a list");
    let mut titles: Vec<String> =
        records.iter().filter_map(|record| record["title"].as_str().map(str::to_owned)).collect();
    titles.sort();
    titles
}

/// What a node says of a log. The charter numbers logs in the order in which their keys were admitted.
#[track_caller]
pub fn head(node: &Node, log: usize) -> Json {
    node.status()["heads"][log].clone()
}

/// How often something happened at a node since it started.
#[track_caller]
pub fn counter(node: &Node, name: &str) -> u64 {
    node.status()["counters"][name].as_u64().unwrap_or_default()
}
