//! Where a data directory was made, so that a copy knows that it is one (DESIGN 3.7).
//!
//! The file `place` names the machine and itself: inode and time of birth. A copied, restored or unpacked
//! file is another one and does not fit what it says; then nothing on this disk proves where the own log ends, and
//! the node asks the members. What keeps all of these, such as a snapshot of a whole virtual machine, is not seen.
//!
//! The file also remembers that entries were signed here, so that a directory which lost everything else does not
//! begin its log anew. No file at all, as after a recovery from a kit, is as good as a copy.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::directory::{DirectoryError, file_error, sync_parent};

/// What tells machines apart; it need not be there.
const MACHINE_ID: &str = "/etc/machine-id";
/// Opens the file, for whoever looks into it.
const HEADING: &str = "# 本目录所在的位置；请勿复制或修改。Where this directory is; do not copy or edit.\n";

/// Why a data directory is not known to be the one in which its log was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// There is no witness.
    Absent,
    /// The witness cannot be read.
    Unreadable,
    /// It names another machine.
    Machine,
    /// It names another file.
    File,
}

/// What the witness says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// The directory is where it was.
    Fits {
        /// Whether entries were signed here.
        signed: bool,
    },
    /// The directory may be a copy.
    Differs(Difference),
}

/// The content of the file. Numbers are text, because TOML has none as long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    machine: String,
    inode: String,
    /// Nanoseconds since 1970; empty where the filesystem does not know. Inodes are used again, moments are not.
    born: String,
    /// Asked only where the birth is not known: the numbers of disks change from one start of a machine to the next.
    device: String,
    signed: bool,
}

impl Place {
    fn is_file_of(&self, is: &Self) -> bool {
        let same_birth = self.born == is.born && (!self.born.is_empty() || self.device == is.device);
        self.inode == is.inode && same_birth
    }

    /// The place of an open file on this machine.
    fn of(file: &File, signed: bool) -> std::io::Result<Self> {
        let metadata = file.metadata()?;
        let born = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(Self {
            machine: machine(),
            device: metadata.dev().to_string(),
            inode: metadata.ino().to_string(),
            born: born.map(|since| since.as_nanos().to_string()).unwrap_or_default(),
            signed,
        })
    }
}

/// A digest of the machine's id: the id itself is not for everybody who sees a backup.
fn machine() -> String {
    let id = fs::read_to_string(MACHINE_ID).unwrap_or_default();
    if id.trim().is_empty() { String::new() } else { blake3::hash(id.trim().as_bytes()).to_hex()[..16].to_owned() }
}

fn witness_path(directory: &Path) -> PathBuf {
    directory.join("place")
}

fn alone_path(directory: &Path) -> PathBuf {
    directory.join("confirm-alone")
}

/// Compares the witness of a data directory with where it is.
pub fn examine(directory: &Path) -> Witness {
    match read(&witness_path(directory)) {
        Ok(Some((said, is))) if said.machine != is.machine => Witness::Differs(Difference::Machine),
        Ok(Some((said, is))) if !said.is_file_of(&is) => Witness::Differs(Difference::File),
        Ok(Some((said, _))) => Witness::Fits { signed: said.signed },
        Ok(None) => Witness::Differs(Difference::Absent),
        Err(_) => Witness::Differs(Difference::Unreadable),
    }
}

/// What the file says, and what it should say.
fn read(path: &Path) -> std::io::Result<Option<(Place, Place)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let said: Place = toml::from_str(&std::io::read_to_string(&file)?).map_err(std::io::Error::other)?;
    let is = Place::of(&file, said.signed)?;
    Ok(Some((said, is)))
}

/// Writes the witness anew: from now on the directory belongs here.
pub fn settle(directory: &Path, signed: bool) -> Result<(), DirectoryError> {
    let (path, beside) = (witness_path(directory), directory.join("place.new"));
    let write = || {
        let mut file = File::create(&beside)?;
        let place = Place::of(&file, signed)?;
        let text = toml::to_string(&place).map_err(std::io::Error::other)?;
        file.write_all(format!("{HEADING}{text}").as_bytes())?;
        file.sync_all()?;
        // A rename leaves device, inode and birth as they are.
        fs::rename(&beside, &path)
    };
    write().map_err(file_error(&path))?;
    sync_parent(&path)
}

/// Notes the operator's word that nobody else can confirm the head of the log. The running node takes it.
pub fn confirm_alone(directory: &Path) -> Result<(), DirectoryError> {
    let path = alone_path(directory);
    fs::write(&path, b"").map_err(file_error(&path))
}

/// Takes the operator's word, if it was given since the node started. An older one came with a copy or a backup and
/// counts for nothing.
pub fn take_alone(directory: &Path, started: SystemTime) -> bool {
    let path = alone_path(directory);
    let Ok(given) = fs::metadata(&path).and_then(|metadata| metadata.modified()) else { return false };
    // A file that cannot be removed is too old for the next start.
    let _ = fs::remove_file(&path);
    given >= started
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_directory_fits_where_it_was_made_and_nowhere_else() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (here, there) = (folder.path().join("here"), folder.path().join("there"));
        fs::create_dir(&here).expect("a new directory");
        assert_eq!(examine(&here), Witness::Differs(Difference::Absent));
        settle(&here, false).expect("the directory can be written to");
        assert_eq!(examine(&here), Witness::Fits { signed: false });
        settle(&here, true).expect("the directory can be written to");
        assert_eq!(examine(&here), Witness::Fits { signed: true });
        fs::create_dir(&there).expect("a new directory");
        fs::copy(witness_path(&here), witness_path(&there)).expect("a copy");
        assert_eq!(examine(&there), Witness::Differs(Difference::File));
        // A directory that is only renamed is the same one.
        let renamed = folder.path().join("renamed");
        fs::rename(&here, &renamed).expect("on one filesystem");
        assert_eq!(examine(&renamed), Witness::Fits { signed: true });
        fs::write(witness_path(&there), "machine = 1").expect("a file");
        assert_eq!(examine(&there), Witness::Differs(Difference::Unreadable));
    }

    #[test]
    fn another_machine_is_another_place() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        settle(folder.path(), true).expect("the directory can be written to");
        let path = witness_path(folder.path());
        let text = fs::read_to_string(&path).expect("it was written");
        let machine = machine();
        fs::write(&path, text.replace(&format!("machine = \"{machine}\""), "machine = \"other\"")).expect("a file");
        assert_eq!(examine(folder.path()), Witness::Differs(Difference::Machine));
    }

    #[test]
    fn the_operators_word_counts_once_and_only_when_it_is_fresh() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let started = SystemTime::now() - Duration::from_secs(10);
        assert!(!take_alone(folder.path(), started));
        confirm_alone(folder.path()).expect("the directory can be written to");
        assert!(!take_alone(folder.path(), SystemTime::now() + Duration::from_secs(10)), "it came with a backup");
        confirm_alone(folder.path()).expect("the directory can be written to");
        assert!(take_alone(folder.path(), started));
        assert!(!take_alone(folder.path(), started), "once");
    }
}
