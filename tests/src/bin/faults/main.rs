//! Real faults on real processes: every node in a network namespace of its own, and a program of ours as the network
//! between them.
//!
//! `cargo faults list`, `cargo faults all`, `cargo faults NAME...`; see `docs/FAULTS.md`. It needs root: for namespaces,
//! mounts and limits of memory. Without it, or without a facility, a scenario is skipped and says why.

mod federation;
mod ledger;
mod memory;
mod place;
mod report;
mod router;
mod scenario;
mod scenarios;
mod shape;
mod shim;
mod site;
mod world;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::place::Place;
use crate::router::Router;
use crate::scenario::{ALL, Played, Scenario, Verdict, play};

/// How all chance of a run can be had again.
const SEED: &str = "XIANMENG_FAULTS_SEED";
/// Programs without which nothing can be done.
const PROGRAMS: [&str; 3] = ["ip", "nsenter", "kill"];
const USAGE: &str = "\
用法 usage: cargo faults [list | all | quick | 场景 SCENARIO...]
  list   列出场景 lists the scenarios
  quick  较快的一组 the short set
  all    全部 all of them (needs root)
变量 variables: XIANMENG_FAULTS_SEED, XIANMENG_PREVIOUS (场景 upgrade 的旧程序 the older program), XIANMENG_PROGRAM";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let chosen: Vec<&Scenario> = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["list"] => {
            list();
            return ExitCode::SUCCESS;
        }
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        ["all"] => ALL.iter().collect(),
        ["quick"] => ALL.iter().filter(|scenario| scenario.quick).collect(),
        _ => {
            let unknown = words.iter().find(|word| ALL.iter().all(|scenario| scenario.name != word.as_str()));
            if let Some(word) = unknown {
                eprintln!("没有场景 {word} · there is no scenario {word}\n{USAGE}");
                return ExitCode::from(2);
            }
            ALL.iter().filter(|scenario| words.iter().any(|word| word == scenario.name)).collect()
        }
    };
    let seed = std::env::var(SEED).ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("{SEED}={seed}");
    let played = match facilities(seed) {
        Ok(()) => run(&chosen, seed),
        Err(reason) => chosen.iter().map(|scenario| skipped(scenario, &reason)).collect(),
    };
    site::clear_own();
    if report::print(&played, seed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn list() {
    for scenario in ALL {
        let quick = if scenario.quick { "quick" } else { "" };
        println!("{:<16} {quick:<6} {}\n{:<24}{}", scenario.name, scenario.zh, "", scenario.en);
    }
}

fn run(chosen: &[&Scenario], seed: u64) -> Vec<Played> {
    let program = harness::program::xianmeng_alone();
    println!("{}", program.display());
    tempfile::env::override_temp_dir(&site::folder()).expect("nobody has asked for it before");
    chosen.iter().map(|scenario| play(scenario, seed)).collect()
}

fn skipped(scenario: &Scenario, reason: &str) -> Played {
    let verdict = Verdict::Skipped(reason.to_owned());
    Played { name: scenario.name, verdict, took: Duration::ZERO, checked: Vec::new() }
}

/// Whether this machine can do what every scenario needs; otherwise what is missing.
fn facilities(seed: u64) -> Result<(), String> {
    if site::run(&["id", "-u"])?.trim() != "0" {
        return Err("要有 root 权限 · it needs root".to_owned());
    }
    for program in PROGRAMS {
        let found = std::env::var_os("PATH")
            .is_some_and(|paths| std::env::split_paths(&paths).any(|path| Path::new(&path).join(program).exists()));
        if !found {
            return Err(format!("没有程序 {program}（软件包 iproute2、util-linux） · there is no program {program}"));
        }
    }
    site::clear_leftovers();
    site::clear_on_signals();
    std::fs::create_dir_all(site::folder()).map_err(|error| format!("no folder: {error}"))?;
    let router = Router::new(seed);
    let tried = Place::linked("try", federation::address(0), &router);
    router.close();
    tried.map(drop)
}
