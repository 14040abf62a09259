//! Which erasures count, and for how long.

use super::*;
use crate::charter::Departure;
use crate::erasure::{Erasure, Target};
use crate::identity::MemberNumber;

/// An erasure by `author` of one entry.
fn erasing(
    author: &Organisation,
    charter: &Charter,
    previous: Option<&VerifiedEntry>,
    entry: &VerifiedEntry,
) -> Arc<VerifiedEntry> {
    let header = entry.header();
    let target = Target { key: header.key, sequence: header.sequence, id: entry.id(), creates: true };
    let body = Erasure { reason: String::new(), targets: vec![target] }.encode([9; 16]).expect("it keeps every bound");
    author.entry(charter, previous, charter.tip_block().time_ms, KIND_ERASURE, body)
}

fn expel(organisation: &Organisation, member: u32, last: Option<Position>) -> Operation {
    let seals = vec![Seal { key: public_key(&organisation.signing), last }];
    Operation::Expel(Departure { member: MemberNumber(member), reason: String::new(), seals })
}

fn reassign(from: u32, to: u32) -> Operation {
    Operation::Reassign { from: MemberNumber(from), to: MemberNumber(to), reason: String::new() }
}

#[test]
fn an_erased_body_goes_and_stays_away_and_headers_verify() {
    let mut world = World::new();
    let chain = world.chain(2, 1);
    let erasure = erasing(&world.county, world.replica.charter(), Some(&chain[1]), &chain[0]);
    for entry in [&chain[0], &chain[1], &erasure] {
        assert_eq!(world.insert(entry), Outcome::Appended);
    }
    let body = chain[0].body().expect("it has a body");
    assert!(!world.shelf.holds_body(body));
    assert_eq!(world.insert(&chain[0]), Outcome::Duplicate);
    assert!(!world.shelf.holds_body(body));
    let bare = world.shelf.entry(1, 0).expect("its header is held");
    assert!(crate::entry::Entry::clone(&bare).verify(&world.replica.charter().federation()).is_ok());
    assert!(world.replica.is_complete());
}

#[test]
fn what_an_erasure_above_a_seal_took_comes_back() {
    let mut world = World::new();
    let chain = world.chain(2, 1);
    let erasure = erasing(&world.county, world.replica.charter(), Some(&chain[1]), &chain[0]);
    for entry in [&chain[0], &chain[1], &erasure] {
        assert_eq!(world.insert(entry), Outcome::Appended);
    }
    world.seal(position(&chain[1]));
    assert_eq!(world.replica.missing_bodies(1).collect::<Vec<_>>(), [0]);
    assert_eq!(world.insert(&chain[0]), Outcome::BodyArrived);
    assert!(world.replica.is_complete());
    world.seal(position(&erasure));
    assert!(!world.shelf.holds_body(chain[0].body().expect("it has a body")), "the seal moved above it again");
}

#[test]
fn another_member_erases_nothing() {
    let mut world = World::new();
    let chain = world.chain(1, 1);
    world.insert(&chain[0]);
    let erasure = erasing(&world.secretariat, world.replica.charter(), None, &chain[0]);
    assert_eq!(world.insert(&erasure), Outcome::Appended);
    assert_eq!(world.replica.erased(1, 0), None);
}

#[test]
fn who_owned_records_when_it_erased_them_has_erased_them() {
    let mut world = World::new();
    let chain = world.chain(1, 1);
    world.insert(&chain[0]);
    let heir = Organisation::new("夏邑县", crate::charter::Class::County, 3);
    let application = heir.application(&world.replica.charter().federation());
    world.decide(vec![Operation::Admit { member: MemberNumber(3), application }]);
    let early = erasing(&heir, world.replica.charter(), None, &chain[0]);
    assert_eq!(world.insert(&early), Outcome::Appended);
    let county = world.county.clone();
    world.decide(vec![expel(&county, 2, position(&chain[0])), reassign(2, 3)]);
    assert_eq!(world.replica.erased(1, 0), None, "it was written before the records were its own");
    let erasure = erasing(&heir, world.replica.charter(), Some(&early), &chain[0]);
    assert_eq!(world.insert(&erasure), Outcome::Appended);
    assert_eq!(world.replica.erased(1, 0), Some(true));
    world.decide(vec![expel(&heir, 3, position(&erasure)), reassign(3, 1)]);
    assert_eq!(world.replica.erased(1, 0), Some(true), "the next owner does not bring the body back");
}

#[test]
fn an_erasure_is_not_among_what_must_go_from_the_disk() {
    let mut world = World::new();
    let chain = world.chain(1, 1);
    let erasure = erasing(&world.county, world.replica.charter(), Some(&chain[0]), &chain[0]);
    let again = erasing(&world.county, world.replica.charter(), Some(&erasure), &erasure);
    for entry in [&chain[0], &erasure, &again] {
        assert_eq!(world.insert(entry), Outcome::Appended);
    }
    assert_eq!(world.replica.erased_ids().into_iter().collect::<Vec<_>>(), [chain[0].id()]);
    assert!(world.shelf.holds_body(erasure.body().expect("it has a body")));
}
