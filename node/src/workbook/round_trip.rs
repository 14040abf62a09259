//! What is written here is read again and says the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use calamine::{Data, Reader, open_workbook_auto};
use protocol::identity::EntryId;
use protocol::kind::sheet::{Existing, Plan, Row, Table, plan, strip_guard};
use protocol::kind::{Kind, KindSet};
use protocol::value::Value;

use super::{EXAMPLE_PREFIX, Export, Format, WriteError, columns, write_template};

const SAMPLES: [(&str, &str); 5] = [
    ("member", include_str!("../../../tests/samples/counties.csv")),
    ("resource", include_str!("../../../tests/samples/resources.csv")),
    ("demand", include_str!("../../../tests/samples/demands.csv")),
    ("project", include_str!("../../../tests/samples/projects.csv")),
    ("fund", include_str!("../../../tests/samples/funds.csv")),
];

fn kind(name: &str) -> &'static Kind {
    KindSet::builtin().kind_named(name).expect("the built-in set has the kind")
}

fn from_csv(text: &str) -> Table {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows = reader.records().map(|record| {
        let record = record.expect("the text is CSV");
        record.iter().map(|cell| strip_guard(cell).to_owned()).collect::<Vec<_>>()
    });
    let headers = rows.next().expect("the text has a header");
    Table { headers, rows: rows.zip(2..).map(|(cells, line)| Row { line, cells }).collect() }
}

/// Every sheet of a workbook by name, each cell as text.
fn from_workbook(path: &Path) -> BTreeMap<String, Table> {
    let mut book = open_workbook_auto(path).expect("it is a workbook");
    let text = |cell: &Data| match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        Data::Float(number) => number.to_string(),
        other => panic!("a cell is neither text nor number: {other:?}"),
    };
    let sheets = book.worksheets().into_iter().map(|(name, range)| {
        let mut rows = range.rows().map(|row| row.iter().map(text).collect::<Vec<_>>());
        let headers = rows.next().unwrap_or_default();
        (name, Table { headers, rows: rows.zip(2..).map(|(cells, line)| Row { line, cells }).collect() })
    });
    sheets.collect()
}

fn published(plan: &Plan) -> BTreeMap<String, Existing> {
    let records = plan.creates.iter().enumerate().map(|(index, create)| {
        let record = EntryId([index as u8 + 1; 32]);
        (create.external.clone(), Existing { record, fields: create.fields.clone(), withdrawn: false })
    });
    records.collect()
}

fn export(path: &Path, format: Format, kinds: &[(&Kind, Vec<&BTreeMap<u16, Value>>)]) -> Result<(), WriteError> {
    let all: Vec<&Kind> = kinds.iter().map(|(kind, _)| *kind).collect();
    let mut export = Export::begin(path, format, &all, false)?;
    for (kind, records) in kinds {
        for record in records {
            let field = |number: &u16| kind.field(*number).expect("a field of the kind");
            let texts: BTreeMap<u16, String> =
                record.iter().map(|(number, value)| (*number, field(number).render(value))).collect();
            export.append(
                kind.number(),
                &texts.iter().map(|(number, text)| (*number, text.as_str())).collect(),
                false,
            )?;
        }
    }
    export.finish(false)
}

#[test]
fn an_export_of_every_sample_imports_as_unchanged() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let plans: Vec<(&Kind, Plan)> =
        SAMPLES.iter().map(|(name, text)| (kind(name), plan(kind(name), &from_csv(text), &[], &|_| None))).collect();
    let records: Vec<_> = plans
        .iter()
        .map(|(kind, plan)| (*kind, plan.creates.iter().map(|create| &create.fields).collect::<Vec<_>>()))
        .collect();

    let book = folder.path().join("全部.xlsx");
    export(&book, Format::Xlsx, &records).expect("it is written");
    let sheets = from_workbook(&book);
    assert_eq!(sheets.len(), SAMPLES.len());
    for ((kind, first), records) in plans.iter().zip(&records) {
        let file = folder.path().join(format!("{}.csv", kind.name()));
        export(&file, Format::Csv, std::slice::from_ref(records)).expect("it is written");
        let text = fs::read_to_string(&file).expect("it is UTF-8");
        let text = text.strip_prefix('\u{feff}').expect("it has the mark of UTF-8");
        let known = published(first);
        for table in [&sheets[kind.zh()], &from_csv(text)] {
            assert_eq!(KindSet::builtin().recognise(&table.headers).map(Kind::name), Ok(kind.name()));
            let again = plan(kind, table, &[], &|external| known.get(external).cloned());
            assert_eq!(again.errors, [], "{}", kind.name());
            assert!(again.columns.ignored.is_empty() && again.columns.assumed_units.is_empty(), "{}", kind.name());
            assert_eq!((again.unchanged, again.revisions.len()), (first.creates.len(), 0), "{}", kind.name());
        }
    }
}

#[test]
fn figures_are_numbers_only_where_nothing_is_lost() {
    let project = kind("project");
    let cell = |field: &str, text: &str| {
        let field = project.field_named(field).expect("the kind has the field");
        let value = field.parse(text).expect("a good cell").expect("not blank");
        let rendered = field.render(&value);
        let cell = super::cell(field, &rendered);
        let (text, number) = match &cell {
            super::Cell::Number(text) => (text, true),
            super::Cell::Text(text) => (text, false),
        };
        assert_eq!(field.parse(text), Ok(Some(value)), "{text}");
        number
    };
    assert!(cell("investment", "37.84亿元") && cell("land", "476") && cell("investment", "-3"));
    for text in ["约37.84", "2.5以上", "378400元", "12345678901234.567"] {
        assert!(!cell("investment", text), "{text}");
    }
    assert!(!cell("project_number", "0017") && !cell("division_code", "411426"));
}

#[test]
fn no_text_becomes_a_formula_or_loses_a_character() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let project = kind("project");
    let texts =
        ["=1+1", "+86", "-", "@甲", "'=1", "''甲", "_x0041_", "a\nb", "<&>\"", "1e5", "0017", "TRUE", "2025-12-31"];
    let records: Vec<BTreeMap<u16, Value>> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let own = format!("XM{index}");
            let fields = [("project_number", own.as_str()), ("name", text), ("note", text)];
            let value = |(name, text): (&str, &str)| {
                let field = project.field_named(name).expect("the kind has the field");
                (field.number, field.parse(text).expect("a good cell").expect("not blank"))
            };
            fields.into_iter().map(value).collect()
        })
        .collect();
    let all = [(project, records.iter().collect::<Vec<_>>())];
    let (book, file) = (folder.path().join("a.xlsx"), folder.path().join("a.csv"));
    export(&book, Format::Xlsx, &all).expect("it is written");
    export(&file, Format::Csv, &all).expect("it is written");
    let text = fs::read_to_string(&file).expect("it is UTF-8");
    assert!(text.contains("'=1+1") && !text.contains(",=1+1"));
    let note = columns(project).position(|field| field.name == "note").expect("the column is there");
    for table in [&from_workbook(&book)[project.zh()], &from_csv(text.trim_start_matches('\u{feff}'))] {
        let found: Vec<&str> = table.rows.iter().map(|row| row.cells[note].as_str()).collect();
        assert_eq!(found, texts);
    }
}

#[test]
fn a_text_that_no_workbook_holds_is_named_and_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (project, path) = (kind("project"), folder.path().join("a.xlsx"));
    let mut export = Export::begin(&path, Format::Xlsx, &[project], false).expect("it begins");
    let long = "长".repeat(32_768);
    let error = export.append(project.number(), &BTreeMap::from([(22, long.as_str())]), false).expect_err("too long");
    assert!(matches!(&error, WriteError::CellTooLong { header, characters: 32_768 } if header == "说明"), "{error}");
    drop(export);
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0);
}

#[test]
fn a_template_holds_an_example_that_imports_pass_over_and_nothing_else_of_a_kind() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("模板.xlsx");
    let kinds: Vec<&Kind> = KindSet::builtin().kinds().collect();
    write_template(&path, &kinds, false).expect("it is written");
    let mut sheets = from_workbook(&path);
    for kind in kinds {
        let table = sheets.remove(kind.zh()).expect("every kind has its sheet");
        assert_eq!(KindSet::builtin().recognise(&table.headers).map(Kind::name), Ok(kind.name()));
        assert_eq!(table.rows.len(), 1, "{}", kind.name());
        let read = plan(kind, &table, &[], &|_| None);
        assert_eq!(read.errors, [], "{}", kind.name());
        assert!(read.columns.ignored.is_empty() && read.columns.assumed_units.is_empty(), "{}", kind.name());
        assert!(read.creates.iter().all(|create| create.external.starts_with(EXAMPLE_PREFIX)), "{}", kind.name());
    }
    assert_eq!(sheets.keys().collect::<Vec<_>>(), ["代码表", "说明"]);
    for (name, table) in sheets {
        for row in std::iter::once(&table.headers).chain(table.rows.iter().map(|row| &row.cells)) {
            assert!(KindSet::builtin().recognise(row).is_err(), "{name}: {row:?}");
        }
    }
}
