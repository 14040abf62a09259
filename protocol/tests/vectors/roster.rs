//! A charter of several organisations, and how it is shown in vectors.

use protocol::charter::{Block, Charter, CharterError, Class, Operation, Purpose, SignedBlock, Standing};
use protocol::identity::{BlockHash, FederationId, MemberNumber, public_key};
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
        let block = self.charter.next_block(self.charter.tip_block().time_ms + 1_000, EXPIRES_MS, operations);
        self.sign(block)
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

/// The genesis block of the first two of `members` with the third as an ordinary member.
pub fn genesis(members: &[Organisation; 3]) -> Block {
    let mut operations = vec![Operation::Rules { name: "测试联盟".into(), threshold: 2 }];
    for (member, organisation) in (1..).map(MemberNumber).zip(members) {
        operations.push(Operation::Admit { member, application: organisation.application(&FederationId::ZERO) });
    }
    for (member, organisation) in (1..).map(MemberNumber).zip(&members[..2]) {
        operations.push(Operation::AddRegistrar { member, key: public_key(&organisation.governance) });
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
        "a kind set number is never used twice" => "number-used",
        "the key did not sign its own addition" => "possession",
        "a registrar's key must be a governance key of that member" => "not-governance",
        "there are too many registrars" => "too-many-registrars",
        "that key is no registrar's" => "not-registrar",
        "members are numbered in order of admission" => "number-order",
        "a key of the application did not sign it for this federation" => "possession",
        "a key belongs to one member and one purpose, for ever" => "key-used",
        "a member has one unsealed signing key at a time" => "open-log",
        "there is no such member" => "no-member",
        "the member has had too many keys" => "too-many-keys",
        "an expulsion seals each unsealed signing key of the member, and no other" => "seals",
        "that key was never granted" => "unknown-key",
        "a seal names an entry that can exist" => "seal-sequence",
        "only a signing key's seal names an entry" => "seal-without-log",
        "the member was expelled" => "expelled",
        other => panic!("the rule `{other}` needs a stable name, here and in SPEC.md"),
    }
}

/// The charter as a second implementation should see it.
pub fn decoded(charter: &Charter) -> Value {
    let members = charter.members().values().map(|member| {
        let standing = match &member.standing {
            Standing::Active => Value::Null,
            Standing::Expelled { version, reason } => json!({ "version": version, "reason": reason }),
        };
        let keys = member.keys.iter().map(|key| json!([key.purpose as u8, key.key.to_string()]));
        json!({
            "number": member.number.0, "class": member.class as u8, "name": member.name, "region": member.region,
            "admitted": member.admitted, "expelled": standing, "keys": keys.collect::<Vec<_>>(),
        })
    });
    let logs = charter.logs().iter().map(|log| {
        let seal = log.seal.map(|last| match last {
            None => json!("nothing"),
            Some(last) => json!({ "sequence": last.sequence, "id": last.id.to_string() }),
        });
        json!({
            "number": log.number, "key": log.key.to_string(), "member": log.member.0, "granted": log.granted,
            "seal": seal,
        })
    });
    let sets = charter.kind_sets().iter().map(|(version, hash)| json!([version, hash.to_string()]));
    let holders = |keys: Vec<(String, u32)>| keys.into_iter().map(|(key, member)| json!([key, member]));
    let transport = charter.transport_keys().iter().map(|(key, member)| (key.to_string(), member.0)).collect();
    let registrars = charter.registrars().iter().map(|(key, member)| (key.to_string(), member.0)).collect();
    debug_assert!(charter.registrars().keys().all(|key| charter.holder(key, Purpose::Governance).is_some()));
    json!({
        "federation": charter.federation().to_string(), "version": charter.version(),
        "tip": charter.tip().to_string(), "name": charter.name(), "threshold": charter.threshold(),
        "trial": charter.is_trial(),
        "members": members.collect::<Vec<_>>(), "logs": logs.collect::<Vec<_>>(),
        "kind_sets": sets.collect::<Vec<_>>(), "transport_keys": holders(transport).collect::<Vec<_>>(),
        "registrars": holders(registrars).collect::<Vec<_>>(),
    })
}
