//! Sync over the network: drives [`protocol::sync::session::Session`] on a stream, and decides with whom and when.

mod driver;
mod scheduler;

pub use driver::{Failure, run_session};
pub use scheduler::{Scheduler, SyncHandle};
