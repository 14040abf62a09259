//! What a charter block can do, and the layout of each operation.
//!
//! Every operation is `type u16, length u32, bytes`. A type that this build does not know makes the block
//! unreadable for it: the node stays at its tip and says "update needed", because skipping an operation would let
//! two builds disagree about who is a member.

use super::application::{Purpose, PurposedKey, SignedApplication};
use super::role::{Role, RoleRule, SeatGrant};
use super::seal::{Seal, put_seals, read_seals};
use crate::bytes::{LayoutError, Reader, put_text};
use crate::erasure::{self, Target};
use crate::identity::{ContentHash, MemberNumber, PublicKey, Signature};
use crate::lead_token::HolderGrant;
use crate::limits::{NAME_BYTES_MAX, REASON_BYTES_MAX};
use crate::sealed::WrappedClassKey;

/// The field whose error means that this build is too old for the charter, and that nobody is to blame.
pub const OPERATION_TYPE: &str = "operation type";

/// What share of all voting members validates a block without registrars (DESIGN 4.1, requirement F008).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum BallotRule {
    /// More than half.
    #[default]
    MoreThanHalf = 1,
    /// Half, or more.
    HalfIsEnough = 2,
}

impl BallotRule {
    /// The name in commands and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::MoreThanHalf => "more-than-half",
            Self::HalfIsEnough => "half-is-enough",
        }
    }

    /// The rule of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::MoreThanHalf, Self::HalfIsEnough].into_iter().find(|rule| rule.name() == name)
    }

    /// The ballots that are needed of `voters` members.
    pub fn needed(self, voters: usize) -> usize {
        match self {
            Self::MoreThanHalf => voters / 2 + 1,
            Self::HalfIsEnough => voters.div_ceil(2),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let byte = reader.u8("ballot rule")?;
        let rule = [Self::MoreThanHalf, Self::HalfIsEnough].into_iter().find(|rule| *rule as u8 == byte);
        rule.ok_or(LayoutError::Rule { field: "ballot rule", rule: "must be a defined rule" })
    }
}

/// A member loses its rights: suspended, gone of its own will, or expelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The member.
    pub member: MemberNumber,
    /// Ground and decision, for readers.
    pub reason: String,
    /// One seal for each of its unsealed signing keys, in ascending order of key.
    pub seals: Vec<Seal>,
}

impl Departure {
    fn encode(&self, out: &mut Vec<u8>) {
        put_member(out, self.member);
        put_text(out, &self.reason);
        put_seals(out, &self.seals);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self { member: read_member(reader)?, reason: read_reason(reader)?, seals: read_seals(reader)? })
    }
}

/// A key that comes to a member that has others already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyGrant {
    /// The member.
    pub member: MemberNumber,
    /// The key.
    pub key: PurposedKey,
    /// Its signature over the member number, the purpose and itself.
    pub proof: Signature,
}

impl KeyGrant {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&added_key_content(self.member, &self.key));
        out.extend_from_slice(self.proof.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self {
            member: read_member(reader)?,
            key: PurposedKey { purpose: Purpose::read(reader)?, key: PublicKey(reader.array("key")?) },
            proof: Signature(reader.array("proof of possession")?),
        })
    }
}

/// One operation of a charter block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Sets the federation's name, the threshold of registrars and what share of all members decides beside them.
    Rules {
        /// Name of the federation.
        name: String,
        /// Registrars that must sign the next block.
        threshold: u16,
        /// What share of all voting members validates the next block without them.
        ballots: BallotRule,
    },
    /// Names a kind set that statements may refer to.
    KindSet {
        /// The number that statements carry.
        version: u16,
        /// Hash of the set.
        hash: ContentHash,
    },
    /// Admits a member under the next number, or one that left or was expelled again under its own, with new keys.
    Admit {
        /// The next number, or that of a former member.
        member: MemberNumber,
        /// Who it is, proven by its keys.
        application: SignedApplication,
    },
    /// Reminds a member of its duties; takes no right.
    Warn {
        /// The member.
        member: MemberNumber,
        /// Ground and decision, for readers.
        reason: String,
    },
    /// Takes a member's rights until it is reinstated.
    Suspend(Departure),
    /// Gives a suspended member its rights back, with a new signing key: a sealed key never returns.
    Reinstate {
        /// Ground and decision, for readers.
        reason: String,
        /// The new signing key.
        grant: KeyGrant,
    },
    /// A member leaves of its own will, or is persuaded to: every key of its ends.
    Leave(Departure),
    /// Expels a member: every key of its ends.
    Expel(Departure),
    /// Gives a member another key.
    AddKey(KeyGrant),
    /// Ends a key's right, or moves the seal of one that has ended.
    SealKey(Seal),
    /// Ends a key's right and gives its member another of the same purpose.
    ReplaceKey {
        /// The end of the old key.
        seal: Seal,
        /// The new key.
        grant: KeyGrant,
    },
    /// Gives a member a seat.
    GrantRole(SeatGrant),
    /// Takes a seat.
    TakeRole {
        /// The seat's number.
        seat: u32,
        /// Ground and decision, for readers.
        reason: String,
    },
    /// Says how many seats a role has, and how long a term may be.
    RoleRule(RoleRule),
    /// Sets how fast entries of one member are passed on by gossip. What is shed comes by sync: validity never depends
    /// on it (DESIGN 5.7).
    Limits {
        /// Entries of one member in a minute; zero sets no limit.
        gossip_entries_per_minute: u32,
    },
    /// Names a set of duty rules.
    DutyRules {
        /// The number of the set.
        version: u16,
        /// Its hash.
        hash: ContentHash,
    },
    /// Gives the records of a member that left or was expelled to another, which may revise and withdraw them.
    Reassign {
        /// The former member.
        from: MemberNumber,
        /// Whose they are from now on.
        to: MemberNumber,
        /// Ground and decision, for readers.
        reason: String,
    },
    /// Erases bodies (DESIGN 3.10).
    Erase {
        /// Ground and decision, for readers.
        reason: String,
        /// The entries, in strictly ascending order.
        targets: Vec<Target>,
    },
    /// Names the next key of a class, or wraps the current one for further holders (DESIGN 6.5).
    ClassKey(WrappedClassKey),
    /// Names one of the two holders by whose help duplicate leads are found (requirement F046).
    LeadHolder(HolderGrant),
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
            Self::Warn { .. } => 4,
            Self::Suspend(_) => 5,
            Self::Reinstate { .. } => 6,
            Self::Leave(_) => 7,
            Self::Expel(_) => 8,
            Self::AddKey(_) => 9,
            Self::SealKey(_) => 10,
            Self::ReplaceKey { .. } => 11,
            Self::GrantRole(_) => 12,
            Self::TakeRole { .. } => 13,
            Self::RoleRule(_) => 14,
            Self::Limits { .. } => 15,
            Self::DutyRules { .. } => 16,
            Self::Reassign { .. } => 17,
            Self::Erase { .. } => 18,
            Self::ClassKey(_) => 19,
            Self::LeadHolder(_) => 20,
        }
    }

    /// The name in errors and listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rules { .. } => "rules",
            Self::KindSet { .. } => "kind-set",
            Self::Admit { .. } => "admit",
            Self::Warn { .. } => "warn",
            Self::Suspend(_) => "suspend",
            Self::Reinstate { .. } => "reinstate",
            Self::Leave(_) => "leave",
            Self::Expel(_) => "expel",
            Self::AddKey(_) => "add-key",
            Self::SealKey(_) => "seal-key",
            Self::ReplaceKey { .. } => "replace-key",
            Self::GrantRole(_) => "grant-role",
            Self::TakeRole { .. } => "take-role",
            Self::RoleRule(_) => "role-rule",
            Self::Limits { .. } => "limits",
            Self::DutyRules { .. } => "duty-rules",
            Self::Reassign { .. } => "reassign",
            Self::Erase { .. } => "erase",
            Self::ClassKey(_) => "class-key",
            Self::LeadHolder(_) => "lead-holder",
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut bytes = Vec::new();
        self.encode_body(&mut bytes);
        out.extend_from_slice(&self.type_number().to_le_bytes());
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&bytes);
    }

    fn encode_body(&self, out: &mut Vec<u8>) {
        match self {
            Self::Rules { name, threshold, ballots } => {
                put_text(out, name);
                out.extend_from_slice(&threshold.to_le_bytes());
                out.push(*ballots as u8);
            }
            Self::KindSet { version, hash } | Self::DutyRules { version, hash } => {
                out.extend_from_slice(&version.to_le_bytes());
                out.extend_from_slice(hash.as_bytes());
            }
            Self::Admit { member, application } => {
                put_member(out, *member);
                out.extend_from_slice(&application.encode());
            }
            Self::Warn { member, reason } => {
                put_member(out, *member);
                put_text(out, reason);
            }
            Self::Suspend(departure) | Self::Leave(departure) | Self::Expel(departure) => departure.encode(out),
            Self::Reinstate { reason, grant } => {
                put_text(out, reason);
                grant.encode(out);
            }
            Self::AddKey(grant) => grant.encode(out),
            Self::SealKey(seal) => seal.encode(out),
            Self::ReplaceKey { seal, grant } => {
                seal.encode(out);
                grant.encode(out);
            }
            Self::GrantRole(grant) => grant.encode(out),
            Self::TakeRole { seat, reason } => {
                out.extend_from_slice(&seat.to_le_bytes());
                put_text(out, reason);
            }
            Self::RoleRule(rule) => rule.encode(out),
            Self::Limits { gossip_entries_per_minute } => {
                out.extend_from_slice(&gossip_entries_per_minute.to_le_bytes());
            }
            Self::Reassign { from, to, reason } => {
                put_member(out, *from);
                put_member(out, *to);
                put_text(out, reason);
            }
            Self::Erase { reason, targets } => {
                put_text(out, reason);
                erasure::put_targets(out, targets);
            }
            Self::ClassKey(wrapped) => wrapped.encode(out),
            Self::LeadHolder(grant) => grant.encode(out),
        }
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
                ballots: BallotRule::read(body)?,
            },
            2 => Self::KindSet { version: body.u16("kind set version")?, hash: read_hash(body, "kind set hash")? },
            3 => Self::Admit { member: read_member(body)?, application: SignedApplication::read(body)? },
            4 => Self::Warn { member: read_member(body)?, reason: read_reason(body)? },
            5 => Self::Suspend(Departure::read(body)?),
            6 => Self::Reinstate { reason: read_reason(body)?, grant: KeyGrant::read(body)? },
            7 => Self::Leave(Departure::read(body)?),
            8 => Self::Expel(Departure::read(body)?),
            9 => Self::AddKey(KeyGrant::read(body)?),
            10 => Self::SealKey(Seal::read(body)?),
            11 => Self::ReplaceKey { seal: Seal::read(body)?, grant: KeyGrant::read(body)? },
            12 => Self::GrantRole(SeatGrant::read(body)?),
            13 => Self::TakeRole { seat: body.u32("seat")?, reason: read_reason(body)? },
            14 => Self::RoleRule(RoleRule::read(body)?),
            15 => Self::Limits { gossip_entries_per_minute: body.u32("gossip entries per minute")? },
            16 => {
                Self::DutyRules { version: body.u16("duty rules version")?, hash: read_hash(body, "duty rules hash")? }
            }
            17 => Self::Reassign { from: read_member(body)?, to: read_member(body)?, reason: read_reason(body)? },
            18 => Self::Erase { reason: read_reason(body)?, targets: erasure::read_targets(body)? },
            19 => Self::ClassKey(WrappedClassKey::read(body)?),
            20 => Self::LeadHolder(HolderGrant::read(body)?),
            _ => {
                let rule = "is not known to this build; update it to follow the charter";
                return Err(LayoutError::Rule { field: OPERATION_TYPE, rule });
            }
        })
    }

    /// The role that an operation speaks of, for listings.
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::GrantRole(grant) => Some(grant.role),
            Self::RoleRule(rule) => Some(rule.role),
            _ => None,
        }
    }
}

fn put_member(out: &mut Vec<u8>, member: MemberNumber) {
    out.extend_from_slice(&member.0.to_le_bytes());
}

fn read_member(reader: &mut Reader<'_>) -> Result<MemberNumber, LayoutError> {
    Ok(MemberNumber(reader.u32("member")?))
}

fn read_reason(reader: &mut Reader<'_>) -> Result<String, LayoutError> {
    Ok(reader.text_or_empty(REASON_BYTES_MAX, "reason")?.to_owned())
}

fn read_hash(reader: &mut Reader<'_>, field: &'static str) -> Result<ContentHash, LayoutError> {
    Ok(ContentHash(reader.array(field)?))
}
