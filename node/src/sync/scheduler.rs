//! Decides with whom and when to sync: on connect, on a gap, and every so often with a few random peers.
//!
//! One session per peer at a time, whoever began it. A peer that fails is left alone for a while, longer each time.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use protocol::identity::{MemberNumber, PublicKey};
use protocol::sync::session::{Summary, SyncError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use futures::FutureExt;

use super::driver::{Failure, SESSION_LONGEST, run_session};
use crate::core::Core;
use crate::network::{Network, PeerStream, StreamKind};

/// Requests that may wait. A request that finds the queue full is dropped: the next round makes up for it.
const REQUESTS: usize = 256;
/// Sessions that run at a time, begun by either side.
const SESSIONS: usize = 16;
/// Of these, places that only sessions begun by this node can take.
const SESSIONS_OWN: usize = 4;
/// How long the side that was dialled leaves the first session to the other.
const INBOUND_GRACE: Duration = Duration::from_secs(3);
/// Random peers in each round.
const PEERS_PER_ROUND: usize = 2;
/// How often due requests are looked at.
const TICK: Duration = Duration::from_millis(100);
/// The first wait after a failure; it doubles with each further one.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// The longest wait after failures.
const BACKOFF_LONGEST: Duration = Duration::from_secs(120);

enum Request {
    /// Sync with a peer once this much time has passed.
    Peer { peer: PublicKey, after: Duration },
    /// A peer began a session.
    Inbound { peer: PublicKey, stream: PeerStream },
    /// A peer is here.
    Connected { peer: PublicKey, outbound: bool },
    /// A peer is gone.
    Gone { peer: PublicKey },
    /// Sync with everybody who is connected.
    Everybody,
}

/// Asks the scheduler for sessions.
#[derive(Clone)]
pub struct SyncHandle(mpsc::Sender<Request>);

impl SyncHandle {
    /// Sync with a peer soon.
    pub fn now(&self, peer: PublicKey) {
        self.after(peer, Duration::ZERO);
    }

    /// Sync with a peer once this much time has passed, unless the digests are equal then.
    pub fn after(&self, peer: PublicKey, after: Duration) {
        let _ = self.0.try_send(Request::Peer { peer, after });
    }

    /// Sync with every connected member soon.
    pub fn everybody(&self) {
        let _ = self.0.try_send(Request::Everybody);
    }

    /// A member connected; sync with it at once if this node dialled it, and soon if it did not.
    pub async fn connected(&self, peer: PublicKey, outbound: bool) {
        let _ = self.0.send(Request::Connected { peer, outbound }).await;
    }

    /// Answer a session that a peer began.
    pub async fn inbound(&self, peer: PublicKey, stream: PeerStream) {
        let _ = self.0.send(Request::Inbound { peer, stream }).await;
    }

    /// Forget a peer that is gone.
    pub async fn gone(&self, peer: PublicKey) {
        let _ = self.0.send(Request::Gone { peer }).await;
    }
}

#[derive(Default)]
struct Peer {
    /// Sessions that run; two for a moment when both sides began one.
    running: u32,
    /// Whether it disconnected while a session ran.
    gone: bool,
    /// Whether its last failure was an offence.
    offended: bool,
    due: Option<Instant>,
    failures: u32,
    wait_until: Option<Instant>,
}

/// Runs sessions.
pub struct Scheduler {
    core: Core,
    network: Network,
    own: PublicKey,
    requests: mpsc::Receiver<Request>,
    /// Members whose sessions ended well, for those who wait to hear from their peers.
    confirmed: mpsc::Sender<(PublicKey, MemberNumber)>,
    peers: BTreeMap<PublicKey, Peer>,
    sessions: JoinSet<(PublicKey, MemberNumber, Result<Summary, Failure>)>,
    round: Duration,
}

impl Scheduler {
    /// A scheduler with a round of random sessions every `round`.
    pub fn new(
        core: Core,
        network: Network,
        own: PublicKey,
        round: Duration,
        confirmed: mpsc::Sender<(PublicKey, MemberNumber)>,
    ) -> (Self, SyncHandle) {
        let (sender, requests) = mpsc::channel(REQUESTS);
        let (peers, sessions) = (BTreeMap::new(), JoinSet::new());
        (Self { core, network, own, requests, confirmed, peers, sessions, round }, SyncHandle(sender))
    }

    /// Works until every handle is gone.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        let mut round = tokio::time::interval(self.round);
        loop {
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(request) => self.take(request).await,
                    None => return,
                },
                Some(ended) = self.sessions.join_next() => {
                    if let Ok((peer, member, result)) = ended {
                        self.ended(peer, member, result);
                    }
                }
                _ = tick.tick() => self.begin_due(),
                _ = round.tick() => self.begin_round().await,
            }
        }
    }

    async fn take(&mut self, request: Request) {
        match request {
            Request::Peer { peer, after } => {
                let due = Instant::now() + after;
                let known = self.peers.entry(peer).or_default();
                known.due = Some(known.due.map_or(due, |before| before.min(due)));
                self.begin_due();
            }
            Request::Everybody => {
                for peer in self.connected().await {
                    let known = self.peers.entry(peer).or_default();
                    known.due = Some(Instant::now());
                    known.wait_until = None;
                }
                self.begin_due();
            }
            Request::Inbound { peer, stream } => self.begin(peer, Some(stream)),
            Request::Connected { peer, outbound } => {
                let known = self.peers.entry(peer).or_default();
                known.gone = false;
                if !known.offended {
                    known.failures = 0;
                    known.wait_until = None;
                }
                // One side begins, so that two sessions do not fetch the same things; the other makes sure later.
                known.due = Some(Instant::now() + if outbound { Duration::ZERO } else { INBOUND_GRACE });
                self.begin_due();
            }
            Request::Gone { peer } => {
                if let Some(known) = self.peers.get_mut(&peer) {
                    known.gone = true;
                    if known.running == 0 && !known.offended {
                        self.peers.remove(&peer);
                    }
                }
            }
        }
    }

    fn begin_due(&mut self) {
        let now = Instant::now();
        let is_due = |peer: &Peer| {
            peer.running == 0
                && !peer.gone
                && peer.due.is_some_and(|due| due <= now)
                && peer.wait_until.is_none_or(|until| until <= now)
        };
        let due: Vec<PublicKey> = self.peers.iter().filter(|(_, peer)| is_due(peer)).map(|(key, _)| *key).collect();
        due.into_iter().for_each(|peer| self.begin(peer, None));
    }

    fn begin(&mut self, peer: PublicKey, inbound: Option<PeerStream>) {
        let known = self.peers.entry(peer).or_default();
        let banned = known.offended && known.wait_until.is_some_and(|until| until > Instant::now());
        // When both sides begin at once, the session of the side with the lower key goes on.
        let crossing = inbound.is_some() && known.running == 1 && peer < self.own;
        // Own sessions always have room.
        let room = if inbound.is_some() { SESSIONS - SESSIONS_OWN } else { SESSIONS };
        if (known.running > 0 && !crossing) || self.sessions.len() >= room || (banned && inbound.is_some()) {
            // An inbound stream is dropped here; its sender tries again later.
            return;
        }
        let Some(member) = self.core.read(|state| state.replica.charter().transport_keys().get(&peer).copied()) else {
            self.peers.remove(&peer);
            return;
        };
        known.running += 1;
        if inbound.is_none() {
            known.due = None;
        }
        let (core, network) = (self.core.clone(), self.network.clone());
        self.sessions.spawn(async move {
            let stream = match inbound {
                Some(stream) => Ok(stream),
                None => network.open_stream(peer, StreamKind::Sync).await,
            };
            let result = match stream {
                Ok(stream) => {
                    let session = AssertUnwindSafe(run_session(&core, member, stream)).catch_unwind();
                    match tokio::time::timeout(SESSION_LONGEST, session).await {
                        Ok(Ok(result)) => result,
                        Ok(Err(_)) => Err(Failure::Panicked),
                        Err(_) => Err(SyncError::TooLong.into()),
                    }
                }
                Err(error) => {
                    tracing::debug!(peer = %peer.short(), %error, "no sync stream");
                    Err(Failure::Closed)
                }
            };
            (peer, member, result)
        });
    }

    fn ended(&mut self, peer: PublicKey, member: MemberNumber, result: Result<Summary, Failure>) {
        let known = self.peers.entry(peer).or_default();
        known.running = known.running.saturating_sub(1);
        known.offended = result.as_ref().is_err_and(Failure::is_offence);
        if known.gone && known.running == 0 && !known.offended {
            self.peers.remove(&peer);
            return;
        }
        match result {
            Ok(summary) if summary.entries_left_out > 0 => {
                known.due = Some(Instant::now());
                return;
            }
            Ok(summary) if summary.undelivered == 0 => {
                known.failures = 0;
                known.wait_until = None;
                self.core.counters().add("sync-sessions", 1);
                if summary.entries_received > 0 || summary.blocks_received > 0 {
                    tracing::info!(%member, entries = summary.entries_received, blocks = summary.blocks_received, "synced");
                }
                // When nobody waits for it any more, nothing is lost.
                let _ = self.confirmed.try_send((peer, member));
                return;
            }
            Ok(_) => tracing::debug!(%member, "the peer claimed entries that it did not deliver"),
            Err(failure) if failure.is_offence() => {
                self.core.counters().add("sync-offences", 1);
                tracing::warn!(%member, peer = %peer.short(), %failure, "bad data from a peer");
            }
            Err(failure) => {
                self.core.counters().add("sync-failures", 1);
                tracing::debug!(%member, %failure, "sync ended early");
            }
        }
        known.failures = (known.failures + 1).min(16);
        let wait = BACKOFF_FIRST.saturating_mul(1 << (known.failures - 1)).min(BACKOFF_LONGEST);
        // Two peers that failed together must not try again together.
        let wait = wait / 2 + wait.mul_f64(f64::from(random_byte()) / 255.0);
        known.wait_until = Some(Instant::now() + wait);
        // What was wanted is still wanted.
        known.due.get_or_insert_with(Instant::now);
    }

    async fn connected(&self) -> Vec<PublicKey> {
        let peers = self.network.peers().await.unwrap_or_default();
        peers.into_iter().filter(|peer| peer.member).map(|peer| peer.peer).collect()
    }

    async fn begin_round(&mut self) {
        let mut connected = self.connected().await;
        let mut random = [0; 8 * PEERS_PER_ROUND];
        // Without randomness the first peers are taken, which is a fair second choice.
        let _ = getrandom::fill(&mut random);
        for bytes in random.chunks_exact(8) {
            if connected.is_empty() {
                break;
            }
            let number = bytes.iter().fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte));
            let peer = connected.swap_remove(number % connected.len());
            self.peers.entry(peer).or_default().due = Some(Instant::now());
        }
        self.begin_due();
    }
}

/// One random byte; a fixed one when the system has none.
fn random_byte() -> u8 {
    let mut byte = [128];
    let _ = getrandom::fill(&mut byte);
    byte[0]
}
