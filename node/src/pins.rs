//! Pins: charter blocks that the operator of this node decided for (DESIGN 4.5).
//!
//! The file `pins` has one line for each version, `version hash`. It is read when the node starts.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use protocol::identity::BlockHash;

use crate::directory::{DataDirectory, DirectoryError, replace_file};

fn path_of(directory: &DataDirectory) -> PathBuf {
    directory.path().join("pins")
}

/// The pins of a data directory, by version.
pub fn pins(directory: &DataDirectory) -> Result<BTreeMap<u32, BlockHash>, DirectoryError> {
    let path = path_of(directory);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(source) => return Err(DirectoryError::File { path, source }),
    };
    let pin = |line: &str| {
        let (version, hash) = line.trim().split_once(' ')?;
        Some((version.parse().ok()?, hash.trim().parse().ok()?))
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let reason = format!("no pin: {line:?}");
            pin(line).ok_or_else(|| DirectoryError::Content { path: path.clone(), reason })
        })
        .collect()
}

/// Adds a pin, in the place of another one of its version.
pub fn add_pin(directory: &DataDirectory, version: u32, hash: BlockHash) -> Result<(), DirectoryError> {
    let mut held = pins(directory)?;
    held.insert(version, hash);
    let text: String = held.iter().map(|(version, hash)| format!("{version} {hash}\n")).collect();
    replace_file(&path_of(directory), text.as_bytes())
}
