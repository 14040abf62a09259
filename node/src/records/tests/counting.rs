//! How many records there are, by groups.

use std::collections::BTreeMap;

use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::statement::Statement;
use protocol::value::{Date, Value};

use super::super::count::{CountError, Counting, GROUPS_MAX, count, count_at};
use super::super::publish::Request;
use super::standing::{fields, record};
use super::world::{World, demand};
use crate::api::types::CountView;

const DAY_MS: u64 = 86_400_000;

fn parse(
    kind: &str,
    by: &[&str],
    sum: Option<&str>,
    conditions: &[&str],
    period: Option<&str>,
) -> Result<Counting<'static>, CountError> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Counting::parse(KindSet::builtin(), kind, &owned(by), sum, &owned(conditions), period)
}

impl World {
    fn count(&self, kind: &str, by: &[&str], sum: Option<&str>, conditions: &[&str]) -> CountView {
        let counting = parse(kind, by, sum, conditions, None).expect("the question is in order");
        count(&self.core, KindSet::builtin(), &counting).expect("it can be counted")
    }
}

fn groups(view: &CountView) -> Vec<(Vec<&str>, usize)> {
    view.groups.iter().map(|group| (group.keys.iter().map(String::as_str).collect(), group.records)).collect()
}

/// A lead as everybody sees it: what only its parties read is sealed, or not there.
async fn lead(world: &World, previous: &mut Option<std::sync::Arc<protocol::entry::VerifiedEntry>>, day: u8, by: &str) {
    let cells = [("线索渠道", "在外老乡"), ("提供单位", by), ("获得日期", "2026-03-05"), ("跟进单位", "招商局")];
    let (number, fields) = fields("lead", &cells);
    let statement = Statement::create([0; 16], KIND_SET_VERSION, None, fields);
    let time_ms = Date::new(2026, 3, 31).expect("it is a day").start_ms() + u64::from(day) * DAY_MS;
    let entry = world.arrives(previous.as_deref(), time_ms, number, &statement).await;
    *previous = Some(entry);
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_are_counted_by_finder_and_month() {
    let world = World::new().await;
    let mut last = None;
    for (day, by) in [(0, "发改委"), (0, "招商局"), (0, "发改委"), (1, "发改委")] {
        lead(&world, &mut last, day, by).await;
    }
    let view = world.count("lead", &["found_by", "month"], None, &[]);
    let expected = [(vec!["发改委", "2026-03"], 2), (vec!["发改委", "2026-04"], 1), (vec!["招商局", "2026-03"], 1)];
    let mut found = groups(&view);
    found.sort();
    assert_eq!(found, expected, "{view:?}");
    assert_eq!((view.total.records, view.coverage.looked_at, view.coverage.counted), (4, 4, 4));
    let march = parse("lead", &["提供单位"], None, &[], Some("2026-03")).expect("it is in order");
    let march = count_at(&world.core, KindSet::builtin(), &march, world.core.as_of_ms()).expect("it can be counted");
    assert_eq!((march.total.records, march.coverage.looked_at), (3, 3));
    let dated = world.count("lead", &["month(获得日期)"], None, &[]);
    assert_eq!(groups(&dated), [(vec!["2026-03"], 4)]);
    let owner = world.count("lead", &["owner", "状态"], None, &[]);
    assert_eq!(groups(&owner), [(vec!["3 夏邑县", "已上报"], 4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_are_exact_and_leave_out_what_must_not_be_added() {
    let world = World::new().await;
    world.import_projects().await;
    let view = world.count("项目", &[], Some("计划投资"), &["上级项目编号=XM001"]);
    assert_eq!((view.total.sum.as_deref(), view.total.summed, view.total.left_out), (Some("378.84亿元"), 3, 0));
    assert_eq!(view.coverage.unknown, 4, "the wholes and the last one do not say a parent");
    let view = world.count("项目", &["数值口径"], Some("年产值"), &[]);
    let sums: BTreeMap<_, _> = view
        .groups
        .iter()
        .map(|group| (group.keys[0].as_str(), (group.sum.as_deref(), group.summed, group.left_out)))
        .collect();
    assert_eq!(sums["本期"], (Some("60亿元"), 1, 0));
    assert_eq!(sums["累计"], (Some("0亿元"), 0, 2));
    assert_eq!(view.groups.last().map(|group| group.keys[0].as_str()), Some("（未填）"), "blanks come last");
    assert_eq!(view.total.sum.as_deref(), Some("60亿元"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_of_a_list_counts_once_and_the_total_counts_records() {
    let world = World::new().await;
    world.import_projects().await;
    let view = world.count("project", &["行业代码"], None, &["阶段=谋划"]);
    let codes: usize = view.groups.iter().map(|group| group.records).sum();
    assert_eq!((view.total.records, codes), (10, 15));
    assert!(view.groups.iter().any(|group| group.keys[0] == "3841 锂离子电池制造" && group.records == 4), "{view:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_count_is_said() {
    let world = World::new().await;
    world.create(demand("XQ1", &[])).await;
    let gone = world.create(demand("XQ2", &[])).await;
    world.withdraw(gone, None).await.expect("it is its own");
    let nameless = BTreeMap::from([(5, Value::Text("招商".into()))]);
    let nameless = Statement::create([0; 16], KIND_SET_VERSION, None, nameless);
    let first = world.arrives(None, crate::core::now_ms(), 102, &nameless).await;
    let (_, later) = fields("demand", &[("名称", "新"), ("类别", "招商")]);
    let later = Statement::create([0; 16], 7, None, later);
    world.arrives(Some(&first), crate::core::now_ms(), 102, &later).await;
    let view = world.count("demand", &["状态"], None, &[]);
    let coverage = &view.coverage;
    assert_eq!((coverage.looked_at, coverage.counted, coverage.withdrawn), (4, 1, 1));
    assert_eq!((coverage.uncounted, coverage.update_needed), (1, 1));
    assert_eq!(groups(&view), [(vec!["发布"], 1)]);
    assert_eq!((view.digest, view.moved), (world.core.heads().0.to_string(), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_counted_is_refused_by_name() {
    let refused = |by: &[&str], sum: Option<&str>, conditions: &[&str]| {
        parse("lead", by, sum, conditions, None).expect_err("it is refused")
    };
    assert!(matches!(refused(&["颜色"], None, &[]), CountError::Column { .. }));
    assert!(matches!(refused(&["企业名称"], None, &[]), CountError::Confidential { .. }));
    assert!(matches!(refused(&[], None, &["企业名称~甲"]), CountError::Confidential { .. }));
    assert!(matches!(refused(&[], Some("提供单位"), &[]), CountError::Type { .. }));
    assert!(matches!(refused(&["month(提供单位)"], None, &[]), CountError::Type { .. }));
    assert!(matches!(refused(&["月", "年", "成员", "状态", "提供单位"], None, &[]), CountError::Columns));
    assert!(matches!(parse("lead", &[], None, &[], Some("三月份左右")), Err(CountError::Period { .. })));
    assert!(matches!(parse("颜色", &[], None, &[], None), Err(CountError::Record(_))));
    let world = World::new().await;
    let many = (0..=GROUPS_MAX)
        .map(|index| Request::Create(record("demand", &[("名称", &index.to_string()), ("类别", "招商")])));
    world.publish(many.collect()).await.expect("all are in order");
    let counting = parse("demand", &["名称"], None, &[], None).expect("the question is in order");
    assert_eq!(count(&world.core, KindSet::builtin(), &counting), Err(CountError::Groups));
}
