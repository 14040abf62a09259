//! Sheets: the five samples, and what goes wrong in sheets.

use std::collections::{BTreeMap, BTreeSet};

use super::{CellError, Existing, Numbers, Plan, Reader, Reading, Row, RowFilter, Table, column_letter, plan};
use crate::identity::EntryId;
use crate::kind::{Kind, KindSet, Rule};
use crate::statement::Statement;
use crate::value::Value;

const SAMPLES: [(&str, &str, usize, &str); 5] = [
    ("member", include_str!("../../../../tests/samples/counties.csv"), 16, "成员编号"),
    ("resource", include_str!("../../../../tests/samples/resources.csv"), 81, "资源编号"),
    ("demand", include_str!("../../../../tests/samples/demands.csv"), 49, "需求编号"),
    ("project", include_str!("../../../../tests/samples/projects.csv"), 23, "项目编号"),
    ("fund", include_str!("../../../../tests/samples/funds.csv"), 12, "基金编号"),
];

fn table(csv_text: &str) -> Table {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv_text.as_bytes());
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let headers = cells(reader.headers().expect("the text has a header"));
    let rows = reader.records().enumerate().map(|(index, record)| {
        let record = record.expect("the text is CSV");
        Row { line: index + 2, cells: cells(&record) }
    });
    Table { headers, rows: rows.collect() }
}

fn kind(name: &str) -> &'static Kind {
    KindSet::builtin().kind_named(name).expect("the built-in set has the kind")
}

fn nothing(_: &str) -> Option<Existing> {
    None
}

/// The records that a plan would make.
fn published(plan: &Plan) -> BTreeMap<String, Existing> {
    let records = plan.creates.iter().enumerate().map(|(index, create)| {
        let record = EntryId([index as u8 + 1; 32]);
        (create.external.clone(), Existing { record, fields: create.fields.clone(), withdrawn: false })
    });
    records.collect()
}

fn externals<'a>(rows: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    rows.map(String::as_str).collect()
}

fn projects(text: &str) -> Plan {
    plan(kind("project"), &table(text), &[], &nothing)
}

#[test]
fn every_sample_is_recognised_and_read_without_errors() {
    for (name, text, rows, _) in SAMPLES {
        let table = table(text);
        let kind = KindSet::builtin().recognise(&table.headers).expect("the header fits a kind");
        assert_eq!(kind.name(), name);
        let plan = plan(kind, &table, &[], &nothing);
        assert_eq!(plan.errors, [], "{name}");
        assert_eq!(plan.rows_read, rows, "{name}");
        assert_eq!(plan.creates.len() + plan.withheld.len(), rows, "{name}");
        assert!(plan.columns.ignored.is_empty() && plan.columns.assumed_units.is_empty(), "{name}");
        let local: &[&str] = if name == "member" { &["联系人", "联系电话"] } else { &[] };
        assert_eq!(plan.columns.local, local, "{name}");
        let withheld = externals(plan.withheld.iter().map(|row| &row.external));
        let wanted: &[&str] = match name {
            "resource" => &["ZY001", "ZY002", "ZY003"],
            "demand" => &["XQ016"],
            _ => &[],
        };
        assert_eq!(withheld, wanted, "{name}");
        for create in &plan.creates {
            assert!(
                kind.fields().filter(|field| field.is_local()).all(|field| !create.fields.contains_key(&field.number))
            );
        }
    }
}

#[test]
fn a_second_import_is_empty() {
    for (name, text, rows, _) in SAMPLES {
        let (kind, table) = (kind(name), table(text));
        let first = plan(kind, &table, &[], &nothing);
        let records = published(&first);
        let second = plan(kind, &table, &[], &|external| records.get(external).cloned());
        assert_eq!(second.unchanged + second.withheld.len(), rows, "{name}");
        assert!(second.creates.is_empty() && second.revisions.is_empty() && second.errors.is_empty(), "{name}");
    }
}

#[test]
fn an_export_of_every_sample_says_what_the_sheet_said() {
    for (name, text, ..) in SAMPLES {
        let (kind, sheet) = (kind(name), table(text));
        let first = plan(kind, &sheet, &[], &nothing);
        let records = published(&first);
        let shared: Vec<_> = kind.fields().filter(|field| !field.is_local()).collect();
        let rows = first.creates.iter().map(|create| {
            let cell = |number: &u16| kind.field(*number).zip(create.fields.get(number));
            let cells = shared.iter().map(|field| cell(&field.number).map(|(field, value)| field.render(value)));
            Row { line: create.line, cells: cells.map(Option::unwrap_or_default).collect() }
        });
        let export = Table { headers: shared.iter().map(|field| field.header()).collect(), rows: rows.collect() };
        assert_eq!(KindSet::builtin().recognise(&export.headers).map(Kind::name), Ok(name));
        let again = plan(kind, &export, &[], &|external| records.get(external).cloned());
        assert_eq!((again.unchanged, again.errors.len()), (first.creates.len(), 0), "{name}");

        // Nothing of the official's sheet is lost: every cell that is not local is in the export, in its own words.
        for create in &first.creates {
            let row = sheet.rows.iter().find(|row| row.line == create.line).expect("the row is there");
            for (header, text) in sheet.headers.iter().zip(&row.cells).filter(|(_, text)| !text.is_empty()) {
                let field = kind.field_named(header).expect("every header is known");
                if !field.is_local() {
                    let rendered = field.render(&create.fields[&field.number]);
                    let unit = field.unit().unwrap_or_default();
                    assert_eq!(
                        rendered.strip_suffix(unit).unwrap_or(&rendered),
                        text,
                        "{name} {} {header}",
                        create.line
                    );
                }
            }
        }
    }
}

#[test]
fn leading_zeros_survive() {
    let (name, text, ..) = SAMPLES[1];
    let plan = plan(kind(name), &table(text), &[], &nothing);
    let oranges = plan.creates.iter().find(|create| create.title == "奉节脐橙").expect("the row is there");
    let code = Value::Code { table: "gbt4754".into(), code: "0153".into() };
    assert_eq!(oranges.fields[&7], Value::List { element: 6, values: vec![code] });
}

#[test]
fn an_importer_takes_its_own_rows() {
    let (name, text, rows, _) = SAMPLES[1];
    let filter =
        |header: &str, value: &str| RowFilter { header: header.into(), values: BTreeSet::from([value.into()]) };
    for header in ["成员编号", "member_number"] {
        let plan = plan(kind(name), &table(text), &[filter(header, "XY001")], &nothing);
        assert_eq!((plan.creates.len(), plan.withheld.len(), plan.filtered_out), (26, 3, rows - 29));
    }
    let lost = plan(kind(name), &table(text), &[filter("乡镇", "甲")], &nothing);
    assert_eq!((lost.errors.len(), lost.errors[0].rule), (1, Rule::ColumnWrong));
    assert!(lost.creates.is_empty());
}

#[test]
fn changes_become_revisions_and_blanks_clear() {
    let first = projects("项目编号,名称,计划投资（亿元）,阶段,计划年份\nXM1,园区,约37.84,策划,2025\n");
    let records = published(&first);
    let sheet = table("项目编号,名称,计划投资（亿元）,阶段\nXM1,园区,38,\nXM2,新,,\n");
    let plan = plan(kind("project"), &sheet, &[], &|external| records.get(external).cloned());
    assert_eq!(plan.errors, []);
    assert_eq!(externals(plan.creates.iter().map(|create| &create.external)), ["XM2"]);
    let [revision] = plan.revisions.as_slice() else { panic!("one revision") };
    assert_eq!(revision.set.keys().copied().collect::<Vec<_>>(), [11]);
    assert_eq!(revision.cleared, BTreeSet::from([10]), "the column 计划年份 is not in the sheet and stays");
    assert_eq!(revision.record, records["XM1"].record);
}

#[test]
fn a_revision_says_what_was_there_before_and_its_statement_is_ready() {
    let first = projects("项目编号,名称,计划投资（亿元）,阶段\nXM1,园区,5,策划\n");
    let [create] = first.creates.as_slice() else { panic!("one record") };
    let decoded = Statement::decode(&create.body).expect("the body is canonical");
    assert_eq!((decoded.external.as_deref(), &decoded.fields), (Some("XM1"), &create.fields));
    let records = published(&first);
    let sheet = table("项目编号,名称,计划投资（亿元）,阶段\nXM1,园区,6,\n");
    let second = plan(kind("project"), &sheet, &[], &|external| records.get(external).cloned());
    let [revision] = second.revisions.as_slice() else { panic!("one revision") };
    let (investment, stage) = (kind("project").field_named("计划投资"), kind("project").field_named("阶段"));
    let (investment, stage) = (investment.expect("a field").number, stage.expect("a field").number);
    assert_eq!(revision.before[&investment], create.fields[&investment]);
    assert_eq!(revision.before[&stage], create.fields[&stage]);
    assert_eq!((revision.before.len(), revision.cleared.contains(&stage)), (2, true));
    let decoded = Statement::decode(&revision.body).expect("the body is canonical");
    assert_eq!((decoded.record, &decoded.fields), (Some(records["XM1"].record), &revision.set));
}

#[test]
fn a_number_stands_in_one_row_of_all_sheets() {
    let sheet = table("项目编号,名称\nXM1,甲\nXM1,\n");
    let reader = Reader::new(kind("project"), &sheet.headers, &[]).expect("a good header");
    let mut numbers = Numbers::default();
    numbers.begin("一月");
    assert!(matches!(numbers.admit(&reader, reader.read(&sheet.rows[0])), Reading::Good(_)));
    numbers.begin("二月");
    let Reading::Wrong { errors, .. } = numbers.admit(&reader, reader.read(&sheet.rows[0])) else {
        panic!("it stood in the other sheet")
    };
    assert!(errors[0].zh.contains("“一月”表第 2 行和本表第 2 行"), "{}", errors[0].zh);
    let Reading::Wrong { errors, .. } = numbers.admit(&reader, reader.read(&sheet.rows[1])) else {
        panic!("and the title is missing")
    };
    let rules: Vec<_> = errors.iter().map(|error| error.rule.id()).collect();
    assert_eq!(rules, ["external-duplicate", "field-missing"]);
}

#[test]
fn a_row_with_an_unreadable_cell_is_wrong_and_keeps_its_number() {
    let sheet = table("项目编号,名称,计划投资（亿元）\nXM1,,若干\n");
    let reader = Reader::new(kind("project"), &sheet.headers, &[]).expect("a good header");
    let fault = CellError {
        line: 2,
        column: 2,
        rule: Rule::CellUnreadable,
        header: "名称".into(),
        value: "#REF!".into(),
        zh: "读不出".into(),
        en: "unreadable".into(),
    };
    let Reading::Wrong { external, errors, .. } = reader.read_faulty(&sheet.rows[0], std::slice::from_ref(&fault))
    else {
        panic!("it is wrong")
    };
    assert_eq!(external.as_deref(), Some("XM1"));
    let found: Vec<_> = errors.iter().map(|error| (error.letter(), error.rule.id())).collect();
    assert_eq!(found, [("B".into(), "cell-unreadable"), ("C".into(), "number-unreadable")]);
}

#[test]
fn columns_that_stay_are_read_for_documents_that_stay() {
    let (name, text, ..) = SAMPLES[0];
    let sheet = table(text);
    let reader = Reader::new(kind(name), &sheet.headers, &[]).expect("a good header");
    let contact = kind(name).field_named("联系人").expect("the kind has the field").number;
    let has_contact = |reader: &Reader<'_>| {
        let readings = sheet.rows.iter().map(|row| reader.read(row));
        readings.filter(|read| matches!(read, Reading::Good(row) if row.fields.contains_key(&contact))).count()
    };
    assert_eq!(has_contact(&reader), 0);
    assert!(has_contact(&reader.keeping_local()) > 0);
}

#[test]
fn what_was_withdrawn_is_left_alone_and_what_became_secret_is_named_with_its_record() {
    let first = projects("项目编号,名称\nXM1,园区\n");
    let mut records = published(&first);
    let secret = table("项目编号,名称,说明\nXM1,园区,涉密\n");
    let second = plan(kind("project"), &secret, &[], &|external| records.get(external).cloned());
    assert_eq!(second.withheld[0].record, Some(records["XM1"].record));
    assert!(second.revisions.is_empty());
    records.get_mut("XM1").expect("published above").withdrawn = true;
    let again = plan(kind("project"), &table("项目编号,名称\nXM1,新名\n"), &[], &|external| {
        records.get(external).cloned()
    });
    assert_eq!((again.withdrawn.len(), again.revisions.len()), (1, 0));
}

#[test]
fn errors_name_line_column_value_rule_and_way_out() {
    let plan = projects(
        "项目编号,名称,行业代码,计划投资（亿元）\nXM1,园区,3841,若干\nXM2,,9999,5\n,无号,,\nXM4\n,,,\nXM1,又,,\n",
    );
    let found: Vec<_> = plan.errors.iter().map(|error| (error.line, error.letter(), error.rule.id())).collect();
    let wanted = [
        (2, "D", "number-unreadable"),
        (3, "C", "code-unknown"),
        (3, "B", "field-missing"),
        (4, "A", "external-missing"),
        (5, "", "row-ragged"),
        (7, "A", "external-duplicate"),
    ];
    assert_eq!(found, wanted.map(|(line, letter, rule)| (line, letter.to_owned(), rule)));
    assert_eq!((plan.errors[0].header.as_str(), plan.errors[0].value.as_str()), ("计划投资（亿元）", "若干"));
    let twice = &plan.errors[5];
    assert!(twice.zh.contains("第 2 行和第 7 行") && twice.en.contains("line 2 and on line 7"));
    assert_eq!((plan.rows_read, plan.creates.len()), (5, 0));
}

#[test]
fn a_header_may_name_another_unit_and_none_is_reported() {
    let plan = projects("项目编号,名称,计划投资(万元),用地（公顷）,年产值\nXM1,园区,37840,2,60\n");
    assert_eq!(plan.errors, []);
    let fields = &plan.creates[0].fields;
    let field = |name: &str| kind("project").field_named(name).expect("the kind has the field");
    assert_eq!(Some(&fields[&11]), field("计划投资").parse("37840万元").expect("good").as_ref());
    assert_eq!(Some(&fields[&12]), field("用地").parse("2公顷").expect("good").as_ref());
    assert_eq!(Some(&fields[&15]), field("年产值").parse("60亿元").expect("good").as_ref());
    assert_eq!(plan.columns.assumed_units, [("年产值".to_owned(), "亿元".to_owned())]);
    let strange = projects("项目编号,名称,用地（人）\nXM1,园区,2\n");
    assert_eq!(strange.columns.ignored, ["用地（人）"]);
}

#[test]
fn headers_that_contradict_are_refused() {
    let double = projects("项目编号,名称,项目名称\nXM1,甲,乙\n");
    assert_eq!((double.errors[0].line, double.errors[0].column, double.errors[0].rule), (0, 3, Rule::ColumnWrong));
    let unnumbered = projects("名称,阶段\n甲,策划\n");
    assert_eq!(unnumbered.errors[0].rule, Rule::ColumnWrong);
    assert!(unnumbered.errors[0].zh.contains("项目编号"));
}

#[test]
fn a_strange_header_names_what_is_unknown_and_what_was_tried() {
    let headers = ["颜色", "味道", "名称"].map(str::to_owned);
    let error = KindSet::builtin().recognise(&headers).expect_err("no kind fits");
    assert!(error.unknown.contains(&"颜色".to_owned()));
    assert_eq!(error.tried_zh.len(), KindSet::builtin().kinds().count());
    assert!(
        error.to_string().contains("基金") && error.to_string().contains("fund") | error.to_string().contains("Fund")
    );
    let messy =
        ["项目编号", "项目名称", "县", "阶段", "计划投资", "用地", "建筑面积", "产能", "年产值", "说明", "", "来源"];
    assert_eq!(KindSet::builtin().recognise(&messy.map(str::to_owned)).map(Kind::name), Ok("project"));
}

#[test]
fn a_row_that_no_record_can_hold_is_an_error() {
    let long = "长".repeat(30_000);
    let plan = projects(&format!("项目编号,名称,说明\nXM1,园区,{long}\n"));
    assert_eq!((plan.errors.len(), plan.errors[0].rule), (1, Rule::TooLong));
}

#[test]
fn columns_have_the_letters_of_a_spreadsheet() {
    assert_eq!([0, 1, 26, 27, 702, 703].map(column_letter), ["", "A", "Z", "AA", "ZZ", "AAA"]);
}
