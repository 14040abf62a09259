//! What is kept in step with the records is what the entries themselves come to, and a bulletin over them holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::charter::Class;
use protocol::duty::Cycle;
use protocol::identity::EntryId;
use protocol::indicator::Figure;
use protocol::kind::{KIND_SET_VERSION, Kind, KindSet};
use protocol::statement::Statement;
use protocol::value::Date;
use rust_decimal::Decimal;

use super::publish::publish;
use super::snapshot::Snapshot;
use super::verify::verify;
use super::{Bound, IndicatorConsumer, IndicatorError, Shelf, duty, show};
use crate::api::types::{CreateRecord, IndicatorsView, PublishBulletin};
use crate::core::now_ms;
use crate::derive::{Batch, Consumer, Settled};
use crate::duties::{self, LedgerConsumer};
use crate::records::look::look;
use crate::records::tests::world::{World, demand, texts};

fn kind(name: &str) -> &'static Kind {
    KindSet::builtin().kind_named(name).expect("a kind")
}

fn event(number: &str) -> CreateRecord {
    let today = Date::of_ms(now_ms()).expect("a day").to_string();
    let fields = texts(&[
        ("活动名称", number),
        ("活动类别", "对接活动"),
        ("主办方", "县政府"),
        ("参加县（市、区）", "411426;500236"),
        ("活动日期", today.as_str()),
        ("区域或地点", "长三角"),
        ("状态", "已举办"),
    ]);
    CreateRecord { kind: "event".to_owned(), external: Some(number.to_owned()), fields, readers: None, parties: None }
}

/// What another member says came of an event that it names by label.
fn outcome(label: &str) -> Statement {
    let kind = kind("outcome");
    let cells = [
        ("event", label),
        ("name", "合作意向"),
        ("parties", "甲;乙"),
        ("category", "意向"),
        ("follow_up_by", "2030-12-31"),
        ("state", "意向"),
    ];
    let field = |(name, text): &(&str, &str)| {
        let field = kind.field_named(name).expect("a field");
        (field.number, field.parse(text).expect("it is read").expect("it is given"))
    };
    Statement::create([7; 16], 1, None, cells.iter().map(field).collect())
}

/// Hands everything that was touched to the consumer, as the follower does.
fn follow(world: &World, consumer: &mut IndicatorConsumer) {
    let touched = world.core.take_touched().touched;
    assert!(!touched.everything);
    let ids: Vec<EntryId> = touched.records.into_iter().collect();
    let as_of_ms = world.core.as_of_ms();
    let records = look(&world.core, KindSet::builtin(), &ids, as_of_ms);
    consumer.take(&Batch { records, as_of_ms }).expect("memory does not fail");
}

fn figures(world: &World) -> Vec<Figure> {
    let as_of_ms = world.core.as_of_ms();
    Snapshot::whole(&world.core, KindSet::builtin(), as_of_ms).expect("the entries stand").figures(as_of_ms)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_in_step_is_what_the_entries_come_to() {
    let world = World::new().await;
    let shelf = Arc::<Shelf>::default();
    let mut consumer = IndicatorConsumer::new(Arc::clone(&shelf), KindSet::builtin(), world.core.clone());
    let shown = |code: &str| {
        let asked = show::Asked::default();
        let view = show::view(&world.core, &shelf, KindSet::builtin(), &asked).expect("it is shown");
        let figure = view.indicators.into_iter().find(|indicator| indicator.code == code).expect("it is defined");
        (figure.value.unwrap_or_default(), figure.confirmed.unwrap_or_default(), figure.members_counted)
    };
    // The blocks that the node began with touched everything; the follower's first round is not what is tested here.
    drop(world.core.take_touched());
    let held = world.create(event("HD1")).await;
    world.create(demand("XQ1", &[])).await;
    follow(&world, &mut consumer);
    assert_eq!(shown("ZB009"), ("1".to_owned(), "0".to_owned(), 1));
    assert_eq!(shown("ZB008").0, "1");

    // Another member's record about it makes the county's own record another one here.
    let label = world.core.read(|state| state.view().label(&held)).expect("it has a label").to_string();
    world.arrives(None, now_ms(), kind("outcome").number(), &outcome(&label)).await;
    follow(&world, &mut consumer);
    assert_eq!(shown("ZB009").1, "1", "confirmed");

    world.withdraw(held, None).await.expect("it is its own");
    follow(&world, &mut consumer);
    assert_eq!(shown("ZB009").0, "0");
    let again = figures(&world);
    let of = |code: &str| again.iter().find(|figure| figure.code == code).expect("it is defined");
    for code in ["ZB002", "ZB008", "ZB009", "ZB010", "ZB024"] {
        let text = of(code).value.and_then(|value| value.text()).unwrap_or_default();
        assert_eq!(shown(code).0, text, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_secretariat_publishes_and_what_it_publishes_holds() {
    let county = World::new().await;
    let wanted = PublishBulletin::default;
    let refused = publish(&county.core, Arc::default(), KindSet::builtin(), &county.publisher, wanted()).await;
    assert!(matches!(refused, Err(IndicatorError::NotSecretariat)));

    let world = World::of_class(Class::Secretariat).await;
    let shelf = Arc::<Shelf>::default();
    world.create(demand("XQ1", &[])).await;
    let id = publish(&world.core, Arc::clone(&shelf), KindSet::builtin(), &world.publisher, wanted()).await;
    let id = id.expect("it is published").to_string();
    let view = verify(&world.core, &shelf, KindSet::builtin(), &id).expect("it is computed again");
    assert_eq!((view.verdict.as_str(), view.recomputed), ("equal", 75), "{:?}", view.differences);
    let late = PublishBulletin { as_of_ms: Some(now_ms() + 86_400_000), ..wanted() };
    let ahead = publish(&world.core, Arc::clone(&shelf), KindSet::builtin(), &world.publisher, late).await;
    assert!(matches!(ahead, Err(IndicatorError::Time(_))));
}

/// What another member states, in the words of people.
fn stated(kind_name: &str, cells: &[(&str, &str)]) -> Statement {
    let kind = kind(kind_name);
    let field = |(name, text): &(&str, &str)| {
        let field = kind.field_named(name).expect("a field");
        (field.number, field.parse(text).expect("it is read").expect("it is given"))
    };
    Statement::create([7; 16], KIND_SET_VERSION, None, cells.iter().map(field).collect())
}

fn cold_store() -> Statement {
    stated("demand", &[("name", "冷库"), ("category", "冷链"), ("state", "发布")])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dated_before_a_bulletin_and_comes_after_it_is_late_and_no_fault_of_it() {
    let world = World::of_class(Class::Secretariat).await;
    let shelf = Arc::<Shelf>::default();
    world.create(demand("XQ1", &[])).await;
    let id = publish(&world.core, Arc::clone(&shelf), KindSet::builtin(), &world.publisher, PublishBulletin::default());
    let id = id.await.expect("it is published").to_string();
    let entry = world.arrives(None, now_ms() - 60_000, kind("demand").number(), &cold_store()).await;
    let label = world.core.read(|state| state.view().label(&entry.id())).expect("it has a label").to_string();
    let view = verify(&world.core, &shelf, KindSet::builtin(), &id).expect("it is computed again");
    assert_eq!((view.verdict.as_str(), view.late_records), ("late", 1), "{view:?}");
    assert!(view.differences.is_empty() && view.missing.is_empty());
    let items = view.late.iter().find(|late| late.code.as_deref() == Some("ZB008")).expect("it is named");
    assert_eq!((items.what.as_str(), items.records.as_slice()), ("late", [label].as_slice()));
    assert!(view.verdict_zh.contains("1 条") && view.verdict_en.contains("equal at its frontier"));
}

/// Everything at the consumers, as the follower hands it over.
fn settle_all(world: &World, indicators: &mut IndicatorConsumer, duties: &mut LedgerConsumer) {
    let (as_of_ms, taken) = (world.core.as_of_ms(), world.core.take_touched());
    let ids: Vec<EntryId> = world.core.read(|state| state.view().ids(u64::MAX).collect());
    let batch = Batch { records: look(&world.core, KindSet::builtin(), &ids, as_of_ms), as_of_ms };
    let settled = Settled { positions: &taken.positions, looked_until_ms: as_of_ms, round: None, is_idle: true };
    indicators.take(&batch).expect("memory does not fail");
    duties.take(&batch).expect("memory does not fail");
    indicators.settle(&settled).expect("memory does not fail");
    duties.settle(&settled).expect("memory does not fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_complete_while_bodies_are_missing_and_it_is_said_why_there_is_no_value() {
    let world = World::new().await;
    let duties = Arc::<duties::Shelf>::default();
    let shelf = Arc::new(Shelf::beside(Arc::clone(&duties)));
    let (core, kinds) = (world.core.clone(), KindSet::builtin());
    let mut of_indicators = IndicatorConsumer::new(Arc::clone(&shelf), kinds, core.clone());
    let mut of_duties = LedgerConsumer::new(core.clone(), duties, kinds);
    settle_all(&world, &mut of_indicators, &mut of_duties);
    let ask = |as_of_ms: Option<u64>| {
        show::view(&core, &shelf, kinds, &show::Asked { as_of_ms, subject: None }).expect("it is shown")
    };
    let why = |view: &IndicatorsView| {
        let found = view.indicators.iter().find(|indicator| indicator.code == "ZB014").expect("it is defined");
        (found.why.clone(), found.why_zh.clone())
    };
    let whole = ask(None);
    assert_eq!((whole.complete, whole.missing_bodies), (true, 0));
    assert_eq!(why(&whole), ("not-entered".to_owned(), "还没有人录入（要写明来源）".to_owned()));
    let body = cold_store().encode().expect("it has its layout");
    let entry = world.other.entry(&world.charter, None, now_ms() - 1_000, kind("demand").number(), body);
    core.ingest(vec![Arc::new(entry.without_body())]).await.expect("the header is good");
    settle_all(&world, &mut of_indicators, &mut of_duties);
    for view in [ask(None), ask(Some(now_ms()))] {
        assert_eq!((view.complete, view.missing_bodies), (false, 1));
        assert!(why(&view).1.contains("1 条条目的正文"), "{:?}", why(&view));
    }
    core.ingest(vec![entry]).await.expect("the body is good");
    settle_all(&world, &mut of_indicators, &mut of_duties);
    assert_eq!((ask(None).complete, ask(Some(now_ms())).complete), (true, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn objections_are_bounded_in_turn_of_their_members_and_answers_say_what_came_of_them() {
    let world = World::of_class(Class::Secretariat).await;
    let (core, kinds, shelf) = (world.core.clone(), KindSet::builtin(), Arc::<Shelf>::default());
    let mut consumer = IndicatorConsumer::new(Arc::clone(&shelf), kinds, core.clone());
    drop(core.take_touched());
    world.create(demand("XQ1", &[])).await;
    let id = publish(&core, Arc::clone(&shelf), kinds, &world.publisher, PublishBulletin::default()).await;
    let id = id.expect("it is published");
    let bulletin = core.read(|state| state.view().label(&id)).expect("it has a label").to_string();
    let long = "长".repeat(Bound::LISTED.characters + 1);
    let object = |text: &str| stated("objection", &[("bulletin", &bulletin), ("indicator", "ZB008"), ("text", text)]);
    let mut previous = None;
    for number in 0..5_u64 {
        let statement = object(&long);
        let time_ms = now_ms() - 60_000 + number;
        previous = Some(world.arrives(previous.as_deref(), time_ms, kind("objection").number(), &statement).await);
    }
    let fields = texts(&[("bulletin", &bulletin), ("indicator", "ZB008"), ("text", "本处另有异议")]);
    let own = |kind: &str, fields| CreateRecord {
        kind: kind.to_owned(),
        external: None,
        fields,
        readers: None,
        parties: None,
    };
    let objection = world.create(own("objection", fields)).await;
    follow(&world, &mut consumer);
    let listed = || {
        let view = show::view(&core, &shelf, kinds, &show::Asked::default()).expect("it is shown");
        view.indicators.into_iter().find(|indicator| indicator.code == "ZB008").expect("it is defined")
    };
    let items = listed();
    assert_eq!((items.objections.len(), items.objections_total), (Bound::LISTED.objections, 6));
    let of_own = items.objections.iter().filter(|view| view.text == "本处另有异议").count();
    assert_eq!(of_own, 1, "it came last and is not crowded out");
    assert!(items.objections[0].text.ends_with('…') && items.objections[0].text.chars().count() == 121);
    let one = show::evidence(&core, &shelf, kinds, "ZB008", None).expect("it is shown").indicator;
    assert_eq!((one.objections.len(), one.objections[0].text.as_str()), (6, long.as_str()));

    let label = core.read(|state| state.view().label(&objection)).expect("it has a label").to_string();
    let fields = texts(&[("objection", &label), ("text", "已计入"), ("outcome", "采纳")]);
    world.create(own("objection_answer", fields)).await;
    follow(&world, &mut consumer);
    let answered = || {
        let one = show::evidence(&core, &shelf, kinds, "ZB008", None).expect("it is shown").indicator;
        one.objections.into_iter().find(|view| view.label == label).expect("it stands there")
    };
    let view = answered();
    let answer = view.answer.expect("it is answered");
    assert_eq!((view.versions, answer.outcome.as_deref(), answer.before_revision), (1, Some("采纳"), false));
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    world.revise(objection, &[("text", "还差一条")], &[]).await.expect("it is its own");
    follow(&world, &mut consumer);
    let view = answered();
    assert_eq!((view.text.as_str(), view.versions), ("还差一条", 2));
    assert!(view.revised_ms.is_some() && view.answer.is_some_and(|answer| answer.before_revision));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_that_the_secretariat_gave_a_bulletin_names_it_on_every_node() {
    let world = World::new().await;
    let kind = kind("figure_bulletin");
    let field = kind.external_field();
    let number = field.parse("2026Q4").expect("it is read").expect("it is given");
    let statement =
        Statement::create([7; 16], KIND_SET_VERSION, Some("2026Q4".into()), [(field.number, number)].into());
    let body = statement.encode().expect("it has its layout");
    let entry = world.secretariat.entry(&world.charter, None, now_ms(), kind.number(), body);
    world.core.ingest(vec![Arc::clone(&entry)]).await.expect("the entry is good");
    let found = |text: &str| show::find_bulletin(&world.core, KindSet::builtin(), text);
    assert_eq!(found("2026Q4").ok(), Some(entry.id()));
    assert!(matches!(found("2026Q3"), Err(IndicatorError::Record(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_of_duties_kept_in_step_are_those_of_the_entries_and_of_a_prefix_of_them() {
    let world = World::of_class(Class::Fund).await;
    let (core, kinds, shelf) = (world.core.clone(), KindSet::builtin(), Arc::<duties::Shelf>::default());
    let mut consumer = LedgerConsumer::new(core.clone(), Arc::clone(&shelf), kinds);
    let mut follow = || {
        let ids: Vec<EntryId> = core.read(|state| state.view().ids(u64::MAX).collect());
        let as_of_ms = core.as_of_ms();
        let batch = Batch { records: look(&core, kinds, &ids, as_of_ms), as_of_ms };
        consumer.take(&batch).expect("memory does not fail");
    };
    let ends_ms = |cycle: Cycle| cycle.span_at(now_ms()).expect("it stands in the calendar").end_ms;
    let week = Cycle::Week.name_of(Cycle::Week.span_at(now_ms()).expect("a week"));
    let asked = [("ZB022", "YW001", ends_ms(Cycle::Month)), ("ZB023", "YW002", ends_ms(Cycle::Week))];
    let kept = || {
        asked.map(|(_, rule, as_of_ms)| {
            let rate = duty::present(&core, &shelf, rule, as_of_ms).expect("a period was over");
            (rate.performed, rate.owed, rate.evidence)
        })
    };
    let computed = |snapshot: &Snapshot<'_>| {
        asked.map(|(code, _, as_of_ms)| {
            let figures = snapshot.figures(as_of_ms);
            let figure = figures.iter().find(|figure| figure.code == code).expect("it is defined");
            let value = figure.value.expect("somebody owed it");
            let number = |part: Option<Decimal>| part.and_then(|part| usize::try_from(part).ok()).expect("a number");
            (number(Some(value.above)), number(value.below), figure.records())
        })
    };
    world.arrives(None, now_ms(), kind("demand").number(), &cold_store()).await;
    let fields = texts(&[("week", &week), ("headline", "本周发布"), ("new_directions", "低空经济")]);
    let post = CreateRecord { kind: "bulletin".into(), external: None, fields, readers: None, parties: None };
    let post = world.create(post).await;
    follow();
    let before = kept();
    let of =
        |rates: &[(usize, usize, BTreeSet<EntryId>); 2]| rates.clone().map(|(performed, owed, _)| (performed, owed));
    assert_eq!(of(&before), [(1, 1), (1, 1)]);
    let whole = Snapshot::whole(&core, kinds, now_ms()).expect("the entries stand");
    assert_eq!(computed(&whole), before);

    world.withdraw(post, None).await.expect("it is its own");
    follow();
    assert_eq!(of(&kept()), [(1, 1), (0, 1)]);
    let (charter, extent) = (whole.charter.clone(), whole.extent.clone());
    let prefix = Snapshot::of(&core, kinds, charter, extent).expect("the entries stand");
    assert_eq!(computed(&prefix), before, "what was withdrawn later stood then");
    assert_eq!(computed(&Snapshot::whole(&core, kinds, now_ms()).expect("the entries stand")), kept());
}
