//! Gossip: new entries, blocks and proofs on their way to everybody (DESIGN 5.1).
//!
//! What is told and how messages are judged is decided in [`protocol::gossip`]; here are the network, the heart of the
//! node, and the bound on what is judged at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::charter::{CharterError, SignedBlock};
use protocol::entry::Entry;
use protocol::gossip::{self, Judgement, Message, Pace, Take};
use protocol::identity::PublicKey;
use protocol::limits::GOSSIP_BYTES_MAX;
use protocol::replica::Outcome;
use tokio::sync::{Semaphore, mpsc};

use crate::core::{BlockError, Core, Event};
use crate::network::{GossipToken, Network, Topic, Verdict};
use crate::sync::SyncHandle;

/// Messages that are being judged at a time.
const JUDGED_AT_A_TIME: usize = 64;

/// Tells the network what this node published, until the heart of the node is gone.
pub async fn publish_events(network: Network, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        let messages: Vec<Vec<u8>> = match event {
            Event::Published(entries) => gossip::published(&entries),
            Event::Charter(blocks) => blocks.iter().map(gossip::of_block).collect(),
            Event::Proofs(proofs) => proofs.iter().map(gossip::of_proof).collect(),
        };
        for message in messages.into_iter().filter(|message| message.len() <= GOSSIP_BYTES_MAX) {
            if let Err(error) = network.publish(Topic::Entries, message).await {
                tracing::debug!(%error, "gossip was not sent");
            }
        }
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
    /// Times of the pace count from here.
    started: Instant,
}

impl Judge {
    /// A judge.
    pub fn new(core: Core, network: Network, sync: SyncHandle) -> Self {
        let places = Arc::new(Semaphore::new(JUDGED_AT_A_TIME));
        Self { core, network, sync, places, pace: Arc::default(), started: Instant::now() }
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
        match gossip::read(bytes, &self.core.federation()) {
            Ok(Message::Entry(entry)) => self.judge_entry(token, source, entry).await,
            Ok(Message::Block(block)) => self.judge_block(token, source, block).await,
            Ok(Message::Proof(proof)) => {
                let is_new = self.core.add_proofs(vec![proof]).await.is_ok_and(|new| !new.is_empty());
                self.settle(token, source, gossip::judge_proof(is_new)).await;
            }
            Err(judged) => self.settle(token, source, judged).await,
        }
    }

    async fn judge_entry(&self, token: GossipToken, source: PublicKey, entry: Entry) {
        let entry = match gossip::verified(self.core.verify(vec![entry]).await.pop()) {
            Ok(entry) => entry,
            Err(judged) => return self.settle(token, source, judged).await,
        };
        // Beyond the author's pace nobody is to blame: sync brings the rest.
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let key = entry.header().key;
        let kept = self.core.read(|state| self.pace.lock().admits(&key, &state.replica, now_ms));
        if let Err((member, judged)) = kept {
            self.core.note_over_limit(member);
            return self.settle(token, source, judged).await;
        }
        // The charter is asked before the disk is: an entry that it carries can travel on at once.
        let plan = self.core.read(|state| gossip::plan(&entry, &state.replica));
        let mut token = Some(token);
        if let Some(verdict) = plan.early
            && let Some(token) = token.take()
        {
            self.report(token, verdict).await;
        }
        let outcome = match plan.take {
            Take::Nothing => return,
            Take::Fetch => Outcome::Staged,
            Take::Insert => match self.core.ingest(vec![entry]).await {
                Ok(report) => report.outcomes.first().map_or(Outcome::Staged, |(_, outcome)| *outcome),
                Err(_) => return,
            },
        };
        let judged = gossip::judge(outcome);
        match token {
            Some(token) => self.settle(token, source, judged).await,
            None => self.follow_up(source, judged),
        }
    }

    async fn judge_block(&self, token: GossipToken, source: PublicKey, block: SignedBlock) {
        let judged = match self.core.append_blocks(vec![block]).await {
            Ok(_) => gossip::judge_block(Ok(())),
            Err(BlockError::Charter(error)) => {
                if matches!(error, CharterError::Equivocation { .. }) {
                    tracing::error!(%error, "the registrars contradict themselves");
                }
                gossip::judge_block(Err(&error))
            }
            // The node is going down.
            Err(_) => return self.report(token, gossip::Verdict::Ignore).await,
        };
        self.settle(token, source, judged).await;
    }

    async fn settle(&self, token: GossipToken, source: PublicKey, judged: Judgement) {
        if let Some(counter) = judged.counter {
            self.core.counters().add(counter, 1);
        }
        self.report(token, judged.verdict).await;
        self.follow_up(source, judged);
    }

    fn follow_up(&self, source: PublicKey, judged: Judgement) {
        if let Some(after_ms) = judged.sync_after_ms {
            self.sync.after(source, Duration::from_millis(after_ms));
        }
    }

    async fn report(&self, token: GossipToken, verdict: gossip::Verdict) {
        let verdict = match verdict {
            gossip::Verdict::Accept => Verdict::Accept,
            gossip::Verdict::Ignore => Verdict::Ignore,
            gossip::Verdict::Reject => Verdict::Reject,
        };
        // An error means that the network is shutting down.
        let _ = self.network.report(token, verdict).await;
    }
}
