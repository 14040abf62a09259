//! The search index: what finds records in milliseconds on this node alone.
//!
//! It is derived from records and can always be thrown away and built anew. It holds ids, figures and what finds them,
//! no text: whoever shows a hit reads the record again, so the index may be behind and is never wrong.
//!
//! All calls block: on async threads they belong into `spawn_blocking`.

mod collect;
mod compile;
mod document;
mod error;
mod facets;
mod facts;
mod files;
mod fold;
mod highlight;
mod index;
pub mod limits;
mod names;
mod plan;
mod query;
mod results;
mod schema;
mod sounds;
mod statistics;
mod suggest;
mod tags;
mod tokenizers;
mod tokens;
mod words;
mod writer;

pub use document::{Document, FIXED_POINT};
pub use error::{CursorError, SearchError};
pub use highlight::{Highlighter, Snippet, highlight, snippet};
pub use index::{Condition, Opened, SearchIndex};
pub use limits::SCHEMA_VERSION;
pub use query::{Cursor, Facet, Filters, Limit, Query, Sort, SortBy, Span};
pub use results::{FacetCounts, FacetValue, Hit, Results};
pub use writer::{Scrubbed, SearchWriter};

#[cfg(test)]
mod tests;
