//! One member's node: what is left of the shell when clock, network and disk are taken away.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::air::{Air, Event, Told};
use super::disk::{Disk, DiskError};
use super::fact::Fact;
use super::gossiping::Seen;
use super::health::Watch;
use super::scenario::Habit;
use super::syncing::Side;
use crate::beacon::relay::Relay;
use crate::beacon::telling::Telling;
use crate::charter::{CharterError, LogNumber, SignedBlock};
use crate::durable::{Group, Report, chain};
use crate::entry::{Draft, VerifiedEntry};
use crate::fork::ForkProof;
use crate::gate::{self, Caution, Enough};
use crate::gossip::Pace;
use crate::identity::{FrontierDigest, MemberNumber, PublicKey, public_key};
use crate::replica::{Change, Outcome, Replica};
use crate::sync::agenda::Agenda;
use crate::testing::Organisation;

/// How often a node looks at what is due.
pub(super) const TICK_MS: u64 = 100;
/// Own entries put into the journal at a time while it is caught up.
const CATCH_UP_ENTRIES: usize = 1_000;

/// A member and its machine.
#[derive(Debug)]
pub struct Node {
    pub(super) index: usize,
    pub(super) organisation: Organisation,
    pub(super) transport: PublicKey,
    pub(super) key: PublicKey,
    pub(super) habits: BTreeSet<Habit>,
    pub(super) skew_ms: i64,
    pub(super) disk: Disk,
    pub(super) backup: Option<Disk>,
    /// How often it started.
    pub(super) boots: u64,
    /// Whether it was expelled or not admitted yet.
    pub(super) is_outside: bool,
    /// When it was last up.
    pub(super) down_since_ms: Option<u64>,
    pub(super) published: u32,
    /// What a hostile member keeps for its misdeeds.
    pub(super) loot: VecDeque<Arc<Told>>,
    pub(super) running: Option<Box<Running>>,
}

/// What a process holds, and loses when it ends.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) replica: Replica,
    pub(super) linked: BTreeSet<usize>,
    pub(super) agenda: Agenda,
    pub(super) sessions: BTreeMap<u64, Side>,
    pub(super) next_round_ms: u64,
    pub(super) seen: Seen,
    pub(super) pace: Pace,
    pub(super) relay: Relay,
    pub(super) telling: Telling,
    pub(super) boot_ms: u64,
    pub(super) beacons: u64,
    pub(super) last_beacon_ms: Option<u64>,
    pub(super) next_offer_ms: u64,
    /// Whether something changed since the last beacon.
    pub(super) changed: bool,
    pub(super) watch: Watch,
    caution: Caution,
    started_ms: u64,
    confirmed: BTreeSet<MemberNumber>,
    pub(super) signing_ready: bool,
    heads: Option<(FrontierDigest, BTreeMap<LogNumber, u64>)>,
}

impl Running {
    /// Whether the process has run since before that time.
    pub(super) fn is_older_than(&self, time_ms: u64) -> bool {
        self.started_ms < time_ms
    }

    /// Digest of the frontier, and the lengths of all logs that count.
    pub(super) fn heads(&mut self) -> &(FrontierDigest, BTreeMap<LogNumber, u64>) {
        self.heads.get_or_insert_with(|| {
            let frontier = self.replica.frontier();
            let lengths = frontier.heads.iter().map(|(log, head)| (*log, head.length)).collect();
            (frontier.digest(), lengths)
        })
    }
}

impl Node {
    /// What the node holds, while it runs.
    pub fn replica(&self) -> Option<&Replica> {
        self.running.as_ref().map(|running| &running.replica)
    }

    /// Entries that the node holds, counted or not.
    pub(super) fn held(&self) -> u64 {
        let logs = |replica: &Replica| replica.charter().logs().iter().map(|grant| replica.length(grant.number)).sum();
        self.replica().map_or(0, logs)
    }

    /// Whether this member keeps the rules.
    pub fn is_honest(&self) -> bool {
        self.habits.is_empty()
    }

    pub(super) fn has(&self, habit: Habit) -> bool {
        self.habits.contains(&habit)
    }

    /// Starts on the disk that there is.
    pub(super) fn start(&mut self, air: &mut Air) {
        if self.running.is_some() {
            // The cut that was to come did not.
            self.disk.spare_power();
            return;
        }
        self.boots += 1;
        self.down_since_ms = None;
        let mut replica = self.disk.restore();
        let own = replica.charter().log_of(&self.key).map(|grant| grant.number);
        let caution = self.caution(&replica, own);
        // What a power cut left in the journal alone comes back to the database first.
        let length = own.map_or(0, |log| replica.length(log)) as usize;
        let behind: Vec<_> = self.disk.journal().iter().skip(length).cloned().collect();
        let mut group = Group::<()>::default();
        group.ingest(&behind, &mut replica, &self.disk);
        if group.commit(|_, changes| self.disk.commit(&[], changes)).is_err() {
            self.stop(air);
            return;
        }
        let (now_ms, wall_ms) = (air.now_ms, air.wall_ms(self.skew_ms));
        let round_ms = air.around(air.scenario.round_ms);
        self.running = Some(Box::new(Running {
            replica,
            linked: BTreeSet::new(),
            agenda: Agenda::new(self.transport),
            sessions: BTreeMap::new(),
            next_round_ms: now_ms + round_ms,
            seen: Seen::default(),
            pace: Pace::default(),
            relay: Relay::default(),
            telling: Telling::default(),
            boot_ms: wall_ms,
            beacons: 0,
            last_beacon_ms: None,
            next_offer_ms: now_ms,
            changed: true,
            watch: Watch::new(&air.scenario, now_ms),
            caution,
            started_ms: now_ms,
            confirmed: BTreeSet::new(),
            signing_ready: false,
            heads: None,
        }));
        air.network.forget(self.index, now_ms);
        air.tell(Fact::Started { member: self.index });
        let first_ms = air.random.u64(0..TICK_MS);
        air.after(first_ms, Event::Tick { member: self.index, boot: self.boots });
    }

    fn caution(&self, replica: &Replica, own: Option<LogNumber>) -> Caution {
        let (journal, stored) = (self.disk.journal().len() as u64, own.map_or(0, |log| replica.length(log)));
        if self.disk.is_copy {
            Caution::Doubtful
        } else if journal < stored {
            Caution::JournalLost
        } else if journal == 0 {
            Caution::First
        } else {
            Caution::Sound
        }
    }

    /// The process ends, whatever it was doing.
    pub(super) fn stop(&mut self, air: &mut Air) {
        self.running = None;
        self.down_since_ms = Some(air.now_ms);
        air.tell(Fact::Stopped { member: self.index });
    }

    /// Power is cut.
    pub(super) fn crash(&mut self, air: &mut Air) {
        self.stop(air);
        self.disk.cut_power(&mut air.random);
    }

    /// A member confirmed the head of the own log.
    pub(super) fn confirm(&mut self, member: MemberNumber) {
        if let Some(running) = &mut self.running {
            running.confirmed.insert(member);
        }
    }

    /// Lets the node sign once it has heard enough.
    pub(super) fn open_gate(&mut self, air: &mut Air) {
        let Some(running) = self.running.as_mut().filter(|running| !running.signing_ready) else { return };
        let keys = running.replica.charter().transport_keys();
        let others = keys.len().saturating_sub(1);
        let waited_ms = air.now_ms - running.started_ms;
        let enough = match gate::enough(running.caution, others, running.confirmed.len(), waited_ms) {
            Enough::Yes => true,
            Enough::No => false,
            Enough::IfAllConnected => {
                let linked = running.linked.iter().filter_map(|peer| keys.get(&air.transports[*peer]));
                linked.into_iter().all(|member| running.confirmed.contains(member))
            }
        };
        if enough {
            self.allow_signing(air);
        }
    }

    /// Fills the journal from the database, and lets the node sign.
    fn allow_signing(&mut self, air: &mut Air) {
        let Some(running) = &mut self.running else { return };
        let Some(log) = running.replica.charter().log_of(&self.key).map(|grant| grant.number) else { return };
        loop {
            let from = self.disk.journal().len() as u64;
            let entry = |sequence| crate::replica::EntrySource::entry(&self.disk, log, sequence);
            let missing: Vec<_> = (from..).map_while(entry).take(CATCH_UP_ENTRIES).collect();
            if missing.is_empty() {
                break;
            }
            if let Err(error) = self.disk.catch_up_journal(missing) {
                self.failed(error, air);
                return;
            }
        }
        self.disk.is_copy = false;
        running.signing_ready = true;
        running.changed = true;
    }

    /// Signs and publishes. `None` if the node may not now.
    pub(super) fn publish(&mut self, drafts: Vec<Draft>, air: &mut Air) -> Option<Vec<Arc<VerifiedEntry>>> {
        let running = self.running.as_deref_mut().filter(|running| running.signing_ready)?;
        let grant = running.replica.charter().log_of(&self.key).filter(|grant| grant.seal.is_none())?;
        let log = grant.number;
        let behind = self.disk.journal().len() as u64 > running.replica.length(log);
        if behind || running.replica.fork_of(&self.key).is_some() {
            return None;
        }
        let headers = chain(drafts, self.key, log, &running.replica, air.wall_ms(self.skew_ms));
        let sign = |(header, body)| {
            VerifiedEntry::sign(&self.organisation.signing, &air.federation, header, body).ok().map(Arc::new)
        };
        let entries: Vec<Arc<VerifiedEntry>> = headers.into_iter().filter_map(sign).collect();
        entries.iter().for_each(|entry| air.library.add(entry));
        let mut group = Group::default();
        group.publish(&entries, &mut running.replica, &self.disk);
        entries.iter().for_each(|entry| group.owe(Arc::clone(entry)));
        let (published, acknowledged) = self.commit(group, air)?;
        for entry in acknowledged {
            let durable = self.disk.is_durable(log, &entry);
            air.tell(Fact::Acknowledged { member: self.index, log, entry, durable });
        }
        Some(published)
    }

    /// Takes in entries from elsewhere.
    pub(super) fn ingest(&mut self, entries: &[Arc<VerifiedEntry>], air: &mut Air) -> Option<Report> {
        let running = self.running.as_deref_mut()?;
        let mut group = Group::<()>::default();
        let report = group.ingest(entries, &mut running.replica, &self.disk);
        let own = entries.iter().zip(&report.outcomes).any(|(entry, (_, outcome))| {
            entry.header().key == self.key && *outcome == Outcome::Appended && running.signing_ready
        });
        self.commit(group, air)?;
        if own {
            // Somebody else uses its key, or its disk is older than it looks: it stops.
            air.tell(Fact::OwnLogFromElsewhere { member: self.index });
            self.stop(air);
            return None;
        }
        Some(report)
    }

    /// Takes in blocks. The charter's verdict, unless the node ended.
    pub(super) fn append_blocks(
        &mut self,
        blocks: Vec<SignedBlock>,
        air: &mut Air,
    ) -> Option<Result<(), CharterError>> {
        let running = self.running.as_deref_mut()?;
        let mut group = Group::<()>::default();
        let appended = group.append_blocks(blocks, &mut running.replica, &self.disk);
        self.commit(group, air)?;
        Some(appended.map(|_| ()))
    }

    /// Takes in proofs; those that are new.
    pub(super) fn add_proofs(&mut self, proofs: Vec<ForkProof>, air: &mut Air) -> Option<Vec<ForkProof>> {
        let running = self.running.as_deref_mut()?;
        let mut group = Group::<()>::default();
        let new = group.add_proofs(proofs, &mut running.replica);
        self.commit(group, air)?;
        Some(new)
    }

    /// Commits, and tells the neighbours what is new: own entries, blocks and proofs. A node whose disk fails ends.
    fn commit<A>(&mut self, group: Group<A>, air: &mut Air) -> Option<(Vec<Arc<VerifiedEntry>>, Vec<A>)> {
        let disk = &mut self.disk;
        match group.commit(|own, changes| disk.commit(own, changes)) {
            Ok(committed) => {
                if let Some(running) = &mut self.running
                    && !committed.changes.is_empty()
                {
                    running.heads = None;
                    running.changed = true;
                }
                for change in &committed.changes {
                    if let Change::Append { entry, .. } = change {
                        air.tell(Fact::Took { member: self.index, id: entry.id() });
                    }
                }
                self.tell_neighbours(&committed.own, &committed.changes, air);
                Some((committed.own, committed.answers))
            }
            Err((error, _)) => {
                self.failed(error, air);
                None
            }
        }
    }

    fn failed(&mut self, error: DiskError, air: &mut Air) {
        match error {
            DiskError::PowerCut => self.crash(air),
            DiskError::Refused => self.stop(air),
        }
    }

    fn tell_neighbours(&mut self, own: &[Arc<VerifiedEntry>], changes: &[Change], air: &mut Air) {
        let mut messages = Vec::new();
        for change in changes {
            match change {
                Change::Block(block) => messages.push(crate::gossip::of_block(block)),
                Change::Proof(proof) => messages.push(crate::gossip::of_proof(proof)),
                _ => {}
            }
        }
        messages.extend(crate::gossip::published(own));
        for bytes in messages.into_iter().filter(|bytes| bytes.len() <= crate::limits::GOSSIP_BYTES_MAX) {
            self.spread(Told::new(bytes), None, air);
        }
    }

    /// The member number that the charter here gives a peer.
    pub(super) fn member_of(&self, peer: usize, air: &Air) -> Option<MemberNumber> {
        let replica = self.replica()?;
        replica.charter().holder(&air.transports[peer], crate::charter::Purpose::Transport)
    }

    /// Whether what `organisation` is known to be fits this node: its transport key is in the charter here.
    pub(super) fn knows(&self, transport: &PublicKey) -> bool {
        let holder = |replica: &Replica| replica.charter().holder(transport, crate::charter::Purpose::Transport);
        self.replica().and_then(holder).is_some()
    }
}

/// The signing key of an organisation.
pub(super) fn signing_key(organisation: &Organisation) -> PublicKey {
    public_key(&organisation.signing)
}
