//! A store in memory: carries out changes as the shell would.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::charter::LogNumber;
use crate::entry::VerifiedEntry;
use crate::identity::EntryId;
use crate::replica::{Change, EntrySource};

/// Entries by place, and those that other branches displaced by id.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    entries: BTreeMap<(LogNumber, u64), Arc<VerifiedEntry>>,
    attic: BTreeMap<EntryId, Arc<VerifiedEntry>>,
}

impl EntrySource for Shelf {
    fn entry(&self, log: LogNumber, sequence: u64) -> Option<Arc<VerifiedEntry>> {
        self.entries.get(&(log, sequence)).cloned()
    }

    fn displaced(&self, id: &EntryId) -> Option<Arc<VerifiedEntry>> {
        self.attic.get(id).cloned()
    }
}

impl Shelf {
    /// Carries out changes, in order.
    pub fn carry_out(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Append { log, entry } | Change::Body { log, entry } => {
                    self.attic.remove(&entry.id());
                    self.entries.insert((*log, entry.header().sequence), Arc::clone(entry));
                }
                Change::Erase { log, entry } => {
                    let place = (*log, entry.header().sequence);
                    let held = [self.entries.get_mut(&place), self.attic.get_mut(&entry.id())];
                    for held in held.into_iter().flatten().filter(|held| held.id() == entry.id()) {
                        *held = Arc::clone(entry);
                    }
                }
                Change::Displace { log, from } => {
                    let gone = self.entries.range((*log, *from)..=(*log, u64::MAX));
                    let gone: Vec<_> = gone.map(|(place, _)| *place).collect();
                    for entry in gone.iter().filter_map(|place| self.entries.remove(place)) {
                        self.attic.insert(entry.id(), entry);
                    }
                }
                Change::Block(_) | Change::Rival(_) | Change::Proof(_) => {}
            }
        }
    }

    /// Every entry that stands in its log, by log and sequence.
    pub fn entries(&self) -> impl Iterator<Item = (LogNumber, &Arc<VerifiedEntry>)> {
        self.entries.iter().map(|((log, _), entry)| (*log, entry))
    }

    /// Every entry that another branch displaced.
    pub fn attic(&self) -> impl Iterator<Item = &Arc<VerifiedEntry>> {
        self.attic.values()
    }

    /// Whether a body with these bytes is anywhere here.
    pub fn holds_body(&self, body: &[u8]) -> bool {
        let mut entries = self.entries.values().chain(self.attic.values());
        entries.any(|entry| entry.body().is_some_and(|held| held[..] == *body))
    }
}
