//! Nodes as an operator runs them: a process and a data directory each, on loopback, driven by the command line.
//!
//! Waiting is bounded everywhere, and a node that goes out of scope takes its process with it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::namespace;
use crate::program::xianmeng;

/// How long a state may take to come about, unless a story says otherwise.
pub const WAIT: Duration = Duration::from_secs(60);
/// How often a state is looked at at first, and later: what is soon there is found soon, and what takes long does not
/// take the processor from those that it waits for.
const POLL: Duration = Duration::from_millis(20);
const POLL_MAX: Duration = Duration::from_millis(300);
/// What a node prints when it is ready.
const READY: &str = "\"ready\":true";

/// Name, class and division code of a member; the code may be empty.
pub type Member<'a> = (&'a str, &'a str, &'a str);

/// What a command led to.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output as JSON; null if it is none.
    pub json: Value,
    /// Standard error.
    pub errors: String,
}

impl Outcome {
    /// The JSON of a command that must have succeeded.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.code, 0, "{}\n{}", self.errors, self.json);
        self.json
    }

    /// The stable name of the error of a command that must have failed with this exit code.
    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}\n{}", self.errors, self.json);
        assert!(self.errors.contains("错误") && self.errors.contains("error"), "two languages: {}", self.errors);
        self.json["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A node.
#[derive(Debug)]
pub struct Node {
    directory: PathBuf,
    process: Option<Child>,
    /// Wraps the node's process, for instance in a memory limit.
    prefix: Vec<String>,
    /// The network namespace in which the node and all commands on it run, if it is another than the story's.
    namespace: Option<String>,
    /// Another build of the program than the tested one.
    program: Option<PathBuf>,
}

impl Node {
    /// A node in a directory that exists or will.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), process: None, prefix: Vec::new(), namespace: None, program: None }
    }

    /// Makes keys and settings: loopback, ports that the system chooses, discovery off, these peers.
    #[track_caller]
    pub fn init(directory: impl Into<PathBuf>, name: &str, class: &str, peers: &[String]) -> Self {
        Self::init_in(directory, (name, class, ""), peers)
    }

    /// The same for a member of that name, class and division code.
    #[track_caller]
    pub fn init_in(directory: impl Into<PathBuf>, (name, class, region): Member<'_>, peers: &[String]) -> Self {
        let node = Self::at(directory);
        let mut arguments = vec!["init", "--name", name, "--class", class, "--api", "127.0.0.1:0", "--no-discovery"];
        if !region.is_empty() {
            arguments.extend(["--region", region]);
        }
        arguments.extend(["--listen", "/ip4/127.0.0.1/tcp/0"]);
        for peer in peers {
            arguments.extend(["--peer", peer]);
        }
        node.run(&arguments).ok();
        node
    }

    /// Runs the node's process under another command, for instance `prlimit`.
    pub fn under(mut self, prefix: &[&str]) -> Self {
        self.prefix = prefix.iter().map(|part| (*part).to_owned()).collect();
        self
    }

    /// Runs the node, and every command on it, in a named network namespace.
    pub fn inside(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Runs the node, and every command on it, by another build of the program.
    pub fn by(mut self, program: &Path) -> Self {
        self.program = Some(program.to_owned());
        self
    }

    /// Another handle for commands on the same directory, in the same namespace, by the same program. It has no process.
    pub fn again(&self) -> Self {
        let mut node = Self::at(&self.directory);
        (node.namespace, node.program) = (self.namespace.clone(), self.program.clone());
        node
    }

    /// Its data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs a command on the node's data directory.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.command(&[]);
        command.args(arguments).arg("--json").arg("--data").arg(&self.directory).stdin(Stdio::null());
        outcome(command)
    }

    /// The program, where it is to run, behind a prefix.
    fn command(&self, prefix: &[String]) -> Command {
        let entering = self.namespace.as_deref().map(namespace::prefix);
        let mut words: Vec<String> = entering.into_iter().flatten().chain(prefix.iter().cloned()).collect();
        let program = self.program.as_deref().unwrap_or_else(|| xianmeng());
        words.push(program.to_string_lossy().into_owned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// Begins a command and does not wait for it. Its output goes nowhere.
    pub fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(&[]);
        command.args(arguments).arg("--json").arg("--data").arg(&self.directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the program was built")
    }

    /// Starts the node; panics with its log when it does not become ready.
    #[track_caller]
    pub fn start(&mut self) {
        if let Err(log) = self.try_start() {
            panic!("the node did not start:\n{log}");
        }
    }

    /// The same for a node that may take longer than others.
    #[track_caller]
    pub fn start_within(&mut self, limit: Duration) {
        if let Err(log) = self.try_start_within(limit) {
            panic!("the node did not start:\n{log}");
        }
    }

    /// Starts the node; its output if it ends instead of becoming ready.
    pub fn try_start(&mut self) -> Result<(), String> {
        self.try_start_within(WAIT)
    }

    fn try_start_within(&mut self, limit: Duration) -> Result<(), String> {
        let mut command = self.command(&self.prefix);
        command.args(["run", "--json", "--data"]).arg(&self.directory);
        let log_path = self.directory.join("node.log");
        // A directory that cannot take a log, for instance on a full disk, is a story's own affair.
        let log = std::fs::File::options().create(true).append(true).open(&log_path);
        let log = log.map_or_else(|_| Stdio::null(), Stdio::from);
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = spawned.expect("the program was built");
        let first = first_line(&mut child, limit);
        match first {
            Some(line) if line.contains(READY) => {
                self.process = Some(child);
                Ok(())
            }
            other => {
                let _ = child.kill();
                let code = child.wait().ok().and_then(|status| status.code());
                let log = std::fs::read_to_string(log_path).unwrap_or_default();
                Err(format!("exit {code:?}: {}\n{log}", other.unwrap_or_default()))
            }
        }
    }

    /// Kills the node without warning, as a power failure of the process would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks the node to stop and waits until it did.
    #[track_caller]
    pub fn stop(&mut self) {
        let Some(mut child) = self.process.take() else { return };
        let signalled = Command::new("kill").arg(child.id().to_string()).status();
        assert!(signalled.is_ok_and(|status| status.success()), "the node was gone already");
        let begun = Instant::now();
        while begun.elapsed() < WAIT {
            if child.try_wait().expect("the child is ours").is_some() {
                return;
            }
            std::thread::sleep(POLL);
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("the node did not stop when asked to");
    }

    /// The exit code of the node's process, once it has ended by itself.
    pub fn ended(&mut self) -> Option<i32> {
        let status = self.process.as_mut()?.try_wait().expect("the child is ours")?;
        self.process = None;
        Some(status.code().unwrap_or(-1))
    }

    /// What the node wrote to standard error, since its directory was made.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("node.log")).unwrap_or_default()
    }

    /// The number of the node's process.
    pub fn process_id(&self) -> u32 {
        self.process.as_ref().map(Child::id).expect("the node runs")
    }

    /// How the node is.
    #[track_caller]
    pub fn status(&self) -> Value {
        self.get("/v1/status")
    }

    /// Digest of its frontier.
    #[track_caller]
    pub fn digest(&self) -> String {
        self.status()["digest"].as_str().expect("a status has a digest").to_owned()
    }

    /// The address that others can dial.
    #[track_caller]
    pub fn address(&self) -> String {
        let network = self.get("/v1/network");
        network["listen"][0].as_str().expect("the node listens").to_owned()
    }

    /// Where the API listens, and the token.
    pub fn api(&self) -> (String, String) {
        let read = |name: &str| std::fs::read_to_string(self.directory.join(name)).expect("the node runs");
        (read("api.address").trim().to_owned(), read("api.token").trim().to_owned())
    }

    /// Asks the API; panics unless it answers with success.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let (address, token) = self.api();
        let ask = || {
            let request = ureq::get(format!("http://{address}{path}"));
            let mut response =
                request.header("Authorization", format!("Bearer {token}")).call().expect("the API answers");
            response.body_mut().read_to_string().expect("the answer is text")
        };
        let text = match &self.namespace {
            Some(name) => namespace::inside(name, ask),
            None => ask(),
        };
        serde_json::from_str(&text).expect("the answer is JSON")
    }

    /// Names of the members with whom the node has a connection. Whoever it takes for a stranger is left out.
    #[track_caller]
    pub fn linked(&self) -> Vec<String> {
        let peers = self.get("/v1/peers");
        let names = peers.as_array().expect("a list").iter().filter_map(|peer| peer["member"]["name"].as_str());
        names.map(str::to_owned).collect()
    }

    /// Waits until the node may sign.
    #[track_caller]
    pub fn wait_ready_to_sign(&self) {
        wait("the node may sign", WAIT, || self.status()["signing"]["ready"] == true);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a command to its end.
pub fn outcome(mut command: Command) -> Outcome {
    let output = command.output().expect("the program was built");
    let text = String::from_utf8_lossy(&output.stdout);
    Outcome {
        code: output.status.code().unwrap_or(-1),
        json: serde_json::from_str(&text).unwrap_or_default(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Waits until something holds; panics when it does not in time.
#[track_caller]
pub fn wait(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    let mut poll = POLL;
    while !holds() {
        assert!(begun.elapsed() < limit, "{what}: not within {} s", limit.as_secs());
        std::thread::sleep(poll);
        poll = POLL_MAX.min(poll * 5 / 4);
    }
}

/// Waits until a node has no connection with that member any more. What all the nodes know is told when it does not
/// come about.
#[track_caller]
pub fn wait_cut_off(node: &Node, member: &str, nodes: &[Node], limit: Duration) {
    let begun = Instant::now();
    while node.linked().iter().any(|name| name == member) {
        if begun.elapsed() >= limit {
            let known = nodes.iter().map(|node| {
                let (status, peers) = (node.status(), node.run(&["peers"]).json);
                format!("charter {}, counters {}, peers {peers}", status["charter_version"], status["counters"])
            });
            let known: Vec<String> = known.collect();
            panic!("{member} is not cut off within {} s:\n{}", limit.as_secs(), known.join("\n"));
        }
        std::thread::sleep(POLL);
    }
}

/// Waits until the digests of all nodes are equal.
#[track_caller]
pub fn wait_equal(nodes: &[&Node], limit: Duration) {
    wait("equal digests", limit, || {
        let first = nodes[0].digest();
        nodes[1..].iter().all(|node| node.digest() == first)
    });
}

fn first_line(child: &mut Child, limit: Duration) -> Option<String> {
    let output = child.stdout.take()?;
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        // The readiness line comes alone; a failure's JSON may be longer, and it then ends the output.
        let _ = output.read_line(&mut line);
        if !line.contains(READY) {
            let _ = output.read_to_string(&mut line);
        }
        let _ = sender.send(line);
        let mut rest = [0; 4_096];
        while output.read(&mut rest).is_ok_and(|bytes| bytes > 0) {}
    });
    receiver.recv_timeout(limit).ok()
}

/// A federation of nodes in a line: each knows only the one before it, and the secretariat is the first.
#[derive(Debug)]
pub struct Line {
    /// The nodes, the secretariat first.
    pub nodes: Vec<Node>,
    folder: tempfile::TempDir,
}

impl Line {
    /// Founds the federation, admits everybody, starts every node, and waits until all agree.
    #[track_caller]
    pub fn found(names: &[&str]) -> Self {
        let class = |index| if index == 0 { "secretariat" } else { "county" };
        let members: Vec<Member<'_>> =
            names.iter().enumerate().map(|(index, name)| (*name, class(index), "")).collect();
        Self::found_as(&members)
    }

    /// The same with members of any class; the first is the secretariat.
    #[track_caller]
    pub fn found_as(members: &[Member<'_>]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut first = Node::init_in(folder.path().join("0"), members[0], &[]);
        first.run(&["charter", "create", "--federation", "测试联盟"]).ok();
        first.start();
        let invitation = folder.path().join("invitation.json");
        let invitation = invitation.to_string_lossy().into_owned();
        first.run(&["charter", "invite", "--out", &invitation]).ok();
        let mut nodes = vec![first];
        for (index, member) in members.iter().enumerate().skip(1) {
            let before = nodes[index - 1].address();
            let mut node = Node::init_in(folder.path().join(index.to_string()), *member, &[before]);
            node.run(&["join", &invitation]).ok();
            nodes[0].run(&["charter", "admit", "--all", "--yes"]).ok();
            node.run(&["join", &invitation]).ok();
            node.start();
            node.wait_ready_to_sign();
            nodes.push(node);
        }
        let line = Self { nodes, folder };
        wait_equal(&line.nodes.iter().collect::<Vec<_>>(), WAIT);
        line
    }

    /// A folder for the story's own files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
