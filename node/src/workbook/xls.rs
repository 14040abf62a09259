//! `.xls`: the old binary form. Its reader holds whole sheets, so the records are counted first.
//!
//! Whether a number is shown as a percentage, and whether a formula's result was stored, the reader does not tell for this
//! form: 30% comes as 0.3, and a formula without a result as the 0 that its writer put there.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::sync::Arc;

use calamine::{Data, DataRef, Reader, SheetType, SheetVisible, Xls, XlsError};
use protocol::kind::sheet::Grid;

use super::builder::Builder;
use super::error::{Bound, WorkbookError};
use super::limits::{CELLS_MAX, SHEET_BYTES_MAX, SHEETS_MAX, SPAN_CELLS_MAX};
use super::xlsx::Bytes;
use super::{SheetInfo, cell, contained};

/// Records that are looked at in all sheets together; sheets that share their records are looked at once each.
const RECORDS_MAX: usize = 20_000_000;
/// Lines and columns that a sheet of this form can declare.
const DECLARED_CELLS_MAX: u64 = 65_536 * 256;
/// Bytes of UTF-8 that a character of this form takes at most.
const BYTES_PER_CHARACTER: usize = 3;

const BOF: u16 = 0x0809;
const EOF: u16 = 0x000a;
const BOUND_SHEET: u16 = 0x0085;
const FILE_PASS: u16 = 0x002f;
const CONTINUE: u16 = 0x003c;
const SHARED_STRINGS: u16 = 0x00fc;
const DIMENSIONS: u16 = 0x0200;
const LABEL_SHARED: u16 = 0x00fd;
const MULTIPLE_NUMBERS: u16 = 0x00bd;
/// Formula, number, label, rich string, truth value or error, number: a cell each.
const SINGLE_CELLS: [u16; 7] = [0x0006, 0x0203, 0x0204, 0x00d6, 0x0205, 0x027e, LABEL_SHARED];

/// An opened workbook.
pub(super) struct XlsBook {
    reader: Xls<Bytes>,
    names: Vec<String>,
}

/// What a compound file turned out to be.
pub(super) struct Opened {
    pub(super) book: XlsBook,
    pub(super) sheets: Vec<SheetInfo>,
    pub(super) has_macros: bool,
}

impl XlsBook {
    pub(super) fn open(bytes: Arc<[u8]>) -> Result<Opened, WorkbookError> {
        let has_macros = contained(|| look_through(&bytes))?;
        let reader = contained(|| {
            Xls::new(Cursor::new(bytes)).map_err(|error| match error {
                XlsError::Password => WorkbookError::Encrypted,
                error => damaged(error),
            })
        })?;
        let sheets = reader.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let sheets: Vec<SheetInfo> = sheets
            .map(|sheet| SheetInfo { name: sheet.name.clone(), hidden: sheet.visible != SheetVisible::Visible })
            .collect();
        let names = sheets.iter().map(|sheet| sheet.name.clone()).collect();
        Ok(Opened { book: Self { reader, names }, sheets, has_macros })
    }

    pub(super) fn grid(&mut self, index: usize) -> Result<Grid, WorkbookError> {
        let name = self.names.get(index).ok_or(WorkbookError::NoSuchSheet { index })?.clone();
        contained(|| self.read(&name))
    }

    fn read(&mut self, name: &str) -> Result<Grid, WorkbookError> {
        let mut builder = Builder::new(name);
        let range = self.reader.worksheet_range(name).map_err(damaged)?;
        let (top, left) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            let place = (top as usize + row + 1, left as usize + column + 1);
            builder.put(place.0, place.1, cell::read(&borrowed(value), false))?;
        }
        for range in self.reader.merge_cells_by_sheet_name(name).map_err(damaged)? {
            builder.merge(range.start, range.end)?;
        }
        Ok(builder.finish())
    }
}

fn borrowed(value: &Data) -> DataRef<'_> {
    match value {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(truth) => DataRef::Bool(*truth),
        Data::DateTime(moment) => DataRef::DateTime(*moment),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

fn damaged(error: impl std::fmt::Display) -> WorkbookError {
    WorkbookError::Damaged { detail: error.to_string() }
}

/// Tells what the compound file is and counts what its sheets hold. Returns whether there are macros.
fn look_through(bytes: &[u8]) -> Result<bool, WorkbookError> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(damaged)?;
    if file.exists("/EncryptedPackage") {
        return Err(WorkbookError::Encrypted);
    }
    let stream = ["/Workbook", "/Book"].into_iter().find(|name| file.is_stream(name));
    let Some(stream) = stream else {
        let (zh, en) = if file.exists("/WordDocument") {
            ("Word 文档", "a Word document")
        } else if file.exists("/PowerPoint Document") {
            ("演示文稿", "a presentation")
        } else {
            ("其他程序的文件", "a file of another program")
        };
        return Err(WorkbookError::Foreign { zh, en });
    };
    let mut records = Vec::new();
    // The stream is a part of the file, so it is not larger.
    let stream = file.open_stream(stream).map_err(damaged)?;
    stream.take(bytes.len() as u64).read_to_end(&mut records).map_err(damaged)?;
    count(&records)?;
    Ok(file.exists("/_VBA_PROJECT_CUR"))
}

/// The records of a stream from a place on: type and data. A broken record ends them; the reader will say so.
fn records(stream: &[u8], start: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = stream.get(start..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (head, tail) = rest.split_at_checked(4)?;
        let (data, tail) = tail.split_at_checked(short(head, 2) as usize)?;
        rest = tail;
        Some((short(head, 0), data))
    })
}

fn short(data: &[u8], at: usize) -> u16 {
    data.get(at..at + 2).map_or(0, |two| u16::from_le_bytes([two[0], two[1]]))
}

fn long(data: &[u8], at: usize) -> u32 {
    u32::from(short(data, at)) | u32::from(short(data, at + 2)) << 16
}

fn too_large(what: Bound, limit: u64) -> WorkbookError {
    WorkbookError::TooLarge { what, limit, sheet: String::new() }
}

/// Counts what all sheets hold.
fn count(stream: &[u8]) -> Result<(), WorkbookError> {
    let mut starts = BTreeSet::new();
    let mut strings: Vec<&[u8]> = Vec::new();
    let mut in_strings = false;
    for (kind, data) in records(stream, 0) {
        in_strings = kind == SHARED_STRINGS || (kind == CONTINUE && in_strings);
        match kind {
            EOF => break,
            FILE_PASS => return Err(WorkbookError::Encrypted),
            BOUND_SHEET if !starts.insert(long(data, 0) as usize) => return Err(damaged("two sheets in one place")),
            _ if in_strings => strings.push(data),
            _ => {}
        }
    }
    if starts.len() > SHEETS_MAX {
        return Err(too_large(Bound::Sheets, SHEETS_MAX as u64));
    }
    let lengths = string_lengths(&strings);
    let mut total = Total::default();
    starts.into_iter().try_for_each(|start| total.add_sheet(stream, start, &lengths))
}

/// What all sheets hold together.
#[derive(Debug, Default)]
struct Total {
    records: usize,
    cells: usize,
    span_cells: u64,
    text_bytes: usize,
}

impl Total {
    fn add_sheet(&mut self, stream: &[u8], start: usize, lengths: &[usize]) -> Result<(), WorkbookError> {
        let mut span: Option<[u64; 4]> = None;
        let mut depth = 0;
        for (kind, data) in records(stream, start) {
            self.records += 1;
            if self.records > RECORDS_MAX {
                return Err(too_large(Bound::Cells, CELLS_MAX as u64));
            }
            let (row, column) = (u64::from(short(data, 0)), u64::from(short(data, 2)));
            match kind {
                BOF => depth += 1,
                EOF if depth <= 1 => break,
                EOF => depth -= 1,
                _ if depth > 1 => {}
                DIMENSIONS => check_declared(data)?,
                MULTIPLE_NUMBERS => {
                    let last = column.max(u64::from(short(data, data.len().saturating_sub(2))));
                    self.cells += (last - column + 1) as usize;
                    widen(&mut span, row, column);
                    widen(&mut span, row, last);
                }
                _ if SINGLE_CELLS.contains(&kind) => {
                    self.cells += 1;
                    widen(&mut span, row, column);
                    if kind == LABEL_SHARED {
                        let length = lengths.get(long(data, 6) as usize).copied().unwrap_or_default();
                        self.text_bytes += length * BYTES_PER_CHARACTER;
                    }
                }
                _ => {}
            }
            if self.cells > CELLS_MAX {
                return Err(too_large(Bound::Cells, CELLS_MAX as u64));
            }
            if self.text_bytes > SHEET_BYTES_MAX {
                return Err(too_large(Bound::SheetBytes, SHEET_BYTES_MAX as u64));
            }
        }
        let [top, bottom, left, right] = span.unwrap_or([1, 0, 1, 0]);
        self.span_cells += (bottom + 1).saturating_sub(top) * (right + 1).saturating_sub(left);
        if self.span_cells > SPAN_CELLS_MAX { Err(too_large(Bound::Cells, SPAN_CELLS_MAX)) } else { Ok(()) }
    }
}

/// The reader reserves room for what a sheet declares.
fn check_declared(data: &[u8]) -> Result<(), WorkbookError> {
    let (first, last, columns) = match data.len() {
        10 => (u32::from(short(data, 0)), u32::from(short(data, 2)), short(data, 6)),
        _ => (long(data, 0), long(data, 4), short(data, 10)),
    };
    let declared = u64::from(last.saturating_sub(first)) * u64::from(columns);
    if declared > DECLARED_CELLS_MAX { Err(damaged("dimensions")) } else { Ok(()) }
}

fn widen(span: &mut Option<[u64; 4]>, row: u64, column: u64) {
    let [top, bottom, left, right] = span.unwrap_or([row, row, column, column]);
    *span = Some([top.min(row), bottom.max(row), left.min(column), right.max(column)]);
}

/// The lengths of the shared strings in characters. The table goes on in the records that continue it; a string that
/// goes on there says anew whether its characters take one byte or two.
fn string_lengths(parts: &[&[u8]]) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut parts = parts.iter().copied();
    let mut rest = parts.next().unwrap_or_default().get(8..).unwrap_or_default();
    loop {
        while rest.is_empty() {
            let Some(part) = parts.next() else { return lengths };
            rest = part;
        }
        let (characters, flags) = (short(rest, 0) as usize, rest.get(2).copied().unwrap_or_default());
        let mut after = 3;
        let mut tail = 0;
        if flags & 8 != 0 {
            tail += 4 * short(rest, after) as usize;
            after += 2;
        }
        if flags & 4 != 0 {
            tail += long(rest, after) as usize;
            after += 4;
        }
        rest = rest.get(after..).unwrap_or_default();
        lengths.push(characters);
        let mut left = characters;
        let mut width = 1 + usize::from(flags & 1);
        loop {
            let here = left.min(rest.len() / width);
            left -= here;
            rest = &rest[here * width..];
            if left == 0 {
                break;
            }
            let Some(part) = parts.next() else { return lengths };
            width = 1 + usize::from(part.first().copied().unwrap_or_default() & 1);
            rest = part.get(1..).unwrap_or_default();
        }
        while tail > rest.len() {
            tail -= rest.len();
            let Some(part) = parts.next() else { return lengths };
            rest = part;
        }
        rest = &rest[tail..];
    }
}
