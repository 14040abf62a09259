//! Every bound of the network, in one place. They delay and shed; none of them decides what is valid.
//!
//! The constants are part of how the module works; [`NetworkLimits`] holds what an operator or a test may change.

use std::time::Duration;

use protocol::limits::GOSSIP_BYTES_MAX;

/// Commands that wait for the swarm task. A caller of a full queue waits.
pub const COMMANDS_MAX: usize = 256;
/// Events that wait for the consumer. Beyond it gossip is dropped and counted.
pub const EVENTS_MAX: usize = 1_024;
/// Events other than gossip that wait behind a full event channel. Beyond it the swarm is not polled until the
/// consumer has caught up.
pub const OUTBOX_MAX: usize = 1_024;
/// Calls of `dial` that may be unresolved at a time.
pub const DIALS_MAX: usize = 128;
/// Addresses tried in one call of `dial`.
pub const DIAL_ADDRESSES_MAX: usize = 16;
/// Addresses that one node listens on.
pub const LISTEN_ADDRESSES_MAX: usize = 16;

/// Streams of one member that may be open towards us at a time.
pub const STREAMS_PER_MEMBER_MAX: usize = 16;
/// Streams of one stranger that may be open towards us at a time.
pub const STREAMS_PER_STRANGER_MAX: usize = 1;
/// Inbound streams of one connection that wait for the swarm task; more are reset.
pub const STREAMS_ARRIVED_MAX: usize = 4;
/// Our own requests for a stream that may be unanswered on one connection at a time.
pub const STREAMS_OPENING_MAX: usize = 32;
/// Our own requests for a stream that wait to be handed to their connections.
pub const STREAMS_REQUESTED_MAX: usize = 256;

/// How long `start` waits for the listen addresses.
pub const LISTEN_WAIT: Duration = Duration::from_secs(10);
/// How long one call of `dial` may take, over all its addresses.
pub const DIAL_WAIT: Duration = Duration::from_secs(20);
/// How long `open_stream` may take.
pub const OPEN_STREAM_WAIT: Duration = Duration::from_secs(15);
/// How long `shutdown` lets connections say goodbye.
pub const SHUTDOWN_WAIT: Duration = Duration::from_secs(2);
/// A sensible time limit for one frame on a stream.
pub const FRAME_WAIT: Duration = Duration::from_secs(30);
/// How often overdue strangers are looked for.
pub const TICK: Duration = Duration::from_secs(5);

/// Time between two pings of a connection.
pub const PING_INTERVAL: Duration = Duration::from_secs(15);
/// Pings in a row that may fail before the connection is closed: half-open connections end so.
pub const PING_FAILURES_MAX: u32 = 3;

/// Gossipsub's heartbeat.
pub const GOSSIP_HEARTBEAT: Duration = Duration::from_secs(1);
/// Peers per topic that a node wants in its mesh. A federation of fewer nodes has everybody in it.
pub const MESH_PEERS: usize = 8;
/// Below this many mesh peers more are added.
pub const MESH_PEERS_MIN: usize = 6;
/// Above this many mesh peers some are let go.
pub const MESH_PEERS_MAX: usize = 12;
/// Mesh peers that we dialled ourselves, so that inbound peers alone cannot surround a node.
pub const MESH_OUTBOUND_MIN: usize = 3;
/// Heartbeats during which a message can still be forwarded after its verdict.
pub const GOSSIP_HISTORY: usize = 12;
/// Heartbeats during which a message is announced to peers outside the mesh.
pub const GOSSIP_ANNOUNCED: usize = 3;
/// How long the id of a seen message is remembered.
pub const GOSSIP_SEEN: Duration = Duration::from_secs(120);
/// Message ids in one announcement or request. At 34 bytes each they stay below [`GOSSIP_CONTROL_BYTES_MAX`], which
/// the library's own default does not: its receiver would cut the substream of an honest busy peer.
pub const GOSSIP_IDS_MAX: usize = 256;
/// Longest control part of one gossip frame, in bytes.
pub const GOSSIP_CONTROL_BYTES_MAX: usize = 16 * 1024;
/// Longest gossip frame, in bytes: the message, its envelope, and what the library's reader may have read beyond it.
/// The library (0.50) holds the whole read buffer against this limit, not one frame, and reads 8 KiB at a time; a
/// limit without that slack cuts honest peers during a burst. The length of the message itself is checked by us.
pub const GOSSIP_FRAME_BYTES_MAX: usize = GOSSIP_BYTES_MAX + 16 * 1024;
/// Gossip messages that wait for one slow peer; more are dropped and counted.
pub const GOSSIP_QUEUE_MAX: usize = 512;

/// Peers that are remembered because they went beyond their bounds.
pub const OFFENDERS_MAX: usize = 1_024;

/// Longest agent version kept of a peer, in characters.
pub const AGENT_CHARACTERS_MAX: usize = 64;

/// Bounds on connections that an operator may change.
#[derive(Debug, Clone)]
pub struct NetworkLimits {
    /// Connections that others made to us. A bootstrap peer of a large federation needs many.
    pub connections_in_max: u32,
    /// Connections that we made.
    pub connections_out_max: u32,
    /// Connections of one peer. More than one happens when both dial at once, or when one is half-open.
    pub connections_per_peer_max: u32,
    /// Connections in either direction that have not finished their handshake, each way.
    pub handshakes_max: u32,
    /// Connections of strangers to us.
    pub strangers_max: usize,
    /// Connections of strangers from one IP address other than this machine's own.
    pub strangers_per_address_max: usize,
    /// A connection of a stranger without an open stream is closed after this time.
    pub stranger_idle: Duration,
    /// A connection of a stranger is closed after this time, whatever it does.
    pub stranger_stay: Duration,
}

impl Default for NetworkLimits {
    fn default() -> Self {
        Self {
            connections_in_max: 3_000,
            connections_out_max: 512,
            connections_per_peer_max: 4,
            handshakes_max: 256,
            strangers_max: 16,
            strangers_per_address_max: 8,
            stranger_idle: Duration::from_secs(30),
            stranger_stay: Duration::from_secs(180),
        }
    }
}
