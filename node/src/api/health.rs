//! How the federation's nodes are, and who holds which log.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;
use super::extract::{Segment, blocking};
use super::problem::ApiProblem;
use super::types::{CustodyView, HealthView, MemberHealthDetail, Problem};
use crate::health;

/// How the members' nodes are.
#[utoipa::path(get, path = "/v1/health", tag = "status",
    description = "全盟节点健康：谁在线、失联、从未上线，落后、分叉、版本、时钟、磁盘；本节点断网时如实说明。\
        The federation's nodes: who is up, silent or never joined, and what is wrong; a node that is cut off says so.",
    responses((status = 200, description = "健康。The health.", body = HealthView)))]
pub(super) async fn overview(State(shared): State<Shared>) -> Result<Json<HealthView>, ApiProblem> {
    blocking(move || Json(health::view(&shared.context.health))).await
}

/// How one member's node is.
#[utoipa::path(get, path = "/v1/health/{member}", tag = "status",
    description = "一个成员的节点健康和各日志的存管。One member's node, and who holds its logs.",
    params(("member" = u32, Path, description = "成员编号。Number of the member.")),
    responses((status = 200, description = "健康。The health.", body = MemberHealthDetail),
        (status = 404, description = "没有这个成员。No such member.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn member(
    State(shared): State<Shared>,
    Segment(member): Segment,
) -> Result<Json<MemberHealthDetail>, ApiProblem> {
    let number = member.parse().ok();
    let found = blocking(move || number.and_then(|number| health::member_view(&shared.context.health, number))).await?;
    found.map(Json).ok_or_else(|| {
        let (zh, en) = (format!("没有编号为“{member}”的有效成员。"), format!("there is no active member `{member}`"));
        ApiProblem::new(StatusCode::NOT_FOUND, "member-unknown", zh, en)
            .fix("成员编号见 xianmeng health。", "`xianmeng health` lists the members")
    })
}

/// Who holds which log.
#[utoipa::path(get, path = "/v1/custody", tag = "status",
    description = "每个日志有多少家、多少省持有到哪一条，最少的在前。Who holds each log up to where, those that fewest hold first.",
    responses((status = 200, description = "存管。The custody.", body = CustodyView)))]
pub(super) async fn custody(State(shared): State<Shared>) -> Result<Json<CustodyView>, ApiProblem> {
    blocking(move || Json(health::custody_view(&shared.context.health))).await
}
