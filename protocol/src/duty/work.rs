//! What was done for a duty until a time, and what of it is for one period.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::calendar::Span;
use super::judge::Evidence;
use super::ledger::{Credit, Sort};
use crate::identity::{EntryId, MemberNumber};
use crate::limits::DUTY_EVIDENCE_MAX;

/// What was done, once for each statement or record.
pub(super) struct Performance {
    pub(super) evidence: Evidence,
    /// The days that it names; otherwise it counts for the period in which it was done.
    pub(super) named: Option<Span>,
    pub(super) amount: Option<Decimal>,
}

/// Everything that somebody did for a duty until the time of the question.
pub(super) struct Work {
    pub(super) performances: Vec<Performance>,
    /// Times at which something was done that names no period, ascending, each with what shows it.
    plain: Vec<Evidence>,
    /// When something was said that this build cannot read.
    unreadable_ms: Vec<u64>,
}

impl Work {
    /// What records that can perform a duty did for it until a time.
    pub(super) fn of<'a>(done: impl Iterator<Item = (MemberNumber, EntryId, &'a [Credit])>, as_of_ms: u64) -> Self {
        let (mut performances, mut unreadable_ms) = (Vec::new(), Vec::new());
        for (author, record, credits) in done {
            let visible = credits.iter().filter(|credit| credit.time_ms <= as_of_ms);
            let evidence = |credit: &Credit, no_change| Evidence {
                time_ms: credit.time_ms,
                place: credit.place,
                record,
                author,
                no_change,
            };
            // What a record names is what it says last; what shows it is where it said so first.
            let mut named: Option<(Span, Option<Performance>)> = None;
            for credit in visible {
                let believed = !credit.is_dated_back;
                match credit.sort {
                    Sort::Void => named = None,
                    Sort::Unreadable => unreadable_ms.push(credit.time_ms),
                    Sort::Done { no_change } if believed => {
                        let evidence = evidence(credit, no_change);
                        performances.push(Performance { evidence, named: None, amount: credit.amount });
                    }
                    Sort::Done { .. } => {}
                    Sort::Named { no_change, span } => {
                        let held = named.take().filter(|(held, _)| *held == span).and_then(|(_, held)| held);
                        let said = evidence(credit, no_change);
                        let first = held.map(|held| held.evidence).or(believed.then_some(said));
                        let performance = first.map(|first| {
                            let evidence = Evidence { no_change, ..first };
                            Performance { evidence, named: Some(span), amount: credit.amount }
                        });
                        named = Some((span, performance));
                    }
                }
            }
            performances.extend(named.and_then(|(_, performance)| performance));
        }
        performances.sort_by_key(|performance| {
            let Evidence { time_ms, place, record, .. } = performance.evidence;
            (time_ms, record, place)
        });
        let unnamed = performances.iter().filter(|performance| performance.named.is_none());
        let plain = unnamed.map(|performance| performance.evidence).collect();
        Self { performances, plain, unreadable_ms }
    }

    /// Whether anything was said at or after a time that this build cannot read.
    pub(super) fn is_unreadable_from(&self, time_ms: u64) -> bool {
        self.unreadable_ms.iter().any(|said_ms| *said_ms >= time_ms)
    }

    /// The first thing done at or after a time that names no period.
    pub(super) fn plain_from(&self, time_ms: u64) -> Option<&Evidence> {
        self.plain.get(self.plain.partition_point(|evidence| evidence.time_ms < time_ms))
    }
}

impl Performance {
    /// From when on it counts.
    pub(super) fn start_ms(&self) -> u64 {
        self.named.map_or(self.evidence.time_ms, |span| span.start_ms)
    }
}

/// What was done for one period, each record once, with its amount.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) changed: BTreeMap<EntryId, Option<Decimal>>,
    pub(super) unchanged: BTreeSet<EntryId>,
    pub(super) late: BTreeMap<EntryId, Option<Decimal>>,
    pub(super) evidence: Vec<Evidence>,
}

impl Tally {
    pub(super) fn of(span: Span, due_ms: u64, work: &Work) -> Self {
        let mut tally = Self::default();
        for Performance { evidence, named, amount } in &work.performances {
            let is_for_it = match named {
                // What is said before the period begins says nothing of it.
                Some(named) => span.covers(*named) && span.start_ms <= evidence.time_ms,
                None => span.contains(evidence.time_ms) && evidence.time_ms < due_ms,
            };
            if !is_for_it {
                continue;
            }
            let is_new = if evidence.time_ms >= due_ms {
                tally.late.insert(evidence.record, *amount).is_none()
            } else if evidence.no_change {
                tally.unchanged.insert(evidence.record)
            } else {
                tally.changed.insert(evidence.record, *amount).is_none()
            };
            if is_new && tally.evidence.len() < DUTY_EVIDENCE_MAX {
                tally.evidence.push(*evidence);
            }
        }
        tally
    }
}
