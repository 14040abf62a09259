//! `audit bundle`: all that a member published up to this node's frontier, in one file that proves it offline.
//!
//! The file is verified before it gets its name, so a bundle that lies there was complete when it was written. Sealed
//! values go into it as they are: nothing is opened, and nothing needs a key to be verified.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::command::export::{check_whole, refuse_existing, write_checked};
use crate::command::verify::{self, AuditReport};
use crate::context::Context;
use crate::failure::Failure;
use crate::time;

/// Arguments of `audit bundle`.
#[derive(Debug, Args)]
pub struct BundleArguments {
    /// 成员编号：自己的或任何成员的。
    /// Number of the member: one's own or any other
    #[arg(value_name = "MEMBER")]
    member: u32,
    /// 写到哪个文件（缺省：当前目录下 xianmeng-audit-编号-日期.bundle）；不覆盖已有文件。
    /// The file to write (default: xianmeng-audit-MEMBER-DATE.bundle in the current directory); never overwritten
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Downloads the bundle, verifies it, and only then gives it its name.
pub fn perform(context: &Context, arguments: &BundleArguments) -> Result<(), Failure> {
    let client = context.client()?;
    let path = arguments.out.clone().unwrap_or_else(|| default_path(arguments.member));
    refuse_existing(&path, false)?;
    let query = [("member", arguments.member.to_string()), ("audit", "true".to_owned())];
    let answer = client.get_reader("/v1/export", &query)?;
    let bar = progress_bar();
    let (bytes, audit) = write_checked(bar.wrap_read(answer), &path, false, |partial| {
        bar.finish_and_clear();
        check_whole(partial)?;
        verify::check_audit(partial).map_err(|failure| {
            failure.fix(
                "本节点的内容不齐，或导出期间有变动：请运行 xianmeng sync，稍后再试。",
                "this node lacks something, or its state changed meanwhile: run `xianmeng sync` and try again",
            )
        })
    })?;
    context.out.json(&json!({"file": path, "bytes": bytes, "audit": audit}));
    say(context, &path.display().to_string(), bytes, &audit);
    Ok(())
}

fn say(context: &Context, path: &str, bytes: u64, audit: &AuditReport) {
    let AuditReport { member_name, entries, frontier, .. } = audit;
    let others = audit.attestations.iter().filter(|witness| !witness.own).count();
    context.out.say(
        format!("已写到 {path}：{member_name} 的 {entries} 条，{bytes} 字节，他方见证 {others} 份。"),
        format!("Wrote {path}: {entries} entries of {member_name}, {bytes} bytes, {others} attestations of others."),
    );
    context.out.say(format!("前沿：{frontier}"), format!("Frontier: {frontier}"));
    context.out.say(
        "机密内容保持密封。核验：xianmeng verify 文件 --expect-frontier 前沿。",
        "Sealed values stay sealed. Check it with `xianmeng verify FILE --expect-frontier FRONTIER`.",
    );
}

fn default_path(member: u32) -> PathBuf {
    let day: String = time::show(time::now_ms()).chars().take(10).filter(|c| *c != '-').collect();
    PathBuf::from(format!("xianmeng-audit-{member}-{day}.bundle"))
}

/// Drawn on standard error, and only where somebody looks at it.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("取得 {bytes} {bytes_per_sec} {elapsed}") {
        bar.set_style(style);
    }
    bar
}
