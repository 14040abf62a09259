//! From a record to its profile: only fields that all members read are looked at.

use std::collections::BTreeMap;

use super::figure::{Figure, Slot, Words};
use super::industry::Industry;
use super::measure;
use super::profile::{Flags, Profile};
use super::region::{self, Place};
use super::rules::{AmountIs, KindRules, Meaning, Ratio, Rules};
use super::words::{clauses, normal};
use crate::kind::codes::{self, INDUSTRIES};
use crate::kind::{Kind, KindSet, Position};
use crate::limits::{MATCH_TARGETS_MAX, MATCH_TEXT_CHARACTERS_MAX};
use crate::value::{Date, Value};
use crate::view::RecordState;

/// China time is so far ahead of UTC.
const CHINA_OFFSET_MS: u64 = 8 * 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The day in China of a time, counted from 1970-01-01.
pub(super) fn day_of(time_ms: u64) -> i32 {
    i32::try_from(time_ms.saturating_add(CHINA_OFFSET_MS) / DAY_MS).unwrap_or(i32::MAX)
}

impl Profile {
    /// The profile of a record as it counts; `None` when records of its kind cannot be matched.
    ///
    /// `home` is the division of the county that wrote it, empty for other members: where a record does not say where it
    /// lies it lies there. Where time has moved it is asked when it is matched, so a profile stays right until the record
    /// changes.
    pub fn of(rules: &Rules, kinds: &KindSet, record: &RecordState, home: &str) -> Option<Self> {
        let kind = kinds.kind(record.kind)?;
        let kind_rules = rules.kinds.get(&record.kind)?;
        let maker = Maker { rules, kind, kind_rules, fields: &record.fields, home };
        let mut profile = Self::empty(record.id, record.kind);
        profile.set_changed_day(day_of(record.changed_ms));
        if record.withdrawn.is_some() {
            profile.flags.set(Flags::CLOSED);
        }
        maker.position(&mut profile);
        let known = maker.needs(&mut profile);
        maker.figures(&mut profile);
        if !known && profile.seeks | profile.offers == 0 {
            profile.flags.set(Flags::NEEDS_UNKNOWN);
        }
        maker.industries(&mut profile);
        maker.regions(&mut profile);
        maker.bits(&mut profile);
        maker.days(&mut profile);
        Some(profile)
    }
}

/// The texts of a record that are compared: its title, the fields that the rules name, and the names of its industries.
pub fn texts_of(rules: &Rules, kinds: &KindSet, record: &RecordState) -> Vec<String> {
    let Some((kind, kind_rules)) = kinds.kind(record.kind).zip(rules.kinds.get(&record.kind)) else {
        return Vec::new();
    };
    let maker = Maker { rules, kind, kind_rules, fields: &record.fields, home: "" };
    let mut texts: Vec<String> = Vec::new();
    for field in std::iter::once(&kind_rules.title).chain(&kind_rules.texts) {
        texts.extend(maker.texts(*field).map(str::to_owned));
    }
    let named = kind_rules.named_texts.iter().filter(|field| record.fields.contains_key(field));
    texts.extend(named.filter_map(|field| kind.field(*field)).map(|field| field.zh.clone()));
    let table = codes::table(INDUSTRIES);
    let names = maker.codes(&kind_rules.industry_codes).filter_map(|code| table?.name_of(code).map(str::to_owned));
    texts.extend(names);
    texts
}

struct Maker<'a> {
    rules: &'a Rules,
    kind: &'a Kind,
    kind_rules: &'a KindRules,
    fields: &'a BTreeMap<u16, Value>,
    home: &'a str,
}

impl<'a> Maker<'a> {
    fn elements(&self, field: u16) -> &'a [Value] {
        match self.fields.get(&field) {
            Some(Value::List { values, .. }) => values,
            Some(scalar) => std::slice::from_ref(scalar),
            None => &[],
        }
    }

    fn texts(&self, field: u16) -> impl Iterator<Item = &'a str> {
        self.elements(field).iter().filter_map(|value| match value {
            Value::Text(text) | Value::Choice(text) => Some(text.as_str()),
            _ => None,
        })
    }

    fn all_texts(&self, fields: &'a [u16]) -> impl Iterator<Item = &'a str> + '_ {
        fields.iter().flat_map(|field| self.texts(*field))
    }

    fn codes(&self, fields: &'a [u16]) -> impl Iterator<Item = &'a str> + '_ {
        let values = fields.iter().flat_map(|field| self.elements(*field));
        values.filter_map(|value| match value {
            Value::Code { code, .. } => Some(code.as_str()),
            _ => None,
        })
    }

    fn boolean(&self, field: u16) -> Option<bool> {
        match self.fields.get(&field) {
            Some(Value::Boolean(value)) => Some(*value),
            _ => None,
        }
    }

    fn date(&self, field: u16) -> Option<Date> {
        match self.fields.get(&field) {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        }
    }

    /// Whether it is over or in talks, time left aside.
    fn position(&self, profile: &mut Profile) {
        let Some(lifecycle) = self.kind.lifecycle() else { return };
        match lifecycle.position(self.fields) {
            Position::State(state) => {
                if self.kind_rules.closed.contains(&state) {
                    profile.flags.set(Flags::CLOSED);
                }
                self.kind_rules.ready.get(&state).into_iter().for_each(|value| profile.set_ready(*value));
            }
            Position::Unmapped(word) => {
                let words = self.kind_rules.closed_words.as_ref();
                if words.is_some_and(|words| words.find(&normal(&word)).next().is_some()) {
                    profile.flags.set(Flags::CLOSED);
                }
                self.rules
                    .ready_words
                    .find(&normal(&word))
                    .min()
                    .into_iter()
                    .for_each(|value| profile.set_ready(*value));
            }
            Position::Blank => {}
        }
    }

    /// What it looks for and gives: by its state, its category, its title, and the fields that it fills. Says whether
    /// the rules know what it is for.
    fn needs(&self, profile: &mut Profile) -> bool {
        let (mut meaning, mut known) = (self.kind_rules.fixed, self.kind_rules.fixed != Meaning::default());
        if !self.kind_rules.states.is_empty()
            && let Some(Position::State(state)) = self.kind.lifecycle().map(|lifecycle| lifecycle.position(self.fields))
        {
            let of_state = self.kind_rules.states.get(&state).copied();
            (meaning, known) = (of_state.unwrap_or_default(), true);
        }
        if let Some(category) = self.kind_rules.category.and_then(|field| self.texts(field).next()) {
            match self.kind_rules.words.get(&normal(category)) {
                Some(of_word) if of_word.by_title => (meaning, known) = self.needs_of_title(*of_word),
                Some(of_word) => (meaning, known) = (*of_word, true),
                // A word of nobody's: the title may tell, and what the kind is for anyway stays.
                None if !known => (meaning, known) = self.needs_of_title(meaning),
                None => {}
            }
        }
        for (field, seeks) in &self.kind_rules.implied {
            let stated = !self.elements(*field).is_empty() && self.boolean(*field) != Some(false);
            if stated {
                meaning.seeks |= seeks;
            }
        }
        (profile.seeks, profile.offers) = (meaning.seeks, meaning.offers);
        profile.assists = meaning.assists & !meaning.seeks;
        known
    }

    /// The needs that the words of the title name: looked for by a kind that looks, given by one that gives.
    fn needs_of_title(&self, fixed: Meaning) -> (Meaning, bool) {
        let title: String = self.texts(self.kind_rules.title).map(normal).collect();
        let bits = self.rules.need_words.find(&title).fold(0, |bits, bit| bits | bit);
        if bits == 0 {
            return (fixed, fixed.seeks | fixed.offers != 0);
        }
        let looks = self.kind_rules.words.values().any(|meaning| meaning.seeks != 0);
        let found = if looks { Meaning { seeks: bits, ..fixed } } else { Meaning { offers: bits, ..fixed } };
        (found, true)
    }

    fn figures(&self, profile: &mut Profile) {
        for (slot, fields) in &self.kind_rules.figures {
            let figure = fields.iter().find_map(|field| self.figure(*field));
            figure.into_iter().for_each(|figure| profile.set_figure(*slot, figure));
        }
        if let Some((figure, unit)) = self.kind_rules.quantity {
            self.quantity(figure, unit, profile);
        }
        if let Some(less) = self.kind_rules.amount_less.and_then(|field| self.figure(field))
            && let Some(amount) = profile.figure(Slot::Amount)
        {
            let rest = Figure::new(amount.value().saturating_sub(less.value()), amount.words());
            profile.set_figure(Slot::Amount, rest);
        }
        self.noted(profile);
        for (slot, ratio) in &self.kind_rules.ratios {
            let figure = self.quotient(ratio, profile.seeks);
            figure.into_iter().for_each(|figure| profile.set_figure(*slot, figure));
        }
        match self.kind_rules.amount_is {
            AmountIs::Nothing | AmountIs::Budget => {}
            AmountIs::Ask => profile.flags.set(Flags::ASK),
            AmountIs::Total => profile.flags.set(Flags::TOTAL),
            AmountIs::Ticket => profile.flags.set(Flags::TICKET),
        }
        if self.kind_rules.soft_limit {
            profile.flags.set(Flags::SOFT_LIMIT);
        }
    }

    /// Figures of energy and discharge that stand in a text, where no field says them.
    fn noted(&self, profile: &mut Profile) {
        for text in self.all_texts(&self.kind_rules.noted) {
            let text: String = text.chars().take(MATCH_TEXT_CHARACTERS_MAX).collect();
            let tables = [(Slot::Energy, &self.rules.noted_energy), (Slot::Discharge, &self.rules.noted_discharge)];
            for (clause, (slot, words)) in clauses(&text).flat_map(|clause| tables.map(|table| (clause.clone(), table)))
            {
                let behind = words.find_ends(&clause).next().and_then(|(end, ())| clause.get(end..));
                if let (None, Some(tons)) = (profile.figure(slot), behind.and_then(measure::tons)) {
                    profile.set_figure(slot, tons);
                    profile.flags.set(Flags::NOTED);
                }
            }
        }
    }

    fn figure(&self, field: u16) -> Option<Figure> {
        match self.fields.get(&field)? {
            Value::Money { number, currency: [b'C', b'N', b'Y'] } => measure::yuan(number),
            Value::Quantity { number, unit } => measure::figure(number, measure::unit(unit)?),
            _ => None,
        }
    }

    /// A number whose unit stands beside it fills the place of what it measures, unless a field of its own does, and
    /// says what is looked for as that field would.
    fn quantity(&self, figure: u16, unit: u16, profile: &mut Profile) {
        let Some(Value::Decimal(number)) = self.fields.get(&figure) else { return };
        let Some(unit) = self.texts(unit).next().and_then(measure::unit) else { return };
        let Some(figure) = measure::figure(number, unit) else { return };
        if profile.figure(unit.slot).is_none() {
            profile.set_figure(unit.slot, figure);
            let same = self.kind_rules.figures.iter().filter(|(slot, _)| *slot == unit.slot);
            let fields: Vec<u16> = same.flat_map(|(_, fields)| fields).copied().collect();
            let implied = self.kind_rules.implied.iter().filter(|(field, _)| fields.contains(field));
            profile.seeks |= implied.fold(0, |bits, (_, seeks)| bits | seeks);
        }
    }

    /// `amount / area`, in 0.01 万元/亩.
    fn quotient(&self, ratio: &Ratio, seeks: u32) -> Option<Figure> {
        if seeks & ratio.unless_seeks != 0 {
            return None;
        }
        let (amount, area) = (self.figure(ratio.amount)?, self.figure(ratio.area)?);
        // 元 by 0.01 亩 is 0.01 万元/亩.
        let quotient = amount.value().checked_div(area.value())?;
        Some(Figure::new(quotient, Words::quotient(amount.words(), area.words())))
    }

    /// Codes; else names of industries and words; else what the title says.
    fn industries(&self, profile: &mut Profile) {
        let codes: Vec<Industry> = self.codes(&self.kind_rules.industry_codes).filter_map(Industry::parse).collect();
        if !codes.is_empty() {
            profile.set_industries(&codes);
            return;
        }
        let mut found = Vec::new();
        self.all_texts(&self.kind_rules.industry_words).for_each(|text| self.push_industries(text, &mut found));
        if found.is_empty() && self.kind_rules.industry_title {
            let title: String = self.texts(self.kind_rules.title).map(normal).collect();
            found.extend(self.rules.industry_words.find(&title).flatten());
        }
        if !found.is_empty() {
            profile.set_industries(&found);
            profile.flags.set(Flags::INDUSTRY_BY_WORDS);
        }
    }

    /// The industries that a text names: as a whole, or by words.
    fn push_industries(&self, text: &str, found: &mut Vec<Industry>) {
        let named = codes::table(INDUSTRIES).map(|table| table.codes_named(text)).unwrap_or_default();
        // Names of a group and its only class are the same: the wider is meant.
        match named.iter().filter_map(|code| Industry::parse(code)).min_by_key(|industry| industry.level()) {
            Some(industry) => found.push(industry),
            None => found.extend(self.rules.industry_words.find(&normal(text)).flatten()),
        }
    }

    fn regions(&self, profile: &mut Profile) {
        let silent =
            self.kind_rules.division_unless.as_ref().is_some_and(|(field, words)| {
                self.texts(*field).any(|text| words.find(&normal(text)).next().is_some())
            });
        if !silent {
            self.location(profile);
        }
        self.wishes(profile);
        self.rulings(profile);
    }

    /// Where it lies.
    fn location(&self, profile: &mut Profile) {
        let stated = self.kind_rules.division.and_then(|field| self.codes_of(field).next());
        let division = stated.and_then(region::division_today).or_else(|| {
            let places = self.all_texts(&self.kind_rules.place).filter_map(|name| self.rules.regions.place(name));
            let divisions = places.filter_map(|place| match place {
                Place::Division(division) => Some(division),
                Place::Named(_) => None,
            });
            region::common_division(&divisions.collect::<Vec<_>>())
        });
        let home = || region::division_today(self.home).filter(|_| self.kind_rules.division.is_some());
        profile.division = division.or_else(home).unwrap_or(0);
        profile.located = self.rules.regions.of_division(profile.division);
        for name in self.all_texts(&self.kind_rules.located) {
            match self.rules.regions.place(name) {
                Some(Place::Named(bit)) => profile.located |= bit,
                Some(Place::Division(division)) if profile.division == 0 => {
                    profile.division = division;
                    profile.located |= self.rules.regions.of_division(division);
                }
                _ => {}
            }
        }
    }

    /// Where it wants to be, or whom it serves.
    fn wishes(&self, profile: &mut Profile) {
        let wanted = self.all_texts(&self.kind_rules.wanted).filter_map(|name| self.rules.regions.place(name));
        let coded = self.kind_rules.wanted_codes.into_iter().flat_map(|field| self.codes_of(field));
        let coded = coded.filter_map(region::division_today).map(Place::Division);
        wanted.chain(coded).for_each(|place| want(profile, place));
        if self.kind_rules.wanted_only && profile.wants_regions() {
            profile.flags.set(Flags::ONLY_WANTED);
        }
        let wide = |text: &str| self.rules.wide_words.find(&normal(text)).next().is_some();
        if !profile.wants_regions() && self.all_texts(&self.kind_rules.wide_texts).any(wide) {
            profile.wanted = self.rules.regions.everywhere();
        }
        if let Some((field, word)) = &self.kind_rules.only_wanted
            && self.texts(*field).any(|text| normal(text) == *word)
            && profile.wants_regions()
        {
            profile.flags.set(Flags::ONLY_WANTED);
        }
    }

    fn codes_of(&self, field: u16) -> impl Iterator<Item = &'a str> {
        self.elements(field).iter().filter_map(|value| match value {
            Value::Code { code, .. } => Some(code.as_str()),
            _ => None,
        })
    }

    /// What texts rule out: industries behind 不投 and the like, and every region but those behind 仅限. A text is not
    /// certain enough to exclude: what it rules out counts nothing.
    fn rulings(&self, profile: &mut Profile) {
        let mut ruled_out: Vec<Industry> = Vec::new();
        for text in self.all_texts(&self.kind_rules.ruling) {
            let text: String = text.chars().take(MATCH_TEXT_CHARACTERS_MAX).collect();
            for clause in clauses(&text) {
                if let Some((end, ())) = self.rules.not_industry.find_ends(&clause).next() {
                    let behind = clause.get(end..).unwrap_or_default();
                    ruled_out.extend(self.rules.industry_words.find(behind).flatten());
                }
                if let Some((end, ())) = self.rules.only_region.find_ends(&clause).next() {
                    let places = self.rules.regions.places_in(clause.get(end..).unwrap_or_default());
                    if !places.is_empty() {
                        (profile.wanted, profile.targets) = (0, [0; MATCH_TARGETS_MAX]);
                        places.into_iter().for_each(|place| want(profile, place));
                    }
                }
            }
        }
        profile.set_ruled_out(&ruled_out);
    }

    fn bits(&self, profile: &mut Profile) {
        for text in self.all_texts(&self.kind_rules.stages) {
            profile.stages |= self.rules.stage_words.find(&normal(text)).fold(0, |bits, bit| bits | bit);
        }
        profile.forms = self.kind_rules.forms_given;
        for text in self.all_texts(&self.kind_rules.forms) {
            profile.forms |= self.rules.form_words.find(&normal(text)).fold(0, |bits, bit| bits | bit);
        }
        if let Some(text) = self.kind_rules.purpose.and_then(|field| self.texts(field).next()) {
            profile.purposes = self.rules.purpose_words.find(&normal(text)).fold(0, |bits, bit| bits | bit);
        }
        if self.kind_rules.keeps_plan.iter().any(|field| self.boolean(*field) == Some(false)) {
            profile.flags.set(Flags::BREAKS_PLAN);
        }
        let wishes = std::iter::once(&self.kind_rules.title).chain(&self.kind_rules.texts);
        if wishes
            .flat_map(|field| self.texts(*field))
            .any(|text| self.rules.sharing_words.find(&normal(text)).next().is_some())
        {
            profile.flags.set(Flags::WANTS_SHARED);
        }
        match self.kind_rules.shared.and_then(|field| self.boolean(field)) {
            Some(true) => profile.flags.set(Flags::SHARED),
            Some(false) => profile.flags.set(Flags::NOT_SHARED),
            None => {}
        }
    }

    fn days(&self, profile: &mut Profile) {
        for date in self.kind_rules.valid_until.iter().filter_map(|field| self.date(*field)) {
            // The last millisecond of its last day lies on that day.
            profile.limit_validity(day_of(date.end_ms().saturating_sub(1)));
        }
        if let Some(date) = self.kind_rules.available_from.and_then(|field| self.date(field)) {
            profile.set_available_from(day_of(date.start_ms()));
        }
    }
}

/// Notes a region that a record wants; beyond the bound of divisions the first stay.
fn want(profile: &mut Profile, place: Place) {
    match place {
        Place::Named(bit) => profile.wanted |= bit,
        Place::Division(division) => {
            let free = profile.targets.iter_mut().find(|target| **target == 0 || **target == division);
            free.into_iter().for_each(|target| *target = division);
        }
    }
}
