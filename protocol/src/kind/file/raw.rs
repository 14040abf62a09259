//! A kind file as TOML has it, key by key. `kinds/README.md` says what the keys mean.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// `common.toml`: what is true of every kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommonFile {
    pub(super) withhold: Vec<WithholdFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindFile {
    pub(super) number: u16,
    pub(super) name: String,
    pub(super) zh: String,
    pub(super) en: String,
    #[serde(default)]
    pub(super) requirement: String,
    #[serde(default)]
    pub(super) about_zh: String,
    #[serde(default)]
    pub(super) about_en: String,
    pub(super) writers: Vec<String>,
    pub(super) title: String,
    pub(super) external: String,
    #[serde(default)]
    pub(super) readers: Option<String>,
    #[serde(default)]
    pub(super) facets: Vec<String>,
    #[serde(default)]
    pub(super) sheet_names: Vec<String>,
    #[serde(default)]
    pub(super) retired: BTreeSet<u16>,
    #[serde(rename = "field")]
    pub(super) fields: Vec<FieldFile>,
    #[serde(default)]
    pub(super) withhold: Vec<WithholdFile>,
    #[serde(default, rename = "check")]
    pub(super) checks: Vec<CheckFile>,
    pub(super) lifecycle: Option<LifecycleFile>,
    #[serde(default)]
    pub(super) derived: Vec<DerivedFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldFile {
    pub(super) number: u16,
    pub(super) name: String,
    pub(super) zh: String,
    pub(super) en: String,
    #[serde(rename = "type")]
    pub(super) field_type: String,
    #[serde(default)]
    pub(super) list: bool,
    pub(super) unit: Option<String>,
    pub(super) table: Option<String>,
    pub(super) choices: Option<Vec<String>>,
    #[serde(default)]
    pub(super) synonyms: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) suggest: Vec<String>,
    pub(super) link: Option<String>,
    pub(super) min: Option<String>,
    pub(super) max: Option<String>,
    #[serde(default)]
    pub(super) obligatory: bool,
    #[serde(default)]
    pub(super) readers: ReadersFile,
    pub(super) role: Option<RoleFile>,
    #[serde(default)]
    pub(super) headers: Vec<String>,
    pub(super) separators: Option<String>,
    pub(super) hint_zh: Option<String>,
    pub(super) hint_en: Option<String>,
    pub(super) example: Option<String>,
    pub(super) additive_when: Option<ConditionFile>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(super) enum ReadersFile {
    #[default]
    All,
    Parties,
    Local,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RoleFile {
    Member,
    Identity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WithholdFile {
    #[serde(default)]
    pub(super) fields: Vec<String>,
    pub(super) equals: Option<String>,
    pub(super) contains: Option<Vec<String>>,
    /// Personal data that is recognised by its form: `mobile-number` or `identity-card`.
    pub(super) pattern: Option<String>,
    pub(super) zh: String,
    pub(super) en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckFile {
    pub(super) level: String,
    #[serde(default)]
    pub(super) when: Vec<ConditionFile>,
    pub(super) needs: Vec<ConditionFile>,
    pub(super) zh: String,
    pub(super) en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LifecycleFile {
    pub(super) field: String,
    pub(super) initial: Option<String>,
    #[serde(default)]
    pub(super) unmapped: bool,
    #[serde(rename = "state")]
    pub(super) states: Vec<StateFile>,
    #[serde(default, rename = "transition")]
    pub(super) transitions: Vec<TransitionFile>,
    #[serde(default, rename = "expiry")]
    pub(super) expiries: Vec<ExpiryFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateFile {
    pub(super) name: String,
    pub(super) zh: String,
    pub(super) en: String,
    #[serde(default)]
    pub(super) words: Vec<String>,
    #[serde(default, rename = "final")]
    pub(super) is_final: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransitionFile {
    pub(super) from: Vec<String>,
    pub(super) to: String,
    #[serde(default)]
    pub(super) office_zh: String,
    #[serde(default)]
    pub(super) office_en: String,
    #[serde(default)]
    pub(super) by: Vec<String>,
    #[serde(default)]
    pub(super) needs: Vec<ConditionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpiryFile {
    pub(super) from: Vec<String>,
    pub(super) field: String,
    #[serde(default)]
    pub(super) days: u32,
    pub(super) to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DerivedFile {
    pub(super) name: String,
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) unit: Option<String>,
    pub(super) ratio: Option<[String; 2]>,
    pub(super) sum: Option<LinkedSumFile>,
    pub(super) count: Option<LinkedFile>,
    pub(super) rank: Option<String>,
    pub(super) split: Option<SplitFile>,
    pub(super) days: Option<[String; 2]>,
    pub(super) against: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkedSumFile {
    pub(super) linked: String,
    pub(super) by: String,
    pub(super) field: String,
    #[serde(default, rename = "where")]
    pub(super) conditions: Vec<ConditionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkedFile {
    pub(super) linked: String,
    pub(super) by: String,
    #[serde(default, rename = "where")]
    pub(super) conditions: Vec<ConditionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SplitFile {
    pub(super) amount: String,
    pub(super) parties: String,
    pub(super) shares: String,
}

/// One condition: every key of every condition, of which one set must be given.
#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConditionFile {
    pub(super) filled: Option<Vec<String>>,
    pub(super) empty: Option<Vec<String>>,
    pub(super) field: Option<String>,
    pub(super) is: Option<Vec<String>>,
    pub(super) is_not: Option<Vec<String>>,
    pub(super) below: Option<String>,
    pub(super) at_most: Option<Bound>,
    pub(super) above: Option<String>,
    pub(super) at_least: Option<Bound>,
    pub(super) equals: Option<String>,
    pub(super) count: Option<String>,
    pub(super) sum: Option<String>,
    pub(super) aligned: Option<Vec<String>>,
    pub(super) span: Option<[String; 2]>,
    pub(super) at_most_days: Option<u32>,
    pub(super) past: Option<String>,
    pub(super) not_past: Option<String>,
    pub(super) days: Option<u32>,
    pub(super) before_admission: Option<String>,
    pub(super) state: Option<Vec<String>>,
    pub(super) linked: Option<String>,
    pub(super) by: Option<String>,
    #[serde(rename = "where")]
    pub(super) conditions: Option<Vec<ConditionFile>>,
    pub(super) own: Option<bool>,
    pub(super) target: Option<String>,
    pub(super) first_among: Option<String>,
    pub(super) any: Option<Vec<Vec<ConditionFile>>>,
}

/// How many, as a number; or what a figure is compared with, as a text.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub(crate) enum Bound {
    Count(usize),
    Text(String),
}
