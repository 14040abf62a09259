//! `status`: how the node is, or how far a record has got.

use clap::Args;
use node::api::types::{KindsStatus, Status};
use node::joining::{JoiningPhase, JoiningState, joining_state};
use node::store::{StoreError, lock_directory};
use serde_json::json;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{output, time};

use super::{delivery, run};

/// Digits of the hash of a kind set that people are shown.
const HASH_DIGITS: usize = 16;

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
    let client = match context.client() {
        Err(failure) if arguments.record.is_none() => return joining(context, failure),
        other => other?,
    };
    if let Some(record) = &arguments.record {
        let found = delivery::of(&client, record)?;
        context.out.json(&found);
        context.out.line(delivery::text(&found));
        return Ok(());
    }
    let status: Status = match client.get("/v1/status", &[]) {
        Err(failure) if failure.exit == ExitCode::NodeUnreachable => return joining(context, failure),
        other => other?,
    };
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

/// What a node without an API says of itself when it waits for its admission. Any other one does not run.
fn joining(context: &Context, failure: Failure) -> Result<(), Failure> {
    let directory = context.directory()?;
    let Some(state) = joining_state(&directory).filter(|_| !directory.genesis_path().exists()) else {
        return Err(failure);
    };
    let waits = matches!(lock_directory(directory.path()), Err(StoreError::InUse { .. }));
    context.out.json(&json!({
        "state": if state.state == JoiningPhase::Refused { "refused" } else { "joining" },
        "running": waits,
        "joining": state,
    }));
    let (zh, en) = match state.state {
        JoiningPhase::Asking => ("申请还没有送达", "the application has not been delivered yet"),
        JoiningPhase::Pending => ("等待登记人批准", "waiting for a registrar"),
        JoiningPhase::Refused => ("申请没有被接受", "the application was turned away"),
    };
    let running = if waits { "运行 running" } else { "没有运行 not running" };
    let mut pairs = vec![
        ("状态", format!("{zh} {en}")),
        ("节点", running.to_owned()),
        ("联盟", state.federation_name.clone()),
        ("指纹", state.fingerprint.clone()),
        ("申请时间", time::show(state.since_ms)),
        ("上次询问", format!("{}（{} 秒前 seconds ago）", time::show(state.asked_ms), seconds_since(state.asked_ms))),
    ];
    pairs.extend(state.error.clone().map(|error| ("上次结果", error)));
    context.out.line(output::pairs(&pairs));
    let (zh, en) = next_step(&state, waits);
    context.out.say(zh, en);
    Ok(())
}

fn seconds_since(then_ms: u64) -> u64 {
    time::now_ms().saturating_sub(then_ms) / 1000
}

/// What is to be done while the node waits.
fn next_step(state: &JoiningState, waits: bool) -> (String, String) {
    let again = (state.state == JoiningPhase::Refused)
        .then_some(("要重新申请，请用 --data 另建一个节点。", "to apply again make another node with --data."));
    if let Some(reason) = &state.reason {
        let (zh, en) = again.unwrap_or(("请与秘书处联系。", "talk to the secretariat."));
        return (format!("{}{zh}", run::refusal_zh(reason)), format!("Refused ({reason}): {en}"));
    }
    match (state.state, waits) {
        (_, false) => ("请执行 xianmeng run，让它开着。".into(), "Run `xianmeng run` and let it run.".into()),
        (JoiningPhase::Pending, true) => (
            "请打电话给登记人核对指纹；不用再做别的。".into(),
            "Read the fingerprint to the registrar by telephone; there is nothing else to do.".into(),
        ),
        (JoiningPhase::Asking | JoiningPhase::Refused, true) => (
            "节点会继续尝试；请检查网络，并请秘书处确认其节点在运行。".into(),
            "The node goes on trying; check the network, and ask the secretariat whether its node runs.".into(),
        ),
    }
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
        ("类别", kinds(&status.kinds)),
        ("前沿", status.digest.clone()),
        ("签署", signing),
        ("最新条目", delivery::text(&status.delivery)),
        ("占用", format!("{}（日志 {}）", bytes(status.store_bytes), bytes(status.journal_bytes))),
    ])
}

/// The kinds in use, with the version and the beginning of the hash by which the charter knows them.
fn kinds(kinds: &KindsStatus) -> String {
    let version = match kinds.version {
        Some(version) => format!("第 {version} 版 version"),
        None => "章程未载明 not in the charter".to_owned(),
    };
    let hash: String = kinds.hash.chars().take(HASH_DIGITS).collect();
    let extra = match kinds.extra_files.is_empty() {
        true => String::new(),
        false => format!("；附加 extra：{}", kinds.extra_files.join(", ")),
    };
    format!("{} 个 kinds，{version}，{hash}{extra}", kinds.kinds)
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
