//! The checks that depend on other records: own numbers are used once, and only one's own record that stands is changed.
//!
//! Requests of one batch see each other: the second revision of a record is judged by what the first one leaves.

use std::collections::{BTreeMap, BTreeSet};

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;
use protocol::sealed::Readers;
use protocol::statement::{FIELD_REASON, Operation, Statement};
use protocol::value::Value;
use protocol::view::RecordState;

use super::erase::refuse_erased;
use super::error::RecordError;
use super::prepare::{Author, Prepared, may_leave};
use super::seal::Settled;
use super::{FOLD_COST, LOCK_WORK_MAX};
use crate::confidential::{self, Access, Audience, Closed, Seen};
use crate::core::{Core, State};

/// How a record of one's own stands, before or within a batch.
#[derive(Debug, Clone)]
struct Standing {
    kind: u16,
    label: String,
    external: Option<String>,
    /// All fields, those of its confidential part too.
    fields: BTreeMap<u16, Value>,
    /// Numbers of the fields that stand in clear.
    public: BTreeSet<u16>,
    /// Who reads its confidential part, if it has one.
    readers: Option<Readers>,
    /// Why its confidential part does not open, if it does not.
    closed: Option<Closed>,
    withdrawn: bool,
}

impl Standing {
    fn new(seen: Seen, kinds: &KindSet) -> Self {
        let Seen { state, confidential } = seen;
        let sealed = confidential.as_ref().map(|part| &part.fields);
        let in_clear = |number: &&u16| sealed.is_none_or(|sealed| !sealed.contains(number));
        let public = state.fields.keys().filter(in_clear).copied().collect();
        let field = kinds.kind(state.kind).map(|kind| kind.external_field());
        let number = || Some(field?.render(state.fields.get(&field?.number)?));
        let closed = confidential.as_ref().and_then(|part| part.closed);
        Self {
            kind: state.kind,
            label: state.label.to_string(),
            external: state.external.clone().or_else(|| confidential.as_ref().and_then(|_| number())),
            public,
            readers: confidential.and_then(|part| part.readers),
            closed,
            fields: state.fields,
            withdrawn: state.withdrawn.is_some(),
        }
    }
}

/// Checks prepared statements in order against the records as they stand. One answer for each: what is to become of it.
pub(super) fn settle(core: &Core, author: &Author<'_>, prepared: &[&Prepared]) -> Vec<Result<Settled, RecordError>> {
    let access = core.access();
    let mut desk = Desk { author, access: &access, standing: BTreeMap::new(), externals: BTreeMap::new() };
    let mut answers = Vec::with_capacity(prepared.len());
    let mut rest = prepared;
    while !rest.is_empty() {
        let taken = rest.len().min(LOCK_WORK_MAX / FOLD_COST);
        let (now, later) = rest.split_at(taken);
        let found: Vec<_> = core.read(|state| now.iter().map(|one| desk.look_up(state, core, one)).collect());
        answers.extend(now.iter().zip(found).map(|(one, found)| found.and_then(|()| desk.judge(core, one))));
        rest = later;
    }
    answers
}

struct Desk<'a> {
    author: &'a Author<'a>,
    access: &'a Access,
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
                let found = own_record(state, core, record, self.author.member)?;
                self.standing.insert(record, Standing::new(self.access.see(found), self.author.kinds));
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

    fn judge(&mut self, core: &Core, prepared: &Prepared) -> Result<Settled, RecordError> {
        let statement = &prepared.statement;
        match (statement.record, &statement.external) {
            (None, Some(external)) => {
                let known = self.externals.insert((prepared.kind, external.clone()), ());
                known.map_or(Ok(Settled::AsItIs), |()| Err(RecordError::ExternalTwice { external: external.clone() }))
            }
            (None, None) => Ok(match &prepared.audience {
                Some(Audience::Sealed(readers)) => {
                    let (readers, fields) = (readers.clone(), statement.fields.clone());
                    Settled::Seal { readers, fields, cleared: BTreeSet::new() }
                }
                _ => Settled::AsItIs,
            }),
            (Some(record), _) => {
                let standing = self.standing.get_mut(&record).ok_or(RecordError::Incomplete { id: record })?;
                if prepared.reseal {
                    return core.read(|state| standing.reseal(state));
                }
                standing.apply(prepared, self.author.kinds)
            }
        }
    }
}

impl Standing {
    /// Judges a change and carries it out, so that the next one of the batch is judged by its result.
    fn apply(&mut self, prepared: &Prepared, kinds: &KindSet) -> Result<Settled, RecordError> {
        let statement = &prepared.statement;
        if self.kind != prepared.kind {
            return Err(RecordError::KindOther { label: self.label.clone() });
        }
        if self.withdrawn {
            return Err(RecordError::Withdrawn { label: self.label.clone() });
        }
        if statement.operation == Operation::Withdraw {
            self.withdrawn = true;
            return Ok(Settled::AsItIs);
        }
        self.check_open()?;
        let Some(kind) = kinds.kind(self.kind) else { return Ok(Settled::AsItIs) };
        let number = kind.external_field().number;
        let mut result = self.result_of(statement);
        let stated = result.get(&number).map(|value| kind.external_field().render(value));
        let touched = statement.cleared.contains(&number) || statement.fields.contains_key(&number);
        if touched && stated != self.external {
            return Err(RecordError::ExternalFixed);
        }
        may_leave(kind, &result)?;
        let readers = match &prepared.audience {
            None | Some(Audience::Local) => self.readers.clone(),
            Some(Audience::All) => None,
            Some(Audience::Sealed(readers)) => Some(readers.clone()),
        };
        if readers.is_some() || self.readers.is_some() {
            let mut whole = result.clone();
            whole.remove(&FIELD_REASON);
            let broken = kind.validate(&whole);
            if !broken.is_empty() {
                return Err(RecordError::Fields(broken));
            }
        }
        let settled = match (&readers, &self.readers) {
            (Some(readers), _) => {
                let cleared = std::mem::take(&mut self.public);
                Settled::Seal { readers: readers.clone(), fields: result.clone(), cleared }
            }
            (None, Some(_)) => {
                self.public = result.keys().copied().collect();
                Settled::Disclose(result.clone())
            }
            (None, None) => {
                self.public = result.keys().copied().collect();
                Settled::AsItIs
            }
        };
        result.remove(&FIELD_REASON);
        self.public.remove(&FIELD_REASON);
        self.fields = result;
        self.readers = readers;
        Ok(settled)
    }

    /// The same content for the present keys of its readers, as far as they are members still.
    fn reseal(&self, state: &State) -> Result<Settled, RecordError> {
        self.check_open()?;
        let readers = self.readers.as_ref().filter(|_| !self.withdrawn).ok_or(RecordError::NothingToChange)?;
        let readers = confidential::present(state.replica.charter(), readers);
        Ok(Settled::Seal { readers, fields: self.fields.clone(), cleared: self.public.clone() })
    }

    /// What does not open cannot be sealed again: a revision would lose it.
    fn check_open(&self) -> Result<(), RecordError> {
        let closed = |closed| Err(RecordError::ClosedHere { label: self.label.clone(), closed });
        self.closed.map_or(Ok(()), closed)
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
fn own_record(state: &State, core: &Core, id: EntryId, member: MemberNumber) -> Result<RecordState, RecordError> {
    let view = state.view();
    let (owner, _) = view.owner(&id).ok_or_else(|| RecordError::NotFound { reference: id.to_string() })?;
    if owner != member {
        let label = view.label(&id).map_or_else(|| id.to_string(), |label| label.to_string());
        return Err(RecordError::NotOwner { label });
    }
    refuse_erased(state, &id)?;
    view.record(&id, u64::MAX, core).ok_or(RecordError::Incomplete { id })
}
