//! What was said about published figures, found by bulletin and indicator: made once for everything that is held, not for
//! every question.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::charter::{Charter, Class};
use protocol::identity::{EntryId, MemberNumber};
use protocol::indicator::bulletin::{BULLETIN_KIND, OBJECTION_KIND};
use protocol::kind::{Kind, KindSet};
use protocol::limits::CLOCK_TOLERANCE_MS;
use protocol::view::View;

use super::shelf::{Content, Paper};
use crate::core::Core;

/// Papers whose references are resolved while the lock is held.
const PIECE: usize = 256;

/// The records about figures, by id.
pub(super) type Papers = BTreeMap<EntryId, Arc<Paper>>;

/// Where everything stands.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The bulletins, the last first: by the time that they speak of, then by when they were made.
    pub(super) bulletins: Vec<EntryId>,
    /// The last bulletin that can be read.
    pub(super) last: Option<EntryId>,
    /// The objections to a figure of a bulletin. The first of every member come before the second of any, so that nobody
    /// crowds out the others; among these the oldest first.
    objections: BTreeMap<(String, EntryId), Vec<EntryId>>,
    /// Objections to a bulletin that are not answered.
    open: BTreeMap<EntryId, usize>,
    /// The first answer to each objection.
    answers: BTreeMap<EntryId, EntryId>,
}

impl Index {
    /// That of all papers.
    pub(super) fn build(core: &Core, kinds: &KindSet, papers: &Papers) -> Self {
        let mut index = Self::default();
        let mut by_time: Vec<(&EntryId, &Arc<Paper>)> = papers.iter().collect();
        by_time.sort_by_key(|(id, paper)| (paper.made_ms, **id));
        for piece in by_time.chunks(PIECE) {
            core.read(|state| {
                for (id, paper) in piece {
                    index.take(kinds, (state.view(), state.replica.charter()), **id, paper);
                }
            });
        }
        for ids in index.objections.values_mut() {
            in_turn(ids, papers);
        }
        for ((_, bulletin), ids) in &index.objections {
            let open = ids.iter().filter(|id| !index.answers.contains_key(id)).count();
            *index.open.entry(*bulletin).or_default() += open;
        }
        let times = |id: &EntryId| papers.get(id).map(|paper| (paper.as_of_ms(), paper.made_ms));
        index.bulletins.sort_by_key(|id| std::cmp::Reverse((times(id), *id)));
        let is_of_its_time = |id: &&EntryId| papers.get(id).is_some_and(|paper| paper.is_of_its_time());
        index.last = index.bulletins.iter().find(is_of_its_time).copied();
        index
    }

    fn take(&mut self, kinds: &KindSet, (view, charter): (&View, &Charter), id: EntryId, paper: &Paper) {
        match &paper.content {
            Content::Bulletin { .. } => self.bulletins.push(id),
            Content::Objection { bulletin, code, .. } => {
                if let Some(bulletin) = bulletin_named(view, charter, kinds, paper.author, bulletin) {
                    self.objections.entry((code.clone(), bulletin)).or_default().push(id);
                }
            }
            Content::Answer { objection, .. } => {
                let kind = kinds.kind_named(OBJECTION_KIND).map_or(0, Kind::number);
                if let Some(objection) = view.named(paper.author, kind, objection) {
                    self.answers.entry(objection).or_insert(id);
                }
            }
        }
    }

    /// The objections to a figure of one bulletin.
    pub(super) fn of(&self, code: &str, bulletin: EntryId) -> &[EntryId] {
        self.objections.get(&(code.to_owned(), bulletin)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The objections to an indicator in all bulletins, each with its bulletin.
    pub(super) fn about<'a>(&'a self, code: &str) -> impl Iterator<Item = (EntryId, EntryId)> + 'a {
        let (from, code) = ((code.to_owned(), EntryId::ZERO), code.to_owned());
        let of_code = self.objections.range(from..).take_while(move |((found, _), _)| *found == code);
        of_code.flat_map(|((_, bulletin), ids)| ids.iter().map(move |id| (*bulletin, *id)))
    }

    /// Objections to a bulletin that nobody answered.
    pub(super) fn open(&self, bulletin: &EntryId) -> usize {
        self.open.get(bulletin).copied().unwrap_or_default()
    }

    /// The first answer to an objection.
    pub(super) fn answer(&self, objection: &EntryId) -> Option<EntryId> {
        self.answers.get(objection).copied()
    }
}

/// The bulletin that a text of a member names: a label, an id, its own number, or the number that a secretariat gave one.
pub(super) fn bulletin_named(
    view: &View,
    charter: &Charter,
    kinds: &KindSet,
    by: MemberNumber,
    text: &str,
) -> Option<EntryId> {
    let kind = kinds.kind_named(BULLETIN_KIND).map_or(0, Kind::number);
    view.named(by, kind, text).or_else(|| bulletin_numbered(view, charter, kinds, text))
}

/// The bulletin to which a secretariat gave a number.
pub(super) fn bulletin_numbered(view: &View, charter: &Charter, kinds: &KindSet, number: &str) -> Option<EntryId> {
    let kind = kinds.kind_named(BULLETIN_KIND).map_or(0, Kind::number);
    let mut secretariats = charter.members().values().filter(|member| member.class == Class::Secretariat);
    secretariats.find_map(|member| view.by_external(member.number, kind, number.trim()))
}

/// Puts objections, which come by time, into the order in which members take turns.
fn in_turn(ids: &mut Vec<EntryId>, papers: &Papers) {
    let mut spoken: BTreeMap<MemberNumber, usize> = BTreeMap::new();
    let mut turns: Vec<(usize, EntryId)> = Vec::with_capacity(ids.len());
    for id in ids.iter() {
        let Some(paper) = papers.get(id) else { continue };
        let turn = spoken.entry(paper.author).or_default();
        turns.push((*turn, *id));
        *turn += 1;
    }
    turns.sort_by_key(|(turn, _)| *turn);
    *ids = turns.into_iter().map(|(_, id)| id).collect();
}

impl Paper {
    /// Whether it is a bulletin that can be read and speaks of no time behind its own.
    fn is_of_its_time(&self) -> bool {
        let latest_ms = self.made_ms.saturating_add(CLOCK_TOLERANCE_MS);
        self.bulletin().is_some_and(|bulletin| bulletin.as_of_ms <= latest_ms)
    }
}
