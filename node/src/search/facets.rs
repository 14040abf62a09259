//! Counting what is found by its tags.
//!
//! Each record has its tags as one column of ordinals, so counting is adding to an array. What an ordinal stands for
//! differs between segments; a table for each segment says it, and is kept as long as the segment is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tantivy::columnar::Column;
use tantivy::index::SegmentId;
use tantivy::{DocId, SegmentReader};

use super::limits::FACET_VALUES_MAX;
use super::query::Facet;
use super::results::{FacetCounts, FacetValue};
use super::schema::COUNTED;
use super::tags;

/// Days within which freshness is counted.
pub(super) const FRESH_DAYS: [u32; 4] = [7, 30, 90, 365];
/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// What the ordinals of each segment stand for.
#[derive(Debug, Default)]
pub(super) struct FacetTables {
    of_segments: Mutex<HashMap<SegmentId, Arc<[Arc<str>]>>>,
}

impl FacetTables {
    /// The table of a segment, read when it is first needed.
    fn of(&self, segment: &SegmentReader, column: &tantivy::columnar::StrColumn) -> tantivy::Result<Arc<[Arc<str>]>> {
        if let Some(table) = self.of_segments.lock().get(&segment.segment_id()) {
            return Ok(table.clone());
        }
        let mut terms: Vec<Arc<str>> = Vec::with_capacity(column.num_terms());
        let mut stream = column.dictionary().stream()?;
        while stream.advance() {
            terms.push(String::from_utf8_lossy(stream.key()).into());
        }
        let table: Arc<[Arc<str>]> = terms.into();
        self.of_segments.lock().insert(segment.segment_id(), table.clone());
        Ok(table)
    }

    /// Forgets the segments that are no more.
    pub(super) fn retain(&self, segments: &[SegmentReader]) {
        let mut tables = self.of_segments.lock();
        tables.retain(|id, _| segments.iter().any(|segment| segment.segment_id() == *id));
    }
}

/// Counts the tags of one segment.
pub(super) struct Counted {
    ordinals: Column<u64>,
    table: Arc<[Arc<str>]>,
    counts: Vec<u32>,
    docs: Vec<DocId>,
    rows: Vec<u32>,
    values: Vec<u64>,
}

impl Counted {
    /// The counter of a segment; none when nothing in it has tags.
    pub(super) fn open(segment: &SegmentReader, tables: &FacetTables) -> tantivy::Result<Option<Self>> {
        let Some(column) = segment.fast_fields().str(COUNTED)? else { return Ok(None) };
        let table = tables.of(segment, &column)?;
        let (ordinals, counts) = (column.ords().clone(), vec![0; table.len()]);
        Ok(Some(Self { ordinals, table, counts, docs: Vec::new(), rows: Vec::new(), values: Vec::new() }))
    }

    pub(super) fn add(&mut self, docs: &[DocId]) {
        self.docs.clear();
        self.rows.clear();
        self.ordinals.row_ids_for_docs(docs, &mut self.docs, &mut self.rows);
        self.values.resize(self.rows.len(), 0);
        self.ordinals.values.get_vals(&self.rows, &mut self.values);
        for ordinal in &self.values {
            if let Some(count) = self.counts.get_mut(*ordinal as usize) {
                *count += 1;
            }
        }
    }

    pub(super) fn counts(self) -> SegmentCounts {
        SegmentCounts { table: Some(self.table), counts: self.counts }
    }
}

/// How often each tag occurs in a segment.
#[derive(Default)]
pub(super) struct SegmentCounts {
    table: Option<Arc<[Arc<str>]>>,
    counts: Vec<u32>,
}

/// How often each tag occurs, by the first character of the tags.
pub(super) type Sums = BTreeMap<char, HashMap<Arc<str>, u64>>;

impl SegmentCounts {
    /// Adds the counts of the tags that begin with some characters.
    pub(super) fn add_to(self, prefixes: &BTreeSet<char>, sums: &mut Sums) {
        let table = self.table.as_deref().unwrap_or_default();
        for prefix in prefixes {
            let begins = |order: char| table.partition_point(|term| term.chars().next() < Some(order));
            let range = begins(*prefix)..begins(char::from_u32(*prefix as u32 + 1).unwrap_or(char::MAX));
            let counted = table[range.clone()].iter().zip(&self.counts[range]).filter(|(_, count)| **count > 0);
            let of_prefix = sums.entry(*prefix).or_default();
            for (term, count) in counted {
                *of_prefix.entry(term.clone()).or_default() += u64::from(*count);
            }
        }
    }
}

/// Counting what changed within so many days before a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Freshness {
    pub(super) now_ms: i64,
}

impl Freshness {
    pub(super) fn of_segment(self, changed: Column<i64>) -> SegmentFreshness {
        SegmentFreshness { changed, now_ms: self.now_ms, counts: vec![0; FRESH_DAYS.len()] }
    }
}

pub(super) struct SegmentFreshness {
    changed: Column<i64>,
    now_ms: i64,
    counts: Vec<u64>,
}

impl SegmentFreshness {
    pub(super) fn add(&mut self, docs: &[DocId]) {
        for doc in docs {
            let changed_ms = self.changed.values.get_val(*doc);
            for (count, days) in self.counts.iter_mut().zip(FRESH_DAYS) {
                *count += u64::from(changed_ms >= since(self.now_ms, days));
            }
        }
    }

    pub(super) fn counts(self) -> Vec<u64> {
        self.counts
    }
}

/// The time that lies so many days before another.
pub(super) fn since(now_ms: i64, days: u32) -> i64 {
    now_ms.saturating_sub(i64::from(days) * DAY_MS)
}

/// The first characters of the tags that are counted for a facet.
pub(super) fn prefix(facet: &Facet) -> Option<char> {
    match facet {
        Facet::Kind => Some(tags::KIND),
        Facet::Province => Some(tags::PROVINCE),
        Facet::Prefecture => Some(tags::PREFECTURE),
        Facet::County => Some(tags::COUNTY),
        Facet::IndustrySection => Some(tags::INDUSTRY_SECTION),
        Facet::IndustryDivision => Some(tags::INDUSTRY_DIVISION),
        Facet::State => Some(tags::STATE),
        Facet::OwnerClass => Some(tags::OWNER_CLASS),
        Facet::Owner => Some(tags::OWNER),
        Facet::Field(_) | Facet::Fields => Some(tags::FIELD),
        Facet::Freshness => None,
    }
}

/// What was asked to be counted, from the sums of all tags.
pub(super) fn answer(wanted: &[Facet], sums: &Sums, fresh: &[u64]) -> Vec<FacetCounts> {
    wanted.iter().flat_map(|facet| of_facet(facet, sums, fresh)).collect()
}

fn of_facet(facet: &Facet, sums: &Sums, fresh: &[u64]) -> Vec<FacetCounts> {
    let Some(prefix) = prefix(facet) else { return vec![of_freshness(fresh)] };
    let counts = sums.get(&prefix).into_iter().flatten();
    let values = counts.filter_map(|(term, count)| Some((term.strip_prefix(prefix)?, *count)));
    match facet {
        Facet::Field(field) => vec![ranked(facet.clone(), by_field(values).remove(field.as_str()).unwrap_or_default())],
        Facet::Fields => {
            let fields = by_field(values).into_iter();
            fields.map(|(field, counts)| ranked(Facet::Field(field.to_owned()), counts)).collect()
        }
        _ => vec![ranked(facet.clone(), values.collect())],
    }
}

/// The values of each field with their counts.
fn by_field<'a>(values: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<&'a str, Vec<(&'a str, u64)>> {
    let mut fields: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
    for (term, count) in values {
        if let Some((field, value)) = tags::split_facet(term) {
            fields.entry(field).or_default().push((value, count));
        }
    }
    fields
}

/// The most frequent values first, and of equally frequent ones the smaller.
fn ranked(facet: Facet, mut values: Vec<(&str, u64)>) -> FacetCounts {
    values.sort_unstable_by(|(left, many), (right, few)| few.cmp(many).then_with(|| left.cmp(right)));
    let more = values.len() > FACET_VALUES_MAX;
    values.truncate(FACET_VALUES_MAX);
    let values = values.into_iter().map(|(value, count)| FacetValue { value: value.to_owned(), count });
    FacetCounts { facet, values: values.collect(), more }
}

fn of_freshness(fresh: &[u64]) -> FacetCounts {
    let counts = fresh.iter().copied().chain(std::iter::repeat(0));
    let values = FRESH_DAYS.iter().zip(counts).map(|(days, count)| FacetValue { value: days.to_string(), count });
    FacetCounts { facet: Facet::Freshness, values: values.collect(), more: false }
}
