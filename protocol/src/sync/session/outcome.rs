//! What a session asks of the shell, what it achieves, and why it ends early.

use thiserror::Error;

use crate::bytes::LayoutError;
use crate::charter::{LogNumber, SignedBlock};
use crate::fork::{ForkError, ForkProof};
use crate::sync::chunk::{Chunk, ChunkError};
use crate::sync::message::{Message, Span};

/// What the shell has to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send a message.
    Send(Message),
    /// Add blocks to the replica, then call [`super::Session::resume`].
    IngestBlocks(Vec<SignedBlock>),
    /// Add proofs to the replica, then call [`super::Session::resume`].
    IngestProofs(Vec<ForkProof>),
    /// Decode, verify and add entries to the replica, then call [`super::Session::resume`].
    IngestChunk(Chunk),
    /// Stream these entries as chunks and a range end, then call [`super::Session::served`].
    Serve {
        /// Number of the request, for the messages.
        id: u32,
        /// What to send; within what counts here.
        spans: Vec<Span>,
    },
    /// Both sides are done: close the stream.
    Finish,
}

/// What carrying out an `Ingest*` output led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Entries that were new here, or whose bodies were.
    pub entries_new: u64,
    /// Entries that could not be kept now, because too many wait for their predecessors.
    pub entries_left_out: u64,
    /// Logs whose held entries do not connect to what the peer sent.
    pub diverged: Vec<LogNumber>,
    /// Proofs of forks that came to light.
    pub proofs: Vec<ForkProof>,
}

/// What a session achieved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Entries that were new here.
    pub entries_received: u64,
    /// Entries that came and could not be kept: the next session fetches them again.
    pub entries_left_out: u64,
    /// Entries that the peer asked for and got.
    pub entries_served: u64,
    /// Charter blocks that were new here.
    pub blocks_received: u64,
    /// Range requests that the peer answered with nothing: claims that were not delivered.
    pub undelivered: u64,
    /// Whether the digests were equal at the beginning.
    pub equal_at_start: bool,
}

/// Why a session ends early. [`SyncError::is_offence`] says which of these only a faulty peer causes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SyncError {
    /// The peer belongs to another federation.
    #[error("the peer belongs to another federation")]
    Foreign,
    /// The charters part: the registrars contradicted themselves.
    #[error("the peer follows another branch of the charter")]
    CharterBranch,
    /// The charter has an operation that this build does not know.
    #[error("the charter has an operation that this build does not know; update it")]
    UpdateNeeded,
    /// Nothing arrived for [`super::IDLE_MS_MAX`].
    #[error("the peer was silent for too long")]
    Idle,
    /// The session exchanged more messages than one may.
    #[error("the session grew too long; the next one goes on where it stopped")]
    TooLong,
    /// A message that does not belong here.
    #[error("`{message}` came out of turn")]
    OutOfTurn {
        /// The message.
        message: &'static str,
    },
    /// The blocks that the peer sent do not continue the charter held here.
    #[error("the peer's blocks do not continue the charter")]
    CharterStuck,
    /// More range requests at a time than allowed, or a request above its bounds.
    #[error("the peer asks for more than it may")]
    Greedy,
    /// A message whose content does not have the layout it should have.
    #[error("`{message}` is malformed: {error}")]
    Malformed {
        /// The message.
        message: &'static str,
        /// What is wrong with it.
        error: LayoutError,
    },
    /// A chunk that cannot be read.
    #[error("a chunk cannot be read: {0}")]
    Chunk(#[from] ChunkError),
    /// A fork proof that proves nothing.
    #[error("a fork proof proves nothing: {0}")]
    Proof(#[from] ForkError),
}

impl SyncError {
    /// Whether only a faulty or hostile peer causes it.
    pub fn is_offence(&self) -> bool {
        !matches!(self, Self::Foreign | Self::CharterBranch | Self::UpdateNeeded | Self::Idle | Self::TooLong)
    }
}
