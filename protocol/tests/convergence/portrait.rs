//! A view as a reader could describe it, whole: two that differ in anything that can be asked have different portraits.

use std::collections::BTreeMap;

use protocol::identity::{EntryId, MemberNumber};
use protocol::testing::{FOUNDED_MS, Peer};
use protocol::view::View;

use crate::world::World;

/// Early, in between, and after everything that was ever dated.
pub const AS_OF_MS: [u64; 3] = [FOUNDED_MS + 30_000, FOUNDED_MS + 60_000, FOUNDED_MS + 600_000];

/// Every record that can be read at `as_of_ms`, in the words of the model.
pub fn records(peer: &Peer, view: &View, as_of_ms: u64) -> BTreeMap<EntryId, String> {
    let describe = |id: EntryId| {
        let label = view.label(&id).map_or_else(|| "no label".to_owned(), |label| label.to_string());
        let owner = view.owner(&id).map_or(0, |(owner, _)| owner.0);
        let text = match view.record(&id, as_of_ms, peer) {
            _ if view.is_erased(&id) => format!("{label} of {owner}, erased"),
            None => format!("{label} of {owner}, incomplete"),
            Some(record) => {
                let versions = view.versions(&id, as_of_ms).len();
                let (external, fields, withdrawn) = (record.external, record.fields, record.withdrawn);
                format!("{label} of {owner}: {external:?} {fields:?} {withdrawn:?} {versions}")
            }
        };
        (id, text)
    };
    view.ids(as_of_ms).map(describe).collect()
}

/// Everything.
pub fn portrait(peer: &Peer, view: &View, world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for as_of_ms in AS_OF_MS {
        for (id, text) in records(peer, view, as_of_ms) {
            lines.push(format!("{as_of_ms} {id:?} {text} {:?}", view.versions(&id, as_of_ms)));
        }
    }
    for entry in &world.said {
        let id = entry.id();
        lines.extend(view.restated(&id).map(|by| format!("{id:?} is restated by {by:?}")));
    }
    for owner in world.roster.members.keys() {
        for (kind, external) in [102, 103].into_iter().flat_map(|kind| (0..4).map(move |number| (kind, number))) {
            let held = view.by_external(MemberNumber(*owner), kind, &format!("N{external}"));
            lines.extend(held.map(|id| format!("{owner} {kind} N{external} is {id:?}")));
        }
        lines.push(format!("{owner} has {:?}", view.list(None, Some(MemberNumber(*owner))).collect::<Vec<_>>()));
    }
    lines.push(format!("{:?}", view.aside()));
    lines
}
