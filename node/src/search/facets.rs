//! Counting what is found by what it is.
//!
//! Kind, owner, place and industry stand in one figure for each record, so counting them is reading one column and
//! adding to arrays. States and the values of the kinds' own facets are columns of ordinals. What an ordinal stands for
//! differs between segments; a table for each segment says it, and is kept as long as the segment is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::charter::Class;
use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::{DocId, SegmentReader};

use super::facts::{self, SEVERAL};
use super::limits::FACET_VALUES_MAX;
use super::names;
use super::query::Facet;
use super::results::{FacetCounts, FacetValue};
use super::schema::{CHANGED, COUNTED, INDUSTRIES, PLACES, STATE};
use super::tags;

/// Days within which freshness is counted.
const FRESH_DAYS: [u32; 4] = [7, 30, 90, 365];
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Numbers of places and of industries.
const NUMBERS: usize = SEVERAL as usize + 1;

/// The texts of a column, in the order of their ordinals.
type Table = Arc<[Arc<str>]>;

/// What the ordinals of each segment stand for, by segment and column.
#[derive(Debug, Default)]
pub(super) struct Tables {
    of_segments: Mutex<HashMap<(SegmentId, &'static str), Table>>,
}

impl Tables {
    /// The table of a column, read when it is first needed.
    fn of(&self, segment: &SegmentReader, name: &'static str, column: &StrColumn) -> tantivy::Result<Table> {
        let key = (segment.segment_id(), name);
        if let Some(table) = self.of_segments.lock().get(&key) {
            return Ok(table.clone());
        }
        let mut texts: Vec<Arc<str>> = Vec::with_capacity(column.num_terms());
        let mut stream = column.dictionary().stream()?;
        while stream.advance() {
            texts.push(String::from_utf8_lossy(stream.key()).into());
        }
        let table: Table = texts.into();
        self.of_segments.lock().insert(key, table.clone());
        Ok(table)
    }

    /// Forgets the segments that are no more.
    pub(super) fn retain(&self, segments: &[SegmentReader]) {
        let mut tables = self.of_segments.lock();
        tables.retain(|(id, _), _| segments.iter().any(|segment| segment.segment_id() == *id));
    }
}

/// What is to be counted.
#[derive(Clone)]
pub(super) struct Wanted {
    facets: BTreeSet<Facet>,
    tables: Arc<Tables>,
    now_ms: i64,
}

impl Wanted {
    pub(super) fn new(facets: &[Facet], tables: Arc<Tables>, now_ms: i64) -> Self {
        Self { facets: facets.iter().cloned().collect(), tables, now_ms }
    }

    fn has(&self, facets: &[Facet]) -> bool {
        facets.iter().any(|facet| self.facets.contains(facet))
    }

    /// The counter of a segment.
    pub(super) fn of(&self, segment: &SegmentReader) -> tantivy::Result<Counter> {
        let columns = segment.fast_fields();
        let texts = |name: &'static str| -> tantivy::Result<Option<Ordinals>> {
            let Some(column) = columns.str(name)? else { return Ok(None) };
            let table = self.tables.of(segment, name, &column)?;
            Ok(Some(Ordinals { column: column.ords().clone(), counts: vec![0; table.len()], table }))
        };
        let stems = |name| {
            tantivy::Result::Ok(Stems {
                several: columns.u64(name)?,
                single: vec![0; NUMBERS],
                upper: vec![0; NUMBERS],
            })
        };
        let wants_places = self.has(&[Facet::Province, Facet::Prefecture, Facet::County]);
        let wants_industries = self.has(&[Facet::IndustrySection, Facet::IndustryDivision]);
        let wants_fields = self.facets.iter().any(|facet| matches!(facet, Facet::Field(_) | Facet::Fields));
        Ok(Counter {
            kinds: self.has(&[Facet::Kind]).then(Vec::new),
            classes: self.has(&[Facet::OwnerClass]).then(Vec::new),
            owners: self.has(&[Facet::Owner]).then(Vec::new),
            places: if wants_places { Some(stems(PLACES)?) } else { None },
            industries: if wants_industries { Some(stems(INDUSTRIES)?) } else { None },
            states: if self.has(&[Facet::State]) { texts(STATE)? } else { None },
            fields: if wants_fields { texts(COUNTED)? } else { None },
            fresh: if self.has(&[Facet::Freshness]) { Some((columns.i64(CHANGED)?, [0; 4])) } else { None },
            since_ms: FRESH_DAYS.map(|days| since(self.now_ms, days)),
            scratch: Scratch::default(),
        })
    }
}

/// Counts what is found in one segment.
pub(super) struct Counter {
    kinds: Option<Vec<u64>>,
    classes: Option<Vec<u64>>,
    owners: Option<Vec<u64>>,
    places: Option<Stems>,
    industries: Option<Stems>,
    states: Option<Ordinals>,
    fields: Option<Ordinals>,
    fresh: Option<(Column<i64>, [u64; 4])>,
    since_ms: [i64; 4],
    scratch: Scratch,
}

/// Counts of places or industries by their numbers.
struct Stems {
    /// For records of several, which.
    several: Column<u64>,
    /// Records of this one only.
    single: Vec<u64>,
    /// Records of several, by what these are counted as.
    upper: Vec<u64>,
}

/// Counts of texts by their ordinals.
struct Ordinals {
    column: Column<u64>,
    table: Table,
    counts: Vec<u64>,
}

/// Room that is used again for each block.
#[derive(Default)]
struct Scratch {
    docs: Vec<DocId>,
    rows: Vec<u32>,
    values: Vec<u64>,
}

impl Counter {
    /// Counts records of which the facts are known.
    pub(super) fn add(&mut self, docs: &[DocId], facts: &[u64]) {
        if let Some(kinds) = &mut self.kinds {
            facts.iter().for_each(|facts| count(kinds, usize::from(facts::kind(*facts))));
        }
        if let Some(classes) = &mut self.classes {
            facts.iter().for_each(|facts| count(classes, facts::class(*facts)));
        }
        if let Some(owners) = &mut self.owners {
            facts.iter().for_each(|facts| count(owners, facts::owner(*facts) as usize));
        }
        if let Some(places) = &mut self.places {
            let numbers = facts.iter().map(|facts| facts::place(*facts));
            places.add(docs.iter().copied().zip(numbers), names::division_uppers);
        }
        if let Some(industries) = &mut self.industries {
            let numbers = facts.iter().map(|facts| facts::industry(*facts));
            industries.add(docs.iter().copied().zip(numbers), names::industry_uppers);
        }
        for ordinals in [&mut self.states, &mut self.fields].into_iter().flatten() {
            ordinals.add(docs, &mut self.scratch);
        }
        if let Some((changed, counts)) = &mut self.fresh {
            for doc in docs {
                let changed_ms = changed.values.get_val(*doc);
                for (count, since_ms) in counts.iter_mut().zip(self.since_ms) {
                    *count += u64::from(changed_ms >= since_ms);
                }
            }
        }
    }
}

impl Stems {
    fn add(&mut self, numbers: impl Iterator<Item = (DocId, u16)>, uppers: fn(u16) -> &'static [u16]) {
        for (doc, number) in numbers {
            if number != SEVERAL {
                self.single[usize::from(number)] += 1;
                continue;
            }
            let several = self.several.values_for_doc(doc).filter_map(|number| u16::try_from(number).ok());
            // A record of two counties of one province counts once for it.
            let upper: BTreeSet<u16> = several.flat_map(|number| uppers(number).iter().copied()).collect();
            for number in upper {
                count(&mut self.upper, usize::from(number));
            }
        }
    }
}

impl Ordinals {
    fn add(&mut self, docs: &[DocId], scratch: &mut Scratch) {
        scratch.docs.clear();
        scratch.rows.clear();
        self.column.row_ids_for_docs(docs, &mut scratch.docs, &mut scratch.rows);
        scratch.values.resize(scratch.rows.len(), 0);
        self.column.values.get_vals(&scratch.rows, &mut scratch.values);
        for ordinal in &scratch.values {
            if let Some(count) = self.counts.get_mut(*ordinal as usize) {
                *count += 1;
            }
        }
    }

    fn add_to(self, sums: &mut HashMap<Arc<str>, u64>) {
        for (text, count) in self.table.iter().zip(self.counts).filter(|(_, count)| *count > 0) {
            *sums.entry(text.clone()).or_default() += count;
        }
    }
}

/// Adds one to a count of a list that grows as needed.
fn count(counts: &mut Vec<u64>, index: usize) {
    if index >= counts.len() {
        counts.resize(index + 1, 0);
    }
    counts[index] += 1;
}

/// What was counted in all segments together.
#[derive(Debug, Default)]
pub(super) struct Sums {
    kinds: Vec<u64>,
    classes: Vec<u64>,
    owners: Vec<u64>,
    places: Vec<u64>,
    industries: Vec<u64>,
    states: HashMap<Arc<str>, u64>,
    fields: HashMap<Arc<str>, u64>,
    fresh: [u64; 4],
}

impl Sums {
    pub(super) fn add(&mut self, counter: Counter) {
        add_all(&mut self.kinds, &counter.kinds.unwrap_or_default());
        add_all(&mut self.classes, &counter.classes.unwrap_or_default());
        add_all(&mut self.owners, &counter.owners.unwrap_or_default());
        let stems = [
            (&mut self.places, counter.places, names::division_uppers as fn(u16) -> &'static [u16]),
            (&mut self.industries, counter.industries, names::industry_uppers),
        ];
        for (sums, stems, uppers) in stems {
            let Some(stems) = stems else { continue };
            add_all(sums, &stems.upper);
            for (number, count) in (0..).zip(stems.single).filter(|(_, count)| *count > 0) {
                for upper in uppers(number) {
                    sums[usize::from(*upper)] += count;
                }
            }
        }
        if let Some(states) = counter.states {
            states.add_to(&mut self.states);
        }
        if let Some(fields) = counter.fields {
            fields.add_to(&mut self.fields);
        }
        for (sum, count) in self.fresh.iter_mut().zip(counter.fresh.map_or([0; 4], |(_, counts)| counts)) {
            *sum += count;
        }
    }

    /// What was asked to be counted.
    pub(super) fn answer(&self, wanted: &[Facet]) -> Vec<FacetCounts> {
        wanted.iter().flat_map(|facet| self.of_facet(facet)).collect()
    }

    fn of_facet(&self, facet: &Facet) -> Vec<FacetCounts> {
        let values: Vec<(String, u64)> = match facet {
            Facet::Kind => of_numbers(&self.kinds, |kind| Some(kind.to_string())),
            Facet::Owner => of_numbers(&self.owners, |owner| (owner > 0).then(|| owner.to_string())),
            Facet::OwnerClass => of_numbers(&self.classes, class_name),
            Facet::Province => self.of_places(|code| code.ends_with("0000")),
            Facet::Prefecture => self.of_places(|code| code.ends_with("00") && !code.ends_with("0000")),
            Facet::County => self.of_places(|code| !code.ends_with("00")),
            Facet::IndustrySection => self.of_industries(1),
            Facet::IndustryDivision => self.of_industries(2),
            Facet::State => {
                let states = self.states.iter().filter(|(state, _)| !state.is_empty());
                states.map(|(state, count)| (state.to_string(), *count)).collect()
            }
            Facet::Freshness => return vec![self.of_freshness()],
            Facet::Field(field) => self.of_fields().remove(field.as_str()).unwrap_or_default(),
            Facet::Fields => {
                let fields = self.of_fields().into_iter();
                return fields.map(|(field, values)| ranked(Facet::Field(field.to_owned()), values)).collect();
            }
        };
        vec![ranked(facet.clone(), values)]
    }

    fn of_places(&self, is_level: impl Fn(&str) -> bool) -> Vec<(String, u64)> {
        let code = |number: usize| names::division_of(u16::try_from(number).ok()?).filter(|code| is_level(code));
        of_numbers(&self.places, |number| code(number).map(str::to_owned))
    }

    fn of_industries(&self, length: usize) -> Vec<(String, u64)> {
        let code = |number: usize| names::industry_of(u16::try_from(number).ok()?).filter(|code| code.len() == length);
        of_numbers(&self.industries, |number| code(number).map(str::to_owned))
    }

    /// The values of each field with their counts.
    fn of_fields(&self) -> BTreeMap<&str, Vec<(String, u64)>> {
        let mut fields: BTreeMap<&str, Vec<(String, u64)>> = BTreeMap::new();
        for (text, count) in &self.fields {
            if let Some((field, value)) = tags::split_facet(text) {
                fields.entry(field).or_default().push((value.to_owned(), *count));
            }
        }
        fields
    }

    fn of_freshness(&self) -> FacetCounts {
        let values = FRESH_DAYS.iter().zip(self.fresh);
        let values = values.map(|(days, count)| FacetValue { value: days.to_string(), count }).collect();
        FacetCounts { facet: Facet::Freshness, values, more: false }
    }
}

fn add_all(sums: &mut Vec<u64>, counts: &[u64]) {
    sums.resize(sums.len().max(counts.len()), 0);
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum += count;
    }
}

/// The counts above nought, each with what its place in the list stands for.
fn of_numbers(counts: &[u64], value: impl Fn(usize) -> Option<String>) -> Vec<(String, u64)> {
    let counted = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    counted.filter_map(|(number, count)| Some((value(number)?, *count))).collect()
}

fn class_name(number: usize) -> Option<String> {
    Class::ALL.into_iter().find(|class| *class as usize == number).map(|class| class.name().to_owned())
}

/// The most frequent values first, and of equally frequent ones the smaller.
fn ranked(facet: Facet, mut values: Vec<(String, u64)>) -> FacetCounts {
    values.sort_unstable_by(|(left, many), (right, few)| few.cmp(many).then_with(|| left.cmp(right)));
    let more = values.len() > FACET_VALUES_MAX;
    values.truncate(FACET_VALUES_MAX);
    FacetCounts { facet, values: values.into_iter().map(|(value, count)| FacetValue { value, count }).collect(), more }
}

/// The time that lies so many days before another.
pub(super) fn since(now_ms: i64, days: u32) -> i64 {
    now_ms.saturating_sub(i64::from(days) * DAY_MS)
}
