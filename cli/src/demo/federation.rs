//! Nodes of the demonstration: each a process of its own with a data directory of its own, on loopback.
//!
//! Everything is done by the commands that an operator would type, so that the demonstration shows the product.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a node may take to start.
const START_WAIT: Duration = Duration::from_secs(60);
/// How long a node may take to stop after it was asked to.
const STOP_WAIT: Duration = Duration::from_secs(20);

/// Why a step failed: what was done, and what came of it.
pub(super) type StepError = String;

/// Who takes part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Participant {
    /// Its name in `placement.csv` and of its directory.
    pub(super) id: &'static str,
    /// Name of the organisation.
    pub(super) name: &'static str,
    /// Its class.
    pub(super) class: &'static str,
    /// GB/T 2260 code, or empty.
    pub(super) region: &'static str,
}

/// A node of the demonstration.
pub(super) struct DemoNode {
    /// Who it is.
    pub(super) participant: Participant,
    program: PathBuf,
    directory: PathBuf,
    process: Option<Child>,
}

impl DemoNode {
    /// A node in `root` that does not exist yet.
    pub(super) fn new(participant: Participant, program: &Path, root: &Path) -> Self {
        let directory = root.join(participant.id);
        Self { participant, program: program.to_owned(), directory, process: None }
    }

    /// Its data directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes its keys and settings: loopback, ports that the system chooses.
    pub(super) fn init(&self) -> Result<(), StepError> {
        let participant = &self.participant;
        let mut arguments = vec!["init", "--name", participant.name, "--class", participant.class];
        if !participant.region.is_empty() {
            arguments.extend(["--region", participant.region]);
        }
        arguments.extend(["--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1"]);
        arguments.extend(["--api", "127.0.0.1:0"]);
        self.command(&arguments).map(|_| ())
    }

    /// Runs a command on this node's data directory and returns what it prints as JSON.
    pub(super) fn command(&self, arguments: &[&str]) -> Result<Value, StepError> {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--json").arg("--data").arg(&self.directory);
        let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let shown = arguments.join(" ");
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: xianmeng {shown}: {}\n{errors}", self.participant.name, output.status));
        }
        serde_json::from_str(&text)
            .map_err(|error| format!("{}: {arguments:?}: {error}: {text}", self.participant.name))
    }

    /// Starts the node and waits until it is ready.
    pub(super) fn start(&mut self) -> Result<(), StepError> {
        let log = std::fs::File::options().create(true).append(true).open(self.directory.join("node.log"));
        let log = log.map_err(|error| format!("{}: {error}", self.directory.display()))?;
        let mut command = Command::new(&self.program);
        command.args(["run", "--json", "--data"]).arg(&self.directory);
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = spawned.map_err(|error| format!("{command:?}: {error}"))?;
        let ready = wait_for_line(&mut child);
        self.process = Some(child);
        if ready {
            return Ok(());
        }
        let log = std::fs::read_to_string(self.directory.join("node.log")).unwrap_or_default();
        let mut tail = String::new();
        log.lines().rev().take(10).collect::<Vec<_>>().into_iter().rev().for_each(|line| {
            let _ = writeln!(tail, "    {line}");
        });
        Err(format!("{}: the node did not start:\n{tail}", self.participant.name))
    }

    /// Asks the node to stop, as an operator would, and waits until it did.
    pub(super) fn stop(&mut self) -> Result<(), StepError> {
        let Some(mut child) = self.process.take() else { return Ok(()) };
        terminate(&child)?;
        let begun = Instant::now();
        while begun.elapsed() < STOP_WAIT {
            match child.try_wait() {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(error.to_string()),
            }
        }
        // It did not stop by itself: that is a failure of the demonstration, but nothing may be left behind.
        let _ = child.kill();
        let _ = child.wait();
        Err(format!("{}: the node did not stop within {} s", self.participant.name, STOP_WAIT.as_secs()))
    }

    /// Whether the node runs.
    pub(super) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// How the node is.
    pub(super) fn status(&self) -> Result<Value, StepError> {
        self.command(&["status"])
    }
}

impl Drop for DemoNode {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            // Whatever went wrong before, no process may be left behind.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits for the line that the node prints when it is ready.
fn wait_for_line(child: &mut Child) -> bool {
    let Some(output) = child.stdout.take() else { return false };
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut line = String::new();
        let mut output = BufReader::new(output);
        let ready = output.read_line(&mut line).is_ok_and(|bytes| bytes > 0);
        let _ = sender.send(ready);
        // The rest is read and dropped, so that the node never waits for a reader.
        while output.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            line.clear();
        }
    });
    receiver.recv_timeout(START_WAIT).unwrap_or(false)
}

fn terminate(child: &Child) -> Result<(), StepError> {
    let process = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    let process = process.ok_or_else(|| format!("{} is no process number", child.id()))?;
    rustix::process::kill_process(process, rustix::process::Signal::TERM).map_err(|error| error.to_string())
}
