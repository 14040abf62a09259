//! Honest work under load, on two real nodes: what is left of it, what the attack came to, and whether everything is as
//! before when it has ended. `docs/LOAD.md` says how to read it.
//!
//! `cargo load` runs every load, names run some, `--list` names them. Exit code 0: everything held; 1: something did not;
//! 2: no such load. `XIANMENG_SEED` repeats what is random.

mod field;
mod honest;
mod judge;
mod lingerers;
mod peers;
mod requests;
mod tally;

use std::process::ExitCode;
use std::time::Duration;

use harness::machine;

use field::{Field, VICTIM};
use honest::{Work, at};
use judge::Seen;
use tally::{Stop, Tally};

/// How long honest people work without any load.
const ALONE_TIME: Duration = Duration::from_secs(10);
/// How long they work under a load.
const UNDER_TIME: Duration = Duration::from_secs(20);
/// How long a load goes on before honest work is measured under it.
const RAMP_TIME: Duration = Duration::from_secs(3);
/// How often memory is looked at meanwhile.
const MEMORY_PAUSE: Duration = Duration::from_millis(100);

/// A load.
struct Load {
    name: &'static str,
    about: &'static str,
    /// Requests that it must have made.
    made_min: u64,
    run: fn(&Field, &Stop, &Tally),
}

/// Requests of a load that must have been made, where each is small, and where each takes the node long.
const MANY: u64 = 1_000;
const HEAVY_MIN: u64 = 100;

const LOADS: [Load; 11] = [
    Load {
        name: "api-own",
        about: "API flood with the node's own token, 320 connections",
        made_min: MANY,
        run: requests::own_token,
    },
    Load {
        name: "api-none",
        about: "API flood without a token, 320 connections",
        made_min: MANY,
        run: requests::no_token,
    },
    Load {
        name: "api-wrong",
        about: "API flood with wrong tokens, 320 connections",
        made_min: MANY,
        run: requests::wrong_token,
    },
    Load {
        name: "questions",
        about: "questions as large as they may be, 96 connections",
        made_min: HEAVY_MIN,
        run: requests::heavy_questions,
    },
    Load {
        name: "bodies",
        about: "bodies as large as they may be, 96 connections",
        made_min: HEAVY_MIN,
        run: requests::huge_bodies,
    },
    Load { name: "slow-api", about: "3,000 slow requests to the API", made_min: MANY, run: lingerers::slow_at_api },
    Load {
        name: "slow-portal",
        about: "3,000 slow requests to the portal, 64 addresses",
        made_min: MANY,
        run: lingerers::slow_at_portal,
    },
    Load {
        name: "silent",
        about: "3,000 silent connections to the port for peers",
        made_min: MANY,
        run: lingerers::silent_peers,
    },
    Load { name: "strangers", about: "strangers dial and ask for sync", made_min: MANY, run: peers::strangers_dial },
    Load { name: "rubbish", about: "a member gossips rubbish", made_min: MANY, run: peers::member_sends_rubbish },
    Load {
        name: "member",
        about: "a member gossips good entries as fast as they are taken",
        made_min: MANY,
        run: peers::member_publishes,
    },
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted.iter().any(|wanted| wanted == "--list") {
        LOADS.iter().for_each(|load| println!("{:<12} {}", load.name, load.about));
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = wanted.iter().find(|wanted| LOADS.iter().all(|load| load.name != **wanted)) {
        eprintln!("there is no load `{unknown}`; `--list` names them");
        return ExitCode::from(2);
    }
    let seed = harness::seed();
    println!("{}; {}; seed {seed}", machine::describe(), machine::load());
    let field = Field::found(seed);
    println!("nodes as they are started by this shell; open files of this process: {}", field::raise_open_files());
    honest::work(&field, RAMP_TIME);
    let alone = honest::work(&field, ALONE_TIME);
    println!("alone: {}", told(&alone));
    let chosen = LOADS.iter().filter(|load| wanted.is_empty() || wanted.iter().any(|wanted| wanted == load.name));
    let seen: Vec<(&Load, Seen)> = chosen.map(|load| (load, put_under(&field, load, &alone))).collect();
    verdict(&alone, &seen, seed)
}

/// Puts the nodes under a load while honest people work, and looks at what is left afterwards.
fn put_under(field: &Field, load: &Load, alone: &Work) -> Seen {
    let process = field.scene.nodes[VICTIM].process_id();
    let begun = judge::starts(field);
    let before = machine::memory(process).resident_bytes;
    let (stop, tally) = (Stop::default(), Tally::default());
    let (under, peak) = std::thread::scope(|scope| {
        scope.spawn(|| (load.run)(field, &stop, &tally));
        let watcher = scope.spawn(|| {
            let mut peak = before;
            while !stop.is_set() {
                peak = peak.max(machine::memory(process).resident_bytes);
                stop.sleep(MEMORY_PAUSE);
            }
            peak
        });
        std::thread::sleep(RAMP_TIME);
        let under = honest::work(field, UNDER_TIME);
        stop.now();
        (under, watcher.join().unwrap_or_default())
    });
    println!("{}: {}", load.name, told(&under));
    let mut faults = Vec::new();
    let after = judge::after(field, alone, &begun, &under, &mut faults);
    println!("  after: {}", told(&after));
    let memory = [before, peak, machine::memory(process).resident_bytes];
    let mut seen = Seen { alone: alone.clone(), under, after, hostile: tally.read(), memory, faults: Vec::new() };
    judge::under(&seen, load.made_min, &mut faults);
    faults.iter().for_each(|fault| println!("  FAULT: {fault}"));
    seen.faults = faults;
    seen
}

fn told(work: &Work) -> String {
    format!(
        "{:.1} records/s (durable p50 {:.1}, p99 {:.1} ms; readable at the other p50 {:.1}, p99 {:.1} ms; longest pause \
         {:.1} s; {} failed), {:.1} searches/s (p99 {:.0} ms; {} failed), pages p99 {:.0} ms ({} failed)",
        work.records_per_second(),
        at(&work.published_ms, 0.5),
        at(&work.published_ms, 0.99),
        at(&work.readable_ms, 0.5),
        at(&work.readable_ms, 0.99),
        work.stall_seconds,
        work.unpublished,
        work.searches_per_second(),
        at(&work.searches_ms, 0.99),
        work.unanswered,
        at(&work.pages_ms, 0.99),
        work.unread,
    )
}

/// One screen, and the exit code.
fn verdict(alone: &Work, seen: &[(&Load, Seen)], seed: u64) -> ExitCode {
    println!();
    println!(
        "{:<12} {:>7} {:>6} {:>8} {:>8} {:>7} {:>6} {:>6} {:>9} {:>9} {:>9} {:>9} {:>14}  verdict",
        "load",
        "rec/s",
        "ratio",
        "p50 ms",
        "p99 ms",
        "find/s",
        "ratio",
        "after",
        "hostile",
        "served",
        "refused",
        "closed",
        "MiB b/peak/a",
    );
    let line = |name: &str, work: &Work, after: f64, hostile: [u64; 4], memory: [u64; 3], verdict: &str| {
        let [made, served, refused, closed] = hostile;
        let mib = memory.map(|bytes| bytes >> 20);
        println!(
            "{name:<12} {:>7.1} {:>6.2} {:>8.1} {:>8.1} {:>7.1} {:>6.2} {after:>6.2} {made:>9} {served:>9} {refused:>9} {closed:>9} {:>14}  {verdict}",
            work.records_per_second(),
            work.records_per_second() / alone.records_per_second(),
            at(&work.readable_ms, 0.5),
            at(&work.readable_ms, 0.99),
            work.searches_per_second(),
            work.searches_per_second() / alone.searches_per_second(),
            format!("{}/{}/{}", mib[0], mib[1], mib[2]),
        );
    };
    line("alone", alone, 1.0, [0; 4], [0; 3], "");
    for (load, seen) in seen {
        let after = seen.after.records_per_second() / alone.records_per_second();
        let verdict = if seen.faults.is_empty() { "held" } else { "FAILED" };
        line(load.name, &seen.under, after, seen.hostile, seen.memory, verdict);
    }
    let failed: Vec<&str> =
        seen.iter().filter(|(_, seen)| !seen.faults.is_empty()).map(|(load, _)| load.name).collect();
    seen.iter().for_each(|(load, seen)| seen.faults.iter().for_each(|fault| println!("{}: {fault}", load.name)));
    if failed.is_empty() {
        println!("load: {} of {} held; seed {seed}", seen.len(), seen.len());
        return ExitCode::SUCCESS;
    }
    println!("load: FAILED under {}; again: XIANMENG_SEED={seed} cargo load {}", failed.join(", "), failed.join(" "));
    ExitCode::FAILURE
}
