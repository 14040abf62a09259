//! Key requests: how a member asks for another key, as a small file that it hands to a registrar.
//!
//! The key proves possession by a signature, and a short fingerprint is compared by telephone, as with an application:
//! the file may travel by any way. What the request turns into is a [`KeyGrant`] of a charter block.

use protocol::bytes::Reader;
use protocol::charter::{KeyGrant, Purpose, PurposedKey, added_key_content};
use protocol::identity::{Domain, FederationId, MemberNumber, PublicKey, Signature, sign, verify};
use protocol::lead_token::{HolderKey, HolderPublic, Possession};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::directory::keystore::KeyUse;

/// The only layout of the file.
pub const KEY_REQUEST_FORMAT: u32 = 1;
/// Longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 1_024;
/// Longest file that is read as a key request, in bytes.
pub const KEY_REQUEST_BYTES_MAX: u64 = 16 * 1024;
/// Groups of four digits in a fingerprint.
const FINGERPRINT_GROUPS: usize = 6;

/// A key that a member asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// Layout of the file: 1.
    pub format: u32,
    /// The federation whose member asks.
    pub federation: FederationId,
    /// The member.
    pub member: MemberNumber,
    /// What the key is for: `signing`, `transport`, `encryption` or `governance`.
    pub purpose: String,
    /// The key.
    pub key: PublicKey,
    /// Its signature over the member number, the purpose and itself.
    pub proof: Signature,
    /// The key whose place it takes, if it takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_key: Option<PublicKey>,
    /// Why, for the registrar.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Why a key request is worth nothing. One variant for each rule, in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyRequestError {
    /// Another layout, perhaps of a newer build.
    #[error("the key request has layout {0}, and this build reads layout {KEY_REQUEST_FORMAT}")]
    Format(u32),
    /// It was made for another federation.
    #[error("the key request is of another federation")]
    OtherFederation,
    /// A purpose that no key has.
    #[error("`{0}` is no purpose of a key")]
    Purpose(String),
    /// The note is too long.
    #[error("the note is longer than {NOTE_BYTES_MAX} bytes")]
    Note,
    /// It asks to replace a key by itself.
    #[error("a key cannot take its own place")]
    SameKey,
    /// The key did not sign the request.
    #[error("the key did not sign the request")]
    Unproven,
}

impl KeyRequest {
    /// A request that `key` signs.
    pub fn new(
        federation: FederationId,
        member: MemberNumber,
        purpose: Purpose,
        key: &ed25519_dalek::SigningKey,
        old_key: Option<PublicKey>,
        note: String,
    ) -> Self {
        let purposed = PurposedKey { purpose, key: protocol::identity::public_key(key) };
        let proof = sign(key, Domain::Possession, &federation, &added_key_content(member, &purposed));
        let (format, purpose) = (KEY_REQUEST_FORMAT, purpose.name().to_owned());
        Self { format, federation, member, purpose, key: purposed.key, proof, old_key, note }
    }

    /// What the charter is to grant, once everything about the request was checked.
    pub fn verify(&self, federation: &FederationId) -> Result<KeyGrant, KeyRequestError> {
        if self.format != KEY_REQUEST_FORMAT {
            return Err(KeyRequestError::Format(self.format));
        }
        if self.federation != *federation {
            return Err(KeyRequestError::OtherFederation);
        }
        let purpose = Purpose::from_name(&self.purpose);
        let purpose = purpose.ok_or_else(|| KeyRequestError::Purpose(self.purpose.clone()))?;
        if self.note.len() > NOTE_BYTES_MAX {
            return Err(KeyRequestError::Note);
        }
        if self.old_key == Some(self.key) {
            return Err(KeyRequestError::SameKey);
        }
        let key = PurposedKey { purpose, key: self.key };
        let content = added_key_content(self.member, &key);
        if !verify(&self.key, Domain::Possession, federation, &content, &self.proof) {
            return Err(KeyRequestError::Unproven);
        }
        Ok(KeyGrant { member: self.member, key, proof: self.proof })
    }

    /// A short code that registrar and member compare by telephone. It speaks for everything that the charter will say.
    pub fn fingerprint(&self) -> String {
        grant_fingerprint(self.member, &self.purpose, &self.key, self.old_key.as_ref())
    }
}

/// The key by which a member shall help to find duplicate leads, as the file that a registrar names it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderRequest {
    /// Layout of the file: 1.
    pub format: u32,
    /// The federation whose member asks.
    pub federation: FederationId,
    /// The member.
    pub member: MemberNumber,
    /// The key.
    pub key: HolderPublic,
    /// That the member has it, hexadecimal.
    possession: String,
}

impl HolderRequest {
    /// A request for a key, with 32 random bytes.
    pub fn new(federation: FederationId, member: MemberNumber, key: &HolderKey, seed: &[u8; 32]) -> Self {
        let possession = hex::encode(key.possession(&federation, member, seed).encode());
        Self { format: KEY_REQUEST_FORMAT, federation, member, key: key.public(), possession }
    }

    /// The possession, once everything about the request was checked.
    pub fn verify(&self, federation: &FederationId) -> Result<Possession, KeyRequestError> {
        if self.format != KEY_REQUEST_FORMAT {
            return Err(KeyRequestError::Format(self.format));
        }
        if self.federation != *federation {
            return Err(KeyRequestError::OtherFederation);
        }
        let bytes = hex::decode(&self.possession).map_err(|_| KeyRequestError::Unproven)?;
        let mut reader = Reader::new(&bytes);
        let possession = Possession::read(&mut reader).map_err(|_| KeyRequestError::Unproven)?;
        let whole = reader.finish().is_ok();
        let proven = whole && possession.holds(federation, self.member, &self.key);
        if proven { Ok(possession) } else { Err(KeyRequestError::Unproven) }
    }

    /// A short code that registrar and member compare by telephone.
    pub fn fingerprint(&self) -> String {
        holder_fingerprint(self.member, &self.key)
    }
}

/// The fingerprint of a holder's key, so that every signer sees the digits that the member reads out.
pub fn holder_fingerprint(member: MemberNumber, key: &HolderPublic) -> String {
    grant_fingerprint(member, KeyUse::Holder.name(), &PublicKey(key.0), None)
}

/// The fingerprint of a grant as it stands in a block, so that every signer sees the digits that the member reads out.
pub fn grant_fingerprint(member: MemberNumber, purpose: &str, key: &PublicKey, old_key: Option<&PublicKey>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&member.0.to_le_bytes());
    hasher.update(purpose.as_bytes());
    hasher.update(&[0]);
    hasher.update(key.as_bytes());
    hasher.update(old_key.unwrap_or(&PublicKey::ZERO).as_bytes());
    let group = |bytes: &[u8]| {
        let number = bytes.iter().fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
        format!("{:04}", number % 10_000)
    };
    let hash = hasher.finalize();
    let groups: Vec<String> = hash.as_bytes().chunks_exact(4).take(FINGERPRINT_GROUPS).map(group).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    #[test]
    fn a_holders_request_proves_its_key_and_survives_its_file() {
        let federation = FederationId([1; 32]);
        let key = HolderKey::derive(&[7; 32]);
        let request = HolderRequest::new(federation, MemberNumber(2), &key, &[8; 32]);
        assert!(request.verify(&federation).is_ok());
        let text = serde_json::to_string(&request).expect("it is plain");
        assert_eq!(serde_json::from_str::<HolderRequest>(&text).expect("it reads back"), request);
        assert_eq!(request.verify(&FederationId([2; 32])), Err(KeyRequestError::OtherFederation));
        let moved = HolderRequest { member: MemberNumber(3), ..request.clone() };
        assert_eq!(moved.verify(&federation), Err(KeyRequestError::Unproven));
        let other = HolderRequest { key: HolderKey::derive(&[9; 32]).public(), ..request.clone() };
        assert_ne!(other.fingerprint(), request.fingerprint());
        assert_eq!(other.verify(&federation), Err(KeyRequestError::Unproven));
    }

    #[test]
    fn a_request_proves_its_key_and_survives_its_file() {
        let federation = FederationId([1; 32]);
        let key = SigningKey::from_bytes(&[7; 32]);
        let old = Some(PublicKey([3; 32]));
        let request = KeyRequest::new(federation, MemberNumber(2), Purpose::Signing, &key, old, "丢失".into());
        let grant = request.verify(&federation).expect("it is proven");
        assert_eq!((grant.member, grant.key.purpose, grant.key.key), (MemberNumber(2), Purpose::Signing, request.key));
        let text = serde_json::to_string(&request).expect("it is plain");
        assert_eq!(serde_json::from_str::<KeyRequest>(&text).expect("it reads back"), request);
        assert_eq!(request.fingerprint().len(), 6 * 4 + 5);
        let other = KeyRequest { member: MemberNumber(3), ..request.clone() };
        assert_ne!(other.fingerprint(), request.fingerprint());
        assert_eq!(other.verify(&federation), Err(KeyRequestError::Unproven));
        assert_eq!(request.verify(&FederationId([2; 32])), Err(KeyRequestError::OtherFederation));
        let same = KeyRequest { old_key: Some(request.key), ..request.clone() };
        assert_eq!(same.verify(&federation), Err(KeyRequestError::SameKey));
        let purpose = KeyRequest { purpose: "master".into(), ..request };
        assert_eq!(purpose.verify(&federation), Err(KeyRequestError::Purpose("master".into())));
    }
}
