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
    pub(super) charters: Vec<u32>,
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
        self.ids.push(entry.id());
        self.charters.push(entry.header().charter);
    }

    pub(super) fn truncate(&mut self, from: u64) {
        self.ids.truncate(from as usize);
        self.charters.truncate(from as usize);
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
