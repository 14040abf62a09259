//! The tokenizers of the fields: they get folded texts and give terms with their places.

use std::borrow::Cow;

use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};

use super::sounds;
use super::tokens::{Piece, find_terms, gram_terms, pieces};
use super::words::ranking_words;

/// Names of the tokenizers.
pub(super) const FIND: &str = "find";
pub(super) const GRAMS: &str = "grams";
pub(super) const WORDS: &str = "words";
pub(super) const SOUNDS: &str = "sounds";
pub(super) const SPOKEN: &str = "spoken";
/// What a pair of initials begins with, so that it is not taken for a syllable.
const INITIALS_MARK: char = '~';
/// What stands between two syllables.
const SYLLABLE_END: char = ' ';
/// What stands between the sound of a word and the word.
pub(super) const SOUND_END: char = '\u{1}';

/// How a field turns a text into terms.
#[derive(Clone, Copy)]
enum Terms {
    Find,
    Grams,
    Words,
    Sounds,
    Spoken,
}

/// All of them, as the index wants them.
pub(super) fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::default();
    let all = [
        (FIND, Terms::Find),
        (GRAMS, Terms::Grams),
        (WORDS, Terms::Words),
        (SOUNDS, Terms::Sounds),
        (SPOKEN, Terms::Spoken),
    ];
    for (name, terms) in all {
        manager.register(name, TextAnalyzer::from(terms));
    }
    manager
}

impl Terms {
    fn of<'a>(self, text: &'a str) -> Vec<(usize, Cow<'a, str>)> {
        match self {
            Self::Find => find_terms(text).into_iter().map(|(place, term)| (place, Cow::Borrowed(term))).collect(),
            Self::Grams => gram_terms(text).into_iter().map(Cow::Borrowed).enumerate().collect(),
            Self::Words => ranking_words(text).into_iter().map(Cow::Borrowed).enumerate().collect(),
            Self::Sounds => sound_terms(text).into_iter().map(|(place, term)| (place, Cow::Owned(term))).collect(),
            Self::Spoken => ranking_words(text).into_iter().map(|word| Cow::Owned(spoken(word))).enumerate().collect(),
        }
    }
}

/// A word behind its sound; one of Latin letters sounds as it is written.
pub(super) fn spoken(word: &str) -> String {
    let sound = sounds::sound(word);
    format!("{sound}{SOUND_END}{word}")
}

/// A pair of initials as it is indexed.
pub(super) fn initials_term(first: char, second: char) -> String {
    format!("{INITIALS_MARK}{first}{second}")
}

/// Two syllables that follow each other, as they are indexed.
pub(super) fn syllables_term(first: &str, second: &str) -> String {
    format!("{first}{SYLLABLE_END}{second}")
}

/// The syllables of a text, each at the place of its character; those of each two neighbours together, which most words
/// are, so that they are found without reading places; and the initials of each two.
fn sound_terms(text: &str) -> Vec<(usize, String)> {
    let (mut terms, mut place) = (Vec::new(), 0);
    for piece in pieces(text) {
        if let Piece::Run { text: run, .. } = piece {
            let syllables = sounds::reading(run);
            for (index, syllable) in syllables.iter().enumerate().filter(|(_, syllable)| !syllable.is_empty()) {
                let next = syllables.get(index + 1).map(String::as_str).unwrap_or_default();
                if let (Some(first), Some(second)) = (syllable.chars().next(), next.chars().next()) {
                    terms.push((place + index, initials_term(first, second)));
                    terms.push((place + index, syllables_term(syllable, next)));
                }
                terms.push((place + index, syllable.clone()));
            }
            place += syllables.len();
        }
        // What stands between two runs parts them.
        place += 1;
    }
    terms
}

impl Tokenizer for Terms {
    type TokenStream<'a> = TermStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> TermStream<'a> {
        TermStream { terms: self.of(text).into_iter(), token: Token::default() }
    }
}

/// Terms, one after the other.
struct TermStream<'a> {
    terms: std::vec::IntoIter<(usize, Cow<'a, str>)>,
    token: Token,
}

impl TokenStream for TermStream<'_> {
    fn advance(&mut self) -> bool {
        let Some((place, term)) = self.terms.next() else { return false };
        self.token.position = place;
        self.token.text.clear();
        self.token.text.push_str(&term);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_stand_at_their_characters_alone_and_with_the_next() {
        let terms = sound_terms("光伏,县");
        let terms: Vec<(usize, &str)> = terms.iter().map(|(place, term)| (*place, term.as_str())).collect();
        assert_eq!(terms, [(0, "~gf"), (0, "guang fu"), (0, "guang"), (1, "fu"), (3, "xian")]);
    }
}
