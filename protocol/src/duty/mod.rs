//! Duties: who owes what by when, and whether it was done (requirements F037, F091, F092, C01 to C08).
//!
//! A verdict is a function of the charter, the entries that count, the time of the question and the rules, and of nothing
//! else: no clock is read, and no order of arrival matters. Outline:
//!
//! * [`rules`] reads `duties/rules.toml`: the duties and by which statements each is performed.
//! * [`calendar`] knows periods, in China time. `standing` knows from the charter who was bound when.
//! * [`ledger`] reads records, each once, into what was done by whom: independent of the time of the question.
//! * [`mod@judge`] makes verdicts of that: met, met by saying that nothing changed, late, due, overdue, escalated, exempt,
//!   or not computable, with the records that show it.
//! * [`document`] writes the page about the rules.
//!
//! A statement counts for its author, not for who inherits the record. Its time is its author's claim, which is believed
//! unless an entry before it in the same log claims a later one: who dates back gains nothing by it.

pub mod calendar;
pub mod document;
pub mod judge;
pub mod ledger;
pub mod rules;
mod standing;
#[cfg(test)]
mod tests;
mod work;

pub use calendar::{Cycle, Span};
pub use judge::{Bearing, Evidence, Holding, Question, Rate, State, Verdict, Why, acts_for, judge, rate};
pub use ledger::{Deeds, Ledger, Sources, Times};
pub use rules::{Bearer, Duty, Judged, Organ, Rules, Unchanged};
pub use standing::Exemption;
