//! Records between people and the log: from what a caller says to signed entries, and from entries to what is shown.
//!
//! * [`prepare`] turns requests into statements and checks every rule that needs no state.
//! * [`publish`] is the one way out: it holds the claims, checks the rules that need the state (`settle`, `standing`,
//!   `lifecycle`), and hands the drafts to the writer, all of them or none. What must not leave is refused here, whichever way it came.
//! * [`find`] resolves what people call a record by; [`list`] pages through records; [`externals`] walks one's own.
//! * `assess` judges what of a record counts and works out its state, marks and figures; `references` finds what names it.
//! * [`count`] counts records by groups; [`survey`] finds what the records of many members say together.
//! * `look` looks at records for what is derived from them.
//! * [`render`] and [`history`] say what a record is and how it became so.
//! * [`restate`] publishes again under the present key what a lost or stolen key had stated, nothing typed twice.
//! * `seal` seals what is for some readers only; [`rewrap`] finds what must be sealed anew after a key change.
//! * [`error`] names every refusal, in two languages, with the way out.

mod assess;
mod claims;
pub mod count;
pub mod erase;
pub mod error;
pub mod externals;
pub(crate) mod fields;
pub mod find;
pub mod history;
mod lifecycle;
pub mod list;
pub(crate) mod look;
pub mod prepare;
pub mod publish;
mod references;
pub mod render;
pub mod restate;
pub mod rewrap;
mod seal;
mod settle;
mod standing;
pub mod survey;
#[cfg(test)]
pub(crate) mod tests;
mod walk;
mod words;

#[cfg(test)]
pub(crate) use assess::Found;
pub(crate) use assess::{Coverage, Metered, asked, find_in, state_view};

/// Records that a page holds when the caller does not say.
pub const PAGE_RECORDS: usize = 50;
/// Most records of one page.
pub const PAGE_RECORDS_MAX: usize = 1_000;
/// Most records that one page looks at; then it ends early, with a cursor.
pub const PAGE_SCAN_MAX: usize = 200_000;
/// Work under the lock before the writer is let in: looking at a record costs 1, reading its bodies [`FOLD_COST`].
const LOCK_WORK_MAX: usize = 1_024;
/// What reading a record's bodies costs beside looking at it.
const FOLD_COST: usize = 16;
/// Newest versions that a history shows.
pub const HISTORY_VERSIONS_MAX: usize = 1_000;
/// Shortest hexadecimal beginning of an id that names a record.
pub const PREFIX_CHARACTERS_MIN: usize = 8;
/// Records that a page assesses when it looks for marked ones; then it ends early, with a cursor.
pub const PAGE_ASSESSED_MAX: usize = 5_000;
/// Records that an ambiguous reference is answered with.
pub const CANDIDATES_MAX: usize = 8;
/// Statements of one request.
pub const STATEMENTS_MAX: usize = 5_000;
/// Own numbers that one request looks up.
pub const LOOKUP_NUMBERS_MAX: usize = 1_000;
/// Refusals of one request that are told one by one.
pub const REFUSALS_SHOWN_MAX: usize = 100;
