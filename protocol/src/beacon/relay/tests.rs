//! Every beacon reaches everybody once, and nobody makes another work without bound.

use ed25519_dalek::SigningKey;

use super::*;
use crate::beacon::Condition;
use crate::identity::{FederationId, FrontierDigest, public_key};

const FEDERATION: FederationId = FederationId([9; 32]);
const NOW: u64 = 1_000_000;

fn beacon(seed: u8, counter: u64) -> (Beacon, Vec<u8>) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let beacon = Beacon {
        transport: public_key(&key),
        boot_ms: 1,
        counter,
        expires_ms: NOW + 600_000,
        interval_seconds: 600,
        condition: Condition::default(),
        charter_version: 1,
        digest: FrontierDigest([1; 32]),
        entries: 1,
        heads: BTreeMap::new(),
    };
    let bytes = beacon.sign(&key, &FEDERATION);
    (beacon, bytes)
}

fn peer(number: u8) -> PublicKey {
    PublicKey([number; 32])
}

/// Hands messages about until nobody has any more; how many bytes of beacons each took in.
fn settle(relays: &mut [Relay], now_ms: u64) -> Vec<usize> {
    let mut taken = vec![0; relays.len()];
    loop {
        let mut mail: Vec<(usize, usize, Message)> = Vec::new();
        for (from, relay) in relays.iter_mut().enumerate() {
            mail.extend(relay.due(now_ms).into_iter().map(|(to, message)| (from, usize::from(to.0[0]), message)));
        }
        if mail.is_empty() {
            return taken;
        }
        while let Some((from, to, message)) = mail.pop() {
            let message = Message::decode(&message.encode()).expect("it was just encoded");
            match message {
                Message::Offer(ids) => {
                    let wanted = relays[to].offer(&peer(from as u8), &ids, now_ms);
                    mail.extend((!wanted.is_empty()).then_some((to, from, Message::Want(wanted))));
                }
                Message::Want(ids) => {
                    let beacons = relays[to].want(&peer(from as u8), &ids);
                    mail.extend(Message::carrying(beacons).into_iter().map(|message| (to, from, message)));
                }
                Message::Beacons(beacons) => {
                    for bytes in beacons {
                        taken[to] += bytes.len();
                        assert!(relays[to].expects(&peer(from as u8), &bytes));
                        let beacon = Beacon::decode(&bytes, &FEDERATION).expect("it is sound");
                        relays[to].keep(Some(&peer(from as u8)), &beacon, &bytes, 0, now_ms);
                    }
                }
                _ => unreachable!("nobody greets or asks here"),
            }
        }
    }
}

fn ring(count: usize) -> Vec<Relay> {
    let mut relays: Vec<Relay> = (0..count).map(|_| Relay::default()).collect();
    for (index, relay) in relays.iter_mut().enumerate() {
        for other in
            [(index + 1) % count, (index + count - 1) % count, (index + 3) % count, (index + count - 3) % count]
        {
            relay.link(peer(other as u8));
        }
    }
    relays
}

#[test]
fn every_beacon_reaches_every_node_once() {
    let mut relays = ring(12);
    let mut all = 0;
    for seed in 0..12_u8 {
        let (beacon, bytes) = beacon(seed + 1, 1);
        all += bytes.len();
        assert!(relays[usize::from(seed)].keep(None, &beacon, &bytes, 0, NOW));
    }
    let taken = settle(&mut relays, NOW);
    let own = beacon(1, 1).1.len();
    assert!(taken.iter().all(|bytes| *bytes == all - own), "{taken:?}");
    assert!(relays.iter().all(|relay| relay.len() == 12));
}

#[test]
fn the_newest_counts_and_a_chatterbox_is_passed_on_at_the_common_pace() {
    let mut relay = Relay::default();
    relay.link(peer(7));
    let (first, first_bytes) = beacon(1, 1);
    let (second, second_bytes) = beacon(1, 2);
    assert!(relay.keep(None, &first, &first_bytes, 500, NOW));
    assert_eq!(relay.due(NOW), [(peer(7), Message::Offer(vec![short_id(&first_bytes)]))]);
    assert!(relay.keep(None, &second, &second_bytes, 500, NOW + 1));
    assert!(!relay.keep(None, &first, &first_bytes, 500, NOW + 2), "it is older");
    assert_eq!(relay.due(NOW + 499), []);
    assert_eq!(relay.due(NOW + 500), [(peer(7), Message::Offer(vec![short_id(&second_bytes)]))]);
    assert_eq!(relay.want(&peer(7), &[short_id(&first_bytes)]).len(), 0, "the former one is gone");
}

#[test]
fn whoever_does_not_hand_over_is_passed_by_and_what_nobody_asked_for_is_not_expected() {
    let mut relay = Relay::default();
    relay.link(peer(1));
    relay.link(peer(2));
    let (_, bytes) = beacon(1, 1);
    let id = short_id(&bytes);
    assert_eq!(relay.offer(&peer(1), &[id], NOW), [id]);
    assert_eq!(relay.offer(&peer(2), &[id], NOW), [] as [ShortId; 0], "one is enough");
    assert!(!relay.expects(&peer(2), &bytes), "it was asked of another");
    assert_eq!(relay.due(NOW + ANSWER_MS), [(peer(2), Message::Want(vec![id]))]);
    relay.unlink(&peer(2));
    assert_eq!(relay.due(NOW + ANSWER_MS), [], "nobody else has it");
    assert_eq!(relay.offer(&peer(1), &[id], NOW + ANSWER_MS), [id], "it may be offered again");
    assert!(relay.expects(&peer(1), &bytes) && !relay.expects(&peer(1), &bytes));
}

#[test]
fn what_a_partner_invents_is_bounded_and_forgotten() {
    let mut relay = Relay::default();
    relay.link(peer(1));
    let invented: Vec<ShortId> = (0..RELAY_WANTED_MAX as u64 + 500).map(|number| number.to_le_bytes()).collect();
    assert_eq!(relay.offer(&peer(1), &invented, NOW).len(), RELAY_WANTED_MAX);
    assert_eq!(relay.due(NOW + ANSWER_MS), []);
    assert!(relay.asked.is_empty() && relay.partners[&peer(1)].awaited == 0);
}

#[test]
fn who_else_had_a_beacon_is_forgotten_with_the_question() {
    let mut relay = Relay::default();
    (1..=3).for_each(|number| relay.link(peer(number)));
    let (_, bytes) = beacon(1, 1);
    let handed = short_id(&bytes);
    let invented: Vec<ShortId> = (1..=100_u64).map(|number| number.to_le_bytes()).chain([handed]).collect();
    (1..=3).for_each(|number| {
        relay.offer(&peer(number), &invented, NOW);
    });
    assert_eq!(relay.partners[&peer(2)].has.len(), invented.len());
    // It is handed over, and nothing that counts.
    assert!(relay.expects(&peer(1), &bytes));
    assert!(relay.partners.values().all(|partner| !partner.has.contains(&handed)));
    relay.unlink(&peer(1));
    for late in 1..=4 {
        relay.due(NOW + late * ANSWER_MS);
    }
    assert!(relay.asked.is_empty() && relay.partners.values().all(|partner| partner.has.is_empty()));
}

#[test]
fn a_partner_gets_what_it_was_offered_and_that_once() {
    let mut relay = Relay::default();
    let (beacon, bytes) = beacon(1, 1);
    let id = short_id(&bytes);
    relay.keep(None, &beacon, &bytes, 0, NOW);
    relay.link(peer(7));
    assert_eq!(relay.want(&peer(7), &[id]).len(), 0, "it was not offered");
    relay.due(NOW);
    assert_eq!(relay.want(&peer(7), &[id, id]).len(), 1);
    assert_eq!(relay.want(&peer(7), &[id]).len(), 0);
    relay.unlink(&peer(7));
    relay.link(peer(7));
    relay.due(NOW);
    assert_eq!(relay.want(&peer(7), &[id]).len(), 1, "it came back and may have started again");
}

#[test]
fn a_sender_that_floods_is_not_verified_beyond_its_pace() {
    let mut relay = Relay::default();
    relay.pace(Pace { senders: 5, spacing_ms: 100 });
    let label = |counter: u64| Label { transport: beacon(1, 1).0.transport, boot_ms: 1, counter };
    let mut verified = 0;
    for counter in 1..=1_000 {
        if relay.admits(&label(counter), NOW) {
            let (beacon, bytes) = beacon(1, counter);
            verified += u64::from(relay.keep(None, &beacon, &bytes, 100, NOW));
        }
    }
    assert_eq!(verified, BURST);
    assert!(!relay.admits(&label(1), NOW + 60_000), "it is an old one");
    assert!(!relay.admits(&label(2_000), NOW + 99) && relay.admits(&label(2_000), NOW + 100));
    relay.forget(&label(1).transport);
    assert!(relay.admits(&label(1), NOW), "whatever it says of its start");
}

#[test]
fn a_partner_cannot_make_this_node_ask_beyond_everybodys_pace() {
    let mut relay = Relay::default();
    relay.pace(Pace { senders: 200, spacing_ms: 10_000 });
    relay.link(peer(1));
    let mut asked = |from: u64, now_ms: u64| {
        let invented: Vec<ShortId> = (from..from + 1_000).map(|number| number.to_le_bytes()).collect();
        relay.offer(&peer(1), &invented, now_ms).len()
    };
    assert_eq!(asked(0, NOW), 400, "what everybody said, and as much again");
    assert_eq!(asked(1_000, NOW), 0);
    assert_eq!(asked(2_000, NOW + 1_000), 40, "two hundred senders, six a minute each, and as much again");
}

#[test]
fn what_expired_or_lost_its_right_is_not_offered() {
    let mut relay = Relay::default();
    let (beacon, bytes) = beacon(1, 1);
    relay.keep(None, &beacon, &bytes, 0, NOW);
    relay.link(peer(1));
    relay.expire(NOW, |_| false);
    assert!(relay.is_empty() && relay.due(NOW).is_empty());
    relay.keep(None, &beacon, &bytes, 0, NOW);
    relay.expire(beacon.expires_ms, |_| true);
    assert!(relay.is_empty() && relay.keys.is_empty());
}

#[test]
fn no_bytes_make_it_panic() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..random.usize(0..64)).map(|_| random.u8(0..12)).collect();
        if let Ok(message) = Message::decode(&bytes) {
            assert_eq!(message.encode(), bytes);
        }
    }
}
