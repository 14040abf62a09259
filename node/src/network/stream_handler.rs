//! The half of `streams` that lives with one connection: it agrees on the protocol of each stream.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{Ready, ready},
    io,
    sync::Arc,
    task::{Context, Poll},
};

use libp2p::{
    InboundUpgrade, OutboundUpgrade, Stream,
    core::UpgradeInfo,
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, StreamUpgradeError, SubstreamProtocol,
        handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};
use tokio::sync::oneshot;

use super::{
    error::OpenStreamError,
    limits::{STREAMS_ARRIVED_MAX, STREAMS_OPENING_MAX},
    statistics::Counters,
    stream::{PeerStream, StreamKind},
};

/// Where the answer to a request for a stream goes.
pub(super) type Reply = oneshot::Sender<Result<PeerStream, OpenStreamError>>;

/// Open a stream of this kind.
#[derive(Debug)]
pub(super) struct OpenRequest {
    pub(super) kind: StreamKind,
    pub(super) reply: Reply,
}

/// The peer has opened a stream.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) kind: StreamKind,
    pub(super) stream: Stream,
}

/// The handler of one connection.
pub(super) struct Handler {
    member: bool,
    counters: Arc<Counters>,
    requests: VecDeque<OpenRequest>,
    /// Requests that the connection is working on.
    opening: usize,
    arrived: VecDeque<Arrived>,
}

impl Handler {
    pub(super) fn new(member: bool, counters: Arc<Counters>) -> Self {
        Self { member, counters, requests: VecDeque::new(), opening: 0, arrived: VecDeque::new() }
    }

    fn on_opened(&mut self, stream: Stream, reply: Reply) {
        self.opening -= 1;
        self.counters.streams_out.increment();
        // Nobody waits any more: the stream is dropped, and thereby reset.
        reply.send(Ok(PeerStream::new(stream, self.counters.clone(), None))).ok();
    }

    fn on_refused(&mut self, error: StreamUpgradeError<Infallible>, reply: Reply) {
        self.opening -= 1;
        let error = match error {
            StreamUpgradeError::Timeout => OpenStreamError::Timeout,
            StreamUpgradeError::NegotiationFailed => OpenStreamError::NotOffered,
            StreamUpgradeError::Io(error) if error.kind() == io::ErrorKind::TimedOut => OpenStreamError::Timeout,
            StreamUpgradeError::Io(error) => OpenStreamError::Io(error),
            StreamUpgradeError::Apply(never) => match never {},
        };
        reply.send(Err(error)).ok();
    }

    fn on_arrived(&mut self, arrived: Arrived) {
        if self.arrived.len() >= STREAMS_ARRIVED_MAX {
            self.counters.streams_refused.increment();
            return;
        }
        self.arrived.push_back(arrived);
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = OpenRequest;
    type ToBehaviour = Arrived;
    type InboundProtocol = Offer;
    type OutboundProtocol = Offer;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Reply;

    fn listen_protocol(&self) -> SubstreamProtocol<Offer> {
        let kinds: &[StreamKind] = if self.member { &StreamKind::MEMBERS } else { &StreamKind::STRANGERS };
        SubstreamProtocol::new(Offer(kinds.to_vec()), ())
    }

    /// Members stay connected. A stranger's connection lasts as long as its stream, and a little.
    fn connection_keep_alive(&self) -> bool {
        self.member
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Offer, Reply, Arrived>> {
        if let Some(arrived) = self.arrived.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(arrived));
        }
        if let Some(OpenRequest { kind, reply }) = self.requests.pop_front() {
            self.opening += 1;
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(Offer(vec![kind]), reply),
            });
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, request: OpenRequest) {
        if self.requests.len() + self.opening >= STREAMS_OPENING_MAX {
            request.reply.send(Err(OpenStreamError::Busy)).ok();
            return;
        }
        self.requests.push_back(request);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Offer, Offer, (), Reply>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: arrived, info: () }) => {
                self.on_arrived(arrived);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, info: reply }) => {
                self.on_opened(protocol.stream, reply);
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, info: reply }) => {
                self.on_refused(error, reply);
            }
            _ => {}
        }
    }
}

/// The kinds that are offered or asked for, to be agreed upon.
#[derive(Debug, Clone)]
pub(super) struct Offer(Vec<StreamKind>);

impl UpgradeInfo for Offer {
    type Info = StreamKind;
    type InfoIter = std::vec::IntoIter<StreamKind>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Offer {
    type Output = Arrived;
    type Error = Infallible;
    type Future = Ready<Result<Arrived, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, kind: StreamKind) -> Self::Future {
        ready(Ok(Arrived { kind, stream }))
    }
}

impl OutboundUpgrade<Stream> for Offer {
    type Output = Arrived;
    type Error = Infallible;
    type Future = Ready<Result<Arrived, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, kind: StreamKind) -> Self::Future {
        ready(Ok(Arrived { kind, stream }))
    }
}
