//! Who a member is: class, keys, and the application that every one of its keys signed (DESIGN 4.2, 4.7).

use crate::bytes::{LayoutError, Reader, put_count, put_text};
use crate::identity::{Domain, FederationId, PublicKey, Signature, verify};
use crate::limits::{KEYS_PER_MEMBER_MAX, NAME_BYTES_MAX};

/// Class of a member (DESIGN 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// 县域政府.
    County = 1,
    /// 基金机构.
    Fund = 2,
    /// 专业服务机构.
    Agency = 3,
    /// 秘书处.
    Secretariat = 4,
    /// 观察员.
    Observer = 5,
}

impl Class {
    /// Every class, in the order of its number.
    pub const ALL: [Self; 5] = [Self::County, Self::Fund, Self::Agency, Self::Secretariat, Self::Observer];

    /// The name in commands and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::County => "county",
            Self::Fund => "fund",
            Self::Agency => "agency",
            Self::Secretariat => "secretariat",
            Self::Observer => "observer",
        }
    }

    /// The Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::County => "县域政府",
            Self::Fund => "基金机构",
            Self::Agency => "专业服务机构",
            Self::Secretariat => "秘书处",
            Self::Observer => "观察员",
        }
    }

    /// The class of that English or Chinese name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name || class.zh() == name)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let byte = reader.u8("class")?;
        let class = Self::ALL.into_iter().find(|class| *class as u8 == byte);
        class.ok_or(LayoutError::Rule { field: "class", rule: "must be a defined class" })
    }
}

/// What a key is for. One key never serves two purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// Signs entries.
    Signing = 1,
    /// Is the libp2p peer id, and signs beacons.
    Transport = 2,
    /// Opens what is encrypted for the member. The charter names it in its Edwards form, so that it can prove
    /// possession like the others; HPKE uses its Montgomery form (RFC 7748), see [`crate::sealed`].
    Encryption = 3,
    /// Signs charter blocks; kept offline.
    Governance = 4,
}

impl Purpose {
    /// Every purpose, in the order of its number.
    pub const ALL: [Self; 4] = [Self::Signing, Self::Transport, Self::Encryption, Self::Governance];

    /// The name in commands and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Transport => "transport",
            Self::Encryption => "encryption",
            Self::Governance => "governance",
        }
    }

    /// The purpose of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let byte = reader.u8("key purpose")?;
        let purpose = Self::ALL.into_iter().find(|purpose| *purpose as u8 == byte);
        let rule = "must be signing, transport, encryption or governance";
        purpose.ok_or(LayoutError::Rule { field: "key purpose", rule })
    }
}

/// A key with its purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PurposedKey {
    /// What it is for.
    pub purpose: Purpose,
    /// The key.
    pub key: PublicKey,
}

/// Who an applicant is, and with which keys. Signed by every key that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Class of member.
    pub class: Class,
    /// Name of the organisation.
    pub name: String,
    /// GB/T 2260 code of its place, six digits; empty when it has none.
    pub region: String,
    /// Its keys: one for signing, one or more for transport, one for encryption, at most one for governance.
    pub keys: Vec<PurposedKey>,
}

impl Application {
    /// The bytes that every key signs to show that the applicant holds it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.class as u8];
        put_text(&mut out, &self.name);
        put_text(&mut out, &self.region);
        put_count(&mut out, self.keys.len());
        for key in &self.keys {
            out.push(key.purpose as u8);
            out.extend_from_slice(key.key.as_bytes());
        }
        out
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let class = Class::read(reader)?;
        let name = reader.line(NAME_BYTES_MAX, "member name")?.to_owned();
        let region = reader.text_or_empty(6, "region")?.to_owned();
        let mut keys = Vec::new();
        for _ in 0..reader.count(KEYS_PER_MEMBER_MAX, "keys")? {
            let purpose = Purpose::read(reader)?;
            keys.push(PurposedKey { purpose, key: PublicKey(reader.array("key")?) });
        }
        let application = Self { class, name, region, keys };
        application.check()?;
        Ok(application)
    }

    /// The rules of an application that need nothing beside it.
    pub fn check(&self) -> Result<(), LayoutError> {
        let digits = self.region.len() == 6 && self.region.bytes().all(|byte| byte.is_ascii_digit());
        if !self.region.is_empty() && !digits {
            return Err(LayoutError::Rule { field: "region", rule: "must be six digits or empty" });
        }
        let count = |purpose| self.keys.iter().filter(|key| key.purpose == purpose).count();
        let single = count(Purpose::Signing) == 1 && count(Purpose::Encryption) == 1 && count(Purpose::Governance) <= 1;
        if !single || count(Purpose::Transport) == 0 {
            let rule = "must be one signing and one encryption key, transport keys, and at most one governance key";
            return Err(LayoutError::Rule { field: "keys", rule });
        }
        Ok(())
    }

    /// The key of the application's log.
    pub fn signing_key(&self) -> Option<PublicKey> {
        self.keys.iter().find(|key| key.purpose == Purpose::Signing).map(|key| key.key)
    }

    /// A short code that registrar and applicant compare by telephone: six groups of four digits.
    pub fn fingerprint(&self) -> String {
        let hash = blake3::hash(&self.encode());
        let group = |bytes: &[u8]| {
            let number = bytes.iter().fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
            format!("{:04}", number % 10_000)
        };
        let groups: Vec<String> = hash.as_bytes().chunks_exact(4).take(6).map(group).collect();
        groups.join(" ")
    }
}

/// An application with a proof of possession from each of its keys, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedApplication {
    /// The application.
    pub application: Application,
    /// One signature per key.
    pub proofs: Vec<Signature>,
}

impl SignedApplication {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.application.encode();
        for proof in &self.proofs {
            out.extend_from_slice(proof.as_bytes());
        }
        out
    }

    /// Reads the canonical bytes to their end.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes);
        let application = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(application)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let application = Application::read(reader)?;
        let proofs = application.keys.iter().map(|_| Ok(Signature(reader.array("proof of possession")?)));
        Ok(Self { proofs: proofs.collect::<Result<_, LayoutError>>()?, application })
    }

    /// The first key that did not sign the application, if there is one.
    pub fn unproven_key(&self, federation: &FederationId) -> Option<PublicKey> {
        let content = self.application.encode();
        let proven = |key: &PurposedKey, proof| verify(&key.key, Domain::Possession, federation, &content, proof);
        let mut pairs = self.application.keys.iter().zip(&self.proofs);
        pairs.find(|(key, proof)| !proven(key, proof)).map(|(key, _)| key.key)
    }
}
