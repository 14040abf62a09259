//! A member as the charter knows it: its standing, its keys, and how both came about.

use super::application::{Class, Purpose};
use super::seal::Position;
use crate::identity::{MemberNumber, PublicKey};

/// The number of a log: signing keys in the order in which the charter granted them, from 0.
pub type LogNumber = u32;

/// How a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Admitted, with all rights.
    Active,
    /// Its rights rest until it is reinstated.
    Suspended,
    /// Gone of its own will, or persuaded to go (劝退).
    Left,
    /// Struck off (除名).
    Expelled,
}

impl Standing {
    /// The name in commands and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Left => "left",
            Self::Expelled => "expelled",
        }
    }

    /// The Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Active => "在册",
            Self::Suspended => "暂停",
            Self::Left => "已退出",
            Self::Expelled => "已除名",
        }
    }
}

/// What happened to a member (requirements R04, F004, F005).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Version of the block.
    pub version: u32,
    /// Name of the operation.
    pub operation: &'static str,
    /// Ground and decision, if the operation gives one.
    pub reason: String,
}

/// A key that a member was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberKey {
    /// What it is for.
    pub purpose: Purpose,
    /// The key.
    pub key: PublicKey,
    /// Version of the block that granted it.
    pub granted: u32,
    /// Version of the block that first ended it, if one did.
    pub ended: Option<u32>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub number: MemberNumber,
    /// Its class.
    pub class: Class,
    /// Its name.
    pub name: String,
    /// GB/T 2260 code, or empty.
    pub region: String,
    /// Version of the block that admitted it last.
    pub admitted: u32,
    /// How it stands.
    pub standing: Standing,
    /// Every decision about it, in order.
    pub decisions: Vec<Decision>,
    /// Every key that it was ever given, in order.
    pub keys: Vec<MemberKey>,
}

impl Member {
    /// The key of a purpose that was given last and has not ended.
    pub fn key(&self, purpose: Purpose) -> Option<PublicKey> {
        self.keys.iter().rev().find(|key| key.purpose == purpose && key.ended.is_none()).map(|key| key.key)
    }

    /// Ground and version of the decision that left it as it stands.
    pub fn ground(&self) -> Option<&Decision> {
        self.decisions.iter().rev().find(|decision| decision.operation != "warn")
    }

    /// Reminders since it was admitted last.
    pub fn warnings(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(|decision| decision.operation == "warn" && decision.version >= self.admitted)
    }
}

/// A signing key's right to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGrant {
    /// Number of the log.
    pub number: LogNumber,
    /// The signing key.
    pub key: PublicKey,
    /// Whose log it is.
    pub member: MemberNumber,
    /// Version of the block that granted the key.
    pub granted: u32,
    /// Where the right ends: unset while it lasts; then the last accepted entry, or none.
    pub seal: Option<Option<Position>>,
    /// Who owns its records after its author, each from the version of the block that gave them to it.
    pub heirs: Vec<(u32, MemberNumber)>,
}

impl LogGrant {
    /// Whether `sequence` lies above the seal.
    pub fn ends_before(&self, sequence: u64) -> bool {
        match self.seal {
            None => false,
            Some(None) => true,
            Some(Some(last)) => sequence > last.sequence,
        }
    }

    /// Whose records of this log are now.
    pub fn owner(&self) -> MemberNumber {
        self.heirs.last().map_or(self.member, |(_, heir)| *heir)
    }

    /// The place of `member` among the owners of its records, if it is their owner under charter `version`: 0 for the
    /// author, 1 for the first heir and so on. `None` when it has no say.
    pub fn tenure(&self, member: MemberNumber, version: u32) -> Option<usize> {
        let tenure = self.heirs.iter().take_while(|(since, _)| *since <= version).count();
        let owner = tenure.checked_sub(1).map_or(self.member, |last| self.heirs[last].1);
        (owner == member).then_some(tenure)
    }
}
