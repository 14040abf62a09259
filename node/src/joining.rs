//! Joining (DESIGN 4.7, as far as a trial federation needs it): an invitation, a request, and the blocks that admit.
//!
//! A stranger can deliver a request and ask for the blocks that admit it, and nothing else. One frame each way on a
//! join stream: [`JoinRequest`], [`JoinReply`].

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use parking_lot::Mutex;
use protocol::bundle::{self, FrameType, Frames};
use protocol::charter::{Charter, CharterError, Purpose, SignedApplication, SignedBlock};
use protocol::identity::{BlockHash, FederationId, MemberNumber, PublicKey, public_key};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use thiserror::Error;
use tokio::io::AsyncWriteExt;

use crate::api::types::PendingApplication;
use crate::core::{Core, now_ms};
use crate::directory::{DataDirectory, DirectoryError, replace_file};
use crate::network::{
    DialError, FrameError, Network, NetworkError, NetworkSettings, OpenStreamError, PeerStream, StreamKind, read_frame,
    write_frame,
};

/// Longest request, in bytes.
const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Longest reply, in bytes: blocks of a whole charter.
const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of blocks in one reply; sync brings the rest.
const REPLY_BLOCK_BYTES: usize = 3 * 1024 * 1024;
/// How long one frame may take.
const FRAME_WAIT: Duration = Duration::from_secs(15);
/// Applications that may wait at one node.
const APPLICATIONS_MAX: usize = 256;
/// Invitations that one node remembers.
const INVITATIONS_MAX: usize = 4_096;

/// What an applicant is handed, as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Layout of the file: 1.
    pub format: u32,
    /// Id of the federation.
    pub federation: FederationId,
    /// Name of the federation.
    pub federation_name: String,
    /// Hash of the charter's tip at the time of inviting: a charter without that block is another branch.
    pub pin: BlockHash,
    /// Version of that block; 1 is the genesis block.
    #[serde(default = "genesis_version")]
    pub pin_version: u32,
    /// Nodes to ask.
    pub bootstrap: Vec<InvitationPeer>,
    /// Random; the inviting node remembers it.
    pub token: String,
    /// Until when it is worth anything, in milliseconds since 1970 (UTC).
    pub expires_ms: u64,
}

fn genesis_version() -> u32 {
    1
}

/// A node that an invitation names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvitationPeer {
    /// Its transport key.
    pub transport: PublicKey,
    /// Its addresses, in the text form of multiaddr.
    pub addresses: Vec<String>,
}

/// What an applicant sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// Of the invitation.
    pub token: String,
    /// The signed application in canonical form.
    pub application: ByteBuf,
}

/// What it gets back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinReply {
    /// A registrar has to decide.
    Pending,
    /// The applicant is a member: the charter from its genesis block on.
    Admitted {
        /// Signed blocks in canonical form.
        blocks: Vec<ByteBuf>,
    },
    /// The request is worth nothing; a stable word says why.
    Refused {
        /// `token`, `application`, `foreign-key`, `expelled` or `full`.
        reason: String,
    },
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<{ REPLY_BYTES_MAX * 2 }>()
}

fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(message, config()).expect("a join message has no type that bincode cannot encode")
}

fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, JoinError> {
    match bincode::serde::decode_from_slice(bytes, config()) {
        Ok((message, read)) if read == bytes.len() => Ok(message),
        _ => Err(JoinError::Malformed),
    }
}

/// Why joining does not go on.
#[derive(Debug, Error)]
pub enum JoinError {
    /// There is no invitation.
    #[error("there is no invitation in this data directory")]
    NoInvitation,
    /// The invitation cannot be read.
    #[error("the invitation cannot be read: {0}")]
    Invitation(String),
    /// The data directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The network cannot start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// No node of the invitation answers.
    #[error("none of the nodes that the invitation names answers: {0}")]
    Unreachable(DialError),
    /// The node answers, but not on the joining protocol.
    #[error("the node does not take the request: {0}")]
    Stream(#[from] OpenStreamError),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Frame(#[from] FrameError),
    /// The node answers with something that is no reply.
    #[error("the node's reply is malformed")]
    Malformed,
    /// The node refuses.
    #[error("the node refuses the request: {reason}")]
    Refused {
        /// A stable word.
        reason: String,
    },
    /// The charter that came is not the invitation's, or breaks its rules.
    #[error("the charter that the node sent is not the one that the invitation names: {0}")]
    Charter(String),
}

impl JoinError {
    /// Whether asking again cannot help.
    pub fn is_final(&self) -> bool {
        match self {
            Self::NoInvitation | Self::Invitation(_) | Self::Directory(_) => true,
            Self::Refused { reason } => matches!(reason.as_str(), "application" | "foreign-key" | "expelled"),
            _ => false,
        }
    }
}

impl From<CharterError> for JoinError {
    fn from(error: CharterError) -> Self {
        Self::Charter(error.to_string())
    }
}

/// How far joining is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinProgress {
    /// A registrar has to decide.
    Pending {
        /// The digits to compare by telephone.
        fingerprint: String,
    },
    /// The member is admitted, and the charter is in the data directory.
    Admitted {
        /// Its number.
        member: MemberNumber,
    },
}

/// Reads the invitation that was put into the data directory.
pub fn invitation(directory: &DataDirectory) -> Result<Option<Invitation>, JoinError> {
    let path = directory.invitation_path();
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| JoinError::Invitation(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DirectoryError::File { path, source }.into()),
    }
}

/// Delivers the request once and takes the reply. Keeps the genesis block when the member is admitted.
pub async fn request_once(directory: &DataDirectory) -> Result<JoinProgress, JoinError> {
    let invitation = invitation(directory)?.ok_or(JoinError::NoInvitation)?;
    let keys = directory.keys()?;
    let application = directory.application(&invitation.federation)?;
    let settings = NetworkSettings {
        federation: invitation.federation,
        transport_key: keys.transport.to_bytes(),
        listen: Vec::new(),
        members: Default::default(),
        limits: Default::default(),
    };
    let (network, _events) = Network::start(settings).await?;
    let reply = ask_any(&network, &invitation, &application).await;
    network.shutdown().await;
    match reply? {
        JoinReply::Pending => Ok(JoinProgress::Pending { fingerprint: application.application.fingerprint() }),
        JoinReply::Refused { reason } => Err(JoinError::Refused { reason }),
        JoinReply::Admitted { blocks } => accept(directory, &invitation, &public_key(&keys.signing), &blocks),
    }
}

async fn ask_any(
    network: &Network,
    invitation: &Invitation,
    application: &SignedApplication,
) -> Result<JoinReply, JoinError> {
    let mut last = JoinError::Unreachable(DialError::NoAddress);
    for peer in &invitation.bootstrap {
        match ask(network, peer, invitation, application).await {
            // Only the node that gave the invitation out knows its token.
            Ok(JoinReply::Refused { reason }) => last = JoinError::Refused { reason },
            Ok(reply) => return Ok(reply),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn ask(
    network: &Network,
    peer: &InvitationPeer,
    invitation: &Invitation,
    application: &SignedApplication,
) -> Result<JoinReply, JoinError> {
    let dialled = network.dial(Some(peer.transport), peer.addresses.clone()).await;
    let key = dialled.map_err(JoinError::Unreachable)?;
    let mut stream = network.open_stream(key, StreamKind::Join).await?;
    let application = ByteBuf::from(application.encode());
    let request = JoinRequest { token: invitation.token.clone(), application };
    write_frame(&mut stream, &encode(&request), FRAME_WAIT).await?;
    let reply = read_frame(&mut stream, REPLY_BYTES_MAX, FRAME_WAIT).await?;
    // The reply is here; how the stream ends does not matter any more.
    let _ = stream.shutdown().await;
    decode(&reply)
}

fn accept(
    directory: &DataDirectory,
    invitation: &Invitation,
    own: &PublicKey,
    blocks: &[ByteBuf],
) -> Result<JoinProgress, JoinError> {
    let decoded = blocks.iter().map(|block| SignedBlock::decode(block));
    let blocks = decoded.collect::<Result<Vec<_>, _>>().map_err(|error| JoinError::Charter(error.to_string()))?;
    let (genesis, later) = blocks.split_first().ok_or(JoinError::Malformed)?;
    let mut charter = Charter::genesis(genesis.clone())?;
    if charter.federation() != invitation.federation {
        return Err(JoinError::Charter("its id is another".into()));
    }
    for block in later {
        charter.append(block.clone())?;
    }
    let pinned = (invitation.pin_version as usize).checked_sub(1).and_then(|index| charter.blocks().get(index));
    // A long charter comes in part, and sync brings the rest.
    if pinned.is_some_and(|block| block.hash() != invitation.pin) {
        return Err(JoinError::Charter(format!("its block {} is another", invitation.pin_version)));
    }
    let member = charter.log_of(own).map(|grant| grant.member);
    let member = member.ok_or_else(|| JoinError::Charter("it does not admit this member".into()))?;
    let (mut writer, mut bytes) = bundle::Writer::new(&charter.federation());
    blocks.iter().for_each(|block| writer.frame(FrameType::Block, &block.encode(), &mut bytes));
    writer.finish(&mut bytes);
    replace_file(&directory.charter_path(), &bytes)?;
    if directory.genesis()?.is_none() {
        directory.write_genesis(genesis)?;
    }
    Ok(JoinProgress::Admitted { member })
}

/// The charter that came with the admission, for a first start while nobody who holds a newer one is awake.
pub fn admitting_blocks(directory: &DataDirectory) -> Result<Vec<SignedBlock>, JoinError> {
    let path = directory.charter_path();
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(DirectoryError::File { path, source }.into()),
    };
    let broken = |error: String| JoinError::Charter(error);
    let (_, mut frames) = Frames::open(&bytes).map_err(|error| broken(error.to_string()))?;
    let mut blocks = Vec::new();
    while let Some(frame) = frames.next_frame().map_err(|error| broken(error.to_string()))? {
        if frame.frame_type == FrameType::Block {
            blocks.push(SignedBlock::decode(frame.content).map_err(|error| broken(error.to_string()))?);
        }
    }
    Ok(blocks)
}

/// A stored application.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredApplication {
    received_ms: u64,
    application: String,
}

/// The desk of a registrar's node: tokens that were given out, applications that wait.
pub struct Desk {
    directory: DataDirectory,
    tokens: Mutex<BTreeMap<String, u64>>,
}

impl Desk {
    /// Opens the desk of a data directory.
    pub fn open(directory: &DataDirectory) -> Result<Self, DirectoryError> {
        let path = directory.invitations_path();
        let tokens = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| DirectoryError::Content { path: path.clone(), reason: error.to_string() })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(DirectoryError::File { path, source }),
        };
        Ok(Self { directory: directory.clone(), tokens: Mutex::new(tokens) })
    }

    /// Remembers a token.
    pub fn add_invitation(&self, token: String, expires_ms: u64) -> Result<(), String> {
        let mut tokens = self.tokens.lock();
        tokens.retain(|_, expires| *expires > now_ms());
        if tokens.len() >= INVITATIONS_MAX {
            return Err(format!("there are {INVITATIONS_MAX} open invitations already"));
        }
        tokens.insert(token, expires_ms);
        let bytes = serde_json::to_vec_pretty(&*tokens).map_err(|error| error.to_string())?;
        replace_file(&self.directory.invitations_path(), &bytes).map_err(|error| error.to_string())
    }

    /// Applications that wait, oldest first. Those whose signing key the charter knows are settled and left out.
    pub fn applications(&self, core: &Core) -> Vec<PendingApplication> {
        let mut pending: Vec<PendingApplication> =
            self.files().into_iter().filter_map(|path| self.read(&path, core)).collect();
        pending.sort_by_key(|application| application.received_ms);
        pending
    }

    fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.directory.applications_path()) else { return Vec::new() };
        entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .collect()
    }

    fn read(&self, path: &std::path::Path, core: &Core) -> Option<PendingApplication> {
        let stored: StoredApplication = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let signed = SignedApplication::decode(&hex::decode(&stored.application).ok()?).ok()?;
        let key = signed.application.signing_key()?;
        if core.read(|state| state.replica.charter().log_of(&key).is_some()) {
            // Settled: the file has done its work.
            let _ = fs::remove_file(path);
            return None;
        }
        Some(PendingApplication {
            id: key.short(),
            name: signed.application.name.clone(),
            class: signed.application.class.name().to_owned(),
            region: signed.application.region.clone(),
            fingerprint: signed.application.fingerprint(),
            received_ms: stored.received_ms,
            application: stored.application,
        })
    }

    /// Turns an application away. Says whether there was one.
    pub fn remove(&self, id: &str) -> bool {
        let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(id));
        !id.is_empty()
            && self.files().into_iter().filter(named).filter(|path| fs::remove_file(path).is_ok()).count() > 0
    }

    /// Answers one request.
    pub async fn serve(&self, core: &Core, peer: PublicKey, mut stream: PeerStream) {
        let reply = match read_frame(&mut stream, REQUEST_BYTES_MAX, FRAME_WAIT).await {
            Ok(bytes) => self.answer(core, peer, &bytes),
            Err(error) => {
                tracing::debug!(%error, "a join request did not arrive");
                return;
            }
        };
        core.counters().add("join-requests", 1);
        if write_frame(&mut stream, &encode(&reply), FRAME_WAIT).await.is_ok() {
            // The applicant closes first or not at all; both are fine.
            let _ = stream.shutdown().await;
        }
    }

    fn answer(&self, core: &Core, peer: PublicKey, bytes: &[u8]) -> JoinReply {
        let refused = |reason: &str| JoinReply::Refused { reason: reason.to_owned() };
        let Ok(request) = decode::<JoinRequest>(bytes) else { return refused("application") };
        let Ok(signed) = SignedApplication::decode(&request.application) else { return refused("application") };
        let keys = &signed.application.keys;
        if !keys.iter().any(|key| key.purpose == Purpose::Transport && key.key == peer) {
            return refused("foreign-key");
        }
        let Some(signing) = signed.application.signing_key() else { return refused("application") };
        let known = core.read(|state| {
            let charter = state.replica.charter();
            charter.log_of(&signing).map(|_| (charter.holder(&peer, Purpose::Transport).is_some(), blocks_of(charter)))
        });
        match known {
            Some((true, blocks)) => return JoinReply::Admitted { blocks },
            Some((false, _)) => return refused("expelled"),
            None => {}
        }
        if self.path_of(&signing).exists() {
            // It was delivered in time; how long a registrar takes is not the applicant's fault.
            return JoinReply::Pending;
        }
        if self.tokens.lock().get(&request.token).is_none_or(|expires| *expires < now_ms()) {
            return refused("token");
        }
        if signed.unproven_key(&core.federation()).is_some() {
            return refused("application");
        }
        self.keep(&signing, &request.application)
    }

    fn path_of(&self, signing: &PublicKey) -> PathBuf {
        self.directory.applications_path().join(format!("{signing}.json"))
    }

    fn keep(&self, signing: &PublicKey, application: &[u8]) -> JoinReply {
        let (folder, path) = (self.directory.applications_path(), self.path_of(signing));
        if self.files().len() >= APPLICATIONS_MAX {
            return JoinReply::Refused { reason: "full".into() };
        }
        let stored = StoredApplication { received_ms: now_ms(), application: hex::encode(application) };
        let written = fs::create_dir_all(&folder).map_err(|error| error.to_string()).and_then(|()| {
            let bytes = serde_json::to_vec_pretty(&stored).map_err(|error| error.to_string())?;
            replace_file(&path, &bytes).map_err(|error| error.to_string())
        });
        match written {
            Ok(()) => {
                tracing::info!(application = %signing.short(), "an application arrived");
                JoinReply::Pending
            }
            Err(reason) => {
                tracing::error!(reason, "an application could not be kept");
                JoinReply::Refused { reason: "full".into() }
            }
        }
    }
}

fn blocks_of(charter: &Charter) -> Vec<ByteBuf> {
    let mut bytes = 0;
    let blocks = charter.blocks().iter().map(SignedBlock::encode);
    let fitting = blocks.take_while(|block| {
        bytes += block.len();
        bytes <= REPLY_BLOCK_BYTES
    });
    fitting.map(ByteBuf::from).collect()
}
