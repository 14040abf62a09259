//! Surveys at a node: what counts is handed in once, what is confidential stays out, and a ranking sees what opens here.

use std::collections::BTreeMap;

use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::statement::Statement;

use super::super::survey::{Asked, SurveyError, competition, funds, pools, ranking, success};
use super::standing::{fields, record};
use super::world::World;
use crate::api::types::{CreateRecord, RankingView};
use crate::core::now_ms;

fn kinds() -> &'static KindSet {
    KindSet::builtin()
}

fn asked(counties_min: usize) -> Asked {
    Asked { counties_min: Some(counties_min), ..Asked::default() }
}

fn park(division: &str, code: &str) -> CreateRecord {
    let cells =
        [("名称", "产业园"), ("资源类别", "园区"), ("行政区划代码", division), ("行业代码", code), ("状态", "可用")];
    record("resource", &cells)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_counts_is_surveyed_and_the_rest_is_said() {
    let world = World::new().await;
    world.create(park("411426", "3841")).await;
    world.create(park("411425", "3841")).await;
    let gone = world.create(park("411424", "3841")).await;
    world.withdraw(gone, None).await.expect("it is its own");
    let sealed = CreateRecord { readers: Some("members:2".into()), ..park("411423", "3841") };
    world.create(sealed).await;
    let (number, nameless) =
        fields("resource", &[("资源类别", "园区"), ("行政区划代码", "411422"), ("行业代码", "3841")]);
    let nameless = Statement::create([0; 16], KIND_SET_VERSION, None, nameless);
    world.arrives(None, now_ms(), number, &nameless).await;
    let view = competition(&world.core, kinds(), &asked(1)).expect("the question is in order");
    assert_eq!((view.lines.len(), view.lines[0].counties.len(), view.placed), (1, 2, 2));
    assert_eq!(view.lines[0].counties[0].records.shown[0].owner.name, "奉节县");
    let coverage = &view.frame.coverage;
    assert_eq!((coverage.looked_at, coverage.counted, coverage.withdrawn), (5, 2, 1));
    assert_eq!((coverage.closed, coverage.uncounted, view.frame.moved), (1, 1, false));
    assert_eq!(view.frame.digest, world.core.heads().0.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_placed_is_named() {
    let world = World::new().await;
    world.create(record("resource", &[("名称", "园"), ("资源类别", "园区"), ("行业代码", "3841")])).await;
    let view = competition(&world.core, kinds(), &asked(1)).expect("the question is in order");
    assert_eq!((view.placed, view.without_place.shown[0].title.as_str()), (0, "园"), "the charter gives it no region");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_up_once_stays_below_the_line() {
    let world = World::new().await;
    let found = |number: &str, verdict: &str| {
        let cells = [
            ("匹配编号", number),
            ("需求编号", "42-5"),
            ("资源编号", "57-2"),
            ("匹配维度", "产业"),
            ("匹配理由", "行业代码相同"),
            ("判定单位", "县投资促进中心"),
            ("判定", verdict),
            ("判定日期", "2026-01-10"),
            ("判定理由", "地价"),
        ];
        record("match", &cells)
    };
    let later = world.create(found("PP1", "采纳")).await;
    world.revise(later, &[("判定", "不合适"), ("判定日期", "2026-06-01")], &[]).await.expect("it may be found unfit");
    world.create(found("PP2", "采纳")).await;
    world.create(found("PP3", "不合适")).await;
    let view = success(&world.core, kinds(), Some("2026-01"), Some("2026-03")).expect("a period");
    assert_eq!((view.taken_up, view.signed.records, view.ended, view.unknown.records), (2, 0, 1, 1));
    assert_eq!((view.rate_percent.as_deref(), view.others.len()), (Some("0"), 1));
    assert_eq!((view.from.as_deref(), view.until.as_deref()), (Some("2026-01-01"), Some("2026-03-31")));
    let none = success(&world.core, kinds(), Some("2020"), Some("2020")).expect("a period");
    assert_eq!((none.taken_up, none.rate_percent, none.outside), (0, None, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_published_as_it_is() {
    let world = World::new().await;
    for (division, quantity) in [("500236", "约100"), ("500235", "50")] {
        let cells =
            [("名称", "冷库"), ("类别", "冷链"), ("行政区划代码", division), ("数量", quantity), ("单位", "吨")];
        world.create(record("demand", &cells)).await;
    }
    let view = pools(&world.core, kinds(), &asked(2)).expect("the question is in order");
    let fields: BTreeMap<String, String> = view.pools[0].draft.clone().expect("a draft");
    assert_eq!((fields["division_code"].as_str(), fields["cold_storage_mass"].as_str()), ("500000", "约150吨"));
    assert_eq!(fields["source"], "汇集自：2-2、2-1");
    let draft = CreateRecord { kind: "pooled_need".into(), external: None, fields, readers: None, parties: None };
    world.create(draft).await;
    let again = pools(&world.core, kinds(), &asked(1)).expect("the question is in order");
    assert_eq!((again.pools.len(), again.already, again.made.shown[0].label.as_str()), (0, 2, "2-3"));
    assert_eq!((again.frame.coverage.looked_at, again.frame.coverage.counted), (3, 3), "each once, in two rounds");
}

fn rank(world: &World, by: &str, conditions: &[&str]) -> Result<RankingView, SurveyError> {
    let conditions = conditions.iter().map(|condition| (*condition).to_owned()).collect();
    ranking::ranking(
        &world.core,
        kinds(),
        &ranking::Asked { kind: "lead".into(), by: by.into(), conditions, ..ranking::Asked::default() },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ranking_sees_what_opens_here_and_counts_what_does_not() {
    let world = World::new().await;
    let lead = |by: &str, scores: &[(&str, &str)], readers: Option<&str>| {
        let cells = [
            ("企业名称", by),
            ("提供单位", by),
            ("投资意向", "建厂"),
            ("行业代码", "3841"),
            ("线索渠道", "校友"),
            ("获得日期", "2026-03-01"),
            ("跟进单位", "商务局"),
        ];
        CreateRecord { readers: readers.map(str::to_owned), ..record("lead", &[&cells[..], scores].concat()) }
    };
    world.create(lead("甲", &[("高科技评分", "90"), ("低污染评分", "10")], None)).await;
    world.create(lead("乙", &[("高科技评分", "80"), ("低污染评分", "30.5")], None)).await;
    world.create(lead("丙", &[("高科技评分", "99")], None)).await;
    world.create(lead("丁", &[("高科技评分", "1"), ("低污染评分", "1")], Some("members:2"))).await;
    let (number, clear) = fields("lead", &[("提供单位", "别县"), ("线索渠道", "校友"), ("获得日期", "2026-03-01")]);
    world.arrives(None, now_ms(), number, &Statement::create([0; 16], KIND_SET_VERSION, None, clear)).await;
    let view = rank(&world, "高科技评分+低污染评分", &[]).expect("six scores may be added");
    let told: Vec<_> =
        view.ranked.iter().map(|ranked| (ranked.place, ranked.record.title.as_str(), ranked.text.as_str())).collect();
    assert_eq!(told, [(1, "乙", "110.5"), (2, "甲", "100"), (3, "丁", "2")]);
    assert_eq!((&view.ranked[0].parts, view.known, view.unknown), (&vec!["80".to_owned(), "30.5".to_owned()], 3, 2));
    assert_eq!((view.frame.coverage.counted, view.frame.coverage.closed), (5, 0));
    let some = rank(&world, "高科技评分", &["高科技评分>=85"]).expect("a condition");
    assert_eq!((some.known, some.frame.coverage.other, some.frame.coverage.unknown), (2, 2, 1));
    let counted = rank(&world, "projects", &[]).expect("a derived figure");
    assert_eq!((counted.known, counted.ranked[0].amount.as_str()), (5, "0"), "nobody has made a project of one");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_cannot_be_answered_are_refused_by_name() {
    let world = World::new().await;
    let (core, some) = (&world.core, |text: &str| Some(text.to_owned()));
    let region = competition(core, kinds(), &Asked { region: some("奉截县"), ..Asked::default() });
    let error = region.expect_err("no such county");
    assert!(matches!(&error, SurveyError::Code { .. }) && error.zh().contains("500236 重庆市奉节县"), "{}", error.zh());
    let industry = competition(core, kinds(), &Asked { about: some("造梦"), ..Asked::default() });
    assert!(matches!(industry, Err(SurveyError::Code { .. })));
    let many = pools(core, kinds(), &Asked { lines: Some(1_001), ..Asked::default() });
    assert_eq!(many.map(|view| view.total), Err(SurveyError::Lines));
    assert!(matches!(success(core, kinds(), Some("去年"), None), Err(SurveyError::Day { .. })));
    assert!(matches!(success(core, kinds(), Some("2026"), Some("2025")), Err(SurveyError::Day { .. })));
    assert!(matches!(rank(&world, "企业名称", &[]), Err(SurveyError::Measure(_))));
    assert!(funds(core, kinds(), Some("朝阳区")).is_err(), "several go by that name");
    let found = funds(core, kinds(), None).expect("a question");
    assert_eq!((found.idle.len(), found.unknown.len()), (0, 0));
}
