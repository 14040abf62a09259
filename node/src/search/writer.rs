//! The one writer of the index.

use protocol::identity::EntryId;

use super::document::Document;
use super::error::SearchError;

/// Writes documents. What it writes is found from the next commit on, and is durable from then on.
pub struct SearchWriter {}

/// What a scrub did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrubbed {
    /// Segments that held removed documents and were written anew without them.
    pub segments: usize,
    /// Files that a search still reads and that go with the next commit or scrub. Until this is nought, removed words
    /// may be on disk.
    pub files_left: usize,
}

impl SearchWriter {
    /// Puts a document in the place of the one of the same id, if there is one.
    pub fn put(&mut self, _document: &Document) -> Result<(), SearchError> {
        Ok(())
    }

    /// Removes a document.
    pub fn remove(&mut self, _id: &EntryId) -> Result<(), SearchError> {
        Ok(())
    }

    /// Removes all documents.
    pub fn clear(&mut self) -> Result<(), SearchError> {
        Ok(())
    }

    /// Makes everything so far durable and findable, together with a payload that opening gives back.
    pub fn commit(&mut self, _payload: &[u8]) -> Result<(), SearchError> {
        Ok(())
    }

    /// Writes anew what holds removed documents and deletes the former files, so that erased words do not linger on
    /// disk. Follows a commit; waits for merges.
    pub fn scrub(&mut self) -> Result<Scrubbed, SearchError> {
        Ok(Scrubbed { segments: 0, files_left: 0 })
    }
}
