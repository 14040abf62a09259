//! What the blocks add up to: members, keys, logs, registrars and rules.

use std::collections::BTreeMap;

use super::CharterError;
use super::block::Block;
use super::operation::{Class, Operation, Position, Purpose, PurposedKey, Seal, SignedApplication, added_key_content};
use crate::identity::{ContentHash, Domain, FederationId, MemberNumber, PublicKey, verify};
use crate::limits::{KEYS_PER_MEMBER_MAX, MEMBERS_MAX, REGISTRARS_MAX};

/// The number of a log: signing keys in the order in which the charter granted them, from 0.
pub type LogNumber = u32;

/// How a member stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Admitted.
    Active,
    /// Expelled by a block, for a reason.
    Expelled {
        /// The block's version.
        version: u32,
        /// Ground and decision.
        reason: String,
    },
}

/// A member as the charter knows it.
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
    /// Version of the block that admitted it.
    pub admitted: u32,
    /// How it stands.
    pub standing: Standing,
    /// Every key it was ever given, in order.
    pub keys: Vec<PurposedKey>,
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
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyRecord {
    member: MemberNumber,
    purpose: Purpose,
    ended: bool,
}

/// The state after some block. Clones are cheap enough: blocks are rare.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster {
    pub(super) name: String,
    pub(super) threshold: u16,
    pub(super) members: BTreeMap<MemberNumber, Member>,
    pub(super) logs: Vec<LogGrant>,
    pub(super) registrars: BTreeMap<PublicKey, MemberNumber>,
    pub(super) kind_sets: BTreeMap<u16, ContentHash>,
    keys: BTreeMap<PublicKey, KeyRecord>,
    log_numbers: BTreeMap<PublicKey, LogNumber>,
}

type Rule = Result<(), &'static str>;

impl Roster {
    /// The state after `block`. `federation` is what possession proofs name: zero in the genesis block.
    pub(super) fn after(mut self, block: &Block, federation: &FederationId) -> Result<Self, CharterError> {
        let version = block.version;
        for (index, operation) in block.operations.iter().enumerate() {
            let name = operation.name();
            self.apply(version, operation, federation).map_err(|rule| CharterError::Operation {
                version,
                index,
                name,
                rule,
            })?;
        }
        let found = self.registrars.len();
        if found == 0 || found < usize::from(self.threshold) || self.threshold == 0 {
            return Err(CharterError::Registrars { version, found, threshold: self.threshold });
        }
        Ok(self)
    }

    fn apply(&mut self, version: u32, operation: &Operation, federation: &FederationId) -> Rule {
        match operation {
            Operation::Rules { name, threshold } => {
                self.name.clone_from(name);
                self.threshold = *threshold;
                Ok(())
            }
            Operation::KindSet { version, hash } => match self.kind_sets.insert(*version, *hash) {
                Some(before) if before != *hash => Err("a kind set number is never used twice"),
                _ => Ok(()),
            },
            Operation::Admit { member, application } => self.admit(version, *member, application, federation),
            Operation::Expel { member, reason, seals } => self.expel(version, *member, reason, seals),
            Operation::AddKey { member, key, proof } => {
                let content = added_key_content(*member, key);
                if !verify(&key.key, Domain::Possession, federation, &content, proof) {
                    return Err("the key did not sign its own addition");
                }
                self.active(*member)?;
                self.add_key(version, *member, *key)
            }
            Operation::SealKey(seal) => self.seal(seal),
            Operation::AddRegistrar { member, key } => {
                if self.holder(key, Purpose::Governance) != Some(*member) {
                    return Err("a registrar's key must be a governance key of that member");
                }
                if self.registrars.len() >= REGISTRARS_MAX {
                    return Err("there are too many registrars");
                }
                self.registrars.insert(*key, *member);
                Ok(())
            }
            Operation::RemoveRegistrar { key } => {
                self.registrars.remove(key).map(|_| ()).ok_or("that key is no registrar's")
            }
        }
    }

    fn admit(
        &mut self,
        version: u32,
        number: MemberNumber,
        signed: &SignedApplication,
        federation: &FederationId,
    ) -> Rule {
        if number.0 as usize != self.members.len() + 1 {
            return Err("members are numbered in order of admission");
        }
        if self.members.len() >= MEMBERS_MAX {
            return Err("there are too many members");
        }
        if signed.unproven_key(federation).is_some() {
            return Err("a key of the application did not sign it for this federation");
        }
        let application = &signed.application;
        application.check().map_err(|_| "the application breaks its own rules")?;
        let member = Member {
            number,
            class: application.class,
            name: application.name.clone(),
            region: application.region.clone(),
            admitted: version,
            standing: Standing::Active,
            keys: Vec::new(),
        };
        self.members.insert(number, member);
        application.keys.iter().try_for_each(|key| self.add_key(version, number, *key))
    }

    fn add_key(&mut self, version: u32, number: MemberNumber, key: PurposedKey) -> Rule {
        if self.keys.contains_key(&key.key) {
            return Err("a key belongs to one member and one purpose, for ever");
        }
        let unsealed = |log: &LogGrant| log.member == number && log.seal.is_none();
        if key.purpose == Purpose::Signing && self.logs.iter().any(unsealed) {
            return Err("a member has one unsealed signing key at a time");
        }
        let member = self.members.get_mut(&number).ok_or("there is no such member")?;
        if member.keys.len() >= KEYS_PER_MEMBER_MAX {
            return Err("the member has had too many keys");
        }
        member.keys.push(key);
        self.keys.insert(key.key, KeyRecord { member: number, purpose: key.purpose, ended: false });
        if key.purpose == Purpose::Signing {
            let log = self.logs.len() as LogNumber;
            self.logs.push(LogGrant { number: log, key: key.key, member: number, granted: version, seal: None });
            self.log_numbers.insert(key.key, log);
        }
        Ok(())
    }

    fn expel(&mut self, version: u32, number: MemberNumber, reason: &str, seals: &[Seal]) -> Rule {
        self.active(number)?;
        let mut open: Vec<PublicKey> =
            self.logs.iter().filter(|log| log.member == number && log.seal.is_none()).map(|log| log.key).collect();
        open.sort();
        if !seals.iter().map(|seal| seal.key).eq(open) {
            return Err("an expulsion seals each unsealed signing key of the member, and no other");
        }
        seals.iter().try_for_each(|seal| self.seal(seal))?;
        for (key, record) in &mut self.keys {
            if record.member == number {
                record.ended = true;
                self.registrars.remove(key);
            }
        }
        let member = self.members.get_mut(&number).ok_or("there is no such member")?;
        member.standing = Standing::Expelled { version, reason: reason.to_owned() };
        Ok(())
    }

    fn seal(&mut self, seal: &Seal) -> Rule {
        if seal.last.is_some_and(|last| last.sequence == u64::MAX) {
            return Err("a seal names an entry that can exist");
        }
        let record = self.keys.get_mut(&seal.key).ok_or("that key was never granted")?;
        record.ended = true;
        match record.purpose {
            Purpose::Signing => {
                let number = self.log_numbers.get(&seal.key).ok_or("that key has no log")?;
                self.logs[*number as usize].seal = Some(seal.last);
            }
            _ if seal.last.is_some() => return Err("only a signing key's seal names an entry"),
            _ => {
                self.registrars.remove(&seal.key);
            }
        }
        Ok(())
    }

    fn active(&self, number: MemberNumber) -> Rule {
        match self.members.get(&number) {
            None => Err("there is no such member"),
            Some(member) if member.standing != Standing::Active => Err("the member was expelled"),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn log_of(&self, key: &PublicKey) -> Option<&LogGrant> {
        self.log_numbers.get(key).map(|number| &self.logs[*number as usize])
    }

    pub(super) fn holder(&self, key: &PublicKey, purpose: Purpose) -> Option<MemberNumber> {
        let record = self.keys.get(key)?;
        (record.purpose == purpose && !record.ended).then_some(record.member)
    }

    pub(super) fn live_keys(&self, purpose: Purpose) -> BTreeMap<PublicKey, MemberNumber> {
        let live = self.keys.iter().filter(|(_, record)| record.purpose == purpose && !record.ended);
        live.map(|(key, record)| (*key, record.member)).collect()
    }
}
