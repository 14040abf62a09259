//! The audit: everything that is held, verified again from its bytes, nothing repaired and every difference named once
//! (requirement F107).
//!
//! Opening a store trusts a signature that it checked before; the audit trusts nothing: blocks by their signatures and
//! rules, entries by signature, chain, charter and body, heads, proofs, what other branches displaced, and the journal.
//! A fault in one entry is that entry's alone: its successors are judged by their own signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use protocol::bundle::{FrameType, Frames};
use protocol::charter::{Appended, Charter, Claim, LogNumber, SignedBlock};
use protocol::entry::{Entry, VerifiedEntry};
use protocol::fork::ForkProof;
use protocol::identity::{EntryId, FederationId, PublicKey};
use protocol::replica::Replica;
use rayon::prelude::*;

use super::database::Database;
use super::error::StoreError;
use super::journal::{JOURNAL, segments};
use super::layout::{Space, StoredHead, entry_key, number_of, open_checked, place_of, read_entry};
use super::limits::{AUDIT_CACHE_BYTES, EXAMINE_CHUNK_ENTRIES};
use super::open::lock;
use super::salvage::STORE;

/// The copy of the database that is read.
const COPY: &str = "store.audit";

/// What is wrong with something that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The bytes cannot be read.
    Unreadable,
    /// The header is not the one that was signed.
    Header,
    /// The body is not the one that was signed.
    Body,
    /// The entry does not follow the one before it.
    Chain,
    /// The charter does not carry what the header claims.
    Claim,
    /// It should be there and is not.
    Missing,
    /// The body should be there: no erasure names it.
    BodyMissing,
    /// It breaks a rule of the charter, or too few signed it.
    Rule,
    /// The journal holds another entry at this place.
    Differs,
}

impl Fault {
    /// The stable word in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Header => "header-altered",
            Self::Body => "body-altered",
            Self::Chain => "chain-broken",
            Self::Claim => "claim-unfounded",
            Self::Missing => "missing",
            Self::BodyMissing => "body-missing",
            Self::Rule => "rule-broken",
            Self::Differs => "journal-differs",
        }
    }

    /// In Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Unreadable => "无法读取",
            Self::Header => "头部与签名不符",
            Self::Body => "正文与签名不符",
            Self::Chain => "与前一条不相接",
            Self::Claim => "章程不支持其声明",
            Self::Missing => "应有而缺失",
            Self::BodyMissing => "正文缺失，且没有清除它的条目",
            Self::Rule => "违反章程规则，或签名不足",
            Self::Differs => "日志段与数据库不一致",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A charter block.
    Block {
        /// Its version.
        version: u32,
    },
    /// Entries of a log.
    Entries {
        /// The log.
        log: LogNumber,
        /// The first sequence.
        from: u64,
        /// The last sequence.
        to: u64,
    },
    /// The record of a log's head.
    Head {
        /// The log.
        log: LogNumber,
    },
    /// A fork proof.
    Proof,
    /// The second block of a version.
    Rival,
    /// A segment of the journal.
    Journal {
        /// Name of the file.
        segment: String,
    },
    /// The database as a whole.
    Database {
        /// What it says.
        what: String,
    },
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// What is wrong.
    pub fault: Fault,
}

/// What an audit went through, and what it found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Charter blocks that were verified.
    pub blocks: u64,
    /// Entries whose signatures were verified.
    pub entries: u64,
    /// Bodies that were compared with what was signed.
    pub bodies: u64,
    /// Entries of the journal that were verified.
    pub journalled: u64,
    /// Every difference, once.
    pub findings: Vec<Finding>,
}

/// Audits a data directory that no process uses. The database is read from a copy, because opening one writes to it.
pub fn audit_directory(directory: &Path, genesis: &SignedBlock) -> Result<AuditReport, StoreError> {
    let _lock = lock(directory)?;
    let (store, copy) = (directory.join(STORE), directory.join(COPY));
    let failed = |source| StoreError::file("copy", &copy, source);
    if copy.exists() {
        // Of an audit that was ended by force.
        fs::remove_dir_all(&copy).map_err(failed)?;
    }
    copy_tree(&store, &copy).map_err(failed)?;
    let audited = Database::open(&copy, AUDIT_CACHE_BYTES)
        .and_then(|database| audit(&database, &directory.join(JOURNAL), genesis));
    fs::remove_dir_all(&copy).map_err(failed)?;
    audited
}

/// The same from a copy that is made at `copy`, outside the data directory, where whoever asked removes it; with the
/// charter as far as it is sound. The directory is held while it is copied only, so that a node can start meanwhile: what
/// that adds to the journal lies above the heads of the copy.
pub fn inspect(directory: &Path, copy: &Path, genesis: &SignedBlock) -> Result<(AuditReport, Charter), StoreError> {
    let held = lock(directory)?;
    copy_tree(&directory.join(STORE), copy).map_err(|source| StoreError::file("copy", copy, source))?;
    drop(held);
    let database = Database::open(copy, AUDIT_CACHE_BYTES)?;
    let auditor = audited(&database, &directory.join(JOURNAL), genesis)?;
    Ok((auditor.report, auditor.charter))
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Verifies a database and the journal beside it. Entries above the heads that are recorded are left alone: a running
/// node may just be writing them.
pub(super) fn audit(database: &Database, journal: &Path, genesis: &SignedBlock) -> Result<AuditReport, StoreError> {
    audited(database, journal, genesis).map(|auditor| auditor.report)
}

fn audited(database: &Database, journal: &Path, genesis: &SignedBlock) -> Result<Auditor, StoreError> {
    let charter = Charter::genesis(genesis.clone()).map_err(StoreError::Genesis)?;
    let mut auditor = Auditor::new(charter);
    // Heads first: what is written meanwhile lies above them.
    let heads = auditor.heads(database);
    auditor.blocks(database);
    auditor.replica = Replica::new(auditor.charter.clone());
    for (log, head) in &heads {
        auditor.log(database, *log, head);
    }
    auditor.proofs(database);
    auditor.bodies();
    auditor.journal(journal)?;
    auditor.report.findings.sort();
    auditor.report.findings.dedup();
    Ok(auditor)
}

struct Auditor {
    charter: Charter,
    replica: Replica,
    federation: FederationId,
    /// The id held at each place, as far as its entry is sound.
    ids: BTreeMap<(PublicKey, u64), EntryId>,
    bodiless: Vec<(LogNumber, u64)>,
    report: AuditReport,
}

impl Auditor {
    fn new(charter: Charter) -> Self {
        let replica = Replica::new(charter.clone());
        let federation = charter.federation();
        let (ids, bodiless, report) = (BTreeMap::new(), Vec::new(), AuditReport::default());
        Self { charter, replica, federation, ids, bodiless, report }
    }

    fn find(&mut self, subject: Subject, fault: Fault) {
        self.report.findings.push(Finding { subject, fault });
    }

    fn broken(&mut self, error: &StoreError) {
        self.find(Subject::Database { what: error.chain() }, Fault::Unreadable);
    }

    /// Keys and contents of a space behind checks; the content is `None` where the check does not fit.
    fn checked(&mut self, database: &Database, space: Space) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let (from, until) = space.bounds();
        let mut found = Vec::new();
        for next in database.scan(&from, &until) {
            match next {
                Ok((key, value)) => found.push((key.to_vec(), open_checked(&key, &value).map(<[u8]>::to_vec))),
                Err(error) => {
                    self.broken(&error);
                    break;
                }
            }
        }
        found
    }

    fn heads(&mut self, database: &Database) -> BTreeMap<LogNumber, StoredHead> {
        let mut heads = BTreeMap::new();
        for (key, content) in self.checked(database, Space::Head) {
            let Some(log) = number_of(&key) else { continue };
            match content.and_then(|content| StoredHead::decode(&content)) {
                Some(head) => drop(heads.insert(log, head)),
                None => self.find(Subject::Head { log }, Fault::Unreadable),
            }
        }
        heads
    }

    fn blocks(&mut self, database: &Database) {
        self.report.blocks = 1;
        for (key, content) in self.checked(database, Space::Block) {
            let version = number_of(&key).unwrap_or(0);
            let next = self.charter.version() + 1;
            if version > next {
                self.find(Subject::Block { version: next }, Fault::Missing);
                return;
            }
            let Some(block) = content.and_then(|content| SignedBlock::decode(&content).ok()) else {
                self.find(Subject::Block { version }, Fault::Unreadable);
                return;
            };
            // What follows a block that fails cannot be judged any more.
            match self.charter.append(block) {
                Ok(Appended::New) => self.report.blocks += 1,
                Ok(Appended::Known) => {}
                Ok(Appended::Rival) | Err(_) => {
                    self.find(Subject::Block { version }, Fault::Rule);
                    return;
                }
            }
        }
    }

    fn log(&mut self, database: &Database, log: LogNumber, head: &StoredHead) {
        let Some(grant) = self.charter.logs().get(log as usize).cloned() else {
            self.find(Subject::Head { log }, Fault::Claim);
            return;
        };
        let mut expected = 0;
        let mut previous = Some(EntryId::ZERO);
        let mut chunk: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut scan = database.scan(&entry_key(log, 0), &entry_key(log, head.length));
        loop {
            let next = match scan.next().transpose() {
                Ok(next) => next,
                Err(error) => {
                    self.broken(&error);
                    None
                }
            };
            let ended = next.is_none();
            if let Some((key, value)) = next
                && let Some((_, sequence)) = place_of(&key)
            {
                chunk.push((sequence, value));
            }
            if ended || chunk.len() >= EXAMINE_CHUNK_ENTRIES {
                self.chunk(log, &grant.key, std::mem::take(&mut chunk), &mut expected, &mut previous);
            }
            if ended {
                break;
            }
        }
        if expected < head.length {
            self.find(Subject::Entries { log, from: expected, to: head.length - 1 }, Fault::Missing);
        } else if let Some(last) = previous.filter(|last| *last != head.id) {
            tracing::debug!(log, %last, "the head names another entry");
            self.find(Subject::Head { log }, Fault::Chain);
        }
    }

    /// Verifies entries of one log in order. `previous` is the id of the entry before, if that one is sound.
    fn chunk(
        &mut self,
        log: LogNumber,
        key: &PublicKey,
        stored: Vec<(u64, Vec<u8>)>,
        expected: &mut u64,
        previous: &mut Option<EntryId>,
    ) {
        let federation = self.federation;
        let judged: Vec<Result<VerifiedEntry, Fault>> =
            stored.par_iter().map(|(sequence, value)| judge(key, *sequence, value, &federation)).collect();
        self.report.entries += stored.len() as u64;
        for ((sequence, _), judged) in stored.iter().zip(judged) {
            if *sequence > *expected {
                self.find(Subject::Entries { log, from: *expected, to: *sequence - 1 }, Fault::Missing);
                *previous = None;
            }
            *expected = *sequence + 1;
            let subject = Subject::Entries { log, from: *sequence, to: *sequence };
            let entry = match judged {
                Ok(entry) => entry,
                Err(fault) => {
                    self.find(subject, fault);
                    *previous = None;
                    continue;
                }
            };
            if previous.is_some_and(|previous| previous != entry.header().previous) {
                self.find(subject, Fault::Chain);
            } else if !matches!(self.charter.check(entry.header()), Ok(_) | Err(Claim::AboveSeal)) {
                self.find(subject, Fault::Claim);
            }
            self.keep(log, &entry);
            *previous = Some(entry.id());
        }
    }

    fn keep(&mut self, log: LogNumber, entry: &VerifiedEntry) {
        self.ids.insert((entry.header().key, entry.header().sequence), entry.id());
        if entry.body().is_some() {
            self.report.bodies += 1;
        } else {
            self.bodiless.push((log, entry.header().sequence));
        }
        // Past a gap the replica takes nothing; then which bodies were erased is known below it only.
        self.replica.restore(log, entry);
    }

    fn proofs(&mut self, database: &Database) {
        for (_, content) in self.checked(database, Space::Proof) {
            match content.and_then(|content| ForkProof::decode(&content, &self.federation).ok()) {
                Some(proof) => self.replica.restore_proof(proof),
                None => self.find(Subject::Proof, Fault::Unreadable),
            }
        }
        for (_, content) in self.checked(database, Space::Rival) {
            let block = content.and_then(|content| SignedBlock::decode(&content).ok());
            if !block.is_some_and(|block| matches!(self.charter.append(block), Ok(Appended::Rival))) {
                self.find(Subject::Rival, Fault::Rule);
            }
        }
    }

    /// Bodies that are not here although no erasure that counts names them.
    fn bodies(&mut self) {
        for (log, sequence) in std::mem::take(&mut self.bodiless) {
            let known = sequence < self.replica.length(log);
            if known && self.replica.erased(log, sequence).is_none() && sequence < self.replica.effective_length(log) {
                self.find(Subject::Entries { log, from: sequence, to: sequence }, Fault::BodyMissing);
            }
        }
    }

    fn journal(&mut self, journal: &Path) -> Result<(), StoreError> {
        let mut named: BTreeSet<(PublicKey, u64)> = BTreeSet::new();
        for (_, path) in segments(journal)? {
            let bytes = fs::read(&path).map_err(|source| StoreError::file("read", &path, source))?;
            let segment = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Ok((_, mut frames)) = Frames::open(&bytes) else {
                self.find(Subject::Journal { segment }, Fault::Unreadable);
                continue;
            };
            // A cut frame at the end is an append that was never acknowledged.
            while let Ok(Some(frame)) = frames.next_frame() {
                if frame.frame_type != FrameType::Entry {
                    continue;
                }
                let entry = Entry::decode(frame.content).ok().and_then(|entry| entry.verify(&self.federation).ok());
                let Some(entry) = entry else {
                    self.find(Subject::Journal { segment: segment.clone() }, Fault::Body);
                    continue;
                };
                self.report.journalled += 1;
                let place = (entry.header().key, entry.header().sequence);
                let differs = self.ids.get(&place).is_some_and(|held| *held != entry.id());
                if differs
                    && named.insert(place)
                    && let Some(log) = self.charter.log_of(&place.0).map(|grant| grant.number)
                {
                    self.find(Subject::Entries { log, from: place.1, to: place.1 }, Fault::Differs);
                }
            }
        }
        Ok(())
    }
}

/// One stored entry by itself: what its bytes say, and whether its key signed that.
fn judge(key: &PublicKey, sequence: u64, value: &[u8], federation: &FederationId) -> Result<VerifiedEntry, Fault> {
    let stored = read_entry(key, sequence, value).map_err(|_| Fault::Unreadable)?;
    let culprit = if stored.body_fits { Fault::Header } else { Fault::Body };
    let entry = stored.entry.ok_or(culprit)?;
    entry.verify(federation).map_err(|_| culprit)
}
