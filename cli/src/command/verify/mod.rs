//! `verify`: whether an export or journal segments hold what they claim, without a node and without trusting one
//! (DESIGN 3 and 5.8).
//!
//! Everything that a node checks when it takes an entry in is checked here: layout, body hash, signature, the chain of
//! the log, and the charter's rules. The first bad entry of each log is named; what follows it cannot attach and is
//! only counted.
//!
//! An audit bundle claims more: that nothing of a member is left out. The verdict is then COMPLETE (exit code 0) or
//! INCOMPLETE (exit code 10), with each difference named.

mod audit;
mod bulletin;
mod checker;
mod finding;

#[cfg(test)]
mod audit_tests;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use protocol::identity::FrontierDigest;

use crate::bundle_file::{BundleFile, ReadError};
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::output;

pub use audit::AuditReport;
use checker::{Checker, Report};

/// The name of a journal segment ends like this.
const JOURNAL: &str = "journal";

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct VerifyArguments {
    #[command(subcommand)]
    command: Option<VerifyCommand>,
    /// 导出文件，或日志段（按顺序全部给出），或节点的 journal 目录。
    /// An export, journal segments (all of them, in order), or a node's `journal` directory
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// 是日志段：没有结尾也算完整。
    /// These are journal segments: they have no end
    #[arg(long)]
    journal: bool,
    /// 文件必须恰好属于这个前沿（例如公告上登出的）。
    /// The frontier that the file must be of, for instance as printed in a bulletin
    #[arg(long, value_name = "HEX")]
    expect_frontier: Option<FrontierDigest>,
}

/// What else can be verified.
#[derive(Debug, Subcommand)]
pub enum VerifyCommand {
    /// 按本节点持有的条目重算一份指标公报，逐项列出不同（退出码 10）；缺少依据时退出码为 7；此后才到的记录另列，退出码为 0。
    /// Compute a bulletin of figures again from what this node holds; 10 when something differs, 7 when it cannot tell, 0
    /// when it is equal at its frontier, though records dated before it came since
    Bulletin(bulletin::BulletinArguments),
}

/// Verifies the files as one whole.
pub fn perform(context: &Context, arguments: &VerifyArguments) -> Result<(), Failure> {
    if let Some(VerifyCommand::Bulletin(arguments)) = &arguments.command {
        return bulletin::perform(context, arguments);
    }
    let report = verify(&arguments.files, arguments.journal, arguments.expect_frontier)?;
    if !report.findings.is_empty() {
        if let Some(audit) = &report.audit {
            context.out.line(audit::describe(audit));
            context.out.say("结果：不完整（INCOMPLETE）。", "Result: INCOMPLETE.");
        }
        return Err(failed(&report));
    }
    context.out.json(&report);
    context.out.line(describe(&report));
    context.out.say("核验通过：没有一处改动。", "Verified: nothing was altered.");
    if let Some(audit) = &report.audit {
        say_complete(context, audit);
    }
    Ok(())
}

/// What is proven, and what is not.
fn say_complete(context: &Context, audit: &AuditReport) {
    context.out.line(audit::describe(audit));
    context.out.say(
        "结果：完整（COMPLETE）。到这个前沿为止，该成员发布的内容全在文件里，没有缺漏。",
        "Result: COMPLETE. All that the member published up to this frontier is in the file.",
    );
    let others = audit.attestations.iter().filter(|witness| !witness.own).count();
    if others == 0 {
        context.out.say(
            "没有证明：别的成员当时也处在这个前沿。文件里没有他人的见证，请用 --expect-frontier 与公布的前沿核对。",
            "Not proven: that others stood at this frontier. Nobody else attests it here; compare it with a published \
             one by --expect-frontier.",
        );
    } else {
        context.out.say(
            format!("另有 {others} 个他方节点签名见证处在这个前沿；其余成员所处的前沿没有证明。"),
            format!("{others} nodes of others signed that they stood at this frontier; nothing is proven of the rest."),
        );
    }
}

/// Verifies one file and gives the verdict, for a command that just wrote it.
pub fn check_audit(path: &Path) -> Result<AuditReport, Failure> {
    let report = verify(&[path.to_owned()], false, None)?;
    match report.audit.clone() {
        Some(audit) if report.findings.is_empty() => Ok(audit),
        _ => Err(failed(&report)),
    }
}

fn verify(files: &[PathBuf], journal: bool, expected: Option<FrontierDigest>) -> Result<Report, Failure> {
    let mut checker = Checker::default();
    for path in expand(files)? {
        let is_segment = journal || path.extension().is_some_and(|extension| extension == JOURNAL);
        let mut file = BundleFile::open(&path).map_err(|error| open_failure(&path, error))?;
        checker.take_file(&path, &mut file, is_segment).map_err(|error| Failure::file(&path, &error))?;
    }
    Ok(checker.finish(expected))
}

/// A directory stands for the segments in it, in the order of their names.
fn expand(files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut expanded = Vec::new();
    for path in files {
        if !path.is_dir() {
            expanded.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(|error| Failure::file(path, &error))?;
        let mut segments: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == JOURNAL))
            .collect();
        segments.sort();
        if segments.is_empty() {
            let (zh, en) =
                (format!("{} 里没有日志段。", path.display()), format!("{} holds no segments", path.display()));
            return Err(Failure::new(ExitCode::InputRefused, "file-missing", zh, en));
        }
        expanded.extend(segments);
    }
    Ok(expanded)
}

fn open_failure(path: &Path, error: ReadError) -> Failure {
    match error {
        ReadError::Io(error) => Failure::file(path, &error),
        ReadError::Bundle(error) => {
            let (zh, en) =
                (format!("{} 不是县盟的导出文件或日志段。", path.display()), format!("{}: {error}", path.display()));
            Failure::new(ExitCode::InputRefused, "not-a-bundle", zh, en)
                .fix("导出文件由 xianmeng export 写出。", "`xianmeng export` writes bundles")
        }
    }
}

fn failed(report: &Report) -> Failure {
    let count = report.findings.len();
    let (zh, en) = (format!("核验不通过，{count} 处。"), format!("verification failed, {count} findings"));
    let value = serde_json::to_value(report).unwrap_or_default();
    Failure::new(ExitCode::VerificationFailed, "verification-failed", zh, en)
        .fix("不要使用这个文件；请从别的节点重新导出。", "do not use this file; export it again from another node")
        .details(report.findings.iter().map(|finding| finding.detail()).collect())
        .report(value)
}

fn describe(report: &Report) -> String {
    let ending =
        if report.ended { "有结尾，完整 whole" } else { "日志段，没有结尾 a segment without end" };
    let mut pairs = vec![
        ("联盟", format!("{} {}", report.federation_name, report.federation)),
        ("章程", format!("{} 块", report.charter_version)),
        ("条目", format!("{}（有正文 {}）", report.entries, report.bodies)),
        ("分叉证明", report.proofs.to_string()),
    ];
    if report.not_counted > 0 {
        pairs.push(("不计入", format!("{}（在封存位置之上或分叉的日志）", report.not_counted)));
    }
    pairs.push(("文件", ending.to_owned()));
    output::pairs(&pairs)
}
