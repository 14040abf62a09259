mod attic;
mod erasures;

use super::*;
use crate::charter::{Class, Operation, Seal};
use crate::identity::public_key;
use crate::testing::{Organisation, Shelf};

struct World {
    secretariat: Organisation,
    county: Organisation,
    replica: Replica,
    shelf: Shelf,
}

impl World {
    fn new() -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", Class::County, 2);
        secretariat.admit(&mut charter, &county);
        Self { secretariat, county, replica: Replica::new(charter), shelf: Shelf::default() }
    }

    fn chain(&self, length: usize, mark: u8) -> Vec<Arc<VerifiedEntry>> {
        self.continue_chain(None, length, mark)
    }

    fn continue_chain(&self, from: Option<&Arc<VerifiedEntry>>, length: usize, mark: u8) -> Vec<Arc<VerifiedEntry>> {
        let charter = self.replica.charter();
        let mut chain: Vec<Arc<VerifiedEntry>> = Vec::new();
        for index in 0..length {
            let previous = chain.last().or(from).map(|entry| &**entry);
            let body = vec![mark, index as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let entry = self.county.entry(charter, previous, charter.tip_block().time_ms, 102, body);
            chain.push(entry);
        }
        chain
    }

    fn insert(&mut self, entry: &Arc<VerifiedEntry>) -> Outcome {
        let mut changes = Vec::new();
        let outcome = self.replica.insert(entry, &self.shelf, &mut changes);
        self.shelf.carry_out(&changes);
        outcome
    }

    fn seal(&mut self, last: Option<Position>) {
        self.decide(vec![Operation::SealKey(Seal { key: public_key(&self.county.signing), last })]);
    }

    fn decide(&mut self, operations: Vec<Operation>) {
        let mut charter = self.replica.charter().clone();
        self.secretariat.try_append(&mut charter, operations).expect("the block keeps every rule");
        let block = charter.blocks().last().expect("a charter has blocks").clone();
        let mut changes = Vec::new();
        self.replica.append_block(block, &self.shelf, &mut changes).expect("the block follows the tip");
        self.shelf.carry_out(&changes);
    }
}

fn position(entry: &VerifiedEntry) -> Option<Position> {
    Some(Position { sequence: entry.header().sequence, id: entry.id() })
}

#[test]
fn entries_out_of_order_wait_and_then_attach() {
    let mut world = World::new();
    let chain = world.chain(5, 1);
    for index in [4, 2, 1, 3] {
        assert_eq!(world.insert(&chain[index]), Outcome::Staged);
    }
    assert_eq!(world.replica.staged(), 4);
    assert_eq!(world.insert(&chain[0]), Outcome::Appended);
    assert_eq!(world.replica.effective_length(1), 5);
    assert_eq!(world.replica.staged(), 0);
    assert_eq!(world.insert(&chain[3]), Outcome::Duplicate);
}

#[test]
fn the_stage_is_bounded() {
    let mut world = World::new();
    let chain = world.chain(STAGED_PER_LOG_MAX + 2, 1);
    for entry in &chain[1..=STAGED_PER_LOG_MAX] {
        assert_eq!(world.insert(entry), Outcome::Staged);
    }
    assert_eq!(world.insert(&chain[STAGED_PER_LOG_MAX + 1]), Outcome::Ignored(IgnoreReason::StageFull));
}

#[test]
fn a_fork_is_proven_and_the_log_counts_below_it() {
    let mut world = World::new();
    let chain = world.chain(4, 1);
    chain.iter().for_each(|entry| assert_eq!(world.insert(entry), Outcome::Appended));
    let branch = world.continue_chain(Some(&chain[1]), 2, 2);
    assert_eq!(world.insert(&branch[1]), Outcome::Diverged);
    assert_eq!(world.insert(&branch[0]), Outcome::Forked);
    assert_eq!(world.replica.effective_length(1), 2);
    let more = world.continue_chain(Some(&chain[3]), 1, 1);
    assert_eq!(world.insert(&more[0]), Outcome::Ignored(IgnoreReason::ForkedLog));
}

#[test]
fn a_seal_names_a_branch_and_the_other_one_gives_way() {
    let mut world = World::new();
    let chain = world.chain(4, 1);
    chain.iter().for_each(|entry| assert_eq!(world.insert(entry), Outcome::Appended));
    let branch = world.continue_chain(Some(&chain[1]), 2, 2);
    world.seal(position(&branch[1]));
    assert!(world.replica.lacks_sealed_branch(1));
    assert_eq!(
        world.replica.effective_length(1),
        3,
        "entry 3 is not the sealed one; where the branches part is unknown"
    );
    assert_eq!(world.insert(&branch[0]), Outcome::Forked);
    assert_eq!(world.replica.effective_length(1), 2);
    assert_eq!(world.insert(&branch[1]), Outcome::Appended);
    assert_eq!(world.replica.effective_length(1), 4, "the sealed branch is whole, and the proof counts no longer");
    assert_eq!(world.replica.id(1, 3), Some(branch[1].id()));
    assert_eq!(world.insert(&chain[2]), Outcome::Forked);
    assert_eq!(world.replica.effective_length(1), 4);
}

#[test]
fn a_seal_can_be_moved_and_what_lay_above_it_is_fetched_again() {
    let mut world = World::new();
    let chain = world.chain(4, 1);
    world.insert(&chain[0]);
    world.seal(position(&chain[0]));
    assert_eq!(world.insert(&chain[1]), Outcome::Ignored(IgnoreReason::AboveSeal));
    world.seal(position(&chain[2]));
    assert!(world.replica.lacks_sealed_branch(1));
    chain[1..3].iter().for_each(|entry| assert_eq!(world.insert(entry), Outcome::Appended));
    assert_eq!(world.replica.effective_length(1), 3);
    world.seal(None);
    assert_eq!(world.replica.effective_length(1), 0);
}

#[test]
fn a_second_first_entry_after_expulsion_takes_nothing_away() {
    let mut world = World::new();
    let chain = world.chain(3, 1);
    chain.iter().for_each(|entry| assert_eq!(world.insert(entry), Outcome::Appended));
    world.seal(position(&chain[2]));
    let rival = world.chain(1, 9);
    assert_eq!(world.insert(&rival[0]), Outcome::Forked);
    assert_eq!(world.replica.effective_length(1), 3);
}

#[test]
fn a_body_may_come_after_its_header() {
    let mut world = World::new();
    let chain = world.chain(1, 1);
    let bare = Arc::new(chain[0].without_body());
    assert_eq!(world.insert(&bare), Outcome::Appended);
    assert!(!world.replica.is_complete());
    let digest = world.replica.frontier().digest();
    assert_eq!(world.insert(&chain[0]), Outcome::BodyArrived);
    assert!(world.replica.is_complete());
    assert_eq!(world.replica.frontier().digest(), digest, "a body is not part of the frontier");
}

#[test]
fn an_entry_of_a_later_charter_waits_for_it_and_one_of_an_earlier_is_refused() {
    let mut world = World::new();
    let other = Organisation::new("夏邑县", Class::County, 3);
    let mut later = world.replica.charter().clone();
    world.secretariat.admit(&mut later, &other);
    let time = later.tip_block().time_ms;
    let ahead = world.county.entry(&later, None, time, 102, vec![0; 16]);
    assert_eq!(world.insert(&ahead), Outcome::Ignored(IgnoreReason::CharterAhead));
    let stranger = other.entry(world.replica.charter(), None, time, 102, vec![0; 16]);
    assert_eq!(world.insert(&stranger), Outcome::Refused(RefuseReason::UnknownKey));
    let back = world.county.entry(world.replica.charter(), Some(&ahead), time, 102, vec![0; 16]);
    let block = later.blocks().last().expect("a charter has blocks").clone();
    world.replica.append_block(block, &world.shelf, &mut Vec::new()).expect("the block follows the tip");
    assert_eq!(world.insert(&ahead), Outcome::Appended);
    assert_eq!(world.insert(&back), Outcome::Refused(RefuseReason::CharterDecreases));
}
