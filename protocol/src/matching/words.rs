//! Finding words in texts: one pass over a text for all the words of a table.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use crate::kind::normalise_header;

/// A table of words, each with what it means.
#[derive(Debug, Clone)]
pub(super) struct WordTable<T> {
    finder: AhoCorasick,
    /// What the word of each pattern means.
    meanings: Vec<T>,
}

impl<T> WordTable<T> {
    /// A table; the reason when words cannot be told apart. Words are compared in half-width form, lower case and without blanks.
    pub(super) fn new(words: Vec<(String, T)>) -> Result<Self, String> {
        let mut patterns: Vec<String> = Vec::with_capacity(words.len());
        let mut meanings = Vec::with_capacity(words.len());
        for (word, meaning) in words {
            let normal = normalise_header(&word);
            if normal.is_empty() {
                return Err("a word is empty".to_owned());
            }
            if patterns.contains(&normal) {
                return Err(format!("the word `{word}` stands twice"));
            }
            patterns.push(normal);
            meanings.push(meaning);
        }
        let finder = AhoCorasickBuilder::new().match_kind(MatchKind::LeftmostLongest).build(&patterns);
        let finder = finder.map_err(|error| format!("its words cannot be searched for: {error}"))?;
        Ok(Self { finder, meanings })
    }

    /// What the words of a normalised text mean: from the left, the longest at each place, none within another.
    pub(super) fn find<'a>(&'a self, normal: &'a str) -> impl Iterator<Item = &'a T> + 'a {
        self.finder.find_iter(normal).filter_map(|found| self.meanings.get(found.pattern().as_usize()))
    }

    /// The same with where each word ends.
    pub(super) fn find_ends<'a>(&'a self, normal: &'a str) -> impl Iterator<Item = (usize, &'a T)> + 'a {
        let found = self.finder.find_iter(normal);
        found.filter_map(|found| Some((found.end(), self.meanings.get(found.pattern().as_usize())?)))
    }

    /// A normalised text with every word of the table cut out.
    pub(super) fn cut(&self, normal: &str) -> Vec<String> {
        let (mut pieces, mut from) = (Vec::new(), 0);
        for found in self.finder.find_iter(normal) {
            pieces.push(normal[from..found.start()].to_owned());
            from = found.end();
        }
        pieces.push(normal[from..].to_owned());
        pieces
    }
}

/// The form in which words and texts are compared.
pub(super) fn normal(text: &str) -> String {
    normalise_header(text)
}

/// What ends a clause.
const CLAUSE_ENDS: [char; 12] = ['，', '。', '；', '！', '？', ',', ';', '!', '?', '\n', '|', '（'];

/// The clauses of a text, normalised.
pub(super) fn clauses(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(CLAUSE_ENDS).map(normal).filter(|clause| !clause.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> WordTable<u8> {
        let words = [("汽车", 1), ("汽车零部件", 2), ("Pre-IPO", 3)];
        WordTable::new(words.map(|(word, meaning)| (word.to_owned(), meaning)).to_vec()).expect("good words")
    }

    #[test]
    fn the_longest_word_wins_and_width_and_case_do_not_matter() {
        let found = |text: &str| table().find(&normal(text)).copied().collect::<Vec<_>>();
        assert_eq!(found("汽车零部件和汽车"), [2, 1]);
        assert_eq!(found("ＰＲＥ－ＩＰＯ 阶段"), [3]);
        assert_eq!(found("汽 车"), [1]);
        assert!(found("船").is_empty());
    }

    #[test]
    fn words_are_cut_out_and_leave_a_break() {
        assert_eq!(table().cut("大汽车零部件厂"), ["大", "厂"]);
        assert_eq!(table().cut("厂"), ["厂"]);
    }

    #[test]
    fn a_word_stands_once_and_is_not_empty() {
        let twice = vec![("甲".to_owned(), 1), (" 甲".to_owned(), 2)];
        assert!(WordTable::new(twice).expect_err("twice").contains("twice"));
        assert!(WordTable::new(vec![("　".to_owned(), 1)]).is_err());
    }

    #[test]
    fn clauses_end_at_marks() {
        assert_eq!(clauses("甲，乙。 ；丙").collect::<Vec<_>>(), ["甲", "乙", "丙"]);
    }
}
