//! Branches that a seal left: they are kept, come back whole, and obey erasures where they lie.

use super::*;
use crate::erasure::{Erasure, KIND_ERASURE, Target};

/// A chain of four, held, and the branch from its second entry on that a seal names and that took its place.
fn two_branches(world: &mut World) -> (Vec<Arc<VerifiedEntry>>, Vec<Arc<VerifiedEntry>>) {
    let chain = world.chain(4, 1);
    let branch = world.continue_chain(Some(&chain[1]), 2, 2);
    chain.iter().for_each(|entry| assert_eq!(world.insert(entry), Outcome::Appended));
    world.seal(position(&branch[1]));
    assert_eq!(world.insert(&branch[0]), Outcome::Forked);
    assert_eq!(world.insert(&branch[1]), Outcome::Appended);
    assert_eq!(world.replica.effective_length(1), 4);
    (chain, branch)
}

fn target(entry: &VerifiedEntry) -> Target {
    let header = entry.header();
    Target { key: header.key, sequence: header.sequence, id: entry.id(), creates: false }
}

fn erase(entry: &VerifiedEntry) -> Operation {
    Operation::Erase { reason: String::new(), targets: vec![target(entry)] }
}

fn holds_body(world: &World, entry: &VerifiedEntry) -> bool {
    world.shelf.holds_body(entry.body().expect("the entry was made with a body"))
}

#[test]
fn a_seal_that_moves_back_brings_its_branch_back_whole() {
    let mut world = World::new();
    let (chain, branch) = two_branches(&mut world);
    for last in [&chain[3], &branch[1], &chain[2]] {
        world.seal(position(last));
        let sequence = last.header().sequence;
        assert_eq!(world.replica.id(1, sequence), Some(last.id()));
        assert_eq!(world.replica.effective_length(1), sequence + 1);
        assert!(world.replica.is_complete());
    }
    assert!(chain[..3].iter().chain(&branch).all(|entry| holds_body(&world, entry)));
}

#[test]
fn a_body_that_was_kept_with_its_branch_serves_when_a_peer_sends_the_header_alone() {
    let mut world = World::new();
    let (chain, _) = two_branches(&mut world);
    let next = world.continue_chain(Some(&chain[3]), 1, 1);
    world.seal(position(&next[0]));
    for entry in [&chain[2], &chain[3], &next[0]] {
        world.insert(&Arc::new(entry.without_body()));
    }
    assert_eq!(world.replica.effective_length(1), 5);
    assert_eq!(world.replica.missing_bodies(1).collect::<Vec<_>>(), [4], "nobody ever had that one here");
}

#[test]
fn an_erasure_reaches_a_branch_that_was_left() {
    let mut world = World::new();
    let (chain, _) = two_branches(&mut world);
    world.decide(vec![erase(&chain[3])]);
    assert!(!holds_body(&world, &chain[3]));
    world.seal(position(&chain[3]));
    assert_eq!(world.replica.effective_length(1), 4);
    assert_eq!(world.replica.erased(1, 3), Some(false));
    assert!(world.replica.is_complete());
}

#[test]
fn a_block_that_leaves_a_branch_can_erase_what_it_left() {
    let mut world = World::new();
    let (chain, branch) = two_branches(&mut world);
    world.seal(position(&chain[3]));
    let seal = Operation::SealKey(Seal { key: public_key(&world.county.signing), last: position(&branch[1]) });
    world.decide(vec![seal, erase(&chain[3])]);
    assert_eq!(world.replica.id(1, 3), Some(branch[1].id()));
    assert!(!holds_body(&world, &chain[3]), "its body is neither in the log nor kept with its branch");
}

#[test]
fn an_erased_body_does_not_come_back_with_its_branch() {
    let mut world = World::new();
    let (chain, branch) = two_branches(&mut world);
    let seal = Operation::SealKey(Seal { key: public_key(&world.county.signing), last: position(&chain[3]) });
    world.decide(vec![erase(&chain[3]), seal]);
    assert_eq!(world.replica.id(1, 3), Some(chain[3].id()));
    assert!(!holds_body(&world, &chain[3]));
    assert!(holds_body(&world, &branch[1]));
}

#[test]
fn an_erasure_cannot_be_erased_where_it_lies_with_a_branch() {
    let mut world = World::new();
    let trunk = world.chain(2, 1);
    let charter = world.replica.charter().clone();
    let body = Erasure { reason: String::new(), targets: vec![target(&trunk[0])] };
    let body = body.encode([9; 16]).expect("it keeps every bound");
    let time = charter.tip_block().time_ms;
    let erasing = world.county.entry(&charter, Some(&trunk[1]), time, KIND_ERASURE, body);
    let branch = world.continue_chain(Some(&trunk[1]), 1, 2);
    [&trunk[0], &trunk[1], &erasing].into_iter().for_each(|entry| assert_eq!(world.insert(entry), Outcome::Appended));
    assert!(!holds_body(&world, &trunk[0]));
    world.seal(position(&branch[0]));
    assert_eq!(world.insert(&branch[0]), Outcome::Forked);
    assert_eq!(world.replica.missing_bodies(1).collect::<Vec<_>>(), [0], "the erasure counts no longer");
    world.decide(vec![erase(&erasing)]);
    world.seal(position(&erasing));
    assert_eq!(world.replica.erased(1, 0), Some(false), "it counts again");
    assert!(world.replica.is_complete());
}
