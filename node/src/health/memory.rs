//! Who was heard when, in one small file: a member that was heard before a restart has joined.
//!
//! The file is a convenience. A damaged or missing one is as good as none: logs tell who has joined, and the rest is
//! heard again.

use std::path::Path;

use protocol::health::Remembered;
use protocol::identity::MemberNumber;
use protocol::limits::MEMBERS_MAX;
use serde::{Deserialize, Serialize};

use crate::directory::replace_file;

/// One member.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    member: u32,
    joined_ms: u64,
    heard_ms: u64,
}

/// Reads the file; nobody, if it is not there or damaged.
pub(super) fn read(path: &Path) -> Vec<Remembered> {
    let lines: Vec<Line> = match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!(%error, path = %path.display(), "who was heard cannot be read; it is learnt anew");
            Vec::new()
        }),
        Err(_) => Vec::new(),
    };
    let remembered = lines.into_iter().take(MEMBERS_MAX).map(|line| Remembered {
        member: MemberNumber(line.member),
        joined_ms: line.joined_ms,
        heard_ms: line.heard_ms,
    });
    remembered.collect()
}

/// Writes the file.
pub(super) fn write(path: &Path, members: &[Remembered]) {
    let lines =
        members.iter().map(|seen| Line { member: seen.member.0, joined_ms: seen.joined_ms, heard_ms: seen.heard_ms });
    let lines: Vec<Line> = lines.collect();
    let bytes = serde_json::to_vec(&lines).unwrap_or_default();
    if let Err(error) = replace_file(path, &bytes) {
        tracing::warn!(%error, "who was heard was not written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_damage_is_nobody() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("health.json");
        assert_eq!(read(&path), []);
        let members = [Remembered { member: MemberNumber(7), joined_ms: 1, heard_ms: 2 }];
        write(&path, &members);
        assert_eq!(read(&path), members);
        std::fs::write(&path, b"[{\"member\":").expect("it can be written");
        assert_eq!(read(&path), []);
    }
}
