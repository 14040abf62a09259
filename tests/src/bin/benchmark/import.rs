//! Import of one sheet by one member, durable, against signing and appending the same bytes on one core with an fsync
//! per batch of the same size.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use harness::node::Node;
use harness::sheet;
use protocol::testing::Organisation;

use crate::machine;

const BATCH: usize = 1_000;

pub fn run(records: usize) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut node = Node::init(folder.path().join("node"), "奉节县", "secretariat", &[]);
    node.run(&["charter", "create", "--federation", "测试联盟"]).ok();
    node.start();
    node.wait_ready_to_sign();
    let file = sheet::demands(folder.path(), 0, records);
    let begun = Instant::now();
    let report = node.run(&["import", &file.to_string_lossy()]).ok();
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(report["published"].as_u64(), Some(records as u64), "{report}");
    let memory = machine::peak_memory_bytes(node.process_id());
    let out = folder.path().join("all.bundle");
    node.run(&["export", "--out", &out.to_string_lossy()]).ok();
    let entry_bytes = std::fs::metadata(&out).map_or(0, |metadata| metadata.len());
    node.stop();
    let store = machine::bytes_on_disk(&node.directory().join("store"));
    let journal = machine::bytes_on_disk(&node.directory().join("journal"));

    let baseline = baseline(records, entry_bytes as usize / records);
    let rate = |seconds: f64| records as f64 / seconds;
    println!("import: {records} records in {seconds:.2} s, {:.0}/s, command line and checks included", rate(seconds));
    println!("  baseline, one core signs and appends, fsync per {BATCH}: {baseline:.2} s, {:.0}/s", rate(baseline));
    println!("  ratio of rates {:.2} (target: at least 0.5)", baseline / seconds);
    let ratio = (store + journal) as f64 / entry_bytes as f64;
    println!("  disk on the author's node: {:.2} of the entries' own bytes (target: at most 2.5)", ratio);
    println!("  peak memory of the node: {} MiB (target: under 300)", memory / 1_048_576);
}

/// Seconds that one core takes to sign and append as many entries of that size.
fn baseline(records: usize, entry_bytes: usize) -> f64 {
    let (charter, author) = Organisation::found("秘书处", 1);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut file = std::fs::File::create(folder.path().join("log")).expect("a temporary directory can be written to");
    let body = vec![7; entry_bytes.saturating_sub(188).max(16)];
    let begun = Instant::now();
    let mut previous: Option<Arc<_>> = None;
    let mut bytes = Vec::new();
    for number in 0..records {
        let entry = author.entry(&charter, previous.as_deref(), charter.tip_block().time_ms, 102, body.clone());
        bytes.extend_from_slice(&entry.encode());
        previous = Some(entry);
        if number % BATCH == BATCH - 1 {
            file.write_all(&bytes).and_then(|()| file.sync_data()).expect("the disk has room");
            bytes.clear();
        }
    }
    begun.elapsed().as_secs_f64()
}
