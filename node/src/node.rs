//! A running node: puts store, heart, network, sync, gossip, beacons, dialer and API together, and takes them apart.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::address::{Addresses, KIND_ADDRESS};
use protocol::charter::{Purpose, SignedBlock};
use protocol::entry::Draft;
use protocol::identity::{PublicKey, public_key};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::api::types::{PendingApplication, ProblemDetail};
use crate::api::{self, ApiContext, ApiError, ApiHooks, ApiServer};
use crate::beacons::Beacons;
use crate::config::Config;
use crate::core::{Core, Stop, now_ms};
use crate::derive::Derived;
use crate::dialer::{Bootstrap, Dialer};
use crate::directory::{DataDirectory, DirectoryError, Keys, replace_file};
use crate::erasure::Purger;
use crate::gate::Gate;
use crate::gossip::{Judge, publish_events};
use crate::joining::{self, Applicant, Desk, JoinError};
use crate::key_change;
use crate::leads::Leads;
use crate::network::{Network, NetworkError, NetworkEvent, NetworkSettings, StreamKind, Topic};
use crate::pins;
use crate::store::{Damage, OpenReport, Opened, Settings, Store, StoreError, lock_directory};
use crate::sync::{Scheduler, SyncHandle};
use crate::twin::Twins;

/// Members whose sessions ended and were not counted yet.
const CONFIRMED_WAITING: usize = 64;
/// How long the block that takes a member's rights has to reach it before it is cut off.
const FAREWELL: Duration = Duration::from_millis(300);
/// How often a node that has not stated its addresses yet looks whether it may.
const ADDRESS_POLL: Duration = Duration::from_secs(1);
/// How long open requests and streams may take to end at shutdown.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(5);

/// Why a node cannot start.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The data directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The member belongs to no federation and holds no invitation.
    #[error("this member belongs to no federation yet")]
    NoFederation,
    /// Joining failed for good.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The store.
    #[error("{}", .0.chain())]
    Store(#[from] StoreError),
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The operating system has no randomness.
    #[error("the operating system has no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

/// A running node.
pub struct Node {
    core: Core,
    network: Network,
    api: ApiServer,
    tasks: JoinSet<()>,
    directory: DataDirectory,
    report: OpenReport,
}

impl Node {
    /// Starts the node of a data directory. While the member is not admitted yet, this waits for its admission.
    pub async fn start(directory: DataDirectory) -> Result<Self, NodeError> {
        let opened = directory.clone();
        let keys = blocking(move || opened.keys()).await?;
        Self::start_with(directory, keys).await
    }

    /// The same with keys that were opened already, for instance by a person at the terminal. A key that waits and that
    /// the charter grants takes over first.
    pub async fn start_with(directory: DataDirectory, mut keys: Keys) -> Result<Self, NodeError> {
        let config = directory.config()?;
        if directory.genesis()?.is_none() {
            wait_for_admission(&directory).await?;
        }
        let genesis = directory.genesis()?.ok_or(NodeError::NoFederation)?;
        let mut opened = open_store(&directory, &genesis, &keys).await?;
        let (waiting, charter) = (directory.clone(), opened.replica.charter().clone());
        if !blocking(move || key_change::promote(&waiting, &charter)).await?.is_empty() {
            drop(opened);
            let changed = directory.clone();
            keys = blocking(move || changed.keys()).await?;
            opened = open_store(&directory, &genesis, &keys).await?;
        }
        let report = opened.report.clone();
        report.damaged.iter().for_each(|damage| tracing::error!(%damage, "the store was damaged"));
        let renewed = key_change::is_renewed(&directory, &opened.store)?;
        let gate = Gate::new(directory.path().to_owned(), &report, renewed);
        let (core, events) = Core::start(opened.store, opened.replica, keys.signing.clone(), false);
        let encryption = std::iter::once(keys.encryption.clone());
        core.hold_encryption_keys(encryption.chain(keys.former_encryption.iter().rev().cloned()).collect());
        follow_admission(&core, &directory).await;
        let mut tasks = JoinSet::new();
        tasks.spawn(Purger::new(core.clone(), directory.clone(), report.erased).run());
        let (derived, follower) = Derived::new(core.clone(), &directory.search_path());
        tasks.spawn(follower.run());
        let network = start_network(&core, &keys, &config, events, gate.clone(), &directory, &mut tasks).await?;
        let listen: SocketAddr = config.api.listen.parse().map_err(|_| ApiError::Address(config.api.listen.clone()))?;
        let (desk, sync, twins, leads) = (network.desk, network.sync, network.twins, network.leads);
        let hooks = Hooks { core: core.clone(), desk, sync, twins, leads: leads.clone(), gate, report: report.clone() };
        let context = ApiContext {
            core: core.clone(),
            network: network.network.clone(),
            derived,
            directory: directory.clone(),
            leads,
            token: directory.token()?,
            started_ms: now_ms(),
            state: "running",
            hooks: Arc::new(hooks),
        };
        let api = match api::serve(context, listen).await {
            Ok(api) => api,
            Err(error) => {
                network.network.shutdown().await;
                return Err(error.into());
            }
        };
        replace_file(&directory.address_path(), format!("{}\n", api.address()).as_bytes())?;
        tracing::info!(address = %api.address(), "the API listens");
        Ok(Self { core, network: network.network, api, tasks, directory, report })
    }

    /// Where the API listens.
    pub fn api_address(&self) -> SocketAddr {
        self.api.address()
    }

    /// The heart of the node.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What opening the store found.
    pub fn report(&self) -> &OpenReport {
        &self.report
    }

    /// Waits until the node must stop by itself, and returns why.
    pub async fn failure(&mut self) -> Stop {
        loop {
            tokio::select! {
                reason = self.core.failure() => return reason,
                Some(ended) = self.tasks.join_next() => match ended {
                    Err(error) if error.is_panic() => return Stop::Part(error.to_string()),
                    // Some parts do their work once.
                    _ => {}
                },
            }
        }
    }

    /// Stops: no new requests, open ones end, connections close, everything durable is durable already.
    pub async fn shutdown(self) {
        let Self { core, network, api, mut tasks, directory, .. } = self;
        // A file that is gone already is as good.
        let _ = std::fs::remove_file(directory.address_path());
        let _ = tokio::time::timeout(SHUTDOWN_WAIT, api.shutdown()).await;
        let _ = tokio::time::timeout(SHUTDOWN_WAIT, network.shutdown()).await;
        tasks.shutdown().await;
        drop((network, tasks));
        if !core.close(SHUTDOWN_WAIT).await {
            tracing::warn!("a part of the node still holds the store");
        }
        tracing::info!("stopped");
    }
}

async fn open_store(directory: &DataDirectory, genesis: &SignedBlock, keys: &Keys) -> Result<Opened, NodeError> {
    let (path, genesis, own) = (directory.path().to_owned(), genesis.clone(), public_key(&keys.signing));
    let settings = Settings { pins: pins::pins(directory)?, ..Settings::default() };
    Ok(blocking(move || Store::open(&path, genesis, Some(own), &settings)).await?)
}

struct Started {
    network: Network,
    sync: SyncHandle,
    desk: Arc<Desk>,
    twins: Arc<Twins>,
    leads: Leads,
}

async fn start_network(
    core: &Core,
    keys: &Keys,
    config: &Config,
    events: mpsc::Receiver<crate::core::Event>,
    gate: Gate,
    directory: &DataDirectory,
    tasks: &mut JoinSet<()>,
) -> Result<Started, NodeError> {
    let settings = NetworkSettings {
        federation: core.federation(),
        transport_key: keys.transport.to_bytes(),
        listen: config.network.listen.clone(),
        members: allow_list(core),
        limits: Default::default(),
    };
    let (network, network_events) = Network::start(settings).await?;
    let (confirmed, confirmations) = mpsc::channel(CONFIRMED_WAITING);
    let round = Duration::from_secs(config.timing.sync_seconds);
    let (scheduler, sync) =
        Scheduler::new(core.clone(), network.clone(), public_key(&keys.transport), round, confirmed);
    let interval = Duration::from_secs(config.timing.beacon_seconds);
    let twins = Twins::new(core.clone(), network.clone(), keys.transport.clone(), gate.is_copy())?;
    let beacons =
        Beacons::new(core.clone(), network.clone(), sync.clone(), Arc::clone(&twins), keys.transport.clone(), interval);
    let desk = Arc::new(Desk::open(directory)?);
    let fixed = bootstrap(config, directory)?;
    let links = if config.network.discovery { config.network.links } else { 0 };
    let dialer = Dialer::new(core.clone(), network.clone(), &keys.transport, fixed, links);
    let judge = Judge::new(core.clone(), network.clone(), sync.clone());
    let (opened, discovery) = (directory.clone(), config.network.discovery);
    let leads = Leads::open(core.clone(), network.clone(), opened, config.leads.clone(), discovery, &keys.holder)?;

    tasks.spawn(scheduler.run());
    tasks.spawn(Arc::clone(&beacons).run());
    tasks.spawn(dialer.run());
    tasks.spawn(publish_events(network.clone(), events));
    tasks.spawn(follow_charter(core.clone(), network.clone(), sync.clone(), directory.clone()));
    tasks.spawn(key_change::watch_transport(core.clone(), directory.clone(), round));
    tasks.spawn(gate.run(core.clone(), network.clone(), Arc::clone(&twins), confirmations));
    tasks.spawn(leads.clone().run());
    tasks.spawn(state_addresses(core.clone(), network.clone(), keys.clone(), config.clone()));
    let (core, dispatch_desk) = (core.clone(), Arc::clone(&desk));
    let (sync_of_dispatch, twins_of_dispatch) = (sync.clone(), Arc::clone(&twins));
    let dispatch = Dispatch {
        core,
        sync: sync_of_dispatch,
        beacons,
        judge,
        desk: dispatch_desk,
        twins: twins_of_dispatch,
        leads: leads.clone(),
    };
    tasks.spawn(dispatch.run(network_events));
    Ok(Started { network, sync, desk, twins, leads })
}

fn allow_list(core: &Core) -> BTreeSet<PublicKey> {
    core.read(|state| state.replica.charter().transport_keys().into_keys().collect())
}

fn bootstrap(config: &Config, directory: &DataDirectory) -> Result<Vec<Bootstrap>, NodeError> {
    let configured =
        config.network.peers.iter().map(|address| Bootstrap { peer: None, addresses: vec![address.clone()] });
    let mut fixed: Vec<Bootstrap> = configured.collect();
    // With discovery off the operator alone decides whom to talk to.
    if config.network.discovery
        && let Some(invitation) = joining::invitation(directory)?
    {
        let invited = invitation.bootstrap.into_iter();
        fixed.extend(invited.map(|peer| Bootstrap { peer: Some(peer.transport), addresses: peer.addresses }));
    }
    Ok(fixed)
}

/// The charter that came with the admission is only needed for the first start: a damaged file stops nobody.
async fn follow_admission(core: &Core, directory: &DataDirectory) {
    let followed = match joining::admitting_blocks(directory) {
        Ok(blocks) => core.append_blocks(blocks).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(reason) = followed {
        tracing::warn!(reason, "the charter that came with the admission is of no use");
    }
}

/// Waits for the admission, and holds the directory meanwhile as the store does later: no second process waits in it.
async fn wait_for_admission(directory: &DataDirectory) -> Result<(), NodeError> {
    if joining::invitation(directory)?.is_none() {
        return Err(NodeError::NoFederation);
    }
    let (path, opened) = (directory.path().to_owned(), directory.clone());
    let _lock = blocking(move || lock_directory(&path)).await?;
    let applicant = blocking(move || Applicant::open(&opened)).await?;
    applicant.wait().await?;
    Ok(())
}

/// Runs what reads and writes files where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("reading a directory does not panic: it returns its errors")
}

/// Keeps the allow list of the network in step with the charter, and sees when it grants a key that waits here.
async fn follow_charter(core: Core, network: Network, sync: SyncHandle, directory: DataDirectory) {
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

/// States this node's addresses in its log when they changed.
///
/// It waits until somebody is there to read them: a machine that was set back and reaches nobody would otherwise fork
/// its log for the sake of an address.
async fn state_addresses(core: Core, network: Network, keys: Keys, config: Config) {
    let mut changes = core.changes();
    while core.publishing_obstacle().is_some() || !reaches_members(&core, &network).await {
        // A clock that was behind catches up without any change of state, and so does a connection.
        let changed = tokio::time::timeout(ADDRESS_POLL, changes.changed()).await;
        if matches!(changed, Ok(Err(_))) {
            return;
        }
    }
    let transport = public_key(&keys.transport);
    let addresses = match network.listen_addresses().await {
        Ok(_) if !config.network.announce.is_empty() => config.network.announce.clone(),
        Ok(listened) => reachable(listened),
        Err(_) => return,
    };
    let stated = core.read(|state| {
        let own = state.replica.charter().holder(&transport, Purpose::Transport);
        let mut stated = state.view().addresses();
        stated
            .find(|(member, key, _)| *key == transport && Some(*member) == own)
            .map(|(_, _, addresses)| addresses.to_vec())
    });
    if stated.as_ref() == Some(&addresses) {
        return;
    }
    let mut nonce = [0; 16];
    if getrandom::fill(&mut nonce).is_err() {
        return;
    }
    let body = Addresses { transport, addresses }.encode(nonce);
    if let Err(error) = core.publish(vec![Draft { kind: KIND_ADDRESS, body }]).await {
        tracing::warn!(%error, "the addresses of this node were not stated");
    }
}

async fn reaches_members(core: &Core, network: &Network) -> bool {
    let peers = network.peers().await.unwrap_or_default();
    let members = core.read(|state| state.replica.charter().transport_keys());
    peers.iter().any(|peer| members.contains_key(&peer.peer))
}

/// Loopback addresses are of use only where there is nothing else, that is, in a federation on one machine.
fn reachable(mut listened: Vec<String>) -> Vec<String> {
    let loopback = |address: &String| address.starts_with("/ip4/127.") || address.starts_with("/ip6/::1/");
    if !listened.iter().all(loopback) {
        listened.retain(|address| !loopback(address));
    }
    listened.sort();
    listened
}

/// Hands what the network brings to those whom it concerns.
struct Dispatch {
    core: Core,
    sync: SyncHandle,
    beacons: Arc<Beacons>,
    judge: Judge,
    desk: Arc<Desk>,
    twins: Arc<Twins>,
    leads: Leads,
}

impl Dispatch {
    async fn run(self, mut events: mpsc::Receiver<NetworkEvent>) {
        // Dropped with this task; the network bounds how many streams a peer can have open.
        let mut served = JoinSet::new();
        while let Some(event) = events.recv().await {
            match event {
                NetworkEvent::Connected { peer, member: true, outbound, .. } => {
                    self.leads.connected(peer);
                    self.sync.connected(peer, outbound).await;
                }
                NetworkEvent::Connected { .. } => {}
                NetworkEvent::ConnectedAgain { peer } => self.twins.connected_again(peer),
                NetworkEvent::Disconnected { peer } => self.sync.gone(peer).await,
                NetworkEvent::Listening { address } => tracing::info!(address, "listening"),
                NetworkEvent::Gossip { topic: Topic::Entries, token, source, bytes } => {
                    self.judge.take(token, source, bytes).await;
                }
                NetworkEvent::Gossip { topic: Topic::Beacons, token, bytes, .. } if Twins::concerns(&bytes) => {
                    self.twins.take(token, &bytes).await;
                }
                NetworkEvent::Gossip { topic: Topic::Beacons, token, source, bytes } => {
                    self.beacons.take(token, source, &bytes).await;
                }
                NetworkEvent::InboundStream { peer, kind: StreamKind::Sync, stream } => {
                    self.sync.inbound(peer, stream).await;
                }
                NetworkEvent::InboundStream { peer, kind: StreamKind::Join, stream } => {
                    let (core, desk) = (self.core.clone(), Arc::clone(&self.desk));
                    // The network bounds how many streams strangers can have open.
                    served.spawn(desk.serve(core, peer, stream));
                }
                NetworkEvent::InboundStream { peer, kind: StreamKind::Instance, stream } => {
                    let twins = Arc::clone(&self.twins);
                    served.spawn(async move { twins.serve(peer, stream).await });
                }
                NetworkEvent::InboundStream { peer, kind: StreamKind::Lead, stream } => {
                    served.spawn(self.leads.clone().serve(peer, stream));
                }
            }
            while served.try_join_next().is_some() {}
        }
    }
}

/// What opening the store found, for a person.
fn store_warning(damage: &Damage) -> ProblemDetail {
    let (code, zh, en) = match damage {
        Damage::OtherBranch { version } => (
            "charter-branch-changed",
            format!("本节点按锁定的第 {version} 块改走章程的另一支；原来的数据已移到一旁，其余由同伴补齐。"),
            format!("this node went over to the pinned block {version} of the charter; its data before lies aside"),
        ),
        damage => (
            "store-was-damaged",
            format!("启动时发现存储损坏，已移到一旁并重建：{damage}"),
            format!("the store was found damaged at the start, put aside and rebuilt: {damage}"),
        ),
    };
    ProblemDetail { at: "store".into(), code: code.into(), zh, en }
}

/// What the API asks of the rest of the node.
struct Hooks {
    core: Core,
    desk: Arc<Desk>,
    sync: SyncHandle,
    twins: Arc<Twins>,
    leads: Leads,
    gate: Gate,
    report: OpenReport,
}

impl ApiHooks for Hooks {
    fn sync_now(&self) {
        self.sync.everybody();
    }

    fn applications(&self) -> Vec<PendingApplication> {
        self.desk.applications(&self.core)
    }

    fn remove_application(&self, id: &str) -> bool {
        self.desk.remove(id, &self.core)
    }

    fn add_invitation(&self, token: String, expires_ms: u64, single: bool) -> Result<(), String> {
        self.desk.add_invitation(token, expires_ms, single)
    }

    fn warnings(&self) -> Vec<ProblemDetail> {
        let damaged = self.report.damaged.iter().map(store_warning);
        let waiting = self.gate.warning(&self.core);
        self.twins.warning().into_iter().chain(waiting).chain(damaged).chain(self.leads.warnings()).collect()
    }
}
