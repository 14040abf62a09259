//! Publishing and seeing.

use std::collections::BTreeMap;

use protocol::kind::KIND_SET_VERSION;
use protocol::statement::Statement;
use protocol::value::Value;
use serde_json::json;

use super::Desk;
use crate::api::types::{
    Checked, CountView, Delivery, ExternalRecord, HistoryItem, Problem, Published, RecordList, RecordView, Status,
};
use crate::records::tests::world::{World, demand};

/// Percent-encoded: everything that is not a plain character.
fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric();
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).into() } else { format!("%{byte:02X}") }).collect()
}

fn framed(statements: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let frame =
        |(kind, body): &(u16, Vec<u8>)| [&kind.to_le_bytes()[..], &(body.len() as u32).to_le_bytes(), body].concat();
    statements.iter().flat_map(frame).collect()
}

fn statement(number: &str, note: &str) -> (u16, Vec<u8>) {
    let fields = [(1, number), (5, "招商"), (6, "配套企业"), (15, note)];
    let fields: BTreeMap<u16, Value> = fields.map(|(number, text)| (number, Value::Text(text.into()))).into();
    let statement = Statement::create([0; 16], KIND_SET_VERSION, Some(number.into()), fields);
    (102, statement.encode().expect("it has its layout"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_lives_from_its_publication_to_its_withdrawal() {
    let desk = Desk::new().await;
    let answer = desk.post("/v1/records", &demand("XQ/001", &[("金额", "约1亿元")])).await;
    assert_eq!(answer.status, 201);
    let published: Published = answer.good();
    assert_eq!(published.labels, ["2-1"]);
    assert_eq!(published.records, published.entries);
    assert_eq!(published.delivery, Delivery { delivered: 0, members: 2, held_by: vec![] });

    let path = format!("/v1/records/{}", encoded("XQ/001"));
    let shown: RecordView = desk.get(&path).await.good();
    assert_eq!((shown.title.as_str(), shown.owner.name.as_str()), ("配套企业", "奉节县"));
    assert_eq!(shown.external.as_deref(), Some("XQ/001"));
    assert!(shown.problems.is_empty() && !shown.update_needed);
    let amount = shown.fields.iter().find(|field| field.name == "amount").expect("it was set");
    assert!(amount.value.contains("1亿元"));

    let revised: Published = desk.post(&format!("{path}/revise"), &json!({"set": {"备注": "新"}})).await.good();
    assert_eq!(revised.records, published.records);
    assert_ne!(revised.entries, published.entries);
    let reason = json!({"reason": "已落地"});
    let _: Published = desk.post("/v1/records/2-1/withdraw", &reason).await.good();
    assert_eq!(desk.post("/v1/records/2-1/withdraw", &reason).await.problem(), (409, "withdrawn".into()));

    let history: Vec<HistoryItem> = desk.get("/v1/records/2-1/history").await.good();
    assert_eq!(
        history.iter().map(|item| item.operation.as_str()).collect::<Vec<_>>(),
        ["create", "revise", "withdraw"]
    );
    let delivery: Delivery = desk.get("/v1/records/2-1/delivery").await.good();
    assert_eq!(delivery.members, 2);
    let list: RecordList = desk.get("/v1/records").await.good();
    assert!(list.records.is_empty());
    let list: RecordList = desk.get("/v1/records?withdrawn=only&kind=demand&owner=2").await.good();
    assert_eq!(list.records[0].record.reason.as_deref(), Some("已落地"));
    let status: Status = desk.get("/v1/status").await.good();
    assert_eq!((status.entries, status.records, status.members), (3, 1, 3));
    assert_eq!(status.member.map(|member| member.number), Some(2));
    assert!(status.signing.ready && status.complete && status.store_bytes > 0);
    assert_eq!(status.digest, desk.world.core.heads().0.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_their_status() {
    let desk = Desk::new().await;
    let record = |more: &[(&str, &str)]| demand("", more);
    for (record, status, code) in [
        (record(&[("备注", "不宜公开")]), 403, "withheld"),
        (record(&[("联系电话", "023-12345678")]), 422, "field-local"),
        (record(&[("金额", "很多")]), 422, "number-unreadable"),
        (record(&[("颜色", "红")]), 422, "field-unknown"),
    ] {
        assert_eq!(desk.post("/v1/records", &record).await.problem(), (status, code.into()));
    }
    assert_eq!(desk.get("/v1/records/XQ009").await.problem(), (404, "not-found".into()));
    assert_eq!(desk.get("/v1/records?where=a=b").await.problem(), (400, "filter-kind".into()));
    assert_eq!(desk.get("/v1/records?kind=colour").await.problem(), (422, "kind-unknown".into()));
    assert_eq!(desk.get("/v1/records?cursor=zz").await.problem(), (400, "cursor".into()));
    let unnamed = Desk::over(World::with_kind_set(false).await).await;
    assert_eq!(unnamed.post("/v1/records", &record(&[])).await.problem(), (409, "kind-set-unknown".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_page_by_page_and_say_what_is_unknown() {
    let desk = Desk::new().await;
    let batch = [demand("小", &[("金额", "100万元")]), demand("大", &[("金额", "1亿元")]), demand("未知", &[])];
    let published: Published = desk.post("/v1/records/batch", &batch).await.good();
    assert_eq!(published.labels, ["2-1", "2-2", "2-3"]);
    let path = format!("/v1/records?kind={}&where={}", encoded("需求"), encoded("金额>=5000万元"));
    let first: RecordList = desk.get(&format!("{path}&limit=1")).await.good();
    assert_eq!(first.records[0].unknown, ["amount"]);
    let cursor = first.next.expect("there is another one");
    let second: RecordList = desk.get(&format!("{path}&limit=1&cursor={cursor}")).await.good();
    assert_eq!(second.records[0].record.external.as_deref(), Some("大"));
    assert!(second.records[0].unknown.is_empty());
    assert_eq!(second.next, None);
    let both = format!("{path}&where={}", encoded("类别=融资"));
    assert!(desk.get(&both).await.good::<RecordList>().records.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_listed_by_state_and_counted() {
    let desk = Desk::new().await;
    let batch = [demand("小", &[("金额", "100万元")]), demand("大", &[("金额", "约1亿元"), ("期限", "2020-01-01")])];
    let _: Published = desk.post("/v1/records/batch", &batch).await.good();
    let path = format!("/v1/records?kind=demand&state={}", encoded("过期"));
    let list: RecordList = desk.get(&path).await.good();
    let [listed] = list.records.as_slice() else { panic!("{list:?}") };
    assert_eq!(listed.record.external.as_deref(), Some("大"));
    assert!(listed.record.state.as_ref().is_some_and(|state| state.name == "expired" && state.by_time));
    let flagged: RecordList = desk.get("/v1/records?flagged=true").await.good();
    assert_eq!(flagged.records.len(), 1);
    let list: RecordList = desk.get("/v1/records?uncounted=true").await.good();
    assert!(list.records.is_empty());
    let shown: RecordView = desk.get("/v1/records/2-1").await.good();
    assert!(shown.counts && shown.references.is_some() && !shown.onward.is_empty());
    assert_eq!(desk.get("/v1/records?kind=fund_x&state=x").await.problem().1, "kind-unknown");
    assert_eq!(desk.get("/v1/records?flagged=perhaps").await.problem(), (400, "malformed".into()));

    let path = format!("/v1/counts?kind=demand&by={}&by=owner&sum={}", encoded("状态"), encoded("金额"));
    let view: CountView = desk.get(&path).await.good();
    let keys: Vec<_> = view.groups.iter().map(|group| (group.keys.join(" "), group.sum.clone())).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(view.total.records, 2);
    assert_eq!(keys[1], ("到期 2 奉节县".to_owned(), Some("10000万元".to_owned())));
    assert_eq!(desk.get("/v1/counts").await.problem(), (400, "malformed".into()));
    assert_eq!(desk.get("/v1/counts?kind=demand&by=colour").await.problem(), (422, "count-column".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_published_as_a_whole_or_not_at_all() {
    let desk = Desk::new().await;
    let batch = [demand("XQ1", &[]), demand("XQ2", &[("备注", "绝密")]), demand("XQ1", &[])];
    let answer = desk.post("/v1/records/batch", &batch).await;
    assert_eq!(answer.problem(), (403, "withheld".into()));
    let problem: Problem = answer.json();
    assert_eq!(problem.details.iter().map(|detail| detail.at.as_str()).collect::<Vec<_>>(), ["2"]);

    let good = [statement("XQ1", "一"), statement("XQ2", "二")];
    let bad = [good[0].clone(), statement("XQ3", "国家秘密"), good[1].clone()];
    assert_eq!(desk.send("POST", "/v1/statements", &framed(&bad)).await.problem(), (403, "withheld".into()));
    let twice = [good[0].clone(), good[1].clone(), good[0].clone()];
    assert_eq!(desk.send("POST", "/v1/statements", &framed(&twice)).await.problem(), (409, "external-exists".into()));
    let mut cut = framed(&good);
    cut.pop();
    assert_eq!(desk.send("POST", "/v1/statements", &cut).await.problem(), (400, "malformed".into()));
    assert_eq!(desk.send("POST", "/v1/statements", b"").await.problem(), (400, "malformed".into()));
    let many: Vec<_> = (0..5_001).map(|index| statement(&format!("{index}"), "说明")).collect();
    assert_eq!(desk.send("POST", "/v1/statements", &framed(&many)).await.problem(), (413, "too-many".into()));
    assert_eq!(desk.get("/v1/status").await.good::<Status>().entries, 0);

    let published: Published = desk.send("POST", "/v1/statements", &framed(&good)).await.good();
    assert_eq!(published.labels, ["2-1", "2-2"]);
    let answer = desk.get("/v1/externals?kind=demand").await;
    assert!(answer.head.contains("application/x-ndjson") && answer.whole);
    let lines: Vec<ExternalRecord> =
        answer.text().lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(desk.get("/v1/externals").await.problem(), (400, "malformed".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_checked_without_being_published() {
    let desk = Desk::new().await;
    let good = [statement("XQ1", "一"), statement("XQ2", "二")];
    let checked: Checked = desk.send("POST", "/v1/statements?check=true", &framed(&good)).await.good();
    assert_eq!(checked.checked, 2);
    assert_eq!(desk.get("/v1/status").await.good::<Status>().entries, 0);
    let answer = desk.send("POST", "/v1/statements?check=maybe", &framed(&good)).await;
    assert_eq!(answer.problem(), (400, "malformed".into()));
    let _: Published = desk.send("POST", "/v1/statements?check=false", &framed(&good)).await.good();
    assert_eq!(desk.get("/v1/status").await.good::<Status>().entries, 2);

    // What depends on the state is found too, by position.
    let again = [statement("XQ3", "三"), statement("XQ2", "二")];
    let answer = desk.send("POST", "/v1/statements?check=true", &framed(&again)).await;
    assert_eq!(answer.problem(), (409, "external-exists".into()));
    assert_eq!(answer.json::<Problem>().details[0].at, "2");

    // And of broken fields, each by its name.
    let fields: BTreeMap<u16, Value> = [(1, Value::Text("XQ5".into()))].into();
    let blank = Statement::create([0; 16], KIND_SET_VERSION, Some("XQ5".into()), fields);
    let blank = (102, blank.encode().expect("it has its layout"));
    let answer = desk.send("POST", "/v1/statements?check=true", &framed(&[statement("XQ4", "四"), blank])).await;
    let problem: Problem = answer.json();
    let missing = problem.details.iter().map(|detail| detail.at.as_str()).collect::<Vec<_>>();
    assert!(!missing.is_empty() && missing.iter().all(|at| at.starts_with("2 ")), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_found_by_their_own_numbers() {
    let desk = Desk::new().await;
    let good = [statement("XQ1", "一"), statement("XQ2", "二"), statement("XQ3", "三")];
    let _: Published = desk.send("POST", "/v1/statements", &framed(&good)).await.good();
    let ask = |numbers: &[&str]| json!({"kind": "demand", "numbers": numbers});
    let found: Vec<ExternalRecord> = desk.post("/v1/externals/lookup", &ask(&["XQ3", "没有", "XQ1"])).await.good();
    assert_eq!(found.iter().map(|record| record.external.as_str()).collect::<Vec<_>>(), ["XQ3", "XQ1"]);
    assert!(!found[0].withdrawn && found[0].fields.len() == 4);
    let none: Vec<ExternalRecord> = desk.post("/v1/externals/lookup", &ask(&[])).await.good();
    assert!(none.is_empty());
    let elsewhere = json!({"kind": "fund", "numbers": ["XQ1"]});
    assert!(desk.post("/v1/externals/lookup", &elsewhere).await.good::<Vec<ExternalRecord>>().is_empty());
    let many: Vec<String> = (0..1_001).map(|number| format!("XQ{number}")).collect();
    let many = json!({"kind": "demand", "numbers": many});
    assert_eq!(desk.post("/v1/externals/lookup", &many).await.problem(), (413, "too-many".into()));
    assert_eq!(
        desk.post("/v1/externals/lookup", &json!({"kind": "颜色", "numbers": []})).await.problem(),
        (422, "kind-unknown".into())
    );

    // A confidential record states its number for its readers only; this node finds it all the same.
    let sealed = [statement("XQ4", "四"), statement("XQ5", "五")];
    let sealed = desk.send("POST", "/v1/statements?readers=members:2", &framed(&sealed)).await;
    assert_eq!(sealed.status, 201, "{}", sealed.text());
    let found: Vec<ExternalRecord> = desk.post("/v1/externals/lookup", &ask(&["XQ5", "XQ1", "XQ4"])).await.good();
    assert_eq!(found.iter().map(|record| record.external.as_str()).collect::<Vec<_>>(), ["XQ5", "XQ1", "XQ4"]);
    let later = desk.send("POST", "/v1/statements?readers=members:2", &framed(&[statement("XQ6", "六")])).await;
    assert_eq!(later.status, 201, "{}", later.text());
    let found: Vec<ExternalRecord> = desk.post("/v1/externals/lookup", &ask(&["XQ6", "XQ4"])).await.good();
    assert_eq!(found.len(), 2);
    let lines = desk.get("/v1/externals?kind=demand").await.text().lines().count();
    assert_eq!(lines, 6, "a walk over all of them finds the same");
}
