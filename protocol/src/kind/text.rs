//! Text as people type it: full-width digits and brackets, stray spaces, byte order marks.

/// Ideographs and what stands among them: none of these characters has a lower case, and most text is made of them.
const IDEOGRAPHS: std::ops::RangeInclusive<char> = '\u{2e80}'..='\u{9fff}';

/// The half-width form of full-width ASCII and of the ideographic space; everything else as it is.
pub(super) fn narrow_char(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '−' => '-',
        _ => c,
    }
}

/// Half-width, without spaces and invisible marks: the form in which numbers, dates and codes are read.
pub(super) fn narrow(text: &str) -> String {
    let mut narrowed = String::with_capacity(text.len());
    push_narrow(&mut narrowed, text);
    narrowed
}

/// Appends the half-width form of a text.
pub(super) fn push_narrow(out: &mut String, text: &str) {
    // Most characters are themselves: stretches of them are copied as they are.
    let (mut copied, mut at) = (0, 0);
    while let Some(byte) = text.as_bytes().get(at) {
        if stays(*byte) {
            at += 1;
            continue;
        }
        let Some(c) = text[at..].chars().next() else { break };
        let narrowed = narrow_char(c);
        let shown = !narrowed.is_whitespace() && !is_invisible(narrowed);
        if narrowed != c || !shown {
            out.push_str(&text[copied..at]);
            out.extend(shown.then_some(narrowed));
            copied = at + c.len_utf8();
        }
        at += c.len_utf8();
    }
    out.push_str(&text[copied..]);
}

/// Whether a byte belongs to a character that is its own half-width form, or is not the first of its character.
fn stays(byte: u8) -> bool {
    match byte {
        0x00..0x80 => byte.is_ascii_graphic(),
        // The first bytes of blanks, of marks, and of full-width characters.
        0xc2 | 0xe1..=0xe3 | 0xef => false,
        _ => true,
    }
}

fn narrow_chars(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(narrow_char).filter(|c| !c.is_whitespace() && !is_invisible(*c))
}

/// The form in which headers and field names are compared: half-width, lower case, without spaces, invisible marks
/// and the `*` by which templates mark obligatory columns.
pub fn normalise_header(text: &str) -> String {
    let mut normalised = String::with_capacity(text.len());
    for c in narrow_chars(text) {
        match c {
            _ if c.is_ascii() => normalised.push(c.to_ascii_lowercase()),
            _ if IDEOGRAPHS.contains(&c) => normalised.push(c),
            _ => normalised.extend(c.to_lowercase()),
        }
    }
    match normalised.starts_with('*') || normalised.ends_with('*') {
        true => normalised.trim_matches('*').to_owned(),
        false => normalised,
    }
}

/// A header without its last bracket, and what the bracket holds: `计划投资(亿元)` is `计划投资` and `亿元`.
pub(super) fn split_unit(normalised: &str) -> Option<(&str, &str)> {
    let open = normalised.strip_suffix(')')?.rfind('(')?;
    let (name, bracket) = (&normalised[..open], &normalised[open + 1..normalised.len() - 1]);
    (!name.is_empty() && !bracket.is_empty()).then_some((name, bracket))
}

/// Whether a text shows nothing.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Whether a character shows nothing: a byte order mark or a zero-width space or joiner.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_spaces_and_marks_do_not_tell_headers_apart() {
        let plain = normalise_header("计划投资(亿元)");
        for header in ["计划投资（亿元）", " 计划投资 （ 亿元 ）", "\u{feff}计划投资（亿元）*", "计划投资　（亿元）"]
        {
            assert_eq!(normalise_header(header), plain);
        }
        assert_eq!(normalise_header("GDP"), normalise_header("ｇｄｐ"));
    }

    #[test]
    fn ideographs_have_no_lower_case() {
        for c in IDEOGRAPHS {
            assert!(c.to_lowercase().eq([c]), "{c}");
        }
        assert_eq!(normalise_header("**ÄΣＫw·h项目*"), "äσkw·h项目");
    }

    #[test]
    fn every_character_is_narrowed_wherever_it_stands() {
        for c in '\0'..=char::MAX {
            let expected: String = narrow_chars(&c.to_string()).collect();
            assert_eq!(narrow(&c.to_string()), expected, "{c:?}");
            assert_eq!(narrow(&format!("县{c}x{c}")), format!("县{expected}x{expected}"), "{c:?}");
        }
        assert_eq!(narrow("ab c\u{feff}（１）"), "abc(1)");
    }

    #[test]
    fn the_last_bracket_is_the_unit() {
        assert_eq!(split_unit("计划投资(亿元)"), Some(("计划投资", "亿元")));
        assert_eq!(split_unit("县(市、区)"), Some(("县", "市、区")));
        assert_eq!(split_unit("名称"), None);
        assert_eq!(split_unit("()"), None);
    }
}
