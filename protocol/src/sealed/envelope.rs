//! One sealed message: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
//! ChaCha20-Poly1305. No other file of the protocol uses HPKE.

use std::convert::Infallible;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{
    Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng,
};

use super::keys::{ExchangeKey, ExchangeSecret};
use crate::bytes::{LayoutError, Reader};

/// Bytes that authenticate a ciphertext; it is longer than its plaintext by so many.
pub(super) const TAG_BYTES: usize = 16;
/// A wrapped secret key.
pub(super) const WRAPPED_BYTES: usize = 32 + TAG_BYTES;

/// A message sealed to one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope<Ciphertext> {
    /// The encapsulated key of HPKE.
    pub(super) encapsulated: [u8; 32],
    /// The message and its tag.
    pub(super) ciphertext: Ciphertext,
}

/// A secret key sealed to one key.
pub(super) type WrappedSecret = Envelope<[u8; WRAPPED_BYTES]>;

impl<Ciphertext: AsRef<[u8]>> Envelope<Ciphertext> {
    /// Opens the message; the three inputs are those of [`seal_to`].
    pub(super) fn open(&self, secret: &ExchangeSecret, info: &[u8], bound: &[u8]) -> Result<Vec<u8>, HpkeError> {
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&self.encapsulated)?;
        let ciphertext = self.ciphertext.as_ref();
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret.0,
            &encapsulated,
            info,
            ciphertext,
            bound,
        )
    }

    /// Appends both parts.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.encapsulated);
        out.extend_from_slice(self.ciphertext.as_ref());
    }
}

impl WrappedSecret {
    /// Reads what [`Envelope::put`] wrote.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self { encapsulated: reader.array("wrap encapsulated")?, ciphertext: reader.array("wrapped key")? })
    }

    /// The secret inside, when it opens and is the one that belongs to `public`.
    pub(super) fn unwrap_secret(
        &self,
        own: &ExchangeSecret,
        info: &[u8],
        bound: &[u8],
        public: &ExchangeKey,
    ) -> Option<ExchangeSecret> {
        let bytes = self.open(own, info, bound).ok()?;
        let secret = ExchangeSecret::from_bytes(bytes.as_slice().try_into().ok()?);
        (secret.public() == *public).then_some(secret)
    }
}

/// Seals `message` to `key`. It opens only with the same `info` and `bound`.
pub(super) fn seal_to(
    key: &ExchangeKey,
    info: &[u8],
    bound: &[u8],
    message: &[u8],
    random: &mut SeededRandom,
) -> Result<Envelope<Vec<u8>>, HpkeError> {
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(key.as_bytes())?;
    let (encapsulated, ciphertext) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        info,
        message,
        bound,
        random,
    )?;
    Ok(Envelope { encapsulated: encapsulated.to_bytes().into(), ciphertext })
}

/// Seals `secret` to `key`.
pub(super) fn wrap_secret(
    key: &ExchangeKey,
    info: &[u8],
    bound: &[u8],
    secret: &ExchangeSecret,
    random: &mut SeededRandom,
) -> Result<WrappedSecret, HpkeError> {
    let Envelope { encapsulated, ciphertext } = seal_to(key, info, bound, &secret.to_bytes(), random)?;
    let ciphertext = ciphertext.try_into().map_err(|_| HpkeError::SealError)?;
    Ok(Envelope { encapsulated, ciphertext })
}

/// Random bytes for one sealing, drawn from the caller's seed.
///
/// What is sealed, where and for whom goes into the derivation beside the seed, so that a seed used twice by mistake
/// repeats keys only where it repeats the whole message.
pub(super) struct SeededRandom(blake3::OutputReader);

impl SeededRandom {
    /// Randomness for sealing what these parts say.
    pub(super) fn new(seed: &[u8; 32], parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("xianmeng/sealing-randomness/1");
        hasher.update(seed);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        Self(hasher.finalize_xof())
    }

    /// The next 32 bytes.
    pub(super) fn array(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill(&mut bytes);
        bytes
    }
}

impl TryRng for SeededRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for SeededRandom {}
