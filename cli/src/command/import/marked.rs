//! A copy of a sheet in which the wrong rows are marked, with the reasons in a column of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use protocol::kind::sheet::Grid;
use rust_xlsxwriter::{Color, Format, Workbook, Worksheet, XlsxError};

/// Longest text of a cell in a workbook.
const CELL_CHARACTERS_MAX: usize = 32_767;
/// Header of the column with the reasons.
const REASON_HEADER: &str = "错误原因";
/// Width of that column.
const REASON_WIDTH: f64 = 60.0;
const ROW: u32 = 0xFF_F2CC;
const CELL: u32 = 0xFF_9999;

/// What is wrong with a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// The wrong cells, by their column from 1; none where the row as a whole is wrong.
    pub columns: BTreeSet<usize>,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
}

/// A sheet with wrong rows.
#[derive(Debug)]
pub struct MarkedSheet<'a> {
    /// The sheet as it was read.
    pub grid: &'a Grid,
    /// The line of its header.
    pub header_line: usize,
    /// What is wrong, by line.
    pub marks: &'a BTreeMap<usize, Mark>,
}

/// Writes the copy. Every cell is a text and stands where it stood, so that the copy is imported when it is corrected.
pub fn write_marked(path: &Path, sheets: &[MarkedSheet<'_>]) -> Result<(), XlsxError> {
    let mut workbook = Workbook::new();
    for sheet in sheets {
        write_sheet(workbook.add_worksheet(), sheet)?;
    }
    workbook.save(path)
}

fn write_sheet(worksheet: &mut Worksheet, sheet: &MarkedSheet<'_>) -> Result<(), XlsxError> {
    worksheet.set_name(&sheet.grid.sheet)?;
    let text = Format::new().set_num_format("@");
    let row_format = text.clone().set_background_color(Color::RGB(ROW));
    let cell_format = text.clone().set_background_color(Color::RGB(CELL));
    let columns = sheet.grid.rows.iter().map(|row| row.cells.len()).max().unwrap_or_default();
    let reasons = u16::try_from(columns).unwrap_or(u16::MAX);
    for row in &sheet.grid.rows {
        let line = u32::try_from(row.line.saturating_sub(1)).unwrap_or(u32::MAX);
        let mark = sheet.marks.get(&row.line);
        for (column, cell) in (1..=reasons).zip(&row.cells) {
            let format = match mark {
                None if cell.is_empty() => continue,
                None => &text,
                Some(mark) if mark.columns.contains(&usize::from(column)) => &cell_format,
                Some(_) => &row_format,
            };
            worksheet.write_string_with_format(line, column - 1, shortened(cell), format)?;
        }
        if let Some(mark) = mark {
            let header = if row.line == sheet.header_line { REASON_HEADER } else { "" };
            let reason = format!("{header} {} {}", mark.reason_zh, mark.reason_en).trim_start().to_owned();
            worksheet.write_string_with_format(line, reasons, shortened(&reason), &row_format)?;
        } else if row.line == sheet.header_line {
            worksheet.write_string_with_format(line, reasons, REASON_HEADER, &text)?;
        }
    }
    worksheet.set_column_width(reasons, REASON_WIDTH).map(drop)
}

fn shortened(text: &str) -> String {
    text.chars().take(CELL_CHARACTERS_MAX).collect()
}
