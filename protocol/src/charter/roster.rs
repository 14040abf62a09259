//! What the blocks add up to: members, keys, logs, seats and rules.

use std::collections::{BTreeMap, BTreeSet};

use super::CharterError;
use super::application::{Class, Purpose, PurposedKey, SignedApplication};
use super::block::Block;
use super::member::{Decision, LogGrant, LogNumber, Member, MemberKey, Standing};
use super::operation::{BallotRule, Departure, KeyGrant, Operation, added_key_content};
use super::role::{Role, RoleRule, Seat, SeatGrant};
use super::seal::Seal;
use crate::erasure::Target;
use crate::identity::{ContentHash, Domain, FederationId, MemberNumber, PublicKey, verify};
use crate::limits::{KEYS_PER_MEMBER_MAX, MEMBERS_MAX, REGISTRARS_MAX, SEATS_MAX};
use crate::sealed::WrappedClassKey;

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
    pub(super) ballots: BallotRule,
    pub(super) members: BTreeMap<MemberNumber, Member>,
    pub(super) logs: Vec<LogGrant>,
    pub(super) registrars: BTreeMap<PublicKey, MemberNumber>,
    pub(super) seats: Vec<Seat>,
    pub(super) role_rules: BTreeMap<Role, RoleRule>,
    pub(super) kind_sets: BTreeMap<u16, ContentHash>,
    pub(super) duty_rules: BTreeMap<u16, ContentHash>,
    pub(super) gossip_entries_per_minute: u32,
    /// Every version of each class's key, in order, with the wraps of all operations.
    pub(super) class_keys: BTreeMap<Class, Vec<WrappedClassKey>>,
    /// Every entry that a block erases, with the block's version.
    pub(super) erased: Vec<(u32, Target)>,
    keys: BTreeMap<PublicKey, KeyRecord>,
    log_numbers: BTreeMap<PublicKey, LogNumber>,
}

/// What the operations of a block may look at beside the roster.
struct Setting<'a> {
    version: u32,
    time_ms: u64,
    federation: &'a FederationId,
}

type Rule = Result<(), &'static str>;

impl Roster {
    /// The state after `block`. `federation` is what possession proofs name: zero in the genesis block.
    pub(super) fn after(mut self, block: &Block, federation: &FederationId) -> Result<Self, CharterError> {
        let setting = Setting { version: block.version, time_ms: block.time_ms, federation };
        for (index, operation) in block.operations.iter().enumerate() {
            let (version, name) = (block.version, operation.name());
            let refused = |rule| CharterError::Operation { version, index, name, rule };
            self.apply(&setting, operation).map_err(refused)?;
        }
        let found = self.registrars.len();
        if found == 0 || found < usize::from(self.threshold) || self.threshold == 0 {
            return Err(CharterError::Registrars { version: block.version, found, threshold: self.threshold });
        }
        Ok(self)
    }

    fn apply(&mut self, setting: &Setting<'_>, operation: &Operation) -> Rule {
        let version = setting.version;
        match operation {
            Operation::Rules { name, threshold, ballots } => {
                self.name.clone_from(name);
                (self.threshold, self.ballots) = (*threshold, *ballots);
                Ok(())
            }
            Operation::KindSet { version, hash } => name_once(&mut self.kind_sets, *version, *hash),
            Operation::DutyRules { version, hash } => name_once(&mut self.duty_rules, *version, *hash),
            Operation::Limits { gossip_entries_per_minute } => {
                self.gossip_entries_per_minute = *gossip_entries_per_minute;
                Ok(())
            }
            Operation::Admit { member, application } => self.admit(setting, *member, application),
            Operation::Warn { member, reason } => {
                self.active(*member)?;
                self.decide(version, *member, operation.name(), reason)
            }
            Operation::Suspend(departure) => self.depart(version, operation.name(), departure, Standing::Suspended),
            Operation::Leave(departure) => self.depart(version, operation.name(), departure, Standing::Left),
            Operation::Expel(departure) => self.depart(version, operation.name(), departure, Standing::Expelled),
            Operation::Reinstate { reason, grant } => self.reinstate(setting, operation.name(), reason, grant),
            Operation::AddKey(grant) => self.grant_key(setting, grant),
            Operation::SealKey(seal) => self.seal(version, seal),
            Operation::ReplaceKey { seal, grant } => {
                let replaced = self.keys.get(&seal.key).ok_or("that key was never granted")?;
                if replaced.member != grant.member || replaced.purpose != grant.key.purpose {
                    return Err("a key is replaced by one of the same member and purpose");
                }
                self.seal(version, seal)?;
                self.grant_key(setting, grant)
            }
            Operation::GrantRole(grant) => self.grant_seat(setting, grant),
            Operation::TakeRole { seat, reason } => self.take_seat(version, *seat, reason),
            Operation::RoleRule(rule) => {
                self.role_rules.insert(rule.role, *rule);
                Ok(())
            }
            Operation::Reassign { from, to, .. } => self.reassign(version, *from, *to),
            Operation::Erase { targets, .. } => {
                self.erased.extend(targets.iter().map(|target| (version, *target)));
                Ok(())
            }
            Operation::ClassKey(wrapped) => self.class_key(wrapped),
        }
    }

    fn admit(&mut self, setting: &Setting<'_>, number: MemberNumber, signed: &SignedApplication) -> Rule {
        if signed.unproven_key(setting.federation).is_some() {
            return Err("a key of the application did not sign it for this federation");
        }
        let application = &signed.application;
        application.check().map_err(|_| "the application breaks its own rules")?;
        match self.members.get_mut(&number) {
            Some(former) if matches!(former.standing, Standing::Left | Standing::Expelled) => {
                former.class = application.class;
                former.name.clone_from(&application.name);
                former.region.clone_from(&application.region);
                (former.admitted, former.standing) = (setting.version, Standing::Active);
            }
            Some(_) => return Err("the member is admitted already"),
            None => self.enter(setting.version, number, signed)?,
        }
        self.decide(setting.version, number, "admit", "")?;
        application.keys.iter().try_for_each(|key| self.add_key(setting.version, number, *key))
    }

    fn enter(&mut self, version: u32, number: MemberNumber, signed: &SignedApplication) -> Rule {
        if number.0 as usize != self.members.len() + 1 {
            return Err("members are numbered in order of admission");
        }
        if self.members.len() >= MEMBERS_MAX {
            return Err("there are too many members");
        }
        let application = &signed.application;
        let member = Member {
            number,
            class: application.class,
            name: application.name.clone(),
            region: application.region.clone(),
            admitted: version,
            standing: Standing::Active,
            decisions: Vec::new(),
            keys: Vec::new(),
        };
        self.members.insert(number, member);
        Ok(())
    }

    fn decide(&mut self, version: u32, number: MemberNumber, operation: &'static str, reason: &str) -> Rule {
        let member = self.members.get_mut(&number).ok_or("there is no such member")?;
        member.decisions.push(Decision { version, operation, reason: reason.to_owned() });
        Ok(())
    }

    fn grant_key(&mut self, setting: &Setting<'_>, grant: &KeyGrant) -> Rule {
        let content = added_key_content(grant.member, &grant.key);
        if !verify(&grant.key.key, Domain::Possession, setting.federation, &content, &grant.proof) {
            return Err("the key did not sign its own addition");
        }
        self.active(grant.member)?;
        self.add_key(setting.version, grant.member, grant.key)
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
        let PurposedKey { purpose, key } = key;
        member.keys.push(MemberKey { purpose, key, granted: version, ended: None });
        self.keys.insert(key, KeyRecord { member: number, purpose, ended: false });
        if purpose == Purpose::Signing {
            let log = self.logs.len() as LogNumber;
            let grant = LogGrant { number: log, key, member: number, granted: version, seal: None, heirs: Vec::new() };
            self.logs.push(grant);
            self.log_numbers.insert(key, log);
        }
        Ok(())
    }

    /// Suspension, leaving and expulsion differ in what stays: the other keys of a suspended member only rest.
    fn depart(&mut self, version: u32, operation: &'static str, departure: &Departure, standing: Standing) -> Rule {
        let number = departure.member;
        match self.members.get(&number).ok_or("there is no such member")?.standing {
            Standing::Active => {}
            Standing::Suspended if standing != Standing::Suspended => {}
            Standing::Suspended => return Err("the member is suspended already"),
            Standing::Left | Standing::Expelled => return Err("the member is gone already"),
        }
        let mut open: Vec<PublicKey> =
            self.logs.iter().filter(|log| log.member == number && log.seal.is_none()).map(|log| log.key).collect();
        open.sort();
        if !departure.seals.iter().map(|seal| seal.key).eq(open) {
            return Err("each unsealed signing key of the member is sealed, and no other");
        }
        departure.seals.iter().try_for_each(|seal| self.seal(version, seal))?;
        if standing != Standing::Suspended {
            self.end_every_key(version, number);
        }
        self.end_seats(version, operation, |seat| seat.member == number);
        self.decide(version, number, operation, &departure.reason)?;
        let member = self.members.get_mut(&number).ok_or("there is no such member")?;
        member.standing = standing;
        Ok(())
    }

    fn end_every_key(&mut self, version: u32, number: MemberNumber) {
        let Some(member) = self.members.get_mut(&number) else { return };
        for key in &mut member.keys {
            key.ended = key.ended.or(Some(version));
            if let Some(record) = self.keys.get_mut(&key.key) {
                record.ended = true;
            }
        }
    }

    fn reinstate(&mut self, setting: &Setting<'_>, operation: &'static str, reason: &str, grant: &KeyGrant) -> Rule {
        let member = self.members.get_mut(&grant.member).ok_or("there is no such member")?;
        if member.standing != Standing::Suspended {
            return Err("only a suspended member is reinstated; a former one is admitted again");
        }
        if grant.key.purpose != Purpose::Signing {
            return Err("the key of a reinstated member is a signing key");
        }
        member.standing = Standing::Active;
        self.decide(setting.version, grant.member, operation, reason)?;
        self.grant_key(setting, grant)
    }

    fn seal(&mut self, version: u32, seal: &Seal) -> Rule {
        if seal.last.is_some_and(|last| last.sequence == u64::MAX) {
            return Err("a seal names an entry that can exist");
        }
        let record = self.keys.get_mut(&seal.key).ok_or("that key was never granted")?;
        record.ended = true;
        let (member, purpose) = (record.member, record.purpose);
        let held = self.members.get_mut(&member).and_then(|held| held.keys.iter_mut().find(|key| key.key == seal.key));
        if let Some(held) = held {
            held.ended = held.ended.or(Some(version));
        }
        match purpose {
            Purpose::Signing => {
                let number = self.log_numbers.get(&seal.key).ok_or("that key has no log")?;
                self.logs[*number as usize].seal = Some(seal.last);
            }
            _ if seal.last.is_some() => return Err("only a signing key's seal names an entry"),
            _ => self.end_seats(version, "seal-key", |seat| seat.key == seal.key),
        }
        Ok(())
    }

    fn grant_seat(&mut self, setting: &Setting<'_>, grant: &SeatGrant) -> Rule {
        self.active(grant.member)?;
        if self.seats.len() >= SEATS_MAX {
            return Err("there were too many seats");
        }
        if let Some(rule) = self.role_rules.get(&grant.role) {
            let filled = self.seats.iter().filter(|seat| seat.grant.role == grant.role);
            if filled.filter(|seat| seat.is_filled(setting.time_ms)).count() >= usize::from(rule.seats_max) {
                return Err("every seat of the role is filled");
            }
            let endless = rule.term_ms != 0 && grant.until_ms == 0;
            if endless || (rule.term_ms != 0 && grant.until_ms.saturating_sub(grant.from_ms) > rule.term_ms) {
                return Err("the term is longer than the role's rule allows");
            }
        }
        if grant.role == Role::Registrar {
            if self.holder(&grant.key, Purpose::Governance) != Some(grant.member) {
                return Err("a registrar's key must be a governance key of that member");
            }
            if self.registrars.contains_key(&grant.key) {
                return Err("that key is a registrar's already");
            }
            if self.registrars.len() >= REGISTRARS_MAX {
                return Err("there are too many registrars");
            }
            self.registrars.insert(grant.key, grant.member);
        }
        let number = self.seats.len() as u32 + 1;
        self.seats.push(Seat { number, grant: grant.clone(), granted: setting.version, ended: None });
        Ok(())
    }

    fn take_seat(&mut self, version: u32, number: u32, reason: &str) -> Rule {
        let index = (number as usize).checked_sub(1).ok_or("there is no such seat")?;
        let seat = self.seats.get_mut(index).ok_or("there is no such seat")?;
        if seat.ended.is_some() {
            return Err("the seat has ended already");
        }
        seat.ended = Some((version, reason.to_owned()));
        self.registrars.remove(&seat.grant.key);
        Ok(())
    }

    fn end_seats(&mut self, version: u32, operation: &str, ending: impl Fn(&SeatGrant) -> bool) {
        for seat in self.seats.iter_mut().filter(|seat| seat.ended.is_none() && ending(&seat.grant)) {
            seat.ended = Some((version, operation.to_owned()));
            self.registrars.remove(&seat.grant.key);
        }
    }

    /// Only what the logs held before this block changes hands: what a member writes after a return is its own.
    fn reassign(&mut self, version: u32, from: MemberNumber, to: MemberNumber) -> Rule {
        let former = self.members.get(&from).ok_or("there is no such member")?;
        if !matches!(former.standing, Standing::Left | Standing::Expelled) {
            return Err("only the records of a member that left or was expelled are given to another");
        }
        self.active(to)?;
        for log in self.logs.iter_mut().filter(|log| log.owner() == from) {
            log.heirs.push((version, to));
        }
        Ok(())
    }

    fn class_key(&mut self, wrapped: &WrappedClassKey) -> Rule {
        let holds = |member, key| self.holder(key, Purpose::Encryption) == Some(member);
        let of_class = |member| self.members.get(&member).is_some_and(|member| member.class == wrapped.class);
        if !wrapped.wraps.iter().all(|wrap| holds(wrap.member, &wrap.key) && of_class(wrap.member)) {
            return Err("a class key is wrapped for encryption keys of active members of the class");
        }
        let versions = self.class_keys.entry(wrapped.class).or_default();
        let next = versions.last().map_or(1, |last| last.version.saturating_add(1));
        match versions.last_mut() {
            Some(last) if last.version == wrapped.version && last.public == wrapped.public => {
                let known: BTreeSet<PublicKey> = last.wraps.iter().map(|wrap| wrap.key).collect();
                last.wraps.extend(wrapped.wraps.iter().filter(|wrap| !known.contains(&wrap.key)).cloned());
                last.wraps.sort_by_key(|wrap| (wrap.member, wrap.key));
                Ok(())
            }
            _ if wrapped.version == next => {
                versions.push(wrapped.clone());
                Ok(())
            }
            _ => Err("class keys are numbered in order, and a number stands for one key"),
        }
    }

    fn active(&self, number: MemberNumber) -> Rule {
        match self.members.get(&number).map(|member| member.standing) {
            None => Err("there is no such member"),
            Some(Standing::Active) => Ok(()),
            Some(Standing::Suspended) => Err("the member is suspended"),
            Some(Standing::Left | Standing::Expelled) => Err("the member left or was expelled"),
        }
    }

    fn has_rights(&self, record: &KeyRecord) -> bool {
        !record.ended && self.active(record.member).is_ok()
    }

    pub(super) fn log_of(&self, key: &PublicKey) -> Option<&LogGrant> {
        self.log_numbers.get(key).map(|number| &self.logs[*number as usize])
    }

    pub(super) fn holder(&self, key: &PublicKey, purpose: Purpose) -> Option<MemberNumber> {
        let record = self.keys.get(key)?;
        (record.purpose == purpose && self.has_rights(record)).then_some(record.member)
    }

    /// Whose key it is or was, and for what.
    pub(super) fn ever_of(&self, key: &PublicKey) -> Option<(MemberNumber, Purpose)> {
        self.keys.get(key).map(|record| (record.member, record.purpose))
    }

    pub(super) fn has_ended(&self, key: &PublicKey) -> bool {
        self.keys.get(key).is_some_and(|record| record.ended)
    }

    pub(super) fn live_keys(&self, purpose: Purpose) -> BTreeMap<PublicKey, MemberNumber> {
        let live = self.keys.iter().filter(|(_, record)| record.purpose == purpose && self.has_rights(record));
        live.map(|(key, record)| (*key, record.member)).collect()
    }

    /// Members that have a vote: every county, fund and agency of equal weight (requirement A03).
    pub(super) fn voters(&self) -> impl Iterator<Item = MemberNumber> + '_ {
        let votes = |member: &&Member| {
            member.standing == Standing::Active && matches!(member.class, Class::County | Class::Fund | Class::Agency)
        };
        self.members.values().filter(votes).map(|member| member.number)
    }

    /// The voting members behind governance keys, each once.
    pub(super) fn ballots(&self, signers: &[PublicKey]) -> BTreeSet<MemberNumber> {
        let voters: BTreeSet<MemberNumber> = self.voters().collect();
        let members = signers.iter().filter_map(|key| self.holder(key, Purpose::Governance));
        members.filter(|member| voters.contains(member)).collect()
    }
}

/// A number stands for one hash, for ever.
fn name_once(names: &mut BTreeMap<u16, ContentHash>, number: u16, hash: ContentHash) -> Rule {
    match names.insert(number, hash) {
        Some(before) if before != hash => Err("a number of rules is never used twice"),
        _ => Ok(()),
    }
}
