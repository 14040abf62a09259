//! Bodies and queries, with errors in two languages.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::ApiProblem;
use crate::turns;

/// A JSON body, whatever its content type says.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiProblem> {
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            ApiProblem::malformed(
                format!("请求内容不是所要的 JSON：{error}。"),
                format!("not the JSON that is wanted: {error}"),
            )
        })?;
        Ok(Self(value))
    }
}

/// The bytes of a body, up to the limit of the route.
pub(super) struct RawBody(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiProblem> {
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| too_long_or_cut(&rejection))
    }
}

fn too_long_or_cut(rejection: &BytesRejection) -> ApiProblem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let zh = "请求内容太长。";
        return ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", zh, "the body of the request is too long")
            .fix("请分成几次发送。", "send it in several parts");
    }
    ApiProblem::malformed("请求内容没有收完。", "the body of the request was cut off")
}

/// The pairs of a query, in order; names can occur several times.
pub(super) struct Pairs(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let unreadable = |rejection: QueryRejection| {
            ApiProblem::malformed("查询参数看不懂。", format!("the query cannot be read: {rejection}"))
        };
        pairs.map(|Query(pairs)| Self(pairs)).map_err(unreadable)
    }
}

impl Pairs {
    /// Refuses names that nobody knows: a misspelt filter must not show everything.
    pub(super) fn known(self, names: &[&str]) -> Result<Self, ApiProblem> {
        match self.0.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            None => Ok(self),
            Some((name, _)) => {
                let known = names.join("、");
                let zh = format!("没有查询参数“{name}”；可用：{known}。");
                Err(ApiProblem::malformed(zh, format!("there is no query parameter `{name}`; there are {known}")))
            }
        }
    }

    /// The value of a name, unless it is absent or blank; an error when it occurs twice.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, ApiProblem> {
        let mut values = self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.trim());
        let (first, second) = (values.next(), values.next());
        if second.is_some() {
            let en = format!("the query parameter `{name}` occurs twice");
            return Err(ApiProblem::malformed(format!("查询参数“{name}”写了两次。"), en));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// The number under a name.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ApiProblem> {
        let parse = |text: &str| {
            let (zh, en) =
                (format!("查询参数“{name}”要写数字。"), format!("the query parameter `{name}` must be a number"));
            text.parse().map_err(|_| ApiProblem::malformed(zh, en))
        };
        self.one(name)?.map(parse).transpose()
    }

    /// Every value of a name, blank ones left out.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(found, value)| found == name && !value.trim().is_empty());
        values.map(|(_, value)| value.clone()).collect()
    }
}

/// A part of the path.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(segment)| Self(segment))
            .map_err(|_| ApiProblem::malformed("路径看不懂；应为 UTF-8。", "the path cannot be read: it must be UTF-8"))
    }
}

/// Does work that reads from the disk away from the async threads.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiProblem> {
    turns::blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a request failed");
        ApiProblem::internal()
    })
}
