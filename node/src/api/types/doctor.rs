//! What the HTTP API says of faults: findings of `doctor`, alarms, readiness, and the log of logins and writes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MemberName, ProblemDetail};

/// How bad something is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is wrong.
    #[default]
    Ok,
    /// It works, and somebody should look after it.
    Warning,
    /// Something does not work, or soon will not.
    Critical,
}

impl Severity {
    /// The word in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The word for people, in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Ok => "正常",
            Self::Warning => "注意",
            Self::Critical => "严重",
        }
    }
}

/// Something that is wrong, why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// Stable id of the check, for instance `disk-full`. `docs/DOCTOR.md` lists all of them.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a path, an address, a member; empty for the node itself.
    pub subject: String,
    /// Since when this node has known it, by its clock.
    pub since_ms: u64,
    /// What was found, in Chinese.
    pub what_zh: String,
    /// What was found, in English.
    pub what_en: String,
    /// The usual cause, in Chinese.
    pub cause_zh: String,
    /// The usual cause, in English.
    pub cause_en: String,
    /// What to do, in Chinese.
    pub fix_zh: String,
    /// What to do, in English.
    pub fix_en: String,
}

/// What a node finds wrong with itself and its surroundings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoctorView {
    /// When it was looked at.
    pub as_of_ms: u64,
    /// The worst of the findings; `ok` when there is none.
    pub severity: Severity,
    /// Whether the node runs. The API always says so; the command may not.
    pub running: bool,
    /// Ids of the checks that were made.
    pub checked: Vec<String>,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
}

/// A finding that is watched: raised when it appears, cleared when it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alarm {
    /// Stable id of the check.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about; empty for the node itself.
    pub subject: String,
    /// Which part of the node found it: `doctor`, `health`, `custody`, `duties`.
    pub source: String,
    /// Since when.
    pub since_ms: u64,
    /// When it was gone; absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_ms: Option<u64>,
    /// What was found, in Chinese.
    pub what_zh: String,
    /// What was found, in English.
    pub what_en: String,
    /// What to do, in Chinese.
    pub fix_zh: String,
    /// What to do, in English.
    pub fix_en: String,
}

/// Where alarms are sent, without what could be secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookView {
    /// Scheme, host and port; paths and queries may hold secrets and are left out.
    pub target: String,
    /// Messages that were taken.
    pub delivered: u64,
    /// Messages that were given up.
    pub given_up: u64,
    /// Messages that wait.
    pub waiting: usize,
    /// When the last one was taken.
    pub delivered_ms: Option<u64>,
    /// Why the last attempt failed; absent after a success.
    pub error: Option<String>,
}

/// Alarms of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlarmsView {
    /// When they were looked at last.
    pub as_of_ms: u64,
    /// The worst that lasts; `ok` when there is none.
    pub severity: Severity,
    /// Alarms that last, the worst and oldest first.
    pub alarms: Vec<Alarm>,
    /// Alarms that are gone, the latest first; a bounded number.
    pub cleared: Vec<Alarm>,
    /// Where alarms are sent.
    pub webhooks: Vec<WebhookView>,
}

/// What a webhook is told, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlarmMessage {
    /// Layout of the message: 1.
    pub version: u32,
    /// `raised` or `cleared`.
    pub event: String,
    /// When the process that sends it began to count. With `number` it names a message: a pair that was seen before is a
    /// repetition, and another `boot_ms` means that the node started again.
    pub boot_ms: u64,
    /// Counts up for each message of this process.
    pub number: u64,
    /// When it was made.
    pub time_ms: u64,
    /// Name of the federation.
    pub federation: String,
    /// Whose node it is; absent while it is no member's.
    pub member: Option<MemberName>,
    /// The alarm.
    pub alarm: Alarm,
}

/// Whether the node is ready to serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether it is.
    pub ready: bool,
    /// What is worth knowing all the same, for instance an index that is being built.
    pub notes: Vec<ProblemDetail>,
}

/// One line of the log of logins and writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessEntry {
    /// Counts up from 1, without gaps.
    pub sequence: u64,
    /// When, by this machine's clock.
    pub time_ms: u64,
    /// Who: `api` for a bearer of the API's token, `portal:NAME` for an account of the portal, `unknown`.
    pub actor: String,
    /// From where, as far as it is known: the whole address of a visitor of the portal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// `write` or `login`.
    pub action: String,
    /// HTTP method.
    pub method: String,
    /// Template of the route, for instance `/v1/records/{reference}/revise`.
    pub route: String,
    /// Label or id of what it was about, where the request names it.
    pub subject: String,
    /// `ok` or `refused`, and the HTTP status; `begun` before the portal writes.
    pub outcome: String,
    /// Hash of the line before.
    pub previous: String,
    /// Hash of this line, over everything else in it.
    pub hash: String,
}

/// A piece of the log of logins and writes, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessLogView {
    /// Lines that were written since the log began.
    pub length: u64,
    /// Hash of the last line. Whoever notes it elsewhere can later prove that nothing before it was changed.
    pub head: String,
    /// Why the log cannot be written, if it cannot.
    pub fault: Option<String>,
    /// The latest lines.
    pub entries: Vec<AccessEntry>,
}
