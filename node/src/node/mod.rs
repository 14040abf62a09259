//! A running node: puts store, heart, network, sync, gossip, beacons, dialer and API together, and takes them apart.

mod hooks;
mod network;
#[cfg(test)]
mod swarms;
mod upkeep;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use protocol::charter::SignedBlock;
use protocol::identity::public_key;
use protocol::sync::agenda;
use thiserror::Error;
use tokio::task::JoinSet;

use crate::access_log::AccessLog;
use crate::alarms::Source;
use crate::alarms::limits::WEBHOOKS_MAX;
use crate::alarms::sources::{CustodySource, DutySource, HealthSource};
use crate::api::{self, ApiContext, ApiError, ApiHooks, ApiServer};
use crate::config::Config;
use crate::core::{Core, Stop, now_ms};
use crate::derive::Derived;
use crate::directory::{DataDirectory, DirectoryError, Keys, replace_file};
use crate::erasure::Purger;
use crate::gate::Gate;
use crate::health::{self, Health};
use crate::joining::{self, Applicant, JoinError};
use crate::key_change;
use crate::network::{Network, NetworkError};
use crate::operations::{Operations, Parts};
use crate::pins;
use crate::portal::accounts::Accounts;
use crate::portal::of_node::{self, OfNode};
use crate::portal::{self, PortalContext, PortalServer};
use crate::records::publish::Publisher;
use crate::store::{OpenReport, Opened, Settings, Store, StoreError, lock_directory};
use hooks::{Hooks, clock_warning};
use network::{Started, start_network};

/// Threads for work that blocks: one for each request and session that is worked on at a time, and a few for all else.
/// What is more waits. One that searches keeps some 3 MB in its own heap for as long as it lives.
pub const BLOCKING_THREADS_MAX: usize =
    api::limits::REQUESTS_MAX + portal::limits::REQUESTS_MAX + agenda::SESSIONS + WEBHOOKS_MAX + 8;

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
    portal: Option<PortalServer>,
    tasks: JoinSet<()>,
    directory: DataDirectory,
    report: OpenReport,
    access_log: AccessLog,
    health: Health,
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
        if let Some(warning) = clock_warning() {
            tracing::error!(warning = warning.en, "the clock of this node is set wrong on purpose");
        }
        let config = directory.config()?;
        if directory.genesis()?.is_none() {
            wait_for_admission(&directory).await?;
        }
        let opened = open(&directory, &mut keys).await?;
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
        let portal_started = Arc::new(OnceLock::new());
        let hooks = Hooks {
            core: core.clone(),
            desk: Arc::clone(&network.desk),
            sync: network.sync.clone(),
            twins: Arc::clone(&network.twins),
            leads: network.leads.clone(),
            gate,
            report: report.clone(),
            portal: Arc::clone(&portal_started),
        };
        let parts =
            Together { core: &core, network: &network, derived: &derived, directory: &directory, config: &config };
        let context = parts.context(&keys, &report, Arc::new(hooks))?;
        context.operations.run(&mut tasks);
        let (access_log, health) = (context.operations.access_log.clone(), context.health.clone());
        let pages = OfNode::new(context.clone());
        // An empty one means that there is none; anything else was checked with the settings.
        let metrics = config.metrics.listen.parse().ok();
        let api = match api::serve(context, listen, metrics).await {
            Ok(api) => api,
            Err(error) => {
                network.network.shutdown().await;
                close(access_log).await;
                return Err(error.into());
            }
        };
        replace_file(&directory.address_path(), format!("{}\n", api.address()).as_bytes())?;
        tracing::info!(address = %api.address(), "the API listens");
        let portal = serve_portal(&config, &directory, pages, &portal_started).await?;
        Ok(Self { core, network: network.network, api, portal, tasks, directory, report, access_log, health })
    }

    /// Where the API listens.
    pub fn api_address(&self) -> SocketAddr {
        self.api.address()
    }

    /// What answers requests to the API.
    #[cfg(fuzzing)]
    pub fn api_router(&self) -> axum::Router {
        self.api.router()
    }

    /// Where the portal listens, if it does.
    pub fn portal_address(&self) -> Option<SocketAddr> {
        self.portal.as_ref().map(PortalServer::address)
    }

    /// Where the metrics are served without a token, if they are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.api.metrics_address()
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
        let Self { core, network, api, portal, mut tasks, directory, access_log, health, .. } = self;
        // A file that is gone already is as good.
        let _ = std::fs::remove_file(directory.address_path());
        let _ = std::fs::remove_file(directory.portal_address_path());
        if let Some(portal) = portal {
            let _ = tokio::time::timeout(SHUTDOWN_WAIT, portal.shutdown()).await;
        }
        let _ = tokio::time::timeout(SHUTDOWN_WAIT, api.shutdown()).await;
        // Nobody writes any more, and a node that starts again in this process must not find another writer.
        close(access_log).await;
        // Who was heard until now; without connections the others would only grow older.
        let heard = health.clone();
        blocking(move || heard.save()).await;
        let _ = tokio::time::timeout(SHUTDOWN_WAIT, network.shutdown()).await;
        tasks.shutdown().await;
        drop((network, tasks, health));
        if !core.close(SHUTDOWN_WAIT).await {
            tracing::warn!("a part of the node still holds the store");
        }
        tracing::info!("stopped");
    }
}

/// The parts that the interfaces for people and programs are about.
struct Together<'a> {
    core: &'a Core,
    network: &'a Started,
    derived: &'a Derived,
    directory: &'a DataDirectory,
    config: &'a Config,
}

impl Together<'_> {
    /// What API and portal ask.
    fn context(
        &self,
        keys: &Keys,
        report: &OpenReport,
        hooks: Arc<dyn ApiHooks>,
    ) -> Result<ApiContext, DirectoryError> {
        let health = self.network.health.clone();
        let started_ms = now_ms();
        let operations = Operations::new(Parts {
            core: self.core.clone(),
            network: self.network.network.clone(),
            derived: self.derived.clone(),
            directory: self.directory.clone(),
            config: self.config.clone(),
            report: report.clone(),
            troubles: self.network.troubles.clone(),
            clock: Arc::new({
                let health = health.clone();
                move || health.clock_offset_ms()
            }),
            cut_off: Arc::new({
                let health = health.clone();
                move || health::own_cut_off(&health)
            }),
            transport: public_key(&keys.transport),
            started_ms,
            hooks: Arc::clone(&hooks),
            sources: self.alarm_sources(),
            members: Some(health::member_counts(health.clone())),
        })?;
        Ok(ApiContext {
            core: self.core.clone(),
            network: self.network.network.clone(),
            derived: self.derived.clone(),
            directory: self.directory.clone(),
            leads: self.network.leads.clone(),
            health,
            token: self.directory.token()?,
            started_ms,
            state: "running",
            hooks,
            operations,
            publisher: Publisher::default(),
        })
    }

    /// Parts beside the doctor whose findings become alarms.
    fn alarm_sources(&self) -> Vec<Arc<dyn Source>> {
        let health: &Health = &self.network.health;
        vec![
            Arc::new(HealthSource::new(health.clone())),
            Arc::new(CustodySource(health.clone())),
            Arc::new(DutySource::new(self.core.clone(), self.derived.duties())),
        ]
    }
}

/// Opens the store. A key that waits and that the charter grants takes over first.
async fn open(directory: &DataDirectory, keys: &mut Keys) -> Result<Opened, NodeError> {
    let genesis = directory.genesis()?.ok_or(NodeError::NoFederation)?;
    let opened = open_store(directory, &genesis, keys).await?;
    let (waiting, charter) = (directory.clone(), opened.replica.charter().clone());
    if blocking(move || key_change::promote(&waiting, &charter)).await?.is_empty() {
        return Ok(opened);
    }
    drop(opened);
    let changed = directory.clone();
    *keys = blocking(move || changed.keys()).await?;
    open_store(directory, &genesis, keys).await
}

/// Writes what waits for the log of logins and writes.
async fn close(access_log: AccessLog) {
    if !blocking(move || access_log.close()).await {
        tracing::warn!("lines of the log of logins and writes may be lost");
    }
}

async fn open_store(directory: &DataDirectory, genesis: &SignedBlock, keys: &Keys) -> Result<Opened, NodeError> {
    let (path, genesis, own) = (directory.path().to_owned(), genesis.clone(), public_key(&keys.signing));
    let settings = Settings { pins: pins::pins(directory)?, ..Settings::default() };
    Ok(blocking(move || Store::open(&path, genesis, Some(own), &settings)).await?)
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

/// Serves the pages. A node goes on without them, because others rely on it: why there are none is said in its status.
async fn serve_portal(
    config: &Config,
    directory: &DataDirectory,
    pages: OfNode,
    started: &OnceLock<of_node::Started>,
) -> Result<Option<PortalServer>, NodeError> {
    // An old file would name a portal that is gone.
    let _ = std::fs::remove_file(directory.portal_address_path());
    if config.portal.listen.is_empty() {
        started.get_or_init(|| Err(of_node::switched_off()));
        return Ok(None);
    }
    let accounts = Accounts::at(directory.portal_accounts_path());
    let context = PortalContext { data: Arc::new(pages), accounts, config: config.portal.clone() };
    match portal::serve(context).await {
        Ok(portal) => {
            started.get_or_init(|| Ok(portal.door()));
            replace_file(&directory.portal_address_path(), format!("{}\n", portal.address()).as_bytes())?;
            tracing::info!(address = %portal.address(), "the portal listens");
            Ok(Some(portal))
        }
        Err(error) => {
            tracing::error!(%error, "the portal does not run");
            started.get_or_init(|| Err(of_node::explain(&error)));
            Ok(None)
        }
    }
}
