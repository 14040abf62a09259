//! Which records name which: an index over the link fields of the kinds.
//!
//! A link is a text: its owner's own number of a record, a label, or an id. The index says more than is true, since it
//! never forgets what a revision took away; who asks checks what stands there now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Label;
use super::names::{TextNumber, Texts};
use crate::identity::{EntryId, MemberNumber};
use crate::kind::condition::Condition;
use crate::kind::derived::Formula;
use crate::kind::{Kind, KindSet, Lifecycle};
use crate::sorted::Sorted;
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

/// The first bytes of a hash, in its order: of a name, or of an entry as its id is one.
pub(super) type Beginning = u64;

/// The first bytes of a hash.
pub(super) fn beginning_of(hash: &[u8; 32]) -> Beginning {
    hash.first_chunk().map_or(0, |bytes| Beginning::from_be_bytes(*bytes))
}

/// How a record may be named.
enum Name<'a> {
    Own(MemberNumber, u16, &'a str),
    Label(Label),
    Id(EntryId),
}

impl Name<'_> {
    fn beginning(&self) -> Beginning {
        let mut hasher = blake3::Hasher::new();
        match self {
            Self::Own(owner, kind, text) => {
                hasher.update(&[0]).update(&owner.0.to_le_bytes()).update(&kind.to_le_bytes()).update(text.as_bytes())
            }
            Self::Label(label) => {
                hasher.update(&[1]).update(&label.member.0.to_le_bytes()).update(&label.serial.to_le_bytes())
            }
            Self::Id(id) => hasher.update(&[2]).update(id.as_bytes()),
        };
        beginning_of(hasher.finalize().as_bytes())
    }
}

/// The index. Names are kept as the beginnings of their hashes, and records as those of their ids: where two meet, a
/// record is looked at in vain and no more.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    pub(super) fields: Arc<LinkFields>,
    /// Which records each name leads back to.
    named: Sorted<(Beginning, Beginning)>,
    /// What each record names or once named: kinds and the numbers of texts.
    names: Sorted<(Beginning, u16, TextNumber)>,
    texts: Texts,
}

impl Links {
    /// Notes what a statement about `record`, of `owner` and `kind`, names.
    pub(super) fn note(&mut self, owner: MemberNumber, kind: u16, record: EntryId, fields: &BTreeMap<u16, Value>) {
        let Some(links) = self.fields.by_kind.get(&kind) else { return };
        let record = beginning_of(record.as_bytes());
        for (field, target) in links {
            for text in texts(fields.get(field)) {
                let own = Name::Own(owner, *target, text);
                let label = text.parse().ok().map(Name::Label);
                let id = text.parse().ok().map(Name::Id);
                for name in [Some(own), label, id].into_iter().flatten() {
                    self.named.put((name.beginning(), record));
                }
                self.names.put((record, *target, self.texts.number(text)));
            }
        }
    }

    /// The kinds and texts by which a record names others, or once named them.
    pub(super) fn names_of(&self, record: &EntryId) -> impl Iterator<Item = (u16, &str)> {
        let record = beginning_of(record.as_bytes());
        let names = self.names.range((record, 0, 0)).take_while(move |(held, _, _)| *held == record);
        names.map(|(_, kind, text)| (kind, self.texts.get(text)))
    }

    /// The beginnings of the ids of records that name, or once named, the record that goes by these names.
    pub(super) fn naming(
        &self,
        id: Option<EntryId>,
        label: Option<Label>,
        own: Option<(MemberNumber, u16, &str)>,
    ) -> BTreeSet<Beginning> {
        let own = own.map(|(owner, kind, external)| Name::Own(owner, kind, external));
        let names = [id.map(Name::Id), label.map(Name::Label), own];
        let naming = |name: Name<'_>| {
            let name = name.beginning();
            self.named.range((name, 0)).take_while(move |held| held.0 == name).map(|held| held.1)
        };
        names.into_iter().flatten().flat_map(naming).collect()
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
