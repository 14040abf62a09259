//! `withdraw`: takes one's own record out of lists and figures.

use clap::Args;
use node::api::types::{Published, WithdrawRecord};

use crate::client::segment;
use crate::context::Context;
use crate::failure::Failure;

use super::publish;

/// Arguments of `withdraw`.
#[derive(Debug, Args)]
pub struct WithdrawArguments {
    /// 记录：编号如 42-7、完整或开头一段标识，或自己的编号。
    /// The record: a label such as 42-7, an id or how it begins, or one's own number
    #[arg(value_name = "RECORD")]
    record: String,
    /// 撤回的理由，供读者看。
    /// Why, for readers
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// 最多等多少秒看送达情况。
    /// Seconds to wait for delivery at most
    #[arg(long, default_value_t = 3, value_name = "SECONDS")]
    wait: u64,
}

/// Publishes the withdrawal.
pub fn perform(context: &Context, arguments: &WithdrawArguments) -> Result<(), Failure> {
    let client = context.client()?;
    let withdrawal = WithdrawRecord { reason: arguments.reason.clone() };
    let path = format!("/v1/records/{}/withdraw", segment(&arguments.record));
    let published: Published = client.post(&path, &withdrawal)?;
    context.out.line(format!("已撤回 withdrawn {}（历史保留 its history stays）", published.labels.join(" ")));
    publish::finish(context, &client, published, arguments.wait)
}
