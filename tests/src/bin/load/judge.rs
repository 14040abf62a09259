//! What must hold under a load and after it.

use std::time::Duration;

use crate::field::{Field, READER, VICTIM};
use crate::honest::{self, Work};

/// Records in a second under a load, as a part of those without it. Attackers, honest people and nodes share the
/// processors of one machine here, so little is asked for: that work goes on.
const WORK_SHARE_MIN: f64 = 0.01;
/// The longest time without an acknowledged record under a load.
const STALL_SECONDS_MAX: f64 = 15.0;
/// Records in a second after a load, as a part of those before it.
const AFTER_SHARE_MIN: f64 = 0.5;
/// How often the work after a load is measured until it is good enough: others use the machine too.
const AFTER_ATTEMPTS: usize = 4;
/// How long honest people work for one measure after a load.
const AFTER_TIME: Duration = Duration::from_secs(4);
/// How long the nodes may take to come to rest after a load.
const REST_WAIT: Duration = Duration::from_secs(240);
/// By how much the memory of the node may grow under one load: by no more than a whole node of 100,000 records may take
/// (docs/FIGURES.md). What the allocator keeps of it is the next load's beginning.
const MEMORY_GROWTH_BYTES_MAX: u64 = 300 * 1024 * 1024;

/// What was seen of one load.
pub struct Seen {
    /// Honest work without any load.
    pub alone: Work,
    /// Honest work under the load.
    pub under: Work,
    /// The best honest work after it.
    pub after: Work,
    /// Hostile requests made, served, refused, closed.
    pub hostile: [u64; 4],
    /// Resident memory of the attacked node before, at the peak, and after.
    pub memory: [u64; 3],
    /// What did not hold.
    pub faults: Vec<String>,
}

/// Names of what tells one start of a node from the next.
pub fn starts(field: &Field) -> Vec<(u32, u64)> {
    let started = |node: usize| field.status(node)["started_ms"].as_u64().unwrap_or_default();
    field.processes().into_iter().zip([started(VICTIM), started(READER)]).collect()
}

/// Whether the load was one (one that asks nothing shows nothing), and whether work went on under it.
pub fn under(seen: &Seen, made_min: u64, faults: &mut Vec<String>) {
    let [made, ..] = seen.hostile;
    if made < made_min {
        faults.push(format!("only {made} hostile requests were made, fewer than {made_min}"));
    }
    let share = seen.under.records_per_second() / seen.alone.records_per_second();
    if share.is_nan() || share < WORK_SHARE_MIN {
        faults.push(format!("honest work all but stopped: {share:.3} of the baseline"));
    }
    if seen.under.stall_seconds > STALL_SECONDS_MAX {
        faults.push(format!("for {:.1} s nothing was acknowledged", seen.under.stall_seconds));
    }
    if seen.under.searches_ms.is_empty() {
        faults.push("no search was answered".into());
    }
    if seen.under.pages_ms.is_empty() {
        faults.push("no page of the portal came".into());
    }
    let grown = seen.memory[1].saturating_sub(seen.memory[0]);
    if grown > MEMORY_GROWTH_BYTES_MAX {
        faults.push(format!("the node took {} MiB more, above {}", grown >> 20, MEMORY_GROWTH_BYTES_MAX >> 20));
    }
}

/// Whether everything is as it was: the best work after the load is what comes back.
pub fn after(field: &Field, alone: &Work, begun: &[(u32, u64)], under: &Work, faults: &mut Vec<String>) -> Work {
    if !field.comes_to_rest(REST_WAIT) {
        let digests = [VICTIM, READER].map(|node| field.status(node)["digest"].to_string());
        let lags = [VICTIM, READER].map(|node| field.checker(node).get("/v1/search/status").json()["lag"].to_string());
        faults.push(format!("the nodes did not come to rest: {digests:?}, {lags:?}"));
    }
    if starts(field) != begun {
        faults.push("a node was started again".into());
    }
    let mut best = Work::default();
    for _ in 0..AFTER_ATTEMPTS {
        let work = honest::work(field, AFTER_TIME);
        missing(field, &work, faults);
        if best.acknowledged.is_empty() || work.records_per_second() > best.records_per_second() {
            best = work;
        }
        if best.records_per_second() >= AFTER_SHARE_MIN * alone.records_per_second() {
            break;
        }
    }
    let share = best.records_per_second() / alone.records_per_second();
    if share.is_nan() || share < AFTER_SHARE_MIN {
        faults.push(format!("honest work came back to {share:.2} of the baseline only"));
    }
    missing(field, under, faults);
    best
}

/// Every record that was acknowledged must be on both nodes.
fn missing(field: &Field, work: &Work, faults: &mut Vec<String>) {
    field.comes_to_rest(REST_WAIT);
    for node in [VICTIM, READER] {
        let held = |record: &&String| !field.checker(node).get(&format!("/v1/records/{record}")).is_ok();
        let missing = work.acknowledged.iter().filter(held).count();
        if missing > 0 {
            faults
                .push(format!("{missing} of {} acknowledged records are not on node {node}", work.acknowledged.len()));
        }
    }
}
