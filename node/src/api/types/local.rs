//! What the HTTP API says of documents that stay on this node.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ProblemDetail;

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
    /// What to look at after keeping it: documents that may be about the same enterprise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<ProblemDetail>,
}

/// Documents that stay on this node, and how many there are of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LocalList {
    /// The newest of those that were asked for.
    pub documents: Vec<LocalDocument>,
    /// How many there are, by English name of the kind.
    pub counts: BTreeMap<String, usize>,
}
