//! Members that say more than they may, as this node observed it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use parking_lot::Mutex;
use protocol::identity::MemberNumber;

use super::Core;

/// Observations by member; the charter bounds how many there are.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// Entries that gossip held back because they came too fast, and when last.
    over_limit: Mutex<BTreeMap<MemberNumber, (u64, Instant)>>,
    /// Those among them of which the health model was not told yet.
    throttled: Mutex<BTreeSet<MemberNumber>>,
}

impl Core {
    /// Notes that an entry of this member came beyond the pace that the charter allows; sync brings it later.
    pub fn note_over_limit(&self, member: MemberNumber) {
        let observed = &self.shared.observed;
        let mut over = observed.over_limit.lock();
        let (count, last) = over.entry(member).or_insert((0, Instant::now()));
        (*count, *last) = (*count + 1, Instant::now());
        observed.throttled.lock().insert(member);
    }

    /// Members whose gossip went beyond its pace: how often since the start, and when last.
    pub fn over_limit(&self) -> BTreeMap<MemberNumber, (u64, Instant)> {
        self.shared.observed.over_limit.lock().clone()
    }

    /// Members whose gossip went beyond its pace, since this was last asked.
    pub fn take_throttled(&self) -> BTreeSet<MemberNumber> {
        std::mem::take(&mut *self.shared.observed.throttled.lock())
    }
}
