//! A disk: a journal of own entries, and a database whose transactions are all or nothing. What is written is there after
//! a power cut only if it was flushed; of the rest chance decides.

use std::sync::Arc;

use crate::charter::{Appended, Charter, LogNumber};
use crate::entry::VerifiedEntry;
use crate::fork::ForkProof;
use crate::identity::EntryId;
use crate::replica::{Change, EntrySource, Replica};
use crate::testing::Shelf;

/// Why a commit failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DiskError {
    /// Power was cut in the middle of it.
    PowerCut,
    /// The disk refuses to write.
    Refused,
}

/// The disk of one member.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    journal: Vec<Arc<VerifiedEntry>>,
    /// Of the journal, what is flushed.
    journal_flushed: usize,
    database: Database,
    /// A transaction that is written and not flushed.
    pending: Vec<Change>,
    refuses: bool,
    /// Steps that are still carried out before power is cut.
    steps_left: Option<u32>,
    /// Whether this disk is a copy that was put back.
    pub(super) is_copy: bool,
}

#[derive(Debug, Clone)]
struct Database {
    charter: Arc<Charter>,
    shelf: Shelf,
    proofs: Vec<ForkProof>,
}

impl Database {
    fn carry_out(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Block(block) | Change::Rival(block) => {
                    let appended = Arc::make_mut(&mut self.charter).append(block.clone());
                    debug_assert!(matches!(appended, Ok(Appended::New | Appended::Rival | Appended::Known)));
                }
                Change::Proof(proof) => self.proofs.push(proof.clone()),
                _ => {}
            }
        }
        self.shelf.carry_out(changes);
    }
}

impl EntrySource for Disk {
    fn entry(&self, log: LogNumber, sequence: u64) -> Option<Arc<VerifiedEntry>> {
        self.database.shelf.entry(log, sequence)
    }

    fn displaced(&self, id: &EntryId) -> Option<Arc<VerifiedEntry>> {
        self.database.shelf.displaced(id)
    }
}

impl Disk {
    /// A disk that holds a charter and nothing else.
    pub(super) fn new(charter: Arc<Charter>) -> Self {
        let database = Database { charter, shelf: Shelf::default(), proofs: Vec::new() };
        let (journal, pending) = (Vec::new(), Vec::new());
        Self { journal, journal_flushed: 0, database, pending, refuses: false, steps_left: None, is_copy: false }
    }

    /// Own entries to the journal, which is flushed; then all changes to the database, which is flushed.
    pub(super) fn commit(&mut self, own: &[Arc<VerifiedEntry>], changes: &[Change]) -> Result<(), DiskError> {
        if !own.is_empty() {
            self.step()?;
            self.journal.extend(own.iter().cloned());
            self.step()?;
            self.journal_flushed = self.journal.len();
        }
        self.step()?;
        self.pending = changes.to_vec();
        self.step()?;
        self.flush();
        Ok(())
    }

    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        self.database.carry_out(&pending);
    }

    fn step(&mut self) -> Result<(), DiskError> {
        if self.refuses {
            return Err(DiskError::Refused);
        }
        match &mut self.steps_left {
            Some(0) => Err(DiskError::PowerCut),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Power is cut: of what is not flushed, chance decides what is there.
    pub(super) fn cut_power(&mut self, random: &mut fastrand::Rng) {
        self.steps_left = None;
        let kept = self.journal_flushed + random.usize(0..=self.journal.len() - self.journal_flushed);
        self.journal.truncate(kept);
        self.journal_flushed = kept;
        if random.bool() {
            self.flush();
        }
        self.pending.clear();
    }

    /// Power will be cut after so many steps.
    pub(super) fn cut_after(&mut self, steps: u32) {
        self.steps_left = Some(steps);
    }

    /// Power will not be cut after all.
    pub(super) fn spare_power(&mut self) {
        self.steps_left = None;
    }

    /// The disk refuses writes, or takes them again.
    pub(super) fn set_refuses(&mut self, refuses: bool) {
        self.refuses = refuses;
    }

    /// The database is gone: what was agreed at the beginning is there again, and nothing else.
    pub(super) fn lose_database(&mut self, charter: Arc<Charter>) {
        self.pending.clear();
        self.database = Database { charter, shelf: Shelf::default(), proofs: Vec::new() };
    }

    /// What a start makes of the database.
    pub(super) fn restore(&self) -> Replica {
        let mut replica = Replica::new(Arc::clone(&self.database.charter));
        // What does not attach would be damage, and damage is none of this disk's faults.
        self.database.shelf.entries().for_each(|(log, entry)| {
            let continues = replica.restore(log, entry);
            debug_assert!(continues, "an entry that was stored does not attach");
        });
        self.database.shelf.attic().for_each(|entry| replica.restore_displaced(entry));
        self.database.proofs.iter().for_each(|proof| replica.restore_proof(proof.clone()));
        replica
    }

    /// Own entries in the journal.
    pub(super) fn journal(&self) -> &[Arc<VerifiedEntry>] {
        &self.journal
    }

    /// Puts own entries that came back from elsewhere into the journal.
    pub(super) fn catch_up_journal(&mut self, entries: Vec<Arc<VerifiedEntry>>) -> Result<(), DiskError> {
        self.step()?;
        self.journal.extend(entries);
        self.step()?;
        self.journal_flushed = self.journal.len();
        Ok(())
    }

    /// Whether an entry is there whatever happens to the power.
    pub(super) fn is_durable(&self, log: LogNumber, entry: &VerifiedEntry) -> bool {
        let stored = self.entry(log, entry.header().sequence).is_some_and(|held| held.id() == entry.id());
        stored && self.journal[..self.journal_flushed].iter().rev().any(|held| held.id() == entry.id())
    }
}
