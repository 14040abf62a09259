//! What can go wrong with a request, as a page in the reader's language: what happened, and the way out.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::data::{Federation, Refusal};
use super::frame::Frame;
use super::language::Language;
use super::visit::Visit;

/// Why a page is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is no such page.
    NotFound,
    /// There is no such member.
    NoMember,
    /// There is no such indicator.
    NoIndicator,
    /// The role does not allow it.
    Forbidden,
    /// The request was sent to a name that is none of this portal's.
    Host,
    /// A form that does not come from a page of this session.
    Form,
    /// A link that was used or is too old.
    Link,
    /// There is no such bulletin.
    NoBulletin,
    /// What was sent did not come in time.
    Slow,
    /// The log of logins and writes takes no line.
    Unlogged,
    /// There is too much to do.
    Busy,
    /// Something that should not happen; the node's log says what.
    Internal,
    /// Nothing was published, for a reason.
    Refused(Refusal),
}

#[derive(Template)]
#[template(path = "pages/fault.html")]
struct FaultPage {
    page: Frame,
    what: String,
    fix: String,
    status: u16,
}

impl Fault {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoMember | Self::NoIndicator | Self::NoBulletin => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::Host | Self::Form | Self::Link => StatusCode::FORBIDDEN,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::Unlogged => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Refused(_) => StatusCode::CONFLICT,
        }
    }

    /// Title, what happened, and the way out.
    fn words(&self, language: Language) -> (&'static str, String, String) {
        let t = language.texts();
        let (title, what, fix) = match self {
            Self::NotFound => (t.fault_not_found, "", t.fault_not_found_fix),
            Self::NoMember => (t.fault_no_member, "", t.fault_not_found_fix),
            Self::NoIndicator => (t.fault_no_indicator, "", t.fault_not_found_fix),
            Self::Forbidden => (t.fault_forbidden, t.fault_forbidden_what, t.fault_forbidden_fix),
            Self::Host => (t.fault_host, "", t.fault_host_fix),
            Self::Form => (t.fault_form, t.fault_form_what, t.fault_form_fix),
            Self::Link => (t.fault_link, t.fault_link_what, t.fault_link_fix),
            Self::NoBulletin => (t.fault_no_bulletin, "", t.fault_not_found_fix),
            Self::Slow => (t.fault_slow, t.fault_slow_what, t.fault_form_fix),
            Self::Unlogged => (t.fault_refused, t.fault_unlogged_what, t.fault_unlogged_fix),
            Self::Busy => (t.fault_busy, "", t.fault_busy_fix),
            Self::Internal => (t.fault_internal, "", t.fault_internal_fix),
            Self::Refused(refusal) => {
                let what = language.pick(&refusal.zh, &refusal.en).to_owned();
                return (t.fault_refused, what, language.pick(&refusal.fix_zh, &refusal.fix_en).to_owned());
            }
        };
        (title, what.to_owned(), fix.to_owned())
    }

    /// The page about it.
    pub(super) fn page(&self, visit: &Visit) -> Response {
        let (title, what, fix) = self.words(visit.language);
        let page = Frame::plain(visit, Federation::unnamed(), title.to_owned());
        let status = self.status();
        let rendered = FaultPage { page, what, fix, status: status.as_u16() }.render();
        (status, Html(rendered.unwrap_or_else(|_| title.to_owned()))).into_response()
    }
}

impl IntoResponse for Fault {
    /// The guard, which knows the reader's language, makes the page of it.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
