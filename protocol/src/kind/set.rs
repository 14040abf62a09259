//! The set of kinds that a record is judged under, and its hash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::text::normalise_header;
use super::{Kind, KindFileError, codes};
use crate::identity::ContentHash;

/// The version of the built-in set, which statements name and the charter resolves to its hash.
pub const KIND_SET_VERSION: u16 = 1;

/// The files of the built-in set.
const FILES: [(&str, &str); 6] = [
    ("member.toml", include_str!("../../kinds/member.toml")),
    ("resource.toml", include_str!("../../kinds/resource.toml")),
    ("demand.toml", include_str!("../../kinds/demand.toml")),
    ("project.toml", include_str!("../../kinds/project.toml")),
    ("fund.toml", include_str!("../../kinds/fund.toml")),
    ("contact.toml", include_str!("../../kinds/contact.toml")),
];

static BUILTIN: LazyLock<KindSet> =
    LazyLock::new(|| KindSet::parse(&FILES).expect("the embedded kind files are checked by the tests of this module"));

/// Kinds, and the hash over all that decides whether a record is valid under them.
#[derive(Debug, Clone)]
pub struct KindSet {
    kinds: BTreeMap<u16, Kind>,
    hash: ContentHash,
}

impl KindSet {
    /// The set of this build.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// The files of the set of this build, by name: a set with one more kind is these and one more file.
    pub fn builtin_files() -> &'static [(&'static str, &'static str)] {
        &FILES
    }

    /// Reads and checks kind files, given as names and contents in any order.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, KindFileError> {
        let (mut kinds, mut contents) = (BTreeMap::new(), BTreeMap::new());
        let mut names = BTreeSet::new();
        for (file, content) in files {
            let kind = Kind::parse(file, content)?;
            let error = |rule: String| KindFileError::Kind { file: (*file).to_owned(), rule };
            let own: BTreeSet<String> = [kind.name(), kind.zh(), kind.en()].map(normalise_header).into();
            if let Some(name) = own.iter().find(|name| names.contains(*name)) {
                return Err(error(format!("the name `{name}` already means another kind")));
            }
            names.extend(own);
            let number = kind.number();
            contents.insert(number, (*file, *content));
            if let Some(other) = kinds.insert(number, kind) {
                return Err(error(format!("number {number} already belongs to `{}`", other.name())));
            }
        }
        let hash = hash_files(contents.into_values().chain(codes::FILES));
        Ok(Self { kinds, hash })
    }

    /// BLAKE3 over the kind files in the order of their numbers and the code tables in the order of their names.
    ///
    /// Of each file: length of the name, name, length of the content, content; lengths are `u64`, little-endian, and
    /// lines end in a line feed whatever the checkout made of them.
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// The kinds in ascending order of their numbers.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.values()
    }

    /// The kind of that number.
    pub fn kind(&self, number: u16) -> Option<&Kind> {
        self.kinds.get(&number)
    }

    /// The kind of that English or Chinese name.
    pub fn kind_named(&self, name: &str) -> Option<&Kind> {
        let name = normalise_header(name);
        self.kinds().find(|kind| [kind.name(), kind.zh(), kind.en()].map(normalise_header).contains(&name))
    }
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
