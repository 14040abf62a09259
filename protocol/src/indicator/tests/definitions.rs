//! The definitions against the list that they come from, and what definitions are refused for.

use std::fs;
use std::path::Path;

use crate::indicator::document::document;
use crate::indicator::file::parse;
use crate::indicator::{Basis, Definitions};
use crate::kind::KindSet;

const LIST: &str = include_str!("../../../../tests/samples/kpis.csv");

#[test]
fn every_row_of_the_list_is_a_definition_and_says_the_same() {
    let mut reader = csv::Reader::from_reader(LIST.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("the list is CSV")).collect();
    let definitions = Definitions::builtin();
    assert_eq!((rows.len(), definitions.indicators().len()), (75, 75));
    for (row, indicator) in rows.iter().zip(definitions.indicators()) {
        let cells: Vec<&str> = row.iter().map(|cell| cell.trim_start_matches('\u{feff}')).collect();
        let said = [
            indicator.code.as_str(),
            &indicator.name_zh,
            &indicator.subject,
            indicator.comparator.sign(),
            &indicator.target,
            &indicator.unit,
            &indicator.period,
            &indicator.nature,
            &indicator.formula,
            &indicator.doubts,
            &indicator.source,
        ];
        assert_eq!(cells, said);
    }
}

#[test]
fn the_page_about_indicators_is_that_of_the_definitions() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("docs").join("INDICATORS.md");
    let page = document(Definitions::builtin());
    if std::env::var_os("XIANMENG_WRITE").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let held = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        held == page,
        "docs/INDICATORS.md is not that of the definitions; renew it with\n  \
         XIANMENG_WRITE=1 cargo test -p xianmeng-protocol --lib the_page_about_indicators"
    );
}

#[test]
fn what_cannot_be_computed_says_why_and_is_not_computed() {
    let definitions = Definitions::builtin();
    let count = |basis| definitions.indicators().iter().filter(|indicator| indicator.basis == basis).count();
    assert_eq!((count(Basis::Computed), count(Basis::Entered), count(Basis::NotComputable)), (56, 9, 10));
    assert_eq!(definitions.subjects().first().copied(), Some("联盟"));
    assert!(definitions.looks_around(KindSet::builtin().kind_named("project").expect("a kind").number()));
    assert!(!definitions.looks_around(KindSet::builtin().kind_named("resource").expect("a kind").number()));
}

fn refused(changes: &[(&str, &str)]) -> String {
    let mut file = r#"
version = 1
[[indicator]]
code = "T1"
name_zh = "活动"
name_en = "Events"
subject = "联盟"
comparator = "≥"
target = "3"
unit = "场"
period = "每年"
nature = "目标"
formula = "数"
source = "一"
basis = "computed"
basis_zh = "数"
basis_en = "count"
span = "year"
[[indicator.value]]
kind = "event"
date = "held_on"
"#
    .to_owned();
    assert!(parse(&file, KindSet::builtin()).is_ok());
    for (from, to) in changes {
        assert!(file.contains(from), "{from}");
        file = file.replace(from, to);
    }
    parse(&file, KindSet::builtin()).expect_err("it breaks a rule").to_string()
}

#[test]
fn a_definition_that_breaks_a_rule_is_refused_by_name() {
    assert!(refused(&[("\"event\"", "\"events\"")]).contains("no kind"));
    assert!(refused(&[("held_on", "held_off")]).contains("no field"));
    assert!(refused(&[("\"≥\"", "\"~\"")]).contains("comparator"));
    assert!(refused(&[("basis = \"computed\"", "basis = \"not-computable\"")]).contains("not computable"));
    assert!(refused(&[("span = \"year\"", "span = \"2021-\"")]).contains("span"));
    assert!(refused(&[("basis_en = \"count\"", "basis_en = \" \"")]).contains("both languages"));
    assert!(refused(&[("date = \"held_on\"", "where = [{ state = [\"done\"] }]")]).contains("no state"));
    let local = refused(&[("\"event\"", "\"training\""), ("date = \"held_on\"", "once = [\"attendees\"]")]);
    assert!(local.contains("not for every member"));
    let sealed = refused(&[("\"event\"", "\"team\""), ("date = \"held_on\"", "sum = \"budget\"")]);
    assert!(sealed.contains("not for every member"));
}
