//! Applications, invitations, and sync on demand.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;
use super::extract::{JsonBody, Segment, blocking};
use super::limits::TOKEN_BYTES_MAX;
use super::problem::ApiProblem;
use super::types::{NewInvitation, PendingApplication, Problem};

/// Lists applications.
#[utoipa::path(get, path = "/v1/applications", tag = "joining",
    description = "等待登记人办理的入盟申请。Applications that wait for a registrar.",
    responses((status = 200, description = "申请。The applications.", body = [PendingApplication])))]
pub(super) async fn applications(State(shared): State<Shared>) -> Result<Json<Vec<PendingApplication>>, ApiProblem> {
    blocking(move || Json(shared.context.hooks.applications())).await
}

/// Removes an application.
#[utoipa::path(delete, path = "/v1/applications/{id}", tag = "joining",
    description = "删除一份申请（已办理或不予办理）。Removes an application that was dealt with.",
    params(("id" = String, Path, description = "申请的简短编号。Short name of the application.")),
    responses((status = 204, description = "已删除。Removed."),
        (status = 404, description = "没有这份申请。No such application.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn remove_application(
    State(shared): State<Shared>,
    Segment(id): Segment,
) -> Result<StatusCode, ApiProblem> {
    let name = id.clone();
    if blocking(move || shared.context.hooks.remove_application(&id)).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let (zh, en) = (format!("没有申请“{name}”。"), format!("there is no application `{name}`"));
    Err(ApiProblem::new(StatusCode::NOT_FOUND, "not-found", zh, en)
        .fix("请先列出申请。", "list the applications first"))
}

/// Remembers an invitation.
#[utoipa::path(post, path = "/v1/invitations", tag = "joining", request_body = NewInvitation,
    description = "登记一份邀请的口令，本节点此后接受持有它的申请。Remembers an invitation's token: this node then takes applications that hold it.",
    responses((status = 204, description = "已登记。Remembered."),
        (status = 422, description = "不能登记。It cannot be.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn invite(
    State(shared): State<Shared>,
    JsonBody(invitation): JsonBody<NewInvitation>,
) -> Result<StatusCode, ApiProblem> {
    if invitation.token.is_empty() || invitation.token.len() > TOKEN_BYTES_MAX {
        let zh = format!("token 要有 1 到 {TOKEN_BYTES_MAX} 字节。");
        return Err(ApiProblem::malformed(zh, format!("`token` must have 1 to {TOKEN_BYTES_MAX} bytes")));
    }
    let NewInvitation { token, expires_ms, single } = invitation;
    let added = blocking(move || shared.context.hooks.add_invitation(token, expires_ms, single)).await?;
    added.map(|()| StatusCode::NO_CONTENT).map_err(|reason| {
        let zh = format!("邀请不能登记：{reason}。");
        ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, "invitation", zh, reason)
            .fix("请核对有效期和磁盘。", "check its expiry and the disk")
    })
}

/// Syncs now.
#[utoipa::path(post, path = "/v1/sync", tag = "status",
    description = "立即与连着的成员同步，不等结果。Starts sync with connected members; does not wait for it.",
    responses((status = 202, description = "已开始。Started.")))]
pub(super) async fn sync(State(shared): State<Shared>) -> StatusCode {
    shared.context.hooks.sync_now();
    StatusCode::ACCEPTED
}
