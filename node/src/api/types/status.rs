//! What the HTTP API says of the node: how it is, and with whom it is connected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Delivery, KindsStatus, MemberName, ProblemDetail};

/// How the node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// `joining` until the member is admitted, then `running`.
    pub state: String,
    /// Version of the software.
    pub version: String,
    /// Id of the federation.
    pub federation: String,
    /// Its name.
    pub federation_name: String,
    /// Whether one registrar alone can change the charter.
    pub trial: bool,
    /// This node's member; absent while it is none.
    pub member: Option<MemberName>,
    /// Version of the charter's tip.
    pub charter_version: u32,
    /// Whether the charter has expired, by this node's clock.
    pub charter_expired: bool,
    /// Digest of the frontier.
    pub digest: String,
    /// Entries that count.
    pub entries: u64,
    /// Records.
    pub records: usize,
    /// Whether every body is here.
    pub complete: bool,
    /// Active members.
    pub members: usize,
    /// The kinds in use.
    #[serde(default)]
    pub kinds: KindsStatus,
    /// Nodes of members that are connected now.
    pub peers: usize,
    /// How far the newest entry of this node's own log has got.
    pub delivery: Delivery,
    /// Whether this node may sign, and if not, why (`zh` and `en`).
    pub signing: SigningState,
    /// Bytes of the store on disk.
    pub store_bytes: u64,
    /// Bytes of the journal on disk.
    pub journal_bytes: u64,
    /// When the node started.
    pub started_ms: u64,
    /// Events by name since the node started, refused entries by reason among them.
    pub counters: BTreeMap<String, u64>,
    /// What needs a person's attention, the worst first.
    pub warnings: Vec<ProblemDetail>,
    /// Heads by log: member, length and id.
    pub heads: Vec<LogHead>,
}

/// Whether the node may sign new entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SigningState {
    /// Whether it may.
    pub ready: bool,
    /// Why not, in Chinese; empty when it may.
    pub zh: String,
    /// Why not, in English; empty when it may.
    pub en: String,
}

/// How far a log counts here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogHead {
    /// Number of the log.
    pub log: u32,
    /// Whose it is.
    pub member: MemberName,
    /// Entries that count.
    pub length: u64,
    /// Id of the last of them; empty when there is none.
    pub head: String,
    /// Sequence of a proven fork.
    pub forked_at: Option<u64>,
    /// Whether the key is sealed.
    pub sealed: bool,
}

/// A connected peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerView {
    /// Its transport key.
    pub transport: String,
    /// Whose node it is; absent for a stranger, and for whoever this node treats as one.
    pub member: Option<MemberName>,
    /// Whether this node dialled it.
    pub outbound: bool,
    /// Its address.
    pub address: String,
    /// Round trip, in milliseconds.
    pub rtt_ms: Option<u64>,
    /// Messages of its that broke a rule.
    pub rejected_messages: u64,
}

/// Whether the process answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `joining` until the member is admitted, then `running`.
    pub state: String,
}

/// Where a node listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkView {
    /// Addresses with the ports that the system chose, without the node's key.
    pub listen: Vec<String>,
    /// Its transport key.
    pub transport: String,
    /// Other members' nodes and the addresses that they stated.
    #[serde(default)]
    pub known: Vec<KnownNode>,
}

/// A member's node and where it said that it can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownNode {
    /// Its transport key.
    pub transport: String,
    /// Its addresses.
    pub addresses: Vec<String>,
}

/// What came of reading a bundle into the node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleImported {
    /// Charter blocks that were new.
    pub blocks_new: u64,
    /// Entries that were new.
    pub entries_new: u64,
    /// Entries that were here already.
    pub entries_known: u64,
    /// Entries that were refused or ignored, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Fork proofs that were new.
    #[serde(default)]
    pub proofs_new: u64,
}
