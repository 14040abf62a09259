//! What can go wrong, one enum for each operation. The library's own errors are kept as sources or as text, so that
//! nothing outside this module has to name them.

use protocol::identity::PublicKey;
use thiserror::Error;

/// An error of the library underneath.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why the network could not start.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The transport key is not a usable ed25519 secret.
    #[error("the transport key cannot be used")]
    Key(#[source] BoxError),
    /// Transports or protocols could not be set up.
    #[error("the network could not be set up")]
    Setup(#[source] BoxError),
    /// There is more to listen on than the bound allows.
    #[error("{found} listen addresses, above the bound of {bound}")]
    TooManyAddresses {
        /// How many were given.
        found: usize,
        /// The bound.
        bound: usize,
    },
    /// A listen address that cannot be read.
    #[error("listen address `{address}` cannot be read: {reason}")]
    BadAddress {
        /// The address as given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Somebody already listens there: perhaps this very node, started twice.
    #[error("listen address `{address}` is already in use")]
    AddressInUse {
        /// The address as given.
        address: String,
    },
    /// The system or the transport refuses to listen there.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address as given.
        address: String,
        /// Why.
        #[source]
        source: BoxError,
    },
}

/// The network has been shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the network has been shut down")]
pub struct NetworkClosed;

/// Why a message was not taken for publishing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublishError {
    /// Longer than a gossip message may be.
    #[error("a gossip message of {found} bytes, above the bound of {bound}")]
    TooLong {
        /// Its length in bytes.
        found: usize,
        /// The bound in bytes.
        bound: usize,
    },
    /// The library refused it for a reason that should not happen.
    #[error("gossip refused the message: {reason}")]
    Refused {
        /// The library's words.
        reason: String,
    },
    /// The network has been shut down.
    #[error(transparent)]
    Closed(#[from] NetworkClosed),
}

/// Why a stream could not be opened.
#[derive(Debug, Error)]
pub enum OpenStreamError {
    /// There is no connection to the peer; dial first.
    #[error("not connected to the peer")]
    NotConnected,
    /// The peer does not offer this kind of stream to us: most often because we are a stranger to it.
    #[error("the peer does not offer this kind of stream to us")]
    NotOffered,
    /// Too many requests for streams are unanswered.
    #[error("too many streams are being opened")]
    Busy,
    /// The peer did not answer in time.
    #[error("the peer did not answer in time")]
    Timeout,
    /// The connection ended meanwhile.
    #[error("the connection ended while the stream was being opened")]
    Lost,
    /// Input or output failed.
    #[error("the stream failed while it was being opened")]
    Io(#[from] std::io::Error),
    /// The network has been shut down.
    #[error(transparent)]
    Closed(#[from] NetworkClosed),
}

/// Why a peer could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DialError {
    /// No address was given.
    #[error("no address to dial")]
    NoAddress,
    /// More addresses than the bound allows.
    #[error("{found} addresses to dial, above the bound of {bound}")]
    TooManyAddresses {
        /// How many were given.
        found: usize,
        /// The bound.
        bound: usize,
    },
    /// An address that cannot be read.
    #[error("address `{address}` cannot be read: {reason}")]
    BadAddress {
        /// The address as given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The peer's key is not an ed25519 public key.
    #[error("`{0}` is not an ed25519 public key")]
    BadKey(PublicKey),
    /// The address is our own.
    #[error("the address is this node's own")]
    Own,
    /// Somebody else answers there.
    #[error("the key at this address is {obtained}")]
    OtherKey {
        /// The key that answered.
        obtained: PublicKey,
    },
    /// Our own bounds on connections do not allow it.
    #[error("the bounds on connections do not allow it: {reason}")]
    Bound {
        /// Which bound.
        reason: String,
    },
    /// Too many calls of `dial` are unresolved.
    #[error("too many peers are being dialled")]
    Busy,
    /// No address answered.
    #[error("unreachable: {reason}")]
    Unreachable {
        /// What was tried and what came of it.
        reason: String,
    },
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// The network has been shut down.
    #[error(transparent)]
    Closed(#[from] NetworkClosed),
}

/// What a failed dial comes down to, for an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DialFault {
    /// The machine answers, and nobody listens at the port.
    Refused,
    /// Nothing answers: a firewall, a wrong address, or a machine that is off.
    Timeout,
    /// Another node answers than the address names.
    WrongPeer,
    /// The address cannot be used.
    Address,
    /// Anything else.
    Other,
}

impl DialError {
    /// What it comes down to. The library underneath tells of the system's errors in words only.
    pub fn fault(&self) -> DialFault {
        match self {
            Self::OtherKey { .. } => DialFault::WrongPeer,
            Self::Timeout => DialFault::Timeout,
            Self::NoAddress | Self::TooManyAddresses { .. } | Self::BadAddress { .. } | Self::BadKey(_) | Self::Own => {
                DialFault::Address
            }
            Self::Unreachable { reason } if reason.contains("refused") => DialFault::Refused,
            Self::Unreachable { reason } if reason.to_lowercase().contains("time") => DialFault::Timeout,
            Self::Unreachable { .. } | Self::Bound { .. } | Self::Busy | Self::Closed(_) => DialFault::Other,
        }
    }
}

/// Why a frame could not be read or written.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The frame claims more than the bound allows. Nothing was allocated for it.
    #[error("a frame of {found} bytes, above the bound of {bound}")]
    TooLong {
        /// The length that it claims, in bytes.
        found: u64,
        /// The bound in bytes.
        bound: u64,
    },
    /// The stream ended where a frame could have begun: the other side is done.
    #[error("the stream has ended")]
    Ended,
    /// The frame was not complete in time.
    #[error("the frame was not complete in time")]
    Timeout,
    /// Input or output failed, or the stream ended inside a frame.
    #[error("the stream failed")]
    Io(#[from] std::io::Error),
}
