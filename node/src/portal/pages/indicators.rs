//! Indicators, objections to them, and the records that one indicator comes from.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::MissingPage;
use super::query::Asked;
use crate::api::types::{IndicatorEvidenceView, IndicatorView, IndicatorsView, ObjectionView};
use crate::portal::data::short;
use crate::portal::fault::Fault;
use crate::portal::frame::{Choice, Frame, Name, Section};
use crate::portal::limits::{OBJECTIONS_IN_LIST, OBJECTIONS_SHOWN};
use crate::portal::visit::Visit;
use crate::portal::{Portal, html};

const VERDICTS: [(&str, Name); 5] = [
    ("missed", |t| t.verdict_missed),
    ("met", |t| t.verdict_met),
    ("open", |t| t.verdict_open),
    ("unknown", |t| t.verdict_unknown),
    ("no-target", |t| t.verdict_no_target),
];

/// What the list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct IndicatorsAsked {
    text: String,
    subject: Option<String>,
    verdict: Option<String>,
    objections_open: bool,
}

impl IndicatorsAsked {
    fn of(query: &Asked) -> Self {
        Self {
            text: query.text("q").unwrap_or_default(),
            subject: query.text("subject"),
            verdict: query.text("verdict"),
            objections_open: query.text("objections").as_deref() == Some("open"),
        }
    }

    fn is_narrowed(&self) -> bool {
        *self != Self::default()
    }

    fn fits(&self, indicator: &IndicatorView) -> bool {
        let is = |asked: &Option<String>, found: &str| asked.as_deref().is_none_or(|asked| asked == found);
        let text = self.text.to_lowercase();
        let named = [&indicator.code, &indicator.name_zh, &indicator.name_en];
        is(&self.subject, &indicator.subject)
            && is(&self.verdict, &indicator.verdict)
            && (!self.objections_open || is_objected(indicator))
            && named.into_iter().any(|name| name.to_lowercase().contains(&text))
    }
}

/// Whether somebody waits for an answer to an objection.
pub(super) fn is_objected(indicator: &IndicatorView) -> bool {
    indicator.objections.iter().any(|objection| objection.answer.is_none())
}

/// An indicator of the list.
struct Row {
    indicator: IndicatorView,
    why: Option<String>,
    objections: Objections,
}

/// The first of some objections, those without an answer before the others.
pub(super) struct Objections {
    /// Those that are shown.
    pub(super) shown: Vec<ObjectionView>,
    /// How many are not.
    pub(super) more: usize,
}

impl Objections {
    /// At most so many of them.
    pub(super) fn first(mut objections: Vec<ObjectionView>, shown_max: usize) -> Self {
        objections.sort_by_key(|objection| objection.answer.is_some());
        let more = objections.len().saturating_sub(shown_max);
        objections.truncate(shown_max);
        Self { shown: objections, more }
    }
}

/// Why an indicator has no value; nothing when it has one.
fn why_no_value(indicator: &IndicatorView, page: &Frame) -> Option<String> {
    if indicator.value.is_some() {
        return None;
    }
    let t = page.t;
    Some(match indicator.basis.as_str() {
        "not-computable" => {
            let basis = page.pick(&indicator.basis_zh, &indicator.basis_en);
            format!("{}{}{basis}", t.why_not_computable, page.pick("：", ": "))
        }
        "entered" => t.why_not_entered.to_owned(),
        _ if indicator.unknown > 0 => format!("{}{}{}", t.why_records_lack, page.pick("：", ": "), indicator.unknown),
        _ => t.why_no_records.to_owned(),
    })
}

#[derive(Template)]
#[template(path = "pages/indicators.html")]
struct IndicatorsPage {
    page: Frame,
    asked: IndicatorsAsked,
    view: Option<IndicatorsView>,
    digest: String,
    indicators: Vec<Row>,
    subjects: Vec<Choice>,
    verdicts: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "pages/indicator.html")]
struct IndicatorPage {
    page: Frame,
    view: IndicatorEvidenceView,
    why: Option<String>,
    objections: Objections,
}

/// Shows the page.
pub(super) async fn show(State(portal): State<Portal>, visit: Visit, query: Asked) -> Result<Response, Fault> {
    let asked = IndicatorsAsked::of(&query);
    portal
        .answer(move |data| {
            let page = Frame::of_section(&visit, data.federation(), Section::Indicators);
            let view = data.indicators(visit.now_ms);
            let fitting = view.iter().flat_map(|view| &view.indicators).filter(|indicator| asked.fits(indicator));
            let indicators = fitting.map(|indicator| {
                let mut indicator = indicator.clone();
                let objections = std::mem::take(&mut indicator.objections);
                let objections = Objections::first(objections, OBJECTIONS_IN_LIST);
                Row { why: why_no_value(&indicator, &page), objections, indicator }
            });
            let indicators = indicators.collect();
            let subjects = view.iter().flat_map(|view| &view.subjects);
            let subjects = subjects.map(|subject| Choice::new(subject, subject, asked.subject.as_deref()));
            let verdicts = VERDICTS.iter();
            let verdicts = verdicts.map(|(word, text)| Choice::new(word, text(page.t), asked.verdict.as_deref()));
            html(&IndicatorsPage {
                subjects: subjects.collect(),
                verdicts: verdicts.collect(),
                digest: view.as_ref().map(|view| short(&view.digest)).unwrap_or_default(),
                page,
                asked,
                view,
                indicators,
            })
        })
        .await
}

/// Shows one indicator.
pub(super) async fn show_one(
    State(portal): State<Portal>,
    visit: Visit,
    Path(code): Path<String>,
) -> Result<Response, Fault> {
    portal
        .answer(move |data| {
            let mut page = Frame::of_section(&visit, data.federation(), Section::Indicators);
            let Some(found) = data.indicator(&code, visit.now_ms) else { return html(&MissingPage { page }) };
            let mut view = found.ok_or(Fault::NoIndicator)?;
            page.title = page.pick(&view.indicator.name_zh, &view.indicator.name_en).to_owned();
            let objections = std::mem::take(&mut view.indicator.objections);
            let objections = Objections::first(objections, OBJECTIONS_SHOWN);
            html(&IndicatorPage { why: why_no_value(&view.indicator, &page), objections, page, view })
        })
        .await
}
