//! Beacons: what a node says of itself, and what that tells about delivery and health (DESIGN 5.1, 9).
//!
//! When one goes out, and how much it says, is decided in [`protocol::beacon::timing`]: all members share one budget. A
//! beacon with another digest than one's own is a hint to sync. [`exchange`] is how beacons travel. Where this machine's clock is
//! known to be off, beacons are not judged by it alone, and are composed in the time of the others.

pub mod exchange;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use parking_lot::Mutex;
use protocol::beacon::relay::{Relay, ShortId};
use protocol::beacon::telling::Telling;
pub use protocol::beacon::timing::heads_max;
use protocol::beacon::{Beacon, EXPIRY_MS_MAX, Label, timing};
use protocol::charter::Purpose;
use protocol::identity::{PublicKey, public_key};
use protocol::limits::CLOCK_TOLERANCE_MS;

use crate::core::{Core, now_ms};
use crate::health::Health;
use crate::sync::SyncHandle;
use crate::twin::Twins;

/// How often the node looks whether a beacon is due.
const TICK: Duration = Duration::from_millis(50);
/// The wait between two beacons of one node in a federation of so many members; see [`timing::shortest_wait_ms`].
pub fn shortest_wait(members: usize, interval: Duration) -> Duration {
    Duration::from_millis(timing::shortest_wait_ms(members, in_ms(interval)))
}

fn in_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What became of a beacon that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    /// It is news.
    News,
    /// It is late, or a member's whose admission has not arrived here: nobody is to blame.
    Useless,
    /// It is no beacon.
    Bad,
}

/// Composes and judges beacons.
pub struct Beacons {
    core: Core,
    sync: SyncHandle,
    twins: Arc<Twins>,
    health: Health,
    key: SigningKey,
    boot: Boot,
    interval: Duration,
    /// In times of the clock of `health` that never goes back.
    relay: Mutex<Relay>,
}

impl Beacons {
    /// Beacons of the node with this transport key, at least one every `interval`.
    pub fn new(
        core: Core,
        sync: SyncHandle,
        twins: Arc<Twins>,
        health: Health,
        key: SigningKey,
        interval: Duration,
    ) -> Arc<Self> {
        let (relay, boot) = (Mutex::default(), Boot(now_ms().into()));
        Arc::new(Self { core, sync, twins, health, key, boot, interval, relay })
    }

    /// Judges a beacon that `source` handed over, and keeps it for the others if it is news.
    async fn take(&self, source: PublicKey, bytes: &[u8]) -> Judgement {
        let Ok(label) = Label::read(bytes) else { return self.bad() };
        let (own, steady_ms) = (label.transport == public_key(&self.key), self.health.steady_ms());
        // Of a flood nothing is verified beyond the pace. Another process with the own keys is heard in any case.
        if !own && !self.relay.lock().admits(&label, steady_ms) {
            return Judgement::Useless;
        }
        let Ok(beacon) = Beacon::decode(bytes, &self.core.federation()) else { return self.bad() };
        if own && beacon.boot_ms != self.boot.ms() {
            // Another process, or this node before its last start: only an answer tells, so the beacon alone stops
            // nobody, however late it comes or whoever repeats it.
            self.twins.suspect().await;
        }
        let member = self.core.read(|state| state.replica.charter().holder(&beacon.transport, Purpose::Transport));
        let times = self.health.times();
        let timely = beacon.is_timely(times.earliest_ms(), times.latest_ms());
        let Some(member) = member.filter(|_| timely) else { return Judgement::Useless };
        let lasts_ms = beacon.expires_ms.saturating_sub(times.earliest_ms()).min(EXPIRY_MS_MAX);
        let kept = Beacon { expires_ms: steady_ms.saturating_add(lasts_ms), ..beacon.clone() };
        let spacing_ms = self.spacing_ms();
        if !self.relay.lock().keep(Some(&source), &kept, bytes, spacing_ms, steady_ms) {
            return Judgement::Useless;
        }
        let agrees = self.core.note_told(member, &beacon);
        if !agrees {
            self.sync.after(source, Duration::from_millis(timing::DIFFERENCE_GRACE_MS));
        }
        if !own {
            self.health.heard(member, &beacon, agrees);
        }
        self.core.note_beacon(beacon, bytes);
        Judgement::News
    }

    fn bad(&self) -> Judgement {
        self.core.counters().add("beacon-bad", 1);
        Judgement::Bad
    }

    /// What is held of the beacons that a partner wants.
    fn wanted(&self, peer: &PublicKey, ids: &[ShortId]) -> Vec<Arc<[u8]>> {
        self.relay.lock().want(peer, ids)
    }

    /// Beacons of one sender are passed on no faster than it should send them, give or take.
    fn spacing_ms(&self) -> u64 {
        timing::spacing_ms(self.members(), in_ms(self.interval))
    }

    fn members(&self) -> usize {
        self.core.read(|state| state.replica.charter().members().len())
    }

    /// Sends beacons until the node stops.
    pub async fn run(self: Arc<Self>) {
        let mut changes = self.core.changes();
        let mut frontiers = self.core.changes();
        let mut telling = Telling::default();
        let mut counter = 0;
        let mut last: Option<Instant> = None;
        let mut changed = true;
        let mut tick = tokio::time::interval(TICK);
        loop {
            tick.tick().await;
            if frontiers.has_changed().unwrap_or(false) {
                frontiers.mark_unchanged();
                self.core.note_frontier();
            }
            // What was said once may have been overtaken on its way.
            changed |= changes.has_changed().unwrap_or(false) || telling.waits();
            let waited_ms = last.map(|last| in_ms(last.elapsed()));
            if !timing::is_due(waited_ms, changed, self.members(), in_ms(self.interval)) || self.core.has_failed() {
                continue;
            }
            changes.mark_unchanged();
            changed = false;
            counter += 1;
            last = Some(Instant::now());
            let beacon = self.compose(counter, &mut telling);
            let bytes = beacon.sign(&self.key, &self.core.federation());
            let steady_ms = self.health.steady_ms();
            let kept = Beacon { expires_ms: steady_ms.saturating_add(self.lasts_ms()), ..beacon };
            self.relay.lock().keep(None, &kept, &bytes, 0, steady_ms);
        }
    }

    /// How long a beacon means something.
    fn lasts_ms(&self) -> u64 {
        timing::lasts_ms(in_ms(self.interval))
    }

    fn compose(&self, counter: u64, telling: &mut Telling) -> Beacon {
        let (digest, heads) = self.core.heads();
        let now_ms = self.health.times().peers_ms();
        if self.boot.correct(now_ms) {
            self.relay.lock().forget(&public_key(&self.key));
        }
        Beacon {
            transport: public_key(&self.key),
            boot_ms: self.boot.ms(),
            counter,
            expires_ms: now_ms.saturating_add(self.lasts_ms()),
            interval_seconds: u32::try_from(self.interval.as_secs()).unwrap_or(u32::MAX),
            condition: self.health.condition(),
            charter_version: self.core.read(|state| state.replica.charter().version()),
            digest,
            entries: heads.values().sum(),
            heads: telling.next(&heads, heads_max(self.members())),
        }
    }
}

/// When this process started, as its beacons say.
struct Boot(AtomicU64);

impl Boot {
    fn ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// A start far ahead was of a clock that has been set right since, and nobody took its beacons: it is now. Says
    /// whether it was one.
    fn correct(&self, now_ms: u64) -> bool {
        let ahead = self.ms() > now_ms.saturating_add(CLOCK_TOLERANCE_MS);
        if ahead {
            self.0.store(now_ms, Ordering::Relaxed);
        }
        ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_far_ahead_of_a_clock_that_was_set_right_is_now_and_stays() {
        let (now_ms, hour_ms) = (1_800_000_000_000, 3_600_000);
        let boot = Boot((now_ms + hour_ms).into());
        assert!(!boot.correct(now_ms + hour_ms + 5), "as far as it knows its clock is right");
        assert!(boot.correct(now_ms));
        assert_eq!((boot.correct(now_ms + 600_000), boot.ms()), (false, now_ms));
        let near = Boot((now_ms + CLOCK_TOLERANCE_MS).into());
        assert!(!near.correct(now_ms), "others have taken its beacons");
    }
}
