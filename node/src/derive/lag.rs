//! How far what is derived is behind, for people and programs.

use crate::core::{Core, now_ms};
use crate::search::Condition;

/// What the index is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndexState {
    /// It is not open yet.
    #[default]
    Opening,
    /// Everything is taken in, because there was nothing that could be used.
    Building,
    /// Everything is taken in again beside what is there.
    Renewing,
    /// It follows what is touched.
    Following,
    /// It failed, and is tried again.
    Failed,
}

impl IndexState {
    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Building => "building",
            Self::Renewing => "renewing",
            Self::Following => "following",
            Self::Failed => "failed",
        }
    }
}

/// How far the index is behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// What it is busy with.
    pub state: IndexState,
    /// Records that may stand otherwise than the index has them.
    pub records: u64,
    /// For how long the first of them waits, in milliseconds.
    pub ms: u64,
    /// While everything is taken in: records that were looked at.
    pub looked_at: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// In what condition it was found when it was opened last.
    pub found: Option<Condition>,
    /// When it was committed last, by this machine's clock.
    pub committed_ms: Option<u64>,
}

/// What the worker says of itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauge {
    pub(super) state: IndexState,
    /// Records that were taken and not looked at, or looked at and not committed.
    pub(super) pending: u64,
    /// When the first of them was touched.
    pub(super) since_ms: Option<u64>,
    pub(super) looked_at: u64,
    pub(super) error: Option<String>,
    pub(super) found: Option<Condition>,
    pub(super) committed_ms: Option<u64>,
}

impl Gauge {
    pub(super) fn lag(&self, core: &Core) -> Lag {
        let waiting = core.waiting();
        let all = || core.read(|state| state.view().len()) as u64;
        let untaken = waiting.records.map_or_else(all, |records| records as u64);
        let unseen = match self.state {
            IndexState::Following => 0,
            _ => all().saturating_sub(self.looked_at),
        };
        let since_ms = self.since_ms.into_iter().chain(waiting.since_ms).min();
        Lag {
            state: self.state,
            records: (self.pending + untaken).max(unseen),
            ms: since_ms.map_or(0, |since| now_ms().saturating_sub(since)),
            looked_at: self.looked_at,
            error: self.error.clone(),
            found: self.found,
            committed_ms: self.committed_ms,
        }
    }
}
