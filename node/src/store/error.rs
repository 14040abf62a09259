//! Why the store cannot do what it was asked to do.

use std::any::Any;
use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use protocol::charter::{CharterError, LogNumber};
use protocol::identity::{FederationId, PublicKey};
use thiserror::Error;

/// What can go wrong with the store. One variant for each thing that an operator or the node treats differently.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process has the data directory open.
    #[error("{} is in use by another process", directory.display())]
    InUse {
        /// The data directory.
        directory: PathBuf,
    },
    /// The data directory belongs to another federation.
    #[error("{} belongs to federation {found}, not to {expected}", path.display())]
    ForeignFederation {
        /// Where the other federation was named.
        path: PathBuf,
        /// The federation that was asked for.
        expected: FederationId,
        /// The federation that was found.
        found: FederationId,
    },
    /// The genesis block that was given founds no federation.
    #[error("the genesis block founds no federation")]
    Genesis(#[source] CharterError),
    /// There is no space left. What was acknowledged is safe; make room and start again.
    #[error("the disk is full while trying to {what}; make room and start the node again")]
    DiskFull {
        /// What was being done.
        what: &'static str,
    },
    /// A file cannot be read or written.
    #[error("cannot {what} {}", path.display())]
    File {
        /// What was being done.
        what: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The database reports an error.
    #[error("the database cannot {what}")]
    Database {
        /// What was being done.
        what: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database broke down, which it does when its file is damaged.
    #[error("the database broke down while trying to {what}: {message}")]
    DatabaseBroke {
        /// What was being done.
        what: &'static str,
        /// What it said.
        message: String,
    },
    /// The database does not answer, which it does after an error of the disk.
    #[error("the database did not {what} within {waited_ms} ms; check the disk and start the node again")]
    Unresponsive {
        /// What was being done.
        what: &'static str,
        /// How long it was waited for.
        waited_ms: u64,
    },
    /// An entry cannot be read back as it was written. It is never served; opening the store again rebuilds it.
    #[error("entry {sequence} of log {log} is damaged on disk; start the node again to rebuild the store")]
    Damaged {
        /// The log.
        log: LogNumber,
        /// The entry's place in it.
        sequence: u64,
    },
    /// A value that is too large for the store.
    #[error("a value of {found} bytes is too large to store")]
    ValueBytes {
        /// Its size.
        found: usize,
    },
    /// A journal segment is damaged before its end, where no crash can have damaged it.
    #[error(
        "{} is damaged at frame {frame}, byte {offset} ({what}); move the directory `journal` aside and start the \
         node again: it then asks its peers for the head of its own log and fills a new journal from the store",
        segment.display()
    )]
    JournalDamaged {
        /// The segment.
        segment: PathBuf,
        /// Number of the frame, from 0.
        frame: u64,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
    /// An entry of one's own does not continue the journal. It must be caught up before anything is signed.
    #[error("the journal of key {} goes on at sequence {expected}, not at {found}", key.short())]
    JournalOrder {
        /// The signing key.
        key: PublicKey,
        /// The sequence that comes next in the journal.
        expected: u64,
        /// The sequence of the entry.
        found: u64,
    },
    /// A write failed before, so memory may be ahead of the disk. Only opening the store again helps.
    #[error("the store takes no more writes since one failed ({cause}); start the node again")]
    Stopped {
        /// The first failure.
        cause: String,
    },
    /// The rebuilt database is damaged again: the disk cannot be trusted.
    #[error("the store is damaged again right after it was rebuilt ({finding}); check the disk")]
    DamagedAgain {
        /// What was found.
        finding: String,
    },
    /// Too many damaged databases lie beside the store.
    #[error("{} holds too many damaged databases; move them away", directory.display())]
    KeptAside {
        /// The data directory.
        directory: PathBuf,
    },
}

impl StoreError {
    pub(super) fn file(what: &'static str, path: &Path, source: std::io::Error) -> Self {
        if is_full(&source) { Self::DiskFull { what } } else { Self::File { what, path: path.to_owned(), source } }
    }

    pub(super) fn database(what: &'static str, source: sled::Error) -> Self {
        match &source {
            sled::Error::Io(io) if is_full(io) => Self::DiskFull { what },
            _ => Self::Database { what, source: Box::new(source) },
        }
    }

    pub(super) fn broke(what: &'static str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let message = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it did not say why");
        Self::DatabaseBroke { what, message: message.to_owned() }
    }

    /// Whether it is the database's content that is at fault, rather than the machine around it.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::DatabaseBroke { .. } => true,
            Self::Database { source, .. } => match source.downcast_ref::<sled::Error>() {
                Some(sled::Error::Io(io)) => matches!(io.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData),
                _ => true,
            },
            _ => false,
        }
    }

    /// The error with its causes, in one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
