//! Who was throttled: peers whose messages were rejected or shed, or whose streams were refused, and how often.
//!
//! Bounds shed in silence and decide nothing (requirement F109), but an operator must be able to name the peer behind
//! them. The counts outlive the connection; the peer that was quiet for longest makes room for a new one.

use std::collections::BTreeMap;
use std::time::Instant;

use parking_lot::Mutex;
use protocol::identity::PublicKey;

use super::limits::OFFENDERS_MAX;

/// What a peer did beyond its bounds, since this node started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offence {
    /// Gossip messages of its that broke a rule.
    pub rejected_messages: u64,
    /// Gossip messages of its that were dropped, because the node could not keep up.
    pub shed_messages: u64,
    /// Streams of its that were refused, because it had too many.
    pub refused_streams: u64,
    /// When the last of these happened.
    pub last: Instant,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    /// A gossip message broke a rule.
    Rejected,
    /// A gossip message was dropped.
    Shed,
    /// A stream was refused.
    Stream,
}

/// Peers that went beyond their bounds.
#[derive(Debug, Default)]
pub(super) struct Offenders(Mutex<BTreeMap<PublicKey, Offence>>);

impl Offenders {
    /// Counts something against a peer.
    pub(super) fn note(&self, peer: PublicKey, excess: Excess, now: Instant) {
        let mut offenders = self.0.lock();
        if !offenders.contains_key(&peer) && offenders.len() >= OFFENDERS_MAX {
            let quietest = offenders.iter().min_by_key(|(_, offence)| offence.last).map(|(peer, _)| *peer);
            quietest.map(|peer| offenders.remove(&peer));
        }
        let none = Offence { rejected_messages: 0, shed_messages: 0, refused_streams: 0, last: now };
        let offence = offenders.entry(peer).or_insert(none);
        offence.last = now;
        match excess {
            Excess::Rejected => offence.rejected_messages += 1,
            Excess::Shed => offence.shed_messages += 1,
            Excess::Stream => offence.refused_streams += 1,
        }
    }

    /// All of them, by key.
    pub(super) fn list(&self) -> Vec<(PublicKey, Offence)> {
        self.0.lock().iter().map(|(peer, offence)| (*peer, *offence)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn counts_stay_and_the_quietest_makes_room() {
        let (offenders, begun) = (Offenders::default(), Instant::now());
        let key =
            |number: usize| PublicKey([(number % 251) as u8, (number / 251) as u8].repeat(16).try_into().expect("32"));
        let at = |number: usize| begun + Duration::from_millis(number as u64);
        for number in 0..OFFENDERS_MAX {
            offenders.note(key(number), Excess::Stream, at(number));
        }
        offenders.note(key(0), Excess::Rejected, at(OFFENDERS_MAX));
        offenders.note(key(OFFENDERS_MAX), Excess::Shed, at(OFFENDERS_MAX + 1));
        let listed: BTreeMap<_, _> = offenders.list().into_iter().collect();
        assert_eq!(listed.len(), OFFENDERS_MAX);
        assert!(!listed.contains_key(&key(1)), "it was quiet for longest");
        assert_eq!((listed[&key(0)].rejected_messages, listed[&key(0)].refused_streams), (1, 1));
    }
}
