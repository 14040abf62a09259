//! Who comes in, in this order: the host is a name of this portal; a form comes from a page of this portal; the visitor
//! is logged in, or asks for what needs no login; the form is there as a whole; there is room.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::Portal;
use super::connections::Client;
use super::fault::Fault;
use super::language::{LANGUAGE_COOKIE, Language};
use super::limits::{BODY_TIME_MAX, FORM_BYTES_MAX, PAGE_TIME_MAX, RETURN_BYTES_MAX, TURN_WAIT};
use super::sessions::{OWNER, Session, secret};
use super::visit::{REFRESH_PARAMETER, Visit, own_address};
use crate::api::is_loopback_name;
use crate::core::now_ms;
use crate::turns;

/// Cookies do not tell ports apart, so the names of those that do not belong to the whole host name the port: else two
/// portals of one machine would log each other's visitors out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CookieNames {
    /// Names a session.
    pub(super) session: String,
    /// Ties the form for logging in to a browser.
    browser: String,
}

impl CookieNames {
    /// The names of a portal that listens on this port.
    pub(super) fn of_port(port: u16) -> Self {
        Self { session: format!("xianmeng_session_{port}"), browser: format!("xianmeng_browser_{port}") }
    }
}

const YEAR_SECONDS: u64 = 365 * 24 * 60 * 60;
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What every answer says to the browser, whatever it is.
pub(super) async fn harden(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let is_static = request.uri().path().starts_with("/static/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 7] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if portal.https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if !is_static {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Lets a request in, or answers why not.
pub(super) async fn admit(State(portal): State<Portal>, mut request: Request, next: Next) -> Response {
    let cookies = Cookies::of(request.headers(), &portal.cookies);
    let (language, asked) = language(&request, &cookies);
    let now_ms = now_ms();
    let address = client_address(&portal, &request);
    let by_itself = is_by_itself(&request);
    let session = cookies.session.as_deref().and_then(|secret| portal.session(secret, now_ms, !by_itself));
    let (browser, new_browser) = match &cookies.browser {
        Some(browser) => (browser.clone(), false),
        None => (secret().unwrap_or_default(), true),
    };
    let here = own_address(request.uri().path_and_query().map_or("/", |here| here.as_str()));
    let visit = Visit { language, session, here, address, now_ms, browser };
    let named = request.uri().authority().map(|authority| authority.as_str().to_owned());
    if !portal.answers_to_headers(request.headers()) || named.is_some_and(|named| !portal.answers_to(&named)) {
        return Fault::Host.page(&visit);
    }
    if request.method() == Method::POST && !is_of_this_site(request.headers()) {
        return Fault::Form.page(&visit);
    }
    let path = request.uri().path();
    let is_static = path.starts_with("/static/");
    let is_open = is_static || ["/login", "/open"].contains(&path);
    if !is_open && visit.session.is_none() {
        return ask_to_log_in(&request, &visit);
    }
    let is_stream = path == "/events";
    if request.method() == Method::POST {
        request = match with_whole_body(request).await {
            Ok(request) => request,
            Err(fault) => return fault.page(&visit),
        };
    }
    request.extensions_mut().insert(visit.clone());
    let mut response = if is_static || is_stream { next.run(request).await } else { portal.turn(request, next).await };
    if let Some(fault) = response.extensions_mut().remove::<Fault>() {
        response = fault.page(&visit);
    }
    if let Some(language) = asked {
        portal.set_cookie(&mut response, LANGUAGE_COOKIE, language.word(), Some(YEAR_SECONDS));
    }
    if new_browser && !is_static {
        portal.set_cookie(&mut response, &portal.cookies.browser, &visit.browser, None);
    }
    response
}

/// Reads a form before it takes room: who sends it slowly keeps nobody else waiting.
async fn with_whole_body(request: Request) -> Result<Request, Fault> {
    let (parts, body) = request.into_parts();
    let whole = tokio::time::timeout(BODY_TIME_MAX, axum::body::to_bytes(body, FORM_BYTES_MAX)).await;
    let whole = whole.map_err(|_| Fault::Slow)?.map_err(|_| Fault::Form)?;
    Ok(Request::from_parts(parts, Body::from(whole)))
}

/// Whether a page fetches itself again, with scripts or without, which is no use of the session.
fn is_by_itself(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.headers().contains_key("hx-request")
        || request.uri().path() == "/events"
        || query.split('&').any(|pair| pair == REFRESH_PARAMETER)
}

impl Portal {
    /// Waits for room, and ends what takes too long.
    async fn turn(&self, request: Request, next: Next) -> Response {
        let turn = Arc::clone(&self.requests).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(TURN_WAIT, turn).await else {
            return Fault::Busy.into_response();
        };
        let answer = turns::hold(vec![turn], next.run(request));
        tokio::time::timeout(PAGE_TIME_MAX, answer).await.unwrap_or_else(|_| Fault::Busy.into_response())
    }

    /// The session of a cookie, if its account still is what it was.
    fn session(&self, secret: &str, now_ms: u64, use_it: bool) -> Option<Session> {
        let mut session = self.sessions.find(secret, now_ms, use_it)?;
        if session.name == OWNER {
            return Some(session);
        }
        let account = self.accounts.find(&session.name).ok().flatten();
        let account = account.filter(|account| session.opened_by == Some(account.fingerprint()));
        let Some(account) = account else {
            self.sessions.close(secret);
            return None;
        };
        session.role = account.role;
        Some(session)
    }

    fn answers_to_headers(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (first, second) = (hosts.next(), hosts.next());
        second.is_none() && first.and_then(|host| host.to_str().ok()).is_some_and(|host| self.answers_to(host))
    }

    /// Whether a host is one of this portal's names. No web page can make a browser send a bare address as the host of
    /// somebody else's name, so an address is welcome where the portal is reachable by one.
    fn answers_to(&self, host: &str) -> bool {
        let name = without_port(host);
        let is_address = || name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        is_loopback_name(host)
            || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
            || (!self.is_loopback && is_address())
    }

    /// Sets a cookie that no script reads and no other site sends.
    pub(super) fn set_cookie(&self, response: &mut Response, name: &str, value: &str, seconds: Option<u64>) {
        let age = seconds.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        let secure = if self.https { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{age}{secure}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() && (name.ends_with(']') || !name.contains(':')) => name,
        _ => host,
    }
}

/// Where the visitor is: behind a proxy of this machine, as the proxy says.
fn client_address(portal: &Portal, request: &Request) -> IpAddr {
    let client = request.extensions().get::<Client>();
    let address = client.map_or(IpAddr::from([127, 0, 0, 1]), |Client(address)| address.ip().to_canonical());
    let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let last = forwarded.and_then(|list| list.rsplit(',').next()).and_then(|last| last.trim().parse().ok());
    match last {
        Some(behind) if portal.https && address.is_loopback() => behind,
        _ => address,
    }
}

/// Whether a browser says that a form was sent from a page of this portal. Who is no browser is judged by the token.
fn is_of_this_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return ["same-origin", "none"].contains(&site);
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, named)| named.eq_ignore_ascii_case(host))
        }
        _ => true,
    }
}

fn ask_to_log_in(request: &Request, visit: &Visit) -> Response {
    if request.headers().contains_key("hx-request") {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", "/login")]).into_response();
    }
    if request.uri().path() == "/events" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let keep = request.method() == Method::GET && visit.here.len() <= RETURN_BYTES_MAX && visit.here != "/";
    let to = if keep { format!("/login?next={}", percent(&visit.here)) } else { "/login".to_owned() };
    Redirect::to(&to).into_response()
}

/// A text as the value of a query.
pub(super) fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The language, and the one that the address asks for.
fn language(request: &Request, cookies: &Cookies) -> (Language, Option<Language>) {
    let query = request.uri().query().unwrap_or_default();
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Language::of_word);
    (asked.or(cookies.language).unwrap_or_else(|| Language::of_browser(request.headers())), asked)
}

#[derive(Debug, Default)]
pub(super) struct Cookies {
    pub(super) session: Option<String>,
    browser: Option<String>,
    language: Option<Language>,
}

impl Cookies {
    pub(super) fn of(headers: &HeaderMap, names: &CookieNames) -> Self {
        let mut cookies = Self::default();
        let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        for pair in texts.flat_map(|text| text.split(';')) {
            let Some((name, value)) = pair.trim().split_once('=') else { continue };
            let is_secret = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
            if name == names.session && is_secret {
                cookies.session = Some(value.to_owned());
            } else if name == names.browser && is_secret {
                cookies.browser = Some(value.to_owned());
            } else if name == LANGUAGE_COOKIE {
                cookies.language = Language::of_word(value);
            }
        }
        cookies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_without_its_port() {
        for (host, name) in [
            ("portal.example:4788", "portal.example"),
            ("portal.example", "portal.example"),
            ("[2001:db8::1]:80", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("portal.example:", "portal.example:"),
            ("evil.example:80@portal.example", "evil.example:80@portal.example"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }

    #[test]
    fn a_cookie_that_is_no_secret_is_none() {
        let mut headers = HeaderMap::new();
        let secret = "0f".repeat(32);
        let names = CookieNames::of_port(4788);
        let text = format!("{}={secret}; {LANGUAGE_COOKIE}=en; {}=<b>; other", names.session, names.browser);
        headers.insert(header::COOKIE, text.parse().expect("a header"));
        let cookies = Cookies::of(&headers, &names);
        assert_eq!((cookies.session, cookies.browser, cookies.language), (Some(secret), None, Some(Language::En)));
        let other = Cookies::of(&headers, &CookieNames::of_port(4789));
        assert_eq!(other.session, None, "a portal beside this one has cookies of its own");
    }

    #[test]
    fn a_page_that_is_fetched_again_by_itself_is_told() {
        let asked = |uri: &str, name: &'static str| {
            let request = Request::builder().uri(uri).header(name, "true").body(Body::empty());
            is_by_itself(&request.expect("a request"))
        };
        assert!(asked("/", "hx-request") && asked("/events", "accept"));
        assert!(asked("/?refresh=1", "accept") && asked("/duties?state=due&refresh=1", "accept"));
        assert!(!asked("/", "accept") && !asked("/members?q=refresh=1", "accept"));
    }

    #[test]
    fn a_form_of_another_site_is_told_by_what_the_browser_says() {
        let with = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().expect("a header"));
            }
            is_of_this_site(&headers)
        };
        assert!(with(&[("sec-fetch-site", "same-origin")]) && with(&[("sec-fetch-site", "none")]));
        assert!(!with(&[("sec-fetch-site", "cross-site")]) && !with(&[("sec-fetch-site", "same-site")]));
        assert!(with(&[("origin", "http://localhost:4788"), ("host", "localhost:4788")]));
        assert!(!with(&[("origin", "http://evil.example"), ("host", "localhost:4788")]));
        assert!(!with(&[("origin", "null"), ("host", "localhost:4788")]));
    }
}
