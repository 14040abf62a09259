//! Pages of records: filtered, in a stable order, with what the filters could not tell named beside each record.
//!
//! Order: members by number, the newest record of each first. A cursor names the last record that was looked at, so
//! pages neither repeat nor skip anything while entries arrive; what is created meanwhile is found by a new list. A page
//! that had to look at very many records ends early; go on until there is no cursor. Where a record stands is asked at
//! the time of the list: time moves records with no traffic.

use std::collections::BTreeMap;

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::filter::{Answer, Comparison, Filter};
use protocol::kind::{Kind, KindSet, Lifecycle, Position};
use protocol::value::Value;
use protocol::view::{Label, RecordState};

use super::assess::{self, Coverage, Found, Standing};
use super::error::RecordError;
use super::prepare::kind_named;
use super::render::Renderer;
use super::walk::{Walk, Whose};
use super::{FOLD_COST, LOCK_WORK_MAX, PAGE_ASSESSED_MAX, PAGE_RECORDS, PAGE_RECORDS_MAX, PAGE_SCAN_MAX};
use crate::api::types::{ListedRecord, RecordList};
use crate::confidential::Seen;
use crate::core::{Core, State};

/// Which records of a list are withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Withdrawn {
    /// None.
    #[default]
    Exclude,
    /// Some.
    Include,
    /// All.
    Only,
}

/// What a list is asked for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only of this kind.
    pub kind: Option<u16>,
    /// Only this member's.
    pub owner: Option<MemberNumber>,
    /// Conditions that must all hold, or be unknown.
    pub filters: Vec<Filter>,
    /// Withdrawn records.
    pub withdrawn: Withdrawn,
    /// Only in the state that goes by this word, as time has left them; 未归类 or `unmapped` for words that are none.
    pub state: Option<String>,
    /// Only records that a check marks.
    pub flagged: bool,
    /// Only records that do not count, or that have a statement that does not.
    pub uncounted: bool,
    /// Most records of the page.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<Cursor>,
}

/// The record at which a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    label: Label,
    id: EntryId,
}

impl Cursor {
    fn write(self) -> String {
        let mut bytes = self.label.member.0.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.label.serial.to_le_bytes());
        bytes.extend_from_slice(self.id.as_bytes());
        hex::encode(bytes)
    }

    /// Reads what a page gave out.
    pub fn read(text: &str) -> Result<Self, RecordError> {
        let mut bytes = [0; 44];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| RecordError::Cursor)?;
        let (member, rest) = bytes.split_first_chunk().ok_or(RecordError::Cursor)?;
        let (serial, id) = rest.split_first_chunk().ok_or(RecordError::Cursor)?;
        let label = Label { member: MemberNumber(u32::from_le_bytes(*member)), serial: u64::from_le_bytes(*serial) };
        Ok(Self { label, id: EntryId(id.try_into().map_err(|_| RecordError::Cursor)?) })
    }

    /// The label of the record now: it can have moved when entries of its member stopped counting.
    fn label_now(self, state: &State) -> Label {
        state.view().label(&self.id).unwrap_or(self.label)
    }
}

impl Query {
    /// A query from its texts. `kind` is a name, or a number, known to this build or not.
    pub fn parse(kinds: &KindSet, kind: Option<&str>, conditions: &[String]) -> Result<Self, RecordError> {
        let number = kind.and_then(|kind| kind.trim().parse::<u16>().ok());
        let known = match (kind, number) {
            (None, _) => None,
            (Some(_), Some(number)) => kinds.kind(number),
            (Some(name), None) => Some(kind_named(kinds, name)?),
        };
        let mut filters = Vec::with_capacity(conditions.len());
        for condition in conditions {
            let kind = known.ok_or(RecordError::FilterKind)?;
            filters.push(Filter::parse(kind, condition)?);
        }
        let kind = known.map(|kind| kind.number()).or(number);
        Ok(Self { kind, filters, limit: PAGE_RECORDS, ..Self::default() })
    }

    /// Whether the record is one of those that are asked for, conditions on fields left aside.
    fn wants(&self, kinds: &KindSet, found: &Found, as_of_ms: u64) -> bool {
        let state = &found.judged.state;
        let withdrawn = match self.withdrawn {
            Withdrawn::Exclude => state.withdrawn.is_none(),
            Withdrawn::Include => true,
            Withdrawn::Only => state.withdrawn.is_some(),
        };
        let counts = matches!(found.coverage, Coverage::Counts | Coverage::Closed) && found.judged.uncounted.is_empty();
        withdrawn
            && !(self.uncounted && counts)
            && self.state.as_deref().is_none_or(|word| is_in_state(kinds, state, word, as_of_ms))
    }

    /// Names of the fields that the record would have to state; `None` when a condition does not hold.
    pub(crate) fn unknown(&self, kinds: &KindSet, state: &RecordState, as_of_ms: u64) -> Option<Vec<String>> {
        let lifecycle = kinds.kind(state.kind).and_then(Kind::lifecycle);
        let mut unknown = Vec::new();
        for filter in &self.filters {
            let of_state = lifecycle.filter(|lifecycle| lifecycle.field() == filter.field().number);
            let answer = match of_state {
                Some(lifecycle) => state_answer(lifecycle, filter, &state.fields, as_of_ms),
                None => filter.evaluate(&state.fields),
            };
            match answer {
                Answer::Match => {}
                Answer::NoMatch => return None,
                Answer::Unknown if unknown.contains(&filter.field().name) => {}
                Answer::Unknown => unknown.push(filter.field().name.clone()),
            }
        }
        Some(unknown)
    }
}

/// Words for every state that a person must map.
const UNMAPPED_WORDS: [&str; 2] = ["未归类", "unmapped"];

/// The state that goes by a word: one that offices write, or its English name.
pub(crate) fn state_of(lifecycle: &Lifecycle, word: &str) -> Option<usize> {
    let by_english = || lifecycle.states().iter().position(|state| state.en.eq_ignore_ascii_case(word.trim()));
    lifecycle.state_called(word).or_else(by_english)
}

/// Whether a record is in the state that goes by a word.
fn is_in_state(kinds: &KindSet, state: &RecordState, word: &str, as_of_ms: u64) -> bool {
    let lifecycle = kinds.kind(state.kind).and_then(Kind::lifecycle);
    // A state that is sealed is not known here.
    let Some(lifecycle) = lifecycle.filter(|_| !assess::is_wholly_sealed(state)) else { return false };
    match lifecycle.position_at(&state.fields, as_of_ms) {
        Position::State(found) => state_of(lifecycle, word) == Some(found),
        Position::Unmapped(found) => found == word.trim() || UNMAPPED_WORDS.contains(&word.trim()),
        Position::Blank => false,
    }
}

/// A condition on the field of the state compares where time has left the record, under any word for it.
fn state_answer(lifecycle: &Lifecycle, filter: &Filter, fields: &BTreeMap<u16, Value>, as_of_ms: u64) -> Answer {
    let words = assess::words_of(lifecycle, &lifecycle.position_at(fields, as_of_ms));
    // What offices write beside a state's own names can hold the name of another: 签约未开工 is 签约.
    let own_names = if filter.comparison() == Comparison::Contains { OWN_NAMES } else { words.len() };
    let answer = |word: &String| filter.evaluate(&BTreeMap::from([(lifecycle.field(), Value::Text(word.clone()))]));
    let answers: Vec<Answer> = words.iter().take(own_names).map(answer).collect();
    let (decisive, other) = match filter.comparison() {
        Comparison::NotEqual => (Answer::NoMatch, Answer::Match),
        _ => (Answer::Match, Answer::NoMatch),
    };
    match answers.is_empty() {
        true => Answer::Unknown,
        false if answers.contains(&decisive) => decisive,
        false => other,
    }
}

/// Of the words for a state, those that the kind file gives it as names.
const OWN_NAMES: usize = 3;

/// One page. Blocks: it reads bodies from the disk.
pub fn page(core: &Core, kinds: &KindSet, query: &Query) -> RecordList {
    page_at(core, kinds, query, core.as_of_ms())
}

/// One page as of a time.
pub(super) fn page_at(core: &Core, kinds: &KindSet, query: &Query, as_of_ms: u64) -> RecordList {
    let limit = query.limit.clamp(1, PAGE_RECORDS_MAX);
    let whose = query.owner.map_or(Whose::All, Whose::One);
    let mut walk = match query.after {
        Some(cursor) => Walk::behind(whose, core.read(|state| cursor.label_now(state))),
        None => Walk::new(whose),
    };
    let access = core.access();
    let mut kept: Vec<(Found, Seen, Standing, Vec<String>)> = Vec::new();
    let (mut looked_at, mut assessed, mut last_kept, mut next) = (0, 0, None, None);
    'page: loop {
        let piece = core.read(|state| look(state, core, kinds, query.kind, as_of_ms, &mut walk));
        looked_at += piece.looked_at;
        for found in piece.records {
            let state = &found.judged.state;
            if !query.wants(kinds, &found, as_of_ms) {
                continue;
            }
            let cursor = Cursor { label: state.label, id: state.id };
            let seen = access.see(state.clone());
            let Some(unknown) = query.unknown(kinds, &seen.state, as_of_ms) else { continue };
            // Whether there is another one need not be assessed, unless the mark decides.
            let full = kept.len() == limit;
            if full && !query.flagged {
                next = last_kept;
                break 'page;
            }
            assessed += 1;
            let mut standing = assess::standing(core, kinds, &found, &seen, as_of_ms);
            if query.flagged && standing.marks.is_empty() {
                continue;
            }
            if full {
                next = last_kept;
                break 'page;
            }
            standing.onward.clear();
            kept.push((found, seen, standing, unknown));
            last_kept = Some(cursor);
        }
        if piece.ended {
            break;
        }
        if looked_at >= PAGE_SCAN_MAX || assessed >= PAGE_ASSESSED_MAX {
            next = piece.last;
            break;
        }
    }
    let renderer = Renderer::new(core, kinds, kept.iter().map(|(found, ..)| found.judged.state.label.member));
    let records = kept.into_iter().map(|(found, seen, standing, unknown)| ListedRecord {
        record: renderer.record(&found, &seen, standing, as_of_ms),
        unknown,
    });
    RecordList { records: records.collect(), next: next.map(Cursor::write) }
}

/// What was found in one go under the lock.
pub(super) struct Piece {
    pub(super) records: Vec<Found>,
    pub(super) looked_at: usize,
    last: Option<Cursor>,
    pub(super) ended: bool,
}

/// Goes on along the way, for as much work as one go may do under the lock.
pub(super) fn look(
    state: &State,
    core: &Core,
    kinds: &KindSet,
    kind: Option<u16>,
    as_of_ms: u64,
    walk: &mut Walk,
) -> Piece {
    let (view, charter) = (state.view(), state.replica.charter());
    let mut piece = Piece { records: Vec::new(), looked_at: 0, last: None, ended: false };
    let mut work = 0;
    while work < LOCK_WORK_MAX {
        let Some((label, id)) = walk.step(view, charter) else {
            piece.ended = true;
            break;
        };
        piece.looked_at += 1;
        piece.last = Some(Cursor { label, id });
        work += 1;
        let of_kind = kind.is_none() || view.owner(&id).map(|(_, kind)| kind) == kind;
        if of_kind && !view.is_erased(&id) {
            let found = assess::find(state, core, kinds, &id, as_of_ms);
            work += found.as_ref().map_or(FOLD_COST, |found| found.work);
            piece.records.extend(found);
        }
    }
    piece
}
