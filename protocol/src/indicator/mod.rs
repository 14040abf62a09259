//! Indicators: what the records of all members come to, against a target, with what it rests on (F096, F097).
//!
//! The definitions are data (`indicators/definitions.toml`): 75 indicators, each computed by a formula of a small closed
//! vocabulary, entered from outside, or not computable, with the reason. Reading from the top:
//!
//! * [`Definitions`] holds them, read and checked; [`Definitions::builtin`] are those of this build.
//! * [`facts`] says what one record that counts contributes, as far as that does not depend on the time of the question.
//!   Whoever goes through the records keeps the facts by id and renews those of the records that were touched.
//! * [`Roster`] is what of the charter matters: members and seats.
//! * [`evaluate`] makes the figures of facts and roster at a time: value, verdict, coverage, evidence.
//! * [`bulletin`] is how the secretariat publishes figures, [`compare`] how anybody checks them.
//! * [`prefix`] builds the view of exactly the entries that a bulletin names.
//!
//! What is looked at are records as they count ([`crate::register`]), and of them only what every member reads. So the
//! same charter, entries, time, kinds and version of the definitions give the same figures on every node.
//!
//! * *Claimed* is what stands in any record that counts; *confirmed* the part of it that a record of another member names,
//!   or that the paying side states itself.
//! * Records with the same `once` fields are one thing stated twice and count once: of those that state the figure the one
//!   created first speaks for it, with its own figure and its own date, above and below the line of a rate. Transferred
//!   projects are not of the states that count, phases are not counted beside the whole, and the money of a joint project
//!   goes to each county by its share.
//! * *Unknown* is never a no: records that lack a figure or a date are counted beside.
//! * Values are exact; people and bulletins see them rounded half up to [`DECIMALS`] decimals. A verdict is about the
//!   exact value.

pub mod bulletin;
pub mod compare;
pub mod document;
pub mod evaluate;
pub mod prefix;

mod commitment;
mod definition;
mod facts;
mod file;
mod phase;
mod roster;
mod span;
mod verdict;

#[cfg(test)]
mod tests;

pub use commitment::Commitment;
pub use definition::{Basis, Comparator, Definitions, Indicator};
pub use evaluate::{Coverage, DutyRate, Evidence, Figure, Share, evaluate};
pub use facts::{Facts, Naming, facts};
pub use phase::Phase;
pub use roster::Roster;
pub use verdict::{Absence, Verdict};

use rust_decimal::{Decimal, RoundingStrategy};

/// Decimals of a value as people and bulletins see it.
pub const DECIMALS: u32 = 2;

/// A value as people and bulletins see it.
pub fn shown(value: Decimal) -> String {
    value.round_dp_with_strategy(DECIMALS, RoundingStrategy::MidpointAwayFromZero).normalize().to_string()
}
