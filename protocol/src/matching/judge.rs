//! Judging a pair: what excludes it, and what each dimension is worth. Everything here is whole numbers on two
//! profiles, the same whichever of the two is asked about.

use super::dimension::Dimension;
use super::exclusion::{Exclusion, Exclusions};
use super::figure::Slot;
use super::profile::{Flags, Profile};
use super::region::{self, Closeness};
use super::rules::{Near, Pair, Rules, stepped};

/// What each dimension of a pair is worth; `None` where it is not known or not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Values(pub(super) [Option<u16>; Dimension::COUNT]);

impl Values {
    #[inline]
    pub(super) fn get(&self, dimension: Dimension) -> Option<u16> {
        self.0[dimension.index()]
    }

    #[inline]
    pub(super) fn set(&mut self, dimension: Dimension, value: Option<u16>) {
        self.0[dimension.index()] = value;
    }
}

/// Two records of kinds that are compared, the side that looks on the left.
#[derive(Clone, Copy)]
pub(super) struct Pairing<'a> {
    pub(super) rules: &'a Rules,
    pub(super) pair: &'a Pair,
    pub(super) left: &'a Profile,
    pub(super) right: &'a Profile,
    /// The day of the question.
    pub(super) day: i32,
}

impl<'a> Pairing<'a> {
    /// What one of the two looks for and the other gives.
    #[inline]
    pub(super) fn common_needs(&self) -> u32 {
        (self.left.seeks & self.right.offers) | (self.right.seeks & self.left.offers)
    }

    /// What would help one of the two and the other gives.
    #[inline]
    pub(super) fn assisting_needs(&self) -> u32 {
        (self.left.assists & self.right.offers) | (self.right.assists & self.left.offers)
    }

    /// The side that asks for money and the side that gives it.
    #[inline]
    pub(super) fn asker_and_giver(&self) -> (&'a Profile, &'a Profile) {
        match self.left.flags.has(Flags::TICKET) {
            true => (self.right, self.left),
            false => (self.left, self.right),
        }
    }

    /// Everything that excludes the pair.
    #[inline]
    pub(super) fn exclusions(&self) -> Exclusions {
        let mut found = Exclusions::default();
        let (left, right) = (self.left, self.right);
        let unknown = |profile: &Profile| profile.flags.has(Flags::NEEDS_UNKNOWN);
        let idle = |profile: &Profile| !unknown(profile) && profile.seeks | profile.offers == 0;
        let meet = unknown(left) || unknown(right) || self.common_needs() | self.assisting_needs() != 0;
        found.set(Exclusion::Need, !meet || idle(left) || idle(right));
        let either = |flag| left.flags.has(flag) || right.flags.has(flag);
        found.set(Exclusion::Closed, either(Flags::CLOSED));
        let over = |profile: &Profile| profile.valid_until().is_some_and(|day| day < self.day);
        found.set(Exclusion::Expired, over(left) || over(right));
        found.set(Exclusion::Plan, either(Flags::BREAKS_PLAN));
        if self.pair.weight(Dimension::Land) > 0 {
            found.set(Exclusion::Purpose, !admits(right, left) || !admits(left, right));
            found.set(Exclusion::Area, self.falls_short(Slot::Area));
            found.set(Exclusion::Floor, self.falls_short(Slot::Floor));
            found.set(Exclusion::Intensity, self.asks_more(Slot::Intensity));
            found.set(Exclusion::Output, self.asks_more(Slot::Output));
            found.set(Exclusion::Tax, self.asks_more(Slot::Tax));
        }
        if self.pair.weight(Dimension::Energy) > 0 && !either(Flags::NOTED) {
            let short = self.falls_short(Slot::Energy) || self.falls_short(Slot::Discharge);
            found.set(Exclusion::Energy, short);
        }
        if self.pair.weight(Dimension::Size) > 0 {
            self.exclude_by_money(&mut found);
        }
        found.set(Exclusion::Region, rules_region_out(left, right) || rules_region_out(right, left));
        found
    }

    /// Whether the most that is there is less than the least that is wanted.
    #[inline]
    pub(super) fn falls_short(&self, slot: Slot) -> bool {
        let about = self.rules.scale.about;
        match (self.left.figure(slot), self.right.figure(slot)) {
            (Some(wanted), Some(there)) => there.high(about) < wanted.low(about),
            _ => false,
        }
    }

    /// Whether the least that a parcel asks for is more than the most that is offered.
    #[inline]
    fn asks_more(&self, slot: Slot) -> bool {
        let about = self.rules.scale.about;
        match (self.left.figure(slot), self.right.figure(slot)) {
            (Some(offered), Some(asked)) => offered.high(about) < asked.low(about),
            _ => false,
        }
    }

    #[inline]
    fn exclude_by_money(&self, found: &mut Exclusions) {
        let about = self.rules.scale.about;
        let (asker, giver) = self.asker_and_giver();
        let (true, Some(amount)) = (giver.flags.has(Flags::TICKET), asker.figure(Slot::Amount)) else { return };
        let least = giver.figure(Slot::Amount).is_some_and(|least| amount.high(about) < least.low(about));
        found.set(Exclusion::TicketBelow, least);
        // A project costs more than one fund gives; what is asked of one it must be able to give.
        if asker.flags.has(Flags::ASK) && !giver.flags.has(Flags::SOFT_LIMIT) {
            let below = |slot: Slot| giver.figure(slot).is_some_and(|most| most.high(about) < amount.low(about));
            found.set(Exclusion::TicketAbove, below(Slot::TicketMax));
            found.set(Exclusion::Capacity, below(Slot::Capacity));
        }
    }

    /// What each dimension is worth, words in common and completeness left aside.
    #[inline]
    pub(super) fn values(&self, industry: Option<u16>) -> Values {
        let mut values = Values::default();
        for dimension in Dimension::ALL {
            if self.pair.weight(dimension) > 0 {
                values.set(dimension, self.value(dimension, industry));
            }
        }
        values
    }

    #[inline]
    fn value(&self, dimension: Dimension, industry: Option<u16>) -> Option<u16> {
        match dimension {
            Dimension::Need => self.need(),
            Dimension::Industry => industry,
            Dimension::Region => self.region(),
            Dimension::Size => self.size(),
            Dimension::Land => self.land(),
            Dimension::Energy => self.energy(),
            Dimension::Stage => self.stage(),
            Dimension::Form => self.form(),
            Dimension::Timing => self.timing(),
            Dimension::Freshness => Some(self.freshness()),
            Dimension::Text | Dimension::Completeness => None,
        }
    }

    /// How directly one gives what the other looks for.
    #[inline]
    pub(super) fn need(&self) -> Option<u16> {
        let unknown = |profile: &Profile| profile.flags.has(Flags::NEEDS_UNKNOWN);
        match () {
            () if unknown(self.left) || unknown(self.right) => None,
            () if self.common_needs() != 0 => Some(self.rules.scale.need_direct),
            () => Some(self.rules.scale.need_assisting),
        }
    }

    /// What the industries are worth to each other: the best pair of codes. A search looks it up instead.
    #[cfg(test)]
    pub(super) fn industry(&self) -> Option<u16> {
        let value = |left| self.right.industries().map(move |right| self.rules.industry_value(left, right)).max();
        let best = self.left.industries().filter_map(value).max()?;
        Some(self.industry_by_words(best))
    }

    /// Industries that were read out of words count less; what a text rules out counts nothing.
    #[inline]
    pub(super) fn industry_by_words(&self, best: u16) -> u16 {
        if self.industry_is_ruled_out() {
            return 0;
        }
        let by_words = [self.left, self.right].iter().any(|side| side.flags.has(Flags::INDUSTRY_BY_WORDS));
        if by_words { permille(best, self.rules.scale.by_words) } else { best }
    }

    /// Whether a text of one rules out every industry of the other.
    #[inline]
    pub(super) fn industry_is_ruled_out(&self) -> bool {
        rules_industry_out(self.left, self.right) || rules_industry_out(self.right, self.left)
    }

    /// Where each lies, against what the other wants; where nobody wants anything, how near they are.
    #[inline]
    pub(super) fn region(&self) -> Option<u16> {
        let scale = &self.rules.scale;
        let near: &Near = if self.stays_here() { &scale.here } else { &scale.near };
        let (left, right) = (self.left, self.right);
        let closeness = self.closeness();
        let by_nearness = closeness.map(|closeness| near[closeness as usize]);
        if self.stays_here() {
            return by_nearness;
        }
        let worth = |wish: usize| match closeness {
            Some(Closeness::County) => near[Closeness::County as usize].max(scale.wanted[wish]),
            _ => scale.wanted[wish],
        };
        match (wish(left, right), wish(right, left)) {
            (None, None) => by_nearness,
            (Some(wish), None) | (None, Some(wish)) => Some(worth(wish)),
            (Some(one), Some(other)) => Some(mean(worth(one), worth(other))),
        }
    }

    /// Whether what is given must lie where the project has landed: not while it is offered to other counties.
    #[inline]
    pub(super) fn stays_here(&self) -> bool {
        self.pair.here && self.left.seeks & self.rules.place_need == 0
    }

    /// How near the two lie, if both say where.
    #[inline]
    pub(super) fn closeness(&self) -> Option<Closeness> {
        let (left, right) = (self.left.division, self.right.division);
        let closeness = (left != 0 && right != 0).then(|| region::closeness(left, right))?;
        let border = closeness == Closeness::Apart && self.rules.are_neighbours(left, right);
        Some(if border { Closeness::Neighbour } else { closeness })
    }

    /// The amount against ticket, limit, fund or budget.
    #[inline]
    pub(super) fn size(&self) -> Option<u16> {
        let (asker, giver) = self.asker_and_giver();
        let amount = asker.figure(Slot::Amount)?.value();
        let scale = &self.rules.scale;
        if !giver.flags.has(Flags::TICKET) {
            // Budget against budget: the nearer the better.
            let other = giver.figure(Slot::Amount)?.value();
            return Some(ratio(amount.min(other), amount.max(other)).max(scale.size_least));
        }
        if let Some(most) = giver.figure(Slot::TicketMax).map(super::figure::Figure::value) {
            return Some(match () {
                () if amount <= most => 1_000,
                // A fund takes a share of a project: how many times the largest ticket that is.
                () if asker.flags.has(Flags::TOTAL) => {
                    stepped(&scale.project_steps, thousandths(amount, most), scale.project_larger)
                }
                () => ratio(most, amount).max(scale.size_least),
            });
        }
        if let Some(capacity) = giver.figure(Slot::Capacity).filter(|_| !asker.flags.has(Flags::TOTAL)) {
            return Some(share_value(amount, capacity.value(), scale.size_share, scale));
        }
        // At least the least ticket is known to be kept.
        giver.figure(Slot::Amount).filter(|least| amount >= least.value()).map(|_| 1_000)
    }

    /// Land and floor against what is wanted, and what the parcel asks for.
    #[inline]
    pub(super) fn land(&self) -> Option<u16> {
        let mut mean = Mean::default();
        for slot in [Slot::Area, Slot::Floor] {
            mean.add(self.room(slot), 3);
        }
        for slot in [Slot::Intensity, Slot::Output, Slot::Tax] {
            mean.add(self.keeps(slot), 1);
        }
        mean.value()
    }

    /// Enough room and not too much; more than enough still suits.
    #[inline]
    fn room(&self, slot: Slot) -> Option<u16> {
        let (wanted, there) = (self.left.figure(slot)?, self.right.figure(slot)?);
        let scale = &self.rules.scale;
        if there.value() < wanted.value() {
            // Where a soft figure may be enough it counts for something, where it cannot be for nothing.
            return Some(if self.falls_short(slot) { 0 } else { scale.land_barely });
        }
        Some(stepped(&scale.land_steps, thousandths(there.value(), wanted.value()), scale.land_larger))
    }

    /// Whether what a parcel asks for is kept.
    #[inline]
    fn keeps(&self, slot: Slot) -> Option<u16> {
        let (offered, asked) = (self.left.figure(slot)?, self.right.figure(slot)?);
        Some(match offered.value() >= asked.value() {
            true => 1_000,
            false if self.asks_more(slot) => 0,
            false => self.rules.scale.land_barely,
        })
    }

    /// Energy and discharge against the quotas.
    #[inline]
    pub(super) fn energy(&self) -> Option<u16> {
        let enough = |slot| {
            let (wanted, there) = (self.left.figure(slot)?, self.right.figure(slot)?);
            Some(match there.value() >= wanted.value() {
                true => 1_000,
                false => permille(ratio(there.value(), wanted.value()), self.rules.scale.energy_short),
            })
        };
        let mut mean = Mean::default();
        mean.add(enough(Slot::Energy), 1);
        mean.add(enough(Slot::Discharge), 1);
        mean.value()
    }

    /// Stages in common, or next to each other.
    #[inline]
    pub(super) fn stage(&self) -> Option<u16> {
        let (left, right) = (self.left.stages, self.right.stages);
        match (left, right) {
            (0, _) | (_, 0) => None,
            _ if left & right != 0 => Some(1_000),
            _ if (left << 1 | left >> 1) & right != 0 => Some(self.rules.scale.stage_near),
            _ => Some(0),
        }
    }

    /// Forms in common, in each group of which both say something, and whether what is to be shared is.
    #[inline]
    pub(super) fn form(&self) -> Option<u16> {
        let mut mean = Mean::default();
        for (_, bits) in &self.rules.form_groups {
            let (left, right) = (self.left.forms & bits, self.right.forms & bits);
            if left != 0 && right != 0 {
                let common = (left & right).count_ones() * 1_000 / left.count_ones().min(right.count_ones());
                mean.add(Some(common as u16), 1);
            }
        }
        mean.add(self.sharing(), 1);
        mean.value()
    }

    /// Whether what one wants to share the other shares with other counties.
    #[inline]
    pub(super) fn sharing(&self) -> Option<u16> {
        let of = |one: &Profile, other: &Profile| match () {
            () if !one.flags.has(Flags::WANTS_SHARED) => None,
            () if other.flags.has(Flags::SHARED) => Some(1_000),
            () if other.flags.has(Flags::NOT_SHARED) => Some(0),
            () => None,
        };
        of(self.left, self.right).or_else(|| of(self.right, self.left))
    }

    /// The days that are left, whether it can be had in time, and how ready it is.
    #[inline]
    pub(super) fn timing(&self) -> Option<u16> {
        let scale = &self.rules.scale;
        let mut least: Option<u16> = None;
        for (one, other) in [(self.left, self.right), (self.right, self.left)] {
            let left = one.valid_until().map(|last| {
                let ample = i64::from(scale.ample_days);
                let days = (i64::from(last) - i64::from(self.day)).clamp(0, ample);
                scale.timing_last + ((1_000 - i64::from(scale.timing_last)) * days / ample) as u16
            });
            for value in [one.ready(), left, self.waiting(one, other)].into_iter().flatten() {
                least = Some(least.map_or(value, |least| least.min(value)));
            }
        }
        least
    }

    /// How long one has to be waited for, and how much later than the last day of the other that is.
    #[inline]
    fn waiting(&self, one: &Profile, other: &Profile) -> Option<u16> {
        let scale = &self.rules.scale;
        let from = i64::from(one.available_from()?);
        let days = |days: i64| u64::try_from(days).unwrap_or(0);
        let wait = stepped(&scale.wait_steps, days(from - i64::from(self.day)), scale.wait_longer);
        let late = other.valid_until().map(|last| from - i64::from(last)).filter(|late| *late > 0);
        let late = late.map(|late| stepped(&scale.late_steps, days(late), scale.late_longer));
        Some(late.map_or(wait, |late| late.min(wait)))
    }

    /// How lately both were brought up to date.
    #[inline]
    pub(super) fn freshness(&self) -> u16 {
        let scale = &self.rules.scale;
        let of = |profile: &Profile| {
            let age = i64::from(self.day) - i64::from(profile.changed_day());
            stepped(&scale.freshness_steps, u64::try_from(age).unwrap_or(0), scale.freshness_older)
        };
        mean(of(self.left), of(self.right))
    }

    /// How much of the pair could be judged, by weight: freshness, text and itself left aside.
    #[inline]
    pub(super) fn completeness(&self, values: &Values) -> u16 {
        let (mut known, mut all) = (0_u32, 0_u32);
        for dimension in Dimension::ALL {
            if matches!(dimension, Dimension::Text | Dimension::Freshness | Dimension::Completeness) {
                continue;
            }
            let weight = u32::from(self.pair.weight(dimension));
            all += weight;
            known += if values.get(dimension).is_some() { weight } else { 0 };
        }
        (known * 1_000).checked_div(all).map_or(1_000, |value| value as u16)
    }

    /// What a dimension counts: its value, or what counts while it is not known.
    #[inline]
    pub(super) fn counted(&self, dimension: Dimension, values: &Values) -> u16 {
        values.get(dimension).unwrap_or(self.rules.scale.unknown[dimension.index()])
    }

    /// The sum of weight times value over all dimensions but the text.
    #[inline]
    pub(super) fn points_without_text(&self, values: &Values) -> u64 {
        let mut points = 0;
        for dimension in Dimension::ALL {
            if dimension != Dimension::Text {
                points += u64::from(self.pair.weight(dimension)) * u64::from(self.counted(dimension, values));
            }
        }
        points
    }

    /// Points as parts of a million of all that could be reached.
    #[inline]
    pub(super) fn rate(&self, points: u64) -> u32 {
        (points * 1_000 / u64::from(self.pair.total().max(1))) as u32
    }
}

/// Whether the use of land that one states admits an industry of the other. What was read out of words is not certain
/// enough to exclude.
#[inline]
fn admits(land: &Profile, other: &Profile) -> bool {
    if land.purposes == 0 || other.flags.has(Flags::INDUSTRY_BY_WORDS) {
        return true;
    }
    let mut industries = other.industries().map(super::industry::section_bit).filter(|bit| *bit != 0).peekable();
    industries.peek().is_none() || industries.any(|bit| bit & land.purposes != 0)
}

/// What of a wish holds: a place in the table of what is wanted. `None` when nothing is wanted, or nothing is known.
#[inline]
fn wish(who: &Profile, whom: &Profile) -> Option<usize> {
    if !who.wants_regions() {
        return None;
    }
    if whom.division == 0 && whom.located == 0 {
        return None;
    }
    let targets = who.targets.iter().filter(|target| **target != 0);
    let narrow = targets.filter(|target| whom.division != 0 && region::covers(**target, whom.division));
    let narrow = narrow.map(|target| match target {
        _ if target % 10_000 == 0 => 2,
        _ if target % 100 == 0 => 3,
        _ => 4,
    });
    let named = (who.wanted & whom.located != 0).then_some(1);
    Some(narrow.chain(named).max().unwrap_or(0))
}

/// Whether one allows certain regions only and the other lies in none of them.
#[inline]
fn rules_region_out(who: &Profile, whom: &Profile) -> bool {
    who.flags.has(Flags::ONLY_WANTED) && whom.division != 0 && wish(who, whom) == Some(0)
}

/// Whether one rules out every industry of the other.
#[inline]
fn rules_industry_out(who: &Profile, whom: &Profile) -> bool {
    let out = |industry| who.ruled_out().any(|ruled| ruled.covers(industry));
    let mut industries = whom.industries().peekable();
    industries.peek().is_some() && industries.all(out)
}

#[inline]
fn permille(value: u16, part: u16) -> u16 {
    (u32::from(value) * u32::from(part) / 1_000).min(1_000) as u16
}

#[inline]
fn mean(one: u16, other: u16) -> u16 {
    ((u32::from(one) + u32::from(other)) / 2) as u16
}

/// `part / whole` in permille, at most 1,000; of nothing, nothing.
#[inline]
fn ratio(part: i64, whole: i64) -> u16 {
    if whole <= 0 { 0 } else { thousandths(part, whole).min(1_000) as u16 }
}

/// How many thousandths of a figure another is. Divisions of 128 bits are slow, and nearly no figure needs one.
#[inline]
fn thousandths(figure: i64, of: i64) -> u64 {
    let (figure, of) = (figure.max(0).unsigned_abs(), of.max(1).unsigned_abs());
    match figure.checked_mul(1_000) {
        Some(thousandfold) => thousandfold / of,
        None => u64::try_from(u128::from(figure) * 1_000 / u128::from(of)).unwrap_or(u64::MAX),
    }
}

/// A ticket against all that there is: best up to `share` of it, less up to all of it, little beyond.
#[inline]
fn share_value(amount: i64, whole: i64, share: u16, scale: &super::rules::Scale) -> u16 {
    let taken = ratio(amount, whole);
    let beyond = amount > whole;
    match () {
        () if beyond => ratio(whole, amount).min(scale.size_share_whole).max(scale.size_least),
        () if taken <= share => 1_000,
        () => {
            let (span, over) = (u32::from(1_000 - share).max(1), u32::from(taken - share));
            1_000 - (u32::from(1_000 - scale.size_share_whole) * over / span) as u16
        }
    }
}

/// The mean of what is known, by weight.
#[derive(Default)]
struct Mean {
    sum: u32,
    weights: u32,
}

impl Mean {
    #[inline]
    fn add(&mut self, value: Option<u16>, weight: u32) {
        if let Some(value) = value {
            self.sum += u32::from(value) * weight;
            self.weights += weight;
        }
    }

    #[inline]
    fn value(&self) -> Option<u16> {
        self.sum.checked_div(self.weights).map(|mean| mean as u16)
    }
}
