//! Industries of GB/T 4754 in two bytes, and how near two of them are.

use std::sync::LazyLock;

use crate::kind::codes::{self, INDUSTRIES};

/// The part of a packed industry that holds its number.
const NUMBER_MASK: u16 = 0x3fff;
/// Bits below the level.
const LEVEL_SHIFT: u32 = 14;
/// Divisions have two digits.
const DIVISIONS: usize = 100;

/// How wide a code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A letter (门类).
    Section,
    /// Two digits (大类).
    Division,
    /// Three digits (中类).
    Group,
    /// Four digits (小类).
    Class,
}

impl Level {
    /// The Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Section => "门类",
            Self::Division => "大类",
            Self::Group => "中类",
            Self::Class => "小类",
        }
    }

    /// The English name.
    pub fn en(self) -> &'static str {
        match self {
            Self::Section => "section",
            Self::Division => "division",
            Self::Group => "group",
            Self::Class => "class",
        }
    }
}

/// An industry: its level and its digits, padded to four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Industry(u16);

/// How two industries are related.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// One holds the other, or they are the same: the level of the wider one.
    Covers(Level),
    /// Both lie in one group, division or section.
    Shares(Level),
    /// They have no section in common.
    Apart,
}

/// For each division, the place of its section in the alphabet from 1; 0 where there is no such division.
static SECTIONS: LazyLock<[u16; DIVISIONS]> = LazyLock::new(|| {
    let mut sections = [0; DIVISIONS];
    let Some(table) = codes::table(INDUSTRIES) else { return sections };
    let letters = table.entries().filter(|(code, _)| code.len() == 1);
    let letters: Vec<(&str, u16)> = letters.filter_map(|(code, _)| Some((code, letter_number(code)?))).collect();
    for (code, _) in table.entries().filter(|(code, _)| code.len() == 2) {
        let place = code.parse::<usize>().ok().and_then(|division| sections.get_mut(division));
        let section = letters.iter().find(|(letter, _)| table.covers(letter, code));
        if let (Some(place), Some((_, number))) = (place, section) {
            *place = *number;
        }
    }
    sections
});

impl Industry {
    /// Packs a code of the table: a letter, or two to four digits.
    pub fn parse(code: &str) -> Option<Self> {
        if let Some(number) = letter_number(code) {
            return Some(Self(number));
        }
        let digits = code.bytes().all(|byte| byte.is_ascii_digit()).then(|| code.parse::<u16>().ok())??;
        let (level, number) = match code.len() {
            2 => (1, digits * 100),
            3 => (2, digits * 10),
            4 => (3, digits),
            _ => return None,
        };
        Some(Self(level << LEVEL_SHIFT | number))
    }

    /// The bytes as they are kept; 0 is no industry.
    pub(super) fn packed(self) -> u16 {
        self.0
    }

    /// What was packed.
    #[inline]
    pub(super) fn of_packed(packed: u16) -> Option<Self> {
        (packed != 0).then_some(Self(packed))
    }

    /// Whether a code could be packed so: its digits end where its level ends.
    pub(super) fn is_plausible(self) -> bool {
        let number = self.number();
        match self.level() {
            Level::Section => (1..=26).contains(&number),
            Level::Division => number <= 9_900 && number.is_multiple_of(100),
            Level::Group => number <= 9_990 && number.is_multiple_of(10),
            Level::Class => number <= 9_999,
        }
    }

    /// How wide it is.
    #[inline]
    pub fn level(self) -> Level {
        match self.0 >> LEVEL_SHIFT {
            0 => Level::Section,
            1 => Level::Division,
            2 => Level::Group,
            _ => Level::Class,
        }
    }

    fn number(self) -> u16 {
        self.0 & NUMBER_MASK
    }

    /// The place of its section in the alphabet from 1; 0 when the table has no such division.
    #[inline]
    pub(super) fn section(self) -> u16 {
        match self.level() {
            Level::Section => self.number(),
            _ => SECTIONS.get(usize::from(self.number() / 100)).copied().unwrap_or(0),
        }
    }

    /// Its code.
    pub fn code(self) -> String {
        let number = self.number();
        match self.level() {
            Level::Section => char::from(b'A' + (number.saturating_sub(1) % 26) as u8).to_string(),
            Level::Division => format!("{:02}", number / 100),
            Level::Group => format!("{:03}", number / 10),
            Level::Class => format!("{number:04}"),
        }
    }

    /// Its code and name, for people.
    pub fn name(self) -> String {
        let code = self.code();
        let name = codes::table(INDUSTRIES).and_then(|table| table.name_of(&code)).unwrap_or_default();
        if name.is_empty() { code } else { format!("{code} {name}") }
    }

    /// The code of that level that it lies in; itself where it is as wide or wider.
    pub fn within(self, level: Level) -> Self {
        if self.level() <= level {
            return self;
        }
        let number = self.number();
        match level {
            Level::Section => Self(self.section()),
            Level::Division => Self((1 << LEVEL_SHIFT) | (number / 100 * 100)),
            Level::Group => Self((2 << LEVEL_SHIFT) | (number / 10 * 10)),
            Level::Class => self,
        }
    }

    /// Whether it is `other` or holds it.
    #[inline]
    pub fn covers(self, other: Self) -> bool {
        self.level() <= other.level() && other.within(self.level()) == self
    }

    /// How it is related to another; the same the other way round.
    pub fn relation(self, other: Self) -> Relation {
        let (wide, narrow) = if self.level() <= other.level() { (self, other) } else { (other, self) };
        if wide.covers(narrow) {
            return Relation::Covers(wide.level());
        }
        let shared = [Level::Group, Level::Division, Level::Section].into_iter().find(|level| {
            let (left, right) = (self.within(*level), other.within(*level));
            left == right && left.level() == *level && left.number() != 0
        });
        shared.map_or(Relation::Apart, Relation::Shares)
    }
}

/// The place of a letter that is a whole code in the alphabet, from 1.
fn letter_number(code: &str) -> Option<u16> {
    match code.as_bytes() {
        [letter @ b'A'..=b'Z'] => Some(u16::from(letter - b'A') + 1),
        _ => None,
    }
}

/// All sections that the table has, as bits from 1.
#[inline]
pub(super) fn section_bit(industry: Industry) -> u32 {
    match industry.section() {
        0 => 0,
        section => 1 << section,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn industry(code: &str) -> Industry {
        Industry::parse(code).expect("a code")
    }

    #[test]
    fn codes_of_every_level_come_back() {
        let table = codes::table(INDUSTRIES).expect("the table is embedded");
        for (code, name) in table.entries() {
            let packed = industry(code);
            assert_eq!(packed.code(), code);
            assert_eq!(packed.name(), format!("{code} {name}"));
            assert_eq!(Industry::of_packed(packed.packed()), Some(packed));
            assert!(packed.section() > 0, "{code}");
        }
        for wrong in ["", "1", "38415", "38a", "中", "ab"] {
            assert_eq!(Industry::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn relations_follow_the_levels_and_are_the_same_both_ways() {
        let cases = [
            ("3841", "3841", Relation::Covers(Level::Class)),
            ("384", "3841", Relation::Covers(Level::Group)),
            ("38", "3841", Relation::Covers(Level::Division)),
            ("C", "3841", Relation::Covers(Level::Section)),
            ("3841", "3842", Relation::Shares(Level::Group)),
            ("3841", "385", Relation::Shares(Level::Division)),
            ("3841", "1713", Relation::Shares(Level::Section)),
            ("38", "17", Relation::Shares(Level::Section)),
            ("3841", "0153", Relation::Apart),
            ("A", "C", Relation::Apart),
            ("01", "0153", Relation::Covers(Level::Division)),
        ];
        for (left, right, relation) in cases {
            assert_eq!(industry(left).relation(industry(right)), relation, "{left} {right}");
            assert_eq!(industry(right).relation(industry(left)), relation, "{right} {left}");
        }
    }

    #[test]
    fn codes_that_no_table_has_are_related_to_nothing_wider() {
        let strange = industry("9999");
        assert_eq!(strange.section(), 0);
        assert_eq!(strange.relation(industry("3841")), Relation::Apart);
        assert_eq!(Industry(u16::MAX).relation(strange), Relation::Apart);
    }
}
