//! A peer that obeys nobody: it has some transport key and says what the story wants. It takes everything that it
//! gets and answers no stream.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use node::network::{
    Network, NetworkEvent, NetworkSettings, OpenStreamError, Published, StreamKind, Topic, Verdict, read_frame,
    write_frame,
};
use protocol::charter::Charter;
use protocol::identity::PublicKey;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;

use crate::node::{Node, WAIT, wait};
use crate::scene::counter;

/// Gossip of an entry.
pub const ENTRY: u8 = 1;
/// Gossip of a charter block.
pub const BLOCK: u8 = 2;
/// A type of gossip that no build knows.
const PROBE: u8 = 200;
const FRAME_WAIT: Duration = Duration::from_secs(15);
const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The peer.
pub struct Hostile {
    runtime: Runtime,
    network: Network,
    victim: PublicKey,
    heard: Arc<AtomicU64>,
}

impl Hostile {
    /// Connects with a node under a transport key, whosever it is.
    ///
    /// # Panics
    /// When the node lets nobody in.
    pub fn connect(charter: &Charter, transport: &SigningKey, node: &Node) -> Self {
        let runtime = Runtime::new().expect("threads can be started");
        let settings = NetworkSettings {
            federation: charter.federation(),
            transport_key: transport.to_bytes(),
            listen: Vec::new(),
            members: charter.transport_keys().into_keys().collect::<BTreeSet<_>>(),
            limits: Default::default(),
        };
        let address = node.address();
        let heard = Arc::new(AtomicU64::new(0));
        let (network, victim) = runtime.block_on(async {
            let (network, mut events) = Network::start(settings).await.expect("the network starts");
            let (forward, heard) = (network.clone(), Arc::clone(&heard));
            tokio::spawn(async move {
                while let Some(event) = events.recv().await {
                    if let NetworkEvent::Gossip { token, .. } = event {
                        heard.fetch_add(1, Ordering::Relaxed);
                        // Only a network that was shut down refuses.
                        let _ = forward.report(token, Verdict::Accept).await;
                    }
                }
            });
            let victim = network.dial(None, vec![address]).await.expect("the node listens");
            (network, victim)
        });
        Self { runtime, network, victim, heard }
    }

    /// Gossips something. Whether anybody listened is what comes back.
    pub fn gossip(&self, message_type: u8, content: &[u8]) -> Published {
        let message = [&[message_type], content].concat();
        self.runtime.block_on(self.network.publish(Topic::Entries, message)).expect("the message is short enough")
    }

    /// Waits until the node hears what this peer gossips.
    #[track_caller]
    pub fn wait_heard_by(&self, node: &Node) {
        let before = counter(node, "gossip-unknown-type");
        let mut number = 0u32;
        wait("the node hears the peer", WAIT, || {
            number += 1;
            self.gossip(PROBE, &number.to_le_bytes());
            counter(node, "gossip-unknown-type") > before
        });
    }

    /// Gossip messages that reached this peer.
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Whether the node lets this peer open such a stream.
    pub fn may_open(&self, kind: StreamKind) -> bool {
        match self.runtime.block_on(self.network.open_stream(self.victim, kind)) {
            Ok(_) => true,
            Err(OpenStreamError::NotOffered) => false,
            Err(error) => panic!("the connection is gone: {error}"),
        }
    }

    /// Whether the connection stands.
    pub fn is_connected(&self) -> bool {
        let peers = self.runtime.block_on(self.network.peers()).expect("the network runs");
        peers.iter().any(|peer| peer.peer == self.victim)
    }

    /// Sends one frame on a join stream and returns the reply, if there is one.
    pub fn apply(&self, request: &[u8]) -> Option<Vec<u8>> {
        self.ask(StreamKind::Join, request)
    }

    /// Sends one frame on a stream and returns the reply, if there is one.
    pub fn ask(&self, kind: StreamKind, request: &[u8]) -> Option<Vec<u8>> {
        self.runtime.block_on(async {
            let mut stream = self.network.open_stream(self.victim, kind).await.ok()?;
            write_frame(&mut stream, request, FRAME_WAIT).await.ok()?;
            let reply = read_frame(&mut stream, REPLY_BYTES_MAX, FRAME_WAIT).await.ok()?;
            let _ = stream.shutdown().await;
            Some(reply)
        })
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.runtime.block_on(self.network.shutdown());
    }
}
