//! Templates: an empty sheet per kind that says what each column wants, with an example row that importers pass over.
//!
//! [`example`] makes the example row, `note` the note on each column, `choices` the drop-downs, `guide` the first page.
//! Columns of codes, own numbers, dates and words are text, since a spreadsheet program drops leading zeros and makes a
//! whole day of a month.

mod choices;
mod example;
mod guide;
mod note;

use std::path::Path;

use protocol::kind::{Field, Kind};
use rust_xlsxwriter::{IgnoreError, Workbook, Worksheet, XlsxError};

pub use example::{EXAMPLE_PREFIX, example};

use super::export::is_figure;
use super::file::Beside;
use super::{WriteError, style};
use choices::Choices;

/// Rows for which a template offers words.
const TEMPLATE_ROWS_MAX: u32 = 10_000;

/// Writes a template for these kinds; `overwrite` says whether a file of that name may be there.
pub fn write_template(path: &Path, kinds: &[&Kind], overwrite: bool) -> Result<(), WriteError> {
    let (beside, file) = Beside::create(path)?;
    template(kinds)?.save_to_writer(&file)?;
    beside.place(&file, overwrite)
}

fn template(kinds: &[&Kind]) -> Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    guide::write(workbook.add_worksheet(), kinds)?;
    let mut choices = Choices::default();
    for kind in kinds {
        let sheet = workbook.add_worksheet();
        sheet.set_name(style::sheet_name(kind.zh()))?;
        write_kind(sheet, kind, &mut choices)?;
    }
    if !choices.is_empty() {
        choices.write(workbook.add_worksheet())?;
    }
    Ok(workbook)
}

fn write_kind(sheet: &mut Worksheet, kind: &Kind, choices: &mut Choices) -> Result<(), XlsxError> {
    style::lay_out(sheet)?;
    let mut last = 0;
    for (column, field) in (0u16..).zip(kind.fields()) {
        write_column(sheet, column, kind, field, choices)?;
        last = column;
    }
    // Numbers that are text are meant so.
    sheet.ignore_error_range(0, 0, TEMPLATE_ROWS_MAX, last, IgnoreError::NumberStoredAsText)?;
    Ok(())
}

fn write_column(
    sheet: &mut Worksheet,
    column: u16,
    kind: &Kind,
    field: &Field,
    choices: &mut Choices,
) -> Result<(), XlsxError> {
    let header = header(kind, field);
    let base = if is_figure(field) { style::number() } else { style::text() };
    sheet.set_column_width(column, style::width(&header))?;
    sheet.set_column_format(column, &base)?;
    sheet.write_string_with_format(0, column, &header, &style::header(look(kind, field)))?;
    let text = note::note(kind, field);
    sheet.insert_note(0, column, &style::note(&text))?;
    let example = example(kind, field);
    if !example.is_empty() {
        sheet.write_string_with_format(1, column, &example, &style::example(base))?;
    }
    if let Some(rule) = choices.drop_down(kind, field)? {
        sheet.add_data_validation(1, column, TEMPLATE_ROWS_MAX, column, &rule)?;
    }
    Ok(())
}

/// Whether every row must fill the field in. The own number is how a second import finds the row.
fn is_needed(kind: &Kind, field: &Field) -> bool {
    field.obligatory || field.number == kind.external_field().number
}

/// The header of a column, with a star, which importers pass over, where every row must fill it in.
fn header(kind: &Kind, field: &Field) -> String {
    let star = if is_needed(kind, field) { "*" } else { "" };
    format!("{}{star}", field.header())
}

fn look(kind: &Kind, field: &Field) -> style::Header {
    match (field.is_local() || kind.is_local(), is_needed(kind, field)) {
        (_, true) => style::Header::Obligatory,
        (true, _) => style::Header::Local,
        (false, false) => style::Header::Plain,
    }
}
