//! Topics of pooled needs, as `survey/topics.toml` says them.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::kind::normalise_header;

const FILE: &str = include_str!("../../../survey/topics.toml");

/// The topics of this build.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topics {
    /// Grows with every change that alters an answer.
    pub version: u32,
    /// Categories of demands that seek something else than the facility.
    pub not_categories: Vec<String>,
    /// The topics, the first that fits wins.
    #[serde(rename = "topic")]
    pub topics: Vec<Topic>,
}

/// One topic.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The identifier.
    pub name: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// The service of a pooled need that it is.
    pub service: String,
    /// Words that mean it.
    pub words: Vec<String>,
    /// The fields of a pooled need that take figures of its units.
    pub fields: Vec<String>,
}

static TOPICS: LazyLock<Topics> =
    LazyLock::new(|| toml::from_str(FILE).expect("the file is part of the build, and a test reads it"));

/// The topics of this build.
pub fn topics() -> &'static Topics {
    &TOPICS
}

impl Topics {
    /// The first topic of which a word stands in one of the texts.
    pub fn of_texts<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Option<&Topic> {
        let text = texts.into_iter().map(normalise_header).collect::<Vec<_>>().join("\n");
        self.topics.iter().find(|topic| topic.words.iter().any(|word| text.contains(&normalise_header(word))))
    }

    /// Whether a demand of the category is no need of a facility.
    pub fn is_other(&self, category: &str) -> bool {
        self.not_categories.iter().any(|other| normalise_header(other) == normalise_header(category))
    }
}
