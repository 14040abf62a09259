//! What the HTTP API says of an audit.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MemberName;

/// What an audit went through, and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    /// Charter blocks that were verified.
    pub blocks: u64,
    /// Entries whose signatures were verified.
    pub entries: u64,
    /// Bodies that were compared with what was signed.
    pub bodies: u64,
    /// Entries of the journal that were verified.
    pub journalled: u64,
    /// Every difference, once.
    pub findings: Vec<AuditFinding>,
}

/// One difference that an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditFinding {
    /// A stable word: `body-altered`, `header-altered`, `missing`, `chain-broken`, `claim-unfounded`, `body-missing`,
    /// `rule-broken`, `journal-differs` or `unreadable`.
    pub fault: String,
    /// What it is about: `block`, `entry`, `head`, `proof`, `rival`, `journal` or `database`.
    pub subject: String,
    /// Number of the log.
    pub log: Option<u32>,
    /// The first sequence, or the version of a block.
    pub from: Option<u64>,
    /// The last sequence.
    pub to: Option<u64>,
    /// Whose log it is.
    pub member: Option<MemberName>,
    /// In words, Chinese.
    pub zh: String,
    /// In words, English.
    pub en: String,
}
