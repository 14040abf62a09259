//! What the HTTP API says of a record beside its fields: where it stands, what marks it, figures, what may follow, and
//! which records name it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MemberName, Words};

/// Where a record stands in its lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PositionView {
    /// Identifier of the state; `unmapped` for a word that is no state, `blank` when nothing is said.
    pub name: String,
    /// The word in Chinese.
    pub zh: String,
    /// The word in English.
    pub en: String,
    /// Since when: of its owner's statement by its clock, or when the time came that moved it.
    pub since_ms: u64,
    /// Whether time alone moved it there.
    pub by_time: bool,
}

/// A check that marks a record; it counts all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarkView {
    /// The rule, in Chinese.
    pub zh: String,
    /// The rule, in English.
    pub en: String,
    /// What is missing.
    pub missing: Vec<Words>,
}

/// A figure that every node computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FigureView {
    /// Identifier.
    pub name: String,
    /// Name in Chinese.
    pub zh: String,
    /// Name in English.
    pub en: String,
    /// The figure for people, with its unit, rounded half up to two decimals.
    pub text: String,
    /// The exact figure in its unit, as text; absent where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Records that it was computed from, where there are others.
    pub records: usize,
    /// Records that were left out, because their figures must not be added.
    pub left_out: usize,
    /// What the record itself states, where that differs. Nothing repairs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<GapView>,
}

/// The difference between what a record states and what was computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GapView {
    /// What the record states, with its unit.
    pub stated: String,
    /// What is stated less what was computed, exactly, with its unit.
    pub text: String,
}

/// A change of state that may follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OnwardView {
    /// Identifier of the next state.
    pub name: String,
    /// The next state in Chinese.
    pub zh: String,
    /// The next state in English.
    pub en: String,
    /// Who does it, in Chinese.
    pub office_zh: String,
    /// Who does it, in English.
    pub office_en: String,
    /// What is missing for it; nothing when it may be done now.
    pub missing: Vec<Words>,
}

/// Records that name this one, and those that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReferencesView {
    /// What the record names, in the order of its fields.
    pub names: Vec<LinkView>,
    /// Records that name it, by kind and label.
    pub named_by: Vec<LinkView>,
    /// Whether there are more than are told here.
    pub more: bool,
}

/// One record that names another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkView {
    /// English name of the field that names.
    pub field: String,
    /// Chinese name of the field that names.
    pub field_zh: String,
    /// What stands in the field.
    pub text: String,
    /// The other record; absent when nobody has published it, as far as this node knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<LinkedRecord>,
}

/// A record, shortly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkedRecord {
    /// Its id.
    pub id: String,
    /// Its label.
    pub label: String,
    /// English name of its kind.
    pub kind: String,
    /// Chinese name of its kind.
    pub kind_zh: String,
    /// Whose it is.
    pub owner: MemberName,
    /// What it is called.
    pub title: String,
    /// Where it stands, if its kind has a lifecycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PositionView>,
    /// Whether it counts.
    pub counts: bool,
}
