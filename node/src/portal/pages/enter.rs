//! In and out: the form for logging in, the link of the data directory's owner, and leaving.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::query::{Asked, Fields, is_same};
use crate::portal::Portal;
use crate::portal::accounts::{Account, Role};
use crate::portal::data::Federation;
use crate::portal::fault::Fault;
use crate::portal::frame::Frame;
use crate::portal::guard::Cookies;
use crate::portal::limits::{RETURN_BYTES_MAX, SESSION_MS_MAX};
use crate::portal::sessions::OWNER;
use crate::portal::visit::Visit;

#[derive(Template)]
#[template(path = "pages/login.html")]
struct LoginPage {
    page: Frame,
    fault: String,
    has_accounts: bool,
    token: String,
    next: String,
    name: String,
}

/// Shows the form.
pub(super) async fn form(State(portal): State<Portal>, visit: Visit, asked: Asked) -> Result<Response, Fault> {
    let next = next_page(asked.whole("next"));
    if visit.session.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    Ok(portal.login_page(&visit, StatusCode::OK, String::new(), next, "").into_response())
}

/// Logs in.
pub(super) async fn log_in(State(portal): State<Portal>, visit: Visit, fields: Fields) -> Result<Response, Fault> {
    let t = visit.language.texts();
    let (name, next) = (fields.text("name").trim().to_owned(), next_page(fields.text("next")).to_owned());
    if !is_same(fields.text("csrf"), &portal.form_token(&visit)) {
        let fault = t.form_expired.to_owned();
        return Ok(portal.login_page(&visit, StatusCode::FORBIDDEN, fault, &next, &name));
    }
    if let Err(wait_ms) = portal.throttle.begin(visit.address, &name, visit.now_ms) {
        portal.record(&visit, "login", "/login", "", StatusCode::TOO_MANY_REQUESTS);
        let seconds = wait_ms.div_ceil(1_000);
        let fault = format!("{} {}{seconds}", t.too_many_attempts, t.wait_seconds);
        let mut response = portal.login_page(&visit, StatusCode::TOO_MANY_REQUESTS, fault, &next, &name);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        return Ok(response);
    }
    let found = portal.check_password(name.clone(), fields.text("password").to_owned()).await?;
    let Some(account) = found else {
        portal.record(&visit, "login", "/login", "", StatusCode::UNAUTHORIZED);
        let fault = t.wrong_password.to_owned();
        return Ok(portal.login_page(&visit, StatusCode::UNAUTHORIZED, fault, &next, &name));
    };
    portal.throttle.succeeded(visit.address, &name, visit.now_ms);
    portal.record(&visit, "login", "/login", &account.name, StatusCode::SEE_OTHER);
    portal.enter(&visit, &account.name, account.role, Some(account.fingerprint()), &next)
}

/// Enters by a link.
pub(super) async fn open(State(portal): State<Portal>, visit: Visit, asked: Asked) -> Result<Response, Fault> {
    if !portal.sessions.take_link(asked.whole("token"), visit.now_ms) {
        // Who has entered already and loads the page again is not turned away.
        if visit.session.is_some() {
            return Ok(Redirect::to("/").into_response());
        }
        portal.record(&visit, "login", "/open", "", StatusCode::FORBIDDEN);
        return Err(Fault::Link);
    }
    portal.record(&visit, "login", "/open", OWNER, StatusCode::SEE_OTHER);
    portal.enter(&visit, OWNER, Role::Operator, None, "/")
}

/// Tells whoever only looks whether a link is there, for instance a program that shows what links lead to, nothing, and
/// leaves the link as it is.
pub(super) async fn look() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Leaves.
pub(super) async fn log_out(
    State(portal): State<Portal>,
    visit: Visit,
    headers: axum::http::HeaderMap,
    fields: Fields,
) -> Result<Response, Fault> {
    fields.of_session(&visit)?;
    if let Some(secret) = Cookies::of(&headers, &portal.cookies).session {
        portal.sessions.close(&secret);
    }
    portal.record(&visit, "login", "/logout", "", StatusCode::SEE_OTHER);
    let mut response = Redirect::to("/login").into_response();
    portal.set_cookie(&mut response, &portal.cookies.session, "", Some(0));
    Ok(response)
}

impl Portal {
    fn login_page(&self, visit: &Visit, status: StatusCode, fault: String, next: &str, name: &str) -> Response {
        let page = Frame::plain(visit, Federation::unnamed(), visit.language.texts().log_in.to_owned());
        // A file of accounts that cannot be read is as good as none for whoever wants to log in by it.
        let has_accounts = self.accounts.all().is_ok_and(|accounts| !accounts.is_empty());
        let (token, next) = (self.form_token(visit), next.to_owned());
        let name = name.chars().take(64).collect();
        match (LoginPage { page, fault, has_accounts, token, next, name }).render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(_) => Fault::Internal.into_response(),
        }
    }

    /// What the form proves that it was made for this browser by.
    fn form_token(&self, visit: &Visit) -> String {
        blake3::keyed_hash(&self.form_key, visit.browser.as_bytes()).to_hex().to_string()
    }

    async fn check_password(&self, name: String, password: String) -> Result<Option<Account>, Fault> {
        let _turn = self.password_checks.acquire().await.map_err(|_| Fault::Busy)?;
        let portal = self.clone();
        let checked = tokio::task::spawn_blocking(move || portal.accounts.verify(&name, &password)).await;
        checked.map_err(|_| Fault::Internal)?.map_err(|error| {
            tracing::error!(%error, "the accounts of the portal cannot be read");
            Fault::Internal
        })
    }

    fn enter(
        &self,
        visit: &Visit,
        name: &str,
        role: Role,
        opened_by: Option<String>,
        next: &str,
    ) -> Result<Response, Fault> {
        let secret = self.sessions.open(name, role, opened_by, visit.now_ms).map_err(|_| Fault::Internal)?;
        let mut response = Redirect::to(next).into_response();
        self.set_cookie(&mut response, &self.cookies.session, &secret, Some(SESSION_MS_MAX / 1_000));
        Ok(response)
    }
}

/// Where to go after the login: a page of this portal, whatever the address says.
fn next_page(next: &str) -> &str {
    let inside = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    let plain = next.len() <= RETURN_BYTES_MAX && next.bytes().all(|byte| byte.is_ascii_graphic());
    if inside && plain { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_never_leads_elsewhere() {
        assert_eq!(next_page("/members?state=up"), "/members?state=up");
        for next in
            ["", "https://evil.example/", "//evil.example", "/\\evil.example", "members", "/a\nb", "javascript:x"]
        {
            assert_eq!(next_page(next), "/", "{next}");
        }
        assert_eq!(next_page(&format!("/{}", "x".repeat(RETURN_BYTES_MAX))), "/");
    }
}
