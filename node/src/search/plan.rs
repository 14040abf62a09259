//! What the words of a query mean: units that must each be found, in any of several ways.
//!
//! A Chinese run is cut into words and names, so 夏邑光伏项目 finds what speaks of all three wherever they stand. Letters
//! may be a word, spell characters, or be their initials; nothing says which, so all are tried.

use std::ops::Range;

use super::fold::fold_char;
use super::limits::{QUERY_CHARACTERS_MAX, QUERY_WORDS_MAX};
use super::names::{self, Meaning};
use super::sounds;
use super::tokens::{Piece, pieces};
use super::words;

/// Words of the dictionary that one name may be made of: names of industries are the longest.
const NAME_WORDS_MAX: usize = 8;
/// Characters that say nothing by themselves; between words they are passed over.
const PARTICLES: &str = "的了和与及或在是有之于为等";
/// Words that ask and are not looked for.
const FILLERS: [&str; 12] =
    ["有没有", "有哪些", "哪些", "哪里", "什么", "寻找", "查找", "搜索", "请问", "我要", "我想", "关于"];
/// What quotes open and close with.
const QUOTES: [char; 5] = ['"', '“', '”', '「', '」'];

/// The words of a query, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The folded words.
    pub(super) text: String,
    /// What must be found.
    pub(super) units: Vec<Unit>,
    /// Whole Chinese runs of several units: what has them as they stand comes first.
    pub(super) runs: Vec<String>,
}

/// One thing that must be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Its text, folded.
    pub(super) text: String,
    /// Where it stands in the text of the plan, in bytes.
    pub(super) place: Range<usize>,
    pub(super) form: Form,
    /// What else it stands for.
    pub(super) meaning: Meaning,
}

/// What a unit is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Stood between quotes: found only as it is.
    Exact,
    /// Chinese.
    Run,
    /// A word of letters and digits.
    Word,
    /// Several words of which each is a syllable: `guang fu`.
    Syllables(Vec<String>),
}

impl Plan {
    /// Understands words. What is too long is cut off.
    pub(super) fn of(words: &str) -> Self {
        let text: String = words.chars().take(QUERY_CHARACTERS_MAX).map(fold_char).collect();
        let mut plan = Self::default();
        for (place, is_quoted) in quoted(&text) {
            match is_quoted {
                true => plan.push_exact(&text, place),
                false => plan.push_words(&text, place),
            }
        }
        plan.drop_particles();
        plan.units.truncate(QUERY_WORDS_MAX);
        plan.text = text;
        plan
    }

    /// The ways in which the letters of a unit can be read: each a row of syllables.
    pub(super) fn spellings(unit: &Unit) -> Vec<Vec<String>> {
        match &unit.form {
            Form::Word => sounds::spellings(&unit.text),
            Form::Syllables(syllables) => vec![syllables.clone()],
            Form::Exact | Form::Run => Vec::new(),
        }
    }

    /// The initials that a unit can be.
    pub(super) fn initials(unit: &Unit) -> Option<Vec<char>> {
        (unit.form == Form::Word && sounds::are_initials(&unit.text)).then(|| unit.text.chars().collect())
    }

    fn push_exact(&mut self, text: &str, place: Range<usize>) {
        let quoted = &text[place.clone()];
        if pieces(quoted).next().is_some() {
            let meaning = Meaning::default();
            self.units.push(Unit { text: quoted.to_owned(), place, form: Form::Exact, meaning });
        }
    }

    fn push_words(&mut self, text: &str, place: Range<usize>) {
        for piece in pieces(&text[place.clone()]) {
            match piece {
                Piece::Run { start, text: run } => self.push_run(run, place.start + start),
                Piece::Word { start, text: word } => self.push_word(text, word, place.start + start),
            }
        }
    }

    fn push_word(&mut self, text: &str, word: &str, start: usize) {
        let place = start..start + word.len();
        if sounds::is_syllable(word)
            && let Some(last) = self.units.last_mut()
            && let Some(mut syllables) = syllables_of(last)
            && text[last.place.end..start].chars().all(char::is_whitespace)
        {
            syllables.push(word.to_owned());
            last.place.end = place.end;
            last.text = syllables.join(" ");
            last.form = Form::Syllables(syllables);
            last.meaning = Meaning::default();
            return;
        }
        self.units.push(Unit { text: word.to_owned(), place, form: Form::Word, meaning: names::meaning(word) });
    }

    /// Cuts a run into names and words. A single character belongs to the word before it, or to the one behind.
    fn push_run(&mut self, run: &str, start: usize) {
        let first = self.units.len();
        let mut joins = false;
        for (range, is_name) in names_and_words(run) {
            let word = &run[range.clone()];
            let place = start + range.start..start + range.end;
            if is_particle(word) || FILLERS.contains(&word) {
                joins = false;
                self.units.push(Unit::run(word, place, Meaning::default()));
                continue;
            }
            let is_single = word.chars().nth(1).is_none();
            match self.units[first..].last_mut() {
                Some(last) if !is_name && joins && (is_single || last.is_single()) => last.extend(word),
                _ => self.units.push(Unit::run(word, place, names::meaning(word))),
            }
            // Nothing is joined to a name: it is known where it ends.
            joins = !is_name;
        }
        if self.units.len() > first + 1 {
            self.runs.push(run.to_owned());
        }
    }

    /// Passes over what says nothing, unless nothing else is left.
    fn drop_particles(&mut self) {
        let says_nothing =
            |unit: &Unit| unit.form == Form::Run && (is_particle(&unit.text) || FILLERS.contains(&unit.text.as_str()));
        if !self.units.iter().all(says_nothing) {
            self.units.retain(|unit| !says_nothing(unit));
        }
    }
}

impl Unit {
    fn run(text: &str, place: Range<usize>, meaning: Meaning) -> Self {
        Self { text: text.to_owned(), place, form: Form::Run, meaning }
    }

    fn is_single(&self) -> bool {
        self.text.chars().nth(1).is_none()
    }

    fn extend(&mut self, word: &str) {
        self.text.push_str(word);
        self.place.end += word.len();
        self.meaning = names::meaning(&self.text);
    }
}

/// The syllables that a unit is, if it can have more behind it.
fn syllables_of(unit: &Unit) -> Option<Vec<String>> {
    match &unit.form {
        Form::Word if sounds::is_syllable(&unit.text) => Some(vec![unit.text.clone()]),
        Form::Syllables(syllables) => Some(syllables.clone()),
        _ => None,
    }
}

fn is_particle(word: &str) -> bool {
    let mut characters = word.chars();
    characters.next().is_some_and(|c| PARTICLES.contains(c)) && characters.next().is_none()
}

/// The words of a run; several that are a name together are one, the longest name first.
fn names_and_words(run: &str) -> Vec<(Range<usize>, bool)> {
    let mut ends = Vec::new();
    for word in words::cut(run) {
        ends.push(ends.last().copied().unwrap_or(0) + word.len());
    }
    let (mut parts, mut start, mut index) = (Vec::new(), 0, 0);
    while index < ends.len() {
        let last = ends.len().min(index + NAME_WORDS_MAX);
        let name = (index..last).rev().find(|last| names::is_name(&run[start..ends[*last]]));
        let last = name.unwrap_or(index);
        parts.push((start..ends[last], name.is_some()));
        (start, index) = (ends[last], last + 1);
    }
    parts
}

/// The parts of a text within and without quotes. A quote that is never closed quotes nothing.
fn quoted(text: &str) -> Vec<(Range<usize>, bool)> {
    let (mut parts, mut start) = (Vec::new(), 0);
    while let Some(open) = text[start..].find(QUOTES).map(|at| start + at) {
        let inner = open + text[open..].chars().next().map_or(1, char::len_utf8);
        let Some(close) = text[inner..].find(QUOTES).map(|at| inner + at) else { break };
        parts.extend([(start..open, false), (inner..close, true)]);
        start = close + text[close..].chars().next().map_or(1, char::len_utf8);
    }
    parts.push((start..text.len(), false));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(words: &str) -> Vec<String> {
        Plan::of(words).units.into_iter().map(|unit| unit.text).collect()
    }

    #[test]
    fn a_run_is_cut_into_names_and_words() {
        assert_eq!(units("夏邑县光伏项目"), ["夏邑县", "光伏", "项目"]);
        assert_eq!(units("夏邑的光伏和储能"), ["夏邑", "光伏", "储能"]);
        assert_eq!(units("有没有冷链物流"), ["冷链物流"]);
        assert_eq!(units("的"), ["的"]);
        let plan = Plan::of("锂离子电池制造");
        assert_eq!(plan.units.len(), 1);
        assert!(plan.units[0].meaning.industries.contains(&"3841".to_owned()));
    }

    #[test]
    fn single_characters_stay_with_their_neighbours() {
        assert_eq!(units("光扶"), ["光扶"]);
        assert_eq!(units("夏邑光扶"), ["夏邑", "光扶"]);
        assert_eq!(units("县"), ["县"]);
    }

    #[test]
    fn letters_and_syllables_are_units() {
        assert_eq!(units("50GWh XM002 42-7"), ["50gwh", "xm002", "42-7"]);
        assert_eq!(units("guang fu 夏邑"), ["guang fu", "夏邑"]);
        assert_eq!(units("node xi'an"), ["node", "xi'an"]);
        assert_eq!(Plan::of("guang fu").units[0].form, Form::Syllables(vec!["guang".to_owned(), "fu".to_owned()]));
    }

    #[test]
    fn what_stands_between_quotes_is_one_unit() {
        assert_eq!(units("“光伏项目” 夏邑"), ["光伏项目", "夏邑"]);
        assert_eq!(units("\"光伏 项目\""), ["光伏 项目"]);
        assert_eq!(units("光伏\"项目"), ["光伏", "项目"]);
        assert!(units("\"\" “”").is_empty());
    }

    #[test]
    fn units_stand_where_they_say() {
        for words in ["夏邑县光伏项目 node", "年产５０GWh“电芯 产业园”guang fu的", "县 光扶迟 \"a\" x"]
        {
            let plan = Plan::of(words);
            for unit in &plan.units {
                let stands = plan.text[unit.place.clone()].split_whitespace().collect::<Vec<_>>();
                assert_eq!(stands, unit.text.split_whitespace().collect::<Vec<_>>(), "{words}");
            }
        }
    }

    #[test]
    fn hostile_words_are_bounded() {
        for words in ["光".repeat(10_000), "a ".repeat(10_000), "\"".repeat(999), "\u{0}\u{202e}😀\n".repeat(500)] {
            let plan = Plan::of(&words);
            assert!(plan.units.len() <= QUERY_WORDS_MAX && plan.text.chars().count() <= QUERY_CHARACTERS_MAX);
        }
    }
}
