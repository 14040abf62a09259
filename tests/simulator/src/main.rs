//! The command line of the simulator: `cargo simulate suite`, `run`, `hunt` and `checkers`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use protocol::sim::World;
use protocol::sim::measure::{Figures, Percentiles};
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
    /// 运行一个场景并打印速度和流量 · Runs one scenario once, and prints how fast it goes and what it costs.
    Measure {
        /// 场景名 · The scenarios.
        #[arg(required = true)]
        scenario: Vec<String>,
        /// 种子 · The seed.
        #[arg(long, default_value_t = 0)]
        seed: u64,
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
        Command::Measure { scenario, seed } => {
            let mut well = true;
            for name in scenario {
                well &= measure(&find(scenarios.clone(), &name)?, seed)?;
            }
            Ok(well)
        }
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

/// Runs a scenario once, which is enough for figures.
fn measure(named: &Named, seed: u64) -> Result<bool, ReadError> {
    let begun = Instant::now();
    let world = World::new(&named.scenario, seed);
    let world = world.map_err(|source| ReadError::Sense { name: named.name.clone(), source })?;
    let outcome = world.run();
    let Figures { members, entries, followed, most_have_ms, all_have_ms, never, recoveries, sent_per_second } =
        &outcome.figures;
    let percentiles = |one: &Percentiles| format!("{:>9} {:>9} {:>9}", one.median, one.most, one.longest);
    println!("{} (seed {seed}): {}", named.name, named.scenario.about);
    println!("  {members} 家成员 members, {entries} 条 entries, {followed} 条跟踪 followed");
    println!("  {:>9} {:>9} {:>9}", "50 %", "99 %", "100 %");
    println!("  {}  99 % 在线成员收到，毫秒 · ms until 99 % of those online have it", percentiles(most_have_ms));
    println!("  {}  全部在线成员收到，毫秒 · ms until all online have it", percentiles(all_have_ms));
    for (way, sent) in sent_per_second {
        println!("  {}  每家每秒发出字节 · bytes sent per second and member: {way}", percentiles(sent));
    }
    println!("  到最后没有收到 never arrived: {never}");
    for recovery in recoveries {
        let took = recovery.took_ms.map_or("未齐 not".to_owned(), |took_ms| format!("{took_ms} ms"));
        println!("  {} ms, {}：全部一致 everybody has everything after {took}", recovery.at_ms, recovery.what);
    }
    for failure in &outcome.failures {
        println!("  checker {}: {}", failure.checker, failure.text);
    }
    let verdict =
        if outcome.failures.is_empty() { "守规则 every rule kept" } else { "有规则被破坏 RULES BROKEN" };
    println!("  {verdict}, {} events, {} s\n", outcome.totals.events, begun.elapsed().as_secs());
    Ok(outcome.failures.is_empty())
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
