//! The replica as a bundle: charter blocks, then the entries that count by log and sequence, then proofs, then the end.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::bundle::{FrameType, Writer};
use protocol::charter::LogNumber;
use protocol::identity::MemberNumber;

use super::Shared;
use super::extract::Pairs;
use super::limits::{EXPORT_PIECE_BLOCKS, EXPORT_PIECE_BYTES, EXPORT_PIECE_ENTRIES};
use super::problem::ApiProblem;
use super::stream::{Pieces, answer};
use super::types::Problem;
use crate::core::Core;

/// Exports the replica.
#[utoipa::path(get, path = "/v1/export", tag = "bundles",
    description = "把本节点持有的全部内容（或一个成员的日志）导出为一个文件，可拷到别处导入。\
        Everything that this node holds, or one member's logs, as a file that another node can take in.",
    params(("member" = Option<u32>, Query, description = "只导出这个成员的日志。Only this member's logs.")),
    responses((status = 200, description = "数据包。The bundle.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "没有这个成员。No such member.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn export(State(shared): State<Shared>, pairs: Pairs) -> Result<Response, ApiProblem> {
    let pairs = pairs.known(&["member"])?;
    let member = pairs.number("member")?.map(MemberNumber);
    let exists =
        |member: &MemberNumber| shared.core().read(|state| state.replica.charter().members().contains_key(member));
    if let Some(member) = member.filter(|member| !exists(member)) {
        let (zh, en) = (format!("没有第 {member} 号成员。"), format!("there is no member {member}"));
        return Err(ApiProblem::new(StatusCode::NOT_FOUND, "member-unknown", zh, en)
            .fix("成员编号见 /v1/charter。", "see /v1/charter for the numbers of members"));
    }
    let turn = shared.stream_turn().await?;
    Ok(answer("application/octet-stream", Export::new(shared.core().clone(), member), turn))
}

/// What is exported next. The lengths of blocks and logs are those of the beginning; what arrives meanwhile is left out.
struct Export {
    core: Core,
    writer: Option<Writer>,
    /// The preamble, until it is given out.
    opening: Option<Vec<u8>>,
    blocks_given: usize,
    blocks: usize,
    /// Logs that are left, with their lengths, the next one last.
    logs: Vec<(LogNumber, u64)>,
    sequence: u64,
}

impl Export {
    fn new(core: Core, member: Option<MemberNumber>) -> Self {
        let (writer, opening) = Writer::new(&core.federation());
        let (blocks, mut logs) = core.read(|state| {
            let charter = state.replica.charter();
            let wanted = charter.logs().iter().filter(|log| member.is_none_or(|member| log.member == member));
            let logs: Vec<_> = wanted.map(|log| (log.number, state.replica.effective_length(log.number))).collect();
            (charter.blocks().len(), logs)
        });
        logs.reverse();
        Self { core, writer: Some(writer), opening: Some(opening), blocks_given: 0, blocks, logs, sequence: 0 }
    }

    fn blocks(&mut self, writer: &mut Writer) -> Vec<u8> {
        let until = self.blocks.min(self.blocks_given + EXPORT_PIECE_BLOCKS);
        let blocks = self.core.read(|state| state.replica.charter().blocks()[self.blocks_given..until].to_vec());
        let mut piece = Vec::new();
        blocks.iter().for_each(|block| writer.frame(FrameType::Block, &block.encode(), &mut piece));
        self.blocks_given = until;
        piece
    }

    fn entries(&mut self, log: LogNumber, length: u64, writer: &mut Writer) -> Result<Vec<u8>, String> {
        let left = usize::try_from(length - self.sequence).unwrap_or(usize::MAX);
        let count = left.min(EXPORT_PIECE_ENTRIES);
        let entries = self.core.store().range(log, self.sequence, count, EXPORT_PIECE_BYTES);
        let entries = entries.map_err(|error| error.chain())?;
        if entries.is_empty() && left > 0 {
            return Err(format!("log {log} ends at {} while it is exported; it was {length}", self.sequence));
        }
        let mut piece = Vec::new();
        entries.iter().for_each(|entry| writer.frame(FrameType::Entry, &entry.encode(), &mut piece));
        self.sequence += entries.len() as u64;
        if self.sequence >= length {
            self.logs.pop();
            self.sequence = 0;
        }
        Ok(piece)
    }

    fn proofs_and_end(&self, mut writer: Writer) -> Vec<u8> {
        let proofs: Vec<Vec<u8>> = self.core.read(|state| state.replica.proofs().map(|proof| proof.encode()).collect());
        let mut piece = Vec::new();
        proofs.iter().for_each(|proof| writer.frame(FrameType::Proof, proof, &mut piece));
        writer.finish(&mut piece);
        piece
    }
}

impl Pieces for Export {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, String> {
        let Some(mut writer) = self.writer.take() else { return Ok(None) };
        let piece = if let Some(opening) = self.opening.take() {
            opening
        } else if self.blocks_given < self.blocks {
            self.blocks(&mut writer)
        } else if let Some((log, length)) = self.logs.last().copied() {
            self.entries(log, length, &mut writer)?
        } else {
            return Ok(Some(self.proofs_and_end(writer)));
        };
        self.writer = Some(writer);
        Ok(Some(piece))
    }
}
