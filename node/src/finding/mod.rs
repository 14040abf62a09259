//! Finding records: from a question as people ask it, over the search index, to records that are read again.
//!
//! * [`question`] reads a [`crate::api::types::SearchQuery`]: names of kinds, states and places, figures with their units,
//!   conditions on fields.
//! * [`answer`] asks the index and reads every hit again as it stands now: what is gone is left out.
//! * [`passages`] shows where the words stand.
//! * [`watch`] tells of new and changed results; [`watches`] keeps questions under names.

pub mod answer;
mod error;
mod passages;
pub mod question;
pub mod watch;
pub mod watches;

pub use error::FindingError;

/// Records of a page unless the caller says otherwise.
pub const PAGE_FOUND: usize = 20;
/// Most records of a page.
pub const PAGE_FOUND_MAX: usize = 100;
/// Hits that are read for one page where conditions are judged record by record; then it ends early, with a cursor.
pub const PAGE_READ_MAX: usize = 2_000;
/// Times that the index is asked for one page, where conditions that it does not know drop most of what it finds.
pub const PAGE_PASSES_MAX: usize = 32;
/// Passages that show why a record was found.
pub const PASSAGES_MAX: usize = 3;
/// Characters of words.
pub const WORDS_CHARACTERS_MAX: usize = 256;
/// Values of one list of a question.
pub const VALUES_MAX: usize = 64;
/// Watches of a node.
pub const WATCHES_MAX: usize = 64;
/// Characters of a watch's name.
pub const WATCH_NAME_CHARACTERS_MAX: usize = 64;
/// Entries that a watch looks at in one go: each costs a body under the lock.
pub const WATCH_ENTRIES: usize = 64;
/// Results that a watch remembers, for a listener that lost the connection.
pub const WATCH_RECENT_MAX: usize = 256;
/// Statements from the future that a watch waits for.
pub const WATCH_LATER_MAX: usize = 256;
/// Questions without a name that can be taken up again by a listener that lost the connection.
pub const NAMELESS_MAX: usize = 32;
