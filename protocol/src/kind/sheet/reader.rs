//! Reading rows and comparing them with what was published before, one row at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::recognise::{Column, column};
use super::{CellError, CellNotice, Create, Existing, Outcome, Revision, Row, RowFilter, WithdrawnRow, WithheldRow};
use crate::kind::set::KIND_SET_VERSION;
use crate::kind::text::{is_blank, narrow, normalise_header};
use crate::kind::{Kind, Rule, RuleBroken};
use crate::limits::{BODY_NONCE_BYTES, EXTERNAL_BYTES_MAX};
use crate::statement::Statement;
use crate::value::Value;

/// Reads the rows of one sheet as records of one kind.
#[derive(Debug, Clone)]
pub struct Reader<'k> {
    kind: &'k Kind,
    headers: Vec<String>,
    /// One per column of the sheet; `None` where the kind does not know the header.
    columns: Vec<Option<Column<'k>>>,
    /// Columns by which rows are picked, and what they must hold.
    filters: Vec<(usize, BTreeSet<String>)>,
    /// Whether columns that stay on the node are read too.
    keeps_local: bool,
    /// The version of the kind sets that statements name.
    version: u16,
}

/// What a row says, apart from what was published before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Nothing.
    Blank,
    /// The filters leave it out.
    FilteredOut,
    /// It breaks rules.
    Wrong {
        /// Its line.
        line: usize,
        /// Its own number, if it has a good one.
        external: Option<String>,
        /// What is wrong.
        errors: Vec<CellError>,
    },
    /// It was read.
    Good(ReadRow),
}

/// A row that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRow {
    /// Its line.
    pub line: usize,
    /// The own number.
    pub external: String,
    /// The title.
    pub title: String,
    /// Whose row it is, in a sheet of many members; empty where it does not say so.
    pub member: String,
    /// The fields, those that stay on the node left out.
    pub fields: BTreeMap<u16, Value>,
}

impl<'k> Reader<'k> {
    /// A reader of sheets with this header. A row is taken when every filter takes it.
    ///
    /// # Errors
    /// When the header cannot be used: two columns mean one field, or a column that is needed is missing.
    pub fn new(kind: &'k Kind, headers: &[String], filters: &[RowFilter]) -> Result<Self, Vec<CellError>> {
        let columns: Vec<_> = headers.iter().map(|header| column(kind, header)).collect();
        let mut reader = Self {
            kind,
            headers: headers.to_vec(),
            columns,
            filters: Vec::new(),
            keeps_local: false,
            version: KIND_SET_VERSION,
        };
        let mut errors = reader.check_columns();
        for filter in filters {
            match reader.find_column(&filter.header) {
                Some(index) => {
                    reader.filters.push((index, filter.values.iter().map(|value| narrow(value)).collect()));
                }
                None => {
                    let zh = format!("没有用来挑选行的列“{}”；请核对表头。", filter.header);
                    let en = format!("there is no column `{}` to pick rows by.", filter.header);
                    errors.push(reader.error(0, 0, Rule::ColumnWrong, "", zh, en));
                }
            }
        }
        if errors.is_empty() { Ok(reader) } else { Err(errors) }
    }

    /// Reads columns that stay on the node too, for documents that do so as a whole.
    pub fn keeping_local(self) -> Self {
        Self { keeps_local: true, ..self }
    }

    /// Makes statements under another version of the charter's kind sets than the built-in one.
    pub fn under(self, version: u16) -> Self {
        Self { version, ..self }
    }

    /// The kind.
    pub fn kind(&self) -> &'k Kind {
        self.kind
    }

    fn check_columns(&self) -> Vec<CellError> {
        let mut first: BTreeMap<u16, usize> = BTreeMap::new();
        let mut errors = Vec::new();
        for (index, column) in self.known_columns() {
            if let Some(other) = first.insert(column.field.number, index) {
                let other = &self.headers[other];
                let zh = format!("与“{other}”两列都是“{}”；请只留一列。", column.field.zh);
                let en = format!("means the same field as `{other}`; please keep one of the two columns.");
                errors.push(self.error(0, index + 1, Rule::ColumnWrong, "", zh, en));
            }
        }
        let external = self.kind.external_field();
        if !first.contains_key(&external.number) {
            let zh = format!("没有“{}”列；请加上这一列，每行填自己的编号，以便再次导入时对得上。", external.zh);
            let en =
                format!("there is no column {}; please add it, so that a second import finds the rows.", external.en);
            errors.push(self.error(0, 0, Rule::ColumnWrong, "", zh, en));
        }
        errors
    }

    fn known_columns(&self) -> impl Iterator<Item = (usize, &Column<'k>)> {
        self.columns.iter().enumerate().filter_map(|(index, column)| Some((index, column.as_ref()?)))
    }

    fn find_column(&self, header: &str) -> Option<usize> {
        let same = self.headers.iter().position(|found| normalise_header(found) == normalise_header(header));
        same.or_else(|| self.column_of(self.kind.field_named(header)?.number))
    }

    fn column_of(&self, field: u16) -> Option<usize> {
        self.columns.iter().position(|column| column.is_some_and(|column| column.field.number == field))
    }

    /// Reads a row.
    pub fn read(&self, row: &Row) -> Reading {
        if row.cells.iter().all(|cell| is_blank(cell)) {
            return Reading::Blank;
        }
        let (line, found, wanted) = (row.line, row.cells.len(), self.headers.len());
        if found < wanted || row.cells[wanted..].iter().any(|cell| !is_blank(cell)) {
            let zh = format!("第 {line} 行有 {found} 格，表头有 {wanted} 列；请补齐或删去多出的格。");
            let en = format!("line {line} has {found} cells and the header {wanted}; please make them agree.");
            let errors = vec![self.error(line, 0, Rule::RowRagged, "", zh, en)];
            return Reading::Wrong { line, external: None, errors };
        }
        if self.filters.iter().any(|(index, values)| !values.contains(&narrow(&row.cells[*index]))) {
            return Reading::FilteredOut;
        }
        self.read_cells(row)
    }

    /// Reads a row some of whose cells its file could not give; `faults` says which, and they are blank in `row`.
    pub fn read_faulty(&self, row: &Row, faults: &[CellError]) -> Reading {
        let reading = self.read(row);
        if faults.is_empty() {
            return reading;
        }
        let mut errors = faults.to_vec();
        let (line, external) = match reading {
            Reading::FilteredOut => return Reading::FilteredOut,
            Reading::Blank => (row.line, None),
            Reading::Good(good) => (good.line, Some(good.external)),
            Reading::Wrong { line, external, errors: others } => {
                // A cell that is missing because it could not be read is told once.
                errors
                    .extend(others.into_iter().filter(|other| faults.iter().all(|fault| fault.column != other.column)));
                (line, external)
            }
        };
        Reading::Wrong { line, external, errors }
    }

    fn read_cells(&self, row: &Row) -> Reading {
        let line = row.line;
        let (mut fields, mut failed, mut errors) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        for (index, Column { field, unit, .. }) in self.known_columns() {
            // What stays on the node is not even read: a strange telephone number is no reason to refuse the row.
            if field.is_local() && !self.keeps_local {
                continue;
            }
            match field.parse_in(&row.cells[index], *unit) {
                Ok(Some(value)) => drop(fields.insert(field.number, value)),
                Ok(None) => {}
                Err(broken) => {
                    failed.insert(field.number);
                    errors.push(self.cell_error(line, &broken));
                }
            }
        }
        let external = match self.external(&fields) {
            Ok(external) => Some(external),
            Err(broken) => {
                if !failed.contains(&broken.field) {
                    errors.push(self.cell_error(line, &broken));
                }
                None
            }
        };
        match external {
            Some(external) if errors.is_empty() => {
                let member = self.kind.member_field().and_then(|field| Some(field.render(fields.get(&field.number)?)));
                let (title, member) = (self.kind.title(&fields), member.unwrap_or_default());
                Reading::Good(ReadRow { line, external, title, member, fields })
            }
            external => {
                // Name every obligatory cell that is missing now, so that the sheet comes back with all its errors.
                errors.extend(self.missing_fields(line, &fields, &failed));
                Reading::Wrong { line, external, errors }
            }
        }
    }

    fn external(&self, fields: &BTreeMap<u16, Value>) -> Result<String, RuleBroken> {
        let field = self.kind.external_field();
        let external = fields.get(&field.number).map(|value| field.render(value)).unwrap_or_default();
        if external.is_empty() {
            let en = "is missing; please give every row its own number, so that a second import finds it";
            return Err(field.broken(
                Rule::ExternalMissing,
                "",
                "没有填；请给每行一个自己的编号，以便再次导入时对得上",
                en,
            ));
        }
        if external.len() > EXTERNAL_BYTES_MAX {
            let zh = format!("太长；最多 {EXTERNAL_BYTES_MAX} 字节");
            let en = format!("is too long: at most {EXTERNAL_BYTES_MAX} bytes");
            return Err(field.broken(Rule::TooLong, &external, &zh, &en));
        }
        Ok(external)
    }

    /// Obligatory cells that a row lacks.
    pub(super) fn missing(&self, row: &ReadRow) -> Vec<CellError> {
        self.missing_fields(row.line, &row.fields, &BTreeSet::new())
    }

    fn missing_fields(&self, line: usize, fields: &BTreeMap<u16, Value>, failed: &BTreeSet<u16>) -> Vec<CellError> {
        let external = self.kind.external_field().number;
        let told = |broken: &&RuleBroken| {
            broken.rule == Rule::FieldMissing && !failed.contains(&broken.field) && broken.field != external
        };
        let missing = self.kind.validate(fields);
        missing.iter().filter(told).map(|broken| self.cell_error(line, broken)).collect()
    }

    /// Compares a row with its record, if there is one already.
    pub fn compare(&self, row: ReadRow, existing: Option<&Existing>) -> Outcome {
        let ReadRow { line, external, title, fields, .. } = row;
        let record = existing.map(|existing| existing.record);
        let change = existing.map(|existing| self.difference(&fields, existing));
        let result = change.as_ref().map_or(&fields, |change| &change.result);
        if let Some(withheld) = self.kind.withheld(result) {
            let (reason_zh, reason_en) = (withheld.zh, withheld.en);
            return Outcome::Withheld(WithheldRow { line, external, title, record, reason_zh, reason_en });
        }
        if let Some(existing) = existing.filter(|existing| existing.withdrawn) {
            return Outcome::Withdrawn(WithdrawnRow { line, external, title, record: existing.record });
        }
        if change.as_ref().is_some_and(|change| change.set.is_empty() && change.cleared.is_empty()) {
            return Outcome::Unchanged;
        }
        let broken = self.kind.validate(result);
        if !broken.is_empty() {
            return Outcome::Wrong(broken.iter().map(|broken| self.cell_error(line, broken)).collect());
        }
        match record.zip(change) {
            None => self.create(line, external, title, fields),
            Some((record, change)) => self.revise(line, external, title, record, change),
        }
    }

    fn create(&self, line: usize, external: String, title: String, fields: BTreeMap<u16, Value>) -> Outcome {
        let statement = Statement::create([0; BODY_NONCE_BYTES], self.version, Some(external.clone()), fields);
        match statement.encode() {
            Ok(body) => Outcome::Create(Create { line, external, title, fields: statement.fields, body }),
            Err(_) => self.too_long(line),
        }
    }

    fn revise(
        &self,
        line: usize,
        external: String,
        title: String,
        record: crate::identity::EntryId,
        change: Change,
    ) -> Outcome {
        let Change { set, cleared, before, result } = change;
        // A member that has lost everything publishes whole records again: they must fit too.
        let whole = Statement::create([0; BODY_NONCE_BYTES], self.version, Some(external.clone()), result);
        let statement = Statement::revise([0; BODY_NONCE_BYTES], self.version, record, set, cleared);
        match (whole.encode(), statement.encode()) {
            (Ok(_), Ok(body)) => {
                let (set, cleared) = (statement.fields, statement.cleared);
                Outcome::Revise(Revision { line, external, title, record, set, cleared, before, body })
            }
            _ => self.too_long(line),
        }
    }

    fn too_long(&self, line: usize) -> Outcome {
        let zh = format!("第 {line} 行内容太多，一条记录装不下；请缩短文字。");
        let en = format!("line {line} holds more than one record can; please shorten its texts.");
        Outcome::Wrong(vec![self.error(line, 0, Rule::TooLong, "", zh, en)])
    }

    /// What a row sets and clears in a record, and the fields that result. A blank cell clears; a column that the sheet
    /// does not have touches nothing.
    fn difference(&self, fields: &BTreeMap<u16, Value>, existing: &Existing) -> Change {
        let columns = self.known_columns().filter(|(_, column)| !column.field.is_local());
        let cleared: BTreeSet<u16> = columns
            .map(|(_, column)| column.field.number)
            .filter(|number| !fields.contains_key(number) && existing.fields.contains_key(number))
            .collect();
        let changed = fields.iter().filter(|(number, value)| existing.fields.get(number) != Some(value));
        let set: BTreeMap<u16, Value> = changed.map(|(number, value)| (*number, value.clone())).collect();
        let touched = existing.fields.iter().filter(|(number, _)| cleared.contains(number) || set.contains_key(number));
        let before = touched.map(|(number, value)| (*number, value.clone())).collect();
        let mut result = existing.fields.clone();
        result.retain(|number, _| !cleared.contains(number));
        result.extend(set.iter().map(|(number, value)| (*number, value.clone())));
        Change { set, cleared, before, result }
    }

    /// What a person should look at in a row that is good.
    pub fn notices(&self, row: &ReadRow) -> Vec<CellNotice> {
        let known = row.fields.iter().filter_map(|(number, value)| Some((self.kind.field(*number)?, value)));
        let found = known.flat_map(|(field, value)| field.notices(value)).chain(self.kind.unmapped_state(&row.fields));
        found
            .map(|notice| {
                let column = self.column_of(notice.field).map_or(0, |index| index + 1);
                let header = self.header(column).to_owned();
                CellNotice { line: row.line, column, header, value: notice.value, zh: notice.zh, en: notice.en }
            })
            .collect()
    }

    /// A broken rule at its cell, or at the row where the sheet has no column for it.
    pub fn cell_error(&self, line: usize, broken: &RuleBroken) -> CellError {
        let column = self.column_of(broken.field).map_or(0, |index| index + 1);
        self.error(line, column, broken.rule, &broken.value, broken.zh.clone(), broken.en.clone())
    }

    /// The column of a field by its name, from 1.
    pub fn column_named(&self, name: &str) -> Option<usize> {
        Some(self.column_of(self.kind.field_named(name)?.number)? + 1)
    }

    /// The header of a column, from 1; empty for the row as a whole.
    pub fn header(&self, column: usize) -> &str {
        column.checked_sub(1).and_then(|index| self.headers.get(index)).map_or("", String::as_str)
    }

    fn error(&self, line: usize, column: usize, rule: Rule, value: &str, zh: String, en: String) -> CellError {
        CellError { line, column, rule, header: self.header(column).to_owned(), value: value.to_owned(), zh, en }
    }
}

/// A change of a record.
struct Change {
    set: BTreeMap<u16, Value>,
    cleared: BTreeSet<u16>,
    before: BTreeMap<u16, Value>,
    result: BTreeMap<u16, Value>,
}
