//! Tags: short texts by which filters and facets know what a record is.

use std::fmt;

use protocol::charter::Class;
use protocol::identity::MemberNumber;

/// What stands between the name of a field and its value; names of fields have none.
const SEPARATOR: char = '=';

/// What a filter asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// Is of the kind of that number.
    Kind(u16),
    /// Belongs to the member.
    Owner(MemberNumber),
    /// Belongs to a member of the class.
    OwnerClass(Class),
    /// Is in the state.
    State(&'a str),
    /// Lies in the division, which is given without its trailing zeros.
    Division(&'a str),
    /// Belongs to the industry or group.
    Industry(&'a str),
    /// Has the value in the field.
    Facet(&'a str, &'a str),
}

impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "k{kind}"),
            Self::Owner(owner) => write!(f, "o{owner}"),
            Self::OwnerClass(class) => write!(f, "c{}", class.name()),
            Self::State(state) => write!(f, "s{state}"),
            Self::Division(stem) => write!(f, "d{stem}"),
            Self::Industry(stem) => write!(f, "i{stem}"),
            Self::Facet(field, value) => write!(f, "f{}", facet(field, value)),
        }
    }
}

/// What is counted for a value of a field.
pub(super) fn facet(field: &str, value: &str) -> String {
    format!("{field}{SEPARATOR}{value}")
}

/// Field and value of what is counted.
pub(super) fn split_facet(text: &str) -> Option<(&str, &str)> {
    text.split_once(SEPARATOR)
}
