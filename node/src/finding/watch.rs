//! One watch: a question, and how far what it brings was seen.
//!
//! What is new is found from the logs alone: the records of which something was said since the positions that were seen,
//! asked for in the index together with the question. So nothing is done while nobody listens, nothing is lost while
//! nobody does, and a record is told again only when something was said of it. Results are handed out at least once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use parking_lot::Mutex;
use protocol::identity::EntryId;
use protocol::view::Positions;
use tokio::sync::watch;

use super::answer::Finder;
use super::question::Question;
use super::{FindingError, WATCH_ENTRIES, WATCH_LATER_MAX, WATCH_RECENT_MAX};
use crate::api::types::{FoundRecord, SearchQuery, WatchEvent};
use crate::derive::Committed;

/// A question that is watched.
pub struct Watch {
    /// Its name; without one it is gone with its listener.
    pub name: Option<String>,
    /// The question as it was asked.
    pub asked: SearchQuery,
    /// When it was made.
    pub created_ms: u64,
    question: Question,
    progress: Mutex<Progress>,
    /// Grows with every listener: the one before gives way.
    turn: watch::Sender<u64>,
}

/// How far what a watch brings was seen.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Everything up to here was seen.
    pub seen: Positions,
    /// The number of the last result.
    pub last: u64,
    /// The last results, for a listener that lost the connection.
    pub recent: VecDeque<Recent>,
    /// Statements that are dated later and count then.
    pub later: BTreeSet<(u64, EntryId, bool)>,
}

/// A result that was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recent {
    /// Its number.
    pub number: u64,
    /// The record.
    pub record: EntryId,
    /// Whether it was new.
    pub is_new: bool,
}

/// What one look brought.
#[derive(Debug, Clone)]
pub struct Brought {
    /// Results with their numbers.
    pub events: Vec<(u64, WatchEvent)>,
    /// How far it was seen when they were handed out.
    pub progress: Progress,
    /// Whether there is nothing more for now.
    pub is_there: bool,
    /// Whether results may be missing.
    pub is_cut: bool,
}

impl Progress {
    /// Nothing but what comes from now on.
    pub fn from(seen: Positions) -> Self {
        Self { seen, last: 0, recent: VecDeque::new(), later: BTreeSet::new() }
    }

    fn remember(&mut self, record: EntryId, is_new: bool) -> u64 {
        self.last += 1;
        self.recent.push_back(Recent { number: self.last, record, is_new });
        while self.recent.len() > WATCH_RECENT_MAX {
            self.recent.pop_front();
        }
        self.last
    }
}

impl Watch {
    /// A watch that saw this.
    pub fn new(
        name: Option<String>,
        asked: SearchQuery,
        question: Question,
        created_ms: u64,
        progress: Progress,
    ) -> Self {
        let turn = watch::Sender::new(0);
        Self { name, asked, created_ms, question, progress: Mutex::new(progress), turn }
    }

    /// How far it was seen.
    pub fn progress(&self) -> Progress {
        self.progress.lock().clone()
    }

    /// Notes that the listener of this turn saw it so far. Says whether it is the listener still: one that has given way
    /// would take back what the next one saw.
    pub fn advance(&self, turn: u64, progress: Progress) -> bool {
        let mut held = self.progress.lock();
        let is_listener = *self.turn.borrow() == turn;
        if is_listener {
            *held = progress;
        }
        is_listener
    }

    /// Makes the caller the listener. Whoever was it sees the number change and gives way.
    pub fn listen(&self) -> (u64, watch::Receiver<u64>) {
        let mut own = 0;
        self.turn.send_modify(|turn| {
            *turn += 1;
            own = *turn;
        });
        (own, self.turn.subscribe())
    }

    /// Whether somebody listens.
    pub fn is_listened(&self) -> bool {
        self.turn.receiver_count() > 0
    }

    /// Makes whoever listens give way.
    pub fn dismiss(&self) {
        self.turn.send_modify(|turn| *turn += 1);
    }

    /// Results that were handed out after the one of this number, as they stand now. Blocks.
    ///
    /// # Errors
    /// When the index is not ready or fails.
    pub fn again(&self, finder: &Finder<'_>, after: u64) -> Result<Vec<(u64, WatchEvent)>, FindingError> {
        let recent: Vec<Recent> =
            self.progress.lock().recent.iter().filter(|recent| recent.number > after).copied().collect();
        if recent.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.among(finder, recent.iter().map(|recent| recent.record).collect())?;
        let event = |recent: &Recent| Some((recent.number, self.event(found.get(&recent.record)?, recent.is_new)));
        Ok(recent.iter().filter_map(event).collect())
    }

    /// Looks at what was said since, up to what the index has. Blocks.
    ///
    /// # Errors
    /// When the index is not ready or fails.
    pub fn look(&self, finder: &Finder<'_>, committed: &Committed) -> Result<Brought, FindingError> {
        let mut progress = self.progress();
        let said = finder.core.said(&progress.seen, &committed.positions, WATCH_ENTRIES);
        progress.seen = said.positions;
        let mut candidates: BTreeMap<EntryId, bool> = BTreeMap::new();
        let mut consider = |record: EntryId, is_new: bool| *candidates.entry(record).or_default() |= is_new;
        let due = progress.later.iter().take_while(|(time_ms, ..)| *time_ms <= committed.as_of_ms).count();
        for _ in 0..due {
            if let Some((_, record, is_new)) = progress.later.pop_first() {
                consider(record, is_new);
            }
        }
        for news in &said.news {
            if news.time_ms <= committed.as_of_ms {
                consider(news.record, news.is_create);
            } else {
                progress.later.insert((news.time_ms, news.record, news.is_create));
            }
        }
        let is_dropped = progress.later.len() > WATCH_LATER_MAX;
        while progress.later.len() > WATCH_LATER_MAX {
            progress.later.pop_last();
        }
        let found = match candidates.is_empty() {
            true => BTreeMap::new(),
            false => self.among(finder, candidates.keys().copied().collect())?,
        };
        let events = candidates.iter().filter_map(|(record, is_new)| {
            let event = self.event(found.get(record)?, *is_new);
            Some((progress.remember(*record, *is_new), event))
        });
        let events = events.collect();
        Ok(Brought { events, progress, is_there: said.is_there, is_cut: said.is_cut || is_dropped })
    }

    fn among(&self, finder: &Finder<'_>, ids: Vec<EntryId>) -> Result<BTreeMap<EntryId, FoundRecord>, FindingError> {
        let mut found = BTreeMap::new();
        for piece in ids.chunks(super::PAGE_FOUND_MAX) {
            let records = finder.among(&self.question, piece.to_vec())?;
            found.extend(records.into_iter().filter_map(|record| Some((record.id.parse().ok()?, record))));
        }
        Ok(found)
    }

    fn event(&self, record: &FoundRecord, is_new: bool) -> WatchEvent {
        WatchEvent { watch: self.name.clone(), is_new, record: record.clone() }
    }
}
