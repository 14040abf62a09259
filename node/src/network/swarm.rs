//! The swarm: transports, and the protocols that run on each connection.

use std::{collections::BTreeSet, sync::Arc};

use libp2p::{
    Swarm, SwarmBuilder, connection_limits, identify,
    identity::{Keypair, ed25519},
    noise, ping,
    swarm::NetworkBehaviour,
    tcp, yamux,
};
use protocol::identity::{FederationId, PublicKey};

use super::{
    door::Door,
    error::NetworkError,
    gate::Gate,
    gossip::{Gossip, gossip},
    limits::{NetworkLimits, PING_INTERVAL},
    roster::Roster,
    statistics::Counters,
    streams::Streams,
};

/// All that identify says about the protocols of this federation.
const PROTOCOL_VERSION: &str = "xianmeng/1";
/// The software and its version, for the health page.
const AGENT_VERSION: &str = concat!("xianmeng/", env!("CARGO_PKG_VERSION"));

/// What the network needs in order to start.
#[derive(Clone)]
pub struct NetworkSettings {
    /// The federation, which names the gossip topics.
    pub federation: FederationId,
    /// The secret half of the transport key: the ed25519 seed.
    pub transport_key: [u8; 32],
    /// Multiaddresses to listen on, such as `/ip4/0.0.0.0/tcp/4001` and `/ip4/0.0.0.0/udp/4001/quic-v1`.
    pub listen: Vec<String>,
    /// The transport keys of the charter: the allow list.
    pub members: BTreeSet<PublicKey>,
    /// Bounds on connections.
    pub limits: NetworkLimits,
}

/// The protocols. Those that may refuse a connection come first, because the others keep a state per connection.
#[derive(NetworkBehaviour)]
pub(super) struct Protocols {
    pub(super) limits: connection_limits::Behaviour,
    pub(super) door: Door,
    pub(super) ping: ping::Behaviour,
    pub(super) identify: Gate<identify::Behaviour>,
    pub(super) gossip: Gate<Gossip>,
    pub(super) streams: Streams,
}

/// Builds the swarm. It listens nowhere yet.
pub(super) fn build(
    settings: &NetworkSettings,
    roster: &Roster,
    counters: &Arc<Counters>,
) -> Result<Swarm<Protocols>, NetworkError> {
    let secret =
        ed25519::SecretKey::try_from_bytes(settings.transport_key).map_err(|error| NetworkError::Key(error.into()))?;
    let keypair = Keypair::from(ed25519::Keypair::from(secret));
    let protocols = protocols(settings, &keypair, roster, counters)?;
    let idle = settings.limits.stranger_idle;
    let transports = || {
        let builder = SwarmBuilder::with_existing_identity(keypair.clone())
            .with_tokio()
            .with_tcp(tcp::Config::new(), noise::Config::new, yamux::Config::default)
            .map_err(|error| NetworkError::Setup(error.into()))?
            .with_quic();
        #[cfg(test)]
        let builder = builder.with_other_transport(memory).unwrap_or_else(|never| match never {});
        Ok::<_, NetworkError>(builder)
    };
    // A closed line may have no resolver. Names cannot be dialled then, but addresses can.
    match transports()?.with_dns() {
        Ok(builder) => Ok(builder
            .with_behaviour(|_| protocols)
            .unwrap_or_else(|never| match never {})
            .with_swarm_config(|config| config.with_idle_connection_timeout(idle))
            .build()),
        Err(error) => {
            tracing::warn!(%error, "no name resolver: only addresses with numbers can be dialled");
            Ok(transports()?
                .with_behaviour(|_| protocols)
                .unwrap_or_else(|never| match never {})
                .with_swarm_config(|config| config.with_idle_connection_timeout(idle))
                .build())
        }
    }
}

/// What joins the nodes of one process, with the same encryption and multiplexing as TCP.
#[cfg(test)]
fn memory(keypair: &Keypair) -> libp2p::core::transport::Boxed<(libp2p::PeerId, libp2p::core::muxing::StreamMuxerBox)> {
    use libp2p::core::{Transport as _, muxing::StreamMuxerBox, transport::MemoryTransport, upgrade};
    MemoryTransport::default()
        .upgrade(upgrade::Version::V1)
        .authenticate(noise::Config::new(keypair).expect("an ed25519 key signs"))
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed()
}

fn protocols(
    settings: &NetworkSettings,
    keypair: &Keypair,
    roster: &Roster,
    counters: &Arc<Counters>,
) -> Result<Protocols, NetworkError> {
    let limits = &settings.limits;
    Ok(Protocols {
        limits: connection_limits::Behaviour::new(
            connection_limits::ConnectionLimits::default()
                .with_max_pending_incoming(Some(limits.handshakes_max))
                .with_max_pending_outgoing(Some(limits.handshakes_max))
                .with_max_established_incoming(Some(limits.connections_in_max))
                .with_max_established_outgoing(Some(limits.connections_out_max))
                .with_max_established_per_peer(Some(limits.connections_per_peer_max)),
        ),
        door: Door::new(roster.clone(), limits.clone(), counters.clone()),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(PING_INTERVAL)),
        identify: Gate::new(identify::Behaviour::new(identify_config(keypair)), roster.clone()),
        gossip: Gate::new(gossip(&settings.federation)?, roster.clone()),
        streams: Streams::new(roster.clone(), counters.clone()),
    })
}

/// Addresses travel as signed records; identify neither tells ours nor keeps those of others.
fn identify_config(keypair: &Keypair) -> identify::Config {
    identify::Config::new(PROTOCOL_VERSION.to_owned(), keypair.public())
        .with_agent_version(AGENT_VERSION.to_owned())
        .with_hide_listen_addrs(true)
        .with_push_listen_addr_updates(false)
        .with_cache_size(0)
}
