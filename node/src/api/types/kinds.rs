//! Kinds of record as the API describes them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The kinds in use on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KindSetView {
    /// Hash of the set in use: its kind files and the code tables.
    pub hash: String,
    /// Hash of the set of this build, without extra files.
    pub built_in_hash: String,
    /// The version by which the charter names the set in use; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u16>,
    /// Every set that the charter names.
    pub named: Vec<NamedKindSet>,
    /// Names of the extra kind files.
    pub extra_files: Vec<String>,
    /// The kinds, in ascending order of their numbers.
    pub kinds: Vec<KindView>,
}

/// The kinds in use, shortly.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KindsStatus {
    /// The version by which the charter names the set in use; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u16>,
    /// Its hash.
    pub hash: String,
    /// How many kinds it has.
    pub kinds: usize,
    /// Names of the extra kind files.
    pub extra_files: Vec<String>,
}

/// A set that the charter names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedKindSet {
    /// The version that statements carry.
    pub version: u16,
    /// The hash that the charter resolves it to.
    pub hash: String,
}

/// A kind of record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KindView {
    /// The number on the wire.
    pub number: u16,
    /// The identifier, for instance `resource`.
    pub name: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Whether it is a kind of this build; others come from extra files.
    pub built_in: bool,
    /// The version under which records of this kind are to be stated; absent when the charter names no set with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u16>,
    /// Classes of member that may write it.
    pub writers: Vec<String>,
    /// Who reads it unless its author says otherwise: `all`, `local`, `class:NAME` or `role:NAME`.
    pub readers: String,
    /// The field that names a record for people.
    pub title: String,
    /// The field with the author's own number.
    pub external: String,
    /// The fields that lists and filters show first.
    pub facets: Vec<String>,
    /// The fields, in ascending order of their numbers.
    pub fields: Vec<FieldView>,
}

/// A field of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldView {
    /// The number on the wire.
    pub number: u16,
    /// The identifier, for instance `investment`.
    pub name: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// The header of its column in sheets, with its unit.
    pub header: String,
    /// Other headers that are understood.
    pub headers: Vec<String>,
    /// What one value is, for instance `money`.
    #[serde(rename = "type")]
    pub field_type: String,
    /// Whether it holds several.
    pub list: bool,
    /// What separates the elements of a list in a cell; the first is the one that is written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub separators: String,
    /// Unit of a number that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Code table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// What may be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Whether a record must have it.
    pub obligatory: bool,
    /// Who reads it: `all` or `local`.
    pub readers: String,
}
