//! Why a question cannot be answered.

use thiserror::Error;

use crate::records::error::RecordError;
use crate::search::SearchError;

/// Why a question cannot be answered. What names a parameter also names the rule and the way out.
#[derive(Debug, Error)]
pub enum FindingError {
    /// A kind, field or condition.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A parameter that cannot be read.
    #[error("{en}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What is wrong, in Chinese.
        zh: String,
        /// What is wrong, in English.
        en: String,
        /// The way out, in Chinese.
        fix_zh: String,
        /// The way out, in English.
        fix_en: String,
    },
    /// The index is not open yet, or failed.
    #[error("the search index is not ready")]
    NotReady,
    /// The index.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// There are as many watches as a node keeps.
    #[error("there are as many watches as a node keeps")]
    WatchesFull,
    /// There is a watch of that name.
    #[error("there is a watch {0:?} already")]
    WatchExists(String),
    /// There is no such watch.
    #[error("there is no watch {0:?}")]
    WatchUnknown(String),
    /// A file of a watch.
    #[error(transparent)]
    Directory(#[from] crate::directory::DirectoryError),
}

impl FindingError {
    pub(super) fn parameter(
        name: &'static str,
        (zh, en): (impl Into<String>, impl Into<String>),
        (fix_zh, fix_en): (impl Into<String>, impl Into<String>),
    ) -> Self {
        Self::Parameter { name, zh: zh.into(), en: en.into(), fix_zh: fix_zh.into(), fix_en: fix_en.into() }
    }
}
