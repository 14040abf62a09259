//! Floods through the peer-to-peer port: a member that publishes as fast as it can, a member that sends rubbish, and
//! strangers.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use fastrand::Rng;
use harness::hostile::ENTRY;
use harness::scene::{create, now_ms};
use node::network::{Network, NetworkEvent, NetworkSettings, Published, StreamKind, Topic, Verdict};
use protocol::entry::VerifiedEntry;
use protocol::identity::PublicKey;
use protocol::limits::{GOSSIP_BYTES_MAX, STAGED_PER_LOG_MAX};
use tokio::runtime::Runtime;

use crate::field::{FLOODERS_LOG, Field, VICTIM};
use crate::tally::{Stop, Tally};

/// How long a connection may take to come about.
const DIAL_WAIT: Duration = Duration::from_secs(10);
/// How long a network of an attacker may take to go away.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(3);
/// Entries on their way. More would wait in vain for one that the victim shed: whoever floods best keeps below it.
const ENTRIES_AHEAD_MAX: u64 = STAGED_PER_LOG_MAX as u64 / 2;
/// How often the attacker looks how far it got.
const LOOK_PAUSE: Duration = Duration::from_millis(10);
/// Pause when the attacker's own queue is full.
const BREATH: Duration = Duration::from_millis(1);
/// Strangers that dial at a time.
const STRANGERS: usize = 48;
/// How long a stranger stays.
const STRANGER_STAY: Duration = Duration::from_millis(50);
/// Messages after which a member that sends rubbish looks whether it is still connected.
const RUBBISH_IN_A_ROW: usize = 256;

/// A peer that has some transport key and no node.
struct Peer {
    network: Network,
    victim: PublicKey,
}

impl Peer {
    /// Connects with the attacked node; nothing when it is not let in.
    async fn connect(field: &Field, transport: &SigningKey, address: &str) -> Option<Self> {
        let charter = &field.scene.charter;
        let settings = NetworkSettings {
            federation: charter.federation(),
            transport_key: transport.to_bytes(),
            listen: Vec::new(),
            members: charter.transport_keys().into_keys().collect::<BTreeSet<_>>(),
            limits: Default::default(),
        };
        let (network, mut events) = Network::start(settings).await.ok()?;
        let forward = network.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let NetworkEvent::Gossip { token, .. } = event {
                    // Only a network that was shut down refuses.
                    let _ = forward.report(token, Verdict::Ignore).await;
                }
            }
        });
        match tokio::time::timeout(DIAL_WAIT, network.dial(None, vec![address.to_owned()])).await {
            Ok(Ok(victim)) => Some(Self { network, victim }),
            _ => {
                Self::end(&network).await;
                None
            }
        }
    }

    async fn end(network: &Network) {
        let _ = tokio::time::timeout(SHUTDOWN_WAIT, network.shutdown()).await;
    }

    /// Gossips something and counts what came of it.
    async fn gossip(&self, content: &[u8], tally: &Tally) -> Published {
        let message = [&[ENTRY], content].concat();
        let published = self.network.publish(Topic::Entries, message).await.unwrap_or(Published::NoPeers);
        tally.made();
        match published {
            Published::Sent => tally.served(),
            _ => {
                tally.closed();
                tokio::time::sleep(BREATH).await;
            }
        }
        published
    }

    async fn is_connected(&self) -> bool {
        let peers = self.network.peers().await.unwrap_or_default();
        peers.iter().any(|peer| peer.peer == self.victim)
    }
}

fn runtime() -> Runtime {
    Runtime::new().expect("threads can be started")
}

/// A member publishes good entries as fast as the node takes them. It looks at the node how far it got, which a real
/// attacker cannot: without that, what the node sheds would leave a gap, and all that follows would be worth nothing.
pub fn member_publishes(field: &Field, stop: &Stop, tally: &Tally) {
    let address = field.scene.nodes[VICTIM].address();
    runtime().block_on(async {
        let Some(peer) = Peer::connect(field, &field.flooder.transport, &address).await else { return };
        let (mut last, mut waiting): (Option<Arc<VerifiedEntry>>, VecDeque<u64>) = (None, VecDeque::new());
        while !stop.is_set() {
            let taken = field.status(VICTIM)["heads"][FLOODERS_LOG]["length"].as_u64().unwrap_or_default();
            while waiting.front().is_some_and(|sequence| *sequence < taken) {
                waiting.pop_front();
            }
            let room = ENTRIES_AHEAD_MAX.saturating_sub(waiting.len() as u64);
            for _ in 0..room {
                let name = format!("洪水{}", last.as_ref().map_or(0, |entry| entry.header().sequence + 1));
                let entry = create(&field.flooder, &field.scene.charter, last.as_ref(), now_ms(), &name);
                while peer.gossip(&entry.encode(), tally).await == Published::NoPeers && !stop.is_set() {
                    // The subscription of the node arrives a moment after the connection.
                    tokio::time::sleep(LOOK_PAUSE).await;
                }
                waiting.push_back(entry.header().sequence);
                last = Some(entry);
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        Peer::end(&peer.network).await;
    });
}

/// A member sends what cannot be read, what nobody signed, what hangs in the air, and what no build knows.
pub fn member_sends_rubbish(field: &Field, stop: &Stop, tally: &Tally) {
    let address = field.scene.nodes[VICTIM].address();
    let mut random = Rng::with_seed(field.seed);
    let good = create(&field.garbler, &field.scene.charter, None, now_ms(), "起点");
    runtime().block_on(async {
        while !stop.is_set() {
            let Some(peer) = Peer::connect(field, &field.garbler.transport, &address).await else {
                tally.made();
                tally.closed();
                tokio::time::sleep(LOOK_PAUSE).await;
                continue;
            };
            while !stop.is_set() && peer.is_connected().await {
                for _ in 0..RUBBISH_IN_A_ROW {
                    peer.gossip(&rubbish(field, &good, &mut random), tally).await;
                }
            }
            Peer::end(&peer.network).await;
        }
    });
}

/// Rubbish of some sort, never the same: a node knows again what it has seen.
fn rubbish(field: &Field, good: &Arc<VerifiedEntry>, random: &mut Rng) -> Vec<u8> {
    match random.u8(..4) {
        0 => (0..GOSSIP_BYTES_MAX / 2).map(|_| random.u8(..)).collect(),
        1 => {
            let mut unsigned = good.encode();
            // The signature stands behind the header.
            let place = unsigned.len() / 2;
            random.fill(&mut unsigned[place..place + 8]);
            unsigned
        }
        2 => {
            let unknown = create(&field.garbler, &field.scene.charter, Some(good), now_ms(), "无人见过");
            let name = format!("悬空{}", random.u64(..));
            create(&field.garbler, &field.scene.charter, Some(&unknown), now_ms(), &name).encode()
        }
        _ => (0..64).map(|_| random.u8(..)).collect(),
    }
}

/// Strangers dial, each with a key that nobody knows, try to gossip and to sync, and go.
pub fn strangers_dial(field: &Field, stop: &Stop, tally: &Tally) {
    let address = field.scene.nodes[VICTIM].address();
    runtime().block_on(async {
        let stranger = async |number: usize| {
            let mut random = Rng::with_seed(field.seed ^ number as u64);
            while !stop.is_set() {
                let key = SigningKey::from_bytes(&std::array::from_fn(|_| random.u8(..)));
                tally.made();
                let Some(peer) = Peer::connect(field, &key, &address).await else {
                    tally.closed();
                    continue;
                };
                match peer.network.open_stream(peer.victim, StreamKind::Sync).await {
                    Ok(_) => tally.served(),
                    Err(_) => tally.refused(1),
                }
                tokio::time::sleep(STRANGER_STAY).await;
                Peer::end(&peer.network).await;
            }
        };
        futures::future::join_all((0..STRANGERS).map(stranger)).await;
    });
}
