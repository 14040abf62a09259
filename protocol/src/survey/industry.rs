//! What a code of an industry (GB/T 4754) means: its class of four digits, or its group of three.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::kind::codes::{self, INDUSTRIES};

/// Digits of a class.
const CLASS_DIGITS: usize = 4;
/// Digits of a group.
const GROUP_DIGITS: usize = 3;

/// An industry by code and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Industry {
    /// Its code.
    pub code: String,
    /// Its name; empty when there is none.
    pub name: String,
}

/// Of each wider code the only class below it; `None` where there are several.
static ONLY_CLASSES: LazyLock<BTreeMap<String, Option<String>>> = LazyLock::new(|| {
    let mut only: BTreeMap<String, Option<String>> = BTreeMap::new();
    let entries = codes::table(INDUSTRIES).into_iter().flat_map(codes::CodeTable::entries);
    for (class, _) in entries.filter(|(code, _)| code.len() == CLASS_DIGITS) {
        for digits in 2..CLASS_DIGITS {
            let seen = |known: &mut Option<String>| *known = None;
            only.entry(class[..digits].to_owned()).and_modify(seen).or_insert_with(|| Some(class.to_owned()));
        }
    }
    only
});

/// The class that a code means: its own, or the only one of a wider code. `None` where a wider code leaves it open.
pub fn class_of(code: &str) -> Option<String> {
    let is_class = code.len() == CLASS_DIGITS && codes::table(INDUSTRIES).is_some_and(|table| table.contains(code));
    match is_class {
        true => Some(code.to_owned()),
        false => ONLY_CLASSES.get(code).cloned().flatten(),
    }
}

/// The group that a code belongs to; a wider code stays as it is.
pub fn group_of(code: &str) -> &str {
    code.get(..GROUP_DIGITS).unwrap_or(code)
}

/// Whether `wide` is `narrow` or a group that it belongs to.
pub fn covers(wide: &str, narrow: &str) -> bool {
    codes::table(INDUSTRIES).is_some_and(|table| table.covers(wide, narrow))
}

/// The industry of that name, if one alone has it.
pub fn named(name: &str) -> Option<&'static str> {
    match codes::table(INDUSTRIES)?.codes_named(name) {
        [code] => Some(code),
        _ => None,
    }
}

/// An industry by its code.
pub fn industry(code: &str) -> Industry {
    let name = codes::table(INDUSTRIES).and_then(|table| table.name_of(code));
    Industry { code: code.to_owned(), name: name.unwrap_or_default().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_code_means_a_class_where_there_is_one_only() {
        assert_eq!(class_of("3841").as_deref(), Some("3841"));
        assert_eq!(class_of("384"), None, "there are several sorts of batteries");
        assert_eq!(class_of("412").as_deref(), Some("4120"));
        assert_eq!((class_of("17"), class_of("C"), class_of("9999"), class_of("")), (None, None, None, None));
        assert_eq!((group_of("3841"), group_of("384"), group_of("38"), group_of("C")), ("384", "384", "38", "C"));
        assert_eq!(industry("3841").name, "锂离子电池制造");
        assert_eq!(named("棉纺纱加工"), Some("1711"));
    }
}
