//! The index on disk: opened, made anew, asked.

use std::path::Path;

use super::error::SearchError;
use super::query::Query;
use super::results::Results;
use super::writer::SearchWriter;

/// The index of one node. Clones share it.
#[derive(Clone)]
pub struct SearchIndex {}

/// In what condition an index was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// As it was left.
    Intact,
    /// There was none; a new one is there, and empty.
    Fresh,
    /// It was of another version of the schema; a new one is there, and empty.
    OtherVersion,
    /// It was damaged; a new one is there, and empty.
    Damaged,
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The condition. Only an intact index holds documents.
    pub condition: Condition,
    /// What the last commit was given along; empty unless the index is intact and was committed.
    pub payload: Vec<u8>,
}

impl SearchIndex {
    /// Opens the index of a directory, and makes one where there is none that can be used. All its files are read once
    /// and compared with their checksums. Damage is never an error: what is damaged goes, and the index is built anew.
    pub fn open(_directory: &Path) -> Result<(Self, Opened), SearchError> {
        Ok((Self {}, Opened { condition: Condition::Fresh, payload: Vec::new() }))
    }

    /// The writer. There is one at a time.
    pub fn writer(&self) -> Result<SearchWriter, SearchError> {
        Ok(SearchWriter {})
    }

    /// How many documents can be found.
    pub fn documents(&self) -> u64 {
        0
    }

    /// Answers a query as of a time, in milliseconds since 1970-01-01: freshness is counted from it.
    pub fn search(&self, _query: &Query, _now_ms: u64) -> Result<Results, SearchError> {
        Ok(Results::default())
    }
}
