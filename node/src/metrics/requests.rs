//! Requests of the API: how many, with what outcome, and how long they took.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

/// Upper bounds of the spread of durations, in seconds.
const BOUNDS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0];

/// Labels of a request.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Requests since the start. A cheap handle.
#[derive(Debug, Clone)]
pub struct Requests {
    pub(super) counts: Family<Labels, Counter>,
    pub(super) durations: Histogram,
}

impl Default for Requests {
    fn default() -> Self {
        Self { counts: Family::default(), durations: Histogram::new(BOUNDS) }
    }
}

impl Requests {
    /// Counts a request. `route` is a template of the table of routes, so that there are few of them.
    pub fn count(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = vec![("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
        self.counts.get_or_create(&labels).inc();
        self.durations.observe(took.as_secs_f64());
    }
}
