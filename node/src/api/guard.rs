//! Who comes in: loopback host names, the bearer token, and as many requests as the node can work on.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::AcquireError;

use super::Shared;
use super::limits::{LONG_BODY_BYTES, REQUEST_TIME_MAX, TURN_WAIT};
use super::operations::{Shown, Unsettled};
use super::problem::ApiProblem;
use crate::turns;

/// Paths that need no token: they tell nothing about the federation.
pub(super) const PUBLIC_PATHS: [&str; 3] = ["/healthz", "/readyz", "/openapi.json"];
/// Questions over all records.
const QUESTIONS: [&str; 6] =
    ["/v1/search", "/v1/records", "/v1/counts", "/v1/rankings", "/v1/recommendations", "/v1/externals"];
/// Where further ones lie.
const QUESTION_FOLDERS: [&str; 2] = ["/v1/matches/", "/v1/gaps/"];
/// The path whose body is never held as a whole, however long it is.
const STREAMED_PATH: &str = "/v1/bundles";
/// Host names of this machine itself.
const LOOPBACK_NAMES: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Checks, in this order: the host is a loopback name; the token is right; there is room.
pub(super) async fn admit(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if let Some(problem) = foreign_host(&request) {
        return problem.into_response();
    }
    if PUBLIC_PATHS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    if !shared.is_authorized(request.headers()) {
        let problem = ApiProblem::new(
            StatusCode::UNAUTHORIZED,
            "token",
            "缺少口令或口令不对。",
            "the bearer token is missing or wrong",
        )
        .fix("口令在数据目录的 api.token 文件里。", "the token is in the file api.token of the data directory");
        let mut response = problem.into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        return response;
    }
    if let Some(shown) = request.extensions().get::<Shown>() {
        shown.set();
    }
    // The scarce turns first: whoever waits for one of them takes no turn from what is short.
    let (asks, is_long) = (is_question(request.method(), request.uri().path()), has_long_body(&request));
    let rooms = [asks.then_some(&shared.questions), is_long.then_some(&shared.long_bodies), Some(&shared.requests)];
    let turns = async {
        let mut turns = Vec::with_capacity(rooms.len());
        for room in rooms.into_iter().flatten() {
            turns.push(Arc::clone(room).acquire_owned().await?);
        }
        Ok::<_, AcquireError>(turns)
    };
    match tokio::time::timeout(TURN_WAIT, turns).await {
        Ok(Ok(turns)) => turns::hold(turns, next.run(request)).await,
        _ => ApiProblem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "节点正忙，请求太多。",
            "the node works on too many requests",
        )
        .fix("请稍后重试。", "try again in a moment")
        .into_response(),
    }
}

/// Whether a request asks something of all records.
fn is_question(method: &Method, path: &str) -> bool {
    method == Method::GET
        && (QUESTIONS.contains(&path) || QUESTION_FOLDERS.iter().any(|folder| path.starts_with(folder)))
}

/// Whether a body may be long and will be held as a whole.
fn has_long_body(request: &Request) -> bool {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let is_long = length.map_or(headers.contains_key(header::TRANSFER_ENCODING), |length| length > LONG_BODY_BYTES);
    is_long && request.uri().path() != STREAMED_PATH
}

/// Admits requests to loopback host names only, without a token.
pub(super) async fn loopback_only(request: Request, next: Next) -> Response {
    match foreign_host(&request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

/// Why a request to another host than this one is not answered.
fn foreign_host(request: &Request) -> Option<ApiProblem> {
    let named = request.uri().authority().map(|authority| authority.as_str().to_owned());
    if is_loopback_host(request.headers()) && named.is_none_or(|named| is_loopback(&named)) {
        return None;
    }
    let (zh, en) = (
        "只接受发往本机地址（127.0.0.1、[::1]、localhost）的请求。",
        "only requests to a loopback host are answered: 127.0.0.1, [::1], localhost",
    );
    Some(ApiProblem::new(StatusCode::FORBIDDEN, "host", zh, en).fix("请用 127.0.0.1 访问。", "use 127.0.0.1"))
}

/// Ends a request that takes too long. What it had published stays published.
pub(super) async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIME_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let problem = ApiProblem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too-slow",
                "请求超过了时限；若是发布，结果可能稍后才出现。",
                "the request took too long; what it was to publish may still appear",
            );
            let problem =
                problem.fix("请先查询结果，再决定是否重试。", "look whether it was done before you try again");
            let mut response = problem.into_response();
            response.extensions_mut().insert(Unsettled);
            response
        }
    }
}

impl super::SharedState {
    fn is_authorized(&self, headers: &HeaderMap) -> bool {
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        // Hashes are compared in constant time, and tell nothing about how much of the token was right.
        token.is_some_and(|token| blake3::hash(token.as_bytes()) == self.token_hash)
    }
}

fn is_loopback_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    second.is_none() && first.and_then(|host| host.to_str().ok()).is_some_and(is_loopback)
}

/// Whether a host is this machine itself, with or without a port.
pub(crate) fn is_loopback(host: &str) -> bool {
    LOOPBACK_NAMES.iter().any(|name| {
        let rest = host.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name)).map(|_| &host[name.len()..]);
        rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
    })
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn questions_are_routes_and_nothing_else_waits_for_their_turn() {
        let routes = crate::api::routes::routes();
        let reads: Vec<&str> =
            routes.iter().filter(|route| route.method == Method::GET).map(|route| route.path).collect();
        for question in QUESTIONS {
            assert!(reads.contains(&question), "{question}");
        }
        for folder in QUESTION_FOLDERS {
            assert!(reads.iter().any(|path| path.starts_with(folder)), "{folder}");
        }
        assert!(is_question(&Method::GET, "/v1/matches/demand-1") && is_question(&Method::GET, "/v1/search"));
        for path in ["/v1/records/abc", "/v1/status", "/v1/search/events", "/v1/watches/a/events", "/v1/doctor"] {
            assert!(!is_question(&Method::GET, path), "{path}");
        }
        assert!(!is_question(&Method::POST, "/v1/records"), "publishing");
    }

    #[test]
    fn a_body_that_may_be_long_is_known_by_its_head() {
        let request = |path: &str, name: &str, value: &str| {
            Request::builder().uri(path).header(name, value).body(Body::empty()).expect("a request")
        };
        let is_long = |path: &str, name: &str, value: &str| has_long_body(&request(path, name, value));
        assert!(is_long("/v1/statements", "content-length", &(LONG_BODY_BYTES + 1).to_string()));
        assert!(is_long("/v1/statements", "transfer-encoding", "chunked"));
        assert!(!is_long("/v1/statements", "content-length", &LONG_BODY_BYTES.to_string()));
        assert!(!is_long("/v1/statements", "accept", "text/plain"));
        assert!(!is_long(STREAMED_PATH, "content-length", "1073741824"));
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["127.0.0.1", "127.0.0.1:4780", "[::1]:80", "[::1]", "LocalHost:1", "localhost"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1:x",
            "localhost:",
            "10.0.0.1",
            "127.0.0.1:99999",
            "127.0.0.1@evil.example",
            "::1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
