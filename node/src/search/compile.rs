//! From what is asked to what the index is asked.
//!
//! Each unit must be found in one of several ways, each with a weight of its own: as it stands, by the code of the
//! place or industry that it names, by a word of the same meaning, by its sound. What the dictionary says of the words
//! then only moves the order.

use std::collections::BTreeSet;

use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, PhraseQuery, Query as TantivyQuery,
    TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Score, Searcher, Term};

use super::error::SearchError;
use super::limits::{FILTER_VALUES_MAX, PREFIX_WORDS_MAX, SYNONYMS_MAX};
use super::names;
use super::plan::{Form, Plan, Unit};
use super::query::Filters;
use super::schema::Fields;
use super::tags::Tag;
use super::tokenizers::{initials_term, syllables_term};
use super::tokens::{Piece, find_terms, pieces, triples};
use super::words::{ranking_words, ranks};

/// How much it says that a unit is found in this way.
const AS_IT_STANDS: Score = 2.0;
const BY_PLACE: Score = 1.8;
const BY_SYNONYM: Score = 1.0;
const BY_BEGINNING: Score = 1.0;
const BY_INDUSTRY: Score = 0.8;
const BY_SOUND: Score = 0.8;
const BY_INITIALS: Score = 0.4;
/// How much it says that a whole run stands as it is typed.
const WHOLE_RUN: Score = 3.0;
/// How much the words of title and names weigh against those of the texts.
const TITLE: Score = 2.5;
const TEXT: Score = 1.0;
/// A word that more than one of so many records has in its texts is not weighed there.
const COMMON_PART: u64 = 16;

/// A question to tantivy.
type Question = Box<dyn TantivyQuery>;

/// Makes questions for one state of the index.
pub(super) struct Compiler<'a> {
    pub(super) fields: Fields,
    pub(super) searcher: &'a Searcher,
    /// Whether the order is by score. If not, nothing is asked that only moves scores.
    pub(super) scores: bool,
}

impl Compiler<'_> {
    /// What all units, or at least so many of them, are found in.
    pub(super) fn words(&self, plan: &Plan, at_least: usize) -> Result<Option<Question>, SearchError> {
        if plan.units.is_empty() {
            return Ok(None);
        }
        let mut units = Vec::new();
        for unit in &plan.units {
            units.push(self.unit(unit)?);
        }
        let found: Question = match at_least < units.len() {
            true => {
                let units = units.into_iter().map(|unit| (Occur::Should, unit)).collect();
                Box::new(BooleanQuery::with_minimum_required_clauses(units, at_least.max(1)))
            }
            false => all(units),
        };
        if !self.scores {
            return Ok(Some(found));
        }
        let mut clauses = vec![(Occur::Must, found)];
        clauses.extend(self.ranking(plan)?.into_iter().map(|question| (Occur::Should, question)));
        Ok(Some(Box::new(BooleanQuery::new(clauses))))
    }

    /// What one unit is found in.
    pub(super) fn unit(&self, unit: &Unit) -> Result<Question, SearchError> {
        let mut ways = Vec::new();
        match &unit.form {
            Form::Exact | Form::Run => ways.extend(self.text(&unit.text).map(|text| constant(text, AS_IT_STANDS))),
            Form::Word => self.push_word(&unit.text, &mut ways)?,
            Form::Syllables(words) => {
                let words = words.iter().filter_map(|word| self.text(word)).collect();
                ways.push(constant(all(words), AS_IT_STANDS));
            }
        }
        let divisions = unit.meaning.divisions.iter().map(|code| Tag::Division(names::division_stem(code)));
        ways.extend(self.tags(divisions).map(|question| constant(question, BY_PLACE)));
        let industries = unit.meaning.industries.iter().map(|code| Tag::Industry(code));
        ways.extend(self.tags(industries).map(|question| constant(question, BY_INDUSTRY)));
        let synonyms = unit.meaning.synonyms.iter().take(SYNONYMS_MAX).filter_map(|word| self.text(word)).collect();
        ways.extend(any(synonyms).map(|question| constant(question, BY_SYNONYM)));
        let spelled = Plan::spellings(unit).iter().map(|syllables| self.spelled(syllables)).collect();
        ways.extend(any(spelled).map(|question| constant(question, BY_SOUND)));
        if let Some(initials) = Plan::initials(unit) {
            ways.push(constant(self.initials(&initials), BY_INITIALS));
        }
        Ok(match (ways.pop(), ways.is_empty()) {
            (Some(only), true) => only,
            (last, _) => Box::new(DisjunctionMaxQuery::new(ways.into_iter().chain(last).collect())),
        })
    }

    /// A word of letters and digits: in texts, among the labels, and as the beginning of longer ones.
    fn push_word(&self, word: &str, ways: &mut Vec<Question>) -> Result<(), SearchError> {
        let fields = [self.fields.find, self.fields.title_words];
        let whole = fields.map(|field| term(field, word, IndexRecordOption::Basic));
        ways.extend(any(whole.into()).map(|question| constant(question, AS_IT_STANDS)));
        // A figure is no beginning of a longer one: 38 is not 3841.
        if ranks(word) && word.contains(char::is_alphabetic) {
            let mut longer = Vec::new();
            for field in fields {
                let words = self.words_beginning(field, word)?;
                longer.extend(words.iter().map(|word| term(field, word, IndexRecordOption::Basic)));
            }
            ways.extend(any(longer).map(|question| constant(question, BY_BEGINNING)));
        }
        Ok(())
    }

    /// Some longer words of a field that begin with a word.
    fn words_beginning(&self, field: Field, word: &str) -> Result<Vec<String>, SearchError> {
        let mut words = Vec::new();
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(field)?;
            let range = index.terms().range().gt(word).lt(after_all(word));
            let mut stream = range.into_stream().map_err(tantivy::TantivyError::from)?;
            let mut of_segment = 0;
            while of_segment < PREFIX_WORDS_MAX && stream.advance() {
                words.push(String::from_utf8_lossy(stream.key()).into_owned());
                of_segment += 1;
            }
        }
        words.sort_unstable();
        words.dedup();
        words.truncate(PREFIX_WORDS_MAX);
        Ok(words)
    }

    /// What has a text as it stands.
    pub(super) fn text(&self, text: &str) -> Option<Question> {
        if let Some(run) = only_run(text).filter(|run| matches!(run.chars().count(), 1 | 3)) {
            return Some(term(self.fields.grams, run, IndexRecordOption::Basic));
        }
        let field = self.fields.find;
        let mut terms = phrase_terms(text);
        match (terms.pop(), terms.is_empty()) {
            (None, _) => None,
            (Some((_, only)), true) => {
                let field = if is_single_character(&only) { self.fields.grams } else { field };
                Some(term(field, &only, IndexRecordOption::Basic))
            }
            (Some(last), false) => Some(phrase(field, terms.into_iter().chain([last]))),
        }
    }

    /// What has all neighbours of a run: as good as what has the run, and found without reading places.
    fn neighbours(&self, run: &str) -> Option<Question> {
        let triples: BTreeSet<&str> = triples(run).collect();
        if triples.is_empty() {
            return self.text(run);
        }
        let basic = |triple: &str| term(self.fields.grams, triple, IndexRecordOption::Basic);
        Some(all(triples.into_iter().map(basic).collect()))
    }

    /// What has a row of syllables in its title or names.
    fn spelled(&self, syllables: &[String]) -> Question {
        if let [only] = syllables {
            return term(self.fields.sounds, only, IndexRecordOption::Basic);
        }
        self.sounding(syllables.windows(2).map(|pair| syllables_term(&pair[0], &pair[1])).collect())
    }

    /// What has characters of such initials in its title or names.
    fn initials(&self, initials: &[char]) -> Question {
        self.sounding(initials.windows(2).map(|pair| initials_term(pair[0], pair[1])).collect())
    }

    /// What has a row of pairs, each of which begins with what the one before ends with.
    fn sounding(&self, pairs: Vec<String>) -> Question {
        match pairs.as_slice() {
            [only] => term(self.fields.sounds, only, IndexRecordOption::Basic),
            _ => phrase(self.fields.sounds, every_second(pairs.into_iter().enumerate().collect()).into_iter()),
        }
    }

    /// What only moves the order: the words of the dictionary, and whole runs.
    fn ranking(&self, plan: &Plan) -> Result<Vec<Question>, SearchError> {
        let mut questions: Vec<Question> = Vec::new();
        let mut words: Vec<&str> = plan.units.iter().flat_map(|unit| ranking_words(&unit.text)).collect();
        words.sort_unstable();
        words.dedup();
        let records = self.searcher.num_docs();
        for word in words {
            for (field, weight) in [(self.fields.title_words, TITLE), (self.fields.text_words, TEXT)] {
                let term = Term::from_field_text(field, word);
                // A word that many texts have tells them little apart, and to weigh each costs most of the time.
                let says_little = weight == TEXT && self.searcher.doc_freq(&term)? * COMMON_PART > records;
                if !says_little {
                    let word = TermQuery::new(term, IndexRecordOption::WithFreqs);
                    questions.push(Box::new(BoostQuery::new(Box::new(word), weight)));
                }
            }
        }
        let runs = plan.runs.iter().filter_map(|run| self.neighbours(run));
        questions.extend(runs.map(|run| constant(run, WHOLE_RUN)));
        Ok(questions)
    }

    /// What the filters let through, as far as it is known by tags.
    pub(super) fn filters(&self, filters: &Filters) -> Result<Vec<Question>, SearchError> {
        check_lengths(filters)?;
        let divisions = resolve(&filters.divisions, names::resolve_divisions, SearchError::UnknownDivision)?;
        let industries = resolve(&filters.industries, names::resolve_industries, SearchError::UnknownIndustry)?;
        let mut questions: Vec<Question> = Vec::new();
        if let Some(only) = &filters.only {
            questions.push(Box::new(TermSetQuery::new(only.iter().map(|id| self.fields.key(id)))));
        }
        questions.extend(self.tags(filters.kinds.iter().map(|kind| Tag::Kind(*kind))));
        questions.extend(self.tags(divisions.iter().map(|code| Tag::Division(names::division_stem(code)))));
        questions.extend(self.tags(industries.iter().map(|code| Tag::Industry(code))));
        questions.extend(self.tags(filters.states.iter().map(|state| Tag::State(state))));
        questions.extend(self.tags(filters.owner_classes.iter().map(|class| Tag::OwnerClass(*class))));
        questions.extend(self.tags(filters.owners.iter().map(|owner| Tag::Owner(*owner))));
        let mut fields: Vec<&str> = filters.facets.iter().map(|(field, _)| field.as_str()).collect();
        fields.sort_unstable();
        fields.dedup();
        for field in fields {
            let of_field = filters.facets.iter().filter(|(name, _)| name == field);
            questions.extend(self.tags(of_field.map(|(name, value)| Tag::Facet(name, value))));
        }
        Ok(questions.into_iter().map(|question| constant(question, 0.0)).collect())
    }

    /// What has one of some tags.
    fn tags<'t>(&self, tags: impl Iterator<Item = Tag<'t>>) -> Option<Question> {
        let mut terms: Vec<Term> = tags.map(|tag| self.fields.tag(&tag)).collect();
        terms.sort_unstable();
        terms.dedup();
        let terms = terms.into_iter().map(|term| Box::new(TermQuery::new(term, IndexRecordOption::Basic)) as Question);
        any(terms.collect())
    }
}

/// What every one of some questions finds.
pub(super) fn all(mut questions: Vec<Question>) -> Question {
    match (questions.pop(), questions.is_empty()) {
        (Some(only), true) => only,
        (last, _) => Box::new(BooleanQuery::intersection(questions.into_iter().chain(last).collect())),
    }
}

/// What one of some questions finds, if there is one.
fn any(mut questions: Vec<Question>) -> Option<Question> {
    let last = questions.pop()?;
    match questions.is_empty() {
        true => Some(last),
        false => Some(Box::new(BooleanQuery::union(questions.into_iter().chain([last]).collect()))),
    }
}

fn constant(question: Question, score: Score) -> Question {
    Box::new(ConstScoreQuery::new(question, score))
}

fn term(field: Field, text: &str, option: IndexRecordOption) -> Question {
    Box::new(TermQuery::new(Term::from_field_text(field, text), option))
}

fn phrase(field: Field, terms: impl Iterator<Item = (usize, String)>) -> Question {
    let terms = terms.map(|(place, text)| (place, Term::from_field_text(field, &text))).collect();
    Box::new(PhraseQuery::new_with_offset(terms))
}

/// The Chinese run that is all that a text holds.
fn only_run(text: &str) -> Option<&str> {
    let mut pieces = pieces(text);
    match (pieces.next(), pieces.next()) {
        (Some(Piece::Run { text: run, .. }), None) => Some(run),
        _ => None,
    }
}

/// The terms that say that a text stands as it is, with their places: every second pair, so that each character is
/// covered and no more is read than is needed.
fn phrase_terms(text: &str) -> Vec<(usize, String)> {
    let terms = find_terms(text);
    let end = terms.last().map_or(0, |(place, _)| *place);
    let (mut needed, mut row) = (Vec::new(), Vec::new());
    let mut before: Option<(usize, &str)> = None;
    for (place, term) in terms {
        let (goes_on, is_covered) = match before {
            // Parts of a word stand where the word stands, and say nothing more.
            Some((last, _)) if last == place => continue,
            Some((last, text)) => (last + 1 == place, last + 1 == place && is_pair(text)),
            None => (false, false),
        };
        if !goes_on || !is_pair(term) {
            needed.extend(every_second(std::mem::take(&mut row)));
        }
        // The last character of a run is in the pair before it. One that ends the text by itself may begin a longer
        // run where it is found, so it is not asked for.
        let is_passed_over = is_single_character(term) && (is_covered || place == end && before.is_some());
        match is_pair(term) {
            true => row.push((place, term.to_owned())),
            false if is_passed_over => {}
            false => needed.push((place, term.to_owned())),
        }
        before = Some((place, term));
    }
    needed.extend(every_second(row));
    needed
}

/// Every second of a row of overlapping pairs, and the last.
fn every_second(row: Vec<(usize, String)>) -> Vec<(usize, String)> {
    let last = row.len().saturating_sub(1);
    row.into_iter().enumerate().filter(|(index, _)| index % 2 == 0 || *index == last).map(|(_, term)| term).collect()
}

/// Whether a term is a pair of ideographs.
fn is_pair(term: &str) -> bool {
    let mut characters = term.chars();
    characters.next().is_some_and(super::fold::is_ideograph) && characters.next().is_some()
}

/// Whether a term is one ideograph.
fn is_single_character(term: &str) -> bool {
    let mut characters = term.chars();
    characters.next().is_some_and(super::fold::is_ideograph) && characters.next().is_none()
}

/// A text that comes behind everything that begins with another.
fn after_all(beginning: &str) -> String {
    format!("{beginning}{}", char::MAX)
}

fn check_lengths(filters: &Filters) -> Result<(), SearchError> {
    let lengths = [
        filters.kinds.len(),
        filters.divisions.len(),
        filters.industries.len(),
        filters.states.len(),
        filters.owner_classes.len(),
        filters.owners.len(),
        filters.facets.len(),
        filters.only.as_ref().map_or(0, Vec::len),
    ];
    match lengths.iter().any(|length| *length > FILTER_VALUES_MAX) {
        true => Err(SearchError::TooManyValues { max: FILTER_VALUES_MAX }),
        false => Ok(()),
    }
}

/// The codes that some texts mean.
fn resolve(
    texts: &[String],
    resolve: impl Fn(&str) -> Option<Vec<String>>,
    unknown: impl Fn(String) -> SearchError,
) -> Result<Vec<String>, SearchError> {
    let mut codes = Vec::new();
    for text in texts {
        codes.extend(resolve(text).ok_or_else(|| unknown(text.clone()))?);
    }
    Ok(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<(usize, String)> {
        phrase_terms(text)
    }

    #[test]
    fn a_text_is_covered_by_as_few_pairs_as_can_be() {
        let term = |place, text: &str| (place, text.to_owned());
        assert_eq!(terms("光"), [term(0, "光")]);
        assert_eq!(terms("光伏"), [term(0, "光伏")]);
        assert_eq!(terms("锂电池"), [term(0, "锂电"), term(1, "电池")]);
        assert_eq!(terms("光伏项目"), [term(0, "光伏"), term(2, "项目")]);
        assert_eq!(terms("年产50gwh电池"), [term(0, "年产"), term(2, "50gwh"), term(3, "电池")]);
        assert_eq!(terms("光伏 项目"), [term(0, "光伏"), term(3, "项目")]);
        assert_eq!(terms("第3期"), [term(0, "第"), term(1, "3")]);
        assert!(terms("。！").is_empty());
    }

    #[test]
    fn what_comes_behind_a_beginning_is_behind_all_that_has_it() {
        let behind = after_all("xm");
        assert!("xm" < behind.as_str() && "xm\u{10fffe}z" < behind.as_str() && "xn" > behind.as_str());
    }
}
