//! The files of the log: `current.jsonl`, closed ones by number, and `head`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::limits::{FILE_BYTES, FILES_MAX, SEQUENCE_MAX};
use crate::api::types::AccessEntry;
use crate::directory::{private_directory, replace_private, sync_parent};

/// The file that grows.
const CURRENT: &str = "current.jsonl";
/// Sequence and hash of the last line.
const HEAD: &str = "head";

/// What the chain begins with.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of a line: over everything in it but the hash itself.
pub(super) fn hash_of(entry: &AccessEntry) -> String {
    let content = AccessEntry { hash: String::new(), ..entry.clone() };
    let bytes = serde_json::to_vec(&content).expect("a line holds texts and numbers only");
    blake3::hash(&bytes).to_hex().to_string()
}

/// The files that hold lines, the oldest first; none where there is no log.
pub(super) fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = closed(path)?;
    files.extend(Some(path.join(CURRENT)).filter(|current| current.exists()));
    Ok(files)
}

/// The files that are full, the oldest first.
fn closed(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let entries = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().filter(|path| number(path).is_some()).collect();
    files.sort_by_key(|path| number(path));
    Ok(files)
}

/// The number of a closed file.
pub(super) fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".jsonl")?.parse().ok()
}

/// What `head` says.
pub(super) fn head(path: &Path) -> Option<(u64, String)> {
    let text = fs::read_to_string(path.join(HEAD)).ok()?;
    let (sequence, hash) = text.trim().split_once(' ')?;
    let sequence = sequence.parse().ok().filter(|sequence| *sequence <= SEQUENCE_MAX)?;
    Some((sequence, hash.to_owned()))
}

/// The latest lines, the last first.
pub(super) fn latest(path: &Path, count: usize) -> Vec<AccessEntry> {
    let mut found = Vec::new();
    for file in files(path).unwrap_or_default().iter().rev() {
        let text = fs::read_to_string(file).unwrap_or_default();
        let entries = text.lines().rev().filter_map(|line| serde_json::from_str(line).ok());
        found.extend(entries.take(count - found.len()));
        if found.len() >= count {
            break;
        }
    }
    found
}

/// Appends lines to the chain.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    file: Option<File>,
    length: u64,
    head: String,
}

impl Writer {
    /// A writer that goes on after the line with this sequence and hash.
    pub(super) fn new(path: &Path, length: u64, head: String) -> Self {
        Self { path: path.to_owned(), file: None, length, head }
    }

    /// Sequence of the last line.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Hash of the last line.
    pub(super) fn head(&self) -> &str {
        &self.head
    }

    /// Chains lines and makes them durable, all of them or none as far as the chain goes.
    pub(super) fn append(&mut self, lines: impl Iterator<Item = AccessEntry>) -> io::Result<()> {
        let (mut length, mut head, mut bytes) = (self.length, self.head.clone(), Vec::new());
        for mut entry in lines {
            length += 1;
            (entry.sequence, entry.previous) = (length, head);
            entry.hash = hash_of(&entry);
            serde_json::to_writer(&mut bytes, &entry)?;
            bytes.push(b'\n');
            head = entry.hash;
        }
        let before = self.open()?.metadata()?.len();
        let written = self.open().and_then(|file| file.write_all(&bytes).and_then(|()| file.sync_data()));
        if let Err(error) = written {
            // A line that is there in part would break the chain.
            let _ = self.open().and_then(|file| file.set_len(before));
            self.file = None;
            return Err(error);
        }
        (self.length, self.head) = (length, head);
        Ok(())
    }

    /// Remembers the last line beside the lines, and closes a file that is full. A failure loses no line.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        self.write_head()?;
        if self.open()?.metadata()?.len() > FILE_BYTES { self.rotate() } else { Ok(()) }
    }

    fn write_head(&self) -> io::Result<()> {
        let text = format!("{} {}\n", self.length, self.head);
        replace_private(&self.path.join(HEAD), text.as_bytes()).map_err(io::Error::other)
    }

    /// Whether the open file is still the one that has the name: somebody may have moved or deleted it.
    fn is_in_place(&self, file: &File) -> bool {
        let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let named = fs::metadata(self.path.join(CURRENT)).map(place);
        named.is_ok_and(|named| file.metadata().map(place).is_ok_and(|open| open == named))
    }

    fn open(&mut self) -> io::Result<&mut File> {
        if self.file.as_ref().is_some_and(|file| !self.is_in_place(file)) {
            self.file = None;
        }
        if self.file.is_none() {
            private_directory(&self.path).map_err(io::Error::other)?;
            let current = self.path.join(CURRENT);
            let mut options = OpenOptions::new();
            let file = options.create(true).read(true).append(true).mode(0o600).open(&current)?;
            cut_torn(&current, &file)?;
            sync_parent(&current).map_err(io::Error::other)?;
            if self.length == 0 && !self.path.join(HEAD).exists() {
                // From the first line on a log without this file is one that was tampered with.
                self.write_head()?;
            }
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::Error::other("the file is not open"))
    }

    /// Closes the file and drops the oldest beyond the bound.
    fn rotate(&mut self) -> io::Result<()> {
        self.file = None;
        let files = closed(&self.path)?;
        let next = files.last().and_then(|path| number(path)).unwrap_or_default() + 1;
        let target = self.path.join(format!("{next:06}.jsonl"));
        fs::rename(self.path.join(CURRENT), &target)?;
        let surplus = (files.len() + 1).saturating_sub(FILES_MAX);
        files.iter().take(surplus).try_for_each(fs::remove_file)?;
        sync_parent(&target).map_err(io::Error::other)
    }
}

/// Cuts off an unfinished line: a power cut left it, and nobody was told that it is there.
fn cut_torn(path: &Path, file: &File) -> io::Result<()> {
    let bytes = fs::read(path)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    if whole < bytes.len() { file.set_len(whole as u64) } else { Ok(()) }
}
