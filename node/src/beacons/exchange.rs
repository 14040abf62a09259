//! The streams on which beacons travel: a few partners among the connected members, each offered what is new.
//!
//! A node opens streams to [`PARTNERS`] members and takes some more from others ([`PARTNERS_TAKEN`]); a node that nobody takes is taken
//! beyond that, so that a federation around one hub is reached whole. [`protocol::beacon::relay`] decides what is said;
//! here are streams, bounds and time. Partners also tell one another the time, for the health page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::beacon::relay::{Message, Pace};
use protocol::beacon::timing::offer_pause_ms;
use protocol::charter::Purpose;
use protocol::identity::PublicKey;
use protocol::limits::RELAY_FRAME_BYTES_MAX;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Beacons, Judgement};
use crate::core::now_ms;
use crate::network::{Network, PeerStream, StreamKind, read_frame, write_frame};

/// Partners that a node chooses.
pub const PARTNERS: usize = 3;
/// Partners that it takes beside them.
pub const PARTNERS_TAKEN: usize = 4;
/// Partners that it takes if nobody else does.
const LONELY_TAKEN: usize = 256;
/// Streams that wait to be taken, and frames that wait to be read.
const QUEUE: usize = 64;
/// Frames that wait to be written to one partner; one that lets more wait is given up.
const UNSENT_MAX: usize = 32;
/// How often the exchange looks what is due.
const TICK: Duration = Duration::from_millis(100);
/// How often partners are looked for.
const CHOOSE_PAUSE: Duration = Duration::from_secs(1);
/// How long a member that took no partner is left alone.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);
/// How long a member that took up this node as its partner must wait to do so again: it is offered everything anew.
const GREET_PAUSE: Duration = Duration::from_secs(3);
/// How long a greeting and a write may take.
const FRAME_WAIT: Duration = Duration::from_secs(30);
/// How long a partner may say nothing. A dead connection is noticed by pings long before.
const SILENCE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How often a partner is asked for the time.
const CLOCK_PAUSE: Duration = Duration::from_secs(300);
/// How often expired beacons are looked for.
const EXPIRE_PAUSE: Duration = Duration::from_secs(60);

/// The pause between two offers; see [`offer_pause_ms`].
pub fn offer_pause(members: usize) -> Duration {
    Duration::from_millis(offer_pause_ms(members))
}

/// Where streams of beacons go that others opened.
#[derive(Clone)]
pub struct ExchangeHandle(mpsc::Sender<Input>);

impl ExchangeHandle {
    /// Takes a stream that a member opened, unless too many wait.
    pub fn inbound(&self, peer: PublicKey, stream: PeerStream) {
        let _ = self.0.try_send(Input::Inbound { peer, stream });
    }
}

enum Input {
    Inbound { peer: PublicKey, stream: PeerStream },
    Greeted { peer: PublicKey, stream: PeerStream, alone: bool },
    Opened { peer: PublicKey, stream: Option<PeerStream> },
    Frame { peer: PublicKey, serial: u64, bytes: Vec<u8> },
    Ended { peer: PublicKey, serial: u64 },
}

struct Partner {
    serial: u64,
    /// Whether this node chose it.
    chosen: bool,
    frames: mpsc::Sender<Vec<u8>>,
    /// The question for the time that is open.
    asked: Option<(u64, Instant)>,
    ask_at: Instant,
    _tasks: JoinSet<()>,
}

/// Runs the exchange.
pub struct Exchange {
    beacons: Arc<Beacons>,
    network: Network,
    inputs: mpsc::Receiver<Input>,
    sender: mpsc::Sender<Input>,
    partners: BTreeMap<PublicKey, Partner>,
    opening: BTreeSet<PublicKey>,
    refused: BTreeMap<PublicKey, Instant>,
    /// Until when members are not taken that greeted just now, or handed over what is no beacon.
    barred: BTreeMap<PublicKey, Instant>,
    work: JoinSet<()>,
    serial: u64,
}

impl Exchange {
    /// An exchange of these beacons.
    pub fn new(beacons: Arc<Beacons>, network: Network) -> (Self, ExchangeHandle) {
        let (sender, inputs) = mpsc::channel(QUEUE);
        let handle = ExchangeHandle(sender.clone());
        let exchange = Self {
            beacons,
            network,
            inputs,
            sender,
            partners: BTreeMap::new(),
            opening: BTreeSet::new(),
            refused: BTreeMap::new(),
            barred: BTreeMap::new(),
            work: JoinSet::new(),
            serial: 0,
        };
        (exchange, handle)
    }

    /// Works until the network is gone.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let begun = Instant::now();
        let (mut offer_at, mut choose_at, mut expire_at) = (begun, begun, begun + EXPIRE_PAUSE);
        loop {
            tokio::select! {
                Some(input) = self.inputs.recv() => self.take(input).await,
                _ = tick.tick() => {}
            }
            while self.work.try_join_next().is_some() {}
            let now = Instant::now();
            if now >= choose_at {
                choose_at = now + CHOOSE_PAUSE;
                if self.choose(now).await.is_err() {
                    return;
                }
                self.ask_times(now);
            }
            if now >= offer_at {
                // Half to one and a half of it, so that no node is always the first to offer and serves the others.
                let pause = offer_pause(self.beacons.members());
                offer_at = now + pause / 2 + pause * (random() % 256) as u32 / 256;
                let due = self.beacons.relay.lock().due(self.beacons.health.steady_ms());
                due.into_iter().for_each(|(peer, message)| self.send(&peer, &message));
            }
            if now >= expire_at {
                expire_at = now + EXPIRE_PAUSE;
                let live = self.beacons.core.read(|state| state.replica.charter().transport_keys());
                let steady_ms = self.beacons.health.steady_ms();
                self.beacons.relay.lock().expire(steady_ms, |key| live.contains_key(key));
            }
        }
    }

    /// Opens streams to members that are connected, while partners are missing.
    async fn choose(&mut self, now: Instant) -> Result<(), crate::network::NetworkClosed> {
        let peers = self.network.peers().await?;
        let members: BTreeSet<PublicKey> = peers.iter().filter(|peer| peer.member).map(|peer| peer.peer).collect();
        let gone: Vec<PublicKey> = self.partners.keys().filter(|peer| !members.contains(peer)).copied().collect();
        gone.iter().for_each(|peer| self.forget(peer));
        self.refused.retain(|peer, until| *until > now && members.contains(peer));
        self.barred.retain(|_, until| *until > now);
        let pace = Pace { senders: self.beacons.members() as u64, spacing_ms: self.beacons.spacing_ms() };
        self.beacons.relay.lock().pace(pace);
        let chosen = self.partners.values().filter(|partner| partner.chosen).count() + self.opening.len();
        let mut free: Vec<PublicKey> = members
            .iter()
            .filter(|peer| {
                !self.partners.contains_key(peer) && !self.opening.contains(peer) && !self.refused.contains_key(peer)
            })
            .copied()
            .collect();
        // Who is a partner already, by its own choice, is as good as a chosen one.
        let taken = self.partners.len().saturating_sub(chosen).min(PARTNERS / 2);
        for _ in (chosen + taken)..PARTNERS {
            if free.is_empty() {
                break;
            }
            let peer = free.swap_remove((random() % free.len() as u64) as usize);
            self.opening.insert(peer);
            let (network, sender) = (self.network.clone(), self.sender.clone());
            self.work.spawn(async move {
                let stream = network.open_stream(peer, StreamKind::Beacons).await.ok();
                let _ = sender.send(Input::Opened { peer, stream }).await;
            });
        }
        Ok(())
    }

    async fn take(&mut self, input: Input) {
        match input {
            Input::Inbound { peer, mut stream } => {
                if self.work.len() >= QUEUE {
                    return;
                }
                let sender = self.sender.clone();
                self.work.spawn(async move {
                    let frame = read_frame(&mut stream, RELAY_FRAME_BYTES_MAX, FRAME_WAIT).await;
                    let greeting = frame.ok().and_then(|frame| Message::decode(&frame).ok());
                    if let Some(Message::Greet { alone }) = greeting {
                        let _ = sender.send(Input::Greeted { peer, stream, alone }).await;
                    }
                });
            }
            Input::Greeted { peer, stream, alone } => self.greeted(peer, stream, alone),
            Input::Opened { peer, stream } => {
                self.opening.remove(&peer);
                match stream {
                    // It came to us meanwhile; one stream serves both ways.
                    Some(_) if self.partners.contains_key(&peer) => {}
                    Some(stream) => {
                        let alone = self.partners.is_empty();
                        self.begin(peer, stream, true);
                        self.send(&peer, &Message::Greet { alone });
                    }
                    None => self.refuse(peer),
                }
            }
            Input::Frame { peer, serial, bytes } => self.frame(peer, serial, &bytes).await,
            Input::Ended { peer, serial } => {
                if self.partners.get(&peer).is_some_and(|partner| partner.serial == serial) {
                    self.forget(&peer);
                    self.refuse(peer);
                }
            }
        }
    }

    /// Leaves a member alone for a while, unless nobody else is there.
    fn refuse(&mut self, peer: PublicKey) {
        let pause = if self.partners.is_empty() { CHOOSE_PAUSE } else { REFUSED_PAUSE };
        self.refused.insert(peer, Instant::now() + pause);
    }

    /// Takes a partner that chose this node, while there is room.
    fn greeted(&mut self, peer: PublicKey, stream: PeerStream, alone: bool) {
        let now = Instant::now();
        if self.barred.get(&peer).is_some_and(|until| *until > now) {
            self.beacons.core.counters().add("beacon-greetings", 1);
            return;
        }
        let own = protocol::identity::public_key(&self.beacons.key);
        if let Some(partner) = self.partners.get(&peer) {
            // Both chose one another at once: the stream of the greater key stays. A stream whose other end was lost
            // is replaced in any case.
            if partner.chosen && own > peer {
                return;
            }
            self.forget(&peer);
        }
        let taken = self.partners.values().filter(|partner| !partner.chosen).count();
        if taken < if alone { LONELY_TAKEN } else { PARTNERS_TAKEN } {
            self.barred.insert(peer, now + GREET_PAUSE);
            self.begin(peer, stream, false);
        }
    }

    fn begin(&mut self, peer: PublicKey, stream: PeerStream, chosen: bool) {
        self.serial += 1;
        let serial = self.serial;
        let (reader, writer) = tokio::io::split(stream);
        let (frames, queue) = mpsc::channel(UNSENT_MAX);
        let mut tasks = JoinSet::new();
        tasks.spawn(read(peer, serial, reader, self.sender.clone()));
        tasks.spawn(write(peer, serial, writer, queue, self.sender.clone()));
        let partner = Partner { serial, chosen, frames, asked: None, ask_at: Instant::now(), _tasks: tasks };
        self.partners.insert(peer, partner);
        self.beacons.relay.lock().link(peer);
    }

    fn forget(&mut self, peer: &PublicKey) {
        self.partners.remove(peer);
        self.beacons.relay.lock().unlink(peer);
    }

    fn send(&mut self, peer: &PublicKey, message: &Message) {
        let Some(partner) = self.partners.get(peer) else { return };
        if partner.frames.try_send(message.encode()).is_err() {
            self.beacons.core.counters().add("beacon-partner-slow", 1);
            self.forget(peer);
        }
    }

    async fn frame(&mut self, peer: PublicKey, serial: u64, bytes: &[u8]) {
        if self.partners.get(&peer).is_none_or(|partner| partner.serial != serial) {
            return;
        }
        let Ok(message) = Message::decode(bytes) else {
            self.beacons.core.counters().add("beacon-bad", 1);
            return self.forget(&peer);
        };
        match message {
            // A greeting is of no use later.
            Message::Greet { .. } => {}
            Message::Offer(ids) => {
                let wanted = self.beacons.relay.lock().offer(&peer, &ids, self.beacons.health.steady_ms());
                if !wanted.is_empty() {
                    self.send(&peer, &Message::Want(wanted));
                }
            }
            Message::Want(ids) => {
                let beacons = self.beacons.wanted(&peer, &ids);
                Message::carrying(beacons).iter().for_each(|message| self.send(&peer, message));
            }
            Message::Beacons(beacons) => {
                for bytes in beacons {
                    let expected = self.beacons.relay.lock().expects(&peer, &bytes);
                    if expected && self.beacons.take(peer, &bytes).await == Judgement::Bad {
                        let until = Instant::now() + REFUSED_PAUSE;
                        self.barred.insert(peer, until);
                        self.refused.insert(peer, until);
                        return self.forget(&peer);
                    }
                }
            }
            Message::Ask { nonce } => self.send(&peer, &Message::Tell { nonce, clock_ms: now_ms() }),
            Message::Tell { nonce, clock_ms } => self.told(&peer, nonce, clock_ms),
        }
    }

    fn ask_times(&mut self, now: Instant) {
        let due: Vec<PublicKey> =
            self.partners.iter().filter(|(_, partner)| partner.ask_at <= now).map(|(peer, _)| *peer).collect();
        for peer in due {
            self.serial += 1;
            let nonce = self.serial;
            if let Some(partner) = self.partners.get_mut(&peer) {
                (partner.asked, partner.ask_at) = (Some((nonce, now)), now + CLOCK_PAUSE);
            }
            self.send(&peer, &Message::Ask { nonce });
        }
    }

    fn told(&mut self, peer: &PublicKey, nonce: u64, clock_ms: u64) {
        let Some(partner) = self.partners.get_mut(peer) else { return };
        let Some((_, asked)) = partner.asked.take_if(|(asked, _)| *asked == nonce) else { return };
        let charter_holder =
            |key: &PublicKey| self.beacons.core.read(|state| state.replica.charter().holder(key, Purpose::Transport));
        if let Some(member) = charter_holder(peer) {
            let round_trip_ms = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.beacons.health.told_time(member, clock_ms, round_trip_ms);
        }
    }
}

/// A random number; zero where the system has none, which is a fair second choice.
fn random() -> u64 {
    let mut bytes = [0; 8];
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

async fn read(peer: PublicKey, serial: u64, mut reader: ReadHalf<PeerStream>, inputs: mpsc::Sender<Input>) {
    while let Ok(bytes) = read_frame(&mut reader, RELAY_FRAME_BYTES_MAX, SILENCE_MAX).await {
        if inputs.send(Input::Frame { peer, serial, bytes }).await.is_err() {
            return;
        }
    }
    let _ = inputs.send(Input::Ended { peer, serial }).await;
}

async fn write(
    peer: PublicKey,
    serial: u64,
    mut writer: WriteHalf<PeerStream>,
    mut queue: mpsc::Receiver<Vec<u8>>,
    inputs: mpsc::Sender<Input>,
) {
    while let Some(bytes) = queue.recv().await {
        if write_frame(&mut writer, &bytes, FRAME_WAIT).await.is_err() {
            let _ = inputs.send(Input::Ended { peer, serial }).await;
            return;
        }
    }
}
