//! How beacons travel: each node offers what is new to a few partners, and hands over what they ask for.
//!
//! A flood would bring each beacon to each node several times; eight hundred nodes would pay five times their budget. An
//! offer is eight bytes, so that each node takes in every beacon once and passes it on about once. [`Relay`] is a state
//! machine without I/O: partners come and go by [`Relay::link`] and [`Relay::unlink`], messages by [`Relay::offer`],
//! [`Relay::want`] and [`Relay::expects`], beacons that were judged by [`Relay::keep`], and [`Relay::due`] says what is
//! to be sent now. Nothing here decides whose beacon counts: the caller verifies each before it is kept.
//!
//! Work that others cause is bounded by [`Pace`]: what a partner may make this node ask for, and how many beacons of one
//! sender are verified ([`Relay::admits`]). What was offered to a partner is handed to it once.

mod message;
mod pace;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Beacon, Label};
use crate::identity::PublicKey;
use crate::limits::{RELAY_IDS_MAX, RELAY_WANTED_MAX};

pub use message::Message;
use pace::Bucket;
pub use pace::{BURST, PARTNER_BURST, PARTNER_MARGIN, PARTNER_PAUSE_MS, Pace, VERIFIED_PAUSE_MS};

/// How long a partner has to hand over what was asked of it, before another is asked.
pub const ANSWER_MS: u64 = 10_000;

/// The beginning of a beacon's hash, by which partners speak of it. Two that collide shadow one another until the next
/// interval; nothing else depends on it.
pub type ShortId = [u8; 8];

/// The short id of a signed beacon.
pub fn short_id(bytes: &[u8]) -> ShortId {
    let mut id = [0; 8];
    id.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    id
}

#[derive(Debug)]
struct Held {
    id: ShortId,
    bytes: Arc<[u8]>,
    boot_ms: u64,
    counter: u64,
    expires_ms: u64,
    /// When it may be offered: a sender that speaks too often is passed on at the common pace.
    offered_from_ms: u64,
    /// What was verified of its sender lately.
    verified: Bucket,
}

#[derive(Debug, Default)]
struct Partner {
    /// What it was not offered yet, and does not have as far as is known.
    pending: BTreeSet<ShortId>,
    /// What it was offered and has not been handed.
    offered: BTreeSet<ShortId>,
    /// What it has and somebody else was asked for, as long as that one is asked.
    has: BTreeSet<ShortId>,
    /// How many of its beacons are awaited.
    awaited: usize,
    /// What it made this node ask for, in microseconds: the pauses of a whole federation are short.
    asked: Bucket,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    of: PublicKey,
    until_ms: u64,
}

/// The newest beacon of each node, and which partner knows which.
#[derive(Debug, Default)]
pub struct Relay {
    held: BTreeMap<PublicKey, Held>,
    keys: BTreeMap<ShortId, PublicKey>,
    partners: BTreeMap<PublicKey, Partner>,
    asked: BTreeMap<ShortId, Asked>,
    pace: Pace,
}

impl Relay {
    /// From now on this pace counts.
    pub fn pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// A partner is there: it is to be offered everything.
    pub fn link(&mut self, peer: PublicKey) {
        let pending = self.keys.keys().copied().collect();
        self.partners.insert(peer, Partner { pending, ..Partner::default() });
    }

    /// A partner is gone; whoever else has what it was asked for is asked soon.
    pub fn unlink(&mut self, peer: &PublicKey) {
        self.partners.remove(peer);
        self.asked.values_mut().filter(|asked| asked.of == *peer).for_each(|asked| asked.until_ms = 0);
    }

    /// Whether a beacon outranks what is held of its sender.
    pub fn is_newest(&self, beacon: &Beacon) -> bool {
        let Beacon { transport, boot_ms, counter, .. } = *beacon;
        self.outranks(&Label { transport, boot_ms, counter })
    }

    fn outranks(&self, label: &Label) -> bool {
        let held = self.held.get(&label.transport);
        held.is_none_or(|held| (label.boot_ms, label.counter) > (held.boot_ms, held.counter))
    }

    /// Whether a beacon with this label is worth verifying: it outranks what is held, and its sender does not go far
    /// beyond its pace. Only what was verified counts against a sender, so that nobody uses up the pace of another.
    pub fn admits(&self, label: &Label, now_ms: u64) -> bool {
        let held = self.held.get(&label.transport);
        let pause_ms = self.pace.spacing_ms.min(VERIFIED_PAUSE_MS);
        let paced = held.is_none_or(|held| held.verified.has(BURST, pause_ms, now_ms));
        self.outranks(label) && paced
    }

    /// Keeps a beacon that was judged, and will offer it to every partner but the one from which it came. Beacons of one
    /// sender are offered `spacing_ms` apart at least. Says whether it was news.
    pub fn keep(
        &mut self,
        from: Option<&PublicKey>,
        beacon: &Beacon,
        bytes: &[u8],
        spacing_ms: u64,
        now_ms: u64,
    ) -> bool {
        if !self.is_newest(beacon) {
            return false;
        }
        let id = short_id(bytes);
        let before = self.held.get(&beacon.transport).map(|held| (held.id, held.offered_from_ms, held.verified));
        if let Some((former, ..)) = before {
            self.forget_id(&former);
        }
        let offered_from_ms = match before {
            None => now_ms,
            // The one before was not offered yet: this one takes its place, and its time, or who beacons faster than the
            // spacing would never be passed on.
            Some((_, from_ms, _)) if from_ms > now_ms => from_ms,
            Some((_, from_ms, _)) => now_ms.max(from_ms.saturating_add(spacing_ms)),
        };
        let mut verified = before.map(|(.., verified)| verified).unwrap_or_default();
        verified.take(self.pace.spacing_ms.min(VERIFIED_PAUSE_MS), now_ms);
        let Beacon { boot_ms, counter, expires_ms, .. } = *beacon;
        let held = Held { id, bytes: bytes.into(), boot_ms, counter, expires_ms, offered_from_ms, verified };
        self.held.insert(beacon.transport, held);
        self.keys.insert(id, beacon.transport);
        self.settled(&id);
        for (peer, partner) in &mut self.partners {
            if Some(peer) != from {
                partner.pending.insert(id);
            }
        }
        true
    }

    /// A partner offers these. What is to be asked of it; what goes beyond its pace is passed over.
    pub fn offer(&mut self, peer: &PublicKey, ids: &[ShortId], now_ms: u64) -> Vec<ShortId> {
        let Some(partner) = self.partners.get_mut(peer) else { return Vec::new() };
        let Pace { senders, spacing_ms } = self.pace;
        let burst = senders.saturating_mul(PARTNER_MARGIN).max(PARTNER_BURST);
        let pause_us =
            spacing_ms.min(PARTNER_PAUSE_MS).saturating_mul(1_000) / senders.max(1).saturating_mul(PARTNER_MARGIN);
        let now_us = now_ms.saturating_mul(1_000);
        let mut wanted = Vec::new();
        for id in ids {
            if self.keys.contains_key(id) {
                partner.pending.remove(id);
            } else if self.asked.contains_key(id) {
                if partner.has.len() < RELAY_WANTED_MAX {
                    partner.has.insert(*id);
                }
            } else if partner.awaited < RELAY_WANTED_MAX && partner.asked.has(burst, pause_us, now_us) {
                partner.awaited += 1;
                partner.asked.take(pause_us, now_us);
                self.asked.insert(*id, Asked { of: *peer, until_ms: now_ms.saturating_add(ANSWER_MS) });
                wanted.push(*id);
            }
        }
        wanted
    }

    /// A partner wants these. What is held of them and was offered to it; it gets each once.
    pub fn want(&mut self, peer: &PublicKey, ids: &[ShortId]) -> Vec<Arc<[u8]>> {
        let Some(partner) = self.partners.get_mut(peer) else { return Vec::new() };
        let offered = ids.iter().filter(|id| partner.offered.remove(*id));
        offered.filter_map(|id| Some(self.held.get(self.keys.get(id)?)?.bytes.clone())).collect()
    }

    /// Whether these bytes were asked of that partner; they are awaited no longer.
    pub fn expects(&mut self, peer: &PublicKey, bytes: &[u8]) -> bool {
        let id = short_id(bytes);
        let expected = self.asked.get(&id).is_some_and(|asked| asked.of == *peer);
        if expected {
            self.settled(&id);
        }
        expected
    }

    /// What is to be sent now: offers of what is new, and requests for what others did not hand over.
    pub fn due(&mut self, now_ms: u64) -> Vec<(PublicKey, Message)> {
        let mut out = self.again(now_ms);
        for (peer, partner) in &mut self.partners {
            let ready = |id: &ShortId| {
                let held = self.keys.get(id).and_then(|key| self.held.get(key));
                held.is_some_and(|held| held.offered_from_ms <= now_ms && held.expires_ms > now_ms)
            };
            let offered: Vec<ShortId> = partner.pending.iter().filter(|id| ready(id)).copied().collect();
            offered.iter().for_each(|id| {
                partner.pending.remove(id);
                partner.offered.insert(*id);
            });
            out.extend(offered.chunks(RELAY_IDS_MAX).map(|ids| (*peer, Message::Offer(ids.to_vec()))));
        }
        out
    }

    /// Asks others for what was not handed over in time; what nobody else has is forgotten.
    fn again(&mut self, now_ms: u64) -> Vec<(PublicKey, Message)> {
        let late = self.asked.iter().filter(|(_, asked)| asked.until_ms <= now_ms).map(|(id, _)| *id);
        let late: Vec<ShortId> = late.collect();
        let mut wanted: BTreeMap<PublicKey, Vec<ShortId>> = BTreeMap::new();
        for id in late {
            self.answered(&id);
            let other = self
                .partners
                .iter_mut()
                .find(|(_, partner)| partner.has.contains(&id) && partner.awaited < RELAY_WANTED_MAX);
            if let Some((peer, partner)) = other {
                partner.has.remove(&id);
                partner.awaited += 1;
                self.asked.insert(id, Asked { of: *peer, until_ms: now_ms.saturating_add(ANSWER_MS) });
                wanted.entry(*peer).or_default().push(id);
            } else {
                self.settled(&id);
            }
        }
        let messages = wanted.into_iter().flat_map(|(peer, ids)| {
            let chunks: Vec<Message> = ids.chunks(RELAY_IDS_MAX).map(|ids| Message::Want(ids.to_vec())).collect();
            chunks.into_iter().map(move |message| (peer, message))
        });
        messages.collect()
    }

    /// Forgets what has expired and whoever lost its right.
    pub fn expire(&mut self, now_ms: u64, holds_right: impl Fn(&PublicKey) -> bool) {
        let gone = self.held.iter().filter(|(key, held)| held.expires_ms <= now_ms || !holds_right(key));
        let gone: Vec<(PublicKey, ShortId)> = gone.map(|(key, held)| (*key, held.id)).collect();
        for (key, id) in gone {
            self.held.remove(&key);
            self.forget_id(&id);
        }
    }

    /// Forgets the beacon of a node: the next one counts, whatever it says of its start.
    pub fn forget(&mut self, key: &PublicKey) {
        if let Some(held) = self.held.remove(key) {
            self.forget_id(&held.id);
        }
    }

    /// How many beacons are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn forget_id(&mut self, id: &ShortId) {
        self.keys.remove(id);
        self.partners.values_mut().for_each(|partner| {
            partner.pending.remove(id);
            partner.offered.remove(id);
        });
    }

    /// Nobody is asked for it any more, and who else has it does not matter.
    fn settled(&mut self, id: &ShortId) {
        self.answered(id);
        self.partners.values_mut().for_each(|partner| {
            partner.has.remove(id);
        });
    }

    fn answered(&mut self, id: &ShortId) {
        if let Some(asked) = self.asked.remove(id)
            && let Some(partner) = self.partners.get_mut(&asked.of)
        {
            partner.awaited = partner.awaited.saturating_sub(1);
        }
    }
}
