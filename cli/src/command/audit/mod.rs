//! `audit`: verifies everything that this node holds again, and lets outsiders check what a member published.

mod bundle;

use clap::{Args, Subcommand};
use node::api::types::{AuditView, ProblemDetail};

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

use super::run;

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct AuditArguments {
    #[command(subcommand)]
    command: Option<AuditCommand>,
}

/// What else can be audited.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// 把一个成员的全部内容写成一个文件，离线即可证明没有缺漏。
    /// Write all that a member published to one file, which proves offline that nothing is left out
    Bundle(bundle::BundleArguments),
}

/// Does what was asked.
pub fn perform(context: &Context, arguments: AuditArguments) -> Result<(), Failure> {
    match arguments.command {
        Some(AuditCommand::Bundle(arguments)) => bundle::perform(context, &arguments),
        None => audit(context),
    }
}

/// Asks the running node; when none runs, looks into the data directory itself.
fn audit(context: &Context) -> Result<(), Failure> {
    let asked = context.client().and_then(|client| client.post("/v1/audit", &serde_json::json!({})));
    let audited: AuditView = match asked {
        Err(failure) if failure.exit == ExitCode::NodeUnreachable => offline(context)?,
        other => other?,
    };
    let AuditView { blocks, entries, bodies, journalled, .. } = &audited;
    context.out.say(
        format!("核验了章程 {blocks} 块、条目 {entries} 条、正文 {bodies} 份、日志段条目 {journalled} 条。"),
        format!(
            "Verified {blocks} charter blocks, {entries} entries, {bodies} bodies and {journalled} journalled entries."
        ),
    );
    let count = audited.findings.len();
    if count == 0 {
        context.out.json(&audited);
        context.out.say("没有差异。", "No difference was found.");
        return Ok(());
    }
    let (zh, en) = (format!("发现 {count} 处差异。"), format!("{count} differences were found"));
    let details = audited.findings.iter().map(|finding| ProblemDetail {
        at: finding.subject.clone(),
        code: finding.fault.clone(),
        zh: finding.zh.clone(),
        en: finding.en.clone(),
    });
    Err(Failure::new(ExitCode::VerificationFailed, "audit-differences", zh, en)
        .fix(
            "重新启动节点会搁置损坏的数据，并从同伴补齐；请先保留目录副本作为证据。",
            "a restart puts damaged data aside and fetches it again; keep a copy of the directory as evidence first",
        )
        .details(details.collect())
        .report(serde_json::to_value(&audited).map_err(Failure::internal)?))
}

fn offline(context: &Context) -> Result<AuditView, Failure> {
    let directory = context.directory()?;
    let genesis = directory.genesis().map_err(|error| home::directory_failure(&error))?.ok_or_else(|| {
        let (zh, en) = ("本节点尚未入盟，没有可核验的内容。", "this node is not admitted: there is nothing to audit");
        Failure::new(ExitCode::NotAllowed, "not-member", zh, en).fix("请先入盟。", "join a federation first")
    })?;
    node::audit::offline(directory.path(), &genesis).map_err(|error| run::store_failure(&error))
}
