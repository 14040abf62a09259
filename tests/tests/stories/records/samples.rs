//! The sample workbooks: every sheet is known, little is refused, and nothing is lost on the way out and in again.

use std::collections::BTreeMap;

use harness::node::{Line, WAIT, wait_equal};
use harness::program::sample;
use serde_json::{Value, json};

use super::{COUNTY, FUND, OTHER, SECRETARIAT, federation, fields, import, records, shown, texts, with_file};

/// The sheets of the workbook, the kinds of their rows, and how many there are.
const SHEETS: [(&str, &str, u64); 11] = [
    ("县域成员", "member", 16),
    ("资源", "resource", 81),
    ("需求", "demand", 49),
    ("项目", "project", 23),
    ("基金", "fund", 12),
    ("承诺", "commitment", 26),
    ("活动", "event", 51),
    ("指标", "indicator", 75),
    ("时限", "obligation", 47),
    ("任务", "task", 45),
    ("政策", "policy", 20),
];
/// Rows that stay on the node: a military demand, and libraries of persons.
const WITHHELD: [&str; 4] = ["ZY001", "ZY002", "ZY003", "XQ016"];
/// The sheet that no county publishes.
const FUNDS: &str = "基金";

fn all_equal(line: &Line) {
    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
}

/// Publishes the sample as far as the classes of the members allow: the funds by the fund, the rest by the county.
fn publish_sample(line: &Line) {
    let book = sample("all.xlsx");
    assert_eq!(import(&line.nodes[COUNTY], &book, &["--partial"]).failed(12), "sheets-left-out");
    import(&line.nodes[FUND], &book, &["--sheet", FUNDS]).ok();
    all_equal(line);
}

#[test]
fn every_sheet_is_known_and_only_what_must_stay_is_left_out() {
    let line = federation();
    let (county, fund) = (&line.nodes[COUNTY], &line.nodes[FUND]);
    let book = sample("all.xlsx");

    // A county publishes no funds. That is said before anything is published, with the ways out.
    let refused = import(county, &book, &[]);
    let report = refused.json.clone();
    assert!(refused.errors.contains("--sheet") && refused.errors.contains("--partial"), "{}", refused.errors);
    assert_eq!(refused.failed(7), "writer-class");
    assert_eq!(report["sheets_left_out"][0]["sheet"], FUNDS);
    assert_eq!((&report["sheets_left_out"][0]["code"], &report["published"]), (&json!("writer-class"), &json!(0)));
    let kinds: Vec<(&str, &str, u64)> = report["sheets"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|sheet| {
            let text = |key: &str| sheet[key].as_str().unwrap_or_default();
            (text("sheet"), text("kind"), sheet["read"].as_u64().unwrap_or_default())
        })
        .collect();
    let publishable: Vec<_> = SHEETS.into_iter().filter(|(sheet, ..)| *sheet != FUNDS).collect();
    assert_eq!(kinds, publishable);
    assert_eq!((&report["errors"], &report["skipped"]), (&json!([]), &json!([])), "{report}");
    assert_eq!(texts(&report["withheld"], "external"), WITHHELD);
    assert!(texts(&report["withheld"], "reason_zh").iter().all(|reason| reason.contains("不出本节点")));
    assert_eq!(county.status()["records"], 0);

    // When asked to, it publishes the others, and says that it did a part only.
    let of_county: u64 = publishable.iter().map(|(.., rows)| rows).sum::<u64>() - WITHHELD.len() as u64;
    let partly = import(county, &book, &["--partial"]);
    assert_eq!(partly.json["published"], of_county);
    assert_eq!(partly.failed(12), "sheets-left-out");
    let again = import(county, &book, &["--partial"]);
    assert_eq!((&again.json["published"], &again.json["unchanged"]), (&json!(0), &json!(of_county)));

    // The sheet alone is refused too; the fund's own node publishes it.
    assert_eq!(import(county, &book, &["--sheet", FUNDS]).failed(7), "writer-class");
    let report = import(fund, &book, &["--sheet", FUNDS]).ok();
    assert_eq!((&report["kind"], &report["read"], &report["published"]), (&json!("fund"), &json!(12), &json!(12)));
    let again = import(fund, &book, &["--sheet", FUNDS]).ok();
    assert_eq!((&again["published"], &again["unchanged"]), (&json!(0), &json!(12)));

    all_equal(&line);
    for (_, kind, rows) in SHEETS {
        let withheld = match kind {
            "resource" => 3,
            "demand" => 1,
            _ => 0,
        };
        let listed = line.nodes[SECRETARIAT].run(&["list", "--all", "--kind", kind]).ok();
        assert_eq!(listed["records"].as_array().map(Vec::len), Some((rows - withheld) as usize), "{kind}");
    }
}

#[test]
fn a_sheet_as_it_arrives_from_a_county_is_read_row_by_row() {
    let line = Line::found(&["联盟秘书处", "夏邑县"]);
    let book = sample("messy_xiayi_projects.xlsx");
    let report = import(&line.nodes[1], &book, &[]).ok();
    assert_eq!((&report["read"], &report["published"]), (&json!(11), &json!(11)), "{report}");
    let skipped = report["skipped"].as_array().expect("a list");
    let why: Vec<&str> = texts(&report["skipped"], "zh");
    assert!(skipped.iter().all(|row| row["line"].as_u64().is_some_and(|line| line > 0)), "{skipped:?}");
    assert!(why.iter().any(|why| why.contains("合计")) && why.iter().any(|why| why.contains("注")), "{why:?}");
    assert_eq!(import(&line.nodes[1], &book, &[]).ok()["published"], 0);

    wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
    let record = shown(&line.nodes[0], "project", "XM002");
    assert_eq!(fields(&record)["investment"], "约37.84亿元", "the word stays with the figure");
}

#[test]
fn what_is_exported_and_imported_elsewhere_is_the_same() {
    let first = federation();
    publish_sample(&first);
    let (book, csv) = (first.folder().join("全部.xlsx"), |kind: &str| first.folder().join(format!("{kind}.csv")));
    let kinds: Vec<&str> = SHEETS.iter().flat_map(|(_, kind, _)| ["--kind", kind]).collect();
    let (county, fund) = (&first.nodes[COUNTY], &first.nodes[FUND]);
    let exported = with_file(county, &["export", "--sheet"], &book, &kinds).ok();
    assert_eq!(exported["records"].as_object().map(|kinds| kinds.len()), Some(SHEETS.len()));
    for (_, kind, _) in SHEETS {
        with_file(county, &["export", "--sheet"], &csv(kind), &["--kind", kind]).ok();
    }

    // In another federation one county takes the workbook, and another one the text files.
    let second = federation();
    let by_book = import(&second.nodes[COUNTY], &book, &["--partial"]);
    assert_eq!((&by_book.json["errors"], &by_book.json["skipped"]), (&json!([]), &json!([])));
    assert_eq!(by_book.failed(12), "sheets-left-out");
    import(&second.nodes[FUND], &book, &["--sheet", FUNDS]).ok();
    for (sheet, kind, _) in SHEETS {
        let node = &second.nodes[if sheet == FUNDS { FUND } else { OTHER }];
        let report = import(node, &csv(kind), &["--kind", kind]).ok();
        let published = if sheet == FUNDS { 0 } else { exported["records"][kind].as_u64().unwrap_or_default() };
        assert_eq!((&report["published"], &report["errors"]), (&json!(published), &json!([])), "{kind}: {report}");
        let again = import(node, &csv(kind), &["--kind", kind]).ok();
        assert_eq!((&again["published"], &again["changed"]), (&json!(0), &json!(0)), "{kind}");
    }
    let again = import(&second.nodes[COUNTY], &book, &["--partial"]);
    assert_eq!((&again.json["published"], &again.json["changed"]), (&json!(0), &json!(0)));

    all_equal(&second);
    let owner = |index: usize| index as u32 + 1;
    for (sheet, kind, _) in SHEETS {
        let index = if sheet == FUNDS { FUND } else { COUNTY };
        let source = records(if sheet == FUNDS { fund } else { county }, kind, owner(index));
        assert_eq!(source.len() as u64, exported["records"][kind].as_u64().unwrap_or_default(), "{kind}");
        assert_eq!(records(&second.nodes[index], kind, owner(index)), source, "{kind}, by workbook");
        if index == COUNTY {
            assert_eq!(records(&second.nodes[OTHER], kind, owner(OTHER)), source, "{kind}, by CSV");
        }
    }
    // One record in full: what differs is who published it and when.
    let in_both = [&first, &second].map(|line| comparable(&shown(&line.nodes[COUNTY], "project", "XM002")));
    assert_eq!(in_both[0], in_both[1]);
}

/// What `show` says of a record, without what its publication brings.
fn comparable(record: &Value) -> BTreeMap<String, Value> {
    let kept = ["kind", "external", "title", "fields", "withdrawn", "problems", "counts"];
    let object = record.as_object().expect("an object").iter();
    object.filter(|(key, _)| kept.contains(&key.as_str())).map(|(key, value)| (key.clone(), value.clone())).collect()
}
