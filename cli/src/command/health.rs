//! `health`: how the members' nodes are.

use clap::Args;
use node::api::types::{HealthFinding, HealthView, MemberHealth, MemberHealthDetail, OwnHealth};

use super::custody;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{output, time};

/// Arguments of `health`.
#[derive(Debug, Args)]
pub struct HealthArguments {
    /// 只看这个成员（编号）。
    /// Only this member (by number)
    #[arg(value_name = "MEMBER")]
    member: Option<u32>,
}

/// Shows everybody, or one member. The process ends by the worst that was found.
pub fn perform(context: &Context, arguments: &HealthArguments) -> Result<(), Failure> {
    let client = context.client()?;
    let severity = match arguments.member {
        Some(member) => {
            let found: MemberHealthDetail = client.get(&format!("/v1/health/{member}"), &[])?;
            if found.health.severity == OK {
                context.out.json(&found);
            }
            show_member(context, &found);
            ended(&found.health.severity, serde_json::to_value(&found).ok())
        }
        None => {
            let found: HealthView = client.get("/v1/health", &[])?;
            if found.severity == OK {
                context.out.json(&found);
            }
            show_all(context, &found);
            ended(&found.severity, serde_json::to_value(&found).ok())
        }
    };
    severity.map_or(Ok(()), Err)
}

const OK: &str = "ok";

/// How the process ends: by the worst of what was found.
fn ended(severity: &str, report: Option<serde_json::Value>) -> Option<Failure> {
    let (exit, zh, en) = match severity {
        OK => return None,
        "critical" => (ExitCode::FindingsCritical, "有严重问题", "something is critical"),
        _ => (ExitCode::FindingsWarning, "有需要注意的问题", "there are warnings"),
    };
    let mut failure = Failure::new(exit, format!("health-{severity}"), zh, en)
        .fix("每一项后面写了怎么处理。", "each finding says what to do");
    failure.report = report;
    Some(failure)
}

fn show_all(context: &Context, view: &HealthView) {
    let counts = &view.counts;
    context.out.line(own(&view.own));
    context.out.line(format!(
        "{} 家成员：在线 {}（直连 {}、信标 {}）  失联 {}  从未上线 {}  未知 {}    截至 {}",
        counts.members,
        counts.up,
        counts.up_direct,
        counts.up_beacon,
        counts.silent,
        counts.never_joined,
        counts.unknown,
        time::show(view.as_of_ms),
    ));
    context.out.line(format!(
        "{} members: {} up ({} connected, {} by beacon), {} silent, {} never joined, {} unknown",
        counts.members,
        counts.up,
        counts.up_direct,
        counts.up_beacon,
        counts.silent,
        counts.never_joined,
        counts.unknown,
    ));
    context.out.table(
        &["编号", "成员", "状态", "自", "最后听到", "版本", "条目", "问题"],
        view.members.iter().map(row).collect(),
    );
    for member in &view.members {
        member.findings.iter().for_each(|finding| show_finding(context, &member.member.name, finding));
    }
}

fn row(member: &MemberHealth) -> Vec<String> {
    let report = member.report.as_ref();
    let findings: Vec<&str> = member.findings.iter().map(|finding| finding.id.as_str()).collect();
    vec![
        member.member.number.to_string(),
        member.member.name.clone(),
        member.state_zh.clone(),
        time::show(member.since_ms),
        member.heard_ms.map_or_else(|| "-".into(), time::show),
        report.map_or_else(|| "-".into(), |report| report.version.clone()),
        report.map_or_else(|| "-".into(), |report| report.entries.to_string()),
        if findings.is_empty() { "-".into() } else { findings.join(" ") },
    ]
}

fn show_member(context: &Context, found: &MemberHealthDetail) {
    let member = &found.health;
    context.out.line(own(&found.own));
    let stale = member
        .stale_since_ms
        .map_or_else(String::new, |since_ms| format!("（{} 起未更新 stale since）", time::show(since_ms)));
    let mut pairs = vec![
        (
            "成员",
            format!("{} {}  {}  {}", member.member.number, member.member.name, member.class_zh, member.region_name),
        ),
        ("状态", format!("{} {}，{} 起 since{stale}", member.state_zh, member.state_en, time::show(member.since_ms))),
        ("最后听到", member.heard_ms.map_or_else(|| "从未 never".into(), time::show)),
    ];
    if let Some(report) = &member.report {
        pairs.push(("自述于", time::show(report.as_of_ms)));
        pairs.push(("版本", report.version.clone()));
        pairs.push(("启动", time::show(report.boot_ms)));
        pairs.push(("条目", format!("{}，还缺 lacks {}", report.entries, report.missing_entries)));
        pairs.push(("连接", format!("{} 家 members", report.peers)));
        let disk = report.disk_free_bytes.map(|bytes| format!("剩 {} MiB free", bytes / 1_048_576));
        pairs.push(("磁盘", disk.unwrap_or_else(|| "-".into())));
        pairs
            .push(("时钟", report.clock_offset_ms.map_or_else(|| "-".into(), |offset_ms| format!("{offset_ms:+} ms"))));
    }
    context.out.line(output::pairs(&pairs));
    member.findings.iter().for_each(|finding| show_finding(context, &member.member.name, finding));
    if !found.custody.is_empty() {
        custody::show_logs(context, &found.custody);
    }
}

fn own(own: &OwnHealth) -> String {
    let since =
        own.cut_off_since_ms.map_or_else(String::new, |since_ms| format!("（{} 起 since）", time::show(since_ms)));
    format!("{}{since}\n{}", own.text_zh, own.text_en)
}

fn show_finding(context: &Context, name: &str, finding: &HealthFinding) {
    let mark = if finding.severity == "critical" { "严重 critical" } else { "注意 warning" };
    let since = time::show(finding.since_ms);
    context.out.say(
        format!("[{mark}] {name}：{}（{since} 起）。{}", finding.what_zh, finding.fix_zh),
        format!("  {}: {}; {}", finding.id, finding.what_en, finding.fix_en),
    );
}
