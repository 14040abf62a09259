//! Benchmarks of the whole path, each printed beside a baseline measured in the same run.
//!
//! `cargo run --release -p xianmeng-tests --bin benchmark` runs all; names (`import`, `catch-up`, `resync`, `memory`,
//! `live`, `kinds`, `workbook`, `matching`, `search-index`, `beacons`, `duties`,
//! `indicators`, `board`) run some; `XIANMENG_BENCH_RECORDS` sets how many records (100,000 by default, 10,000 for `kinds` and
//! `workbook`). With the feature `sqlite` of this crate, `search-index` also asks SQLite.

mod beacons;
mod board;
mod catch_up;
mod duties;
mod import;
mod indicators;
mod kinds;
mod live;
mod matching;
mod memory;
mod resync;
mod rows;
mod search_index;
mod search_made;
mod search_rivals;
mod workbook;

use harness::machine;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let given = std::env::var("XIANMENG_BENCH_RECORDS").ok().and_then(|text| text.parse().ok());
    let records = given.unwrap_or(100_000);
    let fewer = given.unwrap_or(10_000);
    println!("{}; {}", machine::describe(), machine::load());
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    // First, because it measures how this process grows.
    if runs("memory") {
        memory::run(records);
    }
    if runs("import") {
        import::run(records);
    }
    if runs("catch-up") {
        catch_up::run(records);
    }
    if runs("resync") {
        resync::run(records);
    }
    if runs("kinds") {
        kinds::run(fewer);
    }
    if runs("matching") {
        matching::run(records);
    }
    if runs("duties") {
        duties::run(records);
    }
    if runs("indicators") {
        indicators::run(records);
    }
    if runs("board") {
        board::run(records);
    }
    if runs("workbook") {
        workbook::run(fewer);
    }
    if runs("search-index") {
        search_index::run(records);
    }
    if runs("beacons") {
        beacons::run();
    }
    if runs("live") {
        live::run();
    }
}
