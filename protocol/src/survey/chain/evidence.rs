//! Records that show a link of a chain.
//!
//! A record shows a link when one of its industries lies in the link's; where the record states no industry, or the link
//! has none, when a name of the link stands in its title, its industries or its product. A project shows that a link is
//! there once it is signed, and that it is planned before; a resource unless it is out of service; an investment case
//! until its exit. Target firms show what could be brought.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;

use super::{Answer, Chain, Elsewhere, Link, Node, Question, State, Stated, Verdict};
use crate::identity::EntryId;
use crate::kind::normalise_header;
use crate::limits::SURVEY_SHOWN_MAX;
use crate::survey::place::{self, Nearness, whereabouts};
use crate::survey::{Counted, Sources, Surrounding, industry};

/// The kinds of the second round.
pub const EVIDENCE_KINDS: [&str; 4] = ["project", "resource", "investment_case", TARGET];

const TARGET: &str = "target_enterprise";
/// States in which a record shows nothing any more.
const GONE: [&str; 5] = ["transferred", "dropped", "exiting", "zombie", "stopped"];
/// States of a project that is not signed yet.
const PLANNED: [&str; 5] = ["planned", "lead", "negotiating", "deciding", "offered"];
/// Fields in which the name of a link is looked for, beside the title.
const TEXT_FIELDS: [&str; 2] = ["industries", "product"];
/// Shortest name that is looked for in texts: one character means too much.
const NAME_CHARACTERS_MIN: usize = 2;

/// A chain while its links are filled.
#[derive(Debug, Clone)]
pub(super) struct Filling {
    pub(super) name: String,
    pub(super) here: Sources,
    pub(super) elsewhere: usize,
    pub(super) records: BTreeSet<EntryId>,
    pub(super) links: Vec<LinkFilling>,
    pub(super) order: BTreeSet<(String, String)>,
    pub(super) targets: usize,
}

/// A link while it is filled.
#[derive(Debug, Clone)]
pub(super) struct LinkFilling {
    name: String,
    code: Option<String>,
    /// Every name of it, as names are compared.
    names: BTreeSet<String>,
    stated: Stated,
    here: Sources,
    planned: Sources,
    targets: Sources,
    elsewhere: BTreeMap<String, (Sources, Stated)>,
}

/// What a record says of the links that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    Present,
    Planned,
    Target,
}

/// The links while records are handed in.
#[derive(Debug, Clone)]
pub struct Evidence {
    question: Question,
    chains: Vec<Filling>,
    /// Links by chain and place in it, by the code that each has.
    by_code: BTreeMap<String, Vec<(usize, usize)>>,
    /// Those whose code is a section, which no other code begins with.
    by_section: BTreeMap<String, Vec<(usize, usize)>>,
    /// Names of links, and for each pattern the link and whether it has a code.
    names: Option<AhoCorasick>,
    named: Vec<((usize, usize), bool)>,
    answer: Answer,
}

impl LinkFilling {
    pub(super) fn new(name: &str, code: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            code,
            names: BTreeSet::new(),
            stated: Stated::default(),
            here: Sources::default(),
            planned: Sources::default(),
            targets: Sources::default(),
            elsewhere: BTreeMap::new(),
        }
    }

    pub(super) fn name_by(&mut self, name: String) {
        self.names.insert(name);
    }

    /// Takes in what a record of the chain says of it.
    pub(super) fn state(&mut self, node: &Node) {
        if node.here {
            self.stated.add(node.state);
            return;
        }
        // What a county says that it has exists there; that it lacks it says nothing to others.
        let exists = matches!(node.state, Some(State::Strong | State::Weak));
        for county in node.counties.iter().filter(|_| exists) {
            self.elsewhere.entry(county.clone()).or_default().1.add(node.state);
        }
    }
}

impl Evidence {
    pub(super) fn new(question: Question, chains: Vec<Filling>, answer: Answer) -> Self {
        let mut by_code: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        let mut by_section: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        let (mut patterns, mut named) = (Vec::new(), Vec::new());
        for (chain, filling) in chains.iter().enumerate() {
            for (link, found) in filling.links.iter().enumerate() {
                if let Some(code) = &found.code {
                    let is_section = code.starts_with(|c: char| c.is_ascii_alphabetic());
                    let by = if is_section { &mut by_section } else { &mut by_code };
                    by.entry(code.clone()).or_default().push((chain, link));
                }
                for name in found.names.iter().filter(|name| name.chars().count() >= NAME_CHARACTERS_MIN) {
                    patterns.push(name.clone());
                    named.push(((chain, link), found.code.is_some()));
                }
            }
        }
        // Beyond what such a machine takes, only codes are looked at; no real atlas comes near.
        let names = if patterns.is_empty() { None } else { AhoCorasick::new(&patterns).ok() };
        Self { question, chains, by_code, by_section, names, named, answer }
    }

    /// Takes in a record; one of another kind says nothing.
    pub fn take(&mut self, record: &Counted<'_>, surrounding: &dyn Surrounding) {
        let kind = record.kind.name();
        if !EVIDENCE_KINDS.contains(&kind) {
            return;
        }
        let state = record.state_at(self.question.as_of_ms);
        let gone = state.is_some_and(|state| GONE.contains(&state)) || record.date("exited_on").is_some();
        if gone {
            return;
        }
        let shows = match state {
            _ if kind == TARGET => Shows::Target,
            Some(state) if PLANNED.contains(&state) => Shows::Planned,
            _ => Shows::Present,
        };
        if shows == Shows::Target {
            let courted: BTreeSet<EntryId> = record.linked("chains", surrounding).collect();
            for chain in self.chains.iter_mut().filter(|chain| !chain.records.is_disjoint(&courted)) {
                chain.targets += 1;
            }
        }
        let links = self.links_shown(record);
        if links.is_empty() {
            return;
        }
        let found = whereabouts(record);
        if found.counties.is_empty() {
            self.answer.evidence_without_place.add(record);
            return;
        }
        for (chain, link) in links {
            if let Some(link) = self.chains.get_mut(chain).and_then(|chain| chain.links.get_mut(link)) {
                link.fill(record, &found.counties, shows, &self.question);
            }
        }
    }

    /// The links that a record shows, wherever it is.
    fn links_shown(&self, record: &Counted<'_>) -> BTreeSet<(usize, usize)> {
        let mut found = BTreeSet::new();
        let codes: Vec<&str> = record.codes("industry_codes").collect();
        for code in &codes {
            let wider = (1..=code.len()).filter_map(|length| self.by_code.get(code.get(..length)?));
            found.extend(wider.flatten());
            let sections = self.by_section.iter().filter(|(section, _)| industry::covers(section, code));
            found.extend(sections.flat_map(|(_, links)| links));
        }
        let Some(names) = &self.names else { return found };
        let mut text = normalise_header(&record.kind.title(&record.state.fields));
        for field in TEXT_FIELDS {
            for element in record.texts(field) {
                text.push('\n');
                text.push_str(&normalise_header(element));
            }
        }
        for hit in names.find_overlapping_iter(&text) {
            if let Some((link, has_code)) = self.named.get(hit.pattern().as_usize())
                && (codes.is_empty() || !has_code)
            {
                found.insert(*link);
            }
        }
        found
    }

    /// The answer.
    pub fn finish(self) -> Answer {
        let Self { question, chains, mut answer, .. } = self;
        answer.chains = chains.into_iter().map(|chain| chain.finish(&question)).collect();
        answer
    }
}

impl LinkFilling {
    fn fill(&mut self, record: &Counted<'_>, counties: &BTreeSet<String>, shows: Shows, question: &Question) {
        let is_here = |county: &&String| question.region.as_ref().is_none_or(|region| region.holds(county));
        if counties.iter().any(|county| is_here(&county)) {
            match shows {
                Shows::Present => self.here.add(record),
                Shows::Planned => self.planned.add(record),
                Shows::Target => self.targets.add(record),
            }
        }
        if shows == Shows::Present {
            for county in counties.iter().filter(|county| !is_here(county)) {
                self.elsewhere.entry(county.clone()).or_default().0.add(record);
            }
        }
    }

    fn finish(self, names: &BTreeMap<String, String>, order: &BTreeSet<(String, String)>, question: &Question) -> Link {
        let verdict = match (self.here.records, self.planned.records) {
            (0, 0) => Verdict::Missing,
            (0, _) => Verdict::Planned,
            _ => Verdict::Present,
        };
        let lacking = verdict != Verdict::Present || self.stated.missing > 0;
        let outside = if lacking { self.elsewhere } else { BTreeMap::new() };
        let nearness =
            |county: &str| question.region.as_ref().map_or(Nearness::Elsewhere, |region| region.nearness(county));
        let mut elsewhere: Vec<Elsewhere> = outside
            .into_iter()
            .map(|(county, (sources, stated))| Elsewhere {
                nearness: nearness(&county),
                county: place::division(&county),
                sources,
                stated,
            })
            .collect();
        elsewhere.sort_by_key(|there| (there.nearness, std::cmp::Reverse(there.sources.records)));
        let elsewhere_total = elsewhere.len();
        elsewhere.truncate(SURVEY_SHOWN_MAX);
        let name = |plain: &String| names.get(plain).unwrap_or(plain).clone();
        let before = order.iter().filter(|(_, behind)| self.names.contains(behind)).map(|(before, _)| name(before));
        let behind = order.iter().filter(|(before, _)| self.names.contains(before)).map(|(_, behind)| name(behind));
        Link {
            before: before.collect(),
            behind: behind.collect(),
            name: self.name,
            industry: self.code.as_deref().map(industry::industry),
            stated: self.stated,
            verdict,
            here: self.here,
            planned: self.planned,
            targets: self.targets,
            elsewhere,
            elsewhere_total,
        }
    }
}

impl Filling {
    fn finish(self, question: &Question) -> Chain {
        let Self { name, here, elsewhere, links, order, targets, .. } = self;
        let each = links.iter().flat_map(|link| link.names.iter().map(|plain| (plain.clone(), link.name.clone())));
        let names: BTreeMap<String, String> = each.collect();
        let links = links.into_iter().map(|link| link.finish(&names, &order, question)).collect();
        Chain { name, here, elsewhere, targets, links }
    }
}
