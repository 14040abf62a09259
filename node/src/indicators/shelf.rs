//! What records contribute to indicators, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use protocol::identity::{EntryId, MemberNumber};
use protocol::indicator::bulletin::Bulletin;
use protocol::indicator::{Facts, Figure};
use protocol::kind::KindSet;
use protocol::view::Label;

use super::index::{Index, Papers};
use crate::core::Core;
use crate::duties;

/// Answers as of other times that are kept.
const KEPT_MAX: usize = 8;

/// Papers and where they stand, as of a generation.
type Indexed = (u64, Arc<Papers>, Arc<Index>);

/// What is held. It is filled in the background after each start.
#[derive(Default)]
pub struct Shelf {
    held: RwLock<Held>,
    /// Whether every record was looked at since the node started.
    complete: AtomicBool,
    /// Whether the follower had nothing left to do when it was asked last.
    idle: AtomicBool,
    /// Grows with everything that changes.
    generation: AtomicU64,
    /// Where papers stand, as of a generation.
    index: Mutex<Option<Indexed>>,
    /// The last answers.
    answers: Mutex<Vec<(Key, Arc<Computed>)>>,
    /// Held while figures are computed from the entries: one at a time is enough for two processors.
    pub(super) pass: Mutex<()>,
    /// What was done for duties, whose rates some indicators are.
    pub(super) duties: Arc<duties::Shelf>,
}

impl Shelf {
    /// An empty one beside what was done for duties.
    pub fn beside(duties: Arc<duties::Shelf>) -> Self {
        Self { duties, ..Self::default() }
    }
}

/// What an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// What is held now, within a minute.
    Now { generation: u64, minute: u64, charter: u32 },
    /// Entries, by the digest of their frontier, as of a time.
    At { digest: String, as_of_ms: u64 },
}

/// Figures and what they rest on.
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) as_of_ms: u64,
    pub(super) charter_version: u32,
    pub(super) digest: String,
    pub(super) complete: bool,
    /// Bodies that the figures rest on and that are not here.
    pub(super) missing_bodies: u64,
    pub(super) figures: Vec<Figure>,
}

/// What records say. Whoever reads takes a share of it and lets go of the lock; only while somebody reads is it copied for
/// a change.
#[derive(Debug, Default)]
struct Held {
    facts: Arc<BTreeMap<EntryId, Facts>>,
    papers: Arc<Papers>,
}

/// A record about figures.
#[derive(Debug, Clone)]
pub(super) struct Paper {
    pub(super) label: Label,
    pub(super) author: MemberNumber,
    pub(super) made_ms: u64,
    /// When it was changed last.
    pub(super) changed_ms: u64,
    /// How often it was stated.
    pub(super) versions: usize,
    pub(super) content: Content,
}

/// What it says.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A bulletin.
    Bulletin {
        /// Its title.
        title: String,
        /// What it says, or why it cannot be read.
        read: Result<Box<Bulletin>, String>,
    },
    /// An objection: the bulletin as its author names it, the indicator, the text.
    Objection { bulletin: String, code: String, text: String },
    /// An answer: the objection as its author names it, the text, and what came of it.
    Answer { objection: String, text: String, outcome: Option<String> },
}

/// What a record became.
pub(super) struct Renewed {
    pub(super) id: EntryId,
    pub(super) facts: Option<Facts>,
    pub(super) paper: Option<Paper>,
}

impl Shelf {
    /// How many records contribute.
    pub fn len(&self) -> usize {
        self.held.read().facts.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.held.read().facts.is_empty()
    }

    /// Whether every record was looked at since the node started.
    pub fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }

    /// What records contribute now.
    pub(super) fn facts(&self) -> Arc<BTreeMap<EntryId, Facts>> {
        Arc::clone(&self.held.read().facts)
    }

    /// The records about figures, and where each stands.
    pub(super) fn index(&self, core: &Core, kinds: &KindSet) -> (Arc<Papers>, Arc<Index>) {
        // Before the papers are read, so that what arrives meanwhile makes another index.
        let generation = self.generation();
        if let Some((of, papers, index)) = &*self.index.lock()
            && *of == generation
        {
            return (Arc::clone(papers), Arc::clone(index));
        }
        let papers = Arc::clone(&self.held.read().papers);
        let index = Arc::new(Index::build(core, kinds, &papers));
        *self.index.lock() = Some((generation, Arc::clone(&papers), Arc::clone(&index)));
        (papers, index)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn take(&self, renewed: Vec<Renewed>) {
        let mut held = self.held.write();
        let Held { facts: held_facts, papers: held_papers } = &mut *held;
        let (held_facts, held_papers) = (Arc::make_mut(held_facts), Arc::make_mut(held_papers));
        let mut changed = false;
        for Renewed { id, facts, paper } in renewed {
            let before = match facts {
                Some(facts) => held_facts.insert(id, facts.clone()) != Some(facts),
                None => held_facts.remove(&id).is_some(),
            };
            let paper = match paper {
                Some(paper) => {
                    held_papers.insert(id, Arc::new(paper));
                    true
                }
                None => held_papers.remove(&id).is_some(),
            };
            changed |= before || paper;
        }
        if changed {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(super) fn settle(&self, complete: bool, idle: bool) {
        self.complete.store(complete, Ordering::Release);
        self.idle.store(idle, Ordering::Release);
    }

    /// Whether nothing that was handed to the follower waits to be looked at.
    pub(super) fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Acquire)
    }

    pub(super) fn clear(&self) {
        *self.held.write() = Held::default();
        self.complete.store(false, Ordering::Release);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// An answer that was given before.
    pub(super) fn answered(&self, key: &Key) -> Option<Arc<Computed>> {
        self.answers.lock().iter().find(|(held, _)| held == key).map(|(_, answer)| Arc::clone(answer))
    }

    /// Keeps an answer; older ones about the present make room first.
    pub(super) fn keep(&self, key: Key, answer: Computed) -> Arc<Computed> {
        let answer = Arc::new(answer);
        let mut answers = self.answers.lock();
        if matches!(key, Key::Now { .. }) {
            answers.retain(|(held, _)| !matches!(held, Key::Now { .. }));
        }
        if answers.len() >= KEPT_MAX {
            answers.remove(0);
        }
        answers.push((key, Arc::clone(&answer)));
        answer
    }
}
