//! Replaying the own-log journal into replica and store, and judging its end.
//!
//! A crash during an append leaves a torn end, which nobody was ever told of: it is cut off. Anything else that does
//! not verify may be an acknowledged entry, so it is an error that the operator decides about. The two are told apart
//! by what stands behind: the store holds everything that was acknowledged, and behind a torn end nothing verifies.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use protocol::bundle::{FRAME_HEAD_BYTES, Frame, FrameType, Frames, PREAMBLE_BYTES, frame_head, read_preamble};
use protocol::charter::{Appended, CharterError, SignedBlock};
use protocol::entry::{Entry, VerifiedEntry};
use protocol::identity::{FederationId, PublicKey};
use protocol::replica::{Change, Outcome, Recent, Replica};

use super::database::sync_directory;
use super::error::StoreError;
use super::journal::{Content, segments};
use super::limits::REPLAY_BATCH_ENTRIES;
use super::shelf::Shelf;

/// What a replay did.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub(super) content: Content,
    pub(super) recovered: u64,
    pub(super) refused: u64,
    pub(super) torn_bytes: u64,
}

/// Why a frame is not taken.
enum Trouble {
    /// It is not what was written.
    Bad(String),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn bad(what: impl ToString) -> Trouble {
    Trouble::Bad(what.to_string())
}

/// Where the frames of a segment stop being sound.
struct Stop {
    frame: u64,
    offset: usize,
    what: String,
}

/// Reads every segment in `directory` and puts into replica and store what they lack.
///
/// `sound` says that the database was whole, so that it holds everything that was ever acknowledged.
pub(super) fn replay(
    directory: &Path,
    shelf: &Shelf,
    replica: &mut Replica,
    own: Option<PublicKey>,
    sound: bool,
) -> Result<Replayed, StoreError> {
    let federation = replica.charter().federation();
    let before = lengths(replica);
    let mut replay = Replay { federation, shelf, replica, changes: Vec::new(), done: Replayed::default() };
    let segments = segments(directory)?;
    for (index, (_, path)) in segments.iter().enumerate() {
        let bytes = fs::read(path).map_err(|source| StoreError::file("read", path, source))?;
        let Some(stop) = replay.segment(&bytes)? else { continue };
        let acknowledged = replay.holds_all(&before, own) && sound;
        let is_last = index + 1 == segments.len();
        if !is_last || (!acknowledged && has_entry(&bytes[stop.offset..], &federation)) {
            let Stop { frame, offset, what } = stop;
            return Err(StoreError::JournalDamaged { segment: path.clone(), frame, offset: offset as u64, what });
        }
        replay.done.torn_bytes = (bytes.len() - stop.offset) as u64;
        cut(directory, path, stop.offset)?;
    }
    replay.save()?;
    Ok(replay.done)
}

fn lengths(replica: &Replica) -> BTreeMap<PublicKey, u64> {
    let charter = replica.charter();
    charter.logs().iter().map(|grant| (grant.key, replica.length(grant.number))).collect()
}

/// Cuts a segment at `offset`; one that holds nothing then goes altogether.
fn cut(directory: &Path, path: &Path, offset: usize) -> Result<(), StoreError> {
    tracing::warn!(path = %path.display(), offset, "cutting an unfinished append off the journal");
    let failed = |source| StoreError::file("cut", path, source);
    if offset < PREAMBLE_BYTES {
        fs::remove_file(path).map_err(failed)?;
        return sync_directory(directory);
    }
    let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
    file.set_len(offset as u64).and_then(|()| file.sync_all()).map_err(failed)
}

/// Whether an entry that verifies stands anywhere in `bytes` after their first one.
fn has_entry(bytes: &[u8], federation: &FederationId) -> bool {
    (1..bytes.len()).any(|start| {
        let Some((head, rest)) = bytes[start..].split_first_chunk::<FRAME_HEAD_BYTES>() else { return false };
        let Ok((FrameType::Entry, length)) = frame_head(head, 0, 0) else { return false };
        let entry = rest.get(..length).and_then(|content| Entry::decode(content).ok());
        entry.is_some_and(|entry| entry.verify(federation).is_ok())
    })
}

struct Replay<'a> {
    federation: FederationId,
    shelf: &'a Shelf,
    replica: &'a mut Replica,
    changes: Vec<Change>,
    done: Replayed,
}

impl Replay<'_> {
    /// Takes every frame of a segment; where it stops being sound, if it does.
    fn segment(&mut self, bytes: &[u8]) -> Result<Option<Stop>, StoreError> {
        let (mut frame, mut offset) = (0, 0);
        let what = match read_preamble(bytes) {
            Err(error) => error.to_string(),
            Ok(found) if found != self.federation => "it names another federation".to_owned(),
            Ok(_) => match self.frames(bytes, &mut frame, &mut offset)? {
                None => return Ok(None),
                Some(what) => what,
            },
        };
        Ok(Some(Stop { frame, offset, what }))
    }

    fn frames(&mut self, bytes: &[u8], frame: &mut u64, offset: &mut usize) -> Result<Option<String>, StoreError> {
        let Ok((_, mut frames)) = Frames::open(bytes) else { return Ok(Some("it has no beginning".into())) };
        loop {
            *offset = frames.offset();
            let taken = match frames.next_frame() {
                Ok(None) => return Ok(None),
                Ok(Some(found)) => self.take(&found),
                Err(error) => Err(bad(error)),
            };
            match taken {
                Ok(()) => *frame += 1,
                Err(Trouble::Bad(what)) => return Ok(Some(what)),
                Err(Trouble::Store(error)) => return Err(error),
            }
        }
    }

    fn take(&mut self, frame: &Frame<'_>) -> Result<(), Trouble> {
        match frame.frame_type {
            FrameType::Block => self.block(SignedBlock::decode(frame.content).map_err(bad)?),
            FrameType::Entry => self.entry(Entry::decode(frame.content).map_err(bad)?),
            FrameType::Proof | FrameType::Claim | FrameType::Attestation | FrameType::End => {
                Err(bad("a journal holds blocks and entries only"))
            }
        }
    }

    fn block(&mut self, block: SignedBlock) -> Result<(), Trouble> {
        let version = block.block().version;
        let mut changes = Vec::new();
        let source = Recent { source: self.shelf, changes: &self.changes };
        let appended = self.replica.append_block(block, &source, &mut changes);
        self.changes.extend(changes);
        match appended {
            Ok(Appended::New) => self.done.recovered += 1,
            Ok(Appended::Known | Appended::Rival) => {}
            // The node went over to another branch of the charter since.
            Err(CharterError::Predecessor { .. } | CharterError::Equivocation { .. } | CharterError::Gap { .. }) => {
                self.done.refused += 1;
            }
            Err(error) => return Err(bad(error)),
        }
        self.done.content.blocks = self.done.content.blocks.max(version);
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> Result<(), Trouble> {
        if !self.done.content.is_next(&entry) {
            return Err(bad("the entry does not continue its log"));
        }
        self.done.content.add(&entry);
        if self.is_stored(&entry) {
            return Ok(());
        }
        self.insert(Arc::new(entry.verify(&self.federation).map_err(bad)?))?;
        Ok(())
    }

    /// Whether the store holds exactly this entry, whose signature was then checked before.
    fn is_stored(&self, entry: &Entry) -> bool {
        let (key, sequence) = (entry.header().key, entry.header().sequence);
        let Some(log) = self.replica.charter().log_of(&key).map(|grant| grant.number) else { return false };
        if self.replica.id(log, sequence) != Some(entry.id()) {
            return false;
        }
        matches!(self.shelf.entry(log, sequence), Ok(Some(stored)) if **stored == *entry)
    }

    fn insert(&mut self, entry: Arc<VerifiedEntry>) -> Result<(), StoreError> {
        let grant = self.replica.charter().log_of(&entry.header().key);
        let attaches = grant.is_some_and(|grant| self.replica.length(grant.number) == entry.header().sequence);
        // An entry that contradicts another is compared with what the store holds, so the store must be up to date.
        if !attaches || self.changes.len() >= REPLAY_BATCH_ENTRIES {
            self.save()?;
        }
        match self.replica.insert(&entry, self.shelf, &mut self.changes) {
            Outcome::Appended | Outcome::BodyArrived => self.done.recovered += 1,
            Outcome::Duplicate => {}
            _ => self.done.refused += 1,
        }
        Ok(())
    }

    fn save(&mut self) -> Result<(), StoreError> {
        if !self.changes.is_empty() {
            self.shelf.write(&std::mem::take(&mut self.changes))?;
        }
        Ok(())
    }

    /// Whether the journal, as far as it was read, reaches as far as the store did before.
    fn holds_all(&self, before: &BTreeMap<PublicKey, u64>, own: Option<PublicKey>) -> bool {
        let keys = self.done.content.logs.keys().copied().chain(own);
        keys.into_iter().all(|key| before.get(&key).copied().unwrap_or(0) <= self.done.content.length(&key))
    }
}
