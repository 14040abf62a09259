//! Keeps a view in step with a replica: new entries are added, and anything that stops counting starts it over.

use std::collections::BTreeSet;

use super::{Place, View};
use crate::charter::LogNumber;
use crate::entry::VerifiedEntry;
use crate::identity::EntryId;
use crate::replica::{EntrySource, Replica};

/// A view and how far it has taken in each log.
#[derive(Debug, Clone, Default)]
pub struct Keeper {
    view: View,
    /// For each log: entries taken in, and the id of the last of them.
    taken: Vec<(u64, EntryId)>,
}

impl Keeper {
    /// A view of everything that counts in `replica`.
    pub fn build(replica: &Replica, source: &dyn EntrySource) -> Self {
        let mut keeper = Self::default();
        keeper.rebuild(replica, source);
        keeper
    }

    /// The view.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Brings the view up to date for the logs that may have changed.
    ///
    /// Returns whether it had to be built anew, because entries that were taken in no longer count.
    pub fn update(&mut self, replica: &Replica, touched: &BTreeSet<LogNumber>, source: &dyn EntrySource) -> bool {
        self.taken.resize(replica.charter().logs().len(), (0, EntryId::ZERO));
        let stands = |log: &LogNumber| {
            let (length, last) = self.taken[*log as usize];
            length == 0 || (replica.effective_length(*log) >= length && replica.id(*log, length - 1) == Some(last))
        };
        if !touched.iter().all(stands) {
            self.rebuild(replica, source);
            return true;
        }
        touched.iter().for_each(|log| self.extend(*log, replica, source));
        false
    }

    /// Takes in an entry whose body came after its header.
    pub fn body_arrived(&mut self, log: LogNumber, entry: &VerifiedEntry, replica: &Replica) {
        let sequence = entry.header().sequence;
        let taken = self.taken.get(log as usize).is_some_and(|(length, _)| sequence < *length);
        if let (true, Some(grant)) = (taken, replica.charter().logs().get(log as usize)) {
            self.view.insert(Place { log, sequence }, grant.member, entry);
        }
    }

    fn rebuild(&mut self, replica: &Replica, source: &dyn EntrySource) {
        let logs = replica.charter().logs().len();
        self.view = View::default();
        self.taken = vec![(0, EntryId::ZERO); logs];
        (0..logs as LogNumber).for_each(|log| self.extend(log, replica, source));
    }

    fn extend(&mut self, log: LogNumber, replica: &Replica, source: &dyn EntrySource) {
        let Some(grant) = replica.charter().logs().get(log as usize) else { return };
        for sequence in self.taken[log as usize].0..replica.effective_length(log) {
            // An entry that the store cannot read is missing from the view, like one whose body is missing.
            if let Some(entry) = source.entry(log, sequence) {
                self.view.insert(Place { log, sequence }, grant.member, &entry);
            }
            let id = replica.id(log, sequence).unwrap_or(EntryId::ZERO);
            self.taken[log as usize] = (sequence + 1, id);
        }
    }
}
