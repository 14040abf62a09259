//! Which bodies must go, and which of the held erasures count (DESIGN 3.10).
//!
//! An erasure in a log counts while its own entry does, and for entries of the same member or of one whose records were
//! its own under the charter that the erasure names. Whether it counts is asked anew each time: a seal can take an erasure's effect away again, and what was
//! deleted here is then fetched from those who still hold it.

use std::collections::{BTreeMap, BTreeSet};

use super::Replica;
use crate::charter::LogNumber;
use crate::erasure::Target;
use crate::identity::{ContentHash, EntryId, PublicKey};

/// What says that a body must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Eraser {
    /// The charter block of this version.
    Block(u32),
    /// The entry at this place.
    Entry {
        /// The log.
        log: LogNumber,
        /// Its place there.
        sequence: u64,
    },
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    id: EntryId,
    creates: bool,
    by: Eraser,
}

/// Every erasure that is held, whether it counts or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Erasures {
    marks: BTreeMap<(PublicKey, u64), Vec<Mark>>,
    by_eraser: BTreeMap<Eraser, Vec<Target>>,
}

impl Erasures {
    pub(super) fn add(&mut self, by: Eraser, targets: impl IntoIterator<Item = Target>) {
        for target in targets {
            let mark = Mark { id: target.id, creates: target.creates, by };
            self.marks.entry((target.key, target.sequence)).or_default().push(mark);
            self.by_eraser.entry(by).or_default().push(target);
        }
    }

    /// Forgets erasures of a log that stand at `from` or above: their entries were displaced.
    pub(super) fn forget(&mut self, log: LogNumber, from: u64) {
        let first = Eraser::Entry { log, sequence: from };
        let last = Eraser::Entry { log, sequence: u64::MAX };
        let gone: Vec<Eraser> = self.by_eraser.range(first..=last).map(|(by, _)| *by).collect();
        for by in gone {
            for target in self.by_eraser.remove(&by).unwrap_or_default() {
                if let Some(marks) = self.marks.get_mut(&(target.key, target.sequence)) {
                    marks.retain(|mark| mark.by != by);
                }
            }
        }
    }

    /// Every erasure, in order, with what it names.
    pub(super) fn all(&self) -> impl Iterator<Item = (Eraser, &[Target])> {
        self.by_eraser.iter().map(|(by, targets)| (*by, targets.as_slice()))
    }

    /// What one erasure names.
    pub(super) fn targets(&self, by: Eraser) -> &[Target] {
        self.by_eraser.get(&by).map_or(&[], Vec::as_slice)
    }

    /// The erasures of one log.
    pub(super) fn of_log(&self, log: LogNumber) -> Vec<Eraser> {
        let range = Eraser::Entry { log, sequence: 0 }..=Eraser::Entry { log, sequence: u64::MAX };
        self.by_eraser.range(range).map(|(by, _)| *by).collect()
    }
}

impl Replica {
    /// Whether the body of an entry must not be here, by an erasure that counts; if so, whether the entry is said to
    /// have created a record.
    pub fn erased(&self, log: LogNumber, sequence: u64) -> Option<bool> {
        let grant = self.charter.logs().get(log as usize)?;
        let marks = self.erasures.marks.get(&(grant.key, sequence))?;
        let held = self.logs.get(log as usize)?;
        let id = held.id(sequence)?;
        if held.erasures.contains(&sequence) {
            return None;
        }
        let counting = marks.iter().filter(|mark| mark.id == id && self.counts(mark.by, log));
        counting.map(|mark| mark.creates).reduce(|one, other| one || other)
    }

    /// Whether an erasure counts for entries of `log`.
    pub(super) fn counts(&self, by: Eraser, log: LogNumber) -> bool {
        let Eraser::Entry { log: eraser, sequence } = by else { return true };
        let logs = self.charter.logs();
        let (Some(author), Some(target)) = (logs.get(eraser as usize), logs.get(log as usize)) else { return false };
        let Some(charter) = self.logs[eraser as usize].charter(sequence) else { return false };
        // Who owned the records when it erased them keeps having erased them, whoever owns them now.
        let owns = author.member == target.member || target.tenure(author.member, charter).is_some();
        owns && sequence < self.effective_length(eraser)
    }

    /// Erasures that count for any entry that they name, each with the name that acknowledgements give it: the id of
    /// the erasing entry or the hash of the erasing block.
    pub fn erasures_in_force(&self) -> impl Iterator<Item = (Eraser, ContentHash)> {
        let counting = self.erasures.all().filter(|(by, targets)| {
            let log_of = |target: &Target| self.charter.log_of(&target.key).map(|grant| grant.number);
            targets.iter().filter_map(log_of).any(|log| self.counts(*by, log))
        });
        counting.filter_map(|(by, _)| Some((by, self.eraser_name(by)?)))
    }

    /// How acknowledgements name an erasure.
    pub fn eraser_name(&self, by: Eraser) -> Option<ContentHash> {
        match by {
            Eraser::Entry { log, sequence } => self.id(log, sequence).map(|id| ContentHash(id.0)),
            Eraser::Block(version) => {
                let block = self.charter.blocks().get((version as usize).checked_sub(1)?)?;
                Some(ContentHash(block.hash().0))
            }
        }
    }

    /// Ids of entries whose bodies must not be kept anywhere, whether they are held or not.
    pub fn erased_ids(&self) -> BTreeSet<EntryId> {
        let mut ids = BTreeSet::new();
        for (by, targets) in self.erasures.all() {
            for target in targets {
                let log = self.charter.log_of(&target.key).map(|grant| grant.number);
                // An erasure cannot be erased, whoever names it.
                let erasable = |log: LogNumber| !self.logs[log as usize].is_erasure(target.sequence, target.id);
                if log.is_some_and(|log| self.counts(by, log) && erasable(log)) {
                    ids.insert(target.id);
                }
            }
        }
        ids
    }

    /// Every erasure that is held, in order, with what it names, whether it counts or not.
    pub fn erasures(&self) -> impl Iterator<Item = (Eraser, &[Target])> {
        self.erasures.all()
    }

    /// What became of an erasure's targets here: how many there are, and how many bodies of them are held still.
    pub fn erasure_progress(&self, by: Eraser) -> (usize, usize) {
        let targets = self.erasures.targets(by);
        let holds = |target: &&Target| {
            let Some(grant) = self.charter.log_of(&target.key) else { return false };
            let held = &self.logs[grant.number as usize];
            held.id(target.sequence) == Some(target.id) && !held.bodiless.contains(&target.sequence)
        };
        (targets.len(), targets.iter().filter(holds).count())
    }
}
