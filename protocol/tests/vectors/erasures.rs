//! Bodies that go: which erasures count, and what becomes of the entries that they name.

use std::sync::Arc;

use protocol::charter::{Charter, Departure, Operation, Seal};
use protocol::entry::VerifiedEntry;
use protocol::erasure::{Erasure, KIND_ERASURE, Target};
use protocol::identity::{EntryId, MemberNumber, public_key};
use protocol::testing::Organisation;

use crate::acts::{REASON, admit, erase, highest, reassign, seal_key};
use crate::case::{Vector, good};
use crate::logs::{Step, block, chain, entries, entry, given, last_of};
use crate::roster::World;

fn target(entry: &VerifiedEntry) -> Target {
    let header = entry.header();
    Target { key: header.key, sequence: header.sequence, id: entry.id(), creates: header.sequence == 0 }
}

/// An entry of `author` after `previous` that erases `targets`.
fn erasing(
    author: &Organisation,
    charter: &Charter,
    previous: Option<&Arc<VerifiedEntry>>,
    targets: Vec<Target>,
) -> Arc<VerifiedEntry> {
    let body = Erasure { reason: "含个人信息".into(), targets }.encode([9; 16]).expect("it keeps every bound");
    let time_ms = charter.tip_block().time_ms + 100;
    author.entry(charter, previous.map(|entry| &**entry), time_ms, KIND_ERASURE, body)
}

fn bare(entry: &VerifiedEntry) -> Step {
    ("entry", entry.without_body().encode())
}

/// What the member that wrote the entries can do.
fn by_the_author() -> Vec<Vector> {
    let world = World::new();
    let (charter, county, fund) = (&world.charter, &world.members[1], &world.members[2]);
    let main = chain(county, charter, None, 3, 1);
    let held = entries(&main);
    let own = erasing(county, charter, main.last(), vec![target(&main[0]), target(&main[2])]);
    let foreign = erasing(fund, charter, None, vec![target(&main[1])]);
    let wrong = erasing(county, charter, main.last(), vec![Target { id: EntryId([8; 32]), ..target(&main[1]) }]);
    let again = erasing(county, charter, Some(&own), vec![target(&own)]);
    let early = erasing(county, charter, None, vec![Target { sequence: 1, ..target(&main[1]) }]);
    let time = charter.tip_block().time_ms + 100;
    let broken = county.entry(charter, main.last().map(|entry| &**entry), time, KIND_ERASURE, vec![9; 17]);
    let steps = |then: Vec<Step>| given(charter, held.iter().cloned().chain(then));
    let lowered = |last| world.next(vec![seal_key(&county.signing, last)]);
    vec![
        good("an author erases", steps(vec![entry(&own)])),
        good("an erased body comes again", steps(vec![entry(&own), entry(&main[0])])),
        good(
            "a body that is erased already",
            given(charter, [bare(&main[0]), entry(&main[1]), entry(&main[2]), entry(&own), entry(&main[0])]),
        ),
        good("an erasure of nothing that is held", given(charter, [entry(&early)])),
        good("another member erases in vain", steps(vec![entry(&foreign)])),
        good("an erasure names another id", steps(vec![entry(&wrong)])),
        good("an erasure that does not decode names nothing", steps(vec![entry(&broken)])),
        good("an erasure cannot be erased", steps(vec![entry(&own), entry(&again)])),
        good("an erasure whose body is absent does not count yet", steps(vec![bare(&own)])),
        good("the erasure's body arrives", steps(vec![bare(&own), entry(&own)])),
        good("a seal takes the erasure's effect away", steps(vec![entry(&own), block(&lowered(last_of(&main[2])))])),
        good("then the body comes back", steps(vec![entry(&own), block(&lowered(last_of(&main[2]))), entry(&main[0])])),
    ]
}

/// The fund leaves with four entries; the county inherits them, and after it the secretariat.
fn by_an_heir() -> Vec<Vector> {
    let mut world = World::new();
    let [secretariat, county, fund] = world.members.clone();
    let first = world.charter.clone();
    let left = chain(&fund, &first, None, 4, 3);
    let seals = vec![Seal { key: public_key(&fund.signing), last: last_of(&left[3]) }];
    let leave = Operation::Leave(Departure { member: MemberNumber(3), reason: REASON.into(), seals });
    world.append(vec![leave]);
    let before = world.charter.clone();
    world.append(vec![reassign(3, 2)]);
    let heir = world.charter.clone();
    let too_early = erasing(&county, &before, None, vec![target(&left[1])]);
    let in_time = erasing(&county, &heir, None, vec![target(&left[1])]);
    let seals = vec![Seal { key: public_key(&county.signing), last: last_of(&in_time) }];
    let gone = Operation::Leave(Departure { member: MemberNumber(2), reason: REASON.into(), seals });
    let mut after = World { charter: heir.clone(), members: world.members.clone() };
    after.append(vec![crate::roster::rules("测试联盟", 1), gone, reassign(2, 1)]);
    let last = erasing(&secretariat, &after.charter, None, vec![target(&left[2])]);
    let too_soon = erasing(&secretariat, &heir, None, vec![target(&left[2])]);
    let returned = Organisation::new("产业基金", fund.class, 13);
    let mut back = World { charter: heir.clone(), members: world.members.clone() };
    back.append(vec![admit(&back, 3, &returned)]);
    let author = erasing(&returned, &back.charter, None, vec![target(&left[3])]);
    let steps =
        |charter: &Charter, then: &Arc<VerifiedEntry>| given(charter, entries(&left).into_iter().chain([entry(then)]));
    let passed_on = [entries(&left), vec![entry(&in_time), entry(&last)]].concat();
    vec![
        good("an heir erases", steps(&heir, &in_time)),
        good("an heir erased under a charter before it was one", steps(&heir, &too_early)),
        good("an heir's erasure stays when the records go on", given(&after.charter, passed_on)),
        good("the next heir erased before its time", steps(&after.charter, &too_soon)),
        good("the author erases after a return", steps(&back.charter, &author)),
        good(
            "records change hands after the erasure",
            given(&before, entries(&left).into_iter().chain([entry(&too_early), block(&heir.blocks()[2])])),
        ),
    ]
}

fn by_the_charter() -> Vec<Vector> {
    let mut world = World::new();
    let county = world.members[1].clone();
    let charter = world.charter.clone();
    let main = chain(&county, &charter, None, 3, 1);
    world.append(vec![erase(vec![target(&main[0]), target(&main[1])])]);
    let erased = world.charter.blocks()[1].clone();
    let nobody = Target { key: public_key(&crate::acts::key(70)), ..target(&main[0]) };
    let mut vain = World { charter: charter.clone(), members: world.members.clone() };
    vain.append(vec![erase(vec![nobody])]);
    let in_vain = vain.charter.blocks()[1].clone();
    let held = entries(&main);
    vec![
        good("the charter erases", given(&charter, held.iter().cloned().chain([block(&erased)]))),
        good("the charter erased before the entries came", given(&world.charter, held.clone())),
        good("the charter erases what is no log's", given(&charter, held.into_iter().chain([block(&in_vain)]))),
    ]
}

/// A seal names a branch, then another one, then the first again.
fn of_branches() -> Vec<Vector> {
    let mut world = World::new();
    let county = world.members[1].clone();
    let charter = world.charter.clone();
    let main = chain(&county, &charter, None, 4, 1);
    let branch = chain(&county, &charter, Some(&main[1]), 3, 2);
    let named = |world: &mut World, last| {
        world.append(vec![seal_key(&county.signing, last)]);
        block(world.charter.blocks().last().expect("it was just appended"))
    };
    let names_branch = named(&mut world, last_of(&branch[2]));
    let names_main = named(&mut world, last_of(&main[3]));
    let names_middle = named(&mut world, last_of(&branch[1]));
    let names_nobody = named(&mut world, highest(9));
    let turned = [entries(&main), vec![names_branch], entries(&branch)].concat();
    let steps = |then: &[Step]| given(&charter, turned.iter().chain(then).cloned());
    let mut erasing_both = World { charter: charter.clone(), members: world.members.clone() };
    let targets = vec![target(&main[0]), target(&main[2])];
    erasing_both.append(vec![seal_key(&county.signing, last_of(&branch[2])), erase(targets)]);
    let erases = block(&erasing_both.charter.blocks()[1]);
    erasing_both.append(vec![seal_key(&county.signing, last_of(&main[3]))]);
    let back = block(&erasing_both.charter.blocks()[2]);
    let erased = [entries(&main), vec![erases], entries(&branch), vec![back]].concat();
    vec![
        good("the seal moves back to a displaced branch", steps(std::slice::from_ref(&names_main))),
        good("and into the middle of the other one", steps(&[names_main.clone(), names_middle.clone()])),
        good("a seal at an entry that nobody holds", steps(&[names_main, names_middle, names_nobody])),
        good("what was erased comes back without its body", given(&charter, erased)),
    ]
}

pub fn vectors() -> Vec<Vector> {
    [by_the_author(), by_an_heir(), by_the_charter(), of_branches()].into_iter().flatten().collect()
}
