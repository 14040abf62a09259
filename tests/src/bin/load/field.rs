//! The federation that is put under load: two real nodes, and members that run none and are the attackers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::client::{Client, Connections, Pages};
use harness::node::Node;
use harness::scene::Scene;
use harness::sheet;
use protocol::charter::{Class, Operation};
use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::testing::Organisation;
use serde_json::{Value, json};

/// The node that publishes and is attacked, and the one that reads.
pub const VICTIM: usize = 0;
/// The node at which records are read.
pub const READER: usize = 1;
/// The log of the member that publishes by gossip as fast as it can: logs are numbered in the order of admission.
pub const FLOODERS_LOG: usize = 2;
/// Records that are there before anything is measured.
const RECORDS_AT_FIRST: usize = 2_000;
/// Records with a long text among them, and its characters.
const BIG_RECORDS: usize = 40;
const BIG_CHARACTERS: usize = 12_000;
/// How long whoever checks a node waits for its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the nodes may take to have everything at first.
const REST_WAIT: Duration = Duration::from_secs(120);
/// How often a state that must come about is looked at.
const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// What the system lets this process, and every node that it starts, hold open.
const OPEN_FILES_WANTED: u64 = 16_384;

/// The federation under load.
pub struct Field {
    /// Its nodes.
    pub scene: Scene,
    /// A member that runs no node and publishes as fast as it can.
    pub flooder: Organisation,
    /// A member that runs no node and sends rubbish.
    pub garbler: Organisation,
    /// A record with a long text.
    pub big: String,
    /// Decides all that is random.
    pub seed: u64,
    /// Sessions at the portals of both nodes.
    pub pages: Vec<Pages>,
    checkers: Vec<Client>,
    serial: AtomicU64,
}

impl Field {
    /// Founds the federation, starts the nodes and fills them.
    pub fn found(seed: u64) -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let kinds = Operation::KindSet { version: KIND_SET_VERSION, hash: KindSet::builtin().hash() };
        secretariat.try_append(&mut charter, vec![kinds]).expect("the charter allows it");
        let county = Organisation::new("奉节县", Class::County, 2);
        let flooder = Organisation::new("洪水县", Class::County, 3);
        let garbler = Organisation::new("乱码县", Class::County, 4);
        [&county, &flooder, &garbler].iter().for_each(|member| secretariat.admit(&mut charter, member));
        let scene = Scene::start(charter, &[&secretariat, &county]);
        let sheet = sheet::demands(scene.folder(), 0, RECORDS_AT_FIRST);
        scene.nodes[VICTIM].run(&["import", &sheet.to_string_lossy()]).ok();
        let checkers = scene.nodes.iter().map(|node| Client::new(node, Connections::Fresh, PATIENCE)).collect();
        let enter = |node: &Node| Pages::enter(node, PATIENCE).expect("the portal of an idle node lets its owner in");
        let pages = scene.nodes.iter().map(enter).collect();
        let mut field =
            Self { scene, flooder, garbler, big: String::new(), seed, pages, checkers, serial: AtomicU64::new(0) };
        let long: String = "稀土磁材装备与轴承精密铸造".chars().cycle().take(BIG_CHARACTERS).collect();
        for number in 0..BIG_RECORDS {
            let content = field.record(&format!("第{number}号长文需求"), &long);
            let published = field.checker(VICTIM).post("/v1/records", &content).json();
            field.big = published["records"][0].as_str().expect("the record is published").to_owned();
        }
        assert!(
            field.comes_to_rest(REST_WAIT),
            "both nodes have everything, also to search, before anything is measured"
        );
        field
    }

    /// A client with patience, for whoever checks a node.
    pub fn checker(&self, node: usize) -> &Client {
        &self.checkers[node]
    }

    /// A demand to publish.
    pub fn record(&self, name: &str, note: &str) -> Value {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let fields =
            json!({"需求名称": format!("{name}{serial}"), "需求类别": "招商", "行业代码": "3841", "说明": note});
        json!({"kind": "demand", "fields": fields})
    }

    /// The process of every node.
    pub fn processes(&self) -> Vec<u32> {
        self.scene.nodes.iter().map(Node::process_id).collect()
    }

    /// How a node is; null when it does not say.
    pub fn status(&self, node: usize) -> Value {
        self.checker(node).get("/v1/status").json()
    }

    /// Whether, within that time, both nodes come to hold the same, and their indexes to have all of it.
    pub fn comes_to_rest(&self, limit: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            let digests = [VICTIM, READER].map(|node| self.status(node)["digest"].clone());
            let is_indexed = |node: usize| {
                let lag = self.checker(node).get("/v1/search/status").json()["lag"].clone();
                lag["state"] == "following" && lag["records"] == 0
            };
            if digests[0].is_string() && digests[0] == digests[1] && is_indexed(VICTIM) && is_indexed(READER) {
                return true;
            }
            std::thread::sleep(LOOK_PAUSE);
        }
        false
    }
}

/// Raises what this process may hold open to what the system allows, at most to what is wanted. The nodes, which are
/// started before, keep what they have.
pub fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let wanted = now.maximum.map_or(OPEN_FILES_WANTED, |most| most.min(OPEN_FILES_WANTED));
    let wanted = wanted.max(now.current.unwrap_or(u64::MAX));
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: now.maximum }) {
        Ok(()) => wanted,
        Err(_) => now.current.unwrap_or(u64::MAX),
    }
}
