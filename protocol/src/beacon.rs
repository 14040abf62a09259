//! Health beacons (DESIGN 5.1): short-lived, signed by the transport key, not kept.
//!
//! A beacon names its sender's frontier digest and the heads that changed since its last one. It is what tells an
//! author how many nodes hold a record. Layout: `layout u8 = 1, transport key [32], boot_ms u64, counter u64,
//! expires_ms u64, charter version u32, digest [32], entries u64, complete u8, count u16, (log u32, length u64)
//! ascending, signature [64]` over everything before it, in the domain of beacons.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use thiserror::Error;

use crate::bytes::{LayoutError, Reader, put_count};
use crate::charter::LogNumber;
use crate::identity::{Domain, FederationId, FrontierDigest, PublicKey, Signature, public_key, sign, verify};
use crate::limits::BEACON_HEADS_MAX;

const LAYOUT: u8 = 1;
/// Bytes of a beacon without heads.
pub const BEACON_BYTES_MIN: usize = 168;
/// Bytes of the longest beacon.
pub const BEACON_BYTES_MAX: usize = BEACON_BYTES_MIN + BEACON_HEADS_MAX * 12;

/// Why bytes are not a beacon.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BeaconError {
    /// The layout is broken.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The signature is not the transport key's.
    #[error("the signature does not verify")]
    Signature,
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beacon {
    /// The node.
    pub transport: PublicKey,
    /// When it started, by its clock.
    pub boot_ms: u64,
    /// One more in each beacon since then.
    pub counter: u64,
    /// When the beacon means nothing any more, by its clock.
    pub expires_ms: u64,
    /// Version of its charter's tip.
    pub charter_version: u32,
    /// Digest of its frontier.
    pub digest: FrontierDigest,
    /// Entries that count for it.
    pub entries: u64,
    /// Whether it holds every body of them.
    pub complete: bool,
    /// Lengths of logs that changed since its last beacon; all of them, as far as they fit, in its first.
    pub heads: BTreeMap<LogNumber, u64>,
}

impl Beacon {
    /// Whether this beacon outranks `other` of the same node: the greatest boot time and counter count.
    pub fn outranks(&self, other: &Self) -> bool {
        (self.boot_ms, self.counter) > (other.boot_ms, other.counter)
    }

    fn content(&self) -> Vec<u8> {
        let mut out = vec![LAYOUT];
        out.extend_from_slice(self.transport.as_bytes());
        out.extend_from_slice(&self.boot_ms.to_le_bytes());
        out.extend_from_slice(&self.counter.to_le_bytes());
        out.extend_from_slice(&self.expires_ms.to_le_bytes());
        out.extend_from_slice(&self.charter_version.to_le_bytes());
        out.extend_from_slice(self.digest.as_bytes());
        out.extend_from_slice(&self.entries.to_le_bytes());
        out.push(u8::from(self.complete));
        put_count(&mut out, self.heads.len().min(BEACON_HEADS_MAX));
        for (log, length) in self.heads.iter().take(BEACON_HEADS_MAX) {
            out.extend_from_slice(&log.to_le_bytes());
            out.extend_from_slice(&length.to_le_bytes());
        }
        out
    }

    /// Signs the beacon; the bytes to gossip.
    pub fn sign(&self, key: &SigningKey, federation: &FederationId) -> Vec<u8> {
        debug_assert_eq!(self.transport, public_key(key));
        let mut out = self.content();
        let signature = sign(key, Domain::Beacon, federation, &out);
        out.extend_from_slice(signature.as_bytes());
        out
    }

    /// Reads and verifies a beacon.
    pub fn decode(bytes: &[u8], federation: &FederationId) -> Result<Self, BeaconError> {
        let mut reader = Reader::new(bytes);
        if reader.u8("beacon layout")? != LAYOUT {
            return Err(LayoutError::Rule { field: "beacon layout", rule: "must be 1" }.into());
        }
        let mut beacon = Self {
            transport: PublicKey(reader.array("transport key")?),
            boot_ms: reader.u64("boot time")?,
            counter: reader.u64("counter")?,
            expires_ms: reader.u64("expiry")?,
            charter_version: reader.u32("charter version")?,
            digest: FrontierDigest(reader.array("digest")?),
            entries: reader.u64("entries")?,
            complete: reader.boolean("complete")?,
            heads: BTreeMap::new(),
        };
        for _ in 0..reader.count(BEACON_HEADS_MAX, "heads")? {
            let log = reader.u32("log")?;
            if beacon.heads.last_key_value().is_some_and(|(last, _)| *last >= log) {
                return Err(LayoutError::Rule { field: "log", rule: "must be strictly ascending" }.into());
            }
            beacon.heads.insert(log, reader.u64("length")?);
        }
        let signature = Signature(reader.array("signature")?);
        reader.finish()?;
        let content = &bytes[..bytes.len() - 64];
        if !verify(&beacon.transport, Domain::Beacon, federation, content, &signature) {
            return Err(BeaconError::Signature);
        }
        Ok(beacon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beacon_is_its_senders_or_it_is_nothing() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let federation = FederationId([2; 32]);
        let beacon = Beacon {
            transport: public_key(&key),
            boot_ms: 1,
            counter: 2,
            expires_ms: 3,
            charter_version: 4,
            digest: FrontierDigest([5; 32]),
            entries: 6,
            complete: true,
            heads: BTreeMap::from([(1, 7), (3, 8)]),
        };
        let bytes = beacon.sign(&key, &federation);
        assert_eq!(Beacon::decode(&bytes, &federation), Ok(beacon.clone()));
        assert_eq!(bytes.len(), BEACON_BYTES_MIN + beacon.heads.len() * 12);
        assert_eq!(Beacon::decode(&bytes, &FederationId([9; 32])), Err(BeaconError::Signature));
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert!(Beacon::decode(&changed, &federation).is_err(), "byte {index}");
        }
        assert!(Beacon { counter: 3, ..beacon.clone() }.outranks(&beacon));
    }
}
