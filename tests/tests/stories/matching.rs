//! Matching across real nodes: land for a battery plant, what excludes, the same answer everywhere, funds.

use harness::node::{Line, Node, WAIT, wait, wait_equal};
use harness::program::sample;
use serde_json::{Value, json};

const SECRETARIAT: usize = 0;
const COUNTY: usize = 1;
const OTHER: usize = 2;
const FUND: usize = 3;
const SECOND_FUND: usize = 4;

fn federation() -> Line {
    Line::found_as(&[
        ("联盟秘书处", "secretariat", ""),
        ("奉节县", "county", "500236"),
        ("夏邑县", "county", "411426"),
        ("产业基金", "fund", ""),
        ("并购基金", "fund", ""),
    ])
}

/// Publishes a record and returns its label.
#[track_caller]
fn publish(node: &Node, kind: &str, fields: &[&str]) -> String {
    let published = node.run(&[&["publish", "--kind", kind, "--wait", "0"], fields].concat()).ok();
    published["labels"][0].as_str().expect("a label").to_owned()
}

/// What fits a record, once the node has looked at everything that it holds: `seen` says whether it has.
#[track_caller]
fn matches(node: &Node, record: &str, more: &[&str], seen: impl Fn(&Value) -> bool) -> Value {
    let mut answer = Value::Null;
    wait("the catalogue follows", WAIT, || {
        answer = node.run(&[&["match", record], more].concat()).json;
        answer["complete"] == true && seen(&answer)
    });
    answer
}

fn found(answer: &Value) -> Vec<String> {
    let found = answer["found"].as_array().into_iter().flatten();
    found.map(|found| found["record"]["label"].as_str().unwrap_or_default().to_owned()).collect()
}

fn externals(answer: &Value) -> Vec<String> {
    let found = answer["found"].as_array().into_iter().flatten();
    found.map(|found| found["record"]["external"].as_str().unwrap_or_default().to_owned()).collect()
}

/// What two nodes must agree on.
fn agreed(answer: &Value) -> Value {
    json!([
        answer["found"],
        answer["excluded"],
        answer["excluded_by"],
        answer["considered"],
        answer["rules_hash"],
        answer["frontier"]
    ])
}

#[test]
fn land_for_a_battery_plant_is_found_with_reasons_and_alike_on_every_node() {
    let line = federation();
    let (county, other, fund) = (&line.nodes[COUNTY], &line.nodes[OTHER], &line.nodes[FUND]);
    let book = sample("all.xlsx");
    let path = book.to_string_lossy();
    other.run(&["import", &path, "--partial"]).failed(12);
    fund.run(&["import", &path, "--sheet", "基金"]).ok();
    let wanted = ["需求类别=土地厂房", "需求名称=电芯生产基地用地", "需要用地=400", "行业代码=3841", "期限=2099-12-31"];
    let demand = publish(county, "demand", &wanted);
    let nodes: Vec<&Node> = line.nodes.iter().collect();
    wait_equal(&nodes, WAIT);

    // The two battery plots, of 476 and of 3,000 mu, come before anything else.
    let count = |kind: &str| {
        let listed = county.run(&["list", "--all", "--kind", kind]).ok();
        let records = listed["records"].as_array().expect("a list").iter();
        records.filter(|record| record["counts"] == true).count() as u64
    };
    let all: u64 = ["resource", "project", "fund", "policy", "event"].into_iter().map(count).sum();
    let held = |answer: &Value| answer["considered"] == all;
    let answer = matches(county, &demand, &["--excluded"], held);
    assert_eq!(externals(&answer)[..2], ["ZY031", "ZY030"], "{answer}");
    for best in &answer["found"].as_array().expect("a list")[..2] {
        let parts = best["parts"].as_array().expect("a list");
        let said = |dimension: &str| parts.iter().any(|part| part["dimension"] == dimension && part["reason_zh"] != "");
        assert!(
            ["need", "industry", "region", "land", "timing", "text", "completeness"].into_iter().all(said),
            "{best}"
        );
        let sum: u64 = parts.iter().filter_map(|part| part["part"].as_u64()).sum();
        assert_eq!(Some(sum), best["score"].as_u64());
        assert_eq!(best["record"]["owner"]["name"], "夏邑县");
    }
    let land = |place: usize| {
        let parts = answer["found"][place]["parts"].as_array().expect("a list").iter();
        let part = parts.clone().find(|part| part["dimension"] == "land").expect("land is looked at");
        part["reason_zh"].as_str().unwrap_or_default().to_owned()
    };
    assert!(land(0).contains("400亩") && land(0).contains("476亩") && land(1).contains("3000亩"));
    let resources = county.run(&["match", &demand, "--excluded", "--kind", "resource"]).ok();
    let small = resources["excluded"].as_array().expect("a list").iter();
    let small = small.clone().find(|excluded| excluded["record"]["external"] == "ZY034");
    assert_eq!(small.expect("210 mu are too little")["reasons"][0]["reason"], "area");
    assert!(answer["excluded_by"].as_array().is_some_and(|counts| !counts.is_empty()));

    // Nodes with the same frontier find the same, with the same scores.
    for node in [SECRETARIAT, OTHER, FUND] {
        let elsewhere = matches(&line.nodes[node], &demand, &["--excluded"], held);
        assert_eq!(agreed(&elsewhere), agreed(&answer), "node {node}");
    }

    // What cannot be matched says why and what can be.
    let member =
        county.run(&["list", "--kind", "member"]).ok()["records"][0]["label"].as_str().unwrap_or_default().to_owned();
    let refused = county.run(&["match", &member]);
    assert!(refused.errors.contains("可以匹配的类别") && refused.errors.contains("地块"), "{}", refused.errors);
    assert_eq!(refused.failed(5), "match-impossible");
    assert_eq!(county.run(&["match", &demand, "--kind", "training"]).ok()["considered"], 0);
    assert_eq!(county.run(&["match", &demand, "--kind", "member"]).failed(5), "match-impossible");

    // A candidate that is taken up is published with its score and reasons.
    let taken = county.run(&["match", &demand, "--take", "ZY031", "--by", "县投资促进中心"]).ok();
    let label = taken["labels"][0].as_str().expect("a label");
    let record = county.run(&["show", label]).ok();
    assert_eq!((&record["kind"], &record["state"]["name"]), (&json!("match"), &json!("taken_up")));
    assert_eq!(record["problems"], json!([]));
}

#[test]
fn what_a_parcel_asks_for_excludes_and_changes_are_followed() {
    let line = federation();
    let (county, other) = (&line.nodes[COUNTY], &line.nodes[OTHER]);
    let parcel = |number: &str, asked: &str| {
        let own = [format!("地块编号={number}"), format!("地块名称={number}号地"), format!("最低投资强度={asked}")];
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let usual = [
            "面积=300",
            "土地用途=工业用地",
            "行业代码=3841",
            "符合国土空间规划=是",
            "符合“三区三线”=是",
            "土地状态=储备",
            "说明=紧邻高速",
            "行政区划代码=500236",
        ];
        publish(county, "land_parcel", &[&own[..], &usual].concat())
    };
    let (dear, cheap) = (parcel("DK01", "300"), parcel("DK02", "150"));
    let project = ["项目名称=电芯一期", "行业代码=3841", "计划投资=4", "用地=200", "行政区划代码=500236", "阶段=策划"];
    let project = publish(county, "project", &project);
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);

    let both = |answer: &Value| answer["considered"] == 2;
    let answer = matches(other, &project, &["--excluded"], both);
    assert_eq!(found(&answer), std::slice::from_ref(&cheap));
    let excluded = &answer["excluded"][0];
    assert_eq!((&excluded["record"]["label"], &excluded["reasons"][0]["reason"]), (&json!(dear), &json!("intensity")));
    assert_eq!(excluded["reasons"][0]["zh"], "投资强度200万元/亩，低于地块要求的300万元/亩");

    // From the parcel's side it is the same.
    let back = matches(other, &cheap, &[], |answer| found(answer) == std::slice::from_ref(&project));
    assert_eq!(back["found"][0]["score"], answer["found"][0]["score"]);
    assert_eq!(found(&other.run(&["match", &dear]).ok()), [""; 0]);

    // A parcel that is supplied is no match any more, on any node, as soon as that is known.
    county.run(&["revise", &cheap, "土地状态=熟地", "几通一平=七通一平"]).ok();
    county.run(&["revise", &cheap, "土地状态=已供应"]).ok();
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let after = matches(other, &project, &["--excluded"], |answer| found(answer).is_empty());
    let closed = after["excluded"].as_array().expect("a list").iter();
    assert!(
        closed.flat_map(|one| one["reasons"].as_array().into_iter().flatten()).any(|why| why["reason"] == "closed")
    );
    assert_eq!(other.run(&["match", &cheap]).failed(5), "match-impossible");
}

#[test]
fn funds_are_recommended_projects_and_alone_see_what_is_for_sale() {
    let line = federation();
    let (county, fund, second) = (&line.nodes[COUNTY], &line.nodes[FUND], &line.nodes[SECOND_FUND]);
    let project = publish(
        county,
        "project",
        &["项目名称=人工智能平台", "行业代码=6513", "计划投资=0.3", "行政区划代码=500236", "阶段=策划"],
    );
    let holding = [
        "案例编号=AL01",
        "基金编号=JJ90",
        "被投企业或项目=某科技公司",
        "行政区划代码=500236",
        "投资金额=0.2",
        "投资日期=2023-05-20",
    ];
    let of_fund = [
        "名称=成长基金",
        "机构类别=市场派基金",
        "投资方向=人工智能",
        "单笔投资下限=100",
        "单笔投资上限=3000",
        "基金编号=JJ90",
    ];
    let own = publish(fund, "fund", &of_fund);
    publish(fund, "investment_case", &holding);
    let offer = [
        "退出标的=某科技公司股权",
        "投资案例编号=AL01",
        "退出路径=股权转让",
        "转让比例=12",
        "意向价格=2000",
        "截止日期=2099-06-30",
    ];
    let offer = publish(fund, "exit_offer", &offer);
    let buyer =
        publish(second, "fund", &["名称=并购基金", "机构类别=市场派基金", "投资方向=人工智能", "单笔投资上限=5000"]);
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);

    // Both funds see the offer; a county holds it and sees nothing.
    let offered = matches(second, &buyer, &[], |answer| found(answer).contains(&offer));
    assert!(found(&offered).contains(&project));
    let from_seller = matches(fund, &buyer, &[], |answer| found(answer).contains(&offer));
    assert_eq!(agreed(&from_seller), agreed(&offered), "readers of equal rights see the same");
    let from_county = matches(county, &buyer, &[], |answer| found(answer) == std::slice::from_ref(&project));
    assert_eq!(from_county["considered"], 1);
    assert_eq!(county.run(&["match", &offer]).failed(5), "match-uncounted");
    assert!(found(&matches(second, &offer, &[], |answer| !found(answer).is_empty())).contains(&buyer));

    let recommended = fund.run(&["recommend"]).ok();
    assert_eq!(recommended["funds"][0]["fund"]["label"], json!(own));
    assert_eq!(found(&recommended["funds"][0]["matches"]), std::slice::from_ref(&project));
    let named = county.run(&["recommend", "--fund", &buyer]).ok();
    assert_eq!(found(&named["funds"][0]["matches"]), std::slice::from_ref(&project), "an offer is no project");
    assert_eq!(county.run(&["recommend"]).failed(6), "match-no-own-funds");
    assert_eq!(county.run(&["recommend", "--fund", &project]).failed(5), "match-no-fund");
}
