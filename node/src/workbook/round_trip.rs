//! What is written here is read again and says the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use calamine::{Data, Reader, open_workbook_auto};
use protocol::identity::EntryId;
use protocol::kind::sheet::{
    Existing, Grid, GridRow, LocateError, Located, Plan, SkipReason, locate, plan, strip_guard,
};
use protocol::kind::{Kind, KindSet};
use protocol::value::Value;

use super::{
    EXAMPLE_PREFIX, Export, Format, Mark, MarkedSheet, REASON_HEADER, WriteError, columns, write_marked, write_template,
};

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

fn row(line: usize, cells: Vec<String>) -> GridRow {
    GridRow { line, cells, faults: BTreeMap::new() }
}

fn from_csv(text: &str) -> Grid {
    let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows = reader.into_records().zip(1..).map(|(record, line)| {
        let record = record.expect("the text is CSV");
        row(line, record.iter().map(|cell| strip_guard(cell).to_owned()).collect())
    });
    Grid { sheet: "表".into(), rows: rows.collect(), merged: Vec::new() }
}

/// Every sheet of a workbook by name, each cell as text.
fn from_workbook(path: &Path) -> BTreeMap<String, Grid> {
    let mut book = open_workbook_auto(path).expect("it is a workbook");
    let text = |cell: &Data| match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        Data::Float(number) => number.to_string(),
        other => panic!("a cell is neither text nor number: {other:?}"),
    };
    let sheets = book.worksheets().into_iter().map(|(name, range)| {
        assert_eq!(range.start(), Some((0, 0)));
        let rows = range.rows().zip(1..).map(|(cells, line)| row(line, cells.iter().map(text).collect())).collect();
        (name.clone(), Grid { sheet: name, rows, merged: Vec::new() })
    });
    sheets.collect()
}

fn find(grid: &Grid) -> Result<Located<'static>, LocateError> {
    locate(KindSet::builtin(), None, grid.clone())
}

fn located(grid: &Grid) -> Located<'static> {
    find(grid).expect("the table is found")
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
    let plans: Vec<(&Kind, Plan)> = SAMPLES
        .iter()
        .map(|(name, text)| (kind(name), plan(kind(name), &located(&from_csv(text)).table, &[], &|_| None)))
        .collect();
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
        for grid in [&sheets[kind.zh()], &from_csv(text)] {
            let located = located(grid);
            assert_eq!((located.kind.name(), located.skipped.len()), (kind.name(), 0));
            let again = plan(kind, &located.table, &[], &|external| known.get(external).cloned());
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
    for grid in [&from_workbook(&book)[project.zh()], &from_csv(text.trim_start_matches('\u{feff}'))] {
        let found: Vec<&str> = grid.rows[1..].iter().map(|row| row.cells[note].as_str()).collect();
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
fn a_template_as_it_was_made_publishes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("模板.xlsx");
    let kinds: Vec<&Kind> = KindSet::builtin().kinds().collect();
    write_template(&path, &kinds, false).expect("it is written");
    let mut sheets = from_workbook(&path);
    for kind in kinds {
        let grid = sheets.remove(&super::style::sheet_name(kind.zh())).expect("every kind has its sheet");
        let located = located(&grid);
        let name = kind.name();
        assert_eq!((located.kind.name(), located.header_line), (name, 1));
        let skipped: Vec<_> = located.skipped.iter().map(|row| (row.line, row.reason)).collect();
        assert_eq!(skipped, [(2, SkipReason::Example)], "{name}");
        assert!(located.table.rows.is_empty() && located.faulty.is_empty() && located.notices.is_empty(), "{name}");
        let read = plan(kind, &located.table, &[], &|_| None);
        assert_eq!((read.errors.len(), read.creates.len()), (0, 0), "{name}");
        assert!(read.columns.ignored.is_empty() && read.columns.assumed_units.is_empty(), "{name}");
        assert!(grid.rows[1].cells.iter().any(|cell| cell.starts_with(EXAMPLE_PREFIX)), "{name}");
    }
    // The page that explains and the tables of codes are no records.
    assert_eq!(sheets.keys().collect::<Vec<_>>(), ["代码表", "说明"]);
    for (name, grid) in &sheets {
        assert!(matches!(find(grid), Err(LocateError::NoHeader { .. })), "{name}");
    }
}

#[test]
fn a_marked_copy_is_imported_when_it_is_corrected() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("错误.xlsx");
    let text = "某县台账,,\n项目编号,项目名称,计划投资（亿元）\nXM1,园区,若干\n0017,工厂,约37.84\n";
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let cells = reader.into_records().map(|record| record.expect("CSV").iter().map(str::to_owned).collect());
    let rows: Vec<GridRow> = cells.zip(1..).map(|(cells, line)| row(line, cells)).collect();
    let grid = Grid { sheet: "台账".into(), rows, merged: Vec::new() };
    let first = plan(kind("project"), &located(&grid).table, &[], &|_| None);
    let marks = first.errors.iter().map(|error| {
        let (reason_zh, reason_en) = (error.zh.clone(), error.en.clone());
        (error.line, Mark { columns: [error.column].into(), reason_zh, reason_en })
    });
    let marks: BTreeMap<usize, Mark> = marks.collect();
    let header_line = located(&grid).header_line;
    assert_eq!((header_line, marks.keys().copied().collect::<Vec<_>>()), (2, vec![3]));
    write_marked(&path, &[MarkedSheet { grid: &grid, header_line, marks: &marks }]).expect("it is written");

    let mut copy = from_workbook(&path).remove("台账").expect("the sheet is there");
    assert!(copy.rows[2].cells[3].contains("若干"));
    copy.rows[2].cells[2] = "379".into();
    let corrected = located(&copy);
    let second = plan(corrected.kind, &corrected.table, &[], &|_| None);
    assert_eq!((second.errors.len(), second.creates.len()), (0, 2));
    assert!(second.columns.ignored.len() == 1 && second.columns.ignored[0].ends_with(REASON_HEADER));
    assert_eq!(second.creates[1].external, "0017");
}
