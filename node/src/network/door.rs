//! How many strangers may be connected, from where, and for how long.
//!
//! A stranger is let in to deliver a join request. Without bounds strangers could take every place that members need.
//! Peers whose key is not ed25519 cannot be named by the charter and are not let in at all. Connections that we made
//! ourselves are not counted: whoever joins is at first among strangers, and dials them.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::IpAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
        ToSwarm, dummy,
    },
};
use thiserror::Error;

use super::{keys, limits::NetworkLimits, roster::Roster, statistics::Counters};

/// The behaviour. It comes before all that keep a state per connection, since it may refuse one.
pub(super) struct Door {
    roster: Roster,
    limits: NetworkLimits,
    counters: Arc<Counters>,
    strangers: HashMap<ConnectionId, Stranger>,
}

struct Stranger {
    address: Option<IpAddr>,
    since: Instant,
}

/// Why a connection was refused at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
enum Refusal {
    #[error("the peer's key is not ed25519")]
    Key,
    #[error("too many strangers are connected")]
    Strangers,
    #[error("too many strangers are connected from this address")]
    Address,
}

impl Door {
    pub(super) fn new(roster: Roster, limits: NetworkLimits, counters: Arc<Counters>) -> Self {
        Self { roster, limits, counters, strangers: HashMap::new() }
    }

    /// The connections of strangers that have stayed too long.
    pub(super) fn overdue(&self, now: Instant) -> Vec<ConnectionId> {
        let stay = self.limits.stranger_stay;
        let overdue = |stranger: &Stranger| now.saturating_duration_since(stranger.since) > stay;
        self.strangers.iter().filter(|(_, stranger)| overdue(stranger)).map(|(id, _)| *id).collect()
    }

    fn admit(&self, peer: &PeerId, remote: &Multiaddr) -> Result<(), Refusal> {
        let key = keys::public_key(peer).ok_or(Refusal::Key)?;
        if self.roster.holds(&key) {
            return Ok(());
        }
        if self.strangers.len() >= self.limits.strangers_max {
            return Err(Refusal::Strangers);
        }
        // Whoever is on this very machine is the operator's own.
        let address = ip_address(remote).filter(|address| !address.is_loopback());
        let neighbours = || self.strangers.values().filter(|stranger| stranger.address == address).count();
        if address.is_some() && neighbours() >= self.limits.strangers_per_address_max {
            return Err(Refusal::Address);
        }
        Ok(())
    }
}

/// The IP address that opens a multiaddress, if one does.
fn ip_address(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

impl NetworkBehaviour for Door {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(&peer, remote).map_err(|refusal| {
            tracing::debug!(%peer, %remote, %refusal, "connection refused at the door");
            self.counters.strangers_refused.increment();
            ConnectionDenied::new(refusal)
        })?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        keys::public_key(&peer).ok_or_else(|| ConnectionDenied::new(Refusal::Key))?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(event)
                if event.endpoint.is_listener() && !self.roster.holds_peer(&event.peer_id) =>
            {
                let address = ip_address(event.endpoint.get_remote_address());
                self.strangers.insert(event.connection_id, Stranger { address, since: Instant::now() });
            }
            FromSwarm::ConnectionClosed(event) => {
                self.strangers.remove(&event.connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
