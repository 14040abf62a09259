//! The data directory: one folder that is the node. Copying it copies the member's identity.
//!
//! ```text
//! config.toml          settings, written by `init`, edited by the operator
//! member.toml          who this member is: name, class, region
//! keys/                the secret keys, see `keystore`     (readable by the owner only)
//! recovery-kit.txt     everything that makes this member, under a passphrase of its own; belongs elsewhere
//! genesis.block        the charter's first block: the federation's id is its hash
//! charter.bundle       the charter as it came with this member's admission
//! invitation.json      how to reach the federation while this member is not admitted yet
//! application.signed   this member's application, signed once by all its keys
//! joining.json         how far joining is, while the node waits for its admission
//! place                where this directory was made: tells a copy or a backup from the original, see `place`
//! confirm-alone        the operator's word that nobody can confirm the head of the own log; taken and removed
//! invitations.json     tokens that this node gave out
//! applications/        applications that wait for a registrar
//! refused.json         signing keys of applications that were turned away
//! local/               documents that never leave this node, see `local` (readable by the owner only)
//! leads/               how far the search for duplicate leads is, see `leads` (readable by the owner only)
//! store/ journal/      replica and own-log journal, see `store`
//! search/              the search index, made from the store again where it is missing (readable by the owner only)
//! watches/             questions that are kept, and what of their answers was seen (readable by the owner only)
//! access/              the log of logins and writes, see `access_log` (readable by the owner only)
//! alarms.secret        the key that signs what webhooks are told (readable by the owner only)
//! api.token            the API's bearer token              (readable by the owner only)
//! api.address          where the API listens while the node runs
//! portal.address       where the portal listens while the node runs
//! portal-accounts.toml who may log in to the portal       (readable by the owner only)
//! lock                 held while a process uses the directory
//! ```

pub mod armour;
mod files;
pub mod keystore;
pub mod kit;
pub mod passphrase;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use protocol::charter::{Application, Class, Purpose, PurposedKey, SignedApplication, SignedBlock};
use protocol::identity::{Domain, FederationId, PublicKey, public_key, sign};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use self::files::bytes_in;
use self::files::{content_error, write_new};
pub use self::files::{
    file_error, private_directory, remove_file, replace_file, replace_private, sync_parent, write_private,
};
use self::keystore::{KeyName, KeyUse, Keystore, Slot};
use self::kit::NamedKey;
use self::passphrase::{NoPassphrases, Passphrase, PassphraseError, PassphraseSource};
use crate::config::{Config, ConfigError};

/// Name of the recovery kit that `init` writes unless told otherwise.
pub const KIT_FILE: &str = "recovery-kit.txt";

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
    /// There is no such key.
    #[error("there is no key {key:?}")]
    NoKey {
        /// Its name.
        key: String,
    },
    /// A key is protected, and there is no passphrase for it.
    #[error("the key {key:?} is protected, and no passphrase for it is at hand")]
    Locked {
        /// Its name.
        key: String,
    },
    /// No passphrase opens a key.
    #[error("the passphrase does not open the key {key:?}")]
    WrongPassphrase {
        /// Its name.
        key: String,
    },
    /// A passphrase could not be had.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
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

/// The secret keys that a node works with. The governance key is not among them: only the commands that sign charter
/// blocks open it, by [`DataDirectory::governance_key`], so that it can have a passphrase of its own or lie elsewhere.
#[derive(Clone)]
pub struct Keys {
    /// Signs entries.
    pub signing: SigningKey,
    /// Is the peer id.
    pub transport: SigningKey,
    /// Opens what is encrypted for this member; in its Edwards form.
    pub encryption: SigningKey,
    /// Former encryption keys, oldest first: they open what was encrypted before a key change.
    pub former_encryption: Vec<SigningKey>,
    /// Seeds of holders' keys, of a member that helps to find duplicate leads or will.
    pub holder: Vec<SigningKey>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("signing", &public_key(&self.signing))
            .field("transport", &public_key(&self.transport))
            .field("encryption", &public_key(&self.encryption))
            .field("former_encryption", &self.former_encryption.iter().map(public_key).collect::<Vec<_>>())
            .finish()
    }
}

/// A data directory.
#[derive(Debug, Clone)]
pub struct DataDirectory {
    path: PathBuf,
    passphrases: Arc<dyn PassphraseSource>,
}

impl DataDirectory {
    fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), passphrases: Arc::new(NoPassphrases) }
    }

    /// Makes a new node here: directory, keys, profile and settings.
    ///
    /// Refuses a directory that holds a node already.
    pub fn create(path: &Path, profile: &Profile, config: &Config) -> Result<Self, DirectoryError> {
        let made = |purpose| Ok((KeyName::current(purpose), keystore::generate()?));
        let keys = Purpose::ALL.into_iter().map(made).collect::<Result<Vec<_>, DirectoryError>>()?;
        Self::create_with(path, profile, config, &keys, None)
    }

    /// Makes a node of keys that exist, for instance in a recovery kit, and protects them if there is a passphrase.
    pub fn create_with(
        path: &Path,
        profile: &Profile,
        config: &Config,
        keys: &[NamedKey],
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, DirectoryError> {
        Self::make(path, profile, config, keys, passphrase, true)
    }

    /// `original` says that no other directory ever signed with these keys.
    fn make(
        path: &Path,
        profile: &Profile,
        config: &Config,
        keys: &[NamedKey],
        passphrase: Option<&Passphrase>,
        original: bool,
    ) -> Result<Self, DirectoryError> {
        let directory = Self::at(path);
        let keystore = directory.keystore();
        directory.refuse_existing()?;
        private_directory(path)?;
        keystore.create()?;
        for (name, key) in keys {
            keystore.add(*name, key, passphrase)?;
        }
        write_new(&directory.config_path(), config.to_toml().as_bytes())?;
        if original {
            crate::place::settle(path, false)?;
        }
        let profile_text = toml::to_string(profile).map_err(|error| content_error(&directory.member_path(), error))?;
        // Written last: a directory with this file is a whole one.
        write_new(&directory.member_path(), profile_text.as_bytes())?;
        Ok(match passphrase {
            Some(passphrase) => directory.unlocked_by(Arc::new(passphrase.clone())),
            None => directory,
        })
    }

    /// Makes a node again of the keys in a recovery kit. Its own log may go on elsewhere: without a `place` the directory
    /// is as good as a copy, and members must confirm the head of the log before anything is signed.
    pub fn recover(
        path: &Path,
        kit: &kit::Kit,
        config: &Config,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, DirectoryError> {
        Self::make(path, &kit.profile, config, &kit.keys, passphrase, false)
    }

    fn refuse_existing(&self) -> Result<(), DirectoryError> {
        if self.member_path().exists() || self.keystore().holds(KeyName::current(Purpose::Signing)) {
            return Err(DirectoryError::Exists { directory: self.path.clone() });
        }
        Ok(())
    }

    /// Opens a node's directory.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let directory = Self::at(path);
        if !directory.member_path().exists() {
            return Err(DirectoryError::Missing { directory: path.to_owned() });
        }
        Ok(directory)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same directory, with passphrases for its protected keys.
    pub fn unlocked_by(mut self, passphrases: Arc<dyn PassphraseSource>) -> Self {
        self.passphrases = passphrases;
        self
    }

    fn member_path(&self) -> PathBuf {
        self.path.join("member.toml")
    }

    /// The keys as files.
    pub fn keystore(&self) -> Keystore {
        Keystore::at(self.path.join("keys"))
    }

    /// Where the passphrases of protected keys come from.
    pub fn passphrases(&self) -> &dyn PassphraseSource {
        &*self.passphrases
    }

    /// The settings file.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// The API's bearer token.
    pub fn token_path(&self) -> PathBuf {
        self.path.join("api.token")
    }

    /// The search index.
    pub fn search_path(&self) -> PathBuf {
        self.path.join("search")
    }

    /// The watches.
    pub fn watches_path(&self) -> PathBuf {
        self.path.join("watches")
    }

    /// The log of logins and writes.
    pub fn access_log_path(&self) -> PathBuf {
        self.path.join("access")
    }

    /// The key that signs what webhooks are told.
    pub fn alarm_secret_path(&self) -> PathBuf {
        self.path.join("alarms.secret")
    }

    /// Where the API listens while the node runs.
    pub fn address_path(&self) -> PathBuf {
        self.path.join("api.address")
    }

    /// Where the portal listens while the node runs.
    pub fn portal_address_path(&self) -> PathBuf {
        self.path.join("portal.address")
    }

    /// Who may log in to the portal.
    pub fn portal_accounts_path(&self) -> PathBuf {
        self.path.join("portal-accounts.toml")
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

    /// This member's application, signed.
    pub fn application_path(&self) -> PathBuf {
        self.path.join("application.signed")
    }

    /// How far joining is.
    pub fn joining_path(&self) -> PathBuf {
        self.path.join("joining.json")
    }

    /// Signing keys of applications that were turned away.
    pub fn refused_path(&self) -> PathBuf {
        self.path.join("refused.json")
    }

    /// The recovery kit that `init` writes unless told otherwise.
    pub fn kit_path(&self) -> PathBuf {
        self.path.join(KIT_FILE)
    }

    /// Applications that wait for a registrar.
    pub fn applications_path(&self) -> PathBuf {
        self.path.join("applications")
    }

    /// Documents that never leave this node.
    pub fn local_path(&self) -> PathBuf {
        self.path.join("local")
    }

    /// Who was heard when, for the health page.
    pub fn health_path(&self) -> PathBuf {
        self.path.join("health.json")
    }

    /// How far the search for duplicate leads is.
    pub fn leads_path(&self) -> PathBuf {
        self.path.join("leads")
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

    /// Opens the keys that the node works with.
    pub fn keys(&self) -> Result<Keys, DirectoryError> {
        let keystore = self.keystore();
        let former = |name: &KeyName| name.purpose == Purpose::Encryption && matches!(name.slot, Slot::Former(_));
        let holder = |name: &KeyName| name.purpose == KeyUse::Holder && !matches!(name.slot, Slot::Former(_));
        let names = keystore.names()?;
        Ok(Keys {
            signing: self.key(KeyName::current(Purpose::Signing))?,
            transport: self.key(KeyName::current(Purpose::Transport))?,
            encryption: self.key(KeyName::current(Purpose::Encryption))?,
            former_encryption: names
                .iter()
                .filter(|name| former(name))
                .map(|name| self.key(*name))
                .collect::<Result<_, _>>()?,
            holder: names.iter().filter(|name| holder(name)).map(|name| self.key(*name)).collect::<Result<_, _>>()?,
        })
    }

    /// The same with the transport key that waits, as far as one does. When the charter replaced the old one while the
    /// node was away, nobody speaks with the old one any more.
    pub fn keys_with_next_transport(&self) -> Result<Keys, DirectoryError> {
        let (mut keys, next) = (self.keys()?, KeyName::next(Purpose::Transport));
        if self.keystore().holds(next) {
            keys.transport = self.key(next)?;
        }
        Ok(keys)
    }

    /// Opens any key of the keystore.
    pub fn key(&self, name: KeyName) -> Result<SigningKey, DirectoryError> {
        self.keystore().open(name, &*self.passphrases)
    }

    /// Opens the key that signs charter blocks. [`DirectoryError::NoKey`] when it does not lie here.
    pub fn governance_key(&self) -> Result<SigningKey, DirectoryError> {
        self.key(KeyName::current(Purpose::Governance))
    }

    /// The public half of the key in use for a purpose; needs no passphrase.
    pub fn public_key(&self, purpose: Purpose) -> Result<PublicKey, DirectoryError> {
        self.keystore().public_key(KeyName::current(purpose))
    }

    /// Opens every key there is, for a recovery kit.
    pub fn all_keys(&self) -> Result<Vec<NamedKey>, DirectoryError> {
        self.keystore().names()?.into_iter().map(|name| Ok((name, self.key(name)?))).collect()
    }

    /// This member's application to a federation, proven by its keys. `federation` is zero for the founder's own.
    pub fn application(&self, federation: &FederationId) -> Result<SignedApplication, DirectoryError> {
        let purposes = Purpose::ALL.into_iter();
        let held = purposes.filter(|purpose| self.keystore().holds(KeyName::current(*purpose)));
        let pairs = held.map(|purpose| Ok((purpose, self.key(KeyName::current(purpose))?)));
        self.application_with(federation, &pairs.collect::<Result<Vec<_>, DirectoryError>>()?)
    }

    /// The application, proven by these keys: a governance key may lie elsewhere.
    pub fn application_with(
        &self,
        federation: &FederationId,
        pairs: &[(Purpose, SigningKey)],
    ) -> Result<SignedApplication, DirectoryError> {
        let profile = self.profile()?;
        let class = Class::from_name(&profile.class)
            .ok_or_else(|| content_error(&self.member_path(), format!("there is no class {:?}", profile.class)))?;
        let purposed = |(purpose, key): &(Purpose, SigningKey)| PurposedKey { purpose: *purpose, key: public_key(key) };
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

    /// The application that was signed before for this federation; made now if there is none that still holds.
    ///
    /// So a node that waits for its admission needs the governance key once and not at every start.
    pub fn kept_application(&self, federation: &FederationId) -> Result<SignedApplication, DirectoryError> {
        let path = self.application_path();
        if let Ok(bytes) = fs::read(&path)
            && let Ok(kept) = SignedApplication::decode(&bytes)
            && kept.unproven_key(federation).is_none()
            && self.is_current(&kept.application)?
        {
            return Ok(kept);
        }
        let made = self.application(federation)?;
        replace_file(&path, &made.encode())?;
        Ok(made)
    }

    fn is_current(&self, application: &Application) -> Result<bool, DirectoryError> {
        let profile = self.profile()?;
        let same = application.name == profile.name
            && application.region == profile.region
            && application.class.name() == profile.class;
        for key in &application.keys {
            let name = KeyName::current(key.purpose);
            // A governance key that lies elsewhere now is still this member's.
            if self.keystore().holds(name) && self.keystore().public_key(name)? != key.key {
                return Ok(false);
            }
        }
        Ok(same)
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
        secret_text(self.token_path())
    }

    /// The key that signs what webhooks are told, as text; made when there is none.
    pub fn alarm_secret(&self) -> Result<String, DirectoryError> {
        secret_text(self.alarm_secret_path())
    }
}

/// A random secret in a file; made when there is none.
fn secret_text(path: PathBuf) -> Result<String, DirectoryError> {
    if !path.exists() {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| content_error(&path, error))?;
        write_private(&path, format!("{}\n", hex::encode(secret)).as_bytes())?;
    }
    let secret = fs::read_to_string(&path).map_err(file_error(&path))?.trim().to_owned();
    if secret.is_empty() {
        // Everybody knows the empty one.
        return Err(content_error(&path, "it is empty; delete it, and the node makes a new one"));
    }
    Ok(secret)
}
