//! The simulator itself: that a run follows from its seed, that scenarios are checked, and that its parts do what they say.

use std::sync::Arc;

use super::*;
use crate::testing::Organisation;

fn small() -> Scenario {
    let text = "about = 'three members'\nmembers = 3\nactive_ms = 20000\nrest_ms = 60000\n";
    toml::from_str(text).expect("the scenario is well formed")
}

#[test]
fn a_run_follows_from_its_seed_and_another_seed_gives_another() {
    let outcome = run(&small(), 7).expect("the scenario makes sense");
    assert_eq!(outcome.failures, [], "seed 7");
    assert!(outcome.totals.acknowledged > 0 && outcome.totals.sessions > 0);
    let other = World::new(&small(), 8).expect("the scenario makes sense").run();
    assert_ne!(outcome.digest, other.digest);
}

#[test]
fn a_scenario_that_makes_no_sense_is_refused_with_the_rule() {
    let refused = |change: fn(&mut Scenario)| {
        let mut scenario = small();
        change(&mut scenario);
        World::new(&scenario, 1).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(refused(|_| {}), Ok(()));
    for change in [
        (|scenario: &mut Scenario| scenario.members = 1) as fn(&mut Scenario),
        |scenario| scenario.round_ms = 0,
        |scenario| scenario.absent = [3].into(),
        |scenario| scenario.applicants = [0].into(),
    ] {
        assert!(refused(change).is_err());
    }
}

#[test]
fn a_disk_keeps_what_is_flushed_and_chance_decides_about_the_rest() {
    let (charter, one) = Organisation::found("秘书处", 1);
    let entry = one.entry(&charter, None, charter.tip_block().time_ms, 101, vec![3; 300]);
    let change = crate::replica::Change::Append { log: 0, entry: Arc::clone(&entry) };
    let own = [Arc::clone(&entry)];
    let (mut journalled, mut stored) = (BTreeCount::default(), BTreeCount::default());
    for seed in 0..40 {
        for steps in 0..=4 {
            let mut disk = disk::Disk::new(Arc::new(charter.clone()));
            disk.cut_after(steps);
            let done = disk.commit(&own, std::slice::from_ref(&change)).is_ok();
            assert_eq!(done, steps == 4);
            disk.cut_power(&mut fastrand::Rng::with_seed(seed));
            let (journal, database) = (disk.journal().len(), disk.restore().length(0));
            journalled.add(steps, journal as u64);
            stored.add(steps, database);
        }
    }
    assert_eq!((journalled.of(0), journalled.of(2), journalled.of(4)), (0, 40, 40), "flushed or never written");
    assert!((1..40).contains(&journalled.of(1)), "written and not flushed");
    assert_eq!((stored.of(2), stored.of(4)), (0, 40));
    assert!((1..40).contains(&stored.of(3)));
}

#[derive(Default)]
struct BTreeCount(std::collections::BTreeMap<u32, u64>);

impl BTreeCount {
    fn add(&mut self, key: u32, count: u64) {
        *self.0.entry(key).or_default() += count;
    }

    fn of(&self, key: u32) -> u64 {
        self.0.get(&key).copied().unwrap_or_default()
    }
}

#[test]
fn every_checker_has_a_name_of_its_own() {
    let described = checkers::described();
    let names: std::collections::BTreeSet<_> = described.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), described.len());
    assert!(described.iter().all(|(_, about)| !about.is_empty()));
}
