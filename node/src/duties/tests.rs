//! Records of the tests' world through the consumer to verdicts, and "nothing changed" from plan to record.

use std::sync::Arc;

use protocol::duty::{Deeds, Ledger, Rules, Sources};
use protocol::identity::EntryId;

use super::unchanged::plan;
use super::{Asked, DutyError, LedgerConsumer, Shelf, view};
use crate::api::types::DutyItem;
use crate::core::now_ms;
use crate::derive::{Batch, Consumer, Settled};
use crate::kinds::kinds;
use crate::records::look::look;
use crate::records::publish::Request;
use crate::records::tests::world::{World, demand};

struct Bench {
    world: World,
    shelf: Arc<Shelf>,
    consumer: LedgerConsumer,
}

impl Bench {
    async fn new() -> Self {
        let (world, shelf) = (World::new().await, Arc::new(Shelf::default()));
        let consumer = LedgerConsumer::new(world.core.clone(), Arc::clone(&shelf), kinds());
        Self { world, shelf, consumer }
    }

    /// Hands over what was touched, as the follower does.
    fn follow(&mut self) {
        let core = &self.world.core;
        let (as_of_ms, taken) = (core.as_of_ms(), core.take_touched());
        let ids: Vec<EntryId> = match taken.touched.everything {
            true => core.read(|state| state.view().ids(u64::MAX).collect()),
            false => taken.touched.records.iter().copied().collect(),
        };
        let batch = Batch { records: look(core, kinds(), &ids, as_of_ms), as_of_ms };
        self.consumer.take(&batch).expect("nothing can fail");
        let positions = &taken.positions;
        let settled = Settled { positions, looked_until_ms: as_of_ms, round: None, is_idle: true };
        assert_eq!(self.consumer.settle(&settled).expect("nothing can fail"), None);
    }

    /// A look at everything.
    fn full(&self) -> Ledger {
        let core = &self.world.core;
        core.read(|state| {
            let sources = Sources {
                charter: state.replica.charter(),
                times: &state.replica,
                view: state.view(),
                bodies: core,
                kinds: kinds(),
                readable: &|_, _| true,
            };
            let mut ledger = Ledger::default();
            for id in state.view().ids(u64::MAX) {
                ledger.put(id, Deeds::of(&sources, Rules::builtin(), &id));
            }
            ledger
        })
    }

    /// How the own county stands with its monthly update.
    fn own(&self) -> DutyItem {
        let asked = Asked { member: Some("2".into()), rule: Some("YW001".into()), ..Asked::default() };
        let mut view = view(&self.world.core, &self.shelf, &asked).expect("it can be asked");
        assert!(view.complete && view.items.len() == 1, "{view:?}");
        view.items.remove(0)
    }
}

fn running(item: &DutyItem) -> (&str, u64, u64) {
    let running = item.running.as_ref().expect("a month always runs");
    (&running.state, running.counted, running.no_change)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_each_record_is_what_a_look_at_everything_gives() {
    let mut bench = Bench::new().await;
    bench.follow();
    assert_eq!(running(&bench.own()), ("due", 0, 0));
    let id = bench.world.create(demand("XQ1", &[])).await;
    assert!(!bench.shelf.is_complete(&bench.world.core), "it has not heard of it");
    bench.follow();
    assert_eq!(running(&bench.own()), ("met", 1, 0));
    assert_eq!(bench.own().running.expect("it runs").evidence[0].record, id.to_string());
    bench.world.revise(id, &[("说明", "加急")], &[]).await.expect("it is this member's");
    bench.world.withdraw(id, None).await.expect("it is this member's");
    bench.follow();
    assert_eq!(*bench.shelf.ledger(), bench.full());
    assert_eq!(bench.shelf.len(), 1);
    assert_eq!(running(&bench.own()), ("met", 1, 0), "what was withdrawn was an update too");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changed_is_planned_once_and_performs_the_month() {
    let mut bench = Bench::new().await;
    bench.follow();
    let core = bench.world.core.clone();
    let first = plan(&core, &bench.shelf, now_ms()).expect("it is a member");
    let monthly = &first.duties[0];
    assert_eq!((monthly.rule.as_str(), monthly.outcome.as_str()), ("YW001", "stated"));
    assert_eq!(first.records.len(), 1);
    let requests = first.records.into_iter().map(|(_, record)| Request::Create(record)).collect();
    bench.world.publish(requests).await.expect("the receipt keeps every rule");
    // The ledger has not heard of it: nothing is said twice meanwhile.
    assert!(matches!(plan(&core, &bench.shelf, now_ms()), Err(DutyError::NotComplete)));
    bench.follow();
    assert_eq!(running(&bench.own()), ("met_no_change", 0, 1));
    let after = plan(&core, &bench.shelf, now_ms()).expect("it is a member");
    assert_eq!((after.duties[0].outcome.as_str(), after.records.len()), ("already_done", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_count_for_nothing_is_not_stated() {
    let mut bench = Bench::new().await;
    bench.world.create(demand("XQ1", &[])).await;
    bench.follow();
    // For a clock that was a year ahead when that was published, and is right now.
    let refused = plan(&bench.world.core, &bench.shelf, now_ms() - 365 * 86_400_000);
    assert!(matches!(refused, Err(DutyError::DatedAhead { .. })), "{refused:?}");
    assert!(plan(&bench.world.core, &bench.shelf, now_ms()).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_stated_though_its_number_is_taken() {
    let mut bench = Bench::new().await;
    bench.follow();
    let core = bench.world.core.clone();
    let (_, receipt) = plan(&core, &bench.shelf, now_ms()).expect("it is a member").records.remove(0);
    let number = receipt.external.clone().expect("it has a number");
    let id = bench.world.create(receipt).await;
    bench.world.withdraw(id, Some("填错")).await.expect("it is this member's");
    bench.follow();
    assert_eq!(running(&bench.own()), ("due", 0, 0), "what was withdrawn performs nothing");
    let mut again = plan(&core, &bench.shelf, now_ms()).expect("it is a member");
    assert_eq!(again.duties[0].outcome, "stated");
    let (_, receipt) = again.records.remove(0);
    assert_eq!(receipt.external, Some(format!("{number}-2")));
    bench.world.create(receipt).await;
    bench.follow();
    assert_eq!(running(&bench.own()), ("met_no_change", 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_record_is_still_true_can_be_said_of_it_and_counts_as_no_change() {
    let mut bench = Bench::new().await;
    let id = bench.world.create(demand("XQ1", &[])).await;
    bench.world.one(Request::Confirm(id)).await.expect("it is this member's");
    bench.follow();
    assert_eq!(running(&bench.own()), ("met", 1, 1));
    bench.world.withdraw(id, None).await.expect("it is this member's");
    let refused = bench.world.one(Request::Confirm(id)).await.expect_err("it is withdrawn");
    assert_eq!(refused.code(), "withdrawn");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_secretariat_owes_stands_in_its_plan_too() {
    let world = World::of_class(protocol::charter::Class::Secretariat).await;
    let shelf = Arc::new(Shelf::default());
    let consumer = LedgerConsumer::new(world.core.clone(), Arc::clone(&shelf), kinds());
    let mut bench = Bench { world, shelf, consumer };
    bench.follow();
    let plan = plan(&bench.world.core, &bench.shelf, now_ms()).expect("it is a member");
    let owed: Vec<(&str, &str)> = plan.duties.iter().map(|duty| (duty.rule.as_str(), duty.outcome.as_str())).collect();
    assert_eq!(owed, [("YW005", "not_by_statement"), ("YW006", "not_by_statement")]);
    assert!(plan.records.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_refused_by_name() {
    let bench = Bench::new().await;
    let ask = |asked: Asked| view(&bench.world.core, &bench.shelf, &asked).map(|view| view.items.len());
    let member = Asked { member: Some("九十九".into()), ..Asked::default() };
    assert!(matches!(ask(member), Err(DutyError::Member { .. })));
    assert!(matches!(ask(Asked { rule: Some("YW99".into()), ..Asked::default() }), Err(DutyError::Rule { .. })));
    let error = ask(Asked { states: vec!["lazy".into()], ..Asked::default() }).expect_err("no such state");
    assert!(error.zh().contains("lazy") && error.to_string().contains("met_no_change"), "{error}");
    assert!(ask(Asked { member: Some("夏邑县".into()), ..Asked::default() }).is_ok_and(|items| items > 0));
}
