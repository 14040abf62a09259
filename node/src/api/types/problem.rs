//! What the HTTP API says when something is wrong, and to whom things belong.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every answer that is not a success, as RFC 9457 describes it, in two languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable identifier of the kind of error, for instance `field-missing`; also names the exit code's reason.
    pub code: String,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
    /// The way out, in Chinese; may be empty.
    #[serde(default)]
    pub fix_zh: String,
    /// The way out, in English; may be empty.
    #[serde(default)]
    pub fix_en: String,
    /// Further details by field or row, when there is more than one.
    #[serde(default)]
    pub details: Vec<ProblemDetail>,
}

/// One of several things wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetail {
    /// The field or position.
    pub at: String,
    /// The rule that is broken, by its stable identifier.
    pub code: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A member, shortly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberName {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
}
