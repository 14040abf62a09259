//! Bulletins: what was published, who signed it, and whether this node finds the same when it computes it again.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::MissingPage;
use super::indicators::Objections;
use crate::api::types::{BulletinFigure, DifferenceView};
use crate::portal::data::{BulletinRow, Bulletins, Check, short};
use crate::portal::fault::Fault;
use crate::portal::frame::{Badge, Frame, Section};
use crate::portal::limits::{DIFFERENCES_SHOWN, OBJECTIONS_SHOWN};
use crate::portal::visit::Visit;
use crate::portal::{Portal, html};

#[derive(Template)]
#[template(path = "pages/bulletins.html")]
struct BulletinsPage {
    page: Frame,
    bulletins: Option<Bulletins>,
}

#[derive(Template)]
#[template(path = "pages/bulletin.html")]
struct BulletinPage {
    page: Frame,
    row: BulletinRow,
    digest: String,
    figures: Vec<Figure>,
    has_objections: bool,
    differences: Vec<DifferenceView>,
    differences_more: usize,
    missing: Vec<DifferenceView>,
}

/// A figure and the objections to it.
struct Figure {
    figure: BulletinFigure,
    objections: Objections,
}

impl Frame {
    /// What this node found of a bulletin, as a mark.
    fn verdict(&self, check: &Option<Check>) -> Badge {
        match check.as_ref().map(|check| &check.found) {
            None => self.badge("plain", self.t.check_running),
            Some(Err(_)) => self.badge("unknown", self.t.check_failed),
            Some(Ok(found)) => {
                let tone = match found.verdict.as_str() {
                    "equal" => "ok",
                    "differs" => "critical",
                    _ => "unknown",
                };
                self.badge(tone, self.pick(&found.verdict_zh, &found.verdict_en))
            }
        }
    }
}

/// Shows the list.
pub(super) async fn show(State(portal): State<Portal>, visit: Visit) -> Result<Response, Fault> {
    portal
        .answer(move |data| {
            let page = Frame::of_section(&visit, data.federation(), Section::Bulletins);
            html(&BulletinsPage { page, bulletins: data.bulletins() })
        })
        .await
}

/// Shows one bulletin.
pub(super) async fn show_one(
    State(portal): State<Portal>,
    visit: Visit,
    Path(reference): Path<String>,
) -> Result<Response, Fault> {
    portal
        .answer(move |data| {
            let mut page = Frame::of_section(&visit, data.federation(), Section::Bulletins);
            let Some(found) = data.bulletin(&reference) else { return html(&MissingPage { page }) };
            let mut row = found.ok_or(Fault::NoBulletin)?;
            page.title.clone_from(&row.view.title);
            let digest = short(&row.view.digest);
            let figures = std::mem::take(&mut row.view.figures).into_iter().map(|mut figure| {
                let objections = Objections::first(std::mem::take(&mut figure.objections), OBJECTIONS_SHOWN);
                Figure { figure, objections }
            });
            let figures: Vec<Figure> = figures.collect();
            let has_objections = figures.iter().any(|figure| !figure.objections.shown.is_empty());
            let found = row.check.as_ref().and_then(|check| check.found.as_ref().ok());
            let (differences, missing) =
                found.map(|found| (found.differences.as_slice(), found.missing.as_slice())).unwrap_or_default();
            let differences_more = differences.len().saturating_sub(DIFFERENCES_SHOWN);
            let first = |all: &[DifferenceView]| all.iter().take(DIFFERENCES_SHOWN).cloned().collect();
            let (differences, missing) = (first(differences), first(missing));
            html(&BulletinPage { page, row, digest, figures, has_objections, differences, differences_more, missing })
        })
        .await
}
