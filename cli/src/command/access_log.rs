//! `access-log`: who asked this node to write what, and whether the log is as it was written.

use clap::Args;
use node::access_log::verify;
use node::api::types::{AccessEntry, AccessLogView, ProblemDetail};
use serde_json::json;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

/// Lines that are shown unless more are asked for.
const LINES_SHOWN: usize = 50;

/// Arguments of `access-log`.
#[derive(Debug, Args)]
pub struct AccessLogArguments {
    /// 核验日志有没有被改动或删行（节点不运行也能用）。
    /// Verify that nothing in the log was changed or removed; needs no running node
    #[arg(long)]
    verify: bool,
    /// 显示最近多少行。
    /// How many of the latest lines to show
    #[arg(long, value_name = "LINES", value_parser = clap::value_parser!(u64).range(1..=1_000), conflicts_with = "verify")]
    limit: Option<u64>,
}

/// Shows or verifies the log.
pub fn perform(context: &Context, arguments: &AccessLogArguments) -> Result<(), Failure> {
    if arguments.verify {
        return verified(context);
    }
    let limit = arguments.limit.map_or(LINES_SHOWN, |limit| usize::try_from(limit).unwrap_or(LINES_SHOWN));
    let view: AccessLogView = context.client()?.get("/v1/access-log", &[("limit", limit.to_string())])?;
    context.out.json(&view);
    let row = |line: &AccessEntry| {
        let (time, subject) = (time::show(line.time_ms), line.subject.clone());
        let what = format!("{} {}", line.method, line.route);
        let who = format!("{} {}", line.actor, line.address).trim_end().to_owned();
        vec![line.sequence.to_string(), time, who, what, subject, line.outcome.clone()]
    };
    let rows = view.entries.iter().rev().map(row).collect();
    context.out.table(&["序号", "时间", "谁", "做什么", "对象", "结果"], rows);
    context.out.line(format!("共 {} 行 lines，末行 last {}", view.length, view.head));
    if let Some(fault) = &view.fault {
        context.out.say(format!("注意：日志写不进去：{fault}"), format!("note: the log cannot be written: {fault}"));
    }
    Ok(())
}

fn verified(context: &Context) -> Result<(), Failure> {
    let directory = context.directory()?;
    let found = verify(&directory.access_log_path());
    let (lines, first, length, head) = (found.lines, found.first, found.length, &found.head);
    let report = json!({"lines": lines, "first": first, "length": length, "head": head});
    if found.breaks.is_empty() {
        context.out.json(&report);
        if lines == 0 {
            // What was removed altogether looks the same: this is no proof.
            context.out.say(
                "访问日志是空的，或从未开始；节点写过的话，就是有人删了它。",
                "the log of logins and writes is empty or was never begun; if the node has written, somebody removed it",
            );
            return Ok(());
        }
        context.out.say(
            format!("{lines} 行（第 {first} 至 {length} 行）首尾相接，没有改动。末行 {head}"),
            format!("{lines} lines ({first} to {length}) follow one another, and none was changed. The last is {head}"),
        );
        return Ok(());
    }
    let count = found.breaks.len();
    let detail = |place: &node::access_log::Break| ProblemDetail {
        at: format!("{}:{}", place.file, place.line),
        code: "access-log-altered".into(),
        zh: place.zh.clone(),
        en: place.en.clone(),
    };
    let (zh, en) =
        (format!("访问日志有 {count} 处不对。"), format!("the log of logins and writes is wrong in {count} places"));
    Err(Failure::new(ExitCode::VerificationFailed, "access-log-altered", zh, en)
        .fix(
            "请保留现状作为证据，查明谁能写数据目录。",
            "keep it as evidence, and find out who can write to the directory",
        )
        .details(found.breaks.iter().map(detail).collect())
        .report(report))
}
