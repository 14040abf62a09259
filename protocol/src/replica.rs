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

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use crate::charter::{Appended, Charter, CharterError, Claim, LogGrant, LogNumber, Position, SignedBlock};
use crate::entry::VerifiedEntry;
use crate::fork::ForkProof;
use crate::frontier::{Frontier, Head, proofs_hash};
use crate::identity::{EntryId, PublicKey};
use crate::limits::{STAGED_BYTES_MAX, STAGED_MAX, STAGED_PER_LOG_MAX};

/// Where the shell keeps entries. Reading happens only when two entries contradict each other.
pub trait EntrySource {
    /// The entry held at `sequence` of `log`, with or without its body.
    fn entry(&self, log: LogNumber, sequence: u64) -> Option<Arc<VerifiedEntry>>;
}

/// What the shell must store, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The charter grew by this block.
    Block(SignedBlock),
    /// The log grew by this entry.
    Append {
        /// The log.
        log: LogNumber,
        /// The entry.
        entry: Arc<VerifiedEntry>,
    },
    /// The body of an entry that was held without it has arrived.
    Body {
        /// The log.
        log: LogNumber,
        /// The entry with its body.
        entry: Arc<VerifiedEntry>,
    },
    /// Entries from this sequence on are of a wrong branch and are dropped.
    Truncate {
        /// The log.
        log: LogNumber,
        /// The first sequence that goes.
        from: u64,
    },
    /// A fork was proven, lower than any known before.
    Proof(ForkProof),
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It continues its log (and perhaps others that had waited for it followed).
    Appended,
    /// It was there already.
    Duplicate,
    /// It was there without its body, which is now there too.
    BodyArrived,
    /// It waits for its predecessor.
    Staged,
    /// It cannot be judged now and nobody is to blame.
    Ignored(IgnoreReason),
    /// It breaks a rule, for good.
    Refused(RefuseReason),
    /// It contradicts the entry held at its place: the fork is proven.
    Forked,
    /// Its predecessor is not the one held here: the log forked somewhere below. Look for the place.
    Diverged,
}

/// Why an entry is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IgnoreReason {
    /// Fetch the charter first.
    #[error("it was written under a later charter than the one held here")]
    CharterAhead,
    /// Fetch the log instead.
    #[error("too many entries wait for their predecessors already")]
    StageFull,
    /// The charter may move the seal later; then it is fetched again.
    #[error("it lies above the seal of its key")]
    AboveSeal,
    /// Nothing is added to a forked log until a seal names a branch.
    #[error("its log is forked, and no seal names a branch yet")]
    ForkedLog,
}

/// Why an entry is refused for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RefuseReason {
    /// The key belongs to no member.
    #[error("its signing key belongs to no member")]
    UnknownKey,
    /// It names a charter version before its key was granted.
    #[error("it names a charter version before its key was granted")]
    BeforeGrant,
    /// It is dated before the charter block that it names.
    #[error("it is dated before the charter block that it names")]
    BeforeCharterTime,
    /// It names an earlier charter version than its predecessor does.
    #[error("it names an earlier charter version than its predecessor")]
    CharterDecreases,
}

impl IgnoreReason {
    /// The name in counters and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::CharterAhead => "charter-ahead",
            Self::StageFull => "stage-full",
            Self::AboveSeal => "above-seal",
            Self::ForkedLog => "forked-log",
        }
    }
}

impl RefuseReason {
    /// The name in counters and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown-key",
            Self::BeforeGrant => "before-grant",
            Self::BeforeCharterTime => "before-charter-time",
            Self::CharterDecreases => "charter-decreases",
        }
    }
}

/// One log as it is held.
#[derive(Debug, Clone, Default)]
struct Log {
    ids: Vec<EntryId>,
    charters: Vec<u32>,
    /// Sequences whose bodies are not here.
    bodiless: std::collections::BTreeSet<u64>,
    staged: BTreeMap<u64, Arc<VerifiedEntry>>,
}

impl Log {
    fn length(&self) -> u64 {
        self.ids.len() as u64
    }

    fn id(&self, sequence: u64) -> Option<EntryId> {
        usize::try_from(sequence).ok().and_then(|index| self.ids.get(index)).copied()
    }

    /// Id of the entry before `sequence`, as a header names it.
    fn previous(&self, sequence: u64) -> Option<EntryId> {
        if sequence == 0 { Some(EntryId::ZERO) } else { self.id(sequence - 1) }
    }

    fn push(&mut self, entry: &VerifiedEntry) {
        if entry.body().is_none() {
            self.bodiless.insert(self.length());
        }
        self.ids.push(entry.id());
        self.charters.push(entry.header().charter);
    }

    fn truncate(&mut self, from: u64) {
        self.ids.truncate(from as usize);
        self.charters.truncate(from as usize);
        self.bodiless.split_off(&from);
    }
}

/// What a node holds of its federation.
#[derive(Debug, Clone)]
pub struct Replica {
    charter: Charter,
    logs: Vec<Log>,
    proofs: BTreeMap<PublicKey, ForkProof>,
    staged: usize,
    staged_bytes: usize,
}

impl Replica {
    /// A replica that holds the charter and no entries.
    pub fn new(charter: Charter) -> Self {
        let logs = charter.logs().iter().map(|_| Log::default()).collect();
        Self { charter, logs, proofs: BTreeMap::new(), staged: 0, staged_bytes: 0 }
    }

    /// The charter.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// Adds a block after the charter's tip.
    pub fn append_block(&mut self, block: SignedBlock, changes: &mut Vec<Change>) -> Result<Appended, CharterError> {
        let appended = self.charter.append(block.clone())?;
        if appended == Appended::New {
            self.logs.resize_with(self.charter.logs().len(), Log::default);
            changes.push(Change::Block(block));
        }
        Ok(appended)
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
        if sequence > 0 && entry.header().charter < log.charters[sequence as usize - 1] {
            return Outcome::Refused(RefuseReason::CharterDecreases);
        }
        if sequence < log.length() {
            return self.contradict(&grant, entry, source, changes);
        }
        if !self.may_grow(&grant, sequence) {
            return Outcome::Ignored(IgnoreReason::ForkedLog);
        }
        self.append(grant.number, entry, changes);
        self.unstage(&grant, changes);
        Outcome::Appended
    }

    fn append(&mut self, log: LogNumber, entry: &Arc<VerifiedEntry>, changes: &mut Vec<Change>) {
        self.logs[log as usize].push(entry);
        changes.push(Change::Append { log, entry: Arc::clone(entry) });
    }

    /// Below a fork a log may always grow; above it only towards a seal that will name the branch.
    fn may_grow(&self, grant: &LogGrant, sequence: u64) -> bool {
        let forked = self.fork_of(&grant.key).is_some_and(|fork| fork <= sequence);
        !forked || matches!(grant.seal, Some(Some(last)) if sequence <= last.sequence)
    }

    fn meet_again(&mut self, number: LogNumber, entry: &Arc<VerifiedEntry>, changes: &mut Vec<Change>) -> Outcome {
        let sequence = entry.header().sequence;
        if entry.body().is_some() && self.logs[number as usize].bodiless.remove(&sequence) {
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
        let held = source.entry(grant.number, sequence);
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
            self.logs[grant.number as usize].truncate(sequence);
            changes.push(Change::Truncate { log: grant.number, from: sequence });
            self.append(grant.number, entry, changes);
            self.unstage(grant, changes);
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
    fn unstage(&mut self, grant: &LogGrant, changes: &mut Vec<Change>) {
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
                && log.charters.last().is_none_or(|last| *last <= entry.header().charter);
            if !attaches || grant.ends_before(next) || !self.may_grow(grant, next) {
                return;
            }
            self.append(grant.number, &entry, changes);
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

    /// The place of the last entry of a log that counts, for a seal.
    pub fn position(&self, log: LogNumber) -> Option<Position> {
        self.head(log).map(|head| head.position())
    }

    /// Sequences of a log, among those that count, whose bodies are missing.
    pub fn missing_bodies(&self, log: LogNumber) -> impl Iterator<Item = u64> + '_ {
        let range: Range<u64> = 0..self.effective_length(log);
        self.logs.get(log as usize).into_iter().flat_map(move |held| held.bodiless.range(range.clone()).copied())
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
        proofs_hash(self.proofs.iter().map(|(key, proof)| (*key, proof.sequence())))
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
        }
        continues
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
