//! Documents that stay on this node.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;
use super::extract::{JsonBody, Pairs, Segment, blocking};
use super::problem::ApiProblem;
use super::types::{CreateRecord, LocalDocument, LocalList, Problem};
use crate::kinds::kinds;
use crate::leads::LEAD_KIND;
use crate::leads::names::NamedBy;
use crate::local::{LOCAL_DOCUMENT_BYTES_MAX, LOCAL_DOCUMENTS_MAX, LocalError};
use crate::records::prepare::kind_named;

/// Keeps a document on this node.
#[utoipa::path(post, path = "/v1/local", tag = "local", request_body = CreateRecord,
    description = "在本机存一份文档，按类别文件检查；绝不离开本节点。Keeps a document here, checked by its kind; it never leaves this node.",
    responses((status = 201, description = "已存。Kept.", body = LocalDocument),
        (status = 409, description = "已满。Full.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "字段不合规则。Fields break rules.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn add(
    State(shared): State<Shared>,
    JsonBody(document): JsonBody<CreateRecord>,
) -> Result<(StatusCode, Json<LocalDocument>), ApiProblem> {
    let kept = blocking(move || {
        let mut kept = shared.local.add(&document)?;
        let leads = &shared.context.leads;
        leads.local_kept(&kept);
        if kept.kind == LEAD_KIND {
            kept.notices = leads.hints(&[NamedBy::Local(kept.id.clone())]);
        }
        Ok(kept)
    });
    Ok((StatusCode::CREATED, Json(kept.await?.map_err(problem)?)))
}

/// Lists documents of this node.
#[utoipa::path(get, path = "/v1/local", tag = "local",
    description = "本机文档及各类别的数目。The documents of this node, and how many there are of each kind.",
    params(("kind" = Option<String>, Query, description = "类别名或编号。Name or number of a kind."),
        ("limit" = Option<usize>, Query, description = "最多几份，默认全部。At most so many.")),
    responses((status = 200, description = "文档。The documents.", body = LocalList)))]
pub(super) async fn list(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<LocalList>, ApiProblem> {
    let pairs = pairs.known(&["kind", "limit"])?;
    let kind = pairs.one("kind")?.map(|kind| kind_named(kinds(), kind)).transpose()?.map(|kind| kind.number());
    let limit = pairs.number("limit")?.unwrap_or(LOCAL_DOCUMENTS_MAX);
    let mut documents = blocking(move || shared.local.list(kind)).await?.map_err(problem)?;
    let mut counts = BTreeMap::new();
    for document in &documents {
        *counts.entry(document.kind.clone()).or_default() += 1;
    }
    documents.truncate(limit);
    Ok(Json(LocalList { documents, counts }))
}

/// Shows a document of this node.
#[utoipa::path(get, path = "/v1/local/{id}", tag = "local",
    description = "显示一份本机文档。Shows a document of this node.",
    params(("id" = String, Path, description = "编号。Its id.")),
    responses((status = 200, description = "文档。The document.", body = LocalDocument),
        (status = 404, description = "没有。There is none.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn show(
    State(shared): State<Shared>,
    Segment(id): Segment,
) -> Result<Json<LocalDocument>, ApiProblem> {
    Ok(Json(blocking(move || shared.local.show(&id)).await?.map_err(problem)?))
}

/// Removes a document of this node.
#[utoipa::path(delete, path = "/v1/local/{id}", tag = "local",
    description = "删除一份本机文档。Removes a document of this node.",
    params(("id" = String, Path, description = "编号。Its id.")),
    responses((status = 204, description = "已删除。Removed."),
        (status = 404, description = "没有。There is none.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn remove(State(shared): State<Shared>, Segment(id): Segment) -> Result<StatusCode, ApiProblem> {
    blocking(move || {
        shared.local.remove(&id)?;
        shared.context.leads.local_removed(&id);
        Ok(())
    })
    .await?
    .map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn problem(error: LocalError) -> ApiProblem {
    match error {
        LocalError::Record(error) => error.into(),
        LocalError::Full => {
            let zh = format!("本机文档已有 {LOCAL_DOCUMENTS_MAX} 份，存不下了。");
            ApiProblem::new(StatusCode::CONFLICT, "local-full", zh, error.to_string())
                .fix("请先删除不用的。", "remove some first")
        }
        LocalError::TooLong => {
            let zh = format!("文档超过 {LOCAL_DOCUMENT_BYTES_MAX} 字节。");
            ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", zh, error.to_string())
                .fix("请缩短或分开。", "shorten or divide it")
        }
        LocalError::Unknown(ref id) => {
            let zh = format!("没有本机文档 {id}。");
            ApiProblem::new(StatusCode::NOT_FOUND, "not-found", zh, error.to_string())
                .fix("xianmeng local list 列出全部。", "`xianmeng local list` lists them")
        }
        LocalError::Directory(error) => {
            tracing::error!(%error, "local documents");
            ApiProblem::internal()
        }
    }
}
