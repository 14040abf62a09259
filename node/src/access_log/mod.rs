//! The log of logins and writes: who asked this node to do what, when, and with what outcome.
//!
//! Lines of JSON in `access/` of the data directory. Each names the hash of the one before, so that a line that was
//! changed or taken out is noticed, and the file `head` remembers the last, so that lines missing at the end are, too
//! (it may be a second behind, so lines of the last second before a crash can go unmissed).
//! Old files make room for new ones; the chain goes on from one to the next. A key would prove no more: who can write
//! to the directory has it. Whoever notes a hash elsewhere can prove that nothing before it was changed.
//!
//! One thread writes, behind a bounded queue. When the disk refuses, that is said (`doctor`, alarms), and nothing waits
//! for it: neither reading nor writing of records. Lines that were lost are counted, and the chain says how many as
//! soon as it goes on. Who must not write without a line asks for one that is on disk first, as the portal does.

mod file;
pub mod limits;
#[cfg(test)]
mod tests;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::api::types::{AccessEntry, AccessLogView, Finding};
use crate::core::now_ms;
use crate::doctor::catalogue::{ACCESS_LOG_ALTERED, ACCESS_LOG_FAILED};
use file::Writer;
use limits::{
    BATCH_LINES, CLOSE_POLL, CLOSE_WAIT, GATHER_PAUSE, HEAD_PAUSE, QUEUE, REFUSED_PAUSE, RETRY_PAUSE,
    TEXT_CHARACTERS_MAX, VIEW_LINES_MAX,
};
pub use verify::{Break, Verified, verify};

/// The actor of whoever showed neither a token nor an account.
pub const UNKNOWN: &str = "unknown";
/// The action of a line about lines that were lost, and its actor.
const LOST: (&str, &str) = ("lost", "node");

/// Something that is worth a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Who: `api`, `portal:NAME`, `unknown`.
    pub actor: String,
    /// From where; empty where that says nothing, as on loopback behind a token.
    pub address: String,
    /// `write` or `login`.
    pub action: &'static str,
    /// HTTP method.
    pub method: String,
    /// Template of the route.
    pub route: String,
    /// Label or id of what it is about; may be empty. Never a secret, never a text that somebody published.
    pub subject: String,
    /// `ok`, `refused` or `unknown`, and the HTTP status, for instance `refused 422`; `cut off` where the caller hung
    /// up; `begun` before the portal writes.
    pub outcome: String,
}

/// A line that waits for the writer.
#[derive(Debug)]
struct Waiting {
    time_ms: u64,
    record: Record,
    /// Told whether the line is on disk.
    done: Option<oneshot::Sender<bool>>,
}

/// The log. A cheap handle; what was recorded is written when the last is gone.
#[derive(Debug, Clone)]
pub struct AccessLog {
    shared: Arc<Shared>,
    writer: Arc<Thread>,
}

/// The writer's end that is open until the log is closed.
#[derive(Debug)]
struct Thread {
    queue: Mutex<Option<SyncSender<Waiting>>>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    state: Mutex<State>,
}

/// What the writer says of itself.
#[derive(Debug, Default)]
struct State {
    length: u64,
    head: String,
    /// Why the last write failed.
    fault: Option<String>,
    /// Lines that were lost since the chain said so last: no room in the queue, or a disk that refused.
    lost: u64,
    /// Where the chain was found broken at the start.
    breaks: Vec<Break>,
    /// When a refused login was written down last, and how many were not since.
    refused_at: Option<Instant>,
    refused_between: u64,
}

/// What became of a line that was handed to the writer.
enum Sent {
    Taken,
    Full,
    Ended,
}

impl Sent {
    fn of<T>(error: Option<&TrySendError<T>>) -> Self {
        match error {
            None => Self::Taken,
            Some(TrySendError::Full(_)) => Self::Full,
            Some(TrySendError::Disconnected(_)) => Self::Ended,
        }
    }
}

impl AccessLog {
    /// Opens or begins the log of a directory. A log that cannot be written is one that says so.
    pub fn open(path: &Path) -> Self {
        let shared = Arc::new(Shared { path: path.to_owned(), state: Mutex::default() });
        let (queue, records) = sync_channel(QUEUE);
        let of_thread = Arc::clone(&shared);
        let spawned =
            std::thread::Builder::new().name("xianmeng-access".into()).spawn(move || write(&of_thread, &records));
        let handle = match spawned {
            Ok(handle) => Some(handle),
            Err(error) => {
                shared.state.lock().fault = Some(error.to_string());
                None
            }
        };
        let writer = Thread { queue: Mutex::new(Some(queue)), handle: Mutex::new(handle) };
        Self { shared, writer: Arc::new(writer) }
    }

    /// Writes a line. Returns at once. Refusals of whoever showed nothing are written at a bounded pace.
    pub fn record(&self, record: Record) {
        let nobody = record.actor == UNKNOWN || record.action == "login";
        if nobody && record.outcome.starts_with("refused") { self.record_refused(record) } else { self.put(record) }
    }

    /// Writes a line, and says once that is certain whether it is on disk.
    pub fn record_durably(&self, record: Record) -> impl Future<Output = bool> + Send + use<> {
        let (done, told) = oneshot::channel();
        self.send(record, Some(done));
        async move { told.await.unwrap_or(false) }
    }

    fn put(&self, record: Record) {
        self.send(record, None);
    }

    fn send(&self, record: Record, done: Option<oneshot::Sender<bool>>) {
        let waiting = Waiting { time_ms: now_ms(), record, done };
        let queue = self.writer.queue.lock().clone();
        match queue.map_or(Sent::Ended, |queue| Sent::of(queue.try_send(waiting).err().as_ref())) {
            Sent::Taken => {}
            Sent::Full => self.shared.state.lock().lost += 1,
            Sent::Ended => {
                let mut state = self.shared.state.lock();
                state.lost += 1;
                state.fault.get_or_insert_with(|| "the writer has ended".to_owned());
            }
        }
    }

    /// Takes no more lines and waits, for a bounded time, until those that wait are written. Says whether they are.
    /// Blocks.
    pub fn close(&self) -> bool {
        drop(self.writer.queue.lock().take());
        let Some(handle) = self.writer.handle.lock().take() else { return true };
        let begun = Instant::now();
        while !handle.is_finished() {
            if begun.elapsed() > CLOSE_WAIT {
                return false;
            }
            std::thread::sleep(CLOSE_POLL);
        }
        handle.join().is_ok()
    }

    /// Writes a line about somebody who was refused and showed nothing, one for each [`limits::REFUSED_PAUSE`]: whoever
    /// guesses must not push everything else out of the log. The next line says how many there were between.
    fn record_refused(&self, record: Record) {
        let mut state = self.shared.state.lock();
        if state.refused_at.is_some_and(|at| at.elapsed() < REFUSED_PAUSE) {
            state.refused_between += 1;
            return;
        }
        state.refused_at = Some(Instant::now());
        let between = std::mem::take(&mut state.refused_between);
        drop(state);
        let outcome = if between == 0 { record.outcome } else { format!("{} (+{between})", record.outcome) };
        self.put(Record { outcome, ..record });
    }

    /// The latest lines, at most `count`. Blocks.
    pub fn view(&self, count: usize) -> AccessLogView {
        let entries = file::latest(&self.shared.path, count.min(VIEW_LINES_MAX));
        let state = self.shared.state.lock();
        AccessLogView { length: state.length, head: state.head.clone(), fault: state.trouble(), entries }
    }

    /// Sequence of the last line that was written.
    pub fn length(&self) -> u64 {
        self.shared.state.lock().length
    }

    /// Why lines are missing or cannot be written, if so.
    pub fn fault(&self) -> Option<String> {
        self.shared.state.lock().trouble()
    }

    /// What is wrong with the log.
    pub fn findings(&self) -> Vec<Finding> {
        let state = self.shared.state.lock();
        let failed = state.trouble().map(|reason| {
            ACCESS_LOG_FAILED.finding(
                "access",
                format!("访问日志写不进去：{reason}"),
                format!("the access log cannot be written: {reason}"),
            )
        });
        failed.into_iter().chain(state.breaks.iter().map(altered)).collect()
    }
}

impl State {
    fn trouble(&self) -> Option<String> {
        match (&self.fault, self.lost) {
            (Some(fault), _) => Some(fault.clone()),
            (None, 0) => None,
            (None, lost) => Some(format!("{lost} lines were lost and wait to be counted")),
        }
    }
}

/// What is wrong with the log of a directory that no node writes to.
pub fn examine(path: &Path) -> Vec<Finding> {
    verify(path).breaks.iter().map(altered).collect()
}

fn altered(found: &Break) -> Finding {
    ACCESS_LOG_ALTERED.finding(format!("{}:{}", found.file, found.line), found.zh.clone(), found.en.clone())
}

/// The writer's thread.
fn write(shared: &Shared, records: &Receiver<Waiting>) {
    let verified = verify(&shared.path);
    {
        let mut state = shared.state.lock();
        (state.length, state.head, state.breaks) = (verified.length, verified.head.clone(), verified.breaks);
    }
    // Lines that are missing at the end stay missed: the chain goes on after the last that was ever written.
    // A number that nobody can have counted to is no place to go on from, and was told above.
    let (length, head) = file::head(&shared.path)
        .filter(|(sequence, _)| *sequence > verified.length)
        .unwrap_or((verified.length, verified.head));
    let mut writer = Writer::new(&shared.path, length, head);
    // Whether `head` and rotation are behind the lines.
    let mut is_settled = true;
    let mut settled_at: Option<Instant> = None;
    loop {
        let since_settled = settled_at.map_or(HEAD_PAUSE, |at| at.elapsed());
        let failed = shared.state.lock().fault.is_some();
        let pause = if is_settled || failed { RETRY_PAUSE } else { HEAD_PAUSE.saturating_sub(since_settled) };
        let first = match records.recv_timeout(pause) {
            Ok(first) => Some(first),
            Err(RecvTimeoutError::Timeout) if is_settled && shared.state.lock().lost == 0 => continue,
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                write_batch(shared, &mut writer, Vec::new(), &mut is_settled, true);
                return;
            }
        };
        let settles = first.is_none() || settled_at.is_none_or(|at| at.elapsed() >= HEAD_PAUSE);
        let batch = first.map(|first| gather(first, records)).unwrap_or_default();
        write_batch(shared, &mut writer, batch, &mut is_settled, settles);
        if settles {
            settled_at = Some(Instant::now());
        }
    }
}

/// A line and those that come within a moment, which then cost the disk as much as one. Whoever waits for a line waits
/// for no others.
fn gather(first: Waiting, records: &Receiver<Waiting>) -> Vec<Waiting> {
    let end = Instant::now() + GATHER_PAUSE;
    let mut batch = vec![first];
    while batch.len() < BATCH_LINES && batch.iter().all(|line| line.done.is_none()) {
        let Ok(next) = records.recv_timeout(end.saturating_duration_since(Instant::now())) else { break };
        batch.push(next);
    }
    batch.extend(records.try_iter().take(BATCH_LINES - batch.len()));
    batch
}

/// Writes lines, and before them how many were lost. What the disk refuses is counted among the lost. `settles` says
/// that `head` is to be in step afterwards.
fn write_batch(shared: &Shared, writer: &mut Writer, batch: Vec<Waiting>, is_settled: &mut bool, settles: bool) {
    let (lost, count) = (shared.state.lock().lost, batch.len() as u64);
    let gap = (lost > 0).then(|| line(now_ms(), gap(lost)));
    let (lines, told): (Vec<AccessEntry>, Vec<_>) =
        batch.into_iter().map(|waiting| (line(waiting.time_ms, waiting.record), waiting.done)).unzip();
    let mut lines = gap.into_iter().chain(lines).peekable();
    let appended = if lines.peek().is_some() { writer.append(lines) } else { Ok(()) };
    // A line is there once it was appended: what follows only keeps the files in order.
    told.into_iter().flatten().for_each(|done| _ = done.send(appended.is_ok()));
    let is_behind = count > 0 || lost > 0 || !*is_settled;
    let settled = if appended.is_ok() && is_behind && settles { writer.settle() } else { Ok(()) };
    let mut state = shared.state.lock();
    (state.length, state.head) = (writer.length(), writer.head().to_owned());
    match &appended {
        Ok(()) => state.lost -= lost,
        Err(_) => state.lost += count,
    }
    *is_settled = appended.is_ok() && settled.is_ok() && (settles || !is_behind);
    match appended.and(settled) {
        Ok(()) if *is_settled => state.fault = None,
        // Whether `head` can be written shows when it is due.
        Ok(()) => {}
        Err(error) => {
            tracing::error!(%error, "the log of logins and writes cannot be written");
            state.fault = Some(error.to_string());
        }
    }
}

/// What the chain says of lines that were lost.
fn gap(lost: u64) -> Record {
    let (action, actor) = LOST;
    Record { actor: actor.to_owned(), action, outcome: format!("{lost} lines lost"), ..Record::default() }
}

/// A line that is not chained yet.
fn line(time_ms: u64, record: Record) -> AccessEntry {
    AccessEntry {
        sequence: 0,
        time_ms,
        actor: short(&record.actor),
        address: short(&record.address),
        action: record.action.to_owned(),
        method: short(&record.method),
        route: short(&record.route),
        subject: short(&record.subject),
        outcome: short(&record.outcome),
        previous: String::new(),
        hash: String::new(),
    }
}

/// Callers choose some of the texts: no line may grow without bound.
fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_CHARACTERS_MAX).collect()
}
