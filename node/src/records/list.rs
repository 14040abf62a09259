//! Pages of records: filtered, in a stable order, with what the filters could not tell named beside each record.
//!
//! Order: members by number, the newest record of each first. A cursor names the last record that was looked at, so
//! pages neither repeat nor skip anything while entries arrive; what is created meanwhile is found by a new list. A page
//! that had to look at very many records ends early; go on until there is no cursor.

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;
use protocol::kind::filter::{Answer, Filter};
use protocol::view::{Label, RecordState};

use super::error::RecordError;
use super::prepare::kind_named;
use super::render::Renderer;
use super::walk::{Walk, Whose};
use super::{FOLD_COST, LOCK_WORK_MAX, PAGE_RECORDS, PAGE_RECORDS_MAX, PAGE_SCAN_MAX};
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

    fn wants(&self, state: &RecordState) -> bool {
        match self.withdrawn {
            Withdrawn::Exclude => state.withdrawn.is_none(),
            Withdrawn::Include => true,
            Withdrawn::Only => state.withdrawn.is_some(),
        }
    }

    /// Names of the fields that the record would have to state; `None` when a condition does not hold.
    fn unknown(&self, state: &RecordState) -> Option<Vec<String>> {
        let mut unknown = Vec::new();
        for filter in &self.filters {
            match filter.evaluate(&state.fields) {
                Answer::Match => {}
                Answer::NoMatch => return None,
                Answer::Unknown if unknown.contains(&filter.field().name) => {}
                Answer::Unknown => unknown.push(filter.field().name.clone()),
            }
        }
        Some(unknown)
    }
}

/// One page. Blocks: it reads bodies from the disk.
pub fn page(core: &Core, kinds: &KindSet, query: &Query) -> RecordList {
    let limit = query.limit.clamp(1, PAGE_RECORDS_MAX);
    let whose = query.owner.map_or(Whose::All, Whose::One);
    let as_of_ms = core.as_of_ms();
    let mut walk = match query.after {
        Some(cursor) => Walk::behind(whose, core.read(|state| cursor.label_now(state))),
        None => Walk::new(whose),
    };
    let access = core.access();
    let mut kept: Vec<(Seen, Vec<String>)> = Vec::new();
    let (mut looked_at, mut last_kept, mut next) = (0, None, None);
    'page: loop {
        let piece = core.read(|state| look(state, core, query.kind, as_of_ms, &mut walk));
        looked_at += piece.looked_at;
        for state in piece.records {
            let cursor = Cursor { label: state.label, id: state.id };
            let seen = access.see(state);
            let unknown = query.wants(&seen.state).then(|| query.unknown(&seen.state)).flatten();
            let Some(unknown) = unknown else { continue };
            if kept.len() == limit {
                next = last_kept;
                break 'page;
            }
            kept.push((seen, unknown));
            last_kept = Some(cursor);
        }
        if piece.ended {
            break;
        }
        if looked_at >= PAGE_SCAN_MAX {
            next = piece.last;
            break;
        }
    }
    let renderer = Renderer::new(core, kinds, kept.iter().map(|(seen, _)| seen.state.label.member));
    let records =
        kept.iter().map(|(seen, unknown)| ListedRecord { record: renderer.record(seen), unknown: unknown.clone() });
    RecordList { records: records.collect(), next: next.map(Cursor::write) }
}

/// What was found in one go under the lock.
struct Piece {
    records: Vec<RecordState>,
    looked_at: usize,
    last: Option<Cursor>,
    ended: bool,
}

fn look(state: &State, core: &Core, kind: Option<u16>, as_of_ms: u64, walk: &mut Walk) -> Piece {
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
            work += FOLD_COST;
            piece.records.extend(view.record(&id, as_of_ms, core));
        }
    }
    piece
}
