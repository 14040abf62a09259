//! Where the words of a query stand in a text that is shown.
//!
//! The index stores no text, so whoever shows a record reads it and asks here. What is marked is what made the text be
//! found: the words, words of the same meaning, today's name of a place that was sought by an old one, characters that
//! were sought by their sound. Where the dictionary knows a longer word around a mark, the whole word is marked.

use std::ops::Range;

use super::fold::fold_char;
use super::limits::{HIGHLIGHT_CHARACTERS_MAX, SNIPPET_CHARACTERS, SYNONYMS_MAX};
use super::names;
use super::plan::{Form, Plan, Unit};
use super::query::Query;
use super::sounds;
use super::tokens::{Piece, pieces, word_parts};
use super::words;

/// What stands for what is left out of a snippet.
const ELLIPSIS: char = '…';

/// A part of a text around what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The part.
    pub text: String,
    /// Where in it the words stand, in bytes.
    pub highlights: Vec<Range<usize>>,
}

/// Marks the words of one query in many texts.
#[derive(Debug, Clone)]
pub struct Highlighter {
    units: Vec<Marks>,
}

/// What marks of one unit look like.
#[derive(Debug, Clone, Default)]
struct Marks {
    /// Texts as they stand.
    texts: Vec<String>,
    /// Words of letters and digits, with whether longer ones that begin so are marked too.
    words: Vec<(String, bool)>,
    /// Rows of syllables.
    spellings: Vec<Vec<String>>,
    /// Initials of characters.
    initials: Option<Vec<char>>,
}

/// Where the words of a query stand in a text: ranges of bytes, ascending, apart from each other.
pub fn highlight(text: &str, query: &Query) -> Vec<Range<usize>> {
    Highlighter::new(query).ranges(text)
}

/// The part of some texts that says most about why they are found: at most
/// [`super::limits::SNIPPET_CHARACTERS`] characters of the text in which most words stand, the first one otherwise.
pub fn snippet(texts: &[&str], query: &Query) -> Option<Snippet> {
    Highlighter::new(query).snippet(texts)
}

impl Highlighter {
    /// For the words of a query.
    pub fn new(query: &Query) -> Self {
        Self { units: Plan::of(&query.words).units.iter().map(Marks::of).collect() }
    }

    /// Where the words stand in a text.
    pub fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let folded = Folded::of(text);
        let all = self.units.iter().flat_map(|unit| unit.ranges(&folded)).collect();
        joined(all).into_iter().map(|range| folded.origin(range)).collect()
    }

    /// The part of some texts in which most words stand.
    pub fn snippet(&self, texts: &[&str]) -> Option<Snippet> {
        let counted = texts.iter().map(|text| {
            let folded = Folded::of(text);
            self.units.iter().filter(|unit| !unit.ranges(&folded).is_empty()).count()
        });
        // Of texts with equally many words the first.
        let best = counted.enumerate().max_by_key(|(index, count)| (*count, std::cmp::Reverse(*index)));
        let text = texts[best?.0];
        Some(cut_out(text, &self.ranges(text)))
    }
}

impl Marks {
    fn of(unit: &Unit) -> Self {
        let mut marks = Self { spellings: Plan::spellings(unit), initials: Plan::initials(unit), ..Self::default() };
        match &unit.form {
            Form::Exact | Form::Run => marks.texts.push(unit.text.clone()),
            Form::Word => marks.words.push((unit.text.clone(), unit.text.contains(char::is_alphabetic))),
            Form::Syllables(words) => marks.words.extend(words.iter().map(|word| (word.clone(), false))),
        }
        for synonym in unit.meaning.synonyms.iter().take(SYNONYMS_MAX) {
            match synonym.is_ascii() {
                true => marks.words.push((synonym.clone(), false)),
                false => marks.texts.push(synonym.clone()),
            }
        }
        marks.texts.extend(unit.meaning.divisions.iter().flat_map(|code| names::names_of_division(code)));
        marks
    }

    /// Ranges of bytes in a folded text, in no order.
    fn ranges(&self, folded: &Folded) -> Vec<Range<usize>> {
        let text = folded.text.as_str();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for sought in &self.texts {
            let found = text.match_indices(sought.as_str()).map(|(start, _)| start..start + sought.len());
            ranges.extend(found.map(|range| folded.whole_word(range)));
        }
        for piece in pieces(text) {
            match piece {
                Piece::Word { start, text: word } if self.marks_word(word) => ranges.push(start..start + word.len()),
                Piece::Run { start, text: run } => ranges.extend(self.sounding(run, start)),
                Piece::Word { .. } => {}
            }
        }
        ranges
    }

    fn marks_word(&self, word: &str) -> bool {
        self.words.iter().any(|(sought, longer)| {
            word == sought
                || *longer && word.starts_with(sought.as_str())
                || word_parts(word).contains(&sought.as_str())
        })
    }

    /// The characters of a run that sound as sought.
    fn sounding(&self, run: &str, start: usize) -> Vec<Range<usize>> {
        if self.spellings.is_empty() && self.initials.is_none() {
            return Vec::new();
        }
        let syllables = sounds::reading(run);
        let mut ends: Vec<usize> = run.char_indices().map(|(at, _)| start + at).collect();
        ends.push(start + run.len());
        let mut ranges = Vec::new();
        for spelling in &self.spellings {
            let places = syllables.windows(spelling.len()).enumerate().filter(|(_, row)| *row == spelling.as_slice());
            ranges.extend(places.map(|(place, row)| ends[place]..ends[place + row.len()]));
        }
        if let Some(initials) = &self.initials {
            let begins =
                |row: &[String]| row.iter().zip(initials).all(|(syllable, initial)| syllable.starts_with(*initial));
            let places = syllables.windows(initials.len()).enumerate().filter(|(_, row)| begins(row));
            ranges.extend(places.map(|(place, row)| ends[place]..ends[place + row.len()]));
        }
        ranges
    }
}

/// A text, folded, with the way back.
struct Folded {
    text: String,
    /// For each character where it begins, folded and in the text; at the end where both end.
    places: Vec<(usize, usize)>,
    /// Where the words of the dictionary begin and end, folded.
    words: Vec<Range<usize>>,
}

impl Folded {
    fn of(text: &str) -> Self {
        let mut folded = String::with_capacity(text.len());
        let mut places = Vec::with_capacity(text.len() / 2);
        let mut end = 0;
        for (at, c) in text.char_indices().take(HIGHLIGHT_CHARACTERS_MAX) {
            places.push((folded.len(), at));
            folded.push(fold_char(c));
            end = at + c.len_utf8();
        }
        places.push((folded.len(), end));
        let mut words = Vec::new();
        for piece in pieces(&folded) {
            let Piece::Run { start, text: run } = piece else { continue };
            let mut at = start;
            for word in words::cut(run) {
                words.push(at..at + word.len());
                at += word.len();
            }
        }
        Self { text: folded, places, words }
    }

    /// The word that a range is a part of, or the range. A single character is marked alone.
    fn whole_word(&self, range: Range<usize>) -> Range<usize> {
        if !words::ranks(&self.text[range.clone()]) {
            return range;
        }
        let index = self.words.partition_point(|word| word.end <= range.start);
        let word = self.words.get(index).filter(|word| word.start <= range.start && range.end <= word.end);
        word.cloned().unwrap_or(range)
    }

    /// A range of the text itself.
    fn origin(&self, range: Range<usize>) -> Range<usize> {
        let origin = |folded: usize| {
            let index = self.places.partition_point(|(place, _)| *place < folded);
            self.places.get(index).or(self.places.last()).map_or(0, |(_, origin)| *origin)
        };
        origin(range.start)..origin(range.end)
    }
}

/// Ranges in order; those that touch are one.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// The part of a text that holds most marks.
fn cut_out(text: &str, ranges: &[Range<usize>]) -> Snippet {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let characters = starts.len() - 1;
    let place = |byte: usize| starts.partition_point(|start| *start < byte);
    let end_of = |first: usize| (first + SNIPPET_CHARACTERS).min(characters);
    let marks_from = |first: usize| {
        let (from, to) = (starts[first], starts[end_of(first)]);
        ranges.iter().filter(|range| from <= range.start && range.end <= to).count()
    };
    // It begins a little before a mark, so that the mark is read in its sentence.
    let firsts = ranges.iter().map(|range| place(range.start).saturating_sub(SNIPPET_CHARACTERS / 4));
    let best = firsts.map(|first| (marks_from(first), std::cmp::Reverse(first))).max();
    let first = best.map_or(0, |(_, std::cmp::Reverse(first))| first);
    // A text that ends early fills the part from before.
    let first = first.min(characters.saturating_sub(SNIPPET_CHARACTERS));
    let (from, to) = (starts[first], starts[end_of(first)]);
    let mut cut = String::new();
    if from > 0 {
        cut.push(ELLIPSIS);
    }
    let shift = cut.len();
    cut.push_str(&text[from..to]);
    if to < text.len() {
        cut.push(ELLIPSIS);
    }
    let within = ranges.iter().filter(|range| from <= range.start && range.end <= to);
    let highlights = within.map(|range| range.start - from + shift..range.end - from + shift).collect();
    Snippet { text: cut, highlights }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked<'a>(text: &'a str, words: &str) -> Vec<&'a str> {
        let query = Query { words: words.to_owned(), ..Query::default() };
        highlight(text, &query).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn words_names_and_synonyms_are_marked() {
        assert_eq!(marked("夏邑县光伏项目", "光伏"), ["光伏"]);
        assert_eq!(marked("５０ＧＷｈ电芯产业园", "50gwh 锂电池"), ["５０ＧＷｈ电芯"]);
        assert_eq!(marked("徐州市铜山区标准厂房", "铜山县"), ["铜山区"]);
        assert_eq!(marked("三个Nodes和node", "node"), ["Nodes", "node"]);
        assert_eq!(marked("3841与38", "38"), ["38"]);
        assert!(marked("风力发电", "光伏").is_empty());
    }

    #[test]
    fn the_whole_word_is_marked_where_there_is_one() {
        assert_eq!(marked("建设锂电池产线", "锂电"), ["锂电池"]);
        assert_eq!(marked("在县城", "县"), ["县"]);
    }

    #[test]
    fn what_sounds_as_sought_is_marked() {
        assert_eq!(marked("夏邑光伏产业", "guangfu"), ["光伏"]);
        assert_eq!(marked("夏邑光伏产业", "guang fu"), ["光伏"]);
        assert_eq!(marked("夏邑光伏产业", "gf"), ["光伏"]);
        assert_eq!(marked("重庆奉节", "chongqing"), ["重庆"]);
    }

    #[test]
    fn a_snippet_holds_the_marks_of_the_text_with_most_words() {
        let long = format!("{}夏邑县光伏项目{}", "前言。".repeat(60), "后记。".repeat(60));
        let query = Query { words: "夏邑 光伏".to_owned(), ..Query::default() };
        let snippet = snippet(&["夏邑", &long], &query).expect("there are texts");
        let marks: Vec<&str> = snippet.highlights.iter().map(|range| &snippet.text[range.clone()]).collect();
        assert_eq!(marks.concat(), "夏邑县光伏");
        assert_eq!(snippet.text.chars().count(), SNIPPET_CHARACTERS + 2);
        assert!(snippet.text.starts_with(ELLIPSIS) && snippet.text.ends_with(ELLIPSIS));
    }

    #[test]
    fn without_marks_the_beginning_is_shown() {
        let query = Query::default();
        let none = Snippet { text: "夏邑".to_owned(), highlights: Vec::new() };
        assert_eq!(snippet(&["夏邑", "光伏"], &query), Some(none));
        assert_eq!(snippet(&[], &query), None);
        assert_eq!(snippet(&[""], &query).map(|snippet| snippet.text), Some(String::new()));
    }

    #[test]
    fn ranges_are_apart_and_lie_at_characters() {
        let text = "é光伏é光伏光伏Ｎode县县\u{0}😀İstanbul光伏";
        for words in ["光伏 伏光 node 县", "i", "istanbul", "😀", "\"光伏\"", "gf gf guangfu"] {
            let query = Query { words: words.to_owned(), ..Query::default() };
            let ranges = highlight(text, &query);
            assert!(ranges.iter().all(|range| text.get(range.clone()).is_some_and(|part| !part.is_empty())), "{words}");
            assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "{words}");
        }
    }
}
