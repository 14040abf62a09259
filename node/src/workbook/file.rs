//! Writing a file beside the place where it goes, and giving it its name when it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::WriteError;

/// A file that is being written. Dropped before it is given its name, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Beside {
    path: PathBuf,
    partial: PathBuf,
}

impl Beside {
    /// A file that will be `path`, in the same directory, so that the rename cannot fail half-way.
    pub(super) fn create(path: &Path) -> Result<(Self, File), WriteError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let beside = Self { path: path.to_owned(), partial: path.with_file_name(name) };
        let file = File::create(&beside.partial).map_err(|error| beside.failure(error))?;
        Ok((beside, file))
    }

    /// Where the file goes, for messages.
    pub(super) fn failure(&self, source: io::Error) -> WriteError {
        WriteError::File { path: self.path.clone(), source }
    }

    /// Gives the file its name, once it is on the disk.
    pub(super) fn place(self, file: &File, overwrite: bool) -> Result<(), WriteError> {
        file.sync_all().map_err(|error| self.failure(error))?;
        if !overwrite && self.path.exists() {
            return Err(WriteError::Exists(self.path.clone()));
        }
        fs::rename(&self.partial, &self.path).map_err(|error| self.failure(error))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After the rename there is nothing left to remove.
        drop(fs::remove_file(&self.partial));
    }
}

/// The directory in which a file lies.
pub(super) fn directory(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gets_its_name_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("甲.xlsx");
        drop(Beside::create(&path).expect("the directory is writable"));
        assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0);

        let (beside, file) = Beside::create(&path).expect("the directory is writable");
        beside.place(&file, false).expect("nothing is in the way");
        let (beside, file) = Beside::create(&path).expect("the directory is writable");
        assert!(matches!(beside.place(&file, false), Err(WriteError::Exists(_))));
        let (beside, file) = Beside::create(&path).expect("the directory is writable");
        beside.place(&file, true).expect("it may be overwritten");
        assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1);
    }
}
