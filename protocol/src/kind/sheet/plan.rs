//! Comparing a sheet with what was published before.

use std::collections::{BTreeMap, BTreeSet};

use super::recognise::{Column, column, unknown_headers};
use super::{CellError, Create, Existing, Plan, Revision, Row, RowFilter, Table, WithdrawnRow, WithheldRow};
use crate::kind::set::KIND_SET_VERSION;
use crate::kind::text::{narrow, normalise_header};
use crate::kind::{Kind, Rule, RuleBroken};
use crate::limits::{BODY_NONCE_BYTES, EXTERNAL_BYTES_MAX};
use crate::statement::Statement;
use crate::value::Value;

/// What publishing `table` as records of `kind` would change. `existing` finds the record of an own number among
/// those that the author published before. A row is taken when every filter takes it.
pub fn plan(kind: &Kind, table: &Table, filters: &[RowFilter], existing: &dyn Fn(&str) -> Option<Existing>) -> Plan {
    let mut planner = Planner::new(kind, table, existing);
    let Some(filters) = planner.check_header(filters) else { return planner.plan };
    for row in &table.rows {
        planner.take_row(row, &filters);
    }
    planner.plan
}

struct Planner<'a> {
    kind: &'a Kind,
    table: &'a Table,
    existing: &'a dyn Fn(&str) -> Option<Existing>,
    /// One per column of the table; `None` where the kind does not know the header.
    columns: Vec<Option<Column<'a>>>,
    /// The line on which each own number stood first.
    seen: BTreeMap<String, usize>,
    plan: Plan,
}

/// A row that was read.
struct ReadRow {
    line: usize,
    external: String,
    title: String,
    fields: BTreeMap<u16, Value>,
}

impl<'a> Planner<'a> {
    fn new(kind: &'a Kind, table: &'a Table, existing: &'a dyn Fn(&str) -> Option<Existing>) -> Self {
        let columns: Vec<_> = table.headers.iter().map(|header| column(kind, header)).collect();
        let mut plan = Plan { ignored_columns: unknown_headers(kind, &table.headers), ..Plan::default() };
        for (column, header) in
            columns.iter().zip(&table.headers).filter_map(|(column, header)| Some(((*column)?, header)))
        {
            if column.field.is_local() {
                plan.local_columns.push(header.clone());
            }
            if let (true, Some(unit)) = (column.unit_assumed, column.unit) {
                plan.assumed_units.push((header.clone(), unit.to_owned()));
            }
        }
        Self { kind, table, existing, columns, seen: BTreeMap::new(), plan }
    }

    /// Finds the columns of the filters; `None`, with errors in the plan, when the header cannot be used.
    fn check_header(&mut self, filters: &[RowFilter]) -> Option<Vec<(usize, BTreeSet<String>)>> {
        let mut first: BTreeMap<u16, usize> = BTreeMap::new();
        let mut errors = Vec::new();
        for (index, column) in self.columns.iter().enumerate().filter_map(|(index, column)| Some((index, (*column)?))) {
            if let Some(other) = first.insert(column.field.number, index) {
                let other = &self.table.headers[other];
                let zh = format!("与“{other}”两列都是“{}”；请只留一列。", column.field.zh);
                let en = format!("means the same field as `{other}`; please keep one of the two columns.");
                errors.push((index + 1, zh, en));
            }
        }
        let external = self.kind.external_field();
        if !first.contains_key(&external.number) {
            let zh = format!("没有“{}”列；请加上这一列，每行填自己的编号，以便再次导入时对得上。", external.zh);
            let en =
                format!("there is no column {}; please add it, so that a second import finds the rows.", external.en);
            errors.push((0, zh, en));
        }
        let mut wanted = Vec::new();
        for filter in filters {
            match self.find_column(&filter.header) {
                Some(index) => wanted.push((index, filter.values.iter().map(|value| narrow(value)).collect())),
                None => {
                    let zh = format!("没有用来挑选行的列“{}”；请核对表头。", filter.header);
                    errors.push((0, zh, format!("there is no column `{}` to pick rows by.", filter.header)));
                }
            }
        }
        let usable = errors.is_empty();
        for (column, zh, en) in errors {
            self.error(0, column, Rule::ColumnWrong, "", zh, en);
        }
        usable.then_some(wanted)
    }

    fn find_column(&self, header: &str) -> Option<usize> {
        let same = self.table.headers.iter().position(|found| normalise_header(found) == normalise_header(header));
        same.or_else(|| {
            let field = self.kind.field_named(header)?.number;
            self.columns.iter().position(|column| column.is_some_and(|column| column.field.number == field))
        })
    }

    fn take_row(&mut self, row: &Row, filters: &[(usize, BTreeSet<String>)]) {
        if row.cells.iter().all(|cell| narrow(cell).is_empty()) {
            return;
        }
        self.plan.rows_read += 1;
        let (found, wanted) = (row.cells.len(), self.table.headers.len());
        if found < wanted || row.cells[wanted..].iter().any(|cell| !narrow(cell).is_empty()) {
            let zh = format!("第 {} 行有 {found} 格，表头有 {wanted} 列；请补齐或删去多出的格。", row.line);
            let en = format!("line {} has {found} cells and the header {wanted}; please make them agree.", row.line);
            return self.error(row.line, 0, Rule::RowRagged, "", zh, en);
        }
        if filters.iter().any(|(index, values)| !values.contains(&narrow(&row.cells[*index]))) {
            self.plan.filtered_out += 1;
            return;
        }
        if let Some(read) = self.read_row(row) {
            self.compare(read, row);
        }
    }

    /// Reads the cells; `None`, with errors in the plan, when the row is wrong.
    fn read_row(&mut self, row: &Row) -> Option<ReadRow> {
        let errors_before = self.plan.errors.len();
        let (mut fields, mut failed) = (BTreeMap::new(), BTreeSet::new());
        for (index, column) in self.columns.clone().into_iter().enumerate() {
            // What stays on the node is not even read: a strange telephone number is no reason to refuse the row.
            let Some(Column { field, unit, .. }) = column.filter(|column| !column.field.is_local()) else { continue };
            match field.parse_in(&row.cells[index], unit) {
                Ok(Some(value)) => drop(fields.insert(field.number, value)),
                Ok(None) => {}
                Err(broken) => {
                    failed.insert(field.number);
                    self.broken(row.line, &broken);
                }
            }
        }
        let external = self.read_external(row.line, &fields, &failed);
        if self.plan.errors.len() > errors_before {
            // Name every obligatory cell that is missing now, so that the sheet comes back with all its errors.
            let missing = self.kind.validate(&fields);
            let missing =
                missing.iter().filter(|broken| broken.rule == Rule::FieldMissing && !failed.contains(&broken.field));
            missing.for_each(|broken| self.broken(row.line, broken));
            return None;
        }
        Some(ReadRow { line: row.line, external: external?, title: self.kind.title(&fields), fields })
    }

    fn read_external(&mut self, line: usize, fields: &BTreeMap<u16, Value>, failed: &BTreeSet<u16>) -> Option<String> {
        let field = self.kind.external_field();
        let external = fields.get(&field.number).map(|value| field.render(value)).unwrap_or_default();
        let broken = if external.is_empty() {
            let en = "is missing; please give every row its own number, so that a second import finds it";
            field.broken(Rule::ExternalMissing, "", "没有填；请给每行一个自己的编号，以便再次导入时对得上", en)
        } else if external.len() > EXTERNAL_BYTES_MAX {
            let zh = format!("太长；最多 {EXTERNAL_BYTES_MAX} 字节");
            field.broken(Rule::TooLong, &external, &zh, &format!("is too long: at most {EXTERNAL_BYTES_MAX} bytes"))
        } else if let Some(first) = self.seen.get(&external) {
            let zh = format!("在第 {first} 行和第 {line} 行重复；请改成不同的编号或删去一行");
            let en = format!("stands on line {first} and on line {line}; please give one another number or remove it");
            field.broken(Rule::ExternalDuplicate, &external, &zh, &en)
        } else {
            self.seen.insert(external.clone(), line);
            return Some(external);
        };
        if !failed.contains(&field.number) {
            self.broken(line, &broken);
        }
        None
    }

    /// Compares a row with its record.
    fn compare(&mut self, read: ReadRow, row: &Row) {
        let ReadRow { line, external, title, fields } = read;
        let existing = (self.existing)(&external);
        let record = existing.as_ref().map(|existing| existing.record);
        let (set, cleared, result) = match &existing {
            None => (fields.clone(), BTreeSet::new(), fields),
            Some(existing) => self.difference(fields, existing),
        };
        if let Some(withheld) = self.kind.withheld(&result) {
            let (reason_zh, reason_en) = (withheld.zh, withheld.en);
            self.plan.withheld.push(WithheldRow { line, external, title, record, reason_zh, reason_en });
            return;
        }
        if let Some(existing) = existing.as_ref().filter(|existing| existing.withdrawn) {
            self.plan.withdrawn.push(WithdrawnRow { line, external, title, record: existing.record });
            return;
        }
        if existing.is_some() && set.is_empty() && cleared.is_empty() {
            self.plan.unchanged += 1;
            return;
        }
        let broken = self.kind.validate(&result);
        if !broken.is_empty() {
            return broken.iter().for_each(|broken| self.broken(line, broken));
        }
        if Statement::create([0; BODY_NONCE_BYTES], KIND_SET_VERSION, Some(external.clone()), result).encode().is_err()
        {
            let zh = format!("第 {} 行内容太多，一条记录装不下；请缩短文字。", row.line);
            let en = format!("line {} holds more than one record can; please shorten its texts.", row.line);
            return self.error(line, 0, Rule::TooLong, "", zh, en);
        }
        match record {
            None => self.plan.creates.push(Create { line, external, title, fields: set }),
            Some(record) => self.plan.revisions.push(Revision { line, external, title, record, set, cleared }),
        }
    }

    /// What a row sets and clears in a record, and the fields that result. A blank cell clears; a column that the sheet
    /// does not have touches nothing.
    fn difference(
        &self,
        fields: BTreeMap<u16, Value>,
        existing: &Existing,
    ) -> (BTreeMap<u16, Value>, BTreeSet<u16>, BTreeMap<u16, Value>) {
        let columns = self.columns.iter().flatten().filter(|column| !column.field.is_local());
        let cleared: BTreeSet<u16> = columns
            .map(|column| column.field.number)
            .filter(|number| !fields.contains_key(number) && existing.fields.contains_key(number))
            .collect();
        let mut result = existing.fields.clone();
        result.retain(|number, _| !cleared.contains(number));
        result.extend(fields.clone());
        let set = fields.into_iter().filter(|(number, value)| existing.fields.get(number) != Some(value)).collect();
        (set, cleared, result)
    }

    fn broken(&mut self, line: usize, broken: &RuleBroken) {
        let same = |column: &Option<Column<'_>>| column.is_some_and(|column| column.field.number == broken.field);
        let column = self.columns.iter().position(same).map_or(0, |index| index + 1);
        self.error(line, column, broken.rule, &broken.value, broken.zh.clone(), broken.en.clone());
    }

    fn error(&mut self, line: usize, column: usize, rule: Rule, value: &str, zh: String, en: String) {
        let header = column.checked_sub(1).and_then(|index| self.table.headers.get(index)).cloned().unwrap_or_default();
        self.plan.errors.push(CellError { line, column, rule, header, value: value.to_owned(), zh, en });
    }
}
