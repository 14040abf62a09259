//! Asking the index, and reading each hit again: what a reader is shown stands now.

use std::collections::BTreeMap;

use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::{Kind, KindSet, codes};

use super::passages::passages;
use super::question::{FACETS, Question};
use super::{FindingError, PAGE_FOUND_MAX, PAGE_PASSES_MAX, PAGE_READ_MAX};
use crate::api::types::{FacetCount, FacetView, FoundRecord, LagView, SearchAnswer};
use crate::core::Core;
use crate::derive::document::{deadline, document};
use crate::derive::{Derived, Lag};
use crate::records::look::{Look, look};
use crate::records::render::{Renderer, confidential, field_value, kind_name, kind_name_zh};
use crate::records::{Coverage, state_view};
use crate::search::{Cursor, Facet, FacetCounts, Highlighter, Hit, Limit, Query, Results, SearchIndex};

/// The table of divisions.
const DIVISIONS: &str = "gbt2260";

/// Which page of the answer is wanted, and what is counted.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Records of the page; 1 to [`PAGE_FOUND_MAX`].
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
    /// What is counted over all that is found.
    pub facets: Vec<Facet>,
}

/// What an answer needs.
#[derive(Clone, Copy)]
pub struct Finder<'a> {
    /// The heart of the node.
    pub core: &'a Core,
    /// The kinds in use.
    pub kinds: &'a KindSet,
    /// The index and how far it is.
    pub derived: &'a Derived,
}

impl Finder<'_> {
    /// Answers a question. Blocks: it reads the index and bodies from the disk.
    ///
    /// # Errors
    /// When the index is not ready or fails, or the question names what no table has.
    pub fn answer(&self, question: &Question, page: &Page) -> Result<SearchAnswer, FindingError> {
        let begun = std::time::Instant::now();
        let index = self.derived.index().ok_or(FindingError::NotReady)?;
        let as_of_ms = self.core.as_of_ms();
        let limit = page.limit.clamp(1, PAGE_FOUND_MAX);
        let mut query = Query { cursor: page.cursor, facets: page.facets.clone(), ..question.query.clone() };
        let (mut kept, mut read, mut first): (Vec<Kept>, usize, Option<Results>) = (Vec::new(), 0, None);
        let mut passes = 0;
        let next = loop {
            passes += 1;
            query.limit = Limit(limit - kept.len());
            let results = self.ask(&index, &query, as_of_ms)?;
            read += results.hits.len();
            kept.extend(self.read(question, &results.hits, as_of_ms));
            query.cursor = results.next;
            query.facets.clear();
            let ended = results.next.is_none() || results.hits.is_empty();
            first.get_or_insert(results);
            if ended || kept.len() >= limit || read >= PAGE_READ_MAX || passes >= PAGE_PASSES_MAX {
                break query.cursor;
            }
        };
        let results = first.unwrap_or_default();
        let left_out = read - kept.len();
        Ok(SearchAnswer {
            records: self.render(question, kept, as_of_ms),
            total: results.total,
            screened: question.is_screened(),
            next: next.map(|cursor| cursor.to_string()),
            facets: results.facets.iter().map(|counts| self.facet(counts)).collect(),
            did_you_mean: results.did_you_mean,
            relaxed: results.relaxed,
            left_out,
            lag: lag_view(&self.derived.lag(self.core)),
            as_of_ms,
            took_us: begun.elapsed().as_micros() as u64,
        })
    }

    /// The records among these that answer the question now.
    ///
    /// # Errors
    /// The same as of [`Self::answer`].
    pub fn among(&self, question: &Question, ids: Vec<EntryId>) -> Result<Vec<FoundRecord>, FindingError> {
        let index = self.derived.index().ok_or(FindingError::NotReady)?;
        let as_of_ms = self.core.as_of_ms();
        let mut query = Query { limit: Limit(ids.len()), cursor: None, ..question.query.clone() };
        query.filters.only = Some(ids);
        let results = self.ask(&index, &query, as_of_ms)?;
        // Where nothing has all the words, nothing new has come that was asked for.
        let hits = if results.relaxed { &[] } else { results.hits.as_slice() };
        Ok(self.render(question, self.read(question, hits, as_of_ms), as_of_ms))
    }

    fn ask(&self, index: &SearchIndex, query: &Query, as_of_ms: u64) -> Result<Results, FindingError> {
        Ok(index.search(query, as_of_ms)?)
    }

    /// Reads hits again, and leaves out what is gone or does not meet the conditions.
    fn read(&self, question: &Question, hits: &[Hit], as_of_ms: u64) -> Vec<Kept> {
        let ids: Vec<EntryId> = hits.iter().map(|hit| hit.id).collect();
        let looked = look(self.core, self.kinds, &ids, as_of_ms);
        let keep = |(looked, hit): (crate::records::look::Looked, &Hit)| {
            let look = looked.look?;
            // What the index would not take in any more is gone.
            let divisions = document(self.kinds, &look, as_of_ms)?.divisions;
            let unknown = question.conditions.unknown(self.kinds, &look.seen.state, as_of_ms)?;
            Some(Kept { look, divisions, unknown, score_milli: hit.score_milli })
        };
        looked.into_iter().zip(hits).filter_map(keep).collect()
    }

    fn render(&self, question: &Question, kept: Vec<Kept>, as_of_ms: u64) -> Vec<FoundRecord> {
        let highlighter = Highlighter::new(&question.query);
        let renderer = Renderer::new(self.core, self.kinds, kept.iter().map(|kept| kept.look.owner.number));
        kept.into_iter().map(|kept| self.record(&highlighter, &renderer, kept, as_of_ms)).collect()
    }

    fn record(&self, highlighter: &Highlighter, renderer: &Renderer<'_>, kept: Kept, as_of_ms: u64) -> FoundRecord {
        let Kept { look, divisions, unknown, score_milli } = kept;
        let state = &look.seen.state;
        let kind = self.kinds.kind(state.kind);
        let title = kind.map(|kind| kind.title(&state.fields)).unwrap_or_default();
        let place = divisions.first().and_then(|code| codes::table(DIVISIONS)?.full_name(code));
        let lifecycle = kind.and_then(Kind::lifecycle);
        FoundRecord {
            id: state.id.to_string(),
            label: state.label.to_string(),
            kind: kind_name(self.kinds, state.kind),
            kind_zh: kind_name_zh(self.kinds, state.kind),
            owner: renderer.member(look.owner.number),
            external: state.external.clone(),
            why: passages(highlighter, kind, &look, &title, place.as_deref()),
            title,
            place,
            state: lifecycle
                .map(|lifecycle| state_view(lifecycle, &state.fields, look.found.judged.since_ms, as_of_ms)),
            deadline: kind.and_then(|kind| deadline(kind, state)).map(|date| date.to_string()),
            fields: state.fields.iter().map(|(number, value)| field_value(kind, *number, value)).collect(),
            created_ms: state.created_ms,
            changed_ms: state.changed_ms,
            counts: look.found.coverage == Coverage::Counts,
            confidential: look.seen.confidential.as_ref().map(confidential),
            unknown,
            score_milli,
        }
    }

    /// A facet with names beside its codes and numbers.
    fn facet(&self, counts: &FacetCounts) -> FacetView {
        let (name, zh) = match &counts.facet {
            Facet::Field(field) => {
                let known = self.kinds.kinds().find_map(|kind| kind.field_named(field));
                (field.clone(), known.map_or_else(|| field.clone(), |known| known.zh.clone()))
            }
            other => {
                let name = facet_name(other);
                let zh = FACETS.iter().find(|(en, _)| *en == name).map_or(name, |(_, zh)| zh);
                (name.to_owned(), zh.to_owned())
            }
        };
        let members = self.member_names(counts);
        let values = counts.values.iter().map(|value| FacetCount {
            value: self.facet_value(&counts.facet, &value.value),
            label: self.facet_label(&counts.facet, &value.value, &members),
            count: value.count,
        });
        FacetView { name, zh, values: values.collect(), more: counts.more }
    }

    fn member_names(&self, counts: &FacetCounts) -> BTreeMap<String, String> {
        if counts.facet != Facet::Owner {
            return BTreeMap::new();
        }
        self.core.read(|state| {
            let members = state.replica.charter().members();
            let name = |number: &String| Some(members.get(&MemberNumber(number.parse().ok()?))?.name.clone());
            counts.values.iter().filter_map(|value| Some((value.value.clone(), name(&value.value)?))).collect()
        })
    }

    fn facet_value(&self, facet: &Facet, value: &str) -> String {
        match facet {
            Facet::Kind => value.parse().map_or_else(|_| value.to_owned(), |number| kind_name(self.kinds, number)),
            _ => value.to_owned(),
        }
    }

    fn facet_label(&self, facet: &Facet, value: &str, members: &BTreeMap<String, String>) -> String {
        let named = |table: &str| codes::table(table).and_then(|table| table.full_name(value));
        let label = match facet {
            Facet::Kind => value.parse().ok().map(|number| kind_name_zh(self.kinds, number)),
            Facet::Province | Facet::Prefecture | Facet::County => named(DIVISIONS),
            Facet::IndustrySection | Facet::IndustryDivision => {
                codes::table(codes::INDUSTRIES).and_then(|table| table.name_of(value)).map(str::to_owned)
            }
            Facet::OwnerClass => protocol::charter::Class::from_name(value).map(|class| class.zh().to_owned()),
            Facet::Owner => members.get(value).cloned(),
            Facet::Freshness => Some(format!("{value} 天内")),
            Facet::State | Facet::Field(_) | Facet::Fields => None,
        };
        label.unwrap_or_else(|| value.to_owned())
    }
}

/// A hit that stands.
struct Kept {
    look: Look,
    divisions: Vec<String>,
    unknown: Vec<String>,
    score_milli: u64,
}

fn facet_name(facet: &Facet) -> &'static str {
    match facet {
        Facet::Kind => "kind",
        Facet::Province => "province",
        Facet::Prefecture => "prefecture",
        Facet::County => "county",
        Facet::IndustrySection => "section",
        Facet::IndustryDivision => "industry",
        Facet::State => "state",
        Facet::OwnerClass => "class",
        Facet::Owner => "member",
        Facet::Freshness => "fresh",
        Facet::Field(_) | Facet::Fields => "fields",
    }
}

/// The lag for interfaces.
pub fn lag_view(lag: &Lag) -> LagView {
    LagView { state: lag.state.name().to_owned(), records: lag.records, ms: lag.ms }
}
