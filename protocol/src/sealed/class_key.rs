//! The key of a class: made by a registrar, wrapped for each holder, named by the charter.
//!
//! A document for a class of thousands is wrapped once, to the class key. The charter carries the key wrapped to the
//! encryption key of each holder. One operation holds so many wraps as fit a block; further ones with the same version
//! and the same public half wrap it for the others, and for members admitted later. After a removal a registrar makes
//! the next version; what was sealed to an older one stays readable for those who held it.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;

use super::document::{OpenError, SealError};
use super::envelope::{self, SeededRandom, WrappedSecret};
use super::keys::{ExchangeKey, ExchangeSecret, encryption_public, encryption_secret};
use super::{Class, FederationId, MemberNumber, PublicKey, Recipient};
use crate::bytes::{LayoutError, Reader, put_count};
use crate::identity::public_key;
use crate::limits::CLASS_KEY_WRAPS_MAX;

/// In front of what binds a wrapped class key to its place.
const DOMAIN: &[u8] = b"xianmeng/class-key/1";

/// The key of a class, with its secret half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassKey {
    class: Class,
    version: u32,
    secret: ExchangeSecret,
}

/// A class key as the charter carries it: its public half, and its secret half wrapped for holders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedClassKey {
    /// The class.
    pub class: Class,
    /// The version; the first is 1, and each removal of a holder asks for the next.
    pub version: u32,
    /// The public half, to which documents are sealed.
    pub public: ExchangeKey,
    /// The wraps, strictly ascending by member and key.
    pub wraps: Vec<ClassKeyWrap>,
}

/// A class key wrapped for one holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassKeyWrap {
    /// The holder.
    pub member: MemberNumber,
    /// Its encryption key as the charter names it.
    pub key: PublicKey,
    secret: WrappedSecret,
}

impl ClassKey {
    /// A new key of `class`. `seed` is 32 random bytes.
    pub fn new(class: Class, version: u32, seed: &[u8; 32]) -> Self {
        Self { class, version, secret: ExchangeSecret::derive(seed) }
    }

    /// The class.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The public half.
    pub fn public(&self) -> ExchangeKey {
        self.secret.public()
    }

    /// The recipient that a document for the class names.
    pub fn recipient(&self) -> Recipient {
        Recipient::ClassKey { version: self.version, key: self.public() }
    }

    pub(super) fn secret(&self) -> &ExchangeSecret {
        &self.secret
    }

    /// Wraps the key for `holders`, in any order. Anybody who holds it can, so that any registrar of the class, and not
    /// only the one that made the key, lets new members in. `seed` is 32 random bytes, new for each call.
    pub fn wrap(
        &self,
        federation: &FederationId,
        holders: &[(MemberNumber, PublicKey)],
        seed: &[u8; 32],
    ) -> Result<WrappedClassKey, SealError> {
        let holders: BTreeSet<_> = holders.iter().copied().collect();
        if holders.is_empty() {
            return Err(SealError::NoRecipient);
        }
        if holders.len() > CLASS_KEY_WRAPS_MAX {
            return Err(SealError::TooManyRecipients { found: holders.len(), bound: CLASS_KEY_WRAPS_MAX });
        }
        let public = self.public();
        let info = info(federation, self.class, self.version);
        let for_whom: Vec<_> = holders.iter().flat_map(|(member, key)| bound_to(&public, *member, key)).collect();
        let mut random = SeededRandom::new(seed, &[&info, &for_whom]);
        let wrap = |(member, key): (MemberNumber, PublicKey)| {
            let failed = |source| SealError::Key { recipient: Recipient::Member { member, key }, source };
            let exchange_key = encryption_public(&key).map_err(|error| failed(Some(error)))?;
            let bound = bound_to(&public, member, &key);
            let wrapped = envelope::wrap_secret(&exchange_key, &info, &bound, &self.secret, &mut random);
            Ok(ClassKeyWrap { member, key, secret: wrapped.map_err(|_| failed(None))? })
        };
        let wraps = holders.into_iter().map(wrap).collect::<Result<_, SealError>>()?;
        Ok(WrappedClassKey { class: self.class, version: self.version, public, wraps })
    }
}

fn info(federation: &FederationId, class: Class, version: u32) -> Vec<u8> {
    [DOMAIN, federation.as_bytes(), &[class as u8], &version.to_le_bytes()].concat()
}

fn bound_to(public: &ExchangeKey, member: MemberNumber, key: &PublicKey) -> Vec<u8> {
    [public.as_bytes().as_slice(), &member.0.to_le_bytes(), key.as_bytes()].concat()
}

impl WrappedClassKey {
    /// Opens the class key as a holder, with its encryption key.
    ///
    /// [`OpenError::Tampered`] of a key that the charter carries means that the registrar wrapped something else:
    /// nobody but the holder can see that, so it must complain.
    pub fn open(
        &self,
        federation: &FederationId,
        member: MemberNumber,
        key: &SigningKey,
    ) -> Result<ClassKey, OpenError> {
        let public = public_key(key);
        let wrap = self.wraps.iter().find(|wrap| wrap.member == member && wrap.key == public);
        let wrap = wrap.ok_or(OpenError::NotAReader)?;
        let (info, bound) = (info(federation, self.class, self.version), bound_to(&self.public, member, &public));
        let secret = wrap.secret.unwrap_secret(&encryption_secret(key), &info, &bound, &self.public);
        Ok(ClassKey { class: self.class, version: self.version, secret: secret.ok_or(OpenError::Tampered)? })
    }

    /// The recipient that a document for the class names.
    pub fn recipient(&self) -> Recipient {
        Recipient::ClassKey { version: self.version, key: self.public }
    }

    /// Appends the bytes, as the charter carries them.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.class as u8);
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(self.public.as_bytes());
        put_count(out, self.wraps.len());
        for wrap in &self.wraps {
            out.extend_from_slice(&wrap.member.0.to_le_bytes());
            out.extend_from_slice(wrap.key.as_bytes());
            wrap.secret.put(out);
        }
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let class = Class::read(reader)?;
        let version = reader.u32("class key version")?;
        let public = ExchangeKey(reader.array("class key")?);
        let count = reader.count(CLASS_KEY_WRAPS_MAX, "class key wraps")?;
        if count == 0 {
            return Err(LayoutError::Rule { field: "class key wraps", rule: "must not be 0" });
        }
        let mut wraps: Vec<ClassKeyWrap> = Vec::with_capacity(count);
        for _ in 0..count {
            let member = MemberNumber(reader.u32("class key holder")?);
            let key = PublicKey(reader.array("class key holder")?);
            if wraps.last().is_some_and(|last| (last.member, last.key) >= (member, key)) {
                return Err(LayoutError::Rule { field: "class key holder", rule: "must be strictly ascending" });
            }
            wraps.push(ClassKeyWrap { member, key, secret: WrappedSecret::read(reader)? });
        }
        Ok(Self { class, version, public, wraps })
    }
}
