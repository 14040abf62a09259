//! What is missing, idle, doubled or could be done together: surveys over everybody's records, and rankings.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;
use super::extract::{Pairs, blocking};
use super::problem::ApiProblem;
use super::reading::read_conditions;
use super::types::{ChainsView, CompetitionView, IdleFundsView, PoolsView, Problem, RankingView, SuccessView};
use crate::kinds::kinds;
use crate::matching::idle;
use crate::records::survey::{self, Asked, SurveyError, ranking};

/// Same industries of neighbouring counties.
#[utoipa::path(get, path = "/v1/gaps/competition", tag = "gaps",
    description = "同质竞争：同一地级市内，哪些县（市、区）写明了同一个四位行业，依据哪些记录；按县数排序，一县一行业只数一次。\
        Which counties of one prefecture state the same industry of four digits, and by which records; ranked by the \
        number of counties, each counted once.",
    params(
        ("region" = Option<String>, Query, description = "省、市、县的代码或名称。A division by code or name."),
        ("industry" = Option<String>, Query, description = "行业代码或名称，可以是大类、中类。An industry by code or name; may be a wider one."),
        ("min_counties" = Option<usize>, Query, description = "至少几个县，默认 2。Fewest counties."),
        ("limit" = Option<usize>, Query, description = "行数，默认 50，最多 1000。Lines of the answer."),
    ),
    responses((status = 200, description = "各地级市的行业。Industries of prefectures.", body = CompetitionView),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "没有这个地方或行业。No such place or industry.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn competition(
    State(shared): State<Shared>,
    pairs: Pairs,
) -> Result<Json<CompetitionView>, ApiProblem> {
    let pairs = pairs.known(&["region", "industry", "min_counties", "limit"])?;
    let asked = asked(&pairs, "industry")?;
    Ok(Json(blocking(move || survey::competition(shared.core(), kinds(), &asked)).await??))
}

fn asked(pairs: &Pairs, about: &str) -> Result<Asked, ApiProblem> {
    Ok(Asked {
        region: pairs.one("region")?.map(str::to_owned),
        about: pairs.one(about)?.map(str::to_owned),
        counties_min: pairs.number("min_counties")?,
        lines: pairs.number("limit")?,
    })
}

/// Missing links of chains.
#[utoipa::path(get, path = "/v1/gaps/chains", tag = "gaps",
    description = "产业链缺环：一地产业链的各环节，有没有项目、资源或被投企业，缺的在哪些县有（同市、同省、其他）。\
        The links of the chains of a place: whether projects, resources or enterprises show them, and in which counties \
        the missing ones exist.",
    params(
        ("region" = Option<String>, Query, description = "县、市、省的代码或名称；不写为全联盟。A division by code or name; none for all."),
        ("chain" = Option<String>, Query, description = "产业链名称含这些字。The name of the chain holds this."),
        ("limit" = Option<usize>, Query, description = "产业链条数，默认 50，最多 1000。Chains of the answer."),
    ),
    responses((status = 200, description = "各产业链的环节。The links of the chains.", body = ChainsView),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "没有这个地方。No such place.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn chains(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<ChainsView>, ApiProblem> {
    let asked = asked(&pairs.known(&["region", "chain", "limit"])?, "chain")?;
    Ok(Json(blocking(move || survey::chains(shared.core(), kinds(), &asked)).await??))
}

/// Idle funds.
#[utoipa::path(get, path = "/v1/gaps/funds", tag = "gaps",
    description = "闲置基金：十二个月没有投资案例的基金，依据是什么、多久了；说不清的单列，不算闲置。\
        前 20 支附上最适配的项目和资金需求（由匹配得出）。\
        Funds without a case in twelve months, on what ground and for how long; those of which it cannot be said stand \
        apart. The first 20 come with the projects and needs of money that fit them best, by matching.",
    params(
        ("region" = Option<String>, Query, description = "所在地的代码或名称。The seat, by code or name."),
        ("fits" = Option<usize>, Query, description = "每支最多几个适配项目，默认 3，最多 20，0 为不找。Most fits of each, 0 for none."),
    ),
    responses((status = 200, description = "闲置的和说不清的基金。Idle funds, and unknown ones.", body = IdleFundsView),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "没有这个地方。No such place.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn funds(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<IdleFundsView>, ApiProblem> {
    let pairs = pairs.known(&["region", "fits"])?;
    let region = pairs.one("region")?.map(str::to_owned);
    let fits: usize = pairs.number("fits")?.unwrap_or(idle::FITS);
    if fits > idle::FITS_MAX {
        let zh = format!("fits 要在 0 到 {} 之间。", idle::FITS_MAX);
        return Err(ApiProblem::malformed(zh, format!("`fits` must be within 0 and {}", idle::FITS_MAX)));
    }
    let view = blocking(move || {
        let mut view = survey::funds(shared.core(), kinds(), region.as_deref())?;
        idle::pair(shared.core(), &shared.context.derived.matching(), &mut view, fits);
        Ok::<_, SurveyError>(view)
    });
    Ok(Json(view.await??))
}

/// Needs that can be pooled.
#[utoipa::path(get, path = "/v1/gaps/pools", tag = "gaps",
    description = "可汇集的需求：几个县的同类需求精确相加，约数单独说明，累计数不加；物流冷链类附一份汇集需求草稿（只是草稿，不会自动发布）。\
        Like needs of several counties, added up exactly; soft figures are said, cumulative ones are not added. Needs of \
        logistics come with the draft of a joint one, which nothing publishes by itself.",
    params(
        ("region" = Option<String>, Query, description = "省、市、县的代码或名称。A division by code or name."),
        ("words" = Option<String>, Query, description = "主题、类别或行业含这些字。Topic, category or industry hold this."),
        ("min_counties" = Option<usize>, Query, description = "至少几个县，默认 2。Fewest counties."),
        ("limit" = Option<usize>, Query, description = "行数，默认 50，最多 1000。Lines of the answer."),
    ),
    responses((status = 200, description = "各组需求。Pools of needs.", body = PoolsView),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "没有这个地方。No such place.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn pools(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<PoolsView>, ApiProblem> {
    let pairs = pairs.known(&["region", "words", "min_counties", "limit"])?;
    let asked = asked(&pairs, "words")?;
    Ok(Json(blocking(move || survey::pools(shared.core(), kinds(), &asked)).await??))
}

/// Success of matching.
#[utoipa::path(get, path = "/v1/gaps/matching", tag = "gaps",
    description = "匹配成功率：采纳的匹配里，洽谈达成协议的有几个；分子、分母、期间和不明的都写出。\
        Of the matches that were taken up in a period, how many led to an agreement; with both numbers, the period and what is unknown.",
    params(
        ("from" = Option<String>, Query, description = "采纳日期的起始，如 2026-01-01、2026-01、2026。The first day of the period."),
        ("until" = Option<String>, Query, description = "采纳日期的截止。The last day of the period."),
    ),
    responses((status = 200, description = "成功率。The rate.", body = SuccessView),
        (status = 422, description = "看不懂日期。No day.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn matching(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<SuccessView>, ApiProblem> {
    let pairs = pairs.known(&["from", "until"])?;
    let (from, until) = (pairs.one("from")?.map(str::to_owned), pairs.one("until")?.map(str::to_owned));
    let view = blocking(move || survey::success(shared.core(), kinds(), from.as_deref(), until.as_deref()));
    Ok(Json(view.await??))
}

/// Records by a figure.
#[utoipa::path(get, path = "/v1/rankings", tag = "gaps",
    description = "排序：一类记录按一个数字、推算数字或几个数字之和排序，在本节点可读的范围内；没有写明的排在最后，只说有几条。\
        Records of a kind by a figure, a derived figure or a sum of such, over what this node may read; those that do not \
        say come last, as a number.",
    params(
        ("kind" = String, Query, description = "类别名或编号。Name of a kind."),
        ("by" = String, Query, description = "数字字段或推算数字，可用 + 相连。A field or derived figure, several joined by +."),
        ("where" = Option<Vec<String>>, Query, description = "条件，可重复。A condition, repeatable."),
        ("order" = Option<String>, Query, description = "desc（默认，大的在前）或 asc。`desc` (default) or `asc`."),
        ("limit" = Option<usize>, Query, description = "行数，默认 50，最多 1000。Lines of the answer."),
    ),
    responses((status = 200, description = "排好的记录。The records in order.", body = RankingView),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "没有这个类别或数字。No such kind or figure.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn rankings(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<RankingView>, ApiProblem> {
    let pairs = pairs.known(&["kind", "by", "where", "order", "limit"])?;
    let required = |name: &str| {
        let missing = || ApiProblem::malformed(format!("请写明 {name}。"), format!("name a `{name}`"));
        pairs.one(name)?.map(str::to_owned).ok_or_else(missing)
    };
    let ascending = match pairs.one("order")? {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) => return Err(ApiProblem::malformed("order 要写 asc 或 desc。", "`order` must be asc or desc")),
    };
    let asked = ranking::Asked {
        kind: required("kind")?,
        by: required("by")?,
        conditions: read_conditions(&pairs)?,
        ascending,
        lines: pairs.number("limit")?,
    };
    Ok(Json(blocking(move || ranking::ranking(shared.core(), kinds(), &asked)).await??))
}

impl From<SurveyError> for ApiProblem {
    fn from(error: SurveyError) -> Self {
        let (code, fix_zh, fix_en) = match &error {
            SurveyError::Record(record) => return record.clone().into(),
            SurveyError::Measure(_) => (
                "ranking-measure",
                "xianmeng kinds 类别 列出各字段和推算数字。",
                "`xianmeng kinds KIND` lists its fields and figures",
            ),
            SurveyError::Code { .. } => ("survey-code", "请写代码或全称。", "give the code or the full name"),
            SurveyError::Day { .. } => ("survey-day", "请改写日期。", "write the day another way"),
            SurveyError::Lines => ("survey-lines", "请改写行数。", "ask for another number of lines"),
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.zh(), error.to_string()).fix(fix_zh, fix_en)
    }
}
