//! How many records there are, by groups.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;
use super::extract::{Pairs, blocking};
use super::problem::ApiProblem;
use super::reading::read_conditions;
use super::types::{CountView, Problem};
use crate::kinds::kinds;
use crate::records::count::{CountError, Counting, count};

/// Counts records.
#[utoipa::path(get, path = "/v1/counts", tag = "records",
    description = "按字段分组数记录，可合计一个数字字段。只数计数的记录、只看全体成员可读的字段；累计等不可相加的数不加，只说有几项。\
        Counts records by groups and adds up a field. Only records that count and fields that every member reads; figures \
        that must not be added, such as cumulative ones, are left out and said.",
    params(
        ("kind" = String, Query, description = "类别名或编号。Name or number of a kind."),
        ("by" = Option<Vec<String>>, Query,
            description = "分组，可重复：字段名、owner、month、year、month(日期字段)、year(日期字段)。What groups are made by, repeatable."),
        ("sum" = Option<String>, Query, description = "要合计的数字字段。A number field to add up."),
        ("where" = Option<Vec<String>>, Query, description = "条件，可重复，如 规模>=5亿元。A condition, repeatable."),
        ("period" = Option<String>, Query,
            description = "发布时间所在的期间，如 2026-03、2026Q1。The period in which records were created."),
    ),
    responses((status = 200, description = "各组的条数与合计。Groups.", body = CountView),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "没有这个类别或字段，或分组太多。No such kind or field, or too many groups.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn counts(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<CountView>, ApiProblem> {
    let pairs = pairs.known(&["kind", "by", "sum", "where", "period"])?;
    let kind = pairs.one("kind")?.ok_or_else(|| ApiProblem::malformed("请写明 kind。", "name a `kind`"))?;
    let conditions = read_conditions(&pairs)?;
    let (sum, period) = (pairs.one("sum")?, pairs.one("period")?);
    let counting = Counting::parse(kinds(), kind, &pairs.all("by"), sum, &conditions, period)?;
    let view = blocking(move || count(shared.core(), kinds(), &counting));
    Ok(Json(view.await??))
}

impl From<CountError> for ApiProblem {
    fn from(error: CountError) -> Self {
        let code = match error {
            CountError::Record(error) => return error.into(),
            CountError::Column { .. } => "count-column",
            CountError::Confidential { .. } => "count-confidential",
            CountError::Type { .. } => "count-type",
            CountError::Period { .. } => "count-period",
            CountError::Columns => "count-columns",
            CountError::Groups => "count-groups",
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.zh(), error.to_string()).fix(
            "请换一个字段，或用 where、period 缩小范围；xianmeng kinds 类别 列出各字段。",
            "choose another field, or narrow it down with `where` or `period`; `xianmeng kinds KIND` lists the fields",
        )
    }
}
