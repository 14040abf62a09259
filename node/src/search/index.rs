//! The index on disk: opened, made anew, asked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tantivy::directory::MmapDirectory;
use tantivy::query::{AllQuery, EmptyQuery, EnableScoring, Query as TantivyQuery};
use tantivy::{Index, IndexReader, ReloadPolicy, Searcher};

use super::collect::{Collected, Flags, Order, Pass};
use super::compile::{Compiler, all};
use super::error::{CursorError, SearchError};
use super::facets::{self, Tables, Wanted};
use super::facts::{OPEN, SEALED};
use super::files;
use super::limits::{PAGE_HITS_MAX, SEARCH_THREADS, SUGGESTION_HITS_MAX};
use super::plan::Plan;
use super::query::{Cursor, Query, Span};
use super::results::{Hit, Results};
use super::schema::{AMOUNT, AREA, CHANGED, DEADLINE, FLOOR_AREA, Fields, schema};
use super::statistics::Rounded;
use super::suggest;
use super::tokenizers::tokenizers;
use super::writer::SearchWriter;

/// The index of one node. Clones share it.
#[derive(Clone)]
pub struct SearchIndex {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) index: Index,
    pub(super) reader: IndexReader,
    pub(super) fields: Fields,
    pub(super) tables: Arc<Tables>,
}

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
    pub fn open(directory: &Path) -> Result<(Self, Opened), SearchError> {
        files::private_directory(directory)?;
        files::remove_unfinished(directory)?;
        let condition = match files::version(directory)? {
            files::Version::None => Condition::Fresh,
            files::Version::Unknown => Condition::Damaged,
            files::Version::Other => Condition::OtherVersion,
            files::Version::Ours => match catch_unwind(|| open_intact(directory)) {
                Ok(Ok((index, payload))) => return Ok((index, Opened { condition: Condition::Intact, payload })),
                _ => Condition::Damaged,
            },
        };
        files::remove_index(directory)?;
        let index = Self::over(Index::create_in_dir(directory, schema().0)?)?;
        files::write_version(directory)?;
        Ok((index, Opened { condition, payload: Vec::new() }))
    }

    fn over(mut index: Index) -> Result<Self, SearchError> {
        index.set_tokenizers(tokenizers());
        if SEARCH_THREADS > 1 {
            index.set_multithread_executor(SEARCH_THREADS)?;
        }
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let (_, fields) = schema();
        let tables = Arc::new(Tables::default());
        Ok(Self { inner: Arc::new(Inner { index, reader, fields, tables }) })
    }

    /// The writer. There is one at a time.
    pub fn writer(&self) -> Result<SearchWriter, SearchError> {
        SearchWriter::new(self.inner.clone())
    }

    /// How many documents can be found.
    pub fn documents(&self) -> u64 {
        self.inner.reader.searcher().num_docs()
    }

    /// Answers a query as of a time, in milliseconds since 1970-01-01: freshness is counted from it.
    pub fn search(&self, query: &Query, now_ms: u64) -> Result<Results, SearchError> {
        let answer = catch_unwind(AssertUnwindSafe(|| Asked::new(&self.inner, query, now_ms).answer()));
        answer.unwrap_or(Err(SearchError::Damaged))
    }
}

/// Opens what should be there.
fn open_intact(directory: &Path) -> Result<(SearchIndex, Vec<u8>), SearchError> {
    let mapped = MmapDirectory::open(directory).map_err(tantivy::TantivyError::from)?;
    let index = Index::open(mapped)?;
    if index.schema() != schema().0 || !index.validate_checksum()?.is_empty() {
        return Err(SearchError::Damaged);
    }
    let payload = index.load_metas()?.payload.unwrap_or_default();
    let payload = hex::decode(payload).map_err(|_| SearchError::Damaged)?;
    Ok((SearchIndex::over(index)?, payload))
}

/// A query at one state of the index.
struct Asked<'a> {
    inner: &'a Inner,
    query: &'a Query,
    searcher: Searcher,
    plan: Plan,
    order: Order,
    now_ms: i64,
}

impl<'a> Asked<'a> {
    fn new(inner: &'a Inner, query: &'a Query, now_ms: u64) -> Self {
        let plan = Plan::of(&query.words);
        let order = Order::of(query.sort.by, query.sort.ascending, !plan.units.is_empty());
        let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        Self { inner, query, searcher: inner.reader.searcher(), plan, order, now_ms }
    }

    fn answer(&self) -> Result<Results, SearchError> {
        let begun = Instant::now();
        let fingerprint = self.query.fingerprint();
        if self.query.cursor.is_some_and(|cursor| cursor.query != fingerprint) {
            return Err(CursorError::OtherQuery.into());
        }
        let units = self.plan.units.len();
        let mut collected = self.collect(units)?;
        // Half of the words first, then any; the pages behind the first find the same way by themselves.
        let fewer = [units.div_ceil(2), 1].into_iter().filter(|fewer| *fewer < units);
        let mut relaxed = false;
        let is_free = self.query.filters.only.is_none();
        for fewer in fewer.filter(|_| is_free) {
            if collected.total > 0 {
                break;
            }
            collected = self.collect(fewer)?;
            relaxed = collected.total > 0;
        }
        let did_you_mean =
            match is_free && self.query.cursor.is_none() && (relaxed || collected.total < SUGGESTION_HITS_MAX) {
                true => suggest::suggestions(&self.compiler(), &self.plan)?,
                false => Vec::new(),
            };
        let limit = self.limit();
        let has_more = collected.keys.len() > limit;
        collected.keys.truncate(limit);
        let next = collected.keys.last().filter(|_| has_more);
        Ok(Results {
            hits: collected.keys.iter().map(|key| self.hit(key)).collect(),
            total: collected.total,
            next: next.map(|key| Cursor { query: fingerprint, key: *key }),
            facets: collected.sums.answer(&self.query.facets),
            did_you_mean,
            relaxed,
            took: begun.elapsed(),
        })
    }

    fn limit(&self) -> usize {
        self.query.limit.0.clamp(1, PAGE_HITS_MAX)
    }

    fn hit(&self, key: &super::query::SortKey) -> Hit {
        let figure = self.order.figure(key);
        match self.order {
            Order::Score => Hit { id: key.id, score_milli: figure.unwrap_or(0).unsigned_abs(), sort_value: None },
            Order::Column { .. } => Hit { id: key.id, score_milli: 0, sort_value: figure },
        }
    }

    fn compiler(&self) -> Compiler<'_> {
        Compiler { fields: self.inner.fields, searcher: &self.searcher, scores: self.order == Order::Score }
    }

    /// What is found with at least so many of the units.
    fn collect(&self, at_least: usize) -> Result<Collected, SearchError> {
        let compiler = self.compiler();
        if self.plan.units.is_empty() && !self.query.words.trim().is_empty() {
            // Signs alone: nothing can be looked for, which is not the same as looking for everything.
            return Ok(self.searcher.search(&EmptyQuery, &self.pass())?);
        }
        let mut questions = compiler.filters(&self.query.filters)?;
        questions.extend(compiler.words(&self.plan, at_least)?);
        let question: Box<dyn TantivyQuery> = match questions.is_empty() {
            true => Box::new(AllQuery),
            false => all(questions),
        };
        let pass = self.pass();
        let rounded = Rounded { searcher: &self.searcher, fields: self.inner.fields };
        let scoring = match self.order == Order::Score {
            true => EnableScoring::enabled_from_statistics_provider(&rounded, &self.searcher),
            false => EnableScoring::disabled_from_searcher(&self.searcher),
        };
        let executor = self.inner.index.search_executor();
        Ok(self.searcher.search_with_executor(question.as_ref(), &pass, executor, scoring)?)
    }

    fn pass(&self) -> Pass {
        let filters = &self.query.filters;
        let figures = [
            (AMOUNT, filters.amount),
            (AREA, filters.area),
            (FLOOR_AREA, filters.floor_area),
            (DEADLINE, filters.deadline),
            (CHANGED, filters.fresh_within_days.map(|days| self.since(days))),
        ];
        let facets = &self.query.facets;
        Pass {
            flags: self.flags(),
            spans: figures.into_iter().filter_map(|(name, span)| Some((name, span?))).collect(),
            order: self.order,
            // One more than the page has, to know whether there is another.
            keep: self.limit() + 1,
            after: self.query.cursor.map(|cursor| cursor.key),
            wanted: (!facets.is_empty()).then(|| Wanted::new(facets, self.inner.tables.clone(), self.now_ms)),
        }
    }

    fn since(&self, days: u32) -> Span {
        Span { min: Some(facets::since(self.now_ms, days)), max: None, with_unknown: false }
    }

    fn flags(&self) -> Flags {
        let filters = &self.query.filters;
        let open = (!filters.include_closed).then_some((OPEN, OPEN));
        let sealed = filters.sealed.map(|sealed| (SEALED, if sealed { SEALED } else { 0 }));
        open.into_iter().chain(sealed).fold(Flags::default(), |flags, (mask, wanted)| Flags {
            mask: flags.mask | mask,
            wanted: flags.wanted | wanted,
        })
    }
}
