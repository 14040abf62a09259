//! Where the words of a query stand in a text that is shown.

use std::ops::Range;

use super::query::Query;

/// A part of a text around what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The part.
    pub text: String,
    /// Where in it the words stand, in bytes.
    pub highlights: Vec<Range<usize>>,
}

/// Where the words of a query stand in a text: ranges of bytes, ascending, apart from each other.
pub fn highlight(_text: &str, _query: &Query) -> Vec<Range<usize>> {
    Vec::new()
}

/// The part of some texts that says most about why they are found: at most
/// [`super::limits::SNIPPET_CHARACTERS`] characters of the text in which most words stand.
pub fn snippet(texts: &[&str], _query: &Query) -> Option<Snippet> {
    let text = texts.first()?;
    Some(Snippet { text: (*text).to_owned(), highlights: Vec::new() })
}
