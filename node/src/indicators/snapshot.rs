//! Figures computed from the entries themselves, away from the lock.

use std::collections::BTreeMap;

use protocol::charter::Charter;
use protocol::identity::{EntryId, MemberNumber};
use protocol::indicator::prefix::{Extent, charter_at, version_at};
use protocol::indicator::{Definitions, Facts, Figure, Roster, evaluate, facts};
use protocol::kind::KindSet;
use protocol::view::View;
use rayon::prelude::*;

use super::{IndicatorError, duty};
use crate::core::Core;
use crate::records::{Coverage, asked, find_in};

/// The records that follow from some entries under a version of the charter.
pub(super) struct Snapshot<'a> {
    core: &'a Core,
    kinds: &'a KindSet,
    pub(super) charter: Charter,
    pub(super) extent: Extent,
    pub(super) view: View,
    /// Bodies that are not here and were not erased.
    pub(super) missing: usize,
}

impl<'a> Snapshot<'a> {
    /// Everything that this node holds, under the charter of a time.
    pub(super) fn whole(core: &'a Core, kinds: &'a KindSet, as_of_ms: u64) -> Result<Self, IndicatorError> {
        let version = core.read(|state| version_at(state.replica.charter(), as_of_ms));
        let charter = charter_of(core, version)?;
        let extent = core.read(|state| Extent::whole(&state.replica, charter.logs().len()));
        Self::of(core, kinds, charter, extent)
    }

    /// Some entries, under a version of the charter.
    pub(super) fn of(
        core: &'a Core,
        kinds: &'a KindSet,
        charter: Charter,
        extent: Extent,
    ) -> Result<Self, IndicatorError> {
        let (view, missing) = extent.view(&charter, kinds, core.store());
        if !core.read(|state| extent.stands(&state.replica)) {
            return Err(IndicatorError::Moved);
        }
        Ok(Self { core, kinds, charter, extent, view, missing })
    }

    /// The digest of its frontier.
    pub(super) fn digest(&self) -> String {
        self.extent.frontier(&self.charter).digest().to_string()
    }

    /// The figures as of a time. Blocks: it reads bodies from the disk.
    pub(super) fn figures(&self, as_of_ms: u64) -> Vec<Figure> {
        let definitions = Definitions::builtin();
        let wanted = |id: &EntryId| self.view.owner(id).is_some_and(|(_, kind)| definitions.knows(kind));
        let ids: Vec<EntryId> = self.view.ids(as_of_ms).filter(wanted).collect();
        let facts: BTreeMap<EntryId, Facts> =
            ids.into_par_iter().filter_map(|id| Some((id, self.facts(&id, as_of_ms)?))).collect();
        let roster = Roster::of(&self.charter, as_of_ms);
        let ledger = duty::ledger(&self.view, &self.charter, self.core, self.kinds);
        let duty = |rule: &str| duty::past(&self.charter, &ledger, rule, as_of_ms);
        evaluate(definitions, &facts, &roster, as_of_ms, &duty)
    }

    fn facts(&self, id: &EntryId, as_of_ms: u64) -> Option<Facts> {
        let (view, charter, core, kinds) = (&self.view, &self.charter, self.core, self.kinds);
        let (owner, number) = view.owner(id)?;
        let kind = kinds.kind(number)?;
        let found = find_in(view, charter, core, kinds, id, as_of_ms)?;
        if found.coverage != Coverage::Counts {
            return None;
        }
        let naming = |owner: MemberNumber, kind: u16, text: &str| view.named(owner, kind, text);
        let state = &found.judged.state;
        let answer = asked(view, charter, core, kinds, as_of_ms, |register| {
            facts(Definitions::builtin(), kind, state, owner, register, &naming)
        });
        answer.flatten()
    }
}

/// The charter at a version, replayed away from the lock.
pub(super) fn charter_of(core: &Core, version: u32) -> Result<Charter, IndicatorError> {
    let charter = core.read(|state| state.replica.charter().clone());
    Ok(charter_at(&charter, version)?)
}
