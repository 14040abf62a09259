//! What the HTTP API says of indicators, of the bulletins that publish them, and of objections to them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MemberName;

/// Indicators at a time. The same charter, entries, time, kinds and rules give the same on every node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IndicatorsView {
    /// The time that they speak of.
    pub as_of_ms: u64,
    /// Version of the charter.
    pub charter_version: u32,
    /// Digest of the frontier.
    pub digest: String,
    /// Hash of the kinds that the rules speak of.
    pub kind_set: String,
    /// Version of the definitions.
    pub rules_version: u32,
    /// Whether everything that this node holds is in the figures; it may be a little behind.
    pub complete: bool,
    /// Bodies of entries that count and that are not here: figures may lack what they say.
    #[serde(default)]
    pub missing_bodies: u64,
    /// The phase that the alliance is in at that time.
    pub phase: PhaseView,
    /// Every subject that the definitions assess, in their order.
    pub subjects: Vec<String>,
    /// The indicators, in the order of the definitions.
    pub indicators: Vec<IndicatorView>,
}

/// A phase of the alliance, counted from its founding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhaseView {
    /// Its name: `launch`, `growth` or `mature`.
    pub name: String,
    /// For people, in Chinese.
    pub zh: String,
    /// For people, in English.
    pub en: String,
    /// When it ends, in milliseconds since 1970 (UTC); the last one does not.
    pub until_ms: Option<u64>,
    /// What it is to reach, by the code of the indicator.
    pub indicator: Option<String>,
}

/// One indicator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IndicatorView {
    /// Its code, for instance `ZB001`.
    pub code: String,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// Who is assessed, for instance 联盟.
    pub subject: String,
    /// `≥`, `>`, `≤`, `<`, `=`, `区间`, `↑`, `↓` or `基线`.
    pub comparator: String,
    /// The target as the source has it; empty when there is none.
    pub target: String,
    /// The unit.
    pub unit: String,
    /// The period as the source has it.
    pub period_rule: String,
    /// 目标, 义务, 约束, 跟踪, 评价, 基线 or 参考.
    pub nature: String,
    /// The formula as the source has it.
    pub formula: String,
    /// What the source leaves open; may be empty.
    pub doubts: String,
    /// `computed` from records, `entered` from outside with a source, or `not-computable`.
    pub basis: String,
    /// How it is computed here, or why it is not, in Chinese.
    pub basis_zh: String,
    /// The same in English.
    pub basis_en: String,
    /// First day of the period that the value speaks of; absent for a stock at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Last day of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The value, rounded half up to two decimals; absent when there is nothing to compute it from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Why there is no value: `not-computable`, `not-entered`, `no-record`, `no-figure`, `too-early` or `not-owed`; empty
    /// where there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The same as a sentence in Chinese.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why_zh: String,
    /// The same in English.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why_en: String,
    /// Of a rate: what stands above the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<String>,
    /// Of a rate: what stands below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// The part of the value that another member's record confirms; absent where nobody could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<String>,
    /// `met`, `missed`, `open` (not yet, and there is time), `unknown` or `no-target`.
    pub verdict: String,
    /// The verdict in Chinese.
    pub verdict_zh: String,
    /// The verdict in English.
    pub verdict_en: String,
    /// Members that stated something that it looks at.
    pub members_counted: usize,
    /// Members that could have.
    pub members_due: usize,
    /// Records that contribute.
    pub records: usize,
    /// Records that lack the figure or the date.
    pub unknown: usize,
    /// Records whose figure must not be added, for instance because it is cumulative.
    pub left_out: usize,
    /// Records of what another record states already.
    pub duplicates: usize,
    /// Where the value is the smallest of several: each with its value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<IndicatorGroup>,
    /// Where it was published last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedFigure>,
    /// Objections to what was published, the oldest first: of those that are not answered and all to the last bulletin the
    /// first ones, those of every member in turn; 3 in a list, 100 with one indicator. Long texts are cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objections: Vec<ObjectionView>,
    /// How many such objections there are.
    #[serde(default)]
    pub objections_total: usize,
}

/// One of several of which the smallest counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IndicatorGroup {
    /// What it is called.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A figure as a bulletin published it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublishedFigure {
    /// Label of the bulletin.
    pub bulletin: String,
    /// The time that the bulletin speaks of.
    pub as_of_ms: u64,
    /// The value, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// One indicator and the records that it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IndicatorEvidenceView {
    /// The time that it speaks of.
    pub as_of_ms: u64,
    /// Version of the charter.
    pub charter_version: u32,
    /// Digest of the frontier.
    pub digest: String,
    /// Version of the definitions.
    pub rules_version: u32,
    /// Whether everything that this node holds is in it.
    pub complete: bool,
    /// Bodies of entries that count and that are not here.
    #[serde(default)]
    pub missing_bodies: u64,
    /// The indicator.
    pub indicator: IndicatorView,
    /// The records that contribute, in the order of their ids, 1,000 at most.
    pub evidence: Vec<EvidenceView>,
    /// How many there are.
    pub total: usize,
}

/// A record that contributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
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
    /// `value`, or of a rate `above`, `below` or `both`.
    pub part: String,
    /// What it adds.
    pub amount: String,
    /// Whether another member's record confirms it.
    pub confirmed: bool,
}

/// What to publish.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishBulletin {
    /// The time that it is to speak of, in the past; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of_ms: Option<u64>,
    /// Its own number, for instance `2026Q3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Bulletins, the last first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulletinsView {
    /// The bulletins, without their figures, 100 at most.
    pub bulletins: Vec<BulletinView>,
    /// How many there are.
    pub total: usize,
}

/// A bulletin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulletinView {
    /// Its id.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Its title.
    pub title: String,
    /// Who published it.
    pub author: MemberName,
    /// When, by its author's clock.
    pub published_ms: u64,
    /// The time that it speaks of.
    pub as_of_ms: u64,
    /// Version of the charter that it names.
    pub charter_version: u32,
    /// Digest of the frontier that it names.
    pub digest: String,
    /// Version of the definitions.
    pub rules_version: u32,
    /// Entries that it rests on.
    pub entries: u64,
    /// Objections to it that are not answered.
    pub objections_open: usize,
    /// Why it cannot be read, if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// Its figures; empty in a list of bulletins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<BulletinFigure>,
}

/// One figure of a bulletin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulletinFigure {
    /// The indicator.
    pub code: String,
    /// Its Chinese name, if it is known here.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// Its unit.
    pub unit: String,
    /// The value, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The part that others confirm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<String>,
    /// Members counted.
    pub members_counted: usize,
    /// Members due.
    pub members_due: usize,
    /// Records that lack the figure.
    pub unknown: usize,
    /// Records that contribute.
    pub records: usize,
    /// Objections to it, the oldest first: the first ones of every member in turn, 10 at most. Long texts are cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objections: Vec<ObjectionView>,
    /// How many there are.
    #[serde(default)]
    pub objections_total: usize,
}

/// An objection to a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObjectionView {
    /// Its id.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Label of the bulletin.
    pub bulletin: String,
    /// The indicator.
    pub code: String,
    /// Who objects.
    pub by: MemberName,
    /// Why.
    pub text: String,
    /// When, by its author's clock.
    pub made_ms: u64,
    /// How often it was stated: more than once when it was revised.
    #[serde(default)]
    pub versions: usize,
    /// When it was revised last, if it was; the text is that of the last version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revised_ms: Option<u64>,
    /// The answer, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerView>,
}

/// The answer to an objection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswerView {
    /// Label of the answer.
    pub label: String,
    /// Who answers.
    pub by: MemberName,
    /// What is answered.
    pub text: String,
    /// What came of the objection: `采纳`, `不采纳` or `更正公报`, if it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// When, by its author's clock.
    pub made_ms: u64,
    /// When the answer was revised last, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revised_ms: Option<u64>,
    /// Whether the objection was revised after it was answered: then the answer is to an earlier text.
    #[serde(default)]
    pub before_revision: bool,
}

/// What this node finds when it computes a bulletin again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VerificationView {
    /// The bulletin, without its figures.
    pub bulletin: BulletinView,
    /// `equal`; `late`: equal at its frontier, and records dated before its time have arrived since; `differs`; or `cannot`
    /// when this node lacks what is needed.
    pub verdict: String,
    /// The verdict in Chinese.
    pub verdict_zh: String,
    /// The verdict in English.
    pub verdict_en: String,
    /// Figures that were computed again.
    pub recomputed: usize,
    /// What differs.
    pub differences: Vec<DifferenceView>,
    /// What this node lacks to compute it again at the bulletin's heads.
    pub missing: Vec<DifferenceView>,
    /// Figures that are others with what is dated before the bulletin's time and came later, so far as can be told.
    #[serde(default)]
    pub late: Vec<DifferenceView>,
    /// How many records that are.
    #[serde(default)]
    pub late_records: usize,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DifferenceView {
    /// `value`, `confirmed`, `coverage`, `unknown`, `records`, `set`, `omitted`, `charter`, `frontier`, `rules`,
    /// `kinds`, `indicator`, `layout`, `log`, `proofs`, `bodies` or `late`.
    pub what: String,
    /// The indicator, if it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the bulletin says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<String>,
    /// What this node finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The records that it is about, by label (or id where there is none), 20 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}
