//! Events by name: what was accepted, refused, ignored and why.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Names that may exist; names come from the code, so this bound is never met unless the code is wrong.
const NAMES_MAX: usize = 256;

/// Counters since the node started.
#[derive(Debug, Default)]
pub struct Counters(Mutex<BTreeMap<String, u64>>);

impl Counters {
    /// Adds to a counter.
    pub fn add(&self, name: &str, count: u64) {
        let mut counters = self.0.lock();
        if let Some(counter) = counters.get_mut(name) {
            *counter += count;
        } else if counters.len() < NAMES_MAX {
            counters.insert(name.to_owned(), count);
        }
    }

    /// All counters, by name.
    pub fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().clone()
    }
}
