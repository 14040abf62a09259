//! What the HTTP API understands of records to publish, and what it says of those that were.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ProblemDetail;

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
    /// What to look at: leads that may be about the same enterprise as other documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<ProblemDetail>,
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
