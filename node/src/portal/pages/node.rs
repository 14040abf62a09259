//! This node: what its doctor finds, and how it is.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::api::types::{DoctorView, OwnHealth};
use crate::portal::fault::Fault;
use crate::portal::frame::{Frame, Section};
use crate::portal::visit::Visit;
use crate::portal::{Portal, html};

#[derive(Template)]
#[template(path = "pages/node.html")]
struct NodePage {
    page: Frame,
    doctor: Option<DoctorView>,
    own: Option<OwnHealth>,
    own_as_of_ms: u64,
}

/// Shows the page.
pub(super) async fn show(State(portal): State<Portal>, visit: Visit) -> Result<Response, Fault> {
    let doctor = portal.data.doctor(visit.now_ms).await;
    portal
        .answer(move |data| {
            let page = Frame::of_section(&visit, data.federation(), Section::Node);
            let health = data.health(visit.now_ms);
            let own_as_of_ms = health.as_ref().map_or(visit.now_ms, |health| health.as_of_ms);
            let own = health.map(|health| health.own);
            html(&NodePage { page, doctor, own, own_as_of_ms })
        })
        .await
}
