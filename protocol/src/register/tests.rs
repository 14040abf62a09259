//! Two members, two kinds: what counts, what does not, and that everybody finds the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Register;
use crate::charter::{Charter, Class};
use crate::entry::VerifiedEntry;
use crate::identity::{EntryId, MemberNumber};
use crate::kind::tests::rules::{PARK, REVIEW};
use crate::kind::{KindSet, Position};
use crate::limits::LINKS_PER_STRANGER_MAX;
use crate::statement::{FIELD_SEALED, Statement};
use crate::testing::{FOUNDED_MS, Organisation};
use crate::value::Value;
use crate::view::{BodySource, LinkFields, Place, View};

const NOW: u64 = FOUNDED_MS + 10_000;

struct World {
    kinds: KindSet,
    charter: Charter,
    county: Organisation,
    last: Option<Arc<VerifiedEntry>>,
    stranger: Organisation,
    last_of_stranger: Option<Arc<VerifiedEntry>>,
    view: View,
    bodies: BTreeMap<Place, Arc<[u8]>>,
    time_ms: u64,
}

impl BodySource for World {
    fn body(&self, place: Place) -> Option<Arc<[u8]>> {
        self.bodies.get(&place).cloned()
    }
}

impl World {
    fn new() -> Self {
        Self::with(PARK)
    }

    fn with(park: &str) -> Self {
        let kinds = KindSet::parse(&[("park.toml", park), ("review.toml", REVIEW)]).expect("the files are good");
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", Class::County, 2);
        secretariat.admit(&mut charter, &county);
        let stranger = Organisation::new("夏邑县", Class::County, 3);
        secretariat.admit(&mut charter, &stranger);
        let mut view = View::default();
        view.set_logs(charter.logs());
        view.set_links(Arc::new(LinkFields::of(&kinds)));
        let (last, last_of_stranger, bodies) = (None, None, BTreeMap::new());
        Self { kinds, charter, county, last, stranger, last_of_stranger, view, bodies, time_ms: NOW }
    }

    fn register(&self, as_of_ms: u64) -> Register<'_> {
        Register::new(&self.view, self, &self.kinds, &self.charter, as_of_ms)
    }

    fn fields(&self, kind: &str, cells: &[(&str, &str)]) -> BTreeMap<u16, Value> {
        let kind = self.kinds.kind_named(kind).expect("the kind is there");
        let read = |(name, text): &(&str, &str)| {
            let field = kind.field_named(name).expect("the kind has the field");
            Some((field.number, field.parse(text).expect("good")?))
        };
        cells.iter().filter_map(read).collect()
    }

    fn say(&mut self, kind: &str, statement: &Statement) -> EntryId {
        self.time_ms += 1;
        let (number, body) = self.number_and_body(kind, statement);
        let entry = self.county.entry(&self.charter, self.last.as_deref(), self.time_ms, number, body);
        self.last = Some(Arc::clone(&entry));
        self.take_in(1, &entry)
    }

    /// The other county creates a record.
    fn stranger_creates(&mut self, kind: &str, external: &str, cells: &[(&str, &str)]) {
        self.time_ms += 1;
        let statement = Statement::create([0; 16], 1, Some(external.into()), self.fields(kind, cells));
        let (number, body) = self.number_and_body(kind, &statement);
        let last = self.last_of_stranger.as_deref();
        let entry = self.stranger.entry(&self.charter, last, self.time_ms, number, body);
        self.last_of_stranger = Some(Arc::clone(&entry));
        self.take_in(2, &entry);
    }

    fn number_and_body(&self, kind: &str, statement: &Statement) -> (u16, Vec<u8>) {
        let number = self.kinds.kind_named(kind).expect("the kind is there").number();
        (number, statement.encode().expect("the statement keeps every rule"))
    }

    fn take_in(&mut self, log: u32, entry: &Arc<VerifiedEntry>) -> EntryId {
        let place = Place { log, sequence: entry.header().sequence };
        self.bodies.insert(place, entry.body().expect("the entry has a body").clone());
        self.view.insert(place, entry);
        entry.id()
    }

    fn create(&mut self, kind: &str, external: &str, cells: &[(&str, &str)]) -> EntryId {
        let fields = self.fields(kind, cells);
        self.say(kind, &Statement::create([0; 16], 1, Some(external.into()), fields))
    }

    fn revise(&mut self, kind: &str, record: EntryId, cells: &[(&str, &str)]) -> EntryId {
        let fields = self.fields(kind, cells);
        self.say(kind, &Statement::revise([0; 16], 1, record, fields, BTreeSet::new()))
    }

    fn stage(&self, id: &EntryId) -> (String, usize) {
        let register = self.register(self.time_ms);
        let judged = register.judged(id).expect("the record is there");
        let (_, zh, _) = register.assess(&judged).expect("its kind is known").position.expect("it has a lifecycle");
        (zh, judged.uncounted.len())
    }
}

#[test]
fn what_breaks_the_lifecycle_is_kept_and_not_counted_until_what_it_lacked_is_there() {
    let mut world = World::new();
    let park = world.create("park", "Y1", &[("编号", "Y1"), ("名称", "甲"), ("阶段", "策划"), ("用地", "476")]);
    let signing = world.revise("park", park, &[("阶段", "签约"), ("投资", "37.84")]);
    assert_eq!(world.stage(&park), ("策划".into(), 1));
    let judged = world.register(world.time_ms).judged(&park).expect("it is there");
    assert_eq!(judged.uncounted[0].entry, signing);
    assert!(judged.uncounted[0].reason.missing[0].zh.contains("“审查”记录至少 1 条"));
    assert!(!judged.state.fields.contains_key(&4), "the whole statement does not count");

    let review = world.create("review", "S1", &[("审查编号", "S1"), ("园区", "Y1"), ("结论", "通过")]);
    assert_eq!(world.stage(&park), ("签约".into(), 0));
    world.say("review", &Statement::withdraw([0; 16], 1, review, None));
    assert_eq!(world.stage(&park), ("策划".into(), 1));
    let by_label = world.create("review", "S2", &[("审查编号", "S2"), ("园区", "2-1"), ("结论", "通过")]);
    assert_eq!(world.stage(&park), ("签约".into(), 0));
    let other = world.revise("review", by_label, &[("园区", "Y9")]);
    assert_ne!(other, by_label);
    assert_eq!(world.stage(&park), ("策划".into(), 1), "the link was taken away");
    world.revise("review", by_label, &[("园区", &park.to_string())]);
    assert_eq!(world.stage(&park), ("签约".into(), 0));
}

#[test]
fn a_sealed_state_is_out_of_sight_and_comes_to_light_by_its_kind() {
    let plan = [("编号", "Y1"), ("名称", "甲"), ("阶段", "策划"), ("用地", "476")];
    let signed = [("编号", "Y1"), ("名称", "甲"), ("阶段", "签约"), ("用地", "476")];
    let confidential = PARK.replacen("title =", "readers = \"parties\"\ntitle =", 1);
    for (file, uncounted) in [(PARK, 1), (&confidential, 0)] {
        let mut world = World::with(file);
        let park = world.create("park", "Y1", &plan);
        let cleared = world.fields("park", &plan).into_keys().collect();
        let sealed = BTreeMap::from([(FIELD_SEALED, Value::Sealed(vec![1]))]);
        world.say("park", &Statement::revise([0; 16], 1, park, sealed, cleared));
        let judged = world.register(world.time_ms).judged(&park).expect("it is there");
        assert_eq!(judged.uncounted, []);
        assert_eq!(judged.state.fields.into_keys().collect::<Vec<_>>(), [FIELD_SEALED]);
        let opened = world.fields("park", &signed);
        world.say("park", &Statement::revise([0; 16], 1, park, opened, BTreeSet::from([FIELD_SEALED])));
        let judged = world.register(world.time_ms).judged(&park).expect("it is there");
        assert_eq!(judged.uncounted.len(), uncounted);
    }
}

#[test]
fn a_state_that_alone_is_taken_out_of_sight_stays_what_it_was() {
    let mut world = World::new();
    let park = world.create("park", "Y1", &[("编号", "Y1"), ("名称", "甲"), ("阶段", "策划")]);
    let sealed = BTreeMap::from([(FIELD_SEALED, Value::Sealed(vec![1, 2, 3]))]);
    world.say("park", &Statement::revise([0; 16], 1, park, sealed, BTreeSet::from([8])));
    assert_eq!(world.stage(&park), ("策划".into(), 1));
}

#[test]
fn of_what_a_stranger_says_about_a_record_only_the_first_is_looked_at() {
    let mut world = World::new();
    let cells = [("编号", "Y1"), ("名称", "甲"), ("阶段", "策划"), ("用地", "476"), ("投资", "37.84")];
    let park = world.create("park", "Y1", &cells);
    world.revise("park", park, &[("阶段", "签约")]);
    let review = |result| [("审查编号", "S"), ("园区", "2-1"), ("结论", result)];
    for number in 0..LINKS_PER_STRANGER_MAX {
        world.stranger_creates("review", &format!("S{number}"), &review("不通过"));
    }
    world.stranger_creates("review", "S-late", &review("通过"));
    assert_eq!(world.stage(&park), ("策划".into(), 1), "the stranger has said enough");
    for number in 0..LINKS_PER_STRANGER_MAX {
        world.create("review", &format!("S{number}"), &review("不通过"));
    }
    world.create("review", "S-own", &review("通过"));
    assert_eq!(world.stage(&park), ("签约".into(), 0), "its owner may name it as often as it likes");
}

#[test]
fn time_moves_a_record_and_its_owner_can_move_it_back() {
    let mut world = World::new();
    let park = world.create("park", "Y1", &[("编号", "Y1"), ("名称", "甲"), ("阶段", "策划"), ("期限", "2026-01-01")]);
    let later = NOW + 3 * 365 * 86_400_000;
    let position = |world: &World, as_of_ms| {
        let register = world.register(as_of_ms);
        let judged = register.judged(&park).expect("it is there");
        register.assess(&judged).expect("known").position.expect("has one").0
    };
    assert_eq!((position(&world, NOW + 1), position(&world, later)), (Position::State(0), Position::State(2)));
    world.revise("park", park, &[("期限", "2099-01-01")]);
    assert_eq!(position(&world, later), Position::State(0));
}

#[test]
fn an_author_is_judged_before_it_signs() {
    let mut world = World::new();
    let signed = world.fields("park", &[("编号", "Y1"), ("名称", "甲"), ("阶段", "签约"), ("用地", "476")]);
    let planned = world.fields("park", &[("编号", "Y1"), ("名称", "甲"), ("阶段", "策划"), ("用地", "476")]);
    let judge = |world: &World, before| {
        let kind = world.kinds.kind_named("park").expect("the kind is there");
        world.register(NOW).judge(kind, None, MemberNumber(2), before, &signed)
    };
    assert!(judge(&world, None).is_err());
    assert_eq!(judge(&world, Some(&planned)).expect_err("no review").missing.len(), 1);
    world.create("review", "S1", &[("审查编号", "S1"), ("园区", "Y1"), ("结论", "通过")]);
    assert!(
        world
            .register(NOW + 1)
            .judge(
                world.kinds.kind_named("park").expect("the kind is there"),
                None,
                MemberNumber(2),
                Some(&planned),
                &signed
            )
            .is_ok()
    );
}

#[test]
fn figures_gather_what_names_the_record() {
    let mut world = World::new();
    let whole = world.create("park", "P0", &[("编号", "P0"), ("名称", "园"), ("投资", "379")]);
    for (number, investment) in [("P1", "37.84"), ("P2", "114"), ("P3", "227")] {
        world.create("park", number, &[("编号", number), ("名称", "期"), ("上级", "P0"), ("投资", investment)]);
    }
    let register = world.register(world.time_ms);
    let judged = register.judged(&whole).expect("it is there");
    let figures = register.assess(&judged).expect("known").figures;
    let phases = figures.iter().find(|figure| figure.name == "phases").expect("there are phases");
    assert_eq!((phases.text.as_str(), phases.records), ("378.84亿元", 3));
}
