//! The pages of the portal at a real node with 800 members and many records: how long until the first byte of each, and
//! how many bytes it is compressed, against what the API takes for the state of all members as JSON.

use std::time::{Duration, Instant};

use harness::node::wait;
use harness::portal::Reader;

use crate::catch_up::{federation, fill, member};
use crate::matching::entries;

/// Times that each page is asked for, after one that is not counted.
const RUNS: usize = 20;
/// What the first byte may take, and what a page may be.
const TARGET_MS: f64 = 100.0;
const TARGET_BYTES: usize = 300_000;
const PAGES: [&str; 12] = [
    "/",
    "/members",
    "/members?lang=en",
    "/members/2",
    "/topology",
    "/topology/graph",
    "/custody",
    "/duties",
    "/indicators",
    "/bulletins",
    "/alarms",
    "/node",
];

pub fn run(records: usize) {
    let (charter, organisations) = federation();
    let entries = entries(&charter, &organisations, records / organisations.len());
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut node = member(folder.path().join("node"), &charter, &organisations[0], &[]);
    fill(&node, &charter, &entries);
    node.start();
    let (members, held) = (organisations.len(), entries.len());
    drop(entries);
    wait("everything is derived", Duration::from_secs(1_200), || {
        let status = node.get("/v1/search/status");
        status["lag"]["state"] == "following"
            && status["lag"]["records"] == 0
            && node.get("/v1/indicators")["complete"] == true
    });
    let reader = Reader::enter(&node);
    println!("board: {members} members, {held} entries, each page {RUNS} times after one that is not counted");
    let (mut slowest_ms, mut largest) = (0_f64, 0);
    for path in PAGES {
        reader.page(path);
        let mut times: Vec<f64> = Vec::with_capacity(RUNS);
        let mut bytes = 0;
        for _ in 0..RUNS {
            let begun = Instant::now();
            let mut response = reader.ask(path, "gzip");
            // The head arrives with the first of the body, which is made whole before it is sent.
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            bytes = response.body_mut().read_to_vec().expect("a page").len();
        }
        times.sort_by(f64::total_cmp);
        let (middle, longest) = (times[RUNS / 2], times[RUNS - 1]);
        println!("  {path:<18} first byte p50 {middle:>6.1} ms, longest {longest:>6.1} ms; {bytes:>7} bytes");
        slowest_ms = slowest_ms.max(longest);
        largest = largest.max(bytes);
    }
    let begun = Instant::now();
    (0..RUNS).for_each(|_| drop(node.get("/v1/health")));
    let baseline_ms = begun.elapsed().as_secs_f64() * 1_000.0 / RUNS as f64;
    node.stop();
    println!(
        "  the slowest answer {slowest_ms:.1} ms (target: {TARGET_MS}), the largest page {largest} bytes (target: {TARGET_BYTES})"
    );
    println!(
        "  baseline, the state of all members as JSON from the API: {baseline_ms:.1} ms, ratio {:.1}",
        slowest_ms / baseline_ms
    );
}
