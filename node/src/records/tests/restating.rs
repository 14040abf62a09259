//! Publishing again what stands above the seal of a key.

use std::collections::BTreeSet;

use protocol::charter::Position;
use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;

use super::super::history::history;
use super::super::restate::{Candidate, Obstacle, Restated, candidates, restate};
use super::world::{World, demand};

fn ids(candidates: &[Candidate]) -> BTreeSet<EntryId> {
    candidates.iter().map(|candidate| candidate.entry.id()).collect()
}

async fn restate_all(world: &World) -> Restated {
    let found = candidates(&world.core).expect("the journal can be read");
    restate(&world.core, &ids(&found)).await.expect("the new key may sign")
}

fn external(world: &World, text: &str) -> Option<EntryId> {
    let kind = KindSet::builtin().kind_named("demand").expect("it is a kind").number();
    world.core.read(|state| state.view().by_external(MemberNumber(2), kind, text))
}

#[tokio::test]
async fn creates_and_their_revisions_come_back_under_the_new_key_and_once() {
    let world = World::new().await;
    let kept = world.create(demand("甲", &[])).await;
    let lost = world.create(demand("乙", &[])).await;
    world.revise(lost, &[("名称", "乙更正")], &[]).await.expect("it is one's own");
    world.revise(kept, &[("名称", "甲更正")], &[]).await.expect("it is one's own");
    let world = world.renew(Some(Position { sequence: 0, id: kept }), 77).await;
    assert_eq!(world.list(Some("demand"), &[]).len(), 1);
    assert_eq!(external(&world, "乙"), None);

    let found = candidates(&world.core).expect("the journal can be read");
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|candidate| candidate.signed_here && candidate.obstacle.is_none()), "{found:?}");
    let done = restate_all(&world).await;
    assert_eq!((done.entries.len(), done.left.len()), (3, 0));

    let again = external(&world, "乙").expect("it has its number back");
    assert_eq!(world.core.read(|state| state.view().restated(&lost)), Some(again), "the old id finds it");
    assert_eq!(external(&world, "甲"), Some(kept), "what counts stays");
    let kinds = KindSet::builtin();
    let told = history(&world.core, kinds, &again).expect("it is there");
    assert_eq!(told.iter().filter(|item| item.counts).count(), 2, "create and revision");
    assert_eq!(told[0].origin, Some(lost.to_string()));
    let change = told[0].key_change.as_ref().expect("a block ended the old key");
    assert_eq!((change.version, &change.signed[..]), (world.charter.version(), &["秘书处".to_owned()][..]));
    let told = history(&world.core, kinds, &kept).expect("it is there");
    let counts: Vec<bool> = told.iter().map(|item| item.counts).collect();
    assert_eq!(counts, [true, true, false], "create, the revision restated, and the one above the seal");

    let second = restate_all(&world).await;
    assert_eq!(second.entries, []);
    assert!(second.left.iter().all(|(_, obstacle)| *obstacle == Obstacle::Restated), "{:?}", second.left);
    // After another change of key the first origin is kept.
    let world = world.renew(None, 78).await;
    let third = restate_all(&world).await;
    assert_eq!(third.entries.len(), 3);
    let latest = external(&world, "乙").expect("it has its number again");
    assert_eq!(world.core.read(|state| state.view().restated(&lost)), Some(latest));
    let fourth = restate_all(&world).await;
    assert_eq!(fourth.entries, []);
    assert!(fourth.left.iter().all(|(_, obstacle)| *obstacle == Obstacle::Restated), "{:?}", fourth.left);
}

#[tokio::test]
async fn a_number_that_is_taken_and_a_record_that_is_not_chosen_are_named() {
    let world = World::new().await;
    let first = world.create(demand("甲", &[])).await;
    world.revise(first, &[("名称", "更正")], &[]).await.expect("it is one's own");
    let world = world.renew(None, 79).await;
    let found = candidates(&world.core).expect("the journal can be read");
    let revision: BTreeSet<EntryId> = found.iter().skip(1).map(|candidate| candidate.entry.id()).collect();
    let done = restate(&world.core, &revision).await.expect("the new key may sign");
    assert_eq!(done.left, revision.iter().map(|id| (*id, Obstacle::NoRecord)).collect::<Vec<_>>());
    world.create(demand("甲", &[])).await;
    let found = candidates(&world.core).expect("the journal can be read");
    assert_eq!(found[0].obstacle, Some(Obstacle::ExternalTaken));
    let unknown = BTreeSet::from([EntryId([9; 32])]);
    assert!(restate(&world.core, &unknown).await.is_err());
}
