//! What a charter block can do, and the layout of each operation.
//!
//! Every operation is `type u16, length u32, bytes`. A type that this build does not know makes the block
//! unreadable for it: the node stays at its tip and says "update needed", because skipping an operation would let
//! two builds disagree about who is a member.

use crate::bytes::{LayoutError, Reader, put_count, put_text};
use crate::identity::{ContentHash, Domain, EntryId, FederationId, MemberNumber, PublicKey, Signature, verify};
use crate::limits::{KEYS_PER_MEMBER_MAX, NAME_BYTES_MAX};

/// The field whose error means that this build is too old for the charter, and that nobody is to blame.
pub const OPERATION_TYPE: &str = "operation type";

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

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
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

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
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

/// A place in a log: the entry up to which a sealed log counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Sequence of the last accepted entry.
    pub sequence: u64,
    /// Its id, which names the branch.
    pub id: EntryId,
}

/// The end of a key's right. For a signing key it names the last accepted entry, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// The sealed key.
    pub key: PublicKey,
    /// The last accepted entry of its log; `None` accepts nothing. Always `None` for keys without a log.
    pub last: Option<Position>,
}

impl Seal {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.key.as_bytes());
        let last = self.last.unwrap_or(Position { sequence: 0, id: EntryId::ZERO });
        out.push(u8::from(self.last.is_some()));
        out.extend_from_slice(&last.sequence.to_le_bytes());
        out.extend_from_slice(last.id.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let key = PublicKey(reader.array("sealed key")?);
        let accepts = reader.boolean("seal accepts")?;
        let last = Position { sequence: reader.u64("seal sequence")?, id: EntryId(reader.array("seal id")?) };
        if !accepts && (last.sequence != 0 || last.id != EntryId::ZERO) {
            return Err(LayoutError::Rule { field: "seal", rule: "must be zero when it accepts nothing" });
        }
        Ok(Self { key, last: accepts.then_some(last) })
    }
}

/// One operation of a charter block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Sets the federation's name and the threshold of registrars.
    Rules {
        /// Name of the federation.
        name: String,
        /// Registrars that must sign the next block.
        threshold: u16,
    },
    /// Names a kind set that statements may refer to.
    KindSet {
        /// The number that statements carry.
        version: u16,
        /// Hash of the set.
        hash: ContentHash,
    },
    /// Admits a member under the next number.
    Admit {
        /// The next number.
        member: MemberNumber,
        /// Who it is, proven by its keys.
        application: SignedApplication,
    },
    /// Expels a member: every key of its is sealed.
    Expel {
        /// The member.
        member: MemberNumber,
        /// Ground and decision, for readers.
        reason: String,
        /// One seal for each of its unsealed signing keys, in ascending order of key.
        seals: Vec<Seal>,
    },
    /// Gives a member another key.
    AddKey {
        /// The member.
        member: MemberNumber,
        /// The key.
        key: PurposedKey,
        /// Its signature over the member number, the purpose and itself.
        proof: Signature,
    },
    /// Ends a key's right, or moves the seal of one that has ended.
    SealKey(Seal),
    /// Makes a member's governance key a registrar's.
    AddRegistrar {
        /// The member.
        member: MemberNumber,
        /// Its governance key.
        key: PublicKey,
    },
    /// Takes the registrar's office from a governance key.
    RemoveRegistrar {
        /// The governance key.
        key: PublicKey,
    },
}

/// The bytes that a key signs before it is added to a member.
pub fn added_key_content(member: MemberNumber, key: &PurposedKey) -> Vec<u8> {
    let mut out = member.0.to_le_bytes().to_vec();
    out.push(key.purpose as u8);
    out.extend_from_slice(key.key.as_bytes());
    out
}

impl Operation {
    fn type_number(&self) -> u16 {
        match self {
            Self::Rules { .. } => 1,
            Self::KindSet { .. } => 2,
            Self::Admit { .. } => 3,
            Self::Expel { .. } => 4,
            Self::AddKey { .. } => 5,
            Self::SealKey(_) => 6,
            Self::AddRegistrar { .. } => 7,
            Self::RemoveRegistrar { .. } => 8,
        }
    }

    /// The name in listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rules { .. } => "rules",
            Self::KindSet { .. } => "kind-set",
            Self::Admit { .. } => "admit",
            Self::Expel { .. } => "expel",
            Self::AddKey { .. } => "add-key",
            Self::SealKey(_) => "seal-key",
            Self::AddRegistrar { .. } => "add-registrar",
            Self::RemoveRegistrar { .. } => "remove-registrar",
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut bytes = Vec::new();
        match self {
            Self::Rules { name, threshold } => {
                put_text(&mut bytes, name);
                bytes.extend_from_slice(&threshold.to_le_bytes());
            }
            Self::KindSet { version, hash } => {
                bytes.extend_from_slice(&version.to_le_bytes());
                bytes.extend_from_slice(hash.as_bytes());
            }
            Self::Admit { member, application } => {
                bytes.extend_from_slice(&member.0.to_le_bytes());
                bytes.extend_from_slice(&application.encode());
            }
            Self::Expel { member, reason, seals } => {
                bytes.extend_from_slice(&member.0.to_le_bytes());
                put_text(&mut bytes, reason);
                put_count(&mut bytes, seals.len());
                seals.iter().for_each(|seal| seal.encode(&mut bytes));
            }
            Self::AddKey { member, key, proof } => {
                bytes.extend_from_slice(&added_key_content(*member, key));
                bytes.extend_from_slice(proof.as_bytes());
            }
            Self::SealKey(seal) => seal.encode(&mut bytes),
            Self::AddRegistrar { member, key } => {
                bytes.extend_from_slice(&member.0.to_le_bytes());
                bytes.extend_from_slice(key.as_bytes());
            }
            Self::RemoveRegistrar { key } => bytes.extend_from_slice(key.as_bytes()),
        }
        out.extend_from_slice(&self.type_number().to_le_bytes());
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&bytes);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let type_number = reader.u16(OPERATION_TYPE)?;
        let length = reader.u32("operation length")? as usize;
        let mut body = Reader::new(reader.bytes(length, "operation")?);
        let operation = Self::read_body(type_number, &mut body)?;
        body.finish()?;
        Ok(operation)
    }

    fn read_body(type_number: u16, body: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(match type_number {
            1 => Self::Rules {
                name: body.line(NAME_BYTES_MAX, "federation name")?.to_owned(),
                threshold: body.u16("threshold")?,
            },
            2 => Self::KindSet {
                version: body.u16("kind set version")?,
                hash: ContentHash(body.array("kind set hash")?),
            },
            3 => Self::Admit { member: read_member(body)?, application: SignedApplication::read(body)? },
            4 => Self::Expel {
                member: read_member(body)?,
                reason: body.text_or_empty(NAME_BYTES_MAX * 4, "reason")?.to_owned(),
                seals: read_seals(body)?,
            },
            5 => Self::AddKey {
                member: read_member(body)?,
                key: PurposedKey { purpose: Purpose::read(body)?, key: PublicKey(body.array("key")?) },
                proof: Signature(body.array("proof of possession")?),
            },
            6 => Self::SealKey(Seal::read(body)?),
            7 => Self::AddRegistrar { member: read_member(body)?, key: PublicKey(body.array("key")?) },
            8 => Self::RemoveRegistrar { key: PublicKey(body.array("key")?) },
            _ => {
                let rule = "is not known to this build; update it to follow the charter";
                return Err(LayoutError::Rule { field: OPERATION_TYPE, rule });
            }
        })
    }
}

fn read_member(reader: &mut Reader<'_>) -> Result<MemberNumber, LayoutError> {
    Ok(MemberNumber(reader.u32("member")?))
}

fn read_seals(reader: &mut Reader<'_>) -> Result<Vec<Seal>, LayoutError> {
    let count = reader.count(KEYS_PER_MEMBER_MAX, "seals")?;
    let seals: Vec<Seal> = (0..count).map(|_| Seal::read(reader)).collect::<Result<_, _>>()?;
    if !seals.is_sorted_by(|first, second| first.key < second.key) {
        return Err(LayoutError::Rule { field: "seals", rule: "must be in strictly ascending order of key" });
    }
    Ok(seals)
}
