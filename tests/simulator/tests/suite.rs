//! Every scenario with every checker: a fixed set of seeds, and some hundreds that no one has looked at.

use std::path::Path;

use simulator::{DIRECTORY, Named, Run, read, report, run_all};

/// Seeds of each scenario in the fixed set.
const FIXED: u64 = 2;
/// Seeds at random, shared out among the scenarios.
const RANDOM: u64 = 200;

fn scenarios() -> Vec<Named> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    read(&root.join(DIRECTORY)).expect("every scenario can be read")
}

fn check(runs: &[Run]) {
    let failed: Vec<String> = runs.iter().filter_map(report).collect();
    assert!(failed.is_empty(), "{} of {} runs failed:\n{}", failed.len(), runs.len(), failed.join("\n"));
}

#[test]
fn every_scenario_keeps_every_rule() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 6, "there are only {} scenarios", scenarios.len());
    let runs = run_all(&scenarios, 0..FIXED, |_| {}).expect("every scenario makes sense");
    check(&runs);
    for run in &runs {
        assert!(run.outcome.totals.acknowledged > 0, "nothing was published in {}", run.name);
        assert!(run.outcome.totals.sessions > 0, "nobody synced in {}", run.name);
    }
}

#[test]
fn hundreds_of_seeds_keep_every_rule() {
    let scenarios = scenarios();
    let each = RANDOM.div_ceil(scenarios.len() as u64);
    // Nobody has looked at them: whatever is changed in a scenario draws others. One state of the tree draws the same, so
    // that its verdict stays; a hunt draws by its arguments.
    let from = drawn();
    check(&run_all(&scenarios, from..from + each, |_| {}).expect("every scenario makes sense"));
}

/// A number from the text of all scenarios.
fn drawn() -> u64 {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(DIRECTORY);
    let entries = std::fs::read_dir(directory).expect("the scenarios are there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).filter(|path| path.is_file()).collect();
    files.sort();
    let texts = files.iter().map(|path| std::fs::read(path).expect("a scenario can be read"));
    // FNV-1a, cut to what a person can type.
    let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    texts.flatten().fold(0xcbf2_9ce4_8422_2325, add) >> 32
}
