//! Keeps the ledger in step with the records.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use protocol::charter::Charter;
use protocol::duty::{Deeds, Rules, Sources, Times};
use protocol::identity::EntryId;
use protocol::kind::KindSet;
use protocol::view::View;

use super::Shelf;
use crate::core::Core;
use crate::derive::{Batch, Consumer, ConsumerError, Held, Settled};
use crate::records::Metered;

/// Records that are read while the lock is held.
const PIECE: usize = 32;

/// Hands what records do for duties to the shelf.
pub(crate) struct LedgerConsumer {
    core: Core,
    shelf: Arc<Shelf>,
    kinds: &'static KindSet,
}

impl LedgerConsumer {
    /// Begins with an empty ledger.
    pub(crate) fn new(core: Core, shelf: Arc<Shelf>, kinds: &'static KindSet) -> Self {
        let consumer = Self { core, shelf, kinds };
        consumer.empty();
        consumer
    }

    fn empty(&self) {
        self.shelf.complete.store(false, Ordering::Release);
        *self.shelf.ledger.write() = Arc::default();
    }
}

/// What a record does for duties. What is too costly to judge does nothing, on every node.
pub(crate) fn deeds(
    (charter, view, times): (&Charter, &View, &dyn Times),
    core: &Core,
    kinds: &KindSet,
    id: &EntryId,
) -> Deeds {
    let metered = Metered::new(core);
    let named = charter.kind_sets();
    let readable = |version, kind| crate::kinds::readable(named, kinds, version, kind);
    let sources = Sources { charter, times, view, bodies: &metered, kinds, readable: &readable };
    let deeds = Deeds::of(&sources, Rules::builtin(), id);
    if metered.is_overrun() { Deeds::default() } else { deeds }
}

impl Consumer for LedgerConsumer {
    fn name(&self) -> &'static str {
        "duties"
    }

    fn renew(&mut self) {
        self.shelf.complete.store(false, Ordering::Release);
    }

    fn clear(&mut self) -> Result<(), ConsumerError> {
        self.empty();
        Ok(())
    }

    fn take(&mut self, batch: &Batch) -> Result<(), ConsumerError> {
        for piece in batch.records.chunks(PIECE) {
            let read: Vec<(EntryId, Deeds)> = self.core.read(|state| {
                let sources = (state.replica.charter(), state.view(), &state.replica as &dyn Times);
                piece.iter().map(|looked| (looked.id, deeds(sources, &self.core, self.kinds, &looked.id))).collect()
            });
            let mut held = self.shelf.ledger.write();
            let ledger = Arc::make_mut(&mut held);
            read.into_iter().for_each(|(id, deeds)| ledger.put(id, deeds));
        }
        Ok(())
    }

    fn settle(&mut self, settled: &Settled<'_>) -> Result<Option<u64>, ConsumerError> {
        if settled.round.is_none() {
            self.shelf.complete.store(true, Ordering::Release);
        }
        if settled.is_idle {
            *self.shelf.positions.write() = Some(settled.positions.clone());
        }
        Ok(None)
    }

    fn recover(&mut self) -> Result<Option<Held>, ConsumerError> {
        self.empty();
        Ok(None)
    }
}
