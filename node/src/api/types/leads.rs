//! What the HTTP API says of duplicate leads.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MemberName, Words};

/// The own leads that are looked for at others, and how the holders do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeadsView {
    /// The epoch; absent while the charter does not name two holders.
    pub epoch: Option<u32>,
    /// The holders that the charter names, by slot.
    pub holders: Vec<HolderView>,
    /// Whether leads that are published or kept here are looked for by themselves.
    pub by_itself: bool,
    /// Whom others are told to call.
    pub contact: String,
    /// The leads, by id.
    pub leads: Vec<LeadView>,
    /// What this node does as a holder; absent when it is none.
    pub holder: Option<HolderStatus>,
}

/// A holder, and how it stands between it and this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderView {
    /// 1 or 2.
    pub slot: u8,
    /// The member.
    pub member: MemberName,
    /// Its public key for this, hexadecimal.
    pub key: String,
    /// Evaluations for each member on one day in China.
    pub evaluations_per_day: u32,
    /// Leads that wait for it.
    pub waiting: usize,
    /// Why it was asked in vain the last time: `unreached`, `no-answer`, `quota`, `other-epoch`, `not-holder`, `busy`,
    /// `malformed`, `answer`, `wrong-key`, `randomness` or `book`.
    pub trouble: Option<String>,
    /// The same for people.
    pub words: Option<Words>,
    /// When it is asked again.
    pub again_ms: Option<u64>,
}

/// What this node does as a holder: figures only, since it does not see what is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderStatus {
    /// 1 or 2.
    pub slot: u8,
    /// Evaluations for each member on one day in China.
    pub evaluations_per_day: u32,
    /// When the day ends.
    pub day_ends_ms: u64,
    /// Members that asked, those that asked most today first.
    pub members: Vec<HolderMember>,
}

/// What a member asked a holder for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderMember {
    /// The member.
    pub member: MemberName,
    /// Evaluations today.
    pub today: u32,
    /// Evaluations ever.
    pub total: u64,
    /// Tokens of its that stand in its logs. Far fewer than evaluations: it asks for codes and does not say that it has
    /// the leads.
    pub tokens: u64,
    /// Whether it is near its quota of the day.
    pub near: bool,
}

/// A lead of this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeadView {
    /// Its id on this node.
    pub id: String,
    /// The credit code.
    pub code: String,
    /// Whether the check characters of the code are right; a wrong one finds nobody who wrote it rightly.
    pub code_checks: bool,
    /// The enterprise, if a document names it.
    pub enterprise: Option<String>,
    /// What others are told that it is called here; may be empty.
    pub reference: String,
    /// Labels of records, and `local:ID` of documents of this node, that state it.
    pub sources: Vec<String>,
    /// `no-holders`, `waiting-holder`, `stating`, `watched` or `ended`.
    pub state: String,
    /// The same in Chinese.
    pub state_zh: String,
    /// Holders that have not answered yet: 1, 2 or both.
    pub waiting_for: Vec<u8>,
    /// When it came into the book of leads.
    pub added_ms: u64,
    /// When its token was first stated.
    pub stated_ms: Option<u64>,
    /// Entry of its token.
    pub token: Option<String>,
    /// Other members that have it now.
    pub others: usize,
}

/// Another member has one of this node's leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeadNoticeView {
    /// Id of the lead on this node.
    pub lead: String,
    /// The credit code.
    pub code: String,
    /// The enterprise, if a document names it.
    pub enterprise: Option<String>,
    /// Documents of this member that state the lead.
    pub sources: Vec<String>,
    /// The other member.
    pub member: MemberName,
    /// Whom it wants to be called; empty when it took the lead back.
    pub contact: String,
    /// What it calls the lead; may be empty.
    pub reference: String,
    /// When this member entered the lead, by its own clock.
    pub own_entered_ms: u64,
    /// When this member stated its token.
    pub own_stated_ms: Option<u64>,
    /// When the other member entered it, by its own word.
    pub entered_ms: u64,
    /// When the other member stated its token, by its own clock.
    pub stated_ms: u64,
    /// Who was first, as far as both say: `own`, `other` or `same`. Times are claims of those who write them.
    pub first: String,
    /// When this node found it.
    pub found_ms: u64,
    /// Whether the other member took its token back.
    pub taken_back: bool,
}

/// Asks for one lead to be looked for: a record, a document of this node, or a credit code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckLead {
    /// A record of kind lead of this member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Id of a document of this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// A unified social credit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What this member calls it, beside a code; others who have the lead read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// What is known of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeadCheck {
    /// The lead; absent when the document states no credit code.
    pub lead: Option<LeadView>,
    /// Other members that have it.
    pub notices: Vec<LeadNoticeView>,
    /// Documents that may be about the same enterprise by its name; seen by this node alone, never merged.
    pub alike: Vec<AlikeView>,
    /// Whether there were more names than are looked at.
    pub names_left_out: bool,
}

/// A document that may be about the same enterprise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlikeView {
    /// Label of the record, or `local:ID`.
    pub label: String,
    /// Chinese name of its kind.
    pub kind_zh: String,
    /// Whose it is.
    pub owner: Option<MemberName>,
    /// The name of the enterprise there.
    pub name: String,
    /// Its industry codes.
    pub industries: Vec<String>,
    /// How alike the names are, in thousandths.
    pub likeness_permille: u16,
    /// Whether the industries meet; absent when one side names none.
    pub same_industry: Option<bool>,
}
