//! `status`: how the node is, or how far a record has got.

use clap::Args;
use node::api::types::Status;

use crate::context::Context;
use crate::failure::Failure;
use crate::{output, time};

use super::delivery;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// 只看这条记录送达了多少家。
    /// Only how far this record has got
    #[arg(value_name = "RECORD")]
    record: Option<String>,
}

/// Shows the node or the delivery of a record.
pub fn perform(context: &Context, arguments: &StatusArguments) -> Result<(), Failure> {
    let client = context.client()?;
    if let Some(record) = &arguments.record {
        let found = delivery::of(&client, record)?;
        context.out.json(&found);
        context.out.line(delivery::text(&found));
        return Ok(());
    }
    let status: Status = client.get("/v1/status", &[])?;
    context.out.json(&status);
    context.out.line(describe(&status));
    for warning in &status.warnings {
        context.out.say(
            format!("注意 [{}] {} {}", warning.code, warning.at, warning.zh),
            format!("note [{}] {}", warning.code, warning.en),
        );
    }
    Ok(())
}

fn describe(status: &Status) -> String {
    let member = status
        .member
        .as_ref()
        .map_or_else(|| "（尚未入盟 not admitted）".into(), |member| format!("{} {}", member.number, member.name));
    let state = match status.state.as_str() {
        "running" => "运行 running",
        "joining" => "等待批准 waiting for admission",
        other => other,
    };
    let trial = if status.trial { "（试运行 trial）" } else { "" };
    let expired = if status.charter_expired { "，已到期 expired" } else { "" };
    let complete = if status.complete { "完整 complete" } else { "正文未齐 bodies missing" };
    let signing = match status.signing.ready {
        true => "可以 ready".into(),
        false => format!("暂不能：{} {}", status.signing.zh, status.signing.en),
    };
    output::pairs(&[
        ("状态", format!("{state}，{} 起 since", time::show(status.started_ms))),
        ("版本", status.version.clone()),
        ("联盟", format!("{}{trial}  {}", status.federation_name, status.federation)),
        ("本成员", member),
        ("章程", format!("第 {} 块{expired}", status.charter_version)),
        ("成员", format!("{} 个有效，{} 个连着", status.members, status.peers)),
        ("数据", format!("{} 条目，{} 记录，{complete}", status.entries, status.records)),
        ("前沿", status.digest.clone()),
        ("签署", signing),
        ("最新条目", delivery::text(&status.delivery)),
        ("占用", format!("{}（日志 {}）", bytes(status.store_bytes), bytes(status.journal_bytes))),
    ])
}

/// A size for people.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(bytes(1), "1 KiB");
        assert_eq!(bytes(5 * 1_048_576), "5 MiB");
    }
}
