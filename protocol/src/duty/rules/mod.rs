//! The rules of duties as data: `duties/rules.toml`, read and checked. What passes here is never checked again.

mod raw;
mod read;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::calendar::{Cycle, Span};
use crate::charter::{Class, Role};
use crate::identity::ContentHash;
use crate::kind::KindSet;
use crate::kind::condition::Condition;
use crate::rules::{RulesError, content_hash};

/// The rules of this build.
const FILE: &str = include_str!("../../../duties/rules.toml");
/// Their name in errors.
const FILE_NAME: &str = "duties/rules.toml";
/// Milliseconds in a day.
const DAY_MS: u64 = 86_400_000;

static BUILTIN: LazyLock<Rules> = LazyLock::new(|| {
    Rules::parse(FILE, KindSet::builtin()).expect("the embedded rules are checked by the tests of this module")
});

/// The rules, checked against a set of kinds.
#[derive(Debug, Clone)]
pub struct Rules {
    version: u32,
    hash: ContentHash,
    duties: Vec<Duty>,
    /// The duties that statements of a kind can perform, with the ways: by kind, in the order of the file.
    by_kind: BTreeMap<u16, Vec<(DutyIndex, Vec<Way>)>>,
}

/// A duty by its place in the file.
pub(super) type DutyIndex = u16;

/// One duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// `YW001`.
    pub id: String,
    /// The requirement, for instance `C01`.
    pub requirement: String,
    /// Who owes it.
    pub bearer: Bearer,
    /// The same as the source writes it.
    pub bearer_zh: String,
    /// The same in English.
    pub bearer_en: String,
    /// What is owed.
    pub content_zh: String,
    /// The same in English.
    pub content_en: String,
    /// How often.
    pub cycle: Cycle,
    /// The same as the source writes it.
    pub frequency_zh: String,
    /// How many records a period needs, if the source gives a figure.
    pub at_least: Option<u32>,
    /// What they are counted in.
    pub unit_zh: String,
    /// The same in English.
    pub unit_en: String,
    /// When it is overdue.
    pub due: Due,
    /// The same as the source writes it.
    pub deadline_zh: String,
    /// The same in English.
    pub deadline_en: String,
    /// Further periods without performance after which it is escalated.
    pub escalated_after: Option<u32>,
    /// What follows, as the source says.
    pub consequence_zh: String,
    /// The same in English.
    pub consequence_en: String,
    /// Where it is laid down.
    pub source: String,
    /// What a field of the records must add up to beside their number.
    pub sum: Option<Sum>,
    /// How it is judged.
    pub judged: Judged,
    /// Whether what is not on record may have been done all the same.
    pub silence_is_unknown: bool,
    /// How its bearer says that nothing changed.
    pub unchanged: Option<Unchanged>,
    /// The Chinese names of the kinds by whose records it is performed.
    pub kinds: Vec<String>,
    /// Whether it counts who performs it whichever bearer it is: a joint duty, or one of an organ.
    pub is_joint: bool,
}

/// Who owes a duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// Every member of a class.
    Class(Class),
    /// The county members of these divisions, for a body inside each of them.
    Divisions(Vec<String>),
    /// The federation itself.
    Organ(Organ),
}

/// An organ of the federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Organ {
    /// 成员大会.
    Assembly,
    /// 理事会.
    Council,
    /// 秘书处.
    Secretariat,
    /// 联盟.
    Alliance,
}

impl Organ {
    /// The name in rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Assembly => "assembly",
            Self::Council => "council",
            Self::Secretariat => "secretariat",
            Self::Alliance => "alliance",
        }
    }
}

/// When a period is over as far as the duty is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// So many days after its end.
    AfterEnd(u16),
    /// So many days after its start.
    AfterStart(u16),
}

impl Due {
    /// The first millisecond at which a period without performance is overdue.
    pub fn due_ms(self, span: Span) -> u64 {
        let (from_ms, days) = match self {
            Self::AfterEnd(days) => (span.end_ms, days),
            Self::AfterStart(days) => (span.start_ms, days),
        };
        from_ms.saturating_add(u64::from(days) * DAY_MS)
    }
}

/// What a field of the records of a period must add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The field's name, the same in every kind that counts.
    pub field: String,
    /// How much.
    pub at_least: u32,
    /// Its unit.
    pub unit_zh: String,
    /// The same in English.
    pub unit_en: String,
}

/// How a duty is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// By the records of each period of the calendar.
    ByPeriod,
    /// By the records, from the last performance on.
    Rolling,
    /// By the terms of seats in the charter.
    BySeats(Role),
    /// Not at all; why.
    NotComputable {
        /// In Chinese.
        zh: String,
        /// In English.
        en: String,
    },
}

/// The kind of record by which it is said that nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// A receipt of the member about itself (kind `duty_receipt`).
    Receipt,
    /// A weekly bulletin (kind `bulletin`).
    Bulletin,
}

/// What a statement does, as far as duties ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Create,
    Revise,
    Withdraw,
    /// A revision that changes nothing.
    Confirm,
}

impl Doing {
    const ALL: [(&'static str, Self); 4] =
        [("create", Self::Create), ("revise", Self::Revise), ("withdraw", Self::Withdraw), ("confirm", Self::Confirm)];
}

/// One way to perform a duty by a statement about a record of one kind.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) doings: Vec<Doing>,
    pub(super) no_change: bool,
    pub(super) named_by: Option<u16>,
    pub(super) about: Option<u16>,
    pub(super) authors: Vec<Class>,
    pub(super) conditions: Vec<Condition>,
    /// The field that is added up.
    pub(super) amount: Option<u16>,
}

impl Rules {
    /// The rules of this build, checked against its kinds.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Reads and checks rules.
    pub fn parse(content: &str, kinds: &KindSet) -> Result<Self, RulesError> {
        let raw: raw::RulesFile = toml::from_str(content).map_err(RulesError::syntax(FILE_NAME))?;
        let hash = content_hash(content);
        read::read(raw, hash, kinds).map_err(|(place, rule)| RulesError::Rule { file: FILE_NAME, place, rule })
    }

    /// The version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// BLAKE3 of the file, lines ended by a line feed.
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// The duties in the order of the file.
    pub fn duties(&self) -> &[Duty] {
        &self.duties
    }

    /// The duty of an id.
    pub fn duty(&self, id: &str) -> Option<&Duty> {
        self.duties.iter().find(|duty| duty.id == id)
    }

    /// Whether records of a kind can perform some duty.
    pub fn knows(&self, kind: u16) -> bool {
        self.by_kind.contains_key(&kind)
    }

    pub(super) fn index_of(&self, id: &str) -> Option<DutyIndex> {
        let index = self.duties.iter().position(|duty| duty.id == id)?;
        DutyIndex::try_from(index).ok()
    }

    pub(super) fn ways(&self, kind: u16) -> &[(DutyIndex, Vec<Way>)] {
        self.by_kind.get(&kind).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Duty {
    /// Why it cannot be computed from records, in Chinese and English.
    pub fn why_not(&self) -> Option<(&str, &str)> {
        match &self.judged {
            Judged::NotComputable { zh, en } => Some((zh, en)),
            _ => None,
        }
    }

    /// How many records a period needs: one where the source gives no figure.
    pub fn needed(&self) -> u64 {
        u64::from(self.at_least.unwrap_or(1))
    }
}
