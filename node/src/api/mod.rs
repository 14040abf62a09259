//! The HTTP API: what the command line and the portal of this machine talk to.
//!
//! It listens on the loopback interface only, wants a bearer token that only the owner of the data directory can read,
//! and answers to loopback host names only, so that no web page can reach it by rebinding a name. Outline:
//!
//! * [`types`] is the contract; `document` describes it as OpenAPI 3.1.
//! * `routes` is the one table of routes, from which the router and the check of the document are made.
//! * `guard` admits requests; `connections` and [`limits`] bound them; `problem` turns every error into RFC 9457.
//! * The other modules are handlers, one for each subject. Reading is done away from the async threads, briefly under
//!   the lock, and long answers are streamed in pieces.

mod audit;
mod charter;
mod connections;
mod counts;
mod document;
mod duties;
pub(crate) mod erase;
mod export;
mod externals;
mod extract;
mod gaps;
mod guard;
mod health;
mod import;
mod indicators;
mod joining;
mod kinds;
mod leads;
pub mod limits;
mod local;
mod logs;
mod matching;
mod operations;
mod portal;
mod problem;
mod proposals;
mod publish;
mod reading;
mod restate;
mod rewrap;
mod routes;
mod search;
mod status;
mod stream;
#[cfg(test)]
mod tests;
pub mod types;
pub(crate) mod warnings;
mod watching;

use std::net::SocketAddr;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::core::Core;
use crate::derive::Derived;
use crate::directory::DataDirectory;
use crate::finding::watches::Watches;
use crate::health::Health;
use crate::leads::Leads;
use crate::local::LocalStore;
use crate::metrics::server::MetricsServer;
use crate::network::Network;
use crate::operations::Operations;
use crate::records::publish::Publisher;
pub(crate) use connections::serve as serve_connections;
pub(crate) use guard::is_loopback as is_loopback_name;
pub(crate) use status::peer_views;
use types::{PendingApplication, ProblemDetail};

/// The setting of the API's address.
pub const API_LISTEN: &str = "api.listen";
/// The setting of the address where metrics are served without a token.
pub const METRICS_LISTEN: &str = "metrics.listen";

/// What the API asks of the rest of the node.
pub trait ApiHooks: Send + Sync + 'static {
    /// Starts sync with every connected member.
    fn sync_now(&self);

    /// Applications that wait for a registrar.
    fn applications(&self) -> Vec<PendingApplication>;

    /// Removes an application. Says whether it was there.
    fn remove_application(&self, id: &str) -> bool;

    /// Remembers an invitation's token. The reason when it cannot.
    fn add_invitation(&self, token: String, expires_ms: u64, single: bool) -> Result<(), String>;

    /// What needs a person's attention, the worst first.
    fn warnings(&self) -> Vec<ProblemDetail>;

    /// A link by which the owner of the data directory enters the portal. The reason when there is none.
    fn portal_link(&self) -> Result<String, ProblemDetail>;
}

/// What the API serves.
#[derive(Clone)]
pub struct ApiContext {
    /// Replica, view and store.
    pub core: Core,
    /// The network.
    pub network: Network,
    /// What is derived from records: the search index and the catalogue of matching.
    pub derived: Derived,
    /// The data directory.
    pub directory: DataDirectory,
    /// The search for duplicate leads.
    pub leads: Leads,
    /// How the members' nodes are.
    pub health: Health,
    /// The bearer token.
    pub token: String,
    /// When the node started, in milliseconds since 1970 (UTC).
    pub started_ms: u64,
    /// `running` or `joining`.
    pub state: &'static str,
    /// The rest of the node.
    pub hooks: Arc<dyn ApiHooks>,
    /// Doctor, alarms, metrics, and the log of logins and writes.
    pub operations: Operations,
    /// Publishes for this node's member.
    pub publisher: Publisher,
}

/// Why the API cannot be served.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The address cannot be read, or is none of this machine's own.
    #[error("the API must listen on a loopback address such as 127.0.0.1:4780, not on `{0}`")]
    Address(String),
    /// Somebody listens there already.
    #[error("{setting}: nothing can listen on {address}: it is already in use")]
    AddressInUse {
        /// The address.
        address: SocketAddr,
        /// The setting that names it.
        setting: &'static str,
    },
    /// The system refuses.
    #[error("{setting}: nothing can listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The setting that names it.
        setting: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

/// What handlers share.
#[derive(Clone)]
struct Shared(Arc<SharedState>);

struct SharedState {
    context: ApiContext,
    publisher: Publisher,
    local: LocalStore,
    token_hash: blake3::Hash,
    requests: Arc<Semaphore>,
    questions: Arc<Semaphore>,
    long_bodies: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    event_streams: Arc<Semaphore>,
    watches: Watches,
    /// Becomes true when the server stops.
    stopped: watch::Receiver<bool>,
}

impl std::ops::Deref for Shared {
    type Target = SharedState;

    fn deref(&self) -> &SharedState {
        &self.0
    }
}

impl SharedState {
    fn core(&self) -> &Core {
        &self.context.core
    }

    /// Whether the member waits for its admission.
    fn is_joining(&self) -> bool {
        self.context.state == "joining" && self.core().own().is_none()
    }
}

/// The running server. It goes on when this is dropped.
#[derive(Debug)]
pub struct ApiServer {
    address: SocketAddr,
    /// Where the metrics are served without a token, if they are.
    metrics: Option<MetricsServer>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    #[cfg(fuzzing)]
    router: axum::Router,
}

/// Serves the API on `listen`, a loopback address; port 0 lets the system choose. `metrics` is where Prometheus may ask
/// without a token, also on loopback.
///
/// # Errors
/// [`ApiError::AddressInUse`] when somebody listens there already.
pub async fn serve(
    context: ApiContext,
    listen: SocketAddr,
    metrics: Option<SocketAddr>,
) -> Result<ApiServer, ApiError> {
    if let Some(open) = [Some(listen), metrics].into_iter().flatten().find(|address| !address.ip().is_loopback()) {
        return Err(ApiError::Address(open.to_string()));
    }
    let listener = TcpListener::bind(listen).await.map_err(refused(listen, API_LISTEN))?;
    let address = listener.local_addr().map_err(refused(listen, API_LISTEN))?;
    let (stop, stopped) = watch::channel(false);
    let shared = Shared(Arc::new(SharedState {
        token_hash: blake3::hash(context.token.as_bytes()),
        local: LocalStore::at(context.directory.local_path()),
        watches: Watches::open(context.directory.watches_path(), crate::kinds::kinds()),
        event_streams: Arc::new(Semaphore::new(limits::EVENT_STREAMS_MAX)),
        stopped: stopped.clone(),
        publisher: context.publisher.clone(),
        context,
        requests: Arc::new(Semaphore::new(limits::REQUESTS_MAX)),
        questions: Arc::new(Semaphore::new(limits::QUESTIONS_MAX)),
        long_bodies: Arc::new(Semaphore::new(limits::LONG_BODIES_MAX)),
        streams: Arc::new(Semaphore::new(limits::STREAMS_MAX)),
    }));
    let metrics = match metrics {
        Some(listen) => {
            let router = operations::open_router(shared.clone());
            let started = MetricsServer::start(router, listen, stopped.clone()).await;
            Some(started.map_err(refused(listen, METRICS_LISTEN))?)
        }
        None => None,
    };
    let router = routes::router(shared);
    #[cfg(fuzzing)]
    let kept = router.clone();
    let task = tokio::spawn(serve_connections(listener, router, stopped));
    Ok(ApiServer {
        address,
        metrics,
        stop,
        task,
        #[cfg(fuzzing)]
        router: kept,
    })
}

/// Why a server cannot listen at an address.
fn refused(address: SocketAddr, setting: &'static str) -> impl Fn(std::io::Error) -> ApiError {
    move |source| match source.kind() {
        std::io::ErrorKind::AddrInUse => ApiError::AddressInUse { address, setting },
        _ => ApiError::Listen { address, setting, source },
    }
}

impl ApiServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What answers requests, without connections, which would cost a fuzzer most of its time.
    #[cfg(fuzzing)]
    pub fn router(&self) -> axum::Router {
        self.router.clone()
    }

    /// Where the metrics are served without a token, if they are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(MetricsServer::address)
    }

    /// Takes no more requests, waits a little for open ones to end, and returns.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let metrics = self.metrics.take();
        let metrics = async {
            if let Some(metrics) = metrics {
                metrics.ended().await;
            }
        };
        let ((), ended) = futures::join!(metrics, tokio::time::timeout(limits::DRAIN_TIME_MAX, &mut self.task));
        if ended.is_err() {
            self.task.abort();
        }
    }
}
