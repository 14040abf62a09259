//! Beacons: what a node says of itself, and what that tells about delivery (DESIGN 5.1).
//!
//! A beacon goes out soon after something changed, but all members share one budget: the more there are, the longer
//! each waits. A beacon with another digest than one's own is a hint to sync.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use parking_lot::Mutex;
use protocol::beacon::Beacon;
use protocol::charter::{LogNumber, Purpose};
use protocol::identity::{PublicKey, public_key};
use protocol::limits::{BEACON_HEADS_MAX, CLOCK_TOLERANCE_MS};

use crate::core::{Core, now_ms};
use crate::network::{GossipToken, Network, Topic, Verdict};
use crate::sync::SyncHandle;
use crate::twin::Twins;

/// Beacons of all members together, per second, while things change.
const BEACONS_PER_SECOND: u32 = 20;
/// The shortest wait between two beacons of one node.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);
/// How often the node looks whether a beacon is due.
const TICK: Duration = Duration::from_millis(50);
/// How long a beacon means something after the time at which the next one is due.
const EXPIRY_GRACE: Duration = Duration::from_secs(300);
/// How far ahead a beacon may expire.
const EXPIRY_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// How long digests may differ before a session is begun: gossip is usually still on its way.
const DIFFERENCE_GRACE: Duration = Duration::from_millis(1_500);

/// Sends and takes beacons.
pub struct Beacons {
    core: Core,
    network: Network,
    sync: SyncHandle,
    twins: Arc<Twins>,
    key: SigningKey,
    boot_ms: u64,
    interval: Duration,
    latest: Mutex<BTreeMap<PublicKey, Beacon>>,
}

impl Beacons {
    /// Beacons of the node with this transport key, at least one every `interval`.
    pub fn new(
        core: Core,
        network: Network,
        sync: SyncHandle,
        twins: Arc<Twins>,
        key: SigningKey,
        interval: Duration,
    ) -> Arc<Self> {
        Arc::new(Self { core, network, sync, twins, key, boot_ms: now_ms(), interval, latest: Mutex::default() })
    }

    /// Takes a beacon.
    pub async fn take(&self, token: GossipToken, source: PublicKey, bytes: &[u8]) {
        let Ok(beacon) = Beacon::decode(bytes, &self.core.federation()) else {
            self.core.counters().add("beacon-bad", 1);
            let _ = self.network.report(token, Verdict::Reject).await;
            return;
        };
        if beacon.transport == public_key(&self.key) && beacon.boot_ms != self.boot_ms {
            // Another process, or this node before its last start: only an answer tells, so the beacon alone stops
            // nobody, however late it comes or whoever repeats it.
            self.twins.suspect().await;
        }
        let member = self.core.read(|state| state.replica.charter().holder(&beacon.transport, Purpose::Transport));
        let now_ms = now_ms();
        // A beacon from far ahead would outrank every later one of its sender.
        let ahead = beacon.boot_ms > now_ms + CLOCK_TOLERANCE_MS || beacon.expires_ms > now_ms + EXPIRY_MS_MAX;
        let fresh = beacon.expires_ms > now_ms && !ahead && self.is_newest(&beacon);
        let Some(member) = member.filter(|_| fresh) else {
            // A late copy, or a member whose admission has not arrived here: nobody is to blame.
            let _ = self.network.report(token, Verdict::Ignore).await;
            return;
        };
        let _ = self.network.report(token, Verdict::Accept).await;
        self.core.note_held(member, beacon.heads.iter().map(|(log, length)| (*log, *length)));
        let (digest, heads) = self.core.heads();
        if digest == beacon.digest {
            self.core.note_held(member, heads);
        } else {
            self.sync.after(source, DIFFERENCE_GRACE);
        }
        self.core.note_beacon(beacon.clone(), bytes);
        self.latest.lock().insert(beacon.transport, beacon);
    }

    fn is_newest(&self, beacon: &Beacon) -> bool {
        self.latest.lock().get(&beacon.transport).is_none_or(|held| beacon.outranks(held))
    }

    /// Sends beacons until the node stops.
    pub async fn run(self: Arc<Self>) {
        let mut changes = self.core.changes();
        let mut said: BTreeMap<LogNumber, u64> = BTreeMap::new();
        let mut counter = 0;
        let mut last: Option<Instant> = None;
        let mut changed = true;
        let mut tick = tokio::time::interval(TICK);
        loop {
            tick.tick().await;
            changed |= changes.has_changed().unwrap_or(false);
            let waited = last.map_or(Duration::MAX, |last| last.elapsed());
            if !(waited >= self.interval || (changed && waited >= self.shortest_wait())) || self.core.has_failed() {
                continue;
            }
            changes.mark_unchanged();
            changed = false;
            counter += 1;
            last = Some(Instant::now());
            let bytes = self.beacon(counter, &mut said);
            if let Err(error) = self.network.publish(Topic::Beacons, bytes).await {
                tracing::debug!(%error, "the beacon was not sent");
            }
        }
    }

    fn shortest_wait(&self) -> Duration {
        let members = self.core.read(|state| state.replica.charter().members().len()) as u32;
        SHORTEST_WAIT.max(Duration::from_secs(1) * members / BEACONS_PER_SECOND)
    }

    fn beacon(&self, counter: u64, said: &mut BTreeMap<LogNumber, u64>) -> Vec<u8> {
        let (digest, heads) = self.core.heads();
        let news = heads.iter().filter(|(log, length)| said.get(log) != Some(*length));
        let news: BTreeMap<LogNumber, u64> = news.take(BEACON_HEADS_MAX).map(|(log, length)| (*log, *length)).collect();
        said.extend(&news);
        let (charter_version, complete) =
            self.core.read(|state| (state.replica.charter().version(), state.replica.is_complete()));
        let beacon = Beacon {
            transport: public_key(&self.key),
            boot_ms: self.boot_ms,
            counter,
            expires_ms: now_ms() + (self.interval + EXPIRY_GRACE).as_millis() as u64,
            charter_version,
            digest,
            entries: heads.values().sum(),
            complete,
            heads: news,
        };
        beacon.sign(&self.key, &self.core.federation())
    }
}
