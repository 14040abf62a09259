//! Erasing records, and how far erasures have got.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::charter::Standing;
use protocol::identity::{ContentHash, EntryId, MemberNumber};
use protocol::replica::Eraser;

use super::Shared;
use super::extract::{JsonBody, blocking};
use super::problem::ApiProblem;
use super::types::{Erase, ErasePublished, ErasedMark, ErasureItem, Problem};
use crate::core::Core;
use crate::erasure;
use crate::kinds::kinds;
use crate::records::erase::{self, Origin};
use crate::records::render::Renderer;
use crate::turns;

/// Erases records or single entries of one's own, everywhere.
#[utoipa::path(post, path = "/v1/erase", tag = "publishing", request_body = Erase,
    description = "清除本成员的记录（或章程转交给本成员的记录）：各节点删除内容，只留条目头；已离开联盟节点的副本收不回来，清除不可撤销。\
        Erases records of this member, or those that the charter gave to it: every node deletes the content and keeps the \
        header. Copies that left the federation's nodes cannot be recalled, and an erasure cannot be undone.",
    responses((status = 201, description = "已发布清除。The erasures are published.", body = ErasePublished),
        (status = 403, description = "不是自己的。Not one's own.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "找不到。Not found.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "没有可清除的。Nothing to erase.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "暂不能签署。Not ready to sign.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn erase(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<Erase>,
) -> Result<(StatusCode, Json<ErasePublished>), ApiProblem> {
    let ids = request.entries.iter().map(|id| id.parse::<EntryId>());
    let ids = ids.collect::<Result<Vec<_>, _>>().map_err(|_| {
        ApiProblem::malformed("条目标识应为 64 位十六进制。", "an entry id is 64 hexadecimal characters")
    })?;
    let core = shared.core().clone();
    // To its end, even when the caller does not wait.
    let work = turns::spawn(async move {
        let (planning, records) = (core.clone(), request.records);
        let plan = blocking(move || erase::plan(&planning, kinds(), &records, &ids)).await??;
        let erasures = erase::publish(&core, &plan, &request.reason).await?;
        Ok::<_, ApiProblem>((plan, erasures))
    });
    let (plan, erasures) = work.await.map_err(|_| ApiProblem::internal())??;
    let erasures = erasures.iter().map(ToString::to_string).collect();
    let entries = plan.entries();
    Ok((StatusCode::CREATED, Json(ErasePublished { erasures, labels: plan.labels, entries })))
}

/// Lists erasures that count.
#[utoipa::path(get, path = "/v1/erasures", tag = "records",
    description = "生效的清除：由谁、为何、多少条目，哪些成员已确认清除，本节点是否已清盘。\
        Erasures in force: by whom and why, how many entries, which members acknowledged, whether this node has purged.",
    responses((status = 200, description = "生效的清除。The erasures.", body = Vec<ErasureItem>)))]
pub(super) async fn erasures(State(shared): State<Shared>) -> Result<Json<Vec<ErasureItem>>, ApiProblem> {
    let items = blocking(move || {
        let purged = erasure::purged(&shared.context.directory);
        let in_force: Vec<(Eraser, ContentHash)> =
            shared.core().read(|state| state.replica.erasures_in_force().collect());
        let item = |(by, name): (Eraser, ContentHash)| item(shared.core(), by, name, purged.contains(&name));
        in_force.into_iter().filter_map(item).collect::<Vec<_>>()
    });
    Ok(Json(items.await?))
}

fn item(core: &Core, by: Eraser, name: ContentHash, purged: bool) -> Option<ErasureItem> {
    let origin = erase::origin_of(core, by)?;
    let (progress, labels, mut acknowledged, active) = core.read(|state| {
        let view = state.view();
        let targets = state.replica.erasures().find(|(held, _)| *held == by).map(|(_, targets)| targets.to_vec());
        let gone = targets.into_iter().flatten().filter(|target| view.is_erased(&target.id));
        let labels: Vec<String> = gone.filter_map(|target| Some(view.label(&target.id)?.to_string())).collect();
        let members = state.replica.charter().members().iter();
        let active: Vec<MemberNumber> =
            members.filter(|(_, member)| member.standing == Standing::Active).map(|(number, _)| *number).collect();
        let acknowledged: Vec<MemberNumber> = view.acknowledged(&name).collect();
        (state.replica.erasure_progress(by), labels, acknowledged, active)
    });
    acknowledged.retain(|member| active.contains(member));
    let renderer = Renderer::new(core, kinds(), active.iter().copied().chain(origin.member));
    let names = |members: Vec<MemberNumber>| members.into_iter().map(|member| renderer.member(member)).collect();
    let outstanding = active.into_iter().filter(|member| !acknowledged.contains(member)).collect();
    Some(ErasureItem {
        id: name.to_string(),
        mark: mark(&renderer, origin),
        entries: progress.0,
        held: progress.1,
        labels,
        purged,
        acknowledged: names(acknowledged),
        outstanding: names(outstanding),
    })
}

/// An erasure's origin as the API tells it.
pub(crate) fn mark(renderer: &Renderer<'_>, origin: Origin) -> ErasedMark {
    let member = origin.member.map(|member| renderer.member(member));
    ErasedMark { member, block: origin.block, time_ms: origin.time_ms, reason: origin.reason }
}
