//! Files of a data directory: written as a whole or not at all, durable, and readable by nobody else where that counts.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::DirectoryError;

/// Turns an I/O error into one that names the file.
pub fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> DirectoryError + '_ {
    move |source| DirectoryError::File { path: path.to_owned(), source }
}

pub(super) fn content_error(path: &Path, reason: impl ToString) -> DirectoryError {
    DirectoryError::Content { path: path.to_owned(), reason: reason.to_string() }
}

/// Makes a directory that only its owner can enter.
pub fn private_directory(path: &Path) -> Result<(), DirectoryError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(file_error(path))?;
    // A directory that was there before keeps its mode otherwise.
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(file_error(path))
}

/// Writes a file that must not exist yet, durably.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), DirectoryError> {
    write_with(path, bytes, 0o644)
}

/// Writes a file that only its owner can read and that must not exist yet, durably.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), DirectoryError> {
    write_with(path, bytes, 0o600)
}

fn write_with(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DirectoryError> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path).map_err(file_error(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(file_error(path))?;
    sync_parent(path)
}

/// Replaces a file as a whole: written beside it, synced, renamed over it, and the directory synced.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), DirectoryError> {
    replace_with(path, bytes, 0o644)
}

/// Replaces a file that only its owner can read.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), DirectoryError> {
    replace_with(path, bytes, 0o600)
}

fn replace_with(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DirectoryError> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(mode);
    let mut file = options.open(&beside).map_err(file_error(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(file_error(&beside))?;
    fs::rename(&beside, path).map_err(file_error(path))?;
    sync_parent(path)
}

/// Removes a file durably; one that is gone already is as good.
pub fn remove_file(path: &Path) -> Result<(), DirectoryError> {
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(file_error(path)(error)),
    }
}

/// Makes the names in the directory of a file durable.
pub fn sync_parent(path: &Path) -> Result<(), DirectoryError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    // The parent of a bare file name is the empty path, which means the current directory.
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    fs::File::open(parent).and_then(|directory| directory.sync_all()).map_err(file_error(parent))
}

/// How many bytes the files below a directory take; what cannot be read counts as nothing.
pub(crate) fn bytes_in(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(bytes).sum()
}
