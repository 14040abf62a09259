//! Sealing own confidential records anew after a change of keys.

use axum::Json;
use axum::extract::State;

use super::Shared;
use super::extract::{JsonBody, blocking};
use super::problem::ApiProblem;
use super::types::{Problem, Rewrap, Rewrapped};
use crate::confidential::readers_text;
use crate::records::STATEMENTS_MAX;
use crate::records::publish::Request;
use crate::records::rewrap::stale;

/// Seals confidential records anew where a reader cannot open them.
#[utoipa::path(post, path = "/v1/rewrap", tag = "publishing", request_body = Rewrap,
    description = "换钥之后：找出本成员有读者打不开的密文记录，为现用密钥重新加密发布；dry_run 时只列出。\
        After a change of keys: finds this member's confidential records that a reader cannot open, and seals them anew.",
    responses((status = 200, description = "哪些记录。Which they are.", body = Rewrapped),
        (status = 409, description = "须先有类别密钥，或打不开。A class key is needed, or it does not open.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "暂不能签署。Not ready to sign.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn rewrap(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<Rewrap>,
) -> Result<Json<Rewrapped>, ApiProblem> {
    let core = shared.core().clone();
    let mut found = blocking(move || stale(&core)).await?;
    found.sort_by_key(|one| one.label);
    if !request.dry_run {
        for batch in found.chunks(STATEMENTS_MAX) {
            let requests = batch.iter().map(|one| Request::Reseal(one.id)).collect();
            let published = shared.publisher.publish(shared.core(), requests).await;
            published.map_err(|refusals| shared.refused(&refusals))?;
        }
    }
    let records = found.iter().map(|one| (one.label.to_string(), readers_text(&one.readers)));
    Ok(Json(Rewrapped { records: records.collect(), published: !request.dry_run }))
}
