//! Beacons of one node: composed as [`crate::beacon::timing`] says, and passed on by [`crate::beacon::relay`].

use super::air::{Air, Parcel};
use super::node::Node;
use super::scenario::Habit;
use crate::beacon::relay::{Message, Pace};
use crate::beacon::timing::{DIFFERENCE_GRACE_MS, heads_max, is_due, lasts_ms, offer_pause_ms, spacing_ms};
use crate::beacon::{Beacon, EXPIRY_MS_MAX, Label};

/// How much more than there is a boaster claims to hold.
const BOAST_ENTRIES: u64 = 1_000_000;
/// How far ahead of its time a member of the far future is.
const FUTURE_MS: u64 = 10 * 365 * 86_400_000;

impl Node {
    /// Sends what is due.
    pub(super) fn tick_beacons(&mut self, air: &mut Air) {
        let interval_ms = air.scenario.beacon_interval_ms;
        let Some(running) = self.running.as_deref_mut() else { return };
        let members = running.replica.charter().members().len();
        // What was said once may have been overtaken on its way.
        running.changed |= running.telling.waits();
        let waited_ms = running.last_beacon_ms.map(|last_ms| air.now_ms - last_ms);
        if is_due(waited_ms, running.changed, members, interval_ms) {
            running.last_beacon_ms = Some(air.now_ms);
            running.changed = false;
            running.beacons += 1;
            self.send_beacon(members, air);
        }
        let Some(running) = self.running.as_deref_mut() else { return };
        if air.now_ms < running.next_offer_ms {
            return;
        }
        let pause_ms = offer_pause_ms(members);
        running.next_offer_ms = air.now_ms + pause_ms / 2 + pause_ms * air.random.u64(0..256) / 256;
        let pace = Pace { senders: members as u64, spacing_ms: spacing_ms(members, interval_ms) };
        running.relay.pace(pace);
        let due = running.relay.due(air.now_ms);
        for (peer, message) in due {
            if let Some(peer) = air.indices.get(&peer).copied() {
                air.send(self.index, peer, Parcel::Relay(message.encode()));
            }
        }
    }

    fn send_beacon(&mut self, members: usize, air: &mut Air) {
        let interval_ms = air.scenario.beacon_interval_ms;
        let ahead_ms = if self.has(Habit::Future) { FUTURE_MS } else { 0 };
        let boast = if self.has(Habit::Boast) { BOAST_ENTRIES } else { 0 };
        let wall_ms = air.wall_ms(self.skew_ms) + ahead_ms;
        let Some(running) = self.running.as_deref_mut() else { return };
        let condition = running.watch.condition(&running.replica);
        let (digest, lengths) = running.heads().clone();
        let beacon = Beacon {
            transport: self.transport,
            boot_ms: running.boot_ms + ahead_ms,
            counter: running.beacons,
            expires_ms: wall_ms.saturating_add(lasts_ms(interval_ms)),
            interval_seconds: u32::try_from(interval_ms / 1_000).unwrap_or(u32::MAX),
            condition,
            charter_version: running.replica.charter().version(),
            digest,
            entries: lengths.values().sum::<u64>() + boast,
            heads: running.telling.next(&lengths, heads_max(members)),
        };
        let bytes = beacon.sign(&self.organisation.transport, &air.federation);
        let kept = Beacon { expires_ms: air.now_ms.saturating_add(lasts_ms(interval_ms)), ..beacon };
        running.relay.keep(None, &kept, &bytes, 0, air.now_ms);
    }

    /// A frame of the exchange arrives.
    pub(super) fn relay(&mut self, from: usize, bytes: &[u8], air: &mut Air) {
        let Some(running) = self.running.as_deref_mut().filter(|running| running.linked.contains(&from)) else {
            return;
        };
        let peer = air.transports[from];
        let Ok(message) = Message::decode(bytes) else {
            air.tell(super::fact::Fact::Blamed {
                member: self.index,
                peer: from,
                why: "a bad frame of beacons".into(),
            });
            return;
        };
        match message {
            Message::Offer(ids) => {
                let wanted = running.relay.offer(&peer, &ids, air.now_ms);
                if !wanted.is_empty() {
                    air.send(self.index, from, Parcel::Relay(Message::Want(wanted).encode()));
                }
            }
            Message::Want(ids) => {
                for message in Message::carrying(running.relay.want(&peer, &ids)) {
                    air.send(self.index, from, Parcel::Relay(message.encode()));
                }
            }
            Message::Beacons(beacons) => {
                for bytes in beacons {
                    let expected = self.running.as_mut().is_some_and(|running| running.relay.expects(&peer, &bytes));
                    if expected && !self.take_beacon(from, &bytes, air) {
                        let why = "what is no beacon".into();
                        air.tell(super::fact::Fact::Blamed { member: self.index, peer: from, why });
                        return;
                    }
                }
            }
            Message::Greet { .. } | Message::Ask { .. } | Message::Tell { .. } => {}
        }
    }

    /// Judges a beacon. Says whether it is one.
    fn take_beacon(&mut self, from: usize, bytes: &[u8], air: &mut Air) -> bool {
        let Ok(label) = Label::read(bytes) else { return false };
        let (own, now_ms, wall_ms) = (label.transport == self.transport, air.now_ms, air.wall_ms(self.skew_ms));
        let Some(running) = self.running.as_deref_mut() else { return true };
        if !own && !running.relay.admits(&label, now_ms) {
            return true;
        }
        let Ok(beacon) = air.library.beacon(bytes, &air.federation) else { return false };
        let charter = running.replica.charter();
        let member = charter.holder(&beacon.transport, crate::charter::Purpose::Transport);
        let spacing_ms = spacing_ms(charter.members().len(), air.scenario.beacon_interval_ms);
        let Some(member) = member.filter(|_| beacon.is_timely(wall_ms, wall_ms)) else { return true };
        let lasts_ms = beacon.expires_ms.saturating_sub(wall_ms).min(EXPIRY_MS_MAX);
        let kept = Beacon { expires_ms: now_ms.saturating_add(lasts_ms), ..(*beacon).clone() };
        if !running.relay.keep(Some(&air.transports[from]), &kept, bytes, spacing_ms, now_ms) {
            return true;
        }
        let agrees = beacon.digest == running.heads().0;
        if !agrees {
            running.agenda.want(air.transports[from], now_ms + DIFFERENCE_GRACE_MS);
        }
        if !own {
            running.watch.heard(member, &beacon, agrees, now_ms);
        }
        true
    }

    /// Forgets beacons that expired and members that lost their right.
    pub(super) fn expire_beacons(&mut self, air: &mut Air) {
        if let Some(running) = &mut self.running {
            let live = running.replica.charter().transport_keys();
            running.relay.expire(air.now_ms, |key| live.contains_key(key));
        }
    }
}
