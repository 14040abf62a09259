//! A behaviour that runs on the connections of members only.
//!
//! A stranger may connect in order to deliver a join request; it must not learn what is gossiped, nor even what we
//! subscribe to. So its connections get a handler that speaks nothing, and the behaviour inside the gate never hears
//! of them: not when they open, not when they close, not in the counts of a peer's connections. A peer that becomes
//! or ceases to be a member can have connections of both sorts for a moment; what the inner behaviour wants to send
//! to *any* connection of a peer therefore goes to one that it knows.

use std::{
    collections::{BTreeMap, HashMap},
    task::{Context, Poll, ready},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{ConnectedPoint, Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler,
        THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, behaviour::ConnectionEstablished, derive_prelude::Either,
        dummy,
    },
};

use super::roster::Roster;

/// Keeps strangers away from the behaviour inside.
pub(super) struct Gate<B> {
    inner: B,
    roster: Roster,
    /// The connections that the inner behaviour knows of.
    links: HashMap<PeerId, BTreeMap<ConnectionId, ConnectedPoint>>,
}

impl<B: NetworkBehaviour> Gate<B> {
    pub(super) fn new(inner: B, roster: Roster) -> Self {
        Self { inner, roster, links: HashMap::new() }
    }

    pub(super) fn inner_mut(&mut self) -> &mut B {
        &mut self.inner
    }

    /// Makes the inner behaviour forget `peer` at once, without waiting for its connections to close.
    pub(super) fn cut(&mut self, peer: &PeerId) {
        let Some(links) = self.links.remove(peer) else { return };
        let mut remaining = links.len();
        for (connection_id, endpoint) in &links {
            remaining -= 1;
            self.inner.on_swarm_event(FromSwarm::ConnectionClosed(ConnectionClosed {
                peer_id: *peer,
                connection_id: *connection_id,
                endpoint,
                cause: None,
                remaining_established: remaining,
            }));
        }
    }

    fn knows(&self, peer: &PeerId, connection: &ConnectionId) -> bool {
        self.links.get(peer).is_some_and(|links| links.contains_key(connection))
    }

    /// The connection of `peer` that a message for `handler` may go to.
    fn addressee(&self, peer: &PeerId, handler: &NotifyHandler) -> Option<ConnectionId> {
        match handler {
            NotifyHandler::One(connection) => self.knows(peer, connection).then_some(*connection),
            NotifyHandler::Any => self.links.get(peer)?.keys().next().copied(),
        }
    }

    fn on_established(&mut self, event: ConnectionEstablished<'_>) {
        if !self.roster.holds_peer(&event.peer_id) {
            return;
        }
        let links = self.links.entry(event.peer_id).or_default();
        let other_established = links.len();
        links.insert(event.connection_id, event.endpoint.clone());
        self.inner
            .on_swarm_event(FromSwarm::ConnectionEstablished(ConnectionEstablished { other_established, ..event }));
    }

    fn on_closed(&mut self, event: ConnectionClosed<'_>) {
        let Some(links) = self.links.get_mut(&event.peer_id) else { return };
        if links.remove(&event.connection_id).is_none() {
            return;
        }
        let remaining_established = links.len();
        if remaining_established == 0 {
            self.links.remove(&event.peer_id);
        }
        self.inner.on_swarm_event(FromSwarm::ConnectionClosed(ConnectionClosed { remaining_established, ..event }));
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Gate<B> {
    type ConnectionHandler = Either<THandler<B>, dummy::ConnectionHandler>;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        connection_id: ConnectionId,
        local_addr: &Multiaddr,
        remote_addr: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(connection_id, local_addr, remote_addr)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection_id: ConnectionId,
        peer: PeerId,
        local_addr: &Multiaddr,
        remote_addr: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if !self.roster.holds_peer(&peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        self.inner.handle_established_inbound_connection(connection_id, peer, local_addr, remote_addr).map(Either::Left)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection_id: ConnectionId,
        maybe_peer: Option<PeerId>,
        addresses: &[Multiaddr],
        effective_role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner.handle_pending_outbound_connection(connection_id, maybe_peer, addresses, effective_role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection_id: ConnectionId,
        peer: PeerId,
        addr: &Multiaddr,
        role_override: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if !self.roster.holds_peer(&peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        self.inner
            .handle_established_outbound_connection(connection_id, peer, addr, role_override, port_use)
            .map(Either::Left)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(event) => self.on_established(event),
            FromSwarm::ConnectionClosed(event) => self.on_closed(event),
            FromSwarm::AddressChange(change) => {
                if let Some(endpoint) =
                    self.links.get_mut(&change.peer_id).and_then(|links| links.get_mut(&change.connection_id))
                {
                    *endpoint = change.new.clone();
                    self.inner.on_swarm_event(FromSwarm::AddressChange(change));
                }
            }
            FromSwarm::NewExternalAddrOfPeer(event) if !self.roster.holds_peer(&event.peer_id) => {}
            event => self.inner.on_swarm_event(event),
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer_id: PeerId,
        connection_id: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            // A connection that was cut still has its handler until it is closed; what it says no longer counts.
            Either::Left(event) if self.knows(&peer_id, &connection_id) => {
                self.inner.on_connection_handler_event(peer_id, connection_id, event);
            }
            Either::Left(_) => {}
            Either::Right(never) => match never {},
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            match ready!(self.inner.poll(cx)) {
                ToSwarm::NotifyHandler { peer_id, handler, event } => {
                    // Without a connection that the inner behaviour knows of, the message is late: drop it. The
                    // handler of a stranger's connection could not take it.
                    if let Some(connection) = self.addressee(&peer_id, &handler) {
                        return Poll::Ready(ToSwarm::NotifyHandler {
                            peer_id,
                            handler: NotifyHandler::One(connection),
                            event: Either::Left(event),
                        });
                    }
                }
                ToSwarm::CloseConnection { peer_id, connection: CloseConnection::One(connection) }
                    if !self.knows(&peer_id, &connection) => {}
                action => return Poll::Ready(action.map_in(Either::Left)),
            }
        }
    }
}
