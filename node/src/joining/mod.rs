//! Joining (DESIGN 4.7, as far as a trial federation needs it): an invitation, a request, and the blocks that admit.
//!
//! A stranger can deliver a request and ask for the blocks that admit it, and nothing else. One frame each way on a
//! join stream: [`JoinRequest`], [`JoinReply`]. `applicant` is the side that asks, `desk` the side that answers.

mod applicant;
mod desk;
#[cfg(test)]
mod tests;

use std::fs;
use std::time::Duration;

use protocol::bundle::{FrameType, Frames};
use protocol::charter::{CharterError, SignedBlock};
use protocol::identity::{BlockHash, FederationId, MemberNumber, PublicKey};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use thiserror::Error;

pub use self::applicant::{Applicant, JoiningPhase, JoiningState, joining_state};
pub use self::desk::Desk;
use crate::directory::{DataDirectory, DirectoryError};
use crate::network::{DialError, FrameError, NetworkError, OpenStreamError};

/// Longest request, in bytes.
const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Longest reply, in bytes: blocks of a whole charter.
const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of blocks in one reply; sync brings the rest.
const REPLY_BLOCK_BYTES: usize = 3 * 1024 * 1024;
/// How long one frame may take.
const FRAME_WAIT: Duration = Duration::from_secs(15);

/// What an applicant is handed, as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Layout of the file: 1.
    pub format: u32,
    /// Id of the federation.
    pub federation: FederationId,
    /// Name of the federation.
    pub federation_name: String,
    /// Hash of the charter's tip at the time of inviting: a charter without that block is another branch.
    pub pin: BlockHash,
    /// Version of that block; 1 is the genesis block.
    #[serde(default = "genesis_version")]
    pub pin_version: u32,
    /// Nodes to ask.
    pub bootstrap: Vec<InvitationPeer>,
    /// Random; the inviting node remembers it.
    pub token: String,
    /// Until when it is worth anything, in milliseconds since 1970 (UTC).
    pub expires_ms: u64,
}

fn genesis_version() -> u32 {
    1
}

/// A node that an invitation names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvitationPeer {
    /// Its transport key.
    pub transport: PublicKey,
    /// Its addresses, in the text form of multiaddr.
    pub addresses: Vec<String>,
}

/// What an applicant sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// Of the invitation.
    pub token: String,
    /// The signed application in canonical form.
    pub application: ByteBuf,
}

/// What it gets back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinReply {
    /// A registrar has to decide.
    Pending,
    /// The applicant is a member: the charter from its genesis block on.
    Admitted {
        /// Signed blocks in canonical form.
        blocks: Vec<ByteBuf>,
    },
    /// The request is worth nothing; a stable word says why.
    Refused {
        /// `token`, `application`, `foreign-key`, `expelled`, `refused` or `full`.
        reason: String,
    },
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<{ REPLY_BYTES_MAX * 2 }>()
}

fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(message, config()).expect("a join message has no type that bincode cannot encode")
}

fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, JoinError> {
    match bincode::serde::decode_from_slice(bytes, config()) {
        Ok((message, read)) if read == bytes.len() => Ok(message),
        _ => Err(JoinError::Malformed),
    }
}

/// Reads bytes as either message, for a fuzzer. What was read is written the same again.
#[cfg(fuzzing)]
pub fn read_any(bytes: &[u8]) {
    if let Ok(request) = decode::<JoinRequest>(bytes) {
        assert_eq!(encode(&request), bytes);
    }
    if let Ok(reply) = decode::<JoinReply>(bytes) {
        assert_eq!(encode(&reply), bytes);
    }
}

/// Messages to begin with, for a fuzzer.
#[cfg(fuzzing)]
pub fn examples() -> Vec<Vec<u8>> {
    let request = JoinRequest { token: "0123456789abcdef".into(), application: ByteBuf::from([7; 40]) };
    let blocks = vec![ByteBuf::from([1; 30]), ByteBuf::from([2; 20])];
    let refused = JoinReply::Refused { reason: "token".into() };
    let replies = [JoinReply::Pending, JoinReply::Admitted { blocks }, refused];
    std::iter::once(encode(&request)).chain(replies.iter().map(encode)).collect()
}

/// Why joining does not go on.
#[derive(Debug, Error)]
pub enum JoinError {
    /// There is no invitation.
    #[error("there is no invitation in this data directory")]
    NoInvitation,
    /// The invitation cannot be read.
    #[error("the invitation cannot be read: {0}")]
    Invitation(String),
    /// The data directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The network cannot start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// No node of the invitation answers.
    #[error("none of the nodes that the invitation names answers: {0}")]
    Unreachable(DialError),
    /// The node answers, but not on the joining protocol.
    #[error("the node does not take the request: {0}")]
    Stream(#[from] OpenStreamError),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Frame(#[from] FrameError),
    /// The node answers with something that is no reply.
    #[error("the node's reply is malformed")]
    Malformed,
    /// The node refuses.
    #[error("the node refuses the request: {reason}")]
    Refused {
        /// A stable word.
        reason: String,
    },
    /// The charter that came is not the invitation's, or breaks its rules.
    #[error("the charter that the node sent is not the one that the invitation names: {0}")]
    Charter(String),
}

impl JoinError {
    /// Whether asking again cannot help.
    pub fn is_final(&self) -> bool {
        match self {
            Self::NoInvitation | Self::Invitation(_) | Self::Directory(_) => true,
            Self::Refused { reason } => {
                matches!(reason.as_str(), "application" | "foreign-key" | "expelled" | "refused")
            }
            _ => false,
        }
    }
}

impl From<CharterError> for JoinError {
    fn from(error: CharterError) -> Self {
        Self::Charter(error.to_string())
    }
}

/// How far joining is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinProgress {
    /// A registrar has to decide.
    Pending {
        /// The digits to compare by telephone.
        fingerprint: String,
    },
    /// The member is admitted, and the charter is in the data directory.
    Admitted {
        /// Its number.
        member: MemberNumber,
    },
}

/// Reads the invitation that was put into the data directory.
pub fn invitation(directory: &DataDirectory) -> Result<Option<Invitation>, JoinError> {
    let path = directory.invitation_path();
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| JoinError::Invitation(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DirectoryError::File { path, source }.into()),
    }
}

/// The charter that came with the admission, for a first start while nobody who holds a newer one is awake.
pub fn admitting_blocks(directory: &DataDirectory) -> Result<Vec<SignedBlock>, JoinError> {
    let path = directory.charter_path();
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(DirectoryError::File { path, source }.into()),
    };
    let broken = |error: String| JoinError::Charter(error);
    let (_, mut frames) = Frames::open(&bytes).map_err(|error| broken(error.to_string()))?;
    let mut blocks = Vec::new();
    while let Some(frame) = frames.next_frame().map_err(|error| broken(error.to_string()))? {
        if frame.frame_type == FrameType::Block {
            blocks.push(SignedBlock::decode(frame.content).map_err(|error| broken(error.to_string()))?);
        }
    }
    Ok(blocks)
}
