//! Runs sync sessions with whom and when [`protocol::sync::agenda`] says: on connect, on a gap, and every so often with a
//! few random peers. Here are streams, tasks and the clock.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use protocol::identity::{MemberNumber, PublicKey};
use protocol::sync::agenda::{Agenda, Ended, PEERS_PER_ROUND};
use protocol::sync::session::{Summary, SyncError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use futures::FutureExt;

use super::driver::{Failure, SESSION_LONGEST, run_session};
use crate::core::Core;
use crate::network::{Network, PeerStream, StreamKind};

/// Requests that may wait. A request that finds the queue full is dropped: the next round makes up for it.
const REQUESTS: usize = 256;
/// How often due requests are looked at.
const TICK: Duration = Duration::from_millis(100);
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

/// Runs sessions.
pub struct Scheduler {
    core: Core,
    network: Network,
    requests: mpsc::Receiver<Request>,
    /// Members whose sessions ended well, for those who wait to hear from their peers.
    confirmed: mpsc::Sender<(PublicKey, MemberNumber)>,
    agenda: Agenda,
    /// Times of the agenda count from here.
    started: Instant,
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
        let (agenda, started, sessions) = (Agenda::new(own), Instant::now(), JoinSet::new());
        (Self { core, network, requests, confirmed, agenda, started, sessions, round }, SyncHandle(sender))
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

    /// Milliseconds since the start.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX / 2)
    }

    async fn take(&mut self, request: Request) {
        match request {
            Request::Peer { peer, after } => {
                let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX / 2);
                self.agenda.want(peer, self.now_ms() + after_ms);
                self.begin_due();
            }
            Request::Everybody => {
                let connected = self.connected().await;
                self.agenda.want_everybody(connected, self.now_ms());
                self.begin_due();
            }
            Request::Inbound { peer, stream } => self.begin(peer, Some(stream)),
            Request::Connected { peer, outbound } => {
                self.agenda.connected(peer, outbound, self.now_ms());
                self.begin_due();
            }
            Request::Gone { peer } => self.agenda.gone(&peer),
        }
    }

    fn begin_due(&mut self) {
        self.agenda.due(self.now_ms()).into_iter().for_each(|peer| self.begin(peer, None));
    }

    fn begin(&mut self, peer: PublicKey, inbound: Option<PeerStream>) {
        let member = self.core.read(|state| state.replica.charter().transport_keys().get(&peer).copied());
        let (running, now_ms) = (self.sessions.len(), self.now_ms());
        let begins = self.agenda.begin(peer, inbound.is_some(), member.is_some(), running, now_ms);
        // An inbound stream that is not taken is dropped here; its sender tries again later.
        let Some(member) = member.filter(|_| begins) else { return };
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
        let how = match &result {
            Ok(summary) => Ended::of(summary),
            Err(failure) => Ended::early(failure.is_offence()),
        };
        self.agenda.ended(peer, how, random_byte(), self.now_ms());
        match (how, result) {
            (Ended::Well, Ok(summary)) => {
                self.core.counters().add("sync-sessions", 1);
                if summary.entries_received > 0 || summary.blocks_received > 0 {
                    tracing::info!(%member, entries = summary.entries_received, blocks = summary.blocks_received, "synced");
                }
                // When nobody waits for it any more, nothing is lost.
                let _ = self.confirmed.try_send((peer, member));
            }
            (Ended::Undelivered, Ok(_)) => tracing::debug!(%member, "the peer claimed entries that it did not deliver"),
            (_, Ok(_)) => {}
            (Ended::Offence, Err(failure)) => {
                self.core.counters().add("sync-offences", 1);
                tracing::warn!(%member, peer = %peer.short(), %failure, "bad data from a peer");
            }
            (_, Err(failure)) => {
                self.core.counters().add("sync-failures", 1);
                tracing::debug!(%member, %failure, "sync ended early");
            }
        }
    }

    async fn connected(&self) -> Vec<PublicKey> {
        let peers = self.network.peers().await.unwrap_or_default();
        peers.into_iter().filter(|peer| peer.member).map(|peer| peer.peer).collect()
    }

    async fn begin_round(&mut self) {
        let connected = self.connected().await;
        let mut random = [0; 8 * PEERS_PER_ROUND];
        // Without randomness the first peers are taken, which is a fair second choice.
        let _ = getrandom::fill(&mut random);
        let (numbers, _) = random.as_chunks::<8>();
        let numbers = std::array::from_fn(|index| numbers.get(index).map_or(0, |bytes| u64::from_be_bytes(*bytes)));
        self.agenda.round(connected, numbers, self.now_ms());
        self.begin_due();
    }
}

/// One random byte; a fixed one when the system has none.
fn random_byte() -> u8 {
    let mut byte = [128];
    let _ = getrandom::fill(&mut byte);
    byte[0]
}
