//! Nothing unauthorised is counted. The rules are read from the blocks of the charter and from the entries on disk, not
//! from the replica that is under test.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checker, Fact, Faults, Node, World, honest};
use crate::charter::{Charter, LogNumber, Operation, Position, Seal};
use crate::entry::VerifiedEntry;
use crate::identity::{self, ContentHash, Domain, EntryId, PublicKey, Signature};
use crate::replica::EntrySource;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Authority {
    forged: BTreeMap<EntryId, &'static str>,
    /// Entries whose signatures were verified here.
    verified: BTreeSet<(EntryId, Signature)>,
    /// How far each log of each node was read, since which start.
    read: BTreeMap<(usize, LogNumber), (u64, u64)>,
    faults: Faults,
}

impl Checker for Authority {
    fn name(&self) -> &'static str {
        "authority"
    }

    fn about(&self) -> &'static str {
        "every entry that counts is signed, chained, under a charter version that exists, and not above a seal or fork"
    }

    fn see(&mut self, _nodes: &[Node], _now_ms: u64, fact: &Fact) {
        if let Fact::Forged { id, why, .. } = fact {
            self.forged.insert(*id, why);
        }
    }

    fn look(&mut self, world: &World) {
        honest(&world.nodes).for_each(|node| self.read_node(node, world));
    }

    fn finish(&mut self, world: &World) {
        self.read.clear();
        self.look(world);
    }

    fn take_faults(&mut self) -> Vec<String> {
        self.faults.take()
    }
}

impl Authority {
    fn read_node(&mut self, node: &Node, world: &World) {
        let Some(replica) = node.replica() else { return };
        let charter = replica.charter();
        let seals = seals(charter);
        let proofs: BTreeMap<PublicKey, u64> = replica.proofs().map(|proof| (proof.key(), proof.sequence())).collect();
        for grant in charter.logs() {
            let (log, length) = (grant.number, replica.effective_length(grant.number));
            let place = format!("member {}, log {log}", node.index);
            let seal = seals.get(&grant.key);
            let bound = match seal {
                Some(Some(last)) => last.sequence + 1,
                Some(None) => 0,
                None => proofs.get(&grant.key).copied().unwrap_or(u64::MAX),
            };
            if length > bound {
                self.faults.add(format!("{place}: {length} entries count, and only {bound} may"));
            }
            let from = self.read.get(&(node.index, log)).filter(|(boot, _)| *boot == node.boots);
            let from = from.map_or(0, |(_, from)| *from).min(length);
            for sequence in from..length {
                let entry = node.disk.entry(log, sequence);
                let before = sequence.checked_sub(1).and_then(|before| replica.id(log, before));
                let wrong = match &entry {
                    None => Some("is not on disk"),
                    Some(entry) if replica.id(log, sequence) != Some(entry.id()) => Some("is another on disk"),
                    Some(entry) => self.fault_of(entry, before, sequence, charter, world),
                };
                if let Some(wrong) = wrong {
                    self.faults.add(format!("{place}: entry {sequence} counts, and {wrong}"));
                }
                if let Some(entry) = &entry
                    && (entry.header().key != grant.key || entry.header().charter < grant.granted)
                {
                    self.faults.add(format!("{place}: entry {sequence} counts, and its key has no right to it"));
                }
            }
            self.read.insert((node.index, log), (node.boots, length));
        }
    }

    fn fault_of(
        &mut self,
        entry: &VerifiedEntry,
        before: Option<EntryId>,
        sequence: u64,
        charter: &Charter,
        world: &World,
    ) -> Option<&'static str> {
        let header = entry.header();
        if let Some(why) = self.forged.get(&entry.id()) {
            return Some(why);
        }
        if header.sequence != sequence || header.previous != before.unwrap_or(EntryId::ZERO) {
            return Some("does not continue its log");
        }
        if header.charter as usize > charter.blocks().len() {
            return Some("names a charter version that does not exist here");
        }
        if entry.body().is_none_or(|body| ContentHash::of(body) != header.body_hash) {
            return Some("has no body, or another one");
        }
        let known = (entry.id(), *entry.signature());
        if self.verified.contains(&known) {
            return None;
        }
        let id = header.id();
        let federation = &world.air.federation;
        if id != entry.id()
            || !identity::verify(&header.key, Domain::Entry, federation, id.as_bytes(), entry.signature())
        {
            return Some("has a signature that does not verify");
        }
        self.verified.insert(known);
        None
    }
}

/// The last seal of each signing key, as the operations of the charter name it.
fn seals(charter: &Charter) -> BTreeMap<PublicKey, Option<Position>> {
    let mut sealed = BTreeMap::new();
    let mut note = |seals: &[Seal]| sealed.extend(seals.iter().map(|seal| (seal.key, seal.last)));
    for block in charter.blocks() {
        for operation in &block.block().operations {
            match operation {
                Operation::Suspend(departure) | Operation::Leave(departure) | Operation::Expel(departure) => {
                    note(&departure.seals);
                }
                Operation::SealKey(seal) | Operation::ReplaceKey { seal, .. } => note(std::slice::from_ref(seal)),
                _ => {}
            }
        }
    }
    sealed
}
