//! Duties: how members stand with them, and the one statement that nothing changed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;
use super::extract::{Pairs, blocking};
use super::problem::ApiProblem;
use super::types::{DutiesView, Problem, UnchangedView};
use crate::as_of;
use crate::core::now_ms;
use crate::duties::{self, Asked, DutyError, unchanged};

/// How members and organs stand with their duties.
#[utoipa::path(get, path = "/v1/duties", tag = "duties",
    description = "各成员和机构的义务履行情况，按所问时刻推算；前沿相同的节点对同一时刻结果相同。\
        How members and organs stand with their duties at a time. Nodes with the same frontier say the same of the same time.",
    params(
        ("as_of" = Option<String>, Query, description = "截至：2026-03（月末）、2026-03-31（当日结束时）、2026-03-31T10:00（北京时间）或 1970 年以来的毫秒数，默认现在。The end of a month or day, a time in China, or milliseconds since 1970; now by default."),
        ("member" = Option<String>, Query, description = "只要这个成员：编号或名称。Only this member, by number or name."),
        ("state" = Option<String>, Query, description = "只要这些状态，用逗号隔开，如 overdue,escalated；due 是本期尚未履行的。Only these states, separated by commas; `due` are those whose running period is not performed yet."),
        ("rule" = Option<String>, Query, description = "只要这项义务，如 YW001。Only this duty."),
    ),
    responses((status = 200, description = "履行情况。How they stand.", body = DutiesView),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "没有这个成员或义务。No such member or duty.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<DutiesView>, ApiProblem> {
    let pairs = pairs.known(&["as_of", "member", "state", "rule"])?;
    let states = pairs.one("state")?.unwrap_or_default().replace(['，', '、'], ",");
    let named = states.split(',').map(str::trim).filter(|name| !name.is_empty());
    let asked = Asked {
        as_of_ms: pairs.one("as_of")?.map(time_of).transpose()?,
        member: pairs.one("member")?.map(str::to_owned),
        rule: pairs.one("rule")?.map(str::to_owned),
        states: named.map(str::to_owned).collect(),
    };
    let view = blocking(move || duties::view(shared.core(), &shared.context.derived.duties(), &asked)).await??;
    Ok(Json(view))
}

/// Says for this node's member that nothing changed.
#[utoipa::path(post, path = "/v1/duties/unchanged", tag = "duties",
    description = "替本成员声明“本期无变化”：逐项义务检查，该声明的签名、落盘后才应答；本期已履行的不再发布。\
        States for this node's member that nothing changed: signed and durable before the answer, nothing where the period is performed already.",
    responses((status = 200, description = "没有要声明的。Nothing had to be stated.", body = UnchangedView),
        (status = 201, description = "已声明。Stated.", body = UnchangedView),
        (status = 403, description = "本节点没有发布的权利。This node has no right to publish.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "暂不能签署。Not ready to sign.", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "磁盘已满。The disk is full.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn unchanged(State(shared): State<Shared>) -> Result<(StatusCode, Json<UnchangedView>), ApiProblem> {
    let context = &shared.context;
    let made = unchanged::say(context.core.clone(), context.derived.duties(), &context.publisher, now_ms()).await;
    let view = match made {
        Ok(view) => view,
        Err(unchanged::SayError::Duty(error)) => return Err(error.into()),
        Err(unchanged::SayError::Records(refusals)) => return Err(shared.refused(&refusals)),
        Err(unchanged::SayError::Lost) => return Err(ApiProblem::internal()),
    };
    let status = if view.stated == 0 { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(view)))
}

/// A time as people give it; see [`as_of`].
pub(super) fn time_of(text: &str) -> Result<u64, ApiProblem> {
    as_of::parse(text, now_ms()).ok_or_else(|| {
        let (zh, en) = (format!("看不懂时刻“{text}”。"), format!("`{text}` is no time"));
        ApiProblem::malformed(zh, en).fix(&format!("{}。", as_of::FORMATS_ZH), as_of::FORMATS_EN)
    })
}

impl From<DutyError> for ApiProblem {
    fn from(error: DutyError) -> Self {
        let status = match error {
            DutyError::Member { .. } | DutyError::Rule { .. } => StatusCode::NOT_FOUND,
            DutyError::State { .. } => StatusCode::BAD_REQUEST,
            DutyError::NoMember => StatusCode::FORBIDDEN,
            DutyError::NotComplete => StatusCode::SERVICE_UNAVAILABLE,
            DutyError::DatedAhead { .. } => StatusCode::CONFLICT,
        };
        let (fix_zh, fix_en) = match error {
            DutyError::DatedAhead { .. } => (
                "请校准时钟，再用 xianmeng key request signing 申请新的签名密钥：新密钥的日志从头开始，之后发布的照常计入。",
                "set the clock, then ask for a new signing key with `xianmeng key request signing`: its log begins anew, and \
                 what is published from then on counts",
            ),
            _ => (
                "义务清单见 docs/DUTIES.md，成员名册见 xianmeng charter show。",
                "see docs/DUTIES.md for the duties and `xianmeng charter show` for the members",
            ),
        };
        Self::new(status, error.code(), error.zh(), error.to_string()).fix(fix_zh, fix_en)
    }
}
