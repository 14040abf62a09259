//! Sheets come in as a whole or, when asked, without their wrong rows, and come back with the errors marked.

use std::fs;
use std::path::PathBuf;

use harness::node::Node;
use serde_json::{Value, json};

/// A sheet as officials send them: a title above the header, a total below.
const SHEET: &str = "奉节县招商需求汇总表,,,,\n\
    需求编号,需求类别,需求名称,数量,说明\n\
    XQ1,招商,配套企业,3,\n\
    XQ2,招商,物流企业,若干,\n\
    XQ3,招商,,5,\n\
    XQ4,招商,保密项目,1,涉密\n\
    XQ5,招商,冷链企业,约2,\n\
    合计,,,11,\n";

struct Desk {
    node: Node,
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut node = Node::init(folder.path().join("node"), "奉节县", "secretariat", &[]);
        node.run(&["charter", "create", "--federation", "测试联盟"]).ok();
        node.start();
        node.wait_ready_to_sign();
        Self { node, folder }
    }

    fn sheet(&self, text: &str) -> String {
        let path = self.path("需求.csv");
        fs::write(&path, text).expect("a temporary directory");
        path.to_string_lossy().into_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn records(&self) -> Value {
        self.node.status()["records"].clone()
    }
}

#[test]
fn one_error_and_nothing_is_published_unless_asked_for() {
    let desk = Desk::new();
    let sheet = desk.sheet(SHEET);
    let refused = desk.node.run(&["import", &sheet]);
    let report = refused.json.clone();
    assert_eq!(refused.failed(5), "sheet-errors");
    let cells: Vec<_> = report["errors"].as_array().expect("a list").iter().map(|error| &error["cell"]).collect();
    assert_eq!(cells, ["需求!D4", "需求!C5"]);
    assert_eq!((&report["read"], &report["new"], &report["published"]), (&json!(5), &json!(2), &json!(0)));
    assert_eq!(report["withheld"][0]["external"], "XQ4");
    let lines: Vec<_> = report["skipped"].as_array().expect("a list").iter().map(|row| &row["line"]).collect();
    assert_eq!(lines, [1, 8]);
    assert_eq!(report["errors_file"].as_str(), desk.path("需求-错误.xlsx").to_str());
    assert!(desk.path("需求-错误.xlsx").exists());
    assert_eq!(desk.records(), 0);

    let dry = desk.node.run(&["import", &sheet, "--partial", "--dry-run", "--no-errors-file"]).ok();
    assert_eq!((&dry["new"], &dry["errors_file"], desk.records()), (&json!(2), &Value::Null, json!(0)));

    let marked = desk.path("退回.xlsx").to_string_lossy().into_owned();
    let partly = desk.node.run(&["import", &sheet, "--partial", "--errors-to", &marked]);
    assert_eq!((&partly.json["published"], desk.records()), (&json!(2), json!(2)));
    assert_eq!(partly.failed(12), "rows-left-out");
    assert_eq!(desk.node.run(&["import", &sheet, "--errors-to", &marked]).failed(5), "file-exists");
    let again = desk.node.run(&["import", &sheet, "--partial", "--no-errors-file"]);
    assert_eq!((&again.json["published"], &again.json["unchanged"]), (&json!(0), &json!(2)));
}

#[test]
fn what_changes_is_shown_before_and_after_and_what_the_node_refuses_by_its_row() {
    let desk = Desk::new();
    let header = "需求编号,成员编号,需求类别,需求名称,数量\n";
    let first = desk
        .sheet(&format!("{header}XQ1,XY001,招商,配套企业,3\nXQ2,XY001,招商,物流企业,4\nXQ3,XY002,招商,冷链企业,5\n"));
    let report = desk.node.run(&["import", &first, "--only", "成员编号=XY001"]).ok();
    assert_eq!((&report["published"], &report["filtered_out"]), (&json!(2), &json!(1)));
    assert_eq!(report["other_members"], json!({}), "one member alone is one's own");
    desk.node.run(&["withdraw", "XQ2", "--reason", "已落地"]).ok();

    let second = desk
        .sheet(&format!("{header}XQ1,XY001,招商,配套企业,8\nXQ2,XY001,招商,物流企业,9\nXQ3,XY002,招商,冷链企业,5\n"));
    let report = desk.node.run(&["import", &second, "--dry-run"]).ok();
    let change = &report["changes"][0];
    assert_eq!((&change["external"], &change["line"]), (&json!("XQ1"), &json!(2)));
    assert_eq!((&change["fields"][0]["before"], &change["fields"][0]["after"]), (&json!("3"), &json!("8")));
    assert_eq!((&report["withdrawn"][0]["external"], &report["new"]), (&json!("XQ2"), &json!(1)));
    assert_eq!(report["other_members"], json!({"XY001": 2, "XY002": 1}), "whose these are nobody said");
    assert_eq!(desk.records(), 2, "one of them withdrawn");

    let nobody = desk.node.run(&["import", &second, "--readers", "members:99"]);
    assert!(nobody.json["error"]["code"].as_str().is_some_and(|code| code.starts_with("reader")), "{}", nobody.json);
    assert_eq!(desk.records(), 2, "one of them withdrawn");
    let report = desk.node.run(&["import", &second]).ok();
    assert_eq!((&report["published"], desk.records()), (&json!(2), json!(3)));
}
