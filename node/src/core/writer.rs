//! The one thread that changes state.
//!
//! It takes what waits in its queue, up to a bound, changes the replica in memory, commits all of it in one go, and
//! only then answers. A commit that fails poisons the store, so the node stops: memory is then ahead of the disk, and
//! only reading the disk again tells what is true.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use protocol::charter::{Appended, Charter, LogNumber, SignedBlock, Standing};
use protocol::durable::{self, Committed};
use protocol::entry::{Draft, VerifiedEntry};
use protocol::fork::ForkProof;
use protocol::identity::{EntryId, PublicKey, public_key};
use protocol::limits::CLOCK_TOLERANCE_MS;
use protocol::proposal::{KIND_ENDORSEMENT, KIND_PROPOSAL};
use protocol::replica::{Change, EntrySource, Outcome, Replica};
use rayon::prelude::*;
use tokio::sync::{mpsc, oneshot};

use super::{BlockError, Event, PublishError, Report, Shared, State, Stop, TwinSign, now_ms, own_of};
use crate::store::{PurgeReport, Store, StoreError};

/// Entries in one commit, after which the writer stops collecting.
const GROUP_ENTRIES: usize = 4_096;
/// Blocks put together from proposals after one commit: each follows the one before it.
const COLLECTED_MAX: usize = 16;
/// Own entries put into the journal at a time while it is caught up.
const CATCH_UP_ENTRIES: usize = 1_000;
/// Bytes of them.
const CATCH_UP_BYTES: usize = 4 * 1024 * 1024;

/// Own entries, or why there are none.
type Signed = Result<Vec<Arc<VerifiedEntry>>, PublishError>;

pub(super) enum Command {
    Publish {
        drafts: Vec<Draft>,
        reply: oneshot::Sender<Signed>,
    },
    Ingest {
        entries: Vec<Arc<VerifiedEntry>>,
        reply: oneshot::Sender<Result<Report, PublishError>>,
    },
    Blocks {
        blocks: Vec<SignedBlock>,
        reply: oneshot::Sender<Result<u64, BlockError>>,
    },
    Proofs {
        proofs: Vec<ForkProof>,
        reply: oneshot::Sender<Result<Vec<ForkProof>, PublishError>>,
    },
    /// Fill the journal from the store and let the node sign: done here, so that no entry comes in between.
    AllowSigning,
    /// Rid the disk of erased bodies: done here, before the state is locked, so that readers go on meanwhile.
    Purge {
        erased: BTreeSet<EntryId>,
        reply: oneshot::Sender<Result<PurgeReport, StoreError>>,
    },
}

impl Command {
    fn entries(&self) -> usize {
        match self {
            Self::Publish { drafts, .. } => drafts.len(),
            Self::Ingest { entries, .. } => entries.len(),
            Self::Blocks { blocks, .. } => blocks.len(),
            Self::Proofs { proofs, .. } => proofs.len(),
            Self::AllowSigning | Self::Purge { .. } => 0,
        }
    }
}

/// An answer that waits for the commit.
enum Answer {
    Publish(Vec<Arc<VerifiedEntry>>, oneshot::Sender<Signed>),
    Ingest(Report, oneshot::Sender<Result<Report, PublishError>>),
    Blocks(Result<u64, BlockError>, oneshot::Sender<Result<u64, BlockError>>),
    Proofs(Vec<ForkProof>, oneshot::Sender<Result<Vec<ForkProof>, PublishError>>),
}

/// What one commit holds.
type Group = durable::Group<Answer>;

pub(super) struct Writer {
    shared: Arc<Shared>,
    /// Its own threads: in the common pool a job may wait for the state, which this thread holds while it signs.
    pool: rayon::ThreadPool,
    queue: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, queue: mpsc::Receiver<Command>, events: mpsc::Sender<Event>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let name = |index| format!("xianmeng-sign-{index}");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build();
        let pool = pool.expect("the operating system grants a few threads");
        Self { shared, pool, queue, events }
    }

    /// Works until every handle is gone or the store fails.
    pub(super) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut commands = vec![first];
            let mut entries = commands[0].entries();
            while entries < GROUP_ENTRIES {
                let Ok(next) = self.queue.try_recv() else { break };
                entries += next.entries();
                commands.push(next);
            }
            let carried_out = std::panic::catch_unwind(AssertUnwindSafe(|| self.carry_out(commands)));
            let reason = match carried_out {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.chain(),
                // Memory may be half changed; only the disk is to be trusted.
                Err(_) => "the writer panicked".to_owned(),
            };
            tracing::error!(reason, "the node takes no more changes");
            self.shared.counters.add("store-failed", 1);
            self.shared.stop(Stop::Store(reason));
            return;
        }
    }

    fn carry_out(&mut self, mut commands: Vec<Command>) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        for command in commands.extract_if(.., |command| matches!(command, Command::Purge { .. })) {
            if let Command::Purge { erased, reply } = command {
                // Nobody waits for the report any more: the node stops.
                drop(reply.send(shared.store.purge(&erased)));
            }
        }
        let mut group = Group::default();
        let starts = commands.iter().any(|command| matches!(command, Command::AllowSigning));
        if starts {
            self.allow_signing()?;
        }
        // Readers go on while the first entries are signed: nobody but this thread changes what they hang on.
        let mut commands = commands.into_iter().peekable();
        let signed = match commands.next_if(|first| matches!(first, Command::Publish { .. })) {
            Some(Command::Publish { drafts, reply }) => Some((self.sign(drafts, &shared.state.read().replica), reply)),
            _ => None,
        };
        let mut state = shared.state.write();
        if let Some((signed, reply)) = signed {
            // Readers may have kept this thread waiting, and the node may have been told to stop meanwhile.
            let stopped = shared.failed.borrow().is_some();
            let signed = if stopped { Err(shared.closed()) } else { signed };
            self.publish(signed, reply, &mut state, &mut group);
        }
        for command in commands {
            self.prepare(command, &mut state, &mut group);
        }
        let committed = match group.commit(|own, changes| shared.store.commit(own, changes)) {
            Ok(committed) => committed,
            Err((error, answers)) => {
                // Before the lock is released: nobody may tell others what is not on disk.
                self.shared.stop(Stop::Store(error.chain()));
                answers.into_iter().for_each(|answer| answer.fail(&error));
                return Err(error);
            }
        };
        let Committed { own, mut changes, answers } = committed;
        self.update_view(&mut state, &changes);
        if (starts || changes.iter().any(may_complete))
            && let Err(error) = self.collect(&mut state, &mut changes)
        {
            self.shared.stop(Stop::Store(error.chain()));
            answers.into_iter().for_each(|answer| answer.fail(&error));
            return Err(error);
        }
        drop(state);
        let changed = !changes.is_empty();
        self.tell(own, changes);
        if changed {
            shared.changed.send_modify(|generation| *generation += 1);
        }
        answers.into_iter().for_each(Answer::send);
        Ok(())
    }

    /// Appends proposals that have enough signatures now. Every node does so by itself: a block's hash leaves the
    /// signatures out, so it does not matter who puts it together.
    fn collect(&self, state: &mut State, changes: &mut Vec<Change>) -> Result<(), StoreError> {
        for _ in 0..COLLECTED_MAX {
            let ready = state.view().collection().ready(state.replica.charter(), &*self.shared);
            let Some(block) = ready else { break };
            let version = block.block().version;
            let mut collected = Vec::new();
            match state.replica.append_block(block, &self.shared.store, &mut collected) {
                Ok(Appended::New) => tracing::info!(version, "a proposal has enough signatures and is in the charter"),
                Ok(Appended::Known | Appended::Rival) => break,
                Err(error) => {
                    tracing::warn!(%error, "a proposal with enough signatures cannot be appended");
                    break;
                }
            }
            self.shared.store.commit(&[], &collected)?;
            self.update_view(state, &collected);
            self.shared.counters.add("proposals-completed", 1);
            changes.extend(collected);
        }
        Ok(())
    }

    /// Brings the view in step, and notes what was touched while the state is locked: whoever takes it under the shared
    /// lock has all that led to what he reads.
    fn update_view(&self, state: &mut State, changes: &[Change]) {
        let fresh = changes.iter().filter_map(|change| match change {
            Change::Append { log, entry } => Some(((*log, entry.header().sequence), entry)),
            _ => None,
        });
        let source = Fresh { store: &self.shared.store, entries: fresh.collect() };
        let touched = state.keeper.follow(&state.replica, changes, &source);
        self.shared.touched.lock().note(touched, now_ms());
    }

    fn prepare(&self, command: Command, state: &mut State, group: &mut Group) {
        match command {
            Command::Publish { drafts, reply } => {
                let signed = self.sign(drafts, &state.replica);
                self.publish(signed, reply, state, group);
            }
            Command::Ingest { entries, reply } => {
                let report = self.ingest(&entries, state, group);
                group.owe(Answer::Ingest(report, reply));
            }
            Command::Blocks { blocks, reply } => {
                let appended = append_blocks(blocks, &self.shared.store, state, group);
                group.owe(Answer::Blocks(appended, reply));
            }
            Command::Proofs { proofs, reply } => {
                let new = group.add_proofs(proofs, &mut state.replica);
                group.owe(Answer::Proofs(new, reply));
            }
            Command::AllowSigning | Command::Purge { .. } => {}
        }
    }

    fn allow_signing(&self) -> Result<(), StoreError> {
        if self.shared.failed.borrow().is_some() {
            return Ok(());
        }
        let key = public_key(&self.shared.signing);
        let log = own_of(&self.shared.state.read().replica, &key).map(|(_, log)| log);
        while let Some(log) = log {
            let from = self.shared.store.journal_length(&key);
            let entries = self.shared.store.range(log, from, CATCH_UP_ENTRIES, CATCH_UP_BYTES)?;
            if entries.is_empty() {
                break;
            }
            self.shared.store.append_journal(&entries)?;
        }
        self.shared.signing_ready.store(true, std::sync::atomic::Ordering::Release);
        self.shared.changed.send_modify(|generation| *generation += 1);
        Ok(())
    }

    /// Chains headers one after the other, then signs them on every core: an id does not depend on a signature.
    fn sign(&self, drafts: Vec<Draft>, replica: &Replica) -> Signed {
        if let Some(obstacle) = obstacle(&self.shared, replica) {
            return Err(obstacle);
        }
        let key = public_key(&self.shared.signing);
        let (_, log) = own_of(replica, &key).ok_or(PublishError::NotMember)?;
        // After going over to another branch of the charter, entries that name its blocks wait in the journal alone: to
        // sign in their places would fork the log.
        if self.shared.store.journal_length(&key) > replica.length(log) {
            return Err(PublishError::WaitingForPeers);
        }
        let headers = durable::chain(drafts, key, log, replica, now_ms());
        let sign = |(index, (header, body))| {
            let entry = VerifiedEntry::sign(&self.shared.signing, &self.shared.federation, header, body);
            entry.map(Arc::new).map_err(|error| PublishError::Entry { index, error })
        };
        self.pool.install(|| headers.into_par_iter().enumerate().map(sign).collect())
    }

    fn publish(&self, signed: Signed, reply: oneshot::Sender<Signed>, state: &mut State, group: &mut Group) {
        match signed {
            Ok(entries) => {
                group.publish(&entries, &mut state.replica, &self.shared.store);
                self.shared.counters.add("entries-published", entries.len() as u64);
                group.owe(Answer::Publish(entries, reply));
            }
            // Nobody waits for the answer any more: the caller gave up.
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    fn ingest(&self, entries: &[Arc<VerifiedEntry>], state: &mut State, group: &mut Group) -> Report {
        let report = group.ingest(entries, &mut state.replica, &self.shared.store);
        for (entry, (_, outcome)) in entries.iter().zip(&report.outcomes) {
            if *outcome == Outcome::Appended {
                self.watch_own_log(entry);
            }
            self.shared.counters.add(outcome_name(outcome), 1);
        }
        report
    }

    /// An entry of the own log that comes from elsewhere while this node signs: somebody else uses its key, or this
    /// directory is older than it looks. Either way only a new start, with its questions, tells where the log ends.
    fn watch_own_log(&self, entry: &VerifiedEntry) {
        let own = entry.header().key == public_key(&self.shared.signing);
        if own && self.shared.signing_ready.load(std::sync::atomic::Ordering::Acquire) {
            let sequence = entry.header().sequence;
            tracing::error!(sequence, "an entry of this node's log came from elsewhere; this node stops");
            self.shared.counters.add("own-log-from-elsewhere", 1);
            self.shared.stop(Stop::Twin(TwinSign::Entry { sequence }));
        }
    }

    /// Tells the network. The queue is bounded; when the network is slow, sync makes up for what is not told.
    fn tell(&self, own: Vec<Arc<VerifiedEntry>>, changes: Vec<Change>) {
        let mut blocks = Vec::new();
        let mut proofs = Vec::new();
        for change in changes {
            match change {
                Change::Block(block) => blocks.push(block),
                Change::Proof(proof) => proofs.push(proof),
                _ => {}
            }
        }
        let events = [
            (!blocks.is_empty()).then_some(Event::Charter(blocks)),
            (!own.is_empty()).then_some(Event::Published(own)),
            (!proofs.is_empty()).then_some(Event::Proofs(proofs)),
        ];
        for event in events.into_iter().flatten() {
            if self.events.try_send(event).is_err() {
                self.shared.counters.add("events-shed", 1);
            }
        }
    }
}

impl Answer {
    fn send(self) {
        // A caller that gave up does not take its answer; what it asked for is done all the same.
        match self {
            Self::Publish(entries, reply) => drop(reply.send(Ok(entries))),
            Self::Ingest(report, reply) => drop(reply.send(Ok(report))),
            Self::Blocks(appended, reply) => drop(reply.send(appended)),
            Self::Proofs(proofs, reply) => drop(reply.send(Ok(proofs))),
        }
    }

    fn fail(self, error: &StoreError) {
        match self {
            Self::Publish(_, reply) => drop(reply.send(Err(error.into()))),
            Self::Ingest(_, reply) => drop(reply.send(Err(error.into()))),
            Self::Blocks(_, reply) => drop(reply.send(Err(BlockError::Store(error.chain())))),
            Self::Proofs(_, reply) => drop(reply.send(Err(error.into()))),
        }
    }
}

/// Entries just committed are in memory still: reading them back from disk would be work for nothing.
struct Fresh<'a> {
    store: &'a Store,
    entries: std::collections::HashMap<(LogNumber, u64), &'a Arc<VerifiedEntry>>,
}

impl EntrySource for Fresh<'_> {
    fn entry(&self, log: LogNumber, sequence: u64) -> Option<Arc<VerifiedEntry>> {
        let fresh = self.entries.get(&(log, sequence)).map(|entry| Arc::clone(entry));
        fresh.or_else(|| EntrySource::entry(self.store, log, sequence))
    }

    fn displaced(&self, id: &EntryId) -> Option<Arc<VerifiedEntry>> {
        self.store.displaced(id)
    }
}

fn append_blocks(
    blocks: Vec<SignedBlock>,
    store: &Store,
    state: &mut State,
    group: &mut Group,
) -> Result<u64, BlockError> {
    let appended = group.append_blocks(blocks, &mut state.replica, store)?;
    let count = |kind: Appended| appended.iter().filter(|appended| **appended == kind).count() as u64;
    if count(Appended::Rival) > 0 {
        tracing::error!("two valid blocks of one charter version exist: the proof is kept");
    }
    Ok(count(Appended::New))
}

/// Why this node may not sign now, if it may not.
pub(super) fn obstacle(shared: &Shared, replica: &Replica) -> Option<PublishError> {
    let key = public_key(&shared.signing);
    if own_of(replica, &key).is_none() {
        return Some(without_right(replica.charter(), &key));
    }
    if let Some(sequence) = replica.fork_of(&key) {
        return Some(PublishError::Forked { sequence });
    }
    if shared.failed.borrow().is_some() {
        return Some(shared.closed());
    }
    if !shared.signing_ready.load(std::sync::atomic::Ordering::Acquire) {
        return Some(PublishError::WaitingForPeers);
    }
    let behind_ms = replica.charter().tip_block().time_ms.saturating_sub(now_ms());
    if behind_ms > CLOCK_TOLERANCE_MS {
        return Some(PublishError::ClockBehind { behind_ms });
    }
    let jumped_ms = shared.clock_watch.jumped_ms(now_ms());
    if jumped_ms > CLOCK_TOLERANCE_MS {
        // Until the next look at the peers' clocks, in a second, which may find that it is right now.
        return Some(PublishError::ClockAhead { ahead_ms: jumped_ms });
    }
    let ahead_ms = shared.clock_ahead_ms.load(std::sync::atomic::Ordering::Acquire);
    (ahead_ms > 0).then_some(PublishError::ClockAhead { ahead_ms })
}

/// Why a key may not sign that has no open log.
fn without_right(charter: &Charter, key: &PublicKey) -> PublishError {
    let member = charter.log_of(key).and_then(|grant| charter.members().get(&grant.member));
    let member = member.filter(|member| member.standing == Standing::Active);
    let ended = member.and_then(|member| member.keys.iter().find(|held| held.key == *key)?.ended);
    ended.map_or(PublishError::NotMember, |version| PublishError::KeySealed { version })
}

/// Whether a change can give a proposal its last signature, or a tip to follow.
fn may_complete(change: &Change) -> bool {
    match change {
        Change::Append { entry, .. } | Change::Body { entry, .. } => {
            matches!(entry.header().kind, KIND_PROPOSAL | KIND_ENDORSEMENT)
        }
        Change::Block(_) | Change::Displace { .. } => true,
        Change::Erase { .. } | Change::Proof(_) | Change::Rival(_) => false,
    }
}

/// The name of an outcome in counters.
fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Appended => "entries-appended",
        Outcome::Duplicate => "entries-duplicate",
        Outcome::BodyArrived => "bodies-arrived",
        Outcome::Staged => "entries-staged",
        Outcome::Ignored(reason) => reason.name(),
        Outcome::Refused(reason) => reason.name(),
        Outcome::Forked => "entries-forked",
        Outcome::Diverged => "entries-diverged",
    }
}
