//! Like needs of several counties, added up (F073), and the draft of the joint one.
//!
//! A need is a demand that is open (published, matched, in talks or met in part, or under a word that is no state), or a
//! county's own pooled need. It belongs to the first *topic* of `survey/topics.toml` of which a word stands in its
//! category, name or industries; where none does, to one pool for each group of industries (three digits) that it names,
//! together with demands of the same category. In each pool a need counts once, and its figures add up by [`figure`].
//!
//! A pooled need whose source begins with [`MADE_OF`] is itself a sum: it is no need, and what it names is added nowhere
//! else as long as it counts. So publishing a draft does not make the same need count twice.
//!
//! It takes two rounds over the records: [`Made`] takes the pooled needs, and becomes the [`Pools`] that take all.

mod draft;
mod figure;
mod need;
mod topic;

use std::collections::{BTreeMap, BTreeSet};

pub use draft::Draft;
pub use figure::{Figure, Sum, Sums};
pub use topic::{Topic, Topics, topics};

use super::industry::{self, Industry};
use super::place::{self, Division, Region, whereabouts};
use super::{Counted, Source, Sources};
use crate::identity::EntryId;
use crate::kind::{KindSet, normalise_header};
use crate::limits::{POOL_SOURCES_MAX, SURVEY_SHOWN_MAX};
use crate::view::Label;
use need::Read;

/// The kind of the first round.
pub const POOLED: &str = "pooled_need";
/// The kinds of the second round.
pub const KINDS: [&str; 2] = [DEMAND, POOLED];
/// How the source of a pooled need begins that is a sum; behind it the labels of what it is made of.
pub const MADE_OF: &str = "汇集自：";
/// What stands between those labels.
pub const LABEL_SEPARATOR: &str = "、";

const DEMAND: &str = "demand";

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Only needs of counties in it.
    pub region: Option<Region>,
    /// Only pools whose topic, category or industry holds this text.
    pub words: Option<String>,
    /// Only pools of so many counties.
    pub counties_min: usize,
    /// Most pools of the answer.
    pub lines: usize,
    /// The time of the question.
    pub as_of_ms: u64,
}

/// What a pool is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// A topic, by its identifier.
    Topic(String),
    /// A category of demands and a group of industries.
    Industry(String, String),
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Pools: those of most counties first, then those of most needs; topics before industries.
    pub pools: Vec<Pool>,
    /// How many there are in all.
    pub total: usize,
    /// Needs that are in a pool already.
    pub already: usize,
    /// The pooled needs that hold them.
    pub made: Sources,
    /// Needs of which neither topic nor industry is known.
    pub without_subject: Sources,
    /// Needs of which no county is known.
    pub without_place: Sources,
    /// Needs that are met, expired or not published yet.
    pub not_open: usize,
}

/// Like needs of several counties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The topic, by identifier and in Chinese and English.
    pub topic: Option<(String, String, String)>,
    /// The category, of a pool by industry.
    pub category: Option<String>,
    /// The group of industries, of a pool by industry.
    pub industry: Option<Industry>,
    /// The counties.
    pub counties: Vec<Division>,
    /// The needs.
    pub needs: usize,
    /// The first of them: of a topic at most [`POOL_SOURCES_MAX`], else [`SURVEY_SHOWN_MAX`].
    pub sources: Vec<NeedSource>,
    /// What adds up.
    pub sums: Vec<Sum>,
    /// Needs without any figure that could be added.
    pub without_figure: usize,
    /// The draft of the joint need, of a topic.
    pub draft: Option<Draft>,
}

/// A need of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedSource {
    /// Its record.
    pub source: Source,
    /// Its counties.
    pub counties: Vec<Division>,
    /// Its figures, as their author wrote them.
    pub figures: Vec<String>,
}

/// What pooled needs hold already, while they are handed in.
#[derive(Debug, Clone)]
pub struct Made {
    question: Question,
    held: BTreeMap<Label, EntryId>,
    made: Sources,
    ids: BTreeSet<EntryId>,
}

/// The pools while needs are handed in.
#[derive(Debug, Clone)]
pub struct Pools {
    question: Question,
    held: BTreeMap<Label, EntryId>,
    made: BTreeSet<EntryId>,
    pools: BTreeMap<Subject, Filling>,
    answer: Answer,
}

/// A pool while it is filled.
#[derive(Debug, Clone, Default)]
struct Filling {
    counties: BTreeSet<String>,
    needs: usize,
    sources: Vec<NeedSource>,
    sums: Sums,
    without_figure: usize,
    goods: BTreeSet<String>,
}

impl Made {
    /// Before the first record.
    pub fn new(question: Question) -> Self {
        Self { question, held: BTreeMap::new(), made: Sources::default(), ids: BTreeSet::new() }
    }

    /// Takes in a pooled need; a record of another kind says nothing.
    pub fn take(&mut self, record: &Counted<'_>) {
        if record.kind.name() != POOLED {
            return;
        }
        let Some(labels) = record.texts("source").next().and_then(|text| text.strip_prefix(MADE_OF)) else { return };
        self.made.add(record);
        self.ids.insert(record.state.id);
        let labels = labels.split(LABEL_SEPARATOR).filter_map(|label| label.trim().parse().ok());
        self.held.extend(labels.map(|label| (label, record.state.id)));
    }

    /// What the second round fills.
    pub fn into_pools(self) -> Pools {
        let Self { question, held, made, ids } = self;
        Pools { question, held, made: ids, pools: BTreeMap::new(), answer: Answer { made, ..Answer::default() } }
    }
}

impl Pools {
    /// Takes in a need; a record of another kind says nothing.
    pub fn take(&mut self, record: &Counted<'_>, kinds: &KindSet) {
        if !KINDS.contains(&record.kind.name()) || self.made.contains(&record.state.id) {
            return;
        }
        let need = match need::read(record, kinds, self.question.as_of_ms) {
            Read::Need(need) => need,
            Read::NotOpen => {
                self.answer.not_open += 1;
                return;
            }
            Read::NoSubject => {
                self.answer.without_subject.add(record);
                return;
            }
        };
        let found = whereabouts(record);
        if found.counties.is_empty() {
            self.answer.without_place.add(record);
            return;
        }
        let within = |region: &Region| found.counties.iter().any(|county| region.holds(county));
        if !self.question.region.as_ref().is_none_or(within) {
            return;
        }
        if self.held.contains_key(&record.state.label) {
            self.answer.already += 1;
            return;
        }
        for subject in &need.subjects {
            // Only the draft of a topic must name every one of them.
            let sources_max = if subject.topic().is_some() { POOL_SOURCES_MAX } else { SURVEY_SHOWN_MAX };
            self.pools.entry(subject.clone()).or_default().add(record, &need, &found.counties, sources_max);
        }
    }

    /// The answer.
    pub fn finish(self, kinds: &KindSet) -> Answer {
        let Self { question, pools, mut answer, .. } = self;
        let words = question.words.as_deref().map(normalise_header);
        let wanted = |subject: &Subject, pool: &Filling| {
            pool.counties.len() >= question.counties_min
                && words.as_deref().is_none_or(|words| subject.words().contains(words))
        };
        let mut found: Vec<_> = pools.into_iter().filter(|(subject, pool)| wanted(subject, pool)).collect();
        found.sort_by_key(|(subject, pool)| {
            let by_industry = matches!(subject, Subject::Industry(..));
            (by_industry, std::cmp::Reverse((pool.counties.len(), pool.needs)))
        });
        answer.total = found.len();
        let pool = |(subject, pool): (Subject, Filling)| pool.finish(subject, kinds, question.as_of_ms);
        answer.pools = found.into_iter().take(question.lines).map(pool).collect();
        answer
    }
}

impl Subject {
    fn topic(&self) -> Option<&'static Topic> {
        match self {
            Self::Topic(name) => topics().topics.iter().find(|topic| topic.name == *name),
            Self::Industry(..) => None,
        }
    }

    /// Everything by which a pool can be asked for, in the form in which texts are compared.
    fn words(&self) -> String {
        let words = match (self, self.topic()) {
            (_, Some(topic)) => format!("{}\n{}\n{}\n{}", topic.name, topic.zh, topic.en, topic.words.join("\n")),
            (Self::Industry(category, group), _) => {
                format!("{category}\n{group}\n{}", industry::industry(group).name)
            }
            (Self::Topic(name), None) => name.clone(),
        };
        words.lines().map(normalise_header).collect::<Vec<_>>().join("\n")
    }
}

impl Filling {
    fn add(&mut self, record: &Counted<'_>, need: &need::Need, counties: &BTreeSet<String>, sources_max: usize) {
        self.needs += 1;
        self.counties.extend(counties.iter().cloned());
        need.figures.iter().for_each(|figure| self.sums.add(figure));
        self.without_figure += usize::from(need.figures.is_empty());
        if self.sources.len() < sources_max {
            self.goods.extend(need.goods.iter().cloned());
            self.sources.push(NeedSource {
                source: record.source(),
                counties: counties.iter().map(|county| place::division(county)).collect(),
                figures: need.figures.iter().map(|figure| figure.text.clone()).collect(),
            });
        }
    }

    fn finish(self, subject: Subject, kinds: &KindSet, as_of_ms: u64) -> Pool {
        let (topic, sums) = (subject.topic(), self.sums.finish());
        let draft = topic.and_then(|topic| draft::draft(topic, &self, &sums, kinds, as_of_ms));
        let (category, group) = match subject {
            Subject::Industry(category, group) => (Some(category), Some(group)),
            Subject::Topic(_) => (None, None),
        };
        Pool {
            topic: topic.map(|topic| (topic.name.clone(), topic.zh.clone(), topic.en.clone())),
            category,
            industry: group.as_deref().map(industry::industry),
            counties: self.counties.iter().map(|county| place::division(county)).collect(),
            needs: self.needs,
            sources: self.sources,
            sums,
            without_figure: self.without_figure,
            draft,
        }
    }
}
