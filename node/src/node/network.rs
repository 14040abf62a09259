//! The parts of a node that speak with peers: how they are put together, and who gets what the network brings.

use std::sync::Arc;
use std::time::Duration;

use protocol::identity::public_key;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::NodeError;
use super::upkeep::{allow_list, follow_charter, state_addresses};
use crate::beacons::Beacons;
use crate::beacons::exchange::{Exchange, ExchangeHandle};
use crate::config::Config;
use crate::core::Core;
use crate::dialer::{Bootstrap, Dialer, Troubles};
use crate::directory::{DataDirectory, Keys};
use crate::gate::Gate;
use crate::gossip::{Judge, publish_events};
use crate::health::Health;
use crate::joining::{self, Desk};
use crate::key_change;
use crate::leads::Leads;
use crate::network::{Network, NetworkEvent, NetworkSettings, StreamKind, Topic};
use crate::sync::{Scheduler, SyncHandle};
use crate::twin::Twins;

/// Members whose sessions ended and were not counted yet.
const CONFIRMED_WAITING: usize = 64;

/// What speaks with peers, and what others need of it.
pub(super) struct Started {
    pub(super) network: Network,
    pub(super) sync: SyncHandle,
    pub(super) desk: Arc<Desk>,
    pub(super) twins: Arc<Twins>,
    pub(super) leads: Leads,
    pub(super) health: Health,
    pub(super) troubles: Troubles,
}

/// Starts the network and everything that goes on by itself over it.
pub(super) async fn start_network(
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
    let health = Health::new(core.clone(), network.clone(), public_key(&keys.transport), directory, config);
    let beacons =
        Beacons::new(core.clone(), sync.clone(), Arc::clone(&twins), health.clone(), keys.transport.clone(), interval);
    let (exchange, exchange_handle) = Exchange::new(Arc::clone(&beacons), network.clone());
    let desk = Arc::new(Desk::open(directory)?);
    let fixed = bootstrap(config, directory)?;
    let links = if config.network.discovery { config.network.links } else { 0 };
    let dialer = Dialer::new(core.clone(), network.clone(), &keys.transport, fixed, links);
    let troubles = dialer.troubles();
    let judge = Judge::new(core.clone(), network.clone(), sync.clone());
    let (opened, discovery) = (directory.clone(), config.network.discovery);
    let leads = Leads::open(core.clone(), network.clone(), opened, config.leads.clone(), discovery, &keys.holder)?;

    tasks.spawn(scheduler.run());
    tasks.spawn(beacons.run());
    tasks.spawn(exchange.run());
    tasks.spawn(health.clone().run());
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
        exchange: exchange_handle,
        judge,
        desk: dispatch_desk,
        twins: twins_of_dispatch,
        leads: leads.clone(),
    };
    tasks.spawn(dispatch.run(network_events));
    Ok(Started { network, sync, desk, twins, leads, health, troubles })
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

/// Hands what the network brings to those whom it concerns.
struct Dispatch {
    core: Core,
    sync: SyncHandle,
    exchange: ExchangeHandle,
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
                NetworkEvent::Gossip { topic: Topic::Calls, token, bytes, .. } => {
                    self.twins.take(token, &bytes).await;
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
                NetworkEvent::InboundStream { peer, kind: StreamKind::Beacons, stream } => {
                    self.exchange.inbound(peer, stream);
                }
            }
            while served.try_join_next().is_some() {}
        }
    }
}
