//! The records that follow from exactly the entries that a bulletin names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thiserror::Error;

use super::bulletin::{Bulletin, ShortHead};
use crate::charter::{Charter, CharterError, LogNumber};
use crate::frontier::{Frontier, Head, proofs_hash};
use crate::identity::{EntryId, PublicKey};
use crate::kind::KindSet;
use crate::replica::{EntrySource, Eraser, Replica};
use crate::view::{LinkFields, Place, View};

/// Fork proofs of which every selection is tried.
const PROOFS_TRIED_MAX: usize = 12;

/// What must be held to build a view: how far each log goes, and what of it was erased.
#[derive(Debug, Clone)]
pub struct Extent {
    /// For each log the entries that are taken in, and the id of the last of them.
    pub heads: BTreeMap<LogNumber, Head>,
    /// Bodies that were erased, with whether the entry created a record.
    pub erased: BTreeMap<Place, bool>,
    /// Those among the entries taken in that were erased only after them: what they said then is not known any more.
    pub erased_since: BTreeSet<Place>,
    /// Hash of the set of fork proofs.
    pub proofs: [u8; 32],
}

/// What a node lacks to compute a bulletin again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Lack {
    /// The charter ends before the version that the bulletin names.
    #[error("the charter ends at version {held}, the bulletin names version {named}")]
    Charter {
        /// Version of the tip that is held.
        held: u32,
        /// Version that is named.
        named: u32,
    },
    /// Entries of a log are not here yet.
    #[error("log {log} ends at {held} entries here, the bulletin names {named}")]
    Entries {
        /// The log.
        log: LogNumber,
        /// Entries that are held.
        held: u64,
        /// Entries that are named.
        named: u64,
    },
    /// Another branch of a log is held.
    #[error("log {log} has another entry at the place that the bulletin names")]
    Branch {
        /// The log.
        log: LogNumber,
    },
    /// A log that the charter does not grant.
    #[error("log {log} is not granted by the charter that the bulletin names")]
    NoLog {
        /// The log.
        log: LogNumber,
    },
}

/// The charter as it was at a version.
///
/// # Errors
/// A block that does not continue its predecessors; those that a node holds all do.
pub fn charter_at(charter: &Charter, version: u32) -> Result<Charter, CharterError> {
    if version == charter.version() {
        return Ok(charter.clone());
    }
    let mut blocks = charter.blocks().iter().take(version as usize);
    let genesis = blocks.next().ok_or(CharterError::NotGenesis)?;
    let mut earlier = Charter::genesis(genesis.clone())?;
    for block in blocks {
        earlier.append(block.clone())?;
    }
    Ok(earlier)
}

/// The version of the charter that was in force at a time: the last block that is not dated later. 1 at least.
pub fn version_at(charter: &Charter, as_of_ms: u64) -> u32 {
    let earlier = charter.blocks().iter().take_while(|block| block.block().time_ms <= as_of_ms).count();
    u32::try_from(earlier).unwrap_or(u32::MAX).max(1)
}

impl Extent {
    /// Everything that counts of the logs that a charter of this version grants.
    pub fn whole(replica: &Replica, logs: usize) -> Self {
        let heads = (0..logs as LogNumber).filter_map(|log| Some((log, replica.head(log)?))).collect();
        Self::with(replica, heads, replica.charter().version())
    }

    /// What a bulletin names.
    ///
    /// # Errors
    /// Everything that is lacking.
    pub fn named(replica: &Replica, bulletin: &Bulletin) -> Result<Self, Vec<Lack>> {
        let (held, named) = (replica.charter().version(), bulletin.charter_version);
        if named > held {
            return Err(vec![Lack::Charter { held, named }]);
        }
        let (mut heads, mut lacks) = (BTreeMap::new(), Vec::new());
        for (log, head) in &bulletin.heads {
            match named_head(replica, named, *log, head) {
                Ok(head) => _ = heads.insert(*log, head),
                Err(lack) => lacks.push(lack),
            }
        }
        if lacks.is_empty() {
            Ok(Self { proofs: bulletin.proofs, ..Self::with(replica, heads, named) })
        } else {
            Err(lacks)
        }
    }

    fn with(replica: &Replica, heads: BTreeMap<LogNumber, Head>, version: u32) -> Self {
        let is_within = |log: LogNumber, sequence: u64| heads.get(&log).is_some_and(|head| sequence < head.length);
        let (mut erased, mut erased_before) = (BTreeMap::new(), BTreeSet::new());
        for (by, targets) in replica.erasures() {
            let is_before = match by {
                Eraser::Block(block) => block <= version,
                Eraser::Entry { log, sequence } => is_within(log, sequence),
            };
            for target in targets {
                let Some(grant) = replica.charter().log_of(&target.key) else { continue };
                let place = Place { log: grant.number, sequence: target.sequence };
                if let Some(creates) = replica.erased(place.log, place.sequence) {
                    erased.insert(place, creates);
                    erased_before.extend(is_before.then_some(place));
                }
            }
        }
        let since =
            erased.keys().filter(|place| is_within(place.log, place.sequence) && !erased_before.contains(place));
        let erased_since = since.copied().collect();
        Self { heads, erased, erased_since, proofs: replica.proofs_hash() }
    }

    /// The frontier of this under a charter.
    pub fn frontier(&self, charter: &Charter) -> Frontier {
        Frontier {
            federation: charter.federation(),
            charter_version: charter.version(),
            charter_tip: charter.tip(),
            heads: self.heads.clone(),
            proofs: self.proofs,
        }
    }

    /// Whether a replica still holds the same entries.
    pub fn stands(&self, replica: &Replica) -> bool {
        self.heads.iter().all(|(log, head)| replica.id(*log, head.length - 1) == Some(head.id))
    }

    /// The records that follow from it under a charter, and how many bodies are not here yet. Those that were erased
    /// never come and are not among them.
    pub fn view(&self, charter: &Charter, kinds: &KindSet, source: &dyn EntrySource) -> (View, usize) {
        let (mut view, mut missing) = (View::default(), 0);
        view.set_links(Arc::new(LinkFields::of(kinds)));
        view.set_logs(charter.logs());
        for (log, head) in &self.heads {
            for sequence in 0..head.length {
                let place = Place { log: *log, sequence };
                let Some(entry) = source.entry(*log, sequence) else {
                    missing += 1;
                    continue;
                };
                match self.erased.get(&place) {
                    Some(creates) => view.insert_erased(place, &entry, *creates),
                    None => {
                        missing += usize::from(entry.body().is_none());
                        view.insert(place, &entry);
                    }
                }
            }
        }
        (view, missing)
    }
}

/// Whether a set of fork proofs with this hash can have been what was known: the proofs that are held now, or some of
/// them, with the charter's rival or without it. Of more proofs than can be tried only the present set is compared.
pub fn knows_proofs(replica: &Replica, stated: &[u8; 32]) -> bool {
    if replica.proofs_hash() == *stated {
        return true;
    }
    let held: Vec<(PublicKey, u64)> = replica.proofs().map(|proof| (proof.key(), proof.sequence())).collect();
    if held.len() > PROOFS_TRIED_MAX {
        return false;
    }
    let rival = replica.charter().rival().map(|rival| rival.block().version);
    (0..1u32 << held.len()).any(|chosen| {
        let some: Vec<(PublicKey, u64)> =
            held.iter().enumerate().filter(|(index, _)| chosen >> index & 1 == 1).map(|(_, proof)| *proof).collect();
        [None, rival].into_iter().any(|rival| proofs_hash(some.iter().copied(), rival) == *stated)
    })
}

fn named_head(replica: &Replica, version: u32, log: LogNumber, head: &ShortHead) -> Result<Head, Lack> {
    let grant = replica.charter().logs().get(log as usize);
    if grant.is_none_or(|grant| grant.granted > version) {
        return Err(Lack::NoLog { log });
    }
    let held = replica.length(log);
    let id: Option<EntryId> = head.length.checked_sub(1).and_then(|last| replica.id(log, last));
    match id {
        None => Err(Lack::Entries { log, held, named: head.length }),
        Some(id) if ShortHead::new(head.length, &id) != *head => Err(Lack::Branch { log }),
        Some(id) => Ok(Head { length: head.length, id }),
    }
}
