//! Figures made of facts: value, verdict, coverage, evidence.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::definition::{Aggregate, Compute, Definitions, Indicator};
use super::facts::{Facts, Piece, Said};
use super::roster::Roster;
use super::span::{Range, Span};
use super::verdict::{Absence, Verdict, verdict};
use super::{Commitment, shown};
use crate::charter::Class;
use crate::identity::{EntryId, MemberNumber};
use crate::value::Date;

/// One indicator at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its code.
    pub code: String,
    /// First day of the period; `None` for what has no ends.
    pub from: Option<Date>,
    /// Last day of it.
    pub until: Option<Date>,
    /// The value; `None` when there is nothing to compute it from.
    pub value: Option<Share>,
    /// Why there is no value, where there is none.
    pub absence: Option<Absence>,
    /// The part of it that others confirm; `None` where nobody could.
    pub confirmed: Option<Share>,
    /// What the value comes to against the target.
    pub verdict: Verdict,
    /// How many members it speaks of.
    pub coverage: Coverage,
    /// Records that lack the figure or the date.
    pub unknown: usize,
    /// Records whose figure must not be added.
    pub left_out: usize,
    /// Records of what another record states already.
    pub duplicates: usize,
    /// The records that contribute, in the order of their ids.
    pub evidence: BTreeMap<EntryId, Evidence>,
    /// Where the smallest of several counts: each of them. A group is called by a text or by the id of a record.
    pub groups: BTreeMap<String, Decimal>,
}

/// A value: a number, or one over another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The number, or what stands above the line.
    pub above: Decimal,
    /// What stands below it.
    pub below: Option<Decimal>,
    /// By how much the quotient is multiplied for its unit: 100 for percent.
    pub scale: Decimal,
}

/// Members that stated something, of those that could have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Members counted.
    pub counted: usize,
    /// Members due.
    pub due: usize,
}

/// What one record contributes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What it adds to the value, or above the line.
    pub above: Option<Decimal>,
    /// What it adds below the line.
    pub below: Option<Decimal>,
    /// Whether another member confirms it.
    pub is_confirmed: bool,
}

/// How a duty was performed in its last full period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DutyRate {
    /// The first day of the period.
    pub from: Option<Date>,
    /// The last day of it.
    pub until: Option<Date>,
    /// Members that owed it.
    pub owed: usize,
    /// Members that performed it in time.
    pub performed: usize,
    /// The records that prove it.
    pub evidence: BTreeSet<EntryId>,
}

impl Share {
    fn plain(value: Decimal) -> Self {
        Self { above: value, below: None, scale: Decimal::ONE }
    }

    /// The value itself; a quotient to 28 digits.
    pub fn value(&self) -> Option<Decimal> {
        match self.below {
            None => Some(self.above),
            Some(below) => self.above.checked_mul(self.scale)?.checked_div(below),
        }
    }

    /// The value as people and bulletins see it.
    pub fn text(&self) -> Option<String> {
        self.value().map(shown)
    }

    /// How it compares with a number, exactly where that fits into numbers.
    pub(super) fn compare(&self, target: Decimal) -> Option<std::cmp::Ordering> {
        if let Some(below) = self.below
            && let (Some(left), Some(right)) = (self.above.checked_mul(self.scale), target.checked_mul(below))
        {
            return Some(left.cmp(&right));
        }
        self.value().map(|value| value.cmp(&target))
    }
}

impl Figure {
    /// The ids of the records that contribute.
    pub fn records(&self) -> BTreeSet<EntryId> {
        self.evidence.keys().copied().collect()
    }

    /// The records that contribute, shortly.
    pub fn commitment(&self) -> Commitment {
        Commitment::of(&self.records())
    }
}

/// The figures of all indicators, in their order. `duty` says how a duty was performed in its last full period.
pub fn evaluate(
    definitions: &Definitions,
    facts: &BTreeMap<EntryId, Facts>,
    roster: &Roster,
    as_of_ms: u64,
    duty: &dyn Fn(&str) -> Option<DutyRate>,
) -> Vec<Figure> {
    let evaluation = Evaluation::new(definitions, facts, roster, as_of_ms);
    definitions.indicators().iter().map(|indicator| evaluation.figure(indicator, duty)).collect()
}

struct Evaluation<'a> {
    definitions: &'a Definitions,
    roster: &'a Roster,
    as_of_ms: u64,
    /// The pieces of each slot, in the order of the ids of their records.
    pieces: Vec<Vec<(EntryId, &'a Facts, &'a Piece)>>,
    /// Who has stated records of a kind.
    stated: BTreeMap<u16, BTreeSet<MemberNumber>>,
    entered: BTreeMap<&'a str, Vec<(EntryId, &'a Facts)>>,
}

/// Of each thing when the record was created that speaks for it, and which it is.
type Speakers = BTreeMap<[u8; 16], (u64, EntryId)>;

/// A record that contributes to one part of a figure.
#[derive(Clone)]
struct Row<'a> {
    id: EntryId,
    amount: Decimal,
    is_confirmed: bool,
    groups: &'a [String],
}

/// One part of a figure.
#[derive(Default)]
struct Part<'a> {
    rows: Vec<Row<'a>>,
    unknown: BTreeSet<EntryId>,
    left_out: BTreeSet<EntryId>,
    duplicates: BTreeSet<EntryId>,
    /// Groups that are there even where no record is of them.
    groups: BTreeSet<&'a str>,
}

impl<'a> Evaluation<'a> {
    fn new(
        definitions: &'a Definitions,
        facts: &'a BTreeMap<EntryId, Facts>,
        roster: &'a Roster,
        as_of_ms: u64,
    ) -> Self {
        let mut pieces = vec![Vec::new(); definitions.places.len()];
        let (mut stated, mut entered) = (BTreeMap::<u16, BTreeSet<MemberNumber>>::new(), BTreeMap::new());
        for (id, held) in facts {
            stated.entry(held.kind).or_default().insert(held.owner);
            held.pieces.iter().for_each(|piece| pieces[piece.slot].push((*id, held, piece)));
            if let Some(value) = &held.entered {
                entered.entry(value.code.as_str()).or_insert_with(Vec::new).push((*id, held));
            }
        }
        Self { definitions, roster, as_of_ms, pieces, stated, entered }
    }

    fn figure(&self, indicator: &Indicator, duty: &dyn Fn(&str) -> Option<DutyRate>) -> Figure {
        let range = indicator.span.range(self.as_of_ms);
        let mut figure = Figure {
            code: indicator.code.clone(),
            from: range.map(|range| range.from),
            until: range.map(|range| range.until),
            value: None,
            absence: None,
            confirmed: None,
            verdict: Verdict::Unknown,
            coverage: self.coverage(indicator),
            unknown: 0,
            left_out: 0,
            duplicates: 0,
            evidence: BTreeMap::new(),
            groups: BTreeMap::new(),
        };
        match &indicator.compute {
            Compute::Members { classes, provinces } => self.members(indicator, classes, *provinces, &mut figure),
            Compute::Seats(role) => {
                let filled = self.roster.seats.get(role.name()).copied().unwrap_or_default();
                figure.value = Some(Share::plain(Decimal::from(filled)));
            }
            Compute::One(aggregate, slots) => self.one(indicator, *aggregate, slots, range, &mut figure),
            Compute::Rate { above, below } => {
                let rate = self.rate(indicator, above, below, range, &mut figure);
                (figure.value, figure.confirmed) = rate;
            }
            Compute::Growth { above, below } => self.growth(indicator, above, below, &mut figure),
            Compute::Duty(rule) => of_duty(duty(rule), &mut figure),
            Compute::Entered => self.entered(indicator, &mut figure),
            Compute::Nothing => {}
        }
        figure.verdict = verdict(indicator, &figure, self.roster.founded_ms, self.as_of_ms);
        // A rate whose denominator is nothing has no value either.
        if figure.value.and_then(|value| value.value()).is_none() {
            figure.absence = Some(self.absence(indicator, &figure));
        }
        figure
    }

    fn absence(&self, indicator: &Indicator, figure: &Figure) -> Absence {
        let is_stated = figure.unknown + figure.left_out > 0;
        match &indicator.compute {
            Compute::Nothing => Absence::NotComputable,
            Compute::Duty(_) => Absence::NotOwed,
            Compute::Growth { .. } if !self.has_base() => Absence::TooEarly,
            Compute::Entered if !is_stated => Absence::NotEntered,
            _ if is_stated => Absence::NoFigure,
            _ => Absence::NoRecord,
        }
    }

    /// Whether the first full year after the founding, with which growth is compared, is over.
    fn has_base(&self) -> bool {
        let year = |time_ms: u64| Date::of_ms(time_ms).map(Date::year);
        year(self.as_of_ms).zip(year(self.roster.founded_ms)).is_some_and(|(now, founded)| now > founded + 1)
    }

    fn coverage(&self, indicator: &Indicator) -> Coverage {
        let due: BTreeSet<MemberNumber> =
            self.roster.active(&indicator.members_due, &indicator.region).map(|(number, _)| number).collect();
        let kinds = self.definitions.kinds_of(&indicator.compute);
        let has_stated = |member: &&MemberNumber| {
            kinds.iter().any(|kind| self.stated.get(kind).is_some_and(|stated| stated.contains(member)))
        };
        Coverage { counted: due.iter().filter(has_stated).count(), due: due.len() }
    }

    fn members(&self, indicator: &Indicator, classes: &[Class], provinces: bool, figure: &mut Figure) {
        let active: Vec<_> = self.roster.active(classes, &indicator.region).collect();
        figure.coverage = Coverage { counted: active.len(), due: active.len() };
        let value = if provinces {
            let of = |region: &str| region.get(..2).map(str::to_owned);
            let found: BTreeSet<String> = active.iter().filter_map(|(_, member)| of(&member.region)).collect();
            figure.unknown = active.iter().filter(|(_, member)| of(&member.region).is_none()).count();
            figure.coverage.counted -= figure.unknown;
            found.len()
        } else {
            active.len()
        };
        figure.value = Some(Share::plain(Decimal::from(value)));
    }

    /// Which of the records that are one and the same thing speaks for it: of those that state the figure the one that was
    /// created first, of two created at once the one with the lesser id. It speaks with its own date, so that a thing
    /// counts in one period only, above and below the line alike.
    fn speakers(&self, indicator: &Indicator, slots: &[usize]) -> Speakers {
        let mut speakers = Speakers::new();
        for (id, facts, piece) in self.within(indicator, slots) {
            if let Some(key) = piece.once.filter(|_| matches!(piece.said, Said::Amount(_))) {
                let first = speakers.entry(key).or_insert((facts.created_ms, id));
                *first = (*first).min((facts.created_ms, id));
            }
        }
        speakers
    }

    /// The records of one part of a figure.
    fn part(&self, indicator: &Indicator, slots: &[usize], speakers: &Speakers, range: Option<Range>) -> Part<'a> {
        let mut part = Part::default();
        for (id, _, piece) in self.within(indicator, slots) {
            if self.definitions.source(piece.slot).is_some_and(|source| source.is_group) {
                part.groups.extend(piece.groups.iter().map(String::as_str));
                continue;
            }
            match range.and_then(|range| Some(range.holds(piece.date?, self.as_of_ms))) {
                Some(Some(false)) => continue,
                Some(None) => {
                    part.unknown.insert(id);
                    continue;
                }
                Some(Some(true)) | None => {}
            }
            match piece.said {
                Said::Unknown => _ = part.unknown.insert(id),
                Said::LeftOut => _ = part.left_out.insert(id),
                Said::Amount(_)
                    if piece.once.is_some_and(|key| speakers.get(&key).is_some_and(|(_, first)| *first != id)) =>
                {
                    part.duplicates.insert(id);
                }
                Said::Amount(amount) => {
                    let Some(amount) = share_of(indicator, piece, amount) else {
                        part.left_out.insert(id);
                        continue;
                    };
                    let is_confirmed = piece.is_confirmed;
                    part.rows.push(Row { id, amount, is_confirmed, groups: &piece.groups });
                }
            }
        }
        part
    }

    /// The pieces of some slots that are of the place that an indicator is about.
    fn within<'s>(
        &'s self,
        indicator: &'s Indicator,
        slots: &'s [usize],
    ) -> impl Iterator<Item = (EntryId, &'a Facts, &'a Piece)> + 's {
        let held = slots.iter().flat_map(|slot| self.pieces.get(*slot).into_iter().flatten().copied());
        held.filter(|(_, facts, piece)| {
            let Some(owner) = self.roster.members.get(&facts.owner) else { return false };
            let is_here = match piece.shares.is_empty() || indicator.region.is_empty() {
                true => owner.is_of(&indicator.region),
                false => piece.shares.iter().any(|(code, _)| code.starts_with(&indicator.region)),
            };
            is_here && (indicator.span != Span::Stock || owner.is_active)
        })
    }

    fn one(
        &self,
        indicator: &Indicator,
        aggregate: Aggregate,
        slots: &[usize],
        range: Option<Range>,
        figure: &mut Figure,
    ) {
        let part = self.part(indicator, slots, &self.speakers(indicator, slots), range);
        note(figure, &part, true);
        figure.value = value_of(aggregate, &part, figure);
        if self.can_be_confirmed(slots) {
            let rows = part.rows.iter().filter(|row| row.is_confirmed).cloned().collect();
            let confirmed = Part { rows, ..Part::default() };
            figure.confirmed = match aggregate {
                Aggregate::Count => Some(Share::plain(Decimal::from(confirmed.rows.len()))),
                Aggregate::Sum => total(&confirmed.rows).map(Share::plain),
                _ => None,
            };
        }
    }

    fn can_be_confirmed(&self, slots: &[usize]) -> bool {
        let source = |slot: &usize| self.definitions.source(*slot);
        slots.iter().filter_map(source).any(|source| source.confirmed != super::definition::Confirmed::Never)
    }

    fn rate(
        &self,
        indicator: &Indicator,
        above: &[usize],
        below: &[usize],
        range: Option<Range>,
        figure: &mut Figure,
    ) -> (Option<Share>, Option<Share>) {
        let speakers = self.speakers(indicator, &[above, below].concat());
        let part = |slots: &[usize]| self.part(indicator, slots, &speakers, range);
        let (over, under) = (part(above), part(below));
        note(figure, &over, true);
        note(figure, &under, false);
        let unknown: BTreeSet<EntryId> = over.unknown.union(&under.unknown).copied().collect();
        let left_out: BTreeSet<EntryId> = over.left_out.union(&under.left_out).copied().collect();
        let duplicates: BTreeSet<EntryId> = over.duplicates.union(&under.duplicates).copied().collect();
        (figure.unknown, figure.left_out, figure.duplicates) = (unknown.len(), left_out.len(), duplicates.len());
        // What must not be added above the line does not stand below it either.
        let kept = |part: Part<'a>, other: &BTreeSet<EntryId>| -> Vec<Row<'a>> {
            part.rows.into_iter().filter(|row| !other.contains(&row.id)).collect()
        };
        let (over_rows, under_rows) = (kept(over, &left_out), kept(under, &left_out));
        figure.evidence.retain(|id, _| !left_out.contains(id));
        let Some(below) = total(&under_rows).filter(|below| !below.is_zero()) else { return (None, None) };
        let scale = scale(indicator);
        let share = |rows: &[Row<'_>]| Some(Share { above: total(rows)?, below: Some(below), scale });
        let confirmed: Vec<Row<'a>> = over_rows.iter().filter(|row| row.is_confirmed).cloned().collect();
        let confirmed = if self.can_be_confirmed(above) { share(&confirmed) } else { None };
        (share(&over_rows), confirmed)
    }

    fn growth(&self, indicator: &Indicator, above: &[usize], below: &[usize], figure: &mut Figure) {
        let year = |time_ms: u64| Date::of_ms(time_ms).map(Date::year);
        let (Some(now), Some(founded)) = (year(self.as_of_ms), year(self.roster.founded_ms)) else { return };
        let base = founded.saturating_add(1);
        let (Some(base_range), Some(now_range)) = (Range::year(base), Range::year(now)) else { return };
        if !self.has_base() {
            return;
        }
        let (before, _) = self.rate(indicator, above, below, Some(base_range), figure);
        let lacking = (figure.unknown, figure.left_out, figure.duplicates);
        let (after, _) = self.rate(indicator, above, below, Some(now_range), figure);
        figure.unknown += lacking.0;
        figure.left_out += lacking.1;
        figure.duplicates += lacking.2;
        let rates = before.and_then(|before| before.value()).zip(after.and_then(|after| after.value()));
        figure.value = rates.and_then(|(before, after)| {
            // Both stand for the same unit already, so it falls out of the quotient.
            let above = after.checked_sub(before)?;
            (!before.is_zero()).then_some(Share { above, below: Some(before), scale: Decimal::ONE_HUNDRED })
        });
    }

    /// The last value that who is assessed, or for the federation its secretariat, entered. One for a period that has not
    /// begun is a plan.
    fn entered(&self, indicator: &Indicator, figure: &mut Figure) {
        let may = |owner: MemberNumber| {
            let Some(member) = self.roster.members.get(&owner) else { return false };
            match indicator.region.is_empty() {
                true => member.class == Class::Secretariat,
                false => member.is_of(&indicator.region),
            }
        };
        let held = self.entered.get(indicator.code.as_str()).into_iter().flatten();
        let held: Vec<_> = held.filter(|(_, facts)| may(facts.owner)).collect();
        let today = Date::of_ms(self.as_of_ms);
        let values = held.iter().filter_map(|(id, facts)| {
            let entered = facts.entered.as_deref()?;
            if entered.first > today {
                return None;
            }
            Some((entered.last, facts.created_ms, *id, entered.value?, entered.first))
        });
        let last = values.max_by_key(|(last, created_ms, id, ..)| (*last, *created_ms, *id));
        let without = |facts: &Facts| facts.entered.as_deref().is_some_and(|entered| entered.value.is_none());
        figure.unknown = held.iter().filter(|(_, facts)| without(facts)).count();
        figure.coverage = Coverage { counted: usize::from(last.is_some()), due: 1 };
        let Some((until, _, id, value, from)) = last else { return };
        (figure.from, figure.until) = (from, until);
        figure.value = Some(Share::plain(value));
        figure.evidence.insert(id, Evidence { above: Some(value), below: None, is_confirmed: false });
    }
}

/// What of an amount is of the place that an indicator is about.
fn share_of(indicator: &Indicator, piece: &Piece, amount: Decimal) -> Option<Decimal> {
    if piece.shares.is_empty() || indicator.region.is_empty() {
        return Some(amount);
    }
    let here = piece.shares.iter().filter(|(code, _)| code.starts_with(&indicator.region));
    let percent = here.map(|(_, share)| *share).try_fold(Decimal::ZERO, Decimal::checked_add)?;
    amount.checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)
}

/// Notes what a part says beside its value.
fn note(figure: &mut Figure, part: &Part<'_>, is_above: bool) {
    figure.unknown = part.unknown.len();
    figure.left_out = part.left_out.len();
    figure.duplicates = part.duplicates.len();
    for row in &part.rows {
        let evidence = figure.evidence.entry(row.id).or_default();
        let side = if is_above { &mut evidence.above } else { &mut evidence.below };
        *side = side.unwrap_or_default().checked_add(row.amount);
        evidence.is_confirmed |= row.is_confirmed;
    }
}

fn total(rows: &[Row<'_>]) -> Option<Decimal> {
    rows.iter().try_fold(Decimal::ZERO, |sum, row| sum.checked_add(row.amount))
}

fn value_of(aggregate: Aggregate, part: &Part<'_>, figure: &mut Figure) -> Option<Share> {
    let rows = &part.rows;
    match aggregate {
        Aggregate::Count => Some(Share::plain(Decimal::from(rows.len()))),
        Aggregate::Sum => total(rows).map(Share::plain),
        Aggregate::Average => {
            let below = (!rows.is_empty()).then(|| Decimal::from(rows.len()))?;
            Some(Share { above: total(rows)?, below: Some(below), scale: Decimal::ONE })
        }
        Aggregate::Least | Aggregate::Distinct => {
            for row in rows {
                for group in row.groups {
                    let sum = figure.groups.entry(group.clone()).or_default();
                    *sum = sum.checked_add(row.amount)?;
                }
            }
            part.groups.iter().for_each(|group| _ = figure.groups.entry((*group).to_owned()).or_default());
            match aggregate {
                Aggregate::Distinct => Some(Share::plain(Decimal::from(figure.groups.len()))),
                _ => figure.groups.values().min().copied().map(Share::plain),
            }
        }
    }
}

/// By how much a quotient is multiplied for the unit of an indicator.
fn scale(indicator: &Indicator) -> Decimal {
    if indicator.unit == "%" { Decimal::ONE_HUNDRED } else { Decimal::ONE }
}

fn of_duty(rate: Option<DutyRate>, figure: &mut Figure) {
    let Some(rate) = rate else {
        (figure.from, figure.until) = (None, None);
        return;
    };
    (figure.from, figure.until) = (rate.from, rate.until);
    figure.coverage = Coverage { counted: rate.owed, due: rate.owed };
    if rate.owed > 0 {
        let (above, below) = (Decimal::from(rate.performed), Some(Decimal::from(rate.owed)));
        figure.value = Some(Share { above, below, scale: Decimal::ONE_HUNDRED });
    }
    let proof = Evidence { above: Some(Decimal::ONE), below: None, is_confirmed: false };
    figure.evidence = rate.evidence.into_iter().map(|id| (id, proof)).collect();
}
