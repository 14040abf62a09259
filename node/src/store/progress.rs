//! A witness beside the database: the number of its last commit.
//!
//! Damage can make sled open an older state of itself that looks whole. This small file says how far the database
//! had come, so that such a fall back is noticed. It is written after each commit and not forced to disk: being behind
//! does no harm, and after a crash that it survived it is at most behind.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use protocol::identity::FederationId;

use super::error::StoreError;

const NAME: &str = "progress";

/// The file.
#[derive(Debug)]
pub(super) struct Witness {
    file: File,
    path: PathBuf,
    federation: FederationId,
    /// The last commit that the file names.
    commits: u64,
}

impl Witness {
    /// Opens the file of a data directory. One that cannot be understood counts as new.
    pub(super) fn open(directory: &Path, federation: FederationId) -> Result<Self, StoreError> {
        let path = directory.join(NAME);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(|source| StoreError::file("open", &path, source))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| StoreError::file("read", &path, source))?;
        let (found, commits) = decode(&bytes).unwrap_or((federation, 0));
        if found != federation {
            return Err(StoreError::ForeignFederation { path, expected: federation, found });
        }
        Ok(Self { file, path, federation, commits })
    }

    /// The last commit that the file names.
    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    /// Names another commit.
    pub(super) fn record(&mut self, commits: u64) -> Result<(), StoreError> {
        let bytes = encode(&self.federation, commits);
        let written = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(&bytes));
        written.map_err(|source| StoreError::file("write", &self.path, source))?;
        self.commits = commits;
        Ok(())
    }
}

fn encode(federation: &FederationId, commits: u64) -> Vec<u8> {
    let content = [federation.as_bytes().as_slice(), &commits.to_le_bytes()].concat();
    let check = blake3::hash(&content);
    [content.as_slice(), &check.as_bytes()[..8]].concat()
}

fn decode(bytes: &[u8]) -> Option<(FederationId, u64)> {
    let (federation, rest) = bytes.split_first_chunk::<32>()?;
    let (commits, _) = rest.split_first_chunk::<8>()?;
    let (federation, commits) = (FederationId(*federation), u64::from_le_bytes(*commits));
    (encode(&federation, commits) == bytes).then_some((federation, commits))
}
