//! The way into the portal for whoever holds the API's token, and with it the data directory.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;
use super::extract::blocking;
use super::problem::ApiProblem;
use super::types::{PortalLink, Problem};
use crate::portal::limits::LINK_MS_MAX;

/// Makes a link into the portal.
#[utoipa::path(post, path = "/v1/portal/links", tag = "status",
    description = "生成一个打开网页门户的一次性链接。Makes a link that opens the portal once.",
    responses((status = 200, description = "链接。The link.", body = PortalLink),
        (status = 503, description = "门户没有运行。The portal does not run.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn link(State(shared): State<Shared>) -> Result<Json<PortalLink>, ApiProblem> {
    let made = blocking(move || shared.context.hooks.portal_link()).await?;
    let url = made.map_err(|problem| {
        ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "portal", problem.zh, problem.en).fix(
            "请看 config.toml 的 [portal]，改好后重新启动节点。",
            "see [portal] in config.toml, and start the node again",
        )
    })?;
    Ok(Json(PortalLink { url, seconds: LINK_MS_MAX / 1_000 }))
}
