//! Definitions of indicators, read and checked.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_decimal::Decimal;

use super::file;
use super::span::Span;
use crate::charter::{Class, Role};
use crate::duty::calendar::months_after;
use crate::identity::ContentHash;
use crate::kind::condition::Condition;
use crate::kind::{KindSet, Period};
use crate::value::Date;

/// The definitions of this build.
const FILE: &str = include_str!("../../indicators/definitions.toml");

static BUILTIN: LazyLock<Definitions> = LazyLock::new(|| {
    file::parse(FILE, KindSet::builtin()).expect("the embedded definitions are checked by the tests of this module")
});

/// Every indicator, and the hash over all that decides what its figure is.
#[derive(Debug, Clone)]
pub struct Definitions {
    pub(super) version: u32,
    pub(super) hash: ContentHash,
    pub(super) indicators: Vec<Indicator>,
    /// The sources of each kind, by their slots.
    pub(super) by_kind: BTreeMap<u16, Vec<Source>>,
    /// Where the source of each slot stands in these.
    pub(super) places: Vec<(u16, usize)>,
}

/// One indicator.
#[derive(Debug, Clone)]
pub struct Indicator {
    /// Its code, for instance `ZB001`.
    pub code: String,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// Who is assessed.
    pub subject: String,
    /// How value and target are compared.
    pub comparator: Comparator,
    /// The target as the source has it.
    pub target: String,
    /// The unit.
    pub unit: String,
    /// The period as the source has it.
    pub period: String,
    /// Its nature as the source has it.
    pub nature: String,
    /// The formula as the source has it.
    pub formula: String,
    /// What the source leaves open.
    pub doubts: String,
    /// Where it comes from.
    pub source: String,
    /// Whether it is computed.
    pub basis: Basis,
    /// How, or why not, in Chinese.
    pub basis_zh: String,
    /// The same in English.
    pub basis_en: String,
    /// The beginning of the codes of the counties that it is about; empty for all members.
    pub(super) region: String,
    pub(super) target_figure: Option<Decimal>,
    pub(super) target_upper: Option<Decimal>,
    pub(super) due: Option<Due>,
    pub(super) span: Span,
    pub(super) members_due: Vec<Class>,
    pub(super) compute: Compute,
}

/// By when a target is to be reached, where the period of the figure does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// On a day.
    Day(Date),
    /// In every year anew.
    Year,
    /// So many months after the founding.
    Founding(u32),
    /// Nobody can tell: it runs from days that no record holds, so it is never over.
    Untold,
}

impl Due {
    pub(super) fn read(text: &str) -> Option<Self> {
        match (text, text.strip_prefix("founding+")) {
            ("year", _) => Some(Self::Year),
            ("untold", _) => Some(Self::Untold),
            (_, Some(months)) => months.parse().ok().map(Self::Founding),
            _ => Period::parse(text)?.last_day().map(Self::Day),
        }
    }

    /// The first millisecond behind it.
    pub(super) fn end_ms(self, founded_ms: u64, as_of_ms: u64) -> Option<u64> {
        match self {
            Self::Day(day) => Some(day.end_ms()),
            Self::Year => Some(Date::new(Date::of_ms(as_of_ms)?.year(), 12, 31)?.end_ms()),
            Self::Founding(months) => months_after(founded_ms, months),
            Self::Untold => Some(u64::MAX),
        }
    }
}

/// Whether a figure is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// From records and the charter.
    Computed,
    /// Data from outside, entered with a source.
    Entered,
    /// What it needs is not in any record that every member reads.
    NotComputable,
}

impl Basis {
    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Computed => "computed",
            Self::Entered => "entered",
            Self::NotComputable => "not-computable",
        }
    }
}

/// How value and target are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// ≥
    AtLeast,
    /// >
    MoreThan,
    /// ≤
    AtMost,
    /// <
    LessThan,
    /// =
    Equal,
    /// 区间: within two bounds.
    Within,
    /// ↑: it should rise; no target.
    Rising,
    /// ↓: it should fall; no target.
    Falling,
    /// 基线: where it begins; no target.
    Baseline,
}

impl Comparator {
    const ALL: [(Self, &'static str); 9] = [
        (Self::AtLeast, "≥"),
        (Self::MoreThan, ">"),
        (Self::AtMost, "≤"),
        (Self::LessThan, "<"),
        (Self::Equal, "="),
        (Self::Within, "区间"),
        (Self::Rising, "↑"),
        (Self::Falling, "↓"),
        (Self::Baseline, "基线"),
    ];

    /// The sign.
    pub fn sign(self) -> &'static str {
        Self::ALL.iter().find(|(found, _)| *found == self).map_or("", |(_, sign)| sign)
    }

    pub(super) fn read(sign: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, found)| *found == sign).map(|(comparator, _)| *comparator)
    }
}

/// The closed vocabulary of formulas.
#[derive(Debug, Clone)]
pub(super) enum Compute {
    /// Active members of these classes, or the provinces of them.
    Members { classes: Vec<Class>, provinces: bool },
    /// Filled seats of a role.
    Seats(Role),
    /// Records, made one figure of.
    One(Aggregate, Vec<usize>),
    /// One sum over another.
    Rate { above: Vec<usize>, below: Vec<usize> },
    /// How much such a rate has grown since the first full year.
    Growth { above: Vec<usize>, below: Vec<usize> },
    /// The rate at which a duty was performed.
    Duty(String),
    /// What the assessed side entered as the value.
    Entered,
    /// Nothing.
    Nothing,
}

impl Compute {
    /// Every slot that it looks at.
    pub(super) fn slots(&self) -> impl Iterator<Item = usize> + '_ {
        let (first, second): (&[usize], &[usize]) = match self {
            Self::One(_, value) => (value, &[]),
            Self::Rate { above, below } | Self::Growth { above, below } => (above, below),
            _ => (&[], &[]),
        };
        first.iter().chain(second).copied()
    }
}

/// How records are made one figure of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregate {
    /// How many there are.
    Count,
    /// Their amounts added up.
    Sum,
    /// The average of their amounts.
    Average,
    /// The smallest of the sums of their groups.
    Least,
    /// How many groups there are.
    Distinct,
}

/// Which records, and what each adds.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) slot: usize,
    pub(super) kind: u16,
    /// A record that breaks one of these is not meant.
    pub(super) conditions: Vec<Condition>,
    /// A record that lacks one of these is unknown.
    pub(super) needs: Vec<u16>,
    /// A record that breaks one of these, where what they need is known, does not contribute.
    pub(super) further: Vec<Condition>,
    /// The date by which it belongs to a period.
    pub(super) date: Option<u16>,
    pub(super) amount: Amount,
    /// Fields by which records are one and the same thing.
    pub(super) once: Vec<u16>,
    pub(super) by: Option<u16>,
    pub(super) confirmed: Confirmed,
    /// Codes of the counties of a joint project, and their shares in percent.
    pub(super) shares: Option<(u16, u16)>,
    /// Whether its records are the groups, and add nothing.
    pub(super) is_group: bool,
}

/// What a record adds.
#[derive(Debug, Clone)]
pub(super) enum Amount {
    /// One.
    One,
    /// A figure, in this unit.
    Field(u16, String),
    /// The elements of a list.
    Elements(u16),
    /// The days between two dates.
    Days(u16, u16),
}

/// What confirms a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirmed {
    /// Nothing does.
    Never,
    /// It is stated by the side that confirms.
    Always,
    /// A record of this kind of another member names it in this field.
    By(u16, u16),
}

impl Source {
    /// Whether more must be asked than the record itself.
    pub(super) fn looks_around(&self) -> bool {
        let mut conditions = self.conditions.iter().chain(&self.further);
        self.by.is_some() || matches!(self.confirmed, Confirmed::By(..)) || conditions.any(Condition::looks_at_records)
    }
}

impl Indicator {
    /// Whether it is the rate of a duty.
    pub fn asks_duty(&self) -> bool {
        matches!(self.compute, Compute::Duty(_))
    }
}

impl Definitions {
    /// The definitions of this build.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Their version: it changes with every change that alters a figure.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// BLAKE3 over the file.
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// The indicators, in the order of the file.
    pub fn indicators(&self) -> &[Indicator] {
        &self.indicators
    }

    /// The indicator of a code, and its place.
    pub fn indicator(&self, code: &str) -> Option<(usize, &Indicator)> {
        self.indicators.iter().enumerate().find(|(_, indicator)| indicator.code == code)
    }

    /// Every subject, in the order of the file.
    pub fn subjects(&self) -> Vec<&str> {
        let mut subjects: Vec<&str> = Vec::new();
        for indicator in &self.indicators {
            if !subjects.contains(&indicator.subject.as_str()) {
                subjects.push(&indicator.subject);
            }
        }
        subjects
    }

    /// Whether facts about records of a kind need more than the record itself.
    pub fn looks_around(&self, kind: u16) -> bool {
        self.by_kind.get(&kind).is_some_and(|sources| sources.iter().any(Source::looks_around))
    }

    /// Whether any figure looks at records of a kind.
    pub fn knows(&self, kind: u16) -> bool {
        self.by_kind.contains_key(&kind) || kind == file::entered_kind()
    }

    /// Whether an indicator looks at records of a kind.
    pub fn looks_at(&self, code: &str, kind: u16) -> bool {
        self.indicator(code).is_some_and(|(_, indicator)| match indicator.compute {
            Compute::Entered => kind == file::entered_kind(),
            _ => self.kinds_of(&indicator.compute).contains(&kind),
        })
    }

    /// The kinds that an indicator looks at.
    pub(super) fn kinds_of(&self, compute: &Compute) -> Vec<u16> {
        let mut kinds: Vec<u16> = compute
            .slots()
            .filter_map(|slot| self.source(slot))
            .filter(|source| !source.is_group)
            .map(|source| source.kind)
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    pub(super) fn source(&self, slot: usize) -> Option<&Source> {
        let (kind, place) = self.places.get(slot)?;
        self.by_kind.get(kind)?.get(*place)
    }
}
