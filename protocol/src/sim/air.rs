//! What lies between the members: time, chance, the network, and the events to come.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fact::{Fact, Way};
use super::library::Library;
use super::network::Network;
use super::scenario::Scenario;
use crate::identity::{FederationId, PublicKey};

/// What is on its way from one member to another.
#[derive(Debug, Clone)]
pub(super) enum Parcel {
    /// A message of gossip.
    Gossip(Arc<Told>),
    /// A frame of a sync session.
    Frame {
        session: u64,
        /// Whether it is the first frame of who began the session.
        opens: bool,
        bytes: Vec<u8>,
    },
    /// The end of a session's stream.
    Closed { session: u64 },
    /// A frame of the exchange of beacons.
    Relay(Vec<u8>),
}

/// A message of gossip with its id, which follows from its content.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) id: u128,
    pub(super) bytes: Vec<u8>,
}

impl Told {
    pub(super) fn new(bytes: Vec<u8>) -> Arc<Self> {
        let hash = blake3::hash(&bytes);
        let mut id = [0; 16];
        id.copy_from_slice(&hash.as_bytes()[..16]);
        Arc::new(Self { id: u128::from_le_bytes(id), bytes })
    }
}

/// What will happen.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// A node looks at what is due. Of an earlier start it means nothing any more.
    Tick { member: usize, boot: u64 },
    /// A member publishes something.
    Publish { member: usize },
    /// A hostile member does something.
    Misdeed { member: usize },
    /// An event of the scenario.
    Happens { index: usize },
    /// Somebody crashes at random.
    Churn,
    /// A partition at random begins, or ends.
    Tremor { begins: bool },
    /// A member starts.
    Start { member: usize },
    /// Two members look whether they can be linked.
    Link { edge: usize },
    /// A session serves on.
    Serve { member: usize, boot: u64, session: u64 },
    /// Something arrives.
    Arrive { from: usize, to: usize, epoch: u64, parcel: Parcel },
    /// The checkers look at everything.
    Look,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Air {
    pub(super) now_ms: u64,
    pub(super) random: fastrand::Rng,
    pub(super) network: Network,
    pub(super) library: Library,
    pub(super) federation: FederationId,
    pub(super) scenario: Scenario,
    pub(super) transports: Vec<PublicKey>,
    pub(super) indices: BTreeMap<PublicKey, usize>,
    pub(super) sessions: u64,
    founded_ms: u64,
    queue: BTreeMap<(u64, u64), Event>,
    serial: u64,
    facts: Vec<Fact>,
    trace: blake3::Hasher,
}

impl Air {
    pub(super) fn new(
        scenario: Scenario,
        seed: u64,
        federation: FederationId,
        founded_ms: u64,
        transports: Vec<PublicKey>,
    ) -> Self {
        let indices = transports.iter().enumerate().map(|(index, key)| (*key, index)).collect();
        Self {
            now_ms: 0,
            random: fastrand::Rng::with_seed(seed),
            network: Network::new(scenario.network, transports.len()),
            library: Library::default(),
            federation,
            scenario,
            transports,
            indices,
            sessions: 0,
            founded_ms,
            queue: BTreeMap::new(),
            serial: 0,
            facts: Vec::new(),
            trace: blake3::Hasher::new(),
        }
    }

    /// The time of a clock that is off by so much, in milliseconds since 1970.
    pub(super) fn wall_ms(&self, skew_ms: i64) -> u64 {
        (self.founded_ms + self.now_ms).saturating_add_signed(skew_ms)
    }

    pub(super) fn at(&mut self, at_ms: u64, event: Event) {
        self.serial += 1;
        self.queue.insert((at_ms.max(self.now_ms), self.serial), event);
    }

    pub(super) fn after(&mut self, after_ms: u64, event: Event) {
        self.at(self.now_ms + after_ms, event);
    }

    /// A pause with this mean: a half to one and a half of it.
    pub(super) fn around(&mut self, mean_ms: u64) -> u64 {
        mean_ms / 2 + self.random.u64(0..=mean_ms)
    }

    /// Goes on to the next event, unless none comes before the end.
    pub(super) fn next(&mut self, end_ms: u64) -> Option<Event> {
        let ((at_ms, serial), event) = self.queue.pop_first()?;
        if at_ms > end_ms {
            self.now_ms = end_ms;
            return None;
        }
        self.now_ms = at_ms;
        self.mark(&[at_ms, serial]);
        Some(event)
    }

    /// Puts numbers into the digest of the run: two runs of one seed must agree in all of them.
    pub(super) fn mark(&mut self, numbers: &[u64]) {
        numbers.iter().for_each(|number| {
            self.trace.update(&number.to_le_bytes());
        });
    }

    /// Puts bytes into the digest of the run.
    pub(super) fn mark_bytes(&mut self, bytes: &[u8]) {
        self.trace.update(bytes);
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        *self.trace.finalize().as_bytes()
    }

    pub(super) fn tell(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    pub(super) fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }

    /// Sends on a stream: it arrives in order, or the link breaks.
    pub(super) fn send(&mut self, from: usize, to: usize, parcel: Parcel) -> u64 {
        /// What the layers below add to each frame.
        const FRAME_BYTES: usize = 4;
        let (bytes, way) = match &parcel {
            Parcel::Frame { bytes, .. } => (bytes.len(), Way::Sync),
            Parcel::Relay(bytes) => (bytes.len(), Way::Beacons),
            Parcel::Gossip(told) => (told.bytes.len(), Way::Gossip),
            Parcel::Closed { .. } => (0, Way::Sync),
        };
        let bytes = bytes + FRAME_BYTES;
        self.mark(&[from as u64, to as u64, bytes as u64]);
        self.tell(Fact::Sent { member: from, bytes: bytes as u64, way });
        if let Some(at_ms) = self.network.stream((from, to), bytes, self.now_ms, &mut self.random) {
            let epoch = self.network.epoch(from, to);
            self.at(at_ms, Event::Arrive { from, to, epoch, parcel });
        }
        bytes as u64
    }

    /// Sends a message of gossip: it may be lost, and come twice, in any order.
    pub(super) fn gossip(&mut self, from: usize, to: usize, told: &Arc<Told>) {
        let bytes = told.bytes.len();
        self.mark(&[from as u64, to as u64, bytes as u64]);
        let arrivals = self.network.gossip((from, to), bytes, self.now_ms, &mut self.random);
        let Some(arrivals) = arrivals else { return };
        self.tell(Fact::Sent { member: from, bytes: bytes as u64, way: Way::Gossip });
        let epoch = self.network.epoch(from, to);
        for at_ms in arrivals {
            self.at(at_ms, Event::Arrive { from, to, epoch, parcel: Parcel::Gossip(Arc::clone(told)) });
        }
    }
}
