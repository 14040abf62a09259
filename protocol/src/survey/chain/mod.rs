//! Missing links of an industrial chain (F028): which a place lacks, and in which counties near it they exist.
//!
//! What a chain is made of is said by records of the kind `industry_chain`: `node_names` and, one for each,
//! `node_states` (强, 弱, 缺) and perhaps `node_industry_codes`; `node_links` say which lies before which. Chains with
//! one name, the endings 产业链, 链条, 链 and 产业 left aside, are one. Its *links* are the nodes that the records of the
//! place asked for name; where none does, those that anybody names. Nodes with one code, or with one name, are one.
//!
//! Whether a link is there is seen in other records, [`evidence`]: by their codes, and by names where there are none.
//! What a county says of its own chain stands beside it; neither changes the other.
//!
//! It takes two rounds over the records: [`Atlas`] takes the chains, and becomes the [`Evidence`] that takes the rest.

mod evidence;

use std::collections::{BTreeMap, BTreeSet};

pub use evidence::{EVIDENCE_KINDS, Evidence};

use super::industry::{self, Industry};
use super::place::{Division, Nearness, Region, whereabouts};
use super::{Counted, Sources};
use crate::identity::EntryId;
use crate::kind::normalise_header;

/// The kind of the first round.
pub const CHAIN_KIND: &str = "industry_chain";
/// What the name of a chain may end in.
const ENDINGS: [&str; 4] = ["产业链", "链条", "链", "产业"];
/// What stands between two nodes in `node_links`.
const BEFORE: [char; 3] = ['>', '→', '＞'];

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// The place whose links are looked at; `None` for the whole federation.
    pub region: Option<Region>,
    /// Only chains whose name holds this.
    pub chain: Option<String>,
    /// Most chains of the answer.
    pub lines: usize,
    /// The time of the question.
    pub as_of_ms: u64,
}

/// What counties say of a node of theirs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stated {
    /// Strong.
    pub strong: usize,
    /// Weak.
    pub weak: usize,
    /// Missing.
    pub missing: usize,
}

/// Whether a link is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No record shows it.
    Missing,
    /// Only projects that have not been signed yet.
    Planned,
    /// There is at least one.
    Present,
}

impl Verdict {
    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Planned => "planned",
            Self::Present => "present",
        }
    }
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The chains: those with most records in the place first, then by name.
    pub chains: Vec<Chain>,
    /// How many there are in all.
    pub total: usize,
    /// Chains of which no division is known; they are of no place.
    pub without_place: Sources,
    /// Records of the second round that show a link and of which no county is known.
    pub evidence_without_place: Sources,
}

/// A chain in the place that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name as its first record writes it.
    pub name: String,
    /// Its records in the place.
    pub here: Sources,
    /// Its records elsewhere.
    pub elsewhere: usize,
    /// Target firms that name one of its records.
    pub targets: usize,
    /// Its links, in the order in which they are named.
    pub links: Vec<Link>,
}

/// A link of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it is called.
    pub name: String,
    /// Its industry, where one is known.
    pub industry: Option<Industry>,
    /// What the counties of the place say of it.
    pub stated: Stated,
    /// Whether it is there.
    pub verdict: Verdict,
    /// Records in the place that show it.
    pub here: Sources,
    /// Projects in the place that are not signed yet and would bring it.
    pub planned: Sources,
    /// Target firms of the place that would bring it.
    pub targets: Sources,
    /// Links before it, by name.
    pub before: Vec<String>,
    /// Links behind it, by name.
    pub behind: Vec<String>,
    /// Counties outside where it is, nearest first; told of links that are not there.
    pub elsewhere: Vec<Elsewhere>,
    /// How many such counties there are.
    pub elsewhere_total: usize,
}

/// A county that has a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The county.
    pub county: Division,
    /// How near it is.
    pub nearness: Nearness,
    /// Records there that show the link.
    pub sources: Sources,
    /// What it says of the link itself: strong, or weak.
    pub stated: Stated,
}

/// The chains while they are handed in.
#[derive(Debug, Clone)]
pub struct Atlas {
    question: Question,
    chains: BTreeMap<String, Named>,
    without_place: Sources,
}

/// A chain as its records name it.
#[derive(Debug, Clone, Default)]
struct Named {
    name: String,
    here: Sources,
    elsewhere: usize,
    /// Its records, and whether each is of the place.
    records: BTreeMap<EntryId, bool>,
    nodes: Vec<Node>,
    /// Names of nodes, the one before and the one behind.
    order: BTreeSet<(String, String)>,
}

/// A node as one record names it.
#[derive(Debug, Clone)]
struct Node {
    name: String,
    code: Option<String>,
    state: Option<State>,
    /// Counties of the record.
    counties: BTreeSet<String>,
    /// Whether the record is of the place.
    here: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Strong,
    Weak,
    Missing,
}

impl Stated {
    fn add(&mut self, state: Option<State>) {
        match state {
            Some(State::Strong) => self.strong += 1,
            Some(State::Weak) => self.weak += 1,
            Some(State::Missing) => self.missing += 1,
            None => {}
        }
    }
}

impl Atlas {
    /// An atlas without chains.
    pub fn new(question: Question) -> Self {
        Self { question, chains: BTreeMap::new(), without_place: Sources::default() }
    }

    /// Takes in a chain; a record of another kind says nothing.
    pub fn take(&mut self, record: &Counted<'_>) {
        if record.kind.name() != CHAIN_KIND {
            return;
        }
        let title = record.kind.title(&record.state.fields);
        let key = key_of(&title);
        let wanted = self.question.chain.as_deref().map(key_of);
        if wanted.is_some_and(|wanted| !key.contains(&wanted)) {
            return;
        }
        let found = whereabouts(record);
        let here = match &self.question.region {
            None => true,
            Some(region) => found.counties.iter().chain(&found.wide).any(|code| region.holds(code)),
        };
        if found.is_nowhere() {
            self.without_place.add(record);
        }
        let chain = self.chains.entry(key).or_default();
        if chain.name.is_empty() || (here && chain.here.records == 0) {
            chain.name = title;
        }
        match here {
            true => chain.here.add(record),
            false => chain.elsewhere += 1,
        }
        chain.records.insert(record.state.id, here);
        chain.nodes.extend(nodes(record, &found.counties, here));
        chain.order.extend(record.texts("node_links").filter_map(|text| {
            let (before, behind) = text.split_once(BEFORE)?;
            Some((normalise_header(before), normalise_header(behind)))
        }));
    }

    /// What the second round fills: the chains of the place, or, where one is asked for by name, all of that name.
    pub fn into_evidence(self) -> Evidence {
        let Self { question, mut chains, without_place } = self;
        let named = question.chain.is_some();
        chains.retain(|_, chain| named || chain.here.records > 0);
        let (total, mut chains) = (chains.len(), chains.into_values().collect::<Vec<_>>());
        // The sort is stable: what is equal stays in the order of the names.
        chains.sort_by_key(|chain| std::cmp::Reverse(chain.here.records));
        let chains = chains.into_iter().take(question.lines).map(Named::into_chain).collect();
        Evidence::new(question, chains, Answer { total, without_place, ..Answer::default() })
    }
}

fn nodes(record: &Counted<'_>, counties: &BTreeSet<String>, here: bool) -> Vec<Node> {
    let states: Vec<&str> = record.texts("node_states").collect();
    let codes: Vec<&str> = record.codes("node_industry_codes").collect();
    let state = |place: usize| match states.get(place).copied() {
        Some("强") => Some(State::Strong),
        Some("弱") => Some(State::Weak),
        Some("缺") => Some(State::Missing),
        _ => None,
    };
    let node = |(place, name): (usize, &str)| Node {
        name: name.trim().to_owned(),
        code: codes.get(place).copied().or_else(|| industry::named(name)).map(str::to_owned),
        state: state(place),
        counties: counties.clone(),
        here,
    };
    record.texts("node_names").enumerate().map(node).collect()
}

/// What two names of a chain have in common when they mean the same.
fn key_of(name: &str) -> String {
    let name = normalise_header(name);
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending).filter(|stem| !stem.is_empty()));
    stem.map_or_else(|| name.clone(), str::to_owned)
}

impl Named {
    /// The chain with its links: nodes of one code or one name are one.
    fn into_chain(self) -> evidence::Filling {
        let Self { name, here, elsewhere, records, nodes, order } = self;
        // Where nobody of the place names the chain, what others name is looked at.
        let only_here = here.records > 0;
        let mut codes: BTreeMap<String, String> = BTreeMap::new();
        for node in &nodes {
            if let Some(code) = &node.code {
                codes.entry(normalise_header(&node.name)).or_insert_with(|| code.clone());
            }
        }
        let mut links: Vec<evidence::LinkFilling> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let in_order = nodes.iter().filter(|node| node.here).chain(nodes.iter().filter(|node| !node.here));
        for node in in_order {
            let plain = normalise_header(&node.name);
            let code = node.code.as_ref().or_else(|| codes.get(&plain));
            let key = code.cloned().unwrap_or_else(|| plain.clone());
            let place = match places.get(&key) {
                Some(place) => *place,
                None if only_here && !node.here => continue,
                None => {
                    links.push(evidence::LinkFilling::new(&node.name, code.cloned()));
                    places.insert(key, links.len() - 1);
                    links.len() - 1
                }
            };
            if let Some(link) = links.get_mut(place) {
                link.name_by(plain);
                link.state(node);
            }
        }
        let records = records.into_iter().filter(|(_, of_place)| *of_place || !only_here).map(|(id, _)| id).collect();
        evidence::Filling { name, here, elsewhere, records, links, order, targets: 0 }
    }
}
