//! With whom to sync, and when: on connect, on a gap, and every so often with a few random peers (DESIGN 5.5).
//!
//! One session per peer at a time, whoever began it. A peer that fails is left alone for a while, longer each time.
//! [`Agenda`] opens no stream: the shell asks it for what is [`Agenda::due`], asks whether it may [`Agenda::begin`],
//! and tells it how a session [`Agenda::ended`]. Times are milliseconds of a clock that never goes back.

use std::collections::BTreeMap;

use crate::identity::PublicKey;
use crate::sync::session::Summary;

/// Sessions that run at a time, begun by either side.
pub const SESSIONS: usize = 16;
/// Of these, places that only sessions begun by this node can take.
pub const SESSIONS_OWN: usize = 4;
/// How long the side that was dialled leaves the first session to the other.
pub const INBOUND_GRACE_MS: u64 = 3_000;
/// Random peers in each round.
pub const PEERS_PER_ROUND: usize = 2;
/// The first wait after a failure; it doubles with each further one.
pub const BACKOFF_FIRST_MS: u64 = 500;
/// The longest wait after failures, before chance is added or taken away.
pub const BACKOFF_LONGEST_MS: u64 = 120_000;
/// Failures that are counted.
const FAILURES_MAX: u32 = 16;

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Both sides were done.
    Well,
    /// Both sides were done, and entries came that could not be kept yet: the next session fetches them again.
    LeftOut,
    /// The peer claimed entries that it did not deliver.
    Undelivered,
    /// It broke, and nobody is to blame for certain.
    Failed,
    /// It broke in a way that only a faulty or hostile peer causes.
    Offence,
}

impl Ended {
    /// How a session ended in which both sides were done.
    pub fn of(summary: &Summary) -> Self {
        match summary {
            Summary { entries_left_out: 1.., .. } => Self::LeftOut,
            Summary { undelivered: 0, .. } => Self::Well,
            _ => Self::Undelivered,
        }
    }

    /// How a session ended early.
    pub fn early(is_offence: bool) -> Self {
        if is_offence { Self::Offence } else { Self::Failed }
    }
}

#[derive(Debug, Clone, Default)]
struct Peer {
    /// Sessions that run; two for a moment when both sides began one.
    running: u32,
    /// Whether it disconnected while a session ran.
    gone: bool,
    /// Whether its last failure was an offence.
    offended: bool,
    due_ms: Option<u64>,
    failures: u32,
    wait_until_ms: Option<u64>,
}

/// What is known of each peer, and when it is due.
#[derive(Debug, Clone)]
pub struct Agenda {
    own: PublicKey,
    peers: BTreeMap<PublicKey, Peer>,
}

impl Agenda {
    /// An agenda of the node with this transport key.
    pub fn new(own: PublicKey) -> Self {
        Self { own, peers: BTreeMap::new() }
    }

    /// A session with this peer is wanted at that time or before.
    pub fn want(&mut self, peer: PublicKey, due_ms: u64) {
        let known = self.peers.entry(peer).or_default();
        known.due_ms = Some(known.due_ms.map_or(due_ms, |before| before.min(due_ms)));
    }

    /// Sessions with all of these are wanted now, whatever happened before.
    pub fn want_everybody(&mut self, connected: impl IntoIterator<Item = PublicKey>, now_ms: u64) {
        for peer in connected {
            let known = self.peers.entry(peer).or_default();
            known.due_ms = Some(now_ms);
            known.wait_until_ms = None;
        }
    }

    /// A peer connected; `outbound` if this node dialled it.
    pub fn connected(&mut self, peer: PublicKey, outbound: bool, now_ms: u64) {
        let known = self.peers.entry(peer).or_default();
        known.gone = false;
        if !known.offended {
            known.failures = 0;
            known.wait_until_ms = None;
        }
        // One side begins, so that two sessions do not fetch the same things; the other makes sure later.
        known.due_ms = Some(now_ms + if outbound { 0 } else { INBOUND_GRACE_MS });
    }

    /// A peer disconnected. One that offended is remembered, so that it gains nothing by coming back.
    pub fn gone(&mut self, peer: &PublicKey) {
        if let Some(known) = self.peers.get_mut(peer) {
            known.gone = true;
            if known.running == 0 && !known.offended {
                self.peers.remove(peer);
            }
        }
    }

    /// Peers with whom a session is to begin now, by key.
    pub fn due(&self, now_ms: u64) -> Vec<PublicKey> {
        let is_due = |peer: &Peer| {
            peer.running == 0
                && !peer.gone
                && peer.due_ms.is_some_and(|due_ms| due_ms <= now_ms)
                && peer.wait_until_ms.is_none_or(|until_ms| until_ms <= now_ms)
        };
        self.peers.iter().filter(|(_, peer)| is_due(peer)).map(|(key, _)| *key).collect()
    }

    /// Whether a session with a peer may begin now, while `running` run with anybody; `inbound` if the peer asks for it.
    /// If so, it counts as running until [`Self::ended`]. Only members have sessions.
    pub fn begin(&mut self, peer: PublicKey, inbound: bool, is_member: bool, running: usize, now_ms: u64) -> bool {
        let known = self.peers.entry(peer).or_default();
        let banned = known.offended && known.wait_until_ms.is_some_and(|until_ms| until_ms > now_ms);
        // When both sides begin at once, the session of the side with the lower key goes on.
        let crossing = inbound && known.running == 1 && peer < self.own;
        // Own sessions always have room.
        let room = if inbound { SESSIONS - SESSIONS_OWN } else { SESSIONS };
        if (known.running > 0 && !crossing) || running >= room || (banned && inbound) {
            return false;
        }
        if !is_member {
            self.peers.remove(&peer);
            return false;
        }
        known.running += 1;
        if !inbound {
            known.due_ms = None;
        }
        true
    }

    /// A session ended. `chance` is a random byte.
    pub fn ended(&mut self, peer: PublicKey, how: Ended, chance: u8, now_ms: u64) {
        let known = self.peers.entry(peer).or_default();
        known.running = known.running.saturating_sub(1);
        known.offended = how == Ended::Offence;
        if known.gone && known.running == 0 && !known.offended {
            self.peers.remove(&peer);
            return;
        }
        match how {
            Ended::LeftOut => known.due_ms = Some(now_ms),
            Ended::Well => {
                known.failures = 0;
                known.wait_until_ms = None;
            }
            Ended::Undelivered | Ended::Failed | Ended::Offence => {
                known.failures = (known.failures + 1).min(FAILURES_MAX);
                known.wait_until_ms = Some(now_ms + wait_ms(known.failures, chance));
                // What was wanted is still wanted.
                known.due_ms.get_or_insert(now_ms);
            }
        }
    }

    /// A round: sessions with a few of the connected members are wanted now. `random` chooses them.
    pub fn round(&mut self, mut connected: Vec<PublicKey>, random: [u64; PEERS_PER_ROUND], now_ms: u64) {
        for number in random {
            if connected.is_empty() {
                break;
            }
            let peer = connected.swap_remove((number % connected.len() as u64) as usize);
            self.peers.entry(peer).or_default().due_ms = Some(now_ms);
        }
    }

    /// Peers that are remembered.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether nobody is remembered.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }
}

/// The wait after so many failures: half to one and a half of it, for two peers that failed together must not try again
/// together.
fn wait_ms(failures: u32, chance: u8) -> u64 {
    let wait_ms = (BACKOFF_FIRST_MS << failures.saturating_sub(1)).min(BACKOFF_LONGEST_MS);
    wait_ms / 2 + wait_ms * u64::from(chance) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: PublicKey = PublicKey([5; 32]);
    const PEER: PublicKey = PublicKey([7; 32]);

    fn begin(agenda: &mut Agenda, peer: PublicKey, inbound: bool, now_ms: u64) -> bool {
        agenda.begin(peer, inbound, true, 0, now_ms)
    }

    #[test]
    fn the_wait_doubles_with_each_failure_up_to_a_bound() {
        assert_eq!((wait_ms(1, 0), wait_ms(1, 255), wait_ms(2, 0)), (250, 750, 500));
        assert_eq!((wait_ms(16, 0), wait_ms(16, 255)), (60_000, 180_000));
        let mut agenda = Agenda::new(OWN);
        agenda.connected(PEER, true, 0);
        assert!(begin(&mut agenda, PEER, false, 0));
        agenda.ended(PEER, Ended::Failed, 0, 0);
        assert_eq!(agenda.due(249), []);
        assert_eq!(agenda.due(250), [PEER], "what was wanted is still wanted");
        assert!(begin(&mut agenda, PEER, false, 250));
        agenda.ended(PEER, Ended::Undelivered, 0, 250);
        assert_eq!((agenda.due(749), agenda.due(750)), (vec![], vec![PEER]));
        assert!(begin(&mut agenda, PEER, false, 750));
        agenda.ended(PEER, Ended::Well, 0, 750);
        agenda.want(PEER, 800);
        assert_eq!(agenda.due(800), [PEER], "a success ends the wait");
    }

    #[test]
    fn one_session_at_a_time_and_of_two_that_cross_the_lower_keys_goes_on() {
        let mut agenda = Agenda::new(OWN);
        assert!(begin(&mut agenda, PEER, false, 0));
        assert!(!begin(&mut agenda, PEER, false, 0) && !begin(&mut agenda, PEER, true, 0));
        let lower = PublicKey([1; 32]);
        assert!(begin(&mut agenda, lower, false, 0) && begin(&mut agenda, lower, true, 0));
        assert!(!begin(&mut agenda, lower, true, 0));
    }

    #[test]
    fn who_offended_gains_nothing_by_coming_back() {
        let mut agenda = Agenda::new(OWN);
        agenda.connected(PEER, true, 0);
        assert!(begin(&mut agenda, PEER, false, 0));
        agenda.ended(PEER, Ended::Offence, 255, 0);
        agenda.gone(&PEER);
        agenda.connected(PEER, true, 10);
        assert_eq!(agenda.due(700), []);
        assert!(!begin(&mut agenda, PEER, true, 700), "nor by asking");
        assert_eq!(agenda.due(750), [PEER]);
        // Who only failed is met afresh.
        let mut agenda = Agenda::new(OWN);
        agenda.connected(PEER, true, 0);
        assert!(begin(&mut agenda, PEER, false, 0));
        agenda.ended(PEER, Ended::Failed, 255, 0);
        agenda.gone(&PEER);
        assert!(agenda.is_empty());
        agenda.connected(PEER, false, 10);
        assert_eq!((agenda.due(10), agenda.due(10 + INBOUND_GRACE_MS)), (vec![], vec![PEER]));
    }

    #[test]
    fn places_are_kept_for_own_sessions_and_strangers_get_none() {
        let mut agenda = Agenda::new(OWN);
        assert!(!agenda.begin(PEER, true, true, SESSIONS - SESSIONS_OWN, 0));
        assert!(agenda.begin(PEER, false, true, SESSIONS - SESSIONS_OWN, 0));
        assert!(!agenda.begin(PublicKey([8; 32]), false, true, SESSIONS, 0));
        assert!(!agenda.begin(PublicKey([9; 32]), true, false, 0, 0));
    }

    #[test]
    fn a_round_asks_a_few_of_those_who_are_there() {
        let mut agenda = Agenda::new(OWN);
        let keys: Vec<PublicKey> = (0..5).map(|number| PublicKey([number; 32])).collect();
        agenda.round(keys.clone(), [7, 3], 4);
        assert_eq!(agenda.due(4).len(), PEERS_PER_ROUND);
        agenda.round(keys[..1].to_vec(), [1, 1], 5);
        agenda.round(Vec::new(), [1, 1], 6);
        assert!(agenda.len() <= 3);
    }
}
