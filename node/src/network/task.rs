//! The one task that owns the swarm.
//!
//! It waits for commands, for the swarm, and for room in the event channel, and never blocks on the consumer:
//!
//! - Gossip that finds the event channel full is dropped, counted, and reported as ignored, so that nobody is blamed.
//!   Gossip is a hint; sync brings what was in it.
//! - Every other event waits in the outbox, in order. When the outbox is full too, the swarm is not polled until the
//!   consumer has caught up: peers feel back-pressure, and nothing grows. Commands are served all the while, so a
//!   consumer that waits for a command inside its event loop cannot lock itself out; a command that needs the swarm
//!   (dial, open a stream) then ends at its own time limit.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Instant,
};

use futures::StreamExt as _;
use libp2p::{
    Multiaddr, Swarm,
    gossipsub::{self, MessageAcceptance},
    swarm::{
        ConnectionId,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use protocol::identity::PublicKey;
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};

use super::{
    address,
    command::{Command, GossipToken, NetworkEvent, Published, Verdict},
    error::{DialError, OpenStreamError, PublishError},
    gossip::{Topic, Topics},
    keys,
    limits::{DIALS_MAX, OUTBOX_MAX, SHUTDOWN_WAIT, TICK},
    offenders::Excess,
    peers::Peers,
    roster::Roster,
    statistics::Counters,
    stream::StreamKind,
    stream_handler::Reply,
    swarm::Protocols,
};

/// Where the answer to a dial goes.
type DialReply = oneshot::Sender<Result<PublicKey, DialError>>;

/// The swarm and all that is known about its connections.
pub(super) struct Task {
    pub(super) swarm: Swarm<Protocols>,
    pub(super) roster: Roster,
    pub(super) counters: Arc<Counters>,
    pub(super) topics: Topics,
    pub(super) peers: Peers,
    dials: HashMap<ConnectionId, Dial>,
    events: mpsc::Sender<NetworkEvent>,
    /// Events that found the channel full.
    outbox: VecDeque<NetworkEvent>,
}

/// A connection attempt and who waits for it.
struct Dial {
    peer: Option<PublicKey>,
    replies: Vec<DialReply>,
}

impl Task {
    pub(super) fn new(
        swarm: Swarm<Protocols>,
        roster: Roster,
        counters: Arc<Counters>,
        topics: Topics,
        events: mpsc::Sender<NetworkEvent>,
    ) -> Self {
        let (peers, dials, outbox) = (Peers::default(), HashMap::new(), VecDeque::new());
        Self { swarm, roster, counters, topics, peers, dials, events, outbox }
    }

    /// Runs until it is told to shut down or nobody is left to tell it.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let reply = loop {
            tokio::select! {
                () = room(&self.events), if !self.outbox.is_empty() => self.empty_outbox(),
                command = commands.recv() => match command {
                    Some(Command::Shutdown { reply }) => break Some(reply),
                    Some(command) => self.on_command(command),
                    None => break None,
                },
                event = self.swarm.select_next_some(), if self.outbox.len() < OUTBOX_MAX => self.on_swarm_event(event),
                _ = tick.tick() => self.close_overdue(),
            }
        };
        // What still waits in the queue learns that the network is closed, instead of waiting for the goodbyes.
        drop(commands);
        self.say_goodbye().await;
        // The sockets are closed before the caller goes on.
        drop(self);
        if let Some(reply) = reply {
            reply.send(()).ok();
        }
    }

    /// Sends an event that must not be lost, or lets it wait in the outbox.
    pub(super) fn tell(&mut self, event: NetworkEvent) {
        self.outbox.push_back(event);
        self.empty_outbox();
    }

    /// Sends what waits, as far as there is room.
    fn empty_outbox(&mut self) {
        while let Some(event) = self.outbox.pop_front() {
            match self.events.try_send(event) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(event)) => {
                    self.outbox.push_front(event);
                    return;
                }
                // Nobody wants events any more.
                Err(mpsc::error::TrySendError::Closed(_)) => self.outbox.clear(),
            }
        }
    }

    /// Sends gossip, or drops it when the node is behind. Gossip must not overtake what waits in the outbox.
    pub(super) fn tell_gossip(&mut self, topic: Topic, token: GossipToken, source: PublicKey, bytes: Vec<u8>) {
        // This task is the only sender, so the room cannot be taken by another meanwhile.
        if !self.outbox.is_empty() || self.events.capacity() == 0 {
            self.counters.gossip_shed.increment();
            self.counters.offenders.note(source, Excess::Shed, Instant::now());
            self.settle(&token, MessageAcceptance::Ignore);
            return;
        }
        self.counters.gossip_received.increment();
        self.counters.gossip_bytes_received.add(bytes.len() as u64);
        self.tell(NetworkEvent::Gossip { topic, token, source, bytes });
    }

    /// Ends gossipsub's wait for a verdict; false when it has given up waiting.
    pub(super) fn settle(&mut self, token: &GossipToken, acceptance: MessageAcceptance) -> bool {
        let gossip = self.swarm.behaviour_mut().gossip.inner_mut();
        gossip.report_message_validation_result(&token.id, &token.source, acceptance)
    }

    /// Answers those who wait for a connection attempt.
    pub(super) fn resolve_dial(&mut self, id: &ConnectionId, result: &Result<PublicKey, DialError>) {
        let Some(dial) = self.dials.remove(id) else { return };
        if result.is_err() {
            self.counters.dials_failed.increment();
        }
        for reply in dial.replies {
            reply.send(result.clone()).ok();
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Publish { topic, bytes, reply } => {
                reply.send(self.publish(topic, bytes)).ok();
            }
            Command::Report { token, verdict } => self.report(&token, verdict),
            Command::OpenStream { peer, kind, reply } => self.open_stream(&peer, kind, reply),
            Command::OpenStreams { peer, kind, replies } => {
                let streams = &mut self.swarm.behaviour_mut().streams;
                replies.send(keys::peer_id(&peer).map(|peer| streams.open_each(peer, kind)).unwrap_or_default()).ok();
            }
            Command::SetMembers { members, reply } => {
                self.set_members(members);
                reply.send(()).ok();
            }
            Command::Dial { peer, addresses, reply } => self.dial(peer, addresses, reply),
            Command::Disconnect { peer, reply } => {
                for connection in self.peers.connections(&peer) {
                    self.swarm.close_connection(connection);
                }
                reply.send(()).ok();
            }
            Command::Peers { reply } => {
                reply.send(self.peers.list()).ok();
            }
            Command::ListenAddresses { reply } => {
                reply.send(self.swarm.listeners().map(address::text).collect()).ok();
            }
            // The loop has taken it already.
            Command::Shutdown { reply } => drop(reply),
        }
    }

    fn publish(&mut self, topic: Topic, bytes: Vec<u8>) -> Result<Published, PublishError> {
        let length = bytes.len() as u64;
        let topic = self.topics.hash(topic).clone();
        match self.swarm.behaviour_mut().gossip.inner_mut().publish(topic, bytes) {
            Ok(_) => {
                self.counters.gossip_published.increment();
                self.counters.gossip_bytes_published.add(length);
                Ok(Published::Sent)
            }
            Err(gossipsub::PublishError::NoPeersSubscribedToTopic) => Ok(Published::NoPeers),
            Err(gossipsub::PublishError::Duplicate) => Ok(Published::Duplicate),
            Err(gossipsub::PublishError::AllQueuesFull(peers)) => {
                self.counters.slow_peer_drops.add(peers as u64);
                Ok(Published::Shed)
            }
            Err(error) => Err(PublishError::Refused { reason: error.to_string() }),
        }
    }

    fn report(&mut self, token: &GossipToken, verdict: Verdict) {
        let (acceptance, counter) = match verdict {
            Verdict::Accept => (MessageAcceptance::Accept, &self.counters.accepted),
            Verdict::Ignore => (MessageAcceptance::Ignore, &self.counters.ignored),
            Verdict::Reject => (MessageAcceptance::Reject, &self.counters.rejected),
        };
        counter.increment();
        if verdict == Verdict::Reject
            && let Some(source) = keys::public_key(&token.source)
        {
            tracing::info!(peer = %source.short(), "gossip message rejected");
            self.peers.on_rejected(&source);
            self.counters.offenders.note(source, Excess::Rejected, Instant::now());
        }
        if !self.settle(token, acceptance) {
            self.counters.late_verdicts.increment();
        }
    }

    fn open_stream(&mut self, peer: &PublicKey, kind: StreamKind, reply: Reply) {
        match keys::peer_id(peer) {
            Some(peer) => self.swarm.behaviour_mut().streams.open(peer, kind, reply),
            None => {
                reply.send(Err(OpenStreamError::NotConnected)).ok();
            }
        }
    }

    fn set_members(&mut self, members: BTreeSet<PublicKey>) {
        let cut = self.peers.cut(&members);
        let count = members.len();
        self.roster.replace(members);
        tracing::debug!(members = count, cut = cut.len(), "allow list replaced");
        for (peer, connections) in cut {
            tracing::info!(peer = %peer.short(), member = self.roster.holds(&peer), "connection cut: rights changed");
            if let Some(peer) = keys::peer_id(&peer) {
                let protocols = self.swarm.behaviour_mut();
                protocols.identify.cut(&peer);
                protocols.gossip.cut(&peer);
                protocols.streams.cut(&peer);
            }
            for connection in connections {
                self.swarm.close_connection(connection);
            }
            self.tell(NetworkEvent::Disconnected { peer });
        }
    }

    /// Dials one peer at some addresses, or whoever is at the first address.
    fn dial(&mut self, peer: Option<PublicKey>, addresses: Vec<Multiaddr>, reply: DialReply) {
        if let Some(key) = peer.filter(|key| self.peers.contains(key)) {
            reply.send(Ok(key)).ok();
            return;
        }
        if self.dials.values().map(|dial| dial.replies.len()).sum::<usize>() >= DIALS_MAX {
            reply.send(Err(DialError::Busy)).ok();
            return;
        }
        if let Some(dial) = self.dials.values_mut().find(|dial| peer.is_some() && dial.peer == peer) {
            dial.replies.push(reply);
            return;
        }
        match self.start_dial(peer, addresses) {
            Ok(id) => {
                self.dials.insert(id, Dial { peer, replies: vec![reply] });
            }
            Err(error) => {
                self.counters.dials_failed.increment();
                reply.send(Err(error)).ok();
            }
        }
    }

    fn start_dial(&mut self, peer: Option<PublicKey>, addresses: Vec<Multiaddr>) -> Result<ConnectionId, DialError> {
        let options = match peer {
            // Whether the peer is connected was asked above. The library would count a connection that is being cut.
            Some(key) => DialOpts::peer_id(keys::peer_id(&key).ok_or(DialError::BadKey(key))?)
                .condition(PeerCondition::Always)
                .addresses(addresses)
                .build(),
            None => {
                let address = addresses.into_iter().next().ok_or(DialError::NoAddress)?;
                DialOpts::unknown_peer_id().address(address).build()
            }
        };
        let id = options.connection_id();
        self.swarm.dial(options).map_err(super::events::dial_error)?;
        Ok(id)
    }

    fn close_overdue(&mut self) {
        for connection in self.swarm.behaviour().door.overdue(Instant::now()) {
            tracing::debug!(%connection, "stranger stayed too long");
            self.counters.strangers_overdue.increment();
            self.swarm.close_connection(connection);
        }
    }

    /// Closes every connection and waits a moment for the peers to notice.
    async fn say_goodbye(&mut self) {
        for connection in self.peers.all_connections() {
            self.swarm.close_connection(connection);
        }
        let goodbyes = async {
            while !self.peers.is_empty() {
                let event = self.swarm.select_next_some().await;
                self.on_swarm_event(event);
                self.outbox.clear();
            }
        };
        if tokio::time::timeout(SHUTDOWN_WAIT, goodbyes).await.is_err() {
            tracing::debug!("some peers did not notice the shutdown in time");
        }
    }
}

/// Waits until the channel has room, or nobody wants events any more. The task is the only sender: the room stays.
async fn room(events: &mpsc::Sender<NetworkEvent>) {
    events.reserve().await.ok();
}
