//! Calls by gossip, on a topic of their own: they reach another process wherever in the federation it is connected.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use protocol::charter::Purpose;
use protocol::identity::PublicKey;

use super::{Call, Twins, Window};
use crate::network::{GossipToken, Topic, Verdict};

/// How long a window lasts in which calls are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// Calls of one key that are forwarded in a window.
const FORWARDED_MAX: u32 = 6;
/// Calls that this node sends in a window.
const SENT_MAX: u32 = 4;

/// How many calls went through lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Members only, so it stays as small as the charter.
    forwarded: BTreeMap<PublicKey, Window>,
    sent: Option<Window>,
}

impl Pace {
    fn forwards(&mut self, key: PublicKey, now: Instant) -> bool {
        self.forwarded.retain(|_, window| now.saturating_duration_since(window.since) < WINDOW);
        let window = self.forwarded.entry(key).or_insert(Window { since: now, count: 0 });
        window.admits(now, WINDOW, FORWARDED_MAX)
    }

    fn sends(&mut self, now: Instant) -> bool {
        self.sent.get_or_insert(Window { since: now, count: 0 }).admits(now, WINDOW, SENT_MAX)
    }
}

impl Twins {
    /// Takes a call that came by gossip.
    pub async fn take(&self, token: GossipToken, bytes: &[u8]) {
        let Ok(call) = Call::decode(bytes, &self.core.federation()) else {
            self.core.counters().add("call-bad", 1);
            let _ = self.network.report(token, Verdict::Reject).await;
            return;
        };
        let holder = self.core.read(|state| state.replica.charter().holder(&call.transport, Purpose::Transport));
        // A key whose admission has not arrived here, or too many calls: nobody is to blame.
        let forward = holder.is_some() && self.pace.lock().forwards(call.transport, Instant::now());
        let verdict = if forward { Verdict::Accept } else { Verdict::Ignore };
        let _ = self.network.report(token, verdict).await;
        if let Some(answer) = self.hear(&call).filter(|_| forward) {
            self.send(answer).await;
        }
    }

    /// Asks whether another process uses this node's keys: something was heard that this one did not say.
    pub async fn suspect(&self) {
        self.core.counters().add("twins-suspected", 1);
        self.call_out().await;
    }

    /// Calls whoever else may use this node's keys.
    pub async fn call_out(&self) {
        self.send(self.call([0; 16])).await;
    }

    async fn send(&self, call: Vec<u8>) {
        if !self.pace.lock().sends(Instant::now()) {
            return;
        }
        if let Err(error) = self.network.publish(Topic::Calls, call).await {
            tracing::debug!(%error, "the call was not sent");
        }
    }
}
