//! Audits in words: what the store's audit found, named for people (requirement F107).

use std::path::Path;

use protocol::charter::{Charter, LogNumber, SignedBlock};

use crate::api::types::{AuditFinding, AuditView, MemberName};
use crate::store::{AuditReport, Finding, StoreError, Subject, audit_directory};

/// Audits a data directory that no process uses. `charter` names the members, as far as it is known.
pub fn offline(directory: &Path, genesis: &SignedBlock) -> Result<AuditView, StoreError> {
    audit_directory(directory, genesis).map(|report| view(&report, None))
}

/// A report in words.
pub fn view(report: &AuditReport, charter: Option<&Charter>) -> AuditView {
    AuditView {
        blocks: report.blocks,
        entries: report.entries,
        bodies: report.bodies,
        journalled: report.journalled,
        findings: report.findings.iter().map(|finding| in_words(finding, charter)).collect(),
    }
}

fn in_words(finding: &Finding, charter: Option<&Charter>) -> AuditFinding {
    let mut words = AuditFinding {
        fault: finding.fault.name().to_owned(),
        subject: String::new(),
        log: None,
        from: None,
        to: None,
        member: None,
        zh: String::new(),
        en: String::new(),
    };
    let (subject, zh, en) = match &finding.subject {
        Subject::Block { version } => {
            words.from = Some(u64::from(*version));
            ("block", format!("章程第 {version} 块"), format!("charter block {version}"))
        }
        Subject::Entries { log, from, to } => {
            (words.log, words.from, words.to) = (Some(*log), Some(*from), Some(*to));
            words.member = member(charter, *log);
            let whose = words.member.as_ref().map(|member| format!("{} ", member.name)).unwrap_or_default();
            if from == to {
                ("entry", format!("{whose}日志 {log} 第 {from} 条"), format!("{whose}log {log}, entry {from}"))
            } else {
                let en = format!("{whose}log {log}, entries {from} to {to}");
                ("entry", format!("{whose}日志 {log} 第 {from} 至 {to} 条"), en)
            }
        }
        Subject::Head { log } => {
            words.log = Some(*log);
            words.member = member(charter, *log);
            ("head", format!("日志 {log} 的末端记录"), format!("the record of the head of log {log}"))
        }
        Subject::Proof => ("proof", "一份分叉证据".to_owned(), "a fork proof".to_owned()),
        Subject::Rival => {
            ("rival", "章程同版本的第二块".to_owned(), "the second block of a charter version".to_owned())
        }
        Subject::Journal { segment } => ("journal", format!("日志段 {segment}"), format!("journal segment {segment}")),
        Subject::Database { what } => ("database", format!("数据库：{what}"), format!("the database: {what}")),
    };
    words.subject = subject.to_owned();
    words.zh = format!("{zh}：{}", finding.fault.zh());
    words.en = format!("{en}: {}", finding.fault.name());
    words
}

fn member(charter: Option<&Charter>, log: LogNumber) -> Option<MemberName> {
    let charter = charter?;
    let number = charter.logs().get(log as usize)?.member;
    let name = charter.members().get(&number)?.name.clone();
    Some(MemberName { number: number.0, name })
}
