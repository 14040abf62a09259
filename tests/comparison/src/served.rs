//! Systems that are libraries: each process is this very program with another subcommand, asked over its standard input
//! and output, so that only the system's own traffic travels over loopback.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::process::Process;
use crate::system::{About, System};

/// How long an answer to a small question may take.
const ANSWER: Duration = Duration::from_secs(30);

/// One process of such a system: answers requests.
pub trait Node {
    /// Version, durability and signatures.
    fn about(&self) -> About;
    /// Makes what records are published to; what a receiver needs to take part.
    async fn found(&mut self) -> Result<String>;
    /// Publishes many.
    async fn publish(&mut self, records: Range<usize>) -> Result<()>;
    /// Publishes one.
    async fn publish_one(&mut self, index: usize) -> Result<String>;
    /// Takes part, as the receiver, without asking anybody for anything yet.
    async fn join(&mut self, ticket: &str) -> Result<()>;
    /// Gets everything from the author, of which so many records are not there yet, and follows it from then on.
    async fn sync(&mut self, fresh: usize) -> Result<()>;
    /// Reads and compares everything; how many there are.
    async fn check(&mut self) -> Result<usize>;
    /// Whether a record can be read.
    async fn is_readable(&mut self, handle: &str) -> Result<bool>;
    /// Ends in good order.
    async fn finish(self) -> Result<()>;
}

/// Answers requests until standard input ends.
pub async fn serve(mut node: impl Node) -> Result<()> {
    let About { version, durability, signed } = node.about();
    let mut output = tokio::io::stdout();
    let mut say = async |answer: Value| {
        output.write_all(format!("{answer}\n").as_bytes()).await?;
        output.flush().await
    };
    say(json!({ "version": version, "durability": durability, "signed": signed })).await?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = answer(&mut node, &serde_json::from_str(&line)?).await;
        say(answer.unwrap_or_else(|error| json!({ "error": format!("{error:#}") }))).await?;
    }
    node.finish().await
}

async fn answer(node: &mut impl Node, request: &Value) -> Result<Value> {
    let number = |name: &str| request[name].as_u64().map(|number| number as usize).context("a number is missing");
    let text = |name: &str| request[name].as_str().context("a text is missing");
    match text("do")? {
        "found" => Ok(json!({ "ticket": node.found().await? })),
        "publish" => node.publish(number("first")?..number("end")?).await.map(|()| json!({})),
        "publish-one" => Ok(json!({ "handle": node.publish_one(number("index")?).await? })),
        "join" => node.join(text("ticket")?).await.map(|()| json!({})),
        "sync" => node.sync(number("fresh")?).await.map(|()| json!({})),
        "check" => Ok(json!({ "count": node.check().await? })),
        "is-readable" => Ok(json!({ "readable": node.is_readable(text("handle")?).await? })),
        other => anyhow::bail!("unknown request {other}"),
    }
}

/// Two such processes.
pub struct Served {
    name: &'static str,
    folder: PathBuf,
    limit: Duration,
    author: Option<Process>,
    receiver: Option<Process>,
    ticket: String,
}

impl Served {
    /// Processes of that system in this folder.
    pub fn new(name: &'static str, folder: &Path, limit: Duration) -> Self {
        Self { name, folder: folder.to_owned(), limit, author: None, receiver: None, ticket: String::new() }
    }

    fn start(&self, role: &str) -> Result<(Process, Value)> {
        let directory = self.folder.join(role);
        std::fs::create_dir_all(&directory)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").arg(self.name).arg(&directory);
        let mut process = Process::start(command, &directory.with_extension("log"))?;
        let about = serde_json::from_str(&process.line(self.limit)?)?;
        Ok((process, about))
    }

    fn ask_author(&mut self, request: &Value, limit: Duration) -> Result<Value> {
        self.author.as_mut().context("the author runs")?.ask(request, limit)
    }

    fn ask_receiver(&mut self, request: &Value, limit: Duration) -> Result<Value> {
        self.receiver.as_mut().context("the receiver runs")?.ask(request, limit)
    }
}

impl System for Served {
    fn name(&self) -> &'static str {
        self.name
    }

    fn found(&mut self) -> Result<About> {
        let (author, about) = self.start("author")?;
        self.author = Some(author);
        let answer = self.ask_author(&json!({ "do": "found" }), ANSWER)?;
        self.ticket = answer["ticket"].as_str().context("a ticket")?.to_owned();
        let text = |name: &str| about[name].as_str().unwrap_or_default().to_owned();
        Ok(About { version: text("version"), durability: text("durability"), signed: text("signed") })
    }

    fn control_ports(&self) -> Vec<u16> {
        Vec::new()
    }

    fn publish(&mut self, records: Range<usize>) -> Result<()> {
        let request = json!({ "do": "publish", "first": records.start, "end": records.end });
        self.ask_author(&request, self.limit).map(drop)
    }

    fn settle(&mut self) -> Result<()> {
        Ok(())
    }

    fn start_receiver(&mut self) -> Result<()> {
        self.receiver = Some(self.start("receiver")?.0);
        let request = json!({ "do": "join", "ticket": self.ticket });
        self.ask_receiver(&request, self.limit).map(drop)
    }

    fn wait_complete(&mut self, _total: usize, fresh: usize) -> Result<()> {
        self.ask_receiver(&json!({ "do": "sync", "fresh": fresh }), self.limit).map(drop)
    }

    fn check(&mut self) -> Result<usize> {
        let answer = self.ask_receiver(&json!({ "do": "check" }), self.limit)?;
        answer["count"].as_u64().map(|count| count as usize).context("a count")
    }

    fn publish_one(&mut self, index: usize) -> Result<String> {
        let answer = self.ask_author(&json!({ "do": "publish-one", "index": index }), ANSWER)?;
        answer["handle"].as_str().map(str::to_owned).context("a handle")
    }

    fn is_readable(&mut self, handle: &str) -> Result<bool> {
        let answer = self.ask_receiver(&json!({ "do": "is-readable", "handle": handle }), ANSWER)?;
        ensure!(answer["readable"].is_boolean(), "{answer}");
        Ok(answer["readable"] == true)
    }

    fn stop_receiver(&mut self) -> Result<()> {
        self.receiver.take().context("the receiver runs")?.finish()
    }

    fn receiver_root(&self) -> PathBuf {
        self.folder.join("receiver")
    }

    fn receiver_store(&self) -> Vec<PathBuf> {
        vec![self.receiver_root()]
    }
}

/// The version of a crate that this program was built with.
pub fn version_of(name: &str) -> String {
    let mut lines = include_str!("../Cargo.lock").lines();
    let is_it = |line: &str| line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"')) == Some(name);
    lines.find(|line| is_it(line));
    let version = lines.next().and_then(|line| line.strip_prefix("version = \""));
    format!("{name} {}", version.unwrap_or("?").trim_end_matches('"'))
}
