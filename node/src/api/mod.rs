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
pub(crate) mod erase;
mod export;
mod externals;
mod extract;
mod gaps;
mod guard;
mod import;
mod joining;
mod kinds;
mod leads;
pub mod limits;
mod local;
mod logs;
mod matching;
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
mod warnings;
mod watching;

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::core::Core;
use crate::derive::Derived;
use crate::directory::DataDirectory;
use crate::finding::watches::Watches;
use crate::leads::Leads;
use crate::local::LocalStore;
use crate::network::Network;
use crate::records::publish::Publisher;
use connections::BoundedListener;
use types::{PendingApplication, ProblemDetail};

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
    /// The bearer token.
    pub token: String,
    /// When the node started, in milliseconds since 1970 (UTC).
    pub started_ms: u64,
    /// `running` or `joining`.
    pub state: &'static str,
    /// The rest of the node.
    pub hooks: Arc<dyn ApiHooks>,
}

/// Why the API cannot be served.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The address cannot be read, or is none of this machine's own.
    #[error("the API must listen on a loopback address such as 127.0.0.1:4780, not on `{0}`")]
    Address(String),
    /// Somebody listens there already.
    #[error("the API cannot listen on {address}: it is already in use")]
    AddressInUse {
        /// The address.
        address: SocketAddr,
    },
    /// The system refuses.
    #[error("the API cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
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
    /// Own confidential records to be sealed anew, by charter version and length of the own log when they were counted.
    stale: Mutex<Option<((u32, u64), usize)>>,
    token_hash: blake3::Hash,
    requests: Semaphore,
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
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Serves the API on `listen`, a loopback address; port 0 lets the system choose.
///
/// # Errors
/// [`ApiError::AddressInUse`] when somebody listens there already.
pub async fn serve(context: ApiContext, listen: SocketAddr) -> Result<ApiServer, ApiError> {
    if !listen.ip().is_loopback() {
        return Err(ApiError::Address(listen.to_string()));
    }
    let refused = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AddrInUse => ApiError::AddressInUse { address: listen },
        _ => ApiError::Listen { address: listen, source },
    };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let (stop, mut stopped) = watch::channel(false);
    let shared = Shared(Arc::new(SharedState {
        token_hash: blake3::hash(context.token.as_bytes()),
        stale: Mutex::default(),
        local: LocalStore::at(context.directory.local_path()),
        watches: Watches::open(context.directory.watches_path(), crate::kinds::kinds()),
        event_streams: Arc::new(Semaphore::new(limits::EVENT_STREAMS_MAX)),
        stopped: stopped.clone(),
        context,
        publisher: Publisher::default(),
        requests: Semaphore::new(limits::REQUESTS_MAX),
        streams: Arc::new(Semaphore::new(limits::STREAMS_MAX)),
    }));
    let router = routes::router(shared);
    let signal = async move {
        // An error means that the handle is gone without `shutdown`: then the server goes on.
        if stopped.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let serving = axum::serve(BoundedListener::new(listener), router).with_graceful_shutdown(signal);
    let task = tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the API stopped");
        }
    });
    Ok(ApiServer { address, stop, task })
}

impl ApiServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, waits a little for open ones to end, and returns.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(limits::DRAIN_TIME_MAX, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}
