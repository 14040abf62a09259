//! `revise`: sets and clears fields of one's own record.

use clap::Args;
use node::api::types::{Published, ReviseRecord};

use crate::client::segment;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

use super::{assignment, publish};

/// Arguments of `revise`.
#[derive(Debug, Args)]
pub struct ReviseArguments {
    /// 记录：编号如 42-7、完整或开头一段标识，或自己的编号。
    /// The record: a label such as 42-7, an id or how it begins, or one's own number
    #[arg(value_name = "RECORD")]
    record: String,
    /// 要改的“字段=值”。
    /// What to set, as field=value
    #[arg(value_name = "FIELD=VALUE")]
    assignments: Vec<String>,
    /// 要清除的字段（可多次）。
    /// A field to clear (repeatable)
    #[arg(long, value_name = "FIELD")]
    clear: Vec<String>,
    /// 新的可读范围：all、class:类别、role:角色、members:编号,…（缺省不变）。
    /// Who may read it from now on: all, class:NAME, role:NAME, members:NUMBER,... (default: as before)
    #[arg(long, value_name = "READERS")]
    readers: Option<String>,
    /// 保密字段新的当事方：members:编号,…、class:类别 或 role:角色（缺省不变）。
    /// Who may read its confidential fields from now on: members:NUMBER,..., class:NAME or role:NAME (default: as before)
    #[arg(long, value_name = "PARTIES")]
    parties: Option<String>,
    /// 最多等多少秒看送达情况。
    /// Seconds to wait for delivery at most
    #[arg(long, default_value_t = 3, value_name = "SECONDS")]
    wait: u64,
}

/// Publishes the revision.
pub fn perform(context: &Context, arguments: &ReviseArguments) -> Result<(), Failure> {
    let set = assignment::parse_all(&arguments.assignments)?;
    let ReviseArguments { clear, readers, parties, .. } = arguments;
    let revision = ReviseRecord { set, clear: clear.clone(), readers: readers.clone(), parties: parties.clone() };
    if revision.set.is_empty() && clear.is_empty() && readers.is_none() && parties.is_none() {
        let (zh, en) = ("没有说改什么。", "nothing to change was named");
        return Err(Failure::new(ExitCode::Usage, "nothing-to-revise", zh, en)
            .fix("例如 xianmeng revise 42-7 规模=6亿元。", "for instance `xianmeng revise 42-7 规模=6亿元`"));
    }
    let client = context.client()?;
    let published: Published = client.post(&format!("/v1/records/{}/revise", segment(&arguments.record)), &revision)?;
    context.out.line(format!("已更正 revised {}", published.labels.join(" ")));
    publish::finish(context, &client, published, arguments.wait)
}
