//! The network: who reaches whom, how long it takes, and what is lost on the way.

use std::collections::{BTreeMap, BTreeSet};

use super::scenario::Rules;

/// What a lost segment of a stream costs before it is sent again, at least.
const AGAIN_MS: u64 = 200;
/// What chance adds to it.
const AGAIN_JITTER_MS: u64 = 800;
/// Gossip that would wait for longer than this is dropped by its sender: its queues are bounded.
const GOSSIP_BACKLOG_MS: u64 = 5_000;

/// The network between members.
#[derive(Debug)]
pub(super) struct Network {
    rules: Rules,
    partition: BTreeSet<usize>,
    blocked: BTreeSet<(usize, usize)>,
    /// What each member sends in a second.
    rates: Vec<u64>,
    /// When each member has sent everything that it wanted to send.
    busy_until_ms: Vec<u64>,
    /// When what was sent last on streams arrives: nothing overtakes it.
    last_ms: BTreeMap<(usize, usize), u64>,
    /// Streams on which something did not arrive: nothing arrives after it, until the link is made anew.
    severed: BTreeSet<(usize, usize)>,
    /// How often each link was made.
    epochs: BTreeMap<(usize, usize), u64>,
}

impl Network {
    pub(super) fn new(rules: Rules, members: usize) -> Self {
        Self {
            rules,
            partition: BTreeSet::new(),
            blocked: BTreeSet::new(),
            rates: vec![rules.bytes_per_second; members],
            busy_until_ms: vec![0; members],
            last_ms: BTreeMap::new(),
            severed: BTreeSet::new(),
            epochs: BTreeMap::new(),
        }
    }

    pub(super) fn partition(&mut self, side: BTreeSet<usize>) {
        self.partition = side;
    }

    pub(super) fn block(&mut self, from: usize, to: usize) {
        self.blocked.insert((from, to));
    }

    pub(super) fn heal(&mut self) {
        self.partition.clear();
        self.blocked.clear();
    }

    pub(super) fn slow(&mut self, member: usize, bytes_per_second: u64) {
        self.rates[member] = bytes_per_second.max(1);
    }

    /// Whether what `from` sends arrives at `to`.
    pub(super) fn reaches(&self, from: usize, to: usize) -> bool {
        self.partition.contains(&from) == self.partition.contains(&to) && !self.blocked.contains(&(from, to))
    }

    /// When everything is sent that `member` wanted to send.
    pub(super) fn busy_until_ms(&self, member: usize) -> u64 {
        self.busy_until_ms[member]
    }

    /// A member starts anew, with empty queues.
    pub(super) fn forget(&mut self, member: usize, now_ms: u64) {
        self.busy_until_ms[member] = now_ms;
    }

    /// When what is sent on a stream now arrives: in order, late if something was lost, or never.
    pub(super) fn stream(
        &mut self,
        (from, to): (usize, usize),
        bytes: usize,
        now_ms: u64,
        random: &mut fastrand::Rng,
    ) -> Option<u64> {
        let mut at_ms = self.transmit(from, bytes, now_ms) + self.latency(random);
        // Each segment can be lost.
        if self.is_lost(random) {
            at_ms += AGAIN_MS + random.u64(0..AGAIN_JITTER_MS);
        }
        let last_ms = self.last_ms.entry((from, to)).or_default();
        *last_ms = at_ms.max(*last_ms);
        let at_ms = *last_ms;
        if !self.reaches(from, to) {
            self.severed.insert((from, to));
        }
        (!self.severed.contains(&(from, to))).then_some(at_ms)
    }

    /// A link between two members is made anew: what was on its way on the old one arrives nowhere.
    pub(super) fn reconnect(&mut self, one: usize, other: usize) {
        self.severed.remove(&(one, other));
        self.severed.remove(&(other, one));
        *self.epochs.entry((one.min(other), one.max(other))).or_default() += 1;
    }

    /// How often the link between two members was made.
    pub(super) fn epoch(&self, one: usize, other: usize) -> u64 {
        self.epochs.get(&(one.min(other), one.max(other))).copied().unwrap_or_default()
    }

    /// When a message of gossip arrives: never, once or twice, in any order. `None` if it was not even sent.
    pub(super) fn gossip(
        &mut self,
        (from, to): (usize, usize),
        bytes: usize,
        now_ms: u64,
        random: &mut fastrand::Rng,
    ) -> Option<Vec<u64>> {
        if self.busy_until_ms[from] > now_ms + GOSSIP_BACKLOG_MS {
            return None;
        }
        let sent_ms = self.transmit(from, bytes, now_ms);
        let copies = 1 + usize::from(random.u32(0..1_000) < self.rules.duplicate_permille);
        let mut arrivals = Vec::with_capacity(copies);
        for _ in 0..copies {
            let at_ms = sent_ms + self.latency(random);
            if !self.is_lost(random) && self.reaches(from, to) {
                arrivals.push(at_ms);
            }
        }
        Some(arrivals)
    }

    fn transmit(&mut self, from: usize, bytes: usize, now_ms: u64) -> u64 {
        let sending_ms = bytes as u64 * 1_000 / self.rates[from];
        self.busy_until_ms[from] = self.busy_until_ms[from].max(now_ms) + sending_ms;
        self.busy_until_ms[from]
    }

    fn latency(&self, random: &mut fastrand::Rng) -> u64 {
        self.rules.latency_ms + random.u64(0..=self.rules.jitter_ms)
    }

    fn is_lost(&self, random: &mut fastrand::Rng) -> bool {
        random.u32(0..1_000) < self.rules.loss_permille
    }
}
