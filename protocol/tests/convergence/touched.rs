//! Somebody who keeps notes about records and looks again only at those that a view says were touched: at any moment the
//! notes are those that the whole view would give. Now and then he goes away and comes back with older positions.

use std::collections::BTreeMap;

use protocol::identity::EntryId;
use protocol::testing::Peer;
use protocol::view::{Positions, Touched};

/// Entries that one step of coming back looks at.
const STEP: usize = 3;

/// What is noted of each record.
type Notes = BTreeMap<EntryId, String>;

/// The notes that are kept up, and older ones with the positions at which they were taken.
pub struct Follower {
    notes: Notes,
    older: (Positions, Notes),
}

impl Follower {
    pub fn new(peer: &Peer) -> Self {
        let notes = every(peer);
        Self { older: (peer.positions(), notes.clone()), notes }
    }

    /// Looks at what was touched; `thoroughly` compares the notes with the whole view.
    pub fn follow(&mut self, peer: &mut Peer, thoroughly: bool) {
        let touched = peer.take_touched();
        look(peer, &touched, &mut self.notes);
        if thoroughly {
            assert_eq!(self.notes, every(peer), "what changed was not touched; last: {touched:?}");
        }
    }

    /// Looks at what was touched since the older positions, and goes away again with the present ones.
    pub fn come_back(&mut self, peer: &Peer) {
        let (mut positions, mut notes) = self.older.clone();
        loop {
            // As they come back from a disk.
            let read = Positions::decode(&positions.encode()).expect("what was encoded decodes");
            assert_eq!(read, positions);
            let Ok(step) = peer.advance(&read, STEP) else {
                notes = every(peer);
                break;
            };
            look(peer, &step.touched, &mut notes);
            positions = step.positions;
            if step.is_present {
                assert_eq!(positions, peer.positions());
                break;
            }
        }
        assert_eq!(notes, every(peer), "what changed since {:?} was not said to be touched", self.older.0);
        self.older = (peer.positions(), notes);
    }
}

fn look(peer: &Peer, touched: &Touched, notes: &mut Notes) {
    if touched.everything {
        *notes = every(peer);
    }
    for id in &touched.records {
        match note(peer, id) {
            Some(text) => drop(notes.insert(*id, text)),
            None => drop(notes.remove(id)),
        }
    }
}

fn every(peer: &Peer) -> Notes {
    peer.view().ids(u64::MAX).filter_map(|id| Some((id, note(peer, &id)?))).collect()
}

/// All that can be said of a record at any time, with whether it is the one that its number names.
fn note(peer: &Peer, id: &EntryId) -> Option<String> {
    let view = peer.view();
    let (owner, kind) = view.owner(id)?;
    let named = view.external(id).map(|external| view.by_external(owner, kind, external) == Some(*id));
    let (label, erased) = (view.label(id), view.is_erased(id));
    let record = view.record(id, u64::MAX, peer);
    Some(format!("{owner} {kind} {label:?} {named:?} {erased} {record:?} {:?}", view.versions(id, u64::MAX)))
}
