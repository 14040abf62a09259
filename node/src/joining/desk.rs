//! The side that answers: the desk of a node that gives invitations out.
//!
//! It keeps three things on disk: the tokens of its invitations, the applications that wait, and the signing keys whose
//! applications were turned away. All of its work blocks, and none of it runs on the thread of the network.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::charter::{Charter, Purpose, SignedApplication, SignedBlock};
use protocol::identity::PublicKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use tokio::io::AsyncWriteExt;

use super::{FRAME_WAIT, JoinReply, JoinRequest, REPLY_BLOCK_BYTES, REQUEST_BYTES_MAX, decode, encode};
use crate::api::types::PendingApplication;
use crate::core::{Core, now_ms};
use crate::directory::{DataDirectory, DirectoryError, replace_file};
use crate::network::{PeerStream, read_frame, write_frame};

/// Applications that may wait at one node.
const APPLICATIONS_MAX: usize = 256;
/// Invitations that one node remembers.
const INVITATIONS_MAX: usize = 4_096;
/// Refused signing keys that one node remembers; the oldest goes first.
const REFUSED_MAX: usize = 4_096;

/// A stored application.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredApplication {
    received_ms: u64,
    application: String,
}

/// What the node remembers of an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StoredToken {
    expires_ms: u64,
    /// Whether it serves one applicant only.
    #[serde(default)]
    single: bool,
    /// Who used it first, if it serves one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    applicant: Option<PublicKey>,
}

/// A token as it is now, or as the first version wrote it.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyToken {
    Now(StoredToken),
    First(u64),
}

impl From<AnyToken> for StoredToken {
    fn from(token: AnyToken) -> Self {
        match token {
            AnyToken::Now(token) => token,
            AnyToken::First(expires_ms) => Self { expires_ms, single: false, applicant: None },
        }
    }
}

#[derive(Debug, Default)]
struct Memory {
    tokens: BTreeMap<String, StoredToken>,
    /// Signing keys of applications that were turned away, and when.
    refused: BTreeMap<PublicKey, u64>,
}

/// The desk: invitations that were given out, applications that wait or were turned away.
pub struct Desk {
    directory: DataDirectory,
    /// Held while an answer is made, so that two applicants cannot share what is for one.
    memory: Mutex<Memory>,
}

impl Desk {
    /// Opens the desk of a data directory.
    pub fn open(directory: &DataDirectory) -> Result<Self, DirectoryError> {
        let tokens: BTreeMap<String, AnyToken> = read_or_default(&directory.invitations_path())?;
        let tokens = tokens.into_iter().map(|(token, stored)| (token, stored.into())).collect();
        let memory = Memory { tokens, refused: read_or_default(&directory.refused_path())? };
        Ok(Self { directory: directory.clone(), memory: Mutex::new(memory) })
    }

    /// Remembers a token. A `single` one serves the first applicant that uses it and nobody else.
    pub fn add_invitation(&self, token: String, expires_ms: u64, single: bool) -> Result<(), String> {
        let mut memory = self.memory.lock();
        memory.tokens.retain(|_, stored| stored.expires_ms > now_ms());
        if memory.tokens.len() >= INVITATIONS_MAX {
            return Err(format!("there are {INVITATIONS_MAX} open invitations already"));
        }
        memory.tokens.insert(token, StoredToken { expires_ms, single, applicant: None });
        self.write_tokens(&memory)
    }

    fn write_tokens(&self, memory: &Memory) -> Result<(), String> {
        write(&self.directory.invitations_path(), &memory.tokens)
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

    fn read(&self, path: &Path, core: &Core) -> Option<PendingApplication> {
        let stored: StoredApplication = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let signed = SignedApplication::decode(&hex::decode(&stored.application).ok()?).ok()?;
        let key = signed.application.signing_key()?;
        if is_known(core, &key) {
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

    /// Turns applications away whose id begins so; those that the charter admitted meanwhile are only cleared. Says
    /// whether there was one.
    pub fn remove(&self, id: &str, core: &Core) -> bool {
        let mut memory = self.memory.lock();
        let key_of = |path: &Path| path.file_stem()?.to_str()?.parse::<PublicKey>().ok();
        let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(id));
        let files: Vec<PathBuf> = self.files().into_iter().filter(named).collect();
        if id.is_empty() || files.is_empty() {
            return false;
        }
        let turned_away = files.iter().filter_map(|path| key_of(path)).filter(|key| !is_known(core, key));
        memory.refused.extend(turned_away.map(|key| (key, now_ms())));
        while memory.refused.len() > REFUSED_MAX {
            let oldest = memory.refused.iter().min_by_key(|(_, since)| **since).map(|(key, _)| *key);
            let Some(oldest) = oldest else { break };
            memory.refused.remove(&oldest);
        }
        // First remembered, then removed: the applicant asks again within seconds.
        if let Err(reason) = write(&self.directory.refused_path(), &memory.refused) {
            tracing::error!(reason, "the refusal could not be kept");
            return false;
        }
        files.iter().filter(|path| fs::remove_file(path).is_ok()).count() > 0
    }

    /// Answers one request.
    pub async fn serve(self: Arc<Self>, core: Core, peer: PublicKey, mut stream: PeerStream) {
        let bytes = match read_frame(&mut stream, REQUEST_BYTES_MAX, FRAME_WAIT).await {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::debug!(%error, "a join request did not arrive");
                return;
            }
        };
        core.counters().add("join-requests", 1);
        let Ok(reply) = tokio::task::spawn_blocking(move || self.answer(&core, peer, &bytes)).await else { return };
        if write_frame(&mut stream, &encode(&reply), FRAME_WAIT).await.is_ok() {
            // The applicant closes first or not at all; both are fine.
            let _ = stream.shutdown().await;
        }
    }

    pub(super) fn answer(&self, core: &Core, peer: PublicKey, bytes: &[u8]) -> JoinReply {
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
        let mut memory = self.memory.lock();
        if memory.refused.contains_key(&signing) {
            return refused("refused");
        }
        if self.holds(&signing, &request.application) {
            // It was delivered in time; how long a registrar takes is not the applicant's fault.
            return JoinReply::Pending;
        }
        if !memory.admits(&request.token, &signing) {
            return refused("token");
        }
        if signed.unproven_key(&core.federation()).is_some() {
            return refused("application");
        }
        if memory.bind(&request.token, signing)
            && let Err(reason) = self.write_tokens(&memory)
        {
            tracing::error!(reason, "who used an invitation could not be kept");
            return refused("full");
        }
        self.keep(&signing, &request.application)
    }

    fn path_of(&self, signing: &PublicKey) -> PathBuf {
        self.directory.applications_path().join(format!("{signing}.json"))
    }

    /// Whether this very application waits already. A corrected one takes its place, proven by the same key.
    fn holds(&self, signing: &PublicKey, application: &[u8]) -> bool {
        let stored: Option<StoredApplication> =
            fs::read(self.path_of(signing)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        stored.is_some_and(|stored| stored.application == hex::encode(application))
    }

    fn keep(&self, signing: &PublicKey, application: &[u8]) -> JoinReply {
        let (folder, path) = (self.directory.applications_path(), self.path_of(signing));
        if !path.exists() && self.files().len() >= APPLICATIONS_MAX {
            return refused("full");
        }
        let stored = StoredApplication { received_ms: now_ms(), application: hex::encode(application) };
        let written = fs::create_dir_all(&folder).map_err(|error| error.to_string());
        match written.and_then(|()| write(&path, &stored)) {
            Ok(()) => {
                tracing::info!(application = %signing.short(), "an application arrived");
                JoinReply::Pending
            }
            Err(reason) => {
                tracing::error!(reason, "an application could not be kept");
                refused("full")
            }
        }
    }
}

impl Memory {
    /// Whether the token is worth something to this applicant.
    fn admits(&self, token: &str, applicant: &PublicKey) -> bool {
        self.tokens.get(token).is_some_and(|stored| {
            stored.expires_ms >= now_ms()
                && (!stored.single || stored.applicant.is_none_or(|first| first == *applicant))
        })
    }

    /// Gives a token that serves one only to its first applicant. Says whether anything changed.
    fn bind(&mut self, token: &str, applicant: PublicKey) -> bool {
        let unbound = |stored: &&mut StoredToken| stored.single && stored.applicant.is_none();
        let Some(stored) = self.tokens.get_mut(token).filter(unbound) else { return false };
        stored.applicant = Some(applicant);
        true
    }
}

fn refused(reason: &str) -> JoinReply {
    JoinReply::Refused { reason: reason.to_owned() }
}

fn is_known(core: &Core, key: &PublicKey) -> bool {
    core.read(|state| state.replica.charter().log_of(key).is_some())
}

fn read_or_default<T: DeserializeOwned + Default>(path: &Path) -> Result<T, DirectoryError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| DirectoryError::Content { path: path.to_owned(), reason: error.to_string() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(T::default()),
        Err(source) => Err(DirectoryError::File { path: path.to_owned(), source }),
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), String> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| error.to_string())?;
    replace_file(path, &bytes).map_err(|error| error.to_string())
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
