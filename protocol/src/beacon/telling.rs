//! Which heads a beacon names: there is room for a few only, and in the end every receiver must have heard of every log.
//!
//! Half of the room goes round: the logs that were named longest ago, so that each is named within [`rounds`] beacons,
//! whoever missed what. The other half is news: lengths that changed and were not named [`TOLD_TIMES`] times, because a
//! beacon that another overtakes on its way is not handed over everywhere. Nothing is left out because somebody knows
//! it: others may not.

use std::collections::{BTreeMap, BTreeSet};

use crate::charter::LogNumber;

/// How often a length is named as news.
pub const TOLD_TIMES: u8 = 2;

/// Of so many heads in a beacon, those that go round.
fn turning(heads_max: usize) -> usize {
    (heads_max / 2).max(1)
}

/// Beacons in which each of so many logs is named, with so many heads in each.
pub fn rounds(logs: usize, heads_max: usize) -> u64 {
    logs.div_ceil(turning(heads_max)) as u64
}

#[derive(Debug, Clone, Copy, Default)]
struct Named {
    length: u64,
    /// How often, with this length.
    times: u8,
    /// In which beacon last; zero for none.
    last: u64,
}

/// Remembers what this node's beacons named.
#[derive(Debug, Clone, Default)]
pub struct Telling {
    logs: BTreeMap<LogNumber, Named>,
    beacons: u64,
}

impl Telling {
    /// What the next beacon names of these lengths.
    pub fn next(&mut self, heads: &BTreeMap<LogNumber, u64>, heads_max: usize) -> BTreeMap<LogNumber, u64> {
        self.beacons += 1;
        self.logs.retain(|log, _| heads.contains_key(log));
        for (log, length) in heads {
            let named = self.logs.entry(*log).or_default();
            if named.length != *length {
                (named.length, named.times) = (*length, 0);
            }
        }
        let mut order: Vec<(u64, LogNumber)> = self.logs.iter().map(|(log, named)| (named.last, *log)).collect();
        order.sort_unstable();
        let order: Vec<LogNumber> = order.into_iter().map(|(_, log)| log).collect();
        let (first, others) = order.split_at(turning(heads_max).min(order.len()));
        let news = others.iter().filter(|log| self.logs[*log].times < TOLD_TIMES);
        let news = news.take(heads_max.saturating_sub(first.len()));
        let chosen: BTreeSet<LogNumber> = first.iter().chain(news).copied().collect();
        let name = |log: LogNumber| {
            let named = self.logs.get_mut(&log)?;
            (named.times, named.last) = (named.times.saturating_add(1), self.beacons);
            Some((log, named.length))
        };
        chosen.into_iter().filter_map(name).collect()
    }

    /// Whether news wait for the next beacon.
    pub fn waits(&self) -> bool {
        self.logs.values().any(|named| named.times < TOLD_TIMES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGS: u32 = 100;
    const ROOM: usize = 8;

    fn heads(length: u64) -> BTreeMap<LogNumber, u64> {
        (0..LOGS).map(|log| (log, length)).collect()
    }

    /// The logs that so many beacons name with their lengths of now, while the first twenty grow all the time.
    fn named(telling: &mut Telling, beacons: u64, lengths: &mut BTreeMap<LogNumber, u64>) -> BTreeSet<LogNumber> {
        let mut seen = BTreeSet::new();
        for _ in 0..beacons {
            (0..20).for_each(|log| *lengths.entry(log).or_default() += 1);
            let told = telling.next(lengths, ROOM);
            assert!(told.len() <= ROOM && told.iter().all(|(log, length)| lengths[log] == *length), "{told:?}");
            seen.extend(told.into_keys());
        }
        seen
    }

    #[test]
    fn every_log_is_named_within_a_round_however_busy_others_are() {
        let (mut telling, mut lengths) = (Telling::default(), heads(1));
        // Any stretch of so many beacons is enough for a receiver that has just started.
        for _ in 0..5 {
            let seen = named(&mut telling, rounds(LOGS as usize, ROOM), &mut lengths);
            assert_eq!(seen.len(), LOGS as usize);
            named(&mut telling, 3, &mut lengths);
        }
    }

    #[test]
    fn news_come_at_once_and_twice_and_then_wait_for_their_turn() {
        let (mut telling, mut lengths) = (Telling::default(), heads(1));
        while telling.beacons == 0 || telling.waits() {
            telling.next(&lengths, ROOM);
        }
        let recent = telling.logs.iter().max_by_key(|(_, named)| named.last).map(|(log, _)| *log).expect("logs");
        lengths.insert(recent, 9);
        for round in 0..2 {
            let told = telling.next(&lengths, ROOM);
            assert_eq!((told.get(&recent), told.len()), (Some(&9), ROOM / 2 + 1), "{round}");
            assert_eq!(telling.waits(), round == 0, "a beacon that is overtaken must not be the only one");
        }
        let told = telling.next(&lengths, ROOM);
        assert_eq!((told.get(&recent), told.len()), (None, ROOM / 2));
        lengths.insert(recent, 8);
        assert_eq!(telling.next(&lengths, ROOM).get(&recent), Some(&8), "a seal took an entry back");
    }

    #[test]
    fn a_few_logs_are_named_all_of_them_each_time() {
        let mut telling = Telling::default();
        let lengths = BTreeMap::from([(0, 5), (7, 6)]);
        (0..4).for_each(|_| assert_eq!(telling.next(&lengths, 512), lengths));
        assert_eq!((rounds(2, 512), rounds(800, 8), rounds(0, 8)), (1, 200, 0));
    }
}
