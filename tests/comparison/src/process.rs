//! Processes that are started, asked and ended: every wait is limited, and none outlives the one who started it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

/// Lines of a process that may wait to be read.
const LINES: usize = 64;
/// How long a process may take to end when it is asked to.
const STOP: Duration = Duration::from_secs(60);
/// How often a process is asked whether it has ended.
const POLL: Duration = Duration::from_millis(2);
/// Bytes of a log that a failure shows.
const LOG_SHOWN_BYTES: usize = 600;

/// Something took longer than it may. The comparison then tries with fewer records.
#[derive(Debug)]
pub struct TooSlow(pub String);

impl std::fmt::Display for TooSlow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "not in time: {}", self.0)
    }
}

impl std::error::Error for TooSlow {}

/// A process whose standard output is read line by line, and whose errors go to a file.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    log: std::path::PathBuf,
}

impl Process {
    /// Starts a command.
    pub fn start(mut command: Command, log: &Path) -> Result<Self> {
        let errors = std::fs::File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("standard output is a pipe")?;
        let (sender, lines) = sync_channel(LINES);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, input, lines, log: log.to_owned() })
    }

    /// The next line of its output.
    pub fn line(&mut self, limit: Duration) -> Result<String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => Err(TooSlow(format!("{} s", limit.as_secs())).into()),
            Err(RecvTimeoutError::Disconnected) => bail!("the process ended: {}", self.log()),
        }
    }

    /// Sends one request and reads the answer, each a line of JSON. An answer with `error` is an error.
    pub fn ask(&mut self, request: &Value, limit: Duration) -> Result<Value> {
        let input = self.input.as_mut().context("the process takes requests")?;
        writeln!(input, "{request}").and_then(|()| input.flush()).context("asking a process")?;
        let answer: Value = serde_json::from_str(&self.line(limit)?)?;
        match answer["error"].as_str() {
            Some(error) => Err(anyhow!("{error}")),
            None => Ok(answer),
        }
    }

    /// Ends it with a signal, and waits until it is gone.
    pub fn stop(self, signal: &str) -> Result<()> {
        Command::new("kill").args(["-s", signal]).arg(self.child.id().to_string()).status()?;
        self.finish()
    }

    /// Tells it that there are no more requests, and waits until it is gone.
    pub fn finish(mut self) -> Result<()> {
        drop(self.input.take());
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > STOP {
                bail!("a process did not stop when asked to: {}", self.log());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    fn log(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(LOG_SHOWN_BYTES)..]).replace('\n', " | ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end, which must be a good one; its output.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let said = String::from_utf8_lossy(&output.stdout);
        bail!("{command:?} failed: {} {}", errors.trim(), said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Asks until something holds; the time that it took.
pub fn wait(what: &str, poll: Duration, limit: Duration, mut holds: impl FnMut() -> Result<bool>) -> Result<Duration> {
    let begun = Instant::now();
    while !holds()? {
        if begun.elapsed() > limit {
            return Err(TooSlow(format!("{what} within {} s", limit.as_secs())).into());
        }
        std::thread::sleep(poll);
    }
    Ok(begun.elapsed())
}
