//! Streams between the node and its peers: opening ours, offering what each peer may open, bounding both.
//!
//! This stands in for `libp2p-stream`, which offers every protocol to everybody, keeps a channel for every connection
//! that there ever was (a stranger who connects again and again would fill our memory), and drops inbound streams
//! without a trace. Here the handler of a stranger's connection offers join streams only, a member's connection is
//! kept alive and a stranger's is not, and each peer has so many places for streams.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
};

use tokio::sync::oneshot;

use super::{
    command::Opening,
    error::OpenStreamError,
    keys,
    limits::{STREAMS_PER_MEMBER_MAX, STREAMS_PER_STRANGER_MAX, STREAMS_REQUESTED_MAX},
    offenders::Excess,
    roster::Roster,
    statistics::Counters,
    stream::{PeerStream, Slot, StreamKind},
    stream_handler::{Arrived, Handler, OpenRequest, Reply},
};

/// A stream that a peer has opened to us.
#[derive(Debug)]
pub(super) struct InboundStream {
    pub(super) peer: PeerId,
    pub(super) kind: StreamKind,
    pub(super) stream: PeerStream,
}

/// The behaviour.
pub(super) struct Streams {
    roster: Roster,
    counters: Arc<Counters>,
    peers: HashMap<PeerId, Peer>,
    /// At most [`STREAMS_REQUESTED_MAX`]. It is empty most of the time, since the swarm takes every action at once.
    actions: VecDeque<ToSwarm<InboundStream, OpenRequest>>,
}

#[derive(Default)]
struct Peer {
    connections: BTreeSet<ConnectionId>,
    /// Every open stream of the peer holds a clone.
    places: Slot,
}

impl Peer {
    fn open_streams(&self) -> usize {
        Arc::strong_count(&self.places) - 1
    }
}

impl Streams {
    pub(super) fn new(roster: Roster, counters: Arc<Counters>) -> Self {
        Self { roster, counters, peers: HashMap::new(), actions: VecDeque::new() }
    }

    /// Asks for a stream on the newest connection to `peer`. The answer comes through `reply`, which is dropped
    /// without one when the connection ends.
    pub(super) fn open(&mut self, peer: PeerId, kind: StreamKind, reply: Reply) {
        match self.peers.get(&peer).and_then(|peer| peer.connections.last().copied()) {
            Some(connection) => self.open_on(peer, connection, kind, reply),
            None => {
                reply.send(Err(OpenStreamError::NotConnected)).ok();
            }
        }
    }

    /// Asks for a stream on every connection to `peer`: two processes with one key are told apart only so.
    pub(super) fn open_each(&mut self, peer: PeerId, kind: StreamKind) -> Vec<Opening> {
        let connections = self.peers.get(&peer).map(|peer| peer.connections.clone()).unwrap_or_default();
        let open = |connection| {
            let (reply, answer) = oneshot::channel();
            self.open_on(peer, connection, kind, reply);
            answer
        };
        connections.into_iter().map(open).collect()
    }

    fn open_on(&mut self, peer: PeerId, connection: ConnectionId, kind: StreamKind, reply: Reply) {
        if self.actions.len() >= STREAMS_REQUESTED_MAX {
            reply.send(Err(OpenStreamError::Busy)).ok();
            return;
        }
        self.actions.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: OpenRequest { kind, reply },
        });
    }

    /// Forgets `peer` at once, without waiting for its connections to close.
    pub(super) fn cut(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    fn handler(&self, peer: &PeerId) -> Handler {
        Handler::new(self.roster.holds_peer(peer), self.counters.clone())
    }

    fn on_arrived(&mut self, peer_id: PeerId, connection: ConnectionId, arrived: Arrived) {
        let Some(peer) = self.peers.get(&peer_id).filter(|peer| peer.connections.contains(&connection)) else {
            return;
        };
        let member = self.roster.holds_peer(&peer_id);
        let bound = if member { STREAMS_PER_MEMBER_MAX } else { STREAMS_PER_STRANGER_MAX };
        let full = peer.open_streams() >= bound || self.actions.len() >= STREAMS_REQUESTED_MAX;
        if full || (!member && !StreamKind::STRANGERS.contains(&arrived.kind)) {
            tracing::debug!(peer = %peer_id, kind = arrived.kind.name(), "stream refused");
            self.counters.streams_refused.increment();
            if let Some(key) = keys::public_key(&peer_id) {
                self.counters.offenders.note(key, Excess::Stream, Instant::now());
            }
            return;
        }
        self.counters.streams_in.increment();
        let stream = PeerStream::new(arrived.stream, self.counters.clone(), Some(peer.places.clone()));
        self.actions.push_back(ToSwarm::GenerateEvent(InboundStream { peer: peer_id, kind: arrived.kind, stream }));
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = InboundStream;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(&peer))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(&peer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(event) => {
                self.peers.entry(event.peer_id).or_default().connections.insert(event.connection_id);
            }
            FromSwarm::ConnectionClosed(event) => {
                let Some(peer) = self.peers.get_mut(&event.peer_id) else { return };
                peer.connections.remove(&event.connection_id);
                if peer.connections.is_empty() {
                    self.peers.remove(&event.peer_id);
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.on_arrived(peer, connection, event);
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.actions.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
