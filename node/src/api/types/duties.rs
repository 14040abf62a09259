//! What the HTTP API says of duties: who owes what by when, and how it was performed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MemberName;

/// A record by which a duty was performed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyEvidence {
    /// Id of the record.
    pub record: String,
    /// Its label, for instance `42-7`.
    pub label: String,
    /// English name of its kind.
    pub kind: String,
    /// Chinese name of its kind.
    pub kind_zh: String,
    /// Id of the entry that says so.
    pub entry: String,
    /// When its author says that it was made, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// Whether it says that nothing changed.
    pub no_change: bool,
}

/// How a duty was performed in one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyPeriodView {
    /// The period: `2026-02`, `2026-W07`, `2026Q1`, `2026H1`, `2026`; for a duty that runs from its last performance on,
    /// the days from and until.
    pub period: String,
    /// Its begin, in milliseconds since 1970 (UTC).
    pub start_ms: u64,
    /// Its end: the first millisecond behind it.
    pub end_ms: u64,
    /// When it is overdue: its end, and the days of grace that the rule gives.
    pub due_ms: u64,
    /// `met`, `met_no_change`, `late`, `due`, `overdue`, `escalated`, `exempt` or `not_computable`.
    pub state: String,
    /// The same in Chinese.
    pub state_zh: String,
    /// Records by which it was performed in time.
    pub counted: u64,
    /// Of statements in time, those that say that nothing changed.
    pub no_change: u64,
    /// Of records that came after the time was over, those that count for it.
    pub late: u64,
    /// What the records add up to, where the rule asks for a sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
    /// The first of the records, and how it was said that nothing changed.
    pub evidence: Vec<DutyEvidence>,
    /// Why it is exempt or cannot be computed, in Chinese; empty otherwise.
    pub why_zh: String,
    /// The same in English.
    pub why_en: String,
}

/// How one member, or one organ of the federation, stands with one duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyItem {
    /// The duty, for instance `YW001`.
    pub rule: String,
    /// Who owes it; absent for the assembly, the council and the alliance as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberName>,
    /// Class of the member; empty without one.
    pub class: String,
    /// Division code of the member; may be empty.
    pub region: String,
    /// Who owes it, in Chinese: the member, or the organ, or the body inside the county.
    pub bearer_zh: String,
    /// The same in English.
    pub bearer_en: String,
    /// How it stands: what the period that was judged last came to; where there is none, the running one.
    pub state: String,
    /// The same in Chinese.
    pub state_zh: String,
    /// The period that was judged last: its time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<DutyPeriodView>,
    /// The period that runs, or whose days of grace do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<DutyPeriodView>,
    /// When it must be performed next; absent when nothing is owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_ms: Option<u64>,
    /// Periods in a row, up to the one judged last, that went by without performance.
    pub missed: u32,
    /// When it was last performed, by the author's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<u64>,
}

/// A rule and how those stand who owe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyRuleView {
    /// The rule, for instance `YW001`.
    pub rule: String,
    /// Who owes it, in Chinese.
    pub bearer_zh: String,
    /// The same in English.
    pub bearer_en: String,
    /// What is owed, in Chinese.
    pub content_zh: String,
    /// The same in English.
    pub content_en: String,
    /// How often: `week`, `month`, `quarter`, `half_year`, `year`, `two_years`, `three_years`, `once` or `ongoing`.
    pub period: String,
    /// The same in Chinese, as the source writes it.
    pub frequency_zh: String,
    /// At least so much in a period, with its unit; empty where the source gives no figure.
    pub required: String,
    /// By when, in Chinese.
    pub deadline_zh: String,
    /// What follows, in Chinese, as the source says.
    pub consequence_zh: String,
    /// Further periods without performance after which it is escalated; absent where it never is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_after: Option<u32>,
    /// Why it cannot be computed from records, in Chinese; empty when it can.
    pub not_computable_zh: String,
    /// The same in English.
    pub not_computable_en: String,
    /// Whether its bearer performs it by saying that nothing changed.
    pub by_unchanged: bool,
    /// Where it is laid down.
    pub source: String,
    /// The period that was judged last; empty when there is none.
    pub ended_period: String,
    /// How those who owe it stand.
    pub counts: DutyCounts,
}

/// How many stand how. The first eight add up to all who are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyCounts {
    /// Performed in time.
    pub met: u64,
    /// Performed in time by saying that nothing changed.
    pub met_no_change: u64,
    /// Performed after the time was over.
    pub late: u64,
    /// Nothing was to be judged yet, and the first period runs.
    pub due: u64,
    /// Not performed.
    pub overdue: u64,
    /// Not performed, and the further periods that the rule names neither.
    pub escalated: u64,
    /// Not owed.
    pub exempt: u64,
    /// Cannot be told from records.
    pub not_computable: u64,
    /// Beside these: in the running period, not performed yet.
    pub running_due: u64,
}

/// Duties as they stand at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutiesView {
    /// The time of the question, in milliseconds since 1970 (UTC).
    pub as_of_ms: u64,
    /// Version of the rules.
    pub rules_version: u32,
    /// BLAKE3 of the rules.
    pub rules_hash: String,
    /// Whether the charter names these rules: `these`, `others` (this build is too old or too new), or `none` where it
    /// names no rules.
    pub charter_rules: String,
    /// Version of the charter.
    pub charter_version: u32,
    /// Digest of the frontier. Nodes with the same frontier say the same of the same time.
    pub frontier: String,
    /// Whether every record was looked at since the node started; if not, ask again soon.
    pub complete: bool,
    /// How all stand, over the rules that were asked for.
    pub counts: DutyCounts,
    /// The rules that were asked for, each with its counts.
    pub rules: Vec<DutyRuleView>,
    /// Members and organs, each with each of its duties, as asked for: by member, then by rule; organs first.
    pub items: Vec<DutyItem>,
}

/// A duty of the own member for which it was said that nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnchangedItem {
    /// The duty.
    pub rule: String,
    /// What is owed, in Chinese.
    pub content_zh: String,
    /// The period.
    pub period: String,
    /// `stated`: it was published now. `already_done`: the period is performed. `exempt`: nothing is owed in the period.
    /// `cannot_tell`: records cannot tell whether it is performed.
    /// `not_by_statement`: to say that nothing changed does not perform this duty.
    pub outcome: String,
    /// The same in Chinese.
    pub outcome_zh: String,
    /// The record that says so; absent unless it was stated now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What became of "nothing changed".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnchangedView {
    /// The time of the statement, in milliseconds since 1970 (UTC).
    pub as_of_ms: u64,
    /// How many statements were published, durably.
    pub stated: u64,
    /// Each duty of this node's member.
    pub duties: Vec<UnchangedItem>,
}

/// Records that are still true.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRecords {
    /// The records, by label, own number or id.
    pub records: Vec<String>,
}
