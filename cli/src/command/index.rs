//! `index`: the search index, which is made from the records and can be made again.

use clap::Subcommand;
use node::api::types::SearchStatus;

use crate::context::Context;
use crate::failure::Failure;
use crate::{output, time};

/// What can be done with the index.
#[derive(Debug, Subcommand)]
pub enum IndexCommand {
    /// 检索索引的状态：滞后多少、有多大。
    /// How the search index is: how far behind, how large
    Status,
    /// 从记录重新建立检索索引；期间旧索引照常可查。
    /// Build the search index anew from the records; the old one serves until then
    Rebuild,
}

/// Does what was asked.
pub fn perform(context: &Context, command: &IndexCommand) -> Result<(), Failure> {
    let client = context.client()?;
    if matches!(command, IndexCommand::Rebuild) {
        client.post_silent("/v1/search/rebuild", &())?;
        context.out.say(
            "已开始重新建立索引；xianmeng index status 可看进度。",
            "the index is being built anew; see `xianmeng index status`",
        );
    }
    let status: SearchStatus = client.get("/v1/search/status", &[])?;
    context.out.json(&status);
    if matches!(command, IndexCommand::Status) {
        context.out.line(describe(&status));
    }
    Ok(())
}

fn describe(status: &SearchStatus) -> String {
    let lag = &status.lag;
    let mut pairs = vec![
        ("状态 state", format!("{} {}", status.zh, status.en)),
        ("可查 documents", format!("{} / {} 条记录 records", status.documents, status.records)),
        ("落后 behind", format!("{} 条 records，{} 毫秒 ms", lag.records, lag.ms)),
        ("大小 size", format!("{} KiB", status.bytes / 1_024)),
        (
            "版本 version",
            format!("{}，类别集 kinds {}", status.schema_version, &status.kind_set[..16.min(status.kind_set.len())]),
        ),
    ];
    if lag.state != "following" {
        pairs.push(("已看 looked at", format!("{} 条记录 records", status.looked_at)));
    }
    pairs.extend(status.committed_ms.map(|committed_ms| ("写盘 committed", time::show(committed_ms))));
    pairs.extend(status.error.clone().map(|error| ("错误 error", error)));
    output::pairs(&pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::api::types::LagView;

    #[test]
    fn the_state_is_told_in_both_languages_with_the_figures() {
        let status = SearchStatus {
            lag: LagView { state: "building".into(), records: 7, ms: 12 },
            documents: 93,
            records: 100,
            looked_at: 93,
            found: Some("fresh".into()),
            error: Some("disk full".into()),
            committed_ms: Some(0),
            schema_version: 1,
            kind_set: "ab".repeat(32),
            bytes: 4_096,
            zh: "索引正在建立。".into(),
            en: "the index is being built".into(),
        };
        let text = describe(&status);
        for part in ["正在建立", "being built", "93 / 100", "7 条", "4 KiB", "disk full", "已看"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
