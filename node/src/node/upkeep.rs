//! What a running node keeps in step by itself: the allow list with the charter, its stated addresses with its listeners.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::address::{Addresses, KIND_ADDRESS};
use protocol::charter::Purpose;
use protocol::entry::Draft;
use protocol::identity::{PublicKey, public_key};

use super::blocking;
use crate::config::Config;
use crate::core::{Core, Stop};
use crate::directory::{DataDirectory, Keys};
use crate::key_change;
use crate::network::Network;
use crate::sync::SyncHandle;

/// How long the block that takes a member's rights has to reach it before it is cut off.
const FAREWELL: Duration = Duration::from_millis(300);
/// How often a node that has not stated its addresses yet looks whether it may.
const ADDRESS_POLL: Duration = Duration::from_secs(1);
/// How often a node that has stated its addresses looks whether they are others now.
const ADDRESS_LOOK: Duration = Duration::from_secs(5);
/// The pause after it has stated them; it doubles each time.
const ADDRESS_PAUSE_FIRST: Duration = Duration::from_secs(15);
/// The longest pause.
const ADDRESS_PAUSE_LONGEST: Duration = Duration::from_secs(60 * 60);

/// The transport keys that may connect as members.
pub(super) fn allow_list(core: &Core) -> BTreeSet<PublicKey> {
    core.read(|state| state.replica.charter().transport_keys().into_keys().collect())
}

/// Keeps the allow list of the network in step with the charter, and sees when it grants a key that waits here.
pub(super) async fn follow_charter(core: Core, network: Network, sync: SyncHandle, directory: DataDirectory) {
    let mut changes = core.changes();
    let mut known = None;
    let mut allowed = BTreeSet::new();
    loop {
        let version = core.read(|state| state.replica.charter().version());
        if known.replace(version) != Some(version) {
            let members = allow_list(&core);
            if allowed.difference(&members).next().is_some() {
                // Who is cut off should hear why: the block is on its way to it.
                tokio::time::sleep(FAREWELL).await;
            }
            allowed = members.clone();
            if network.set_members(members).await.is_err() {
                return;
            }
            sync.everybody();
            if is_key_due(&core, &directory).await {
                tracing::warn!("the charter grants a key that waits here: the node starts again to use it");
                // The others should have the block first: it may have come from this node's own registrar.
                tokio::time::sleep(FAREWELL).await;
                core.stop(Stop::KeysChanged);
                return;
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

async fn is_key_due(core: &Core, directory: &DataDirectory) -> bool {
    let (directory, charter) = (directory.clone(), core.read(|state| state.replica.charter().clone()));
    match blocking(move || key_change::due(&directory, &charter)).await {
        Ok(due) => !due.is_empty(),
        Err(error) => {
            tracing::error!(%error, "the keys that wait cannot be read");
            false
        }
    }
}

/// States this node's addresses in its log when they changed, and goes on looking: a machine gets another address
/// while it runs, and others would dial the old one until the next start.
///
/// It waits until somebody is there to read them: a machine that was set back and reaches nobody would otherwise fork
/// its log for the sake of an address.
pub(super) async fn state_addresses(core: Core, network: Network, keys: Keys, config: Config) {
    let mut changes = core.changes();
    let mut pause = ADDRESS_PAUSE_FIRST;
    let mut seen: Option<Vec<String>> = None;
    loop {
        while core.publishing_obstacle().is_some() || !reaches_members(&core, &network).await {
            // A clock that was behind catches up without any change of state, and so does a connection.
            let changed = tokio::time::timeout(ADDRESS_POLL, changes.changed()).await;
            if matches!(changed, Ok(Err(_))) {
                return;
            }
        }
        let Ok(listened) = network.listen_addresses().await else { return };
        let addresses = match config.network.announce.is_empty() {
            true => reachable(listened),
            false => config.network.announce.clone(),
        };
        // A machine whose line is away has its loopback interface still, and its connections for a while.
        let cut_off = only_loopback(&addresses) && seen.as_ref().is_some_and(|before| !only_loopback(before));
        // While an interface changes, its addresses come one by one. At the start they are all there.
        let settled = !cut_off && seen.as_ref().is_none_or(|before| *before == addresses);
        if !cut_off {
            seen = Some(addresses.clone());
        }
        if settled && state_if_new(&core, public_key(&keys.transport), addresses).await {
            // A line that changes its address all the time must not fill the log.
            tokio::time::sleep(pause).await;
            pause = ADDRESS_PAUSE_LONGEST.min(pause * 2);
        }
        tokio::time::sleep(ADDRESS_LOOK).await;
    }
}

/// States addresses of the holder of a transport key unless they are what it stated last; whether it did.
async fn state_if_new(core: &Core, transport: PublicKey, addresses: Vec<String>) -> bool {
    let stated = core.read(|state| {
        let own = state.replica.charter().holder(&transport, Purpose::Transport);
        let mut stated = state.view().addresses();
        stated
            .find(|(member, key, _)| *key == transport && Some(*member) == own)
            .map(|(_, _, addresses)| addresses.to_vec())
    });
    if stated.as_ref() == Some(&addresses) {
        return false;
    }
    let mut nonce = [0; 16];
    if getrandom::fill(&mut nonce).is_err() {
        return false;
    }
    let body = Addresses { transport, addresses }.encode(nonce);
    let published = core.publish(vec![Draft { kind: KIND_ADDRESS, body }]).await;
    if let Err(error) = &published {
        tracing::warn!(%error, "the addresses of this node were not stated");
    }
    published.is_ok()
}

async fn reaches_members(core: &Core, network: &Network) -> bool {
    let peers = network.peers().await.unwrap_or_default();
    let members = core.read(|state| state.replica.charter().transport_keys());
    peers.iter().any(|peer| members.contains_key(&peer.peer))
}

/// Loopback addresses are of use only where there is nothing else, that is, in a federation on one machine.
fn reachable(mut listened: Vec<String>) -> Vec<String> {
    if !only_loopback(&listened) {
        listened.retain(|address| !is_loopback(address));
    }
    listened.sort();
    listened
}

fn only_loopback(addresses: &[String]) -> bool {
    addresses.iter().all(|address| is_loopback(address))
}

fn is_loopback(address: &str) -> bool {
    address.starts_with("/ip4/127.") || address.starts_with("/ip6/::1/")
}
