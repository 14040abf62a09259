//! Records by a figure, over everything that this node may read: what it opens is ranked with the rest.

use std::collections::BTreeMap;

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::{Kind, KindSet};
use protocol::survey::Source;
use protocol::survey::ranking::{Measure, Ranked, Ranking};
use rust_decimal::Decimal;

use super::super::assess::{self, Coverage, Found};
use super::super::list::Query;
use super::super::prepare::kind_named;
use super::pass::{Pass, standing_figures};
use super::views::{Names, rounded};
use super::{SurveyError, lines};
use crate::api::types::{CoverageView, RankedRecord, RankingColumn, RankingView};
use crate::confidential::Seen;
use crate::core::Core;

/// What stands where a record does not say.
const UNKNOWN: &str = "不明";

/// What is asked, as texts.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The kind.
    pub kind: String,
    /// Names of fields or derived figures, joined by `+`.
    pub by: String,
    /// Conditions that the records must meet.
    pub conditions: Vec<String>,
    /// Whether the least comes first.
    pub ascending: bool,
    /// Most lines.
    pub lines: Option<usize>,
}

/// Ranks the records of a kind.
pub fn ranking(core: &Core, kinds: &KindSet, asked: &Asked) -> Result<RankingView, SurveyError> {
    let kind = kind_named(kinds, &asked.kind)?;
    let query = Query::parse(kinds, Some(kind.name()), &asked.conditions)?;
    let measure = Measure::parse(kind, &asked.by)?;
    let pass = Pass::new(core, kinds, core.as_of_ms());
    let as_of_ms = pass.as_of_ms;
    let mut ranking = Ranking::new(lines(asked.lines)?, asked.ascending);
    let access = core.access();
    let (mut fit, mut opened) = (CoverageView::default(), 0);
    let mut coverage = pass.each(&[kind.name()], &mut |_, found, owner| {
        let seen = access.see(found.judged.state.clone());
        if !is_readable(found, &seen) {
            return;
        }
        opened += usize::from(found.coverage == Coverage::Closed);
        match query.unknown(kinds, &seen.state, as_of_ms) {
            None => fit.other += 1,
            Some(unknown) if !unknown.is_empty() => fit.unknown += 1,
            Some(_) => {
                fit.counted += 1;
                let amount = figure(core, kinds, kind, &measure, found, &seen, as_of_ms);
                ranking.take(amount, || source(kind, found, &seen, owner));
            }
        }
    });
    // What opened here is ranked; what stays closed is counted as such.
    coverage.closed -= opened;
    (coverage.counted, coverage.other, coverage.unknown) = (fit.counted, fit.other, fit.unknown);
    let (known, unknown) = (ranking.known, ranking.unknown);
    let ranked = ranking.finish();
    let parts = parts(core, kinds, kind, &measure, &ranked, as_of_ms);
    let names = Names::new(core, kinds);
    let line = |ranked: Ranked| RankedRecord {
        place: ranked.place,
        parts: parts.get(&ranked.source.id).cloned().unwrap_or_default(),
        record: names.record(ranked.source),
        amount: ranked.amount.normalize().to_string(),
        text: format!("{}{}", rounded(ranked.amount), measure.unit),
    };
    Ok(RankingView {
        kind: kind.name().to_owned(),
        kind_zh: kind.zh().to_owned(),
        by: measure.parts().map(|(name, zh)| RankingColumn { name: name.to_owned(), zh: zh.to_owned() }).collect(),
        unit: measure.unit.clone(),
        ascending: asked.ascending,
        ranked: ranked.into_iter().map(line).collect(),
        known,
        unknown,
        frame: pass.frame_over(coverage),
    })
}

/// Whether a record is one that this node may rank: it counts, or is wholly confidential and opened here.
fn is_readable(found: &Found, seen: &Seen) -> bool {
    match found.coverage {
        Coverage::Counts => true,
        Coverage::Closed => !seen.is_closed(),
        Coverage::Withdrawn | Coverage::Uncounted | Coverage::UpdateNeeded => false,
    }
}

fn figure(
    core: &Core,
    kinds: &KindSet,
    kind: &Kind,
    measure: &Measure,
    found: &Found,
    seen: &Seen,
    as_of_ms: u64,
) -> Option<Decimal> {
    let derived = derived_figures(core, kinds, kind, measure, found, seen, as_of_ms);
    measure.of(&seen.state.fields, &|name| derived.get(name).copied())
}

/// The derived figures of a record, none where none is asked for.
fn derived_figures(
    core: &Core,
    kinds: &KindSet,
    kind: &Kind,
    measure: &Measure,
    found: &Found,
    seen: &Seen,
    as_of_ms: u64,
) -> BTreeMap<String, Decimal> {
    if measure.looks_at_records() {
        let figures = standing_figures(core, kinds, found, seen, as_of_ms).into_iter();
        return figures.filter_map(|(name, amount)| Some((name, amount.parse().ok()?))).collect();
    }
    if measure.is_derived() {
        return Measure::own_figures(kind, &seen.state.fields, as_of_ms);
    }
    BTreeMap::new()
}

fn source(kind: &Kind, found: &Found, seen: &Seen, owner: MemberNumber) -> Source {
    let state = &found.judged.state;
    Source { id: state.id, label: state.label, kind: state.kind, owner, title: kind.title(&seen.state.fields) }
}

/// The parts of the figures of the records that are shown, as they are stated. They are read once more, because holding
/// every record until the ranking is known would hold them all.
fn parts(
    core: &Core,
    kinds: &KindSet,
    kind: &Kind,
    measure: &Measure,
    ranked: &[Ranked],
    as_of_ms: u64,
) -> BTreeMap<EntryId, Vec<String>> {
    let access = core.access();
    let of_record = |ranked: &Ranked| {
        let id = ranked.source.id;
        let found = core.read(|state| assess::find(state, core, kinds, &id, as_of_ms))?;
        let seen = access.see(found.judged.state.clone());
        let derived = derived_figures(core, kinds, kind, measure, &found, &seen, as_of_ms);
        let part = |(name, _): (&str, &str)| {
            let field = kind.field_named(name).filter(|field| field.name == name);
            let stated = field.and_then(|field| Some(field.render(seen.state.fields.get(&field.number)?)));
            let figure = || derived.get(name).map(|amount| rounded(*amount).to_string());
            stated.or_else(figure).unwrap_or_else(|| UNKNOWN.to_owned())
        };
        Some((id, measure.parts().map(part).collect()))
    };
    ranked.iter().filter_map(of_record).collect()
}
