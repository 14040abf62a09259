//! The kinds in use by this process: those of this build, and the extra kind files of a directory (DESIGN 6.3, Q50).
//!
//! [`install`] is called once, when the process starts; [`kinds`] is what everybody asks afterwards. A set in use is
//! always the built-in one and whole further kinds, so a statement under any version that the charter resolves to the
//! built-in files and a selection of the extra ones can be judged here ([`readable`]), and a record is stated under the
//! version that most members can read ([`stated_version`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use protocol::identity::ContentHash;
use protocol::kind::{KIND_SET_VERSION, Kind, KindFileError, KindSet};
use serde::Deserialize;
use thiserror::Error;

/// Files of a directory of extra kinds.
pub const EXTRA_FILES_MAX: usize = 64;
/// Bytes of one extra kind file.
pub const EXTRA_FILE_BYTES_MAX: u64 = 256 * 1024;
/// Extra files of which every selection is tried as a set that the charter may name; beyond it only the built-in set,
/// the set in use and those that leave out the newest files are known.
const SELECTION_FILES_MAX: usize = 6;

mod schema;
#[cfg(test)]
mod tests;
mod view;

pub use schema::schemas;
pub use view::{field_view, kind_view, kinds_status, set_view};

static INSTALLED: OnceLock<Installed> = OnceLock::new();
static BUILTIN: OnceLock<Installed> = OnceLock::new();

/// The sets of kinds that a charter names, by version.
pub type NamedSets = BTreeMap<u16, ContentHash>;

/// The kinds in use and where they come from.
#[derive(Debug)]
pub struct Installed {
    /// With extra files; `None` is the built-in one, which is read when it is first asked for: most commands never do.
    set: Option<KindSet>,
    /// Names and contents.
    extra: Vec<(String, String)>,
    directory: Option<PathBuf>,
    /// Sets that are the built-in files and a selection of the extra ones, with the extra kinds of each.
    known: OnceLock<BTreeMap<ContentHash, BTreeSet<u16>>>,
}

/// Why extra kinds cannot be used. One variant for each rule; the text is for people, with the way out behind it.
#[derive(Debug, Error)]
pub enum KindsError {
    /// The directory or one of its files cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Too many files.
    #[error("{} holds more than {EXTRA_FILES_MAX} kind files", directory.display())]
    TooMany {
        /// The directory.
        directory: PathBuf,
    },
    /// A file that is too long.
    #[error("{file} is longer than {EXTRA_FILE_BYTES_MAX} bytes")]
    TooLong {
        /// The file.
        file: String,
    },
    /// A file that is no UTF-8.
    #[error("{file} is not UTF-8 text")]
    NotText {
        /// The file.
        file: String,
    },
    /// An extra file that redefines a kind of this build.
    #[error("{file}: {key} `{value}` belongs to the built-in kind `{kind}`")]
    Redefines {
        /// The file.
        file: String,
        /// `number`, `name`, `zh`, `en` or `file`.
        key: &'static str,
        /// What it says there.
        value: String,
        /// The built-in kind, or the built-in file of that name.
        kind: String,
    },
    /// A file that breaks a rule of kind files, or contradicts another.
    #[error(transparent)]
    Rule(#[from] KindFileError),
    /// Kinds are installed already.
    #[error("the kinds of this process are installed already")]
    Installed,
}

impl KindsError {
    /// What is wrong, in Chinese; the rule itself is named as the reader of kind files words it.
    pub fn zh(&self) -> String {
        match self {
            Self::File { path, source } => format!("读不了 {}：{source}", path.display()),
            Self::TooMany { directory } => {
                format!("{} 里的类别文件多于 {EXTRA_FILES_MAX} 个。", directory.display())
            }
            Self::TooLong { file } => format!("类别文件 {file} 超过 {EXTRA_FILE_BYTES_MAX} 字节。"),
            Self::NotText { file } => format!("类别文件 {file} 不是 UTF-8 文本。"),
            Self::Redefines { file, key, value, kind } => {
                format!("类别文件 {file} 的 {key}“{value}”已属于内置类别 {kind}；附加文件不能改写内置类别。")
            }
            Self::Rule(KindFileError::Field { file, field, rule }) => {
                format!("类别文件 {file} 的字段“{field}”不合规则：{rule}")
            }
            Self::Rule(KindFileError::Kind { file, rule }) => format!("类别文件 {file} 不合规则：{rule}"),
            Self::Rule(error) => format!("类别文件写法不对：{error}"),
            Self::Installed => "本进程的类别已经装好，不能再换。".to_owned(),
        }
    }

    /// The way out, in Chinese and English.
    pub fn fix(&self) -> (&'static str, &'static str) {
        match self {
            Self::Redefines { .. } => (
                "请换一个没有用过的编号和名称；内置类别的清单见 xianmeng kinds。",
                "take a number and names that are free; `xianmeng kinds` lists those in use",
            ),
            _ => (
                "请改正文件，再用 xianmeng kinds check 文件… 核对。",
                "correct the file and check it with `xianmeng kinds check FILE...`",
            ),
        }
    }
}

/// The kinds in use by this process: those of this build until [`install`] said otherwise.
pub fn kinds() -> &'static KindSet {
    installed().set()
}

/// The kinds in use with their extra files.
pub fn installed() -> &'static Installed {
    INSTALLED.get().unwrap_or_else(|| BUILTIN.get_or_init(Installed::builtin))
}

/// Puts the kinds of this process in use: those of this build and the files `*.toml` of `directory`. Once, at start.
///
/// # Errors
/// A directory or file that cannot be read or is too large, a file that breaks a rule or redefines a built-in kind, and
/// a second call.
pub fn install(directory: Option<&Path>) -> Result<(), KindsError> {
    let installed = match directory {
        Some(directory) => Installed::read(directory)?,
        None => Installed::builtin(),
    };
    INSTALLED.set(installed).map_err(|_| KindsError::Installed)
}

/// The built-in set with these files, given as names and contents.
///
/// # Errors
/// A file that breaks a rule or redefines a built-in kind.
pub fn extended(extra: &[(String, String)]) -> Result<KindSet, KindsError> {
    for (file, content) in extra {
        refuse_redefinition(file, content)?;
    }
    let added = extra.iter().map(|(file, content)| (file.as_str(), content.as_str()));
    let files: Vec<(&str, &str)> = KindSet::builtin_files().iter().copied().chain(added).collect();
    Ok(KindSet::parse(&files)?)
}

/// Reads one kind file within its bounds.
///
/// # Errors
/// One that cannot be read, is too long or is no text.
pub fn read_file(path: &Path) -> Result<(String, String), KindsError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let failed = |source| KindsError::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(failed)?.take(EXTRA_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > EXTRA_FILE_BYTES_MAX {
        return Err(KindsError::TooLong { file: name });
    }
    let content = String::from_utf8(bytes).map_err(|_| KindsError::NotText { file: name.clone() })?;
    Ok((name, content))
}

/// Whether a kind is one of this build.
pub fn is_builtin(kind: u16) -> bool {
    KindSet::builtin().kind(kind).is_some()
}

/// The version under which records of a kind are stated, if the charter `named` one that says what `kinds` says of it.
///
/// A built-in kind is stated under the built-in set where the charter names it, since every member reads that one; else,
/// and any further kind, under the set in use. Of several versions of one set the highest counts.
pub fn stated_version(named: &NamedSets, kinds: &KindSet, kind: u16) -> Option<u16> {
    let version_of =
        |hash: ContentHash| named.iter().rev().find(|(_, found)| **found == hash).map(|(version, _)| *version);
    let shared = if is_builtin(kind) { version_of(KindSet::builtin().hash()) } else { None };
    shared.or_else(|| version_of(kinds.hash()))
}

/// Whether what was stated of a kind under a version of the charter's sets can be judged with `kinds`.
pub fn readable(named: &NamedSets, kinds: &KindSet, version: u16, kind: u16) -> bool {
    let Some(hash) = named.get(&version) else {
        // A charter that resolves nothing leaves the founding set to the build.
        return version == KIND_SET_VERSION && is_builtin(kind);
    };
    if *hash == kinds.hash() {
        return kinds.kind(kind).is_some();
    }
    if *hash == KindSet::builtin().hash() {
        return is_builtin(kind);
    }
    let installed = installed();
    installed.set().hash() == kinds.hash()
        && installed.known().get(hash).is_some_and(|extra| is_builtin(kind) || extra.contains(&kind))
}

impl Installed {
    fn builtin() -> Self {
        Self { set: None, extra: Vec::new(), directory: None, known: OnceLock::new() }
    }

    fn read(directory: &Path) -> Result<Self, KindsError> {
        let extra = read_directory(directory)?;
        let set = extended(&extra)?;
        Ok(Self { set: Some(set), extra, directory: Some(directory.to_owned()), known: OnceLock::new() })
    }

    /// The kinds.
    pub fn set(&self) -> &KindSet {
        self.set.as_ref().unwrap_or_else(|| KindSet::builtin())
    }

    /// The names of the extra files.
    pub fn extra_files(&self) -> impl Iterator<Item = &str> {
        self.extra.iter().map(|(name, _)| name.as_str())
    }

    /// The directory of the extra files.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The sets that the charter may name and whose kinds are all in use, each with its extra kinds.
    fn known(&self) -> &BTreeMap<ContentHash, BTreeSet<u16>> {
        self.known.get_or_init(|| {
            let sets = selections(&self.extra).into_iter().filter_map(|files| extended(&files).ok());
            let extra = |set: &KindSet| set.kinds().map(Kind::number).filter(|number| !is_builtin(*number)).collect();
            sets.map(|set| (set.hash(), extra(&set))).collect()
        })
    }
}

/// Selections of the extra files that may have been a set of the federation once.
fn selections(extra: &[(String, String)]) -> Vec<Vec<(String, String)>> {
    if extra.len() > SELECTION_FILES_MAX {
        return (1..extra.len()).map(|length| extra[..length].to_vec()).collect();
    }
    let chosen = |mask: u32| {
        let files = extra.iter().enumerate().filter(move |(index, _)| mask & (1 << index) != 0);
        files.map(|(_, file)| file.clone()).collect()
    };
    (1..1_u32 << extra.len()).map(chosen).collect()
}

/// The kind files of a directory in the order of the numbers of their kinds.
fn read_directory(directory: &Path) -> Result<Vec<(String, String)>, KindsError> {
    let failed = |source| KindsError::File { path: directory.to_owned(), source };
    let mut paths = BTreeSet::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") && !is_hidden(&path) {
            paths.insert(path);
        }
        if paths.len() > EXTRA_FILES_MAX {
            return Err(KindsError::TooMany { directory: directory.to_owned() });
        }
    }
    let mut files = paths.iter().map(|path| read_file(path)).collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(|(_, content)| head(content).and_then(|head| head.number));
    Ok(files)
}

/// Editors and file managers leave such files behind.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// What decides whether a file redefines a built-in kind; the reader of kind files judges the rest.
#[derive(Deserialize)]
struct Head {
    number: Option<u16>,
    name: Option<String>,
    zh: Option<String>,
    en: Option<String>,
}

fn head(content: &str) -> Option<Head> {
    toml::from_str(content).ok()
}

fn refuse_redefinition(file: &str, content: &str) -> Result<(), KindsError> {
    let refuse = |key, value: String, kind: &str| {
        Err(KindsError::Redefines { file: file.to_owned(), key, value, kind: kind.to_owned() })
    };
    if KindSet::builtin_files().iter().any(|(name, _)| *name == file) {
        return refuse("file", file.to_owned(), file);
    }
    let Some(head) = head(content) else { return Ok(()) };
    if let Some((number, kind)) = head.number.and_then(|number| Some((number, KindSet::builtin().kind(number)?))) {
        return refuse("number", number.to_string(), kind.name());
    }
    for (key, value) in [("name", head.name), ("zh", head.zh), ("en", head.en)] {
        if let Some((value, kind)) = value.and_then(|name| Some((name.clone(), KindSet::builtin().kind_named(&name)?)))
        {
            return refuse(key, value, kind.name());
        }
    }
    Ok(())
}
