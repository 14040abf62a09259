//! The replica as a bundle: charter blocks, then the entries that count by log and sequence, then proofs, then the end.
//!
//! An audit bundle (see [`protocol::completeness`]) is that of one member, with what proves that nothing of the member
//! is left out: the rival block if one is known, the logs in which heirs erased, the frontier, and who attests it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::bundle::{FrameType, Writer};
use protocol::charter::{LogNumber, SignedBlock};
use protocol::completeness::{Claim, supporting_logs};
use protocol::entry::VerifiedEntry;
use protocol::erasure::KIND_ERASURE;
use protocol::fork::ForkProof;
use protocol::identity::MemberNumber;
use protocol::replica::Replica;

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
    params(("member" = Option<u32>, Query, description = "只导出这个成员的日志。Only this member's logs."),
        ("audit" = Option<bool>, Query, description = "附上前沿与见证，用以证明该成员的内容没有缺漏；须与 member 同用。\
            With the frontier and its attestations, to prove that nothing of the member is left out; needs `member`.")),
    responses((status = 200, description = "数据包。The bundle.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "没有这个成员。No such member.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn export(State(shared): State<Shared>, pairs: Pairs) -> Result<Response, ApiProblem> {
    let pairs = pairs.known(&["member", "audit"])?;
    let member = pairs.number("member")?.map(MemberNumber);
    let audit = match (pairs.one("audit")?, member) {
        (None | Some("false"), _) => None,
        (Some("true"), Some(member)) => Some(member),
        (Some(_), _) => {
            let (zh, en) =
                ("audit 只能写 true 或 false，且须同时给出 member。", "`audit` is true or false, with `member`");
            return Err(ApiProblem::malformed(zh, en));
        }
    };
    let exists =
        |member: &MemberNumber| shared.core().read(|state| state.replica.charter().members().contains_key(member));
    if let Some(member) = member.filter(|member| !exists(member)) {
        let (zh, en) = (format!("没有第 {member} 号成员。"), format!("there is no member {member}"));
        return Err(ApiProblem::new(StatusCode::NOT_FOUND, "member-unknown", zh, en)
            .fix("成员编号见 /v1/charter。", "see /v1/charter for the numbers of members"));
    }
    let turn = shared.stream_turn().await?;
    Ok(answer("application/octet-stream", Export::new(shared.core().clone(), member, audit), turn))
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
    audit: Option<Audit>,
}

/// What an audit bundle holds besides, as it was at the beginning.
struct Audit {
    claim: Claim,
    /// A second valid block of one version.
    rival: Option<SignedBlock>,
    proofs: Vec<ForkProof>,
    /// Logs of heirs, of which only headers and erasures are needed.
    supporting: BTreeSet<LogNumber>,
}

impl Audit {
    fn new(replica: &Replica, member: MemberNumber) -> Self {
        Self {
            claim: Claim { member, frontier: replica.frontier() },
            rival: replica.charter().rival().cloned(),
            proofs: replica.proofs().cloned().collect(),
            supporting: supporting_logs(replica, member),
        }
    }
}

impl Export {
    fn new(core: Core, member: Option<MemberNumber>, audit: Option<MemberNumber>) -> Self {
        let (writer, opening) = Writer::new(&core.federation());
        let (blocks, mut logs, audit) = core.read(|state| {
            let charter = state.replica.charter();
            let audit = audit.map(|member| Audit::new(&state.replica, member));
            let supports = |log| audit.as_ref().is_some_and(|audit| audit.supporting.contains(&log));
            let wanted = charter
                .logs()
                .iter()
                .filter(|log| member.is_none_or(|member| log.member == member) || supports(log.number));
            let logs: Vec<_> = wanted.map(|log| (log.number, state.replica.effective_length(log.number))).collect();
            (charter.blocks().len(), logs, audit)
        });
        logs.reverse();
        Self { core, writer: Some(writer), opening: Some(opening), blocks_given: 0, blocks, logs, sequence: 0, audit }
    }

    fn blocks(&mut self, writer: &mut Writer) -> Vec<u8> {
        let until = self.blocks.min(self.blocks_given + EXPORT_PIECE_BLOCKS);
        let blocks = self.core.read(|state| state.replica.charter().blocks()[self.blocks_given..until].to_vec());
        let mut piece = Vec::new();
        let rival = self.audit.as_ref().and_then(|audit| audit.rival.as_ref()).filter(|_| until == self.blocks);
        blocks.iter().chain(rival).for_each(|block| writer.frame(FrameType::Block, &block.encode(), &mut piece));
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
        let bare = self.bare(log, &entries);
        for entry in &entries {
            let is_bare = bare.contains(&entry.header().sequence);
            let bytes = if is_bare { entry.without_body().encode() } else { entry.encode() };
            writer.frame(FrameType::Entry, &bytes, &mut piece);
        }
        self.sequence += entries.len() as u64;
        if self.sequence >= length {
            self.logs.pop();
            self.sequence = 0;
        }
        Ok(piece)
    }

    /// Sequences of entries that go into an audit bundle without their bodies: what was erased, and what only has to
    /// keep the chain of an heir's log together.
    fn bare(&self, log: LogNumber, entries: &[Arc<VerifiedEntry>]) -> BTreeSet<u64> {
        let Some(audit) = &self.audit else { return BTreeSet::new() };
        let supports = audit.supporting.contains(&log);
        self.core.read(|state| {
            let headers = entries.iter().map(|entry| entry.header());
            let is_bare =
                |sequence, kind| (supports && kind != KIND_ERASURE) || state.replica.erased(log, sequence).is_some();
            headers.filter(|header| is_bare(header.sequence, header.kind)).map(|header| header.sequence).collect()
        })
    }

    fn proofs_and_end(&self, mut writer: Writer) -> Result<Vec<u8>, String> {
        let mut piece = Vec::new();
        let held = || self.core.read(|state| state.replica.proofs().cloned().collect());
        let proofs: Vec<ForkProof> = self.audit.as_ref().map_or_else(held, |audit| audit.proofs.clone());
        proofs.iter().for_each(|proof| writer.frame(FrameType::Proof, &proof.encode(), &mut piece));
        if let Some(audit) = &self.audit {
            let claim = audit.claim.encode().map_err(|error| error.to_string())?;
            writer.frame(FrameType::Claim, &claim, &mut piece);
            let attestations = self.core.attestations(&audit.claim);
            attestations.iter().for_each(|beacon| writer.frame(FrameType::Attestation, beacon, &mut piece));
        }
        writer.finish(&mut piece);
        Ok(piece)
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
            return self.proofs_and_end(writer).map(Some);
        };
        self.writer = Some(writer);
        Ok(Some(piece))
    }
}
