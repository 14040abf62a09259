//! What is computed from records and kept beside them, in step with them: the search index, and whatever else follows.
//!
//! One background task looks at every record that was touched, as it counts and as this node sees it, and hands it to
//! the [`Consumer`]s. Outline:
//!
//! * [`worker`] does the work in short steps, and decides what to look at: what the core says was touched, what had been
//!   touched while the node was away, what time moves ([`moments`]), or everything.
//! * [`task`] runs the steps where they hold nobody up, and lets what is more urgent go first.
//! * [`index`] is the consumer that feeds the search index, with [`document`] and [`payload`]; it survives a restart.
//! * [`lag`] says how far all this is behind.
//!
//! What is derived may be behind and is never wrong: whoever shows it reads the records again.

pub(crate) mod document;
mod index;
mod lag;
mod moments;
mod payload;
mod task;
#[cfg(test)]
mod tests;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use protocol::view::{Label, Positions};
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use crate::core::Core;
use crate::directory::DirectoryError;
use crate::duties;
use crate::indicators::Shelf as IndicatorShelf;
use crate::matching::Shelf;
use crate::records::look::Looked;
use crate::search::{SearchError, SearchIndex};
use lag::Gauge;
pub use lag::{IndexState, Lag};
pub use task::Follower;

/// Records that consumers are handed at a time.
const BATCH_RECORDS: usize = 256;
/// Entries that one step reads while it finds out what was touched before: each costs a body under the lock.
const ADVANCE_ENTRIES: usize = 64;
/// Moments at which time moves a record that are remembered; beyond them, those that come last are looked for again.
const MOMENTS_MAX: usize = 100_000;
/// How long a change waits for further ones before it is looked at.
const GATHER_TIME: Duration = Duration::from_millis(30);
/// Records that may be touched within [`BUSY_WINDOW`] before the node counts as busy with catching up.
const BUSY_RECORDS: u64 = 200;
/// The time over which it is measured how busy the writer is.
const BUSY_WINDOW: Duration = Duration::from_millis(500);
/// While the writer is busy, a step is followed by a pause so many times as long.
const BUSY_PAUSE_FACTOR: u32 = 4;
/// Longest pause after one step.
const BUSY_PAUSE_MAX: Duration = Duration::from_secs(2);
/// Documents that wait for a commit at most.
const COMMIT_DOCUMENTS: usize = 20_000;
/// How long a document waits for a commit while there is more to do.
const COMMIT_BUSY_TIME: Duration = Duration::from_secs(10);
/// How long two commits lie apart at least while there is nothing else to do: each costs the disk some fifteen syncs, for
/// which the store's own wait. What comes alone is found at once.
const COMMIT_IDLE_TIME: Duration = Duration::from_secs(1);
/// How long the positions of an index that did not change may be behind.
const POSITIONS_TIME: Duration = Duration::from_secs(60);
/// How far the time may go on before it is said again how far the index can be asked.
const ANNOUNCE_MS: u64 = 10_000;
/// How long a failed consumer waits until it is tried again.
const RETRY_TIME: Duration = Duration::from_secs(30);
/// Attempts after which an index that fails again and again is thrown away.
const ATTEMPTS_MAX: u32 = 2;
/// How long the words of erased records may wait for a search that still reads them.
const SCRUB_RETRY_TIME: Duration = Duration::from_secs(2);
/// How far this machine's clock may go back without everything being looked at again.
const CLOCK_BACK_MS: u64 = 5 * 60 * 1_000;
/// Requests to build anew that may wait.
const COMMANDS: usize = 4;

/// Records as they are now.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Each with what a look at it showed.
    pub(crate) records: Vec<Looked>,
    /// The time of the look.
    pub(crate) as_of_ms: u64,
}

/// How far the batches have come.
#[derive(Debug)]
pub(crate) struct Settled<'a> {
    /// Everything up to here was handed over, unless a round is under way.
    pub(crate) positions: &'a Positions,
    /// Time moves until then were handed over.
    pub(crate) looked_until_ms: u64,
    /// While a consumer is given everything: the last record of the round.
    pub(crate) round: Option<Label>,
    /// Whether nothing waits.
    pub(crate) is_idle: bool,
}

/// Why a consumer cannot go on. It is given everything again later.
#[derive(Debug, Error)]
pub(crate) enum ConsumerError {
    /// The search index.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// What a consumer holds from before.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// It was given everything up to here.
    pub(crate) positions: Positions,
    /// And what time had done until then.
    pub(crate) looked_until_ms: u64,
    /// Where the round ended in which it was given everything; nothing when it came to its end.
    pub(crate) round: Option<Label>,
    /// Whether what it holds is complete in itself but no longer what this node sees, so that all of it must come again.
    pub(crate) is_stale: bool,
}

/// Something that is computed from records. It is handed each record again whenever it may be another one.
pub(crate) trait Consumer: Send {
    /// How it is called in the log.
    fn name(&self) -> &'static str;

    /// What it holds from before the node started.
    fn held(&self) -> Option<Held> {
        None
    }

    /// Records that wait to be durable.
    fn waiting(&self) -> usize {
        0
    }

    /// Every record comes again, beside what it holds; a restart before the end must know that.
    fn renew(&mut self) {}

    /// All that it holds is void: every record comes again.
    fn clear(&mut self) -> Result<(), ConsumerError>;

    /// Takes records as they are now; those that are not there any more among them.
    fn take(&mut self, batch: &Batch) -> Result<(), ConsumerError>;

    /// Learns how far the batches have come. Returns when it wants to be told again although nothing happens, in
    /// milliseconds since 1970.
    fn settle(&mut self, settled: &Settled<'_>) -> Result<Option<u64>, ConsumerError>;

    /// Starts over after an error. What it holds still; without that, everything comes again.
    fn recover(&mut self) -> Result<Option<Held>, ConsumerError>;
}

/// How far the index can be asked: everything up to these positions is found.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The positions.
    pub positions: Positions,
    /// Time moves until then are in it.
    pub as_of_ms: u64,
    /// Grows with every commit.
    pub generation: u64,
}

/// What the other parts of the node see of this.
#[derive(Clone)]
pub struct Derived {
    shared: Arc<Shared>,
}

struct Shared {
    /// The index, while there is one.
    index: RwLock<Option<SearchIndex>>,
    gauge: Mutex<Gauge>,
    committed: watch::Sender<Option<Arc<Committed>>>,
    commands: mpsc::Sender<Command>,
    /// The catalogue of matching.
    matching: Arc<Shelf>,
    /// What was done for duties.
    duties: Arc<duties::Shelf>,
    /// What records contribute to indicators.
    indicators: Arc<IndicatorShelf>,
}

/// What the task is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    /// Build the index anew.
    Rebuild,
    /// Open the index again: a search found it damaged.
    Recover,
}

impl Derived {
    /// Prepares the task that keeps the index of `directory` in step with `core`. Nothing is opened before it runs.
    pub fn new(core: Core, directory: &Path) -> (Self, Follower) {
        let (commands, queue) = mpsc::channel(COMMANDS);
        let duties: Arc<duties::Shelf> = Arc::default();
        let shared = Arc::new(Shared {
            index: RwLock::new(None),
            gauge: Mutex::default(),
            committed: watch::Sender::new(None),
            commands,
            matching: Arc::default(),
            duties: Arc::clone(&duties),
            indicators: Arc::new(IndicatorShelf::beside(duties)),
        });
        let derived = Self { shared };
        let follower = Follower::new(core, directory.to_owned(), derived.clone(), queue);
        (derived, follower)
    }

    /// The index, unless it is not open yet or failed.
    pub fn index(&self) -> Option<SearchIndex> {
        self.shared.index.read().clone()
    }

    /// The catalogue of matching.
    pub fn matching(&self) -> Arc<Shelf> {
        Arc::clone(&self.shared.matching)
    }

    /// What was done for duties.
    pub fn duties(&self) -> Arc<duties::Shelf> {
        Arc::clone(&self.shared.duties)
    }

    /// What records contribute to indicators.
    pub fn indicators(&self) -> Arc<IndicatorShelf> {
        Arc::clone(&self.shared.indicators)
    }

    /// How far the index is behind, and what it is busy with.
    pub fn lag(&self, core: &Core) -> Lag {
        // Held meanwhile: what is taken from the core is counted in the gauge first.
        self.shared.gauge.lock().lag(core)
    }

    /// Asks for the index to be built anew. Says whether that will be done.
    pub fn rebuild(&self) -> bool {
        self.ask(Command::Rebuild)
    }

    /// Says that the index was found damaged.
    pub fn recover(&self) {
        self.ask(Command::Recover);
    }

    fn ask(&self, command: Command) -> bool {
        match self.shared.commands.try_send(command) {
            // One that waits already does as well.
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    /// How far the index can be asked, now and after each commit. Nothing while it is built.
    pub fn committed(&self) -> watch::Receiver<Option<Arc<Committed>>> {
        self.shared.committed.subscribe()
    }
}
