//! `history`: every statement about a record, with author and time.

use clap::Args;
use node::api::types::{FieldChange, HistoryItem, StateChange, UncountedReason};

use crate::client::segment;
use crate::context::Context;
use crate::failure::Failure;
use crate::{output, time};

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// 记录：编号如 42-7、完整或开头一段标识，或自己的编号。
    /// The record: a label such as 42-7, an id or how it begins, or one's own number
    #[arg(value_name = "RECORD")]
    record: String,
    /// 逐行对照：- 原来，+ 后来。
    /// Line by line: - before, + after
    #[arg(long)]
    diff: bool,
}

/// Shows the versions, the first one first.
pub fn perform(context: &Context, arguments: &HistoryArguments) -> Result<(), Failure> {
    let path = format!("/v1/records/{}/history", segment(&arguments.record));
    let items: Vec<HistoryItem> = context.client()?.get(&path, &[])?;
    context.out.json(&items);
    for (index, item) in items.iter().enumerate() {
        context.out.line(describe(index + 1, item, arguments.diff));
    }
    Ok(())
}

fn describe(version: usize, item: &HistoryItem, diff: bool) -> String {
    let operation = match item.operation.as_str() {
        "create" => "发布",
        "revise" => "更正",
        "withdraw" => "撤回",
        other => other,
    };
    let (time, author, entry) = (time::show(item.time_ms), &item.author.name, &item.entry);
    let mut lines = vec![format!("第 {version} 版  {operation}  {time}  {author}  {entry}")];
    lines.extend(circumstances(item));
    lines.extend(item.state.as_ref().map(describe_state));
    if !item.counts {
        lines.extend(describe_uncounted(item.uncounted.as_ref()));
    }
    lines.extend(item.reason.as_ref().map(|reason| format!("理由: {reason}")));
    for change in &item.changes {
        if diff {
            lines.extend(describe_diff(change));
        } else {
            lines.push(describe_change(change));
        }
    }
    lines.join("\n    ")
}

/// What happened to the statement itself.
fn circumstances(item: &HistoryItem) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(origin) = &item.origin {
        lines.push(format!("换钥后重新发布，原条目 published again after a key change, first as: {origin}"));
    }
    if let Some(mark) = &item.erased {
        let by = match (&mark.member, mark.block) {
            (Some(member), _) => member.name.clone(),
            (None, version) => format!("章程第 {} 块", version.unwrap_or_default()),
        };
        let when = time::show(mark.time_ms);
        lines.push(format!("内容已清除 erased：{by}  {when}  理由: {}", mark.reason));
    }
    if let Some(change) = &item.key_change {
        let (version, time, signed) = (change.version, time::show(change.time_ms), change.signed.join("、"));
        lines.push(format!("章程第 {version} 块（{time}，{signed} 签署）：{}", change.words.zh));
        lines.push(format!("charter block {version}, signed by {signed}: {}", change.words.en));
    }
    lines
}

fn describe_state(change: &StateChange) -> String {
    match (&change.from_zh, &change.from_en) {
        (Some(zh), Some(en)) => format!("状态 state: {zh} → {} ({en} → {})", change.to_zh, change.to_en),
        _ => format!("状态 state: {} ({})", change.to_zh, change.to_en),
    }
}

fn describe_uncounted(reason: Option<&UncountedReason>) -> Vec<String> {
    let Some(reason) = reason else { return vec!["不算数 does not count".to_owned()] };
    let mut lines = vec![format!("不算数：{} does not count: {}", reason.zh, reason.en)];
    if !reason.missing.is_empty() {
        lines.extend(reason.missing.iter().map(|missing| format!("  缺 missing: {} {}", missing.zh, missing.en)));
    }
    lines
}

fn describe_change(change: &FieldChange) -> String {
    match (&change.before, &change.after) {
        (None, Some(after)) => format!("{}: {after}", change.zh),
        (Some(before), Some(after)) => format!("{}: {before} → {after}", change.zh),
        (Some(before), None) => format!("{}: {before} → （已清除）", change.zh),
        (None, None) => change.zh.clone(),
    }
}

/// Before and after on lines of their own, control characters replaced.
fn describe_diff(change: &FieldChange) -> Vec<String> {
    let side = |sign: char, text: &Option<String>| {
        text.iter().map(|text| format!("{sign} {}: {}", change.zh, output::plain(text))).collect::<Vec<_>>()
    };
    [side('-', &change.before), side('+', &change.after)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: Option<&str>, after: Option<&str>) -> FieldChange {
        FieldChange {
            name: "size".into(),
            zh: "规模".into(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    #[test]
    fn a_change_says_before_and_after() {
        assert_eq!(describe_change(&change(None, Some("1"))), "规模: 1");
        assert_eq!(describe_change(&change(Some("1"), Some("2"))), "规模: 1 → 2");
        assert!(describe_change(&change(Some("1"), None)).contains("已清除"));
    }

    #[test]
    fn a_difference_has_a_line_for_each_side() {
        assert_eq!(describe_diff(&change(Some("1"), Some("2"))), ["- 规模: 1", "+ 规模: 2"]);
        assert_eq!(describe_diff(&change(None, Some("甲\n乙"))), ["+ 规模: 甲 乙"]);
        assert_eq!(describe_diff(&change(Some("1"), None)), ["- 规模: 1"]);
    }

    #[test]
    fn what_does_not_count_says_what_is_missing() {
        let missing = vec![node::api::types::Words { zh: "须填项目等级".into(), en: "fill in the grade".into() }];
        let (code, zh, en) = ("lifecycle".into(), "不能从“策划”变为“签约”。".into(), "no".into());
        let lines = describe_uncounted(Some(&UncountedReason { code, zh, en, missing }));
        assert!(lines[0].starts_with("不算数：不能从“策划”变为“签约”") && lines[1].contains("须填项目等级"));
        let change = StateChange {
            from_zh: Some("策划".into()),
            from_en: Some("Planned".into()),
            to_zh: "签约".into(),
            to_en: "Signed".into(),
        };
        assert_eq!(describe_state(&change), "状态 state: 策划 → 签约 (Planned → Signed)");
    }
}
