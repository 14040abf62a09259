//! Tells at once that the machine's clock was set ahead.
//!
//! How far it is from the peers' clocks is looked at every second. An entry signed between the moment in which the clock
//! jumps and that look would bear a time to come, and nobody would show it until then. And as long as too few peers were
//! asked nobody knows whether a jump was a mistake or mended one: then it is doubted for [`DOUBT`].

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use protocol::limits::CLOCK_TOLERANCE_MS;

/// How long a clock that was set ahead is doubted while too few peers can say what time it is. A clock that a time server
/// sets right soon after the machine's start is taken for what it is after that.
const DOUBT: Duration = Duration::from_secs(60);
/// Nothing is doubted.
const CERTAIN: i64 = -1;

/// The clock of this machine against one that nobody can set.
#[derive(Debug)]
pub(super) struct ClockWatch {
    started: Instant,
    /// How far the machine's clock was ahead of `started` at the last look, in milliseconds.
    seen_ms: AtomicI64,
    /// Since when a jump is doubted, in milliseconds after `started`.
    doubted_since_ms: AtomicI64,
}

impl ClockWatch {
    /// Begins to watch a clock that says `now_ms`. Whether that is right is for the peers to say.
    pub(super) fn new(now_ms: u64) -> Self {
        let seen_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        Self { started: Instant::now(), seen_ms: AtomicI64::new(seen_ms), doubted_since_ms: AtomicI64::new(CERTAIN) }
    }

    fn steady_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn ahead_ms(&self, now_ms: u64) -> i64 {
        i64::try_from(now_ms).unwrap_or(i64::MAX).saturating_sub(self.steady_ms())
    }

    /// Takes the clock for what it was when it said `now_ms`, unless it jumped and too few peers were asked to know
    /// (`told`). Called by one task only.
    pub(super) fn look(&self, now_ms: u64, told: bool) {
        self.look_at(now_ms, told, self.steady_ms());
    }

    fn look_at(&self, now_ms: u64, told: bool, steady_ms: i64) {
        if !told && self.jumped_ms(now_ms) > CLOCK_TOLERANCE_MS {
            let since_ms = match self.doubted_since_ms.load(Ordering::Acquire) {
                CERTAIN => steady_ms,
                since_ms => since_ms,
            };
            self.doubted_since_ms.store(since_ms, Ordering::Release);
            if u128::from(steady_ms.abs_diff(since_ms)) < DOUBT.as_millis() {
                return;
            }
        }
        self.doubted_since_ms.store(CERTAIN, Ordering::Release);
        self.seen_ms.store(self.ahead_ms(now_ms), Ordering::Release);
    }

    /// How far the clock was set ahead since the last look.
    pub(super) fn jumped_ms(&self, now_ms: u64) -> u64 {
        let jumped_ms = self.ahead_ms(now_ms).saturating_sub(self.seen_ms.load(Ordering::Acquire));
        u64::try_from(jumped_ms).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_ahead_is_told_until_somebody_has_looked() {
        let day_ms = 86_400_000;
        let watch = ClockWatch::new(5 * day_ms);
        assert!(watch.jumped_ms(5 * day_ms) < 1_000);
        assert!(watch.jumped_ms(6 * day_ms) > day_ms - 60_000, "before the first look, too");
        watch.look(5 * day_ms, true);
        assert!(watch.jumped_ms(5 * day_ms + 1_000) <= 1_000);
        assert!(watch.jumped_ms(6 * day_ms) > day_ms - 60_000);
        assert_eq!(watch.jumped_ms(4 * day_ms), 0, "what is set back is no danger");
        watch.look(6 * day_ms, true);
        assert!(watch.jumped_ms(6 * day_ms) < 1_000);
    }

    #[test]
    fn a_jump_that_nobody_can_judge_is_doubted_for_a_while() {
        let day_ms = 86_400_000;
        let watch = ClockWatch::new(5 * day_ms);
        watch.look(5 * day_ms, false);
        watch.look_at(6 * day_ms, false, 1_000);
        watch.look_at(6 * day_ms, false, 1_000 + 59_000);
        assert!(watch.jumped_ms(6 * day_ms) > day_ms - 60_000, "still doubted");
        watch.look_at(5 * day_ms, false, 61_500);
        watch.look_at(6 * day_ms, false, 62_000);
        assert!(watch.jumped_ms(6 * day_ms) > day_ms - 60_000, "it had been right between, so the doubt begins anew");
        watch.look_at(6 * day_ms, false, 62_000 + 60_000);
        assert!(watch.jumped_ms(6 * day_ms) < 1_000, "a minute was enough");
        watch.look_at(7 * day_ms, true, 123_000);
        assert!(watch.jumped_ms(7 * day_ms) < 1_000, "enough peers were asked, and they say what it is");
    }
}
