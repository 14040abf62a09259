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

mod builder;
mod cell;
mod detect;
mod error;
mod export;
mod file;
pub mod limits;
mod marked;
mod package;
#[cfg(test)]
mod round_trip;
mod style;
mod template;
mod text;
mod write_error;
mod xls;
mod xlsx;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use protocol::kind::sheet::Grid;

use detect::Content;
pub use error::{Bound, WorkbookError};
pub use export::{Cell, Export, Format, cell, columns};
use limits::{FILE_BYTES_MAX, SHEETS_MAX};
pub use marked::{Mark, MarkedSheet, REASON_HEADER, write_marked};
use package::Package;
pub use template::{EXAMPLE_PREFIX, example, write_template};
pub use write_error::WriteError;
use xls::XlsBook;
use xlsx::XlsxBook;

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
pub struct Workbook {
    book: Book,
    sheets: Vec<SheetInfo>,
    notices: Vec<WorkbookNotice>,
}

enum Book {
    Xlsx(Box<XlsxBook>),
    Xls(Box<XlsBook>),
    /// The text, decoded.
    Text(String),
}

/// Opens the workbook at `path`.
pub fn open(path: &Path) -> Result<Workbook, WorkbookError> {
    let file = File::open(path).map_err(WorkbookError::Unreadable)?;
    let metadata = file.metadata().map_err(WorkbookError::Unreadable)?;
    if !metadata.is_file() {
        return Err(WorkbookError::NotAFile);
    }
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(WorkbookError::Unreadable)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    open_bytes(&name, bytes)
}

/// Opens a workbook that was handed in. `name` is only used to name the sheet of a text file.
pub fn open_bytes(name: &str, bytes: Vec<u8>) -> Result<Workbook, WorkbookError> {
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(WorkbookError::TooLarge { what: Bound::FileBytes, limit: FILE_BYTES_MAX, sheet: String::new() });
    }
    let mut notices = Vec::new();
    let (book, sheets) = match detect::content(&bytes)? {
        Content::Package => {
            let package = contained(|| package::scan(&bytes))?;
            check_package(&package)?;
            if package.has("xl/vbaProject.bin") {
                notices.push(macros());
            }
            let (book, sheets) = XlsxBook::open(Arc::from(bytes), &package)?;
            (Book::Xlsx(Box::new(book)), sheets)
        }
        Content::Compound => {
            let opened = XlsBook::open(Arc::from(bytes))?;
            notices.extend(opened.has_macros.then(macros));
            (Book::Xls(Box::new(opened.book)), opened.sheets)
        }
        Content::Text => {
            let sheet = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            (Book::Text(text::decode(&bytes)?), vec![SheetInfo { name: sheet.to_owned(), hidden: false }])
        }
    };
    check_sheets(&sheets)?;
    notices.extend(sheets.iter().filter(|sheet| sheet.hidden).map(hidden));
    Ok(Workbook { book, sheets, notices })
}

/// Tells the packages that are workbooks of the form that is read.
fn check_package(package: &Package) -> Result<(), WorkbookError> {
    let foreign = |zh, en| Err(WorkbookError::Foreign { zh, en });
    if package.has("xl/workbook.bin") {
        Err(WorkbookError::Form { form: ".xlsb" })
    } else if package.has("mimetype") && package.has("content.xml") {
        Err(WorkbookError::Form { form: ".ods" })
    } else if package.has_under("xl/") {
        Ok(())
    } else if package.has_under("word/") {
        foreign("Word 文档", "a Word document")
    } else if package.has_under("ppt/") {
        foreign("演示文稿", "a presentation")
    } else if package.has("OFD.xml") {
        foreign("OFD 版式文件", "an OFD document")
    } else {
        foreign("压缩包（ZIP）", "an archive (ZIP)")
    }
}

fn check_sheets(sheets: &[SheetInfo]) -> Result<(), WorkbookError> {
    if sheets.len() > SHEETS_MAX {
        return Err(WorkbookError::TooLarge { what: Bound::Sheets, limit: SHEETS_MAX as u64, sheet: String::new() });
    }
    if sheets.is_empty() {
        return Err(WorkbookError::Empty);
    }
    let names: BTreeSet<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    if names.len() < sheets.len() {
        return Err(WorkbookError::Damaged { detail: "two sheets of one name".to_owned() });
    }
    Ok(())
}

fn macros() -> WorkbookNotice {
    WorkbookNotice {
        id: "macros-ignored",
        zh: "文件带有宏；宏不会运行，只读取数据。".to_owned(),
        en: "the file holds macros; they are not run, only the data is read".to_owned(),
    }
}

fn hidden(sheet: &SheetInfo) -> WorkbookNotice {
    let name = &sheet.name;
    WorkbookNotice {
        id: "sheet-hidden",
        zh: format!("工作表“{name}”是隐藏的，没有读取；要读取请指明它的名称，或在表格软件里取消隐藏。"),
        en: format!("the sheet `{name}` is hidden and is left out; to read it, name it or unhide it"),
    }
}

/// Runs a library over a stranger's file. Where it panics, the file is damaged and the node lives on.
fn contained<T>(read: impl FnOnce() -> Result<T, WorkbookError>) -> Result<T, WorkbookError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(WorkbookError::Damaged { detail: "the reader gave up".to_owned() }))
}

impl Workbook {
    /// The sheets in the order of the workbook, the hidden ones included. Charts are no sheets.
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
        match &mut self.book {
            Book::Xlsx(book) => book.grid(index),
            Book::Xls(book) => book.grid(index),
            Book::Text(text) => {
                let sheet = self.sheets.get(index).ok_or(WorkbookError::NoSuchSheet { index })?;
                text::grid(&sheet.name, text)
            }
        }
    }
}
