//! One pass over what matches: it applies what is known by columns, counts, and keeps the best.
//!
//! Records come in blocks, so that columns are read for many at once. The order is by figure and then by id, so it is
//! the same however records lie in segments, and a page begins exactly behind the one before.

use std::collections::BinaryHeap;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader, TantivyError};

use super::facets::{Counter, Sums, Wanted};
use super::query::{SortBy, SortKey, Span};
use super::schema::{AMOUNT, AREA, CHANGED, CREATED, DEADLINE, FACTS, FLOOR_AREA, ID_PARTS, first_part, id_of};

/// Records that are looked at together.
const BLOCK: usize = 128;
/// Steps of one score: finer differences are those of rounding, which varies with the order of adding.
const SCORE_STEPS: f32 = 1_000.0;

/// What the pass does.
pub(super) struct Pass {
    /// Bits that the flags of a record must have, and what they must be.
    pub(super) flags: Flags,
    /// Columns with the ranges in which one of their figures must lie.
    pub(super) spans: Vec<(&'static str, Span)>,
    /// The order.
    pub(super) order: Order,
    /// How many are kept.
    pub(super) keep: usize,
    /// Behind which key.
    pub(super) after: Option<SortKey>,
    /// What is counted.
    pub(super) wanted: Option<Wanted>,
}

/// Bits that must be set.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) mask: u64,
    pub(super) wanted: u64,
}

/// What orders records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The score, best first.
    Score,
    /// A column.
    Column { name: &'static str, ascending: bool },
}

impl Order {
    /// The order that a query asks for. Without words nothing fits better than anything else.
    pub(super) fn of(by: SortBy, ascending: bool, has_words: bool) -> Self {
        let name = match by {
            SortBy::Relevance if has_words => return Self::Score,
            SortBy::Relevance => return Self::Column { name: CHANGED, ascending: false },
            SortBy::Changed => CHANGED,
            SortBy::Created => CREATED,
            SortBy::Amount => AMOUNT,
            SortBy::Area => AREA,
            SortBy::FloorArea => FLOOR_AREA,
            SortBy::Deadline => DEADLINE,
        };
        Self::Column { name, ascending }
    }

    /// The figure of a key as the document gave it.
    pub(super) fn figure(self, key: &SortKey) -> Option<i64> {
        (!key.missing).then_some(match self {
            Self::Column { ascending: true, .. } => key.value,
            _ => !key.value,
        })
    }
}

/// What the pass gives.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// How many match.
    pub(super) total: u64,
    /// The first ones behind the cursor, in order.
    pub(super) keys: Vec<SortKey>,
    /// What was counted.
    pub(super) sums: Sums,
}

impl Collector for Pass {
    type Fruit = Collected;
    type Child = SegmentPass;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentPass> {
        let columns = segment.fast_fields();
        let mut ids = Vec::new();
        for name in ID_PARTS {
            ids.push(columns.u64(name)?);
        }
        let ids = <[Column<u64>; 4]>::try_from(ids);
        let ids = ids.map_err(|_| TantivyError::InternalError("an id has four parts".to_owned()))?;
        let mut spans = Vec::new();
        for (name, span) in &self.spans {
            spans.push((columns.i64(name)?, *span));
        }
        let order = match self.order {
            Order::Score => OrderColumn::Score,
            Order::Column { name, ascending } => OrderColumn::Column { column: columns.i64(name)?, ascending },
        };
        let counter = match &self.wanted {
            Some(wanted) => Some(wanted.of(segment)?),
            None => None,
        };
        Ok(SegmentPass {
            flags: self.flags,
            fact_column: columns.u64(FACTS)?,
            spans,
            order,
            ids,
            counter,
            keep: self.keep,
            after: self.after,
            total: 0,
            best: BinaryHeap::new(),
            docs: Vec::with_capacity(BLOCK),
            scores: Vec::with_capacity(BLOCK),
            facts: Vec::with_capacity(BLOCK),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.order == Order::Score
    }

    fn merge_fruits(&self, fruits: Vec<SegmentCollected>) -> tantivy::Result<Collected> {
        let mut collected = Collected::default();
        for fruit in fruits {
            collected.total += fruit.total;
            collected.keys.extend(fruit.keys);
            if let Some(counter) = fruit.counter {
                collected.sums.add(counter);
            }
        }
        collected.keys.sort_unstable();
        collected.keys.truncate(self.keep);
        Ok(collected)
    }
}

enum OrderColumn {
    Score,
    Column { column: Column<i64>, ascending: bool },
}

/// The pass over one segment.
pub(super) struct SegmentPass {
    flags: Flags,
    fact_column: Column<u64>,
    spans: Vec<(Column<i64>, Span)>,
    order: OrderColumn,
    ids: [Column<u64>; 4],
    counter: Option<Counter>,
    keep: usize,
    after: Option<SortKey>,
    total: u64,
    /// The best so far, the worst of them on top.
    best: BinaryHeap<SortKey>,
    docs: Vec<DocId>,
    scores: Vec<Score>,
    facts: Vec<u64>,
}

/// What a segment gives.
pub(super) struct SegmentCollected {
    total: u64,
    keys: Vec<SortKey>,
    counter: Option<Counter>,
}

impl SegmentCollector for SegmentPass {
    type Fruit = SegmentCollected;

    fn collect(&mut self, doc: DocId, score: Score) {
        self.docs.push(doc);
        self.scores.push(score);
        if self.docs.len() >= BLOCK {
            self.look();
        }
    }

    fn collect_block(&mut self, docs: &[DocId]) {
        for docs in docs.chunks(BLOCK) {
            self.docs.extend_from_slice(docs);
            self.scores.resize(self.docs.len(), 0.0);
            if self.docs.len() >= BLOCK {
                self.look();
            }
        }
    }

    fn harvest(mut self) -> SegmentCollected {
        self.look();
        SegmentCollected { total: self.total, keys: self.best.into_vec(), counter: self.counter }
    }
}

impl SegmentPass {
    /// Looks at the records that have come together.
    fn look(&mut self) {
        self.facts.resize(self.docs.len(), 0);
        self.fact_column.values.get_vals(&self.docs, &mut self.facts);
        self.drop_what_fails();
        self.total += self.docs.len() as u64;
        if let Some(counter) = &mut self.counter {
            counter.add(&self.docs, &self.facts);
        }
        if self.keep > 0 {
            for index in 0..self.docs.len() {
                self.offer(self.docs[index], self.scores[index]);
            }
        }
        self.docs.clear();
        self.scores.clear();
    }

    /// Drops the records that do not pass.
    fn drop_what_fails(&mut self) {
        let Flags { mask, wanted } = self.flags;
        let mut kept = 0;
        for index in 0..self.docs.len() {
            let (doc, facts) = (self.docs[index], self.facts[index]);
            if facts & mask == wanted && self.spans.iter().all(|(column, span)| lies_within(column, *span, doc)) {
                self.docs[kept] = doc;
                self.scores[kept] = self.scores[index];
                self.facts[kept] = facts;
                kept += 1;
            }
        }
        self.docs.truncate(kept);
        self.scores.truncate(kept);
        self.facts.truncate(kept);
    }

    /// Keeps a record if it is among the first ones behind the cursor.
    fn offer(&mut self, doc: DocId, score: Score) {
        let (missing, value) = match &self.order {
            OrderColumn::Score => (false, !steps(score)),
            OrderColumn::Column { column, ascending } => figure(column, *ascending, doc),
        };
        let worst = (self.best.len() >= self.keep).then(|| self.best.peek()).flatten();
        // Most records are told by their figure; only the others need their ids read.
        if worst.is_some_and(|worst| (missing, value) > (worst.missing, worst.value))
            || self.after.is_some_and(|after| (missing, value) < (after.missing, after.value))
        {
            return;
        }
        // Many records may have the same figure: the first part of the id tells almost all of them.
        let first = self.ids[0].values.get_val(doc);
        if worst.is_some_and(|worst| (missing, value, first) > (worst.missing, worst.value, first_part(&worst.id))) {
            return;
        }
        let id = id_of(std::array::from_fn(|part| if part == 0 { first } else { self.ids[part].values.get_val(doc) }));
        let key = SortKey { missing, value, id };
        if worst.is_some_and(|worst| key > *worst) || self.after.is_some_and(|after| key <= after) {
            return;
        }
        self.best.push(key);
        if self.best.len() > self.keep {
            self.best.pop();
        }
    }
}

/// A score in steps.
fn steps(score: Score) -> i64 {
    (score * SCORE_STEPS) as i64
}

/// The figure by which a record is ordered: the smallest or largest of its figures, turned round where the largest
/// comes first.
fn figure(column: &Column<i64>, ascending: bool, doc: DocId) -> (bool, i64) {
    let figures = column.values_for_doc(doc);
    match ascending {
        true => figures.min().map_or((true, 0), |figure| (false, figure)),
        false => figures.max().map_or((true, 0), |figure| (false, !figure)),
    }
}

fn lies_within(column: &Column<i64>, span: Span, doc: DocId) -> bool {
    let (min, max) = (span.min.unwrap_or(i64::MIN), span.max.unwrap_or(i64::MAX));
    let mut is_known = false;
    for figure in column.values_for_doc(doc) {
        if (min..=max).contains(&figure) {
            return true;
        }
        is_known = true;
    }
    !is_known && span.with_unknown
}
