//! The kinds of record in use on this node.

use axum::Json;
use axum::extract::State;

use super::Shared;
use super::extract::{Segment, blocking};
use super::problem::ApiProblem;
use super::types::{KindSetView, KindView, Problem};
use crate::kinds::{installed, kind_view, kinds, set_view};
use crate::records::prepare::kind_named;

/// The kinds in use.
#[utoipa::path(get, path = "/v1/kinds", tag = "records",
    description = "在用的类别：字段、谁可写、谁可读，以及章程所载的类别集版本。\
        The kinds in use: fields, writers, readers, and the versions of kind sets that the charter names.",
    responses((status = 200, description = "类别集。The kinds.", body = KindSetView)))]
pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<KindSetView>, ApiProblem> {
    blocking(move || {
        let named = shared.core().read(|state| state.replica.charter().kind_sets().clone());
        Json(set_view(installed(), &named))
    })
    .await
}

/// One kind.
#[utoipa::path(get, path = "/v1/kinds/{name}", tag = "records",
    description = "一个类别：按英文名、中文名或编号。One kind, by its English or Chinese name or its number.",
    params(("name" = String, Path, description = "类别。The kind.")),
    responses((status = 200, description = "类别。The kind.", body = KindView),
        (status = 422, description = "没有这个类别。There is no such kind.", body = Problem,
            content_type = "application/problem+json")))]
pub(super) async fn show(State(shared): State<Shared>, Segment(name): Segment) -> Result<Json<KindView>, ApiProblem> {
    let kind = kind_named(kinds(), &name)?;
    let named = blocking(move || shared.core().read(|state| state.replica.charter().kind_sets().clone())).await?;
    Ok(Json(kind_view(kinds(), kind, &named)))
}
