//! Where Chinese words end. It ranks and highlights; it does not find, since a dictionary misses too much.

use std::sync::LazyLock;

use jieba_rs::Jieba;

use super::names;
use super::tokens::{Piece, clip, pieces, word_parts};

/// How common the dictionary is told that its additional words are: more than the words that they are made of.
const ADDED_FREQUENCY: usize = 20_000;
/// Fewest characters of a word that ranks; single ones say too little.
const WORD_CHARACTERS_MIN: usize = 2;

/// The dictionary. Reading it takes a quarter of a second and 36 MB, so it is read when it is first needed.
static DICTIONARY: LazyLock<Jieba> = LazyLock::new(|| {
    let mut dictionary = Jieba::new();
    for word in names::words() {
        if !dictionary.has_word(&word) {
            dictionary.add_word(&word, Some(ADDED_FREQUENCY), None);
        }
    }
    dictionary
});

/// The words of a run, one behind the other.
pub(super) fn cut(run: &str) -> Vec<&str> {
    DICTIONARY.cut(run, false).into_iter().map(|token| token.word).collect()
}

/// The words that rank a folded text: of runs those of the dictionary, also those within longer ones, and what letters
/// and digits make.
pub(super) fn ranking_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Run { text: run, .. } => {
                let cut = DICTIONARY.cut_for_search(run, false).into_iter().map(|token| token.word);
                words.extend(cut.filter(|word| ranks(word)));
            }
            Piece::Word { text: word, .. } => {
                words.push(clip(word));
                words.extend(word_parts(clip(word)));
            }
        }
    }
    words
}

/// Whether a word is long enough to rank.
pub(super) fn ranks(word: &str) -> bool {
    word.chars().nth(WORD_CHARACTERS_MIN - 1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_words_of_the_trade_are_one_word_each() {
        assert_eq!(cut("夏邑县光伏项目"), ["夏邑县", "光伏", "项目"]);
        assert_eq!(cut("拿地即开工地块"), ["拿地即开工", "地块"]);
        assert_eq!(cut("铜山县民宿"), ["铜山县", "民宿"]);
    }

    #[test]
    fn words_within_long_words_rank_too() {
        let words = ranking_words("年产50gwh锂离子电池");
        for word in ["年产", "50gwh", "50", "gwh", "锂离子电池", "电池"] {
            assert!(words.contains(&word), "{word} in {words:?}");
        }
        assert!(words.iter().all(|word| word.chars().count() > 1));
    }
}
