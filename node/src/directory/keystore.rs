//! The folder `keys`: one file per key, readable by its owner only, each protected by a passphrase or not.
//!
//! ```text
//! signing.key        the key in use
//! signing-1.key      a former key, counted from 1; former encryption keys open old documents
//! signing.next.key   a key that was made and waits until the charter names it
//! holder.key         the seed of the key by which this member helps to find duplicate leads, see `protocol::lead_token`
//! ```
//!
//! Every change writes a whole file beside the old one and renames it, so that at any moment each key is there in one
//! form or the other.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use protocol::charter::Purpose;
use protocol::identity::{PublicKey, public_key};
use protocol::lead_token::{HolderKey, HolderPublic};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use super::DirectoryError;
use super::armour::{self, ArmourError, Cost, PASSPHRASE_COST};
use super::files::{file_error, private_directory, remove_file, replace_private, sync_parent, write_private};
use super::passphrase::{ATTEMPTS_MAX, Passphrase, PassphraseSource};
use crate::core::now_ms;

/// Longest key file, in bytes.
const KEY_FILE_BYTES_MAX: u64 = 16 * 1024;
/// Former keys of one purpose that a folder may hold.
const FORMER_MAX: u32 = 1_000;
/// What stands before the time at which a key was made.
const MADE: &str = "made: ";
/// What stands before the public key of a holder: that of its seed would say nothing to anybody.
const HOLDER_PUBLIC: &str = "public: ";

/// What a key of the folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyUse {
    /// One of the purposes for which the charter grants keys.
    Granted(Purpose),
    /// The seed of a holder's key. It lies in the folder like an ed25519 key, and signs nothing.
    Holder,
}

impl KeyUse {
    /// The name in commands and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Granted(purpose) => purpose.name(),
            Self::Holder => "holder",
        }
    }

    /// The use of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == Self::Holder.name() { Some(Self::Holder) } else { Purpose::from_name(name).map(Self::Granted) }
    }

    /// The purpose in the charter, if the charter grants such keys.
    pub fn purpose(self) -> Option<Purpose> {
        match self {
            Self::Granted(purpose) => Some(purpose),
            Self::Holder => None,
        }
    }
}

impl From<Purpose> for KeyUse {
    fn from(purpose: Purpose) -> Self {
        Self::Granted(purpose)
    }
}

impl PartialEq<Purpose> for KeyUse {
    fn eq(&self, purpose: &Purpose) -> bool {
        self.purpose() == Some(*purpose)
    }
}

/// Which key of a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// The one in use.
    Current,
    /// One that was in use, counted from 1.
    Former(u32),
    /// One that will be in use when the charter names it.
    Next,
}

/// A key of the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName {
    /// What it is for.
    pub purpose: KeyUse,
    /// Which of them.
    pub slot: Slot,
}

impl KeyName {
    /// The key in use for a purpose.
    pub fn current(purpose: impl Into<KeyUse>) -> Self {
        Self { purpose: purpose.into(), slot: Slot::Current }
    }

    /// The key that waits for a purpose.
    pub fn next(purpose: impl Into<KeyUse>) -> Self {
        Self { purpose: purpose.into(), slot: Slot::Next }
    }

    /// Reads the form that [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(purpose) = text.strip_suffix(".next") {
            return Some(Self { purpose: KeyUse::from_name(purpose)?, slot: Slot::Next });
        }
        match text.split_once('-') {
            None => Some(Self::current(KeyUse::from_name(text)?)),
            Some((purpose, number)) => {
                let number = number.parse().ok().filter(|number| (1..=FORMER_MAX).contains(number))?;
                Some(Self { purpose: KeyUse::from_name(purpose)?, slot: Slot::Former(number) })
            }
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slot {
            Slot::Current => f.write_str(self.purpose.name()),
            Slot::Former(number) => write!(f, "{}-{number}", self.purpose.name()),
            Slot::Next => write!(f, "{}.next", self.purpose.name()),
        }
    }
}

/// What can be said of a key without its passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyState {
    /// Which key.
    pub name: KeyName,
    /// Its public half.
    pub public: PublicKey,
    /// Whether a passphrase protects it.
    pub protected: bool,
    /// When it was made, as its file says.
    pub made: Option<String>,
}

/// The folder of keys.
#[derive(Debug, Clone)]
pub struct Keystore {
    folder: PathBuf,
}

impl Keystore {
    /// The keystore in a folder, which need not exist yet.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Makes the folder.
    pub(super) fn create(&self) -> Result<(), DirectoryError> {
        private_directory(&self.folder)
    }

    /// The file of a key.
    pub fn path(&self, name: KeyName) -> PathBuf {
        self.folder.join(format!("{name}.key"))
    }

    /// Whether there is such a key.
    pub fn holds(&self, name: KeyName) -> bool {
        self.path(name).exists()
    }

    /// Every key by purpose: the one in use, then former ones, then the next.
    pub fn names(&self) -> Result<Vec<KeyName>, DirectoryError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(file_error(&self.folder))? {
            let name = entry.map_err(file_error(&self.folder))?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".key"));
            names.extend(stem.and_then(KeyName::parse));
        }
        names.sort();
        Ok(names)
    }

    /// What can be said of every key.
    pub fn list(&self) -> Result<Vec<KeyState>, DirectoryError> {
        self.names()?.into_iter().map(|name| self.state(name)).collect()
    }

    fn state(&self, name: KeyName) -> Result<KeyState, DirectoryError> {
        let text = self.text(name)?;
        let public = self.public_of(name, &text)?;
        let made = text.lines().find_map(|line| line.strip_prefix(MADE)).map(str::to_owned);
        Ok(KeyState { name, public, protected: armour::is_protected(&text), made })
    }

    /// The public half of a key, which needs no passphrase.
    pub fn public_key(&self, name: KeyName) -> Result<PublicKey, DirectoryError> {
        self.public_of(name, &self.text(name)?)
    }

    fn public_of(&self, name: KeyName, text: &str) -> Result<PublicKey, DirectoryError> {
        match name.purpose {
            KeyUse::Granted(_) => armour::public_key(text).map_err(|error| self.failure(name, error)),
            KeyUse::Holder => {
                let public = text.lines().find_map(|line| line.strip_prefix(HOLDER_PUBLIC));
                let public = public.and_then(|public| public.trim().parse().ok());
                public.ok_or_else(|| self.failure(name, ArmourError::Malformed))
            }
        }
    }

    /// The public half of the key that waits for a purpose, if one does.
    pub fn next_key(&self, purpose: impl Into<KeyUse>) -> Result<Option<PublicKey>, DirectoryError> {
        let next = KeyName::next(purpose);
        if self.holds(next) { self.public_key(next).map(Some) } else { Ok(None) }
    }

    /// Opens a key, with a passphrase of `source` if it needs one.
    pub fn open(&self, name: KeyName, source: &dyn PassphraseSource) -> Result<SigningKey, DirectoryError> {
        let text = self.text(name)?;
        let opened = open_text(&text, name, source);
        opened.map(|(key, _)| key).map_err(|error| error.at(&self.path(name), name))
    }

    /// Writes a key that is not there yet.
    pub fn add(&self, name: KeyName, key: &SigningKey, passphrase: Option<&Passphrase>) -> Result<(), DirectoryError> {
        let text = self.write(name, key, &now_text(), passphrase, PASSPHRASE_COST)?;
        write_private(&self.path(name), text.as_bytes())
    }

    /// Writes a key that is not there yet, protected as another key is: by the passphrase of `source` that opens that.
    pub fn add_like(
        &self,
        name: KeyName,
        key: &SigningKey,
        like: KeyName,
        source: &dyn PassphraseSource,
    ) -> Result<(), DirectoryError> {
        let opened = open_text(&self.text(like)?, like, source);
        let (_, passphrase) = opened.map_err(|error| error.at(&self.path(like), like))?;
        self.add(name, key, passphrase.as_ref())
    }

    /// Protects a key by a passphrase, or takes its protection away. What protected it before is of no matter.
    pub fn protect(
        &self,
        name: KeyName,
        source: &dyn PassphraseSource,
        passphrase: Option<&Passphrase>,
    ) -> Result<(), DirectoryError> {
        self.protect_at(name, source, passphrase, PASSPHRASE_COST)
    }

    fn protect_at(
        &self,
        name: KeyName,
        source: &dyn PassphraseSource,
        passphrase: Option<&Passphrase>,
        cost: Cost,
    ) -> Result<(), DirectoryError> {
        let key = self.open(name, source)?;
        let made = self.state(name)?.made.unwrap_or_else(now_text);
        let text = self.write(name, &key, &made, passphrase, cost)?;
        replace_private(&self.path(name), text.as_bytes())
    }

    /// Puts the next key of a purpose in use; the one in use becomes a former one. Says which former key it is now, if
    /// there was one here.
    ///
    /// An interruption leaves the key in use in its place, or there twice, or everything done.
    pub fn promote(&self, purpose: impl Into<KeyUse>) -> Result<Option<KeyName>, DirectoryError> {
        let purpose = purpose.into();
        let (current, next) = (KeyName::current(purpose), KeyName::next(purpose));
        if !self.holds(next) {
            return Err(DirectoryError::NoKey { key: next.to_string() });
        }
        let former = if self.holds(current) { Some(self.retire_copy(current)?) } else { None };
        fs::rename(self.path(next), self.path(current)).map_err(file_error(&self.path(current)))?;
        sync_parent(&self.path(current))?;
        Ok(former)
    }

    /// Gives the file of the key in use a second name among the former ones.
    fn retire_copy(&self, current: KeyName) -> Result<KeyName, DirectoryError> {
        let public = self.public_key(current)?;
        let former = |number| KeyName { purpose: current.purpose, slot: Slot::Former(number) };
        for name in (1..=FORMER_MAX).map(former) {
            if !self.holds(name) {
                let (from, to) = (self.path(current), self.path(name));
                fs::hard_link(&from, &to).map_err(file_error(&to))?;
                sync_parent(&to)?;
                return Ok(name);
            }
            // An interrupted change did this already.
            if self.public_key(name)? == public {
                return Ok(name);
            }
        }
        Err(DirectoryError::Content {
            path: self.folder.clone(),
            reason: format!("more than {FORMER_MAX} former keys"),
        })
    }

    /// Removes a key for good.
    pub fn remove(&self, name: KeyName) -> Result<(), DirectoryError> {
        remove_file(&self.path(name))
    }

    /// Writes a key to a file outside, which must not exist yet, protected by a passphrase or not.
    pub fn export(
        &self,
        name: KeyName,
        source: &dyn PassphraseSource,
        passphrase: Option<&Passphrase>,
        to: &Path,
    ) -> Result<(), DirectoryError> {
        let key = self.open(name, source)?;
        let made = self.state(name)?.made.unwrap_or_else(now_text);
        let text = self.write(name, &key, &made, passphrase, PASSPHRASE_COST)?;
        write_private(to, text.as_bytes())
    }

    fn write(
        &self,
        name: KeyName,
        key: &SigningKey,
        made: &str,
        passphrase: Option<&Passphrase>,
        cost: Cost,
    ) -> Result<Zeroizing<String>, DirectoryError> {
        let armoured = armour::write(key, passphrase.map(|passphrase| (passphrase, cost)));
        let armoured = armoured.map_err(|error| self.failure(name, error))?;
        let mut text = Zeroizing::new(format!("Xianmeng 县盟 {} key\n{MADE}{made}\n", name.purpose.name()));
        if name.purpose == KeyUse::Holder {
            text.push_str(&format!("{HOLDER_PUBLIC}{}\n", shown_public(name, key)));
        }
        text.push_str(&armoured);
        Ok(text)
    }

    fn text(&self, name: KeyName) -> Result<Zeroizing<String>, DirectoryError> {
        let path = self.path(name);
        if !path.exists() {
            return Err(DirectoryError::NoKey { key: name.to_string() });
        }
        read_key_file(&path)
    }

    fn failure(&self, name: KeyName, error: ArmourError) -> DirectoryError {
        armour_failure(&self.path(name), name, error)
    }
}

/// The public half of a key as people see it: that which the charter names.
pub fn shown_public(name: KeyName, key: &SigningKey) -> PublicKey {
    match name.purpose {
        KeyUse::Granted(_) => public_key(key),
        KeyUse::Holder => {
            let HolderPublic(bytes) = holder_key(key).public();
            PublicKey(bytes)
        }
    }
}

/// The holder's key that follows from its seed in the folder.
pub fn holder_key(seed: &SigningKey) -> HolderKey {
    HolderKey::derive(&Zeroizing::new(seed.to_bytes()))
}

/// Opens a key that lies outside of the folder, for instance a registrar's key on a stick.
pub fn open_key_file(
    path: &Path,
    purpose: Purpose,
    source: &dyn PassphraseSource,
) -> Result<SigningKey, DirectoryError> {
    let (text, name) = (read_key_file(path)?, KeyName::current(purpose));
    open_text(&text, name, source).map(|(key, _)| key).map_err(|error| error.at(path, name))
}

enum OpenError {
    Armour(ArmourError),
    Directory(DirectoryError),
}

impl OpenError {
    fn at(self, path: &Path, name: KeyName) -> DirectoryError {
        match self {
            Self::Armour(error) => armour_failure(path, name, error),
            Self::Directory(error) => error,
        }
    }
}

/// Opens a key, and says which passphrase it was that opened it.
fn open_text(
    text: &str,
    name: KeyName,
    source: &dyn PassphraseSource,
) -> Result<(SigningKey, Option<Passphrase>), OpenError> {
    if !armour::is_protected(text) {
        return armour::read(text, None).map(|key| (key, None)).map_err(OpenError::Armour);
    }
    let mut last = ArmourError::Protected;
    for attempt in 0..ATTEMPTS_MAX {
        let candidate = source.candidate(name, attempt);
        let candidate = candidate.map_err(|error| OpenError::Directory(DirectoryError::Passphrase(error)))?;
        let Some(passphrase) = candidate else { break };
        match armour::read(text, Some(&passphrase)) {
            Err(ArmourError::WrongPassphrase) => last = ArmourError::WrongPassphrase,
            Err(error) => return Err(OpenError::Armour(error)),
            Ok(key) => return Ok((key, Some(passphrase))),
        }
    }
    Err(OpenError::Armour(last))
}

fn armour_failure(path: &Path, name: KeyName, error: ArmourError) -> DirectoryError {
    match error {
        ArmourError::Protected => DirectoryError::Locked { key: name.to_string() },
        ArmourError::WrongPassphrase => DirectoryError::WrongPassphrase { key: name.to_string() },
        other => DirectoryError::Content { path: path.to_owned(), reason: other.to_string() },
    }
}

fn read_key_file(path: &Path) -> Result<Zeroizing<String>, DirectoryError> {
    let length = fs::metadata(path).map_err(file_error(path))?.len();
    if length > KEY_FILE_BYTES_MAX {
        let reason = format!("a key file has at most {KEY_FILE_BYTES_MAX} bytes");
        return Err(DirectoryError::Content { path: path.to_owned(), reason });
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(file_error(path))
}

/// Makes a key from the system's random bytes.
pub fn generate() -> Result<SigningKey, DirectoryError> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut()).map_err(|error| DirectoryError::File {
        path: "keys".into(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(SigningKey::from_bytes(&secret))
}

fn now_text() -> String {
    let now = OffsetDateTime::from_unix_timestamp((now_ms() / 1000).cast_signed());
    now.ok().and_then(|now| now.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::passphrase::{NoPassphrases, PassphraseError};

    const CHEAP: Cost = Cost { log_n: 4, r: 8, p: 1 };
    const SIGNING: KeyName = KeyName { purpose: KeyUse::Granted(Purpose::Signing), slot: Slot::Current };

    fn keystore() -> (tempfile::TempDir, Keystore) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let keystore = Keystore::at(folder.path().join("keys"));
        keystore.create().expect("the directory is writable");
        (folder, keystore)
    }

    /// Gives one passphrase after the other.
    #[derive(Debug)]
    struct List(Vec<Passphrase>);

    impl PassphraseSource for List {
        fn candidate(&self, _: KeyName, attempt: usize) -> Result<Option<Passphrase>, PassphraseError> {
            Ok(self.0.get(attempt).cloned())
        }
    }

    #[test]
    fn names_read_back() {
        for text in ["signing", "encryption-3", "transport.next", "holder", "holder.next", "holder-1"] {
            assert_eq!(KeyName::parse(text).map(|name| name.to_string()).as_deref(), Some(text));
        }
        for text in ["", "sign", "signing-0", "signing-x", "signing.old"] {
            assert_eq!(KeyName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn protection_comes_and_goes_and_the_key_stays() {
        let (_folder, keystore) = keystore();
        let key = generate().expect("there are random bytes");
        keystore.add(SIGNING, &key, None).expect("it is new");
        let before = keystore.list().expect("it reads");
        assert!(!before[0].protected && before[0].made.is_some());

        let (first, second) = (Passphrase::new("第一句口令"), Passphrase::new("第二句口令"));
        keystore.protect_at(SIGNING, &NoPassphrases, Some(&first), CHEAP).expect("it needs no passphrase");
        assert!(matches!(keystore.open(SIGNING, &NoPassphrases), Err(DirectoryError::Locked { .. })));
        assert!(matches!(keystore.open(SIGNING, &second), Err(DirectoryError::WrongPassphrase { .. })));
        let both = List(vec![second.clone(), first.clone()]);
        assert_eq!(keystore.open(SIGNING, &both).expect("the second fits").to_bytes(), key.to_bytes());
        let listed = keystore.list().expect("no passphrase is needed");
        assert_eq!((listed[0].protected, listed[0].public), (true, public_key(&key)));
        assert_eq!(listed[0].made, before[0].made);

        let next = KeyName::next(Purpose::Signing);
        keystore.add_like(next, &key, SIGNING, &both).expect("it is new");
        assert!(matches!(keystore.open(next, &NoPassphrases), Err(DirectoryError::Locked { .. })));
        assert!(keystore.open(next, &first).is_ok());

        keystore.protect_at(SIGNING, &first, None, CHEAP).expect("the passphrase fits");
        assert_eq!(keystore.open(SIGNING, &NoPassphrases).expect("it is open").to_bytes(), key.to_bytes());
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(keystore.path(SIGNING)).expect("there").permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_change_keeps_the_former_key() {
        let (_folder, keystore) = keystore();
        let purpose = Purpose::Encryption;
        let (current, next) = (KeyName::current(purpose), KeyName::next(purpose));
        let keys: Vec<SigningKey> = (0..3).map(|_| generate().expect("there are random bytes")).collect();
        keystore.add(current, &keys[0], None).expect("it is new");
        assert!(matches!(keystore.promote(purpose), Err(DirectoryError::NoKey { .. })));
        for key in &keys[1..] {
            keystore.add(next, key, None).expect("it is new");
            // As after an interruption: the copy among the former ones is there already.
            keystore.retire_copy(current).expect("it is copied");
            keystore.promote(purpose).expect("there is a next one");
        }
        let names: Vec<String> = keystore.names().expect("it reads").iter().map(KeyName::to_string).collect();
        assert_eq!(names, ["encryption", "encryption-1", "encryption-2"]);
        let public: Vec<PublicKey> = keystore.list().expect("it reads").iter().map(|state| state.public).collect();
        assert_eq!(public, [public_key(&keys[2]), public_key(&keys[0]), public_key(&keys[1])]);
    }

    #[test]
    fn the_seed_of_a_holder_is_kept_like_any_key_and_shows_the_holders_public_key() {
        let (_folder, keystore) = keystore();
        let (name, seed) = (KeyName::current(KeyUse::Holder), generate().expect("there are random bytes"));
        keystore.add(name, &seed, None).expect("it is new");
        let passphrase = Passphrase::new("第一句口令");
        keystore.protect_at(name, &NoPassphrases, Some(&passphrase), CHEAP).expect("it needs no passphrase");
        let public = HolderKey::derive(&seed.to_bytes()).public();
        let listed = keystore.list().expect("no passphrase is needed");
        assert_eq!((listed[0].name, listed[0].public.0, listed[0].protected), (name, public.0, true));
        let opened = keystore.open(name, &passphrase).expect("the passphrase fits");
        assert_eq!(holder_key(&opened).public(), public);
    }
}
