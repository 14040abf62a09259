//! The same work done by Xianmeng and by systems of the kind, side by side in one run on one machine.
//!
//! `tests/comparison/run` builds it and runs it in a network namespace of its own, where loopback is all there is.

mod iroh_docs;
mod machine;
mod meter;
mod nostr;
mod postgres;
mod process;
mod record;
mod served;
mod story;
mod system;
mod table;
mod xianmeng;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::meter::Meter;
use crate::story::{Outcome, tell};
use crate::system::System;

const HELP: &str = "comparison [--records N] [--limit SECONDS] [--folder DIR] [SYSTEM...]

Systems: xianmeng postgresql iroh-docs nostr (all, if none is named; Xianmeng always runs, for the ratios)
  --records N       how many records (100000)
  --limit SECONDS   the longest that one step may take before a system tries with a tenth of the records (600)
  --folder DIR      where to work; a temporary folder otherwise
Environment: XIANMENG, the program (../../target/release/xianmeng)";
const RECORDS: usize = 100_000;
const RECORDS_MIN: usize = 100;
const LIMIT: Duration = Duration::from_secs(600);
const PROGRAM: &str = "../../target/release/xianmeng";
const SYSTEMS: [&str; 4] = ["xianmeng", "postgresql", "iroh-docs", "nostr"];

struct Options {
    records: usize,
    limit: Duration,
    folder: Option<PathBuf>,
    systems: Vec<&'static str>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "-h" || argument == "--help") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let done = match arguments.as_slice() {
        [serve, system, directory] if serve == "serve" => one_process(system, Path::new(directory)).map(|()| true),
        _ => compare(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// One process of a system that is a library; [`served`] starts and asks it.
fn one_process(system: &str, directory: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match system {
            "iroh-docs" => served::serve(iroh_docs::IrohDocs::open(directory).await?).await,
            "nostr" => served::serve(nostr::Nostr::open(directory).await?).await,
            other => bail!("{other} is no library"),
        }
    })
}

/// Whether every system went through everything.
fn compare(arguments: &[String]) -> Result<bool> {
    let options = read(arguments)?;
    let program = std::env::var_os("XIANMENG").map_or_else(|| PathBuf::from(PROGRAM), PathBuf::from);
    let program = program.canonicalize().with_context(|| format!("{} (XIANMENG names it)", program.display()))?;
    let temporary = tempfile::Builder::new().prefix("comparison-").tempdir()?;
    let folder = options.folder.as_deref().unwrap_or(temporary.path());
    // Servers that run as somebody else must get through.
    std::fs::set_permissions(temporary.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let meter = Meter::start()?;
    println!("{}", machine::describe(folder));
    let limit = options.limit;
    let make = |name: &'static str, folder: &Path| -> Result<Box<dyn System>> {
        Ok(match name {
            "xianmeng" => Box::new(xianmeng::Xianmeng::new(program.clone(), folder, limit)),
            "postgresql" => Box::new(postgres::Postgres::new(folder, limit)?),
            _ => Box::new(served::Served::new(name, folder, limit)),
        })
    };
    let outcomes: Vec<Outcome> = options
        .systems
        .iter()
        .map(|name| tell(name, &|folder| make(name, folder), folder, &meter, options.records))
        .collect();
    println!("         load after {}", machine::load());
    table::print(&outcomes);
    Ok(outcomes.iter().all(|outcome| outcome.figures.is_ok()))
}

fn read(arguments: &[String]) -> Result<Options> {
    let mut options = Options { records: RECORDS, limit: LIMIT, folder: None, systems: vec![SYSTEMS[0]] };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} wants a value"));
        match argument.as_str() {
            "--records" => options.records = value()?.parse().context("--records wants a number")?,
            "--limit" => options.limit = Duration::from_secs(value()?.parse().context("--limit wants seconds")?),
            "--folder" => options.folder = Some(PathBuf::from(value()?)),
            name => match SYSTEMS.into_iter().find(|system| *system == name) {
                Some(system) if options.systems.contains(&system) => {}
                Some(system) => options.systems.push(system),
                None => bail!("unknown system or option {name}\n{HELP}"),
            },
        }
    }
    if options.systems.len() == 1 && !std::env::args().any(|argument| argument == SYSTEMS[0]) {
        options.systems = SYSTEMS.to_vec();
    }
    if options.records < RECORDS_MIN {
        bail!("--records must be at least {RECORDS_MIN}, so that 1 % is something");
    }
    Ok(options)
}
