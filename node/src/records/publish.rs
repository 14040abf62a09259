//! The one way out: requests become drafts, all of them or none.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::entry::{Draft, VerifiedEntry};
use protocol::identity::EntryId;
use protocol::kind::KindSet;
use protocol::limits::BODY_NONCE_BYTES;
use rayon::prelude::*;

use super::REFUSALS_SHOWN_MAX;
use super::claims::{Claim, Claims};
use super::error::RecordError;
use super::externals::SealedNumbers;
use super::prepare::{
    Author, Named, Nonce, Prepared, prepare_confirm, prepare_create, prepare_reseal, prepare_revise, prepare_statement,
    prepare_withdraw,
};
use super::seal::carry_out;
use super::settle::settle;
use crate::api::types::{CreateRecord, Problem, ProblemDetail, ReviseRecord, WithdrawRecord};
use crate::core::{Core, PublishError};
use crate::kinds::kinds;
use crate::turns;

/// Requests below which one thread prepares them.
const PARALLEL_FROM: usize = 16;

/// One thing to publish.
#[derive(Debug, Clone)]
pub enum Request {
    /// A new record.
    Create(CreateRecord),
    /// A revision of a record.
    Revise(EntryId, ReviseRecord),
    /// That a record is still true.
    Confirm(EntryId),
    /// A withdrawal of a record.
    Withdraw(EntryId, WithdrawRecord),
    /// A statement in canonical bytes, with its kind.
    Statement(u16, Vec<u8>),
    /// The same, for whom the texts name.
    StatementFor(u16, Vec<u8>, ForWhom),
    /// A confidential record sealed anew, for the present keys of its readers.
    Reseal(EntryId),
}

/// Readers and parties as a caller names them, for several statements.
#[derive(Debug, Clone, Default)]
pub struct ForWhom {
    /// Of the record.
    pub readers: Option<String>,
    /// Of its confidential fields.
    pub parties: Option<String>,
}

/// What was published: the record and the entry that says so.
#[derive(Debug, Clone)]
pub struct PublishedRecord {
    /// The record.
    pub record: EntryId,
    /// The entry.
    pub entry: Arc<VerifiedEntry>,
}

/// Why a batch was not published: nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// Requests in the batch.
    pub requests: usize,
    /// What is wrong, by position in the batch; at least one.
    pub refused: Vec<(usize, RecordError)>,
}

/// Publishes records of this node's own member. Clones share it.
#[derive(Debug, Clone)]
pub struct Publisher {
    kinds: &'static KindSet,
    claims: Arc<Claims>,
    sealed_numbers: Arc<Mutex<SealedNumbers>>,
}

impl Default for Publisher {
    fn default() -> Self {
        Self { kinds: kinds(), claims: Arc::default(), sealed_numbers: Arc::default() }
    }
}

impl Publisher {
    /// Own numbers that stand in sealed parts only.
    pub fn sealed_numbers(&self) -> &Mutex<SealedNumbers> {
        &self.sealed_numbers
    }

    /// Publishes all requests or none. On return what was published is durable and seen by every reader.
    ///
    /// Goes on to its end even when the caller does not wait for it.
    pub async fn publish(&self, core: &Core, requests: Vec<Request>) -> Result<Vec<PublishedRecord>, Refusals> {
        let (publisher, core, count) = (self.clone(), core.clone(), requests.len());
        let work = turns::spawn(async move { publisher.run(core, requests).await });
        // The task is never aborted: it fails to answer only when it panicked or the runtime is being shut down.
        work.await.unwrap_or_else(|error| Err(Refusals::of_lost_task(count, &error)))
    }

    /// Says what publishing these requests would be refused for, and publishes nothing. What is good now may be refused
    /// later: the state goes on, and no number or record is held meanwhile.
    pub async fn check(&self, core: &Core, requests: Vec<Request>) -> Result<(), Refusals> {
        let (count, kinds, core) = (requests.len(), self.kinds, core.clone());
        let numbers = Arc::clone(&self.sealed_numbers);
        if let Some(obstacle) = core.publishing_obstacle() {
            return Err(Refusals::of_all(count, obstacle.into()));
        }
        let work = move || {
            let prepared = prepare_all(&core, kinds, requests)?;
            settle_all(&core, kinds, &numbers, prepared)
        };
        blocking(count, work).await.map(drop)
    }

    async fn run(self, core: Core, requests: Vec<Request>) -> Result<Vec<PublishedRecord>, Refusals> {
        let count = requests.len();
        if let Some(obstacle) = core.publishing_obstacle() {
            return Err(Refusals::of_all(count, obstacle.into()));
        }
        let kinds = self.kinds;
        let prepared = blocking(count, {
            let core = core.clone();
            move || prepare_all(&core, kinds, requests)
        });
        let prepared = prepared.await?;
        let wanted = prepared.iter().filter_map(claim_of).collect::<BTreeSet<_>>();
        let held = self.claims.take(wanted).await;
        let settled = blocking(count, {
            let (core, numbers) = (core.clone(), Arc::clone(&self.sealed_numbers));
            move || settle_all(&core, kinds, &numbers, prepared)
        });
        let prepared = settled.await?;
        let records: Vec<Option<EntryId>> = prepared.iter().map(|one| one.statement.record).collect();
        let drafts = prepared.into_iter().map(|one| Draft { kind: one.kind, body: one.body }).collect();
        let published = core.publish(drafts).await;
        drop(held);
        let entries = published.map_err(|error| Refusals::of_writer(count, error))?;
        let with_record = |(entry, record): (Arc<VerifiedEntry>, Option<EntryId>)| PublishedRecord {
            record: record.unwrap_or_else(|| entry.id()),
            entry,
        };
        Ok(entries.into_iter().zip(records).map(with_record).collect())
    }
}

async fn blocking<T: Send + 'static>(
    count: usize,
    work: impl FnOnce() -> Result<T, Refusals> + Send + 'static,
) -> Result<T, Refusals> {
    let done = turns::blocking(work).await;
    done.unwrap_or_else(|error| Err(Refusals::of_lost_task(count, &error)))
}

fn prepare_all(core: &Core, kinds: &KindSet, requests: Vec<Request>) -> Result<Vec<Prepared>, Refusals> {
    let count = requests.len();
    let author = Author::own(core, kinds).map_err(|error| Refusals::of_all(count, error))?;
    let nonces = nonces(count).map_err(|error| Refusals::of_all(count, error))?;
    let prepare = |(request, nonce): (Request, Nonce)| prepare(core, &author, request, nonce);
    let work = requests.into_iter().zip(nonces);
    let prepared: Vec<Result<Prepared, RecordError>> = match count < PARALLEL_FROM {
        true => work.map(prepare).collect(),
        false => work.collect::<Vec<_>>().into_par_iter().map(prepare).collect(),
    };
    let mut good = Vec::with_capacity(count);
    let mut refused = Vec::new();
    for (index, one) in prepared.into_iter().enumerate() {
        match one {
            Ok(one) => good.push(one),
            Err(error) => refused.push((index, error)),
        }
    }
    if refused.is_empty() { Ok(good) } else { Err(Refusals { requests: count, refused }) }
}

fn prepare(core: &Core, author: &Author<'_>, request: Request, nonce: Nonce) -> Result<Prepared, RecordError> {
    let kind_of = |id: EntryId| {
        let owner = core.read(|state| state.view().owner(&id));
        owner.map(|(_, kind)| kind).ok_or_else(|| RecordError::NotFound { reference: id.to_string() })
    };
    match request {
        Request::Create(create) => prepare_create(author, &create, nonce),
        Request::Revise(id, revise) => prepare_revise(author, kind_of(id)?, id, &revise, nonce),
        Request::Confirm(id) => prepare_confirm(author, kind_of(id)?, id, nonce),
        Request::Withdraw(id, withdraw) => prepare_withdraw(author, kind_of(id)?, id, &withdraw, nonce),
        Request::Statement(kind, body) => prepare_statement(author, kind, body, Named::default(), nonce),
        Request::StatementFor(kind, body, ForWhom { readers, parties }) => {
            let named = Named { readers: readers.as_deref(), parties: parties.as_deref() };
            prepare_statement(author, kind, body, named, nonce)
        }
        Request::Reseal(id) => prepare_reseal(author, kind_of(id)?, id, nonce),
    }
}

fn settle_all(
    core: &Core,
    kinds: &KindSet,
    numbers: &Mutex<SealedNumbers>,
    prepared: Vec<Prepared>,
) -> Result<Vec<Prepared>, Refusals> {
    let count = prepared.len();
    let author = Author::own(core, kinds).map_err(|error| Refusals::of_all(count, error))?;
    let answers = settle(core, &author, &mut numbers.lock(), &prepared.iter().collect::<Vec<_>>());
    let (mut settled, mut refused) = (Vec::with_capacity(count), Vec::new());
    for (index, (one, answer)) in prepared.into_iter().zip(answers).enumerate() {
        match answer.and_then(|outcome| carry_out(core, &author, one, outcome)) {
            Ok(one) => settled.push(one),
            Err(error) => refused.push((index, error)),
        }
    }
    if refused.is_empty() { Ok(settled) } else { Err(Refusals { requests: count, refused }) }
}

fn claim_of(prepared: &Prepared) -> Option<Claim> {
    match (prepared.statement.record, &prepared.external) {
        (Some(record), _) => Some(Claim::Record(record)),
        (None, Some(external)) => Some(Claim::External(prepared.kind, external.clone())),
        (None, None) => None,
    }
}

fn nonces(count: usize) -> Result<Vec<Nonce>, RecordError> {
    let mut bytes = vec![0; count * BODY_NONCE_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| RecordError::Randomness)?;
    let (nonces, _) = bytes.as_chunks();
    Ok(nonces.to_vec())
}

impl Refusals {
    /// One reason that concerns every request.
    fn of_all(requests: usize, error: RecordError) -> Self {
        // A reason that concerns all is told once, as if it were the only request.
        Self { requests: requests.min(1), refused: vec![(0, error)] }
    }

    fn of_lost_task(requests: usize, error: &tokio::task::JoinError) -> Self {
        tracing::error!(%error, "publishing ended without an answer");
        Self::of_all(requests, PublishError::Closed.into())
    }

    fn of_writer(requests: usize, error: PublishError) -> Self {
        match error {
            PublishError::Entry { index, .. } => Self { requests, refused: vec![(index, error.into())] },
            error => Self::of_all(requests, error.into()),
        }
    }

    /// The HTTP status: that of the first reason.
    pub fn status(&self) -> u16 {
        self.refused.first().map_or(500, |(_, error)| error.status())
    }

    /// The answer to whoever asked: the first reason, and of a batch every one of them by its number, from 1.
    pub fn problem(&self) -> Problem {
        let Some((index, error)) = self.refused.first() else { return RecordError::Randomness.problem() };
        let mut problem = error.problem();
        if self.requests <= 1 {
            return problem;
        }
        let (number, refused) = (index + 1, self.refused.len());
        problem.zh = format!("第 {number} 条：{}（共 {refused} 条有误，全部没有发布）", problem.zh);
        problem.en = format!("request {number}: {} ({refused} are wrong, none was published)", problem.en);
        problem.details = self.refused.iter().take(REFUSALS_SHOWN_MAX).flat_map(details).collect();
        problem
    }
}

/// What is wrong with a request of a batch, each field of it on its own: `at` is its number, and the field behind it.
fn details((index, error): &(usize, RecordError)) -> Vec<ProblemDetail> {
    let number = index + 1;
    let problem = error.problem();
    if matches!(error, RecordError::Fields(_) | RecordError::Lifecycle { .. }) {
        let of_field = |detail: ProblemDetail| ProblemDetail { at: format!("{number} {}", detail.at), ..detail };
        return problem.details.into_iter().map(of_field).collect();
    }
    vec![ProblemDetail { at: number.to_string(), code: problem.code, zh: problem.zh, en: problem.en }]
}
