//! The consumer that feeds the search index. It survives a restart: each commit says from what and how far the index was
//! made, and what does not fit any more is made anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::identity::MemberNumber;
use protocol::kind::KindSet;
use protocol::view::Label;

use super::document::document;
use super::payload::Payload;
use super::{
    ANNOUNCE_MS, ATTEMPTS_MAX, Batch, COMMIT_BUSY_TIME, COMMIT_DOCUMENTS, COMMIT_IDLE_TIME, Committed, Consumer,
    ConsumerError, Held, POSITIONS_TIME, SCRUB_RETRY_TIME, Settled, Shared,
};
use crate::core::{Core, now_ms};
use crate::directory::{file_error, private_directory};
use crate::search::{Condition, SearchIndex, SearchWriter};

/// Feeds the index.
pub(super) struct IndexConsumer {
    /// Before the core: whoever waits for the last handle of it may open the index then.
    writer: Option<SearchWriter>,
    core: Core,
    kinds: &'static KindSet,
    directory: PathBuf,
    shared: Arc<Shared>,
    /// What the last commit said of itself.
    last: Option<Payload>,
    committed_at: Instant,
    /// Documents that wait for a commit.
    waiting: usize,
    waiting_since: Option<Instant>,
    /// Everything is put in the place of what is there, which can be asked until all of it is ready.
    replaces: bool,
    /// Which keys opened what the present documents were made from.
    access: [u8; 32],
    scrubbed: [u8; 32],
    scrub_again: Option<Instant>,
    /// Errors since the last commit.
    attempts: u32,
}

impl IndexConsumer {
    /// Opens the index of a directory, or makes one.
    pub(super) fn open(
        core: Core,
        kinds: &'static KindSet,
        directory: &Path,
        shared: Arc<Shared>,
    ) -> Result<Self, ConsumerError> {
        let mut consumer = Self {
            access: core.access().fingerprint(),
            core,
            kinds,
            directory: directory.to_owned(),
            shared,
            writer: None,
            last: None,
            committed_at: Instant::now(),
            waiting: 0,
            waiting_since: None,
            replaces: false,
            scrubbed: [0; 32],
            scrub_again: None,
            attempts: 0,
        };
        consumer.reopen()?;
        Ok(consumer)
    }

    fn reopen(&mut self) -> Result<(), ConsumerError> {
        // There is one writer at a time.
        self.writer = None;
        *self.shared.index.write() = None;
        private_directory(&self.directory)?;
        let (index, opened) = SearchIndex::open(&self.directory)?;
        let kinds = *self.kinds.hash().as_bytes();
        let payload = Payload::decode(&opened.payload).ok().filter(|payload| payload.kinds == kinds);
        let mut writer = index.writer()?;
        if payload.is_none() && index.documents() > 0 {
            writer.clear()?;
            writer.commit(&[])?;
        }
        self.scrubbed = payload.as_ref().map_or([0; 32], |payload| payload.scrubbed);
        self.shared.gauge.lock().found = Some(opened.condition);
        match opened.condition {
            Condition::Intact if payload.is_some() => tracing::info!(documents = index.documents(), "the search index"),
            condition => tracing::warn!(?condition, "the search index is built anew"),
        }
        self.last = payload;
        self.writer = Some(writer);
        (self.waiting, self.waiting_since, self.replaces) = (0, None, false);
        *self.shared.index.write() = Some(index);
        Ok(())
    }

    fn writer(&mut self) -> Result<&mut SearchWriter, ConsumerError> {
        if self.writer.is_none() {
            self.reopen()?;
        }
        Ok(self.writer.as_mut().expect("it was just opened"))
    }

    /// Whether a commit is due.
    fn is_due(&self, settled: &Settled<'_>) -> bool {
        let since = self.committed_at.elapsed();
        let was_underway = self.last.as_ref().is_none_or(|last| last.round.is_some());
        let completes = settled.round.is_none() && was_underway;
        let waited = self.waiting_since.is_some_and(|since| since.elapsed() >= COMMIT_BUSY_TIME);
        let moved = self.last.as_ref().is_none_or(|last| last.positions != *settled.positions);
        completes
            || self.waiting >= COMMIT_DOCUMENTS
            || waited
            || (settled.is_idle && self.waiting > 0 && since >= COMMIT_IDLE_TIME)
            || (settled.is_idle && moved && (since >= POSITIONS_TIME || settled.positions.erased() != self.scrubbed))
    }

    fn commit(&mut self, settled: &Settled<'_>) -> Result<(), ConsumerError> {
        if settled.round.is_none() && self.last.as_ref().is_none_or(|last| last.round.is_some()) {
            self.access = self.core.access().fingerprint();
        }
        let payload = Payload {
            kinds: *self.kinds.hash().as_bytes(),
            access: self.access,
            scrubbed: self.scrubbed,
            looked_until_ms: settled.looked_until_ms,
            round: settled.round,
            positions: settled.positions.clone(),
        };
        self.writer()?.commit(&payload.encode())?;
        (self.waiting, self.waiting_since, self.replaces, self.attempts) = (0, None, false, 0);
        self.committed_at = Instant::now();
        self.shared.gauge.lock().committed_ms = Some(now_ms());
        if settled.round.is_none() {
            self.announce(settled);
        }
        self.last = Some(payload);
        Ok(())
    }

    /// Says how far the index can be asked.
    fn announce(&self, settled: &Settled<'_>) {
        self.shared.committed.send_modify(|committed| {
            let generation = committed.as_ref().map_or(0, |committed| committed.generation) + 1;
            let (positions, as_of_ms) = (settled.positions.clone(), settled.looked_until_ms);
            *committed = Some(Arc::new(Committed { positions, as_of_ms, generation }));
        });
    }

    /// Whether time went on since it was said how far the index can be asked, and the index has everything still.
    fn is_announcement_old(&self, settled: &Settled<'_>) -> bool {
        let known = self.shared.committed.borrow().as_ref().map(|committed| committed.as_of_ms);
        let is_whole = settled.round.is_none() && settled.is_idle && self.waiting == 0;
        let stands =
            self.last.as_ref().is_some_and(|last| last.round.is_none() && last.positions == *settled.positions);
        is_whole && stands && known.is_none_or(|known| known + ANNOUNCE_MS < settled.looked_until_ms)
    }

    /// Rids the disk of the words of what was erased.
    fn scrub(&mut self, settled: &Settled<'_>) -> Result<(), ConsumerError> {
        let erased = settled.positions.erased();
        let waits = self.scrub_again.is_some_and(|again| Instant::now() < again);
        if settled.round.is_some() || erased == self.scrubbed || waits {
            return Ok(());
        }
        let scrubbed = self.writer()?.scrub()?;
        if scrubbed.left > 0 {
            self.scrub_again = Some(Instant::now() + SCRUB_RETRY_TIME);
            return Ok(());
        }
        tracing::info!(segments = scrubbed.segments, "the search index holds no erased word any more");
        (self.scrubbed, self.scrub_again) = (erased, None);
        // So that it is not done again after a restart.
        self.commit(settled)
    }
}

impl Consumer for IndexConsumer {
    fn name(&self) -> &'static str {
        "search"
    }

    fn held(&self) -> Option<Held> {
        let last = self.last.as_ref()?;
        Some(Held {
            positions: last.positions.clone(),
            looked_until_ms: last.looked_until_ms,
            round: last.round,
            is_stale: last.access != self.core.access().fingerprint(),
        })
    }

    fn waiting(&self) -> usize {
        self.waiting
    }

    fn clear(&mut self) -> Result<(), ConsumerError> {
        self.writer()?.clear()?;
        let documents = self.shared.index.read().as_ref().map_or(0, SearchIndex::documents);
        self.replaces = documents > 0;
        (self.waiting, self.waiting_since) = (self.waiting.max(1), Some(Instant::now()));
        Ok(())
    }

    fn take(&mut self, batch: &Batch) -> Result<(), ConsumerError> {
        let kinds = self.kinds;
        for looked in &batch.records {
            let made = looked.look.as_ref().and_then(|look| document(kinds, look, batch.as_of_ms));
            match made {
                Some(document) => self.writer()?.put(&document)?,
                None => self.writer()?.remove(&looked.id)?,
            }
        }
        self.waiting += batch.records.len();
        self.waiting_since.get_or_insert_with(Instant::now);
        Ok(())
    }

    fn settle(&mut self, settled: &Settled<'_>) -> Result<Option<u64>, ConsumerError> {
        if self.replaces && settled.round.is_some() {
            return Ok(None);
        }
        if self.is_due(settled) {
            self.commit(settled)?;
        }
        if self.is_announcement_old(settled) {
            self.announce(settled);
        }
        if settled.is_idle {
            self.scrub(settled)?;
        }
        let idle = (self.waiting > 0).then(|| COMMIT_IDLE_TIME.saturating_sub(self.committed_at.elapsed()));
        let scrub = self.scrub_again.map(|again| again.saturating_duration_since(Instant::now()));
        let wait = idle.into_iter().chain(scrub).min();
        Ok(wait.map(|wait: Duration| now_ms() + wait.as_millis() as u64 + 1))
    }

    fn renew(&mut self) {
        // Until the round is at its end, a restart has to go on with it.
        if let Some(last) = &mut self.last {
            last.round = Some(Label { member: MemberNumber(0), serial: 0 });
        }
    }

    fn recover(&mut self) -> Result<Option<Held>, ConsumerError> {
        self.shared.committed.send_replace(None);
        self.attempts += 1;
        if self.attempts >= ATTEMPTS_MAX {
            self.writer = None;
            *self.shared.index.write() = None;
            let gone = std::fs::remove_dir_all(&self.directory);
            gone.or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
                .map_err(file_error(&self.directory))?;
        }
        self.reopen()?;
        Ok(self.held())
    }
}
