//! Who holds which log up to where, and whether enough members in enough provinces do.
//!
//! [`Holdings`] is what this node was told by beacons and sessions. [`survey`] counts, and [`Watch`] decides about entries
//! that had time to arrive, and says since when a log is short. Who has not said yet how far it holds a log, after this
//! node's start or its own, is neither counted nor blamed.

pub mod holdings;

use std::collections::{BTreeMap, BTreeSet};

use crate::charter::LogNumber;
use crate::identity::MemberNumber;
use crate::survey::place::province_of;

pub use holdings::{Frontiers, Holdings, Told};

/// Members that must hold each log, unless the operator says otherwise.
pub const REPLICAS_MIN: usize = 3;
/// Provinces in which they must be.
pub const PROVINCES_MIN: usize = 2;
/// Who was not heard for so long is not counted among the holders: its disk may be gone.
pub const HOLDER_STALE_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// Members that are named as lacking a log; beyond them they are counted only.
pub const LACKING_NAMED_MAX: usize = 20;
/// Steps by which it is told how many hold a log up to where.
pub const STEPS_MAX: usize = 8;

/// How many members must hold each log, and in how many provinces. A federation that has fewer of either needs all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Members.
    pub replicas: usize,
    /// Provinces.
    pub provinces: usize,
}

impl Default for Rule {
    fn default() -> Self {
        Self { replicas: REPLICAS_MIN, provinces: PROVINCES_MIN }
    }
}

impl Rule {
    /// What can be asked of these members.
    pub fn within(self, holders: &[Holder]) -> Self {
        let provinces: BTreeSet<&str> = holders.iter().filter_map(|holder| holder.province.as_deref()).collect();
        Self { replicas: self.replicas.min(holders.len()), provinces: self.provinces.min(provinces.len()) }
    }
}

/// A member that can hold logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub member: MemberNumber,
    /// Its province; nothing for a member without a division code.
    pub province: Option<String>,
    /// Whether it was heard lately: others are not counted.
    pub counts: bool,
}

impl Holder {
    /// A member in a division.
    pub fn new(member: MemberNumber, region: &str, counts: bool) -> Self {
        Self { member, province: (!region.is_empty()).then(|| province_of(region)), counts }
    }
}

/// A log that is to be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// Its number.
    pub number: LogNumber,
    /// Entries that count.
    pub length: u64,
    /// Of these, the ones that had time to arrive.
    pub settled: u64,
}

/// Who holds a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custody {
    /// The log.
    pub log: Log,
    /// Members that hold what is settled; all of it, while nothing is.
    pub held_by: usize,
    /// Members that hold all of it.
    pub held_whole_by: usize,
    /// Provinces of `held_by`.
    pub provinces: usize,
    /// So many members hold at least so many entries, the longest first.
    pub steps: Vec<(u64, usize)>,
    /// Members that lack some of what is settled, the first few.
    pub lacking: Vec<MemberNumber>,
    /// How many do.
    pub lacking_count: usize,
    /// Whether the rule is broken.
    pub short: bool,
}

/// Counts who holds what, the log that fewest hold first. `own` holds everything that this node does. After `rounds`
/// beacons a member has named every log that it holds.
pub fn survey(
    logs: &[Log],
    holders: &[Holder],
    holdings: &Holdings,
    own: Option<MemberNumber>,
    rule: Rule,
    rounds: u64,
) -> Vec<Custody> {
    let wanted = rule.within(holders);
    let count = |log: &Log| custody(*log, holders, holdings, own, wanted, rounds);
    let mut found: Vec<Custody> = logs.iter().map(count).collect();
    found.sort_by_key(|custody| (!custody.short, custody.held_by, custody.provinces, custody.log.number));
    found
}

fn custody(
    log: Log,
    holders: &[Holder],
    holdings: &Holdings,
    own: Option<MemberNumber>,
    wanted: Rule,
    rounds: u64,
) -> Custody {
    // Before anything of a log is settled, all of it is counted, and nobody is blamed.
    let judged = if log.settled == 0 { log.length } else { log.settled };
    let mut lengths: BTreeMap<u64, usize> = BTreeMap::new();
    let mut provinces: BTreeSet<&str> = BTreeSet::new();
    // Who may hold it, too, and did not say yet.
    let (mut open, mut provinces_open) = (0, BTreeSet::new());
    let (mut held_by, mut held_whole_by, mut lacking, mut lacking_count) = (0, 0, Vec::new(), 0);
    for holder in holders {
        let length = match holder.counts {
            _ if own == Some(holder.member) => log.length,
            true => holdings.length(holder.member, log.number).min(log.length),
            false => 0,
        };
        *lengths.entry(length).or_default() += 1;
        held_whole_by += usize::from(length >= log.length);
        if length >= judged {
            held_by += 1;
            provinces.extend(holder.province.as_deref());
        } else if holder.counts && !holdings.knows(holder.member, log.number, rounds) {
            open += 1;
            provinces_open.extend(holder.province.as_deref());
        } else {
            lacking_count += 1;
            if lacking.len() < LACKING_NAMED_MAX {
                lacking.push(holder.member);
            }
        }
    }
    let mut steps = Vec::new();
    let mut members = 0;
    for (length, count) in lengths.into_iter().rev().filter(|(length, _)| *length > 0).take(STEPS_MAX) {
        members += count;
        steps.push((length, members));
    }
    provinces_open.extend(&provinces);
    let few = held_by + open < wanted.replicas || provinces_open.len() < wanted.provinces;
    let (short, provinces) = (log.settled > 0 && few, provinces.len());
    Custody { log, held_by, held_whole_by, provinces, steps, lacking, lacking_count, short }
}

#[derive(Debug, Clone, Copy, Default)]
struct Checkpoint {
    settled: u64,
    next: u64,
    next_at_ms: u64,
    short_seen_ms: Option<u64>,
    well_seen_ms: Option<u64>,
    short_since_ms: Option<u64>,
}

/// Remembers which entries had time to arrive, and since when a log is short. A log must be short for `hold_ms` before
/// it is said, and well for as long before it is not.
#[derive(Debug, Clone)]
pub struct Watch {
    /// How long an entry has to arrive everywhere.
    grace_ms: u64,
    hold_ms: u64,
    logs: BTreeMap<LogNumber, Checkpoint>,
}

impl Watch {
    /// With these times.
    pub fn new(grace_ms: u64, hold_ms: u64) -> Self {
        Self { grace_ms, hold_ms, logs: BTreeMap::new() }
    }

    /// Takes the lengths of the logs that are there now, and says which entries are settled: those that were here one
    /// to two times the grace ago.
    pub fn observe(&mut self, lengths: &[(LogNumber, u64)], now_ms: u64) -> Vec<Log> {
        let there: BTreeSet<LogNumber> = lengths.iter().map(|(log, _)| *log).collect();
        self.logs.retain(|log, _| there.contains(log));
        let grace_ms = self.grace_ms;
        let observed = lengths.iter().map(|(number, length)| {
            let fresh = Checkpoint { next: *length, next_at_ms: now_ms, ..Checkpoint::default() };
            let known = self.logs.entry(*number).or_insert(fresh);
            if now_ms.saturating_sub(known.next_at_ms) >= grace_ms {
                (known.settled, known.next, known.next_at_ms) = (known.next, *length, now_ms);
            }
            // A seal can take entries back.
            (known.settled, known.next) = (known.settled.min(*length), known.next.min(*length));
            Log { number: *number, length: *length, settled: known.settled }
        });
        observed.collect()
    }

    /// Takes what was counted. Says whether a log became short or is well again. While `suspended`, nothing changes:
    /// this node cannot tell.
    pub fn judge(&mut self, found: &[Custody], suspended: bool, now_ms: u64) -> bool {
        let (mut changed, hold_ms) = (false, self.hold_ms);
        for custody in found.iter().filter(|_| !suspended) {
            let Some(known) = self.logs.get_mut(&custody.log.number) else { continue };
            let (seen, other) = match custody.short {
                true => (&mut known.short_seen_ms, &mut known.well_seen_ms),
                false => (&mut known.well_seen_ms, &mut known.short_seen_ms),
            };
            *other = None;
            let since_ms = *seen.get_or_insert(now_ms);
            if now_ms.saturating_sub(since_ms) >= hold_ms && known.short_since_ms.is_some() != custody.short {
                known.short_since_ms = custody.short.then_some(since_ms);
                changed = true;
            }
        }
        changed
    }

    /// Since when a log is short.
    pub fn short_since_ms(&self, log: LogNumber) -> Option<u64> {
        self.logs.get(&log)?.short_since_ms
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn agree(holdings: &mut Holdings, member: u32, lengths: &Arc<[u64]>) {
        let told = Told { boot_ms: 1, entries: lengths.iter().sum(), heads: &BTreeMap::new() };
        holdings.agree(MemberNumber(member), told, lengths);
    }

    fn holder(member: u32, region: &str) -> Holder {
        Holder::new(MemberNumber(member), region, true)
    }

    fn log(number: LogNumber, length: u64) -> Log {
        Log { number, length, settled: length }
    }

    #[test]
    fn the_log_that_fewest_hold_comes_first_and_the_rule_names_who_lacks_it() {
        let holders = [holder(1, ""), holder(2, "411426"), holder(3, "500236"), holder(4, "500240")];
        let mut holdings = Holdings::default();
        let all: Arc<[u64]> = vec![10, 20, 30].into();
        agree(&mut holdings, 2, &all);
        agree(&mut holdings, 3, &all);
        holdings.note(MemberNumber(3), [(1, 25), (9, 7)], 3);
        holdings.note(MemberNumber(4), [(0, 10), (2, 12), (1, 3)], 3);
        let own = Some(MemberNumber(1));
        let rule = Rule { replicas: 4, provinces: 2 };
        let found = survey(&[log(0, 10), log(1, 25), log(2, 30)], &holders, &holdings, own, rule, 0);
        let shown: Vec<_> = found.iter().map(|found| (found.log.number, found.held_by, found.short)).collect();
        assert_eq!(shown, [(1, 2, true), (2, 3, true), (0, 4, false)]);
        assert_eq!(found[0].lacking, [MemberNumber(2), MemberNumber(4)]);
        assert_eq!(found[0].steps, [(25, 2), (20, 3), (3, 4)]);
        assert_eq!(found[1].steps, [(30, 3), (12, 4)]);
        assert_eq!((found[0].provinces, found[1].provinces, found[2].provinces), (1, 2, 2));
        assert_eq!(holdings.length(MemberNumber(3), 9), 0, "the charter knows no such log");
    }

    #[test]
    fn provinces_count_as_well_and_small_federations_need_all_they_have() {
        let mut holdings = Holdings::default();
        let all: Arc<[u64]> = vec![5].into();
        let holders = [holder(1, "500236"), holder(2, "500240"), holder(3, "500101"), holder(4, "411426")];
        (1..=3).for_each(|member| agree(&mut holdings, member, &all));
        let found = survey(&[log(0, 5)], &holders, &holdings, None, Rule::default(), 0);
        assert!(found[0].short && found[0].held_by == 3 && found[0].provinces == 1, "{found:?}");
        let same = survey(&[log(0, 5)], &holders[..3], &holdings, None, Rule::default(), 0);
        assert!(!same[0].short, "they are all in one province");
        let two = survey(&[log(0, 5)], &holders[..2], &holdings, None, Rule::default(), 0);
        assert!(!two[0].short, "there are only two");
        let mut silent = holders[..3].to_vec();
        silent[0].counts = false;
        assert!(survey(&[log(0, 5)], &silent, &holdings, None, Rule::default(), 0)[0].short);
    }

    #[test]
    fn a_log_that_has_just_come_is_counted_and_not_short() {
        let holders = [holder(1, ""), holder(2, ""), holder(3, "")];
        let fresh = Log { number: 0, length: 5, settled: 0 };
        let found = survey(&[fresh], &holders, &Holdings::default(), Some(MemberNumber(1)), Rule::default(), 0);
        assert_eq!((found[0].held_by, found[0].lacking_count, found[0].short), (1, 2, false));
    }

    #[test]
    fn who_has_not_said_yet_is_neither_counted_nor_blamed() {
        let holders = [holder(1, "500236"), holder(2, "500240"), holder(3, "411426"), holder(4, "411421")];
        let (mut holdings, own) = (Holdings::default(), Some(MemberNumber(1)));
        let count = |holdings: &Holdings| {
            let found = survey(&[log(0, 5)], &holders, holdings, own, Rule::default(), 2).remove(0);
            (found.held_by, found.lacking, found.short)
        };
        assert_eq!(count(&holdings), (1, Vec::new(), false), "this node has just started");
        let tell = |holdings: &mut Holdings, member: u32, heads: &[(LogNumber, u64)]| {
            let heads = heads.iter().copied().collect();
            holdings.tell(MemberNumber(member), Told { boot_ms: 1, entries: 9, heads: &heads }, 2);
        };
        (2..=4).for_each(|member| tell(&mut holdings, member, &[(1, 4)]));
        assert_eq!(count(&holdings), (1, Vec::new(), false), "their beacons speak of another log so far");
        tell(&mut holdings, 2, &[(0, 5)]);
        (3..=4).for_each(|member| tell(&mut holdings, member, &[(1, 5)]));
        assert_eq!(count(&holdings), (2, vec![MemberNumber(3), MemberNumber(4)], true), "they would have named it");
        tell(&mut holdings, 3, &[(0, 5)]);
        assert_eq!(count(&holdings), (3, vec![MemberNumber(4)], false));
    }

    #[test]
    fn an_entry_is_judged_once_it_had_time_to_arrive() {
        let mut watch = Watch::new(100, 10);
        let settled = |watch: &mut Watch, length, now_ms| watch.observe(&[(0, length)], now_ms)[0].settled;
        assert_eq!(settled(&mut watch, 5, 0), 0, "nothing is known right after the start");
        assert_eq!(settled(&mut watch, 8, 99), 0);
        assert_eq!(settled(&mut watch, 8, 100), 5);
        assert_eq!(settled(&mut watch, 9, 199), 5);
        assert_eq!(settled(&mut watch, 9, 200), 8);
        assert_eq!(settled(&mut watch, 3, 201), 3, "a seal took entries back");
    }

    #[test]
    fn a_log_is_short_when_it_stays_so_and_well_when_it_stays_so() {
        let mut watch = Watch::new(0, 10);
        let holders = [holder(1, ""), holder(2, ""), holder(3, "")];
        let mut judge = |holdings: &Holdings, suspended: bool, now_ms: u64| {
            watch.observe(&[(0, 5)], now_ms);
            let found = survey(&[log(0, 5)], &holders, holdings, Some(MemberNumber(1)), Rule::default(), 0);
            let changed = watch.judge(&found, suspended, now_ms);
            (changed, watch.short_since_ms(0))
        };
        let (none, mut all) = (Holdings::default(), Holdings::default());
        all.note(MemberNumber(2), [(0, 5)], 1);
        all.note(MemberNumber(3), [(0, 5)], 1);
        assert_eq!(judge(&none, false, 0), (false, None));
        assert_eq!(judge(&all, false, 9), (false, None), "it was short for a moment");
        assert_eq!(judge(&none, false, 20), (false, None));
        assert_eq!(judge(&none, true, 35), (false, None), "who is cut off cannot tell");
        assert_eq!(judge(&none, false, 40), (true, Some(20)));
        assert_eq!(judge(&all, false, 41), (false, Some(20)));
        assert_eq!(judge(&none, false, 45), (false, Some(20)));
        assert_eq!(judge(&all, false, 50), (false, Some(20)));
        assert_eq!(judge(&all, false, 60), (true, None));
    }
}
