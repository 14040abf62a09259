//! The files of the index: what they are, which version they are of, and how they go.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use super::error::SearchError;
use super::limits::SCHEMA_VERSION;
use super::names;

/// The file that says of which version the others are.
const VERSION: &str = "version";
/// Characters of the name of a segment's files before the dot.
const SEGMENT_NAME_CHARACTERS: usize = 32;

/// How the names of files begin that are written before they replace others.
const UNFINISHED: &str = ".tmp";

/// Of which version an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// There is none.
    None,
    /// There are files, and nothing says what they are.
    Unknown,
    /// Of another.
    Other,
    /// Of this one.
    Ours,
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> SearchError + '_ {
    move |source| SearchError::File { path: path.to_owned(), source }
}

/// What the file says. Words and codes that come from elsewhere belong to it: with others, the words of records end
/// elsewhere, and numbers stand for other codes.
fn expected() -> String {
    format!("{SCHEMA_VERSION} {}\n", names::fingerprint())
}

/// Makes the directory so that only its owner can enter.
pub(super) fn private_directory(directory: &Path) -> Result<(), SearchError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(file_error(directory))?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).map_err(file_error(directory))
}

/// The version of what is there.
pub(super) fn version(directory: &Path) -> Result<Version, SearchError> {
    let path = directory.join(VERSION);
    match fs::read(&path) {
        Ok(found) if found == expected().as_bytes() => Ok(Version::Ours),
        Ok(found) if is_version(&found) => Ok(Version::Other),
        Ok(_) => Ok(Version::Unknown),
        Err(error) if error.kind() == ErrorKind::NotFound => match index_files(directory)?.is_empty() {
            true => Ok(Version::None),
            false => Ok(Version::Unknown),
        },
        Err(error) => Err(file_error(&path)(error)),
    }
}

/// Whether a text is the version of any index.
fn is_version(found: &[u8]) -> bool {
    let text = std::str::from_utf8(found).ok().and_then(|text| text.strip_suffix('\n'));
    text.and_then(|text| text.split_once(' ')).is_some_and(|(number, fingerprint)| {
        number.parse::<u32>().is_ok() && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Says durably of which version the files are.
pub(super) fn write_version(directory: &Path) -> Result<(), SearchError> {
    let path = directory.join(VERSION);
    fs::write(&path, expected()).map_err(file_error(&path))?;
    let sync = |path: &Path| fs::File::open(path).and_then(|file| file.sync_all()).map_err(file_error(path));
    sync(&path)?;
    sync(directory)
}

/// Removes the files of the index, the version first: what is left of a removal that was cut short is of no version.
pub(super) fn remove_index(directory: &Path) -> Result<(), SearchError> {
    let version = directory.join(VERSION);
    for path in std::iter::once(version).chain(index_files(directory)?) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(file_error(&path)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Removes what a process that was killed had begun to write, before anybody else writes.
pub(super) fn remove_unfinished(directory: &Path) -> Result<(), SearchError> {
    for path in index_files(directory)? {
        let is_unfinished = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED));
        if is_unfinished {
            fs::remove_file(&path).map_err(file_error(&path))?;
        }
    }
    Ok(())
}

/// The files that an index makes; nothing else is ever removed.
pub(super) fn index_files(directory: &Path) -> Result<Vec<std::path::PathBuf>, SearchError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(file_error(directory))? {
        let entry = entry.map_err(file_error(directory))?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && is_index_file(&entry.file_name().to_string_lossy()) {
            files.push(entry.path());
        }
    }
    Ok(files)
}

fn is_index_file(name: &str) -> bool {
    let of_segment = name.split_once('.').is_some_and(|(segment, _)| {
        segment.len() == SEGMENT_NAME_CHARACTERS && segment.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    of_segment
        || matches!(name, "meta.json" | ".managed.json")
        || name.starts_with(".tantivy-")
        || name.starts_with(UNFINISHED)
}
