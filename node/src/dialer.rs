//! Keeps a node connected: with its configured peers, and with some random members whose addresses it knows.
//!
//! Addresses are signed entries in every replica (DESIGN 5.6), so a node that restarts finds the federation without
//! the secretariat.
//!
//! A node whose own transport key lost its right for good dials nobody: it would only come back among the strangers of
//! those who have just cut it off, again and again, and take the places of applicants. A suspended member goes on, for
//! its connections are how it hears that it was reinstated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::charter::Purpose;
use protocol::identity::{PublicKey, public_key};
use tokio::task::JoinSet;

use crate::core::{Core, now_ms};
use crate::network::{DialError, DialFault, Network};

/// How often missing links are looked for.
const TICK: Duration = Duration::from_millis(500);
/// The first wait after a failed attempt; it doubles with each further one.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// The longest wait after failed attempts.
const BACKOFF_LONGEST: Duration = Duration::from_secs(60);
/// Attempts that run at a time.
const ATTEMPTS: usize = 8;

/// Somebody to connect with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    /// The transport key, once it is known.
    peer: Option<PublicKey>,
    addresses: Vec<String>,
}

#[derive(Default)]
struct Attempt {
    running: bool,
    failures: u32,
    wait_until: Option<Instant>,
    /// Who answered at an address without a key.
    found: Option<PublicKey>,
}

/// Why a peer of the settings or the invitation is not connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What it comes down to; none when it answers and is no member.
    pub fault: Option<DialFault>,
    /// In the network's words.
    pub reason: String,
    /// Since when, by this node's clock, in milliseconds since 1970 (UTC).
    pub since_ms: u64,
}

/// What keeps configured peers away, by the first of their addresses. The configuration bounds it.
pub type Troubles = Arc<Mutex<BTreeMap<String, Trouble>>>;

/// A peer to begin with, from the settings or the invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// Its transport key, if it is known.
    pub peer: Option<PublicKey>,
    /// Its addresses.
    pub addresses: Vec<String>,
}

/// Dials.
pub struct Dialer {
    core: Core,
    network: Network,
    own: PublicKey,
    /// Always kept.
    fixed: Vec<Target>,
    /// How many links to keep among members with signed addresses; none when discovery is off.
    links: usize,
    attempts: BTreeMap<Target, Attempt>,
    running: JoinSet<(Target, Result<PublicKey, DialError>)>,
    troubles: Troubles,
    /// The version of the charter for which the waits hold: every block can change who is a stranger.
    version: u32,
}

impl Dialer {
    /// A dialer for the node with the transport key `own`.
    pub fn new(
        core: Core,
        network: Network,
        own: &ed25519_dalek::SigningKey,
        fixed: Vec<Bootstrap>,
        links: usize,
    ) -> Self {
        let fixed = fixed.into_iter().map(|bootstrap| Target { peer: bootstrap.peer, addresses: bootstrap.addresses });
        let (fixed, own) = (fixed.collect(), public_key(own));
        let (attempts, running, troubles) = (BTreeMap::new(), JoinSet::new(), Troubles::default());
        Self { core, network, own, fixed, links, attempts, running, troubles, version: 0 }
    }

    /// What keeps configured peers away; goes on being told while the dialer runs.
    pub fn troubles(&self) -> Troubles {
        Arc::clone(&self.troubles)
    }

    /// Works until the network is gone.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    let Ok(peers) = self.network.peers().await else { return };
                    // Strangers are no links: they could take all the room.
                    let members = peers.iter().filter(|peer| peer.member).count();
                    let connected: Vec<PublicKey> = peers.into_iter().map(|peer| peer.peer).collect();
                    self.begin(&connected, members);
                }
                Some(Ok((target, result))) = self.running.join_next() => self.ended(target, result),
            }
        }
    }

    fn begin(&mut self, connected: &[PublicKey], members: usize) {
        self.follow_charter();
        self.forget_mended(connected);
        let now = Instant::now();
        for target in self.wanted(connected, members) {
            if self.running.len() >= ATTEMPTS {
                return;
            }
            let attempt = self.attempts.entry(target.clone()).or_default();
            let linked = attempt.found.is_some_and(|found| connected.contains(&found));
            if attempt.running || linked || attempt.wait_until.is_some_and(|until| until > now) {
                continue;
            }
            attempt.running = true;
            let network = self.network.clone();
            self.running.spawn(async move {
                let result = network.dial(target.peer, target.addresses.clone()).await;
                (target, result)
            });
        }
    }

    /// Tries everybody anew under another charter.
    fn follow_charter(&mut self) {
        let version = self.core.read(|state| state.replica.charter().version());
        if std::mem::replace(&mut self.version, version) != version {
            for attempt in self.attempts.values_mut() {
                (attempt.failures, attempt.wait_until) = (0, None);
            }
        }
    }

    /// Fixed peers that are not connected, then as many random members as are missing. Nobody, if nobody would take
    /// this node for a member ever again.
    fn wanted(&self, connected: &[PublicKey], members: usize) -> Vec<Target> {
        if self.core.read(|state| state.replica.charter().has_ended(&self.own)) {
            return Vec::new();
        }
        let missing = |target: &Target| target.peer.is_none_or(|peer| !connected.contains(&peer) && peer != self.own);
        let mut wanted: Vec<Target> = self.fixed.iter().filter(|target| missing(target)).cloned().collect();
        let room = self.links.saturating_sub(members);
        if room == 0 {
            return wanted;
        }
        let mut known: Vec<Target> = self.core.read(|state| {
            let charter = state.replica.charter();
            let stated = state.view().addresses();
            let valid = stated.filter(|(member, key, _)| charter.holder(key, Purpose::Transport) == Some(*member));
            valid
                .filter(|(_, _, addresses)| !addresses.is_empty())
                .map(|(_, key, addresses)| Target { peer: Some(key), addresses: addresses.to_vec() })
                .collect()
        });
        known.retain(|target| missing(target) && !wanted.contains(target));
        // Those that failed least come first; among equals, chance decides, so that the mesh is no star.
        let chance = |target: &Target| {
            *blake3::hash(&[self.own.0, target.peer.map_or([0; 32], |key| key.0)].concat()).as_bytes()
        };
        known.sort_by_cached_key(|target| {
            (self.attempts.get(target).map_or(0, |attempt| attempt.failures), chance(target))
        });
        wanted.extend(known.into_iter().take(room));
        wanted
    }

    fn ended(&mut self, target: Target, result: Result<PublicKey, DialError>) {
        let found = result.as_ref().ok().copied();
        let fault = result.as_ref().err().map(DialError::fault);
        let result = result.map_err(|error| error.to_string());
        // A stranger is of no use here, and its connection is closed after a while: not to be made again in a loop.
        let result = result.and_then(|found| match self.is_member(&found) {
            true => Ok(()),
            false => Err("a stranger answers there".to_owned()),
        });
        self.note(&target, fault, result.as_ref().err());
        let attempt = self.attempts.entry(target.clone()).or_default();
        attempt.running = false;
        attempt.found = found.or(attempt.found);
        match result {
            Ok(()) => {
                attempt.failures = 0;
                // A peer that hangs up at once, because it does not know us yet, is not dialled in a loop.
                attempt.wait_until = Some(Instant::now() + BACKOFF_FIRST);
            }
            Err(reason) => {
                attempt.failures = (attempt.failures + 1).min(16);
                let wait = BACKOFF_FIRST.saturating_mul(1 << (attempt.failures - 1)).min(BACKOFF_LONGEST);
                attempt.wait_until = Some(Instant::now() + wait);
                tracing::debug!(addresses = ?target.addresses, reason, "no connection");
            }
        }
    }

    /// A member that came by itself needs no dialling, and nothing is wrong with it. Who lives at an address without a key
    /// is known once somebody answered there.
    fn forget_mended(&self, connected: &[PublicKey]) {
        let found = |target: &Target| self.attempts.get(target).and_then(|attempt| attempt.found);
        let is_here = |peer: PublicKey| connected.contains(&peer) && self.is_member(&peer);
        let here = self.fixed.iter().filter(|target| target.peer.or_else(|| found(target)).is_some_and(is_here));
        let mut troubles = self.troubles.lock();
        here.filter_map(|target| target.addresses.first()).for_each(|address| {
            troubles.remove(address);
        });
    }

    /// Keeps what is wrong with a configured peer, since when, and forgets it once it is mended.
    fn note(&self, target: &Target, fault: Option<DialFault>, reason: Option<&String>) {
        let Some(address) = target.addresses.first().filter(|_| self.fixed.contains(target)) else { return };
        let mut troubles = self.troubles.lock();
        let Some(reason) = reason else {
            troubles.remove(address);
            return;
        };
        let since_ms = troubles.get(address).map_or_else(now_ms, |trouble| trouble.since_ms);
        troubles.insert(address.clone(), Trouble { fault, reason: reason.clone(), since_ms });
    }

    fn is_member(&self, key: &PublicKey) -> bool {
        self.core.read(|state| state.replica.charter().holder(key, Purpose::Transport)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use protocol::charter::{Charter, Departure, Operation, Seal};
    use protocol::identity::MemberNumber;
    use protocol::testing::Organisation;

    use super::*;
    use crate::network::NetworkSettings;
    use crate::records::tests::world::World;

    const ADDRESS: &str = "/ip4/127.0.0.1/tcp/1";

    async fn dialer(world: &World) -> Dialer {
        let settings = NetworkSettings {
            federation: world.charter.federation(),
            transport_key: world.county.transport.to_bytes(),
            listen: Vec::new(),
            members: Default::default(),
            limits: Default::default(),
        };
        let (network, _) = Network::start(settings).await.expect("it listens nowhere");
        let fixed = vec![Bootstrap { peer: None, addresses: vec![ADDRESS.to_owned()] }];
        Dialer::new(world.core.clone(), network, &world.county.transport, fixed, 8)
    }

    async fn append(world: &World, charter: &Charter) {
        let block = charter.blocks().last().expect("a charter has blocks").clone();
        world.core.append_blocks(vec![block]).await.expect("it follows");
    }

    #[tokio::test]
    async fn who_lost_its_right_for_good_dials_nobody_and_who_was_suspended_goes_on() {
        let world = World::new().await;
        let dialer = dialer(&world).await;
        assert_eq!(dialer.wanted(&[], 0).len(), 1);
        let mut charter = world.charter.clone();
        let seals = vec![Seal { key: public_key(&world.county.signing), last: None }];
        let suspend = Departure { member: MemberNumber(2), reason: String::new(), seals };
        world.secretariat.try_append(&mut charter, vec![Operation::Suspend(suspend)]).expect("it is active");
        append(&world, &charter).await;
        assert_eq!(dialer.wanted(&[], 0).len(), 1, "it may be reinstated");

        let expel = Departure { member: MemberNumber(2), reason: String::new(), seals: Vec::new() };
        world.secretariat.try_append(&mut charter, vec![Operation::Expel(expel)]).expect("it is suspended");
        append(&world, &charter).await;
        assert_eq!(dialer.wanted(&[], 0), []);
    }

    #[tokio::test]
    async fn a_stranger_is_tried_less_and_less_until_the_charter_changes() {
        let world = World::new().await;
        let mut dialer = dialer(&world).await;
        dialer.follow_charter();
        let newcomer = Organisation::new("云阳县", protocol::charter::Class::County, 9);
        let target = dialer.wanted(&[], 0).remove(0);
        let failures = |dialer: &Dialer| dialer.attempts[&target].failures;
        for times in 1..=3 {
            dialer.ended(target.clone(), Ok(public_key(&newcomer.transport)));
            assert_eq!(failures(&dialer), times);
        }
        let named = |dialer: &Dialer| dialer.troubles().lock().contains_key(ADDRESS);
        dialer.forget_mended(&[public_key(&newcomer.transport)]);
        assert!(named(&dialer), "a stranger that is connected is a stranger");
        let mut charter = world.charter.clone();
        world.secretariat.admit(&mut charter, &newcomer);
        append(&world, &charter).await;
        dialer.follow_charter();
        assert!(dialer.attempts[&target].wait_until.is_none());
        dialer.forget_mended(&[public_key(&newcomer.transport)]);
        assert!(!named(&dialer), "it came by itself, and its address names no key");
        dialer.ended(target.clone(), Ok(public_key(&newcomer.transport)));
        assert_eq!(failures(&dialer), 0, "it is a member now");
    }
}
