//! The set of kinds that a record is judged under, and its hash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::condition::Condition;
use super::derived::Formula;
use super::file::ConditionFile;
use super::file::{Unfinished, read_common};
use super::text::normalise_header;
use super::withhold::Withholding;
use super::{Kind, KindFileError, codes};
use crate::identity::ContentHash;

/// The version of the built-in set, which statements name and the charter resolves to its hash.
pub const KIND_SET_VERSION: u16 = 1;

/// The files of the built-in set: whatever lies in `kinds/`.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/kind_files.rs"));
/// The file of rules for every kind.
const COMMON_FILE: &str = "common.toml";

static BUILTIN: LazyLock<KindSet> =
    LazyLock::new(|| KindSet::parse(FILES).expect("the embedded kind files are checked by the tests of this module"));

/// Kinds, and the hash over all that decides whether a record is valid under them.
#[derive(Debug, Clone)]
pub struct KindSet {
    kinds: BTreeMap<u16, Kind>,
    /// Numbers by the names that kinds go by, normalised: names are asked for with each record.
    names: BTreeMap<String, u16>,
    hash: ContentHash,
}

impl KindSet {
    /// The set of this build.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// The files of the set of this build, by name: a set with one more kind is these and one more file.
    pub fn builtin_files() -> &'static [(&'static str, &'static str)] {
        FILES
    }

    /// Reads and checks kind files, given as names and contents in any order.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, KindFileError> {
        let (mut kinds, mut unfinished, mut contents) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        let (mut names, mut common) = (BTreeMap::new(), Vec::new());
        for (file, content) in files {
            if *file == COMMON_FILE {
                common = read_common(file, content)?;
                contents.insert(0, (*file, *content));
                continue;
            }
            let parsed = Unfinished::parse(file, content)?;
            let error = |rule: String| KindFileError::Kind { file: (*file).to_owned(), rule };
            let kind = &parsed.kind;
            let own: BTreeSet<String> = [kind.name(), kind.zh(), kind.en()].map(normalise_header).into();
            if let Some(name) = own.iter().find(|name| names.contains_key(*name)) {
                return Err(error(format!("the name `{name}` already means another kind")));
            }
            let number = kind.number();
            names.extend(own.into_iter().map(|name| (name, number)));
            contents.insert(number, (*file, *content));
            if let Some(other) = kinds.insert(number, kind.clone()) {
                return Err(error(format!("number {number} already belongs to `{}`", other.name())));
            }
            unfinished.push(parsed);
        }
        let hash = hash_files(contents.into_values().chain(codes::FILES));
        let mut finished = BTreeMap::new();
        for parsed in unfinished {
            let mut kind = parsed.finish(&kinds)?;
            let rules = common.iter().filter_map(|rule| rule.of(&kind));
            kind.withhold = Withholding::new(rules.chain(kind.withhold.rules().iter().cloned()).collect());
            finished.insert(kind.number(), kind);
        }
        check_states(&finished)?;
        Ok(Self { kinds: finished, names, hash })
    }

    /// BLAKE3 over the file of common rules, the kind files in the order of their numbers, and the code tables in the order of their names.
    ///
    /// Of each file: length of the name, name, length of the content, content; lengths are `u64`, little-endian, and
    /// lines end in a line feed whatever the checkout made of them.
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// Conditions about records of a kind of this set that stand in another file than its own.
    pub(crate) fn conditions(&self, kind: &Kind, raw: &[ConditionFile]) -> Result<Vec<Condition>, String> {
        super::file::conditions(kind, &self.kinds, raw)
    }

    /// The kinds in ascending order of their numbers.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.values()
    }

    /// The kind of that number.
    pub fn kind(&self, number: u16) -> Option<&Kind> {
        self.kinds.get(&number)
    }

    /// The kind whose records a sheet of that name holds: by a name of the kind, or one of its sheet names.
    pub fn kind_of_sheet(&self, name: &str) -> Option<&Kind> {
        let sheet = normalise_header(name);
        let goes_by = |kind: &&Kind| kind.sheet_names().iter().any(|name| normalise_header(name) == sheet);
        self.kind_named(name).or_else(|| self.kinds().find(goes_by))
    }

    /// The kind of that English or Chinese name.
    pub fn kind_named(&self, name: &str) -> Option<&Kind> {
        self.kind(*self.names.get(&normalise_header(name))?)
    }
}

/// A condition that asks for a state which no record can be in would never hold, or always.
fn check_states(kinds: &BTreeMap<u16, Kind>) -> Result<(), KindFileError> {
    for kind in kinds.values() {
        let checks = kind.checks().iter().flat_map(|check| check.when.iter().chain(&check.needs));
        let steps = kind.lifecycle().into_iter().flat_map(|lifecycle| lifecycle.transitions());
        let conditions = checks.chain(steps.flat_map(|step| &step.needs));
        let own = conditions.map(|condition| (kind, condition));
        let figures = kind.derived().iter().filter_map(|derived| match &derived.formula {
            Formula::Sum(linked, _) | Formula::Count(linked) => Some(linked),
            _ => None,
        });
        let of_others = figures.filter_map(|linked| Some((kinds.get(&linked.kind)?, linked)));
        let of_others = of_others.flat_map(|(other, linked)| linked.conditions.iter().map(move |found| (other, found)));
        let unknown = own.chain(of_others).find_map(|(about, condition)| condition.unknown_state(about, kinds));
        if let Some((about, state)) = unknown {
            let rule = format!("`{state}` is no state of `{about}`");
            return Err(KindFileError::Kind { file: format!("{}.toml", kind.name()), rule });
        }
    }
    Ok(())
}

fn hash_files<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> ContentHash {
    let mut bytes = Vec::new();
    for (name, content) in files {
        for text in [name.to_owned(), content.replace("\r\n", "\n")] {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    ContentHash::of(&bytes)
}
