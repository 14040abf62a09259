//! The allow list: the transport keys of the charter, shared by the behaviours that tell members from strangers.
//!
//! Only the swarm task replaces it, and never while the swarm is being polled: all behaviours see one and the same
//! list while one connection is being established.

use std::{collections::BTreeSet, sync::Arc};

use libp2p::PeerId;
use parking_lot::RwLock;
use protocol::identity::PublicKey;

use super::keys;

/// A handle to the allow list. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster(Arc<RwLock<BTreeSet<PublicKey>>>);

impl Roster {
    pub(super) fn new(members: BTreeSet<PublicKey>) -> Self {
        Self(Arc::new(RwLock::new(members)))
    }

    pub(super) fn replace(&self, members: BTreeSet<PublicKey>) {
        *self.0.write() = members;
    }

    pub(super) fn holds(&self, key: &PublicKey) -> bool {
        self.0.read().contains(key)
    }

    pub(super) fn holds_peer(&self, peer: &PeerId) -> bool {
        keys::public_key(peer).is_some_and(|key| self.holds(&key))
    }
}
