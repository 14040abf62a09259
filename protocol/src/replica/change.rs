//! What goes into a replica and what comes out: changes for the shell to store, and what became of each entry.

use std::sync::Arc;

use thiserror::Error;

use crate::charter::{LogNumber, SignedBlock};
use crate::entry::VerifiedEntry;
use crate::fork::ForkProof;
use crate::identity::EntryId;

/// Where the shell keeps entries. Reading happens only when two entries contradict each other.
pub trait EntrySource {
    /// The entry held at `sequence` of `log`, with or without its body.
    fn entry(&self, log: LogNumber, sequence: u64) -> Option<Arc<VerifiedEntry>>;

    /// An entry that was displaced by another branch, with its body if it had one.
    fn displaced(&self, id: &EntryId) -> Option<Arc<VerifiedEntry>>;
}

/// What the shell must store, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The charter grew by this block.
    Block(SignedBlock),
    /// The log grew by this entry. Where it had been displaced, it is no longer: what was kept of it goes, with its body
    /// unless that comes here.
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
    /// The body of an entry must go, whether the entry stands in its log or was displaced; it comes without it. That the
    /// body is purged from the disk as well is for the shell to see to, and to say in an acknowledgement.
    Erase {
        /// The log.
        log: LogNumber,
        /// The entry without its body.
        entry: Arc<VerifiedEntry>,
    },
    /// Entries from this sequence on are of another branch than the one that a seal names. They leave the log and are
    /// kept by id, because a later block may move the seal back to them.
    Displace {
        /// The log.
        log: LogNumber,
        /// The first sequence that goes.
        from: u64,
    },
    /// A second valid block of a version that is held: the registrars contradicted themselves.
    Rival(SignedBlock),
    /// A fork was proven, lower than any known before.
    Proof(ForkProof),
}

/// A store with changes that are decided and not stored yet: they come first.
pub struct Recent<'a> {
    /// The store.
    pub source: &'a dyn EntrySource,
    /// Changes, in order.
    pub changes: &'a [Change],
}

impl EntrySource for Recent<'_> {
    fn entry(&self, log: LogNumber, sequence: u64) -> Option<Arc<VerifiedEntry>> {
        let recent = self.changes.iter().rev().find_map(|change| match change {
            Change::Append { log: held, entry }
            | Change::Body { log: held, entry }
            | Change::Erase { log: held, entry }
                if *held == log && entry.header().sequence == sequence =>
            {
                Some(Some(Arc::clone(entry)))
            }
            Change::Displace { log: held, from } if *held == log && sequence >= *from => Some(None),
            _ => None,
        });
        recent.unwrap_or_else(|| self.source.entry(log, sequence))
    }

    fn displaced(&self, id: &EntryId) -> Option<Arc<VerifiedEntry>> {
        let recent = self.changes.iter().rev().find_map(|change| match change {
            Change::Append { entry, .. } | Change::Body { entry, .. } | Change::Erase { entry, .. } => {
                (entry.id() == *id).then(|| Arc::clone(entry))
            }
            _ => None,
        });
        // What these changes displace still stands in its log in the store.
        let displacing = || {
            let displaced = self.changes.iter().filter_map(|change| match change {
                Change::Displace { log, from } => Some((*log, *from)),
                _ => None,
            });
            displaced.into_iter().find_map(|(log, from)| {
                let mut branch = (from..).map_while(|sequence| self.source.entry(log, sequence));
                branch.find(|entry| entry.id() == *id)
            })
        };
        recent.or_else(|| self.source.displaced(id)).or_else(displacing)
    }
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
