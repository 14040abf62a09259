//! Health beacons (DESIGN 5.1, 9): short-lived, signed by the transport key, not kept.
//!
//! A beacon says how its sender's node is, names its frontier digest and some heads: news, and others in turn. It is what
//! tells an author how many nodes hold a record, and everybody who is up. [`relay`] is how beacons travel, [`telling`]
//! which heads they name.
//! Layout: `layout u8 = 2, transport key [32], boot_ms u64, counter u64, expires_ms u64, interval_seconds u32, software
//! version 3 x u16, charter version u32, digest [32], entries u64, missing entries u32, missing bodies u32, peers u16,
//! free disk in MiB u32, free thousandths u16, clock offset in ms i32, rejected u32, count u16, (log u32, length u64)
//! ascending, signature [64]` over everything before it, in the domain of beacons. What a node does not know of its disk
//! or clock are the greatest number of that width, and the least of an `i32`.

pub mod relay;
pub mod telling;
pub mod timing;

use std::collections::BTreeMap;
use std::fmt;

use ed25519_dalek::SigningKey;
use thiserror::Error;

use crate::bytes::{LayoutError, Reader, put_count};
use crate::charter::LogNumber;
use crate::identity::{Domain, FederationId, FrontierDigest, PublicKey, Signature, public_key, sign, verify};
use crate::limits::{BEACON_HEADS_MAX, CLOCK_TOLERANCE_MS};

const LAYOUT: u8 = 2;
/// Bytes of a beacon without heads.
pub const BEACON_BYTES_MIN: usize = 201;
/// Bytes of the longest beacon.
pub const BEACON_BYTES_MAX: usize = BEACON_BYTES_MIN + BEACON_HEADS_MAX * 12;
/// How far ahead of the receiver's clock a beacon may expire.
pub const EXPIRY_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// A whole volume, in thousandths.
pub const PERMILLE: u16 = 1_000;

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

/// Version of the software: major, minor, patch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub [u16; 3]);

impl Version {
    /// Reads `1.2.3`, with or without what follows a hyphen or plus sign.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.split(['-', '+']).next()?;
        let mut parts = numbers.split('.').map(str::parse::<u16>);
        let version = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
        parts.next().is_none().then_some(Self(version))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// Room on the volume of a node's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Free mebibytes, rounded down.
    pub free_mib: u32,
    /// The same in thousandths of the volume, rounded down.
    pub free_permille: u16,
}

/// What a node says of its own state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Condition {
    /// Version of its software.
    pub version: Version,
    /// Entries that others hold and it lacks, as far as it knows.
    pub missing_entries: u32,
    /// Bodies that it lacks.
    pub missing_bodies: u32,
    /// Members that it is connected with.
    pub peers: u16,
    /// Room on its volume, if it knows.
    pub disk: Option<DiskSpace>,
    /// How far its clock is ahead of the middle of its peers', in milliseconds, if it knows.
    pub clock_offset_ms: Option<i32>,
    /// Messages that it rejected since it started.
    pub rejected: u32,
}

/// Whose beacon some bytes claim to be, and which: what can be read without verifying anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The node.
    pub transport: PublicKey,
    /// When it started, by its clock.
    pub boot_ms: u64,
    /// One more in each beacon since then.
    pub counter: u64,
}

impl Label {
    /// Reads the beginning of a beacon.
    pub fn read(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes);
        if reader.u8("beacon layout")? != LAYOUT {
            return Err(LayoutError::Rule { field: "beacon layout", rule: "must be 2" });
        }
        let transport = PublicKey(reader.array("transport key")?);
        Ok(Self { transport, boot_ms: reader.u64("boot time")?, counter: reader.u64("counter")? })
    }
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
    /// Seconds until its next beacon, at the latest.
    pub interval_seconds: u32,
    /// How it is.
    pub condition: Condition,
    /// Version of its charter's tip.
    pub charter_version: u32,
    /// Digest of its frontier.
    pub digest: FrontierDigest,
    /// Entries that count for it.
    pub entries: u64,
    /// Lengths of logs: those that changed lately, and others in turn.
    pub heads: BTreeMap<LogNumber, u64>,
}

impl Beacon {
    /// Whether this beacon outranks `other` of the same node: the greatest boot time and counter count.
    pub fn outranks(&self, other: &Self) -> bool {
        (self.boot_ms, self.counter) > (other.boot_ms, other.counter)
    }

    /// Whether it means something at a time of which the receiver only knows that it lies between these two: it has not
    /// expired, and was not made far ahead, which would let it outrank every later one of its sender.
    pub fn is_timely(&self, earliest_ms: u64, latest_ms: u64) -> bool {
        let ahead = self.boot_ms > latest_ms.saturating_add(CLOCK_TOLERANCE_MS)
            || self.expires_ms > latest_ms.saturating_add(EXPIRY_MS_MAX);
        self.expires_ms > earliest_ms && !ahead
    }

    /// Whether it holds every body of the entries that count for it.
    pub fn is_complete(&self) -> bool {
        self.condition.missing_bodies == 0
    }

    fn content(&self) -> Vec<u8> {
        let mut out = vec![LAYOUT];
        out.extend_from_slice(self.transport.as_bytes());
        out.extend_from_slice(&self.boot_ms.to_le_bytes());
        out.extend_from_slice(&self.counter.to_le_bytes());
        out.extend_from_slice(&self.expires_ms.to_le_bytes());
        out.extend_from_slice(&self.interval_seconds.to_le_bytes());
        self.condition.version.0.iter().for_each(|part| out.extend_from_slice(&part.to_le_bytes()));
        out.extend_from_slice(&self.charter_version.to_le_bytes());
        out.extend_from_slice(self.digest.as_bytes());
        out.extend_from_slice(&self.entries.to_le_bytes());
        self.condition.encode(&mut out);
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
            return Err(LayoutError::Rule { field: "beacon layout", rule: "must be 2" }.into());
        }
        let mut beacon = Self {
            transport: PublicKey(reader.array("transport key")?),
            boot_ms: reader.u64("boot time")?,
            counter: reader.u64("counter")?,
            expires_ms: reader.u64("expiry")?,
            interval_seconds: reader.u32("interval")?,
            condition: Condition::default(),
            charter_version: 0,
            digest: FrontierDigest([0; 32]),
            entries: 0,
            heads: BTreeMap::new(),
        };
        let version = Version([reader.u16("software")?, reader.u16("software")?, reader.u16("software")?]);
        beacon.charter_version = reader.u32("charter version")?;
        beacon.digest = FrontierDigest(reader.array("digest")?);
        beacon.entries = reader.u64("entries")?;
        beacon.condition = Condition::decode(version, &mut reader)?;
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

impl Condition {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.missing_entries.to_le_bytes());
        out.extend_from_slice(&self.missing_bodies.to_le_bytes());
        out.extend_from_slice(&self.peers.to_le_bytes());
        let unknown = DiskSpace { free_mib: u32::MAX, free_permille: u16::MAX };
        let disk = self.disk.unwrap_or(unknown);
        out.extend_from_slice(&disk.free_mib.to_le_bytes());
        out.extend_from_slice(&disk.free_permille.to_le_bytes());
        out.extend_from_slice(&self.clock_offset_ms.unwrap_or(i32::MIN).to_le_bytes());
        out.extend_from_slice(&self.rejected.to_le_bytes());
    }

    fn decode(version: Version, reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let (missing_entries, missing_bodies) = (reader.u32("missing entries")?, reader.u32("missing bodies")?);
        let peers = reader.u16("peers")?;
        let disk = match (reader.u32("free disk")?, reader.u16("free thousandths")?) {
            (u32::MAX, u16::MAX) => None,
            (free_mib, free_permille) if free_mib < u32::MAX && free_permille <= PERMILLE => {
                Some(DiskSpace { free_mib, free_permille })
            }
            _ => {
                let rule = "a disk is known in both measures or in none, in thousandths up to 1000";
                return Err(LayoutError::Rule { field: "free disk", rule });
            }
        };
        let offset = i32::from_le_bytes(reader.array("clock offset")?);
        let clock_offset_ms = (offset != i32::MIN).then_some(offset);
        let rejected = reader.u32("rejected")?;
        Ok(Self { version, missing_entries, missing_bodies, peers, disk, clock_offset_ms, rejected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beacon(key: &SigningKey, condition: Condition) -> Beacon {
        Beacon {
            transport: public_key(key),
            boot_ms: 1,
            counter: 2,
            expires_ms: 3,
            interval_seconds: 600,
            condition,
            charter_version: 4,
            digest: FrontierDigest([5; 32]),
            entries: 6,
            heads: BTreeMap::from([(1, 7), (3, 8)]),
        }
    }

    #[test]
    fn a_beacon_is_its_senders_or_it_is_nothing() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let federation = FederationId([2; 32]);
        let known = Condition {
            version: Version([1, 2, 3]),
            missing_entries: 4,
            missing_bodies: 5,
            peers: 6,
            disk: Some(DiskSpace { free_mib: 7, free_permille: 1_000 }),
            clock_offset_ms: Some(-8),
            rejected: 9,
        };
        for condition in [known, Condition::default()] {
            let beacon = beacon(&key, condition);
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

    #[test]
    fn a_label_is_read_without_the_signature() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let bytes = beacon(&key, Condition::default()).sign(&key, &FederationId([2; 32]));
        assert_eq!(Label::read(&bytes[..49]), Ok(Label { transport: public_key(&key), boot_ms: 1, counter: 2 }));
        assert!(Label::read(&bytes[..48]).is_err() && Label::read(&[1; 49]).is_err());
    }

    #[test]
    fn a_beacon_is_judged_by_any_time_that_it_may_be() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let sent = Beacon { boot_ms: 10_000_000, expires_ms: 10_900_000, ..beacon(&key, Condition::default()) };
        assert!(sent.is_timely(10_000_000, 10_000_000));
        assert!(!sent.is_timely(10_900_000, 10_900_000), "it has expired");
        assert!(!sent.is_timely(9_000_000, 9_000_000), "it is from far ahead");
        // A clock that is an hour off either way, and partners who say so.
        assert!(sent.is_timely(10_000_000, 13_600_000) && sent.is_timely(6_400_000, 10_000_000));
        assert!(!Beacon { expires_ms: u64::MAX, ..sent }.is_timely(0, 10_000_000));
    }

    #[test]
    fn a_disk_is_known_in_both_measures_or_in_none() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let federation = FederationId([2; 32]);
        for disk in [(5, 1_001), (u32::MAX, 5), (5, u16::MAX)].map(|(mib, permille)| (mib, permille)) {
            let disk = DiskSpace { free_mib: disk.0, free_permille: disk.1 };
            let bytes = beacon(&key, Condition { disk: Some(disk), ..Condition::default() }).sign(&key, &federation);
            let refused = Beacon::decode(&bytes, &federation);
            assert!(
                matches!(refused, Err(BeaconError::Layout(LayoutError::Rule { field: "free disk", .. }))),
                "{disk:?}"
            );
        }
    }

    #[test]
    fn versions_are_three_numbers() {
        assert_eq!(Version::parse("0.1.0"), Some(Version([0, 1, 0])));
        assert_eq!(Version::parse("1.2.3-rc.1+build"), Some(Version([1, 2, 3])));
        for wrong in ["", "1.2", "1.2.3.4", "a.b.c", "70000.0.0"] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
        assert!(Version([0, 10, 0]) > Version([0, 9, 9]));
        assert_eq!(Version([1, 2, 3]).to_string(), "1.2.3");
    }
}
