//! A consumer that keeps notes: whatever happens to records, they are those that a look at everything would give.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use protocol::charter::{Operation, Role, SeatGrant};
use protocol::erasure::{Erasure, KIND_ERASURE, Target};
use protocol::identity::{EntryId, MemberNumber, PublicKey, public_key};
use protocol::kind::KindSet;
use protocol::limits::CLOCK_TOLERANCE_MS;
use protocol::statement::Statement;

use super::worker::{Step, Worker};
use super::{Batch, Consumer, ConsumerError, Derived, Held, Settled};
use crate::core::now_ms;
use crate::records::look::{Looked, Round, look};
use crate::records::tests::world::{World, demand};

/// What is noted of each record that is there.
type Notes = BTreeMap<EntryId, String>;

/// Keeps the notes.
#[derive(Clone, Default)]
struct Probe {
    notes: Arc<Mutex<Notes>>,
    /// How many records it was handed.
    handed: Arc<Mutex<usize>>,
}

fn note(looked: &Looked) -> Option<String> {
    let look = looked.look.as_ref()?;
    let (state, judged) = (&look.seen.state, &look.found.judged);
    let kind = KindSet::builtin().kind(state.kind)?;
    let position = kind.lifecycle().map(|lifecycle| lifecycle.position_at(&state.fields, now_ms()));
    let (title, label, uncounted) = (kind.title(&state.fields), state.label, judged.uncounted.len());
    Some(format!("{label} {title} {position:?} {:?} {uncounted} {:?}", state.withdrawn, look.found.coverage))
}

impl Consumer for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn clear(&mut self) -> Result<(), ConsumerError> {
        self.notes.lock().clear();
        Ok(())
    }

    fn take(&mut self, batch: &Batch) -> Result<(), ConsumerError> {
        let mut notes = self.notes.lock();
        *self.handed.lock() += batch.records.len();
        for looked in &batch.records {
            match note(looked) {
                Some(text) => drop(notes.insert(looked.id, text)),
                None => drop(notes.remove(&looked.id)),
            }
        }
        Ok(())
    }

    fn settle(&mut self, _: &Settled<'_>) -> Result<Option<u64>, ConsumerError> {
        Ok(None)
    }

    fn recover(&mut self) -> Result<Option<Held>, ConsumerError> {
        self.notes.lock().clear();
        Ok(None)
    }
}

/// A worker with a probe and an index in a directory.
struct Bench {
    world: World,
    derived: Derived,
    worker: Worker,
    probe: Probe,
}

impl Bench {
    async fn new() -> Self {
        let world = World::new().await;
        let (derived, worker, probe) = start(&world, &world.folder.path().join("search"));
        Self { world, derived, worker, probe }
    }

    /// Steps until there is nothing to do, and compares the notes with what a look at everything gives. When the worker
    /// wants to go on by itself.
    #[track_caller]
    fn rest(&mut self) -> Option<u64> {
        let until_ms = loop {
            match self.worker.step() {
                // What was taken in waits a little for a commit.
                Step::Idle { .. } if self.derived.lag(&self.world.core).records > 0 => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Step::Idle { until_ms } => break until_ms,
                Step::Busy => {}
            }
        };
        let core = &self.world.core;
        let (mut round, mut every) = (Round::new(), Notes::new());
        loop {
            let ids: Vec<EntryId> = round.step(core, 100).into_iter().map(|(_, id)| id).collect();
            if ids.is_empty() {
                break;
            }
            let looked = look(core, KindSet::builtin(), &ids, core.as_of_ms());
            every.extend(looked.iter().filter_map(|looked| Some((looked.id, note(looked)?))));
        }
        assert_eq!(*self.probe.notes.lock(), every);
        until_ms
    }

    /// How many records were handed out since this was asked last.
    fn handed(&self) -> usize {
        std::mem::take(&mut self.probe.handed.lock())
    }
}

fn start(world: &World, directory: &Path) -> (Derived, Worker, Probe) {
    let (derived, _) = Derived::new(world.core.clone(), directory);
    let mut worker = Worker::new(world.core.clone(), directory.to_owned(), Arc::clone(&derived.shared));
    let probe = Probe::default();
    worker.add(Box::new(probe.clone()));
    (derived, worker, probe)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_revised_withdrawn_and_linked_is_looked_at_and_nothing_else() {
    let mut bench = Bench::new().await;
    for number in 0..40 {
        bench.world.create(demand(&format!("XQ{number}"), &[])).await;
    }
    bench.rest();
    assert!(bench.handed() >= 40);
    let id = bench.world.create(demand("新", &[("备注", "甲")])).await;
    bench.rest();
    assert_eq!(bench.handed(), 1, "one record was touched");
    bench.world.revise(id, &[("备注", "乙")], &[]).await.expect("it stands");
    bench.world.withdraw(id, None).await.expect("it stands");
    bench.rest();
    assert_eq!(bench.handed(), 1, "twice in one go");
    assert_eq!(bench.derived.lag(&bench.world.core).records, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_is_waited_for() {
    let mut bench = Bench::new().await;
    bench.world.create(demand("无", &[])).await;
    assert_eq!(bench.rest(), None);
    bench.world.create(demand("有", &[("期限", "2199-12-31")])).await;
    let kind = KindSet::builtin().kind_named("demand").expect("a built-in kind");
    let read = |text: &str| kind.field_named("期限").expect("it has one").parse(text).expect("a date");
    let Some(protocol::value::Value::Date(day)) = read("2199-12-31") else { panic!("a date") };
    assert_eq!(bench.rest(), Some(day.end_ms() - CLOCK_TOLERANCE_MS + 1));

    let time_ms = now_ms() + 60 * 60 * 1_000;
    let fields = [("名称", "将来"), ("类别", "招商")].map(|(name, text)| {
        let field = kind.field_named(name).expect("it has one");
        (field.number, field.parse(text).expect("good").expect("not blank"))
    });
    let statement = Statement::create([1; 16], 1, None, fields.into());
    let entry = bench.world.arrives(None, time_ms, kind.number(), &statement).await;
    assert_eq!(bench.rest(), Some(time_ms - CLOCK_TOLERANCE_MS + 1), "the statement from the future comes first");
    assert!(!bench.probe.notes.lock().contains_key(&entry.id()));
}

#[tokio::test(flavor = "multi_thread")]
async fn erasures_and_blocks_lead_to_the_same_as_a_look_at_everything() {
    let mut bench = Bench::new().await;
    for number in 0..5 {
        bench.world.create(demand(&format!("XQ{number}"), &[])).await;
    }
    let kind = KindSet::builtin().kind_named("demand").expect("a built-in kind");
    let field = kind.field_named("名称").expect("it has one");
    let value = field.parse("别县的").expect("good").expect("not blank");
    let statement = Statement::create([1; 16], 1, None, [(field.number, value)].into());
    let entry = bench.world.arrives(None, now_ms(), kind.number(), &statement).await;
    bench.rest();
    assert!(bench.probe.notes.lock().contains_key(&entry.id()));
    bench.handed();

    let key = public_key(&bench.world.other.signing);
    let target = Target { key, sequence: 0, id: entry.id(), creates: true };
    let erasure = Erasure { reason: String::new(), targets: vec![target] }.encode([9; 16]).expect("it is short");
    let (other, charter) = (&bench.world.other, &bench.world.charter);
    let erasing = other.entry(charter, Some(&entry), now_ms(), KIND_ERASURE, erasure);
    bench.world.core.ingest(vec![erasing]).await.expect("it is good");
    bench.rest();
    assert_eq!(bench.handed(), 1, "only what was erased");
    assert!(!bench.probe.notes.lock().contains_key(&entry.id()));

    let seat = SeatGrant { role: Role::Council, ..SeatGrant::registrar(MemberNumber(3), PublicKey::ZERO) };
    let World { charter, secretariat, core, .. } = &mut bench.world;
    secretariat.try_append(charter, vec![Operation::GrantRole(seat)]).expect("it keeps every rule");
    let block = charter.blocks()[charter.blocks().len() - 1].clone();
    core.append_blocks(vec![block]).await.expect("it follows the tip");
    bench.rest();
    assert!(bench.handed() >= 5, "all of them depend on who holds seats");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_touches_no_record_leaves_nothing_behind() {
    let mut bench = Bench::new().await;
    bench.world.create(demand("甲", &[])).await;
    bench.rest();
    assert!(bench.derived.duties().is_complete(&bench.world.core));
    bench.handed();
    let World { charter, secretariat, core, .. } = &mut bench.world;
    let warning = Operation::Warn { member: MemberNumber(3), reason: "迟报".into() };
    secretariat.try_append(charter, vec![warning]).expect("it keeps every rule");
    let block = charter.blocks()[charter.blocks().len() - 1].clone();
    core.append_blocks(vec![block]).await.expect("it follows the tip");
    bench.rest();
    assert_eq!(bench.handed(), 0, "no record depends on a warning");
    assert!(bench.derived.duties().is_complete(&bench.world.core), "and the duties stand as before");
}
