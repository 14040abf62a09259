//! What must be sealed anew after a change of keys: own confidential records that one of their readers cannot open.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::charter::LogNumber;
use protocol::entry::VerifiedEntry;
use protocol::erasure::KIND_ERASURE;
use protocol::identity::{EntryId, MemberNumber};
use protocol::sealed::{Readers, Sealed};
use protocol::statement::{FIELD_SEALED, Statement};
use protocol::value::Value;
use protocol::view::Label;

use super::walk::{Walk, Whose};
use super::{FOLD_COST, LOCK_WORK_MAX};
use crate::confidential;
use crate::core::{Core, State, now_ms};

/// New entries of the own log beyond which everything is gone through anew, and their bytes.
const TOUCHED_ENTRIES_MAX: u64 = 1_024;
const TOUCHED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// After this time everything is gone through anew: who reads for an organ changes with time, too.
const COUNT_AGE_MAX: Duration = Duration::from_secs(60 * 60);

/// An own record that one of its readers has no key to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The record.
    pub id: EntryId,
    /// Its label.
    pub label: Label,
    /// Who may read it, as far as they are members still.
    pub readers: Readers,
}

/// Goes through one's own records that stand. Blocks: it reads bodies from the disk.
pub fn stale(core: &Core) -> Vec<Stale> {
    let Some((own, _)) = core.own() else { return Vec::new() };
    let mut walk = Walk::new(Whose::One(own));
    gather(core, own, |state| walk.step(state.view(), state.replica.charter()))
}

/// The same among some records: those that the walk would meet.
fn stale_among(core: &Core, own: MemberNumber, ids: &BTreeSet<EntryId>) -> Vec<Stale> {
    let mut ids = ids.iter();
    gather(core, own, |state| {
        ids.find_map(|id| {
            let label = state.view().label(id)?;
            (label.member == own).then_some((label, *id))
        })
    })
}

/// Looks at the records that `next` names, a few at a time under the lock.
fn gather(core: &Core, own: MemberNumber, mut next: impl FnMut(&State) -> Option<(Label, EntryId)>) -> Vec<Stale> {
    let (mut found, mut ended) = (Vec::new(), false);
    while !ended {
        core.read(|state| {
            let mut work = 0;
            while work < LOCK_WORK_MAX {
                let Some((label, id)) = next(state) else {
                    ended = true;
                    return;
                };
                work += FOLD_COST;
                found.extend(look_at(core, state, own, label, id));
            }
        });
    }
    found
}

fn look_at(core: &Core, state: &State, own: MemberNumber, label: Label, id: EntryId) -> Option<Stale> {
    let charter = state.replica.charter();
    let record = state.view().record(&id, u64::MAX, core).filter(|record| record.withdrawn.is_none());
    let Some(Value::Sealed(bytes)) = record?.fields.remove(&FIELD_SEALED) else { return None };
    let sealed = Sealed::decode(&bytes).ok()?;
    let readers = confidential::present(charter, sealed.readers());
    let wanted = confidential::recipients(charter, &readers, own, now_ms());
    // What cannot be sealed now is told when somebody tries.
    wanted.map_or(true, |wanted| sealed.needs_rewrap(&wanted)).then_some(Stale { id, label, readers })
}

/// How many own records are stale, kept in step: everything is gone through when the charter moved, something was erased
/// or an hour has passed, and otherwise only what new entries of the own log speak of.
#[derive(Debug, Clone, Default)]
pub struct StaleCount {
    /// Charter version, own log and its length when it was counted.
    at: Option<(u32, LogNumber, u64)>,
    /// When everything was gone through.
    whole: Option<Instant>,
    found: BTreeSet<EntryId>,
}

impl StaleCount {
    /// Brings the count in step. Blocks: it reads bodies from the disk.
    pub fn count(&mut self, core: &Core) -> usize {
        let Some((own, log)) = core.own() else { return 0 };
        let now = core.read(|state| (state.replica.charter().version(), log, state.replica.effective_length(log)));
        let is_fresh = self.whole.is_some_and(|at| at.elapsed() < COUNT_AGE_MAX);
        if self.at != Some(now) || !is_fresh {
            let before = self.at.filter(|_| is_fresh);
            match before.and_then(|before| touched_since(core, before, now)) {
                Some(touched) => {
                    self.found.retain(|id| !touched.contains(id));
                    self.found.extend(stale_among(core, own, &touched).into_iter().map(|stale| stale.id));
                }
                None => {
                    self.whole = Some(Instant::now());
                    self.found = stale(core).into_iter().map(|stale| stale.id).collect();
                }
            }
            self.at = Some(now);
        }
        self.found.len()
    }
}

/// The records of which entries speak that came since; `None` when that does not tell, as with an erasure, which names
/// entries of any record, or when they are many.
fn touched_since(
    core: &Core,
    (version, log, from): (u32, LogNumber, u64),
    now: (u32, LogNumber, u64),
) -> Option<BTreeSet<EntryId>> {
    let count = now.2.checked_sub(from).filter(|count| *count <= TOUCHED_ENTRIES_MAX)?;
    if (version, log) != (now.0, now.1) {
        return None;
    }
    let entries = core.store().range(log, from, count as usize, TOUCHED_BYTES_MAX).ok()?;
    if entries.len() as u64 != count {
        return None;
    }
    let spoken_of = |entry: &Arc<VerifiedEntry>| {
        let body = entry.body().filter(|_| entry.header().kind != KIND_ERASURE)?;
        let statement = Statement::decode(body).ok();
        Some(statement.and_then(|statement| statement.record).unwrap_or(entry.id()))
    };
    entries.iter().map(spoken_of).collect()
}
