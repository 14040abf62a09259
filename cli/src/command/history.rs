//! `history`: every statement about a record, with author and time.

use clap::Args;
use node::api::types::{FieldChange, HistoryItem};

use crate::client::segment;
use crate::context::Context;
use crate::failure::Failure;
use crate::time;

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// 记录：编号如 42-7、完整或开头一段标识，或自己的编号。
    /// The record: a label such as 42-7, an id or how it begins, or one's own number
    #[arg(value_name = "RECORD")]
    record: String,
}

/// Shows the versions, the first one first.
pub fn perform(context: &Context, arguments: &HistoryArguments) -> Result<(), Failure> {
    let path = format!("/v1/records/{}/history", segment(&arguments.record));
    let items: Vec<HistoryItem> = context.client()?.get(&path, &[])?;
    context.out.json(&items);
    for (index, item) in items.iter().enumerate() {
        context.out.line(describe(index + 1, item));
    }
    Ok(())
}

fn describe(version: usize, item: &HistoryItem) -> String {
    let operation = match item.operation.as_str() {
        "create" => "发布",
        "revise" => "更正",
        "withdraw" => "撤回",
        other => other,
    };
    let (time, author, entry) = (time::show(item.time_ms), &item.author.name, &item.entry);
    let mut text = format!("第 {version} 版  {operation}  {time}  {author}  {entry}");
    if let Some(origin) = &item.origin {
        text.push_str(&format!("\n    换钥后重新发布，原条目 published again after a key change, first as: {origin}"));
    }
    if let Some(mark) = &item.erased {
        let by = match (&mark.member, mark.block) {
            (Some(member), _) => member.name.clone(),
            (None, version) => format!("章程第 {} 块", version.unwrap_or_default()),
        };
        let when = time::show(mark.time_ms);
        text.push_str(&format!("\n    内容已清除 erased：{by}  {when}  理由: {}", mark.reason));
    }
    if let Some(change) = &item.key_change {
        let (version, time, signed) = (change.version, time::show(change.time_ms), change.signed.join("、"));
        text.push_str(&format!("\n    章程第 {version} 块（{time}，{signed} 签署）：{}", change.words.zh));
        text.push_str(&format!("\n    charter block {version}, signed by {signed}: {}", change.words.en));
    }
    if !item.counts {
        text.push_str("\n    不算数：在密钥的封存点之后 does not count: above the seal of its key");
    }
    if let Some(reason) = &item.reason {
        text.push_str(&format!("\n    理由: {reason}"));
    }
    for change in &item.changes {
        text.push_str(&format!("\n    {}", describe_change(change)));
    }
    text
}

fn describe_change(change: &FieldChange) -> String {
    match (&change.before, &change.after) {
        (None, Some(after)) => format!("{}: {after}", change.zh),
        (Some(before), Some(after)) => format!("{}: {before} → {after}", change.zh),
        (Some(before), None) => format!("{}: {before} → （已清除）", change.zh),
        (None, None) => change.zh.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_before_and_after() {
        let change = |before: Option<&str>, after: Option<&str>| FieldChange {
            name: "size".into(),
            zh: "规模".into(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        assert_eq!(describe_change(&change(None, Some("1"))), "规模: 1");
        assert_eq!(describe_change(&change(Some("1"), Some("2"))), "规模: 1 → 2");
        assert!(describe_change(&change(Some("1"), None)).contains("已清除"));
    }
}
