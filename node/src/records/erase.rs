//! Erasing one's own records: which entries go, and who erased what (DESIGN 3.10, requirement Q42).
//!
//! An erasure of a record names every statement about it, and what such a statement states again from a lost key: the
//! old entry says the same. Only the owner erases, its own records and those that the charter gave it.

use std::collections::BTreeMap;

use protocol::charter::{LogGrant, Operation as CharterOperation};
use protocol::entry::Draft;
use protocol::erasure::{Erasure, KIND_ERASURE, Target};
use protocol::identity::{ContentHash, EntryId, MemberNumber, PublicKey};
use protocol::kind::KindSet;
use protocol::lead_token::KIND_LEAD_TOKEN;
use protocol::limits::{BODY_NONCE_BYTES, ERASURE_TARGETS_MAX};
use protocol::replica::{EntrySource, Eraser};
use protocol::statement::{Operation, Statement};
use protocol::view::{BodySource, Place, RECORD_KINDS_FROM};

use super::error::RecordError;
use super::find;
use crate::core::{Core, PublishError, State};

/// What an erasure will name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    targets: BTreeMap<(PublicKey, u64), Target>,
    /// Labels of the records.
    pub labels: Vec<String>,
}

impl Plan {
    /// How many bodies go.
    pub fn entries(&self) -> usize {
        self.targets.len()
    }

    fn add(&mut self, grant: &LogGrant, sequence: u64, id: EntryId, creates: bool) {
        self.targets.insert((grant.key, sequence), Target { key: grant.key, sequence, id, creates });
    }
}

/// By whom, when and why something was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The member; `None` when the charter did.
    pub member: Option<MemberNumber>,
    /// Version of the charter block, when the charter did.
    pub block: Option<u32>,
    /// When, by the author's clock.
    pub time_ms: u64,
    /// Why.
    pub reason: String,
}

/// Works out which entries go. Blocks: it reads entries from the disk.
pub fn plan(core: &Core, kinds: &KindSet, records: &[String], entries: &[EntryId]) -> Result<Plan, RecordError> {
    let (own, _) = core.own().ok_or(PublishError::NotMember)?;
    let mut plan = Plan::default();
    for reference in records {
        let id = find::find(core, kinds, reference)?;
        core.read(|state| add_record(core, state, own, id, &mut plan))?;
    }
    for id in entries {
        core.read(|state| add_entry(core, state, own, *id, &mut plan))?;
    }
    if plan.targets.is_empty() {
        return Err(RecordError::NothingToErase);
    }
    Ok(plan)
}

/// Publishes the erasures; the ids of their entries.
pub async fn publish(core: &Core, plan: &Plan, reason: &str) -> Result<Vec<EntryId>, RecordError> {
    let targets: Vec<Target> = plan.targets.values().copied().collect();
    let draft = |part: &[Target]| {
        let mut nonce = [0; BODY_NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| RecordError::Randomness)?;
        let body = Erasure { reason: reason.to_owned(), targets: part.to_vec() }.encode(nonce)?;
        Ok(Draft { kind: KIND_ERASURE, body })
    };
    let drafts = targets.chunks(ERASURE_TARGETS_MAX).map(draft).collect::<Result<Vec<_>, RecordError>>()?;
    let published = core.publish(drafts).await?;
    Ok(published.iter().map(|entry| entry.id()).collect())
}

fn add_record(core: &Core, state: &State, own: MemberNumber, id: EntryId, plan: &mut Plan) -> Result<(), RecordError> {
    let view = state.view();
    let label = view.label(&id).map_or_else(|| id.to_string(), |label| label.to_string());
    match view.owner(&id) {
        Some((owner, _)) if owner == own => {}
        Some(_) => return Err(RecordError::NotOwner { label }),
        None => return Err(RecordError::NotFound { reference: id.to_string() }),
    }
    let logs = state.replica.charter().logs();
    for version in view.versions(&id, u64::MAX) {
        let Some(grant) = logs.get(version.place.log as usize) else { continue };
        if state.replica.erased(grant.number, version.place.sequence).is_none() {
            plan.add(grant, version.place.sequence, version.entry, version.operation == Operation::Create);
        }
        if let Some(origin) = version.origin {
            // What the old key had stated may be held still, where it counts no longer.
            match add_entry(core, state, own, origin, plan) {
                Ok(()) | Err(RecordError::EntryUnknown { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    plan.labels.push(label);
    Ok(())
}

fn add_entry(core: &Core, state: &State, own: MemberNumber, id: EntryId, plan: &mut Plan) -> Result<(), RecordError> {
    let (grant, sequence) = locate(core, state, own, &id).ok_or(RecordError::EntryUnknown { id })?;
    let held = core.store().entry(grant.number, sequence).ok().flatten().filter(|entry| entry.id() == id);
    let entry = held.or_else(|| core.store().displaced(&id)).ok_or(RecordError::EntryUnknown { id })?;
    // Of the entries of the system only tokens speak of something that their author may want to take back.
    if entry.header().kind < RECORD_KINDS_FROM && entry.header().kind != KIND_LEAD_TOKEN {
        return Err(RecordError::NotErasable { id });
    }
    if let Some(body) = entry.body() {
        let creates = Statement::decode(body).is_ok_and(|statement| statement.operation == Operation::Create);
        plan.add(grant, sequence, id, creates);
    }
    Ok(())
}

/// Where an entry that `own` may erase stands, counted or not, or stood before another branch displaced it. Only the
/// member's own logs are gone through: the state is locked meanwhile.
fn locate<'a>(core: &Core, state: &'a State, own: MemberNumber, id: &EntryId) -> Option<(&'a LogGrant, u64)> {
    let replica = &state.replica;
    let may_erase = |grant: &&LogGrant| grant.member == own || grant.owner() == own;
    let in_log = replica.charter().logs().iter().filter(may_erase).find_map(|grant| {
        let place = (0..replica.length(grant.number)).find(|at| replica.id(grant.number, *at) == Some(*id));
        place.map(|sequence| (grant, sequence))
    });
    in_log.or_else(|| {
        let entry = core.store().displaced(id)?;
        let grant = replica.charter().log_of(&entry.header().key).filter(may_erase)?;
        Some((grant, entry.header().sequence))
    })
}

/// The erasure that took the body of an entry, if one that counts did.
pub fn eraser_of(state: &State, id: &EntryId) -> Option<Eraser> {
    let in_force: Vec<(Eraser, ContentHash)> = state.replica.erasures_in_force().collect();
    let names = |by: &Eraser| {
        state.replica.erasures().any(|(held, targets)| held == *by && targets.iter().any(|target| target.id == *id))
    };
    in_force.into_iter().map(|(by, _)| by).find(names)
}

/// By whom, when and why. Reads one entry.
pub fn origin_of(core: &Core, by: Eraser) -> Option<Origin> {
    match by {
        Eraser::Block(version) => core.read(|state| {
            let blocks = state.replica.charter().blocks();
            let block = blocks.get((version as usize).checked_sub(1)?)?.block();
            let reasons = block.operations.iter().filter_map(|operation| match operation {
                CharterOperation::Erase { reason, .. } => Some(reason.as_str()),
                _ => None,
            });
            let reason = reasons.collect::<Vec<_>>().join("；");
            Some(Origin { member: None, block: Some(version), time_ms: block.time_ms, reason })
        }),
        Eraser::Entry { log, sequence } => {
            let member = core.read(|state| Some(state.replica.charter().logs().get(log as usize)?.member))?;
            let entry = core.store().entry(log, sequence).ok().flatten()?;
            let reason = core.body(Place { log, sequence }).and_then(|body| Erasure::decode(&body).ok())?.reason;
            Some(Origin { member: Some(member), block: None, time_ms: entry.header().time_ms, reason })
        }
    }
}

/// Refuses what asks for a record that was erased.
pub fn refuse_erased(state: &State, id: &EntryId) -> Result<(), RecordError> {
    let view = state.view();
    if !view.is_erased(id) {
        return Ok(());
    }
    let label = view.label(id).map_or_else(|| id.to_string(), |label| label.to_string());
    let by = eraser_of(state, id);
    let charter = state.replica.charter();
    let (zh, en) = match by {
        Some(Eraser::Block(version)) => (format!("章程第 {version} 块"), format!("charter block {version}")),
        Some(Eraser::Entry { log, .. }) => {
            let member = charter.logs().get(log as usize).and_then(|grant| charter.members().get(&grant.member));
            let name = member.map(|member| member.name.clone()).unwrap_or_default();
            (name.clone(), name)
        }
        None => (String::new(), String::new()),
    };
    Err(RecordError::Erased { label, by_zh: zh, by_en: en })
}
