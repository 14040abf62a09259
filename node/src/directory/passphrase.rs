//! Passphrases of protected keys, and where they come from.
//!
//! The command line asks at the terminal; an unattended node takes the passphrase from its surroundings or from an
//! agent, a program that prints it. Who opens a directory says which of these there are.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use thiserror::Error;
use zeroize::Zeroizing;

use super::keystore::KeyName;

/// How long an agent may take.
const AGENT_WAIT: Duration = Duration::from_secs(30);
/// How often we look whether it has ended.
const AGENT_POLL: Duration = Duration::from_millis(20);
/// How long the rest of its output may take once it has ended.
const AGENT_FLUSH: Duration = Duration::from_secs(2);
/// Longest passphrase, in bytes.
pub const PASSPHRASE_BYTES_MAX: usize = 4096;
/// How often a source may be asked for one key.
pub const ATTEMPTS_MAX: usize = 8;

/// A passphrase. Its memory is wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes a passphrase; line breaks at its end belong to the file or the keyboard that it came from.
    pub fn new(text: impl Into<String>) -> Self {
        let text = Zeroizing::new(text.into());
        Self(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// The passphrase, to show it once or to compare it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Why a passphrase could not be had.
#[derive(Debug, Error)]
pub enum PassphraseError {
    /// The agent does not start, fails, or says nothing.
    #[error("the program {program:?} gives no passphrase: {reason}")]
    Agent {
        /// The program.
        program: String,
        /// What went wrong.
        reason: String,
    },
    /// The file, the terminal, or what else it was to come from.
    #[error("{from}: {source}")]
    Read {
        /// Where from.
        from: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Where passphrases come from.
pub trait PassphraseSource: fmt::Debug + Send + Sync {
    /// The candidate of that number, counted from 0, for a key; `None` when there is no further one.
    fn candidate(&self, key: KeyName, attempt: usize) -> Result<Option<Passphrase>, PassphraseError>;
}

/// No passphrases at all: only keys without protection open.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPassphrases;

impl PassphraseSource for NoPassphrases {
    fn candidate(&self, _: KeyName, _: usize) -> Result<Option<Passphrase>, PassphraseError> {
        Ok(None)
    }
}

impl PassphraseSource for Passphrase {
    fn candidate(&self, _: KeyName, attempt: usize) -> Result<Option<Passphrase>, PassphraseError> {
        Ok((attempt == 0).then(|| self.clone()))
    }
}

/// Asks an agent: runs a program, without a shell, and takes the first line of its output.
pub fn ask_agent(command: &[String]) -> Result<Passphrase, PassphraseError> {
    let program = command.first().cloned().unwrap_or_default();
    let failed = |reason: String| PassphraseError::Agent { program: program.clone(), reason };
    let mut agent = Command::new(&program);
    agent.args(command.get(1..).unwrap_or_default());
    let spawned = agent.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
    let mut child = spawned.map_err(|error| failed(error.to_string()))?;
    let output = child.stdout.take().ok_or_else(|| failed("it has no output".into()))?;
    // Read beside the wait, so that an agent that says too much cannot block on its pipe.
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || {
        let mut text = Zeroizing::new(String::new());
        let read = output.take(PASSPHRASE_BYTES_MAX as u64 + 1).read_to_string(&mut text).map(|_| text);
        // Nobody listens any more when the agent took too long.
        let _ = sender.send(read);
    });
    wait_bounded(&mut child, AGENT_WAIT).map_err(&failed)?;
    // A process that the agent left behind may hold its output open.
    let text = receiver.recv_timeout(AGENT_FLUSH).map_err(|_| failed("its output does not end".into()))?;
    let text = text.map_err(|error| failed(error.to_string()))?;
    let line = text.lines().next().unwrap_or_default();
    match line.len() {
        0 => Err(failed("it printed nothing".into())),
        length if length > PASSPHRASE_BYTES_MAX => Err(failed("it printed too much".into())),
        _ => Ok(Passphrase::new(line)),
    }
}

fn wait_bounded(child: &mut Child, longest: Duration) -> Result<(), String> {
    let until = Instant::now() + longest;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(status.to_string()),
            Ok(None) if Instant::now() < until => std::thread::sleep(AGENT_POLL),
            Ok(None) => {
                // It may have ended in this moment; either way it is gone afterwards.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it did not end within {} seconds", longest.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn an_agent_is_asked_without_a_shell() {
        let given = ask_agent(&words("echo pass $HOME")).expect("echo is there");
        assert_eq!(given.expose(), "pass $HOME");
        assert!(ask_agent(&words("false")).is_err());
        assert!(ask_agent(&words("true")).is_err(), "it says nothing");
        assert!(ask_agent(&words("/nowhere/agent")).is_err());
        assert!(ask_agent(&[]).is_err());
    }

    #[test]
    fn an_agent_that_hangs_is_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep is there");
        assert!(wait_bounded(&mut child, Duration::from_millis(50)).is_err());
    }

    #[test]
    fn a_passphrase_is_never_printed() {
        assert!(!format!("{:?}", Passphrase::new("geheim")).contains("geheim"));
        assert_eq!(Passphrase::new("a b\r\n").expose(), "a b");
    }
}
