//! What takes long to work out is kept, and worked out again behind the reader's back.
//!
//! A page shows of when its figures are, so figures of a minute ago are as true as those of now; the page fetches the
//! new ones with the next event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::limits::{VIEW_AGE_MAX, VIEW_AGE_SHOWN_MAX};

/// A view that is kept.
pub struct Kept<T> {
    value: Mutex<Option<(Instant, Arc<T>)>>,
    /// Held by whoever works it out, so that nobody does it twice.
    work: Mutex<()>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { value: Mutex::new(None), work: Mutex::new(()) }
    }
}

impl<T: Send + Sync + 'static> Kept<T> {
    /// The view: the one that is kept, if it is not too old to be shown; one that is no longer fresh is worked out anew
    /// meanwhile. Blocks while there is none.
    pub fn get(self: &Arc<Self>, work: impl FnOnce() -> T + Send + 'static) -> Arc<T> {
        if let Some((age, view)) = self.held(VIEW_AGE_SHOWN_MAX) {
            if age > VIEW_AGE_MAX {
                let kept = Arc::clone(self);
                tokio::task::spawn_blocking(move || {
                    if let Some(_turn) = kept.work.try_lock() {
                        kept.put(work());
                    }
                });
            }
            return view;
        }
        let _turn = self.work.lock();
        // Somebody else may have worked it out while this one waited.
        match self.held(VIEW_AGE_MAX) {
            Some((_, view)) => view,
            None => self.put(work()),
        }
    }

    /// Forgets the view, because it is known to be wrong.
    pub fn forget(&self) {
        *self.value.lock() = None;
    }

    fn held(&self, age_max: Duration) -> Option<(Duration, Arc<T>)> {
        let held = self.value.lock();
        let (since, view) = held.as_ref()?;
        let age = since.elapsed();
        (age <= age_max).then(|| (age, Arc::clone(view)))
    }

    fn put(&self, view: T) -> Arc<T> {
        let view = Arc::new(view);
        *self.value.lock() = Some((Instant::now(), Arc::clone(&view)));
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_view_is_worked_out_once_until_it_is_forgotten() {
        let kept: Arc<Kept<u32>> = Arc::default();
        assert_eq!(*kept.get(|| 1), 1);
        assert_eq!(*kept.get(|| 2), 1, "it is fresh");
        kept.forget();
        assert_eq!(*kept.get(|| 3), 3);
    }
}
