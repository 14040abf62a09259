//! Alarms: what lasts, what is gone, and where they are sent.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::api::types::AlarmsView;
use crate::portal::fault::Fault;
use crate::portal::frame::{Frame, Section};
use crate::portal::visit::Visit;
use crate::portal::{Portal, html};

#[derive(Template)]
#[template(path = "pages/alarms.html")]
struct AlarmsPage {
    page: Frame,
    alarms: Option<AlarmsView>,
}

/// Shows the page.
pub(super) async fn show(State(portal): State<Portal>, visit: Visit) -> Result<Response, Fault> {
    portal
        .answer(move |data| {
            let page = Frame::of_section(&visit, data.federation(), Section::Alarms);
            html(&AlarmsPage { page, alarms: data.alarms(visit.now_ms) })
        })
        .await
}
