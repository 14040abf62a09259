//! What matching keeps of a record: whole numbers and bits, so that a million records fit into memory and are gone
//! through in a moment.

use super::figure::{Figure, Slot, Words};
use super::industry::Industry;
use crate::identity::EntryId;
use crate::limits::{MATCH_INDUSTRIES_MAX, MATCH_RULED_OUT_MAX, MATCH_TARGETS_MAX};

/// A figure that is not given.
const ABSENT: i64 = -1;
const ABSENT_MEASURE: i32 = -1;
/// Figures of money come first among the slots.
const MONEY_SLOTS: usize = 3;
const MEASURE_SLOTS: usize = Slot::COUNT - MONEY_SLOTS;
/// Nothing is said of how ready it is.
const NOT_SAID: u16 = u16::MAX;
/// No such day.
const NO_DAY: i32 = i32::MIN;

/// Facts of a profile that are yes or no, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags(u16);

impl Flags {
    /// Its industries were read out of words.
    pub(super) const INDUSTRY_BY_WORDS: Self = Self(1);
    /// It cannot be matched: met, used, withdrawn.
    pub(super) const CLOSED: Self = Self(2);
    /// Its figures of energy and discharge stand in a text: they exclude nothing.
    pub(super) const NOTED: Self = Self(4);
    /// What it looks for and gives is not known.
    pub(super) const NEEDS_UNKNOWN: Self = Self(8);
    /// It allows nothing beyond the regions that it wants.
    pub(super) const ONLY_WANTED: Self = Self(16);
    /// It does not keep a plan that it must keep.
    pub(super) const BREAKS_PLAN: Self = Self(32);
    /// Other counties may not use it.
    pub(super) const NOT_SHARED: Self = Self(64);
    /// Other counties may use it.
    pub(super) const SHARED: Self = Self(4096);
    /// Its amount is asked for.
    pub(super) const ASK: Self = Self(128);
    /// Its amount is all that a project costs.
    pub(super) const TOTAL: Self = Self(256);
    /// Its amounts are tickets.
    pub(super) const TICKET: Self = Self(512);
    /// More than its limit can be asked for: it then gives a part.
    pub(super) const SOFT_LIMIT: Self = Self(1024);
    /// It wants to use something together with others.
    pub(super) const WANTS_SHARED: Self = Self(2048);

    pub(super) fn set(&mut self, other: Self) {
        self.0 |= other.0;
    }

    #[inline]
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What matching keeps of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub(super) id: EntryId,
    money: [i64; MONEY_SLOTS],
    measures: [i32; MEASURE_SLOTS],
    /// Three bits for each figure: the words beside it.
    words: u32,
    /// Where it lies; 0 where that is not known.
    pub(super) division: u32,
    /// The named regions that it lies in.
    pub(super) located: u32,
    /// The named regions that it wants or serves.
    pub(super) wanted: u32,
    /// The divisions that it wants or serves; 0 for none.
    pub(super) targets: [u32; MATCH_TARGETS_MAX],
    pub(super) seeks: u32,
    pub(super) offers: u32,
    /// What would help it without being what it looks for.
    pub(super) assists: u32,
    pub(super) forms: u32,
    /// The sections of industry that its use of land admits, as bits from 1; 0 where nothing is said.
    pub(super) purposes: u32,
    changed_day: i32,
    valid_until: i32,
    available_from: i32,
    industries: [u16; MATCH_INDUSTRIES_MAX],
    ruled_out: [u16; MATCH_RULED_OUT_MAX],
    pub(super) kind: u16,
    pub(super) stages: u16,
    pub(super) flags: Flags,
    /// How ready it is by its state, in permille.
    ready: u16,
}

impl Profile {
    /// A profile that says nothing.
    pub(super) fn empty(id: EntryId, kind: u16) -> Self {
        Self {
            id,
            money: [ABSENT; MONEY_SLOTS],
            measures: [ABSENT_MEASURE; MEASURE_SLOTS],
            words: 0,
            division: 0,
            located: 0,
            wanted: 0,
            targets: [0; MATCH_TARGETS_MAX],
            seeks: 0,
            offers: 0,
            assists: 0,
            forms: 0,
            purposes: 0,
            changed_day: NO_DAY,
            valid_until: NO_DAY,
            available_from: NO_DAY,
            industries: [0; MATCH_INDUSTRIES_MAX],
            ruled_out: [0; MATCH_RULED_OUT_MAX],
            kind,
            stages: 0,
            flags: Flags::default(),
            ready: NOT_SAID,
        }
    }

    /// The record.
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// Its kind.
    pub fn kind(&self) -> u16 {
        self.kind
    }

    /// A figure, if it is given.
    #[inline]
    pub fn figure(&self, slot: Slot) -> Option<Figure> {
        let index = slot.index();
        let value = match index.checked_sub(MONEY_SLOTS) {
            None => self.money.get(index).copied().unwrap_or(ABSENT),
            Some(place) => self.measures.get(place).map_or(ABSENT, |value| i64::from(*value)),
        };
        let words = Words::of_bits(self.words >> (index as u32 * Words::BITS));
        (value != ABSENT).then(|| Figure::new(value, words))
    }

    /// Keeps a figure; one that is too large for its place is kept as the largest.
    pub(super) fn set_figure(&mut self, slot: Slot, figure: Figure) {
        let index = slot.index();
        match index.checked_sub(MONEY_SLOTS) {
            None => self.money.get_mut(index).into_iter().for_each(|place| *place = figure.value()),
            Some(place) => {
                let value = i32::try_from(figure.value()).unwrap_or(i32::MAX);
                self.measures.get_mut(place).into_iter().for_each(|place| *place = value);
            }
        }
        let shift = index as u32 * Words::BITS;
        self.words = self.words & !(7 << shift) | figure.words().bits() << shift;
    }

    /// Its industries.
    #[inline]
    pub fn industries(&self) -> impl Iterator<Item = Industry> + '_ {
        self.industries.iter().map_while(|packed| Industry::of_packed(*packed))
    }

    /// The industries as they are kept, without the empty places.
    #[inline]
    pub(super) fn packed_industries(&self) -> &[u16] {
        let length = self.industries.iter().position(|packed| *packed == 0).unwrap_or(self.industries.len());
        &self.industries[..length]
    }

    /// Keeps industries: those that a wider one holds go, the first in the author's order stay, ascending.
    pub(super) fn set_industries(&mut self, industries: &[Industry]) {
        fill(&mut self.industries, industries);
    }

    /// The industries that it rules out.
    #[inline]
    pub(super) fn ruled_out(&self) -> impl Iterator<Item = Industry> + '_ {
        self.ruled_out.iter().map_while(|packed| Industry::of_packed(*packed))
    }

    pub(super) fn set_ruled_out(&mut self, industries: &[Industry]) {
        fill(&mut self.ruled_out, industries);
    }

    /// Whether it says which regions it wants.
    #[inline]
    pub(super) fn wants_regions(&self) -> bool {
        self.wanted != 0 || self.targets[0] != 0
    }

    /// The day of its last change, counted from 1970-01-01 in China.
    #[inline]
    pub(super) fn changed_day(&self) -> i32 {
        self.changed_day
    }

    pub(super) fn set_changed_day(&mut self, day: i32) {
        self.changed_day = day;
    }

    /// The last day on which it stands.
    #[inline]
    pub(super) fn valid_until(&self) -> Option<i32> {
        (self.valid_until != NO_DAY).then_some(self.valid_until)
    }

    /// Of several days the first counts.
    pub(super) fn limit_validity(&mut self, day: i32) {
        self.valid_until = if self.valid_until == NO_DAY { day } else { self.valid_until.min(day) };
    }

    /// How ready it is by its state, in permille.
    #[inline]
    pub(super) fn ready(&self) -> Option<u16> {
        (self.ready != NOT_SAID).then_some(self.ready)
    }

    pub(super) fn set_ready(&mut self, permille: u16) {
        self.ready = permille;
    }

    /// The first day on which it can be had.
    #[inline]
    pub(super) fn available_from(&self) -> Option<i32> {
        (self.available_from != NO_DAY).then_some(self.available_from)
    }

    pub(super) fn set_available_from(&mut self, day: i32) {
        self.available_from = day;
    }
}

fn fill(places: &mut [u16], industries: &[Industry]) {
    let mut kept: Vec<Industry> = Vec::new();
    for (index, industry) in industries.iter().enumerate() {
        let wider = |other: &Industry| other != industry && other.covers(*industry);
        if !industries.iter().any(wider) && !industries[..index].contains(industry) && kept.len() < places.len() {
            kept.push(*industry);
        }
    }
    kept.sort_unstable();
    for (index, place) in places.iter_mut().enumerate() {
        *place = kept.get(index).map_or(0, |industry| industry.packed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::NumberFlags;

    #[inline]
    fn industries(codes: &[&str]) -> Vec<Industry> {
        codes.iter().map(|code| Industry::parse(code).expect("a code")).collect()
    }

    #[test]
    fn a_million_profiles_fit_into_memory() {
        assert!(size_of::<Profile>() <= 176, "{} bytes", size_of::<Profile>());
    }

    #[test]
    fn figures_come_back_with_their_words() {
        let mut profile = Profile::empty(EntryId([1; 32]), 102);
        assert_eq!(profile.figure(Slot::Area), None);
        let about = Figure::new(40_000, Words::of(NumberFlags::ABOUT));
        let most = Figure::new(5_000_000_000, Words::of(NumberFlags::AT_MOST));
        profile.set_figure(Slot::Area, about);
        profile.set_figure(Slot::Capacity, most);
        profile.set_figure(Slot::Discharge, Figure::new(i64::MAX, Words::default()));
        assert_eq!(profile.figure(Slot::Area), Some(about));
        assert_eq!(profile.figure(Slot::Capacity), Some(most));
        assert_eq!(profile.figure(Slot::Discharge).map(Figure::value), Some(i64::from(i32::MAX)));
        profile.set_figure(Slot::Area, Figure::new(1, Words::default()));
        assert_eq!(profile.figure(Slot::Area).map(Figure::is_soft), Some(false));
    }

    #[test]
    fn industries_are_kept_once_in_order_and_bounded() {
        let mut profile = Profile::empty(EntryId([1; 32]), 102);
        profile.set_industries(&industries(&["3841", "17", "1713", "3841"]));
        assert_eq!(profile.industries().map(Industry::code).collect::<Vec<_>>(), ["17", "3841"]);
        let many: Vec<String> = (13..33).map(|code| code.to_string()).collect();
        profile.set_industries(&industries(&many.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(profile.industries().count(), MATCH_INDUSTRIES_MAX);
        assert_eq!(profile.packed_industries().len(), MATCH_INDUSTRIES_MAX);
    }

    #[test]
    fn the_first_end_counts() {
        let mut profile = Profile::empty(EntryId([1; 32]), 102);
        assert_eq!(profile.valid_until(), None);
        profile.limit_validity(20_000);
        profile.limit_validity(19_000);
        profile.limit_validity(21_000);
        assert_eq!(profile.valid_until(), Some(19_000));
    }
}
