//! Matches that were taken up, and what came of them.

use super::{World, day};
use crate::survey::success::{Answer, Question, Success};
use crate::value::Date;

fn ask(world: &World, from: Option<&str>, until: Option<&str>) -> Answer {
    let date = |text: &str| match super::fields(super::kind("match"), &[("判定日期", text)]).into_values().next() {
        Some(crate::value::Value::Date(date)) => date,
        other => panic!("{other:?}"),
    };
    let (from, until): (Option<Date>, Option<Date>) = (from.map(date), until.map(date));
    let mut survey = Success::new(Question { from, until, as_of_ms: day(2026, 7, 31) });
    world.each().for_each(|record| survey.take(&record, world));
    survey.finish()
}

fn found(world: &mut World, number: &str, verdict: &str, judged_on: &str) -> usize {
    let cells = [
        ("匹配编号", number),
        ("需求编号", "42-5"),
        ("资源编号", "57-2"),
        ("匹配维度", "产业"),
        ("匹配理由", "行业代码相同"),
        ("判定单位", "县投资促进中心"),
    ];
    let more = [("判定", verdict), ("判定日期", judged_on)];
    let more: Vec<_> = more.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    world.add("match", 3, &[&cells[..], &more].concat())
}

fn talks(world: &mut World, about: &str, state: &str) {
    world.add("negotiation", 3, &[("洽谈主题", "合作"), ("匹配", about), ("状态", state)]);
}

fn world() -> World {
    let mut world = World::default();
    found(&mut world, "signed", "采纳", "2026-01-10");
    found(&mut world, "talking", "采纳", "2026-02-10");
    found(&mut world, "broken", "采纳", "2026-03-10");
    found(&mut world, "unheard-of", "采纳", "2026-03-31");
    let unfit = found(&mut world, "unfit-later", "采纳", "2026-03-01");
    world.revise(unfit, &[("判定", "不合适"), ("判定日期", "2026-06-01"), ("判定理由", "地价")]);
    found(&mut world, "never", "不合适", "2026-03-01");
    found(&mut world, "open", "", "");
    found(&mut world, "last-year", "采纳", "2025-12-31");
    found(&mut world, "some-day-of-2026", "采纳", "2026");
    for (about, state) in [("signed", "终止"), ("signed", "达成协议"), ("talking", "洽谈中"), ("talking", "谢绝")]
    {
        talks(&mut world, about, state);
    }
    talks(&mut world, "broken", "谢绝");
    talks(&mut world, "last-year", "签约");
    talks(&mut world, "elsewhere", "签约");
    world.add("negotiation", 3, &[("洽谈主题", "另谈"), ("状态", "已邀请")]);
    world
}

#[test]
fn the_rate_is_of_what_was_taken_up_in_the_period() {
    let answer = ask(&world(), Some("2026-01"), Some("2026-03"));
    assert_eq!((answer.signed.records, answer.taken_up), (1, 5));
    assert_eq!((answer.in_talks, answer.ended, answer.unknown.records), (1, 2, 1));
    assert_eq!((answer.outside, answer.undated.records), (1, 1), "one of last year, one on some day of 2026");
    assert_eq!(answer.talks_astray, 1);
    let others: Vec<_> = answer.others.iter().map(|(zh, _, count)| (zh.as_str(), *count)).collect();
    assert_eq!(others, [("不合适", 1), ("待判定", 1)]);
}

#[test]
fn without_a_period_all_count_and_nothing_is_divided_by_nothing() {
    let all = ask(&world(), None, None);
    assert_eq!((all.signed.records, all.taken_up, all.undated.records), (2, 7, 0));
    assert_eq!(ask(&world(), Some("2026-01-01"), None).taken_up, 6, "the undated day lies in it all the same");
    let none = ask(&World::default(), None, None);
    assert_eq!((none.signed.records, none.taken_up), (0, 0));
    assert_eq!(none, Answer::default());
}
