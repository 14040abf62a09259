//! Tests of kinds across their modules.

mod cells;
mod filters;
mod records;
pub(crate) mod rules;
mod set;

use super::{Kind, KindSet};

/// A kind of the built-in set.
pub(super) fn kind(name: &str) -> &'static Kind {
    KindSet::builtin().kind_named(name).expect("the built-in set has the kind")
}
