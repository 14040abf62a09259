//! What must count once everything that was ever said has been offered to everybody: slow, plain, from the rules of DESIGN
//! 3 and 4, and not by calling the replica that it judges.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::entry::VerifiedEntry;
use protocol::erasure::{Erasure, KIND_ERASURE, Target};
use protocol::identity::EntryId;
use protocol::statement::{FIELD_REASON, Operation, Statement};
use protocol::value::Value;

use crate::roster::Roster;

/// The end of a case, computed.
pub struct Model {
    /// For each log the entries that count, in order.
    pub counted: Vec<Vec<Arc<VerifiedEntry>>>,
    /// Entries whose bodies must be nowhere, with what is said of them; erasures excepted.
    pub erased: BTreeMap<EntryId, bool>,
}

impl Model {
    pub fn new(roster: &Roster, said: &[Arc<VerifiedEntry>]) -> Self {
        let counted: Vec<_> = (0..roster.logs.len()).map(|log| counted(roster, log, said)).collect();
        let mut erased = BTreeMap::new();
        for target in &roster.erased {
            erase(&mut erased, roster, said, target, None);
        }
        for (log, entries) in counted.iter().enumerate() {
            for entry in entries.iter().filter(|entry| entry.header().kind == KIND_ERASURE) {
                let Some(erasure) = entry.body().and_then(|body| Erasure::decode(body).ok()) else { continue };
                let by = (roster.logs[log].member, entry.header().charter);
                erasure.targets.iter().for_each(|target| erase(&mut erased, roster, said, target, Some(by)));
            }
        }
        Self { counted, erased }
    }

    /// Every record that can be read at `as_of_ms`, as a reader would describe it.
    pub fn records(&self, roster: &Roster, as_of_ms: u64) -> BTreeMap<EntryId, String> {
        let places = self.counted.iter().enumerate();
        let every: Vec<(usize, &Arc<VerifiedEntry>)> =
            places.flat_map(|(log, entries)| entries.iter().map(move |entry| (log, entry))).collect();
        let mut serials: BTreeMap<u32, u64> = BTreeMap::new();
        let mut records = BTreeMap::new();
        for (log, entry) in &every {
            let erased = self.erased.get(&entry.id());
            let create = match erased {
                Some(creates) if entry.header().kind >= 100 && *creates => None,
                Some(_) => continue,
                None => match statement(entry).filter(|statement| statement.operation == Operation::Create) {
                    Some(create) => Some(create),
                    None => continue,
                },
            };
            let serial = serials.entry(roster.logs[*log].member).or_default();
            *serial += 1;
            if entry.header().time_ms > as_of_ms {
                continue;
            }
            let label = format!("{}-{serial}", roster.logs[*log].member);
            let owner = roster.logs[*log].owner();
            let text = match create {
                None => format!("{label} of {owner}, erased"),
                Some(create) => {
                    let external = create.external.clone();
                    let (fields, withdrawn, versions) = self.fold(roster, &every, *log, entry, as_of_ms);
                    format!("{label} of {owner}: {external:?} {fields:?} {withdrawn:?} {versions}")
                }
            };
            records.insert(entry.id(), text);
        }
        records
    }

    /// Fields, reason of withdrawal and visible statements of a record.
    fn fold(
        &self,
        roster: &Roster,
        every: &[(usize, &Arc<VerifiedEntry>)],
        log: usize,
        create: &Arc<VerifiedEntry>,
        as_of_ms: u64,
    ) -> (BTreeMap<u16, Value>, Option<Option<String>>, usize) {
        let begun = (0, log, create.header().sequence);
        let mut statements = Vec::new();
        for (from, entry) in every {
            let Some(stated) = statement(entry).filter(|_| !self.erased.contains_key(&entry.id())) else { continue };
            let own = entry.id() == create.id();
            if !own && (stated.record != Some(create.id()) || entry.header().kind != create.header().kind) {
                continue;
            }
            let turn = roster.logs[log].turn(roster.logs[*from].member, entry.header().charter);
            let Some(turn) = (if own { Some(0) } else { turn }) else { continue };
            let place = (turn, *from, entry.header().sequence);
            if place >= begun && entry.header().time_ms <= as_of_ms {
                statements.push((place, stated));
            }
        }
        statements.sort_by_key(|(place, _)| *place);
        let (mut fields, mut withdrawn) = (BTreeMap::new(), None);
        let versions = statements.len();
        for (_, stated) in statements {
            if stated.operation == Operation::Withdraw {
                let reason = stated.fields.get(&FIELD_REASON).cloned();
                withdrawn =
                    Some(reason.and_then(|reason| if let Value::Text(text) = reason { Some(text) } else { None }));
                continue;
            }
            stated.cleared.iter().for_each(|number| drop(fields.remove(number)));
            fields.extend(stated.fields);
            fields.remove(&FIELD_REASON);
        }
        (fields, withdrawn, versions)
    }
}

fn statement(entry: &VerifiedEntry) -> Option<Statement> {
    (entry.header().kind >= 100).then(|| entry.body().and_then(|body| Statement::decode(body).ok())).flatten()
}

/// Whether an entry could stand in its log, below any seal: what its own header and its chain say.
pub fn fits(roster: &Roster, log: usize, entry: &VerifiedEntry, before: Option<&VerifiedEntry>) -> bool {
    let header = entry.header();
    let named = (header.charter as usize).checked_sub(1).and_then(|index| roster.times.get(index));
    header.charter >= roster.logs[log].granted
        && named.is_some_and(|time| header.time_ms >= *time)
        && before.is_none_or(|before| before.header().charter <= header.charter)
}

/// The entries of one log that count.
fn counted(roster: &Roster, log: usize, said: &[Arc<VerifiedEntry>]) -> Vec<Arc<VerifiedEntry>> {
    let of_log: Vec<_> = said.iter().filter(|entry| entry.header().key == roster.logs[log].key).collect();
    let mut standing: BTreeMap<EntryId, Arc<VerifiedEntry>> = BTreeMap::new();
    // What was said comes after what it follows, so one pass finds every chain.
    for entry in of_log {
        let header = entry.header();
        let before = standing.get(&header.previous).map(|before| &**before);
        if (header.sequence == 0 || before.is_some()) && fits(roster, log, entry, before) {
            standing.insert(entry.id(), Arc::clone(entry));
        }
    }
    let end = match roster.logs[log].seal {
        Some(None) => return Vec::new(),
        Some(Some((sequence, id))) => {
            if standing.get(&id).is_some_and(|entry| entry.header().sequence == sequence) {
                return chain_to(&standing, id);
            }
            sequence
        }
        None => u64::MAX,
    };
    // Without the branch that a seal names, everything counts up to the first contradiction, and below the seal.
    let mut chain: Vec<Arc<VerifiedEntry>> = Vec::new();
    while (chain.len() as u64) < end {
        let previous = chain.last().map_or(EntryId::ZERO, |entry| entry.id());
        let mut next = standing.values().filter(|entry| entry.header().previous == previous);
        match (next.next(), next.next()) {
            (Some(only), None) => chain.push(Arc::clone(only)),
            _ => break,
        }
    }
    chain
}

fn chain_to(standing: &BTreeMap<EntryId, Arc<VerifiedEntry>>, last: EntryId) -> Vec<Arc<VerifiedEntry>> {
    let mut chain: Vec<Arc<VerifiedEntry>> = Vec::new();
    let mut id = last;
    while let Some(entry) = standing.get(&id) {
        chain.push(Arc::clone(entry));
        id = entry.header().previous;
    }
    chain.reverse();
    chain
}

fn erase(
    erased: &mut BTreeMap<EntryId, bool>,
    roster: &Roster,
    said: &[Arc<VerifiedEntry>],
    target: &Target,
    by: Option<(u32, u32)>,
) {
    let Some(log) = roster.log_of(&target.key).map(|log| &roster.logs[log]) else { return };
    let may = by.is_none_or(|(member, version)| log.member == member || log.turn(member, version).is_some());
    let named = said.iter().find(|entry| {
        let header = entry.header();
        (header.key, header.sequence, entry.id()) == (target.key, target.sequence, target.id)
    });
    if named.is_some_and(|entry| may && entry.header().kind != KIND_ERASURE) {
        *erased.entry(target.id).or_default() |= target.creates;
    }
}

/// Ids of a chain, for comparison.
pub fn ids(chain: &[Arc<VerifiedEntry>]) -> Vec<EntryId> {
    chain.iter().map(|entry| entry.id()).collect()
}

/// Pairs of entries that contradict each other and could both stand in their log.
pub fn contradictions(roster: &Roster, said: &[Arc<VerifiedEntry>]) -> Vec<(Arc<VerifiedEntry>, Arc<VerifiedEntry>)> {
    let by_id: BTreeMap<EntryId, &Arc<VerifiedEntry>> = said.iter().map(|entry| (entry.id(), entry)).collect();
    let mut standing: BTreeSet<EntryId> = BTreeSet::new();
    let mut pairs = Vec::new();
    for entry in said {
        let Some(log) = roster.log_of(&entry.header().key) else { continue };
        let previous = entry.header().previous;
        let before = by_id.get(&previous).filter(|_| standing.contains(&previous)).map(|before| &***before);
        if (entry.header().sequence == 0 || before.is_some()) && fits(roster, log, entry, before) {
            let twin = |other: &&Arc<VerifiedEntry>| {
                standing.contains(&other.id())
                    && (other.header().key, other.header().previous, other.header().sequence)
                        == (entry.header().key, previous, entry.header().sequence)
            };
            pairs.extend(said.iter().find(twin).map(|other| (Arc::clone(other), Arc::clone(entry))));
            standing.insert(entry.id());
        }
    }
    pairs
}
