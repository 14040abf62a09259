//! The command line of the simulator: `cargo simulate suite`, `run`, `hunt` and `checkers`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use simulator::{DIRECTORY, Named, ReadError, Run, find, read, report, run_all};

/// 联盟模拟器 · Runs federations in virtual time.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// 场景目录 · Where the scenarios lie.
    #[arg(long, default_value = DIRECTORY)]
    scenarios: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 运行全部场景，每个若干种子 · Runs every scenario with a few seeds.
    Suite {
        /// 每个场景的种子数 · Seeds of each scenario.
        #[arg(long, default_value_t = 2)]
        seeds: u64,
    },
    /// 按种子重放一个场景 · Runs one scenario with one seed.
    Run {
        /// 场景名 · The scenario.
        scenario: String,
        /// 种子 · The seed.
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// 用许多种子搜寻失败 · Looks for failures with many seeds.
    Hunt {
        /// 种子总数，平均分给各场景 · Seeds, shared out among the scenarios.
        #[arg(long, default_value_t = 1_000)]
        seeds: u64,
        /// 第一个种子 · The first seed.
        #[arg(long, default_value_t = 1_000)]
        from: u64,
        /// 只运行这个场景 · This scenario only.
        #[arg(long)]
        only: Option<String>,
    },
    /// 列出检查项 · Lists what is checked.
    Checkers,
}

fn main() -> ExitCode {
    match work(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            eprintln!("错误 · error: {error}{cause}");
            ExitCode::from(2)
        }
    }
}

fn work(arguments: Arguments) -> Result<bool, ReadError> {
    if matches!(arguments.command, Command::Checkers) {
        protocol::sim::checkers::described().iter().for_each(|(name, about)| println!("{name:<12} {about}"));
        return Ok(true);
    }
    let scenarios = read(&arguments.scenarios)?;
    match arguments.command {
        Command::Checkers => Ok(true),
        Command::Suite { seeds } => go(&scenarios, 0..seeds),
        Command::Run { scenario, seed } => go(&[find(scenarios, &scenario)?], seed..seed.saturating_add(1)),
        Command::Hunt { seeds, from, only } => {
            let scenarios = match only {
                Some(name) => vec![find(scenarios, &name)?],
                None => scenarios,
            };
            let each = seeds.div_ceil(scenarios.len().max(1) as u64);
            go(&scenarios, from..from.saturating_add(each))
        }
    }
}

fn go(scenarios: &[Named], seeds: std::ops::Range<u64>) -> Result<bool, ReadError> {
    let begun = Instant::now();
    let runs = run_all(scenarios, seeds, |run| println!("{}", line(run)))?;
    let failed: Vec<String> = runs.iter().filter_map(report).collect();
    failed.iter().for_each(|text| println!("\n{text}"));
    let (all, bad, seconds) = (runs.len(), failed.len(), begun.elapsed().as_secs());
    println!("\n{} 次通过，{bad} 次失败 · {} passed, {bad} failed, after {seconds} s", all - bad, all - bad);
    Ok(bad == 0)
}

fn line(run: &Run) -> String {
    let totals = &run.outcome.totals;
    let verdict = if run.outcome.failures.is_empty() { "ok" } else { "FAILED" };
    let kib = |bytes: u64| bytes / 1_024;
    format!(
        "{verdict:<6} {:<22} seed {:<5} {:>9} events {:>6} entries {:>6} sessions  KiB: gossip {} sync {} beacons {}  {}",
        run.name,
        run.seed,
        totals.events,
        totals.acknowledged,
        totals.sessions,
        kib(totals.gossip_bytes),
        kib(totals.sync_bytes),
        kib(totals.beacon_bytes),
        hex::encode(&run.outcome.digest[..4]),
    )
}
