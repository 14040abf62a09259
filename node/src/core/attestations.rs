//! What other nodes said of their frontiers: the last beacon of each, as it came, for audit bundles.
//!
//! Kept in memory only. One beacon for each transport key that has a right, so the charter bounds it.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use protocol::beacon::Beacon;
use protocol::charter::{Charter, Purpose};
use protocol::completeness::{self, Claim};
use protocol::identity::{FrontierDigest, PublicKey};

/// The last beacon of each node.
#[derive(Debug, Default)]
pub struct Attestations {
    latest: Mutex<BTreeMap<PublicKey, (Beacon, Vec<u8>)>>,
}

impl Attestations {
    /// Keeps a beacon that was verified. `charter` says whose beacons are still worth keeping.
    pub fn note(&self, beacon: Beacon, bytes: &[u8], charter: &Charter) {
        let holds_right = |key: &PublicKey| charter.holder(key, Purpose::Transport).is_some();
        let mut latest = self.latest.lock();
        if !holds_right(&beacon.transport) {
            return;
        }
        let is_new = latest.insert(beacon.transport, (beacon, bytes.to_vec())).is_none();
        if is_new {
            latest.retain(|key, _| holds_right(key));
        }
    }

    /// The digest that a node named last.
    pub fn digest(&self, key: &PublicKey) -> Option<FrontierDigest> {
        self.latest.lock().get(key).map(|(beacon, _)| beacon.digest)
    }

    /// Beacons that attest what `claim` names, by transport key.
    pub fn of(&self, claim: &Claim, charter: &Charter) -> Vec<Vec<u8>> {
        let digest = claim.digest();
        let latest = self.latest.lock();
        let named = latest.values().filter(|(beacon, _)| beacon.digest == digest);
        let bytes = named.map(|(_, bytes)| bytes);
        bytes.filter(|bytes| completeness::attestation(bytes, claim, charter).is_ok()).cloned().collect()
    }
}
