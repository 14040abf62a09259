//! What opening the store found, and what it counts while it runs.

use std::fmt;
use std::path::PathBuf;

use protocol::charter::LogNumber;
use protocol::identity::EntryId;

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    /// Whether there was no database before.
    pub created: bool,
    /// What was damaged; empty when everything verified.
    pub damaged: Vec<Damage>,
    /// Where the damaged database lies now.
    pub moved_aside: Option<PathBuf>,
    /// What the damaged database held and the rebuilt one does not: to be fetched from peers.
    pub missing: Vec<Missing>,
    /// How the own-log journal compares with the store.
    pub journal: JournalState,
    /// Charter blocks and entries that the journal gave back.
    pub recovered: u64,
    /// Entries and blocks of the journal that the rules refuse now, for instance above a seal.
    pub refused: u64,
    /// Bodies on disk that were erased in the meantime, as in a directory that was put back from a backup. They are out
    /// of the entries now; [`Store::purge`](super::Store::purge) rids the disk of them.
    pub erased: u64,
    /// Bytes of an unfinished append that were cut off the journal. They were never acknowledged.
    pub torn_bytes: u64,
}

/// Something in the store that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// The database cannot be opened, or reading it fails.
    Database {
        /// What it says.
        what: String,
    },
    /// The database holds an older state than the one that was acknowledged.
    RolledBack {
        /// Commits that were acknowledged.
        expected: u64,
        /// Commits that the database holds.
        found: u64,
    },
    /// A charter block.
    Block {
        /// Its version.
        version: u32,
        /// What is wrong with it.
        what: Flaw,
    },
    /// The operator pinned another block of this version: the node goes over to that branch of the charter.
    OtherBranch {
        /// The pinned version.
        version: u32,
    },
    /// An entry that another branch displaced.
    Displaced {
        /// Its id, as far as it can be read.
        id: EntryId,
    },
    /// The second block of a version: the proof that registrars contradicted themselves.
    Rival,
    /// A fork proof.
    Proof {
        /// What is wrong with it.
        what: Flaw,
    },
    /// An entry, with which its log ends in what can be kept.
    Entry(DamagedEntry),
}

/// An entry that is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DamagedEntry {
    /// Its log.
    pub log: LogNumber,
    /// Its place in the log.
    pub sequence: u64,
    /// What is wrong with it.
    pub what: Flaw,
}

/// What is wrong with a stored value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It is not there.
    Missing,
    /// Its bytes do not fit their check.
    Check,
    /// It does not continue what is before it.
    Chain,
    /// It rests on a charter block that is lost.
    CharterLost,
    /// The database cannot read it.
    Unreadable,
}

/// Entries of one log that were held once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The log.
    pub log: LogNumber,
    /// The first sequence that is missing.
    pub from: u64,
    /// The sequence after the last one that is missing.
    pub until: u64,
}

/// How the own-log journal compares with the store, after its replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalState {
    /// This node has no signing key.
    NoKey,
    /// Neither the journal nor the store holds anything of this key: a first start, or everything was lost.
    Empty,
    /// The journal holds at least what the store holds.
    Consistent {
        /// Own entries in the journal.
        journal_length: u64,
    },
    /// The store holds own entries and the journal none: signing must wait for peers (DESIGN 3.7).
    Missing {
        /// Own entries in the store.
        store_length: u64,
    },
    /// The journal lacks own entries that the store holds: signing must wait for peers (DESIGN 3.7).
    Behind {
        /// Own entries in the journal.
        journal_length: u64,
        /// Own entries in the store.
        store_length: u64,
    },
}

/// What the store counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes of the database on disk.
    pub store_bytes: u64,
    /// Bytes of the journal on disk.
    pub journal_bytes: u64,
    /// Entries held, over all logs.
    pub entries: u64,
    /// Entries written since the store was opened.
    pub entries_written: u64,
    /// Commits since the store was opened.
    pub commits: u64,
    /// Times a file was forced to disk since the store was opened.
    pub fsyncs: u64,
    /// Whether a read found damage, or a write failed, since the store was opened.
    pub damaged: bool,
}

impl Damage {
    pub(super) fn entry(log: LogNumber, sequence: u64, what: Flaw) -> Self {
        Self::Entry(DamagedEntry { log, sequence, what })
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database { what } => write!(f, "the database: {what}"),
            Self::RolledBack { expected, found } => {
                write!(f, "the database holds {found} commits of {expected} that were acknowledged")
            }
            Self::Block { version, what } => write!(f, "charter block {version} {what}"),
            Self::OtherBranch { version } => write!(f, "another charter block {version} is pinned"),
            Self::Displaced { id } => write!(f, "the displaced entry {} does not fit its check", id.short()),
            Self::Rival => f.write_str("the second block of a charter version does not fit its check"),
            Self::Proof { what } => write!(f, "a fork proof {what}"),
            Self::Entry(DamagedEntry { log, sequence, what }) => write!(f, "entry {sequence} of log {log} {what}"),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing",
            Self::Check => "does not fit its check",
            Self::Chain => "does not continue what is before it",
            Self::CharterLost => "rests on a charter block that is lost",
            Self::Unreadable => "cannot be read",
        })
    }
}
