//! Damaged and lost databases: nothing wrong is served, everything wrong is named, nothing of one's own is lost.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::replica::Change;
use tempfile::tempdir;

use super::super::database::{Database, Pending, put};
use super::super::layout::{entry_key, head_key};
use super::super::{Damage, DamagedEntry, Flaw, JournalState, Missing, StoreError};
use super::world::World;

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it can be made");
    for entry in fs::read_dir(from).expect("it is there").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { drop(fs::copy(entry.path(), to)) }
    }
}

#[test]
fn own_entries_survive_the_loss_of_the_database() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(11));
    let (county, other) = (world.county.clone(), world.other.clone());
    let (own, theirs) = (world.chain(&county, None, 100), world.chain(&other, None, 20));
    let mut node = world.found(directory.path());
    own.chunks(30).for_each(|part| drop(node.take(Some(world.own()), part)));
    node.take(None, &theirs);
    drop(node);
    fs::remove_dir_all(directory.path().join("store")).expect("it was there");
    let mut node = world.open(directory.path());
    assert!(node.report.created);
    assert!(matches!(node.report.damaged[..], [Damage::RolledBack { found: 0, .. }]));
    assert_eq!(node.report.recovered, 100 + 2, "own entries and the blocks after the genesis block");
    assert_eq!(node.report.journal, JournalState::Consistent { journal_length: 100 });
    assert_eq!(node.served(1, &own), 100);
    assert_eq!(node.replica.charter().version(), world.charter.version());
    node.take(None, &theirs);
    drop(node);
    let node = world.open(directory.path());
    assert_eq!((node.report.damaged.len(), node.served(2, &theirs)), (0, 20));
}

/// Flips bits of files of the database and looks at what the store makes of it. `reopens` is how often the database
/// was opened again while it was written: what it then reads comes from a snapshot and pages, not from its log alone.
fn flip(seed: u64, rounds: usize, reopens: usize) {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(seed));
    let (county, other) = (world.county.clone(), world.other.clone());
    let (own, theirs) = (world.chain(&county, None, 280), world.chain(&other, None, 700));
    let mut node = world.found(directory.path());
    for (turn, (own_part, part)) in own.chunks(20).zip(theirs.chunks(50)).enumerate() {
        node.take(Some(world.own()), own_part);
        node.take(None, part);
        if turn < reopens {
            drop(node);
            node = world.open(directory.path());
        }
    }
    let digest = node.replica.frontier().digest();
    drop(node);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut named = 0;
    for round in 0..rounds {
        let scratch = tempdir().expect("a directory");
        copy(directory.path(), scratch.path());
        // Mostly the log, now and then one of the small files beside it.
        let files = files_of(&scratch.path().join("store"));
        let path =
            if random.u8(..4) > 0 { scratch.path().join("store/db") } else { random.choice(files).expect("one") };
        let file = OpenOptions::new().read(true).write(true).open(&path).expect("it opens");
        let length = file.metadata().expect("it is there").len();
        let (offset, mask) = (random.u64(..length), 1u8 << random.u8(..8));
        println!("seed {seed}, round {round}: byte {offset} of {length} in {} ^ {mask:#04x}", path.display());
        let mut byte = [0];
        file.read_exact_at(&mut byte, offset).expect("the byte is there");
        file.write_all_at(&[byte[0] ^ mask], offset).expect("the byte is written");
        drop(file);

        let mut node = world.open(scratch.path());
        let served = (node.served(1, &own), node.served(2, &theirs));
        assert_eq!(served.0, 280, "nothing of one's own is lost");
        assert_eq!(node.report.journal, JournalState::Consistent { journal_length: 280 });
        if node.report.damaged.is_empty() {
            assert_eq!((served.1, node.replica.frontier().digest()), (700, digest));
        } else {
            named += 1;
            println!("  {} -> {served:?}, missing {:?}", node.report.damaged[0], node.report.missing);
            assert!(node.report.moved_aside.as_ref().is_some_and(|path| path.join("db").exists()));
        }
        assert!(!node.store.statistics().damaged);
        // What is lost comes back from peers.
        node.take(None, &theirs[served.1..]);
        drop(node);
        let node = world.open(scratch.path());
        assert_eq!((node.report.damaged.len(), node.replica.frontier().digest()), (0, digest));
    }
    assert!(named > 0, "not one of the places mattered: the test tests nothing");
}

fn files_of(directory: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(directory).expect("it is there").flatten().map(|entry| entry.path());
    let mut found: Vec<_> =
        found.filter(|path| fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)).collect();
    found.sort();
    found
}

#[test]
fn a_flipped_byte_anywhere_is_found_or_harmless() {
    flip(12, 20, 0);
}

#[test]
fn a_flipped_byte_in_a_database_that_was_reopened_is_found_or_harmless() {
    flip(18, 20, 3);
}

#[test]
#[ignore = "a minute and a half; for changes of the store: cargo test --release -p xianmeng-node many_flipped -- --ignored"]
fn many_flipped_bytes() {
    for seed in 100..130 {
        flip(seed, 40, seed as usize % 14);
    }
}

type Tampering<'a> = &'a dyn Fn(&Database, &mut Pending);

/// Changes the database behind the store's back, in a way that sled itself cannot notice.
fn tamper(directory: &Path, change: impl FnOnce(&Database, &mut Pending)) {
    let database = Database::open(&directory.join("store"), 1_000_000).expect("it opens");
    let mut pending = Pending::new();
    change(&database, &mut pending);
    database.write(pending).expect("it is written");
}

#[test]
fn each_way_of_being_wrong_is_named() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(13));
    let other = world.other.clone();
    let chain = world.chain(&other, None, 50);
    let mut node = world.found(directory.path());
    node.take(None, &chain);
    drop(node);
    let key = |sequence| entry_key(2, sequence);
    let cases: [(&str, Flaw, u64, Tampering<'_>); 4] = [
        ("a changed value", Flaw::Check, 20, &|database, pending| {
            let mut value = database.get(&key(20)).expect("it reads").expect("it is there");
            value[60] ^= 4;
            put(pending, &key(20), &value).expect("it fits");
        }),
        ("a lost value", Flaw::Missing, 31, &|_, pending| drop(pending.insert(key(31).to_vec(), None))),
        ("a lost tail", Flaw::Missing, 45, &|_, pending| {
            (45..50).for_each(|sequence| drop(pending.insert(key(sequence).to_vec(), None)));
        }),
        ("a value in another's place", Flaw::Check, 7, &|database, pending| {
            let value = database.get(&key(8)).expect("it reads").expect("it is there");
            put(pending, &key(7), &value).expect("it fits");
        }),
    ];
    for (name, what, sequence, change) in cases {
        let scratch = tempdir().expect("a directory");
        copy(directory.path(), scratch.path());
        tamper(scratch.path(), change);
        let node = world.open(scratch.path());
        assert_eq!(node.report.damaged, [Damage::Entry(DamagedEntry { log: 2, sequence, what })], "{name}");
        assert_eq!(node.report.missing, [Missing { log: 2, from: sequence, until: 50 }], "{name}");
        assert_eq!(node.served(2, &chain) as u64, sequence, "{name}");
        assert_eq!(node.report.moved_aside, Some(scratch.path().join("store.damaged-1")), "{name}");
    }
    tamper(directory.path(), |_, pending| drop(pending.insert(head_key(2).to_vec(), None)));
    let node = world.open(directory.path());
    assert!(matches!(node.report.damaged[..], [Damage::Database { .. }]));
    assert_eq!(node.served(2, &chain), 50);
}

#[test]
fn a_lost_block_takes_with_it_what_rests_on_it_and_the_journal_brings_it_back() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(14));
    let other = world.other.clone();
    let chain = world.chain(&other, None, 5);
    let mut node = world.found(directory.path());
    node.take(None, &chain);
    drop(node);
    tamper(directory.path(), |_, pending| drop(pending.insert(super::super::layout::block_key(3).to_vec(), None)));
    let node = world.open(directory.path());
    assert_eq!(node.report.damaged[0], Damage::Block { version: 3, what: Flaw::Missing });
    assert_eq!(node.replica.charter().version(), 3, "the journal holds the block");
    assert_eq!(node.report.missing, [Missing { log: 2, from: 0, until: 5 }]);
    assert_eq!(node.served(2, &chain), 0);
}

#[test]
fn damage_that_appears_while_running_is_an_error_that_names_the_entry() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(15));
    let other = world.other.clone();
    let chain = world.chain(&other, None, 10);
    let mut node = world.found(directory.path());
    node.take(None, &chain);
    let database = node.store.shelf.database().expect("it is open");
    let mut value = database.get(&entry_key(2, 4)).expect("it reads").expect("it is there");
    value[3] ^= 1;
    let mut pending = Pending::from([(entry_key(2, 6).to_vec(), None)]);
    put(&mut pending, &entry_key(2, 4), &value).expect("it fits");
    database.write(pending).expect("it is written");
    drop(database);
    for sequence in [4, 6] {
        let found = node.store.entry(2, sequence);
        assert!(matches!(found, Err(StoreError::Damaged { log: 2, sequence: named }) if named == sequence));
    }
    assert!(matches!(node.store.range(2, 0, 10, usize::MAX), Err(StoreError::Damaged { log: 2, sequence: 4 })));
    assert!(matches!(node.store.range(2, 5, 10, usize::MAX), Err(StoreError::Damaged { log: 2, sequence: 6 })));
    assert_eq!(node.store.range(2, 0, 4, usize::MAX).expect("these are sound"), chain[..4]);
    assert!(node.store.statistics().damaged);
}

#[test]
fn an_older_state_that_looks_whole_is_noticed() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(16));
    let (county, other) = (world.county.clone(), world.other.clone());
    let (own, theirs) = (world.chain(&county, None, 4), world.chain(&other, None, 20));
    let mut node = world.found(directory.path());
    node.take(None, &theirs[..10]);
    drop(node);
    let old = tempdir().expect("a directory");
    copy(&directory.path().join("store"), old.path());
    let mut node = world.open(directory.path());
    node.take(Some(world.own()), &own);
    node.take(None, &theirs[10..]);
    drop(node);
    fs::remove_dir_all(directory.path().join("store")).expect("it was there");
    copy(old.path(), &directory.path().join("store"));
    let node = world.open(directory.path());
    assert!(matches!(node.report.damaged[..], [Damage::RolledBack { .. }]));
    assert_eq!((node.served(1, &own), node.served(2, &theirs)), (4, 10));
}

#[test]
fn a_rebuilding_that_a_crash_interrupted_is_finished_or_begun_again() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(17));
    let other = world.other.clone();
    let chain = world.chain(&other, None, 5);
    let mut node = world.found(directory.path());
    node.take(None, &chain);
    drop(node);
    let (store, rebuilding) = (directory.path().join("store"), directory.path().join("store.rebuilding"));
    fs::rename(&store, &rebuilding).expect("it was there");
    let node = world.open(directory.path());
    assert_eq!((node.report.damaged.len(), node.served(2, &chain)), (0, 5));
    drop(node);
    fs::create_dir(&rebuilding).expect("it is not there");
    let node = world.open(directory.path());
    assert_eq!((node.report.damaged.len(), node.served(2, &chain)), (0, 5));
    assert!(!rebuilding.exists());
    let append = Change::Append { log: 2, entry: Arc::clone(&world.chain(&other, chain.last(), 1)[0]) };
    node.store.commit(&[], &[append]).expect("it is stored");
}
