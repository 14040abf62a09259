//! Matching at a node: the catalogue in memory, kept in step with the records, and the questions that are asked of it.
//!
//! * [`Shelf`] holds the catalogue; [`consumer`] is what the follower of [`crate::derive`] hands records to. At the start
//!   it is empty and filled in the background.
//! * [`ask`] answers questions. What the catalogue names is read again from the view before it is shown, so an answer is
//!   never behind in what it says of a record.
//! * [`idle`] pairs funds that lie idle with what fits them.
//! * [`show`] says it to the callers of the API.
//!
//! What is looked at is what all members read of records that count, so that nodes with the same frontier find the same.
//! Records that their kind keeps to a class of members are looked at by the members of that class, as they open them.

pub mod ask;
mod consumer;
pub mod idle;
mod show;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{RwLock, RwLockReadGuard};
use protocol::charter::Class;
use protocol::identity::EntryId;
use protocol::kind::{Kind, KindReaders, KindSet};
use protocol::matching::{Catalogue, Fresh, Profile, Rules, texts_of};
use protocol::view::RecordState;

pub(crate) use consumer::CatalogueConsumer;

use crate::records::Coverage;
use crate::records::look::Look;

/// The catalogue of a node.
#[derive(Default)]
pub struct Shelf {
    catalogue: RwLock<Catalogue>,
    /// Whether every record was looked at since the node started.
    complete: AtomicBool,
}

impl Shelf {
    /// How many records can be matched.
    pub fn len(&self) -> usize {
        self.catalogue.read().len()
    }

    /// Whether none can.
    pub fn is_empty(&self) -> bool {
        self.catalogue.read().is_empty()
    }

    /// Whether every record was looked at since the node started.
    pub fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }

    pub(crate) fn set_complete(&self, complete: bool) {
        self.complete.store(complete, Ordering::Release);
    }

    /// Takes in records as they are now; those without a profile are forgotten.
    pub(crate) fn take(&self, records: impl IntoIterator<Item = (EntryId, Option<Profile>)>) {
        let records: Vec<(EntryId, Option<Profile>)> = records.into_iter().collect();
        let mut catalogue = self.catalogue.write();
        for (id, profile) in records {
            match profile {
                Some(profile) => catalogue.put(profile),
                None => _ = catalogue.remove(&id),
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.set_complete(false);
        self.catalogue.write().clear();
    }

    /// The catalogue; it does not change while this is held, so not for long.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Catalogue> {
        self.catalogue.read()
    }
}

/// What of a record is matched: what all members read of one that counts, or what the members of a class read of one
/// that its kind keeps to them.
pub(crate) fn matched<'a>(kinds: &KindSet, look: &'a Look) -> Option<&'a RecordState> {
    match look.found.coverage {
        Coverage::Counts => Some(&look.found.judged.state),
        Coverage::Closed if !look.is_closed() => {
            let kind = kinds.kind(look.seen.state.kind)?;
            matches!(kind.readers(), KindReaders::Class(_)).then_some(&look.seen.state)
        }
        _ => None,
    }
}

/// What everybody reads of a record that counts.
fn open(look: &Look) -> Option<&RecordState> {
    (look.found.coverage == Coverage::Counts).then_some(&look.found.judged.state)
}

/// The division of the county whose record it is; empty for other members.
fn home(look: &Look) -> &str {
    let owner = look.heir.as_ref().unwrap_or(&look.owner);
    if owner.class == Class::County { &owner.region } else { "" }
}

/// The profile of a record, if it can be matched.
pub(crate) fn profile(kinds: &KindSet, look: &Look) -> Option<Profile> {
    Profile::of(Rules::builtin(), kinds, matched(kinds, look)?, home(look))
}

/// A record as it is now.
fn fresh(kinds: &KindSet, look: &Look) -> Option<Fresh> {
    let state = matched(kinds, look)?;
    let rules = Rules::builtin();
    Some(Fresh::new(rules, profile(kinds, look)?, texts_of(rules, kinds, state)))
}

/// Kinds that can be matched, for people.
pub(crate) fn matchable(kinds: &KindSet) -> impl Iterator<Item = &Kind> {
    kinds.kinds().filter(|kind| Rules::builtin().knows(kind.number()))
}
