//! Statements: the bodies of record entries (DESIGN 6.1).
//!
//! A statement says something about one record: creates it, revises fields, withdraws it. Fields are a strictly
//! ascending list of `(number, type, length, bytes)`; a revision names the fields that it sets and those that it
//! clears, so older software never drops what it does not know. What the fields mean is for the kind file.

use std::collections::{BTreeMap, BTreeSet};

use crate::bytes::{LayoutError, Reader, put_count, put_text};
use crate::identity::EntryId;
use crate::limits::{BODY_BYTES_MAX, BODY_NONCE_BYTES, EXTERNAL_BYTES_MAX, FIELDS_MAX};
use crate::value::Value;

/// The one layout of statements that this build writes and reads.
pub const STATEMENT_LAYOUT: u8 = 1;
/// Fields from here on have one meaning in every kind.
pub const COMMON_FIELDS_FROM: u16 = 0xF000;
/// Why a record was withdrawn or revised: text.
pub const FIELD_REASON: u16 = 0xF001;
/// The confidential part of the record, for its readers alone: a sealed value ([`crate::sealed`]).
pub const FIELD_SEALED: u16 = 0xF002;

/// What a statement does to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Operation {
    /// Makes a new record, whose id is the entry's id.
    Create = 1,
    /// Sets and clears fields.
    Revise = 2,
    /// Takes the record out of lists and figures; its history stays.
    Withdraw = 3,
}

impl Operation {
    fn from_u8(byte: u8) -> Option<Self> {
        [Self::Create, Self::Revise, Self::Withdraw].into_iter().find(|operation| *operation as u8 == byte)
    }
}

/// The body of a record entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Random bytes, so that the hash of an erased body reveals nothing.
    pub nonce: [u8; BODY_NONCE_BYTES],
    /// What it does.
    pub operation: Operation,
    /// The kind set under which it is to be judged; the charter resolves the number to a hash.
    pub kind_set: u16,
    /// The record; `None` for a create.
    pub record: Option<EntryId>,
    /// For a statement that states again what another key of the author had stated: the id of that entry.
    pub origin: Option<EntryId>,
    /// For a create: the author's own number of the record.
    pub external: Option<String>,
    /// Fields that a revision takes away.
    pub cleared: BTreeSet<u16>,
    /// Fields that are set.
    pub fields: BTreeMap<u16, Value>,
}

impl Statement {
    /// A create statement.
    pub fn create(
        nonce: [u8; BODY_NONCE_BYTES],
        kind_set: u16,
        external: Option<String>,
        fields: BTreeMap<u16, Value>,
    ) -> Self {
        Self {
            nonce,
            operation: Operation::Create,
            kind_set,
            record: None,
            origin: None,
            external,
            cleared: BTreeSet::new(),
            fields,
        }
    }

    /// A revision of `record`.
    pub fn revise(
        nonce: [u8; BODY_NONCE_BYTES],
        kind_set: u16,
        record: EntryId,
        fields: BTreeMap<u16, Value>,
        cleared: BTreeSet<u16>,
    ) -> Self {
        Self {
            nonce,
            operation: Operation::Revise,
            kind_set,
            record: Some(record),
            origin: None,
            external: None,
            cleared,
            fields,
        }
    }

    /// A withdrawal of `record`, with a reason for its readers.
    pub fn withdraw(nonce: [u8; BODY_NONCE_BYTES], kind_set: u16, record: EntryId, reason: Option<String>) -> Self {
        let fields = reason.map(|reason| (FIELD_REASON, Value::Text(reason))).into_iter().collect();
        Self { operation: Operation::Withdraw, ..Self::revise(nonce, kind_set, record, fields, BTreeSet::new()) }
    }

    /// A statement that a record is still true: a revision that sets and clears nothing.
    pub fn confirm(nonce: [u8; BODY_NONCE_BYTES], kind_set: u16, record: EntryId) -> Self {
        Self::revise(nonce, kind_set, record, BTreeMap::new(), BTreeSet::new())
    }

    /// Whether it says that the record is still true, and nothing else.
    pub fn is_confirmation(&self) -> bool {
        self.operation == Operation::Revise && self.fields.is_empty() && self.cleared.is_empty()
    }

    /// The canonical bytes.
    ///
    /// Errors when the statement breaks a rule of its layout, so that no author signs what no reader accepts.
    pub fn encode(&self) -> Result<Vec<u8>, LayoutError> {
        self.check()?;
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&[STATEMENT_LAYOUT, self.operation as u8]);
        out.extend_from_slice(&self.kind_set.to_le_bytes());
        out.extend_from_slice(self.record.unwrap_or(EntryId::ZERO).as_bytes());
        out.extend_from_slice(self.origin.unwrap_or(EntryId::ZERO).as_bytes());
        put_text(&mut out, self.external.as_deref().unwrap_or_default());
        put_count(&mut out, self.cleared.len());
        for number in &self.cleared {
            out.extend_from_slice(&number.to_le_bytes());
        }
        put_fields(&mut out, &self.fields);
        if out.len() > BODY_BYTES_MAX {
            let (found, bound) = (out.len() as u64, BODY_BYTES_MAX as u64);
            return Err(LayoutError::Bound { field: "body", found, bound });
        }
        // What was just written must read back: a value put together by hand could break a rule of its own type.
        Self::decode(&out)?;
        Ok(out)
    }

    /// Reads the canonical bytes.
    pub fn decode(body: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(body);
        let nonce = reader.array("nonce")?;
        if reader.u8("statement layout")? != STATEMENT_LAYOUT {
            return Err(LayoutError::Rule { field: "statement layout", rule: "must be 1" });
        }
        let operation = Operation::from_u8(reader.u8("operation")?)
            .ok_or(LayoutError::Rule { field: "operation", rule: "must be a defined operation" })?;
        let kind_set = reader.u16("kind set")?;
        let record = non_zero(reader.array("record")?);
        let origin = non_zero(reader.array("origin")?);
        let external = reader.line_or_empty(EXTERNAL_BYTES_MAX, "external")?;
        let external = (!external.is_empty()).then(|| external.to_owned());
        let statement = Self {
            nonce,
            operation,
            kind_set,
            record,
            origin,
            external,
            cleared: read_cleared(&mut reader)?,
            fields: read_fields(&mut reader)?,
        };
        reader.finish()?;
        statement.check()?;
        Ok(statement)
    }

    /// The rules that tie the parts together.
    fn check(&self) -> Result<(), LayoutError> {
        let rule = |field, rule| Err(LayoutError::Rule { field, rule });
        let create = self.operation == Operation::Create;
        if create == self.record.is_some() {
            return rule("record", "must be zero in a create and name the record in everything else");
        }
        if !create && self.external.is_some() {
            return rule("external", "belongs to a create");
        }
        if self.operation != Operation::Revise && !self.cleared.is_empty() {
            return rule("cleared", "only a revision clears fields");
        }
        if self.cleared.iter().any(|number| self.fields.contains_key(number)) {
            return rule("cleared", "must not name a field that is set");
        }
        if self.fields.len() > FIELDS_MAX || self.cleared.len() > FIELDS_MAX {
            let found = self.fields.len().max(self.cleared.len()) as u64;
            return Err(LayoutError::Bound { field: "fields", found, bound: FIELDS_MAX as u64 });
        }
        Ok(())
    }
}

fn non_zero(bytes: [u8; 32]) -> Option<EntryId> {
    (bytes != [0; 32]).then_some(EntryId(bytes))
}

fn read_cleared(reader: &mut Reader<'_>) -> Result<BTreeSet<u16>, LayoutError> {
    let mut cleared = BTreeSet::new();
    for _ in 0..reader.count(FIELDS_MAX, "cleared fields")? {
        let number = reader.u16("cleared field")?;
        if cleared.last().is_some_and(|last| *last >= number) {
            return Err(LayoutError::Rule { field: "cleared field", rule: "must be strictly ascending" });
        }
        cleared.insert(number);
    }
    Ok(cleared)
}

/// Appends a list of fields as statements carry it.
pub(crate) fn put_fields(out: &mut Vec<u8>, fields: &BTreeMap<u16, Value>) {
    put_count(out, fields.len());
    for (number, value) in fields {
        let bytes = value.encode();
        out.extend_from_slice(&number.to_le_bytes());
        out.push(value.value_type());
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&bytes);
    }
}

/// Reads a list of fields as statements carry it.
pub(crate) fn read_fields(reader: &mut Reader<'_>) -> Result<BTreeMap<u16, Value>, LayoutError> {
    let mut fields = BTreeMap::new();
    for _ in 0..reader.count(FIELDS_MAX, "fields")? {
        let number = reader.u16("field number")?;
        if fields.last_key_value().is_some_and(|(last, _)| *last >= number) {
            return Err(LayoutError::Rule { field: "field number", rule: "must be strictly ascending" });
        }
        let value_type = reader.u8("field type")?;
        let length = reader.u32("field length")? as usize;
        fields.insert(number, Value::decode(value_type, reader.bytes(length, "field value")?)?);
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision() -> Statement {
        let fields = BTreeMap::from([(1, Value::Text("新名".into())), (7, Value::Boolean(false))]);
        Statement::revise([1; 16], 1, EntryId([2; 32]), fields, BTreeSet::from([3, 9]))
    }

    #[test]
    fn statements_survive_a_round_trip() {
        let create = Statement::create([1; 16], 1, Some("XQ001".into()), revision().fields);
        let withdraw = Statement::withdraw([1; 16], 1, EntryId([2; 32]), Some("已落地".into()));
        for statement in [create, revision(), withdraw] {
            let bytes = statement.encode().expect("the statement keeps every rule");
            assert_eq!(Statement::decode(&bytes), Ok(statement));
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let mut both = revision();
        both.cleared.insert(1);
        assert!(both.encode().is_err());
        let mut create = Statement::create([1; 16], 1, None, BTreeMap::new());
        create.record = Some(EntryId([1; 32]));
        assert!(create.encode().is_err());
        let mut named = revision();
        named.external = Some("XQ001".into());
        assert!(named.encode().is_err());
    }

    #[test]
    fn every_cut_and_every_left_over_byte_is_refused() {
        let bytes = revision().encode().expect("the statement keeps every rule");
        for length in 0..bytes.len() {
            assert!(Statement::decode(&bytes[..length]).is_err(), "cut at {length}");
        }
        assert!(Statement::decode(&[bytes, vec![0]].concat()).is_err());
    }
}
