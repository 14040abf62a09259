//! How rare words are, in round figures.
//!
//! A score depends on how many records have a word. Taken exactly, one record more would move every score a little, and
//! a second page would repeat or skip what stood at the end of the first. Taken in powers of two, scores stay while
//! records come in, and the order is hardly another.

use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

use super::schema::Fields;

/// Words of a title with its names, and of texts, as they are taken to be on average.
const TITLE_WORDS: u64 = 12;
const TEXT_WORDS: u64 = 40;

/// The figures of a searcher, rounded.
pub(super) struct Rounded<'a> {
    pub(super) searcher: &'a Searcher,
    pub(super) fields: Fields,
}

impl Bm25StatisticsProvider for Rounded<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        let words = if field == self.fields.title_words { TITLE_WORDS } else { TEXT_WORDS };
        Ok(self.total_num_docs()?.saturating_mul(words))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.searcher.total_num_docs()?.next_power_of_two())
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let frequency = self.searcher.doc_freq(term)?;
        Ok(frequency.next_power_of_two().min(self.total_num_docs()?))
    }
}
