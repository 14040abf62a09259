//! Gossip: new entries, blocks and proofs on their way to everybody (DESIGN 5.1).
//!
//! A message is one byte for its type and the canonical bytes. Everything is verified before it is forwarded; what
//! gossip misses, sync brings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::bytes::LayoutError;
use protocol::charter::{CharterError, OPERATION_TYPE, SignedBlock};
use protocol::entry::{Entry, VerifiedEntry};
use protocol::fork::ForkProof;
use protocol::identity::{MemberNumber, PublicKey};
use protocol::limits::{GOSSIP_BODY_BYTES_MAX, GOSSIP_BYTES_MAX};
use protocol::replica::{IgnoreReason, Outcome};
use tokio::sync::{Semaphore, mpsc};

use crate::core::{BlockError, Core, Event};
use crate::network::{GossipToken, Network, Topic, Verdict};
use crate::sync::SyncHandle;

const ENTRY: u8 = 1;
const BLOCK: u8 = 2;
const PROOF: u8 = 3;

/// Messages that are being judged at a time.
const JUDGED_AT_A_TIME: usize = 64;
/// Of a longer batch only the last entry is gossiped: it tells everybody that there is a gap, and sync fills it.
const BATCH_GOSSIPED_MAX: usize = 32;
/// The period of the charter's limit.
const PACE_PERIOD: Duration = Duration::from_secs(60);
/// How long a gap may close by itself before a session is begun for it.
const GAP_GRACE: Duration = Duration::from_millis(200);

/// Tells the network what this node published, until the heart of the node is gone.
pub async fn publish_events(network: Network, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        let messages = match event {
            Event::Published(entries) => published(&entries),
            Event::Charter(blocks) => {
                blocks.iter().map(|block| [&[BLOCK], block.encode().as_slice()].concat()).collect()
            }
            Event::Proofs(proofs) => {
                proofs.iter().map(|proof| [&[PROOF], proof.encode().as_slice()].concat()).collect()
            }
        };
        for message in messages.into_iter().filter(|message| message.len() <= GOSSIP_BYTES_MAX) {
            if let Err(error) = network.publish(Topic::Entries, message).await {
                tracing::debug!(%error, "gossip was not sent");
            }
        }
    }
}

fn published(entries: &[Arc<VerifiedEntry>]) -> Vec<Vec<u8>> {
    let from = if entries.len() > BATCH_GOSSIPED_MAX { entries.len() - 1 } else { 0 };
    let message = |entry: &Arc<VerifiedEntry>| {
        let long = entry.body().is_some_and(|body| body.len() > GOSSIP_BODY_BYTES_MAX);
        let bytes = if long { entry.without_body().encode() } else { entry.encode() };
        [&[ENTRY], bytes.as_slice()].concat()
    };
    entries[from..].iter().map(message).collect()
}

/// Entries of each member that came by gossip in the current minute.
#[derive(Debug, Default)]
struct Pace {
    since: Option<Instant>,
    taken: BTreeMap<MemberNumber, u32>,
}

impl Pace {
    fn takes(&mut self, member: MemberNumber, limit: u32, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.duration_since(since) >= PACE_PERIOD) {
            self.since = Some(now);
            self.taken.clear();
        }
        let taken = self.taken.entry(member).or_default();
        *taken = taken.saturating_add(1);
        *taken <= limit
    }
}

/// Judges messages that arrive.
#[derive(Clone)]
pub struct Judge {
    core: Core,
    network: Network,
    sync: SyncHandle,
    places: Arc<Semaphore>,
    pace: Arc<Mutex<Pace>>,
}

impl Judge {
    /// A judge.
    pub fn new(core: Core, network: Network, sync: SyncHandle) -> Self {
        Self { core, network, sync, places: Arc::new(Semaphore::new(JUDGED_AT_A_TIME)), pace: Arc::default() }
    }

    /// Takes a message; waits when too many are being judged.
    pub async fn take(&self, token: GossipToken, source: PublicKey, bytes: Vec<u8>) {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
        let judge = self.clone();
        tokio::spawn(async move {
            judge.judge(token, source, &bytes).await;
            drop(place);
        });
    }

    async fn judge(&self, token: GossipToken, source: PublicKey, bytes: &[u8]) {
        let Some((message_type, content)) = bytes.split_first() else {
            return self.reject(token, "gossip-empty").await;
        };
        match *message_type {
            ENTRY => self.judge_entry(token, source, content).await,
            BLOCK => self.judge_block(token, source, content).await,
            PROOF => match ForkProof::decode(content, &self.core.federation()) {
                // Only what is news travels on: anybody can make keys and contradict himself with them.
                Ok(proof) => match self.core.add_proofs(vec![proof]).await {
                    Ok(new) if !new.is_empty() => self.settle(token, Verdict::Accept).await,
                    _ => self.settle(token, Verdict::Ignore).await,
                },
                Err(_) => self.reject(token, "gossip-bad-proof").await,
            },
            // A newer build may know it. It is not forwarded, because it cannot be verified.
            _ => {
                self.core.counters().add("gossip-unknown-type", 1);
                self.settle(token, Verdict::Ignore).await;
            }
        }
    }

    async fn judge_entry(&self, token: GossipToken, source: PublicKey, content: &[u8]) {
        let entry = match Entry::decode(content) {
            Ok(entry) => entry,
            Err(_) => return self.reject(token, "gossip-malformed").await,
        };
        let Some(Ok(entry)) = self.core.verify(vec![entry]).await.pop() else {
            return self.reject(token, "bad-signature").await;
        };
        if !self.keeps_pace(&entry.header().key) {
            self.core.counters().add("gossip-over-limit", 1);
            return self.settle(token, Verdict::Ignore).await;
        }
        // The charter is asked before the disk is: an entry that it carries can travel on at once.
        let known = self.core.read(|state| state.replica.charter().check(entry.header()).is_ok());
        let mut token = Some(token);
        if known && let Some(token) = token.take() {
            self.settle(token, Verdict::Accept).await;
        }
        let (key, sequence, id) = (entry.header().key, entry.header().sequence, entry.id());
        let held = self.core.read(|state| {
            let log = state.replica.charter().log_of(&key)?.number;
            Some(state.replica.id(log, sequence) == Some(id))
        });
        if let (Some(true), None) = (held, entry.body()) {
            // An announcement of what is here already.
            return;
        }
        let announced = entry.body().is_none();
        let outcome = if announced {
            // Only the header came: the entry is fetched with its body.
            Outcome::Staged
        } else {
            match self.core.ingest(vec![entry]).await {
                Ok(report) => report.outcomes.first().map_or(Outcome::Staged, |(_, outcome)| *outcome),
                Err(_) => return,
            }
        };
        let verdict = match outcome {
            Outcome::Refused(_) => Verdict::Reject,
            Outcome::Ignored(_) => Verdict::Ignore,
            _ => Verdict::Accept,
        };
        if let Some(token) = token.take() {
            self.settle(token, verdict).await;
        }
        match outcome {
            Outcome::Staged => self.sync.after(source, GAP_GRACE),
            Outcome::Diverged | Outcome::Ignored(IgnoreReason::CharterAhead | IgnoreReason::StageFull) => {
                self.sync.now(source);
            }
            _ => {}
        }
    }

    /// Whether the author of an entry is within the charter's limit. Beyond it nobody is to blame: sync brings the rest.
    fn keeps_pace(&self, key: &PublicKey) -> bool {
        let limit = self.core.read(|state| {
            let charter = state.replica.charter();
            Some((charter.log_of(key)?.member, charter.gossip_entries_per_minute()?))
        });
        let Some((member, limit)) = limit else { return true };
        let keeps = self.pace.lock().takes(member, limit, Instant::now());
        if !keeps {
            self.core.note_over_limit(member);
        }
        keeps
    }

    async fn judge_block(&self, token: GossipToken, source: PublicKey, content: &[u8]) {
        let block = match SignedBlock::decode(content) {
            Ok(block) => block,
            // A later build made it: an update is needed here, and nobody is to blame.
            Err(LayoutError::Rule { field: OPERATION_TYPE, .. }) => {
                return self.settle(token, Verdict::Ignore).await;
            }
            Err(_) => return self.reject(token, "gossip-malformed").await,
        };
        match self.core.append_blocks(vec![block]).await {
            Ok(_) => self.settle(token, Verdict::Accept).await,
            Err(BlockError::Charter(CharterError::Gap { .. })) => {
                self.settle(token, Verdict::Ignore).await;
                self.sync.now(source);
            }
            Err(BlockError::Charter(error @ CharterError::Equivocation { .. })) => {
                // Everybody must learn of it.
                tracing::error!(%error, "the registrars contradict themselves");
                self.core.counters().add("charter-equivocation", 1);
                self.settle(token, Verdict::Accept).await;
            }
            // Who follows another branch than the one that is pinned here is not to blame.
            Err(BlockError::Charter(CharterError::Pinned { .. })) => self.settle(token, Verdict::Ignore).await,
            Err(BlockError::Charter(_)) => self.reject(token, "gossip-bad-block").await,
            Err(_) => self.settle(token, Verdict::Ignore).await,
        }
    }

    async fn reject(&self, token: GossipToken, counter: &str) {
        self.core.counters().add(counter, 1);
        self.settle(token, Verdict::Reject).await;
    }

    async fn settle(&self, token: GossipToken, verdict: Verdict) {
        // An error means that the network is shutting down.
        let _ = self.network.report(token, verdict).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_has_its_own_share_of_a_minute() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let (one, other) = (MemberNumber(1), MemberNumber(2));
        assert!(pace.takes(one, 2, now) && pace.takes(one, 2, now) && !pace.takes(one, 2, now));
        assert!(pace.takes(other, 2, now));
        assert!(pace.takes(one, 2, now + PACE_PERIOD));
    }
}
