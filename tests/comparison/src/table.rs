//! The table: absolute figures, ratios to Xianmeng, and where Xianmeng loses.

use crate::story::{Figures, Outcome};

const FIRST_WIDTH: usize = 34;
const WIDTH: usize = 21;
/// Ratios this close to one are no difference.
const EVEN: std::ops::RangeInclusive<f64> = 0.95..=1.05;

/// A row: what it is called, the figure, how it is written, and what it is when counts differ.
struct Row {
    name: &'static str,
    figure: fn(&Figures) -> f64,
    unit: Unit,
    /// Whether it grows with the count, so that different counts are compared by the record.
    per_record: bool,
}

#[derive(Clone, Copy)]
enum Unit {
    Seconds,
    Milliseconds,
    Bytes,
}

const fn row(name: &'static str, figure: fn(&Figures) -> f64, unit: Unit, per_record: bool) -> Row {
    Row { name, figure, unit, per_record }
}

const ROWS: [Row; 12] = [
    row("publish all on A, durable", |of| of.publish_s, Unit::Seconds, true),
    row("cold catch-up of B", |of| of.catch_up_s, Unit::Seconds, true),
    row("catch-up, bytes per record", |of| of.catch_up_bytes as f64 / of.records as f64, Unit::Bytes, false),
    row("live, A until readable on B, p50", |of| of.live_p50_s, Unit::Milliseconds, false),
    row("live, A until readable on B, p99", |of| of.live_p99_s, Unit::Milliseconds, false),
    row("start of B, all on disk", |of| of.start_s, Unit::Milliseconds, true),
    row("then re-sync, nothing new", |of| of.same_s, Unit::Milliseconds, false),
    row("nothing new, bytes in all", |of| of.same_bytes as f64, Unit::Bytes, false),
    row("after a start, re-sync, 1 % new", |of| of.fresh_s, Unit::Milliseconds, true),
    row("1 % new, bytes per new record", |of| of.fresh_bytes as f64 / of.fresh.max(1) as f64, Unit::Bytes, false),
    row("disk of B per record, store", |of| of.store_bytes as f64 / of.held as f64, Unit::Bytes, false),
    row("disk of B per record, everything", |of| of.disk_bytes as f64 / of.held as f64, Unit::Bytes, false),
];

/// Everything that the run found out. The first outcome is what the others are compared with.
pub fn print(outcomes: &[Outcome]) {
    for outcome in outcomes {
        let Some(about) = &outcome.about else { continue };
        println!("{:<11} {}; {}", outcome.name, about.version, about.signed);
        println!("{:<11} {}", "", about.durability);
    }
    let good: Vec<(&Outcome, &Figures)> =
        outcomes.iter().filter_map(|outcome| Some((outcome, outcome.figures.as_ref().ok()?))).collect();
    let own = good.first().filter(|(outcome, _)| outcome.name == "xianmeng").map(|(_, figures)| *figures);
    if !good.is_empty() {
        println!();
        line("", good.iter().map(|(outcome, _)| outcome.name.to_owned()));
        line("records", good.iter().map(|(_, figures)| figures.records.to_string()));
        for row in &ROWS {
            line(row.name, good.iter().map(|(_, figures)| cell(row, figures, own)));
        }
        println!("(×: how many times Xianmeng's figure. Above 1 the other system needs more.)");
    }
    for (outcome, figures) in &good {
        if figures.settle_s >= 0.1 {
            println!("{}: after catching up it worked {:.1} s more, on its indexes", outcome.name, figures.settle_s);
        }
    }
    for outcome in outcomes {
        if let Some(fewer) = &outcome.fewer {
            println!("{}: FEWER RECORDS, because {fewer}; rows that grow are compared by the record", outcome.name);
        }
        if let Err(error) = &outcome.figures {
            println!("{}: FAILED: {error:#}", outcome.name);
        }
    }
    if let Some(own) = own {
        print_losses(own, &good[1..]);
    }
}

fn line(name: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.map(|cell| format!("{cell:>WIDTH$}")).collect();
    println!("{name:<FIRST_WIDTH$}{}", cells.concat());
}

fn cell(row: &Row, figures: &Figures, own: Option<&Figures>) -> String {
    let figure = (row.figure)(figures);
    let text = match row.unit {
        Unit::Seconds => format!("{figure:.2} s"),
        Unit::Milliseconds => format!("{:.1} ms", figure * 1_000.0),
        Unit::Bytes => format!("{figure:.0} B"),
    };
    match own {
        Some(own) if !std::ptr::eq(own, figures) => format!("{text} {:>6}×", short(ratio(row, figures, own))),
        _ => text,
    }
}

fn ratio(row: &Row, figures: &Figures, own: &Figures) -> f64 {
    let share = |figures: &Figures| match row.per_record {
        true => (row.figure)(figures) / figures.records as f64,
        false => (row.figure)(figures),
    };
    share(figures) / share(own)
}

fn short(ratio: f64) -> String {
    match ratio {
        ratio if ratio >= 100.0 => format!("{ratio:.0}"),
        ratio if ratio >= 10.0 => format!("{ratio:.1}"),
        ratio => format!("{ratio:.2}"),
    }
}

fn print_losses(own: &Figures, others: &[(&Outcome, &Figures)]) {
    println!();
    println!("where Xianmeng loses:");
    let mut lost = false;
    for row in &ROWS {
        let better = others.iter().filter_map(|(outcome, figures)| {
            let ratio = ratio(row, figures, own);
            let is_better = ratio < 1.0 && !EVEN.contains(&ratio);
            is_better.then(|| format!("{} needs {}×", outcome.name, short(ratio)))
        });
        let better: Vec<String> = better.collect();
        if !better.is_empty() {
            lost = true;
            println!("  {}: {}", row.name, better.join(", "));
        }
    }
    if !lost {
        println!("  nowhere in this run");
    }
}
