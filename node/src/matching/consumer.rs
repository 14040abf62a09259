//! Keeps the catalogue in step with the records.

use std::sync::Arc;

use protocol::kind::KindSet;

use super::{Shelf, profile};
use crate::derive::{Batch, Consumer, ConsumerError, Held, Settled};

/// Hands records to the shelf.
pub(crate) struct CatalogueConsumer {
    shelf: Arc<Shelf>,
    kinds: &'static KindSet,
}

impl CatalogueConsumer {
    /// Begins with an empty shelf.
    pub(crate) fn new(shelf: Arc<Shelf>, kinds: &'static KindSet) -> Self {
        shelf.clear();
        Self { shelf, kinds }
    }
}

impl Consumer for CatalogueConsumer {
    fn name(&self) -> &'static str {
        "matching"
    }

    fn clear(&mut self) -> Result<(), ConsumerError> {
        self.shelf.clear();
        Ok(())
    }

    fn take(&mut self, batch: &Batch) -> Result<(), ConsumerError> {
        let looked = batch.records.iter();
        self.shelf
            .take(looked.map(|looked| (looked.id, looked.look.as_ref().and_then(|look| profile(self.kinds, look)))));
        Ok(())
    }

    fn settle(&mut self, settled: &Settled<'_>) -> Result<Option<u64>, ConsumerError> {
        if settled.round.is_none() {
            self.shelf.set_complete(true);
        }
        Ok(None)
    }

    fn recover(&mut self) -> Result<Option<Held>, ConsumerError> {
        self.shelf.clear();
        Ok(None)
    }
}
