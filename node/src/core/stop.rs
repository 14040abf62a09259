//! Why a node must stop by itself.

use std::fmt;

use thiserror::Error;

/// The reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Stop {
    /// A commit failed: memory is ahead of the disk.
    #[error("the store failed: {0}")]
    Store(String),
    /// Another process uses this node's keys, and this one gives way.
    #[error("another process uses this node's keys: {0}")]
    Twin(TwinSign),
    /// The charter grants a key that waits here: after a new start it is in use.
    #[error("a new key takes over: the node starts again")]
    KeysChanged,
    /// Nobody speaks with this node, and another transport key waits: it may be granted already, and only those who
    /// know can tell.
    #[error("nobody speaks with this node: it tries the transport key that waits")]
    TransportUnheard,
    /// A part of the node broke down.
    #[error("a part of the node broke down: {0}")]
    Part(String),
}

/// What gave the other process away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TwinSign {
    /// It answered a challenge with this node's transport key.
    Answered {
        /// When it started, by its clock, in milliseconds since 1970 (UTC).
        started_ms: u64,
    },
    /// An entry of the own log came from elsewhere while this node was signing.
    Entry {
        /// Its place in the log.
        sequence: u64,
    },
}

impl fmt::Display for TwinSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { started_ms } => write!(f, "it answered, and started at {started_ms} ms"),
            Self::Entry { sequence } => write!(f, "entry {sequence} of the own log came from elsewhere"),
        }
    }
}
