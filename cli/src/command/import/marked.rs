//! A copy of a sheet in which the wrong rows are marked, with the reasons in a column of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use protocol::kind::sheet::{Grid, column_letter};
use rust_xlsxwriter::{Color, Format, Workbook, XlsxError};

/// Longest text of a cell in a workbook.
const CELL_CHARACTERS_MAX: usize = 32_767;
const ROW: u32 = 0xFF_F2CC;
const CELL: u32 = 0xFF_9999;

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The columns, from 0; none when it is the row as a whole.
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
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(&sheet.grid.sheet)?;
        let text = Format::new().set_num_format("@");
        let row_format = text.clone().set_background_color(Color::RGB(ROW));
        let cell_format = text.clone().set_background_color(Color::RGB(CELL));
        let reasons = sheet.grid.rows.iter().map(|row| row.cells.len()).max().unwrap_or_default();
        for row in &sheet.grid.rows {
            let line = u32::try_from(row.line.saturating_sub(1)).unwrap_or(u32::MAX);
            let mark = sheet.marks.get(&row.line);
            for (index, cell) in row.cells.iter().enumerate() {
                let column = u16::try_from(index).unwrap_or(u16::MAX);
                let format = match mark {
                    None => &text,
                    Some(mark) if mark.columns.contains(&index) => &cell_format,
                    Some(_) => &row_format,
                };
                match cell.is_empty() && mark.is_none() {
                    true => {}
                    false => drop(worksheet.write_string_with_format(line, column, shortened(cell), format)?),
                }
            }
            let column = u16::try_from(reasons).unwrap_or(u16::MAX);
            if row.line == sheet.header_line {
                worksheet.write_string_with_format(line, column, "错误原因 Reason", &text)?;
            }
            if let Some(mark) = mark {
                let letters: Vec<String> = mark.columns.iter().map(|column| column_letter(column + 1)).collect();
                let place = if letters.is_empty() { String::new() } else { format!("[{}] ", letters.join(", ")) };
                let reason = format!("{place}{} {}", mark.reason_zh, mark.reason_en);
                worksheet.write_string_with_format(line, column, shortened(&reason), &row_format)?;
            }
        }
        worksheet.set_column_width(u16::try_from(reasons).unwrap_or(u16::MAX), 60)?;
    }
    workbook.save(path)
}

fn shortened(text: &str) -> String {
    text.chars().take(CELL_CHARACTERS_MAX).collect()
}
