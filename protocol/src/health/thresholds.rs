//! Every threshold of the health model, in one place.

/// A connection that is lost counts as a sign of life for this long: jitter of half a minute changes nothing.
pub const GRACE_MS: u64 = 60_000;
/// A new connection must last for this part of the grace before it calls a silent member, or this node, back.
pub const RETURN_PART: u64 = 12;
/// Intervals without a beacon after which a member without a connection is silent.
pub const INTERVALS: u64 = 2;
/// The longest interval that is believed, in milliseconds: a beacon cannot keep its sender up for days.
pub const INTERVAL_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// A node that gets this part of what it lacks within an interval catches up.
pub const CATCH_UP_PART: u64 = 10;
/// Fewer than one in so many members are taken to claim entries which they show to nobody.
pub const LIARS_ONE_IN: usize = 3;
/// A member that is silent for longer is a critical finding.
pub const SILENT_CRITICAL_MS: u64 = 24 * 60 * 60 * 1_000;
/// A member that was admitted so long ago and never joined is a finding.
pub const NEVER_JOINED_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// A clock that is off by this much is a warning.
pub const CLOCK_WARNING_MS: i64 = 30_000;
/// From here on others hide what it signs for a while (the tolerance of the protocol).
pub const CLOCK_CRITICAL_MS: i64 = crate::limits::CLOCK_TOLERANCE_MS as i64;
/// Below this it is right again.
pub const CLOCK_CLEAR_MS: i64 = 20_000;
/// A disk with less than this many thousandths free, and less than [`DISK_WARNING_MIB`], is a warning.
pub const DISK_WARNING_PERMILLE: u16 = 100;
/// See [`DISK_WARNING_PERMILLE`].
pub const DISK_WARNING_MIB: u32 = 20 * 1_024;
/// A disk with less free than this is critical, however small it is.
pub const DISK_CRITICAL_MIB: u32 = 512;
/// A disk is well again when it has so many percent of these thresholds free.
pub const DISK_CLEAR_PERCENT: u64 = 125;
/// So many starts within [`RESTART_WINDOW_MS`] are too many.
pub const STARTS_MAX: usize = 4;
/// With so many it is still restarting.
pub const STARTS_CLEAR: usize = 2;
/// The time in which starts are counted.
pub const RESTART_WINDOW_MS: u64 = 60 * 60 * 1_000;
/// Starts that are remembered of a node.
pub const STARTS_KEPT: usize = 8;
/// A version is what everybody should run when so many members run it or a higher one.
pub const REFERENCE_MEMBERS: usize = 3;
/// How long after its last offence a member is shown as throttled.
pub const THROTTLED_MS: u64 = 10 * 60 * 1_000;

/// What an operator can set, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// How long a lost connection still counts, how long a node must be without any before it is cut off, and how long
    /// a finding must hold before it is shown and be gone before it is not.
    pub grace_ms: u64,
    /// How long a new connection must last.
    pub return_ms: u64,
    /// This node's own interval.
    pub interval_ms: u64,
}

impl Thresholds {
    /// With this grace and interval between beacons.
    pub fn new(grace_ms: u64, interval_ms: u64) -> Self {
        Self { grace_ms, return_ms: grace_ms / RETURN_PART, interval_ms }
    }

    /// How long a beacon of that interval keeps its sender up.
    pub fn beacon_holds_ms(&self, interval_seconds: u32) -> u64 {
        let interval_ms = (u64::from(interval_seconds) * 1_000).min(INTERVAL_MS_MAX);
        INTERVALS * interval_ms + self.grace_ms
    }

    /// How long a node listens, after its start or after it was cut off, before it calls anybody silent.
    pub fn settles_ms(&self) -> u64 {
        INTERVALS * self.interval_ms + self.grace_ms
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::new(GRACE_MS, 600_000)
    }
}
