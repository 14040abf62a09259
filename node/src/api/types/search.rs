//! What the HTTP API says of finding records by words, and of watching for new ones.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConfidentialView, FieldValue, MemberName, PositionView};

/// A question, as it is asked and as a watch keeps it. Lists that are empty let everything through; of several values in
/// one list one is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// Words: Chinese, pinyin or its initials, numbers; what stands between quotes must be found as it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Names or numbers of kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
    /// Codes or names of divisions, of today or former; what lies in them passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub region: Vec<String>,
    /// Codes or names of industries; what belongs to them passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub industry: Vec<String>,
    /// States, by any word for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<String>,
    /// Classes of owners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class: Vec<String>,
    /// Numbers of owners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member: Vec<u32>,
    /// Values that people choose from: `field=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag: Vec<String>,
    /// Conditions on the fields of one kind, such as `规模>=5亿元`.
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// Least area of land, such as `400亩`; 亩 without a unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_area: Option<String>,
    /// Greatest area of land.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_area: Option<String>,
    /// Least floor area; 万平方米 without a unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_floor_area: Option<String>,
    /// Greatest floor area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_floor_area: Option<String>,
    /// Least amount of money, such as `5000万元`; 万元 without a unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_amount: Option<String>,
    /// Greatest amount of money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_amount: Option<String>,
    /// Deadline on this day or before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Deadline on this day or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Changed within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_days: Option<u32>,
    /// Whether records pass that do not state the figure or deadline that is asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unknown: bool,
    /// Whether what is over, and what does not count, is looked for too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub closed: bool,
    /// `relevance`, `changed`, `created`, `amount`, `area`, `floor-area` or `deadline`, with `-asc` or `-desc` behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchAnswer {
    /// The records of this page, the best first. A page can be short: go on until there is no `next`.
    pub records: Vec<FoundRecord>,
    /// How many the index finds on all pages together, before `where` conditions.
    pub total: u64,
    /// Whether `where` conditions were judged record by record, so that `total` and the facets count more than they let
    /// through.
    pub screened: bool,
    /// Hand this in as `cursor` to get the next page; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How often each value occurs among all that is found, where that was asked for.
    pub facets: Vec<FacetView>,
    /// Words that may have been meant, when few or none are found.
    pub did_you_mean: Vec<String>,
    /// Whether nothing has all the words, and these are records that have some of them.
    pub relaxed: bool,
    /// Records that the index named and that are no longer there or do not meet the conditions.
    pub left_out: usize,
    /// How far the index is behind.
    pub lag: LagView,
    /// The time of the question.
    pub as_of_ms: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundRecord {
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
    /// Its author's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
    /// What it is called.
    pub title: String,
    /// The division that it concerns, by its full name; absent when it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Where it stands in its lifecycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PositionView>,
    /// Until when something can be done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// Its fields, in the order of the kind file.
    pub fields: Vec<FieldValue>,
    /// When it was created.
    pub created_ms: u64,
    /// When it was last changed.
    pub changed_ms: u64,
    /// Whether it counts in figures that all members share.
    pub counts: bool,
    /// Its confidential part, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidential: Option<ConfidentialView>,
    /// Names of fields that a condition asked for and the record does not state.
    pub unknown: Vec<String>,
    /// Where the words stand.
    pub why: Vec<Passage>,
    /// How well the words fit, in thousandths; comparable within one answer only.
    pub score_milli: u64,
}

/// A part of a record in which words were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Passage {
    /// English name of the field; `title`, `owner` or `place` for what is none.
    pub field: String,
    /// Chinese name of the field.
    pub field_zh: String,
    /// The text in pieces.
    pub segments: Vec<Segment>,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Segment {
    /// The piece.
    pub text: String,
    /// Whether it is one of the words.
    pub hit: bool,
}

/// How often the values of something occur.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetView {
    /// What was counted: a name of `facet`, or of a field.
    pub name: String,
    /// The same in Chinese.
    pub zh: String,
    /// The values, the most frequent first.
    pub values: Vec<FacetCount>,
    /// Whether there are more values.
    pub more: bool,
}

/// How often a value occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetCount {
    /// The value, as a query asks for it.
    pub value: String,
    /// The value for people.
    pub label: String,
    /// How many records have it.
    pub count: u64,
}

/// How far the index is behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LagView {
    /// `opening`, `building`, `renewing`, `following` or `failed`.
    pub state: String,
    /// Records that may stand otherwise than the index has them.
    pub records: u64,
    /// For how long the first of them waits, in milliseconds.
    pub ms: u64,
}

/// How the search index is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchStatus {
    /// How far it is behind, and what it is busy with.
    pub lag: LagView,
    /// Records that can be found.
    pub documents: u64,
    /// Records of the federation.
    pub records: usize,
    /// While everything is taken in: records that were looked at.
    pub looked_at: u64,
    /// In what condition it was found when it was opened last: `intact`, `fresh`, `other-version` or `damaged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was committed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_ms: Option<u64>,
    /// Version of its schema.
    pub schema_version: u32,
    /// Hash of the kinds that it was made with.
    pub kind_set: String,
    /// Its bytes on disk.
    pub bytes: u64,
    /// What this means, in Chinese.
    pub zh: String,
    /// What this means, in English.
    pub en: String,
}

/// A question that is kept under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWatch {
    /// Its name.
    pub name: String,
    /// The question.
    pub query: SearchQuery,
}

/// A watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchView {
    /// Its name.
    pub name: String,
    /// The question.
    pub query: SearchQuery,
    /// When it was made.
    pub created_ms: u64,
    /// Whether somebody listens now.
    pub listening: bool,
    /// Entries that were taken in since somebody saw what they brought; they may bring nothing.
    pub unseen_entries: u64,
    /// Results that were handed out.
    pub delivered: u64,
}

/// A new or changed result of a watch: the data of an event `record`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchEvent {
    /// The watch; absent for a question without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<String>,
    /// Whether the record is new; otherwise it was changed.
    pub is_new: bool,
    /// The record as it stands now.
    pub record: FoundRecord,
}

/// What is said beside results: the data of an event `notice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchNotice {
    /// `cut` when results may be missing, because entries before them count no longer.
    pub code: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}
