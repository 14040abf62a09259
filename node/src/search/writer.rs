//! The one writer of the index.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use protocol::identity::EntryId;
use tantivy::indexer::IndexWriterOptions;
use tantivy::merge_policy::{LogMergePolicy, NoMergePolicy};
use tantivy::{IndexWriter, Term};

use super::document::Document;
use super::error::SearchError;
use super::index::Inner;
use super::limits::{
    MERGE_THREADS, REMEMBERED_MAX, SCRUB_ROUNDS_MAX, SCRUB_WAIT_MS, WRITER_HEAP_BYTES, WRITER_THREADS,
};

/// The file that names the segments.
const META: &str = "meta.json";
/// Part of a segment's documents that may be removed ones before it is written anew.
const REMOVED_PART_MAX: f32 = 0.25;

/// Writes documents. What it writes is found from the next commit on, and is durable from then on.
pub struct SearchWriter {
    inner: Arc<Inner>,
    writer: IndexWriter,
    /// What was put since the last commit, if it is known.
    put: Option<HashSet<EntryId>>,
}

/// What a scrub did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrubbed {
    /// Segments that held removed documents and were written anew without them.
    pub segments: usize,
    /// Segments and files that could not go yet, because a search reads them or a merge holds them. While this is not
    /// nought, removed words may be on disk, and the scrub should be repeated.
    pub left: usize,
}

impl SearchWriter {
    pub(super) fn new(inner: Arc<Inner>) -> Result<Self, SearchError> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(WRITER_THREADS)
            .num_merge_threads(MERGE_THREADS)
            .memory_budget_per_thread(WRITER_HEAP_BYTES / WRITER_THREADS)
            .build();
        let writer = inner.index.writer_with_options(options)?;
        let this = Self { inner, writer, put: Some(HashSet::new()) };
        this.merge_as_usual();
        Ok(this)
    }

    fn merge_as_usual(&self) {
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(REMOVED_PART_MAX);
        self.writer.set_merge_policy(Box::new(policy));
    }

    /// Puts a document in the place of the one of the same id, if there is one.
    pub fn put(&mut self, document: &Document) -> Result<(), SearchError> {
        let key = self.inner.fields.key(&document.id);
        if self.may_have(&document.id, &key)? {
            self.writer.delete_term(key);
        }
        self.remember(document.id);
        self.writer.add_document(self.inner.fields.values(document))?;
        Ok(())
    }

    /// Removes a document.
    pub fn remove(&mut self, id: &EntryId) -> Result<(), SearchError> {
        self.writer.delete_term(self.inner.fields.key(id));
        Ok(())
    }

    /// Removes all documents, also those that were put and not committed.
    pub fn clear(&mut self) -> Result<(), SearchError> {
        self.writer.rollback()?;
        self.merge_as_usual();
        self.writer.delete_all_documents()?;
        self.put = Some(HashSet::new());
        Ok(())
    }

    /// Makes everything so far durable and findable, together with a payload that opening gives back.
    pub fn commit(&mut self, payload: &[u8]) -> Result<(), SearchError> {
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(&hex::encode(payload));
        commit.commit()?;
        self.put = Some(HashSet::new());
        self.reload()
    }

    /// Writes anew what holds removed documents and deletes the former files, so that erased words do not linger on
    /// disk. Follows a commit, and loses nothing that was put since; waits for merges.
    pub fn scrub(&mut self) -> Result<Scrubbed, SearchError> {
        self.writer.set_merge_policy(Box::new(NoMergePolicy));
        let scrubbed = self.scrub_alone();
        self.merge_as_usual();
        scrubbed
    }

    /// A scrub while no other merge begins.
    fn scrub_alone(&mut self) -> Result<Scrubbed, SearchError> {
        let mut segments = 0;
        for _ in 0..SCRUB_ROUNDS_MAX {
            let with_removed = self.inner.index.searchable_segment_metas()?;
            let with_removed = with_removed.iter().filter(|segment| segment.has_deletes());
            let with_removed: Vec<_> = with_removed.map(tantivy::SegmentMeta::id).collect();
            for segment in &with_removed {
                // A merge that was running may have taken the segment away; what it made is looked at next.
                segments += usize::from(self.writer.merge(&[*segment]).wait().is_ok());
            }
            self.reload()?;
            self.writer.garbage_collect_files().wait()?;
            let left = with_removed.len() + self.files_left()?;
            if left == 0 {
                return Ok(Scrubbed { segments, left });
            }
            std::thread::sleep(Duration::from_millis(SCRUB_WAIT_MS));
        }
        Ok(Scrubbed { segments, left: self.files_left()?.max(1) })
    }

    /// Ends writing: what was not committed is lost, and merges that are under way come to their end. Dropping the
    /// writer gives merges up instead, which loses nothing either.
    pub fn close(self) -> Result<(), SearchError> {
        Ok(self.writer.wait_merging_threads()?)
    }

    /// Files of segments that are no more.
    fn files_left(&self) -> Result<usize, SearchError> {
        let segments = self.inner.index.searchable_segment_ids()?;
        let living: HashSet<String> = segments.iter().map(tantivy::index::SegmentId::uuid_string).collect();
        let is_left = |path: &std::path::Path| {
            let name = path.to_string_lossy();
            let segment = name.split_once('.').map_or("", |(segment, _)| segment);
            name != META && !living.contains(segment) && self.is_there(path)
        };
        let managed = self.inner.index.directory().list_managed_files();
        Ok(managed.iter().filter(|path| is_left(path)).count())
    }

    fn is_there(&self, path: &std::path::Path) -> bool {
        use tantivy::Directory;
        self.inner.index.directory().exists(path).unwrap_or(true)
    }

    /// Whether there may be a document of that id. Taking one away that never was costs time and memory until the next
    /// commit, which an index that is built anew would pay for every record.
    fn may_have(&self, id: &EntryId, key: &Term) -> Result<bool, SearchError> {
        let is_new = self.put.as_ref().is_some_and(|put| !put.contains(id));
        Ok(!is_new || self.inner.reader.searcher().doc_freq(key)? > 0)
    }

    fn remember(&mut self, id: EntryId) {
        if let Some(put) = &mut self.put {
            put.insert(id);
        }
        // What is too much to remember is not known any more: everything may be there then.
        if self.put.as_ref().is_some_and(|put| put.len() > REMEMBERED_MAX) {
            self.put = None;
        }
    }

    /// Lets searches see what was committed, and the files of what is no more go.
    fn reload(&self) -> Result<(), SearchError> {
        self.inner.reader.reload()?;
        self.inner.tables.retain(self.inner.reader.searcher().segment_readers());
        Ok(())
    }
}
