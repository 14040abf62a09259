//! Rules that are data of a build (of matching, duties, indicators): why a file of them is refused, and its name.

use thiserror::Error;

use crate::identity::ContentHash;

/// Why rules are refused. For those who write them, hence in English only.
#[derive(Debug, Error)]
pub enum RulesError {
    /// Not TOML, or not the keys of such rules.
    #[error("{file}: {source}")]
    Syntax {
        /// The file.
        file: &'static str,
        /// What the TOML reader says, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Something that the rules say does not fit the kinds or itself.
    #[error("{file}: {place}: {rule}")]
    Rule {
        /// The file.
        file: &'static str,
        /// Where in it: a duty, an indicator, `pair demand and fund`.
        place: String,
        /// What is wrong, and what would be right.
        rule: String,
    },
}

impl RulesError {
    /// For reading a file.
    pub(crate) fn syntax(file: &'static str) -> impl FnOnce(toml::de::Error) -> Self {
        move |source| Self::Syntax { file, source: Box::new(source) }
    }
}

/// The hash that names a version of a file of rules: BLAKE3 over it, lines ending in a line feed.
pub(crate) fn content_hash(content: &str) -> ContentHash {
    ContentHash::of(content.replace("\r\n", "\n").as_bytes())
}
