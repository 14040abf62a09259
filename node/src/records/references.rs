//! Which records name a record, and which it names.

use std::collections::{BTreeMap, BTreeSet};

use protocol::identity::EntryId;
use protocol::kind::{Field, Kind, KindSet};
use protocol::value::Value;

use super::assess::{self, Coverage, Found};
use super::render::{CLOSED_TITLE, Renderer, kind_name, kind_name_zh};
use crate::api::types::{LinkView, LinkedRecord, ReferencesView};
use crate::confidential::Seen;
use crate::core::Core;

/// Records that one answer tells of in each direction.
const REFERENCES_MAX: usize = 100;
/// Records that are looked at to find them: the index also holds what revisions took away.
const CANDIDATES_LOOKED_AT_MAX: usize = 1_000;

/// A link before names are put to it.
struct Link {
    field: String,
    field_zh: String,
    text: String,
    other: Option<Found>,
}

/// Records that name this one, and what it names. Blocks: it reads bodies from the disk, each record under the lock by
/// itself.
pub(super) fn references(core: &Core, kinds: &KindSet, seen: &Seen, as_of_ms: u64) -> ReferencesView {
    let (names, cut) = outgoing(core, kinds, seen, as_of_ms);
    let (named_by, more) = incoming(core, kinds, seen, as_of_ms);
    let links = names.iter().chain(&named_by);
    let owners = links.filter_map(|link| Some(link.other.as_ref()?.judged.state.label.member));
    let renderer = Renderer::new(core, kinds, owners);
    let view = |link: Link| LinkView {
        field: link.field,
        field_zh: link.field_zh,
        text: link.text,
        record: link.other.map(|found| linked(&renderer, kinds, &found, as_of_ms)),
    };
    ReferencesView {
        names: names.into_iter().map(view).collect(),
        named_by: named_by.into_iter().map(view).collect(),
        more: cut || more,
    }
}

/// What the record names, in the order of its fields; and whether there is more.
fn outgoing(core: &Core, kinds: &KindSet, seen: &Seen, as_of_ms: u64) -> (Vec<Link>, bool) {
    let state = &seen.state;
    let Some(kind) = kinds.kind(state.kind) else { return (Vec::new(), false) };
    let texts = kind.fields().flat_map(|field| {
        let elements = elements(&state.fields, field.number).iter();
        elements.filter_map(move |value| named(field, value).map(|text| (field, text)))
    });
    let texts: Vec<(&Field, String)> = texts.take(REFERENCES_MAX + 1).collect();
    let cut = texts.len() > REFERENCES_MAX;
    let link = |(field, text): (&Field, String)| {
        let other = core.read(|held| {
            let owner = held.view().owner(&state.id).map_or(state.label.member, |(owner, _)| owner);
            let id = match field.link_number() {
                Some(target) => held.view().named(owner, target, &text)?,
                None => text.parse().ok()?,
            };
            assess::find(held, core, kinds, &id, as_of_ms)
        });
        Link { field: field.name.clone(), field_zh: field.zh.clone(), text, other }
    };
    (texts.into_iter().take(REFERENCES_MAX).map(link).collect(), cut)
}

/// The text by which a value of the field names a record, if it names one.
fn named(field: &Field, value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if field.link_number().is_some() => Some(text.clone()),
        Value::Reference(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Records that name this one now; and whether there may be more.
fn incoming(core: &Core, kinds: &KindSet, seen: &Seen, as_of_ms: u64) -> (Vec<Link>, bool) {
    let (id, number) = (seen.state.id, seen.state.kind);
    let candidates: BTreeSet<EntryId> = core.read(|state| {
        let owner = state.view().owner(&id).map(|(owner, _)| owner);
        let own = owner.zip(seen.state.external.clone()).map(|(owner, external)| (owner, number, external));
        state.view().naming(Some(id), own)
    });
    let mut links = Vec::new();
    for candidate in candidates.iter().filter(|candidate| **candidate != id).take(CANDIDATES_LOOKED_AT_MAX) {
        let link = core.read(|state| {
            let (owner, kind) = state.view().owner(candidate)?;
            let kind = kinds.kind(kind)?;
            let found = assess::find(state, core, kinds, candidate, as_of_ms)?;
            let resolves = |text: &str| state.view().named(owner, number, text) == Some(id);
            let (field, text) = link_to(kind, &found, number, &resolves)?;
            Some(Link { field: field.name.clone(), field_zh: field.zh.clone(), text, other: Some(found) })
        });
        links.extend(link);
    }
    links.sort_by_key(|link| link.other.as_ref().map(|found| (found.judged.state.kind, found.judged.state.label)));
    let more = candidates.len() > CANDIDATES_LOOKED_AT_MAX + 1 || links.len() > REFERENCES_MAX;
    links.truncate(REFERENCES_MAX);
    (links, more)
}

/// The field of a record that names one of kind `number`, where `resolves` says that it is the one.
fn link_to<'k>(
    kind: &'k Kind,
    found: &Found,
    number: u16,
    resolves: &dyn Fn(&str) -> bool,
) -> Option<(&'k Field, String)> {
    let fields = kind.fields().filter(|field| field.link_number() == Some(number));
    fields
        .flat_map(|field| elements(&found.judged.state.fields, field.number).iter().map(move |value| (field, value)))
        .find_map(|(field, value)| Some((field, named(field, value).filter(|text| resolves(text))?)))
}

fn elements(fields: &BTreeMap<u16, Value>, number: u16) -> &[Value] {
    match fields.get(&number) {
        Some(Value::List { values, .. }) => values,
        Some(scalar) => std::slice::from_ref(scalar),
        None => &[],
    }
}

fn linked(renderer: &Renderer<'_>, kinds: &KindSet, found: &Found, as_of_ms: u64) -> LinkedRecord {
    let state = &found.judged.state;
    let kind = kinds.kind(state.kind);
    let sealed = assess::is_wholly_sealed(state);
    let lifecycle = kind.and_then(Kind::lifecycle).filter(|_| !sealed);
    let title =
        if sealed { CLOSED_TITLE.to_owned() } else { kind.map(|kind| kind.title(&state.fields)).unwrap_or_default() };
    LinkedRecord {
        id: state.id.to_string(),
        label: state.label.to_string(),
        kind: kind_name(kinds, state.kind),
        kind_zh: kind_name_zh(kinds, state.kind),
        owner: renderer.member(state.label.member),
        title,
        state: lifecycle.map(|lifecycle| assess::state_view(lifecycle, &state.fields, found.judged.since_ms, as_of_ms)),
        counts: found.coverage == Coverage::Counts,
    }
}
