//! What came out of a sheet: counts, what is shown, and what is wrong, bounded in memory however long the sheet is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use node::api::types::ProblemDetail;
use node::workbook::Mark;
use protocol::kind::Kind;
use protocol::kind::sheet::{
    CellError, CellNotice, Columns, Outcome, Reading, Revision, SheetNotice, WithdrawnRow, WithheldRow, column_letter,
};

/// Changes, notices and member names that are kept to be shown; the rest is only counted.
pub const SHOWN_MAX: usize = 30;
/// Errors that are kept; the rest is only counted. Every wrong row is marked all the same.
pub const ERRORS_KEPT_MAX: usize = 10_000;
/// Members that are told apart in one sheet.
const MEMBERS_MAX: usize = 1_000;
/// Bytes of a row's reasons in the sheet that comes back.
const REASON_BYTES_MAX: usize = 2_000;

/// What is wrong with a cell, a row or the header, whoever found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line of the sheet.
    pub line: usize,
    /// The column, from 1; 0 for the row as a whole.
    pub column: usize,
    /// The header of the column.
    pub header: String,
    /// The text of the cell; of a row its own number.
    pub value: String,
    /// The rule, by its stable name.
    pub code: Cow<'static, str>,
    /// What is wrong and the way out, in Chinese.
    pub zh: String,
    /// What is wrong and the way out, in English.
    pub en: String,
}

/// A field that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name in Chinese.
    pub zh: String,
    /// Its identifier.
    pub name: String,
    /// What it held; empty when nothing.
    pub before: String,
    /// What it is to hold; empty when nothing.
    pub after: String,
}

/// A row that changes its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// The line of the sheet.
    pub line: usize,
    /// The own number.
    pub external: String,
    /// The title.
    pub title: String,
    /// What changes.
    pub fields: Vec<FieldChange>,
}

/// What came out of one sheet.
#[derive(Debug, Clone)]
pub struct Tally {
    /// The sheet's name.
    pub name: String,
    /// What its rows are.
    pub kind: &'static Kind,
    /// The line of its header.
    pub header_line: usize,
    /// What the header says of columns that are not simply read.
    pub columns: Columns,
    /// Lines that are no records, with the reason in Chinese and English: titles, totals, notes, examples.
    pub skipped: Vec<(usize, String, String)>,
    /// Rows that are not blank.
    pub read: usize,
    /// Rows that the filters left out.
    pub filtered_out: usize,
    /// Rows that become new records.
    pub new: usize,
    /// Rows that change records.
    pub changed: usize,
    /// Rows that say what their records say already.
    pub unchanged: usize,
    /// The first rows that change records.
    pub changes: Vec<RowChange>,
    /// Rows that must not leave the node.
    pub withheld: Vec<WithheldRow>,
    /// Rows whose records were withdrawn.
    pub withdrawn: Vec<WithdrawnRow>,
    /// What a person should know of the header.
    pub header_notices: Vec<SheetNotice>,
    /// What a person should look at, the first ones.
    pub notices: Vec<CellNotice>,
    /// How many there are.
    pub notices_count: usize,
    /// What is wrong, the first ones.
    pub errors: Vec<Fault>,
    /// How many there are.
    pub errors_count: usize,
    /// Every line with an error, for the sheet that comes back.
    pub marks: BTreeMap<usize, Mark>,
    /// Whose rows these are, where the sheet says so.
    pub members: BTreeMap<String, usize>,
    /// What was published.
    pub published: usize,
    /// What to look at after publishing, the first ones.
    pub hints: Vec<ProblemDetail>,
}

impl Tally {
    /// Keeps what the node said of what it published.
    pub fn take_hints(&mut self, hints: Vec<ProblemDetail>) {
        let room = SHOWN_MAX.saturating_sub(self.hints.len());
        self.hints.extend(hints.into_iter().take(room));
    }

    /// Before the first row.
    pub fn new(name: &str, kind: &'static Kind, header_line: usize, columns: Columns) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            header_line,
            columns,
            skipped: Vec::new(),
            read: 0,
            filtered_out: 0,
            new: 0,
            changed: 0,
            unchanged: 0,
            changes: Vec::new(),
            withheld: Vec::new(),
            withdrawn: Vec::new(),
            header_notices: Vec::new(),
            notices: Vec::new(),
            notices_count: 0,
            errors: Vec::new(),
            errors_count: 0,
            marks: BTreeMap::new(),
            members: BTreeMap::new(),
            published: 0,
            hints: Vec::new(),
        }
    }

    /// Counts a row that was read.
    pub fn take_reading(&mut self, reading: &Reading) {
        self.read += usize::from(*reading != Reading::Blank);
        match reading {
            Reading::Blank => {}
            Reading::FilteredOut => self.filtered_out += 1,
            Reading::Wrong { errors, .. } => errors.iter().for_each(|error| self.take_error(error)),
            Reading::Good(row) => {
                let known = self.members.len() < MEMBERS_MAX || self.members.contains_key(&row.member);
                if !row.member.is_empty() && known {
                    *self.members.entry(row.member.clone()).or_default() += 1;
                }
            }
        }
    }

    /// Counts what publishing a row would do.
    pub fn take_outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Create(_) => self.new += 1,
            Outcome::Revise(revision) => {
                self.changed += 1;
                if self.changes.len() < SHOWN_MAX {
                    self.changes.push(row_change(self.kind, revision));
                }
            }
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Withheld(row) => self.withheld.push(row.clone()),
            Outcome::Withdrawn(row) => self.withdrawn.push(row.clone()),
            Outcome::Wrong(errors) => errors.iter().for_each(|error| self.take_error(error)),
        }
    }

    /// Notes what a person should look at.
    pub fn take_notice(&mut self, notice: CellNotice) {
        self.notices_count += 1;
        if self.notices.len() < SHOWN_MAX {
            self.notices.push(notice);
        }
    }

    /// Notes an error that the sheet alone shows.
    pub fn take_error(&mut self, error: &CellError) {
        // The reader knows the header as line 0.
        let line = if error.line == 0 { self.header_line } else { error.line };
        self.take_fault(Fault {
            line,
            column: error.column,
            header: error.header.clone(),
            value: error.value.clone(),
            code: error.rule.id().into(),
            zh: error.zh.clone(),
            en: error.en.clone(),
        });
    }

    /// Notes an error.
    pub fn take_fault(&mut self, fault: Fault) {
        self.errors_count += 1;
        let mark = self.marks.entry(fault.line).or_default();
        if fault.column > 0 {
            mark.columns.insert(fault.column);
        }
        add_reason(&mut mark.reason_zh, &fault.zh, "；");
        add_reason(&mut mark.reason_en, &fault.en, "; ");
        if self.errors.len() < ERRORS_KEPT_MAX {
            self.errors.push(fault);
        }
    }

    /// What would be published.
    pub fn wanted(&self) -> usize {
        self.new + self.changed
    }

    /// A cell of this sheet as spreadsheets name it: `项目!E7`; a whole row is `项目!7`.
    pub fn place(&self, line: usize, column: usize) -> String {
        format!("{}!{}{line}", self.name, column_letter(column))
    }

    /// Rows with errors; the header is none.
    pub fn wrong_rows(&self) -> usize {
        self.marks.keys().filter(|line| **line != self.header_line).count()
    }
}

fn add_reason(reason: &mut String, more: &str, separator: &str) {
    if reason.len() + more.len() > REASON_BYTES_MAX && !reason.is_empty() {
        if !reason.ends_with('…') {
            reason.push('…');
        }
        return;
    }
    if !reason.is_empty() {
        reason.push_str(separator);
    }
    reason.push_str(more.trim_end_matches(['。', '.']));
}

fn row_change(kind: &Kind, revision: &Revision) -> RowChange {
    let touched: BTreeSet<u16> = revision.set.keys().chain(&revision.cleared).copied().collect();
    let fields = touched.iter().filter_map(|number| {
        let field = kind.field(*number)?;
        let text = |value| field.display(value);
        Some(FieldChange {
            zh: field.zh.clone(),
            name: field.name.clone(),
            before: revision.before.get(number).map(text).unwrap_or_default(),
            after: revision.set.get(number).map(text).unwrap_or_default(),
        })
    });
    RowChange {
        line: revision.line,
        external: revision.external.clone(),
        title: revision.title.clone(),
        fields: fields.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::statements;

    fn tally() -> Tally {
        let kind = statements::kind("fund").expect("a built-in kind");
        Tally::new("基金", kind, 3, Columns::default())
    }

    fn fault(line: usize, column: usize) -> Fault {
        let (header, value) = ("规模".to_owned(), "五个".to_owned());
        Fault { line, column, header, value, code: "x".into(), zh: "不是数。".into(), en: "no number.".into() }
    }

    #[test]
    fn errors_are_bounded_and_every_wrong_row_is_marked() {
        let mut tally = tally();
        (0..ERRORS_KEPT_MAX + 5).for_each(|index| tally.take_fault(fault(index + 4, 4)));
        assert_eq!((tally.errors.len(), tally.errors_count), (ERRORS_KEPT_MAX, ERRORS_KEPT_MAX + 5));
        assert_eq!(tally.wrong_rows(), ERRORS_KEPT_MAX + 5);
        assert_eq!(tally.place(7, 5), "基金!E7");
        assert_eq!(tally.place(7, 0), "基金!7");
    }

    #[test]
    fn the_reasons_of_a_row_stand_together_and_end() {
        let mut tally = tally();
        tally.take_fault(fault(4, 4));
        tally.take_fault(fault(4, 2));
        let mark = &tally.marks[&4];
        assert_eq!((mark.reason_zh.as_str(), mark.reason_en.as_str()), ("不是数；不是数", "no number; no number"));
        assert_eq!(mark.columns, BTreeSet::from([2, 4]));
        (0..2_000).for_each(|_| tally.take_fault(fault(4, 4)));
        assert!(tally.marks[&4].reason_zh.len() <= REASON_BYTES_MAX + 8 && tally.marks[&4].reason_zh.ends_with('…'));
    }
}
