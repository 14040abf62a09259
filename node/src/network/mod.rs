//! The network of one node: connections to peers, gossip, and streams. Nothing outside this module names libp2p.
//!
//! One task owns the swarm (`task`); [`Network`] is a cheap handle to it, and what happens comes as
//! [`NetworkEvent`]s through a bounded channel. Peers are named by their ed25519 transport key.
//!
//! Who may do what is decided by the allow list, the transport keys of the charter:
//!
//! - **Members** gossip (`gossip`), open sync and join streams (`streams`), and stay connected.
//! - **Strangers** may connect, a few at a time (`door`), and open one join stream. The other protocols do not run
//!   on their connections at all (`gate`).
//! - When the list changes, the connections of whoever changed sides are cut at once.
//!
//! Everything here is a hint or a pipe: no bound, drop or delay of this module decides what is valid, and whatever
//! gossip loses is repaired by sync, which the node runs over streams.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use libp2p::Multiaddr;
use protocol::{identity::PublicKey, limits::GOSSIP_BYTES_MAX};
use tokio::sync::{mpsc, oneshot};

mod address;
mod command;
mod door;
mod error;
mod events;
mod frame;
mod gate;
mod gossip;
mod keys;
pub mod limits;
mod listen;
mod offenders;
mod peers;
mod roster;
mod statistics;
mod stream;
mod stream_handler;
mod streams;
mod swarm;
mod task;
#[cfg(test)]
mod tests;

pub use command::{GossipToken, NetworkEvent, Published, Verdict};
pub use error::{DialError, DialFault, FrameError, NetworkClosed, NetworkError, OpenStreamError, PublishError};
pub use frame::{read_frame, write_frame};
pub use gossip::Topic;
pub use limits::NetworkLimits;
pub use listen::{ListenFault, probe};
pub use offenders::Offence;
pub use peers::PeerInfo;
pub use statistics::Statistics;
pub use stream::{PeerStream, StreamKind};
pub use swarm::NetworkSettings;

use command::Command;
use limits::{COMMANDS_MAX, DIAL_ADDRESSES_MAX, DIAL_WAIT, EVENTS_MAX, OPEN_STREAM_WAIT};
use statistics::Counters;
use task::Task;

/// A handle to the network. Clones are cheap and share it; it shuts down when the last is dropped.
#[derive(Clone)]
pub struct Network {
    commands: mpsc::Sender<Command>,
    counters: Arc<Counters>,
}

impl Network {
    /// Starts the network: returns once the node listens on every address of the settings.
    ///
    /// The events must be taken promptly. While they are not, gossip is dropped and counted, and in the end peers
    /// wait; nothing is dropped but gossip. Commands work all the while.
    ///
    /// # Errors
    /// [`NetworkError::AddressInUse`] when somebody listens on one of the addresses already.
    pub async fn start(settings: NetworkSettings) -> Result<(Self, mpsc::Receiver<NetworkEvent>), NetworkError> {
        let roster = roster::Roster::new(settings.members.clone());
        let counters = Arc::new(Counters::default());
        let swarm = swarm::build(&settings, &roster, &counters)?;
        let (events, events_receiver) = mpsc::channel(EVENTS_MAX);
        let topics = gossip::Topics::new(&settings.federation);
        let mut task = Task::new(swarm, roster, counters.clone(), topics, events);
        task.listen(&settings.listen).await?;
        let (commands, commands_receiver) = mpsc::channel(COMMANDS_MAX);
        tokio::spawn(task.run(commands_receiver));
        Ok((Self { commands, counters }, events_receiver))
    }

    /// Publishes a message to the members that listen to `topic`.
    ///
    /// # Errors
    /// [`PublishError::TooLong`] above [`GOSSIP_BYTES_MAX`] bytes. That nobody is connected is no error.
    pub async fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Result<Published, PublishError> {
        if bytes.len() > GOSSIP_BYTES_MAX {
            return Err(PublishError::TooLong { found: bytes.len(), bound: GOSSIP_BYTES_MAX });
        }
        self.ask(|reply| Command::Publish { topic, bytes, reply }).await?
    }

    /// Gives the node's verdict on a gossip message. Only after [`Verdict::Accept`] is it forwarded, and only if that
    /// comes within about ten seconds.
    ///
    /// # Errors
    /// When the network has been shut down.
    pub async fn report(&self, token: GossipToken, verdict: Verdict) -> Result<(), NetworkClosed> {
        self.commands.send(Command::Report { token, verdict }).await.map_err(|_| NetworkClosed)
    }

    /// Opens a stream to a connected peer.
    ///
    /// # Errors
    /// [`OpenStreamError::NotConnected`] without a connection: this does not dial.
    /// [`OpenStreamError::NotOffered`] when the peer does not take us for a member.
    pub async fn open_stream(&self, peer: PublicKey, kind: StreamKind) -> Result<PeerStream, OpenStreamError> {
        let (reply, answer) = oneshot::channel();
        let command = Command::OpenStream { peer, kind, reply };
        self.commands.send(command).await.map_err(|_| NetworkClosed)?;
        match tokio::time::timeout(OPEN_STREAM_WAIT, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) if self.commands.is_closed() => Err(NetworkClosed.into()),
            Ok(Err(_)) => Err(OpenStreamError::Lost),
            Err(_) => Err(OpenStreamError::Timeout),
        }
    }

    /// Opens a stream on each connection to a peer, for as long as `limit` allows. Whoever does not answer by then is
    /// left out: a connection can be dead without our knowing.
    ///
    /// # Errors
    /// When the network has been shut down.
    pub async fn open_streams(
        &self,
        peer: PublicKey,
        kind: StreamKind,
        limit: Duration,
    ) -> Result<Vec<PeerStream>, NetworkClosed> {
        let openings = self.ask(|replies| Command::OpenStreams { peer, kind, replies }).await?;
        let opened = openings.into_iter().map(|opening| tokio::time::timeout(limit, opening));
        let opened = futures::future::join_all(opened).await;
        Ok(opened.into_iter().filter_map(|opened| opened.ok()?.ok()?.ok()).collect())
    }

    /// Replaces the allow list. On return it is in force: peers that lost membership are cut off, and strangers that
    /// gained it are disconnected, so that they come back as members. [`NetworkEvent::Disconnected`] tells of both.
    ///
    /// # Errors
    /// When the network has been shut down.
    pub async fn set_members(&self, members: BTreeSet<PublicKey>) -> Result<(), NetworkClosed> {
        self.ask(|reply| Command::SetMembers { members, reply }).await
    }

    /// Connects to `peer` at any of `addresses`, or, without a key, to whoever answers first at one of them, tried in
    /// order. An address may end in `/p2p/` and the peer's id; then nobody else will do. A peer that is connected
    /// already is not dialled again. Returns the key of the peer, within [`limits::DIAL_WAIT`].
    ///
    /// # Errors
    /// The reason why no connection came about; with several addresses and no key, that of the last.
    pub async fn dial(&self, peer: Option<PublicKey>, addresses: Vec<String>) -> Result<PublicKey, DialError> {
        let attempts = attempts(peer, &addresses)?;
        let dial = async {
            let mut result = Err(DialError::NoAddress);
            for (peer, addresses) in attempts {
                result = self.ask(|reply| Command::Dial { peer, addresses, reply }).await?;
                if result.is_ok() {
                    break;
                }
            }
            result
        };
        tokio::time::timeout(DIAL_WAIT, dial).await.unwrap_or(Err(DialError::Timeout))
    }

    /// Closes every connection to `peer`. [`NetworkEvent::Disconnected`] tells when that is done.
    ///
    /// # Errors
    /// When the network has been shut down.
    pub async fn disconnect(&self, peer: PublicKey) -> Result<(), NetworkClosed> {
        self.ask(|reply| Command::Disconnect { peer, reply }).await
    }

    /// The connected peers, by key.
    ///
    /// # Errors
    /// When the network has been shut down.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, NetworkClosed> {
        self.ask(|reply| Command::Peers { reply }).await
    }

    /// The addresses that the node listens on, with the ports that the system chose, without the node's id.
    ///
    /// # Errors
    /// When the network has been shut down.
    pub async fn listen_addresses(&self) -> Result<Vec<String>, NetworkClosed> {
        self.ask(|reply| Command::ListenAddresses { reply }).await
    }

    /// What has been counted since the start. Works after the shutdown, too.
    pub fn statistics(&self) -> Statistics {
        self.counters.snapshot()
    }

    /// Peers that went beyond their bounds since the start, connected or not. Works after the shutdown, too.
    pub fn offenders(&self) -> Vec<(PublicKey, Offence)> {
        self.counters.offenders.list()
    }

    /// Closes all connections and listeners; returns when that is done. Calling it twice does no harm.
    pub async fn shutdown(&self) {
        // An error means that the network has been shut down before, which is what was asked for.
        self.ask(|reply| Command::Shutdown { reply }).await.ok();
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, NetworkClosed> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| NetworkClosed)?;
        answer.await.map_err(|_| NetworkClosed)
    }
}

/// Whom to dial where, at once.
type Attempt = (Option<PublicKey>, Vec<Multiaddr>);

/// What to dial, one after the other: a known peer at all its addresses at once, an unknown one address by address.
fn attempts(peer: Option<PublicKey>, addresses: &[String]) -> Result<Vec<Attempt>, DialError> {
    if addresses.is_empty() {
        return Err(DialError::NoAddress);
    }
    if addresses.len() > DIAL_ADDRESSES_MAX {
        return Err(DialError::TooManyAddresses { found: addresses.len(), bound: DIAL_ADDRESSES_MAX });
    }
    let mut parsed = Vec::new();
    for text in addresses {
        let bad = |reason| DialError::BadAddress { address: text.clone(), reason };
        let (address, named) = address::parse(text).map_err(bad)?;
        if peer.is_some() && named.is_some() && named != peer {
            return Err(bad("it names another peer".to_owned()));
        }
        parsed.push((named, address));
    }
    Ok(match peer {
        Some(_) => vec![(peer, parsed.into_iter().map(|(_, address)| address).collect())],
        None => parsed.into_iter().map(|(named, address)| (named, vec![address])).collect(),
    })
}
