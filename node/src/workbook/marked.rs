//! A copy of a person's sheet in which what is wrong can be seen: wrong cells red, their rows yellow, and the reason in
//! a last column.
//!
//! Every cell stands on the line and in the column where it stood, as text, so that the copy can be corrected and
//! imported in place of the original. The original is never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use protocol::kind::sheet::{Grid, GridRow};
use rust_xlsxwriter::{Format, IgnoreError, Workbook, Worksheet};

use super::file::Beside;
use super::style::{self, CELL_CHARACTERS_MAX, SHEET_ROWS_MAX};
use super::{WorkbookError, WriteError};

/// Header of the column with the reasons; importers pass over it.
pub const REASON_HEADER: &str = "错误原因";
/// Width of that column.
const REASON_WIDTH: f64 = 60.0;
/// Rows by which the widths of the other columns are found.
const WIDTH_ROWS: usize = 50;

/// What is wrong with a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// The wrong cells, by their column from 1; none where the row as a whole is wrong.
    pub columns: BTreeSet<usize>,
    /// What is wrong and the way out, in Chinese.
    pub reason_zh: String,
    /// What is wrong and the way out, in English.
    pub reason_en: String,
}

/// A sheet and what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct MarkedSheet<'a> {
    /// The sheet as it was read.
    pub grid: &'a Grid,
    /// The line of its header.
    pub header_line: usize,
    /// What is wrong, by line.
    pub marks: &'a BTreeMap<usize, Mark>,
}

/// Writes a workbook with a marked copy of each sheet. A file of that name is overwritten: the caller asks before.
pub fn write_marked(path: &Path, sheets: &[MarkedSheet<'_>]) -> Result<(), WorkbookError> {
    let (beside, file) = Beside::create(path)?;
    let mut workbook = Workbook::new();
    let formats = Formats::new();
    let mut names = BTreeSet::new();
    for marked in sheets {
        let sheet = workbook.add_worksheet();
        let name = unused_name(&marked.grid.sheet, &mut names);
        sheet.set_name(name).map_err(WriteError::from)?;
        write_sheet(sheet, marked, &formats)?;
    }
    workbook.save_to_writer(&file).map_err(WriteError::from)?;
    Ok(beside.place(&file, true)?)
}

struct Formats {
    text: Format,
    header: Format,
    marked: Format,
    wrong: Format,
    reason: Format,
}

impl Formats {
    fn new() -> Self {
        Self {
            text: style::text(),
            header: style::header(style::Header::Plain),
            marked: style::marked(),
            wrong: style::wrong(),
            reason: style::reason(),
        }
    }
}

/// A name that a workbook takes and that no sheet before has: names that differ only in case are the same.
fn unused_name(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let first = style::sheet_name(if wanted.trim().is_empty() { "Sheet" } else { wanted });
    let numbered = (2usize..).map(|number| style::sheet_name_numbered(&first, number));
    let found = std::iter::once(first.clone()).chain(numbered).find(|name| !taken.contains(&name.to_lowercase()));
    let name = found.unwrap_or_default();
    taken.insert(name.to_lowercase());
    name
}

fn write_sheet(sheet: &mut Worksheet, marked: &MarkedSheet<'_>, formats: &Formats) -> Result<(), WriteError> {
    let reasons = reasons_column(marked);
    set_widths(sheet, marked, reasons)?;
    let frozen = row_index(marked.header_line).map_or(0, |row| row + 1);
    sheet.set_freeze_panes(frozen, 0)?;
    merge(sheet, marked, formats);
    let mut written = BTreeSet::new();
    for row in &marked.grid.rows {
        write_row(sheet, row, marked, reasons, formats)?;
        written.insert(row.line);
    }
    // What is wrong with a line that holds nothing, or with the sheet, is said all the same.
    for (line, mark) in marked.marks.iter().filter(|(line, _)| !written.contains(line)) {
        let line = if *line == 0 { marked.header_line } else { *line };
        if let (Some(row), false) = (row_index(line), written.contains(&line)) {
            write_text(sheet, row, reasons, &reason(mark), &formats.reason)?;
        }
    }
    Ok(())
}

fn write_row(
    sheet: &mut Worksheet,
    row: &GridRow,
    marked: &MarkedSheet<'_>,
    reasons: usize,
    formats: &Formats,
) -> Result<(), WriteError> {
    let Some(index) = row_index(row.line) else {
        return Err(WriteError::TooManyRows { sheet: marked.grid.sheet.clone() });
    };
    let is_header = row.line == marked.header_line;
    let mark = marked.marks.get(&row.line).or_else(|| marked.marks.get(&0).filter(|_| is_header));
    let last = mark.and_then(|mark| mark.columns.last().copied()).unwrap_or_default();
    // A reason of an earlier import gives way to the new one.
    for column in (0..row.cells.len().max(last)).filter(|column| *column != reasons) {
        let fault = row.faults.get(&(column + 1)).map(|fault| fault.value.as_str());
        let text = fault.or_else(|| row.cells.get(column).map(String::as_str)).unwrap_or_default();
        let is_wrong = mark.is_some_and(|mark| mark.columns.contains(&(column + 1)));
        let format = match (is_wrong, mark.is_some(), is_header) {
            (true, ..) => &formats.wrong,
            (false, _, true) => &formats.header,
            (false, true, false) => &formats.marked,
            (false, false, false) => &formats.text,
        };
        write_text(sheet, index, column, text, format)?;
    }
    match (is_header, mark) {
        (false, None) => Ok(()),
        (false, Some(mark)) => write_text(sheet, index, reasons, &reason(mark), &formats.reason),
        // Importers know the column by its header, so what is wrong with the header itself becomes a note on it.
        (true, mark) => {
            if let Some(mark) = mark {
                sheet.insert_note(index, column_index(reasons), &style::note(&reason(mark)))?;
            }
            write_text(sheet, index, reasons, REASON_HEADER, &formats.header)
        }
    }
}

/// Where the reasons go: behind everything else, or where those of an earlier import stand.
fn reasons_column(marked: &MarkedSheet<'_>) -> usize {
    let header = marked.grid.rows.iter().find(|row| row.line == marked.header_line);
    let old = header.and_then(|row| row.cells.iter().position(|cell| cell.trim() == REASON_HEADER));
    let filled = |row: &GridRow| row.cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
    let cells = marked.grid.rows.iter().map(filled).max().unwrap_or_default();
    let faults = marked.grid.rows.iter().filter_map(|row| row.faults.keys().last().copied()).max().unwrap_or_default();
    let wrong = marked.marks.values().filter_map(|mark| mark.columns.last().copied()).max().unwrap_or_default();
    old.unwrap_or_else(|| cells.max(faults).max(wrong))
}

/// Merges what the original merges, since a header of several lines is understood by it. Ranges that overlap, which no
/// workbook may have, are left apart.
fn merge(sheet: &mut Worksheet, marked: &MarkedSheet<'_>, formats: &Formats) {
    for merge in &marked.grid.merged {
        let rows = row_index(merge.first_line).zip(row_index(merge.last_line));
        let columns = merge.first_column.checked_sub(1).zip(merge.last_column.checked_sub(1));
        if let (Some((top, bottom)), Some((left, right))) = (rows, columns) {
            drop(sheet.merge_range(top, column_index(left), bottom, column_index(right), "", &formats.text));
        }
    }
}

fn set_widths(sheet: &mut Worksheet, marked: &MarkedSheet<'_>, reasons: usize) -> Result<(), WriteError> {
    for column in 0..reasons {
        let texts = marked.grid.rows.iter().take(WIDTH_ROWS).filter_map(|row| row.cells.get(column));
        let widest = texts.max_by_key(|text| style::characters(text)).map(String::as_str).unwrap_or_default();
        sheet.set_column_width(column_index(column), style::width(widest))?;
        // A cell that is typed anew stays as it is typed.
        sheet.set_column_format(column_index(column), &style::text())?;
    }
    sheet.set_column_width(column_index(reasons), REASON_WIDTH)?;
    sheet.ignore_error_range(0, 0, SHEET_ROWS_MAX - 1, column_index(reasons), IgnoreError::NumberStoredAsText)?;
    Ok(())
}

fn reason(mark: &Mark) -> String {
    [mark.reason_zh.as_str(), mark.reason_en.as_str()]
        .iter()
        .filter(|text| !text.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join("\n")
}

fn write_text(sheet: &mut Worksheet, row: u32, column: usize, text: &str, format: &Format) -> Result<(), WriteError> {
    let characters = text.encode_utf16().count();
    if characters > CELL_CHARACTERS_MAX {
        let header = protocol::kind::sheet::column_letter(column + 1);
        return Err(WriteError::CellTooLong { header, characters });
    }
    match text.is_empty() {
        true => sheet.write_blank(row, column_index(column), format)?,
        false => sheet.write_string_with_format(row, column_index(column), text, format)?,
    };
    Ok(())
}

fn row_index(line: usize) -> Option<u32> {
    u32::try_from(line).ok()?.checked_sub(1).filter(|row| *row < SHEET_ROWS_MAX)
}

/// A column that no workbook has is refused by the writer.
fn column_index(column: usize) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use protocol::kind::sheet::{CellFault, Merge};

    use super::*;

    fn row(line: usize, cells: &[&str]) -> GridRow {
        GridRow { line, cells: cells.iter().map(|cell| (*cell).to_owned()).collect(), faults: BTreeMap::new() }
    }

    fn mark(columns: &[usize], reason: &str) -> Mark {
        Mark { columns: columns.iter().copied().collect(), reason_zh: reason.to_owned(), reason_en: String::new() }
    }

    /// The rows of the first sheet by line; cells are texts or nothing.
    fn read(path: &Path) -> BTreeMap<usize, Vec<String>> {
        use calamine::{Data, Reader};
        let mut book = calamine::open_workbook_auto(path).expect("it is a workbook");
        let (_, range) = book.worksheets().into_iter().next().expect("it has a sheet");
        let text = |cell: &Data| match cell {
            Data::Empty => String::new(),
            Data::String(text) => text.clone(),
            other => panic!("not a text: {other:?}"),
        };
        assert_eq!(range.start(), Some((0, 0)));
        range.rows().enumerate().map(|(index, cells)| (index + 1, cells.iter().map(text).collect())).collect()
    }

    #[test]
    fn cells_stay_where_they_were_and_the_reason_stands_behind_them() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("错误.xlsx");
        let mut faulty = row(5, &["XM002", "", "0153"]);
        let (zh, en) = (String::new(), String::new());
        faulty.faults.insert(2, CellFault { value: "#REF!".into(), zh, en });
        let grid = Grid {
            sheet: "项目[1]".into(),
            rows: vec![
                row(1, &["某县项目表"]),
                row(2, &["项目编号", "名称", "行业代码"]),
                row(4, &["001", "=1+1", "999"]),
                faulty,
            ],
            merged: vec![Merge { first_line: 1, first_column: 1, last_line: 1, last_column: 3 }],
        };
        let marks = BTreeMap::from([(4, mark(&[3], "没有这个代码")), (5, mark(&[2], "读不出"))]);
        let marked = MarkedSheet { grid: &grid, header_line: 2, marks: &marks };
        write_marked(&path, &[marked, marked]).expect("it is written");
        let rows = read(&path);
        assert_eq!(rows[&1][0], "某县项目表");
        assert_eq!(rows[&2], ["项目编号", "名称", "行业代码", REASON_HEADER]);
        assert_eq!(rows[&4], ["001", "=1+1", "999", "没有这个代码"]);
        assert_eq!(rows[&5], ["XM002", "#REF!", "0153", "读不出"]);
    }

    #[test]
    fn the_reasons_of_an_earlier_import_give_way() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("错误.xlsx");
        let grid = Grid {
            sheet: "项目".into(),
            rows: vec![row(1, &["编号", "名称", REASON_HEADER]), row(2, &["1", "甲", "旧"]), row(3, &["2", "", "旧"])],
            merged: Vec::new(),
        };
        let marks = BTreeMap::from([(0, mark(&[2], "表头有误")), (3, mark(&[2], "必填"))]);
        write_marked(&path, &[MarkedSheet { grid: &grid, header_line: 1, marks: &marks }]).expect("it is written");
        let rows = read(&path);
        assert_eq!(rows[&1], ["编号", "名称", REASON_HEADER]);
        assert_eq!((rows[&2][2].as_str(), rows[&3][2].as_str()), ("", "必填"));
    }

    #[test]
    fn no_two_sheets_have_one_name() {
        let mut taken = BTreeSet::new();
        let names = ["Sheet", "sheet", "", "Sheet"].map(|name| unused_name(name, &mut taken));
        assert_eq!(names, ["Sheet", "sheet 2", "Sheet 3", "Sheet 4"].map(str::to_owned));
    }
}
