//! How a record became what it is: every statement about it, with what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::Arc;

use protocol::charter::{self, LogNumber, Seal};
use protocol::entry::VerifiedEntry;
use protocol::identity::{EntryId, FederationId, MemberNumber};
use protocol::kind::lifecycle::Illegal;
use protocol::kind::{Kind, KindSet, Position};
use protocol::sealed::Context;
use protocol::statement::{FIELD_REASON, FIELD_SEALED, Operation, Statement};
use protocol::value::Value;
use protocol::view::{BodySource, RECORD_KINDS_FROM, Version};

use super::HISTORY_VERSIONS_MAX;
use super::assess;
use super::erase::{eraser_of, origin_of};
use super::error::RecordError;
use super::render::{self, Renderer, field_text, illegal_words};
use crate::api::erase::mark;
use crate::api::types::{ErasedMark, FieldChange, HistoryItem, KeyChangeView, StateChange, UncountedReason, Words};
use crate::charter_words;
use crate::confidential::{Access, Disclosure};
use crate::core::{Core, PublishError, State};

/// Entries above a seal that one history looks at.
const UNCOUNTED_ENTRIES_MAX: usize = 10_000;
/// Bytes of them.
const UNCOUNTED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The statements about a record in the order of its owner's logs, the create first; of a record with very many, the
/// newest. Blocks: it reads bodies from the disk.
pub fn history(core: &Core, kinds: &KindSet, id: &EntryId) -> Result<Vec<HistoryItem>, RecordError> {
    let as_of_ms = core.as_of_ms();
    let found = core.read(|state| Some((state.view().owner(id)?, state.view().versions(id, as_of_ms))));
    let not_found = || RecordError::NotFound { reference: id.to_string() };
    let ((owner, kind), versions) = found.filter(|(_, versions)| !versions.is_empty()).ok_or_else(not_found)?;
    // The charter can give a record to another member: each statement has its own author, and the last owner may erase.
    let renderer = Renderer::new(core, kinds, versions.iter().map(|version| version.author).chain([owner]));
    let (access, federation) = (core.access(), core.federation());
    // Statements against the lifecycle, as everybody finds them.
    let illegal: BTreeMap<EntryId, Illegal> = core
        .read(|state| assess::find(state, core, kinds, id, as_of_ms))
        .map(|found| found.judged.uncounted.into_iter().map(|one| (one.entry, one.reason)).collect())
        .unwrap_or_default();
    let mut items = Vec::new();
    let mut fields = BTreeMap::new();
    // Which of the fields stood in the last sealed part: the next one takes the place of all of them.
    let mut opened = BTreeSet::new();
    let skipped = versions.len().saturating_sub(HISTORY_VERSIONS_MAX);
    for (index, version) in versions.iter().enumerate() {
        let statement = core.body(version.place).and_then(|body| Statement::decode(&body).ok());
        let before = (fields.clone(), opened.clone());
        let mut confidential = None;
        if let Some(statement) = &statement {
            let disclosed = disclose(&access, &federation, version.author, kind, statement);
            apply(&mut fields, &mut opened, statement, disclosed.as_ref().map(|(inside, _)| inside));
            confidential = disclosed.map(|(_, disclosure)| render::confidential(&disclosure));
        }
        let uncounted = illegal.get(&version.entry);
        if index >= skipped {
            items.push(HistoryItem {
                entry: version.entry.to_string(),
                operation: operation_name(version.operation).to_owned(),
                time_ms: version.time_ms,
                log: version.place.log,
                sequence: version.place.sequence,
                author: renderer.member(version.author),
                origin: version.origin.map(|origin| origin.to_string()),
                erased: erased(core, &renderer, version),
                key_change: version.origin.and_then(|_| core.read(|state| key_change(state, version))),
                counts: uncounted.is_none(),
                uncounted: uncounted.map(against_lifecycle),
                state: state_change(kinds.kind(kind), version, &before.0, &fields),
                changes: changes(kinds.kind(kind), &before.0, &fields),
                reason: statement.as_ref().and_then(reason),
                confidential,
            });
        }
        // What does not count changes nothing for what comes after; a create leaves nothing to show otherwise.
        if uncounted.is_some() && version.operation != Operation::Create {
            (fields, opened) = before;
        }
    }
    items.extend(above_seal(core, id, owner)?.iter().map(|(log, entry, statement)| HistoryItem {
        entry: entry.id().to_string(),
        operation: operation_name(statement.operation).to_owned(),
        time_ms: entry.header().time_ms,
        log: *log,
        sequence: entry.header().sequence,
        author: renderer.member(owner),
        origin: statement.origin.map(|origin| origin.to_string()),
        erased: None,
        key_change: None,
        counts: false,
        uncounted: Some(above_seal_reason()),
        state: None,
        changes: changes(kinds.kind(kind), &BTreeMap::new(), &statement.fields),
        reason: reason(statement),
        confidential: None,
    }));
    Ok(items)
}

/// Who erased the statement, if it is gone.
fn erased(core: &Core, renderer: &Renderer<'_>, version: &Version) -> Option<ErasedMark> {
    let by = core.read(|state| {
        let gone = state.replica.erased(version.place.log, version.place.sequence).is_some();
        gone.then(|| eraser_of(state, &version.entry)).flatten()
    })?;
    Some(mark(renderer, origin_of(core, by)?))
}

/// The last block up to the grant of a statement's key that ended another key of its author.
fn key_change(state: &State, version: &Version) -> Option<KeyChangeView> {
    let charter = state.replica.charter();
    let key = charter.logs().get(version.place.log as usize)?.key;
    let granted = charter.members().get(&version.author)?.keys.iter().find(|held| held.key == key)?.granted;
    let ends = |operation: &&charter::Operation| {
        ended(operation).iter().any(|seal| charter.log_of(&seal.key).is_some_and(|log| log.member == version.author))
    };
    let mut blocks = charter.blocks().iter().rev().filter(|block| block.block().version <= granted);
    let (block, operation) =
        blocks.find_map(|block| Some((block, block.block().operations.iter().find(|operation| ends(operation))?)))?;
    let signers = block.signatures().keys().filter_map(|key| charter.ever_of(key));
    let name = |(member, _)| charter.members().get(&member).map(|member| member.name.clone());
    Some(KeyChangeView {
        version: block.block().version,
        time_ms: block.block().time_ms,
        signed: signers.filter_map(name).collect(),
        words: charter_words::describe(operation, Some(charter)),
    })
}

/// The seals that an operation sets.
fn ended(operation: &charter::Operation) -> &[Seal] {
    match operation {
        charter::Operation::ReplaceKey { seal, .. } | charter::Operation::SealKey(seal) => slice::from_ref(seal),
        charter::Operation::Suspend(departure)
        | charter::Operation::Leave(departure)
        | charter::Operation::Expel(departure) => &departure.seals,
        _ => &[],
    }
}

/// Why a statement against the lifecycle does not count.
fn against_lifecycle(illegal: &Illegal) -> UncountedReason {
    let Words { zh, en } = illegal_words(illegal);
    UncountedReason { code: "lifecycle".to_owned(), zh, en, missing: assess::unmet(&illegal.missing) }
}

/// Why a statement above a seal does not count.
fn above_seal_reason() -> UncountedReason {
    UncountedReason {
        code: "above-seal".to_owned(),
        zh: "在密钥的封存点之后".to_owned(),
        en: "above the seal of its key".to_owned(),
        missing: Vec::new(),
    }
}

/// The change of state that a statement states. Where its record stood is asked as time had left it by then.
fn state_change(
    kind: Option<&Kind>,
    version: &Version,
    before: &BTreeMap<u16, Value>,
    after: &BTreeMap<u16, Value>,
) -> Option<StateChange> {
    let lifecycle = kind?.lifecycle()?;
    let creates = version.operation == Operation::Create;
    if after.contains_key(&FIELD_SEALED) && !after.contains_key(&lifecycle.field()) {
        return None;
    }
    let (from, to) = (lifecycle.position(before), lifecycle.position(after));
    if (!creates && from == to) || (creates && to == Position::Blank) {
        return None;
    }
    let from = (!creates).then(|| lifecycle.position_words(&lifecycle.position_at(before, version.time_ms)));
    let (from_zh, from_en) = from.unzip();
    let (to_zh, to_en) = lifecycle.position_words(&to);
    Some(StateChange { from_zh, from_en, to_zh, to_en })
}

type Uncounted = (LogNumber, Arc<VerifiedEntry>, Statement);

/// Statements about a record that do not count, because they stand above the seal of a key of its owner.
fn above_seal(core: &Core, id: &EntryId, owner: MemberNumber) -> Result<Vec<Uncounted>, RecordError> {
    let sealed: Vec<(LogNumber, u64)> = core.read(|state| {
        let replica = &state.replica;
        let sealed = replica.charter().logs().iter().filter(|log| log.member == owner && log.seal.is_some());
        sealed.map(|log| (log.number, replica.effective_length(log.number))).collect()
    });
    let mut found = Vec::new();
    for (log, from) in sealed {
        let read = core.store().range(log, from, UNCOUNTED_ENTRIES_MAX, UNCOUNTED_BYTES_MAX);
        for entry in read.map_err(|error| PublishError::from(&error))? {
            let body = entry.body().filter(|_| entry.header().kind >= RECORD_KINDS_FROM);
            let statement = body.and_then(|body| Statement::decode(body).ok());
            if let Some(statement) = statement.filter(|statement| statement.record == Some(*id)) {
                found.push((log, entry, statement));
            }
        }
    }
    Ok(found)
}

fn operation_name(operation: Operation) -> &'static str {
    match operation {
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
