//! Answers as the API gives them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;
use protocol::matching::{Excluded, Match, Matches};
use protocol::value::Value;
use protocol::view::RecordState;

use crate::api::types::{
    ExcludedCount, ExcludedView, ExclusionView, KindName, MatchPart, MatchRecord, MatchView, MatchesView, MemberName,
};
use crate::core::Core;
use crate::records::look::{Look, look};
use crate::records::render::{kind_name, kind_name_zh};

/// Kinds that say whom to call at a member, with the fields that say it, the better first.
const CONTACTS: [(&str, &[&str]); 2] =
    [("county_profile", &["contact_office", "office_phone", "address"]), ("member", &["department", "representative"])];

/// Puts answers into words.
pub(super) struct Shower<'a> {
    core: &'a Core,
    kinds: &'a KindSet,
    as_of_ms: u64,
    /// Whom to call, by member.
    contacts: RefCell<BTreeMap<MemberNumber, String>>,
}

impl<'a> Shower<'a> {
    pub(super) fn new(core: &'a Core, kinds: &'a KindSet, as_of_ms: u64) -> Self {
        Self { core, kinds, as_of_ms, contacts: RefCell::default() }
    }

    /// An answer; frontier and completeness are for the caller.
    pub(super) fn matches(&self, subject: &Look, matches: &Matches, kinds: &[u16]) -> MatchesView {
        let found = matches.found.iter().map(|found| found.id);
        let ids: Vec<EntryId> = found.chain(matches.excluded.iter().map(|excluded| excluded.id)).collect();
        let looked = look(self.core, self.kinds, &ids, self.as_of_ms);
        let looks: BTreeMap<EntryId, Look> =
            looked.into_iter().filter_map(|looked| Some((looked.id, looked.look?))).collect();
        let shown = |id: &EntryId| looks.get(id).map(|look| self.record(look));
        MatchesView {
            subject: self.record(subject),
            found: matches.found.iter().filter_map(|found| Some(match_view(shown(&found.id)?, found))).collect(),
            excluded: matches.excluded.iter().filter_map(|one| Some(excluded_view(shown(&one.id)?, one))).collect(),
            excluded_by: matches
                .excluded_by
                .iter()
                .map(|(reason, count)| ExcludedCount {
                    reason: reason.name().to_owned(),
                    zh: reason.zh().to_owned(),
                    en: reason.en().to_owned(),
                    count: *count,
                })
                .collect(),
            considered: matches.considered,
            kinds: kinds.iter().map(|kind| self.kind(*kind)).collect(),
            rules_version: matches.rules_version,
            rules_hash: matches.rules_hash.to_string(),
            frontier: String::new(),
            as_of_ms: self.as_of_ms,
            complete: false,
        }
    }

    fn kind(&self, number: u16) -> KindName {
        KindName { name: kind_name(self.kinds, number), zh: kind_name_zh(self.kinds, number) }
    }

    /// A record with its owner and whom to call there.
    pub(super) fn record(&self, look: &Look) -> MatchRecord {
        let state = &look.seen.state;
        let owner = look.heir.as_ref().unwrap_or(&look.owner);
        let kind = self.kinds.kind(state.kind);
        MatchRecord {
            id: state.id.to_string(),
            label: state.label.to_string(),
            kind: kind_name(self.kinds, state.kind),
            kind_zh: kind_name_zh(self.kinds, state.kind),
            external: state.external.clone(),
            title: kind.map(|kind| kind.title(&state.fields)).unwrap_or_default(),
            owner: MemberName { number: owner.number.0, name: owner.name.clone() },
            contact: self.contact(owner.number),
        }
    }

    /// Whom to call at a member, as it says in the open; empty when it does not.
    fn contact(&self, member: MemberNumber) -> String {
        if let Some(known) = self.contacts.borrow().get(&member) {
            return known.clone();
        }
        let contact = CONTACTS.iter().find_map(|(kind, fields)| self.contact_in(member, kind, fields));
        let contact = contact.unwrap_or_default();
        self.contacts.borrow_mut().insert(member, contact.clone());
        contact
    }

    fn contact_in(&self, member: MemberNumber, kind: &str, fields: &[&str]) -> Option<String> {
        let kind = self.kinds.kind_named(kind)?;
        let newest = self.core.read(|state| state.view().list(Some(kind.number()), Some(member)).next())?;
        let look = look(self.core, self.kinds, &[newest], self.as_of_ms).pop()?.look?;
        let state: &RecordState = super::open(&look)?;
        let texts = fields.iter().filter_map(|name| match state.fields.get(&kind.field_named(name)?.number)? {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let contact = texts.collect::<Vec<_>>().join("，");
        (!contact.is_empty()).then_some(contact)
    }
}

fn match_view(record: MatchRecord, found: &Match) -> MatchView {
    let parts = found.parts.iter().map(|part| MatchPart {
        dimension: part.dimension.name().to_owned(),
        zh: part.dimension.zh().to_owned(),
        weight: part.weight,
        value: part.value,
        counted: part.counted,
        part: part.part,
        reason_zh: part.reason.zh.clone(),
        reason_en: part.reason.en.clone(),
    });
    MatchView { record, score: found.score, rate: found.rate, weights: found.weights, parts: parts.collect() }
}

fn excluded_view(record: MatchRecord, excluded: &Excluded) -> ExcludedView {
    let reasons = excluded.reasons.iter().map(|ruled| ExclusionView {
        reason: ruled.reason.name().to_owned(),
        zh: ruled.sentence.zh.clone(),
        en: ruled.sentence.en.clone(),
    });
    ExcludedView { record, reasons: reasons.collect() }
}
