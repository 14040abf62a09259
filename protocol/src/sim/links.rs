//! Links between members: who opens one, when it is there, and when it breaks.

use std::collections::BTreeSet;

use super::air::Event;
use super::fact::Fact;
use super::world::World;

/// How long it takes to make a link.
const DIAL_MS: std::ops::Range<u64> = 200..3_000;
/// How long it takes to notice that nothing arrives any more.
const NOTICE_MS: std::ops::Range<u64> = 2_000..12_000;
/// Two members who may be linked.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) one: usize,
    pub(super) other: usize,
    /// How often each had started when the link was made.
    up: Option<(u64, u64)>,
    /// Whether it will break, because something was lost on it.
    doomed: bool,
}

impl World {
    /// Looks whether a member started, ended, or learned of a new charter: then its links may change.
    pub(super) fn notice(&mut self, member: usize) {
        let node = &self.nodes[member];
        let version = node.replica().map_or(0, |replica| replica.charter().version());
        let now = (node.running.is_some(), node.boots, version);
        if std::mem::replace(&mut self.known[member], now) != now {
            let edges = self.edges_of[member].clone();
            self.look_at_edges(edges);
        }
    }

    pub(super) fn look_at_edges(&mut self, edges: impl IntoIterator<Item = usize>) {
        for number in edges {
            let edge = &self.edges[number];
            let (one, other) = (&self.nodes[edge.one], &self.nodes[edge.other]);
            let reach =
                self.air.network.reaches(edge.one, edge.other) && self.air.network.reaches(edge.other, edge.one);
            let run = one.running.is_some() && other.running.is_some();
            let known = (!run) || (one.knows(&other.transport) && other.knows(&one.transport));
            let is_up = edge.up.is_some();
            self.edges[number].doomed |= is_up && !reach;
            let delay_ms = match (is_up, known) {
                // A key that lost its right: the connection is closed at once.
                (true, false) => 0,
                (true, true) => self.air.random.u64(NOTICE_MS),
                (false, _) => self.air.random.u64(DIAL_MS),
            };
            self.air.after(delay_ms, Event::Link { edge: number });
        }
    }

    /// Makes or breaks a link, if it is time.
    pub(super) fn link(&mut self, number: usize) {
        let edge = &self.edges[number];
        let (one, other, up, doomed) = (edge.one, edge.other, edge.up, edge.doomed);
        let reach = self.air.network.reaches(one, other) && self.air.network.reaches(other, one);
        let (first, second) = (&self.nodes[one], &self.nodes[other]);
        let run = first.running.is_some() && second.running.is_some();
        let wanted = run && reach && first.knows(&second.transport) && second.knows(&first.transport);
        let boots = (first.boots, second.boots);
        let stands = wanted && !doomed && up == Some(boots);
        if stands || (up.is_none() && !wanted) {
            return;
        }
        if up.is_some() {
            self.edges[number].up = None;
            self.edges[number].doomed = false;
            self.unlink(one, other);
            self.unlink(other, one);
            if wanted {
                let delay_ms = self.air.random.u64(DIAL_MS);
                self.air.after(delay_ms, Event::Link { edge: number });
            }
            return;
        }
        self.edges[number].up = Some(boots);
        self.air.network.reconnect(one, other);
        self.join(one, other, true);
        self.join(other, one, false);
    }

    fn join(&mut self, member: usize, peer: usize, outbound: bool) {
        let transport = self.air.transports[peer];
        let Some(running) = self.nodes[member].running.as_deref_mut() else { return };
        running.linked.insert(peer);
        running.agenda.connected(transport, outbound, self.air.now_ms);
        running.relay.link(transport);
        self.air.tell(Fact::Linked { member, peer });
    }

    fn unlink(&mut self, member: usize, peer: usize) {
        let transport = self.air.transports[peer];
        let Some(running) = self.nodes[member].running.as_deref_mut() else { return };
        if running.linked.remove(&peer) {
            running.agenda.gone(&transport);
            running.relay.unlink(&transport);
            self.nodes[member].break_streams(peer, &mut self.air);
        }
    }
}

/// A ring, so that nobody is left out, and random links beside it.
pub(super) fn topology(members: usize, links: u32, random: &mut fastrand::Rng) -> Vec<Edge> {
    let mut pairs = BTreeSet::new();
    for member in 0..members {
        let next = (member + 1) % members;
        pairs.insert((member.min(next), member.max(next)));
        for _ in 1..links {
            let peer = random.usize(0..members);
            if peer != member {
                pairs.insert((member.min(peer), member.max(peer)));
            }
        }
    }
    pairs.retain(|(one, other)| one != other);
    pairs.into_iter().map(|(one, other)| Edge { one, other, up: None, doomed: false }).collect()
}
