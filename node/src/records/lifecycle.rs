//! Judging a change of state before it is signed: what a reader would not count is not published.

use std::collections::BTreeMap;

use protocol::identity::EntryId;
use protocol::kind::Kind;
use protocol::register::Register;
use protocol::value::Value;

use super::error::RecordError;
use super::prepare::Author;
use crate::core::{Core, now_ms};

/// What a judgement needs to know.
pub(super) struct Court<'a> {
    /// This node's heart.
    pub(super) core: &'a Core,
    /// Who publishes.
    pub(super) author: &'a Author<'a>,
}

impl Court<'_> {
    /// Whether the author may bring a record from `before` (`None`: create it) to `fields`, each with all that it sees.
    ///
    /// Other records are looked at as they stand on this node now: those of the same request are none of them yet.
    pub(super) fn judge(
        &self,
        kind: &Kind,
        id: Option<EntryId>,
        before: Option<&BTreeMap<u16, Value>>,
        fields: &BTreeMap<u16, Value>,
    ) -> Result<(), RecordError> {
        let Some(lifecycle) = kind.lifecycle() else { return Ok(()) };
        if before.is_some_and(|before| lifecycle.position(before) == lifecycle.position(fields)) {
            return Ok(());
        }
        let judged = self.core.read(|state| {
            let charter = state.replica.charter();
            // The time that the entry will bear.
            let as_of_ms = now_ms().max(charter.tip_block().time_ms);
            let register = Register::new(state.view(), self.core, self.author.kinds, charter, as_of_ms);
            register.judge(kind, id, self.author.member, before, fields)
        });
        let field = kind.field(lifecycle.field());
        judged.map_err(|illegal| RecordError::Lifecycle {
            field_zh: field.map(|field| field.zh.clone()).unwrap_or_default(),
            field_en: field.map(|field| field.en.clone()).unwrap_or_default(),
            illegal: Box::new(illegal),
        })
    }
}
