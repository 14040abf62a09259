//! What the HTTP API says of surveys: where counties compete, what is missing, what lies idle, what adds up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CoverageView, MatchRecord, MemberName};

/// What a survey rests on. The same charter, entries, time and kinds give the same on every node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SurveyFrame {
    /// What was looked at.
    pub coverage: CoverageView,
    /// The time of the question.
    pub as_of_ms: u64,
    /// Version of the charter.
    pub charter_version: u32,
    /// Digest of the frontier.
    pub digest: String,
    /// Hash of the kinds in use.
    pub kind_set: String,
    /// Whether entries arrived meanwhile: then ask again for figures to compare with another node's.
    pub moved: bool,
}

/// A record that a survey names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SurveyRecord {
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
}

/// Records of one sort.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SurveyRecords {
    /// How many there are.
    pub records: usize,
    /// The first of them, 20 at most.
    pub shown: Vec<SurveyRecord>,
}

/// A division or an industry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct CodeName {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// Which counties of one prefecture state the same industry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CompetitionView {
    /// What it rests on.
    #[serde(flatten)]
    pub frame: SurveyFrame,
    /// Those that most counties state first, then those with most records, then by code.
    pub lines: Vec<CompetitionLine>,
    /// How many there are in all.
    pub total: usize,
    /// Records that state an industry and a county.
    pub placed: usize,
    /// Records without an industry.
    pub without_industry: SurveyRecords,
    /// Records whose industries have fewer than four digits.
    pub wide_industry: SurveyRecords,
    /// Records of which no division is known.
    pub without_place: SurveyRecords,
    /// Records that speak of a prefecture or province as a whole.
    pub wide_place: SurveyRecords,
    /// Records that no longer stand.
    pub ended: usize,
}

/// One industry of one prefecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CompetitionLine {
    /// The prefecture, or what stands for one.
    pub prefecture: CodeName,
    /// The industry, by four digits.
    pub industry: CodeName,
    /// The counties that state it, those with most records first.
    pub counties: Vec<CompetitionCounty>,
    /// Their records.
    pub records: usize,
}

/// A county and the records by which it states an industry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CompetitionCounty {
    /// The county.
    pub county: CodeName,
    /// Its records.
    #[serde(flatten)]
    pub records: SurveyRecords,
}

/// The links of chains in a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainsView {
    /// What it rests on.
    #[serde(flatten)]
    pub frame: SurveyFrame,
    /// The place; absent for the whole federation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<CodeName>,
    /// The chains: those with most records in the place first, then by name.
    pub chains: Vec<ChainView>,
    /// How many there are in all.
    pub total: usize,
    /// Chains of which no division is known.
    pub without_place: SurveyRecords,
    /// Records that show a link and of which no county is known.
    pub evidence_without_place: SurveyRecords,
}

/// A chain in a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainView {
    /// Its name.
    pub name: String,
    /// Its records in the place.
    pub here: SurveyRecords,
    /// Its records elsewhere.
    pub elsewhere: usize,
    /// Target firms that name it.
    pub targets: usize,
    /// Its links, in the order in which they are named.
    pub links: Vec<ChainLinkView>,
}

/// What counties say of a link of theirs: how many call it strong, weak, missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainStated {
    /// 强.
    pub strong: usize,
    /// 弱.
    pub weak: usize,
    /// 缺.
    pub missing: usize,
}

/// A link of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainLinkView {
    /// What it is called.
    pub name: String,
    /// Its industry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry: Option<CodeName>,
    /// What the counties of the place say of it.
    pub stated: ChainStated,
    /// `missing`, `planned` (projects not signed yet) or `present`, by what records show.
    pub verdict: String,
    /// Records in the place that show it.
    pub here: SurveyRecords,
    /// Projects in the place that would bring it.
    pub planned: SurveyRecords,
    /// Target firms of the place that would bring it.
    pub targets: SurveyRecords,
    /// Links before it.
    pub before: Vec<String>,
    /// Links behind it.
    pub behind: Vec<String>,
    /// Counties outside where it is, nearest first; of links that are not there or stated to be missing.
    pub elsewhere: Vec<ChainElsewhere>,
    /// How many such counties there are.
    pub elsewhere_total: usize,
}

/// A county that has a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainElsewhere {
    /// The county.
    pub county: CodeName,
    /// `prefecture`, `province` or `elsewhere`: what it shares with the place that was asked for.
    pub nearness: String,
    /// Records there that show the link.
    pub records: SurveyRecords,
    /// What it says of the link itself.
    pub stated: ChainStated,
}

/// Funds without an investment for a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdleFundsView {
    /// What it rests on.
    #[serde(flatten)]
    pub frame: SurveyFrame,
    /// Days without a case that make a fund idle.
    pub idle_days: u32,
    /// Idle ones: those without any case first, then those whose last case is oldest.
    pub idle: Vec<IdleFund>,
    /// Those of which it cannot be said.
    pub unknown: Vec<IdleFund>,
    /// How many have a case within that time.
    pub active: usize,
    /// How many were set up within that time and have none yet.
    pub young: usize,
    /// How many are being prepared, in their exit period, wound up, or have nothing left to invest.
    pub out: usize,
    /// Left out where a region is asked for: those whose seat is not known.
    pub without_place: SurveyRecords,
    /// Cases that were taken in.
    pub cases: usize,
    /// Cases whose fund is not known here.
    pub cases_without_fund: SurveyRecords,
    /// For how many of the idle ones, from the first on, projects that fit were looked for.
    pub paired: usize,
    /// Whether matching had looked at every record since the node started: if not, ask again soon.
    pub matching_complete: bool,
}

/// A project or need of money that fits a fund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdleFundFit {
    /// The record.
    pub record: MatchRecord,
    /// The score of the match, in permille.
    pub score: u16,
    /// What adds most to it, in Chinese.
    pub reasons_zh: Vec<String>,
    /// The same in English.
    pub reasons_en: Vec<String>,
}

/// A fund that is idle, or of which that cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdleFund {
    /// Its record.
    pub fund: SurveyRecord,
    /// `stated` (it says so), `last-case` (its last case is too old), `never` (it has none); absent where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<String>,
    /// What it says of its state, in Chinese; empty when nothing.
    pub state_zh: String,
    /// The same in English.
    pub state_en: String,
    /// Cases that name it.
    pub cases: usize,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_case: Option<SurveyRecord>,
    /// Its date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_case_on: Option<String>,
    /// Days since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<i64>,
    /// When it was set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_up_on: Option<String>,
    /// What it says is left to invest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uninvested: Option<String>,
    /// Where it invests.
    pub directions: Vec<String>,
    /// What fits it best, if that was looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fits: Vec<IdleFundFit>,
    /// Why nothing can be matched with it, in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmatched_zh: Option<String>,
    /// The same in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmatched_en: Option<String>,
}

/// Like needs of several counties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PoolsView {
    /// What it rests on.
    #[serde(flatten)]
    pub frame: SurveyFrame,
    /// Version of the topics.
    pub topics_version: u32,
    /// Those of most counties first; topics before industries.
    pub pools: Vec<PoolView>,
    /// How many there are in all.
    pub total: usize,
    /// Needs that are in a published pooled need already.
    pub already: usize,
    /// Those pooled needs.
    pub made: SurveyRecords,
    /// Needs of which neither topic nor industry is known.
    pub without_subject: SurveyRecords,
    /// Needs of which no county is known.
    pub without_place: SurveyRecords,
    /// Needs that are met, expired or not published yet.
    pub not_open: usize,
}

/// One pool of needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PoolView {
    /// The topic; empty of a pool by industry.
    pub topic: String,
    /// The topic, or category and industry, in Chinese.
    pub zh: String,
    /// The same in English, as far as there is any.
    pub en: String,
    /// The group of industries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry: Option<CodeName>,
    /// The counties.
    pub counties: Vec<CodeName>,
    /// How many needs there are.
    pub needs: usize,
    /// The first of them.
    pub sources: Vec<PoolNeed>,
    /// What adds up.
    pub sums: Vec<PoolSum>,
    /// Needs without a figure and its unit.
    pub without_figure: usize,
    /// The fields of the draft of a joint need, by identifier; absent where no kind takes it, or where there are more
    /// needs than a draft can name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<BTreeMap<String, String>>,
    /// Whether the draft lacks its division, because the needs are of several provinces.
    #[serde(default)]
    pub draft_without_division: bool,
    /// Sums that stand in the draft's note only.
    #[serde(default)]
    pub draft_only_in_note: usize,
}

/// A need of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PoolNeed {
    /// Its record.
    pub need: SurveyRecord,
    /// Its counties.
    pub counties: Vec<CodeName>,
    /// Its figures as their author wrote them.
    pub figures: Vec<String>,
}

/// Figures of one sort, added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PoolSum {
    /// Identifier of the field.
    pub name: String,
    /// The field in Chinese.
    pub zh: String,
    /// The exact sum as a number.
    pub amount: String,
    /// Its unit.
    pub unit: String,
    /// The sum for people, with a word where figures are soft.
    pub text: String,
    /// Figures that were added.
    pub added: usize,
    /// Of these, soft ones.
    pub soft: usize,
    /// Figures that must not be added.
    pub left_out: usize,
}

/// How many matches that were taken up led to an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuccessView {
    /// What it rests on.
    #[serde(flatten)]
    pub frame: SurveyFrame,
    /// First day of the period in which matches were taken up; absent from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Its last day; absent until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The number below the line: matches taken up in the period.
    pub taken_up: usize,
    /// The number above it: those with an agreement.
    pub signed: SurveyRecords,
    /// The rate in percent, rounded half up to two decimals; absent when nothing was taken up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_percent: Option<String>,
    /// Of those taken up, the ones with talks that go on.
    pub in_talks: usize,
    /// Those whose talks ended without an agreement, or that were found unfit afterwards.
    pub ended: usize,
    /// Those without any talks that would say what came of them.
    pub unknown: SurveyRecords,
    /// Taken up on a date that is not known well enough for the period.
    pub undated: SurveyRecords,
    /// Taken up outside the period.
    pub outside: usize,
    /// Never taken up, by where they stand.
    pub others: Vec<MatchesInState>,
    /// Talks that name a match that is not known here.
    pub talks_astray: usize,
}

/// Matches in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchesInState {
    /// The state in Chinese.
    pub zh: String,
    /// The state in English.
    pub en: String,
    /// How many stand in it.
    pub records: usize,
}

/// Records of a kind by a figure, over what this node may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RankingView {
    /// What it rests on. Other nodes may read other records.
    #[serde(flatten)]
    pub frame: SurveyFrame,
    /// English name of the kind.
    pub kind: String,
    /// Chinese name of the kind.
    pub kind_zh: String,
    /// The parts of the figure.
    pub by: Vec<RankingColumn>,
    /// Its unit; empty of plain numbers.
    pub unit: String,
    /// Whether the least comes first.
    pub ascending: bool,
    /// The first records.
    pub ranked: Vec<RankedRecord>,
    /// Records with the figure.
    pub known: usize,
    /// Records that lack it, or a part of it; they come last.
    pub unknown: usize,
}

/// A part of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RankingColumn {
    /// Identifier of the field or derived figure.
    pub name: String,
    /// In Chinese.
    pub zh: String,
}

/// A record and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RankedRecord {
    /// Its place, from 1; records of one figure share it.
    pub place: usize,
    /// The record.
    pub record: SurveyRecord,
    /// The exact figure.
    pub amount: String,
    /// The figure for people, with its unit, rounded half up to two decimals.
    pub text: String,
    /// The parts as they are stated, in the order of `by`.
    pub parts: Vec<String>,
}
