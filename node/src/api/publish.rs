//! Publishing: one record, a batch, canonical statements, revisions, withdrawals.

use std::fmt;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use protocol::identity::EntryId;
use protocol::limits::BODY_BYTES_MAX;
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::extract::{JsonBody, Pairs, RawBody, Segment, blocking};
use super::operations::About;
use super::problem::ApiProblem;
use super::status::delivery;
use super::types::{Checked, ConfirmRecords, CreateRecord, Problem, Published, ReviseRecord, WithdrawRecord};
use super::{Shared, SharedState};
use crate::kinds::kinds;
use crate::leads::LEAD_KIND;
use crate::leads::names::NamedBy;
use crate::records::publish::{ForWhom, PublishedRecord, Request};
use crate::records::{STATEMENTS_MAX, find};

/// Bytes in front of a statement: kind and length.
const STATEMENT_HEAD_BYTES: usize = 6;

/// Labels of one request that the log of writes names.
const LOGGED_LABELS_MAX: usize = 10;
/// Leads of one request whose names are compared with others.
const HINTED_MAX: usize = 1_000;

type Answer = Result<(StatusCode, Extension<About>, Json<Published>), ApiProblem>;

/// Publishes a record.
#[utoipa::path(post, path = "/v1/records", tag = "publishing", request_body = CreateRecord,
    description = "发布一条记录：检查、签名、落盘后才应答。Publishes a record: checked, signed and durable before the answer.",
    responses((status = 201, description = "已发布。Published.", body = Published),
        (status = 403, description = "不得发布或不能离开本节点。Not allowed, or withheld.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "自有编号已用过。The own number is taken.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "字段不合规则。Fields break rules.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "暂不能签署。Not ready to sign.", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "磁盘已满。The disk is full.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn create(State(shared): State<Shared>, JsonBody(record): JsonBody<CreateRecord>) -> Answer {
    shared.publish(vec![Request::Create(record)]).await
}

/// Records of a batch. Beyond those that a batch may have one more is kept, to show that there are too many: hundreds of
/// thousands of small ones would take twenty times the room of their text.
pub(super) struct Batch(Vec<CreateRecord>);

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BatchVisitor)
    }
}

struct BatchVisitor;

impl<'de> Visitor<'de> for BatchVisitor {
    type Value = Batch;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Batch, A::Error> {
        let mut records = Vec::new();
        while records.len() <= STATEMENTS_MAX {
            match list.next_element()? {
                Some(record) => records.push(record),
                None => return Ok(Batch(records)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Batch(records))
    }
}

/// Publishes several records.
#[utoipa::path(post, path = "/v1/records/batch", tag = "publishing", request_body = Vec<CreateRecord>,
    description = "发布多条记录，全部成功或全部不发。Publishes several records, all of them or none.",
    responses((status = 201, description = "已发布。Published.", body = Published),
        (status = 413, description = "条数太多。Too many.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "有记录不合规则。Some break rules.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn batch(State(shared): State<Shared>, JsonBody(Batch(records)): JsonBody<Batch>) -> Answer {
    check_count(records.len())?;
    shared.publish(records.into_iter().map(Request::Create).collect()).await
}

/// Publishes canonical statements.
#[utoipa::path(post, path = "/v1/statements", tag = "publishing",
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "逐条：类别 u16、长度 u32（小端）、陈述的规范字节；随机数由节点填写。Repeated: kind u16, length u32 (little-endian), canonical statement; the node fills in its random bytes."),
    description = "批量发布规范陈述，全部成功或全部不发；最多 5000 条、16 MiB。Publishes canonical statements, all of them or none: at most 5,000 and 16 MiB.",
    params(("readers" = Option<String>, Query, description = "可读范围。Who may read them."),
        ("parties" = Option<String>, Query, description = "保密字段的当事方。Who may read their confidential fields."),
        ("check" = Option<bool>, Query, description = "true：只检查，不发布。Only check, publish nothing.")),
    responses((status = 200, description = "检查通过，没有发布。Good, and nothing was published.", body = Checked),
        (status = 201, description = "已发布。Published.", body = Published),
        (status = 400, description = "分帧有误。Wrong framing.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "太多或太长。Too many or too long.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "有陈述不合规则。Some break rules.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn statements(
    State(shared): State<Shared>,
    pairs: Pairs,
    RawBody(bytes): RawBody,
) -> Result<Response, ApiProblem> {
    let pairs = pairs.known(&["readers", "parties", "check"])?;
    let check = match pairs.one("check")? {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            let zh = "查询参数“check”要写 true 或 false。";
            return Err(ApiProblem::malformed(zh, "the query parameter `check` must be true or false"));
        }
    };
    let mut requests = read_statements(&bytes)?;
    drop(bytes);
    let named = |name| pairs.one(name).map(|text| text.map(str::to_owned));
    let for_whom = ForWhom { readers: named("readers")?, parties: named("parties")? };
    if for_whom.readers.is_some() || for_whom.parties.is_some() {
        let for_them = |request| match request {
            Request::Statement(kind, body) => Request::StatementFor(kind, body, for_whom.clone()),
            other => other,
        };
        requests = requests.into_iter().map(for_them).collect();
    }
    if check {
        let checked = requests.len();
        let judged = shared.publisher.check(shared.core(), requests).await;
        judged.map_err(|refusals| shared.refused(&refusals))?;
        return Ok(Json(Checked { checked }).into_response());
    }
    shared.publish(requests).await.map(IntoResponse::into_response)
}

/// Revises a record.
#[utoipa::path(post, path = "/v1/records/{reference}/revise", tag = "publishing", request_body = ReviseRecord,
    description = "修订本成员的一条记录：设置和清除字段。Revises a record of this member: sets and clears fields.",
    params(("reference" = String, Path, description = "记录。The record.")),
    responses((status = 201, description = "已发布。Published.", body = Published),
        (status = 403, description = "不是本成员的记录，或不能离开本节点。Another member's, or withheld.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "找不到。Not found.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "已撤回。Withdrawn.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "字段不合规则。Fields break rules.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn revise(
    State(shared): State<Shared>,
    Segment(reference): Segment,
    JsonBody(change): JsonBody<ReviseRecord>,
) -> Answer {
    let id = resolve(&shared, reference).await?;
    shared.publish(vec![Request::Revise(id, change)]).await
}

/// Says of records that they are still true.
#[utoipa::path(post, path = "/v1/confirmations", tag = "publishing", request_body = ConfirmRecords,
    description = "声明本成员的一条或多条记录仍然属实：什么也不改，只说明核对过；全部发布或全部不发布。算作无变化的更新（义务）。\
        Says of records of this member that they are still true: nothing changes, and it is said that somebody looked; all of \
        them or none. Counts as an update without change (duties).",
    responses((status = 201, description = "已发布。Published.", body = Published),
        (status = 400, description = "没有写明记录，或太多。No record is named, or too many.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "不是本成员的记录。Another member's.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "找不到。Not found.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "已撤回。Withdrawn.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn confirm(State(shared): State<Shared>, JsonBody(wanted): JsonBody<ConfirmRecords>) -> Answer {
    if !(1..=STATEMENTS_MAX).contains(&wanted.records.len()) {
        let zh = format!("一次要写明 1 到 {STATEMENTS_MAX} 条记录。");
        return Err(ApiProblem::malformed(zh, format!("name 1 to {STATEMENTS_MAX} records at once")));
    }
    let mut requests = Vec::with_capacity(wanted.records.len());
    for reference in wanted.records {
        requests.push(Request::Confirm(resolve(&shared, reference).await?));
    }
    shared.publish(requests).await
}

/// Withdraws a record.
#[utoipa::path(post, path = "/v1/records/{reference}/withdraw", tag = "publishing", request_body = WithdrawRecord,
    description = "撤回本成员的一条记录；历史保留。Withdraws a record of this member; its history stays.",
    params(("reference" = String, Path, description = "记录。The record.")),
    responses((status = 201, description = "已发布。Published.", body = Published),
        (status = 403, description = "不是本成员的记录。Another member's.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "找不到。Not found.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "早已撤回。Withdrawn before.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn withdraw(
    State(shared): State<Shared>,
    Segment(reference): Segment,
    JsonBody(request): JsonBody<WithdrawRecord>,
) -> Answer {
    let id = resolve(&shared, reference).await?;
    shared.publish(vec![Request::Withdraw(id, request)]).await
}

async fn resolve(shared: &Shared, reference: String) -> Result<EntryId, ApiProblem> {
    let shared = shared.clone();
    Ok(blocking(move || find::find(shared.core(), kinds(), &reference)).await??)
}

fn is_lead(kind: u16) -> bool {
    kinds().kind_named(LEAD_KIND).is_some_and(|lead| lead.number() == kind)
}

fn check_count(count: usize) -> Result<(), ApiProblem> {
    if count == 0 {
        return Err(ApiProblem::malformed("一条也没有。", "there is nothing in it"));
    }
    if count > STATEMENTS_MAX {
        let zh = format!("一次最多 {STATEMENTS_MAX} 条，这里更多。");
        let en = format!("at most {STATEMENTS_MAX} at a time, these are more");
        return Err(ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", zh, en)
            .fix("请分成几次发送。", "send them in several parts"));
    }
    Ok(())
}

fn read_statements(bytes: &[u8]) -> Result<Vec<Request>, ApiProblem> {
    let mut requests = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let number = requests.len() + 1;
        let cut = || {
            let zh = format!("第 {number} 条陈述不完整或太长。");
            ApiProblem::malformed(zh, format!("statement {number} is cut off or too long"))
        };
        let (head, after) = rest.split_first_chunk::<STATEMENT_HEAD_BYTES>().ok_or_else(cut)?;
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let length = u32::from_le_bytes([head[2], head[3], head[4], head[5]]) as usize;
        let body = after.get(..length).filter(|_| length <= BODY_BYTES_MAX).ok_or_else(cut)?;
        requests.push(Request::Statement(kind, body.to_vec()));
        rest = &after[length..];
        if requests.len() > STATEMENTS_MAX {
            break;
        }
    }
    check_count(requests.len())?;
    Ok(requests)
}

impl SharedState {
    async fn publish(&self, requests: Vec<Request>) -> Answer {
        let published = self.publisher.publish(self.core(), requests).await;
        let published = published.map_err(|refusals| self.refused(&refusals))?;
        let mut answer = self.published(&published);
        let stated = published.iter().filter(|one| is_lead(one.entry.header().kind));
        let stated: Vec<NamedBy> = stated.take(HINTED_MAX).map(|one| NamedBy::Record(one.record)).collect();
        if !stated.is_empty() {
            let leads = self.context.leads.clone();
            answer.notices = blocking(move || leads.hints(&stated)).await?;
        }
        let about =
            About(answer.labels.iter().take(LOGGED_LABELS_MAX).map(String::as_str).collect::<Vec<_>>().join(" "));
        Ok((StatusCode::CREATED, Extension(about), Json(answer)))
    }

    fn published(&self, published: &[PublishedRecord]) -> Published {
        let core = self.core();
        let labels = core.read(|state| {
            let label = |one: &PublishedRecord| state.view().label(&one.record);
            published.iter().map(|one| label(one).map(|label| label.to_string()).unwrap_or_default()).collect()
        });
        let last = published.last().zip(core.own());
        let delivered = last.map(|(last, (_, log))| core.delivered(log, last.entry.header().sequence));
        Published {
            records: published.iter().map(|one| one.record.to_string()).collect(),
            labels,
            entries: published.iter().map(|one| one.entry.id().to_string()).collect(),
            delivery: delivery(delivered.unwrap_or_default()),
            notices: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_batch_that_is_too_long_one_record_too_many_is_kept() {
        let list = |count: usize| format!("[{}]", vec![r#"{"kind":"demand","fields":{}}"#; count].join(","));
        let count = |text: &str| serde_json::from_str::<Batch>(text).map(|Batch(records)| records.len()).ok();
        assert_eq!(count(&list(3)), Some(3));
        assert_eq!(count(&list(STATEMENTS_MAX)), Some(STATEMENTS_MAX));
        assert_eq!(count(&list(3 * STATEMENTS_MAX)), Some(STATEMENTS_MAX + 1));
        assert_eq!(count("[{}]"), None);
        assert_eq!(count(r#"{"kind":"demand"}"#), None);
    }
}
