//! The search index by itself: how fast it is built, how large it is, how soon it answers, against SQLite's full text
//! index of trigrams (with the feature `sqlite`) and against reading every text, on the same documents.

use std::path::Path;
use std::time::{Duration, Instant};

use node::search::SearchIndex;

use crate::machine;
use crate::search_made::{Asked, EXACT, Made, NOW_MS, queries};
use crate::search_rivals::{Rival, rivals};

/// What a record of such texts takes in a log, in bytes: what the size of the index is compared with.
const RECORD_BYTES: u64 = 600;
/// Documents between two commits while the index is built.
const COMMIT_DOCUMENTS: usize = 50_000;
/// How often each query is asked; of the 99th percentiles of the rounds the median counts.
const ROUNDS: usize = 5;
/// Queries of one sort that a rival is asked, when it has more than so many records to look through.
const RIVAL_QUERIES: usize = 20;
const RIVAL_RECORDS: usize = 200_000;

pub fn run(records: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let made = Made::new();
    let bytes = build(directory.path(), &made, records);
    let begun = Instant::now();
    let (index, opened) = SearchIndex::open(directory.path()).expect("an index");
    println!("  opened again, every byte verified: {:.2} s ({:?})", begun.elapsed().as_secs_f64(), opened.condition);
    println!(
        "  on disk: {:.0} bytes a document, {:.2} times a record of {RECORD_BYTES} bytes (target: at most 1.5)",
        bytes as f64 / records as f64,
        bytes as f64 / (records as u64 * RECORD_BYTES) as f64
    );
    let asked: Vec<_> = queries(&made, records).into_iter().collect();
    let own: Vec<Times> = asked.iter().map(|(_, queries)| ask(&index, queries)).collect();
    println!("  memory at its peak: {} MB", machine::peak_memory_bytes(std::process::id()) / 1_000_000);
    for ((sort, queries), times) in asked.iter().zip(&own) {
        let found = queries.len() - times.totals.iter().filter(|total| **total == 0).count();
        let mean = times.totals.iter().sum::<u64>() / queries.len() as u64;
        println!("  {sort}: {times}; {found} of {} find something, {mean} on average", queries.len());
    }
    println!("  all sorts: {}; {}", Times::together(own.iter()), machine::load());
    for rival in rivals(directory.path(), &made, records) {
        compare(rival.as_ref(), &asked, &own, records);
    }
}

/// Builds the index and says how many bytes it takes.
fn build(directory: &Path, made: &Made, records: usize) -> u64 {
    let (index, _) = SearchIndex::open(directory).expect("an index");
    let mut writer = index.writer().expect("a writer");
    let before = machine::processor_seconds(std::process::id());
    let (mut putting, mut characters) = (Duration::ZERO, 0);
    for number in 0..records {
        let document = made.document(number);
        let texts = std::iter::once(&document.title).chain(&document.names).chain(&document.texts);
        characters += texts.map(|text| text.chars().count()).sum::<usize>();
        let begun = Instant::now();
        writer.put(&document).expect("it is put");
        if number % COMMIT_DOCUMENTS == COMMIT_DOCUMENTS - 1 {
            writer.commit(b"").expect("it is committed");
        }
        putting += begun.elapsed();
    }
    let begun = Instant::now();
    writer.commit(b"done").expect("it is committed");
    putting += begun.elapsed();
    println!("search-index: {records} documents of {} characters", characters / records.max(1));
    println!(
        "  built in {:.1} s, {:.0} documents/s, {:.1} s of processor time with the documents made",
        putting.as_secs_f64(),
        records as f64 / putting.as_secs_f64(),
        machine::processor_seconds(std::process::id()) - before
    );
    // Merges that are under way come to their end, so that the size is that of an index at rest.
    let begun = Instant::now();
    writer.close().expect("merges end");
    println!("  merges behind it: {:.1} s", begun.elapsed().as_secs_f64());
    machine::bytes_on_disk(directory)
}

/// How long the queries of a sort took, round by round, and how many records each found.
#[derive(Default, Clone)]
struct Times {
    rounds: Vec<Vec<Duration>>,
    totals: Vec<u64>,
}

impl Times {
    fn together<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut together = Self::default();
        for times in all {
            together.rounds.resize(together.rounds.len().max(times.rounds.len()), Vec::new());
            together.rounds.iter_mut().zip(&times.rounds).for_each(|(round, more)| round.extend(more));
        }
        together
    }

    /// The time within which so many of a hundred queries of a round are answered: the median of the rounds.
    fn ms(&self, percent: usize) -> f64 {
        let of_round = |round: &Vec<Duration>| {
            let mut round = round.clone();
            round.sort_unstable();
            let index = (round.len() * percent / 100).min(round.len().saturating_sub(1));
            round.get(index).copied().unwrap_or_default()
        };
        let mut rounds: Vec<Duration> = self.rounds.iter().map(of_round).collect();
        rounds.sort_unstable();
        rounds.get(rounds.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1_000.0
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p50 {:.2} p99 {:.2} max {:.2} ms", self.ms(50), self.ms(99), self.ms(100))
    }
}

fn ask(index: &SearchIndex, queries: &[Asked]) -> Times {
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        let mut round = Vec::new();
        times.totals.clear();
        for asked in queries {
            let begun = Instant::now();
            let results = index.search(&asked.query, NOW_MS).expect("an answer");
            round.push(begun.elapsed());
            times.totals.push(results.total);
        }
        times.rounds.push(round);
    }
    times
}

/// Asks a rival what it can be asked, and prints how many times longer it takes.
fn compare(rival: &dyn Rival, asked: &[(&str, Vec<Asked>)], own: &[Times], records: usize) {
    println!("  against {}", rival.describe());
    let count = if records > RIVAL_RECORDS { RIVAL_QUERIES } else { usize::MAX };
    let (mut all, mut ours) = (Vec::new(), Vec::new());
    for ((sort, queries), own) in asked.iter().zip(own) {
        let mut times = Times { rounds: vec![Vec::new()], totals: Vec::new() };
        for plain in queries.iter().take(count).filter_map(|asked| asked.plain.as_ref()) {
            let begun = Instant::now();
            let (total, _) = rival.ask(plain);
            times.rounds[0].push(begun.elapsed());
            times.totals.push(total);
        }
        if times.totals.is_empty() {
            println!("    {sort}: cannot be asked");
            continue;
        }
        if *sort == EXACT {
            let same = times.totals.iter().zip(&own.totals).filter(|(theirs, ours)| theirs == ours).count();
            println!("    {same} of {} queries of the last sort find as many records as here", times.totals.len());
        }
        println!(
            "    {sort}: {times}; times ours: p50 {:.1} p99 {:.1}",
            times.ms(50) / own.ms(50),
            times.ms(99) / own.ms(99)
        );
        all.push(times);
        ours.push(own.clone());
    }
    let (all, ours) = (Times::together(all.iter()), Times::together(ours.iter()));
    println!(
        "    these sorts: {all}; times ours ({ours}): p50 {:.1} p99 {:.1}",
        all.ms(50) / ours.ms(50),
        all.ms(99) / ours.ms(99)
    );
}
