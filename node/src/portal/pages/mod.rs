//! The pages, one file each, and the one table of routes.

mod alarms;
mod bulletins;
mod custody;
mod duties;
mod enter;
mod indicators;
mod member;
mod members;
mod node;
mod overview;
mod query;
mod topology;

use askama::Template;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;

use super::fault::Fault;
use super::frame::Frame;
use super::limits::FORM_BYTES_MAX;
use super::{Portal, assets, events, guard};

/// Every page. A new board is a line here, a file beside this one, and a template.
pub(super) fn router(portal: Portal) -> Router {
    Router::new()
        .route("/", get(overview::show))
        .route("/members", get(members::show))
        .route("/members/{number}", get(member::show))
        .route("/topology", get(topology::show))
        .route("/topology/graph", get(topology::graph))
        .route("/custody", get(custody::show))
        .route("/duties", get(duties::show))
        .route("/duties/unchanged", post(duties::say_unchanged))
        .route("/indicators", get(indicators::show))
        .route("/indicators/{code}", get(indicators::show_one))
        .route("/bulletins", get(bulletins::show))
        .route("/bulletins/{reference}", get(bulletins::show_one))
        .route("/alarms", get(alarms::show))
        .route("/node", get(node::show))
        .route("/login", get(enter::form).post(enter::log_in))
        .route("/logout", post(enter::log_out))
        .route("/open", get(enter::open).head(enter::look))
        .route("/events", get(events::listen))
        .route("/static/{hash}/{name}", get(assets::serve))
        .fallback(async || Fault::NotFound)
        .method_not_allowed_fallback(async || Fault::NotFound)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn_with_state(portal.clone(), guard::admit))
        .layer(middleware::from_fn_with_state(portal.clone(), guard::harden))
        .layer(CompressionLayer::new())
        .with_state(portal)
}

/// A page whose data this build lacks.
#[derive(Template)]
#[template(path = "pages/missing.html")]
struct MissingPage {
    page: Frame,
}
