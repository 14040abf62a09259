//! What was touched: collected by the writer, taken by the one that keeps in step what is derived from records.

use protocol::view::{Advanced, Moved, Positions, Said, Touched};

use super::Core;

/// What nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct Collected {
    touched: Touched,
    since_ms: Option<u64>,
    /// Whether the view went on since somebody took this, be it past what touches no record.
    moved: bool,
    /// Records that were ever touched, for who wants to know how busy the writer is.
    ever: u64,
}

impl Collected {
    pub(super) fn note(&mut self, touched: Touched, now_ms: u64) {
        self.moved = true;
        if touched.is_empty() {
            return;
        }
        self.ever += if touched.everything { 1 } else { touched.records.len() as u64 };
        self.touched.merge(touched);
        self.since_ms.get_or_insert(now_ms);
    }
}

/// What was touched since somebody asked last, and the positions that it leads to.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The records.
    pub touched: Touched,
    /// How far the view has come.
    pub positions: Positions,
    /// When the first of it was touched, by this machine's clock; nothing if nothing was.
    pub since_ms: Option<u64>,
}

/// What waits to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Records; `None` for all of them.
    pub records: Option<usize>,
    /// When the first of them was touched, by this machine's clock.
    pub since_ms: Option<u64>,
    /// Whether the positions of the view are others than those that were taken last.
    pub moved: bool,
    /// Records that were touched since the node started, each as often as it was.
    pub ever: u64,
}

impl Core {
    /// Takes what was touched since this was called last. Whoever looks at it then sees nothing older.
    pub fn take_touched(&self) -> Taken {
        self.read(|state| {
            let Collected { touched, since_ms, .. } = {
                let mut held = self.shared.touched.lock();
                let ever = held.ever;
                std::mem::replace(&mut *held, Collected { ever, ..Collected::default() })
            };
            Taken { touched, positions: state.keeper.positions(&state.replica), since_ms }
        })
    }

    /// What waits to be taken.
    pub fn waiting(&self) -> Waiting {
        let held = self.shared.touched.lock();
        let records = (!held.touched.everything).then_some(held.touched.records.len());
        Waiting { records, since_ms: held.since_ms, moved: held.moved, ever: held.ever }
    }

    /// A step from older positions towards the present ones; reads so many entries under the lock.
    ///
    /// # Errors
    /// [`Moved`] when they do not stand any more.
    pub fn advance(&self, older: &Positions, entries_max: usize) -> Result<Advanced, Moved> {
        self.read(|state| state.keeper.advance(older, &state.replica, &self.shared.store, entries_max))
    }

    /// How far the view has come.
    pub fn positions(&self) -> Positions {
        self.read(|state| state.keeper.positions(&state.replica))
    }

    /// What was said of records between two positions; reads so many entries under the lock.
    pub fn said(&self, from: &Positions, until: &Positions, entries_max: usize) -> Said {
        self.read(|state| state.keeper.said(from, until, &state.replica, &self.shared.store, entries_max))
    }
}
