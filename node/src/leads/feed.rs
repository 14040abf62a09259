//! What goes into the book by itself: leads that this member publishes or keeps on its node, with their credit codes.
//!
//! The own logs are followed, whichever way an entry came into them, so that nothing is missed after a crash and every
//! way of publishing counts. Documents that stay on the node are looked at when the node starts and when one changes.

use std::collections::{BTreeMap, BTreeSet};

use protocol::charter::LogNumber;
use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::Kind;
use protocol::lead_token::CreditCode;
use protocol::statement::Statement;
use protocol::value::Value;
use protocol::view::RecordState;

use super::Leads;
use super::book::{BookError, Lead, LeadId, Source};
use super::watch::{log_failure, reach, resume};
use crate::api::types::LocalDocument;
use crate::kinds::kinds;
use crate::local::LocalStore;
use crate::records::fields;

/// The kind of leads.
pub const LEAD_KIND: &str = "lead";
/// Its field with the credit code.
const CODE_FIELD: &str = "credit_code";
/// Its field with the name of the enterprise.
const ENTERPRISE_FIELD: &str = "enterprise";
/// Entries of the own logs that one round looks at.
const ENTRIES_PER_ROUND: usize = 1_000;
/// Bytes of entries that one round reads.
const BYTES_PER_ROUND: usize = 4 * 1024 * 1024;

/// The kind of leads, if the kinds in use have it.
pub(super) fn lead_kind() -> Option<&'static Kind> {
    kinds().kind_named(LEAD_KIND)
}

/// A text or code of a record by the name of its field.
pub(super) fn text_of(kind: &Kind, values: &BTreeMap<u16, Value>, field: &str) -> Option<String> {
    match values.get(&kind.field_named(field)?.number)? {
        Value::Text(text) | Value::Choice(text) | Value::Code { code: text, .. } => Some(text.clone()),
        _ => None,
    }
}

impl Leads {
    /// One round over the own logs. Says whether there is more. Blocks: it reads the store.
    pub(super) fn feed(&self, own: MemberNumber) -> bool {
        let Some(kind) = lead_kind().filter(|_| self.settings.check_by_itself) else { return false };
        let logs: Vec<LogNumber> = self.core.read(|state| {
            let logs = state.replica.charter().logs().iter();
            logs.filter(|log| log.member == own || log.owner() == own).map(|log| log.number).collect()
        });
        let mut more = false;
        for log in logs {
            let (from, end) = {
                let places = self.places.lock();
                self.core.read(|state| (resume(&places.own, log, state), state.replica.effective_length(log)))
            };
            if from >= end {
                continue;
            }
            let read = self.core.store().range(log, from, ENTRIES_PER_ROUND, BYTES_PER_ROUND);
            let entries = match read {
                Ok(entries) => entries,
                Err(error) => {
                    tracing::warn!(%error, "the own log cannot be read for leads");
                    continue;
                }
            };
            // What was not fetched yet is waited for; what was erased never comes.
            let is_awaited = |at: usize| self.core.read(|state| state.replica.erased(log, from + at as u64).is_none());
            let readable = entries.iter().enumerate().take_while(|(at, entry)| {
                entry.header().kind != kind.number() || entry.body().is_some() || !is_awaited(*at)
            });
            let readable = readable.count();
            let until = (from + readable as u64).min(end);
            let of_kind = entries[..readable].iter().filter(|entry| entry.header().kind == kind.number());
            let touched: BTreeSet<EntryId> = of_kind
                .filter_map(|entry| Some(Statement::decode(entry.body()?).ok()?.record.unwrap_or(entry.id())))
                .collect();
            if !touched.iter().all(|id| self.look_at_record(own, kind, id)) {
                // The disk refused: the same entries are looked at again in the next round.
                continue;
            }
            let mut places = self.places.lock();
            self.core.read(|state| reach(&mut places.own, log, until, state));
            more |= until > from && until < end;
        }
        more
    }

    /// Enters the code that a record of this member states now. Says whether that is settled: a book that is full stays
    /// full, a disk that refuses may take it the next time.
    fn look_at_record(&self, own: MemberNumber, kind: &Kind, id: &EntryId) -> bool {
        let code = self.own_record(own, id).and_then(|state| code_of(kind, &state.fields));
        let stated = self.book.lock().state(&Source::Record(*id), code.as_ref());
        let is_settled = !matches!(stated, Err(BookError::Directory(_) | BookError::Randomness));
        log_failure(stated);
        is_settled
    }

    /// A record of this member with all that this node can open; `None` when it is withdrawn, erased or another's.
    pub(super) fn own_record(&self, own: MemberNumber, id: &EntryId) -> Option<RecordState> {
        let as_of_ms = self.core.as_of_ms();
        let state = self.core.read(|state| {
            let view = state.view();
            let mine = view.owner(id).is_some_and(|(owner, _)| owner == own) && !view.is_erased(id);
            if mine { view.record(id, as_of_ms, &self.core) } else { None }
        })?;
        if state.withdrawn.is_some() {
            return None;
        }
        Some(self.core.access().see(state).state)
    }

    /// Enters the codes of the documents that stay on this node, at its start.
    pub(super) fn feed_local(&self) {
        let Some(kind) = lead_kind().filter(|_| self.settings.check_by_itself) else { return };
        match LocalStore::at(self.directory.local_path()).list(Some(kind.number())) {
            Ok(documents) => documents.iter().for_each(|document| drop(self.local_kept(document))),
            Err(error) => tracing::warn!(%error, "documents of this node cannot be read for leads"),
        }
    }

    /// A document was kept on this node. Returns its lead, if it is one with a code. Blocks.
    pub fn local_kept(&self, document: &LocalDocument) -> Option<LeadId> {
        let kind = lead_kind().filter(|kind| self.settings.check_by_itself && kind.name() == document.kind)?;
        self.enter_local(kind, document)
    }

    pub(super) fn enter_local(&self, kind: &Kind, document: &LocalDocument) -> Option<LeadId> {
        let values = fields::parse(kind, &document.fields).ok()?;
        let code = code_of(kind, &values);
        let entered = self.book.lock().state(&Source::Local(document.id.clone()), code.as_ref());
        self.poke();
        entered.unwrap_or_else(|error| {
            log_failure::<()>(Err(error));
            None
        })
    }

    /// A document of this node was removed. Blocks.
    pub fn local_removed(&self, id: &str) {
        log_failure(self.book.lock().state(&Source::Local(id.to_owned()), None));
    }

    /// What a token calls a lead: the label of its first record, or what the operator calls it.
    pub(super) fn reference(&self, lead: &Lead) -> String {
        let label = |source: &Source| match source {
            Source::Record(id) => self.core.read(|state| state.view().label(id)).map(|label| label.to_string()),
            Source::Local(_) => None,
        };
        lead.sources.iter().find_map(label).unwrap_or_else(|| lead.reference.clone())
    }

    /// The name of the enterprise as the documents of a lead state it.
    pub(super) fn enterprise(&self, own: MemberNumber, lead: &Lead) -> Option<String> {
        let kind = lead_kind()?;
        let named = |source: &Source| match source {
            Source::Record(id) => text_of(kind, &self.own_record(own, id)?.fields, ENTERPRISE_FIELD),
            Source::Local(id) => {
                let document = LocalStore::at(self.directory.local_path()).show(id).ok()?;
                document.fields.get(ENTERPRISE_FIELD).cloned()
            }
        };
        lead.sources.iter().find_map(named)
    }
}

/// The credit code among the fields of a lead.
pub(super) fn code_of(kind: &Kind, values: &BTreeMap<u16, Value>) -> Option<CreditCode> {
    CreditCode::parse(&text_of(kind, values, CODE_FIELD)?).ok()
}
