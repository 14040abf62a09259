//! The first page: who is up, what is wrong, what is held by too few, what is owed.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::indicators::is_objected;
use crate::api::types::{AlarmsView, CustodyView, DutiesView, HealthView, IndicatorsView, PhaseView};
use crate::portal::data::DutiesAsked;
use crate::portal::fault::Fault;
use crate::portal::frame::{Frame, Section};
use crate::portal::visit::Visit;
use crate::portal::{Portal, html};

#[derive(Template)]
#[template(path = "pages/overview.html")]
struct OverviewPage {
    page: Frame,
    health: Option<HealthView>,
    up_note: String,
    faults: Vec<FindingCount>,
    alarms: Option<AlarmsView>,
    custody: Option<CustodyView>,
    duties: Option<DutiesView>,
    indicators: Option<IndicatorCounts>,
}

/// How many members have a finding.
struct FindingCount {
    id: String,
    text: String,
    count: usize,
}

/// How many indicators stand how.
#[derive(Debug, Default, PartialEq, Eq)]
struct IndicatorCounts {
    as_of_ms: u64,
    phase: PhaseView,
    met: usize,
    missed: usize,
    open: usize,
    unknown: usize,
    no_target: usize,
    objections: usize,
}

impl IndicatorCounts {
    fn of(view: &IndicatorsView) -> Self {
        let mut counts = Self { as_of_ms: view.as_of_ms, phase: view.phase.clone(), ..Self::default() };
        for indicator in &view.indicators {
            counts.objections += usize::from(is_objected(indicator));
            match indicator.verdict.as_str() {
                "met" => counts.met += 1,
                "missed" => counts.missed += 1,
                "open" => counts.open += 1,
                "unknown" => counts.unknown += 1,
                "no-target" => counts.no_target += 1,
                _ => {}
            }
        }
        counts
    }
}

/// Shows the page.
pub(super) async fn show(State(portal): State<Portal>, visit: Visit) -> Result<Response, Fault> {
    portal
        .answer(move |data| {
            let page = Frame::of_section(&visit, data.federation(), Section::Overview);
            let health = data.health(visit.now_ms);
            // Silent and never joined have tiles of their own.
            let own_tile = |id: &str| ["silent", "never_joined"].contains(&id);
            let counts = health.iter().flat_map(|health| &health.counts.findings);
            let faults = counts.filter(|(id, count)| **count > 0 && !own_tile(id));
            let faults = faults.map(|(id, count)| FindingCount {
                text: page.finding_name(id).to_owned(),
                id: id.clone(),
                count: *count,
            });
            let up_note = health.as_ref().map_or_else(String::new, |health| {
                let counts = &health.counts;
                format!("{} {} · {} {}", page.t.up_direct, counts.up_direct, page.t.up_beacon, counts.up_beacon)
            });
            html(&OverviewPage {
                faults: faults.collect(),
                up_note,
                alarms: data.alarms(visit.now_ms),
                custody: data.custody(visit.now_ms),
                duties: data.duties(&DutiesAsked::default(), visit.now_ms),
                indicators: data.indicators(visit.now_ms).map(|view| IndicatorCounts::of(&view)),
                page,
                health,
            })
        })
        .await
}
