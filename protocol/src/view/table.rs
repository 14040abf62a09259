//! The records of a view, kept small: a node holds all records of its federation in memory.
//!
//! A record is a row of fixed size, named by its number; indexes hold such numbers in order instead of keys of their
//! own. What only some records have lies beside the rows: their own numbers one behind the other in one text, and the
//! statements after the create. Who wrote a statement follows from its log, and is not kept.

use std::collections::BTreeMap;

use super::links::{Beginning, beginning_of};
use super::{Place, Version};
use crate::charter::LogNumber;
use crate::identity::{EntryId, MemberNumber};
use crate::limits::EXTERNAL_BYTES_MAX;
use crate::sorted::{Sorted, Spot};
use crate::statement::Operation;

const _: () = assert!(EXTERNAL_BYTES_MAX <= u8::MAX as usize, "the length of an own number is kept in one byte");

/// The number of a record, in order of arrival.
pub(super) type Row = u32;

/// The first bytes of an id, in its order.
type IdStart = u32;

fn id_start(id: &EntryId) -> IdStart {
    id.0.iter().take(4).fold(0, |sum, byte| (sum << 8) | IdStart::from(*byte))
}

/// What is known of a record without reading a body.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: EntryId,
    sequence: u64,
    pub(super) time_ms: u64,
    log: LogNumber,
    /// Where its further statements are, counted from 1; 0 without any.
    further: u32,
    external_at: u64,
    external_bytes: u8,
    pub(super) kind: u16,
    /// Whether the body of its create was erased.
    pub(super) erased: bool,
}

impl Record {
    /// Where it was created.
    pub(super) fn place(&self) -> Place {
        Place { log: self.log, sequence: self.sequence }
    }
}

/// A statement after the create.
#[derive(Debug, Clone)]
struct Further {
    entry: EntryId,
    sequence: u64,
    time_ms: u64,
    log: LogNumber,
    tenure: u32,
    operation: Operation,
}

impl Further {
    fn order(&self) -> (usize, Place) {
        (self.tenure as usize, Place { log: self.log, sequence: self.sequence })
    }
}

/// Every record.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    rows: Vec<Record>,
    /// With the first bytes of each id, so that most comparisons need no look at the row.
    by_id: Sorted<(IdStart, Row)>,
    externals: String,
    further: Vec<Vec<Further>>,
    /// What entries state again, of those that do.
    origins: BTreeMap<EntryId, EntryId>,
}

impl Table {
    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row of an id.
    pub(super) fn row(&self, id: &EntryId) -> Option<Row> {
        self.find(id).ok().and_then(|spot| self.by_id.get(spot)).map(|(_, row)| row)
    }

    fn find(&self, id: &EntryId) -> Result<Spot, Spot> {
        let start = id_start(id);
        self.by_id.find(|(held, row)| held.cmp(&start).then_with(|| self.at(row).id.cmp(id)))
    }

    /// The record of an id.
    pub(super) fn get(&self, id: &EntryId) -> Option<&Record> {
        self.row(id).map(|row| self.at(row))
    }

    /// The record of a row.
    pub(super) fn at(&self, row: Row) -> &Record {
        &self.rows[row as usize]
    }

    /// The own number that a record's create states in clear.
    pub(super) fn external(&self, record: &Record) -> Option<&str> {
        let from = usize::try_from(record.external_at).ok()?;
        self.externals.get(from..from + usize::from(record.external_bytes)).filter(|text| !text.is_empty())
    }

    /// Rows in the order of their ids.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Record> {
        self.by_id.iter().map(|(_, row)| self.at(row))
    }

    /// Ids from `from` on, in order.
    pub(super) fn ids_from(&self, from: EntryId) -> impl Iterator<Item = EntryId> + '_ {
        let (Ok(spot) | Err(spot)) = self.find(&from);
        self.by_id.from(spot).map(|(_, row)| self.at(row).id)
    }

    /// Ids that begin with these bytes: one, as a rule.
    pub(super) fn ids_beginning(&self, beginning: Beginning) -> impl Iterator<Item = EntryId> + '_ {
        let mut from = EntryId::ZERO;
        from.0[..size_of::<Beginning>()].copy_from_slice(&beginning.to_be_bytes());
        self.ids_from(from).take_while(move |id| beginning_of(id.as_bytes()) == beginning)
    }

    /// Adds a record that its create leaves. Nothing changes when it is there already.
    pub(super) fn create(&mut self, kind: u16, external: Option<&str>, version: &Version, erased: bool) -> Row {
        let row = Row::try_from(self.rows.len()).expect("four thousand million records do not fit into memory");
        let spot = match self.find(&version.entry) {
            Ok(spot) => return self.by_id.get(spot).map_or(row, |(_, row)| row),
            Err(spot) => spot,
        };
        let external = external.filter(|text| text.len() <= EXTERNAL_BYTES_MAX).unwrap_or_default();
        self.rows.push(Record {
            id: version.entry,
            sequence: version.place.sequence,
            time_ms: version.time_ms,
            log: version.place.log,
            further: 0,
            external_at: self.externals.len() as u64,
            external_bytes: external.len() as u8,
            kind,
            erased,
        });
        self.externals.push_str(external);
        self.by_id.insert(spot, (id_start(&version.entry), row));
        self.note_origin(version);
        row
    }

    /// Adds a statement about a record, in its order; false when it would come before the create.
    pub(super) fn change(&mut self, row: Row, version: &Version) -> bool {
        let record = &mut self.rows[row as usize];
        if version.order() < (0, record.place()) {
            return false;
        }
        if record.further == 0 {
            self.further.push(Vec::new());
            record.further = u32::try_from(self.further.len()).expect("there are fewer of them than rows");
        }
        let list = &mut self.further[record.further as usize - 1];
        let position = list.partition_point(|held| held.order() < version.order());
        // Most records have few statements: room for four would be wasted on them.
        if list.len() == list.capacity() {
            list.reserve_exact(1 + list.len() / 2);
        }
        let further = Further {
            entry: version.entry,
            sequence: version.place.sequence,
            time_ms: version.time_ms,
            log: version.place.log,
            tenure: u32::try_from(version.tenure).unwrap_or(u32::MAX),
            operation: version.operation,
        };
        list.insert(position, further);
        self.note_origin(version);
        true
    }

    fn note_origin(&mut self, version: &Version) {
        if let Some(origin) = version.origin {
            self.origins.insert(version.entry, origin);
        }
    }

    /// The statements about a record that were made by `as_of_ms`, in the order of the owners' logs. `author` says who
    /// writes a log.
    pub(super) fn versions(
        &self,
        record: &Record,
        as_of_ms: u64,
        author: impl Fn(LogNumber) -> MemberNumber,
    ) -> Vec<Version> {
        let version = |entry: EntryId, place: Place, time_ms, operation, tenure| {
            let (author, origin) = (author(place.log), self.origins.get(&entry).copied());
            Version { place, entry, time_ms, operation, author, tenure, origin }
        };
        let create = version(record.id, record.place(), record.time_ms, Operation::Create, 0);
        let further = record.further.checked_sub(1).and_then(|index| self.further.get(index as usize));
        let further = further.into_iter().flatten().filter(|held| held.time_ms <= as_of_ms).map(|held| {
            let (tenure, place) = held.order();
            version(held.entry, place, held.time_ms, held.operation, tenure)
        });
        std::iter::once(create).chain(further).collect()
    }
}
