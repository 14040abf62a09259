//! Lifecycles and checks on the way out, with the built-in kinds.

use std::collections::BTreeMap;

use protocol::charter::Class;
use protocol::identity::EntryId;
use protocol::kind::KindSet;
use protocol::register::Register;

use super::super::error::RecordError;
use super::super::publish::Request;
use super::world::{World, texts};
use crate::api::types::{CreateRecord, Problem, ReviseRecord};
use crate::core::now_ms;

/// A file as a cell names it.
const FILE: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262|1024|材料.pdf";

type Cells<'a> = &'a [(&'a str, &'a str)];

const PROJECT: Cells<'_> = &[
    ("项目编号", "XM01"),
    ("项目名称", "储能电池基地"),
    ("项目等级", "重点"),
    ("阶段", "在谈"),
    ("首次洽谈日期", "2026-03-01"),
];
const PRE_REVIEW: Cells<'_> = &[
    ("审查编号", "SC01"),
    ("项目编号", "XM01"),
    ("符合国土空间规划", "是"),
    ("符合三区三线", "是"),
    ("能耗强度", "0.3"),
    ("区域平均能耗强度", "0.5"),
    ("污染物排放量", "80"),
    ("环境承载力阈值", "100"),
    ("排放量单位", "吨/年"),
    ("审查结论", "通过"),
];
const EVALUATION: Cells<'_> = &[
    ("评估编号", "PG01"),
    ("项目编号", "XM01"),
    ("评估类别", "专家评审"),
    ("评审专家编号", "ZJ01"),
    ("已申报利益冲突", "是"),
    ("存在利益冲突", "否"),
    ("评估意见", "产业匹配，建议引进"),
    ("评估结论", "可行"),
    ("评估日期", "2026-04-01"),
    ("状态", "已出具意见"),
];
const DECISION: Cells<'_> = &[
    ("审议编号", "SY01"),
    ("议题", "引进储能电池基地"),
    ("项目编号", "XM01"),
    ("审批层级", "县级"),
    ("会议日期", "2026-05-01"),
    ("拟签协议文本", FILE),
    ("预评估编号", "PG01"),
    ("职能部门意见", FILE),
    ("能耗指标匹配", "是"),
    ("融资方案可行", "是"),
    ("政策合规", "是"),
    ("会议纪要", FILE),
    ("审议结论", "通过"),
];
const AGREEMENT: Cells<'_> = &[
    ("协议编号", "XY01"),
    ("协议名称", "投资协议"),
    ("项目编号", "XM01"),
    ("签约各方", "奉节县人民政府;甲公司"),
    ("签约日期", "2026-06-01"),
    ("协议投资", "37.84亿元"),
    ("开工期限", "2027-01-01"),
    ("投产期限", "2028-01-01"),
    ("协议文本", FILE),
];
const SIGNING: Cells<'_> = &[
    ("阶段", "签约"),
    ("签约日期", "2026-06-01"),
    ("资金来源地", "省外"),
    ("包联领导", "张县长"),
    ("服务专员", "李专员"),
];

fn record(kind: &str, cells: Cells<'_>) -> CreateRecord {
    CreateRecord { kind: kind.into(), external: None, fields: texts(cells), readers: None, parties: None }
}

fn commitment<'a>(number: &'a str, side: &'a str) -> [(&'a str, &'a str); 8] {
    [
        ("承诺编号", number),
        ("项目编号", "XM01"),
        ("承诺方", side),
        ("承诺事项", "按期供地"),
        ("目标值", "476"),
        ("单位", "亩"),
        ("比较", "≥"),
        ("期限", "2099-01-01"),
    ]
}

impl World {
    async fn refused(&self, record: CreateRecord) -> RecordError {
        self.one(Request::Create(record)).await.expect_err("it is refused")
    }

    /// The state that everybody finds, and how many statements do not count.
    fn stage(&self, id: &EntryId, field: &str) -> (String, usize) {
        self.core.read(|state| {
            let charter = state.replica.charter();
            let register = Register::new(state.view(), &self.core, KindSet::builtin(), charter, now_ms());
            let judged = register.judged(id).expect("it is there");
            let kind = KindSet::builtin().kind(judged.state.kind).expect("a built-in kind");
            let field = kind.field_named(field).expect("the kind has it");
            let stage = judged.state.fields.get(&field.number).map(|value| field.render(value));
            (stage.unwrap_or_default(), judged.uncounted.len())
        })
    }
}

fn missing(problem: &Problem) -> Vec<&str> {
    problem.details.iter().map(|detail| detail.zh.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_signed_only_with_review_evaluation_decision_agreement_and_both_commitments() {
    let world = World::new().await;
    let born_signed: BTreeMap<_, _> = texts(PROJECT).into_iter().chain(texts(SIGNING)).collect();
    let born_signed = CreateRecord { fields: born_signed, ..record("project", &[]) };
    assert_eq!(world.refused(born_signed).await.code(), "lifecycle", "it cannot be created where it may not go");

    let project = world.create(record("project", PROJECT)).await;
    let error = world.revise(project, SIGNING, &[]).await.expect_err("it was never decided");
    assert!(error.problem().zh.contains("在谈 → 签约"), "{:?}", error.problem());
    let error = world.revise(project, &[("阶段", "待决策")], &[]).await.expect_err("nothing was reviewed");
    assert_eq!(missing(&error.problem()).len(), 2, "{:?}", error.problem());

    world.create(record("pre_review", PRE_REVIEW)).await;
    world.create(record("evaluation", EVALUATION)).await;
    world.revise(project, &[("阶段", "待决策")], &[]).await.expect("reviewed and evaluated");

    let error = world.revise(project, SIGNING, &[]).await.expect_err("there is no decision and no agreement");
    let problem = error.problem();
    assert_eq!((error.code(), error.status(), problem.details.len()), ("lifecycle", 422, 4), "{problem:?}");
    for name in ["集体审议", "协议", "政府", "企业"] {
        assert!(missing(&problem).iter().any(|text| text.contains(name)) && problem.zh.contains(name), "{problem:?}");
    }
    assert!(problem.zh.contains("待决策 → 签约") && problem.en.contains("Under decision -> Signed"), "{problem:?}");
    assert!(problem.fix_zh.contains("先发布"));
    assert_eq!(world.stage(&project, "阶段"), ("待决策".into(), 0));

    world.create(record("decision", DECISION)).await;
    world.create(record("agreement", AGREEMENT)).await;
    world.create(record("commitment", &commitment("CN01", "政府"))).await;
    let enterprise = Request::Create(record("commitment", &commitment("CN02", "企业")));
    let sign = ReviseRecord { set: texts(SIGNING), clear: Vec::new(), readers: None, parties: None };
    let together = vec![enterprise.clone(), Request::Revise(project, sign)];
    let refusals = world.publish(together).await.expect_err("what is published with it is no evidence yet");
    let problem = refusals.problem();
    assert_eq!((problem.details.len(), problem.details[0].at.as_str()), (1, "2 阶段"), "{problem:?}");

    world.one(enterprise).await.expect("it is in order");
    world.revise(project, SIGNING, &[]).await.expect("nothing is missing");
    assert_eq!(world.stage(&project, "阶段"), ("签约".into(), 0));
    world.revise(project, &[("说明", "已签")], &[]).await.expect("the state does not change");
    let back = world.revise(project, &[("阶段", "策划")], &[]).await.expect_err("it does not go back");
    assert_eq!(back.code(), "lifecycle");
    world.withdraw(project, Some("重复登记")).await.expect("a record may always be withdrawn");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_energy_intensity_equal_to_the_average_does_not_pass() {
    let world = World::new().await;
    let mut equal = texts(PRE_REVIEW);
    equal.insert("能耗强度".into(), "0.50".into());
    let error = world.refused(CreateRecord { fields: equal.clone(), ..record("pre_review", &[]) }).await;
    assert_eq!(error.code(), "check-failed");
    assert!(error.problem().zh.contains("等于也不行"), "{:?}", error.problem());
    equal.insert("审查结论".into(), "不通过".into());
    let refused = world.create(CreateRecord { fields: equal, ..record("pre_review", &[]) }).await;
    let code = |result: Result<(), RecordError>| result.expect_err("it is refused").code();
    assert_eq!(code(world.revise(refused, &[("审查结论", "通过")], &[]).await), "check-failed", "nor by a revision");
    world.revise(refused, &[("审查结论", "通过"), ("能耗强度", "0.49")], &[]).await.expect("below the average");
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_of_a_joint_investment_add_up_to_one_hundred() {
    let world = World::of_class(Class::Fund).await;
    let round = |number: &'static str, shares: &'static str| {
        let cells = [
            ("联投编号", number),
            ("联投名称", "储能联投"),
            ("项目编号", "XM01"),
            ("联投总额", "10亿元"),
            ("投资规模大", "是"),
            ("市场前景好", "是"),
            ("带动效应强", "是"),
            ("参与基金编号", "JJ01;JJ02"),
            ("份额", shares),
            ("认缴额", "6亿元;4亿元"),
            ("风险分担规则", "按份额分担"),
        ];
        record("joint_investment", &cells)
    };
    let error = world.refused(round("LT01", "60;30")).await;
    assert_eq!(error.code(), "check-failed");
    assert!(error.problem().zh.contains("100%"), "{:?}", error.problem());
    let mut careless = round("LT01", "60;40");
    careless.fields.remove("风险分担规则");
    assert_eq!(world.refused(careless).await.code(), "field-missing");
    let id = world.create(round("LT01", "60;40")).await;
    let code = |result: Result<(), RecordError>| result.expect_err("it is refused").code();
    assert_eq!(code(world.revise(id, &[("份额", "60;30")], &[]).await), "check-failed");
    // Sealed as a whole: its number and its state are inside, and are kept all the same.
    assert_eq!(world.refused(round("LT01", "50;50")).await.code(), "external-exists");
    let twice = vec![Request::Create(round("LT02", "50;50")), Request::Create(round("LT02", "50;50"))];
    let refusals = world.publish(twice).await.expect_err("the number occurs twice");
    assert_eq!(refusals.refused[0].1.code(), "external-exists");
    assert_eq!(code(world.revise(id, &[("状态", "已退出")], &[]).await), "lifecycle");
    world.revise(id, &[("状态", "已认缴")], &[]).await.expect("the funds subscribed");
    world.revise(id, &[("状态", "尽调")], &[]).await.expect("it is examined");
    world
        .one(Request::Revise(
            id,
            ReviseRecord { set: BTreeMap::new(), clear: Vec::new(), readers: Some("all".into()), parties: None },
        ))
        .await
        .expect("the lead fund opens it");
    assert_eq!(world.stage(&id, "状态"), ("尽调".into(), 0), "everybody counts the state that comes to light");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_was_sealed_by_choice_comes_to_light_only_with_its_reasons() {
    let world = World::new().await;
    let mut planned = record("project", PROJECT);
    planned.readers = Some("members:2".into());
    planned.fields.insert("阶段".into(), "策划".into());
    let project = world.create(planned).await;
    let open = ReviseRecord { set: BTreeMap::new(), clear: Vec::new(), readers: Some("all".into()), parties: None };
    world.one(Request::Revise(project, open.clone())).await.expect("a plan needs no reasons");
    assert_eq!(world.stage(&project, "阶段"), ("策划".into(), 0));
    let close = ReviseRecord { readers: Some("members:2,3".into()), ..open.clone() };
    world.one(Request::Revise(project, close)).await.expect("it may be sealed");
    assert_eq!(world.stage(&project, "阶段"), (String::new(), 0), "what is sealed is out of everybody's sight");
    let lead = [("阶段", "线索"), ("投资主体", "甲公司"), ("线索渠道", "链内企业")];
    world.revise(project, &lead, &[]).await.expect("from plan to lead");
    world.revise(project, &[("阶段", "在谈")], &[]).await.expect("from lead to talks");
    world
        .revise(project, &[("不能落地原因", "用地不足"), ("企业同意流转", "是"), ("阶段", "待流转")], &[])
        .await
        .expect("offered");
    let refused = world.one(Request::Revise(project, open)).await.expect_err("nobody saw how it came there");
    assert_eq!(refused.code(), "lifecycle");
}
