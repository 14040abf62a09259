//! What the HTTP API says of matches.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MemberName;

/// A record in an answer about matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchRecord {
    /// Its id.
    pub id: String,
    /// Its label, for instance `42-7`.
    pub label: String,
    /// English name of its kind.
    pub kind: String,
    /// Chinese name of its kind.
    pub kind_zh: String,
    /// Its author's own number.
    pub external: Option<String>,
    /// What it is called.
    pub title: String,
    /// Whose it is.
    pub owner: MemberName,
    /// Whom to call there, as the owner says in the open; empty when it does not.
    pub contact: String,
}

/// What one dimension adds to a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchPart {
    /// The dimension: `need`, `industry`, `region`, `size`, `land`, `energy`, `stage`, `form`, `timing`, `text`,
    /// `freshness` or `completeness`.
    pub dimension: String,
    /// The same in Chinese.
    pub zh: String,
    /// Its weight.
    pub weight: u16,
    /// What it is worth, in permille; absent when it is not known.
    pub value: Option<u16>,
    /// What it counts, in permille: the value, or what counts while it is not known.
    pub counted: u16,
    /// Its part of the score; the parts add up to it.
    pub part: u16,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
}

/// A match and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchView {
    /// The record.
    pub record: MatchRecord,
    /// The score, in permille.
    pub score: u16,
    /// The same in parts of a million: matches are ordered by it, then by id.
    pub rate: u32,
    /// The sum of the weights.
    pub weights: u32,
    /// Every dimension that is looked at.
    pub parts: Vec<MatchPart>,
}

/// Why a record cannot be a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExclusionView {
    /// The hard condition.
    pub reason: String,
    /// With what was compared, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// A record that cannot be a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExcludedView {
    /// The record.
    pub record: MatchRecord,
    /// Every reason.
    pub reasons: Vec<ExclusionView>,
}

/// How many records one hard condition excludes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExcludedCount {
    /// The hard condition; a record counts under the first that holds.
    pub reason: String,
    /// When it excludes, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// How many.
    pub count: u64,
}

/// A kind by its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KindName {
    /// English name.
    pub name: String,
    /// Chinese name.
    pub zh: String,
}

/// What fits a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchesView {
    /// The record that was asked about.
    pub subject: MatchRecord,
    /// What fits, the best first.
    pub found: Vec<MatchView>,
    /// Of the excluded, those that would have been the best; empty unless they were asked for.
    pub excluded: Vec<ExcludedView>,
    /// How many are excluded, and why.
    pub excluded_by: Vec<ExcludedCount>,
    /// Records that were looked at.
    pub considered: u64,
    /// The kinds that were looked at.
    pub kinds: Vec<KindName>,
    /// The version of the rules.
    pub rules_version: u32,
    /// BLAKE3 of the rules.
    pub rules_hash: String,
    /// Digest of the frontier. Nodes with the same frontier find the same, with the same scores.
    pub frontier: String,
    /// The time of the question; its day in China matters.
    pub as_of_ms: u64,
    /// Whether every record was looked at since the node started: if not, ask again soon.
    pub complete: bool,
}

/// What is recommended to one fund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FundMatches {
    /// The fund.
    pub fund: MatchRecord,
    /// Projects and needs of money that fit; absent when it cannot be matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<MatchesView>,
    /// Why it cannot be matched, in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_zh: Option<String>,
    /// The same in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_en: Option<String>,
}

/// What is recommended to funds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationsView {
    /// Each fund.
    pub funds: Vec<FundMatches>,
    /// Whether every record was looked at since the node started.
    pub complete: bool,
}
