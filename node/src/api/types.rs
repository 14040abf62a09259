//! What the HTTP API says and understands, shared by the server and the command line.
//!
//! Names are the protocol's. Times are milliseconds since 1970 (UTC). Ids are hexadecimal. Field values are text as
//! the kind file reads and writes it, so what comes out can be put in again.

mod charter;
mod erasure;
mod kinds;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use charter::*;
pub use erasure::{Erase, ErasePublished, ErasedMark, ErasureItem};
pub use kinds::*;

/// The body of every answer that is not a success, as RFC 9457 describes it, in two languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable identifier of the kind of error, for instance `field-missing`; also names the exit code's reason.
    pub code: String,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
    /// The way out, in Chinese; may be empty.
    #[serde(default)]
    pub fix_zh: String,
    /// The way out, in English; may be empty.
    #[serde(default)]
    pub fix_en: String,
    /// Further details by field or row, when there is more than one.
    #[serde(default)]
    pub details: Vec<ProblemDetail>,
}

/// One of several things wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetail {
    /// The field or position.
    pub at: String,
    /// The rule that is broken, by its stable identifier.
    pub code: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A record to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateRecord {
    /// English or Chinese name of the kind, or its number.
    pub kind: String,
    /// The author's own number; a second create with the same one is refused.
    #[serde(default)]
    pub external: Option<String>,
    /// Value by field name, English or Chinese.
    pub fields: BTreeMap<String, String>,
    /// Who may read it: `all`, `class:NAME`, `role:NAME` or `members:NUMBER,...`; what the kind says by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readers: Option<String>,
    /// Who may read its confidential fields: `class:NAME`, `role:NAME` or `members:NUMBER,...`; the author alone by
    /// default. The other fields stay readable as `readers` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parties: Option<String>,
}

/// Fields to set and to clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviseRecord {
    /// Value by field name.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Names of fields to take away.
    #[serde(default)]
    pub clear: Vec<String>,
    /// Who may read the record from now on; those who may now by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readers: Option<String>,
    /// Who may read its confidential fields from now on; those who may now by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parties: Option<String>,
}

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawRecord {
    /// For readers.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What was published, once it is durable on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Published {
    /// Ids of the records, in the order of the request.
    pub records: Vec<String>,
    /// Labels such as `42-7`, in the same order.
    pub labels: Vec<String>,
    /// Ids of the entries, in the same order.
    pub entries: Vec<String>,
    /// How far the last of them has got.
    pub delivery: Delivery,
}

/// What was looked at and found good, and not published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// Statements.
    pub checked: usize,
}

/// Own numbers whose records are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExternalLookup {
    /// English or Chinese name of the kind, or its number.
    pub kind: String,
    /// Own numbers, at most 1,000.
    pub numbers: Vec<String>,
}

/// To how many members' nodes something has been delivered, apart from this one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Members whose node is known to hold it.
    pub delivered: usize,
    /// Members besides the author.
    pub members: usize,
    /// Numbers of the members whose node is known to hold it.
    pub held_by: Vec<u32>,
}

/// A member, shortly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberName {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldValue {
    /// Number of the field.
    pub number: u16,
    /// English name; `field-<number>` if this build does not know it.
    pub name: String,
    /// Chinese name.
    pub zh: String,
    /// The value as text.
    pub value: String,
}

/// A record as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    /// Its id.
    pub id: String,
    /// Its label, for instance `42-7`.
    pub label: String,
    /// English name of its kind; `kind-<number>` if this build does not know it.
    pub kind: String,
    /// Chinese name of its kind.
    pub kind_zh: String,
    /// Whose it is.
    pub owner: MemberName,
    /// Its author's own number.
    pub external: Option<String>,
    /// What it is called.
    pub title: String,
    /// Its fields, in the order of the kind file.
    pub fields: Vec<FieldValue>,
    /// When it was created.
    pub created_ms: u64,
    /// When it was last changed.
    pub changed_ms: u64,
    /// Statements about it.
    pub versions: usize,
    /// Whether it is withdrawn.
    pub withdrawn: bool,
    /// Why it was withdrawn.
    pub reason: Option<String>,
    /// Rules that it breaks; such a record is shown and not counted.
    pub problems: Vec<ProblemDetail>,
    /// Whether this build is too old to read it fully.
    pub update_needed: bool,
    /// Its confidential part, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidential: Option<ConfidentialView>,
}

/// The confidential part of a record, as far as this node may know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfidentialView {
    /// Who may read it: `class:NAME`, `role:NAME` or `members:NUMBER,...`; empty when that cannot be read.
    pub readers: String,
    /// The same in Chinese.
    pub readers_zh: String,
    /// Whether it opens here; its fields then stand among the others.
    pub open: bool,
    /// Numbers of the fields that others do not see, when it opens.
    pub fields: Vec<u16>,
    /// Why it does not open: `not-a-reader`, `tampered`, `commitment-differs` or `malformed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In Chinese, for people.
    pub zh: String,
    /// In English, for people.
    pub en: String,
}

/// Some records, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordList {
    /// The records.
    pub records: Vec<ListedRecord>,
    /// Hand this in to get the next ones; absent at the end.
    pub next: Option<String>,
}

/// A record in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedRecord {
    /// The record.
    #[serde(flatten)]
    pub record: RecordView,
    /// Names of fields that a filter asked for and the record does not state: it may fit or not.
    pub unknown: Vec<String>,
}

/// One statement about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryItem {
    /// Id of the entry.
    pub entry: String,
    /// `create`, `revise` or `withdraw`.
    pub operation: String,
    /// The author's claim of the time.
    pub time_ms: u64,
    /// Number of the log.
    pub log: u32,
    /// Sequence in the log.
    pub sequence: u64,
    /// The author.
    pub author: MemberName,
    /// Id of the entry of another key of the author that it states again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Set when its content was erased: by whom, when and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<ErasedMark>,
    /// The charter block that ended the key of that other entry, and why the statement had to be made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_change: Option<KeyChangeView>,
    /// Whether it counts. What stands above the seal of its key is shown and changes nothing.
    pub counts: bool,
    /// What changed.
    pub changes: Vec<FieldChange>,
    /// The reason, if one was given.
    pub reason: Option<String>,
    /// The confidential part that the statement carries, if it carries one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidential: Option<ConfidentialView>,
}

/// A charter block that ended a key of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyChangeView {
    /// Version of the block.
    pub version: u32,
    /// When it was made.
    pub time_ms: u64,
    /// Names of the members that signed it.
    pub signed: Vec<String>,
    /// What it did, in words.
    pub words: Words,
}

/// A change of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// English name.
    pub name: String,
    /// Chinese name.
    pub zh: String,
    /// The value before; absent when the field was not set.
    pub before: Option<String>,
    /// The value after; absent when the field was cleared.
    pub after: Option<String>,
}

/// One of this member's records by its own number, with the exact bytes of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExternalRecord {
    /// The author's own number.
    pub external: String,
    /// Id of the record.
    pub record: String,
    /// Whether it is withdrawn.
    pub withdrawn: bool,
    /// Number, type and canonical bytes (hexadecimal) of each field.
    pub fields: Vec<(u16, u8, String)>,
}

/// How the node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// `joining` until the member is admitted, then `running`.
    pub state: String,
    /// Version of the software.
    pub version: String,
    /// Id of the federation.
    pub federation: String,
    /// Its name.
    pub federation_name: String,
    /// Whether one registrar alone can change the charter.
    pub trial: bool,
    /// This node's member; absent while it is none.
    pub member: Option<MemberName>,
    /// Version of the charter's tip.
    pub charter_version: u32,
    /// Whether the charter has expired, by this node's clock.
    pub charter_expired: bool,
    /// Digest of the frontier.
    pub digest: String,
    /// Entries that count.
    pub entries: u64,
    /// Records.
    pub records: usize,
    /// Whether every body is here.
    pub complete: bool,
    /// Active members.
    pub members: usize,
    /// The kinds in use.
    #[serde(default)]
    pub kinds: KindsStatus,
    /// Peers connected now.
    pub peers: usize,
    /// How far the newest entry of this node's own log has got.
    pub delivery: Delivery,
    /// Whether this node may sign, and if not, why (`zh` and `en`).
    pub signing: SigningState,
    /// Bytes of the store on disk.
    pub store_bytes: u64,
    /// Bytes of the journal on disk.
    pub journal_bytes: u64,
    /// When the node started.
    pub started_ms: u64,
    /// Events by name since the node started, refused entries by reason among them.
    pub counters: BTreeMap<String, u64>,
    /// What needs a person's attention, the worst first.
    pub warnings: Vec<ProblemDetail>,
    /// Heads by log: member, length and id.
    pub heads: Vec<LogHead>,
}

/// Whether the node may sign new entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SigningState {
    /// Whether it may.
    pub ready: bool,
    /// Why not, in Chinese; empty when it may.
    pub zh: String,
    /// Why not, in English; empty when it may.
    pub en: String,
}

/// How far a log counts here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogHead {
    /// Number of the log.
    pub log: u32,
    /// Whose it is.
    pub member: MemberName,
    /// Entries that count.
    pub length: u64,
    /// Id of the last of them; empty when there is none.
    pub head: String,
    /// Sequence of a proven fork.
    pub forked_at: Option<u64>,
    /// Whether the key is sealed.
    pub sealed: bool,
}

/// A connected peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerView {
    /// Its transport key.
    pub transport: String,
    /// Whose node it is; absent for a stranger.
    pub member: Option<MemberName>,
    /// Whether this node dialled it.
    pub outbound: bool,
    /// Its address.
    pub address: String,
    /// Round trip, in milliseconds.
    pub rtt_ms: Option<u64>,
    /// Messages of its that broke a rule.
    pub rejected_messages: u64,
}

/// An applicant that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingApplication {
    /// Short name of the request: the first characters of its signing key.
    pub id: String,
    /// The organisation's name.
    pub name: String,
    /// English name of its class.
    pub class: String,
    /// GB/T 2260 code, or empty.
    pub region: String,
    /// The digits to compare by telephone.
    pub fingerprint: String,
    /// When it arrived, by this node's clock.
    pub received_ms: u64,
    /// The signed application, hexadecimal.
    pub application: String,
}

/// What came of reading a bundle into the node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleImported {
    /// Charter blocks that were new.
    pub blocks_new: u64,
    /// Entries that were new.
    pub entries_new: u64,
    /// Entries that were here already.
    pub entries_known: u64,
    /// Entries that were refused or ignored, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Fork proofs that were new.
    #[serde(default)]
    pub proofs_new: u64,
}

/// Whether the process answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `joining` until the member is admitted, then `running`.
    pub state: String,
}

/// Where a node listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkView {
    /// Addresses with the ports that the system chose, without the node's key.
    pub listen: Vec<String>,
    /// Its transport key.
    pub transport: String,
    /// Other members' nodes and the addresses that they stated.
    #[serde(default)]
    pub known: Vec<KnownNode>,
}

/// A member's node and where it said that it can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownNode {
    /// Its transport key.
    pub transport: String,
    /// Its addresses.
    pub addresses: Vec<String>,
}

/// An invitation to remember.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewInvitation {
    /// The token that applicants hand in.
    pub token: String,
    /// Until when it is worth anything, in milliseconds since 1970 (UTC).
    pub expires_ms: u64,
    /// Whether it serves the first applicant that uses it and nobody else.
    #[serde(default)]
    pub single: bool,
}

/// A statement that does not count because it stands above the seal of its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UncountedStatement {
    /// Id of the entry.
    pub entry: String,
    /// The signing key.
    pub key: String,
    /// Sequence in its log.
    pub sequence: u64,
    /// The author's claim of the time.
    pub time_ms: u64,
    /// `create`, `revise` or `withdraw`.
    pub operation: String,
    /// Name of the kind.
    pub kind: String,
    /// Chinese name of the kind.
    pub kind_zh: String,
    /// What its record is called, as far as the statement says.
    pub title: String,
    /// The author's own number, in a create.
    pub external: Option<String>,
    /// Whether this node signed it; what came from elsewhere may be a thief's.
    pub signed_here: bool,
    /// Why it cannot be published again: `restated`, `external-taken`, `no-record` or `sealed`.
    pub obstacle: Option<String>,
    /// The same in Chinese.
    pub obstacle_zh: Option<String>,
}

/// Asks for statements to be published again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restate {
    /// Ids of the old entries.
    pub entries: Vec<String>,
}

/// What was published again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RestatedView {
    /// Old entry and new entry, in order.
    pub entries: Vec<(String, String)>,
    /// Old entries that were left, each with the reason (see [`UncountedStatement::obstacle`]).
    pub left: Vec<(String, String)>,
}

/// What an audit went through, and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    /// Charter blocks that were verified.
    pub blocks: u64,
    /// Entries whose signatures were verified.
    pub entries: u64,
    /// Bodies that were compared with what was signed.
    pub bodies: u64,
    /// Entries of the journal that were verified.
    pub journalled: u64,
    /// Every difference, once.
    pub findings: Vec<AuditFinding>,
}

/// One difference that an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditFinding {
    /// A stable word: `body-altered`, `header-altered`, `missing`, `chain-broken`, `claim-unfounded`, `body-missing`,
    /// `rule-broken`, `journal-differs` or `unreadable`.
    pub fault: String,
    /// What it is about: `block`, `entry`, `head`, `proof`, `rival`, `journal` or `database`.
    pub subject: String,
    /// Number of the log.
    pub log: Option<u32>,
    /// The first sequence, or the version of a block.
    pub from: Option<u64>,
    /// The last sequence.
    pub to: Option<u64>,
    /// Whose log it is.
    pub member: Option<MemberName>,
    /// In words, Chinese.
    pub zh: String,
    /// In words, English.
    pub en: String,
}

/// A document that stays on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LocalDocument {
    /// Its id on this node.
    pub id: String,
    /// English name of its kind.
    pub kind: String,
    /// Chinese name of its kind.
    pub kind_zh: String,
    /// Its number, if it has one.
    #[serde(default)]
    pub external: Option<String>,
    /// What it is called.
    pub title: String,
    /// Value by English name of the field.
    pub fields: BTreeMap<String, String>,
    /// When it was kept.
    pub created_ms: u64,
}

/// Documents that stay on this node, and how many there are of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LocalList {
    /// The newest of those that were asked for.
    pub documents: Vec<LocalDocument>,
    /// How many there are, by English name of the kind.
    pub counts: BTreeMap<String, usize>,
}

/// Asks for own confidential records to be sealed anew where a reader cannot open them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrap {
    /// Only says which they are.
    #[serde(default)]
    pub dry_run: bool,
}

/// Own confidential records that a reader could not open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rewrapped {
    /// Label and readers of each, in the order of their labels.
    pub records: Vec<(String, String)>,
    /// Whether they were sealed anew.
    pub published: bool,
}
