//! Judging and reading records on one core: statements decoded, validated and asked whether they must stay, against
//! decoding alone and against parsing the same document as JSON; and the rows of sheets read and compared.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use protocol::kind::KindSet;
use protocol::kind::sheet::{Grid, GridRow, Outcome, Reader, Reading, Row, Table, locate, plan};
use protocol::statement::Statement;

use crate::rows::{Sheet, sheets};

/// Each figure is the best of so many runs: others may be using the machine.
const RUNS: usize = 5;

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
    let documents: Vec<String> = rows.iter().map(|row| json(&headers, row)).collect();

    let judge = best(|| {
        for statement in &decoded {
            let broken = black_box(kind).validate(black_box(&statement.fields));
            assert!(broken.is_empty() && kind.withheld(&statement.fields).is_none(), "the rows are good");
        }
    });
    let whole = best(|| {
        for body in &statements {
            let statement = decode(black_box(body));
            black_box(kind.validate(&statement.fields).is_empty() && kind.withheld(&statement.fields).is_none());
        }
    });
    let decode_alone = best(|| statements.iter().for_each(|body| drop(black_box(decode(black_box(body))))));
    let json = best(|| {
        for document in &documents {
            black_box(serde_json::from_str::<serde_json::Value>(black_box(document)).expect("it is JSON"));
        }
    });
    let cells = records * headers.len();
    let read = best(|| rows.iter().for_each(|row| drop(black_box(reader.read(black_box(row))))));
    let located = once(|| grid(&headers, &rows), |grid| black_box(locate(KindSet::builtin(), None, grid)).is_ok());
    let table = Table { headers: headers.clone(), rows: rows.clone() };
    let planned = once(|| (), |()| black_box(plan(kind, &table, &[], &|_| None)).errors.is_empty());

    let rate = |seconds: f64| records as f64 / seconds;
    println!("kinds: {} ({records} records of {} columns, one core, best of {RUNS})", kind.name(), headers.len());
    println!("  validated and withheld: {:.0} documents/s", rate(judge));
    println!("  decoded, validated and withheld: {:.0} documents/s", rate(whole));
    println!("  baseline, decoded alone: {:.0}/s, ratio of times {:.2}", rate(decode_alone), whole / decode_alone);
    println!("  baseline, the same document parsed as JSON: {:.0}/s, ratio of times {:.2}", rate(json), whole / json);
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

fn json(headers: &[String], row: &Row) -> String {
    let fields: BTreeMap<&String, &String> = headers.iter().zip(&row.cells).collect();
    serde_json::to_string(&fields).expect("texts are JSON")
}

fn grid(headers: &[String], rows: &[Row]) -> Grid {
    let header = GridRow { line: 1, cells: headers.to_vec(), ..GridRow::default() };
    let rows = rows.iter().map(|row| GridRow { line: row.line, cells: row.cells.clone(), ..GridRow::default() });
    Grid { sheet: "表".to_owned(), rows: [header].into_iter().chain(rows).collect(), ..Grid::default() }
}

/// Seconds of the best run.
fn best(mut work: impl FnMut()) -> f64 {
    let mut seconds = f64::MAX;
    for _ in 0..RUNS {
        let begun = Instant::now();
        work();
        seconds = seconds.min(begun.elapsed().as_secs_f64());
    }
    seconds
}

/// The same for work that takes what it works on and must succeed.
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
