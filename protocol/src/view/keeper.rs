//! Keeps a view in step with a replica: new entries are added, and anything that stops counting starts it over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::touched::Gathered;
use super::{LinkFields, Place, Touched, View};
use crate::charter::LogNumber;
use crate::entry::VerifiedEntry;
use crate::erasure::KIND_ERASURE;
use crate::identity::EntryId;
use crate::kind::KindSet;
use crate::replica::{Change, EntrySource, Replica};

/// A view and how far it has taken in each log.
#[derive(Debug, Clone, Default)]
pub struct Keeper {
    pub(super) view: View,
    links: Arc<LinkFields>,
    /// For each log: entries taken in, and the id of the last of them.
    pub(super) taken: Vec<(u64, EntryId)>,
    /// Erased places as they were taken in.
    pub(super) erased: BTreeMap<Place, bool>,
    /// Entries taken in without their bodies, which were not erased.
    pub(super) missing: BTreeSet<Place>,
}

impl Keeper {
    /// A view of everything that counts in `replica`, with the links of these kinds.
    pub fn build(kinds: &KindSet, replica: &Replica, source: &dyn EntrySource) -> Self {
        let mut keeper = Self { links: Arc::new(LinkFields::of(kinds)), ..Self::default() };
        keeper.rebuild(replica, source);
        keeper
    }

    /// The view.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Brings the view up to date with changes that were carried out. Returns the records that they touched.
    ///
    /// It is built anew when entries that were taken in say something else now: they no longer count, their bodies were
    /// erased, or their records have another owner.
    pub fn follow(&mut self, replica: &Replica, changes: &[Change], source: &dyn EntrySource) -> Touched {
        let mut logs = BTreeSet::new();
        let (mut every, mut anew) = (false, false);
        let (mut gathered, mut depending) = (Gathered::default(), false);
        for change in changes {
            match change {
                Change::Append { log, .. } | Change::Displace { log, .. } => drop(logs.insert(*log)),
                Change::Body { log, entry } => self.body_arrived(*log, entry, replica, &mut gathered),
                Change::Erase { .. } => anew = true,
                // A block can move seals of any log, and give its records to another.
                Change::Block(block) => {
                    every = true;
                    depending |= self.view.depends_on(block.block());
                }
                Change::Proof(proof) => {
                    logs.extend(replica.charter().log_of(&proof.key()).map(|grant| grant.number));
                }
                Change::Rival(_) => {}
            }
        }
        if every {
            logs = (0..replica.charter().logs().len() as LogNumber).collect();
        }
        let erasing = changes.iter().any(may_erase) || logs.iter().any(|log| is_sealed(*log, replica));
        let mut touched = if anew
            || (erasing && self.erasures_changed(replica))
            || !logs.iter().all(|log| self.stands(*log, replica))
        {
            let before = std::mem::take(&mut self.view);
            self.rebuild(replica, source);
            let mut touched = self.view.differences(&before);
            touched.merge(gathered.spread(&self.view));
            touched
        } else {
            if every {
                self.view.set_logs(replica.charter().logs());
                self.taken.resize(replica.charter().logs().len(), (0, EntryId::ZERO));
            }
            logs.iter().for_each(|log| self.extend(*log, replica, source, &mut gathered));
            gathered.spread(&self.view)
        };
        if depending {
            touched.merge(Touched::everything());
        }
        touched
    }

    /// Whether what was taken in of a log still counts, for the same owner.
    fn stands(&self, log: LogNumber, replica: &Replica) -> bool {
        let Some((length, last)) = self.taken.get(log as usize).copied() else { return true };
        let counts =
            length == 0 || (replica.effective_length(log) >= length && replica.id(log, length - 1) == Some(last));
        let grant = replica.charter().logs().get(log as usize);
        let owner = self.view.logs.get(log as usize).map(|known| &known.heirs);
        counts && grant.map(|grant| &grant.heirs) == owner
    }

    /// Whether an erasure came into force or lost it for something that was taken in already.
    fn erasures_changed(&self, replica: &Replica) -> bool {
        let taken =
            |place: &Place| self.taken.get(place.log as usize).is_some_and(|(length, _)| place.sequence < *length);
        let counting = counting_erasures(replica).into_iter().filter(|(place, _)| taken(place));
        !counting.eq(self.erased.iter().map(|(place, creates)| (*place, *creates)))
    }

    /// Takes in an entry whose body came after its header.
    fn body_arrived(&mut self, log: LogNumber, entry: &VerifiedEntry, replica: &Replica, gathered: &mut Gathered) {
        let sequence = entry.header().sequence;
        let taken = self.taken.get(log as usize).is_some_and(|(length, _)| sequence < *length);
        if taken && replica.charter().logs().get(log as usize).is_some() {
            let place = Place { log, sequence };
            self.missing.remove(&place);
            gathered.note(self.view.take_in(place, entry));
        }
    }

    fn rebuild(&mut self, replica: &Replica, source: &dyn EntrySource) {
        let logs = replica.charter().logs();
        self.view = View::default();
        self.view.set_links(Arc::clone(&self.links));
        self.view.set_logs(logs);
        self.taken = vec![(0, EntryId::ZERO); logs.len()];
        self.erased = BTreeMap::new();
        self.missing = BTreeSet::new();
        // What differs from before is found by comparing.
        let mut gathered = Gathered::default();
        (0..logs.len() as LogNumber).for_each(|log| self.extend(log, replica, source, &mut gathered));
    }

    fn extend(&mut self, log: LogNumber, replica: &Replica, source: &dyn EntrySource, gathered: &mut Gathered) {
        if replica.charter().logs().get(log as usize).is_none() {
            return;
        }
        for sequence in self.taken[log as usize].0..replica.effective_length(log) {
            let place = Place { log, sequence };
            // An entry that the store cannot read is missing from the view, like one whose body is missing.
            match (source.entry(log, sequence), replica.erased(log, sequence)) {
                (Some(entry), Some(creates)) => {
                    self.erased.insert(place, creates);
                    gathered.note(self.view.take_in_erased(place, &entry, creates));
                }
                (Some(entry), None) => {
                    if entry.body().is_none() {
                        self.missing.insert(place);
                    }
                    gathered.note(self.view.take_in(place, &entry));
                }
                (None, _) => {}
            }
            let id = replica.id(log, sequence).unwrap_or(EntryId::ZERO);
            self.taken[log as usize] = (sequence + 1, id);
        }
    }
}

/// Whether a change can bring an erasure into force, or take it away.
fn may_erase(change: &Change) -> bool {
    match change {
        Change::Append { entry, .. } | Change::Body { entry, .. } => entry.header().kind == KIND_ERASURE,
        _ => true,
    }
}

/// A log with a seal can reach it with one entry, and count up to there at once.
fn is_sealed(log: LogNumber, replica: &Replica) -> bool {
    replica.charter().logs().get(log as usize).is_some_and(|grant| grant.seal.is_some())
}

/// Places whose bodies are erased by what counts now, with what is said of them. Erasures are few.
fn counting_erasures(replica: &Replica) -> BTreeMap<Place, bool> {
    let mut counting = BTreeMap::new();
    for (_, targets) in replica.erasures() {
        for target in targets {
            let Some(grant) = replica.charter().log_of(&target.key) else { continue };
            if let Some(creates) = replica.erased(grant.number, target.sequence) {
                counting.insert(Place { log: grant.number, sequence: target.sequence }, creates);
            }
        }
    }
    counting
}
