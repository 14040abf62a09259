//! Putting a grid together within the limits.

use protocol::kind::sheet::{CellFault, Grid, GridRow, Merge};

use super::cell::Text;
use super::error::{Bound, WorkbookError};
use super::limits::{CELLS_MAX, COLUMNS_MAX, FAULTS_MAX, LINE_MAX, MERGES_MAX, ROWS_MAX, SHEET_BYTES_MAX};

/// A grid in the making. Cells come in the order of their lines.
#[derive(Debug)]
pub(super) struct Builder {
    grid: Grid,
    cells: usize,
    bytes: usize,
    faults: usize,
}

impl Builder {
    pub(super) fn new(sheet: &str) -> Self {
        Self { grid: Grid { sheet: sheet.to_owned(), ..Grid::default() }, cells: 0, bytes: 0, faults: 0 }
    }

    /// Puts a cell at its line and column, both from 1. A blank cell takes no room.
    pub(super) fn put(&mut self, line: usize, column: usize, text: Text) -> Result<(), WorkbookError> {
        let text = match text {
            Text::Plain(text) if text.trim().is_empty() => return Ok(()),
            text => text,
        };
        self.bound(Bound::Columns, column, COLUMNS_MAX)?;
        self.cells += 1;
        self.bound(Bound::Cells, self.cells, CELLS_MAX)?;
        let row = self.row(line)?;
        match text {
            Text::Plain(text) => {
                // Blank cells before this one take room too.
                let blank = column.saturating_sub(row.cells.len() + 1);
                if row.cells.len() < column {
                    row.cells.resize(column, String::new());
                }
                let length = text.len();
                row.cells[column - 1] = text;
                self.bytes += length + blank * size_of::<String>();
                self.bound(Bound::SheetBytes, self.bytes, SHEET_BYTES_MAX)
            }
            Text::Fault(fault) => self.fault(line, column, fault),
        }
    }

    fn fault(&mut self, line: usize, column: usize, fault: CellFault) -> Result<(), WorkbookError> {
        self.row(line)?.faults.insert(column, fault);
        self.faults += 1;
        self.bound(Bound::Faults, self.faults, FAULTS_MAX)
    }

    fn row(&mut self, line: usize) -> Result<&mut GridRow, WorkbookError> {
        let last = self.grid.rows.last().map_or(0, |row| row.line);
        if line < last || line > LINE_MAX {
            return Err(WorkbookError::Damaged { detail: format!("line {line} after line {last}") });
        }
        if line > last {
            self.bound(Bound::Rows, self.grid.rows.len() + 1, ROWS_MAX)?;
            self.grid.rows.push(GridRow { line, ..GridRow::default() });
        }
        let index = self.grid.rows.len() - 1;
        Ok(&mut self.grid.rows[index])
    }

    /// Adds a merged range; its ends come from 0.
    pub(super) fn merge(&mut self, start: (u32, u32), end: (u32, u32)) -> Result<(), WorkbookError> {
        self.bound(Bound::Merges, self.grid.merged.len() + 1, MERGES_MAX)?;
        let place = |number: u32| number as usize + 1;
        self.grid.merged.push(Merge {
            first_line: place(start.0),
            first_column: place(start.1),
            last_line: place(end.0),
            last_column: place(end.1),
        });
        Ok(())
    }

    pub(super) fn finish(mut self) -> Grid {
        self.grid.merged.sort_unstable();
        self.grid
    }

    fn bound(&self, what: Bound, found: usize, limit: usize) -> Result<(), WorkbookError> {
        if found <= limit {
            return Ok(());
        }
        Err(WorkbookError::TooLarge { what, limit: limit as u64, sheet: self.grid.sheet.clone() })
    }
}
