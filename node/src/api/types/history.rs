//! What the HTTP API says of how a record became what it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConfidentialView, ErasedMark, MemberName, Words};

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
    /// Whether it counts. What does not is shown and changes nothing.
    pub counts: bool,
    /// Why it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncounted: Option<UncountedReason>,
    /// The change of state that it states, if it states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateChange>,
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

/// Why a statement does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UncountedReason {
    /// `above-seal`: it stands above the seal of its key; `lifecycle`: the change of state is illegal.
    pub code: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// What is missing.
    pub missing: Vec<Words>,
}

/// A change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateChange {
    /// Where the record stood, in Chinese; absent at its creation.
    pub from_zh: Option<String>,
    /// The same in English.
    pub from_en: Option<String>,
    /// Where it goes, in Chinese.
    pub to_zh: String,
    /// The same in English.
    pub to_en: String,
}
