//! Where the command line takes passphrases from.
//!
//! For unattended starts, the first of these that there is: the environment's `XIANMENG_PASSPHRASE`, the file that
//! `XIANMENG_PASSPHRASE_FILE` names (as systemd's credentials are files), the agent `keys.passphrase_command` of the
//! settings. The governance key is first tried with `XIANMENG_GOVERNANCE_PASSPHRASE`. What these do not open is asked
//! for at the terminal, if there is one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use node::config::Config;
use node::directory::keystore::KeyName;
use node::directory::passphrase::{PASSPHRASE_BYTES_MAX, Passphrase, PassphraseError, PassphraseSource, ask_agent};
use protocol::charter::Purpose;

use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// The passphrase of the keys.
const VARIABLE: &str = "XIANMENG_PASSPHRASE";
/// A file that holds it.
const FILE_VARIABLE: &str = "XIANMENG_PASSPHRASE_FILE";
/// The passphrase of the governance key, if it has one of its own.
const GOVERNANCE_VARIABLE: &str = "XIANMENG_GOVERNANCE_PASSPHRASE";
/// The passphrase that shall protect keys from now on.
const NEW_VARIABLE: &str = "XIANMENG_NEW_PASSPHRASE";
/// The passphrase of a recovery kit.
const KIT_VARIABLE: &str = "XIANMENG_KIT_PASSPHRASE";
/// How often a person is asked for the passphrase of one key.
const TYPED_MAX: usize = 3;
/// Characters that a passphrase must have.
const CHARACTERS_MIN: usize = 8;

/// What the process finds around it.
#[derive(Debug, Clone, Default)]
struct Surroundings {
    passphrase: Option<Passphrase>,
    file: Option<PathBuf>,
    governance: Option<Passphrase>,
    new: Option<Passphrase>,
    kit: Option<Passphrase>,
    terminal: bool,
}

impl Surroundings {
    fn of_process() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            passphrase: variable(VARIABLE).map(Passphrase::new),
            file: variable(FILE_VARIABLE).map(PathBuf::from),
            governance: variable(GOVERNANCE_VARIABLE).map(Passphrase::new),
            new: variable(NEW_VARIABLE).map(Passphrase::new),
            kit: variable(KIT_VARIABLE).map(Passphrase::new),
            terminal: io::stdin().is_terminal() && io::stderr().is_terminal(),
        }
    }

    /// The passphrase that needs no person, if there is one.
    fn unattended(&self, config: Option<&Path>) -> Result<Option<Passphrase>, PassphraseError> {
        if let Some(passphrase) = &self.passphrase {
            return Ok(Some(passphrase.clone()));
        }
        if let Some(file) = &self.file {
            return read_file(file).map(Some);
        }
        // Settings that cannot be read are named by whoever needs them for more than this.
        let command = config.and_then(|path| Config::read(path).ok()).map(|config| config.keys.passphrase_command);
        match command.filter(|command| !command.is_empty()) {
            Some(command) => ask_agent(&command).map(Some),
            None => Ok(None),
        }
    }
}

fn read_file(path: &Path) -> Result<Passphrase, PassphraseError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(PASSPHRASE_BYTES_MAX as u64).read_to_string(&mut text));
    read.map_err(|source| PassphraseError::Read { from: path.display().to_string(), source })?;
    Ok(Passphrase::new(text))
}

/// The passphrases of one data directory.
#[derive(Debug)]
pub struct Passphrases {
    surroundings: Surroundings,
    config: PathBuf,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    asked_unattended: bool,
    /// What is tried for every key before anybody is asked.
    known: Vec<Passphrase>,
    typed: BTreeMap<KeyName, usize>,
}

impl Passphrases {
    /// The passphrases for a directory with these settings.
    pub fn new(config: PathBuf) -> Self {
        Self { surroundings: Surroundings::of_process(), config, memory: Mutex::default() }
    }

    /// The same without asking anybody.
    pub fn unattended(config: PathBuf) -> Self {
        let surroundings = Surroundings { terminal: false, ..Surroundings::of_process() };
        Self { surroundings, config, memory: Mutex::default() }
    }

    fn ask(&self, key: KeyName, memory: &mut Memory) -> Result<Option<Passphrase>, PassphraseError> {
        let typed = memory.typed.entry(key).or_default();
        if !self.surroundings.terminal || *typed >= TYPED_MAX {
            return Ok(None);
        }
        *typed += 1;
        if *typed > 1 {
            // The last one did not open this key: it was a typing error.
            memory.known.pop();
        }
        let passphrase = prompt(&format!("密钥 {key} 的口令 Passphrase of the key {key}: "))?;
        memory.known.push(passphrase.clone());
        Ok(Some(passphrase))
    }
}

impl PassphraseSource for Passphrases {
    fn candidate(&self, key: KeyName, attempt: usize) -> Result<Option<Passphrase>, PassphraseError> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut memory.asked_unattended, true) {
            memory.known.extend(self.surroundings.unattended(Some(&self.config))?);
        }
        let own = self.surroundings.governance.iter().filter(|_| key.purpose == Purpose::Governance);
        let known = own.chain(&memory.known).nth(attempt).cloned();
        match known {
            Some(passphrase) => Ok(Some(passphrase)),
            None => self.ask(key, &mut memory),
        }
    }
}

/// A passphrase that shall protect keys from now on: of the environment, or asked twice at the terminal.
pub fn choose() -> Result<Passphrase, Failure> {
    choose_from(&Surroundings::of_process())
}

fn choose_from(surroundings: &Surroundings) -> Result<Passphrase, Failure> {
    let given = match &surroundings.new {
        Some(new) => Some(new.clone()),
        None => surroundings.unattended(None).map_err(|error| failure(&error))?,
    };
    let chosen = match given {
        Some(passphrase) => passphrase,
        None if surroundings.terminal => ask_twice()?,
        None => {
            let (zh, en) = ("没有口令，也没有终端可以询问。", "no passphrase, and no terminal to ask at");
            return Err(Failure::new(ExitCode::InputRefused, "passphrase-missing", zh, en)
                .fix(format!("请设置环境变量 {NEW_VARIABLE}。"), format!("set {NEW_VARIABLE} in the environment")));
        }
    };
    if chosen.expose().chars().count() < CHARACTERS_MIN {
        let (zh, en) = ("口令太短。", "the passphrase is too short");
        return Err(Failure::new(ExitCode::InputRefused, "passphrase-short", zh, en).fix(
            format!("至少 {CHARACTERS_MIN} 个字符；一句好记的话最好。"),
            format!("at least {CHARACTERS_MIN} characters; a sentence is best"),
        ));
    }
    Ok(chosen)
}

fn ask_twice() -> Result<Passphrase, Failure> {
    let ask = |text| prompt(text).map_err(|error| failure(&error));
    let first = ask("新口令 New passphrase: ")?;
    if ask("再输一遍 Once more: ")? == first {
        return Ok(first);
    }
    let (zh, en) = ("两次输入的口令不一样。", "the two passphrases differ");
    Err(Failure::new(ExitCode::InputRefused, "passphrase-differs", zh, en).fix("请重来一次。", "try again"))
}

/// The passphrase of a recovery kit.
pub fn of_kit() -> Result<Passphrase, Failure> {
    let surroundings = Surroundings::of_process();
    match surroundings.kit {
        Some(passphrase) => Ok(passphrase),
        None if surroundings.terminal => {
            prompt("恢复包的口令 Passphrase of the recovery kit: ").map_err(|error| failure(&error))
        }
        None => {
            let (zh, en) = ("没有恢复包的口令。", "there is no passphrase for the recovery kit");
            Err(Failure::new(ExitCode::InputRefused, "passphrase-missing", zh, en)
                .fix(format!("请设置环境变量 {KIT_VARIABLE}。"), format!("set {KIT_VARIABLE} in the environment")))
        }
    }
}

fn prompt(text: &str) -> Result<Passphrase, PassphraseError> {
    let typed = rpassword::prompt_password(text);
    typed.map(Passphrase::new).map_err(|source| PassphraseError::Read { from: "terminal".into(), source })
}

/// The failure of a source of passphrases.
pub fn failure(error: &PassphraseError) -> Failure {
    Failure::new(ExitCode::NotAllowed, "passphrase-source", format!("取不到口令：{error}"), error.to_string()).fix(
        format!("请核对 {VARIABLE}、{FILE_VARIABLE} 或 config.toml 的 keys.passphrase_command。"),
        format!("check {VARIABLE}, {FILE_VARIABLE}, or keys.passphrase_command in config.toml"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrases(surroundings: Surroundings, config: &str) -> (tempfile::TempDir, Passphrases) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, config).expect("the directory is writable");
        (folder, Passphrases { surroundings, config: path, memory: Mutex::default() })
    }

    fn candidates(source: &Passphrases, purpose: Purpose) -> Vec<String> {
        let candidate = |attempt| source.candidate(KeyName::current(purpose), attempt).expect("it can be had");
        (0..).map_while(candidate).map(|passphrase| passphrase.expose().to_owned()).collect()
    }

    #[test]
    fn the_environment_wins_then_the_file_then_the_agent() {
        let agent = "[keys]\npassphrase_command = [\"echo\", \"from the agent\"]\n";
        let (folder, mut source) = passphrases(Surroundings::default(), agent);
        assert_eq!(candidates(&source, Purpose::Signing), ["from the agent"]);
        let file = folder.path().join("secret");
        std::fs::write(&file, "from the file\n").expect("the directory is writable");
        source.surroundings.file = Some(file);
        source.memory = Mutex::default();
        assert_eq!(candidates(&source, Purpose::Signing), ["from the file"]);
        source.surroundings.passphrase = Some(Passphrase::new("from the environment"));
        source.surroundings.governance = Some(Passphrase::new("another"));
        source.memory = Mutex::default();
        assert_eq!(candidates(&source, Purpose::Signing), ["from the environment"]);
        assert_eq!(candidates(&source, Purpose::Governance), ["another", "from the environment"]);
    }

    #[test]
    fn a_source_that_fails_is_named() {
        let gone = Surroundings { file: Some("/nowhere/secret".into()), ..Surroundings::default() };
        let (_folder, source) = passphrases(gone, "");
        let error = source.candidate(KeyName::current(Purpose::Signing), 0).expect_err("there is no such file");
        assert!(failure(&error).en.contains("/nowhere/secret"));
        let (_folder, silent) = passphrases(Surroundings::default(), "");
        assert_eq!(candidates(&silent, Purpose::Signing), Vec::<String>::new());
    }

    #[test]
    fn a_new_passphrase_has_a_least_length() {
        let code =
            |surroundings: &Surroundings| choose_from(surroundings).expect_err("refused").code.clone().into_owned();
        assert_eq!(code(&Surroundings::default()), "passphrase-missing");
        let with = |text: &str| Surroundings { new: Some(Passphrase::new(text)), ..Surroundings::default() };
        assert_eq!(code(&with("kurz")), "passphrase-short");
        assert!(choose_from(&with("一句好记的话就行")).is_ok());
    }
}
