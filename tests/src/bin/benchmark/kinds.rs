//! Judging and reading records on one core: statements decoded, validated and asked whether they must stay, against
//! decoding alone; and the rows of sheets located, read and compared.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use protocol::kind::KindSet;
use protocol::kind::sheet::{Grid, GridRow, Outcome, Reader, Reading, Row, Table, locate, plan};
use protocol::statement::Statement;
use protocol::value::Value;

use crate::rows::{Sheet, sheets};

/// Runs of which the best counts.
const RUNS: usize = 10;
/// Documents of one run.
const PIECE: usize = 200;

pub fn run(records: usize) {
    for sheet in sheets() {
        measure(&sheet, records);
    }
}

fn measure(sheet: &Sheet, records: usize) {
    let (kind, headers, rows) = (sheet.kind, sheet.headers(), sheet.rows(records));
    let reader = Reader::new(kind, &headers, &[]).expect("the header is one of the kind");
    let statements: Vec<Vec<u8>> = rows.iter().map(|row| statement(&reader, row)).collect();
    let decoded: Vec<Statement> = statements.iter().map(|body| decode(body)).collect();

    let is_good = |fields: &BTreeMap<u16, Value>| kind.validate(fields).is_empty() && kind.withheld(fields).is_none();
    let judge = best(&decoded, |statement| is_good(&black_box(statement).fields));
    let whole = best(&statements, |body| is_good(&decode(black_box(body)).fields));
    let decode_alone = best(&statements, |body| !decode(black_box(body)).fields.is_empty());
    let read = best(&rows, |row| matches!(reader.read(black_box(row)), Reading::Good(_)));
    let cells = records * headers.len();
    let located = once(|| grid(&headers, &rows), |grid| black_box(locate(KindSet::builtin(), None, grid)).is_ok());
    let table = Table { headers: headers.clone(), rows: rows.clone() };
    let planned = once(|| (), |()| black_box(plan(kind, &table, &[], &|_| None)).errors.is_empty());

    let rate = |seconds: f64| records as f64 / seconds;
    println!("kinds: {} ({records} records of {} columns, one core, best of {RUNS})", kind.name(), headers.len());
    println!("  validated and withheld: {:.0} documents/s", rate(judge));
    println!("  decoded, validated and withheld: {:.0} documents/s", rate(whole));
    println!("  baseline, decoded alone: {:.0}/s, ratio of times {:.2}", rate(decode_alone), whole / decode_alone);
    println!("  cells read: {:.0}/s", cells as f64 / read);
    println!("  rows located: {:.0}/s; planned: {:.0}/s, {planned:.2} s for all", rate(located), rate(planned));
}

fn statement(reader: &Reader<'_>, row: &Row) -> Vec<u8> {
    let Reading::Good(good) = reader.read(row) else { panic!("row {} is good: {:?}", row.line, reader.read(row)) };
    match reader.compare(good, None) {
        Outcome::Create(create) => create.body,
        other => panic!("row {} makes a record: {other:?}", row.line),
    }
}

fn decode(body: &[u8]) -> Statement {
    Statement::decode(body).expect("canonical bytes")
}

fn grid(headers: &[String], rows: &[Row]) -> Grid {
    let header = GridRow { line: 1, cells: headers.to_vec(), ..GridRow::default() };
    let rows = rows.iter().map(|row| GridRow { line: row.line, cells: row.cells.clone(), ..GridRow::default() });
    Grid { sheet: "表".to_owned(), rows: [header].into_iter().chain(rows).collect(), ..Grid::default() }
}

/// Seconds that work takes with all of these. Of each few the best run counts: others may be using the machine.
fn best<T>(items: &[T], work: impl Fn(&T) -> bool) -> f64 {
    let of_piece = |piece: &[T]| {
        let run = |_| {
            let begun = Instant::now();
            assert!(piece.iter().all(&work), "the rows are good");
            begun.elapsed().as_secs_f64()
        };
        (0..RUNS).map(run).fold(f64::MAX, f64::min)
    };
    items.chunks(PIECE).map(of_piece).sum()
}

/// The same for work that uses up what it works on.
fn once<T>(mut prepare: impl FnMut() -> T, work: impl Fn(T) -> bool) -> f64 {
    let mut seconds = f64::MAX;
    for _ in 0..2 {
        let prepared = prepare();
        let begun = Instant::now();
        let good = work(prepared);
        seconds = seconds.min(begun.elapsed().as_secs_f64());
        assert!(good, "the rows are good");
    }
    seconds
}
