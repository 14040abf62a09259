//! What the store costs: run it with `--ignored --nocapture`.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use protocol::entry::VerifiedEntry;
use protocol::replica::Replica;
use tempfile::tempdir_in;

use super::bodies::{body_with_remark, samples};
use super::world::World;

const ENTRIES: usize = 100_000;
const BATCH: usize = 1_000;

/// 100,000 entries of 800 logs would arrive mixed; here one log stands for a first sync and ten for a busy day.
#[test]
#[ignore = "a measurement"]
fn measure_a_hundred_thousand_entries() {
    let mut world = World::new(31);
    let (samples, other) = (samples(), world.other.clone());
    let mut chain: Vec<Arc<VerifiedEntry>> = Vec::new();
    for _ in 0..ENTRIES {
        let (kind, body) = body_with_remark(&samples, &mut world.random);
        let entry = world.entry(&other, chain.last(), kind, body);
        chain.push(entry);
    }
    let canonical: Vec<Vec<u8>> = chain.iter().map(|entry| entry.encode()).collect();
    let bytes: usize = canonical.iter().map(Vec::len).sum();
    println!("{ENTRIES} entries, {} bytes each, of which body {}", bytes / ENTRIES, bytes / ENTRIES - 188);

    let base = std::env::var_os("XIANMENG_MEASURE_DIRECTORY").unwrap_or_else(|| std::env::temp_dir().into());
    let directory = tempdir_in(base).expect("a directory");
    let start = Instant::now();
    let path = directory.path().join("plain");
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("it opens");
    for batch in canonical.chunks(BATCH) {
        file.write_all(&batch.concat()).and_then(|()| file.sync_data()).expect("it is written");
    }
    let plain = start.elapsed();

    let path = directory.path().join("node");
    let mut node = world.found(&path);
    let start = Instant::now();
    for batch in chain.chunks(BATCH) {
        node.take(None, batch);
    }
    let written = start.elapsed();
    let figures = node.store.statistics();
    let rate = |elapsed: std::time::Duration| ENTRIES as f64 / elapsed.as_secs_f64();
    let ratio = figures.store_bytes as f64 / bytes as f64;
    println!("plain append and fsync: {:.0} entries/s", rate(plain));
    println!("store: {:.0} entries/s ({:.2} x plain)", rate(written), rate(written) / rate(plain));
    println!("store: {} bytes on disk per entry, {ratio:.2} x canonical", figures.store_bytes as usize / ENTRIES);
    read(&mut world, &node.store, &chain);
    drop(node);
    for _ in 0..3 {
        let start = Instant::now();
        let node = world.open(&path);
        let elapsed = start.elapsed();
        let figures = node.store.statistics();
        println!(
            "reopened in {:.2} s, {:.2} x canonical",
            elapsed.as_secs_f64(),
            figures.store_bytes as f64 / bytes as f64
        );
        assert_eq!((node.report.damaged.len(), length(&node.replica)), (0, ENTRIES as u64));
    }
    assert!(ratio <= 1.5, "{ratio}");
}

fn length(replica: &Replica) -> u64 {
    replica.frontier().entries()
}

fn read(world: &mut World, store: &super::super::Store, chain: &[Arc<VerifiedEntry>]) {
    let start = Instant::now();
    for _ in 0..ENTRIES {
        let sequence = world.random.usize(..ENTRIES);
        let found = store.entry(2, sequence as u64).expect("it reads").expect("it is there");
        assert_eq!(found.id(), chain[sequence].id());
    }
    println!("single reads: {:.0}/s", ENTRIES as f64 / start.elapsed().as_secs_f64());
    let (start, mut from) = (Instant::now(), 0);
    while from < ENTRIES {
        from += store.range(2, from as u64, 4_096, 256 * 1_024).expect("it reads").len();
    }
    println!("range reads: {:.0}/s", ENTRIES as f64 / start.elapsed().as_secs_f64());
}

/// A node that takes in one entry at a time.
#[test]
#[ignore = "a measurement"]
fn measure_commits_of_one_entry() {
    let mut world = World::new(32);
    let county = world.county.clone();
    let chain = world.chain(&county, None, 500);
    let directory = tempfile::tempdir().expect("a directory");
    let mut node = world.found(directory.path());
    let start = Instant::now();
    for entry in &chain {
        node.take(Some(world.own()), std::slice::from_ref(entry));
    }
    println!("{:.2} ms per own entry, journal and store", start.elapsed().as_secs_f64() * 1_000.0 / 500.0);
    println!("{:?}", node.store.statistics());
}
