//! Who is linked with whom, as tables and as a picture of the same.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::api::types::{HealthView, MemberHealth, PeerView};
use crate::portal::data::Data;
use crate::portal::fault::Fault;
use crate::portal::frame::{Frame, Section};
use crate::portal::visit::Visit;
use crate::portal::{Portal, html};

#[derive(Template)]
#[template(path = "pages/topology.html")]
struct TopologyPage {
    page: Frame,
    links: Vec<PeerView>,
    health: Option<HealthView>,
    reported: Vec<MemberHealth>,
}

/// Shows the page.
pub(super) async fn show(State(portal): State<Portal>, visit: Visit) -> Result<Response, Fault> {
    let links = portal.data.links().await;
    portal
        .answer(move |data| {
            let page = Frame::of_section(&visit, data.federation(), Section::Topology);
            let mut health = data.health(visit.now_ms);
            let mut reported = health.as_mut().map(|health| std::mem::take(&mut health.members)).unwrap_or_default();
            reported.retain(|member| member.report.is_some());
            // Who reports the fewest links is nearest to being lost.
            reported.sort_by_key(|member| member.report.as_ref().map(|report| report.peers));
            html(&TopologyPage { page, links, health, reported })
        })
        .await
}

/// What the picture shows.
#[derive(Debug, Serialize)]
struct Graph {
    nodes: Vec<GraphNode>,
}

/// A member in the picture.
#[derive(Debug, Serialize)]
struct GraphNode {
    number: u32,
    name: String,
    state: String,
    /// Division code, by which the outer ring is ordered.
    region: String,
    own: bool,
    linked: bool,
    /// Links that it reports.
    peers: Option<u16>,
}

/// The picture's data.
pub(super) async fn graph(State(portal): State<Portal>, visit: Visit) -> Result<Response, Fault> {
    let data = std::sync::Arc::clone(&portal.data);
    let made = crate::turns::blocking(move || Json(picture(&*data, visit.now_ms)).into_response());
    made.await.map_err(|_| Fault::Internal)
}

fn picture(data: &dyn Data, now_ms: u64) -> Graph {
    let mut members = data.health(now_ms).map(|health| health.members).unwrap_or_default();
    members.sort_by(|a, b| (&a.region, a.member.number).cmp(&(&b.region, b.member.number)));
    let node = |member: MemberHealth| GraphNode {
        number: member.member.number,
        name: member.member.name,
        state: member.state,
        region: member.region,
        own: member.own,
        linked: member.linked,
        peers: member.report.map(|report| report.peers),
    };
    Graph { nodes: members.into_iter().map(node).collect() }
}
