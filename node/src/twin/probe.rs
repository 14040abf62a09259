//! What a third member does: it asks on each connection of a peer which process is there, and introduces different
//! ones to one another.
//!
//! On a stream, each frame is answered by one frame. A frame of one byte asks: [`WHO`] for a call of the process at
//! the other end, [`ALONE`] for a probe of the asker's own connections, which is answered when it is done. Any other
//! frame is a call to be heard; it is answered by a call or, when there is nothing to say, by an empty frame.

use std::sync::Arc;
use std::time::Duration;

use protocol::identity::PublicKey;
use thiserror::Error;
use tokio::time::timeout;

use super::call::CALL_BYTES;
use super::{Call, Instance, PROBE_PAUSE, Twins};
use crate::network::{FrameError, OpenStreamError, PeerStream, StreamKind, read_frame, write_frame};

/// Which process are you?
const WHO: u8 = 0;
/// Is there another process with my keys among your connections?
const ALONE: u8 = 1;
/// Frames that one stream may bring: a question and, for each further process, two calls.
const FRAMES_MAX: usize = 16;
/// How long each connection has for a stream, and then for its answer. A dead one keeps a newcomer waiting so long.
const ANSWER_WAIT: Duration = Duration::from_millis(1_500);
/// How long introducing the processes of one peer to one another may take.
const INTRODUCTION_WAIT: Duration = Duration::from_secs(3);
/// How long the answer to a question may take: longer than the probe.
const ASK_WAIT: Duration = Duration::from_secs(10);

/// Why a member did not say whether another process uses this node's keys.
#[derive(Debug, Error)]
pub enum AskError {
    /// It takes no stream.
    #[error(transparent)]
    Stream(#[from] OpenStreamError),
    /// The stream broke, or the answer did not come in time.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// A process that answered.
struct Present {
    instance: Instance,
    call: Vec<u8>,
    stream: PeerStream,
}

impl Twins {
    /// Asks a member to look whether another process uses this node's keys. If one does, both know it on return.
    pub async fn ask(&self, peer: PublicKey) -> Result<(), AskError> {
        let mut stream = self.network.open_stream(peer, StreamKind::Instance).await?;
        write_frame(&mut stream, &[ALONE], ANSWER_WAIT).await?;
        read_frame(&mut stream, CALL_BYTES, ASK_WAIT).await?;
        Ok(())
    }

    /// A member has opened a further connection. It is probed soon, however often that happens.
    pub fn connected_again(self: &Arc<Self>, peer: PublicKey) {
        if let Some(again) = self.watched.lock().get_mut(&peer) {
            *again = true;
            return;
        }
        self.watched.lock().insert(peer, false);
        let twins = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                twins.probe(peer).await;
                tokio::time::sleep(PROBE_PAUSE).await;
                let mut watched = twins.watched.lock();
                match watched.get_mut(&peer) {
                    Some(again) if *again => *again = false,
                    _ => {
                        watched.remove(&peer);
                        return;
                    }
                }
            }
        });
    }

    /// Answers a stream that a member opened.
    pub async fn serve(&self, peer: PublicKey, mut stream: PeerStream) {
        for _ in 0..FRAMES_MAX {
            // The member takes its time between two frames: it waits for the other process.
            let Ok(frame) = read_frame(&mut stream, CALL_BYTES, ASK_WAIT).await else { return };
            let answer = match frame.as_slice() {
                [WHO] => self.call([0; 16]),
                [ALONE] => {
                    // One question of a peer at a time; the next one is told nothing and asks again.
                    if !self.asking.lock().insert(peer) {
                        return;
                    }
                    self.probe(peer).await;
                    self.asking.lock().remove(&peer);
                    Vec::new()
                }
                call => match Call::decode(call, &self.core.federation()) {
                    Ok(call) => self.hear(&call).unwrap_or_default(),
                    Err(_) => return self.core.counters().add("call-bad", 1),
                },
            };
            if write_frame(&mut stream, &answer, ANSWER_WAIT).await.is_err() {
                return;
            }
        }
    }

    /// Asks on each connection of a peer which process is there, and introduces different ones to one another.
    async fn probe(&self, peer: PublicKey) {
        let Ok(_place) = self.places.acquire().await else { return };
        let Ok(streams) = self.network.open_streams(peer, StreamKind::Instance, ANSWER_WAIT).await else { return };
        if streams.len() < 2 {
            return;
        }
        let asked = streams.into_iter().map(|stream| timeout(ANSWER_WAIT, self.present(peer, stream)));
        let answered = futures::future::join_all(asked).await;
        let mut present: Vec<Present> = answered.into_iter().filter_map(|answer| answer.ok().flatten()).collect();
        present.sort_by_key(|process| process.instance);
        present.dedup_by_key(|process| process.instance);
        let Some((first, others)) = present.split_first_mut().filter(|(_, others)| !others.is_empty()) else { return };
        tracing::warn!(peer = %peer.short(), "several processes use the keys of one member");
        self.core.counters().add("twins-introduced", 1);
        let introductions = async {
            for other in others {
                if let Err(error) = introduce(first, other).await {
                    tracing::debug!(peer = %peer.short(), %error, "one of them did not listen");
                }
            }
        };
        // Whoever was not reached in time is met by the next probe.
        let _ = timeout(INTRODUCTION_WAIT, introductions).await;
    }

    async fn present(&self, peer: PublicKey, mut stream: PeerStream) -> Option<Present> {
        let call = exchange(&mut stream, &[WHO]).await.ok()?;
        let said = Call::decode(&call, &self.core.federation()).ok().filter(|said| said.transport == peer)?;
        Some(Present { instance: said.instance, call, stream })
    }
}

/// Carries the calls of two processes across, and the answers back: then each knows that the other is alive.
async fn introduce(one: &mut Present, other: &mut Present) -> Result<(), FrameError> {
    let answer_of_one = exchange(&mut one.stream, &other.call).await?;
    let answer_of_other = exchange(&mut other.stream, &one.call).await?;
    // The one that may stay is told first; the other may be gone before it has answered.
    exchange(&mut one.stream, &answer_of_other).await?;
    exchange(&mut other.stream, &answer_of_one).await?;
    Ok(())
}

async fn exchange(stream: &mut PeerStream, frame: &[u8]) -> Result<Vec<u8>, FrameError> {
    write_frame(stream, frame, ANSWER_WAIT).await?;
    read_frame(stream, CALL_BYTES, ANSWER_WAIT).await
}
