//! When beacons go out, and how much they say: all members share one budget.
//!
//! A beacon goes out soon after something changed. The more members there are, the longer each waits, so that a node of a
//! large federation pays no more while much changes than while nothing does. Times are in milliseconds.

use crate::limits::BEACON_HEADS_MAX;

/// Between two beacons of one node lie so many milliseconds for each pair of members: with 800 that is the interval of
/// ten minutes, with a dozen nothing to speak of.
const WAIT_MS_PER_PAIR: u64 = 1;
/// The shortest wait between two beacons of one node.
pub const SHORTEST_WAIT_MS: u64 = 200;
/// How long a beacon means something after the time at which the next one is due.
pub const EXPIRY_GRACE_MS: u64 = 300_000;
/// How long digests may differ before a session is begun: gossip is usually still on its way.
pub const DIFFERENCE_GRACE_MS: u64 = 1_500;
/// Heads of all members' beacons together: each says its share of them, others in its next one.
const HEADS_SHARED: usize = 4_096;
/// Heads for which a beacon always has room.
pub const HEADS_FEWEST: usize = 8;
/// Between two offers to a partner lie so many milliseconds for so many pairs of members; see [`offer_pause_ms`].
const PAIRS_PER_OFFER_MS: u64 = 16;
/// The shortest pause between two offers.
pub const OFFER_PAUSE_SHORTEST_MS: u64 = 100;
/// The longest pause between two offers: few hops lie between two nodes, and two intervals are long.
pub const OFFER_PAUSE_LONGEST_MS: u64 = 30_000;

/// The wait between two beacons of one node in a federation of so many members. See [`WAIT_MS_PER_PAIR`].
pub fn shortest_wait_ms(members: usize, interval_ms: u64) -> u64 {
    WAIT_MS_PER_PAIR.saturating_mul(pairs(members)).max(SHORTEST_WAIT_MS).min(interval_ms)
}

/// How far apart beacons of one sender are passed on: no faster than it should send them, give or take.
pub fn spacing_ms(members: usize, interval_ms: u64) -> u64 {
    shortest_wait_ms(members, interval_ms) / 2
}

/// Whether a beacon is due, so long after the last one; `None` if there was none.
pub fn is_due(waited_ms: Option<u64>, changed: bool, members: usize, interval_ms: u64) -> bool {
    let waited_ms = waited_ms.unwrap_or(u64::MAX);
    waited_ms >= interval_ms || (changed && waited_ms >= shortest_wait_ms(members, interval_ms))
}

/// How long a beacon means something.
pub fn lasts_ms(interval_ms: u64) -> u64 {
    interval_ms.saturating_add(EXPIRY_GRACE_MS)
}

/// Heads that one beacon says at most in a federation of so many members.
pub fn heads_max(members: usize) -> usize {
    (HEADS_SHARED / members.max(1)).clamp(HEADS_FEWEST, BEACON_HEADS_MAX)
}

/// The pause between two offers: short among few, half a minute among eight hundred, where a frame for each beacon would
/// cost more than the beacons.
pub fn offer_pause_ms(members: usize) -> u64 {
    (pairs(members) / PAIRS_PER_OFFER_MS).clamp(OFFER_PAUSE_SHORTEST_MS, OFFER_PAUSE_LONGEST_MS)
}

fn pairs(members: usize) -> u64 {
    (members as u64).saturating_mul(members as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_federation_sends_no_more_while_things_change() {
        let interval_ms = 600_000;
        assert_eq!(shortest_wait_ms(3, interval_ms), SHORTEST_WAIT_MS);
        assert_eq!(shortest_wait_ms(100, interval_ms), 10_000);
        assert_eq!(shortest_wait_ms(800, interval_ms), interval_ms);
        assert_eq!(shortest_wait_ms(5, 100), 100);
        assert_eq!((heads_max(1), heads_max(100), heads_max(800)), (BEACON_HEADS_MAX, 40, HEADS_FEWEST));
    }

    #[test]
    fn a_beacon_is_due_at_first_after_a_change_and_after_an_interval() {
        assert!(is_due(None, false, 3, 600_000));
        assert!(!is_due(Some(199), true, 3, 600_000) && is_due(Some(200), true, 3, 600_000));
        assert!(!is_due(Some(599_999), false, 3, 600_000) && is_due(Some(600_000), false, 3, 600_000));
    }

    #[test]
    fn offers_are_quick_among_few_and_gathered_among_many() {
        assert_eq!(offer_pause_ms(5), OFFER_PAUSE_SHORTEST_MS);
        assert_eq!(offer_pause_ms(100), 625);
        assert_eq!(offer_pause_ms(800), OFFER_PAUSE_LONGEST_MS);
    }
}
