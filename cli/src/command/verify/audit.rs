//! The part of verification that is about audit bundles: what the file claims, what it lacks, and who attests it.

use std::collections::BTreeSet;

use protocol::charter::Charter;
use protocol::completeness::{self, AttestationError, Claim, Difference, Presence};
use protocol::identity::{FederationId, FrontierDigest, PublicKey};
use protocol::replica::Replica;
use serde::Serialize;

use super::finding::Broken;
use crate::output;
use crate::time;

/// Whether the file holds all that it claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Nothing is missing.
    Complete,
    /// Something is missing or does not hold; the findings say what.
    Incomplete,
}

/// One log of the member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Its number.
    pub log: u32,
    /// Entries that the frontier names.
    pub named: u64,
    /// Entries that count by what is in the file.
    pub proven: u64,
    /// Whether the charter sealed it.
    pub sealed: bool,
    /// The lowest proven fork.
    pub forked: Option<u64>,
    /// Bodies that an erasure took.
    pub bodies_erased: u64,
    /// Bodies that are missing.
    pub bodies_missing: u64,
}

/// A node that stood at this frontier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// Its member's number.
    pub member: u32,
    /// Its member's name.
    pub member_name: String,
    /// Its transport key.
    pub transport: String,
    /// It spoke after this time, by its clock.
    pub after_ms: u64,
    /// It spoke before this time, by its clock.
    pub before_ms: u64,
    /// Whether it held every body.
    pub complete: bool,
    /// Whether it is a node of the audited member itself.
    pub own: bool,
}

/// What an audit bundle claims, and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// The verdict.
    pub result: Verdict,
    /// The member's number.
    pub member: u32,
    /// Its name.
    pub member_name: String,
    /// Digest of the frontier.
    pub frontier: String,
    /// Charter version of the frontier.
    pub charter_version: u32,
    /// Entries of the member that the frontier names.
    pub entries: u64,
    /// The member's logs.
    pub logs: Vec<LogReport>,
    /// Nodes that attest the frontier.
    pub attestations: Vec<Witness>,
}

/// Collects what an audit bundle says, while it is read.
#[derive(Debug, Default)]
pub struct Audit {
    claim: Option<Claim>,
    /// Entries that were met.
    pub presence: Presence,
    witnesses: Vec<Witness>,
    keys: BTreeSet<PublicKey>,
}

impl Audit {
    /// What the file claims, once it was read.
    pub fn claim(&self) -> Option<&Claim> {
        self.claim.as_ref()
    }

    /// Takes the claim in.
    pub fn take_claim(&mut self, content: &[u8], federation: &FederationId) -> Result<(), Broken> {
        if self.claim.is_some() {
            return Err(Broken::new("claim-repeated", "文件里有两个前沿", "there are two frontiers in the file"));
        }
        let claim = Claim::decode(content, federation);
        self.claim = Some(claim.map_err(|error| Broken::new("claim", "前沿读不出", error))?);
        Ok(())
    }

    /// Takes an attestation in.
    pub fn take_attestation(&mut self, content: &[u8], charter: &Charter) -> Result<(), Broken> {
        let Some(claim) = &self.claim else {
            return Err(Broken::new("order", "见证在前沿之前", "an attestation before the frontier"));
        };
        let found = completeness::attestation(content, claim, charter).map_err(|error| not_attested(&error))?;
        if !self.keys.insert(found.transport) {
            let zh = "同一节点的见证重复";
            return Err(Broken::new("attestation-repeated", zh, "two attestations of one node"));
        }
        let name = charter.members().get(&found.member).map(|member| member.name.clone());
        self.witnesses.push(Witness {
            member: found.member.0,
            member_name: name.unwrap_or_default(),
            transport: found.transport.to_string(),
            after_ms: found.boot_ms,
            before_ms: found.expires_ms,
            complete: found.complete,
            own: found.member == claim.member,
        });
        Ok(())
    }

    /// What the file lacks.
    pub fn differences(&self, replica: &Replica) -> Vec<Difference> {
        let claim = self.claim.as_ref();
        claim.map(|claim| completeness::differences(claim, replica, &self.presence)).unwrap_or_default()
    }

    /// The report, if this is an audit bundle.
    pub fn report(self, replica: &Replica, result: Verdict) -> Option<AuditReport> {
        let claim = self.claim?;
        let charter = replica.charter();
        let grants = charter.logs().iter().filter(|grant| grant.member == claim.member);
        let logs: Vec<LogReport> = grants
            .map(|grant| {
                let proven = replica.effective_length(grant.number);
                let erased = (0..proven).filter(|sequence| replica.erased(grant.number, *sequence).is_some());
                LogReport {
                    log: grant.number,
                    named: claim.frontier.heads.get(&grant.number).map_or(0, |head| head.length),
                    proven,
                    sealed: grant.seal.is_some(),
                    forked: replica.fork_of(&grant.key),
                    bodies_erased: erased.count() as u64,
                    bodies_missing: replica.missing_bodies(grant.number).count() as u64,
                }
            })
            .collect();
        Some(AuditReport {
            result,
            member: claim.member.0,
            member_name: charter.members().get(&claim.member).map(|member| member.name.clone()).unwrap_or_default(),
            frontier: claim.digest().to_string(),
            charter_version: claim.frontier.charter_version,
            entries: logs.iter().map(|log| log.named).sum(),
            logs,
            attestations: self.witnesses,
        })
    }
}

fn not_attested(error: &AttestationError) -> Broken {
    let zh = match error {
        AttestationError::Forged(_) => "见证是伪造或损坏的",
        AttestationError::OtherFrontier(_) => "见证说的是另一个前沿",
        AttestationError::OtherCharter(_) => "见证说的是另一个章程版本",
        AttestationError::NotMember => "见证的传输密钥在该章程版本下不属于任何成员",
    };
    Broken::new(error.name(), zh, error)
}

/// The frontier is not the one that was expected.
pub fn unexpected(found: FrontierDigest) -> Broken {
    let zh = format!("前沿与期望的不同，文件的前沿是 {found}");
    Broken::new("frontier-unexpected", zh, format!("the frontier is not the expected one, it is {found}"))
}

/// What is said about a difference.
pub fn lacking(difference: &Difference) -> Broken {
    let zh = match *difference {
        Difference::MemberUnknown => "文件里的章程没有这个成员".to_owned(),
        Difference::CharterBlocks { named, held } if held < named => {
            format!("缺章程块：前沿以第 {named} 块为准，文件只到第 {held} 块")
        }
        Difference::CharterBlocks { named, held } => format!("前沿以章程第 {named} 块为准，文件却到第 {held} 块"),
        Difference::CharterTip { version } => format!("前沿以另一个第 {version} 块为准"),
        Difference::Proofs => "文件里的分叉证明不是前沿所含的那些".to_owned(),
        Difference::LogUnknown { log } => format!("文件里的章程没有日志 {log}"),
        Difference::LogMissing { log, length } => format!("缺整个日志 {log}，共 {length} 条"),
        Difference::EntriesMissing { log, from, to } if from == to => format!("日志 {log} 缺第 {from} 条"),
        Difference::EntriesMissing { log, from, to } => format!("日志 {log} 缺第 {from} 至 {to} 条"),
        Difference::HeadLowered { log, named, proven } => {
            format!("前沿只写了日志 {log} 的 {named} 条，实际计入 {proven} 条")
        }
        Difference::HeadUnproven { log, named, proven } => {
            format!("前沿写了日志 {log} 的 {named} 条，只有 {proven} 条成立并计入")
        }
        Difference::HeadDiffers { log, sequence } => format!("前沿写的日志 {log} 第 {sequence} 条是另一条"),
        Difference::SealedBranchMissing { log, sequence } => {
            format!("章程把日志 {log} 封存在第 {sequence} 条，文件里没有这一条")
        }
        Difference::BodiesMissing { log, from, to } if from == to => {
            format!("日志 {log} 第 {from} 条缺正文，且没有清除它的条目")
        }
        Difference::BodiesMissing { log, from, to } => {
            format!("日志 {log} 第 {from} 至 {to} 条缺正文，且没有清除它们的条目")
        }
    };
    Broken::new(difference.name(), zh, difference)
}

/// The report for people.
pub fn describe(audit: &AuditReport) -> String {
    let mut text = output::pairs(&[
        ("成员 member", format!("{} {}", audit.member, audit.member_name)),
        ("前沿 frontier", audit.frontier.clone()),
        ("章程版本 charter", audit.charter_version.to_string()),
        ("条目 entries", audit.entries.to_string()),
    ]);
    let logs = audit.logs.iter().map(|log| {
        let state = match (log.sealed, log.forked) {
            (true, _) => "已封存 sealed".to_owned(),
            (false, Some(fork)) => format!("分叉于 forked at {fork}"),
            (false, None) => String::new(),
        };
        let numbers = [log.log.into(), log.named, log.proven, log.bodies_erased, log.bodies_missing];
        numbers.iter().map(u64::to_string).chain([state]).collect()
    });
    let headers = ["日志 log", "前沿所列 named", "计入 counting", "已清除 erased", "缺正文 missing", "状态 state"];
    text.push_str(&format!("\n\n{}", output::table(&headers, logs.collect())));
    if !audit.attestations.is_empty() {
        let headers = ["见证成员 attested by", "起 after", "止 before", ""];
        let rows = audit.attestations.iter().map(|witness| {
            let name = format!("{} {}", witness.member, witness.member_name);
            let own = if witness.own { "本人 itself" } else { "" };
            vec![name, time::show(witness.after_ms), time::show(witness.before_ms), own.to_owned()]
        });
        text.push_str(&format!("\n\n{}", output::table(&headers, rows.collect())));
    }
    text
}
