//! `custody`: who holds which log up to where.

use node::api::types::{CustodyView, LogCustody};

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

/// Shows every log, those that fewest hold first. The process ends by the worst of them.
pub fn perform(context: &Context) -> Result<(), Failure> {
    let found: CustodyView = context.client()?.get("/v1/custody", &[])?;
    if let Some(since_ms) = found.cut_off_since_ms {
        context.out.say(
            format!("本节点自 {} 起与联盟断开，以下是断开前所知。", time::show(since_ms)),
            "this node is cut off; what follows is what it knew before",
        );
    } else if let Some(until_ms) = found.settling_until_ms {
        context.out.say(
            format!("本节点正在听取各家持有情况，{} 以后才作判断。", time::show(until_ms)),
            "this node is still hearing who holds what, and judges nothing yet",
        );
    }
    context.out.say(
        format!(
            "规则：每个日志至少 {} 家、{} 个省持有；不足的有 {} 个。截至 {}",
            found.replicas_wanted,
            found.provinces_wanted,
            found.short,
            time::show(found.as_of_ms),
        ),
        format!(
            "rule: {} members in {} provinces hold each log; short of it: {}",
            found.replicas_wanted, found.provinces_wanted, found.short,
        ),
    );
    show_logs(context, &found.logs);
    let (exit, zh, en) = match found.severity.as_str() {
        "critical" => (ExitCode::FindingsCritical, "有日志只剩一份或没有副本", "a log has one copy or none"),
        "warning" => (ExitCode::FindingsWarning, "有日志的副本不足", "a log has too few copies"),
        _ => {
            context.out.json(&found);
            return Ok(());
        }
    };
    let mut failure = Failure::new(exit, format!("custody-{}", found.severity), zh, en)
        .fix("请让缺的成员开机同步，或导出后异地保存。", "let the lacking members sync, or keep an export elsewhere");
    failure.report = serde_json::to_value(&found).ok();
    Err(failure)
}

/// The logs as a table, and what is wrong with each.
pub fn show_logs(context: &Context, logs: &[LogCustody]) {
    let row = |log: &LogCustody| {
        let steps: Vec<String> = log.steps.iter().map(|step| format!("{}×{}", step.length, step.members)).collect();
        vec![
            log.log.to_string(),
            log.member.name.clone(),
            log.length.to_string(),
            format!("{}/{}", log.held_by, log.members),
            log.provinces.to_string(),
            steps.join(" "),
            if log.short { "不足 short".into() } else { "-".into() },
        ]
    };
    context
        .out
        .table(&["日志", "成员", "条目", "持有家数", "省数", "到哪一条×家数", "规则"], logs.iter().map(row).collect());
    for log in logs.iter().filter(|log| log.short) {
        context.out.say(format!("{}。{}", log.what_zh, log.fix_zh), format!("  {}; {}", log.what_en, log.fix_en));
    }
}
