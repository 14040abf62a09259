//! What the swarm task can be asked to do, and what it tells.

use std::collections::BTreeSet;

use libp2p::{Multiaddr, PeerId, gossipsub::MessageId};
use protocol::identity::PublicKey;
use tokio::sync::oneshot;

use super::{
    error::{DialError, OpenStreamError, PublishError},
    gossip::Topic,
    peers::PeerInfo,
    stream::{PeerStream, StreamKind},
    stream_handler::Reply,
};

/// Something has happened on the network.
#[derive(Debug)]
pub enum NetworkEvent {
    /// A peer has connected: its first connection is open.
    Connected {
        /// Its transport key.
        peer: PublicKey,
        /// Whether the key is on the allow list.
        member: bool,
        /// Whether we dialled it.
        outbound: bool,
        /// The multiaddress at the other end, without the peer's id.
        address: String,
    },
    /// A member that is connected has opened a further connection: it dialled while we did, it comes back before its
    /// old connection has died, or another process uses its keys.
    ConnectedAgain {
        /// Its transport key.
        peer: PublicKey,
    },
    /// A peer has no connection any more.
    Disconnected {
        /// Its transport key.
        peer: PublicKey,
    },
    /// The node now listens on this address.
    Listening {
        /// The multiaddress, with the port that the system chose.
        address: String,
    },
    /// A member has sent a message that was not seen lately. It is forwarded only once it is reported as accepted.
    Gossip {
        /// What it is about.
        topic: Topic,
        /// What [`super::Network::report`] wants.
        token: GossipToken,
        /// The member that sent it to us, which need not be its author.
        source: PublicKey,
        /// The message, at most [`protocol::limits::GOSSIP_BYTES_MAX`] long.
        bytes: Vec<u8>,
    },
    /// A peer has opened a stream to us.
    InboundStream {
        /// Its transport key. For a join stream it may be a stranger's.
        peer: PublicKey,
        /// What the stream is for.
        kind: StreamKind,
        /// The stream.
        stream: PeerStream,
    },
}

/// Stands for one received message until the node has judged it.
#[derive(Debug)]
pub struct GossipToken {
    pub(super) id: MessageId,
    pub(super) source: PeerId,
}

/// The node's verdict on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Valid: forward it.
    Accept,
    /// Not to be forwarded, and nobody's fault: known already, not yet judgeable, not of interest.
    Ignore,
    /// Invalid, as whoever forwarded it could have seen: counted against the peer that sent it.
    Reject,
}

/// What became of a message that the node published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// Sent to at least one peer.
    Sent,
    /// No member that listens to the topic is connected. Nothing is kept; sync will bring what was to be said.
    NoPeers,
    /// The same bytes have passed through this node lately.
    Duplicate,
    /// Every peer's queue is full. Nothing is repeated; sync will bring what was to be said.
    Shed,
}

/// A stream that is being opened.
pub(super) type Opening = oneshot::Receiver<Result<PeerStream, OpenStreamError>>;

/// A request to the swarm task.
pub(super) enum Command {
    Publish { topic: Topic, bytes: Vec<u8>, reply: oneshot::Sender<Result<Published, PublishError>> },
    Report { token: GossipToken, verdict: Verdict },
    OpenStream { peer: PublicKey, kind: StreamKind, reply: Reply },
    OpenStreams { peer: PublicKey, kind: StreamKind, replies: oneshot::Sender<Vec<Opening>> },
    SetMembers { members: BTreeSet<PublicKey>, reply: oneshot::Sender<()> },
    Dial { peer: Option<PublicKey>, addresses: Vec<Multiaddr>, reply: oneshot::Sender<Result<PublicKey, DialError>> },
    Disconnect { peer: PublicKey, reply: oneshot::Sender<()> },
    Peers { reply: oneshot::Sender<Vec<PeerInfo>> },
    ListenAddresses { reply: oneshot::Sender<Vec<String>> },
    Shutdown { reply: oneshot::Sender<()> },
}
