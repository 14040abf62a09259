//! Drives one sync session over one stream.
//!
//! Tasks with bounded queues between them: one reads frames, one writes them (short messages before long ones, so
//! that two peers that stream to each other never wait for each other), one verifies chunks on every core and hands
//! them to the writer of the state, and the session itself in the middle. A slow disk slows the reading, which slows
//! the sender. The session takes a frame only while there is room for a chunk, so it never waits for a queue that
//! waits for it.

use std::time::Duration;

use protocol::charter::LogNumber;
use protocol::entry::Entry;
use protocol::identity::{MemberNumber, PublicKey};
use protocol::limits::{MESSAGE_BYTES_MAX, REQUESTS_IN_FLIGHT_MAX};
use protocol::sync::chunk::{self, Chunk, ChunkBuilder, Sifted};
use protocol::sync::fault::Fault;
use protocol::sync::message::{Message, Span};
use protocol::sync::session::{IDLE_MS_MAX, Ingested, Output, Session, Summary, SyncError};
use serde_bytes::ByteBuf;
use thiserror::Error;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

use crate::core::{BlockError, Core, PublishError, now_ms};
use crate::network::{FrameError, PeerStream, read_frame, write_frame};

/// Frames read ahead of the session.
const FRAMES_AHEAD: usize = 4;
/// Results that wait for the session.
const RESULTS_WAITING: usize = 16;
/// Short messages that wait to be written. The session's own bounds keep it below this.
const SHORT_WAITING: usize = 256;
/// Chunks that wait to be written.
const CHUNKS_WAITING: usize = 4;
/// Chunks that wait to be verified. While it is full, no frame is taken: the sender waits, and nothing else does.
const CHUNKS_AHEAD: usize = 16;
/// Entries read from the store at a time while serving.
const SERVE_ENTRIES: usize = 512;
/// Canonical bytes read from the store at a time while serving.
const SERVE_BYTES: usize = 1024 * 1024;
/// How long a session may last; the next one goes on where it stopped.
pub(super) const SESSION_LONGEST: Duration = Duration::from_secs(15 * 60);
/// How long one frame may take to be written before the peer counts as stuck.
const WRITE_WAIT: Duration = Duration::from_secs(30);

/// Why a session ended before both sides were done.
#[derive(Debug, Error)]
pub enum Failure {
    /// The stream broke.
    #[error("the stream broke: {0}")]
    Stream(#[from] FrameError),
    /// The peer closed the stream.
    #[error("the peer closed the stream")]
    Closed,
    /// What the peer sent, or did not send.
    #[error(transparent)]
    Peer(#[from] Fault),
    /// This node's own fault.
    #[error("the session panicked")]
    Panicked,
    /// This node is shutting down, or its disk failed.
    #[error("this node cannot take it: {0}")]
    Node(#[from] PublishError),
}

impl Failure {
    /// Whether only a faulty or hostile peer causes it.
    pub fn is_offence(&self) -> bool {
        match self {
            Self::Peer(fault) => fault.is_offence(),
            Self::Stream(_) | Self::Closed | Self::Panicked | Self::Node(_) => false,
        }
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        Self::Peer(error.into())
    }
}

/// What comes back to the session from its tasks.
enum Done {
    Ingested(Result<Ingested, Failure>),
    Served(u64),
    WriteFailed(FrameError),
}

/// Runs a session to its end.
pub async fn run_session(core: &Core, member: MemberNumber, stream: PeerStream) -> Result<Summary, Failure> {
    let (read, write) = tokio::io::split(stream);
    let (frames, mut frame_queue) = mpsc::channel(FRAMES_AHEAD);
    let (done, mut done_queue) = mpsc::channel(RESULTS_WAITING);
    let (short, short_queue) = mpsc::channel(SHORT_WAITING);
    let (long, long_queue) = mpsc::channel(CHUNKS_WAITING);
    let (chunks, chunk_queue) = mpsc::channel(CHUNKS_AHEAD);
    // Dropped together when the session ends, however it ends.
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(read_frames(read, frames));
    let mut writer = AbortOnDrop(tokio::spawn(write_frames(write, short_queue, long_queue, done.clone())));
    tasks.spawn(ingest_chunks(core.clone(), chunk_queue, done.clone()));
    // One after the other: entries of one log must arrive in order, or their predecessors are missing.
    let (requests, mut request_queue) = mpsc::channel::<(u32, Vec<Span>)>(REQUESTS_IN_FLIGHT_MAX);
    let (serving_core, served) = (core.clone(), done.clone());
    tasks.spawn(async move {
        while let Some((id, spans)) = request_queue.recv().await {
            // A thread for each request, and none while nothing is asked: sessions may be many, threads are few.
            let (core, long) = (serving_core.clone(), long.clone());
            let serving = tokio::task::spawn_blocking(move || serve(&core, id, &spans, &long));
            let Ok(entries) = serving.await else { return };
            if served.send(Done::Served(entries)).await.is_err() {
                return;
            }
        }
    });

    let held = core.heads().1;
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|_| Failure::Closed)?;
    let session = Session::new(nonce, now_ms());
    drop(done);
    let mut driver = Driver { core, session, short, chunks, requests, finished: false };
    let outputs = core.read(|state| driver.session.start(&state.replica));
    driver.perform(outputs).await?;
    while !driver.finished {
        if core.has_failed() {
            return Err(PublishError::Closed.into());
        }
        let outputs = tokio::select! {
            Some(done) = done_queue.recv() => driver.resume(done)?,
            frame = frame_queue.recv(), if driver.chunks.capacity() > 0 => driver.handle(frame.ok_or(Failure::Closed)?)?,
            () = tokio::time::sleep(Duration::from_millis(IDLE_MS_MAX)) => {
                driver.session.handle_timeout(now_ms())?;
                Vec::new()
            }
        };
        driver.perform(outputs).await?;
    }
    let summary = driver.session.summary();
    drop(driver);
    // The last messages must leave before the stream closes; the writer ends when its queues are empty.
    let _ = tokio::time::timeout(WRITE_WAIT, &mut writer.0).await;
    core.note_held(member, held);
    Ok(summary)
}

/// Ends the task when the session ends early, so that a slow reader cannot keep it.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Driver<'a> {
    core: &'a Core,
    session: Session,
    short: mpsc::Sender<Vec<u8>>,
    chunks: mpsc::Sender<Chunk>,
    requests: mpsc::Sender<(u32, Vec<Span>)>,
    finished: bool,
}

impl Driver<'_> {
    fn handle(&mut self, frame: Result<Vec<u8>, FrameError>) -> Result<Vec<Output>, Failure> {
        let bytes = frame?;
        let message = Message::decode(&bytes).map_err(Fault::from)?;
        tracing::trace!(message = message.name(), bytes = bytes.len(), "sync message");
        Ok(self.core.read(|state| self.session.handle(message, &state.replica, now_ms()))?)
    }

    fn resume(&mut self, done: Done) -> Result<Vec<Output>, Failure> {
        match done {
            Done::Ingested(ingested) => {
                let ingested = ingested?;
                Ok(self.core.read(|state| self.session.resume(ingested, &state.replica))?)
            }
            Done::Served(entries) => Ok(self.core.read(|state| self.session.served(entries, &state.replica))),
            Done::WriteFailed(error) => Err(error.into()),
        }
    }

    async fn perform(&mut self, outputs: Vec<Output>) -> Result<(), Failure> {
        let mut pending: std::collections::VecDeque<Output> = outputs.into();
        while let Some(output) = pending.pop_front() {
            match output {
                Output::Send(message) => {
                    // An honest peer reads; one that does not fills its own queue and nothing else.
                    self.short.try_send(message.encode()).map_err(|error| match error {
                        mpsc::error::TrySendError::Full(_) => SyncError::Greedy.into(),
                        mpsc::error::TrySendError::Closed(_) => Failure::Closed,
                    })?;
                }
                Output::IngestBlocks(blocks) => {
                    match self.core.append_blocks(blocks).await {
                        Ok(_) => {}
                        Err(BlockError::Charter(error)) => Fault::of_blocks(error).map_or(Ok(()), Err)?,
                        Err(_) => return Err(PublishError::Closed.into()),
                    }
                    pending.extend(self.core.read(|state| self.session.resume(Ingested::default(), &state.replica))?);
                }
                Output::IngestProofs(proofs) => {
                    self.core.add_proofs(proofs).await?;
                    pending.extend(self.core.read(|state| self.session.resume(Ingested::default(), &state.replica))?);
                }
                // A frame holds at most one chunk, and there was room for one when it was taken.
                Output::IngestChunk(chunk) => self.chunks.try_send(chunk).map_err(|_| Failure::Closed)?,
                // The session allows no more requests than the queue holds.
                Output::Serve { id, spans } => {
                    self.requests.try_send((id, spans)).map_err(|_| SyncError::Greedy)?;
                }
                Output::Finish => self.finished = true,
            }
        }
        Ok(())
    }
}

async fn read_frames(mut read: ReadHalf<PeerStream>, frames: mpsc::Sender<Result<Vec<u8>, FrameError>>) {
    loop {
        let frame = read_frame(&mut read, MESSAGE_BYTES_MAX, SESSION_LONGEST).await;
        let ended = frame.is_err();
        if frames.send(frame).await.is_err() || ended {
            return;
        }
    }
}

async fn write_frames(
    mut write: WriteHalf<PeerStream>,
    mut short: mpsc::Receiver<Vec<u8>>,
    mut long: mpsc::Receiver<Vec<u8>>,
    done: mpsc::Sender<Done>,
) {
    loop {
        let bytes = tokio::select! {
            biased;
            Some(bytes) = short.recv() => bytes,
            Some(bytes) = long.recv() => bytes,
            else => break,
        };
        if let Err(error) = write_frame(&mut write, &bytes, WRITE_WAIT).await {
            // Whoever waits for room in these queues must not wait for ever.
            drop((short, long));
            let _ = done.send(Done::WriteFailed(error)).await;
            return;
        }
    }
    // The peer may have closed its side first.
    let _ = write.shutdown().await;
}

/// Verifies one chunk while the one before it is being committed.
async fn ingest_chunks(core: Core, mut chunks: mpsc::Receiver<Chunk>, done: mpsc::Sender<Done>) {
    let (verified, mut queue) = mpsc::channel(2);
    let verifying_core = core.clone();
    let mut verifying = tokio::task::JoinSet::new();
    verifying.spawn(async move {
        while let Some(chunk) = chunks.recv().await {
            if verified.send(verify_chunk(&verifying_core, chunk).await).await.is_err() {
                return;
            }
        }
    });
    while let Some(verified) = queue.recv().await {
        let ingested = match verified {
            Ok(sifted) => ingest(&core, sifted).await,
            Err(failure) => Err(failure),
        };
        let ended = ingested.is_err();
        if done.send(Done::Ingested(ingested)).await.is_err() || ended {
            return;
        }
    }
}

async fn verify_chunk(core: &Core, chunk: Chunk) -> Result<Sifted, Failure> {
    let keys: Vec<PublicKey> = core.read(|state| state.replica.charter().logs().iter().map(|log| log.key).collect());
    let decode = move || chunk::decode(&chunk, |log| keys.get(log as usize).copied());
    let decoded = tokio::task::spawn_blocking(decode).await.map_err(|_| Failure::Closed)?;
    let (logs, entries): (Vec<LogNumber>, Vec<Entry>) = decoded.map_err(SyncError::from)?.into_iter().unzip();
    let places: Vec<(LogNumber, u64)> =
        logs.into_iter().zip(entries.iter().map(|entry| entry.header().sequence)).collect();
    let verdicts = core.verify(entries).await;
    let sifted =
        chunk::sift(places.into_iter().zip(verdicts).map(|((log, sequence), verdict)| (log, sequence, verdict)));
    if sifted.bad_count > 0 {
        core.counters().add("bad-signature", sifted.bad_count);
    }
    Ok(sifted)
}

async fn ingest(core: &Core, sifted: Sifted) -> Result<Ingested, Failure> {
    let report = core.ingest(sifted.good).await?;
    match sifted.bad {
        Some((log, sequence)) => Err(Fault::Signature { log, sequence }.into()),
        None => Ok(report.ingested()),
    }
}

/// Streams the spans of a request. Ends early when the session is over or the store cannot read.
fn serve(core: &Core, id: u32, spans: &[Span], long: &mpsc::Sender<Vec<u8>>) -> u64 {
    let mut builder = ChunkBuilder::default();
    let mut served = 0;
    let send = |chunk: Chunk| {
        let message = Message::Chunk { id, bytes: chunk.bytes, payload: ByteBuf::from(chunk.payload) };
        long.blocking_send(message.encode()).is_ok()
    };
    for span in spans {
        let (mut from, until) = (span.from, span.from + span.count);
        while from < until {
            let room = SERVE_ENTRIES.min((until - from) as usize);
            let entries = match core.store().range(span.log, from, room, SERVE_BYTES) {
                Ok(entries) => entries,
                Err(error) => {
                    tracing::error!(%error, "entries cannot be served");
                    core.counters().add("store-read-failed", 1);
                    break;
                }
            };
            if entries.is_empty() {
                break;
            }
            for entry in &entries {
                if builder.push(span.log, entry).is_some_and(|chunk| !send(chunk)) {
                    return served;
                }
            }
            from += entries.len() as u64;
            served += entries.len() as u64;
        }
    }
    if builder.finish().is_none_or(send) {
        let _ = long.blocking_send(Message::RangeEnd { id }.encode());
    }
    served
}
