//! A charter of several organisations, and how it is shown in vectors.

use protocol::charter::{BallotRule, Block, Charter, CharterError, Class, Operation, Purpose, SeatGrant, SignedBlock};
use protocol::identity::{BlockHash, FederationId, MemberNumber, PublicKey, public_key};
use protocol::testing::{EXPIRES_MS, FOUNDED_MS, Organisation};
use serde_json::{Value, json};

use crate::case;

/// Three organisations; the first two are registrars, and both must sign.
pub struct World {
    pub charter: Charter,
    pub members: [Organisation; 3],
}

impl World {
    pub fn new() -> Self {
        let members = [
            Organisation::new("秘书处", Class::Secretariat, 1),
            Organisation::new("奉节县", Class::County, 2),
            Organisation::new("产业基金", Class::Fund, 3),
        ];
        let genesis = signed(genesis(&members), &[&members[0], &members[1]], &FederationId::ZERO);
        Self { charter: Charter::genesis(genesis).expect("the genesis block keeps every rule"), members }
    }

    /// A block after the tip, signed by both registrars.
    pub fn next(&self, operations: Vec<Operation>) -> SignedBlock {
        self.sign(self.unsigned(operations))
    }

    /// A block after the tip, signed by nobody yet.
    pub fn unsigned(&self, operations: Vec<Operation>) -> Block {
        self.charter.next_block(self.charter.tip_block().time_ms + 1_000, EXPIRES_MS, operations)
    }

    /// A block signed by both registrars.
    pub fn sign(&self, block: Block) -> SignedBlock {
        signed(block, &[&self.members[0], &self.members[1]], &self.charter.federation())
    }

    /// Appends a block with `operations`.
    pub fn append(&mut self, operations: Vec<Operation>) {
        let block = self.next(operations);
        self.charter.append(block).expect("the block keeps every rule");
    }
}

/// Rules with the ballot rule of every federation that names no other.
pub fn rules(name: &str, threshold: u16) -> Operation {
    Operation::Rules { name: name.into(), threshold, ballots: BallotRule::MoreThanHalf }
}

/// The genesis block of the first two of `members` with the third as an ordinary member.
pub fn genesis(members: &[Organisation; 3]) -> Block {
    let mut operations = vec![rules("测试联盟", 2)];
    for (member, organisation) in (1..).map(MemberNumber).zip(members) {
        operations.push(Operation::Admit { member, application: organisation.application(&FederationId::ZERO) });
    }
    for (member, organisation) in (1..).map(MemberNumber).zip(&members[..2]) {
        operations.push(Operation::GrantRole(SeatGrant::registrar(member, public_key(&organisation.governance))));
    }
    Block { version: 1, previous: BlockHash::ZERO, time_ms: FOUNDED_MS, expires_ms: EXPIRES_MS, operations }
}

/// `block` with the signatures of `signers`.
pub fn signed(block: Block, signers: &[&Organisation], federation: &FederationId) -> SignedBlock {
    let mut signed = SignedBlock::unsigned(block).expect("the block keeps its bounds");
    signers.iter().for_each(|signer| signed.sign(&signer.governance, federation));
    signed
}

/// The stable name of a broken charter rule.
pub fn error(error: &CharterError) -> String {
    match error {
        CharterError::Layout(error) => case::layout(error),
        CharterError::Gap { .. } => "charter/gap".into(),
        CharterError::NotGenesis => "charter/not-genesis".into(),
        CharterError::Predecessor { .. } => "charter/predecessor".into(),
        CharterError::Pinned { .. } => "charter/pinned".into(),
        CharterError::Time { .. } => "charter/time".into(),
        CharterError::Threshold { .. } => "charter/threshold".into(),
        CharterError::Equivocation { .. } => "charter/equivocation".into(),
        CharterError::Operation { name, rule, .. } => format!("charter/{name}/{}", rule_name(rule)),
        CharterError::Registrars { .. } => "charter/registrars".into(),
    }
}

/// Stable names for the rules of operations, which the code names in words.
fn rule_name(rule: &str) -> &'static str {
    match rule {
        "a number of rules is never used twice" => "number-used",
        "the member is admitted already" => "admitted",
        "members are numbered in order of admission" => "number-order",
        "a key of the application did not sign it for this federation" => "possession",
        "the key did not sign its own addition" => "possession",
        "there is no such member" => "no-member",
        "the member is suspended" | "the member is suspended already" => "suspended",
        "the member left or was expelled" | "the member is gone already" => "gone",
        "a key belongs to one member and one purpose, for ever" => "key-used",
        "a member has one unsealed signing key at a time" => "open-log",
        "the member has had too many keys" => "too-many-keys",
        "each unsealed signing key of the member is sealed, and no other" => "seals",
        "only a suspended member is reinstated; a former one is admitted again" => "not-suspended",
        "the key of a reinstated member is a signing key" => "not-signing",
        "a key is replaced by one of the same member and purpose" => "other-key",
        "that key was never granted" => "unknown-key",
        "a seal names an entry that can exist" => "seal-sequence",
        "only a signing key's seal names an entry" => "seal-without-log",
        "every seat of the role is filled" => "seats-filled",
        "the term is longer than the role's rule allows" => "term",
        "a registrar's key must be a governance key of that member" => "not-governance",
        "that key is a registrar's already" => "registrar",
        "there are too many registrars" => "too-many-registrars",
        "there is no such seat" => "no-seat",
        "the seat has ended already" => "seat-ended",
        "only the records of a member that left or was expelled are given to another" => "not-former",
        "a class key is wrapped for encryption keys of active members of the class" => "holder",
        "class keys are numbered in order, and a number stands for one key" => "number-order",
        "the holder's key does not show that it is this member's" => "possession",
        "the two holders are two members with two keys" => "one-holder",
        other => panic!("the rule `{other}` needs a stable name, here and in SPEC.md"),
    }
}

/// The charter as a second implementation should see it.
pub fn decoded(charter: &Charter) -> Value {
    let sets = charter.kind_sets().iter().map(|(version, hash)| json!([version, hash.to_string()]));
    let duties = charter.duty_rules().iter().map(|(version, hash)| json!([version, hash.to_string()]));
    let keys = |purpose: Purpose| -> Vec<Value> {
        let live = |key: &&(PublicKey, MemberNumber)| charter.holder(&key.0, purpose) == Some(key.1);
        let mut every: Vec<(PublicKey, MemberNumber)> = Vec::new();
        for member in charter.members().values() {
            every.extend(member.keys.iter().map(|held| (held.key, member.number)));
        }
        every.sort();
        every.iter().filter(live).map(|(key, member)| json!([key.to_string(), member.0])).collect()
    };
    debug_assert_eq!(keys(Purpose::Transport).len(), charter.transport_keys().len());
    let registrars = charter.registrars().iter().map(|(key, member)| json!([key.to_string(), member.0]));
    let lead_holders = charter.lead_holders().iter().map(|(slot, holder)| {
        let key = holder.key.to_string();
        json!([slot.number(), holder.member.0, key, holder.evaluations_per_day, holder.named])
    });
    let erased = charter.erased().iter().map(|(version, target)| {
        json!([version, target.key.to_string(), target.sequence, target.id.to_string(), target.creates])
    });
    json!({
        "federation": charter.federation().to_string(), "version": charter.version(),
        "tip": charter.tip().to_string(), "name": charter.name(), "threshold": charter.threshold(),
        "ballot_rule": charter.ballot_rule() as u8, "ballots_needed": charter.ballots_needed(),
        "voters": charter.voters().map(|member| member.0).collect::<Vec<_>>(),
        "trial": charter.is_trial(), "members": members(charter), "logs": logs(charter),
        "seats": seats(charter), "role_rules": role_rules(charter), "class_keys": class_keys(charter),
        "kind_sets": sets.collect::<Vec<_>>(), "duty_rules": duties.collect::<Vec<_>>(),
        "lead_holders": lead_holders.collect::<Vec<_>>(),
        "lead_epoch": charter.lead_epoch().map(|epoch| epoch.epoch),
        "gossip_entries_per_minute": charter.gossip_entries_per_minute(),
        "erased": erased.collect::<Vec<_>>(), "registrars": registrars.collect::<Vec<_>>(),
        "transport_keys": keys(Purpose::Transport), "encryption_keys": keys(Purpose::Encryption),
        "governance_keys": keys(Purpose::Governance),
    })
}

fn members(charter: &Charter) -> Vec<Value> {
    let members = charter.members().values().map(|member| {
        let keys =
            member.keys.iter().map(|key| json!([key.purpose as u8, key.key.to_string(), key.granted, key.ended]));
        let decisions = member.decisions.iter();
        let decisions = decisions.map(|decision| json!([decision.version, decision.operation, decision.reason]));
        json!({
            "number": member.number.0, "class": member.class as u8, "name": member.name, "region": member.region,
            "admitted": member.admitted, "standing": member.standing.name(),
            "decisions": decisions.collect::<Vec<_>>(), "keys": keys.collect::<Vec<_>>(),
        })
    });
    members.collect()
}

fn logs(charter: &Charter) -> Vec<Value> {
    let logs = charter.logs().iter().map(|log| {
        let seal = log.seal.map(|last| match last {
            None => json!("nothing"),
            Some(last) => json!({ "sequence": last.sequence, "id": last.id.to_string() }),
        });
        let heirs = log.heirs.iter().map(|(version, heir)| json!([version, heir.0]));
        json!({
            "number": log.number, "key": log.key.to_string(), "member": log.member.0, "granted": log.granted,
            "seal": seal, "heirs": heirs.collect::<Vec<_>>(),
        })
    });
    logs.collect()
}

fn seats(charter: &Charter) -> Vec<Value> {
    let seats = charter.seats().iter().map(|seat| {
        let grant = &seat.grant;
        json!({
            "number": seat.number, "role": grant.role as u8, "member": grant.member.0, "key": grant.key.to_string(),
            "person": grant.person, "from_ms": grant.from_ms, "until_ms": grant.until_ms, "granted": seat.granted,
            "ended": seat.ended.as_ref().map(|(version, reason)| json!([version, reason])),
        })
    });
    seats.collect()
}

fn role_rules(charter: &Charter) -> Vec<Value> {
    let rules = charter.role_rules().values();
    rules.map(|rule| json!([rule.role as u8, rule.seats_max, rule.term_ms])).collect()
}

fn class_keys(charter: &Charter) -> Vec<Value> {
    let every = Class::ALL.into_iter().flat_map(|class| charter.class_keys(class));
    let shown = every.map(|key| {
        let holders = key.wraps.iter().map(|wrap| json!([wrap.member.0, wrap.key.to_string()]));
        let public = hex::encode(key.public.as_bytes());
        json!({
            "class": key.class as u8, "version": key.version, "key": public, "holders": holders.collect::<Vec<_>>(),
        })
    });
    shown.collect()
}
