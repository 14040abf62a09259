//! The rules as TOML has them, key by key. The file itself says what the keys mean.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::kind::ConditionFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesFile {
    pub(super) version: u32,
    #[serde(default)]
    pub(super) kinds: BTreeMap<String, Vec<String>>,
    #[serde(rename = "duty")]
    pub(super) duties: Vec<DutyFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DutyFile {
    pub(super) id: String,
    pub(super) requirement: String,
    pub(super) bearer: BearerFile,
    pub(super) bearer_zh: String,
    pub(super) bearer_en: String,
    pub(super) content_zh: String,
    pub(super) content_en: String,
    pub(super) period: String,
    pub(super) frequency_zh: String,
    pub(super) comparator: String,
    pub(super) at_least: Option<u32>,
    pub(super) unit_zh: String,
    pub(super) unit_en: String,
    pub(super) due: DueFile,
    pub(super) deadline_zh: String,
    pub(super) deadline_en: String,
    pub(super) escalated_after: Option<u32>,
    pub(super) consequence_zh: String,
    pub(super) consequence_en: String,
    pub(super) source: String,
    pub(super) sum: Option<SumFile>,
    #[serde(default)]
    pub(super) rolling: bool,
    pub(super) seats: Option<String>,
    pub(super) silence: Option<String>,
    pub(super) unchanged: Option<String>,
    pub(super) not_computable_zh: Option<String>,
    pub(super) not_computable_en: Option<String>,
    #[serde(default)]
    pub(super) by: Vec<WayFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub(super) enum BearerFile {
    Class(String),
    Divisions(Vec<String>),
    Organ(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DueFile {
    pub(super) after: String,
    pub(super) days: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SumFile {
    pub(super) field: String,
    pub(super) at_least: u32,
    pub(super) unit_zh: String,
    pub(super) unit_en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WayFile {
    pub(super) kinds: Vec<String>,
    pub(super) statements: Vec<String>,
    #[serde(default)]
    pub(super) no_change: bool,
    pub(super) named_by: Option<String>,
    pub(super) about: Option<String>,
    #[serde(default)]
    pub(super) anyone: bool,
    #[serde(default)]
    pub(super) authors: Vec<String>,
    #[serde(default, rename = "where")]
    pub(super) conditions: Vec<ConditionFile>,
}
