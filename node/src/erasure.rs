//! Carrying out erasures on this node's disk, and saying so (DESIGN 3.10).
//!
//! Bodies leave their entries with the commit that learns of an erasure. This task then rids the disk of them, a little
//! later, so that several come together; remembers that in the file `purged` (one name of an erasure a line); and says
//! so once in this member's log, as soon as the node may sign.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use protocol::entry::Draft;
use protocol::erasure::{Acknowledgement, KIND_ACKNOWLEDGEMENT};
use protocol::identity::ContentHash;
use protocol::limits::{ACKNOWLEDGED_MAX, BODY_NONCE_BYTES};

use crate::core::Core;
use crate::directory::{DataDirectory, DirectoryError, replace_file};

/// How long a purge waits for further erasures.
pub const GATHER_TIME: Duration = Duration::from_secs(2);
/// How long a purge that failed waits for the next attempt.
const RETRY_TIME: Duration = Duration::from_secs(60);
/// How often this task looks whether the node may sign now.
const POLL: Duration = Duration::from_secs(5);

fn path_of(directory: &DataDirectory) -> PathBuf {
    directory.path().join("purged")
}

/// Erasures that this node has rid its disk of. A line that cannot be read counts for nothing: it is purged again.
pub fn purged(directory: &DataDirectory) -> BTreeSet<ContentHash> {
    let text = fs::read_to_string(path_of(directory)).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

fn remember(directory: &DataDirectory, erasures: &BTreeSet<ContentHash>) -> Result<(), DirectoryError> {
    let text: String = erasures.iter().map(|erasure| format!("{erasure}\n")).collect();
    replace_file(&path_of(directory), text.as_bytes())
}

/// The task.
pub struct Purger {
    core: Core,
    directory: DataDirectory,
    purged: BTreeSet<ContentHash>,
    /// Whether opening the store found bodies that had been erased.
    found_bodies: bool,
    not_before: Instant,
}

impl Purger {
    /// A task for a node whose store found this many erased bodies when it was opened.
    pub fn new(core: Core, directory: DataDirectory, bodies_found: u64) -> Self {
        let purged = purged(&directory);
        Self { core, directory, purged, found_bodies: bodies_found > 0, not_before: Instant::now() }
    }

    /// Works until the node stops.
    pub async fn run(mut self) {
        let mut changes = self.core.changes();
        while !self.core.has_failed() {
            let in_force = self.in_force();
            let unknown = in_force.iter().any(|erasure| !self.purged.contains(erasure));
            if (unknown || self.found_bodies) && Instant::now() >= self.not_before {
                tokio::time::sleep(GATHER_TIME).await;
                self.purge().await;
            } else if !self.purged.is_subset(&in_force) {
                // What counts no longer may come back with its bodies, and must then be purged again.
                self.purged.retain(|erasure| in_force.contains(erasure));
                self.save();
            }
            self.acknowledge().await;
            if matches!(tokio::time::timeout(POLL, changes.changed()).await, Ok(Err(_))) {
                return;
            }
        }
    }

    fn in_force(&self) -> BTreeSet<ContentHash> {
        self.core.read(|state| state.replica.erasures_in_force().map(|(_, name)| name).collect())
    }

    async fn purge(&mut self) {
        let (in_force, ids) = (self.in_force(), self.core.read(|state| state.replica.erased_ids()));
        let failed = match self.core.purge(ids).await {
            Ok(report) => {
                let (bodies, count) = (report.journal_bodies, in_force.len());
                tracing::info!(count, bodies, values = report.values, "the disk holds no erased body any more");
                self.core.counters().add("purges", 1);
                (self.purged, self.found_bodies) = (in_force, false);
                return self.save();
            }
            Err(error) => error.to_string(),
        };
        tracing::error!(failed, "erased bodies are on the disk still");
        self.not_before = Instant::now() + RETRY_TIME;
        if let Some(cause) = self.core.store().stopped() {
            self.core.stop(crate::core::Stop::Store(cause));
        }
    }

    fn save(&self) {
        if let Err(error) = remember(&self.directory, &self.purged) {
            tracing::warn!(%error, "a purge is not remembered; it is done again after the next start");
        }
    }

    /// States once what was purged, if this node may sign; else later.
    async fn acknowledge(&self) {
        if self.purged.is_empty() || self.core.publishing_obstacle().is_some() {
            return;
        }
        let Some((own, _)) = self.core.own() else { return };
        let unstated: Vec<ContentHash> = self.core.read(|state| {
            let stated = |erasure: &ContentHash| state.view().acknowledged(erasure).any(|member| member == own);
            self.purged.iter().filter(|erasure| !stated(erasure)).copied().collect()
        });
        for part in unstated.chunks(ACKNOWLEDGED_MAX) {
            let mut nonce = [0; BODY_NONCE_BYTES];
            if getrandom::fill(&mut nonce).is_err() {
                return;
            }
            let body = Acknowledgement { erasures: part.iter().copied().collect() }.encode(nonce);
            if let Err(error) = self.core.publish(vec![Draft { kind: KIND_ACKNOWLEDGEMENT, body }]).await {
                tracing::warn!(%error, "an erasure was not acknowledged yet");
                return;
            }
        }
    }
}
