//! Real nodes, each in a namespace of its own, and the checks that every scenario ends with.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harness::node::{Node, wait};
use serde_json::Value;

use crate::ledger::{held, tail};
use crate::place::Place;
use crate::scenario::Skip;
use crate::site::run;
use crate::world::World;

/// Members that scenarios have, the secretariat first.
const NAMES: [&str; 6] = ["秘书处", "奉节县", "夏邑县", "云阳县", "巫山县", "永城市"];
/// The network: the last number of an address is that of the member.
const NETWORK: [u8; 3] = [10, 77, 0];
/// The port of the network, as nodes have it by default.
const NETWORK_PORT: u16 = 4701;
/// Seconds between rounds of sync, between beacons, of the grace, and between looks for alarms: a scenario takes minutes
/// and not days.
const SYNC_SECONDS: u64 = 2;
const BEACON_SECONDS: u64 = 3;
const GRACE_SECONDS: u64 = 5;
const CHECK_SECONDS: u64 = 1;
/// How long nodes may take to come to rest after a fault is over. A half-open connection alone takes more than a minute
/// to be noticed.
pub const REST: Duration = Duration::from_secs(240);
/// How long findings may take to go that nobody has to do anything about.
const CALM: Duration = Duration::from_secs(120);
/// How long a command may be waited for that a node which is catching up answers late.
pub const SOON: Duration = Duration::from_secs(90);
/// What the doctor may say at the end of any scenario: of the disk of this machine, and of a large import, for which
/// its own fix is "nothing".
const NOBODYS_FAULT: [&str; 5] = ["disk-full", "disk-filling", "log-paced", "node-slow", "index-behind"];

/// Nodes in their places. The nodes go first: their processes end before the namespaces do.
pub struct Federation {
    /// The nodes, the secretariat first.
    pub nodes: Vec<Node>,
    /// Their places, in the same order.
    pub places: Vec<Place>,
    /// Where directories are kept that lie elsewhere, if the scenario fails.
    folder: PathBuf,
}

impl Drop for Federation {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        // A disk of its own goes away with the scenario, and takes its directory with it.
        for (index, node) in self.nodes.iter().enumerate() {
            let path = node.directory();
            if path.exists() && (!path.starts_with(&self.folder) || path.starts_with(self.folder.join("thin"))) {
                let to = self.folder.join(format!("node-{index}"));
                let _ = run(&["cp", "-a", &path.to_string_lossy(), &to.to_string_lossy()]);
            }
        }
    }
}

/// The address of a member.
pub fn address(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(NETWORK[0], NETWORK[1], NETWORK[2], index as u8 + 1)
}

/// What others dial.
pub fn dialled(address: Ipv4Addr) -> String {
    format!("/ip4/{address}/tcp/{NETWORK_PORT}")
}

impl Federation {
    /// Makes places and data directories of so many members; only the secretariat's node runs yet.
    pub fn prepare(world: &World, count: usize) -> Result<Self, Skip> {
        Self::prepare_at(world, count, &BTreeMap::new())
    }

    /// The same, with the directories of some members elsewhere, for instance on a disk of their own.
    pub fn prepare_at(world: &World, count: usize, elsewhere: &BTreeMap<usize, PathBuf>) -> Result<Self, Skip> {
        let places = Self::places(world, count)?;
        Ok(Self::in_places(world, places, elsewhere, None))
    }

    /// The same in places that exist, by an older program if one is named.
    ///
    /// The members join as everybody does, over the network; the secretariat's node runs from then on.
    pub fn in_places(
        world: &World,
        places: Vec<Place>,
        elsewhere: &BTreeMap<usize, PathBuf>,
        program: Option<&Path>,
    ) -> Self {
        let node = |(index, place): (usize, &Place)| {
            let path = elsewhere.get(&index).cloned().unwrap_or_else(|| world.folder.join(format!("node-{index}")));
            let node = Node::at(&path).inside(place.name());
            let node = match program {
                Some(program) => node.by(program),
                None => node,
            };
            let class = if index == 0 { "secretariat" } else { "county" };
            node.run(&["init", "--name", NAMES[index], "--class", class]).ok();
            let settings = settings(index, places[0].address());
            std::fs::write(path.join("config.toml"), settings).expect("the directory was made");
            node
        };
        let mut nodes: Vec<Node> = places.iter().enumerate().map(node).collect();
        let invitation = world.folder.join("invitation.json").to_string_lossy().into_owned();
        nodes[0].run(&["charter", "create", "--federation", "测试联盟"]).ok();
        nodes[0].start();
        nodes[0].run(&["charter", "invite", "--out", &invitation]).ok();
        for node in &nodes[1..] {
            node.run(&["join", &invitation]).ok();
        }
        nodes[0].run(&["charter", "admit", "--all", "--yes"]).ok();
        Self { nodes, places, folder: world.folder.clone() }
    }

    /// Starts every node and waits until all may sign and agree.
    pub fn start(&mut self) {
        for node in &mut self.nodes[1..] {
            node.start();
        }
        self.nodes.iter().for_each(Node::wait_ready_to_sign);
        self.wait_equal(REST);
        let all = self.nodes.len() - 1;
        wait("everybody is linked with somebody", SOON, || self.nodes.iter().all(|node| linked(node) >= all.min(1)));
    }

    /// Places of so many members.
    pub fn places(world: &World, count: usize) -> Result<Vec<Place>, Skip> {
        let place = |index| Place::linked(&format!("n{index}"), address(index), &world.router);
        Ok((0..count).map(place).collect::<Result<_, String>>()?)
    }

    /// Prepares and starts so many members.
    pub fn found(world: &World, count: usize) -> Result<Self, Skip> {
        let mut federation = Self::prepare(world, count)?;
        federation.start();
        Ok(federation)
    }

    /// Waits until all nodes hold the same, with every body.
    #[track_caller]
    pub fn wait_equal(&self, limit: Duration) {
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        self.wait_equal_among(&all, limit);
    }

    /// Waits until some nodes hold the same, with every body.
    #[track_caller]
    pub fn wait_equal_among(&self, nodes: &[usize], limit: Duration) {
        let begun = Instant::now();
        loop {
            let seen: Vec<(String, u64, bool)> = nodes.iter().map(|index| standing(&self.nodes[*index])).collect();
            if seen.iter().all(|standing| standing.2 && standing.0 == seen[0].0) {
                return;
            }
            if begun.elapsed() > limit {
                let told = nodes.iter().map(|index| self.tell(*index)).collect::<Vec<_>>().join("\n");
                panic!("not equal and complete within {} s: {seen:?}\n{told}", limit.as_secs());
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// What a node says, for a failure's sake.
    fn tell(&self, index: usize) -> String {
        let node = &self.nodes[index];
        let (status, peers) = (node.run(&["status"]).json, node.run(&["peers"]).json);
        let counters = &status["counters"];
        format!("--- {index}: peers {peers}\ncounters {counters}\nlog:\n{}", tail(&node.log()))
    }

    /// The checks after every scenario: everybody holds the same and every body; what was acknowledged is everywhere;
    /// no log is forked; every byte verifies, here and in an export that is read elsewhere; and the doctor has nothing
    /// to say but what was expected, with a fix.
    #[track_caller]
    pub fn settle(&self, world: &mut World, expected: &[&str]) {
        world.say("核对", "checking");
        self.wait_equal(REST);
        for (index, node) in self.nodes.iter().enumerate() {
            let begun = Instant::now();
            // The list follows the entries a moment later.
            let (mut count, mut examples) = world.ledger.missing(&held(node));
            while count > 0 && begun.elapsed() < SOON {
                std::thread::sleep(Duration::from_millis(500));
                (count, examples) = world.ledger.missing(&held(node));
            }
            assert_eq!(count, 0, "node {index} lacks {count} acknowledged records, for instance {examples:?}");
            let heads = node.status()["heads"].as_array().cloned().unwrap_or_default();
            let forked: Vec<&Value> = heads.iter().filter(|head| !head["forked_at"].is_null()).collect();
            assert!(forked.is_empty(), "node {index} sees a fork: {forked:?}");
            let audited = node.run(&["audit"]);
            assert_eq!(audited.code, 0, "node {index}: audit: {}\n{}", audited.errors, audited.json);
            verify_export(node, &world.folder, index);
        }
        let told = self.wait_calm(expected);
        let acknowledged = world.ledger.len();
        world.checked(format!(
            "{acknowledged} 条在 {0} 个节点上齐全，摘要相同，审计与导出核验无误{1} · {acknowledged} records whole on {0} \
             nodes, equal digests, audit and export verify{2}",
            self.nodes.len(),
            if told.is_empty() { String::new() } else { format!("，诊断 {}", told.join(" ")) },
            if told.is_empty() { String::new() } else { format!(", doctor says {}", told.join(" ")) },
        ));
    }

    /// Waits until the doctor of every node says nothing but what is expected; returns what it says of that.
    #[track_caller]
    fn wait_calm(&self, expected: &[&str]) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let found: Vec<BTreeMap<String, Value>> = self.nodes.iter().map(findings).collect();
            let ids: BTreeSet<&String> = found.iter().flat_map(BTreeMap::keys).collect();
            let odd: Vec<&&String> = ids
                .iter()
                .filter(|id| !expected.contains(&id.as_str()) && !NOBODYS_FAULT.contains(&id.as_str()))
                .collect();
            if odd.is_empty() {
                let told = ids.into_iter().filter(|id| expected.contains(&id.as_str()));
                return told.cloned().collect();
            }
            if begun.elapsed() > CALM {
                panic!("the doctor goes on saying {odd:?}: {found:?}");
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

/// The settings of a member: the usual ones but for the paces, and there are no pages. Only what is to differ is written
/// down, so that older programs can read it.
fn settings(index: usize, first: Ipv4Addr) -> String {
    let peers = if index == 0 { String::new() } else { format!("\"{}\"", dialled(first)) };
    format!(
        "[network]\npeers = [{peers}]\n\n[portal]\nlisten = \"\"\n\n[timing]\nsync_seconds = {SYNC_SECONDS}\n\
         beacon_seconds = {BEACON_SECONDS}\ngrace_seconds = {GRACE_SECONDS}\n\n[alarms]\n\
         check_seconds = {CHECK_SECONDS}\n"
    )
}

/// Digest, number of entries, and whether every body is there; nothing of a node that does not answer.
pub fn standing(node: &Node) -> (String, u64, bool) {
    let status = node.run(&["status"]).json;
    let digest = status["digest"].as_str().unwrap_or_default().to_owned();
    let complete = !digest.is_empty() && status["complete"] == true;
    (digest, status["entries"].as_u64().unwrap_or_default(), complete)
}

/// With how many members a node is connected.
pub fn linked(node: &Node) -> usize {
    let peers = node.run(&["peers"]).json;
    let members = peers.as_array().into_iter().flatten().filter(|peer| peer["member"].is_object());
    members.count()
}

/// Whether a node is connected with that member.
pub fn is_linked(node: &Node, number: usize) -> bool {
    let peers = node.run(&["peers"]).json;
    peers.as_array().into_iter().flatten().any(|peer| peer["member"]["number"] == number)
}

/// What the doctor says, by id. Everything that it says has a cause and a fix in both languages.
#[track_caller]
pub fn findings(node: &Node) -> BTreeMap<String, Value> {
    let outcome = node.run(&["doctor"]);
    assert!([0, 13, 14].contains(&outcome.code), "doctor ends with {}: {}", outcome.code, outcome.errors);
    let list = outcome.json["findings"].as_array().cloned().unwrap_or_default();
    let named = list.into_iter().map(|finding| {
        let words = ["what_zh", "what_en", "cause_zh", "cause_en", "fix_zh", "fix_en"];
        assert!(words.iter().all(|word| finding[word].as_str().is_some_and(|text| !text.is_empty())), "{finding}");
        (finding["id"].as_str().expect("a finding has an id").to_owned(), finding)
    });
    named.collect()
}

/// Waits until the doctor says one of these.
#[track_caller]
pub fn wait_found(node: &Node, ids: &[&str]) -> String {
    let mut seen = None;
    wait(&format!("the doctor says {ids:?}"), SOON, || {
        let found = findings(node);
        seen = ids.iter().find(|id| found.contains_key(**id)).map(|id| (*id).to_owned());
        seen.is_some()
    });
    seen.unwrap_or_default()
}

fn verify_export(node: &Node, folder: &Path, index: usize) {
    let path = folder.join(format!("export-{index}.bundle"));
    let text = path.to_string_lossy().into_owned();
    let exported = node.run(&["export", "--out", &text]);
    assert_eq!(exported.code, 0, "node {index}: export: {}", exported.errors);
    let verified = node.run(&["verify", &text]);
    assert_eq!(verified.code, 0, "node {index}: verify: {}\n{}", verified.errors, verified.json);
    let _ = std::fs::remove_file(path);
}
