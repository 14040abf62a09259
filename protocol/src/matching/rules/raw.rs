//! The rules as TOML has them, key by key. The file itself says what the keys mean.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesFile {
    pub(super) version: u32,
    pub(super) generic_words: Vec<String>,
    pub(super) figures: FiguresFile,
    pub(super) unknown: BTreeMap<String, u16>,
    pub(super) industry: IndustryFile,
    #[serde(rename = "industry_word")]
    pub(super) industry_words: Vec<IndustryWordFile>,
    pub(super) region: RegionFile,
    #[serde(rename = "named_region")]
    pub(super) named_regions: Vec<NamedRegionFile>,
    pub(super) ruling: RulingFile,
    pub(super) sharing: SharingFile,
    #[serde(rename = "ready_word")]
    pub(super) ready_words: Vec<ReadyWordFile>,
    pub(super) noted: NotedFile,
    pub(super) need_value: NeedValueFile,
    pub(super) neighbours: BTreeMap<String, Vec<String>>,
    pub(super) size: SizeFile,
    pub(super) land: LandFile,
    pub(super) energy: EnergyFile,
    #[serde(rename = "purpose")]
    pub(super) purposes: Vec<PurposeFile>,
    pub(super) text: TextFile,
    pub(super) timing: TimingFile,
    pub(super) freshness: FreshnessFile,
    pub(super) stage: StageFile,
    #[serde(rename = "stage_word")]
    pub(super) stage_words: Vec<StageWordFile>,
    #[serde(rename = "form")]
    pub(super) forms: Vec<FormFile>,
    #[serde(rename = "need")]
    pub(super) needs: Vec<NamedFile>,
    #[serde(rename = "need_word")]
    pub(super) need_words: Vec<NeedWordFile>,
    pub(super) kind: BTreeMap<String, KindFile>,
    #[serde(rename = "pair")]
    pub(super) pairs: Vec<PairFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FiguresFile {
    pub(super) about: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndustryFile {
    pub(super) covers: CoversFile,
    pub(super) shares: SharesFile,
    pub(super) by_words: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CoversFile {
    pub(super) class: u16,
    pub(super) group: u16,
    pub(super) division: u16,
    pub(super) section: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SharesFile {
    pub(super) group: u16,
    pub(super) division: u16,
    pub(super) section: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndustryWordFile {
    pub(super) words: Vec<String>,
    pub(super) codes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegionFile {
    pub(super) same_county: u16,
    pub(super) same_prefecture: u16,
    pub(super) same_province: u16,
    pub(super) neighbour: u16,
    pub(super) other: u16,
    pub(super) wanted_county: u16,
    pub(super) wanted_prefecture: u16,
    pub(super) wanted_province: u16,
    pub(super) wanted_named: u16,
    pub(super) unwanted: u16,
    pub(super) here: HereFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HereFile {
    pub(super) same_county: u16,
    pub(super) same_prefecture: u16,
    pub(super) same_province: u16,
    pub(super) neighbour: u16,
    pub(super) other: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedRegionFile {
    pub(super) names: Vec<String>,
    pub(super) codes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulingFile {
    pub(super) not_industry: Vec<String>,
    pub(super) only_region: Vec<String>,
    pub(super) wide: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SharingFile {
    pub(super) words: Vec<String>,
    pub(super) landing: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadyWordFile {
    pub(super) words: Vec<String>,
    pub(super) value: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotedFile {
    pub(super) energy: Vec<String>,
    pub(super) discharge: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NeedValueFile {
    pub(super) direct: u16,
    pub(super) assisting: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SizeFile {
    pub(super) share: u16,
    pub(super) share_whole: u16,
    pub(super) project_steps: Vec<[u32; 2]>,
    pub(super) project_larger: u16,
    pub(super) least: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LandFile {
    pub(super) steps: Vec<[u32; 2]>,
    pub(super) larger: u16,
    pub(super) barely: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnergyFile {
    pub(super) short: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PurposeFile {
    pub(super) words: Vec<String>,
    pub(super) sections: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextFile {
    pub(super) full: u16,
    pub(super) least_pairs: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimingFile {
    pub(super) ample_days: u16,
    pub(super) last: u16,
    pub(super) wait_steps: Vec<[u32; 2]>,
    pub(super) wait_longer: u16,
    pub(super) late_steps: Vec<[u32; 2]>,
    pub(super) late_longer: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FreshnessFile {
    pub(super) steps: Vec<[u32; 2]>,
    pub(super) older: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageFile {
    pub(super) near: u16,
    pub(super) stages: Vec<NamedFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageWordFile {
    pub(super) words: Vec<String>,
    pub(super) stages: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormFile {
    pub(super) group: String,
    pub(super) words: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedFile {
    pub(super) name: String,
    pub(super) zh: String,
    pub(super) en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NeedWordFile {
    pub(super) words: Vec<String>,
    pub(super) needs: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KindFile {
    pub(super) seeks: Vec<String>,
    pub(super) offers: Vec<String>,
    pub(super) assists: Vec<String>,
    pub(super) industry_codes: Vec<String>,
    pub(super) industry_words: Vec<String>,
    pub(super) industry_title: bool,
    pub(super) division: Option<String>,
    pub(super) division_unless: Option<UnlessFile>,
    pub(super) place: Vec<String>,
    pub(super) located: Vec<String>,
    pub(super) wanted: Vec<String>,
    pub(super) wanted_codes: Option<String>,
    pub(super) wanted_only: bool,
    pub(super) wide_texts: Vec<String>,
    pub(super) only_wanted: Option<OnlyFile>,
    pub(super) amount: Option<String>,
    pub(super) amount_less: Option<String>,
    pub(super) amount_is: Option<String>,
    pub(super) ticket_max: Option<String>,
    pub(super) soft_limit: bool,
    pub(super) capacity: Option<String>,
    pub(super) capacity_else: Option<String>,
    pub(super) area: Option<String>,
    pub(super) floor: Option<String>,
    pub(super) floor_else: Option<String>,
    pub(super) quantity: Option<QuantityFile>,
    pub(super) intensity: Option<RatioFile>,
    pub(super) output: Option<RatioFile>,
    pub(super) tax: Option<RatioFile>,
    pub(super) least_intensity: Option<String>,
    pub(super) least_output: Option<String>,
    pub(super) least_tax: Option<String>,
    pub(super) energy: Option<String>,
    pub(super) discharge: Option<String>,
    pub(super) stages: Vec<String>,
    pub(super) forms: Vec<String>,
    pub(super) forms_given: Vec<String>,
    pub(super) valid_until: Vec<String>,
    pub(super) available_from: Option<String>,
    pub(super) texts: Vec<String>,
    pub(super) ruling: Vec<String>,
    pub(super) closed: Vec<String>,
    pub(super) closed_words: Vec<String>,
    pub(super) ready: BTreeMap<String, u16>,
    pub(super) noted: Vec<String>,
    pub(super) named_texts: Vec<String>,
    pub(super) category: Option<String>,
    pub(super) words: BTreeMap<String, MeaningFile>,
    pub(super) states: BTreeMap<String, MeaningFile>,
    pub(super) implied: Vec<ImpliedFile>,
    pub(super) keeps_plan: Vec<String>,
    pub(super) purpose: Option<String>,
    pub(super) shared: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnlyFile {
    pub(super) field: String,
    pub(super) is: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnlessFile {
    pub(super) field: String,
    pub(super) words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuantityFile {
    pub(super) figure: String,
    pub(super) unit: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RatioFile {
    pub(super) amount: String,
    pub(super) area: String,
    pub(super) unless_seeks: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MeaningFile {
    pub(super) seeks: Vec<String>,
    pub(super) offers: Vec<String>,
    pub(super) assists: Vec<String>,
    pub(super) by_title: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImpliedFile {
    pub(super) field: String,
    pub(super) seeks: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PairFile {
    pub(super) left: String,
    pub(super) right: Vec<String>,
    pub(super) region: Option<String>,
    pub(super) weights: BTreeMap<String, u16>,
}
