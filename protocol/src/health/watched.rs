//! One member: what is known of it, whether it gives signs of life, and what is wrong with it.

use std::collections::VecDeque;

use super::finding::{Findings, Seen, clock_off, disk_filling};
use super::thresholds::{RESTART_WINDOW_MS, STARTS_CLEAR, STARTS_MAX, THROTTLED_MS, Thresholds};
use super::{Ailment, Enrolled, Own, Remembered, Report, Severity};
use crate::beacon::Version;

/// What this node held when a beacon came; the next beacon is held against it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) at_ms: u64,
    pub(super) entries: u64,
    pub(super) charter_version: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Lack {
    pub(super) since_ms: u64,
    pub(super) entries: u64,
    pub(super) blocks: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Watched {
    pub(super) enrolled: Option<Enrolled>,
    /// What is known of it from before this node started, by the machine's clock.
    pub(super) before: Option<Remembered>,
    pub(super) joined_ms: Option<u64>,
    pub(super) heard_ms: Option<u64>,
    /// When a connection last proved that it is there.
    pub(super) proved_ms: Option<u64>,
    pub(super) linked_since_ms: Option<u64>,
    pub(super) report: Option<Report>,
    pub(super) mark: Option<Mark>,
    pub(super) lack: Option<Lack>,
    /// Since when it is up; nothing while it is not.
    pub(super) up_since_ms: Option<u64>,
    /// When it started, by its own clock, and when that was heard.
    pub(super) starts: VecDeque<(u64, u64)>,
    pub(super) throttled_ms: Option<u64>,
    /// How far its clock is ahead of the middle, as this node measured.
    pub(super) clock_ms: Option<i64>,
    pub(super) findings: Findings,
}

/// What concerns a member beside what is known of it.
pub(super) struct Surroundings {
    /// The version that everybody should run.
    pub(super) reference: Option<Version>,
    /// Since when this node is cut off; only for itself.
    pub(super) cut_off_since_ms: Option<u64>,
    /// Whether this node is behind; only for itself.
    pub(super) lags: bool,
}

/// What a beacon lacks of what this node held when the one before it came: that had a whole interval to arrive.
pub(super) fn lack(report: &Report, mark: Mark, before: Option<&Lack>) -> Option<Lack> {
    let entries = mark.entries.saturating_sub(report.entries);
    let blocks = mark.charter_version.saturating_sub(report.charter_version);
    let lacks = !report.agrees && (entries > 0 || blocks > 0);
    lacks.then(|| Lack { since_ms: before.map_or(mark.at_ms, |before| before.since_ms), entries, blocks })
}

impl Watched {
    pub(super) fn hear(&mut self, now_ms: u64) {
        self.joined_ms.get_or_insert(now_ms);
        self.heard_ms = Some(now_ms);
    }

    /// Whether a connection speaks for it. Of a member that is up any does; it must last to call another back.
    fn is_linked(&self, thresholds: &Thresholds, now_ms: u64) -> bool {
        let lasts = |since_ms: u64| now_ms.saturating_sub(since_ms) >= thresholds.return_ms;
        self.linked_since_ms.is_some_and(|since_ms| self.up_since_ms.is_some() || lasts(since_ms))
    }

    /// Whether it is known by a connection: an open one, or one that was lost within the grace.
    pub(super) fn is_direct(&self, thresholds: &Thresholds, now_ms: u64) -> bool {
        let lately = |proved_ms: u64| now_ms.saturating_sub(proved_ms) < thresholds.grace_ms;
        self.is_linked(thresholds, now_ms) || self.proved_ms.is_some_and(lately)
    }

    pub(super) fn is_alive(&self, thresholds: &Thresholds, now_ms: u64) -> bool {
        let holds =
            |report: &Report| now_ms.saturating_sub(report.at_ms) < thresholds.beacon_holds_ms(report.interval_seconds);
        self.is_direct(thresholds, now_ms) || self.report.as_ref().is_some_and(holds)
    }

    /// Comes up or goes silent. While nobody can be judged, whoever was up stays what it was.
    pub(super) fn judge(&mut self, thresholds: &Thresholds, own: bool, judges: bool, now_ms: u64) {
        if self.is_linked(thresholds, now_ms) {
            self.proved_ms = Some(now_ms);
            self.hear(now_ms);
        }
        if own || self.is_alive(thresholds, now_ms) {
            self.up_since_ms.get_or_insert(now_ms);
        } else if judges {
            self.up_since_ms = None;
        }
    }

    pub(super) fn find(
        &mut self,
        thresholds: &Thresholds,
        own: Option<&Own>,
        surroundings: &Surroundings,
        now_ms: u64,
    ) {
        let condition = match (own, &self.report) {
            (Some(own), _) => Some(own.condition),
            // What a silent node said once is no finding of today.
            (None, Some(report)) if self.is_alive(thresholds, now_ms) => Some(report.condition),
            _ => None,
        };
        let hold_ms = thresholds.grace_ms;
        let cut_off = surroundings.cut_off_since_ms;
        let cut_off = cut_off.map(|since_ms| Seen { since_ms: Some(since_ms), ..Seen::new(Severity::Critical, []) });
        // Being cut off, and a proof, have been waited for.
        self.findings.update(Ailment::CutOff, cut_off, 0, now_ms);
        let forked_at = self.enrolled.and_then(|enrolled| enrolled.forked_at);
        let at = |sequence: u64| ("sequence", i64::try_from(sequence).unwrap_or(i64::MAX));
        let forked = forked_at.map(|sequence| Seen::new(Severity::Critical, [at(sequence)]));
        self.findings.update(Ailment::Forked, forked, 0, now_ms);
        let said_ms = condition.and_then(|condition| condition.clock_offset_ms).map(i64::from);
        let measured_ms = self.clock_ms.filter(|_| self.is_alive(thresholds, now_ms));
        let clock_offset_ms = measured_ms.or(said_ms);
        let clock = clock_off(clock_offset_ms, self.findings.shows(Ailment::ClockOff));
        self.findings.update(Ailment::ClockOff, clock, hold_ms, now_ms);
        let disk = condition.and_then(|condition| condition.disk);
        let disk = disk_filling(disk, self.findings.shows(Ailment::DiskFilling));
        self.findings.update(Ailment::DiskFilling, disk, hold_ms, now_ms);
        let incomplete = condition
            .filter(|condition| condition.missing_bodies > 0)
            .map(|condition| Seen::new(Severity::Warning, [("bodies", i64::from(condition.missing_bodies))]));
        self.findings.update(Ailment::Incomplete, incomplete, hold_ms, now_ms);
        let older =
            condition.zip(surroundings.reference).filter(|(condition, reference)| condition.version < *reference);
        let outdated = older.map(|_| Seen::new(Severity::Warning, []));
        self.findings.update(Ailment::Outdated, outdated, hold_ms, now_ms);
        let missing = condition.map_or(0, |condition| condition.missing_entries);
        let behind = match own {
            // What a node lacks itself it knows before any beacon.
            Some(_) => surroundings.lags.then(|| Seen::new(Severity::Warning, [("entries", i64::from(missing))])),
            None => self.behind(missing),
        };
        self.findings.update(Ailment::Behind, behind.filter(|_| condition.is_some()), hold_ms, now_ms);
        let restarting = self.restarting(now_ms);
        self.findings.update(Ailment::Restarting, restarting, 0, now_ms);
        let throttled = self.throttled_ms.filter(|at_ms| now_ms.saturating_sub(*at_ms) < THROTTLED_MS);
        let throttled = throttled.map(|_| Seen::new(Severity::Warning, []));
        self.findings.update(Ailment::Throttled, throttled, 0, now_ms);
    }

    fn behind(&self, missing: u32) -> Option<Seen> {
        let lack = self.lack.as_ref()?;
        let entries = i64::try_from(lack.entries.max(u64::from(missing))).unwrap_or(i64::MAX);
        let figures = [("entries", entries), ("blocks", i64::from(lack.blocks))];
        Some(Seen { since_ms: Some(lack.since_ms), ..Seen::new(Severity::Warning, figures) })
    }

    /// Whether it started too often; one that did needs fewer to be shown still.
    fn restarting(&self, now_ms: u64) -> Option<Seen> {
        let recent = self.starts.iter().filter(|(_, at_ms)| now_ms.saturating_sub(*at_ms) < RESTART_WINDOW_MS);
        let count = recent.count();
        let enough = if self.findings.shows(Ailment::Restarting) { STARTS_CLEAR } else { STARTS_MAX };
        let count_shown = i64::try_from(count).unwrap_or(i64::MAX);
        (count >= enough).then(|| Seen::new(Severity::Warning, [("starts", count_shown)]))
    }
}
