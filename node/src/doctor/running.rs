//! What a running node knows of itself.

use std::time::Instant;

use protocol::charter::Purpose;
use protocol::identity::PublicKey;
use protocol::limits::CLOCK_TOLERANCE_MS;

use super::catalogue::*;
use super::{
    CLOCK_OFF_MS, Doctor, FINDINGS_PER_CHECK_MAX, INDEX_BEHIND_MS, REACH_EVERY, STALE_EVERY, charter, directory, disk,
    network,
};
use crate::api::types::{Finding, HealthFinding, ProblemDetail, Severity};
use crate::api::warnings;
use crate::core::{Core, PublishError};
use crate::derive::{IndexState, Lag};
use crate::search::Condition;
use crate::store::Damage;

/// What a running node checks of itself.
pub(super) const CHECKED: &[&Check] = &[
    &DISK_FULL,
    &DISK_FILLING,
    &CLOCK_OFF,
    &CLOCK_BEHIND_CHARTER,
    &PORT_BLOCKED,
    &PEER_REFUSED,
    &PEER_TIMEOUT,
    &PEER_WRONG_ID,
    &PEER_STRANGER,
    &PEER_ADDRESS,
    &PEER_UNREACHABLE,
    &NO_MEMBERS,
    &PEER_THROTTLED,
    &NODE_SLOW,
    &LOG_PACED,
    &CLOCK_SHIFTED,
    &CHECK_FAILED,
    &KEY_MISSING,
    &KEY_UNREADABLE,
    &KEY_WRONG,
    &KEY_SEALED,
    &KEYS_ELSEWHERE,
    &DIRECTORY_OPEN,
    &DIRECTORY_READ_ONLY,
    &DIRECTORY_COPIED,
    &LOG_LOST,
    &CHARTER_EXPIRED,
    &CHARTER_EXPIRING,
    &CHARTER_SPLIT,
    &MEMBER_INACTIVE,
    &SEAT_ENDED,
    &KINDS_UNKNOWN,
    &LOG_FORKED,
    &STORE_STOPPED,
    &STORE_DAMAGED,
    &STORE_REBUILT,
    &STORE_ASIDE,
    &BODIES_MISSING,
    &INDEX_MISSING,
    &INDEX_BEHIND,
    &INDEX_FAILED,
    &LEAD_HOLDER_KEY,
    &LEAD_HOLDER_LEDGER,
    &REWRAP_NEEDED,
    &ACCESS_LOG_ALTERED,
    &ACCESS_LOG_FAILED,
    &WEBHOOK_FAILING,
    &ATTENTION,
];

impl Doctor {
    /// What the network says.
    pub(super) async fn network_findings(&self) -> Vec<Finding> {
        let patient = &self.shared.patient;
        let troubles = patient.troubles.lock().clone();
        let mut found: Vec<Finding> = troubles
            .into_iter()
            .map(|(address, trouble)| {
                let finding = network::peer(&address, trouble.fault, &trouble.reason);
                Finding { since_ms: trouble.since_ms, ..finding }
            })
            .collect();
        found.extend((patient.cut_off)().map(no_members));
        found.extend(self.shared.excesses.lock().findings(&patient.core, &patient.network.offenders()));
        found.extend(self.reach().await);
        found
    }

    /// Whether the announced addresses can be reached, as it was when they were tried last.
    async fn reach(&self) -> Vec<Finding> {
        // Whoever comes meanwhile waits for the same trial.
        let mut last = self.shared.reach.lock().await;
        if let Some((tried, found)) = &*last
            && tried.elapsed() < REACH_EVERY
        {
            return found.clone();
        }
        let found = network::reach(&self.shared.patient.config.network.announce).await;
        *last = Some((Instant::now(), found.clone()));
        found
    }

    /// What the machine, the store and the charter say. Blocks.
    pub(super) fn local_findings(&self, now_ms: u64) -> Vec<Finding> {
        let patient = &self.shared.patient;
        let core = &patient.core;
        let mut found = disk::findings(patient.directory.path());
        found.extend(directory::permissions(&patient.directory));
        found.extend(directory::aside(patient.directory.path()));
        found.extend(clock(core, (patient.clock)()));
        found.extend(self.charter_findings(now_ms));
        found.extend(self.store_findings());
        found.extend(index(&patient.derived.lag(core), core.read(|state| state.view().len())));
        if core.read(|state| !state.replica.is_complete()) {
            let (zh, en) = ("有条目的正文还没有到", "bodies of entries have not arrived");
            found.push(BODIES_MISSING.finding("store", zh, en));
        }
        found.extend(patient.access_log.findings());
        found.extend(patient.webhooks.findings());
        let hooked = patient.hooks.warnings();
        // What opening the store found is told by itself, with each damage.
        let told = |code: &str| code == "store-was-damaged" || code == "charter-branch-changed";
        found.extend(hooked.iter().filter(|warning| !told(&warning.code)).map(charter::from_warning));
        found.extend(self.stale_within(STALE_EVERY).as_ref().map(charter::from_warning));
        found
    }

    fn charter_findings(&self, now_ms: u64) -> Vec<Finding> {
        let patient = &self.shared.patient;
        let core = &patient.core;
        let (held, mut found) = directory::key_files(&patient.directory);
        // In force are the keys that were opened at the start; a file may have been put in their place since.
        let in_force = [(Purpose::Signing, core.signing_key()), (Purpose::Transport, patient.transport)];
        let keys: Vec<(Purpose, PublicKey)> = held
            .into_iter()
            .filter(|(purpose, _)| in_force.iter().all(|(used, _)| used != purpose))
            .chain(in_force)
            .collect();
        core.read(|state| {
            let grown = state.replica.charter();
            found.extend(charter::wrong_keys(grown, &keys));
            found.extend(charter::term(grown, now_ms));
            let warned = warnings::of_charter(grown, &core.signing_key(), now_ms);
            let told = |code: &str| code == "charter-expired";
            found.extend(warned.iter().filter(|warning| !told(&warning.code)).map(charter::from_warning));
            found.extend(warnings::of_logs(&state.replica).iter().map(charter::from_warning));
        });
        found
    }

    fn store_findings(&self) -> Vec<Finding> {
        let patient = &self.shared.patient;
        let store = patient.core.store();
        let mut found = Vec::new();
        if let Some(reason) = store.stopped() {
            let zh = format!("存储已停止写入：{reason}");
            found.push(STORE_STOPPED.finding("store", zh, format!("the store takes no more writes: {reason}")));
        }
        if store.statistics().damaged {
            let (zh, en) =
                ("运行中读到损坏的内容，或写入失败", "a read found damage, or a write failed, since the start");
            found.push(STORE_DAMAGED.finding("store", zh, en));
        }
        for damage in patient.report.damaged.iter().take(FINDINGS_PER_CHECK_MAX) {
            let finding = match damage {
                Damage::OtherBranch { version } => {
                    let zh = format!("按锁定的第 {version} 块改走了章程的另一支，原来的数据移到一旁");
                    let en = format!("went over to the pinned charter block {version}; the data before lies aside");
                    STORE_REBUILT.finding(format!("block {version}"), zh, en)
                }
                damage => {
                    let zh = format!("启动时发现损坏，已移到一旁并重建：{damage}");
                    let en = format!("found damaged at the start, put aside and rebuilt: {damage}");
                    // It was mended; what caused it was not.
                    Finding { severity: Severity::Warning, ..STORE_DAMAGED.finding(damage.to_string(), zh, en) }
                }
            };
            found.push(Finding { since_ms: patient.started_ms, ..finding });
        }
        found
    }
}

fn clock(core: &Core, offset_ms: Option<i64>) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(PublishError::ClockBehind { behind_ms }) = core.publishing_obstacle() {
        let seconds = behind_ms.div_ceil(1_000);
        let zh = format!("本机时钟比章程最后一块早 {seconds} 秒");
        found.push(CLOCK_BEHIND_CHARTER.finding(
            "clock",
            zh,
            format!("this machine's clock is {seconds} s before the charter's last block"),
        ));
    }
    found.extend(offset_ms.and_then(judge_clock));
    found
}

fn judge_clock(offset_ms: i64) -> Option<Finding> {
    let off_ms = offset_ms.unsigned_abs();
    if off_ms <= CLOCK_OFF_MS {
        return None;
    }
    let (seconds, zh, en) =
        (off_ms / 1_000, if offset_ms > 0 { "快" } else { "慢" }, if offset_ms > 0 { "ahead of" } else { "behind" });
    let zh = format!("本机时钟比多数成员{zh} {seconds} 秒");
    let finding =
        CLOCK_OFF.finding("clock", zh, format!("this machine's clock is {seconds} s {en} that of most members"));
    // Beyond the tolerance others do not show what is signed here, or this node not what they sign.
    let severity = if off_ms > CLOCK_TOLERANCE_MS { Severity::Critical } else { finding.severity };
    Some(Finding { severity, ..finding })
}

fn index(lag: &Lag, records: usize) -> Option<Finding> {
    let seconds = lag.ms / 1_000;
    match lag.state {
        IndexState::Failed => {
            let reason = lag.error.as_deref().unwrap_or("?");
            Some(INDEX_FAILED.finding(
                "index",
                format!("检索索引出错：{reason}"),
                format!("the search index failed: {reason}"),
            ))
        }
        IndexState::Building if records > 0 && lag.found != Some(Condition::Intact) => {
            let (done, found) = (lag.looked_at, lag.found.map_or("opening", condition));
            let zh = format!("检索索引正在重建（{found}），已看 {done} / {records} 条记录");
            Some(INDEX_MISSING.finding(
                "index",
                zh,
                format!("the search index is built anew ({found}): {done} of {records} records"),
            ))
        }
        IndexState::Following if lag.ms > INDEX_BEHIND_MS => {
            let waiting = lag.records;
            let zh = format!("检索索引落后 {waiting} 条记录、{seconds} 秒");
            Some(INDEX_BEHIND.finding(
                "index",
                zh,
                format!("the search index is {waiting} records and {seconds} s behind"),
            ))
        }
        _ => None,
    }
}

/// The same as a note beside something else.
pub(super) fn index_note(lag: &Lag, records: usize) -> Option<ProblemDetail> {
    let finding = index(lag, records)?;
    Some(ProblemDetail { at: finding.subject, code: finding.id, zh: finding.what_zh, en: finding.what_en })
}

fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Intact => "intact",
        Condition::Fresh => "missing",
        Condition::OtherVersion => "other version",
        Condition::Damaged => "damaged",
    }
}

fn no_members(cut_off: HealthFinding) -> Finding {
    let HealthFinding { since_ms, what_zh, what_en, fix_zh, fix_en, .. } = cut_off;
    Finding { since_ms, fix_zh, fix_en, ..NO_MEMBERS.finding("network", what_zh, what_en) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_by_more_is_worse() {
        let severity = |offset_ms| judge_clock(offset_ms).map(|finding| finding.severity);
        assert_eq!(severity(30_000), None);
        assert_eq!(severity(-31_000), Some(Severity::Warning));
        assert_eq!(severity(121_000), Some(Severity::Critical));
    }

    #[test]
    fn being_cut_off_is_said_as_health_says_it() {
        let cut_off = HealthFinding {
            id: "cut_off".into(),
            severity: "critical".into(),
            since_ms: 7,
            figures: Default::default(),
            what_zh: "断开".into(),
            what_en: "cut off".into(),
            fix_zh: "端口 5001".into(),
            fix_en: "port 5001".into(),
        };
        let found = no_members(cut_off);
        assert_eq!((found.id.as_str(), found.severity, found.since_ms), ("no-members", Severity::Critical, 7));
        assert_eq!((found.what_zh.as_str(), found.fix_en.as_str()), ("断开", "port 5001"));
    }

    #[test]
    fn an_index_that_is_missing_behind_or_broken_is_told_apart() {
        let lag = |state, ms, found| Lag {
            state,
            records: 5,
            ms,
            looked_at: 0,
            error: None,
            found: Some(found),
            committed_ms: None,
        };
        let id = |lag: Lag| index(&lag, 7).map(|finding| finding.id);
        assert_eq!(id(lag(IndexState::Building, 0, Condition::Fresh)), Some("index-missing".into()));
        assert_eq!(id(lag(IndexState::Following, 61_000, Condition::Fresh)), Some("index-behind".into()));
        assert_eq!(id(lag(IndexState::Failed, 0, Condition::Intact)), Some("index-failed".into()));
        assert_eq!(id(lag(IndexState::Following, 10, Condition::Fresh)), None);
        assert_eq!(index(&lag(IndexState::Building, 0, Condition::Fresh), 0), None, "there is nothing to find");
    }
}
