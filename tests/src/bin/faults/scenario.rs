//! The scenarios, and how one is run: its failures are panics, as those of the stories.

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::scenarios;
use crate::site;
use crate::world::World;

/// Why a scenario cannot be played on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip(pub String);

impl From<String> for Skip {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

/// A fault.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What happens, in Chinese.
    pub zh: &'static str,
    /// What happens, in English.
    pub en: &'static str,
    /// Whether it belongs to the short set.
    pub quick: bool,
    /// Plays it.
    pub play: fn(&mut World) -> Result<(), Skip>,
}

/// All of them.
pub const ALL: &[Scenario] = &[
    scenarios::slow_links::SCENARIO,
    scenarios::partition::SCENARIO,
    scenarios::half_open::SCENARIO,
    scenarios::address::SCENARIO,
    scenarios::nat::SCENARIO,
    scenarios::clock::SCENARIO,
    scenarios::disk_full::SCENARIO,
    scenarios::bad_disk::SCENARIO,
    scenarios::torn_writes::SCENARIO,
    scenarios::kills::SCENARIO,
    scenarios::power::SCENARIO,
    scenarios::memory::SCENARIO,
    scenarios::restarts::SCENARIO,
    scenarios::upgrade::SCENARIO,
];

/// How a scenario went.
pub enum Verdict {
    /// Everything held.
    Passed,
    /// Something did not.
    Failed(String),
    /// It cannot be played here.
    Skipped(String),
}

/// A scenario that was played.
pub struct Played {
    /// Which.
    pub name: &'static str,
    /// How it went.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// What was checked and holds.
    pub checked: Vec<String>,
}

/// Plays a scenario and clears up after it.
pub fn play(scenario: &Scenario, seed: u64) -> Played {
    println!("\n=== {} {} · {}", scenario.name, scenario.zh, scenario.en);
    let begun = Instant::now();
    let folder = site::folder().join(scenario.name);
    fs::create_dir_all(&folder).expect("the folder of this run can be written to");
    let mut world = World::new(&folder, seed);
    let played = catch_unwind(AssertUnwindSafe(|| (scenario.play)(&mut world)));
    let verdict = match played {
        Ok(Ok(())) => Verdict::Passed,
        Ok(Err(Skip(reason))) => Verdict::Skipped(reason),
        Err(panic) => Verdict::Failed(words(&*panic)),
    };
    let checked = world.all_checked().to_vec();
    drop(world);
    match &verdict {
        Verdict::Failed(reason) => {
            site::keep(&folder);
            println!("失败 FAILED {}: {reason}", scenario.name);
            println!("  目录与日志留在 · directories and logs stay in {}", folder.display());
            println!("  重放 · to play it again: XIANMENG_FAULTS_SEED={seed} cargo faults {}", scenario.name);
        }
        Verdict::Skipped(reason) => println!("跳过 skipped {}: {reason}", scenario.name),
        Verdict::Passed => {
            let _ = fs::remove_dir_all(&folder);
            println!("通过 passed {} ({} s)", scenario.name, begun.elapsed().as_secs());
        }
    }
    Played { name: scenario.name, verdict, took: begun.elapsed(), checked }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own_and_says_what_happens_in_both_languages() {
        let names: std::collections::BTreeSet<&str> = ALL.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), ALL.len());
        for scenario in ALL {
            assert!(scenario.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", scenario.name);
            assert!(scenario.zh.starts_with(|letter: char| !letter.is_ascii()), "{}", scenario.zh);
            assert!(scenario.en.is_ascii() && !scenario.en.is_empty(), "{}", scenario.en);
        }
    }
}
