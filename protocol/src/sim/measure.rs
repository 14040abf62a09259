//! What a run looks like in figures: how long entries take to reach everybody, how long the federation needs to come
//! together again, and what a node sends. Nothing is judged here; that is for [`super::checkers`].

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Fact, Way};
use super::scenario::Action;
use crate::identity::EntryId;

/// Entries whose way is followed in one run: the first ones.
const FOLLOWED_MAX: usize = 4_096;
/// The part of the members, in thousandths, that the figures call "99 %".
const MOST_PERMILLE: usize = 990;

/// Percentiles of some quantity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// The 50th.
    pub median: u64,
    /// The 99th.
    pub most: u64,
    /// The 100th.
    pub longest: u64,
}

/// After something happened: how long until everybody who runs held everything that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// What happened.
    pub what: String,
    /// When, since the beginning, in milliseconds of virtual time.
    pub at_ms: u64,
    /// How long it took, in milliseconds; `None` if it was not so before the next thing happened or the run ended.
    pub took_ms: Option<u64>,
}

/// The figures of a run. Times are milliseconds of virtual time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Members.
    pub members: usize,
    /// Entries that were acknowledged.
    pub entries: u64,
    /// Those of them that were followed.
    pub followed: usize,
    /// Over the entries followed: until 99 % of the members that ran all the while held one.
    pub most_have_ms: Percentiles,
    /// Over the entries followed: until all members that ran all the while held one.
    pub all_have_ms: Percentiles,
    /// Members, summed over the entries followed, that ran all the while and did not hold one at the end.
    pub never: u64,
    /// Recoveries, in the order of what happened.
    pub recoveries: Vec<Recovery>,
    /// Over the members: bytes sent in a second, on average, by gossip, sync and the exchange of beacons.
    pub sent_per_second: BTreeMap<&'static str, Percentiles>,
}

/// Takes the figures of a run from its facts.
#[derive(Debug)]
pub(super) struct Measure {
    /// When each member started, while it runs.
    up_since_ms: Vec<Option<u64>>,
    /// Entries that each member holds.
    held: Vec<u64>,
    acknowledged: u64,
    /// Members that run and do not hold everything.
    behind: usize,
    journeys: BTreeMap<EntryId, Journey>,
    /// Bytes that each member sent by each way.
    sent: BTreeMap<&'static str, Vec<u64>>,
    recoveries: Vec<Recovery>,
}

/// How one entry spreads.
#[derive(Debug)]
struct Journey {
    at_ms: u64,
    /// Members that run since before it was acknowledged and have not taken it.
    waiting: BTreeSet<usize>,
    /// How long each of the others waited, in the order in which they took it.
    delays_ms: Vec<u64>,
}

impl Percentiles {
    fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let at = |permille: usize| {
            let place = (values.len() * permille).div_ceil(1_000).saturating_sub(1);
            values.get(place).copied().unwrap_or_default()
        };
        Self { median: at(500), most: at(MOST_PERMILLE), longest: at(1_000) }
    }
}

impl Recovery {
    /// What is worth waiting for after an action, if anything.
    pub(super) fn after(action: &Action, at_ms: u64) -> Option<Self> {
        let what = match action {
            Action::Heal => "everybody reaches everybody again".to_owned(),
            Action::Start { member } => format!("member {member} starts"),
            Action::Admit { member } => format!("member {member} is admitted"),
            _ => return None,
        };
        Some(Self { what, at_ms, took_ms: None })
    }
}

impl Measure {
    pub(super) fn new(members: usize) -> Self {
        Self {
            up_since_ms: vec![None; members],
            held: vec![0; members],
            acknowledged: 0,
            behind: 0,
            journeys: BTreeMap::new(),
            sent: BTreeMap::new(),
            recoveries: Vec::new(),
        }
    }

    /// Something happened after which a recovery is waited for.
    pub(super) fn expect(&mut self, recovery: Recovery) {
        self.recoveries.push(recovery);
    }

    /// Takes note of a fact. `held` says how many entries a member holds that has just started.
    pub(super) fn see(&mut self, fact: &Fact, now_ms: u64, held: impl Fn(usize) -> u64) {
        match fact {
            Fact::Started { member } => {
                self.up_since_ms[*member] = Some(now_ms);
                self.held[*member] = held(*member);
                self.count();
            }
            Fact::Stopped { member } => {
                self.up_since_ms[*member] = None;
                self.journeys.values_mut().for_each(|journey| {
                    journey.waiting.remove(member);
                });
                self.count();
            }
            Fact::Took { member, id } => self.took(*member, id, now_ms),
            Fact::Acknowledged { member, entry, .. } => {
                self.acknowledged += 1;
                self.count();
                self.follow(*member, entry.id(), now_ms);
            }
            Fact::Sent { member, bytes, way } => {
                let members = self.held.len();
                self.sent.entry(way.name()).or_insert_with(|| vec![0; members])[*member] += bytes;
            }
            _ => {}
        }
        if self.behind == 0
            && let Some(recovery) = self.recoveries.last_mut()
            // Nobody is behind yet in the moment in which something happens.
            && recovery.at_ms < now_ms
        {
            recovery.took_ms.get_or_insert(now_ms - recovery.at_ms);
        }
    }

    fn count(&mut self) {
        let members = self.up_since_ms.iter().zip(&self.held);
        self.behind = members.filter(|(up, held)| up.is_some() && **held < self.acknowledged).count();
    }

    fn took(&mut self, member: usize, id: &EntryId, now_ms: u64) {
        self.held[member] += 1;
        if self.held[member] == self.acknowledged && self.up_since_ms[member].is_some() {
            self.behind = self.behind.saturating_sub(1);
        }
        if let Some(journey) = self.journeys.get_mut(id)
            && journey.waiting.remove(&member)
        {
            journey.delays_ms.push(now_ms - journey.at_ms);
        }
    }

    fn follow(&mut self, author: usize, id: EntryId, at_ms: u64) {
        if self.journeys.len() < FOLLOWED_MAX {
            let running = self.up_since_ms.iter().enumerate().filter(|(_, up)| up.is_some_and(|since| since < at_ms));
            let waiting = running.map(|(member, _)| member).filter(|member| *member != author).collect();
            self.journeys.insert(id, Journey { at_ms, waiting, delays_ms: vec![0] });
        }
    }

    /// The figures, when the run has ended.
    pub(super) fn finish(self, ended_ms: u64) -> Figures {
        let (mut most, mut all, mut never) = (Vec::new(), Vec::new(), 0);
        for journey in self.journeys.values() {
            let members = journey.delays_ms.len() + journey.waiting.len();
            let needed = (members * MOST_PERMILLE).div_ceil(1_000);
            let unfinished = ended_ms - journey.at_ms;
            most.push(journey.delays_ms.get(needed.saturating_sub(1)).copied().unwrap_or(unfinished));
            all.push(journey.delays_ms.get(members - 1).copied().unwrap_or(unfinished));
            never += journey.waiting.len() as u64;
        }
        let mut sent_per_second = BTreeMap::new();
        let mut sums = vec![0; self.held.len()];
        for (way, bytes) in self.sent {
            sums.iter_mut().zip(&bytes).for_each(|(sum, bytes)| *sum += bytes);
            sent_per_second.insert(way, per_second(bytes, ended_ms));
        }
        sent_per_second.insert("all", per_second(sums, ended_ms));
        Figures {
            members: self.held.len(),
            entries: self.acknowledged,
            followed: most.len(),
            most_have_ms: Percentiles::of(most),
            all_have_ms: Percentiles::of(all),
            never,
            recoveries: self.recoveries,
            sent_per_second,
        }
    }
}

fn per_second(bytes: Vec<u64>, ended_ms: u64) -> Percentiles {
    Percentiles::of(bytes.into_iter().map(|bytes| bytes * 1_000 / ended_ms.max(1)).collect())
}

impl Way {
    /// Its name in figures.
    fn name(self) -> &'static str {
        match self {
            Self::Gossip => "gossip",
            Self::Sync => "sync",
            Self::Beacons => "beacons",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_given() {
        let hundred = Percentiles::of((1..=100).rev().collect());
        assert_eq!(hundred, Percentiles { median: 50, most: 99, longest: 100 });
        assert_eq!(Percentiles::of(vec![7]), Percentiles { median: 7, most: 7, longest: 7 });
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
    }

    #[test]
    fn a_recovery_lasts_until_everybody_who_runs_holds_everything() {
        let mut measure = Measure::new(3);
        let held = |_| 0;
        for member in 0..3 {
            measure.see(&Fact::Started { member }, 1, held);
        }
        let id = EntryId([7; 32]);
        measure.acknowledged = 1;
        measure.follow(0, id, 10);
        measure.see(&Fact::Took { member: 0, id }, 10, held);
        measure.count();
        let action = Action::Heal;
        measure.expect(Recovery::after(&action, 20).unwrap());
        measure.see(&Fact::Took { member: 1, id }, 50, held);
        measure.see(&Fact::Stopped { member: 2 }, 70, held);
        let figures = measure.finish(100);
        assert_eq!(figures.recoveries[0].took_ms, Some(50), "who is down holds nobody up");
        assert_eq!((figures.all_have_ms.longest, figures.never, figures.followed), (40, 0, 1));
    }
}
