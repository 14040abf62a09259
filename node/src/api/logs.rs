//! Logs as they are held: which entries count, and why the others do not.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::charter::LogGrant;
use protocol::entry::VerifiedEntry;
use protocol::identity::PublicKey;
use protocol::replica::Replica;
use protocol::statement::{Operation, Statement};
use protocol::view::RECORD_KINDS_FROM;

use super::extract::{Pairs, Segment, blocking};
use super::problem::ApiProblem;
use super::status::member_name;
use super::types::{LogEntries, LogEntry, Problem, SealView};
use super::{Shared, SharedState};

/// Entries in one answer unless the request says otherwise.
const ENTRIES_DEFAULT: usize = 100;
/// Entries in one answer at most.
const ENTRIES_MAX: usize = 1_000;
/// Bytes of entries read for one answer.
const ENTRIES_BYTES: usize = 16 * 1024 * 1024;

/// Shows a log.
#[utoipa::path(get, path = "/v1/logs/{key}/entries", tag = "charter",
    description = "一把签名密钥的日志：本节点持有的条目、是否算数、为何不算。The log of a signing key: the entries held here, whether each counts, and why not.",
    params(("key" = String, Path, description = "签名公钥。The signing key."),
        ("from" = Option<u64>, Query, description = "从第几条起。The first sequence."),
        ("limit" = Option<usize>, Query, description = "至多几条，缺省 100，上限 1000。Entries at most; 100 unless given, 1000 at most.")),
    responses((status = 200, description = "日志。The log.", body = LogEntries),
        (status = 400, description = "写法不对。Malformed.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "没有这把密钥的日志。No such log.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn entries(
    State(shared): State<Shared>,
    Segment(key): Segment,
    pairs: Pairs,
) -> Result<Json<LogEntries>, ApiProblem> {
    let pairs = pairs.known(&["from", "limit"])?;
    let from = pairs.number::<u64>("from")?.unwrap_or(0);
    let limit = pairs.number::<usize>("limit")?.unwrap_or(ENTRIES_DEFAULT).clamp(1, ENTRIES_MAX);
    let key: PublicKey = key
        .parse()
        .map_err(|_| ApiProblem::malformed("密钥要写 64 个十六进制字符。", "a key is 64 hexadecimal characters"))?;
    blocking(move || shared.log_entries(&key, from, limit)).await?.map(Json)
}

impl SharedState {
    fn log_entries(&self, key: &PublicKey, from: u64, limit: usize) -> Result<LogEntries, ApiProblem> {
        let core = self.core();
        let unknown = || {
            let (zh, en) = ("章程里没有这把签名密钥。", "the charter grants no such signing key");
            ApiProblem::new(StatusCode::NOT_FOUND, "not-found", zh, en)
                .fix("xianmeng charter show 列出成员。", "`xianmeng charter show` lists the members")
        };
        let number = core.read(|state| state.replica.charter().log_of(key).map(|grant| grant.number));
        let read = core.store().range(number.ok_or_else(unknown)?, from, limit, ENTRIES_BYTES);
        let read = read.map_err(|error| {
            tracing::error!(%error, "a log cannot be read");
            ApiProblem::internal()
        })?;
        core.read(|state| {
            let replica = &state.replica;
            let grant = replica.charter().log_of(key).ok_or_else(unknown)?;
            // What was displaced in the meantime is no part of the log any more.
            let held =
                read.iter().filter(|entry| replica.id(grant.number, entry.header().sequence) == Some(entry.id()));
            let entries = held.map(|entry| log_entry(replica, grant, entry)).collect();
            Ok(log_view(replica, grant, entries))
        })
    }
}

fn log_view(replica: &Replica, grant: &LogGrant, entries: Vec<LogEntry>) -> LogEntries {
    let proof = replica.proofs().find(|proof| proof.key() == grant.key);
    LogEntries {
        key: grant.key.to_string(),
        log: grant.number,
        member: member_name(replica.charter(), grant.member),
        held: replica.length(grant.number),
        counting: replica.effective_length(grant.number),
        forked_at: replica.fork_of(&grant.key),
        branches: proof.map(|proof| proof.ids().map(|id| id.to_string()).to_vec()).unwrap_or_default(),
        seal: grant.seal.map(|last| SealView { last: last.map(|last| (last.sequence, last.id.to_string())) }),
        entries,
    }
}

fn log_entry(replica: &Replica, grant: &LogGrant, entry: &VerifiedEntry) -> LogEntry {
    let header = entry.header();
    let counts = header.sequence < replica.effective_length(grant.number);
    let erased = replica.erased(grant.number, header.sequence);
    let why = if !counts && grant.ends_before(header.sequence) {
        Some("above-seal")
    } else if !counts {
        Some("forked")
    } else {
        erased.map(|_| "erased")
    };
    LogEntry {
        sequence: header.sequence,
        id: entry.id().to_string(),
        kind: header.kind,
        time_ms: header.time_ms,
        charter: header.charter,
        body: entry.body().is_some(),
        creates: erased.or_else(|| creates(entry)),
        counts,
        why: why.map(str::to_owned),
    }
}

fn creates(entry: &VerifiedEntry) -> Option<bool> {
    if entry.header().kind < RECORD_KINDS_FROM {
        return Some(false);
    }
    let statement = Statement::decode(entry.body()?).ok()?;
    Some(statement.operation == Operation::Create)
}
