//! What partners say to one another: frames of a stream of beacons.

use std::sync::Arc;

use super::ShortId;
use crate::beacon::BEACON_BYTES_MAX;
use crate::bytes::{LayoutError, Reader, put_count};
use crate::limits::{RELAY_FRAME_BYTES_MAX, RELAY_IDS_MAX};

/// What partners say to one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The first word of whoever opened the stream.
    Greet {
        /// Whether nobody else takes it for a partner.
        alone: bool,
    },
    /// Beacons that the sender has.
    Offer(Vec<ShortId>),
    /// Beacons that the sender wants.
    Want(Vec<ShortId>),
    /// Signed beacons that were asked for.
    Beacons(Vec<Vec<u8>>),
    /// Asks for the time.
    Ask {
        /// Comes back with the answer.
        nonce: u64,
    },
    /// The time.
    Tell {
        /// The nonce of the question.
        nonce: u64,
        /// The sender's clock, in milliseconds since 1970 (UTC).
        clock_ms: u64,
    },
}

impl Message {
    /// The bytes of a frame.
    pub fn encode(&self) -> Vec<u8> {
        let ids = |kind: u8, ids: &[ShortId]| {
            let mut out = vec![kind];
            put_count(&mut out, ids.len().min(RELAY_IDS_MAX));
            ids.iter().take(RELAY_IDS_MAX).for_each(|id| out.extend_from_slice(id));
            out
        };
        match self {
            Self::Greet { alone } => vec![0, u8::from(*alone)],
            Self::Offer(offered) => ids(1, offered),
            Self::Want(wanted) => ids(2, wanted),
            Self::Beacons(beacons) => {
                let mut out = vec![3];
                put_count(&mut out, beacons.len());
                for beacon in beacons {
                    put_count(&mut out, beacon.len());
                    out.extend_from_slice(beacon);
                }
                out
            }
            Self::Ask { nonce } => [&[4], nonce.to_le_bytes().as_slice()].concat(),
            Self::Tell { nonce, clock_ms } => [&[5], nonce.to_le_bytes().as_slice(), &clock_ms.to_le_bytes()].concat(),
        }
    }

    /// Reads a frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes);
        let message = match reader.u8("relay message")? {
            0 => Self::Greet { alone: reader.boolean("alone")? },
            1 => Self::Offer(ids(&mut reader)?),
            2 => Self::Want(ids(&mut reader)?),
            3 => {
                let count = reader.count(RELAY_IDS_MAX, "beacons")?;
                let mut beacons = Vec::new();
                for _ in 0..count {
                    let length = reader.count(BEACON_BYTES_MAX, "beacon")?;
                    beacons.push(reader.bytes(length, "beacon")?.to_vec());
                }
                Self::Beacons(beacons)
            }
            4 => Self::Ask { nonce: reader.u64("nonce")? },
            5 => Self::Tell { nonce: reader.u64("nonce")?, clock_ms: reader.u64("clock")? },
            _ => return Err(LayoutError::Rule { field: "relay message", rule: "must be 0 to 5" }),
        };
        reader.finish()?;
        Ok(message)
    }

    /// Beacons in as many messages as they need.
    pub fn carrying(beacons: Vec<Arc<[u8]>>) -> Vec<Self> {
        let mut messages = Vec::new();
        let (mut batch, mut length) = (Vec::new(), 3);
        for beacon in beacons {
            if length + beacon.len() + 2 > RELAY_FRAME_BYTES_MAX || batch.len() >= RELAY_IDS_MAX {
                messages.push(Self::Beacons(std::mem::take(&mut batch)));
                length = 3;
            }
            length += beacon.len() + 2;
            batch.push(beacon.to_vec());
        }
        if !batch.is_empty() {
            messages.push(Self::Beacons(batch));
        }
        messages
    }
}

fn ids(reader: &mut Reader<'_>) -> Result<Vec<ShortId>, LayoutError> {
    let count = reader.count(RELAY_IDS_MAX, "ids")?;
    (0..count).map(|_| reader.array("id")).collect()
}
