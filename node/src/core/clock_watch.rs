//! Tells at once that the machine's clock was set ahead.
//!
//! How far it is from the peers' clocks is looked at every second. An entry signed between the moment in which the clock
//! jumps and that look would bear a time to come, and nobody would show it until then.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

/// The clock of this machine against one that nobody can set.
#[derive(Debug)]
pub(super) struct ClockWatch {
    started: Instant,
    /// How far the machine's clock was ahead of `started` at the last look, in milliseconds.
    seen_ms: AtomicI64,
}

impl ClockWatch {
    /// Begins to watch; nothing was seen yet.
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), seen_ms: AtomicI64::new(i64::MAX) }
    }

    fn ahead_ms(&self, now_ms: u64) -> i64 {
        let steady_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        i64::try_from(now_ms).unwrap_or(i64::MAX).saturating_sub(steady_ms)
    }

    /// Takes the clock for what it is now.
    pub(super) fn look(&self, now_ms: u64) {
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
        let (watch, day_ms) = (ClockWatch::new(), 86_400_000);
        assert_eq!(watch.jumped_ms(5 * day_ms), 0, "nobody has looked yet");
        watch.look(5 * day_ms);
        assert!(watch.jumped_ms(5 * day_ms + 1_000) <= 1_000);
        assert!(watch.jumped_ms(6 * day_ms) > day_ms - 60_000);
        assert_eq!(watch.jumped_ms(4 * day_ms), 0, "what is set back is no danger");
        watch.look(6 * day_ms);
        assert!(watch.jumped_ms(6 * day_ms) < 1_000);
    }
}
