//! Duplicate leads.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;
use super::extract::{JsonBody, Segment, blocking};
use super::problem::ApiProblem;
use super::types::{CheckLead, LeadCheck, LeadNoticeView, LeadsView, Problem};
use crate::kinds::kinds;
use crate::leads::book::{BookError, LEADS_MAX};
use crate::leads::{CheckError, Checked};
use crate::records::erase;
use crate::turns;

/// Why a token is erased, for readers: nothing about the lead.
const TAKEN_BACK: &str = "线索指纹收回";

/// Shows the own leads and the holders.
#[utoipa::path(get, path = "/v1/leads", tag = "leads",
    description = "本成员参与查重的线索、各自进度和两个评估方的情况；只在本机。\
        The leads of this member that are looked for at others, how far each is, and how the two holders do; on this machine only.",
    responses((status = 200, description = "线索。The leads.", body = LeadsView)))]
pub(super) async fn overview(State(shared): State<Shared>) -> Result<Json<LeadsView>, ApiProblem> {
    Ok(Json(blocking(move || shared.context.leads.overview()).await?))
}

/// Lists which leads other members have too.
#[utoipa::path(get, path = "/v1/leads/notices", tag = "leads",
    description = "哪些线索别的成员也有，以及对方的联系方式；先后以双方自报的时间为准，仅供参考。\
        Which leads other members have too, with their contacts. Who was first is by the times that both claim.",
    responses((status = 200, description = "通知。The notices.", body = Vec<LeadNoticeView>)))]
pub(super) async fn notices(State(shared): State<Shared>) -> Result<Json<Vec<LeadNoticeView>>, ApiProblem> {
    Ok(Json(blocking(move || shared.context.leads.notices()).await?))
}

/// Enters a lead and says what is known of it.
#[utoipa::path(post, path = "/v1/leads/check", tag = "leads", request_body = CheckLead,
    description = "登记一条线索参与查重：一条线索记录、一份本机文档或一个统一社会信用代码；同时按名称找可能重复的（只在本机，不合并）。\
        Enters a lead, by a record, a document of this node or a credit code, and looks for names that may mean the same enterprise (on this node only; nothing is merged).",
    responses((status = 200, description = "目前所知。What is known so far.", body = LeadCheck),
        (status = 404, description = "找不到。Not found.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "已满。Full.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "不是信用代码，或不是本成员的线索。No credit code, or no lead of this member.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn check(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<CheckLead>,
) -> Result<Json<LeadCheck>, ApiProblem> {
    let checked = blocking(move || {
        let CheckLead { record, local, code, reference } = &request;
        let what = match (record, local, code) {
            (Some(record), None, None) => Checked::Record(record),
            (None, Some(local), None) => Checked::Local(local),
            (None, None, Some(code)) => Checked::Code(code, reference.as_deref().unwrap_or_default()),
            _ => return Err(CheckError::One),
        };
        shared.context.leads.check(what)
    });
    checked.await?.map(Json).map_err(problem)
}

/// Takes a lead back.
#[utoipa::path(delete, path = "/v1/leads/{id}", tag = "leads",
    description = "让一条线索退出查重：已发布的密文指纹从各节点清除，不可撤销；对方已知道的收不回来。\
        Takes a lead out of the search: its token is erased on every node, for good; what others learned stays learned.",
    params(("id" = String, Path, description = "线索在本机的编号。Id of the lead on this node.")),
    responses((status = 204, description = "已退出。Taken back."),
        (status = 404, description = "没有。There is none.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "暂不能签署。Not ready to sign.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn take_back(State(shared): State<Shared>, Segment(id): Segment) -> Result<StatusCode, ApiProblem> {
    if let Some(obstacle) = shared.core().publishing_obstacle() {
        return Err(obstacle.into());
    }
    let core = shared.core().clone();
    let leads = shared.context.leads.clone();
    // To its end, even when the caller does not wait.
    let work = turns::spawn(async move {
        let (planning, taking) = (core.clone(), leads.clone());
        let planned = blocking(move || {
            let entry = taking.take_back(&id).map_err(|error| problem(error.into()))?;
            let plan = entry.map(|entry| erase::plan(&planning, kinds(), &[], &[entry])).transpose()?;
            Ok::<_, ApiProblem>(plan)
        });
        if let Some(plan) = planned.await?? {
            erase::publish(&core, &plan, TAKEN_BACK).await?;
        }
        leads.poke();
        Ok::<_, ApiProblem>(())
    });
    work.await.map_err(|_| ApiProblem::internal())??;
    Ok(StatusCode::NO_CONTENT)
}

fn problem(error: CheckError) -> ApiProblem {
    let refused = |code: &str, zh: String, en: String| ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code, zh, en);
    let en = error.to_string();
    match error {
        CheckError::One => {
            ApiProblem::malformed("请写明 record、local、code 中的一个。", "give one of record, local and code")
        }
        CheckError::Code => refused("code-unknown", "这不是统一社会信用代码：应为 18 位数字和大写字母。".into(), en)
            .fix("请对照营业执照核对。", "compare it with the licence"),
        CheckError::NotALead(name) => refused("not-a-lead", format!("{name} 不是本成员的线索。"), en).fix(
            "只有本成员的线索可以查重；也可以直接给出信用代码。",
            "only leads of this member; or give the credit code",
        ),
        CheckError::Reference => refused("reference", "自己的称呼应为一行，不超过 64 字节。".into(), en)
            .fix("请写短一些。", "make it shorter"),
        CheckError::Record(error) => error.into(),
        CheckError::Local(error) => super::local::problem(error),
        CheckError::Book(BookError::Full) => {
            let zh = format!("参与查重的线索已有 {LEADS_MAX} 条，放不下了。");
            ApiProblem::new(StatusCode::CONFLICT, "leads-full", zh, en)
                .fix("请先让不再需要的退出查重。", "take back some that are not needed any more")
        }
        CheckError::Book(BookError::Unknown(id)) => {
            ApiProblem::new(StatusCode::NOT_FOUND, "not-found", format!("没有线索 {id}。"), en)
                .fix("xianmeng leads status 列出全部。", "`xianmeng leads status` lists them")
        }
        CheckError::Book(error) => {
            tracing::error!(%error, "leads");
            ApiProblem::internal()
        }
    }
}
