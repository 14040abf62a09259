//! Idle funds, on what ground, and what the kind file marks.

use std::collections::BTreeSet;

use super::{FUNDS, World, day};
use crate::identity::MemberNumber;
use crate::kind::condition::{Related, Scope, Subject, Surroundings};
use crate::kind::{Kind, KindSet, Level};
use crate::survey::fund::{Answer, Ground, IDLE_DAYS, Idle, Question};
use crate::survey::place::Region;

const NOW: (u16, u8, u8) = (2026, 7, 31);

fn ask(world: &World, region: Option<Region>) -> Answer {
    let mut survey = Idle::new(Question { region, as_of_ms: day(NOW.0, NOW.1, NOW.2) });
    world.each().for_each(|record| survey.take(&record, world));
    survey.finish()
}

fn fund(world: &mut World, number: &str, cells: &[(&str, &str)]) {
    let named = [("基金编号", number), ("名称", number), ("机构类别", "直投基金")];
    world.add("fund", 7, &[&named[..], cells].concat());
}

fn case(world: &mut World, fund: &str, date: &str) {
    let cells = [
        ("基金编号", fund),
        ("被投企业或项目", "甲"),
        ("行政区划代码", "411426"),
        ("投资金额", "1"),
        ("投资日期", date),
    ];
    world.add("investment_case", 7, &cells);
}

fn names(funds: &[crate::survey::fund::Fund]) -> Vec<&str> {
    funds.iter().map(|fund| fund.source.title.as_str()).collect()
}

/// One fund of each sort.
fn world() -> World {
    let mut world = World::default();
    fund(&mut world, "says-so", &[("状态", "闲置"), ("设立日期", "2020-01-01")]);
    fund(&mut world, "old-case", &[("状态", "投资"), ("未投资金", "约3亿元")]);
    fund(&mut world, "new-case", &[("状态", "投资")]);
    fund(&mut world, "on-the-day", &[("状态", "投资")]);
    fund(&mut world, "never-since-2021", &[("设立日期", "2021-03-01")]);
    fund(&mut world, "never-since-2024", &[("状态", "运作"), ("设立日期", "2024")]);
    fund(&mut world, "never-undated", &[("状态", "运作")]);
    fund(&mut world, "young", &[("状态", "运作"), ("设立日期", "2026-01-01")]);
    fund(&mut world, "wound-up", &[("状态", "清算"), ("设立日期", "2010-01-01")]);
    fund(&mut world, "spent", &[("状态", "投资"), ("未投资金", "0")]);
    fund(&mut world, "silent", &[]);
    fund(&mut world, "unmapped", &[("状态", "对接中")]);
    fund(&mut world, "set-up", &[("状态", "设立")]);
    case(&mut world, "old-case", "2024-07-01");
    case(&mut world, "old-case", "2025-07-30");
    case(&mut world, "new-case", "2025-08-01");
    case(&mut world, "on-the-day", "2025-07-31");
    case(&mut world, "spent", "2020-01-01");
    case(&mut world, "nobody-knows", "2026-01-01");
    world
}

#[test]
fn idle_is_said_on_a_ground_and_unknown_is_its_own_group() {
    let answer = ask(&world(), None);
    let idle: Vec<_> = answer.idle.iter().map(|fund| (fund.source.title.as_str(), fund.ground, fund.days)).collect();
    let expected = [
        ("never-undated", Some(Ground::Never), None),
        ("says-so", Some(Ground::Stated), None),
        ("never-since-2021", Some(Ground::Never), None),
        ("never-since-2024", Some(Ground::Never), None),
        ("old-case", Some(Ground::LastCase), Some(366)),
    ];
    assert_eq!(idle, expected);
    assert_eq!(names(&answer.unknown), ["silent", "unmapped", "set-up"]);
    assert_eq!((answer.active, answer.young, answer.out), (2, 1, 2), "the day itself is not over yet");
    assert_eq!((answer.cases, answer.cases_without_fund.records), (5, 1));
    let old = answer.idle.iter().find(|fund| fund.cases == 2).expect("it has two cases");
    assert_eq!(old.last_case.as_ref().map(|(_, date)| date.to_string()).as_deref(), Some("2025-07-30"));
    assert_eq!((old.uninvested.as_deref(), old.state.0.as_str()), (Some("约3亿元"), "投资"));
}

#[test]
fn the_funds_of_the_samples_state_too_little_to_be_called_idle() {
    let mut world = World::default();
    world.import("fund", FUNDS);
    let answer = ask(&world, None);
    assert_eq!((answer.idle.len(), answer.unknown.len(), answer.out), (0, 7, 5));
    let hengyang = ask(&world, Some(Region::parse("衡阳市").expect("a prefecture")));
    assert_eq!((names(&hengyang.unknown), hengyang.out), (vec!["衡阳市政府产业投资基金"], 1));
    assert_eq!(super::titles(&hengyang.without_place), ["财信金控", "兴湘资本", "联盟专项投（引）资资金"]);
}

#[test]
fn what_the_kind_file_marks_as_idle_is_listed() {
    let world = world();
    let (answer, rules) = (ask(&world, None), Rules(&world));
    let listed: BTreeSet<&str> = names(&answer.idle).into_iter().collect();
    let mut marked = 0;
    for record in world.each().filter(|record| record.kind.name() == "fund") {
        let fields = &record.state.fields;
        let subject = Subject {
            kind: record.kind,
            id: Some(record.state.id),
            owner: record.owner,
            fields,
            scope: Scope::Everybody,
        };
        if record.kind.marks(Level::Flag, &subject, &rules).iter().any(|found| found.zh.contains("十二个月")) {
            let title = record.kind.title(fields);
            // What has nothing left to invest is marked and not paired.
            assert!(listed.contains(title.as_str()) || title == "spent", "{title}");
            marked += 1;
        }
    }
    assert_eq!(marked, 4);
    assert_eq!(IDLE_DAYS, 365, "as the rule in the kind file says");
}

struct Rules<'a>(&'a World);

impl Surroundings for Rules<'_> {
    fn as_of_ms(&self) -> u64 {
        day(NOW.0, NOW.1, NOW.2)
    }

    fn admitted_ms(&self, _: MemberNumber) -> Option<u64> {
        None
    }

    fn kind(&self, number: u16) -> Option<&Kind> {
        KindSet::builtin().kind(number)
    }

    fn linked(&self, subject: &Subject<'_>, kind: u16, _: u16) -> Vec<Related> {
        let names = |record: &crate::survey::Counted<'_>| {
            record.state.kind == kind && record.linked("fund", self.0).next() == subject.id
        };
        let cases = self.0.each().filter(|record| names(record));
        let related = |record: crate::survey::Counted<'_>| Related {
            id: record.state.id,
            owner: record.owner,
            kind,
            fields: record.state.fields.clone(),
            created_ms: 0,
        };
        cases.map(related).collect()
    }

    fn target(&self, _: MemberNumber, _: u16, _: &str) -> Option<Related> {
        None
    }
}
