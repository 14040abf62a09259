//! One's own records by their own numbers, one line of JSON for each.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::Shared;
use super::extract::{JsonBody, Pairs, blocking};
use super::problem::ApiProblem;
use super::stream::{Pieces, answer};
use super::types::{ExternalLookup, ExternalRecord, Problem};
use crate::core::Core;
use crate::kinds::kinds;
use crate::records::LOOKUP_NUMBERS_MAX;
use crate::records::externals::{self, Externals};
use crate::records::prepare::kind_named;

/// Lists this member's records of a kind by their own numbers.
#[utoipa::path(get, path = "/v1/externals", tag = "records",
    description = "本成员某类别的全部记录，按自有编号，每行一个 JSON（ExternalRecord）；再次导入表格时用来比较。\
        This member's records of a kind with own numbers, one JSON object per line (ExternalRecord), to compare a second import with.",
    params(("kind" = String, Query, description = "类别名或编号。Name or number of a kind.")),
    responses((status = 200, description = "每行一条。One per line.", body = ExternalRecord, content_type = "application/x-ndjson"),
        (status = 422, description = "没有这个类别。No such kind.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn externals(State(shared): State<Shared>, pairs: Pairs) -> Result<Response, ApiProblem> {
    let pairs = pairs.known(&["kind"])?;
    let kind = pairs.one("kind")?.ok_or_else(|| ApiProblem::malformed("请指定 kind。", "`kind` is missing"))?;
    let kind = kind_named(kinds(), kind)?.number();
    let core = shared.core().clone();
    let externals = Externals::new(&core, kind).ok_or_else(not_member)?;
    let turn = shared.stream_turn().await?;
    Ok(answer("application/x-ndjson", Lines { core, externals }, turn))
}

/// Finds this member's records of some own numbers.
#[utoipa::path(post, path = "/v1/externals/lookup", tag = "records", request_body = ExternalLookup,
    description = "按自有编号（一次最多 1000 个）查本成员某类别的记录，只答查到的。\
        This member's records of a kind that have one of these own numbers, at most 1,000; only those that there are.",
    responses((status = 200, description = "查到的记录。The records.", body = Vec<ExternalRecord>),
        (status = 403, description = "还不是成员。No member yet.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "太多。Too many.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "没有这个类别。No such kind.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn look_up(
    State(shared): State<Shared>,
    JsonBody(asked): JsonBody<ExternalLookup>,
) -> Result<Json<Vec<ExternalRecord>>, ApiProblem> {
    let kind = kind_named(kinds(), &asked.kind)?.number();
    let count = asked.numbers.len();
    if count > LOOKUP_NUMBERS_MAX {
        let zh = format!("一次最多查 {LOOKUP_NUMBERS_MAX} 个编号，这里有 {count} 个。");
        let en = format!("at most {LOOKUP_NUMBERS_MAX} numbers at a time, these are {count}");
        return Err(ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", zh, en)
            .fix("请分成几次查。", "ask in several parts"));
    }
    let found = blocking(move || {
        let mut sealed = shared.publisher.sealed_numbers().lock();
        externals::look_up(shared.core(), kind, &asked.numbers, &mut sealed)
    });
    Ok(Json(found.await?.ok_or_else(not_member)?))
}

fn not_member() -> ApiProblem {
    let (zh, en) = ("本节点还不是成员。", "this node is no member yet");
    ApiProblem::new(StatusCode::FORBIDDEN, "not-member", zh, en).fix("请先入盟。", "join the federation first")
}

struct Lines {
    core: Core,
    externals: Externals,
}

impl Pieces for Lines {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, String> {
        let Some(records) = self.externals.next_piece(&self.core) else { return Ok(None) };
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, &record).map_err(|error| error.to_string())?;
            lines.push(b'\n');
        }
        Ok(Some(lines))
    }
}
