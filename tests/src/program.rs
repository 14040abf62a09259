//! The built program. `cargo test` does not build the binaries of another package, so the first test that needs one
//! asks cargo to: at once if it is up to date. The whole workspace is named and its tests with it, as in the command for
//! the tests, and without what cargo tells a test about its own package: with other features or another environment the
//! dependencies would be built again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Beginnings of the variables by which cargo tells a test about its package. Some build scripts run again when they
/// change.
const OF_THIS_PACKAGE: [&str; 5] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "LD_LIBRARY_PATH"];

/// Names a program that is there and is to be used as it is.
const GIVEN: &str = "XIANMENG_PROGRAM";

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Path of `xianmeng`: the one that the environment names, or else built in the profile of the running test.
pub fn xianmeng() -> &'static Path {
    PROGRAM.get_or_init(|| given().unwrap_or_else(|| built("xianmeng")))
}

/// The same, built by itself: for programs that are run by `cargo run` and not as tests, beside which the whole
/// workspace and its tests would have to be built first.
pub fn xianmeng_alone() -> &'static Path {
    PROGRAM.get_or_init(|| given().unwrap_or_else(|| build("xianmeng", &["--package", "xianmeng"])))
}

fn given() -> Option<PathBuf> {
    std::env::var_os(GIVEN).map(PathBuf::from)
}

/// Builds a binary of the workspace and returns its path.
///
/// # Panics
/// When it does not build: no test could say anything then.
pub fn built(binary: &str) -> PathBuf {
    build(binary, &["--workspace", "--bins", "--tests"])
}

fn build(binary: &str, what: &[&str]) -> PathBuf {
    let root = workspace();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&root).args(["build", "--quiet"]).args(what);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let of_this_package = |name: &str| OF_THIS_PACKAGE.iter().any(|prefix| name.starts_with(prefix));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_this_package)) {
        command.env_remove(name);
    }
    let status = command.status().expect("cargo runs, for it ran this test");
    assert!(status.success(), "{binary} does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join(if cfg!(debug_assertions) { "debug" } else { "release" }).join(binary)
}

/// The workspace's root.
pub fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("the tests are a folder of the workspace").to_owned()
}

/// A sample sheet.
pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}
