//! From what a caller says to statements: every check that needs nothing but the kind and the author.
//!
//! Checks, in this order: the kind is known; the author's class may write it; names and texts of fields can be read;
//! the statement has its layout and names a version of the kinds that all can resolve; the fields keep the rules of the kind; own number and
//! the field that holds it agree; nothing in it must stay on this node. What depends on other records is checked by
//! `settle`, and [`super::publish`] never signs what has not passed both.

use std::collections::{BTreeMap, BTreeSet};

use protocol::charter::Class;
use protocol::identity::{EntryId, MemberNumber};
use protocol::indicator::bulletin::BULLETIN_KIND;
use protocol::kind::{Field, Kind, KindReaders, KindSet};
use protocol::limits::BODY_NONCE_BYTES;
use protocol::sealed::Readers;
use protocol::statement::{FIELD_SEALED, Operation, Statement};
use protocol::value::Value;

use super::error::RecordError;
use super::fields;
use crate::api::types::{CreateRecord, ReviseRecord, WithdrawRecord};
use crate::confidential::Audience;
use crate::core::{Core, PublishError};
use crate::kinds::{self, NamedSets};

/// Random bytes that open a body.
pub type Nonce = [u8; BODY_NONCE_BYTES];

/// Who publishes, under which kinds.
#[derive(Debug, Clone)]
pub struct Author<'a> {
    /// The kinds.
    pub kinds: &'a KindSet,
    /// The member.
    pub member: MemberNumber,
    /// Its class.
    pub class: Class,
    /// The sets of kinds that the charter names.
    pub named: NamedSets,
}

/// A statement that keeps every rule that needs no state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Number of the kind.
    pub kind: u16,
    /// What it says.
    pub statement: Statement,
    /// Its canonical bytes; none where fields are to be sealed.
    pub body: Vec<u8>,
    /// Of a create: the own number, which the statement does not say when the record is sealed as a whole.
    pub external: Option<String>,
    /// For whom it shall be; `None` where the record keeps its readers.
    pub audience: Option<Audience>,
    /// For whom its confidential fields shall be; `None` where they keep their parties.
    pub parties: Option<Readers>,
    /// Whether the record shall only be sealed anew, for the present keys of its readers.
    pub reseal: bool,
}

/// Readers and parties as a caller names them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a> {
    /// Of the record.
    pub readers: Option<&'a str>,
    /// Of its confidential fields.
    pub parties: Option<&'a str>,
}

/// For whom a statement shall be.
#[derive(Debug, Default)]
struct ForWhom {
    audience: Option<Audience>,
    parties: Option<Readers>,
}

impl ForWhom {
    fn is_silent(&self) -> bool {
        self.audience.is_none() && self.parties.is_none()
    }
}

impl<'a> Author<'a> {
    /// This node's own member, under `kinds`.
    pub fn own(core: &Core, kinds: &'a KindSet) -> Result<Self, RecordError> {
        let (member, _) = core.own().ok_or(PublishError::NotMember)?;
        core.read(|state| {
            let charter = state.replica.charter();
            let class = charter.members().get(&member).map(|member| member.class).ok_or(PublishError::NotMember)?;
            Ok(Self { kinds, member, class, named: charter.kind_sets().clone() })
        })
    }

    fn writable(&self, kind: &'a Kind) -> Result<&'a Kind, RecordError> {
        if kind.is_local() {
            let (kind_zh, kind_en) = (kind.zh().to_owned(), kind.en().to_owned());
            return Err(RecordError::KindLocal { kind_zh, kind_en });
        }
        if kind.may_write(self.class.name()) {
            return Ok(kind);
        }
        Err(RecordError::WriterClass {
            kind_zh: kind.zh().to_owned(),
            kind_en: kind.en().to_owned(),
            class_zh: self.class.zh(),
            class_en: self.class.name(),
        })
    }

    /// For whom, as the texts say: the record, and its confidential fields. What stays on this node is no matter of
    /// publishing.
    fn for_whom(&self, kind: &Kind, given: Named<'_>) -> Result<ForWhom, RecordError> {
        let audience = given.readers.map(|text| Audience::parse(text, self.member)).transpose()?;
        if audience == Some(Audience::Local) {
            return Err(RecordError::ReadersLocal);
        }
        let Some(text) = given.parties else { return Ok(ForWhom { audience, parties: None }) };
        let parties = match Audience::parse(text, self.member) {
            Ok(Audience::Sealed(readers)) => readers,
            Ok(Audience::All | Audience::Local) | Err(RecordError::Readers { .. }) => {
                return Err(RecordError::Parties { given: text.to_owned() });
            }
            Err(error) => return Err(error),
        };
        match (&audience, kind.has_confidential_fields()) {
            (Some(Audience::Sealed(_)), _) => Err(RecordError::PartiesOfWhole),
            (_, true) => Ok(ForWhom { audience, parties: Some(parties) }),
            // A record of such a kind is for its parties as a whole.
            (None, false) if kind.readers() == KindReaders::Parties => {
                Ok(ForWhom { audience: Some(Audience::Sealed(parties)), parties: None })
            }
            (_, false) => {
                let (kind_zh, kind_en) = (kind.zh().to_owned(), kind.en().to_owned());
                Err(RecordError::PartiesNone { kind_zh, kind_en })
            }
        }
    }

    fn kind(&self, number: u16) -> Result<&'a Kind, RecordError> {
        self.writable(kind_numbered(self.kinds, number)?)
    }

    /// The version under which this author states records of a kind: the charter must resolve it to what is in use.
    fn version(&self, kind: &Kind) -> Result<u16, RecordError> {
        kinds::stated_version(&self.named, self.kinds, kind.number()).ok_or_else(|| RecordError::KindSetUnknown {
            hash: self.kinds.hash(),
            kind_zh: kind.zh().to_owned(),
            kind_en: kind.en().to_owned(),
        })
    }
}

/// The kind of that English or Chinese name, or of that number.
pub fn kind_named<'a>(kinds: &'a KindSet, given: &str) -> Result<&'a Kind, RecordError> {
    let by_number = || given.trim().parse().ok().and_then(|number| kinds.kind(number));
    kinds.kind_named(given).or_else(by_number).ok_or_else(|| kind_unknown(kinds, given))
}

fn kind_numbered(kinds: &KindSet, number: u16) -> Result<&Kind, RecordError> {
    kinds.kind(number).ok_or_else(|| kind_unknown(kinds, &number.to_string()))
}

fn kind_unknown(kinds: &KindSet, given: &str) -> RecordError {
    let known: Vec<String> = kinds.kinds().map(|kind| format!("{}（{}）", kind.zh(), kind.name())).collect();
    RecordError::KindUnknown { given: given.to_owned(), known: known.join("、") }
}

/// A create from the texts of its fields.
pub fn prepare_create(author: &Author<'_>, request: &CreateRecord, nonce: Nonce) -> Result<Prepared, RecordError> {
    let kind = author.writable(kind_named(author.kinds, &request.kind)?)?;
    let named = Named { readers: request.readers.as_deref(), parties: request.parties.as_deref() };
    let for_whom = author.for_whom(kind, named)?;
    let fields = fields::parse(kind, &request.fields)?;
    let external = request.external.as_deref().map(str::trim).filter(|external| !external.is_empty());
    let statement = Statement::create(nonce, author.version(kind)?, external.map(str::to_owned), fields);
    finish(author, kind, statement, None, for_whom)
}

/// A revision of a record from texts and names.
pub fn prepare_revise(
    author: &Author<'_>,
    kind: u16,
    record: EntryId,
    request: &ReviseRecord,
    nonce: Nonce,
) -> Result<Prepared, RecordError> {
    let kind = changeable(author.kind(kind)?)?;
    let set = fields::parse_set(kind, &request.set)?;
    let cleared = fields::parse_clear(kind, &request.clear, &set)?;
    let named = Named { readers: request.readers.as_deref(), parties: request.parties.as_deref() };
    let for_whom = author.for_whom(kind, named)?;
    let statement = Statement::revise(nonce, author.version(kind)?, record, set, cleared);
    finish(author, kind, statement, None, for_whom)
}

/// The statement that a record is still true: a revision that sets and clears nothing.
pub fn prepare_confirm(author: &Author<'_>, kind: u16, record: EntryId, nonce: Nonce) -> Result<Prepared, RecordError> {
    let kind = changeable(author.kind(kind)?)?;
    let statement = Statement::confirm(nonce, author.version(kind)?, record);
    let (kind, body) = (kind.number(), statement.encode()?);
    Ok(Prepared { kind, statement, body, external: None, audience: None, parties: None, reseal: false })
}

/// A kind whose records may be revised and confirmed. Whoever computes a bulletin again takes it as it was signed first,
/// so a second statement would make it unreadable to everybody.
fn changeable(kind: &Kind) -> Result<&Kind, RecordError> {
    if kind.name() == BULLETIN_KIND { Err(RecordError::BulletinFixed) } else { Ok(kind) }
}

/// A revision that changes nothing but the keys that a confidential record is sealed to.
pub fn prepare_reseal(author: &Author<'_>, kind: u16, record: EntryId, nonce: Nonce) -> Result<Prepared, RecordError> {
    let kind = author.kind(kind)?;
    let statement = Statement::revise(nonce, author.version(kind)?, record, BTreeMap::new(), BTreeSet::new());
    let (kind, body) = (kind.number(), Vec::new());
    Ok(Prepared { kind, statement, body, external: None, audience: None, parties: None, reseal: true })
}

/// A withdrawal of a record.
pub fn prepare_withdraw(
    author: &Author<'_>,
    kind: u16,
    record: EntryId,
    request: &WithdrawRecord,
    nonce: Nonce,
) -> Result<Prepared, RecordError> {
    let kind = author.kind(kind)?;
    let reason = request.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    let statement = Statement::withdraw(nonce, author.version(kind)?, record, reason.map(str::to_owned));
    finish(author, kind, statement, None, ForWhom::default())
}

/// A statement in canonical bytes, whose opening random bytes become `nonce`: randomness is the node's.
pub fn prepare_statement(
    author: &Author<'_>,
    kind: u16,
    mut body: Vec<u8>,
    named: Named<'_>,
    nonce: Nonce,
) -> Result<Prepared, RecordError> {
    let kind = author.kind(kind)?;
    let for_whom = author.for_whom(kind, named)?;
    if let Some(opening) = body.first_chunk_mut() {
        *opening = nonce;
    }
    let statement = Statement::decode(&body)?;
    if statement.fields.contains_key(&FIELD_SEALED) || statement.cleared.contains(&FIELD_SEALED) {
        // What was sealed elsewhere could hide anything, and is bound to other random bytes.
        return Err(RecordError::SealedGiven);
    }
    finish(author, kind, statement, Some(body), for_whom)
}

/// `body`, if given, holds the canonical bytes of `statement`.
fn finish(
    author: &Author<'_>,
    kind: &Kind,
    mut statement: Statement,
    body: Option<Vec<u8>>,
    for_whom: ForWhom,
) -> Result<Prepared, RecordError> {
    let version = author.version(kind)?;
    if !kinds::readable(&author.named, author.kinds, statement.kind_set, kind.number()) {
        return Err(RecordError::KindSetOther { found: statement.kind_set, version });
    }
    let completed = match statement.operation {
        Operation::Create => complete_external(kind, &mut statement)?,
        Operation::Revise if statement.fields.is_empty() && statement.cleared.is_empty() && for_whom.is_silent() => {
            return Err(RecordError::NothingToChange);
        }
        Operation::Revise | Operation::Withdraw => false,
    };
    let broken = match statement.operation {
        Operation::Create => kind.validate(&statement.fields),
        Operation::Revise | Operation::Withdraw => kind.validate_revision(&statement.fields, &statement.cleared),
    };
    if !broken.is_empty() {
        return Err(RecordError::Fields(broken));
    }
    // Of a create these are all its fields; of the others `settle` asks again with the whole record.
    may_leave(kind, &statement.fields)?;
    let ForWhom { audience, parties } = for_whom;
    let audience = match statement.operation {
        Operation::Create => audience.or_else(|| Some(Audience::of_kind(kind, author.member))),
        Operation::Revise | Operation::Withdraw => audience,
    };
    let sealed = matches!(audience, Some(Audience::Sealed(_)));
    if sealed && parties.is_some() {
        return Err(RecordError::PartiesOfWhole);
    }
    let confidential = |number: &u16| kind.field(*number).is_some_and(Field::is_confidential);
    let body = match body.filter(|_| !completed) {
        // Where something is to be sealed, no bytes that say it in clear are made.
        _ if sealed || statement.fields.keys().any(confidential) => Vec::new(),
        Some(body) => body,
        None => statement.encode()?,
    };
    let external = statement.external.clone();
    if sealed {
        // The own number stands in clear in a statement: of a confidential record it is sealed with the other fields.
        statement.external = None;
    }
    Ok(Prepared { kind: kind.number(), statement, body, external, audience, parties, reseal: false })
}

/// An own number is both a part of the statement and an ordinary field: fills the one from the other. Says whether
/// anything was filled in.
fn complete_external(kind: &Kind, statement: &mut Statement) -> Result<bool, RecordError> {
    let field = kind.external_field();
    let stated = statement.fields.get(&field.number).map(|value| field.render(value));
    match (&statement.external, stated) {
        (None, None) => Ok(false),
        (Some(external), Some(stated)) if *external == stated => Ok(false),
        (Some(external), Some(stated)) => {
            Err(RecordError::ExternalMismatch { external: external.clone(), field: stated })
        }
        (None, Some(stated)) => {
            statement.external = Some(stated);
            Ok(true)
        }
        (Some(external), None) => {
            let value = field.parse(external).map_err(|broken| RecordError::Fields(vec![broken]))?;
            let rendered = value.as_ref().map(|value| field.render(value)).unwrap_or_default();
            if rendered != *external {
                return Err(RecordError::ExternalMismatch { external: external.clone(), field: rendered });
            }
            statement.fields.extend(value.map(|value| (field.number, value)));
            Ok(true)
        }
    }
}

/// What must not leave is refused by the publisher on every path.
pub(super) fn may_leave(kind: &Kind, fields: &BTreeMap<u16, Value>) -> Result<(), RecordError> {
    let Some(withheld) = kind.withheld(fields) else { return Ok(()) };
    let field = kind.field(withheld.field);
    let unknown = || format!("field-{}", withheld.field);
    Err(RecordError::Withheld {
        field_zh: field.map_or_else(unknown, |field| field.zh.clone()),
        field_en: field.map_or_else(unknown, |field| field.en.clone()),
        zh: withheld.zh,
        en: withheld.en,
    })
}
