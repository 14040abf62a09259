//! What the rows below a header are: records, and what stands among them.

use std::collections::BTreeSet;

use super::header::{self, Header, Names};
use super::{CellError, CellFault, Grid, GridRow, LocateError, Row, SkipReason, column_letter, words};
use crate::kind::text::{is_blank, narrow, normalise_header};
use crate::kind::{Kind, Rule};

/// Filled cells from the left among which the word of a total is looked for.
const TOTAL_CELLS_MAX: usize = 3;

/// What the rows below a header are.
pub(super) struct Rows<'a> {
    header: &'a Header<'a>,
    titles: Names<'a>,
    /// Every name of every field of every kind.
    names: BTreeSet<&'a str>,
    grid: &'a Grid,
    /// The header's own lines, normalised: a page break repeats them.
    repeated: Vec<Vec<String>>,
    external: Option<usize>,
    title: Option<usize>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(header: &'a Header<'a>, others: &'a [&'a Kind], grid: &'a Grid) -> Self {
        let own = grid.rows[header.first..header.end()].iter();
        let repeated = own.map(|row| filled(row).into_iter().map(normalise_header).collect()).collect();
        let external = header.column_of(header.kind.external_field().number);
        let title = header.column_of(header.kind.title_field().number);
        let titles = Names::of_titles(others);
        let names = others.iter().flat_map(|kind| kind.names.keys()).map(String::as_str).collect();
        Self { header, titles, names, grid, repeated, external, title }
    }

    /// Why the row of that index is no record; `None` when it is one. `after_note` says that the row before was a note.
    pub(super) fn reason(
        &self,
        index: usize,
        first: bool,
        after_note: bool,
    ) -> Result<Option<SkipReason>, LocateError> {
        let row = &self.grid.rows[index];
        let texts = filled(row);
        let Some(text) = texts.first() else { return Ok((!self.has_fault(row)).then_some(SkipReason::Unfilled)) };
        let cell = |place: Option<usize>| place.and_then(|index| row.cells.get(index)).map_or("", String::as_str);
        let (external, title) = (cell(self.external), cell(self.title));
        let alone = texts.iter().all(|other| other == text);
        let reason = if self.is_repeated(&texts) || self.is_other_header(index, &texts, first)? {
            SkipReason::RepeatedHeader
        } else if first && is_column_numbers(&texts) {
            SkipReason::ColumnNumbers
        } else if words::is_example(external) {
            SkipReason::Example
        } else if self.is_total(&texts, external, title) {
            SkipReason::Total
        } else if alone && (words::is_note(text) || after_note) {
            SkipReason::Note
        } else if words::is_signature(text) {
            SkipReason::Signature
        } else if !self.has_known(row) {
            SkipReason::Unfilled
        } else {
            return Ok(None);
        };
        Ok(Some(reason))
    }

    fn is_repeated(&self, texts: &[&str]) -> bool {
        let same = |own: &&Vec<String>| {
            own.len() > 1 && own.len() == texts.len() && own.iter().zip(texts).all(|(a, b)| *a == normalise_header(b))
        };
        self.repeated.iter().find(same).is_some()
    }

    /// Whether the row is the header once more in other words; an error when it is another header.
    fn is_other_header(&self, index: usize, texts: &[&str], first: bool) -> Result<bool, LocateError> {
        // Rows of records are told by their first cells; a header is looked at whole.
        let knows = |text: &&str| self.names.contains(normalise_header(text).as_str());
        if texts.len() < 2 || !texts.iter().take(3).any(knows) {
            return Ok(false);
        }
        let Some(other) = header::at(&self.titles, self.grid, index) else { return Ok(false) };
        if other.kind.number() == self.header.kind.number() && other.fields == self.header.fields {
            return Ok(true);
        }
        let sheet = self.grid.sheet.clone();
        let line = self.grid.rows[index].line;
        if first {
            return Err(LocateError::TwoHeaders { sheet, first: self.grid.rows[index - 1].line, second: line });
        }
        let column = self.grid.rows[index].cells.iter().position(|text| !is_blank(text)).unwrap_or_default();
        Err(LocateError::TwoTables { sheet, second: line, column: column_letter(column + 1) })
    }

    fn is_total(&self, texts: &[&str], external: &str, title: &str) -> bool {
        if is_blank(external) {
            return texts.iter().take(TOTAL_CELLS_MAX).any(|text| words::is_total(text));
        }
        words::is_total(external) || words::is_total_alone(title)
    }

    /// Whether a cell of a column that the kind knows is filled.
    fn has_known(&self, row: &GridRow) -> bool {
        let known = |index: usize| self.header.fields.get(index).is_some_and(Option::is_some);
        let beyond = |index: usize| index >= self.header.fields.len();
        let cells = row.cells.iter().enumerate();
        cells.filter(|(_, text)| !is_blank(text)).any(|(index, _)| known(index) || beyond(index)) || self.has_fault(row)
    }

    /// Whether a cell that matters could not be read.
    fn has_fault(&self, row: &GridRow) -> bool {
        row.faults.keys().any(|column| published_header(self.header, *column).is_some())
    }
}

/// The filled cells of a row.
pub(super) fn filled(row: &GridRow) -> Vec<&str> {
    row.cells.iter().map(String::as_str).filter(|text| !is_blank(text)).collect()
}

/// The header of a column that is published. What is not even read need not be readable.
fn published_header<'h>(header: &'h Header<'_>, column: usize) -> Option<&'h str> {
    let index = column.checked_sub(1)?;
    let field = header.kind.field((*header.fields.get(index)?)?)?;
    (!field.is_local()).then(|| header.texts[index].as_str())
}

/// A record's row, and what could not be read of it.
pub(super) fn take(header: &Header<'_>, row: GridRow) -> (Row, Vec<CellError>) {
    let GridRow { line, mut cells, faults } = row;
    while cells.last().is_some_and(String::is_empty) {
        cells.pop();
    }
    cells.resize(cells.len().max(header.texts.len()), String::new());
    let errors = faults.into_iter().filter_map(|(column, CellFault { value, zh, en })| {
        let header = published_header(header, column)?.to_owned();
        Some(CellError { line, column, rule: Rule::CellUnreadable, header, value, zh, en })
    });
    let errors = errors.collect();
    (Row { line, cells }, errors)
}

/// Whether a row numbers the columns: 1, 2, 3 or 甲, 乙, 1, 2. A row of records does not count up from its first cell.
fn is_column_numbers(texts: &[&str]) -> bool {
    let numbers: Vec<String> = texts.iter().map(|text| narrow(text)).collect();
    let bare = |text: &String| text.trim_matches(|c| matches!(c, '(' | ')')).to_owned();
    let letters = numbers.iter().take_while(|text| matches!(bare(text).as_str(), "甲" | "乙" | "丙" | "丁")).count();
    let rest = &numbers[letters..];
    rest.len() >= 2 && rest.iter().enumerate().all(|(index, text)| bare(text) == (index + 1).to_string())
}
