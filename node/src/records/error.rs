//! Every refusal by name, with what is wrong and the way out in both languages.

use protocol::bytes::LayoutError;
use protocol::charter::Class;
use protocol::identity::{ContentHash, EntryId, MemberNumber};
use protocol::kind::RuleBroken;
use protocol::kind::condition::Unmet;
use protocol::kind::filter::FilterError;
use protocol::kind::lifecycle::Illegal;
use protocol::sealed::SealError;
use protocol::view::Label;
use thiserror::Error;

use super::words::Words;
use super::{CANDIDATES_MAX, REFUSALS_SHOWN_MAX};
use crate::api::types::{Problem, ProblemDetail};
use crate::confidential::Closed;
use crate::core::PublishError;

/// Why a record cannot be published, changed or found. One variant for each rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// The kind set of this build has no such kind.
    #[error("no such kind")]
    KindUnknown {
        /// What was given.
        given: String,
        /// The kinds that there are.
        known: String,
    },
    /// The charter does not name the kinds in use.
    #[error("the charter does not name the kinds in use")]
    KindSetUnknown {
        /// The hash of the set in use.
        hash: ContentHash,
        /// The kind, in Chinese.
        kind_zh: String,
        /// The kind, in English.
        kind_en: String,
    },
    /// A statement that names another kind set than the one it was checked under.
    #[error("the statement names kind set {found}")]
    KindSetOther {
        /// What it names.
        found: u16,
        /// What records of this kind are stated under here.
        version: u16,
    },
    /// Members of this class do not write this kind.
    #[error("this class does not write this kind")]
    WriterClass {
        /// The kind, in Chinese.
        kind_zh: String,
        /// The kind, in English.
        kind_en: String,
        /// The class, in Chinese.
        class_zh: &'static str,
        /// The class, in English.
        class_en: &'static str,
    },
    /// The bytes are no statement.
    #[error("no statement: {0}")]
    Layout(#[from] LayoutError),
    /// The kind has no such field.
    #[error("no such field")]
    FieldUnknown {
        /// What was given.
        field: String,
        /// The kind, in Chinese.
        kind_zh: String,
        /// The kind, in English.
        kind_en: String,
        /// The fields that there are.
        known: String,
    },
    /// Two names of one field, or a field that is both set and cleared.
    #[error("a field is named twice")]
    FieldTwice {
        /// The field, in Chinese.
        field_zh: String,
        /// The field, in English.
        field_en: String,
    },
    /// A revision that sets a field to nothing.
    #[error("a field is set to nothing")]
    FieldBlank {
        /// The field, in Chinese.
        field_zh: String,
        /// The field, in English.
        field_en: String,
    },
    /// Rules of the kind are broken.
    #[error("{} rules of the kind are broken", .0.len())]
    Fields(Vec<RuleBroken>),
    /// The own number and the field that holds it say different things.
    #[error("own number and field disagree")]
    ExternalMismatch {
        /// The own number.
        external: String,
        /// What the field says.
        field: String,
    },
    /// A revision of the field that holds the own number.
    #[error("the own number does not change")]
    ExternalFixed,
    /// A revision or confirmation of a bulletin of figures, which stands as it was signed.
    #[error("a bulletin does not change")]
    BulletinFixed,
    /// A record of this member and kind has that number already.
    #[error("the own number is taken")]
    ExternalExists {
        /// The number.
        external: String,
        /// The record that has it.
        label: String,
    },
    /// Two creates of one request have one number.
    #[error("the own number occurs twice in the request")]
    ExternalTwice {
        /// The number.
        external: String,
    },
    /// A change of state that the lifecycle does not allow as things are.
    #[error("the state may not go from `{}` to `{}`", .illegal.from_en, .illegal.to_en)]
    Lifecycle {
        /// The field that holds the state, in Chinese.
        field_zh: String,
        /// The same in English.
        field_en: String,
        /// From where to where, and all that is missing.
        illegal: Box<Illegal>,
    },
    /// There is no such record.
    #[error("no such record")]
    NotFound {
        /// What was given.
        reference: String,
    },
    /// Several records go by that name.
    #[error("several records go by that name")]
    Ambiguous {
        /// What was given.
        reference: String,
        /// Label, kind and id of each.
        candidates: Vec<Candidate>,
    },
    /// The record is another member's.
    #[error("the record is another member's")]
    NotOwner {
        /// The record.
        label: String,
    },
    /// The record is of another kind than the statement says.
    #[error("the record is of another kind")]
    KindOther {
        /// The record.
        label: String,
    },
    /// The record was withdrawn.
    #[error("the record was withdrawn")]
    Withdrawn {
        /// The record.
        label: String,
    },
    /// The record was erased.
    #[error("the record was erased")]
    Erased {
        /// The record.
        label: String,
        /// By whom, in Chinese.
        by_zh: String,
        /// By whom, in English.
        by_en: String,
    },
    /// No entry of that id is here.
    #[error("no such entry")]
    EntryUnknown {
        /// The id.
        id: EntryId,
    },
    /// An entry of the system, which others depend on.
    #[error("the entry states no record")]
    NotErasable {
        /// The id.
        id: EntryId,
    },
    /// Nothing is left to erase.
    #[error("nothing to erase")]
    NothingToErase,
    /// A statement about the record is not here, so nobody knows how it stands.
    #[error("a part of the record is not here")]
    Incomplete {
        /// The record.
        id: EntryId,
    },
    /// A revision that changes nothing.
    #[error("nothing to change")]
    NothingToChange,
    /// The record must not leave this node.
    #[error("the record must not leave this node")]
    Withheld {
        /// The field that decided, in Chinese.
        field_zh: String,
        /// The field that decided, in English.
        field_en: String,
        /// Why, in Chinese.
        zh: String,
        /// Why, in English.
        en: String,
    },
    /// Records of this kind stay on their author's node.
    #[error("records of this kind stay on this node")]
    KindLocal {
        /// The kind, in Chinese.
        kind_zh: String,
        /// The kind, in English.
        kind_en: String,
    },
    /// What is for this node alone is not published.
    #[error("what is for this node alone is not published")]
    ReadersLocal,
    /// Readers that cannot be read.
    #[error("no readers: {given}")]
    Readers {
        /// What was given.
        given: String,
    },
    /// Parties that cannot be read.
    #[error("no parties: {given}")]
    Parties {
        /// What was given.
        given: String,
    },
    /// Parties of a kind without confidential fields.
    #[error("the kind has no confidential fields")]
    PartiesNone {
        /// The kind, in Chinese.
        kind_zh: String,
        /// The kind, in English.
        kind_en: String,
    },
    /// Parties of a record that is sealed as a whole.
    #[error("the record is sealed as a whole and has readers, not parties")]
    PartiesOfWhole,
    /// Nobody is among the readers.
    #[error("there is nobody among the readers")]
    ReadersNobody {
        /// The readers, in Chinese.
        readers: String,
    },
    /// More readers than one document is sealed for.
    #[error("{found} readers, above the bound of {bound}")]
    ReadersTooMany {
        /// How many.
        found: usize,
        /// The most that there can be.
        bound: usize,
    },
    /// A reader that is no active member, or has no encryption key.
    #[error("member {member} cannot be a reader")]
    ReaderWithoutKey {
        /// The member.
        member: MemberNumber,
    },
    /// A class so large that it needs a class key.
    #[error("the class needs a class key")]
    ClassKeyNeeded {
        /// The class.
        class: Class,
    },
    /// A statement that brings a sealed part of its own.
    #[error("the statement brings a sealed part of its own")]
    SealedGiven,
    /// The confidential part of the record does not open here.
    #[error("the confidential part does not open: {}", .closed.en())]
    ClosedHere {
        /// The record.
        label: String,
        /// Why.
        closed: Closed,
    },
    /// It cannot be sealed.
    #[error("it cannot be sealed: {0}")]
    Sealing(SealError),
    /// A condition that cannot be read.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A condition without a kind.
    #[error("a condition needs a kind")]
    FilterKind,
    /// A cursor that no page gave out.
    #[error("no such cursor")]
    Cursor,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Randomness,
    /// The writer refuses.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// One of several records that a reference can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The record.
    pub id: EntryId,
    /// Its label.
    pub label: Label,
    /// Its kind, in English.
    pub kind: String,
    /// Its kind, in Chinese.
    pub kind_zh: String,
}

impl RecordError {
    /// The stable identifier.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KindUnknown { .. } => "kind-unknown",
            Self::KindSetUnknown { .. } => "kind-set-unknown",
            Self::KindSetOther { .. } => "kind-set-other",
            Self::WriterClass { .. } => "writer-class",
            Self::Layout(_) => "statement-layout",
            Self::FieldUnknown { .. } => "field-unknown",
            Self::FieldTwice { .. } => "field-twice",
            Self::FieldBlank { .. } => "field-blank",
            Self::Fields(broken) => broken.first().map_or("fields", |broken| broken.rule.id()),
            Self::ExternalMismatch { .. } => "external-mismatch",
            Self::ExternalFixed => "external-fixed",
            Self::BulletinFixed => "bulletin-fixed",
            Self::ExternalExists { .. } | Self::ExternalTwice { .. } => "external-exists",
            Self::Lifecycle { .. } => "lifecycle",
            Self::NotFound { .. } => "not-found",
            Self::Ambiguous { .. } => "ambiguous",
            Self::NotOwner { .. } => "not-owner",
            Self::KindOther { .. } => "kind-other",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Erased { .. } => "erased",
            Self::EntryUnknown { .. } => "entry-unknown",
            Self::NotErasable { .. } => "not-erasable",
            Self::NothingToErase => "nothing-to-erase",
            Self::Incomplete { .. } => "incomplete",
            Self::NothingToChange => "nothing-to-change",
            Self::Withheld { .. } => "withheld",
            Self::KindLocal { .. } => "kind-local",
            Self::ReadersLocal => "readers-local",
            Self::Readers { .. } => "readers-unreadable",
            Self::Parties { .. } => "parties-unreadable",
            Self::PartiesNone { .. } => "parties-none",
            Self::PartiesOfWhole => "parties-of-whole",
            Self::ReadersNobody { .. } => "readers-nobody",
            Self::ReadersTooMany { .. } => "readers-too-many",
            Self::ReaderWithoutKey { .. } => "reader-without-key",
            Self::ClassKeyNeeded { .. } => "class-key-needed",
            Self::SealedGiven => "sealed-given",
            Self::ClosedHere { .. } => "closed-here",
            Self::Sealing(_) => "sealing",
            Self::Filter(_) => "filter",
            Self::FilterKind => "filter-kind",
            Self::Cursor => "cursor",
            Self::Randomness => "randomness",
            Self::Publish(error) => publish_code(error),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Filter(_) | Self::FilterKind | Self::Cursor => 400,
            Self::WriterClass { .. }
            | Self::NotOwner { .. }
            | Self::Withheld { .. }
            | Self::KindLocal { .. }
            | Self::ReadersLocal => 403,
            Self::NotFound { .. } | Self::EntryUnknown { .. } => 404,
            Self::Erased { .. } => 410,
            Self::ExternalExists { .. }
            | Self::ExternalTwice { .. }
            | Self::Withdrawn { .. }
            | Self::NothingToErase
            | Self::Ambiguous { .. }
            | Self::KindSetUnknown { .. }
            | Self::ClassKeyNeeded { .. }
            | Self::ClosedHere { .. } => 409,
            Self::KindUnknown { .. }
            | Self::KindSetOther { .. }
            | Self::Layout(_)
            | Self::FieldUnknown { .. }
            | Self::FieldTwice { .. }
            | Self::FieldBlank { .. }
            | Self::Fields(_)
            | Self::ExternalMismatch { .. }
            | Self::ExternalFixed
            | Self::BulletinFixed
            | Self::KindOther { .. }
            | Self::NotErasable { .. }
            | Self::NothingToChange
            | Self::Lifecycle { .. }
            | Self::Readers { .. }
            | Self::Parties { .. }
            | Self::PartiesNone { .. }
            | Self::PartiesOfWhole
            | Self::ReadersNobody { .. }
            | Self::ReadersTooMany { .. }
            | Self::ReaderWithoutKey { .. }
            | Self::SealedGiven
            | Self::Sealing(_) => 422,
            Self::Randomness => 500,
            Self::Incomplete { .. } => 503,
            Self::Publish(error) => publish_status(error),
        }
    }

    /// The answer to whoever asked.
    pub fn problem(&self) -> Problem {
        let Words { zh, en, fix_zh, fix_en } = self.words();
        Problem { code: self.code().to_owned(), zh, en, fix_zh, fix_en, details: self.details() }
    }

    fn details(&self) -> Vec<ProblemDetail> {
        match self {
            Self::Fields(broken) => broken.iter().take(REFUSALS_SHOWN_MAX).map(field_detail).collect(),
            Self::Lifecycle { field_zh, illegal, .. } => {
                let detail = |unmet: &Unmet| ProblemDetail {
                    at: field_zh.clone(),
                    code: self.code().to_owned(),
                    zh: unmet.zh.clone(),
                    en: unmet.en.clone(),
                };
                illegal.missing.iter().take(REFUSALS_SHOWN_MAX).map(detail).collect()
            }
            Self::Ambiguous { candidates, .. } => {
                let detail = |candidate: &Candidate| ProblemDetail {
                    at: candidate.id.to_string(),
                    code: "candidate".to_owned(),
                    zh: format!("{} {}", candidate.kind_zh, candidate.label),
                    en: format!("{} {}", candidate.kind, candidate.label),
                };
                candidates.iter().take(CANDIDATES_MAX).map(detail).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// A broken rule as a detail of a problem.
pub fn field_detail(broken: &RuleBroken) -> ProblemDetail {
    ProblemDetail {
        at: broken.field_zh.to_string(),
        code: broken.rule.id().to_owned(),
        zh: broken.zh.clone(),
        en: broken.en.clone(),
    }
}

fn publish_code(error: &PublishError) -> &'static str {
    match error {
        PublishError::NotMember => "not-member",
        PublishError::KeySealed { .. } => "key-sealed",
        PublishError::Forked { .. } => "forked",
        PublishError::WaitingForPeers => "waiting-for-peers",
        PublishError::ClockBehind { .. } | PublishError::ClockAhead { .. } => "clock",
        PublishError::Entry { .. } => "entry",
        PublishError::Store { disk_full: true, .. } => "disk-full",
        PublishError::Store { .. } => "store",
        PublishError::Closed => "closing",
    }
}

fn publish_status(error: &PublishError) -> u16 {
    match error {
        PublishError::NotMember | PublishError::KeySealed { .. } | PublishError::Forked { .. } => 403,
        PublishError::WaitingForPeers
        | PublishError::ClockBehind { .. }
        | PublishError::ClockAhead { .. }
        | PublishError::Closed => 503,
        PublishError::Entry { .. } => 422,
        PublishError::Store { disk_full: true, .. } => 507,
        PublishError::Store { .. } => 500,
    }
}
