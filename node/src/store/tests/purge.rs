//! Erasure on disk: bodies go with the commit, and after a purge no file holds them, however they lay there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::charter::{Operation, Position, Seal};
use protocol::entry::VerifiedEntry;
use protocol::erasure::{Erasure, KIND_ERASURE, Target};
use protocol::identity::public_key;
use protocol::replica::{EntrySource, Outcome};
use tempfile::tempdir;

use super::super::dictionary;
use super::super::{Damage, Flaw, Settings, Store};
use super::damage::copy;
use super::world::{Node, World};

/// A body whose text nobody else writes: letters at random, which do not compress, then plain Chinese.
fn secret(world: &mut World) -> Vec<u8> {
    let letters: String = (0..400).map(|_| world.random.alphanumeric()).collect();
    format!("0123456789abcdef{letters}某某村某某某，身份证号码若干，家庭住址若干。{}", "困难情况说明。".repeat(9))
        .into_bytes()
}

/// Files under a directory that hold the body as it is or as the store packs it.
fn holding(directory: &Path, body: &[u8]) -> Vec<PathBuf> {
    let packed = dictionary::pack(body).1;
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("it is there").flatten() {
        if entry.path().is_dir() {
            found.extend(holding(&entry.path(), body));
            continue;
        }
        let bytes = fs::read(entry.path()).expect("it can be read");
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        // A part of each is enough: a page may hold less than the whole.
        if has(&body[16..80]) || has(&packed[packed.len() / 4..packed.len() / 2]) {
            found.push(entry.path());
        }
    }
    found
}

fn erasure(world: &World, targets: &[&Arc<VerifiedEntry>], previous: &Arc<VerifiedEntry>) -> Arc<VerifiedEntry> {
    let target = |entry: &&Arc<VerifiedEntry>| {
        let header = entry.header();
        Target { key: header.key, sequence: header.sequence, id: entry.id(), creates: true }
    };
    let erasure = Erasure { reason: "含个人信息".into(), targets: targets.iter().map(target).collect() };
    let body = erasure.encode([9; 16]).expect("it keeps every bound");
    world.entry(&world.county, Some(previous), KIND_ERASURE, body)
}

struct Erased {
    chain: Vec<Arc<VerifiedEntry>>,
    body: Vec<u8>,
    ids: BTreeSet<protocol::identity::EntryId>,
}

/// Publishes twenty records, of which the eighth holds the secret, and erases that one. `keep` sees the directory
/// before that.
fn erased(world: &mut World, node: &mut Node, keep: impl FnOnce(&Path)) -> Erased {
    let (county, body) = (world.county.clone(), secret(world));
    let mut chain = world.chain(&county, None, 7);
    chain.push(world.entry(&county, chain.last(), 102, body.clone()));
    chain.extend(world.chain(&county, chain.last(), 12));
    chain.iter().for_each(|entry| drop(node.take(Some(world.own()), &[Arc::clone(entry)])));
    let directory = node.store.directory().to_owned();
    let found = holding(&directory, &body);
    assert!(found.iter().any(|path| path.starts_with(directory.join("journal"))), "{found:?}");
    assert!(found.iter().any(|path| path.starts_with(directory.join("store"))), "{found:?}");
    keep(&directory);
    let erasing = erasure(world, &[&chain[7]], &chain[19]);
    assert_eq!(node.take(Some(world.own()), &[Arc::clone(&erasing)]), [Outcome::Appended]);
    let ids = BTreeSet::from([chain[7].id()]);
    chain[7] = Arc::new(chain[7].without_body());
    chain.push(erasing);
    assert_eq!(node.served(1, &chain), 21, "the body is gone for every reader at once");
    assert_eq!(node.replica.erased_ids(), ids);
    Erased { chain, body, ids }
}

#[test]
fn after_a_purge_no_file_holds_the_body_and_everything_else_verifies() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(31));
    let mut node = world.found(directory.path());
    let Erased { chain, body, ids } = erased(&mut world, &mut node, |_| {});
    fs::create_dir(directory.path().join("store.damaged-1")).expect("it can be made");
    fs::write(directory.path().join("store.damaged-1/db"), &body).expect("it can be written");
    assert!(holding(directory.path(), &body).len() >= 3, "old pages and frames hold it still");
    let report = node.store.purge(&ids).expect("it purges");
    assert_eq!((report.journal_bodies, report.segments, report.removed.len()), (1, 1, 1));
    assert_eq!(holding(directory.path(), &body), [] as [PathBuf; 0]);
    assert_eq!(node.served(1, &chain), 21);
    let digest = node.replica.frontier().digest();
    let county = world.county.clone();
    let more = world.chain(&county, chain.last(), 30);
    node.take(Some(world.own()), &more);
    drop(node);
    let node = world.open(directory.path());
    assert_eq!((node.report.damaged.len(), node.report.erased), (0, 0));
    assert_eq!((node.served(1, &chain), node.replica.length(1)), (21, 51));
    assert_ne!(node.replica.frontier().digest(), digest);
    assert_eq!(holding(directory.path(), &body), [] as [PathBuf; 0]);
    drop(node);
    fs::remove_dir_all(directory.path().join("store")).expect("it was there");
    let node = world.open(directory.path());
    assert_eq!(node.replica.length(1), 51, "the journal rebuilds the log, with one entry bare");
    assert_eq!(node.served(1, &chain), 21);
    assert!(node.replica.is_complete());
}

/// Brings a data directory into the state in which a step was interrupted.
type Step<'a> = &'a dyn Fn(&Path);

#[test]
fn a_purge_that_a_crash_interrupted_leaves_a_store_that_opens_and_can_purge_again() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(32));
    let mut node = world.found(directory.path());
    let before = tempdir().expect("a directory");
    let Erased { chain, body, ids } = erased(&mut world, &mut node, |_| {});
    copy(directory.path(), before.path());
    node.store.purge(&ids).expect("it purges");
    drop(node);
    // What a crash leaves behind: the old database with a part of the new one; neither in place; both whole.
    let states: [(&str, Step<'_>); 4] = [
        ("copying", &|at| {
            copy(&before.path().join("store"), &at.join("store"));
            fs::create_dir(at.join("store.new")).expect("it can be made");
            fs::write(at.join("store.new/db"), &body).expect("it can be written");
        }),
        ("between the renames", &|at| {
            copy(&before.path().join("store"), &at.join("store.erased"));
            copy(&directory.path().join("store"), &at.join("store.new"));
        }),
        ("before the old one is deleted", &|at| {
            copy(&before.path().join("store"), &at.join("store.erased"));
            copy(&directory.path().join("store"), &at.join("store"));
        }),
        ("a segment is half written", &|at| {
            copy(&before.path().join("store"), &at.join("store"));
            fs::write(at.join("journal/000000.rewriting"), &body).expect("it can be written");
        }),
    ];
    for (name, state) in states {
        let scratch = tempdir().expect("a directory");
        copy(&before.path().join("journal"), &scratch.path().join("journal"));
        state(scratch.path());
        let node = world.open(scratch.path());
        assert_eq!((node.report.damaged.len(), node.report.created), (0, false), "{name}");
        assert_eq!((node.served(1, &chain), node.report.erased), (21, 1), "{name}: the journal holds it");
        node.store.purge(&ids).expect("it purges");
        assert_eq!(holding(scratch.path(), &body), [] as [PathBuf; 0], "{name}");
        drop(node);
        assert_eq!(world.open(scratch.path()).served(1, &chain), 21, "{name}");
    }
}

#[test]
fn a_database_put_back_from_a_backup_is_erased_again() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(33));
    let (mut node, backup) = (world.found(directory.path()), tempdir().expect("a directory"));
    let keep = |from: &Path| copy(from, backup.path());
    let Erased { chain, body, ids } = erased(&mut world, &mut node, keep);
    node.store.purge(&ids).expect("it purges");
    drop(node);
    fs::remove_dir_all(directory.path().join("store")).expect("it was there");
    copy(&backup.path().join("store"), &directory.path().join("store"));
    let node = world.open(directory.path());
    assert!(matches!(node.report.damaged[..], [Damage::RolledBack { .. }]));
    assert_eq!((node.served(1, &chain), node.replica.length(1)), (21, 21));
    node.store.purge(&ids).expect("it purges");
    assert_eq!(holding(directory.path(), &body), [] as [PathBuf; 0]);
    drop(node);
    // A whole directory from before the erasure: it comes back with the log, from peers.
    let mut node = world.open(backup.path());
    assert_eq!((node.report.erased, node.replica.length(1)), (0, 20));
    assert_eq!(node.take(Some(world.own()), &chain[20..]), [Outcome::Appended]);
    assert_eq!(node.served(1, &chain), 21);
    node.store.purge(&ids).expect("it purges");
    assert_eq!(holding(backup.path(), &body), [] as [PathBuf; 0]);
}

/// A node whose log 2 was forked, with a seal on the second branch: the first one lies in the attic.
fn displaced(world: &mut World, directory: &Path) -> (Node, Vec<Arc<VerifiedEntry>>, Vec<Arc<VerifiedEntry>>) {
    let other = world.other.clone();
    let first = world.chain(&other, None, 6);
    let second: Vec<_> = {
        let rest = world.chain(&other, Some(&first[1]), 3);
        first[..2].iter().cloned().chain(rest).collect()
    };
    let mut node = world.found(directory);
    node.take(None, &first);
    seal(world, &mut node, &second[4]);
    node.take(None, &second[2..]);
    assert_eq!(node.served(2, &second), 5);
    (node, first, second)
}

fn seal(world: &mut World, node: &mut Node, last: &VerifiedEntry) {
    let (secretariat, key) = (world.secretariat.clone(), public_key(&world.other.signing));
    let last = Some(Position { sequence: last.header().sequence, id: last.id() });
    let seal = Operation::SealKey(Seal { key, last });
    secretariat.try_append(&mut world.charter, vec![seal]).expect("the block keeps every rule");
    let block = world.charter.blocks().last().expect("it has blocks").clone();
    let mut changes = Vec::new();
    node.replica.append_block(block, &node.store, &mut changes).expect("the block follows the tip");
    node.store.commit(&[], &changes).expect("it is stored");
}

#[test]
fn displaced_entries_wait_in_the_attic_and_come_back_with_the_seal() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(34));
    let (node, first, second) = displaced(&mut world, directory.path());
    for entry in &first[2..] {
        assert_eq!(node.store.displaced(&entry.id()).as_ref(), Some(entry));
    }
    drop(node);
    let mut node = world.open(directory.path());
    assert_eq!(node.report.damaged, []);
    assert_eq!(node.store.displaced(&first[4].id()).as_ref(), Some(&first[4]));
    seal(&mut world, &mut node, &first[5]);
    assert_eq!((node.served(2, &first), node.replica.effective_length(2)), (6, 6));
    assert_eq!(node.store.displaced(&first[4].id()), None, "it is in its log again");
    assert_eq!(node.store.displaced(&second[3].id()).as_ref(), Some(&second[3]));
    drop(node);
    let node = world.open(directory.path());
    assert_eq!((node.report.damaged.len(), node.served(2, &first)), (0, 6));
}

#[test]
fn damage_in_the_attic_is_named_and_the_rest_of_it_is_kept() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(35));
    let (node, first, second) = displaced(&mut world, directory.path());
    let key = super::super::layout::attic_key(&first[3].id());
    let database = node.store.shelf.database().expect("it is open");
    let mut value = database.get(&key).expect("it reads").expect("it is there");
    value[70] ^= 1;
    let mut pending = super::super::database::Pending::new();
    super::super::database::put(&mut pending, &key, &value).expect("it fits");
    database.write(pending).expect("it is written");
    drop(database);
    drop(node);
    let node = world.open(directory.path());
    assert_eq!(node.report.damaged, [Damage::Displaced { id: first[3].id() }]);
    assert_eq!(node.served(2, &second), 5);
    assert_eq!(node.store.displaced(&first[4].id()).as_ref(), Some(&first[4]));
    assert_eq!(node.store.displaced(&first[3].id()), None);
}

#[test]
fn large_bodies_are_erased_with_all_of_their_pieces() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(36));
    let county = world.county.clone();
    let noise: Vec<u8> = (0..60_000).map(|_| world.random.u8(..)).collect();
    let mut node = world.found(directory.path());
    let long = world.entry(&county, None, 102, noise.clone());
    let erasing = erasure(&world, &[&long], &long);
    node.take(Some(world.own()), &[Arc::clone(&long)]);
    node.take(Some(world.own()), &[Arc::clone(&erasing)]);
    node.store.purge(&node.replica.erased_ids()).expect("it purges");
    let held =
        |path: &PathBuf| fs::read(path).is_ok_and(|bytes| bytes.windows(64).any(|part| part == &noise[50_000..50_064]));
    let files = ["store/db", "journal/000000.journal"].map(|name| directory.path().join(name));
    assert!(!files.iter().any(held));
    drop(node);
    let node = world.open(directory.path());
    assert_eq!(node.served(1, &[Arc::new(long.without_body()), erasing]), 2);
}

#[test]
fn a_pinned_block_of_another_branch_puts_the_database_aside() {
    let (directory, mut world) = (tempdir().expect("a directory"), World::new(37));
    let (county, other) = (world.county.clone(), world.other.clone());
    let mut node = world.found(directory.path());
    let (own, theirs) = (world.chain(&county, None, 4), world.chain(&other, None, 3));
    let mut rival = world.charter.clone();
    node.take(Some(world.own()), &own);
    node.take(None, &theirs);
    let last = Arc::clone(&theirs[2]);
    seal(&mut world, &mut node, &last);
    let rule = Operation::Limits { gossip_entries_per_minute: 60 };
    world.secretariat.try_append(&mut rival, vec![rule]).expect("the block keeps every rule");
    let chosen = rival.blocks()[3].clone();
    let mut changes = Vec::new();
    node.replica.append_block(chosen.clone(), &node.store, &mut changes).expect("it is a rival");
    node.store.commit(&[], &changes).expect("it is stored");
    drop(node);
    let node = world.open(directory.path());
    assert_eq!(node.replica.charter().rival(), Some(&chosen), "the proof is kept");
    drop(node);
    let pins = [(4, chosen.hash())].into();
    let settings = Settings { pins, ..Settings::default() };
    let open = || Store::open(directory.path(), world.genesis.clone(), Some(world.own()), &settings);
    let mut opened = open().expect("it opens");
    assert_eq!(opened.report.damaged, [Damage::OtherBranch { version: 4 }]);
    assert_eq!(opened.report.moved_aside, Some(directory.path().join("store.damaged-1")));
    assert_eq!((opened.replica.charter().version(), opened.replica.length(1)), (3, 4));
    let mut changes = Vec::new();
    opened.replica.append_block(chosen.clone(), &opened.store, &mut changes).expect("it is the pinned one");
    opened.store.commit(&[], &changes).expect("it is stored");
    drop(opened);
    fs::remove_dir_all(directory.path().join("store")).expect("it was there");
    let opened = open().expect("it opens");
    assert_eq!(opened.replica.charter().tip(), chosen.hash(), "the journal holds the branch that was chosen");
    assert!(!opened.report.damaged.contains(&Damage::Block { version: 4, what: Flaw::Chain }));
}
