//! The nodes, and clients of them that outlive a restart.

use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use harness::client::{Client, Connections, Pages};
use harness::node::Node;
use harness::scene::Scene;
use harness::sheet;
use protocol::charter::{Class, Operation};
use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::testing::Organisation;

/// Nodes of the run.
pub const NODES: usize = 4;
/// The node that is stopped and started now and then. The others run through, so that what creeps shows.
pub const RESTARTED: usize = NODES - 1;
/// Records that are there before the run begins. They fill what is bounded and would otherwise look like growth: 64 MiB of
/// the database's cache (`node/src/store/limits.rs`; about 8 KB for each entry that comes one by one) and the buffer of
/// the index (24 MiB, `node/src/search/limits.rs`).
pub const RECORDS_AT_FIRST: usize = 20_000;
/// How long the nodes may take to have them.
const FILL_WAIT: Duration = Duration::from_secs(600);
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a state that must come about is looked at.
const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// One node.
pub struct Post {
    node: Mutex<Node>,
    desk: RwLock<Option<Desk>>,
}

/// How a node is reached since it started.
#[derive(Clone)]
pub struct Desk {
    /// Its API.
    pub client: Client,
    /// A session at its portal.
    pub pages: Pages,
    /// Its process.
    pub process: u32,
}

impl Desk {
    fn of(node: &Node) -> Option<Self> {
        let client = Client::new(node, Connections::Kept, PATIENCE);
        Some(Self { client, pages: Pages::enter(node, PATIENCE)?, process: node.process_id() })
    }
}

impl Post {
    /// How the node is reached; nothing while it starts again.
    pub fn desk(&self) -> Option<Desk> {
        self.desk.read().expect("nobody panicked").clone()
    }

    /// Its data directory.
    pub fn directory(&self) -> std::path::PathBuf {
        self.node.lock().expect("nobody panicked").directory().to_owned()
    }

    /// Stops the node as an operator does and starts it again.
    pub fn restart(&self) {
        *self.desk.write().expect("nobody panicked") = None;
        let mut node = self.node.lock().expect("nobody panicked");
        node.stop();
        node.start();
        *self.desk.write().expect("nobody panicked") = Desk::of(&node);
    }
}

/// The federation of the run.
pub struct Posts {
    /// Its nodes.
    pub all: Vec<Post>,
    /// Holds their data directories.
    _scene: Scene,
}

impl Posts {
    /// Founds the federation and starts its nodes.
    pub fn found() -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let kinds = Operation::KindSet { version: KIND_SET_VERSION, hash: KindSet::builtin().hash() };
        secretariat.try_append(&mut charter, vec![kinds]).expect("the charter allows it");
        let counties = [("奉节县", 2), ("夏邑县", 3), ("云阳县", 4)]
            .map(|(name, seed)| Organisation::new(name, Class::County, seed));
        counties.iter().for_each(|county| secretariat.admit(&mut charter, county));
        let operators: Vec<&Organisation> = [&secretariat].into_iter().chain(&counties).collect();
        assert_eq!(operators.len(), NODES);
        let mut scene = Scene::start(charter, &operators);
        let sheet = sheet::demands(scene.folder(), 0, RECORDS_AT_FIRST);
        scene.nodes[0].run(&["import", &sheet.to_string_lossy()]).ok();
        let post = |node: Node| {
            let desk = Desk::of(&node);
            assert!(desk.is_some(), "the portal of an idle node lets its owner in");
            Post { desk: RwLock::new(desk), node: Mutex::new(node) }
        };
        let posts = Self { all: std::mem::take(&mut scene.nodes).into_iter().map(post).collect(), _scene: scene };
        assert!(posts.come_to_rest(FILL_WAIT), "every node has what is there at first");
        posts
    }

    /// Whether, within that time, all nodes come to hold the same, and their indexes to have all of it.
    pub fn come_to_rest(&self, limit: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            let desks: Vec<Desk> = self.all.iter().filter_map(Post::desk).collect();
            let digests = desks.iter().map(|desk| desk.client.get("/v1/status").json()["digest"].clone());
            let digests: Vec<_> = digests.collect();
            let is_indexed = |desk: &Desk| {
                let lag = desk.client.get("/v1/search/status").json()["lag"].clone();
                lag["state"] == "following" && lag["records"] == 0
            };
            let agree =
                digests.len() == NODES && digests.iter().all(|digest| digest.is_string() && *digest == digests[0]);
            if agree && desks.iter().all(is_indexed) {
                return true;
            }
            std::thread::sleep(LOOK_PAUSE);
        }
        false
    }
}
