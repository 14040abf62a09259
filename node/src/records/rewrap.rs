//! What must be sealed anew after a change of keys: own confidential records that one of their readers cannot open.

use protocol::identity::EntryId;
use protocol::sealed::{Readers, Sealed};
use protocol::statement::FIELD_SEALED;
use protocol::value::Value;
use protocol::view::Label;

use super::walk::{Walk, Whose};
use super::{FOLD_COST, LOCK_WORK_MAX};
use crate::confidential;
use crate::core::{Core, now_ms};

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
    let (mut walk, mut found, mut ended) = (Walk::new(Whose::One(own)), Vec::new(), false);
    while !ended {
        core.read(|state| {
            let (view, charter) = (state.view(), state.replica.charter());
            let mut work = 0;
            while work < LOCK_WORK_MAX {
                let Some((label, id)) = walk.step(view, charter) else {
                    ended = true;
                    return;
                };
                work += FOLD_COST;
                let record = view.record(&id, u64::MAX, core).filter(|record| record.withdrawn.is_none());
                let Some(Value::Sealed(bytes)) = record.and_then(|mut record| record.fields.remove(&FIELD_SEALED))
                else {
                    continue;
                };
                let Ok(sealed) = Sealed::decode(&bytes) else { continue };
                let readers = confidential::present(charter, sealed.readers());
                let wanted = confidential::recipients(charter, &readers, own, now_ms());
                // What cannot be sealed now is told when somebody tries.
                if wanted.map_or(true, |wanted| sealed.needs_rewrap(&wanted)) {
                    found.push(Stale { id, label, readers });
                }
            }
        });
    }
    found
}
