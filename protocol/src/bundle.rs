//! Bundles: any range or the whole replica in one file (DESIGN 5.8), and the segments of the own-log journal.
//!
//! A file begins with [`MAGIC`] and the federation's id. Frames follow: `type u8, length u32, bytes`. Blocks come
//! first, then entries in ascending order of log and sequence, then proofs. An audit bundle goes on with the frontier
//! up to which it claims to be complete and with what other nodes said of that frontier (see [`crate::completeness`]).
//! An export ends with an end frame that counts the frames before it and hashes every byte before it, so that a cut
//! file is noticed; a journal segment has no end, because it grows.

use thiserror::Error;

use crate::beacon::{BEACON_BYTES_MAX, BEACON_BYTES_MIN};
use crate::bytes::{LayoutError, Reader};
use crate::completeness::{CLAIM_BYTES_MAX, CLAIM_BYTES_MIN};
use crate::entry::BARE_ENTRY_BYTES;
use crate::fork::FORK_PROOF_BYTES;
use crate::identity::FederationId;
use crate::limits::{BLOCK_BYTES_MAX, BLOCK_SIGNATURES_MAX, BODY_BYTES_MAX};

/// The first bytes of every bundle, with its layout's number.
pub const MAGIC: &[u8; 12] = b"XIANMENG\0\0\0\x01";
/// Bytes before the first frame.
pub const PREAMBLE_BYTES: usize = MAGIC.len() + 32;
/// Bytes of a frame before its content.
pub const FRAME_HEAD_BYTES: usize = 5;
/// Longest content of a frame that every bundle can have; a claim of completeness can be longer.
pub const FRAME_BYTES_MAX: usize = {
    let block = BLOCK_BYTES_MAX + BLOCK_SIGNATURES_MAX * 96 + 6;
    let entry = BODY_BYTES_MAX + BARE_ENTRY_BYTES;
    if block > entry { block } else { entry }
};

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameType {
    /// A signed charter block.
    Block = 1,
    /// An entry, with or without its body.
    Entry = 2,
    /// A fork proof.
    Proof = 3,
    /// What an audit bundle claims to be complete for: a member and a frontier.
    Claim = 4,
    /// A health beacon that names that frontier.
    Attestation = 5,
    /// The end: `frames u64, hash [32]`.
    End = 255,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it holds.
    pub frame_type: FrameType,
    /// Its content.
    pub content: &'a [u8],
}

/// Why a file is not a bundle, or not a whole one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BundleError {
    /// The file does not begin as a bundle does.
    #[error("this is not a Xianmeng bundle")]
    Magic,
    /// A frame of a type that this build does not know.
    #[error("frame {index} at byte {offset} has the unknown type {found}")]
    FrameType {
        /// Its number, from 0.
        index: u64,
        /// Where it begins.
        offset: u64,
        /// What the frame says.
        found: u8,
    },
    /// A frame that claims more bytes than any can have.
    #[error("frame {index} at byte {offset} claims {found} bytes")]
    FrameLength {
        /// Its number, from 0.
        index: u64,
        /// Where it begins.
        offset: u64,
        /// What the frame says.
        found: u32,
    },
    /// The file ends inside a frame, or before its end frame.
    #[error("the file ends inside frame {index} at byte {offset}")]
    Cut {
        /// Number of the frame that is missing or incomplete.
        index: u64,
        /// Where it begins.
        offset: u64,
    },
    /// The end frame does not fit what is before it, or something follows it.
    #[error("the end of the file does not fit its content")]
    End,
    /// The content of a frame.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// The first bytes of a bundle or journal segment.
pub fn preamble(federation: &FederationId) -> Vec<u8> {
    [MAGIC.as_slice(), federation.as_bytes()].concat()
}

/// Appends one frame.
pub fn put_frame(out: &mut Vec<u8>, frame_type: FrameType, content: &[u8]) {
    out.push(frame_type as u8);
    out.extend_from_slice(&(content.len() as u32).to_le_bytes());
    out.extend_from_slice(content);
}

/// The federation that a file names.
pub fn read_preamble(bytes: &[u8]) -> Result<FederationId, BundleError> {
    let mut reader = Reader::new(bytes);
    if reader.bytes(MAGIC.len(), "magic").map_err(|_| BundleError::Magic)? != MAGIC {
        return Err(BundleError::Magic);
    }
    Ok(FederationId(reader.array("federation").map_err(|_| BundleError::Magic)?))
}

/// Checks the head of a frame: type and length. `index` and `offset` are for the error.
pub fn frame_head(head: &[u8; FRAME_HEAD_BYTES], index: u64, offset: u64) -> Result<(FrameType, usize), BundleError> {
    let frame_type = match head[0] {
        1 => FrameType::Block,
        2 => FrameType::Entry,
        3 => FrameType::Proof,
        4 => FrameType::Claim,
        5 => FrameType::Attestation,
        255 => FrameType::End,
        found => return Err(BundleError::FrameType { index, offset, found }),
    };
    let found = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    let fits = match frame_type {
        FrameType::Block => found as usize <= FRAME_BYTES_MAX,
        FrameType::Entry => (BARE_ENTRY_BYTES..=BARE_ENTRY_BYTES + BODY_BYTES_MAX).contains(&(found as usize)),
        FrameType::Proof => found as usize == FORK_PROOF_BYTES,
        FrameType::Claim => (CLAIM_BYTES_MIN..=CLAIM_BYTES_MAX).contains(&(found as usize)),
        FrameType::Attestation => (BEACON_BYTES_MIN..=BEACON_BYTES_MAX).contains(&(found as usize)),
        FrameType::End => found == 40,
    };
    if !fits {
        return Err(BundleError::FrameLength { index, offset, found });
    }
    Ok((frame_type, found as usize))
}

/// Reads frames from memory, one after the other. For files too large for memory, use [`frame_head`] over a reader.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    offset: usize,
    index: u64,
}

impl<'a> Frames<'a> {
    /// Frames of a whole file; the federation it names.
    pub fn open(bytes: &'a [u8]) -> Result<(FederationId, Self), BundleError> {
        let federation = read_preamble(bytes)?;
        Ok((federation, Self { bytes, offset: PREAMBLE_BYTES, index: 0 }))
    }

    /// Where the next frame begins.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The next frame; `None` where the bytes end between two frames.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'a>>, BundleError> {
        let rest = &self.bytes[self.offset..];
        if rest.is_empty() {
            return Ok(None);
        }
        let cut = BundleError::Cut { index: self.index, offset: self.offset as u64 };
        let (head, rest) = rest.split_first_chunk::<FRAME_HEAD_BYTES>().ok_or(cut.clone())?;
        let (frame_type, length) = frame_head(head, self.index, self.offset as u64)?;
        let content = rest.get(..length).ok_or(cut)?;
        self.offset += FRAME_HEAD_BYTES + length;
        self.index += 1;
        Ok(Some(Frame { frame_type, content }))
    }
}

/// Writes an export: counts and hashes what passes through it. The caller writes the returned bytes in order.
#[derive(Debug, Clone)]
pub struct Writer {
    frames: u64,
    hasher: blake3::Hasher,
}

impl Writer {
    /// Begins a file; the bytes to write first.
    pub fn new(federation: &FederationId) -> (Self, Vec<u8>) {
        let mut writer = Self { frames: 0, hasher: blake3::Hasher::new() };
        let bytes = preamble(federation);
        writer.hasher.update(&bytes);
        (writer, bytes)
    }

    /// Appends a frame to `out`.
    pub fn frame(&mut self, frame_type: FrameType, content: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        put_frame(out, frame_type, content);
        self.hasher.update(&out[start..]);
        self.frames += 1;
    }

    /// Appends the end frame to `out`.
    pub fn finish(self, out: &mut Vec<u8>) {
        put_frame(out, FrameType::End, &end_content(self.frames, &self.hasher));
    }
}

/// Checks an export while it is read: give it the preamble and every frame, then the end frame's content.
#[derive(Debug, Clone, Default)]
pub struct EndCheck {
    frames: u64,
    hasher: blake3::Hasher,
}

impl EndCheck {
    /// Counts the preamble.
    pub fn preamble(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Counts a frame.
    pub fn frame(&mut self, head: &[u8; FRAME_HEAD_BYTES], content: &[u8]) {
        self.hasher.update(head);
        self.hasher.update(content);
        self.frames += 1;
    }

    /// Whether the end frame fits.
    pub fn finish(self, content: &[u8]) -> Result<(), BundleError> {
        if end_content(self.frames, &self.hasher) == content { Ok(()) } else { Err(BundleError::End) }
    }
}

fn end_content(frames: u64, hasher: &blake3::Hasher) -> Vec<u8> {
    [frames.to_le_bytes().as_slice(), hasher.finalize().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_read_back_and_a_cut_one_is_noticed() {
        let federation = FederationId([4; 32]);
        let (mut writer, mut file) = Writer::new(&federation);
        let entry = vec![7; BARE_ENTRY_BYTES + 20];
        writer.frame(FrameType::Entry, &entry, &mut file);
        let end = file.len();
        writer.finish(&mut file);

        let (named, mut frames) = Frames::open(&file).expect("it is a bundle");
        assert_eq!(named, federation);
        let frame = frames.next_frame().expect("it is whole").expect("there is a frame");
        assert_eq!((frame.frame_type, frame.content), (FrameType::Entry, entry.as_slice()));
        let mut check = EndCheck::default();
        check.preamble(&file[..PREAMBLE_BYTES]);
        let head: [u8; 5] = file[PREAMBLE_BYTES..PREAMBLE_BYTES + 5].try_into().expect("five bytes");
        check.frame(&head, &entry);
        let last = frames.next_frame().expect("it is whole").expect("there is an end");
        assert_eq!(check.finish(last.content), Ok(()));
        assert_eq!(frames.next_frame(), Ok(None));

        let (_, mut cut) = Frames::open(&file[..end - 3]).expect("it is a bundle");
        assert_eq!(cut.next_frame(), Err(BundleError::Cut { index: 0, offset: PREAMBLE_BYTES as u64 }));
        assert!(matches!(Frames::open(b"PK\x03\x04"), Err(BundleError::Magic)));
    }
}
