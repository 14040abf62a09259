//! Text as it is compared: half-width, lower case, each character in its place.

/// The form in which a character is compared: half-width and lower case. One character stays one character, so places
/// in a folded text are places in the text.
pub(super) fn fold_char(c: char) -> char {
    let narrow = match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '−' | '–' | '—' => '-',
        _ => c,
    };
    match narrow {
        'A'..='Z' => narrow.to_ascii_lowercase(),
        // No character of these has a lower case, and most text is made of them.
        '\0'..='\x7f' | '\u{2e80}'..='\u{d7ff}' => narrow,
        _ => narrow.to_lowercase().next().unwrap_or(narrow),
    }
}

/// A folded text.
pub(super) fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// Whether a character belongs to a script that writes words without spaces between them: Chinese, Japanese, Korean.
pub(super) fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_and_capitals_do_not_tell_texts_apart() {
        assert_eq!(fold("５０ＧＷｈ　Node－１"), "50gwh node-1");
        assert_eq!(fold("锂电池（一期）"), "锂电池(一期)");
    }

    #[test]
    fn one_character_stays_one_character() {
        for c in '\0'..=char::MAX {
            assert_eq!(fold(&format!("县{c}x")).chars().count(), 3, "{c:?}");
        }
    }
}
