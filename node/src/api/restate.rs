//! Statements above the seals of one's own keys, and publishing the genuine ones again.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::identity::EntryId;
use protocol::statement::Operation;

use super::Shared;
use super::extract::{JsonBody, blocking};
use super::problem::ApiProblem;
use super::types::{Problem, Restate, RestatedView, UncountedStatement};
use crate::records::error::RecordError;
use crate::records::restate::{self, Candidate, RestateError};
use crate::turns;

/// Lists statements of this member that do not count because they stand above a seal.
#[utoipa::path(get, path = "/v1/restatements", tag = "publishing",
    description = "本成员被封存点排除在外的陈述：密钥遗失、被盗或分叉之后，可挑出真实的重新发布。\
        Statements of this member above the seals of its keys; the genuine ones can be published again.",
    responses((status = 200, description = "按日志顺序。In the order of the logs.", body = Vec<UncountedStatement>),
        (status = 403, description = "本节点还不是成员。No member yet.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<Vec<UncountedStatement>>, ApiProblem> {
    let core = shared.core().clone();
    let found = blocking(move || restate::candidates(&core)).await?.map_err(problem)?;
    Ok(Json(found.iter().map(view).collect()))
}

/// Publishes statements again under the present key.
#[utoipa::path(post, path = "/v1/restatements", tag = "publishing", request_body = Restate,
    description = "用现用密钥重新发布这些陈述；已重新发布过的不会再发。\
        Publishes these statements again under the present key; what was published again before is left.",
    responses((status = 201, description = "已重新发布。Published again.", body = RestatedView),
        (status = 404, description = "有一条不在其中。One of them is not among them.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "暂不能签署。Not ready to sign.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn restate(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<Restate>,
) -> Result<(StatusCode, Json<RestatedView>), ApiProblem> {
    let ids = request.entries.iter().map(|id| id.parse::<EntryId>());
    let chosen = ids.collect::<Result<BTreeSet<_>, _>>().map_err(|_| {
        ApiProblem::malformed("条目标识应为 64 位十六进制。", "an entry id is 64 hexadecimal characters")
    })?;
    let core = shared.core().clone();
    // To its end, even when the caller does not wait: half of it is in the log already.
    let work = turns::spawn(async move { restate::restate(&core, &chosen).await });
    let done = work.await.unwrap_or_else(|error| Err(RestateError::System(error.to_string()))).map_err(problem)?;
    let text = |(old, new): &(EntryId, EntryId)| (old.to_string(), new.to_string());
    let left = done.left.iter().map(|(id, obstacle)| (id.to_string(), obstacle.name().to_owned())).collect();
    Ok((StatusCode::CREATED, Json(RestatedView { entries: done.entries.iter().map(text).collect(), left })))
}

fn view(candidate: &Candidate) -> UncountedStatement {
    let kinds = crate::kinds::kinds();
    let header = candidate.entry.header();
    let (kind, kind_zh) = candidate.kind(kinds);
    UncountedStatement {
        entry: candidate.entry.id().to_string(),
        key: header.key.to_string(),
        sequence: header.sequence,
        time_ms: header.time_ms,
        operation: match candidate.statement.operation {
            Operation::Create => "create",
            Operation::Revise => "revise",
            Operation::Withdraw => "withdraw",
        }
        .to_owned(),
        kind,
        kind_zh,
        title: candidate.title(kinds),
        external: candidate.statement.external.clone(),
        signed_here: candidate.signed_here,
        obstacle: candidate.obstacle.map(|obstacle| obstacle.name().to_owned()),
        obstacle_zh: candidate.obstacle.map(|obstacle| obstacle.zh().to_owned()),
    }
}

fn problem(error: RestateError) -> ApiProblem {
    match error {
        RestateError::NotMember => {
            let (zh, en) = ("本节点还不是成员。", "this node is no member yet");
            ApiProblem::new(StatusCode::FORBIDDEN, "not-member", zh, en).fix("请先入盟。", "join the federation first")
        }
        RestateError::Unknown(id) => {
            let zh = format!("{} 不是本成员封存点之上的陈述。", id.short());
            let en = format!("{} is no statement above a seal of this member", id.short());
            ApiProblem::new(StatusCode::NOT_FOUND, "not-above-seal", zh, en)
                .fix("请用 xianmeng republish --list 查看。", "see `xianmeng republish --list`")
        }
        RestateError::Publish(error) => RecordError::from(error).into(),
        error => {
            tracing::error!(%error, "statements could not be published again");
            ApiProblem::internal()
        }
    }
}
