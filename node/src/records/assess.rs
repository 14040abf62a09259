//! What can be said of a record beside its fields: what of it counts, where it stands, marks, figures, what may follow.
//!
//! Judging a record looks at the records that name it, under the lock. Every body is read once for each judgement, and
//! all reading is counted: a record on which more hangs than [`JUDGE_WORK_MAX`] allows is shown unjudged, and does not
//! count. The bound is a matter of the entries alone, so every node finds the same.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::charter::Charter;
use protocol::identity::EntryId;
use protocol::kind::condition::{Scope, Unmet};
use protocol::kind::derived::Figure;
use protocol::kind::{Kind, KindSet, Lifecycle, Mark, Position};
use protocol::register::{Assessment, Judged, Register};
use protocol::statement::FIELD_SEALED;
use protocol::value::Value;
use protocol::view::{BodySource, Place, RecordState, View};

use super::FOLD_COST;
use crate::api::types::{FigureView, GapView, MarkView, OnwardView, PositionView, Words};
use crate::confidential::Seen;
use crate::core::{Core, State};
use crate::kinds;

/// Work on one record under the lock: reading a body costs [`FOLD_COST`], looking at it again 1.
const JUDGE_WORK_MAX: usize = 65_536;
/// Numbers of fields from here on belong to the system.
const SYSTEM_FIELDS_FROM: u16 = 0xF000;

/// Bodies for one judgement: read once each, counted, and refused beyond the bound.
pub(crate) struct Metered<'a> {
    core: &'a Core,
    held: RefCell<BTreeMap<Place, Option<Arc<[u8]>>>>,
    work: Cell<usize>,
    bound: usize,
}

impl<'a> Metered<'a> {
    pub(crate) fn new(core: &'a Core) -> Self {
        Self { core, held: RefCell::default(), work: Cell::new(0), bound: JUDGE_WORK_MAX }
    }

    /// Whether more was asked for than the bound allows, so that nothing that came out may be believed.
    pub(crate) fn is_overrun(&self) -> bool {
        self.work.get() > self.bound
    }
}

impl BodySource for Metered<'_> {
    fn body(&self, place: Place) -> Option<Arc<[u8]>> {
        let held = self.held.borrow().get(&place).cloned();
        self.work.set(self.work.get() + if held.is_some() { 1 } else { FOLD_COST });
        if self.is_overrun() {
            return None;
        }
        held.unwrap_or_else(|| {
            let body = self.core.body(place);
            self.held.borrow_mut().insert(place, body.clone());
            body
        })
    }
}

/// A record as it counts, and whether it could be judged.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The record, as everybody finds it.
    pub(crate) judged: Judged,
    /// In what way it counts.
    pub(crate) coverage: Coverage,
    /// Whether too much hangs on it for its lifecycle to be judged.
    pub(crate) unjudged: bool,
    /// What reading it cost.
    pub(crate) work: usize,
}

/// In what way a record counts in figures that all members share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// It counts.
    Counts,
    /// It was withdrawn.
    Withdrawn,
    /// It breaks a rule that everybody can see, or was published against its lifecycle.
    Uncounted,
    /// It is wholly confidential.
    Closed,
    /// This build is too old to judge it.
    UpdateNeeded,
}

/// The record of an id as it stands at a time; `None` when it is not there, or a body of its is missing.
pub(super) fn find(state: &State, core: &Core, kinds: &KindSet, id: &EntryId, as_of_ms: u64) -> Option<Found> {
    find_in(state.view(), state.replica.charter(), core, kinds, id, as_of_ms)
}

/// The same in another view than the present one, of entries that this node holds.
pub(crate) fn find_in(
    view: &View,
    charter: &Charter,
    core: &Core,
    kinds: &KindSet,
    id: &EntryId,
    as_of_ms: u64,
) -> Option<Found> {
    let metered = Metered::new(core);
    let register = Register::new(view, &metered, kinds, charter, as_of_ms);
    let found = register.judged(id).filter(|_| !metered.is_overrun());
    let work = metered.work.get();
    let (judged, unjudged) = match found {
        Some(judged) => (judged, false),
        None if metered.is_overrun() => {
            let state = view.record(id, as_of_ms, core)?;
            let since_ms = state.created_ms;
            (Judged { state, uncounted: Vec::new(), since_ms }, true)
        }
        None => return None,
    };
    let coverage = if unjudged { Coverage::Uncounted } else { coverage(view, charter, kinds, &judged) };
    Some(Found { judged, coverage, unjudged, work })
}

/// Asks what looks at other records; `None` when more was asked for than the bound allows.
pub(crate) fn asked<R>(
    view: &View,
    charter: &Charter,
    core: &Core,
    kinds: &KindSet,
    as_of_ms: u64,
    ask: impl FnOnce(&Register<'_>) -> R,
) -> Option<R> {
    let metered = Metered::new(core);
    let answer = ask(&Register::new(view, &metered, kinds, charter, as_of_ms));
    (!metered.is_overrun()).then_some(answer)
}

fn coverage(view: &View, charter: &Charter, kinds: &KindSet, judged: &Judged) -> Coverage {
    let record = &judged.state;
    let readable = kinds::readable(charter.kind_sets(), kinds, record.kind_set, record.kind);
    let Some(kind) = kinds.kind(record.kind).filter(|_| readable) else { return Coverage::UpdateNeeded };
    if record.withdrawn.is_some() {
        return Coverage::Withdrawn;
    }
    if is_wholly_sealed(record) {
        return Coverage::Closed;
    }
    let owner = view.owner(&record.id).map_or(record.label.member, |(owner, _)| owner);
    let class = charter.members().get(&owner).map(|member| member.class);
    let may_write = class.is_none_or(|class| kind.may_write(class.name()));
    let created = !judged.uncounted.iter().any(|uncounted| uncounted.entry == record.id);
    let valid = may_write && created && kind.validate_as(&record.fields, Scope::Everybody).is_empty();
    if valid { Coverage::Counts } else { Coverage::Uncounted }
}

/// Whether nothing of the record stands in clear.
pub(super) fn is_wholly_sealed(record: &RecordState) -> bool {
    record.fields.contains_key(&FIELD_SEALED) && record.fields.keys().all(|number| *number >= SYSTEM_FIELDS_FROM)
}

/// What is said of a record beside its fields.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub(super) marks: Vec<MarkView>,
    pub(super) figures: Vec<FigureView>,
    pub(super) onward: Vec<OnwardView>,
    /// Whether it could not be worked out.
    pub(super) unassessed: bool,
}

/// What is said of a record as this node sees it: of a wholly confidential one that opened here, too. Blocks.
pub(super) fn standing(core: &Core, kinds: &KindSet, found: &Found, seen: &Seen, as_of_ms: u64) -> Standing {
    if found.unjudged {
        return Standing { unassessed: true, ..Standing::default() };
    }
    match found.coverage {
        Coverage::Withdrawn | Coverage::UpdateNeeded => Standing::default(),
        Coverage::Closed if seen.is_closed() => Standing::default(),
        Coverage::Closed => {
            let judged = Judged { state: seen.state.clone(), ..found.judged.clone() };
            core.read(|state| assess(state, core, kinds, &judged, as_of_ms))
        }
        Coverage::Counts | Coverage::Uncounted => {
            core.read(|state| assess(state, core, kinds, &found.judged, as_of_ms))
        }
    }
}

/// Marks, figures and what may follow. Nothing is said of a kind that is not known.
fn assess(state: &State, core: &Core, kinds: &KindSet, judged: &Judged, as_of_ms: u64) -> Standing {
    let Some(kind) = kinds.kind(judged.state.kind) else { return Standing::default() };
    let metered = Metered::new(core);
    let register = Register::new(state.view(), &metered, kinds, state.replica.charter(), as_of_ms);
    let assessment = register.assess(judged).filter(|_| !metered.is_overrun());
    let Some(Assessment { marks, figures, onward, .. }) = assessment else {
        return Standing { unassessed: metered.is_overrun(), ..Standing::default() };
    };
    let fields = &judged.state.fields;
    let onward = onward.into_iter().filter_map(|(transition, missing)| {
        let next = kind.lifecycle()?.states().get(transition.to)?;
        Some(OnwardView {
            name: next.name.clone(),
            zh: next.zh.clone(),
            en: next.en.clone(),
            office_zh: transition.office_zh.clone(),
            office_en: transition.office_en.clone(),
            missing: unmet(&missing),
        })
    });
    Standing {
        marks: marks.into_iter().map(mark).collect(),
        figures: figures.iter().map(|figure| figure_view(kind, fields, figure)).collect(),
        onward: onward.collect(),
        unassessed: false,
    }
}

fn mark(mark: Mark) -> MarkView {
    MarkView { missing: unmet(&mark.missing), zh: mark.zh, en: mark.en }
}

/// What is missing, for people.
pub(super) fn unmet(missing: &[Unmet]) -> Vec<Words> {
    missing.iter().map(|unmet| Words { zh: unmet.zh.clone(), en: unmet.en.clone() }).collect()
}

fn figure_view(kind: &Kind, fields: &BTreeMap<u16, Value>, figure: &Figure) -> FigureView {
    let derived = kind.derived().iter().find(|derived| derived.name == figure.name);
    let gap = figure.gap.filter(|gap| !gap.is_zero()).zip(derived).and_then(|(gap, derived)| {
        let field = kind.field(derived.against?)?;
        let stated = field.render(fields.get(&field.number)?);
        let stated = if stated.ends_with(|last: char| last.is_ascii_digit()) {
            format!("{stated}{}", field.unit().unwrap_or_default())
        } else {
            stated
        };
        Some(GapView { stated, text: format!("{}{}", gap.normalize(), derived.unit) })
    });
    FigureView {
        name: figure.name.clone(),
        zh: figure.zh.clone(),
        en: figure.en.clone(),
        text: figure.text.clone(),
        amount: figure.amount.map(|amount| amount.normalize().to_string()),
        records: figure.records,
        left_out: figure.left_out,
        gap,
    }
}

/// Where a record with these fields stands, for people. `since_ms` is when its owner brought it there.
pub(crate) fn state_view(
    lifecycle: &Lifecycle,
    fields: &BTreeMap<u16, Value>,
    since_ms: u64,
    as_of_ms: u64,
) -> PositionView {
    let stated = lifecycle.position(fields);
    let position = lifecycle.position_at(fields, as_of_ms);
    let moved = (stated != position).then(|| moved_ms(lifecycle, fields, &stated, &position)).flatten();
    let (zh, en) = lifecycle.position_words(&position);
    let name = match &position {
        Position::State(state) => lifecycle.states().get(*state).map(|state| state.name.clone()).unwrap_or_default(),
        Position::Unmapped(_) => "unmapped".to_owned(),
        Position::Blank => "blank".to_owned(),
    };
    PositionView { name, zh, en, since_ms: moved.unwrap_or(since_ms), by_time: stated != position }
}

/// When time moved a record from one state to another.
fn moved_ms(lifecycle: &Lifecycle, fields: &BTreeMap<u16, Value>, from: &Position, to: &Position) -> Option<u64> {
    let (Position::State(from), Position::State(to)) = (from, to) else { return None };
    let ends = lifecycle.expiries().iter().filter(|expiry| expiry.from.contains(from) && expiry.to == *to);
    ends.filter_map(|expiry| match fields.get(&expiry.field) {
        Some(Value::Date(day)) => Some(day.plus_days(i64::from(expiry.days))?.end_ms()),
        _ => None,
    })
    .min()
}

/// The words under which a condition finds where a record stands; none when it says nothing.
pub(super) fn words_of(lifecycle: &Lifecycle, position: &Position) -> Vec<String> {
    match position {
        Position::Blank => Vec::new(),
        Position::Unmapped(word) => vec![word.clone()],
        Position::State(state) => lifecycle.states().get(*state).map_or_else(Vec::new, |state| {
            [&state.zh, &state.en, &state.name].into_iter().chain(&state.words).cloned().collect()
        }),
    }
}
