//! Keeps the shelf in step with the records.

use std::sync::Arc;

use protocol::identity::MemberNumber;
use protocol::indicator::bulletin::{ANSWER_KIND, BULLETIN_KIND, Bulletin, OBJECTION_KIND};
use protocol::indicator::{Definitions, Facts, facts};
use protocol::kind::condition::Alone;
use protocol::kind::{Kind, KindSet};
use protocol::value::Value;
use protocol::view::RecordState;

use super::shelf::{Content, Paper, Renewed, Shelf};
use crate::core::Core;
use crate::derive::{Batch, Consumer, ConsumerError, Held, Settled};
use crate::records::look::{Look, Looked};
use crate::records::{Coverage, asked};

/// Hands records to the shelf.
pub(crate) struct IndicatorConsumer {
    shelf: Arc<Shelf>,
    kinds: &'static KindSet,
    core: Core,
}

impl IndicatorConsumer {
    /// Begins with an empty shelf.
    pub(crate) fn new(shelf: Arc<Shelf>, kinds: &'static KindSet, core: Core) -> Self {
        shelf.clear();
        Self { shelf, kinds, core }
    }

    fn renewed(&self, looked: &Looked, as_of_ms: u64) -> Renewed {
        let counts = |look: &&Look| look.found.coverage == Coverage::Counts;
        let counted = looked.look.as_ref().filter(counts).and_then(|look| {
            let state = &look.found.judged.state;
            Some((self.kinds.kind(state.kind)?, state, look.heir.as_ref().unwrap_or(&look.owner).number))
        });
        let Some((kind, state, owner)) = counted else { return Renewed { id: looked.id, facts: None, paper: None } };
        Renewed { id: looked.id, facts: self.facts(kind, state, owner, as_of_ms), paper: paper(kind, state, owner) }
    }

    fn facts(&self, kind: &Kind, state: &RecordState, owner: MemberNumber, as_of_ms: u64) -> Option<Facts> {
        let definitions = Definitions::builtin();
        if !definitions.knows(kind.number()) {
            return None;
        }
        if !definitions.looks_around(kind.number()) {
            let alone = Alone { kind, as_of_ms };
            let nothing = |_: MemberNumber, _: u16, _: &str| None;
            return facts(definitions, kind, state, owner, &alone, &nothing);
        }
        self.core.read(|present| {
            let (view, charter) = (present.view(), present.replica.charter());
            let naming = |owner: MemberNumber, kind: u16, text: &str| view.named(owner, kind, text);
            let answer = asked(view, charter, &self.core, self.kinds, as_of_ms, |register| {
                facts(definitions, kind, state, owner, register, &naming)
            });
            answer.flatten()
        })
    }
}

impl Consumer for IndicatorConsumer {
    fn name(&self) -> &'static str {
        "indicators"
    }

    fn clear(&mut self) -> Result<(), ConsumerError> {
        self.shelf.clear();
        Ok(())
    }

    fn take(&mut self, batch: &Batch) -> Result<(), ConsumerError> {
        self.shelf.take(batch.records.iter().map(|looked| self.renewed(looked, batch.as_of_ms)).collect());
        Ok(())
    }

    fn settle(&mut self, settled: &Settled<'_>) -> Result<Option<u64>, ConsumerError> {
        self.shelf.settle(settled.round.is_none(), settled.is_idle);
        Ok(None)
    }

    fn recover(&mut self) -> Result<Option<Held>, ConsumerError> {
        self.shelf.clear();
        Ok(None)
    }
}

/// What a record says about figures, if its kind is one of those that do.
pub(super) fn paper(kind: &Kind, state: &RecordState, owner: MemberNumber) -> Option<Paper> {
    let text = |name: &str| {
        let field = kind.fields().find(|field| field.name == name)?;
        match state.fields.get(&field.number)? {
            Value::Text(text) | Value::Choice(text) => Some(text.clone()),
            _ => None,
        }
    };
    let content = match kind.name() {
        BULLETIN_KIND => {
            // What was signed first is what was published; a correction is a bulletin of its own.
            let read = match state.versions {
                1 => Bulletin::read(kind, &state.fields).map(Box::new).map_err(|error| error.to_string()),
                _ => Err("it was revised after it was published".to_owned()),
            };
            Content::Bulletin { title: kind.title(&state.fields), read }
        }
        OBJECTION_KIND => {
            Content::Objection { bulletin: text("bulletin")?, code: text("indicator")?, text: text("text")? }
        }
        ANSWER_KIND => Content::Answer { objection: text("objection")?, text: text("text")?, outcome: text("outcome") },
        _ => return None,
    };
    let RecordState { label, created_ms: made_ms, changed_ms, versions, .. } = *state;
    Some(Paper { label, author: owner, made_ms, changed_ms, versions, content })
}
