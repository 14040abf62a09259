//! Operations of the charter, written as the vectors need them.

use ed25519_dalek::SigningKey;
use protocol::charter::{
    Application, Charter, Departure, KeyGrant, Operation, Position, Purpose, PurposedKey, Role, RoleRule, Seal,
    SeatGrant, SignedApplication, added_key_content,
};
use protocol::erasure::Target;
use protocol::identity::{ContentHash, Domain, EntryId, MemberNumber, PublicKey, public_key, sign};
use protocol::testing::Organisation;

use crate::roster::World;

/// A key that belongs to no organisation.
pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A ground for a decision.
pub const REASON: &str = "不履行义务";

pub fn grant(charter: &Charter, member: u32, purpose: Purpose, key: &SigningKey) -> KeyGrant {
    let (member, purposed) = (MemberNumber(member), PurposedKey { purpose, key: public_key(key) });
    let content = added_key_content(member, &purposed);
    KeyGrant { member, key: purposed, proof: sign(key, Domain::Possession, &charter.federation(), &content) }
}

pub fn add_key(charter: &Charter, member: u32, purpose: Purpose, key: &SigningKey) -> Operation {
    Operation::AddKey(grant(charter, member, purpose, key))
}

pub fn reinstate(charter: &Charter, member: u32, purpose: Purpose, key: &SigningKey) -> Operation {
    Operation::Reinstate { reason: "已改正".into(), grant: grant(charter, member, purpose, key) }
}

pub fn replace_key(charter: &Charter, old: &SigningKey, member: u32, purpose: Purpose, new: &SigningKey) -> Operation {
    let seal = Seal { key: public_key(old), last: None };
    Operation::ReplaceKey { seal, grant: grant(charter, member, purpose, new) }
}

pub fn seal_key(key: &SigningKey, last: Option<Position>) -> Operation {
    Operation::SealKey(Seal { key: public_key(key), last })
}

pub fn admit(world: &World, number: u32, organisation: &Organisation) -> Operation {
    let application = organisation.application(&world.charter.federation());
    Operation::Admit { member: MemberNumber(number), application }
}

pub fn departure(number: u32, seals: &[&SigningKey]) -> Departure {
    let mut seals: Vec<Seal> = seals.iter().map(|key| Seal { key: public_key(key), last: None }).collect();
    seals.sort_by_key(|seal| seal.key);
    Departure { member: MemberNumber(number), reason: REASON.into(), seals }
}

pub fn expel(number: u32, seals: &[&SigningKey]) -> Operation {
    Operation::Expel(departure(number, seals))
}

pub fn warn(number: u32) -> Operation {
    Operation::Warn { member: MemberNumber(number), reason: "未按时披露".into() }
}

pub fn reassign(from: u32, to: u32) -> Operation {
    Operation::Reassign { from: MemberNumber(from), to: MemberNumber(to), reason: "并入".into() }
}

pub fn registrar(member: u32, key: &SigningKey) -> Operation {
    Operation::GrantRole(SeatGrant::registrar(MemberNumber(member), public_key(key)))
}

/// A seat on the council for a term.
pub fn council(member: u32, from_ms: u64, until_ms: u64) -> SeatGrant {
    let person = "张三".into();
    SeatGrant { role: Role::Council, member: MemberNumber(member), key: PublicKey::ZERO, person, from_ms, until_ms }
}

pub fn take_role(seat: u32) -> Operation {
    Operation::TakeRole { seat, reason: "任期届满".into() }
}

pub fn council_rule(seats_max: u16, term_ms: u64) -> Operation {
    Operation::RoleRule(RoleRule { role: Role::Council, seats_max, term_ms })
}

pub fn kind_set(version: u16, hash: u8) -> Operation {
    Operation::KindSet { version, hash: ContentHash([hash; 32]) }
}

pub fn duty_rules(version: u16, hash: u8) -> Operation {
    Operation::DutyRules { version, hash: ContentHash([hash; 32]) }
}

/// An entry that goes.
pub fn target(key: &SigningKey, sequence: u64, id: EntryId, creates: bool) -> Target {
    Target { key: public_key(key), sequence, id, creates }
}

pub fn erase(targets: Vec<Target>) -> Operation {
    Operation::Erase { reason: "含个人信息".into(), targets }
}

/// An application with the proofs of `keys`.
pub fn prove(application: Application, charter: &Charter, keys: &[&SigningKey]) -> SignedApplication {
    let content = application.encode();
    let proof = |key: &&SigningKey| sign(key, Domain::Possession, &charter.federation(), &content);
    SignedApplication { proofs: keys.iter().map(proof).collect(), application }
}

/// A seal's last entry.
pub fn highest(sequence: u64) -> Option<Position> {
    Some(Position { sequence, id: EntryId([7; 32]) })
}
