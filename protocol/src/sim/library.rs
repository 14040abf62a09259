//! What was verified once in this process: one copy of each entry and beacon serves every replica.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::beacon::{Beacon, BeaconError};
use crate::entry::{Entry, EntryError, VerifiedEntry};
use crate::identity::{ContentHash, EntryId, FederationId};

/// Verified entries and beacons.
#[derive(Debug, Default)]
pub(super) struct Library {
    whole: BTreeMap<EntryId, Arc<VerifiedEntry>>,
    bare: BTreeMap<EntryId, Arc<VerifiedEntry>>,
    beacons: BTreeMap<ContentHash, Arc<Beacon>>,
}

impl Library {
    /// What [`Entry::verify`] says of an entry; it is asked once for each id and signature.
    pub(super) fn verify(&mut self, entry: Entry, federation: &FederationId) -> Result<Arc<VerifiedEntry>, EntryError> {
        let shelf = if entry.body().is_some() { &mut self.whole } else { &mut self.bare };
        if let Some(known) = shelf.get(&entry.id())
            && known.signature() == entry.signature()
        {
            return Ok(Arc::clone(known));
        }
        let verified = Arc::new(entry.verify(federation)?);
        shelf.insert(verified.id(), Arc::clone(&verified));
        Ok(verified)
    }

    /// Remembers an entry that was just signed.
    pub(super) fn add(&mut self, entry: &Arc<VerifiedEntry>) {
        self.whole.insert(entry.id(), Arc::clone(entry));
    }

    /// What [`Beacon::decode`] says of these bytes; it is asked once for those that are a beacon.
    pub(super) fn beacon(&mut self, bytes: &[u8], federation: &FederationId) -> Result<Arc<Beacon>, BeaconError> {
        let hash = ContentHash::of(bytes);
        if let Some(known) = self.beacons.get(&hash) {
            return Ok(Arc::clone(known));
        }
        let beacon = Arc::new(Beacon::decode(bytes, federation)?);
        self.beacons.insert(hash, Arc::clone(&beacon));
        Ok(beacon)
    }

    /// Forgets beacons that expired so long ago that nobody sends them any more.
    pub(super) fn forget_before(&mut self, wall_ms: u64) {
        self.beacons.retain(|_, beacon| beacon.expires_ms >= wall_ms);
    }
}
