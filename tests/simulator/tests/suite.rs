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
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    // Others each time: what fails is printed with its seed.
    let from = since.as_secs();
    let each = RANDOM.div_ceil(scenarios.len() as u64);
    check(&run_all(&scenarios, from..from + each, |_| {}).expect("every scenario makes sense"));
}
