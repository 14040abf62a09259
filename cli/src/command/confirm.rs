//! `confirm`: says of own records that they are still true, and changes nothing of them.

use clap::Args;
use node::api::types::{ConfirmRecords, Published};

use super::publish;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `confirm`.
#[derive(Debug, Args)]
pub struct ConfirmArguments {
    /// 仍然属实的记录（可多条）：编号如 42-7、完整或开头一段标识，或自己的编号。
    /// Records that are still true: labels such as 42-7, ids or how they begin, or one's own numbers
    #[arg(value_name = "RECORD", required = true)]
    records: Vec<String>,
    /// 最多等多少秒看送达情况。
    /// Seconds to wait for delivery at most
    #[arg(long, default_value_t = 3, value_name = "SECONDS")]
    wait: u64,
}

/// Publishes the confirmations, all of them or none.
pub fn perform(context: &Context, arguments: &ConfirmArguments) -> Result<(), Failure> {
    let client = context.client()?;
    let wanted = ConfirmRecords { records: arguments.records.clone() };
    let published: Published = client.post("/v1/confirmations", &wanted)?;
    context.out.line(format!("已声明仍然属实 confirmed {}", published.labels.join(" ")));
    publish::finish(context, &client, published, arguments.wait)
}
