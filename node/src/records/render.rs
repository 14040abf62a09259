//! What a record looks like from outside. What this build does not know is shown by number, never dropped.

use std::collections::BTreeMap;

use protocol::charter::Class;
use protocol::identity::{ContentHash, MemberNumber};
use protocol::kind::{KIND_SET_VERSION, Kind, KindSet, display_unknown};
use protocol::value::Value;
use protocol::view::RecordState;

use super::error::field_detail;
use crate::api::types::{FieldValue, MemberName, ProblemDetail, RecordView};
use crate::core::Core;

/// English name of a kind; `kind-9999` when this build does not know it.
pub fn kind_name(kinds: &KindSet, number: u16) -> String {
    kinds.kind(number).map_or_else(|| format!("kind-{number}"), |kind| kind.name().to_owned())
}

/// Chinese name of a kind; 未知类别 9999 when this build does not know it.
pub fn kind_name_zh(kinds: &KindSet, number: u16) -> String {
    kinds.kind(number).map_or_else(|| format!("未知类别 {number}"), |kind| kind.zh().to_owned())
}

/// English and Chinese name of a field and the text of its value, as [`protocol::kind::Field::parse`] reads it.
pub fn field_text(kind: Option<&Kind>, number: u16, value: &Value) -> (String, String, String) {
    match kind.and_then(|kind| kind.field(number)) {
        Some(field) => (field.name.clone(), field.zh.clone(), field.render(value)),
        None => {
            let (zh, text) = display_unknown(number, value);
            (format!("field-{number}"), zh, text)
        }
    }
}

/// Members and kind sets as the charter names them, for some records.
#[derive(Debug, Clone)]
pub struct Renderer<'a> {
    kinds: &'a KindSet,
    members: BTreeMap<MemberNumber, (String, Class)>,
    /// What the charter says about this build's kind set.
    kind_set: Option<ContentHash>,
}

impl<'a> Renderer<'a> {
    /// Looks up what is needed for records of these members.
    pub fn new(core: &Core, kinds: &'a KindSet, members: impl IntoIterator<Item = MemberNumber>) -> Self {
        core.read(|state| {
            let charter = state.replica.charter();
            let mut known = BTreeMap::new();
            for member in members {
                if let Some(found) = charter.members().get(&member).filter(|_| !known.contains_key(&member)) {
                    known.insert(member, (found.name.clone(), found.class));
                }
            }
            Self { kinds, members: known, kind_set: charter.kind_sets().get(&KIND_SET_VERSION).copied() }
        })
    }

    /// A member, shortly.
    pub fn member(&self, number: MemberNumber) -> MemberName {
        let name = self.members.get(&number).map(|(name, _)| name.clone()).unwrap_or_default();
        MemberName { number: number.0, name }
    }

    /// The kinds.
    pub fn kinds(&self) -> &'a KindSet {
        self.kinds
    }

    /// A record as it stands.
    pub fn record(&self, state: &RecordState) -> RecordView {
        let kind = self.kinds.kind(state.kind);
        let update_needed = kind.is_none() || !self.reads(state.kind_set);
        let fields = state.fields.iter().map(|(number, value)| {
            let (name, zh, value) = field_text(kind, *number, value);
            FieldValue { number: *number, name, zh, value }
        });
        RecordView {
            id: state.id.to_string(),
            label: state.label.to_string(),
            kind: kind_name(self.kinds, state.kind),
            kind_zh: kind_name_zh(self.kinds, state.kind),
            owner: self.member(state.label.member),
            external: state.external.clone(),
            title: kind.map(|kind| kind.title(&state.fields)).unwrap_or_default(),
            fields: fields.collect(),
            created_ms: state.created_ms,
            changed_ms: state.changed_ms,
            versions: state.versions,
            withdrawn: state.withdrawn.is_some(),
            reason: state.withdrawn.clone().flatten(),
            problems: kind.filter(|_| !update_needed).map(|kind| self.problems(kind, state)).unwrap_or_default(),
            update_needed,
        }
    }

    /// Whether this build can judge what was stated under a kind set.
    fn reads(&self, version: u16) -> bool {
        version == KIND_SET_VERSION && self.kind_set.is_none_or(|hash| hash == self.kinds.hash())
    }

    /// The rules that a record breaks: it is shown with them, and not counted.
    fn problems(&self, kind: &Kind, state: &RecordState) -> Vec<ProblemDetail> {
        let class = self.members.get(&state.label.member).map(|(_, class)| *class);
        let writer = class.filter(|class| !kind.may_write(class.name())).map(|class| ProblemDetail {
            at: String::new(),
            code: "writer-class".to_owned(),
            zh: format!("{}类成员不能发布“{}”。", class.zh(), kind.zh()),
            en: format!("a member of class {} does not publish records of kind {}", class.name(), kind.en()),
        });
        let broken = kind.validate(&state.fields);
        writer.into_iter().chain(broken.iter().map(field_detail)).collect()
    }
}
