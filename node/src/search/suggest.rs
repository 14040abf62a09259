//! "Did you mean": words of titles and names that sound like what was typed, or differ from it by one character.

use std::collections::BTreeMap;

use tantivy::query::FuzzyTermQuery;
use tantivy::{TantivyError, Term};

use super::compile::Compiler;
use super::error::SearchError;
use super::limits::{SUGGESTION_TERMS_MAX, SUGGESTIONS_MAX};
use super::plan::{Form, Plan, Unit};
use super::sounds;
use super::tokenizers::SOUND_END;

/// Characters of a word that another is sought for.
const CHARACTERS: std::ops::RangeInclusive<usize> = 2..=16;
/// Fewest letters of a word of which two may be wrong.
const TWO_WRONG_LETTERS_MIN: usize = 6;

/// A word that may have been meant: how far it is from what was typed, then how common it is.
type Candidates = BTreeMap<String, (u8, u64)>;

/// Whole texts that may have been meant: the words of a query with those that are not found replaced.
pub(super) fn suggestions(compiler: &Compiler<'_>, plan: &Plan) -> Result<Vec<String>, SearchError> {
    let mut texts: Vec<String> = Vec::new();
    let mut best = plan.text.clone();
    // From the last to the first, so that the places of those before stay right.
    for unit in plan.units.iter().rev() {
        if unit.form == Form::Exact || !unit.meaning.is_none() || is_found(compiler, unit)? {
            continue;
        }
        let words = candidates(compiler, &unit.text)?;
        let place = unit.place.clone();
        texts.extend(words.iter().map(|word| format!("{}{word}{}", &best[..place.start], &best[place.end..])));
        if let Some(first) = words.first() {
            best.replace_range(place, first);
        }
    }
    // With several wrong words, the text with all of them replaced was made last.
    let mut ordered: Vec<String> = Vec::new();
    for text in std::iter::once(best).filter(|best| *best != plan.text).chain(texts) {
        if !ordered.contains(&text) {
            ordered.push(text);
        }
    }
    ordered.truncate(SUGGESTIONS_MAX);
    Ok(ordered)
}

/// Whether anything is found by a unit.
fn is_found(compiler: &Compiler<'_>, unit: &Unit) -> Result<bool, SearchError> {
    let question = compiler.unit(unit)?;
    Ok(question.count(compiler.searcher)? > 0)
}

/// Words that may have been meant by one, best first.
fn candidates(compiler: &Compiler<'_>, word: &str) -> Result<Vec<String>, SearchError> {
    let length = word.chars().count();
    if !CHARACTERS.contains(&length) {
        return Ok(Vec::new());
    }
    let mut found = Candidates::new();
    if !word.is_ascii() {
        same_sound(compiler, word, &mut found)?;
    }
    alike(compiler, word, length, &mut found)?;
    found.remove(word);
    let mut ranked: Vec<(String, (u8, u64))> = found.into_iter().collect();
    ranked.sort_by(|(left, (near, rare)), (right, (far, common))| {
        near.cmp(far).then_with(|| common.cmp(rare)).then_with(|| left.cmp(right))
    });
    ranked.truncate(SUGGESTIONS_MAX);
    Ok(ranked.into_iter().map(|(word, _)| word).collect())
}

/// Words that sound the same.
fn same_sound(compiler: &Compiler<'_>, word: &str, found: &mut Candidates) -> Result<(), SearchError> {
    let sound = format!("{}{SOUND_END}", sounds::sound(word));
    for segment in compiler.searcher.segment_readers() {
        let index = segment.inverted_index(compiler.fields.spoken)?;
        let range = index.terms().range().ge(&sound).lt(format!("{sound}{}", char::MAX));
        let mut stream = range.into_stream().map_err(TantivyError::from)?;
        let mut seen = 0;
        while seen < SUGGESTION_TERMS_MAX && stream.advance() {
            let term = String::from_utf8_lossy(stream.key()).into_owned();
            if let Some(other) = term.strip_prefix(&sound).filter(|other| other.chars().count() == word.chars().count())
            {
                add(found, other, 0, stream.value().doc_freq);
            }
            seen += 1;
        }
    }
    Ok(())
}

/// Words that differ by a character, or long ones of letters by two.
fn alike(compiler: &Compiler<'_>, word: &str, length: usize, found: &mut Candidates) -> Result<(), SearchError> {
    let is_letters = word.is_ascii();
    let distance = if is_letters && length >= TWO_WRONG_LETTERS_MIN { 2 } else { 1 };
    let field = compiler.fields.title_words;
    let fuzzy = FuzzyTermQuery::new(Term::from_field_text(field, word), distance, true);
    for segment in compiler.searcher.segment_readers() {
        let automaton = fuzzy.automaton()?;
        let index = segment.inverted_index(field)?;
        let mut stream = index.terms().search(&automaton).into_stream().map_err(TantivyError::from)?;
        let mut seen = 0;
        while seen < SUGGESTION_TERMS_MAX && stream.advance() {
            let other = String::from_utf8_lossy(stream.key()).into_owned();
            // A word of Chinese with a character more or less is another word, not a slip.
            if is_letters || other.chars().count() == length {
                let far = strsim::damerau_levenshtein(word, &other);
                add(found, &other, u8::try_from(far).unwrap_or(u8::MAX), stream.value().doc_freq);
            }
            seen += 1;
        }
    }
    Ok(())
}

fn add(found: &mut Candidates, word: &str, distance: u8, frequency: u32) {
    let entry = found.entry(word.to_owned()).or_insert((distance, 0));
    entry.0 = entry.0.min(distance);
    entry.1 += u64::from(frequency);
}
