//! The one table of routes.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode};
use axum::middleware;
use axum::routing::{MethodRouter, delete, get, post};

use super::limits::{
    BATCH_BYTES_MAX, BLOCK_BYTES_MAX, LOOKUP_BYTES_MAX, OTHER_BYTES_MAX, RECORD_BYTES_MAX, STATEMENTS_BYTES_MAX,
    WATCH_BYTES_MAX,
};
use super::problem::ApiProblem;
use super::{
    Shared, audit, charter, counts, document, duties, erase, export, externals, gaps, guard, health, import,
    indicators, joining, kinds, leads, local, logs, matching, operations, portal, proposals, publish, reading, restate,
    rewrap, search, status, watching,
};

/// A route and its bounds.
pub(super) struct Route {
    #[cfg_attr(not(test), expect(dead_code, reason = "the test of the document compares it"))]
    pub(super) method: Method,
    pub(super) path: &'static str,
    handler: MethodRouter<Shared>,
    body_bytes_max: usize,
    timed: bool,
}

fn reads(path: &'static str, handler: MethodRouter<Shared>) -> Route {
    Route { method: Method::GET, path, handler, body_bytes_max: OTHER_BYTES_MAX, timed: true }
}

fn writes(path: &'static str, handler: MethodRouter<Shared>, body_bytes_max: usize) -> Route {
    Route { method: Method::POST, path, handler, body_bytes_max, timed: true }
}

/// Every route. The test of the document goes through the same table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        reads("/healthz", get(status::health)),
        reads("/openapi.json", get(document::document)),
        reads("/v1/status", get(status::status)),
        reads("/v1/network", get(status::network)),
        reads("/v1/peers", get(status::peers)),
        reads("/v1/kinds", get(kinds::list)),
        reads("/v1/kinds/{name}", get(kinds::show)),
        reads("/v1/records", get(reading::list)),
        reads("/v1/counts", get(counts::counts)),
        reads("/v1/gaps/competition", get(gaps::competition)),
        reads("/v1/gaps/chains", get(gaps::chains)),
        reads("/v1/gaps/funds", get(gaps::funds)),
        reads("/v1/gaps/pools", get(gaps::pools)),
        reads("/v1/gaps/matching", get(gaps::matching)),
        reads("/v1/rankings", get(gaps::rankings)),
        reads("/v1/indicators", get(indicators::list)),
        reads("/v1/indicators/{code}", get(indicators::evidence)),
        reads("/v1/bulletins", get(indicators::bulletins)),
        // They go through every entry.
        Route { timed: false, ..writes("/v1/bulletins", post(indicators::publish_bulletin), OTHER_BYTES_MAX) },
        reads("/v1/bulletins/{reference}", get(indicators::bulletin)),
        Route { timed: false, ..reads("/v1/bulletins/{reference}/verification", get(indicators::verification)) },
        reads("/v1/search", get(search::search)),
        reads("/v1/search/status", get(search::search_status)),
        writes("/v1/search/rebuild", post(search::rebuild), OTHER_BYTES_MAX),
        reads("/v1/search/events", get(watching::search_events)),
        reads("/v1/watches", get(watching::list)),
        writes("/v1/watches", post(watching::create), WATCH_BYTES_MAX),
        Route { method: Method::DELETE, ..reads("/v1/watches/{name}", delete(watching::remove)) },
        reads("/v1/watches/{name}/events", get(watching::events)),
        writes("/v1/records", post(publish::create), RECORD_BYTES_MAX),
        writes("/v1/records/batch", post(publish::batch), BATCH_BYTES_MAX),
        writes("/v1/statements", post(publish::statements), STATEMENTS_BYTES_MAX),
        reads("/v1/records/{reference}", get(reading::show)),
        reads("/v1/records/{reference}/history", get(reading::show_history)),
        reads("/v1/records/{reference}/delivery", get(reading::show_delivery)),
        writes("/v1/confirmations", post(publish::confirm), RECORD_BYTES_MAX),
        writes("/v1/records/{reference}/revise", post(publish::revise), RECORD_BYTES_MAX),
        writes("/v1/records/{reference}/withdraw", post(publish::withdraw), RECORD_BYTES_MAX),
        reads("/v1/matches/{reference}", get(matching::matches)),
        reads("/v1/recommendations", get(matching::recommendations)),
        reads("/v1/externals", get(externals::externals)),
        writes("/v1/externals/lookup", post(externals::look_up), LOOKUP_BYTES_MAX),
        // It goes through everything that is held.
        Route { timed: false, ..writes("/v1/audit", post(audit::audit), OTHER_BYTES_MAX) },
        reads("/v1/restatements", get(restate::list)),
        writes("/v1/restatements", post(restate::restate), STATEMENTS_BYTES_MAX),
        writes("/v1/erase", post(erase::erase), STATEMENTS_BYTES_MAX),
        reads("/v1/erasures", get(erase::erasures)),
        writes("/v1/rewrap", post(rewrap::rewrap), OTHER_BYTES_MAX),
        reads("/v1/local", get(local::list)),
        writes("/v1/local", post(local::add), RECORD_BYTES_MAX),
        reads("/v1/local/{id}", get(local::show)),
        Route { method: Method::DELETE, ..reads("/v1/local/{id}", delete(local::remove)) },
        reads("/v1/leads", get(leads::overview)),
        reads("/v1/leads/notices", get(leads::notices)),
        writes("/v1/leads/check", post(leads::check), OTHER_BYTES_MAX),
        Route { method: Method::DELETE, ..reads("/v1/leads/{id}", delete(leads::take_back)) },
        reads("/v1/export", get(export::export)),
        // A bundle has its own bounds, on its length and on pauses, because it is read as it comes.
        Route { timed: false, ..writes("/v1/bundles", post(import::import), OTHER_BYTES_MAX) },
        reads("/v1/charter", get(charter::show)),
        writes("/v1/charter/blocks", post(charter::append), BLOCK_BYTES_MAX),
        reads("/v1/charter/proposals", get(proposals::list)),
        writes("/v1/charter/proposals", post(proposals::propose), BLOCK_BYTES_MAX),
        writes("/v1/charter/endorsements", post(proposals::endorse), OTHER_BYTES_MAX),
        reads("/v1/logs/{key}/entries", get(logs::entries)),
        reads("/v1/applications", get(joining::applications)),
        Route { method: Method::DELETE, ..reads("/v1/applications/{id}", delete(joining::remove_application)) },
        writes("/v1/invitations", post(joining::invite), OTHER_BYTES_MAX),
        writes("/v1/sync", post(joining::sync), OTHER_BYTES_MAX),
        writes("/v1/portal/links", post(portal::link), OTHER_BYTES_MAX),
        reads("/v1/health", get(health::overview)),
        reads("/v1/health/{member}", get(health::member)),
        reads("/v1/custody", get(health::custody)),
        reads("/readyz", get(operations::ready)),
        reads("/metrics", get(operations::metrics)),
        reads("/v1/doctor", get(operations::doctor)),
        reads("/v1/alarms", get(operations::alarms)),
        reads("/v1/access-log", get(operations::access_log)),
        reads("/v1/duties", get(duties::list)),
        writes("/v1/duties/unchanged", post(duties::unchanged), OTHER_BYTES_MAX),
    ]
}

/// The router over the table.
pub(super) fn router(shared: Shared) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let mut handler = route.handler.layer(DefaultBodyLimit::max(route.body_bytes_max));
        if route.timed {
            handler = handler.layer(middleware::from_fn(guard::limit_time));
        }
        router = router.route(route.path, handler);
    }
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(shared.clone(), guard::admit))
        .layer(middleware::from_fn_with_state(shared.clone(), operations::observe))
        .with_state(shared)
}

async fn no_such_path() -> ApiProblem {
    ApiProblem::new(StatusCode::NOT_FOUND, "path", "没有这个接口。", "there is no such path")
        .fix("接口清单见 /openapi.json。", "see /openapi.json for all paths")
}

async fn wrong_method() -> ApiProblem {
    let (zh, en) = ("这个接口不支持这种方法。", "this path does not take that method");
    ApiProblem::new(StatusCode::METHOD_NOT_ALLOWED, "method", zh, en)
        .fix("接口清单见 /openapi.json。", "see /openapi.json for all paths")
}
