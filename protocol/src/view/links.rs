//! Which records name which: an index over the link fields of the kinds.
//!
//! A link is a text: its owner's own number of a record, a label, or an id. The index says more than is true, since it
//! never forgets what a revision took away; who asks checks what stands there now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Label;
use crate::identity::{EntryId, MemberNumber};
use crate::kind::KindSet;
use crate::value::Value;

/// The link fields of every kind, with the kind that each names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkFields {
    by_kind: BTreeMap<u16, Vec<(u16, u16)>>,
}

impl LinkFields {
    /// Those of a set of kinds.
    pub fn of(kinds: &KindSet) -> Self {
        let links = |kind: &crate::kind::Kind| -> Vec<(u16, u16)> {
            kind.fields().filter_map(|field| Some((field.number, field.link_number()?))).collect()
        };
        let by_kind = kinds.kinds().map(|kind| (kind.number(), links(kind)));
        Self { by_kind: by_kind.filter(|(_, links)| !links.is_empty()).collect() }
    }
}

/// How a record may be named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Own(MemberNumber, u16, String),
    Label(Label),
    Id(EntryId),
}

/// The index.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    pub(super) fields: Arc<LinkFields>,
    named: BTreeMap<Name, BTreeSet<EntryId>>,
}

impl Links {
    /// Notes what a statement about `record`, of `owner` and `kind`, names.
    pub(super) fn note(&mut self, owner: MemberNumber, kind: u16, record: EntryId, fields: &BTreeMap<u16, Value>) {
        let Some(links) = self.fields.by_kind.get(&kind) else { return };
        for (field, target) in links {
            for text in texts(fields.get(field)) {
                let own = Name::Own(owner, *target, text.to_owned());
                let label = text.parse().ok().map(Name::Label);
                let id = text.parse().ok().map(Name::Id);
                for name in [Some(own), label, id].into_iter().flatten() {
                    self.named.entry(name).or_default().insert(record);
                }
            }
        }
    }

    /// Records that name, or once named, the record that goes by these names.
    pub(super) fn naming(
        &self,
        id: Option<EntryId>,
        label: Option<Label>,
        own: Option<(MemberNumber, u16, String)>,
    ) -> BTreeSet<EntryId> {
        let own = own.map(|(owner, kind, external)| Name::Own(owner, kind, external));
        let names = [id.map(Name::Id), label.map(Name::Label), own];
        names.iter().flatten().filter_map(|name| self.named.get(name)).flatten().copied().collect()
    }
}

/// The texts of a link field.
pub(crate) fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let values = match value {
        Some(Value::List { values, .. }) => values.as_slice(),
        Some(scalar) => std::slice::from_ref(scalar),
        None => &[],
    };
    values.iter().filter_map(|value| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    })
}
