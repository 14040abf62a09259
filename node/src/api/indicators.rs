//! Indicators, the bulletins that publish them, and their verification.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;
use super::duties::time_of;
use super::extract::{JsonBody, Pairs, Segment, blocking};
use super::problem::ApiProblem;
use super::types::{
    BulletinView, BulletinsView, IndicatorEvidenceView, IndicatorsView, Problem, PublishBulletin, VerificationView,
};
use crate::indicators::show::{self, Asked};
use crate::indicators::{IndicatorError, publish, verify};
use crate::kinds::kinds;

/// Every indicator.
#[utoipa::path(get, path = "/v1/indicators", tag = "indicators",
    description = "全部指标：数值、目标、判定、期间、覆盖成员、不明记录，旁边是上次公布的数值和异议。不写 as_of 时用内存里随记录更新的贡献，\
        complete 为 false 说明还在追赶；写明 as_of 时从条目重算；没有数值的写明原因。\
        All indicators: value, target, verdict, period, coverage, what is unknown, and beside them what was published last \
        and objections. Without `as_of` they are of what is kept in step with the records, and `complete` says whether all \
        of it is in; with `as_of` they are computed from the entries; where there is no value it says why.",
    params(
        ("as_of" = Option<String>, Query, description = "截至：2026-03（月末）、2026-03-31（当日结束时）、2026-03-31T10:00（北京时间）或 1970 年以来的毫秒数。The end of a month or day, a time in China, or milliseconds since 1970."),
        ("subject" = Option<String>, Query, description = "只看这个考核主体，如 联盟。Only what assesses this subject."),
    ),
    responses((status = 200, description = "各项指标。The indicators.", body = IndicatorsView),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "没有这个主体。No such subject.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "时刻在将来或建盟之前。No such time.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<IndicatorsView>, ApiProblem> {
    let pairs = pairs.known(&["as_of", "subject"])?;
    let asked = Asked {
        as_of_ms: pairs.one("as_of")?.map(time_of).transpose()?,
        subject: pairs.one("subject")?.map(str::to_owned),
    };
    let shelf = shared.context.derived.indicators();
    Ok(Json(blocking(move || show::view(shared.core(), &shelf, kinds(), &asked)).await??))
}

/// One indicator with its evidence.
#[utoipa::path(get, path = "/v1/indicators/{code}", tag = "indicators",
    description = "一项指标和算出它的记录，按编号排列，最多 1000 条。One indicator and the records that it comes from, 1,000 at most.",
    params(("code" = String, Path, description = "指标编号，如 ZB009。The code of an indicator."),
        ("as_of" = Option<String>, Query, description = "截至：2026-03（月末）、2026-03-31（当日结束时）、2026-03-31T10:00（北京时间）或 1970 年以来的毫秒数。The end of a month or day, a time in China, or milliseconds since 1970.")),
    responses((status = 200, description = "指标和依据。The indicator and its evidence.", body = IndicatorEvidenceView),
        (status = 404, description = "没有这项指标。No such indicator.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn evidence(
    State(shared): State<Shared>,
    Segment(code): Segment,
    pairs: Pairs,
) -> Result<Json<IndicatorEvidenceView>, ApiProblem> {
    let as_of_ms = pairs.known(&["as_of"])?.one("as_of")?.map(time_of).transpose()?;
    let shelf = shared.context.derived.indicators();
    Ok(Json(blocking(move || show::evidence(shared.core(), &shelf, kinds(), &code, as_of_ms)).await??))
}

/// Lists bulletins.
#[utoipa::path(get, path = "/v1/bulletins", tag = "indicators",
    description = "指标公报，最新的在前。Bulletins of figures, the last first.",
    responses((status = 200, description = "公报。The bulletins.", body = BulletinsView)))]
pub(super) async fn bulletins(State(shared): State<Shared>) -> Result<Json<BulletinsView>, ApiProblem> {
    let shelf = shared.context.derived.indicators();
    Ok(Json(blocking(move || show::bulletins(shared.core(), &shelf, kinds())).await?))
}

/// Publishes a bulletin.
#[utoipa::path(post, path = "/v1/bulletins", tag = "indicators", request_body = PublishBulletin,
    description = "秘书处公布指标：从条目算出，写明前沿、章程、口径和每项的依据，作为本节点日志里的一条签名记录。\
        The secretariat publishes the figures: computed from the entries, with frontier, charter, definitions and what each \
        rests on, as a signed record in its log.",
    responses((status = 201, description = "已公布。Published.", body = BulletinView),
        (status = 403, description = "不是秘书处。Not the secretariat.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "时刻在将来或建盟之前，或放不进一条记录。No such time, or too long for one entry.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "暂不能签署。Not ready to sign.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn publish_bulletin(
    State(shared): State<Shared>,
    JsonBody(wanted): JsonBody<PublishBulletin>,
) -> Result<(StatusCode, Json<BulletinView>), ApiProblem> {
    let shelf = shared.context.derived.indicators();
    let published = publish::publish(shared.core(), shelf.clone(), kinds(), &shared.publisher, wanted).await;
    let id = match published {
        Ok(id) => id,
        Err(IndicatorError::Refused(refusals)) => return Err(shared.refused(&refusals)),
        Err(error) => return Err(error.into()),
    };
    let view = blocking(move || show::published(shared.core(), &shelf, kinds(), &id)).await??;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Shows a bulletin.
#[utoipa::path(get, path = "/v1/bulletins/{reference}", tag = "indicators",
    description = "一份公报的各项数值，旁边是对它的异议和答复。The figures of a bulletin, with objections and answers beside them.",
    params(("reference" = String, Path, description = "公报的标签、编号或 id。The bulletin by label, own number or id.")),
    responses((status = 200, description = "公报。The bulletin.", body = BulletinView),
        (status = 404, description = "找不到，或不是公报。Not found, or no bulletin.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn bulletin(
    State(shared): State<Shared>,
    Segment(reference): Segment,
) -> Result<Json<BulletinView>, ApiProblem> {
    let shelf = shared.context.derived.indicators();
    Ok(Json(blocking(move || show::bulletin(shared.core(), &shelf, kinds(), &reference)).await??))
}

/// Computes a bulletin again.
#[utoipa::path(get, path = "/v1/bulletins/{reference}/verification", tag = "indicators",
    description = "在本节点按公报写明的各日志长度重算，逐项列出不同；日期在截止之前而此后才到的记录另列，不算不同。\
        Computes a bulletin again at the heads that it names and names every difference; records that are dated before its \
        time and came since stand apart and are no difference.",
    params(("reference" = String, Path, description = "公报的标签、编号或 id。The bulletin by label, own number or id.")),
    responses((status = 200, description = "结果：equal、late、differs 或 cannot。The result.", body = VerificationView),
        (status = 404, description = "找不到，或不是公报。Not found, or no bulletin.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "期间条目变了，请再试。Entries changed meanwhile; try again.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn verification(
    State(shared): State<Shared>,
    Segment(reference): Segment,
) -> Result<Json<VerificationView>, ApiProblem> {
    let shelf = shared.context.derived.indicators();
    Ok(Json(blocking(move || verify::verify(shared.core(), &shelf, kinds(), &reference)).await??))
}

impl From<IndicatorError> for ApiProblem {
    fn from(error: IndicatorError) -> Self {
        let en = error.to_string();
        let (status, code, zh, fix_zh, fix_en) = match error {
            IndicatorError::Record(record) => return record.into(),
            IndicatorError::Refused(refusals) => return Self::of(refusals.status(), refusals.problem()),
            IndicatorError::Code(code) => (
                StatusCode::NOT_FOUND,
                "indicator-unknown",
                format!("没有指标“{code}”。"),
                "xianmeng indicators 列出全部指标。",
                "`xianmeng indicators` lists them all",
            ),
            IndicatorError::Subject(subject) => (
                StatusCode::NOT_FOUND,
                "indicator-subject",
                format!("没有指标考核“{subject}”。"),
                "例如 联盟、夏邑县；xianmeng indicators 列出全部。",
                "`xianmeng indicators` lists every subject",
            ),
            IndicatorError::Time(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "indicator-time",
                "这个时刻在将来，或在建盟之前。".to_owned(),
                "请写建盟之后、现在之前的时刻。",
                "give a time between the founding of the federation and now",
            ),
            IndicatorError::NotBulletin(reference) => (
                StatusCode::NOT_FOUND,
                "not-a-bulletin",
                format!("“{reference}”不是一份有效的指标公报。"),
                "xianmeng bulletin list 列出全部公报。",
                "`xianmeng bulletin list` lists them",
            ),
            IndicatorError::NotSecretariat => (
                StatusCode::FORBIDDEN,
                "not-secretariat",
                "只有秘书处公布指标公报。".to_owned(),
                "别的成员可以核对（xianmeng verify bulletin）和提出异议（xianmeng object）。",
                "other members verify bulletins and object to them",
            ),
            IndicatorError::Incomplete(count) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "bodies-missing",
                format!("还有 {count} 条条目的正文没有收到，现在公布的数字会与别人算出的不同。"),
                "请等节点同步完成（xianmeng status）再公布。",
                "wait until the node is complete (`xianmeng status`) and publish then",
            ),
            IndicatorError::Moved => {
                (StatusCode::CONFLICT, "entries-moved", "计算期间条目变了。".to_owned(), "请再试一次。", "try again")
            }
            IndicatorError::Charter(_) => return Self::internal(),
        };
        Self::new(status, code, zh, en).fix(fix_zh, fix_en)
    }
}
