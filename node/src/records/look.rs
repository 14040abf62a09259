//! Looking at records for what is derived from them: each as it counts and as this node sees it, in pieces, the lock
//! held briefly.

use std::collections::BTreeMap;

use protocol::charter::Class;
use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::{Kind, KindSet, Lifecycle, Position};
use protocol::value::Value;
use protocol::view::{Label, Touched};

use super::assess::{self, Coverage, Found};
use super::walk::{Walk, Whose};
use super::{FOLD_COST, LOCK_WORK_MAX};
use crate::confidential::Seen;
use crate::core::{Core, State};

/// A record that is there.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// The record as it counts, the same for every reader.
    pub(crate) found: Found,
    /// The record as this node sees it.
    pub(crate) seen: Seen,
    /// Its author.
    pub(crate) owner: Owner,
    /// Whose it is now, where the charter gave it to another.
    pub(crate) heir: Option<Owner>,
}

/// A member, as far as its records tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) number: MemberNumber,
    pub(crate) name: String,
    pub(crate) class: Class,
    /// GB/T 2260 code of its place, or empty.
    pub(crate) region: String,
}

/// What a look at a record showed.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    /// The record.
    pub(crate) id: EntryId,
    /// As it stands; nothing when it is not there: not yet, no longer, or a body of its is missing.
    pub(crate) look: Option<Look>,
    /// When time alone makes it another one next.
    pub(crate) next_ms: Option<u64>,
    /// When a statement or time alone made it what it is now.
    pub(crate) moved_ms: Option<u64>,
}

impl Look {
    /// Whether nothing of the record can be read here.
    pub(crate) fn is_closed(&self) -> bool {
        self.seen.is_closed() && self.found.coverage == Coverage::Closed
    }
}

/// What was found under the lock.
struct Raw {
    id: EntryId,
    found: Option<(Found, Owner, Option<Owner>)>,
    /// When statements about it are dated.
    times_ms: Vec<u64>,
}

/// Looks at records as of a time. Blocks: it reads bodies from the disk.
pub(crate) fn look(core: &Core, kinds: &KindSet, ids: &[EntryId], as_of_ms: u64) -> Vec<Looked> {
    let access = core.access();
    let mut looked = Vec::with_capacity(ids.len());
    let mut rest = ids;
    while !rest.is_empty() {
        let piece: Vec<Raw> = core.read(|state| {
            let (mut work, mut piece, mut ids) = (0, Vec::new(), rest.iter());
            while work < LOCK_WORK_MAX {
                let Some(id) = ids.next() else { break };
                let raw = one(state, core, kinds, id, as_of_ms);
                work += raw.found.as_ref().map_or(1, |(found, ..)| found.work.max(FOLD_COST));
                piece.push(raw);
            }
            piece
        });
        rest = &rest[piece.len()..];
        looked.extend(piece.into_iter().map(|raw| {
            let look = raw.found.map(|(found, owner, heir)| {
                let seen = access.see(found.judged.state.clone());
                Look { found, seen, owner, heir }
            });
            let mut moments = raw.times_ms;
            if let Some(state) = look.as_ref().map(|look| &look.seen.state)
                && let Some(lifecycle) = kinds.kind(state.kind).and_then(Kind::lifecycle)
            {
                moments.extend(ends_ms(lifecycle, &state.fields));
            }
            let (past, later): (Vec<u64>, Vec<u64>) = moments.into_iter().partition(|moment| *moment <= as_of_ms);
            Looked { id: raw.id, look, next_ms: later.into_iter().min(), moved_ms: past.into_iter().max() }
        }));
    }
    looked
}

fn one(state: &State, core: &Core, kinds: &KindSet, id: &EntryId, as_of_ms: u64) -> Raw {
    let (view, charter) = (state.view(), state.replica.charter());
    let times_ms = view.versions(id, u64::MAX).into_iter().map(|version| version.time_ms).collect();
    let found = || {
        if view.is_erased(id) {
            return None;
        }
        let (owner, _) = view.owner(id)?;
        let found = assess::find(state, core, kinds, id, as_of_ms)?;
        let member = |number: MemberNumber| {
            let member = charter.members().get(&number)?;
            let (name, region) = (member.name.clone(), member.region.clone());
            Some(Owner { number, name, class: member.class, region })
        };
        let author = found.judged.state.label.member;
        let heir = (owner != author).then(|| member(owner)).flatten();
        Some((found, member(author)?, heir))
    };
    Raw { id: *id, found: found(), times_ms }
}

/// When time moves a record with these fields.
fn ends_ms(lifecycle: &Lifecycle, fields: &BTreeMap<u16, Value>) -> Vec<u64> {
    let Position::State(stated) = lifecycle.position(fields) else { return Vec::new() };
    let ends = lifecycle.expiries().iter().filter(|expiry| expiry.from.contains(&stated));
    ends.filter_map(|expiry| match fields.get(&expiry.field) {
        Some(Value::Date(day)) => Some(day.plus_days(i64::from(expiry.days))?.end_ms()),
        _ => None,
    })
    .collect()
}

/// A way through all records, in pieces.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    walk: Walk,
    last: Option<Label>,
    looked_at: usize,
}

impl Round {
    /// From the first record on.
    pub(crate) fn new() -> Self {
        Self { walk: Walk::new(Whose::All), last: None, looked_at: 0 }
    }

    /// The next records, none when the way is at its end.
    pub(crate) fn step(&mut self, core: &Core, count: usize) -> Vec<(Label, EntryId)> {
        let steps: Vec<(Label, EntryId)> = core.read(|state| {
            let (view, charter) = (state.view(), state.replica.charter());
            std::iter::from_fn(|| self.walk.step(view, charter)).take(count).collect()
        });
        self.last = steps.last().map(|(label, _)| *label).or(self.last);
        self.looked_at += steps.len();
        steps
    }

    /// The label of the record that was given out last.
    pub(crate) fn last(&self) -> Option<Label> {
        self.last
    }

    /// Records that were given out.
    pub(crate) fn looked_at(&self) -> usize {
        self.looked_at
    }
}

/// Records and those whose judgement looks at them.
pub(crate) fn around(core: &Core, ids: &[EntryId]) -> Touched {
    let mut touched = Touched::default();
    for piece in ids.chunks(LOCK_WORK_MAX) {
        core.read(|state| piece.iter().for_each(|id| state.view().touch(id, &mut touched)));
    }
    touched
}
