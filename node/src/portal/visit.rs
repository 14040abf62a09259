//! One request as the pages see it: who asks, in which language, for which address.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::language::Language;
use super::sessions::Session;

/// Marks an address by which a page without scripts fetches itself again: nobody asked for it, so it is no use of the
/// session.
pub const REFRESH_PARAMETER: &str = "refresh=1";

/// An address of this portal, path and query, as a page names itself: a path that begins like the name of another host
/// stays a path, and the mark of a refresh is gone.
pub fn own_address(asked: &str) -> String {
    let (path, query) = asked.split_once('?').unwrap_or((asked, ""));
    let path = path.trim_start_matches(['/', '\\']);
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && *pair != REFRESH_PARAMETER).collect();
    if kept.is_empty() { format!("/{path}") } else { format!("/{path}?{}", kept.join("&")) }
}

/// A request that was let in.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The reader's language.
    pub language: Language,
    /// Who is in; nobody on the page for logging in.
    pub session: Option<Session>,
    /// The address asked for: path and query.
    pub here: String,
    /// From where.
    pub address: IpAddr,
    /// When.
    pub now_ms: u64,
    /// Ties the form for logging in to the browser that asked for it.
    pub browser: String,
}

impl Visit {
    /// Whom the log of logins and writes names.
    pub fn actor(&self) -> String {
        self.session.as_ref().map_or_else(|| "unknown".to_owned(), |session| format!("portal:{}", session.name))
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let visit = parts.extensions.get::<Self>().cloned();
        Ok(visit.expect("the guard stands before every page and puts the visit there"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_never_names_another_host_as_itself() {
        for (asked, own) in [
            ("/", "/"),
            ("/members?q=a&page=2", "/members?q=a&page=2"),
            ("//evil.example", "/evil.example"),
            ("//evil.example/a?b", "/evil.example/a?b"),
            ("/\\evil.example", "/evil.example"),
            ("///\\/evil.example", "/evil.example"),
            ("/?refresh=1", "/"),
            ("/duties?state=due&refresh=1", "/duties?state=due"),
        ] {
            assert_eq!(own_address(asked), own);
        }
    }
}
