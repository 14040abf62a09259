//! Matching: which records fit one another, by how much, and why.
//!
//! Pure and deterministic: whole numbers only, the same on every node that holds the same records, whoever asks. Reading
//! from the top:
//!
//! * [`Rules`] is `matching/rules.toml`, parsed and checked: which kinds are compared, which fields of each kind speak of
//!   which [`Dimension`], the weights, and the words by which texts are read.
//! * [`Profile`] is what is kept of a record: only fields that all members read, as whole numbers and bits.
//! * `judge` holds what excludes a pair and what each dimension of it is worth; `wording` says it in two languages.
//! * [`Catalogue`] holds the profiles, a [`Search`] looks through them; [`Matches`] is its answer.
//! * [`TextPairs`] compares texts, which the catalogue does not hold: it asks for those of the best candidates.
//!
//! What is not stated is not known, which is neither yes nor no: it never excludes, and counts what the rules say.

mod answer;
mod catalogue;
mod dimension;
mod exclusion;
mod figure;
mod industry;
mod judge;
mod make;
mod measure;
mod profile;
mod region;
mod rules;
mod search;
mod text;
mod wording;
mod words;

#[cfg(test)]
mod tests;

pub use answer::{Excluded, Match, Matches, Part, RuledOut};
pub use catalogue::Catalogue;
pub use dimension::Dimension;
pub use exclusion::{Exclusion, Exclusions};
pub use figure::{Figure, Slot};
pub use industry::{Industry, Level, Relation};
pub use make::texts_of;
pub use profile::Profile;
pub use region::Closeness;
pub use rules::{Pair, Rules};
pub use search::{Fresh, Piece, Question, Search, Shortlist, Sifted, Unmatchable};
pub use text::TextPairs;
pub use wording::Sentence;
