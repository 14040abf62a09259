//! "Nothing changed": one statement for each duty of the own member that it performs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::duty::{Duty, Holding, Question, Rules, State, Unchanged, Verdict};
use protocol::identity::MemberNumber;
use protocol::kind::Kind;
use protocol::limits::CLOCK_TOLERANCE_MS;

use super::{DutyError, Shelf, holdings};
use crate::api::types::{CreateRecord, UnchangedItem, UnchangedView};
use crate::core::Core;
use crate::kinds::kinds;
use crate::portal::figures;
use crate::records::publish::{Publisher, Refusals, Request};

/// Own records that a receipt names as standing unchanged.
const EVIDENCE: usize = 20;
/// How long a statement waits for the ledger to have everything that is held.
const COMPLETE_WAIT: Duration = Duration::from_secs(10);
/// How long between two looks.
const COMPLETE_PAUSE: Duration = Duration::from_millis(100);
/// Numbers that are tried for one statement.
const NUMBERS_TRIED_MAX: usize = 100;
const RECEIPT_KIND: &str = "duty_receipt";
const BULLETIN_KIND: &str = "bulletin";

/// What is to be said, and what need not be.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Every duty of the member by which nothing changed can matter.
    pub duties: Vec<UnchangedItem>,
    /// The records to publish, each with the place of its duty in the list.
    pub records: Vec<(usize, CreateRecord)>,
}

/// What this node's member would state at a time so that nothing changed is known.
///
/// # Errors
/// [`DutyError::NoMember`], [`DutyError::DatedAhead`], and [`DutyError::NotComplete`] while the ledger is being filled.
pub fn plan(core: &Core, shelf: &Shelf, now_ms: u64) -> Result<Plan, DutyError> {
    let (member, log) = core.own().ok_or(DutyError::NoMember)?;
    let latest_ms = core.read(|state| state.replica.latest_ms_before(log, state.replica.effective_length(log)));
    if latest_ms > now_ms.saturating_add(CLOCK_TOLERANCE_MS) {
        // It would be signed, and count for nothing.
        return Err(DutyError::DatedAhead { day: figures::date(latest_ms) });
    }
    if !shelf.is_complete(core) {
        // What was done is not known yet: everything would look as if it were owed still.
        return Err(DutyError::NotComplete);
    }
    let rules = Rules::builtin();
    let ledger = shelf.ledger();
    let question = Question { as_of_ms: now_ms, member: Some(member), rule: None };
    let mut plan = Plan::default();
    for holding in holdings(core, &ledger, rules, &question) {
        let Some(running) = &holding.running else { continue };
        let record = holding.duty.unchanged.map(|how| {
            let standing = ledger.records(rules, &holding.duty.id, member).take(EVIDENCE);
            let standing: Vec<String> = standing.map(|id| id.to_string()).collect();
            numbered(core, member, statement(how, rules.version(), member, &holding, running, &standing))
        });
        let outcome = outcome(running, record.is_some());
        let index = plan.duties.len();
        plan.duties.push(item(holding.duty, running, outcome));
        if outcome == "stated" {
            plan.records.extend(record.map(|record| (index, record)));
        }
    }
    if !shelf.is_complete(core) {
        // What came meanwhile may have performed what looks owed, and holds a number that looks taken in vain.
        return Err(DutyError::NotComplete);
    }
    Ok(plan)
}

/// Why nothing was stated.
#[derive(Debug)]
pub enum SayError {
    /// The member owes nothing.
    Duty(DutyError),
    /// The records were refused.
    Records(Refusals),
    /// The work was lost, because the node stops.
    Lost,
}

/// States for this node's member that nothing changed: signed and durable on return, and nothing where the period is
/// performed already.
///
/// # Errors
/// See [`SayError`].
pub async fn say(
    core: Core,
    shelf: Arc<Shelf>,
    publisher: &Publisher,
    as_of_ms: u64,
) -> Result<UnchangedView, SayError> {
    let patience = tokio::time::Instant::now() + COMPLETE_WAIT;
    let Plan { mut duties, records } = loop {
        let (planned, looked) = (core.clone(), Arc::clone(&shelf));
        let plan = tokio::task::spawn_blocking(move || plan(&planned, &looked, as_of_ms)).await;
        match plan.map_err(|_| SayError::Lost)? {
            Err(DutyError::NotComplete) if tokio::time::Instant::now() < patience => {
                tokio::time::sleep(COMPLETE_PAUSE).await;
            }
            plan => break plan.map_err(SayError::Duty)?,
        }
    };
    let stated = records.len() as u64;
    if records.is_empty() {
        return Ok(UnchangedView { as_of_ms, stated, duties });
    }
    let (places, requests): (Vec<usize>, Vec<Request>) =
        records.into_iter().map(|(place, record)| (place, Request::Create(record))).unzip();
    let published = publisher.publish(&core, requests).await.map_err(SayError::Records)?;
    core.read(|state| {
        for (place, one) in places.iter().zip(&published) {
            duties[*place].record = Some(one.record.to_string());
            duties[*place].label = state.view().label(&one.record).map(|label| label.to_string());
        }
    });
    Ok(UnchangedView { as_of_ms, stated, duties })
}

fn outcome(running: &Verdict, by_statement: bool) -> &'static str {
    match running.state {
        State::Exempt => "exempt",
        State::Met | State::MetNoChange | State::Late => "already_done",
        State::NotComputable => "cannot_tell",
        _ if !by_statement => "not_by_statement",
        _ => "stated",
    }
}

/// The statement under a number that is free: one that was withdrawn, or does not count, holds its own.
fn numbered(core: &Core, member: MemberNumber, mut record: CreateRecord) -> CreateRecord {
    let kind = kinds().kind_named(&record.kind).map_or(0, Kind::number);
    let Some(first) = record.external.clone() else { return record };
    let is_free = |number: &String| core.read(|state| state.view().by_external(member, kind, number)).is_none();
    let further = (2..=NUMBERS_TRIED_MAX).map(|again| format!("{first}-{again}"));
    record.external = std::iter::once(first.clone()).chain(further).find(is_free).or(Some(first));
    record
}

fn item(duty: &Duty, running: &Verdict, outcome: &str) -> UnchangedItem {
    let outcome_zh = match outcome {
        "stated" => "已声明无变化",
        "already_done" => "本期已履行，无须再报",
        "exempt" => "本期不适用",
        "cannot_tell" => "无法判断本期是否已履行",
        _ => "这项义务不能以无变化履行",
    };
    UnchangedItem {
        rule: duty.id.clone(),
        content_zh: duty.content_zh.clone(),
        period: running.name.clone(),
        outcome: outcome.to_owned(),
        outcome_zh: outcome_zh.to_owned(),
        record: None,
        label: None,
    }
}

/// The record that says so.
fn statement(
    how: Unchanged,
    rules_version: u32,
    member: MemberNumber,
    holding: &Holding<'_>,
    running: &Verdict,
    standing: &[String],
) -> CreateRecord {
    let period = running.name.clone();
    let (kind, external, fields) = match how {
        Unchanged::Receipt => {
            let mut fields = vec![
                ("subject", member.to_string()),
                ("obligation", holding.duty.id.clone()),
                ("period", period.clone()),
                ("met", "是".to_owned()),
                ("no_change", "是".to_owned()),
                ("rule_version", rules_version.to_string()),
            ];
            if !standing.is_empty() {
                fields.push(("evidence", standing.join(";")));
            }
            (RECEIPT_KIND, format!("{}-{period}", holding.duty.id), fields)
        }
        Unchanged::Bulletin => {
            let fields =
                vec![("week", period.clone()), ("headline", "本周无变化".to_owned()), ("no_change", "是".to_owned())];
            (BULLETIN_KIND, format!("{period}-无变化"), fields)
        }
    };
    let fields: BTreeMap<String, String> = fields.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    CreateRecord { kind: kind.to_owned(), external: Some(external), fields, readers: None, parties: None }
}
