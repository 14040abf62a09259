//! Who may log in: accounts in one file of the data directory, which only its owner can read.
//!
//! ```text
//! portal-accounts.toml   name, role and password hash (Argon2id) of each account
//! ```
//!
//! The command line changes the file; a running portal reads it again when it has changed.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::limits::{ACCOUNT_NAME_CHARACTERS_MAX, ACCOUNTS_MAX, PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN};
use super::sessions::OWNER;
use crate::directory::{DirectoryError, file_error, replace_private};

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads every page.
    Viewer,
    /// Reads, and states on behalf of the member, for instance that nothing changed.
    Operator,
}

impl Role {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Viewer, Self::Operator];

    /// The word in files and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }

    /// The word for people, in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Viewer => "查看",
            Self::Operator => "操作",
        }
    }

    /// The role of that word.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name || role.zh() == name)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Hash of its password, in PHC's text form.
    pub password: String,
    /// When it was made, in milliseconds since 1970 (UTC).
    pub created_ms: u64,
}

impl Account {
    /// Tells this password from every other one that the account had.
    pub fn fingerprint(&self) -> String {
        blake3::hash(self.password.as_bytes()).to_hex().to_string()
    }
}

/// Why accounts cannot be read or changed.
#[derive(Debug, Error)]
pub enum AccountError {
    /// The file.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A name that cannot be one.
    #[error(
        "an account's name has 1 to {ACCOUNT_NAME_CHARACTERS_MAX} letters, digits, `-`, `_` or `.`, and is not `{OWNER}`"
    )]
    Name,
    /// There is one of that name.
    #[error("there is an account of that name")]
    Exists,
    /// There is none of that name.
    #[error("there is no account of that name")]
    Unknown,
    /// There are too many.
    #[error("there are {ACCOUNTS_MAX} accounts already")]
    Full,
    /// A password that is too short or too long.
    #[error("a password has at least {PASSWORD_CHARACTERS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes")]
    Password,
    /// The password could not be hashed.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "account")]
    accounts: Vec<Account>,
}

/// What tells whether the file has changed.
type Stamp = Option<(SystemTime, u64)>;

/// The accounts of one data directory.
#[derive(Debug)]
pub struct Accounts {
    path: PathBuf,
    known: Mutex<Option<(Stamp, Vec<Account>)>>,
}

impl Accounts {
    /// The accounts in this file, which need not exist.
    pub fn at(path: PathBuf) -> Self {
        Self { path, known: Mutex::default() }
    }

    /// Every account, in the order of the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn all(&self) -> Result<Vec<Account>, AccountError> {
        let stamp = fs::metadata(&self.path).ok().and_then(|data| Some((data.modified().ok()?, data.len())));
        let mut known = self.known.lock();
        if let Some((of, accounts)) = &*known
            && *of == stamp
        {
            return Ok(accounts.clone());
        }
        let accounts = read(&self.path)?;
        *known = Some((stamp, accounts.clone()));
        Ok(accounts)
    }

    /// The account of that name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<Account>, AccountError> {
        Ok(self.all()?.into_iter().find(|account| account.name == name))
    }

    /// Adds an account.
    ///
    /// # Errors
    /// [`AccountError::Name`], [`AccountError::Password`], [`AccountError::Exists`], [`AccountError::Full`].
    pub fn add(&self, name: &str, role: Role, password: &str, now_ms: u64) -> Result<(), AccountError> {
        let good = |character: char| character.is_alphanumeric() || "-_.".contains(character);
        let length = name.chars().count();
        if !(1..=ACCOUNT_NAME_CHARACTERS_MAX).contains(&length) || !name.chars().all(good) || name == OWNER {
            return Err(AccountError::Name);
        }
        self.change(|accounts| {
            if accounts.iter().any(|account| account.name == name) {
                return Err(AccountError::Exists);
            }
            if accounts.len() >= ACCOUNTS_MAX {
                return Err(AccountError::Full);
            }
            let password = hash(password)?;
            accounts.push(Account { name: name.to_owned(), role, password, created_ms: now_ms });
            Ok(())
        })
    }

    /// Gives an account another password, which ends its sessions.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], [`AccountError::Password`].
    pub fn set_password(&self, name: &str, password: &str) -> Result<(), AccountError> {
        self.change(|accounts| {
            let found = accounts.iter_mut().find(|account| account.name == name).ok_or(AccountError::Unknown)?;
            found.password = hash(password)?;
            Ok(())
        })
    }

    /// Removes an account, which ends its sessions.
    ///
    /// # Errors
    /// [`AccountError::Unknown`].
    pub fn remove(&self, name: &str) -> Result<(), AccountError> {
        self.change(|accounts| {
            let place = accounts.iter().position(|account| account.name == name).ok_or(AccountError::Unknown)?;
            accounts.remove(place);
            Ok(())
        })
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Account>) -> Result<(), AccountError>) -> Result<(), AccountError> {
        let _locked = self.lock()?;
        let mut accounts = read(&self.path)?;
        change(&mut accounts)?;
        let text = toml::to_string(&File { accounts }).map_err(|error| content(&self.path, error))?;
        replace_private(&self.path, text.as_bytes())?;
        *self.known.lock() = None;
        Ok(())
    }

    /// Keeps other commands from changing the file until this is dropped.
    fn lock(&self) -> Result<fs::File, AccountError> {
        let path = self.path.with_extension("lock");
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
        let locked = file.and_then(|file| file.lock().map(|()| file));
        Ok(locked.map_err(file_error(&path))?)
    }

    /// The account, if the password is its own. Takes as long when there is no such account. Slow on purpose: call it
    /// away from the async threads.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn verify(&self, name: &str, password: &str) -> Result<Option<Account>, AccountError> {
        let account = self.find(name)?;
        let held = match &account {
            Some(account) => account.password.clone(),
            None => NOBODY.to_owned(),
        };
        let right = password.len() <= PASSWORD_BYTES_MAX
            && PasswordHash::new(&held)
                .is_ok_and(|held| Argon2::default().verify_password(password.as_bytes(), &held).is_ok());
        Ok(account.filter(|_| right))
    }
}

/// Hash of a password that nobody has: 32 random bytes that were thrown away.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn hash(password: &str) -> Result<String, AccountError> {
    if password.chars().count() < PASSWORD_CHARACTERS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(AccountError::Password);
    }
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| AccountError::Hash(error.to_string()))
}

fn read(path: &Path) -> Result<Vec<Account>, AccountError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(toml::from_str::<File>(&text).map_err(|error| content(path, error))?.accounts),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(file_error(path)(error).into()),
    }
}

fn content(path: &Path, reason: impl ToString) -> DirectoryError {
    DirectoryError::Content { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const GOOD: &str = "一句好记而且够长的话";

    fn accounts() -> (tempfile::TempDir, Accounts) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let accounts = Accounts::at(folder.path().join("portal-accounts.toml"));
        (folder, accounts)
    }

    #[test]
    fn an_account_logs_in_with_its_password_and_no_other() {
        let (_folder, accounts) = accounts();
        assert_eq!(accounts.all().expect("no file is no account"), []);
        accounts.add("王敏", Role::Operator, GOOD, 7).expect("it is in order");
        let found = accounts.verify("王敏", GOOD).expect("readable").expect("the password is right");
        assert_eq!((found.role, found.created_ms), (Role::Operator, 7));
        assert!(!found.password.contains(GOOD));
        for (name, password) in [("王敏", "另一句够长的话也不行"), ("nobody", GOOD), ("王敏", ""), ("nobody", "")]
        {
            assert_eq!(accounts.verify(name, password).expect("readable"), None, "{name} {password}");
        }
        let mode = fs::metadata(&accounts.path).expect("it was written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_hash_of_nobody_is_one_that_can_be_checked() {
        let held =
            PasswordHash::new(NOBODY).expect("well-formed, or an unknown name would be told by the time it takes");
        assert!(Argon2::default().verify_password(b"anything", &held).is_err());
        let hashed = hash(GOOD).expect("hashable");
        let same = |text: &str| text.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(same(&hashed), same(NOBODY), "as slow as a real one");
    }

    #[test]
    fn what_an_account_must_be_is_checked() {
        let (_folder, accounts) = accounts();
        for name in ["", "a b", "a\n", OWNER, &"x".repeat(ACCOUNT_NAME_CHARACTERS_MAX + 1)] {
            assert!(matches!(accounts.add(name, Role::Viewer, GOOD, 0), Err(AccountError::Name)), "{name}");
        }
        for password in ["short", &"长".repeat(PASSWORD_BYTES_MAX)] {
            assert!(matches!(accounts.add("a", Role::Viewer, password, 0), Err(AccountError::Password)));
        }
        accounts.add("a", Role::Viewer, GOOD, 0).expect("in order");
        assert!(matches!(accounts.add("a", Role::Viewer, GOOD, 0), Err(AccountError::Exists)));
        assert!(matches!(accounts.remove("b"), Err(AccountError::Unknown)));
        assert!(matches!(accounts.set_password("b", GOOD), Err(AccountError::Unknown)));
    }

    #[test]
    fn accounts_that_are_added_at_once_are_all_there() {
        let (_folder, accounts) = accounts();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let other = Accounts::at(accounts.path.clone());
                scope.spawn(move || other.add(&format!("u{number}"), Role::Viewer, GOOD, 0).expect("in order"));
            }
        });
        assert_eq!(accounts.all().expect("readable").len(), 8);
    }

    #[test]
    fn a_change_of_the_file_is_seen_and_changes_the_fingerprint() {
        let (_folder, accounts) = accounts();
        accounts.add("a", Role::Viewer, GOOD, 0).expect("in order");
        let before = accounts.find("a").expect("readable").expect("there").fingerprint();
        // Another process, as the command line is.
        let other = Accounts::at(accounts.path.clone());
        other.set_password("a", "还有一句好记而且更长的话").expect("in order");
        let after = accounts.find("a").expect("readable").expect("there").fingerprint();
        assert_ne!(before, after);
        other.remove("a").expect("it is there");
        assert_eq!(accounts.find("a").expect("readable"), None);
    }
}
