//! `doctor`: what is wrong with this node, why, and what to do. It changes nothing.
//!
//! The running node is asked what it knows of itself; the data directory, the ports and the configured peers are looked
//! at from here. The exit code says how bad it is.

use std::sync::Arc;

use node::api::types::{DoctorView, Finding, Severity};
use node::directory::DataDirectory;
use node::doctor::{assemble, offline};
use node::store::{StoreError, lock_directory};

use crate::client::Client;
use crate::context::Context;
use crate::exit_codes::{ExitCode, of_severity};
use crate::failure::Failure;
use crate::home;
use crate::passphrase::Passphrases;
use crate::time;

use super::run;

/// Looks, says what was found, and ends with the code of the worst.
pub fn perform(context: &Context) -> Result<(), Failure> {
    let directory = open(context)?;
    let view = look(&directory)?;
    say(context, &view);
    if view.severity == Severity::Ok {
        context.out.json(&view);
        return Ok(());
    }
    Err(found(&view))
}

/// Nobody is asked for a passphrase: a node that starts by itself cannot ask either.
fn open(context: &Context) -> Result<DataDirectory, Failure> {
    let directory = DataDirectory::open(&context.data_path()?).map_err(|error| home::directory_failure(&error))?;
    let passphrases = Passphrases::unattended(directory.config_path());
    Ok(directory.unlocked_by(Arc::new(passphrases)))
}

fn look(directory: &DataDirectory) -> Result<DoctorView, Failure> {
    let (answer, silent) = ask(directory);
    let running = answer.is_some();
    let examined = run::runtime()?.block_on(offline::examine(directory, running));
    // What the running node says comes first: of two findings about one thing it knows more.
    let (mut findings, checked) = answer.map(|view| (view.findings, view.checked)).unwrap_or_default();
    findings.extend(silent);
    findings.extend(examined.findings);
    let mut view = assemble(time::now_ms(), running, examined.checked.into_iter(), findings);
    view.checked.extend(checked);
    view.checked.sort();
    view.checked.dedup();
    Ok(view)
}

/// What the running node says; what it means when none answers, or something else does.
fn ask(directory: &DataDirectory) -> (Option<DoctorView>, Option<Finding>) {
    let answer = Client::connect(directory).and_then(|client| client.get("/v1/doctor", &[]));
    let held = || matches!(lock_directory(directory.path()), Err(StoreError::InUse { .. }));
    let finding = match answer {
        Ok(view) => return (Some(view), None),
        Err(failure) => unanswered(directory, &failure, held),
    };
    (None, finding.map(|finding| Finding { since_ms: time::now_ms(), ..finding }))
}

/// Another node at the port or another version must not end the diagnosis: it is one.
fn unanswered(directory: &DataDirectory, failure: &Failure, held: impl FnOnce() -> bool) -> Option<Finding> {
    if failure.exit == ExitCode::NodeUnreachable {
        return offline::silent(directory, held());
    }
    Some(offline::odd(&failure.zh, &failure.en))
}

fn say(context: &Context, view: &DoctorView) {
    let running =
        if view.running { "节点在运行 The node runs." } else { "节点没有应答 The node does not answer." };
    context.out.line(running);
    if view.findings.is_empty() {
        let count = view.checked.len();
        context.out.say(format!("查了 {count} 项，没有发现问题。"), format!("{count} checks, and nothing is wrong."));
    }
    for finding in &view.findings {
        context.out.line(describe(finding));
    }
}

fn describe(finding: &Finding) -> String {
    let Finding { id, severity, what_zh, what_en, cause_zh, cause_en, fix_zh, fix_en, .. } = finding;
    let (word, name) = (severity.zh(), severity.name());
    format!(
        "\n{word} {name} [{id}] {what_zh}\n  {what_en}\n  原因: {cause_zh}\n  cause: {cause_en}\n  \
         怎么办: {fix_zh}\n  what to do: {fix_en}"
    )
}

/// The end of a command that found something: the report was said already.
fn found(view: &DoctorView) -> Failure {
    let count = |severity| view.findings.iter().filter(|finding| finding.severity == severity).count();
    let (critical, warnings) = (count(Severity::Critical), count(Severity::Warning));
    let (zh, en) = (
        format!("发现 {critical} 项严重、{warnings} 项要注意。"),
        format!("{critical} critical findings and {warnings} warnings"),
    );
    let exit = of_severity(view.severity);
    let report = serde_json::to_value(view).unwrap_or_default();
    Failure::new(exit, "findings", zh, en)
        .fix("按每一项的“怎么办”处理，再查一次。", "do what each finding says, and look again")
        .report(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::doctor::catalogue::{CLOCK_OFF, DISK_FULL};

    #[test]
    fn whatever_answers_is_diagnosed_and_an_applicant_that_waits_does_not_hang() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let profile =
            node::directory::Profile { name: "奉节县".into(), class: "county".into(), region: String::new() };
        let config = node::config::Config::default();
        let directory =
            DataDirectory::create(&folder.path().join("node"), &profile, &config).expect("the folder is new");
        let id = |exit, held: bool| {
            let failure = Failure::new(exit, "code", "不行", "no");
            unanswered(&directory, &failure, || held).map(|finding| finding.id)
        };
        assert_eq!(id(ExitCode::NotAllowed, false).as_deref(), Some("node-odd"));
        assert_eq!(id(ExitCode::NodeUnreachable, false).as_deref(), Some("node-stopped"));
        assert_eq!(id(ExitCode::NodeUnreachable, true).as_deref(), Some("node-silent"));
        std::fs::write(directory.invitation_path(), "{}").expect("the directory is writable");
        assert_eq!(id(ExitCode::NodeUnreachable, true), None, "that it is not admitted is told anyway");
    }

    #[test]
    fn the_worst_decides_the_exit_code_and_the_report_holds_everything() {
        let findings = vec![CLOCK_OFF.finding("clock", "钟", "clock"), DISK_FULL.finding("/d", "满", "full")];
        let view = assemble(1, false, std::iter::once("disk-full"), findings.clone());
        assert_eq!(view.findings[0].id, "disk-full", "the worst first");
        let failure = found(&view);
        assert_eq!(failure.exit, ExitCode::FindingsCritical);
        assert_eq!(failure.to_json()["findings"][1]["id"], "clock-off");
        let mild = assemble(1, true, std::iter::empty(), findings[..1].to_vec());
        assert_eq!(found(&mild).exit, ExitCode::FindingsWarning);
        assert!(describe(&findings[0]).contains("[clock-off]"));
    }
}
