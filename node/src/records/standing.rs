//! How a record of one's own stands, before or within a batch, and what a change makes of it.
//!
//! A record is covered in one of two ways. Sealed as a whole, it says nothing in clear. Otherwise its fields stand in
//! clear, and those that its kind calls confidential are sealed beside them for the parties: a *mixed* record. The
//! sealed part always holds all confidential fields, so that whoever opens the last one knows the record; a change that
//! touches none of them leaves it as it is.

use std::collections::{BTreeMap, BTreeSet};

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::condition::Scope;
use protocol::kind::{Field, Kind, KindReaders, KindSet};
use protocol::sealed::Readers;
use protocol::statement::{FIELD_REASON, FIELD_SEALED, Operation, Statement};
use protocol::value::Value;

use super::error::RecordError;
use super::lifecycle::Court;
use super::prepare::{Prepared, may_leave};
use super::seal::Settled;
use crate::confidential::{self, Audience, Closed, Seen};
use crate::core::State;

/// The fields of a record.
type Fields = BTreeMap<u16, Value>;

/// A record of one's own.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    id: EntryId,
    kind: u16,
    label: String,
    external: Option<String>,
    /// All fields, those of its sealed part too.
    fields: Fields,
    /// Numbers of the fields that stand in clear.
    public: BTreeSet<u16>,
    /// Its sealed part, if it has one.
    sealed: Option<Part>,
    withdrawn: bool,
}

/// The sealed part of a record.
#[derive(Debug, Clone)]
struct Part {
    /// Who reads it, if that can be told.
    readers: Option<Readers>,
    /// Why it does not open here, if it does not.
    closed: Option<Closed>,
    /// Whether it is the record as a whole.
    whole: bool,
}

/// What is sealed of a record from now on.
enum Cover {
    /// All of it, for these readers.
    Whole(Readers),
    /// Its confidential fields, for these parties.
    Parts(Readers),
}

impl Standing {
    /// A record as it was found.
    pub(super) fn new(seen: Seen, kinds: &KindSet) -> Self {
        let Seen { state, confidential } = seen;
        let opened = confidential.as_ref().map(|part| &part.fields);
        let in_clear = |number: &&u16| opened.is_none_or(|opened| !opened.contains(number));
        let public: BTreeSet<u16> = state.fields.keys().filter(in_clear).copied().collect();
        let kind = kinds.kind(state.kind);
        let field = kind.map(Kind::external_field);
        let number = || Some(field?.render(state.fields.get(&field?.number)?));
        // What is sealed as a whole leaves nothing in clear; every other record has its title there at least.
        let mixed = !public.is_empty() && kind.is_some_and(Kind::has_confidential_fields);
        Self {
            id: state.id,
            kind: state.kind,
            label: state.label.to_string(),
            external: state.external.clone().or_else(|| confidential.as_ref().and_then(|_| number())),
            public,
            sealed: confidential.map(|part| Part { readers: part.readers, closed: part.closed, whole: !mixed }),
            fields: state.fields,
            withdrawn: state.withdrawn.is_some(),
        }
    }

    /// Judges a change and carries it out, so that the next one of the batch is judged by its result.
    pub(super) fn apply(&mut self, prepared: &Prepared, court: &Court<'_>) -> Result<Settled, RecordError> {
        let statement = &prepared.statement;
        if self.kind != prepared.kind {
            return Err(RecordError::KindOther { label: self.label.clone() });
        }
        if self.withdrawn {
            return Err(RecordError::Withdrawn { label: self.label.clone() });
        }
        if statement.operation == Operation::Withdraw {
            self.withdrawn = true;
            return Ok(Settled::AsItIs);
        }
        let Some(kind) = court.author.kinds.kind(self.kind) else { return Ok(Settled::AsItIs) };
        let cover = self.cover(prepared, court.author.member)?;
        let unsealed = self.is_whole() && matches!(cover, Cover::Parts(_));
        let touched = self.touches_sealed(kind, prepared, &cover);
        let scope = match self.closed() {
            None => Scope::Author,
            // What does not open cannot be sealed again, and nobody can judge a state by it: a change would lose it.
            Some(closed) if touched || lifecycle_field(kind).is_some_and(|field| names(statement, field)) => {
                return Err(RecordError::ClosedHere { label: self.label.clone(), closed });
            }
            Some(_) => Scope::Everybody,
        };
        let result = self.result_of(statement);
        self.keeps_external(kind, statement, &result)?;
        may_leave(kind, &result)?;
        let mut whole = result.clone();
        whole.remove(&FIELD_REASON);
        let broken = kind.newly_broken(&self.fields, &whole, scope);
        if !broken.is_empty() {
            return Err(RecordError::Fields(broken));
        }
        let before = match unsealed && kind.readers() == KindReaders::All {
            // Everybody judges what comes to light now by what was in clear before.
            true => self.fields.iter().filter(|(number, _)| self.public.contains(number)).map(copied).collect(),
            false => self.fields.clone(),
        };
        court.judge(kind, Some(self.id), Some(&before), &whole)?;
        let settled = self.settle(kind, statement, cover, touched, result)?;
        self.fields = whole;
        Ok(settled)
    }

    /// The same content for the present keys of its readers, as far as they are members still.
    pub(super) fn reseal(&self, state: &State) -> Result<Settled, RecordError> {
        if let Some(closed) = self.closed() {
            return Err(RecordError::ClosedHere { label: self.label.clone(), closed });
        }
        let readers = self.sealed.as_ref().and_then(|part| part.readers.as_ref());
        let readers = readers.filter(|_| !self.withdrawn).ok_or(RecordError::NothingToChange)?;
        let readers = confidential::present(state.replica.charter(), readers);
        let sealed = self.fields.iter().filter(|(number, _)| !self.public.contains(number)).map(copied).collect();
        Ok(Settled::Seal { readers, sealed, set: Fields::new(), cleared: BTreeSet::new() })
    }

    fn is_whole(&self) -> bool {
        self.sealed.as_ref().is_some_and(|part| part.whole)
    }

    fn closed(&self) -> Option<Closed> {
        self.sealed.as_ref().and_then(|part| part.closed)
    }

    /// What is sealed from now on, and for whom.
    fn cover(&self, prepared: &Prepared, author: MemberNumber) -> Result<Cover, RecordError> {
        let held = self.sealed.as_ref();
        let readers = held.and_then(|part| part.readers.clone()).unwrap_or(Readers::Parties(vec![author]));
        match (&prepared.audience, &prepared.parties) {
            (Some(Audience::Sealed(readers)), _) => Ok(Cover::Whole(readers.clone())),
            (None | Some(Audience::Local), None) if self.is_whole() => Ok(Cover::Whole(readers)),
            (None | Some(Audience::Local), Some(_)) if self.is_whole() => Err(RecordError::PartiesOfWhole),
            (_, Some(parties)) => Ok(Cover::Parts(parties.clone())),
            // The readers of the whole were others than the parties of a part.
            (_, None) if self.is_whole() => Ok(Cover::Parts(Readers::Parties(vec![author]))),
            (_, None) => Ok(Cover::Parts(readers)),
        }
    }

    /// Whether the change concerns what is sealed, before or after.
    fn touches_sealed(&self, kind: &Kind, prepared: &Prepared, cover: &Cover) -> bool {
        let statement = &prepared.statement;
        let hidden = |number: &u16| {
            is_confidential(kind, *number) || (self.fields.contains_key(number) && !self.public.contains(number))
        };
        let named = || statement.fields.keys().chain(&statement.cleared).any(hidden);
        self.is_whole() || matches!(cover, Cover::Whole(_)) || prepared.parties.is_some() || named()
    }

    fn keeps_external(&self, kind: &Kind, statement: &Statement, result: &Fields) -> Result<(), RecordError> {
        let field = kind.external_field();
        let stated = result.get(&field.number).map(|value| field.render(value));
        match names(statement, field.number) && stated != self.external {
            true => Err(RecordError::ExternalFixed),
            false => Ok(()),
        }
    }

    /// What is to become of the statement, once it was found good.
    fn settle(
        &mut self,
        kind: &Kind,
        statement: &Statement,
        cover: Cover,
        touched: bool,
        result: Fields,
    ) -> Result<Settled, RecordError> {
        let parties = match cover {
            Cover::Whole(readers) => {
                let cleared = std::mem::take(&mut self.public);
                self.sealed = Some(Part { readers: Some(readers.clone()), closed: None, whole: true });
                return Ok(Settled::Seal { readers, sealed: result, set: Fields::new(), cleared });
            }
            Cover::Parts(parties) => parties,
        };
        let held = self.sealed.as_ref().map(|part| part.whole);
        let stays_hidden = |number: &u16| {
            let was = held == Some(false) && self.fields.contains_key(number) && !self.public.contains(number);
            is_confidential(kind, *number) || (was && !statement.fields.contains_key(number))
        };
        let (sealed, clear): (Fields, Fields) = result.into_iter().partition(|(number, _)| stays_hidden(number));
        let (set, mut cleared): (Fields, BTreeSet<u16>) = match held {
            // Nothing of it stood in clear: all of the rest is set.
            Some(true) => (clear.clone(), BTreeSet::new()),
            _ => {
                let set = clear.iter().filter(|(number, _)| statement.fields.contains_key(number)).map(copied);
                let in_clear = |number: &&u16| !stays_hidden(number);
                let moved = self.public.iter().filter(|number| is_confidential(kind, **number));
                (set.collect(), statement.cleared.iter().filter(in_clear).chain(moved).copied().collect())
            }
        };
        self.public = clear.keys().filter(|number| **number != FIELD_REASON).copied().collect();
        if !touched {
            return Ok(Settled::AsItIs);
        }
        if !sealed.is_empty() {
            self.sealed = Some(Part { readers: Some(parties.clone()), closed: None, whole: false });
            return Ok(Settled::Seal { readers: parties, sealed, set, cleared });
        }
        cleared.extend(held.map(|_| FIELD_SEALED));
        self.sealed = None;
        match set.is_empty() && cleared.is_empty() {
            true => Err(RecordError::NothingToChange),
            false => Ok(Settled::Clear { set, cleared }),
        }
    }

    /// The fields of the whole record as it would be, with the reason that is told beside them.
    fn result_of(&self, statement: &Statement) -> Fields {
        let kept = self.fields.iter().filter(|(number, _)| !statement.cleared.contains(number));
        let mut result: Fields = kept.map(copied).collect();
        result.extend(statement.fields.clone());
        result
    }
}

/// What is to become of a create that was found good.
pub(super) fn settle_create(kind: &Kind, prepared: &Prepared, author: MemberNumber) -> Settled {
    let fields = prepared.statement.fields.clone();
    if let Some(Audience::Sealed(readers)) = &prepared.audience {
        let readers = readers.clone();
        return Settled::Seal { readers, sealed: fields, set: Fields::new(), cleared: BTreeSet::new() };
    }
    let (sealed, set): (Fields, Fields) = fields.into_iter().partition(|(number, _)| is_confidential(kind, *number));
    if sealed.is_empty() {
        return Settled::AsItIs;
    }
    let readers = prepared.parties.clone().unwrap_or(Readers::Parties(vec![author]));
    Settled::Seal { readers, sealed, set, cleared: BTreeSet::new() }
}

fn is_confidential(kind: &Kind, number: u16) -> bool {
    kind.field(number).is_some_and(Field::is_confidential)
}

fn lifecycle_field(kind: &Kind) -> Option<u16> {
    kind.lifecycle().map(|lifecycle| lifecycle.field())
}

fn names(statement: &Statement, field: u16) -> bool {
    statement.fields.contains_key(&field) || statement.cleared.contains(&field)
}

fn copied((number, value): (&u16, &Value)) -> (u16, Value) {
    (*number, value.clone())
}
