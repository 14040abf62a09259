//! The rules of matching as data: `matching/rules.toml`, read and checked. What passes here is never checked again.

mod raw;
mod read;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::dimension::Dimension;
use super::figure::Slot;
use super::industry::{Industry, Level, Relation};
use super::region::Regions;
use super::words::WordTable;
use crate::identity::ContentHash;
use crate::kind::KindSet;
use crate::rules::{RulesError, content_hash};

/// The rules of this build.
const FILE: &str = include_str!("../../../matching/rules.toml");
/// Their name in errors.
const FILE_NAME: &str = "matching/rules.toml";

static BUILTIN: LazyLock<Rules> = LazyLock::new(|| {
    Rules::parse(FILE, KindSet::builtin()).expect("the embedded rules are checked by the tests of this module")
});

/// The rules, checked against a set of kinds.
#[derive(Debug, Clone)]
pub struct Rules {
    version: u32,
    hash: ContentHash,
    pub(super) scale: Scale,
    pub(super) regions: Regions,
    generic_words: WordTable<()>,
    pub(super) industry_words: WordTable<Vec<Industry>>,
    pub(super) stage_words: WordTable<u16>,
    pub(super) form_words: WordTable<u32>,
    pub(super) need_words: WordTable<u32>,
    pub(super) purpose_words: WordTable<u32>,
    pub(super) not_industry: WordTable<()>,
    pub(super) only_region: WordTable<()>,
    pub(super) wide_words: WordTable<()>,
    pub(super) sharing_words: WordTable<()>,
    pub(super) ready_words: WordTable<u16>,
    pub(super) noted_energy: WordTable<()>,
    pub(super) noted_discharge: WordTable<()>,
    /// For each province by its first two digits, those that it borders on, as bits.
    neighbours: Vec<u128>,
    /// Forms that are compared with each other, as bits, each with its name.
    pub(super) form_groups: Vec<(String, u32)>,
    /// Names of the bits of forms.
    pub(super) form_names: Vec<String>,
    /// Names of the bits of stages.
    pub(super) stage_names: Vec<(String, String)>,
    /// Names of the bits of needs.
    need_names: Vec<(String, String, String)>,
    /// The need of a county to land in.
    pub(super) place_need: u32,
    pub(super) kinds: BTreeMap<u16, KindRules>,
    /// By the kinds of both sides, the side that looks first.
    pairs: BTreeMap<(u16, u16), Pair>,
}

/// Numbers that the rules set, in permille unless their names say otherwise.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    pub(super) about: u16,
    pub(super) unknown: [u16; Dimension::COUNT],
    /// For a section, division, group and class that covers.
    covers: [u16; 4],
    /// For a section, division and group in common.
    shares: [u16; 3],
    pub(super) by_words: u16,
    pub(super) near: Near,
    pub(super) here: Near,
    /// Outside, within a named region, a province, a prefecture, a county that is wanted.
    pub(super) wanted: [u16; 5],
    pub(super) size_share: u16,
    pub(super) size_share_whole: u16,
    pub(super) project_steps: Vec<[u32; 2]>,
    pub(super) project_larger: u16,
    pub(super) size_least: u16,
    pub(super) land_steps: Vec<[u32; 2]>,
    pub(super) land_larger: u16,
    pub(super) land_barely: u16,
    pub(super) energy_short: u16,
    text_full: u16,
    text_least_pairs: u16,
    pub(super) ample_days: u16,
    pub(super) timing_last: u16,
    pub(super) wait_steps: Vec<[u32; 2]>,
    pub(super) wait_longer: u16,
    pub(super) late_steps: Vec<[u32; 2]>,
    pub(super) late_longer: u16,
    pub(super) need_direct: u16,
    pub(super) need_assisting: u16,
    pub(super) freshness_steps: Vec<[u32; 2]>,
    pub(super) freshness_older: u16,
    pub(super) stage_near: u16,
}

/// What two places are worth to each other: apart, neighbouring provinces, one province, one prefecture, one county.
pub(super) type Near = [u16; 5];

/// What is looked for and what is given, as bits of needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) seeks: u32,
    pub(super) offers: u32,
    pub(super) assists: u32,
    /// Whether the title says more.
    pub(super) by_title: bool,
}

/// What the amount of a kind is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum AmountIs {
    /// Nothing that is compared.
    #[default]
    Nothing,
    /// What is asked for.
    Ask,
    /// All that a project costs.
    Total,
    /// What a buyer has.
    Budget,
    /// The least that is given at a time.
    Ticket,
}

/// A quotient of two fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ratio {
    pub(super) amount: u16,
    pub(super) area: u16,
    /// Needs that make the amount something else.
    pub(super) unless_seeks: u32,
}

/// Which fields of a kind speak of which dimension, by their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct KindRules {
    pub(super) fixed: Meaning,
    pub(super) title: u16,
    pub(super) industry_codes: Vec<u16>,
    pub(super) industry_words: Vec<u16>,
    pub(super) industry_title: bool,
    pub(super) division: Option<u16>,
    /// A field and words in it under which the division says nothing.
    pub(super) division_unless: Option<(u16, WordTable<()>)>,
    pub(super) place: Vec<u16>,
    pub(super) located: Vec<u16>,
    pub(super) wanted: Vec<u16>,
    pub(super) wanted_codes: Option<u16>,
    /// Whether it allows nothing beyond the regions that it names.
    pub(super) wanted_only: bool,
    /// Fields whose texts may say that it wants or serves everywhere.
    pub(super) wide_texts: Vec<u16>,
    pub(super) only_wanted: Option<(u16, String)>,
    pub(super) amount_is: AmountIs,
    pub(super) amount_less: Option<u16>,
    pub(super) soft_limit: bool,
    /// For each slot the fields that fill it, the first that is given.
    pub(super) figures: Vec<(Slot, Vec<u16>)>,
    pub(super) quantity: Option<(u16, u16)>,
    pub(super) ratios: Vec<(Slot, Ratio)>,
    pub(super) stages: Vec<u16>,
    pub(super) forms: Vec<u16>,
    pub(super) forms_given: u32,
    pub(super) valid_until: Vec<u16>,
    pub(super) available_from: Option<u16>,
    pub(super) texts: Vec<u16>,
    pub(super) ruling: Vec<u16>,
    /// States in which it cannot be matched, and words that are no state likewise.
    pub(super) closed: Vec<usize>,
    pub(super) closed_words: WordTableOrNone,
    /// How ready it is in a state, in permille.
    pub(super) ready: BTreeMap<usize, u16>,
    /// Fields whose texts may hold figures of energy and discharge.
    pub(super) noted: Vec<u16>,
    /// Fields whose names belong to the texts when they are filled.
    pub(super) named_texts: Vec<u16>,
    pub(super) category: Option<u16>,
    /// By the normal form of a word.
    pub(super) words: BTreeMap<String, Meaning>,
    /// By the place of a state.
    pub(super) states: BTreeMap<usize, Meaning>,
    pub(super) implied: Vec<(u16, u32)>,
    pub(super) keeps_plan: Vec<u16>,
    pub(super) purpose: Option<u16>,
    pub(super) shared: Option<u16>,
}

/// Words, where there are any.
pub(super) type WordTableOrNone = Option<WordTable<()>>;

/// How two kinds are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub(super) weights: [u16; Dimension::COUNT],
    pub(super) total: u32,
    /// Whether what is given must lie where the project has landed.
    pub(super) here: bool,
}

impl Pair {
    /// The weight of a dimension; 0 where it is not looked at.
    #[inline]
    pub fn weight(&self, dimension: Dimension) -> u16 {
        self.weights[dimension.index()]
    }

    /// The sum of the weights.
    #[inline]
    pub fn total(&self) -> u32 {
        self.total
    }
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
        read::read(raw, hash, kinds).map_err(|read::Wrong { place, rule }| RulesError::Rule {
            file: FILE_NAME,
            place,
            rule,
        })
    }

    /// Their version, which whoever changes them raises.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// BLAKE3 over the file, lines ending in a line feed: the rules version that answers name.
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// How records of two kinds are compared, and whether `one` is the side that looks.
    #[inline]
    pub fn pair(&self, one: u16, other: u16) -> Option<(&Pair, bool)> {
        let forward = self.pairs.get(&(one, other)).map(|pair| (pair, true));
        forward.or_else(|| self.pairs.get(&(other, one)).map(|pair| (pair, false)))
    }

    /// Every pair of kinds with its weights, the side that looks first.
    pub fn pairs(&self) -> impl Iterator<Item = (u16, u16, &Pair)> {
        self.pairs.iter().map(|((left, right), pair)| (*left, *right, pair))
    }

    /// The kinds that a kind is compared with, ascending; none when it cannot be matched.
    pub fn partners(&self, kind: u16) -> Vec<u16> {
        let mut partners: Vec<u16> = self
            .pairs
            .keys()
            .filter_map(|(left, right)| match kind {
                _ if kind == *left => Some(*right),
                _ if kind == *right => Some(*left),
                _ => None,
            })
            .collect();
        partners.sort_unstable();
        partners.dedup();
        partners
    }

    /// Whether records of a kind can be matched.
    pub fn knows(&self, kind: u16) -> bool {
        self.kinds.contains_key(&kind)
    }

    /// What needs are called in Chinese and English.
    pub(super) fn need_words_of(&self, bits: u32) -> (String, String) {
        let named = self.need_names.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
        let (zh, en): (Vec<&str>, Vec<&str>) = named.map(|(_, (_, zh, en))| (zh.as_str(), en.as_str())).unzip();
        match zh.is_empty() {
            true => ("不明".to_owned(), "unknown".to_owned()),
            false => (zh.join("、"), en.join(", ")),
        }
    }

    /// Whether two divisions lie in provinces that border on each other.
    #[inline]
    pub(super) fn are_neighbours(&self, left: u32, right: u32) -> bool {
        let bordering = self.neighbours.get(left as usize / 10_000).copied().unwrap_or(0);
        1_u128.checked_shl(right / 10_000).is_some_and(|bit| bordering & bit != 0)
    }

    pub(super) fn generic_words(&self) -> &WordTable<()> {
        &self.generic_words
    }

    /// The least number of pairs of a text, and what of the mean is full.
    pub(super) fn text_measure(&self) -> (u16, u16) {
        (self.scale.text_least_pairs, self.scale.text_full)
    }

    /// What two industries are worth to each other.
    pub(super) fn industry_value(&self, left: Industry, right: Industry) -> u16 {
        let place = |level: Level| match level {
            Level::Section => 0,
            Level::Division => 1,
            Level::Group => 2,
            Level::Class => 3,
        };
        match left.relation(right) {
            Relation::Covers(level) => self.scale.covers[place(level)],
            Relation::Shares(level) => self.scale.shares[place(level).min(2)],
            Relation::Apart => 0,
        }
    }
}

/// The value of the first step that a number does not pass, or what lies beyond.
#[inline]
pub(super) fn stepped(steps: &[[u32; 2]], number: u64, beyond: u16) -> u16 {
    let step = steps.iter().find(|[bound, _]| number <= u64::from(*bound));
    step.map_or(beyond, |[_, value]| u16::try_from(*value).unwrap_or(u16::MAX).min(1_000))
}

#[cfg(test)]
mod tests;
