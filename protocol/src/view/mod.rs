//! The view: records as their owners last stated them (DESIGN 8).
//!
//! A view is derived from the entries that count and can always be thrown away and rebuilt. It keeps, for each
//! record, the places of the statements about it; bodies stay with the shell and are read when a record is asked
//! for. What a reader sees depends on `as_of`: an entry from the future counts in the frontier and is hidden here
//! until its time has come (DESIGN 3.8). Statements of one record are taken in the order of its owner's logs, never
//! in order of clocks.
//!
//! A node keeps all records of its federation in memory, so each takes little of it. A record is a [row](table) of
//! fixed size; everything else that is kept of each record (by id, by own number, in the order of its author's logs)
//! is a list of row numbers that is [sorted] by what stands in the rows. What only some records have lies beside the
//! rows: further statements, [links] and the [texts](names) by which these name. Who wrote a statement and who owns a
//! record follow from the logs and are not kept. An id is looked up by halves, an insertion moves at most one chunk.

mod keeper;
mod links;
mod names;
mod positions;
mod record;
mod table;
mod touched;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::sorted::{Sorted, Spot};
pub use keeper::Keeper;
pub use links::LinkFields;
use links::Links;
pub(crate) use links::texts;
pub use positions::{Advanced, Moved, News, Positions, Said};
pub use record::{Label, RecordState, Sealing, Step};
use table::{Record, Row, Table};
use touched::Concerned;
pub use touched::Touched;

use crate::address::{Addresses, KIND_ADDRESS};
use crate::charter::{LogGrant, LogNumber};
use crate::entry::VerifiedEntry;
use crate::erasure::{Acknowledgement, KIND_ACKNOWLEDGEMENT};
use crate::identity::{ContentHash, EntryId, MemberNumber, PublicKey};
use crate::lead_token::KIND_LEAD_TOKEN;
use crate::proposal::{Collection, KIND_ENDORSEMENT, KIND_PROPOSAL};
use crate::statement::{Operation, Statement};

/// Kinds below this belong to the system (DESIGN 6.2).
pub const RECORD_KINDS_FROM: u16 = 100;

/// A place in the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The log.
    pub log: LogNumber,
    /// The sequence in it.
    pub sequence: u64,
}

/// Where the shell keeps bodies.
pub trait BodySource {
    /// The body of the entry at a place, unless it is absent.
    fn body(&self, place: Place) -> Option<Arc<[u8]>>;
}

/// One statement about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Where it stands.
    pub place: Place,
    /// The entry's id.
    pub entry: EntryId,
    /// The author's claim of the time.
    pub time_ms: u64,
    /// What it does.
    pub operation: Operation,
    /// Who made it.
    pub author: MemberNumber,
    /// Which owner of the record in turn that was: 0 the first, 1 the one whom the charter gave it to, and so on.
    pub tenure: usize,
    /// The entry of another key of the author that it states again.
    pub origin: Option<EntryId>,
}

impl Version {
    /// Owners in turn, each one's statements in the order of its logs.
    fn order(&self) -> (usize, Place) {
        (self.tenure, self.place)
    }
}

/// An owner's own number of a record of a kind.
type Number = (MemberNumber, u16, String);

/// Why an entry says nothing about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// Its body is not here.
    NoBody,
    /// Its body does not decode; the log goes on (DESIGN 3.9).
    Quarantined,
    /// Its body was erased.
    Erased,
    /// It speaks of a record of another member or another kind.
    NotOwner,
}

/// Every record, and every statement that could not be placed.
#[derive(Debug, Clone, Default)]
pub struct View {
    records: Table,
    /// Statements whose record has not been created yet, as far as this node knows.
    early: BTreeMap<EntryId, Vec<Early>>,
    /// Creates of each member, in the order of its logs.
    creates: BTreeMap<MemberNumber, Vec<Row>>,
    /// Records that are found by their owner's own numbers, in the order of owner, kind and number.
    externals: Sorted<Row>,
    /// Every record of the numbers that were given more than once.
    doubles: BTreeMap<Number, BTreeSet<EntryId>>,
    aside: BTreeMap<Place, Aside>,
    /// The last addresses that each member stated for each of its transport keys.
    addresses: BTreeMap<(MemberNumber, PublicKey), (Place, Vec<String>)>,
    collection: Collection,
    /// Members that have carried out an erasure, by the erasing entry or block.
    acknowledgements: BTreeMap<ContentHash, BTreeSet<MemberNumber>>,
    /// Creates that state again what another key of their author had stated, by what they restate.
    restated: BTreeMap<EntryId, BTreeMap<MemberNumber, (Place, EntryId)>>,
    /// The logs as the charter grants them: who writes each, and who owns its records.
    logs: Vec<LogGrant>,
    links: Links,
    /// Entries by which members look for duplicate leads.
    lead_tokens: BTreeSet<Place>,
}

/// A statement that waits for its record.
#[derive(Debug, Clone)]
struct Early {
    kind: u16,
    charter: u32,
    version: Version,
}

impl View {
    /// Tells the view which logs there are. Where the owner of records changes, the view must be built anew.
    pub fn set_logs(&mut self, logs: &[LogGrant]) {
        self.logs = logs.to_vec();
    }

    /// Tells the view which fields name other records. It must be told before it takes in anything.
    pub fn set_links(&mut self, fields: Arc<LinkFields>) {
        self.links.fields = fields;
    }

    /// Records that name, or once named, the record that goes by these names; who asks checks what stands there now.
    pub fn naming(&self, id: Option<EntryId>, own: Option<(MemberNumber, u16, String)>) -> BTreeSet<EntryId> {
        let own = own.as_ref().map(|(owner, kind, external)| (*owner, *kind, external.as_str()));
        let naming = self.links.naming(id, id.and_then(|id| self.label(&id)), own);
        naming.into_iter().flat_map(|beginning| self.records.ids_beginning(beginning)).collect()
    }

    /// The record of `kind` that a text in a link field of `owner` names: by own number, label or id.
    pub fn named(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<EntryId> {
        let own = self.by_external(owner, kind, text);
        let found = own.or_else(|| text.parse().ok()).or_else(|| self.by_label(text.parse().ok()?))?;
        self.owner(&found).filter(|(_, found)| *found == kind).map(|_| found)
    }

    fn author(&self, log: LogNumber) -> MemberNumber {
        self.logs.get(log as usize).map_or(MemberNumber(0), |grant| grant.member)
    }

    fn owner_of(&self, log: LogNumber) -> MemberNumber {
        self.logs.get(log as usize).map_or(MemberNumber(0), LogGrant::owner)
    }

    /// Takes in the place of an entry that counts and whose body was erased. `creates` is what the erasure says of it.
    pub fn insert_erased(&mut self, place: Place, entry: &VerifiedEntry, creates: bool) {
        self.take_in_erased(place, entry, creates);
    }

    fn take_in_erased(&mut self, place: Place, entry: &VerifiedEntry, creates: bool) -> Concerned {
        let header = entry.header();
        if header.kind < RECORD_KINDS_FROM || !creates {
            self.aside.insert(place, Aside::Erased);
            return Concerned::default();
        }
        let author = self.author(place.log);
        let (operation, time_ms) = (Operation::Create, header.time_ms);
        let version = Version { place, entry: entry.id(), time_ms, operation, author, tenure: 0, origin: None };
        self.create(header.kind, None, version, true)
    }

    /// Takes in an entry that counts. Each entry is taken in once; entries of one log come in order.
    pub fn insert(&mut self, place: Place, entry: &VerifiedEntry) {
        self.take_in(place, entry);
    }

    /// The same, with what of the records that are here is another now.
    fn take_in(&mut self, place: Place, entry: &VerifiedEntry) -> Concerned {
        let kind = entry.header().kind;
        let author = self.author(place.log);
        if kind < RECORD_KINDS_FROM {
            self.insert_system(place, author, entry);
            return Concerned::default();
        }
        let Some(body) = entry.body() else {
            self.aside.insert(place, Aside::NoBody);
            return Concerned::default();
        };
        let Ok(statement) = Statement::decode(body) else {
            self.aside.insert(place, Aside::Quarantined);
            return Concerned::default();
        };
        self.aside.remove(&place);
        let owner = self.logs.get(place.log as usize).map_or(author, LogGrant::owner);
        self.links.note(owner, kind, statement.record.unwrap_or(entry.id()), &statement.fields);
        let (operation, time_ms, origin) = (statement.operation, entry.header().time_ms, statement.origin);
        let version = Version { place, entry: entry.id(), time_ms, operation, author, tenure: 0, origin };
        match statement.record {
            None => self.create(kind, statement.external, version, false),
            Some(record) => {
                self.change(record, Early { kind, charter: entry.header().charter, version });
                Concerned { record: Some(record), ..Concerned::default() }
            }
        }
    }

    /// Of the system kinds, which are no records, those that a view speaks of.
    fn insert_system(&mut self, place: Place, author: MemberNumber, entry: &VerifiedEntry) {
        match entry.header().kind {
            KIND_ADDRESS => self.note_address(place, author, entry),
            KIND_PROPOSAL | KIND_ENDORSEMENT => {
                let read = self.collection.insert(place, author, entry);
                if !read {
                    self.aside.insert(place, Aside::Quarantined);
                }
            }
            KIND_ACKNOWLEDGEMENT => {
                let Some(body) = entry.body() else { return };
                match Acknowledgement::decode(body) {
                    Ok(stated) => stated.erasures.into_iter().for_each(|erasure| {
                        self.acknowledgements.entry(erasure).or_default().insert(author);
                    }),
                    Err(_) => drop(self.aside.insert(place, Aside::Quarantined)),
                }
            }
            KIND_LEAD_TOKEN => drop(self.lead_tokens.insert(place)),
            _ => {}
        }
    }

    /// Where tokens of leads stand in a log, from a sequence on; erased ones are none. Their bodies may be missing.
    pub fn lead_tokens(&self, log: LogNumber, from: u64) -> impl Iterator<Item = Place> + '_ {
        let (from, until) = (Place { log, sequence: from }, Place { log, sequence: u64::MAX });
        self.lead_tokens.range(from..=until).copied()
    }

    /// Proposals for the charter, and who signed them.
    pub fn collection(&self) -> &Collection {
        &self.collection
    }

    /// Members whose nodes have carried out an erasure, by its entry's id or its block's hash.
    pub fn acknowledged(&self, erasure: &ContentHash) -> impl Iterator<Item = MemberNumber> + '_ {
        self.acknowledgements.get(erasure).into_iter().flatten().copied()
    }

    /// The record that states again what the entry `origin` had stated, if one member alone says so.
    pub fn restated(&self, origin: &EntryId) -> Option<EntryId> {
        let mut claims = self.restated.get(origin)?.values();
        claims.next().filter(|_| claims.next().is_none()).map(|(_, id)| *id)
    }

    /// Whether a record's create was erased: its label stands, and nothing else of it.
    pub fn is_erased(&self, id: &EntryId) -> bool {
        self.records.get(id).is_some_and(|record| record.erased)
    }

    fn note_address(&mut self, place: Place, member: MemberNumber, entry: &VerifiedEntry) {
        let Some(body) = entry.body().filter(|_| entry.header().kind == KIND_ADDRESS) else { return };
        let Ok(stated) = Addresses::decode(body) else {
            self.aside.insert(place, Aside::Quarantined);
            return;
        };
        let key = (member, stated.transport);
        if self.addresses.get(&key).is_none_or(|(held, _)| *held < place) {
            self.addresses.insert(key, (place, stated.addresses));
        }
    }

    /// Addresses that members stated for transport keys. Whether a key is the member's is for the charter to say.
    pub fn addresses(&self) -> impl Iterator<Item = (MemberNumber, PublicKey, &[String])> {
        self.addresses.iter().map(|((member, key), (_, addresses))| (*member, *key, addresses.as_slice()))
    }

    fn create(&mut self, kind: u16, external: Option<String>, version: Version, erased: bool) -> Concerned {
        let (id, author) = (version.entry, version.author);
        let row = self.records.create(kind, external.as_deref(), &version, erased);
        let creates = self.creates.entry(author).or_default();
        let position = creates.partition_point(|held| self.records.at(*held).place() < version.place);
        let shifted = (position < creates.len()).then_some((author, position));
        creates.insert(position, row);
        let number = external.as_deref();
        let former = number.and_then(|external| self.note_external(kind, external, version.place, row));
        if let Some(origin) = version.origin {
            // Of two that restate one entry the first in log order keeps it, whichever body arrived first.
            let claim = self.restated.entry(origin).or_default().entry(author).or_insert((version.place, id));
            *claim = (*claim).min((version.place, id));
        }
        for early in self.early.remove(&id).unwrap_or_default() {
            self.change(id, early);
        }
        Concerned { record: Some(id), former, shifted, doubled: None }
    }

    /// Of two creates with one number the first in log order keeps it, whichever arrived first. The record that loses its
    /// number, if one does.
    fn note_external(&mut self, kind: u16, external: &str, place: Place, row: Row) -> Option<EntryId> {
        let owner = self.owner_of(place.log);
        let spot = match self.find_external(owner, kind, external) {
            Ok(spot) => spot,
            Err(spot) => {
                self.externals.insert(spot, row);
                return None;
            }
        };
        let earlier = self.externals.get(spot).map(|held| self.records.at(held))?;
        let (loses, earlier) = (place < earlier.place(), earlier.id);
        self.doubles.entry((owner, kind, external.to_owned())).or_default().extend([earlier, self.records.at(row).id]);
        if !loses {
            return None;
        }
        self.externals.replace(spot, row);
        Some(earlier)
    }

    /// Where the record of a member's own number stands among [`Self::externals`], or would belong.
    fn find_external(&self, owner: MemberNumber, kind: u16, external: &str) -> Result<Spot, Spot> {
        self.externals.find(|row| {
            let record = self.records.at(row);
            let held = (self.owner_of(record.place().log), record.kind, self.records.external(record));
            held.cmp(&(owner, kind, Some(external)))
        })
    }

    fn change(&mut self, id: EntryId, stated: Early) {
        let Some(row) = self.records.row(&id) else {
            self.early.entry(id).or_default().push(stated);
            return;
        };
        let Early { kind, charter, mut version } = stated;
        let record = self.records.at(row);
        let grant = self.logs.get(record.place().log as usize);
        let tenure = grant.and_then(|grant| grant.tenure(version.author, charter));
        let (Some(tenure), true) = (tenure, record.kind == kind) else {
            self.aside.insert(version.place, Aside::NotOwner);
            return;
        };
        version.tenure = tenure;
        if !self.records.change(row, &version) {
            self.aside.insert(version.place, Aside::NotOwner);
        }
    }

    /// Records that were created by `as_of_ms`, in the order of their ids.
    pub fn ids(&self, as_of_ms: u64) -> impl Iterator<Item = EntryId> + '_ {
        self.records.rows().filter(move |record| record.time_ms <= as_of_ms).map(|record| record.id)
    }

    /// Records of one kind, or of all, newest create first by label: members in order, each one's serials descending.
    pub fn list(&self, kind: Option<u16>, owner: Option<MemberNumber>) -> impl Iterator<Item = EntryId> + '_ {
        let wanted = move |record: &&Record| {
            !record.erased
                && kind.is_none_or(|kind| record.kind == kind)
                && owner.is_none_or(|owner| self.owner_of(record.place().log) == owner)
        };
        // A member has few records among all: those of others are not looked at, whoever holds their logs by now.
        let authors = owner.map(|owner| {
            let held = self.logs.iter().filter(|log| log.owner() == owner);
            held.map(|log| log.member).collect::<BTreeSet<MemberNumber>>()
        });
        let asked = move |author: &MemberNumber| authors.as_ref().is_none_or(|authors| authors.contains(author));
        let by_author = self.creates.iter().filter(move |(author, _)| asked(author));
        let creates = by_author.flat_map(|(_, creates)| creates.iter().rev());
        creates.map(|row| self.records.at(*row)).filter(wanted).map(|record| record.id)
    }

    /// The statements about a record that were made by `as_of_ms`.
    pub fn versions(&self, id: &EntryId, as_of_ms: u64) -> Vec<Version> {
        let Some(record) = self.records.get(id).filter(|record| record.time_ms <= as_of_ms) else { return Vec::new() };
        self.records.versions(record, as_of_ms, |log| self.author(log))
    }

    /// A record as it stood at `as_of_ms`; `None` if it did not exist, or a body of its is missing.
    pub fn record(&self, id: &EntryId, as_of_ms: u64, bodies: &dyn BodySource) -> Option<RecordState> {
        let versions = self.versions(id, as_of_ms);
        self.fold(id, &versions, bodies)
    }

    /// A record as the first `versions` of its statements leave it.
    pub fn fold(&self, id: &EntryId, versions: &[Version], bodies: &dyn BodySource) -> Option<RecordState> {
        self.fold_counting(id, versions, bodies, &mut |_| true)
    }

    /// The same, where `counts` says of each statement whether it is taken in.
    pub fn fold_counting(
        &self,
        id: &EntryId,
        versions: &[Version],
        bodies: &dyn BodySource,
        counts: &mut dyn FnMut(&Step<'_>) -> bool,
    ) -> Option<RecordState> {
        let record = self.records.get(id)?;
        let first = versions.first()?;
        let mut state = RecordState {
            id: *id,
            label: self.label(id)?,
            kind: record.kind,
            kind_set: 0,
            external: self.records.external(record).map(str::to_owned),
            fields: BTreeMap::new(),
            created_ms: first.time_ms,
            changed_ms: first.time_ms,
            versions: versions.len(),
            withdrawn: None,
            sealing: None,
        };
        for version in versions {
            let statement = Statement::decode(&bodies.body(version.place)?).ok()?;
            if counts(&Step { before: &state, version, statement: &statement }) {
                state.apply(version, statement);
            }
        }
        Some(state)
    }

    /// The label of a record.
    pub fn label(&self, id: &EntryId) -> Option<Label> {
        let place = self.records.get(id)?.place();
        let member = self.author(place.log);
        let creates = self.creates.get(&member)?;
        let position = creates.binary_search_by_key(&place, |row| self.records.at(*row).place()).ok()?;
        Some(Label { member, serial: position as u64 + 1 })
    }

    /// The record of a label.
    pub fn by_label(&self, label: Label) -> Option<EntryId> {
        let index = usize::try_from(label.serial.checked_sub(1)?).ok()?;
        self.creates.get(&label.member)?.get(index).map(|row| self.records.at(*row).id)
    }

    /// The own number that a record's create states in clear.
    pub fn external(&self, id: &EntryId) -> Option<&str> {
        self.records.external(self.records.get(id)?)
    }

    /// The record of a member's own number.
    pub fn by_external(&self, owner: MemberNumber, kind: u16, external: &str) -> Option<EntryId> {
        let spot = self.find_external(owner, kind, external).ok()?;
        self.externals.get(spot).map(|row| self.records.at(row).id)
    }

    /// Records whose ids begin with these hexadecimal characters; at most `bound`.
    pub fn by_prefix(&self, prefix: &str, bound: usize) -> Vec<EntryId> {
        let Ok(from) = format!("{prefix:0<64}").parse() else { return Vec::new() };
        // Capitals are read as well, and match nothing.
        self.records.ids_from(from).take_while(|id| id.to_string().starts_with(prefix)).take(bound).collect()
    }

    /// Where a record was created.
    pub fn place(&self, id: &EntryId) -> Option<Place> {
        self.records.get(id).map(Record::place)
    }

    /// Whose record it is, and of which kind.
    pub fn owner(&self, id: &EntryId) -> Option<(MemberNumber, u16)> {
        self.records.get(id).map(|record| (self.owner_of(record.place().log), record.kind))
    }

    /// How many records there are, withdrawn and future ones included.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.len() == 0
    }

    /// Entries that say nothing about a record, and why.
    pub fn aside(&self) -> &BTreeMap<Place, Aside> {
        &self.aside
    }

    /// BLAKE3 over everything that a reader could see at `as_of_ms`: equal views have equal digests.
    pub fn digest(&self, as_of_ms: u64, bodies: &dyn BodySource) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"xianmeng/view/1");
        let ids: BTreeSet<EntryId> = self.ids(as_of_ms).collect();
        for id in ids {
            hasher.update(id.as_bytes());
            hasher.update(format!("{:?}", self.owner(&id)).as_bytes());
            // The derived `Debug` form is complete and ordered; it never leaves this function but as a hash.
            hasher.update(format!("{:?}", self.record(&id, as_of_ms, bodies)).as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod touched_tests;
