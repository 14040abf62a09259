//! What the HTTP API says of records: how each stands, and lists of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{FigureView, MarkView, MemberName, OnwardView, PositionView, ProblemDetail, ReferencesView};

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
    /// Its fields, in the order of the kind file, without what statements say that do not count.
    pub fields: Vec<FieldValue>,
    /// Where it stands in its lifecycle; absent when its kind has none, or that is closed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PositionView>,
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
    /// Whether it counts in figures that all members share: not when it is withdrawn, breaks a rule that
    /// everybody can see, was published against its lifecycle, is wholly confidential, or this build is too old.
    #[serde(default)]
    pub counts: bool,
    /// Statements about it that do not count; its history says why.
    #[serde(default)]
    pub uncounted: usize,
    /// Checks that mark it.
    #[serde(default)]
    pub marks: Vec<MarkView>,
    /// Figures that every node computes.
    #[serde(default)]
    pub figures: Vec<FigureView>,
    /// What its author should look at though no rule is broken.
    #[serde(default)]
    pub notices: Vec<ProblemDetail>,
    /// Whether so much hangs on it that state, marks or figures were not worked out.
    #[serde(default)]
    pub unassessed: bool,
    /// Changes of its state that may follow; of one's own records, when one is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub onward: Vec<OnwardView>,
    /// Records that name it and those that it names, when one is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<ReferencesView>,
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
