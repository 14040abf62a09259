//! Verdicts as callers of the API see them.

use std::collections::BTreeMap;

use protocol::charter::Member;
use protocol::duty::document::required;
use protocol::duty::{Bearer, Bearing, Duty, Evidence, Holding, Ledger, Question, Rules, State, Verdict, Why};

use super::holdings;
use crate::api::types::{DutiesView, DutyCounts, DutyEvidence, DutyItem, DutyPeriodView, DutyRuleView, MemberName};
use crate::core::{Core, State as CoreState};
use crate::kinds::kinds;

/// Holdings whose evidence is named while the lock is held.
const PIECE: usize = 128;

pub(super) fn view(
    core: &Core,
    ledger: &Ledger,
    rules: &Rules,
    question: &Question<'_>,
    states: &[State],
    complete: bool,
) -> DutiesView {
    let held = holdings(core, ledger, rules, question);
    let (charter_version, charter_rules, frontier) = core.read(|state| {
        let charter = state.replica.charter();
        let named = match charter.duty_rules().last_key_value() {
            None => "none",
            Some((_, hash)) if *hash == rules.hash() => "these",
            Some(_) => "others",
        };
        (charter.version(), named.to_owned(), state.replica.frontier().digest().to_string())
    });
    let mut counts = DutyCounts::default();
    let mut by_rule: BTreeMap<&str, (DutyCounts, String)> = BTreeMap::new();
    for holding in &held {
        let (of_rule, ended) = by_rule.entry(&holding.duty.id).or_default();
        [&mut counts, of_rule].into_iter().for_each(|counts| count(counts, holding));
        if let Some(verdict) = &holding.ended {
            ended.clone_from(&verdict.name);
        }
    }
    let asked = |duty: &&Duty| question.rule.is_none_or(|rule| rule == duty.id);
    let rule_views = rules.duties().iter().filter(asked).map(|duty| {
        let (counts, ended_period) = by_rule.get(duty.id.as_str()).cloned().unwrap_or_default();
        rule_view(duty, counts, ended_period)
    });
    let rule_views = rule_views.collect();
    let wanted: Vec<&Holding<'_>> = held.iter().filter(|holding| is_wanted(holding, states)).collect();
    let mut items = Vec::with_capacity(wanted.len());
    for piece in wanted.chunks(PIECE) {
        core.read(|state| items.extend(piece.iter().map(|holding| item(state, holding))));
    }
    DutiesView {
        as_of_ms: question.as_of_ms,
        rules_version: rules.version(),
        rules_hash: rules.hash().to_string(),
        charter_rules,
        charter_version,
        frontier,
        complete,
        counts,
        rules: rule_views,
        items,
    }
}

fn runs_due(holding: &Holding<'_>) -> bool {
    holding.running.as_ref().is_some_and(|verdict| verdict.state == State::Due)
}

fn is_wanted(holding: &Holding<'_>, states: &[State]) -> bool {
    states.is_empty() || states.contains(&holding.state) || (states.contains(&State::Due) && runs_due(holding))
}

fn count(counts: &mut DutyCounts, holding: &Holding<'_>) {
    let of_state = match holding.state {
        State::Met => &mut counts.met,
        State::MetNoChange => &mut counts.met_no_change,
        State::Late => &mut counts.late,
        State::Due => &mut counts.due,
        State::Overdue => &mut counts.overdue,
        State::Escalated => &mut counts.escalated,
        State::Exempt => &mut counts.exempt,
        State::NotComputable => &mut counts.not_computable,
    };
    *of_state += 1;
    counts.running_due += u64::from(runs_due(holding));
}

fn rule_view(duty: &Duty, counts: DutyCounts, ended_period: String) -> DutyRuleView {
    let (not_computable_zh, not_computable_en) = duty.why_not().unwrap_or_default();
    DutyRuleView {
        rule: duty.id.clone(),
        bearer_zh: duty.bearer_zh.clone(),
        bearer_en: duty.bearer_en.clone(),
        content_zh: duty.content_zh.clone(),
        content_en: duty.content_en.clone(),
        period: duty.cycle.name().to_owned(),
        frequency_zh: duty.frequency_zh.clone(),
        required: required(duty),
        deadline_zh: duty.deadline_zh.clone(),
        consequence_zh: duty.consequence_zh.clone(),
        escalated_after: duty.escalated_after,
        not_computable_zh: not_computable_zh.to_owned(),
        not_computable_en: not_computable_en.to_owned(),
        by_unchanged: duty.unchanged.is_some(),
        source: duty.source.clone(),
        ended_period,
        counts,
    }
}

fn item(state: &CoreState, holding: &Holding<'_>) -> DutyItem {
    let member = match holding.bearing {
        Bearing::Organ(_) => None,
        Bearing::Member(number) => state.replica.charter().members().get(&number),
    };
    let (bearer_zh, bearer_en) = bearer(holding.duty, member);
    DutyItem {
        rule: holding.duty.id.clone(),
        member: member.map(|member| MemberName { number: member.number.0, name: member.name.clone() }),
        class: member.map(|member| member.class.name().to_owned()).unwrap_or_default(),
        region: member.map(|member| member.region.clone()).unwrap_or_default(),
        bearer_zh,
        bearer_en,
        state: holding.state.name().to_owned(),
        state_zh: holding.state.zh().to_owned(),
        ended: holding.ended.as_ref().map(|verdict| period(state, verdict)),
        running: holding.running.as_ref().map(|verdict| period(state, verdict)),
        next_due_ms: holding.next_due_ms,
        missed: holding.missed,
        last_ms: holding.last_ms,
    }
}

/// Who owes it: a member by its name, an organ or a body inside a county as the list calls it.
fn bearer(duty: &Duty, member: Option<&Member>) -> (String, String) {
    match (&duty.bearer, member) {
        (Bearer::Class(_), Some(member)) => (member.name.clone(), member.name.clone()),
        _ => (duty.bearer_zh.clone(), duty.bearer_en.clone()),
    }
}

fn period(state: &CoreState, verdict: &Verdict) -> DutyPeriodView {
    let Why { zh: why_zh, en: why_en } = verdict.why.clone().unwrap_or(Why { zh: String::new(), en: String::new() });
    DutyPeriodView {
        period: verdict.name.clone(),
        start_ms: verdict.span.start_ms,
        end_ms: verdict.span.end_ms,
        due_ms: verdict.due_ms,
        state: verdict.state.name().to_owned(),
        state_zh: verdict.state.zh().to_owned(),
        counted: verdict.counted,
        no_change: verdict.no_change,
        late: verdict.late,
        sum: verdict.sum.map(|sum| sum.normalize().to_string()),
        evidence: verdict.evidence.iter().map(|evidence| named(state, evidence)).collect(),
        why_zh,
        why_en,
    }
}

fn named(state: &CoreState, evidence: &Evidence) -> DutyEvidence {
    let view = state.view();
    let kind = view.owner(&evidence.record).and_then(|(_, number)| kinds().kind(number));
    let entry = state.replica.id(evidence.place.log, evidence.place.sequence);
    DutyEvidence {
        record: evidence.record.to_string(),
        label: view.label(&evidence.record).map(|label| label.to_string()).unwrap_or_default(),
        kind: kind.map(|kind| kind.name().to_owned()).unwrap_or_default(),
        kind_zh: kind.map(|kind| kind.zh().to_owned()).unwrap_or_default(),
        entry: entry.map(|entry| entry.to_string()).unwrap_or_default(),
        time_ms: evidence.time_ms,
        no_change: evidence.no_change,
    }
}
