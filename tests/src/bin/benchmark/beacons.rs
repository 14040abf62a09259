//! What beacons cost each node of a federation of 800: a simulation of all of them with the real state machine, the real
//! encodings and the real pauses, and a flood of the same beacons over a mesh as the baseline.
//!
//! Time goes in steps of a second, which is how long each message takes. Bytes are counted in and out at every node:
//! frames with what the stream multiplexer and the encryption add to each, and beside it what TCP and IP would add if
//! every frame were a packet of its own that is acknowledged by another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use node::beacons::exchange::{PARTNERS, PARTNERS_TAKEN, offer_pause};
use node::beacons::{heads_max, shortest_wait};
use protocol::beacon::relay::{Message, Relay, ShortId, short_id};
use protocol::beacon::{Beacon, Condition, DiskSpace, Version};
use protocol::identity::{FederationId, FrontierDigest, PublicKey, public_key};

/// Members, seconds between beacons, and intervals: the first ones fill the tables, the last one is counted.
const MEMBERS: usize = 800;
const INTERVAL_S: u64 = 600;
const INTERVALS: u64 = 3;
/// Members that each dials, as the settings have it.
const LINKS: usize = 6;
/// Length of a frame, header of the multiplexer, length and tag of the encryption.
const FRAMING_BYTES: usize = 4 + 12 + 2 + 16;
/// Headers of IPv4 and of TCP with timestamps, for a packet and for its acknowledgement.
const PACKET_BYTES: usize = 2 * 52;
/// What gossipsub adds to a message: topic of 81 bytes with its tag, tags and lengths.
const FLOOD_ENVELOPE_BYTES: usize = 81 + 13;
const MESH: usize = 8;
/// How often partners ask one another for the time.
const CLOCK_S: u64 = 300;
const BOOT_MS: u64 = 1_800_000_000_000;
const FEDERATION: FederationId = FederationId([7; 32]);

struct Node {
    key: SigningKey,
    relay: Relay,
    /// Second within the interval at which its beacon goes out, and the next at which it offers.
    beacon_s: u64,
    offer_s: u64,
    bytes: usize,
    frames: usize,
}

struct Mail {
    from: usize,
    to: usize,
    message: Message,
}

struct Simulation {
    nodes: Vec<Node>,
    index: BTreeMap<PublicKey, usize>,
    /// Beacons that were signed here, so that each is verified once and not eight hundred times.
    known: BTreeMap<ShortId, (Beacon, u64)>,
    arrivals: Vec<u64>,
    random: fastrand::Rng,
}

/// Runs it for a quiet federation and for one in which every beacon names as many heads as it may.
pub fn run() {
    println!(
        "\nbeacons: {MEMBERS} members, one every {INTERVAL_S} s; wait while things change {:?}; an offer every {:?}",
        shortest_wait(MEMBERS, Duration::from_secs(INTERVAL_S)),
        offer_pause(MEMBERS)
    );
    for heads in [2, heads_max(MEMBERS)] {
        let mut simulation = Simulation::new(800 + heads as u64);
        simulation.go(heads);
        simulation.report(heads);
    }
    flood();
}

impl Simulation {
    fn new(seed: u64) -> Self {
        println!("  seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let pause_s = offer_pause(MEMBERS).as_secs().max(1);
        let nodes: Vec<Node> = (0..MEMBERS)
            .map(|_| Node {
                key: SigningKey::from_bytes(&std::array::from_fn(|_| random.u8(..))),
                relay: Relay::default(),
                beacon_s: random.u64(0..INTERVAL_S),
                offer_s: random.u64(0..pause_s),
                bytes: 0,
                frames: 0,
            })
            .collect();
        let index = nodes.iter().enumerate().map(|(index, node)| (public_key(&node.key), index)).collect();
        let mut simulation = Self { nodes, index, known: BTreeMap::new(), arrivals: Vec::new(), random };
        simulation.partner();
        simulation
    }

    /// Each dials some; of those with whom it is connected each chooses partners, as far as they take it.
    fn partner(&mut self) {
        let mut connected: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); MEMBERS];
        for node in 0..MEMBERS {
            for _ in 0..LINKS {
                let other = self.random.usize(0..MEMBERS);
                if other != node {
                    connected[node].insert(other);
                    connected[other].insert(node);
                }
            }
        }
        let mut partners: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); MEMBERS];
        let mut taken = vec![0; MEMBERS];
        let mut order: Vec<usize> = (0..MEMBERS).collect();
        self.random.shuffle(&mut order);
        for node in order {
            let mut free: Vec<usize> = connected[node].iter().copied().collect();
            self.random.shuffle(&mut free);
            let mut missing = PARTNERS - taken[node].min(PARTNERS / 2);
            for other in free {
                if missing > 0 && taken[other] < PARTNERS_TAKEN && !partners[node].contains(&other) {
                    partners[node].insert(other);
                    partners[other].insert(node);
                    taken[other] += 1;
                    missing -= 1;
                }
            }
        }
        // Whom nobody took says so, and is taken beyond the usual number.
        for node in 0..MEMBERS {
            if let Some(other) = connected[node].first().copied().filter(|_| partners[node].is_empty()) {
                partners[node].insert(other);
                partners[other].insert(node);
            }
        }
        let keys: Vec<PublicKey> = self.nodes.iter().map(|node| public_key(&node.key)).collect();
        for (node, of) in partners.iter().enumerate() {
            of.iter().for_each(|other| self.nodes[node].relay.link(keys[*other]));
        }
        let counts: Vec<usize> = partners.iter().map(BTreeSet::len).collect();
        let sum: usize = counts.iter().sum();
        println!(
            "  partners of a node: {:.1} on average, at most {}",
            sum as f64 / MEMBERS as f64,
            counts.iter().max().unwrap_or(&0)
        );
        let clock_frames = Message::Ask { nonce: 0 }.encode().len()
            + Message::Tell { nonce: 0, clock_ms: 0 }.encode().len()
            + 2 * FRAMING_BYTES;
        println!(
            "  questions for the time: {:.0} bytes/s of a node",
            (sum / MEMBERS * 2 * clock_frames) as f64 / CLOCK_S as f64
        );
    }

    fn go(&mut self, heads: usize) {
        let pause_s = offer_pause(MEMBERS).as_secs().max(1);
        let mut mail: VecDeque<Mail> = VecDeque::new();
        for second in 0..INTERVALS * INTERVAL_S {
            if second == (INTERVALS - 1) * INTERVAL_S {
                self.nodes.iter_mut().for_each(|node| (node.bytes, node.frames) = (0, 0));
                self.arrivals.clear();
            }
            let now_ms = BOOT_MS + second * 1_000;
            let mut next = VecDeque::new();
            for sent in mail.drain(..) {
                self.deliver(sent, now_ms, &mut next);
            }
            for node in 0..MEMBERS {
                if second % INTERVAL_S == self.nodes[node].beacon_s {
                    self.speak(node, second / INTERVAL_S + 1, heads, now_ms);
                }
                if second >= self.nodes[node].offer_s {
                    // Half to one and a half of the pause, as the node does it.
                    self.nodes[node].offer_s = second + pause_s / 2 + self.random.u64(0..pause_s);
                    let due = self.nodes[node].relay.due(now_ms);
                    next.extend(due.into_iter().map(|(to, message)| Mail { from: node, to: self.index[&to], message }));
                }
            }
            for sent in &next {
                let bytes = sent.message.encode().len() + FRAMING_BYTES;
                for end in [sent.from, sent.to] {
                    self.nodes[end].bytes += bytes;
                    self.nodes[end].frames += 1;
                }
            }
            mail = next;
        }
    }

    fn speak(&mut self, node: usize, counter: u64, heads: usize, now_ms: u64) {
        let key = self.nodes[node].key.clone();
        let beacon = Beacon {
            transport: public_key(&key),
            boot_ms: BOOT_MS,
            counter,
            expires_ms: now_ms + (INTERVAL_S + 300) * 1_000,
            interval_seconds: INTERVAL_S as u32,
            condition: Condition {
                version: Version([1, 2, 3]),
                peers: 12,
                disk: Some(DiskSpace { free_mib: 70_000, free_permille: 700 }),
                clock_offset_ms: Some(12),
                ..Condition::default()
            },
            charter_version: 900,
            digest: FrontierDigest([5; 32]),
            entries: 100_000,
            heads: (0..heads as u32).map(|log| (log * 90, counter)).collect(),
        };
        let bytes = beacon.sign(&key, &FEDERATION);
        self.known.insert(short_id(&bytes), (beacon.clone(), now_ms));
        self.nodes[node].relay.keep(None, &beacon, &bytes, 0, now_ms);
    }

    fn deliver(&mut self, sent: Mail, now_ms: u64, next: &mut VecDeque<Mail>) {
        let Mail { from, to, message } = sent;
        let peer = public_key(&self.nodes[from].key);
        let answer = |message| Mail { from: to, to: from, message };
        let relay = &mut self.nodes[to].relay;
        match message {
            Message::Offer(ids) => {
                let wanted = relay.offer(&peer, &ids, now_ms);
                next.extend((!wanted.is_empty()).then(|| answer(Message::Want(wanted))));
            }
            Message::Want(ids) => {
                let beacons: Vec<Arc<[u8]>> = relay.want(&peer, &ids);
                next.extend(Message::carrying(beacons).into_iter().map(answer));
            }
            Message::Beacons(beacons) => {
                for bytes in beacons {
                    let (beacon, sent_ms) = &self.known[&short_id(&bytes)];
                    if relay.expects(&peer, &bytes) && relay.keep(Some(&peer), beacon, &bytes, 0, now_ms) {
                        self.arrivals.push((now_ms - sent_ms) / 1_000);
                    }
                }
            }
            Message::Greet { .. } | Message::Ask { .. } | Message::Tell { .. } => {}
        }
    }

    fn report(&mut self, heads: usize) {
        let mut bytes: Vec<usize> = self.nodes.iter().map(|node| node.bytes).collect();
        let mut packets: Vec<usize> = self.nodes.iter().map(|node| node.bytes + node.frames * PACKET_BYTES).collect();
        let rate = |sorted: &[usize], part: usize| sorted[(sorted.len() - 1) * part / 100] as f64 / INTERVAL_S as f64;
        bytes.sort_unstable();
        packets.sort_unstable();
        let mean = bytes.iter().sum::<usize>() as f64 / MEMBERS as f64 / INTERVAL_S as f64;
        println!("  {heads} heads in a beacon of {} bytes:", protocol::beacon::BEACON_BYTES_MIN + heads * 12);
        println!(
            "    bytes/s of a node, in and out: mean {mean:.0}, median {:.0}, p99 {:.0}, most {:.0}; as packets with TCP/IP: median {:.0}, p99 {:.0}",
            rate(&bytes, 50),
            rate(&bytes, 99),
            rate(&bytes, 100),
            rate(&packets, 50),
            rate(&packets, 99)
        );
        self.arrivals.sort_unstable();
        let reached = self.arrivals.len() as f64 / (MEMBERS * (MEMBERS - 1)) as f64;
        let delay = |part: usize| self.arrivals[(self.arrivals.len() - 1) * part / 100];
        println!(
            "    arrivals in one interval: {:.2} % of all pairs; delay: median {} s, p99 {} s, longest {} s",
            reached * 100.0,
            delay(50),
            delay(99),
            delay(100)
        );
    }
}

/// The same beacons flooded over a mesh of [`MESH`] peers, without what the mesh announces to others beside.
fn flood() {
    let mut random = fastrand::Rng::with_seed(8);
    let mut mesh: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); MEMBERS];
    for node in 0..MEMBERS {
        while mesh[node].len() < MESH {
            let other = random.usize(0..MEMBERS);
            if other == node || (mesh[other].len() >= MESH + 4) {
                continue;
            }
            mesh[node].insert(other);
            mesh[other].insert(node);
        }
    }
    let mut copies = 0;
    const FLOODED: usize = 50;
    for _ in 0..FLOODED {
        let source = random.usize(0..MEMBERS);
        // Arrivals by time, in milliseconds; links take 20 to 200.
        let mut arrivals: BTreeSet<(u64, usize, usize, usize)> = BTreeSet::new();
        let mut heard: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); MEMBERS];
        let mut forwarded = vec![false; MEMBERS];
        let mut number = 0;
        let mut forward = |node: usize,
                           at: u64,
                           heard: &[BTreeSet<usize>],
                           arrivals: &mut BTreeSet<_>,
                           random: &mut fastrand::Rng| {
            for other in mesh[node].iter().filter(|other| !heard[node].contains(other)) {
                number += 1;
                arrivals.insert((at + random.u64(20..200), number, node, *other));
            }
        };
        forwarded[source] = true;
        forward(source, 0, &heard, &mut arrivals, &mut random);
        while let Some((at, _, from, to)) = arrivals.pop_first() {
            copies += 1;
            heard[to].insert(from);
            if !std::mem::replace(&mut forwarded[to], true) {
                forward(to, at, &heard, &mut arrivals, &mut random);
            }
        }
    }
    let copies = copies as f64 / (FLOODED * MEMBERS) as f64;
    let message = protocol::beacon::BEACON_BYTES_MIN + 24 + FLOOD_ENVELOPE_BYTES + FRAMING_BYTES - 4;
    let rate = copies * 2.0 * message as f64 * MEMBERS as f64 / INTERVAL_S as f64;
    println!(
        "  baseline, flooded over a mesh of {MESH}: {copies:.1} copies in and as many out, {message} bytes each: {rate:.0} bytes/s of a node"
    );
}
