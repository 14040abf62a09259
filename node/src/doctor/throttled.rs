//! Peers and members that go beyond their bounds, by name (requirement F109).
//!
//! The parts that count do so since the start. Here it is what was added in the last while that counts: a peer that
//! misbehaved once in a week is not named together with everything it ever did.

use std::collections::BTreeMap;
use std::time::Instant;

use protocol::charter::Charter;
use protocol::identity::{MemberNumber, PublicKey};

use super::catalogue::{Check, LOG_PACED, NODE_SLOW, PEER_THROTTLED};
use super::{FINDINGS_PER_CHECK_MAX, THROTTLED_FOR, THROTTLED_TIMES};
use crate::api::types::Finding;
use crate::core::Core;
use crate::network::Offence;

/// What was counted at the beginning of this half of the window, and of the one before.
#[derive(Debug, Clone, Copy)]
struct Marks<const N: usize> {
    since: Instant,
    at_begin: [u64; N],
    before: [u64; N],
}

/// Counts that forget: by whom, what was added in the last [`THROTTLED_FOR`], or half of it.
#[derive(Debug)]
struct Recent<K, const N: usize>(BTreeMap<K, Marks<N>>);

impl<K, const N: usize> Default for Recent<K, N> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Copy, const N: usize> Recent<K, N> {
    /// What was added lately to a count that is `total` now.
    fn added(&mut self, key: K, total: [u64; N], now: Instant) -> [u64; N] {
        let first = Marks { since: now, at_begin: [0; N], before: [0; N] };
        let marks = self.0.entry(key).or_insert(first);
        // A count that shrank began anew.
        if marks.before.iter().zip(total).any(|(before, total)| *before > total) {
            *marks = first;
        }
        let added = std::array::from_fn(|index| total[index] - marks.before[index]);
        if now.saturating_duration_since(marks.since) >= THROTTLED_FOR / 2 {
            *marks = Marks { since: now, before: marks.at_begin, at_begin: total };
        }
        added
    }

    /// Forgets everybody but these.
    fn keep(&mut self, keys: impl Iterator<Item = K>) {
        let keys: std::collections::BTreeSet<K> = keys.collect();
        self.0.retain(|key, _| keys.contains(key));
    }
}

/// What peers and members did beyond their bounds lately.
#[derive(Debug, Default)]
pub(super) struct Excesses {
    /// Messages rejected, messages dropped, streams refused.
    peers: Recent<PublicKey, 3>,
    /// Entries beyond the pace of gossip.
    authors: Recent<MemberNumber, 1>,
}

impl Excesses {
    /// Those that are worth naming.
    pub(super) fn findings(&mut self, core: &Core, offenders: &[(PublicKey, Offence)]) -> Vec<Finding> {
        let now = Instant::now();
        let over = core.over_limit();
        self.peers.keep(offenders.iter().map(|(key, _)| *key));
        self.authors.keep(over.keys().copied());
        let is_recent = |last: Instant| now.saturating_duration_since(last) < THROTTLED_FOR;
        core.read(|state| {
            let charter = state.replica.charter();
            let mut found = Vec::new();
            for (key, offence) in offenders {
                let total = [offence.rejected_messages, offence.shed_messages, offence.refused_streams];
                let added = self.peers.added(*key, total, now);
                if is_recent(offence.last) {
                    found.extend(of_peer(charter, key, added));
                }
            }
            for (member, (times, last)) in &over {
                let [times] = self.authors.added(*member, [*times], now);
                if is_recent(*last) && times >= THROTTLED_TIMES {
                    found.push(of_author(charter, *member, times));
                }
            }
            let of = |check: Check| found.iter().filter(move |finding| finding.id == check.id).cloned();
            let bounded = [PEER_THROTTLED, NODE_SLOW, LOG_PACED];
            bounded.into_iter().flat_map(|check| of(check).take(FINDINGS_PER_CHECK_MAX)).collect()
        })
    }
}

/// What a peer did against the rules, and what this node could not keep up with: two things.
fn of_peer(charter: &Charter, key: &PublicKey, [rejected, shed, refused]: [u64; 3]) -> Vec<Finding> {
    let member = charter.ever_of(key).map(|(member, _)| member);
    let who = member.map_or_else(|| key.short(), |member| named(charter, member));
    let subject = member.map_or_else(|| key.short(), |member| member.to_string());
    let mut found = Vec::new();
    if rejected + refused >= THROTTLED_TIMES {
        let zh = format!("{who} 的节点被限流：近来拒绝消息 {rejected} 条，拒绝数据流 {refused} 个");
        let en = format!(
            "the node of {who} is throttled: {rejected} messages rejected and {refused} streams refused lately"
        );
        found.push(PEER_THROTTLED.finding(subject.clone(), zh, en));
    }
    if shed >= THROTTLED_TIMES {
        let zh = format!("本节点来不及，近来丢下 {who} 的节点转来的消息 {shed} 条");
        let en =
            format!("this node could not keep up and dropped {shed} messages lately that the node of {who} passed on");
        found.push(NODE_SLOW.finding(subject, zh, en));
    }
    found
}

fn of_author(charter: &Charter, member: MemberNumber, times: u64) -> Finding {
    let who = named(charter, member);
    let zh = format!("{who} 的条目近来有 {times} 条超出广播的限额，没有转发，等同步时再取");
    let en = format!("{times} entries of {who} came faster than gossip carries them lately, and wait for sync");
    LOG_PACED.finding(format!("log {member}"), zh, en)
}

fn named(charter: &Charter, member: MemberNumber) -> String {
    let name = charter.members().get(&member).map(|known| known.name.as_str()).unwrap_or_default();
    format!("{name} {member}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_long_ago_is_forgotten() {
        let (mut recent, begun) = (Recent::<u8, 1>::default(), Instant::now());
        let half = THROTTLED_FOR / 2;
        assert_eq!(recent.added(1, [50], begun), [50]);
        assert_eq!(recent.added(1, [50], begun + half), [50]);
        assert_eq!(recent.added(1, [51], begun + 2 * half), [51]);
        // Both halves of the window began after the fifty.
        assert_eq!(recent.added(1, [52], begun + 3 * half), [2]);
        assert_eq!(recent.added(2, [7], begun), [7], "each by itself");
        recent.keep([2].into_iter());
        assert_eq!(recent.0.len(), 1);
    }

    #[test]
    fn who_is_to_blame_depends_on_what_happened() {
        let (charter, _) = protocol::testing::Organisation::found("秘书处", 1);
        let key = PublicKey([7; 32]);
        let ids = |counts| of_peer(&charter, &key, counts).into_iter().map(|found| found.id).collect::<Vec<_>>();
        assert_eq!(ids([THROTTLED_TIMES, 0, 0]), ["peer-throttled"]);
        assert_eq!(ids([0, THROTTLED_TIMES, 0]), ["node-slow"]);
        assert_eq!(ids([0, 0, THROTTLED_TIMES - 1]), [""; 0]);
    }
}
