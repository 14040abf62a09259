//! The listener for Prometheus: `/metrics`, `/healthz` and `/readyz`, without a token, on loopback only.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::limits::DRAIN_TIME_MAX;

/// A running server.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl MetricsServer {
    /// Serves `router` on `listen` until `stopped` becomes true; connections that are kept open end then, too.
    ///
    /// # Errors
    /// The system's reason when it cannot listen there.
    pub async fn start(router: Router, listen: SocketAddr, stopped: watch::Receiver<bool>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(crate::api::serve_connections(listener, router, stopped));
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has ended, after it was told to; cuts off what takes too long.
    pub async fn ended(mut self) {
        if tokio::time::timeout(DRAIN_TIME_MAX, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}
