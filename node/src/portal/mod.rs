//! The portal: the pages of this node for people with a browser.
//!
//! It listens apart from the HTTP API, which stays on loopback with its token. Outline:
//!
//! * [`data`] is the seam to the node: one function for each view, the same views that the API serves.
//! * `pages` has a file for each page and the one table of routes; [`frame`] is what pages share, `frame` and components;
//!   templates, styles and scripts lie in `portal/` beside `src/`, whose README says how a page is added.
//! * `connections` takes them, so many from one [`place`]; `guard` admits requests; [`sessions`], [`accounts`] and [`throttle`] say who is in; [`fault`] is every error.
//! * [`events`] is the one stream of events; [`assets`] serves what is in the binary; [`messages`] has every text.
//!
//! Nothing is asked of another host, and every page is whole without scripts.

pub mod accounts;
pub mod assets;
mod checked;
mod connections;
pub mod data;
mod events;
pub mod fault;
pub mod figures;
pub mod frame;
mod guard;
pub mod kept;
pub mod language;
pub mod limits;
pub mod messages;
pub mod of_node;
mod pages;
pub mod place;
pub mod sessions;
pub mod throttle;
pub mod visit;

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use self::accounts::{AccountError, Accounts};
use self::data::{Access, Data, Refusal};
use self::events::Events;
use self::fault::Fault;
use self::limits::{DRAIN_TIME_MAX, LINE_WAIT, PASSWORD_CHECKS_MAX, REQUESTS_MAX};
use self::sessions::Sessions;
use self::throttle::Throttle;
use self::visit::Visit;
use crate::config::PortalConfig;
use crate::turns;

/// What the portal is made of.
pub struct PortalContext {
    /// What the pages show.
    pub data: Arc<dyn Data>,
    /// Who may log in.
    pub accounts: Accounts,
    /// Where it listens, and under which names.
    pub config: PortalConfig,
}

/// Why the portal is not served.
#[derive(Debug, Error)]
pub enum PortalError {
    /// The address cannot be read.
    #[error("portal.listen: {0:?} is not an address and port")]
    Address(String),
    /// It would be reachable from elsewhere, and nobody has a password.
    #[error("the portal listens beyond this machine ({0}) only when there is an account with a password")]
    NoPassword(SocketAddr),
    /// The accounts cannot be read.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// The system has no randomness.
    #[error("the operating system has no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// The system refuses.
    #[error("the portal cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// What handlers share.
#[derive(Clone)]
struct Portal(Arc<PortalState>);

struct PortalState {
    data: Arc<dyn Data>,
    accounts: Accounts,
    sessions: Arc<Sessions>,
    throttle: Throttle,
    events: Arc<Events>,
    requests: Arc<Semaphore>,
    password_checks: Semaphore,
    /// Ties the form for logging in to a browser.
    form_key: [u8; 32],
    hosts: Vec<String>,
    https: bool,
    cookies: guard::CookieNames,
    is_loopback: bool,
    /// Becomes true when the portal stops.
    stopped: watch::Receiver<bool>,
}

impl std::ops::Deref for Portal {
    type Target = PortalState;

    fn deref(&self) -> &PortalState {
        &self.0
    }
}

impl Portal {
    /// Makes a page away from the async threads: it looks at the node, and renders.
    async fn answer(
        &self,
        make: impl FnOnce(&dyn Data) -> Result<String, Fault> + Send + 'static,
    ) -> Result<Response, Fault> {
        let data = Arc::clone(&self.data);
        let made = turns::blocking(move || make(&*data)).await.map_err(|_| Fault::Internal)?;
        Ok(Html(made?).into_response())
    }

    /// Writes a line of the log of logins and writes.
    fn record(&self, visit: &Visit, action: &'static str, route: &'static str, subject: &str, status: StatusCode) {
        self.data.record(&access(visit, action, route, subject, Some(status)));
    }

    /// Does what writes, with a line in the log before anything is done and one with its outcome before that is told. It
    /// is carried to its end even if the visitor hangs up.
    ///
    /// # Errors
    /// [`Fault::Unlogged`] when the log takes no line; then nothing was done.
    async fn write<T: Send + 'static, F: Future<Output = Result<T, Refusal>> + Send>(
        &self,
        visit: &Visit,
        route: &'static str,
        work: impl FnOnce(Arc<dyn Data>) -> F + Send + 'static,
    ) -> Result<Result<T, Refusal>, Fault> {
        let line = self.data.record_durably(access(visit, "write", route, "", None));
        if !tokio::time::timeout(LINE_WAIT, line).await.unwrap_or(false) {
            return Err(Fault::Unlogged);
        }
        let (portal, visit) = (self.clone(), visit.clone());
        let carried = turns::spawn(async move {
            let done = work(Arc::clone(&portal.data)).await;
            let status = if done.is_ok() { StatusCode::SEE_OTHER } else { StatusCode::CONFLICT };
            let line = portal.data.record_durably(access(&visit, "write", route, "", Some(status)));
            // The first line stands; a disk that refuses the second is said by the doctor.
            let _ = tokio::time::timeout(LINE_WAIT, line).await;
            done
        });
        carried.await.map_err(|_| Fault::Internal)
    }
}

/// A line of the log of logins and writes; without a status it says that something is begun.
fn access(
    visit: &Visit,
    action: &'static str,
    route: &'static str,
    subject: &str,
    status: Option<StatusCode>,
) -> Access {
    Access {
        actor: visit.actor(),
        address: visit.address,
        action,
        method: if route == "/open" { "GET" } else { "POST" },
        route,
        subject: subject.to_owned(),
        status: status.map(|status| status.as_u16()),
        outcome: match status {
            None => "begun",
            Some(status) if status.is_client_error() || status.is_server_error() => "refused",
            Some(_) => "ok",
        },
    }
}

/// A page as text.
fn html(page: &impl Template) -> Result<String, Fault> {
    page.render().map_err(|error| {
        tracing::error!(%error, "a page cannot be rendered");
        Fault::Internal
    })
}

/// The running portal. It goes on when this is dropped.
#[derive(Debug)]
pub struct PortalServer {
    address: SocketAddr,
    sessions: Arc<Sessions>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    follower: JoinHandle<()>,
}

/// Makes links by which the owner of the data directory enters the running portal.
#[derive(Debug, Clone)]
pub struct Door {
    address: SocketAddr,
    sessions: Arc<Sessions>,
}

impl Door {
    /// A link that is good once and for a while.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn link(&self, now_ms: u64) -> Result<String, getrandom::Error> {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        Ok(format!("http://{address}/open?token={}", self.sessions.make_link(now_ms)?))
    }
}

/// Serves the portal; port 0 lets the system choose.
///
/// # Errors
/// [`PortalError::NoPassword`] beyond loopback without an account.
pub async fn serve(context: PortalContext) -> Result<PortalServer, PortalError> {
    let PortalContext { data, accounts, config } = context;
    let listen: SocketAddr = config.listen.parse().map_err(|_| PortalError::Address(config.listen.clone()))?;
    let is_loopback = listen.ip().is_loopback();
    if !is_loopback && accounts.all()?.is_empty() {
        return Err(PortalError::NoPassword(listen));
    }
    let refused = |source| PortalError::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let mut form_key = [0; 32];
    getrandom::fill(&mut form_key)?;
    let (stop, stopped) = watch::channel(false);
    let (sessions, events) = (Arc::new(Sessions::default()), Arc::new(Events::new()));
    let follower = tokio::spawn(Arc::clone(&events).follow(Arc::clone(&data)));
    let portal = Portal(Arc::new(PortalState {
        data,
        accounts,
        sessions: Arc::clone(&sessions),
        throttle: Throttle::default(),
        events,
        requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
        password_checks: Semaphore::new(PASSWORD_CHECKS_MAX),
        form_key,
        hosts: config.hosts,
        https: config.https,
        cookies: guard::CookieNames::of_port(address.port()),
        is_loopback,
        stopped: stopped.clone(),
    }));
    let task = tokio::spawn(connections::serve(listener, pages::router(portal), config.https, stopped));
    Ok(PortalServer { address, sessions, stop, task, follower })
}

impl PortalServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What makes links to enter by.
    pub fn door(&self) -> Door {
        Door { address: self.address, sessions: Arc::clone(&self.sessions) }
    }

    /// Takes no more requests, waits a little for open ones to end, and returns.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        self.follower.abort();
        if tokio::time::timeout(DRAIN_TIME_MAX, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}
