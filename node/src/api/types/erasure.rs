//! Erasing, and how far erasures have got.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MemberName;

/// Asks for bodies to be erased everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// Records, each with all of its statements.
    #[serde(default)]
    pub records: Vec<String>,
    /// Single entries, by their whole ids.
    #[serde(default)]
    pub entries: Vec<String>,
    /// Why, for readers. It is public and stays.
    pub reason: String,
}

/// What was asked to be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasePublished {
    /// Ids of the erasing entries.
    pub erasures: Vec<String>,
    /// Labels of the records.
    pub labels: Vec<String>,
    /// How many bodies go.
    pub entries: usize,
}

/// Who erased something, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasedMark {
    /// The member; absent when the charter did.
    pub member: Option<MemberName>,
    /// Version of the charter block, when the charter did.
    pub block: Option<u32>,
    /// When, by the author's clock.
    pub time_ms: u64,
    /// Why.
    pub reason: String,
}

/// An erasure that counts, and how far it has got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureItem {
    /// Id of the erasing entry, or hash of the charter block.
    pub id: String,
    /// By whom, when and why.
    #[serde(flatten)]
    pub mark: ErasedMark,
    /// Entries that it names.
    pub entries: usize,
    /// Of these, bodies that this node holds still.
    pub held: usize,
    /// Labels of records that are gone with it.
    pub labels: Vec<String>,
    /// Whether this node has rid its disk of the bodies.
    pub purged: bool,
    /// Active members whose nodes say that they have done so.
    pub acknowledged: Vec<MemberName>,
    /// Active members that have not said so yet.
    pub outstanding: Vec<MemberName>,
}
