//! What is found.

use std::time::Duration;

use protocol::identity::EntryId;

use super::query::{Cursor, Facet};

/// An answer of the index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    /// The hits of this page, in order.
    pub hits: Vec<Hit>,
    /// How many records are found on all pages together.
    pub total: u64,
    /// What was asked to be counted over all that is found, in the order in which it was asked for.
    pub facets: Vec<FacetCounts>,
    /// Where the next page begins; nothing when this is the last.
    pub next: Option<Cursor>,
    /// What may have been meant, when few or none are found: whole texts to search for.
    pub did_you_mean: Vec<String>,
    /// Whether nothing has all the words, and these are records that have some.
    pub relaxed: bool,
    /// How long it took.
    pub took: Duration,
}

/// One record that is found. The index stores no text: whoever shows it reads the record again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The record.
    pub id: EntryId,
    /// How well the words fit, in thousandths; comparable within one query only. Nought without words.
    pub score_milli: u64,
    /// The figure that it is ordered by, as the document gave it.
    pub sort_value: Option<i64>,
}

/// How often each value of a facet occurs among all that is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetCounts {
    /// What was counted; [`Facet::Fields`] comes as one [`Facet::Field`] for each field.
    pub facet: Facet,
    /// The most frequent values, by falling count and then by value.
    pub values: Vec<FacetValue>,
    /// Whether there are more values than are listed.
    pub more: bool,
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    /// The value: a code, a number or a name.
    pub value: String,
    /// How many records have it.
    pub count: u64,
}
