//! The side that asks for admission: one question at a time, and a small file that says how far it is.

use std::fs;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use protocol::bundle::{self, FrameType};
use protocol::charter::{Charter, Purpose, SignedApplication, SignedBlock};
use protocol::identity::{MemberNumber, PublicKey};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use tokio::io::AsyncWriteExt;

use super::{
    FRAME_WAIT, Invitation, InvitationPeer, JoinError, JoinProgress, JoinReply, JoinRequest, REPLY_BYTES_MAX, decode,
    encode, invitation,
};
use crate::core::now_ms;
use crate::directory::{DataDirectory, remove_file, replace_file};
use crate::network::{DialError, Network, NetworkSettings, StreamKind, read_frame, write_frame};

/// The first wait between two requests to join; it doubles up to [`WAIT_LONGEST`].
const WAIT_FIRST: Duration = Duration::from_millis(500);
/// The longest wait between two requests to join.
const WAIT_LONGEST: Duration = Duration::from_secs(30);

/// Where an application stands, as the applicant knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoiningPhase {
    /// It has not been delivered yet.
    Asking,
    /// It was delivered, and a registrar has to decide.
    Pending,
    /// It was turned away: asking again does not help.
    Refused,
}

/// What `joining.json` says: how far joining is, for `status` while no API answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoiningState {
    /// Where the application stands.
    pub state: JoiningPhase,
    /// Name of the federation, as the invitation has it.
    pub federation_name: String,
    /// The digits to compare by telephone.
    pub fingerprint: String,
    /// When joining began, in milliseconds since 1970 (UTC).
    pub since_ms: u64,
    /// When a node was last asked.
    pub asked_ms: u64,
    /// What went wrong the last time, if something did.
    pub error: Option<String>,
    /// The stable word of a refusal.
    pub reason: Option<String>,
}

/// Reads how far joining is; `None` when this node is not joining. A file that cannot be read says nothing.
pub fn joining_state(directory: &DataDirectory) -> Option<JoiningState> {
    serde_json::from_slice(&fs::read(directory.joining_path()).ok()?).ok()
}

/// An applicant, ready to ask.
pub struct Applicant {
    directory: DataDirectory,
    invitation: Invitation,
    transport: SigningKey,
    signing: PublicKey,
    application: SignedApplication,
}

impl Applicant {
    /// Reads invitation and keys, and signs the application if that was not done before. Blocks.
    pub fn open(directory: &DataDirectory) -> Result<Self, JoinError> {
        let invitation = invitation(directory)?.ok_or(JoinError::NoInvitation)?;
        let transport = directory.key(crate::directory::keystore::KeyName::current(Purpose::Transport))?;
        let signing = directory.public_key(Purpose::Signing)?;
        let application = directory.kept_application(&invitation.federation)?;
        Ok(Self { directory: directory.clone(), invitation, transport, signing, application })
    }

    /// The digits to compare by telephone.
    pub fn fingerprint(&self) -> String {
        self.application.application.fingerprint()
    }

    /// Asks again and again until the member is admitted or turned away for good.
    pub async fn wait(&self) -> Result<MemberNumber, JoinError> {
        let mut wait = WAIT_FIRST;
        loop {
            match self.ask().await {
                Ok(JoinProgress::Admitted { member }) => {
                    tracing::info!(%member, "admitted");
                    return Ok(member);
                }
                Ok(JoinProgress::Pending { fingerprint }) => {
                    tracing::info!(fingerprint, "a registrar has to decide; compare the fingerprint by telephone");
                }
                Err(error) if error.is_final() => return Err(error),
                Err(error) => tracing::warn!(%error, "the request to join did not get further"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(WAIT_LONGEST);
        }
    }

    /// Delivers the request once, takes the reply, and writes down how far it is. Keeps the charter when the member is
    /// admitted.
    pub async fn ask(&self) -> Result<JoinProgress, JoinError> {
        let progress = self.ask_once().await;
        if let Err(error) = self.record(&progress) {
            // The file only informs; joining does not hang on it.
            tracing::warn!(%error, "how far joining is was not written down");
        }
        progress
    }

    async fn ask_once(&self) -> Result<JoinProgress, JoinError> {
        let settings = NetworkSettings {
            federation: self.invitation.federation,
            transport_key: self.transport.to_bytes(),
            listen: Vec::new(),
            members: Default::default(),
            limits: Default::default(),
        };
        let (network, _events) = Network::start(settings).await?;
        let reply = self.ask_any(&network).await;
        network.shutdown().await;
        match reply? {
            JoinReply::Pending => Ok(JoinProgress::Pending { fingerprint: self.fingerprint() }),
            JoinReply::Refused { reason } => Err(JoinError::Refused { reason }),
            JoinReply::Admitted { blocks } => self.accept(&blocks),
        }
    }

    async fn ask_any(&self, network: &Network) -> Result<JoinReply, JoinError> {
        let mut last = JoinError::Unreachable(DialError::NoAddress);
        for peer in &self.invitation.bootstrap {
            match self.ask_peer(network, peer).await {
                // Only the node that gave the invitation out knows its token, and whom it turned away.
                Ok(JoinReply::Refused { .. }) if matches!(last, JoinError::Refused { .. }) && last.is_final() => {}
                Ok(JoinReply::Refused { reason }) => last = JoinError::Refused { reason },
                Ok(reply) => return Ok(reply),
                // A refusal says more than silence does.
                Err(_) if matches!(last, JoinError::Refused { .. }) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask_peer(&self, network: &Network, peer: &InvitationPeer) -> Result<JoinReply, JoinError> {
        let dialled = network.dial(Some(peer.transport), peer.addresses.clone()).await;
        let key = dialled.map_err(JoinError::Unreachable)?;
        let mut stream = network.open_stream(key, StreamKind::Join).await?;
        let application = ByteBuf::from(self.application.encode());
        let request = JoinRequest { token: self.invitation.token.clone(), application };
        write_frame(&mut stream, &encode(&request), FRAME_WAIT).await?;
        let reply = read_frame(&mut stream, REPLY_BYTES_MAX, FRAME_WAIT).await?;
        // The reply is here; how the stream ends does not matter any more.
        let _ = stream.shutdown().await;
        decode(&reply)
    }

    fn accept(&self, blocks: &[ByteBuf]) -> Result<JoinProgress, JoinError> {
        let decoded = blocks.iter().map(|block| SignedBlock::decode(block));
        let blocks = decoded.collect::<Result<Vec<_>, _>>().map_err(|error| JoinError::Charter(error.to_string()))?;
        let (genesis, later) = blocks.split_first().ok_or(JoinError::Malformed)?;
        let mut charter = Charter::genesis(genesis.clone())?;
        if charter.federation() != self.invitation.federation {
            return Err(JoinError::Charter("its id is another".into()));
        }
        for block in later {
            charter.append(block.clone())?;
        }
        let pinned =
            (self.invitation.pin_version as usize).checked_sub(1).and_then(|index| charter.blocks().get(index));
        // A long charter comes in part, and sync brings the rest.
        if pinned.is_some_and(|block| block.hash() != self.invitation.pin) {
            return Err(JoinError::Charter(format!("its block {} is another", self.invitation.pin_version)));
        }
        let member = charter.log_of(&self.signing).map(|grant| grant.member);
        let member = member.ok_or_else(|| JoinError::Charter("it does not admit this member".into()))?;
        let (mut writer, mut bytes) = bundle::Writer::new(&charter.federation());
        blocks.iter().for_each(|block| writer.frame(FrameType::Block, &block.encode(), &mut bytes));
        writer.finish(&mut bytes);
        replace_file(&self.directory.charter_path(), &bytes)?;
        if self.directory.genesis()?.is_none() {
            self.directory.write_genesis(genesis)?;
        }
        Ok(JoinProgress::Admitted { member })
    }

    fn record(&self, progress: &Result<JoinProgress, JoinError>) -> Result<(), JoinError> {
        let path = self.directory.joining_path();
        if matches!(progress, Ok(JoinProgress::Admitted { .. })) {
            return Ok(remove_file(&path)?);
        }
        let now_ms = now_ms();
        let fingerprint = self.fingerprint();
        let before = joining_state(&self.directory).filter(|before| before.fingerprint == fingerprint);
        let reason = match progress {
            Err(JoinError::Refused { reason }) => Some(reason.clone()),
            _ => None,
        };
        let state = match progress {
            Ok(_) => JoiningPhase::Pending,
            Err(error @ JoinError::Refused { .. }) if error.is_final() => JoiningPhase::Refused,
            // What was delivered stays delivered while the other node is away.
            Err(_) => before.as_ref().map_or(JoiningPhase::Asking, |before| match before.state {
                JoiningPhase::Pending => JoiningPhase::Pending,
                JoiningPhase::Asking | JoiningPhase::Refused => JoiningPhase::Asking,
            }),
        };
        let state = JoiningState {
            state,
            federation_name: self.invitation.federation_name.clone(),
            fingerprint,
            since_ms: before.map_or(now_ms, |before| before.since_ms),
            asked_ms: now_ms,
            error: progress.as_ref().err().map(ToString::to_string),
            reason,
        };
        let bytes = serde_json::to_vec_pretty(&state).map_err(|error| JoinError::Charter(error.to_string()))?;
        Ok(replace_file(&path, &bytes)?)
    }
}
