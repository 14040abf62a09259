//! The table of connected peers.
//!
//! A peer is connected from its first connection to the end of its last; connections that were cut because the peer
//! became or ceased to be a member leave the table at once, however long they take to close.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use libp2p::swarm::ConnectionId;
use protocol::identity::PublicKey;

use super::limits::{AGENT_CHARACTERS_MAX, PING_FAILURES_MAX};

/// A connected peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Its transport key.
    pub peer: PublicKey,
    /// Whether the key is on the allow list.
    pub member: bool,
    /// Whether we dialled it.
    pub outbound: bool,
    /// The multiaddress at the other end, without the peer's id.
    pub address: String,
    /// When it connected.
    pub connected_since: Instant,
    /// The last measured round trip, in milliseconds, rounded up.
    pub rtt_ms: Option<u64>,
    /// Gossip messages from this peer that were rejected, since it connected.
    pub rejected_messages: u64,
    /// Software and version as the peer states them; members only, and not to be trusted.
    pub agent: Option<String>,
}

/// What is known of a connection when it opens.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) member: bool,
    pub(super) outbound: bool,
    pub(super) address: String,
}

#[derive(Debug)]
struct Connection {
    link: Link,
    since: Instant,
    rtt: Option<Duration>,
    ping_failures: u32,
}

#[derive(Debug, Default)]
struct Peer {
    connections: BTreeMap<ConnectionId, Connection>,
    rejected_messages: u64,
    agent: Option<String>,
}

/// All connected peers.
#[derive(Debug, Default)]
pub(super) struct Peers(BTreeMap<PublicKey, Peer>);

impl Peers {
    /// Adds a connection; true when it is the peer's first.
    pub(super) fn open(&mut self, key: PublicKey, id: ConnectionId, link: Link, now: Instant) -> bool {
        let peer = self.0.entry(key).or_default();
        peer.connections.insert(id, Connection { link, since: now, rtt: None, ping_failures: 0 });
        peer.connections.len() == 1
    }

    /// Takes a connection out; true when it was there and was the peer's last.
    pub(super) fn close(&mut self, key: &PublicKey, id: &ConnectionId) -> bool {
        let Some(peer) = self.0.get_mut(key) else { return false };
        let last = peer.connections.remove(id).is_some() && peer.connections.is_empty();
        if last {
            self.0.remove(key);
        }
        last
    }

    /// Takes out the peers whose connections are not what the allow list now says, with their connections.
    pub(super) fn cut(&mut self, members: &BTreeSet<PublicKey>) -> Vec<(PublicKey, Vec<ConnectionId>)> {
        let changed = |key: &PublicKey, peer: &Peer| {
            peer.connections.values().any(|connection| connection.link.member != members.contains(key))
        };
        self.0
            .extract_if(.., |key, peer| changed(key, peer))
            .map(|(key, peer)| (key, peer.connections.into_keys().collect()))
            .collect()
    }

    pub(super) fn contains(&self, key: &PublicKey) -> bool {
        self.0.contains_key(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn connections(&self, key: &PublicKey) -> Vec<ConnectionId> {
        self.0.get(key).map(|peer| peer.connections.keys().copied().collect()).unwrap_or_default()
    }

    pub(super) fn all_connections(&self) -> Vec<ConnectionId> {
        self.0.values().flat_map(|peer| peer.connections.keys().copied()).collect()
    }

    pub(super) fn on_rejected(&mut self, key: &PublicKey) {
        if let Some(peer) = self.0.get_mut(key) {
            peer.rejected_messages += 1;
        }
    }

    /// Notes what the peer says it runs, as far as it can be shown.
    pub(super) fn on_agent(&mut self, key: &PublicKey, agent: &str) {
        if let Some(peer) = self.0.get_mut(key) {
            let shown = agent.chars().filter(|character| !character.is_control()).take(AGENT_CHARACTERS_MAX);
            peer.agent = Some(shown.collect());
        }
    }

    pub(super) fn on_pong(&mut self, key: &PublicKey, id: &ConnectionId, rtt: Duration) {
        if let Some(connection) = self.connection(key, id) {
            connection.rtt = Some(rtt);
            connection.ping_failures = 0;
        }
    }

    /// Notes a failed ping; true when the connection has failed so often that it must be given up.
    pub(super) fn on_ping_failed(&mut self, key: &PublicKey, id: &ConnectionId) -> bool {
        let Some(connection) = self.connection(key, id) else { return false };
        connection.ping_failures += 1;
        connection.ping_failures >= PING_FAILURES_MAX
    }

    /// The peers, by key.
    pub(super) fn list(&self) -> Vec<PeerInfo> {
        self.0.iter().filter_map(|(key, peer)| info(*key, peer)).collect()
    }

    fn connection(&mut self, key: &PublicKey, id: &ConnectionId) -> Option<&mut Connection> {
        self.0.get_mut(key)?.connections.get_mut(id)
    }
}

/// A peer as its oldest connection shows it, with the latest round trip of any.
fn info(key: PublicKey, peer: &Peer) -> Option<PeerInfo> {
    let oldest = peer.connections.values().next()?;
    let rtt = peer.connections.values().rev().find_map(|connection| connection.rtt);
    Some(PeerInfo {
        peer: key,
        member: oldest.link.member,
        outbound: oldest.link.outbound,
        address: oldest.link.address.clone(),
        connected_since: oldest.since,
        rtt_ms: rtt.map(|rtt| u64::try_from(rtt.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)),
        rejected_messages: peer.rejected_messages,
        agent: peer.agent.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(member: bool) -> Link {
        Link { member, outbound: false, address: "/ip4/127.0.0.1/tcp/1".to_owned() }
    }

    #[test]
    fn a_peer_is_connected_from_its_first_connection_to_its_last() {
        let mut peers = Peers::default();
        let (key, now) = (PublicKey([1; 32]), Instant::now());
        let (first, second) = (ConnectionId::new_unchecked(1), ConnectionId::new_unchecked(2));
        assert!(peers.open(key, first, link(true), now));
        assert!(!peers.open(key, second, link(true), now));
        assert!(!peers.close(&key, &first));
        assert!(!peers.close(&key, &first), "a connection closes once");
        assert!(peers.close(&key, &second));
        assert!(peers.is_empty());
    }

    #[test]
    fn peers_that_changed_sides_are_cut_and_others_stay() {
        let mut peers = Peers::default();
        let now = Instant::now();
        let keys = [1, 2, 3, 4].map(|byte| PublicKey([byte; 32]));
        for (index, member) in [true, true, false, false].into_iter().enumerate() {
            peers.open(keys[index], ConnectionId::new_unchecked(index), link(member), now);
        }
        let cut = peers.cut(&BTreeSet::from([keys[0], keys[2]]));
        let cut: Vec<PublicKey> = cut.into_iter().map(|(key, _)| key).collect();
        assert_eq!(cut, [keys[1], keys[2]]);
        assert!(peers.contains(&keys[0]) && peers.contains(&keys[3]));
    }

    #[test]
    fn what_a_peer_says_it_runs_is_cut_to_what_can_be_shown() {
        let mut peers = Peers::default();
        let key = PublicKey([1; 32]);
        peers.open(key, ConnectionId::new_unchecked(1), link(true), Instant::now());
        peers.on_agent(&key, &format!("evil\u{1b}[2J\n{}", "x".repeat(1_000)));
        let agent = peers.list().remove(0).agent.expect("noted");
        assert!(agent.starts_with("evil[2Jx") && agent.chars().count() == AGENT_CHARACTERS_MAX, "{agent}");
    }
}
