//! `log`: the entries of a log as this node holds them.

use clap::Args;
use node::api::types::LogEntries;
use protocol::charter::Charter;
use protocol::identity::PublicKey;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::time;

use super::charter::{act, signing};

/// Arguments of `log`.
#[derive(Debug, Args)]
pub struct LogArguments {
    /// 成员编号或全名，或签名密钥的前 8 个以上字符。
    /// Number or exact name of a member, or the first characters of a signing key, 8 or more
    #[arg(value_name = "MEMBER")]
    whose: String,
    /// 从第几条起（缺省：最后的那些）。
    /// The first sequence (default: the last entries)
    #[arg(long, value_name = "SEQUENCE")]
    from: Option<u64>,
    /// 至多列几条。
    /// Entries at most
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
}

/// Lists one log, or every log of a member.
pub fn perform(context: &Context, arguments: &LogArguments) -> Result<(), Failure> {
    let client = context.client()?;
    let (charter, _) = signing::fetch(&client, &context.directory()?)?;
    let mut logs = Vec::new();
    for key in keys(&charter, &arguments.whose)? {
        let page = |from: u64, limit: u64| {
            let query = [("from", from.to_string()), ("limit", limit.to_string())];
            client.get::<LogEntries>(&format!("/v1/logs/{key}/entries"), &query)
        };
        let from = match arguments.from {
            Some(from) => from,
            None => page(0, 1)?.held.saturating_sub(arguments.limit),
        };
        logs.push(page(from, arguments.limit)?);
    }
    context.out.json(&json!({"logs": logs}));
    logs.iter().for_each(|log| show(context, log));
    Ok(())
}

fn keys(charter: &Charter, text: &str) -> Result<Vec<PublicKey>, Failure> {
    let begins = text.trim().to_lowercase();
    let named = |key: &PublicKey| begins.len() >= 8 && key.to_string().starts_with(&begins);
    let keys: Vec<PublicKey> = charter.logs().iter().map(|log| log.key).filter(named).collect();
    if !keys.is_empty() {
        return Ok(keys);
    }
    let member = act::find_member(charter, text)?;
    Ok(charter.logs().iter().filter(|log| log.member == member).map(|log| log.key).collect())
}

fn show(context: &Context, log: &LogEntries) {
    let ends = match &log.seal {
        None => String::new(),
        Some(seal) => {
            seal.last.as_ref().map_or("，封存：一概不算 sealed: nothing counts".to_owned(), |(sequence, _)| {
                format!("，封存于第 {sequence} 条 sealed at {sequence}")
            })
        }
    };
    context.out.line(format!(
        "{}“{}” {}  持有 {} 条，算数 {} 条{ends}",
        log.member.number,
        log.member.name,
        log.key.get(..8).unwrap_or(&log.key),
        log.held,
        log.counting
    ));
    if let Some(fork) = log.forked_at {
        context.out.say(
            format!("! 在第 {fork} 条分叉：{}", log.branches.join(" 与 ")),
            format!("! forked at entry {fork}: {}", log.branches.join(" and ")),
        );
    }
    let row = |entry: &node::api::types::LogEntry| {
        let state = match entry.why.as_deref() {
            Some("above-seal") => "不算：在封存点之后 above seal",
            Some("forked") => "不算：分叉 forked",
            Some("erased") => "内容已清除 erased",
            _ if !entry.body => "内容未到 no body",
            _ => "",
        };
        let id = entry.id.get(..16).unwrap_or(&entry.id).to_owned();
        let (sequence, kind, charter) = (entry.sequence.to_string(), entry.kind.to_string(), entry.charter.to_string());
        vec![sequence, id, kind, time::show(entry.time_ms), charter, state.to_owned()]
    };
    let rows = log.entries.iter().map(row).collect();
    context.out.table(&["序号", "条目", "类别", "自报时间", "章程", "说明"], rows);
}
