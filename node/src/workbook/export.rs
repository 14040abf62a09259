//! Writing records to a workbook or a CSV file, one row after the other: what was written is not kept in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use protocol::kind::sheet::guard;
use protocol::kind::{Field, FieldType, Kind};
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::file::{Beside, directory};
use super::{WriteError, style};

/// The mark by which spreadsheet programs know UTF-8.
const BOM: &[u8] = "\u{feff}".as_bytes();
/// Digits that a number in a workbook keeps exactly.
const NUMBER_DIGITS_MAX: usize = 15;
/// Header of the column that says whether a record was withdrawn; it names no field, so importers pass over it.
const WITHDRAWN_HEADER: &str = "已撤回";

/// What a file of records is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A workbook with one sheet per kind.
    Xlsx,
    /// UTF-8 with its mark, one kind only.
    Csv,
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Text, never a formula.
    Text(String),
    /// A plain number, with which a spreadsheet program can calculate.
    Number(String),
}

/// The cell of a value, given as [`Field::render`] gives it. A figure without words in the unit of the column becomes a
/// number, if reading the number gives the same value again; everything else is text.
pub fn cell(field: &Field, text: &str) -> Cell {
    let bare = field.unit().and_then(|unit| text.strip_suffix(unit)).unwrap_or(text);
    let same = || field.parse(bare).is_ok_and(|value| value.is_some() && Ok(value) == field.parse(text));
    match is_figure(field) && is_plain(bare) && same() {
        true => Cell::Number(bare.to_owned()),
        false => Cell::Text(text.to_owned()),
    }
}

/// Whether a field holds one figure.
pub(super) fn is_figure(field: &Field) -> bool {
    let figure = matches!(field.field_type, FieldType::Decimal | FieldType::Quantity { .. } | FieldType::Money { .. });
    figure && !field.list
}

/// Whether a workbook, which keeps binary fractions, gives this number back as it is written here.
fn is_plain(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let same = || text.parse::<f64>().is_ok_and(|number| number.to_string() == text);
    digits <= NUMBER_DIGITS_MAX && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-')) && same()
}

/// A file of records that is being written.
pub struct Export<'k> {
    sheets: BTreeMap<u16, Sheet<'k>>,
    withdrawn: bool,
    out: Out,
    beside: Beside,
}

/// The rows of one kind.
struct Sheet<'k> {
    index: usize,
    rows: u32,
    name: String,
    fields: Vec<&'k Field>,
}

enum Out {
    Xlsx { workbook: Box<Workbook>, file: File },
    Csv(Box<csv::Writer<BufWriter<File>>>),
}

impl<'k> Export<'k> {
    /// Begins a file of records of these kinds; with `withdrawn`, a last column says which ones were withdrawn.
    /// A CSV file holds records of the first kind only.
    pub fn begin(path: &Path, format: Format, kinds: &[&'k Kind], withdrawn: bool) -> Result<Self, WriteError> {
        let (beside, file) = Beside::create(path)?;
        let kinds = if format == Format::Csv { &kinds[..kinds.len().min(1)] } else { kinds };
        let sheets: BTreeMap<u16, Sheet<'k>> =
            kinds.iter().enumerate().map(|(index, kind)| (kind.number(), Sheet::new(index, kind))).collect();
        let out = match format {
            Format::Xlsx => Out::Xlsx { workbook: Box::new(begin_workbook(path, kinds, withdrawn)?), file },
            Format::Csv => Out::Csv(Box::new(begin_csv(file, kinds, withdrawn).map_err(csv::Error::from)?)),
        };
        Ok(Self { sheets, withdrawn, out, beside })
    }

    /// Adds a record: the values of its fields as text, by number. Fields that have no column are left to the caller
    /// to report; see [`columns`].
    pub fn append(&mut self, kind: u16, values: &BTreeMap<u16, &str>, is_withdrawn: bool) -> Result<(), WriteError> {
        let Some(sheet) = self.sheets.get_mut(&kind) else { return Ok(()) };
        let cells = sheet.fields.iter().map(|field| values.get(&field.number).map(|text| cell(field, text)));
        let mark = self.withdrawn.then(|| Some(Cell::Text(if is_withdrawn { "是" } else { "否" }.to_owned())));
        let cells: Vec<Option<Cell>> = cells.chain(mark).collect();
        sheet.rows += 1;
        match &mut self.out {
            Out::Csv(writer) => Ok(writer.write_record(cells.iter().map(csv_text).map(|text| text.into_owned()))?),
            Out::Xlsx { workbook, .. } => sheet.write(workbook.worksheet_from_index(sheet.index)?, &cells),
        }
    }

    /// Ends the file and gives it its name; `overwrite` says whether a file of that name may be there.
    pub fn finish(self, overwrite: bool) -> Result<(), WriteError> {
        let Self { out, beside, sheets, .. } = self;
        let file = match out {
            Out::Csv(writer) => writer
                .into_inner()
                .map_err(|error| beside.failure(error.into_error()))?
                .into_inner()
                .map_err(|error| beside.failure(error.into_error()))?,
            Out::Xlsx { mut workbook, file } => {
                for sheet in sheets.values() {
                    let last = u16::try_from(sheet.fields.len().saturating_sub(1)).unwrap_or_default();
                    workbook.worksheet_from_index(sheet.index)?.autofilter(0, 0, sheet.rows, last)?;
                }
                workbook.save_to_writer(&file)?;
                file
            }
        };
        beside.place(&file, overwrite)
    }
}

/// The fields of a kind that have a column: those that leave their node, or all where the whole kind stays on it.
pub fn columns(kind: &Kind) -> impl Iterator<Item = &Field> {
    let all = kind.is_local();
    kind.fields().filter(move |field| all || !field.is_local())
}

fn headers(kind: &Kind, withdrawn: bool) -> Vec<String> {
    columns(kind).map(Field::header).chain(withdrawn.then(|| WITHDRAWN_HEADER.to_owned())).collect()
}

fn begin_csv(mut file: File, kinds: &[&Kind], withdrawn: bool) -> std::io::Result<csv::Writer<BufWriter<File>>> {
    file.write_all(BOM)?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(file));
    for kind in kinds {
        writer.write_record(headers(kind, withdrawn))?;
    }
    Ok(writer)
}

fn csv_text(cell: &Option<Cell>) -> Cow<'_, str> {
    match cell {
        None => Cow::Borrowed(""),
        Some(Cell::Number(text)) => Cow::Borrowed(text),
        Some(Cell::Text(text)) => guard(text),
    }
}

fn begin_workbook(path: &Path, kinds: &[&Kind], withdrawn: bool) -> Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    // The rows wait in a file beside the result: a machine's directory for temporary files is often small.
    workbook.set_tempdir(directory(path))?;
    for kind in kinds {
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(style::sheet_name(kind.zh()))?;
        style::lay_out(sheet)?;
        let fields = columns(kind).map(Some).chain([None]);
        for (column, (header, field)) in (0u16..).zip(headers(kind, withdrawn).iter().zip(fields)) {
            sheet.set_column_width(column, style::width(header))?;
            let format = if field.is_some_and(is_figure) { style::number() } else { style::text() };
            sheet.set_column_format(column, &format)?;
            let obligatory = field.is_some_and(|field| field.obligatory);
            let look = if obligatory { style::Header::Obligatory } else { style::Header::Plain };
            sheet.write_string_with_format(0, column, header, &style::header(look))?;
        }
    }
    Ok(workbook)
}

impl<'k> Sheet<'k> {
    fn new(index: usize, kind: &'k Kind) -> Self {
        Self { index, rows: 0, name: kind.zh().to_owned(), fields: columns(kind).collect() }
    }

    /// Writes the row that was counted last.
    fn write(&self, sheet: &mut Worksheet, cells: &[Option<Cell>]) -> Result<(), WriteError> {
        if self.rows >= style::SHEET_ROWS_MAX {
            return Err(WriteError::TooManyRows { sheet: self.name.clone() });
        }
        for (column, found) in (0u16..).zip(cells) {
            match found {
                None => {}
                Some(Cell::Number(text)) => {
                    // What is a number here was read as one before.
                    sheet.write_number(self.rows, column, text.parse::<f64>().unwrap_or_default())?;
                }
                Some(Cell::Text(text)) => {
                    let characters = text.encode_utf16().count();
                    if characters > style::CELL_CHARACTERS_MAX {
                        let header = self.fields.get(usize::from(column)).map(|field| field.header());
                        return Err(WriteError::CellTooLong { header: header.unwrap_or_default(), characters });
                    }
                    sheet.write_string(self.rows, column, text)?;
                }
            }
        }
        Ok(())
    }
}
