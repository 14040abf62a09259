//! Opening a data directory: one process, one federation, nothing believed, damage put aside and named.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use protocol::charter::{Charter, LogNumber, SignedBlock};
use protocol::identity::PublicKey;
use protocol::replica::{Change, Replica};

use super::database::{Database, sync_directory};
use super::error::StoreError;
use super::examine::{Examined, examine, logs_of, unreadable};
use super::journal::{self, Content, JOURNAL, Journal, check_federation};
use super::layout::Progress;
use super::progress::Witness;
use super::purge;
use super::replay::replay;
use super::report::{Damage, JournalState, Missing, OpenReport};
use super::salvage::{STORE, finish_interrupted, rebuild, set_snapshots_aside, swap};
use super::shelf::Shelf;
use super::{Opened, Settings, Store, Writer};

const LOCK: &str = "lock";

pub(super) fn open(
    directory: &Path,
    genesis: SignedBlock,
    own: Option<PublicKey>,
    settings: &Settings,
) -> Result<Opened, StoreError> {
    let mut genesis = Charter::genesis(genesis).map_err(StoreError::Genesis)?;
    for (version, hash) in &settings.pins {
        genesis.pin(*version, *hash).map_err(StoreError::Genesis)?;
    }
    make_directory(directory)?;
    let lock = lock(directory)?;
    let journal = directory.join(JOURNAL);
    make_directory(&journal)?;
    check_federation(&journal, genesis.federation())?;
    journal::finish_interrupted(&journal)?;
    let (shelf, mut replica, found) = open_shelf(directory, &genesis, settings)?;
    let replayed = replay(&journal, &shelf, &mut replica, own, found.damage.is_empty())?;
    let erased = erase(&journal, &shelf, &mut replica)?;
    let journal_state = compare(own, &replica, &replayed.content);
    let federation = genesis.federation();
    let mut journal = Journal::resume(&journal, federation, settings.journal_segment_bytes, replayed.content)?;
    let blocks: Vec<&SignedBlock> = replica.charter().blocks().iter().collect();
    journal.append(&blocks, &[])?;

    let missing = |(log, until): &(LogNumber, u64)| {
        let from = replica.length(*log);
        (from < *until).then_some(Missing { log: *log, from, until: *until })
    };
    let report = OpenReport {
        created: found.created,
        missing: found.heads.iter().filter_map(missing).collect(),
        damaged: found.damage,
        moved_aside: found.moved_aside,
        journal: journal_state,
        recovered: replayed.recovered,
        refused: replayed.refused,
        erased,
        torn_bytes: replayed.torn_bytes,
    };
    let writer = Mutex::new(Writer { journal, stopped: None, commits: 0 });
    Ok(Opened {
        store: Store {
            shelf,
            writer,
            directory: directory.to_owned(),
            federation,
            cache_bytes: settings.cache_bytes,
            _lock: lock,
        },
        replica,
        report,
    })
}

/// Takes out bodies that were erased and lie here all the same, as in a directory put back from a backup. How many
/// database and journal held; [`Store::purge`] then rids the disk of them.
fn erase(journal: &Path, shelf: &Shelf, replica: &mut Replica) -> Result<u64, StoreError> {
    let mut changes = Vec::new();
    replica.carry_out_erasures(shelf, &mut changes);
    if !changes.is_empty() {
        shelf.write(&changes)?;
    }
    Ok(changes.len() as u64 + journal::bodies_held(journal, &replica.erased_ids())?)
}

fn make_directory(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(|source| StoreError::file("create", path, source))?;
    match path.parent() {
        Some(parent) if parent != Path::new("") => sync_directory(parent),
        _ => Ok(()),
    }
}

/// Takes the directory for this process until the file is dropped.
pub fn lock(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join(LOCK);
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = opened.map_err(|source| StoreError::file("open", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { directory: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StoreError::file("lock", &path, source)),
    }
}

/// What opening the database found.
struct Found {
    created: bool,
    damage: Vec<Damage>,
    moved_aside: Option<PathBuf>,
    /// Lengths of logs as the database recorded them before any damage.
    heads: Vec<(LogNumber, u64)>,
}

fn open_shelf(directory: &Path, genesis: &Charter, settings: &Settings) -> Result<(Shelf, Replica, Found), StoreError> {
    let mut witness = Witness::open(directory, genesis.federation())?;
    finish_interrupted(directory)?;
    purge::finish_interrupted(directory)?;
    let path = directory.join(STORE);
    let created = !path.exists();
    let (mut database, mut examined) = attempt(&path, genesis, settings)?;
    let mut damage = std::mem::take(&mut examined.damage);
    let (expected, found) = (witness.commits(), examined.progress.commits);
    if found < expected {
        damage.push(Damage::RolledBack { expected, found });
    }
    let heads = examined.heads.iter().map(|(log, head)| (*log, head.length)).collect();
    let mut moved_aside = None;
    if !created && !damage.is_empty() {
        damage.iter().for_each(|found| tracing::error!(%found, "the store is damaged"));
        let commits = expected.max(found) + 1;
        rebuild(directory, settings.cache_bytes, database.as_ref(), &examined.replica, commits)?;
        drop(database.take());
        moved_aside = Some(swap(directory)?);
        (database, examined) = attempt(&path, genesis, settings)?;
        if let Some(finding) = examined.damage.first() {
            return Err(StoreError::DamagedAgain { finding: finding.to_string() });
        }
    }
    let Some(database) = database else {
        return Err(StoreError::DamagedAgain { finding: "it does not open".into() });
    };
    // A database that was just created goes on counting where the last one was seen.
    let progress = Progress { commits: examined.progress.commits.max(expected), ..examined.progress };
    witness.record(progress.commits)?;
    let shelf = Shelf::new(database, logs_of(&examined.replica), examined.attic, progress, witness);
    if examined.fresh {
        let genesis = genesis.blocks().iter().cloned().map(Change::Block);
        shelf.write(&genesis.collect::<Vec<_>>())?;
    }
    Ok((shelf, examined.replica, Found { created, damage, moved_aside, heads }))
}

/// Opens and examines the database; `None` when damage keeps it from opening.
fn attempt(path: &Path, genesis: &Charter, settings: &Settings) -> Result<(Option<Database>, Examined), StoreError> {
    let first = match Database::open(path, settings.cache_bytes) {
        Ok(database) => {
            let examined = examine(&database, genesis)?;
            return Ok((Some(database), examined));
        }
        Err(error) if error.is_damage() => error,
        Err(error) => return Err(error),
    };
    // Without its snapshots sled reads its log from the beginning, up to the damage.
    set_snapshots_aside(path)?;
    match Database::open(path, settings.cache_bytes) {
        Ok(database) => {
            let mut examined = examine(&database, genesis)?;
            examined.damage.insert(0, unreadable(&first));
            Ok((Some(database), examined))
        }
        Err(error) if error.is_damage() => Ok((None, Examined::unreadable(genesis, &first))),
        Err(error) => Err(error),
    }
}

fn compare(own: Option<PublicKey>, replica: &Replica, content: &Content) -> JournalState {
    let Some(own) = own else { return JournalState::NoKey };
    let journal_length = content.length(&own);
    let store_length = replica.charter().log_of(&own).map_or(0, |grant| replica.length(grant.number));
    match (journal_length, store_length) {
        (0, 0) => JournalState::Empty,
        (0, _) => JournalState::Missing { store_length },
        _ if journal_length < store_length => JournalState::Behind { journal_length, store_length },
        _ => JournalState::Consistent { journal_length },
    }
}
