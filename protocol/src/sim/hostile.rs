//! Members that break the rules on purpose. They run the same node, and misbehave at its edges.

use std::sync::Arc;

use super::air::{Air, Parcel, Told};
use super::fact::Fact;
use super::node::Node;
use super::scenario::Habit;
use crate::bytes::{Reader, put_varint, read_varint};
use crate::charter::LogNumber;
use crate::durable::{Group, chain};
use crate::entry::{Draft, Entry, Header, VerifiedEntry};
use crate::gossip;
use crate::identity::{EntryId, FrontierDigest, Signature};
use crate::sync::message::Message;
use serde_bytes::ByteBuf;

/// Entries of a liar's heads that do not exist.
const LIE_ENTRIES: u64 = 1_000;
/// Messages of a flood at a time.
const FLOOD_MESSAGES: usize = 40;
/// Messages that a replayer keeps.
const LOOT_MAX: usize = 200;
/// How far in the future entries of the future are.
const FUTURE_MS: u64 = 10 * 365 * 86_400_000;
/// The kind of what hostile members sign.
const KIND: u16 = 102;

impl Node {
    /// A replayer remembers what it hears.
    pub(super) fn keep_for_replay(&mut self, told: &Arc<Told>) {
        if self.has(Habit::Replay) && self.loot.len() < LOOT_MAX {
            self.loot.push_back(Arc::clone(told));
        }
    }

    /// One misdeed for each habit.
    pub(super) fn misbehave(&mut self, air: &mut Air) {
        for habit in self.habits.clone() {
            if self.running.is_none() {
                return;
            }
            match habit {
                Habit::Fork => self.fork(air),
                Habit::Flood => self.flood(air),
                Habit::BadSignature => self.forge(air, "its signature does not verify", |_| {}, true),
                Habit::Future => self.sign_ahead(air),
                Habit::Replay => self.replay(air),
                Habit::CharterAhead => {
                    self.forge(air, "its charter version does not exist", |header| header.charter += 1_000, false);
                }
                Habit::Orphan => self.forge(air, "its predecessor does not exist", orphan, false),
                Habit::Unsealed => self.sign_above_seal(air),
                Habit::Withhold | Habit::LyingHeads | Habit::Boast => {}
            }
        }
    }

    fn draft(air: &mut Air, bytes: usize) -> Draft {
        let mut body = vec![0; bytes];
        air.random.fill(&mut body);
        Draft { kind: KIND, body }
    }

    /// The header that its next entry would have, and the body.
    fn next_header(&self, air: &mut Air) -> Option<(LogNumber, Header, Arc<[u8]>)> {
        let replica = self.replica()?;
        let log = replica.charter().log_of(&self.key)?.number;
        let draft = Self::draft(air, 64);
        let (header, body) = chain(vec![draft], self.key, log, replica, air.wall_ms(0)).pop()?;
        Some((log, header, body))
    }

    fn sign(&self, header: Header, body: Arc<[u8]>, air: &Air) -> Option<Arc<VerifiedEntry>> {
        VerifiedEntry::sign(&self.organisation.signing, &air.federation, header, body).ok().map(Arc::new)
    }

    /// Two entries for one place: one half of the neighbours is told this, the other half that.
    fn fork(&mut self, air: &mut Air) {
        let forked = self.replica().is_some_and(|replica| replica.fork_of(&self.key).is_some());
        let pair = [self.next_header(air), self.next_header(air)];
        let [Some((_, one, first)), Some((_, other, second))] = pair else { return };
        let (Some(one), Some(other)) = (self.sign(one, first, air), self.sign(other, second, air)) else { return };
        if forked {
            return;
        }
        if self.running.as_ref().is_some_and(|running| running.linked.len() > 1) {
            air.tell(Fact::Forked { member: self.index });
        }
        let Some(running) = self.running.as_deref_mut() else { return };
        let mut group = Group::<()>::default();
        group.publish(&[Arc::clone(&one)], &mut running.replica, &self.disk);
        let disk = &mut self.disk;
        if group.commit(|own, changes| disk.commit(own, changes)).is_err() {
            return self.stop(air);
        }
        let told = [Told::new(gossip::of_entry(&one)), Told::new(gossip::of_entry(&other))];
        let linked: Vec<usize> = self.running.iter().flat_map(|running| running.linked.iter().copied()).collect();
        for (place, peer) in linked.into_iter().enumerate() {
            air.gossip(self.index, peer, &told[place % 2]);
        }
    }

    /// Junk, and true entries faster than anybody may send them.
    fn flood(&mut self, air: &mut Air) {
        for number in 0..FLOOD_MESSAGES {
            let length = air.random.usize(0..400);
            let mut bytes = vec![0; length];
            air.random.fill(&mut bytes);
            if let Some(first) = bytes.first_mut() {
                *first = (number % 6) as u8;
            }
            self.tell_all(Told::new(bytes), air);
        }
        let drafts = (0..FLOOD_MESSAGES / 2).map(|_| Self::draft(air, 40)).collect();
        self.publish(drafts, air);
    }

    fn tell_all(&mut self, told: Arc<Told>, air: &mut Air) {
        let linked: Vec<usize> = self.running.iter().flat_map(|running| running.linked.iter().copied()).collect();
        linked.into_iter().for_each(|peer| air.gossip(self.index, peer, &told));
    }

    /// An entry that must never count, sent as if it were good.
    fn forge(&mut self, air: &mut Air, why: &'static str, change: impl Fn(&mut Header), corrupts: bool) {
        let Some((_, mut header, body)) = self.next_header(air) else { return };
        change(&mut header);
        let Some(entry) = self.sign(header, body, air) else { return };
        let entry = if corrupts { corrupt(&entry) } else { entry };
        let told = Told::new(gossip::of_entry(&entry));
        air.tell(Fact::Forged { id: entry.id(), why, message: corrupts.then_some(told.id) });
        self.tell_all(told, air);
    }

    /// Good entries that claim to be of the far future: they count, and are shown when their time has come.
    fn sign_ahead(&mut self, air: &mut Air) {
        let Some((_, mut header, body)) = self.next_header(air) else { return };
        header.time_ms += FUTURE_MS;
        let Some(entry) = self.sign(header, body, air) else { return };
        self.keep_own(&entry, air);
    }

    /// Entries of a sealed key, as if nothing had happened.
    fn sign_above_seal(&mut self, air: &mut Air) {
        let sealed = self.replica().and_then(|replica| replica.charter().log_of(&self.key)?.seal);
        if sealed.is_some() {
            self.forge(air, "it lies above the seal of its key", |_| {}, false);
        }
    }

    fn keep_own(&mut self, entry: &Arc<VerifiedEntry>, air: &mut Air) {
        let ready = self.running.as_deref_mut().filter(|running| running.signing_ready);
        let Some(running) = ready.filter(|running| running.replica.fork_of(&self.key).is_none()) else { return };
        air.library.add(entry);
        let mut group = Group::<()>::default();
        group.publish(std::slice::from_ref(entry), &mut running.replica, &self.disk);
        let disk = &mut self.disk;
        if group.commit(|own, changes| disk.commit(own, changes)).is_err() {
            return self.stop(air);
        }
        self.spread(Told::new(gossip::of_entry(entry)), None, air);
    }

    /// What was said once is said again: messages of gossip, and frames of beacons that mean nothing any more.
    fn replay(&mut self, air: &mut Air) {
        for _ in 0..LOOT_MAX / 10 {
            let Some(told) = self.loot.pop_front() else { return };
            self.tell_all(Arc::clone(&told), air);
            let linked: Vec<usize> = self.running.iter().flat_map(|running| running.linked.iter().copied()).collect();
            if let Some(peer) = linked.first() {
                let frame = crate::beacon::relay::Message::Beacons(vec![told.bytes.clone()]);
                air.send(self.index, *peer, Parcel::Relay(frame.encode()));
            }
            self.loot.push_back(told);
        }
    }
}

fn orphan(header: &mut Header) {
    header.sequence += 1;
    header.previous = EntryId([7; 32]);
}

/// The same entry with a signature that does not verify.
pub(super) fn corrupt(entry: &VerifiedEntry) -> Arc<VerifiedEntry> {
    let mut signature = *entry.signature().as_bytes();
    signature[0] ^= 1;
    let corrupted = Entry::new(entry.header().clone(), Signature(signature), entry.body().cloned());
    let corrupted = corrupted.unwrap_or_else(|_| (**entry).clone());
    Arc::new(VerifiedEntry::trust_stored(corrupted))
}

/// Heads as a liar sends them: every log is longer than it is, and the hello names a state that nobody has.
pub(super) fn lie(message: Message, random: &mut fastrand::Rng) -> Message {
    match message {
        Message::Hello(mut hello) => {
            let mut digest = [0; 32];
            random.fill(&mut digest);
            hello.digest = FrontierDigest(digest);
            Message::Hello(hello)
        }
        Message::Heads { heads, proofs, rival } => {
            let lied = lengthen(&heads, random).unwrap_or_else(|| heads.to_vec());
            Message::Heads { heads: ByteBuf::from(lied), proofs, rival }
        }
        other => other,
    }
}

fn lengthen(heads: &[u8], random: &mut fastrand::Rng) -> Option<Vec<u8>> {
    let mut reader = Reader::new(heads);
    let count = read_varint(&mut reader, "count").ok()?;
    let mut out = Vec::new();
    put_varint(&mut out, count);
    for _ in 0..count {
        put_varint(&mut out, read_varint(&mut reader, "log").ok()?);
        put_varint(&mut out, read_varint(&mut reader, "length").ok()?.saturating_add(LIE_ENTRIES));
        let mut short = reader.array::<8>("short id").ok()?;
        random.fill(&mut short);
        out.extend_from_slice(&short);
    }
    Some(out)
}
