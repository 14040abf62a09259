//! Going through the records for a survey: in pieces, with the lock let go between them, each record judged once.

use std::collections::{BTreeMap, BTreeSet};

use protocol::charter::Class;
use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::KindSet;
use protocol::survey::{self, Counted, Surrounding};
use protocol::value::Value;

use super::super::assess::{self, Coverage, Found};
use super::super::list::look_for;
use super::super::walk::{Walk, Whose};
use crate::api::types::{CoverageView, SurveyFrame};
use crate::core::{Core, now_ms};

/// One question's way through the records. Blocks: it reads bodies from the disk.
pub(super) struct Pass<'a> {
    core: &'a Core,
    kinds: &'a KindSet,
    pub(super) as_of_ms: u64,
    /// The divisions of the counties; what a fund or an agency needs is not of the place of its office.
    regions: BTreeMap<MemberNumber, String>,
    coverage: CoverageView,
    digest: String,
}

impl<'a> Pass<'a> {
    /// Before the first record, as of a time.
    pub(super) fn new(core: &'a Core, kinds: &'a KindSet, as_of_ms: u64) -> Self {
        let regions = core.read(|state| {
            let members = state.replica.charter().members().values();
            let counties = members.filter(|member| member.class == Class::County);
            counties.map(|member| (member.number, member.region.clone())).collect()
        });
        let (coverage, digest) = (CoverageView::default(), core.heads().0.to_string());
        Self { core, kinds, as_of_ms, regions, coverage, digest }
    }

    /// Hands in every record of these kinds that counts. `covers` says whether the round is the one in which they enter
    /// the coverage.
    pub(super) fn round(&mut self, kinds: &[&str], covers: bool, take: &mut dyn FnMut(&Counted<'_>, &dyn Surrounding)) {
        let coverage = self.each(kinds, &mut |pass, found, owner| {
            let Some(kind) = pass.kinds.kind(found.judged.state.kind) else { return };
            if found.coverage != Coverage::Counts {
                return;
            }
            let region = pass.regions.get(&owner).map_or("", String::as_str);
            take(&Counted { kind, state: &found.judged.state, owner, region }, &Beside { pass, found });
        });
        if covers {
            self.coverage = add(std::mem::take(&mut self.coverage), &coverage);
        }
    }

    /// Hands in every record of these kinds, however it counts, with its owner.
    pub(super) fn each(&self, kinds: &[&str], take: &mut dyn FnMut(&Self, &Found, MemberNumber)) -> CoverageView {
        let numbers: BTreeSet<u16> = survey::numbers(self.kinds, kinds).into_iter().collect();
        let wanted = |number: u16| numbers.contains(&number);
        let (mut coverage, mut walk) = (CoverageView::default(), Walk::new(Whose::All));
        loop {
            let (piece, owners) = self.core.read(|state| {
                let piece = look_for(state, self.core, self.kinds, &wanted, self.as_of_ms, &mut walk);
                let owner = |found: &Found| {
                    let label = found.judged.state.label.member;
                    state.view().owner(&found.judged.state.id).map_or(label, |(owner, _)| owner)
                };
                let owners: Vec<MemberNumber> = piece.records.iter().map(owner).collect();
                (piece, owners)
            });
            for (found, owner) in piece.records.iter().zip(owners) {
                count(&mut coverage, found.coverage);
                take(self, found, owner);
            }
            if piece.ended {
                return coverage;
            }
        }
    }

    /// What the answer rests on.
    pub(super) fn frame(self) -> SurveyFrame {
        let coverage = self.coverage.clone();
        self.frame_over(coverage)
    }

    /// The same where the rounds were counted by the caller.
    pub(super) fn frame_over(self, coverage: CoverageView) -> SurveyFrame {
        let digest = self.core.heads().0.to_string();
        SurveyFrame {
            coverage,
            // Records a little ahead of this clock are looked at; what is said is of now.
            as_of_ms: self.as_of_ms.min(now_ms()),
            charter_version: self.core.read(|state| state.replica.charter().version()),
            moved: self.digest != digest,
            digest,
            kind_set: self.kinds.hash().to_string(),
        }
    }
}

fn count(view: &mut CoverageView, coverage: Coverage) {
    view.looked_at += 1;
    let of_coverage = match coverage {
        Coverage::Counts => &mut view.counted,
        Coverage::Withdrawn => &mut view.withdrawn,
        Coverage::Uncounted => &mut view.uncounted,
        Coverage::Closed => &mut view.closed,
        Coverage::UpdateNeeded => &mut view.update_needed,
    };
    *of_coverage += 1;
}

fn add(left: CoverageView, right: &CoverageView) -> CoverageView {
    CoverageView {
        looked_at: left.looked_at + right.looked_at,
        counted: left.counted + right.counted,
        withdrawn: left.withdrawn + right.withdrawn,
        uncounted: left.uncounted + right.uncounted,
        closed: left.closed + right.closed,
        update_needed: left.update_needed + right.update_needed,
        ..left
    }
}

/// What a survey asks beside the record, each time briefly under the lock.
struct Beside<'a> {
    pass: &'a Pass<'a>,
    found: &'a Found,
}

impl Surrounding for Beside<'_> {
    fn named(&self, owner: MemberNumber, kind: u16, text: &str) -> Option<EntryId> {
        self.pass.core.read(|state| state.view().named(owner, kind, text))
    }

    /// Of a record that was judged: as many bodies as its judgement read, and no more.
    fn held(&self, _: &Counted<'_>) -> Vec<BTreeMap<u16, Value>> {
        let Pass { core, as_of_ms, .. } = self.pass;
        core.read(|state| survey::held(state.view(), *core, &self.found.judged, *as_of_ms))
    }
}

/// The derived figures of a record that rest on others, as text by identifier.
pub(super) fn standing_figures(
    core: &Core,
    kinds: &KindSet,
    found: &Found,
    seen: &crate::confidential::Seen,
    as_of_ms: u64,
) -> BTreeMap<String, String> {
    let standing = assess::standing(core, kinds, found, seen, as_of_ms);
    let figures = standing.figures.into_iter();
    figures.filter_map(|figure| Some((figure.name, figure.amount?))).collect()
}
