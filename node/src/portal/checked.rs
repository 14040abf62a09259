//! Verdicts on bulletins. To compute one again may take long, so it is done behind the reader's back, one at a time, and
//! what was found is kept for a while.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use super::data::Check;
use super::limits::{CHECK_AGE_MAX, CHECKS_KEPT_MAX};

/// Verdicts that are kept, by the ids of their bulletins.
#[derive(Default)]
pub struct Checked {
    known: Mutex<BTreeMap<String, (Instant, Check)>>,
    /// Whether somebody is at work.
    working: AtomicBool,
}

impl Checked {
    /// What is known of these bulletins, in their order. Those of which nothing fresh is known are computed again
    /// meanwhile, the first of them first.
    pub fn of(self: &Arc<Self>, ids: &[&str], work: impl Fn(&str) -> Check + Send + 'static) -> Vec<Option<Check>> {
        let (found, stale) = {
            let known = self.known.lock();
            let is_stale = |id: &&&str| known.get(**id).is_none_or(|(at, _)| at.elapsed() > CHECK_AGE_MAX);
            let stale: Vec<String> = ids.iter().filter(is_stale).map(|id| (*id).to_owned()).collect();
            (ids.iter().map(|id| known.get(*id).map(|(_, check)| check.clone())).collect(), stale)
        };
        if !stale.is_empty() && !self.working.swap(true, Ordering::AcqRel) {
            let (checked, turn) = (Arc::clone(self), Turn(Arc::clone(self)));
            tokio::task::spawn_blocking(move || {
                let _turn = turn;
                for id in stale {
                    let check = work(&id);
                    checked.put(id, check);
                }
            });
        }
        found
    }

    fn put(&self, id: String, check: Check) {
        let mut known = self.known.lock();
        if known.len() >= CHECKS_KEPT_MAX && !known.contains_key(&id) {
            let oldest = known.iter().min_by_key(|(_, (at, _))| *at).map(|(id, _)| id.clone());
            oldest.map(|oldest| known.remove(&oldest));
        }
        known.insert(id, (Instant::now(), check));
    }
}

/// Ends the work, however it ends.
struct Turn(Arc<Checked>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.working.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Check {
        Check { at_ms: 1, found: Err(text.into()) }
    }

    #[tokio::test]
    async fn a_verdict_is_worked_out_once_and_kept() {
        let checked: Arc<Checked> = Arc::default();
        assert!(checked.of(&["a", "b"], check).iter().all(Option::is_none), "nothing is known yet, and nobody waits");
        while checked.working.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
        let known = checked.of(&["b", "a"], |_| panic!("both are known"));
        let texts: Vec<String> =
            known.into_iter().flatten().filter_map(|one| one.found.err()).map(|text| text.to_string()).collect();
        assert_eq!(texts, ["b", "a"]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let checked = Checked::default();
        (0..2 * CHECKS_KEPT_MAX).for_each(|number| checked.put(number.to_string(), check("")));
        assert_eq!(checked.known.lock().len(), CHECKS_KEPT_MAX);
    }
}
