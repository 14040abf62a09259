//! The data directory: one folder that is the node. Copying it copies the member's identity.
//!
//! ```text
//! config.toml          settings, written by `init`, edited by the operator
//! member.toml          who this member is: name, class, region
//! keys/signing.key     signs entries                       (readable by the owner only)
//! keys/transport.key   is the peer id                      (readable by the owner only)
//! keys/encryption.key  opens what is encrypted for us  (readable by the owner only)
//! keys/governance.key  signs charter blocks, if a registrar (readable by the owner only)
//! genesis.block        the charter's first block: the federation's id is its hash
//! charter.bundle       the charter as it came with this member's admission
//! invitation.json      how to reach the federation while this member is not admitted yet
//! invitations.json     tokens that this node gave out
//! applications/        applications that wait for a registrar
//! store/ journal/      replica and own-log journal, see `store`
//! api.token            the API's bearer token              (readable by the owner only)
//! api.address          where the API listens while the node runs
//! lock                 held while a process uses the directory
//! place                where this directory was made: tells a copy or a backup from the original, see `place`
//! confirm-alone        the operator's word that nobody can confirm the head of the own log; taken and removed
//! ```

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use protocol::charter::{Application, Class, Purpose, PurposedKey, SignedApplication, SignedBlock};
use protocol::identity::{Domain, FederationId, public_key, sign};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::{Config, ConfigError};

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// `init` was run here before.
    #[error("{} holds a node already", directory.display())]
    Exists {
        /// The directory.
        directory: PathBuf,
    },
    /// `init` was never run here.
    #[error("{} holds no node", directory.display())]
    Missing {
        /// The directory.
        directory: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The settings cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Who the member of a node is, as it stated at `init`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name of the organisation.
    pub name: String,
    /// English name of its class.
    pub class: String,
    /// GB/T 2260 code of its place, or empty.
    #[serde(default)]
    pub region: String,
}

/// The secret keys of a node.
#[derive(Clone)]
pub struct Keys {
    /// Signs entries.
    pub signing: SigningKey,
    /// Is the peer id.
    pub transport: SigningKey,
    /// Opens what is encrypted for this member; in its Edwards form.
    pub encryption: SigningKey,
    /// Signs charter blocks.
    pub governance: Option<SigningKey>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("signing", &public_key(&self.signing))
            .field("transport", &public_key(&self.transport))
            .field("encryption", &public_key(&self.encryption))
            .field("governance", &self.governance.as_ref().map(public_key))
            .finish()
    }
}

/// A data directory.
#[derive(Debug, Clone)]
pub struct DataDirectory {
    path: PathBuf,
}

impl DataDirectory {
    /// Makes a new node here: directory, keys, profile and settings.
    ///
    /// Refuses a directory that holds a node already.
    pub fn create(path: &Path, profile: &Profile, config: &Config) -> Result<Self, DirectoryError> {
        let directory = Self { path: path.to_owned() };
        if directory.member_path().exists() || directory.key_path("signing").exists() {
            return Err(DirectoryError::Exists { directory: path.to_owned() });
        }
        let private = |path: &Path| {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(file_error(path))?;
            // A directory that was there before keeps its mode otherwise.
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(file_error(path))
        };
        private(path)?;
        private(&path.join("keys"))?;
        for name in ["signing", "transport", "encryption", "governance"] {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(|error| DirectoryError::File {
                path: directory.key_path(name),
                source: std::io::Error::other(error.to_string()),
            })?;
            write_private(&directory.key_path(name), format!("{}\n", hex::encode(secret)).as_bytes())?;
        }
        write_new(&directory.config_path(), config.to_toml().as_bytes())?;
        crate::place::settle(path, false)?;
        let profile_text = toml::to_string(profile).map_err(|error| content_error(&directory.member_path(), error))?;
        // Written last: a directory with this file is a whole one.
        write_new(&directory.member_path(), profile_text.as_bytes())?;
        Ok(directory)
    }

    /// Opens a node's directory.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let directory = Self { path: path.to_owned() };
        if !directory.member_path().exists() {
            return Err(DirectoryError::Missing { directory: path.to_owned() });
        }
        Ok(directory)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn member_path(&self) -> PathBuf {
        self.path.join("member.toml")
    }

    fn key_path(&self, name: &str) -> PathBuf {
        self.path.join("keys").join(format!("{name}.key"))
    }

    /// The settings file.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// The API's bearer token.
    pub fn token_path(&self) -> PathBuf {
        self.path.join("api.token")
    }

    /// Where the API listens while the node runs.
    pub fn address_path(&self) -> PathBuf {
        self.path.join("api.address")
    }

    /// The genesis block of the federation.
    pub fn genesis_path(&self) -> PathBuf {
        self.path.join("genesis.block")
    }

    /// The charter as it came with this member's admission.
    pub fn charter_path(&self) -> PathBuf {
        self.path.join("charter.bundle")
    }

    /// The invitation that this member joins by.
    pub fn invitation_path(&self) -> PathBuf {
        self.path.join("invitation.json")
    }

    /// Tokens that this node gave out.
    pub fn invitations_path(&self) -> PathBuf {
        self.path.join("invitations.json")
    }

    /// Applications that wait for a registrar.
    pub fn applications_path(&self) -> PathBuf {
        self.path.join("applications")
    }

    /// Reads the settings.
    pub fn config(&self) -> Result<Config, DirectoryError> {
        Ok(Config::read(&self.config_path())?)
    }

    /// Reads who the member is.
    pub fn profile(&self) -> Result<Profile, DirectoryError> {
        let path = self.member_path();
        let text = fs::read_to_string(&path).map_err(file_error(&path))?;
        toml::from_str(&text).map_err(|error| content_error(&path, error))
    }

    /// Reads the keys.
    pub fn keys(&self) -> Result<Keys, DirectoryError> {
        let governance = self.key_path("governance").exists().then(|| self.key("governance")).transpose()?;
        Ok(Keys {
            signing: self.key("signing")?,
            transport: self.key("transport")?,
            encryption: self.key("encryption")?,
            governance,
        })
    }

    fn key(&self, name: &str) -> Result<SigningKey, DirectoryError> {
        let path = self.key_path(name);
        let text = fs::read_to_string(&path).map_err(file_error(&path))?;
        let mut secret = [0; 32];
        hex::decode_to_slice(text.trim(), &mut secret)
            .map_err(|_| content_error(&path, "a key is 64 hexadecimal characters"))?;
        Ok(SigningKey::from_bytes(&secret))
    }

    /// This member's application to a federation, proven by its keys. `federation` is zero for the founder's own.
    pub fn application(&self, federation: &FederationId) -> Result<SignedApplication, DirectoryError> {
        let (profile, keys) = (self.profile()?, self.keys()?);
        let class = Class::from_name(&profile.class)
            .ok_or_else(|| content_error(&self.member_path(), format!("there is no class {:?}", profile.class)))?;
        let mut pairs = vec![
            (Purpose::Signing, &keys.signing),
            (Purpose::Transport, &keys.transport),
            (Purpose::Encryption, &keys.encryption),
        ];
        pairs.extend(keys.governance.as_ref().map(|key| (Purpose::Governance, key)));
        let purposed =
            |(purpose, key): &(Purpose, &SigningKey)| PurposedKey { purpose: *purpose, key: public_key(key) };
        let application = Application {
            class,
            name: profile.name,
            region: profile.region,
            keys: pairs.iter().map(purposed).collect(),
        };
        application.check().map_err(|error| content_error(&self.member_path(), error))?;
        let content = application.encode();
        let proofs = pairs.iter().map(|(_, key)| sign(key, Domain::Possession, federation, &content)).collect();
        Ok(SignedApplication { application, proofs })
    }

    /// Reads the genesis block; `None` before the member belongs to a federation.
    pub fn genesis(&self) -> Result<Option<SignedBlock>, DirectoryError> {
        let path = self.genesis_path();
        if !path.exists() {
            return Ok(None);
        }
        let bytes = fs::read(&path).map_err(file_error(&path))?;
        SignedBlock::decode(&bytes).map(Some).map_err(|error| content_error(&path, error))
    }

    /// Keeps the genesis block. Refuses to replace one.
    pub fn write_genesis(&self, genesis: &SignedBlock) -> Result<(), DirectoryError> {
        write_new(&self.genesis_path(), &genesis.encode())
    }

    /// The API's bearer token; made when there is none.
    pub fn token(&self) -> Result<String, DirectoryError> {
        let path = self.token_path();
        if !path.exists() {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(|error| content_error(&path, error))?;
            write_private(&path, format!("{}\n", hex::encode(secret)).as_bytes())?;
        }
        Ok(fs::read_to_string(&path).map_err(file_error(&path))?.trim().to_owned())
    }
}

/// Turns an I/O error into one that names the file.
pub fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> DirectoryError + '_ {
    move |source| DirectoryError::File { path: path.to_owned(), source }
}

fn content_error(path: &Path, reason: impl ToString) -> DirectoryError {
    DirectoryError::Content { path: path.to_owned(), reason: reason.to_string() }
}

/// Writes a file that must not exist yet, durably.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), DirectoryError> {
    write_with(path, bytes, 0o644)
}

/// Writes a file that only its owner can read and that must not exist yet, durably.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), DirectoryError> {
    write_with(path, bytes, 0o600)
}

fn write_with(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DirectoryError> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path).map_err(file_error(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(file_error(path))?;
    sync_parent(path)
}

/// Replaces a file as a whole: written beside it, synced, renamed over it, and the directory synced.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), DirectoryError> {
    let beside = path.with_extension("new");
    let mut file = fs::File::create(&beside).map_err(file_error(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(file_error(&beside))?;
    fs::rename(&beside, path).map_err(file_error(path))?;
    sync_parent(path)
}

/// Makes the name of a file in its directory durable.
pub fn sync_parent(path: &Path) -> Result<(), DirectoryError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::File::open(parent).and_then(|directory| directory.sync_all()).map_err(file_error(parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        Profile { name: "奉节县".into(), class: "county".into(), region: "500236".into() }
    }

    #[test]
    fn a_second_init_refuses_and_keys_are_the_owners_alone() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("node");
        let directory = DataDirectory::create(&path, &profile(), &Config::default()).expect("an empty directory");
        let mode = fs::metadata(directory.key_path("signing")).expect("the key is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let keys = directory.keys().expect("the keys read back");
        let second = DataDirectory::create(&path, &profile(), &Config::default());
        assert!(matches!(second, Err(DirectoryError::Exists { .. })));
        let again = DataDirectory::open(&path).expect("it is a node").keys().expect("the keys read back");
        assert_eq!(keys.signing.to_bytes(), again.signing.to_bytes());
        let application = directory.application(&FederationId([3; 32])).expect("the profile is sound");
        assert_eq!(application.unproven_key(&FederationId([3; 32])), None);
    }

    #[test]
    fn a_directory_without_a_node_is_named() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        assert!(matches!(DataDirectory::open(folder.path()), Err(DirectoryError::Missing { .. })));
    }
}
