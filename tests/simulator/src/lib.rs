//! Runs scenarios of the simulator in `protocol`: reads them, runs many seeds side by side, and says how to play a
//! failure again.

#![cfg(feature = "sim")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use protocol::sim::{Outcome, Scenario, ScenarioError, run};
use rayon::prelude::*;
use thiserror::Error;

/// Where the scenarios lie, from the root of the repository.
pub const DIRECTORY: &str = "tests/scenarios";
/// How a scenario is run again.
const COMMAND: &str = "cargo simulate run";

/// Why a scenario cannot be run.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{path} cannot be read")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no scenario.
    #[error("{path} is no scenario")]
    Layout {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: toml::de::Error,
    },
    /// It makes no sense.
    #[error("scenario {name} makes no sense")]
    Sense {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: ScenarioError,
    },
    /// There is none of that name.
    #[error("there is no scenario {name}; there are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that exist.
        known: String,
    },
}

/// A scenario and its name, which is that of its file.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The scenario.
    pub scenario: Scenario,
}

/// One run.
#[derive(Debug)]
pub struct Run {
    /// The scenario's name.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// What it came to.
    pub outcome: Outcome,
}

/// The scenarios of a directory, by name.
///
/// # Errors
/// When one of them cannot be read.
pub fn read(directory: &Path) -> Result<Vec<Named>, ReadError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| ReadError::File { path, source }
    };
    let mut files = Vec::new();
    for file in std::fs::read_dir(directory).map_err(failed(directory))? {
        let path = file.map_err(failed(directory))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    let scenario = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let scenario: Scenario = toml::from_str(&text).map_err(|source| ReadError::Layout { path, source })?;
        scenario.check().map_err(|source| ReadError::Sense { name: name.clone(), source })?;
        Ok(Named { name, scenario })
    };
    files.into_iter().map(scenario).collect()
}

/// The scenario of that name.
///
/// # Errors
/// When there is none.
pub fn find(scenarios: Vec<Named>, name: &str) -> Result<Named, ReadError> {
    let known = scenarios.iter().map(|named| named.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = scenarios.into_iter().find(|named| named.name == name);
    found.ok_or(ReadError::Unknown { name: name.to_owned(), known })
}

/// Runs every scenario with each of these seeds, side by side, and tells `done` of each. In order of name and seed.
///
/// # Errors
/// When a scenario makes no sense.
pub fn run_all(
    scenarios: &[Named],
    seeds: std::ops::Range<u64>,
    done: impl Fn(&Run) + Sync,
) -> Result<Vec<Run>, ReadError> {
    let runs: Vec<(&Named, u64)> =
        scenarios.iter().flat_map(|named| seeds.clone().map(move |seed| (named, seed))).collect();
    runs.into_par_iter()
        .map(|(named, seed)| {
            let outcome =
                run(&named.scenario, seed).map_err(|source| ReadError::Sense { name: named.name.clone(), source })?;
            let run = Run { name: named.name.clone(), seed, outcome };
            done(&run);
            Ok(run)
        })
        .collect()
}

/// What failed in a run, and how to see it again; `None` if nothing did.
pub fn report(run: &Run) -> Option<String> {
    if run.outcome.failures.is_empty() {
        return None;
    }
    let mut text =
        format!("{} with seed {} failed; again: {COMMAND} {} --seed {}", run.name, run.seed, run.name, run.seed);
    for failure in &run.outcome.failures {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  checker {}: {}", failure.checker, failure.text);
    }
    Some(text)
}
