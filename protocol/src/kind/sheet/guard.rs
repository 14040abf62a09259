//! A guard against formulas in CSV files.
//!
//! A spreadsheet program takes a text that begins with `=` for a formula, and runs it on the machine of whoever opens
//! the file. [`guard`] puts an apostrophe before such a text and [`strip_guard`] takes it off again, so that a text
//! comes back as it went: an apostrophe that stood there already gets a second one. Workbooks need neither, since a
//! text cell says that it is one.

use std::borrow::Cow;

/// What marks a cell as text.
const GUARD: char = '\'';

/// Whether a spreadsheet program may take a text that begins so for something to run. It may read full-width signs as
/// if they were half-width.
fn is_dangerous(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠')
}

/// Whether the text behind any apostrophes begins dangerously.
fn hides_danger(text: &str) -> bool {
    text.trim_start_matches(GUARD).starts_with(is_dangerous)
}

/// The text as a cell of a CSV file.
pub fn guard(text: &str) -> Cow<'_, str> {
    if hides_danger(text) { Cow::Owned(format!("{GUARD}{text}")) } else { Cow::Borrowed(text) }
}

/// The text that a cell of a CSV file holds.
pub fn strip_guard(cell: &str) -> &str {
    cell.strip_prefix(GUARD).filter(|rest| hides_danger(rest)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_run_is_marked_as_text() {
        for text in ["=1+1", "+86 23", "-5以上", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(guard(text), format!("'{text}"));
        }
        for text in ["", "奉节县", "0153", "约-5", "'引号'", "'", "a=b"] {
            assert_eq!(guard(text), text);
            assert_eq!(strip_guard(text), text);
        }
    }

    #[test]
    fn every_text_comes_back_as_it_went() {
        for text in ["=1+1", "'=1", "''=1", "'", "''", "'甲", "-", "'-", "－5", "甲'=1"] {
            assert_eq!(strip_guard(&guard(text)), text);
        }
    }
}
