//! Publishing again, under the present key, what a lost, stolen or forked key had stated (DESIGN 4.7).
//!
//! A seal takes out of the count what stands above it, genuine statements and a thief's alike. The genuine ones are in
//! this node's journal, marked as signed here. Each is stated again as it was, with its old entry as `origin`, so that
//! nothing is typed twice, references to the old record find the new one, and a second run has nothing to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::bytes::LayoutError;
use protocol::charter::LogGrant;
use protocol::entry::{Draft, VerifiedEntry};
use protocol::fork::ForkProof;
use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;
use protocol::limits::BODY_NONCE_BYTES;
use protocol::statement::{FIELD_SEALED, Operation, Statement};
use protocol::view::{RECORD_KINDS_FROM, View};

use super::render::{kind_name, kind_name_zh};
use crate::core::{Core, PublishError, State};
use crate::store::StoreError;

/// Entries of a sealed log above its end that are looked at.
const CANDIDATES_MAX: usize = 100_000;
/// Entries that are read from the store at a time.
const READ_ENTRIES: usize = 1_000;
/// Bytes that are read from the store at a time.
const READ_BYTES: usize = 8 * 1024 * 1024;

/// A statement that does not count because it stands above the seal of its key.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The entry.
    pub entry: Arc<VerifiedEntry>,
    /// What it says.
    pub statement: Statement,
    /// Whether this node signed it; what came from elsewhere may be a thief's.
    pub signed_here: bool,
    /// Why it is not stated again, if it is not.
    pub obstacle: Option<Obstacle>,
}

type Creates = BTreeMap<EntryId, EntryId>;

/// Why a statement is not published again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It was already.
    Restated,
    /// Another record of this member has its own number.
    ExternalTaken,
    /// Its record does not count, and is not chosen to be stated again.
    NoRecord,
    /// Its confidential fields are bound to the old entry: they must be sealed anew.
    Sealed,
}

impl Obstacle {
    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Restated => "restated",
            Self::ExternalTaken => "external-taken",
            Self::NoRecord => "no-record",
            Self::Sealed => "sealed",
        }
    }

    /// In Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Restated => "已重新发布",
            Self::ExternalTaken => "自有编号已被新记录使用",
            Self::NoRecord => "所属记录不计入，且未选中",
            Self::Sealed => "含密文，须重新加密发布",
        }
    }
}

impl Candidate {
    /// Its kind, in both languages.
    pub fn kind(&self, kinds: &KindSet) -> (String, String) {
        let kind = self.entry.header().kind;
        (kind_name(kinds, kind), kind_name_zh(kinds, kind))
    }

    /// What its record is called, as far as this statement says.
    pub fn title(&self, kinds: &KindSet) -> String {
        kinds.kind(self.entry.header().kind).map(|kind| kind.title(&self.statement.fields)).unwrap_or_default()
    }
}

/// Why nothing was published again.
#[derive(Debug, thiserror::Error)]
pub enum RestateError {
    /// This node is no member.
    #[error("this node is no member")]
    NotMember,
    /// Something named is not among the candidates.
    #[error("{0} is no statement above a seal of this member")]
    Unknown(EntryId),
    /// The disk.
    #[error("{}", .0.chain())]
    Store(#[from] StoreError),
    /// The writer refused.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A statement cannot be laid out any more.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The system did not do its part: random bytes, or a thread.
    #[error("the system: {0}")]
    System(String),
}

/// Every statement of this member above the seals of its keys, in the order of its logs. Blocks: it reads the journal.
pub fn candidates(core: &Core) -> Result<Vec<Candidate>, RestateError> {
    let (own, _) = core.own().ok_or(RestateError::NotMember)?;
    let sealed: Vec<(LogGrant, u64, u64)> = core.read(|state| {
        let replica = &state.replica;
        let logs = replica.charter().logs().iter().filter(|grant| grant.member == own && grant.seal.is_some());
        logs.map(|grant| (grant.clone(), replica.effective_length(grant.number), replica.length(grant.number)))
            .collect()
    });
    let mut found = Vec::new();
    for (grant, counts, held) in sealed {
        let mut entries: BTreeMap<(u64, EntryId), (Arc<VerifiedEntry>, bool)> = BTreeMap::new();
        // A seal can count the other branch of a forked log: the own one then begins below it.
        let fork = core.read(|state| {
            let mut proofs = state.replica.proofs().filter(|proof| proof.key() == grant.key);
            proofs.next().map(ForkProof::sequence)
        });
        for journalled in core.store().journalled(&grant.key, fork.map_or(counts, |fork| fork.min(counts)))? {
            let place = (journalled.entry.header().sequence, journalled.entry.id());
            let holds = core.read(|state| state.replica.id(grant.number, place.0));
            if place.0 < counts && holds == Some(place.1) {
                continue;
            }
            entries.insert(place, (journalled.entry, journalled.signed_here));
        }
        let mut from = counts;
        while from < held && entries.len() < CANDIDATES_MAX {
            let read = core.store().range(grant.number, from, READ_ENTRIES, READ_BYTES)?;
            let Some(last) = read.last() else { break };
            from = last.header().sequence + 1;
            for entry in read {
                entries.entry((entry.header().sequence, entry.id())).or_insert((entry, false));
            }
        }
        found.extend(entries.into_values().take(CANDIDATES_MAX));
    }
    let statements = found.into_iter().filter_map(|(entry, signed_here)| {
        let body = entry.body().filter(|_| entry.header().kind >= RECORD_KINDS_FROM)?;
        let statement = Statement::decode(body).ok()?;
        Some(Candidate { entry, statement, signed_here, obstacle: None })
    });
    let mut candidates: Vec<Candidate> = statements.collect();
    core.read(|state| judge(state, own, &mut candidates));
    Ok(candidates)
}

fn judge(state: &State, own: MemberNumber, candidates: &mut [Candidate]) {
    let creates = creates_of(candidates);
    for candidate in candidates {
        candidate.obstacle = obstacle(state.view(), own, candidate, &creates);
    }
}

/// The creates among the candidates, each with what it restated itself: after several changes of key a record is found
/// by its first entry only.
fn creates_of(candidates: &[Candidate]) -> Creates {
    let creates = candidates.iter().filter(|candidate| candidate.statement.operation == Operation::Create);
    creates.map(|candidate| (candidate.entry.id(), origin_of(candidate))).collect()
}

/// The record that counts now for a record that a candidate names.
fn home_of(view: &View, record: EntryId, creates: &Creates) -> Option<EntryId> {
    if view.owner(&record).is_some() {
        return Some(record);
    }
    view.restated(creates.get(&record).unwrap_or(&record))
}

fn obstacle(view: &View, own: MemberNumber, candidate: &Candidate, creates: &Creates) -> Option<Obstacle> {
    let (statement, kind) = (&candidate.statement, candidate.entry.header().kind);
    match statement.record {
        None => {
            if view.restated(&origin_of(candidate)).is_some() {
                return Some(Obstacle::Restated);
            }
            let taken = |external: &String| view.by_external(own, kind, external).is_some();
            if statement.external.as_ref().is_some_and(taken) {
                return Some(Obstacle::ExternalTaken);
            }
        }
        Some(record) => {
            let home = home_of(view, record, creates);
            let again = |record: EntryId| {
                view.versions(&record, u64::MAX).iter().any(|version| version.origin == Some(origin_of(candidate)))
            };
            if home.is_some_and(again) {
                return Some(Obstacle::Restated);
            }
            if home.is_none() && !creates.contains_key(&record) {
                return Some(Obstacle::NoRecord);
            }
        }
    }
    statement.fields.contains_key(&FIELD_SEALED).then_some(Obstacle::Sealed)
}

/// What a statement restated itself, or the entry: references are to the first of them.
fn origin_of(candidate: &Candidate) -> EntryId {
    candidate.statement.origin.unwrap_or_else(|| candidate.entry.id())
}

/// What came of publishing again.
#[derive(Debug, Clone, Default)]
pub struct Restated {
    /// Old entry and the entry that states it again, in order.
    pub entries: Vec<(EntryId, EntryId)>,
    /// What was chosen and not stated again, with the reason.
    pub left: Vec<(EntryId, Obstacle)>,
}

/// States the chosen candidates again: creates first, because the others name their records by the new ids.
pub async fn restate(core: &Core, chosen: &BTreeSet<EntryId>) -> Result<Restated, RestateError> {
    let worker = core.clone();
    let found = crate::turns::blocking(move || candidates(&worker)).await;
    let found = found.map_err(|error| RestateError::System(error.to_string()))??;
    let known: BTreeSet<EntryId> = found.iter().map(|candidate| candidate.entry.id()).collect();
    if let Some(unknown) = chosen.iter().find(|id| !known.contains(id)) {
        return Err(RestateError::Unknown(*unknown));
    }
    let known_creates = creates_of(&found);
    let (mut origins, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let mut restated = Restated::default();
    let (mut creates, mut changes) = (Vec::new(), Vec::new());
    for candidate in found.into_iter().filter(|candidate| chosen.contains(&candidate.entry.id())) {
        match candidate.obstacle {
            Some(obstacle) => restated.left.push((candidate.entry.id(), obstacle)),
            // After several changes of key it stands above more than one seal.
            None if !origins.insert(origin_of(&candidate)) => {
                restated.left.push((candidate.entry.id(), Obstacle::Restated));
            }
            // On two branches of a forked log the same number may stand twice.
            None if candidate.statement.record.is_none() && !is_first(&mut numbers, &candidate) => {
                restated.left.push((candidate.entry.id(), Obstacle::ExternalTaken));
            }
            None if candidate.statement.record.is_none() => creates.push(candidate),
            None => changes.push(candidate),
        }
    }
    let mut homes = BTreeMap::new();
    for batch in creates.chunks(super::STATEMENTS_MAX) {
        for (old, new) in publish(core, batch, |_| None).await? {
            homes.insert(old, new);
            restated.entries.push((old, new));
        }
    }
    let home = |record: EntryId| {
        let again = homes.get(&record).copied();
        again.or_else(|| core.read(|state| home_of(state.view(), record, &known_creates)))
    };
    let (at_home, homeless): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|candidate| candidate.statement.record.and_then(home).is_some());
    restated.left.extend(homeless.iter().map(|candidate| (candidate.entry.id(), Obstacle::NoRecord)));
    for batch in at_home.chunks(super::STATEMENTS_MAX) {
        restated.entries.extend(publish(core, batch, home).await?);
    }
    Ok(restated)
}

/// Whether no create before this one has its number.
fn is_first(numbers: &mut BTreeSet<(u16, String)>, candidate: &Candidate) -> bool {
    let kind = candidate.entry.header().kind;
    candidate.statement.external.as_ref().is_none_or(|external| numbers.insert((kind, external.clone())))
}

async fn publish(
    core: &Core,
    batch: &[Candidate],
    home: impl Fn(EntryId) -> Option<EntryId>,
) -> Result<Vec<(EntryId, EntryId)>, RestateError> {
    let drafts = batch.iter().map(|candidate| {
        let mut nonce = [0; BODY_NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| RestateError::System(error.to_string()))?;
        let record = candidate.statement.record.map(|record| home(record).unwrap_or(record));
        let origin = Some(origin_of(candidate));
        let again = Statement { nonce, record, origin, ..candidate.statement.clone() };
        Ok(Draft { kind: candidate.entry.header().kind, body: again.encode()? })
    });
    let drafts = drafts.collect::<Result<Vec<_>, RestateError>>()?;
    let entries = core.publish(drafts).await?;
    Ok(batch.iter().zip(entries).map(|(candidate, entry)| (candidate.entry.id(), entry.id())).collect())
}
