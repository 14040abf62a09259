//! `.xlsx` and `.xlsm`: a package of XML, read as a stream.
//!
//! A sheet is parsed once for its values, once more for its formulas where the workbook has any, and once for merged
//! cells where it has any; none of these holds more than one cell. What stays in memory are the shared strings and the
//! grid itself.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::Arc;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use protocol::kind::sheet::Grid;

use super::builder::Builder;
use super::cell::{self, Text, is_percent};
use super::error::{Bound, WorkbookError};
use super::limits::UNCACHED_FORMULAS_MAX;
use super::package::Package;
use super::{SheetInfo, contained};

/// The bytes of a workbook, shared by whom reads them.
pub(super) type Bytes = Cursor<Arc<[u8]>>;

/// An opened workbook.
pub(super) struct XlsxBook {
    reader: Xlsx<Bytes>,
    names: Vec<String>,
    has_formulas: bool,
    has_merges: bool,
}

impl XlsxBook {
    pub(super) fn open(bytes: Arc<[u8]>, package: &Package) -> Result<(Self, Vec<SheetInfo>), WorkbookError> {
        let reader = contained(|| Xlsx::new(Cursor::new(bytes)).map_err(error))?;
        let sheets = reader.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let sheets: Vec<SheetInfo> = sheets
            .map(|sheet| SheetInfo { name: sheet.name.clone(), hidden: sheet.visible != SheetVisible::Visible })
            .collect();
        let names = sheets.iter().map(|sheet| sheet.name.clone()).collect();
        let book = Self { reader, names, has_formulas: package.has_formulas, has_merges: package.has_merges };
        Ok((book, sheets))
    }

    pub(super) fn grid(&mut self, index: usize) -> Result<Grid, WorkbookError> {
        let name = self.names.get(index).ok_or(WorkbookError::NoSuchSheet { index })?.clone();
        contained(|| self.read(&name))
    }

    fn read(&mut self, name: &str) -> Result<Grid, WorkbookError> {
        let uncached = if self.has_formulas { self.uncached(name)? } else { BTreeSet::new() };
        let mut builder = Builder::new(name);
        let mut cells = self.reader.worksheet_cells_reader(name).map_err(error)?;
        let percents: Vec<bool> = cells
            .styles()
            .iter()
            .map(|style| style.number_format.as_ref().is_some_and(|format| is_percent(&format.format_code)))
            .collect();
        while let Some((found, style)) = cells.next_cell_with_style_id().map_err(error)? {
            let place = found.get_position();
            let (line, column) = (place.0 as usize + 1, place.1 as usize + 1);
            let text = if uncached.contains(&place) {
                Text::Fault(cell::uncached(line, column))
            } else {
                cell::read(found.get_value(), percents.get(style).copied().unwrap_or_default())
            };
            builder.put(line, column, text)?;
        }
        drop(cells);
        if self.has_merges {
            for range in self.reader.merge_cells_by_sheet_name(name).map_err(error)? {
                builder.merge(range.start, range.end)?;
            }
        }
        Ok(builder.finish())
    }

    /// The formulas whose results are not stored.
    fn uncached(&mut self, name: &str) -> Result<BTreeSet<(u32, u32)>, WorkbookError> {
        let mut found = BTreeSet::new();
        let mut cells = self.reader.worksheet_cells_reader(name).map_err(error)?;
        while let Some(record) = cells.next_cell_with_formula_metadata().map_err(error)? {
            if record.formula.is_none() || record.value != DataRef::Empty {
                continue;
            }
            found.insert(record.pos);
            if found.len() > UNCACHED_FORMULAS_MAX {
                let limit = UNCACHED_FORMULAS_MAX as u64;
                return Err(WorkbookError::TooLarge { what: Bound::Faults, limit, sheet: name.to_owned() });
            }
        }
        Ok(found)
    }
}

fn error(error: XlsxError) -> WorkbookError {
    match error {
        XlsxError::Password => WorkbookError::Encrypted,
        error => WorkbookError::Damaged { detail: error.to_string() },
    }
}
