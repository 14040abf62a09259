//! Kinds of record as the API describes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Words;

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
    /// Who reads it unless its author says otherwise: `all`, `parties`, `local`, `class:NAME` or `role:NAME`.
    pub readers: String,
    /// The field that names a record for people.
    pub title: String,
    /// The field with the author's own number.
    pub external: String,
    /// The fields that lists and filters show first.
    pub facets: Vec<String>,
    /// The fields, in ascending order of their numbers.
    pub fields: Vec<FieldView>,
    /// The id in the requirements; may be empty.
    #[serde(default)]
    pub requirement: String,
    /// What it is and who writes it, in Chinese; may be empty.
    #[serde(default)]
    pub about_zh: String,
    /// The same in English.
    #[serde(default)]
    pub about_en: String,
    /// Other names under which a sheet of such records goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sheet_names: Vec<String>,
    /// Rules across fields and records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckView>,
    /// Its states and how they follow each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<LifecycleView>,
    /// Figures that every node computes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<DerivedView>,
}

/// A rule of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    /// `refuse` or `flag`.
    pub level: String,
    /// The rule, in Chinese.
    pub zh: String,
    /// The rule, in English.
    pub en: String,
    /// It is asked only where these hold.
    pub when: Vec<Words>,
    /// What must hold.
    pub needs: Vec<Words>,
}

/// The states of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LifecycleView {
    /// The field that holds the state.
    pub field: String,
    /// The state of a record that says nothing.
    pub initial: Option<String>,
    /// Whether words that are no state are kept.
    pub unmapped: bool,
    /// The states.
    pub states: Vec<StateView>,
    /// The changes.
    pub transitions: Vec<TransitionView>,
    /// The changes that time makes.
    pub expiries: Vec<ExpiryView>,
}

/// A state of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateView {
    /// The identifier.
    pub name: String,
    /// The word in the field.
    pub zh: String,
    /// The English name.
    pub en: String,
    /// Other words for it.
    pub words: Vec<String>,
    /// Whether nothing follows.
    #[serde(rename = "final")]
    pub is_final: bool,
}

/// A change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransitionView {
    /// Names of the states that it leads from; `new` is the creation.
    pub from: Vec<String>,
    /// Name of the state that it leads to.
    pub to: String,
    /// Who makes it.
    pub office: Words,
    /// Who may, beside the record's owner: `class:NAME` or `role:NAME`.
    pub by: Vec<String>,
    /// What must hold.
    pub needs: Vec<Words>,
}

/// A change of state that time makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExpiryView {
    /// Names of the states that it leads from.
    pub from: Vec<String>,
    /// The date after which it happens.
    pub field: String,
    /// Days more.
    pub days: u32,
    /// Name of the state that it leads to.
    pub to: String,
}

/// A figure that every node computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DerivedView {
    /// The identifier.
    pub name: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Its unit; empty for counts and places.
    pub unit: String,
    /// How it is computed.
    pub formula: Words,
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
    /// Who reads it: `all`, `parties` or `local`.
    pub readers: String,
    /// Name of the kind of the record that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Words that a form offers; others are taken too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggest: Vec<String>,
    /// Other words for its choices.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub synonyms: BTreeMap<String, String>,
    /// The least number, in its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// The greatest number, in its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// The note on its column, in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint_zh: Option<String>,
    /// The note on its column, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint_en: Option<String>,
    /// What the example row of a template holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}
