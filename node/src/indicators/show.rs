//! Figures for the callers of the API.

use std::sync::Arc;

use protocol::identity::EntryId;
use protocol::indicator::bulletin::BULLETIN_KIND;
use protocol::indicator::{Absence, Definitions, Evidence, Figure, Indicator, Phase, Roster, evaluate, shown};
use protocol::kind::{Kind, KindSet};

use super::desk::{Bound, Desk};
use super::shelf::{Computed, Key, Shelf};
use super::snapshot::Snapshot;
use super::{BULLETINS_MAX, EVIDENCE_MAX, IndicatorError, duty, index, verify};
use crate::api::types::{
    BulletinView, BulletinsView, EvidenceView, IndicatorEvidenceView, IndicatorGroup, IndicatorView, IndicatorsView,
    PhaseView,
};
use crate::core::{Core, State, now_ms};
use crate::records::find;
use crate::records::render::{kind_name, kind_name_zh};

/// Time within which an answer about the present is given again.
const MINUTE_MS: u64 = 60 * 1_000;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The time; now when absent.
    pub as_of_ms: Option<u64>,
    /// Only what assesses this subject.
    pub subject: Option<String>,
}

/// All indicators, or those of a subject. Blocks; as of another time than now it reads bodies from the disk.
pub fn view(core: &Core, shelf: &Shelf, kinds: &KindSet, asked: &Asked) -> Result<IndicatorsView, IndicatorError> {
    let definitions = Definitions::builtin();
    let subjects = definitions.subjects();
    if let Some(subject) = asked.subject.as_deref().filter(|subject| !subjects.contains(subject)) {
        return Err(IndicatorError::Subject(subject.to_owned()));
    }
    let computed = computed(core, shelf, kinds, asked.as_of_ms)?;
    let desk = Desk::new(core, shelf, kinds);
    let of_subject = |indicator: &Indicator| asked.subject.as_ref().is_none_or(|subject| indicator.subject == *subject);
    let pairs = definitions.indicators().iter().zip(&computed.figures);
    let indicators = pairs.filter(|(indicator, _)| of_subject(indicator));
    Ok(IndicatorsView {
        as_of_ms: computed.as_of_ms,
        charter_version: computed.charter_version,
        digest: computed.digest.clone(),
        kind_set: KindSet::builtin().hash().to_string(),
        rules_version: definitions.version(),
        complete: computed.complete,
        missing_bodies: computed.missing_bodies,
        phase: phase(core, computed.as_of_ms),
        subjects: subjects.into_iter().map(str::to_owned).collect(),
        indicators: indicators
            .map(|(indicator, figure)| show(core, kinds, &desk, (indicator, figure), &computed, Bound::LISTED))
            .collect(),
    })
}

/// The phase at a time.
fn phase(core: &Core, as_of_ms: u64) -> PhaseView {
    let founded_ms =
        core.read(|state| state.replica.charter().blocks().first().map_or(0, |block| block.block().time_ms));
    let (phase, until_ms) = Phase::at(founded_ms, as_of_ms);
    PhaseView {
        name: phase.name().to_owned(),
        zh: phase.zh().to_owned(),
        en: phase.en().to_owned(),
        until_ms,
        indicator: phase.indicator().map(str::to_owned),
    }
}

/// One indicator with the records that it comes from. Blocks: it reads bodies from the disk.
pub fn evidence(
    core: &Core,
    shelf: &Shelf,
    kinds: &KindSet,
    code: &str,
    as_of_ms: Option<u64>,
) -> Result<IndicatorEvidenceView, IndicatorError> {
    let definitions = Definitions::builtin();
    let (place, indicator) = definitions.indicator(code).ok_or_else(|| IndicatorError::Code(code.to_owned()))?;
    let computed = computed(core, shelf, kinds, as_of_ms)?;
    let figure = &computed.figures[place];
    let desk = Desk::new(core, shelf, kinds);
    let records = figure.evidence.iter().take(EVIDENCE_MAX);
    let evidence = records.filter_map(|(id, evidence)| proof(core, kinds, &desk, id, evidence, computed.as_of_ms));
    Ok(IndicatorEvidenceView {
        as_of_ms: computed.as_of_ms,
        charter_version: computed.charter_version,
        digest: computed.digest.clone(),
        rules_version: definitions.version(),
        complete: computed.complete,
        missing_bodies: computed.missing_bodies,
        indicator: show(core, kinds, &desk, (indicator, figure), &computed, Bound::WHOLE),
        evidence: evidence.collect(),
        total: figure.evidence.len(),
    })
}

/// The bulletins, the last first.
pub fn bulletins(core: &Core, shelf: &Shelf, kinds: &KindSet) -> BulletinsView {
    let desk = Desk::new(core, shelf, kinds);
    let all = desk.bulletins();
    let total = all.len();
    let shown = all.take(BULLETINS_MAX).filter_map(|(id, paper)| Some(desk.bulletin(&id, paper?, false)));
    BulletinsView { bulletins: shown.collect(), total }
}

/// One bulletin with its figures, and what was objected to them.
pub fn bulletin(core: &Core, shelf: &Shelf, kinds: &KindSet, reference: &str) -> Result<BulletinView, IndicatorError> {
    let id = find_bulletin(core, kinds, reference)?;
    published(core, shelf, kinds, &id).map_err(|_| IndicatorError::NotBulletin(reference.to_owned()))
}

/// The bulletin that `reference` names: as any record is named, or by the number that its secretariat gave it, which every
/// node knows.
pub(super) fn find_bulletin(core: &Core, kinds: &KindSet, reference: &str) -> Result<EntryId, IndicatorError> {
    let bulletin = kinds.kind_named(BULLETIN_KIND).map_or(0, Kind::number);
    let found = find::find(core, kinds, reference);
    let is_bulletin =
        |id: &EntryId| core.read(|state| state.view().owner(id)).is_some_and(|(_, kind)| kind == bulletin);
    if found.as_ref().is_ok_and(is_bulletin) {
        return Ok(found?);
    }
    let numbered = core.read(|state| index::bulletin_numbered(state.view(), state.replica.charter(), kinds, reference));
    numbered.map_or_else(|| Ok(found?), Ok)
}

/// A bulletin that was just published: the shelf may not have it yet.
pub(crate) fn published(
    core: &Core,
    shelf: &Shelf,
    kinds: &KindSet,
    id: &EntryId,
) -> Result<BulletinView, IndicatorError> {
    let (paper, desk) = (verify::paper_of(core, kinds, id), Desk::new(core, shelf, kinds));
    let paper = paper.ok_or_else(|| IndicatorError::NotBulletin(id.to_string()))?;
    Ok(desk.bulletin(id, &paper, true))
}

/// The figures at a time: of what is held in memory, or computed from the entries.
fn computed(
    core: &Core,
    shelf: &Shelf,
    kinds: &KindSet,
    as_of_ms: Option<u64>,
) -> Result<Arc<Computed>, IndicatorError> {
    match as_of_ms {
        None => Ok(present(core, shelf)),
        Some(as_of_ms) => past(core, shelf, kinds, as_of_ms),
    }
}

fn present(core: &Core, shelf: &Shelf) -> Arc<Computed> {
    let as_of_ms = now_ms();
    // Before the facts are read, so that what arrives meanwhile makes another answer.
    let generation = shelf.generation();
    let (charter, digest, roster) = core.read(|state| {
        let charter = state.replica.charter();
        (charter.version(), state.replica.frontier().digest().to_string(), Roster::of(charter, as_of_ms))
    });
    let missing_bodies = core.read(missing_bodies);
    let complete = shelf.is_complete()
        && shelf.is_idle()
        && shelf.duties.is_complete(core)
        && core.waiting().since_ms.is_none()
        && missing_bodies == 0;
    let key = Key::Now { generation, minute: as_of_ms / MINUTE_MS, charter };
    if let Some(answer) = shelf.answered(&key).filter(|answer| {
        answer.complete == complete && answer.digest == digest && answer.missing_bodies == missing_bodies
    }) {
        return answer;
    }
    let rate = |rule: &str| duty::present(core, &shelf.duties, rule, as_of_ms);
    let figures = evaluate(Definitions::builtin(), &shelf.facts(), &roster, as_of_ms, &rate);
    shelf.keep(key, Computed { as_of_ms, charter_version: charter, digest, complete, missing_bodies, figures })
}

fn past(core: &Core, shelf: &Shelf, kinds: &KindSet, as_of_ms: u64) -> Result<Arc<Computed>, IndicatorError> {
    check_time(core, as_of_ms)?;
    let digest = core.read(|state| state.replica.frontier().digest().to_string());
    let key = Key::At { digest, as_of_ms };
    if let Some(answer) = shelf.answered(&key) {
        return Ok(answer);
    }
    let _one_at_a_time = shelf.pass.lock();
    let snapshot = Snapshot::whole(core, kinds, as_of_ms)?;
    let (complete, missing_bodies) = (snapshot.missing == 0, snapshot.missing as u64);
    let (charter_version, digest) = (snapshot.charter.version(), snapshot.digest());
    let figures = snapshot.figures(as_of_ms);
    let computed = Computed { as_of_ms, charter_version, digest, complete, missing_bodies, figures };
    // A body that arrives changes no frontier, and may change a figure: such an answer is not given again.
    Ok(if complete { shelf.keep(key, computed) } else { Arc::new(computed) })
}

/// Bodies of entries that count which are not here and were not erased.
fn missing_bodies(state: &State) -> u64 {
    let logs = state.replica.charter().logs().iter();
    logs.map(|grant| state.replica.missing_bodies(grant.number).count() as u64).sum()
}

/// Refuses a time that lies ahead, or before the federation.
pub(super) fn check_time(core: &Core, as_of_ms: u64) -> Result<(), IndicatorError> {
    let founded_ms =
        core.read(|state| state.replica.charter().blocks().first().map_or(0, |first| first.block().time_ms));
    if as_of_ms < founded_ms || as_of_ms > now_ms() {
        return Err(IndicatorError::Time(as_of_ms));
    }
    Ok(())
}

fn show(
    core: &Core,
    kinds: &KindSet,
    desk: &Desk<'_>,
    (indicator, figure): (&Indicator, &Figure),
    computed: &Computed,
    bound: Bound,
) -> IndicatorView {
    let (objections, objections_total) = desk.beside(&indicator.code, desk.last(), bound);
    let absence = figure.absence.map(|absence| why(absence, indicator, computed));
    let (why, why_zh, why_en) = absence.unwrap_or_default();
    let (verdict_zh, verdict_en) = figure.verdict.words();
    let rate = figure.value.filter(|value| value.below.is_some());
    let (basis, basis_zh, basis_en) = (indicator.basis, indicator.basis_zh.as_str(), indicator.basis_en.as_str());
    IndicatorView {
        code: indicator.code.clone(),
        name_zh: indicator.name_zh.clone(),
        name_en: indicator.name_en.clone(),
        subject: indicator.subject.clone(),
        comparator: indicator.comparator.sign().to_owned(),
        target: indicator.target.clone(),
        unit: indicator.unit.clone(),
        period_rule: indicator.period.clone(),
        nature: indicator.nature.clone(),
        formula: indicator.formula.clone(),
        doubts: indicator.doubts.clone(),
        basis: basis.name().to_owned(),
        basis_zh: basis_zh.to_owned(),
        basis_en: basis_en.to_owned(),
        from: figure.from.map(|day| day.to_string()),
        until: figure.until.map(|day| day.to_string()),
        value: figure.value.and_then(|value| value.text()),
        why,
        why_zh,
        why_en,
        above: rate.map(|rate| shown(rate.above)),
        below: rate.and_then(|rate| rate.below).map(shown),
        confirmed: figure.confirmed.and_then(|value| value.text()),
        verdict: figure.verdict.name().to_owned(),
        verdict_zh: verdict_zh.to_owned(),
        verdict_en: verdict_en.to_owned(),
        members_counted: figure.coverage.counted,
        members_due: figure.coverage.due,
        records: figure.evidence.len(),
        unknown: figure.unknown,
        left_out: figure.left_out,
        duplicates: figure.duplicates,
        groups: groups(core, kinds, figure),
        published: desk.published(&indicator.code),
        objections,
        objections_total,
    }
}

/// Why there is no value: a word, and a sentence in Chinese and in English.
fn why(absence: Absence, indicator: &Indicator, computed: &Computed) -> (String, String, String) {
    let (zh, en) = absence.words();
    let (mut zh, mut en) = match absence {
        Absence::NotComputable => (format!("{zh}：{}", indicator.basis_zh), format!("{en}: {}", indicator.basis_en)),
        _ => (zh.to_owned(), en.to_owned()),
    };
    let missing = computed.missing_bodies;
    if missing > 0 && absence != Absence::NotComputable {
        zh.push_str(&format!("；另有 {missing} 条条目的正文还没有收到"));
        en.push_str(&format!("; the bodies of {missing} entries are not here yet"));
    }
    (absence.name().to_owned(), zh, en)
}

/// The groups by their names: that of a record where a group is called by its id.
fn groups(core: &Core, kinds: &KindSet, figure: &Figure) -> Vec<IndicatorGroup> {
    let name = |group: &str| {
        let title = group.parse::<EntryId>().ok().and_then(|id| title(core, kinds, &id, core.as_of_ms()));
        title.map_or_else(|| group.to_owned(), |(title, ..)| title)
    };
    let group = |(group, value): (&String, &_)| IndicatorGroup { name: name(group), value: shown(*value) };
    figure.groups.iter().map(group).collect()
}

/// What a record is called, and its kind.
fn title(core: &Core, kinds: &KindSet, id: &EntryId, as_of_ms: u64) -> Option<(String, u16)> {
    let state = core.read(|state| state.view().record(id, as_of_ms, core))?;
    Some((kinds.kind(state.kind)?.title(&state.fields), state.kind))
}

fn proof(
    core: &Core,
    kinds: &KindSet,
    desk: &Desk<'_>,
    id: &EntryId,
    evidence: &Evidence,
    as_of_ms: u64,
) -> Option<EvidenceView> {
    let (label, owner) = core.read(|state| Some((state.view().label(id)?, state.view().owner(id)?.0)))?;
    let (title, kind) = title(core, kinds, id, as_of_ms)?;
    let part = match (evidence.above, evidence.below) {
        (Some(_), Some(_)) => "both",
        (None, Some(_)) => "below",
        _ => "above",
    };
    Some(EvidenceView {
        id: id.to_string(),
        label: label.to_string(),
        kind: kind_name(kinds, kind),
        kind_zh: kind_name_zh(kinds, kind),
        owner: desk.member(owner),
        title,
        part: part.to_owned(),
        amount: evidence.above.or(evidence.below).map(shown).unwrap_or_default(),
        confirmed: evidence.is_confirmed,
    })
}

/// The labels of records; ids where there is none.
pub(super) fn labels(core: &Core, ids: &[EntryId]) -> Vec<String> {
    core.read(|state| {
        let label = |id: &EntryId| state.view().label(id).map_or_else(|| id.to_string(), |label| label.to_string());
        ids.iter().map(label).collect()
    })
}
