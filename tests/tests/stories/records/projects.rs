//! A project from talks to construction: nothing is signed before it is reviewed, evaluated, decided, agreed and
//! promised by both sides; and the figures that every node works out.

use harness::node::{Line, WAIT, wait_equal};
use harness::program::sample;
use harness::sheet::{rows, workbook};
use serde_json::{Value, json};

use super::{COUNTY, FUND, OTHER, SECRETARIAT, federation, import, shown, texts};

/// A file as a cell names it: hash, length and name.
const FILE: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262|1024|材料.pdf";
/// What a signing says.
const SIGNING: [&str; 5] =
    ["阶段=签约", "签约日期=2026-06-01", "资金来源地=省外", "包联领导=张县长", "服务专员=李专员"];

/// A sheet of one record: its name, and header and value of each cell.
type Record<'a> = (&'a str, &'a [(&'a str, &'a str)]);

const PROJECT: Record<'_> = (
    "项目",
    &[
        ("项目编号", "XM01"),
        ("项目名称", "储能电池基地"),
        ("项目等级", "重点"),
        ("阶段", "在谈"),
        ("首次洽谈日期", "2026-03-01"),
    ],
);
const EVALUATION: Record<'_> = (
    "评估",
    &[
        ("评估编号", "PG01"),
        ("项目编号", "XM01"),
        ("评估类别", "专家评审"),
        ("评审专家编号", "ZJ01"),
        ("已申报利益冲突", "是"),
        ("存在利益冲突", "否"),
        ("评估意见", "产业匹配，建议引进"),
        ("评估结论", "可行"),
        ("评估日期", "2026-04-01"),
    ],
);
const DECISION: Record<'_> = (
    "集体审议",
    &[
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
    ],
);
const AGREEMENT: Record<'_> = (
    "协议",
    &[
        ("协议编号", "XY01"),
        ("协议名称", "投资协议"),
        ("项目编号", "XM01"),
        ("签约各方", "奉节县人民政府;甲公司"),
        ("签约日期", "2026-06-01"),
        ("协议投资", "37.84亿元"),
        ("开工期限", "2027-01-01"),
        ("投产期限", "2028-01-01"),
        ("协议文本", FILE),
    ],
);
const PROGRESS: Record<'_> = (
    "进度",
    &[
        ("进度编号", "JD01"),
        ("项目编号", "XM01"),
        ("填报日期", "2026-09-01"),
        ("填报人", "项目专班"),
        ("项目阶段", "开工"),
    ],
);

fn review<'a>(intensity: &'a str, result: &'a str) -> [(&'a str, &'a str); 10] {
    [
        ("审查编号", "SC01"),
        ("项目编号", "XM01"),
        ("符合国土空间规划", "是"),
        ("符合三区三线", "是"),
        ("能耗强度", intensity),
        ("区域平均能耗强度", "0.5"),
        ("污染物排放量", "80"),
        ("环境承载力阈值", "100"),
        ("排放量单位", "吨/年"),
        ("审查结论", result),
    ]
}

fn commitment(number: &'static str, side: &'static str) -> [(&'static str, &'static str); 8] {
    [
        ("承诺编号", number),
        ("项目编号", "XM01"),
        ("承诺方", side),
        ("承诺事项", "按期履行"),
        ("目标值", "476"),
        ("单位", "亩"),
        ("比较", "≥"),
        ("期限", "2099-01-01"),
    ]
}

/// Imports a workbook with a sheet for each record, into the county's node.
fn bring(line: &Line, records: &[Record<'_>]) -> harness::node::Outcome {
    let path = line.folder().join("材料.xlsx");
    let sheets: Vec<_> = records
        .iter()
        .map(|(name, cells)| {
            let [header, row] = [0, 1].map(|part| cells.iter().map(|cell| [cell.0, cell.1][part]).collect::<Vec<_>>());
            (*name, rows(&[&header, &row]))
        })
        .collect();
    workbook(&path, &sheets);
    import(&line.nodes[COUNTY], &path, &["--no-errors-file"])
}

fn revise(line: &Line, cells: &[&str]) -> harness::node::Outcome {
    line.nodes[COUNTY].run(&[&["revise", "XM01"], cells, &["--wait", "0"]].concat())
}

/// The refusal of a change, which must name these things in Chinese.
#[track_caller]
fn refused(outcome: harness::node::Outcome, names: &[&str]) {
    for name in names {
        assert!(outcome.errors.contains(name), "{name} is not named:\n{}", outcome.errors);
    }
    assert_eq!(outcome.failed(5), "lifecycle");
}

#[test]
fn a_project_is_signed_and_started_only_with_everything_that_it_needs() {
    let line = federation();
    assert_eq!(bring(&line, &[PROJECT]).ok()["published"], 1);
    refused(revise(&line, &SIGNING), &["在谈 → 签约"]);
    refused(revise(&line, &["阶段=待决策"]), &["前置审查", "评估"]);

    // An intensity equal to the average does not pass (F054), in a sheet as by hand.
    let equal = bring(&line, &[("前置审查", &review("0.5", "通过"))]);
    let reasons = texts(&equal.json["errors"], "zh").concat();
    assert!(reasons.contains("等于也不行"), "{reasons}");
    assert_eq!(equal.failed(5), "sheet-errors");
    let by_hand: Vec<String> = review("0.50", "通过").iter().map(|(name, value)| format!("{name}={value}")).collect();
    let by_hand: Vec<&str> = by_hand.iter().map(String::as_str).collect();
    let by_hand = line.nodes[COUNTY].run(&[&["publish", "--kind", "pre_review"], &by_hand[..]].concat());
    assert!(by_hand.errors.contains("等于也不行"), "{}", by_hand.errors);
    assert_eq!(by_hand.failed(5), "check-failed");

    // Reviewed without having passed, evaluated, decided, agreed and promised: it is not signed.
    let review_first = review("0.5", "补正");
    let (government, enterprise) = (commitment("CN01", "政府"), commitment("CN02", "企业"));
    let report = bring(&line, &[("前置审查", &review_first), EVALUATION]).ok();
    assert_eq!(report["published"], 2, "{report}");
    revise(&line, &["阶段=待决策"]).ok();
    refused(revise(&line, &SIGNING), &["待决策 → 签约", "前置审查", "集体审议", "协议", "政府", "企业"]);
    let report = bring(&line, &[DECISION, AGREEMENT, ("承诺", &government)]).ok();
    assert_eq!(report["published"], 3, "{report}");
    bring(&line, &[("承诺", &enterprise)]).ok();
    refused(revise(&line, &SIGNING), &["待决策 → 签约", "前置审查"]);
    assert_eq!(stage(&line), "待决策");

    // Below the average it passes, and the project is signed.
    let report = bring(&line, &[("前置审查", &review("0.49", "通过"))]).ok();
    assert_eq!((&report["changed"], &report["published"]), (&json!(1), &json!(1)), "{report}");
    revise(&line, &SIGNING).ok();
    assert_eq!(stage(&line), "签约");
    refused(revise(&line, &["阶段=开工", "开工日期=2026-08-30"]), &["签约 → 开工", "进度"]);
    bring(&line, &[PROGRESS]).ok();
    revise(&line, &["阶段=开工", "开工日期=2026-08-30"]).ok();
    assert_eq!(stage(&line), "开工");
    refused(revise(&line, &["阶段=策划"]), &["开工 → 策划"]);
}

/// The stage of the project as the secretariat's node shows it.
fn stage(line: &Line) -> String {
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let record = shown(&line.nodes[SECRETARIAT], "project", "XM01");
    assert_eq!((&record["counts"], &record["uncounted"]), (&json!(true), &json!(0)), "{record}");
    record["state"]["zh"].as_str().expect("it stands somewhere").to_owned()
}

#[test]
fn shares_of_a_joint_investment_add_up_to_one_hundred() {
    let line = federation();
    let round = |shares: &str| {
        let shares = format!("份额={shares}");
        let cells = ["联投编号=LT01", "联投名称=储能联投", "项目编号=XM01", "联投总额=10亿元", "投资规模大=是"];
        let more = ["市场前景好=是", "带动效应强=是", "参与基金编号=JJ01;JJ02", "认缴额=6亿元;4亿元"];
        let last = ["风险分担规则=按份额分担", shares.as_str()];
        let words = ["publish", "--kind", "joint_investment", "--wait", "0"];
        line.nodes[FUND].run(&[&words[..], &cells[..], &more[..], &last[..]].concat())
    };
    let refused = round("60;30");
    assert!(refused.errors.contains("100%"), "{}", refused.errors);
    assert_eq!(refused.failed(5), "check-failed");
    round("60;40").ok();
    assert_eq!(line.nodes[COUNTY].run(&["list", "--kind", "joint_investment"]).ok()["records"][0]["fields"], json!([]));
}

/// A figure of a record.
#[track_caller]
fn figure<'a>(record: &'a Value, name: &str) -> &'a Value {
    let figures = record["figures"].as_array().expect("a list of figures");
    figures.iter().find(|figure| figure["name"] == name).expect(name)
}

#[test]
fn every_node_works_out_the_figures_of_the_battery_park() {
    let line = federation();
    import(&line.nodes[OTHER], &sample("projects.csv"), &["--only", "成员编号=XY002"]).ok();
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let reader = &line.nodes[COUNTY];
    let park = shown(reader, "project", "XM001");
    assert_eq!(park["state"]["zh"], "策划");
    let phases = figure(&park, "phases_investment");
    assert_eq!((&phases["text"], &phases["gap"]["stated"]), (&json!("378.84亿元"), &json!("379亿元")));
    assert_eq!(phases["gap"]["text"].as_str().map(|text| text.trim_start_matches('-')), Some("0.16亿元"));
    // Of the three phases two state what has added up so far: those are never added.
    for (name, text) in [("phases_output", "60亿元"), ("phases_tax", "2.5亿元"), ("phases_jobs", "1000人")] {
        let output = figure(&park, name);
        let said = output["text"].as_str().unwrap_or_default();
        assert!(said.starts_with(text.trim_end_matches(|unit: char| !unit.is_ascii_digit())), "{output}");
        assert_eq!((&output["records"], &output["left_out"]), (&json!(1), &json!(2)), "{output}");
    }
    let per_mu = |record: &Value| {
        let text = |name| figure(record, name)["text"].as_str().unwrap_or_default().to_owned();
        ["investment_per_mu", "output_per_mu", "tax_per_mu"].map(text)
    };
    let first = per_mu(&shown(reader, "project", "XM002"));
    assert_eq!(first, ["794.96万元/亩", "1260.5万元/亩", "52.52万元/亩"]);
    let dyeing = per_mu(&shown(reader, "project", "XM006"));
    assert_eq!(dyeing, ["923.08万元/亩", "2051.28万元/亩", "153.85万元/亩"]);
}
