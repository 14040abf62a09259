//! Prometheus metrics of a node: gathered when they are asked for, from what its parts count anyway.
//!
//! [`table`] names every metric. `/metrics` of the API serves them to bearers of its token; a listener of its own
//! (`metrics.listen`, off by default, loopback only) serves them without one, beside `/healthz` and `/readyz`: they tell
//! counts and no content. The text is Prometheus's classic format, which every version of it reads.

mod gather;
mod requests;
pub mod server;
pub mod table;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use crate::access_log::AccessLog;
use crate::alarms::Alarms;
use crate::core::Core;
use crate::derive::Derived;
use crate::doctor::Doctor;
use crate::network::Network;

pub use requests::Requests;
pub use text::CONTENT_TYPE;

/// Members by state, from the one function that counts them for every page.
pub type MemberCounts = Arc<dyn Fn() -> Vec<(&'static str, u64)> + Send + Sync>;

/// What is measured. A cheap handle.
#[derive(Clone)]
pub struct Metrics {
    sources: Arc<Sources>,
}

/// Where the figures come from.
pub struct Sources {
    /// Replica, view and store.
    pub core: Core,
    /// The network.
    pub network: Network,
    /// The search index.
    pub derived: Derived,
    /// The doctor: disk and clock.
    pub doctor: Doctor,
    /// Alarms.
    pub alarms: Alarms,
    /// The log of logins and writes.
    pub access_log: AccessLog,
    /// Requests of the API.
    pub requests: Requests,
    /// Members by state, once somebody counts them.
    pub members: Option<MemberCounts>,
    /// When the node started, in milliseconds since 1970 (UTC).
    pub started_ms: u64,
}

/// A figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    metric: &'static table::Metric,
    labels: Vec<String>,
    value: f64,
}

impl Metrics {
    /// Metrics of these parts.
    pub fn new(sources: Sources) -> Self {
        Self { sources: Arc::new(sources) }
    }

    /// Requests of the API, to be counted.
    pub fn requests(&self) -> &Requests {
        &self.sources.requests
    }

    /// Everything as text.
    ///
    /// # Errors
    /// Gathering failed: half of the figures would look like a node that has nothing to tell.
    pub async fn text(&self) -> Result<String, tokio::task::JoinError> {
        let peers = self.sources.network.peers().await.unwrap_or_default();
        let sources = Arc::clone(&self.sources);
        let gathered = tokio::task::spawn_blocking(move || {
            let samples = gather::all(&sources, &peers);
            text::render(&samples, &sources.requests)
        });
        gathered.await
    }
}
