//! What the swarm reports, turned into what the node is told.

use std::time::Instant;

use libp2p::{
    PeerId,
    core::ConnectedPoint,
    gossipsub::{self, MessageAcceptance},
    identify, ping,
    swarm::{self, ConnectionId, DialError as SwarmDialError, ListenError, SwarmEvent},
};
use protocol::{identity::PublicKey, limits::GOSSIP_BYTES_MAX};

use super::{
    address,
    command::{GossipToken, NetworkEvent},
    error::DialError,
    keys,
    offenders::Excess,
    peers::Link,
    streams::InboundStream,
    swarm::ProtocolsEvent,
    task::Task,
};

impl Task {
    pub(super) fn on_swarm_event(&mut self, event: SwarmEvent<ProtocolsEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_protocol_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(&peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                self.on_closed(&peer_id, &connection_id, cause);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.resolve_dial(&connection_id, &Err(dial_error(error)));
            }
            SwarmEvent::IncomingConnectionError { error, send_back_addr, .. } => {
                tracing::debug!(%error, address = %send_back_addr, "inbound connection failed");
                if matches!(&error, ListenError::Denied { cause } if is_limit(cause)) {
                    self.counters.connections_refused.increment();
                }
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                let address = address::text(&address);
                tracing::info!(%address, "listening");
                self.tell(NetworkEvent::Listening { address });
            }
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => {
                tracing::error!(%error, "no longer listening on an address");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener reports an error"),
            _ => {}
        }
    }

    fn on_connected(&mut self, peer: &PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        // The door lets no other keys in.
        let Some(key) = keys::public_key(peer) else { return };
        let link = Link {
            member: self.roster.holds(&key),
            outbound: endpoint.is_dialer(),
            address: address::text(endpoint.get_remote_address()),
        };
        tracing::debug!(
            peer = %key.short(), member = link.member, outbound = link.outbound, address = %link.address, "connected"
        );
        if self.peers.open(key, id, link.clone(), Instant::now()) {
            let Link { member, outbound, address } = link;
            self.tell(NetworkEvent::Connected { peer: key, member, outbound, address });
        } else if link.member {
            self.tell(NetworkEvent::ConnectedAgain { peer: key });
        }
        self.resolve_dial(&id, &Ok(key));
    }

    fn on_closed(&mut self, peer: &PeerId, id: &ConnectionId, cause: Option<swarm::ConnectionError>) {
        let Some(key) = keys::public_key(peer) else { return };
        let cause = cause.map(|cause| cause.to_string()).unwrap_or_default();
        tracing::debug!(peer = %key.short(), %cause, "connection closed");
        if self.peers.close(&key, id) {
            self.tell(NetworkEvent::Disconnected { peer: key });
        }
    }

    fn on_protocol_event(&mut self, event: ProtocolsEvent) {
        match event {
            ProtocolsEvent::Gossip(event) => self.on_gossip_event(event),
            ProtocolsEvent::Ping(event) => self.on_ping(&event),
            ProtocolsEvent::Streams(InboundStream { peer, kind, stream }) => {
                let Some(peer) = keys::public_key(&peer) else { return };
                self.tell(NetworkEvent::InboundStream { peer, kind, stream });
            }
            ProtocolsEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                if let Some(key) = keys::public_key(&peer_id) {
                    self.peers.on_agent(&key, &info.agent_version);
                }
            }
            ProtocolsEvent::Identify(_) => {}
            ProtocolsEvent::Limits(never) => match never {},
            ProtocolsEvent::Door(never) => match never {},
        }
    }

    fn on_gossip_event(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                let token = GossipToken { id: message_id, source: propagation_source };
                self.on_message(token, message);
            }
            gossipsub::Event::SlowPeer { peer_id, failed_messages } => {
                let count = (failed_messages.priority + failed_messages.non_priority) as u64;
                tracing::debug!(peer = %peer_id, count, "messages to a slow peer dropped");
                self.counters.slow_peer_drops.add(count);
            }
            gossipsub::Event::GossipsubNotSupported { peer_id } => {
                // It takes us for a stranger, because its charter is behind ours or ours behind its.
                tracing::debug!(peer = %peer_id, "member does not gossip with us");
            }
            _ => {}
        }
    }

    fn on_message(&mut self, token: GossipToken, message: gossipsub::Message) {
        // What a peer sent before it was cut may still be under way.
        let Some(source) = keys::public_key(&token.source).filter(|key| self.roster.holds(key)) else {
            self.settle(&token, MessageAcceptance::Ignore);
            return;
        };
        let topic = self.topics.topic(&message.topic).filter(|_| message.data.len() <= GOSSIP_BYTES_MAX);
        let Some(topic) = topic else {
            tracing::info!(peer = %source.short(), bytes = message.data.len(), "gossip message breaks the bounds");
            self.reject(&token, &source);
            return;
        };
        self.tell_gossip(topic, token, source, message.data);
    }

    fn reject(&mut self, token: &GossipToken, source: &PublicKey) {
        self.counters.rejected.increment();
        self.peers.on_rejected(source);
        self.counters.offenders.note(*source, Excess::Rejected, Instant::now());
        self.settle(token, MessageAcceptance::Reject);
    }

    fn on_ping(&mut self, event: &ping::Event) {
        let Some(key) = keys::public_key(&event.peer) else { return };
        match &event.result {
            Ok(rtt) => self.peers.on_pong(&key, &event.connection, *rtt),
            Err(ping::Failure::Unsupported) => {}
            Err(failure) => {
                tracing::debug!(peer = %key.short(), %failure, "ping failed");
                if self.peers.on_ping_failed(&key, &event.connection) {
                    tracing::info!(peer = %key.short(), "peer does not answer: closing the connection");
                    self.swarm.close_connection(event.connection);
                }
            }
        }
    }
}

/// The reason why a dial failed, in our own words where they exist.
pub(super) fn dial_error(error: SwarmDialError) -> DialError {
    match error {
        // There was an address, and the swarm has taken out those that it listens on itself.
        SwarmDialError::LocalPeerId { .. } | SwarmDialError::NoAddresses => DialError::Own,
        SwarmDialError::WrongPeerId { obtained, .. } => match keys::public_key(&obtained) {
            Some(obtained) => DialError::OtherKey { obtained },
            None => DialError::Unreachable { reason: "the key at this address is not ed25519".to_owned() },
        },
        SwarmDialError::Denied { cause } => DialError::Bound { reason: with_sources(&cause) },
        SwarmDialError::Aborted => DialError::Unreachable { reason: "the attempt was aborted".to_owned() },
        SwarmDialError::DialPeerConditionFalse(_) => DialError::Busy,
        SwarmDialError::Transport(failures) => {
            let reasons = failures.iter().map(|(address, error)| {
                let address = address::text(address);
                format!("{address}: {}", with_sources(error))
            });
            DialError::Unreachable { reason: reasons.collect::<Vec<_>>().join("; ") }
        }
    }
}

fn is_limit(cause: &swarm::ConnectionDenied) -> bool {
    cause.downcast_ref::<libp2p::connection_limits::Exceeded>().is_some()
}

/// An error and what it came from, without repeating the same words at every level.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !more.is_empty() && !text.contains(&more) {
            let separator = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{separator}{more}");
        }
        source = error.source();
    }
    text
}
