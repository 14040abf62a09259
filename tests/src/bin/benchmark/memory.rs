//! What a node needs for the records that it holds, split by what can be told apart.
//!
//! Replica, view and catalogue are made one after the other in this process and measured by what it grows; so are the
//! store and the index of a node that has stopped. The whole is measured on that node while it runs, and what no part
//! accounts for is the rest: network, interfaces, buffers, and room that the allocator keeps.
//!
//! `XIANMENG_BENCH_UNDER` is a command to run the node under, for instance one that limits its memory.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::node::{Node, wait};
use node::search::{Query, SearchIndex};
use node::store::Store;
use protocol::charter::{Charter, LogNumber};
use protocol::entry::VerifiedEntry;
use protocol::identity::EntryId;
use protocol::kind::KindSet;
use protocol::matching::{Catalogue, Profile, Rules};
use protocol::replica::{EntrySource, Replica};
use protocol::view::{BodySource, Keeper, Place};

use crate::catch_up::{entries, federation, fill, member};
use crate::machine::{self, Memory};

/// How long a node may take to start, and to look at all its records.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// How long a node that has nothing to do is looked at, and the part of a processor that it may use meanwhile.
const QUIET: Duration = Duration::from_secs(4);
const BUSY_PART: f64 = 0.03;
const MEBIBYTE: f64 = 1_048_576.0;

pub fn run(records: usize) {
    let (charter, organisations) = federation();
    let entries = entries(&charter, &organisations, records.div_ceil(organisations.len()));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let under = std::env::var("XIANMENG_BENCH_UNDER").unwrap_or_default();
    let under: Vec<&str> = under.split_whitespace().collect();
    let mut node = member(folder.path().join("node"), &charter, &organisations[0], &[]).under(&under);
    let records = entries.len();
    println!("memory: {records} records, all of them in the catalogue");
    let parts = parts(&charter, &entries);
    parts.iter().for_each(|(part, bytes)| println!("  {part}: {}", of_each(*bytes as f64, records)));
    node.start();
    let empty = machine::memory(node.process_id());
    node.stop();
    fill(&node, &charter, &entries);
    drop(entries);
    say("node without records", empty, records);

    start(&mut node, "first start");
    in_step(&node);
    say("index and catalogue made", machine::memory(node.process_id()), records);
    node.stop();
    start(&mut node, "second start");
    in_step(&node);
    say("index and catalogue in step", machine::memory(node.process_id()), records);
    ask(&node);
    // Only now the dictionary of words is in memory, which the index by itself counts too.
    let whole = machine::memory(node.process_id());
    say("lists and searches asked", whole, records);
    assert_eq!(node.status()["records"].as_u64(), Some(records as u64));
    node.stop();

    let other = [("node without records", empty.anonymous_bytes)];
    let opened = opened(node.directory(), &charter, parts[0].1);
    let told: Vec<(&str, u64)> = parts.into_iter().chain(opened).chain(other).collect();
    let sum: u64 = told.iter().map(|(_, bytes)| bytes).sum();
    let rest = whole.anonymous_bytes as f64 - sum as f64;
    println!("  of the memory of its own in the end, {}:", of_each(whole.anonymous_bytes as f64, records));
    told.iter().for_each(|(part, bytes)| println!("    {part}: {}", of_each(*bytes as f64, records)));
    println!("    rest: {}", of_each(rest, records));
    println!("  index on disk: {}", of_each(machine::bytes_on_disk(&node.directory().join("search")) as f64, records));
}

/// Entries in memory.
struct Shelf<'a> {
    logs: Vec<&'a [Arc<VerifiedEntry>]>,
}

impl EntrySource for Shelf<'_> {
    fn entry(&self, log: LogNumber, sequence: u64) -> Option<Arc<VerifiedEntry>> {
        self.logs.get(log as usize)?.get(sequence as usize).cloned()
    }

    fn displaced(&self, _: &EntryId) -> Option<Arc<VerifiedEntry>> {
        None
    }
}

impl BodySource for Shelf<'_> {
    fn body(&self, place: Place) -> Option<Arc<[u8]>> {
        self.entry(place.log, place.sequence)?.body().cloned()
    }
}

/// What replica, view and catalogue of these entries take.
fn parts(charter: &Charter, entries: &[Arc<VerifiedEntry>]) -> Vec<(&'static str, u64)> {
    let shelf = Shelf { logs: entries.chunk_by(|one, next| one.header().key == next.header().key).collect() };
    let (rules, kinds) = (Rules::builtin(), KindSet::builtin());
    let (replica, replica_bytes) = grown(|| {
        let mut replica = Replica::new(charter.clone());
        for entry in entries {
            let log = charter.log_of(&entry.header().key).expect("every author is a member").number;
            assert!(replica.restore(log, entry), "the entries are chains");
        }
        replica
    });
    let (keeper, view_bytes) = grown(|| Keeper::build(kinds, &replica, &shelf));
    let (catalogue, catalogue_bytes) = grown(|| {
        let mut catalogue = Catalogue::default();
        for id in keeper.view().ids(u64::MAX) {
            let state = keeper.view().record(&id, u64::MAX, &shelf);
            let profile = state.and_then(|state| Profile::of(rules, kinds, &state, ""));
            catalogue.put(profile.expect("every record can be matched"));
        }
        catalogue
    });
    assert_eq!((keeper.view().len(), catalogue.len()), (entries.len(), entries.len()));
    vec![("replica", replica_bytes), ("view", view_bytes), ("catalogue", catalogue_bytes)]
}

/// What the store and the index of a node that has stopped take.
fn opened(directory: &Path, charter: &Charter, replica: u64) -> [(&'static str, u64); 2] {
    let (_store, store) = grown(|| {
        Store::open(directory, charter.blocks()[0].clone(), None, &Default::default()).expect("the node has stopped")
    });
    let (_index, index) = grown(|| {
        let (index, _) = SearchIndex::open(&directory.join("search")).expect("the node has stopped");
        let query = Query { words: "配套企业".to_owned(), ..Query::default() };
        index.search(&query, node::core::now_ms()).expect("an answer");
        index
    });
    [("store", store.saturating_sub(replica)), ("index, read and not written", index)]
}

/// What something takes, by the memory of its own that this process has more when it is made.
fn grown<T>(make: impl FnOnce() -> T) -> (T, u64) {
    let own = || machine::memory(std::process::id()).anonymous_bytes;
    let before = own();
    let made = make();
    (made, own().saturating_sub(before))
}

fn start(node: &mut Node, what: &str) {
    let begun = Instant::now();
    node.start_within(PATIENCE);
    println!("  {what}: {:.1} s", begun.elapsed().as_secs_f64());
}

/// Waits until everything is found and can be matched: the index says so of itself, and the catalogue, which is filled
/// in the same round over all records, keeps the node busy until then.
fn in_step(node: &Node) {
    let begun = Instant::now();
    wait("index and catalogue are in step", PATIENCE, || {
        let before = machine::processor_seconds(node.process_id());
        std::thread::sleep(QUIET);
        let busy = machine::processor_seconds(node.process_id()) - before;
        let lag = &node.get("/v1/search/status")["lag"];
        lag["state"] == "following" && lag["records"] == 0 && busy < QUIET.as_secs_f64() * BUSY_PART
    });
    println!("    in step after {:.1} s more", begun.elapsed().as_secs_f64());
}

/// Asks for lists and searches, as people do.
fn ask(node: &Node) {
    for number in 0..50 {
        node.get("/v1/records?kind=demand&limit=100");
        node.get(&format!("/v1/search?words=%E7%AC%AC{number}%E5%8F%B7"));
    }
}

fn say(when: &str, memory: Memory, records: usize) {
    println!(
        "    {when}: {:.0} MiB resident, of it {} of its own; peak {:.0} MiB",
        memory.resident_bytes as f64 / MEBIBYTE,
        of_each(memory.anonymous_bytes as f64, records),
        memory.peak_bytes as f64 / MEBIBYTE,
    );
}

fn of_each(bytes: f64, records: usize) -> String {
    format!("{:.1} MiB ({:.0} bytes for each record)", bytes / MEBIBYTE, bytes / records as f64)
}
