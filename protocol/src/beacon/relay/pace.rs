//! How much work others may cause: the pace of senders and of partners, and permits that come back with time.

/// Beacons of one sender that are verified at once, before its pace counts.
pub const BURST: u64 = 8;
/// The longest pause between two beacons of one sender that are verified: it costs little, and members' intervals differ.
pub const VERIFIED_PAUSE_MS: u64 = 1_000;
/// The same of everybody's beacons that one partner hands over.
pub const PARTNER_PAUSE_MS: u64 = 10_000;
/// A partner may hand over so many times what everybody's pace brings, and so many times everybody's beacons at once.
pub const PARTNER_MARGIN: u64 = 2;
/// Beacons that any partner may hand over at once.
pub const PARTNER_BURST: u64 = 256;

/// How many senders there are, and how far apart the beacons of one are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Nodes that may send beacons.
    pub senders: u64,
    /// Milliseconds between two beacons of one.
    pub spacing_ms: u64,
}

impl Default for Pace {
    /// Bounds nothing.
    fn default() -> Self {
        Self { senders: u64::MAX, spacing_ms: 0 }
    }
}

/// A store of permits that fills up again with time. A permit costs the pause between two.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bucket {
    /// What was used, as if the next permit were due only then.
    used_until_ms: u64,
}

impl Bucket {
    /// Whether a permit is left of `burst`, of which one comes back every `pause_ms`.
    pub(super) fn has(&self, burst: u64, pause_ms: u64, now_ms: u64) -> bool {
        self.used_until_ms <= now_ms.saturating_add(pause_ms.saturating_mul(burst.saturating_sub(1)))
    }

    pub(super) fn take(&mut self, pause_ms: u64, now_ms: u64) {
        self.used_until_ms = self.used_until_ms.max(now_ms).saturating_add(pause_ms);
    }
}
