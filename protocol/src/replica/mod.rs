//! What a node holds of its federation: charter, logs and proofs, and the rules by which they grow (DESIGN 3 and 4).
//!
//! A [`Replica`] knows the chain of every log and no bodies: those stay with the shell, which carries out the
//! [`Change`]s that come back, in order, and durably before it acknowledges anything. Validity depends on the
//! charter and the log alone, never on another member's log, the order of arrival or the receiver's clock.
//!
//! A log is held up to its *length*; it counts up to its *effective length*, below forks and seals:
//!
//! 1. A seal that accepts nothing: nothing counts.
//! 2. A seal at `(S, X)`, and the entry held at `S` is `X`: everything up to `S` counts, whatever proofs say.
//! 3. Otherwise: everything held counts, below the lowest proven fork and below the seal. An entry held at `S` that
//!    is not `X` shows that the branch held is the wrong one, so `S` itself does not count.

mod change;
mod erasures;
mod log;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

pub use change::{Change, EntrySource, IgnoreReason, Outcome, Recent, RefuseReason};
pub use erasures::Eraser;
use erasures::Erasures;
use log::Log;

use crate::charter::{Appended, Charter, CharterError, Claim, LogGrant, LogNumber, Position, SignedBlock};
use crate::entry::VerifiedEntry;
use crate::erasure::{Erasure, KIND_ERASURE};
use crate::fork::ForkProof;
use crate::frontier::{Frontier, Head, proofs_hash};
use crate::identity::{BlockHash, EntryId, PublicKey};
use crate::limits::{DISPLACED_PER_LOG_MAX, STAGED_BYTES_MAX, STAGED_MAX, STAGED_PER_LOG_MAX};

/// What a node holds of its federation.
#[derive(Debug, Clone)]
pub struct Replica {
    /// Shared by clones until one of them takes in a block.
    charter: Arc<Charter>,
    logs: Vec<Log>,
    proofs: BTreeMap<PublicKey, ForkProof>,
    erasures: Erasures,
    staged: usize,
    staged_bytes: usize,
}

impl Replica {
    /// A replica that holds the charter and no entries.
    pub fn new(charter: impl Into<Arc<Charter>>) -> Self {
        let charter = charter.into();
        let logs = charter.logs().iter().map(|_| Log::default()).collect();
        let mut erasures = Erasures::default();
        charter.erased().iter().for_each(|(version, target)| erasures.add(Eraser::Block(*version), [*target]));
        Self { charter, logs, proofs: BTreeMap::new(), erasures, staged: 0, staged_bytes: 0 }
    }

    /// The charter.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// Binds the charter to a block; see [`Charter::pin`].
    pub fn pin(&mut self, version: u32, hash: BlockHash) -> Result<(), CharterError> {
        Arc::make_mut(&mut self.charter).pin(version, hash)
    }

    /// Adds a block after the charter's tip, and does what it says to what is held: branches that its seals name are
    /// brought back, bodies that it erases go.
    pub fn append_block(
        &mut self,
        block: SignedBlock,
        source: &dyn EntrySource,
        changes: &mut Vec<Change>,
    ) -> Result<Appended, CharterError> {
        let appended = Arc::make_mut(&mut self.charter).append(block.clone())?;
        match appended {
            Appended::Known => {}
            Appended::Rival => changes.push(Change::Rival(block)),
            Appended::New => {
                let version = block.block().version;
                self.logs.resize_with(self.charter.logs().len(), Log::default);
                changes.push(Change::Block(block));
                let erased = self.charter.erased().iter().filter(|(by, _)| *by == version).map(|(_, target)| *target);
                self.erasures.add(Eraser::Block(version), erased);
                (0..self.logs.len() as LogNumber).for_each(|log| self.bring_back(log, source, changes));
                self.carry_out_erasures(source, changes);
            }
        }
        Ok(appended)
    }

    /// Puts the branch that the seal names in its place, if it was displaced before.
    fn bring_back(&mut self, number: LogNumber, source: &dyn EntrySource, changes: &mut Vec<Change>) {
        let Some(Some(Some(last))) = self.charter.logs().get(number as usize).map(|grant| grant.seal) else { return };
        let log = &self.logs[number as usize];
        if log.displaced.is_empty() || log.id(last.sequence) == Some(last.id) {
            return;
        }
        let Some(way) = log.way_to(last) else { return };
        let entries: Option<Vec<_>> = way.iter().map(|id| source.displaced(id)).collect();
        // What the store has lost comes by sync, if anybody holds it.
        let Some(entries) = entries else { return };
        if let Some(first) = entries.first() {
            self.displace(number, first.header().sequence, source, changes);
            entries.iter().for_each(|entry| self.append(number, entry, source, changes));
        }
    }

    /// Takes the entries from `from` on out of a log, and keeps them by id.
    fn displace(&mut self, number: LogNumber, from: u64, source: &dyn EntrySource, changes: &mut Vec<Change>) {
        let length = self.logs[number as usize].length();
        if from >= length {
            return;
        }
        for sequence in from..length {
            let log = &mut self.logs[number as usize];
            // The bound keeps the first: whoever has the key can sign as many branches as it likes.
            if log.displaced.len() < DISPLACED_PER_LOG_MAX
                && let Some(entry) = (Recent { source, changes: changes.as_slice() }).entry(number, sequence)
            {
                log.displace(&entry);
            }
        }
        self.logs[number as usize].truncate(from);
        self.erasures.forget(number, from);
        changes.push(Change::Displace { log: number, from });
    }

    /// Lets go of every body that is erased and held all the same, as after reading a store that was put back.
    pub fn carry_out_erasures(&mut self, source: &dyn EntrySource, changes: &mut Vec<Change>) {
        let every: Vec<Eraser> = self.erasures.all().map(|(by, _)| by).collect();
        self.carry_out(&every, source, changes);
    }

    /// Lets go of the bodies that these erasures name, as far as they count.
    fn carry_out(&mut self, erasers: &[Eraser], source: &dyn EntrySource, changes: &mut Vec<Change>) {
        let recent = changes.clone();
        let source = Recent { source, changes: &recent };
        for by in erasers {
            for target in self.erasures.targets(*by).to_vec() {
                let Some(log) = self.charter.log_of(&target.key).map(|grant| grant.number) else { continue };
                let held = &self.logs[log as usize];
                let here = held.id(target.sequence) == Some(target.id);
                let entry = if here && !held.bodiless.contains(&target.sequence) {
                    self.erased(log, target.sequence).and_then(|_| source.entry(log, target.sequence))
                } else if held.displaced.contains_key(&target.id) && self.counts(*by, log) {
                    // An erasure cannot be erased, in whichever branch it stands: it may come back with its branch.
                    let erasable = |entry: &Arc<VerifiedEntry>| entry.header().kind != KIND_ERASURE;
                    source.displaced(&target.id).filter(|entry| entry.body().is_some() && erasable(entry))
                } else {
                    None
                };
                let Some(entry) = entry else { continue };
                if here {
                    self.logs[log as usize].bodiless.insert(target.sequence);
                }
                changes.push(Change::Erase { log, entry: Arc::new(entry.without_body()) });
            }
        }
    }

    /// Takes in an entry whose signature was checked. Nothing is stored for an outcome without changes.
    pub fn insert(
        &mut self,
        entry: &Arc<VerifiedEntry>,
        source: &dyn EntrySource,
        changes: &mut Vec<Change>,
    ) -> Outcome {
        let grant = match self.charter.check(entry.header()) {
            Ok(grant) => grant.clone(),
            Err(claim) => return outcome_of(claim),
        };
        let (log, before, first) = (grant.number, self.effective_length(grant.number), changes.len());
        let outcome = self.place(&grant, entry, source, changes);
        let appended = changes[first..].iter().filter(|change| matches!(change, Change::Append { .. })).count() as u64;
        let erases = |change: &Change| match change {
            Change::Append { entry, .. } | Change::Body { entry, .. } => entry.header().kind == KIND_ERASURE,
            _ => false,
        };
        // Where more counts than came, a seal was reached, and erasures that were held may count now.
        if changes[first..].iter().any(erases) || self.effective_length(log) > before + appended {
            let every = self.erasures.of_log(log);
            self.carry_out(&every, source, changes);
        }
        outcome
    }

    fn place(
        &mut self,
        grant: &LogGrant,
        entry: &Arc<VerifiedEntry>,
        source: &dyn EntrySource,
        changes: &mut Vec<Change>,
    ) -> Outcome {
        let sequence = entry.header().sequence;
        let log = &self.logs[grant.number as usize];
        if sequence > log.length() {
            return self.stage(grant.number, entry);
        }
        if log.id(sequence) == Some(entry.id()) {
            return self.meet_again(grant.number, entry, changes);
        }
        if log.previous(sequence) != Some(entry.header().previous) {
            return Outcome::Diverged;
        }
        let before = sequence.checked_sub(1).and_then(|before| log.charter(before));
        if before.is_some_and(|before| entry.header().charter < before) {
            return Outcome::Refused(RefuseReason::CharterDecreases);
        }
        if sequence < log.length() {
            return self.contradict(grant, entry, source, changes);
        }
        if !self.may_grow(grant, sequence) {
            return Outcome::Ignored(IgnoreReason::ForkedLog);
        }
        self.append(grant.number, entry, source, changes);
        self.unstage(grant, source, changes);
        Outcome::Appended
    }

    fn append(
        &mut self,
        log: LogNumber,
        entry: &Arc<VerifiedEntry>,
        source: &dyn EntrySource,
        changes: &mut Vec<Change>,
    ) {
        let sequence = entry.header().sequence;
        let kept = self.logs[log as usize].displaced.remove(&entry.id()).is_some();
        // A peer may have let go of a body that was kept here with its branch.
        let kept = (kept && entry.body().is_none())
            .then(|| (Recent { source, changes: changes.as_slice() }).displaced(&entry.id()));
        let entry = kept.flatten().unwrap_or_else(|| Arc::clone(entry));
        self.logs[log as usize].push(&entry);
        let entry = if entry.body().is_some() && self.erased(log, sequence).is_some() {
            self.logs[log as usize].bodiless.insert(sequence);
            Arc::new(entry.without_body())
        } else {
            self.note_erasure(log, &entry);
            entry
        };
        changes.push(Change::Append { log, entry });
    }

    /// Takes note of what an erasure names. One that does not decode names nothing.
    fn note_erasure(&mut self, log: LogNumber, entry: &VerifiedEntry) {
        let header = entry.header();
        let body = entry.body().filter(|_| header.kind == KIND_ERASURE);
        if let Some(erasure) = body.and_then(|body| Erasure::decode(body).ok()) {
            self.erasures.add(Eraser::Entry { log, sequence: header.sequence }, erasure.targets);
        }
    }

    /// Below a fork a log may always grow; above it only towards a seal that will name the branch.
    fn may_grow(&self, grant: &LogGrant, sequence: u64) -> bool {
        let forked = self.fork_of(&grant.key).is_some_and(|fork| fork <= sequence);
        !forked || matches!(grant.seal, Some(Some(last)) if sequence <= last.sequence)
    }

    fn meet_again(&mut self, number: LogNumber, entry: &Arc<VerifiedEntry>, changes: &mut Vec<Change>) -> Outcome {
        let sequence = entry.header().sequence;
        if entry.body().is_some()
            && self.erased(number, sequence).is_none()
            && self.logs[number as usize].bodiless.remove(&sequence)
        {
            self.note_erasure(number, entry);
            changes.push(Change::Body { log: number, entry: Arc::clone(entry) });
            return Outcome::BodyArrived;
        }
        Outcome::Duplicate
    }

    /// Another entry stands where this one attaches. That proves a fork, and where a seal names a branch that is not
    /// the one held, this entry's branch takes the place of the held one.
    fn contradict(
        &mut self,
        grant: &LogGrant,
        entry: &Arc<VerifiedEntry>,
        source: &dyn EntrySource,
        changes: &mut Vec<Change>,
    ) -> Outcome {
        let sequence = entry.header().sequence;
        let held = (Recent { source, changes: changes.as_slice() }).entry(grant.number, sequence);
        // A store that lost the held entry cannot prove the fork now; the entry is met again in the next sync.
        let Some(proof) = held.and_then(|held| ForkProof::new(&held, entry).ok()) else {
            return Outcome::Diverged;
        };
        self.add_proof(proof, changes);
        let log = &self.logs[grant.number as usize];
        let replaces = match grant.seal {
            Some(Some(last)) => sequence <= last.sequence && log.id(last.sequence) != Some(last.id),
            _ => false,
        };
        if replaces {
            self.displace(grant.number, sequence, source, changes);
            self.append(grant.number, entry, source, changes);
            self.unstage(grant, source, changes);
        }
        Outcome::Forked
    }

    fn stage(&mut self, number: LogNumber, entry: &Arc<VerifiedEntry>) -> Outcome {
        let log = &mut self.logs[number as usize];
        let sequence = entry.header().sequence;
        if log.staged.contains_key(&sequence) {
            return Outcome::Staged;
        }
        let bytes = staged_bytes(entry);
        let full = self.staged >= STAGED_MAX || self.staged_bytes + bytes > STAGED_BYTES_MAX;
        if log.staged.len() >= STAGED_PER_LOG_MAX || full {
            return Outcome::Ignored(IgnoreReason::StageFull);
        }
        log.staged.insert(sequence, Arc::clone(entry));
        self.staged += 1;
        self.staged_bytes += bytes;
        Outcome::Staged
    }

    /// Appends what had waited for the entry that just came.
    fn unstage(&mut self, grant: &LogGrant, source: &dyn EntrySource, changes: &mut Vec<Change>) {
        loop {
            let log = &mut self.logs[grant.number as usize];
            let next = log.length();
            let later = log.staged.split_off(&next);
            let stale = std::mem::replace(&mut log.staged, later);
            let waiting = log.staged.remove(&next);
            for gone in stale.values().chain(&waiting) {
                self.staged -= 1;
                self.staged_bytes -= staged_bytes(gone);
            }
            let Some(entry) = waiting else { return };
            let log = &self.logs[grant.number as usize];
            let attaches = log.previous(next) == Some(entry.header().previous)
                && log.last_charter().is_none_or(|last| last <= entry.header().charter);
            if !attaches || grant.ends_before(next) || !self.may_grow(grant, next) {
                return;
            }
            self.append(grant.number, &entry, source, changes);
        }
    }

    /// Keeps a proof if its key has a log and no lower fork of it is known. Says whether it was new.
    pub fn add_proof(&mut self, proof: ForkProof, changes: &mut Vec<Change>) -> bool {
        if self.charter.log_of(&proof.key()).is_none() {
            return false;
        }
        if self.fork_of(&proof.key()).is_some_and(|known| known <= proof.sequence()) {
            return false;
        }
        changes.push(Change::Proof(proof.clone()));
        self.proofs.insert(proof.key(), proof);
        true
    }

    /// The lowest proven fork of a key.
    pub fn fork_of(&self, key: &PublicKey) -> Option<u64> {
        self.proofs.get(key).map(ForkProof::sequence)
    }

    /// Every proof, by key.
    pub fn proofs(&self) -> impl ExactSizeIterator<Item = &ForkProof> {
        self.proofs.values()
    }

    /// Entries held of a log, counted or not.
    pub fn length(&self, log: LogNumber) -> u64 {
        self.logs.get(log as usize).map_or(0, Log::length)
    }

    /// Entries of a log that count (see the rules at the head of this module).
    pub fn effective_length(&self, log: LogNumber) -> u64 {
        let Some(grant) = self.charter.logs().get(log as usize) else { return 0 };
        let held = &self.logs[log as usize];
        let below_fork = self.fork_of(&grant.key).unwrap_or(u64::MAX).min(held.length());
        match grant.seal {
            None => below_fork,
            Some(None) => 0,
            Some(Some(last)) => match held.id(last.sequence) {
                Some(id) if id == last.id => last.sequence + 1,
                _ => below_fork.min(last.sequence),
            },
        }
    }

    /// Whether the charter's seal names an entry of this log that is not held: a branch that must be fetched.
    pub fn lacks_sealed_branch(&self, log: LogNumber) -> bool {
        let grant = self.charter.logs().get(log as usize);
        let Some(Some(Some(last))) = grant.map(|grant| grant.seal) else { return false };
        self.logs[log as usize].id(last.sequence) != Some(last.id)
    }

    /// The head of a log, unless nothing of it counts.
    pub fn head(&self, log: LogNumber) -> Option<Head> {
        let length = self.effective_length(log);
        let id = self.logs.get(log as usize)?.id(length.checked_sub(1)?)?;
        Some(Head { length, id })
    }

    /// The id held at a place of a log, counted or not.
    pub fn id(&self, log: LogNumber, sequence: u64) -> Option<EntryId> {
        self.logs.get(log as usize)?.id(sequence)
    }

    /// The latest time that an entry before this place claims; an entry that claims an earlier one is dated back.
    pub fn latest_ms_before(&self, log: LogNumber, sequence: u64) -> u64 {
        self.logs.get(log as usize).map_or(0, |log| log.latest_ms_before(sequence))
    }

    /// The place of the last entry of a log that counts, for a seal.
    pub fn position(&self, log: LogNumber) -> Option<Position> {
        self.head(log).map(|head| head.position())
    }

    /// Sequences of a log, among those that count, whose bodies are missing and not erased.
    pub fn missing_bodies(&self, log: LogNumber) -> impl Iterator<Item = u64> + '_ {
        let range: Range<u64> = 0..self.effective_length(log);
        let bodiless =
            self.logs.get(log as usize).into_iter().flat_map(move |held| held.bodiless.range(range.clone()).copied());
        bodiless.filter(move |sequence| self.erased(log, *sequence).is_none())
    }

    /// Whether every body of every entry that counts is here.
    pub fn is_complete(&self) -> bool {
        (0..self.logs.len() as LogNumber).all(|log| self.missing_bodies(log).next().is_none())
    }

    /// Entries that wait for a predecessor.
    pub fn staged(&self) -> usize {
        self.staged
    }

    /// The name of the state that this replica holds.
    pub fn frontier(&self) -> Frontier {
        let heads = (0..self.logs.len() as LogNumber).filter_map(|log| Some((log, self.head(log)?)));
        Frontier {
            federation: self.charter.federation(),
            charter_version: self.charter.version(),
            charter_tip: self.charter.tip(),
            heads: heads.collect(),
            proofs: self.proofs_hash(),
        }
    }

    /// The hash of the proof set.
    pub fn proofs_hash(&self) -> [u8; 32] {
        let rival = self.charter.rival().map(|rival| rival.block().version);
        proofs_hash(self.proofs.iter().map(|(key, proof)| (*key, proof.sequence())), rival)
    }

    /// Puts back an entry that this node's store held. The caller reads a log from its beginning.
    ///
    /// Returns whether it continues its log; if not, what the store holds from here on is damaged.
    pub fn restore(&mut self, log: LogNumber, entry: &VerifiedEntry) -> bool {
        let Some(grant) = self.charter.logs().get(log as usize) else { return false };
        let held = &mut self.logs[log as usize];
        let sequence = entry.header().sequence;
        let continues = grant.key == entry.header().key
            && sequence == held.length()
            && held.previous(sequence) == Some(entry.header().previous);
        if continues {
            held.push(entry);
            self.note_erasure(log, entry);
        }
        continues
    }

    /// Puts back an entry that this node's store kept of another branch.
    pub fn restore_displaced(&mut self, entry: &VerifiedEntry) {
        if let Some(grant) = self.charter.log_of(&entry.header().key) {
            self.logs[grant.number as usize].displace(entry);
        }
    }

    /// Puts back the second block of a version that this node's store held.
    pub fn restore_rival(&mut self, block: SignedBlock) {
        // One that proves nothing any more, after a pin, is of no use; and one after the tip is no rival.
        if block.block().version <= self.charter.version() {
            drop(Arc::make_mut(&mut self.charter).append(block));
        }
    }

    /// Puts back a proof that this node's store held.
    pub fn restore_proof(&mut self, proof: ForkProof) {
        self.add_proof(proof, &mut Vec::new());
    }
}

fn staged_bytes(entry: &VerifiedEntry) -> usize {
    entry.body().map_or(0, |body| body.len())
}

fn outcome_of(claim: Claim) -> Outcome {
    match claim {
        Claim::CharterAhead => Outcome::Ignored(IgnoreReason::CharterAhead),
        Claim::AboveSeal => Outcome::Ignored(IgnoreReason::AboveSeal),
        Claim::UnknownKey => Outcome::Refused(RefuseReason::UnknownKey),
        Claim::BeforeGrant => Outcome::Refused(RefuseReason::BeforeGrant),
        Claim::BeforeCharterTime => Outcome::Refused(RefuseReason::BeforeCharterTime),
    }
}

#[cfg(test)]
mod tests;
