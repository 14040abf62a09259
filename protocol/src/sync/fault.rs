//! What a peer can do wrong in a session, and which of it only a faulty or hostile peer does.

use thiserror::Error;

use crate::charter::{CharterError, LogNumber};
use crate::sync::message::MessageError;
use crate::sync::session::SyncError;

/// Why a session ended for what the peer sent, or did not send.
#[derive(Debug, Error)]
pub enum Fault {
    /// A message does not decode.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The session's own rules.
    #[error(transparent)]
    Session(#[from] SyncError),
    /// A block of the peer's breaks a rule of the charter.
    #[error("a charter block of the peer's was refused: {0}")]
    Block(#[from] CharterError),
    /// An entry's signature does not verify.
    #[error("entry {sequence} of log {log} has a signature that does not verify")]
    Signature {
        /// The log.
        log: LogNumber,
        /// Its place.
        sequence: u64,
    },
}

impl Fault {
    /// Whether only a faulty or hostile peer causes it.
    pub fn is_offence(&self) -> bool {
        match self {
            Self::Message(_) | Self::Signature { .. } => true,
            Self::Block(error) => !matches!(error, CharterError::Equivocation { .. }),
            Self::Session(error) => error.is_offence(),
        }
    }

    /// Why the session ends after blocks of the peer's were refused, if it does. Who follows another branch than the
    /// pinned one is honest: the session exchanges the proof.
    pub fn of_blocks(error: CharterError) -> Option<Self> {
        match error {
            CharterError::Pinned { .. } => None,
            error => Some(Self::Block(error)),
        }
    }
}
