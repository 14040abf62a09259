//! How what was said reaches the peers: late, twice, out of order, without bodies, or never; between restarts and sessions.
//! After every step the rules hold that need no model.

use std::collections::BTreeSet;
use std::sync::Arc;

use fastrand::Rng;
use protocol::charter::SignedBlock;
use protocol::entry::VerifiedEntry;
use protocol::fork::ForkProof;
use protocol::identity::{EntryId, FrontierDigest};
use protocol::replica::{EntrySource, Replica};
use protocol::testing::{Peer, sync};

use crate::model;
use crate::portrait::portrait;
use crate::touched::Follower;
use crate::world::World;

const PEERS: usize = 3;
/// Rounds of sessions after which honest peers must have come to rest.
const ROUNDS_MAX: usize = 16;
/// Steps that a failure prints.
const STEPS_SHOWN: usize = 60;

/// A peer, every entry that ever stood in a log of its, and somebody who looks only at what is said to be touched.
pub struct Watched {
    pub peer: Peer,
    held: BTreeSet<EntryId>,
    follower: Follower,
}

/// The peers of one case.
pub struct Delivery {
    pub peers: Vec<Watched>,
    steps: Vec<String>,
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let skipped = self.steps.len().saturating_sub(STEPS_SHOWN);
            eprintln!("the last of {} steps of delivery:\n{}", self.steps.len(), self.steps[skipped..].join("\n"));
        }
    }
}

/// What a peer's state comes down to: its digest, and the bodies that it misses.
type State = (FrontierDigest, Vec<(u32, u64)>);

/// What one peer is yet to hear.
struct Inbox {
    blocks: Vec<SignedBlock>,
    entries: Vec<Arc<VerifiedEntry>>,
    proofs: Vec<ForkProof>,
}

impl Delivery {
    pub fn new(world: &World) -> Self {
        let watched = |_| {
            let peer = Peer::new(&world.charter, 1);
            Watched { follower: Follower::new(&peer), peer, held: BTreeSet::new() }
        };
        Self { peers: (0..PEERS).map(watched).collect(), steps: Vec::new() }
    }

    /// Everything in a random order, for each peer another, with duplicates and losses.
    pub fn deliver(&mut self, random: &mut Rng, world: &World) {
        let mut inboxes: Vec<Inbox> = (0..PEERS).map(|_| inbox(random, world)).collect();
        let kept = if random.bool() { 0 } else { random.usize(..4) };
        while inboxes.iter().any(|inbox| !inbox.entries.is_empty() || inbox.blocks.len() > kept) {
            let index = random.usize(..PEERS);
            self.hear(random, world, index, &mut inboxes[index], kept);
            if random.u8(..25) == 0 {
                let other = (index + random.usize(1..PEERS)) % PEERS;
                self.sync(random, index, other);
            }
        }
    }

    fn hear(&mut self, random: &mut Rng, world: &World, index: usize, inbox: &mut Inbox, kept: usize) {
        let peer = &mut self.peers[index].peer;
        let step = match random.u8(..24) {
            0..=5 if inbox.blocks.len() > kept => {
                let block = inbox.blocks.remove(0);
                peer.insert_block(&block);
                let fetches = random.bool();
                if fetches {
                    fetch_sealed(peer, world);
                }
                format!("block {}{}", block.block().version, if fetches { ", and what its seals name" } else { "" })
            }
            6 if !inbox.proofs.is_empty() => {
                let proof = inbox.proofs.swap_remove(0);
                peer.insert_proof(&proof);
                format!("a proof of {} at {}", proof.key(), proof.sequence())
            }
            7 => {
                let version = peer.replica.charter().version();
                let rival = world.rivals.iter().find(|rival| rival.block().version <= version);
                let Some(rival) = rival.filter(|_| random.bool()) else { return };
                peer.insert_block(rival);
                format!("the rival of block {}", rival.block().version)
            }
            8 => {
                let restored = peer.restored();
                same_replica(&peer.replica, &restored);
                peer.replica = restored;
                "a restart".to_owned()
            }
            9 => {
                // As from a good peer or a file: one branch from its beginning, mostly of a log that parted.
                let parted: Vec<_> = world.branches.iter().filter(|branches| branches.0.len() > 1).collect();
                let Some(branch) = random.choice(parted).and_then(|branches| random.choice(&branches.0)) else {
                    return;
                };
                for entry in branch {
                    peer.insert(entry);
                }
                format!("a whole branch up to {:?}", branch.last().map(|entry| entry.id()))
            }
            _ => {
                let Some(entry) = inbox.entries.pop() else { return };
                let outcome = peer.insert(&entry);
                let bare = if entry.body().is_none() { " bare" } else { "" };
                format!("{}={:?}{bare}: {outcome:?}", entry.header().sequence, entry.id())
            }
        };
        self.steps.push(format!("peer {index}: {step}"));
        self.peers[index].check(random.u8(..12) == 0, world);
    }

    fn sync(&mut self, random: &mut Rng, one: usize, other: usize) {
        let (first, second) = (one.min(other), one.max(other));
        self.steps.push(format!("peers {first} and {second} sync"));
        let (left, right) = self.peers.split_at_mut(second);
        let nonces = [random.u8(..), random.u8(..)];
        sync(&mut left[first].peer, &mut right[0].peer, nonces).expect("honest peers do not fail");
    }

    /// Syncs every pair until a whole round moves nothing.
    pub fn come_to_rest(&mut self, random: &mut Rng, world: &World) {
        for _ in 0..ROUNDS_MAX {
            let before = self.states();
            for other in 1..PEERS {
                for one in 0..other {
                    self.sync(random, one, other);
                    [one, other].into_iter().for_each(|index| self.peers[index].check(false, world));
                }
            }
            if self.states() == before {
                return self.check_rest(world);
            }
        }
        let frontiers: Vec<_> = self.peers.iter().map(|watched| watched.peer.replica.frontier()).collect();
        panic!("the peers do not come to rest: {frontiers:#?}");
    }

    fn states(&self) -> Vec<State> {
        let state = |watched: &Watched| {
            let replica = &watched.peer.replica;
            (replica.frontier().digest(), missing(replica))
        };
        self.peers.iter().map(state).collect()
    }

    /// At rest all are alike, and what one misses nobody has.
    fn check_rest(&mut self, world: &World) {
        let states = self.states();
        assert!(states.windows(2).all(|pair| pair[0] == pair[1]), "at rest, and not alike: {states:#?}");
        let picture = portrait(&self.peers[0].peer, self.peers[0].peer.view(), world);
        for watched in &mut self.peers {
            watched.check(true, world);
            assert_eq!(
                portrait(&watched.peer, watched.peer.view(), world),
                picture,
                "equal frontiers, different views"
            );
        }
        let replica = &self.peers[0].peer.replica;
        for (log, sequence) in missing(replica) {
            let id = replica.id(log, sequence);
            let body = world.said.iter().find(|entry| Some(entry.id()) == id).and_then(|entry| entry.body());
            let body = body.expect("every entry was said with its body");
            let held = self.peers.iter().position(|watched| watched.peer.shelf().holds_body(body));
            assert_eq!(held, None, "a body of {log}/{sequence} is held, and not given to those who miss it");
        }
    }

    /// Offers everything to everybody until nobody can have missed anything: each branch from its beginning.
    pub fn repeat_everything(&mut self, random: &mut Rng, world: &World) {
        self.steps.push("everything is offered to everybody".to_owned());
        for watched in &mut self.peers {
            world.charter.blocks()[1..].iter().for_each(|block| watched.peer.insert_block(block));
            world.rivals.iter().for_each(|rival| watched.peer.insert_block(rival));
            let mut branches: Vec<_> = world.branches.iter().flat_map(|branches| &branches.0).collect();
            for _ in 0..3 {
                random.shuffle(&mut branches);
                for entry in branches.iter().copied().flatten() {
                    watched.peer.insert(entry);
                }
                watched.check(true, world);
            }
        }
    }
}

/// Gives a peer the branches that its charter's seals name and it lacks, as a session with a good peer would.
fn fetch_sealed(peer: &mut Peer, world: &World) {
    for grant in peer.replica.charter().logs().to_vec() {
        let Some(Some(last)) = grant.seal.filter(|_| peer.replica.lacks_sealed_branch(grant.number)) else { continue };
        let branches = &world.branches[grant.number as usize].0;
        let sealed = branches.iter().find(|branch| branch.iter().any(|entry| entry.id() == last.id));
        for entry in sealed.into_iter().flatten() {
            peer.insert(entry);
        }
    }
}

/// What one peer hears of: three of four entries, some of them first without their bodies and some twice.
fn inbox(random: &mut Rng, world: &World) -> Inbox {
    let mut entries = Vec::new();
    for entry in &world.said {
        if random.u8(..5) == 0 {
            continue;
        }
        if random.u8(..6) == 0 {
            entries.push(Arc::new(entry.without_body()));
        }
        if random.u8(..8) > 0 {
            entries.push(Arc::clone(entry));
        }
        if random.u8(..8) == 0 {
            entries.push(Arc::clone(entry));
        }
    }
    // Some hear in order, with a few out of place, as from a good line; others in no order at all.
    if random.bool() {
        random.shuffle(&mut entries);
    } else {
        entries.reverse();
        for _ in 0..entries.len() / 6 {
            let (one, other) = (random.usize(..entries.len()), random.usize(..entries.len()));
            entries.swap(one, other);
        }
    }
    let pairs = model::contradictions(&world.roster, &world.said);
    let pairs = pairs.iter().filter(|_| random.bool());
    let proofs = pairs.filter_map(|(one, other)| ForkProof::new(one, other).ok()).collect();
    Inbox { blocks: world.charter.blocks()[1..].to_vec(), entries, proofs }
}

/// Places whose bodies a replica misses.
fn missing(replica: &Replica) -> Vec<(u32, u64)> {
    let logs = 0..replica.charter().logs().len() as u32;
    logs.flat_map(|log| replica.missing_bodies(log).map(move |sequence| (log, sequence))).collect()
}

/// A restart changes nothing but what waited for a predecessor.
fn same_replica(live: &Replica, restored: &Replica) {
    assert_eq!(live.frontier(), restored.frontier(), "a restart moves the frontier");
    assert_eq!(missing(live), missing(restored), "a restart changes which bodies are missing");
    for log in 0..live.charter().logs().len() as u32 {
        assert_eq!(live.length(log), restored.length(log));
        assert_eq!(live.lacks_sealed_branch(log), restored.lacks_sealed_branch(log));
        for sequence in 0..live.length(log) {
            assert_eq!(live.erased(log, sequence), restored.erased(log, sequence), "{log}/{sequence} after a restart");
        }
    }
}

impl Watched {
    /// The rules that hold at any moment. `thoroughly` looks at bodies and views as well.
    fn check(&mut self, thoroughly: bool, world: &World) {
        let replica = &self.peer.replica;
        for grant in replica.charter().logs() {
            let log = grant.number;
            self.held.extend((0..replica.length(log)).filter_map(|sequence| replica.id(log, sequence)));
            let length = replica.effective_length(log);
            match grant.seal {
                None => {}
                Some(None) => assert_eq!(length, 0, "log {log} counts above a seal at nothing"),
                Some(Some(last)) => {
                    let whole = length == last.sequence + 1;
                    assert!(length <= last.sequence + 1, "log {log} counts above its seal");
                    assert!(
                        !whole || replica.id(log, last.sequence) == Some(last.id),
                        "log {log} is of another branch"
                    );
                    assert!(whole || !self.held.contains(&last.id), "log {log} lost entries up to its seal {last:?}");
                }
            }
        }
        self.follower.follow(&mut self.peer, thoroughly);
        if thoroughly {
            self.follower.come_back(&self.peer);
            self.check_bodies();
            let kept_up = portrait(&self.peer, self.peer.view(), world);
            let anew = portrait(&self.peer, &self.peer.rebuilt_view(), world);
            assert_eq!(kept_up, anew, "the view kept up differs from the view built anew");
        }
    }

    /// What the replica says of its bodies is what the shelf holds.
    fn check_bodies(&self) {
        let replica = &self.peer.replica;
        for grant in replica.charter().logs() {
            let log = grant.number;
            let missing: BTreeSet<u64> = replica.missing_bodies(log).collect();
            for sequence in 0..replica.length(log) {
                let entry = self.peer.shelf().entry(log, sequence).expect("what a log holds is on the shelf");
                assert_eq!(Some(entry.id()), replica.id(log, sequence), "the shelf holds another entry");
                let (bare, erased) = (entry.body().is_none(), replica.erased(log, sequence).is_some());
                assert!(bare || !erased, "the body of {log}/{sequence} is erased, and held");
                let counts = sequence < replica.effective_length(log);
                assert_eq!(
                    missing.contains(&sequence),
                    counts && bare && !erased,
                    "{log}/{sequence} is missing or not"
                );
            }
        }
    }
}
