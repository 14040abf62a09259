//! Entries: a header, a signature and a body, the only thing that is gossiped for keeping (DESIGN 3).
//!
//! The header has a fixed layout and one byte sequence per value; its BLAKE3 is the entry's id. The body's hash is
//! in the header, so a body can be erased and the chain still verifies. Three types stand for three degrees of
//! trust: bytes, an [`Entry`] whose layout and body hash hold, and a [`VerifiedEntry`] whose signature holds too.
//! Whether a verified entry belongs to a log is for [`crate::replica`] to say.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use thiserror::Error;

use crate::bytes::{LayoutError, Reader};
use crate::identity::{self, ContentHash, Domain, EntryId, FederationId, PublicKey, Signature};
use crate::limits::{BODY_BYTES_MAX, BODY_NONCE_BYTES};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 124;
/// Bytes of an entry without its body: header and signature.
pub const BARE_ENTRY_BYTES: usize = HEADER_BYTES + 64;
/// The one layout of headers that this build writes and reads.
pub const HEADER_VERSION: u8 = 1;
/// ed25519 with BLAKE3.
pub const SUITE_ED25519_BLAKE3: u8 = 1;

/// Why bytes are not an entry. One variant for each rule, in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryError {
    /// The bytes are shorter than a header and a signature.
    #[error("an entry has at least {BARE_ENTRY_BYTES} bytes, these are {found}")]
    Short {
        /// How many there are.
        found: usize,
    },
    /// A header layout that this build does not know.
    #[error("header version {found} is not known, only {HEADER_VERSION}")]
    HeaderVersion {
        /// What the header says.
        found: u8,
    },
    /// A signature suite that this build does not know.
    #[error("signature suite {found} is not known, only {SUITE_ED25519_BLAKE3}")]
    Suite {
        /// What the header says.
        found: u8,
    },
    /// A first entry that names a predecessor, or a later one that names none.
    #[error("sequence {sequence} and predecessor contradict each other")]
    Predecessor {
        /// The entry's sequence.
        sequence: u64,
    },
    /// Kind 0 is not a kind.
    #[error("kind 0 is not a kind")]
    KindZero,
    /// The claimed body length is out of bounds.
    #[error("body length {found} is not within {BODY_NONCE_BYTES} to {BODY_BYTES_MAX}")]
    BodyLengthBound {
        /// What the header says, in bytes.
        found: u32,
    },
    /// The body is not as long as the header says.
    #[error("the body has {found} bytes, the header says {claimed}")]
    BodyLength {
        /// Bytes that are there.
        found: usize,
        /// What the header says.
        claimed: u32,
    },
    /// The body is not the one that the header names.
    #[error("the body is not the one that the header names")]
    BodyHash,
    /// The signature is not the key's over this id in this federation.
    #[error("the signature does not verify")]
    Signature,
}

/// The header of an entry. Field order is layout order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The signing key whose log this entry continues.
    pub key: PublicKey,
    /// Position in the log, from 0.
    pub sequence: u64,
    /// Id of the entry before it in the log; zero at sequence 0.
    pub previous: EntryId,
    /// The charter version that the author wrote under.
    pub charter: u32,
    /// The author's claim of the time, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The kind of the body; below 100 for the system's own.
    pub kind: u16,
    /// Length of the body in bytes.
    pub body_len: u32,
    /// BLAKE3 of the body.
    pub body_hash: ContentHash,
}

impl Header {
    /// The one canonical byte sequence.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[0] = HEADER_VERSION;
        out[1] = SUITE_ED25519_BLAKE3;
        out[2..34].copy_from_slice(self.key.as_bytes());
        out[34..42].copy_from_slice(&self.sequence.to_le_bytes());
        out[42..74].copy_from_slice(self.previous.as_bytes());
        out[74..78].copy_from_slice(&self.charter.to_le_bytes());
        out[78..86].copy_from_slice(&self.time_ms.to_le_bytes());
        out[86..88].copy_from_slice(&self.kind.to_le_bytes());
        out[88..92].copy_from_slice(&self.body_len.to_le_bytes());
        out[92..124].copy_from_slice(self.body_hash.as_bytes());
        out
    }

    /// Reads a header and checks the rules that concern it alone.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, EntryError> {
        let header = Self::read(bytes)?;
        header.check()?;
        Ok(header)
    }

    fn read(bytes: &[u8; HEADER_BYTES]) -> Result<Self, EntryError> {
        if bytes[0] != HEADER_VERSION {
            return Err(EntryError::HeaderVersion { found: bytes[0] });
        }
        if bytes[1] != SUITE_ED25519_BLAKE3 {
            return Err(EntryError::Suite { found: bytes[1] });
        }
        let short = |_: LayoutError| EntryError::Short { found: bytes.len() };
        let mut reader = Reader::new(&bytes[2..]);
        Ok(Self {
            key: PublicKey(reader.array("key").map_err(short)?),
            sequence: reader.u64("sequence").map_err(short)?,
            previous: EntryId(reader.array("previous").map_err(short)?),
            charter: reader.u32("charter").map_err(short)?,
            time_ms: reader.u64("time_ms").map_err(short)?,
            kind: reader.u16("kind").map_err(short)?,
            body_len: reader.u32("body_len").map_err(short)?,
            body_hash: ContentHash(reader.array("body_hash").map_err(short)?),
        })
    }

    /// The rules of a header that need nothing beside it.
    pub fn check(&self) -> Result<(), EntryError> {
        if (self.sequence == 0) != (self.previous == EntryId::ZERO) {
            return Err(EntryError::Predecessor { sequence: self.sequence });
        }
        if self.kind == 0 {
            return Err(EntryError::KindZero);
        }
        let bounds = BODY_NONCE_BYTES as u32..=BODY_BYTES_MAX as u32;
        if !bounds.contains(&self.body_len) {
            return Err(EntryError::BodyLengthBound { found: self.body_len });
        }
        Ok(())
    }

    /// BLAKE3 of the canonical bytes.
    pub fn id(&self) -> EntryId {
        EntryId(*blake3::hash(&self.encode()).as_bytes())
    }
}

/// What an author decides about a new entry; the log position and the key come from its writer.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The kind of the body.
    pub kind: u16,
    /// The body, which begins with its random bytes.
    pub body: Vec<u8>,
}

/// An entry whose layout holds and whose body, if it is there, is the one the header names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    header: Header,
    id: EntryId,
    signature: Signature,
    body: Option<Arc<[u8]>>,
}

impl Entry {
    /// Puts an entry together and checks the rules of header and body.
    pub fn new(header: Header, signature: Signature, body: Option<Arc<[u8]>>) -> Result<Self, EntryError> {
        header.check()?;
        if let Some(body) = &body {
            check_body(&header, body)?;
        }
        Ok(Self { id: header.id(), header, signature, body })
    }

    /// Reads the canonical form: header, signature, and the body unless it is absent.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let short = EntryError::Short { found: bytes.len() };
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(short.clone())?;
        let (signature, body) = rest.split_first_chunk::<64>().ok_or(short)?;
        let body = if body.is_empty() { None } else { Some(Arc::from(body)) };
        Self::new(Header::decode(header)?, Signature(*signature), body)
    }

    /// The canonical form, which is what the journal and exports hold.
    pub fn encode(&self) -> Vec<u8> {
        let body = self.body.as_deref().unwrap_or_default();
        let mut out = Vec::with_capacity(BARE_ENTRY_BYTES + body.len());
        out.extend_from_slice(&self.header.encode());
        out.extend_from_slice(self.signature.as_bytes());
        out.extend_from_slice(body);
        out
    }

    /// Checks the signature. This is the expensive step, done once per entry and process.
    pub fn verify(self, federation: &FederationId) -> Result<VerifiedEntry, EntryError> {
        let content = self.id.as_bytes();
        if identity::verify(&self.header.key, Domain::Entry, federation, content, &self.signature) {
            Ok(VerifiedEntry(self))
        } else {
            Err(EntryError::Signature)
        }
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// BLAKE3 of the header.
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// The author's signature over the id.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The body, unless it was erased or has not arrived.
    pub fn body(&self) -> Option<&Arc<[u8]>> {
        self.body.as_ref()
    }
}

/// Whether `body` is the one that `header` names.
pub fn check_body(header: &Header, body: &[u8]) -> Result<(), EntryError> {
    if body.len() != header.body_len as usize {
        return Err(EntryError::BodyLength { found: body.len(), claimed: header.body_len });
    }
    if ContentHash::of(body) != header.body_hash {
        return Err(EntryError::BodyHash);
    }
    Ok(())
}

/// An entry whose signature has been checked, here or when it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEntry(Entry);

impl VerifiedEntry {
    /// Signs a new entry.
    ///
    /// Errors when the header breaks a rule or the body is out of bounds.
    pub fn sign(
        key: &SigningKey,
        federation: &FederationId,
        header: Header,
        body: Arc<[u8]>,
    ) -> Result<Self, EntryError> {
        let signature = identity::sign(key, Domain::Entry, federation, header.id().as_bytes());
        Ok(Self(Entry::new(header, signature, Some(body))?))
    }

    /// Takes an entry as verified without looking at its signature.
    ///
    /// For entries that this node verified before it stored them and that its store read back under a checksum.
    pub fn trust_stored(entry: Entry) -> Self {
        Self(entry)
    }

    /// The same entry without its body.
    pub fn without_body(&self) -> Self {
        Self(Entry { body: None, ..self.0.clone() })
    }
}

impl std::ops::Deref for VerifiedEntry {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEDERATION: FederationId = FederationId([9; 32]);

    fn signed() -> VerifiedEntry {
        let key = SigningKey::from_bytes(&[3; 32]);
        let body: Arc<[u8]> = Arc::from([5u8; 40].as_slice());
        let header = Header {
            key: identity::public_key(&key),
            sequence: 0,
            previous: EntryId::ZERO,
            charter: 1,
            time_ms: 1_700_000_000_000,
            kind: 102,
            body_len: 40,
            body_hash: ContentHash::of(&body),
        };
        VerifiedEntry::sign(&key, &FEDERATION, header, body).expect("the header keeps every rule")
    }

    #[test]
    fn an_entry_survives_a_round_trip_with_and_without_its_body() {
        let entry = signed();
        let back = Entry::decode(&entry.encode()).expect("canonical bytes decode");
        assert_eq!(&back, &*entry);
        assert!(back.verify(&FEDERATION).is_ok());
        let bare = Entry::decode(&entry.without_body().encode()).expect("a bare entry decodes");
        assert_eq!(bare.id(), entry.id());
        assert!(bare.body().is_none());
        assert!(bare.verify(&FEDERATION).is_ok());
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let bytes = signed().encode();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[index] ^= 1 << bit;
                let verdict = Entry::decode(&changed).and_then(|entry| entry.verify(&FEDERATION));
                assert!(verdict.is_err(), "bit {bit} of byte {index} was not noticed");
            }
        }
    }

    #[test]
    fn each_rule_has_its_own_error() {
        let good = signed().encode();
        let changed = |index: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[index] = byte;
            Entry::decode(&bytes)
        };
        assert_eq!(changed(0, 2), Err(EntryError::HeaderVersion { found: 2 }));
        assert_eq!(changed(1, 2), Err(EntryError::Suite { found: 2 }));
        assert_eq!(changed(34, 1), Err(EntryError::Predecessor { sequence: 1 }));
        assert_eq!(changed(86, 0), Err(EntryError::KindZero));
        assert_eq!(changed(88, 4), Err(EntryError::BodyLengthBound { found: 4 }));
        assert_eq!(changed(88, 41), Err(EntryError::BodyLength { found: 40, claimed: 41 }));
        assert_eq!(changed(190, 0), Err(EntryError::BodyHash));
        assert_eq!(Entry::decode(&good[..100]), Err(EntryError::Short { found: 100 }));
        let foreign = Entry::decode(&good).expect("layout holds").verify(&FederationId([8; 32]));
        assert_eq!(foreign, Err(EntryError::Signature));
    }
}
