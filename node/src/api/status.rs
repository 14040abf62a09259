//! How the node is: status, addresses, peers.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use protocol::charter::{Charter, LogGrant, Purpose, Standing};
use protocol::identity::{MemberNumber, PublicKey};

use super::extract::blocking;
use super::problem::ApiProblem;
use super::types::{
    Delivery, Health, KnownNode, LogHead, MemberName, NetworkView, PeerView, Problem, SigningState, Status,
};
use super::{Shared, SharedState, warnings};
use crate::core::{Core, Delivered, State as CoreState, now_ms};
use crate::kinds::{installed, kinds_status};
use crate::network::{NetworkClosed, Statistics};
use crate::records::error::RecordError;

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "status", security(()),
    description = "节点是否在运行（不需要口令）。Whether the node runs; needs no token.",
    responses((status = 200, description = "在运行。It runs.", body = Health),
        (status = 500, description = "存储已停止写入。The store takes no more writes.", body = Problem,
            content_type = "application/problem+json")))]
pub(super) async fn health(State(shared): State<Shared>) -> Result<Json<Health>, ApiProblem> {
    match shared.core().store().stopped() {
        Some(reason) => Err(crate::core::PublishError::Store { disk_full: false, reason }.into()),
        None => Ok(Json(Health { state: shared.state().to_owned() })),
    }
}

/// How the node is.
#[utoipa::path(get, path = "/v1/status", tag = "status",
    description = "节点状态：成员、章程、条目、记录、送达、警告。The node's state: member, charter, entries, records, delivery, warnings.",
    responses((status = 200, description = "状态。The state.", body = Status)))]
pub(super) async fn status(State(shared): State<Shared>) -> Result<Json<Status>, ApiProblem> {
    let peers = shared.context.network.peers().await.unwrap_or_default();
    // Strangers come and go; nothing of the federation's reaches this node through them.
    let peers = peers.iter().filter(|peer| peer.member).count();
    blocking(move || Json(shared.status(peers))).await
}

/// Where the node listens.
#[utoipa::path(get, path = "/v1/network", tag = "status",
    description = "节点监听的地址和传输公钥，写邀请时用。Where the node listens and its transport key, for invitations.",
    responses((status = 200, description = "地址和公钥。Addresses and key.", body = NetworkView)))]
pub(super) async fn network(State(shared): State<Shared>) -> Result<Json<NetworkView>, ApiProblem> {
    let listen = shared.context.network.listen_addresses().await.map_err(closed)?;
    let directory = shared.context.directory.clone();
    let transport = blocking(move || directory.public_key(Purpose::Transport)).await?;
    let transport = transport.map_err(|error| {
        tracing::error!(%error, "the transport key cannot be read");
        ApiProblem::internal()
    })?;
    let transport = transport.to_string();
    let known = shared.core().read(|state| {
        let stated = state.view().addresses().filter(|(member, key, addresses)| {
            let holder = state.replica.charter().holder(key, Purpose::Transport);
            !addresses.is_empty() && key.to_string() != transport && holder == Some(*member)
        });
        stated
            .map(|(_, key, addresses)| KnownNode { transport: key.to_string(), addresses: addresses.to_vec() })
            .collect()
    });
    Ok(Json(NetworkView { listen, transport, known }))
}

/// Who is connected.
#[utoipa::path(get, path = "/v1/peers", tag = "status",
    description = "现在连着的节点。The peers connected now.",
    responses((status = 200, description = "节点列表。The peers.", body = [PeerView])))]
pub(super) async fn peers(State(shared): State<Shared>) -> Result<Json<Vec<PeerView>>, ApiProblem> {
    let peers = shared.context.network.peers().await.map_err(closed)?;
    Ok(Json(peer_views(shared.core(), &peers)))
}

/// Connected peers, as the charter names them.
pub(crate) fn peer_views(core: &Core, peers: &[crate::network::PeerInfo]) -> Vec<PeerView> {
    core.read(|state| {
        let charter = state.replica.charter();
        let view = |peer: &crate::network::PeerInfo| PeerView {
            transport: peer.peer.to_string(),
            member: member_of(charter, peer).map(|member| member_name(charter, member)),
            outbound: peer.outbound,
            address: peer.address.clone(),
            rtt_ms: peer.rtt_ms,
            rejected_messages: peer.rejected_messages,
        };
        peers.iter().map(view).collect()
    })
}

/// As whose node a peer is treated. The charter alone would not tell: who lost its right is connected until it is cut.
fn member_of(charter: &Charter, peer: &crate::network::PeerInfo) -> Option<MemberNumber> {
    let (member, _) = charter.ever_of(&peer.peer).filter(|_| peer.member)?;
    Some(member)
}

fn closed(_: NetworkClosed) -> ApiProblem {
    crate::core::PublishError::Closed.into()
}

/// A member as the charter names it.
pub(super) fn member_name(charter: &Charter, number: MemberNumber) -> MemberName {
    let name = charter.members().get(&number).map(|member| member.name.clone()).unwrap_or_default();
    MemberName { number: number.0, name }
}

/// How far something has got, as the API says it.
pub(super) fn delivery(delivered: Delivered) -> Delivery {
    Delivery {
        delivered: delivered.held_by.len(),
        members: delivered.members,
        held_by: delivered.held_by.into_iter().map(|member| member.0).collect(),
    }
}

impl SharedState {
    pub(super) fn state(&self) -> &'static str {
        if self.is_joining() { "joining" } else { "running" }
    }

    /// Blocks: it looks at the sizes of files.
    fn status(&self, peers: usize) -> Status {
        let core = self.core();
        let statistics = core.store().statistics();
        let signing = signing_state(core);
        let own_delivery = delivery(own_head_delivered(core));
        let mut status = core.read(|state| replica_status(state, own_member(state, &core.signing_key())));
        status.state = self.state().to_owned();
        status.peers = peers;
        status.delivery = own_delivery;
        status.signing = signing;
        status.store_bytes = statistics.store_bytes;
        status.journal_bytes = statistics.journal_bytes;
        status.started_ms = self.context.started_ms;
        status.counters = core.counters().all();
        status.counters.extend(network_counters(&self.context.network.statistics()));
        let key = core.signing_key();
        status.warnings = core.read(|state| warnings::of_charter(state.replica.charter(), &key, now_ms()));
        status.warnings.extend(core.read(|state| warnings::of_logs(&state.replica)));
        status.warnings.extend(self.context.hooks.warnings());
        status.warnings.extend(self.context.operations.doctor.stale_warning());
        status
    }
}

/// The member of this node's key. One whose key was sealed is a member still.
fn own_member(state: &CoreState, key: &PublicKey) -> Option<MemberNumber> {
    let charter = state.replica.charter();
    let member = charter.members().get(&charter.log_of(key)?.member)?;
    (member.standing == Standing::Active).then_some(member.number)
}

/// How far the newest entry of the own log has got; of an empty log, nobody holds anything.
fn own_head_delivered(core: &Core) -> Delivered {
    let head = core.own().and_then(|(_, log)| {
        let length = core.read(|state| state.replica.effective_length(log));
        Some((log, length.checked_sub(1)?))
    });
    match head {
        Some((log, sequence)) => core.delivered(log, sequence),
        None => Delivered { held_by: Vec::new(), members: core.delivered(0, u64::MAX).members },
    }
}

fn signing_state(core: &Core) -> SigningState {
    match core.publishing_obstacle() {
        None => SigningState { ready: true, zh: String::new(), en: String::new() },
        Some(obstacle) => {
            let problem = RecordError::from(obstacle).problem();
            SigningState { ready: false, zh: problem.zh, en: problem.en }
        }
    }
}

/// What the replica and the view say; the rest is filled in by the caller.
fn replica_status(state: &CoreState, own: Option<MemberNumber>) -> Status {
    let replica = &state.replica;
    let charter = replica.charter();
    let heads: Vec<LogHead> = charter.logs().iter().map(|grant| log_head(state, grant)).collect();
    let active = charter.members().values().filter(|member| member.standing == Standing::Active);
    Status {
        state: String::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        federation: charter.federation().to_string(),
        federation_name: charter.name().to_owned(),
        trial: charter.is_trial(),
        member: own.map(|member| member_name(charter, member)),
        charter_version: charter.version(),
        charter_expired: now_ms() > charter.tip_block().expires_ms,
        digest: replica.frontier().digest().to_string(),
        entries: heads.iter().map(|head| head.length).sum(),
        records: state.view().len(),
        complete: replica.is_complete(),
        members: active.count(),
        kinds: kinds_status(installed(), charter.kind_sets()),
        peers: 0,
        delivery: Delivery::default(),
        signing: SigningState { ready: false, zh: String::new(), en: String::new() },
        store_bytes: 0,
        journal_bytes: 0,
        started_ms: 0,
        counters: BTreeMap::new(),
        warnings: Vec::new(),
        heads,
    }
}

fn log_head(state: &CoreState, grant: &LogGrant) -> LogHead {
    let replica = &state.replica;
    let head = replica.head(grant.number);
    LogHead {
        log: grant.number,
        member: member_name(replica.charter(), grant.member),
        length: replica.effective_length(grant.number),
        head: head.map(|head| head.id.to_string()).unwrap_or_default(),
        forked_at: replica.fork_of(&grant.key),
        sealed: grant.seal.is_some(),
    }
}

fn network_counters(statistics: &Statistics) -> [(String, u64); 10] {
    let counters = [
        ("gossip-received", statistics.gossip_received),
        ("gossip-published", statistics.gossip_published),
        ("gossip-rejected", statistics.rejected),
        ("gossip-shed", statistics.gossip_shed),
        ("slow-peer-drops", statistics.slow_peer_drops),
        ("strangers-refused", statistics.strangers_refused),
        ("dials-failed", statistics.dials_failed),
        ("streams-refused", statistics.streams_refused),
        ("stream-bytes-in", statistics.stream_bytes_in),
        ("stream-bytes-out", statistics.stream_bytes_out),
    ];
    counters.map(|(name, count)| (format!("network-{name}"), count))
}
