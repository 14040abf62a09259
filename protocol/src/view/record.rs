//! A record as its statements leave it, and what it is called.

use std::collections::BTreeMap;

use super::Version;
use crate::identity::{EntryId, FederationId, MemberNumber};
use crate::limits::BODY_NONCE_BYTES;
use crate::sealed;
use crate::statement::{FIELD_REASON, FIELD_SEALED, Operation, Statement};
use crate::value::Value;

/// A record as it stood at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordState {
    /// Its id.
    pub id: EntryId,
    /// `42-7`: the seventh create of member 42.
    pub label: Label,
    /// Its kind.
    pub kind: u16,
    /// The kind set of its last statement.
    pub kind_set: u16,
    /// Its author's own number.
    pub external: Option<String>,
    /// Its fields.
    pub fields: BTreeMap<u16, Value>,
    /// When it was created, by its author's clock.
    pub created_ms: u64,
    /// When it was last changed, by its author's clock.
    pub changed_ms: u64,
    /// Visible statements about it.
    pub versions: usize,
    /// Set when it is withdrawn, with the reason if one was given.
    pub withdrawn: Option<Option<String>>,
    /// The statement that sealed its confidential fields last, if any did.
    pub sealing: Option<Sealing>,
}

/// A statement about a record, and how the record stood before.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The record as the statements before left it; without fields before its create.
    pub before: &'a RecordState,
    /// The statement's place.
    pub version: &'a Version,
    /// The statement.
    pub statement: &'a Statement,
}

impl Step<'_> {
    /// The fields as the statement leaves them.
    pub fn after(&self) -> BTreeMap<u16, Value> {
        let mut after = self.before.clone();
        after.apply(self.version, self.statement.clone());
        after.fields
    }
}

/// What the confidential fields of a record are bound to, beside federation and kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealing {
    /// Who sealed them.
    pub author: MemberNumber,
    /// The record that the statement names; `None` in its create.
    pub record: Option<EntryId>,
    /// The statement's nonce.
    pub nonce: [u8; BODY_NONCE_BYTES],
}

/// The name of a record for people: derived, and the same on every node with the same entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Who created it; the label stays when the charter gives the record to another.
    pub member: MemberNumber,
    /// Position among its creates, from 1.
    pub serial: u64,
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.member, self.serial)
    }
}

impl std::str::FromStr for Label {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (member, serial) = text.split_once('-').ok_or(())?;
        let member = MemberNumber(member.parse().map_err(|_| ())?);
        Ok(Self { member, serial: serial.parse().map_err(|_| ())? })
    }
}

impl RecordState {
    /// The place of its confidential fields, which opening them needs.
    pub fn sealed_context(&self, federation: &FederationId) -> Option<sealed::Context> {
        let Sealing { author, record, nonce } = self.sealing?;
        Some(sealed::Context::new(federation, author, self.kind, record, nonce))
    }

    pub(super) fn apply(&mut self, version: &Version, statement: Statement) {
        self.kind_set = statement.kind_set;
        self.changed_ms = version.time_ms;
        match version.operation {
            Operation::Create | Operation::Revise => {
                if statement.fields.contains_key(&FIELD_SEALED) {
                    let (author, record, nonce) = (version.author, statement.record, statement.nonce);
                    self.sealing = Some(Sealing { author, record, nonce });
                } else if statement.cleared.contains(&FIELD_SEALED) {
                    self.sealing = None;
                }
                self.fields.retain(|number, _| !statement.cleared.contains(number));
                self.fields.extend(statement.fields);
                self.fields.remove(&FIELD_REASON);
            }
            Operation::Withdraw => {
                let reason = match statement.fields.get(&FIELD_REASON) {
                    Some(Value::Text(reason)) => Some(reason.clone()),
                    _ => None,
                };
                self.withdrawn = Some(reason);
            }
        }
    }
}
