//! A finding comes and goes with delay: it must hold for a time before it is shown, and be gone for a time before it is
//! not. What may be wrong is told with its figures in either case.

use std::collections::BTreeMap;

use super::thresholds::{
    CLOCK_CLEAR_MS, CLOCK_CRITICAL_MS, CLOCK_WARNING_MS, DISK_CLEAR_PERCENT, DISK_CRITICAL_MIB, DISK_WARNING_MIB,
    DISK_WARNING_PERMILLE,
};
use super::{Ailment, Finding, Severity};
use crate::beacon::DiskSpace;

/// What is seen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) severity: Severity,
    pub(super) figures: BTreeMap<&'static str, i64>,
    /// Since when, if that is known better than by the time of seeing it.
    pub(super) since_ms: Option<u64>,
}

impl Seen {
    pub(super) fn new(severity: Severity, figures: impl IntoIterator<Item = (&'static str, i64)>) -> Self {
        Self { severity, figures: figures.into_iter().collect(), since_ms: None }
    }
}

#[derive(Debug, Clone, Default)]
struct Track {
    seen_since_ms: Option<u64>,
    gone_since_ms: Option<u64>,
    shown: Option<Finding>,
}

/// The findings of one member.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings(BTreeMap<Ailment, Track>);

impl Findings {
    /// Whether this is shown now: then it takes less to keep it.
    pub(super) fn shows(&self, ailment: Ailment) -> bool {
        self.0.get(&ailment).is_some_and(|track| track.shown.is_some())
    }

    /// Takes what is seen, or that nothing is.
    pub(super) fn update(&mut self, ailment: Ailment, seen: Option<Seen>, hold_ms: u64, now_ms: u64) {
        if seen.is_none() && !self.0.contains_key(&ailment) {
            return;
        }
        let track = self.0.entry(ailment).or_default();
        match seen {
            Some(Seen { severity, figures, since_ms }) => {
                track.gone_since_ms = None;
                let begun_ms = *track.seen_since_ms.get_or_insert(now_ms);
                let before_ms = track.shown.as_ref().map(|shown| shown.since_ms);
                if before_ms.is_some() || now_ms.saturating_sub(begun_ms) >= hold_ms {
                    let since_ms = before_ms.or(since_ms).unwrap_or(begun_ms);
                    track.shown = Some(Finding { ailment, severity, since_ms, figures });
                }
            }
            None => {
                track.seen_since_ms = None;
                let gone_ms = *track.gone_since_ms.get_or_insert(now_ms);
                if track.shown.is_none() || now_ms.saturating_sub(gone_ms) >= hold_ms {
                    self.0.remove(&ailment);
                }
            }
        }
    }

    /// What is shown, the worst first.
    pub(super) fn shown(&self) -> Vec<Finding> {
        let mut shown: Vec<Finding> = self.0.values().filter_map(|track| track.shown.clone()).collect();
        shown.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.ailment));
        shown
    }
}

/// Whether a clock is off; one that was needs to come nearer to be right again.
pub(super) fn clock_off(offset_ms: Option<i64>, was: bool) -> Option<Seen> {
    let offset_ms = offset_ms?;
    let off_ms = offset_ms.saturating_abs();
    let severity = match off_ms {
        CLOCK_CRITICAL_MS.. => Severity::Critical,
        CLOCK_WARNING_MS.. => Severity::Warning,
        CLOCK_CLEAR_MS.. if was => Severity::Warning,
        _ => return None,
    };
    Some(Seen::new(severity, [("offset_ms", offset_ms)]))
}

/// Whether a disk is filling; one that was needs more room to be well again.
pub(super) fn disk_filling(disk: Option<DiskSpace>, was: bool) -> Option<Seen> {
    let DiskSpace { free_mib, free_permille } = disk?;
    let percent = if was { DISK_CLEAR_PERCENT } else { 100 };
    let below = |free: u64, bound: u64| free * 100 < bound * percent;
    let little = below(u64::from(free_permille), u64::from(DISK_WARNING_PERMILLE))
        && below(u64::from(free_mib), u64::from(DISK_WARNING_MIB));
    let severity = match (below(u64::from(free_mib), u64::from(DISK_CRITICAL_MIB)), little) {
        (true, _) => Severity::Critical,
        (false, true) => Severity::Warning,
        (false, false) => return None,
    };
    Some(Seen::new(severity, [("free_mib", i64::from(free_mib)), ("free_permille", i64::from(free_permille))]))
}
