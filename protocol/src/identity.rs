//! Ids, keys and signatures: thirty-two or sixty-four bytes that must not be mistaken for one another.
//!
//! Every signature has a *domain*: the type of what is signed, the federation, and the content. The federation is
//! zero in the genesis block, whose hash it becomes. Verification is always strict (no small-order keys, canonical
//! S), never in batches, whose verdict can differ from one machine to the next.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

macro_rules! bytes_newtype {
    ($(#[$doc:meta])* $name:ident, $length:literal, $short:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// All bytes zero: the value that stands for "none" where the layout has no room for a flag.
            pub const ZERO: Self = Self([0; $length]);

            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }

            /// The first characters of the hexadecimal form, for people and logs.
            pub fn short(&self) -> String {
                hex::encode(&self.0[..$short])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl std::str::FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                let mut bytes = [0; $length];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| HexError { characters: $length * 2 })?;
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serde_bytes::ByteArray::<$length>::new(self.0).serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    Ok(Self(serde_bytes::ByteArray::<$length>::deserialize(deserializer)?.into_array()))
                }
            }
        }
    };
}

/// Text that is not the hexadecimal form of an id, key or signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("must be {characters} hexadecimal characters")]
pub struct HexError {
    /// How many characters the form has.
    pub characters: usize,
}

bytes_newtype!(
    /// BLAKE3 of an entry's header. The id of a record is the id of its create entry.
    EntryId, 32, 4
);
bytes_newtype!(
    /// BLAKE3 of a charter block without its signatures.
    BlockHash, 32, 4
);
bytes_newtype!(
    /// The federation: the hash of its charter's genesis block. Zero while the genesis block itself is signed.
    FederationId, 32, 4
);
bytes_newtype!(
    /// An ed25519 public key, whatever its purpose.
    PublicKey, 32, 4
);
bytes_newtype!(
    /// An ed25519 signature.
    Signature, 64, 4
);
bytes_newtype!(
    /// BLAKE3 of a body, a file or a kind set.
    ContentHash, 32, 4
);
bytes_newtype!(
    /// BLAKE3 over a frontier: equal digests mean equal charter tip, logs and proofs.
    FrontierDigest, 32, 6
);

impl ContentHash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// The number of a member, in order of admission from 1, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberNumber(pub u32);

impl fmt::Display for MemberNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a signature is for. Each has its own text in front of what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// An entry's id.
    Entry,
    /// A charter block's hash.
    Block,
    /// The content of an admission request, signed by each key that it names.
    Possession,
    /// A health beacon.
    Beacon,
}

impl Domain {
    /// The text that opens the signed bytes.
    pub fn prefix(self) -> &'static [u8] {
        match self {
            Self::Entry => b"xianmeng/entry/1",
            Self::Block => b"xianmeng/block/1",
            Self::Possession => b"xianmeng/possession/1",
            Self::Beacon => b"xianmeng/beacon/1",
        }
    }

    fn message(self, federation: &FederationId, content: &[u8]) -> Vec<u8> {
        [self.prefix(), federation.as_bytes(), content].concat()
    }
}

/// Signs `content` under `domain`.
pub fn sign(key: &SigningKey, domain: Domain, federation: &FederationId, content: &[u8]) -> Signature {
    Signature(key.sign(&domain.message(federation, content)).to_bytes())
}

/// Whether `signature` over `content` under `domain` is `key`'s, by the strict rules.
pub fn verify(
    key: &PublicKey,
    domain: Domain,
    federation: &FederationId,
    content: &[u8],
    signature: &Signature,
) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(key.as_bytes()) else { return false };
    let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
    key.verify_strict(&domain.message(federation, content), &signature).is_ok()
}

/// The public half of a signing key.
pub fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_domain_federation_and_content_only() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let federation = FederationId([1; 32]);
        let signature = sign(&key, Domain::Entry, &federation, b"content");
        let public = public_key(&key);
        assert!(verify(&public, Domain::Entry, &federation, b"content", &signature));
        assert!(!verify(&public, Domain::Block, &federation, b"content", &signature));
        assert!(!verify(&public, Domain::Entry, &FederationId([2; 32]), b"content", &signature));
        assert!(!verify(&public, Domain::Entry, &federation, b"other", &signature));
    }

    #[test]
    fn a_small_order_key_signs_nothing() {
        // The identity point with R = identity and S = 0 passes the lax equation for every message.
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!verify(&PublicKey(identity), Domain::Entry, &FederationId::ZERO, b"anything", &Signature(signature)));
    }

    #[test]
    fn hexadecimal_survives_a_round_trip() {
        let id = EntryId([0xab; 32]);
        assert_eq!(id.to_string().parse::<EntryId>(), Ok(id));
        assert!("abc".parse::<EntryId>().is_err());
        assert_eq!(id.short(), "abababab");
    }
}
