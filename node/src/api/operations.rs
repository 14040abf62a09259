//! What an operator asks: what is wrong, which alarms last, whether the node is ready, metrics, who wrote what.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::Json;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Shared;
use super::extract::{Pairs, blocking};
use super::problem::ApiProblem;
use super::types::{AccessLogView, AlarmsView, DoctorView, Problem, Readiness};
use crate::access_log::limits::VIEW_LINES_MAX;
use crate::access_log::{AccessLog, Record, UNKNOWN};
use crate::alarms;
use crate::doctor::ready::readiness;
use crate::metrics::CONTENT_TYPE;

/// Lines of the log of logins and writes that are shown unless more are asked for.
const LINES_SHOWN: usize = 50;
/// What a request counts as that fits no route.
const NO_ROUTE: &str = "none";

/// Labels that an answer is about, for the log of writes: a request that creates does not name them.
#[derive(Debug, Clone)]
pub(super) struct About(pub(super) String);

/// Goes with a request: whether whoever sent it showed the token. `guard` says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown(Arc<AtomicBool>);

impl Shown {
    /// The token was shown.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Goes with an answer that does not say what came of the request: it took too long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsettled;

/// What is wrong with the node.
#[utoipa::path(get, path = "/v1/doctor", tag = "operations",
    description = "节点自己知道的毛病：编号、程度、原因、怎么办；编号见 docs/DOCTOR.md。What the node finds wrong with itself: id, severity, cause, way out; docs/DOCTOR.md lists the ids.",
    responses((status = 200, description = "发现的毛病。What is wrong.", body = DoctorView)))]
pub(super) async fn doctor(State(shared): State<Shared>) -> Json<DoctorView> {
    Json(shared.context.operations.doctor.view().await)
}

/// The alarms.
#[utoipa::path(get, path = "/v1/alarms", tag = "operations",
    description = "现在的告警、刚解除的告警，以及送到哪里。发给 webhook 的内容见 AlarmMessage。Alarms that last, those just cleared, and where they are sent. Webhooks are told an AlarmMessage.",
    responses((status = 200, description = "告警。The alarms.", body = AlarmsView)))]
pub(super) async fn alarms(State(shared): State<Shared>) -> Json<AlarmsView> {
    Json(alarms::view(&shared.context.operations.alarms))
}

/// Whether the node is ready.
#[utoipa::path(get, path = "/readyz", tag = "operations", security(()),
    description = "是否就绪（不需要口令）：存储可写，本节点可以签署。索引未就绪只作说明。Whether the node is ready; needs no token: the store takes writes, and the node may sign. An index that is not ready is only noted.",
    responses((status = 200, description = "就绪。Ready.", body = Readiness),
        (status = 503, description = "未就绪，逐条说明原因。Not ready, with every reason.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn ready(State(shared): State<Shared>) -> Result<Json<Readiness>, ApiProblem> {
    let looked = blocking(move || readiness(shared.core(), &shared.context.derived)).await?;
    looked.map(Json).map_err(|reasons| {
        ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "节点还没有就绪。", "the node is not ready")
            .fix("请看各条原因；xianmeng doctor 说明怎么办。", "see the reasons; `xianmeng doctor` says what to do")
            .details(reasons)
    })
}

/// The metrics.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    description = "Prometheus 指标，名字见 docs/METRICS.md；不用口令的监听地址见设置 metrics.listen。Prometheus metrics, named in docs/METRICS.md; metrics.listen in the settings serves them without a token.",
    responses((status = 200, description = "文本格式。The text format.", body = String, content_type = "text/plain")))]
pub(super) async fn metrics(State(shared): State<Shared>) -> Result<Response, ApiProblem> {
    let text = shared.context.operations.metrics.text().await.map_err(|error| {
        tracing::error!(%error, "the metrics could not be gathered");
        ApiProblem::internal()
    })?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))], text).into_response())
}

/// The log of logins and writes.
#[utoipa::path(get, path = "/v1/access-log", tag = "operations",
    description = "登录和写入的日志，最新的在前。The log of logins and writes, the latest first.",
    params(("limit" = Option<usize>, Query, description = "行数，最多 1000。How many lines, at most 1,000.")),
    responses((status = 200, description = "日志。The log.", body = AccessLogView)))]
pub(super) async fn access_log(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<AccessLogView>, ApiProblem> {
    let pairs = pairs.known(&["limit"])?;
    let limit = pairs.number::<usize>("limit")?.unwrap_or(LINES_SHOWN);
    if limit == 0 || limit > VIEW_LINES_MAX {
        let zh = format!("查询参数“limit”要在 1 和 {VIEW_LINES_MAX} 之间。");
        return Err(ApiProblem::malformed(zh, format!("`limit` must be between 1 and {VIEW_LINES_MAX}")));
    }
    blocking(move || Json(shared.context.operations.access_log.view(limit))).await
}

/// Counts every request, and writes down logins that fail and everything that writes.
pub(super) async fn observe(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let subject = route.as_deref().map(|route| parameters(route, request.uri().path())).unwrap_or_default();
    let template = route.as_deref().unwrap_or(NO_ROUTE);
    let token = Shown::default();
    request.extensions_mut().insert(token.clone());
    let operations = &shared.context.operations;
    // Made before the request is worked on: whoever hangs up must not write without a line.
    let mut line = Line {
        log: operations.access_log.clone(),
        token,
        record: Some(Record {
            action: "write",
            method: shown(&method).to_owned(),
            route: template.to_owned(),
            subject,
            ..Record::default()
        }),
        is_write: route.is_some() && writes(&method),
    };
    let response = next.run(request).await;
    let status = response.status();
    operations.metrics.requests().count(shown(&method), template, status.as_u16(), begun.elapsed());
    line.answered(&response);
    response
}

/// A line of the log of logins and writes in the making. Dropped before there is an answer, it says so.
struct Line {
    log: AccessLog,
    token: Shown,
    record: Option<Record>,
    is_write: bool,
}

impl Line {
    fn answered(&mut self, response: &Response) {
        let Some(mut record) = self.record.take() else { return };
        let status = response.status();
        let is_login = status == StatusCode::UNAUTHORIZED;
        if !is_login && !self.is_write {
            return;
        }
        if is_login {
            record.action = "login";
        }
        if let Some(About(labels)) = response.extensions().get::<About>() {
            record.subject.clone_from(labels);
        }
        let word = match response.extensions().get::<Unsettled>() {
            Some(Unsettled) => "unknown",
            None if status.is_success() => "ok",
            None => "refused",
        };
        self.put(record, format!("{word} {}", status.as_u16()));
    }

    fn put(&self, record: Record, outcome: String) {
        let actor = if self.token.0.load(Ordering::Relaxed) { "api" } else { UNKNOWN };
        self.log.record(Record { actor: actor.to_owned(), outcome, ..record });
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Some(record) = self.record.take().filter(|_| self.is_write) else { return };
        // Without the token nothing can have been written.
        let word = if self.token.0.load(Ordering::Relaxed) { "cut off" } else { "refused, cut off" };
        self.put(record, word.to_owned());
    }
}

fn writes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// A caller may invent methods: of those only one is counted.
fn shown(method: &Method) -> &str {
    match *method {
        Method::GET | Method::POST | Method::DELETE | Method::PUT | Method::HEAD | Method::OPTIONS => method.as_str(),
        _ => "OTHER",
    }
}

/// The parts of a path that its template leaves open.
fn parameters(template: &str, path: &str) -> String {
    let pairs = template.split('/').zip(path.split('/'));
    let open = pairs.filter(|(part, _)| part.starts_with('{')).map(|(_, value)| value);
    open.collect::<Vec<_>>().join(" ")
}

/// The routes that Prometheus asks without a token, over the same handlers.
pub(super) fn open_router(shared: Shared) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(super::status::health))
        .route("/readyz", get(ready))
        .layer(axum::middleware::from_fn(super::guard::limit_time))
        .layer(axum::middleware::from_fn(super::guard::loopback_only))
        .with_state(shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_template_leaves_open_is_the_subject() {
        assert_eq!(parameters("/v1/records/{reference}/revise", "/v1/records/2-7/revise"), "2-7");
        assert_eq!(parameters("/v1/records", "/v1/records"), "");
    }

    #[test]
    fn whoever_hangs_up_leaves_a_line_and_a_timeout_is_no_refusal() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let log = AccessLog::open(&folder.path().join("access"));
        let line = |is_write| {
            let token = Shown::default();
            token.set();
            let record = Some(Record { action: "write", subject: "2-1".into(), ..Record::default() });
            Line { log: log.clone(), token, record, is_write }
        };
        drop(line(true));
        drop(line(false));
        let mut late = StatusCode::SERVICE_UNAVAILABLE.into_response();
        late.extensions_mut().insert(Unsettled);
        line(true).answered(&late);
        line(true).answered(&StatusCode::CREATED.into_response());
        line(false).answered(&StatusCode::OK.into_response());
        // Somebody who showed no token.
        let mut stranger = line(true);
        stranger.token = Shown::default();
        stranger.answered(&StatusCode::FORBIDDEN.into_response());
        assert!(log.close());
        let entries = log.view(9).entries;
        let told: Vec<(&str, &str)> = entries.iter().rev().map(|entry| (&*entry.actor, &*entry.outcome)).collect();
        let expected = [("api", "cut off"), ("api", "unknown 503"), ("api", "ok 201"), ("unknown", "refused 403")];
        assert_eq!(told, expected);
    }
}
