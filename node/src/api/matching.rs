//! What fits a record, and what is recommended to funds.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::limits::MATCH_FOUND_MAX;

use super::Shared;
use super::extract::{Pairs, Segment, blocking};
use super::problem::ApiProblem;
use super::types::{MatchesView, Problem, RecommendationsView};
use crate::kinds::kinds;
use crate::matching::ask::{self, Asked, MATCHES, MatchError};
use crate::records::prepare::kind_named;

/// What stands for the funds of this member.
const OWN: &str = "own";

/// What fits a record.
#[utoipa::path(get, path = "/v1/matches/{reference}", tag = "matching",
    description = "与一条记录匹配的记录，好的在前，逐项写明理由；也说明按哪些硬条件排除了多少。前沿相同的节点结果相同。\
        What fits a record, the best first, with the reason for every dimension; and how many were excluded by which hard \
        condition. Nodes with the same frontier find the same.",
    params(
        ("reference" = String, Path, description = "记录。The record."),
        ("kinds" = Option<String>, Query, description = "只要这些类别，用逗号隔开。Only these kinds, separated by commas."),
        ("limit" = Option<usize>, Query, description = "最多几条，默认 20，最多 200。At most so many."),
        ("excluded" = Option<bool>, Query, description = "true 时列出被排除的。Lists the best of the excluded."),
    ),
    responses((status = 200, description = "匹配的记录。What fits.", body = MatchesView),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "找不到。Not found.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "这条记录不能匹配，或没有这个类别。It cannot be matched, or no such kind.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn matches(
    State(shared): State<Shared>,
    Segment(reference): Segment,
    pairs: Pairs,
) -> Result<Json<MatchesView>, ApiProblem> {
    let pairs = pairs.known(&["kinds", "limit", "excluded"])?;
    let names = pairs.one("kinds")?.unwrap_or_default().replace(['，', '、'], ",");
    let named = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let asked_kinds = named.map(|name| kind_named(kinds(), name).map(|kind| kind.number()));
    let asked = Asked {
        kinds: asked_kinds.collect::<Result<_, _>>()?,
        limit: read_limit(&pairs)?,
        excluded: read_flag(&pairs, "excluded")?,
    };
    let view = blocking(move || ask::matches(shared.core(), &shared.context.derived.matching(), &reference, &asked));
    Ok(Json(view.await??))
}

/// What is recommended to funds.
#[utoipa::path(get, path = "/v1/recommendations", tag = "matching",
    description = "给基金推荐项目和资金需求；不写 fund 或写 own 是本成员的各支基金。\
        Projects and needs of money for a fund; without `fund`, or with `own`, for the funds of this member.",
    params(
        ("fund" = Option<String>, Query, description = "基金记录，或 own。A fund, or `own`."),
        ("limit" = Option<usize>, Query, description = "每支基金最多几条，默认 20，最多 200。At most so many for each fund."),
    ),
    responses((status = 200, description = "各支基金的推荐。What fits each fund.", body = RecommendationsView),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "找不到。Not found.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "不是基金，或不能匹配。No fund, or it cannot be matched.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn recommendations(
    State(shared): State<Shared>,
    pairs: Pairs,
) -> Result<Json<RecommendationsView>, ApiProblem> {
    let pairs = pairs.known(&["fund", "limit"])?;
    let fund = pairs.one("fund")?.filter(|fund| *fund != OWN).map(str::to_owned);
    let limit = read_limit(&pairs)?;
    let view = blocking(move || {
        ask::recommendations(shared.core(), &shared.context.derived.matching(), fund.as_deref(), limit)
    });
    Ok(Json(view.await??))
}

fn read_limit(pairs: &Pairs) -> Result<usize, ApiProblem> {
    let limit: usize = pairs.number("limit")?.unwrap_or(MATCHES);
    match (1..=MATCH_FOUND_MAX).contains(&limit) {
        true => Ok(limit),
        false => {
            let zh = format!("limit 要在 1 到 {MATCH_FOUND_MAX} 之间。");
            Err(ApiProblem::malformed(zh, format!("`limit` must be within 1 and {MATCH_FOUND_MAX}")))
        }
    }
}

fn read_flag(pairs: &Pairs, name: &str) -> Result<bool, ApiProblem> {
    match pairs.one(name)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let (zh, en) = (format!("{name} 要写 true 或 false。"), format!("`{name}` must be true or false"));
            Err(ApiProblem::malformed(zh, en))
        }
    }
}

impl From<MatchError> for ApiProblem {
    fn from(error: MatchError) -> Self {
        if let MatchError::Record(error) = error {
            return error.into();
        }
        let status = match error {
            MatchError::NoOwnFunds => StatusCode::NOT_FOUND,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.code(), error.zh(), error.to_string()).fix(
            "可以匹配的类别和规则见 docs/MATCHING.md；xianmeng show 记录 说明它现在的状态。",
            "see docs/MATCHING.md for kinds and rules; `xianmeng show RECORD` says how it stands",
        )
    }
}
