//! Two processes with one member's keys: found out, and one of them stopped, before they fork its log (DESIGN 3.7).
//!
//! They have one peer id, so they never meet: libp2p does not dial its own id, and gossip is not sent back to where
//! it came from. Two ways lead from one to the other nevertheless:
//!
//! - **A third member** that has connections to both sees one peer twice. It asks on each connection which process
//!   is there, and carries the calls of different ones across (`probe`). A node that wants to sign asks a member to
//!   do that first.
//! - **Gossip**, where they are connected with different members. Whoever hears a beacon of its own key that it did
//!   not send calls (`gossip`), and every member forwards calls.
//!
//! Nothing that an earlier run of the same node left behind can stop it, nor can any member without its transport
//! key: what counts is only a call that is signed by the own key, comes from another process, and *echoes the
//! random number of this very process*. An old call or beacon cannot, whoever keeps and repeats it, because the
//! number was drawn after it; this process answers only others; and a dead process answers nobody. A beacon by
//! itself, which a slow network may deliver long after a restart, only leads to the question.

mod call;
mod gossip;
mod probe;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use parking_lot::Mutex;
use protocol::identity::{PublicKey, public_key};
use tokio::sync::Semaphore;

use crate::api::types::ProblemDetail;
use crate::core::{Core, Stop, TwinSign, now_ms};
use crate::network::Network;
use call::{Call, Heard, Instance};
pub use probe::AskError;

/// Peers that are probed at a time.
const PROBES_MAX: usize = 16;
/// The shortest time between two probes of one peer that nobody asked for.
const PROBE_PAUSE: Duration = Duration::from_secs(2);

/// Finds other processes that use this node's keys, and helps others to find theirs.
pub struct Twins {
    core: Core,
    network: Network,
    key: SigningKey,
    instance: Instance,
    calls: AtomicU64,
    /// The other process that was met last, and gave way.
    met: Mutex<Option<Instance>>,
    /// Room for probes.
    places: Semaphore,
    /// Peers that are watched after a further connection; true when one more came meanwhile.
    watched: Mutex<BTreeMap<PublicKey, bool>>,
    /// Peers whose question is being answered.
    asking: Mutex<BTreeSet<PublicKey>>,
    pace: Mutex<gossip::Pace>,
}

impl Twins {
    /// For the node with this transport key, whose data directory may be a copy.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(core: Core, network: Network, key: SigningKey, copy: bool) -> Result<Arc<Self>, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let instance = Instance { copy, started_ms: now_ms(), random };
        Ok(Arc::new(Self {
            core,
            network,
            key,
            instance,
            calls: AtomicU64::new(0),
            met: Mutex::default(),
            places: Semaphore::new(PROBES_MAX),
            watched: Mutex::default(),
            asking: Mutex::default(),
            pace: Mutex::default(),
        }))
    }

    /// What the operator has to know, if another process was met.
    pub fn warning(&self) -> Option<ProblemDetail> {
        let other = (*self.met.lock())?;
        Some(ProblemDetail {
            at: "keys".into(),
            code: "another-process-uses-the-keys".into(),
            zh: "有另一个进程在用本节点的密钥；它应已自行停止。请查明是谁复制了数据目录，并删掉那份副本".into(),
            en: format!(
                "another process (started at {} ms) uses this node's keys; it should have stopped by itself. Find out                  who copied the data directory, and delete the copy",
                other.started_ms
            ),
        })
    }

    fn own(&self) -> PublicKey {
        public_key(&self.key)
    }

    /// A call of this process, in answer to another one or to nobody.
    fn call(&self, echo: [u8; 16]) -> Vec<u8> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let call = Call { transport: self.own(), instance: self.instance, echo, number };
        call.sign(&self.key, &self.core.federation())
    }

    /// Hears a call. Returns the answer, if it is another process with this node's keys that calls.
    fn hear(&self, call: &Call) -> Option<Vec<u8>> {
        match call.heard_by(&self.own(), &self.instance) {
            Heard::NotForUs => return None,
            Heard::Unproven => {}
            Heard::Alive => self.meet(call.instance),
        }
        Some(self.call(call.instance.random))
    }

    /// Another process with this node's keys is alive: the greater of the two stops.
    fn meet(&self, other: Instance) {
        if self.met.lock().replace(other) == Some(other) {
            return;
        }
        self.core.counters().add("twins-found", 1);
        if self.instance > other {
            tracing::error!(started_ms = other.started_ms, "another process uses this node's keys; this node stops");
            self.core.stop(Stop::Twin(TwinSign::Answered { started_ms: other.started_ms }));
        } else {
            tracing::warn!(started_ms = other.started_ms, "another process uses this node's keys; it has to stop");
        }
    }
}

/// A bounded count of events in a window of time.
#[derive(Debug, Clone, Copy)]
struct Window {
    since: Instant,
    count: u32,
}

impl Window {
    /// Whether one more is within the bound.
    fn admits(&mut self, now: Instant, length: Duration, max: u32) -> bool {
        if now.saturating_duration_since(self.since) >= length {
            *self = Self { since: now, count: 0 };
        }
        self.count += 1;
        self.count <= max
    }
}
