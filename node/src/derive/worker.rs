//! What is looked at and when, in short steps.
//!
//! First comes what was touched, as the core says; after a start, or when that was too much to be named, what the logs
//! tell since the positions that were reached. Then what time moves. Then, if some consumer needs everything, the next
//! records of a round over all of them; after each start there is one, which also finds out when time moves which record.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;
use protocol::view::{Label, Moved, Positions};

use super::index::IndexConsumer;
use super::lag::IndexState;
use super::moments::Moments;
use super::{
    ADVANCE_ENTRIES, BATCH_RECORDS, Batch, CLOCK_BACK_MS, Consumer, ConsumerError, Held, MOMENTS_MAX, RETRY_TIME,
    Settled, Shared,
};
use crate::core::{Core, now_ms};
use crate::duties::LedgerConsumer;
use crate::indicators::IndicatorConsumer;
use crate::matching::CatalogueConsumer;
use crate::records::look::{Round, around, look};

/// Before every record in the order of a round.
const START: Label = Label { member: MemberNumber(0), serial: 0 };

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more to do.
    Busy,
    /// There is nothing to do before something changes, or this time comes, in milliseconds since 1970.
    Idle {
        /// The time.
        until_ms: Option<u64>,
    },
}

/// A consumer and what it needs.
struct Place {
    consumer: Box<dyn Consumer>,
    /// It needs the records behind this label, in the order of a round.
    needs: Option<Label>,
    /// It failed and is tried again then.
    retry: Option<Instant>,
}

/// Does the work.
pub(super) struct Worker {
    /// Before the core, so that what they hold is given back when the last handle of it is.
    places: Vec<Place>,
    core: Core,
    kinds: &'static KindSet,
    directory: PathBuf,
    shared: Arc<Shared>,
    /// Whether the consumers were opened.
    is_open: bool,
    open_again: Option<Instant>,
    /// Everything up to here was handed over, the round aside.
    positions: Positions,
    /// Where that leads when nothing is pending any more.
    goal: Positions,
    /// Whether the logs must be asked what was touched.
    catches_up: bool,
    pending: BTreeSet<EntryId>,
    /// When the first of what is not committed was touched.
    since_ms: Option<u64>,
    round: Option<Round>,
    moments: Moments,
    looked_until_ms: u64,
}

impl Worker {
    pub(super) fn new(core: Core, directory: PathBuf, shared: Arc<Shared>) -> Self {
        let taken = core.take_touched();
        let kinds = crate::kinds::kinds();
        let catalogue = CatalogueConsumer::new(Arc::clone(&shared.matching), kinds);
        let ledger = LedgerConsumer::new(core.clone(), Arc::clone(&shared.duties), kinds);
        let indicators = IndicatorConsumer::new(Arc::clone(&shared.indicators), kinds, core.clone());
        Self {
            kinds,
            directory,
            shared,
            places: vec![
                Place { consumer: Box::new(catalogue), needs: Some(START), retry: None },
                Place { consumer: Box::new(ledger), needs: Some(START), retry: None },
                Place { consumer: Box::new(indicators), needs: Some(START), retry: None },
            ],
            is_open: false,
            open_again: None,
            positions: taken.positions.clone(),
            goal: taken.positions,
            catches_up: false,
            pending: BTreeSet::new(),
            since_ms: None,
            round: Some(Round::new()),
            moments: Moments::new(MOMENTS_MAX),
            looked_until_ms: core.as_of_ms(),
            core,
        }
    }

    /// Adds a consumer, which is given everything.
    #[cfg_attr(not(test), expect(dead_code, reason = "the index is the only consumer so far"))]
    pub(super) fn add(&mut self, consumer: Box<dyn Consumer>) {
        self.places.push(Place { consumer, needs: Some(START), retry: None });
    }

    /// Whether so much changed within a short time that this should wait; see [`super::task`].
    pub(super) fn ever_touched(&self) -> u64 {
        self.core.waiting().ever
    }

    /// Does a little, and lets the consumers know how far it came.
    pub(super) fn step(&mut self) -> Step {
        let worked = self.work();
        let next_ms = self.settle(!worked);
        self.tell();
        match worked {
            true => Step::Busy,
            false => Step::Idle { until_ms: next_ms.into_iter().chain(self.next_moment_ms()).min() },
        }
    }

    fn work(&mut self) -> bool {
        // What does not need the index goes on while it cannot be opened.
        if !self.is_open && self.open() {
            return true;
        }
        self.retry();
        let as_of_ms = self.core.as_of_ms();
        if as_of_ms.saturating_add(CLOCK_BACK_MS) < self.looked_until_ms {
            tracing::warn!("the clock of this machine went back; everything is looked at again");
            self.begin(false);
            return true;
        }
        if self.pending.is_empty() && self.refill(as_of_ms) {
            return true;
        }
        if !self.pending.is_empty() {
            self.look_at_pending(as_of_ms);
            return true;
        }
        if self.round.is_some() {
            self.go_round(as_of_ms);
            return true;
        }
        self.looked_until_ms = as_of_ms;
        false
    }

    /// Opens the index and finds out what it needs.
    fn open(&mut self) -> bool {
        if self.open_again.is_some_and(|again| Instant::now() < again) {
            return false;
        }
        let opened = IndexConsumer::open(self.core.clone(), self.kinds, &self.directory, Arc::clone(&self.shared));
        let consumer = match opened {
            Ok(consumer) => consumer,
            Err(error) => {
                self.report(&error);
                self.open_again = Some(Instant::now() + RETRY_TIME);
                return false;
            }
        };
        let held = consumer.held();
        self.places.push(Place { consumer: Box::new(consumer), needs: Some(START), retry: None });
        self.is_open = true;
        self.open_again = None;
        self.resume(self.places.len() - 1, held);
        true
    }

    /// Gives a consumer what came since it held what it holds, or everything.
    fn resume(&mut self, index: usize, held: Option<Held>) {
        self.shared.gauge.lock().error = None;
        self.since_ms.get_or_insert_with(now_ms);
        self.round = Some(Round::new());
        self.places[index].needs = Some(START);
        let Some(held) = held else { return };
        match self.core.advance(&held.positions, 0) {
            Ok(_) => {
                self.pending.clear();
                (self.positions, self.goal, self.catches_up) = (held.positions.clone(), held.positions, true);
                self.looked_until_ms = self.looked_until_ms.min(held.looked_until_ms);
                let place = &mut self.places[index];
                place.needs = if held.is_stale { Some(START) } else { held.round };
                if held.is_stale {
                    place.consumer.renew();
                }
            }
            Err(moved) => self.move_on(moved),
        }
    }

    /// Older positions do not stand: everything is looked at, beside what is there or in its place.
    fn move_on(&mut self, moved: Moved) {
        tracing::info!(reason = %moved, "everything that is derived from records is looked at again");
        self.begin(moved.took_away());
    }

    /// Begins a round over everything for every consumer.
    pub(super) fn begin(&mut self, anew: bool) {
        let taken = self.core.take_touched();
        (self.positions, self.goal) = (taken.positions.clone(), taken.positions);
        (self.catches_up, self.looked_until_ms) = (false, self.core.as_of_ms());
        self.pending.clear();
        self.moments.clear();
        self.since_ms = Some(self.since_ms.into_iter().chain(taken.since_ms).min().unwrap_or_else(now_ms));
        self.round = Some(Round::new());
        for index in 0..self.places.len() {
            let place = &mut self.places[index];
            place.needs = Some(START);
            place.consumer.renew();
            if anew && let Err(error) = place.consumer.clear() {
                self.fail(index, &error);
            }
        }
    }

    /// Finds something to look at. Says whether that was work in itself.
    fn refill(&mut self, as_of_ms: u64) -> bool {
        if self.catches_up {
            match self.core.advance(&self.positions, ADVANCE_ENTRIES) {
                Ok(step) if step.touched.everything => self.begin(false),
                Ok(step) => {
                    (self.pending, self.goal) = (step.touched.records, step.positions);
                    self.catches_up = !step.is_present;
                    if self.pending.is_empty() {
                        self.positions = self.goal.clone();
                    }
                }
                Err(moved) => self.move_on(moved),
            }
            return true;
        }
        let waiting = self.core.waiting();
        if waiting.moved {
            // Counted here before it is taken there: whoever asks meanwhile must not find that nothing waits.
            self.shared.gauge.lock().pending += waiting.records.map_or(1, |records| records as u64);
            let taken = self.core.take_touched();
            self.since_ms = self.since_ms.into_iter().chain(taken.since_ms).min();
            if taken.touched.everything {
                self.catches_up = true;
            } else if taken.touched.records.is_empty() {
                // A block of the charter, say, on which no record depends.
                (self.positions, self.goal) = (taken.positions.clone(), taken.positions);
            } else {
                (self.pending, self.goal) = (taken.touched.records, taken.positions);
            }
            return true;
        }
        if self.moments.is_short(as_of_ms) {
            self.moments.clear();
            self.round = Some(Round::new());
        }
        let due = self.moments.take(as_of_ms, BATCH_RECORDS);
        if due.is_empty() {
            return false;
        }
        self.goal = self.positions.clone();
        self.touch_around(&due);
        true
    }

    /// Makes pending what time moved, with what looks at it.
    fn touch_around(&mut self, moved: &[EntryId]) {
        let touched = around(&self.core, moved);
        match touched.everything {
            true => self.begin(false),
            false => self.pending.extend(touched.records),
        }
    }

    fn look_at_pending(&mut self, as_of_ms: u64) {
        let ids: Vec<EntryId> = self.pending.iter().take(BATCH_RECORDS).copied().collect();
        let records = look(&self.core, self.kinds, &ids, as_of_ms);
        records.iter().for_each(|looked| self.note_moment(looked.id, looked.next_ms));
        let batch = Batch { records, as_of_ms };
        for index in 0..self.places.len() {
            self.hand(index, &batch);
        }
        self.pending.retain(|id| ids.binary_search(id).is_err());
        if self.pending.is_empty() {
            self.positions = self.goal.clone();
        }
    }

    fn go_round(&mut self, as_of_ms: u64) {
        let Some(round) = &mut self.round else { return };
        let steps = round.step(&self.core, BATCH_RECORDS);
        if steps.is_empty() {
            self.round = None;
            self.places.iter_mut().filter(|place| place.retry.is_none()).for_each(|place| place.needs = None);
            return;
        }
        let ids: Vec<EntryId> = steps.iter().map(|(_, id)| *id).collect();
        let records = look(&self.core, self.kinds, &ids, as_of_ms);
        records.iter().for_each(|looked| self.note_moment(looked.id, looked.next_ms));
        let before_ms = self.looked_until_ms;
        let moved = records.iter().filter(|looked| looked.moved_ms.is_some_and(|moved| moved > before_ms));
        let moved: Vec<EntryId> = moved.map(|looked| looked.id).collect();
        let last = steps.last().map_or(START, |(label, _)| *label);
        let batch = Batch { records, as_of_ms };
        let mut everybody = true;
        for index in 0..self.places.len() {
            match self.places[index].needs {
                // Some were handed over before the node was started again.
                Some(from) if is_behind(last, from) => self.hand(index, &batch),
                _ => everybody = false,
            }
        }
        if !everybody && !moved.is_empty() {
            self.touch_around(&moved);
        }
    }

    fn note_moment(&mut self, id: EntryId, next_ms: Option<u64>) {
        next_ms.into_iter().for_each(|next_ms| self.moments.note(next_ms, id));
    }

    fn hand(&mut self, index: usize, batch: &Batch) {
        if self.places[index].retry.is_none()
            && let Err(error) = self.places[index].consumer.take(batch)
        {
            self.fail(index, &error);
        }
    }

    /// Tells the consumers how far it came. The next time at which one wants to be told again.
    fn settle(&mut self, is_idle: bool) -> Option<u64> {
        let mut next_ms: Option<u64> = None;
        for index in 0..self.places.len() {
            let place = &mut self.places[index];
            if place.retry.is_some() {
                continue;
            }
            let round = place.needs.map(|from| {
                let last = self.round.as_ref().and_then(Round::last);
                last.filter(|last| is_behind(*last, from)).unwrap_or(from)
            });
            let (positions, looked_until_ms) = (&self.positions, self.looked_until_ms);
            let settled = Settled { positions, looked_until_ms, round, is_idle };
            match place.consumer.settle(&settled) {
                Ok(again_ms) => next_ms = next_ms.into_iter().chain(again_ms).min(),
                Err(error) => self.fail(index, &error),
            }
        }
        let waits = |place: &Place| place.needs.is_some() || place.consumer.waiting() > 0;
        if self.pending.is_empty() && !self.catches_up && !self.places.iter().any(waits) {
            self.since_ms = None;
        }
        next_ms
    }

    fn fail(&mut self, index: usize, error: &ConsumerError) {
        self.report(error);
        let place = &mut self.places[index];
        (place.retry, place.needs) = (Some(Instant::now() + RETRY_TIME), Some(START));
    }

    fn report(&self, error: &ConsumerError) {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        tracing::error!(error = text, "what is derived from records cannot be kept in step");
        self.core.counters().add("derived-failed", 1);
        let mut gauge = self.shared.gauge.lock();
        (gauge.state, gauge.error) = (IndexState::Failed, Some(text));
    }

    /// Opens the index again, because a search found it damaged.
    pub(super) fn recover_index(&mut self) {
        tracing::warn!("the search index was found damaged; it is opened again");
        if let Some(index) = self.places.last_mut().filter(|_| self.is_open) {
            index.retry = Some(Instant::now());
        }
    }

    /// Tries those again that failed some time ago.
    fn retry(&mut self) {
        for index in 0..self.places.len() {
            let place = &mut self.places[index];
            if place.retry.is_none_or(|retry| Instant::now() < retry) {
                continue;
            }
            match place.consumer.recover() {
                Ok(held) => {
                    tracing::info!(consumer = place.consumer.name(), "it works again");
                    place.retry = None;
                    self.resume(index, held);
                }
                Err(error) => self.fail(index, &error),
            }
        }
    }

    fn next_moment_ms(&self) -> Option<u64> {
        let retry = self.places.iter().filter_map(|place| place.retry).chain(self.open_again).min();
        let retry_ms = retry.map(|at| now_ms() + at.saturating_duration_since(Instant::now()).as_millis() as u64 + 1);
        // Views look a little ahead of the clock.
        let ahead_ms = self.core.as_of_ms().saturating_sub(now_ms());
        let moment_ms = self.moments.next_ms().map(|moment| moment.saturating_sub(ahead_ms).saturating_add(1));
        retry_ms.into_iter().chain(moment_ms).min()
    }

    /// Says how far behind the index is.
    fn tell(&self) {
        let Some(index) = self.places.last().filter(|_| self.is_open) else { return };
        let mut gauge = self.shared.gauge.lock();
        // How much there is to catch up with is known once the logs were asked; that there may be something is said before.
        gauge.pending = (self.pending.len() + index.consumer.waiting() + usize::from(self.catches_up)) as u64;
        gauge.since_ms = self.since_ms;
        gauge.looked_at = self.round.as_ref().map_or(0, |round| round.looked_at() as u64);
        gauge.state = match (index.retry, index.needs) {
            (Some(_), _) => IndexState::Failed,
            (None, Some(_)) if self.shared.committed.borrow().is_some() => IndexState::Renewing,
            (None, Some(_)) => IndexState::Building,
            (None, None) => IndexState::Following,
        };
    }
}

/// Whether a label comes behind another in the order of a round: members ascending, the newest record of each first.
fn is_behind(label: Label, other: Label) -> bool {
    label.member > other.member || (label.member == other.member && label.serial < other.serial)
}
