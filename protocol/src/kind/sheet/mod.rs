//! Sheets: which kind a sheet holds, and what publishing it would change.
//!
//! A reader of files makes a [`Grid`], and [`locate`] finds the table in it wherever its header stands;
//! [`KindSet::recognise`](super::KindSet::recognise) finds the kind by the header. A [`Reader`] then takes rows one by
//! one, in any number of threads: it reads the cells ([`Reader::read`]) and compares them with what was published before
//! ([`Reader::compare`]). [`Numbers`] sees to it that each own number stands in one row only. [`plan`] does all this with
//! a small sheet at once.
//!
//! Nothing here changes anything: the importer shows what it would do, and does it only when the sheet is free of errors
//! or when it was told to take what is good (DESIGN 6.6). The author's own number ties a row to its record, so that a
//! second import of the same sheet is empty.

mod body;
mod grid;
mod guard;
mod header;
mod locate;
mod numbers;
mod plan;
mod reader;
mod recognise;
mod words;

#[cfg(test)]
mod locate_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use grid::{CellFault, Grid, GridRow, Merge};
pub use guard::{guard, strip_guard};
pub use locate::{FaultyRow, LocateError, Located, SheetNotice, SkipReason, SkippedRow, locate};
pub use numbers::Numbers;
pub use plan::{Plan, plan};
pub use reader::{ReadRow, Reader, Reading};
pub use recognise::{Columns, NotRecognised};

use super::Rule;
use crate::identity::EntryId;
use crate::value::Value;

/// A sheet as its reader found it: one header and rows of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The header, one text per column.
    pub headers: Vec<String>,
    /// The rows below it.
    pub rows: Vec<Row>,
}

/// One row of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line in the sheet, as people count.
    pub line: usize,
    /// Its cells, one per column.
    pub cells: Vec<String>,
}

/// Takes only rows whose cell in a column is one of the values, for instance one's own in a sheet of all members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFilter {
    /// The header of the column, or a name of its field.
    pub header: String,
    /// The texts that are taken.
    pub values: BTreeSet<String>,
}

/// What was published before under an own number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    /// The record.
    pub record: EntryId,
    /// Its fields.
    pub fields: BTreeMap<u16, Value>,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
}

/// What publishing a row would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It becomes a new record.
    Create(Create),
    /// It changes a record.
    Revise(Revision),
    /// Its record says the same already.
    Unchanged,
    /// It must not leave the node.
    Withheld(WithheldRow),
    /// Its record was withdrawn.
    Withdrawn(WithdrawnRow),
    /// It breaks rules.
    Wrong(Vec<CellError>),
}

/// A new record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// The line of the sheet.
    pub line: usize,
    /// The own number.
    pub external: String,
    /// The title.
    pub title: String,
    /// The fields, those that stay on the node left out.
    pub fields: BTreeMap<u16, Value>,
    /// The statement that says so, in canonical bytes. Its random bytes are zero: the node puts its own there.
    pub body: Vec<u8>,
}

/// A change of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The line of the sheet.
    pub line: usize,
    /// The own number.
    pub external: String,
    /// The title.
    pub title: String,
    /// The record.
    pub record: EntryId,
    /// The fields that get a new value.
    pub set: BTreeMap<u16, Value>,
    /// The fields that are taken away, because the sheet has their column and the cell is blank.
    pub cleared: BTreeSet<u16>,
    /// What the changed fields held before, where they held something.
    pub before: BTreeMap<u16, Value>,
    /// The statement that says so, in canonical bytes. Its random bytes are zero: the node puts its own there.
    pub body: Vec<u8>,
}

/// A row that must not leave the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithheldRow {
    /// The line of the sheet.
    pub line: usize,
    /// The own number.
    pub external: String,
    /// The title.
    pub title: String,
    /// The record, if it was published before: its owner will want to withdraw or erase it.
    pub record: Option<EntryId>,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
}

/// A row whose record was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnRow {
    /// The line of the sheet.
    pub line: usize,
    /// The own number.
    pub external: String,
    /// The title.
    pub title: String,
    /// The record.
    pub record: EntryId,
}

/// What a person should look at; it stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellNotice {
    /// The line of the sheet.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The header of the column.
    pub header: String,
    /// The value as it reads.
    pub value: String,
    /// What is strange, in Chinese.
    pub zh: String,
    /// What is strange, in English.
    pub en: String,
}

/// What is wrong with a cell, a row or the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellError {
    /// The line of the sheet; 0 for the header.
    pub line: usize,
    /// The column, from 1; 0 for the row as a whole.
    pub column: usize,
    /// The rule.
    pub rule: Rule,
    /// The header of the column; empty for the row as a whole.
    pub header: String,
    /// The value as it was found.
    pub value: String,
    /// What is wrong and the way out, in Chinese.
    pub zh: String,
    /// What is wrong and the way out, in English.
    pub en: String,
}

impl CellError {
    /// The column as spreadsheets name it: `A`, `Z`, `AA`; empty for the row as a whole.
    pub fn letter(&self) -> String {
        column_letter(self.column)
    }
}

/// The letters of a column counted from 1; empty for 0.
pub fn column_letter(column: usize) -> String {
    let (mut rest, mut letters) = (column, Vec::new());
    while rest > 0 {
        rest -= 1;
        letters.push(b'A' + (rest % 26) as u8);
        rest /= 26;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}
