//! A small sheet compared as a whole with what was published before.

use super::{
    CellError, Columns, Create, Existing, Numbers, Outcome, Reader, Reading, Revision, RowFilter, Table, WithdrawnRow,
    WithheldRow,
};
use crate::kind::Kind;

/// What publishing a sheet would change, and what stands in its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Rows that are not blank.
    pub rows_read: usize,
    /// Rows that the filters left out.
    pub filtered_out: usize,
    /// Rows that become new records.
    pub creates: Vec<Create>,
    /// Rows that change records.
    pub revisions: Vec<Revision>,
    /// Rows that say what their records say already.
    pub unchanged: usize,
    /// Rows that must not leave the node.
    pub withheld: Vec<WithheldRow>,
    /// Rows whose records were withdrawn: left alone, since a sheet does not bring back what a person took away.
    pub withdrawn: Vec<WithdrawnRow>,
    /// What is wrong, in the order of the lines. A row with an error is in none of the lists above.
    pub errors: Vec<CellError>,
    /// What the header says of columns that are not simply read.
    pub columns: Columns,
}

/// What publishing `table` as records of `kind` would change. `existing` finds the record of an own number among
/// those that the author published before. A row is taken when every filter takes it.
pub fn plan(kind: &Kind, table: &Table, filters: &[RowFilter], existing: &dyn Fn(&str) -> Option<Existing>) -> Plan {
    let mut plan = Plan { columns: Columns::of(kind, &table.headers), ..Plan::default() };
    let reader = match Reader::new(kind, &table.headers, filters) {
        Ok(reader) => reader,
        Err(errors) => return Plan { errors, ..plan },
    };
    let mut numbers = Numbers::default();
    for row in &table.rows {
        let reading = numbers.admit(&reader, reader.read(row));
        plan.rows_read += usize::from(reading != Reading::Blank);
        match reading {
            Reading::Blank => {}
            Reading::FilteredOut => plan.filtered_out += 1,
            Reading::Wrong { errors, .. } => plan.errors.extend(errors),
            Reading::Good(read) => {
                let existing = existing(&read.external);
                plan.take(reader.compare(read, existing.as_ref()));
            }
        }
    }
    plan
}

impl Plan {
    fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Create(create) => self.creates.push(create),
            Outcome::Revise(revision) => self.revisions.push(revision),
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Withheld(row) => self.withheld.push(row),
            Outcome::Withdrawn(row) => self.withdrawn.push(row),
            Outcome::Wrong(errors) => self.errors.extend(errors),
        }
    }
}
