//! Templates, sheets with errors that come back, and texts that look like formulas.

use std::fs;
use std::path::PathBuf;

use calamine::Data;
use harness::node::{Line, Node};
use harness::sheet::{cells, rows, workbook};
use serde_json::json;

use super::{fields, import, texts, with_file};

/// A federation of a secretariat and one county.
struct Desk(Line);

impl Desk {
    fn new() -> Self {
        Self(Line::found(&["联盟秘书处", "奉节县"]))
    }

    fn county(&self) -> &Node {
        &self.0.nodes[1]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.folder().join(name)
    }

    fn published(&self) -> serde_json::Value {
        self.county().status()["records"].clone()
    }
}

/// A row for a template of a kind, by header.
const FILLED: [(&str, &[(&str, &str)]); 3] = [
    ("需求", &[("需求编号", "XQ1"), ("需求类别", "招商"), ("需求名称", "配套企业"), ("数量", "3")]),
    ("项目", &[("项目编号", "XM1"), ("项目名称", "电芯产业园"), ("阶段", "策划"), ("计划投资", "约37.84")]),
    (
        "地块",
        &[
            ("地块编号", "DK1"),
            ("地块名称", "园区东区一号地"),
            ("面积", "476"),
            ("土地用途", "工业用地"),
            ("符合国土空间规划", "是"),
            ("符合“三区三线”", "是"),
            ("土地状态", "熟地"),
            ("几通一平", "七通一平"),
            ("说明", "紧邻高速出口"),
        ],
    ),
];

#[test]
fn a_template_says_nothing_until_somebody_fills_it_in() {
    let desk = Desk::new();
    let template = desk.path("模板.xlsx");
    let kinds = FILLED.map(|(kind, _)| kind);
    with_file(desk.county(), &[&["template"], &kinds[..], &["--out"]].concat(), &template, &[]).ok();
    let report = import(desk.county(), &template, &[]).ok();
    assert_eq!((&report["errors"], &report["published"]), (&json!([]), &json!(0)), "{report}");
    assert_eq!(report["sheets"].as_array().map(Vec::len), Some(kinds.len()), "{report}");
    assert_eq!(desk.published(), 0);

    // The same headers and example with a row below, as a person leaves it.
    let filled = desk.path("填好.xlsx");
    let sheets: Vec<_> = FILLED
        .iter()
        .map(|(kind, row)| {
            let mut sheet = harness::sheet::texts(&template, kind);
            let headers = sheet[0].clone();
            // Units and marks of obligation stand behind the name in the header.
            let column = |name: &str| headers.iter().position(|header| header.trim_matches('*').starts_with(name));
            let mut cells = vec![String::new(); headers.len()];
            row.iter().for_each(|(name, value)| cells[column(name).expect(name)] = (*value).to_owned());
            sheet.truncate(2);
            sheet.push(cells);
            (*kind, sheet)
        })
        .collect();
    workbook(&filled, &sheets);
    let report = import(desk.county(), &filled, &[]).ok();
    assert_eq!((&report["read"], &report["published"]), (&json!(3), &json!(3)), "{report}");
    assert_eq!(fields(&desk.county().run(&["show", "XM1"]).ok())["investment"], "约37.84亿元");
    assert_eq!(import(desk.county(), &filled, &[]).ok()["published"], 0);
}

#[test]
fn a_wrong_cell_comes_back_marked_and_is_imported_when_it_is_corrected() {
    let desk = Desk::new();
    let book = desk.path("项目.xlsx");
    let header = ["项目编号", "项目名称", "计划投资（亿元）", "用地（亩）"];
    let title = ["奉节县项目汇总表", "", "", ""];
    let sheet = rows(&[
        &title,
        &header,
        &["XM1", "眼镜产业园", "12.5", "300"],
        &["XM2", "脐橙加工园", "若干", "120"],
        &["XM3", "", "3", "80"],
    ]);
    workbook(&book, &[("项目", sheet)]);
    let refused = import(desk.county(), &book, &[]);
    let report = refused.json.clone();
    assert_eq!(refused.failed(5), "sheet-errors");
    assert_eq!(texts(&report["errors"], "cell"), ["项目!C4", "项目!B5"]);
    assert_eq!(desk.published(), 0);

    let marked = desk.path("项目-错误.xlsx");
    assert_eq!(report["errors_file"].as_str(), marked.to_str());
    let mut copy = harness::sheet::texts(&marked, "项目");
    let reason = copy[1].iter().position(|cell| cell == "错误原因").expect("the reasons have a column");
    assert_eq!(copy[2].get(reason).map_or("", String::as_str), "", "nothing is wrong with the first");
    assert!(copy[3][reason].contains("若干"), "{:?}", copy[3]);
    assert!(copy[4][reason].contains("项目名称"), "{:?}", copy[4]);

    copy[3][2] = "约8".into();
    copy[4][1] = "中药材园".into();
    workbook(&marked, &[("项目", copy)]);
    let report = import(desk.county(), &marked, &[]).ok();
    assert_eq!((&report["published"], &report["errors"]), (&json!(3), &json!([])), "{report}");
    assert_eq!(fields(&desk.county().run(&["show", "XM2"]).ok())["investment"], "约8亿元");
}

#[test]
fn a_text_that_looks_like_a_formula_stays_a_text() {
    let desk = Desk::new();
    let texts = ["=1+1", "+86", "-试验", "@甲", "'=引号"];
    let header = ["项目编号", "项目名称", "说明"];
    let mut sheet = rows(&[&header]);
    for (index, text) in texts.iter().enumerate() {
        sheet.push(vec![format!("XM{index}"), format!("{text}项目"), (*text).to_owned()]);
    }
    let book = desk.path("项目.xlsx");
    workbook(&book, &[("项目", sheet)]);
    assert_eq!(import(desk.county(), &book, &[]).ok()["published"], texts.len());
    let notes = || {
        let shown = |index| fields(&desk.county().run(&["show", &format!("XM{index}")]).ok())["note"].clone();
        (0..texts.len()).map(shown).collect::<Vec<_>>()
    };
    assert_eq!(notes(), texts);

    let (out, csv) = (desk.path("导出.xlsx"), desk.path("导出.csv"));
    for path in [&out, &csv] {
        with_file(desk.county(), &["export", "--sheet"], path, &["--kind", "project"]).ok();
        let report = import(desk.county(), path, &["--kind", "project"]).ok();
        assert_eq!((&report["unchanged"], &report["published"]), (&json!(texts.len()), &json!(0)), "{report}");
    }
    // In the workbook the cell is a text; in the text file a spreadsheet program must not take it for a formula.
    let cells = cells(&out, "项目");
    for text in texts {
        let held: Vec<&Data> = cells.iter().flatten().filter(|cell| **cell == *text).collect();
        assert_eq!(held, [&Data::String(text.into())]);
    }
    let lines = fs::read_to_string(&csv).expect("it was written");
    let started_by = |mark: char| lines.split(['\n', ',']).any(|cell| cell.trim_matches('"').starts_with(mark));
    assert!(!started_by('=') && !started_by('+') && !started_by('@'), "{lines}");
    assert_eq!(notes(), texts);
}
