//! Messages of a sync stream, in bincode with fixed-size integers (DESIGN 7.1).
//!
//! They are unsigned: what they carry is verified by itself. The length is checked before decoding and a message
//! must decode to its end.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use thiserror::Error;

use crate::charter::LogNumber;
use crate::identity::{BlockHash, EntryId, FederationId, FrontierDigest};
use crate::limits::MESSAGE_BYTES_MAX;

/// Who a peer is and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The federation.
    pub federation: FederationId,
    /// Version of its charter's tip.
    pub charter_version: u32,
    /// Hash of its charter's tip.
    pub charter_tip: BlockHash,
    /// Digest of its frontier.
    pub digest: FrontierDigest,
    /// Hash of its proof set.
    pub proofs: FrontierDigest,
    /// Whether it holds every body of its frontier.
    pub complete: bool,
    /// Random, new for each session: it keys the short ids.
    pub nonce: [u8; 16],
}

/// Entries of one log that a peer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The log.
    pub log: LogNumber,
    /// The first sequence.
    pub from: u64,
    /// How many entries.
    pub count: u64,
}

/// Bytes of a block's hash in a [`Message::Branch`]: only the place where two charters part is looked for.
pub const BRANCH_PREFIX_BYTES: usize = 8;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// First message of both sides.
    Hello(Hello),
    /// Asks for charter blocks after a version.
    BlocksRequest {
        /// The version that the sender has.
        after: u32,
    },
    /// Charter blocks in order, as many as fit.
    Blocks {
        /// Signed blocks in canonical form.
        blocks: Vec<ByteBuf>,
    },
    /// Heads of the sender's effective logs in compact form, and what its proof set holds if the sets differ.
    Heads {
        /// See [`super::heads`].
        heads: ByteBuf,
        /// Fork proofs in canonical form.
        proofs: Vec<ByteBuf>,
        /// The second valid block of the lowest version that has one, in canonical form; empty if there is none.
        rival: ByteBuf,
    },
    /// The charters part somewhere: the first [`BRANCH_PREFIX_BYTES`] bytes of each block's hash, the genesis block first.
    Branch {
        /// The prefixes, one after the other.
        prefixes: ByteBuf,
    },
    /// The sender's block of the first version in which the charters differ: together with the receiver's own it proves
    /// that the registrars contradicted themselves. Nothing follows it.
    Rival {
        /// The signed block in canonical form.
        block: ByteBuf,
    },
    /// Asks for heads with full ids: digests differ and the compact heads agree.
    FullHeadsRequest,
    /// Heads with full ids.
    FullHeads {
        /// Log, length and id of each head.
        heads: Vec<(LogNumber, u64, EntryId)>,
    },
    /// Asks for entries.
    RangeRequest {
        /// Number of the request in this session and direction.
        id: u32,
        /// What it asks for.
        spans: Vec<Span>,
    },
    /// A part of the answer to a range request.
    Chunk {
        /// Number of the request.
        id: u32,
        /// Bytes of the payload before compression.
        bytes: u32,
        /// zstd over sections, see [`super::chunk`].
        payload: ByteBuf,
    },
    /// The end of the answer to a range request.
    RangeEnd {
        /// Number of the request.
        id: u32,
    },
    /// Asks for the ids at places of one log.
    IdsRequest {
        /// The log.
        log: LogNumber,
        /// The places, ascending.
        sequences: Vec<u64>,
    },
    /// The ids at those places, as far as the sender has them.
    Ids {
        /// The log.
        log: LogNumber,
        /// Place and id.
        ids: Vec<(u64, EntryId)>,
    },
    /// Fork proofs found during the session.
    Proofs {
        /// Fork proofs in canonical form.
        proofs: Vec<ByteBuf>,
    },
    /// The sender wants nothing more.
    Done,
}

/// Why bytes are not a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MessageError {
    /// Longer than any message may be.
    #[error("a message of {found} bytes is above the bound of {MESSAGE_BYTES_MAX}")]
    Length {
        /// How many bytes there are.
        found: usize,
    },
    /// The bytes do not decode.
    #[error("the message does not decode")]
    Decode,
    /// Bytes are left over.
    #[error("{count} bytes are left over after the message")]
    Trailing {
        /// How many.
        count: usize,
    },
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<{ MESSAGE_BYTES_MAX * 2 }>()
}

impl Message {
    /// The bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        bincode::serde::encode_to_vec(self, config()).expect("a message has no type that bincode cannot encode")
    }

    /// Reads one message, to its end.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(MessageError::Length { found: bytes.len() });
        }
        let (message, read) = bincode::serde::decode_from_slice(bytes, config()).map_err(|_| MessageError::Decode)?;
        if read != bytes.len() {
            return Err(MessageError::Trailing { count: bytes.len() - read });
        }
        Ok(message)
    }

    /// The name in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::BlocksRequest { .. } => "blocks-request",
            Self::Blocks { .. } => "blocks",
            Self::Heads { .. } => "heads",
            Self::Branch { .. } => "branch",
            Self::Rival { .. } => "rival",
            Self::FullHeadsRequest => "full-heads-request",
            Self::FullHeads { .. } => "full-heads",
            Self::RangeRequest { .. } => "range-request",
            Self::Chunk { .. } => "chunk",
            Self::RangeEnd { .. } => "range-end",
            Self::IdsRequest { .. } => "ids-request",
            Self::Ids { .. } => "ids",
            Self::Proofs { .. } => "proofs",
            Self::Done => "done",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_a_round_trip_and_a_hello_is_short() {
        let hello = Message::Hello(Hello {
            federation: FederationId([1; 32]),
            charter_version: 7,
            charter_tip: BlockHash([2; 32]),
            digest: FrontierDigest([3; 32]),
            proofs: FrontierDigest([4; 32]),
            complete: true,
            nonce: [5; 16],
        });
        assert!(hello.encode().len() + 4 < 256, "{}", hello.encode().len());
        let spans = vec![Span { log: 1, from: 2, count: 3 }];
        let chunk = Message::Chunk { id: 1, bytes: 3, payload: ByteBuf::from(vec![1, 2, 3]) };
        for message in [hello, Message::Done, Message::RangeRequest { id: 9, spans }, chunk] {
            assert_eq!(Message::decode(&message.encode()), Ok(message));
        }
    }

    #[test]
    fn hostile_bytes_are_refused_without_panic_or_memory() {
        let mut random = fastrand::Rng::with_seed(1);
        let sample = Message::Ids { log: 1, ids: vec![(1, EntryId([1; 32]))] }.encode();
        for _ in 0..20_000 {
            let mut bytes = sample.clone();
            for _ in 0..random.usize(1..4) {
                let index = random.usize(..bytes.len());
                bytes[index] = random.u8(..);
            }
            bytes.truncate(random.usize(..=bytes.len()));
            let _ = Message::decode(&bytes);
        }
        let mut claims_much = 2u32.to_le_bytes().to_vec();
        claims_much.extend_from_slice(&(1u64 << 40).to_le_bytes());
        assert_eq!(Message::decode(&claims_much), Err(MessageError::Decode));
        let trailing = [Message::Done.encode(), vec![0]].concat();
        assert_eq!(Message::decode(&trailing), Err(MessageError::Trailing { count: 1 }));
    }
}
