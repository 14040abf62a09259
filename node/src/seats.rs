//! Room for connections: so many at a time, and none that keeps its room by doing nothing.
//!
//! A connection is at work from the head of a request to the last byte of its answer, and idle otherwise: also while a
//! head comes a byte at a time. When every place is taken and somebody else comes, whoever was idle longest gives way; when
//! nobody is idle, the first that finishes its answer does. So no number of idle or slow connections keeps anybody out,
//! and whoever has a request in work is never cut off.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Room for connections.
pub(crate) struct Seats {
    free: Arc<Semaphore>,
    /// Whether somebody waits for a place.
    is_wanted: AtomicBool,
    idle: Mutex<Idle>,
}

/// Connections that do nothing, in the order in which they began to.
#[derive(Default)]
struct Idle {
    next: u64,
    seats: BTreeMap<u64, Arc<Notify>>,
}

impl Seats {
    /// So many places.
    pub(crate) fn new(count: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), is_wanted: AtomicBool::new(false), idle: Mutex::default() }
    }

    /// A seat for a connection that has just come; somebody else's if there is no other. Asked for by one at a time.
    pub(crate) async fn seat(self: &Arc<Self>) -> Arc<Seat> {
        let permit = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                // In this order: whoever becomes idle after nobody was found sees that the place is wanted.
                self.is_wanted.store(true, Ordering::SeqCst);
                if let Some((_, longest)) = self.idle.lock().seats.first_key_value() {
                    longest.notify_one();
                }
                let permit = Arc::clone(&self.free).acquire_owned().await;
                self.is_wanted.store(false, Ordering::SeqCst);
                permit.expect("nobody closes the semaphore")
            }
        };
        let seat = Arc::new(Seat {
            seats: Arc::clone(self),
            give_way: Arc::default(),
            idle_as: Mutex::default(),
            answered: AtomicBool::new(false),
            _permit: permit,
        });
        seat.rest();
        seat
    }
}

/// The place of one connection.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    give_way: Arc<Notify>,
    /// Its number among the idle.
    idle_as: Mutex<Option<u64>>,
    /// Whether an answer was handed over whose last bytes may still have to be written.
    answered: AtomicBool,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    /// Whether it does nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.idle_as.lock().is_some()
    }

    /// It has nothing to do from now on.
    fn rest(&self) {
        let mut idle = self.seats.idle.lock();
        let number = idle.next;
        idle.next += 1;
        idle.seats.insert(number, Arc::clone(&self.give_way));
        *self.idle_as.lock() = Some(number);
        drop(idle);
        if self.seats.is_wanted.load(Ordering::SeqCst) {
            self.give_way.notify_one();
        }
    }

    /// Waits until it is to give way, because somebody else has no place and it does nothing.
    pub(crate) async fn given_up(&self) {
        loop {
            self.give_way.notified().await;
            if self.is_idle() {
                return;
            }
        }
    }

    fn is_no_longer_idle(&self) {
        let number = self.idle_as.lock().take();
        if let Some(number) = number {
            self.seats.idle.lock().seats.remove(&number);
        }
    }

    /// Everything that was handed over is written. Whoever holds the stream says so whenever it is flushed.
    pub(crate) fn written(&self) {
        if self.answered.swap(false, Ordering::SeqCst) {
            self.rest();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.is_no_longer_idle();
    }
}

/// Work on one request, until its answer is handed over.
pub(crate) struct Work(Arc<Seat>);

impl Work {
    /// A request has come.
    pub(crate) fn begin(seat: &Arc<Seat>) -> Self {
        seat.answered.store(false, Ordering::SeqCst);
        seat.is_no_longer_idle();
        Self(Arc::clone(seat))
    }

    /// Goes on until the answer's last bytes are taken.
    pub(crate) fn until_sent(self, answer: Response) -> Response {
        answer.map(|body| Body::new(Answer { body, _work: self }))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.answered.store(true, Ordering::SeqCst);
    }
}

/// A body that counts as work while it is sent.
struct Answer {
    body: Body,
    _work: Work,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
