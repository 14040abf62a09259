//! The audit of the running node's store.

use axum::Json;
use axum::extract::State;

use super::Shared;
use super::extract::blocking;
use super::problem::ApiProblem;
use super::types::{AuditView, Problem};
use crate::audit;

/// Verifies everything that this node holds again.
#[utoipa::path(post, path = "/v1/audit", tag = "node",
    description = "重新核验本节点持有的一切：签名、链、章程、封存、正文、日志段；逐一列出差异，不作修复。\
        Verifies everything that this node holds again: signatures, chains, charter, seals, bodies, journal; names every difference and mends none.",
    responses((status = 200, description = "核验结果。What was found.", body = AuditView),
        (status = 500, description = "磁盘读不出。The disk cannot be read.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn audit(State(shared): State<Shared>) -> Result<Json<AuditView>, ApiProblem> {
    let core = shared.core().clone();
    let audited = blocking(move || {
        let charter = core.read(|state| state.replica.charter().clone());
        core.store().audit(&charter.blocks()[0]).map(|report| audit::view(&report, Some(&charter)))
    });
    audited.await?.map(Json).map_err(|error| {
        tracing::error!(error = error.chain(), "the store could not be audited");
        ApiProblem::internal()
    })
}
