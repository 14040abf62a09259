//! Indicators at a node: what records contribute, kept in step with them, and what is made of it.
//!
//! * [`Shelf`] holds what each record contributes, and the bulletins, objections and answers; [`consumer`] is what the
//!   follower of [`crate::derive`] hands records to. So a question adds up what is held and reads no record.
//! * [`snapshot`] computes figures from the entries themselves: as of another time, and at the heads of a bulletin.
//! * [`show`] says it to the callers of the API, with the [`desk`] of objections beside each figure.
//! * [`index`] finds what was said of a figure, however much was said of others; an answer holds a [`Bound`] of it.
//! * [`publish`] writes a bulletin, [`verify`] computes one again.
//! * [`duty`] is where rates of duties come from.
//!
//! Nothing here holds the lock of the state for longer than one record or one list of heads takes.

mod consumer;
mod desk;
mod duty;
mod index;
pub mod publish;
mod shelf;
pub mod show;
mod snapshot;
#[cfg(test)]
mod tests;
pub mod verify;

use thiserror::Error;

use crate::records::error::RecordError;
use crate::records::publish::Refusals;

pub(crate) use consumer::IndicatorConsumer;
pub use desk::Bound;
pub use shelf::Shelf;

/// Records of one figure that an answer names.
pub const EVIDENCE_MAX: usize = 1_000;
/// Bulletins of one list.
pub const BULLETINS_MAX: usize = 100;
/// Records that one difference names.
pub const NAMED_MAX: usize = 20;

/// A question that cannot be answered.
#[derive(Debug, Error)]
pub enum IndicatorError {
    /// The record cannot be found.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// There is no such indicator.
    #[error("there is no indicator `{0}`")]
    Code(String),
    /// Nobody is assessed under that name.
    #[error("no indicator assesses `{0}`")]
    Subject(String),
    /// The time lies ahead, or before the federation was founded.
    #[error("{0} is not a time between the founding of the federation and now")]
    Time(u64),
    /// The record is no bulletin that counts.
    #[error("`{0}` is no bulletin of figures that counts")]
    NotBulletin(String),
    /// Only the secretariat publishes figures.
    #[error("only the secretariat publishes a bulletin")]
    NotSecretariat,
    /// Bodies that the figures rest on are not here yet.
    #[error("{0} bodies are not here yet")]
    Incomplete(usize),
    /// Entries that were being read do not stand any more.
    #[error("the entries changed while they were read")]
    Moved,
    /// The charter's own blocks do not follow each other.
    #[error("the charter cannot be read again: {0}")]
    Charter(#[from] protocol::charter::CharterError),
    /// The bulletin was not published.
    #[error("the bulletin was not published")]
    Refused(Box<Refusals>),
}
