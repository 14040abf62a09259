//! Connections: so many at a time, none that keeps its room by doing nothing, and none that is silent for ever.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep};

use super::limits::{CONNECTIONS_MAX, SILENCE_MAX};
use crate::seats::{Seat, Seats, Work};

/// Serves requests on a listener until it is told to stop and what is at work has ended.
pub(crate) async fn serve(listener: TcpListener, router: Router, stopped: watch::Receiver<bool>) {
    serve_in(Arc::new(Seats::new(CONNECTIONS_MAX)), listener, router, stopped).await;
}

async fn serve_in(seats: Arc<Seats>, mut listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let mut open = JoinSet::new();
    loop {
        // Those that have ended make room in the set as well.
        while open.try_join_next().is_some() {}
        let next = async {
            let (stream, _) = Listener::accept(&mut listener).await;
            (stream, seats.seat().await)
        };
        let (stream, seat) = tokio::select! {
            next = next => next,
            () = stop(&mut stopped) => break,
        };
        open.spawn(converse(stream, router.clone(), seat, stopped.clone()));
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// Waits until the server stops. When the handle is gone without a word it goes on.
async fn stop(stopped: &mut watch::Receiver<bool>) {
    if stopped.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn converse(stream: TcpStream, router: Router, seat: Arc<Seat>, mut stopped: watch::Receiver<bool>) {
    // A small answer must not wait for more to come: the command line asks one thing after the other.
    let _ = stream.set_nodelay(true);
    let (router, at_work) = (TowerToHyperService::new(router), Arc::clone(&seat));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let work = Work::begin(&at_work);
        let request: Request = request.map(Body::new);
        let answer = router.call(request);
        async move { answer.await.map(|answer| work.until_sent(answer)) as Result<Response, Infallible> }
    });
    let silence = Box::pin(sleep(SILENCE_MAX));
    let stream = TokioIo::new(Connection { stream, silence, seat: Arc::clone(&seat) });
    let mut connection = pin!(http1::Builder::new().serve_connection(stream, service));
    // What has come is looked at before anybody gives way: a request that is there is answered. How a connection ends is
    // its client's business.
    tokio::select! {
        biased;
        _ = connection.as_mut() => {}
        () = seat.given_up() => {}
        () = stop(&mut stopped) => if !seat.is_idle() {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// A connection that breaks when nothing moves for too long, and says when all is written.
struct Connection {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    seat: Arc<Seat>,
}

impl Connection {
    /// Passes on what the stream says, and counts the silence while it says nothing.
    fn watch<T>(&mut self, context: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.silence.as_mut().reset(Instant::now() + SILENCE_MAX);
            return poll;
        }
        match self.silence.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_read(context, into);
        self.watch(context, poll)
    }
}

impl AsyncWrite for Connection {
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
    use std::net::SocketAddr;
    use std::time::Duration;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;

    use super::*;

    const PLACES: usize = 3;
    const SOON: Duration = Duration::from_secs(20);
    const REQUEST: &[u8] = b"GET /at-once HTTP/1.1\r\nHost: a\r\n\r\n";
    const LONG_BYTES: usize = 8 * 1024 * 1024;

    struct Server {
        address: SocketAddr,
        /// Lets those go on who ask for `/later`.
        go_on: Arc<Notify>,
        stop: watch::Sender<bool>,
        task: tokio::task::JoinHandle<()>,
    }

    async fn server() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, go_on) = (listener.local_addr().expect("bound"), Arc::new(Notify::new()));
        let later = Arc::clone(&go_on);
        let router = Router::new()
            .route("/at-once", get(|| async { "done" }))
            .route("/long", get(|| async { vec![b'x'; LONG_BYTES] }))
            .route("/later", get(move || async move { later.notified().await }));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve_in(Arc::new(Seats::new(PLACES)), listener, router, stopped));
        Server { address, go_on, stop, task }
    }

    async fn connect(server: &Server, say: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(server.address).await.expect("it listens");
        stream.write_all(say).await.expect("it takes");
        stream
    }

    /// The next piece of an answer; nothing when the connection is closed.
    async fn answer(stream: &mut TcpStream) -> String {
        let mut bytes = [0; 1_024];
        let read = tokio::time::timeout(SOON, stream.read(&mut bytes)).await.expect("an answer in time");
        String::from_utf8_lossy(&bytes[..read.unwrap_or(0)]).into_owned()
    }

    #[tokio::test]
    async fn slow_and_silent_connections_keep_nobody_out() {
        let server = server().await;
        let mut slow = Vec::new();
        for number in 0..10 * PLACES {
            slow.push(connect(&server, if number % 2 == 0 { b"GET /at-" } else { b"" }).await);
        }
        let mut honest = connect(&server, REQUEST).await;
        assert!(answer(&mut honest).await.ends_with("done"));
        assert_eq!(answer(&mut slow[0]).await, "", "whoever was idle longest gave way");
        // It is served again on the same connection, and the newest of the slow ones are still there.
        honest.write_all(REQUEST).await.expect("it takes");
        assert!(answer(&mut honest).await.ends_with("done"));
        let last = slow.last_mut().expect("there are some");
        last.write_all(REQUEST).await.expect("it takes");
        assert!(answer(last).await.ends_with("done"));
    }

    #[tokio::test]
    async fn whoever_is_at_work_keeps_its_place_and_gives_it_up_after_its_answer() {
        let server = server().await;
        let mut working = Vec::new();
        for _ in 0..PLACES {
            working.push(connect(&server, b"GET /later HTTP/1.1\r\nHost: a\r\n\r\n").await);
        }
        let mut next = connect(&server, REQUEST).await;
        let early = tokio::time::timeout(Duration::from_millis(200), next.read_u8()).await;
        assert!(early.is_err(), "all places are at work");
        // Each of them may already have been woken by the one before.
        server.go_on.notify_one();
        assert!(answer(&mut next).await.ends_with("done"));
        server.go_on.notify_waiters();
        for stream in &mut working {
            assert!(answer(stream).await.starts_with("HTTP/1.1 200"));
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_taken_slowly_is_not_cut_off() {
        let server = server().await;
        let mut long = Vec::new();
        for _ in 0..PLACES {
            long.push(connect(&server, b"GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await);
        }
        let mut first = long.remove(0);
        assert!(answer(&mut first).await.starts_with("HTTP/1.1 200"), "its answer has begun");
        let mut next = connect(&server, REQUEST).await;
        let mut rest = Vec::new();
        let read = tokio::time::timeout(SOON, first.read_to_end(&mut rest)).await.expect("in time");
        assert!(read.expect("whole") > LONG_BYTES - 1_024);
        assert!(answer(&mut next).await.ends_with("done"));
    }

    #[tokio::test]
    async fn it_stops_though_somebody_is_idle() {
        let server = server().await;
        let _idle = connect(&server, b"GET ").await;
        let mut kept = connect(&server, REQUEST).await;
        assert!(answer(&mut kept).await.ends_with("done"));
        server.stop.send_replace(true);
        tokio::time::timeout(SOON, server.task).await.expect("it ends in time").expect("it ended well");
    }
}
