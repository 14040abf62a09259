//! Own numbers stand in one row only, over all sheets of one kind.

use std::collections::BTreeMap;

use super::reader::{ReadRow, Reader};
use super::{CellError, Reading};
use crate::kind::Rule;

/// Where each own number stood first.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    seen: BTreeMap<String, (usize, usize)>,
    /// The names of the sheets.
    sheets: Vec<String>,
}

impl Numbers {
    /// Goes on with another sheet; its name says where a number stood before.
    pub fn begin(&mut self, sheet: &str) {
        self.sheets.push(sheet.to_owned());
    }

    /// Takes a row that was read, the first with its number only.
    pub fn admit(&mut self, reader: &Reader<'_>, reading: Reading) -> Reading {
        match reading {
            Reading::Good(row) => match self.claim(&row.external, row.line) {
                None => Reading::Good(row),
                Some(first) => {
                    let mut errors = vec![self.repeated(reader, &row.external, first, row.line)];
                    errors.extend(reader.missing(&row));
                    let ReadRow { line, external, .. } = row;
                    Reading::Wrong { line, external: Some(external), errors }
                }
            },
            Reading::Wrong { line, external: Some(external), mut errors } => {
                if let Some(first) = self.claim(&external, line) {
                    let error = self.repeated(reader, &external, first, line);
                    if !errors.iter().any(|other| other.column == error.column) {
                        errors.push(error);
                    }
                }
                Reading::Wrong { line, external: Some(external), errors }
            }
            other => other,
        }
    }

    /// Where the number stood before, if it did.
    fn claim(&mut self, external: &str, line: usize) -> Option<(usize, usize)> {
        let first = self.seen.get(external).copied();
        if first.is_none() {
            self.seen.insert(external.to_owned(), (self.sheets.len(), line));
        }
        first
    }

    fn repeated(&self, reader: &Reader<'_>, external: &str, first: (usize, usize), line: usize) -> CellError {
        let (sheet, first) = first;
        let (zh, en) = match sheet.checked_sub(1).and_then(|index| self.sheets.get(index)) {
            Some(name) if sheet != self.sheets.len() => (
                format!("在“{name}”表第 {first} 行和本表第 {line} 行重复"),
                format!("stands on line {first} of the sheet {name} and here on line {line}"),
            ),
            _ => (format!("在第 {first} 行和第 {line} 行重复"), format!("stands on line {first} and on line {line}")),
        };
        let (zh, en) =
            (format!("{zh}；请改成不同的编号或删去一行"), format!("{en}; please give one another number or remove it"));
        let broken = reader.kind().external_field().broken(Rule::ExternalDuplicate, external, &zh, &en);
        reader.cell_error(line, &broken)
    }
}
