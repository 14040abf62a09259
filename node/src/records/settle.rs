//! The checks that depend on other records: own numbers are used once, only one's own record that stands is changed,
//! and only as its lifecycle allows.
//!
//! Requests of one batch see each other's effect on one record: the second revision is judged by what the first one
//! leaves. The new records of a batch are no evidence for each other, because nothing of it is published yet.

use std::collections::{BTreeMap, BTreeSet};

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;
use protocol::register::Register;
use protocol::view::RecordState;

use super::erase::refuse_erased;
use super::error::RecordError;
use super::externals::SealedNumbers;
use super::lifecycle::Court;
use super::prepare::{Author, Prepared};
use super::seal::Settled;
use super::standing::{Standing, settle_create};
use super::{FOLD_COST, LOCK_WORK_MAX};
use crate::confidential::Access;
use crate::core::{Core, State};

/// Checks prepared statements in order against the records as they stand. One answer for each: what is to become of it.
pub(super) fn settle(
    core: &Core,
    author: &Author<'_>,
    numbers: &mut SealedNumbers,
    prepared: &[&Prepared],
) -> Vec<Result<Settled, RecordError>> {
    let numbered = prepared.iter().filter(|one| one.external.is_some()).map(|one| one.kind);
    for kind in numbered.collect::<BTreeSet<_>>() {
        numbers.follow(core, author.member, kind);
    }
    let (access, court) = (core.access(), Court { core, author });
    let mut desk = Desk { court, access: &access, numbers, standing: BTreeMap::new(), externals: BTreeSet::new() };
    let mut answers = Vec::with_capacity(prepared.len());
    let mut rest = prepared;
    while !rest.is_empty() {
        let taken = rest.len().min(LOCK_WORK_MAX / FOLD_COST);
        let (now, later) = rest.split_at(taken);
        let found: Vec<_> = core.read(|state| now.iter().map(|one| desk.look_up(state, one)).collect());
        answers.extend(now.iter().zip(found).map(|(one, found)| found.and_then(|()| desk.judge(one))));
        rest = later;
    }
    answers
}

struct Desk<'a> {
    court: Court<'a>,
    access: &'a Access,
    numbers: &'a SealedNumbers,
    standing: BTreeMap<EntryId, Standing>,
    /// Own numbers of this batch.
    externals: BTreeSet<(u16, String)>,
}

impl Desk<'_> {
    /// What must be read under the lock.
    fn look_up(&mut self, state: &State, prepared: &Prepared) -> Result<(), RecordError> {
        let Court { core, author } = &self.court;
        match prepared.statement.record {
            None => self.external_free(state, prepared),
            Some(record) if self.standing.contains_key(&record) => Ok(()),
            Some(record) => {
                let found = own_record(state, core, author.kinds, record, author.member)?;
                self.standing.insert(record, Standing::new(self.access.see(found), author.kinds));
                Ok(())
            }
        }
    }

    fn external_free(&self, state: &State, prepared: &Prepared) -> Result<(), RecordError> {
        let Some(external) = &prepared.external else { return Ok(()) };
        let (view, member) = (state.view(), self.court.author.member);
        let held = view.by_external(member, prepared.kind, external);
        let Some(id) = held.or_else(|| self.numbers.record(prepared.kind, external)) else { return Ok(()) };
        let label = view.label(&id).map_or_else(|| id.to_string(), |label| label.to_string());
        Err(RecordError::ExternalExists { external: external.clone(), label })
    }

    fn judge(&mut self, prepared: &Prepared) -> Result<Settled, RecordError> {
        let Some(record) = prepared.statement.record else { return self.judge_create(prepared) };
        let standing = self.standing.get_mut(&record).ok_or(RecordError::Incomplete { id: record })?;
        match prepared.reseal {
            true => self.court.core.read(|state| standing.reseal(state)),
            false => standing.apply(prepared, &self.court),
        }
    }

    fn judge_create(&mut self, prepared: &Prepared) -> Result<Settled, RecordError> {
        if let Some(external) = &prepared.external
            && !self.externals.insert((prepared.kind, external.clone()))
        {
            return Err(RecordError::ExternalTwice { external: external.clone() });
        }
        let Some(kind) = self.court.author.kinds.kind(prepared.kind) else { return Ok(Settled::AsItIs) };
        self.court.judge(kind, None, None, &prepared.statement.fields)?;
        Ok(settle_create(kind, prepared, self.court.author.member))
    }
}

/// A record of one's own as those of its statements leave it that count, those from the future too: what is signed now
/// comes after them.
fn own_record(
    state: &State,
    core: &Core,
    kinds: &KindSet,
    id: EntryId,
    member: MemberNumber,
) -> Result<RecordState, RecordError> {
    let view = state.view();
    let (owner, _) = view.owner(&id).ok_or_else(|| RecordError::NotFound { reference: id.to_string() })?;
    if owner != member {
        let label = view.label(&id).map_or_else(|| id.to_string(), |label| label.to_string());
        return Err(RecordError::NotOwner { label });
    }
    refuse_erased(state, &id)?;
    let register = Register::new(view, core, kinds, state.replica.charter(), u64::MAX);
    register.judged(&id).map(|judged| judged.state).ok_or(RecordError::Incomplete { id })
}
