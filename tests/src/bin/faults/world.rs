//! What a scenario is given: a network, a folder, chance, and a book of what was acknowledged.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::ledger::Ledger;
use crate::router::Router;

/// What a scenario works with.
pub struct World {
    /// All chance follows from it.
    pub random: fastrand::Rng,
    /// The network.
    pub router: Arc<Router>,
    /// Its folder. It stays when the scenario fails.
    pub folder: PathBuf,
    /// What was acknowledged.
    pub ledger: Arc<Ledger>,
    begun: Instant,
    checked: Vec<String>,
}

impl World {
    /// A new one in a folder that exists.
    pub fn new(folder: &Path, seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            router: Router::new(seed),
            folder: folder.to_owned(),
            ledger: Ledger::new(folder),
            begun: Instant::now(),
            checked: Vec::new(),
        }
    }

    /// Says what happens now.
    pub fn say(&self, zh: &str, en: &str) {
        println!("  {:>4} s  {zh} · {en}", self.begun.elapsed().as_secs());
    }

    /// Notes something that was checked and holds, for the table at the end.
    pub fn checked(&mut self, what: String) {
        self.checked.push(what);
    }

    /// What was checked.
    pub fn all_checked(&self) -> &[String] {
        &self.checked
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.router.close();
    }
}
