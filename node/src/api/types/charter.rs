//! What the HTTP API says of the charter: members, seats, rules, proposals, and where logs end.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MemberName;

/// The charter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CharterView {
    /// Id of the federation.
    pub federation: String,
    /// Its name.
    pub name: String,
    /// Version of the tip.
    pub version: u32,
    /// Hash of the tip.
    pub tip: String,
    /// When the tip was made.
    pub time_ms: u64,
    /// When it expires.
    pub expires_ms: u64,
    /// Whether it has expired, by this node's clock. That is shown and stops nothing.
    pub expired: bool,
    /// Registrars that must sign a block.
    pub threshold: u16,
    /// What share of all voting members decides beside them: `more-than-half` or `half-is-enough`.
    pub ballot_rule: String,
    /// Members that have a vote.
    pub voters: usize,
    /// Ballots that validate a block; absent while there are too few members for an assembly.
    pub ballots_needed: Option<usize>,
    /// Whether one member alone can change it.
    pub trial: bool,
    /// Registrars: governance key and member.
    pub registrars: Vec<(String, MemberName)>,
    /// Every seat that was ever granted, in order.
    pub seats: Vec<SeatView>,
    /// The rule of each role that has one.
    pub role_rules: Vec<RoleRuleView>,
    /// Duty rules: number and hash.
    pub duty_rules: Vec<(u16, String)>,
    /// Entries of one member that are passed on by gossip in a minute; absent without a limit.
    pub gossip_entries_per_minute: Option<u32>,
    /// A second valid block of a version that is held: the registrars contradicted themselves.
    pub rival: Option<BlockView>,
    /// Blocks that this node is bound to: version and hash.
    pub pins: Vec<(u32, String)>,
    /// Members, by number.
    pub members: Vec<MemberView>,
    /// What each block did.
    pub blocks: Vec<BlockView>,
}

/// A seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeatView {
    /// Its number.
    pub number: u32,
    /// English name of the role.
    pub role: String,
    /// Chinese name of the role.
    pub role_zh: String,
    /// The member that has it.
    pub member: MemberName,
    /// A registrar's governance key.
    pub key: Option<String>,
    /// Who sits there; may be empty.
    pub person: String,
    /// Begin of the term.
    pub from_ms: u64,
    /// End of the term; zero for none.
    pub until_ms: u64,
    /// Version of the block that granted it.
    pub granted: u32,
    /// Whether the term has run out while nobody took the seat or granted it anew.
    pub run_out: bool,
    /// Version of the block that ended it, and why.
    pub ended: Option<(u32, String)>,
}

/// How many seats a role has, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleRuleView {
    /// English name of the role.
    pub role: String,
    /// Chinese name of the role.
    pub role_zh: String,
    /// Seats at most.
    pub seats_max: u16,
    /// Seats that are filled now.
    pub filled: usize,
    /// Longest term in days; zero for any.
    pub term_days: u64,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// English name of its class.
    pub class: String,
    /// Chinese name of its class.
    pub class_zh: String,
    /// GB/T 2260 code, or empty.
    pub region: String,
    /// `active`, `suspended`, `left` or `expelled`.
    pub standing: String,
    /// The same in Chinese.
    pub standing_zh: String,
    /// Ground of the decision, if the member is not active.
    pub reason: Option<String>,
    /// Version of the block that admitted it last.
    pub admitted: u32,
    /// Every decision about it, in order.
    pub decisions: Vec<DecisionView>,
    /// Every key that it was ever given, in order.
    pub keys: Vec<KeyView>,
    /// Who owns the records of its logs now, where that is somebody else: signing key and heir.
    pub heirs: Vec<(String, MemberName)>,
}

/// A decision about a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionView {
    /// Version of the block.
    pub version: u32,
    /// Name of the operation.
    pub operation: String,
    /// Ground and decision; may be empty.
    pub reason: String,
    /// When the block was made.
    pub time_ms: u64,
}

/// A key of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// `signing`, `transport`, `encryption` or `governance`.
    pub purpose: String,
    /// The key.
    pub key: String,
    /// Version of the block that granted it.
    pub granted: u32,
    /// Version of the block that first ended it, if one did.
    pub ended: Option<u32>,
}

/// A block, shortly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockView {
    /// Its version.
    pub version: u32,
    /// Its hash.
    pub hash: String,
    /// When it was made.
    pub time_ms: u64,
    /// Names of its operations.
    pub operations: Vec<String>,
    /// The canonical bytes with signatures, hexadecimal.
    pub bytes: String,
}

/// A signed block to append, hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppendBlock {
    /// The canonical bytes with signatures.
    pub block: String,
}

/// A sentence in two languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Words {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A block that may follow the charter's tip, and who stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalView {
    /// Its hash.
    pub hash: String,
    /// The version that it would have.
    pub version: u32,
    /// Who proposed it.
    pub author: MemberName,
    /// When, by the author's clock.
    pub time_ms: u64,
    /// What it does.
    pub operations: Vec<Words>,
    /// Registrars that signed.
    pub signed: Vec<MemberName>,
    /// Registrars that did not.
    pub missing: Vec<MemberName>,
    /// Registrars that must sign.
    pub threshold: u16,
    /// Voting members that signed, registrars among them.
    pub ballots: Vec<MemberName>,
    /// Voting members in all.
    pub voters: usize,
    /// Ballots that validate it; absent while there are too few members for an assembly.
    pub ballots_needed: Option<usize>,
    /// What share of the voters decides: `more-than-half` or `half-is-enough`.
    pub ballot_rule: String,
    /// Whether the ballots alone validate it under that rule.
    pub ballots_enough: bool,
    /// Members that withdrew.
    pub withdrawn: Vec<MemberName>,
    /// Why it could not follow the tip even with every signature.
    pub fault: Option<String>,
    /// The canonical bytes with the signatures so far, hexadecimal.
    pub bytes: String,
}

/// A block to propose, hexadecimal: signed, partly signed, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposeBlock {
    /// The canonical bytes with what signatures there are.
    pub block: String,
}

/// A signature of a governance key under a proposed block, or its withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Endorse {
    /// The block's hash.
    pub block: String,
    /// The governance key.
    pub key: String,
    /// Its signature; absent in a withdrawal.
    #[serde(default)]
    pub signature: Option<String>,
    /// Whether this takes the own signature back.
    #[serde(default)]
    pub withdraw: bool,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalState {
    /// The block's hash.
    pub hash: String,
    /// The version of the charter that it has become, once it has enough signatures.
    pub appended: Option<u32>,
    /// How it stands, while it has too few.
    pub proposal: Option<ProposalView>,
}

/// Entries of a log as they are held, counted or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEntries {
    /// The signing key.
    pub key: String,
    /// Number of the log.
    pub log: u32,
    /// Whose it is.
    pub member: MemberName,
    /// Entries held.
    pub held: u64,
    /// Entries that count.
    pub counting: u64,
    /// Sequence of the lowest proven fork.
    pub forked_at: Option<u64>,
    /// Ids of the two entries that prove it.
    pub branches: Vec<String>,
    /// Where the log ends by the charter: absent while the key is unsealed; sequence and id, or neither.
    pub seal: Option<SealView>,
    /// The entries, in order.
    pub entries: Vec<LogEntry>,
}

/// Where a sealed log ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealView {
    /// Sequence and id of the last accepted entry; absent when nothing is accepted.
    pub last: Option<(u64, String)>,
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// Its place.
    pub sequence: u64,
    /// Its id.
    pub id: String,
    /// Number of its kind.
    pub kind: u16,
    /// The author's claim of the time.
    pub time_ms: u64,
    /// The charter version that it names.
    pub charter: u32,
    /// Whether its body is here.
    pub body: bool,
    /// Whether it creates a record; absent when the body is not here, or it is of no record.
    pub creates: Option<bool>,
    /// Whether it counts.
    pub counts: bool,
    /// Why it does not count, or that its body was erased: `above-seal`, `forked`, `erased`; absent otherwise.
    pub why: Option<String>,
}
