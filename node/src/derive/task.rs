//! Runs the steps of the worker away from the async threads, and lets what is more urgent go first: while the node
//! catches up with its peers, each step is followed by a pause.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::worker::{Step, Worker};
use super::{
    BUSY_PAUSE_FACTOR, BUSY_PAUSE_MAX, BUSY_RECORDS, BUSY_WINDOW, Command, Derived, GATHER_TIME, RETRY_TIME, Shared,
};
use crate::core::{Core, now_ms};

/// Keeps in step what is derived from records.
pub struct Follower {
    core: Core,
    directory: PathBuf,
    derived: Derived,
    commands: mpsc::Receiver<Command>,
}

impl Follower {
    pub(super) fn new(core: Core, directory: PathBuf, derived: Derived, commands: mpsc::Receiver<Command>) -> Self {
        Self { core, directory, derived, commands }
    }

    /// Works until the node stops.
    pub async fn run(mut self) {
        let mut changes = self.core.changes();
        let mut worker = self.worker();
        let mut pace = Pace::default();
        while !self.core.has_failed() {
            let begun = Instant::now();
            let work = tokio::task::spawn_blocking(move || {
                let step = worker.step();
                (worker, step)
            });
            let step = match work.await {
                Ok((returned, step)) => {
                    worker = returned;
                    step
                }
                Err(error) => {
                    tracing::error!(%error, "keeping derived data in step panicked; it starts over");
                    self.core.counters().add("derived-failed", 1);
                    tokio::time::sleep(RETRY_TIME).await;
                    worker = self.worker();
                    continue;
                }
            };
            while let Ok(command) = self.commands.try_recv() {
                worker = carry_out(command, worker).await.unwrap_or_else(|| self.worker());
            }
            match step {
                Step::Busy => tokio::time::sleep(pace.pause(begun.elapsed(), worker.ever_touched())).await,
                Step::Idle { until_ms } => {
                    let Some(command) = self.wait(&mut changes, until_ms).await else { return };
                    if let Some(command) = command {
                        worker = carry_out(command, worker).await.unwrap_or_else(|| self.worker());
                    }
                }
            }
        }
    }

    fn worker(&self) -> Worker {
        let shared: Arc<Shared> = Arc::clone(&self.derived.shared);
        // A worker that panicked may hold the writer of the index no longer, but nobody else may ask a broken one.
        *shared.index.write() = None;
        shared.committed.send_replace(None);
        Worker::new(self.core.clone(), self.directory.clone(), shared)
    }

    /// Waits for something to do; `None` when the node stops.
    async fn wait(&mut self, changes: &mut watch::Receiver<u64>, until_ms: Option<u64>) -> Option<Option<Command>> {
        let pause = until_ms.map(|until| Duration::from_millis(until.saturating_sub(now_ms())));
        let sleep = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = changes.changed() => {
                changed.ok()?;
                tokio::time::sleep(GATHER_TIME).await;
                Some(None)
            }
            command = self.commands.recv() => Some(Some(command?)),
            () = sleep => Some(None),
        }
    }
}

/// Does what was asked for; `None` when that panicked.
async fn carry_out(command: Command, mut worker: Worker) -> Option<Worker> {
    let begun = tokio::task::spawn_blocking(move || {
        match command {
            Command::Rebuild => {
                tracing::info!("the search index is built anew, as asked for");
                worker.begin(true);
            }
            Command::Recover => worker.recover_index(),
        }
        worker
    });
    begun.await.ok()
}

/// How long to pause between steps.
#[derive(Debug, Default)]
struct Pace {
    window: Option<(Instant, u64)>,
    is_busy: bool,
}

impl Pace {
    /// The pause after a step of this length, when so many records were ever touched.
    fn pause(&mut self, step: Duration, ever: u64) -> Duration {
        let (since, before) = *self.window.get_or_insert((Instant::now(), ever));
        if since.elapsed() >= BUSY_WINDOW {
            self.is_busy = ever.saturating_sub(before) >= BUSY_RECORDS;
            self.window = Some((Instant::now(), ever));
        }
        match self.is_busy {
            true => (step * BUSY_PAUSE_FACTOR).min(BUSY_PAUSE_MAX),
            false => Duration::ZERO,
        }
    }
}
