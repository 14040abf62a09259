//! Bundles and journal segments on disk, read frame by frame: a replica need not fit into memory.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use protocol::bundle::{BundleError, EndCheck, FRAME_HEAD_BYTES, FrameType, PREAMBLE_BYTES, frame_head, read_preamble};
use protocol::identity::FederationId;

/// A frame and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFrame {
    /// Its number, from 0.
    pub index: u64,
    /// Where it begins, in bytes.
    pub offset: u64,
    /// What it holds.
    pub frame_type: FrameType,
    /// Its content.
    pub content: Vec<u8>,
}

/// Why reading stopped.
#[derive(Debug)]
pub enum ReadError {
    /// The system.
    Io(io::Error),
    /// The file.
    Bundle(BundleError),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<BundleError> for ReadError {
    fn from(error: BundleError) -> Self {
        Self::Bundle(error)
    }
}

/// An open file.
#[derive(Debug)]
pub struct BundleFile<R> {
    reader: R,
    federation: FederationId,
    index: u64,
    offset: u64,
    /// Gone once the end frame has been checked.
    check: Option<EndCheck>,
}

impl BundleFile<BufReader<File>> {
    /// Opens a file and reads its preamble.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Self::new(BufReader::with_capacity(1 << 20, File::open(path)?))
    }
}

impl<R: Read> BundleFile<R> {
    fn new(mut reader: R) -> Result<Self, ReadError> {
        let mut preamble = Vec::new();
        reader.by_ref().take(PREAMBLE_BYTES as u64).read_to_end(&mut preamble)?;
        let federation = read_preamble(&preamble)?;
        let mut check = EndCheck::default();
        check.preamble(&preamble);
        Ok(Self { reader, federation, index: 0, offset: PREAMBLE_BYTES as u64, check: Some(check) })
    }

    /// The federation that the file names.
    pub fn federation(&self) -> FederationId {
        self.federation
    }

    /// Whether the end frame was there and fits; a journal segment has none.
    pub fn has_ended(&self) -> bool {
        self.check.is_none()
    }

    /// The next frame; `None` where the file ends between two frames. The end frame is checked, not handed out.
    pub fn next_frame(&mut self) -> Result<Option<FileFrame>, ReadError> {
        let (index, offset) = (self.index, self.offset);
        let mut head = [0; FRAME_HEAD_BYTES];
        match read_full(&mut self.reader, &mut head)? {
            0 => return Ok(None),
            FRAME_HEAD_BYTES if self.check.is_some() => {}
            // Something follows the end.
            _ if self.check.is_none() => return Err(BundleError::End.into()),
            _ => return Err(BundleError::Cut { index, offset }.into()),
        }
        let (frame_type, length) = frame_head(&head, index, offset)?;
        let mut content = vec![0; length];
        if read_full(&mut self.reader, &mut content)? < length {
            return Err(BundleError::Cut { index, offset }.into());
        }
        self.index += 1;
        self.offset += (FRAME_HEAD_BYTES + length) as u64;
        if frame_type == FrameType::End {
            self.check.take().map_or(Err(BundleError::End), |check| check.finish(&content))?;
            return self.next_frame();
        }
        if let Some(check) = &mut self.check {
            check.frame(&head, &content);
        }
        Ok(Some(FileFrame { index, offset, frame_type, content }))
    }
}

/// Reads until `buffer` is full or the file ends; says how much there was.
fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::bundle::Writer;

    fn bundle() -> Vec<u8> {
        let (mut writer, mut bytes) = Writer::new(&FederationId([4; 32]));
        writer.frame(FrameType::Entry, &[7; 300], &mut bytes);
        writer.frame(FrameType::Entry, &[8; 300], &mut bytes);
        writer.finish(&mut bytes);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<(usize, bool), ReadError> {
        let mut file = BundleFile::new(bytes)?;
        let mut frames = 0;
        while file.next_frame()?.is_some() {
            frames += 1;
        }
        Ok((frames, file.has_ended()))
    }

    #[test]
    fn a_whole_file_is_read_to_its_end() {
        assert!(matches!(read(&bundle()), Ok((2, true))));
    }

    #[test]
    fn a_segment_has_no_end() {
        let bytes = bundle();
        assert!(matches!(read(&bytes[..bytes.len() - 45]), Ok((2, false))));
    }

    #[test]
    fn what_is_cut_changed_or_longer_is_noticed() {
        let bytes = bundle();
        for length in [PREAMBLE_BYTES + 3, PREAMBLE_BYTES + 200, bytes.len() - 1] {
            assert!(matches!(read(&bytes[..length]), Err(ReadError::Bundle(BundleError::Cut { .. }))), "{length}");
        }
        let mut changed = bytes.clone();
        changed[PREAMBLE_BYTES + 10] ^= 1;
        assert!(matches!(read(&changed), Err(ReadError::Bundle(BundleError::End))));
        let longer = [bytes, vec![0]].concat();
        assert!(matches!(read(&longer), Err(ReadError::Bundle(BundleError::End))));
        assert!(matches!(read(b"PK"), Err(ReadError::Bundle(BundleError::Magic))));
    }
}
