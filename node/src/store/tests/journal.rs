//! The own-log journal: torn ends are cut off, damage is named, and a journal that is behind is caught up.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::entry::VerifiedEntry;
use tempfile::{TempDir, tempdir};

use super::super::{JournalState, StoreError};
use super::world::World;

struct Story {
    directory: TempDir,
    world: World,
    own: Vec<Arc<VerifiedEntry>>,
}

impl Story {
    /// A node that wrote 60 entries of its own, over several segments.
    fn new(seed: u64) -> Self {
        let (directory, mut world) = (tempdir().expect("a directory"), World::new(seed));
        let county = world.county.clone();
        let own = world.chain(&county, None, 60);
        let mut node = world.found(directory.path());
        own.chunks(7).for_each(|part| drop(node.take(Some(world.own()), part)));
        drop(node);
        Self { directory, world, own }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn segments(&self) -> Vec<PathBuf> {
        let found = fs::read_dir(self.path().join("journal")).expect("it is there");
        let mut found: Vec<_> = found.flatten().map(|entry| entry.path()).collect();
        found.sort();
        found
    }

    fn lose_the_database(&self) {
        fs::remove_dir_all(self.path().join("store")).expect("it was there");
    }

    fn append_to_last(&self, bytes: &[u8]) {
        let last = self.segments().pop().expect("there are segments");
        let whole = [fs::read(&last).expect("it reads"), bytes.to_vec()].concat();
        fs::write(last, whole).expect("it is written");
    }
}

#[test]
fn segments_are_closed_at_their_size() {
    let story = Story::new(21);
    let segments = story.segments();
    assert!(segments.len() >= 2, "{segments:?}");
    assert!(segments[0].ends_with("000000.journal"));
    assert!(segments.iter().all(|path| fs::metadata(path).expect("it is there").len() <= 20_000));
}

#[test]
fn a_torn_end_is_cut_off_and_nothing_else() {
    let story = Story::new(22);
    let mut next = vec![2, 250, 0, 0, 0];
    next.extend_from_slice(&[1; 100]);
    for (keeps_database, torn) in [(true, &next[..]), (true, &next[..3]), (false, &next[..]), (false, &[0; 400])] {
        story.append_to_last(torn);
        if !keeps_database {
            story.lose_the_database();
        }
        let node = story.world.open(story.path());
        assert_eq!(node.report.torn_bytes, torn.len() as u64);
        assert_eq!(node.report.journal, JournalState::Consistent { journal_length: 60 });
        assert_eq!(node.served(1, &story.own), 60);
        drop(node);
        assert_eq!(story.world.open(story.path()).report.torn_bytes, 0);
    }
}

#[test]
fn a_segment_that_was_just_begun_is_begun_again() {
    let mut story = Story::new(23);
    let number = story.segments().len();
    fs::write(story.path().join(format!("journal/{number:06}.journal")), b"XIANM").expect("it is written");
    let county = story.world.county.clone();
    let more = story.world.chain(&county, story.own.last(), 40);
    let mut node = story.world.open(story.path());
    assert_eq!(node.report.torn_bytes, 5);
    node.take(Some(story.world.own()), &more);
    drop(node);
    story.lose_the_database();
    assert_eq!(story.world.open(story.path()).replica.length(1), 100);
}

#[test]
fn damage_before_the_end_names_its_place() {
    for (keeps_database, segment_from_end) in [(false, 0), (true, 1), (false, 1)] {
        let story = Story::new(24);
        let segment = story.segments().into_iter().rev().nth(segment_from_end).expect("it is there");
        let whole = fs::read(&segment).expect("it reads");
        for offset in [60, 49, 45, 44, 20, 200] {
            let mut damaged = whole.clone();
            damaged[offset] ^= 0x10;
            fs::write(&segment, damaged).expect("it is written");
            if !keeps_database {
                let _ = fs::remove_dir_all(story.path().join("store"));
            }
            match story.world.try_open(story.path()) {
                Err(StoreError::JournalDamaged { segment: named, frame: 0, .. }) => assert_eq!(named, segment),
                other => panic!("byte {offset}: {:?}", other.map(|node| node.report)),
            }
        }
        fs::write(&segment, whole).expect("it is written");
        let node = story.world.open(story.path());
        assert_eq!((node.report.refused, node.served(1, &story.own)), (0, 60));
    }
}

#[test]
fn a_journal_that_is_behind_holds_signing_back_until_it_is_caught_up() {
    let mut story = Story::new(25);
    let (own, county) = (story.world.own(), story.world.county.clone());
    let next = story.world.chain(&county, story.own.last(), 1);
    let mut segments = story.segments();
    fs::remove_file(segments.pop().expect("it is there")).expect("it was there");
    let node = story.world.open(story.path());
    let JournalState::Behind { journal_length, store_length: 60 } = node.report.journal else {
        panic!("{:?}", node.report.journal);
    };
    assert_eq!(node.store.journal_length(&own), journal_length);
    assert!(matches!(node.store.commit(&next, &[]), Err(StoreError::JournalOrder { found: 60, .. })));
    drop(node);

    fs::remove_dir_all(story.path().join("journal")).expect("it was there");
    let mut node = story.world.open(story.path());
    assert_eq!(node.report.journal, JournalState::Missing { store_length: 60 });
    let held = node.store.range(1, 0, 1_000, usize::MAX).expect("reading works");
    node.store.append_journal(&held).expect("it is appended");
    node.take(Some(own), &next);
    drop(node);
    story.lose_the_database();
    let node = story.world.open(story.path());
    assert_eq!(node.report.journal, JournalState::Consistent { journal_length: 61 });
    assert_eq!((node.replica.length(1), node.served(1, &story.own)), (61, 60));
}

#[test]
fn a_crash_between_journal_and_database_loses_nothing() {
    let mut story = Story::new(26);
    let county = story.world.county.clone();
    let next = story.world.chain(&county, story.own.last(), 3);
    let node = story.world.open(story.path());
    node.store.append_journal(&next).expect("it is appended");
    drop(node);
    let node = story.world.open(story.path());
    assert_eq!((node.report.recovered, node.replica.length(1)), (3, 63));
    let all = [story.own.as_slice(), &next].concat();
    assert_eq!(node.served(1, &all), 63);
}
