//! Keeps the health model fed and says what it shows (DESIGN 9): connections every second, beacons as they come, this
//! node's own state, who holds which log.
//!
//! Times in the model are of a clock that never goes back: the machine's clock when the node started, and the time since
//! then. What is shown and written are times of the machine's clock. What must survive a restart, who was heard when, is
//! one small file that is written at each beacon interval and when the node stops (`memory`). `view` and
//! `custody` make what the API, the command line, the portal and the metrics show, all from the same functions.

mod custody;
mod memory;
mod ports;
mod view;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::beacon::{Beacon, Condition, DiskSpace, PERMILLE, Version};
use protocol::custody::{Custody, Rule, Watch};
use protocol::health::clock::{Samples, Shift, Times};
use protocol::health::{Model, Own, Picture, Report, Thresholds, enrolled};
use protocol::identity::{BlockHash, MemberNumber, PublicKey};
use tokio::sync::watch;

use crate::config::Config;
use crate::core::{Core, State as CoreState, now_ms};
use crate::directory::DataDirectory;
use crate::network::Network;

pub use custody::custody_view;
pub use view::{member_counts, member_view, own_cut_off, view};

/// How often the model is fed.
const TICK: Duration = Duration::from_secs(1);
/// How often the disk and the own listeners are looked at.
const DISK_PAUSE: Duration = Duration::from_secs(10);
/// How often who was heard is written at least, if nobody joined meanwhile; at a shorter beacon interval as often.
const WRITE_PAUSE: Duration = Duration::from_secs(300);
/// How soon it is written after somebody joined.
const WRITE_SOON: Duration = Duration::from_secs(2);
/// Who holds what is counted every so many seconds, and one more for so many members.
const CUSTODY_MEMBERS_PER_SECOND: usize = 80;
/// Readers are told at least so often that figures may have changed.
const TOLD_PAUSE: Duration = Duration::from_secs(10);
/// The version of this software, as beacons say it.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const MIB: u64 = 1_048_576;

/// Who holds what, as it was counted last.
#[derive(Debug, Clone, Default)]
struct Counted {
    as_of_ms: u64,
    logs: Arc<Vec<Custody>>,
}

struct Inner {
    core: Core,
    network: Network,
    transport: PublicKey,
    directory: PathBuf,
    memory: PathBuf,
    interval: Duration,
    started: Instant,
    started_ms: u64,
    thresholds: Thresholds,
    rule: Rule,
    model: Mutex<Model>,
    /// Tip of the charter whose members the model knows; only looked at while the model is held.
    roster_of: Mutex<Option<BlockHash>>,
    /// From the clock of the model to that of the machine.
    shift: Mutex<Shift>,
    clock: Mutex<Samples>,
    disk: Mutex<Option<DiskSpace>>,
    /// Ports at which this node listens, for people.
    ports: Mutex<BTreeSet<u16>>,
    /// When the first beacon came since this node started.
    first_beacon_ms: Mutex<Option<u64>>,
    watch: Mutex<Watch>,
    counted: Mutex<Counted>,
    changed: watch::Sender<u64>,
}

/// A handle to what is known of the members' nodes.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

impl Health {
    /// The health of the federation as the node with this transport key sees it. The members are known at once, how they
    /// are only when `run` has fed the model.
    pub fn new(core: Core, network: Network, transport: PublicKey, directory: &DataDirectory, config: &Config) -> Self {
        let (started, started_ms) = (Instant::now(), now_ms());
        let interval = Duration::from_secs(config.timing.beacon_seconds);
        let grace_ms = config.timing.grace_seconds.saturating_mul(1_000);
        let thresholds = Thresholds::new(grace_ms, config.timing.beacon_seconds.saturating_mul(1_000));
        let memory = directory.health_path();
        let model = Model::new(thresholds, started_ms, &memory::read(&memory));
        let health = Self(Arc::new(Inner {
            core,
            network,
            transport,
            directory: directory.path().to_owned(),
            memory,
            interval,
            started,
            started_ms,
            thresholds,
            rule: Rule { replicas: config.custody.replicas, provinces: config.custody.provinces },
            model: Mutex::new(model),
            roster_of: Mutex::default(),
            shift: Mutex::default(),
            clock: Mutex::default(),
            disk: Mutex::new(disk_space(directory.path())),
            ports: Mutex::new(ports::of(&config.network.listen)),
            first_beacon_ms: Mutex::default(),
            watch: Mutex::new(Watch::new(thresholds.settles_ms(), grace_ms)),
            counted: Mutex::default(),
            changed: watch::Sender::new(0),
        }));
        // Whoever asks before the first tick is told who the members are, and not that there are none.
        health.feed(&BTreeSet::new());
        health
    }

    /// A beacon was accepted.
    pub fn heard(&self, member: MemberNumber, beacon: &Beacon, agrees: bool) {
        let now_ms = self.steady_ms();
        self.0.first_beacon_ms.lock().get_or_insert(now_ms);
        self.0.model.lock().heard(member, Report::of(beacon, agrees, now_ms));
    }

    /// A member told the time, after `round_trip_ms`.
    pub fn told_time(&self, member: MemberNumber, theirs_ms: u64, round_trip_ms: u64) {
        self.0.clock.lock().take(member, theirs_ms, round_trip_ms, self.steady_ms());
    }

    /// How far this machine's clock is ahead of the middle of its peers', in milliseconds; nothing while no peer told.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        let steady_ms = self.steady_ms();
        self.0.clock.lock().offset_ms(steady_ms, Shift::between(steady_ms, now_ms()))
    }

    /// How far this machine's clock is ahead of its peers' beyond the tolerance, where enough of them say so.
    fn clock_certainly_ahead_ms(&self) -> Option<u64> {
        let steady_ms = self.steady_ms();
        self.0.clock.lock().certainly_ahead_ms(steady_ms, Shift::between(steady_ms, now_ms()))
    }

    /// How far the clocks of members that were asked lately are ahead of the middle of all, in milliseconds.
    pub fn clock_offsets(&self) -> BTreeMap<MemberNumber, i64> {
        let steady_ms = self.steady_ms();
        self.0.clock.lock().offsets_ms(steady_ms, Shift::between(steady_ms, now_ms()))
    }

    /// What the time may be, by this machine's clock and those of its peers.
    pub fn times(&self) -> Times {
        Times::new(now_ms(), self.clock_offset_ms())
    }

    /// From the clock that never goes back to that of the machine.
    fn shift(&self) -> Shift {
        self.0.shift.lock().follow(self.steady_ms(), now_ms())
    }

    /// Room on the volume of the data directory: free bytes, to the mebibyte, and thousandths.
    pub fn disk(&self) -> Option<(u64, u16)> {
        let disk = (*self.0.disk.lock())?;
        Some((u64::from(disk.free_mib) * MIB, disk.free_permille))
    }

    /// A number that grows when a state or a finding changes, and every few seconds when figures may have.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// What this node says of its own state in beacons.
    pub fn condition(&self) -> Condition {
        let missing_bodies = self.0.core.read(missing_bodies);
        // A beacon tells as much as it has room for: 24 days, either way.
        let beacon_ms = |offset_ms: i64| offset_ms.clamp(i64::from(-i32::MAX), i64::from(i32::MAX)) as i32;
        let offset_ms = self.clock_offset_ms().map(beacon_ms);
        let model = self.0.model.lock();
        Condition {
            version: Version::parse(VERSION).unwrap_or_default(),
            missing_entries: model.missing_entries(),
            missing_bodies,
            peers: u16::try_from(model.links()).unwrap_or(u16::MAX),
            disk: *self.0.disk.lock(),
            clock_offset_ms: offset_ms,
            rejected: u32::try_from(self.0.network.statistics().rejected).unwrap_or(u32::MAX),
        }
    }

    /// Feeds the model until the network is gone.
    pub async fn run(self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let pause = WRITE_PAUSE.min(self.0.interval).max(WRITE_SOON);
        let mut written = Vec::new();
        let begun = Instant::now();
        let (mut disk_at, mut custody_at, mut told_at) = (begun, begun, begun);
        let mut write_at = begun + WRITE_SOON;
        loop {
            tick.tick().await;
            let Ok(peers) = self.0.network.peers().await else { return };
            let connected: BTreeSet<PublicKey> =
                peers.iter().filter(|peer| peer.member).map(|peer| peer.peer).collect();
            let now = Instant::now();
            if now >= disk_at {
                disk_at = now + DISK_PAUSE;
                let directory = self.0.directory.clone();
                let found = tokio::task::spawn_blocking(move || disk_space(&directory)).await;
                *self.0.disk.lock() = found.ok().flatten();
                if let Ok(listened) = self.0.network.listen_addresses().await
                    && !listened.is_empty()
                {
                    *self.0.ports.lock() = ports::of(&listened);
                }
            }
            let mut changed = self.feed(&connected);
            if now >= custody_at {
                custody_at = now + TICK + TICK * (self.members() / CUSTODY_MEMBERS_PER_SECOND) as u32;
                let health = self.clone();
                changed |= tokio::task::spawn_blocking(move || health.count()).await.unwrap_or(false);
            }
            let remembered = self.0.model.lock().remembered();
            let joined = remembered.len() != written.len();
            // Who joined is written soon, and when somebody was last heard at each interval.
            if now >= write_at && (joined || now + WRITE_SOON >= write_at + pause) && remembered != written {
                write_at = now + WRITE_SOON;
                let health = self.clone();
                let _ = tokio::task::spawn_blocking(move || health.save()).await;
                written = remembered;
            }
            if changed || now >= told_at {
                told_at = now + TOLD_PAUSE;
                self.0.changed.send_modify(|number| *number += 1);
            }
        }
    }

    /// Writes who was heard when. Blocks.
    pub fn save(&self) {
        let remembered = self.0.model.lock().remembered();
        memory::write(&self.0.memory, &remembered);
    }

    fn members(&self) -> usize {
        self.0.core.read(|state| state.replica.charter().members().len())
    }

    /// The time of the clock that never goes back.
    pub fn steady_ms(&self) -> u64 {
        self.0.started_ms + u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX / 2)
    }

    /// How everybody is. The members are those of the charter as it is now: the last feed may have been before the block
    /// that admitted one.
    fn picture(&self) -> Picture {
        let mut model = self.0.model.lock();
        let tip = self.0.core.read(|state| state.replica.charter().tip());
        if *self.0.roster_of.lock() != Some(tip) {
            self.enlist(&mut model);
        }
        model.picture()
    }

    /// Tells the model who the members are. It is held meanwhile, so that nobody comes with an older charter afterwards.
    fn enlist(&self, model: &mut Model) {
        let (tip, members) = self.0.core.read(|state| (state.replica.charter().tip(), enrolled(&state.replica)));
        model.roster(&members);
        *self.0.roster_of.lock() = Some(tip);
    }

    /// Tells the model who is there and how this node is. Says whether what it shows changed.
    fn feed(&self, connected: &BTreeSet<PublicKey>) -> bool {
        let condition = self.condition();
        let (links, own) = self.0.core.read(|state| {
            let keys = state.replica.charter().transport_keys();
            let own_member = keys.get(&self.0.transport).copied();
            let links = connected.iter().filter_map(|key| keys.get(key).copied());
            let links: BTreeSet<MemberNumber> = links.filter(|member| Some(*member) != own_member).collect();
            let own = Own {
                member: own_member,
                charter_version: state.replica.charter().version(),
                entries: entries(state),
                staged: u32::try_from(state.replica.staged()).unwrap_or(u32::MAX),
                condition,
            };
            (links, own)
        });
        // The clock is read first: what it jumps to while this goes on is for the next look.
        let (found_at_ms, clocks) = (now_ms(), self.clock_offsets());
        self.0.core.set_clock_ahead(self.clock_certainly_ahead_ms(), !clocks.is_empty(), found_at_ms);
        let throttled = self.0.core.take_throttled();
        let (now_ms, shift) = (self.steady_ms(), self.shift());
        let mut model = self.0.model.lock();
        model.wall(shift);
        self.enlist(&mut model);
        model.own(own);
        model.linked(&links, now_ms);
        model.clocks(&clocks);
        throttled.into_iter().for_each(|member| model.throttled(member, now_ms));
        model.tick(now_ms)
    }
}

fn entries(state: &CoreState) -> u64 {
    let logs = state.replica.charter().logs().iter();
    logs.map(|grant| state.replica.effective_length(grant.number)).sum()
}

fn missing_bodies(state: &CoreState) -> u32 {
    let logs = state.replica.charter().logs().iter();
    let missing = logs.map(|grant| state.replica.missing_bodies(grant.number).count()).sum::<usize>();
    u32::try_from(missing).unwrap_or(u32::MAX)
}

/// Room on the volume of a directory, as an unprivileged process can use it.
fn disk_space(directory: &std::path::Path) -> Option<DiskSpace> {
    let volume = rustix::fs::statvfs(directory).ok()?;
    let free = u128::from(volume.f_bavail) * u128::from(volume.f_frsize);
    let all = u128::from(volume.f_blocks) * u128::from(volume.f_frsize);
    let free_mib = u32::try_from(free / u128::from(MIB)).unwrap_or(u32::MAX - 1).min(u32::MAX - 1);
    let permille = (free * u128::from(PERMILLE)).checked_div(all)?;
    Some(DiskSpace { free_mib, free_permille: u16::try_from(permille).unwrap_or(PERMILLE).min(PERMILLE) })
}
