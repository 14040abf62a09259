//! Which data directory a command works on, and what is wrong with it when it cannot be used.
//!
//! In this order: `--data DIR`, the environment's `XIANMENG_DATA` (both through clap), the key `data` of the user's
//! file `xianmeng/cli.toml` under `$XDG_CONFIG_HOME` or `~/.config`, and `~/.xianmeng`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use node::directory::keystore::open_key_file;
use node::directory::{DataDirectory, DirectoryError};
use node::kinds::KindsError;
use protocol::charter::Purpose;
use serde::Deserialize;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::passphrase::{self, Passphrases};

/// The user's settings of the command line.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserFile {
    data: Option<String>,
}

/// What the environment says about the user.
#[derive(Debug, Clone, Default)]
struct Surroundings {
    home: Option<PathBuf>,
    config_home: Option<PathBuf>,
}

impl Surroundings {
    fn of_process() -> Self {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self { home: path("HOME"), config_home: path("XDG_CONFIG_HOME").filter(|path| path.is_absolute()) }
    }

    fn user_file(&self) -> Option<PathBuf> {
        let base = self.config_home.clone().or_else(|| Some(self.home.as_ref()?.join(".config")))?;
        Some(base.join("xianmeng").join("cli.toml"))
    }

    /// `~` and `~/…` mean the home directory.
    fn expand(&self, text: &str) -> PathBuf {
        match (text.strip_prefix('~'), &self.home) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
                home.join(rest.trim_start_matches('/'))
            }
            _ => PathBuf::from(text),
        }
    }
}

/// The data directory that the command line, the environment or the user's file names.
pub fn data_path(given: Option<&Path>) -> Result<PathBuf, Failure> {
    choose(given, &Surroundings::of_process())
}

fn choose(given: Option<&Path>, surroundings: &Surroundings) -> Result<PathBuf, Failure> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    if let Some(path) = surroundings.user_file().filter(|path| path.exists())
        && let Some(data) = read_user_file(&path)?.data
    {
        return Ok(surroundings.expand(&data));
    }
    let home = surroundings.home.as_ref().ok_or_else(|| {
        let (zh, en) = ("不知道用哪个数据目录：没有 HOME 环境变量。", "no data directory: the environment has no HOME");
        Failure::new(ExitCode::DataDirectory, "data-unknown", zh, en).fix("请加 --data 目录。", "add --data DIR")
    })?;
    Ok(home.join(".xianmeng"))
}

fn read_user_file(path: &Path) -> Result<UserFile, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    toml::from_str(&text).map_err(|error| {
        let (zh, en) = (format!("{} 写得不对：{error}", path.display()), format!("{}: {error}", path.display()));
        Failure::new(ExitCode::DataDirectory, "user-file", zh, en)
            .fix("这个文件只有一个键：data = \"目录\"。", "the file has one key: data = \"DIR\"")
    })
}

/// The directory of extra kind files in a data directory, where neither the line nor the environment names one.
const KINDS_DIRECTORY: &str = "kinds";

/// Puts the kinds of this process in use: those of this build and the extra files that are `given`, or lie in the data
/// directory.
pub fn install_kinds(context: &Context, given: Option<&Path>) -> Result<(), Failure> {
    // A command that needs no data directory does not fail for the want of one.
    let own = || context.data_path().ok().map(|data| data.join(KINDS_DIRECTORY)).filter(|directory| directory.is_dir());
    let directory = given.map(Path::to_owned).or_else(own);
    node::kinds::install(directory.as_deref()).map_err(|error| kinds_failure(&error))
}

/// The failure that an error of kind files means.
pub fn kinds_failure(error: &KindsError) -> Failure {
    let (fix_zh, fix_en) = error.fix();
    Failure::new(ExitCode::InputRefused, "kind-file", error.zh(), error.to_string()).fix(fix_zh, fix_en)
}

/// Opens the data directory of a node. Protected keys open by what the surroundings or the person at the terminal say.
pub fn open(path: &Path) -> Result<DataDirectory, Failure> {
    let directory = DataDirectory::open(path).map_err(|error| directory_failure(&error))?;
    let passphrases = Passphrases::new(directory.config_path());
    Ok(directory.unlocked_by(Arc::new(passphrases)))
}

/// The key that signs charter blocks: of a file, for instance on a stick, or of the data directory.
pub fn governance_key(context: &Context, file: Option<&Path>) -> Result<SigningKey, Failure> {
    // A key that lies offline is used where there is no node.
    if let (Some(file), Err(_)) = (file, context.directory()) {
        let passphrases = Passphrases::new(context.data_path()?.join("config.toml"));
        return open_key_file(file, Purpose::Governance, &passphrases).map_err(|error| directory_failure(&error));
    }
    governance_key_of(&context.directory()?, file)
}

/// The same for a directory that is open already.
pub fn governance_key_of(directory: &DataDirectory, file: Option<&Path>) -> Result<SigningKey, Failure> {
    let opened = match file {
        Some(file) => open_key_file(file, Purpose::Governance, directory.passphrases()),
        None => directory.governance_key(),
    };
    opened.map_err(|error| match error {
        DirectoryError::NoKey { .. } => {
            let (zh, en) = ("数据目录里没有治理密钥。", "the data directory holds no governance key");
            Failure::new(ExitCode::NotAllowed, "no-governance-key", zh, en).fix(
                "它若在别处，请加 --governance-key 文件，或放回 keys/governance.key。",
                "if it lies elsewhere, add --governance-key FILE or put keys/governance.key back",
            )
        }
        error => directory_failure(&error),
    })
}

/// The failure that an error of the data directory means.
pub fn directory_failure(error: &DirectoryError) -> Failure {
    let new = |code: &'static str, zh: String| Failure::new(ExitCode::DataDirectory, code, zh, error.to_string());
    match error {
        DirectoryError::Exists { directory } => {
            let zh = format!("{} 里已经有一个节点，没有做任何改动。", directory.display());
            new("data-exists", zh).fix(
                "要另建节点，请用 --data 指定别的目录；要运行它，请执行 xianmeng run。",
                "for another node name another directory with --data; to run this one: xianmeng run",
            )
        }
        DirectoryError::Missing { directory } => new("data-missing", format!("{} 里没有节点。", directory.display()))
            .fix(
                "请先执行 xianmeng init，或用 --data 指定节点的数据目录。",
                "run `xianmeng init` first, or name the node's directory with --data",
            ),
        DirectoryError::File { path, source } => {
            let mut failure = Failure::file(path, source);
            if failure.exit != ExitCode::Store {
                failure.exit = ExitCode::DataDirectory;
            }
            failure
        }
        DirectoryError::Content { path, reason } => {
            new("data-content", format!("{} 的内容不对：{reason}", path.display()))
                .fix("请从备份恢复这个文件。", "restore the file from a backup")
        }
        DirectoryError::NoKey { key } => new("key-missing", format!("没有密钥 {key}。")).fix(
            "请放回 keys 目录里的文件，或用恢复包重建（xianmeng recover）。",
            "put the file in `keys` back, or make the node again from its recovery kit (`xianmeng recover`)",
        ),
        DirectoryError::Locked { key } => {
            let mut failure = new("key-locked", format!("密钥 {key} 有口令保护，现在没有口令可用。"));
            failure.exit = ExitCode::NotAllowed;
            failure.fix(
                "请在终端执行，或设置 XIANMENG_PASSPHRASE、XIANMENG_PASSPHRASE_FILE 或 keys.passphrase_command。",
                "run it at a terminal, or set XIANMENG_PASSPHRASE, XIANMENG_PASSPHRASE_FILE or keys.passphrase_command",
            )
        }
        DirectoryError::WrongPassphrase { key } => {
            let mut failure = new("passphrase-wrong", format!("口令打不开密钥 {key}。"));
            failure.exit = ExitCode::NotAllowed;
            failure.fix(
                "请核对口令；忘了口令可用恢复包重建。",
                "check the passphrase; a forgotten one leaves the recovery kit",
            )
        }
        DirectoryError::Passphrase(error) => passphrase::failure(error),
        DirectoryError::Config(error) => new("config", format!("节点设置写得不对：{error}"))
            .fix("请按提示改正 config.toml。", "correct config.toml as the message says"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_the_users_file_then_the_home() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let surroundings = Surroundings { home: Some(folder.path().to_owned()), config_home: None };
        let given = choose(Some(Path::new("here")), &surroundings).expect("it is named");
        assert_eq!(given, Path::new("here"));
        assert_eq!(choose(None, &surroundings).expect("there is a home"), folder.path().join(".xianmeng"));

        let config = folder.path().join(".config/xianmeng");
        fs::create_dir_all(&config).expect("the directory is writable");
        fs::write(config.join("cli.toml"), "data = \"~/node\"").expect("the directory is writable");
        assert_eq!(choose(None, &surroundings).expect("the file names it"), folder.path().join("node"));
        fs::write(config.join("cli.toml"), "date = 1").expect("the directory is writable");
        assert_eq!(choose(None, &surroundings).expect_err("a wrong key").code, "user-file");
    }

    #[test]
    fn a_missing_directory_names_the_way_out() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let failure = open(folder.path()).expect_err("nothing is there");
        assert_eq!((failure.exit, failure.code.as_ref()), (ExitCode::DataDirectory, "data-missing"));
        assert!(failure.fix_en.contains("xianmeng init"));
    }
}
