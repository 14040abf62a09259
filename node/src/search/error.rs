//! Why the index cannot do what it was asked to do.

use std::path::PathBuf;

use tantivy::TantivyError;
use thiserror::Error;

/// What can go wrong with the index. None of it concerns the records: an index can always be thrown away.
#[derive(Debug, Error)]
pub enum SearchError {
    /// A file or directory cannot be read or written.
    #[error("cannot access {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The index itself fails; it should be built anew.
    #[error("the search index fails")]
    Index(#[from] TantivyError),
    /// Reading the index ended in a panic, as damaged files can make it; it should be built anew.
    #[error("the search index is damaged")]
    Damaged,
    /// A filter names a division that no table has.
    #[error("{0} is no division")]
    UnknownDivision(String),
    /// A filter names an industry that no table has.
    #[error("{0} is no industry")]
    UnknownIndustry(String),
    /// A filter has too many values.
    #[error("a filter has more than {max} values")]
    TooManyValues {
        /// How many it may have.
        max: usize,
    },
    /// The cursor is none, or of another query.
    #[error(transparent)]
    Cursor(#[from] CursorError),
}

/// Why a text is no cursor of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CursorError {
    /// It is no cursor.
    #[error("is no cursor")]
    Malformed,
    /// It belongs to a query with other words, filters or order.
    #[error("the cursor belongs to another query")]
    OtherQuery,
}
