//! Periods, verdicts, coverage, claimed and confirmed, and what is stated twice.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::{World, day};
use crate::identity::MemberNumber;
use crate::indicator::{Absence, Coverage, DutyRate, Verdict};

const PROVINCES: &str = "ZB001";
const COUNTIES: &str = "ZB002";
const CAPITAL: &str = "ZB006";
const ITEMS: &str = "ZB008";
const EVENTS: &str = "ZB009";
const PROJECTS: &str = "ZB010";
const LARGE: &str = "ZB011";

fn event(world: &mut World, owner: u32, name: &str, cells: &[(&str, &str)]) -> crate::identity::EntryId {
    let held = [("name", name), ("category", "对接活动"), ("organisers", "县政府"), ("state", "已举办")];
    world.add("event", owner, &held.iter().chain(cells).copied().collect::<Vec<_>>())
}

const TWO: (&str, &str) = ("counties", "411426;430421");

#[test]
fn members_and_provinces_come_from_the_charter() {
    let mut world = World::new();
    assert_eq!((world.value(COUNTIES).as_deref(), world.value(PROVINCES).as_deref()), (Some("3"), Some("3")));
    assert_eq!(world.value("ZB021").as_deref(), Some("4"), "the secretariat is not one of them");
    assert_eq!((world.value("ZB024").as_deref(), world.figure("ZB024").verdict), (Some("3"), Verdict::Met));
    let members = &mut world.roster.members;
    members.get_mut(&MemberNumber(3)).expect("a county").is_active = false;
    members.get_mut(&MemberNumber(4)).expect("a county").region.clear();
    let figure = world.figure(PROVINCES);
    assert_eq!(figure.value.and_then(|value| value.text()).as_deref(), Some("1"));
    assert_eq!((figure.unknown, figure.coverage), (1, Coverage { counted: 1, due: 2 }));
    assert_eq!(figure.verdict, Verdict::Open, "there is time until 2030");
    world.as_of_ms = day(2031, 1, 1).start_ms();
    assert_eq!(world.figure(PROVINCES).verdict, Verdict::Missed);
}

#[test]
fn an_event_counts_in_the_year_in_which_it_was_held_with_two_counties() {
    let mut world = World::new();
    let counted = event(&mut world, 2, "三月对接会", &[TWO, ("held_on", "2026-03-01")]);
    event(&mut world, 2, "去年的", &[TWO, ("held_on", "2025-12-31")]);
    event(&mut world, 2, "明天的", &[TWO, ("held_on", "2026-06-16")]);
    event(&mut world, 2, "一个县的", &[("counties", "411426"), ("held_on", "2026-03-01")]);
    event(&mut world, 3, "没写哪天的", &[TWO]);
    let planned = [("name", "取消的"), ("category", "论坛"), ("organisers", "县"), ("state", "已取消"), TWO];
    world.add("event", 3, &planned);
    let figure = world.figure(EVENTS);
    assert_eq!(figure.evidence.keys().copied().collect::<Vec<_>>(), [counted]);
    assert_eq!((figure.unknown, figure.coverage), (1, Coverage { counted: 2, due: 4 }));
    assert_eq!((figure.from, figure.until), (Some(day(2026, 1, 1)), Some(day(2026, 12, 31))));
    assert_eq!(figure.confirmed.and_then(|value| value.text()).as_deref(), Some("0"));
}

#[test]
fn a_record_of_another_member_confirms_and_one_of_the_same_member_does_not() {
    let mut world = World::new();
    let cells = [TWO, ("held_on", "2026-03-01"), ("event_number", "HD1")];
    event(&mut world, 2, "三月对接会", &cells);
    let outcome = |event| {
        [
            ("event", event),
            ("name", "合作意向"),
            ("parties", "甲;乙"),
            ("category", "意向"),
            ("follow_up_by", "2026-12-31"),
            ("state", "意向"),
        ]
    };
    world.add("outcome", 2, &outcome("HD1"));
    let confirmed = |world: &World| world.figure(EVENTS).confirmed.and_then(|value| value.text());
    assert_eq!(confirmed(&world).as_deref(), Some("0"));
    world.add("outcome", 4, &outcome("2-1"));
    assert_eq!((confirmed(&world).as_deref(), world.value(EVENTS).as_deref()), (Some("1"), Some("1")));
}

#[test]
fn one_project_that_two_counties_state_counts_once_and_a_transferred_one_not_at_all() {
    let mut world = World::new();
    let project = |stage: &'static str, code: &'static str| {
        [("name", "铝材加工"), ("credit_code", code), ("stage", stage), ("signed_on", "2026-02-01")]
    };
    let first = world.add("project", 2, &project("签约", "91411426MA45000015"));
    world.add("project", 3, &project("开工", "91411426MA45000015"));
    world.add("project", 4, &project("已流转", "91430421MA4L00002J"));
    let figure = world.figure(PROJECTS);
    assert_eq!(figure.evidence.keys().copied().collect::<Vec<_>>(), [first]);
    assert_eq!((figure.duplicates, figure.unknown), (1, 0));
}

#[test]
fn a_rate_has_both_numbers_and_projects_without_the_figure_are_unknown() {
    let mut world = World::new();
    let project = |name: &'static str, investment: &'static str| {
        [("name", name), ("investment", investment), ("stage", "签约"), ("signed_on", "2026-02-01")]
    };
    world.add("project", 2, &project("一", "1亿元"));
    world.add("project", 2, &project("二", "9999万元"));
    world.add("project", 3, &project("三", ""));
    let figure = world.figure(LARGE);
    let value = figure.value.expect("there are projects");
    assert_eq!((value.above, value.below), (Decimal::ONE, Some(Decimal::from(3))));
    assert_eq!((value.text().as_deref(), figure.unknown, figure.verdict), (Some("33.33"), 1, Verdict::Met));
    assert_eq!(figure.coverage, Coverage { counted: 2, due: 3 });
}

#[test]
fn money_that_a_fund_states_itself_is_confirmed_and_not_counted_twice() {
    let mut world = World::new();
    world.add("project", 2, &[("project_number", "XM1"), ("name", "一"), ("stage", "签约")]);
    let progress = |paid_in: &'static str, basis: &'static str| {
        [("project", "XM1"), ("date", "2026-01-31"), ("paid_in", paid_in), ("paid_in_basis", basis), ("reporter", "县")]
    };
    world.add("progress", 2, &progress("2亿元", "本期"));
    world.add("progress", 2, &progress("5亿元", "累计"));
    let case = |project: &'static str| {
        [
            ("fund", "JJ1"),
            ("enterprise", "甲公司"),
            ("project", project),
            ("division_code", "411426"),
            ("amount", "3亿元"),
            ("date", "2026-02-01"),
        ]
    };
    world.add("investment_case", 5, &case("2-1"));
    world.add("investment_case", 5, &case(""));
    let figure = world.figure(CAPITAL);
    assert_eq!(figure.value.and_then(|value| value.text()).as_deref(), Some("5"));
    assert_eq!(figure.confirmed.and_then(|value| value.text()).as_deref(), Some("3"));
    assert_eq!(figure.left_out, 1, "what is cumulative");
}

#[test]
fn the_stock_is_that_of_active_members() {
    let mut world = World::new();
    let resource = |name: &'static str, state: &'static str| [("category", "厂房"), ("name", name), ("state", state)];
    world.add("resource", 2, &resource("一", "可用"));
    world.add("resource", 2, &resource("二", "停用"));
    world.add("resource", 3, &resource("三", ""));
    world.add("demand", 3, &[("category", "招商"), ("name", "四"), ("state", "发布")]);
    assert_eq!(world.value(ITEMS).as_deref(), Some("3"));
    world.roster.members.get_mut(&MemberNumber(3)).expect("a county").is_active = false;
    assert_eq!(world.value(ITEMS).as_deref(), Some("1"));
}

#[test]
fn the_money_of_a_joint_project_goes_to_each_county_by_its_share() {
    let mut world = World::new();
    let joint = [
        ("name", "一"),
        ("stage", "投产"),
        ("reported_tax", "10亿元"),
        ("reported_basis", "本期"),
        ("joint_counties", "430421;411426"),
        ("joint_shares", "30;70"),
    ];
    world.add("project", 3, &joint);
    let own = [("name", "二"), ("stage", "投产"), ("reported_tax", "1亿元"), ("reported_basis", "本期")];
    world.add("project", 4, &own);
    assert_eq!(world.value("ZB043").as_deref(), Some("4"), "1 of its own and 30% of 10");
}

#[test]
fn the_smallest_group_counts_and_one_without_records_counts_as_none() {
    let mut world = World::new();
    let chain = |number: &'static str, name: &'static str| {
        [
            ("chain_number", number),
            ("name", name),
            ("leader", "某县长"),
            ("task_force", "发改委"),
            ("node_names", "上游;下游"),
            ("node_states", "强;缺"),
        ]
    };
    let (first, second) =
        (world.add("industry_chain", 3, &chain("L1", "铝")), world.add("industry_chain", 3, &chain("L2", "电")));
    for name in ["甲", "乙"] {
        let cells = [("name", name), ("chain", "L1"), ("stage", "签约"), ("signed_on", "2025-01-01")];
        world.add("project", 3, &cells);
    }
    let figure = world.figure("ZB061");
    assert_eq!(figure.value.and_then(|value| value.text()).as_deref(), Some("0"));
    assert_eq!(figure.groups.get(&first.to_string()), Some(&Decimal::TWO));
    assert_eq!(figure.groups.get(&second.to_string()), Some(&Decimal::ZERO));
}

#[test]
fn what_comes_from_outside_is_entered_with_its_source_by_who_may() {
    let mut world = World::new();
    let entered = |value: &'static str, period: &'static str, source: &'static str| {
        [
            ("indicator_number", "ZB014"),
            ("name", "新增规上企业"),
            ("comparator", "≥"),
            ("formula", "统计"),
            ("value", value),
            ("value_period", period),
            ("source", source),
        ]
    };
    world.add("indicator", 2, &entered("900", "2026", "本县"));
    assert_eq!(world.value("ZB014"), None, "a county does not enter the federation's figure");
    world.add("indicator", 1, &entered("120", "2024", "统计公报"));
    let last = world.add("indicator", 1, &entered("150", "2025", "统计公报"));
    world.add("indicator", 1, &entered("999", "2026", ""));
    let figure = world.figure("ZB014");
    assert_eq!(figure.value.and_then(|value| value.text()).as_deref(), Some("150"));
    assert_eq!((figure.evidence.contains_key(&last), figure.unknown), (true, 1), "one has no source");
    assert_eq!(figure.until, Some(day(2025, 12, 31)));
}

#[test]
fn growth_is_against_the_first_full_year_after_the_founding() {
    let mut world = World::new();
    let fit = |number: &'static str, judged_on: &'static str| {
        [
            ("match_number", number),
            ("demand", "XQ1"),
            ("dimensions", "产业"),
            ("reasons", "相同"),
            ("verdict", "采纳"),
            ("judged_by", "县"),
            ("judged_on", judged_on),
        ]
    };
    for (number, judged_on) in [("P1", "2025-02-01"), ("P2", "2025-03-01"), ("P3", "2026-02-01"), ("P4", "2026-03-01")]
    {
        world.add("match", 2, &fit(number, judged_on));
    }
    let talks = |number: &'static str| [("topic", "合作"), ("match", number), ("state", "达成协议")];
    world.add("negotiation", 2, &talks("P1"));
    for number in ["P3", "P4"] {
        world.add("negotiation", 2, &talks(number));
    }
    let figure = world.figure("ZB005");
    assert_eq!(figure.value.and_then(|value| value.text()).as_deref(), Some("100"), "from 50% to 100%");
    assert_eq!(figure.verdict, Verdict::Met);
    world.as_of_ms = day(2025, 6, 1).start_ms();
    assert_eq!(world.figure("ZB005").value, None, "the base year is not over");
}

#[test]
fn a_duty_is_asked_of_who_knows_duties() {
    let world = World::new();
    let rate = DutyRate {
        from: Some(day(2026, 5, 1)),
        until: Some(day(2026, 5, 31)),
        owed: 3,
        performed: 2,
        evidence: BTreeSet::new(),
    };
    let figures = world.figures_with(&|rule| (rule == "YW001").then(|| rate.clone()));
    let figure = figures.iter().find(|figure| figure.code == "ZB022").expect("it is defined");
    assert_eq!(figure.value.and_then(|value| value.text()).as_deref(), Some("66.67"));
    assert_eq!((figure.verdict, figure.until), (Verdict::Missed, Some(day(2026, 5, 31))));
    assert_eq!(world.figure("ZB023").verdict, Verdict::Unknown);
}

#[test]
fn a_thing_stated_twice_counts_once_with_the_date_of_the_record_that_was_created_first() {
    let mut world = World::new();
    let project = |day: &'static str, investment: &'static str| {
        [
            ("name", "铝材加工"),
            ("credit_code", "91411426MA45000015"),
            ("stage", "签约"),
            ("signed_on", day),
            ("investment", investment),
        ]
    };
    world.add("project", 2, &project("2025-12-01", "1000万元"));
    world.add("project", 3, &project("2026-02-01", "2亿元"));
    let figure = world.figure(PROJECTS);
    assert_eq!(figure.value.and_then(|value| value.text()).as_deref(), Some("0"), "it was signed last year");
    assert_eq!(figure.duplicates, 1);
    let share = |world: &World| world.figure(LARGE).value.map(|value| (value.above, value.below));
    assert_eq!(share(&world), None);
    world.as_of_ms = day(2025, 12, 31).start_ms();
    assert_eq!(world.value(PROJECTS).as_deref(), Some("1"), "and counts in that year");
    assert_eq!(share(&world), Some((Decimal::ZERO, Some(Decimal::ONE))), "its own figure, above the line too");
}

#[test]
fn nothing_lands_before_it_was_signed() {
    let mut world = World::new();
    let mut project = |name: &'static str, signed: &'static str, started: &'static str| {
        let cells = [("name", name), ("stage", "开工"), ("signed_on", signed), ("started_on", started)];
        world.add("project", 4, &cells)
    };
    let good = project("一", "2026-01-01", "2026-01-31");
    project("二", "2026-05-02", "2026-04-30");
    project("三", "2026-03", "2026-03-15");
    let figure = world.figure("ZB045");
    assert_eq!(figure.value.and_then(|value| value.text()).as_deref(), Some("30"));
    assert_eq!(figure.evidence.keys().copied().collect::<Vec<_>>(), [good]);
    assert_eq!((figure.left_out, figure.unknown), (1, 1), "one runs backwards, of one it cannot be said");
}

#[test]
fn what_is_entered_for_a_period_that_has_not_begun_is_a_plan() {
    let mut world = World::new();
    let entered = |value: &'static str, period: &'static str| {
        [
            ("indicator_number", "ZB014"),
            ("name", "新增规上企业"),
            ("comparator", "≥"),
            ("formula", "统计"),
            ("value", value),
            ("value_period", period),
            ("source", "统计公报"),
        ]
    };
    world.add("indicator", 1, &entered("900", "2026Q3"));
    assert_eq!(world.figure("ZB014").absence, Some(Absence::NotEntered));
    world.add("indicator", 1, &entered("150", "2025"));
    assert_eq!(world.value("ZB014").as_deref(), Some("150"));
    world.as_of_ms = day(2026, 7, 1).start_ms();
    assert_eq!(world.value("ZB014").as_deref(), Some("900"), "the third quarter runs");
}

#[test]
fn nobody_missed_a_target_before_its_time_is_over() {
    let mut world = World::new();
    let verdict = |world: &World, code: &str| world.figure(code).verdict;
    // 成立后 3-12 个月：founded on 2024-03-01.
    world.as_of_ms = day(2025, 2, 28).end_ms() - 1;
    assert_eq!(verdict(&world, "ZB021"), Verdict::Open);
    world.as_of_ms += 1;
    assert_eq!(verdict(&world, "ZB021"), Verdict::Missed);
    // Every year anew.
    world.as_of_ms = day(2026, 12, 31).end_ms() - 1;
    assert_eq!((verdict(&world, "ZB063"), verdict(&world, "ZB009")), (Verdict::Open, Verdict::Open));
    // A year from days that no record holds.
    world.as_of_ms = day(2035, 1, 1).start_ms();
    assert_eq!(verdict(&world, "ZB060"), Verdict::Open);
    assert_eq!(Verdict::Open.words().0, "未到期");
}

#[test]
fn where_there_is_no_value_it_is_said_why() {
    let mut world = World::new();
    let absence = |world: &World, code: &str| world.figure(code).absence;
    assert_eq!(absence(&world, "ZB031"), Some(Absence::NotComputable));
    assert_eq!(absence(&world, "ZB014"), Some(Absence::NotEntered));
    assert_eq!(absence(&world, "ZB022"), Some(Absence::NotOwed));
    assert_eq!(absence(&world, LARGE), Some(Absence::NoRecord));
    assert_eq!(absence(&world, PROVINCES), None);
    world.add("project", 2, &[("name", "一"), ("stage", "签约")]);
    assert_eq!(absence(&world, LARGE), Some(Absence::NoFigure));
    world.as_of_ms = day(2025, 6, 1).start_ms();
    assert_eq!(absence(&world, "ZB005"), Some(Absence::TooEarly));
    for figure in world.figures() {
        assert_eq!(figure.value.is_none(), figure.absence.is_some(), "{}", figure.code);
    }
}
