//! What a change is said to touch, on the kinds of this build.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Moved, Positions, Touched};
use crate::charter::{Charter, Class, Operation, Position, Role, Seal, SeatGrant};
use crate::entry::VerifiedEntry;
use crate::erasure::{Erasure, KIND_ERASURE, Target};
use crate::identity::{EntryId, MemberNumber, public_key};
use crate::kind::KindSet;
use crate::limits::TOUCHED_RECORDS_MAX;
use crate::replica::Outcome;
use crate::statement::Statement;
use crate::testing::{FOUNDED_MS, Organisation, Peer};
use crate::value::Value;

const NOW: u64 = FOUNDED_MS + 10_000;

/// A peer that hears what one county says.
struct World {
    charter: Charter,
    secretariat: Organisation,
    county: Organisation,
    peer: Peer,
    last: Option<Arc<VerifiedEntry>>,
    nonce: u8,
}

impl World {
    fn new() -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", Class::County, 2);
        secretariat.admit(&mut charter, &county);
        let peer = Peer::new(&charter, charter.blocks().len());
        Self { charter, secretariat, county, peer, last: None, nonce: 0 }
    }

    /// The next statement of the county, not yet heard.
    fn sign(&mut self, kind: &str, statement: Statement) -> Arc<VerifiedEntry> {
        let number = KindSet::builtin().kind_named(kind).expect("a built-in kind").number();
        self.nonce += 1;
        let body = Statement { nonce: [self.nonce; 16], ..statement }.encode().expect("the statement keeps every rule");
        let entry = self.county.entry(&self.charter, self.last.as_deref(), NOW, number, body);
        self.last = Some(Arc::clone(&entry));
        entry
    }

    fn create(&mut self, kind: &str, external: &str, cells: &[(&str, &str)]) -> Arc<VerifiedEntry> {
        self.sign(kind, Statement::create([0; 16], 1, Some(external.into()), fields(kind, cells)))
    }

    fn revise(&mut self, kind: &str, record: EntryId, cells: &[(&str, &str)]) -> Arc<VerifiedEntry> {
        self.sign(kind, Statement::revise([0; 16], 1, record, fields(kind, cells), BTreeSet::new()))
    }

    /// Hears an entry. What it touched.
    fn hear(&mut self, entry: &Arc<VerifiedEntry>) -> Touched {
        self.peer.take_touched();
        let outcome = self.peer.insert(entry);
        assert!(matches!(outcome, Outcome::Appended | Outcome::BodyArrived | Outcome::Forked), "{outcome:?}");
        self.peer.take_touched()
    }

    fn decide(&mut self, operations: Vec<Operation>) -> Touched {
        self.secretariat.try_append(&mut self.charter, operations).expect("the block keeps every rule");
        self.peer.take_touched();
        self.peer.insert_block(&self.charter.blocks()[self.charter.blocks().len() - 1].clone());
        self.peer.take_touched()
    }

    fn erase(&mut self, entry: &VerifiedEntry) -> Touched {
        let key = public_key(&self.county.signing);
        let target = Target { key, sequence: entry.header().sequence, id: entry.id(), creates: true };
        let erasure = Erasure { reason: String::new(), targets: vec![target] }.encode([9; 16]);
        let body = erasure.expect("it keeps every bound");
        let erasing = self.county.entry(&self.charter, self.last.as_deref(), NOW, KIND_ERASURE, body);
        self.last = Some(Arc::clone(&erasing));
        self.hear(&erasing)
    }

    /// What was touched since older positions, in one step.
    fn since(&self, older: &Positions) -> Result<BTreeSet<EntryId>, Moved> {
        let step = self.peer.advance(older, usize::MAX)?;
        assert!(step.is_present && step.positions == self.peer.positions() && !step.touched.everything);
        Ok(step.touched.records)
    }
}

fn fields(kind: &str, cells: &[(&str, &str)]) -> BTreeMap<u16, Value> {
    let kind = KindSet::builtin().kind_named(kind).expect("a built-in kind");
    let number = |name: &str| kind.field_named(name).expect("the kind has the field").number;
    cells.iter().map(|(name, text)| (number(name), Value::Text((*text).into()))).collect()
}

fn ids<'a>(entries: impl IntoIterator<Item = &'a Arc<VerifiedEntry>>) -> BTreeSet<EntryId> {
    entries.into_iter().map(|entry| entry.id()).collect()
}

#[test]
fn a_record_touches_itself_and_those_that_it_names_and_that_name_it() {
    let mut world = World::new();
    let project = world.create("project", "XM1", &[("name", "电池园")]);
    let other = world.create("project", "XM2", &[("name", "脐橙园")]);
    let progress = world.create("progress", "JD1", &[("project", "XM1")]);
    assert_eq!(world.hear(&project).records, ids([&project]));
    assert_eq!(world.hear(&other).records, ids([&other]));
    assert_eq!(world.hear(&progress).records, ids([&progress, &project]));
    let revised = world.revise("project", project.id(), &[("name", "电池产业园")]);
    assert_eq!(world.hear(&revised).records, ids([&project, &progress]));
    let moved = world.revise("progress", progress.id(), &[("project", "XM2")]);
    assert_eq!(world.hear(&moved).records, ids([&progress, &project, &other]), "the one that it no longer names, too");
    let by_label = world.create("progress", "JD2", &[("project", "2-2")]);
    assert_eq!(world.hear(&by_label).records, ids([&by_label, &other]));
}

#[test]
fn where_the_first_of_several_counts_each_touches_the_others() {
    let mut world = World::new();
    let project = world.create("project", "XM1", &[("name", "电池园")]);
    let first = world.create("referral", "TJ1", &[("project", "XM1")]);
    let progress = world.create("progress", "JD1", &[("project", "XM1")]);
    let second = world.create("referral", "TJ2", &[("project", "XM1")]);
    for entry in [&project, &first, &progress] {
        world.hear(entry);
    }
    assert_eq!(world.hear(&second).records, ids([&second, &project, &first]), "and not the progress");
}

#[test]
fn a_statement_before_its_record_and_a_body_behind_its_header_touch_when_they_can_be_read() {
    let mut world = World::new();
    let first = world.create("project", "XM1", &[("name", "一")]);
    let second = world.create("project", "XM2", &[("name", "二")]);
    let third = world.create("project", "XM3", &[("name", "三")]);
    let naming = world.create("progress", "JD1", &[("project", "2-3")]);
    let bare = Arc::new(first.without_body());
    assert!(world.hear(&bare).is_empty(), "nothing can be said of it yet");
    for entry in [&second, &third, &naming] {
        world.hear(entry);
    }
    let without = world.peer.positions();
    let touched = world.hear(&first);
    assert_eq!(touched.records, ids([&first, &second, &third, &naming]), "the labels behind it are others now");
    assert_eq!(world.peer.view().label(&third.id()).map(|label| label.to_string()), Some("2-3".into()));
    assert_eq!(world.since(&without), Ok(touched.records));

    // A log with a lower number speaks of a record that is created in another one later.
    let (charter, secretariat, county) = (&world.charter, &world.secretariat, &world.county);
    let create = Statement::create([77; 16], 1, None, fields("project", &[("name", "四")]));
    let body = create.encode().expect("the statement keeps every rule");
    let project = KindSet::builtin().kind_named("project").expect("a built-in kind").number();
    let created = county.entry(charter, world.last.as_deref(), NOW, project, body);
    let naming = Statement::revise([78; 16], 1, created.id(), fields("project", &[("name", "五")]), BTreeSet::new());
    let body = naming.encode().expect("the statement keeps every rule");
    let early = secretariat.entry(charter, None, NOW, project, body);
    assert_eq!(world.hear(&early).records, ids([&created]));
    assert_eq!(world.hear(&created).records, ids([&created]));
}

#[test]
fn an_erasure_touches_what_it_erases_and_what_that_named_and_nothing_else() {
    let mut world = World::new();
    let project = world.create("project", "XM1", &[("name", "电池园")]);
    let other = world.create("project", "XM2", &[("name", "脐橙园")]);
    let progress = world.create("progress", "JD1", &[("project", "XM1")]);
    for entry in [&project, &other, &progress] {
        world.hear(entry);
    }
    let before = world.peer.positions();
    let touched = world.erase(&progress);
    assert_eq!(touched, Touched { records: ids([&progress, &project]), everything: false });
    assert_eq!(world.since(&before), Err(Moved::Erased));
    let later = world.create("progress", "JD2", &[("project", "XM2")]);
    let (after, touched) = (world.peer.positions(), world.hear(&later));
    assert_eq!(world.since(&after), Ok(touched.records), "what was erased before is none of its business");
}

#[test]
fn a_fork_and_a_seal_touch_what_counts_no_longer() {
    let mut world = World::new();
    let first = world.create("project", "XM1", &[("name", "一")]);
    let second = world.create("project", "XM2", &[("name", "二")]);
    let third = world.create("progress", "JD1", &[("project", "XM1")]);
    world.last = Some(Arc::clone(&first));
    let contradicting = world.create("project", "XM4", &[("name", "四")]);
    for entry in [&first, &second, &third] {
        world.hear(entry);
    }
    let before = world.peer.positions();
    // The fork at the second entry takes it and what follows, and with it what was said of the first.
    assert_eq!(world.hear(&contradicting).records, ids([&second, &third, &first]));
    assert_eq!(world.since(&before), Err(Moved::Entries));
    let forked = world.peer.positions();
    let last = Some(Position { sequence: 2, id: third.id() });
    let touched = world.decide(vec![Operation::SealKey(Seal { key: public_key(&world.county.signing), last })]);
    assert_eq!(touched.records, ids([&second, &third, &first]), "the seal brings them back");
    assert_eq!(world.since(&forked), Ok(touched.records));
}

#[test]
fn a_block_touches_everything_only_where_records_depend_on_it() {
    let mut world = World::new();
    let project = world.create("project", "XM1", &[("name", "一")]);
    world.hear(&project);
    let before = world.peer.positions();
    let newcomer = Organisation::new("夏邑县", Class::County, 3);
    let application = newcomer.application(&world.charter.federation());
    let admitted = world.decide(vec![Operation::Admit { member: MemberNumber(3), application }]);
    assert!(admitted.is_empty(), "{admitted:?}");
    assert_eq!(world.since(&before), Ok(BTreeSet::new()));
    let seat =
        SeatGrant { role: Role::Council, ..SeatGrant::registrar(MemberNumber(2), crate::identity::PublicKey::ZERO) };
    let seated = world.decide(vec![Operation::GrantRole(seat)]);
    assert!(seated.everything);
    assert_eq!(world.since(&before), Err(Moved::Charter));
    let (other, _) = Organisation::found("别的秘书处", 9);
    let elsewhere = Peer::new(&other, 1);
    assert_eq!(elsewhere.advance(&before, 1).err(), Some(Moved::Branch));
}

#[test]
fn a_member_that_is_given_records_takes_their_numbers_too() {
    let mut world = World::new();
    let project = world.create("project", "XM1", &[("name", "一")]);
    world.hear(&project);
    let before = world.peer.positions();
    let key = public_key(&world.county.signing);
    let last = Some(Position { sequence: 0, id: project.id() });
    let departure =
        crate::charter::Departure { member: MemberNumber(2), reason: String::new(), seals: vec![Seal { key, last }] };
    assert!(world.decide(vec![Operation::Expel(departure)]).everything);
    let given = Operation::Reassign { from: MemberNumber(2), to: MemberNumber(1), reason: String::new() };
    assert!(world.decide(vec![given]).everything);
    assert_eq!(world.since(&before), Err(Moved::Owners));
    assert!(!Moved::Owners.took_away() && Moved::Erased.took_away());
    assert_eq!(world.peer.view().by_external(MemberNumber(1), 103, "XM1"), Some(project.id()));
}

#[test]
fn what_was_said_between_two_positions_is_told_in_steps_and_nothing_twice() {
    let mut world = World::new();
    let (first, second) = (world.create("project", "XM1", &[("name", "一")]), world.create("project", "XM2", &[]));
    let revised = world.revise("project", first.id(), &[("name", "改")]);
    world.hear(&Arc::new(first.without_body()));
    let from = world.peer.positions();
    [&second, &revised].into_iter().for_each(|entry| drop(world.hear(entry)));
    let until = world.peer.positions();
    let step = world.peer.said(&from, &until, 1);
    let told = |news: &[crate::view::News]| -> Vec<(EntryId, bool)> {
        news.iter().map(|news| (news.record, news.is_create)).collect()
    };
    assert_eq!((told(&step.news), step.is_there, step.is_cut), (vec![(second.id(), true)], false, false));
    let rest = world.peer.said(&step.positions, &until, usize::MAX);
    assert_eq!((told(&rest.news), rest.is_there), (vec![(first.id(), false)], true));
    assert_eq!(world.peer.said(&rest.positions, &until, usize::MAX).news, []);

    // A body that comes later is told when it is there, once.
    world.hear(&first);
    let later = world.peer.positions();
    let step = world.peer.said(&rest.positions, &later, usize::MAX);
    assert_eq!((told(&step.news), step.is_there), (vec![(first.id(), true)], true));
    assert_eq!(world.peer.said(&step.positions, &later, usize::MAX).news, []);

    // Where the log has another branch now, that is said; what was erased is none of the news.
    world.last = Some(Arc::clone(&second));
    let contradicting = world.create("project", "XM4", &[("name", "四")]);
    world.hear(&contradicting);
    let forked = world.peer.positions();
    let cut = world.peer.said(&step.positions, &forked, usize::MAX);
    assert!(cut.is_cut && cut.is_there && cut.news.is_empty(), "{cut:?}");
}

#[test]
fn what_is_kept_of_positions_is_read_as_it_was_written_or_not_at_all() {
    let mut world = World::new();
    let project = world.create("project", "XM1", &[("name", "一")]);
    world.hear(&Arc::new(project.without_body()));
    let positions = world.peer.positions();
    let bytes = positions.encode();
    assert_eq!(Positions::decode(&bytes), Ok(positions));
    for cut in 0..bytes.len() {
        assert!(Positions::decode(&bytes[..cut]).is_err(), "{cut}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Positions::decode(&longer).is_err());
    let mut many = bytes;
    many[44..48].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(Positions::decode(&many).is_err(), "a count beyond every bound");
}

#[test]
fn too_many_records_are_everything() {
    let mut touched = Touched::default();
    for number in 0..=TOUCHED_RECORDS_MAX as u32 {
        assert!(!touched.everything);
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_le_bytes());
        touched.add(EntryId(id));
    }
    assert_eq!(touched, Touched::everything());
    touched.add(EntryId::ZERO);
    touched.merge(Touched { records: BTreeSet::from([EntryId::ZERO]), everything: false });
    assert_eq!(touched, Touched::everything());
}
