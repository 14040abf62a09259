//! Two hundred nodes in one process (or as many as `XIANMENG_SWARMS` says), for figures beside those of the simulator: charter, store, swarm, gossip, sync,
//! beacons and dialer are those of a node; only the wire is memory, and there is no index and no API.
//!
//! `TMPDIR=/dev/shm cargo test --release -p xianmeng-node --lib two_hundred_swarms -- --ignored --nocapture`, and beside it
//! `cargo simulate --scenarios tests/scenarios/large measure swarms swarms_idle`: the same members, links and pace, counted
//! from the start on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::charter::{Charter, Class, LogNumber, Operation, Purpose};
use protocol::entry::Draft;
use protocol::identity::{FrontierDigest, MemberNumber, public_key};
use protocol::testing::Organisation;
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::network::{Started, start_network};
use crate::config::Config;
use crate::core::Core;
use crate::directory::keystore::KeyName;
use crate::directory::{DataDirectory, Profile};
use crate::gate::Gate;
use crate::store::{Settings, Store};

/// Nodes, unless something else is asked for.
const MEMBERS: usize = 200;
/// Others that each dials.
const LINKS: usize = 3;
/// Members that one block admits.
const ADMITTED_TOGETHER: usize = 50;
/// Entries whose way is followed.
const ENTRIES: usize = 120;
/// The pause between two of them.
const PAUSE: Duration = Duration::from_millis(1_000);
/// How long the nodes have had for their first sessions and addresses when entries are published.
const WARM_UP: Duration = Duration::from_secs(3 * 60);
/// How long nobody publishes before it counts as idle: beacons go on telling for a while who holds what.
const CALM: Duration = Duration::from_secs(15 * 60);
/// For how long the bytes of idle nodes are counted.
const IDLE: Duration = Duration::from_secs(5 * 60);
/// How long everybody may take to come to one digest.
const PATIENCE: Duration = Duration::from_secs(300);
/// The first address in memory of each test: an address is taken within the whole process.
const FIGURES_ADDRESS: u64 = 7_000;
const THREADS_ADDRESS: u64 = 6_000;
/// Bytes of a body.
const BODY_BYTES: usize = 200;
/// A kind that nobody knows: what records mean costs the same in both.
const KIND: u16 = 60_000;

struct Swarm {
    core: Core,
    started: Started,
    _tasks: JoinSet<()>,
}

/// When an entry was committed at a node.
type Arrivals = Arc<Mutex<Vec<(LogNumber, u64, Instant)>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "half an hour, for figures"]
async fn two_hundred_swarms() {
    let seed = std::env::var("XIANMENG_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    println!("XIANMENG_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let members = std::env::var("XIANMENG_SWARMS").ok().and_then(|text| text.parse().ok()).unwrap_or(MEMBERS);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let swarms = found(&folder, members, FIGURES_ADDRESS, &mut random).await;
    let settled = Instant::now();
    let digest = agree(&swarms).await;
    println!("{members} nodes, {LINKS} dialled by each; at one digest {digest} after {:?}", settled.elapsed());

    tokio::time::sleep(WARM_UP).await;
    let arrivals: Vec<Arrivals> = swarms.iter().map(|swarm| watch(swarm.core.clone())).collect();
    let (before, begun) = (stream_bytes(&swarms), Instant::now());
    let mut published = BTreeMap::new();
    for number in 0..ENTRIES {
        let author = random.usize(..members);
        let core = &swarms[author].core;
        let body: Vec<u8> = (0..BODY_BYTES).map(|_| random.u8(..)).collect();
        let entries = core.publish(vec![Draft { kind: KIND, body }]).await.expect("it may sign");
        let (_, log) = core.own().expect("it is a member");
        published.insert((log, entries[0].header().sequence), (author, Instant::now()));
        tokio::time::sleep_until((begun + PAUSE * (number as u32 + 1)).into()).await;
    }
    agree(&swarms).await;
    print_rates("publishing", &before, &stream_bytes(&swarms), begun.elapsed());
    print_times(&published, &arrivals);

    tokio::time::sleep(CALM).await;
    let before = stream_bytes(&swarms);
    tokio::time::sleep(IDLE).await;
    print_rates("idle", &before, &stream_bytes(&swarms), IDLE);
    for swarm in swarms {
        swarm.started.network.shutdown().await;
    }
}

/// Sessions that wait for their peers hold no thread: many at once would leave none for those that could go on.
#[test]
fn nodes_agree_with_one_thread_for_all_that_blocks() {
    let runtime = Builder::new_multi_thread().worker_threads(2).max_blocking_threads(1).enable_all().build();
    runtime.expect("threads").block_on(async {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let swarms = found(&folder, 4, THREADS_ADDRESS, &mut fastrand::Rng::with_seed(1)).await;
        agree(&swarms).await;
        for swarm in &swarms {
            swarm.core.publish(vec![Draft { kind: KIND, body: vec![1; BODY_BYTES] }]).await.expect("it may sign");
        }
        agree(&swarms).await;
        for swarm in swarms {
            swarm.started.network.shutdown().await;
        }
    });
}

/// The nodes of a new federation, each connected with a few others at random.
async fn found(folder: &TempDir, members: usize, first_address: u64, random: &mut fastrand::Rng) -> Vec<Swarm> {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let mut organisations = vec![secretariat.clone()];
    organisations
        .extend((1..members).map(|number| Organisation::new(&format!("县{number}"), Class::County, number as u32 + 1)));
    for together in organisations[1..].chunks(ADMITTED_TOGETHER) {
        let first = charter.next_member().0;
        let admit = |(place, organisation): (usize, &Organisation)| Operation::Admit {
            member: MemberNumber(first + place as u32),
            application: organisation.application(&charter.federation()),
        };
        let operations = together.iter().enumerate().map(admit).collect();
        secretariat.try_append(&mut charter, operations).expect("the admissions keep every rule");
    }
    let address = |number: usize| format!("/memory/{}", first_address + number as u64);
    let mut swarms = Vec::new();
    for (number, organisation) in organisations.iter().enumerate() {
        // Nobody dials itself; the first have to dial those who come later.
        let peers = (0..LINKS).map(|_| address((number + 1 + random.usize(..members - 1)) % members)).collect();
        swarms
            .push(start(&folder.path().join(number.to_string()), &charter, organisation, address(number), peers).await);
    }
    swarms
}

async fn start(
    path: &Path,
    charter: &Charter,
    organisation: &Organisation,
    listen: String,
    peers: Vec<String>,
) -> Swarm {
    let mut config = Config::default();
    (config.network.listen, config.network.peers, config.network.discovery) = (vec![listen], peers, false);
    (config.timing.sync_seconds, config.timing.beacon_seconds) = (60, 600);
    let profile = Profile { name: organisation.name.clone(), class: "county".into(), region: String::new() };
    let keys = [
        (Purpose::Signing, &organisation.signing),
        (Purpose::Transport, &organisation.transport),
        (Purpose::Encryption, &organisation.encryption),
        (Purpose::Governance, &organisation.governance),
    ];
    let keys: Vec<_> = keys.into_iter().map(|(purpose, key)| (KeyName::current(purpose), key.clone())).collect();
    let directory = DataDirectory::create_with(path, &profile, &config, &keys, None).expect("an empty directory");
    let keys = directory.keys().expect("they were just written");
    let genesis = charter.blocks()[0].clone();
    let opened =
        Store::open(path, genesis, Some(public_key(&keys.signing)), &Settings::default()).expect("a new store");
    let gate = Gate::new(path.to_owned(), &opened.report, false);
    let (core, events) = Core::start(opened.store, opened.replica, keys.signing.clone(), false);
    core.append_blocks(charter.blocks()[1..].to_vec()).await.expect("the blocks follow one another");
    let mut tasks = JoinSet::new();
    let started = start_network(&core, &keys, &config, events, gate, &directory, &mut tasks).await;
    Swarm { core, started: started.expect("the network starts"), _tasks: tasks }
}

/// Waits until all nodes may sign and have one digest, and are told nothing more.
async fn agree(swarms: &[Swarm]) -> FrontierDigest {
    let begun = Instant::now();
    let mut before = None;
    while begun.elapsed() < PATIENCE {
        let digests: Vec<_> =
            swarms.iter().map(|swarm| swarm.core.read(|state| state.replica.frontier().digest())).collect();
        let ready = swarms.iter().all(|swarm| swarm.core.publishing_obstacle().is_none());
        let one = digests.iter().all(|digest| *digest == digests[0]).then_some(digests[0]);
        if let Some(digest) = one.filter(|_| ready && one == before) {
            return digest;
        }
        before = one;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    panic!("the nodes did not come to one digest within {PATIENCE:?}: {}", standing(swarms).await);
}

/// Where everybody stands, for whoever has to find out why they do not agree.
async fn standing(swarms: &[Swarm]) -> String {
    let digests: BTreeSet<_> =
        swarms.iter().map(|swarm| swarm.core.read(|state| state.replica.frontier().digest())).collect();
    let mut obstacles: BTreeMap<String, usize> = BTreeMap::new();
    let (mut peers, mut entries) = (Vec::new(), Vec::new());
    for swarm in swarms {
        let obstacle = format!("{:?}", swarm.core.publishing_obstacle());
        *obstacles.entry(obstacle).or_default() += 1;
        peers.push(swarm.started.network.peers().await.map_or(0, |peers| peers.len()) as f64);
        let length = swarm.core.read(|state| {
            let logs = state.replica.charter().logs().iter();
            logs.map(|log| state.replica.length(log.number)).sum::<u64>()
        });
        entries.push(length as f64);
    }
    let (peers, entries) = (percentiles(peers), percentiles(entries));
    format!("{} digests, peers {peers}, entries {entries}, signing {obstacles:?}", digests.len())
}

/// Notes when entries are committed at a node.
fn watch(core: Core) -> Arrivals {
    let arrivals = Arrivals::default();
    let noted = Arc::clone(&arrivals);
    let mut changes = core.changes();
    let lengths = move |core: &Core| -> BTreeMap<LogNumber, u64> {
        core.read(|state| {
            let logs = state.replica.charter().logs().iter();
            logs.map(|log| (log.number, state.replica.length(log.number))).collect()
        })
    };
    let mut known = lengths(&core);
    tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            let now = Instant::now();
            for (log, length) in lengths(&core) {
                let before = known.insert(log, length).unwrap_or_default();
                noted.lock().extend((before..length).map(|sequence| (log, sequence, now)));
            }
        }
    });
    arrivals
}

/// Bytes that each node wrote to streams of its own making: sync and beacons, not gossip.
fn stream_bytes(swarms: &[Swarm]) -> Vec<u64> {
    swarms.iter().map(|swarm| swarm.started.network.statistics().stream_bytes_out).collect()
}

fn print_rates(what: &str, before: &[u64], after: &[u64], time: Duration) {
    let rates = before.iter().zip(after).map(|(before, after)| (after - before) as f64 / time.as_secs_f64());
    println!("{what}: bytes a second that a node sends for sync and beacons: {}", percentiles(rates.collect()));
}

fn print_times(published: &BTreeMap<(LogNumber, u64), (usize, Instant)>, arrivals: &[Arrivals]) {
    let mut waits: BTreeMap<(LogNumber, u64), Vec<f64>> = BTreeMap::new();
    for (node, arrived) in arrivals.iter().enumerate() {
        for (log, sequence, at) in arrived.lock().iter() {
            let Some((author, since)) = published.get(&(*log, *sequence)) else { continue };
            if *author != node {
                waits
                    .entry((*log, *sequence))
                    .or_default()
                    .push(at.saturating_duration_since(*since).as_secs_f64() * 1e3);
            }
        }
    }
    assert!(waits.values().all(|waits| waits.len() == arrivals.len() - 1) && waits.len() == published.len());
    let until = |part: f64| {
        let of_entry = |waits: &Vec<f64>| {
            let mut waits = waits.clone();
            waits.sort_by(f64::total_cmp);
            waits[((waits.len() as f64 * part).ceil() as usize).clamp(1, waits.len()) - 1]
        };
        percentiles(waits.values().map(of_entry).collect())
    };
    println!("{} entries: ms until half of the nodes have one: {}", waits.len(), until(0.5));
    println!("ms until 99 % have it: {}", until(0.99));
    println!("ms until all have it: {}", until(1.0));
}

fn percentiles(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let at = |part: f64| values[((values.len() as f64 * part) as usize).min(values.len() - 1)];
    format!("median {:.0}, 99 % {:.0}, most {:.0}", at(0.5), at(0.99), at(1.0))
}
