//! How many matches that were taken up led to an agreement, with the period that this is said of (F074).
//!
//! *Taken up*: matches that ever stood in the state `taken_up`, by the verdict's date of the first such statement that
//! counts; one that was found unfit later was taken up all the same. *Signed*: of these, the ones for which talks (kind
//! `negotiation`) that name the match stand in the state `agreement` at the time of the question. Where no talks name a
//! match, nobody knows what came of it: it stands below the line all the same, and is told apart.

use std::collections::{BTreeMap, BTreeSet};

use super::{Counted, Source, Sources, Surrounding};
use crate::identity::EntryId;
use crate::kind::{Lifecycle, Position};
use crate::value::{Date, Value};

/// The kinds that are looked at.
pub const KINDS: [&str; 2] = [MATCH, TALKS];

const MATCH: &str = "match";
const TALKS: &str = "negotiation";
const TAKEN_UP: &str = "taken_up";
const NOT_FIT: &str = "not_fit";
const AGREEMENT: &str = "agreement";
/// States in which talks ended without an agreement.
const ENDED: [&str; 2] = ["declined", "broken_off"];
const JUDGED_ON: &str = "judged_on";
const MATCH_LINK: &str = "match";

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// First day of the period in which matches were taken up; `None` from the beginning.
    pub from: Option<Date>,
    /// Its last day; `None` until now.
    pub until: Option<Date>,
    /// The time of the question.
    pub as_of_ms: u64,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Matches that were taken up in the period: the number below the line.
    pub taken_up: usize,
    /// Of these, signed: the number above it.
    pub signed: Sources,
    /// Of these, with talks that go on.
    pub in_talks: usize,
    /// Of these, whose talks all ended without an agreement, or that were found unfit afterwards.
    pub ended: usize,
    /// Of these, without any talks that would say what came of it.
    pub unknown: Sources,
    /// Taken up, on a date that is not known well enough to say whether it lies in the period.
    pub undated: Sources,
    /// Taken up outside the period.
    pub outside: usize,
    /// Never taken up, by the state in which they stand: Chinese, English, how many.
    pub others: Vec<(String, String, usize)>,
    /// Talks that name a match that is not known here.
    pub talks_astray: usize,
}

/// The survey while records are handed in.
#[derive(Debug, Clone)]
pub struct Success {
    question: Question,
    /// With whether they were found unfit afterwards.
    taken_up: BTreeMap<EntryId, (Source, bool)>,
    talks: BTreeMap<EntryId, Talks>,
    matches: BTreeSet<EntryId>,
    others: BTreeMap<(String, String), usize>,
    answer: Answer,
}

/// Talks that name one match.
#[derive(Debug, Clone, Copy, Default)]
struct Talks {
    all: usize,
    agreed: usize,
    ended: usize,
}

impl Success {
    /// A survey that has seen nothing.
    pub fn new(question: Question) -> Self {
        Self {
            question,
            taken_up: BTreeMap::new(),
            talks: BTreeMap::new(),
            matches: BTreeSet::new(),
            others: BTreeMap::new(),
            answer: Answer::default(),
        }
    }

    /// Takes in a record; one of another kind says nothing.
    pub fn take(&mut self, record: &Counted<'_>, surrounding: &dyn Surrounding) {
        match record.kind.name() {
            MATCH => self.take_match(record, surrounding),
            TALKS => self.take_talks(record, surrounding),
            _ => {}
        }
    }

    fn take_match(&mut self, record: &Counted<'_>, surrounding: &dyn Surrounding) {
        let Some(lifecycle) = record.kind.lifecycle() else { return };
        let now = record.state_at(self.question.as_of_ms);
        self.matches.insert(record.state.id);
        // Only what changed can have been something else before.
        let held = if record.state.versions > 1 { surrounding.held(record) } else { vec![record.state.fields.clone()] };
        let Some(taken_up) = held.iter().find(|fields| stands_in(lifecycle, fields, TAKEN_UP)) else {
            let position = lifecycle.position_at(&record.state.fields, self.question.as_of_ms);
            *self.others.entry(lifecycle.position_words(&position)).or_default() += 1;
            return;
        };
        let date = record.field(JUDGED_ON).and_then(|field| match taken_up.get(&field.number) {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        });
        match self.question.lies_within(date) {
            Some(true) => {
                self.taken_up.insert(record.state.id, (record.source(), now == Some(NOT_FIT)));
            }
            Some(false) => self.answer.outside += 1,
            None => self.answer.undated.add(record),
        }
    }

    fn take_talks(&mut self, record: &Counted<'_>, surrounding: &dyn Surrounding) {
        let Some(id) = record.linked(MATCH_LINK, surrounding).next() else {
            self.answer.talks_astray += usize::from(!record.values(MATCH_LINK).is_empty());
            return;
        };
        let state = record.state_at(self.question.as_of_ms);
        let talks = self.talks.entry(id).or_default();
        talks.all += 1;
        talks.agreed += usize::from(state == Some(AGREEMENT));
        talks.ended += usize::from(state.is_some_and(|state| ENDED.contains(&state)));
    }

    /// The answer.
    pub fn finish(self) -> Answer {
        let Self { taken_up, talks, matches, others, mut answer, .. } = self;
        answer.taken_up = taken_up.len();
        for (id, (source, unfit)) in taken_up {
            let talks = talks.get(&id).copied().unwrap_or_default();
            match talks {
                Talks { agreed: 1.., .. } => answer.signed.push(|| source),
                Talks { all, ended, .. } if unfit || (all > 0 && all == ended) => answer.ended += 1,
                Talks { all: 1.., .. } => answer.in_talks += 1,
                Talks { .. } => answer.unknown.push(|| source),
            }
        }
        answer.talks_astray +=
            talks.iter().filter(|(id, _)| !matches.contains(id)).map(|(_, talks)| talks.all).sum::<usize>();
        answer.others = others.into_iter().map(|((zh, en), count)| (zh, en, count)).collect();
        answer
    }
}

impl Question {
    /// Whether a date lies in the period; `None` when that cannot be told.
    fn lies_within(&self, date: Option<Date>) -> Option<bool> {
        if self.from.is_none() && self.until.is_none() {
            return Some(true);
        }
        let (first, last) = (date?.first_day(), date?.last_day());
        let from = |day: Date| self.from.is_none_or(|from| from.first_day() <= day);
        let until = |day: Date| self.until.is_none_or(|until| day <= until.last_day());
        match (from(first) && until(last), from(last) && until(first)) {
            (true, _) => Some(true),
            (false, false) => Some(false),
            // A month or a year that lies in the period in part.
            (false, true) => None,
        }
    }
}

fn stands_in(lifecycle: &Lifecycle, fields: &BTreeMap<u16, Value>, state: &str) -> bool {
    match lifecycle.position(fields) {
        Position::State(place) => lifecycle.states().get(place).is_some_and(|found| found.name == state),
        Position::Unmapped(_) | Position::Blank => false,
    }
}
