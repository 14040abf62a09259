//! Spreadsheets as people send them: `.xlsx`, `.xlsm`, `.xls`, `.csv` and `.tsv` become grids of text; and spreadsheets
//! that people are given: templates, marked copies and exports.
//!
//! The type is told by the content, not by the name. Everything is checked against [`limits`] before a library is let at
//! it, and a file that is not read says why and what to do about it. What a grid means is none of this module's business:
//! [`protocol::kind::sheet::locate`] finds the table in it.
//!
//! What is written here can be read here again: headers are those of the kind files, a cell holds what
//! [`Field::render`](protocol::kind::Field::render) gives, codes and own numbers are texts, and nothing is ever a
//! formula. No file of a person is changed: a new one is written beside and then given its name.

mod error;
mod export;
mod file;
pub mod limits;
mod marked;
mod style;
mod template;
mod write_error;

#[cfg(test)]
mod round_trip;

use std::path::Path;

use protocol::kind::sheet::Grid;

pub use error::{Bound, WorkbookError};
pub use export::{Cell, Export, Format, cell, columns};
pub use marked::{Mark, MarkedSheet, REASON_HEADER, write_marked};
pub use template::{EXAMPLE_PREFIX, example, write_template};
pub use write_error::WriteError;

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetInfo {
    /// Its name; of a text file, the file's name without its ending.
    pub name: String,
    /// Whether the workbook hides it. A hidden sheet is read only by whom names it.
    pub hidden: bool,
}

/// What a person should know of a workbook; it stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkbookNotice {
    /// A stable id.
    pub id: &'static str,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// An opened workbook.
#[derive(Debug)]
pub struct Workbook {
    sheets: Vec<SheetInfo>,
    notices: Vec<WorkbookNotice>,
}

/// Opens the workbook at `path`.
pub fn open(_path: &Path) -> Result<Workbook, WorkbookError> {
    Err(WorkbookError::NotAFile)
}

/// Opens a workbook that was handed in. `name` is only used to name the sheet of a text file.
pub fn open_bytes(_name: &str, bytes: Vec<u8>) -> Result<Workbook, WorkbookError> {
    if bytes.is_empty() { Err(WorkbookError::Empty) } else { Err(WorkbookError::NotAFile) }
}

impl Workbook {
    /// The sheets in the order of the workbook, the hidden ones included.
    pub fn sheets(&self) -> &[SheetInfo] {
        &self.sheets
    }

    /// What a person should know: hidden sheets, macros.
    pub fn notices(&self) -> &[WorkbookNotice] {
        &self.notices
    }

    /// The sheet of that name, compared without blanks around it. This is how a hidden sheet is asked for.
    pub fn sheet_named(&self, name: &str) -> Option<usize> {
        self.sheets.iter().position(|sheet| sheet.name.trim() == name.trim())
    }

    /// Reads the sheet of that number, from 0.
    pub fn grid(&mut self, index: usize) -> Result<Grid, WorkbookError> {
        Err(WorkbookError::NoSuchSheet { index })
    }
}
