//! The checks that depend on other records: own numbers are used once, and only one's own record that stands is changed.
//!
//! Requests of one batch see each other: the second revision of a record is judged by what the first one leaves.

use std::collections::BTreeMap;

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;
use protocol::statement::{FIELD_REASON, Operation, Statement};
use protocol::value::Value;
use protocol::view::RecordState;

use super::erase::refuse_erased;
use super::error::RecordError;
use super::prepare::{Author, Prepared, may_leave};
use super::{FOLD_COST, LOCK_WORK_MAX};
use crate::core::{Core, State};

/// How a record of one's own stands, before or within a batch.
#[derive(Debug, Clone)]
struct Standing {
    kind: u16,
    label: String,
    external: Option<String>,
    fields: BTreeMap<u16, Value>,
    withdrawn: bool,
}

impl From<RecordState> for Standing {
    fn from(state: RecordState) -> Self {
        Self {
            kind: state.kind,
            label: state.label.to_string(),
            external: state.external,
            fields: state.fields,
            withdrawn: state.withdrawn.is_some(),
        }
    }
}

/// Checks prepared statements in order against the records as they stand. One answer for each; nothing when it is good.
pub(super) fn settle(core: &Core, author: &Author<'_>, prepared: &[&Prepared]) -> Vec<Option<RecordError>> {
    let mut desk = Desk { author, standing: BTreeMap::new(), externals: BTreeMap::new() };
    let mut answers = Vec::with_capacity(prepared.len());
    let mut rest = prepared;
    while !rest.is_empty() {
        let taken = rest.len().min(LOCK_WORK_MAX / FOLD_COST);
        let (now, later) = rest.split_at(taken);
        let found: Vec<_> = core.read(|state| now.iter().map(|one| desk.look_up(state, core, one)).collect());
        answers.extend(now.iter().zip(found).map(|(one, found)| found.and_then(|()| desk.judge(one)).err()));
        rest = later;
    }
    answers
}

struct Desk<'a> {
    author: &'a Author<'a>,
    standing: BTreeMap<EntryId, Standing>,
    /// Own numbers of this batch.
    externals: BTreeMap<(u16, String), ()>,
}

impl Desk<'_> {
    /// What must be read under the lock.
    fn look_up(&mut self, state: &State, core: &Core, prepared: &Prepared) -> Result<(), RecordError> {
        match prepared.statement.record {
            None => self.external_free(state, prepared),
            Some(record) if self.standing.contains_key(&record) => Ok(()),
            Some(record) => {
                let standing = own_record(state, core, record, self.author.member)?;
                self.standing.insert(record, standing);
                Ok(())
            }
        }
    }

    fn external_free(&self, state: &State, prepared: &Prepared) -> Result<(), RecordError> {
        let Some(external) = &prepared.statement.external else { return Ok(()) };
        let view = state.view();
        let Some(id) = view.by_external(self.author.member, prepared.kind, external) else { return Ok(()) };
        let label = view.label(&id).map_or_else(|| id.to_string(), |label| label.to_string());
        Err(RecordError::ExternalExists { external: external.clone(), label })
    }

    fn judge(&mut self, prepared: &Prepared) -> Result<(), RecordError> {
        let statement = &prepared.statement;
        match (statement.record, &statement.external) {
            (None, Some(external)) => {
                let known = self.externals.insert((prepared.kind, external.clone()), ());
                known.map_or(Ok(()), |()| Err(RecordError::ExternalTwice { external: external.clone() }))
            }
            (None, None) => Ok(()),
            (Some(record), _) => {
                let standing = self.standing.get_mut(&record).ok_or(RecordError::Incomplete { id: record })?;
                standing.apply(prepared, self.author.kinds)
            }
        }
    }
}

impl Standing {
    /// Judges a change and carries it out, so that the next one of the batch is judged by its result.
    fn apply(&mut self, prepared: &Prepared, kinds: &KindSet) -> Result<(), RecordError> {
        let statement = &prepared.statement;
        if self.kind != prepared.kind {
            return Err(RecordError::KindOther { label: self.label.clone() });
        }
        if self.withdrawn {
            return Err(RecordError::Withdrawn { label: self.label.clone() });
        }
        if statement.operation == Operation::Withdraw {
            self.withdrawn = true;
            return Ok(());
        }
        let Some(kind) = kinds.kind(self.kind) else { return Ok(()) };
        let number = kind.external_field().number;
        let mut result = self.result_of(statement);
        let stated = result.get(&number).map(|value| kind.external_field().render(value));
        let touched = statement.cleared.contains(&number) || statement.fields.contains_key(&number);
        if touched && stated != self.external {
            return Err(RecordError::ExternalFixed);
        }
        may_leave(kind, &result)?;
        result.remove(&FIELD_REASON);
        self.fields = result;
        Ok(())
    }

    /// The fields of the whole record as it would be, with the reason that is told beside them.
    fn result_of(&self, statement: &Statement) -> BTreeMap<u16, Value> {
        let kept = self.fields.iter().filter(|(number, _)| !statement.cleared.contains(number));
        let mut result: BTreeMap<u16, Value> = kept.map(|(number, value)| (*number, value.clone())).collect();
        result.extend(statement.fields.clone());
        result
    }
}

/// A record of one's own as all its statements leave it, those from the future too: what is signed now comes after them.
fn own_record(state: &State, core: &Core, id: EntryId, member: MemberNumber) -> Result<Standing, RecordError> {
    let view = state.view();
    let (owner, _) = view.owner(&id).ok_or_else(|| RecordError::NotFound { reference: id.to_string() })?;
    if owner != member {
        let label = view.label(&id).map_or_else(|| id.to_string(), |label| label.to_string());
        return Err(RecordError::NotOwner { label });
    }
    refuse_erased(state, &id)?;
    view.record(&id, u64::MAX, core).map(Standing::from).ok_or(RecordError::Incomplete { id })
}
