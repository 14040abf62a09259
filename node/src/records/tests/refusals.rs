//! Everything that is refused, by its name, on every path.

use std::collections::{BTreeMap, BTreeSet};

use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::statement::{FIELD_REASON, Statement};
use protocol::value::Value;

use super::super::error::RecordError;
use super::super::publish::Request;
use super::world::{World, demand, texts};
use crate::api::types::CreateRecord;

const DEMAND: u16 = 102;

impl World {
    async fn refusal(&self, request: Request) -> RecordError {
        self.one(request).await.expect_err("it is refused")
    }

    async fn create_refusal(&self, record: CreateRecord) -> &'static str {
        self.refusal(Request::Create(record)).await.code()
    }

    async fn statement_refusal(&self, kind: u16, statement: &Statement) -> &'static str {
        let body = statement.encode().expect("the statement has its layout");
        self.refusal(Request::Statement(kind, body)).await.code()
    }
}

fn create(kind_set: u16, external: Option<&str>, fields: BTreeMap<u16, Value>) -> Statement {
    Statement::create([0; 16], kind_set, external.map(str::to_owned), fields)
}

/// Category and name of a demand, and one more field.
fn fields(number: u16, text: &str) -> BTreeMap<u16, Value> {
    [(5, "招商"), (6, "配套企业"), (number, text)].map(|(number, text)| (number, Value::Text(text.into()))).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_create_is_refused_by_name() {
    let world = World::new().await;
    let record = |kind: &str, fields: &[(&str, &str)]| CreateRecord {
        kind: kind.into(),
        external: None,
        fields: texts(fields),
        readers: None,
        parties: None,
    };
    for (record, code) in [
        (record("颜色", &[]), "kind-unknown"),
        (record("9999", &[]), "kind-unknown"),
        (record("fund", &[("名称", "引导基金")]), "writer-class"),
        (demand("", &[("颜色", "红")]), "field-unknown"),
        (demand("", &[("需求名称", "同一字段")]), "field-twice"),
        (demand("", &[("金额", "很多")]), "number-unreadable"),
        (record("需求", &[("名称", "缺类别")]), "field-missing"),
        (demand("", &[("联系电话", "023-12345678")]), "field-local"),
        (demand("", &[("备注", "敏感：军工内容不宜全网公开")]), "withheld"),
        (demand("", &[("行业", "机械;军工")]), "withheld"),
        (demand("XQ001", &[("需求编号", "XQ002")]), "external-mismatch"),
        (demand(&"长".repeat(60), &[]), "statement-layout"),
        (demand("", &[("备注", &"很".repeat(30_000))]), "statement-layout"),
    ] {
        let told = format!("{record:.80?}");
        assert_eq!(world.create_refusal(record).await, code, "{told}");
    }
    assert_eq!(world.core.heads().1.get(&1), None, "nothing was published");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_statement_is_refused_by_name() {
    let world = World::new().await;
    let version = KIND_SET_VERSION;
    for (kind, statement, code) in [
        (9_999, create(version, None, fields(15, "新类别")), "kind-unknown"),
        (1, create(version, None, fields(15, "系统类别")), "kind-unknown"),
        (104, create(version, None, BTreeMap::from([(2, Value::Text("基金".into()))])), "writer-class"),
        (DEMAND, create(2, None, fields(15, "别的类别集")), "kind-set-other"),
        (DEMAND, create(version, None, BTreeMap::new()), "field-missing"),
        (DEMAND, create(version, None, fields(25, "023-12345678")), "field-local"),
        (DEMAND, create(version, None, fields(15, "涉密")), "withheld"),
        (DEMAND, create(version, None, fields(4_000, "国家秘密")), "withheld"),
        (DEMAND, create(version, Some("XQ1"), fields(1, "XQ2")), "external-mismatch"),
        (DEMAND, create(version, Some("涉密-7"), fields(15, "编号也算")), "withheld"),
    ] {
        assert_eq!(world.statement_refusal(kind, &statement).await, code, "{statement:?}");
    }
    assert_eq!(world.refusal(Request::Statement(DEMAND, vec![0; 30])).await.code(), "statement-layout");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_number_is_used_once_on_every_path() {
    let world = World::new().await;
    world.create(demand("XQ001", &[])).await;
    assert_eq!(world.create_refusal(demand("XQ001", &[])).await, "external-exists");
    assert_eq!(world.create_refusal(demand("", &[("需求编号", "XQ001")])).await, "external-exists");
    let again = create(KIND_SET_VERSION, Some("XQ001"), fields(15, "再来"));
    assert_eq!(world.statement_refusal(DEMAND, &again).await, "external-exists");
    let twice = vec![Request::Create(demand("XQ002", &[])), Request::Create(demand("XQ002", &[]))];
    let refusals = world.publish(twice).await.expect_err("the number occurs twice");
    assert_eq!(refusals.refused, [(1, RecordError::ExternalTwice { external: "XQ002".into() })]);
    let resource = CreateRecord {
        kind: "resource".into(),
        external: Some("XQ001".into()),
        fields: texts(&[("名称", "标准厂房"), ("类别", "厂房")]),
        readers: None,
        parties: None,
    };
    world.create(resource).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_with_one_number_one_is_published() {
    let world = World::new().await;
    let attempts = (0..8).map(|_| world.publish(vec![Request::Create(demand("XQ001", &[]))]));
    let outcomes = futures::future::join_all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.into_iter().filter_map(Result::err).map(|refusals| refusals.refused[0].1.code());
    assert!(refused.into_iter().all(|code| code == "external-exists"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_change_is_refused_by_name() {
    let world = World::new().await;
    let id = world.create(demand("XQ001", &[("备注", "公开")])).await;
    let foreign = create(KIND_SET_VERSION, None, fields(15, "别人的"));
    let foreign = world.arrives(None, crate::core::now_ms(), DEMAND, &foreign).await.id();
    let code = |result: Result<(), RecordError>| result.expect_err("it is refused").code();
    assert_eq!(code(world.revise(foreign, &[("备注", "改")], &[]).await), "not-owner");
    assert_eq!(code(world.withdraw(foreign, None).await), "not-owner");
    assert_eq!(code(world.revise(protocol::identity::EntryId([7; 32]), &[("备注", "改")], &[]).await), "not-found");
    assert_eq!(code(world.revise(id, &[], &[]).await), "nothing-to-change");
    assert_eq!(code(world.revise(id, &[("备注", " ")], &[]).await), "field-blank");
    assert_eq!(code(world.revise(id, &[("备注", "改")], &["备注"]).await), "field-twice");
    assert_eq!(code(world.revise(id, &[], &["名称"]).await), "field-missing");
    assert_eq!(code(world.revise(id, &[("备注", "不宜公开")], &[]).await), "withheld");
    assert_eq!(code(world.revise(id, &[("联系人", "张三")], &[]).await), "field-local");
    assert_eq!(code(world.revise(id, &[("需求编号", "XQ002")], &[]).await), "external-fixed");
    assert_eq!(code(world.revise(id, &[], &["需求编号"]).await), "external-fixed");
    assert_eq!(code(world.withdraw(id, Some("涉密项目")).await), "withheld");
    let other_kind = Statement::revise([0; 16], KIND_SET_VERSION, id, fields(15, "厂房"), BTreeSet::new());
    assert_eq!(world.statement_refusal(101, &other_kind).await, "kind-other");
    let mut told = fields(15, "改");
    told.insert(FIELD_REASON, Value::Text("绝密".into()));
    let told = Statement::revise([0; 16], KIND_SET_VERSION, id, told, BTreeSet::new());
    assert_eq!(world.statement_refusal(DEMAND, &told).await, "withheld");
    world.withdraw(id, Some("已落地")).await.expect("it is its own");
    assert_eq!(code(world.revise(id, &[("备注", "改")], &[]).await), "withdrawn");
    assert_eq!(code(world.withdraw(id, None).await), "withdrawn");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_batch_see_what_came_before_them() {
    let world = World::new().await;
    let id = world.create(demand("XQ001", &[])).await;
    let revise = |set: &[(&str, &str)]| {
        Request::Revise(
            id,
            crate::api::types::ReviseRecord { set: texts(set), clear: Vec::new(), readers: None, parties: None },
        )
    };
    let withdraw = Request::Withdraw(id, crate::api::types::WithdrawRecord { reason: None });
    let batch = vec![revise(&[("备注", "一")]), withdraw, revise(&[("备注", "二")])];
    let refusals = world.publish(batch).await.expect_err("the third comes after the withdrawal");
    assert_eq!(refusals.refused, [(2, RecordError::Withdrawn { label: "2-1".into() })]);
    assert_eq!(world.core.heads().1.get(&1), Some(&1), "nothing of the batch was published");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_published_under_a_kind_set_that_the_charter_does_not_name() {
    let world = World::with_kind_set(false).await;
    assert_eq!(world.create_refusal(demand("", &[])).await, "kind-set-unknown");
    assert!(KindSet::builtin().kind(DEMAND).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_words_and_a_way_out_in_both_languages() {
    let world = World::new().await;
    let record =
        CreateRecord { kind: "颜色".into(), external: None, fields: BTreeMap::new(), readers: None, parties: None };
    let refused = [
        world.refusal(Request::Create(record)).await,
        world.refusal(Request::Create(demand("", &[("备注", "绝密")]))).await,
        world.refusal(Request::Create(demand("", &[("联系电话", "023-12345678")]))).await,
        RecordError::Randomness,
        RecordError::Cursor,
        RecordError::FilterKind,
        crate::core::PublishError::WaitingForPeers.into(),
        crate::core::PublishError::NotMember.into(),
    ];
    for error in refused {
        let problem = error.problem();
        for text in [&problem.zh, &problem.en, &problem.fix_zh, &problem.fix_en] {
            assert!(!text.is_empty(), "{problem:?}");
        }
        assert!(!format!("{problem:?}").contains("12345678"), "a refusal does not repeat what must not leave");
    }
}
