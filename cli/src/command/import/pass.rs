//! Going through a sheet, a batch of rows at a time: cells are read, compared with the member's own records, and the
//! statements that follow are checked by the node, or published. While the node works on a batch, the rows of the next one
//! are read.
//!
//! The first pass publishes nothing and finds everything that is wrong. The second reads the same rows again, so that no
//! plan of a long sheet is ever held: what is kept between the passes are counts, errors and the lines with errors.

use std::collections::{BTreeMap, BTreeSet};

use indicatif::{ProgressBar, ProgressStyle};
use node::records::LOOKUP_NUMBERS_MAX;
use protocol::kind::Kind;
use protocol::kind::sheet::{CellError, Columns, Existing, Located, Numbers, Outcome, Reader, Reading, Row, RowFilter};
use rayon::prelude::*;

use super::send::{Batch, Courier, Purpose, Refused};
use super::tally::{Fault, Tally};
use crate::client::Client;
use crate::command::interrupt::Interrupt;
use crate::command::statements::{self, ForWhom};
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// What both passes over all sheets share.
pub struct Job<'a> {
    /// The node.
    pub client: &'a Client,
    /// Which rows are taken.
    pub filters: &'a [RowFilter],
    /// Who may read the records.
    pub for_whom: ForWhom<'a>,
    /// Statements in a batch.
    pub batch_size: usize,
    /// Whether rows with errors are left out.
    pub partial: bool,
    /// Whether the person at the keyboard has had enough.
    pub interrupt: Interrupt,
    /// How far it is.
    pub bar: ProgressBar,
    /// Own numbers met in this pass, by kind.
    pub numbers: BTreeMap<u16, Numbers>,
}

/// A row with the errors that its file has.
type Item<'s> = (&'s Row, &'s [CellError]);

/// A pass over one sheet.
struct Pass<'a, 'j, 'scope, 'env> {
    job: &'j mut Job<'a>,
    reader: Reader<'static>,
    tally: &'j mut Tally,
    rows: &'j [Item<'j>],
    purpose: Purpose,
    batch: Batch,
    courier: Courier<'scope, 'env>,
}

impl Job<'_> {
    /// Finds out what publishing a sheet would do, and publishes nothing.
    pub fn check(&mut self, located: &Located<'static>) -> Result<Tally, Failure> {
        let (kind, headers) = (located.kind, &located.table.headers);
        let mut tally = Tally::new(&located.sheet, kind, located.header_line, Columns::of(kind, headers));
        let skipped = located.skipped.iter();
        tally.skipped = skipped.map(|row| (row.line, row.reason.zh().to_owned(), row.reason.en().to_owned())).collect();
        tally.header_notices.extend(located.notices.iter().cloned());
        match Reader::new(kind, headers, self.filters) {
            Ok(reader) => self.go_through(located, reader, &mut tally, Purpose::Check)?,
            Err(errors) => errors.iter().for_each(|error| tally.take_error(error)),
        }
        Ok(tally)
    }

    /// Publishes a sheet that was checked, without the lines in which something is wrong.
    pub fn publish(&mut self, located: &Located<'static>, tally: &mut Tally) -> Result<(), Failure> {
        match Reader::new(located.kind, &located.table.headers, self.filters) {
            Ok(reader) => self.go_through(located, reader, tally, Purpose::Publish),
            Err(_) => Ok(()),
        }
    }

    fn go_through(
        &mut self,
        located: &Located<'static>,
        reader: Reader<'static>,
        tally: &mut Tally,
        purpose: Purpose,
    ) -> Result<(), Failure> {
        let rows = in_order(located);
        // A template as it was made asks nothing of the charter.
        if rows.is_empty() {
            return Ok(());
        }
        let reader = reader.under(statements::version(self.client, located.kind)?);
        self.numbers.entry(located.kind.number()).or_default().begin(&located.sheet);
        std::thread::scope(|scope| {
            // Without its bad rows a batch that is published is another one, which nobody asked for.
            let whole = purpose == Purpose::Publish && !self.partial;
            let courier = Courier::new(scope, self.client, self.for_whom, purpose, whole);
            let mut pass = Pass { job: self, reader, tally, rows: &rows, purpose, batch: Batch::default(), courier };
            let gone = pass.all();
            // What is on its way counts, whatever has stopped the pass.
            let settled = pass.settle();
            gone.and(settled)
        })
    }
}

/// The rows of a sheet and those with cells that cannot be read, by line.
fn in_order<'s>(located: &'s Located<'_>) -> Vec<Item<'s>> {
    let good = located.table.rows.iter().map(|row| (row, &[][..]));
    let faulty = located.faulty.iter().map(|faulty| (&faulty.row, &faulty.errors[..]));
    let mut rows: Vec<Item<'_>> = good.chain(faulty).collect();
    rows.sort_by_key(|(row, _)| row.line);
    rows
}

impl Pass<'_, '_, '_, '_> {
    fn all(&mut self) -> Result<(), Failure> {
        for piece in self.rows.chunks(LOOKUP_NUMBERS_MAX) {
            self.check_interrupt()?;
            self.take(piece)?;
            self.job.bar.inc(piece.len() as u64);
        }
        self.flush()
    }

    fn take(&mut self, piece: &[Item<'_>]) -> Result<(), Failure> {
        let kind = self.reader.kind();
        let reader = &self.reader;
        let readings: Vec<Reading> = piece.par_iter().map(|(row, faults)| reader.read_faulty(row, faults)).collect();
        let mut good = Vec::with_capacity(readings.len());
        let numbers = self.job.numbers.entry(kind.number()).or_default();
        for reading in readings {
            let reading = numbers.admit(reader, reading);
            if self.purpose == Purpose::Check {
                self.tally.take_reading(&reading);
            }
            match reading {
                // What the first pass left out stays out.
                Reading::Good(row) if !self.tally.marks.contains_key(&row.line) => good.push(row),
                _ => {}
            }
        }
        if self.purpose == Purpose::Check {
            good.iter().flat_map(|row| reader.notices(row)).for_each(|notice| self.tally.take_notice(notice));
        }
        let asked: Vec<String> = good.iter().map(|row| row.external.clone()).collect();
        let existing = statements::look_up(self.job.client, kind, asked)?;
        let outcomes: Vec<Outcome> = good.into_par_iter().map(|row| compare(reader, row, &existing)).collect();
        for outcome in outcomes {
            if self.purpose == Purpose::Check {
                self.tally.take_outcome(&outcome);
            }
            self.put(kind, outcome)?;
        }
        Ok(())
    }

    /// Adds what a row says to the batch.
    fn put(&mut self, kind: &Kind, outcome: Outcome) -> Result<(), Failure> {
        let (line, body) = match outcome {
            Outcome::Create(create) => (create.line, create.body),
            Outcome::Revise(revision) => (revision.line, revision.body),
            // The record was changed by somebody else after the first pass.
            Outcome::Wrong(errors) if self.purpose == Purpose::Publish => {
                errors.iter().for_each(|error| self.tally.take_error(error));
                return if self.job.partial { Ok(()) } else { Err(self.refused_late()) };
            }
            _ => return Ok(()),
        };
        self.batch.push(kind.number(), line, &body);
        if self.batch.is_full(self.job.batch_size) { self.flush() } else { Ok(()) }
    }

    /// Gives the batch to the node once it has taken the one before, and goes on while the node works.
    fn flush(&mut self) -> Result<(), Failure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.check_interrupt()?;
        self.settle()?;
        self.courier.hand_over(std::mem::take(&mut self.batch));
        Ok(())
    }

    /// Waits for the batch that is on its way, and notes what became of it.
    fn settle(&mut self) -> Result<(), Failure> {
        let Some(sent) = self.courier.answer() else { return Ok(()) };
        let sent = sent?;
        if self.purpose == Purpose::Publish {
            self.tally.published += sent.taken;
            self.tally.take_hints(sent.hints);
        }
        let is_refused = !sent.refused.is_empty();
        for refused in sent.refused {
            let fault = self.fault(refused);
            self.tally.take_fault(fault);
        }
        if is_refused && self.purpose == Purpose::Publish && !self.job.partial {
            return Err(self.refused_late());
        }
        Ok(())
    }

    /// A refusal of the node at its cell.
    fn fault(&self, refused: Refused) -> Fault {
        let Refused { line, field, code, zh, en } = refused;
        let column = field.and_then(|field| self.reader.column_named(&field)).unwrap_or_default();
        let row = self.rows.binary_search_by_key(&line, |(row, _)| row.line).ok().map(|index| self.rows[index].0);
        // Of the row as a whole, its own number says which it is.
        let shown = match column {
            0 => self.reader.column_named(&self.reader.kind().external_field().name),
            column => Some(column),
        };
        let value = row.zip(shown).and_then(|(row, column)| row.cells.get(column - 1)).cloned().unwrap_or_default();
        Fault { line, column, header: self.reader.header(column).to_owned(), value, code, zh, en }
    }

    fn refused_late(&self) -> Failure {
        let (zh, en) = (
            "首轮核对之后情况有变，节点拒绝了这一批。",
            "something changed after the check: the node refused this batch",
        );
        Failure::new(ExitCode::InputRefused, "batch-refused", zh, en).fix(
            "请按下面列出的行改正，再执行一次同样的命令：会接着发。",
            "correct the rows that are listed and give the same command again: it goes on from there",
        )
    }

    fn check_interrupt(&self) -> Result<(), Failure> {
        if !self.job.interrupt.requested() {
            return Ok(());
        }
        Err(Failure::new(ExitCode::Interrupted, "interrupted", "导入被中断。", "the import was interrupted"))
    }
}

fn compare(reader: &Reader<'_>, row: protocol::kind::sheet::ReadRow, existing: &BTreeMap<String, Existing>) -> Outcome {
    let found = existing.get(&row.external);
    reader.compare(row, found)
}

/// Drawn on standard error, and only where somebody looks at it.
pub fn progress_bar(zh: &str, rows: usize) -> ProgressBar {
    let bar = ProgressBar::new(rows as u64);
    let template = format!("{zh} {{bar:30}} {{pos}}/{{len}} {{per_sec}} {{eta}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

/// Members that the rows name and that are not the one that imports: their names and how many rows each has.
pub fn other_members(sheets: &[&BTreeMap<String, usize>], own: &BTreeSet<String>) -> BTreeMap<String, usize> {
    let mut others: BTreeMap<String, usize> = BTreeMap::new();
    for (member, rows) in sheets.iter().copied().flatten() {
        *others.entry(member.clone()).or_default() += rows;
    }
    let known = others.keys().any(|member| own.contains(member));
    // Nobody may have said yet under which number this member goes in sheets: then one member alone is its own.
    if !known && others.len() < 2 {
        return BTreeMap::new();
    }
    others.retain(|member, _| !own.contains(member));
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_other_members_are_counted() {
        let rows = |rows: &[(&str, usize)]| -> BTreeMap<String, usize> {
            rows.iter().map(|(member, rows)| ((*member).to_owned(), *rows)).collect()
        };
        let own = BTreeSet::from(["奉节县".to_owned(), "XY001".to_owned()]);
        let (first, second) = (rows(&[("XY001", 3), ("XY002", 2)]), rows(&[("XY002", 1)]));
        assert_eq!(other_members(&[&first, &second], &own), rows(&[("XY002", 3)]));
        assert_eq!(other_members(&[&second], &own), rows(&[]), "nobody said yet which number is one's own");
        assert_eq!(other_members(&[&rows(&[("XY001", 9)])], &own), rows(&[]));
        let neither = rows(&[("XY003", 1), ("XY004", 1)]);
        assert_eq!(other_members(&[&neither], &own), neither);
    }
}
