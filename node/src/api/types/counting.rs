//! What the HTTP API says of how many records there are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Records of a kind, counted by groups. The same charter, entries, time and kinds give the same on every node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountView {
    /// English name of the kind.
    pub kind: String,
    /// Chinese name of the kind.
    pub kind_zh: String,
    /// What the groups are made by.
    pub by: Vec<CountColumn>,
    /// The field that is added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<CountColumn>,
    /// Groups in the order of their keys. A record with several elements in a list stands in the group of each.
    pub groups: Vec<CountGroup>,
    /// All records that were counted, each once.
    pub total: CountGroup,
    /// What was looked at, and what was not counted.
    pub coverage: CoverageView,
    /// The time of the question.
    pub as_of_ms: u64,
    /// Version of the charter.
    pub charter_version: u32,
    /// Digest of the frontier.
    pub digest: String,
    /// Hash of the kinds in use.
    pub kind_set: String,
    /// Whether entries arrived while it was counted: then ask again for figures to compare with another node's.
    pub moved: bool,
}

/// Something that records are grouped by, or that is added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountColumn {
    /// English name.
    pub name: String,
    /// Chinese name, with the unit of a figure.
    pub zh: String,
}

/// Some records, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountGroup {
    /// What they have in common, in the order of `by`; empty of the total.
    pub keys: Vec<String>,
    /// How many there are.
    pub records: usize,
    /// The exact sum, with its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
    /// Records whose figure was added.
    #[serde(default)]
    pub summed: usize,
    /// Records whose figure must not be added: cumulative, of another basis, or in another currency.
    #[serde(default)]
    pub left_out: usize,
}

/// What a count looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoverageView {
    /// Records of the kind in the period.
    pub looked_at: usize,
    /// Those that were counted.
    pub counted: usize,
    /// Those that do not meet the conditions.
    pub other: usize,
    /// Those that do not say what a condition asks for; they are not counted.
    pub unknown: usize,
    /// Those that do not count: invalid, or published against the lifecycle.
    pub uncounted: usize,
    /// Withdrawn ones.
    pub withdrawn: usize,
    /// Wholly confidential ones, which count in no shared figure.
    pub closed: usize,
    /// Those that this build is too old to judge.
    pub update_needed: usize,
}
