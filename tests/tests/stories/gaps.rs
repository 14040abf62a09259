//! What several counties find together: needs that add up to one draft, the same industry next door, idle funds.

use std::collections::BTreeMap;

use harness::node::{Line, Node, WAIT, wait, wait_equal};
use serde_json::{Value, json};

/// Counties of one prefecture, each with the cold storage that it needs.
const COUNTIES: [(&str, &str, &str, &str); 5] = [
    ("夏邑县", "411426", "3000", "吨"),
    ("虞城县", "411425", "0.2", "万吨"),
    ("柘城县", "411424", "约1500.5", "吨"),
    ("宁陵县", "411423", "800", "吨"),
    ("睢县", "411422", "累计900", "吨"),
];
const SECRETARIAT: usize = 0;

fn federation() -> Line {
    let counties = COUNTIES.iter().map(|(name, region, ..)| (*name, "county", *region));
    let members: Vec<_> = [("联盟秘书处", "secretariat", "")].into_iter().chain(counties).collect();
    Line::found_as(&members)
}

fn all_equal(line: &Line) {
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
}

#[track_caller]
fn publish(node: &Node, kind: &str, fields: &[&str]) {
    node.run(&[&["publish", "--wait", "0", "--kind", kind], fields].concat()).ok();
}

/// An answer without the time at which it was asked for.
#[track_caller]
fn answer(node: &Node, question: &[&str]) -> Value {
    let mut answer = node.run(question).ok();
    let object = answer.as_object_mut().expect("an object");
    object.remove("as_of_ms");
    if let Some(pools) = object.get_mut("pools").and_then(Value::as_object_mut) {
        pools.remove("as_of_ms");
    }
    answer
}

/// What every node must answer alike.
#[track_caller]
fn agreed(line: &Line, question: &[&str]) -> Value {
    let answers: Vec<Value> = line.nodes.iter().map(|node| answer(node, question)).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    answers.into_iter().next().expect("there are nodes")
}

#[test]
fn five_counties_cold_storage_becomes_one_draft_that_imports() {
    let line = federation();
    for (node, (name, region, quantity, unit)) in line.nodes[1..].iter().zip(COUNTIES) {
        let fields = [
            "需求类别=冷链".to_owned(),
            format!("需求名称={name}果蔬冷库"),
            format!("行政区划代码={region}"),
            format!("数量={quantity}"),
            format!("单位={unit}"),
        ];
        publish(node, "demand", &fields.iter().map(String::as_str).collect::<Vec<_>>());
    }
    all_equal(&line);
    let pools = agreed(&line, &["gaps", "pools", "--min-counties", "5"]);
    let pool = &pools["pools"]["pools"][0];
    assert_eq!((&pool["topic"], &pool["needs"]), (&json!("cold_storage"), &json!(5)));
    let sum = &pool["sums"][0];
    let figures = [&sum["text"], &sum["added"], &sum["soft"], &sum["left_out"]];
    assert_eq!(figures, [&json!("约7300.5吨"), &json!(4), &json!(1), &json!(1)], "累计 is not added");

    // Whoever leads the application writes the draft; nothing is published by that.
    let leader = &line.nodes[SECRETARIAT];
    let draft = line.folder().join("汇集.csv");
    let path = draft.to_string_lossy().into_owned();
    let written = leader.run(&["gaps", "pools", "--words", "冷库", "--min-counties", "5", "--draft", &path]).ok();
    assert_eq!(written["drafts"], 1);
    assert_eq!(leader.run(&["gaps", "pools", "--draft", &path]).failed(5), "file-exists");
    assert_eq!(leader.run(&["list", "--kind", "pooled_need"]).ok()["records"], json!([]));
    let report = leader.run(&["import", &path]).ok();
    assert_eq!((&report["published"], &report["errors"]), (&json!(1), &json!([])), "{report}");

    all_equal(&line);
    let listed = line.nodes[5].run(&["list", "--kind", "pooled_need"]).ok();
    let record = &listed["records"][0];
    let fields: BTreeMap<&str, &str> = record["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|field| (field["name"].as_str().expect("a name"), field["value"].as_str().expect("a text")))
        .collect();
    assert_eq!((&record["problems"], &record["counts"]), (&json!([]), &json!(true)));
    assert_eq!((fields["division_code"], fields["cold_storage_mass"]), ("411400", "约7300.5吨"));
    for member in 2..=6 {
        assert!(fields["source"].contains(&format!("{member}-1")), "every source is named: {}", fields["source"]);
    }

    // What the joint need holds is not added once more; a new need is.
    let county = &line.nodes[1];
    publish(county, "demand", &["需求类别=冷链", "需求名称=二期冷库", "行政区划代码=411426", "数量=100", "单位=吨"]);
    all_equal(&line);
    let after = &agreed(&line, &["gaps", "pools", "--min-counties", "1"])["pools"];
    assert_eq!((&after["already"], &after["made"]["records"]), (&json!(5), &json!(1)));
    assert_eq!(after["pools"][0]["sums"][0]["text"], "100吨");

    // The same draft as JSON is what `publish` takes.
    let path = line.folder().join("二期.json").to_string_lossy().into_owned();
    leader.run(&["gaps", "pools", "--min-counties", "1", "--draft", &path]).ok();
    leader.run(&["publish", "--wait", "0", &path]).ok();
}

#[test]
fn counties_see_what_their_neighbours_do_what_is_missing_and_which_funds_lie_idle() {
    let line = federation();
    let place = |index: usize| format!("行政区划代码={}", COUNTIES[index].1);
    for (index, code) in [(0, "3841"), (1, "3841"), (2, "3841"), (0, "1711"), (1, "1711"), (3, "3844")] {
        let (place, code) = (place(index), format!("行业代码={code}"));
        publish(&line.nodes[index + 1], "resource", &["名称=产业园", "资源类别=园区", "状态=可用", &place, &code]);
    }
    let chain = [
        "产业链名称=纺织产业链",
        "链长=县委副书记",
        "专班成员=甲;乙;丙;丁;戊",
        "环节名称=化纤;纺纱;织布",
        "环节状态=缺;强;弱",
        "环节行业代码=282;1711;1712",
    ];
    let own = place(0);
    publish(&line.nodes[1], "industry_chain", &[&chain[..], &[own.as_str()]].concat());
    let fitting = ["项目名称=人工智能平台", "行业代码=6513", "计划投资=0.3", "阶段=策划"];
    publish(&line.nodes[3], "project", &fitting);
    publish(&line.nodes[2], "project", &["项目名称=涤纶", "行业代码=2822", &place(1), "阶段=在建前期"]);
    let leader = &line.nodes[SECRETARIAT];
    let fund = |number: &str, more: &[&str]| {
        let (number, name) = (format!("基金编号={number}"), format!("基金名称={number}"));
        publish(leader, "fund", &[&[number.as_str(), &name, "机构类别=县域专项基金"], more].concat());
    };
    fund("never", &["设立日期=2020-01-01"]);
    fund("old", &["状态=投资", "投资方向=人工智能", "单笔投资上限=5000"]);
    fund("silent", &[]);
    let case = ["基金编号=old", "被投企业=甲公司", "行政区划代码=411426", "投资金额=1亿元", "投资日期=2021-06-01"];
    publish(leader, "investment_case", &case);
    all_equal(&line);

    let competition = agreed(&line, &["gaps", "competition", "--region", "商丘"]);
    let lines: Vec<_> = competition["lines"].as_array().expect("lines").iter().collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line["industry"]["code"].as_str(), line["counties"].as_array().map(Vec::len)))
        .collect();
    assert_eq!(told, [(Some("3841"), Some(3)), (Some("1711"), Some(2))]);
    assert_eq!(lines[0]["prefecture"]["name"], "河南省商丘市");

    let chains = agreed(&line, &["gaps", "chains", "--region", "夏邑", "--chain", "纺织"]);
    let links = chains["chains"][0]["links"].as_array().expect("links");
    let verdicts: Vec<_> = links.iter().map(|link| link["verdict"].as_str().unwrap_or_default()).collect();
    assert_eq!(verdicts, ["missing", "present", "missing"]);
    let near = &links[0]["elsewhere"][0];
    assert_eq!((&near["county"]["name"], &near["nearness"]), (&json!("河南省商丘市虞城县"), &json!("prefecture")));

    // Matching gets there in the background.
    wait("what fits is known", WAIT, || {
        let paired = |node: &Node| {
            let funds = answer(node, &["gaps", "funds"]);
            funds["matching_complete"] == true
                && funds["idle"][1]["fits"] != json!([])
                && !funds["idle"][1]["fits"].is_null()
        };
        line.nodes.iter().all(paired)
    });
    let funds = agreed(&line, &["gaps", "funds"]);
    let idle: Vec<_> = funds["idle"].as_array().expect("a list").iter().collect();
    let told: Vec<_> = idle.iter().map(|fund| (fund["fund"]["title"].as_str(), fund["ground"].as_str())).collect();
    assert_eq!(told, [(Some("never"), Some("never")), (Some("old"), Some("last-case"))]);
    let fits = &funds["idle"][1]["fits"];
    assert_eq!(fits[0]["record"]["title"], "人工智能平台", "{fits}");
    assert!(fits[0]["reasons_zh"].as_array().is_some_and(|reasons| !reasons.is_empty()), "{fits}");
    assert_eq!(funds["unknown"][0]["fund"]["title"], "silent", "what states nothing is not called idle");

    let matching = agreed(&line, &["gaps", "matching", "--from", "2026"]);
    assert_eq!((&matching["taken_up"], matching.get("rate_percent")), (&json!(0), None));
    assert_eq!(leader.run(&["gaps", "funds", "--region", "无此县"]).failed(5), "survey-code");
}

#[test]
fn leads_are_ranked_where_their_scores_may_be_read() {
    let line = Line::found_as(&[
        ("联盟秘书处", "secretariat", ""),
        ("夏邑县", "county", "411426"),
        ("虞城县", "county", "411425"),
    ]);
    let six = ["score_technology", "score_growth", "score_added_value", "score_tax", "score_safety", "score_pollution"];
    let lead = |name: &str, scores: [u32; 6]| {
        let mut fields = vec![
            format!("企业名称={name}"),
            format!("提供单位={name}"),
            "投资意向=建厂".to_owned(),
            "行业代码=3841".to_owned(),
            "线索渠道=校友".to_owned(),
            "获得日期=2026-03-01".to_owned(),
            "跟进单位=商务局".to_owned(),
        ];
        fields.extend(six.iter().zip(scores).map(|(name, score)| format!("{name}={score}")));
        publish(&line.nodes[1], "lead", &fields.iter().map(String::as_str).collect::<Vec<_>>());
    };
    lead("甲", [90, 80, 70, 60, 50, 40]);
    lead("乙", [100, 80, 70, 60, 50, 41]);
    all_equal(&line);
    let by = six.join("+");
    let ranked = line.nodes[1].run(&["rank", "线索", "--by", &by]).ok();
    let told: Vec<_> = ranked["ranked"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|ranked| (ranked["record"]["title"].as_str(), ranked["text"].as_str()))
        .collect();
    assert_eq!(told, [(Some("乙"), Some("401")), (Some("甲"), Some("390"))]);
    let other = line.nodes[2].run(&["rank", "lead", "--by", &by]).ok();
    assert_eq!(
        (&other["ranked"], &other["unknown"]),
        (&json!([]), &json!(2)),
        "others see that there are two, and no score"
    );
    assert_eq!(line.nodes[2].run(&["rank", "lead", "--by", "企业名称"]).failed(5), "ranking-measure");
}
