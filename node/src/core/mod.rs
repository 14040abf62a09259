//! The heart of a node: replica, view and store, changed by one thread and read by everybody.
//!
//! [`Core`] is a cheap handle. Everything that changes state goes through a bounded queue to the writer (see
//! [`writer`]), which groups what waits, makes it durable in one commit, and only then answers. Readers take a shared
//! lock; they never see what is not on disk, because the writer holds the lock while it commits.

mod attestations;
mod clock_watch;
pub mod counters;
mod holding;
mod observed;
mod stop;
mod touched;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use parking_lot::{Mutex, RwLock};
use protocol::beacon::Beacon;
use protocol::charter::{CharterError, LogNumber, SignedBlock};
use protocol::completeness::Claim;
use protocol::custody::{Frontiers, Holdings};
pub use protocol::durable::Report;
use protocol::entry::{Draft, Entry, EntryError, VerifiedEntry};
use protocol::fork::ForkProof;
use protocol::identity::{EntryId, FederationId, FrontierDigest, MemberNumber, PublicKey, public_key};
use protocol::limits::CLOCK_TOLERANCE_MS;
use protocol::replica::Replica;
use protocol::view::{BodySource, Keeper, Place, View};
use rayon::prelude::*;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use crate::confidential::{Access, Vault};
use crate::store::{PurgeReport, Store, StoreError, lock_directory};
use attestations::Attestations;
use clock_watch::ClockWatch;
use counters::Counters;
use observed::Observed;
pub use stop::{Stop, TwinSign};
use touched::Collected;
pub use touched::{Taken, Waiting};
use writer::{Command, Writer};

/// Commands that may wait for the writer. Senders wait when it is full.
const QUEUE: usize = 64;

/// How often a closing node looks whether everybody gave the store back.
const CLOSE_POLL: Duration = Duration::from_millis(20);

/// The variable that sets a node's clock wrong by so many milliseconds. For tests only.
pub const CLOCK_OFFSET: &str = "XIANMENG_TEST_CLOCK_OFFSET_MS";

/// The clock of this machine, in milliseconds since 1970 (UTC).
///
/// Tests set a node's clock wrong through the environment's [`CLOCK_OFFSET`].
pub fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |duration| duration.as_millis() as u64).saturating_add_signed(clock_shift_ms())
}

/// By how many milliseconds the environment's [`CLOCK_OFFSET`] sets the clock of this process wrong; zero without it.
pub fn clock_shift_ms() -> i64 {
    static OFFSET_MS: OnceLock<i64> = OnceLock::new();
    *OFFSET_MS.get_or_init(|| {
        let text = std::env::var(CLOCK_OFFSET).ok();
        text.and_then(|text| text.parse().ok()).unwrap_or_default()
    })
}

/// Why nothing could be published.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublishError {
    /// This node's signing key has no right: not admitted, expelled, or sealed.
    #[error("this node's signing key has no right to publish")]
    NotMember,
    /// The charter sealed this node's signing key, and grants it no other yet.
    #[error("the signing key of this node is sealed since charter block {version}; it needs a new one")]
    KeySealed {
        /// Version of the block that sealed it.
        version: u32,
    },
    /// This node's log is forked: two machines signed with one key.
    #[error("this node's log is forked at entry {sequence}; a registrar must seal it and grant a new key")]
    Forked {
        /// The place.
        sequence: u64,
    },
    /// The node must hear from its peers first (DESIGN 3.7).
    #[error("this node has just started and waits for other members to confirm where its log ends")]
    WaitingForPeers,
    /// The clock is before the charter's last block.
    #[error("this machine's clock is {behind_ms} ms behind the charter")]
    ClockBehind {
        /// How far.
        behind_ms: u64,
    },
    /// The clock is ahead of those of the peers: an entry dated into the future is seen by nobody until then.
    #[error("this machine's clock is {ahead_ms} ms ahead of its peers'")]
    ClockAhead {
        /// How far.
        ahead_ms: u64,
    },
    /// An entry breaks a rule of entries.
    #[error("entry {index} cannot be signed: {error}")]
    Entry {
        /// Position in the request.
        index: usize,
        /// The rule.
        error: EntryError,
    },
    /// The disk refused.
    #[error("the store failed: {reason}")]
    Store {
        /// Whether the disk is full.
        disk_full: bool,
        /// What happened.
        reason: String,
    },
    /// The node is shutting down.
    #[error("the node is shutting down")]
    Closed,
}

impl From<&StoreError> for PublishError {
    fn from(error: &StoreError) -> Self {
        Self::Store { disk_full: matches!(error, StoreError::DiskFull { .. }), reason: error.chain() }
    }
}

/// What may be read together.
pub struct State {
    /// Charter, logs and proofs.
    pub replica: Replica,
    keeper: Keeper,
}

impl State {
    /// The records.
    pub fn view(&self) -> &View {
        self.keeper.view()
    }
}

/// What the network must be told about. Sent after it is durable.
#[derive(Debug, Clone)]
pub enum Event {
    /// Entries of this node's own log.
    Published(Vec<Arc<VerifiedEntry>>),
    /// The charter grew.
    Charter(Vec<SignedBlock>),
    /// Forks were proven here.
    Proofs(Vec<ForkProof>),
}

/// To how many members something has been delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Active members other than this node's, whose node holds it.
    pub held_by: Vec<MemberNumber>,
    /// Active members other than this node's.
    pub members: usize,
}

struct Shared {
    federation: FederationId,
    signing: SigningKey,
    state: RwLock<State>,
    store: Store,
    counters: Counters,
    /// For each member, how far its node is known to hold each log.
    held: Mutex<Holdings>,
    /// The frontiers that this node went through lately.
    frontiers: Mutex<Frontiers>,
    observed: Observed,
    attestations: Attestations,
    /// What was touched and nobody has taken yet.
    touched: Mutex<Collected>,
    /// What opens confidential records.
    vault: RwLock<Arc<Vault>>,
    /// Whether the own log may grow: cleared while peers must confirm its head.
    signing_ready: std::sync::atomic::AtomicBool,
    /// How far the clock is ahead of the peers' beyond the tolerance, in milliseconds; 0 if it is not, or nobody knows.
    clock_ahead_ms: std::sync::atomic::AtomicU64,
    /// Tells a clock that was set since that was found out.
    clock_watch: ClockWatch,
    changed: watch::Sender<u64>,
    /// Set once, when the node must stop.
    failed: watch::Sender<Option<Stop>>,
}

impl Shared {
    /// Why nothing is signed any more: the store's reason, where that is what stops the node, since the one who asked
    /// may be told before or after the write that failed.
    fn closed(&self) -> PublishError {
        let failed = match &*self.failed.borrow() {
            Some(Stop::Store(reason)) => Some(reason.clone()),
            _ => self.store.stopped(),
        };
        failed.map_or(PublishError::Closed, |reason| PublishError::Store { disk_full: false, reason })
    }

    fn stop(&self, reason: Stop) {
        self.signing_ready.store(false, std::sync::atomic::Ordering::Release);
        self.failed.send_if_modified(|failed| {
            let first = failed.is_none();
            failed.get_or_insert(reason);
            first
        });
    }
}

/// A handle to the heart of the node.
#[derive(Clone)]
pub struct Core {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
}

impl Core {
    /// Starts the writer thread. Returns what the network must be told about, as a bounded queue.
    pub fn start(
        store: Store,
        replica: Replica,
        signing: SigningKey,
        signing_ready: bool,
    ) -> (Self, mpsc::Receiver<Event>) {
        let keeper = Keeper::build(crate::kinds::kinds(), &replica, &store);
        let shared = Arc::new(Shared {
            federation: replica.charter().federation(),
            signing,
            state: RwLock::new(State { replica, keeper }),
            store,
            counters: Counters::default(),
            held: Mutex::default(),
            frontiers: Mutex::default(),
            observed: Observed::default(),
            attestations: Attestations::default(),
            touched: Mutex::default(),
            vault: RwLock::default(),
            signing_ready: signing_ready.into(),
            clock_ahead_ms: Default::default(),
            clock_watch: ClockWatch::new(now_ms()),
            changed: watch::Sender::new(0),
            failed: watch::Sender::new(None),
        });
        let (commands, queue) = mpsc::channel(QUEUE);
        let (events, event_queue) = mpsc::channel(QUEUE);
        let writer = Writer::new(Arc::clone(&shared), queue, events);
        std::thread::Builder::new()
            .name("xianmeng-writer".into())
            .spawn(move || writer.run())
            .expect("the operating system grants one thread");
        (Self { shared, commands }, event_queue)
    }

    /// The federation.
    pub fn federation(&self) -> FederationId {
        self.shared.federation
    }

    /// This node's signing key.
    pub fn signing_key(&self) -> PublicKey {
        public_key(&self.shared.signing)
    }

    /// This node's member and log, while its key has a right.
    pub fn own(&self) -> Option<(MemberNumber, LogNumber)> {
        self.read(|state| own_of(&state.replica, &self.signing_key()))
    }

    /// Gives the node its encryption keys, the one in use first. Without them every confidential record is closed.
    pub fn hold_encryption_keys(&self, keys: Vec<SigningKey>) {
        *self.shared.vault.write() = Arc::new(Vault::new(keys));
    }

    /// What this node's encryption keys open now. Not to be called within [`Self::read`].
    pub fn access(&self) -> Arc<Access> {
        let vault = Arc::clone(&self.shared.vault.read());
        self.read(|state| vault.access(state.replica.charter()))
    }

    /// Reads replica and view together. Keep it short: the writer waits.
    pub fn read<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        read(&self.shared.state.read())
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Events by name.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// A number that grows with every change of state.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Waits until the node must stop, and returns why.
    pub async fn failure(&self) -> Stop {
        let mut failed = self.shared.failed.subscribe();
        let reason = failed.wait_for(Option::is_some).await.map(|reason| reason.clone());
        // The sender lives as long as this handle, so waiting cannot end without a reason.
        reason.ok().flatten().unwrap_or_else(|| Stop::Store("the writer is gone".to_owned()))
    }

    /// Makes the node sign nothing more and stop. The first reason counts.
    pub fn stop(&self, reason: Stop) {
        self.shared.stop(reason);
    }

    /// Until when views show entries: a little ahead of this machine's clock.
    pub fn as_of_ms(&self) -> u64 {
        now_ms().saturating_add(CLOCK_TOLERANCE_MS)
    }

    /// Signs entries and makes them durable, all of them or none.
    pub async fn publish(&self, drafts: Vec<Draft>) -> Result<Vec<Arc<VerifiedEntry>>, PublishError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Publish { drafts, reply }).await.map_err(|_| self.shared.closed())?;
        answer.await.map_err(|_| self.shared.closed())?
    }

    /// Takes in entries whose signatures were checked, and makes what is new durable.
    pub async fn ingest(&self, entries: Vec<Arc<VerifiedEntry>>) -> Result<Report, PublishError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Ingest { entries, reply }).await.map_err(|_| PublishError::Closed)?;
        answer.await.map_err(|_| PublishError::Closed)?
    }

    /// Appends charter blocks; those that are held already are passed over. Returns how many were new.
    pub async fn append_blocks(&self, blocks: Vec<SignedBlock>) -> Result<u64, BlockError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Blocks { blocks, reply }).await.map_err(|_| BlockError::Closed)?;
        answer.await.map_err(|_| BlockError::Closed)?
    }

    /// Keeps fork proofs. Returns those that were new.
    pub async fn add_proofs(&self, proofs: Vec<ForkProof>) -> Result<Vec<ForkProof>, PublishError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Proofs { proofs, reply }).await.map_err(|_| PublishError::Closed)?;
        answer.await.map_err(|_| PublishError::Closed)?
    }

    async fn send(&self, command: Command) -> Result<(), mpsc::error::SendError<Command>> {
        self.commands.send(command).await
    }

    /// Verifies signatures: a single one at once, more on every core, away from the async threads.
    ///
    /// Entries come by gossip one by one. Each takes some 50 µs, no more than waking another thread does, and a peer
    /// that sends many at a time would make the pool of blocking threads grow, which keep memory each.
    pub async fn verify(&self, entries: Vec<Entry>) -> Vec<Result<Arc<VerifiedEntry>, EntryError>> {
        let federation = self.shared.federation;
        let verify = move |entry: Entry| entry.verify(&federation).map(Arc::new);
        if entries.len() <= 1 {
            return entries.into_iter().map(verify).collect();
        }
        let on_every_core = move || entries.into_par_iter().map(verify).collect();
        tokio::task::spawn_blocking(on_every_core).await.unwrap_or_default()
    }

    /// Keeps a verified beacon, with its bytes, for audit bundles.
    pub fn note_beacon(&self, beacon: Beacon, bytes: &[u8]) {
        self.read(|state| self.shared.attestations.note(beacon, bytes, state.replica.charter()));
    }

    /// The digest that the node with this transport key named in its last beacon.
    pub fn last_digest(&self, key: &PublicKey) -> Option<FrontierDigest> {
        self.shared.attestations.digest(key)
    }

    /// The beacons of other nodes that name exactly the frontier of `claim`, as this node's charter stands.
    pub fn attestations(&self, claim: &Claim) -> Vec<Vec<u8>> {
        self.read(|state| self.shared.attestations.of(claim, state.replica.charter()))
    }

    /// Digest of the frontier, and the lengths of all logs that count.
    pub fn heads(&self) -> (FrontierDigest, BTreeMap<LogNumber, u64>) {
        self.read(|state| {
            let frontier = state.replica.frontier();
            let lengths = frontier.heads.iter().map(|(log, head)| (*log, head.length)).collect();
            (frontier.digest(), lengths)
        })
    }

    /// Whether this node may sign as far as its journal is concerned.
    pub fn signing_ready(&self) -> bool {
        self.shared.signing_ready.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Lets this node sign, now that its peers confirmed the head of its log: the journal is caught up first.
    pub async fn allow_signing(&self) {
        // When the writer is gone, nothing is signed any more.
        let _ = self.send(Command::AllowSigning).await;
    }

    /// Rids the disk of erased bodies. Commits wait meanwhile, readers do not.
    pub async fn purge(&self, erased: BTreeSet<EntryId>) -> Result<PurgeReport, PublishError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Purge { erased, reply }).await.map_err(|_| PublishError::Closed)?;
        answer.await.map_err(|_| PublishError::Closed)?.map_err(|error| PublishError::from(&error))
    }

    /// Whether the node must stop. If a commit failed, memory is ahead of the disk, and nobody may be told what it
    /// holds.
    pub fn has_failed(&self) -> bool {
        self.shared.failed.borrow().is_some()
    }

    /// How far this machine's clock is ahead of its peers' beyond the tolerance, if it is known to be.
    pub fn clock_ahead_ms(&self) -> Option<u64> {
        let ahead_ms = self.shared.clock_ahead_ms.load(std::sync::atomic::Ordering::Acquire);
        (ahead_ms > 0).then_some(ahead_ms)
    }

    /// Says how far this machine's clock is ahead of its peers' beyond the tolerance, if it is; whether enough peers were
    /// asked to know (`told`); and what the clock said before that was found out.
    pub fn set_clock_ahead(&self, ahead_ms: Option<u64>, told: bool, found_at_ms: u64) {
        self.shared.clock_ahead_ms.store(ahead_ms.unwrap_or_default(), std::sync::atomic::Ordering::Release);
        self.shared.clock_watch.look(found_at_ms, told);
    }

    /// Why publishing would be refused now, if it would.
    pub fn publishing_obstacle(&self) -> Option<PublishError> {
        self.read(|state| writer::obstacle(&self.shared, &state.replica))
    }
}

impl Core {
    /// Gives this handle back and waits until everybody did, so that the directory can be opened again. Says whether
    /// they did in time.
    pub async fn close(self, limit: Duration) -> bool {
        let shared = Arc::downgrade(&self.shared);
        let directory = self.shared.store.directory().to_owned();
        drop(self);
        let closed = async {
            // The last handle is gone before the store that it held has closed its files.
            while shared.strong_count() > 0 || lock_directory(&directory).is_err() {
                tokio::time::sleep(CLOSE_POLL).await;
            }
        };
        tokio::time::timeout(limit, closed).await.is_ok()
    }
}

impl BodySource for Core {
    fn body(&self, place: Place) -> Option<Arc<[u8]>> {
        self.shared.body(place)
    }
}

impl BodySource for Shared {
    fn body(&self, place: Place) -> Option<Arc<[u8]>> {
        match self.store.entry(place.log, place.sequence) {
            Ok(entry) => entry?.body().cloned(),
            Err(error) => {
                tracing::error!(%error, "an entry cannot be read");
                self.counters.add("store-read-failed", 1);
                None
            }
        }
    }
}

/// Why blocks could not be appended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BlockError {
    /// A block breaks a rule of the charter.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// The disk refused.
    #[error("the store failed: {0}")]
    Store(String),
    /// The node is shutting down.
    #[error("the node is shutting down")]
    Closed,
}

/// The member and log of a signing key, while its right lasts.
fn own_of(replica: &Replica, key: &PublicKey) -> Option<(MemberNumber, LogNumber)> {
    let grant = replica.charter().log_of(key)?;
    grant.seal.is_none().then_some((grant.member, grant.number))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::records::tests::world::World;

    #[test]
    fn a_single_entry_is_verified_without_another_thread() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.max_blocking_threads(1).enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = World::new().await;
            let now_ms = world.charter.tip_block().time_ms;
            let entry = world.other.entry(&world.charter, None, now_ms, 101, vec![7; 40]);
            let entry = Entry::decode(&entry.encode()).expect("an entry that was encoded");
            // The only thread for work that blocks is taken.
            let (release, taken) = sync_channel::<()>(0);
            let holder = tokio::task::spawn_blocking(move || taken.recv());
            let verified = tokio::time::timeout(Duration::from_secs(30), world.core.verify(vec![entry])).await;
            assert!(verified.expect("it waits for no thread").pop().expect("one verdict").is_ok());
            drop(release);
            let _ = holder.await;
        });
    }
}
