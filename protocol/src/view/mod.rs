//! The view: records as their owners last stated them (DESIGN 8).
//!
//! A view is derived from the entries that count and can always be thrown away and rebuilt. It keeps, for each
//! record, the places of the statements about it; bodies stay with the shell and are read when a record is asked
//! for. What a reader sees depends on `as_of`: an entry from the future counts in the frontier and is hidden here
//! until its time has come (DESIGN 3.8). Statements of one record are taken in the order of its owner's logs, never
//! in order of clocks.

mod keeper;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use keeper::Keeper;

use crate::address::{Addresses, KIND_ADDRESS};
use crate::charter::LogNumber;
use crate::entry::VerifiedEntry;
use crate::identity::{EntryId, MemberNumber, PublicKey};
use crate::statement::{FIELD_REASON, Operation, Statement};
use crate::value::Value;

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
}

/// What the view knows of a record without reading a body.
#[derive(Debug, Clone)]
struct Record {
    owner: MemberNumber,
    kind: u16,
    external: Option<String>,
    /// In the order of the owner's logs; the create comes first.
    versions: Vec<Version>,
}

/// A record as it stood at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordState {
    /// Its id.
    pub id: EntryId,
    /// `42-7`: the seventh create of member 42.
    pub label: Label,
    /// Its kind.
    pub kind: u16,
    /// The kind set of its last statement.
    pub kind_set: u16,
    /// Its author's own number.
    pub external: Option<String>,
    /// Its fields.
    pub fields: BTreeMap<u16, Value>,
    /// When it was created, by its author's clock.
    pub created_ms: u64,
    /// When it was last changed, by its author's clock.
    pub changed_ms: u64,
    /// Visible statements about it.
    pub versions: usize,
    /// Set when it is withdrawn, with the reason if one was given.
    pub withdrawn: Option<Option<String>>,
}

/// The name of a record for people: derived, and the same on every node with the same entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The owner.
    pub member: MemberNumber,
    /// Position among its creates, from 1.
    pub serial: u64,
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.member, self.serial)
    }
}

impl std::str::FromStr for Label {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (member, serial) = text.split_once('-').ok_or(())?;
        let member = MemberNumber(member.parse().map_err(|_| ())?);
        Ok(Self { member, serial: serial.parse().map_err(|_| ())? })
    }
}

/// Why an entry says nothing about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// Its body is not here.
    NoBody,
    /// Its body does not decode; the log goes on (DESIGN 3.9).
    Quarantined,
    /// It speaks of a record of another member or another kind.
    NotOwner,
}

/// Every record, and every statement that could not be placed.
#[derive(Debug, Clone, Default)]
pub struct View {
    records: BTreeMap<EntryId, Record>,
    /// Statements whose record has not been created yet, as far as this node knows.
    early: BTreeMap<EntryId, Vec<(MemberNumber, u16, Version)>>,
    /// Creates of each member, in the order of its logs.
    creates: BTreeMap<MemberNumber, Vec<(Place, EntryId)>>,
    externals: BTreeMap<(MemberNumber, u16, String), EntryId>,
    aside: BTreeMap<Place, Aside>,
    /// The last addresses that each member stated for each of its transport keys.
    addresses: BTreeMap<(MemberNumber, PublicKey), (Place, Vec<String>)>,
}

impl View {
    /// Takes in an entry that counts. Each entry is taken in once; entries of one log come in order.
    ///
    /// Of the system kinds, which are no records, addresses are kept and the others change nothing here.
    pub fn insert(&mut self, place: Place, member: MemberNumber, entry: &VerifiedEntry) {
        let kind = entry.header().kind;
        if kind < RECORD_KINDS_FROM {
            self.note_address(place, member, entry);
            return;
        }
        let Some(body) = entry.body() else {
            self.aside.insert(place, Aside::NoBody);
            return;
        };
        let Ok(statement) = Statement::decode(body) else {
            self.aside.insert(place, Aside::Quarantined);
            return;
        };
        self.aside.remove(&place);
        let (operation, time_ms) = (statement.operation, entry.header().time_ms);
        let version = Version { place, entry: entry.id(), time_ms, operation };
        match statement.record {
            None => self.create(member, kind, statement.external, version),
            Some(record) => self.change(record, member, kind, version),
        }
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

    fn create(&mut self, owner: MemberNumber, kind: u16, external: Option<String>, version: Version) {
        let id = version.entry;
        let creates = self.creates.entry(owner).or_default();
        let position = creates.partition_point(|(place, _)| *place < version.place);
        creates.insert(position, (version.place, id));
        if let Some(external) = &external {
            self.note_external(owner, kind, external, version.place, id);
        }
        self.records.insert(id, Record { owner, kind, external, versions: vec![version] });
        for (member, kind, early) in self.early.remove(&id).unwrap_or_default() {
            self.change(id, member, kind, early);
        }
    }

    /// Of two creates with one number the first in log order keeps it, whichever arrived first.
    fn note_external(&mut self, owner: MemberNumber, kind: u16, external: &str, place: Place, id: EntryId) {
        let key = (owner, kind, external.to_owned());
        let earlier = self.externals.get(&key).and_then(|held| self.records.get(held));
        if earlier.is_none_or(|held| place < held.versions[0].place) {
            self.externals.insert(key, id);
        }
    }

    fn change(&mut self, id: EntryId, member: MemberNumber, kind: u16, version: Version) {
        let Some(record) = self.records.get_mut(&id) else {
            self.early.entry(id).or_default().push((member, kind, version));
            return;
        };
        if record.owner != member || record.kind != kind || version.place < record.versions[0].place {
            self.aside.insert(version.place, Aside::NotOwner);
            return;
        }
        let position = record.versions.partition_point(|held| held.place < version.place);
        record.versions.insert(position, version);
    }

    /// Records that were created by `as_of_ms`, in the order of their ids.
    pub fn ids(&self, as_of_ms: u64) -> impl Iterator<Item = EntryId> + '_ {
        let visible = move |record: &&Record| record.versions[0].time_ms <= as_of_ms;
        self.records.values().filter(visible).map(|record| record.versions[0].entry)
    }

    /// Records of one kind, or of all, newest create first by label: members in order, each one's serials descending.
    pub fn list(&self, kind: Option<u16>, owner: Option<MemberNumber>) -> impl Iterator<Item = EntryId> + '_ {
        let owned = move |member: &MemberNumber| owner.is_none_or(|owner| owner == *member);
        let creates = self.creates.iter().filter(move |(member, _)| owned(member));
        let ids = creates.flat_map(|(_, creates)| creates.iter().rev().map(|(_, id)| *id));
        ids.filter(move |id| kind.is_none_or(|kind| self.records.get(id).is_some_and(|record| record.kind == kind)))
    }

    /// The statements about a record that were made by `as_of_ms`.
    pub fn versions(&self, id: &EntryId, as_of_ms: u64) -> Vec<Version> {
        let Some(record) = self.records.get(id) else { return Vec::new() };
        if record.versions[0].time_ms > as_of_ms {
            return Vec::new();
        }
        record.versions.iter().filter(|version| version.time_ms <= as_of_ms).copied().collect()
    }

    /// A record as it stood at `as_of_ms`; `None` if it did not exist, or a body of its is missing.
    pub fn record(&self, id: &EntryId, as_of_ms: u64, bodies: &dyn BodySource) -> Option<RecordState> {
        let versions = self.versions(id, as_of_ms);
        self.fold(id, &versions, bodies)
    }

    /// A record as the first `versions` of its statements leave it.
    pub fn fold(&self, id: &EntryId, versions: &[Version], bodies: &dyn BodySource) -> Option<RecordState> {
        let record = self.records.get(id)?;
        let first = versions.first()?;
        let mut state = RecordState {
            id: *id,
            label: self.label(id)?,
            kind: record.kind,
            kind_set: 0,
            external: record.external.clone(),
            fields: BTreeMap::new(),
            created_ms: first.time_ms,
            changed_ms: first.time_ms,
            versions: versions.len(),
            withdrawn: None,
        };
        for version in versions {
            let statement = Statement::decode(&bodies.body(version.place)?).ok()?;
            state.apply(version, statement);
        }
        Some(state)
    }

    /// The label of a record.
    pub fn label(&self, id: &EntryId) -> Option<Label> {
        let record = self.records.get(id)?;
        let creates = self.creates.get(&record.owner)?;
        let position = creates.binary_search_by_key(&record.versions[0].place, |(place, _)| *place).ok()?;
        Some(Label { member: record.owner, serial: position as u64 + 1 })
    }

    /// The record of a label.
    pub fn by_label(&self, label: Label) -> Option<EntryId> {
        let index = usize::try_from(label.serial.checked_sub(1)?).ok()?;
        self.creates.get(&label.member)?.get(index).map(|(_, id)| *id)
    }

    /// The record of a member's own number.
    pub fn by_external(&self, owner: MemberNumber, kind: u16, external: &str) -> Option<EntryId> {
        self.externals.get(&(owner, kind, external.to_owned())).copied()
    }

    /// Records whose ids begin with these hexadecimal characters; at most `bound`.
    pub fn by_prefix(&self, prefix: &str, bound: usize) -> Vec<EntryId> {
        let matches = |id: &&EntryId| id.to_string().starts_with(prefix);
        self.records.keys().filter(matches).take(bound).copied().collect()
    }

    /// Where a record was created.
    pub fn place(&self, id: &EntryId) -> Option<Place> {
        self.records.get(id).map(|record| record.versions[0].place)
    }

    /// Whose record it is, and of which kind.
    pub fn owner(&self, id: &EntryId) -> Option<(MemberNumber, u16)> {
        self.records.get(id).map(|record| (record.owner, record.kind))
    }

    /// How many records there are, withdrawn and future ones included.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
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
            // The derived `Debug` form is complete and ordered; it never leaves this function but as a hash.
            hasher.update(format!("{:?}", self.record(&id, as_of_ms, bodies)).as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

impl RecordState {
    fn apply(&mut self, version: &Version, statement: Statement) {
        self.kind_set = statement.kind_set;
        self.changed_ms = version.time_ms;
        match version.operation {
            Operation::Create | Operation::Revise => {
                self.fields.retain(|number, _| !statement.cleared.contains(number));
                self.fields.extend(statement.fields);
                self.fields.remove(&FIELD_REASON);
            }
            Operation::Withdraw => {
                let reason = match statement.fields.get(&FIELD_REASON) {
                    Some(Value::Text(reason)) => Some(reason.clone()),
                    _ => None,
                };
                self.withdrawn = Some(reason);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::{Charter, Class};
    use crate::testing::{FOUNDED_MS, Organisation};

    #[derive(Default)]
    struct Desk {
        view: View,
        bodies: BTreeMap<Place, Arc<[u8]>>,
    }

    impl BodySource for Desk {
        fn body(&self, place: Place) -> Option<Arc<[u8]>> {
            self.bodies.get(&place).cloned()
        }
    }

    impl Desk {
        fn insert(&mut self, member: u32, entry: &VerifiedEntry) {
            let place = Place { log: member - 1, sequence: entry.header().sequence };
            self.bodies.insert(place, entry.body().expect("the entry has a body").clone());
            self.view.insert(place, MemberNumber(member), entry);
        }

        fn record(&self, id: EntryId, as_of_ms: u64) -> Option<RecordState> {
            self.view.record(&id, as_of_ms, self)
        }
    }

    fn title(text: &str) -> BTreeMap<u16, Value> {
        BTreeMap::from([(1, Value::Text(text.into()))])
    }

    fn world() -> (Charter, Organisation, Organisation) {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", Class::County, 2);
        secretariat.admit(&mut charter, &county);
        (charter, secretariat, county)
    }

    const NOW: u64 = FOUNDED_MS + 10_000;

    fn body(statement: Statement) -> Vec<u8> {
        statement.encode().expect("the statement keeps every rule")
    }

    #[test]
    fn a_record_is_what_its_owner_last_said() {
        let (charter, secretariat, county) = world();
        let mut desk = Desk::default();
        let create = Statement::create([0; 16], 1, Some("XQ001".into()), title("旧"));
        let create = county.entry(&charter, None, NOW, 102, body(create));
        let id = create.id();
        let revise = Statement::revise([0; 16], 1, id, BTreeMap::from([(2, Value::Boolean(true))]), [1].into());
        let revise = county.entry(&charter, Some(&create), NOW + 1, 102, body(revise));
        let foreign = Statement::revise([0; 16], 1, id, title("别人的话"), BTreeSet::new());
        let foreign = secretariat.entry(&charter, None, NOW + 2, 102, body(foreign));
        let withdraw = Statement::withdraw([0; 16], 1, id, Some("已落地".into()));
        let withdraw = county.entry(&charter, Some(&revise), NOW + 3, 102, body(withdraw));
        // The secretariat's entry comes before the create that it speaks of: it waits, and is then set aside.
        desk.insert(1, &foreign);
        for entry in [&create, &revise, &withdraw] {
            desk.insert(2, entry);
        }
        assert_eq!(desk.record(id, NOW - 1), None);
        assert_eq!(desk.record(id, NOW).map(|record| record.fields), Some(title("旧")));
        let last = desk.record(id, NOW + 3).expect("the record is there");
        assert_eq!(last.fields, BTreeMap::from([(2, Value::Boolean(true))]));
        assert_eq!(last.withdrawn, Some(Some("已落地".into())));
        assert_eq!(last.label.to_string(), "2-1");
        assert_eq!(desk.view.by_label("2-1".parse().expect("a label")), Some(id));
        assert_eq!(desk.view.by_external(MemberNumber(2), 102, "XQ001"), Some(id));
        assert_eq!(desk.view.aside().values().collect::<Vec<_>>(), [&Aside::NotOwner]);
    }

    #[test]
    fn a_statement_from_the_future_is_hidden_until_its_time_and_then_counts_in_log_order() {
        let (charter, _, county) = world();
        let mut desk = Desk::default();
        let create = county.entry(&charter, None, NOW, 102, body(Statement::create([0; 16], 1, None, title("一"))));
        let say = |text| body(Statement::revise([0; 16], 1, create.id(), title(text), BTreeSet::new()));
        let future = county.entry(&charter, Some(&create), NOW + 1_000, 102, say("二"));
        let present = county.entry(&charter, Some(&future), NOW + 1, 102, say("三"));
        [&create, &future, &present].into_iter().for_each(|entry| desk.insert(2, entry));
        assert_eq!(desk.view.versions(&create.id(), NOW + 1).len(), 2);
        let fields = |time| desk.record(create.id(), time).map(|record| record.fields);
        assert_eq!(fields(NOW + 1), Some(title("三")));
        assert_eq!(fields(NOW + 1_000), Some(title("三")), "log order decides, not the clock");
    }

    #[test]
    fn what_cannot_be_read_is_set_aside_and_the_log_goes_on() {
        let (charter, _, county) = world();
        let mut desk = Desk::default();
        let garbage = county.entry(&charter, None, NOW, 102, vec![9; 40]);
        let unknown = body(Statement::create([0; 16], 9, None, title("新类别")));
        let unknown = county.entry(&charter, Some(&garbage), NOW, 9_999, unknown);
        desk.insert(2, &garbage);
        desk.insert(2, &unknown);
        assert_eq!(desk.view.aside().values().collect::<Vec<_>>(), [&Aside::Quarantined]);
        assert_eq!(desk.record(unknown.id(), NOW).map(|record| record.kind), Some(9_999));
    }
}
