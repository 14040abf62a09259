//! Keys that encrypt: X25519 keys, and how a member's encryption key in the charter becomes one.
//!
//! The charter names an encryption key in its Edwards form, because in that form it can sign, and every key proves
//! possession by a signature. Encryption uses the Montgomery form of the same point (RFC 7748). One key pair in these
//! two roles is safe together: Thormarker, "On using the same key pair for Ed25519 and an X25519 based KEM",
//! eprint 2021/509.

use std::fmt;

use ed25519_dalek::{SigningKey, VerifyingKey};
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, Serializable};
use thiserror::Error;

use crate::identity::PublicKey;

/// An X25519 public key: what things are sealed to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeKey(pub [u8; 32]);

impl ExchangeKey {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ExchangeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExchangeKey({})", hex::encode(&self.0[..4]))
    }
}

/// An X25519 secret key. It is wiped when dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ExchangeSecret(pub(super) <X25519HkdfSha256 as Kem>::PrivateKey);

impl ExchangeSecret {
    /// A new key from 32 random bytes, by `DeriveKeyPair` of RFC 9180.
    pub fn derive(randomness: &[u8; 32]) -> Self {
        Self(X25519HkdfSha256::derive_keypair(randomness).0)
    }

    /// The key of these bytes, clamped by RFC 7748.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Deserializable::from_bytes(bytes).expect("a key has 32 bytes, and all of them are a key"))
    }

    /// The clamped bytes.
    pub(super) fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    /// The public half.
    pub fn public(&self) -> ExchangeKey {
        ExchangeKey(X25519HkdfSha256::sk_to_pk(&self.0).to_bytes().into())
    }
}

impl fmt::Debug for ExchangeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExchangeSecret of {:?}", self.public())
    }
}

/// Why a key cannot be sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The bytes are no point of the curve.
    #[error("encryption key is not a point of the curve")]
    NoPoint,
    /// A point of small order: everybody knows what is sealed to it.
    #[error("encryption key has small order")]
    SmallOrder,
}

/// The X25519 form of an encryption key as the charter names it.
pub fn encryption_public(key: &PublicKey) -> Result<ExchangeKey, KeyError> {
    let key = VerifyingKey::from_bytes(key.as_bytes()).map_err(|_| KeyError::NoPoint)?;
    if key.is_weak() {
        return Err(KeyError::SmallOrder);
    }
    Ok(ExchangeKey(key.to_montgomery().to_bytes()))
}

/// The X25519 form of one's own encryption key.
pub fn encryption_secret(key: &SigningKey) -> ExchangeSecret {
    ExchangeSecret::from_bytes(&key.to_scalar_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::public_key;

    #[test]
    fn both_forms_of_a_key_belong_together() {
        for seed in 0..=20 {
            let key = SigningKey::from_bytes(&[seed; 32]);
            assert_eq!(encryption_public(&public_key(&key)), Ok(encryption_secret(&key).public()));
        }
    }

    #[test]
    fn keys_of_small_order_and_bytes_that_are_no_point_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut order_two = [0xff; 32];
        (order_two[0], order_two[31]) = (0xec, 0x7f);
        for small in [identity, order_two, [0; 32]] {
            assert_eq!(encryption_public(&PublicKey(small)), Err(KeyError::SmallOrder));
        }
        let mut no_point = [0; 32];
        no_point[0] = 2;
        assert_eq!(encryption_public(&PublicKey(no_point)), Err(KeyError::NoPoint));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = ExchangeSecret::derive(&[7; 32]);
        let shown = format!("{secret:?}");
        assert!(!shown.contains(&hex::encode(&secret.to_bytes()[..4])), "{shown}");
    }
}
