//! Connections: so many at a time, so many from one place, and none that keeps its room by being slow.
//!
//! When every place is taken and somebody else comes, a connection without a request in work gives way ([`crate::seats`]).
//! The head of a request must come within [`HEADER_TIME_MAX`], which is also how long a connection may be idle between two
//! requests; the guard reads a form within [`super::limits::BODY_TIME_MAX`]; who does not take an answer is cut off
//! after [`WRITE_STALL_MAX`].

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::extract::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep};

use super::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_PLACE_MAX, HEADER_BYTES_MAX, HEADER_TIME_MAX, WRITE_STALL_MAX};
use super::place::Place;
use crate::seats::{Seat, Seats, Work};

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client(pub(super) SocketAddr);

/// How many connections each place has.
type Held = Arc<Mutex<BTreeMap<Place, usize>>>;

/// Room for connections.
struct Rooms {
    held: Held,
    /// Whether a proxy of this machine asks on behalf of everybody.
    behind_proxy: bool,
}

/// The room of one connection.
struct Room {
    held: Held,
    place: Option<Place>,
}

impl Drop for Room {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let mut held = self.held.lock();
        if let Some(count) = held.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                held.remove(&place);
            }
        }
    }
}

impl Rooms {
    fn new(behind_proxy: bool) -> Self {
        Self { held: Held::default(), behind_proxy }
    }

    /// Takes room for a connection from there; nothing when that place has enough.
    fn enter(&self, address: SocketAddr) -> Option<Room> {
        let ip = address.ip().to_canonical();
        let place = (!self.behind_proxy || !ip.is_loopback()).then(|| Place::of(ip));
        if let Some(place) = place {
            let mut held = self.held.lock();
            let count = held.entry(place).or_default();
            if *count >= CONNECTIONS_PER_PLACE_MAX {
                return None;
            }
            *count += 1;
        }
        Some(Room { held: Arc::clone(&self.held), place })
    }
}

/// Serves pages on a listener until the portal stops and the open requests have ended.
pub(super) async fn serve(
    mut listener: TcpListener,
    pages: Router,
    behind_proxy: bool,
    mut stopped: watch::Receiver<bool>,
) {
    let (seats, rooms) = (Arc::new(Seats::new(CONNECTIONS_MAX)), Rooms::new(behind_proxy));
    let mut open = JoinSet::new();
    loop {
        // Those that have ended make room in the set as well.
        while open.try_join_next().is_some() {}
        let (stream, address) = tokio::select! {
            next = Listener::accept(&mut listener) => next,
            () = stop(&mut stopped) => break,
        };
        // A place that has enough takes no seat from anybody.
        let Some(room) = rooms.enter(address) else { continue };
        let seat = tokio::select! {
            seat = seats.seat() => seat,
            () = stop(&mut stopped) => break,
        };
        open.spawn(converse(stream, address, pages.clone(), stopped.clone(), seat, room));
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// Waits until the portal stops. When the handle is gone without a word it goes on.
async fn stop(stopped: &mut watch::Receiver<bool>) {
    if stopped.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn converse(
    stream: TcpStream,
    address: SocketAddr,
    pages: Router,
    mut stopped: watch::Receiver<bool>,
    seat: Arc<Seat>,
    _room: Room,
) {
    // A small answer must not wait for more to come.
    let _ = stream.set_nodelay(true);
    let (pages, at_work) = (TowerToHyperService::new(pages), Arc::clone(&seat));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let work = Work::begin(&at_work);
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(Client(address));
        let page = pages.call(request);
        async move { page.await.map(|page| work.until_sent(page)) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME_MAX).max_buf_size(HEADER_BYTES_MAX);
    let stream = TokioIo::new(Patient { stream, stalled: None, seat: Arc::clone(&seat) });
    let mut connection = pin!(http.serve_connection(stream, service));
    // What has come is looked at before anybody gives way. How a connection ends is its client's business.
    tokio::select! {
        biased;
        _ = connection.as_mut() => {}
        () = seat.given_up() => {}
        () = stop(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// A connection that breaks when its client takes nothing of what is written for too long.
struct Patient {
    stream: TcpStream,
    stalled: Option<Pin<Box<Sleep>>>,
    seat: Arc<Seat>,
}

impl Patient {
    fn watch<T>(&mut self, context: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stalled = None;
            return poll;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(WRITE_STALL_MAX)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watch(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// The library flushes when its own buffer is empty.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(context);
        if poll.is_ready() {
            self.seat.written();
        }
        poll
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(rooms: &Rooms, address: &str) -> Option<Room> {
        rooms.enter(SocketAddr::new(address.parse().expect("an address"), 1))
    }

    #[test]
    fn one_place_has_so_much_room_and_gets_it_back() {
        let rooms = Rooms::new(false);
        let address = |number: usize| format!("2001:db8::{number:x}");
        let mut held: Vec<Room> =
            (0..CONNECTIONS_PER_PLACE_MAX).filter_map(|number| enter(&rooms, &address(number))).collect();
        assert_eq!(held.len(), CONNECTIONS_PER_PLACE_MAX);
        assert!(enter(&rooms, "2001:db8::ffff").is_none(), "another address of the same network");
        assert!(enter(&rooms, "2001:db8:0:1::1").is_some() && enter(&rooms, "192.0.2.1").is_some());
        held.pop();
        assert!(enter(&rooms, "2001:db8::ffff").is_some());
        held.clear();
        assert!(rooms.held.lock().is_empty(), "nothing is remembered of who is gone");
    }

    #[test]
    fn a_proxy_of_this_machine_asks_for_many() {
        let (plain, proxied) = (Rooms::new(false), Rooms::new(true));
        let count = |rooms: &Rooms, address: &str| {
            (0..=CONNECTIONS_PER_PLACE_MAX).filter_map(|_| enter(rooms, address)).collect::<Vec<Room>>().len()
        };
        assert_eq!(count(&plain, "127.0.0.1"), CONNECTIONS_PER_PLACE_MAX);
        assert_eq!(count(&proxied, "127.0.0.1"), CONNECTIONS_PER_PLACE_MAX + 1);
        assert_eq!(count(&proxied, "192.0.2.1"), CONNECTIONS_PER_PLACE_MAX);
    }
}
