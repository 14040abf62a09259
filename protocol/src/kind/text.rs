//! Text as people type it: full-width digits and brackets, stray spaces, byte order marks.

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
    text.chars().map(narrow_char).filter(|c| !c.is_whitespace() && !is_invisible(*c)).collect()
}

/// The form in which headers and field names are compared: half-width, lower case, without spaces, invisible marks
/// and the `*` by which templates mark obligatory columns.
pub fn normalise_header(text: &str) -> String {
    let text: String = narrow(text).chars().flat_map(char::to_lowercase).collect();
    text.trim_matches('*').to_owned()
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
    fn the_last_bracket_is_the_unit() {
        assert_eq!(split_unit("计划投资(亿元)"), Some(("计划投资", "亿元")));
        assert_eq!(split_unit("县(市、区)"), Some(("县", "市、区")));
        assert_eq!(split_unit("名称"), None);
        assert_eq!(split_unit("()"), None);
    }
}
