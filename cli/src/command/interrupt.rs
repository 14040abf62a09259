//! Ctrl-C during work that can stop between two steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Whether the person at the keyboard wants the work to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Watches for SIGINT and SIGTERM from now on. The second one ends the process at once.
    pub fn watch() -> Result<Self, Failure> {
        let interrupt = Self::default();
        let seen = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::internal)?;
        std::thread::spawn(move || {
            runtime.block_on(async {
                while next_signal().await.is_some() {
                    if seen.0.swap(true, Ordering::SeqCst) {
                        std::process::exit(ExitCode::Interrupted.number().into());
                    }
                }
            });
        });
        Ok(interrupt)
    }

    /// Whether it was asked for.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

async fn next_signal() -> Option<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt()).ok()?, signal(SignalKind::terminate()).ok()?);
    tokio::select! {
        got = interrupt.recv() => got,
        got = terminate.recv() => got,
    }
}
