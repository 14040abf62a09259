//! One's own records of a kind by their own numbers, with the exact bytes of their fields: what a second import of a
//! sheet is compared with.

use protocol::identity::MemberNumber;

use super::walk::{Walk, Whose};
use super::{FOLD_COST, LOCK_WORK_MAX};
use crate::api::types::ExternalRecord;
use crate::confidential::Seen;
use crate::core::Core;
use crate::kinds::kinds;

/// Goes through one's own records of a kind, a piece at a time.
#[derive(Debug, Clone)]
pub struct Externals {
    member: MemberNumber,
    kind: u16,
    walk: Walk,
}

impl Externals {
    /// Begins. `None` while this node is no member.
    pub fn new(core: &Core, kind: u16) -> Option<Self> {
        let (member, _) = core.own()?;
        Some(Self { member, kind, walk: Walk::new(Whose::One(member)) })
    }

    /// The next records, perhaps none; `None` at the end. Blocks: it reads bodies from the disk.
    ///
    /// Records from the future are among them: their numbers are taken.
    ///
    /// A confidential record keeps its number in its sealed part, where this node, which sealed it, finds it.
    pub fn next_piece(&mut self, core: &Core) -> Option<Vec<ExternalRecord>> {
        let access = core.access();
        let number_field = kinds().kind(self.kind).map(|kind| kind.external_field());
        core.read(|state| {
            let (view, charter) = (state.view(), state.replica.charter());
            let (mut piece, mut work) = (Vec::new(), 0);
            while work < LOCK_WORK_MAX {
                let Some((_, id)) = self.walk.step(view, charter) else {
                    return if work == 0 { None } else { Some(piece) };
                };
                work += 1;
                if view.owner(&id) != Some((self.member, self.kind)) {
                    continue;
                }
                work += FOLD_COST;
                let Some(record) = view.record(&id, u64::MAX, core) else { continue };
                let Seen { state: record, confidential } = access.see(record);
                let sealed = || Some(number_field?.render(record.fields.get(&number_field?.number)?));
                let number = record.external.clone().or_else(|| confidential.as_ref().and_then(|_| sealed()));
                let Some(external) = number else { continue };
                if confidential.is_none() && view.by_external(self.member, self.kind, &external) != Some(id) {
                    continue;
                }
                let bytes = |(number, value): (&u16, &protocol::value::Value)| {
                    (*number, value.value_type(), hex::encode(value.encode()))
                };
                piece.push(ExternalRecord {
                    external,
                    record: id.to_string(),
                    withdrawn: record.withdrawn.is_some(),
                    fields: record.fields.iter().map(bytes).collect(),
                });
            }
            Some(piece)
        })
    }
}
