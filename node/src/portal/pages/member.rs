//! One member: how its node is, what is wrong with it, who holds its logs, what it owes.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::MissingPage;
use super::duties::{Row, rows};
use crate::api::types::{DutiesView, MemberHealthDetail};
use crate::portal::data::DutiesAsked;
use crate::portal::fault::Fault;
use crate::portal::frame::{Frame, Section};
use crate::portal::visit::Visit;
use crate::portal::{Portal, html};

#[derive(Template)]
#[template(path = "pages/member.html")]
struct MemberPage {
    page: Frame,
    detail: MemberHealthDetail,
    duties: Option<DutiesView>,
    items: Vec<Row>,
}

/// Shows the page.
pub(super) async fn show(
    State(portal): State<Portal>,
    visit: Visit,
    Path(number): Path<String>,
) -> Result<Response, Fault> {
    let number: u32 = number.parse().map_err(|_| Fault::NoMember)?;
    portal
        .answer(move |data| {
            let mut page = Frame::of_section(&visit, data.federation(), Section::Members);
            let Some(found) = data.member(number, visit.now_ms) else {
                return html(&MissingPage { page });
            };
            let detail = found.ok_or(Fault::NoMember)?;
            page.title = detail.health.member.name.clone();
            let asked = DutiesAsked { member: Some(number), ..DutiesAsked::default() };
            let mut duties = data.duties(&asked, visit.now_ms);
            let items = duties.as_mut().map(|view| rows(&page, view)).unwrap_or_default();
            html(&MemberPage { page, detail, duties, items })
        })
        .await
}
