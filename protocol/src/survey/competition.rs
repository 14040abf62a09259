//! Homogeneous competition: which counties of one prefecture state the same industry, by four digits (F077).
//!
//! A county states an industry by a record of one of the kinds in [`STATEMENTS`], as long as it stands: a project that
//! was dropped or a demand that expired states nothing more. However many records say so, a county counts once. A code
//! of fewer digits counts where one class alone lies below it. What cannot be placed is counted beside.

use std::collections::{BTreeMap, BTreeSet};

use super::industry::{self, Industry, class_of};
use super::place::{self, Division, Region, prefecture_of, whereabouts};
use super::{Counted, Sources};

/// Kinds whose records state an industry of a county, the fields that hold it, and the states in which they no longer do.
const STATEMENTS: [(&str, &[&str], &[&str]); 5] = [
    ("county_profile", &["leading_industry_codes"], &[]),
    ("industry_chain", &["industry_codes", "node_industry_codes"], &[]),
    ("project", &["industry_codes"], &["transferred", "dropped", "exiting", "zombie"]),
    ("resource", &["industry_codes"], &["stopped"]),
    ("demand", &["industry_codes"], &["draft", "expired", "withdrawn"]),
];

/// The names of the kinds that are looked at.
pub fn kinds() -> Vec<&'static str> {
    STATEMENTS.iter().map(|(kind, ..)| *kind).collect()
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Only prefectures in it; of a county, only the industries that it states.
    pub region: Option<Region>,
    /// Only classes under this code.
    pub industry: Option<String>,
    /// Only industries that so many counties of a prefecture state.
    pub counties_min: usize,
    /// Most lines of the answer.
    pub lines: usize,
    /// The time of the question.
    pub as_of_ms: u64,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Industries of prefectures: those that most counties state first, then those with most records, then by code.
    pub lines: Vec<Line>,
    /// How many there are in all.
    pub total: usize,
    /// Records that state an industry and a county.
    pub placed: usize,
    /// Records that state no industry.
    pub without_industry: Sources,
    /// Records whose codes are wider than a class.
    pub wide_industry: Sources,
    /// Records of which no division is known.
    pub without_place: Sources,
    /// Records that speak of a prefecture or province as a whole.
    pub wide_place: Sources,
    /// Records that no longer stand.
    pub ended: usize,
}

/// One industry of one prefecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The prefecture, or what stands for one.
    pub prefecture: Division,
    /// The industry.
    pub industry: Industry,
    /// The counties that state it, those with most records first.
    pub counties: Vec<County>,
    /// Their records.
    pub records: usize,
}

/// A county that states an industry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct County {
    /// The county.
    pub county: Division,
    /// By which records.
    pub sources: Sources,
}

/// The survey while records are handed in.
#[derive(Debug, Clone)]
pub struct Competition {
    question: Question,
    /// By prefecture and class, then by county.
    stated: BTreeMap<(String, String), BTreeMap<String, Sources>>,
    answer: Answer,
}

impl Competition {
    /// A survey that has seen nothing.
    pub fn new(question: Question) -> Self {
        Self { question, stated: BTreeMap::new(), answer: Answer::default() }
    }

    /// Takes in a record; one of another kind says nothing.
    pub fn take(&mut self, record: &Counted<'_>) {
        let Some((_, fields, ended)) = STATEMENTS.iter().find(|(kind, ..)| *kind == record.kind.name()) else { return };
        if record.state_at(self.question.as_of_ms).is_some_and(|state| ended.contains(&state)) {
            self.answer.ended += 1;
            return;
        }
        let codes: Vec<&str> = fields.iter().flat_map(|field| record.codes(field)).collect();
        let classes: BTreeSet<String> = codes.iter().filter_map(|code| class_of(code)).collect();
        let found = whereabouts(record);
        let aside = match () {
            () if codes.is_empty() => Some(&mut self.answer.without_industry),
            () if classes.is_empty() => Some(&mut self.answer.wide_industry),
            () if found.is_nowhere() => Some(&mut self.answer.without_place),
            () if found.counties.is_empty() => Some(&mut self.answer.wide_place),
            () => None,
        };
        if let Some(aside) = aside {
            aside.add(record);
            return;
        }
        self.answer.placed += 1;
        let wanted: Vec<&String> = classes.iter().filter(|class| self.wants(class)).collect();
        for county in &found.counties {
            let prefecture = prefecture_of(county);
            for class in &wanted {
                let counties = self.stated.entry((prefecture.clone(), (*class).clone())).or_default();
                counties.entry(county.clone()).or_default().add(record);
            }
        }
    }

    fn wants(&self, class: &str) -> bool {
        self.question.industry.as_deref().is_none_or(|wide| industry::covers(wide, class))
    }

    /// The answer.
    pub fn finish(self) -> Answer {
        let Self { question, stated, mut answer } = self;
        let wanted = |counties: &BTreeMap<String, Sources>| {
            let within = |region: &Region| counties.keys().any(|county| region.holds(county));
            counties.len() >= question.counties_min && question.region.as_ref().is_none_or(within)
        };
        let mut found: Vec<_> = stated.into_iter().filter(|(_, counties)| wanted(counties)).collect();
        let records = |counties: &BTreeMap<String, Sources>| counties.values().map(|sources| sources.records).sum();
        // The sort is stable: what is equal stays in the order of the codes.
        found.sort_by_key(|(_, counties)| {
            let records: usize = records(counties);
            std::cmp::Reverse((counties.len(), records))
        });
        answer.total = found.len();
        let line = |((prefecture, class), counties): ((String, String), BTreeMap<String, Sources>)| Line {
            prefecture: place::division(&prefecture),
            industry: industry::industry(&class),
            records: records(&counties),
            counties: ranked(counties),
        };
        answer.lines = found.into_iter().take(question.lines).map(line).collect();
        answer
    }
}

fn ranked(counties: BTreeMap<String, Sources>) -> Vec<County> {
    let mut counties: Vec<County> =
        counties.into_iter().map(|(county, sources)| County { county: place::division(&county), sources }).collect();
    counties.sort_by_key(|county| std::cmp::Reverse(county.sources.records));
    counties
}
