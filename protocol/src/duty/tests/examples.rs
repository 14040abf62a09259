//! Duties as people know them.

use super::world::{World, day};
use crate::charter::{Class, Operation, Role, SeatGrant};
use crate::duty::{Bearing, Organ, Question, Rules, State, judge, rate};
use crate::identity::{ContentHash, PublicKey};

const HOUR_MS: u64 = 3_600_000;

/// A county that was admitted in the middle of December 2025: its first month is January.
fn county() -> (World, usize) {
    let mut world = World::new();
    let county = world.admit("夏邑县", Class::County, "411426", day("2025-12-10"));
    (world, county)
}

fn fund() -> (World, usize) {
    let mut world = World::new();
    // A Wednesday: its first week is 2026-W02.
    let fund = world.admit("县域基金", Class::Fund, "", day("2025-12-31"));
    (world, fund)
}

#[test]
fn a_county_owes_an_update_every_month_from_its_first_full_one_on() {
    let (mut world, county) = county();
    let before = world.one("YW001", day("2025-12-20"));
    assert_eq!((before.state, before.next_due_ms), (State::Exempt, Some(day("2026-02-01"))));
    let reason = before.running.and_then(|running| running.why).expect("it says why");
    assert!(reason.zh.contains("第一个完整周期"));
    assert_eq!(world.state("YW001", day("2026-01-01")), State::Due);
    assert_eq!(world.state("YW001", day("2026-02-01") - 1), State::Due);
    let overdue = world.one("YW001", day("2026-02-01"));
    assert_eq!((overdue.state, overdue.missed), (State::Overdue, 1), "not one millisecond later");
    assert_eq!(overdue.ended.map(|ended| ended.name).as_deref(), Some("2026-01"));

    world.demand(county, day("2026-01-20"));
    let met = world.one("YW001", day("2026-02-01"));
    let ended = met.ended.expect("January is over");
    assert_eq!((met.state, ended.counted, ended.evidence.len()), (State::Met, 1, 1));
    assert_eq!(met.running.map(|running| running.state), Some(State::Due));
    assert_eq!(met.next_due_ms, Some(day("2026-03-01")));
    assert_eq!(world.one("YW001", day("2026-01-25")).next_due_ms, Some(day("2026-03-01")), "January is done");
}

#[test]
fn that_nothing_changed_is_performance_and_counted_apart() {
    let (mut world, county) = county();
    let demand = world.demand(county, day("2026-01-20"));
    world.receipt(county, day("2026-02-10"), "2", "2026-02");
    world.confirm(county, day("2026-03-10"), "demand", demand);
    world.receipt(county, day("2026-04-10"), "1", "2026-04");
    let state = |month: &str| world.one("YW001", day(month)).state;
    assert_eq!([state("2026-03-01"), state("2026-04-01")], [State::MetNoChange; 2]);
    assert_eq!(state("2026-05-01"), State::Overdue, "a receipt about somebody else says nothing");
    let march = world.one("YW001", day("2026-04-01")).ended.expect("March is over");
    assert_eq!((march.counted, march.no_change, march.evidence[0].no_change), (0, 1, true));
    // Beside a change it is counted, and the month is met by the change.
    world.revise(county, day("2026-05-10"), "demand", demand, &[("name", "大冷库")]);
    world.receipt(county, day("2026-05-11"), "2", "2026-05");
    let may = world.one("YW001", day("2026-06-01")).ended.expect("May is over");
    assert_eq!((may.state, may.counted, may.no_change), (State::Met, 1, 1));
}

#[test]
fn a_fund_without_a_post_is_overdue_on_monday_at_midnight_and_not_one_millisecond_earlier() {
    let (mut world, fund) = fund();
    world.bulletin(fund, day("2026-01-07"), "2026-W02", &[("new_directions", "低空经济")]);
    world.bulletin(fund, day("2026-01-18") + 23 * HOUR_MS, "2026-W03", &[("no_change", "是")]);
    let monday = day("2026-01-26");
    assert_eq!(world.state("YW002", day("2026-01-12")), State::Met);
    assert_eq!(world.state("YW002", day("2026-01-19")), State::MetNoChange);
    let sunday = world.one("YW002", monday - 1);
    let running = sunday.running.expect("the week runs");
    assert_eq!((running.state, sunday.next_due_ms), (State::Due, Some(monday)));
    assert_eq!((running.name.as_str(), sunday.state), ("2026-W04", State::MetNoChange));
    assert_eq!(world.state("YW002", monday), State::Overdue);
}

#[test]
fn what_comes_late_is_late_for_the_period_that_it_names() {
    let (mut world, fund) = fund();
    world.bulletin(fund, day("2026-01-13"), "2026-W02", &[("events", "路演")]);
    let tuesday = world.one("YW002", day("2026-01-13") + 1);
    let ended = tuesday.ended.expect("the week is over");
    assert_eq!((tuesday.state, ended.late, ended.evidence.len()), (State::Late, 1, 1));
    assert_eq!(world.state("YW002", day("2026-01-13") - 1), State::Overdue);
    // It says nothing of the week in which it came, nor can one be written in advance.
    assert_eq!(world.state("YW002", day("2026-01-19")), State::Overdue);
    world.bulletin(fund, day("2026-01-20"), "2026-W05", &[("events", "路演")]);
    assert_eq!(world.state("YW002", day("2026-02-02")), State::Overdue);
}

#[test]
fn what_names_no_period_is_for_its_own_and_makes_up_for_what_was_missed() {
    let (mut world, county) = county();
    world.demand(county, day("2026-03-02"));
    assert_eq!(world.state("YW001", day("2026-03-01")), State::Overdue);
    let second = world.one("YW001", day("2026-03-02"));
    assert_eq!((second.state, second.missed), (State::Late, 0));
    assert_eq!(second.running.map(|running| running.state), Some(State::Met), "and March is met");
    assert_eq!(world.state("YW001", day("2026-04-01")), State::Met);
    let rate = rate(&world.charter, &world.ledger(), Rules::builtin(), "YW001", day("2026-03-03")).expect("a rate");
    assert_eq!((rate.name.as_str(), rate.owed, rate.met, rate.late), ("2026-02", 1, 0, 1));
    assert_eq!(rate.missed, [world.number(county)]);
}

#[test]
fn who_goes_on_performing_nothing_is_escalated_after_the_periods_that_the_rule_names() {
    let (world, _) = county();
    let states = ["2026-02-01", "2026-03-01", "2026-04-01"].map(|month| world.one("YW001", day(month)));
    assert_eq!(
        states.map(|one| (one.state, one.missed)),
        [(State::Overdue, 1), (State::Overdue, 2), (State::Escalated, 3)]
    );
}

#[test]
fn who_was_suspended_or_is_gone_owes_nothing() {
    let (mut world, county) = county();
    world.demand(county, day("2026-01-20"));
    let departure = world.departure(county);
    world.append(day("2026-02-10"), Operation::Suspend(departure));
    let exempt = |world: &World, time: &str| {
        let one = world.one("YW001", day(time));
        assert_eq!(one.state, State::Exempt, "{time}: {one:?}");
        (one.ended.or(one.running).and_then(|verdict| verdict.why).expect("it says why").zh, one.next_due_ms)
    };
    assert!(exempt(&world, "2026-03-01").0.contains("暂停"));
    assert_eq!(world.state("YW001", day("2026-02-05")), State::Met, "January was owed and done");
    world.reinstate(county, day("2026-04-05"));
    let (why, next) = exempt(&world, "2026-04-20");
    assert!(why.contains("暂停") && next == Some(day("2026-06-01")), "{why} {next:?}");
    assert_eq!(world.state("YW001", day("2026-05-01") + 1), State::Due, "April was not full");
    assert_eq!(world.state("YW001", day("2026-06-01")), State::Overdue);
    let departure = world.departure(county);
    world.append(day("2026-06-02"), Operation::Expel(departure));
    let (why, next) = exempt(&world, "2026-07-10");
    assert!(why.contains("除名") && next.is_none());
}

#[test]
fn who_dates_back_gains_nothing() {
    let (mut world, county) = county();
    world.demand(county, day("2026-02-03"));
    world.demand(county, day("2026-01-30"));
    world.demand(county, day("2026-01-31"));
    let ended = world.one("YW001", day("2026-02-01")).ended.expect("January is over");
    assert_eq!((ended.state, ended.counted), (State::Overdue, 0));
    // An entry of any kind tells the time.
    assert_eq!(world.one("YW001", day("2026-03-01")).ended.expect("February is over").counted, 1);
}

#[test]
fn a_record_counts_for_what_it_says_last() {
    let (mut world, fund) = fund();
    let bulletin = world.bulletin(fund, day("2026-01-12"), "2026-W02", &[("events", "路演")]);
    assert_eq!(world.state("YW002", day("2026-01-12") + 1), State::Late);
    world.revise(fund, day("2026-01-14"), "bulletin", bulletin, &[("week", "2026-W03")]);
    let third = world.one("YW002", day("2026-01-19"));
    assert_eq!((third.state, third.missed), (State::Met, 0), "the mistake was put right");
    assert_eq!(third.ended.expect("the week is over").evidence[0].time_ms, day("2026-01-14"));
    world.withdraw(fund, day("2026-01-15"), "bulletin", bulletin);
    assert_eq!(world.state("YW002", day("2026-01-19")), State::Overdue, "what was withdrawn is not published");
}

#[test]
fn what_breaks_the_rules_of_its_kind_counts_for_nothing() {
    let (mut world, fund) = fund();
    // Neither a direction nor money nor an event, and not that nothing changed.
    world.bulletin(fund, day("2026-01-07"), "2026-W02", &[]);
    assert_eq!(world.state("YW002", day("2026-01-12")), State::Overdue);
    // A fund writes no resource of a county, and nobody else performs for it.
    world.bulletin(0, day("2026-01-14"), "2026-W03", &[("events", "路演")]);
    assert_eq!(world.state("YW002", day("2026-01-19")), State::Overdue);
}

#[test]
fn the_alliance_holds_so_many_events_and_trains_so_many() {
    let (mut world, county) = county();
    let event = |category: &'static str, counties: &'static str| {
        let cells = [("name", "对接会"), ("category", category), ("organisers", "秘书处"), ("counties", counties)];
        [&cells[..], &[("held_on", "2026-05-08"), ("place", "郑州"), ("state", "已举办")]].concat()
    };
    for _ in 0..49 {
        world.create(county, day("2026-05-09"), "event", &event("对接活动", "411426;371422"));
    }
    world.create(county, day("2026-05-09"), "event", &event("对接活动", "411426"));
    world.create(county, day("2026-05-09"), "event", &event("会商", "411426;371422"));
    let almost = world.one("YW007", day("2026-12-31")).running.expect("the year runs");
    assert_eq!((almost.state, almost.counted), (State::Due, 49));
    assert_eq!(world.state("YW007", day("2027-01-01")), State::Overdue);
    let last = world.create(county, day("2026-12-30"), "event", &event("专项活动", "411426;371422"));
    assert_eq!(world.state("YW007", day("2027-01-01")), State::Met);
    world.revise(county, day("2027-01-05"), "event", last, &[("counties", "411426")]);
    assert_eq!(world.state("YW007", day("2027-01-06")), State::Overdue, "one county is no region beside another");

    assert_eq!(world.state("YW009", day("2027-01-01")), State::Overdue);
    world.create(0, day("2027-01-07"), "event", &event("全国大会", "411426"));
    assert_eq!(world.state("YW009", day("2027-01-08")), State::Late);

    let mut train = |people: &str| {
        let cells = [("name", "培训"), ("category", "理论授课"), ("held_on", "2026-03-01"), ("person_times", people)];
        world.create(0, day("2027-01-09"), "training", &cells)
    };
    (0..99).for_each(|_| _ = train("100"));
    train("50");
    let short = world.one("YW008", day("2027-01-10"));
    let ended = short.ended.expect("the year is over");
    assert_eq!((ended.late, short.state), (100, State::Overdue), "100 trainings, and 50 person-times too few");
    let cells = [("name", "培训"), ("category", "实操演练"), ("held_on", "2026-06-01"), ("person_times", "50")];
    world.create(0, day("2027-01-09"), "training", &cells);
    assert_eq!(world.state("YW008", day("2027-01-10")), State::Late);
}

#[test]
fn the_outline_is_revised_two_years_after_the_last_time() {
    let mut world = World::new();
    let founded = world.one("YW005", day("2026-01-01"));
    assert_eq!((founded.state, founded.next_due_ms), (State::Due, Some(day("2027-12-01"))));
    assert_eq!(world.state("YW005", day("2027-12-01")), State::Overdue);
    world.admit("夏邑县", Class::County, "411426", day("2026-01-02"));
    assert_eq!(world.one("YW005", day("2026-01-03")).bearing, founded.bearing);
}

#[test]
fn the_mandate_of_the_council_ends_with_its_term() {
    let mut world = World::new();
    let one = world.one("YW004", day("2026-02-01"));
    assert_eq!(one.state, State::NotComputable);
    assert!(one.running.and_then(|running| running.why).expect("it says why").zh.contains("理事"));
    let seat = |from: &str, until: &str| SeatGrant {
        role: Role::Council,
        member: crate::identity::MemberNumber(1),
        key: PublicKey::ZERO,
        person: String::new(),
        from_ms: day(from),
        until_ms: day(until),
    };
    world.append(day("2026-01-05"), Operation::GrantRole(seat("2026-01-05", "2029-01-05")));
    let sits = world.one("YW004", day("2029-01-05") - 1);
    assert_eq!((sits.state, sits.next_due_ms), (State::Met, Some(day("2029-01-05"))));
    assert_eq!(world.state("YW004", day("2029-01-05")), State::Overdue);
    world.append(day("2029-02-01"), Operation::GrantRole(seat("2029-02-01", "2032-02-01")));
    assert_eq!(world.state("YW004", day("2029-01-10")), State::Overdue, "as the charter stood then");
    assert_eq!(world.state("YW004", day("2029-02-01")), State::Met);
}

#[test]
fn a_body_inside_a_county_is_never_called_overdue_and_has_a_next_date() {
    let (mut world, county) = county();
    let silent = world.one("YW031", day("2026-02-01"));
    assert_eq!(silent.state, State::NotComputable);
    assert!(silent.ended.and_then(|ended| ended.why).expect("it says why").zh.contains("不等于"));
    assert_eq!(silent.next_due_ms, Some(day("2026-03-01")));
    let from = world.demand(county, day("2026-01-15"));
    let cells = [("name", "通报"), ("category", "月通报"), ("period", "2026-01")];
    let from = from.to_string();
    world.create(county, day("2026-01-31"), "report", &[&cells[..], &[("compiled_from", from.as_str())]].concat());
    assert_eq!(world.state("YW031", day("2026-02-01")), State::Met);
    // Half a year, and a year whose date lies in January.
    assert_eq!(world.one("YW033", day("2026-02-01")).next_due_ms, Some(day("2026-07-01")));
    assert_eq!(world.one("YW041", day("2026-02-02")).next_due_ms, Some(day("2027-02-01")));
    assert!(world.ask("YW020", day("2026-02-01")).is_empty(), "no member is that county");
    assert_eq!(world.one("YW047", day("2026-02-01")).next_due_ms, None);
}

#[test]
fn days_of_grace_keep_a_quarter_open() {
    let mut world = World::new();
    world.admit("夏邑县", Class::County, "411426", day("2026-01-02"));
    let grace = world.one("YW006", day("2026-04-10"));
    let running = grace.running.expect("the days of grace run");
    assert_eq!((running.name.as_str(), running.state), ("2026Q1", State::Due));
    assert_eq!(grace.next_due_ms, Some(day("2026-04-16")));
    assert_eq!(grace.state, State::Due, "{:?}", grace.ended);
    assert_eq!(world.state("YW006", day("2026-04-16")), State::Overdue);
    let cells = [("name", "成员数"), ("comparator", "≥"), ("formula", "章程"), ("value", "300")];
    world.create(0, day("2026-04-15"), "indicator", &[&cells[..], &[("value_period", "2026Q1")]].concat());
    let done = world.one("YW006", day("2026-04-16"));
    assert_eq!((done.state, done.bearing), (State::Met, Bearing::Organ(crate::duty::Organ::Secretariat)));
}

#[test]
fn what_was_stated_under_kinds_that_this_build_does_not_know_is_not_called_overdue() {
    let cells = [("category", "冷链"), ("name", "冷库")];
    let (mut world, county) = county();
    world.create_under(2, county, day("2026-01-20"), "demand", &cells);
    assert_eq!(world.state("YW001", day("2026-02-01")), State::Overdue, "nobody named such kinds");
    world.append(day("2026-02-02"), Operation::KindSet { version: 2, hash: ContentHash([9; 32]) });
    world.create_under(2, county, day("2026-02-20"), "demand", &cells);
    let unknown = world.one("YW001", day("2026-03-01"));
    assert_eq!((unknown.state, unknown.missed), (State::NotComputable, 0));
    assert!(unknown.ended.and_then(|ended| ended.why).expect("it says why").zh.contains("无法判断"));
    assert_eq!(world.state("YW001", day("2026-04-01")), State::Overdue, "and in March it said nothing");
    let rate = rate(&world.charter, &world.ledger(), Rules::builtin(), "YW001", day("2026-03-01")).expect("a rate");
    assert_eq!((rate.owed, rate.missed.len()), (0, 0));
}

#[test]
fn what_the_federation_owes_is_performed_by_its_members_and_the_assembly_by_the_secretariat() {
    let mut world = World::new();
    let observer = world.admit("监督委员", Class::Observer, "", day("2026-01-02"));
    let county = world.admit("夏邑县", Class::County, "411426", day("2026-01-02"));
    let event = |category: &'static str| {
        let cells = [("name", "会"), ("category", category), ("organisers", "秘书处"), ("counties", "411426;371422")];
        [&cells[..], &[("held_on", "2026-05-08"), ("place", "郑州"), ("state", "已举办")]].concat()
    };
    world.create(observer, day("2026-05-09"), "event", &event("论坛"));
    world.create(county, day("2026-05-09"), "event", &event("成员大会"));
    assert_eq!(world.state("YW010", day("2027-01-01")), State::Overdue, "an observer performs nothing");
    assert_eq!(world.state("YW003", day("2027-01-01")), State::Overdue, "a county does not call the assembly");
    world.create(county, day("2026-05-10"), "event", &event("论坛"));
    world.create(0, day("2026-05-10"), "event", &event("成员大会"));
    assert_eq!([world.state("YW010", day("2027-01-01")), world.state("YW003", day("2027-01-01"))], [State::Met; 2]);
}

#[test]
fn what_the_secretariat_owes_is_found_under_the_member_that_is_it() {
    let mut world = World::new();
    let county = world.admit("夏邑县", Class::County, "411426", day("2026-01-02"));
    let owed = |member: usize| {
        let question = Question { as_of_ms: day("2026-02-01"), member: Some(world.number(member)), rule: None };
        let held = judge(&world.charter, &world.ledger(), Rules::builtin(), &question);
        held.iter().map(|holding| (holding.duty.id.clone(), holding.bearing)).collect::<Vec<_>>()
    };
    let of_secretariat = Bearing::Organ(Organ::Secretariat);
    assert_eq!(owed(0), [("YW005".to_owned(), of_secretariat), ("YW006".to_owned(), of_secretariat)]);
    assert!(owed(county).iter().all(|(_, bearing)| *bearing == Bearing::Member(world.number(county))));
}

#[test]
fn no_period_ends_before_it_begins() {
    let mut world = World::new();
    world.admit("奉节县", Class::County, "500236", day("2026-01-02"));
    world.admit("夏邑县", Class::County, "411426", day("2026-01-02"));
    for as_of in ["2026-01-02", "2026-02-01"] {
        for duty in Rules::builtin().duties() {
            for holding in world.ask(&duty.id, day(as_of)) {
                for verdict in holding.ended.iter().chain(&holding.running) {
                    assert!(verdict.span.start_ms <= verdict.span.end_ms, "{} {verdict:?}", duty.id);
                    let Some((from, until)) = verdict.name.split_once('/') else { continue };
                    assert!(from <= until, "{} {}", duty.id, verdict.name);
                }
            }
        }
    }
    assert_eq!(world.one("YW022", day("2026-02-01")).running.expect("it runs").name, "2026-01-02/2026-01-31");
}
