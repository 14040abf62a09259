//! What a governance key has signed (DESIGN 4.5): two blocks of one version are an equivocation that every node keeps
//! as a proof, so a note of each signature is on disk before anybody sees it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use node::directory::{DataDirectory, replace_file};
use protocol::identity::{BlockHash, PublicKey};
use serde::{Deserialize, Serialize};

use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Signed {
    hash: BlockHash,
    withdrawn: bool,
}

/// Blocks by key and version.
type Notes = BTreeMap<String, BTreeMap<u32, Vec<Signed>>>;

/// The notes beside the keys of a directory, or beside a key file that lies elsewhere.
pub struct SigningRecord {
    path: PathBuf,
}

impl SigningRecord {
    /// The notes of the node's own key: the same ones as of its file.
    pub fn of_directory(directory: &DataDirectory) -> Self {
        Self::of_key_file(&directory.path().join("keys").join("governance.key"))
    }

    /// The notes of a key file.
    pub fn of_key_file(file: &Path) -> Self {
        let mut name = file.as_os_str().to_owned();
        name.push(".signed.json");
        Self { path: name.into() }
    }

    fn read(&self) -> Result<Notes, Failure> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Notes::new()),
            Err(error) => return Err(Failure::file(&self.path, &error)),
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let (zh, en) =
                (format!("{} 损坏：{error}", self.path.display()), format!("{}: {error}", self.path.display()));
            Failure::new(ExitCode::DataDirectory, "signing-record", zh, en)
        })
    }

    fn write(&self, notes: &Notes) -> Result<(), Failure> {
        let bytes = serde_json::to_vec_pretty(notes).map_err(Failure::internal)?;
        replace_file(&self.path, &bytes).map_err(|error| home::directory_failure(&error))
    }

    /// Notes that `key` is about to sign. Refused while another block of that version was signed and not withdrawn.
    ///
    /// Says whether another one was signed and withdrawn before: then the person must be warned.
    pub fn note(&self, key: &PublicKey, version: u32, hash: BlockHash) -> Result<bool, Failure> {
        let mut notes = self.read()?;
        let signed = notes.entry(key.to_string()).or_default().entry(version).or_default();
        if let Some(other) = signed.iter().find(|signed| signed.hash != hash && !signed.withdrawn) {
            let short = other.hash.short();
            let (zh, en) = (
                format!("这把密钥已签过第 {version} 块的另一个提案 {short}；同一版本签两块就是自相矛盾。"),
                format!(
                    "this key has signed another block of version {version}, {short}: two would contradict each other"
                ),
            );
            return Err(Failure::new(ExitCode::NotAllowed, "signed-another", zh, en).fix(
                format!("请让那个提案通过，或先撤回：xianmeng charter withdraw {short}"),
                format!("let that one pass, or take it back first: `xianmeng charter withdraw {short}`"),
            ));
        }
        let again = signed.iter().any(|signed| signed.hash != hash);
        signed.retain(|signed| signed.hash != hash);
        signed.push(Signed { hash, withdrawn: false });
        self.write(&notes)?;
        Ok(again)
    }

    /// Notes that a signature was taken back.
    pub fn withdraw(&self, key: &PublicKey, hash: BlockHash) -> Result<(), Failure> {
        let mut notes = self.read()?;
        let versions = notes.get_mut(&key.to_string()).into_iter().flat_map(BTreeMap::values_mut).flatten();
        versions.filter(|signed| signed.hash == hash).for_each(|signed| signed.withdrawn = true);
        self.write(&notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_of_a_version_is_signed_until_it_is_withdrawn() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let record = SigningRecord::of_key_file(&folder.path().join("governance.key"));
        let (key, one, other) = (PublicKey([1; 32]), BlockHash([2; 32]), BlockHash([3; 32]));
        assert_eq!(record.note(&key, 2, one), Ok(false));
        assert_eq!(record.note(&key, 2, one), Ok(false), "the same block again is no contradiction");
        assert_eq!(record.note(&key, 2, other).expect_err("a second one").code, "signed-another");
        assert_eq!(record.note(&key, 3, other), Ok(false));
        assert_eq!(record.note(&PublicKey([9; 32]), 2, other), Ok(false), "another key");
        record.withdraw(&key, one).expect("the directory is writable");
        assert_eq!(record.note(&key, 2, other), Ok(true));
    }
}
