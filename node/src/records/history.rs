//! How a record became what it is: every statement about it, with what changed.

use std::collections::{BTreeMap, BTreeSet};

use protocol::identity::{EntryId, FederationId, MemberNumber};
use protocol::kind::{Kind, KindSet};
use protocol::sealed::Context;
use protocol::statement::{FIELD_REASON, FIELD_SEALED, Operation, Statement};
use protocol::value::Value;
use protocol::view::{BodySource, Version};

use super::HISTORY_VERSIONS_MAX;
use super::error::RecordError;
use super::render::{self, Renderer, field_text};
use crate::api::types::{FieldChange, HistoryItem};
use crate::confidential::{Access, Disclosure};
use crate::core::Core;

/// The statements about a record in the order of its owner's logs, the create first; of a record with very many, the
/// newest. Blocks: it reads bodies from the disk.
pub fn history(core: &Core, kinds: &KindSet, id: &EntryId) -> Result<Vec<HistoryItem>, RecordError> {
    let as_of_ms = core.as_of_ms();
    let found = core.read(|state| Some((state.view().owner(id)?, state.view().versions(id, as_of_ms))));
    let not_found = || RecordError::NotFound { reference: id.to_string() };
    let ((_, kind), versions) = found.filter(|(_, versions)| !versions.is_empty()).ok_or_else(not_found)?;
    // The charter can give a record to another member: each statement has its own author.
    let renderer = Renderer::new(core, kinds, versions.iter().map(|version| version.author));
    let (access, federation) = (core.access(), core.federation());
    let mut items = Vec::new();
    let mut fields = BTreeMap::new();
    // Which of the fields stood in the last sealed part: the next one takes the place of all of them.
    let mut opened = BTreeSet::new();
    let skipped = versions.len().saturating_sub(HISTORY_VERSIONS_MAX);
    for (index, version) in versions.iter().enumerate() {
        let statement = core.body(version.place).and_then(|body| Statement::decode(&body).ok());
        let before = fields.clone();
        let mut confidential = None;
        if let Some(statement) = &statement {
            let disclosed = disclose(&access, &federation, version.author, kind, statement);
            apply(&mut fields, &mut opened, statement, disclosed.as_ref().map(|(inside, _)| inside));
            confidential = disclosed.map(|(_, disclosure)| render::confidential(&disclosure));
        }
        if index >= skipped {
            items.push(HistoryItem {
                entry: version.entry.to_string(),
                operation: operation_name(version).to_owned(),
                time_ms: version.time_ms,
                log: version.place.log,
                sequence: version.place.sequence,
                author: renderer.member(version.author),
                origin: version.origin.map(|origin| origin.to_string()),
                changes: changes(kinds.kind(kind), &before, &fields),
                reason: statement.as_ref().and_then(reason),
                confidential,
            });
        }
    }
    Ok(items)
}

fn operation_name(version: &Version) -> &'static str {
    match version.operation {
        Operation::Create => "create",
        Operation::Revise => "revise",
        Operation::Withdraw => "withdraw",
    }
}

fn reason(statement: &Statement) -> Option<String> {
    match statement.fields.get(&FIELD_REASON) {
        Some(Value::Text(reason)) => Some(reason.clone()),
        _ => None,
    }
}

/// The sealed part that a statement carries, opened as far as this node may.
fn disclose(
    access: &Access,
    federation: &FederationId,
    author: MemberNumber,
    kind: u16,
    statement: &Statement,
) -> Option<(BTreeMap<u16, Value>, Disclosure)> {
    let value = statement.fields.get(&FIELD_SEALED)?;
    let (readers, inside) = access.open(value, Some(Context::of(federation, author, kind, statement)));
    let closed = inside.as_ref().err().copied();
    let inside = inside.unwrap_or_default();
    let fields = inside.keys().copied().collect();
    Some((inside, Disclosure { readers, closed, fields }))
}

fn apply(
    fields: &mut BTreeMap<u16, Value>,
    opened: &mut BTreeSet<u16>,
    statement: &Statement,
    inside: Option<&BTreeMap<u16, Value>>,
) {
    if statement.operation == Operation::Withdraw {
        return;
    }
    fields.retain(|number, _| !statement.cleared.contains(number));
    if inside.is_some() || statement.cleared.contains(&FIELD_SEALED) {
        fields.retain(|number, _| !opened.contains(number));
        opened.clear();
    }
    fields.extend(statement.fields.clone());
    if let Some(inside) = inside.filter(|inside| !inside.is_empty()) {
        fields.remove(&FIELD_SEALED);
        *opened = inside.keys().copied().collect();
        fields.extend(inside.clone());
    }
    fields.remove(&FIELD_REASON);
}

fn changes(kind: Option<&Kind>, before: &BTreeMap<u16, Value>, after: &BTreeMap<u16, Value>) -> Vec<FieldChange> {
    let numbers: BTreeSet<u16> = before.keys().chain(after.keys()).copied().collect();
    let changed = numbers.into_iter().filter(|number| before.get(number) != after.get(number));
    let change = |number: u16| {
        let text = |fields: &BTreeMap<u16, Value>| fields.get(&number).map(|value| field_text(kind, number, value));
        let (old, new) = (text(before), text(after));
        let (name, zh, _) = new.clone().or(old.clone()).unwrap_or_default();
        FieldChange { name, zh, before: old.map(|(.., text)| text), after: new.map(|(.., text)| text) }
    };
    changed.map(change).collect()
}
