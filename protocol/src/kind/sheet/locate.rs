//! Finding the table in a sheet.

use thiserror::Error;

use super::{CellError, Grid, NotRecognised, Row, Table};
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

/// Finds the table in `grid`. Where `kind` is given, only its header counts; else the kind of `set` that fits best.
pub fn locate<'k>(_set: &'k KindSet, _kind: Option<&'k Kind>, grid: Grid) -> Result<Located<'k>, LocateError> {
    Err(LocateError::Empty { sheet: grid.sheet })
}
