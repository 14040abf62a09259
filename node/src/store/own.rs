//! What the own-log journal says of one's own entries: which there are, and which of them came from elsewhere.
//!
//! Entries that peers or the database gave back to a journal that was behind are genuine as far as the log goes; but
//! after a theft exactly these may be the thief's. So the ranges that were given back are noted beside the segments, in
//! `journal/recovered`: one line `key first last` for each.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use protocol::bundle::{FrameType, Frames};
use protocol::entry::{Entry, VerifiedEntry};
use protocol::identity::{FederationId, PublicKey};

use super::error::StoreError;
use super::journal::segments;

const RECOVERED: &str = "recovered";

/// An entry of one's own as the journal holds it.
#[derive(Debug, Clone)]
pub struct JournalledEntry {
    /// The entry.
    pub entry: Arc<VerifiedEntry>,
    /// Whether this node signed it, and did not get it back from elsewhere.
    pub signed_here: bool,
}

/// Notes that entries were given back to the journal. They may be appended once this has returned.
pub(super) fn note_recovered(journal: &Path, entries: &[Arc<VerifiedEntry>]) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
    let path = journal.join(RECOVERED);
    let failed = |source| StoreError::file("append to", &path, source);
    let (key, from, to) = (first.header().key, first.header().sequence, last.header().sequence);
    let mut file = OpenOptions::new().append(true).create(true).open(&path).map_err(failed)?;
    file.write_all(format!("{key} {from} {to}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

fn recovered(journal: &Path) -> Result<Vec<(PublicKey, u64, u64)>, StoreError> {
    let path = journal.join(RECOVERED);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(StoreError::file("read", &path, source)),
    };
    let range = |line: &str| {
        let mut words = line.split(' ');
        let key = words.next()?.parse().ok()?;
        Some((key, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    // Half a line at the end is of an append that a power cut ended before anything followed it.
    Ok(text.lines().filter_map(range).collect())
}

/// Entries of `key` in the journal from `from` on, in order. What does not verify is left out.
pub(super) fn entries_of(
    journal: &Path,
    federation: &FederationId,
    key: &PublicKey,
    from: u64,
) -> Result<Vec<JournalledEntry>, StoreError> {
    let given_back = recovered(journal)?;
    let mut found = Vec::new();
    for (_, path) in segments(journal)? {
        let bytes = fs::read(&path).map_err(|source| StoreError::file("read", &path, source))?;
        let Ok((_, mut frames)) = Frames::open(&bytes) else { continue };
        while let Ok(Some(frame)) = frames.next_frame() {
            let entry = Some(frame).filter(|frame| frame.frame_type == FrameType::Entry);
            let Some(entry) = entry.and_then(|frame| Entry::decode(frame.content).ok()) else { continue };
            let sequence = entry.header().sequence;
            if entry.header().key != *key || sequence < from {
                continue;
            }
            let elsewhere = |range: &(PublicKey, u64, u64)| range.0 == *key && (range.1..=range.2).contains(&sequence);
            let signed_here = !given_back.iter().any(elsewhere);
            if let Ok(entry) = entry.verify(federation) {
                found.push(JournalledEntry { entry: Arc::new(entry), signed_here });
            }
        }
    }
    Ok(found)
}
