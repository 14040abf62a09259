//! Roles, seats and terms (DESIGN 4.2; requirements F006, A10 to A14, R03).
//!
//! A seat is one person of one member in one role for a term. How many seats a role has and how long a term may be is
//! for the charter's own rules to say. A term that has ended takes no right by itself: it is shown, like a charter that
//! has expired, until the seat is granted anew or taken.

use crate::bytes::{LayoutError, Reader, put_text};
use crate::identity::{MemberNumber, PublicKey};
use crate::limits::NAME_BYTES_MAX;

/// What a seat is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// 登记人: signs charter blocks.
    Registrar = 1,
    /// 理事.
    Council = 2,
    /// 专家委员.
    Expert = 3,
    /// 监督委员.
    Supervisor = 4,
    /// 见证人.
    Witness = 5,
    /// 秘书长.
    SecretaryGeneral = 6,
}

impl Role {
    /// Every role, in the order of its number.
    pub const ALL: [Self; 6] =
        [Self::Registrar, Self::Council, Self::Expert, Self::Supervisor, Self::Witness, Self::SecretaryGeneral];

    /// The name in commands and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registrar => "registrar",
            Self::Council => "council",
            Self::Expert => "expert",
            Self::Supervisor => "supervisor",
            Self::Witness => "witness",
            Self::SecretaryGeneral => "secretary-general",
        }
    }

    /// The Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Registrar => "登记人",
            Self::Council => "理事",
            Self::Expert => "专家委员",
            Self::Supervisor => "监督委员",
            Self::Witness => "见证人",
            Self::SecretaryGeneral => "秘书长",
        }
    }

    /// The role of that English or Chinese name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name || role.zh() == name)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let byte = reader.u8("role")?;
        let role = Self::ALL.into_iter().find(|role| *role as u8 == byte);
        role.ok_or(LayoutError::Rule { field: "role", rule: "must be a defined role" })
    }
}

/// How many seats a role has, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleRule {
    /// The role.
    pub role: Role,
    /// Seats whose term runs, at most.
    pub seats_max: u16,
    /// Longest term, in milliseconds; zero allows a seat without end.
    pub term_ms: u64,
}

impl RoleRule {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.role as u8);
        out.extend_from_slice(&self.seats_max.to_le_bytes());
        out.extend_from_slice(&self.term_ms.to_le_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self { role: Role::read(reader)?, seats_max: reader.u16("seats")?, term_ms: reader.u64("term")? })
    }
}

/// A seat as it is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatGrant {
    /// The role.
    pub role: Role,
    /// The member that takes the seat.
    pub member: MemberNumber,
    /// For a registrar its governance key; zero for every other role.
    pub key: PublicKey,
    /// Who sits there, if anybody is named. The charter is public to all members.
    pub person: String,
    /// Begin of the term, in milliseconds since 1970 (UTC).
    pub from_ms: u64,
    /// End of the term, in milliseconds since 1970 (UTC); zero for none.
    pub until_ms: u64,
}

impl SeatGrant {
    /// A registrar's seat without end.
    pub fn registrar(member: MemberNumber, key: PublicKey) -> Self {
        Self { role: Role::Registrar, member, key, person: String::new(), from_ms: 0, until_ms: 0 }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.role as u8);
        out.extend_from_slice(&self.member.0.to_le_bytes());
        out.extend_from_slice(self.key.as_bytes());
        put_text(out, &self.person);
        out.extend_from_slice(&self.from_ms.to_le_bytes());
        out.extend_from_slice(&self.until_ms.to_le_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let grant = Self {
            role: Role::read(reader)?,
            member: MemberNumber(reader.u32("member")?),
            key: PublicKey(reader.array("registrar key")?),
            person: reader.line_or_empty(NAME_BYTES_MAX, "person")?.to_owned(),
            from_ms: reader.u64("begin of term")?,
            until_ms: reader.u64("end of term")?,
        };
        if (grant.role == Role::Registrar) == (grant.key == PublicKey::ZERO) {
            return Err(LayoutError::Rule {
                field: "registrar key",
                rule: "belongs to a registrar, and to nobody else",
            });
        }
        if grant.until_ms != 0 && grant.until_ms <= grant.from_ms {
            return Err(LayoutError::Rule { field: "end of term", rule: "must come after its begin" });
        }
        Ok(grant)
    }
}

/// A seat that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Its number, in order of grant from 1, never reused.
    pub number: u32,
    /// What was granted.
    pub grant: SeatGrant,
    /// Version of the block that granted it.
    pub granted: u32,
    /// Version of the block that ended it, and why, if one did.
    pub ended: Option<(u32, String)>,
}

impl Seat {
    /// Whether the term has ended by `time_ms`.
    pub fn has_run_out(&self, time_ms: u64) -> bool {
        self.grant.until_ms != 0 && self.grant.until_ms <= time_ms
    }

    /// Whether somebody sits there at `time_ms`, within the term.
    pub fn is_filled(&self, time_ms: u64) -> bool {
        self.ended.is_none() && !self.has_run_out(time_ms)
    }
}
