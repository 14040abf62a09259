//! A block as a file, for governance keys that lie offline on another machine: unsigned, partly signed or signed.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use protocol::charter::{Charter, SignedBlock};
use protocol::identity::FederationId;
use protocol::limits::BLOCK_BYTES_MAX;
use serde::{Deserialize, Serialize};

use crate::exit_codes::ExitCode;
use crate::failure::Failure;

const FORMAT: u32 = 1;
/// Longest file: a block with all its signatures, in hexadecimal.
const FILE_BYTES_MAX: u64 = 16 * BLOCK_BYTES_MAX as u64;

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockFile {
    format: u32,
    /// The federation, which every signature names.
    pub federation: FederationId,
    /// Its name, for people.
    pub federation_name: String,
    block: String,
}

impl BlockFile {
    /// The file of a block.
    pub fn new(charter: &Charter, block: &SignedBlock) -> Self {
        let (federation, federation_name) = (charter.federation(), charter.name().to_owned());
        Self { format: FORMAT, federation, federation_name, block: hex::encode(block.encode()) }
    }

    /// The same with another state of the block.
    pub fn with(&self, block: &SignedBlock) -> Self {
        Self { block: hex::encode(block.encode()), ..self.clone() }
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<(Self, SignedBlock), Failure> {
        let unreadable = |reason: String| {
            let zh = format!("{} 不是章程区块文件：{reason}", path.display());
            Failure::new(ExitCode::InputRefused, "block-file", zh, format!("no block file: {reason}"))
        };
        let length = fs::metadata(path).map_err(|error| Failure::file(path, &error))?.len();
        if length > FILE_BYTES_MAX {
            return Err(unreadable(format!("{length} > {FILE_BYTES_MAX}")));
        }
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
        let file: Self = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if file.format != FORMAT {
            return Err(unreadable(format!("format {}", file.format)));
        }
        let bytes = hex::decode(&file.block).map_err(|error| unreadable(error.to_string()))?;
        let block = SignedBlock::decode(&bytes).map_err(|error| unreadable(error.to_string()))?;
        Ok((file, block))
    }

    /// Writes a file that must not exist yet.
    pub fn write_new(&self, path: &Path) -> Result<(), Failure> {
        let bytes = serde_json::to_vec_pretty(self).map_err(Failure::internal)?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
            if error.kind() != std::io::ErrorKind::AlreadyExists {
                return Failure::file(path, &error);
            }
            let (zh, en) = (format!("{} 已存在，没有覆盖。", path.display()), format!("{} exists", path.display()));
            Failure::new(ExitCode::InputRefused, "file-exists", zh, en).fix("请换一个文件名。", "choose another name")
        })?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(|error| Failure::file(path, &error))
    }
}
