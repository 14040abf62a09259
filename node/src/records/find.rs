//! What people call a record by: its id, the beginning of it, its label, or an own number of this member.

use std::collections::BTreeSet;

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;
use protocol::view::{Label, View};

use super::assess::{self, Found};
use super::erase::refuse_erased;
use super::error::{Candidate, RecordError};
use super::references::references;
use super::render::{Renderer, kind_name, kind_name_zh};
use super::{CANDIDATES_MAX, PREFIX_CHARACTERS_MIN};
use crate::api::types::RecordView;
use crate::core::{Core, State};

/// Separates a kind from an own number: `demand:XQ001`.
const KIND_SEPARATORS: [char; 2] = [':', '：'];
/// Hexadecimal characters of a whole id.
const ID_CHARACTERS: usize = 64;

/// The record that `reference` names, among those that are visible now.
///
/// A whole id names one record. Otherwise a label, an own number of this member (`XQ001`, or `demand:XQ001` where kinds
/// share it) and the beginning of an id are tried; when they mean different records, that is an error that lists them.
pub fn find(core: &Core, kinds: &KindSet, reference: &str) -> Result<EntryId, RecordError> {
    let reference = reference.trim();
    let own = core.own().map(|(member, _)| member);
    let as_of_ms = core.as_of_ms();
    core.read(|state| {
        let view = state.view();
        let visible = |id: &EntryId| !view.versions(id, as_of_ms).is_empty();
        let found: BTreeSet<EntryId> =
            meanings(view, kinds, own, reference).into_iter().filter(|id| visible(id)).collect();
        match (found.first(), found.len()) {
            (Some(id), 1) => Ok(*id),
            (None, _) => Err(RecordError::NotFound { reference: reference.to_owned() }),
            (Some(_), _) => Err(ambiguous(view, kinds, reference, &found)),
        }
    })
}

/// One record as it stands now, with all that can be said of it. Blocks: it reads bodies from the disk.
pub fn show(core: &Core, kinds: &KindSet, id: &EntryId) -> Result<RecordView, RecordError> {
    show_at(core, kinds, id, core.as_of_ms())
}

/// The same as of a time.
pub(super) fn show_at(core: &Core, kinds: &KindSet, id: &EntryId, as_of_ms: u64) -> Result<RecordView, RecordError> {
    let found = core.read(|state| record(state, core, kinds, id, as_of_ms))?;
    let seen = core.access().see(found.judged.state.clone());
    let mut standing = assess::standing(core, kinds, &found, &seen, as_of_ms);
    let owner = core.read(|state| state.view().owner(id).map(|(owner, _)| owner));
    if owner != core.own().map(|(member, _)| member) {
        standing.onward.clear();
    }
    let renderer = Renderer::new(core, kinds, [seen.state.label.member]);
    let references = references(core, kinds, &seen, as_of_ms);
    Ok(RecordView { references: Some(references), ..renderer.record(&found, &seen, standing, as_of_ms) })
}

/// The record of an id as it counts.
fn record(state: &State, core: &Core, kinds: &KindSet, id: &EntryId, as_of_ms: u64) -> Result<Found, RecordError> {
    if state.view().versions(id, as_of_ms).is_empty() {
        return Err(RecordError::NotFound { reference: id.to_string() });
    }
    refuse_erased(state, id)?;
    assess::find(state, core, kinds, id, as_of_ms).ok_or(RecordError::Incomplete { id: *id })
}

fn meanings(view: &View, kinds: &KindSet, own: Option<MemberNumber>, reference: &str) -> Vec<EntryId> {
    let lower = reference.to_ascii_lowercase();
    if lower.len() == ID_CHARACTERS
        && let Ok(id) = lower.parse()
    {
        // References to what a lost or stolen key had stated find what states it again.
        let again = if view.owner(&id).is_some() { None } else { view.restated(&id) };
        return vec![again.unwrap_or(id)];
    }
    let mut found: Vec<EntryId> = Vec::new();
    found.extend(reference.parse::<Label>().ok().and_then(|label| view.by_label(label)));
    found.extend(own.into_iter().flat_map(|own| by_external(view, kinds, own, reference)));
    let is_prefix = lower.len() >= PREFIX_CHARACTERS_MIN && lower.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_prefix {
        found.extend(view.by_prefix(&lower, CANDIDATES_MAX));
    }
    found
}

fn by_external(view: &View, kinds: &KindSet, own: MemberNumber, reference: &str) -> Vec<EntryId> {
    let qualified = reference.split_once(KIND_SEPARATORS).and_then(|(kind, external)| {
        let kind = kinds.kind_named(kind)?;
        view.by_external(own, kind.number(), external.trim())
    });
    let plain = kinds.kinds().filter_map(|kind| view.by_external(own, kind.number(), reference));
    qualified.into_iter().chain(plain).collect()
}

fn ambiguous(view: &View, kinds: &KindSet, reference: &str, found: &BTreeSet<EntryId>) -> RecordError {
    let candidate = |id: &EntryId| {
        let (_, kind) = view.owner(id)?;
        let (name, zh) = (kind_name(kinds, kind), kind_name_zh(kinds, kind));
        Some(Candidate { id: *id, label: view.label(id)?, kind: name, kind_zh: zh })
    };
    RecordError::Ambiguous {
        reference: reference.to_owned(),
        candidates: found.iter().filter_map(candidate).take(CANDIDATES_MAX).collect(),
    }
}
