//! How far each member's node is known to hold each log: what sessions and beacons told, a claim and not a proof.
//!
//! What one process of a node said only adds up, since logs only grow: a beacon that was long on its way takes nothing
//! back. A node that has started again may have lost its store; if it counts fewer entries than it was believed to hold,
//! nothing is believed any more but what it says now. Whoever names a frontier that this node has, or had lately
//! ([`Frontiers`]), holds what it holds, so that one list of lengths serves all who agree, and a beacon says everything
//! even while entries go on arriving.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::charter::LogNumber;
use crate::identity::{FrontierDigest, MemberNumber};

/// Frontiers of this node that are remembered, the present one among them.
pub const FRONTIERS_KEPT: usize = 128;

/// The frontiers that this node went through lately: their digests, and the lengths of all logs by number.
#[derive(Debug, Clone, Default)]
pub struct Frontiers(VecDeque<(FrontierDigest, Arc<[u64]>)>);

impl Frontiers {
    /// This is the frontier now. Returns its lengths.
    pub fn note(&mut self, digest: FrontierDigest, heads: &BTreeMap<LogNumber, u64>) -> Arc<[u64]> {
        if let Some((_, lengths)) = self.0.back().filter(|(known, _)| *known == digest) {
            return Arc::clone(lengths);
        }
        let mut lengths = vec![0; heads.last_key_value().map_or(0, |(log, _)| *log as usize + 1)];
        heads.iter().for_each(|(log, length)| lengths[*log as usize] = *length);
        let lengths: Arc<[u64]> = lengths.into();
        self.0.push_back((digest, Arc::clone(&lengths)));
        if self.0.len() > FRONTIERS_KEPT {
            self.0.pop_front();
        }
        lengths
    }

    /// The lengths of the frontier with this digest, if this node has it or had it lately.
    pub fn find(&self, digest: &FrontierDigest) -> Option<&Arc<[u64]>> {
        self.0.iter().rev().find(|(known, _)| known == digest).map(|(_, lengths)| lengths)
    }
}

/// What a beacon says of the logs that its sender holds.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// When its sender started, by its clock.
    pub boot_ms: u64,
    /// Entries that count for it.
    pub entries: u64,
    /// The logs that it names.
    pub heads: &'a BTreeMap<LogNumber, u64>,
}

#[derive(Debug, Clone, Default)]
struct Held {
    /// Lengths by log, shared by all who named the same digest.
    agreed: Arc<[u64]>,
    /// What was said beyond it since.
    above: BTreeMap<LogNumber, u64>,
    /// Which process said so last; nothing before its first beacon.
    boot_ms: Option<u64>,
    /// Beacons that were heard of that process.
    beacons: u64,
    /// Whether something was said of all logs.
    whole: bool,
}

/// How far each member's node is known to hold each log.
#[derive(Debug, Clone, Default)]
pub struct Holdings(BTreeMap<MemberNumber, Held>);

impl Holdings {
    /// A session with a member ended: it holds at least these lengths. What the charter does not know (`logs` is how
    /// many it does) is not remembered, so nobody can make this grow.
    pub fn note(&mut self, member: MemberNumber, heads: impl IntoIterator<Item = (LogNumber, u64)>, logs: usize) {
        let held = self.0.entry(member).or_default();
        held.whole = true;
        held.rise(heads, logs);
    }

    /// A member's beacon came.
    pub fn tell(&mut self, member: MemberNumber, told: Told<'_>, logs: usize) {
        let held = self.0.entry(member).or_default();
        held.hear(told);
        held.rise(told.heads.iter().map(|(log, length)| (*log, *length)), logs);
    }

    /// A member's beacon came that names the frontier of now: it holds exactly what these lengths say, by log.
    pub fn agree(&mut self, member: MemberNumber, told: Told<'_>, lengths: &Arc<[u64]>) {
        let held = self.0.entry(member).or_default();
        held.hear(told);
        (held.agreed, held.above, held.whole) = (Arc::clone(lengths), BTreeMap::new(), true);
    }

    /// A member's beacon came that names a frontier of before: it holds these lengths at least, by log.
    pub fn agreed(&mut self, member: MemberNumber, told: Told<'_>, lengths: &Arc<[u64]>, logs: usize) {
        self.tell(member, told, logs);
        let held = self.0.entry(member).or_default();
        let logs = held.agreed.len().max(lengths.len());
        let beyond = (0..logs).filter_map(|log| {
            let (known, said) = (held.length(log as LogNumber), lengths.get(log).copied().unwrap_or_default());
            (known > said).then_some((log as LogNumber, known))
        });
        (held.above, held.agreed, held.whole) = (beyond.collect(), Arc::clone(lengths), true);
    }

    /// How far a member holds a log.
    pub fn length(&self, member: MemberNumber, log: LogNumber) -> u64 {
        self.0.get(&member).map_or(0, |held| held.length(log))
    }

    /// Whether a member said how far it holds a log. After `rounds` beacons, what it did not name it does not hold.
    pub fn knows(&self, member: MemberNumber, log: LogNumber, rounds: u64) -> bool {
        let said = |held: &Held| held.whole || held.beacons >= rounds || held.length(log) > 0;
        rounds == 0 || self.0.get(&member).is_some_and(said)
    }

    /// Forgets members that are none any more.
    pub fn retain(&mut self, is_member: impl Fn(MemberNumber) -> bool) {
        self.0.retain(|member, _| is_member(*member));
    }
}

impl Held {
    fn length(&self, log: LogNumber) -> u64 {
        let agreed = self.agreed.get(log as usize).copied().unwrap_or_default();
        agreed.max(self.above.get(&log).copied().unwrap_or_default())
    }

    /// Entries that it is believed to hold.
    fn entries(&self) -> u64 {
        let beyond = self
            .above
            .iter()
            .map(|(log, length)| length.saturating_sub(self.agreed.get(*log as usize).copied().unwrap_or_default()));
        self.agreed.iter().copied().chain(beyond).fold(0, u64::saturating_add)
    }

    fn hear(&mut self, told: Told<'_>) {
        if self.boot_ms.is_some_and(|boot_ms| boot_ms != told.boot_ms) {
            self.beacons = 0;
            if told.entries < self.entries() {
                *self = Self::default();
            }
        }
        self.boot_ms = Some(told.boot_ms);
        self.beacons += 1;
    }

    fn rise(&mut self, heads: impl IntoIterator<Item = (LogNumber, u64)>, logs: usize) {
        for (log, length) in heads.into_iter().filter(|(log, _)| (*log as usize) < logs) {
            if self.length(log) < length {
                self.above.insert(log, length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: MemberNumber = MemberNumber(2);

    fn told(boot_ms: u64, entries: u64, heads: &BTreeMap<LogNumber, u64>) -> Told<'_> {
        Told { boot_ms, entries, heads }
    }

    fn lengths(holdings: &Holdings) -> [u64; 3] {
        [0, 1, 2].map(|log| holdings.length(MEMBER, log))
    }

    #[test]
    fn a_member_that_lost_its_store_holds_only_what_it_says_from_then_on() {
        let (mut holdings, all): (_, Arc<[u64]>) = (Holdings::default(), vec![10, 20, 30].into());
        let (none, some) = (BTreeMap::new(), BTreeMap::from([(1, 4), (9, 5)]));
        holdings.agree(MEMBER, told(7, 60, &none), &all);
        holdings.tell(MEMBER, told(7, 54, &some), 3);
        assert_eq!(lengths(&holdings), [10, 20, 30], "a beacon that was long on its way takes nothing back");
        holdings.tell(MEMBER, told(8, 60, &some), 3);
        assert_eq!(lengths(&holdings), [10, 20, 30], "it started again with all that it had");
        assert!(holdings.knows(MEMBER, 0, 5));
        holdings.tell(MEMBER, told(9, 4, &some), 3);
        assert_eq!(lengths(&holdings), [0, 4, 0]);
        assert_eq!((holdings.knows(MEMBER, 1, 3), holdings.knows(MEMBER, 0, 3)), (true, false));
        (0..2).for_each(|_| holdings.tell(MEMBER, told(9, 4, &none), 3));
        assert!(holdings.knows(MEMBER, 0, 3), "by now it would have named it");
    }

    #[test]
    fn whoever_names_a_frontier_of_before_holds_what_it_held() {
        let mut frontiers = Frontiers::default();
        let digest = |number: u8| FrontierDigest([number; 32]);
        let heads = |length: u64| BTreeMap::from([(0, length), (2, 3)]);
        for number in 1..=3 {
            frontiers.note(digest(number), &heads(u64::from(number)));
        }
        let before = Arc::clone(frontiers.find(&digest(1)).expect("it was had"));
        assert_eq!(before[..], [1, 0, 3]);
        let (mut holdings, named) = (Holdings::default(), BTreeMap::from([(0, 2)]));
        holdings.tell(MEMBER, told(7, 2, &named), 3);
        assert!(!holdings.knows(MEMBER, 2, 9));
        holdings.agreed(MEMBER, told(7, 4, &BTreeMap::new()), &before, 3);
        assert_eq!(lengths(&holdings), [2, 0, 3], "what it said beyond it stays");
        assert!(holdings.knows(MEMBER, 1, 9));
        (0..=FRONTIERS_KEPT as u64).for_each(|length| {
            frontiers.note(FrontierDigest(*blake3::hash(&length.to_le_bytes()).as_bytes()), &heads(length));
        });
        assert_eq!((frontiers.find(&digest(3)), frontiers.0.len()), (None, FRONTIERS_KEPT));
    }
}
