//! How a folded text falls into what is found: pairs of neighbouring characters, and words of letters and digits.
//!
//! Nothing in Chinese says where a word ends, and a dictionary misses a fifth of what people look for. So each
//! character of a Chinese run is indexed together with the one behind it, at its place in the text: two characters are
//! found as they stand, and more as a phrase of pairs. The last character of a run stands alone. Letters and digits are
//! words of their own.
//!
//! A phrase is found by reading the places of its pairs, which costs twenty times as much as finding a term. So single
//! characters and triples are indexed beside the pairs, without places: one and three characters, which are most of the
//! words that are no pair, are a single term too.

use super::fold::is_ideograph;

/// Characters of a word of letters and digits that count; longer ones are told apart by these.
const WORD_CHARACTERS_MAX: usize = 64;

/// A stretch of a folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Characters of a script without spaces.
    Run {
        /// Where it begins, in bytes.
        start: usize,
        text: &'a str,
    },
    /// Letters and digits, with what may join them (`42-7`, `10.5`, `1+3+n`).
    Word {
        /// Where it begins, in bytes.
        start: usize,
        text: &'a str,
    },
}

/// The pieces of a folded text, in order.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(c) = text[at..].chars().next() {
            let (start, rest) = (at, &text[at..]);
            if is_ideograph(c) {
                let length = rest.find(|c| !is_ideograph(c)).unwrap_or(rest.len());
                at += length;
                return Some(Piece::Run { start, text: &rest[..length] });
            }
            if is_letter(c) {
                let length = word_length(rest);
                at += length;
                return Some(Piece::Word { start, text: &rest[..length] });
            }
            at += c.len_utf8();
        }
        None
    })
}

/// Whether a character belongs into a word of letters and digits.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && !is_ideograph(c)
}

/// Whether a character joins letters and digits into one word where it stands between them.
fn is_joint(c: char) -> bool {
    matches!(c, '-' | '.' | '_' | '/' | '+' | '&' | '\'')
}

/// How long the word is that a text begins with, in bytes.
fn word_length(text: &str) -> usize {
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let goes_on = is_letter(c) || is_joint(c) && characters.peek().is_some_and(|(_, next)| is_letter(*next));
        if !goes_on {
            return at;
        }
    }
    text.len()
}

/// A word as it is indexed: no longer than counts.
pub(super) fn clip(word: &str) -> &str {
    let end = word.char_indices().nth(WORD_CHARACTERS_MAX).map_or(word.len(), |(at, _)| at);
    &word[..end]
}

/// What a word is found by besides itself: the parts that are joined in it, and figure and unit of `50gwh`. Single
/// characters say too little.
pub(super) fn word_parts(word: &str) -> Vec<&str> {
    let is_decimal = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let joined: Vec<&str> = word.split(is_joint).collect();
    let mut parts = Vec::new();
    if joined.len() > 1 && !is_decimal {
        parts.extend(joined.iter().copied());
    }
    for part in joined {
        let figures = part.bytes().take_while(u8::is_ascii_digit).count();
        let (figure, unit) = part.split_at(figures);
        if !figure.is_empty() && !unit.is_empty() && unit.chars().all(char::is_alphabetic) {
            parts.extend([figure, unit]);
        }
    }
    parts.retain(|part| part.chars().nth(1).is_some());
    parts
}

/// The pairs of a run: for each character its place, and the pair that it begins; the last one stands alone.
pub(super) fn pairs(run: &str) -> impl Iterator<Item = (usize, &str)> {
    let second = run.char_indices().skip(1).map(|(at, c)| at + c.len_utf8());
    let ends = second.chain(std::iter::once(run.len()));
    run.char_indices().map(|(at, _)| at).zip(ends).enumerate().map(|(place, (start, end))| (place, &run[start..end]))
}

/// What is indexed of a folded text: each term with its place. Between pieces that something else parts lies a gap.
pub(super) fn find_terms(text: &str) -> Vec<(usize, &str)> {
    let (mut terms, mut place, mut end) = (Vec::new(), 0, 0);
    for piece in pieces(text) {
        match piece {
            Piece::Run { start, text: run } => {
                place += usize::from(start > end);
                let mut characters = 0;
                for (offset, pair) in pairs(run) {
                    terms.push((place + offset, pair));
                    characters += 1;
                }
                (place, end) = (place + characters, start + run.len());
            }
            Piece::Word { start, text: word } => {
                place += usize::from(start > end);
                terms.push((place, clip(word)));
                terms.extend(word_parts(clip(word)).into_iter().map(|part| (place, part)));
                (place, end) = (place + 1, start + word.len());
            }
        }
    }
    terms
}

/// The single characters and the triples of the runs of a folded text.
pub(super) fn gram_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    for piece in pieces(text) {
        if let Piece::Run { text: run, .. } = piece {
            terms.extend(run.char_indices().map(|(at, c)| &run[at..at + c.len_utf8()]));
            terms.extend(triples(run));
        }
    }
    terms
}

/// Each three neighbours of a run.
pub(super) fn triples(run: &str) -> impl Iterator<Item = &str> {
    let ends = run.char_indices().map(|(at, c)| at + c.len_utf8()).skip(2);
    run.char_indices().zip(ends).map(|((start, _), end)| &run[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        pieces(text).map(|(Piece::Run { text, .. } | Piece::Word { text, .. })| text).collect()
    }

    #[test]
    fn chinese_and_words_are_pieces_of_their_own() {
        assert_eq!(texts("年产50gwh锂电池(一期)"), ["年产", "50gwh", "锂电池", "一期"]);
        assert_eq!(
            texts("42-7 xm002,10.5亩; 1+3+n r&d a- -b"),
            ["42-7", "xm002", "10.5", "亩", "1+3+n", "r&d", "a", "b"]
        );
        assert_eq!(texts("\u{0}\u{feff}😀\n\t\"'"), [""; 0]);
    }

    #[test]
    fn pairs_overlap_and_the_last_character_stands_alone() {
        let pairs: Vec<_> = pairs("锂电池").collect();
        assert_eq!(pairs, [(0, "锂电"), (1, "电池"), (2, "池")]);
        assert_eq!(super::pairs("县").collect::<Vec<_>>(), [(0, "县")]);
        assert_eq!(super::pairs("").count(), 0);
    }

    #[test]
    fn triples_overlap_and_do_not_reach_over_what_stands_between() {
        assert_eq!(triples("锂电池组").collect::<Vec<_>>(), ["锂电池", "电池组"]);
        assert_eq!(triples("锂电").count(), 0);
        assert_eq!(gram_terms("电池,组a件"), ["电", "池", "组", "件"]);
        assert_eq!(gram_terms("锂电池"), ["锂", "电", "池", "锂电池"]);
    }

    #[test]
    fn places_run_on_within_a_text_and_jump_where_something_stands_between() {
        let terms = find_terms("产50gwh电,池");
        assert_eq!(terms, [(0, "产"), (1, "50gwh"), (1, "50"), (1, "gwh"), (2, "电"), (4, "池")]);
    }

    #[test]
    fn figures_and_units_are_found_and_decimals_are_whole() {
        assert_eq!(word_parts("10.5"), [""; 0]);
        assert_eq!(word_parts("2026-07-01"), ["2026", "07", "01"]);
        assert_eq!(word_parts("42-7"), ["42"]);
        assert_eq!(word_parts("xm002"), [""; 0]);
        assert_eq!(word_parts("50gwh"), ["50", "gwh"]);
    }

    #[test]
    fn a_very_long_word_is_clipped_at_a_character() {
        let word = "é".repeat(1_000);
        assert_eq!(find_terms(&word), [(0, &word[..128])]);
    }
}
