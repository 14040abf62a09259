//! Bulletins with what was objected to them and answered.

use std::sync::Arc;

use protocol::identity::{EntryId, MemberNumber};
use protocol::indicator::Definitions;
use protocol::indicator::bulletin::{Bulletin, Line};
use protocol::kind::KindSet;

use super::index::{Index, Papers};
use super::shelf::{Content, Paper, Shelf};
use crate::api::types::{AnswerView, BulletinFigure, BulletinView, MemberName, ObjectionView, PublishedFigure};
use crate::core::Core;
use crate::records::render::Renderer;

/// How much of what was said an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Objections to one figure.
    pub objections: usize,
    /// Characters of one text.
    pub characters: usize,
}

impl Bound {
    /// In a list of all indicators.
    pub const LISTED: Self = Self { objections: 3, characters: 120 };
    /// Beside the figures of one bulletin.
    pub const BESIDE: Self = Self { objections: 10, characters: 500 };
    /// With one indicator.
    pub const WHOLE: Self = Self { objections: 100, characters: 4_000 };

    fn cut(self, text: &str) -> String {
        match text.char_indices().nth(self.characters) {
            None => text.to_owned(),
            Some((end, _)) => format!("{}…", &text[..end]),
        }
    }
}

/// Everything that was said about published figures, with every name resolved.
pub(super) struct Desk<'a> {
    renderer: Renderer<'a>,
    papers: Arc<Papers>,
    index: Arc<Index>,
}

impl<'a> Desk<'a> {
    /// What the shelf holds.
    pub(super) fn new(core: &Core, shelf: &Shelf, kinds: &'a KindSet) -> Self {
        let members: Vec<MemberNumber> = core.read(|state| state.replica.charter().members().keys().copied().collect());
        let (papers, index) = shelf.index(core, kinds);
        Self { renderer: Renderer::new(core, kinds, members), papers, index }
    }

    pub(super) fn member(&self, number: MemberNumber) -> MemberName {
        self.renderer.member(number)
    }

    /// The bulletins, the last first: by the time that they speak of, then by when they were made.
    pub(super) fn bulletins(&self) -> impl ExactSizeIterator<Item = (EntryId, Option<&Paper>)> {
        self.index.bulletins.iter().map(|id| (*id, self.papers.get(id).map(Arc::as_ref)))
    }

    /// The last bulletin that can be read.
    pub(super) fn last(&self) -> Option<EntryId> {
        self.index.last
    }

    /// Objections to the figures of an indicator, as many as the bound holds, and how many there are: those that nobody
    /// answered, and all to this bulletin.
    pub(super) fn beside(&self, code: &str, bulletin: Option<EntryId>, bound: Bound) -> (Vec<ObjectionView>, usize) {
        let wanted = |(of, id): &(EntryId, EntryId)| Some(*of) == bulletin || self.index.answer(id).is_none();
        self.views(self.index.about(code).filter(wanted), bound)
    }

    fn views(&self, objections: impl Iterator<Item = (EntryId, EntryId)>, bound: Bound) -> (Vec<ObjectionView>, usize) {
        let (mut views, mut total) = (Vec::new(), 0);
        for (bulletin, id) in objections {
            total += 1;
            if views.len() < bound.objections {
                views.extend(self.objection(&bulletin, &id, bound));
            }
        }
        views.sort_by_key(|view| view.made_ms);
        (views, total)
    }

    fn objection(&self, bulletin: &EntryId, id: &EntryId, bound: Bound) -> Option<ObjectionView> {
        let paper = self.papers.get(id)?;
        let Content::Objection { code, text, .. } = &paper.content else { return None };
        let of = self.papers.get(bulletin).map(|paper| paper.label.to_string());
        let revised_ms = paper.revised_ms();
        Some(ObjectionView {
            id: id.to_string(),
            label: paper.label.to_string(),
            bulletin: of.unwrap_or_else(|| bulletin.to_string()),
            code: code.clone(),
            by: self.member(paper.author),
            text: bound.cut(text),
            made_ms: paper.made_ms,
            versions: paper.versions,
            revised_ms,
            answer: self.index.answer(id).and_then(|answer| self.answer(&answer, revised_ms, bound)),
        })
    }

    fn answer(&self, id: &EntryId, objection_revised_ms: Option<u64>, bound: Bound) -> Option<AnswerView> {
        let paper = self.papers.get(id)?;
        let Content::Answer { text, outcome, .. } = &paper.content else { return None };
        Some(AnswerView {
            label: paper.label.to_string(),
            by: self.member(paper.author),
            text: bound.cut(text),
            outcome: outcome.clone(),
            made_ms: paper.made_ms,
            revised_ms: paper.revised_ms(),
            before_revision: objection_revised_ms.is_some_and(|revised_ms| revised_ms > paper.changed_ms),
        })
    }

    /// A figure as the last bulletin published it.
    pub(super) fn published(&self, code: &str) -> Option<PublishedFigure> {
        let paper = self.papers.get(&self.last()?)?;
        let bulletin = paper.bulletin()?;
        let line = bulletin.figures.iter().find(|line| line.code == code)?;
        let (bulletin, as_of_ms) = (paper.label.to_string(), bulletin.as_of_ms);
        Some(PublishedFigure { bulletin, as_of_ms, value: line.value.clone() })
    }

    /// A bulletin, with its figures or without.
    pub(super) fn bulletin(&self, id: &EntryId, paper: &Paper, with_figures: bool) -> BulletinView {
        let (title, read) = match &paper.content {
            Content::Bulletin { title, read } => (title.clone(), read.as_ref().map_err(Clone::clone)),
            _ => (String::new(), Err("no bulletin".to_owned())),
        };
        let of = |number: fn(&Bulletin) -> u64| read.as_ref().map_or(0, |bulletin| number(bulletin));
        let figures = match (&read, with_figures) {
            (Ok(bulletin), true) => bulletin.figures.iter().map(|line| self.figure(line, id)).collect(),
            _ => Vec::new(),
        };
        BulletinView {
            id: id.to_string(),
            label: paper.label.to_string(),
            title,
            author: self.member(paper.author),
            published_ms: paper.made_ms,
            as_of_ms: of(|bulletin| bulletin.as_of_ms),
            charter_version: read.as_ref().map_or(0, |bulletin| bulletin.charter_version),
            digest: read.as_ref().map(|bulletin| bulletin.frontier.to_string()).unwrap_or_default(),
            rules_version: read.as_ref().map_or(0, |bulletin| bulletin.rules_version),
            entries: of(|bulletin| bulletin.entries()),
            objections_open: self.index.open(id),
            unreadable: read.err(),
            figures,
        }
    }

    fn figure(&self, line: &Line, bulletin: &EntryId) -> BulletinFigure {
        let known = Definitions::builtin().indicator(&line.code).map(|(_, indicator)| indicator);
        let of_figure = self.index.of(&line.code, *bulletin).iter().map(|id| (*bulletin, *id));
        let (objections, objections_total) = self.views(of_figure, Bound::BESIDE);
        BulletinFigure {
            code: line.code.clone(),
            name_zh: known.map(|indicator| indicator.name_zh.clone()).unwrap_or_default(),
            name_en: known.map(|indicator| indicator.name_en.clone()).unwrap_or_default(),
            unit: known.map(|indicator| indicator.unit.clone()).unwrap_or_default(),
            value: line.value.clone(),
            confirmed: line.confirmed.clone(),
            members_counted: line.coverage.counted,
            members_due: line.coverage.due,
            unknown: line.unknown,
            records: line.records.records as usize,
            objections,
            objections_total,
        }
    }
}

impl Paper {
    /// What a bulletin says, if it is one and can be read.
    pub(super) fn bulletin(&self) -> Option<&Bulletin> {
        match &self.content {
            Content::Bulletin { read: Ok(bulletin), .. } => Some(bulletin),
            _ => None,
        }
    }

    pub(super) fn as_of_ms(&self) -> u64 {
        self.bulletin().map_or(0, |bulletin| bulletin.as_of_ms)
    }

    /// When it was revised last, if it was.
    fn revised_ms(&self) -> Option<u64> {
        (self.versions > 1).then_some(self.changed_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let bound = Bound { objections: 1, characters: 3 };
        assert_eq!((bound.cut("没有计入").as_str(), bound.cut("没计入").as_str()), ("没有计…", "没计入"));
    }
}
