//! What happens every day: writing, reading, closing, opening.

use std::fs;
use std::sync::Arc;

use protocol::charter::{Class, Operation, Position, Seal};
use protocol::fork::ForkProof;
use protocol::identity::public_key;
use protocol::replica::{Change, EntrySource, Outcome};
use protocol::testing::Organisation;
use tempfile::tempdir;

use super::super::{JournalState, Settings, Store, StoreError};
use super::world::World;

#[test]
fn what_is_committed_is_read_back_and_survives_reopening() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(1));
    let (county, other) = (world.county.clone(), world.other.clone());
    let (own, theirs) = (world.chain(&county, None, 120), world.chain(&other, None, 300));
    let mut node = world.found(directory.path());
    assert!(node.report.created);
    assert_eq!(node.report.journal, JournalState::Empty);
    own.chunks(50).for_each(|part| drop(node.take(Some(world.own()), part)));
    theirs.chunks(70).for_each(|part| drop(node.take(Some(world.own()), part)));
    assert_eq!((node.served(1, &own), node.served(2, &theirs)), (120, 300));
    let (digest, figures) = (node.replica.frontier().digest(), node.store.statistics());
    assert_eq!((figures.entries, figures.entries_written, figures.damaged), (420, 420, false));
    drop(node);

    let node = world.open(directory.path());
    assert_eq!(node.replica.frontier().digest(), digest);
    assert!(node.replica.is_complete());
    assert_eq!(node.report.damaged, []);
    assert_eq!(node.report.journal, JournalState::Consistent { journal_length: 120 });
    assert_eq!((node.report.recovered, node.report.refused), (0, 0));
    assert_eq!((node.served(1, &own), node.served(2, &theirs)), (120, 300));
    assert_eq!(node.store.entry(1, 120).expect("reading works"), None);
    assert_eq!(node.store.entry(9, 0).expect("reading works"), None);
}

#[test]
fn a_range_keeps_its_bounds() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(2));
    let other = world.other.clone();
    let chain = world.chain(&other, None, 40);
    let mut node = world.found(directory.path());
    node.take(None, &chain);
    let read = |from, entries, bytes| node.store.range(2, from, entries, bytes).expect("reading works");
    assert_eq!(read(5, 10, usize::MAX), chain[5..15]);
    assert_eq!(read(30, usize::MAX, usize::MAX), chain[30..]);
    assert_eq!(read(40, 10, usize::MAX), []);
    assert_eq!(read(u64::MAX, 10, usize::MAX), []);
    assert_eq!(read(3, 10, 1), chain[3..4], "one entry at least, however long");
    let two = chain[0].encode().len() + chain[1].encode().len();
    assert_eq!(read(0, 10, two), chain[..2]);
    assert_eq!(node.store.range(7, 0, 10, 10).expect("reading works"), []);
}

#[test]
fn large_bodies_and_large_batches_are_stored_in_pieces() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(3));
    let other = world.other.clone();
    let mut chain: Vec<Arc<_>> = Vec::new();
    for length in [16, 4_000, 4_096, 4_200, 65_536, 65_536, 20_000, 65_536] {
        for _ in 0..20 {
            let noise = (0..length).map(|_| world.random.u8(..)).collect();
            chain.push(world.entry(&other, chain.last(), 102, noise));
        }
    }
    let mut node = world.found(directory.path());
    node.take(None, &chain);
    assert_eq!(node.served(2, &chain), chain.len());
    drop(node);
    // A page that is too large for sled's log would lie here, and nothing would force it to disk.
    let blobs = fs::read_dir(directory.path().join("store/blobs")).expect("sled makes it").count();
    assert_eq!(blobs, 0);
    let node = world.open(directory.path());
    assert_eq!(node.report.damaged, []);
    assert_eq!(node.served(2, &chain), chain.len());
    assert_eq!(node.store.range(2, 0, 1_000, usize::MAX).expect("reading works"), chain);
}

#[test]
fn a_body_may_come_late() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(4));
    let other = world.other.clone();
    let chain = world.chain(&other, None, 10);
    let bare: Vec<_> = chain.iter().map(|entry| Arc::new(entry.without_body())).collect();
    let mut node = world.found(directory.path());
    node.take(None, &bare);
    assert_eq!(node.served(2, &bare), 10);
    drop(node);
    let mut node = world.open(directory.path());
    assert_eq!(node.report.damaged, []);
    assert_eq!(node.replica.missing_bodies(2).count(), 10);
    assert_eq!(node.take(None, &chain[..6]), [Outcome::BodyArrived; 6]);
    drop(node);
    let node = world.open(directory.path());
    assert_eq!(node.replica.missing_bodies(2).collect::<Vec<_>>(), [6, 7, 8, 9]);
    assert_eq!(node.served(2, &chain[..6]), 6);
}

#[test]
fn a_sealed_branch_takes_the_place_of_the_wrong_one() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(5));
    let other = world.other.clone();
    let chain = world.chain(&other, None, 30);
    let branch = world.chain(&other, Some(&chain[9]), 5);
    let mut node = world.found(directory.path());
    node.take(None, &chain);
    let last = Some(Position { sequence: 14, id: branch[4].id() });
    let seal = Operation::SealKey(Seal { key: public_key(&other.signing), last });
    let secretariat = world.secretariat.clone();
    secretariat.try_append(&mut world.charter, vec![seal]).expect("the block keeps every rule");
    let mut changes = Vec::new();
    let block = world.charter.blocks().last().expect("it has blocks").clone();
    node.replica.append_block(block, &node.store, &mut changes).expect("the block follows the tip");
    node.store.commit(&[], &changes).expect("it is stored");
    assert_eq!(node.take(None, &branch)[0], Outcome::Forked);
    let whole: Vec<_> = chain[..10].iter().chain(&branch).cloned().collect();
    assert_eq!(node.served(2, &whole), 15);
    assert_eq!(node.store.entry(2, 15).expect("reading works"), None);
    let digest = node.replica.frontier().digest();
    drop(node);
    let node = world.open(directory.path());
    assert_eq!((node.report.damaged.len(), node.replica.frontier().digest()), (0, digest));
    assert_eq!(node.served(2, &whole), 15);
    let proof = ForkProof::new(&chain[10], &branch[0]).expect("they contradict each other");
    assert_eq!(node.replica.proofs().collect::<Vec<_>>(), [&proof]);
    assert_eq!(EntrySource::entry(&node.store, 2, 10).as_ref(), Some(&branch[0]));
}

#[test]
fn appending_and_truncating_in_one_commit_leaves_what_the_order_says() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(6));
    let other = world.other.clone();
    let noise: Vec<u8> = (0..30_000).map(|_| world.random.u8(..)).collect();
    let first = world.entry(&other, None, 102, noise.clone());
    let wrong = world.entry(&other, Some(&first), 102, noise);
    let right = world.chain(&other, Some(&first), 1).remove(0);
    let node = world.found(directory.path());
    let append = |entry: &Arc<_>| Change::Append { log: 2, entry: Arc::clone(entry) };
    let truncate = |from| Change::Displace { log: 2, from };
    node.store.commit(&[], &[append(&first), append(&wrong), truncate(1), append(&right)]).expect("it is stored");
    assert_eq!(node.served(2, &[first, right]), 2);
    drop(node);
    let node = world.open(directory.path());
    assert_eq!((node.report.damaged.len(), node.replica.length(2)), (0, 2));
    node.store.commit(&[], &[truncate(0)]).expect("it is stored");
    assert_eq!(node.store.entry(2, 0).expect("reading works"), None);
    drop(node);
    let node = world.open(directory.path());
    assert_eq!((node.report.damaged.len(), node.replica.length(2)), (0, 0));
}

#[test]
fn one_process_and_one_federation_per_directory() {
    let (directory, world) = (tempdir().expect("a directory"), World::new(7));
    let node = world.found(directory.path());
    assert!(matches!(world.try_open(directory.path()), Err(StoreError::InUse { .. })));
    drop(node);
    let (stranger, _) = Organisation::found("另一个联盟", 9);
    let open = || Store::open(directory.path(), stranger.blocks()[0].clone(), None, &Settings::default());
    let refused = |remaining: &str| match open() {
        Err(StoreError::ForeignFederation { expected, found, .. }) => {
            assert_eq!((expected, found), (stranger.federation(), world.charter.federation()));
        }
        other => panic!("{remaining}: {other:?}"),
    };
    refused("journal, witness and database name the federation");
    fs::remove_dir_all(directory.path().join("journal")).expect("it was there");
    refused("witness and database name it");
    fs::remove_file(directory.path().join("progress")).expect("it was there");
    refused("the database names it");
}

#[test]
fn a_store_that_failed_once_takes_no_more_writes() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(8));
    let county = world.county.clone();
    let own = world.chain(&county, None, 3);
    let node = world.found(directory.path());
    let out_of_order = node.store.commit(&own[1..], &[]);
    assert!(matches!(out_of_order, Err(StoreError::JournalOrder { expected: 0, found: 1, .. })));
    assert!(matches!(node.store.commit(&own, &[]), Err(StoreError::Stopped { .. })));
    assert!(node.store.statistics().damaged);
    assert!(node.store.stopped().is_some());
    drop(node);
    assert_eq!(world.open(directory.path()).report.damaged, []);
}

#[test]
fn a_node_without_a_key_stores_what_others_write() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(9));
    let other = world.other.clone();
    let chain = world.chain(&other, None, 10);
    drop(world.found(directory.path()));
    let opened = Store::open(directory.path(), world.genesis.clone(), None, &Settings::default());
    assert_eq!(opened.expect("it opens").report.journal, JournalState::NoKey);
    let mut node = world.open(directory.path());
    node.take(None, &chain);
    assert_eq!(node.served(2, &chain), 10);
    assert_eq!(Class::County, other.class);
}
