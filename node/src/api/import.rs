//! Reading a bundle in: frame by frame as it comes, every entry verified like one from a peer.
//!
//! What was taken in before a fault stays taken in: entries stand for themselves, and a second attempt passes them over.
//! The answer to a faulty bundle names the frame and says how far it got.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use futures::StreamExt;
use protocol::bundle::{BundleError, EndCheck, FRAME_HEAD_BYTES, FrameType, PREAMBLE_BYTES, frame_head, read_preamble};
use protocol::bytes::LayoutError;
use protocol::charter::SignedBlock;
use protocol::entry::{Entry, EntryError};
use protocol::fork::{ForkError, ForkProof};
use protocol::identity::FederationId;
use protocol::replica::Outcome;
use thiserror::Error;

use super::Shared;
use super::limits::{
    BUNDLE_BYTES_MAX, IMPORT_BATCH_BLOCKS, IMPORT_BATCH_BYTES, IMPORT_BATCH_ENTRIES, UPLOAD_PAUSE_MAX,
};
use super::problem::ApiProblem;
use super::types::{BundleImported, Problem, ProblemDetail};
use crate::core::{BlockError, Core, PublishError};

/// Reads a bundle in.
#[utoipa::path(post, path = "/v1/bundles", tag = "bundles",
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "数据包。The bundle."),
    description = "导入别处导出的数据包；每条都验签，重复的略过。Takes in a bundle; everything is verified, what is known is passed over.",
    responses((status = 200, description = "已导入。Taken in.", body = BundleImported),
        (status = 409, description = "属于别的联盟，或与章程冲突。Another federation's, or in conflict with the charter.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "文件有误；明细说明哪一帧、已导入多少。A faulty file; the details say which frame and how much was taken in.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn import(State(shared): State<Shared>, body: Body) -> Result<Json<BundleImported>, ApiProblem> {
    let _turn = shared.stream_turn().await?;
    let mut import = Import::new(shared.core().clone());
    match import.read(body).await {
        Ok(()) => Ok(Json(import.done)),
        Err(error) => Err(error.into_problem(&import.done)),
    }
}

/// Why a bundle was not read to its end.
#[derive(Debug, Error)]
enum ImportError {
    #[error("the upload broke off or paused too long")]
    Upload,
    #[error("the bundle is longer than {BUNDLE_BYTES_MAX} bytes")]
    TooLong,
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error("the bundle belongs to federation {found}")]
    Federation { found: FederationId },
    #[error("frame {index}: no charter block: {error}")]
    BlockLayout { index: u64, error: LayoutError },
    #[error("frames {from} to {index}: {error}")]
    Block { from: u64, index: u64, error: BlockError },
    #[error("frame {index}: {error}")]
    Entry { index: u64, error: EntryError },
    #[error("frame {index}: {error}")]
    Proof { index: u64, error: ForkError },
    #[error(transparent)]
    Writer(#[from] PublishError),
}

struct Import {
    core: Core,
    /// Bytes that were received and not read yet.
    buffer: Vec<u8>,
    /// Where the buffer begins in the file.
    offset: u64,
    opened: bool,
    ended: bool,
    /// Number of the next frame.
    index: u64,
    check: Option<EndCheck>,
    blocks: Vec<SignedBlock>,
    entries: Vec<(u64, Entry)>,
    entries_bytes: usize,
    proofs: Vec<ForkProof>,
    done: BundleImported,
}

impl Import {
    fn new(core: Core) -> Self {
        Self {
            core,
            buffer: Vec::new(),
            offset: 0,
            opened: false,
            ended: false,
            index: 0,
            check: Some(EndCheck::default()),
            blocks: Vec::new(),
            entries: Vec::new(),
            entries_bytes: 0,
            proofs: Vec::new(),
            done: BundleImported::default(),
        }
    }

    async fn read(&mut self, body: Body) -> Result<(), ImportError> {
        let read = self.read_frames(body).await;
        // What came before a fault is good, and is taken in. A fault in it comes before the other one.
        let flushed = self.flush().await;
        flushed.and(read)
    }

    async fn read_frames(&mut self, body: Body) -> Result<(), ImportError> {
        let mut chunks = body.into_data_stream();
        while let Ok(chunk) = tokio::time::timeout(UPLOAD_PAUSE_MAX, chunks.next()).await {
            let Some(chunk) = chunk else { return self.finish() };
            self.buffer.extend_from_slice(&chunk.map_err(|_| ImportError::Upload)?);
            if self.offset + self.buffer.len() as u64 > BUNDLE_BYTES_MAX {
                return Err(ImportError::TooLong);
            }
            self.take_frames().await?;
        }
        Err(ImportError::Upload)
    }

    /// The file is over: it must have ended as a bundle does.
    fn finish(&self) -> Result<(), ImportError> {
        if !self.opened {
            return Err(BundleError::Magic.into());
        }
        if !self.ended {
            return Err(BundleError::Cut { index: self.index, offset: self.offset }.into());
        }
        Ok(())
    }

    /// Reads every frame that the buffer holds whole.
    async fn take_frames(&mut self) -> Result<(), ImportError> {
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        if !self.opened {
            let Some((preamble, after)) = rest.split_first_chunk::<PREAMBLE_BYTES>() else {
                self.buffer = buffer;
                return Ok(());
            };
            self.open(preamble)?;
            rest = after;
        }
        while !rest.is_empty() {
            if self.ended {
                return Err(BundleError::End.into());
            }
            let Some((head, after)) = rest.split_first_chunk::<FRAME_HEAD_BYTES>() else { break };
            let (frame_type, length) = frame_head(head, self.index, self.offset)?;
            let Some(content) = after.get(..length) else { break };
            self.take_frame(frame_type, head, content).await?;
            self.offset += (FRAME_HEAD_BYTES + length) as u64;
            self.index += 1;
            rest = &after[length..];
        }
        self.buffer = rest.to_vec();
        Ok(())
    }

    fn open(&mut self, preamble: &[u8; PREAMBLE_BYTES]) -> Result<(), ImportError> {
        let found = read_preamble(preamble)?;
        if found != self.core.federation() {
            return Err(ImportError::Federation { found });
        }
        if let Some(check) = &mut self.check {
            check.preamble(preamble);
        }
        self.opened = true;
        self.offset = PREAMBLE_BYTES as u64;
        Ok(())
    }

    async fn take_frame(
        &mut self,
        frame_type: FrameType,
        head: &[u8; FRAME_HEAD_BYTES],
        content: &[u8],
    ) -> Result<(), ImportError> {
        let index = self.index;
        if frame_type == FrameType::End {
            self.flush().await?;
            self.ended = true;
            return Ok(self.check.take().ok_or(BundleError::End)?.finish(content)?);
        }
        match frame_type {
            FrameType::Block => {
                let block = SignedBlock::decode(content);
                self.blocks.push(block.map_err(|error| ImportError::BlockLayout { index, error })?);
            }
            FrameType::Entry => {
                let entry = Entry::decode(content).map_err(|error| ImportError::Entry { index, error })?;
                self.entries.push((index, entry));
                self.entries_bytes += content.len();
            }
            // What an audit bundle claims is for its verifier; a node believes what it checks entry by entry.
            FrameType::Claim | FrameType::Attestation => {}
            FrameType::Proof | FrameType::End => {
                let proof = ForkProof::decode(content, &self.core.federation());
                self.proofs.push(proof.map_err(|error| ImportError::Proof { index, error })?);
            }
        }
        if let Some(check) = &mut self.check {
            check.frame(head, content);
        }
        let full = self.entries.len() >= IMPORT_BATCH_ENTRIES || self.entries_bytes >= IMPORT_BATCH_BYTES;
        if full || self.blocks.len() >= IMPORT_BATCH_BLOCKS || self.proofs.len() >= IMPORT_BATCH_ENTRIES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Takes in what was collected, in the order of a bundle.
    async fn flush(&mut self) -> Result<(), ImportError> {
        self.flush_blocks().await?;
        self.flush_entries().await?;
        let proofs = std::mem::take(&mut self.proofs);
        if !proofs.is_empty() {
            self.done.proofs_new += self.core.add_proofs(proofs).await?.len() as u64;
        }
        Ok(())
    }

    async fn flush_blocks(&mut self) -> Result<(), ImportError> {
        let blocks = std::mem::take(&mut self.blocks);
        if blocks.is_empty() {
            return Ok(());
        }
        let (from, index) = (self.index.saturating_sub(blocks.len() as u64), self.index);
        let version = || self.core.read(|state| state.replica.charter().version());
        let before = version();
        let appended = self.core.append_blocks(blocks).await;
        self.done.blocks_new += u64::from(version().saturating_sub(before));
        appended.map(drop).map_err(|error| ImportError::Block { from, index, error })
    }

    async fn flush_entries(&mut self) -> Result<(), ImportError> {
        self.entries_bytes = 0;
        let (indexes, entries): (Vec<u64>, Vec<Entry>) = std::mem::take(&mut self.entries).into_iter().unzip();
        if entries.is_empty() {
            return Ok(());
        }
        let mut fault = None;
        let mut good = Vec::with_capacity(entries.len());
        for (index, verified) in indexes.into_iter().zip(self.core.verify(entries).await) {
            match verified {
                Ok(entry) => good.push(entry),
                Err(error) => {
                    fault = Some(ImportError::Entry { index, error });
                    break;
                }
            }
        }
        let report = self.core.ingest(good).await?;
        self.done.entries_new += report.entries_new;
        for (_, outcome) in report.outcomes {
            self.count(outcome);
        }
        fault.map_or(Ok(()), Err)
    }

    fn count(&mut self, outcome: Outcome) {
        let reason = match outcome {
            Outcome::Appended | Outcome::BodyArrived => return,
            Outcome::Duplicate => {
                self.done.entries_known += 1;
                return;
            }
            Outcome::Ignored(reason) => reason.name(),
            Outcome::Refused(reason) => reason.name(),
            Outcome::Staged => "staged",
            Outcome::Forked => "forked",
            Outcome::Diverged => "diverged",
        };
        *self.done.refused.entry(reason.to_owned()).or_default() += 1;
    }
}

impl ImportError {
    fn into_problem(self, done: &BundleImported) -> ApiProblem {
        let en = self.to_string();
        let faulty = StatusCode::UNPROCESSABLE_ENTITY;
        let problem = match self {
            Self::Writer(error) => return ApiProblem::from(error).details(vec![taken_in(done)]),
            Self::Block { error: error @ (BlockError::Store(_) | BlockError::Closed), .. } => {
                return ApiProblem::from(error).details(vec![taken_in(done)]);
            }
            Self::Federation { .. } => {
                let zh = "这个数据包属于别的联盟。";
                ApiProblem::new(StatusCode::CONFLICT, "other-federation", zh, en)
            }
            Self::Upload => ApiProblem::new(StatusCode::BAD_REQUEST, "upload-cut", "上传中断或停顿太久。", en),
            Self::TooLong => ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", "数据包太长。", en),
            Self::Bundle(BundleError::Cut { index, offset }) => {
                let zh = format!("文件在第 {index} 帧（字节 {offset}）处断了。");
                ApiProblem::new(faulty, "bundle-cut", zh, en)
            }
            Self::Bundle(BundleError::Magic) => ApiProblem::new(faulty, "bundle-format", "这不是县盟数据包。", en),
            Self::Bundle(error) => ApiProblem::new(faulty, "bundle-format", format!("数据包有误：{error}。"), en),
            Self::BlockLayout { index, error } => {
                ApiProblem::new(faulty, "bundle-block", format!("第 {index} 帧不是章程区块：{error}。"), en)
            }
            Self::Block { from, index, error } => {
                let zh = format!("第 {from} 至 {index} 帧的章程区块与本节点的章程不合：{error}。");
                ApiProblem::new(StatusCode::CONFLICT, "bundle-block", zh, en)
            }
            Self::Entry { index, error } => {
                ApiProblem::new(faulty, "bundle-entry", format!("第 {index} 帧的条目无效：{error}。"), en)
            }
            Self::Proof { index, error } => {
                ApiProblem::new(faulty, "bundle-proof", format!("第 {index} 帧的分叉证明无效：{error}。"), en)
            }
        };
        problem
            .fix(
                "请从来源重新导出；已导入的不会重复。",
                "export it again at its source; what was taken in is not repeated",
            )
            .details(vec![taken_in(done)])
    }
}

/// How much was taken in before the fault.
fn taken_in(done: &BundleImported) -> ProblemDetail {
    let BundleImported { blocks_new, entries_new, entries_known, proofs_new, .. } = done;
    ProblemDetail {
        at: "taken-in".to_owned(),
        code: "taken-in".to_owned(),
        zh: format!("此前已导入：区块 {blocks_new}，条目 {entries_new}（原有 {entries_known}），证明 {proofs_new}。"),
        en: format!(
            "taken in before: {blocks_new} blocks, {entries_new} entries ({entries_known} known), {proofs_new} proofs"
        ),
    }
}
