//! Which records name which: an index over the link fields of the kinds.
//!
//! A link is a text: its owner's own number of a record, a label, or an id. The index says more than is true, since it
//! never forgets what a revision took away; who asks checks what stands there now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Label;
use crate::identity::{EntryId, MemberNumber};
use crate::kind::condition::Condition;
use crate::kind::derived::Formula;
use crate::kind::{Kind, KindSet, Lifecycle};
use crate::value::Value;

/// The link fields of every kind, with the kind that each names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkFields {
    by_kind: BTreeMap<u16, Vec<(u16, u16)>>,
    /// Kinds whose records have a place among those that name the same one.
    ranked: BTreeSet<u16>,
}

impl LinkFields {
    /// Those of a set of kinds.
    pub fn of(kinds: &KindSet) -> Self {
        let links = |kind: &Kind| -> Vec<(u16, u16)> {
            kind.fields().filter_map(|field| Some((field.number, field.link_number()?))).collect()
        };
        let by_kind = kinds.kinds().map(|kind| (kind.number(), links(kind)));
        let ranked = kinds.kinds().filter(|kind| is_ranked(kind)).map(Kind::number);
        Self { by_kind: by_kind.filter(|(_, links)| !links.is_empty()).collect(), ranked: ranked.collect() }
    }

    /// Whether a record of the kind is judged by which others name what it names.
    pub(super) fn is_ranked(&self, kind: u16) -> bool {
        self.ranked.contains(&kind)
    }
}

/// Whether something of the kind asks for a record's place among those that name the same one.
fn is_ranked(kind: &Kind) -> bool {
    fn asks(conditions: &[Condition]) -> bool {
        conditions.iter().any(|condition| match condition {
            Condition::FirstAmong(_) => true,
            Condition::Any(lists) => lists.iter().any(|list| asks(list)),
            _ => false,
        })
    }
    let transitions = kind.lifecycle().map(Lifecycle::transitions).unwrap_or_default();
    kind.checks().iter().any(|check| asks(&check.when) || asks(&check.needs))
        || transitions.iter().any(|transition| asks(&transition.needs))
        || kind.derived().iter().any(|derived| matches!(derived.formula, Formula::Rank(_)))
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
    /// What each record names or once named: kinds and texts.
    names: BTreeMap<EntryId, BTreeSet<(u16, String)>>,
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
                self.names.entry(record).or_default().insert((*target, text.to_owned()));
            }
        }
    }

    /// The kinds and texts by which a record names others, or once named them.
    pub(super) fn names_of(&self, record: &EntryId) -> impl Iterator<Item = (u16, &str)> {
        self.names.get(record).into_iter().flatten().map(|(kind, text)| (*kind, text.as_str()))
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
