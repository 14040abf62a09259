//! A stream to a peer, as the rest of the node sees it.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures::{AsyncRead as _, AsyncWrite as _};
use libp2p::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::statistics::Counters;

/// What a stream is for. Each kind has a protocol name of its own on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKind {
    /// Sync between members.
    Sync,
    /// A join request; the only kind that a stranger may open.
    Join,
    /// Whether two processes use one member's keys; between members.
    Instance,
    /// Blinded elements for a holder, by whose help duplicate leads are found; between members.
    Lead,
    /// Health beacons, by offer and request; between members.
    Beacons,
}

impl StreamKind {
    /// What members may open.
    pub(super) const MEMBERS: [Self; 5] = [Self::Sync, Self::Join, Self::Instance, Self::Lead, Self::Beacons];
    /// What strangers may open.
    pub(super) const STRANGERS: [Self; 1] = [Self::Join];

    /// The protocol name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sync => "/xianmeng/sync/1",
            Self::Join => "/xianmeng/join/1",
            Self::Instance => "/xianmeng/instance/1",
            Self::Lead => "/xianmeng/lead/1",
            Self::Beacons => "/xianmeng/beacons/1",
        }
    }
}

impl AsRef<str> for StreamKind {
    fn as_ref(&self) -> &str {
        self.name()
    }
}

/// A place among the streams that one peer may have open; given back when dropped.
pub(super) type Slot = Arc<()>;

/// A stream to a peer: reliable, ordered, encrypted, with back-pressure.
///
/// Shut it down (`AsyncWriteExt::shutdown`) after the last byte; dropping it before that resets it.
pub struct PeerStream {
    inner: Stream,
    counters: Arc<Counters>,
    /// Held for its drop only.
    _slot: Option<Slot>,
}

impl PeerStream {
    pub(super) fn new(inner: Stream, counters: Arc<Counters>, slot: Option<Slot>) -> Self {
        Self { inner, counters, _slot: slot }
    }
}

impl fmt::Debug for PeerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerStream")
    }
}

impl AsyncRead for PeerStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer.initialize_unfilled()))?;
        buffer.advance(count);
        self.counters.stream_bytes_in.add(count as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        self.counters.stream_bytes_out.add(count as u64);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
