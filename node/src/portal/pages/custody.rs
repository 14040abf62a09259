//! Which log how many members hold, the fewest first.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::api::types::CustodyView;
use crate::portal::fault::Fault;
use crate::portal::frame::{Frame, Section};
use crate::portal::visit::Visit;
use crate::portal::{Portal, html};

#[derive(Template)]
#[template(path = "pages/custody.html")]
struct CustodyPage {
    page: Frame,
    custody: Option<CustodyView>,
}

/// Shows the page.
pub(super) async fn show(State(portal): State<Portal>, visit: Visit) -> Result<Response, Fault> {
    portal
        .answer(move |data| {
            let page = Frame::of_section(&visit, data.federation(), Section::Custody);
            html(&CustodyPage { page, custody: data.custody(visit.now_ms) })
        })
        .await
}
