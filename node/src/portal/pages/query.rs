//! What a page is asked for: the query of its address, or the fields of a form. What cannot be read is as if it were
//! absent, because people edit addresses.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;

use super::super::accounts::Role;
use super::super::fault::Fault;
use super::super::limits::FILTER_CHARACTERS_MAX;
use super::super::sessions::Session;
use super::super::visit::Visit;

/// The pairs of a query; of several with one name the last.
#[derive(Debug, Default, Clone)]
pub(super) struct Asked(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        Ok(Self(pairs.map(|Query(pairs)| pairs.into_iter().collect()).unwrap_or_default()))
    }
}

impl Asked {
    /// The text under a name, unless it is absent or blank, and not longer than a filter may be.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = self.0.get(name)?.trim();
        (!text.is_empty()).then(|| text.chars().take(FILTER_CHARACTERS_MAX).collect())
    }

    /// The number under a name.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.0.get(name)?.trim().parse().ok()
    }

    /// The whole text under a name.
    pub(super) fn whole(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// The fields of a form.
#[derive(Debug)]
pub(super) struct Fields(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let Form(pairs) = Form::<Vec<(String, String)>>::from_request(request, state).await.map_err(|_| Fault::Form)?;
        Ok(Self(pairs.into_iter().collect()))
    }
}

impl Fields {
    /// The text of a field; empty when it is absent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether the form comes from a page of the visitor's session.
    ///
    /// # Errors
    /// [`Fault::Form`] if not.
    pub(super) fn of_session<'a>(&self, visit: &'a Visit) -> Result<&'a Session, Fault> {
        let session = visit.session.as_ref().ok_or(Fault::Form)?;
        if is_same(self.text("csrf"), &session.csrf) { Ok(session) } else { Err(Fault::Form) }
    }

    /// The same of a visitor who may write.
    ///
    /// # Errors
    /// [`Fault::Form`] or [`Fault::Forbidden`].
    pub(super) fn of_operator<'a>(&self, visit: &'a Visit) -> Result<&'a Session, Fault> {
        let session = self.of_session(visit)?;
        if session.role == Role::Operator { Ok(session) } else { Err(Fault::Forbidden) }
    }
}

/// Compares secrets: hashes are compared in constant time and tell nothing about how much was right.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    blake3::hash(one.as_bytes()) == blake3::hash(other.as_bytes())
}
