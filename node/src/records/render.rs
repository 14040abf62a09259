//! What a record looks like from outside. What this build does not know is shown by number, never dropped.

use std::collections::BTreeMap;

use protocol::charter::Class;
use protocol::identity::MemberNumber;
use protocol::kind::condition::Scope;
use protocol::kind::lifecycle::Illegal;
use protocol::kind::{Kind, KindSet, display_unknown};
use protocol::statement::FIELD_SEALED;
use protocol::value::Value;
use protocol::view::RecordState;

use super::assess::{self, Coverage, Found, Standing};
use super::error::field_detail;
use crate::api::types::{ConfidentialView, FieldValue, MemberName, ProblemDetail, RecordView, Words};
use crate::confidential::{Disclosure, Seen, readers_text, readers_zh};
use crate::core::Core;
use crate::kinds::{self, NamedSets};

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
    if let (FIELD_SEALED, Value::Sealed(bytes)) = (number, value) {
        return ("sealed".to_owned(), "密文".to_owned(), format!("{} 字节 bytes", bytes.len()));
    }
    match kind.and_then(|kind| kind.field(number)) {
        Some(field) => (field.name.clone(), field.zh.clone(), field.render(value)),
        None => {
            let (zh, text) = display_unknown(number, value);
            (format!("field-{number}"), zh, text)
        }
    }
}

/// A field with the text of its value.
pub fn field_value(kind: Option<&Kind>, number: u16, value: &Value) -> FieldValue {
    let (name, zh, value) = field_text(kind, number, value);
    FieldValue { number, name, zh, value }
}

/// What stands in the place of the title of a record that is closed to this node.
pub const CLOSED_TITLE: &str = "密文 confidential";

/// The confidential part of a record for people and programs.
pub fn confidential(disclosure: &Disclosure) -> ConfidentialView {
    let readers = disclosure.readers.as_ref();
    let readers_text = readers.map(readers_text).unwrap_or_default();
    let readers_name = readers.map_or_else(|| "不明".to_owned(), readers_zh);
    let (zh, en) = match disclosure.closed {
        None => (format!("密文，可读：{readers_name}"), format!("confidential, readers: {readers_text}")),
        Some(closed) => (
            format!("密文，可读：{readers_name}；这里打不开：{}", closed.zh()),
            format!("confidential, readers: {readers_text}; closed here: {}", closed.en()),
        ),
    };
    ConfidentialView {
        readers: readers_text,
        readers_zh: readers_name,
        open: disclosure.closed.is_none(),
        fields: disclosure.fields.iter().copied().collect(),
        reason: disclosure.closed.map(|closed| closed.name().to_owned()),
        zh,
        en,
    }
}

/// Members and kind sets as the charter names them, for some records.
#[derive(Debug, Clone)]
pub struct Renderer<'a> {
    kinds: &'a KindSet,
    members: BTreeMap<MemberNumber, (String, Class)>,
    /// The sets of kinds that the charter names.
    named: NamedSets,
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
            Self { kinds, members: known, named: charter.kind_sets().clone() }
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

    /// A record as it stands, and as this node may see it.
    pub(super) fn record(&self, found: &Found, seen: &Seen, standing: Standing, as_of_ms: u64) -> RecordView {
        let state = &seen.state;
        let kind = self.kinds.kind(state.kind);
        let update_needed = kind.is_none() || !kinds::readable(&self.named, self.kinds, state.kind_set, state.kind);
        // Nothing can be said of a whole that is not seen.
        let unseen = seen.is_closed() && assess::is_wholly_sealed(&found.judged.state);
        let judged = kind.filter(|_| !update_needed && !unseen);
        let fields = state.fields.iter().map(|(number, value)| field_value(kind, *number, value));
        let lifecycle = judged.and_then(Kind::lifecycle);
        RecordView {
            id: state.id.to_string(),
            label: state.label.to_string(),
            kind: kind_name(self.kinds, state.kind),
            kind_zh: kind_name_zh(self.kinds, state.kind),
            owner: self.member(state.label.member),
            external: state.external.clone(),
            title: match unseen {
                true => CLOSED_TITLE.to_owned(),
                false => kind.map(|kind| kind.title(&state.fields)).unwrap_or_default(),
            },
            fields: fields.collect(),
            state: lifecycle
                .map(|lifecycle| assess::state_view(lifecycle, &state.fields, found.judged.since_ms, as_of_ms)),
            created_ms: state.created_ms,
            changed_ms: state.changed_ms,
            versions: state.versions,
            withdrawn: state.withdrawn.is_some(),
            reason: state.withdrawn.clone().flatten(),
            problems: judged.map(|kind| self.problems(kind, found, seen)).unwrap_or_default(),
            update_needed,
            counts: found.coverage == Coverage::Counts,
            uncounted: found.judged.uncounted.len(),
            marks: standing.marks,
            figures: standing.figures,
            notices: judged.map(|kind| notices(kind, state)).unwrap_or_default(),
            unassessed: found.unjudged || standing.unassessed,
            onward: standing.onward,
            references: None,
            confidential: seen.confidential.as_ref().map(confidential),
        }
    }

    /// The rules that a record breaks: it is shown with them, and not counted.
    fn problems(&self, kind: &Kind, found: &Found, seen: &Seen) -> Vec<ProblemDetail> {
        let state = &seen.state;
        let class = self.members.get(&state.label.member).map(|(_, class)| *class);
        let writer = class.filter(|class| !kind.may_write(class.name())).map(|class| ProblemDetail {
            at: String::new(),
            code: "writer-class".to_owned(),
            zh: format!("{}类成员不能发布“{}”。", class.zh(), kind.zh()),
            en: format!("a member of class {} does not publish records of kind {}", class.name(), kind.en()),
        });
        let created = found.judged.uncounted.iter().find(|uncounted| uncounted.entry == state.id);
        let created = created.map(|uncounted| {
            let words = illegal_words(&uncounted.reason);
            ProblemDetail { at: String::new(), code: "lifecycle".to_owned(), zh: words.zh, en: words.en }
        });
        // What is closed here can break no rule that this node sees.
        let scope = if seen.is_closed() { Scope::Everybody } else { Scope::Author };
        let broken = kind.validate_as(&state.fields, scope);
        writer.into_iter().chain(created).chain(broken.iter().map(field_detail)).collect()
    }
}

/// Why a statement does not count, with what is missing.
pub(super) fn illegal_words(illegal: &Illegal) -> Words {
    let (zh, en): (Vec<&str>, Vec<&str>) =
        illegal.missing.iter().map(|unmet| (unmet.zh.as_str(), unmet.en.as_str())).unzip();
    let (to_zh, to_en) = (&illegal.to_zh, &illegal.to_en);
    let (what_zh, what_en) = match illegal.from_zh.is_empty() {
        true => (format!("不能直接发布为“{to_zh}”"), format!("it cannot begin as {to_en}")),
        false => (
            format!("不能从“{}”变为“{to_zh}”", illegal.from_zh),
            format!("it cannot go from {} to {to_en}", illegal.from_en),
        ),
    };
    Words { zh: format!("{what_zh}：{}。", zh.join("；")), en: format!("{what_en}: {}", en.join("; ")) }
}

/// What the author should look at.
fn notices(kind: &Kind, state: &RecordState) -> Vec<ProblemDetail> {
    let known = state.fields.iter().filter_map(|(number, value)| Some((kind.field(*number)?, value)));
    let notices = known.flat_map(|(field, value)| field.notices(value).into_iter().map(move |notice| (field, notice)));
    notices
        .map(|(field, notice)| ProblemDetail {
            at: field.zh.clone(),
            code: "notice".to_owned(),
            zh: notice.zh,
            en: notice.en,
        })
        .collect()
}
