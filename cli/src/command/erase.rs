//! `erase`: takes the content of one's own records off every node, for good.

use clap::Args;
use node::api::types::{Erase, ErasePublished};

use crate::confirm;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// What a person must know before (requirement Q42).
const WARNING_ZH: &str = "清除之后，各成员的节点都会删除这些内容，只留条目头和理由，不可撤销。\n\
    但已经离开联盟节点的副本（导出的文件、备份、截图、别人抄下的）收不回来；长期不上线的节点要等它上线才会删。";
const WARNING_EN: &str = "After this every member's node deletes the content and keeps the header and the reason. It cannot be undone.\n\
    But copies that have left the nodes (exports, backups, pictures, notes) cannot be recalled, and a node that is off deletes\n\
    nothing until it is on again.";

/// Arguments of `erase`.
#[derive(Debug, Args)]
pub struct EraseArguments {
    /// 记录（可多条）：编号如 42-7、完整或开头一段标识，或自己的编号。连同其全部陈述一起清除。
    /// Records, each with all of its statements: labels such as 42-7, ids or how they begin, or one's own numbers
    #[arg(value_name = "RECORD", required_unless_present = "entry")]
    records: Vec<String>,
    /// 只清除这一条目，写完整标识（可多次）。
    /// Erase this single entry, by its whole id (repeatable)
    #[arg(long, value_name = "ENTRY")]
    entry: Vec<String>,
    /// 清除的理由，公开且一直保留：不要把要清除的内容写进去。
    /// Why; it is public and stays, so do not repeat in it what is to go
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// 不再询问。
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Warns, asks, and publishes the erasure.
pub fn perform(context: &Context, arguments: &EraseArguments) -> Result<(), Failure> {
    let client = context.client()?;
    context.out.say(WARNING_ZH, WARNING_EN);
    agreed(context, arguments)?;
    let request = Erase {
        records: arguments.records.clone(),
        entries: arguments.entry.clone(),
        reason: arguments.reason.clone(),
    };
    let done: ErasePublished = client.post("/v1/erase", &request)?;
    context.out.json(&done);
    context.out.say(
        format!("已发布清除：{}，共 {} 个条目。进展见 xianmeng erasures。", done.labels.join(" "), done.entries),
        format!(
            "The erasure is published, {} entries in all; see `xianmeng erasures` for how far it has got.",
            done.entries
        ),
    );
    Ok(())
}

fn agreed(context: &Context, arguments: &EraseArguments) -> Result<(), Failure> {
    let named: Vec<&str> = arguments.records.iter().chain(&arguments.entry).map(String::as_str).collect();
    if arguments.yes || confirm::ask(context, &format!("清除 {}？ Erase them? [y/N] ", named.join(" ")))? {
        return Ok(());
    }
    Err(Failure::new(ExitCode::NotAllowed, "not-confirmed", "没有人确认要清除。", "nobody confirmed the erasure")
        .fix("核对后请加 --yes。", "check it, then add --yes"))
}
