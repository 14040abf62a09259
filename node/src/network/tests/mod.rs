//! The network against itself, over loopback.

use std::time::Duration;

use ed25519_dalek::SigningKey;
use protocol::identity::{FederationId, PublicKey, public_key};
use tokio::{sync::mpsc, time::timeout};

use super::*;

mod gossip;
mod links;
mod membership;

/// Long enough for a busy machine; nothing is expected to take nearly as long.
const PATIENCE: Duration = Duration::from_secs(20);
const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

struct Node {
    key: PublicKey,
    network: Network,
    events: mpsc::Receiver<NetworkEvent>,
}

fn key(number: u8) -> PublicKey {
    public_key(&SigningKey::from_bytes(&[number; 32]))
}

fn settings(number: u8, members: &[u8], listen: &str) -> NetworkSettings {
    NetworkSettings {
        federation: FederationId([7; 32]),
        transport_key: [number; 32],
        listen: vec![listen.to_owned()],
        members: members.iter().map(|number| key(*number)).collect(),
        limits: NetworkLimits::default(),
    }
}

async fn start_with(settings: NetworkSettings) -> Node {
    let key = public_key(&SigningKey::from_bytes(&settings.transport_key));
    let (network, events) = Network::start(settings).await.expect("the network starts");
    Node { key, network, events }
}

async fn start(number: u8, members: &[u8], listen: &str) -> Node {
    start_with(settings(number, members, listen)).await
}

impl Node {
    async fn dial(&self, other: &Node) -> PublicKey {
        let addresses = other.network.listen_addresses().await.expect("running");
        self.network.dial(Some(other.key), addresses).await.expect("reachable")
    }

    /// The first event that `pick` takes; others are passed over, gossip among them ignored.
    async fn wait<T>(&mut self, mut pick: impl FnMut(NetworkEvent) -> Option<T>) -> T {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the network runs");
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, wait).await.expect("the event comes in time")
    }

    async fn connected(&mut self, other: PublicKey) -> bool {
        self.wait(|event| match event {
            NetworkEvent::Connected { peer, member, .. } if peer == other => Some(member),
            _ => None,
        })
        .await
    }

    async fn disconnected(&mut self, other: PublicKey) {
        self.wait(|event| matches!(event, NetworkEvent::Disconnected { peer } if peer == other).then_some(())).await;
    }

    async fn gossip(&mut self) -> (Topic, GossipToken, PublicKey, Vec<u8>) {
        self.wait(|event| match event {
            NetworkEvent::Gossip { topic, token, source, bytes } => Some((topic, token, source, bytes)),
            _ => None,
        })
        .await
    }

    async fn inbound(&mut self) -> (PublicKey, StreamKind, PeerStream) {
        self.wait(|event| match event {
            NetworkEvent::InboundStream { peer, kind, stream } => Some((peer, kind, stream)),
            _ => None,
        })
        .await
    }

    /// Publishes until a peer has subscribed to the topic.
    async fn publish(&self, bytes: &[u8]) {
        let publish = async {
            while self.network.publish(Topic::Entries, bytes.to_vec()).await.expect("running") != Published::Sent {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, publish).await.expect("a peer subscribes in time");
    }
}

/// Waits until what `from` publishes arrives at `to`.
async fn warm_up(from: &Node, to: &mut Node, text: &[u8]) {
    from.publish(text).await;
    let (_, token, _, bytes) = to.gossip().await;
    assert_eq!(bytes, text);
    to.network.report(token, Verdict::Ignore).await.expect("running");
}
