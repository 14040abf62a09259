//! Nothing that the store acknowledged is lost in a power cut or on a full disk.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use harness::power::Disk;
use node::store::{Opened, Settings, Store, StoreError};
use protocol::charter::Class;
use protocol::entry::VerifiedEntry;
use protocol::identity::public_key;
use protocol::testing::Organisation;

const ROUNDS: u32 = 5;
const SIZE_MIB: u64 = 256;
const SMALL_MIB: u64 = 24;
const BALLAST_BYTES: usize = 8 * 1024 * 1024;
const PAUSE_US_MAX: u64 = 20_000;

/// What was acknowledged: per log its length and the id of its last entry.
type Acknowledged = BTreeMap<u32, (u64, String)>;

#[test]
fn nothing_acknowledged_is_lost_in_a_power_cut() {
    let mut disk = match Disk::new(SIZE_MIB) {
        Ok(disk) => disk,
        Err(reason) => return println!("skipped: no disk whose power can be cut: {reason}"),
    };
    let seed = std::env::var("XIANMENG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let rounds = std::env::var("XIANMENG_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    println!("seed {seed}, {rounds} rounds");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut acknowledged = Acknowledged::new();
    for round in 0..rounds {
        let directory = disk.path().join("node");
        let lines = random.usize(..40);
        let pause = Duration::from_micros(random.u64(..PAUSE_US_MAX));
        write_until_cut(&disk, &directory, random.u64(..), lines, pause, &mut acknowledged);
        disk.restore().expect("the disk comes back");
        check(&directory, &acknowledged);
        println!("round {round}: cut {pause:?} after {lines} commits; {acknowledged:?}");
    }
}

fn write_until_cut(
    disk: &Disk,
    directory: &Path,
    seed: u64,
    lines: usize,
    pause: Duration,
    acknowledged: &mut Acknowledged,
) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_store-writer"))
        .arg(directory)
        .arg(seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the writer starts");
    let mut output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut note = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        let [log, length, id] = words[..] else { panic!("the writer wrote `{line}`") };
        let number = |word: &str| word.parse().expect("it is a number");
        acknowledged.insert(number(log) as u32, (number(length), id.to_owned()));
    };
    // The pause alone decides a cut that falls into the opening.
    (&mut output).take(lines).for_each(|line| note(line.expect("the writer is heard")));
    sleep(pause);
    disk.cut().expect("the power can be cut");
    child.kill().expect("the writer can be ended");
    // What stands in the pipe was acknowledged before the cut.
    output.map_while(Result::ok).for_each(&mut note);
    child.wait().expect("the writer ends");
}

fn check(directory: &Path, acknowledged: &Acknowledged) {
    let (charter, _) = Organisation::found("秘书处", 1);
    let own = public_key(&Organisation::new("奉节县", Class::County, 2).signing);
    let opened = Store::open(directory, charter.blocks()[0].clone(), Some(own), &Settings::default());
    let Opened { store, replica, report } = opened.expect("the store opens after the cut");
    assert_eq!(report.damaged, [], "a power cut damages nothing");
    assert!(replica.is_complete());
    for (log, (length, id)) in acknowledged {
        let found = replica.id(*log, length - 1).map(|id| id.to_string());
        assert_eq!(found.as_ref(), Some(id), "log {log} held {length} entries");
        let read = store.range(*log, 0, usize::MAX, usize::MAX).expect("everything can be read");
        assert_eq!(read.len() as u64, replica.length(*log));
    }
    drop(store);
}

#[test]
fn a_full_disk_stops_the_store_and_loses_nothing() {
    let disk = match Disk::new(SMALL_MIB) {
        Ok(disk) => disk,
        Err(reason) => return println!("skipped: no disk that can be filled: {reason}"),
    };
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![7; BALLAST_BYTES]).expect("it fits");
    let directory = disk.path().join("node");
    let mut acknowledged = Acknowledged::new();
    let error = fill(&directory, &mut acknowledged);
    println!("full after {acknowledged:?}: {}", error.chain());
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error:?}");
    fs::remove_file(ballast).expect("it was there");
    check(&directory, &acknowledged);
}

/// Commits one's own entries until the store refuses.
fn fill(directory: &Path, acknowledged: &mut Acknowledged) -> StoreError {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let (genesis, county) = (charter.blocks()[0].clone(), Organisation::new("奉节县", Class::County, 2));
    secretariat.admit(&mut charter, &county);
    let own = Some(public_key(&county.signing));
    let opened = Store::open(directory, genesis, own, &Settings::default()).expect("there is space");
    let Opened { store, mut replica, .. } = opened;
    let mut changes = Vec::new();
    let block = charter.blocks()[1].clone();
    replica.append_block(block, &store, &mut changes).expect("the block follows the tip");
    store.commit(&[], &changes).expect("there is space");
    let (mut random, mut previous) = (fastrand::Rng::with_seed(1), None);
    loop {
        let mut entries: Vec<Arc<VerifiedEntry>> = Vec::new();
        for _ in 0..20 {
            let last = entries.last().cloned().or(previous.take());
            let body = (0..2_000).map(|_| random.u8(..)).collect();
            entries.push(county.entry(&charter, last.as_deref(), charter.tip_block().time_ms, 102, body));
        }
        let mut changes = Vec::new();
        for entry in &entries {
            replica.insert(entry, &store, &mut changes);
        }
        if let Err(error) = store.commit(&entries, &changes) {
            assert!(matches!(store.commit(&[], &[]), Err(StoreError::Stopped { .. })));
            return error;
        }
        previous = entries.last().cloned();
        let id = entries.last().map(|entry| entry.id().to_string());
        acknowledged.insert(1, (replica.length(1), id.expect("a batch has entries")));
    }
}
