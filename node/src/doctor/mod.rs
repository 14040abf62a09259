//! What is wrong with this node and its surroundings, why, and what to do about it (`xianmeng doctor`).
//!
//! [`catalogue`] holds every check with its stable id. A running node finds what it knows of itself ([`Doctor::view`],
//! `GET /v1/doctor`); [`offline`] finds what the data directory and a few attempts to connect show without it. Nothing
//! here changes anything. `alarms` watches the same findings.

pub mod catalogue;
mod charter;
mod directory;
mod disk;
mod network;
pub mod offline;
#[cfg(test)]
mod page;
pub mod ready;
mod running;
mod throttled;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::identity::PublicKey;

use crate::access_log::AccessLog;
use crate::alarms::webhook::Targets;
use crate::api::ApiHooks;
use crate::api::types::{DoctorView, Finding, HealthFinding, ProblemDetail, Severity};
use crate::config::Config;
use crate::core::{Core, now_ms};
use crate::derive::Derived;
use crate::dialer::Troubles;
use crate::directory::DataDirectory;
use crate::network::Network;
use crate::records::rewrap::StaleCount;
use crate::store::OpenReport;

pub use directory::key_files;
pub use disk::{Room, room};

/// How far this machine's clock may be from that of most members before it is told, in milliseconds.
pub const CLOCK_OFF_MS: u64 = 30_000;
/// How long before the charter's end it is told, in milliseconds.
pub const CHARTER_EXPIRING_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// How long the index may be behind before it is told, in milliseconds.
pub const INDEX_BEHIND_MS: u64 = 60_000;
/// How long bodies may be missing before it is told: catching up takes its time.
pub const BODIES_MISSING_MS: u64 = 5 * 60_000;
/// How long a peer that went beyond its bounds is named.
pub const THROTTLED_FOR: Duration = Duration::from_secs(10 * 60);
/// How often a peer must go beyond its bounds to be named: honest races do it once or twice.
pub const THROTTLED_TIMES: u64 = 10;
/// How often alarms count own confidential records anew: it means going through all of them.
pub const STALE_EVERY: Duration = Duration::from_secs(5 * 60);
/// How often the announced addresses are tried.
pub const REACH_EVERY: Duration = Duration::from_secs(5 * 60);
/// How long a connection that is tried may take.
pub const CONNECT_WAIT: Duration = Duration::from_secs(3);
/// Most findings of one check: a damaged store could name thousands of entries.
pub const FINDINGS_PER_CHECK_MAX: usize = 20;

/// By how many milliseconds this machine's clock is ahead of that of most members (negative: behind), as far as known.
pub type ClockOffset = Arc<dyn Fn() -> Option<i64> + Send + Sync>;

/// That this node is cut off, with what to do about it: the health model finds it, so that all say the same.
pub type CutOff = Arc<dyn Fn() -> Option<HealthFinding> + Send + Sync>;

/// What the doctor looks at.
pub struct Patient {
    /// Replica, view and store.
    pub core: Core,
    /// The network.
    pub network: Network,
    /// The search index.
    pub derived: Derived,
    /// The data directory.
    pub directory: DataDirectory,
    /// The settings.
    pub config: Config,
    /// What opening the store found.
    pub report: OpenReport,
    /// What keeps configured peers away.
    pub troubles: Troubles,
    /// The log of logins and writes.
    pub access_log: AccessLog,
    /// Where alarms are sent.
    pub webhooks: Targets,
    /// By how much this machine's clock is ahead of that of most members.
    pub clock: ClockOffset,
    /// That this node is cut off.
    pub cut_off: CutOff,
    /// The transport key in use.
    pub transport: PublicKey,
    /// When the node started, in milliseconds since 1970 (UTC).
    pub started_ms: u64,
    /// The rest of the node.
    pub hooks: Arc<dyn ApiHooks>,
}

/// Looks at a running node. A cheap handle.
#[derive(Clone)]
pub struct Doctor {
    shared: Arc<Shared>,
}

struct Shared {
    patient: Patient,
    /// Since when each finding is known, by id and subject.
    since: Mutex<BTreeMap<(String, String), u64>>,
    /// What trying the announced addresses showed, and when.
    reach: tokio::sync::Mutex<Option<(Instant, Vec<Finding>)>>,
    /// Own confidential records to be sealed anew.
    stale: Mutex<Stale>,
    /// What peers and members did beyond their bounds lately.
    excesses: Mutex<throttled::Excesses>,
}

/// A count of own confidential records to be sealed anew.
#[derive(Debug, Default)]
struct Stale {
    kept: StaleCount,
    /// When it was counted last, and what came of it.
    counted: Option<(Instant, usize)>,
}

impl Doctor {
    /// A doctor for this node.
    pub fn new(patient: Patient) -> Self {
        let (since, reach, stale, excesses) = Default::default();
        Self { shared: Arc::new(Shared { patient, since, reach, stale, excesses }) }
    }

    /// What is wrong now.
    pub async fn view(&self) -> DoctorView {
        let now_ms = now_ms();
        let mut found = self.network_findings().await;
        let doctor = self.clone();
        // It looks at files and folds records.
        let looked = tokio::task::spawn_blocking(move || doctor.local_findings(now_ms)).await;
        found.extend(looked.unwrap_or_else(|error| vec![failed(&error)]));
        let findings = self.remember(found, now_ms);
        assemble(now_ms, true, running::CHECKED.iter().map(|check| check.id), findings)
    }

    /// Gives each finding its time, and holds back those that have not lasted long enough to be worth telling.
    fn remember(&self, found: Vec<Finding>, now_ms: u64) -> Vec<Finding> {
        let mut since = self.shared.since.lock();
        let key = |finding: &Finding| (finding.id.clone(), finding.subject.clone());
        let present: BTreeSet<(String, String)> = found.iter().map(key).collect();
        since.retain(|known, _| present.contains(known));
        let dated = found.into_iter().map(|mut finding| {
            let told = if finding.since_ms == 0 { now_ms } else { finding.since_ms };
            finding.since_ms = *since.entry(key(&finding)).or_insert(told);
            finding
        });
        let settled = |finding: &Finding| now_ms.saturating_sub(finding.since_ms) >= patience_ms(&finding.id);
        dated.filter(settled).collect()
    }

    /// Own confidential records that one of their readers cannot open, as they are now.
    pub fn stale_warning(&self) -> Option<ProblemDetail> {
        self.stale_within(Duration::ZERO)
    }

    /// The same, from a count that may be so old.
    fn stale_within(&self, age: Duration) -> Option<ProblemDetail> {
        let mut known = self.shared.stale.lock();
        let count = match known.counted {
            Some((at, count)) if at.elapsed() < age => count,
            _ => {
                let count = known.kept.count(&self.shared.patient.core);
                known.counted = Some((Instant::now(), count));
                count
            }
        };
        drop(known);
        (count > 0).then(|| ProblemDetail {
            at: "rewrap".into(),
            code: "rewrap-needed".into(),
            zh: format!("有 {count} 条密文记录，现在应能读的成员打不开；请执行 xianmeng rewrap。"),
            en: format!("{count} confidential records have a reader that cannot open them; run `xianmeng rewrap`"),
        })
    }

    /// By how much this machine's clock is ahead of the middle of the members that were heard (negative: behind), in
    /// milliseconds; nothing while nobody was heard.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        (self.shared.patient.clock)()
    }

    /// Where the search index lies.
    pub fn search_path(&self) -> PathBuf {
        self.shared.patient.directory.search_path()
    }

    /// Room on the volume of the data directory.
    pub fn room(&self) -> Option<Room> {
        room(self.shared.patient.directory.path()).ok()
    }
}

/// A check that panicked is no check that found nothing.
fn failed(error: &tokio::task::JoinError) -> Finding {
    tracing::error!(%error, "a check of the doctor failed");
    catalogue::CHECK_FAILED.finding("doctor", format!("检查出错：{error}"), format!("a check failed: {error}"))
}

/// How long a finding must last before it is told.
fn patience_ms(id: &str) -> u64 {
    if id == catalogue::BODIES_MISSING.id { BODIES_MISSING_MS } else { 0 }
}

/// A view of findings, each once, the worst first.
pub fn assemble(
    as_of_ms: u64,
    running: bool,
    checked: impl Iterator<Item = &'static str>,
    findings: Vec<Finding>,
) -> DoctorView {
    let mut seen = BTreeSet::new();
    let mut findings: Vec<Finding> =
        findings.into_iter().filter(|finding| seen.insert((finding.id.clone(), finding.subject.clone()))).collect();
    findings.sort_by(|a, b| {
        b.severity.cmp(&a.severity).then_with(|| a.id.cmp(&b.id)).then_with(|| a.subject.cmp(&b.subject))
    });
    let checked: BTreeSet<String> = checked.map(str::to_owned).collect();
    let severity = worst(&findings);
    DoctorView { as_of_ms, severity, running, checked: checked.into_iter().collect(), findings }
}

/// The worst of findings.
fn worst(findings: &[Finding]) -> Severity {
    findings.iter().map(|finding| finding.severity).max().unwrap_or_default()
}
