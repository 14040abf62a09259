//! Long answers in pieces. A piece is made when the client has room for it, so memory is bounded and no thread waits.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedSemaphorePermit;

use super::SharedState;
use super::limits::TURN_WAIT;
use super::problem::ApiProblem;

/// Something that is given out piece by piece.
pub(super) trait Pieces: Send + 'static {
    /// The next piece, perhaps empty; `None` at the end. Blocks: it reads from the disk.
    ///
    /// # Errors
    /// When the rest cannot be given out. The client then sees a broken connection, never a shorter answer.
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, String>;
}

impl SharedState {
    /// A turn for a download or upload of any length.
    pub(super) async fn stream_turn(&self) -> Result<OwnedSemaphorePermit, ApiProblem> {
        let turn = tokio::time::timeout(TURN_WAIT, Arc::clone(&self.streams).acquire_owned()).await;
        let busy = || {
            let (zh, en) = ("正在进行的导入导出太多。", "too many imports and exports run");
            ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", zh, en)
                .fix("请等其中一个结束后再试。", "try again when one of them has ended")
        };
        turn.ok().and_then(Result::ok).ok_or_else(busy)
    }
}

/// Answers with `pieces`; `turn` is held until the last one.
pub(super) fn answer(content_type: &'static str, pieces: impl Pieces, turn: OwnedSemaphorePermit) -> Response {
    let stream = futures::stream::try_unfold((pieces, turn), |(mut pieces, turn)| async move {
        let work = tokio::task::spawn_blocking(move || (pieces.next_piece(), pieces));
        let (piece, pieces) = work.await.map_err(std::io::Error::other)?;
        let piece = piece.map_err(|reason| {
            tracing::error!(reason, "a download broke off");
            std::io::Error::other(reason)
        })?;
        Ok::<_, std::io::Error>(piece.map(|bytes| (Bytes::from(bytes), (pieces, turn))))
    });
    let content_type = HeaderValue::from_static(content_type);
    ([(header::CONTENT_TYPE, content_type)], Body::from_stream(stream)).into_response()
}
