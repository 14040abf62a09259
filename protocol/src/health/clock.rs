//! How far this node's clock is off, by the clocks of its peers.
//!
//! One peer is one voice, and the middle of all voices counts: less than half of them cannot move it past an honest one.

use std::collections::BTreeMap;

use crate::identity::MemberNumber;
use crate::limits::CLOCK_TOLERANCE_MS;

/// How long an answer counts.
pub const SAMPLE_MS: u64 = 15 * 60 * 1_000;
/// An answer that took longer says too little.
pub const ROUND_TRIP_MS_MAX: u64 = 10_000;

/// A clock that moved by less against the steady one was not set.
pub const SET_MS: u64 = 1_000;

/// How far a clock may be told to be off: a thousand years, so that sums of a few such figures are figures still.
const OFF_MS_MAX: i64 = 1_000 * 366 * 24 * 60 * 60 * 1_000;

/// What the time may be: this machine's clock, and where it is off beyond the tolerance the middle of its peers' too.
///
/// A node whose clock is off does not judge others by it; and as its peers could be mistaken, it does not by theirs alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    own_ms: u64,
    peers_ms: u64,
}

impl Times {
    /// This machine's clock says `own_ms` and is ahead of its peers' by `offset_ms`, as far as known.
    pub fn new(own_ms: u64, offset_ms: Option<i64>) -> Self {
        let off_ms = offset_ms.filter(|offset_ms| is_off(*offset_ms)).unwrap_or_default();
        let behind_ms = 0_i64.saturating_sub(off_ms);
        Self { own_ms, peers_ms: own_ms.saturating_add_signed(behind_ms) }
    }

    /// The earliest that it may be.
    pub fn earliest_ms(&self) -> u64 {
        self.own_ms.min(self.peers_ms)
    }

    /// The latest that it may be.
    pub fn latest_ms(&self) -> u64 {
        self.own_ms.max(self.peers_ms)
    }

    /// The time that others understand.
    pub fn peers_ms(&self) -> u64 {
        self.peers_ms
    }
}

/// Whether a clock that is so far ahead is off beyond the tolerance.
pub fn is_off(offset_ms: i64) -> bool {
    offset_ms.unsigned_abs() > CLOCK_TOLERANCE_MS
}

/// From times of a clock that never goes back to those of the machine's clock, which people may have set meanwhile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shift {
    ahead_ms: i64,
}

impl Shift {
    /// The machine's clock says `wall_ms` when the steady one says `steady_ms`.
    pub fn between(steady_ms: u64, wall_ms: u64) -> Self {
        let ahead_ms = i128::from(wall_ms) - i128::from(steady_ms);
        Self { ahead_ms: i64::try_from(ahead_ms).unwrap_or_default() }
    }

    /// Follows the machine's clock where it was set, or ran apart by [`SET_MS`]: below that, times that are shown twice
    /// stay the same.
    pub fn follow(&mut self, steady_ms: u64, wall_ms: u64) -> Self {
        let now = Self::between(steady_ms, wall_ms);
        if now.ahead_ms.abs_diff(self.ahead_ms) >= SET_MS {
            *self = now;
        }
        *self
    }

    /// A time of the machine's clock.
    pub fn wall_ms(&self, steady_ms: u64) -> u64 {
        steady_ms.saturating_add_signed(self.ahead_ms)
    }

    /// A time of the steady clock; zero for what was before it began, if it began late.
    pub fn steady_ms(&self, wall_ms: u64) -> u64 {
        wall_ms.saturating_add_signed(0_i64.saturating_sub(self.ahead_ms))
    }
}

/// What peers said of the time.
#[derive(Debug, Clone, Default)]
pub struct Samples(BTreeMap<MemberNumber, (i64, u64)>);

impl Samples {
    /// Takes an answer: the peer's clock said `theirs_ms` when the clock of this node that never goes back said `now_ms`,
    /// after `round_trip_ms`.
    pub fn take(&mut self, member: MemberNumber, theirs_ms: u64, round_trip_ms: u64, now_ms: u64) {
        if round_trip_ms > ROUND_TRIP_MS_MAX {
            return;
        }
        // The answer was half a round trip old.
        let theirs_ms = theirs_ms.saturating_add(round_trip_ms / 2);
        let ahead_ms = i128::from(now_ms) - i128::from(theirs_ms);
        let bound = i128::from(OFF_MS_MAX);
        let ahead_ms = i64::try_from(ahead_ms.clamp(-bound, bound)).unwrap_or_default();
        self.0.insert(member, (ahead_ms, now_ms));
    }

    /// How far the machine's clock, which is `shift` from the steady one, is ahead of the middle of its peers'; nothing
    /// while none has answered lately. So a clock that is set right is right at once.
    pub fn offset_ms(&mut self, now_ms: u64, shift: Shift) -> Option<i64> {
        self.0.retain(|_, (_, at_ms)| now_ms.saturating_sub(*at_ms) <= SAMPLE_MS);
        let ahead = self.0.values().map(|(ahead_ms, _)| ahead_ms.saturating_add(shift.ahead_ms));
        let mut ahead: Vec<i64> = ahead.collect();
        ahead.sort_unstable();
        let upper = *ahead.get(ahead.len() / 2)?;
        let lower = ahead[(ahead.len() - 1) / 2];
        // Where half of them agree with this clock it is not at fault: of the two in the middle the nearer counts.
        Some(if lower.unsigned_abs() <= upper.unsigned_abs() { lower } else { upper })
    }

    /// How far the machine's clock is ahead, beyond the tolerance, where at least two peers told it and more than one half
    /// of those who did. One peer alone may be the one whose clock is wrong.
    pub fn certainly_ahead_ms(&mut self, now_ms: u64, shift: Shift) -> Option<u64> {
        let offset_ms = self.offset_ms(now_ms, shift).filter(|_| self.0.len() >= 2)?;
        u64::try_from(offset_ms).ok().filter(|_| is_off(offset_ms))
    }

    /// How far each member's clock that was asked lately is ahead of the middle. The middle of two is no judge: with
    /// fewer than two answers there is none.
    pub fn offsets_ms(&mut self, now_ms: u64, shift: Shift) -> BTreeMap<MemberNumber, i64> {
        let Some(own_ms) = self.offset_ms(now_ms, shift).filter(|_| self.0.len() >= 2) else { return BTreeMap::new() };
        let ahead_of = |ahead_ms: i64| own_ms.saturating_sub(ahead_ms.saturating_add(shift.ahead_ms));
        self.0.iter().map(|(member, (ahead_ms, _))| (*member, ahead_of(*ahead_ms))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_leaves_two_times_and_one_that_is_right_leaves_one() {
        let hour_ms = 3_600_000;
        let span = |offset_ms| {
            let times = Times::new(10 * hour_ms, offset_ms);
            (times.earliest_ms(), times.latest_ms(), times.peers_ms())
        };
        let right = (10 * hour_ms, 10 * hour_ms, 10 * hour_ms);
        assert_eq!((span(None), span(Some(120_000)), span(Some(-120_000))), (right, right, right));
        assert_eq!(span(Some(3_600_000)), (9 * hour_ms, 10 * hour_ms, 9 * hour_ms));
        assert_eq!(span(Some(-3_600_000)), (10 * hour_ms, 11 * hour_ms, 11 * hour_ms));
        assert_eq!(Times::new(5, Some(i64::MIN)).latest_ms(), 5 + i64::MAX as u64);
    }

    #[test]
    fn a_clock_that_was_set_shifts_both_ways() {
        for (steady_ms, wall_ms) in [(1_000, 9_000), (9_000, 1_000), (5, 5)] {
            let shift = Shift::between(steady_ms, wall_ms);
            assert_eq!((shift.wall_ms(steady_ms), shift.steady_ms(wall_ms)), (wall_ms, steady_ms));
        }
        assert_eq!(Shift::between(0, 9_000).steady_ms(1_000), 0);
        let mut followed = Shift::default();
        assert_eq!(followed.follow(5_000, 5_999).wall_ms(7), 7, "clocks are read one after the other");
        assert_eq!(followed.follow(5_000, 6_000).wall_ms(7), 1_007);
    }

    #[test]
    fn a_clock_that_fell_back_by_years_or_runs_ahead_is_told_so_exactly() {
        let (now_ms, years_ms) = (1_800_000_000_000, 11 * 365 * 86_400_000_u64);
        for (wall_ms, offset_ms, ahead_ms) in
            [(now_ms - years_ms, -(years_ms as i64), None), (now_ms + years_ms, years_ms as i64, Some(years_ms))]
        {
            let mut samples = Samples::default();
            samples.take(MemberNumber(1), now_ms, 0, wall_ms);
            let right = Shift::default();
            assert_eq!(samples.certainly_ahead_ms(wall_ms, right), None, "one voice is not enough");
            samples.take(MemberNumber(2), now_ms, 0, wall_ms);
            assert_eq!(samples.offset_ms(wall_ms, right), Some(offset_ms));
            assert_eq!(samples.certainly_ahead_ms(wall_ms, right), ahead_ms);
            assert_eq!(Times::new(wall_ms, Some(offset_ms)).peers_ms(), now_ms);
        }
    }

    #[test]
    fn the_middle_counts_and_a_few_liars_do_not_move_it() {
        let (mut samples, right) = (Samples::default(), Shift::default());
        let now_ms = 12_000;
        assert_eq!(samples.offset_ms(now_ms, right), None);
        for (member, theirs_ms) in [(1, 10_000), (2, 10_100), (3, u64::MAX), (4, 9_900), (5, 0)] {
            samples.take(MemberNumber(member), theirs_ms, 200, now_ms);
        }
        assert_eq!(samples.offset_ms(now_ms, right), Some(1_900), "12,000 against 10,000 and half a round trip");
        samples.take(MemberNumber(6), 12_000, ROUND_TRIP_MS_MAX + 1, now_ms);
        assert_eq!(samples.offset_ms(now_ms, right), Some(1_900), "a slow answer says nothing");
        let theirs = samples.offsets_ms(now_ms, right);
        assert_eq!((theirs[&MemberNumber(1)], theirs[&MemberNumber(2)]), (0, 100));
        assert_eq!(theirs[&MemberNumber(5)], -10_000, "its clock stands at zero");
        assert_eq!(samples.certainly_ahead_ms(now_ms, right), None, "within the tolerance");
        let set = Shift::between(now_ms, now_ms - 1_900);
        assert_eq!(samples.offset_ms(now_ms, set), Some(0), "the clock was set right");
        assert_eq!(samples.offsets_ms(now_ms, set), theirs, "which does not make theirs wrong");
        let late_ms = now_ms + SAMPLE_MS + 1;
        assert_eq!(samples.offset_ms(late_ms, right), None, "old answers say nothing");
        assert_eq!(samples.offsets_ms(late_ms, right), BTreeMap::new());
    }
}
