//! Finding the table in a sheet: its header, its records, and what is neither.
//!
//! Sheets of officials begin with a title and a reporting unit, group their headers, merge cells, and end with totals,
//! notes and signatures. A row that is skipped is always named with its reason, since somebody may disagree.

use thiserror::Error;

use super::body::{Rows, filled, take};
use super::header::{self, Header, Names};
use super::{CellError, Grid, GridRow, NotRecognised, Row, Table, column_letter, words};
use crate::kind::text::is_blank;
use crate::kind::{Kind, KindSet};

/// The table that a sheet holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<'k> {
    /// What its rows are.
    pub kind: &'k Kind,
    /// The name of the sheet.
    pub sheet: String,
    /// The line of its header; of a header of several lines, the last.
    pub header_line: usize,
    /// Its header and the rows that can be read. Column `i` of the table is column `i` of the file.
    pub table: Table,
    /// Rows with cells that could not be read. They are not in the table, since a blank cell would clear a field.
    pub faulty: Vec<FaultyRow>,
    /// Rows that are no records, in the order of their lines.
    pub skipped: Vec<SkippedRow>,
    /// What a person should know of the header.
    pub notices: Vec<SheetNotice>,
}

/// A row with cells that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultyRow {
    /// The row, with such cells empty.
    pub row: Row,
    /// One per such cell.
    pub errors: Vec<CellError>,
}

/// A row that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRow {
    /// Its line.
    pub line: usize,
    /// Why it was skipped.
    pub reason: SkipReason,
    /// Its first filled cell.
    pub text: String,
}

/// Why a row is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// A title above the header.
    Title,
    /// Who reports, and when.
    ReportingUnit,
    /// The units of the figures.
    Unit,
    /// A line of the header above its last.
    GroupHeader,
    /// The numbers of the columns.
    ColumnNumbers,
    /// A sum of other rows.
    Total,
    /// A note.
    Note,
    /// Who filled the sheet in.
    Signature,
    /// The example of the template.
    Example,
    /// The header once more.
    RepeatedHeader,
    /// Nothing that the kind knows is filled in, only a running number for instance.
    Unfilled,
}

impl SkipReason {
    /// In Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Title => "标题行",
            Self::ReportingUnit => "填报单位行",
            Self::Unit => "单位行",
            Self::GroupHeader => "分组表头",
            Self::ColumnNumbers => "栏次行",
            Self::Total => "合计行",
            Self::Note => "注释行",
            Self::Signature => "填表人行",
            Self::Example => "示例行",
            Self::RepeatedHeader => "重复的表头",
            Self::Unfilled => "没有填写",
        }
    }

    /// In English.
    pub fn en(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::ReportingUnit => "reporting unit",
            Self::Unit => "units",
            Self::GroupHeader => "group header",
            Self::ColumnNumbers => "column numbers",
            Self::Total => "total",
            Self::Note => "note",
            Self::Signature => "signature",
            Self::Example => "example",
            Self::RepeatedHeader => "repeated header",
            Self::Unfilled => "not filled in",
        }
    }
}

/// What a person should know of a header; it stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetNotice {
    /// The line it is about.
    pub line: usize,
    /// The column it is about, from 1.
    pub column: usize,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// Why no table was found in a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LocateError {
    /// Nothing stands in the sheet.
    #[error("工作表“{sheet}”是空的；请填写后再导入。The sheet `{sheet}` is empty; please fill it in")]
    Empty {
        /// The sheet.
        sheet: String,
    },
    /// No row is a header.
    #[error("工作表“{sheet}”里没有找到表头。{source} (sheet `{sheet}`)")]
    NoHeader {
        /// The sheet.
        sheet: String,
        /// What the row that comes nearest lacks.
        source: NotRecognised,
    },
    /// Two rows could be the header.
    #[error(
        "工作表“{sheet}”的第 {first} 行和第 {second} 行都像表头，说法不一；请只留一行。\
         Lines {first} and {second} of the sheet `{sheet}` both look like the header and differ; please keep one"
    )]
    TwoHeaders {
        /// The sheet.
        sheet: String,
        /// The line of the one.
        first: usize,
        /// The line of the other.
        second: usize,
    },
    /// Two tables stand in one sheet.
    #[error(
        "工作表“{sheet}”里有两张表，第二张从第 {second} 行（{column} 列）开始；请分成两个工作表。\
         The sheet `{sheet}` holds two tables, the second begins on line {second} (column {column}); \
         please split them into two sheets"
    )]
    TwoTables {
        /// The sheet.
        sheet: String,
        /// The line where the second one begins.
        second: usize,
        /// The letter of the column where the second one begins.
        column: String,
    },
}

impl LocateError {
    /// A stable id.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "sheet-empty",
            Self::NoHeader { .. } => "header-missing",
            Self::TwoHeaders { .. } => "header-twice",
            Self::TwoTables { .. } => "tables-two",
        }
    }
}

/// Rows in which a merged cell is repeated, over all merged cells of a sheet.
const FILLED_CELLS_MAX: usize = 10_000_000;

/// Finds the table in `grid`. Where `kind` is given, only its header counts; else the kind of `set` that fits best.
pub fn locate<'k>(set: &'k KindSet, kind: Option<&'k Kind>, mut grid: Grid) -> Result<Located<'k>, LocateError> {
    if grid.rows.is_empty() {
        return Err(LocateError::Empty { sheet: grid.sheet });
    }
    let kinds: Vec<&Kind> = kind.map_or_else(|| set.kinds().collect(), |kind| vec![kind]);
    let mut header = header::find(&kinds, &grid, kind.is_some()).map_err(|nearest| no_header(set, &grid, nearest))?;
    check_beside(&header, &grid)?;
    check_above(set, &header, &grid)?;
    let mut body = header.end();
    let mut skipped = above_header(&grid, &header);
    if grid.rows.get(body).is_some_and(|row| header.take_units(&row.cells)) {
        skipped.push(skip(&grid.rows[body], SkipReason::Unit));
        body += 1;
    }
    for row in &grid.rows[..header.first] {
        header.take_sheet_units(&row.cells);
    }
    fill_down(&mut grid, body);
    let others: Vec<&Kind> = set.kinds().collect();
    let rows = Rows::new(&header, &others, &grid);
    let mut reasons = Vec::with_capacity(grid.rows.len().saturating_sub(body));
    for index in body..grid.rows.len() {
        let after_note = matches!(reasons.last(), Some(Some(SkipReason::Note)));
        reasons.push(rows.reason(index, index == body, after_note)?);
    }
    let header_line = grid.rows[header.end() - 1].line;
    let (mut table, mut faulty) = (Vec::new(), Vec::new());
    // The cells move into the table: a large sheet is held once.
    for (row, reason) in grid.rows.into_iter().skip(body).zip(reasons) {
        if let Some(reason) = reason {
            skipped.push(skip(&row, reason));
            continue;
        }
        let (row, errors) = take(&header, row);
        match errors.is_empty() {
            true => table.push(row),
            false => faulty.push(FaultyRow { row, errors }),
        }
    }
    let notices = unheaded(&header, &table);
    let Header { kind, texts, .. } = header;
    let table = Table { headers: texts, rows: table };
    Ok(Located { kind, sheet: grid.sheet, header_line, table, faulty, skipped, notices })
}

fn no_header(set: &KindSet, grid: &Grid, nearest: Option<Header<'_>>) -> LocateError {
    let texts = nearest.map(|header| header.texts).unwrap_or_default();
    let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    let source = set.recognise(&texts).err().unwrap_or_else(|| NotRecognised {
        unknown: texts,
        tried_zh: set.kinds().map(|kind| kind.zh().to_owned()).collect(),
        tried_en: set.kinds().map(|kind| kind.en().to_owned()).collect(),
    });
    LocateError::NoHeader { sheet: grid.sheet.clone(), source }
}

/// Two tables side by side have their title and own number twice.
fn check_beside(header: &Header<'_>, grid: &Grid) -> Result<(), LocateError> {
    let places = |number: u16| {
        header.fields.iter().enumerate().filter(move |(_, field)| **field == Some(number)).map(|(index, _)| index + 1)
    };
    let second = places(header.kind.external_field().number).nth(1);
    match (second, places(header.kind.title_field().number).nth(1)) {
        (Some(external), Some(title)) => Err(LocateError::TwoTables {
            sheet: grid.sheet.clone(),
            second: grid.rows[header.end() - 1].line,
            column: column_letter(external.min(title)),
        }),
        _ => Ok(()),
    }
}

/// A header above the one that was found begins a table of its own, and nothing of it may get lost.
fn check_above(set: &KindSet, header: &Header<'_>, grid: &Grid) -> Result<(), LocateError> {
    let titles = Names::of_titles(&set.kinds().collect::<Vec<_>>());
    let above = (0..header.first).rev().filter_map(|index| header::at(&titles, grid, index));
    let Some(other) = above.into_iter().find(|other| other.fields != header.fields) else { return Ok(()) };
    let sheet = grid.sheet.clone();
    let (first, second) = (grid.rows[other.first].line, grid.rows[header.first].line);
    if other.end() == header.first {
        return Err(LocateError::TwoHeaders { sheet, first, second });
    }
    let column = header.texts.iter().position(|text| !text.is_empty()).unwrap_or_default() + 1;
    Err(LocateError::TwoTables { sheet, second, column: column_letter(column) })
}

fn above_header(grid: &Grid, header: &Header<'_>) -> Vec<SkippedRow> {
    let above = grid.rows[..header.first].iter().map(|row| skip(row, words::above(&filled(row))));
    let groups = grid.rows[header.first..header.end() - 1].iter().map(|row| skip(row, SkipReason::GroupHeader));
    above.chain(groups).collect()
}

fn skip(row: &GridRow, reason: SkipReason) -> SkippedRow {
    let text = filled(row).first().map(|text| text.trim().to_owned()).unwrap_or_default();
    SkippedRow { line: row.line, reason, text }
}

/// Repeats the text of a cell that is merged over several lines in each of them. Of a cell merged over several columns
/// only the first column gets it.
fn fill_down(grid: &mut Grid, body: usize) {
    let Some(body_line) = grid.rows.get(body).map(|row| row.line) else { return };
    let mut left = FILLED_CELLS_MAX;
    for merge in grid.merged.iter().filter(|merge| merge.last_line > merge.first_line && merge.first_line >= body_line)
    {
        let Ok(top) = grid.rows.binary_search_by_key(&merge.first_line, |row| row.line) else { continue };
        let Some(column) = merge.first_column.checked_sub(1) else { continue };
        let text = grid.rows[top].cells.get(column).cloned().unwrap_or_default();
        let fault = grid.rows[top].faults.get(&merge.first_column).cloned();
        if text.is_empty() && fault.is_none() {
            continue;
        }
        for row in grid.rows[top + 1..].iter_mut().take_while(|row| row.line <= merge.last_line) {
            if left == 0 {
                return;
            }
            left -= 1;
            if row.cells.len() <= column {
                row.cells.resize(column + 1, String::new());
            }
            if row.cells[column].is_empty() {
                row.cells[column].clone_from(&text);
                row.faults.extend(fault.clone().map(|fault| (merge.first_column, fault)));
            }
        }
    }
}

/// Columns without a header in which something stands.
fn unheaded(header: &Header<'_>, rows: &[Row]) -> Vec<SheetNotice> {
    let blank = header.texts.iter().enumerate().filter(|(_, text)| text.is_empty()).map(|(index, _)| index);
    let first = |index: usize| rows.iter().find(|row| !is_blank(&row.cells[index])).map(|row| (index, row.line));
    let notices = blank.filter_map(first).map(|(index, line)| {
        let letter = column_letter(index + 1);
        let zh = format!("{letter} 列没有表头，内容不会发布；要发布请补上表头。");
        let en = format!("column {letter} has no header and is not published; please give it one if it should be");
        SheetNotice { line, column: index + 1, zh, en }
    });
    notices.collect()
}
