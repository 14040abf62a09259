//! What hostile requests came to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::client::Reply;

/// How long a worker sleeps at most before it looks whether it is to stop.
const NAP: Duration = Duration::from_millis(100);

/// Tells the workers of a load to stop.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// No further requests.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether workers are to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Sleeps for that long, or until workers are to stop.
    pub fn sleep(&self, time: Duration) {
        let begun = Instant::now();
        while !self.is_set() && begun.elapsed() < time {
            std::thread::sleep(NAP.min(time.saturating_sub(begun.elapsed())));
        }
    }
}

/// Counts of hostile requests.
#[derive(Debug, Default)]
pub struct Tally {
    made: AtomicU64,
    served: AtomicU64,
    refused: AtomicU64,
    closed: AtomicU64,
}

impl Tally {
    /// One was made.
    pub fn made(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// One was served.
    pub fn served(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    /// So many were refused with an answer that says so.
    pub fn refused(&self, count: u64) {
        self.refused.fetch_add(count, Ordering::Relaxed);
    }

    /// A connection was closed, or nothing came back in time.
    pub fn closed(&self) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }

    /// A request over HTTP was made and came to this.
    pub fn count(&self, reply: &Reply) {
        self.made();
        match reply.status {
            Some(200..300) => self.served(),
            Some(_) => self.refused(1),
            None => self.closed(),
        }
    }

    /// Made, served, refused and closed.
    pub fn read(&self) -> [u64; 4] {
        [&self.made, &self.served, &self.refused, &self.closed].map(|count| count.load(Ordering::Relaxed))
    }
}
