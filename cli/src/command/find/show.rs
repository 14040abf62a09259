//! What was found, for people.

use std::io::{self, IsTerminal};

use node::api::types::{FoundRecord, LagView, Passage, SearchAnswer, SearchQuery};

use crate::context::Context;
use crate::output::{plain, shorten};
use crate::time;

/// Columns of a passage.
const PASSAGE_WIDTH_MAX: usize = 100;
/// Bold, and back.
pub const BOLD: (&str, &str) = ("\u{1b}[1m", "\u{1b}[0m");
/// How far the index may be behind without a word: less than a person notices.
const LAG_SILENT_MS: u64 = 2_000;

/// An answer for people.
pub(super) fn show(context: &Context, query: &SearchQuery, answer: &SearchAnswer) {
    let out = context.out;
    if answer.relaxed && !answer.records.is_empty() {
        out.say("没有记录含全部词语；下面的只含其中一部分。", "Nothing has all the words; these have some of them.");
    }
    let marks = io::stdout().is_terminal().then_some(BOLD);
    for record in &answer.records {
        lines(record, marks).iter().for_each(|line| out.line(line));
    }
    for facet in &answer.facets {
        let values: Vec<String> = facet.values.iter().map(|value| format!("{} {}", value.label, value.count)).collect();
        let more = if facet.more { " …" } else { "" };
        out.line(format!("{} {}：{}{more}", facet.zh, facet.name, values.join("  ")));
    }
    if answer.records.is_empty() {
        say_empty(context, query, answer);
    } else {
        out.line(count_line(answer));
    }
    if !answer.did_you_mean.is_empty() {
        let words = answer.did_you_mean.join("  ");
        out.say(format!("您要找的是不是：{words}"), format!("did you mean: {words}"));
    }
    if answer.records.iter().any(|record| !record.unknown.is_empty()) {
        out.say(
            "“不明”是记录没有写这一项：可能符合，也可能不符合。",
            "不明 (unknown): the record does not say; it may fit or not.",
        );
    }
    say_lag(context, &answer.lag);
}

/// How many there are, and how to see the rest.
fn count_line(answer: &SearchAnswer) -> String {
    let shown = answer.records.len();
    let total = match answer.screened {
        // The conditions are judged record by record: how many meet them is not known before the end.
        true if answer.next.is_some() => "更多 more".to_owned(),
        true => shown.to_string(),
        false => answer.total.to_string(),
    };
    match &answer.next {
        None => format!("共 {total} 条 {total} records"),
        Some(cursor) => {
            format!("前 {shown} 条，共 {total} the first {shown} of {total}；接着看 go on: --cursor {cursor}")
        }
    }
}

fn say_empty(context: &Context, query: &SearchQuery, answer: &SearchAnswer) {
    context.out.say("没有找到。", "Nothing was found.");
    if answer.lag.state == "building" {
        return;
    }
    let records = answer.lag.records;
    if answer.lag.state == "following" && records > 0 && answer.lag.ms < LAG_SILENT_MS {
        // Too little to speak of beside results, but here it may be what was asked for.
        return context.out.say(
            format!("刚到的 {records} 条还没有收入索引，过几秒再找一次。"),
            format!("{records} records have just come and are not in the index yet: ask again in a moment"),
        );
    }
    let filtered = *query != SearchQuery { words: query.words.clone(), ..SearchQuery::default() };
    let (zh, en) = match (filtered, query.closed) {
        (true, _) => ("可以去掉一些条件再试。", "try with fewer conditions"),
        (false, false) => (
            "可以换个词、少写几个字，或加 --closed 连同已结束的一起找；xianmeng list 按类别列出。",
            "try another or a shorter word, or --closed for what is over; `xianmeng list` goes by kind",
        ),
        (false, true) => (
            "可以换个词或少写几个字；xianmeng list 按类别列出。",
            "try another or a shorter word; `xianmeng list` goes by kind",
        ),
    };
    context.out.say(zh, en);
    context.out.say(
        "想在有新记录时得到提示：xianmeng watch 词语 --save 名称",
        "to be told when something comes: xianmeng watch WORDS --save NAME",
    );
}

/// Says how far the index is behind, where that matters.
fn say_lag(context: &Context, lag: &LagView) {
    let (records, seconds) = (lag.records, lag.ms / 1_000);
    match lag.state.as_str() {
        "following" if records == 0 || lag.ms < LAG_SILENT_MS => {}
        "building" | "opening" => context.out.say(
            format!("索引正在建立，还有约 {records} 条没有收入；结果可能不全。"),
            format!("the index is being built, about {records} records are not in it yet; results may be missing"),
        ),
        "failed" => context.out.say(
            "索引出错，稍后自动重试；xianmeng index status 可看原因。",
            "the index failed and is tried again; see `xianmeng index status`",
        ),
        _ => context.out.say(
            format!("索引落后 {records} 条、{seconds} 秒；最新的变更可能还查不到。"),
            format!("the index is {records} records and {seconds} s behind; the newest changes may be missing"),
        ),
    }
}

/// A record for people: a line with its name, and below it what was found.
pub fn lines(record: &FoundRecord, marks: Option<(&str, &str)>) -> Vec<String> {
    let title = record.why.iter().find(|passage| passage.field == "title");
    let title = title.map_or_else(|| plain(&record.title), |passage| marked(passage, marks));
    let mut facts = vec![record.kind_zh.clone(), record.owner.name.clone()];
    facts.extend(record.state.as_ref().map(|state| state.zh.clone()));
    facts.extend(record.place.clone().filter(|place| !place.contains(&record.owner.name)));
    facts.extend(record.deadline.as_ref().map(|deadline| format!("期限 {deadline}")));
    facts.extend(record.external.clone());
    let mut lines = vec![format!("{}  {title}", record.label), format!("    {}", plain(&facts.join(" · ")))];
    for passage in record.why.iter().filter(|passage| passage.field != "title") {
        lines.push(format!("    {}：{}", passage.field_zh, marked(passage, marks)));
    }
    let mut remarks: Vec<String> = Vec::new();
    remarks.extend((!record.counts).then(|| "不计数 does not count".to_owned()));
    remarks.extend(record.confidential.as_ref().map(|_| "密文 confidential".to_owned()));
    remarks.extend((!record.unknown.is_empty()).then(|| format!("不明：{}", record.unknown.join("、"))));
    remarks.push(format!("更新 {}", time::show(record.changed_ms)));
    lines.push(format!("    {}", remarks.join(" · ")));
    lines
}

/// A passage on one line, its words marked on a terminal.
fn marked(passage: &Passage, marks: Option<(&str, &str)>) -> String {
    let whole: String = passage.segments.iter().map(|segment| segment.text.as_str()).collect();
    let Some((on, off)) = marks else { return shorten(&whole, PASSAGE_WIDTH_MAX) };
    let pieces = passage.segments.iter().map(|segment| match segment.hit {
        true => format!("{on}{}{off}", plain(&segment.text)),
        false => plain(&segment.text),
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::api::types::{MemberName, Segment};

    fn record() -> FoundRecord {
        let segment = |text: &str, hit| Segment { text: text.into(), hit };
        let passage = |field: &str, field_zh: &str, segments| Passage {
            field: field.into(),
            field_zh: field_zh.into(),
            segments,
        };
        FoundRecord {
            id: "00".into(),
            label: "2-1".into(),
            kind: "policy".into(),
            kind_zh: "政策".into(),
            owner: MemberName { number: 2, name: "奉节县".into() },
            external: Some("ZC1".into()),
            title: "设备贷款贴息办法".into(),
            place: Some("重庆市奉节县".into()),
            state: None,
            deadline: Some("2026-06-30".into()),
            fields: Vec::new(),
            created_ms: 0,
            changed_ms: 0,
            counts: true,
            confidential: None,
            unknown: vec!["valid_until".into()],
            why: vec![
                passage(
                    "title",
                    "名称",
                    vec![segment("设备贷款", false), segment("贴息", true), segment("办法", false)],
                ),
                passage("reading", "政策解读", vec![segment("给予", false), segment("贴息", true)]),
            ],
            score_milli: 1,
        }
    }

    #[test]
    fn words_are_marked_on_a_terminal_and_only_there() {
        let shown = lines(&record(), Some(("<", ">")));
        assert_eq!(shown[0], "2-1  设备贷款<贴息>办法");
        assert!(shown[1].contains("政策 · 奉节县 · 期限 2026-06-30 · ZC1"), "{}", shown[1]);
        assert_eq!(shown[2], "    政策解读：给予<贴息>");
        assert!(shown[3].contains("不明：valid_until"));
        assert!(lines(&record(), None).iter().all(|line| !line.contains('<')));
    }

    #[test]
    fn the_count_says_what_is_known() {
        let answer = |total, next: Option<&str>, screened| SearchAnswer {
            records: vec![record()],
            total,
            next: next.map(str::to_owned),
            screened,
            ..SearchAnswer::default()
        };
        assert_eq!(count_line(&answer(1, None, false)), "共 1 条 1 records");
        assert!(count_line(&answer(30, Some("ab"), false)).contains("共 30"));
        assert!(
            count_line(&answer(30, Some("ab"), true)).contains("更多"),
            "how many meet the conditions is not known"
        );
    }
}
