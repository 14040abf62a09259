//! Reading records: lists, one record, its history, its delivery.

use axum::Json;
use axum::extract::State;
use protocol::identity::MemberNumber;

use super::Shared;
use super::extract::{Pairs, Segment, blocking};
use super::limits::CONDITIONS_MAX;
use super::problem::ApiProblem;
use super::status::delivery;
use super::types::{Delivery, HistoryItem, Problem, RecordList, RecordView};
use crate::core::Delivered;
use crate::kinds::kinds;
use crate::records::error::RecordError;
use crate::records::list::{Cursor, Query, Withdrawn, page, state_of};
use crate::records::{PAGE_RECORDS, PAGE_RECORDS_MAX, find, history};

/// Lists records.
#[utoipa::path(get, path = "/v1/records", tag = "records",
    description = "按类别、成员和条件列出记录，分页。记录没有写明的条件字段列在 unknown 里，不当作不符合。一页可能不满，直到没有 next 为止。\
        Lists records by kind, owner and conditions, page by page. Fields that a condition asks for and a record does not \
        state are named under `unknown`; they are no mismatch. A page can be short: go on until there is no `next`.",
    params(
        ("kind" = Option<String>, Query, description = "类别名或编号。Name or number of a kind."),
        ("owner" = Option<u32>, Query, description = "成员编号。Number of a member."),
        ("where" = Option<Vec<String>>, Query, description = "条件，可重复，如 规模>=5亿元。A condition, repeatable."),
        ("limit" = Option<usize>, Query, description = "每页条数，默认 50，最多 1000。Records of a page."),
        ("cursor" = Option<String>, Query, description = "上一页的 next。`next` of the page before."),
        ("withdrawn" = Option<String>, Query,
            description = "已撤回的：exclude（默认）、include、only。Withdrawn records; `true` means include."),
        ("state" = Option<String>, Query,
            description = "当前状态，任一写法，如 签约；未归类 指待归类的写法。Where it stands now, by any word for it."),
        ("flagged" = Option<bool>, Query, description = "只要有提醒的。Only records that a check marks."),
        ("uncounted" = Option<bool>, Query,
            description = "只要不计数的，或有陈述不计数的。Only records, or with statements, that do not count."),
    ),
    responses((status = 200, description = "一页记录。A page.", body = RecordList),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "没有这个类别。No such kind.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<RecordList>, ApiProblem> {
    let query = read_query(pairs)?;
    let list = blocking(move || page(shared.core(), kinds(), &query)).await?;
    Ok(Json(list))
}

fn read_query(pairs: Pairs) -> Result<Query, ApiProblem> {
    let known = ["kind", "owner", "where", "limit", "cursor", "withdrawn", "state", "flagged", "uncounted"];
    let pairs = pairs.known(&known)?;
    let conditions = read_conditions(&pairs)?;
    let limit: usize = pairs.number("limit")?.unwrap_or(PAGE_RECORDS);
    if !(1..=PAGE_RECORDS_MAX).contains(&limit) {
        let zh = format!("limit 要在 1 到 {PAGE_RECORDS_MAX} 之间。");
        return Err(ApiProblem::malformed(zh, format!("`limit` must be within 1 and {PAGE_RECORDS_MAX}")));
    }
    let query = Query::parse(kinds(), pairs.one("kind")?, &conditions)?;
    Ok(Query {
        owner: pairs.number("owner")?.map(MemberNumber),
        withdrawn: read_withdrawn(pairs.one("withdrawn")?)?,
        state: read_state(query.kind, pairs.one("state")?)?,
        flagged: read_yes(&pairs, "flagged")?,
        uncounted: read_yes(&pairs, "uncounted")?,
        after: pairs.one("cursor")?.map(Cursor::read).transpose()?,
        limit,
        ..query
    })
}

/// The conditions of a question, no more than there may be.
pub(super) fn read_conditions(pairs: &Pairs) -> Result<Vec<String>, ApiProblem> {
    let conditions = pairs.all("where");
    if conditions.len() > CONDITIONS_MAX {
        let zh = format!("条件最多 {CONDITIONS_MAX} 个。");
        return Err(ApiProblem::malformed(zh, format!("there are at most {CONDITIONS_MAX} conditions")));
    }
    Ok(conditions)
}

fn read_yes(pairs: &Pairs, name: &str) -> Result<bool, ApiProblem> {
    match pairs.one(name)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let (zh, en) = (format!("{name} 要写 true 或 false。"), format!("`{name}` must be true or false"));
            Err(ApiProblem::malformed(zh, en))
        }
    }
}

/// A word for a state. One that no state of the kind goes by would find nothing for ever, so it is refused.
fn read_state(kind: Option<u16>, word: Option<&str>) -> Result<Option<String>, ApiProblem> {
    let (Some(word), Some(kind)) = (word, kind.and_then(|kind| kinds().kind(kind))) else {
        return Ok(word.map(str::to_owned));
    };
    let Some(lifecycle) = kind.lifecycle() else {
        let (zh, en) = (format!("“{}”没有状态。", kind.zh()), format!("kind {} has no states", kind.en()));
        return Err(ApiProblem::malformed(zh, en));
    };
    if state_of(lifecycle, word).is_some() || lifecycle.keeps_unmapped() {
        return Ok(Some(word.to_owned()));
    }
    let words = lifecycle.states().iter().map(|state| state.zh.as_str()).collect::<Vec<_>>().join("、");
    let zh = format!("“{}”没有状态“{word}”；可用：{words}。", kind.zh());
    Err(ApiProblem::malformed(zh, format!("kind {} has no state `{word}`; there are {words}", kind.en())))
}

fn read_withdrawn(text: Option<&str>) -> Result<Withdrawn, ApiProblem> {
    match text {
        None | Some("exclude" | "false") => Ok(Withdrawn::Exclude),
        Some("include" | "true") => Ok(Withdrawn::Include),
        Some("only") => Ok(Withdrawn::Only),
        Some(_) => Err(ApiProblem::malformed(
            "withdrawn 要写 exclude、include 或 only。",
            "`withdrawn` must be exclude, include or only",
        )),
    }
}

/// Shows a record.
#[utoipa::path(get, path = "/v1/records/{reference}", tag = "records",
    description = "显示一条记录。可用完整编号、至少 8 位的编号开头、42-7 这样的标号、本成员的自有编号或“类别:自有编号”。\
        Shows a record, by full id, 8 or more of its first characters, label, own number, or kind:number.",
    params(("reference" = String, Path, description = "记录。The record.")),
    responses((status = 200, description = "记录。The record.", body = RecordView),
        (status = 404, description = "找不到。Not found.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "可指多条记录。Ambiguous.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn show(
    State(shared): State<Shared>,
    Segment(reference): Segment,
) -> Result<Json<RecordView>, ApiProblem> {
    let view = blocking(move || {
        let (core, kinds) = (shared.core(), kinds());
        let id = find::find(core, kinds, &reference)?;
        find::show(core, kinds, &id)
    });
    Ok(Json(view.await??))
}

/// Shows how a record became what it is.
#[utoipa::path(get, path = "/v1/records/{reference}/history", tag = "records",
    description = "一条记录的每次陈述：谁、何时、改了什么。Every statement about a record: who, when, and what changed.",
    params(("reference" = String, Path, description = "记录。The record.")),
    responses((status = 200, description = "从创建开始的历史。The history, from its creation.", body = [HistoryItem]),
        (status = 404, description = "找不到。Not found.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn show_history(
    State(shared): State<Shared>,
    Segment(reference): Segment,
) -> Result<Json<Vec<HistoryItem>>, ApiProblem> {
    let items = blocking(move || {
        let id = find::find(shared.core(), kinds(), &reference)?;
        history::history(shared.core(), kinds(), &id)
    });
    Ok(Json(items.await??))
}

/// Shows how far a record has got.
#[utoipa::path(get, path = "/v1/records/{reference}/delivery", tag = "records",
    description = "记录的最新陈述已送达多少个成员的节点。To how many members' nodes the newest statement about a record has got.",
    params(("reference" = String, Path, description = "记录。The record.")),
    responses((status = 200, description = "送达情况。The delivery.", body = Delivery),
        (status = 404, description = "找不到。Not found.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn show_delivery(
    State(shared): State<Shared>,
    Segment(reference): Segment,
) -> Result<Json<Delivery>, ApiProblem> {
    let delivered = blocking(move || {
        let core = shared.core();
        let id = find::find(core, kinds(), &reference)?;
        let as_of_ms = core.as_of_ms();
        let last = core.read(|state| state.view().versions(&id, as_of_ms).last().map(|version| version.place));
        Ok::<_, RecordError>(last.map_or_else(Delivered::default, |place| core.delivered(place.log, place.sequence)))
    });
    Ok(Json(delivery(delivered.await??)))
}
