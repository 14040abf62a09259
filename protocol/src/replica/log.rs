//! One log as a replica holds it: its chain, what waits to attach, and what another branch displaced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::charter::Position;
use crate::entry::{Header, VerifiedEntry};
use crate::erasure::KIND_ERASURE;
use crate::identity::EntryId;

/// An entry in the attic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Displaced {
    sequence: u64,
    previous: EntryId,
    erases: bool,
}

/// One log as it is held.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    ids: Vec<EntryId>,
    /// The charter versions that entries name, each from the first sequence that does. They never decrease.
    charters: Vec<(u64, u32)>,
    /// For each entry the latest time that it or one before it claims.
    latest_ms: Vec<u64>,
    /// Sequences whose bodies are not here.
    pub(super) bodiless: BTreeSet<u64>,
    /// Sequences of erasures, which cannot be erased.
    pub(super) erasures: BTreeSet<u64>,
    /// Entries that another branch displaced, by id.
    pub(super) displaced: BTreeMap<EntryId, Displaced>,
    pub(super) staged: BTreeMap<u64, Arc<VerifiedEntry>>,
}

impl Log {
    pub(super) fn length(&self) -> u64 {
        self.ids.len() as u64
    }

    pub(super) fn id(&self, sequence: u64) -> Option<EntryId> {
        usize::try_from(sequence).ok().and_then(|index| self.ids.get(index)).copied()
    }

    /// The charter version that the entry at `sequence` names.
    pub(super) fn charter(&self, sequence: u64) -> Option<u32> {
        let since = self.charters.partition_point(|(since, _)| *since <= sequence);
        self.charters.get(since.checked_sub(1)?).filter(|_| sequence < self.length()).map(|(_, charter)| *charter)
    }

    /// The charter version that the last entry names.
    pub(super) fn last_charter(&self) -> Option<u32> {
        self.charters.last().map(|(_, charter)| *charter)
    }

    /// Id of the entry before `sequence`, as a header names it.
    pub(super) fn previous(&self, sequence: u64) -> Option<EntryId> {
        if sequence == 0 { Some(EntryId::ZERO) } else { self.id(sequence - 1) }
    }

    pub(super) fn push(&mut self, entry: &VerifiedEntry) {
        if entry.body().is_none() {
            self.bodiless.insert(self.length());
        }
        if entry.header().kind == KIND_ERASURE {
            self.erasures.insert(self.length());
        }
        let charter = entry.header().charter;
        if self.charters.last().is_none_or(|(_, last)| *last != charter) {
            self.charters.push((self.length(), charter));
        }
        // Ids are most of what a replica holds: no room for as many again.
        if self.ids.len() == self.ids.capacity() {
            self.ids.reserve_exact(16 + self.ids.len() / 8);
        }
        self.ids.push(entry.id());
        let before = self.latest_ms.last().copied().unwrap_or_default();
        if self.latest_ms.len() == self.latest_ms.capacity() {
            self.latest_ms.reserve_exact(16 + self.latest_ms.len() / 8);
        }
        self.latest_ms.push(before.max(entry.header().time_ms));
    }

    /// The latest time that an entry before `sequence` claims; 0 when there is none.
    pub(super) fn latest_ms_before(&self, sequence: u64) -> u64 {
        let before = sequence.checked_sub(1).and_then(|before| usize::try_from(before).ok());
        before.and_then(|before| self.latest_ms.get(before)).copied().unwrap_or_default()
    }

    pub(super) fn truncate(&mut self, from: u64) {
        self.ids.truncate(from as usize);
        self.charters.retain(|(since, _)| *since < from);
        self.latest_ms.truncate(from as usize);
        self.bodiless.split_off(&from);
        self.erasures.split_off(&from);
    }

    /// Takes note of an entry in the attic.
    pub(super) fn displace(&mut self, entry: &VerifiedEntry) {
        let Header { sequence, previous, kind, .. } = *entry.header();
        self.displaced.insert(entry.id(), Displaced { sequence, previous, erases: kind == KIND_ERASURE });
    }

    /// Whether an entry that is held here, in its place or displaced, is an erasure.
    pub(super) fn is_erasure(&self, sequence: u64, id: EntryId) -> bool {
        let in_place = self.id(sequence) == Some(id) && self.erasures.contains(&sequence);
        in_place || self.displaced.get(&id).is_some_and(|displaced| displaced.erases)
    }

    /// The ids of displaced entries that lead from the held chain up to `last`, in order; `None` if there is a gap.
    pub(super) fn way_to(&self, last: Position) -> Option<Vec<EntryId>> {
        let (mut id, mut sequence) = (last.id, last.sequence);
        let mut way = Vec::new();
        while self.id(sequence) != Some(id) {
            let displaced = self.displaced.get(&id).filter(|displaced| displaced.sequence == sequence)?;
            way.push(id);
            if sequence == 0 {
                break;
            }
            (id, sequence) = (displaced.previous, sequence - 1);
        }
        way.reverse();
        Some(way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FOUNDED_MS, Organisation};

    #[test]
    fn each_place_keeps_the_charter_version_that_its_entry_names() {
        let (mut charter, author) = Organisation::found("秘书处", 1);
        let mut log = Log::default();
        let mut previous: Option<Arc<VerifiedEntry>> = None;
        let mut named = Vec::new();
        for number in 0..40 {
            if number % 7 == 3 {
                author.try_append(&mut charter, Vec::new()).expect("a block may change nothing");
            }
            let entry = author.entry(&charter, previous.as_deref(), FOUNDED_MS + 100_000, 102, vec![0; 20]);
            log.push(&entry);
            named.push(charter.version());
            previous = Some(entry);
        }
        for length in [40, 24, 17, 3, 0] {
            log.truncate(length);
            let held = (0..41).map_while(|sequence| log.charter(sequence));
            assert!(held.eq(named[..length as usize].iter().copied()), "{length}");
            assert_eq!(log.last_charter(), length.checked_sub(1).map(|last| named[last as usize]));
        }
    }
}
